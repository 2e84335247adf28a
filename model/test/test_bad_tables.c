/* SPDX-License-Identifier: MIT */
/*
 * test_bad_tables.c -- each table in fixtures/bad_tables/ has one mistake, and is refused for it
 * with the message and the line that its first line expects.
 *
 * Some mistakes are seen by the compiler, which is then called; the other tables are compiled into
 * this test and given to the checker.  Runs in the root of the checkout.
 */
#include "model/check.h"
#include "model/machines.h"

#include <CUnit/Basic.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define M fail_assignment
#define DEF "fixtures/bad_tables/fail_assignment.def"
#include "model/test/bad_table.h"
#define M fail_behind_otherwise
#define DEF "fixtures/bad_tables/fail_behind_otherwise.def"
#include "model/test/bad_table.h"
#define M fail_call
#define DEF "fixtures/bad_tables/fail_call.def"
#include "model/test/bad_table.h"
#define M fail_choice_apart
#define DEF "fixtures/bad_tables/fail_choice_apart.def"
#include "model/test/bad_table.h"
#define M fail_choice_differs
#define DEF "fixtures/bad_tables/fail_choice_differs.def"
#include "model/test/bad_table.h"
#define M fail_choice_single
#define DEF "fixtures/bad_tables/fail_choice_single.def"
#include "model/test/bad_table.h"
#define M fail_cites_nothing
#define DEF "fixtures/bad_tables/fail_cites_nothing.def"
#include "model/test/bad_table.h"
#define M fail_done_twice
#define DEF "fixtures/bad_tables/fail_done_twice.def"
#include "model/test/bad_table.h"
#define M fail_guard_always
#define DEF "fixtures/bad_tables/fail_guard_always.def"
#include "model/test/bad_table.h"
#define M fail_guard_never
#define DEF "fixtures/bad_tables/fail_guard_never.def"
#include "model/test/bad_table.h"
#define M fail_hole
#define DEF "fixtures/bad_tables/fail_hole.def"
#include "model/test/bad_table.h"
#define M fail_id_elsewhere
#define DEF "fixtures/bad_tables/fail_id_elsewhere.def"
#include "model/test/bad_table.h"
#define M fail_increment
#define DEF "fixtures/bad_tables/fail_increment.def"
#include "model/test/bad_table.h"
#define M fail_never_fired
#define DEF "fixtures/bad_tables/fail_never_fired.def"
#include "model/test/bad_table.h"
#define M fail_no_end
#define DEF "fixtures/bad_tables/fail_no_end.def"
#include "model/test/bad_table.h"
#define M fail_no_otherwise
#define DEF "fixtures/bad_tables/fail_no_otherwise.def"
#include "model/test/bad_table.h"
#define M fail_remainder
#define DEF "fixtures/bad_tables/fail_remainder.def"
#include "model/test/bad_table.h"
#define M fail_row_in_final
#define DEF "fixtures/bad_tables/fail_row_in_final.def"
#include "model/test/bad_table.h"
#define M fail_same_guard
#define DEF "fixtures/bad_tables/fail_same_guard.def"
#include "model/test/bad_table.h"
#define M fail_second_start
#define DEF "fixtures/bad_tables/fail_second_start.def"
#include "model/test/bad_table.h"
#define M fail_shadowed
#define DEF "fixtures/bad_tables/fail_shadowed.def"
#include "model/test/bad_table.h"
#define M fail_ternary
#define DEF "fixtures/bad_tables/fail_ternary.def"
#include "model/test/bad_table.h"
#define M fail_too_many_outs
#define DEF "fixtures/bad_tables/fail_too_many_outs.def"
#include "model/test/bad_table.h"
#define M fail_unreachable
#define DEF "fixtures/bad_tables/fail_unreachable.def"
#include "model/test/bad_table.h"
#define M fail_unused_event
#define DEF "fixtures/bad_tables/fail_unused_event.def"
#include "model/test/bad_table.h"
#define M fail_unused_fact
#define DEF "fixtures/bad_tables/fail_unused_fact.def"
#include "model/test/bad_table.h"
#define M fail_unused_guard
#define DEF "fixtures/bad_tables/fail_unused_guard.def"
#include "model/test/bad_table.h"
#define M fail_unused_output
#define DEF "fixtures/bad_tables/fail_unused_output.def"
#include "model/test/bad_table.h"
#define M fail_unused_update
#define DEF "fixtures/bad_tables/fail_unused_update.def"
#include "model/test/bad_table.h"
#define M fail_unused_variable
#define DEF "fixtures/bad_tables/fail_unused_variable.def"
#include "model/test/bad_table.h"
#define M fail_unwritten_variable
#define DEF "fixtures/bad_tables/fail_unwritten_variable.def"
#include "model/test/bad_table.h"

