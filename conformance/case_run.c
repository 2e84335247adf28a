/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. A case from its creation to its result: the pool, the clock, the transcript,
 * and the end, which is reached exactly once. Setting its world up is case_setup.c's work.
 */
#include "conformance/oracle_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double dna_seconds_since(const struct timeval *start)
{
    struct timeval now, passed;

    evutil_gettimeofday(&now, NULL);
    evutil_timersub(&now, start, &passed);
    return (double)passed.tv_sec + (double)passed.tv_usec / 1e6;
}

void dna_run_note(struct dna_case_run *run, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = dna_pool_vprintf(run->pool, format, args);
    va_end(args);
    dna_buf_printf(&run->transcript, "%9.4f  %s\n", dna_seconds_since(&run->started), text);
}

const char *dna_run_expand(struct dna_case_run *run, const char *text)
{
    return dna_binds_expand(&run->vars, run->pool, text, NULL);
}

struct dna_actor *dna_run_actor(struct dna_case_run *run, const struct dna_scn_actor *scn)
{
    for (struct dna_actor *a = run->actors; a; a = a->next)
        if (a->scn == scn)
            return a;
    return NULL;
}

struct dna_cert *dna_run_cert(struct dna_case_run *run, const char *name, bool *out_known)
{
    for (struct dna_named_cert *c = run->certs; c; c = c->next) {
        if (strcmp(c->name, name) == 0) {
            *out_known = true;
            return c->cert;
        }
    }
    *out_known = strcmp(name, "none") == 0;
    return NULL;
}

struct dna_case_run *dna_case_run_new(const struct dna_case_context *context,
                                      const struct dna_case *c, struct dna_iut *iut,
                                      unsigned number, dna_case_done_fn done, void *arg)
{
    struct dna_case_run *run = dna_xcalloc(1, sizeof(*run));

    run->context = context;
    run->c = c;
    run->iut = iut;
    run->pool = dna_pool_new();
    run->number = number;
    run->done = done;
    run->arg = arg;
    if (c->mutant)
        snprintf(run->label, sizeof(run->label), "c%04um%u", number, c->mutant);
    else
        snprintf(run->label, sizeof(run->label), "c%04u", number);
    dna_binds_init(&run->vars, run->pool);
    run->pump = event_new(context->base, -1, 0, dna_interp_pump, run);
    run->timer = event_new(context->base, -1, EV_TIMEOUT, dna_interp_pump, run);
    return run;
}

void dna_run_wake(struct dna_case_run *run)
{
    if (!run->ended)
        event_active(run->pump, EV_TIMEOUT, 0);
}

void dna_case_run_start(struct dna_case_run *run)
{
    evutil_gettimeofday(&run->started, NULL);
    run->log_mark = dna_iut_log_mark(run->iut);
    dna_run_note(run, "%s as %s, variant %s", run->c->id, run->label, run->c->variant);
    if (!dna_run_setup(run))
        return; /* it has ended itself */
    run->at = run->c->scn->steps;
    dna_run_wake(run);
}

static const char *keep(struct dna_pool *pool, const char *text)
{
    return text ? dna_pool_strdup(pool, text) : NULL;
}

static void fill_place(struct dna_result *r, const struct dna_scn *scn,
                       const struct dna_step *step)
{
    r->file = dna_pool_strdup(r->pool, scn->file);
    r->line = step ? step->call_line : 0;
    if (!step)
        return;
    r->step = keep(r->pool, step->text);
    if (strcmp(step->file, scn->file) != 0) {
        r->step_file = dna_pool_strdup(r->pool, step->file);
        r->step_line = step->line;
    }
}

void dna_run_end(struct dna_case_run *run, enum dna_ending ending, const struct dna_step *step,
                 const char *reason, const char *expected, const char *got)
{
    const struct dna_scn *scn = run->c->scn;
    struct dna_result *r;

    if (run->ended)
        return;
    run->ended = true;
    event_del(run->pump);
    event_del(run->timer);
    dna_run_note(run, "the case ends%s%s", reason && *reason ? ": " : "", reason ? reason : "");
    r = dna_xcalloc(1, sizeof(*r));
    r->pool = dna_pool_new();
    r->c = run->c;
    r->number = run->number;
    r->seconds = dna_seconds_since(&run->started);
    dna_judge(r, ending, step && step->then, run->allowed, scn->forbids != NULL,
              run->reading != NULL, scn->level);
    r->reason = keep(r->pool, reason && *reason ? reason : "");
    r->expected = keep(r->pool, expected);
    r->got = keep(r->pool, got);
    r->allowed = keep(r->pool, run->allowed_why);
    r->reading = keep(r->pool, run->reading);
    dna_oracle_case_judge(run, r);
    fill_place(r, scn, step);
    r->transcript = dna_pool_strndup(r->pool, run->transcript.at, run->transcript.len);
    if (r->verdict >= DNA_VERDICT_WARN) {
        char *tail = dna_iut_log_tail(run->iut, run->label, run->log_mark, 25);

        r->log_tail = tail && *tail ? dna_pool_strdup(r->pool, tail) : NULL;
        free(tail);
        r->message = dna_pool_printf(r->pool, "expected %s; got %s", expected ? expected : "?",
                                     got ? got : "nothing");
    }
    run->done(run, r, run->arg);
}

void dna_case_run_free(struct dna_case_run *run)
{
    if (!run)
        return;
    run->ended = true;
    dna_run_teardown(run);
    event_free(run->pump);
    event_free(run->timer);
    dna_binds_cleanup(&run->vars);
    dna_buf_free(&run->transcript);
    dna_oracle_free(run->oracle);
    dna_pool_free(run->pool);
    free(run);
}
