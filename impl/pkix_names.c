/* SPDX-License-Identifier: MIT */
/* pkix_names: whom does a certificate name? RFC 6120 13.7.1.2 asks for DNS-IDs, SRV-IDs and
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
#include "model/machines.h"

enum { NAME_MAX_LEN = 256 };

/* What is looked for, in A-labels, or an address. */
struct sought {
    char ascii[NAME_MAX_LEN], target[NAME_MAX_LEN]; /* target "": none */
    bool server, target_is_secure;
    unsigned char ip[16];
    int ip_len; /* 0: not an IP literal */
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

/* "*.example" stands for exactly one label, and for nothing else. */
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

static void dns_id(const struct sought *sought, const ASN1_IA5STRING *s,
                   struct prooftype_pkix_facts *e)
{
    char text[NAME_MAX_LEN];
    if (!copy_string(s, text, sizeof text))
        return;
    if (dns_matches(text, sought->ascii, true))
        e->name = DNA_NAME_DNS;
    else if (sought->target[0] && dns_matches(text, sought->target, true))
        e->target = sought->target_is_secure ? 2 : 1;
}

static bool is_service(const char *name, const char *text, size_t len)
{
    return strlen(name) == len && strncasecmp(name, text, len) == 0;
}

/* SRV-ID: "_xmpp-server.a.example" (RFC 4985), an IA5String. */
static void srv_id(const struct sought *sought, const ASN1_TYPE *value,
                   struct prooftype_pkix_facts *e)
{
    char text[NAME_MAX_LEN];
    if (value->type != V_ASN1_IA5STRING || !copy_string(value->value.ia5string, text, sizeof text))
        return;
    const char *dot = strchr(text, '.');
    if (!dot || !dns_matches(dot + 1, sought->ascii, false))
        return;
    bool server = is_service("_xmpp-server", text, (size_t)(dot - text));
    bool client = is_service("_xmpp-client", text, (size_t)(dot - text));
    if (sought->server ? server : client)
        e->name = DNA_NAME_SRV;
    else if (server || client)
        e->other_srv = sought->server ? 1 : 2;
}

/* XmppAddr: a JID of a domain alone, a UTF8String, U-labels allowed (RFC 6120 13.7.1.4). */
static bool xmpp_addr(const struct sought *sought, const ASN1_TYPE *value)
{
    char text[NAME_MAX_LEN], ascii[NAME_MAX_LEN];
    if (value->type != V_ASN1_UTF8STRING ||
        !copy_string(value->value.utf8string, text, sizeof text))
        return false;
    if (strpbrk(text, "@/*") || dna_dns_to_ascii(text, ascii, sizeof ascii) != 0)
        return false;
    return strcasecmp(ascii, sought->ascii) == 0;
}

static int other_kind(const GENERAL_NAME *n)
{
    return n->type == GEN_OTHERNAME ? OBJ_obj2nid(n->d.otherName->type_id) : NID_undef;
}

static bool ip_address(const struct sought *sought, const ASN1_OCTET_STRING *s)
{
    return ASN1_STRING_length(s) == sought->ip_len &&
           memcmp(ASN1_STRING_get0_data(s), sought->ip, (size_t)sought->ip_len) == 0;
}

static void general_name(const struct sought *sought, const GENERAL_NAME *n,
                         struct prooftype_pkix_facts *e)
{
    const ASN1_TYPE *value = n->type == GEN_OTHERNAME ? n->d.otherName->value : NULL;
    if (sought->ip_len) {
        if (n->type == GEN_IPADD && ip_address(sought, n->d.iPAddress))
            e->name = DNA_NAME_IP;
    } else if (n->type == GEN_DNS) {
        dns_id(sought, n->d.dNSName, e);
    } else if (value && other_kind(n) == NID_SRVName) {
        srv_id(sought, value, e);
    } else if (value && other_kind(n) == NID_XmppAddr && xmpp_addr(sought, value)) {
        e->name = DNA_NAME_XMPP;
    }
}

/* RFC 6125 6.4.4: beside one of these a common name means nothing. */
static bool is_identifier(const GENERAL_NAME *n)
{
    int kind = other_kind(n);
    return n->type == GEN_DNS || n->type == GEN_IPADD || n->type == GEN_URI ||
           kind == NID_SRVName || kind == NID_XmppAddr;
}

/* CN-ID: the last common name of the subject (RFC 6125 6.4.4); never an address. */
static bool common_name(const struct sought *sought, X509 *leaf)
{
    X509_NAME *subject = X509_get_subject_name(leaf);
    int at = -1, last = -1;
    while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
        last = at;
    if (last < 0)
        return false;
    char text[NAME_MAX_LEN];
    const ASN1_STRING *s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
    return copy_string(s, text, sizeof text) && dns_matches(text, sought->ascii, true);
}

/* False if the domain is neither a name that DNS can hold nor an address: then nothing names it. */
static bool seek(struct sought *sought, const struct dna_pkix_reference *ref)
{
    char bare[INET6_ADDRSTRLEN];
    const char *domain = ref->domain;
    size_t len = strlen(domain);
    memset(sought, 0, sizeof *sought);
    sought->server = ref->service == DNA_PKIX_XMPP_SERVER;
    sought->target_is_secure = ref->target_is_secure;
    if (ref->target && dna_dns_to_ascii(ref->target, sought->target, sizeof sought->target) != 0)
        sought->target[0] = '\0';
    if (inet_pton(AF_INET, domain, sought->ip) == 1)
        sought->ip_len = 4;
    if (domain[0] == '[' && len > 2 && len - 2 < sizeof bare && domain[len - 1] == ']') {
        memcpy(bare, domain + 1, len - 2);
        bare[len - 2] = '\0';
        if (inet_pton(AF_INET6, bare, sought->ip) != 1)
            return false;
        sought->ip_len = 16;
    }
    return sought->ip_len || dna_dns_to_ascii(domain, sought->ascii, sizeof sought->ascii) == 0;
}

void dna_pkix_name_facts(X509 *leaf, const struct dna_pkix_reference *ref,
                         struct prooftype_pkix_facts *e)
{
    struct sought sought;
    int critical = -1; /* -1: there is no such extension; else names may be there, if unreadable */
    e->subject = X509_NAME_entry_count(X509_get_subject_name(leaf)) > 0;
    e->name = e->other_srv = e->target = e->common_name = 0;
    if (!seek(&sought, ref))
        return;
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, &critical, NULL);
    bool beside = !names && critical != -1;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && e->name == DNA_NAME_NONE; i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
        beside |= is_identifier(n);
        general_name(&sought, n, e);
    }
    sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
    if (common_name(&sought, leaf))
        e->common_name = beside ? 2 : 1;
}
