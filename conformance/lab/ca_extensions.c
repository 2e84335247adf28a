/* SPDX-License-Identifier: MIT */
/* What a minted certificate says of itself beside its subject: names and usages. */
#include "conformance/lab/ca_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509v3.h>

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

/* ca_text is a name as it is written, but that "%00" stands for a NUL byte inside it, "%empty" for
 * no byte at all. */
ASN1_STRING *ca_text(int type, const char *text)
{
    ASN1_STRING *value = ASN1_STRING_type_new(type);
    char bytes[2 * DNA_CERT_NAME_LEN];
    size_t len = 0;

    if (strcmp(text, "%empty") == 0)
        text = "";
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

GENERAL_NAME *ca_other_name(int nid, int string_type, const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_TYPE *value = ASN1_TYPE_new();
    ASN1_STRING *string = ca_text(string_type, text);

    if (!name || !value || !string) {
        GENERAL_NAME_free(name);
        ASN1_TYPE_free(value);
        ASN1_STRING_free(string);
        return NULL;
    }
    ASN1_TYPE_set(value, string_type, string);
    if (!GENERAL_NAME_set0_othername(name, OBJ_nid2obj(nid), value)) {
        GENERAL_NAME_free(name);
        return NULL;
    }
    return name;
}

GENERAL_NAME *ca_dir_name(const char *text)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    X509_NAME *value = X509_NAME_new();
    const char *equals = strchr(text, '=');
    char type[32];

    snprintf(type, sizeof type, "%.*s", equals ? (int)(equals - text) : 0, text);
    if (!name || !value || !equals ||
        !X509_NAME_add_entry_by_txt(value, type, MBSTRING_UTF8,
                                    (const unsigned char *)equals + 1, -1, -1, 0)) {
        GENERAL_NAME_free(name);
        X509_NAME_free(value);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, GEN_DIRNAME, value);
    return name;
}

/* push takes name, which may be NULL for want of memory. */
static int push(GENERAL_NAMES *names, GENERAL_NAME *name)
{
    if (name && sk_GENERAL_NAME_push(names, name))
        return 0;
    GENERAL_NAME_free(name);
    return -1;
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
    return push(names, ca_other_name(NID_SRVName, V_ASN1_IA5STRING, service));
}

/* An otherName of the type SRVName whose value is NULL in depth sequences: no text at all. */
static int add_nested(GENERAL_NAMES *names, unsigned depth)
{
    unsigned char der[4 * 4000 + 2], *start = der + sizeof der - 2;
    GENERAL_NAME *name = GENERAL_NAME_new();
    const unsigned char *at;
    ASN1_TYPE *value;

    start[0] = V_ASN1_NULL;
    start[1] = 0;
    for (unsigned i = 0; i < depth; i++) {
        size_t len = (size_t)(der + sizeof der - start);

        *--start = (unsigned char)(len % 256);
        if (len > 255)
            *--start = (unsigned char)(len / 256);
        if (len > 127)
            *--start = len > 255 ? 0x82 : 0x81;
        *--start = V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED;
    }
    at = start;
    value = d2i_ASN1_TYPE(NULL, &at, der + sizeof der - start);
    if (!name || !value || !GENERAL_NAME_set0_othername(name, OBJ_nid2obj(NID_SRVName), value)) {
        GENERAL_NAME_free(name);
        ASN1_TYPE_free(value);
        return -1;
    }
    return push(names, name);
}

static int add_names(X509 *x509, const struct dna_cert_spec *spec)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    int result = names ? 0 : -1;

    /* Before the names that count: whoever looks for those has to pass all of these. */
    for (unsigned i = 0; !result && i < spec->filler; i++) {
        char name[64];

        snprintf(name, sizeof name, "f%04u.filler.example", i);
        result = add_general(names, GEN_DNS, ca_text(V_ASN1_IA5STRING, name));
    }
    if (!result && spec->nested)
        result = add_nested(names, spec->nested);
    for (size_t i = 0; !result && i < spec->dns.num; i++)
        result = add_general(names, GEN_DNS, ca_text(V_ASN1_IA5STRING, spec->dns.at[i]));
    for (size_t i = 0; !result && i < spec->srv.num; i++)
        result = add_srv(names, spec->srv.at[i]);
    for (size_t i = 0; !result && i < spec->xmpp.num; i++)
        result = push(names, ca_other_name(NID_XmppAddr, V_ASN1_UTF8STRING, spec->xmpp.at[i]));
    for (size_t i = 0; !result && i < spec->ip.num; i++)
        result = add_ip(names, spec->ip.at[i]);
    for (size_t i = 0; !result && i < spec->utf8.num; i++)
        result = add_general(names, GEN_DNS, ca_text(V_ASN1_IA5STRING, spec->utf8.at[i]));
    for (size_t i = 0; !result && i < spec->uri.num; i++)
        result = add_general(names, GEN_URI, ca_text(V_ASN1_IA5STRING, spec->uri.at[i]));
    for (size_t i = 0; !result && i < spec->dir.num; i++)
        result = push(names, ca_dir_name(spec->dir.at[i]));
    if (!result && sk_GENERAL_NAME_num(names) > 0 &&
        /* RFC 5280 4.2.1.6: critical where there is no subject */
        X509_add1_ext_i2d(x509, NID_subject_alt_name, names, spec->no_subject, 0) != 1)
        result = -1;
    GENERAL_NAMES_free(names);
    return result;
}

