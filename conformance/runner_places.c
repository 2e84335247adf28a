/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The processes under test during a run: started, put to the honesty check,
 * watched. One that dies takes the cases that were under way with it: it is started again and
 * they run alone, one after another, to find out which of them kills it.
 */
#include "conformance/runner_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void runner_start_place(struct place *p)
{
    struct dna_diag diag = { 0 };

    p->starting = true;
    p->ready = false;
    if (dna_iut_start(p->iut, &diag) != 0)
        runner_hard(p->r, "%s (variant %s) can't be started: %s", p->r->profile->title,
                    p->variant->name, diag.text);
}

static void on_ready(struct dna_iut *iut, void *arg)
{
    struct place *p = arg;

    (void)iut;
    p->starting = false;
    p->ready = true;
    runner_tick(p->r);
}

static void on_failed(struct dna_iut *iut, const struct dna_diag *diag, void *arg)
{
    struct place *p = arg;

    p->starting = false;
    runner_hard(p->r, "%s (variant %s) never came up: %s", p->r->profile->title, p->variant->name,
         diag->text);
    /* asked to stop while it failed, it took no notice: only now is it there to be asked */
    if (p->r->stopped)
        dna_iut_stop(iut);
}

void runner_crashed(struct job *job, struct dna_iut *iut, const char *what, const char *death,
                    const char *transcript)
{
    char *tail = dna_iut_log_tail(iut, NULL, 0, 25);
    struct dna_result *res = runner_made_up(job, DNA_VERDICT_FAIL, "crash", death);

    res->expected = "the implementation under test goes on";
    res->got = dna_pool_printf(res->pool, "%s: %s", what, death);
    res->transcript = dna_pool_strdup(res->pool, transcript);
    res->log_tail = tail ? dna_pool_strdup(res->pool, tail) : NULL;
    free(tail);
    runner_finish_job(job->place->r, job, res);
}

/* a case that was under way when its server died, what: what it is now, unless it was alone */
static void hit_by_death(struct place *p, struct job *job, const char *death, enum job_state what)
{
    struct dna_case_run *run = job->run;
    struct dna_result *held = job->last;

    p->running--;
    p->r->running--;
    p->r->exclusive = NULL;
    job->run = NULL;
    job->last = NULL;
    if (run)
        run->ended = true;
    if (job->alone) {
        job->alone = false;
        p->any_died_alone = true;
        runner_crashed(job, p->iut, "it died twice during this case", death,
                       run ? run->transcript.at : held->transcript);
    } else {
        job->state = what;
        p->suspects += what == JOB_SUSPECT;
    }
    dna_result_free(held);
    if (run)
        runner_bury(p->r, run);
}

/* A server that carries many mutants says at last which of them it died of; 0: it does not. */
static uint32_t culprit_of(const struct place *p)
{
    char *tail = dna_iut_log_tail(p->iut, NULL, 0, 3);
    const char *at = tail ? strstr(tail, "died of mutant ") : NULL;
    unsigned number = 0;

    if (at && sscanf(at, "died of mutant %u", &number) != 1)
        number = 0;
    free(tail);
    return number;
}

/* If the culprit is known, the others have nothing to do with it, and begin anew: also one that was
 * alone, for what an earlier play left behind may be the death of it. */
static enum job_state becomes(struct job *job, uint32_t culprit)
{
    if (!culprit)
        return JOB_SUSPECT;
    if (job->c->mutant == culprit)
        return JOB_CULPRIT;
    if (!job->alone)
        return JOB_QUEUED;
    job->alone = false;
    return JOB_SUSPECT;
}

static void on_death(struct dna_iut *iut, int status, void *arg)
{
    struct place *p = arg;
    struct runner *r = p->r;
    unsigned hit = 0;
    char death[128];
    uint32_t culprit = culprit_of(p);

    (void)iut;
    dna_iut_death(status, death, sizeof(death));
    p->ready = false;
    if (!p->honest) {
        runner_hard(r, "%s (variant %s) died during the honesty check: %s", r->profile->title,
             p->variant->name, death);
        return;
    }
    for (size_t i = 0; i < r->num_jobs; i++) {
        struct job *job = &r->jobs[i];

        if (job->place != p || job->solo ||
            (job->state != JOB_RUNNING && job->state != JOB_HELD))
            continue;
        hit++;
        hit_by_death(p, job, death, becomes(job, culprit));
    }
    runner_message(r, "%s (variant %s) died: %s; %u case%s under way, started again",
                   r->profile->title, p->variant->name, death, hit, hit == 1 ? " was" : "s were");
    if (!hit && !culprit && ++p->idle_deaths > 3) {
        runner_hard(r, "%s (variant %s) keeps dying while no case is under way: %s",
                    r->profile->title, p->variant->name, death);
        return;
    }
    if (!r->stopping)
        runner_start_place(p);
}

