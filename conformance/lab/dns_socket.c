/* SPDX-License-Identifier: MIT */
/*
 * The responder's sockets: UDP datagrams, and TCP connections that each carry many queries
 * (two bytes of length before each message). Clients are owned by the responder's list, and so
 * are the answers that wait for their time.
 */
#include "conformance/lab/dns_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#define MAX_QUERY 4096u
#define MAX_UNSENT (1024u * 1024u)
#define DATAGRAMS_PER_TURN 64
#define MAX_LATE 1024u

struct dns_client {
    struct dns_client *next;
    struct dna_dns *dns;
    struct bufferevent *stream;
    struct sockaddr_in address;
};

/* message is the bytes of an answer; at NULL: none. */
struct message {
    uint8_t *at;
    size_t len;
    unsigned delay_ms;
};

/* dns_late is an answer that waits for its time. */
struct dns_late {
    struct dns_late *next;
    struct dna_dns *dns;
    struct dns_client *client; /* NULL: over UDP */
    struct sockaddr_in to;
    struct message message;
    struct event *timer;
};

static uint8_t *wire_of(const ldns_pkt *packet, size_t *len)
{
    uint8_t *wire = NULL;

    return ldns_pkt2wire(&wire, packet, len) == LDNS_STATUS_OK ? wire : NULL;
}

/* cut_short leaves the head and the question, and says that there is more over TCP. */
static uint8_t *cut_short(ldns_pkt *packet, size_t *len)
{
    ldns_rr_list_deep_free(ldns_pkt_answer(packet));
    ldns_pkt_set_answer(packet, ldns_rr_list_new());
    ldns_pkt_set_ancount(packet, 0);
    ldns_rr_list_deep_free(ldns_pkt_authority(packet));
    ldns_pkt_set_authority(packet, ldns_rr_list_new());
    ldns_pkt_set_nscount(packet, 0);
    ldns_pkt_set_tc(packet, true);
    return wire_of(packet, len);
}

/* bad_query answers bytes that are no query with FORMERR, if they have a head to answer to. */
static uint8_t *bad_query(const uint8_t *query, size_t query_len, size_t *len)
{
    uint8_t *wire;

    if (query_len < 12 || (query[2] & 0x80) != 0)
        return NULL;
    wire = calloc(1, 12);
    if (!wire)
        return NULL;
    memcpy(wire, query, 2);
    wire[2] = (uint8_t)(0x80 | (query[2] & 0x79)); /* QR, the opcode, RD */
    wire[3] = 1;                                   /* FORMERR */
    *len = 12;
    return wire;
}

/* respond makes the answer to one query. */
static struct message respond(struct dna_dns *dns, const uint8_t *bytes, size_t num,
                              const struct sockaddr_in *client, bool tcp)
{
    struct message out = { .at = NULL };
    struct dns_reply reply;
    ldns_pkt *query = NULL;

    if (ldns_wire2pkt(&query, bytes, num) != LDNS_STATUS_OK) {
        out.at = bad_query(bytes, num, &out.len);
        return out;
    }
    if (ldns_pkt_qr(query) || dns_reply_make(&dns->store, query, &reply)) {
        ldns_pkt_free(query);
        return out;
    }
    if (reply.packet)
        out.at = wire_of(reply.packet, &out.len);
    if (out.at && !tcp && (reply.truncate || out.len > reply.udp_size)) {
        free(out.at);
        out.at = cut_short(reply.packet, &out.len);
        reply.answer = DNA_DNS_GAVE_TRUNCATED;
    }
    out.delay_ms = reply.delay_ms;
    dns_report(dns, query, &reply, client, tcp);
    ldns_pkt_free(reply.packet);
    ldns_pkt_free(query);
    return out;
}

static void send_now(struct dna_dns *dns, struct dns_client *client, const struct sockaddr_in *to,
                     const struct message *message)
{
    uint8_t head[2] = { (uint8_t)(message->len >> 8), (uint8_t)message->len };
    struct evbuffer *out;

    if (!client) {
        /* A datagram may get lost; the resolver asks again. */
        (void)!sendto(dns->udp, message->at, message->len, 0, (const struct sockaddr *)to,
                      sizeof *to);
    } else if (message->len <= UINT16_MAX) {
        out = bufferevent_get_output(client->stream);
        evbuffer_add(out, head, 2);
        evbuffer_add(out, message->at, message->len);
    }
}

static void late_free(struct dns_late *late)
{
    struct dns_late **at = &late->dns->late;

    while (*at != late)
        at = &(*at)->next;
    *at = late->next;
    late->dns->num_late--;
    if (late->timer)
        event_free(late->timer);
    free(late->message.at);
    free(late);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct dns_late *late = arg;

    (void)fd;
    (void)what;
    send_now(late->dns, late->client, &late->to, &late->message);
    late_free(late);
}

/* deliver sends an answer, now or when its time comes; too many that wait get lost. */
static void deliver(struct dna_dns *dns, struct dns_client *client, const struct sockaddr_in *to,
                    struct message message)
{
    struct timeval delay = { .tv_sec = message.delay_ms / 1000,
                             .tv_usec = message.delay_ms % 1000 * 1000 };
    struct dns_late *late;

