/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna learn`: a server's machine for one part of the alphabet, learned over
 * sockets (model/learn.h), and held against the tables'. The derived suite of the same alphabet
 * fills the tree first; what is learned is confirmed by a suite of its own.
 */
#include "conformance/learn_run.h"

#include "conformance/cli.h"
#include "model/interp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: xdna learn [--profile NAME] [options]\n"
    "Learns how a server deals with a stream that a peer opens: its machine over an alphabet of\n"
    "symbols, held against the tables'.\n"
    "  --profile NAME|DIR  the server (default xdna)\n"
    "  --variant NAME      of the profile (default: default)\n"
    "  --alphabet LIST     symbols, separated by commas ('build/model-tool derive receiving' has\n"
    "                      them); default: STARTTLS, EXTERNAL, dialback, stanzas of two domains\n"
    "                      (for --mutants: of one)\n"
    "  --smallest          the alphabet 'header d1, starttls, tls -, key d1, d1 says valid, "
    "close'\n"
    "  --choices FILE      alternatives that the server takes (default: the profile's\n"
    "                      derive.choices, if there is one)\n"
    "  --extra-states K    confirm as if K more states than were learned: 0 (default), 1, 2\n"
    "  --write DIR         into this new folder: the machines as DOT and SVG, the differences, "
    "and\n"
    "                      a scenario for each (XDNA_SCENARIOS=DIR xdna run plays them)\n"
    "  --mutate ROW:OP     learn xdna-server-test with this mutant of a row\n"
    "  --mutants N         learn N mutants that differ, and say whether their row is named:\n"
    "                      it fires where the machines part, or a change of it explains most\n"
    "  --seed S --skip K   which mutants: their order (default 1), and the first K of it left out\n"
    "  --server PROGRAM    in the place of the profile's\n"
    "  -j N                sessions at a time (default 8)\n"
    "  --deadline S        of the whole: then it says what it has seen so far, and that this is\n"
    "                      not all\n"
    "  --quiet MS          nothing at all for so long is silence, where an answer is due (300)\n"
    "Each session has fresh names. Behind each symbol a barrier (db:verify with an id of its own)\n"
    "shows that all has come; a stream on which none is answered in 1.2 s is left alone.\n"
    "First the derived suite of the same alphabet is played. What is learned is exact if each "
    "state\n"
    "of the server is reached by a shortest way to a learned one, or by K inputs more.\n"
    "An answer that contradicts an earlier one is asked for again, up to three times; if it "
    "stays,\n"
    "both transcripts are shown and nothing is learned.\n"
    "exit status: 0 it is the tables' machine (--mutants: each was named); 1 it differs or\n"
    "  contradicts itself (some was not named), or the deadline has passed; 2 usage; 77 it takes "
    "no\n"
    "  streams of servers; 99 the lab or the server is not usable; 130, 143 interrupted\n";

static const char default_alphabet[] =
    "header d1, starttls, tls d1, tls -, auth, key d1, key d2, d1 says valid, d1 says invalid, "
    "d2 says valid, forged d1 valid, stanza d1, stanza d2, close";
/* Of mutants, so that each takes seconds: one domain, and more of what can be said. */
static const char mutants_alphabet[] =
    "header d1, starttls, tls d1, tls -, auth, key d1, d1 says valid, d1 says invalid, "
    "d1 says error, verify, unknown, stanza d1, close";
static const char smallest_alphabet[] = "header d1, starttls, tls -, key d1, d1 says valid, close";

static bool number(const char *text, unsigned min, unsigned max, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (end == text || *end || n < min || n > max)
        return false;
    *out = (unsigned)n;
    return true;
}

static bool take(struct dna_learning *g, const char *name, const char *value)
{
    const struct {
        const char *name, **at;
    } texts[] = {
        { "--profile", &g->profile_name }, { "--variant", &g->variant }, { "--write", &g->dir },
        { "--alphabet", &g->alphabet },    { "--mutate", &g->mutate },   { "--server", &g->server },
        { "--choices", &g->choices }
    };
    const struct {
        const char *name;
        unsigned *at, min, max;
    } numbers[] = {
        { "--extra-states", &g->extra, 0, 2 }, { "--mutants", &g->num_mutants, 1, 100000 },
        { "--seed", &g->seed, 0, 1000000 },    { "--skip", &g->skip, 0, 100000 },
        { "-j", &g->crew.jobs, 1, 256 },       { "--quiet", &g->crew.quiet_ms, 10, 1500 },
        { "--deadline", &g->deadline_s, 1, 86400 }
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].at = value;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (strcmp(numbers[i].name, name) == 0)
            return number(value, numbers[i].min, numbers[i].max, numbers[i].at);
    return false;
}

static int parse(struct dna_learning *g, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return -1;
        }
        if (strcmp(argv[i], "--smallest") == 0) {
            g->alphabet = smallest_alphabet;
        } else if (i + 1 < argc && take(g, argv[i], argv[i + 1])) {
            i++;
        } else {
            fprintf(stderr,
                    "xdna learn: '%s' is no option, or lacks a proper value (xdna learn --help)\n",
                    argv[i]);
            return 2;
        }
    }
    return 0;
}

static int refuse(const char *what)
{
    fprintf(stderr, "xdna learn: %s\n", what);
    return 2;
}

static int usable(struct dna_learning *g)
{
    struct dna_diag diag = { 0 };
    char err[256];

    g->profile = dna_profile_load(g->profile_name, &diag);
    if (!g->profile)
        return fprintf(stderr, "xdna: %s\n", diag.text), diag.class ? (int)diag.class : 99;
    if (!dna_words_have(&g->profile->roles, "receiving"))
        return fprintf(stderr, "xdna learn: %s takes no streams of servers\n", g->profile->title),
               77;
    if (!g->profile->barrier || strcmp(g->profile->barrier, "db-verify") != 0)
        return refuse(
            "the profile's barrier is not db-verify: silence cannot be told from delay");
    if (!dna_profile_variant(g->profile, g->variant))
        return refuse("the profile has no such variant");
    if ((g->mutate || g->num_mutants) &&
        !strstr(g->profile->server ? g->profile->server : "", "xdna-server"))
        return refuse("mutants are of xdna-server, and this profile's server is none");
    if (g->mutate && dna_interp_mutate(g->mutate, err, sizeof(err)) != 0)
        return refuse(err);
    dna_interp_restore();
    if (!g->server && (g->mutate || g->num_mutants))
        g->server = "build/xdna-server-test";
    if (dna_profile_check(g->profile, g->server, &diag) != 0)
        return fprintf(stderr, "xdna: %s\n", diag.text), diag.class ? (int)diag.class : 99;
    return 0;
}

static int in_lab(struct dna_learning *g)
{
    struct dna_diag diag = { 0 };
    struct dna_learn_watch watch;
    int status = 99;

    if (dna_lab_enter(NULL, &g->lab.place, &diag) != 0)
        return fprintf(stderr, "xdna: %s\n", diag.text), diag.class ? (int)diag.class : 99;
    signal(SIGPIPE, SIG_IGN);
    g->base = event_base_new();
    dna_learn_watch(g, &watch);
    if (dna_lab_open(&g->lab, g->base, &diag) == 0) {
        status = g->num_mutants ? dna_learn_mutants(g) : dna_learn_one(g);
        dna_lab_close(&g->lab);
    } else {
        fprintf(stderr, "xdna: %s\n", diag.text);
    }
    dna_learn_unwatch(&watch);
    event_base_free(g->base);
    return status;
}

int dna_cmd_learn(int argc, char **argv)
{
    struct dna_learning g = { .profile_name = "xdna",
                              .variant = "default",
                              .seed = 1,
                              .pool = dna_pool_new(),
                              .crew = { .jobs = 8, .quiet_ms = 300 } };
    int status = parse(&g, argc, argv);

    if (!g.alphabet)
        g.alphabet = g.num_mutants ? mutants_alphabet : default_alphabet;
    if (!status)
        status = usable(&g);
    if (!status)
        status = dna_learn_prepare(&g);
    if (!status)
        status = in_lab(&g);
    dna_learn_cleanup(&g);
    dna_profile_free(g.profile);
    dna_pool_free(g.pool);
    return status < 0 ? 0 : status;
}
