/* SPDX-License-Identifier: MIT */
/* test_jid.c -- addresses that are taken, in which form, and those that are not. */
#include <CUnit/Basic.h>
#include <string.h>

#include "impl/jid.h"

static struct dna_jid jid;

static bool parses_to(const char *text, const char *local, const char *domain,
                      const char *resource)
{
    return dna_jid_parse(text, &jid) && strcmp(jid.local, local) == 0 &&
           strcmp(jid.domain, domain) == 0 && strcmp(jid.resource, resource) == 0;
}

static void test_parts(void)
{
    CU_ASSERT(parses_to("a.example", "", "a.example", ""));
    CU_ASSERT(parses_to("juliet@a.example", "juliet", "a.example", ""));
    CU_ASSERT(parses_to("Juliet@A.Example/Balcony", "juliet", "a.example", "Balcony"));
    CU_ASSERT(parses_to("a.example/x@y/z", "", "a.example", "x@y/z"));
    CU_ASSERT(parses_to("a.example./r", "", "a.example", "r"));
    CU_ASSERT(parses_to("juliet@127.0.0.1", "juliet", "127.0.0.1", ""));
    CU_ASSERT(parses_to("juliet@[::1]/r", "juliet", "[::1]", "r"));
}

static void test_international(void)
{
    char name[256], ascii[256];

    CU_ASSERT(parses_to("j@xn--bcher-kva.example", "j", "b\xc3\xbc" "cher.example", ""));
    CU_ASSERT(parses_to("j@B\xc3\x9c" "CHER.example", "j", "b\xc3\xbc" "cher.example", ""));
    CU_ASSERT(dna_domain_prepare("b\xc3\xbc" "cher.example", name, sizeof name, ascii,
                                 sizeof ascii));
    CU_ASSERT_STRING_EQUAL(ascii, "xn--bcher-kva.example");
    CU_ASSERT(dna_domain_prepare("_srv.a.example", name, sizeof name, NULL, 0));
}

static void test_refused(void)
{
    static const char *const bad[] = {
        "", "@a.example", "juliet@", "/r", "a.example/", "j@a..example", "j@.example",
        "j k@a.example", "j@a b", "j\"@a.example", "j@[::1", "j@a.example/\x01", "a@b@c",
        "j@a.example/\xff", "\xff@a.example", "j@\xc0\xaf"
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (dna_jid_parse(bad[i], &jid)) {
            printf("taken: %s\n", bad[i]);
            CU_FAIL("an address that is none");
        }
}

static void test_lengths(void)
{
    char text[DNA_JID_MAX + 64];

    memset(text, 'x', sizeof text);
    memcpy(text + DNA_JID_PART_MAX, "@a.example", 11);
    CU_ASSERT(dna_jid_parse(text, &jid));
    memset(text, 'x', sizeof text);
    memcpy(text + DNA_JID_PART_MAX + 1, "@a.example", 11);
    CU_ASSERT_FALSE(dna_jid_parse(text, &jid));
    memset(text, 'x', sizeof text);
    memcpy(text, "a.example/", 10);
    text[10 + DNA_JID_PART_MAX] = '\0';
    CU_ASSERT(dna_jid_parse(text, &jid));
    text[10 + DNA_JID_PART_MAX] = 'x';
    text[11 + DNA_JID_PART_MAX] = '\0';
    CU_ASSERT_FALSE(dna_jid_parse(text, &jid));
    memset(text, 'x', 64);
    memcpy(text + 64, ".example", 9);
    CU_ASSERT_FALSE(dna_jid_parse(text, &jid)); /* a label of 64 */
}

static void test_utf8(void)
{
    CU_ASSERT(dna_utf8_valid("", 0));
    CU_ASSERT(dna_utf8_valid("\xf0\x9f\x99\x82", 4));
    CU_ASSERT_FALSE(dna_utf8_valid("\xf0\x9f\x99", 3));
    CU_ASSERT_FALSE(dna_utf8_valid("\xed\xa0\x80", 3)); /* a surrogate */
    CU_ASSERT_FALSE(dna_utf8_valid("\xc0\x80", 2));     /* NUL, overlong */
    CU_ASSERT_FALSE(dna_utf8_valid("\xf4\x90\x80\x80", 4));
    CU_ASSERT_FALSE(dna_utf8_valid("\x80", 1));
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    suite = CU_add_suite("jid", NULL, NULL);
    CU_add_test(suite, "parts", test_parts);
    CU_add_test(suite, "international", test_international);
    CU_add_test(suite, "refused", test_refused);
    CU_add_test(suite, "lengths", test_lengths);
    CU_add_test(suite, "UTF-8", test_utf8);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
