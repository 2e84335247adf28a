/* SPDX-License-Identifier: MIT */
/* test_pkix: which certificates prove which domain. Certificates are minted here, from a CA that
 * lives as long as the program; dates are relative to now. */
#include <CUnit/Basic.h>
#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "impl/pkix.h"

static EVP_PKEY *ca_key, *leaf_key;
static X509 *ca;
static X509_STORE *store;
static const struct dna_pkix_policy strict; /* the defaults */

struct recipe {
    const char *cn;
    GENERAL_NAMES *names;
    long from_days, to_days;
    const char *eku;
    EVP_PKEY *issuer_key; /* NULL: the CA's */
    bool self;
    bool authority;   /* cA, although it is a leaf */
    bool constrained; /* policy constraints: requireExplicitPolicy 0 */
};

static void add_conf(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static X509 *mint(const struct recipe *r, bool is_ca)
{
    X509 *x = X509_new();
    X509_NAME *subject = X509_get_subject_name(x);
    EVP_PKEY *key = is_ca ? ca_key : leaf_key;
    static long serial;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), r->from_days * 86400);
    X509_gmtime_adj(X509_getm_notAfter(x), r->to_days * 86400);
    if (r->cn)
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)r->cn, -1,
                                   -1, 0);
    X509_set_pubkey(x, key);
    X509_set_issuer_name(x, is_ca || r->self ? subject : X509_get_subject_name(ca));
    add_conf(x, NID_basic_constraints, is_ca || r->authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (r->eku)
        add_conf(x, NID_ext_key_usage, r->eku);
    if (r->constrained)
        add_conf(x, NID_policy_constraints, "critical,requireExplicitPolicy:0");
    if (r->names)
        X509_add1_ext_i2d(x, NID_subject_alt_name, r->names, 0, 0);
    X509_sign(x, is_ca || !r->self ? ca_key : leaf_key, EVP_sha256());
    GENERAL_NAMES_free(r->names);
    return x;
}

static GENERAL_NAMES *add(GENERAL_NAMES *all, GENERAL_NAME *n)
{
    if (!all)
        all = GENERAL_NAMES_new();
    sk_GENERAL_NAME_push(all, n);
    return all;
}

static GENERAL_NAMES *dns_len(GENERAL_NAMES *all, const char *name, int len)
{
    GENERAL_NAME *n = GENERAL_NAME_new();
    ASN1_IA5STRING *s = ASN1_IA5STRING_new();
    ASN1_STRING_set(s, name, len);
    GENERAL_NAME_set0_value(n, GEN_DNS, s);
    return add(all, n);
}

static GENERAL_NAMES *dns(const char *name)
{
    return dns_len(NULL, name, -1);
}

static GENERAL_NAMES *other(int nid, int type, const char *name)
{
    GENERAL_NAME *n = GENERAL_NAME_new();
    ASN1_TYPE *t = ASN1_TYPE_new();
    ASN1_STRING *s = ASN1_STRING_type_new(type);
    ASN1_STRING_set(s, name, -1);
    ASN1_TYPE_set(t, type, s);
    GENERAL_NAME_set0_othername(n, OBJ_dup(OBJ_nid2obj(nid)), t);
    return add(NULL, n);
}

static GENERAL_NAMES *srv(const char *name)
{
    return other(NID_SRVName, V_ASN1_IA5STRING, name);
}

static GENERAL_NAMES *xmpp(const char *name)
{
    return other(NID_XmppAddr, V_ASN1_UTF8STRING, name);
}

static enum dna_pkix_verdict judge(struct recipe r, const char *domain,
                                   const struct dna_pkix_policy *policy, bool client)
{
    char why[200] = "";
    if (!r.to_days)
        r.to_days = 10;
    X509 *x = mint(&r, false);
    enum dna_pkix_verdict v = dna_pkix_check(x, NULL, domain, DNA_PKIX_XMPP_SERVER, client, store,
                                             policy, why, sizeof why);
    CU_ASSERT_TRUE(why[0] != '\0');
    X509_free(x);
    return v;
}

static bool names(GENERAL_NAMES *n, const char *domain)
{
    const struct recipe r = { .cn = "any", .names = n };
    return judge(r, domain, &strict, false) == DNA_PKIX_PROVED;
}

