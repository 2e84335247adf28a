/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Connections on libevent: TCP with the actor's own address, TLS as a filter
 * put on when a scenario says so. Every certificate is let through the handshake; judging is done
 * later.
 */
#include "conformance/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>

struct dna_wire {
    struct event_base *base;
    struct dna_pool *pool;
    dna_wire_fn fn;
    void *arg;
    struct bufferevent *bev; /* the outermost one: owns what is below */
    int fd;
    struct dna_wire_xml *xml;
    SSL *ssl;                /* borrowed from bev */
    bool handshaking, ended, fin_wanted;
    bool cert_requested;
    const char *sni_seen;
    bool in_callback, doomed;
};

static void destroy(struct dna_wire *w)
{
    if (w->bev)
        bufferevent_free(w->bev);
    dna_wire_xml_free(w->xml);
    free(w);
}

static void tell(struct dna_wire *w, enum dna_wire_kind kind, struct dna_xnode *node,
                 const char *note)
{
    if (!w->doomed)
        w->fn(w, kind, node, note, w->arg);
}

static void on_xml(enum dna_wire_kind kind, struct dna_xnode *node, const char *note, void *arg)
{
    tell(arg, kind, node, note);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct dna_wire *w = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    char part[4096];

    w->in_callback = true;
    /* the kernel forgets quick acknowledgement; without it half the servers wait 40 ms a step */
    setsockopt(w->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
    /* the scenario may put TLS on in the middle: what follows then belongs to the filter */
    while (!w->doomed && w->bev == bev && evbuffer_get_length(in)) {
        int n = evbuffer_remove(in, part, sizeof(part));

        if (n <= 0)
            break;
        dna_wire_xml_feed(w->xml, part, (size_t)n);
    }
    w->in_callback = false;
    if (w->doomed)
        destroy(w);
}

static const char *tls_reason(struct dna_wire *w, struct bufferevent *bev)
{
    unsigned long code = bufferevent_get_openssl_error(bev);
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    return reason ? dna_pool_strdup(w->pool, reason) : "";
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct dna_wire *w = arg;

    if (w->bev != bev)
        return;
    w->in_callback = true;
    if (what & BEV_EVENT_CONNECTED) {
        if (w->handshaking)
            dna_wire_xml_reset(w->xml);
        tell(w, w->handshaking ? DNA_WIRE_TLS_UP : DNA_WIRE_UP, NULL, "");
        w->handshaking = false;
    } else if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) && !w->ended) {
        const char *note = w->ssl ? tls_reason(w, bev) : "";

        if (!*note && (what & BEV_EVENT_ERROR) && EVUTIL_SOCKET_ERROR())
            note = strerror(EVUTIL_SOCKET_ERROR());
        w->ended = true;
        if (w->handshaking)
            tell(w, DNA_WIRE_TLS_FAILED, NULL, note);
        tell(w, DNA_WIRE_EOF, NULL, note);
    }
    w->in_callback = false;
    if (w->doomed)
        destroy(w);
}

/* what TLS has written into the buffer below, put on the socket before that is shut down */
static void flush_below(struct dna_wire *w)
{
    struct bufferevent *below = bufferevent_get_underlying(w->bev);
    struct evbuffer *out = below ? bufferevent_get_output(below) : NULL;

    if (!out)
        return;
    evbuffer_unfreeze(out, 1);
    while (evbuffer_get_length(out) && evbuffer_write(out, w->fd) > 0)
        ;
    evbuffer_freeze(out, 1);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    struct dna_wire *w = arg;

    (void)bev;
    if (!w->fin_wanted)
        return;
    w->fin_wanted = false;
    if (w->ssl) {
        SSL_shutdown(w->ssl);
        flush_below(w);
    }
    shutdown(w->fd, SHUT_WR);
}

static struct dna_wire *wire_new(struct event_base *base, struct dna_pool *pool, dna_wire_fn fn,
                                 void *arg)
{
    struct dna_wire *w = dna_xcalloc(1, sizeof(*w));

    w->base = base;
    w->pool = pool;
    w->fn = fn;
    w->arg = arg;
    w->fd = -1;
    w->xml = dna_wire_xml_new(pool, on_xml, w);
    return w;
}

static void attach(struct dna_wire *w, struct bufferevent *bev)
{
    w->bev = bev;
    bufferevent_setcb(bev, on_read, on_written, on_event, w);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void plain(struct dna_wire *w, int fd)
{
    w->fd = fd;
    evutil_make_socket_nonblocking(fd);
    evutil_make_socket_closeonexec(fd);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    attach(w, bufferevent_socket_new(w->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS));
}

struct dna_wire *dna_wire_accepted(struct event_base *base, struct dna_pool *pool, int fd,
                                   dna_wire_fn fn, void *arg)
{
    struct dna_wire *w = wire_new(base, pool, fn, arg);

    plain(w, fd);
    return w;
}

struct dna_wire *dna_wire_connect(struct event_base *base, struct dna_pool *pool,
                                  const char *from_addr, const char *to_addr, unsigned port,
                                  dna_wire_fn fn, void *arg)
{
    struct dna_wire *w = wire_new(base, pool, fn, arg);
    struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, from_addr, &from.sin_addr);
    inet_pton(AF_INET, to_addr, &to.sin_addr);
    to.sin_port = htons((uint16_t)port);
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0) {
        if (fd >= 0)
            close(fd);
        dna_wire_free(w);
        return NULL;
    }
    plain(w, fd);
    if (bufferevent_socket_connect(w->bev, (struct sockaddr *)&to, sizeof(to)) < 0) {
        dna_wire_free(w);
        return NULL;
    }
    return w;
}

