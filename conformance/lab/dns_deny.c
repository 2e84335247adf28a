/* SPDX-License-Identifier: MIT */
/*
 * What the lab's DNS denies, and its proofs, made up when they are asked for and no wider than
 * the question (RFC 4470), so that a name added later was never denied before:
 *
 *   no such type   NSEC b.example -> \000.b.example, without the type
 *   no such name   NSEC a\255.example -> b\000.example, and the same around *.example
 *   made of *      NSEC a\255.example -> b\000.example
 *   no type of *   the same, and NSEC *.example -> \000.*.example, without the type
 *
 * and likewise with hashes for NSEC3 (RFC 5155), one below and one above.
 */
#include "conformance/lab/dns_sign.h"

#include <string.h>

#include <openssl/evp.h>

#define MAX_TYPES 64u
#define MAX_NAME 255u
#define MAX_LABEL 63u
#define HASH_SIZE 20u
#define PARAM_TTL 60u

/* denial is one proof in the making. */
struct denial {
    const struct dns_store *store;
    const struct dns_name *apex; /* of the zone that denies */
    enum dna_dns_signature manner;
    uint32_t ttl;
    struct dns_reply *out;
};

struct types {
    ldns_rr_type at[MAX_TYPES];
    size_t num;
};

static void add_type(struct types *types, ldns_rr_type type)
{
    for (size_t i = 0; i < types->num; i++) {
        if (types->at[i] == type)
            return;
    }
    if (types->num < MAX_TYPES)
        types->at[types->num++] = type;
}

/* is_denied: a type asked for isn't there, nor what its manner hides, nor the alias it had. */
static bool is_denied(const struct denial *d, const struct dns_key *key, ldns_rr_type type,
                      ldns_rr_type asked)
{
    if (asked == 0)
        return false;
    return type == asked || type == LDNS_RR_TYPE_CNAME ||
           dns_store_manner(d->store, DNS_ANSWERING, key, (uint16_t)type) == DNA_DNS_NODATA;
}

/*
 * types_of lists what the denying zone has at a name, but for what is denied. At the cut to
 * another zone that is NS and perhaps DS (RFC 4035 section 2.3).
 */
static void types_of(const struct denial *d, const struct dns_key *key, ldns_rr_type asked,
                     struct types *out)
{
    const struct dns_name *name = dns_store_find(d->store, key);
    bool nsec3 = d->apex->zone->signing == DNA_DNS_ZONE_NSEC3;
    bool cut = name && name->zone && name != d->apex;
    struct types all = { .num = 0 };

    for (size_t i = 0; name && i < ldns_rr_list_rr_count(name->records); i++) {
        ldns_rr_type type = ldns_rr_get_type(ldns_rr_list_rr(name->records, i));

        if (cut ? type == LDNS_RR_TYPE_DS : name != d->apex || type != LDNS_RR_TYPE_DS)
            add_type(&all, type);
    }
    if (cut) {
        add_type(&all, LDNS_RR_TYPE_NS);
        if (dns_zone_signed(name))
            add_type(&all, LDNS_RR_TYPE_DS);
    }
    if (name == d->apex) {
        add_type(&all, LDNS_RR_TYPE_DNSKEY);
        if (nsec3)
            add_type(&all, LDNS_RR_TYPE_NSEC3PARAM);
    }
    out->num = 0;
    for (size_t i = 0; i < all.num; i++) {
        if (!is_denied(d, key, all.at[i], asked))
            add_type(out, all.at[i]);
    }
    /* With NSEC3 only what is itself signed counts: not an empty name, not NS at a cut. */
    if (!nsec3 || out->num > (cut ? 1u : 0u))
        add_type(out, LDNS_RR_TYPE_RRSIG);
    if (!nsec3)
        add_type(out, LDNS_RR_TYPE_NSEC);
}

static ldns_rdf *bitmap_of(struct types *types, ldns_rr_type kind)
{
    return ldns_dnssec_create_nsec_bitmap(types->at, types->num, kind);
}

/* prove signs one NSEC or NSEC3 and adds it; the owner and the data are taken over. */
static void prove(const struct denial *d, ldns_rr_type kind, ldns_rdf *owner, ldns_rdf **data,
                  size_t num)
{
    ldns_rr_list *set = ldns_rr_list_new();
    ldns_rr *rr = ldns_rr_new();

    ldns_rr_set_owner(rr, owner);
    ldns_rr_set_type(rr, kind);
    ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
    ldns_rr_set_ttl(rr, d->ttl);
    for (size_t i = 0; i < num; i++) {
        d->out->failed |= !data[i];
        ldns_rr_push_rdf(rr, data[i]);
    }
    ldns_rr_list_push_rr(set, rr);
    dns_push_signed(d->store, d->apex, d->manner, LDNS_SECTION_AUTHORITY, set, d->out);
}

