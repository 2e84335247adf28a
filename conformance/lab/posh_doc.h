/* SPDX-License-Identifier: MIT */
/*
 * Documents of POSH as text (RFC 7711 sections 3.1 and 3.2): fingerprints of certificates, or a
 * reference to where they are. What is said in them is the caller's: nothing is checked but that it
 * can be written. Results are malloc'ed strings, owned by the caller; NULL on failure, with diag.
 */
#ifndef DNA_LAB_POSH_DOC_H
#define DNA_LAB_POSH_DOC_H

#include <stddef.h>

#include "conformance/lab/ca.h"
#include "conformance/lab/diag.h"

/* Well-known paths (RFC 7711 section 8; RFC 7712 section 5.2 for the service names). */
#define DNA_POSH_PATH_SERVER "/.well-known/posh/xmpp-server.json"
#define DNA_POSH_PATH_CLIENT "/.well-known/posh/xmpp-client.json"

/* Hash functions, or-ed, by their names in the registry of textual names. */
enum dna_posh_hash {
    DNA_POSH_SHA1 = 1,        /* "sha-1": withstands nobody */
    DNA_POSH_SHA256 = 2,      /* "sha-256" */
    DNA_POSH_SHA384 = 4,      /* "sha-384" */
    DNA_POSH_SHA512 = 8,      /* "sha-512" */
    DNA_POSH_UNPADDED = 0x80, /* without "=", as in one of the RFC's own examples (section 3.1) */
};

/*
 * dna_posh_fingerprints makes a fingerprints document: one descriptor a certificate, in their
 * order, each with all of the hashes. No certificates give an empty array, no hashes empty
 * descriptors. expires in seconds, as given: 0 and less are for a client to reject.
 */
char *dna_posh_fingerprints(const struct dna_cert *const certs[], size_t num_certs,
                            unsigned hashes, long long expires, struct dna_diag *diag) DNA_CHECKED;

/* dna_posh_reference makes a reference document; url as given, which is UTF-8. */
char *dna_posh_reference(const char *url, long long expires, struct dna_diag *diag) DNA_CHECKED;

#endif
