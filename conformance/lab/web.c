/* SPDX-License-Identifier: MIT */
/*
 * The lab's web server: its public face, with listeners, sites, pages and watchers. Lists are
 * walked one by one: a case puts a handful there and takes them away again.
 */
#include "conformance/lab/web_internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IDLE_MS 30000u

static int no_memory(struct dna_diag *diag)
{
    return dna_diag_set(diag, DNA_CLASS_HARD, "web: out of memory");
}

void web_host_lower(char *out, size_t out_len, const char *host)
{
    size_t len = strnlen(host, out_len - 1);

    for (size_t i = 0; i < len; i++)
        out[i] = (char)tolower((unsigned char)host[i]);
    out[len] = '\0';
}

/* at_or_below: the empty host has all others below it. */
static bool at_or_below(const char *host, const char *top)
{
    size_t len = strlen(host), top_len = strlen(top);

    if (top_len == 0)
        return true;
    if (len < top_len || strcmp(host + len - top_len, top) != 0)
        return false;
    return len == top_len || host[len - top_len - 1] == '.';
}

/* ---- sites ---- */

static struct web_site *find_site(const struct dna_web_listener *listener, const char *host)
{
    for (struct web_site *site = listener->sites; site; site = site->next) {
        if (strcmp(site->host, host) == 0)
            return site;
    }
    return NULL;
}

const struct web_site *web_site_find(const struct dna_web_listener *listener, const char *host)
{
    const struct web_site *site = find_site(listener, host);

    return site ? site : find_site(listener, "");
}

static void site_free(struct web_site *site)
{
    dna_cert_unref(site->cert);
    free(site);
}

int dna_web_site_set(struct dna_web_listener *listener, const char *host, struct dna_cert *cert,
                     enum dna_web_tls_manner manner, struct dna_diag *diag)
{
    char name[WEB_HOST_LEN];
    struct web_site *site;

    if (!listener->sites || !cert)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "web: a site on port %u needs %s",
                            listener->port, cert ? "a listener with TLS" : "a certificate");
    if (strlen(host) >= sizeof name)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "web: \"%.40s...\" is too long for a host",
                            host);
    web_host_lower(name, sizeof name, host);
    site = find_site(listener, name);
    if (!site) {
        site = calloc(1, sizeof *site);
        if (!site)
            return no_memory(diag);
        memcpy(site->host, name, sizeof name);
        site->next = listener->sites;
        listener->sites = site;
    }
    dna_cert_ref(cert);
    dna_cert_unref(site->cert);
    site->cert = cert;
    site->manner = manner;
    return 0;
}

/* ---- pages ---- */

struct web_page *web_page_find(const struct dna_web *web, const char *host, const char *path)
{
    for (struct web_page *page = web->pages; page; page = page->next) {
        if (strcmp(page->host, host) == 0 && strcmp(page->path, path) == 0)
            return page;
    }
    return NULL;
}

/* good_place: what no request can name would be a page that nobody ever sees. */
static int good_place(const char *host, const char *path, struct dna_diag *diag)
{
    if (!host[0] || strlen(host) >= WEB_HOST_LEN || host[strcspn(host, ": /@\t\r\n")])
        return dna_diag_set(diag, DNA_CLASS_USAGE, "web: \"%s\" is no host (a name without port)",
                            host);
    for (const char *at = path; *at; at++) {
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f)
            return dna_diag_set(diag, DNA_CLASS_USAGE, "web: the path \"%s\" of %s has a byte that "
                                "no request line carries", path, host);
    }
    if (path[0] != '/' || strchr(path, '#'))
        return dna_diag_set(diag, DNA_CLASS_USAGE, "web: the path \"%s\" of %s: expected one that "
                            "starts with / and has no fragment", path, host);
    return 0;
}

/* remove_page takes away what is there; with: what comes in its place, or NULL. */
static void remove_page(struct dna_web *web, const char *host, const char *path,
                        struct web_page *with)
{
    for (struct web_page **at = &web->pages; *at; at = &(*at)->next) {
        struct web_page *page = *at;

        if (strcmp(page->host, host) != 0 || strcmp(page->path, path) != 0)
            continue;
        *at = page->next;
        web_conns_answer(web, page, with);
        web_page_unref(page);
        return;
    }
}

