/* SPDX-License-Identifier: MIT */
/* test_prooftype_pkix: paths, purposes, revocation lists and names of certificates that are minted
 * here, judged by the table. A refusal is told by the guard of its row. root -> middle -> leaf */
#include <CUnit/Basic.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "impl/prooftype.h"
#include "model/machines.h"

#define OTHER_SRV "otherName:1.3.6.1.5.5.7.8.7;IA5STRING:"
#define OTHER_XMPP "otherName:1.3.6.1.5.5.7.8.5;UTF8:"
#define G(name) prooftype_pkix_G_##name
enum { HELD = -1, ABSENT = -2 };

extern const struct dna_prooftype dna_prooftype_pkix;

static EVP_PKEY *root_key, *middle_key, *leaf_key;
static X509 *root, *middle;
static X509_STORE *store;
static struct dna_knobs knobs;

/* How a certificate differs from a good leaf under `middle`. */
struct recipe {
    const char *cn; /* "": an empty subject */
    X509 *issuer;   /* NULL: middle */
    EVP_PKEY *issuer_key, *key;
    long from_days, to_days; /* both 0: from yesterday for ten days */
    const char *names, *basic, *usage, *purposes, *constraints;
    const char *critical;  /* OID of an extension that nobody knows */
    const char *raw_names; /* DER of the subjectAltName, in hexadecimal */
    const EVP_MD *md;
    long serial;
};

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    if (!value)
        return;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (!e)
        abort();
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static void extend_raw(X509 *x, const char *oid, bool critical, const char *hex)
{
    long len = 0;
    unsigned char *der = OPENSSL_hexstr2buf(hex, &len);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING_set(data, der, (int)len);
    X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, object, critical, data);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    ASN1_OBJECT_free(object);
    ASN1_OCTET_STRING_free(data);
    OPENSSL_free(der);
}

static X509 *mint(struct recipe r)
{
    static long serial = 100;
    X509 *x = X509_new(), *issuer = r.issuer ? r.issuer : middle;
    X509_NAME *subject = X509_get_subject_name(x);
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), r.serial ? r.serial : ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), 86400 * (r.from_days || r.to_days ? r.from_days : -1));
    X509_gmtime_adj(X509_getm_notAfter(x), 86400 * (r.from_days || r.to_days ? r.to_days : 10));
    if (!r.cn || r.cn[0])
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   (const unsigned char *)(r.cn ? r.cn : "any"), -1, -1, 0);
    X509_set_pubkey(x, r.key ? r.key : leaf_key);
    X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
    extend(x, issuer, NID_basic_constraints, r.basic ? r.basic : "CA:FALSE");
    extend(x, issuer, NID_subject_alt_name, r.names);
    extend(x, issuer, NID_key_usage, r.usage);
    extend(x, issuer, NID_ext_key_usage, r.purposes);
    extend(x, issuer, NID_name_constraints, r.constraints);
    if (r.critical)
        extend_raw(x, r.critical, true, "0500");
    if (r.raw_names)
        extend_raw(x, "2.5.29.17", false, r.raw_names);
    if (X509_sign(x, r.issuer_key ? r.issuer_key : middle_key, r.md ? r.md : EVP_sha256()) <= 0)
        abort();
    return x;
}

static X509 *mint_ca(struct recipe r, EVP_PKEY *key)
{
    r.key = key;
    r.basic = r.basic ? r.basic : "critical,CA:TRUE";
    if (!r.issuer) {
        r.issuer = root;
        r.issuer_key = root_key;
    }
    return mint(r);
}

/* What is asked, beside the certificate. */
struct asked {
    const char *domain; /* NULL: a.example */
    enum dna_pkix_service service;
    bool inbound;
    const struct dna_proof_endpoint *at, *then;
    X509_STORE *store;
};

