/* SPDX-License-Identifier: MIT */
/* tls: OpenSSL contexts and sessions as this project wants them: one context per hosted domain,
 * chosen by the stream header's `to` before the handshake; every peer certificate passes the
 * handshake and is judged afterwards (impl/pkix.h), because the material to judge it by arrives
 * later. Contexts are the caller's. */
#ifndef DNA_IMPL_TLS_H
#define DNA_IMPL_TLS_H
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* dna_tls_context_new() makes a context for both directions with a certificate chain and its key
 * (PEM); both NULL: a context without certificate, for clients. NULL with a reason in why on
 * failure. */
SSL_CTX *dna_tls_context_new(const char *chain_file, const char *key_file, char *why,
                             size_t why_len);
/* dna_tls_accept_new() makes a server session that asks for a client certificate if ask. */
SSL *dna_tls_accept_new(SSL_CTX *ctx, bool ask);
/* dna_tls_connect_new() makes a client session; server_name (A-labels) is sent as SNI unless NULL.
 */
SSL *dna_tls_connect_new(SSL_CTX *ctx, const char *server_name);
/* dna_tls_showed_certificate() says whether a client session was asked for a certificate and had
 * one. */
bool dna_tls_showed_certificate(SSL *ssl);
/* dna_tls_asked_for_certificate() says whether a client session was asked for one at all. */
bool dna_tls_asked_for_certificate(const SSL *ssl);
/* dna_tls_channel_binding() writes the RFC 9266 tls-exporter binding (32 bytes); false before
 * TLS 1.3. */
bool dna_tls_channel_binding(SSL *ssl, unsigned char out[32]);
#endif
