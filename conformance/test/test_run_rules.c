/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The rules of a run without a run: selectors, verdicts, exit statuses,
 * known-failure files, and reports that hold hostile text.
 */
#include "conformance/report.h"
#include "conformance/scn_internal.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <unistd.h>

#include "conformance/test/cu_main.h"

static struct dna_suite *make_suite(void)
{
    return dna_suite_load("conformance/test/scenarios", &(struct dna_scn_diags){ 0 });
}

static struct dna_case *find(struct dna_suite *s, const char *id)
{
    for (size_t i = 0; i < s->num_cases; i++)
        if (strcmp(s->cases[i].id, id) == 0)
            return &s->cases[i];
    return NULL;
}

static void globs(void)
{
    CU_ASSERT(dna_glob_match("a/*/c", "a/b/c"));
    CU_ASSERT(!dna_glob_match("a/*", "a/b/c"));
    CU_ASSERT(dna_glob_match("a/**", "a/b/c"));
    CU_ASSERT(dna_glob_match("**c", "a/b/c"));
    CU_ASSERT(!dna_glob_match("a", "ab"));
    CU_ASSERT(dna_glob_match("*", ""));
    CU_ASSERT(dna_glob_match("a*b*c", "axxbyyc"));
    CU_ASSERT(!dna_glob_match("a*b*c", "axxbyy"));
}

static void selectors(void)
{
    static const struct {
        const char *selector;
        bool yes;
    } table[] = {
        { "exits", true }, { "exits/6", true }, { "exits/6/should", true },
        { "exits/6/should@authoritative", true }, { "exits/6:should", true }, { "exits/*", false },
        { "exits/**", true }, { "exits/*/should", true }, { "**@authoritative", true },
        { "exits/6/former", true }, { "exit", false }, { "exits/6/shoul", false },
        { "exits/66", false }, { "exits/6/should@receiving", false }, { "", false },
    };
    struct dna_suite *s = make_suite();
    struct dna_case *c = find(s, "exits/6/should@authoritative");

    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (dna_selector_match(table[i].selector, c, true) != table[i].yes)
            printf("\nselector '%s'\n", table[i].selector);
        CU_ASSERT_EQUAL(dna_selector_match(table[i].selector, c, true), table[i].yes);
    }
    CU_ASSERT(!dna_selector_match("exits/6/former", c, false));
    CU_ASSERT_PTR_NULL(dna_suite_select(s, (char *[]){ "exits/6" }, 1));
    CU_ASSERT_STRING_EQUAL(dna_suite_select(s, (char *[]){ "exits/6", "nix" }, 2), "nix");
    dna_suite_free(s);
}

static void verdicts(void)
{
    static const struct {
        enum dna_ending ending;
        bool then, allowed, forbids;
        enum dna_case_level level;
        enum dna_verdict verdict;
        enum dna_invariant invariant;
        enum dna_signalling signalling;
    } table[] = {
        { DNA_END_COMPLETE, true, false, true, DNA_CASE_MUST, DNA_VERDICT_PASS,
          DNA_INVARIANT_HELD, DNA_SIGNALLING_EXACT },
        { DNA_END_COMPLETE, true, true, false, DNA_CASE_MUST, DNA_VERDICT_PASS,
          DNA_INVARIANT_HELD, DNA_SIGNALLING_ALLOWED },
        { DNA_END_WRONG, true, false, false, DNA_CASE_MUST, DNA_VERDICT_FAIL,
          DNA_INVARIANT_UNSEEN, DNA_SIGNALLING_WRONG },
        { DNA_END_WRONG, true, false, false, DNA_CASE_SHOULD, DNA_VERDICT_WARN,
          DNA_INVARIANT_UNSEEN, DNA_SIGNALLING_WRONG },
        { DNA_END_TIMEOUT, true, false, false, DNA_CASE_MUST, DNA_VERDICT_FAIL,
          DNA_INVARIANT_UNSEEN, DNA_SIGNALLING_NONE },
        { DNA_END_TIMEOUT, true, false, true, DNA_CASE_SHOULD, DNA_VERDICT_INCONC,
          DNA_INVARIANT_UNSEEN, DNA_SIGNALLING_NONE },
        { DNA_END_TIMEOUT, true, false, true, DNA_CASE_MUST, DNA_VERDICT_FAIL,
          DNA_INVARIANT_UNSEEN, DNA_SIGNALLING_NONE },
        { DNA_END_WRONG, false, false, true, DNA_CASE_MUST, DNA_VERDICT_INCONC,
          DNA_INVARIANT_UNSEEN, DNA_SIGNALLING_WRONG },
        { DNA_END_FORBIDDEN, false, false, true, DNA_CASE_MAY, DNA_VERDICT_FAIL,
          DNA_INVARIANT_BROKEN, DNA_SIGNALLING_WRONG },
        { DNA_END_SUITE, true, false, false, DNA_CASE_MUST, DNA_VERDICT_ERROR,
          DNA_INVARIANT_UNSEEN, DNA_SIGNALLING_NONE },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct dna_result r = { 0 };

        dna_judge(&r, table[i].ending, table[i].then, table[i].allowed, table[i].forbids, false,
                  table[i].level);
        CU_ASSERT_EQUAL(r.verdict, table[i].verdict);
        CU_ASSERT_EQUAL(r.invariant, table[i].invariant);
        CU_ASSERT_EQUAL(r.signalling, table[i].signalling);
    }
    for (int v = 0; v + 1 < DNA_NUM_VERDICTS; v++)
        CU_ASSERT_EQUAL((int)dna_verdict_of(dna_verdict_name((enum dna_verdict)v)), v);
    CU_ASSERT_EQUAL(dna_verdict_of("fail"), DNA_VERDICT_NONE);
}

