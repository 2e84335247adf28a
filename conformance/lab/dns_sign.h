/* SPDX-License-Identifier: MIT */
/*
 * Signatures of the lab's DNS, made when they are asked for. Private to the dns_*.c files.
 *
 *   rrset -> canonical form (RFC 4034 section 6) -> remembered? -> ECDSA P-256 -> RRSIG
 *
 * What is remembered is found by a digest of all that was signed, so a change of records, keys or
 * dates can never bring up a signature over something else.
 */
#ifndef DNA_LAB_DNS_SIGN_H
#define DNA_LAB_DNS_SIGN_H

#include "conformance/lab/dns_store.h"

/* dns_zone is what an apex knows of its zone. */
struct dns_zone {
    enum dna_dns_zone_signing signing;
    ldns_rdf *name;   /* in lower case */
    ldns_key *key;    /* NULL until it is first needed */
    ldns_rr *dnskey;  /* the key's public half */
    uint64_t serial;  /* no two keys of a signer have the same */
};

struct dns_signer *dns_signer_new(void);
void dns_signer_free(struct dns_signer *signer);
void dns_signer_clock(struct dns_signer *signer, int64_t offset_s);

/* dns_zone_new is a zone signed with NSEC, NULL when memory is out. */
struct dns_zone *dns_zone_new(const ldns_rdf *name);
void dns_zone_free(struct dns_zone *zone);

/* dns_zone_signed says whether a name is the apex of a signed zone. */
bool dns_zone_signed(const struct dns_name *name);

/* The records of a zone's key, new ones; NULL when no key could be made. */
ldns_rr *dns_zone_dnskey(struct dns_signer *signer, struct dns_zone *zone);
ldns_rr *dns_zone_ds(struct dns_signer *signer, struct dns_zone *zone);

/*
 * dns_sign makes the RRSIG of a zone over records of one owner, type and TTL. NULL when it
 * could not be made. Not for DNA_DNS_SIGN_STRIPPED.
 */
ldns_rr *dns_sign(struct dns_signer *signer, struct dns_zone *zone, const ldns_rr_list *rrset,
                  enum dna_dns_signature manner);

/* dns_nsec3param is the record that says which hashes an NSEC3 zone uses; a new one. */
ldns_rr *dns_nsec3param(const struct dns_zone *zone);

/*
 * dns_push_signature puts the signature over records of one owner and type into a section of
 * the reply, if the query wants it, the apex is that of a signed zone and the manner leaves it.
 * dns_push_signed puts the records there before, and takes them over.
 */
void dns_push_signature(const struct dns_store *store, const struct dns_name *apex,
                        enum dna_dns_signature manner, ldns_pkt_section section,
                        const ldns_rr_list *rrset, struct dns_reply *out);
void dns_push_signed(const struct dns_store *store, const struct dns_name *apex,
                     enum dna_dns_signature manner, ldns_pkt_section section, ldns_rr_list *rrset,
                     struct dns_reply *out);

/*
 * dns_deny says that there is no such name, or no such type of it: the SOA of the zone is its
 * witness, and NSEC or NSEC3 records its proof (in dns_deny.c).
 */
void dns_deny(const struct dns_store *store, const ldns_rdf *owner, ldns_rr_type type,
              bool name_exists, struct dns_reply *out);

/*
 * dns_prove_expansion proves that records could be made of a wildcard: that neither the name nor
 * anything closer to it exists (RFC 4035 section 3.1.3.3, RFC 5155 section 7.2.6).
 */
void dns_prove_expansion(const struct dns_store *store, const ldns_rdf *owner, ldns_rr_type type,
                         const struct dns_name *wildcard, struct dns_reply *out);

#endif