/* HELD, ABSENT, or the guard that refused. Frees x. */
static int judge(X509 *x, STACK_OF(X509) * chain, struct asked a)
{
    const struct dna_machine *m = &dna_machine_prooftype_pkix;
    const struct dna_proof_env env = { .store = a.store ? a.store : store, .knobs = &knobs };
    const struct dna_proof_ask ask = { a.domain ? a.domain : "a.example", a.service, a.inbound, a.inbound };
    char why[200] = "", sought[200] = "";
    void *p = dna_prooftype_pkix.begin(&env, &ask, NULL);
    if (a.at)
        dna_prooftype_pkix.endpoint(p, a.at);
    if (a.then)
        dna_prooftype_pkix.endpoint(p, a.then);
    enum dna_proof_says says = dna_prooftype_pkix.judge(p, x, chain, why, sizeof why);
    CU_ASSERT_EQUAL(dna_prooftype_pkix.judge(p, x, chain, why, sizeof why), says);
    dna_prooftype_pkix.sought(p, sought, sizeof sought);
    CU_ASSERT_PTR_NOT_NULL(strstr(sought, ask.domain));
    dna_prooftype_pkix.free(p);
    X509_free(x);
    if (says != DNA_PROOF_FAILED)
        return says == DNA_PROOF_HELD ? HELD : ABSENT;
    for (size_t i = 1; i < m->num_guards; i++)
        if (strncmp(why, m->guards[i].text, strlen(m->guards[i].text)) == 0)
            return (int)i;
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "does not name"));
    return G(otherwise);
}

static int leaf(struct recipe r, struct asked a)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, middle);
    if (!r.names && !r.raw_names && !r.cn)
        r.names = "DNS:a.example";
    int got = judge(mint(r), chain, a);
    sk_X509_free(chain);
    return got;
}
#define LEAF(...) leaf((struct recipe){ __VA_ARGS__ }, (struct asked){ 0 })
#define NAMES(text) LEAF(.names = text)

/* A good leaf below a middle authority of this kind, and perhaps another one above that. */
static int below(struct recipe authority, struct recipe above, bool two)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *upper = NULL;
    authority.cn = "authority";
    if (two) {
        above.cn = "above";
        upper = mint_ca(above, leaf_key);
        authority.issuer = upper;
        authority.issuer_key = leaf_key;
        sk_X509_push(chain, upper);
    }
    X509 *ca = mint_ca(authority, middle_key);
    sk_X509_push(chain, ca);
    int got = judge(mint((struct recipe){ .issuer = ca, .names = "DNS:a.example" }), chain,
                    (struct asked){ 0 });
    sk_X509_pop_free(chain, X509_free);
    return got;
}
#define BELOW(...) below((struct recipe){ __VA_ARGS__ }, (struct recipe){ 0 }, false)

static void test_paths_as_they_come(void)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *x = mint((struct recipe){ .names = "DNS:a.example" });
    X509 *junk = mint((struct recipe){ .names = "DNS:v.example", .to_days = -1, .from_days = -9 });
    CU_ASSERT_EQUAL(LEAF(0), HELD);
    X509_up_ref(x);
    CU_ASSERT_EQUAL(judge(x, NULL, (struct asked){ 0 }), G(no_path));
    sk_X509_push(chain, root);
    sk_X509_push(chain, junk);
    sk_X509_push(chain, middle);
    sk_X509_push(chain, x);
    sk_X509_push(chain, middle);
    X509_up_ref(x);
    CU_ASSERT_EQUAL(judge(x, chain, (struct asked){ 0 }), HELD);
    CU_ASSERT(dna_pkix_expires_in(x, chain, store) > 9 * 86400);
    sk_X509_free(chain);
    X509_free(junk);
    X509_free(x);
    CU_ASSERT_EQUAL(judge(NULL, NULL, (struct asked){ 0 }), G(server_silent));
    CU_ASSERT_EQUAL(judge(NULL, NULL, (struct asked){ .inbound = true }), G(client_silent));
    knobs.pkix = 0;
    CU_ASSERT_EQUAL(LEAF(0), ABSENT);
    knobs.pkix = 1;
}

/* The certificate below one authority. */
static int under(X509 *ca, struct recipe r)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    r.issuer = ca;
    r.names = "DNS:a.example";
    sk_X509_push(chain, ca);
    int got = judge(mint(r), chain, (struct asked){ 0 });
    sk_X509_free(chain);
    return got;
}

