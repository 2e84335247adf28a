/* SPDX-License-Identifier: MIT */
/* client_env -- what a program that opens connections needs to find servers and to weigh their
   certificates: resolver, trust anchors, POSH documents, a TLS context.  One for a run. */
#ifndef DNA_IMPL_CLIENT_ENV_H
#define DNA_IMPL_CLIENT_ENV_H

#include "impl/posh.h"
#include "impl/proof.h"

/* What the user chose; all text is borrowed and outlives the environment. */
struct dna_client_env_options {
    const char *resolver;     /* "addr" or "addr@port"; NULL: that of /etc/resolv.conf */
    const char *trust_anchor; /* DS or DNSKEY records; NULL: DNSSEC is not validated */
    const char *ca_file, *ca_dir;
    const char *crl_file;          /* PEM revocation lists, read once; NULL: none */
    const char *certificate, *key; /* PEM files shown to servers that ask; NULL: none */
    const struct dna_knobs *knobs;
    uint32_t resolve_ms; /* for a question to DNS, and for a POSH document */
    uint16_t posh_port;  /* 0: 443; for tests */
};

struct dna_client_env {
    struct event_base *base; /* borrowed */
    struct dna_dns *dns;
    X509_STORE *store;
    SSL_CTX *tls;
    struct dna_posh *posh;
    struct dna_proof_env proof;
};

/* dna_client_env_open sets all up; false with a reason in why. Close it in either case. */
bool dna_client_env_open(struct dna_client_env *env, struct event_base *base,
                         const struct dna_client_env_options *options, char *why, size_t why_size);
/* dna_client_env_close frees it; every dial and proof has to be gone. */
void dna_client_env_close(struct dna_client_env *env);

#endif