int dna_web_page_set(struct dna_web *web, const char *host, const char *path,
                     const struct dna_web_page *page, struct dna_diag *diag)
{
    char name[WEB_HOST_LEN];
    struct web_page *made;

    if (good_place(host, path, diag))
        return -1;
    made = web_page_new(page, diag);
    if (!made)
        return dna_diag_add(diag, " (%s%s)", host, path);
    web_host_lower(name, sizeof name, host);
    made->host = strdup(name);
    made->path = strdup(path);
    if (!made->host || !made->path) {
        web_page_unref(made);
        return no_memory(diag);
    }
    remove_page(web, name, path, made);
    made->next = web->pages;
    web->pages = made;
    return 0;
}

void dna_web_page_remove(struct dna_web *web, const char *host, const char *path)
{
    char name[WEB_HOST_LEN];

    web_host_lower(name, sizeof name, host);
    remove_page(web, name, path, NULL);
}

void dna_web_remove_tree(struct dna_web *web, const char *host)
{
    char name[WEB_HOST_LEN];

    web_host_lower(name, sizeof name, host);
    for (struct web_page **at = &web->pages; *at;) {
        struct web_page *page = *at;

        if (!at_or_below(page->host, name)) {
            at = &page->next;
            continue;
        }
        *at = page->next;
        web_page_unref(page);
    }
    for (struct dna_web_listener *l = web->listeners; l; l = l->next) {
        for (struct web_site **at = &l->sites; *at;) {
            struct web_site *site = *at;

            /* the site for everybody else stays: without it there is no TLS */
            if (!site->host[0] || !at_or_below(site->host, name)) {
                at = &site->next;
                continue;
            }
            *at = site->next;
            site_free(site);
        }
    }
}

/* ---- watchers ---- */

int dna_web_watch(struct dna_web *web, const char *host, dna_web_watch_fn fn, void *arg,
                  struct dna_diag *diag)
{
    struct web_watch *watch = calloc(1, sizeof *watch), **end;
    char name[WEB_HOST_LEN];

    web_host_lower(name, sizeof name, host);
    if (watch)
        watch->host = strdup(name);
    if (!watch || !watch->host) {
        free(watch);
        return no_memory(diag);
    }
    watch->fn = fn;
    watch->arg = arg;
    for (end = &web->watches; *end; end = &(*end)->next)
        ;
    *end = watch;
    return 0;
}

static void watch_free(struct web_watch *watch)
{
    free(watch->host);
    free(watch);
}

void dna_web_unwatch(struct dna_web *web, const char *host, dna_web_watch_fn fn, void *arg)
{
    char name[WEB_HOST_LEN];

    web_host_lower(name, sizeof name, host);
    for (struct web_watch **at = &web->watches; *at; at = &(*at)->next) {
        struct web_watch *watch = *at;

        if (watch->fn != fn || watch->arg != arg || strcmp(watch->host, name) != 0)
            continue;
        *at = watch->next;
        watch_free(watch);
        return;
    }
}

/* still_watching: an earlier watcher may have sent a later one away, arg and all. */
static bool still_watching(const struct dna_web *web, const struct web_watch *copy)
{
    for (const struct web_watch *watch = web->watches; watch; watch = watch->next) {
        if (watch->fn == copy->fn && watch->arg == copy->arg)
            return true;
    }
    return false;
}