static const struct dna_machine *const checked[] = {
    &dna_machine_fail_assignment,
    &dna_machine_fail_behind_otherwise,
    &dna_machine_fail_call,
    &dna_machine_fail_choice_apart,
    &dna_machine_fail_choice_differs,
    &dna_machine_fail_choice_single,
    &dna_machine_fail_cites_nothing,
    &dna_machine_fail_done_twice,
    &dna_machine_fail_guard_always,
    &dna_machine_fail_guard_never,
    &dna_machine_fail_hole,
    &dna_machine_fail_id_elsewhere,
    &dna_machine_fail_increment,
    &dna_machine_fail_never_fired,
    &dna_machine_fail_no_end,
    &dna_machine_fail_no_otherwise,
    &dna_machine_fail_remainder,
    &dna_machine_fail_row_in_final,
    &dna_machine_fail_same_guard,
    &dna_machine_fail_second_start,
    &dna_machine_fail_shadowed,
    &dna_machine_fail_ternary,
    &dna_machine_fail_too_many_outs,
    &dna_machine_fail_unreachable,
    &dna_machine_fail_unused_event,
    &dna_machine_fail_unused_fact,
    &dna_machine_fail_unused_guard,
    &dna_machine_fail_unused_output,
    &dna_machine_fail_unused_update,
    &dna_machine_fail_unused_variable,
    &dna_machine_fail_unwritten_variable,
    NULL,
};

static const char *const refused_by_compiler[] = {
    "fail_state",        "fail_event",
    "fail_guard",        "fail_output",
    "fail_requirement",  "fail_duplicate_row",
    "fail_duplicate_id", "fail_field",
    "fail_fact_written", NULL,
};

struct expectation {
    char path[128];
    char text[1 << 14]; /* of the table */
    unsigned line;
    char message[160];
};

