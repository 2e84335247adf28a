/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The scheduler of a run. A process that dies takes the cases that were under
 * way with it: it is started again and they run alone, one after another, to find out who killed
 * it.
 *
 *   variant: STARTING -> HONESTY -> READY -(death)-> STARTING -> ALONE -> READY
 */
#include "conformance/runner_internal.h"

#include "conformance/oracle_case.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLD_MS 100
#define PACE_MS 100
#define LATE_MS 30

void runner_tick(struct runner *r)
{
    event_active(r->tick, EV_TIMEOUT, 0);
}

void runner_message(struct runner *r, const char *format, ...)
{
    va_list args;
    char text[4200];

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (r->calls->on_message)
        r->calls->on_message(text, r->calls->arg);
}

void runner_hard(struct runner *r, const char *format, ...)
{
    va_list args;

    if (!r->out->hard) {
        va_start(args, format);
        vsnprintf(r->out->text, sizeof(r->out->text), format, args);
        va_end(args);
    }
    r->out->hard = true;
    r->stopping = true;
    runner_tick(r);
}

void runner_bury(struct runner *r, struct dna_case_run *run)
{
    if (r->num_dead == r->cap_dead) {
        r->cap_dead = r->cap_dead ? r->cap_dead * 2 : 64;
        r->dead = dna_xrealloc(r->dead, r->cap_dead * sizeof(*r->dead));
    }
    r->dead[r->num_dead++] = run;
    runner_tick(r);
}

void dna_result_free(struct dna_result *result)
{
    if (!result)
        return;
    dna_pool_free(result->pool);
    free(result);
}

/* ---- which cases are for this profile ---- */

const char *dna_skip_reason(const struct dna_case *c, const struct dna_profile *profile,
                            struct dna_pool *pool)
{
    const struct dna_variant *v = dna_profile_variant(profile, c->variant);

    if (!dna_words_have(&profile->roles, c->role))
        return dna_pool_printf(pool, "%s does not take the role %s", profile->title, c->role);
    if (!v)
        return dna_pool_printf(pool, "the profile has no variant %s", c->variant);
    if (v->cannot)
        return dna_pool_printf(pool, "%s can't be configured as %s: %s", profile->title,
                               c->variant, v->cannot);
    if (v->own_clock && !dna_iut_faketime())
        return dna_pool_printf(pool, "libfaketime is not installed");
    for (size_t i = 0; i < c->scn->needs.num; i++)
        if (!dna_variant_has(v, c->scn->needs.at[i]))
            return dna_pool_printf(pool, "feature %s is not declared", c->scn->needs.at[i]);
    for (const struct dna_scn_actor *a = c->scn->actors; a; a = a->next) {
        if (a->kind == DNA_ACTOR_IUT_CLIENT && !profile->client)
            return dna_pool_printf(pool, "the profile names no client");
        if (a->kind == DNA_ACTOR_CLIENT && !dna_pairs_get(&profile->accounts, a->user))
            return dna_pool_printf(pool, "the profile has no account %s", a->user);
    }
    return NULL;
}

static bool skipped_by_request(const struct runner *r, const struct dna_case *c)
{
    for (size_t i = 0; i < r->options->num_skips; i++)
        if (dna_selector_match(r->options->skips[i], c, true))
            return true;
    return false;
}

/* ---- results ---- */

struct dna_result *runner_made_up(struct job *job, enum dna_verdict verdict, const char *reason,
                                  const char *text)
{
    struct dna_result *res = dna_xcalloc(1, sizeof(*res));

    res->pool = dna_pool_new();
    res->c = job->c;
    res->verdict = verdict;
    res->reason = dna_pool_strdup(res->pool, reason);
    res->message = dna_pool_strdup(res->pool, text);
    res->file = dna_pool_strdup(res->pool, job->c->scn->file);
    return res;
}

void runner_finish_job(struct runner *r, struct job *job, struct dna_result *result)
{
    bool unexpected = false;

    job->state = JOB_DONE;
    job->last = result;
    if (!job->worst) {
        job->first = result->verdict;
    } else if (result->verdict != job->first) {
        job->others++;
    }
    r->done++;
    if (r->calls->on_result)
        unexpected = r->calls->on_result(result, r->done, (unsigned)r->num_jobs, r->calls->arg);
    if (!job->worst || result->verdict > job->worst->verdict) {
        dna_result_free(job->worst);
        job->worst = result;
    } else {
        dna_result_free(result);
    }
    job->last = NULL;
    if (unexpected && (r->options->fail_fast ||
                       (r->options->until_failure && job->worst->verdict > DNA_VERDICT_WARN))) {
        r->out->stopped_early = true;
        r->stopping = true;
    }
    runner_tick(r);
}

