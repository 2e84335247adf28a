/* SPDX-License-Identifier: MIT */
/* signed_dns: a name server of one process for tests. It serves the zone "example.", signed here
 * with NSEC, and whatever the test put into it. By its owner name a record is more than a record:
 * below plain.example. it stands behind an insecure delegation; "broken" in a name spoils its
 * signatures, "half" those of AAAA and of what denies it; "failing" gets SERVFAIL, "lame" for AAAA
 * alone; "silent" gets no answer. A name may have records and an alias, which then is for other
 * types only. No wildcards, no DNAMEs. */
#ifndef DNA_IMPL_TEST_SIGNED_DNS_H
#define DNA_IMPL_TEST_SIGNED_DNS_H
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SIGNED_MAX_PLAIN = 64 };

struct signed_dns {
    struct event *event;
    int fd;
    ldns_dnssec_zone *zone;
    ldns_key_list *keys;
    ldns_rr *plain[SIGNED_MAX_PLAIN];
    size_t num_plain;
    char resolver[40], anchor[400];
    char asked[8000]; /* "name TYPE\n" of all queries */
};

static inline ldns_rr *signed_parse(const char *line)
{
    ldns_rr *rr = NULL;
    if (ldns_rr_new_frm_str(&rr, line, 60, NULL, NULL) != LDNS_STATUS_OK) {
        printf("not a record: %s\n", line);
        abort();
    }
    return rr;
}

static inline bool signed_below(const ldns_rdf *name, const char *apex)
{
    ldns_rdf *top = ldns_dname_new_frm_str(apex);
    bool below = ldns_dname_compare(name, top) == 0 || ldns_dname_is_subdomain(name, top);
    ldns_rdf_deep_free(top);
    return below;
}

/* --- the zone --- */

static inline void signed_add(struct signed_dns *s, const char *line)
{
    ldns_rr *rr = signed_parse(line);
    bool cut = ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS;
    if (signed_below(ldns_rr_owner(rr), "plain.example.") && !cut) {
        CU_ASSERT_FATAL(s->num_plain < SIGNED_MAX_PLAIN);
        s->plain[s->num_plain++] = rr;
    } else {
        ldns_dnssec_zone_add_rr(s->zone, rr);
    }
}

static inline void signed_sign(struct signed_dns *s)
{
    ldns_rr_list *made = ldns_rr_list_new();
    ldns_key *key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
    ldns_key_set_flags(key, LDNS_KEY_ZONE_KEY | LDNS_KEY_SEP_KEY);
    ldns_key_set_pubkey_owner(key, ldns_dname_new_frm_str("example."));
    ldns_key_set_inception(key, (uint32_t)time(NULL) - 3600);
    ldns_key_set_expiration(key, (uint32_t)time(NULL) + 86400);
    ldns_rr *public = ldns_key2rr(key);
    ldns_key_set_keytag(key, ldns_calc_keytag(public));
    ldns_key_list_push_key(s->keys, key);
    ldns_dnssec_zone_add_rr(s->zone, public);
    char *text = ldns_rr2str(public);
    (void)snprintf(s->anchor, sizeof s->anchor, "%s", text);
    free(text);
    ldns_dnssec_zone_mark_glue(s->zone);
    ldns_status done = ldns_dnssec_zone_sign(s->zone, made, s->keys,
                                             ldns_dnssec_default_replace_signatures, NULL);
    CU_ASSERT_EQUAL_FATAL(done, LDNS_STATUS_OK);
    ldns_rr_list_free(made);
}

/* --- answers --- */

static inline void signed_push(ldns_pkt *r, ldns_pkt_section section, const ldns_rr *rr)
{
    ldns_rr *own = ldns_rr_clone(rr);
    char *name = ldns_rdf2str(ldns_rr_owner(own));
    ldns_rr_type of = ldns_rr_get_type(own) == LDNS_RR_TYPE_RRSIG
                          ? ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(own))
                          : LDNS_RR_TYPE_FIRST;
    bool of_six = of == LDNS_RR_TYPE_AAAA || of == LDNS_RR_TYPE_NSEC;
    if (ldns_rr_get_type(own) == LDNS_RR_TYPE_RRSIG &&
        (strstr(name, "broken") || (of_six && strstr(name, "half")))) {
        ldns_rdf *signature = ldns_rr_rdf(own, 8);
        ldns_rdf_data(signature)[ldns_rdf_size(signature) - 1] ^= 1;
    }
    free(name);
    ldns_pkt_push_rr(r, section, own);
}