void dna_wire_free(struct dna_wire *w)
{
    if (!w)
        return;
    w->doomed = true;
    if (!w->in_callback)
        destroy(w);
}

void dna_wire_send(struct dna_wire *w, const char *bytes, size_t len)
{
    if (w->bev && !w->ended)
        bufferevent_write(w->bev, bytes, len);
}

void dna_wire_fin(struct dna_wire *w)
{
    if (!w->bev || w->ended)
        return;
    w->fin_wanted = true;
    if (!evbuffer_get_length(bufferevent_get_output(w->bev)))
        on_written(w->bev, w);
}

bool dna_wire_is_open(const struct dna_wire *w)
{
    return w->bev && !w->ended;
}

/* ---- TLS ---- */

static int accept_all(int ok, X509_STORE_CTX *store)
{
    (void)ok;
    (void)store;
    return 1;
}

static int on_cert_wanted(SSL *ssl, void *arg)
{
    struct dna_wire *w = arg;

    if (!SSL_is_server(ssl))
        w->cert_requested = true;
    return 1;
}

static int on_sni(SSL *ssl, int *alert, void *arg)
{
    struct dna_wire *w = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    if (name)
        w->sni_seen = dna_pool_strdup(w->pool, name);
    return SSL_TLSEXT_ERR_OK;
}

/* Debian's OpenSSL shows no certificate with a weak signature, unless it is told not to care. */
static bool is_weak(const struct dna_cert *c)
{
    int nid = X509_get_signature_nid(c->x509);
    bool weak = nid == NID_ecdsa_with_SHA1 || nid == NID_md5WithRSAEncryption;

    for (int i = 0; !weak && c->chain && i < sk_X509_num(c->chain); i++)
        weak = X509_get_signature_nid(sk_X509_value(c->chain, i)) == NID_ecdsa_with_SHA1;
    return weak;
}

/* Sessions of all connections that are resumable may be resumed on each of them. */
static void allow_resumption(SSL_CTX *ctx)
{
    static const unsigned char id[] = "lab";
    unsigned char keys[80] = "one ticket key for all peers: whoever shares it may be an attacker";

    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1);
    SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof keys);
}

static SSL_CTX *make_context(struct dna_wire *w, const struct dna_wire_tls_options *options)
{
    SSL_CTX *ctx = SSL_CTX_new(options->server ? TLS_server_method() : TLS_client_method());

    if (!ctx)
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, accept_all);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (options->resumable)
        allow_resumption(ctx);
    SSL_CTX_set_cert_cb(ctx, on_cert_wanted, w);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_sni);
    SSL_CTX_set_tlsext_servername_arg(ctx, w);
    if (options->cert) {
        const struct dna_cert *c = options->cert;

        if (is_weak(c))
            SSL_CTX_set_security_level(ctx, 0);
        if (SSL_CTX_use_certificate(ctx, c->x509) != 1 ||
            SSL_CTX_use_PrivateKey(ctx, c->key) != 1)
            ERR_clear_error();
        for (int i = 0; c->chain && i < sk_X509_num(c->chain); i++)
            SSL_CTX_add1_chain_cert(ctx, sk_X509_value(c->chain, i));
    }
    return ctx;
}

void dna_wire_tls(struct dna_wire *w, const struct dna_wire_tls_options *options)
{
    SSL_CTX *ctx;
    struct bufferevent *below = w->bev, *filter;

    if (below && !w->ended && w->handshaking)
        return; /* another branch of an 'either' has begun it: one handshake, several outcomes */
    if (!below || w->ended || w->ssl) {
        tell(w, DNA_WIRE_TLS_FAILED, NULL, w->ssl ? "TLS is on already" : "no connection");
        return;
    }
    ctx = make_context(w, options);
    w->ssl = ctx ? SSL_new(ctx) : NULL;
    SSL_CTX_free(ctx);
    if (!w->ssl)
        return;
    if (options->sni && !options->server)
        SSL_set_tlsext_host_name(w->ssl, options->sni);
    if (options->resumes && options->resumes->ssl && !options->server)
        SSL_set_session(w->ssl, SSL_get0_session(options->resumes->ssl));
    w->handshaking = true;
    bufferevent_setcb(below, NULL, NULL, NULL, NULL);
    filter = bufferevent_openssl_filter_new(
        w->base, below, w->ssl,
        options->server ? BUFFEREVENT_SSL_ACCEPTING : BUFFEREVENT_SSL_CONNECTING,
        BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    bufferevent_openssl_set_allow_dirty_shutdown(filter, 1);
    attach(w, filter);
}

bool dna_wire_seen(const struct dna_wire *w, struct dna_wire_seen *out)
{
    *out = (struct dna_wire_seen){ 0 };
    if (!w->ssl || !w->bev)
        return false;
    out->cert = SSL_get0_peer_certificate(w->ssl);
    out->chain = SSL_get_peer_cert_chain(w->ssl);
    out->cert_requested = w->cert_requested;
    out->sni = w->sni_seen;
    out->version = SSL_get_version(w->ssl);
    return true;
}
