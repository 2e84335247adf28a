/* SPDX-License-Identifier: MIT */
/* test_prooftype_dane: the DANE prooftype from the question to the verdict, against a signed zone.
 * Certificates are minted here: a public CA, that the store knows, and a private one. What is
 * expected is RFC 6698 2.1, RFC 7671 5 and RFC 7673 3 and 4. */
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
    host_named, canonical_named, server_only, of_private, of_sub, private_expired, own;

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
    private_sub = mint("private sub", NULL, &private_ca, 10, NULL);
    good = mint("a", "DNS:a.example", &root, 10, NULL);
    by_mid = mint("a", "DNS:a.example", &mid, 10, NULL);
    expired = mint("a", "DNS:a.example", &root, -1, NULL);
    other_name = mint("v", "DNS:v.example", &root, 10, NULL);
    host_named = mint("x", "DNS:names.example", &root, 10, NULL);
    canonical_named = mint("x", "DNS:final.example", &root, 10, NULL);
    server_only = mint("a", "DNS:a.example", &private_ca, 10, "serverAuth");
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
static struct dna_pkix_policy policy;
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
    env.policy = &policy;
    env.knobs = &knobs;
}

static void fresh(void)
{
    if (!base)
        begin_world(); /* CUnit takes no assertions outside a test */
    knobs = dna_knobs_default();
    knobs.pkix = knobs.posh = knobs.posh_inbound = 0;
    knobs.dane_inbound = 1;
    memset(&policy, 0, sizeof policy);
    env.validating = true;
    server.asked[0] = '\0';
}

static void end_world(void)
{
    const struct identity all[] = { root, mid, private_ca, private_sub, good, by_mid, expired,
                                    other_name, host_named, canonical_named, server_only,
                                    of_private, of_sub, private_expired, own };
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
    const struct dna_proof_ask ask = { "a.example", DNA_PKIX_XMPP_SERVER, false };
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
    const struct dna_proof_ask ask = { domain, DNA_PKIX_XMPP_SERVER, true };
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

/* --- tests --- */

static void test_matrix(void)
{
    fresh();
    for (int u = 0; u < 4; u++)
        for (int s = 0; s < 2; s++)
            for (int m = 0; m < 3; m++) {
                SAYS("held", at(secure_one, kind_host('m', u, s, m), good.x, root.x));
                CU_ASSERT_TRUE(saw.tls);
                CU_ASSERT_FALSE(saw.barred);
                SAYS("refuted", at(secure_one, kind_host('m', u, s, m), own.x, NULL));
                SAYS("refuted", at(secure_one, kind_host('m', u, s, m), NULL, NULL));
                SAYS("refuted", at(secure_one, kind_host('n', u, s, m), good.x, root.x));
                if (m)
                    SAYS("refuted", at(secure_one, kind_host('f', u, s, m), good.x, root.x));
            }
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.sought, "1 TLSA records at _5269._tcp.f312.example, secure, "
                                              "1 usable"));
}

static void test_dates_and_names(void)
{
    struct dna_proof_endpoint names = secure_one;
    fresh();
    SAYS("held", at(names, "leaves3.example", good.x, root.x));
    SAYS("held", at(names, "leaves3.example", expired.x, root.x));
    SAYS("held", at(names, "leaves3.example", other_name.x, root.x));
    SAYS("held", at(names, "leaves3.example", host_named.x, NULL));
    SAYS("refuted", at(names, "leaves3.example", by_mid.x, root.x));
    SAYS("held", at(names, "leaves1.example", good.x, root.x));
    SAYS("refuted", at(names, "leaves1.example", expired.x, root.x));
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.why, "expired"));
    SAYS("refuted", at(names, "leaves1.example", other_name.x, root.x));
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.why, "does not name a.example"));
    SAYS("refuted", at(names, "leaves1.example", host_named.x, root.x));
    const char *const hosts[] = { "m001.example", "m201.example" };
    for (size_t i = 0; i < 2; i++) {
        SAYS("held", at(names, hosts[i], good.x, root.x));
        SAYS("refuted", at(names, hosts[i], expired.x, root.x));
        SAYS("refuted", at(names, hosts[i], other_name.x, root.x));
        SAYS("refuted", at(names, hosts[i], host_named.x, root.x));
    }
    SAYS("held", at(names, "names.example", host_named.x, root.x)); /* the target's name */
    SAYS("held", at(names, "names.example", good.x, root.x));
    SAYS("refuted", at(names, "names.example", other_name.x, root.x));
}

