/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna mutate`: the command line.
 */
#include "conformance/cli.h"
#include "conformance/mutate_cmd.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: xdna mutate cases|rows|bugs|mutants [SELECTOR...] [--list FILE] [--write FILE] [-j N]\n"
    "  Shows that the suite can fail: the tables of the running reference (xdna-server-test) are "
    "damaged,\n"
    "  many mutants at a time in one process, each for the peers of one play of a case.\n"
    "  cases          for each case a damaged row that makes it fail\n"
    "  rows           for each row of the tables a case that fails when the row is damaged\n"
    "  bugs           for each bug that the model checker must find (model/planted.def) the cases "
    "that replay it:\n"
    "                 each passes, and fails with the bug planted; SELECTOR is then a bug\n"
    "  --search       of bugs, too, that name cases: all cases that notice them\n"
    "  mutants        every first-order mutant of every row of the roles that are derived (xdna "
    "derive), each in\n"
    "                 the model's shortest session that tells it; SELECTOR is then a role\n"
    "  --sample N     of every N mutants one is put to hand-written cases, too (default 20)\n"
    "  --sessions     mutants: no hand-written cases\n"
    "  --scope NAME   mutants: only sessions of this part of the role's alphabet (xdna derive)\n"
    "  --hand-written mutants: only these, and the survivors of the sample, each with the model's "
    "session\n"
    "  --ops LIST     mutants: only these, of drop,true,not,atom,nodo,do,to,from,also,choice\n"
    "  --tries N      mutants: so many hand-written cases for each (default 24; 0: all that come "
    "to its cell)\n"
    "  --keep DIR     mutants: the sessions are left there (XDNA_SCENARIOS=DIR xdna run)\n"
    "  SELECTOR       only these cases (xdna run --help)\n"
    "  --list FILE    what is known already (default conformance/cases.killers, rows.killers); it "
    "is played, not believed\n"
    "  --write FILE   write the list anew\n"
    "  --server PROGRAM   another xdna-server-test\n"
    "  -j N           plays at a time (default 800)\n"
    "exit status: 0 all were seen to fail or have a reason, 1 some did not, 2 usage, 99 the lab "
    "was not usable\n";

static bool is_op(const char *op, size_t len)
{
    static const char *const ops[] = { "drop", "true", "not",  "atom", "nodo",
                                       "do",   "to",   "from", "also", "choice" };
    bool any = false;

    for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++)
        any |= strlen(ops[i]) == len && strncmp(ops[i], op, len) == 0;
    return any;
}

static bool take_ops(const char *list, const char **out)
{
    *out = list;
    for (const char *op = list;; op += strcspn(op, ",") + 1) {
        const size_t len = strcspn(op, ",");

        if (!is_op(op, len)) {
            fprintf(stderr, "xdna: --ops %s: '%.*s' is none\n", list, (int)len, op);
            return false;
        }
        if (!op[len])
            return true;
    }
}

/* False: usage. */
static bool take(int flag, struct dna_mutate_lab *m, struct dna_mutate_options *o)
{
    switch (flag) {
    case 'l':
        o->list = optarg;
        return true;
    case 'w':
        o->write = optarg;
        return true;
    case 's':
        m->server = optarg;
        return true;
    case 'S':
        return (o->sample = (unsigned)strtoul(optarg, NULL, 10)) > 0;
    case 'k':
        o->keep = optarg;
        return true;
    case 'P':
        o->scope = optarg;
        return true;
    case 'H':
        return o->hand_written = true;
    case 'o':
        return take_ops(optarg, &o->ops);
    case 't':
        o->tries = (size_t)strtoul(optarg, NULL, 10);
        o->tries = o->tries ? o->tries : SIZE_MAX;
        return true;
    case 'n':
        return o->sessions_only = true;
    case 'a':
        return o->search = true;
    case 'v':
        return m->verbose = true;
    case 'j':
        return (m->jobs = (unsigned)strtoul(optarg, NULL, 10)) > 0 && m->jobs <= 1000;
    default:
        return false;
    }
}

int dna_cmd_mutate(int argc, char **argv)
{
    static const struct option longs[] = {
        { "list", required_argument, NULL, 'l' },   { "write", required_argument, NULL, 'w' },
        { "keep", required_argument, NULL, 'k' },   { "sessions", no_argument, NULL, 'n' },
        { "sample", required_argument, NULL, 'S' }, { "server", required_argument, NULL, 's' },
        { "scope", required_argument, NULL, 'P' },  { "hand-written", no_argument, NULL, 'H' },
        { "ops", required_argument, NULL, 'o' },    { "tries", required_argument, NULL, 't' },
        { "search", no_argument, NULL, 'a' },       { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct dna_mutate_lab m = { .jobs = 800, .young = 48, .number = 0 };
    struct dna_mutate_options o = { .list = NULL, .sample = 20, .tries = 24 };
    const char *what;
    int flag, status;
    bool all, bugs;

    optind = 0;
    while ((flag = getopt_long(argc, argv, "j:v", longs, NULL)) != -1) {
        if (flag == 'h')
            return fputs(usage, stdout), 0;
        if (!take(flag, &m, &o))
            return fputs(usage, stderr), 2;
    }
    what = optind < argc ? argv[optind] : "";
    all = strcmp(what, "mutants") == 0;
    bugs = strcmp(what, "bugs") == 0;
    o.rows = strcmp(what, "rows") == 0;
    if (!o.list)
        o.list = o.rows ? "conformance/rows.killers" : "conformance/cases.killers";
    if (!all && !bugs && !o.rows && strcmp(what, "cases") != 0)
        return fputs(usage, stderr), 2;
    o.selectors = argv + optind + 1;
    o.num_selectors = (size_t)(argc - optind - 1);
    o.verbose = m.verbose;
    status = all ? dna_mutate_all(&m, &o) : dna_mutate_open(&m, dna_scenarios_dir(), NULL, 0);
    if (!status && !all)
        status = bugs ? dna_mutate_bugs(&m, &o) : dna_mutate_hunt(&m, &o);
    dna_mutate_close(&m);
    return status;
}
