/* SPDX-License-Identifier: MIT */
/* server: see server.h. */
#include "impl/server.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "impl/c2s.h"
#include "impl/dns.h"
#include "impl/hash.h"
#include "impl/pkix.h"
#include "impl/posh.h"
#include "impl/router.h"
#include "impl/s2s.h"
#include "impl/tls.h"

enum { BACKLOG = 512 };

struct listener {
    struct dna_server *server;
    struct evconnlistener *at;
    struct listener *next;
    void (*accept)(struct dna_server *s, int fd);
};
struct dna_server {
    struct event_base *base;
    const struct dna_config *config;
    struct dna_hash contexts;
    X509_STORE *store;
    struct dna_dns *dns;
    struct dna_posh *posh;
    struct dna_router *router;
    struct dna_s2s *s2s;
    struct dna_c2s *c2s;
    struct listener *listeners;
    bool stopping;
};

static SSL_CTX *context_of(void *arg, const char *domain)
{
    return dna_hash_get(&((struct dna_server *)arg)->contexts, domain);
}

static bool load_domains(struct dna_server *s, char *why, size_t why_len)
{
    for (size_t i = 0; i < s->config->num_domains; i++) {
        const struct dna_config_domain *d = &s->config->domains[i];
        dna_router_host(s->router, d->name);
        if (!d->certificate)
            continue;
        SSL_CTX *ctx = dna_tls_context_new(d->certificate, d->key, why, why_len);
        if (!ctx)
            return false;
        (void)dna_hash_put(&s->contexts, d->name, ctx);
    }
    return true;
}

static bool make_resolver(struct dna_server *s, char *why, size_t why_len)
{
    const struct dna_config *c = s->config;
    char address[100];
    struct dna_dns_config d = { .trust_anchor = c->trust_anchor,
                                .deadline_ms = c->timeout_resolve_ms };
    if (c->resolver.host) {
        (void)snprintf(address, sizeof address, "%s@%u", c->resolver.host, c->resolver.port);
        d.resolver = address;
    }
    s->dns = dna_dns_new(s->base, &d, why, why_len);
    return s->dns != NULL;
}

/* POSH documents are fetched by a client of their own, which all streams share. */
static bool make_posh(struct dna_server *s, char *why, size_t why_len)
{
    const struct dna_config *c = s->config;
    const struct dna_posh_config p = { .base = s->base,
                                       .dns = s->dns,
                                       .ca_file = c->ca_file,
                                       .ca_dir = c->ca_dir,
                                       .timeout_ms = c->timeout_posh_ms,
                                       .negative_s = (c->posh_negative_ms + 999) / 1000,
                                       .max_age_s = (c->posh_max_age_ms + 999) / 1000 };
    if (!c->knobs.posh && !c->knobs.posh_inbound)
        return true;
    s->posh = dna_posh_new(&p, why, why_len);
    return s->posh != NULL;
}

/* What is switched on and can't work is said, not guessed at. */
static void warn_without_anchor(const struct dna_config *c)
{
    if (!c->trust_anchor && (c->knobs.dane || c->knobs.dane_inbound))
        dna_log(DNA_LOG_WARN, "no_trust_anchor", "why=%s",
                dna_log_quote("no trust_anchor is configured: no DNS answer is secure, DANE proves "
                              "nothing"));
}

static bool build(struct dna_server *s, char *why, size_t why_len)
{
    s->router = dna_router_new();
    if (!load_domains(s, why, why_len))
        return false;
    s->store = dna_pkix_store_new(s->config->ca_file, s->config->ca_dir, why, why_len);
    if (!s->store || (s->config->crl_file &&
                      !dna_pkix_store_add_crl(s->store, s->config->crl_file, why, why_len)))
        return false;
    if (!make_resolver(s, why, why_len) || !make_posh(s, why, why_len))
        return false;
    warn_without_anchor(s->config);
    const struct dna_s2s_setup s2s = { .base = s->base,
                                       .config = s->config,
                                       .router = s->router,
                                       .dns = s->dns,
                                       .store = s->store,
                                       .posh = s->posh,
                                       .tls = context_of,
                                       .arg = s };
    const struct dna_c2s_setup c2s = { s->base, s->config, s->router, context_of, s };
    s->s2s = dna_s2s_new(&s2s);
    s->c2s = dna_c2s_new(&c2s);
    return true;
}

