/* SPDX-License-Identifier: MIT */
/* dane_match: TLSA records and certificates (RFC 6698 2.1 and 4.1, RFC 7671 5 and 9). Which records
 * are usable, and what of a certificate they match; what follows from that is not said here. Pure:
 * asks nobody and keeps no reference to a certificate. */
#ifndef DNA_IMPL_DANE_MATCH_H
#define DNA_IMPL_DANE_MATCH_H
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "impl/dns.h"
#include "impl/pkix.h"
#include "spec/knobs.h"

/* The usable records of one endpoint. Zeroed: none. Owns copies of their data. */
struct dna_dane_set {
    size_t num, num_seen; /* num_seen: with those that are not usable */
    struct dna_dns_tlsa *records;
};
/* dna_dane_set_take() replaces the set by copies of the records that are usable: usage, selector
 * and matching type are known, the usage is one of K.dane_usages, a digest has its length and a
 * full record holds what its selector says; with K.dane_digest_agility the weaker digest of a
 * usage and selector is dropped (RFC 7671 9). */
void dna_dane_set_take(struct dna_dane_set *set, const struct dna_dns_tlsa *records, size_t num,
                       const struct dna_knobs *k);
/* dna_dane_set_cleanup() frees the records and leaves an empty set. */
void dna_dane_set_cleanup(struct dna_dane_set *set);

/* What the certificate is held against besides the records; borrowed. */
struct dna_dane_terms {
    const char *domain;
    const char *hosts[2]; /* further names that count, NULL: none */
    enum dna_pkix_service service;
    bool peer_is_client;
    X509_STORE *store;
    const struct dna_knobs *knobs; /* what PKIX is with them, it is under PKIX-TA and PKIX-EE */
};

/* What was found; see the facts of model/prooftype_dane.def. */
struct dna_dane_findings {
    bool dane_ee, pkix_ee, dane_ta, pkix_ta, path, named;
    const struct dna_dns_tlsa *record; /* that of the highest usage that matches, as far as it goes;
                                          NULL: none */
    time_t until; /* when the first certificate of its path expires; 0: dates don't count for it */
    char why[120];                     /* why no path, where one was needed and there is none */
};
/* dna_dane_match() holds a certificate and its chain (may be NULL) against the set. Paths are only
 * built for usages that the set has: path is false without a PKIX-TA or PKIX-EE record. */
void dna_dane_match(const struct dna_dane_set *set, X509 *leaf, STACK_OF(X509) * chain,
                    const struct dna_dane_terms *terms, struct dna_dane_findings *out);
#endif