static void test_anchors(void)
{
    fresh();
    SAYS("held", at(secure_one, "anchor.example", of_private.x, private_ca.x));
    SAYS("refuted", at(secure_one, "anchor.example", of_private.x, NULL));
    SAYS("refuted", at(secure_one, "anchor.example", private_expired.x, private_ca.x));
    SAYS("refuted", at(secure_one, "anchor.example", good.x, root.x)); /* though PKIX holds */
    SAYS("held", at(secure_one, "anchor.example", of_sub.x, private_sub.x));
    SAYS("held", at(secure_one, "full.example", of_private.x, NULL)); /* the CA is in DNS alone */
    SAYS("refuted", at(secure_one, "full.example", good.x, root.x));
    SAYS("held", at(secure_one, "bare.example", of_private.x, NULL));
    SAYS("refuted", at(secure_one, "bare.example", good.x, NULL));
    SAYS("held", at(secure_one, "sub.example", of_sub.x, private_sub.x));
    SAYS("refuted", at(secure_one, "sub.example", of_private.x, private_ca.x));
    SAYS("refuted", at(secure_one, "constraint.example", of_private.x, private_ca.x));
    SAYS("refuted", at(secure_one, "service.example", of_private.x, private_ca.x));
    SAYS("refuted", at(secure_one, "self.example", own.x, NULL)); /* no CA */
}

/* A path that ends early at a trusted intermediate goes on to the root that the record names. */
static void test_longer_path(void)
{
    X509_STORE *store = env.store;
    fresh();
    env.store = X509_STORE_new();
    X509_STORE_add_cert(env.store, mid.x);
    X509_STORE_add_cert(env.store, root.x);
    SAYS("held", at(secure_one, "m001.example", by_mid.x, NULL));
    X509_STORE_free(env.store);
    env.store = store;
    SAYS("held", at(secure_one, "m001.example", by_mid.x, mid.x));
    SAYS("refuted", at(secure_one, "m001.example", by_mid.x, NULL));
}

static void test_unusable(void)
{
    fresh();
    SAYS("absent", at(secure_one, "junk.example", good.x, root.x));
    CU_ASSERT_TRUE(saw.tls); /* RFC 7673 4 */
    CU_ASSERT_FALSE(saw.barred);
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.sought, "3 TLSA records"));
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.sought, "0 usable"));
    SAYS("held", at(secure_one, "part.example", good.x, root.x));
    SAYS("refuted", at(secure_one, "part.example", own.x, NULL));
    knobs.dane_usages = 8;
    SAYS("absent", at(secure_one, "m201.example", good.x, root.x));
    knobs.tlsa_unusable_refuses = 1;
    SAYS("refuted", at(secure_one, "junk.example", good.x, root.x));
    CU_ASSERT_TRUE(saw.barred);
    SAYS("held", at(secure_one, "part.example", good.x, root.x));
    CU_ASSERT_FALSE(saw.barred);
}

static void test_agility(void)
{
    fresh();
    SAYS("refuted", at(secure_one, "agile.example", good.x, root.x));
    SAYS("held", at(secure_one, "agile.example", own.x, NULL));
    SAYS("held", at(secure_one, "whole.example", good.x, root.x));
    knobs.dane_digest_agility = 0;
    SAYS("held", at(secure_one, "agile.example", good.x, root.x));
}

