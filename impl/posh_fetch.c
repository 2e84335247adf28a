/* SPDX-License-Identifier: MIT */
/* posh_fetch: see posh_fetch.h. libcurl names the sockets it waits for and the time it wants to be
 * woken at (sockets below); what it has finished is collected after each call, so that our
 * callbacks never run inside one of its own. Each request has a DNS cache of its own, filled with
 * the pinned addresses: the shared one would keep them for ever. */
#include "impl/posh_fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"
#include "impl/dns.h"
#include "impl/posh_url.h"

enum { MAX_ADDRESSES = 8, MAX_HEADERS = 65536 };

struct dna_posh_get {
    struct dna_posh_fetcher *fetcher;
    struct dna_posh_get *next, **link;
    dna_posh_got_cb cb;
    void *arg;
    struct dna_dns_query *query;
    struct event *later; /* tells of a failure that was there at once */
    CURL *easy;
    CURLSH *share;
    struct curl_slist *pins;
    char *url, host[256];
    uint16_t port;
    struct dna_buf body;
    size_t headers;
    bool oversize;
    char error[CURL_ERROR_SIZE], why[CURL_ERROR_SIZE + 300];
};
struct dna_posh_fetcher {
    struct dna_posh_fetcher_config config;
    char *ca_file, *ca_dir;
    CURLM *multi;
    struct event *timer;
    struct dna_posh_get *gets;
};

static void free_get(struct dna_posh_get *g)
{
    *g->link = g->next;
    if (g->next)
        g->next->link = g->link;
    if (g->query)
        dna_dns_cancel(g->query);
    if (g->later)
        event_free(g->later);
    if (g->easy) {
        (void)curl_multi_remove_handle(g->fetcher->multi, g->easy);
        curl_easy_cleanup(g->easy);
    }
    if (g->share)
        (void)curl_share_cleanup(g->share);
    curl_slist_free_all(g->pins);
    dna_buf_cleanup(&g->body);
    free(g->url);
    free(g);
}

/* The request is gone when its owner hears of it; what it says lives until the owner has heard. */
static void finish(struct dna_posh_get *g, long status, const char *location)
{
    dna_posh_got_cb cb = g->cb;
    void *arg = g->arg;
    char why[sizeof g->why];
    char *to = location ? dna_strdup(location) : NULL;
    struct dna_buf body = g->body;
    memcpy(why, g->why, sizeof why);
    g->body = (struct dna_buf)DNA_BUF_INIT;
    free_get(g);
    const struct dna_posh_got got = { status, to, body.at ? body.at : "", body.len, why };
    cb(arg, &got);
    dna_buf_cleanup(&body);
    free(to);
}

static void on_later(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    finish(arg, 0, NULL);
}

static void fail_later(struct dna_posh_get *g)
{
    g->later = event_new(g->fetcher->config.base, -1, 0, on_later, g);
    event_active(g->later, EV_TIMEOUT, 0);
}

static void complete(struct dna_posh_get *g, CURLcode code)
{
    long status = 0;
    char *location = NULL;
    if (code == CURLE_OK) {
        (void)curl_easy_getinfo(g->easy, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(g->easy, CURLINFO_REDIRECT_URL, &location);
        (void)snprintf(g->why, sizeof g->why, "HTTP status %ld from %s", status, g->host);
    } else if (g->oversize || code == CURLE_FILESIZE_EXCEEDED) {
        (void)snprintf(g->why, sizeof g->why, "the answer of %s is too large", g->host);
    } else {
        (void)snprintf(g->why, sizeof g->why, "%s: %s", g->host,
                       g->error[0] ? g->error : curl_easy_strerror(code));
    }
    finish(g, status, location);
}

static void collect(struct dna_posh_fetcher *f)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(f->multi, &left))) {
        struct dna_posh_get *g = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&g);
        complete(g, code);
    }
}

static void on_socket(int fd, short what, void *arg)
{
    struct dna_posh_fetcher *f = arg;
    int running;
    int mask = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    (void)curl_multi_socket_action(f->multi, fd, mask, &running);
    collect(f);
}

static void on_timer(int fd, short what, void *arg)
{
    struct dna_posh_fetcher *f = arg;
    int running;
    (void)fd;
    (void)what;
    (void)curl_multi_socket_action(f->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(f);
}

/* sockets: libcurl says which socket to watch for what; its event hangs on the socket. */
static int sockets(CURL *easy, curl_socket_t fd, int what, void *arg, void *own)
{
    struct dna_posh_fetcher *f = arg;
    struct event *event = own;
    (void)easy;
    if (event)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        int wanted = (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);
        event = event_new(f->config.base, fd, (short)(wanted | EV_PERSIST), on_socket, f);
        event_add(event, NULL);
    }
    (void)curl_multi_assign(f->multi, fd, event);
    return 0;
}

static int timers(CURLM *multi, long ms, void *arg)
{
    struct dna_posh_fetcher *f = arg;
    (void)multi;
    if (ms < 0) {
        event_del(f->timer);
    } else {
        struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
        event_add(f->timer, &tv);
    }
    return 0;
}

static size_t on_body(char *at, size_t size, size_t num, void *arg)
{
    struct dna_posh_get *g = arg;
    size_t len = size * num; /* libcurl bounds it */
    if (len > g->fetcher->config.max_body - g->body.len) {
        g->oversize = true;
        return 0;
    }
    dna_buf_add(&g->body, at, len);
    return len;
}

