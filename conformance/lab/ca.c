/* SPDX-License-Identifier: MIT */
/*
 * The lab's certificate authority. A P-256 key takes some 30 microseconds to make, so each
 * certificate has a fresh one: nothing is pooled, and no two certificates share a key by accident.
 */
#include "conformance/lab/ca.h"

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
#include <openssl/x509v3.h>

#define DAY 86400LL

struct dna_ca {
    struct dna_cert *root;
    struct dna_cert *other;
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

/* add_general puts one more general name into a list, which takes it. */
static int add_general(GENERAL_NAMES *names, int type, void *value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();

    if (!name || !value || !sk_GENERAL_NAME_push(names, name)) {
        GENERAL_NAME_free(name);
        return -1;
    }
    GENERAL_NAME_set0_value(name, type, value);
    return 0;
}

/* text_value is a name as it is written, but that "%00" stands for a NUL byte inside it. */
static ASN1_STRING *text_value(int type, const char *text)
{
    ASN1_STRING *value = ASN1_STRING_type_new(type);
    char bytes[2 * DNA_CERT_NAME_LEN];
    size_t len = 0;

    while (*text && len < sizeof bytes) {
        bool nul = strncmp(text, "%00", 3) == 0;

        bytes[len++] = nul ? '\0' : *text;
        text += nul ? 3 : 1;
    }
    if (value && !ASN1_STRING_set(value, bytes, (int)len)) {
        ASN1_STRING_free(value);
        return NULL;
    }
    return value;
}

static int add_other(GENERAL_NAMES *names, int nid, int string_type, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_TYPE *value = ASN1_TYPE_new();
    ASN1_STRING *string = text_value(string_type, text);

    if (!name || !value || !string) {
        GENERAL_NAME_free(name);
        ASN1_TYPE_free(value);
        ASN1_STRING_free(string);
        return -1;
    }
    ASN1_TYPE_set(value, string_type, string);
    if (!GENERAL_NAME_set0_othername(name, OBJ_nid2obj(nid), value) ||
        !sk_GENERAL_NAME_push(names, name)) {
        GENERAL_NAME_free(name);
        return -1;
    }
    return 0;
}

static int add_ip(GENERAL_NAMES *names, const char *text)
{
    unsigned char bytes[16];
    ASN1_OCTET_STRING *value;
    int len = 4;

    if (inet_pton(AF_INET, text, bytes) != 1) {
        if (inet_pton(AF_INET6, text, bytes) != 1)
            return -1;
        len = 16;
    }
    value = ASN1_OCTET_STRING_new();
    if (!value || !ASN1_OCTET_STRING_set(value, bytes, len)) {
        ASN1_OCTET_STRING_free(value);
        return -1;
    }
    return add_general(names, GEN_IPADD, value);
}

static int add_srv(GENERAL_NAMES *names, const char *text)
{
    char service[DNA_CERT_NAME_LEN + 16];

    /* A name that doesn't say its service means the one between servers. */
    snprintf(service, sizeof service, "%s%s", text[0] == '_' ? "" : "_xmpp-server.", text);
    return add_other(names, NID_SRVName, V_ASN1_IA5STRING, service);
}

static int add_names(X509 *x509, const struct dna_cert_spec *spec)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    int result = names ? 0 : -1;

    for (size_t i = 0; !result && i < spec->dns.num; i++)
        result = add_general(names, GEN_DNS, text_value(V_ASN1_IA5STRING, spec->dns.at[i]));
    for (size_t i = 0; !result && i < spec->srv.num; i++)
        result = add_srv(names, spec->srv.at[i]);
    for (size_t i = 0; !result && i < spec->xmpp.num; i++)
        result = add_other(names, NID_XmppAddr, V_ASN1_UTF8STRING, spec->xmpp.at[i]);
    for (size_t i = 0; !result && i < spec->ip.num; i++)
        result = add_ip(names, spec->ip.at[i]);
    if (!result && sk_GENERAL_NAME_num(names) > 0 &&
        X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0) != 1)
        result = -1;
    GENERAL_NAMES_free(names);
    return result;
}

static int add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension;
    int result;

    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (!extension)
        return -1;
    result = X509_add_ext(x509, extension, -1) == 1 ? 0 : -1;
    X509_EXTENSION_free(extension);
    return result;
}

