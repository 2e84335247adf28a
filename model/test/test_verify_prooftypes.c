/* SPDX-License-Identifier: MIT */
/*
 * test_verify_prooftypes.c -- the world of the prooftypes, and the checker's work in parallel.
 *
 * What is claimed is run by `model-tool verify`; here it is seen that the claims are about
 * something, that every planted bug is found and only with the bug, and that a job that fails or
 * dies is not taken for one that found nothing.
 */
#include "model/interp.h"
#include "model/verify_fork.h"
#include "model/verify_prooftypes.h"

#include <CUnit/Basic.h>

#include <stdlib.h>
#include <string.h>

static const char *const small[] = { "proofs_pkix", "proofs_tlsa", "proofs_posh" };

static struct vq_search explored(const char *name)
{
    struct vq_search s = { 0 };
    int at = dna_vq_find_config(name);
    CU_ASSERT_FATAL(at >= 0);
    CU_ASSERT_FATAL(dna_vq_run_config(&dna_vq_configs[at], &s) == 0);
    CU_ASSERT(s.full);
    return s;
}

static void test_all_holds(void)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        struct vq_search s = explored(small[i]);
        CU_ASSERT_EQUAL(s.broken, 0);
        CU_ASSERT(s.num > 500);
        seen |= s.seen;
        dna_vq_search_free(&s);
    }
    for (size_t i = 0; i < dna_vq_num_properties; i++) {
        const struct vq_property *p = &dna_vq_properties[i];
        CU_ASSERT(p->when == VQ_DEAD || (seen & 1u << p->when)); /* no claim is about nothing */
        CU_ASSERT(p->because[0] != DNA_REQ_END);
    }
}

static void test_every_planted_bug_is_refuted(void)
{
    uint32_t refuted = 0;
    for (size_t i = 0; i < dna_vq_num_planted; i++) {
        const struct vq_planted *bug = &dna_vq_planted[i];
        struct vq_search s = { 0 };
        int property = dna_vq_find_property(bug->property);
        CU_ASSERT_FATAL(property >= 0);
        CU_ASSERT(dna_vq_run_planted(bug, &s) == 0);
        if (!(s.broken & 1u << property)) {
            printf("%s is not found\n", bug->id);
            CU_FAIL("a planted bug is not found");
        } else {
            CU_ASSERT(dna_vq_trace(&s, (size_t)property, NULL) >= 1);
        }
        refuted |= 1u << property;
        dna_vq_search_free(&s);
    }
    dna_interp_restore();
    for (size_t i = 0; i < dna_vq_num_properties; i++) { /* each property refutes a bug */
        if (dna_vq_properties[i].when != VQ_DEAD && !(refuted & 1u << i)) {
            printf("%s refutes no bug\n", dna_vq_properties[i].id);
            CU_FAIL("a property refutes nothing");
        }
    }
}

/* A machine that is asked what its table calls dead: here one that gets the answer twice. */
static void test_a_dead_cell_is_reported(void)
{
    struct vq_search s = { .config = &dna_vq_configs[dna_vq_find_config("proofs_tlsa")] };
    char err[128];
    CU_ASSERT(dna_interp_mutate("PD13:to=NONE", err, sizeof err) == 0);
    CU_ASSERT(dna_vq_search(&s) == 0);
    CU_ASSERT((s.broken & 1u << dna_vq_find_property("Q17")) != 0);
    dna_vq_search_free(&s);
    dna_interp_restore();
}

static void test_a_way_is_printed(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct vq_search s = { 0 };
    size_t property = (size_t)dna_vq_find_property("Q3");
    CU_ASSERT(dna_vq_run_planted(&dna_vq_planted[dna_vq_find_planted("bogus_is_none")], &s) == 0);
    CU_ASSERT(dna_vq_trace(&s, property, out) > 0);
    fclose(out);
    CU_ASSERT(strstr(text, "the TLSA answer of endpoint 1: bogus") != NULL);
    CU_ASSERT(strstr(text, "Q3 is violated") != NULL);
    free(text);
    dna_vq_search_free(&s);
    dna_interp_restore();
}

/* --- in parallel --- */

static int say(size_t i, FILE *out, void *arg)
{
    unsigned *shared = arg;
    shared[i] = (unsigned)i + 1;
    fprintf(out, "%zu ", i);
    return i == 3 ? 2 : 0;
}

static int die(size_t i, FILE *out, void *arg)
{
    (void)out;
    (void)arg;
    if (i == 1) {
        abort();
    }
    return 0;
}

static void test_jobs_speak_in_order(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    unsigned *shared = dna_vf_shared(6 * sizeof *shared);
    CU_ASSERT_FATAL(shared != NULL);
    CU_ASSERT_EQUAL(dna_vf_in_parallel(6, say, out, shared), 2);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, "0 1 2 3 4 5 ");
    CU_ASSERT(shared[0] == 1 && shared[5] == 6);
    dna_vf_unshare(shared, 6 * sizeof *shared);
    free(text);
}

static void test_a_job_that_dies_is_no_success(void)
{
    CU_ASSERT_EQUAL(dna_vf_in_parallel(3, die, stdout, NULL), 3);
    CU_ASSERT_EQUAL(dna_vf_in_parallel(0, die, stdout, NULL), 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "all holds", test_all_holds },
        { "every planted bug is refuted", test_every_planted_bug_is_refuted },
        { "a dead cell is reported", test_a_dead_cell_is_reported },
        { "a way is printed", test_a_way_is_printed },
        { "jobs speak in order", test_jobs_speak_in_order },
        { "a job that dies is no success", test_a_job_that_dies_is_no_success },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = { { "verify_prooftypes", NULL, NULL, NULL, NULL, tests },
                              CU_SUITE_INFO_NULL };
    if (CU_initialize_registry() || CU_register_suites(suites)) {
        return 2;
    }
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