struct dna_server *dna_server_new(struct event_base *base, const struct dna_config *config,
                                  char *why, size_t why_len)
{
    struct dna_server *s = dna_calloc(1, sizeof *s);
    s->base = base;
    s->config = config;
    if (build(s, why, why_len))
        return s;
    dna_server_free(s);
    return NULL;
}

static void accept_s2s(struct dna_server *s, int fd)
{
    dna_s2s_accept(s->s2s, fd);
}

static void accept_c2s(struct dna_server *s, int fd)
{
    dna_c2s_accept(s->c2s, fd);
}

static void on_accept(struct evconnlistener *at, evutil_socket_t fd, struct sockaddr *addr, int len,
                      void *arg)
{
    struct listener *l = arg;
    struct dna_server *s = l->server;
    size_t open = dna_s2s_count(s->s2s) + dna_c2s_count(s->c2s);
    (void)at;
    (void)addr;
    (void)len;
    if (s->config->limit_connections && open >= s->config->limit_connections) {
        dna_log(DNA_LOG_WARN, "too_many_connections", "open=%zu", open);
        (void)close(fd);
        return;
    }
    l->accept(s, fd);
}

static void on_accept_error(struct evconnlistener *at, void *arg)
{
    (void)at;
    (void)arg;
    dna_log(DNA_LOG_ERROR, "accept_failed", "why=%s",
            dna_log_quote(evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR())));
}

static bool listen_at(struct dna_server *s, const struct dna_endpoint *e, const char *port_name,
                      void (*accept)(struct dna_server *s, int fd))
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(e->port) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };
    const struct sockaddr *addr = (const struct sockaddr *)&in;
    int len = sizeof in;
    if (inet_pton(AF_INET, e->host, &in.sin_addr) != 1) {
        if (inet_pton(AF_INET6, e->host, &in6.sin6_addr) != 1)
            return false;
        addr = (const struct sockaddr *)&in6;
        len = sizeof in6;
    }
    struct listener *l = dna_calloc(1, sizeof *l);
    l->server = s;
    l->accept = accept;
    l->at = evconnlistener_new_bind(s->base, on_accept, l,
                                    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
                                        LEV_OPT_REUSEABLE,
                                    BACKLOG, addr, len);
    if (!l->at) {
        free(l);
        return false;
    }
    evconnlistener_set_error_cb(l->at, on_accept_error);
    l->next = s->listeners;
    s->listeners = l;
    dna_log(DNA_LOG_INFO, "listen", "port=%s address=%s:%u", port_name, e->host, e->port);
    return true;
}

static int listen_all(struct dna_server *s, const struct dna_endpoints *all, const char *port_name,
                      void (*accept)(struct dna_server *s, int fd), char *why, size_t why_len)
{
    for (size_t i = 0; i < all->num; i++) {
        if (listen_at(s, &all->at[i], port_name, accept))
            continue;
        (void)snprintf(why, why_len, "cannot listen on %s port %u: %s", all->at[i].host,
                       all->at[i].port, evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
        return -1;
    }
    return 0;
}

int dna_server_listen(struct dna_server *s, char *why, size_t why_len)
{
    if (listen_all(s, &s->config->listen_s2s, "s2s", accept_s2s, why, why_len) != 0)
        return -1;
    return listen_all(s, &s->config->listen_c2s, "c2s", accept_c2s, why, why_len);
}

static void stop_listening(struct dna_server *s)
{
    while (s->listeners) {
        struct listener *l = s->listeners;
        s->listeners = l->next;
        evconnlistener_free(l->at);
        free(l);
    }
}

void dna_server_stop(struct dna_server *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    stop_listening(s);
    dna_s2s_shutdown(s->s2s); /* what can go nowhere now comes back to users who are still there */
    dna_c2s_shutdown(s->c2s);
}

bool dna_server_stopped(const struct dna_server *s)
{
    return s->stopping && dna_s2s_count(s->s2s) == 0 && dna_c2s_count(s->c2s) == 0;
}

static void free_context(void *value, void *arg)
{
    (void)arg;
    SSL_CTX_free(value);
}

void dna_server_free(struct dna_server *s)
{
    if (!s)
        return;
    stop_listening(s);
    dna_c2s_free(s->c2s);
    dna_s2s_free(s->s2s);
    dna_posh_free(s->posh);
    dna_dns_free(s->dns);
    dna_router_free(s->router);
    X509_STORE_free(s->store);
    dna_hash_each(&s->contexts, free_context, NULL);
    dna_hash_cleanup(&s->contexts);
    free(s);
}
