/* SPDX-License-Identifier: MIT */
/* pkix: what a certificate holds: its path by RFC 5280 (OpenSSL), its names by RFC 6120 13.7, RFC
 * 6125, RFC 9525 and RFC 4985. These are the facts of model/prooftype_pkix.def, whose rows say what
 * counts; impl/prooftype_pkix.c runs them. Called after the handshake, any number of times.
 * Pure: keeps no reference to anything; the store and the certificates are the caller's. */
#ifndef DNA_IMPL_PKIX_H
#define DNA_IMPL_PKIX_H
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/knobs.h"

struct prooftype_pkix_facts;

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

/* Values of the facts of the table; what each means is said there. */
enum dna_pkix_path {
    DNA_PATH_GOOD,
    DNA_PATH_NONE,
    DNA_PATH_SELF_SIGNED,
    DNA_PATH_SIGNATURE,
    DNA_PATH_WEAK,
    DNA_PATH_CA,
    DNA_PATH_KEY_USAGE,
    DNA_PATH_NAME_CONSTRAINTS,
    DNA_PATH_EXTENSION,
    DNA_PATH_OTHER
};
enum dna_pkix_dates { DNA_DATES_GOOD, DNA_DATES_EARLY, DNA_DATES_LATE };
enum dna_pkix_listed {
    DNA_LISTED_NOT,
    DNA_LISTED_REVOKED,
    DNA_LISTED_NO_LIST,
    DNA_LISTED_UNUSABLE
};
enum dna_pkix_name { DNA_NAME_NONE, DNA_NAME_DNS, DNA_NAME_IP, DNA_NAME_SRV, DNA_NAME_XMPP };

/* Whom a certificate should name (RFC 6125 6.2). A final dot means nothing, in domain, target or
 * certificate. A domain that is an address ("192.0.2.1", "[2001:db8::1]") is an iPAddress only. */
struct dna_pkix_reference {
    const char *domain; /* A- or U-labels, or an address; borrowed */
    enum dna_pkix_service service;
    const char *target;    /* host of the SRV record that led here; NULL: none did */
    bool target_is_secure; /* that answer was validated (RFC 7673 4.1) */
};

/* dna_pkix_store_new() loads trust anchors once: a PEM file and/or a hashed directory; both NULL =
 * the system's. NULL with a reason in why on failure. Free with X509_STORE_free(). */
X509_STORE *dna_pkix_store_new(const char *ca_file, const char *ca_dir, char *why, size_t why_len);
/* dna_pkix_store_add_crl() adds every revocation list of a PEM file to the store; they are
 * consulted where dna_pkix_path_facts() is asked to, and not read again. False with a reason. */
bool dna_pkix_store_add_crl(X509_STORE *store, const char *crl_file, char *why, size_t why_len);

/* dna_pkix_path_facts() validates the path of leaf at the present time and sets path, dates,
 * listed, authority, for_server and for_client. untrusted may be NULL, hold junk and be in any
 * order.
 * consult_lists: look for every certificate but the trust anchor on the store's revocation lists;
 * else listed is 0. detail gets a line about path, or about dates if path is good, or is left
 * empty. */
void dna_pkix_path_facts(X509 *leaf, STACK_OF(X509) * untrusted, X509_STORE *store,
                         bool consult_lists, struct prooftype_pkix_facts *e, char *detail,
                         size_t detail_len);
/* dna_pkix_policy_holds(): a valid path, leaf first and its anchor last, has the policy that one of
 * its certificates requires, if any does (RFC 5280 4.2.1.11). */
bool dna_pkix_policy_holds(STACK_OF(X509) * path);
/* dna_pkix_name_facts() sets subject, name, other_srv, target and common_name. The search ends with
 * the first identifier that sets name; it is linear in the number of names. */
void dna_pkix_name_facts(X509 *leaf, const struct dna_pkix_reference *ref,
                         struct prooftype_pkix_facts *e);
/* dna_pkix_expires_in() is the number of seconds until the first certificate of leaf's path
 * expires, its trust anchor included (RFC 6120 13.7.2.3); below 0 if one has. What the peer sent
 * but the path does not need is left aside. Without a path to an anchor, those on the way count. */
int64_t dna_pkix_expires_in(X509 *leaf, STACK_OF(X509) * untrusted, X509_STORE *store);

/* The following three run the table for those who have no struct dna_proof. */

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
/* dna_pkix_names() says whether the certificate names domain at all by these knobs, whoever issued
 * it. */
bool dna_pkix_names(X509 *leaf, const char *domain, enum dna_pkix_service service,
                    const struct dna_knobs *knobs);
/* dna_pkix_fingerprint() writes the certificate's SHA-256 as 64 hex digits and NUL. */
bool dna_pkix_fingerprint(X509 *leaf, char out[65]);
#endif
