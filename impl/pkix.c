/* SPDX-License-Identifier: MIT */
/* pkix: see pkix.h. The path check runs with the purpose "TLS server" for either side unless the
 * policy is strict, because public CAs no longer put clientAuth into certificates (decision A34).
 */
#include "impl/pkix.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *dna_pkix_verdict_name(enum dna_pkix_verdict v)
{
    static const char *const names[] = {
        [DNA_PKIX_PROVED] = "proved",           [DNA_PKIX_NO_CERTIFICATE] = "no-certificate",
        [DNA_PKIX_UNTRUSTED] = "untrusted",     [DNA_PKIX_SELF_SIGNED] = "self-signed",
        [DNA_PKIX_NOT_IN_TIME] = "not-in-time", [DNA_PKIX_PURPOSE] = "purpose",
        [DNA_PKIX_BAD_PATH] = "bad-path",       [DNA_PKIX_NAME_MISMATCH] = "name-mismatch",
    };
    return names[v];
}

X509_STORE *dna_pkix_store_new(const char *ca_file, const char *ca_dir, char *why, size_t why_len)
{
    X509_STORE *store = X509_STORE_new();
    if (!store)
        abort();
    ERR_clear_error();
    int ok = ca_file || ca_dir ? X509_STORE_load_locations(store, ca_file, ca_dir)
                               : X509_STORE_set_default_paths(store);
    if (ok == 1)
        return store;
    char reason[160] = "cannot be read";
    unsigned long e = ERR_peek_last_error();
    if (e)
        ERR_error_string_n(e, reason, sizeof reason);
    (void)snprintf(why, why_len, "trust anchors %s: %s",
                   ca_file  ? ca_file
                   : ca_dir ? ca_dir
                            : "",
                   reason);
    ERR_clear_error();
    X509_STORE_free(store);
    return NULL;
}

static enum dna_pkix_verdict classify(int error)
{
    switch (error) {
    case X509_V_OK:
        return DNA_PKIX_PROVED;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return DNA_PKIX_SELF_SIGNED;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return DNA_PKIX_UNTRUSTED;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return DNA_PKIX_NOT_IN_TIME;
    case X509_V_ERR_INVALID_PURPOSE:
        return DNA_PKIX_PURPOSE;
    default:
        return DNA_PKIX_BAD_PATH;
    }
}

static enum dna_pkix_verdict check_path(X509 *leaf, STACK_OF(X509) * untrusted, bool as_client,
                                        X509_STORE *store, char *why, size_t why_len)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!ctx || X509_STORE_CTX_init(ctx, store, leaf, untrusted) != 1)
        abort();
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_purpose(param,
                                  as_client ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER);
    X509_VERIFY_PARAM_set_depth(param, 10);
    int error = X509_V_OK;
    if (X509_verify_cert(ctx) != 1) {
        error = X509_STORE_CTX_get_error(ctx);
        if (error == X509_V_OK)
            error = X509_V_ERR_UNSPECIFIED;
    }
    (void)snprintf(why, why_len, "%s", X509_verify_cert_error_string(error));
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return classify(error);
}

enum dna_pkix_verdict dna_pkix_check(X509 *leaf, STACK_OF(X509) * untrusted, const char *domain,
                                     enum dna_pkix_service service, bool peer_is_client,
                                     X509_STORE *store, const struct dna_pkix_policy *policy,
                                     char *why, size_t why_len)
{
    if (!leaf) {
        (void)snprintf(why, why_len, "no certificate was presented");
        return DNA_PKIX_NO_CERTIFICATE;
    }
    if (policy->subject_required && X509_NAME_entry_count(X509_get_subject_name(leaf)) == 0) {
        (void)snprintf(why, why_len, "the certificate has an empty subject");
        return DNA_PKIX_BAD_PATH;
    }
    bool as_client = peer_is_client && policy->strict_client_eku;
    enum dna_pkix_verdict v = check_path(leaf, untrusted, as_client, store, why, why_len);
    if (v != DNA_PKIX_PROVED)
        return v;
    if (!dna_pkix_names(leaf, domain, service, policy)) {
        (void)snprintf(why, why_len, "the certificate does not name %s", domain);
        return DNA_PKIX_NAME_MISMATCH;
    }
    (void)snprintf(why, why_len, "path and name are right for %s", domain);
    return DNA_PKIX_PROVED;
}

enum dna_pkix_verdict dna_pkix_proves(SSL *ssl, const char *domain, enum dna_pkix_service service,
                                      bool peer_is_client, X509_STORE *store,
                                      const struct dna_pkix_policy *policy, char *why,
                                      size_t why_len)
{
    X509 *leaf = ssl ? SSL_get0_peer_certificate(ssl) : NULL;
    STACK_OF(X509) *chain = ssl ? SSL_get_peer_cert_chain(ssl) : NULL;
    return dna_pkix_check(leaf, chain, domain, service, peer_is_client, store, policy, why,
                          why_len);
}

bool dna_pkix_fingerprint(X509 *leaf, char out[65])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!leaf || X509_digest(leaf, EVP_sha256(), sum, &len) != 1 || len != 32)
        return false;
    for (unsigned i = 0; i < len; i++)
        (void)snprintf(out + (size_t)2 * i, 3, "%02x", sum[i]);
    return true;
}