static void release_job(struct runner *r, struct job *job)
{
    struct dna_result *result = job->last;

    if (job->solo)
        runner_solo_leave(job);
    else
        job->place->running--;
    r->running--;
    if (r->exclusive)
        runner_renew_place(r->exclusive);
    if (job->alone) {
        /* kept back: whether it counts depends on whether another of the suspects kills it */
        result->alone = true;
        job->state = JOB_SUSPECT;
        runner_tick(r);
        return;
    }
    job->last = NULL;
    runner_finish_job(r, job, result);
}

static void on_hold(evutil_socket_t fd, short what, void *arg)
{
    struct runner *r = arg;
    bool more = false;

    (void)fd;
    (void)what;
    for (size_t i = 0; i < r->num_jobs; i++) {
        if (r->jobs[i].state != JOB_HELD)
            continue;
        if (dna_seconds_since(&r->jobs[i].held) * 1000 >= HOLD_MS)
            release_job(r, &r->jobs[i]);
        else
            more = true;
    }
    if (more)
        event_add(r->hold, &(struct timeval){ 0, HOLD_MS * 500 });
}

static void on_case_done(struct dna_case_run *run, struct dna_result *result, void *arg)
{
    struct job *job = run->owner;
    struct runner *r = arg;

    job->run = NULL;
    job->last = result;
    runner_bury(r, run);
    /* a server that carries mutants may die at any time: what ended well may have met that */
    if (job->solo ? result->verdict < DNA_VERDICT_INCONC || runner_solo_is_gone(job)
                  : result->verdict < DNA_VERDICT_INCONC && !job->c->mutant) {
        release_job(r, job);
        return;
    }
    job->state = JOB_HELD;
    evutil_gettimeofday(&job->held, NULL);
    if (!event_pending(r->hold, EV_TIMEOUT, NULL))
        event_add(r->hold, &(struct timeval){ 0, HOLD_MS * 1000 });
}

void runner_start_job(struct runner *r, struct job *job)
{
    job->state = JOB_RUNNING;
    r->running++;
    if (job->c->scn->stops) {
        runner_solo_take(r, job);
        return;
    }
    job->place->running++;
    if (job->place->variant->own_clock)
        r->exclusive = job->place;
    runner_play_job(r, job, job->place->iut);
}

void runner_play_job(struct runner *r, struct job *job, struct dna_iut *iut)
{
    job->run = dna_case_run_new(&r->context, job->c, iut, ++r->numbers, on_case_done, r);
    job->run->owner = job;
    if (r->context.oracle)
        dna_oracle_case_begin(job->run);
    dna_case_run_start(job->run);
}

/* ---- scheduling ---- */

static bool all_honest(const struct runner *r)
{
    for (size_t i = 0; i < r->num_places; i++)
        if (!r->places[i].honest)
            return false;
    return true;
}

static void free_dead(struct runner *r)
{
    unsigned num = r->num_dead;

    for (unsigned i = 0; i < num; i++)
        dna_case_run_free(r->dead[i]);
    if (r->num_dead > num)
        memmove(r->dead, r->dead + num, (r->num_dead - num) * sizeof(*r->dead));
    r->num_dead -= num;
}

static bool can_start(const struct job *job, bool own_clock)
{
    return job->state == JOB_QUEUED && job->place && job->place->ready && !job->place->suspects &&
           job->place->variant->own_clock == own_clock &&
           (!job->c->scn->stops || runner_solo_free(job->place->r));
}

/* How many more may begin now. */
static unsigned room(const struct runner *r)
{
    unsigned young = 0, free = r->options->jobs > r->running ? r->options->jobs - r->running : 0;

    if (!r->options->young || !free)
        return free;
    for (size_t i = 0; i < r->num_jobs; i++)
        young += r->jobs[i].run ? dna_seconds_since(&r->jobs[i].run->started) < 0.5
                                : r->jobs[i].state == JOB_RUNNING; /* its server is starting */
    if (young >= r->young)
        return 0;
    return free < r->young - young ? free : r->young - young;
}

static void start_queued(struct runner *r)
{
    unsigned free = r->exclusive ? 0 : room(r);

    for (size_t i = 0; i < r->num_jobs && free && !r->exclusive; i++) {
        struct job *job = &r->jobs[r->order[i]];

        if (can_start(job, false)) {
            runner_start_job(r, job);
            free--;
        }
    }
    for (size_t i = 0; i < r->num_jobs && !r->running && !r->exclusive; i++) {
        struct job *job = &r->jobs[r->order[i]];

        if (can_start(job, true))
            runner_start_job(r, job);
    }
}

