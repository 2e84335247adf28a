/* SPDX-License-Identifier: MIT */
/*
 * What the lab's DNS says to a query: a walk from the name through its CNAMEs to records or to a
 * denial. The reply's packet belongs to the caller.
 */
#include "conformance/lab/dns_store.h"

#define MAX_CNAMES 8u
#define EDNS_SIZE 4096u

/* give_rrset puts the records of one type at a name into the answer, under the name as asked. */
static unsigned give_rrset(const struct dns_name *name, const ldns_rdf *owner, ldns_rr_type type,
                           ldns_pkt *packet)
{
    unsigned count = 0;

    for (size_t i = 0; name && i < ldns_rr_list_rr_count(name->records); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(name->records, i);
        ldns_rr *copy;

        if (ldns_rr_get_type(rr) != type && type != LDNS_RR_TYPE_ANY)
            continue;
        copy = ldns_rr_clone(rr);
        ldns_rdf_deep_free(ldns_rr_owner(copy));
        ldns_rr_set_owner(copy, ldns_rdf_clone(owner));
        ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER, copy);
        count++;
    }
    return count;
}

/* deny says that there is no such name, or no such type; the SOA of the zone is its witness. */
static void deny(const struct dns_store *store, const struct dns_key *key, bool name_exists,
                 ldns_pkt *packet)
{
    const struct dns_name *apex = dns_store_apex(store, key);

    ldns_pkt_set_rcode(packet, name_exists ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN);
    for (size_t i = 0; apex && i < ldns_rr_list_rr_count(apex->records); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(apex->records, i);

        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_SOA)
            ldns_pkt_push_rr(packet, LDNS_SECTION_AUTHORITY, ldns_rr_clone(rr));
    }
}

/* by_manner answers as a manner wants; false if the records decide. */
static bool by_manner(const struct dns_store *store, const struct dns_key *key,
                      enum dna_dns_manner manner, struct dns_reply *out)
{
    switch (manner) {
    case DNA_DNS_NODATA:
        deny(store, key, true, out->packet);
        out->answer = DNA_DNS_GAVE_NODATA;
        return true;
    case DNA_DNS_NXDOMAIN:
        deny(store, key, false, out->packet);
        out->answer = DNA_DNS_GAVE_NXDOMAIN;
        return true;
    case DNA_DNS_SERVFAIL:
        ldns_pkt_set_rcode(out->packet, LDNS_RCODE_SERVFAIL);
        out->answer = DNA_DNS_GAVE_SERVFAIL;
        return true;
    case DNA_DNS_REFUSED:
        ldns_pkt_set_rcode(out->packet, LDNS_RCODE_REFUSED);
        out->answer = DNA_DNS_GAVE_REFUSED;
        return true;
    case DNA_DNS_SILENT:
        ldns_pkt_free(out->packet);
        out->packet = NULL;
        out->answer = DNA_DNS_GAVE_NOTHING;
        return true;
    case DNA_DNS_TRUNCATE:
        out->truncate = true;
        return false;
    case DNA_DNS_NORMAL:
        break;
    }
    return false;
}

static const ldns_rdf *cname_target(const struct dns_name *name)
{
    for (size_t i = 0; name && i < ldns_rr_list_rr_count(name->records); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(name->records, i);

        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME)
            return ldns_rr_rdf(rr, 0);
    }
    return NULL;
}

static void answer_question(const struct dns_store *store, const ldns_rr *question,
                            struct dns_reply *out)
{
    const ldns_rdf *owner = ldns_rr_owner(question);
    ldns_rr_type type = ldns_rr_get_type(question);
    unsigned given = 0;

    for (unsigned hop = 0; hop <= MAX_CNAMES; hop++) {
        struct dns_name *name;
        struct dns_key key;
        const ldns_rdf *target;
        unsigned count;

        dns_key_of(owner, &key);
        if (by_manner(store, &key, dns_store_manner(store, &key, (uint16_t)type), out))
            return;
        name = dns_store_find(store, &key);
        count = give_rrset(name, owner, type, out->packet);
        given += count;
        out->answer = DNA_DNS_GAVE_RECORDS;
        if (count)
            return;
        target = cname_target(name);
        if (!target) {
            bool exists = dns_store_exists(store, &key);

            deny(store, &key, exists, out->packet);
            if (given == 0)
                out->answer = exists ? DNA_DNS_GAVE_NODATA : DNA_DNS_GAVE_NXDOMAIN;
            return;
        }
        given += give_rrset(name, owner, LDNS_RR_TYPE_CNAME, out->packet);
        owner = target;
    }
}

static void copy_head(const ldns_pkt *query, struct dns_reply *out)
{
    ldns_pkt_set_id(out->packet, ldns_pkt_id(query));
    ldns_pkt_set_qr(out->packet, true);
    ldns_pkt_set_opcode(out->packet, ldns_pkt_get_opcode(query));
    ldns_pkt_set_aa(out->packet, true);
    ldns_pkt_set_rd(out->packet, ldns_pkt_rd(query));
    ldns_pkt_set_cd(out->packet, ldns_pkt_cd(query));
    /* Stub resolvers ask for recursion, and this tree needs none to be answered whole. */
    ldns_pkt_set_ra(out->packet, true);
    out->udp_size = 512;
    if (ldns_pkt_edns(query)) {
        uint16_t size = ldns_pkt_edns_udp_size(query);

        out->udp_size = size < 512 ? 512 : size > EDNS_SIZE ? EDNS_SIZE : size;
        out->dnssec_ok = ldns_pkt_edns_do(query);
        ldns_pkt_set_edns_udp_size(out->packet, EDNS_SIZE);
        ldns_pkt_set_edns_do(out->packet, out->dnssec_ok);
    }
}

int dns_reply_make(const struct dns_store *store, const ldns_pkt *query, struct dns_reply *out)
{
    const ldns_rr_list *questions = ldns_pkt_question(query);
    const ldns_rr *question;

    *out = (struct dns_reply){ .packet = ldns_pkt_new() };
    if (!out->packet)
        return -1;
    copy_head(query, out);
    if (ldns_pkt_get_opcode(query) != LDNS_PACKET_QUERY) {
        ldns_pkt_set_rcode(out->packet, LDNS_RCODE_NOTIMPL);
        out->answer = DNA_DNS_GAVE_REFUSED;
        return 0;
    }
    if (ldns_rr_list_rr_count(questions) != 1) {
        ldns_pkt_set_rcode(out->packet, LDNS_RCODE_FORMERR);
        out->answer = DNA_DNS_GAVE_REFUSED;
        return 0;
    }
    question = ldns_rr_list_rr(questions, 0);
    ldns_pkt_push_rr(out->packet, LDNS_SECTION_QUESTION, ldns_rr_clone(question));
    if (ldns_rr_get_class(question) != LDNS_RR_CLASS_IN) {
        ldns_pkt_set_rcode(out->packet, LDNS_RCODE_REFUSED);
        out->answer = DNA_DNS_GAVE_REFUSED;
        return 0;
    }
    answer_question(store, question, out);
    return 0;
}