/* ---- names next to a name ---- */

static ldns_rdf *make_name(const uint8_t *label, size_t label_len, const uint8_t *rest,
                           size_t rest_len)
{
    uint8_t wire[1 + MAX_LABEL + MAX_NAME];

    if (label_len == 0)
        return ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, rest_len, rest);
    wire[0] = (uint8_t)label_len;
    memcpy(wire + 1, label, label_len);
    memcpy(wire + 1 + label_len, rest, rest_len);
    return ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, 1 + label_len + rest_len, wire);
}

/*
 * name_before is a name in lower case before the given one, with nothing in between that a case
 * would name: "b" -> "a\255", which comes after "az" and all below it.
 */
static ldns_rdf *name_before(const ldns_rdf *name)
{
    const uint8_t *wire = ldns_rdf_data(name), *rest = wire + 1 + wire[0];
    size_t len = wire[0], rest_len = ldns_rdf_size(name) - 1 - len;
    uint8_t label[MAX_LABEL + 1];

    memcpy(label, wire + 1, len);
    if (label[len - 1] == 0)
        return make_name(label, len - 1, rest, rest_len);
    label[len - 1]--;
    if (label[len - 1] == 'Z') /* upper case is not in canonical order */
        label[len - 1] = 'A' - 1;
    if (len < MAX_LABEL && 2 + len + rest_len <= MAX_NAME)
        label[len++] = 0xff;
    return make_name(label, len, rest, rest_len);
}

/* name_after is the first name after the given one and all below it. */
static ldns_rdf *name_after(const struct denial *d, const ldns_rdf *name)
{
    const uint8_t *wire = ldns_rdf_data(name), *rest = wire + 1 + wire[0];
    size_t len = wire[0], rest_len = ldns_rdf_size(name) - 1 - len;
    uint8_t label[MAX_LABEL + 1];

    memcpy(label, wire + 1, len);
    if (len < MAX_LABEL && 2 + len + rest_len <= MAX_NAME) {
        label[len++] = 0;
        return make_name(label, len, rest, rest_len);
    }
    while (len > 0 && label[len - 1] == 0xff)
        len--;
    if (len == 0)
        return ldns_rdf_clone(d->apex->zone->name); /* the last of the zone */
    label[len - 1]++;
    if (label[len - 1] == 'A')
        label[len - 1] = 'Z' + 1;
    return make_name(label, len, rest, rest_len);
}

/* name_under is the very next name: the first below it. */
static ldns_rdf *name_under(const struct denial *d, const ldns_rdf *name)
{
    size_t len = ldns_rdf_size(name);

    if (2 + len > MAX_NAME)
        return name_after(d, name);
    return make_name((const uint8_t *)"", 1, ldns_rdf_data(name), len);
}

/* ---- NSEC ---- */

static void add_nsec(const struct denial *d, ldns_rdf *owner, ldns_rdf *next, ldns_rr_type asked)
{
    struct types types;
    struct dns_key key;
    ldns_rdf *data[2];

    dns_key_of(owner, &key);
    types_of(d, &key, asked, &types);
    data[0] = next;
    data[1] = bitmap_of(&types, LDNS_RR_TYPE_NSEC);
    prove(d, LDNS_RR_TYPE_NSEC, owner, data, 2);
}

static void nsec_match(const struct denial *d, const ldns_rdf *name, ldns_rr_type asked)
{
    struct dns_key key;
    bool cut;

    dns_key_of(name, &key);
    /* What is below a cut is not this zone's to deny. */
    cut = dns_store_apex(d->store, &key) != d->apex;
    add_nsec(d, ldns_rdf_clone(name), cut ? name_after(d, name) : name_under(d, name), asked);
}

static void nsec_cover(const struct denial *d, const ldns_rdf *name)
{
    add_nsec(d, name_before(name), name_after(d, name), 0);
}

/* ---- NSEC3 ---- */

struct hash {
    uint8_t at[HASH_SIZE];
};

static struct hash hash_of(const struct denial *d, const ldns_rdf *name)
{
    struct hash hash = { { 0 } };

    if (!EVP_Digest(ldns_rdf_data(name), ldns_rdf_size(name), hash.at, NULL, EVP_sha1(), NULL))
        d->out->failed = true;
    return hash;
}

/* next_hash and last_hash count round the ring of hashes. */
static struct hash next_hash(struct hash hash)
{
    for (size_t i = HASH_SIZE; i-- > 0 && ++hash.at[i] == 0;)
        ;
    return hash;
}

