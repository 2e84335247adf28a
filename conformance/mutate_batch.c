/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Many plays at once: a suite is made up of (case, mutant) and run as any other
 * is.
 */
#include "conformance/cli.h"
#include "conformance/mutate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FAULTS = 32, MAX_ROWS = 16 };

static int refused(const struct dna_diag *diag)
{
    fprintf(stderr, "xdna: %s\n", diag->text);
    return diag->class ? (int)diag->class : 99;
}

static struct dna_suite *load(const char *dir, char *const *files, size_t num_files)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_suite *suite = num_files ? dna_suite_load_files(dir, files, num_files, &diags)
                                        : dna_suite_load(dir, &diags);

    if (diags.num || !suite->num_cases) {
        fprintf(stderr, "%sxdna: %u errors in scenarios below %s, %zu cases\n",
                diags.text.at ? diags.text.at : "", diags.num, dir, suite->num_cases);
        dna_suite_free(suite);
        suite = NULL;
    }
    dna_buf_free(&diags.text);
    return suite;
}

int dna_mutate_open(struct dna_mutate_lab *m, const char *dir, char *const *files, size_t num_files)
{
    struct dna_diag diag = { 0 };

    m->pool = dna_pool_new();
    if (!m->server)
        m->server = dna_beside(m->pool, "xdna-server-test");
    m->suite = load(dir, files, num_files);
    if (!m->suite)
        return 2;
    m->profile = dna_profile_load("xdna", &diag);
    m->patient_profile = dna_profile_load("xdna", &diag);
    if (!m->profile || !m->patient_profile ||
        dna_profile_check(m->profile, m->server, &diag) != 0 ||
        dna_profile_check(m->patient_profile, m->server, &diag) != 0 ||
        dna_lab_enter(NULL, &m->lab.place, &diag) != 0)
        return refused(&diag);
    signal(SIGPIPE, SIG_IGN);
    m->base = event_base_new();
    if (dna_lab_open(&m->lab, m->base, &diag) != 0) {
        event_base_free(m->base);
        m->base = NULL;
        return refused(&diag);
    }
    return 0;
}

void dna_mutate_close(struct dna_mutate_lab *m)
{
    if (m->base) {
        dna_lab_close(&m->lab);
        event_base_free(m->base);
    }
    dna_profile_free(m->profile);
    dna_profile_free(m->patient_profile);
    dna_suite_free(m->suite);
    dna_pool_free(m->pool);
}

void dna_mutate_patient(struct dna_mutate_lab *m, bool patient, const struct dna_deadline *near)
{
    m->patient = patient;
    m->near = near;
    if (patient)
        dna_deadlines_set(m->patient_profile, near, m->pool);
}

bool dna_mutate_alone(const struct dna_mutate_lab *m, const struct dna_case *c)
{
    const struct dna_variant *v = dna_profile_variant(m->profile, c->variant);

    return v && v->own_clock;
}

bool dna_play_fails(const struct dna_play *play)
{
    if (play->crashed)
        return false;
    return play->verdict == DNA_VERDICT_FAIL || play->verdict == DNA_VERDICT_WARN ||
           (play->verdict == DNA_VERDICT_INCONC && play->judged);
}

/* One batch: the cases of the made-up suite, in the order of the plays. */
struct batch {
    struct dna_mutate_lab *m;
    struct dna_play *plays;
    struct dna_suite suite;
};

static bool on_result(struct dna_result *result, unsigned done, unsigned planned, void *arg)
{
    struct batch *b = arg;
    struct dna_play *play = &b->plays[result->c - b->suite.cases];

    (void)done;
    (void)planned;
    play->verdict = result->verdict;
    play->broken = result->invariant == DNA_INVARIANT_BROKEN;
    play->judged = result->judged;
    play->crashed = strcmp(result->reason, "crash") == 0;
    if (b->m->verbose && b->m->rows)
        printf("mutate: %s, planted: %s, %s\n", play->c->id, dna_verdict_name(play->verdict),
               result->message ? result->message : "nothing");
    if (b->m->verbose && play->crashed)
        fprintf(stderr, "xdna: the server dies of %s in %s\n", play->damage, play->c->id);
    if (b->m->verbose && !*play->damage && result->verdict > DNA_VERDICT_PASS)
        fprintf(stderr, "xdna: %s, undamaged: %s\n%s\n", play->c->id,
                result->message ? result->message : "?",
                result->transcript ? result->transcript : "");
    return false;
}

static void on_message(const char *text, void *arg)
{
    const struct batch *b = arg;

    if (b->m->verbose)
        fprintf(stderr, "xdna: %s\n", text);
}

