/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The commands that only read: list, explain, show, lint, --version.
 */
#include "conformance/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int dna_cmd_lint(int argc, char **argv)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_suite *suite;

    if (argc > 1 && argv[1][0] == '-') {
        fputs("usage: xdna lint [FILE...]\n", argv[1][1] == '-' ? stdout : stderr);
        return strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    suite = argc > 1 ? dna_suite_load_files(dna_scenarios_dir(), argv + 1, (size_t)argc - 1, &diags)
                     : dna_suite_load(dna_scenarios_dir(), &diags);
    if (diags.text.at)
        fputs(diags.text.at, stderr);
    printf("%zu scenarios, %zu cases, %u errors\n", suite->num_scns, suite->num_cases, diags.num);
    dna_suite_free(suite);
    dna_buf_free(&diags.text);
    return diags.num ? 2 : 0;
}

static struct dna_suite *load(struct dna_cli *cli, int argc, char **argv, int *out_status)
{
    *out_status = 2;
    if (!dna_cli_parse(cli, argc, argv))
        return NULL;
    if (cli->help) {
        printf("usage: xdna %s [SELECTOR...]%s\n", argv[0],
               strcmp(argv[0], "list") == 0 ? " [--json] [--role ROLE]" :
               strcmp(argv[0], "explain") == 0 ? " [--texts DIR]" : "");
        *out_status = 0;
        return NULL;
    }
    return dna_cli_suite(cli, out_status);
}

int dna_cmd_list(int argc, char **argv)
{
    struct dna_cli cli;
    int status;
    struct dna_suite *suite = load(&cli, argc, argv, &status);
    unsigned num = 0;

    for (size_t i = 0; suite && i < suite->num_cases; i++) {
        struct dna_case *c = &suite->cases[i];

        if (cli.run.role && strcmp(cli.run.role, c->role) != 0)
            c->selected = false;
        if (!c->selected)
            continue;
        num++;
        if (!cli.as_json)
            printf("%-6s %s\n       %s\n", dna_case_level_name(c->scn->level), c->id,
                   c->scn->claim);
    }
    if (suite && cli.as_json && !dna_list_json(suite))
        status = 99;
    else if (suite && !cli.as_json)
        printf("%u cases\n", num);
    if (suite && !num) {
        fputs("xdna: no case is left\n", stderr);
        status = 2;
    }
    dna_suite_free(suite);
    dna_cli_cleanup(&cli);
    return status;
}

static const struct dna_scn *only_one(const struct dna_suite *suite, size_t from)
{
    return from < suite->num_cases && suite->cases[from].selected &&
           (from == 0 || suite->cases[from - 1].scn != suite->cases[from].scn ||
            !suite->cases[from - 1].selected) ? suite->cases[from].scn : NULL;
}

static void print_file(const char *file)
{
    FILE *f = fopen(file, "re");
    char line[1024];
    int n = 0;

    while (f && fgets(line, sizeof(line), f))
        printf("%4d  %s", ++n, line);
    if (f)
        fclose(f);
}

/* the source sentences come from the reader's own copy, by the tool of spec/ */
static void source_sentence(const char *id, const char *texts)
{
    struct dna_pool *pool;
    char command[1024];
    FILE *p;
    int c;

    if (!texts || strpbrk(texts, "'\\\n"))
        return;
    pool = dna_pool_new();
    snprintf(command, sizeof(command), "'%s' '%s' show %s 2>&1", dna_beside(pool, "spec-texts"),
             texts, id);
    dna_pool_free(pool);
    fflush(stdout);
    p = popen(command, "re");
    while (p && (c = getc(p)) != EOF)
        putchar(c);
    if (p)
        pclose(p);
}

static void explain(const struct dna_suite *suite, const struct dna_scn *scn, const char *texts)
{
    static const char *const kinds[] = { "peer", "client of the IUT", "client under test" };

    printf("%s (rev %u, %s)\n\nclaim   %s\nimpact  %s\n\n", scn->id, scn->rev,
           dna_case_level_name(scn->level), scn->claim, scn->impact);
    for (size_t i = 0; i < scn->num_reqs; i++) {
        const struct dna_requirement *q = dna_requirement((enum dna_req)scn->reqs[i]);

        printf("%s  %s section %s, %s, %s\n    %s\n", q->id, q->document, q->section,
               dna_level_name(q->level), q->roles, q->text);
        for (size_t n = 0; dna_requirement_decision((enum dna_req)scn->reqs[i], n) >= 0; n++) {
            int d = dna_requirement_decision((enum dna_req)scn->reqs[i], n);

            printf("    decision %s: %s\n", dna_requirement((enum dna_req)d)->id,
                   dna_requirement((enum dna_req)d)->choice);
        }
        source_sentence(q->id, texts);
    }
    puts("\ncases");
    for (size_t i = 0; i < suite->num_cases; i++)
        if (suite->cases[i].scn == scn)
            printf("    %s\n", suite->cases[i].id);
    if (scn->needs.num)
        printf("needs  ");
    for (size_t i = 0; i < scn->needs.num; i++)
        printf(" %s%s", scn->needs.at[i], i + 1 == scn->needs.num ? "\n" : "");
    puts("actors");
    for (const struct dna_scn_actor *a = scn->actors; a; a = a->next) {
        printf("    %-4s %s", a->name, kinds[a->kind]);
        for (size_t i = 0; i < a->num_domains; i++)
            printf(" $%s", a->domains[i]);
        printf("%s%s%s%s\n", a->user ? " " : "", a->user ? a->user : "", a->cert ? " cert=" : "",
               a->cert ? a->cert : "");
    }
    printf("\n%s\n", scn->file);
    print_file(scn->file);
    putchar('\n');
}

static int each_scenario(int argc, char **argv, bool with_reasons)
{
    struct dna_cli cli;
    int status;
    struct dna_suite *suite = load(&cli, argc, argv, &status);

    if (suite && !cli.num_selectors) {
        fprintf(stderr, "usage: xdna %s ID...\n", argv[0]);
        status = 2;
    }
    for (size_t i = 0; suite && cli.num_selectors && i < suite->num_cases; i++) {
        const struct dna_scn *scn = only_one(suite, i);

        if (scn && with_reasons)
            explain(suite, scn, cli.texts);
        else if (scn)
            print_file(scn->file);
    }
    dna_suite_free(suite);
    dna_cli_cleanup(&cli);
    return status;
}

int dna_cmd_explain(int argc, char **argv)
{
    return each_scenario(argc, argv, true);
}

int dna_cmd_show(int argc, char **argv)
{
    return each_scenario(argc, argv, false);
}

int dna_cmd_version(void)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_suite *suite = dna_suite_load(dna_scenarios_dir(), &diags);
    char hash[DNA_MODEL_HASH_LEN] = "";

    dna_model_hash(hash);
    printf("xdna %s, model %s, %zu scenarios, %zu cases, %d requirements and decisions\n",
           DNA_SUITE_VERSION, hash, suite->num_scns, suite->num_cases, (int)DNA_NUM_REQUIREMENTS);
    dna_suite_free(suite);
    dna_buf_free(&diags.text);
    return 0;
}
