/* SPDX-License-Identifier: MIT */
/*
 * The lab's certificate authority. A P-256 key takes some 30 microseconds to make, so each
 * certificate has a fresh one (but those of key=rsa): none shares its key by accident.
 */
#include "conformance/lab/ca_internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

struct dna_ca {
    struct dna_cert *root;
    struct dna_cert *other;
    struct dna_cert *bounded;
    struct dna_cert *junk;  /* what chains=junk has beside what belongs there */
    EVP_PKEY *rsa; /* the one key of all that are key=rsa, made when first asked for */
    X509_CRL *crl, *outdated;
    unsigned next_revoked;
    long long clock;
};

static int failed(struct dna_diag *diag, const char *what)
{
    char reason[256] = "out of memory";
    unsigned long error = ERR_peek_last_error();

    if (error)
        ERR_error_string_n(error, reason, sizeof reason);
    ERR_clear_error();
    return dna_diag_set(diag, DNA_CLASS_HARD, "CA: cannot %s: %s", what, reason);
}

static int add_attribute(X509_NAME *name, const char *type, const char *value)
{
    return X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const unsigned char *)value, -1,
                                      -1, 0) ? 0 : -1;
}

/* The common name may hold a NUL byte. */
static int add_common_name(X509_NAME *name, const char *text)
{
    ASN1_STRING *value = ca_text(V_ASN1_UTF8STRING, text);
    int ok = value && X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                                                 ASN1_STRING_get0_data(value),
                                                 ASN1_STRING_length(value), -1, 0);

    ASN1_STRING_free(value);
    return ok ? 0 : -1;
}

/*
 * set_subject chooses the common name: only where nothing else would tell certificates apart. The
 * organization comes first, so that a directoryName subtree of it alone holds the subject.
 */
static int set_subject(X509 *x509, const struct dna_cert_spec *spec)
{
    X509_NAME *subject = X509_get_subject_name(x509);
    bool named = spec->dns.num || spec->srv.num || spec->xmpp.num || spec->ip.num ||
                 spec->utf8.num || spec->uri.num || spec->dir.num || spec->o[0] || spec->ou[0];
    const char *cn = spec->cn[0] ? spec->cn : named ? NULL : "xdna lab certificate";
    char serial[32];
    unsigned char bytes[8];

    if (spec->no_subject)
        return 0;
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return -1;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(serial + 2 * i, 3, "%02x", bytes[i]);
    if (add_attribute(subject, "O", spec->o[0] ? spec->o : "xdna lab") ||
        (spec->ou[0] && add_attribute(subject, "OU", spec->ou)) ||
        (cn && add_common_name(subject, cn)))
        return -1;
    /* The roots keep one subject, so that the untrusted one looks like the trusted one. */
    if (spec->ca && spec->issuer == DNA_ISSUER_SELF)
        return 0;
    return add_attribute(subject, "serialNumber", serial);
}

static int set_serial(X509 *x509, const struct dna_cert_spec *spec)
{
    unsigned char bytes[20];
    int len = spec->serial == DNA_SERIAL_LONG ? 20 : 16, result;
    BIGNUM *number;

    if (spec->revoked)
        return ca_revoked_serial(X509_get_serialNumber(x509), spec->revoked_number);
    if (spec->serial == DNA_SERIAL_ZERO)
        return ASN1_INTEGER_set(X509_get_serialNumber(x509), 0) ? 0 : -1;
    if (RAND_bytes(bytes, len) != 1)
        return -1;
    bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40); /* positive, and of full length */
    number = BN_bin2bn(bytes, len, NULL);
    if (number)
        BN_set_negative(number, spec->serial == DNA_SERIAL_NEGATIVE);
    result = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) ? 0 : -1;
    BN_free(number);
    return result;
}

/* set_dates writes GeneralizedTime from 2050 on, and UTCTime before (RFC 5280 4.1.2.5). */
static int set_dates(X509 *x509, const struct dna_cert_spec *spec, time_t now)
{
    if (!ASN1_TIME_set(X509_getm_notBefore(x509), now + (time_t)spec->not_before))
        return -1;
    if (spec->never_ends)
        return ASN1_TIME_set_string(X509_getm_notAfter(x509), "99991231235959Z") == 1 ? 0 : -1;
    return ASN1_TIME_set(X509_getm_notAfter(x509), now + (time_t)spec->not_after) ? 0 : -1;
}