static int status_of(enum dna_verdict verdict, enum dna_expectation expectation, bool hard,
                     unsigned required)
{
    struct dna_counts counts = { 0 };
    struct dna_result r = { .verdict = verdict, .expectation = expectation };

    dna_counts_add(&counts, &r);
    return dna_exit_status(&counts, hard, false, required);
}

static void exit_statuses(void)
{
    struct dna_counts none = { 0 };

    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_PASS, DNA_EXPECTED, false, 0), 0);
    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_INFO, DNA_EXPECTED, false, 1), 0);
    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_PASS, DNA_EXPECTED, false, 2), 1);
    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_FAIL, DNA_UNEXPECTED, false, 0), 1);
    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_FAIL, DNA_XFAIL, false, 0), 0);
    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_PASS, DNA_XPASS, false, 0), 1);
    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_SKIP, DNA_EXPECTED, false, 0), 77);
    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_ERROR, DNA_UNEXPECTED, false, 0), 99);
    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_ERROR, DNA_FLAKY, false, 0), 0);
    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_NONE, DNA_EXPECTED, false, 0), 1);
    CU_ASSERT_EQUAL(status_of(DNA_VERDICT_PASS, DNA_EXPECTED, true, 0), 99);
    CU_ASSERT_EQUAL(dna_exit_status(&none, false, false, 0), 2);
    CU_ASSERT_EQUAL(dna_exit_status(&none, true, true, 0), 99);
}

static void what_fails_a_run(void)
{
    struct dna_result broken = { .verdict = DNA_VERDICT_FAIL, .invariant = DNA_INVARIANT_BROKEN };
    struct dna_result wrong = { .verdict = DNA_VERDICT_FAIL };
    struct dna_result warn = { .verdict = DNA_VERDICT_WARN };
    struct dna_result inconc = { .verdict = DNA_VERDICT_INCONC };

    CU_ASSERT(dna_verdict_is_bad(&broken, DNA_FAIL_ON_INVARIANT));
    CU_ASSERT(!dna_verdict_is_bad(&wrong, DNA_FAIL_ON_INVARIANT));
    CU_ASSERT(dna_verdict_is_bad(&wrong, DNA_FAIL_ON_MUST));
    CU_ASSERT(!dna_verdict_is_bad(&warn, DNA_FAIL_ON_MUST));
    CU_ASSERT(dna_verdict_is_bad(&warn, DNA_FAIL_ON_SHOULD));
    CU_ASSERT(dna_verdict_is_bad(&inconc, DNA_FAIL_ON_INVARIANT));
}

/* ---- known failures ---- */

