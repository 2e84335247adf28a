/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The interpreter: one program counter a case, moved by events. It gathers the
 * steps that it waits for (one, or the first of each branch), looks at what has come, and goes
 * on, waits, or ends the case. It never blocks and never sleeps.
 */
#include "conformance/case_run.h"

#include <stdlib.h>
#include <string.h>

#define QUIET_MS 1000
#define MAX_STEPS_A_PUMP 2000

static void add_ms(struct timeval *at, unsigned ms)
{
    struct timeval now, more = { ms / 1000, (int)(ms % 1000) * 1000 };

    evutil_gettimeofday(&now, NULL);
    evutil_timeradd(&now, &more, at);
}

static void push(struct dna_case_run *run, const struct dna_step *step)
{
    if (run->depth == DNA_RUN_DEPTH)
        dna_run_end(run, DNA_END_SUITE, step, "suite", "fewer nested blocks", "too many");
    else
        run->stack[run->depth++] = step;
}

/* ---- what is waited for ---- */

static void add_candidate(struct dna_case_run *run, const struct dna_step *step,
                          const struct dna_candidate *parent, const char *allowed)
{
    struct dna_candidate *cand;

    if (run->num_candidates == DNA_MAX_CANDIDATES) {
        dna_run_end(run, DNA_END_SUITE, step, "suite", "fewer branches", "too many");
        return;
    }
    cand = &run->candidates[run->num_candidates++];
    *cand = parent ? *parent : (struct dna_candidate){ 0 };
    cand->step = step;
    if (allowed)
        cand->allowed = allowed;
}

/* an 'either' whose branch starts with an 'either' is one with more branches */
static void gather(struct dna_case_run *run, const struct dna_step *step,
                   const struct dna_candidate *parent, const char *allowed)
{
    struct dna_candidate here = parent ? *parent : (struct dna_candidate){ 0 };

    if (step->kind != DNA_STEP_EITHER) {
        add_candidate(run, step, parent, allowed);
        return;
    }
    if (here.num_eithers == sizeof(here.eithers) / sizeof(*here.eithers)) {
        dna_run_end(run, DNA_END_SUITE, step, "suite", "fewer nested eithers", "too many");
        return;
    }
    if (allowed)
        here.allowed = allowed;
    here.eithers[here.num_eithers++] = step;
    for (const struct dna_branch *b = step->branches; b && !run->ended; b = b->next)
        gather(run, b->steps, &here, b->allowed);
}

static unsigned limit_of(const struct dna_case_run *run, const struct dna_candidate *cand)
{
    unsigned ms = cand->step->within_ms;

    for (unsigned i = 0; i < cand->num_eithers && !ms; i++)
        ms = cand->eithers[i]->within_ms;
    if (!ms && cand->step->kind == DNA_STEP_IUT_GONE) /* till it is killed, and no sooner */
        return run->context->profile->stop_ms + run->context->timeout_ms;
    return ms ? ms : run->context->timeout_ms;
}

static void start_waiting(struct dna_case_run *run, const struct dna_step *step)
{
    unsigned longest = 0;

    run->num_candidates = 0;
    gather(run, step, NULL, NULL);
    if (run->ended)
        return;
    run->waiting = true;
    for (unsigned i = 0; i < run->num_candidates && !run->ended; i++) {
        struct dna_candidate *cand = &run->candidates[i];
        unsigned ms = limit_of(run, cand);

        dna_step_begin(run, cand);
        if (cand->quiet)
            add_ms(&cand->quiet_at, cand->step->within_ms ? cand->step->within_ms : QUIET_MS);
        else if (ms > longest)
            longest = ms;
    }
    add_ms(&run->deadline, longest);
}

static void arm_timer(struct dna_case_run *run)
{
    struct timeval now, next = run->deadline, wait;
    bool any_quiet = false;

    evutil_gettimeofday(&now, NULL);
    for (unsigned i = 0; i < run->num_candidates; i++) {
        struct dna_candidate *cand = &run->candidates[i];

        /* silence is always reached in the end: then the deadline of the others is no matter */
        if (cand->quiet && (!any_quiet || evutil_timercmp(&cand->quiet_at, &next, <)))
            next = cand->quiet_at;
        any_quiet = any_quiet || cand->quiet;
    }
    if (evutil_timercmp(&next, &now, <))
        next = now;
    evutil_timersub(&next, &now, &wait);
    event_add(run->timer, &wait);
}

/* ---- endings ---- */