/* spoil_signature changes one bit of the signature and reads the certificate anew. */
static int spoil_signature(X509 **x509)
{
    unsigned char *der = NULL;
    const unsigned char *at;
    int len = i2d_X509(*x509, &der);
    X509 *spoilt;

    if (len <= 0)
        return -1;
    der[len - 1] ^= 1; /* the last byte of ECDSA's s */
    at = der;
    spoilt = d2i_X509(NULL, &at, len);
    OPENSSL_free(der);
    if (!spoilt)
        return -1;
    X509_free(*x509);
    *x509 = spoilt;
    return 0;
}

static const EVP_MD *digest(const struct dna_cert_spec *spec)
{
    return spec->md5 ? EVP_md5() : spec->sha1 ? EVP_sha1() : EVP_sha256();
}

/* build makes and signs; issuer is NULL for a self-signed certificate. */
static int build(struct dna_cert *cert, const struct dna_cert_spec *spec,
                 const struct dna_cert *issuer, time_t now)
{
    X509 *issuer_x509 = issuer ? issuer->x509 : cert->x509;
    EVP_PKEY *issuer_key = issuer ? issuer->key : cert->key;
    long version = spec->version1 ? X509_VERSION_1 : X509_VERSION_3;

    if (X509_set_version(cert->x509, version) != 1 || set_serial(cert->x509, spec) ||
        X509_set_pubkey(cert->x509, cert->key) != 1 || set_subject(cert->x509, spec) ||
        X509_set_issuer_name(cert->x509, X509_get_subject_name(issuer_x509)) != 1)
        return -1;
    if (set_dates(cert->x509, spec, now) ||
        (!spec->version1 && ca_add_extensions(cert->x509, issuer_x509, spec)) ||
        X509_sign(cert->x509, issuer_key, digest(spec)) == 0)
        return -1;
    return spec->bad_signature ? spoil_signature(&cert->x509) : 0;
}

/* set_path lists the issuers up to the root, which it includes. */
static int set_path(struct dna_cert *cert, const struct dna_cert *issuer)
{
    cert->path = issuer->path ? X509_chain_up_ref(issuer->path) : sk_X509_new_null();
    if (!cert->path || !sk_X509_unshift(cert->path, issuer->x509))
        return -1;
    X509_up_ref(issuer->x509);
    return 0;
}

static int show(struct dna_cert *cert, X509 *x509)
{
    if (!cert->chain)
        cert->chain = sk_X509_new_null();
    if (!cert->chain || !sk_X509_push(cert->chain, x509))
        return -1;
    X509_up_ref(x509);
    return 0;
}

/* set_chain lists what is shown: what a verifier needs beside the root, or as the spec says. */
static int set_chain(struct dna_cert *cert, enum dna_cert_chain manner, const struct dna_cert *junk)
{
    int num = sk_X509_num(cert->path); /* -1 for none */

    if (manner == DNA_CHAIN_NONE)
        return 0;
    /* No verifier needs the root, but one that finds its trust in the DNS. */
    if (num > 0 && manner != DNA_CHAIN_FULL)
        num--;
    if (manner == DNA_CHAIN_JUNK && show(cert, junk->x509))
        return -1;
    for (int i = 0; i < num; i++)
        if (show(cert, sk_X509_value(cert->path, manner == DNA_CHAIN_REVERSED ? num - 1 - i : i)))
            return -1;
    return manner == DNA_CHAIN_JUNK ? show(cert, junk->x509) : 0;
}

/*
 * rsa_key is shared, as making one takes the time of a hundred cases, which all wait meanwhile. Of
 * three primes it is made several times faster.
 */