void web_tell(struct web_conn *conn, struct dna_web_event event)
{
    struct dna_web *web = conn->web;
    struct web_watch *copies;
    struct timespec now;
    size_t num = 0;

    clock_gettime(CLOCK_MONOTONIC, &now);
    event.time_us = (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
    event.sni = conn->sni;
    event.host = event.host && event.host[0] ? event.host : conn->sni;
    event.method = event.method ? event.method : "";
    event.path = event.path ? event.path : "";
    event.reason = event.reason ? event.reason : "";
    event.alert = conn->alert;
    event.tls = conn->ssl != NULL;
    event.connection = conn->id;
    event.client = conn->client;
    event.port = conn->listener->port;
    for (const struct web_watch *watch = web->watches; watch; watch = watch->next)
        num += at_or_below(event.host, watch->host);
    copies = num ? calloc(num, sizeof *copies) : NULL;
    if (!copies)
        return;
    num = 0;
    for (const struct web_watch *watch = web->watches; watch; watch = watch->next) {
        if (at_or_below(event.host, watch->host))
            copies[num++] = *watch;
    }
    for (size_t i = 0; i < num; i++) {
        if (still_watching(web, &copies[i]))
            copies[i].fn(&event, copies[i].arg);
    }
    free(copies);
}

/* ---- listeners ---- */

static void on_accept(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *address,
                      int address_len, void *arg)
{
    struct dna_web_listener *listener = arg;
    struct sockaddr_in client = { .sin_family = AF_INET };
    int on = 1;

    (void)socket;
    if (listener->web->num_conns >= DNA_WEB_MAX_CONNECTIONS) {
        close(fd);
        return;
    }
    if (address_len >= (int)sizeof client)
        memcpy(&client, address, sizeof client);
    /* with Nagle's algorithm and delayed acknowledgements a reply takes 40 ms */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    web_conn_accept(listener, fd, &client);
}

static int open_socket(struct dna_web_listener *listener, const char *address, uint16_t port,
                       struct dna_diag *diag)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t len = sizeof name;

    if (inet_pton(AF_INET, address, &name.sin_addr) != 1)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "web: %s is not an IPv4 address", address);
    listener->socket = evconnlistener_new_bind(listener->web->base, on_accept, listener,
                                               LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
                                                   LEV_OPT_REUSEABLE,
                                               128, (struct sockaddr *)&name, sizeof name);
    if (!listener->socket ||
        getsockname(evconnlistener_get_fd(listener->socket), (struct sockaddr *)&name, &len))
        return dna_diag_set(diag, DNA_CLASS_HARD, "web: cannot listen on %s port %u: %s", address,
                            port, strerror(errno));
    listener->port = ntohs(name.sin_port);
    return 0;
}

static void listener_free(struct dna_web_listener *listener)
{
    struct web_conn *conn, *next;

    for (conn = listener->web->conns; conn; conn = next) {
        next = conn->next;
        if (conn->listener == listener)
            web_conn_free(conn);
    }
    if (listener->socket)
        evconnlistener_free(listener->socket);
    while (listener->sites) {
        struct web_site *site = listener->sites;

        listener->sites = site->next;
        site_free(site);
    }
    free(listener);
}

struct dna_web_listener *dna_web_listen(struct dna_web *web, const char *address, uint16_t port,
                                        struct dna_cert *cert, struct dna_diag *diag)
{
    struct dna_web_listener *listener = calloc(1, sizeof *listener);
    struct web_site *site = cert ? calloc(1, sizeof *site) : NULL;

    if (!listener || (cert && !site)) {
        free(listener);
        free(site);
        no_memory(diag);
        return NULL;
    }
    listener->web = web;
    listener->sites = site;
    if (site)
        site->cert = dna_cert_ref(cert);
    if (open_socket(listener, address, port, diag)) {
        listener_free(listener);
        return NULL;
    }
    listener->next = web->listeners;
    web->listeners = listener;
    return listener;
}

void dna_web_unlisten(struct dna_web_listener *listener)
{
    struct dna_web_listener **at = &listener->web->listeners;

    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    listener_free(listener);
}

uint16_t dna_web_listener_port(const struct dna_web_listener *listener)
{
    return listener->port;
}

/* ---- the whole ---- */

struct dna_web *dna_web_new(struct event_base *base, struct dna_diag *diag)
{
    struct dna_web *web = calloc(1, sizeof *web);

    if (web)
        web->tls = web_tls_context();
    if (!web || !web->tls) {
        free(web);
        dna_diag_set(diag, DNA_CLASS_HARD, "web: cannot make the server");
        return NULL;
    }
    web->base = base;
    web->idle_ms = IDLE_MS;
    return web;
}

void dna_web_free(struct dna_web *web)
{
    if (!web)
        return;
    while (web->listeners)
        dna_web_unlisten(web->listeners);
    dna_web_remove_tree(web, "");
    while (web->watches) {
        struct web_watch *watch = web->watches;

        web->watches = watch->next;
        watch_free(watch);
    }
    SSL_CTX_free(web->tls);
    free(web);
}

void dna_web_idle_set(struct dna_web *web, unsigned ms)
{
    web->idle_ms = ms ? ms : 1;
}

size_t dna_web_num_connections(const struct dna_web *web)
{
    return web->num_conns;
}

const char *dna_web_kind_name(enum dna_web_kind kind)
{
    switch (kind) {
    case DNA_WEB_HELLO:
        return "hello";
    case DNA_WEB_TLS_FAILED:
        return "tls-failed";
    case DNA_WEB_ASKED:
        return "asked";
    case DNA_WEB_BAD_REQUEST:
        return "bad-request";
    case DNA_WEB_LEFT:
        return "left";
    }
    return "?";
}
