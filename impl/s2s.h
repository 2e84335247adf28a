/* SPDX-License-Identifier: MIT */
/* s2s: the server's side of server-to-server streams. Glue: it computes facts, calls the generated
 * steps of the tables, and carries out what they say; no rule of the protocol is written here. One
 * struct dna_s2s owns all S2S streams of the process.
 *     I> header  R> header, features  I> starttls ... header  R> features  I> auth or db:result */
#ifndef DNA_IMPL_S2S_H
#define DNA_IMPL_S2S_H
#include <openssl/ssl.h>
#include <stddef.h>

#include "impl/config.h"
#include "impl/dns.h"
#include "impl/router.h"

struct event_base;
struct dna_posh;
struct dna_s2s;

/* What S2S needs of the server; all of it is borrowed and outlives the dna_s2s. */
struct dna_s2s_setup {
    struct event_base *base;
    const struct dna_config *config;
    struct dna_router *router; /* knows the hosted domains; S2S becomes its way to remote ones */
    struct dna_dns *dns;
    X509_STORE *store;
    struct dna_posh *posh; /* documents and their cache; NULL: no POSH */
    /* the TLS context of a hosted domain (prepared name); NULL if it has none */
    SSL_CTX *(*tls)(void *arg, const char *domain);
    void *arg;
};

/* dna_s2s_new() makes the owner of all S2S streams. */
struct dna_s2s *dna_s2s_new(const struct dna_s2s_setup *setup);
/* dna_s2s_accept() takes over an accepted socket. */
void dna_s2s_accept(struct dna_s2s *s, int fd);
/* dna_s2s_count() is the number of streams, connected or about to be. */
size_t dna_s2s_count(const struct dna_s2s *s);
/* dna_s2s_shutdown() ends every stream with system-shutdown; the count falls to 0 as they go. */
void dna_s2s_shutdown(struct dna_s2s *s);
/* dna_s2s_free() frees it with all streams that are left; NULL is fine. */
void dna_s2s_free(struct dna_s2s *s);
#endif
