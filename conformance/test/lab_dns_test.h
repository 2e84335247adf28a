/* SPDX-License-Identifier: MIT */
/* What the tests of the lab's DNS share: reading what libunbound hands over. */
#ifndef DNA_LAB_DNS_TEST_H
#define DNA_LAB_DNS_TEST_H

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

#endif