static const char *says(const char *text, bool strict)
{
    static char copy[2000];
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_buf warnings = { 0 };
    struct dna_suite *s = make_suite();
    struct dna_known *k = dna_known_new();

    dna_known_parse(k, "known", text, false, &diags);
    if (!diags.num)
        dna_known_check(k, s, strict, NULL, NULL, &diags, &warnings);
    snprintf(copy, sizeof(copy), "%s%s", diags.text.at ? diags.text.at : "",
             warnings.at ? warnings.at : "");
    dna_buf_free(&diags.text);
    dna_buf_free(&warnings);
    dna_known_free(k);
    dna_suite_free(s);
    return copy;
}

static void waivers_are_held_against_the_suite(void)
{
    CU_ASSERT_STRING_EQUAL(says("# a comment\n\nexits/5/fails FAIL reason=x # why\n", false), "");
    CU_ASSERT_STRING_EQUAL(says("nix FAIL reason=x\n", false), "known:1: 'nix' matches no case\n");
    CU_ASSERT_STRING_EQUAL(says("\nexits/5/fails FAIL # why\n", false),
                           "known:2: the entry for 'exits/5/fails' gives no reason=\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(says("exits/5 PASS reason=x\n", false), "known:1: the verdict"));
    CU_ASSERT_PTR_NOT_NULL(strstr(says("exits/5 FAIL reason=x until=soon\n", false),
                                  "known:1: until= wants"));
    CU_ASSERT_PTR_NOT_NULL(strstr(says("exits/5 FAIL reason=x huh\n", false),
                                  "known:1: unexpected 'huh'"));
    CU_ASSERT_STRING_EQUAL(says("exits/5 FAIL reason=x\nexits/*/fails FAIL reason=x\n", false),
                           "known:2: exits/5/fails@authoritative has two entries: also known:1\n");
    CU_ASSERT_STRING_EQUAL(says("exits/5 FAIL reason=x\n", true),
                           "known:1: the entry for 'exits/5' names no tracker (URL)\n");
    CU_ASSERT_STRING_EQUAL(says("exits/5 FAIL reason=x https://t/1\n", true), "");
    CU_ASSERT_STRING_EQUAL(says("exits/6/former WARN reason=x\n", false),
                           "known:1: warning: 'exits/6/former' was renamed to exits/6/should\n");
}

static enum dna_expectation apply(const char *entry, enum dna_verdict verdict, const char *reason,
                                  bool *out_replacement)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_suite *s = make_suite();
    struct dna_known *k = dna_known_new();
    struct dna_result r = { .pool = dna_pool_new(), .verdict = verdict, .reason = reason };
    const char *replacement;

    r.c = find(s, "exits/5/fails@authoritative");
    dna_known_parse(k, "known", entry, false, &diags);
    dna_known_apply(k, &r, DNA_FAIL_ON_MUST, "2026-11-23", &replacement);
    *out_replacement = replacement != NULL;
    dna_pool_free(r.pool);
    dna_known_free(k);
    dna_suite_free(s);
    return r.expectation;
}

static void a_waiver_covers_what_it_says(void)
{
    static const struct {
        const char *entry;
        enum dna_verdict verdict;
        const char *reason;
        enum dna_expectation wanted;
        bool replaced;
    } table[] = {
        { "exits/5 FAIL reason=timeout", DNA_VERDICT_FAIL, "timeout", DNA_XFAIL, false },
        { "exits/5 FAIL reason=got:*", DNA_VERDICT_FAIL, "got:eof", DNA_XFAIL, false },
        { "exits/5 FAIL reason=timeout", DNA_VERDICT_FAIL, "got:eof", DNA_UNEXPECTED, true },
        { "exits/5 FAIL reason=timeout", DNA_VERDICT_INCONC, "timeout", DNA_UNEXPECTED, true },
        { "exits/5 FAIL reason=timeout", DNA_VERDICT_PASS, "", DNA_XPASS, true },
        { "exits/5 FAIL reason=timeout", DNA_VERDICT_SKIP, "skip", DNA_EXPECTED, false },
        { "exits/5 FAIL reason=timeout until=2026-11", DNA_VERDICT_FAIL, "timeout", DNA_XFAIL,
          false },
        { "exits/5 FAIL reason=timeout until=2026-10", DNA_VERDICT_FAIL, "timeout",
          DNA_UNEXPECTED, true },
        { "exits/5 FAIL reason=timeout until=2026-11-22", DNA_VERDICT_FAIL, "timeout",
          DNA_UNEXPECTED, true },
        { "exits/6 FAIL reason=timeout", DNA_VERDICT_FAIL, "timeout", DNA_UNEXPECTED, false },
        { "exits/6 FAIL reason=timeout", DNA_VERDICT_PASS, "", DNA_EXPECTED, false },
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        bool replaced;

        CU_ASSERT_EQUAL(apply(table[i].entry, table[i].verdict, table[i].reason, &replaced),
                        table[i].wanted);
        CU_ASSERT_EQUAL(replaced, table[i].replaced);
    }
}