static const char *client_damage(struct dna_pool *pool, const char *damage, const char *fired,
                                 size_t number)
{
    struct dna_buf b = { 0 };
    const char *text;

    for (const char *at = damage; *at; at += strcspn(at, " "), at += *at == ' ')
        dna_buf_printf(&b, "--mutate %.*s ", (int)strcspn(at, " "), at);
    if (fired)
        dna_buf_printf(&b, "--fired %zu:%s", number, fired);
    text = b.len ? dna_pool_strdup(pool, b.at) : NULL;
    dna_buf_free(&b);
    return text;
}

static bool make_batch(struct batch *b, size_t num, const char *mutants, const char *fired,
                       struct dna_pool *pool)
{
    FILE *out = fopen(mutants, "w");

    if (!out)
        return false;
    b->suite.prelude = b->m->suite->prelude;
    b->suite.cases = dna_pool_alloc(pool, num * sizeof(*b->suite.cases));
    b->suite.num_cases = num;
    for (size_t i = 0; i < num; i++) {
        struct dna_case *c = &b->suite.cases[i];

        *c = *b->plays[i].c;
        c->mutant = b->m->rows ? 0 : (uint32_t)i + 1;
        c->damage = client_damage(pool, b->plays[i].damage, fired, i + 1);
        b->plays[i].verdict = DNA_VERDICT_NONE;
        b->plays[i].broken = b->plays[i].crashed = false;
        fprintf(out, "%s\n", b->plays[i].damage);
    }
    return fclose(out) == 0;
}

/* Mutants that recursed without end, which a server that carries many survives (interp.h). */
static void read_dead(struct batch *b, const char *file)
{
    FILE *in = fopen(file, "r");
    unsigned number;

    while (in && fscanf(in, "%u", &number) == 1) {
        if (number == 0 || number > b->suite.num_cases)
            continue;
        b->plays[number - 1].crashed = true;
        if (b->m->verbose)
            fprintf(stderr, "xdna: %s recurses without end in %s\n", b->plays[number - 1].damage,
                    b->plays[number - 1].c->id);
    }
    if (in)
        fclose(in);
    (void)unlink(file);
}

/* What the server is told: a file of mutants, one a peer, or what is planted for all of them. */
static size_t make_args(const struct dna_mutate_lab *m, const char *mutants, const char *fired,
                        struct dna_pool *pool, const char **out)
{
    char *rows = dna_pool_strdup(pool, m->rows ? m->rows : ""), *rest = NULL;
    size_t n = 0;

    if (!m->rows) {
        out[n++] = "--mutants";
        out[n++] = mutants;
    }
    if (fired) {
        out[n++] = "--fired";
        out[n++] = fired;
    }
    if (m->fault) {
        out[n++] = "--fault";
        out[n++] = m->fault;
    }
    for (char *row = strtok_r(rows, " ", &rest); row && n < 2 * MAX_ROWS + 6;
         row = strtok_r(NULL, " ", &rest)) {
        out[n++] = "--mutate";
        out[n++] = row;
    }
    return n;
}

static int play_batch(struct dna_mutate_lab *m, struct dna_play *plays, size_t num,
                      const char *fired)
{
    struct batch b = { .m = m, .plays = plays };
    const struct dna_run_calls calls = { on_result, on_message, &b };
    struct dna_pool *pool = dna_pool_new();
    const char *mutants = dna_pool_printf(pool, "%s/mutants", m->lab.place.dir);
    const char *extra[2 * MAX_ROWS + 8];
    const struct dna_run_options options = { .jobs = m->jobs,
                                             .young = m->young,
                                             .timeout_ms = m->near ? 6000 : 3000,
                                             .repeat = 1,
                                             .level = DNA_CASE_MAY,
                                             .server = m->server,
                                             .extra_args = extra,
                                             .num_extra_args =
                                                 make_args(m, mutants, fired, pool, extra),
                                             .first_number = m->number };
    struct dna_run_outcome outcome;
    int status = 0;

    if (!make_batch(&b, num, mutants, fired, pool)) {
        fprintf(stderr, "xdna: cannot write %s: %s\n", mutants, strerror(errno));
        dna_pool_free(pool);
        return 99;
    }
    dna_run_suite(&b.suite, m->patient ? m->patient_profile : m->profile, &m->lab, m->base,
                  &options, &calls, &outcome);
    read_dead(&b, dna_pool_printf(pool, "%s.dead", mutants));
    m->number += (unsigned)num + 64;
    if (outcome.hard) {
        fprintf(stderr, "xdna: %s\n", outcome.text);
        status = 99;
    } else if (outcome.interrupted) {
        status = 128 + outcome.interrupted;
    }
    dna_run_outcome_free(&outcome);
    dna_pool_free(pool);
    return status;
}