static void test_untrusted(void)
{
    X509 *held = middle;
    middle = NULL;
    X509 *self = mint((struct recipe){ .names = "DNS:a.example", .issuer_key = leaf_key });
    X509 *strange = mint((struct recipe){ .cn = "strange", .basic = "critical,CA:TRUE",
                                          .key = middle_key });
    middle = held;
    CU_ASSERT_EQUAL(judge(self, NULL, (struct asked){ 0 }), G(self_signed));
    CU_ASSERT_EQUAL(under(strange, (struct recipe){ 0 }), G(no_path));
    X509_free(strange);
    CU_ASSERT_EQUAL(LEAF(.issuer_key = leaf_key), G(forged));
}

static void test_dates(void)
{
    CU_ASSERT_EQUAL(LEAF(.from_days = -9, .to_days = -1), G(too_late));
    CU_ASSERT_EQUAL(LEAF(.from_days = 1, .to_days = 9), G(too_early));
    CU_ASSERT_EQUAL(BELOW(.from_days = -9, .to_days = -1), G(too_late));
    CU_ASSERT_EQUAL(BELOW(.from_days = 1, .to_days = 9), G(too_early));
    CU_ASSERT_EQUAL(BELOW(.from_days = -1, .to_days = 9), HELD);
}

static void test_authorities(void)
{
    CU_ASSERT_EQUAL(BELOW(.basic = "CA:FALSE"), G(no_authority));
    CU_ASSERT_EQUAL(below((struct recipe){ 0 }, (struct recipe){ .basic = "CA:TRUE,pathlen:0" },
                          true),
                    G(no_authority));
    CU_ASSERT_EQUAL(below((struct recipe){ 0 }, (struct recipe){ .basic = "CA:TRUE,pathlen:1" },
                          true),
                    HELD);
    CU_ASSERT_EQUAL(LEAF(.basic = "CA:TRUE"), G(an_authority));
    CU_ASSERT_EQUAL(LEAF(.basic = "CA:FALSE"), HELD);
    CU_ASSERT_EQUAL(BELOW(.usage = "digitalSignature,cRLSign"), G(not_for_signing));
    CU_ASSERT_EQUAL(BELOW(.usage = "keyCertSign"), HELD);
    CU_ASSERT_EQUAL(BELOW(.constraints = "permitted;DNS:b.example"), G(out_of_bounds));
    CU_ASSERT_EQUAL(BELOW(.constraints = "excluded;DNS:example"), G(out_of_bounds));
    CU_ASSERT_EQUAL(BELOW(.constraints = "permitted;DNS:example"), HELD);
    CU_ASSERT_EQUAL(BELOW(.critical = "1.2.3.4"), G(unknown_extension));
    CU_ASSERT_EQUAL(LEAF(.critical = "1.2.3.4"), G(unknown_extension));
}

static void test_weak(void)
{
    EVP_PKEY *small = EVP_RSA_gen(1024), *large = EVP_RSA_gen(2048);
    X509 *ca = mint_ca((struct recipe){ .cn = "RSA" }, large);
    CU_ASSERT_EQUAL(under(ca, (struct recipe){ .issuer_key = large }), HELD);
    CU_ASSERT_EQUAL(under(ca, (struct recipe){ .issuer_key = large, .md = EVP_md5() }),
                    G(too_weak));
    CU_ASSERT_EQUAL(LEAF(.md = EVP_sha1()), G(too_weak));
    CU_ASSERT_EQUAL(LEAF(.key = small), G(too_weak));
    CU_ASSERT_EQUAL(BELOW(.md = EVP_sha1()), G(too_weak));
    X509_free(ca);
    EVP_PKEY_free(small);
    EVP_PKEY_free(large);
}