/* ---- reports ---- */

static void check_clean(const char *text, const char *wanted)
{
    struct dna_buf out = { 0 };

    dna_xml_clean(&out, text);
    dna_buf_add(&out, "", 0);
    CU_ASSERT_STRING_EQUAL(out.at, wanted);
    dna_buf_free(&out);
}

static void hostile_text_becomes_xml(void)
{
    check_clean("<a b='c'>&\"", "&lt;a b=&apos;c&apos;&gt;&amp;&quot;");
    check_clean("\x01\x1b[31m\x7f", "\xef\xbf\xbd\xef\xbf\xbd[31m\x7f");
    check_clean("line\nline", "line\nline");
    check_clean("tab\tcr\r", "tab&#9;cr&#13;");
    check_clean("\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x99\x82");
    check_clean("\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd");
    check_clean("\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong NUL */
    check_clean("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    check_clean("\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* U+FFFF */
}

/* one report over a failure full of wire data: well-formed, and its numbers right */
static void a_report_is_well_formed(void)
{
    struct dna_suite *s = make_suite();
    struct dna_profile profile = { .name = (char *)(uintptr_t)"p",
                                   .title = (char *)(uintptr_t)"P&P" };
    struct dna_result r = { .pool = dna_pool_new(), .verdict = DNA_VERDICT_FAIL,
                            .expectation = DNA_UNEXPECTED, .reason = "got:\x01",
                            .message = "<\x02 ]]> \xff", .got = "\x1b<stream:error>",
                            .transcript = "a\x03" "b\n", .line = 3, .file = "f" };
    struct dna_result *results[] = { &r };
    unsigned unstable[] = { 0 };
    struct dna_run_outcome outcome = { .num_results = 1, .results = results,
                                       .unstable = unstable };
    struct dna_report report = { .suite = s, .profile = &profile, .outcome = &outcome,
                                 .start = "2026-01-01T00:00:00Z" };
    char file[] = "/tmp/xdna-test-junit.XXXXXX";
    xmlDocPtr doc;

    r.c = find(s, "exits/5/fails@authoritative");
    close(mkstemp(file));
    CU_ASSERT(dna_report_junit(&report, file));
    doc = xmlReadFile(file, NULL, XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    CU_ASSERT_PTR_NOT_NULL_FATAL(doc);
    xmlChar *failures = xmlGetProp(xmlDocGetRootElement(doc), (const xmlChar *)"failures");
    CU_ASSERT_STRING_EQUAL((const char *)failures, "1");
    xmlFree(failures);
    xmlFreeDoc(doc);
    CU_ASSERT(dna_report_json(&report, file));
    CU_ASSERT(!dna_report_junit(&report, "/nonexistent/x"));
    CU_ASSERT(!dna_report_json(&report, "/nonexistent/x"));
    remove(file);
    dna_pool_free(r.pool);
    dna_suite_free(s);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "globs", globs },
        { "selectors", selectors },
        { "verdicts on two axes", verdicts },
        { "exit statuses", exit_statuses },
        { "what fails a run", what_fails_a_run },
        { "waivers are held against the suite", waivers_are_held_against_the_suite },
        { "a waiver covers what it says", a_waiver_covers_what_it_says },
        { "hostile text becomes XML", hostile_text_becomes_xml },
        { "a report is well-formed", a_report_is_well_formed },
        CU_TEST_INFO_NULL,
    };

    return cu_main("rules of a run", tests);
}