static const char *all_expected(struct dna_case_run *run)
{
    struct dna_buf text = { 0 };
    const char *done;

    for (unsigned i = 0; i < run->num_candidates; i++)
        dna_buf_printf(&text, "%s%s", i ? " | " : "",
                       dna_step_expected(run, run->candidates[i].step));
    done = dna_pool_strndup(run->pool, text.at, text.len);
    dna_buf_free(&text);
    return done;
}

/* a short stable word for what came: known-failure files compare it */
static const char *reason_of(struct dna_case_run *run, const struct dna_conn_event *event)
{
    static const char *const kinds[] = {
        [DNA_WIRE_UP] = "up", [DNA_WIRE_TLS_UP] = "tls", [DNA_WIRE_TLS_FAILED] = "tls-failed",
        [DNA_WIRE_HEADER] = "header", [DNA_WIRE_CLOSE] = "close", [DNA_WIRE_BAD_XML] = "bad-xml",
        [DNA_WIRE_EOF] = "eof",
    };
    const struct dna_xnode *n = event->node, *error;
    const char *type, *condition = NULL;

    if (event->kind != DNA_WIRE_ELEMENT)
        return dna_pool_printf(run->pool, "got:%s", kinds[event->kind]);
    error = dna_xnode_is(n, DNA_NS_STREAM, "error") || dna_xnode_is(n, DNA_NS_SASL, "failure")
                ? n : NULL;
    for (const struct dna_xnode *c = n->children; c && !error; c = c->next)
        if (c->local && strcmp(c->local, "error") == 0)
            error = c;
    for (const struct dna_xnode *c = error ? error->children : NULL; c && !condition; c = c->next)
        condition = c->local && strcmp(c->local, "text") != 0 ? c->local : NULL;
    type = dna_xnode_attr_value(n, "type");
    return dna_pool_printf(run->pool, "got:%s%s%s%s%s", n->local, type ? "." : "",
                           type ? type : "", condition ? "/" : "", condition ? condition : "");
}

static const struct dna_step *place(const struct dna_case_run *run)
{
    const struct dna_candidate *cand = &run->candidates[0];

    return cand->num_eithers ? cand->eithers[0] : cand->step;
}

static void end_wrong(struct dna_case_run *run, const struct dna_candidate *cand,
                      const struct dna_conn *conn)
{
    const struct dna_conn_event *event = conn ? conn->head : NULL;
    const char *got = cand->got;

    if (event)
        got = dna_pool_printf(run->pool, "%s > %s%s%s%s", dna_conn_label(conn),
                              dna_event_text(run->pool, event), cand->why ? " (" : "",
                              cand->why ? cand->why : "", cand->why ? ")" : "");
    dna_run_end(run, DNA_END_WRONG, place(run), event ? reason_of(run, event) : "wrong",
                all_expected(run), got);
}

static void end_timeout(struct dna_case_run *run)
{
    dna_run_end(run, DNA_END_TIMEOUT, place(run), "timeout", all_expected(run), NULL);
}

/* ---- going on ---- */

static void choose(struct dna_case_run *run, struct dna_candidate *cand)
{
    const struct dna_step *next = cand->step->next;

    run->waiting = false;
    event_del(run->timer);
    if (cand->allowed) {
        run->allowed = true;
        run->allowed_why = cand->allowed;
        dna_run_note(run, "allowed, not exact: %s", cand->allowed);
    }
    dna_step_consume(run, cand);
    if (run->ended)
        return;
    for (unsigned i = 0; i < cand->num_eithers; i++)
        push(run, cand->eithers[i]->next);
    run->at = next;
}

static bool quiet_passed(const struct dna_candidate *cand)
{
    struct timeval now;

    evutil_gettimeofday(&now, NULL);
    return cand->quiet && !evutil_timercmp(&now, &cand->quiet_at, <);
}

/* A stanza with the very id that is waited for on its connection is that one in a wrong shape. */
static bool has_awaited_id(struct dna_case_run *run, const struct dna_conn *conn)
{
    const char *id = dna_xnode_attr_value(conn->head->node, "id");

    for (unsigned i = 0; id && i < run->num_candidates; i++) {
        const struct dna_step *s = run->candidates[i].step;
        const char *want = s->kind == DNA_STEP_EXPECT ? dna_xnode_attr_value(s->xml, "id") : NULL;

        if (want && dna_actor_conn(dna_run_actor(run, s->actor), s->conn) == conn &&
            strcmp(dna_run_expand(run, want), id) == 0)
            return true;
    }
    return false;
}

/*
 * One look at all candidates. Returns true when something changed and it is worth looking again:
 * a match was taken or something passable was dropped.
 */
