/* SPDX-License-Identifier: MIT */
/* posh_url: the URIs of POSH: those that are sought, that references name, and that redirects lead
 * to (RFC 7711 3, 3.2, 10). */
#ifndef DNA_IMPL_POSH_URL_H
#define DNA_IMPL_POSH_URL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* dna_posh_url_ok() says whether url is an absolute https URI with a host and without user
 * information, at most DNA_POSH_MAX_URL bytes long; why says what it is not ("is no https URI"). */
bool dna_posh_url_ok(const char *url, char *why, size_t why_len);

/* dna_posh_url_split() finds whom to connect to, by https or http: whether the latter is done is
 * for model/prooftype_posh.def to say. host is a name in A-labels or an address, IPv6 in
 * brackets; full is the URL with that host. False (and why) if the URL is neither, or not ok. Free
 * full with free(). */
bool dna_posh_url_split(const char *url, char host[256], uint16_t *port, char **full, char *why,
                        size_t why_len);

/* dna_posh_url_source() is where the document of domain (A-labels) is (RFC 7711 3); port 443 is
 * left out. Free it with free(). */
char *dna_posh_url_source(const char *domain, const char *service, uint16_t port);
#endif
