/* SPDX-License-Identifier: MIT */
/*
 * A connection of the web server: bytes in, requests out of them one after the other, the end.
 * Memory is bounded: a head's worth of clear text, a watermark of bytes before TLS, a part of a
 * reply.
 */
#include "conformance/lab/web_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_UNREAD 32768u
#define LINGER_MS 2000u

static void conn_end(struct web_conn *conn)
{
    conn->doomed = true;
}

/* settle ends each callback of libevent. */
static void settle(struct web_conn *conn)
{
    if (conn->doomed)
        web_conn_free(conn);
}

void web_conn_timer(struct web_conn *conn, unsigned ms)
{
    struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };

    if (ms)
        event_add(conn->timer, &wait);
    else
        event_del(conn->timer);
}

void web_conn_write(struct web_conn *conn, const void *bytes, size_t len)
{
    if (conn->ssl)
        web_tls_write(conn, bytes, len);
    else
        bufferevent_write(conn->stream, bytes, len);
}

/* end_our_side leaves the other to the client for a while: a close with bytes unread is a reset. */
static void end_our_side(struct web_conn *conn)
{
    conn->closing = false;
    shutdown(bufferevent_getfd(conn->stream), SHUT_WR);
    if (conn->peer_ended)
        conn_end(conn);
    else
        web_conn_timer(conn, LINGER_MS);
}

void web_conn_close(struct web_conn *conn, bool clean)
{
    if (conn->state == WEB_LINGERING)
        return;
    if (conn->ssl && clean)
        web_tls_end(conn);
    conn->state = WEB_LINGERING;
    conn->closing = true;
    web_conn_timer(conn, conn->web->idle_ms);
    if (evbuffer_get_length(bufferevent_get_output(conn->stream)) == 0)
        end_our_side(conn);
}

/* ---- requests ---- */

/* simple_page is what the server answers on its own account. */
static struct web_page *simple_page(int status, const char *text, bool with_body)
{
    struct dna_web_page page = {
        .status = status,
        .content_type = "text/plain",
        .body = text,
        .body_len = with_body ? strlen(text) : 0,
        .headers = status == 405 ? "Allow: GET\r\n" : NULL,
    };

    return web_page_new(&page, NULL);
}

static void answer(struct web_conn *conn, const struct web_request *request)
{
    struct dna_web_event event = { .kind = request->refusal ? DNA_WEB_BAD_REQUEST : DNA_WEB_ASKED,
                                   .host = request->host, .method = request->method,
                                   .path = request->path, .reason = request->reason };
    struct web_page *page = NULL;

    conn->num_requests++;
    if (request->refusal) {
        page = simple_page(request->refusal, request->reason,
                           strcmp(request->method, "HEAD") != 0);
    } else {
        page = web_page_find(conn->web, request->host, request->path);
        if (page)
            page->refs++;
        else
            page = simple_page(404, "nothing is here", true);
    }
    if (!page) {
        conn_end(conn);
        return;
    }
    event.status = page->manner == DNA_WEB_CLOSE || page->manner == DNA_WEB_SILENT ||
                           page->manner == DNA_WEB_HELD
                       ? 0
                       : page->status;
    web_tell(conn, event);
    web_reply_start(conn, page, !request->close && !request->refusal && !conn->peer_ended);
}

void web_conns_answer(struct dna_web *web, const struct web_page *held, struct web_page *with)
{
    for (struct web_conn *conn = web->conns, *next; conn; conn = next) {
        struct web_page *page = with;

        next = conn->next;
        if (conn->state != WEB_HOLDING || conn->page != held)
            continue;
        if (page)
            page->refs++;
        else
            page = simple_page(404, "nothing is here", true);
        web_page_unref(conn->page);
        conn->page = NULL;
        if (page)
            web_reply_start(conn, page, conn->keep && !conn->peer_ended);
        else
            conn_end(conn);
        settle(conn);
    }
}

/* serve answers the next request if its head is complete. */
static void serve(struct web_conn *conn)
{
    struct evbuffer_ptr end = evbuffer_search(conn->in, "\r\n\r\n", 4, NULL);
    size_t len = end.pos < 0 ? evbuffer_get_length(conn->in) : (size_t)end.pos + 4;
    struct web_request request = { 0 };

    if (len > DNA_WEB_MAX_HEAD) {
        request.refusal = 431;
        request.reason = "the head of the request is too long";
    } else if (end.pos < 0) {
        return;
    } else {
        web_request_read(&request, (const char *)evbuffer_pullup(conn->in, (ev_ssize_t)len), len);
        if (!request.path && !request.refusal) {
            request.refusal = 500;
            request.reason = "out of memory";
        }
    }
    evbuffer_drain(conn->in, len);
    answer(conn, &request);
    web_request_cleanup(&request);
}

/* ---- what comes ---- */