static void test_purposes(void)
{
    const struct asked in = { .inbound = true };
    const struct recipe server = { .purposes = "serverAuth" };
    const struct recipe client = { .purposes = "clientAuth" };
    const struct recipe mail = { .purposes = "emailProtection" };
    CU_ASSERT_EQUAL(leaf(server, (struct asked){ 0 }), HELD);
    CU_ASSERT_EQUAL(leaf(client, (struct asked){ 0 }), G(not_for_server));
    CU_ASSERT_EQUAL(leaf(mail, (struct asked){ 0 }), G(not_for_server));
    CU_ASSERT_EQUAL(leaf(client, in), HELD);
    CU_ASSERT_EQUAL(leaf(server, in), HELD);
    CU_ASSERT_EQUAL(leaf(mail, in), G(not_for_tls));
    CU_ASSERT_EQUAL(BELOW(.purposes = "emailProtection"), G(not_for_server));
    knobs.server_auth_eku_ok = 0;
    CU_ASSERT_EQUAL(leaf(client, in), HELD);
    CU_ASSERT_EQUAL(leaf(server, in), G(client_needed));
    CU_ASSERT_EQUAL(leaf(server, (struct asked){ 0 }), HELD);
    knobs.server_auth_eku_ok = 1;
}

static void test_subject(void)
{
    CU_ASSERT_EQUAL(LEAF(.cn = "", .names = "DNS:a.example"), HELD);
    knobs.empty_subject_ok = 0;
    CU_ASSERT_EQUAL(LEAF(.cn = "", .names = "DNS:a.example"), G(subject_empty));
    CU_ASSERT_EQUAL(LEAF(.cn = "x", .names = "DNS:a.example"), HELD);
    knobs.empty_subject_ok = 1;
}

static void test_names(void)
{
    CU_ASSERT_EQUAL(NAMES("DNS:v.example,DNS:a.example,DNS:a.example"), HELD);
    CU_ASSERT_EQUAL(NAMES("DNS:v.example"), G(otherwise));
    CU_ASSERT_EQUAL(NAMES("DNS:a.example."), HELD);
    CU_ASSERT_EQUAL(NAMES("DNS:a.example.."), G(otherwise));
    CU_ASSERT_EQUAL(NAMES("DNS:.a.example"), G(otherwise));
    CU_ASSERT_EQUAL(NAMES(OTHER_XMPP "a.example"), HELD);
    CU_ASSERT_EQUAL(NAMES(OTHER_XMPP "a@a.example"), G(otherwise));
    CU_ASSERT_EQUAL(NAMES(OTHER_SRV "_xmpp-server.a.example"), HELD);
    CU_ASSERT_EQUAL(NAMES(OTHER_SRV "_xmpp-client.a.example"), G(other_service));
    CU_ASSERT_EQUAL(NAMES(OTHER_SRV "_imap.a.example"), G(otherwise));
    CU_ASSERT_EQUAL(NAMES(OTHER_SRV "_xmpp-server.*.example"), G(otherwise));
    CU_ASSERT_EQUAL(NAMES(OTHER_SRV "_xmpp-server."), G(otherwise));
    CU_ASSERT_EQUAL(NAMES(OTHER_SRV "_xmpp-server.a.example,DNS:v.example"), HELD);
    CU_ASSERT_EQUAL(NAMES("URI:xmpp:a.example,email:a@a.example"), G(otherwise));
    /* one empty dNSName; then one cut short, which no common name must make up for */
    CU_ASSERT_EQUAL(LEAF(.raw_names = "30028200"), G(otherwise));
    CU_ASSERT_EQUAL(LEAF(.raw_names = "300382056100"), G(path_bad));
    CU_ASSERT_EQUAL(LEAF(.names = "DNS:a.example", .raw_names = "300b8209612e6578616d706c65"),
                    G(path_bad));
}

static void test_services(void)
{
    const struct recipe server = { .names = OTHER_SRV "_xmpp-server.a.example" };
    const struct recipe client = { .names = OTHER_SRV "_xmpp-client.a.example" };
    const struct asked by_client = { .service = DNA_PKIX_XMPP_CLIENT };
    CU_ASSERT_EQUAL(leaf(client, by_client), HELD);
    CU_ASSERT_EQUAL(leaf(server, by_client), G(other_service));
    knobs.srv_client_name_ok = 1;
    CU_ASSERT_EQUAL(leaf(client, (struct asked){ 0 }), HELD);
    CU_ASSERT_EQUAL(leaf(server, by_client), G(other_service));
    knobs.srv_client_name_ok = 0;
}

