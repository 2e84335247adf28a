/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna run`: everything that can be refused is refused before the lab is
 * entered; then the lab, the run, and the reports, which are written also when it was
 * interrupted.
 */
#include "conformance/cli.h"

#include "conformance/bugs.h"
#include "model/interp.h"

#include <signal.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char usage[] =
    "usage: xdna run [SELECTOR...] [--profile NAME]\n"
    "  SELECTOR                an id, a glob ('*' within a component, '**' any), or a section:\n"
    "                          rfc7712/4.4.1\n"
    "  --profile NAME|DIR      the implementation under test (default xdna)\n"
    "  --server PROGRAM        another program in the place of the profile's server\n"
    "  --mutate ROW:OP         run xdna-server-test with this mutant of a table row\n"
    "  --fault NAME            run xdna-server-test with this fault, which no row decides "
    "(model/faults.def)\n"
    "  --bug ID                run xdna-server-test with this bug planted, which the model checker "
    "finds\n"
    "                          (model/planted.def): mutants, a fault, or both\n"
    "  --skip PATTERN|@FILE    leave cases out; the result is then PARTIAL\n"
    "  --level must|should|may which cases run (default should)      --role ROLE  only this role\n"
    "  --fail-on invariant|must|should   what makes exit status 1 (default must)\n"
    "  --known-failures FILE   instead of the profile's; several may be given; 'none' for none\n"
    "  --known-flaky FILE   --write-known-failures FILE   --strict-waivers\n"
    "  --no-oracle             scenarios alone judge, the trace walker does not\n"
    "  --strict-features       a declared feature that no case exercised makes exit status 1\n"
    "  --require N             fail unless N cases got a verdict\n"
    "  -j N   --timeout S (per step)   --deadline S (of the run)   --fail-fast\n"
    "  --seed S   --order fixed|shuffle   --repeat N   --repeat-until-failure\n"
    "  --junit FILE   --json FILE   --transcripts DIR\n"
    "  --keep DIR              keep the lab's files: configurations, certificates, server logs\n"
    "  -q | -v | -vv   --color auto|always|never   --progress auto|line|none\n"
    "exit status: 0 verdicts and nothing unexpected, 1 unexpected, 2 usage,\n"
    "  77 nothing applicable, 99 the lab or the implementation under test is not usable, 130/143 "
    "interrupted\n";

enum { MAX_ROWS = 16 };

struct session {
    struct dna_cli cli;
    struct dna_suite *suite;
    struct dna_profile *profile;
    struct dna_known *known;
    struct dna_report report;
    struct dna_lab lab;
    struct dna_buf rows; /* mutants, from --mutate and --bug, separated by spaces */
    const char *fault;   /* from --fault or --bug */
    const char *extra[2 * (MAX_ROWS + 1)];
};

static int diag_exit(const struct dna_diag *diag)
{
    fprintf(stderr, "xdna: %s\n", diag->text);
    return diag->class ? (int)diag->class : 99;
}

static const char *skip_case(const struct dna_case *c, void *arg)
{
    struct session *s = arg;

    return dna_skip_reason(c, s->profile, s->cli.pool);
}

static int read_known(struct session *s)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_buf warnings = { 0 };

    s->known = dna_known_new();
    if (!s->cli.num_known && s->profile->known_failures)
        dna_known_read(s->known, s->profile->known_failures, false, &diags);
    for (unsigned i = 0; i < s->cli.num_known; i++)
        if (strcmp(s->cli.known[i], "none") != 0)
            dna_known_read(s->known, s->cli.known[i], false, &diags);
    for (unsigned i = 0; i < s->cli.num_flaky; i++)
        dna_known_read(s->known, s->cli.flaky[i], true, &diags);
    if (!diags.num)
        dna_known_check(s->known, s->suite, s->cli.strict_waivers, skip_case, s, &diags, &warnings);
    if (warnings.at)
        fputs(warnings.at, stderr);
    if (diags.text.at)
        fputs(diags.text.at, stderr);
    dna_buf_free(&warnings);
    dna_buf_free(&diags.text);
    return diags.num ? 2 : 0;
}

static bool use_color(const struct dna_cli *cli)
{
    const char *none = getenv("NO_COLOR");

    if (strcmp(cli->color, "auto") != 0)
        return strcmp(cli->color, "always") == 0;
    return isatty(STDOUT_FILENO) && !(none && *none);
}

static void make_report(struct session *s, char **argv)
{
    struct dna_report *r = &s->report;
    const struct dna_cli *cli = &s->cli;

    *r = (struct dna_report){ .suite = s->suite, .profile = s->profile, .known = s->known,
                              .fail_on = cli->fail_on, .verbosity = cli->verbosity,
                              .strict_features = cli->strict_features, .seed = cli->run.seed,
                              .argv = argv, .transcripts = cli->transcripts };
    r->color = use_color(cli);
    r->live = cli->progress == DNA_PROGRESS_AUTO && isatty(STDOUT_FILENO) && cli->verbosity == 0;
    if (cli->progress == DNA_PROGRESS_NONE && r->verbosity == 0)
        r->verbosity = -1;
    r->rerun = dna_pool_printf(cli->pool, "%s%s%s%s%s%s%s%s", cli->mutate ? " --mutate " : "",
                               cli->mutate ? cli->mutate : "", cli->fault ? " --fault " : "",
                               cli->fault ? cli->fault : "", cli->bug ? " --bug " : "",
                               cli->bug ? cli->bug : "", cli->run.server ? " --server " : "",
                               cli->run.server ? cli->run.server : "");
    dna_report_init(r);
}

/* What is to be planted, by --mutate, --fault and --bug. */
static int read_planted(struct session *s)
{
    const struct dna_bug *bug = s->cli.bug ? dna_bug_find(s->cli.bug) : NULL;

    s->fault = s->cli.fault;
    if (s->cli.bug && !bug) {
        fprintf(stderr, "xdna: --bug %s: there is none of that name; there are: ", s->cli.bug);
        dna_bug_list(stderr);
    } else if (s->fault && !dna_fault_known(s->fault)) {
        fprintf(stderr, "xdna: --fault %s: there is none of that name; there are: ", s->fault);
        dna_fault_list(stderr);
    } else if (bug && dna_bug_fault(bug) && s->fault && strcmp(s->fault, bug->id) != 0) {
        fprintf(stderr, "xdna: --bug %s has a fault of its own", bug->id);
    } else {
        dna_buf_printf(&s->rows, "%s%s%s", bug ? bug->rows : "",
                       bug && *bug->rows && s->cli.mutate ? " " : "",
                       s->cli.mutate ? s->cli.mutate : "");
        if (bug && dna_bug_fault(bug))
            s->fault = dna_bug_fault(bug);
        return 0;
    }
    fputc('\n', stderr);
    return 2;
}

/* A mutant that cannot be, or a server that knows none, is the caller's mistake, not the
 * server's. */
static int mutant_check(const struct session *s)
{
    char why[256];

    if (!s->cli.mutate && !s->cli.fault && !s->cli.bug)
        return 0;
    if (!s->profile->server || !strstr(s->profile->server, "xdna-server")) {
        fprintf(stderr, "xdna: --%s is for xdna-server, and %s is none\n",
                s->cli.mutate ? "mutate" : s->cli.fault ? "fault" : "bug", s->profile->title);
        return 2;
    }
    if (s->cli.mutate && dna_interp_mutate(s->cli.mutate, why, sizeof why) != 0) {
        fprintf(stderr, "xdna: --mutate %s (build/model-tool mutants lists them)\n", why);
        return 2;
    }
    dna_interp_restore();
    return 0;
}

/* The test build of the reference, beside this program, has it planted; a client that runs for one
   case takes it from the case. */
static void plant(struct session *s)
{
    char *rows = dna_pool_strdup(s->cli.pool, s->rows.at ? s->rows.at : ""), *rest = NULL;
    struct dna_buf damage = { 0 };
    size_t n = 0;

    if (s->fault) {
        s->extra[n++] = "--fault";
        s->extra[n++] = s->fault;
    }
    for (char *at = strtok_r(rows, " ", &rest); at && n < 2 * MAX_ROWS;
         at = strtok_r(NULL, " ", &rest)) {
        s->extra[n++] = "--mutate";
        s->extra[n++] = at;
        dna_buf_printf(&damage, "--mutate %s ", at);
    }
    for (size_t i = 0; damage.at && i < s->suite->num_cases; i++)
        s->suite->cases[i].damage = dna_pool_strdup(s->cli.pool, damage.at);
    dna_buf_free(&damage);
    if (!n)
        return;
    s->cli.run.extra_args = s->extra;
    s->cli.run.num_extra_args = n;
    if (!s->cli.run.server)
        s->cli.run.server = "build/xdna-server-test";
}

static int prepare(struct session *s)
{
    struct dna_diag diag = { 0 };
    int status;

    status = read_planted(s);
    if (status)
        return status;
    s->suite = dna_cli_suite(&s->cli, &status);
    if (!s->suite)
        return status;
    s->profile = dna_profile_load(s->cli.profile ? s->cli.profile : "xdna", &diag);
    if (!s->profile)
        return diag_exit(&diag);
    status = mutant_check(s);
    if (status)
        return status;
    plant(s);
    status = read_known(s);
    if (status)
        return status;
    if (dna_profile_check(s->profile, s->cli.run.server, &diag) != 0)
        return diag_exit(&diag);
    return 0;
}

static bool on_result(struct dna_result *result, unsigned done, unsigned planned, void *arg)
{
    struct session *s = arg;

    return dna_report_case(&s->report, result, done, planned);
}

static void on_message(const char *text, void *arg)
{
    struct session *s = arg;

    dna_report_message(&s->report, text);
}

static int write_reports(struct session *s)
{
    const struct {
        const char *file;
        bool (*write)(const struct dna_report *, const char *);
    } reports[] = { { s->cli.junit, dna_report_junit }, { s->cli.json, dna_report_json },
                    { s->cli.write_known, dna_report_known_failures } };
    int status = s->report.exit_status;

    for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++) {
        if (!reports[i].file || reports[i].write(&s->report, reports[i].file))
            continue;
        fprintf(stderr, "xdna: cannot write %s\n", reports[i].file);
        status = 99;
    }
    return status;
}

static int play(struct session *s, struct event_base *base)
{
    const struct dna_run_calls calls = { on_result, on_message, s };
    struct dna_run_outcome outcome;
    int status;

    dna_run_suite(s->suite, s->profile, &s->lab, base, &s->cli.run, &calls, &outcome);
    s->report.outcome = &outcome;
    dna_report_end(&s->report, s->cli.required);
    s->report.exit_status = write_reports(s);
    dna_report_result_line(&s->report);
    status = s->report.exit_status;
    dna_run_outcome_free(&outcome);
    return status;
}

static int enter_and_play(struct session *s)
{
    struct dna_diag diag = { 0 };
    struct event_base *base;
    int status;

    if (dna_lab_enter(s->cli.keep, &s->lab.place, &diag) != 0)
        return diag_exit(&diag);
    signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    if (dna_lab_open(&s->lab, base, &diag) != 0) {
        event_base_free(base);
        return diag_exit(&diag);
    }
    status = play(s, base);
    dna_lab_close(&s->lab);
    event_base_free(base);
    return status;
}

/* What is run against what: the version may repeat the product's name. */
static void announce(const struct session *s)
{
    const char *title = s->profile->title,
               *version = s->profile->version ? s->profile->version : "";
    bool named = strncasecmp(version, title, strlen(title)) == 0;

    printf("%s%s%s, %zu cases in the suite, seed %lu\n", named ? "" : title,
           named || !*version ? "" : " ", version, s->suite->num_cases, s->cli.run.seed);
}

int dna_cmd_run(int argc, char **argv)
{
    struct session s = { 0 };
    int status = 2;

    if (dna_cli_parse(&s.cli, argc, argv)) {
        if (s.cli.help) {
            fputs(usage, stdout);
            dna_cli_cleanup(&s.cli);
            return 0;
        }
        status = prepare(&s);
        if (!status) {
            make_report(&s, argv);
            if (s.report.verbosity >= 0)
                announce(&s);
            fflush(stdout);
            status = enter_and_play(&s);
        }
    }
    dna_buf_free(&s.rows);
    dna_known_free(s.known);
    dna_profile_free(s.profile);
    dna_suite_free(s.suite);
    dna_cli_cleanup(&s.cli);
    return status;
}