int ca_add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
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

static int add_eku(X509 *x509, X509 *issuer, unsigned eku)
{
    char text[128] = "";

    if (eku & DNA_EKU_SERVER)
        strcat(text, "serverAuth,");
    if (eku & DNA_EKU_CLIENT)
        strcat(text, "clientAuth,");
    if (eku & DNA_EKU_ANY)
        strcat(text, "anyExtendedKeyUsage,");
    if (eku & DNA_EKU_EMAIL)
        strcat(text, "emailProtection,");
    if (eku & DNA_EKU_XMPP)
        strcat(text, "1.3.6.1.5.5.7.8.5,");
    if (!text[0])
        return 0;
    text[strlen(text) - 1] = '\0';
    return ca_add_extension(x509, issuer, NID_ext_key_usage, text);
}

static int add_basic(X509 *x509, X509 *issuer, const struct dna_cert_spec *spec)
{
    char text[64];

    if (spec->no_basic)
        return 0;
    snprintf(text, sizeof text, "critical,CA:%s", spec->ca ? "TRUE" : "FALSE");
    if (spec->has_pathlen)
        snprintf(text + strlen(text), sizeof text - strlen(text), ",pathlen:%u", spec->pathlen);
    return ca_add_extension(x509, issuer, NID_basic_constraints, text);
}

static int add_key_usage(X509 *x509, X509 *issuer, const struct dna_cert_spec *spec)
{
    char text[sizeof spec->key_usage + 16];

    if (strcmp(spec->key_usage, "none") == 0)
        return 0;
    snprintf(text, sizeof text, "critical,%s",
             spec->key_usage[0] ? spec->key_usage
             : spec->ca         ? "keyCertSign,cRLSign,digitalSignature"
                                : "digitalSignature");
    return ca_add_extension(x509, issuer, NID_key_usage, text);
}

/* an extension that nobody knows and that must not be passed over (RFC 5280 4.2) */
static int add_unknown(X509 *x509)
{
    ASN1_OBJECT *type = OBJ_txt2obj("1.3.6.1.4.1.99999.7711", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension = NULL;
    int result = -1;

    if (type && value && ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05", 2) == 1)
        extension = X509_EXTENSION_create_by_OBJ(NULL, type, 1, value);
    if (extension && X509_add_ext(x509, extension, -1) == 1)
        result = 0;
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(type);
    return result;
}

static int add_revocation(X509 *x509, X509 *issuer, const struct dna_cert_spec *spec)
{
    char text[DNA_CERT_NAME_LEN + 16];

    snprintf(text, sizeof text, "OCSP;URI:%s", spec->ocsp);
    if (spec->ocsp[0] && ca_add_extension(x509, issuer, NID_info_access, text))
        return -1;
    snprintf(text, sizeof text, "URI:%s", spec->crl_at);
    return spec->crl_at[0] ? ca_add_extension(x509, issuer, NID_crl_distribution_points, text) : 0;
}

/* an issuer of version 1 has no identifier that could be named */
static int add_key_ids(X509 *x509, X509 *issuer)
{
    if (ca_add_extension(x509, issuer, NID_subject_key_identifier, "hash"))
        return -1;
    if (X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) < 0)
        return 0;
    return ca_add_extension(x509, issuer, NID_authority_key_identifier, "keyid:always");
}

int ca_add_extensions(X509 *x509, X509 *issuer, const struct dna_cert_spec *spec)
{
    if (add_basic(x509, issuer, spec) || add_key_usage(x509, issuer, spec) ||
        add_key_ids(x509, issuer) || add_eku(x509, issuer, spec->eku) ||
        add_revocation(x509, issuer, spec) || ca_add_name_constraints(x509, spec) ||
        ca_add_policies(x509, issuer, spec) ||
        (spec->unknown_critical && add_unknown(x509)))
        return -1;
    return add_names(x509, spec);
}