/* Reads the table and its first line, "expect: NAME.def:LINE: MESSAGE" in a comment. */
static void expect(struct expectation *x, const char *name)
{
    char file[64];
    snprintf(x->path, sizeof x->path, "fixtures/bad_tables/%s.def", name);
    FILE *in = fopen(x->path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    x->text[fread(x->text, 1, sizeof x->text - 1, in)] = '\0';
    fclose(in);
    int found = sscanf(x->text, "/* expect: %63[^:]:%u: %159[^\n]", file, &x->line, x->message);
    CU_ASSERT_EQUAL_FATAL(found, 3);
    size_t len = strlen(x->message);
    CU_ASSERT_FATAL(len > 3 && strcmp(x->message + len - 3, " */") == 0);
    x->message[len - 3] = '\0';
    CU_ASSERT(strncmp(file, name, strlen(name)) == 0 && strcmp(file + strlen(name), ".def") == 0);
}

struct seen {
    unsigned line;
    char first[256];
};

static void note(void *ctx, unsigned line, const char *fault)
{
    struct seen *seen = ctx;
    if (!seen->first[0]) {
        seen->line = line;
        snprintf(seen->first, sizeof seen->first, "%s", fault);
    } /* later ones follow from it: a state nobody leaves makes its rows unreachable, too */
}

static void check_table(const struct dna_machine *machine)
{
    static struct expectation x;
    struct seen seen = { 0, "" };
    struct dna_checker checker = { .machine = machine, .say = note, .ctx = &seen };
    const struct dna_machine *const both[] = { &dna_machine_association, machine, NULL };
    expect(&x, machine->name);
    checker.source = x.text;
    dna_check_machine(&checker);
    if (checker.num_faults == 0) { /* a mistake that shows only beside another machine */
        checker.source = NULL;
        dna_check_together(&checker, both);
    }
    if (seen.line != x.line || strcmp(seen.first, x.message) != 0) {
        printf("%s: expected %u: %s\n%s: got      %u: %s\n", x.path, x.line, x.message, x.path,
               seen.line, seen.first);
    }
    CU_ASSERT_EQUAL(seen.line, x.line);
    CU_ASSERT_STRING_EQUAL(seen.first, x.message);
}

static void test_checker_refuses(void)
{
    for (const struct dna_machine *const *m = checked; *m; m++) {
        check_table(*m);
    }
}

/* The first error says the message, and the first place in the table named from there on is right.
 */
static void judge_compiler(const struct expectation *x, const char *output)
{
    char error[512] = "", place[160];
    const char *at = strstr(output, "error:");
    CU_ASSERT_PTR_NOT_NULL(at);
    if (!at) {
        printf("%s: compiles\n", x->path);
        return;
    }
    while (at > output && at[-1] != '\n') {
        at--;
    }
    snprintf(error, sizeof error, "%.*s", (int)strcspn(at, "\n"), at);
    snprintf(place, sizeof place, "%s:%u:", x->path, x->line);
    const char *named = strstr(at, x->path);
    bool right = strstr(error, x->message) && named && strncmp(named, place, strlen(place)) == 0;
    if (!right) {
        printf("expected %s %s, got:\n%.800s\n", place, x->message, output);
    }
    CU_ASSERT(right);
}

static void compile_table(const char *compiler, const char *name)
{
    static struct expectation x;
    static char output[1 << 15];
    char command[1024];
    expect(&x, name);
    snprintf(command, sizeof command,
             "printf '#include \"model/machines.h\"\\n#define M %s\\n#define DEF \"%s\"\\n"
             "#include \"model/test/bad_table.h\"\\n' | "
             "LC_ALL=C %s -std=c11 -D_GNU_SOURCE -I. -Ibuild/lists -x c -fsyntax-only - 2>&1",
             name, x.path, compiler);
    FILE *in = popen(command, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    output[fread(output, 1, sizeof output - 1, in)] = '\0';
    CU_ASSERT_NOT_EQUAL(pclose(in), 0);
    judge_compiler(&x, output);
}

static void test_compiler_refuses(void)
{
    static const char *const compilers[] = { "gcc", "clang" };
    size_t used = 0;
    for (size_t i = 0; i < 2; i++) {
        char probe[64];
        snprintf(probe, sizeof probe, "%s --version >/dev/null 2>&1", compilers[i]);
        if (system(probe) != 0) {
            printf("%s is not here\n", compilers[i]);
            continue;
        }
        used++;
        for (const char *const *name = refused_by_compiler; *name; name++) {
            compile_table(compilers[i], *name);
        }
    }
    CU_ASSERT_TRUE(used > 0);
}

static bool listed(const char *name)
{
    for (const struct dna_machine *const *m = checked; *m; m++) {
        if (strcmp((*m)->name, name) == 0) {
            return true;
        }
    }
    for (const char *const *n = refused_by_compiler; *n; n++) {
        if (strcmp(*n, name) == 0) {
            return true;
        }
    }
    return false;
}

static void test_every_table_is_listed(void)
{
    DIR *dir = opendir("fixtures/bad_tables");
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char name[256];
        snprintf(name, sizeof name, "%s", entry->d_name);
        char *dot = strstr(name, ".def");
        if (dot) {
            *dot = '\0';
            if (!listed(name)) {
                printf("%s is not tried by this test\n", entry->d_name);
            }
            CU_ASSERT(listed(name));
        }
    }
    closedir(dir);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS) {
        return 1;
    }
    CU_pSuite suite = CU_add_suite("bad_tables", NULL, NULL);
    CU_add_test(suite, "the checker refuses each with message and line", test_checker_refuses);
    CU_add_test(suite, "the compiler refuses the others", test_compiler_refuses);
    CU_add_test(suite, "every table is tried", test_every_table_is_listed);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
