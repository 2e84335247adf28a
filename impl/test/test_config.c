/* SPDX-License-Identifier: MIT */
/* test_config.c -- every file of fixtures/config is read: a bad_*.conf must be refused with the
   line and reason of its first comment, a good_*.conf accepted.  Run from the repository's root. */
#include <CUnit/Basic.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "impl/config.h"

#define FOLDER "fixtures/config"

static char *print_text(const struct dna_config *c)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    dna_config_print(out, c);
    fclose(out);
    return text;
}

/* "# LINE: reason" -> "PATH:LINE: reason", or "PATH: reason" for line 0. */
static void expected_error(const char *path, char *out, size_t size)
{
    char line[1024] = "";
    unsigned number = 0;
    int at = 0;
    FILE *in = fopen(path, "r");

    if (!in || !fgets(line, sizeof line, in))
        CU_FAIL_FATAL("unreadable fixture");
    fclose(in);
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "# %u: %n", &number, &at) != 1 || at == 0)
        CU_FAIL_FATAL("a bad fixture starts with `# LINE: reason'");
    if (number)
        snprintf(out, size, "%s:%u: %s", path, number, line + at);
    else
        snprintf(out, size, "%s: %s", path, line + at);
}

static void check_bad(const char *path)
{
    char expected[2048], error[2048] = "";
    struct dna_config *c = dna_config_load(path, error, sizeof error);

    expected_error(path, expected, sizeof expected);
    CU_ASSERT_PTR_NULL(c);
    if (strcmp(error, expected) != 0) {
        printf("%s\n  expected: %s\n  got:      %s\n", path, expected, error);
        CU_FAIL("wrong reason");
    }
    dna_config_free(c);
}

static void check_good(const char *path)
{
    char error[2048] = "";
    struct dna_config *c = dna_config_load(path, error, sizeof error);

    if (!c)
        printf("%s\n", error);
    CU_ASSERT_PTR_NOT_NULL(c);
    CU_ASSERT_STRING_EQUAL(error, "");
    dna_config_free(c);
}

static void test_every_fixture(void)
{
    struct dirent **entries;
    int num = scandir(FOLDER, &entries, NULL, alphasort);
    int bad = 0, good = 0;
    char path[512];

    CU_ASSERT_FATAL(num > 0);
    for (int i = 0; i < num; i++) {
        snprintf(path, sizeof path, FOLDER "/%s", entries[i]->d_name);
        if (strncmp(entries[i]->d_name, "bad_", 4) == 0) {
            check_bad(path);
            bad++;
        } else if (strncmp(entries[i]->d_name, "good_", 5) == 0) {
            check_good(path);
            good++;
        }
        free(entries[i]);
    }
    free(entries);
    CU_ASSERT(bad >= 50);
    CU_ASSERT(good >= 3);
}

static void test_defaults_print_and_parse_back(void)
{
    char error[512] = "";
    struct dna_config *c = dna_config_new();
    char *first = print_text(c), *second;
    struct dna_config *again = dna_config_parse("defaults", first, strlen(first), error,
                                                sizeof error);

    CU_ASSERT_STRING_EQUAL(error, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    second = print_text(again);
    CU_ASSERT_STRING_EQUAL(first, second);
    CU_ASSERT_EQUAL(again->timeout_verify_ms, 20000);
    CU_ASSERT_EQUAL(again->limit_stanza, 256 * 1024);
    CU_ASSERT_EQUAL(again->knobs.tls_required, c->knobs.tls_required);
    for (int i = 0; i < DNA_NUM_KNOBS; i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(first, dna_knob((enum dna_knob_id)i)->name));
    free(first);
    free(second);
    dna_config_free(c);
    dna_config_free(again);
}

static void test_full_file_prints_and_parses_back(void)
{
    char error[512] = "";
    struct dna_config *c = dna_config_load(FOLDER "/good_full.conf", error, sizeof error), *again;
    char *first, *second;

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    first = print_text(c);
    again = dna_config_parse("printed", first, strlen(first), error, sizeof error);
    CU_ASSERT_STRING_EQUAL(error, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    second = print_text(again);
    CU_ASSERT_STRING_EQUAL(first, second);
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "[domain bare.example]\ncertificate         none\n"));
    CU_ASSERT_PTR_NULL(again->domains[again->num_domains - 1].certificate);
    free(first);
    free(second);
    dna_config_free(c);
    dna_config_free(again);
}

