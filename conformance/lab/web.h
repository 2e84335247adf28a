/* SPDX-License-Identifier: MIT */
/*
 * The lab's web server: HTTPS (and plain HTTP, to see that nobody asks over it) inside the harness,
 * on its event loop, for the documents of POSH (RFC 7711). It owns every byte of its replies, so it
 * can misbehave by order, and it reports what clients do as events.
 *
 *   IUT> ClientHello a.c0042.example   WEB> certificate   IUT> GET /.well-known/posh/...   WEB> 200
 *
 * Hosts are compared in lower case and without port, paths byte by byte with their query. What
 * nobody put there is 404. Only GET is answered; the rest is refused and reported. The dna_web owns
 * its listeners, pages and watchers, and holds a reference to each certificate.
 */
#ifndef DNA_LAB_WEB_H
#define DNA_LAB_WEB_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include "conformance/lab/ca.h"
#include "conformance/lab/diag.h"

struct dna_web;
struct dna_web_listener;

/* Limits of what a client may ask; beyond them it is refused with 431, or not served at all. */
#define DNA_WEB_MAX_HEAD 8192u        /* bytes of request line and header lines */
#define DNA_WEB_MAX_FIELDS 64u        /* header lines */
#define DNA_WEB_MAX_CONNECTIONS 1024u /* of one dna_web; more are closed at once */

/* Manners of a page: how it is answered. All but SLOW keep the pace of the client. */
enum dna_web_manner {
    DNA_WEB_NORMAL,    /* with Content-Length, and the connection is kept */
    DNA_WEB_CHUNKED,   /* in small chunks */
    DNA_WEB_NO_LENGTH, /* neither length nor chunks: the end of the connection ends the body */
    DNA_WEB_SLOW,      /* the head at once, then slow_len bytes of the body every interval_ms */
    DNA_WEB_TRUNCATED, /* Content-Length promises the body, sent_len bytes come, then TCP ends
                          without close_notify */
    DNA_WEB_ENDLESS,   /* chunked: the body, then filler_len blanks (which JSON permits) */
    DNA_WEB_RAW,       /* the body is the whole reply, status line and all; then it closes */
    DNA_WEB_CLOSE,     /* closes in the place of a reply */
    DNA_WEB_SILENT,    /* never answers; the connection stays until the client ends it */
    DNA_WEB_HELD,      /* answers with the page that comes in its place (or with 404, if none does:
                          dna_web_page_remove), once it does */
};

/*
 * dna_web_page is what a path holds; everything in it is copied. Zero is an empty NORMAL 200.
 */
struct dna_web_page {
    int status;               /* 200 to 599; 0 = 200, for RAW: what events shall say */
    const char *content_type; /* NULL = application/json */
    const void *body;         /* any bytes */
    size_t body_len;
    const char *location;     /* of a redirect; NULL = no such header line */
    const char *headers;      /* further header lines, each with its CRLF; NULL = one that keeps
                                 the reply out of HTTP caches (RFC 7711 section 6) */
    enum dna_web_manner manner;
    unsigned interval_ms;     /* SLOW: at least 1 */
    size_t slow_len;          /* SLOW; 0 = a byte */
    size_t sent_len;          /* TRUNCATED: less than body_len */
    uint64_t filler_len;      /* ENDLESS: 0 = until the client has had enough */
};

/* Manners of a TLS handshake. */
enum dna_web_tls_manner {
    DNA_WEB_TLS_NORMAL,
    DNA_WEB_TLS_SILENT,  /* reads the ClientHello and never says a byte */
    DNA_WEB_TLS_REFUSED, /* the fatal alert handshake_failure */
};

enum dna_web_kind {
    DNA_WEB_HELLO,       /* a ClientHello came; no certificate was shown yet */
    DNA_WEB_TLS_FAILED,  /* the handshake didn't end well: alert and reason say how */
    DNA_WEB_ASKED,       /* a request, about to be answered */
    DNA_WEB_BAD_REQUEST, /* what came is no request that we answer; reason says why */
    DNA_WEB_LEFT,        /* the connection was up (with TLS) and ended without any request: what
                            clients do which judge the certificate after the handshake */
};

