/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Finds scenario files, makes cases of them and picks cases by selectors. See
 * suite.h for who owns what.
 */
#include "conformance/suite.h"
#include "conformance/scn_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct files {
    char **at;
    size_t num;
};

static void add_file(struct files *files, char *path)
{
    files->at = dna_xrealloc(files->at, (files->num + 1) * sizeof(*files->at));
    files->at[files->num++] = path;
}

static char *join(const char *dir, const char *name)
{
    struct dna_buf path = { 0 };

    dna_buf_printf(&path, "%s/%s", dir, name);
    return path.at;
}

static void find_files(const char *dir, struct files *files)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    while (d && (e = readdir(d))) {
        const char *dot = strrchr(e->d_name, '.');
        struct stat st;
        char *path;

        if (e->d_name[0] == '.')
            continue;
        path = join(dir, e->d_name);
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
            find_files(path, files);
        else if (dot && strcmp(dot, ".scn") == 0 && strcmp(e->d_name, "prelude.scn") != 0) {
            add_file(files, path);
            continue;
        }
        free(path);
    }
    if (d)
        closedir(d);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct dna_case *)a)->id, ((const struct dna_case *)b)->id);
}

static void make_cases(struct dna_suite *suite, const struct dna_scn *scn)
{
    for (size_t r = 0; r < scn->roles.num; r++) {
        for (size_t v = 0; v < scn->variants.num; v++) {
            const char *variant = scn->variants.at[v];
            struct dna_buf id = { 0 };

            dna_buf_printf(&id, "%s@%s", scn->id, scn->roles.at[r]);
            if (strcmp(variant, "default") != 0)
                dna_buf_printf(&id, "+%s", variant);
            suite->cases = dna_xrealloc(suite->cases,
                                        (suite->num_cases + 1) * sizeof(*suite->cases));
            suite->cases[suite->num_cases++] =
                (struct dna_case){ scn, scn->roles.at[r], variant, id.at, false, 0, NULL };
        }
    }
}

static void check_ids(const struct dna_suite *suite, struct dna_scn_diags *diags)
{
    for (size_t i = 1; i < suite->num_cases; i++)
        if (strcmp(suite->cases[i - 1].id, suite->cases[i].id) == 0)
            scn_error(diags, suite->cases[i].scn->file, 1, "the same case as in %s: %s",
                      suite->cases[i - 1].scn->file, suite->cases[i].id);
}

struct dna_suite *dna_suite_load_files(const char *dir, char *const *files, size_t num,
                                       struct dna_scn_diags *diags)
{
    struct dna_suite *suite = dna_xcalloc(1, sizeof(*suite));
    char *prelude = join(dir, "prelude.scn");

    suite->dir = dna_xstrdup(dir);
    suite->prelude = dna_prelude_load(prelude, diags);
    free(prelude);
    for (size_t i = 0; i < num; i++) {
        struct dna_scn *scn = dna_scn_load(files[i], suite->prelude, diags);

        if (!scn)
            continue;
        suite->scns = dna_xrealloc(suite->scns, (suite->num_scns + 1) * sizeof(*suite->scns));
        suite->scns[suite->num_scns++] = scn;
        make_cases(suite, scn);
    }
    if (suite->num_cases)
        qsort(suite->cases, suite->num_cases, sizeof(*suite->cases), by_id);
    check_ids(suite, diags);
    return suite;
}

struct dna_suite *dna_suite_load(const char *dir, struct dna_scn_diags *diags)
{
    struct files files = { NULL, 0 };
    struct dna_suite *suite;

    find_files(dir, &files);
    if (files.num)
        qsort(files.at, files.num, sizeof(*files.at), by_text);
    suite = dna_suite_load_files(dir, files.at, files.num, diags);
    for (size_t i = 0; i < files.num; i++)
        free(files.at[i]);
    free(files.at);
    return suite;
}

void dna_suite_free(struct dna_suite *suite)
{
    if (!suite)
        return;
    for (size_t i = 0; i < suite->num_cases; i++)
        free(suite->cases[i].id);
    for (size_t i = 0; i < suite->num_scns; i++)
        dna_scn_free(suite->scns[i]);
    dna_prelude_free(suite->prelude);
    free(suite->cases);
    free(suite->scns);
    free(suite->dir);
    free(suite);
}

static bool prefix_match(const char *selector, const char *id)
{
    size_t len = strlen(selector);

    return len && strncmp(selector, id, len) == 0 && (id[len] == '/' || selector[len - 1] == '/');
}

static bool match_id(const char *selector, const char *scn_id, const char *suffix)
{
    struct dna_buf whole = { 0 };
    bool hit;

    dna_buf_printf(&whole, "%s%s", scn_id, suffix);
    hit = strcmp(selector, scn_id) == 0 || strcmp(selector, whole.at) == 0 ||
          prefix_match(selector, scn_id) || dna_glob_match(selector, scn_id) ||
          dna_glob_match(selector, whole.at);
    dna_buf_free(&whole);
    return hit;
}

bool dna_selector_match(const char *selector, const struct dna_case *c, bool alias)
{
    const char *suffix = strchr(c->id, '@');
    char *plain = dna_xstrdup(selector), *colon = strchr(plain, ':');
    bool hit;

    if (colon) /* rfc6120/15:tls-restart */
        *colon = '/';
    hit = match_id(plain, c->scn->id, suffix);
    for (size_t i = 0; alias && !hit && i < c->scn->aliases.num; i++)
        hit = match_id(plain, c->scn->aliases.at[i], suffix);
    free(plain);
    return hit;
}

const char *dna_suite_select(struct dna_suite *suite, char *const *selectors, size_t num)
{
    for (size_t i = 0; !num && i < suite->num_cases; i++)
        suite->cases[i].selected = true;
    for (size_t s = 0; s < num; s++) {
        bool any = false;

        for (size_t i = 0; i < suite->num_cases; i++) {
            if (dna_selector_match(selectors[s], &suite->cases[i], true))
                any = suite->cases[i].selected = true;
        }
        if (!any)
            return selectors[s];
    }
    return NULL;
}