static void test_values_of_the_full_file(void)
{
    char error[512] = "";
    struct dna_config *c = dna_config_load(FOLDER "/good_full.conf", error, sizeof error);
    const struct dna_config_domain *d;

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL_FATAL(c->listen_c2s.num, 2);
    CU_ASSERT_STRING_EQUAL(c->listen_c2s.at[0].host, "127.0.0.1");
    CU_ASSERT_EQUAL(c->listen_c2s.at[0].port, 5222);
    CU_ASSERT_STRING_EQUAL(c->listen_c2s.at[1].host, "::1");
    CU_ASSERT_EQUAL(c->listen_c2s.at[1].port, 15222);
    CU_ASSERT_EQUAL_FATAL(c->listen_s2s.num, 1);
    CU_ASSERT_EQUAL(c->listen_s2s.at[0].port, 5269);
    CU_ASSERT_STRING_EQUAL(c->resolver.host, "127.0.0.53");
    CU_ASSERT_EQUAL(c->resolver.port, 5300);
    CU_ASSERT_STRING_EQUAL(c->connect_from, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(c->ca_file, FOLDER "/ca.crt");
    CU_ASSERT_STRING_EQUAL(c->dialback_secret, "s3cr3t with # and spaces");
    CU_ASSERT_STRING_EQUAL(c->crl_file, FOLDER "/ca.crl");
    CU_ASSERT_EQUAL(c->timeout_negotiation_ms, 1500);
    CU_ASSERT_EQUAL(c->timeout_idle_ms, 600000);
    CU_ASSERT_EQUAL(c->timeout_posh_ms, 2000);
    CU_ASSERT_EQUAL(c->posh_max_age_ms, 3600000);
    CU_ASSERT_EQUAL(c->posh_negative_ms, 0);
    CU_ASSERT_EQUAL(c->limit_stanza, 65536);
    CU_ASSERT_PTR_NULL(c->log);
    CU_ASSERT_EQUAL(c->log_level, DNA_LOG_DEBUG);
    CU_ASSERT_EQUAL(c->knobs.bidi, 0);
    CU_ASSERT_EQUAL_FATAL(c->num_domains, 3);
    CU_ASSERT_PTR_NULL(dna_config_domain_find(c, "b.example"));
    d = dna_config_domain_find(c, "a.example");
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    CU_ASSERT_STRING_EQUAL(d->certificate, FOLDER "/a.crt");
    CU_ASSERT_EQUAL_FATAL(d->num_accounts, 2);
    CU_ASSERT_STRING_EQUAL(dna_config_account_find(d, "juliet")->password, "pass word");
    CU_ASSERT_PTR_NULL(dna_config_account_find(d, "romeo"));
    dna_config_free(c);
}

static void test_international_domain(void)
{
    char error[512] = "";
    struct dna_config *c = dna_config_load(FOLDER "/good_crlf_idn.conf", error, sizeof error);
    const struct dna_config_domain *d;

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    d = dna_config_domain_find(c, "b\xc3\xbc" "cher.example");
    CU_ASSERT_PTR_NOT_NULL_FATAL(d);
    CU_ASSERT_STRING_EQUAL(d->ascii, "xn--bcher-kva.example");
    CU_ASSERT_STRING_EQUAL(d->accounts[0].password, "a \"b\" \\ # c");
    dna_config_free(c);
}

static void test_files_that_cannot_be_read(void)
{
    char error[512] = "";

    CU_ASSERT_PTR_NULL(dna_config_load(FOLDER "/nowhere.conf", error, sizeof error));
    CU_ASSERT_STRING_EQUAL(error, FOLDER "/nowhere.conf: No such file or directory");
    CU_ASSERT_PTR_NULL(dna_config_load(FOLDER, error, sizeof error));
    CU_ASSERT_STRING_EQUAL(error, FOLDER ": Is a directory");
}

static void test_endless_file_is_refused(void)
{
    char error[512] = "";

    CU_ASSERT_PTR_NULL(dna_config_load("/dev/zero", error, sizeof error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "this is no configuration"));
}

static void test_small_error_buffer(void)
{
    char error[8];

    CU_ASSERT_PTR_NULL(dna_config_load(FOLDER "/bad_no_value.conf", error, sizeof error));
    CU_ASSERT(strlen(error) < sizeof error);
    CU_ASSERT_PTR_NULL(dna_config_load(FOLDER "/bad_no_value.conf", NULL, 0));
}

int main(void)
{
    CU_pSuite suite;

    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    suite = CU_add_suite("config", NULL, NULL);
    CU_add_test(suite, "every fixture", test_every_fixture);
    CU_add_test(suite, "defaults print and parse back", test_defaults_print_and_parse_back);
    CU_add_test(suite, "full file prints and parses back", test_full_file_prints_and_parses_back);
    CU_add_test(suite, "values of the full file", test_values_of_the_full_file);
    CU_add_test(suite, "international domain", test_international_domain);
    CU_add_test(suite, "files that cannot be read", test_files_that_cannot_be_read);
    CU_add_test(suite, "endless file is refused", test_endless_file_is_refused);
    CU_add_test(suite, "small error buffer", test_small_error_buffer);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    {
        unsigned failures = CU_get_number_of_failures();
        CU_cleanup_registry();
        return failures ? 1 : 0;
    }
}
