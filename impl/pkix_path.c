/* SPDX-License-Identifier: MIT */
/* pkix_path: is the path of a certificate valid (RFC 5280 6.1)? OpenSSL says each fault to note(),
 * which lets it go on, so that all the facts are known and the table can say which one counts. */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/pkix.h"
#include "model/machines.h"

enum { DEPTH_MAX = 10 }; /* of a path, without leaf and anchor */

/* What was noted on one path. */
struct notes {
    struct prooftype_pkix_facts *e;
    char *detail;
    size_t detail_len;
    int unusable_list_at; /* depth of the certificate whose list is not authentic; -1: none */
};

/* OpenSSL has one error for two faults: a key usage that forbids signing is met first as this. */
static bool only_usage_forbids(X509 *x)
{
    return x && (X509_get_extension_flags(x) & EXFLAG_CA) &&
           !(X509_get_key_usage(x) & KU_KEY_CERT_SIGN);
}

static enum dna_pkix_path path_fault(int error, X509 *x)
{
    switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return DNA_PATH_SELF_SIGNED;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
        return DNA_PATH_NONE;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH:
    case X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM:
        return DNA_PATH_SIGNATURE;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return DNA_PATH_WEAK;
    case X509_V_ERR_INVALID_CA:
        return only_usage_forbids(x) ? DNA_PATH_KEY_USAGE : DNA_PATH_CA;
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        return DNA_PATH_CA;
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        return DNA_PATH_KEY_USAGE;
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
        return DNA_PATH_NAME_CONSTRAINTS;
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
        return DNA_PATH_EXTENSION;
    default:
        return DNA_PATH_OTHER;
    }
}

static enum dna_pkix_dates date_fault(int error)
{
    return error == X509_V_ERR_CERT_NOT_YET_VALID ? DNA_DATES_EARLY
           : error == X509_V_ERR_CERT_HAS_EXPIRED ? DNA_DATES_LATE
                                                  : DNA_DATES_GOOD;
}

static enum dna_pkix_listed list_fault(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_REVOKED:
        return DNA_LISTED_REVOKED;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
        return DNA_LISTED_NO_LIST;
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
        return DNA_LISTED_UNUSABLE;
    default:
        return DNA_LISTED_NOT;
    }
}

static void tell(struct notes *n, int error, int depth)
{
    (void)snprintf(n->detail, n->detail_len, "%s (certificate %d of the path)",
                   X509_verify_cert_error_string(error), depth + 1);
}

/* The end of a path that OpenSSL took out of the store. */
static bool is_anchor(X509_STORE_CTX *ctx, int depth)
{
    int num = sk_X509_num(X509_STORE_CTX_get0_chain(ctx));
    return depth == num - 1 && X509_STORE_CTX_get_num_untrusted(ctx) < num;
}

/* An outdated list that names a certificate still says that it was revoked; one that is not
 * authentic says nothing. */
static void note_list(struct notes *n, X509_STORE_CTX *ctx, int error, int depth)
{
    enum dna_pkix_listed found = list_fault(error);
    uint32_t *listed = &n->e->listed;
    if (is_anchor(ctx, depth))
        return; /* an anchor is trusted as it is (RFC 5280 6.1.1) */
    if (found == DNA_LISTED_UNUSABLE && error != X509_V_ERR_CRL_HAS_EXPIRED)
        n->unusable_list_at = depth;
    if (found == DNA_LISTED_REVOKED && n->unusable_list_at == depth)
        return;
    if (*listed == DNA_LISTED_NOT || found < *listed)
        *listed = found;
}

static int note(int ok, X509_STORE_CTX *ctx)
{
    struct notes *n = X509_STORE_CTX_get_app_data(ctx);
    int error = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);
    if (ok || !n)
        return ok;
    if (list_fault(error) != DNA_LISTED_NOT) {
        note_list(n, ctx, error, depth);
    } else if (date_fault(error) != DNA_DATES_GOOD) {
        if (n->e->dates == DNA_DATES_GOOD && n->e->path == DNA_PATH_GOOD)
            tell(n, error, depth);
        if (n->e->dates == DNA_DATES_GOOD)
            n->e->dates = date_fault(error);
    } else if (n->e->path == DNA_PATH_GOOD) {
        n->e->path = path_fault(error, X509_STORE_CTX_get_current_cert(ctx));
        tell(n, error, depth);
    }
    return 1;
}