static inline void signed_push_all(ldns_pkt *r, ldns_pkt_section section,
                                   const ldns_dnssec_rrs *rrs)
{
    for (; rrs; rrs = rrs->next)
        signed_push(r, section, rrs->rr);
}

static inline ldns_dnssec_rrsets *signed_rrset(const ldns_dnssec_name *at, ldns_rr_type type)
{
    ldns_dnssec_rrsets *set = at ? at->rrsets : NULL;
    while (set && set->type != type)
        set = set->next;
    return set;
}

static inline void signed_push_set(ldns_pkt *r, ldns_pkt_section section,
                                   const ldns_dnssec_rrsets *set)
{
    signed_push_all(r, section, set->rrs);
    signed_push_all(r, section, set->signatures);
}

static inline ldns_dnssec_name *signed_find(const struct signed_dns *s, const ldns_rdf *name)
{
    ldns_rbnode_t *node = ldns_rbtree_search(s->zone->names, name);
    return node == NULL || node == LDNS_RBTREE_NULL ? NULL : (ldns_dnssec_name *)node->data;
}

/* The NSEC that matches or covers name: that of the last name not behind it. */
static inline void signed_push_nsec(const struct signed_dns *s, ldns_pkt *r, const ldns_rdf *name)
{
    const ldns_dnssec_name *last = NULL;
    for (ldns_rbnode_t *n = ldns_rbtree_first(s->zone->names); n != LDNS_RBTREE_NULL;
         n = ldns_rbtree_next(n)) {
        const ldns_dnssec_name *at = n->data;
        if (at->nsec && ldns_dname_compare(at->name, name) <= 0)
            last = at;
    }
    if (last) {
        signed_push(r, LDNS_SECTION_AUTHORITY, last->nsec);
        signed_push_all(r, LDNS_SECTION_AUTHORITY, last->nsec_signatures);
    }
}

static inline bool signed_exists(const struct signed_dns *s, const ldns_rdf *name)
{
    for (ldns_rbnode_t *n = ldns_rbtree_first(s->zone->names); n != LDNS_RBTREE_NULL;
         n = ldns_rbtree_next(n)) {
        const ldns_dnssec_name *at = n->data;
        if (ldns_dname_compare(at->name, name) == 0 || ldns_dname_is_subdomain(at->name, name))
            return true;
    }
    return false;
}

static inline void signed_deny(const struct signed_dns *s, ldns_pkt *r, const ldns_rdf *name)
{
    signed_push_set(r, LDNS_SECTION_AUTHORITY, signed_rrset(s->zone->soa, LDNS_RR_TYPE_SOA));
    signed_push_nsec(s, r, name);
    if (signed_exists(s, name))
        return;
    ldns_pkt_set_rcode(r, LDNS_RCODE_NXDOMAIN);
    ldns_rdf *up = ldns_dname_left_chop(name), *star = ldns_dname_new_frm_str("*");
    while (!signed_exists(s, up)) {
        ldns_rdf *next = ldns_dname_left_chop(up);
        ldns_rdf_deep_free(up);
        up = next;
    }
    ldns_rdf *wildcard = ldns_dname_cat_clone(star, up);
    signed_push_nsec(s, r, wildcard);
    ldns_rdf_deep_free(up);
    ldns_rdf_deep_free(star);
    ldns_rdf_deep_free(wildcard);
}

/* next_alias is NULL at the end of the answer, or where an alias leads. */
static inline const ldns_rdf *signed_answer_plain(const struct signed_dns *s, ldns_pkt *r,
                                                  const ldns_rdf *name, ldns_rr_type type)
{
    const ldns_rdf *next_alias = NULL;
    for (size_t i = 0; i < s->num_plain; i++) {
        ldns_rr_type is = ldns_rr_get_type(s->plain[i]);
        if (ldns_dname_compare(ldns_rr_owner(s->plain[i]), name) != 0 ||
            (is != type && is != LDNS_RR_TYPE_CNAME))
            continue;
        signed_push(r, LDNS_SECTION_ANSWER, s->plain[i]);
        if (is == LDNS_RR_TYPE_CNAME)
            next_alias = ldns_rr_rdf(s->plain[i], 0);
    }
    return next_alias;
}

