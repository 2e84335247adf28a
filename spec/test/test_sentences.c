/* SPDX-License-Identifier: MIT */
/* spec/test/test_sentences.c: the splitting rules of spec/README.md on small texts of our own. */
#include "spec/sentences.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Joins the sentences of a section with '|', so that a test reads as one comparison. */
static const char *split(const char *bytes, const char *section)
{
    static char joined[4096];
    struct dna_text *text = dna_text_new(bytes, strlen(bytes));

    joined[0] = '\0';
    if (!text)
        return "(no memory)";
    for (unsigned i = 1; dna_text_sentence(text, section, i); i++) {
        size_t len = strlen(joined);

        snprintf(joined + len, sizeof joined - len, "%s%s", i > 1 ? "|" : "",
                 dna_text_sentence(text, section, i));
    }
    if (dna_text_num_sentences(text, section) < 0)
        snprintf(joined, sizeof joined, "(no section)");
    dna_text_free(text);
    return joined;
}

static void test_paragraphs(void)
{
    static const char text[] = "1.  First\n\n   One goes\n   on.  Two is here!\n   Three?  Yes\n\n"
                               "   A  block\twithout an end\n\n1.1.  Second\n\n   Four.\n";

    CU_ASSERT_STRING_EQUAL(split(text, "1"),
                           "One goes on.|Two is here!|Three?|Yes|A block without an end");
    CU_ASSERT_STRING_EQUAL(split(text, "1.1"), "Four.");
    CU_ASSERT_STRING_EQUAL(split(text, "1.2"), "(no section)");
    CU_ASSERT_STRING_EQUAL(split("", "1"), "(no section)");
    CU_ASSERT_STRING_EQUAL(split("   No heading yet.\n", "1"), "(no section)");
}

static void test_page_furniture(void)
{
    static const char text[] =
        "4.  Pages\n\n   A server that\n\n\nSomebody                Standards Track              "
        "[Page 3]\n\f\nRFC 9999                 Pages               June 2020\n\n\n"
        "   speaks goes on.\n\nSomebody                Standards Track              [Page 4]\n"
        "\f\nRFC 9999                 Pages               June 2020\n\n   A new paragraph (so "
        "it is.)\n\nSomebody  [Page 5]\n\f\nRFC 9999   Pages   June 2020\n\n   And one more\n\n"
        "Somebody  [Page 6]\n\f\nRFC 9999   Pages   June 2020\n\n      indented otherwise\n\n"
        "Somebody  [Page 7]\n\f\nRFC 9999   Pages   June 2020\n\n      o  and an item.\n";

    CU_ASSERT_STRING_EQUAL(split(text, "4"),
                           "A server that speaks goes on.|A new paragraph (so it is.)|And one "
                           "more|indented otherwise|and an item.");
}

static void test_abbreviations(void)
{
    CU_ASSERT_STRING_EQUAL(
        split("1. A\n\n   Names (e.g. XMPP) do.  See cf. Smith et al. Then.  It is etc.  End.\n",
              "1"),
        "Names (e.g. XMPP) do.|See cf. Smith et al. Then.|It is etc.|End.");
    CU_ASSERT_STRING_EQUAL(split("1. A\n\n   P. Hancke wrote.  RFC 2782. 5 things, a.example.\n",
                                 "1"),
                           "P. Hancke wrote.|RFC 2782.|5 things, a.example.");
    CU_ASSERT_STRING_EQUAL(split("1. A\n\n   It says \"no.\"  Then (yes.)  <a/> comes. _x.y. z\n",
                                 "1"),
                           "It says \"no.\"|Then (yes.)|<a/> comes.|_x.y. z");
    CU_ASSERT_STRING_EQUAL(split("1. A\n\n   DNS [Note: A. See. <x>.] in 2002. Next.\n", "1"),
                           "DNS [Note: A. See. <x>.] in 2002.|Next.");
}

static void test_steps_and_items(void)
{
    static const char text[] = "3.2.  Steps\n\n   In order:\n\n   1.  The client asks.  It waits.\n"
                               "\n   12. The server\n       answers:\n\n   a) last\n\n   o  an item"
                               "\n\n   *  a star\n\n   -  a dash\n\n   # Term\n\n   other o word\n";

    CU_ASSERT_STRING_EQUAL(split(text, "3.2"),
                           "In order:|The client asks.|It waits.|The server answers:|last|an item|"
                           "a star|a dash|Term|other o word");
}

