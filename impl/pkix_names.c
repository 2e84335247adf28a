/* SPDX-License-Identifier: MIT */
/* pkix_names: does a certificate name a domain? RFC 6120 13.7.1.2 asks for DNS-IDs, SRV-IDs and
 * (legacy) XmppAddrs; wildcards are a whole left-most label of a DNS-ID and nothing else (RFC 9525,
 * decision A32). Every string of a certificate is hostile: it may hold NULs, be of the wrong type,
 * or be no UTF-8. */
#include <arpa/inet.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

#include "impl/dns.h"
#include "impl/pkix.h"

enum { NAME_MAX_LEN = 256 };

/* What is looked for: the domain's A-label form, or an address. */
struct reference {
    char ascii[NAME_MAX_LEN];
    const char *service, *other_service;
    unsigned char ip[16];
    int ip_len; /* 0: not an IP literal */
    bool any_service;
};

static bool copy_string(const ASN1_STRING *s, char *out, size_t out_len)
{
    int len = ASN1_STRING_length(s);
    const unsigned char *at = ASN1_STRING_get0_data(s);
    if (len <= 0 || (size_t)len >= out_len || memchr(at, 0, (size_t)len))
        return false;
    memcpy(out, at, (size_t)len);
    out[len] = '\0';
    return true;
}

static bool ascii_only(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f)
            return false;
    return true;
}

static void drop_final_dot(char *s)
{
    size_t n = strlen(s);
    if (n > 1 && s[n - 1] == '.')
        s[n - 1] = '\0';
}

/* "*.example" stands for exactly one label, and never for a whole top-level domain's worth of
 * nothing. */
static bool wildcard_matches(const char *pattern, const char *name)
{
    const char *rest = pattern + 1; /* ".example" */
    const char *dot = strchr(name, '.');
    if (!dot || dot == name || !rest[1] || strchr(rest, '*'))
        return false;
    return strcasecmp(rest, dot) == 0;
}

static bool dns_matches(const char *presented, const char *name, bool wildcards)
{
    char text[NAME_MAX_LEN];
    if (strlen(presented) >= sizeof text || !ascii_only(presented))
        return false;
    strcpy(text, presented);
    drop_final_dot(text);
    if (wildcards && text[0] == '*' && text[1] == '.')
        return wildcard_matches(text, name);
    return !strchr(text, '*') && strcasecmp(text, name) == 0;
}

static bool dns_id(const struct reference *ref, const ASN1_IA5STRING *s)
{
    char text[NAME_MAX_LEN];
    return copy_string(s, text, sizeof text) && dns_matches(text, ref->ascii, true);
}

static bool srv_service_counts(const struct reference *ref, const char *service, size_t len)
{
    const char *names[2] = { ref->service, ref->any_service ? ref->other_service : NULL };
    for (int i = 0; i < 2; i++)
        if (names[i] && strlen(names[i]) == len && strncasecmp(names[i], service, len) == 0)
            return true;
    return false;
}

/* SRV-ID: "_xmpp-server.a.example" (RFC 4985), an IA5String. */
static bool srv_id(const struct reference *ref, const ASN1_TYPE *value)
{
    char text[NAME_MAX_LEN];
    if (value->type != V_ASN1_IA5STRING || !copy_string(value->value.ia5string, text, sizeof text))
        return false;
    const char *dot = strchr(text, '.');
    return text[0] == '_' && dot && srv_service_counts(ref, text + 1, (size_t)(dot - text - 1)) &&
           dns_matches(dot + 1, ref->ascii, false);
}

/* XmppAddr: a JID of a domain alone, a UTF8String, U-labels allowed (RFC 6120 13.7.1.4). */
static bool xmpp_addr(const struct reference *ref, const ASN1_TYPE *value)
{
    char text[NAME_MAX_LEN], ascii[NAME_MAX_LEN];
    if (value->type != V_ASN1_UTF8STRING ||
        !copy_string(value->value.utf8string, text, sizeof text))
        return false;
    if (strpbrk(text, "@/*") || dna_dns_to_ascii(text, ascii, sizeof ascii) != 0)
        return false;
    return strcasecmp(ascii, ref->ascii) == 0;
}

static bool other_name(const struct reference *ref, const OTHERNAME *o)
{
    int nid = OBJ_obj2nid(o->type_id);
    if (!o->value)
        return false;
    if (nid == NID_SRVName)
        return srv_id(ref, o->value);
    return nid == NID_XmppAddr && xmpp_addr(ref, o->value);
}

static bool ip_address(const struct reference *ref, const ASN1_OCTET_STRING *s)
{
    return ASN1_STRING_length(s) == ref->ip_len &&
           memcmp(ASN1_STRING_get0_data(s), ref->ip, (size_t)ref->ip_len) == 0;
}

static bool general_name(const struct reference *ref, const GENERAL_NAME *n)
{
    if (ref->ip_len)
        return n->type == GEN_IPADD && ip_address(ref, n->d.iPAddress);
    if (n->type == GEN_DNS)
        return dns_id(ref, n->d.dNSName);
    return n->type == GEN_OTHERNAME && other_name(ref, n->d.otherName);
}

static bool supported_kind(const GENERAL_NAME *n)
{
    if (n->type == GEN_DNS || n->type == GEN_IPADD || n->type == GEN_URI)
        return true;
    int nid = n->type == GEN_OTHERNAME ? OBJ_obj2nid(n->d.otherName->type_id) : NID_undef;
    return nid == NID_SRVName || nid == NID_XmppAddr;
}

/* CN-ID: the last common name of the subject (RFC 6125 6.4.4), for those whose policy still wants
 * it. */
static bool common_name(const struct reference *ref, X509 *leaf)
{
    X509_NAME *subject = X509_get_subject_name(leaf);
    int at = -1, last = -1;
    while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
        last = at;
    if (last < 0 || ref->ip_len)
        return false;
    char text[NAME_MAX_LEN];
    const ASN1_STRING *s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
    return copy_string(s, text, sizeof text) && dns_matches(text, ref->ascii, true);
}

static bool make_reference(struct reference *ref, const char *domain, enum dna_pkix_service service,
                           const struct dna_pkix_policy *policy)
{
    bool server = service == DNA_PKIX_XMPP_SERVER;
    char bare[INET6_ADDRSTRLEN];
    size_t len = strlen(domain);
    memset(ref, 0, sizeof *ref);
    ref->service = server ? "xmpp-server" : "xmpp-client";
    ref->other_service = server ? "xmpp-client" : "xmpp-server";
    ref->any_service = policy->any_srv_service;
    if (inet_pton(AF_INET, domain, ref->ip) == 1)
        ref->ip_len = 4;
    if (domain[0] == '[' && len > 2 && len - 2 < sizeof bare && domain[len - 1] == ']') {
        memcpy(bare, domain + 1, len - 2);
        bare[len - 2] = '\0';
        if (inet_pton(AF_INET6, bare, ref->ip) != 1)
            return false;
        ref->ip_len = 16;
    }
    return ref->ip_len || dna_dns_to_ascii(domain, ref->ascii, sizeof ref->ascii) == 0;
}

bool dna_pkix_names(X509 *leaf, const char *domain, enum dna_pkix_service service,
                    const struct dna_pkix_policy *policy)
{
    struct reference ref;
    bool found = false, supported = false;
    if (!make_reference(&ref, domain, service, policy))
        return false;
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
        supported |= supported_kind(n);
        found = general_name(&ref, n);
    }
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    return found || (policy->cn_names && !supported && common_name(&ref, leaf));
}