static void test_dns_names(void)
{
    CU_ASSERT_TRUE(names(dns("a.example"), "a.example"));
    CU_ASSERT_TRUE(names(dns("A.Example"), "a.example"));
    CU_ASSERT_TRUE(names(dns("a.example"), "A.EXAMPLE"));
    CU_ASSERT_TRUE(names(dns("a.example."), "a.example"));
    CU_ASSERT_FALSE(names(dns("v.example"), "a.example"));
    CU_ASSERT_FALSE(names(dns("example"), "a.example"));
    CU_ASSERT_FALSE(names(dns("x.a.example"), "a.example"));
    CU_ASSERT_FALSE(names(dns_len(NULL, "a.example\0.evil.example", 23), "a.example"));
    CU_ASSERT_FALSE(names(dns_len(NULL, "a.example\0", 10), "a.example"));
    CU_ASSERT_FALSE(names(dns(" a.example"), "a.example"));
    CU_ASSERT_TRUE(names(dns_len(dns("x.example"), "a.example", -1), "a.example"));
    CU_ASSERT_FALSE(names(dns("a.example"), ""));
}

static void test_wildcards(void)
{
    CU_ASSERT_TRUE(names(dns("*.example"), "a.example"));
    CU_ASSERT_TRUE(names(dns("*.a.example"), "rooms.a.example"));
    CU_ASSERT_FALSE(names(dns("*.example"), "rooms.a.example"));
    CU_ASSERT_FALSE(names(dns("*.a.example"), "a.example"));
    CU_ASSERT_FALSE(names(dns("*"), "example"));
    CU_ASSERT_FALSE(names(dns("*.*.example"), "b.a.example"));
    CU_ASSERT_FALSE(names(dns("a*.example"), "a.example"));
    CU_ASSERT_FALSE(names(dns("*a.example"), "a.example"));
    CU_ASSERT_FALSE(names(dns("a.*"), "a.example"));
    CU_ASSERT_FALSE(names(srv("_xmpp-server.*.example"), "a.example"));
    CU_ASSERT_FALSE(names(xmpp("*.example"), "a.example"));
}

static void test_other_names(void)
{
    CU_ASSERT_TRUE(names(srv("_xmpp-server.a.example"), "a.example"));
    CU_ASSERT_TRUE(names(srv("_XMPP-Server.A.example"), "a.example"));
    CU_ASSERT_FALSE(names(srv("_xmpp-client.a.example"), "a.example"));
    CU_ASSERT_FALSE(names(srv("_xmpp-server.v.example"), "a.example"));
    CU_ASSERT_FALSE(names(srv("xmpp-server.a.example"), "a.example"));
    CU_ASSERT_FALSE(names(srv("_xmpp-serverx.a.example"), "a.example"));
    CU_ASSERT_FALSE(
        names(other(NID_SRVName, V_ASN1_UTF8STRING, "_xmpp-server.a.example"), "a.example"));
    CU_ASSERT_TRUE(names(xmpp("a.example"), "a.example"));
    CU_ASSERT_FALSE(names(xmpp("user@a.example"), "a.example"));
    CU_ASSERT_FALSE(names(xmpp("a.example/r"), "a.example"));
    CU_ASSERT_FALSE(names(other(NID_XmppAddr, V_ASN1_IA5STRING, "a.example"), "a.example"));
    struct dna_pkix_policy any = { .any_srv_service = true };
    const struct recipe r = { .cn = "any", .names = srv("_xmpp-client.a.example") };
    CU_ASSERT_EQUAL(judge(r, "a.example", &any, false), DNA_PKIX_PROVED);
}

static void test_international(void)
{
    CU_ASSERT_TRUE(names(dns("xn--bcher-kva.example"), "b\xc3\xbc"
                                                       "cher.example"));
    CU_ASSERT_FALSE(names(dns("b\xc3\xbc"
                              "cher.example"),
                          "b\xc3\xbc"
                          "cher.example"));
    CU_ASSERT_TRUE(names(xmpp("b\xc3\xbc"
                              "cher.example"),
                         "xn--bcher-kva.example"));
    CU_ASSERT_TRUE(names(srv("_xmpp-server.xn--bcher-kva.example"), "b\xc3\xbc"
                                                                    "cher.example"));
}

static GENERAL_NAMES *address(const char *text)
{
    GENERAL_NAME *n = GENERAL_NAME_new();
    GENERAL_NAME_set0_value(n, GEN_IPADD, a2i_IPADDRESS(text));
    return add(NULL, n);
}

static void test_addresses(void)
{
    CU_ASSERT_TRUE(names(address("192.0.2.1"), "192.0.2.1"));
    CU_ASSERT_FALSE(names(address("192.0.2.2"), "192.0.2.1"));
    CU_ASSERT_FALSE(names(dns("192.0.2.1"), "192.0.2.1"));
    CU_ASSERT_FALSE(names(dns("2001:db8::1"), "[2001:db8::1]"));
    CU_ASSERT_TRUE(names(address("2001:db8::1"), "[2001:db8::1]"));
    CU_ASSERT_FALSE(names(address("192.0.2.1"), "a.example"));
}

