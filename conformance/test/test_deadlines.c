/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Tests of deadlines.c: one timer near, all others far away, in every variant.
 */
#include "conformance/deadlines.h"
#include <CUnit/Basic.h>

#include <string.h>

static struct dna_profile *server;
static struct dna_pool *pool;

static const char *setting(size_t variant, const char *key)
{
    const struct dna_pairs *s = &server->variants[variant].settings;

    for (size_t i = 0; i < s->num; i++)
        if (strcmp(s->at[i].key, key) == 0)
            return s->at[i].value;
    return "not set";
}

/* A wait whose timer no setting brings near would be waited for in vain. */
static void test_all_have_settings(void)
{
    for (const struct dna_deadline *d = dna_deadlines; d->symbol; d++) {
        const char *timer = dna_pool_printf(pool, "timeout_%s", d->timer);
        const char *client = dna_pool_printf(pool, "seconds_client_%s", d->timer);

        dna_deadlines_set(server, d, pool);
        for (size_t v = 0; v < server->num_variants; v++) {
            if (d->time)
                CU_ASSERT_STRING_EQUAL(setting(v, timer), d->time);
            if (d->client_seconds)
                CU_ASSERT_STRING_EQUAL(setting(v, client), d->client_seconds);
        }
    }
}

static void test_others_are_far(void)
{
    dna_deadlines_set(server, dna_deadline_of("wait close"), pool);
    for (size_t v = 0; v < server->num_variants; v++) {
        CU_ASSERT_STRING_EQUAL(setting(v, "timeout_close"), "1s");
        CU_ASSERT_STRING_EQUAL(setting(v, "seconds_client_close"), "1");
        CU_ASSERT_STRING_EQUAL(setting(v, "timeout_negotiation"), "60s");
        CU_ASSERT_STRING_EQUAL(setting(v, "seconds_client_negotiation"), "60");
        CU_ASSERT_STRING_EQUAL(setting(v, "timeout_idle"), "60s");
        CU_ASSERT_STRING_NOT_EQUAL(setting(v, "client_args"), "60s");
    }
    dna_deadlines_set(server, NULL, pool);
    CU_ASSERT_STRING_EQUAL(setting(0, "timeout_close"), "60s");
    CU_ASSERT_STRING_EQUAL(setting(0, "seconds_client_close"), "60");
}

static void test_names(void)
{
    CU_ASSERT_STRING_EQUAL(dna_deadline_of("wait d1")->timer, "verify");
    CU_ASSERT_PTR_NULL(dna_deadline_of("wait"));
    CU_ASSERT_PTR_NULL(dna_deadline_of("close"));
}

int main(void)
{
    struct dna_diag diag = { 0 };

    pool = dna_pool_new();
    server = dna_profile_load("xdna", &diag);
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("deadlines", NULL, NULL);
    CU_add_test(suite, "each wait has its settings", test_all_have_settings);
    CU_add_test(suite, "the others are far away", test_others_are_far);
    CU_add_test(suite, "symbols", test_names);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    dna_profile_free(server);
    dna_pool_free(pool);
    return server && !failed ? 0 : 1;
}
