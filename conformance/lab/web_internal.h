/* SPDX-License-Identifier: MIT */
/*
 * The web server's inside: pages and watchers (web.c), requests (web_request.c), replies
 * (web_reply.c), connections and their TLS (web_conn.c, web_tls.c). Private to the lab.
 */
#ifndef DNA_LAB_WEB_INTERNAL_H
#define DNA_LAB_WEB_INTERNAL_H

#include "conformance/lab/web.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#define WEB_HOST_LEN 256u

/* web_page is a page ready to be sent; counted by reference, as a reply may outlive its place. */
struct web_page {
    struct web_page *next;
    unsigned refs;
    char *host, *path;
    int status;
    enum dna_web_manner manner;
    char *head;         /* status line and header lines, without the empty one */
    unsigned char *body;
    size_t end;         /* how much of the body is sent */
    unsigned interval_ms;
    size_t slow_len;
    uint64_t filler_len; /* UINT64_MAX is as good as no end */
};

struct web_watch {
    struct web_watch *next;
    char *host;
    dna_web_watch_fn fn;
    void *arg;
};

/* web_site is what a listener shows to one SNI name. */
struct web_site {
    struct web_site *next;
    char host[WEB_HOST_LEN];
    struct dna_cert *cert;
    enum dna_web_tls_manner manner;
};

struct dna_web_listener {
    struct dna_web_listener *next;
    struct dna_web *web;
    struct evconnlistener *socket;
    struct web_site *sites; /* NULL = plain HTTP */
    uint16_t port;
};

struct dna_web {
    struct event_base *base;
    SSL_CTX *tls; /* without certificates: each handshake is given those of its site */
    struct dna_web_listener *listeners;
    struct web_page *pages;
    struct web_watch *watches;
    struct web_conn *conns;
    size_t num_conns;
    uint64_t last_connection;
    unsigned idle_ms;
};

/* web_request is one request, as far as it could be read. */
struct web_request {
    char method[16];
    char *path;               /* owned; "" is NULL */
    char host[WEB_HOST_LEN];  /* lower case, without port */
    bool close;               /* the client wants no further request on this connection */
    int refusal;              /* 0, or the status to refuse it with */
    const char *reason;       /* of the refusal */
};

enum web_state {
    WEB_SHAKING,   /* TLS is on its way up */
    WEB_READING,   /* waiting for a request, or for its rest */
    WEB_REPLYING,  /* what comes waits */
    WEB_DEAF,      /* silent by order */
    WEB_HOLDING,   /* the reply waits for its page */
    WEB_LINGERING, /* our side is ended; what comes is thrown away, so that no reset overtakes us */
};

/* web_conn is one connection. Callbacks only mark it as doomed; the outermost one frees it. */
struct web_conn {
    struct web_conn *next, **link;
    struct dna_web *web;
    struct dna_web_listener *listener;
    struct bufferevent *stream;
    struct event *timer;
    enum web_state state;
    bool doomed;
    bool closing;               /* our side ends once everything is written */
    bool peer_ended;            /* nothing more will come */
    /* TLS over two memory BIOs, which ssl owns; NULL for plain HTTP */
    SSL *ssl;
    BIO *from_peer, *to_peer;
    bool mute;                  /* nothing of what TLS wants to say goes out */
    bool hello_told;
    bool refused;               /* we refused the handshake, by order */
    char sni[WEB_HOST_LEN];
    int alert;                  /* the client's fatal one, or -1 */
    /* HTTP */
    struct evbuffer *in;        /* in clear, at most DNA_WEB_MAX_HEAD and a record */
    unsigned num_requests;
    struct web_page *page;      /* being sent, or (HOLDING) in the place of the one to be sent */
    size_t at;                  /* bytes of its body sent */
    uint64_t filler_at;
    bool last_chunk;            /* all was sent, the end of chunks too */
    bool keep;                  /* another request may follow */
    uint64_t id;
    struct sockaddr_in client;
};

/* web.c */
void web_host_lower(char *out, size_t out_len, const char *host);
struct web_page *web_page_find(const struct dna_web *web, const char *host, const char *path);
const struct web_site *web_site_find(const struct dna_web_listener *listener, const char *host);
/* web_tell completes an event (connection, client, port, time, SNI) and calls who watches. */
void web_tell(struct web_conn *conn, struct dna_web_event event);

/* web_request.c: what is in the head of len bytes (its empty line included). */
void web_request_read(struct web_request *out, const char *head, size_t len);
void web_request_cleanup(struct web_request *request);

/* web_reply.c */
struct web_page *web_page_new(const struct dna_web_page *page, struct dna_diag *diag);
void web_page_unref(struct web_page *page);
/* web_reply_start takes over the reference to page. */
void web_reply_start(struct web_conn *conn, struct web_page *page, bool keep);
/* web_reply_more goes on when all of the last part is written. */
void web_reply_more(struct web_conn *conn);
/* web_reply_tick goes on when the timer has come; false = it wasn't the reply's own. */
bool web_reply_tick(struct web_conn *conn);

/* web_conn.c */
void web_conn_accept(struct dna_web_listener *listener, int fd, const struct sockaddr_in *client);
void web_conn_free(struct web_conn *conn);
void web_conn_write(struct web_conn *conn, const void *bytes, size_t len);
void web_conn_timer(struct web_conn *conn, unsigned ms); /* 0 = no timer */
/* web_conns_answer answers those that wait for a held page; NULL: nothing is there. */
void web_conns_answer(struct dna_web *web, const struct web_page *held, struct web_page *with);
/* web_conn_close ends the connection after what is to be written; clean with close_notify. */
void web_conn_close(struct web_conn *conn, bool clean);

/* web_tls.c */
SSL_CTX *web_tls_context(void);
int web_tls_start(struct web_conn *conn);
/* web_tls_read moves what came through TLS into conn->in; false = no more will come, for reason. */
bool web_tls_read(struct web_conn *conn, const char **reason);
void web_tls_write(struct web_conn *conn, const void *bytes, size_t len);
void web_tls_end(struct web_conn *conn);

#endif
