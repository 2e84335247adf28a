/* SPDX-License-Identifier: MIT */
/* conn: see conn.h. A plain bufferevent carries the socket; once TLS begins, an OpenSSL filter lies
 * on top. Owner calls may come from inside callbacks, so freeing waits for the outermost one
 * (busy), and whatever ends the connection is told from the loop (tick), never from inside an
 * owner's call. */
#include "impl/conn.h"
#include "impl/fault.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { READ_HIGH = 65536, EOF_FLUSH_MS = 1000 };
enum phase { OPENING, CLEAR, TLS_WANTED, HANDSHAKING, SECURED };

struct dna_conn {
    struct event_base *base;
    const struct dna_conn_handler *handler;
    void *arg;
    uint64_t id;
    struct bufferevent *plain, *top; /* top == plain until there is TLS */
    struct event *tick;              /* deadline of whatever is under way, or activated by hand */
    SSL *ssl;
    struct dna_xml_parser *xml;
    size_t max_bytes,
        piece; /* piece: bytes of the input that the running callback already stands for */
    enum phase phase;
    enum dna_conn_end end;
    uint32_t handshake_ms;
    bool accepts, paused, eof, peer_ended, xml_over, dropping, over, due, dead, muted;
    unsigned busy;
    const char *why;
    struct sockaddr_storage addr;
    socklen_t addr_len;
    char peer[INET6_ADDRSTRLEN + 10];
};

static void process(struct dna_conn *c);
static void begin_tls(struct dna_conn *c);
static void on_output(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg);

static void enter(struct dna_conn *c)
{
    c->busy++;
}

static void release(struct dna_conn *c)
{
    dna_xml_free(c->xml);
    evbuffer_remove_cb(bufferevent_get_output(c->plain), on_output, c);
    bufferevent_free(c->top); /* CLOSE_ON_FREE: a filter takes the plain one and the SSL with it */
    if (c->phase == TLS_WANTED)
        SSL_free(c->ssl);
    event_free(c->tick);
    free(c);
}

static void leave(struct dna_conn *c)
{
    if (--c->busy == 0 && c->dead)
        release(c);
}

void dna_conn_free(struct dna_conn *c)
{
    if (!c || c->dead)
        return;
    c->dead = true;
    if (c->busy == 0)
        release(c);
}

static void set_deadline(struct dna_conn *c, uint32_t ms)
{
    struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };
    event_add(c->tick, &tv);
}

static void clear_deadline(struct dna_conn *c)
{
    event_del(c->tick);
}

static void soon(struct dna_conn *c)
{
    c->due = true;
    event_active(c->tick, EV_TIMEOUT, 0);
}

static bool flushed(const struct dna_conn *c)
{
    return dna_conn_pending(c) == 0;
}

/* Ends the connection by the loop: flush first, bounded by ms. */
static void finish(struct dna_conn *c, enum dna_conn_end end, const char *why, uint32_t ms)
{
    if (c->dropping || c->over)
        return;
    c->dropping = true;
    c->end = end;
    c->why = why;
    if (c->top && end != DNA_CONN_EOF)
        bufferevent_disable(c->top, EV_READ);
    if (c->phase == SECURED && end != DNA_CONN_ERROR &&
        evbuffer_get_length(bufferevent_get_output(c->top)) == 0) {
        ERR_clear_error();
        (void)SSL_shutdown(c->ssl); /* close_notify, into the plain output */
    }
    if (c->phase == OPENING || flushed(c) || ms == 0)
        soon(c);
    else
        set_deadline(c, ms);
}

static void tell_closed(struct dna_conn *c)
{
    if (c->over)
        return;
    c->over = true;
    clear_deadline(c);
    bufferevent_disable(c->top, EV_READ | EV_WRITE);
    int fd = bufferevent_getfd(c->plain);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR);
    if (c->handler->closed)
        c->handler->closed(c->arg, c->end, c->why ? c->why : "");
}

/* on_tick: a deadline has passed, or soon() asked for a turn of the loop. */
static void on_tick(int fd, short what, void *arg)
{
    struct dna_conn *c = arg;
    (void)fd;
    (void)what;
    enter(c);
    bool by_hand = c->due;
    c->due = false;
    if (c->over)
        ;
    else if (c->dropping)
        tell_closed(c);
    else if (c->phase == TLS_WANTED && by_hand)
        begin_tls(c);
    else if (c->phase == OPENING) {
        c->dropping = true;
        c->end = DNA_CONN_REFUSED;
        if (!c->why)
            c->why = "connecting timed out";
        tell_closed(c);
    } else if ((c->phase == HANDSHAKING || c->phase == TLS_WANTED) && !by_hand) {
        if (c->handler->tls_failed)
            c->handler->tls_failed(c->arg, "handshake timed out");
    }
    leave(c);
}

