/* SPDX-License-Identifier: MIT */
/* test_key: dialback keys against the worked examples of XEP-0185 and XEP-0220, and base64. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#include "impl/b64.h"
#include "impl/key.h"

static void expect(const char *secret, const char *receiving, const char *originating,
                   const char *id, const char *want)
{
    char key[DNA_KEY_LEN + 1];
    dna_key_make(secret, receiving, originating, id, key);
    CU_ASSERT_STRING_EQUAL(key, want);
}

/* XEP-0185 section 3, XEP-0220 examples 1 and 14. */
static void test_vectors(void)
{
    expect("s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F",
           "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643");
    expect("s3cr3tf0rd14lb4ck", "montague.example", "capulet.example", "D60000229F",
           "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3");
    expect("d14lb4ck43v3r", "capulet.example", "montague.example", "417GAF25",
           "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d");
}

static void test_boundaries(void)
{
    char one[DNA_KEY_LEN + 1], two[DNA_KEY_LEN + 1];
    dna_key_make("s", "a.b", "c", "1", one);
    dna_key_make("s", "a.", "bc", "1", two);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
}

static void test_compare(void)
{
    CU_ASSERT_TRUE(dna_key_equal("abc", "abc"));
    CU_ASSERT_TRUE(dna_key_equal("abc", "\n  abc \t"));
    CU_ASSERT_FALSE(dna_key_equal("abc", "ABC"));
    CU_ASSERT_FALSE(dna_key_equal("abc", "ab"));
    CU_ASSERT_FALSE(dna_key_equal("abc", "abcd"));
    CU_ASSERT_FALSE(dna_key_equal("abc", ""));
    CU_ASSERT_FALSE(dna_key_equal("abc", "a bc"));
    CU_ASSERT_FALSE(dna_key_equal("", ""));
}

static void test_ids_differ(void)
{
    char one[DNA_ID_LEN + 1], two[DNA_ID_LEN + 1];
    dna_id_make(one);
    dna_id_make(two);
    CU_ASSERT_EQUAL(strlen(one), DNA_ID_LEN);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
}

static void round_trip(const char *plain, const char *encoded)
{
    struct dna_buf e = DNA_BUF_INIT, d = DNA_BUF_INIT;
    dna_buf_puts(&e, "");
    dna_b64_encode(&e, plain, strlen(plain));
    CU_ASSERT_STRING_EQUAL(e.at, encoded);
    CU_ASSERT_EQUAL(dna_b64_decode(&d, encoded, strlen(encoded)), 0);
    CU_ASSERT_STRING_EQUAL(d.at, plain);
    dna_buf_cleanup(&e);
    dna_buf_cleanup(&d);
}

static void test_base64(void)
{
    static const char *const bad[] = { "=",      "Zg",      "Zg=",  "Zh==",     "Zm9=",
                                       "Zm9v\n", "Z===",    "====", "Zg==Zg==", "Zm-v",
                                       " Zm9",   "Zm9vYg=", "Z=g=" };
    round_trip("", "");
    round_trip("f", "Zg==");
    round_trip("fo", "Zm8=");
    round_trip("foo", "Zm9v");
    round_trip("foob", "Zm9vYg==");
    round_trip("a.example", "YS5leGFtcGxl");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct dna_buf d = DNA_BUF_INIT;
        CU_ASSERT_EQUAL(dna_b64_decode(&d, bad[i], strlen(bad[i])), -1);
        CU_ASSERT_EQUAL(d.len, 0);
        dna_buf_cleanup(&d);
    }
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("key", NULL, NULL);
    CU_add_test(s, "keys of the worked examples", test_vectors);
    CU_add_test(s, "names do not run into each other", test_boundaries);
    CU_add_test(s, "comparison", test_compare);
    CU_add_test(s, "ids differ", test_ids_differ);
    CU_add_test(s, "base64 is strict", test_base64);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
