/* SPDX-License-Identifier: MIT */
/* dane_match: see dane_match.h. End-entity records are compared here; for trust anchors OpenSSL
 * builds the path with the records of that one usage, so that each usage is judged by itself. */
#include "impl/dane_match.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"
#include "model/machines.h"

enum { PKIX_TA, PKIX_EE, DANE_TA, DANE_EE, NUM_USAGES };
enum { SELECT_CERTIFICATE, SELECT_KEY, NUM_SELECTORS };
enum { MTYPE_FULL, MTYPE_SHA256, MTYPE_SHA512, NUM_MTYPES };
enum { MAX_DEPTH = 10 }; /* as in pkix.c */

/* A full record holds one certificate or one key, and nothing behind it. */
static bool well_formed(const struct dna_dns_tlsa *t)
{
    const unsigned char *at = t->data;
    bool good;
    if (t->selector == SELECT_CERTIFICATE) {
        X509 *x = d2i_X509(NULL, &at, t->len);
        good = x && X509_get0_pubkey(x);
        X509_free(x);
    } else {
        EVP_PKEY *key = d2i_PUBKEY(NULL, &at, t->len);
        good = key != NULL;
        EVP_PKEY_free(key);
    }
    ERR_clear_error();
    return good && at == t->data + t->len;
}

static bool usable(const struct dna_dns_tlsa *t, const struct dna_knobs *k)
{
    if (t->usage >= NUM_USAGES || !(k->dane_usages & (1u << t->usage)))
        return false;
    if (t->selector >= NUM_SELECTORS || t->mtype >= NUM_MTYPES)
        return false;
    if (t->mtype == MTYPE_FULL)
        return t->len > 0 && well_formed(t);
    return t->len == (t->mtype == MTYPE_SHA256 ? 32 : 64);
}

/* outdone: a stronger digest for the same usage and selector is there; full records never are. */
static bool outdone(const struct dna_dns_tlsa *t, const struct dna_dns_tlsa *all, size_t num,
                    const struct dna_knobs *k)
{
    if (t->mtype == MTYPE_FULL || !k->dane_digest_agility)
        return false;
    for (size_t i = 0; i < num; i++)
        if (all[i].usage == t->usage && all[i].selector == t->selector &&
            all[i].mtype > t->mtype && usable(&all[i], k))
            return true;
    return false;
}

void dna_dane_set_take(struct dna_dane_set *set, const struct dna_dns_tlsa *records, size_t num,
                       const struct dna_knobs *k)
{
    dna_dane_set_cleanup(set);
    set->num_seen = num;
    set->records = dna_calloc(num + 1, sizeof *set->records);
    for (size_t i = 0; i < num; i++) {
        const struct dna_dns_tlsa *from = &records[i];
        if (!usable(from, k) || outdone(from, records, num, k))
            continue;
        struct dna_dns_tlsa *to = &set->records[set->num++];
        *to = *from;
        to->data = dna_calloc(1, (size_t)from->len + 1);
        memcpy(to->data, from->data, from->len);
    }
}

void dna_dane_set_cleanup(struct dna_dane_set *set)
{
    for (size_t i = 0; i < set->num; i++)
        free(set->records[i].data);
    free(set->records);
    memset(set, 0, sizeof *set);
}

static bool equals(const struct dna_dns_tlsa *t, const unsigned char *content, size_t len)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned sum_len = 0;
    if (t->mtype == MTYPE_FULL)
        return len == t->len && memcmp(content, t->data, len) == 0;
    const EVP_MD *md = t->mtype == MTYPE_SHA256 ? EVP_sha256() : EVP_sha512();
    return EVP_Digest(content, len, sum, &sum_len, md, NULL) == 1 && sum_len == t->len &&
           memcmp(sum, t->data, sum_len) == 0;
}

static bool matches(const struct dna_dns_tlsa *t, X509 *x)
{
    unsigned char *content = NULL;
    int len = t->selector == SELECT_CERTIFICATE
                  ? i2d_X509(x, &content)
                  : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &content);
    bool same = len > 0 && equals(t, content, (size_t)len);
    OPENSSL_free(content);
    return same;
}

static const struct dna_dns_tlsa *first_match(const struct dna_dane_set *set, unsigned usage,
                                              X509 *leaf)
{
    for (size_t i = 0; i < set->num; i++)
        if (set->records[i].usage == usage && matches(&set->records[i], leaf))
            return &set->records[i];
    return NULL;
}

