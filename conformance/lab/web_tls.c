/* SPDX-License-Identifier: MIT */
/*
 * TLS of the web server: OpenSSL between two memory BIOs, so that what goes out, and what doesn't,
 * is decided here and not by a library. Certificate and manner come from the site the client names.
 */
#include "conformance/lab/web_internal.h"

#include <string.h>

#include <openssl/err.h>

/* pump moves what TLS wants to say to the socket, or nowhere. */
static void pump(struct web_conn *conn)
{
    char *bytes;
    long len = BIO_get_mem_data(conn->to_peer, &bytes);

    if (len > 0 && !conn->mute)
        bufferevent_write(conn->stream, bytes, (size_t)len);
    (void)BIO_reset(conn->to_peer);
}

/*
 * on_hello is called with or without SNI, before anything is answered; again where we had to ask
 * for another key share (a HelloRetryRequest of TLS 1.3).
 */
static int on_hello(SSL *ssl, int *out_alert, void *arg)
{
    struct web_conn *conn = SSL_get_app_data(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    enum dna_web_tls_manner manner;

    (void)arg;
    web_host_lower(conn->sni, sizeof conn->sni, name ? name : "");
    if (!conn->hello_told)
        web_tell(conn, (struct dna_web_event){ .kind = DNA_WEB_HELLO });
    conn->hello_told = true;
    manner = web_site_find(conn->listener, conn->sni)->manner;
    conn->mute = manner == DNA_WEB_TLS_SILENT;
    if (conn->mute)
        web_conn_timer(conn, 0);
    if (manner == DNA_WEB_TLS_REFUSED) {
        conn->refused = true;
        *out_alert = SSL_AD_HANDSHAKE_FAILURE;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

static int on_cert_wanted(SSL *ssl, void *arg)
{
    const struct web_conn *conn = SSL_get_app_data(ssl);
    const struct dna_cert *cert = web_site_find(conn->listener, conn->sni)->cert;

    (void)arg;
    if (SSL_use_certificate(ssl, cert->x509) != 1 || SSL_use_PrivateKey(ssl, cert->key) != 1)
        return 0;
    for (int i = 0; cert->chain && i < sk_X509_num(cert->chain); i++) {
        if (SSL_add1_chain_cert(ssl, sk_X509_value(cert->chain, i)) != 1)
            return 0;
    }
    return 1;
}

static void on_info(const SSL *ssl, int where, int value)
{
    struct web_conn *conn = SSL_get_app_data(ssl);
    int description = value & 0xff;

    /* by its number, not its level, which TLS 1.3 has clients ignore: these three end nothing */
    if (where != SSL_CB_READ_ALERT || description == SSL_AD_CLOSE_NOTIFY ||
        description == SSL_AD_USER_CANCELLED || description == SSL_AD_NO_RENEGOTIATION)
        return;
    conn->alert = description;
}

SSL_CTX *web_tls_context(void)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (!tls)
        return NULL;
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    /* a resumed session would show no certificate, and hide whether a client would refuse it */
    SSL_CTX_set_num_tickets(tls, 0);
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cert_cb(tls, on_cert_wanted, NULL);
    SSL_CTX_set_tlsext_servername_callback(tls, on_hello);
    SSL_CTX_set_info_callback(tls, on_info);
    return tls;
}

int web_tls_start(struct web_conn *conn)
{
    conn->ssl = SSL_new(conn->web->tls);
    conn->from_peer = BIO_new(BIO_s_mem());
    conn->to_peer = BIO_new(BIO_s_mem());
    if (!conn->ssl || !conn->from_peer || !conn->to_peer) {
        BIO_free(conn->from_peer);
        BIO_free(conn->to_peer);
        return -1;
    }
    SSL_set_bio(conn->ssl, conn->from_peer, conn->to_peer);
    SSL_set_app_data(conn->ssl, conn);
    SSL_set_accept_state(conn->ssl);
    return 0;
}

static const char *failure(const struct web_conn *conn)
{
    const char *reason;

    if (conn->refused)
        return "refused by us, as ordered";
    if (conn->alert >= 0)
        return SSL_alert_desc_string_long(conn->alert);
    reason = ERR_reason_error_string(ERR_peek_error());
    return reason ? reason : "TLS is broken";
}

/* more_records feeds TLS with bytes from the socket; false = there are none. */
static bool more_records(struct web_conn *conn)
{
    char bytes[4096];
    int len = evbuffer_remove(bufferevent_get_input(conn->stream), bytes, sizeof bytes);

    return len > 0 && BIO_write(conn->from_peer, bytes, len) == len;
}

bool web_tls_read(struct web_conn *conn, const char **reason)
{
    char bytes[4096];

    while (evbuffer_get_length(conn->in) <= DNA_WEB_MAX_HEAD) {
        int len;

        ERR_clear_error();
        len = SSL_read(conn->ssl, bytes, sizeof bytes);
        pump(conn);
        if (conn->state == WEB_SHAKING && SSL_is_init_finished(conn->ssl))
            conn->state = WEB_READING;
        if (len > 0) {
            evbuffer_add(conn->in, bytes, (size_t)len);
            continue;
        }
        switch (SSL_get_error(conn->ssl, len)) {
        case SSL_ERROR_WANT_READ:
            if (!more_records(conn))
                return true;
            break;
        case SSL_ERROR_ZERO_RETURN:
            *reason = "the client closed the connection";
            return false;
        default:
            *reason = failure(conn);
            return false;
        }
    }
    return true;
}

void web_tls_write(struct web_conn *conn, const void *bytes, size_t len)
{
    ERR_clear_error();
    if (len && SSL_write(conn->ssl, bytes, (int)len) <= 0)
        conn->doomed = true;
    pump(conn);
}

void web_tls_end(struct web_conn *conn)
{
    ERR_clear_error();
    if (SSL_is_init_finished(conn->ssl))
        SSL_shutdown(conn->ssl);
    pump(conn);
}
