/* SPDX-License-Identifier: MIT */
/* Room: conformance. The program xdna: picks the command and hands over. */
#include "conformance/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int lint(int argc, char **argv)
{
    const char *dir = getenv("XDNA_SCENARIOS") ? getenv("XDNA_SCENARIOS") : "conformance/scenarios";
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_suite *suite;
    unsigned errors;

    suite = argc ? dna_suite_load_files(dir, argv, (size_t)argc, &diags) : dna_suite_load(dir, &diags);
    if (diags.text.at)
        fputs(diags.text.at, stderr);
    printf("%zu scenarios, %zu cases, %u errors\n", suite->num_scns, suite->num_cases, diags.num);
    errors = diags.num;
    dna_suite_free(suite);
    dna_buf_free(&diags.text);
    return errors ? 2 : 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "lint") == 0)
        return lint(argc - 2, argv + 2);
    fputs("usage: xdna lint [FILE...]\n", stderr);
    return 2;
}