static EVP_PKEY *rsa_key(struct dna_ca *ca)
{
    EVP_PKEY_CTX *context = ca->rsa ? NULL : EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);

    if (context && (EVP_PKEY_keygen_init(context) != 1 ||
                    EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) != 1 ||
                    EVP_PKEY_CTX_set_rsa_keygen_primes(context, 3) != 1 ||
                    EVP_PKEY_generate(context, &ca->rsa) != 1))
        ca->rsa = NULL;
    EVP_PKEY_CTX_free(context);
    return ca->rsa;
}

/* mint's key and junk may be NULL: a fresh key; where the spec doesn't ask for junk. */
static struct dna_cert *mint(const struct dna_cert_spec *spec, const struct dna_cert *issuer,
                             EVP_PKEY *key, const struct dna_cert *junk, time_t now,
                             struct dna_diag *diag)
{
    struct dna_cert *cert = calloc(1, sizeof *cert);

    if (!cert) {
        failed(diag, "make a certificate");
        return NULL;
    }
    cert->refs = 1;
    cert->x509 = X509_new();
    if (key)
        EVP_PKEY_up_ref(key);
    cert->key = key ? key : EVP_EC_gen("P-256");
    if (!cert->x509 || !cert->key || build(cert, spec, issuer, now) ||
        (issuer && set_path(cert, issuer)) || set_chain(cert, spec->chain, junk)) {
        failed(diag, "make a certificate");
        dna_cert_unref(cert);
        return NULL;
    }
    return cert;
}

static int find_named(const char *key, const char *name, dna_cert_find_fn find, void *arg,
                      const struct dna_cert **out, struct dna_diag *diag)
{
    *out = find ? find(name, arg) : NULL;
    if (!*out)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "cert: %s=%s: no certificate of that name "
                            "before this one", key, name);
    return 0;
}

static int check_signature(const struct dna_cert_spec *spec, const struct dna_cert *issuer,
                           struct dna_diag *diag)
{
    if (spec->md5 && !(issuer ? EVP_PKEY_is_a(issuer->key, "RSA") : spec->rsa))
        return dna_diag_set(diag, DNA_CLASS_USAGE,
                            "cert: signature=md5: ECDSA has none; the issuer needs key=rsa");
    return 0;
}

static int check_names(const struct dna_cert_spec *spec, struct dna_diag *diag)
{
    unsigned char bytes[16];

    if (spec->none)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "cert: none is no certificate");
    for (size_t i = 0; i < spec->ip.num; i++) {
        if (inet_pton(AF_INET, spec->ip.at[i], bytes) != 1 &&
            inet_pton(AF_INET6, spec->ip.at[i], bytes) != 1)
            return dna_diag_set(diag, DNA_CLASS_USAGE, "cert: ip=%s is no address",
                                spec->ip.at[i]);
    }
    for (size_t i = 0; i < spec->dns.num; i++) {
        for (const char *at = spec->dns.at[i]; *at; at++) {
            if (!isascii((unsigned char)*at))
                return dna_diag_set(diag, DNA_CLASS_USAGE,
                                    "cert: dns=%s: a dNSName is ASCII (write the A-label)",
                                    spec->dns.at[i]);
        }
    }
    return 0;
}

struct dna_cert *dna_ca_mint(struct dna_ca *ca, const struct dna_cert_spec *spec,
                             dna_cert_find_fn find, void *arg, struct dna_diag *diag)
{
    const struct dna_cert *issuer = NULL, *key_of = NULL;
    struct dna_cert_spec numbered;
    EVP_PKEY *key;

    if (check_names(spec, diag))
        return NULL;
    if (spec->same_key_as[0] &&
        find_named("same-key-as", spec->same_key_as, find, arg, &key_of, diag))
        return NULL;
    switch (spec->issuer) {
    case DNA_ISSUER_CA:
        issuer = ca->root;
        break;
    case DNA_ISSUER_OTHER:
        issuer = ca->other;
        break;
    case DNA_ISSUER_BOUNDED:
        issuer = ca->bounded;
        break;
    case DNA_ISSUER_NAMED:
        if (find_named("issuer", spec->issuer_name, find, arg, &issuer, diag))
            return NULL;
        break;
    case DNA_ISSUER_SELF:
        break;
    }
    if (check_signature(spec, issuer, diag))
        return NULL;
    numbered = *spec;
    if (spec->revoked)
        numbered.revoked_number = ca->next_revoked++ % CA_REVOKED;
    key = key_of ? key_of->key : spec->rsa ? rsa_key(ca) : NULL;
    if (spec->rsa && !key) {
        failed(diag, "make an RSA key");
        return NULL;
    }
    return mint(&numbered, issuer, key, ca->junk, time(NULL) + (time_t)ca->clock, diag);
}