static void test_addresses(void)
{
    const struct asked v4 = { .domain = "192.0.2.1" };
    CU_ASSERT_EQUAL(leaf((struct recipe){ .names = "IP:192.0.2.1" }, v4), HELD);
    CU_ASSERT_EQUAL(leaf((struct recipe){ .names = OTHER_XMPP "192.0.2.1" }, v4), G(otherwise));
    knobs.cn_id = 1;
    CU_ASSERT_EQUAL(leaf((struct recipe){ .cn = "192.0.2.1" }, v4), G(otherwise));
    knobs.cn_id = 0;
}

static void test_common_names(void)
{
    const char *const beside[] = { "DNS:v.example", OTHER_SRV "_imap.v.example",
                                   OTHER_XMPP "v.example", "URI:xmpp:v.example", "IP:192.0.2.1" };
    CU_ASSERT_EQUAL(LEAF(.cn = "a.example"), G(common_alone));
    knobs.cn_id = 1;
    CU_ASSERT_EQUAL(LEAF(.cn = "a.example"), HELD);
    CU_ASSERT_EQUAL(LEAF(.cn = "v.example"), G(otherwise));
    CU_ASSERT_EQUAL(LEAF(.cn = "a.example", .names = "email:a@v.example"), HELD);
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++)
        CU_ASSERT_EQUAL(LEAF(.cn = "a.example", .names = beside[i]), G(common_beside));
    X509 *broken = mint((struct recipe){ .cn = "a.example", .raw_names = "300382056100" });
    CU_ASSERT_FALSE(dna_pkix_names(broken, "a.example", DNA_PKIX_XMPP_SERVER, &knobs));
    X509_free(broken);
    knobs.cn_id = 0;
}

static void test_targets(void)
{
    const struct dna_proof_endpoint secure = { .host = "x.host.example", .from_srv = true,
                                               .srv = DNA_DNS_SECURE };
    const struct dna_proof_endpoint next = { .host = "y.host.example", .from_srv = true,
                                             .srv = DNA_DNS_SECURE };
    const struct dna_proof_endpoint insecure = { .host = "x.host.example", .from_srv = true };
    const struct dna_proof_endpoint fallback = { .host = "x.host.example", .srv = DNA_DNS_SECURE };
    const struct recipe host = { .names = "DNS:x.host.example" };
    CU_ASSERT_EQUAL(leaf(host, (struct asked){ .at = &secure }), HELD);
    CU_ASSERT_EQUAL(leaf(host, (struct asked){ .at = &insecure }), G(hosted_elsewhere));
    CU_ASSERT_EQUAL(leaf(host, (struct asked){ .at = &fallback }), G(otherwise));
    CU_ASSERT_EQUAL(leaf(host, (struct asked){ .at = &secure, .then = &next }), G(otherwise));
    CU_ASSERT_EQUAL(leaf(host, (struct asked){ .at = &secure, .then = &insecure }),
                    G(hosted_elsewhere));
    CU_ASSERT_EQUAL(LEAF(0), HELD);
    CU_ASSERT_EQUAL(leaf((struct recipe){ .names = "DNS:a.example" },
                         (struct asked){ .at = &secure }), HELD);
    CU_ASSERT_EQUAL(leaf((struct recipe){ .names = OTHER_SRV "_xmpp-server.x.host.example" },
                         (struct asked){ .at = &secure }), G(otherwise));
    CU_ASSERT_EQUAL(leaf((struct recipe){ .names = OTHER_XMPP "x.host.example" },
                         (struct asked){ .at = &secure }), G(otherwise));
    knobs.dane = 0;
    CU_ASSERT_EQUAL(leaf(host, (struct asked){ .at = &secure }), G(hosted_elsewhere));
    knobs.dane = 1;
}

