/* SPDX-License-Identifier: MIT */
/* posh: the POSH documents of a process (RFC 7711): retrievals, and the cache that lets streams
 * share them. Each retrieval runs the machine model/prooftype_posh.def, which decides what is
 * fetched next and what the material says of a certificate; this code fetches, reads, counts time
 * and remembers.
 *
 * A document is remembered until the lower of the two "expires" values is over, counted from
 * receipt (RFC 7711 6, decision A49), at most max_age_s; its absence, or a failure, for negative_s.
 * Time is the wall clock's. Sharing is by domain (A-labels) and service, so that any number of
 * concurrent seekers makes one request. */
#ifndef DNA_IMPL_POSH_H
#define DNA_IMPL_POSH_H
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "impl/prooftype.h"

struct dna_posh;
struct dna_posh_ask; /* somebody's interest in one retrieval */

struct dna_posh_config {
    struct event_base *base;
    struct dna_dns *dns;
    const char *ca_file, *ca_dir; /* roots for web servers; both NULL: the system's; copied */
    uint32_t timeout_ms;          /* of a whole retrieval; 0 = 10 s */
    size_t max_body;              /* bytes of an answer; 0 = 64 KiB */
    uint32_t negative_s;          /* how long "none" and failures are remembered; 0 = not at all */
    uint32_t max_age_s;           /* how long a document is at most; 0 = one day */
    size_t max_entries;           /* retrievals remembered or under way; 0 = 1000 */
    uint16_t port;                /* of the well-known URI, for tests; 0 = 443 */
    int64_t (*now_ms)(void);      /* the wall clock since 1970, for tests; NULL: the real one */
};

/* dna_posh_new() sets up what fetches; NULL with a reason in why where the roots cannot be read. */
struct dna_posh *dna_posh_new(const struct dna_posh_config *config, char *why, size_t why_len);
/* dna_posh_free() ends all retrievals. All asks have to be dropped before, and it is not called
 * from inside a settled(). NULL is fine. */
void dna_posh_free(struct dna_posh *p);

/* dna_posh_seek() seeks the document of a domain, or joins who does, or finds it remembered.
 * settled(arg) is called from the loop, once, if the ask is pending when it returns. env->posh may
 * be NULL: there is no document then. Owned by the caller. */
struct dna_posh_ask *dna_posh_seek(const struct dna_proof_env *env,
                                   const struct dna_proof_ask *what, void (*settled)(void *arg),
                                   void *arg);
/* dna_posh_drop() loses interest; settled is not called. NULL is fine. */
void dna_posh_drop(struct dna_posh_ask *ask);
bool dna_posh_pending(const struct dna_posh_ask *ask);
/* dna_posh_outdated() says that the time of the document is over: who seeks again begins at the
 * source. */
bool dna_posh_outdated(const struct dna_posh_ask *ask);
/* dna_posh_judge() is struct dna_prooftype's judge; dna_posh_sought() its sought. */
enum dna_proof_says dna_posh_judge(struct dna_posh_ask *ask, X509 *leaf, char *why, size_t why_len);
void dna_posh_sought(const struct dna_posh_ask *ask, char *text, size_t len);

/* What a retrieval brought in, for people; the text is borrowed from the ask. */
struct dna_posh_about {
    const char *source, *url; /* where it was sought, and where found; NULL: nothing was sought */
    bool answered;            /* a web server has answered by HTTP, whatever it said */
    bool found;               /* there is a document with fingerprints */
    bool pending, absent;     /* absent: the source says there is none */
    bool by_reference;        /* a reference document named the url */
    unsigned redirects;
    size_t num_fingerprints;
    int64_t expires_s;        /* from now on; of a document that was found */
    const char *why;
};
struct dna_posh_about dna_posh_about(const struct dna_posh_ask *ask);
#endif
