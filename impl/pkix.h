/* SPDX-License-Identifier: MIT */
/* pkix: does this certificate prove that domain? Path by RFC 5280 (OpenSSL), names by RFC
 * 6120 13.7, RFC 6125 and RFC 9525. Called after the handshake, any number of times per connection.
 * Pure: keeps no reference to anything; the store and the certificates are the caller's. */
#ifndef DNA_IMPL_PKIX_H
#define DNA_IMPL_PKIX_H
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

/* Which service's SRV-IDs and roles count. */
enum dna_pkix_service { DNA_PKIX_XMPP_SERVER, DNA_PKIX_XMPP_CLIENT };

/* What the check says; DNA_PKIX_PROVED alone is success. */
enum dna_pkix_verdict {
    DNA_PKIX_PROVED,
    DNA_PKIX_NO_CERTIFICATE,
    DNA_PKIX_UNTRUSTED,    /* no path to a trust anchor */
    DNA_PKIX_SELF_SIGNED,  /* untrusted, and its own issuer */
    DNA_PKIX_NOT_IN_TIME,  /* expired or not yet valid */
    DNA_PKIX_PURPOSE,      /* extended key usage forbids this role */
    DNA_PKIX_BAD_PATH,     /* constraints, basicConstraints, signature, anything else of RFC 5280 */
    DNA_PKIX_NAME_MISMATCH /* a good path to a certificate for someone else */
};
/* dna_pkix_verdict_name() is the verdict in words for logs, "name-mismatch" for instance. */
const char *dna_pkix_verdict_name(enum dna_pkix_verdict v);

/* What local policy allows (knobs of spec/decisions.def). Zeroed = the reference's defaults. */
struct dna_pkix_policy {
    bool cn_names;          /* CN as last resort where no DNS/SRV/XMPP names are present (A33) */
    bool strict_client_eku; /* a certificate for serverAuth only is refused from a TLS client (A34)
                             */
    bool subject_required;  /* an empty subject is refused (RFC 6120 13.7.1.1, A31) */
    bool any_srv_service;   /* _xmpp-client counts on S2S and the reverse (A34) */
};

/* dna_pkix_store_new() loads trust anchors once: a PEM file and/or a hashed directory; both NULL =
 * the system's. NULL with a reason in why on failure. Free with X509_STORE_free(). */
X509_STORE *dna_pkix_store_new(const char *ca_file, const char *ca_dir, char *why, size_t why_len);

/* dna_pkix_proves() judges the peer of an established TLS session for domain (A- or U-labels, or an
 * IP literal). peer_is_client: the peer was the TLS client. why gets one line for logs, always. */
enum dna_pkix_verdict dna_pkix_proves(SSL *ssl, const char *domain, enum dna_pkix_service service,
                                      bool peer_is_client, X509_STORE *store,
                                      const struct dna_pkix_policy *policy, char *why,
                                      size_t why_len);
/* dna_pkix_check() is the same for a certificate in hand; untrusted may be NULL. */
enum dna_pkix_verdict dna_pkix_check(X509 *leaf, STACK_OF(X509) * untrusted, const char *domain,
                                     enum dna_pkix_service service, bool peer_is_client,
                                     X509_STORE *store, const struct dna_pkix_policy *policy,
                                     char *why, size_t why_len);
/* dna_pkix_names() says whether the certificate names domain at all, whoever issued it. */
bool dna_pkix_names(X509 *leaf, const char *domain, enum dna_pkix_service service,
                    const struct dna_pkix_policy *policy);
/* dna_pkix_fingerprint() writes the certificate's SHA-256 as 64 hex digits and NUL. */
bool dna_pkix_fingerprint(X509 *leaf, char out[65]);
#endif
