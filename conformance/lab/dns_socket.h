/* SPDX-License-Identifier: MIT */
/* The responder and its sockets. Private to the dns_*.c files. */
#ifndef DNA_LAB_DNS_SOCKET_H
#define DNA_LAB_DNS_SOCKET_H

#include "conformance/lab/dns_store.h"

struct evconnlistener;
struct dns_client;
struct dns_late;

struct dna_dns {
    struct event_base *base;
    struct dns_store store;
    char *anchor;
    int udp;
    uint16_t port;
    struct event *udp_event;
    struct evconnlistener *listener;
    struct dns_client *clients; /* open TCP connections */
    struct dns_late *late;      /* answers that wait */
    unsigned num_late;
};

/* dns_listen opens both sockets; dns_hang_up closes them and all TCP connections. */
int dns_listen(struct dna_dns *dns, const char *address, uint16_t port, struct dna_diag *diag);
void dns_hang_up(struct dna_dns *dns);

/* dns_report tells the watchers of a query. */
void dns_report(struct dna_dns *dns, const ldns_pkt *query, const struct dns_reply *reply,
                const struct sockaddr_in *client, bool tcp);

#endif