static struct hash last_hash(struct hash hash)
{
    for (size_t i = HASH_SIZE; i-- > 0 && hash.at[i]-- == 0;)
        ;
    return hash;
}

/* push_param makes the data that NSEC3 and NSEC3PARAM begin with; returns how many. */
static size_t push_param(ldns_rdf **data)
{
    data[0] = ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8, 1); /* SHA-1 */
    data[1] = ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8, 0); /* no flags */
    data[2] = ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, 0);
    data[3] = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_NSEC3_SALT, 1, "");
    return 4;
}

ldns_rr *dns_nsec3param(const struct dns_zone *zone)
{
    ldns_rr *rr = ldns_rr_new();
    ldns_rdf *data[4];
    size_t num = push_param(data);

    ldns_rr_set_owner(rr, ldns_rdf_clone(zone->name));
    ldns_rr_set_type(rr, LDNS_RR_TYPE_NSEC3PARAM);
    ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
    ldns_rr_set_ttl(rr, PARAM_TTL);
    for (size_t i = 0; i < num; i++)
        ldns_rr_push_rdf(rr, data[i]);
    return rr;
}

static void add_nsec3(const struct denial *d, struct hash from, struct hash to,
                      struct types *types)
{
    const ldns_rdf *zone = d->apex->zone->name;
    uint8_t next[1 + HASH_SIZE];
    char label[40];
    ldns_rdf *data[6];
    size_t num = push_param(data);

    if (ldns_b32_ntop_extended_hex(from.at, HASH_SIZE, label, sizeof label) != 32)
        d->out->failed = true;
    next[0] = HASH_SIZE;
    memcpy(next + 1, to.at, HASH_SIZE);
    data[num++] = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_NSEC3_NEXT_OWNER, sizeof next, next);
    data[num++] = bitmap_of(types, LDNS_RR_TYPE_NSEC3);
    prove(d, LDNS_RR_TYPE_NSEC3,
          make_name((const uint8_t *)label, 32, ldns_rdf_data(zone), ldns_rdf_size(zone)), data,
          num);
}

static void nsec3_match(const struct denial *d, const ldns_rdf *name, ldns_rr_type asked)
{
    struct hash hash = hash_of(d, name);
    struct types types;
    struct dns_key key;

    dns_key_of(name, &key);
    types_of(d, &key, asked, &types);
    add_nsec3(d, hash, next_hash(hash), &types);
}

static void nsec3_cover(const struct denial *d, const ldns_rdf *name)
{
    struct hash hash = hash_of(d, name);
    struct types none = { .num = 0 };

    add_nsec3(d, last_hash(hash), next_hash(hash), &none);
}

/* ---- denials ---- */

static ldns_rdf *wildcard_of(const ldns_rdf *name)
{
    size_t len = ldns_rdf_size(name);

    return 2 + len > MAX_NAME ? NULL
                              : make_name((const uint8_t *)"*", 1, ldns_rdf_data(name), len);
}

/* place is where a name that doesn't exist would be, in the words of RFC 5155 section 1.3. */
struct place {
    ldns_rdf *closest;  /* the closest encloser */
    ldns_rdf *next;     /* the next closer name, which doesn't exist */
    ldns_rdf *wildcard; /* the source of synthesis, NULL if it would be too long */
};

/* find_place does it for a name in lower case, which is not the root. */
static void find_place(const struct denial *d, const ldns_rdf *name, struct place *out)
{
    struct dns_key key;

    out->next = ldns_rdf_clone(name);
    out->closest = ldns_dname_left_chop(out->next);
    for (dns_key_of(out->closest, &key);
         !dns_store_exists(d->store, &key) && dns_store_find(d->store, &key) != d->apex &&
         key.len > 0;
         dns_key_of(out->closest, &key)) {
        ldns_rdf_deep_free(out->next);
        out->next = out->closest;
        out->closest = ldns_dname_left_chop(out->next);
    }
    out->wildcard = wildcard_of(out->closest);
}

static void leave_place(struct place *place)
{
    ldns_rdf_deep_free(place->wildcard);
    ldns_rdf_deep_free(place->next);
    ldns_rdf_deep_free(place->closest);
}

/*
 * no_name proves that a name doesn't exist: not the closest ancestor of it that doesn't exist
 * either, and no wildcard beside that one. With NSEC3 the closest that exists is named too.
 */
static void no_name(const struct denial *d, const ldns_rdf *name)
{
    bool nsec3 = d->apex->zone->signing == DNA_DNS_ZONE_NSEC3;
    struct place place;

    find_place(d, name, &place);
    if (nsec3)
        nsec3_match(d, place.closest, 0);
    (nsec3 ? nsec3_cover : nsec_cover)(d, place.next);
    if (place.wildcard && ldns_rdf_compare(place.wildcard, place.next) != 0)
        (nsec3 ? nsec3_cover : nsec_cover)(d, place.wildcard);
    leave_place(&place);
}

