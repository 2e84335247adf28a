/* SPDX-License-Identifier: MIT */
/* posh_serve: a small web server for POSH documents alone: GET and HEAD of
 * /.well-known/posh/xmpp-server.json and xmpp-client.json over HTTPS, for the domains it is told
 * about, not to be cached on the way (RFC 7711 6). Everything else is 404. */
#ifndef DNA_IMPL_POSH_SERVE_H
#define DNA_IMPL_POSH_SERVE_H
#include <openssl/ssl.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct dna_posh_server;

/* One domain; all of it is copied, the context by reference. */
struct dna_posh_site {
    const char *host;     /* A-labels, lower case */
    const char *document; /* for both services: they use the same certificate */
    SSL_CTX *ctx;         /* what the web server shows for this host */
};

/* dna_posh_server_new() listens at a literal address (port 0: any); the first site's context serves
 * clients that name no host that we know. NULL with a reason in why. */
struct dna_posh_server *dna_posh_server_new(struct event_base *base, const char *address,
                                            uint16_t port, const struct dna_posh_site *sites,
                                            size_t num, char *why, size_t why_len);
uint16_t dna_posh_server_port(const struct dna_posh_server *s);
void dna_posh_server_free(struct dna_posh_server *s); /* NULL is fine */
#endif
