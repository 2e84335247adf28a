/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Each broken script of fixtures/scenarios/bad is refused with just the
 * messages that its last lines ('#! LINE: message') write, in order, with file and line; and
 * every scenario of the suite is sound.
 */
#include "conformance/scn_internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/test/cu_main.h"

#define BAD "fixtures/scenarios/bad"

/* what a fixture says must be said of it, in the form of the parser */
static char *wanted(const char *path, const char *text)
{
    struct dna_buf out = { 0 };

    for (const char *at = strstr(text, "#! "); at; at = strstr(at + 1, "\n#! ")) {
        size_t len;

        at += *at == '\n';
        len = strcspn(at, "\n");
        dna_buf_printf(&out, "%s:", path);
        for (size_t i = 3; i < len; i++) {
            if (at[i] == '@')
                dna_buf_puts(&out, BAD "/");
            else
                dna_buf_add(&out, at + i, 1);
        }
        dna_buf_puts(&out, "\n");
    }
    dna_buf_add(&out, "", 0);
    return out.at;
}

static void check_file(const char *path)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    char *text = scn_read_file(path), *want;
    struct dna_scn *scn;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    want = wanted(path, text);
    scn = dna_scn_load(path, NULL, &diags);
    CU_ASSERT_PTR_NULL(scn);
    CU_ASSERT(diags.num > 0);
    if (!diags.text.at || strcmp(diags.text.at, want) != 0) {
        printf("\n%s: wanted\n%sgot\n%s", path, want, diags.text.at ? diags.text.at : "");
        CU_FAIL("messages differ");
    }
    dna_scn_free(scn);
    dna_buf_free(&diags.text);
    free(want);
    free(text);
}

static void bad_scripts_are_refused(void)
{
    DIR *dir = opendir(BAD);
    struct dirent *e;
    unsigned num = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    while ((e = readdir(dir))) {
        char path[512];

        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), BAD "/%s", e->d_name);
        check_file(path);
        num++;
    }
    closedir(dir);
    CU_ASSERT(num >= 12);
}

static void a_missing_file_is_an_error(void)
{
    struct dna_scn_diags diags = { { 0 }, 0 };

    CU_ASSERT_PTR_NULL(dna_scn_load("fixtures/scenarios/x/1_none.scn", NULL, &diags));
    CU_ASSERT_EQUAL(diags.num, 1);
    dna_buf_free(&diags.text);
}

static void a_prelude_holds_procedures_only(void)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_prelude *p = dna_prelude_load(BAD "/1_order.scn", &diags);

    CU_ASSERT_PTR_NOT_NULL(strstr(diags.text.at, "1_order.scn:1: a prelude holds procedures only"));
    dna_prelude_free(p);
    dna_buf_free(&diags.text);
}

/* an error in a procedure names the procedure's line and the caller's */
static void an_error_in_a_procedure_names_its_caller(void)
{
    static const char head[] = "claim A.\nreq X0220_2_2_1_1\nlevel must\nrole receiving\n"
                               "impact B.\nrev 1\ndomain a\npeer A $a\nthen:\nA connect\n";
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_prelude *p = dna_prelude_load("conformance/scenarios/prelude.scn", &diags);
    struct dna_buf text = { 0 };
    struct dna_scn *scn;

    dna_buf_printf(&text, "%sdo dialback-request A\n", head);
    scn = dna_scn_parse("x/1_y.scn", text.at, p, &diags);
    CU_ASSERT_PTR_NULL(scn);
    CU_ASSERT_PTR_NOT_NULL(diags.text.at);
    CU_ASSERT(strncmp(diags.text.at, "conformance/scenarios/prelude.scn:", 34) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(diags.text.at,
                                  "unbound variable '$sid' (called at x/1_y.scn:11)\n"));
    dna_scn_free(scn);
    dna_buf_free(&text);
    dna_buf_free(&diags.text);
    dna_prelude_free(p);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "bad scripts are refused with file and line", bad_scripts_are_refused },
        { "a missing file is an error", a_missing_file_is_an_error },
        { "a prelude holds procedures only", a_prelude_holds_procedures_only },
        { "an error in a procedure names its caller", an_error_in_a_procedure_names_its_caller },
        CU_TEST_INFO_NULL,
    };

    return cu_main("scenario errors", tests);
}