static int play_these(struct dna_mutate_lab *m, struct dna_play *plays, size_t num,
                      const char *fired)
{
    int status = 0;

    for (size_t done = 0; done < num && !status; done += DNA_BATCH_MAX)
        status = play_batch(m, plays + done,
                            num - done < DNA_BATCH_MAX ? num - done : DNA_BATCH_MAX, fired);
    return status;
}

/* The name of the fault, if there is one; out_rows: the damage to rows. */
static const char *fault_of(struct dna_pool *pool, const char *damage, const char **out_rows)
{
    size_t len;

    *out_rows = damage;
    if (strncmp(damage, DNA_FAULT, strlen(DNA_FAULT)) != 0)
        return NULL;
    damage += strlen(DNA_FAULT);
    len = strcspn(damage, " ");
    *out_rows = damage[len] ? damage + len + 1 : "";
    return dna_pool_printf(pool, "%.*s", (int)len, damage);
}

/* The plays of one fault (NULL: of none) are played together, for it is the whole server's. */
static int play_fault(struct dna_mutate_lab *m, struct dna_play *plays, size_t num,
                      const char *fired, const char *fault)
{
    struct dna_play *some = dna_xcalloc(num, sizeof(*some));
    size_t *whose = dna_xcalloc(num, sizeof(*whose)), n = 0;
    int status;

    for (size_t i = 0; i < num; i++) {
        const char *rows, *its = fault_of(m->pool, plays[i].damage, &rows);

        if (fault ? its && strcmp(its, fault) == 0 : !its) {
            whose[n] = i;
            some[n] = plays[i];
            some[n++].damage = rows;
        }
    }
    m->fault = fault;
    status = n ? play_these(m, some, n, fired) : 0;
    m->fault = NULL;
    for (size_t i = 0; i < n && !status; i++) {
        some[i].damage = plays[whose[i]].damage;
        plays[whose[i]] = some[i];
    }
    free(some);
    free(whose);
    return status;
}

int dna_mutate_play(struct dna_mutate_lab *m, struct dna_play *plays, size_t num, const char *fired)
{
    const char *done[MAX_FAULTS] = { NULL };
    size_t num_done = 0;
    int status = play_fault(m, plays, num, fired, NULL);

    for (size_t i = 0; i < num && !status && num_done < MAX_FAULTS; i++) {
        const char *rows, *its = fault_of(m->pool, plays[i].damage, &rows);
        bool known = !its;

        for (size_t d = 0; d < num_done; d++)
            known |= its && strcmp(done[d], its) == 0;
        if (known)
            continue;
        done[num_done++] = its;
        status = play_fault(m, plays, num, NULL, its);
    }
    return status;
}

int dna_mutate_play_planted(struct dna_mutate_lab *m, struct dna_play *plays, size_t num,
                            const char *fault, const char *rows)
{
    int status;

    m->fault = fault;
    m->rows = rows;
    status = play_batch(m, plays, num, NULL);
    m->fault = m->rows = NULL;
    return status;
}

static bool as_it_should(const struct dna_play *play)
{
    return play->verdict <= DNA_VERDICT_PASS || play->verdict == DNA_VERDICT_NONE;
}

/* What does not pass undamaged may have met a busy machine: it is played once more, with few
 * others. */
int dna_mutate_play_again(struct dna_mutate_lab *m, struct dna_play *plays, size_t num)
{
    struct dna_play *again = dna_xcalloc(num, sizeof(*again));
    size_t *whose = dna_xcalloc(num, sizeof(*whose)), n = 0;
    const unsigned young = m->young;
    unsigned bad = 0;
    int status = 0;

    for (size_t i = 0; i < num; i++) {
        if (as_it_should(&plays[i]))
            continue;
        whose[n] = i;
        again[n++] = plays[i];
    }
    m->young = 4;
    if (n)
        status = dna_mutate_play(m, again, n, NULL);
    m->young = young;
    for (size_t i = 0; i < n && !status; i++) {
        plays[whose[i]] = again[i];
        if (!as_it_should(&again[i]) && ++bad <= 10)
            fprintf(stderr, "xdna: %s: %s without any damage\n", again[i].c->id,
                    dna_verdict_name(again[i].verdict));
    }
    free(again);
    free(whose);
    return status ? status : bad ? 1 : 0;
}
