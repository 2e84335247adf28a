/* SPDX-License-Identifier: MIT */
/*
 * The names of the lab's DNS, in canonical order (the order of a signed zone), each with its
 * records, manners and watchers. Private to the dns_*.c files; the store owns all of it.
 *
 * A name is found by its key: its labels from the root down, in lower case, each ended by a zero
 * byte. Keys compare like names do in RFC 4034 section 6.1, and a name lies below another when
 * the other's key is a prefix of its own.
 */
#ifndef DNA_LAB_DNS_STORE_H
#define DNA_LAB_DNS_STORE_H

#include <ldns/ldns.h>

#include "conformance/lab/dns.h"

#define DNS_MAX_KEY 512u

struct dns_zone;
struct dns_signer;

struct dns_key {
    size_t len;
    uint8_t at[DNS_MAX_KEY];
};

/* What a name can have a manner of: how it answers, how its signatures are, how late it answers. */
enum dns_aspect {
    DNS_ANSWERING, /* enum dna_dns_manner */
    DNS_SIGNING,   /* enum dna_dns_signature */
    DNS_LATENESS,  /* milliseconds */
    DNS_AUTHENTIC, /* 1: its answers bear the AD bit */
    DNS_NUM_ASPECTS,
};

struct dns_manner {
    struct dns_manner *next;
    enum dns_aspect aspect;
    uint16_t type;
    unsigned manner; /* zero is the ordinary manner of every aspect */
    bool below;
};

struct dns_watch {
    struct dns_watch *next;
    dna_dns_watch_fn fn;
    void *arg;
};

struct dns_name {
    ldns_rbnode_t node;
    struct dns_key key;
    ldns_rr_list *records; /* never NULL */
    struct dns_manner *manners;
    struct dns_watch *watches;
    struct dns_zone *zone; /* the zone whose apex it is, or NULL */
};

struct dns_store {
    ldns_rbtree_t *names;
    struct dns_signer *signer;
};

int dns_store_init(struct dns_store *store);
void dns_store_cleanup(struct dns_store *store);

/* dns_key_of makes the key of a name in wire form. */
void dns_key_of(const ldns_rdf *name, struct dns_key *out);

/* dns_key_up cuts the lowest label off; false if there was none (the root). */
bool dns_key_up(struct dns_key *key);

/* dns_store_find is the name with that key, or NULL. dns_store_get makes it if it is not there. */
struct dns_name *dns_store_find(const struct dns_store *store, const struct dns_key *key);
struct dns_name *dns_store_get(struct dns_store *store, const struct dns_key *key);

/* dns_store_tidy forgets a name that has nothing left to remember. */
void dns_store_tidy(struct dns_store *store, struct dns_name *name);

/* dns_store_exists says whether there are records at the key or below it. */
bool dns_store_exists(const struct dns_store *store, const struct dns_key *key);

/*
 * dns_store_wildcard is the name whose records a name that doesn't exist has (RFC 4592 section
 * 3.3.1): "*" under the closest that exists. NULL if the name exists, or has nothing to be made of.
 */
struct dns_name *dns_store_wildcard(const struct dns_store *store, const struct dns_key *key);

/* dns_store_remove_tree forgets everything at and below a key. */
void dns_store_remove_tree(struct dns_store *store, const struct dns_key *key);

/* dns_store_manner is the manner that a name has for a type. */
unsigned dns_store_manner(const struct dns_store *store, enum dns_aspect aspect,
                          const struct dns_key *key, uint16_t type);

/* dns_store_signing is the manner of signatures: the name's own, else its wildcard's (or NULL). */
enum dna_dns_signature dns_store_signing(const struct dns_store *store, const struct dns_key *key,
                                         const struct dns_name *wildcard, uint16_t type);

/* dns_store_apex is the closest enclosing zone's apex; never NULL while the root is one. */
struct dns_name *dns_store_apex(const struct dns_store *store, const struct dns_key *key);

/*
 * dns_store_apex_of is the apex of the zone that speaks for a type of a name: the DS records of
 * a zone belong to the zone above it (RFC 4035 section 2.4).
 */
struct dns_name *dns_store_apex_of(const struct dns_store *store, const struct dns_key *key,
                                   ldns_rr_type type);

void dns_name_clear(struct dns_name *name, uint16_t type);

/* dns_reply is what was decided about one query. */
struct dns_reply {
    ldns_pkt *packet; /* NULL: say nothing */
    enum dna_dns_answer answer;
    bool truncate;    /* TC over UDP whatever the size */
    bool dnssec_ok;
    bool failed;      /* memory is out, or OpenSSL refused to sign */
    uint16_t udp_size;
    unsigned delay_ms;
};

/*
 * dns_reply_make decides and composes the answer to a query. Returns 0, or -1 when memory is out
 * or nothing could be signed.
 */
int dns_reply_make(const struct dns_store *store, const ldns_pkt *query, struct dns_reply *out);

#endif