/* Whenever the last byte has gone to the kernel, those who wait for that get their turn. */
static void on_output(struct evbuffer *out, const struct evbuffer_cb_info *info, void *arg)
{
    struct dna_conn *c = arg;
    if (info->n_deleted == 0 || evbuffer_get_length(out) != 0 || !flushed(c))
        return;
    if (c->dropping || c->phase == TLS_WANTED)
        soon(c);
}

static void parsed_header(void *arg, const struct dna_xml_node *header)
{
    struct dna_conn *c = arg;
    if (c->handler->header)
        c->handler->header(c->arg, header);
}

static void parsed_element(void *arg, const struct dna_xml_node *element)
{
    struct dna_conn *c = arg;
    if (c->handler->element)
        c->handler->element(c->arg, element);
}

static void parsed_end(void *arg)
{
    struct dna_conn *c = arg;
    c->peer_ended = true;
    if (c->handler->stream_end)
        c->handler->stream_end(c->arg);
}

static void parsed_error(void *arg, enum dna_xml_error why)
{
    struct dna_conn *c = arg;
    c->xml_over = true;
    if (c->handler->xml_error)
        c->handler->xml_error(c->arg, why);
}

static const struct dna_xml_handler xml_handler = { parsed_header, parsed_element, parsed_end,
                                                    parsed_error };

static bool parsing(const struct dna_conn *c)
{
    return !c->dead && !c->paused && !c->dropping && !c->over &&
           (c->phase == CLEAR || c->phase == SECURED);
}

static void process(struct dna_conn *c)
{
    enter(c);
    while (parsing(c)) {
        struct evbuffer *in = bufferevent_get_input(c->top);
        size_t len = evbuffer_get_contiguous_space(in);
        if (len == 0)
            break;
        const char *data = (const char *)evbuffer_pullup(in, (ev_ssize_t)len);
        if (c->peer_ended || c->xml_over) {
            evbuffer_drain(in, len); /* read on, lest a reset kill what we said last */
            continue;
        }
        const char *gt = memchr(data, '>', len);
        c->piece = gt ? (size_t)(gt - data) + 1 : len;
        if (!c->xml)
            c->xml = dna_xml_new(&xml_handler, c, c->max_bytes);
        size_t took = dna_xml_feed(c->xml, data, c->piece);
        c->piece = 0;
        evbuffer_drain(in, took);
    }
    if (parsing(c) && c->eof)
        finish(c, DNA_CONN_EOF, "peer closed the connection", EOF_FLUSH_MS);
    leave(c);
}

static void on_read(struct bufferevent *b, void *arg)
{
    (void)b;
    process(arg);
}

static void tls_is_up(struct dna_conn *c)
{
    clear_deadline(c);
    c->phase = SECURED;
    bufferevent_openssl_set_allow_dirty_shutdown(c->top, 1);
    if (c->handler->tls_up)
        c->handler->tls_up(c->arg);
}

static void tls_is_broken(struct dna_conn *c)
{
    char why[200] = "connection closed in the handshake";
    unsigned long e = bufferevent_get_openssl_error(c->top);
    clear_deadline(c);
    if (e)
        ERR_error_string_n(e, why, sizeof why);
    if (c->handler->tls_failed)
        c->handler->tls_failed(c->arg, why);
}

static void is_connected(struct dna_conn *c)
{
    int one = 1, fd = bufferevent_getfd(c->plain);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    clear_deadline(c);
    c->phase = CLEAR;
    if (c->handler->connected)
        c->handler->connected(c->arg);
}