/* ended: the client did away with the connection, or with TLS on it. */
static void ended(struct web_conn *conn, const char *reason)
{
    switch (conn->state) {
    case WEB_SHAKING:
        web_tell(conn, (struct dna_web_event){ .kind = DNA_WEB_TLS_FAILED, .reason = reason });
        web_conn_close(conn, false); /* what TLS says to it, an alert, still goes out */
        break;
    case WEB_READING:
        if (evbuffer_get_length(conn->in))
            reason = "the client left in the middle of a request";
        if (conn->num_requests == 0)
            web_tell(conn, (struct dna_web_event){ .kind = DNA_WEB_LEFT, .reason = reason });
        web_conn_close(conn, true);
        break;
    case WEB_REPLYING:
        conn->keep = false;
        break;
    case WEB_DEAF:
    case WEB_HOLDING:
    case WEB_LINGERING:
        if (conn->peer_ended)
            conn_end(conn);
        break;
    }
}

/* take moves what came into conn->in, as far as there is room; false = no more, for reason. */
static bool take(struct web_conn *conn, const char **reason)
{
    struct evbuffer *from = bufferevent_get_input(conn->stream);
    size_t held = evbuffer_get_length(conn->in);

    if (conn->ssl)
        return web_tls_read(conn, reason);
    if (held <= DNA_WEB_MAX_HEAD)
        evbuffer_remove_buffer(from, conn->in, DNA_WEB_MAX_HEAD + 1 - held);
    return true;
}

static void feed(struct web_conn *conn)
{
    const char *reason = "";
    bool more;

    if (conn->state == WEB_HOLDING)
        return; /* it is read when the reply is out */
    if (conn->state == WEB_DEAF || conn->state == WEB_LINGERING) {
        evbuffer_drain(bufferevent_get_input(conn->stream), SIZE_MAX);
        return;
    }
    more = take(conn, &reason);
    if (conn->state == WEB_READING)
        serve(conn);
    if (!more)
        ended(conn, reason);
}

static void on_read(struct bufferevent *stream, void *arg)
{
    (void)stream;
    feed(arg);
    settle(arg);
}

static void on_written(struct bufferevent *stream, void *arg)
{
    struct web_conn *conn = arg;

    (void)stream;
    if (conn->state == WEB_REPLYING) {
        web_reply_more(conn);
        if (conn->state == WEB_READING) {
            web_conn_timer(conn, conn->web->idle_ms);
            feed(conn); /* what came during the reply */
        }
    } else if (conn->closing) {
        end_our_side(conn);
    }
    settle(conn);
}

static void on_event(struct bufferevent *stream, short what, void *arg)
{
    struct web_conn *conn = arg;

    (void)stream;
    if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
        return;
    conn->peer_ended = true;
    ended(conn, "the client closed the connection");
    /* after the end of its side a client may wait for the reply; after an error nobody does */
    if (what & BEV_EVENT_ERROR)
        conn_end(conn);
    settle(conn);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct web_conn *conn = arg;

    (void)fd;
    (void)what;
    if (conn->state == WEB_REPLYING && web_reply_tick(conn)) {
        settle(conn);
        return;
    }
    if (conn->state == WEB_SHAKING || conn->state == WEB_READING)
        ended(conn, "the client said nothing for too long");
    else
        conn_end(conn);
    settle(conn);
}

/* ---- birth and death ---- */

void web_conn_accept(struct dna_web_listener *listener, int fd, const struct sockaddr_in *client)
{
    struct dna_web *web = listener->web;
    struct web_conn *conn = calloc(1, sizeof *conn);

    if (!conn) {
        close(fd);
        return;
    }
    conn->web = web;
    conn->listener = listener;
    conn->client = *client;
    conn->alert = -1;
    conn->id = ++web->last_connection;
    conn->state = listener->sites ? WEB_SHAKING : WEB_READING;
    conn->link = &web->conns;
    conn->next = web->conns;
    if (conn->next)
        conn->next->link = &conn->next;
    web->conns = conn;
    web->num_conns++;
    conn->in = evbuffer_new();
    conn->timer = evtimer_new(web->base, on_timer, conn);
    conn->stream = bufferevent_socket_new(web->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!conn->stream)
        close(fd);
    if (!conn->stream || !conn->in || !conn->timer || (listener->sites && web_tls_start(conn))) {
        web_conn_free(conn);
        return;
    }
    web_conn_timer(conn, web->idle_ms);
    bufferevent_setcb(conn->stream, on_read, on_written, on_event, conn);
    bufferevent_setwatermark(conn->stream, EV_READ, 0, MAX_UNREAD);
    bufferevent_enable(conn->stream, EV_READ | EV_WRITE);
}

void web_conn_free(struct web_conn *conn)
{
    *conn->link = conn->next;
    if (conn->next)
        conn->next->link = conn->link;
    conn->web->num_conns--;
    web_page_unref(conn->page);
    if (conn->stream)
        bufferevent_free(conn->stream);
    SSL_free(conn->ssl);
    if (conn->in)
        evbuffer_free(conn->in);
    if (conn->timer)
        event_free(conn->timer);
    free(conn);
}