/* all suspects have run alone: their verdicts count if the culprit was found among them */
static void settle_suspects(struct place *p)
{
    struct runner *r = p->r;

    for (size_t i = 0; i < r->num_jobs; i++) {
        struct job *job = &r->jobs[i];
        struct dna_result *res;

        if (job->place != p || job->state != JOB_SUSPECT)
            continue;
        res = job->last;
        job->last = NULL;
        job->alone = false;
        if (!p->any_died_alone) {
            dna_result_free(res);
            res = runner_made_up(job, DNA_VERDICT_ERROR, "died-once",
                          "the implementation under test died while this case was under way, and "
                          "not again when it ran alone");
        }
        runner_finish_job(r, job, res);
    }
    p->suspects = 0;
    p->any_died_alone = false;
}

/* Each death costs all that was under way: culprits have their second trial behind all others. */
static bool accuse_culprits(struct place *p)
{
    const struct runner *r = p->r;

    for (size_t i = 0; i < r->num_jobs; i++)
        if (r->jobs[i].place == p && r->jobs[i].state == JOB_QUEUED)
            return false;
    for (size_t i = 0; i < r->num_jobs; i++)
        if (r->jobs[i].place == p && r->jobs[i].state == JOB_CULPRIT) {
            r->jobs[i].state = JOB_SUSPECT;
            p->suspects++;
        }
    return p->suspects;
}

void runner_run_suspects(struct place *p)
{
    struct runner *r = p->r;

    if (p->running || r->exclusive || (p->variant->own_clock && r->running))
        return;
    if (!p->suspects && !accuse_culprits(p))
        return;
    for (size_t i = 0; i < r->num_jobs; i++) {
        struct job *job = &r->jobs[i];

        if (job->place == p && job->state == JOB_SUSPECT && !job->alone) {
            job->alone = true;
            runner_start_job(r, job);
            return;
        }
    }
    settle_suspects(p);
}

/* ---- the honesty check ---- */

static void on_control_done(struct dna_case_run *run, struct dna_result *result, void *arg)
{
    struct place *p = arg;
    struct runner *r = p->r;
    const char *wrong = dna_honesty_verdict(r->honesty, p->control, result);

    p->control_run = NULL;
    runner_bury(r, run);
    if (wrong)
        runner_hard(r, "honesty check of %s (variant %s) failed: %s\n  control: %s\n%s%s",
             r->profile->title, p->variant->name, wrong, result->c->scn->claim,
             result->transcript ? result->transcript : "",
             result->log_tail ? result->log_tail : "");
    dna_result_free(result);
    p->control++;
    if (!wrong)
        runner_next_control(p);
}

void runner_next_control(struct place *p)
{
    struct runner *r = p->r;

    while (p->control < dna_honesty_count(r->honesty) &&
           !dna_honesty_applies(r->honesty, p->control, p->variant))
        p->control++;
    if (p->control == dna_honesty_count(r->honesty)) {
        p->honest = true;
        runner_tick(r);
        return;
    }
    p->control_run = dna_case_run_new(&r->context, dna_honesty_case(r->honesty, p->control),
                                      p->iut, ++r->numbers, on_control_done, p);
    dna_case_run_start(p->control_run);
}

void runner_renew_place(struct place *p)
{
    p->r->exclusive = NULL;
    p->ready = false;
    p->again = true;
    dna_iut_stop(p->iut);
}

static void on_stopped(struct dna_iut *iut, int status, bool killed, void *arg)
{
    struct place *p = arg;

    (void)iut;
    (void)status;
    (void)killed;
    if (p->again && !p->r->stopping) {
        p->again = false;
        runner_start_place(p);
        return;
    }
    p->gone = true;
    runner_leave_if_gone(p->r);
}

struct dna_iut *runner_iut_new(struct runner *r, const struct dna_variant *variant, const char *dir,
                               const struct dna_iut_calls *calls)
{
    struct dna_iut_options o = { .base = r->base, .dns = r->lab->dns, .ca = r->lab->ca,
                                 .dir = dir, .store_dir = r->lab->store_dir,
                                 .server = r->options->server,
                                 .extra_args = r->options->extra_args,
                                 .num_extra_args = r->options->num_extra_args, .calls = *calls };
    struct dna_diag diag = { 0 };
    struct dna_iut *iut = dna_iut_new(variant, &o, &diag);

    if (!iut)
        runner_hard(r, "%s (variant %s) can't be set up: %s", r->profile->title, variant->name,
                    diag.text);
    return iut;
}

struct place *runner_place_for(struct runner *r, const char *variant)
{
    struct place *p;
    struct dna_iut_calls calls = { on_ready, on_failed, on_death, on_stopped, NULL };

    for (size_t i = 0; i < r->num_places; i++)
        if (strcmp(r->places[i].variant->name, variant) == 0)
            return &r->places[i];
    p = &r->places[r->num_places++];
    p->r = r;
    p->variant = dna_profile_variant(r->profile, variant);
    p->honest = !r->options->honesty;
    calls.arg = p;
    p->iut = runner_iut_new(r, p->variant, r->lab->place.dir, &calls);
    return p;
}

