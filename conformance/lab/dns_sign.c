/* SPDX-License-Identifier: MIT */
/* Keys and signatures of the lab's DNS. Memory: dns_sign.h. */
#include "conformance/lab/dns_sign.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#define DIGEST_SIZE 32u
#define SIGNATURE_SIZE 64u
#define NUM_REMEMBERED 4096u /* a power of two */
#define KEY_TTL 60u

#define HOUR 3600
#define DAY 86400

struct remembered {
    uint64_t zone; /* the serial of the zone's key; 0: nothing here */
    uint8_t digest[DIGEST_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
};

struct dns_signer {
    int64_t offset_s;
    uint64_t num_keys;
    struct remembered *remembered;
};

struct dns_signer *dns_signer_new(void)
{
    struct dns_signer *signer = calloc(1, sizeof *signer);

    if (!signer)
        return NULL;
    signer->remembered = calloc(NUM_REMEMBERED, sizeof *signer->remembered);
    if (!signer->remembered) {
        free(signer);
        return NULL;
    }
    return signer;
}

void dns_signer_free(struct dns_signer *signer)
{
    if (!signer)
        return;
    free(signer->remembered);
    free(signer);
}

void dns_signer_clock(struct dns_signer *signer, int64_t offset_s)
{
    signer->offset_s = offset_s;
}

struct dns_zone *dns_zone_new(const ldns_rdf *name)
{
    struct dns_zone *zone = calloc(1, sizeof *zone);

    if (zone)
        zone->name = ldns_rdf_clone(name);
    if (!zone || !zone->name) {
        free(zone);
        return NULL;
    }
    ldns_dname2canonical(zone->name);
    return zone;
}

static void key_free(ldns_key *key)
{
    if (key) /* ldns would read through NULL */
        ldns_key_deep_free(key);
}

void dns_zone_free(struct dns_zone *zone)
{
    if (!zone)
        return;
    ldns_rdf_deep_free(zone->name);
    key_free(zone->key);
    ldns_rr_free(zone->dnskey);
    free(zone);
}

bool dns_zone_signed(const struct dns_name *name)
{
    return name && name->zone && name->zone->signing != DNA_DNS_ZONE_UNSIGNED;
}

/* make_key makes the one key that signs all of a zone: both its KSK and its ZSK. */
static bool make_key(struct dns_signer *signer, struct dns_zone *zone)
{
    ldns_rdf *owner;

    if (zone->key)
        return true;
    owner = ldns_rdf_clone(zone->name);
    zone->key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
    if (!zone->key || !owner) {
        key_free(zone->key);
        ldns_rdf_deep_free(owner);
        zone->key = NULL;
        return false;
    }
    ldns_key_set_flags(zone->key, LDNS_KEY_ZONE_KEY | LDNS_KEY_SEP_KEY);
    ldns_key_set_pubkey_owner(zone->key, owner);
    zone->dnskey = ldns_key2rr(zone->key);
    if (!zone->dnskey) {
        key_free(zone->key);
        zone->key = NULL;
        return false;
    }
    ldns_rr_set_ttl(zone->dnskey, KEY_TTL);
    ldns_key_set_keytag(zone->key, ldns_calc_keytag(zone->dnskey));
    zone->serial = ++signer->num_keys;
    return true;
}

ldns_rr *dns_zone_dnskey(struct dns_signer *signer, struct dns_zone *zone)
{
    return make_key(signer, zone) ? ldns_rr_clone(zone->dnskey) : NULL;
}

ldns_rr *dns_zone_ds(struct dns_signer *signer, struct dns_zone *zone)
{
    return make_key(signer, zone) ? ldns_key_rr2ds(zone->dnskey, LDNS_SHA256) : NULL;
}

/*
 * set_dates: the dates keep still for an hour, so that signatures can be remembered. The bad ones
 * are ten days away because validators allow for some skew of the clock, up to a day.
 */
static void set_dates(const struct dns_signer *signer, ldns_key *key,
                      enum dna_dns_signature manner)
{
    int64_t now = (int64_t)time(NULL) + signer->offset_s;
    int64_t from, to;

