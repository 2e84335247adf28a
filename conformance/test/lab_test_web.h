/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the lab's web server share: one server with one listener, its events in a list,
 * and turning the loop while others talk to it.
 */
#ifndef DNA_LAB_TEST_WEB_H
#define DNA_LAB_TEST_WEB_H

#include "conformance/test/lab_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/lab/web.h"

#define ADDRESS "127.0.0.1"
#define HOST "a.example"
#define PATH "/.well-known/posh/xmpp-server.json"
#define BODY "{\"fingerprints\":[],\"expires\":60}"

enum { MAX_SEEN = 32 };

/* seen is a copy of an event. */
struct seen {
    enum dna_web_kind kind;
    char host[64], path[64], method[16], sni[64], reason[128];
    int alert, status;
    bool tls;
    uint64_t connection, time_us;
    uint16_t client_port;
};

static struct event_base *base;
static struct dna_web *web;
static struct dna_web_listener *listener;
static struct dna_ca *ca;
static struct dna_diag diag;
static struct seen seen[MAX_SEEN];
static unsigned num_seen;

static inline void on_event(const struct dna_web_event *event, void *arg)
{
    struct seen *s = &seen[num_seen];

    (void)arg;
    if (num_seen == MAX_SEEN)
        return;
    num_seen++;
    *s = (struct seen){ .kind = event->kind, .alert = event->alert, .status = event->status,
                        .tls = event->tls, .connection = event->connection,
                        .time_us = event->time_us,
                        .client_port = ntohs(event->client.sin_port) };
    snprintf(s->host, sizeof s->host, "%s", event->host);
    snprintf(s->path, sizeof s->path, "%s", event->path);
    snprintf(s->method, sizeof s->method, "%s", event->method);
    snprintf(s->sni, sizeof s->sni, "%s", event->sni);
    snprintf(s->reason, sizeof s->reason, "%s", event->reason);
}

/* last_seen is the last event of a kind, an empty one if there was none. */
static inline struct seen last_seen(enum dna_web_kind kind)
{
    for (unsigned i = num_seen; i-- > 0;) {
        if (seen[i].kind == kind)
            return seen[i];
    }
    return (struct seen){ .kind = kind, .alert = -2, .status = -2 };
}

static inline unsigned count_seen(enum dna_web_kind kind)
{
    unsigned num = 0;

    for (unsigned i = 0; i < num_seen; i++)
        num += seen[i].kind == kind;
    return num;
}

static inline struct dna_cert *mint(const char *spec)
{
    struct dna_cert_spec parsed;
    struct dna_cert *cert;

    CU_ASSERT_EQUAL_FATAL(dna_cert_spec_parse(spec, &parsed, &diag), 0);
    cert = dna_ca_mint(ca, &parsed, NULL, NULL, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cert);
    return cert;
}

/* open_web serves with a certificate, or in plain HTTP if spec is NULL. */
static inline void open_web(const char *spec)
{
    struct dna_cert *cert;

    num_seen = 0;
    base = event_base_new();
    ca = dna_ca_new(&diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ca);
    cert = spec ? mint(spec) : NULL;
    web = dna_web_new(base, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(web);
    listener = dna_web_listen(web, ADDRESS, 0, cert, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(listener);
    dna_cert_unref(cert);
    CU_ASSERT_EQUAL(dna_web_watch(web, "", on_event, NULL, &diag), 0);
}

static inline void close_web(void)
{
    dna_web_free(web);
    dna_ca_free(ca);
    event_base_free(base);
}

static inline void put(const char *host, const char *path, struct dna_web_page page)
{
    if (!page.body && !page.body_len) {
        page.body = BODY;
        page.body_len = strlen(BODY);
    }
    CU_ASSERT_EQUAL(dna_web_page_set(web, host, path, &page, &diag), 0);
}

static inline void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

/* readable turns the loop until there is something to read, or its end. */
static inline bool readable(int fd, int seconds)
{
    bool done = false;
    struct event *event = event_new(base, fd, EV_READ, on_readable, &done);
    bool result;

    event_add(event, NULL);
    result = lab_run_until(base, &done, seconds);
    event_free(event);
    return result;
}

/* idle turns the loop until the server has no connection left. */
static inline bool idle(int seconds)
{
    struct timeval deadline = { .tv_sec = seconds };
    bool late = false;
    struct event *timer = evtimer_new(base, lab_timed_out, &late);

    evtimer_add(timer, &deadline);
    while (dna_web_num_connections(web) && !late)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(timer);
    return !late;
}

static inline bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

#endif
