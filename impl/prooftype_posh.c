/* SPDX-License-Identifier: MIT */
/* prooftype_posh: the POSH prooftype (RFC 7712 5.2), an interest in one retrieval of posh.h. The
 * retrieval and its decisions are shared, so they live there. */
#include <stdlib.h>
#include <time.h>

#include "impl/buf.h"
#include "impl/posh.h"

struct posh_instance {
    struct dna_prooftype_seat *seat;
    struct dna_posh_ask *ask;
    time_t expires; /* of the certificate judged last */
};

static void on_settled(void *arg)
{
    dna_prooftype_settled(((struct posh_instance *)arg)->seat);
}

static void *begin(const struct dna_proof_env *env, const struct dna_proof_ask *ask,
                   struct dna_prooftype_seat *seat)
{
    struct posh_instance *self = dna_calloc(1, sizeof *self);
    self->seat = seat;
    self->ask = dna_posh_seek(env, ask, on_settled, self);
    return self;
}

static bool pending(const void *self)
{
    return dna_posh_pending(((const struct posh_instance *)self)->ask);
}

static enum dna_proof_says judge(void *self, X509 *leaf, STACK_OF(X509) * chain, char *why,
                                 size_t why_len)
{
    struct posh_instance *p = self;
    struct tm at;
    (void)chain; /* a fingerprint is of the certificate that was shown, not of its issuers */
    p->expires = leaf && ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &at) == 1 ? timegm(&at) : 0;
    return dna_posh_judge(p->ask, leaf, why, why_len);
}

static bool outdated(const void *self)
{
    return dna_posh_outdated(((const struct posh_instance *)self)->ask);
}

static time_t expires(const void *self)
{
    return ((const struct posh_instance *)self)->expires;
}

static void sought(const void *self, char *text, size_t len)
{
    dna_posh_sought(((const struct posh_instance *)self)->ask, text, len);
}

static void end(void *self)
{
    dna_posh_drop(((struct posh_instance *)self)->ask);
    free(self);
}

const struct dna_prooftype dna_prooftype_posh = {
    .begin = begin,
    .pending = pending,
    .judge = judge,
    .outdated = outdated,
    .expires = expires,
    .sought = sought,
    .free = end,
};
