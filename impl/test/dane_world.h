/* SPDX-License-Identifier: MIT */
/* dane_world: what test_prooftype_dane.c tests in: a public CA that the store knows and a private
 * one, their certificates, a signed zone with TLSA records for them, and two questions: what is
 * said of an endpoint's certificate, and what of that of a server that connected. */
#ifndef DNA_IMPL_TEST_DANE_WORLD_H
#define DNA_IMPL_TEST_DANE_WORLD_H
#include <CUnit/Basic.h>
#include <event2/event.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "impl/proof.h"
#include "impl/test/signed_dns.h"

/* --- certificates --- */

struct identity {
    X509 *x;
    EVP_PKEY *key;
};
static struct identity root, mid, private_ca, private_sub, good, by_mid, expired, other_name,
    host_named, canonical_named, end_named, server_only, client_only, of_private, of_sub,
    private_expired, own;

static void extend(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

/* mint() makes a certificate; no names: a CA; no issuer: signed by itself. */
static struct identity mint(const char *cn, const char *names, const struct identity *issuer,
                            long to_days, const char *eku)
{
    static long serial;
    struct identity i = { X509_new(), EVP_EC_gen("P-256") };
    X509_NAME *subject = X509_get_subject_name(i.x);
    X509_set_version(i.x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(i.x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(i.x), -10L * 86400);
    X509_gmtime_adj(X509_getm_notAfter(i.x), to_days * 86400);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
    X509_set_pubkey(i.x, i.key);
    X509_set_issuer_name(i.x, issuer ? X509_get_subject_name(issuer->x) : subject);
    extend(i.x, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE");
    if (names)
        extend(i.x, NID_subject_alt_name, names);
    if (eku)
        extend(i.x, NID_ext_key_usage, eku);
    X509_sign(i.x, issuer ? issuer->key : i.key, EVP_sha256());
    return i;
}

static void mint_all(void)
{
    root = mint("root", NULL, NULL, 10, NULL);
    mid = mint("mid", NULL, &root, 10, NULL);
    private_ca = mint("private", NULL, NULL, 10, NULL);
    private_sub = mint("private sub", NULL, &private_ca, 5, NULL);
    good = mint("a", "DNS:a.example", &root, 10, NULL);
    by_mid = mint("a", "DNS:a.example", &mid, 10, NULL);
    expired = mint("a", "DNS:a.example", &root, -1, NULL);
    other_name = mint("v", "DNS:v.example", &root, 10, NULL);
    host_named = mint("x", "DNS:names.example", &root, 10, NULL);
    canonical_named = mint("x", "DNS:final.example", &root, 10, NULL);
    server_only = mint("a", "DNS:a.example", &private_ca, 10, "serverAuth");
    client_only = mint("a", "DNS:a.example", &private_ca, 10, "clientAuth");
    end_named = mint("x", "DNS:nothing.example", &root, 10, NULL);
    of_private = mint("a", "DNS:a.example", &private_ca, 10, NULL);
    of_sub = mint("a", "DNS:a.example", &private_sub, 10, NULL);
    private_expired = mint("a", "DNS:a.example", &private_ca, -1, NULL);
    own = mint("a", "DNS:a.example", NULL, 10, NULL);
}

/* --- records --- */

enum { MAX_LINES = 160 };
static char *lines[MAX_LINES];
static size_t num_lines;

static void line(const char *text)
{
    CU_ASSERT_FATAL(num_lines < MAX_LINES);
    lines[num_lines++] = strdup(text);
}

/* tlsa() adds the record of that kind for x at _5269._tcp.host; flip spoils its last byte. */
static void tlsa(const char *host, int usage, int selector, int mtype, X509 *x, bool flip)
{
    unsigned char *content = NULL, sum[EVP_MAX_MD_SIZE];
    unsigned sum_len = 0;
    char text[6000];
    int len = selector ? i2d_PUBKEY(X509_get0_pubkey(x), &content) : i2d_X509(x, &content);
    const unsigned char *data = content;
    size_t size = (size_t)len;
    if (mtype) {
        EVP_Digest(content, size, sum, &sum_len, mtype == 1 ? EVP_sha256() : EVP_sha512(), NULL);
        data = sum;
        size = sum_len;
    }
    int at = snprintf(text, sizeof text, "_5269._tcp.%s. 60 IN TLSA %d %d %d ", host, usage,
                      selector, mtype);
    for (size_t i = 0; i < size; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%02x",
                       data[i] ^ (flip && i + 1 == size));
    line(text);
    OPENSSL_free(content);
}

static const char *kind_host(char kind, int usage, int selector, int mtype)
{
    static char host[40];
    (void)snprintf(host, sizeof host, "%c%d%d%d.example", kind, usage, selector, mtype);
    return host;
}

static void add_matrix(void)
{
    for (int u = 0; u < 4; u++)
        for (int s = 0; s < 2; s++)
            for (int m = 0; m < 3; m++) {
                /* what the record is for, and what it would be if the usage were another one */
                tlsa(kind_host('m', u, s, m), u, s, m, u & 1 ? good.x : root.x, false);
                tlsa(kind_host('n', u, s, m), u, s, m, u & 1 ? root.x : good.x, false);
                if (m)
                    tlsa(kind_host('f', u, s, m), u, s, m, u & 1 ? good.x : root.x, true);
            }
}

static void add_zone(void)
{
    add_matrix();
    X509 *const leaves[] = { good.x, expired.x, other_name.x, host_named.x };
    for (size_t i = 0; i < 4; i++)
        for (int u = 1; u <= 3; u += 2) {
            char host[40];
            (void)snprintf(host, sizeof host, "leaves%d.example", u);
            tlsa(host, u, 0, 1, leaves[i], false);
        }
    tlsa("anchor.example", 2, 0, 1, private_ca.x, false);
    tlsa("full.example", 2, 0, 0, private_ca.x, false);
    tlsa("bare.example", 2, 1, 0, private_ca.x, false);
    tlsa("sub.example", 2, 1, 1, private_sub.x, false);
    tlsa("constraint.example", 0, 0, 1, private_ca.x, false);
    tlsa("service.example", 1, 1, 1, of_private.x, false);
    tlsa("self.example", 2, 0, 1, own.x, false);
    tlsa("names.example", 2, 0, 1, root.x, false);
    tlsa("final.example", 2, 0, 1, root.x, false);
    line("_5269._tcp.junk.example. 60 IN TLSA 9 0 1 ab");
    line("_5269._tcp.junk.example. 60 IN TLSA 3 1 1 ab");
    line("_5269._tcp.junk.example. 60 IN TLSA 3 0 0 ab");
    line("_5269._tcp.part.example. 60 IN TLSA 255 1 1 ab");
    tlsa("part.example", 3, 1, 1, good.x, false);
    tlsa("agile.example", 3, 1, 1, good.x, false);
    tlsa("agile.example", 3, 1, 2, own.x, false);
    tlsa("whole.example", 3, 1, 0, good.x, false);
    tlsa("whole.example", 3, 1, 2, own.x, false);
    line("_5269._tcp.broken.example. 60 IN TLSA 3 1 1 ab");
    line("_5269._tcp.away.example. 60 IN CNAME tlsa.plain.example.");
    line("tlsa.plain.example. 60 IN TLSA 3 1 1 ab");
    line("_5269._tcp.alias.final2.example. 60 IN CNAME tlsa.plain.example.");
    tlsa("a.example", 3, 1, 1, good.x, false);

    /* what connecting servers have */
    line("_xmpp-server._tcp.two.example. 60 IN SRV 1 0 5269 h1.example.");
    line("_xmpp-server._tcp.two.example. 60 IN SRV 2 0 5269 h2.example.");
    line("_xmpp-server._tcp.half1.example. 60 IN SRV 1 0 5269 h1.example.");
    line("_xmpp-server._tcp.half1.example. 60 IN SRV 2 0 5269 h3.example.");
    line("_xmpp-server._tcp.lost.example. 60 IN SRV 1 0 5269 failing.example.");
    line("_xmpp-server._tcp.broken.example. 60 IN SRV 1 0 5269 h1.example.");
    line("_xmpp-server._tcp.in.plain.example. 60 IN SRV 1 0 5269 h1.example.");
    line("_xmpp-server._tcp.gone.example. 60 IN SRV 1 0 0 .");
    line("_xmpp-server._tcp.a.example. 60 IN SRV 1 0 5269 ta.example.");
    const char *const hosts[] = { "h1", "h2", "h3", "ta" };
    for (size_t i = 0; i < 4; i++) {
        char text[80];
        (void)snprintf(text, sizeof text, "%s.example. 60 IN A 127.0.0.1", hosts[i]);
        line(text);
    }
    tlsa("h1.example", 3, 1, 1, good.x, false);
    tlsa("h2.example", 3, 1, 1, own.x, false);
    tlsa("ta.example", 2, 0, 0, private_ca.x, false);
}

/* --- one world for all tests: the resolver's cache does not matter to them --- */

static struct event_base *base;
static struct signed_dns server;
static struct dna_knobs knobs;
static struct dna_proof_env env;
static int num_settled;

static void on_settled(void *arg)
{
    (void)arg;
    num_settled++;
    event_base_loopbreak(base);
}

static void begin_world(void)
{
    char why[200] = "";
    base = event_base_new();
    mint_all();
    add_zone();
    signed_dns_begin(&server, base, (const char *const *)lines, num_lines);
    const struct dna_dns_config config = {
        .resolver = server.resolver, .trust_anchor = server.anchor, .deadline_ms = 400, .seed = 1
    };
    env.base = base;
    env.dns = dna_dns_new(base, &config, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(env.dns);
    env.store = X509_STORE_new();
    X509_STORE_add_cert(env.store, root.x);
    env.knobs = &knobs;
}

static void fresh(void)
{
    if (!base)
        begin_world(); /* CUnit takes no assertions outside a test */
    knobs = dna_knobs_default();
    knobs.pkix = knobs.posh = knobs.posh_inbound = 0;
    knobs.dane_inbound = 1;
    env.validating = true;
    server.asked[0] = '\0';
}

static void end_world(void)
{
    const struct identity all[] = {
        root,       mid,         private_ca,      private_sub, good,        by_mid,
        expired,    other_name,  host_named,      end_named,   server_only, client_only,
        of_private, of_sub,      private_expired, own,         canonical_named
    };
    dna_dns_free(env.dns);
    signed_dns_end(&server);
    event_base_free(base);
    X509_STORE_free(env.store);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        X509_free(all[i].x);
        EVP_PKEY_free(all[i].key);
    }
    for (size_t i = 0; i < num_lines; i++)
        free(lines[i]);
}

/* --- asking --- */

static struct {
    bool barred, tls;
    time_t days; /* until what held expires; 0: never */
    char why[200], sought[200];
} saw;

static const struct dna_proof_endpoint secure_one = { .port = 5269,
                                                      .from_srv = true,
                                                      .srv = DNA_DNS_SECURE,
                                                      .address = DNA_DNS_SECURE };

static const char *finish(struct dna_proof *p, X509 *leaf, X509 *issuer)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    if (issuer)
        sk_X509_push(chain, issuer);
    if (issuer == private_sub.x)
        sk_X509_push(chain, private_ca.x);
    while (dna_proof_pending(p))
        event_base_dispatch(base);
    (void)dna_proof_weigh(p, leaf, chain);
    const struct dna_proof_part *part = dna_proof_part(p, DNA_PROOFTYPE_dane);
    saw.barred = dna_proof_barred(p);
    saw.tls = dna_proof_demands_tls(p);
    time_t until = dna_proof_expires(p);
    saw.days = until ? (until - time(NULL) + 3600) / 86400 : 0;
    memcpy(saw.why, part->why, sizeof saw.why);
    memcpy(saw.sought, part->sought, sizeof saw.sought);
    CU_ASSERT_TRUE(part->why[0] != '\0');
    const char *says = dna_proof_says_name(part->says);
    dna_proof_free(p);
    sk_X509_free(chain);
    return says;
}

/* at() is what is said of a certificate that a.example's server at this endpoint shows. */
static const char *at(struct dna_proof_endpoint e, const char *host, X509 *leaf, X509 *issuer)
{
    const struct dna_proof_ask ask = { "a.example", DNA_PKIX_XMPP_SERVER, false, false };
    struct dna_proof *p = dna_proof_new(&env, &ask, on_settled, NULL);
    e.host = host;
    num_settled = 0;
    dna_proof_endpoint(p, &e);
    bool waited = dna_proof_pending(p);
    const char *says = finish(p, leaf, issuer);
    CU_ASSERT_EQUAL(num_settled, waited);
    return says;
}

/* from() is what is said of the client certificate of a server that claims the domain. */
static const char *from(const char *domain, X509 *leaf, X509 *issuer)
{
    const struct dna_proof_ask ask = { domain, DNA_PKIX_XMPP_SERVER, true, true };
    num_settled = 0;
    struct dna_proof *p = dna_proof_new(&env, &ask, on_settled, NULL);
    bool waited = dna_proof_pending(p);
    const char *says = finish(p, leaf, issuer);
    CU_ASSERT_EQUAL(num_settled, waited);
    CU_ASSERT_FALSE(saw.barred);
    CU_ASSERT_FALSE(saw.tls);
    return says;
}

static bool asked_tlsa(void)
{
    return strstr(server.asked, "TLSA") != NULL;
}

#define SAYS(what, said) CU_ASSERT_STRING_EQUAL(said, what)
#endif
