/* SPDX-License-Identifier: MIT */
/*
 * test_promela.c -- the tables are printed as Promela row by row, and what cannot be said there is
 * refused with its line.  That Spin reads it as C does is spin.sh's business.
 *
 * Runs in the root of the checkout.
 */
#include "model/machines.h"
#include "model/promela.h"

#include <CUnit/Basic.h>

#include <stdlib.h>
#include <string.h>

#define M fail_ternary
#define DEF "fixtures/bad_tables/fail_ternary.def"
#include "model/test/bad_table.h"
#define M fail_call
#define DEF "fixtures/bad_tables/fail_call.def"
#include "model/test/bad_table.h"
#define M fail_increment
#define DEF "fixtures/bad_tables/fail_increment.def"
#include "model/test/bad_table.h"

/* The last fault that was said, and all that was printed. */
struct heard {
    unsigned line;
    char fault[128];
    int faults;
    char *text; /* freed by the caller */
};

static void hear(void *ctx, const struct dna_machine *machine, unsigned line, const char *fault)
{
    struct heard *h = ctx;
    (void)machine;
    h->line = line;
    snprintf(h->fault, sizeof h->fault, "%s", fault);
}

static struct heard printed(const struct dna_machine *m, const char *source)
{
    struct heard h = { .line = 0 };
    size_t len;
    FILE *out = open_memstream(&h.text, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    h.faults = dna_promela_machine(m, source, out, hear, &h);
    fclose(out);
    return h;
}

static bool says(const struct heard *h, const char *text)
{
    bool found = strstr(h->text, text) != NULL;
    if (!found) {
        printf("\nnot printed: %s\n", text);
    }
    return found;
}

static void test_every_table_can_be_said(void)
{
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        struct heard h = printed(*m, NULL);
        CU_ASSERT_EQUAL(h.faults, 0);
        for (size_t i = 0; i < (*m)->num_rows; i++) {
            char mark[96];
            snprintf(mark, sizeof mark, "/* %s", (*m)->rows[i].id);
            CU_ASSERT(says(&h, mark));
        }
        free(h.text);
    }
}

static void test_a_row_is_tried_after_those_before(void)
{
    struct heard h = printed(&dna_machine_association, NULL);
    CU_ASSERT(says(&h, "if :: association_G_inverse_given -> association_O_count_taken; "
                       "FIRES( 0, association_S_BOTH ) /* AS01 */\n"
                       "            :: else ->\n"
                       "            association_O_count_taken; "
                       "FIRES( 1, association_S_TAKES ) /* AS02 */\n            fi\n"));
    CU_ASSERT(says(&h, "#define association_G_nobody_proved "
                       "( !S.authenticated && S.pairs_taken == 0 )\n"));
    CU_ASSERT(says(&h, "#define association_O_count_taken S.pairs_taken = S.pairs_taken + 1\n"));
    CU_ASSERT(says(&h, "    :: V.state == association_S_GONE ->\n        NOTHING /* final"));
    free(h.text);
}

static void test_of_a_choice_the_first_is_taken(void)
{
    struct heard h = printed(&dna_machine_dialback_authoritative, NULL);
    CU_ASSERT(says(&h, " /* DA02 */\n"));
    CU_ASSERT(says(&h, "/* DA03: also allowed, not taken */\n"));
    free(h.text);
}

static void test_a_dead_cell_is_dead(void)
{
    struct heard h = printed(&dna_machine_stream_receiving, NULL);
    CU_ASSERT(says(&h, ":: on == stream_receiving_E_TIMER_CLOSE ->\n"
                       "            DEAD /* DEAD.OPEN.TIMER_CLOSE */\n"));
    free(h.text);
}

/* `full` is a word of Promela: the fact dialback_receiving E.full has another name there. */
static void test_words_of_promela_are_evaded(void)
{
    struct heard h = printed(&dna_machine_dialback_receiving, NULL);
    CU_ASSERT(says(&h, "#define dialback_receiving_G_stream_full ( E.full_ )\n"));
    CU_ASSERT(says(&h, "E.full_ = dna_spin_ask.e["));
    CU_ASSERT(strstr(h.text, "E.full ") == NULL);
    free(h.text);
}

