/* SPDX-License-Identifier: MIT */
/* test_client_pins.c -- a pin holds for its certificate in its context, and nothing else. */
#include <CUnit/Basic.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "impl/client_pins.h"

static char folder[] = "/tmp/xdna-pins-XXXXXX";
static char path[128];

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct dna_pin pin = {
    HEX_A, HEX_B, "a.example", "xmpp-client", "host.a.example", 5222
};

static enum dna_pin_result look(const struct dna_pin *p)
{
    char why[256] = "";
    enum dna_pin_result result = dna_pins_look(path, p, why, sizeof why);

    CU_ASSERT_NOT_EQUAL(why[0], '\0');
    return result;
}

static void put(const char *text)
{
    FILE *out = fopen(path, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fputs(text, out);
    fclose(out);
}

static void test_remembered(void)
{
    char why[256] = "";
    struct stat st;

    CU_ASSERT_EQUAL(look(&pin), DNA_PIN_UNKNOWN); /* neither folder nor file is there */
    CU_ASSERT(dna_pins_add(path, &pin, why, sizeof why));
    CU_ASSERT_EQUAL(look(&pin), DNA_PIN_FOUND);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
}

static void test_context_counts(void)
{
    struct dna_pin p;

    p = pin;
    strcpy(p.leaf, HEX_B);
    CU_ASSERT_EQUAL(look(&p), DNA_PIN_OTHER);
    p = pin;
    strcpy(p.chain, HEX_A);
    CU_ASSERT_EQUAL(look(&p), DNA_PIN_OTHER_CONTEXT);
    p = pin;
    p.port = 5223;
    CU_ASSERT_EQUAL(look(&p), DNA_PIN_OTHER_CONTEXT);
    p = pin;
    strcpy(p.host, "other.a.example");
    CU_ASSERT_EQUAL(look(&p), DNA_PIN_OTHER_CONTEXT);
    p = pin;
    strcpy(p.domain, "b.example");
    CU_ASSERT_EQUAL(look(&p), DNA_PIN_UNKNOWN);
    p = pin;
    strcpy(p.service, "xmpp-server");
    CU_ASSERT_EQUAL(look(&p), DNA_PIN_UNKNOWN);
}

static void test_second_pin_of_a_domain(void)
{
    char why[256] = "";
    struct dna_pin p = pin;

    strcpy(p.leaf, HEX_B);
    CU_ASSERT(dna_pins_add(path, &p, why, sizeof why));
    CU_ASSERT_EQUAL(look(&p), DNA_PIN_FOUND);
    CU_ASSERT_EQUAL(look(&pin), DNA_PIN_FOUND);
}

static void test_bad_file(void)
{
    char why[256] = "", expected[256];

    put("# pins\n" HEX_A " " HEX_B " a.example xmpp-client host.a.example\n");
    CU_ASSERT_EQUAL(dna_pins_look(path, &pin, why, sizeof why), DNA_PIN_UNREADABLE);
    snprintf(expected, sizeof expected, "%s:2: this is no pin", path);
    CU_ASSERT_STRING_EQUAL(why, expected);
    put(HEX_A " " HEX_B " a.example xmpp-client host.a.example 5222 x\n");
    CU_ASSERT_EQUAL(look(&pin), DNA_PIN_UNREADABLE);
    put(HEX_A " " HEX_B " a.example xmpp-client host.a.example 70000\n");
    CU_ASSERT_EQUAL(look(&pin), DNA_PIN_UNREADABLE);
    put(HEX_A " " HEX_B " a.example xmpp-client host.a.example 5222"); /* cut short */
    CU_ASSERT_EQUAL(look(&pin), DNA_PIN_UNREADABLE);
    put("\n# a comment\n" HEX_A " " HEX_B " a.example xmpp-client host.a.example 5222\n");
    CU_ASSERT_EQUAL(look(&pin), DNA_PIN_FOUND);
}

static void test_unwritable(void)
{
    char why[256] = "";

    CU_ASSERT_FALSE(dna_pins_add("/dev/null/xdna/pins", &pin, why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "/dev/null/xdna/pins"));
}

static void test_fingerprint_text(void)
{
    char out[DNA_PIN_HEX + 1];
    char colons[3 * 32 + 1] = "";

    CU_ASSERT(dna_pin_fingerprint(HEX_A, out));
    for (int i = 0; i < 32; i++)
        strcat(colons, i ? ":AA" : "AA");
    CU_ASSERT(dna_pin_fingerprint(colons, out));
    CU_ASSERT_STRING_EQUAL(out, HEX_A);
    CU_ASSERT_FALSE(dna_pin_fingerprint("", out));
    CU_ASSERT_FALSE(dna_pin_fingerprint(HEX_A "a", out));
    CU_ASSERT_FALSE(dna_pin_fingerprint(&HEX_A[1], out));
    CU_ASSERT_FALSE(dna_pin_fingerprint("g" HEX_A, out));
    strcat(colons, ":");
    CU_ASSERT_FALSE(dna_pin_fingerprint(colons, out));
}

static void test_default_path(void)
{
    char out[256];

    setenv("XDG_CONFIG_HOME", "/x", 1);
    CU_ASSERT(dna_pins_default_path(out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "/x/xdna/pins");
    unsetenv("XDG_CONFIG_HOME");
    setenv("HOME", "/h", 1);
    CU_ASSERT(dna_pins_default_path(out, sizeof out));
    CU_ASSERT_STRING_EQUAL(out, "/h/.config/xdna/pins");
    unsetenv("HOME");
    CU_ASSERT_FALSE(dna_pins_default_path(out, sizeof out));
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;
    char inner[64];

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!mkdtemp(folder))
        return 1;
    snprintf(inner, sizeof inner, "%s/inner", folder);
    snprintf(path, sizeof path, "%s/pins", inner);
    CU_initialize_registry();
    suite = CU_add_suite("client pins", NULL, NULL);
    CU_add_test(suite, "remembered", test_remembered);
    CU_add_test(suite, "context counts", test_context_counts);
    CU_add_test(suite, "second pin of a domain", test_second_pin_of_a_domain);
    CU_add_test(suite, "bad file", test_bad_file);
    CU_add_test(suite, "unwritable", test_unwritable);
    CU_add_test(suite, "fingerprint text", test_fingerprint_text);
    CU_add_test(suite, "default path", test_default_path);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    unlink(path);
    rmdir(inner);
    rmdir(folder);
    return failures ? 1 : 0;
}