static void on_event(struct bufferevent *b, short what, void *arg)
{
    struct dna_conn *c = arg;
    (void)b;
    int failed = errno;
    enter(c);
    if (c->dead || c->over) {
        leave(c);
        return;
    }
    if ((what & BEV_EVENT_CONNECTED) && c->dropping)
        ; /* too late: its end is under way, and on_tick is due for that alone */
    else if ((what & BEV_EVENT_CONNECTED) && c->phase == OPENING)
        is_connected(c);
    else if ((what & BEV_EVENT_CONNECTED) && c->phase == HANDSHAKING)
        tls_is_up(c);
    else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
        if (c->phase == OPENING) {
            c->why = strerror(failed);
            soon(c);
        } else if (c->phase == HANDSHAKING && !c->dropping)
            tls_is_broken(c);
        else if (c->dropping || (what & BEV_EVENT_ERROR)) {
            finish(c, DNA_CONN_ERROR, "connection was reset", 0);
            soon(c);
        } else {
            c->eof = true;
            process(c);
        }
    }
    leave(c);
}

static void set_peer(struct dna_conn *c, const struct sockaddr *addr, socklen_t len)
{
    char host[INET6_ADDRSTRLEN] = "?";
    unsigned port = 0;
    memcpy(&c->addr, addr, len);
    c->addr_len = len;
    if (addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)addr;
        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        port = ntohs(in->sin_port);
    } else if (addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)addr;
        (void)inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
        port = ntohs(in->sin6_port);
    }
    (void)snprintf(c->peer, sizeof c->peer, "%s:%u", host, port);
}

static struct dna_conn *make(struct event_base *base, int fd,
                             const struct dna_conn_handler *handler, void *arg)
{
    static uint64_t next_id = 1;
    struct dna_conn *c = dna_calloc(1, sizeof *c);
    c->base = base;
    c->handler = handler;
    c->arg = arg;
    c->id = next_id++;
    c->max_bytes = 16384;
    c->tick = event_new(base, -1, 0, on_tick, c);
    c->plain = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!c->tick || !c->plain)
        abort();
    c->top = c->plain;
    bufferevent_setcb(c->plain, on_read, NULL, on_event, c);
    bufferevent_setwatermark(c->plain, EV_READ, 0, READ_HIGH);
    evbuffer_add_cb(bufferevent_get_output(c->plain), on_output, c);
    return c;
}

struct dna_conn *dna_conn_connect(struct event_base *base, const struct sockaddr *addr,
                                  socklen_t addr_len, const struct sockaddr *local,
                                  socklen_t local_len, uint32_t timeout_ms,
                                  const struct dna_conn_handler *handler, void *arg)
{
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct dna_conn *c = make(base, fd, handler, arg);
    set_peer(c, addr, addr_len);
    c->phase = OPENING;
    if (fd < 0 || (local && bind(fd, local, local_len) != 0)) {
        c->why = strerror(errno);
        soon(c);
        return c;
    }
    set_deadline(c, timeout_ms);
    bufferevent_enable(c->plain, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(c->plain, addr, (int)addr_len) != 0) {
        c->why = strerror(errno);
        soon(c);
    }
    return c;
}

struct dna_conn *dna_conn_accept(struct event_base *base, int fd,
                                 const struct dna_conn_handler *handler, void *arg)
{
    int one = 1;
    struct sockaddr_storage peer = { 0 };
    socklen_t len = sizeof peer;
    (void)evutil_make_socket_nonblocking(fd);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct dna_conn *c = make(base, fd, handler, arg);
    if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
        set_peer(c, (const struct sockaddr *)&peer, len);
    c->phase = CLEAR;
    bufferevent_enable(c->plain, EV_READ | EV_WRITE);
    return c;
}

void dna_conn_set_handler(struct dna_conn *c, const struct dna_conn_handler *handler, void *arg)
{
    c->handler = handler;
    c->arg = arg;
}

uint64_t dna_conn_id(const struct dna_conn *c)
{
    return c->id;
}

const char *dna_conn_peer(const struct dna_conn *c)
{
    return c->peer;
}

const struct sockaddr *dna_conn_addr(const struct dna_conn *c, socklen_t *len)
{
    *len = c->addr_len;
    return (const struct sockaddr *)&c->addr;
}

SSL *dna_conn_ssl(const struct dna_conn *c)
{
    return c->ssl;
}

bool dna_conn_secured(const struct dna_conn *c)
{
    return c->phase == SECURED;
}

void dna_conn_send(struct dna_conn *c, const char *data, size_t len)
{
    bool handshake = c->phase == TLS_WANTED || c->phase == HANDSHAKING;
    if (!c->dead && !c->over && !c->dropping && !c->muted && !handshake)
        (void)bufferevent_write(c->top, data, len);
}

