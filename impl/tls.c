/* SPDX-License-Identifier: MIT */
/* tls: see tls.h. What is set here, and why: TLS 1.2 at least (RFC 7590 3.1 by way of BCP 195), no
 * compression and no renegotiation, no tickets and no cache (a ticket costs a server 300 us,
 * resumption is not wanted where proofs are judged anew), buffers released while a stream is idle.
 */
#include "impl/tls.h"

#include "impl/fault.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int let_through(int preverified, X509_STORE_CTX *ctx)
{
    (void)preverified;
    (void)ctx;
    return 1; /* impl/pkix.c decides, when all material is in */
}

static SSL_CTX *fail(SSL_CTX *ctx, const char *what, const char *file, char *why, size_t why_len)
{
    char reason[160] = "unknown";
    unsigned long e = ERR_peek_last_error();
    if (e)
        ERR_error_string_n(e, reason, sizeof reason);
    (void)snprintf(why, why_len, "%s%s%s: %s", what, file ? " " : "", file ? file : "", reason);
    ERR_clear_error();
    SSL_CTX_free(ctx);
    return NULL;
}

/* Planted faults: a session is kept for whom it was made with, and with it the certificate that it
 * saw. */
static struct {
    char *name;
    SSL_SESSION *session;
} kept[16];

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    static unsigned next;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    unsigned i = next++ % (sizeof kept / sizeof *kept);
    free(kept[i].name);
    SSL_SESSION_free(kept[i].session);
    kept[i].name = strdup(name ? name : "");
    kept[i].session = session;
    return 1;
}

static void resume_kept(SSL *ssl, const char *name)
{
    for (unsigned i = 0; name && i < sizeof kept / sizeof *kept; i++)
        if (kept[i].name && strcmp(kept[i].name, name) == 0)
            SSL_set_session(ssl, kept[i].session);
}

static void allow_resumption(SSL_CTX *ctx)
{
    SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
    if (dna_fault(DNA_FAULT_proof_survives_resumption))
        SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (dna_fault(DNA_FAULT_proof_survives_resumption_outbound))
        SSL_CTX_sess_set_new_cb(ctx, keep_session);
}

SSL_CTX *dna_tls_context_new(const char *chain_file, const char *key_file, char *why,
                             size_t why_len)
{
    ERR_clear_error();
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    if (!ctx)
        return fail(NULL, "TLS context", NULL, why, why_len);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                 SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    static const unsigned char id[] = "xdna";
    SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1);
    if (dna_fault(DNA_FAULT_proof_survives_resumption) ||
        dna_fault(DNA_FAULT_proof_survives_resumption_outbound))
        allow_resumption(ctx);
    if (chain_file && SSL_CTX_use_certificate_chain_file(ctx, chain_file) != 1)
        return fail(ctx, "certificate", chain_file, why, why_len);
    if (key_file && SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1)
        return fail(ctx, "private key", key_file, why, why_len);
    if (chain_file && SSL_CTX_check_private_key(ctx) != 1)
        return fail(ctx, "certificate and key do not belong together:", key_file, why, why_len);
    return ctx;
}

static char asked; /* its address marks a session whose peer wanted a certificate */

static SSL *make(SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);
    if (!ssl)
        abort();
    return ssl;
}

SSL *dna_tls_accept_new(SSL_CTX *ctx, bool ask)
{
    SSL *ssl = make(ctx);
    SSL_set_verify(ssl, ask ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, let_through);
    SSL_set_accept_state(ssl);
    return ssl;
}

/* OpenSSL asks for our certificate only when the server did: note that. */
static int asked_for_certificate(SSL *ssl, void *arg)
{
    (void)arg;
    SSL_set_app_data(ssl, (void *)&asked);
    return 1;
}

bool dna_tls_asked_for_certificate(const SSL *ssl)
{
    return ssl && SSL_get_app_data(ssl) == (void *)&asked;
}

bool dna_tls_showed_certificate(SSL *ssl)
{
    return dna_tls_asked_for_certificate(ssl) && SSL_get_certificate(ssl);
}

SSL *dna_tls_connect_new(SSL_CTX *ctx, const char *server_name)
{
    SSL *ssl = make(ctx);
    SSL_set_verify(ssl, SSL_VERIFY_PEER, let_through);
    SSL_set_cert_cb(ssl, asked_for_certificate, NULL);
    if (server_name)
        SSL_set_tlsext_host_name(ssl, server_name);
    resume_kept(ssl, server_name);
    SSL_set_connect_state(ssl);
    return ssl;
}

bool dna_tls_channel_binding(SSL *ssl, unsigned char out[32])
{
    static const char label[] = "EXPORTER-Channel-Binding";
    return SSL_version(ssl) >= TLS1_3_VERSION &&
           SSL_export_keying_material(ssl, out, 32, label, sizeof label - 1, NULL, 0, 0) == 1;
}