/* mint_bounded makes a trusted root that excludes all domains of the lab from what it may name. */
static struct dna_cert *mint_bounded(const struct dna_cert_spec *root, struct dna_diag *diag)
{
    struct dna_cert_spec spec = *root;

    snprintf(spec.cn, sizeof spec.cn, "xdna lab bounded CA");
    snprintf(spec.excluded.at[spec.excluded.num++], DNA_CERT_NAME_LEN, "example");
    return mint(&spec, NULL, NULL, NULL, time(NULL), diag);
}

struct dna_ca *dna_ca_new(struct dna_diag *diag)
{
    struct dna_cert_spec spec;
    struct dna_ca *ca = calloc(1, sizeof *ca);

    if (!ca) {
        failed(diag, "make the CA");
        return NULL;
    }
    dna_cert_spec_init(&spec);
    snprintf(spec.cn, sizeof spec.cn, "xdna lab CA");
    spec.issuer = DNA_ISSUER_SELF;
    spec.ca = true;
    spec.eku = DNA_EKU_NONE;
    /* Wider than any leaf, also where a case moves the clock by a few years. */
    spec.not_before = -3650 * CA_DAY;
    spec.not_after = 3650 * CA_DAY;
    ca->root = mint(&spec, NULL, NULL, NULL, time(NULL), diag);
    ca->other = ca->root ? mint(&spec, NULL, NULL, NULL, time(NULL), diag) : NULL;
    ca->bounded = ca->other ? mint_bounded(&spec, diag) : NULL;
    spec.ca = false;
    snprintf(spec.cn, sizeof spec.cn, "xdna lab junk");
    ca->junk = ca->bounded ? mint(&spec, NULL, NULL, NULL, time(NULL), diag) : NULL;
    /* As wide as the root's own time, for instances whose clock is moved. */
    ca->crl = ca->junk ? ca_crl_new(ca->root, time(NULL), 3650 * CA_DAY) : NULL;
    ca->outdated = ca->crl ? ca_crl_new(ca->root, time(NULL), -CA_DAY) : NULL;
    if (!ca->outdated) {
        if (ca->junk)
            failed(diag, "make the revocation lists");
        dna_ca_free(ca);
        return NULL;
    }
    return ca;
}

void dna_ca_free(struct dna_ca *ca)
{
    if (!ca)
        return;
    dna_cert_unref(ca->root);
    dna_cert_unref(ca->other);
    dna_cert_unref(ca->bounded);
    dna_cert_unref(ca->junk);
    EVP_PKEY_free(ca->rsa);
    X509_CRL_free(ca->crl);
    X509_CRL_free(ca->outdated);
    free(ca);
}

void dna_ca_clock(struct dna_ca *ca, long long offset)
{
    ca->clock = offset;
}

X509 *dna_ca_root(const struct dna_ca *ca)
{
    return ca->root->x509;
}

X509_CRL *dna_ca_crl(const struct dna_ca *ca)
{
    return ca->crl;
}

X509_CRL *dna_ca_outdated_crl(const struct dna_ca *ca)
{
    return ca->outdated;
}

X509 *dna_ca_other_root(const struct dna_ca *ca)
{
    return ca->other->x509;
}

X509 *dna_ca_bounded_root(const struct dna_ca *ca)
{
    return ca->bounded->x509;
}

struct dna_cert *dna_cert_ref(struct dna_cert *cert)
{
    cert->refs++;
    return cert;
}

void dna_cert_unref(struct dna_cert *cert)
{
    if (!cert || --cert->refs > 0)
        return;
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
    sk_X509_pop_free(cert->chain, X509_free);
    sk_X509_pop_free(cert->path, X509_free);
    free(cert);
}
