/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The commands of xdna, one function each; argv begins with the command's
 * name. Each returns an exit status of conventions: 0, 1, 2, 77, 99 (130 and 143 when
 * interrupted).
 */
#ifndef CONFORMANCE_CLI_H
#define CONFORMANCE_CLI_H

#include "conformance/report.h"

struct dna_cli {
    struct dna_run_options run;
    const char *profile;
    const char *known[16], *flaky[16];
    unsigned num_known, num_flaky;
    const char *write_known, *junit, *json, *transcripts, *texts, *keep;
    bool level_given;
    enum dna_fail_on fail_on;
    unsigned required;
    bool strict_features, strict_waivers, as_json, help;
    int verbosity;
    const char *color;
    enum dna_progress progress;
    const char *mutate, *fault, *bug;
    char **selectors;
    int num_selectors;
    struct dna_pool *pool;
};

/* dna_cli_parse fills cli; on a mistake it says what is wrong on stderr and returns false. */
bool dna_cli_parse(struct dna_cli *cli, int argc, char **argv);
void dna_cli_cleanup(struct dna_cli *cli);
const char *dna_scenarios_dir(void);
/* dna_beside is the path of another program in this program's folder. */
const char *dna_beside(struct dna_pool *pool, const char *program);

int dna_cmd_run(int argc, char **argv);
int dna_cmd_derive(int argc, char **argv);
int dna_cmd_learn(int argc, char **argv);
int dna_cmd_list(int argc, char **argv);
int dna_cmd_explain(int argc, char **argv);
int dna_cmd_show(int argc, char **argv);
int dna_cmd_coverage(int argc, char **argv);
int dna_cmd_lint(int argc, char **argv);
int dna_cmd_version(void);

/* dna_cli_suite loads the suite and applies the selectors; NULL, with *out_status, on a mistake. */
struct dna_suite *dna_cli_suite(const struct dna_cli *cli, int *out_status);

#endif
