/* SPDX-License-Identifier: MIT */
/* proof: everything that was sought to prove one domain, and what it says of a certificate. One
 * struct dna_proof for each domain that a dial or a stream wants proved; it owns an instance of
 * every prooftype, and the machine model/proof.def, which combines what they say.
 *
 * Outbound: dna_proof_new() when resolution begins, dna_proof_endpoint() for each target, wait
 * until nothing is pending, connect unless barred, weigh after TLS. Inbound: dna_proof_new() once
 * the domain is claimed under TLS, wait, weigh. */
#ifndef DNA_IMPL_PROOF_H
#define DNA_IMPL_PROOF_H
#include <openssl/ssl.h>

#include "impl/prooftype.h"
#include "model/prooftypes.h"

struct dna_proof;

/* What all prooftypes together say; the outputs of model/proof.def. */
enum dna_proof_verdict {
    DNA_PROOF_PENDING,
    DNA_PROOF_UNPROVED,
    DNA_PROOF_PROVED,
    DNA_PROOF_NEGATIVE
};
const char *dna_proof_verdict_name(enum dna_proof_verdict v);
const char *dna_proof_says_name(enum dna_proof_says s);

/* What one prooftype contributed to the last weighing, for people. */
struct dna_proof_part {
    const struct dna_prooftype_text *type;
    enum dna_proof_says says;
    char why[200];
    char sought[200];
};

/* dna_proof_new() begins to seek. settled(arg) is called from the loop each time that nothing is
 * pending any more after something was; it is not called if nothing ever is. settled may free the
 * proof. Owned by the caller. */
struct dna_proof *dna_proof_new(const struct dna_proof_env *env, const struct dna_proof_ask *ask,
                                void (*settled)(void *arg), void *arg);
void dna_proof_free(struct dna_proof *p); /* NULL is fine */

/* dna_proof_refresh() begins anew with each prooftype whose material is outdated: a live stream
 * keeps what it proved, a further pair on it is weighed by what is in force (decision A49). It may
 * then be pending. */
bool dna_proof_refresh(struct dna_proof *p); /* true: something was begun anew */
bool dna_proof_outdated(const struct dna_proof *p);

void dna_proof_endpoint(struct dna_proof *p, const struct dna_proof_endpoint *at);
bool dna_proof_pending(const struct dna_proof *p);
bool dna_proof_barred(const struct dna_proof *p);
bool dna_proof_demands_tls(const struct dna_proof *p);

/* dna_proof_weigh() weighs a certificate; leaf may be NULL. Logs what each prooftype said.
 * dna_proof_weigh_ssl() does it for the peer of an established session; NULL: no TLS. */
enum dna_proof_verdict dna_proof_weigh(struct dna_proof *p, X509 *leaf, STACK_OF(X509) * chain);
enum dna_proof_verdict dna_proof_weigh_ssl(struct dna_proof *p, SSL *ssl);

/* dna_proof_expires() is when the last prooftype that held at the last weighing ceases to hold; 0:
 * never, for one of them keeps no dates (decision A38). Meaningful after DNA_PROOF_PROVED. */
time_t dna_proof_expires(const struct dna_proof *p);

/* dna_proof_part() is what prooftype number id said at the last weighing; borrowed until the
 * next. */
const struct dna_proof_part *dna_proof_part(const struct dna_proof *p, enum dna_prooftype_id id);
/* dna_proof_names() writes the names of the prooftypes that said so at the last weighing, as people
 * write them: "DANE and PKIX"; "" if none did. */
void dna_proof_names(const struct dna_proof *p, enum dna_proof_says says, char *out, size_t len);
/* dna_proof_name() writes the name of one prooftype as people write it: "PKIX". */
void dna_proof_name(const struct dna_prooftype_text *type, char *out, size_t len);
const char *dna_proof_domain(const struct dna_proof *p);
#endif