static void test_not_sought(void)
{
    struct dna_proof_endpoint e = secure_one;
    fresh();
    e.srv = DNA_DNS_INSECURE;
    SAYS("absent", at(e, "m311.example", own.x, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.why, "SRV is not secure"));
    e = secure_one;
    e.address = DNA_DNS_INSECURE;
    SAYS("absent", at(e, "m311.example", own.x, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.why, "address is not secure"));
    e = secure_one;
    e.from_srv = false;
    SAYS("absent", at(e, "a.example", own.x, NULL));
    knobs.dane = 0;
    SAYS("absent", at(secure_one, "m311.example", own.x, NULL));
    fresh();
    env.validating = false;
    SAYS("absent", at(secure_one, "m311.example", own.x, NULL));
    CU_ASSERT_FALSE(asked_tlsa());
    fresh();
    knobs.tlsa_without_srv = 1;
    SAYS("refuted", at(e, "a.example", own.x, NULL));
    SAYS("held", at(e, "a.example", good.x, NULL));
}

static void test_bogus_and_absent(void)
{
    struct dna_proof_endpoint e = secure_one;
    fresh();
    SAYS("absent", at(e, "nothing.example", own.x, NULL));
    CU_ASSERT_FALSE(saw.barred || saw.tls);
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.sought, "no TLSA record at _5269._tcp.nothing.example"));
    SAYS("absent", at(e, "away.example", own.x, NULL));
    CU_ASSERT_FALSE(saw.barred || saw.tls);
    const char *const bad[] = { "broken.example", "failing.example", "silent.example" };
    for (size_t i = 0; i < 3; i++) {
        SAYS("refuted", at(e, bad[i], good.x, root.x));
        CU_ASSERT_TRUE(saw.barred);
    }
    e.address = DNA_DNS_BOGUS;
    SAYS("refuted", at(e, "m311.example", good.x, root.x));
    CU_ASSERT_TRUE(saw.barred);
    e = secure_one;
    e.srv = DNA_DNS_BOGUS;
    SAYS("refuted", at(e, "m311.example", good.x, root.x));
    CU_ASSERT_TRUE(saw.barred);
}

/* RFC 7671 7: the end of the aliases first, then the name itself. */
static void test_aliases(void)
{
    struct dna_proof_endpoint e = secure_one;
    fresh();
    e.canonical = "final.example";
    SAYS("held", at(e, "alias.example", canonical_named.x, root.x));
    SAYS("held", at(e, "alias.example", good.x, root.x));
    SAYS("refuted", at(e, "alias.example", other_name.x, root.x));
    CU_ASSERT_PTR_NULL(strstr(server.asked, "_5269._tcp.alias.example."));
    e.canonical = "nothing.example";
    SAYS("held", at(e, "m311.example", good.x, root.x));
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.sought, "_5269._tcp.m311.example"));
    e.canonical = "away.example"; /* insecure there */
    SAYS("held", at(e, "m312.example", good.x, root.x));
    e.canonical = "broken.example";
    SAYS("refuted", at(e, "m311.example", good.x, root.x));
    CU_ASSERT_TRUE(saw.barred);
}

static void test_next_endpoint(void)
{
    const struct dna_proof_ask ask = { "a.example", DNA_PKIX_XMPP_SERVER, false };
    struct dna_proof_endpoint e = secure_one;
    fresh();
    struct dna_proof *p = dna_proof_new(&env, &ask, on_settled, NULL);
    CU_ASSERT_FALSE(dna_proof_pending(p) || dna_proof_barred(p) || dna_proof_demands_tls(p));
    const char *const hosts[] = { "broken.example", "junk.example", "m311.example" };
    for (size_t i = 0; i < 3; i++) {
        e.host = hosts[i];
        dna_proof_endpoint(p, &e);
        while (dna_proof_pending(p))
            event_base_dispatch(base);
        CU_ASSERT_EQUAL(dna_proof_barred(p), i == 0);
        CU_ASSERT_EQUAL(dna_proof_demands_tls(p), i > 0);
    }
    e.host = "silent.example"; /* and before it answers, another one */
    dna_proof_endpoint(p, &e);
    e.host = "m001.example";
    dna_proof_endpoint(p, &e);
    SAYS("held", finish(p, good.x, root.x));
}