/* What OpenSSL takes for strong enough in TLS, which the system's administrator can set. */
static int security_level(void)
{
    static int level = -1;
    if (level < 0) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_method());
        level = ctx ? SSL_CTX_get_security_level(ctx) : 2;
        SSL_CTX_free(ctx);
    }
    return level;
}

static bool serves(const STACK_OF(X509) * path, int purpose)
{
    for (int i = 0; i < sk_X509_num(path); i++)
        if (X509_check_purpose(sk_X509_value(path, i), purpose, i > 0) <= 0)
            return false;
    return sk_X509_num(path) > 0;
}

/* For OpenSSL a certificate with an extension that can't be read has no issuer. */
static bool all_readable(const STACK_OF(X509) * path)
{
    for (int i = 0; i < sk_X509_num(path); i++)
        if (X509_get_extension_flags(sk_X509_value(path, i)) & EXFLAG_INVALID)
            return false;
    return true;
}

static X509_STORE_CTX *context(X509 *leaf, STACK_OF(X509) * untrusted, X509_STORE *store)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!ctx || X509_STORE_CTX_init(ctx, store, leaf, untrusted) != 1)
        abort();
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, security_level());
    X509_STORE_CTX_set_verify_cb(ctx, note);
    return ctx;
}

void dna_pkix_path_facts(X509 *leaf, STACK_OF(X509) * untrusted, X509_STORE *store,
                         bool consult_lists, struct prooftype_pkix_facts *e, char *detail,
                         size_t detail_len)
{
    struct notes n = { e, detail, detail_len, -1 };
    X509_STORE_CTX *ctx = context(leaf, untrusted, store);
    X509_STORE_CTX_set_app_data(ctx, &n);
    if (consult_lists)
        X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    e->path = DNA_PATH_GOOD;
    e->dates = DNA_DATES_GOOD;
    e->listed = DNA_LISTED_NOT;
    detail[0] = '\0';
    int done = X509_verify_cert(ctx);
    STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
    if (!all_readable(path)) {
        e->path = DNA_PATH_OTHER;
        (void)snprintf(detail, detail_len, "an extension cannot be read");
    } else if (e->path == DNA_PATH_GOOD && (done != 1 || sk_X509_num(path) <= 0)) {
        e->path = DNA_PATH_OTHER;
        (void)snprintf(detail, detail_len, "%s",
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    } else if (e->path == DNA_PATH_GOOD && !dna_pkix_policy_holds(path)) {
        e->path = DNA_PATH_OTHER;
        (void)snprintf(detail, detail_len, "it lacks a policy that an issuer requires");
    }
    e->authority = (X509_get_extension_flags(leaf) & EXFLAG_CA) != 0;
    e->for_server = serves(path, X509_PURPOSE_SSL_SERVER);
    e->for_client = serves(path, X509_PURPOSE_SSL_CLIENT);
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
}

int64_t dna_pkix_expires_in(X509 *leaf, STACK_OF(X509) * untrusted, X509_STORE *store)
{
    struct prooftype_pkix_facts e = { 0 };
    char detail[8];
    struct notes n = { &e, detail, sizeof detail, -1 };
    X509_STORE_CTX *ctx = context(leaf, untrusted, store);
    int64_t first = INT64_MAX;
    X509_STORE_CTX_set_app_data(ctx, &n);
    (void)X509_verify_cert(ctx);
    const STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
    for (int i = 0; i < sk_X509_num(path); i++) {
        int days = 0, seconds = 0;
        if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(sk_X509_value(path, i))) != 1)
            days = -1; /* a date that can't be read is no date to rely on */
        int64_t left = (int64_t)days * 86400 + seconds;
        first = left < first ? left : first;
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return first;
}
