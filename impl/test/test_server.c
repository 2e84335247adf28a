/* SPDX-License-Identifier: MIT */
/* test_server.c -- what the server says at its start of knobs that cannot work as configured.  Run
   from the repository's root. */
#include <CUnit/Basic.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "impl/config.h"
#include "impl/log.h"
#include "impl/server.h"

/* The root's key-signing key of 2017, as IANA publishes it: any DS record would do. */
#define ANCHOR ". DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"

/* Makes a server of fixtures/config/good_small.conf with these settings: has its log the warning? */
static bool warns(bool dane, bool dane_inbound, const char *anchor)
{
    char path[] = "/tmp/dna-server-XXXXXX", text[8192] = "", why[400] = "";
    struct dna_config *c = dna_config_load("fixtures/config/good_small.conf", why, sizeof why);
    struct event_base *base = event_base_new();
    int fd = mkstemp(path);
    struct dna_server *s;
    FILE *in;

    CU_ASSERT_FATAL(c && base && fd >= 0);
    close(fd);
    c->knobs.dane = dane;
    c->knobs.dane_inbound = dane_inbound;
    if (anchor)
        c->trust_anchor = strdup(anchor);
    CU_ASSERT_EQUAL_FATAL(dna_log_open(path, DNA_LOG_WARN), 0);
    s = dna_server_new(base, c, why, sizeof why);
    dna_server_free(s);
    dna_log_close();
    CU_ASSERT_PTR_NOT_NULL(s);
    in = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    unlink(path);
    event_base_free(base);
    dna_config_free(c);
    return strstr(text, "level=warn event=no_trust_anchor why=") != NULL;
}

static void test_dane_without_an_anchor(void)
{
    CU_ASSERT_TRUE(warns(true, false, NULL));
    CU_ASSERT_TRUE(warns(false, true, NULL));
    CU_ASSERT_TRUE(warns(true, true, NULL));
}

static void test_nothing_to_warn_of(void)
{
    CU_ASSERT_FALSE(warns(false, false, NULL));
    CU_ASSERT_FALSE(warns(true, true, ANCHOR));
    CU_ASSERT_FALSE(warns(false, false, ANCHOR));
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    suite = CU_add_suite("server", NULL, NULL);
    CU_add_test(suite, "DANE without a trust anchor is warned of", test_dane_without_an_anchor);
    CU_add_test(suite, "no warning where there is an anchor, or no DANE", test_nothing_to_warn_of);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
