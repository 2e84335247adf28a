/* SPDX-License-Identifier: MIT */
/*
 * What the lab's DNS says to a query: a walk from the name through its CNAMEs to records or to a
 * denial (dns_deny.c), each rrset signed by its own zone. A name that doesn't exist has what the
 * wildcard above it has, signed as the wildcard's (RFC 4035 section 3.1.3.3). The reply's packet
 * belongs to the caller.
 */
#include "conformance/lab/dns_sign.h"

#define MAX_CNAMES 8u
#define EDNS_SIZE 4096u

/* made_rr is a record of a zone that nobody added: its keys' and what follows from them. */
static ldns_rr *made_rr(const struct dns_store *store, const struct dns_name *name,
                        ldns_rr_type type, struct dns_reply *out)
{
    ldns_rr *rr;

    if (!name || !dns_zone_signed(name))
        return NULL;
    if (type == LDNS_RR_TYPE_NSEC3PARAM)
        return name->zone->signing == DNA_DNS_ZONE_NSEC3 ? dns_nsec3param(name->zone) : NULL;
    if (type == LDNS_RR_TYPE_DNSKEY)
        rr = dns_zone_dnskey(store->signer, name->zone);
    else if (type == LDNS_RR_TYPE_DS && name->key.len > 0)
        rr = dns_zone_ds(store->signer, name->zone);
    else
        return NULL;
    out->failed |= !rr;
    return rr;
}

/* found is what answers for a name: its own records, or those of a wildcard. */
struct found {
    const struct dns_name *name;     /* NULL: nothing */
    const struct dns_name *wildcard; /* the same name, if it is one that was expanded */
    const ldns_rdf *owner;           /* the name as asked */
    struct dns_key key;              /* of the owner */
};

/* rename_rrs puts the records of a section from one on under another name. */
static void rename_rrs(ldns_rr_list *list, size_t from, const ldns_rdf *owner)
{
    for (size_t i = from; i < ldns_rr_list_rr_count(list); i++) {
        ldns_rr *rr = ldns_rr_list_rr(list, i);

        ldns_rdf_deep_free(ldns_rr_owner(rr));
        ldns_rr_set_owner(rr, ldns_rdf_clone(owner));
    }
}

/*
 * rrset_of copies the records of one type (or all): under the name as asked, or the wildcard's,
 * which is what is signed.
 */
static ldns_rr_list *rrset_of(const struct dns_store *store, const struct found *found,
                              ldns_rr_type type, struct dns_reply *out)
{
    const struct dns_name *name = found->name;
    ldns_rr_list *set = ldns_rr_list_new();
    ldns_rr *made;

    for (size_t i = 0; name && i < ldns_rr_list_rr_count(name->records); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(name->records, i);

        if (ldns_rr_get_type(rr) == type || type == LDNS_RR_TYPE_ANY)
            ldns_rr_list_push_rr(set, ldns_rr_clone(rr));
    }
    if (ldns_rr_list_rr_count(set) == 0 && (made = made_rr(store, name, type, out)))
        ldns_rr_list_push_rr(set, made);
    if (!found->wildcard)
        rename_rrs(set, 0, found->owner);
    return set;
}

static void give_signature(const struct dns_store *store, const struct found *found,
                           const ldns_rr_list *set, ldns_rr_type type, struct dns_reply *out)
{
    enum dna_dns_signature manner =
        dns_store_signing(store, &found->key, found->wildcard, (uint16_t)type);

    dns_push_signature(store, dns_store_apex_of(store, &found->key, type), manner,
                       LDNS_SECTION_ANSWER, set, out);
}

/* give_signatures signs each type by itself in an answer of all types. */
static void give_signatures(const struct dns_store *store, const struct found *found,
                            const ldns_rr_list *all, struct dns_reply *out)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(all); i++) {
        ldns_rr_type type = ldns_rr_get_type(ldns_rr_list_rr(all, i));
        ldns_rr_list *set = ldns_rr_list_new();
        bool first = true;

        for (size_t j = 0; j < ldns_rr_list_rr_count(all); j++) {
            if (ldns_rr_get_type(ldns_rr_list_rr(all, j)) != type)
                continue;
            first &= j >= i;
            ldns_rr_list_push_rr(set, ldns_rr_list_rr(all, j));
        }
        if (first)
            give_signature(store, found, set, type, out);
        ldns_rr_list_free(set);
    }
}

/* give_rrset puts the records of one type into the answer; returns how many. */
static size_t give_rrset(const struct dns_store *store, const struct found *found,
                         ldns_rr_type type, struct dns_reply *out)
{
    ldns_rr_list *set = rrset_of(store, found, type, out);
    size_t count = ldns_rr_list_rr_count(set), before = ldns_pkt_ancount(out->packet);

    for (size_t i = 0; i < count; i++)
        ldns_pkt_push_rr(out->packet, LDNS_SECTION_ANSWER, ldns_rr_list_rr(set, i));
    if (count && type == LDNS_RR_TYPE_ANY)
        give_signatures(store, found, set, out);
    else if (count)
        give_signature(store, found, set, type, out);
    ldns_rr_list_free(set); /* the records are the packet's now */
    if (count && found->wildcard) {
        rename_rrs(ldns_pkt_answer(out->packet), before, found->owner);
        dns_prove_expansion(store, found->owner, type, found->wildcard, out);
    }
    return count;
}

/* by_manner answers as a manner wants; false if the records decide. */
static bool by_manner(const struct dns_store *store, const ldns_rdf *owner, ldns_rr_type type,
                      enum dna_dns_manner manner, struct dns_reply *out)
{
    switch (manner) {
    case DNA_DNS_NODATA:
        dns_deny(store, owner, type, true, out);
        out->answer = DNA_DNS_GAVE_NODATA;
        return true;
    case DNA_DNS_NXDOMAIN:
        dns_deny(store, owner, type, false, out);
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
    size_t given = 0;

    for (unsigned hop = 0; hop <= MAX_CNAMES; hop++) {
        struct found found = { .owner = owner };
        const ldns_rdf *target;
        size_t count;

        dns_key_of(owner, &found.key);
        if (by_manner(store, owner, type,
                      dns_store_manner(store, DNS_ANSWERING, &found.key, (uint16_t)type), out))
            return;
        found.wildcard = dns_store_wildcard(store, &found.key);
        found.name = found.wildcard ? found.wildcard : dns_store_find(store, &found.key);
        count = give_rrset(store, &found, type, out);
        given += count;
        out->answer = DNA_DNS_GAVE_RECORDS;
        if (count)
            return;
        target = cname_target(found.name);
        if (!target) {
            bool exists = found.wildcard || dns_store_exists(store, &found.key);

            dns_deny(store, owner, type, exists, out);
            if (given == 0)
                out->answer = exists ? DNA_DNS_GAVE_NODATA : DNA_DNS_GAVE_NXDOMAIN;
            return;
        }
        given += give_rrset(store, &found, LDNS_RR_TYPE_CNAME, out);
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
    struct dns_key key;

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
    dns_key_of(ldns_rr_owner(question), &key);
    out->delay_ms = dns_store_manner(store, DNS_LATENESS, &key,
                                     (uint16_t)ldns_rr_get_type(question));
    answer_question(store, question, out);
    if (out->packet && dns_store_manner(store, DNS_AUTHENTIC, &key,
                                        (uint16_t)ldns_rr_get_type(question)))
        ldns_pkt_set_ad(out->packet, true);
    if (!out->failed)
        return 0;
    ldns_pkt_free(out->packet);
    out->packet = NULL;
    return -1;
}