/* A list by this authority, of one serial number or none, as a file. */
static void list(X509_STORE *to, X509 *by, EVP_PKEY *key, long serial, long from, long until)
{
    char path[] = "/tmp/dna-crl-XXXXXX", why[200] = "";
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *t = ASN1_TIME_new();
    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(by));
    X509_CRL_set1_lastUpdate(crl, X509_gmtime_adj(t, from * 86400));
    X509_CRL_set1_nextUpdate(crl, X509_gmtime_adj(t, until * 86400));
    if (serial) {
        X509_REVOKED *gone = X509_REVOKED_new();
        ASN1_INTEGER *number = ASN1_INTEGER_new();
        ASN1_INTEGER_set(number, serial);
        X509_REVOKED_set_serialNumber(gone, number);
        X509_REVOKED_set_revocationDate(gone, X509_gmtime_adj(t, -86400));
        X509_CRL_add0_revoked(crl, gone);
        ASN1_INTEGER_free(number);
    }
    X509_CRL_sort(crl);
    X509_CRL_sign(crl, key, EVP_sha256());
    int fd = mkstemp(path);
    FILE *out = fdopen(fd, "w");
    PEM_write_X509_CRL(out, crl);
    fclose(out);
    CU_ASSERT_TRUE(dna_pkix_store_add_crl(to, path, why, sizeof why));
    unlink(path);
    ASN1_TIME_free(t);
    X509_CRL_free(crl);
}

static X509_STORE *new_store(void)
{
    X509_STORE *s = X509_STORE_new();
    X509_STORE_add_cert(s, root);
    return s;
}

/* What the three values of the knob make of a leaf with serial 7; frees the store. */
static void revocation(X509_STORE *s, int off, int soft, int hard)
{
    const int wanted[] = { off, soft, hard };
    for (uint32_t k = 0; k < 3; k++) {
        knobs.revocation = k;
        int got = leaf((struct recipe){ .serial = 7 }, (struct asked){ .store = s });
        if (got != wanted[k])
            printf("revocation %u: guard %d, wanted %d\n", k, got, wanted[k]);
        CU_ASSERT_EQUAL(got, wanted[k]);
    }
    knobs.revocation = 0;
    X509_STORE_free(s);
}

static void test_lists(void)
{
    X509_STORE *s = new_store();
    revocation(s, HELD, HELD, G(list_missing));
    list(s = new_store(), middle, middle_key, 8, -1, 1);
    revocation(s, HELD, HELD, G(list_missing)); /* none of the root, which issued the middle */
    list(s = new_store(), middle, middle_key, 8, -1, 1);
    list(s, root, root_key, 8, -1, 1);
    revocation(s, HELD, HELD, HELD);
    list(s = new_store(), middle, middle_key, 7, -1, 1);
    revocation(s, HELD, G(revoked), G(revoked));
    list(s = new_store(), middle, middle_key, 0, -1, 1);
    list(s, root, root_key, ASN1_INTEGER_get(X509_get0_serialNumber(middle)), -1, 1);
    revocation(s, HELD, G(revoked), G(revoked));
    list(s = new_store(), root, root_key, ASN1_INTEGER_get(X509_get0_serialNumber(root)), -1, 1);
    list(s, middle, middle_key, 0, -1, 1);
    revocation(s, HELD, HELD, HELD); /* an anchor is trusted as it is */
}

static void test_lists_unasked(void)
{
    struct prooftype_pkix_facts e = { 0 };
    char detail[100];
    X509_STORE *s = new_store();
    X509 *x = mint((struct recipe){ .serial = 7, .issuer = root, .issuer_key = root_key });
    list(s, root, root_key, 7, -1, 1);
    dna_pkix_path_facts(x, NULL, s, true, &e, detail, sizeof detail);
    CU_ASSERT_EQUAL(e.listed, DNA_LISTED_REVOKED);
    dna_pkix_path_facts(x, NULL, s, false, &e, detail, sizeof detail);
    CU_ASSERT_EQUAL(e.listed, DNA_LISTED_NOT);
    X509_free(x);
    X509_STORE_free(s);
}