/* dna_web_event is something a client did; its strings live only during the callback. */
struct dna_web_event {
    enum dna_web_kind kind;
    const char *host;          /* of the request; the SNI before there is one; "" if neither */
    const char *method;        /* "GET"; "" but for ASKED and for BAD_REQUESTs that have one */
    const char *path;          /* with its query; likewise */
    const char *sni;           /* lower case; "" = none */
    const char *reason;        /* TLS_FAILED, BAD_REQUEST, LEFT: in words; else "" */
    int alert;                 /* number of the client's TLS alert (48 is unknown_ca), or -1 */
    int status;                /* what it is answered with, 0 = nothing */
    bool tls;
    uint64_t connection;       /* the same for requests over one connection; never 0 */
    struct sockaddr_in client;
    uint16_t port;             /* the listener's */
    uint64_t time_us;          /* CLOCK_MONOTONIC */
};

typedef void (*dna_web_watch_fn)(const struct dna_web_event *event, void *arg);

/* dna_web_new makes a server that listens nowhere yet. NULL on failure, with diag. */
struct dna_web *dna_web_new(struct event_base *base, struct dna_diag *diag) DNA_CHECKED;

/* dna_web_free ends all connections at once. Never from a watcher. */
void dna_web_free(struct dna_web *web);

/* dna_web_idle_set says how many ms a connection may rest (30,000 if nobody says; 1 or more). */
void dna_web_idle_set(struct dna_web *web, unsigned ms);

/*
 * dna_web_listen binds address:port (port 0 = any free one). With cert it speaks TLS and shows it,
 * its chain included, to whoever asks for no other site; with NULL it speaks plain HTTP. NULL on
 * failure, with diag.
 */
struct dna_web_listener *dna_web_listen(struct dna_web *web, const char *address, uint16_t port,
                                        struct dna_cert *cert, struct dna_diag *diag) DNA_CHECKED;
uint16_t dna_web_listener_port(const struct dna_web_listener *listener);

/* dna_web_unlisten ends a listener and its connections. Never from a watcher. */
void dna_web_unlisten(struct dna_web_listener *listener);

/*
 * dna_web_site_set chooses certificate and manner of the handshake for an SNI name, from the next
 * ClientHello on; "" is the site for other names and for none. Class USAGE for a plain listener.
 */
int dna_web_site_set(struct dna_web_listener *listener, const char *host, struct dna_cert *cert,
                     enum dna_web_tls_manner manner, struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_web_page_set puts a page at a path of a host, in the place of what was there; replies under
 * way go on with what they began with, and whoever waits for a HELD one is answered. Not from a
 * watcher that a request for a HELD page has called. Class USAGE for a page that can't be sent. A
 * page is the same over TLS and without, on all listeners. dna_web_page_remove: nothing there is
 * no error.
 */
int dna_web_page_set(struct dna_web *web, const char *host, const char *path,
                     const struct dna_web_page *page, struct dna_diag *diag) DNA_CHECKED;
void dna_web_page_remove(struct dna_web *web, const char *host, const char *path);

/* dna_web_remove_tree removes the pages and sites of a host and of all hosts below it. */
void dna_web_remove_tree(struct dna_web *web, const char *host);

/*
 * dna_web_watch calls fn for each event of a host at or below the given one ("" = all), before a
 * reply is sent. Several watchers are called in order of their coming; a watcher may change pages,
 * sites and watchers. dna_web_unwatch removes the watcher with that host, fn and arg.
 */
int dna_web_watch(struct dna_web *web, const char *host, dna_web_watch_fn fn, void *arg,
                  struct dna_diag *diag) DNA_CHECKED;
void dna_web_unwatch(struct dna_web *web, const char *host, dna_web_watch_fn fn, void *arg);

/* dna_web_num_connections is how many connections are open. */
size_t dna_web_num_connections(const struct dna_web *web);

/* dna_web_kind_name is a word for reports: "hello", "tls-failed", "asked", ... */
const char *dna_web_kind_name(enum dna_web_kind kind);

#endif
