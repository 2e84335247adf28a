/* SPDX-License-Identifier: MIT */
/* c2s.h -- the server's side of client streams: glue that computes facts, calls the generated steps
   of c2s_server and starttls_receiving, and carries out what they say.  One struct dna_c2s owns all
   client sessions of the process; sessions end with their connections.
       C> header  S> features  C> starttls ... auth  S> success  C> header  C> bind  S> full JID */
#ifndef DNA_IMPL_C2S_H
#define DNA_IMPL_C2S_H

#include <openssl/ssl.h>
#include <stddef.h>

#include "impl/config.h"
#include "impl/router.h"

struct event_base;
struct dna_c2s;

/* What the sessions need of the server; all of it is borrowed and outlives the dna_c2s. */
struct dna_c2s_setup {
    struct event_base *base;
    const struct dna_config *config; /* domains, accounts, timeouts, limits, knobs */
    struct dna_router *router;       /* knows the hosted domains; dna_c2s_new adds accounts */
    /* the TLS context of a hosted domain (prepared name); NULL if it has none */
    SSL_CTX *(*tls)(void *arg, const char *domain);
    void *arg;
};

/* dna_c2s_new makes the owner of all client sessions and tells the router the accounts. */
struct dna_c2s *dna_c2s_new(const struct dna_c2s_setup *setup);
/* dna_c2s_accept takes over an accepted socket. */
void dna_c2s_accept(struct dna_c2s *c, int fd);
/* dna_c2s_count is the number of open sessions. */
size_t dna_c2s_count(const struct dna_c2s *c);
/* dna_c2s_shutdown ends every stream with system-shutdown; the count falls to 0 as they go. */
void dna_c2s_shutdown(struct dna_c2s *c);
/* dna_c2s_free frees it with all sessions that are left; NULL is fine. */
void dna_c2s_free(struct dna_c2s *c);

#endif