static void test_freed_while_out(void)
{
    const struct dna_proof_ask out = { "a.example", DNA_PKIX_XMPP_SERVER, false },
                               in = { "two.example", DNA_PKIX_XMPP_SERVER, true };
    struct dna_proof_endpoint e = secure_one;
    fresh();
    e.host = "gone.silent.example";
    struct dna_proof *p = dna_proof_new(&env, &out, on_settled, NULL);
    dna_proof_endpoint(p, &e);
    CU_ASSERT_TRUE(dna_proof_pending(p));
    dna_proof_free(p);
    p = dna_proof_new(&env, &in, on_settled, NULL);
    CU_ASSERT_TRUE(dna_proof_pending(p));
    dna_proof_free(p);
    num_settled = 0;
    SAYS("held", at(secure_one, "m302.example", good.x, root.x)); /* turns the loop */
}

static void test_inbound(void)
{
    fresh();
    SAYS("held", from("two.example", good.x, NULL));
    SAYS("held", from("two.example", own.x, NULL));
    SAYS("refuted", from("two.example", other_name.x, root.x));
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.sought, "2 endpoints, 2 with usable"));
    SAYS("failed", from("two.example", NULL, NULL));
    SAYS("held", from("half1.example", good.x, NULL));
    SAYS("failed", from("half1.example", own.x, NULL)); /* h3 might show anything */
    SAYS("unclear", from("lost.example", good.x, NULL));
    SAYS("unclear", from("broken.example", good.x, NULL));
    SAYS("absent", from("in.plain.example", own.x, NULL));
    SAYS("absent", from("gone.example", own.x, NULL));
    SAYS("absent", from("nobody.example", own.x, NULL));
    SAYS("held", from("a.example", server_only.x, NULL));
    policy.strict_client_eku = true;
    SAYS("refuted", from("a.example", server_only.x, NULL));
    SAYS("held", from("a.example", of_private.x, NULL));
    fresh();
    knobs.dane_inbound = 0;
    SAYS("absent", from("two.example", other_name.x, root.x));
    CU_ASSERT_STRING_EQUAL(server.asked, "");
}

static void test_described(void)
{
    const struct dna_prooftype_text *t = &dna_prooftypes[DNA_PROOFTYPE_dane];
    CU_ASSERT_STRING_EQUAL(t->name, "dane");
    CU_ASSERT_TRUE(t->secure_dns);
    CU_ASSERT_EQUAL(t->weight, DNA_DECIDES);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("prooftype_dane", NULL, NULL);
    CU_add_test(s, "usage by selector by matching type", test_matrix);
    CU_add_test(s, "dates and names", test_dates_and_names);
    CU_add_test(s, "trust anchors in DNS and in the chain", test_anchors);
    CU_add_test(s, "the path goes on to the record", test_longer_path);
    CU_add_test(s, "records that are not usable", test_unusable);
    CU_add_test(s, "the strongest digest", test_agility);
    CU_add_test(s, "where nothing is sought", test_not_sought);
    CU_add_test(s, "bogus is not absent", test_bogus_and_absent);
    CU_add_test(s, "aliases", test_aliases);
    CU_add_test(s, "the next endpoint begins anew", test_next_endpoint);
    CU_add_test(s, "freed while a question is out", test_freed_while_out);
    CU_add_test(s, "the certificate of a server that connected", test_inbound);
    CU_add_test(s, "what it says of itself", test_described);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    end_world();
    CU_cleanup_registry();
    return failed;
}