static void test_artwork_and_tables(void)
{
    static const char text[] =
        "5.  Art\n\n   Before:\n\n       <db:result\n          from='a'/>\n\n   C: <stream to='b'>\n"
        "\n   +-----+\n   |  box. Not |\n\n   | x: Y. Z\n   | more\n\n         DNS\n         |\n\n"
        "   <a/> is prose.\n\n   Table: Words\n\n   | one. Two. | 1 |\n   | three | 2 |\n\n"
        "   | art after it\n\n   After.\n";

    CU_ASSERT_STRING_EQUAL(
        split(text, "5"),
        "Before:|<a/> is prose.|Table: Words|| one. Two. | 1 ||| three | 2 ||After.");
}

static void test_headings(void)
{
    static const char text[] = "Short\n\nUsage rules:\n\n   A.\n\nAppendix B.  More\n\n   Of it.\n\n"
                               "B.1.  Deeper\n\n   Yes.\n\n2.1. Why? [anchor: why]\n\n   So.\n\n"
                               "7 Plain\n\n   Seven.\n\n1. A\n\n1. A\n\n   Longer.\n\nAnother\n";

    CU_ASSERT_STRING_EQUAL(split(text, "usage-rules"), "A.");
    CU_ASSERT_STRING_EQUAL(split(text, "B"), "Of it.");
    CU_ASSERT_STRING_EQUAL(split(text, "B.1"), "Yes.");
    CU_ASSERT_STRING_EQUAL(split(text, "2.1"), "So.");
    CU_ASSERT_STRING_EQUAL(split(text, "7"), "Seven.");
    CU_ASSERT_STRING_EQUAL(split(text, "1"), "Longer.");
    CU_ASSERT_STRING_EQUAL(split(text, "another"), "");
}

static void cite(const struct dna_text *text, const char *ordinals, const char *expected)
{
    char bad[32] = "";
    char *cited = dna_text_cited(text, "1", ordinals, bad, sizeof bad);

    CU_ASSERT_STRING_EQUAL(cited ? cited : bad, expected);
    free(cited);
}

static void test_citing(void)
{
    static const char bytes[] = "1. A\n\n   One.  Two.  Three.\n\n2. B\n\n   Four.\n";
    struct dna_text *text = dna_text_new(bytes, strlen(bytes));

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    cite(text, "2", "Two.");
    cite(text, "3 1", "Three. One.");
    cite(text, " 1-3  2:1 ", "One. Two. Three. Four.");
    cite(text, "1 4", "4");
    cite(text, "0", "0");
    cite(text, "2:2", "2:2");
    cite(text, "9:1", "9:1");
    cite(text, "3-1", "3-1");
    cite(text, "2-4", "2-4");
    cite(text, "two", "two");
    cite(text, "1x", "1x");
    cite(text, "-1", "-1");
    cite(text, "99999999999999999999999", "99999999999999999999999");
    cite(text, "", "(none)");
    CU_ASSERT_EQUAL(dna_text_num_sections(text), 2);
    CU_ASSERT_STRING_EQUAL(dna_text_section_name(text, 1), "2");
    CU_ASSERT_PTR_NULL(dna_text_section_name(text, 2));
    dna_text_free(text);
    dna_text_free(NULL);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;

    CU_pSuite suite = CU_add_suite("sentences", NULL, NULL);

    if (!suite || !CU_add_test(suite, "paragraphs become sentences", test_paragraphs) ||
        !CU_add_test(suite, "page furniture goes", test_page_furniture) ||
        !CU_add_test(suite, "abbreviations end no sentence", test_abbreviations) ||
        !CU_add_test(suite, "steps and items lose their marker", test_steps_and_items) ||
        !CU_add_test(suite, "artwork goes and table rows stay", test_artwork_and_tables) ||
        !CU_add_test(suite, "headings name sections", test_headings) ||
        !CU_add_test(suite, "ordinals cite sentences", test_citing))
        return 1;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();

    unsigned failures = CU_get_number_of_failures();

    CU_cleanup_registry();
    return failures ? 1 : 0;
}