static int add_extensions(X509 *x509, X509 *issuer, const struct dna_cert_spec *spec)
{
    char eku[64] = "";

    if (add_extension(x509, issuer, NID_basic_constraints,
                      spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE") ||
        add_extension(x509, issuer, NID_key_usage,
                      spec->ca ? "critical,keyCertSign,cRLSign,digitalSignature"
                               : "critical,digitalSignature") ||
        add_extension(x509, issuer, NID_subject_key_identifier, "hash") ||
        add_extension(x509, issuer, NID_authority_key_identifier, "keyid:always"))
        return -1;
    if (spec->eku & DNA_EKU_SERVER)
        strcat(eku, "serverAuth,");
    if (spec->eku & DNA_EKU_CLIENT)
        strcat(eku, "clientAuth,");
    if (spec->eku & DNA_EKU_ANY)
        strcat(eku, "anyExtendedKeyUsage,");
    if (eku[0]) {
        eku[strlen(eku) - 1] = '\0';
        if (add_extension(x509, issuer, NID_ext_key_usage, eku))
            return -1;
    }
    return add_names(x509, spec);
}

/* subject_of chooses the common name: only where nothing else would tell certificates apart. */
static int set_subject(X509 *x509, const struct dna_cert_spec *spec)
{
    X509_NAME *subject = X509_get_subject_name(x509);
    bool named = spec->dns.num || spec->srv.num || spec->xmpp.num || spec->ip.num;
    const char *cn = spec->cn[0] ? spec->cn : named ? NULL : "xdna lab certificate";
    char serial[32];
    unsigned char bytes[8];

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return -1;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(serial + 2 * i, 3, "%02x", bytes[i]);
    /* The roots keep one subject, so that the untrusted one looks like the trusted one. */
    if (!spec->ca || spec->issuer != DNA_ISSUER_SELF) {
        if (!X509_NAME_add_entry_by_txt(subject, "serialNumber", MBSTRING_ASC,
                                        (const unsigned char *)serial, -1, -1, 0))
            return -1;
    }
    if (!X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"xdna lab",
                                    -1, -1, 0))
        return -1;
    if (cn && !X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)cn,
                                          -1, -1, 0))
        return -1;
    return 0;
}

static int set_serial(X509 *x509)
{
    unsigned char bytes[16];
    BIGNUM *number;
    int result;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return -1;
    bytes[0] = (unsigned char)((bytes[0] & 0x3f) | 0x40); /* positive, and of full length */
    number = BN_bin2bn(bytes, sizeof bytes, NULL);
    result = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) ? 0 : -1;
    BN_free(number);
    return result;
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

/* build makes and signs; issuer is NULL for a self-signed certificate. */
static int build(struct dna_cert *cert, const struct dna_cert_spec *spec,
                 const struct dna_cert *issuer, time_t now)
{
    X509 *issuer_x509 = issuer ? issuer->x509 : cert->x509;
    EVP_PKEY *issuer_key = issuer ? issuer->key : cert->key;

    if (X509_set_version(cert->x509, X509_VERSION_3) != 1 || set_serial(cert->x509) ||
        X509_set_pubkey(cert->x509, cert->key) != 1 || set_subject(cert->x509, spec) ||
        X509_set_issuer_name(cert->x509, X509_get_subject_name(issuer_x509)) != 1)
        return -1;
    if (!ASN1_TIME_set(X509_getm_notBefore(cert->x509), now + (time_t)spec->not_before) ||
        !ASN1_TIME_set(X509_getm_notAfter(cert->x509), now + (time_t)spec->not_after))
        return -1;
    if (add_extensions(cert->x509, issuer_x509, spec) ||
        X509_sign(cert->x509, issuer_key, EVP_sha256()) == 0)
        return -1;
    return spec->bad_signature ? spoil_signature(&cert->x509) : 0;
}

/* set_chain lists what a verifier needs beside the root: issuers that are no roots. */
static int set_chain(struct dna_cert *cert, const struct dna_cert *issuer)
{
    if (X509_NAME_cmp(X509_get_subject_name(issuer->x509), X509_get_issuer_name(issuer->x509)) == 0)
        return 0;
    cert->chain = issuer->chain ? X509_chain_up_ref(issuer->chain) : sk_X509_new_null();
    if (!cert->chain || !sk_X509_unshift(cert->chain, issuer->x509))
        return -1;
    X509_up_ref(issuer->x509);
    return 0;
}

static struct dna_cert *mint(const struct dna_cert_spec *spec, const struct dna_cert *issuer,
                             const struct dna_cert *key_of, time_t now, struct dna_diag *diag)
{
    struct dna_cert *cert = calloc(1, sizeof *cert);

    if (!cert) {
        failed(diag, "make a certificate");
        return NULL;
    }
    cert->refs = 1;
    cert->x509 = X509_new();
    if (key_of) {
        EVP_PKEY_up_ref(key_of->key);
        cert->key = key_of->key;
    } else {
        cert->key = EVP_EC_gen("P-256");
    }
    if (!cert->x509 || !cert->key || build(cert, spec, issuer, now) ||
        (issuer && set_chain(cert, issuer))) {
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
    case DNA_ISSUER_NAMED:
        if (find_named("issuer", spec->issuer_name, find, arg, &issuer, diag))
            return NULL;
        break;
    case DNA_ISSUER_SELF:
        break;
    }
    return mint(spec, issuer, key_of, time(NULL) + (time_t)ca->clock, diag);
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
    spec.not_before = -3650 * DAY;
    spec.not_after = 3650 * DAY;
    ca->root = mint(&spec, NULL, NULL, time(NULL), diag);
    ca->other = ca->root ? mint(&spec, NULL, NULL, time(NULL), diag) : NULL;
    if (!ca->other) {
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

X509 *dna_ca_other_root(const struct dna_ca *ca)
{
    return ca->other->x509;
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
    free(cert);
}
