/* SPDX-License-Identifier: MIT */
/* client_env.c -- see client_env.h. */
#include "impl/client_env.h"

#include "impl/tls.h"

bool dna_client_env_open(struct dna_client_env *env, struct event_base *base,
                         const struct dna_client_env_options *o, char *why, size_t why_size)
{
    const struct dna_dns_config dns = { .resolver = o->resolver,
                                        .trust_anchor = o->trust_anchor,
                                        .deadline_ms = o->resolve_ms };
    struct dna_posh_config posh = { .base = base,
                                    .ca_file = o->ca_file,
                                    .ca_dir = o->ca_dir,
                                    .timeout_ms = o->resolve_ms,
                                    .negative_s = 60, /* those who look twice are one run */
                                    .port = o->posh_port };
    bool listed;

    *env = (struct dna_client_env){ .base = base };
    env->tls = dna_tls_context_new(o->certificate, o->key, why, why_size);
    env->store = env->tls ? dna_pkix_store_new(o->ca_file, o->ca_dir, why, why_size) : NULL;
    listed = env->store && (!o->crl_file ||
                            dna_pkix_store_add_crl(env->store, o->crl_file, why, why_size));
    env->dns = listed ? dna_dns_new(base, &dns, why, why_size) : NULL;
    posh.dns = env->dns;
    env->posh = env->dns ? dna_posh_new(&posh, why, why_size) : NULL;
    env->proof = (struct dna_proof_env){ .base = base,
                                         .dns = env->dns,
                                         .store = env->store,
                                         .knobs = o->knobs,
                                         .posh = env->posh,
                                         .validating = o->trust_anchor != NULL };
    return env->posh != NULL;
}

void dna_client_env_close(struct dna_client_env *env)
{
    dna_posh_free(env->posh);
    dna_dns_free(env->dns);
    X509_STORE_free(env->store);
    SSL_CTX_free(env->tls);
}