static unsigned long next_random(unsigned long *state)
{
    *state = *state * 6364136223846793005ul + 1442695040888963407ul;
    return *state >> 33;
}

static void begin_round(struct runner *r)
{
    unsigned long state = r->options->seed + r->round;

    r->round++;
    for (size_t i = 0; i < r->num_jobs; i++)
        r->order[i] = i;
    for (size_t i = r->num_jobs; r->options->shuffle && i > 1; i--) {
        size_t k = next_random(&state) % i, swap = r->order[i - 1];

        r->order[i - 1] = r->order[k];
        r->order[k] = swap;
    }
    r->done = 0;
    for (size_t i = 0; i < r->num_jobs; i++)
        if (!r->jobs[i].skip)
            r->jobs[i].state = JOB_QUEUED;
        else
            r->done++;
}

static bool round_over(const struct runner *r)
{
    for (size_t i = 0; i < r->num_jobs; i++)
        if (r->jobs[i].state != JOB_DONE)
            return false;
    return true;
}

static void stop_all(struct runner *r)
{
    if (r->stopped)
        return;
    r->stopped = true;
    for (size_t i = 0; i < r->num_jobs; i++) {
        struct job *job = &r->jobs[i];

        if (job->run) {
            dna_case_run_free(job->run);
            job->run = NULL;
        }
    }
    for (size_t i = 0; i < r->num_places; i++) {
        if (r->places[i].control_run)
            dna_case_run_free(r->places[i].control_run);
        r->places[i].control_run = NULL;
        if (r->places[i].iut && !r->places[i].gone)
            dna_iut_stop(r->places[i].iut);
    }
    runner_solos_stop(r);
}

void runner_leave_if_gone(struct runner *r)
{
    for (size_t i = 0; i < r->num_places; i++)
        if (r->places[i].iut && !r->places[i].gone)
            return;
    if (runner_solos_gone(r))
        event_base_loopbreak(r->base);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct runner *r = arg;

    (void)fd;
    (void)what;
    free_dead(r);
    if (r->stopping) {
        stop_all(r);
        runner_leave_if_gone(r);
        return;
    }
    for (size_t i = 0; i < r->num_places; i++) {
        struct place *p = &r->places[i];

        if (p->ready && !p->honest && !p->control_run)
            runner_next_control(p);
        if (p->ready && p->honest)
            runner_run_suspects(p);
    }
    if (!all_honest(r))
        return;
    start_queued(r);
    if (!round_over(r))
        return;
    if (r->round < r->options->repeat || r->options->until_failure) {
        begin_round(r);
        start_queued(r);
        if (!round_over(r))
            return;
    }
    r->stopping = true;
    runner_tick(r);
}

/* How busy the machine's processors were since the last look, from 0 to 1; 0 if it does not say. */
static double busyness(struct runner *r)
{
    unsigned long user, nice, sys, idle, wait, irq, soft, steal, busy;
    double share = 0;
    FILE *in = fopen("/proc/stat", "r");

    if (!in)
        return 0;
    if (fscanf(in, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &sys, &idle, &wait, &irq,
               &soft, &steal) == 8) {
        busy = user + nice + sys + irq + soft + steal;
        idle += wait;
        if (busy + idle > r->busy + r->idle)
            share = (double)(busy - r->busy) / (double)(busy + idle - r->busy - r->idle);
        r->busy = busy;
        r->idle = idle;
    }
    fclose(in);
    return share;
}

/* More may begin while the machine has something left: what has to wait for a processor is late,
 * here or in the server, and a case that is late enough fails of that. */
static void on_pace(evutil_socket_t fd, short what, void *arg)
{
    struct runner *r = arg;
    const bool late = dna_seconds_since(&r->paced) > (PACE_MS + LATE_MS) / 1000.0;
    const double busy = busyness(r);

    (void)fd;
    (void)what;
    evutil_gettimeofday(&r->paced, NULL);
    if (late || busy > 0.95)
        r->young = r->young > 8 ? r->young - r->young / 4 : 6;
    else if (busy < 0.85 && r->young < r->options->jobs)
        r->young += 1 + r->young / 16;
    runner_tick(r);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct runner *r = arg;

    (void)fd;
    (void)what;
    r->out->out_of_time = true;
    r->stopping = true;
    runner_tick(r);
}

static void on_signal(evutil_socket_t signal_number, short what, void *arg)
{
    struct runner *r = arg;

    (void)what;
    r->out->interrupted = (int)signal_number;
    r->stopping = true;
    runner_tick(r);
}

/* ---- set-up ---- */