/* Returns the text of a table; the caller frees it. */
static char *text_of(const char *path)
{
    char *text = calloc(1, 1 << 16);
    FILE *in = fopen(path, "r");
    CU_ASSERT_FATAL(text && in);
    CU_ASSERT(fread(text, 1, (1 << 16) - 1, in) > 0);
    fclose(in);
    return text;
}

static unsigned line_of(const char *text, const char *what)
{
    unsigned line = 1;
    const char *at = strstr(text, what);
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    for (const char *c = text; c < at; c++) {
        line += *c == '\n';
    }
    return line;
}

static void test_what_cannot_be_said_is_refused_with_its_line(void)
{
    static const struct {
        const struct dna_machine *m;
        const char *path, *declared, *fault;
    } cases[] = {
        { &dna_machine_fail_ternary, "fixtures/bad_tables/fail_ternary.def", "GUARD(", "'? " },
        { &dna_machine_fail_call, "fixtures/bad_tables/fail_call.def", "GUARD(", "a call of" },
        { &dna_machine_fail_increment, "fixtures/bad_tables/fail_increment.def", "UPDATE(",
          "no assignment" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *source = text_of(cases[i].path);
        struct heard h = printed(cases[i].m, source);
        CU_ASSERT_EQUAL(h.faults, 1);
        CU_ASSERT(h.line >= line_of(source, cases[i].declared) && h.line > 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(h.fault, cases[i].fault));
        if (!strstr(h.fault, cases[i].fault)) {
            printf("\n%s: %s\n", cases[i].path, h.fault);
        }
        free(h.text);
        free(source);
    }
}

/* What C takes and Promela does not, or takes otherwise: below zero, C counts on from the top. */
static void test_expressions_that_only_c_takes(void)
{
    static const char *const wrong[][2] = { { "S.pairs_taken - 1 > 0", "subtracts" },
                                            { "S.nonsense", "nobody declared" } };
    char *source = text_of("model/association.def");
    for (size_t i = 0; i < 2; i++) {
        struct dna_guard guards[16];
        struct dna_machine m = dna_machine_association;
        CU_ASSERT_FATAL(m.num_guards <= 16);
        memcpy(guards, m.guards, m.num_guards * sizeof guards[0]);
        CU_ASSERT_STRING_EQUAL(guards[3].name, "target_unhosted");
        guards[3].expr = wrong[i][0];
        m.guards = guards;
        struct heard h = printed(&m, source);
        CU_ASSERT_EQUAL(h.faults, 1);
        CU_ASSERT_EQUAL(h.line, line_of(source, "GUARD( target_unhosted"));
        CU_ASSERT_PTR_NOT_NULL(strstr(h.fault, wrong[i][1]));
        free(h.text);
    }
    free(source);
}

static void test_all_machines_are_asked(void)
{
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(dna_promela_words(dna_machines, out), 0);
    CU_ASSERT_EQUAL(dna_promela_tables(dna_machines, out), 0);
    fclose(out);
    for (size_t i = 0; dna_machines[i]; i++) {
        char line[160];
        snprintf(line, sizeof line, ":: asked == %zu -> step_begins(); %s_ask();", i + 1,
                 dna_machines[i]->name);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "K.outbound_proof_required = dna_spin_ask.k->"));
    free(text);
}

static void test_a_full_disk_is_reported(void)
{
    FILE *full = fopen("/dev/full", "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(full);
    CU_ASSERT_EQUAL(dna_promela_machine(&dna_machine_proof, NULL, full, hear, NULL), -1);
    CU_ASSERT_EQUAL(dna_promela_words(dna_machines, full), -1);
    CU_ASSERT_EQUAL(dna_promela_tables(dna_machines, full), -1);
    fclose(full);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "every table can be said", test_every_table_can_be_said },
        { "a row is tried after those before", test_a_row_is_tried_after_those_before },
        { "of a choice the first is taken", test_of_a_choice_the_first_is_taken },
        { "a dead cell is dead", test_a_dead_cell_is_dead },
        { "words of Promela are evaded", test_words_of_promela_are_evaded },
        { "what cannot be said is refused with its line",
          test_what_cannot_be_said_is_refused_with_its_line },
        { "expressions that only C takes", test_expressions_that_only_c_takes },
        { "all machines are asked", test_all_machines_are_asked },
        { "a full disk is reported", test_a_full_disk_is_reported },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = { { "promela", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
    if (CU_initialize_registry() || CU_register_suites(suites)) {
        return 2;
    }
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