    now -= now % HOUR;
    from = now - DAY;
    to = now + 7 * DAY;
    if (manner == DNA_DNS_SIGN_EXPIRED) {
        from = now - 20 * DAY;
        to = now - 10 * DAY;
    } else if (manner == DNA_DNS_SIGN_FUTURE) {
        from = now + 10 * DAY;
        to = now + 20 * DAY;
    }
    ldns_key_set_inception(key, (uint32_t)from);
    ldns_key_set_expiration(key, (uint32_t)to);
}

static ldns_rr_list *canonical_form(const ldns_rr_list *rrset)
{
    ldns_rr_list *set = ldns_rr_list_clone(rrset);

    for (size_t i = 0; i < ldns_rr_list_rr_count(set); i++)
        ldns_rr2canonical(ldns_rr_list_rr(set, i));
    ldns_rr_list_sort(set);
    return set;
}

/* signature_over is the 64 bytes over what is in wire, remembered or new; borrowed, or NULL. */
static const uint8_t *signature_over(struct dns_signer *signer, const struct dns_zone *zone,
                                     ldns_buffer *wire)
{
    uint8_t digest[DIGEST_SIZE];
    struct remembered *slot;
    ldns_rdf *made;

    if (!EVP_Digest(ldns_buffer_begin(wire), ldns_buffer_position(wire), digest, NULL,
                    EVP_sha256(), NULL))
        return NULL;
    slot = &signer->remembered[((size_t)digest[0] << 8 | digest[1]) % NUM_REMEMBERED];
    if (slot->zone == zone->serial && memcmp(slot->digest, digest, sizeof digest) == 0)
        return slot->signature;
    made = ldns_sign_public_buffer(wire, zone->key);
    if (!made || ldns_rdf_size(made) != SIGNATURE_SIZE) {
        ldns_rdf_deep_free(made);
        return NULL;
    }
    slot->zone = zone->serial;
    memcpy(slot->digest, digest, sizeof digest);
    memcpy(slot->signature, ldns_rdf_data(made), SIGNATURE_SIZE);
    ldns_rdf_deep_free(made);
    return slot->signature;
}

/* misname makes one field of an RRSIG, which is not signed yet, say what isn't so. */
static void misname(const struct dns_zone *zone, ldns_rr *rrsig, enum dna_dns_signature manner)
{
    ldns_rdf *name;

    if (manner == DNA_DNS_SIGN_TAG) {
        uint16_t tag = ldns_rdf2native_int16(ldns_rr_rrsig_keytag(rrsig));

        ldns_rr_rrsig_set_keytag(rrsig, ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, tag ^ 1));
    } else if (manner == DNA_DNS_SIGN_LABELS) {
        uint8_t num = ldns_rdf2native_int8(ldns_rr_rrsig_labels(rrsig));

        ldns_rr_rrsig_set_labels(rrsig, ldns_native2rdf_int8(LDNS_RDF_TYPE_INT8,
                                                             (uint8_t)(num + 1)));
    } else if (manner == DNA_DNS_SIGN_SIGNER && (name = ldns_dname_new_frm_str("signer"))) {
        if (ldns_dname_cat(name, zone->name) == LDNS_STATUS_OK)
            ldns_rr_rrsig_set_signame(rrsig, name);
        else
            ldns_rdf_deep_free(name);
    }
}

ldns_rr *dns_sign(struct dns_signer *signer, struct dns_zone *zone, const ldns_rr_list *rrset,
                  enum dna_dns_signature manner)
{
    ldns_rr_list *set;
    ldns_buffer *wire;
    const uint8_t *signature = NULL;
    ldns_rdf *data = NULL;
    ldns_rr *rrsig;

    if (!make_key(signer, zone))
        return NULL;
    set_dates(signer, zone->key, manner);
    set = canonical_form(rrset);
    wire = ldns_buffer_new(LDNS_MIN_BUFLEN);
    rrsig = ldns_create_empty_rrsig(set, zone->key);
    if (rrsig)
        misname(zone, rrsig, manner);
    if (set && wire && rrsig && ldns_rrsig2buffer_wire(wire, rrsig) == LDNS_STATUS_OK &&
        ldns_rr_list2buffer_wire(wire, set) == LDNS_STATUS_OK)
        signature = signature_over(signer, zone, wire);
    if (signature)
        data = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_B64, SIGNATURE_SIZE, signature);
    if (data && manner == DNA_DNS_SIGN_BAD)
        ldns_rdf_data(data)[SIGNATURE_SIZE / 2] ^= 1;
    if (data) {
        ldns_rr_rrsig_set_sig(rrsig, data);
        ldns_rdf_deep_free(ldns_rr_owner(rrsig));
        ldns_rr_set_owner(rrsig, ldns_rdf_clone(ldns_rr_owner(ldns_rr_list_rr(rrset, 0))));
    } else {
        ldns_rr_free(rrsig);
        rrsig = NULL;
    }
    ldns_rr_list_deep_free(set);
    ldns_buffer_free(wire);
    return rrsig;
}

void dns_push_signature(const struct dns_store *store, const struct dns_name *apex,
                        enum dna_dns_signature manner, ldns_pkt_section section,
                        const ldns_rr_list *rrset, struct dns_reply *out)
{
    ldns_rr *rrsig;

    if (!out->dnssec_ok || !dns_zone_signed(apex) || manner == DNA_DNS_SIGN_STRIPPED ||
        ldns_rr_list_rr_count(rrset) == 0)
        return;
    rrsig = dns_sign(store->signer, apex->zone, rrset, manner);
    if (rrsig)
        ldns_pkt_push_rr(out->packet, section, rrsig);
    else
        out->failed = true;
}

void dns_push_signed(const struct dns_store *store, const struct dns_name *apex,
                     enum dna_dns_signature manner, ldns_pkt_section section, ldns_rr_list *rrset,
                     struct dns_reply *out)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(rrset); i++)
        ldns_pkt_push_rr(out->packet, section, ldns_rr_list_rr(rrset, i));
    dns_push_signature(store, apex, manner, section, rrset, out);
    ldns_rr_list_free(rrset); /* the records are the packet's now */
}
