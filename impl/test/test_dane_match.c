/* SPDX-License-Identifier: MIT */
/* test_dane_match: which TLSA records are usable, and which digests count. What records match is in
 * test_prooftype_dane.c. */
#include <CUnit/Basic.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "impl/dane_match.h"

static struct dna_knobs knobs;
static unsigned char bytes[128], key[600], certificate[1200];
static uint16_t key_len, certificate_len;

static void make_material(void)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    unsigned char *at = key;
    key_len = (uint16_t)i2d_PUBKEY(pair, &at);
    X509_set_pubkey(x, pair);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 1000);
    X509_sign(x, pair, EVP_sha256());
    at = certificate;
    certificate_len = (uint16_t)i2d_X509(x, &at);
    X509_free(x);
    EVP_PKEY_free(pair);
}

static size_t taken(const struct dna_dns_tlsa *records, size_t num)
{
    struct dna_dane_set set = { .num = 0 };
    dna_dane_set_take(&set, records, num, &knobs);
    size_t n = set.num;
    CU_ASSERT_EQUAL(set.num_seen, num);
    dna_dane_set_cleanup(&set);
    CU_ASSERT_EQUAL(set.num, 0);
    return n;
}

static bool usable(unsigned usage, unsigned selector, unsigned mtype, unsigned char *data,
                   unsigned len)
{
    const struct dna_dns_tlsa t = { (uint8_t)usage, (uint8_t)selector, (uint8_t)mtype,
                                    (uint16_t)len, data };
    return taken(&t, 1) == 1;
}

static void test_kinds(void)
{
    knobs = dna_knobs_default();
    for (unsigned usage = 0; usage < 256; usage++)
        CU_ASSERT_EQUAL(usable(usage, 0, 1, bytes, 32), usage <= 3);
    for (unsigned selector = 0; selector < 256; selector++)
        CU_ASSERT_EQUAL(usable(3, selector, 1, bytes, 32), selector <= 1);
    for (unsigned mtype = 3; mtype < 256; mtype++)
        CU_ASSERT_FALSE(usable(3, 1, mtype, bytes, 32) || usable(3, 1, mtype, bytes, 64));
}

static void test_lengths(void)
{
    knobs = dna_knobs_default();
    for (unsigned len = 0; len < sizeof bytes; len++) {
        CU_ASSERT_EQUAL(usable(3, 0, 1, bytes, len), len == 32);
        CU_ASSERT_EQUAL(usable(3, 1, 2, bytes, len), len == 64);
    }
    CU_ASSERT_TRUE(usable(2, 0, 0, certificate, certificate_len));
    CU_ASSERT_TRUE(usable(3, 1, 0, key, key_len));
    CU_ASSERT_FALSE(usable(2, 1, 0, certificate, certificate_len));
    CU_ASSERT_FALSE(usable(3, 0, 0, key, key_len));
    CU_ASSERT_FALSE(usable(2, 0, 0, certificate, certificate_len - 1u));
    CU_ASSERT_FALSE(usable(2, 0, 0, certificate, certificate_len + 1u));
    CU_ASSERT_FALSE(usable(3, 1, 0, key, key_len + 1u));
    CU_ASSERT_FALSE(usable(3, 1, 0, key, 0));
    CU_ASSERT_FALSE(usable(2, 0, 0, certificate, 0));
}

static void test_usages(void)
{
    knobs = dna_knobs_default();
    for (uint32_t mask = 0; mask < 16; mask++) {
        knobs.dane_usages = mask;
        for (unsigned usage = 0; usage < 4; usage++)
            CU_ASSERT_EQUAL(usable(usage, 1, 1, bytes, 32), (mask >> usage & 1) != 0);
    }
}

static void test_agility(void)
{
    struct dna_dns_tlsa r[] = {
        { 3, 1, 1, 32, bytes }, /* outdone by the next one */
        { 3, 1, 2, 64, bytes }, { 3, 1, 0, key_len, key },
        { 3, 0, 1, 32, bytes }, /* another selector */
        { 2, 1, 1, 32, bytes }, /* another usage */
    };
    knobs = dna_knobs_default();
    CU_ASSERT_EQUAL(taken(r, 5), 4);
    knobs.dane_digest_agility = 0;
    CU_ASSERT_EQUAL(taken(r, 5), 5);
    knobs.dane_digest_agility = 1;
    r[1].len = 63; /* what is not usable outdoes nothing */
    CU_ASSERT_EQUAL(taken(r, 5), 4);
    CU_ASSERT_EQUAL(taken(r, 1), 1);
    CU_ASSERT_EQUAL(taken(r, 0), 0);
}

int main(void)
{
    make_material();
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("dane_match", NULL, NULL);
    CU_add_test(s, "usages, selectors and matching types", test_kinds);
    CU_add_test(s, "lengths and content", test_lengths);
    CU_add_test(s, "usages that policy leaves", test_usages);
    CU_add_test(s, "the strongest digest", test_agility);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
