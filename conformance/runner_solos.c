/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Instances for cases that stop their server: each such case has one for itself,
 * with domains and an address of its own, so that many of them run side by side. An instance serves
 * one case after another of its variant and is started anew for each.
 *
 *   free -take-> starting -ready-> its case runs -(told to stop, or left)-> going -> free
 */
#include "conformance/runner_internal.h"

#include <stdio.h>
#include <string.h>

/* The variant's own names and address are those of the process that all other cases share. */
static void name_solo(struct runner *r, struct solo *s, const struct dna_variant *variant)
{
    size_t number = (size_t)(s - r->solos) + 1;

    s->variant = *variant;
    dna_variant_live_at(&s->variant, r->pool,
                        dna_pool_printf(r->pool, "s%zu.%s", number, variant->name));
    snprintf(s->variant.address, sizeof s->variant.address, "127.0.2.%zu", number);
    s->dir = dna_pool_printf(r->pool, "%s/s%zu", r->lab->place.dir, number);
}

static void now_free(struct solo *s)
{
    s->busy = false;
    if (s->r->stopped)
        runner_leave_if_gone(s->r);
    else
        runner_tick(s->r);
}

static void on_ready(struct dna_iut *iut, void *arg)
{
    struct solo *s = arg;

    if (s->job)
        runner_play_job(s->r, s->job, iut);
    else
        dna_iut_stop(iut);
}

static void on_failed(struct dna_iut *iut, const struct dna_diag *diag, void *arg)
{
    struct solo *s = arg;

    (void)iut;
    runner_hard(s->r, "%s (variant %s, for one case) never came up: %s", s->r->profile->title,
                s->variant.name, diag->text);
    now_free(s);
}

/* Nobody else can have been the death of it. */
static void on_death(struct dna_iut *iut, int status, void *arg)
{
    struct solo *s = arg;
    struct job *job = s->job;
    char death[128];

    dna_iut_death(status, death, sizeof(death));
    if (job) {
        struct dna_case_run *run = job->run;
        struct dna_result *held = job->last;

        s->job = NULL;
        s->r->running--;
        job->solo = NULL;
        job->run = NULL;
        job->last = NULL;
        if (run)
            run->ended = true;
        runner_crashed(job, iut, "it died during this case", death,
                       run ? run->transcript.at : held->transcript);
        dna_result_free(held);
        if (run)
            runner_bury(s->r, run);
    }
    now_free(s);
}

static void on_stopped(struct dna_iut *iut, int status, bool killed, void *arg)
{
    struct solo *s = arg;

    (void)iut;
    if (s->job && s->job->run)
        dna_run_gone(s->job->run, status, killed);
    if (!s->job)
        now_free(s);
}

bool runner_solo_free(const struct runner *r)
{
    for (size_t i = 0; i < RUNNER_SOLOS; i++)
        if (!r->solos[i].busy)
            return true;
    return false;
}

/* One that has served the variant before is furnished already; else a new one, else any. */
static struct solo *choose(struct runner *r, const struct dna_variant *variant)
{
    struct solo *best = NULL;

    for (size_t i = 0; i < RUNNER_SOLOS; i++) {
        struct solo *s = &r->solos[i];

        if (s->busy)
            continue;
        if (s->iut && strcmp(s->variant.name, variant->name) == 0)
            return s;
        if (!best || (best->iut && !s->iut))
            best = s;
    }
    return best;
}

void runner_solo_take(struct runner *r, struct job *job)
{
    const struct dna_variant *variant = job->place->variant;
    struct solo *s = choose(r, variant);
    struct dna_iut_calls calls = { on_ready, on_failed, on_death, on_stopped, s };
    struct dna_diag diag = { 0 };

    if (s->iut && strcmp(s->variant.name, variant->name) != 0) {
        dna_iut_free(s->iut);
        s->iut = NULL;
    }
    s->r = r;
    s->busy = true;
    s->job = job;
    job->solo = s;
    if (!s->iut) {
        name_solo(r, s, variant);
        s->iut = runner_iut_new(r, &s->variant, s->dir, &calls);
    }
    if (s->iut && dna_iut_start(s->iut, &diag) == 0)
        return;
    s->busy = false;
    if (s->iut)
        runner_hard(r, "%s (variant %s, for one case) can't be started: %s", r->profile->title,
                    variant->name, diag.text);
}

/* It is asked to go, and not waited for twice: what has been asked by the case is now made to. */
static void send_away(struct solo *s)
{
    switch (dna_iut_state(s->iut)) {
    case DNA_IUT_DOWN:
        now_free(s);
        break;
    case DNA_IUT_STOPPING:
        dna_iut_kill(s->iut);
        break;
    default:
        dna_iut_stop(s->iut);
    }
}

void runner_solo_leave(struct job *job)
{
    struct solo *s = job->solo;

    job->solo = NULL;
    s->job = NULL;
    send_away(s);
}

bool runner_solo_is_gone(const struct job *job)
{
    return dna_iut_state(job->solo->iut) == DNA_IUT_DOWN;
}

void runner_solos_stop(struct runner *r)
{
    for (size_t i = 0; i < RUNNER_SOLOS; i++) {
        struct solo *s = &r->solos[i];

        if (!s->busy || !s->iut)
            continue;
        if (s->job)
            s->job->solo = NULL;
        s->job = NULL;
        send_away(s);
    }
}

bool runner_solos_gone(const struct runner *r)
{
    for (size_t i = 0; i < RUNNER_SOLOS; i++)
        if (r->solos[i].busy && r->solos[i].iut)
            return false;
    return true;
}

void runner_solos_cleanup(struct runner *r)
{
    for (size_t i = 0; i < RUNNER_SOLOS; i++)
        dna_iut_free(r->solos[i].iut);
}
