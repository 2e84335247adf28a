/* SPDX-License-Identifier: MIT */
/* posh_serve: see posh_serve.h. libevent's HTTP server over bufferevents with TLS. The listener is
 * ours, to set TCP_NODELAY: without it each answer waits 40 ms for the client's delayed ACK. */
#include "impl/posh_serve.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"
#include "impl/dns.h"
#include "impl/log.h"

enum { BACKLOG = 128, MAX_HEADERS = 8192, MAX_BODY = 1024, IDLE_SECONDS = 10 };

struct site {
    char *host, *document;
    SSL_CTX *ctx;
};
struct dna_posh_server {
    struct event_base *base;
    struct evhttp *http;
    uint16_t port;
    struct site *sites;
    size_t num;
    SSL_CTX *ctx; /* chooses one of the sites' by SNI */
};

static const struct site *find_site(const struct dna_posh_server *s, const char *host)
{
    char ascii[256];
    if (!host || dna_dns_to_ascii(host, ascii, sizeof ascii) != 0)
        return NULL;
    for (size_t i = 0; i < s->num; i++)
        if (strcmp(s->sites[i].host, ascii) == 0)
            return &s->sites[i];
    return NULL;
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    const struct dna_posh_server *s = arg;
    const struct site *site = find_site(s, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    (void)alert;
    (void)SSL_set_SSL_CTX(ssl, site ? site->ctx : s->sites[0].ctx);
    return SSL_TLSEXT_ERR_OK;
}

static struct bufferevent *on_bufferevent(struct event_base *base, void *arg)
{
    struct dna_posh_server *s = arg;
    SSL *ssl = SSL_new(s->ctx);
    if (!ssl)
        abort();
    struct bufferevent *b = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                                           BEV_OPT_CLOSE_ON_FREE);
    if (b)
        bufferevent_openssl_set_allow_dirty_shutdown(b, 1);
    return b;
}

static bool wants_document(struct evhttp_request *request)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
    return path && (strcmp(path, "/.well-known/posh/xmpp-server.json") == 0 ||
                    strcmp(path, "/.well-known/posh/xmpp-client.json") == 0);
}

static void on_request(struct evhttp_request *request, void *arg)
{
    const struct site *site = find_site(arg, evhttp_request_get_host(request));
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evbuffer *body = evbuffer_new();
    bool found = site && wants_document(request);
    if (!body)
        abort();
    (void)evhttp_add_header(headers, "Cache-Control", "no-cache");
    (void)evhttp_add_header(headers, "Content-Type", found ? "application/json" : "text/plain");
    evbuffer_add_printf(body, "%s", found ? site->document : "There is no POSH document here.\n");
    dna_log(DNA_LOG_INFO, "posh_request", "host=%s path=%s status=%d",
            dna_log_quote(evhttp_request_get_host(request) ? evhttp_request_get_host(request) : ""),
            dna_log_quote(evhttp_request_get_uri(request)), found ? 200 : 404);
    evhttp_send_reply(request, found ? 200 : 404, found ? "OK" : "Not Found", body);
    evbuffer_free(body);
}

static bool make_context(struct dna_posh_server *s)
{
    s->ctx = SSL_CTX_new(TLS_server_method());
    if (!s->ctx)
        abort();
    return SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_tlsext_servername_callback(s->ctx, on_server_name) == 1 &&
           SSL_CTX_set_tlsext_servername_arg(s->ctx, s) == 1 &&
           SSL_CTX_use_certificate(s->ctx, SSL_CTX_get0_certificate(s->sites[0].ctx)) == 1 &&
           SSL_CTX_use_PrivateKey(s->ctx, SSL_CTX_get0_privatekey(s->sites[0].ctx)) == 1;
}

static struct evconnlistener *listen_at(struct event_base *base, const char *address, uint16_t port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    bool four = inet_pton(AF_INET, address, &in.sin_addr) == 1;
    int on = 1;
    if (!four && inet_pton(AF_INET6, address, &in6.sin6_addr) != 1)
        return NULL;
    struct evconnlistener *l = evconnlistener_new_bind(
        base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        BACKLOG, four ? (const struct sockaddr *)&in : (const struct sockaddr *)&in6,
        four ? (int)sizeof in : (int)sizeof in6);
    if (l) /* what it accepts inherits this */
        (void)setsockopt(evconnlistener_get_fd(l), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return l;
}

static uint16_t port_of(struct evconnlistener *l)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof at;
    if (getsockname(evconnlistener_get_fd(l), (struct sockaddr *)&at, &len) != 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&at)->sin6_port
                                          : ((const struct sockaddr_in *)&at)->sin_port);
}

static bool start(struct dna_posh_server *s, const char *address, uint16_t port, char *why,
                  size_t why_len)
{
    if (!make_context(s)) {
        (void)snprintf(why, why_len, "the web server's certificate cannot be used");
        return false;
    }
    struct evconnlistener *l = listen_at(s->base, address, port);
    if (!l) {
        (void)snprintf(why, why_len, "cannot listen on %s port %u: %s", address, port,
                       evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
        return false;
    }
    s->port = port_of(l);
    s->http = evhttp_new(s->base);
    if (!s->http || !evhttp_bind_listener(s->http, l)) /* owns the listener now */
        abort();
    evhttp_set_bevcb(s->http, on_bufferevent, s);
    evhttp_set_gencb(s->http, on_request, s);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(s->http, MAX_HEADERS);
    evhttp_set_max_body_size(s->http, MAX_BODY);
    evhttp_set_timeout(s->http, IDLE_SECONDS);
    return true;
}

struct dna_posh_server *dna_posh_server_new(struct event_base *base, const char *address,
                                            uint16_t port, const struct dna_posh_site *sites,
                                            size_t num, char *why, size_t why_len)
{
    struct dna_posh_server *s = dna_calloc(1, sizeof *s);
    s->base = base;
    s->sites = dna_calloc(num, sizeof *s->sites);
    s->num = num;
    for (size_t i = 0; i < num; i++) {
        s->sites[i].host = dna_strdup(sites[i].host);
        s->sites[i].document = dna_strdup(sites[i].document);
        s->sites[i].ctx = sites[i].ctx;
        (void)SSL_CTX_up_ref(sites[i].ctx);
    }
    if (start(s, address, port, why, why_len))
        return s;
    dna_posh_server_free(s);
    return NULL;
}

uint16_t dna_posh_server_port(const struct dna_posh_server *s)
{
    return s->port;
}

void dna_posh_server_free(struct dna_posh_server *s)
{
    if (!s)
        return;
    if (s->http)
        evhttp_free(s->http);
    for (size_t i = 0; i < s->num; i++) {
        free(s->sites[i].host);
        free(s->sites[i].document);
        SSL_CTX_free(s->sites[i].ctx);
    }
    free(s->sites);
    SSL_CTX_free(s->ctx);
    free(s);
}