    if (!message.at)
        return;
    late = message.delay_ms && dns->num_late < MAX_LATE ? calloc(1, sizeof *late) : NULL;
    if (!late) {
        if (!message.delay_ms)
            send_now(dns, client, to, &message);
        free(message.at);
        return;
    }
    *late = (struct dns_late){ .next = dns->late, .dns = dns, .client = client, .to = *to,
                               .message = message };
    dns->late = late;
    dns->num_late++;
    late->timer = evtimer_new(dns->base, on_time, late);
    if (!late->timer || evtimer_add(late->timer, &delay))
        late_free(late);
}

static void on_datagram(evutil_socket_t fd, short what, void *arg)
{
    struct dna_dns *dns = arg;
    uint8_t bytes[MAX_QUERY];

    (void)what;
    for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
        struct sockaddr_in client;
        socklen_t client_len = sizeof client;
        ssize_t num = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&client,
                               &client_len);

        if (num < 0)
            return;
        deliver(dns, NULL, &client, respond(dns, bytes, (size_t)num, &client, false));
    }
}

static void client_free(struct dns_client *client)
{
    struct dns_client **at = &client->dns->clients;
    struct dns_late *next;

    for (struct dns_late *late = client->dns->late; late; late = next) {
        next = late->next;
        if (late->client == client)
            late_free(late);
    }
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    bufferevent_free(client->stream);
    free(client);
}

static void on_client_read(struct bufferevent *stream, void *arg)
{
    struct dns_client *client = arg;
    struct evbuffer *in = bufferevent_get_input(stream);
    struct evbuffer *out = bufferevent_get_output(stream);

    for (;;) {
        uint8_t head[2], *query;
        struct message message = { .at = NULL };
        size_t num;

        if (evbuffer_copyout(in, head, 2) < 2)
            return;
        num = (size_t)head[0] << 8 | head[1];
        if (num > MAX_QUERY || evbuffer_get_length(out) > MAX_UNSENT) {
            client_free(client);
            return;
        }
        if (evbuffer_get_length(in) < num + 2)
            return;
        evbuffer_drain(in, 2);
        query = evbuffer_pullup(in, (ev_ssize_t)num);
        if (num)
            message = respond(client->dns, query, num, &client->address, true);
        evbuffer_drain(in, num);
        deliver(client->dns, client, &client->address, message);
    }
}

static void on_client_event(struct bufferevent *stream, short what, void *arg)
{
    (void)stream;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        client_free(arg);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int address_len, void *arg)
{
    struct dna_dns *dns = arg;
    struct dns_client *client = calloc(1, sizeof *client);
    int on = 1;

    (void)listener;
    if (client)
        client->stream = bufferevent_socket_new(dns->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!client || !client->stream) {
        free(client);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client->dns = dns;
    if (address_len >= (int)sizeof client->address)
        memcpy(&client->address, address, sizeof client->address);
    client->next = dns->clients;
    dns->clients = client;
    bufferevent_setcb(client->stream, on_client_read, NULL, on_client_event, client);
    bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

/* open_pair binds UDP and TCP to one port; where any port will do, TCP's may be taken. */
static int open_pair(struct dna_dns *dns, struct sockaddr_in name)
{
    socklen_t len = sizeof name;

    dns->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dns->udp < 0)
        return -1;
    if (bind(dns->udp, (struct sockaddr *)&name, sizeof name) ||
        getsockname(dns->udp, (struct sockaddr *)&name, &len))
        return -1;
    dns->listener = evconnlistener_new_bind(dns->base, on_accept, dns,
                                            LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
                                                LEV_OPT_REUSEABLE,
                                            128, (struct sockaddr *)&name, sizeof name);
    dns->port = ntohs(name.sin_port);
    return dns->listener ? 0 : -1;
}

int dns_listen(struct dna_dns *dns, const char *address, uint16_t port, struct dna_diag *diag)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
    int tries = port ? 1 : 8;

    dns->udp = -1;
    if (inet_pton(AF_INET, address, &name.sin_addr) != 1)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "DNS: %s is not an IPv4 address", address);
    while (open_pair(dns, name)) {
        int error = errno;

        if (dns->udp >= 0)
            close(dns->udp);
        dns->udp = -1;
        if (--tries == 0)
            return dna_diag_set(diag, DNA_CLASS_HARD, "DNS: cannot listen on %s port %u: %s",
                                address, port, strerror(error));
    }
    dns->udp_event = event_new(dns->base, dns->udp, EV_READ | EV_PERSIST, on_datagram, dns);
    if (!dns->udp_event || event_add(dns->udp_event, NULL))
        return dna_diag_set(diag, DNA_CLASS_HARD, "DNS: cannot add the socket to the loop");
    return 0;
}

void dns_hang_up(struct dna_dns *dns)
{
    while (dns->clients)
        client_free(dns->clients);
    while (dns->late)
        late_free(dns->late);
    if (dns->udp_event)
        event_free(dns->udp_event);
    if (dns->udp >= 0)
        close(dns->udp);
    if (dns->listener)
        evconnlistener_free(dns->listener);
}
