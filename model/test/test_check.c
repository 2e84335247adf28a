/* SPDX-License-Identifier: MIT */
/*
 * test_check.c -- the real tables pass the checker, expressions are judged as its grammar says, and
 * the lines of declarations and rows are found.  Broken tables have a test of their own.
 */
#include "model/check.h"
#include "model/machines.h"
#include "model/source.h"

#include <CUnit/Basic.h>

#include <stdio.h>
#include <string.h>

static void print_fault(void *ctx, unsigned line, const char *fault)
{
    const struct dna_checker *checker = ctx;
    printf("%s (line %u): %s\n", checker->machine ? checker->machine->name : "all", line, fault);
}

/* Twenty million steps of one machine tell a sanitizer no more than the thousands of the others do;
   `make model-check` takes them all. */
#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static void test_real_tables(void)
{
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        if (SANITIZED && *m == &dna_machine_stream_initiating) {
            continue;
        }
        struct dna_checker checker = { .machine = *m, .say = print_fault };
        checker.ctx = &checker;
        CU_ASSERT_EQUAL(dna_check_machine(&checker), 0);
        CU_ASSERT_TRUE(checker.counts.cells > 0);
        CU_ASSERT_TRUE(checker.counts.configurations > 1);
        CU_ASSERT_TRUE(checker.counts.steps > 0);
    }
    struct dna_checker together = { .say = print_fault };
    together.ctx = &together;
    CU_ASSERT_EQUAL(dna_check_together(&together, dna_machines), 0);
}

static void test_expressions(void)
{
    static const struct {
        const char *expr;
        bool update, common;
    } cases[] = {
        { "E.fits", false, true },
        { "!E.fits || ( S.a && K.b_2 )", false, true },
        { "!( V.n + 1 >= K.m ) && !!E.x", false, true },
        { "V.n != 3 && V.n - 1 == 2", false, true },
        { "V.n = V.n + 1", true, true },
        { "S.b = S.b || E.c", true, true },
        { "V.n = 1", false, false },
        { "V.n == 1", true, false },
        { "E.n = 1", true, false },
        { "V.n++", true, false },
        { "V.n += 1", true, false },
        { "V.a = V.b = 1", true, false },
        { "V.a = 1, V.b = 2", true, false },
        { "E.a ? E.b : E.c", false, false },
        { "E.a -> E.b", false, false },
        { "E.a % 2", false, false },
        { "E.a & E.b", false, false },
        { "E.a | E.b", false, false },
        { "f( E.a )", false, false },
        { "E.a( 1 )", false, false },
        { "E.a.b", false, false },
        { "secured", false, false },
        { "X.secured", false, false },
        { "0x10 == E.a", false, false },
        { "( E.a", false, false },
        { "E.a )", false, false },
        { "E.a E.b", false, false },
        { "", false, false },
        { "E.a &&", false, false },
        { "-1 < E.a", false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *wrong = dna_check_expression(cases[i].expr, cases[i].update);
        if ((wrong == NULL) != cases[i].common) {
            printf("'%s': %s\n", cases[i].expr, wrong ? wrong : "was let through");
        }
        CU_ASSERT_EQUAL(wrong == NULL, cases[i].common);
    }
    CU_ASSERT_STRING_EQUAL(dna_check_expression("f( E.a )", false), "a call of 'f'");
    CU_ASSERT_STRING_EQUAL(dna_check_expression("E.a = 1", false), "an assignment: '= '");
}

static void test_lines(void)
{
    static const char source[] = "/* ROW( A1 */\n"
                                 "STATE( SHUT, START, \"ROW( A1, \")\n"
                                 "ROW( A1, SHUT, STOP )\n"
                                 "CHOICE( mood,\n"
                                 "     A2, SHUT, STOP )\n"
                                 "IGNORE( A3, SHUT, R, STOP )\n"
                                 "DEAD( OPEN, RING,\n"
                                 "      STOP )\n"
                                 "DEAD( SHUT, STOP )\n";
    const struct dna_state states[] = { { "SHUT", DNA_START, "" }, { "OPEN", DNA_MID, "" } };
    const struct dna_event events[] = { { "STOP", DNA_OWN, "" } };
    const struct dna_machine m = { .states = states, .events = events };
    CU_ASSERT_EQUAL(dna_source_declared(source, "STATE", "SHUT"), 2);
    CU_ASSERT_EQUAL(dna_source_declared(source, "ROW", "A1"), 3);
    CU_ASSERT_EQUAL(dna_source_declared(source, "ROW", "A9"), 0);
    CU_ASSERT_EQUAL(dna_source_declared(NULL, "ROW", "A1"), 0);
    CU_ASSERT_EQUAL(
        dna_source_row(source, &m, &(struct dna_row){ .id = "A1", .kind = DNA_ROW, .line = 9 }), 3);
    CU_ASSERT_EQUAL(
        dna_source_row(source, &m, &(struct dna_row){ .id = "A2", .kind = DNA_CHOICE, .line = 4 }),
        5);
    CU_ASSERT_EQUAL(
        dna_source_row(source, &m, &(struct dna_row){ .id = "A3.STOP", .kind = DNA_IGNORE }), 6);
    CU_ASSERT_EQUAL(
        dna_source_row(source, &m, &(struct dna_row){ .id = "", .kind = DNA_DEAD, .in = 0 }), 9);
    CU_ASSERT_EQUAL(
        dna_source_row(source, &m, &(struct dna_row){ .id = "", .kind = DNA_DEAD, .in = 1 }), 7);
    CU_ASSERT_EQUAL(
        dna_source_row(source, &m, &(struct dna_row){ .id = "A9", .kind = DNA_ROW, .line = 7 }), 7);
}

static void test_cited(void)
{
    CU_ASSERT_TRUE(dna_check_cited(dna_machines, X0220_2_2_1_5));
    const struct dna_machine *const none[] = { NULL };
    CU_ASSERT_FALSE(dna_check_cited(none, X0220_2_2_1_5));
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS) {
        return 1;
    }
    CU_pSuite suite = CU_add_suite("check", NULL, NULL);
    CU_add_test(suite, "the real tables pass", test_real_tables);
    CU_add_test(suite, "the common subset of C and Promela", test_expressions);
    CU_add_test(suite, "lines are those of the ids", test_lines);
    CU_add_test(suite, "citations are found", test_cited);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