/* no_type_of_wildcard proves it by the wildcard's own types, and that nothing is closer. */
static void no_type_of_wildcard(const struct denial *d, const ldns_rdf *name, ldns_rr_type type)
{
    bool nsec3 = d->apex->zone->signing == DNA_DNS_ZONE_NSEC3;
    struct place place;

    find_place(d, name, &place);
    if (nsec3)
        nsec3_match(d, place.closest, 0);
    (nsec3 ? nsec3_cover : nsec_cover)(d, place.next);
    (nsec3 ? nsec3_match : nsec_match)(d, place.wildcard, type);
    leave_place(&place);
}

/* soa_of copies the witness; ttl: how long a denial counts (RFC 9077). */
static ldns_rr_list *soa_of(const struct denial *d, uint32_t *ttl)
{
    ldns_rr_list *set = ldns_rr_list_new();

    *ttl = 1;
    for (size_t i = 0; i < ldns_rr_list_rr_count(d->apex->records); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(d->apex->records, i);

        if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_SOA)
            continue;
        *ttl = ldns_rdf2native_int32(ldns_rr_rdf(rr, 6));
        *ttl = *ttl < ldns_rr_ttl(rr) ? *ttl : ldns_rr_ttl(rr);
        ldns_rr_list_push_rr(set, ldns_rr_clone(rr));
    }
    return set;
}

static bool is_proved(const struct denial *d)
{
    return d->out->dnssec_ok && dns_zone_signed(d->apex) && d->manner != DNA_DNS_SIGN_STRIPPED &&
           d->manner != DNA_DNS_SIGN_UNPROVED;
}

void dns_prove_expansion(const struct dns_store *store, const ldns_rdf *owner, ldns_rr_type type,
                         const struct dns_name *wildcard, struct dns_reply *out)
{
    struct denial d = { .store = store, .out = out };
    struct place place;
    struct dns_key key;
    ldns_rdf *name;

    dns_key_of(owner, &key);
    d.manner = dns_store_signing(store, &key, wildcard, (uint16_t)type);
    d.apex = dns_store_apex(store, &key);
    if (!is_proved(&d))
        return;
    ldns_rr_list_deep_free(soa_of(&d, &d.ttl));
    name = ldns_rdf_clone(owner);
    ldns_dname2canonical(name);
    find_place(&d, name, &place);
    (d.apex->zone->signing == DNA_DNS_ZONE_NSEC3 ? nsec3_cover : nsec_cover)(&d, place.next);
    leave_place(&place);
    ldns_rdf_deep_free(name);
}

static void prove_denial(const struct denial *d, const ldns_rdf *name, ldns_rr_type type,
                         bool name_exists, bool by_wildcard)
{
    if (by_wildcard)
        no_type_of_wildcard(d, name, type);
    else if (!name_exists && ldns_rdf_size(name) > 1)
        no_name(d, name);
    else if (d->apex->zone->signing == DNA_DNS_ZONE_NSEC3)
        nsec3_match(d, name, type);
    else
        nsec_match(d, name, type);
}

void dns_deny(const struct dns_store *store, const ldns_rdf *owner, ldns_rr_type type,
              bool name_exists, struct dns_reply *out)
{
    struct denial d = { .store = store, .out = out };
    const struct dns_name *above, *wildcard;
    ldns_rr_list *soa;
    struct dns_key key;
    ldns_rdf *name;

    dns_key_of(owner, &key);
    wildcard = name_exists ? dns_store_wildcard(store, &key) : NULL;
    d.manner = dns_store_signing(store, &key, wildcard, (uint16_t)type);
    d.apex = dns_store_apex(store, &key);
    /* An apex can be denied, and its DS too, by the zone above only. */
    above = dns_store_apex_of(store, &key, name_exists ? type : LDNS_RR_TYPE_DS);
    if (out->dnssec_ok && dns_zone_signed(above))
        d.apex = above;
    ldns_pkt_set_rcode(out->packet, name_exists ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN);
    if (!d.apex)
        return;
    soa = soa_of(&d, &d.ttl);
    dns_push_signed(d.store, d.apex, d.manner, LDNS_SECTION_AUTHORITY, soa, d.out);
    if (!is_proved(&d))
        return;
    name = ldns_rdf_clone(owner);
    ldns_dname2canonical(name);
    prove_denial(&d, name, type, name_exists, wildcard != NULL);
    ldns_rdf_deep_free(name);
}