static const struct dna_dns_tlsa *first_of(const struct dna_dane_set *set, unsigned usage)
{
    for (size_t i = 0; i < set->num; i++)
        if (set->records[i].usage == usage)
            return &set->records[i];
    return NULL;
}

/* scratch() is a session that is never connected and only holds the records of one usage. Which
 * digests count is settled before, so that here all are of one strength. */
static SSL *scratch(SSL_CTX *ctx, const struct dna_dane_set *set, unsigned usage)
{
    if (!ctx || SSL_CTX_dane_enable(ctx) != 1 ||
        SSL_CTX_dane_mtype_set(ctx, EVP_sha512(), MTYPE_SHA512, 1) != 1)
        abort();
    SSL *ssl = SSL_new(ctx);
    if (!ssl || SSL_dane_enable(ssl, NULL) != 1)
        abort();
    for (size_t i = 0; i < set->num; i++) {
        const struct dna_dns_tlsa *t = &set->records[i];
        if (t->usage == usage)
            (void)SSL_dane_tlsa_add(ssl, t->usage, t->selector, t->mtype, t->data, t->len);
    }
    return ssl;
}

/* record_of() finds the record that OpenSSL says it matched. */
static const struct dna_dns_tlsa *record_of(const struct dna_dane_set *set, unsigned usage,
                                            STACK_OF(X509) * path)
{
    for (int i = 1; i < sk_X509_num(path); i++) {
        const struct dna_dns_tlsa *t = first_match(set, usage, sk_X509_value(path, i));
        if (t)
            return t;
    }
    return first_of(set, usage); /* a bare key that signed the last one of the path */
}

/* first_end() is when the first certificate of a path expires. */
static time_t first_end(STACK_OF(X509) * path)
{
    int64_t first = INT64_MAX;
    for (int i = 0; i < sk_X509_num(path); i++) {
        int days = 0, seconds = 0;
        if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(sk_X509_value(path, i))) != 1)
            days = -1;
        int64_t left = (int64_t)days * 86400 + seconds;
        first = left < first ? left : first;
    }
    return (time_t)(time(NULL) + first);
}

/* A path that is sought, and when it ends if there is one. */
struct sought_path {
    const struct dna_dane_set *set;
    unsigned usage;
    X509 *leaf;
    STACK_OF(X509) * chain;
    X509_STORE *store;
    time_t until;
};

