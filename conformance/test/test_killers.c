/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The reader of cases.killers and rows.killers, without the lab: what an entry
 * says, what is said of lines that are none, and that the lists of the checkout are sound.
 */
#include "conformance/killers.h"
#include "conformance/mutate.h"
#include "conformance/suite.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/test/cu_main.h"

/* What was taken, one "line|name|damage|case|reason" each, and what was complained of. */
struct heard {
    char *taken, *said;
    size_t taken_len, said_len, wrong;
    FILE *out;
};

static const char *or_dash(const char *text)
{
    return text ? text : "";
}

static bool take(void *ctx, const struct dna_killer *k, char *why, size_t size)
{
    struct heard *h = ctx;

    if (strcmp(k->name, "nobody") == 0) {
        snprintf(why, size, "there is no 'nobody'");
        return false;
    }
    fprintf(h->out, "%u|%s|%s|%s|%s\n", k->line, k->name, or_dash(k->damage), or_dash(k->case_id),
            or_dash(k->reason));
    return true;
}

static struct heard heard(const char *text, bool rows)
{
    struct heard h = { 0 };
    char *copy = strdup(text);
    FILE *in = fmemopen(copy, strlen(copy), "r"), *say = open_memstream(&h.said, &h.said_len);

    h.out = open_memstream(&h.taken, &h.taken_len);
    CU_ASSERT_FATAL(in && say && h.out);
    h.wrong = dna_killers_read(in, "LIST", rows, take, &h, say);
    fclose(in);
    fclose(say);
    fclose(h.out);
    free(copy);
    return h;
}

static void check(const char *text, bool rows, const char *taken, const char *said)
{
    struct heard h = heard(text, rows);

    CU_ASSERT_STRING_EQUAL(h.taken, taken);
    CU_ASSERT_STRING_EQUAL(h.said, said);
    if (strcmp(h.said, said) != 0 || strcmp(h.taken, taken) != 0)
        printf("\n%s", h.said);
    free(h.taken);
    free(h.said);
}

static void test_entries(void)
{
    check("# a comment\n\n  # another\n"
          "a/1/b@receiving XR04:atom=4 !\n"
          "a/1/c@receiving XR12:do=send_success/failure_aborted\n"
          "a/1/d@receiving fault=names_refused\n"
          "a/1/e@receiving -   for: it cannot - and never could\r\n"
          "a/1/f@receiving XR04:drop", /* no line end */
          false,
          "4|a/1/b@receiving|XR04:atom=4||\n"
          "5|a/1/c@receiving|XR12:do=send_success/failure_aborted||\n"
          "6|a/1/d@receiving|fault=names_refused||\n"
          "7|a/1/e@receiving|||for: it cannot - and never could\n"
          "8|a/1/f@receiving|XR04:drop||\n",
          "");
    check("XR04 XR04:drop a/1/b@receiving !\nXR07 XR07:nodo a/1/c@receiving\nXR22 - never\n", true,
          "1|XR04|XR04:drop|a/1/b@receiving|\n2|XR07|XR07:nodo|a/1/c@receiving|\n"
          "3|XR22|||never\n",
          "");
    check("", false, "", "");
}

static void test_bad_lines_of_cases(void)
{
    static const char *const bad[][2] = {
        { "a", "'a' lacks a damage (ROW:OP or fault=NAME), or '-' and a reason" },
        { "a -", "'a -' lacks a reason" },
        { "a - \t", "'a -' lacks a reason" },
        { "a XR04", "'XR04' is no damage: " },
        { "a XR9999:drop", "'XR9999:drop' is no damage: " },
        { "a XR04:frobnicate", "'XR04:frobnicate' is no damage: " },
        { "a fault=", "'fault=' is no damage: fault= lacks its name" },
        { "a XR04:drop ?", "'?' is too much: behind the damage there is at most '!'" },
        { "a XR04:drop ! b", "'b' is too much: behind the damage there is at most '!'" },
        { "nobody XR04:drop", "there is no 'nobody'" },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char text[200];
        struct heard h;

        snprintf(text, sizeof(text), "# one\nb XR04:drop\n%s\nc XR04:nodo\n", bad[i][0]);
        h = heard(text, false);
        CU_ASSERT_EQUAL(h.wrong, 1);
        CU_ASSERT_STRING_EQUAL(h.taken, "2|b|XR04:drop||\n4|c|XR04:nodo||\n");
        CU_ASSERT(strncmp(h.said, "LIST:3: ", 8) == 0);
        CU_ASSERT(strncmp(h.said + 8, bad[i][1], strlen(bad[i][1])) == 0);
        CU_ASSERT_PTR_EQUAL(strchr(h.said, '\n'), h.said + h.said_len - 1);
        free(h.taken);
        free(h.said);
    }
}

static void test_bad_lines_of_rows(void)
{
    check("XR04 XR04:drop\nXR05 XR05:drop a/1/b@receiving ?\n", true, "",
          "LIST:1: 'XR04 XR04:drop' lacks the case that fails with it\n"
          "LIST:2: '?' is too much: behind the case there is at most '!'\n");
}

static void test_the_same_twice(void)
{
    check("a XR04:drop\nab XR04:drop\na - for no reason\n", false,
          "1|a|XR04:drop||\n2|ab|XR04:drop||\n", "LIST:3: 'a' is there twice\n");
}

/* ---- the lists of the checkout ---- */

struct known {
    const struct dna_suite *suite;
    bool rows;
};

static bool is_there(void *ctx, const struct dna_killer *k, char *why, size_t size)
{
    const struct known *known = ctx;
    const char *id = known->rows ? k->case_id : k->name;

    snprintf(why, size, "'%s' is of nothing that is there", k->name);
    if (known->rows && dna_row_find(k->name) == dna_num_rows())
        return false;
    for (size_t i = 0; id && i < known->suite->num_cases; i++)
        if (strcmp(known->suite->cases[i].id, id) == 0)
            return true;
    return !id;
}

static void test_the_lists_of_the_checkout(void)
{
    static const char *const paths[] = { "conformance/cases.killers", "conformance/rows.killers" };
    struct dna_scn_diags diags = { 0 };
    struct dna_suite *suite = dna_suite_load("conformance/scenarios", &diags);

    CU_ASSERT_PTR_NOT_NULL_FATAL(suite);
    for (int rows = 0; rows < 2; rows++) {
        struct known known = { suite, rows };
        FILE *in = fopen(paths[rows], "r");

        CU_ASSERT_PTR_NOT_NULL_FATAL(in);
        CU_ASSERT_EQUAL(dna_killers_read(in, paths[rows], rows, is_there, &known, stdout), 0);
        fclose(in);
    }
    dna_suite_free(suite);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "entries", test_entries },
        { "bad lines of cases", test_bad_lines_of_cases },
        { "bad lines of rows", test_bad_lines_of_rows },
        { "the same twice", test_the_same_twice },
        { "the lists of the checkout", test_the_lists_of_the_checkout },
        CU_TEST_INFO_NULL,
    };

    return cu_main("killers", tests);
}