void dna_conn_puts(struct dna_conn *c, const char *text)
{
    dna_conn_send(c, text, strlen(text));
}

size_t dna_conn_pending(const struct dna_conn *c)
{
    size_t n = evbuffer_get_length(bufferevent_get_output(c->plain));
    return c->top == c->plain ? n : n + evbuffer_get_length(bufferevent_get_output(c->top));
}

void dna_conn_restart_xml(struct dna_conn *c, size_t max_bytes)
{
    dna_xml_free(c->xml);
    c->xml = NULL;
    c->max_bytes = max_bytes;
    c->xml_over = false;
}

void dna_conn_limit(struct dna_conn *c, size_t max_bytes)
{
    c->max_bytes = max_bytes;
    if (c->xml)
        dna_xml_limit(c->xml, max_bytes);
}

bool dna_conn_clear_trailing(const struct dna_conn *c)
{
    int waiting = 0, fd = bufferevent_getfd(c->plain);
    if (dna_fault(DNA_FAULT_clear_text_behind_starttls) ||
        dna_fault(DNA_FAULT_clear_text_behind_proceed))
        return false;
    if (evbuffer_get_length(bufferevent_get_input(c->plain)) > c->piece)
        return true;
    return fd >= 0 && ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

void dna_conn_start_tls(struct dna_conn *c, SSL *ssl, bool accept, uint32_t timeout_ms)
{
    if (c->dead || c->over || c->dropping || c->phase != CLEAR) {
        SSL_free(ssl);
        return;
    }
    c->ssl = ssl;
    c->accepts = accept;
    c->handshake_ms = timeout_ms;
    c->phase = TLS_WANTED;
    bufferevent_disable(c->plain, EV_READ);
    if (timeout_ms)
        set_deadline(c, timeout_ms);
    if (flushed(c))
        soon(c);
}

/* A planted fault: what lies in the input is read as if the handshake had been made. */
static void pretend_tls(struct dna_conn *c)
{
    SSL_free(c->ssl);
    c->ssl = NULL;
    dna_xml_free(c->xml);
    c->xml = NULL;
    c->phase = CLEAR;
    if (c->handler->tls_up)
        c->handler->tls_up(c->arg);
    bufferevent_enable(c->plain, EV_READ);
    bufferevent_trigger(c->plain, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static void begin_tls(struct dna_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->plain);
    if (dna_fault(c->accepts ? DNA_FAULT_clear_text_behind_starttls
                             : DNA_FAULT_clear_text_behind_proceed) &&
        evbuffer_get_length(in) > 0) {
        pretend_tls(c);
        return;
    }
    enum bufferevent_ssl_state role =
        c->accepts ? BUFFEREVENT_SSL_ACCEPTING : BUFFEREVENT_SSL_CONNECTING;
    evbuffer_drain(in, evbuffer_get_length(in));
    dna_xml_free(c->xml);
    c->xml = NULL;
    c->phase = HANDSHAKING;
    if (c->handshake_ms)
        set_deadline(c, c->handshake_ms);
    bufferevent_setwatermark(c->plain, EV_READ, 0, 0);
    struct bufferevent *filter = bufferevent_openssl_filter_new(
        c->base, c->plain, c->ssl, role, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!filter)
        abort();
    c->top = filter;
    bufferevent_setcb(filter, on_read, NULL, on_event, c);
    bufferevent_enable(c->plain, EV_READ | EV_WRITE);
    bufferevent_enable(filter, EV_READ | EV_WRITE);
}

void dna_conn_pause(struct dna_conn *c)
{
    c->paused = true;
    if (!c->over && c->phase != HANDSHAKING && c->phase != TLS_WANTED)
        bufferevent_disable(c->top, EV_READ);
}

void dna_conn_resume(struct dna_conn *c)
{
    if (!c->paused)
        return;
    c->paused = false;
    if (c->over || c->dropping || c->phase == TLS_WANTED)
        return;
    bufferevent_enable(c->top, EV_READ);
    bufferevent_trigger(c->top, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void dna_conn_close(struct dna_conn *c)
{
    dna_conn_puts(c, "</stream:stream>");
    c->muted = true; /* RFC 6120 4.4: nothing follows it */
}

void dna_conn_drop(struct dna_conn *c, uint32_t wait_ms)
{
    if (c->dead || c->over)
        return;
    finish(c, DNA_CONN_CLOSED, "we closed the connection", wait_ms);
}
