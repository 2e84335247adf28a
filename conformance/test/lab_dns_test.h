/* SPDX-License-Identifier: MIT */
/* What the tests of the lab's DNS share: reading what libunbound hands over. */
#ifndef DNA_LAB_DNS_TEST_H
#define DNA_LAB_DNS_TEST_H

#include <stdbool.h>
#include <stdio.h>

#include <ldns/ldns.h>

/*
 * lab_num_answers counts the records of a packet's answer. libunbound always asks with DO and
 * hands signatures over with the records; they are not counted.
 */
static inline unsigned lab_num_answers(const void *wire, int len)
{
    ldns_pkt *packet = NULL;
    unsigned num = 0;

    if (len <= 0 || ldns_wire2pkt(&packet, wire, (size_t)len) != LDNS_STATUS_OK)
        return 0;
    for (size_t i = 0; i < ldns_pkt_ancount(packet); i++)
        num += ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_answer(packet), i)) !=
               LDNS_RR_TYPE_RRSIG;
    ldns_pkt_free(packet);
    return num;
}

/* lab_lookup is what libunbound said. */
struct lab_lookup {
    bool done;
    int rcode;
    unsigned answers;
    int secure; /* 0 insecure, 1 bogus, 2 secure */
    char why[512];
};

/* lab_on_lookup is a ub_event_callback_type, arg a struct lab_lookup. */
static inline void lab_on_lookup(void *arg, int rcode, void *packet, int len, int secure,
                                 char *why, int limited)
{
    struct lab_lookup *lookup = arg;
    const uint8_t *wire = packet;

    (void)limited;
    lookup->done = true;
    lookup->secure = secure;
    lookup->rcode = len > 12 && rcode == 0 ? wire[3] & 15 : rcode;
    lookup->answers = lab_num_answers(packet, len);
    snprintf(lookup->why, sizeof lookup->why, "%s", why ? why : "");
}

#endif