static void test_common_name(void)
{
    struct dna_pkix_policy cn = { .cn_names = true };
    const struct recipe bare = { .cn = "a.example" };
    CU_ASSERT_EQUAL(judge(bare, "a.example", &strict, false), DNA_PKIX_NAME_MISMATCH);
    CU_ASSERT_EQUAL(judge(bare, "a.example", &cn, false), DNA_PKIX_PROVED);
    const struct recipe with_names = { .cn = "a.example", .names = dns("b.example") };
    CU_ASSERT_EQUAL(judge(with_names, "a.example", &cn, false), DNA_PKIX_NAME_MISMATCH);
    const struct recipe mixed = { .cn = "x,CN=a.example" };
    CU_ASSERT_EQUAL(judge(mixed, "a.example", &cn, false), DNA_PKIX_NAME_MISMATCH);
}

static void test_paths(void)
{
    const struct recipe self = { .cn = "a", .names = dns("a.example"), .self = true };
    CU_ASSERT_EQUAL(judge(self, "a.example", &strict, false), DNA_PKIX_SELF_SIGNED);
    const struct recipe old = {
        .cn = "a", .names = dns("a.example"), .from_days = -9, .to_days = -1
    };
    CU_ASSERT_EQUAL(judge(old, "a.example", &strict, false), DNA_PKIX_NOT_IN_TIME);
    const struct recipe early = { .cn = "a", .names = dns("a.example"), .from_days = 1 };
    CU_ASSERT_EQUAL(judge(early, "a.example", &strict, false), DNA_PKIX_NOT_IN_TIME);
    const struct recipe wrong = { .cn = "a", .names = dns("v.example") };
    CU_ASSERT_EQUAL(judge(wrong, "a.example", &strict, false), DNA_PKIX_NAME_MISMATCH);
    char why[100];
    CU_ASSERT_EQUAL(dna_pkix_check(NULL, NULL, "a.example", DNA_PKIX_XMPP_SERVER, true, store,
                                   &strict, why, sizeof why),
                    DNA_PKIX_NO_CERTIFICATE);
}

static void test_subject(void)
{
    struct dna_pkix_policy named = { .subject_required = true };
    struct recipe r = { .names = dns("a.example") };
    CU_ASSERT_EQUAL(judge(r, "a.example", &strict, false), DNA_PKIX_PROVED);
    r.names = dns("a.example");
    CU_ASSERT_EQUAL(judge(r, "a.example", &named, false), DNA_PKIX_BAD_PATH);
    r.cn = "any";
    r.names = dns("a.example");
    CU_ASSERT_EQUAL(judge(r, "a.example", &named, false), DNA_PKIX_PROVED);
}

static void test_purpose(void)
{
    struct dna_pkix_policy eku = { .strict_client_eku = true };
    struct recipe r = { .cn = "a", .eku = "serverAuth" };
    r.names = dns("a.example");
    CU_ASSERT_EQUAL(judge(r, "a.example", &strict, true), DNA_PKIX_PROVED);
    r.names = dns("a.example");
    CU_ASSERT_EQUAL(judge(r, "a.example", &eku, true), DNA_PKIX_PURPOSE);
    r.names = dns("a.example");
    CU_ASSERT_EQUAL(judge(r, "a.example", &eku, false), DNA_PKIX_PROVED);
    r.eku = "emailProtection";
    r.names = dns("a.example");
    CU_ASSERT_EQUAL(judge(r, "a.example", &strict, false), DNA_PKIX_PURPOSE);
}

/* RFC 6120 13.7.1.1, which 13.7.2 makes a rule of validation: an end entity is no authority. */
static void test_authority(void)
{
    const struct recipe r = { .cn = "a", .names = dns("a.example"), .authority = true };
    CU_ASSERT_EQUAL(judge(r, "a.example", &strict, false), DNA_PKIX_BAD_PATH);
    const struct recipe in = { .cn = "a", .names = dns("a.example"), .authority = true };
    CU_ASSERT_EQUAL(judge(in, "a.example", &strict, true), DNA_PKIX_BAD_PATH);
}

enum { NONE = -1 };