static void make_jobs(struct runner *r)
{
    r->jobs = dna_xcalloc(r->suite->num_cases, sizeof(*r->jobs));
    r->order = dna_xcalloc(r->suite->num_cases, sizeof(*r->order));
    for (size_t i = 0; i < r->suite->num_cases; i++) {
        const struct dna_case *c = &r->suite->cases[i];
        struct job *job;
        const char *why;

        if (!c->selected || c->scn->level > r->options->level ||
            (r->options->role && strcmp(r->options->role, c->role) != 0))
            continue;
        if (skipped_by_request(r, c)) {
            r->out->skipped_by_request++;
            continue;
        }
        job = &r->jobs[r->num_jobs++];
        job->c = c;
        why = dna_skip_reason(c, r->profile, r->pool);
        if (why) {
            job->skip = true;
            runner_finish_job(r, job, runner_made_up(job, DNA_VERDICT_SKIP, "skip", why));
            continue;
        }
        job->place = runner_place_for(r, c->variant);
    }
}

static void collect(struct runner *r)
{
    struct dna_run_outcome *out = r->out;

    out->results = dna_xcalloc(r->num_jobs, sizeof(struct dna_result *));
    out->unstable = dna_xcalloc(r->num_jobs, sizeof(unsigned));
    out->num_results = (unsigned)r->num_jobs;
    out->repeats = r->round;
    for (size_t i = 0; i < r->num_jobs; i++) {
        struct job *job = &r->jobs[i];

        dna_result_free(job->last);
        out->results[i] = job->worst ? job->worst
                                     : runner_made_up(job, DNA_VERDICT_NONE, "not-run", "not run");
        out->unstable[i] = job->others;
    }
}

static void watch(struct runner *r)
{
    r->tick = event_new(r->base, -1, 0, on_tick, r);
    r->hold = event_new(r->base, -1, EV_TIMEOUT, on_hold, r);
    r->deadline = event_new(r->base, -1, EV_TIMEOUT, on_deadline, r);
    r->sigint = evsignal_new(r->base, SIGINT, on_signal, r);
    r->sigterm = evsignal_new(r->base, SIGTERM, on_signal, r);
    event_add(r->sigint, NULL);
    event_add(r->sigterm, NULL);
    if (r->options->young) {
        r->pace = event_new(r->base, -1, EV_PERSIST, on_pace, r);
        evutil_gettimeofday(&r->paced, NULL);
        event_add(r->pace, &(struct timeval){ 0, PACE_MS * 1000 });
    }
    if (r->options->deadline_s)
        event_add(r->deadline, &(struct timeval){ (time_t)r->options->deadline_s, 0 });
}

static void unwatch(struct runner *r)
{
    if (r->pace)
        event_free(r->pace);
    event_free(r->tick);
    event_free(r->hold);
    event_free(r->deadline);
    event_free(r->sigint);
    event_free(r->sigterm);
}

void dna_run_suite(struct dna_suite *suite, struct dna_profile *profile, struct dna_lab *lab,
                   struct event_base *base, const struct dna_run_options *options,
                   const struct dna_run_calls *calls, struct dna_run_outcome *out)
{
    struct runner r = { .suite = suite, .profile = profile, .lab = lab, .base = base,
                        .options = options, .calls = calls, .out = out, .pool = dna_pool_new(),
                        .numbers = options->first_number, .young = options->young };
    struct timeval started;

    *out = (struct dna_run_outcome){ 0 };
    evutil_gettimeofday(&started, NULL);
    r.context = (struct dna_case_context){ .base = base, .lab = lab, .profile = profile,
                                           .timeout_ms = options->timeout_ms,
                                           .oracle = options->oracle ? &out->oracle : NULL };
    watch(&r);
    r.honesty = dna_honesty_new(suite->prelude);
    if (!r.honesty)
        runner_hard(&r, "the controls of the honesty check can't be read");
    make_jobs(&r);
    begin_round(&r);
    for (size_t i = 0; i < r.num_places && !r.stopping; i++)
        runner_start_place(&r.places[i]);
    runner_tick(&r);
    event_base_dispatch(base);
    free_dead(&r);
    collect(&r);
    for (size_t i = 0; i < r.num_places; i++)
        dna_iut_free(r.places[i].iut);
    runner_solos_cleanup(&r);
    unwatch(&r);
    dna_honesty_free(r.honesty);
    free(r.dead);
    free(r.jobs);
    free(r.order);
    dna_pool_free(r.pool);
    out->seconds = dna_seconds_since(&started);
}

void dna_run_outcome_free(struct dna_run_outcome *out)
{
    for (unsigned i = 0; i < out->num_results; i++)
        dna_result_free(out->results[i]);
    free(out->results);
    free(out->unstable);
}
