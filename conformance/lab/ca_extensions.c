/* SPDX-License-Identifier: MIT */
/* What a minted certificate says beside its subject: names, constraints, usages. */
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

    /* Before the names that count: whoever looks for those has to pass all of these. */
    for (unsigned i = 0; !result && i < spec->filler; i++) {
        char name[64];

        snprintf(name, sizeof name, "f%04u.filler.example", i);
        result = add_general(names, GEN_DNS, text_value(V_ASN1_IA5STRING, name));
    }
    for (size_t i = 0; !result && i < spec->dns.num; i++)
        result = add_general(names, GEN_DNS, text_value(V_ASN1_IA5STRING, spec->dns.at[i]));
    for (size_t i = 0; !result && i < spec->srv.num; i++)
        result = add_srv(names, spec->srv.at[i]);
    for (size_t i = 0; !result && i < spec->xmpp.num; i++)
        result = add_other(names, NID_XmppAddr, V_ASN1_UTF8STRING, spec->xmpp.at[i]);
    for (size_t i = 0; !result && i < spec->ip.num; i++)
        result = add_ip(names, spec->ip.at[i]);
    if (!result && sk_GENERAL_NAME_num(names) > 0 &&
        /* RFC 5280 4.2.1.6: critical where there is no subject */
        X509_add1_ext_i2d(x509, NID_subject_alt_name, names, spec->no_subject, 0) != 1)
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

static int add_eku(X509 *x509, X509 *issuer, unsigned eku)
{
    char text[64] = "";

    if (eku & DNA_EKU_SERVER)
        strcat(text, "serverAuth,");
    if (eku & DNA_EKU_CLIENT)
        strcat(text, "clientAuth,");
    if (eku & DNA_EKU_ANY)
        strcat(text, "anyExtendedKeyUsage,");
    if (!text[0])
        return 0;
    text[strlen(text) - 1] = '\0';
    return add_extension(x509, issuer, NID_ext_key_usage, text);
}

static int add_basic(X509 *x509, X509 *issuer, const struct dna_cert_spec *spec)
{
    char text[64];

    snprintf(text, sizeof text, "critical,CA:%s", spec->ca ? "TRUE" : "FALSE");
    if (spec->has_pathlen)
        snprintf(text + strlen(text), sizeof text - strlen(text), ",pathlen:%u", spec->pathlen);
    return add_extension(x509, issuer, NID_basic_constraints, text);
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
    return add_extension(x509, issuer, NID_key_usage, text);
}

static int add_subtrees(STACK_OF(GENERAL_SUBTREE) **out, const struct dna_cert_names *names)
{
    *out = names->num ? sk_GENERAL_SUBTREE_new_null() : NULL;
    for (size_t i = 0; i < names->num; i++) {
        GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();
        ASN1_STRING *value = text_value(V_ASN1_IA5STRING, names->at[i]);

        if (!*out || !tree || !value || !sk_GENERAL_SUBTREE_push(*out, tree)) {
            GENERAL_SUBTREE_free(tree);
            ASN1_STRING_free(value);
            return -1;
        }
        GENERAL_NAME_set0_value(tree->base, GEN_DNS, value);
    }
    return 0;
}

static int add_name_constraints(X509 *x509, const struct dna_cert_spec *spec)
{
    NAME_CONSTRAINTS *constraints;
    int result = -1;

    if (!spec->permitted.num && !spec->excluded.num)
        return 0;
    constraints = NAME_CONSTRAINTS_new();
    if (constraints && add_subtrees(&constraints->permittedSubtrees, &spec->permitted) == 0 &&
        add_subtrees(&constraints->excludedSubtrees, &spec->excluded) == 0 &&
        X509_add1_ext_i2d(x509, NID_name_constraints, constraints, 1, 0) == 1)
        result = 0;
    NAME_CONSTRAINTS_free(constraints);
    return result;
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

int ca_add_extensions(X509 *x509, X509 *issuer, const struct dna_cert_spec *spec)
{
    if (add_basic(x509, issuer, spec) || add_key_usage(x509, issuer, spec) ||
        add_extension(x509, issuer, NID_subject_key_identifier, "hash") ||
        add_extension(x509, issuer, NID_authority_key_identifier, "keyid:always") ||
        add_eku(x509, issuer, spec->eku) || add_name_constraints(x509, spec) ||
        (spec->unknown_critical && add_unknown(x509)))
        return -1;
    return add_names(x509, spec);
}
