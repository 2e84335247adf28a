/* SPDX-License-Identifier: MIT */
/* test_prooftype_dane: the DANE prooftype from the question to the verdict. What is expected is RFC
 * 6698 2.1, RFC 7671 5, 7 and 9, and RFC 7673 3 and 4. */
#include "impl/test/dane_world.h"

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

/* Under DANE-EE no date counts, else the first of the path. */
static void test_expiry(void)
{
    fresh();
    SAYS("held", at(secure_one, "leaves3.example", good.x, root.x));
    CU_ASSERT_EQUAL(saw.days, 0);
    const char *const hosts[] = { "m001.example", "m101.example", "m201.example" };
    for (size_t i = 0; i < 3; i++) {
        SAYS("held", at(secure_one, hosts[i], good.x, root.x));
        CU_ASSERT_EQUAL(saw.days, 10);
    }
    SAYS("held", at(secure_one, "anchor.example", of_sub.x, private_sub.x));
    CU_ASSERT_EQUAL(saw.days, 5); /* the intermediate's */
}

/* A list of the public CA that has `good` on it. */
static X509_STORE *store_with_list(void)
{
    X509_STORE *store = X509_STORE_new();
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *one = X509_REVOKED_new();
    ASN1_TIME *then = X509_gmtime_adj(NULL, -3600), *next = X509_gmtime_adj(NULL, 86400);
    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(root.x));
    X509_CRL_set1_lastUpdate(list, then);
    X509_CRL_set1_nextUpdate(list, next);
    X509_REVOKED_set_serialNumber(one, X509_get_serialNumber(good.x));
    X509_REVOKED_set_revocationDate(one, then);
    X509_CRL_add0_revoked(list, one);
    X509_CRL_sign(list, root.key, EVP_sha256());
    X509_STORE_add_cert(store, root.x);
    X509_STORE_add_crl(store, list);
    X509_CRL_free(list);
    ASN1_TIME_free(then);
    ASN1_TIME_free(next);
    return store;
}

/* All that PKIX asks is asked under PKIX-TA and PKIX-EE, and nothing of it under the others. */
static void test_revocation(void)
{
    X509_STORE *store = env.store;
    fresh();
    env.store = store_with_list();
    SAYS("held", at(secure_one, "m101.example", good.x, root.x));
    knobs.revocation = 1;
    SAYS("refuted", at(secure_one, "m001.example", good.x, root.x));
    SAYS("refuted", at(secure_one, "m101.example", good.x, root.x));
    CU_ASSERT_PTR_NOT_NULL(strstr(saw.why, "revoked"));
    SAYS("held", at(secure_one, "m201.example", good.x, root.x));
    SAYS("held", at(secure_one, "m301.example", good.x, root.x));
    X509_STORE_free(env.store);
    env.store = store;
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
    SAYS("held", at(e, "names.example", end_named.x, root.x)); /* either name counts */
    e.canonical = "away.example"; /* insecure there */
    SAYS("held", at(e, "m312.example", good.x, root.x));
    e.canonical = "broken.example";
    SAYS("refuted", at(e, "m311.example", good.x, root.x));
    CU_ASSERT_TRUE(saw.barred);
}

static void test_next_endpoint(void)
{
    const struct dna_proof_ask ask = { "a.example", DNA_PKIX_XMPP_SERVER, false, false };
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
    const struct dna_proof_ask out = { "a.example", DNA_PKIX_XMPP_SERVER, false, false },
                               in = { "two.example", DNA_PKIX_XMPP_SERVER, true, true };
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
    SAYS("held", from("a.example", client_only.x, NULL));
    knobs.server_auth_eku_ok = 0;
    SAYS("held", from("a.example", client_only.x, NULL));
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
    CU_add_test(s, "when what holds expires", test_expiry);
    CU_add_test(s, "revocation is PKIX's business", test_revocation);
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