static const struct dna_dns_tlsa *path_for(struct sought_path *p, int purpose, char *why,
                                           size_t why_len)
{
    const struct dna_dns_tlsa *found = NULL;
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = scratch(ssl_ctx, p->set, p->usage);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!ctx || X509_STORE_CTX_init(ctx, p->store, p->leaf, p->chain) != 1)
        abort();
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_purpose(param, purpose);
    X509_VERIFY_PARAM_set_depth(param, MAX_DEPTH);
    X509_STORE_CTX_set0_dane(ctx, SSL_get0_dane(ssl));
    if (X509_verify_cert(ctx) == 1) {
        found = record_of(p->set, p->usage, X509_STORE_CTX_get0_chain(ctx));
        p->until = first_end(X509_STORE_CTX_get0_chain(ctx));
    } else {
        (void)snprintf(why, why_len, "%s",
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    X509_STORE_CTX_free(ctx);
    SSL_free(ssl);
    SSL_CTX_free(ssl_ctx);
    ERR_clear_error();
    return found;
}

/* anchored() says whether a valid path leads from leaf to what a record of this usage, PKIX-TA or
 * DANE-TA, names. Names are not looked at. Under DANE-TA no local trust anchor counts. A TLS client
 * may have a certificate for servers or for clients, unless policy is strict (decision A34). */
static const struct dna_dns_tlsa *anchored(struct sought_path *p,
                                           const struct dna_dane_terms *terms, char *why,
                                           size_t why_len)
{
    X509_STORE *none = X509_STORE_new();
    const struct dna_dns_tlsa *found = NULL;
    if (!none)
        abort();
    p->store = p->usage == DANE_TA ? none : terms->store;
    if (!terms->peer_is_client || terms->knobs->server_auth_eku_ok)
        found = path_for(p, X509_PURPOSE_SSL_SERVER, why, why_len);
    if (!found && terms->peer_is_client)
        found = path_for(p, X509_PURPOSE_SSL_CLIENT, why, why_len);
    X509_STORE_free(none);
    return found;
}

static bool names_one(X509 *leaf, const struct dna_dane_terms *terms)
{
    bool named = dna_pkix_names(leaf, terms->domain, terms->service, terms->knobs);
    for (size_t i = 0; i < sizeof terms->hosts / sizeof *terms->hosts && !named; i++)
        named = terms->hosts[i] &&
                dna_pkix_names(leaf, terms->hosts[i], terms->service, terms->knobs);
    return named;
}

/* has_path: all that PKIX asks but the names, by its own table, whether or not PKIX is sought. */
static bool has_path(X509 *leaf, STACK_OF(X509) * chain, const struct dna_dane_terms *terms,
                     char *why, size_t why_len)
{
    const struct dna_pkix_reference ref = { .domain = terms->domain, .service = terms->service };
    struct prooftype_pkix_facts e = { .given = 1, .inbound = terms->peer_is_client };
    struct dna_knobs k = *terms->knobs;
    struct dna_stream_vars none;
    struct prooftype_pkix m;
    struct dna_effects fx;
    k.pkix = 1;
    dna_stream_vars_init(&none);
    dna_instance_init(&dna_machine_prooftype_pkix, &m);
    dna_prooftype_pkix_step(&m, prooftype_pkix_E_CERTIFICATE, &e, &none, &k, &fx);
    dna_pkix_path_facts(leaf, chain, terms->store, k.revocation != 0, &e, why, why_len);
    dna_prooftype_pkix_step(&m, prooftype_pkix_E_PATH_CHECKED, &e, &none, &k, &fx);
    bool good = m.state == prooftype_pkix_S_GENUINE;
    if (good) {
        dna_pkix_name_facts(leaf, &ref, &e);
        dna_prooftype_pkix_step(&m, prooftype_pkix_E_NAMES_READ, &e, &none, &k, &fx);
        good = fx.row == DNA_NO_ROW ||
               dna_machine_prooftype_pkix.rows[fx.row].when != prooftype_pkix_G_subject_empty;
    }
    if (good)
        why[0] = '\0';
    else if (!why[0] && fx.row != DNA_NO_ROW)
        (void)snprintf(
            why, why_len, "%s",
            dna_machine_prooftype_pkix.guards[dna_machine_prooftype_pkix.rows[fx.row].when].text);
    return good;
}

void dna_dane_match(const struct dna_dane_set *set, X509 *leaf, STACK_OF(X509) * chain,
                    const struct dna_dane_terms *terms, struct dna_dane_findings *out)
{
    const struct dna_dns_tlsa *by[NUM_USAGES] = { NULL };
    struct sought_path dane = { .set = set, .usage = DANE_TA, .leaf = leaf, .chain = chain };
    struct sought_path pkix = { .set = set, .usage = PKIX_TA, .leaf = leaf, .chain = chain };
    memset(out, 0, sizeof *out);
    if (!leaf)
        return;
    by[DANE_EE] = first_match(set, DANE_EE, leaf);
    by[PKIX_EE] = first_match(set, PKIX_EE, leaf);
    out->named = names_one(leaf, terms);
    if (first_of(set, DANE_TA))
        by[DANE_TA] = anchored(&dane, terms, out->why, sizeof out->why);
    if (first_of(set, PKIX_TA) || first_of(set, PKIX_EE))
        out->path = has_path(leaf, chain, terms, out->why, sizeof out->why);
    if (first_of(set, PKIX_TA) && out->path)
        by[PKIX_TA] = anchored(&pkix, terms, out->why, sizeof out->why);
    out->dane_ee = by[DANE_EE] != NULL;
    out->pkix_ee = by[PKIX_EE] != NULL;
    out->dane_ta = by[DANE_TA] != NULL;
    out->pkix_ta = by[PKIX_TA] != NULL;
    for (unsigned u = NUM_USAGES; u-- > 0 && !out->record;)
        out->record = by[u];
    if (out->record && out->record->usage == PKIX_EE)
        out->until = (time_t)(time(NULL) + dna_pkix_expires_in(leaf, chain, terms->store));
    else if (out->record && out->record->usage != DANE_EE)
        out->until = out->record->usage == DANE_TA ? dane.until : pkix.until;
}