/* A certificate of a path, for its policies alone: .1 or .2 of the lab's, and what it requires. */
static X509 *of_policy(int policy, int after)
{
    X509 *x = X509_new();
    char text[64];
    X509_set_version(x, 2);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               (const unsigned char *)"a", -1, -1, 0);
    if (policy != NONE) {
        POLICYINFO *info = POLICYINFO_new();
        CERTIFICATEPOLICIES *all = sk_POLICYINFO_new_null();
        (void)snprintf(text, sizeof text, "1.3.6.1.4.1.99999.%d", policy);
        ASN1_OBJECT_free(info->policyid);
        info->policyid = OBJ_txt2obj(text, 1);
        sk_POLICYINFO_push(all, info);
        X509_add1_ext_i2d(x, NID_certificate_policies, all, 0, 0);
        CERTIFICATEPOLICIES_free(all);
    }
    (void)snprintf(text, sizeof text, "critical,requireExplicitPolicy:%d", after);
    if (after != NONE)
        add_conf(x, NID_policy_constraints, text);
    return x;
}

static bool holds(int middle_policy, int after, int leaf_policy, int leaf_after)
{
    STACK_OF(X509) *path = sk_X509_new_null();
    sk_X509_push(path, of_policy(leaf_policy, leaf_after));
    sk_X509_push(path, of_policy(middle_policy, after));
    sk_X509_push(path, of_policy(NONE, 0)); /* an anchor, which is asked nothing */
    bool held = dna_pkix_policy_holds(path);
    sk_X509_pop_free(path, X509_free);
    return held;
}

/* RFC 5280 4.2.1.11, 6.1.4 (h) (i), 6.1.5: a path that has to have a policy. */
static void test_policy(void)
{
    CU_ASSERT(holds(NONE, NONE, NONE, NONE));
    CU_ASSERT(holds(1, 0, 1, NONE));
    CU_ASSERT_FALSE(holds(1, 0, 2, NONE));
    CU_ASSERT_FALSE(holds(1, 0, NONE, NONE));
    CU_ASSERT_FALSE(holds(NONE, 0, 1, NONE));
    CU_ASSERT_FALSE(holds(1, 1, 2, NONE)); /* one more certificate: the leaf */
    CU_ASSERT_FALSE(holds(1, 1, NONE, NONE));
    CU_ASSERT(holds(1, 2, NONE, NONE));
    CU_ASSERT(holds(1, 2, 2, NONE));
    CU_ASSERT_FALSE(holds(1, NONE, NONE, 0));
    CU_ASSERT_FALSE(holds(1, NONE, 2, 0));
    CU_ASSERT(holds(1, NONE, NONE, 1)); /* only 0 counts there */
    const struct recipe r = { .cn = "a", .names = dns("a.example"), .constrained = true };
    CU_ASSERT_EQUAL(judge(r, "a.example", &strict, false), DNA_PKIX_BAD_PATH);
}

/* Time grows with the number of names and no faster: the match comes last, among more names than
   fit into a handshake. */
static void test_many_names(void)
{
    enum { NUM = 20000 };
    struct recipe r = { .cn = "any", .names = GENERAL_NAMES_new() };
    for (int i = 0; i <= NUM; i++) {
        char text[40];
        (void)snprintf(text, sizeof text, i < NUM ? "b\xc3\xbc%d.example" : "a.example", i);
        GENERAL_NAMES *one = xmpp(text);
        add(r.names, sk_GENERAL_NAME_pop(one));
        GENERAL_NAMES_free(one);
    }
    clock_t before = clock();
    CU_ASSERT_EQUAL(judge(r, "a.example", &strict, false), DNA_PKIX_PROVED);
    double spent = (double)(clock() - before) / CLOCKS_PER_SEC;
    printf("%d names: %.3f s\n", NUM, spent);
    CU_ASSERT(spent < 5);
}

static int begin(void)
{
    const struct recipe r = { .cn = "test CA", .from_days = -30, .to_days = 30 };
    ca_key = EVP_EC_gen("P-256");
    leaf_key = EVP_EC_gen("P-256");
    ca = mint(&r, true);
    store = X509_STORE_new();
    return !(ca && X509_STORE_add_cert(store, ca) == 1);
}

static int end(void)
{
    X509_STORE_free(store);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(leaf_key);
    return 0;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("pkix", begin, end);
    CU_add_test(s, "DNS names", test_dns_names);
    CU_add_test(s, "wildcards are one whole label of a DNS name", test_wildcards);
    CU_add_test(s, "SRV names and XMPP addresses", test_other_names);
    CU_add_test(s, "internationalised names", test_international);
    CU_add_test(s, "addresses", test_addresses);
    CU_add_test(s, "common names only by policy", test_common_name);
    CU_add_test(s, "a leaf that is an authority", test_authority);
    CU_add_test(s, "a policy that is required", test_policy);
    CU_add_test(s, "paths", test_paths);
    CU_add_test(s, "an empty subject", test_subject);
    CU_add_test(s, "purposes", test_purpose);
    CU_add_test(s, "twenty thousand names", test_many_names);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
