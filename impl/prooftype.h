/* SPDX-License-Identifier: MIT */
/* prooftype: the interface behind which each prooftype stands (RFC 7712 7). What it is stands in
 * model/prooftype_NAME.def, what it does in impl/prooftype_NAME.c, which defines
 * `const struct dna_prooftype dna_prooftype_NAME`; proof.c finds them by the tables that are there.
 *
 *   begin (what is to be proved) -> endpoint (outbound: the target to be connected to) -> judge
 *
 * A prooftype instance belongs to one struct dna_proof, and with it to one dial or one stream. It
 * may fetch material between begin and judge and says when that is in. It judges any number of
 * certificates. Its decisions are rows of its table; this code computes the facts. */
#ifndef DNA_IMPL_PROOFTYPE_H
#define DNA_IMPL_PROOFTYPE_H
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "impl/dns.h"
#include "impl/pkix.h"
#include "spec/knobs.h"

struct event_base;
struct dna_posh;

/* What one prooftype says of one certificate. */
enum dna_proof_says {
    DNA_PROOF_ABSENT, /* nothing: it is switched off, or there is no material */
    DNA_PROOF_HELD,
    DNA_PROOF_FAILED,  /* it does not prove the domain, which says nothing against it */
    DNA_PROOF_UNCLEAR, /* there may be material, but it could not be fetched or read */
    DNA_PROOF_REFUTED  /* an authenticated negative */
};

/* What all proofs of a process share; borrowed, and outlives them. */
struct dna_proof_env {
    struct event_base *base;
    struct dna_dns *dns;
    X509_STORE *store; /* trust anchors of PKIX, with CRLs if there are any */
    const struct dna_knobs *knobs;
    struct dna_posh *posh; /* documents and their cache; NULL: no POSH */
    bool validating;       /* the resolver has a trust anchor */
};

/* What is to be proved. */
struct dna_proof_ask {
    const char *domain;            /* prepared: lower case, U-labels; copied */
    enum dna_pkix_service service; /* whose SRV-IDs, TLSA names and POSH documents count */
    bool inbound;        /* the peer claims it: nobody resolves it for us, no endpoint is told */
    bool peer_is_client; /* the peer opened the connection: it shows a client certificate */
};

/* The endpoint of an outbound connection: what SRV and address answers said. */
struct dna_proof_endpoint {
    const char *host; /* SRV target, or the domain itself in the fallback; borrowed */
    uint16_t port;
    bool from_srv;    /* false: the fallback, or a literal */
    enum dna_dns_security srv, address;
    const char *canonical; /* where the aliases of host lead to (dna_dns_answer); NULL: not known */
};

struct dna_prooftype_seat; /* where an instance sits in its proof (proof.c) */

struct dna_prooftype {
    /* begin starts seeking material; what does not depend on the endpoint may go out now. Never
       NULL. Material that is in is told by dna_prooftype_settled(), never from inside begin. */
    void *(*begin)(const struct dna_proof_env *env, const struct dna_proof_ask *ask,
                   struct dna_prooftype_seat *seat);
    /* endpoint tells the target about to be connected to; may be called again for the next one, and
       what was learned of the former is then forgotten. Optional. */
    void (*endpoint)(void *self, const struct dna_proof_endpoint *at);
    /* pending: material is still awaited. Optional: never. */
    bool (*pending)(const void *self);
    /* barred: the endpoint must not be connected to. Optional: never. */
    bool (*barred)(const void *self);
    /* demands_tls: what is known of the endpoint forbids clear text. Optional: never. */
    bool (*demands_tls)(const void *self);
    /* outdated: the time of its material is over; begin anew, it will judge nothing by it (RFC 7711
       6). Optional: never. */
    bool (*outdated)(const void *self);
    /* judge says what it makes of a certificate (leaf NULL: none was shown; chain as OpenSSL gives
       it, may be NULL). why gets one line for logs, always. Not while pending. */
    enum dna_proof_says (*judge)(void *self, X509 *leaf, STACK_OF(X509) * chain, char *why,
                                 size_t why_len);
    /* expires is when what held at the last judging ceases to, by the dates of the certificate; 0:
       dates don't matter to it. Optional: 0. */
    time_t (*expires)(const void *self);
    /* sought describes in one line what was sought and found ("3 TLSA records, secure"), for
     * people. */
    void (*sought)(const void *self, char *text, size_t len);
    void (*free)(void *self);
};

/* dna_prooftype_settled() is called by a prooftype, from the loop, when it no longer is pending. */
void dna_prooftype_settled(struct dna_prooftype_seat *seat);
/* dna_prooftype_log() logs one step of the prooftype's machine; the subject is the domain. */
struct dna_effects;
void dna_prooftype_log(const struct dna_prooftype_seat *seat, const struct dna_effects *fx);
#endif