static bool look(struct dna_case_run *run)
{
    struct dna_candidate *wrong = NULL, *skips = NULL;
    struct dna_conn *wrong_conn = NULL, *skip_conn = NULL;

    for (unsigned i = 0; i < run->num_candidates; i++) {
        struct dna_candidate *cand = &run->candidates[i];
        struct dna_conn *conn = NULL;

        switch (dna_step_poll(run, cand, &conn)) {
        case DNA_POLL_MATCH:
            choose(run, cand);
            return true;
        case DNA_POLL_NO:
            if (!wrong || (conn && !wrong_conn))
                wrong = cand, wrong_conn = conn;
            break;
        case DNA_POLL_SKIP:
            skips = cand, skip_conn = conn;
            break;
        case DNA_POLL_ERROR:
            dna_run_end(run, DNA_END_SUITE, cand->step, "suite", cand->step->text, cand->why);
            return false;
        case DNA_POLL_WAIT:
            break;
        }
    }
    if (skips) { /* before a mismatch: some branch knows what to do with it */
        if (skip_conn->head->kind == DNA_WIRE_CLOSE) {
            dna_conn_close(skip_conn);
            dna_conn_fin(skip_conn);
        }
        dna_conn_pop(skip_conn);
        return true;
    }
    if (wrong_conn && wrong_conn->head &&
        dna_conn_event_is_passable(wrong_conn, wrong_conn->head) &&
        (wrong->step->kind != DNA_STEP_NOTHING || wrong_conn->head->barrier) &&
        !has_awaited_id(run, wrong_conn)) {
        dna_run_note(run, "  (passed over)");
        dna_conn_pop(wrong_conn);
        return true;
    }
    if (wrong) {
        end_wrong(run, wrong, wrong_conn);
        return false;
    }
    for (unsigned i = 0; i < run->num_candidates; i++) {
        if (quiet_passed(&run->candidates[i])) {
            choose(run, &run->candidates[i]);
            return true;
        }
    }
    return false;
}

static bool holds(struct dna_case_run *run, const struct dna_step *step)
{
    return (strcmp(dna_run_expand(run, step->name), dna_run_expand(run, step->value)) == 0) !=
           step->negated;
}

static void do_check(struct dna_case_run *run, const struct dna_step *step)
{
    if (holds(run, step))
        return;
    dna_run_end(run, DNA_END_CHECK, step, "check",
                dna_pool_printf(run->pool, "%s %s %s", step->name, step->negated ? "!=" : "=",
                                step->value),
                dna_pool_printf(run->pool, "'%s' and '%s'", dna_run_expand(run, step->name),
                                dna_run_expand(run, step->value)));
}

static void advance(struct dna_case_run *run)
{
    const struct dna_step *step = run->at;

    if (!step) {
        if (run->depth)
            run->at = run->stack[--run->depth];
        else
            dna_run_end(run, DNA_END_COMPLETE, NULL, "", NULL, NULL);
        return;
    }
    switch (step->kind) {
    case DNA_STEP_DONE:
        dna_run_end(run, DNA_END_COMPLETE, NULL, "", NULL, NULL);
        return;
    case DNA_STEP_IF:
        push(run, step->next);
        run->at = (holds(run, step) ? step->branches : step->branches->next)->steps;
        return;
    case DNA_STEP_CHECK:
        do_check(run, step);
        run->at = step->next;
        return;
    default:
        break;
    }
    if (dna_step_is_immediate(step)) {
        if (dna_step_do(run, step))
            run->at = step->next;
        return;
    }
    start_waiting(run, step);
}

static bool deadline_passed(const struct dna_case_run *run)
{
    struct timeval now;

    evutil_gettimeofday(&now, NULL);
    return !evutil_timercmp(&now, &run->deadline, <);
}

void dna_interp_pump(evutil_socket_t fd, short what, void *arg)
{
    struct dna_case_run *run = arg;
    unsigned steps = 0;

    (void)fd;
    (void)what;
    if (run->ended || run->logins_left)
        return;
    if (run->driver) {
        run->driver(run);
        return;
    }
    while (!run->ended && steps++ < MAX_STEPS_A_PUMP) {
        if (!run->waiting) {
            advance(run);
            continue;
        }
        if (look(run))
            continue;
        if (run->ended)
            return;
        if (deadline_passed(run)) {
            bool any_quiet = false;

            for (unsigned i = 0; i < run->num_candidates; i++)
                any_quiet = any_quiet || run->candidates[i].quiet;
            if (!any_quiet) {
                end_timeout(run);
                return;
            }
        }
        arm_timer(run);
        return;
    }
}