static size_t on_header(char *at, size_t size, size_t num, void *arg)
{
    struct dna_posh_get *g = arg;
    (void)at;
    g->headers += size * num;
    g->oversize |= g->headers > MAX_HEADERS;
    return g->oversize ? 0 : size * num;
}

static void add_address(struct dna_buf *pin, const struct sockaddr_storage *at)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (pin->at[pin->len - 1] != ':')
        dna_buf_puts(pin, ",");
    if (at->ss_family == AF_INET6) {
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)at)->sin6_addr, text, sizeof text);
        dna_buf_printf(pin, "[%s]", text);
    } else {
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)at)->sin_addr, text, sizeof text);
        dna_buf_puts(pin, text);
    }
}

/* An address as the host is connected to as it is; it needs no pin, and libcurl takes none. */
static void pin(struct dna_posh_get *g, const struct dna_dns_answer *a)
{
    struct sockaddr_storage ignored;
    struct dna_buf text = DNA_BUF_INIT;
    if (dna_dns_literal(g->host, &ignored))
        return;
    dna_buf_printf(&text, "%s:%u:", g->host, g->port);
    for (size_t i = 0; i < a->num_addr && i < MAX_ADDRESSES; i++)
        add_address(&text, &a->addr[i]);
    g->pins = curl_slist_append(NULL, text.at);
    dna_buf_cleanup(&text);
    if (!g->pins)
        abort();
}

/* Each option counts, so one that is refused stops the request. That HTTPS is not left is for
 * model/prooftype_posh.def to say, which is asked before each redirect. */
static bool set_limits(struct dna_posh_get *g)
{
    const struct dna_posh_fetcher_config *c = &g->fetcher->config;
    CURL *e = g->easy;
    return curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "https,http") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)c->max_body) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEDATA, g) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERDATA, g) == CURLE_OK;
}

/* libcurl comes with roots of its own: a file, and in Debian a folder too. Ours replace both. */
static bool set_trust(struct dna_posh_get *g)
{
    const struct dna_posh_fetcher *f = g->fetcher;
    CURL *e = g->easy;
    if ((f->ca_file || f->ca_dir) && (curl_easy_setopt(e, CURLOPT_CAINFO, f->ca_file) != CURLE_OK ||
                                      curl_easy_setopt(e, CURLOPT_CAPATH, f->ca_dir) != CURLE_OK))
        return false;
    return curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
}

static bool set_target(struct dna_posh_get *g)
{
    CURL *e = g->easy;
    return curl_share_setopt(g->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK &&
           curl_easy_setopt(e, CURLOPT_SHARE, g->share) == CURLE_OK &&
           (!g->pins || curl_easy_setopt(e, CURLOPT_RESOLVE, g->pins) == CURLE_OK) &&
           curl_easy_setopt(e, CURLOPT_PRIVATE, g) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_ERRORBUFFER, g->error) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_URL, g->url) == CURLE_OK;
}

static void on_addresses(void *arg, const struct dna_dns_answer *a)
{
    struct dna_posh_get *g = arg;
    g->query = NULL;
    if (a->class != DNA_DNS_RECORDS || a->num_addr == 0) {
        (void)snprintf(g->why, sizeof g->why, "no address of %s: %s", g->host, a->why);
        finish(g, 0, NULL);
        return;
    }
    g->easy = curl_easy_init();
    g->share = curl_share_init();
    if (!g->easy || !g->share)
        abort();
    pin(g, a);
    if (set_limits(g) && set_trust(g) && set_target(g) &&
        curl_multi_add_handle(g->fetcher->multi, g->easy) == CURLM_OK)
        return; /* the timer callback has been asked for: it starts there */
    (void)snprintf(g->why, sizeof g->why, "%s: the request could not be set up", g->host);
    finish(g, 0, NULL);
}

struct dna_posh_get *dna_posh_get(struct dna_posh_fetcher *f, const char *url, dna_posh_got_cb cb,
                                  void *arg)
{
    struct dna_posh_get *g = dna_calloc(1, sizeof *g);
    char why[100];
    g->fetcher = f;
    g->cb = cb;
    g->arg = arg;
    g->next = f->gets;
    g->link = &f->gets;
    if (g->next)
        g->next->link = &g->next;
    f->gets = g;
    if (dna_posh_url_split(url, g->host, &g->port, &g->url, why, sizeof why)) {
        g->query = dna_dns_addr(f->config.dns, g->host, on_addresses, g);
    } else {
        (void)snprintf(g->why, sizeof g->why, "the URL %s", why);
        fail_later(g);
    }
    return g;
}

void dna_posh_get_cancel(struct dna_posh_get *g)
{
    if (g)
        free_get(g);
}

struct dna_posh_fetcher *dna_posh_fetcher_new(const struct dna_posh_fetcher_config *config)
{
    struct dna_posh_fetcher *f = dna_calloc(1, sizeof *f);
    f->config = *config;
    f->ca_file = config->ca_file ? dna_strdup(config->ca_file) : NULL;
    f->ca_dir = config->ca_dir ? dna_strdup(config->ca_dir) : NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(f->multi = curl_multi_init()))
        abort();
    f->timer = event_new(config->base, -1, 0, on_timer, f);
    (void)curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, sockets);
    (void)curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
    (void)curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, timers);
    (void)curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
    return f;
}

void dna_posh_fetcher_free(struct dna_posh_fetcher *f)
{
    if (!f)
        return;
    while (f->gets)
        free_get(f->gets);
    (void)curl_multi_cleanup(f->multi);
    event_free(f->timer);
    free(f->ca_file);
    free(f->ca_dir);
    free(f);
    curl_global_cleanup();
}