static inline const ldns_rdf *signed_answer_one(const struct signed_dns *s, ldns_pkt *r,
                                                const ldns_rdf *name, ldns_rr_type type)
{
    ldns_rdf *cut = ldns_dname_new_frm_str("plain.example.");
    bool parents = ldns_dname_compare(name, cut) == 0 && type == LDNS_RR_TYPE_DS;
    ldns_rdf_deep_free(cut);
    if (signed_below(name, "plain.example.") && !parents)
        return signed_answer_plain(s, r, name, type);
    const ldns_dnssec_name *at = signed_find(s, name);
    const ldns_dnssec_rrsets *set = signed_rrset(at, type);
    const ldns_dnssec_rrsets *alias = set ? NULL : signed_rrset(at, LDNS_RR_TYPE_CNAME);
    if (set || alias)
        signed_push_set(r, LDNS_SECTION_ANSWER, set ? set : alias);
    else
        signed_deny(s, r, name);
    return alias ? ldns_rr_rdf(alias->rrs->rr, 0) : NULL;
}

static inline void signed_reply(struct signed_dns *s, const ldns_pkt *query,
                                const struct sockaddr *to, socklen_t to_len)
{
    ldns_rr *q = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    char *name = ldns_rdf2str(ldns_rr_owner(q)), *type = ldns_rr_type2str(ldns_rr_get_type(q));
    ldns_pkt *r = ldns_pkt_new();
    uint8_t *wire = NULL;
    size_t size = 0, so_far = strlen(s->asked);
    (void)snprintf(s->asked + so_far, sizeof s->asked - so_far, "%s %s\n", name, type);
    ldns_pkt_set_id(r, ldns_pkt_id(query));
    ldns_pkt_set_qr(r, true);
    ldns_pkt_set_ra(r, true);
    ldns_pkt_set_edns_udp_size(r, 4096);
    ldns_pkt_set_edns_do(r, true);
    ldns_pkt_push_rr(r, LDNS_SECTION_QUESTION, ldns_rr_clone(q));
    bool lame = strstr(name, "lame") && ldns_rr_get_type(q) == LDNS_RR_TYPE_AAAA;
    if (strstr(name, "failing") || lame)
        ldns_pkt_set_rcode(r, LDNS_RCODE_SERVFAIL);
    else
        for (const ldns_rdf *at = ldns_rr_owner(q); at;)
            at = signed_answer_one(s, r, at, ldns_rr_get_type(q));
    if (!strstr(name, "silent") && ldns_pkt2wire(&wire, r, &size) == LDNS_STATUS_OK)
        (void)sendto(s->fd, wire, size, 0, to, to_len);
    free(wire);
    free(name);
    free(type);
    ldns_pkt_free(r);
}

static inline void signed_on_query(int fd, short what, void *arg)
{
    unsigned char packet[4096];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ldns_pkt *query = NULL;
    (void)what;
    ssize_t n = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &len);
    if (n > 0 && ldns_wire2pkt(&query, packet, (size_t)n) == LDNS_STATUS_OK)
        signed_reply(arg, query, (const struct sockaddr *)&from, len);
    ldns_pkt_free(query);
}

/* --- begin and end --- */

static inline void signed_dns_begin(struct signed_dns *s, struct event_base *base,
                                    const char *const *lines, size_t num)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    memset(s, 0, sizeof *s);
    s->zone = ldns_dnssec_zone_new();
    s->keys = ldns_key_list_new();
    signed_add(s, "example. 60 IN SOA ns.example. h.example. 1 3600 600 86400 60");
    signed_add(s, "example. 60 IN NS ns.example.");
    signed_add(s, "ns.example. 60 IN A 127.0.0.1");
    signed_add(s, "plain.example. 60 IN NS ns.example.");
    for (size_t i = 0; i < num; i++)
        signed_add(s, lines[i]);
    signed_sign(s);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CU_ASSERT_EQUAL_FATAL(bind(s->fd, (const struct sockaddr *)&at, len), 0);
    (void)getsockname(s->fd, (struct sockaddr *)&at, &len);
    (void)snprintf(s->resolver, sizeof s->resolver, "127.0.0.1@%u", ntohs(at.sin_port));
    s->event = event_new(base, s->fd, EV_READ | EV_PERSIST, signed_on_query, s);
    event_add(s->event, NULL);
}

static inline void signed_dns_end(struct signed_dns *s)
{
    event_free(s->event);
    (void)close(s->fd);
    for (size_t i = 0; i < s->num_plain; i++)
        ldns_rr_free(s->plain[i]);
    ldns_dnssec_zone_deep_free(s->zone);
    ldns_key_list_free(s->keys);
}
#endif
