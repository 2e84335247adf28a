/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What the oracle can say of an element for sure: names, certificates,
 * encodings. Whatever needs interpretation is OPEN, which can only make it accept more.
 */
#include "conformance/oracle_internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* ---- names ---- */

static bool is_plain_domain(const char *text)
{
    size_t label = 0;

    for (const char *p = text; *p; p++) {
        if (*p == '.' && !label)
            return false;
        label = *p == '.' ? 0 : label + 1;
        if (*p != '.' && *p != '-' && !isalnum((unsigned char)*p))
            return false;
    }
    return label && strlen(text) < 200 && !strstr(text, "xn--");
}

const char *oracle_domain(struct dna_pool *pool, const char *text)
{
    char *out;

    if (!text)
        return NULL;
    out = dna_pool_strdup(pool, text);
    for (char *p = out; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return is_plain_domain(out) ? out : NULL;
}

const char *oracle_jid_domain(struct dna_pool *pool, const char *jid)
{
    size_t len;
    const char *at;

    if (!jid)
        return NULL;
    len = strcspn(jid, "/");
    at = memchr(jid, '@', len);
    if (at) {
        len -= (size_t)(at + 1 - jid);
        jid = at + 1;
    }
    return oracle_domain(pool, dna_pool_strndup(pool, jid, len));
}

static bool is_bare(const struct dna_oracle *o, const char *domain)
{
    return o->setup.bare && strcmp(o->setup.bare, domain) == 0;
}

uint32_t oracle_hosted(const struct dna_oracle *o, const char *domain)
{
    if (!domain)
        return OPEN;
    for (size_t i = 0; i < o->setup.num_hosted; i++)
        if (strcmp(o->setup.hosted[i], domain) == 0)
            return YES;
    return is_bare(o, domain) ? YES : NO;
}

uint32_t oracle_can_secure(const struct dna_oracle *o, const char *domain)
{
    if (domain && is_bare(o, domain))
        return NO;
    return oracle_hosted(o, domain) == YES ? YES : OPEN;
}

bool oracle_is_stanza(const struct dna_xnode *node)
{
    if (strcmp(node->ns, "jabber:server") != 0 && strcmp(node->ns, "jabber:client") != 0)
        return false;
    return strcmp(node->local, "message") == 0 || strcmp(node->local, "presence") == 0 ||
           strcmp(node->local, "iq") == 0;
}

const char *oracle_element(struct dna_pool *pool, const struct dna_xnode *node)
{
    struct dna_binds none;
    struct dna_buf out = { 0 };
    const char *done;

    dna_binds_init(&none, pool);
    dna_xnode_write(&out, node, node->ns, &none, NULL);
    done = dna_pool_strndup(pool, out.at, out.len < 300 ? out.len : 300);
    dna_buf_free(&out);
    return done;
}

/* ---- encodings ---- */

uint32_t oracle_base64(const char *text)
{
    size_t len = strlen(text), pad = 0;

    if (strcmp(text, "=") == 0 || !len)
        return YES;
    for (size_t i = 0; i < len; i++) {
        if (isspace((unsigned char)text[i]))
            return OPEN;
        if (text[i] == '=')
            pad++;
        else if (pad || (!isalnum((unsigned char)text[i]) && text[i] != '+' && text[i] != '/'))
            return NO;
    }
    return len % 4 == 0 && pad <= 2 ? YES : NO;
}

uint32_t oracle_identity_differs(struct dna_pool *pool, const char *text, const char *domain)
{
    size_t len = strlen(text);
    char *out;

    if (!len || strcmp(text, "=") == 0)
        return NO;
    if (oracle_base64(text) != YES || !domain)
        return OPEN;
    out = dna_pool_alloc(pool, len + 4);
    if (EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)len) < 0 || !*out)
        return OPEN;
    domain = oracle_domain(pool, domain);
    text = oracle_domain(pool, out);
    if (!domain || !text)
        return OPEN;
    return strcmp(domain, text) == 0 ? NO : YES;
}

/* ---- certificates ---- */

/* What verifiers may see either way: constraints that an anchor puts on itself (RFC 5280 6.2), and
 * those on a form that need not be supported (4.2.1.10). */
static bool is_open(const struct dna_oracle *o, const struct dna_cert *cert, int error)
{
    int num = sk_X509_num(cert->path); /* -1: none */

    return error == X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE ||
           (num > 0 && o->setup.bounded &&
            X509_NAME_cmp(X509_get_subject_name(sk_X509_value(cert->path, num - 1)),
                          X509_get_subject_name(o->setup.bounded)) == 0);
}

static uint32_t chain_holds(const struct dna_oracle *o, const struct dna_cert *cert)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    uint32_t holds = OPEN;

    if (ctx && X509_STORE_CTX_init(ctx, o->store, cert->x509, cert->chain) == 1)
        holds = X509_verify_cert(ctx) == 1 ? YES : NO;
    if (holds == NO && is_open(o, cert, X509_STORE_CTX_get_error(ctx)))
        holds = OPEN;
    X509_STORE_CTX_free(ctx);
    return holds;
}

/* a wildcard, if only part of a label, before one of the places where the parent domain stands */
static bool has_wildcard(const unsigned char *der, size_t len, const char *parent)
{
    const unsigned char *at = der;

    while ((at = memmem(at, len - (size_t)(at - der), parent, strlen(parent)))) {
        for (const unsigned char *p = at; p > der && at - p < 64 && p[-1] != '.'; p--)
            if (p[-1] == '*')
                return true;
        at++;
    }
    return false;
}

/* Could any name in it be read as this domain? Names are plain text in DER. */
static bool names(const struct dna_cert *cert, const char *domain)
{
    unsigned char der[8192], *at = der;
    int len = i2d_X509(cert->x509, NULL);
    const char *parent = strchr(domain, '.');
    struct in_addr address;

    if (len <= 0 || (size_t)len > sizeof(der) || inet_pton(AF_INET, domain, &address) == 1)
        return true; /* too much to look at, or not text */
    i2d_X509(cert->x509, &at);
    for (int i = 0; i < len; i++)
        der[i] = (unsigned char)tolower(der[i]);
    return memmem(der, (size_t)len, domain, strlen(domain)) ||
           (parent && has_wildcard(der, (size_t)len, parent)) ||
           memmem(der, (size_t)len, "xn--", 4);
}

uint32_t oracle_proves(const struct dna_oracle_conn *conn, const char *domain)
{
    const struct dna_oracle *o = conn->oracle;
    uint32_t holds;

    if (!conn->tls || !conn->cert)
        return NO;
    if (!o->store || o->setup.other_proofs)
        return OPEN;
    holds = chain_holds(o, conn->cert);
    if (holds != YES)
        return holds;
    if (!domain)
        return OPEN;
    if (!names(conn->cert, domain))
        return NO;
    if (conn->plain && X509_check_host(conn->cert->x509, domain, 0,
                                       X509_CHECK_FLAG_NO_WILDCARDS |
                                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1)
        return YES;
    return OPEN;
}

uint32_t oracle_pending(const struct dna_oracle_conn *conn)
{
    return conn->oracle->setup.seeks_others ? OPEN : NO;
}

uint32_t oracle_refutes(const struct dna_oracle_conn *conn)
{
    return conn->oracle->setup.other_proofs ? OPEN : NO;
}
