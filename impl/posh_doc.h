/* SPDX-License-Identifier: MIT */
/* posh_doc: reading POSH documents (RFC 7711 3.1, 3.2). Strict where the text is (decision A20):
 * one JSON object in UTF-8 without BOM, no member twice, exactly one of "fingerprints" and "url",
 * "expires" a JSON integer (no fraction, no exponent) from 1 to 2^63-1. What the text leaves open
 * is tolerated: further members, hashes that we do not know, the order of members.
 *
 * One value never spoils its document: RFC 7711's own second example has an unpadded hash, which
 * RFC 4648 3.2 forbids. A value that is no base64 of the hash's length just never matches.
 *
 * Pure; the document is the caller's. */
#ifndef DNA_IMPL_POSH_DOC_H
#define DNA_IMPL_POSH_DOC_H
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hashes that count, by their textual names at IANA. md5, sha-1 (broken) and sha-224 (of no use
 * to anyone who has sha-256) are passed over like unknown ones. */
enum dna_posh_hash { DNA_POSH_SHA256, DNA_POSH_SHA384, DNA_POSH_SHA512, DNA_POSH_NUM_HASHES };
const char *dna_posh_hash_name(enum dna_posh_hash h);
const EVP_MD *dna_posh_hash_md(enum dna_posh_hash h);

enum {
    DNA_POSH_MAX_DEPTH = 16,        /* of nested arrays and objects */
    DNA_POSH_MAX_DESCRIPTORS = 256, /* in one document */
    DNA_POSH_MAX_URL = 2000         /* bytes */
};

enum dna_posh_value {
    DNA_POSH_UNSET,
    DNA_POSH_GARBLED, /* there, but no base64 of the right length */
    DNA_POSH_SET
};

struct dna_posh_descriptor {
    enum dna_posh_value has[DNA_POSH_NUM_HASHES];
    unsigned char hash[DNA_POSH_NUM_HASHES][64];
};

enum dna_posh_kind { DNA_POSH_BAD, DNA_POSH_FINGERPRINTS, DNA_POSH_REFERENCE };

struct dna_posh_doc {
    enum dna_posh_kind kind;
    uint64_t expires; /* seconds, never 0 in a sound document */
    struct dna_posh_descriptor *descriptors;
    size_t num;
    char *url;     /* of a reference; https, without user information */
    char why[160]; /* of a bad one: where and what */
};

/* dna_posh_doc_read() reads len bytes; out->kind says what they are. Free what it fills with
 * dna_posh_doc_cleanup(). */
void dna_posh_doc_read(struct dna_posh_doc *out, const char *body, size_t len);
void dna_posh_doc_cleanup(struct dna_posh_doc *doc);

/* dna_posh_doc_match() compares a certificate with each descriptor (RFC 7711 3.3). matched: a hash
 * of a descriptor is the certificate's; mismatched_too: no descriptor matches without another of
 * its hashes that does not. */
struct dna_posh_match {
    bool matched, mismatched_too;
    size_t at;      /* which descriptor matched, from 0 */
    const char *by; /* the hash that did, or NULL */
};
struct dna_posh_match dna_posh_doc_match(const struct dna_posh_doc *doc, X509 *leaf);
#endif
