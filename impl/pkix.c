/* SPDX-License-Identifier: MIT */
/* pkix: the store of trust anchors, and small questions to certificates; see pkix.h. */
#include "impl/pkix.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>

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

bool dna_pkix_store_add_crl(X509_STORE *store, const char *crl_file, char *why, size_t why_len)
{
    char reason[160] = "no PEM revocation list in it";
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    ERR_clear_error();
    if (lookup && X509_load_crl_file(lookup, crl_file, X509_FILETYPE_PEM) > 0)
        return true;
    unsigned long e = ERR_peek_error();
    if (e)
        ERR_error_string_n(e, reason, sizeof reason);
    (void)snprintf(why, why_len, "revocation lists %s: %s", crl_file, reason);
    ERR_clear_error();
    return false;
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
