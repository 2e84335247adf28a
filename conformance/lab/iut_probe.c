/* SPDX-License-Identifier: MIT */
/*
 * Readiness: a stream header sent to a port is answered by a header and features. An open port is
 * not enough, for some servers listen long before they answer. This looks at bytes only; whether
 * the answer is right is for the cases to say.
 */
#include "conformance/lab/iut_internal.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#define AGAIN_MS 15
#define MAX_ANSWER 65536u

static void try_port(evutil_socket_t fd, short what, void *arg);

static void hang_up(struct iut_probe *probe)
{
    if (probe->stream)
        bufferevent_free(probe->stream);
    probe->stream = NULL;
}

static void try_again(struct iut_probe *probe)
{
    struct timeval soon = { .tv_usec = AGAIN_MS * 1000 };

    hang_up(probe);
    evtimer_add(probe->again, &soon);
}

static void send_header(struct iut_probe *probe)
{
    struct evbuffer *out = bufferevent_get_output(probe->stream);

    evbuffer_add_printf(out,
                        "<?xml version='1.0'?><stream:stream xmlns='jabber:%s' "
                        "xmlns:stream='http://etherx.jabber.org/streams'%s to='%s' version='1.0'>",
                        probe->server ? "server" : "client",
                        probe->server ? " xmlns:db='jabber:server:dialback' "
                                        "from='probe.lab.example'"
                                      : "",
                        probe->iut->variant->hosted[0]);
}

static void on_event(struct bufferevent *stream, short what, void *arg)
{
    struct iut_probe *probe = arg;
    int on = 1;

    if (what & BEV_EVENT_CONNECTED) {
        snprintf(probe->last, sizeof probe->last, "connected, but no stream features came");
        setsockopt(bufferevent_getfd(stream), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
        send_header(probe);
        return;
    }
    if (what & BEV_EVENT_EOF)
        snprintf(probe->last, sizeof probe->last, "closed after %zu bytes%s%.80s", probe->got.len,
                 probe->got.len ? ": " : "", probe->got.len ? probe->got.at : "");
    else
        snprintf(probe->last, sizeof probe->last, "%s",
                 evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    try_again(probe);
}

static void on_read(struct bufferevent *stream, void *arg)
{
    struct iut_probe *probe = arg;
    struct evbuffer *in = bufferevent_get_input(stream);
    char bytes[4096];
    int on = 1, num;

    setsockopt(bufferevent_getfd(stream), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    while ((num = evbuffer_remove(in, bytes, sizeof bytes)) > 0) {
        if (probe->got.len < MAX_ANSWER)
            dna_buf_add(&probe->got, bytes, (size_t)num);
    }
    if (!probe->got.at || !strstr(probe->got.at, "stream"))
        return;
    /* Closed, or left empty: either way the features are whole. */
    if (!strstr(probe->got.at, "features>") && !strstr(probe->got.at, "features/>"))
        return;
    if (!strstr(probe->got.at, "</stream:features>") && strstr(probe->got.at, "<stream:features>"))
        return;
    probe->ready = true;
    hang_up(probe);
    iut_probe_done(probe->iut);
}

static void try_port(evutil_socket_t fd, short what, void *arg)
{
    struct iut_probe *probe = arg;
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(probe->port) };

    (void)fd;
    (void)what;
    dna_buf_free(&probe->got);
    probe->got = (struct dna_buf){ 0 };
    inet_pton(AF_INET, probe->iut->variant->address, &name.sin_addr);
    probe->stream = bufferevent_socket_new(probe->iut->options.base, -1,
                                           BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!probe->stream) {
        try_again(probe);
        return;
    }
    bufferevent_setcb(probe->stream, on_read, NULL, on_event, probe);
    bufferevent_enable(probe->stream, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(probe->stream, (struct sockaddr *)&name, sizeof name))
        try_again(probe);
}

int iut_probe_start(struct iut_probe *probe, struct dna_diag *diag)
{
    struct timeval now = { 0 };

    probe->ready = false;
    snprintf(probe->last, sizeof probe->last, "not tried yet");
    if (!probe->again)
        probe->again = evtimer_new(probe->iut->options.base, try_port, probe);
    if (!probe->again || evtimer_add(probe->again, &now))
        return dna_diag_set(diag, DNA_CLASS_HARD, "cannot add a timer to the loop");
    return 0;
}

void iut_probe_stop(struct iut_probe *probe)
{
    hang_up(probe);
    if (probe->again)
        event_free(probe->again);
    probe->again = NULL;
    dna_buf_free(&probe->got);
    probe->got = (struct dna_buf){ 0 };
}