static void test_unusable_lists(void)
{
    X509_STORE *s = new_store();
    char why[200] = "";
    list(s, root, root_key, 0, -1, 1);
    list(s, middle, middle_key, 0, -9, -1);
    revocation(s, HELD, HELD, G(list_unusable));
    list(s = new_store(), root, root_key, 0, -1, 1);
    list(s, middle, middle_key, 7, -9, -1);
    revocation(s, HELD, G(revoked), G(revoked)); /* outdated, but it was revoked */
    list(s = new_store(), root, root_key, 0, -1, 1);
    list(s, middle, leaf_key, 7, -1, 1);
    revocation(s, HELD, HELD, G(list_unusable)); /* not signed by the authority: it says nothing */
    s = new_store();
    CU_ASSERT_FALSE(dna_pkix_store_add_crl(s, "/nonexistent", why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nonexistent"));
    CU_ASSERT_FALSE(dna_pkix_store_add_crl(s, "/dev/null", why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "/dev/null"));
    X509_STORE_free(s);
}

static int64_t left(long leaf_days, long authority_days)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509 *ca = mint_ca((struct recipe){ .cn = "a", .from_days = -20, .to_days = authority_days },
                       middle_key);
    X509 *x = mint((struct recipe){ .issuer = ca, .from_days = -20, .to_days = leaf_days });
    X509 *junk = mint((struct recipe){ .from_days = -20, .to_days = -10 });
    sk_X509_push(chain, junk);
    sk_X509_push(chain, ca);
    int64_t seconds = dna_pkix_expires_in(x, chain, store);
    sk_X509_pop_free(chain, X509_free);
    X509_free(x);
    return seconds;
}

static bool about(int64_t seconds, int64_t days)
{
    return seconds <= days * 86400 && seconds > days * 86400 - 60;
}

static void test_expiry(void)
{
    CU_ASSERT_TRUE(about(left(3, 5), 3));
    CU_ASSERT_TRUE(about(left(5, 3), 3));
    CU_ASSERT_TRUE(about(left(-2, 3), -2));
    CU_ASSERT_TRUE(about(left(3, -2), -2));
    CU_ASSERT_TRUE(about(left(90, 90), 60)); /* the root's */
}

static int begin(void)
{
    knobs = dna_knobs_default();
    root_key = EVP_EC_gen("P-256");
    middle_key = EVP_EC_gen("P-256");
    leaf_key = EVP_EC_gen("P-256");
    root = mint((struct recipe){ .cn = "root", .basic = "critical,CA:TRUE", .key = root_key,
                                 .issuer_key = root_key, .from_days = -60, .to_days = 60 });
    middle = mint_ca((struct recipe){ .cn = "middle", .from_days = -60, .to_days = 50 },
                     middle_key);
    store = new_store();
    return 0;
}

static int end(void)
{
    X509_STORE_free(store);
    X509_free(middle);
    X509_free(root);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(middle_key);
    EVP_PKEY_free(leaf_key);
    return 0;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("prooftype_pkix", begin, end);
    CU_add_test(s, "paths in any order, with junk, with a gap", test_paths_as_they_come);
    CU_add_test(s, "paths that end nowhere", test_untrusted);
    CU_add_test(s, "dates of leaf and authority", test_dates);
    CU_add_test(s, "what an authority may do", test_authorities);
    CU_add_test(s, "weak keys and digests", test_weak);
    CU_add_test(s, "purposes in both directions", test_purposes);
    CU_add_test(s, "an empty subject", test_subject);
    CU_add_test(s, "names, broken ones too", test_names);
    CU_add_test(s, "services", test_services);
    CU_add_test(s, "addresses", test_addresses);
    CU_add_test(s, "common names", test_common_names);
    CU_add_test(s, "the target of a secure SRV record", test_targets);
    CU_add_test(s, "revocation lists", test_lists);
    CU_add_test(s, "revocation lists that nobody asks for", test_lists_unasked);
    CU_add_test(s, "revocation lists that cannot be used", test_unusable_lists);
    CU_add_test(s, "time until the first certificate expires", test_expiry);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
