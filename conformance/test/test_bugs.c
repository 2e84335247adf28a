/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What can be planted: every bug of the model checker has a case that is there,
 * and can be planted; its mutants are mutants of the tables.  That the cases fail with their bugs
 * is for `xdna mutate bugs`, which plays them.
 */
#include "conformance/bugs.h"
#include "conformance/cli.h"
#include "model/interp.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/test/cu_main.h"

static const struct dna_case *find(const struct dna_suite *s, const char *id)
{
    for (size_t i = 0; i < s->num_cases; i++)
        if (strcmp(s->cases[i].id, id) == 0)
            return &s->cases[i];
    return NULL;
}

static void each_names_cases(void)
{
    struct dna_suite *suite = dna_suite_load(dna_scenarios_dir(), &(struct dna_scn_diags){ 0 });

    CU_ASSERT(dna_num_bugs >= 70);
    for (size_t i = 0; i < dna_num_bugs; i++) {
        char *cases = strdup(dna_bugs[i].cases), *rest = NULL;
        unsigned num = 0;

        for (char *id = strtok_r(cases, " ", &rest); id; id = strtok_r(NULL, " ", &rest), num++)
            if (!find(suite, id)) {
                printf("%s names no case: %s\n", dna_bugs[i].id, id);
                CU_FAIL("no case of that id");
            }
        CU_ASSERT(num > 0);
        free(cases);
    }
    dna_suite_free(suite);
}

static void each_can_be_planted(void)
{
    for (size_t i = 0; i < dna_num_bugs; i++) {
        const struct dna_bug *bug = &dna_bugs[i];
        char *rows = strdup(bug->rows), *rest = NULL, why[256] = "";

        CU_ASSERT(!bug->wiring || dna_bug_fault(bug));
        CU_ASSERT(*bug->rows || dna_bug_fault(bug));
        for (char *row = strtok_r(rows, " ", &rest); row; row = strtok_r(NULL, " ", &rest))
            CU_ASSERT(dna_interp_mutate(row, why, sizeof why) == 0);
        dna_interp_restore();
        free(rows);
    }
}

static void names(void)
{
    CU_ASSERT(dna_bug_find("no_such_bug") == NULL);
    CU_ASSERT(dna_bug_find("key_without_id") && dna_bug_find("key_without_id")->wiring);
    CU_ASSERT(dna_bug_fault(dna_bug_find("unproved_stanza")) == NULL);
    CU_ASSERT_STRING_EQUAL(dna_bug_fault(dna_bug_find("key_without_id")), "key_without_id");
    CU_ASSERT(dna_fault_known("records_kept"));
    CU_ASSERT(!dna_fault_known("records"));
}

int main(void)
{
    CU_TestInfo tests[] = { { "every bug names cases that are there", each_names_cases },
                            { "every bug can be planted", each_can_be_planted },
                            { "bugs and faults by name", names },
                            CU_TEST_INFO_NULL };

    return cu_main("bugs", tests);
}
