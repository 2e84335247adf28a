/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The course of learning: the server starts, the user logs in, the derived suite
 * fills the tree, then words are asked for until a machine can be guessed, and a suite of that
 * machine confirms it or shows more. Here the loop is run until a batch of sessions is over.
 */
#include "conformance/learn_run.h"

#include "model/hsi.h"
#include "model/roles.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RERUNS = 3, BATCH = 64, MAX_SUSPECTS = 32 };

/* ---- the tables' side ---- */

/* Not what takes a key of the server's, steps beside what is sent, or a server of its own. */
static bool sends(const struct dna_symbol *symbol)
{
    static const char *const others[] = { "verify right", "oversize", "key crowd", "header bare",
                                          "starttls unready" };

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (strcmp(symbol->name, others[i]) == 0)
            return false;
    return dna_derive_playable(symbol);
}

int dna_learn_prepare(struct dna_learning *g)
{
    const struct dna_variant *v = dna_profile_variant(g->profile, g->variant);
    char err[256];

    dna_habits_default(&g->habits);
    for (size_t i = 0; i < v->knobs.num; i++)
        (void)dna_knob_set(&g->habits.knobs, v->knobs.at[i].key,
                           (uint32_t)atoi(v->knobs.at[i].value));
    if (!g->choices) {
        char *path = dna_pool_printf(g->pool, "%s/derive.choices", g->profile->dir);

        g->choices = access(path, R_OK) == 0 ? path : NULL;
    }
    if ((g->choices && dna_habits_read(&g->habits, g->choices, err, sizeof(err)) != 0) ||
        dna_seer_begin(&g->seer, &dna_role_receiving, g->alphabet, &g->habits.knobs,
                       &g->habits.choices, err, sizeof(err)) != 0) {
        fprintf(stderr, "xdna learn: %s\n", err);
        return 2;
    }
    for (size_t i = 0; i < g->seer.num_inputs; i++) {
        if (!sends(g->seer.inputs[i])) {
            fprintf(stderr, "xdna learn: '%s' cannot be played over sockets\n",
                    g->seer.inputs[i]->name);
            return 2;
        }
    }
    if (dna_view_make(&g->view, &g->seer, &g->words) != 0 ||
        dna_mealy_minimise(&g->view.mealy, &g->ours, NULL) != 0) {
        fputs("xdna learn: the tables have too many situations at this alphabet\n", stderr);
        return 99;
    }
    if (g->dir && mkdir(g->dir, 0777) != 0) {
        fprintf(stderr, "xdna learn: cannot make the new folder %s\n", g->dir);
        return 2;
    }
    return 0;
}

void dna_learn_cleanup(struct dna_learning *g)
{
    dna_view_free(&g->view);
    dna_guess_free(&g->ours);
    dna_wordbook_free(&g->words);
}

/* ---- the server ---- */

static void over(struct dna_learning *g, const char *why)
{
    if (!g->trouble)
        g->trouble = dna_pool_strdup(g->pool, why);
    event_base_loopbreak(g->base);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct dna_learning *g = arg;

    (void)what;
    g->interrupted = (int)number;
    g->stopped = number == SIGINT ? "interrupted" : "terminated";
    over(g, g->stopped);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct dna_learning *g = arg;

    (void)fd;
    (void)what;
    g->stopped = dna_pool_printf(g->pool, "the deadline of %u s has passed", g->deadline_s);
    over(g, g->stopped);
}

void dna_learn_watch(struct dna_learning *g, struct dna_learn_watch *watch)
{
    watch->sigint = evsignal_new(g->base, SIGINT, on_signal, g);
    watch->sigterm = evsignal_new(g->base, SIGTERM, on_signal, g);
    watch->deadline = evtimer_new(g->base, on_deadline, g);
    event_add(watch->sigint, NULL);
    event_add(watch->sigterm, NULL);
    if (g->deadline_s)
        event_add(watch->deadline, &(struct timeval){ (time_t)g->deadline_s, 0 });
}

void dna_learn_unwatch(struct dna_learn_watch *watch)
{
    event_free(watch->sigint);
    event_free(watch->sigterm);
    event_free(watch->deadline);
}

int dna_learn_status(const struct dna_learning *g, int status)
{
    return g->interrupted ? 128 + g->interrupted : g->stopped ? 1 : status;
}

static void on_ready(struct dna_iut *iut, void *arg)
{
    struct dna_learning *g = arg;

    (void)iut;
    g->up = true;
    event_base_loopbreak(g->base);
}

static void on_failed(struct dna_iut *iut, const struct dna_diag *diag, void *arg)
{
    (void)iut;
    over(arg, dna_pool_printf(((struct dna_learning *)arg)->pool, "the server never came up: %s",
                              diag->text));
}

static void on_death(struct dna_iut *iut, int status, void *arg)
{
    struct dna_learning *g = arg;
    char death[128];

    (void)iut;
    dna_iut_death(status, death, sizeof(death));
    over(g, dna_pool_printf(g->pool, "the server died: %s", death));
}

static void on_stopped(struct dna_iut *iut, int status, bool killed, void *arg)
{
    struct dna_learning *g = arg;

    (void)iut;
    (void)status;
    (void)killed;
    g->gone = true;
    event_base_loopbreak(g->base);
}

static bool start(struct dna_learning *g, const char *mutant, const char *dir)
{
    struct dna_iut_options o = { .base = g->base,
                                 .dns = g->lab.dns,
                                 .ca = g->lab.ca,
                                 .dir = dir,
                                 .store_dir = g->lab.store_dir,
                                 .server = g->server,
                                 .calls = { on_ready, on_failed, on_death, on_stopped, g } };
    struct dna_diag diag = { 0 };

    g->extra_args[0] = "--mutate";
    g->extra_args[1] = mutant;
    o.extra_args = mutant ? g->extra_args : NULL;
    o.num_extra_args = mutant ? 2 : 0;
    g->up = g->gone = false;
    g->trouble = g->stopped;
    g->iut = dna_iut_new(dna_profile_variant(g->profile, g->variant), &o, &diag);
    if (!g->iut || dna_iut_start(g->iut, &diag) != 0) {
        over(g, diag.text);
        return false;
    }
    while (!g->up && !g->trouble)
        event_base_dispatch(g->base);
    return g->up;
}

/* ---- sessions ---- */

struct suspect {
    struct dna_query word;
    char *transcript;
    uint32_t earlier;
    size_t step;
};

struct batch {
    struct dna_learning *g;
    const struct dna_query *words;
    size_t num, next;
    bool again;
    struct suspect suspects[MAX_SUSPECTS];
    size_t num_suspects;
};

static void keep_transcript(struct dna_learning *g, struct dna_session *s)
{
    if (g->num_sessions == g->max_sessions) {
        g->max_sessions = g->max_sessions ? g->max_sessions * 2 : 1024;
        g->transcripts = dna_xrealloc(g->transcripts, g->max_sessions * sizeof(*g->transcripts));
    }
    g->transcripts[g->num_sessions++] = s->transcript;
    s->transcript = NULL;
}

static void refill(struct batch *b)
{
    struct dna_crew *crew = &b->g->crew;

    while (crew->running < crew->jobs && b->next < b->num && !b->g->trouble) {
        size_t i = b->next++;

        if (b->again || !dna_learner_knows(&b->g->learner, b->words[i].in, b->words[i].len))
            dna_crew_play(crew, &b->words[i], i);
    }
    if (!crew->running)
        event_base_loopbreak(b->g->base);
}

static void report_contradiction(struct dna_learning *g, const struct suspect *s)
{
    struct dna_buf word = { 0 };

    dna_learn_print_word(g, &s->word, &word);
    printf("CONTRADICTION at symbol %zu of: %s\n---- first:\n%s---- then:\n%s", s->step + 1,
           word.at, g->transcripts[s->earlier], s->transcript);
    dna_buf_free(&word);
}

static void on_session(struct dna_crew *crew, struct dna_session *s, void *arg)
{
    struct batch *b = arg;
    struct dna_learning *g = b->g;
    uint32_t earlier = 0;
    size_t step;

    if (s->failure || crew->failure) {
        over(g, s->failure ? s->failure : crew->failure);
        return;
    }
    step = dna_learner_add(&g->learner, &s->seen, g->num_sessions, &earlier);
    g->num_symbols += s->seen.len;
    if (step == s->seen.len) {
        keep_transcript(g, s);
    } else if (step == SIZE_MAX) {
        over(g, "no memory");
    } else if (b->num_suspects < MAX_SUSPECTS) {
        b->suspects[b->num_suspects++] = (struct suspect){ s->word, s->transcript, earlier, step };
        s->transcript = NULL;
    } else {
        report_contradiction(g, &b->suspects[0]);
        over(g, "the server contradicts itself all the time");
    }
    refill(b);
}

static bool play(struct batch *b)
{
    struct dna_crew *crew = &b->g->crew;

    crew->on_done = on_session;
    crew->arg = b;
    refill(b);
    while (crew->running && !b->g->trouble)
        event_base_dispatch(b->g->base);
    return !b->g->trouble;
}

/* Alone, up to three times: it must be what was seen first, or nothing can be learned. */
static bool again(struct dna_learning *g, const struct suspect *s)
{
    for (unsigned i = 0; i < RERUNS; i++) {
        struct batch b = { .g = g, .words = &s->word, .num = 1, .again = true };
        bool ok = play(&b);

        for (size_t k = 0; k < b.num_suspects; k++)
            free(b.suspects[k].transcript);
        if (!ok)
            return false;
        if (!b.num_suspects)
            return true;
    }
    return false;
}

bool dna_learn_play(struct dna_learning *g, const struct dna_query *words, size_t num,
                    bool once_more)
{
    struct batch b = { .g = g, .words = words, .num = num, .again = once_more };
    bool ok = play(&b);

    for (size_t i = 0; i < b.num_suspects; i++) {
        g->contradictions++;
        if (ok && !again(g, &b.suspects[i])) {
            g->stands = !g->trouble;
            ok = false;
            report_contradiction(g, &b.suspects[i]);
        } else if (getenv("XDNA_LEARN_DEBUG")) {
            report_contradiction(g, &b.suspects[i]);
        }
        free(b.suspects[i].transcript);
    }
    return ok;
}

/* ---- learning ---- */

struct words {
    struct dna_query *at;
    size_t num, max;
    const struct dna_learner *unknown_to;
};

static bool collect(void *ctx, const uint32_t *word, size_t len)
{
    struct words *w = ctx;

    if (len > DNA_WORD_MAX || (w->unknown_to && dna_learner_knows(w->unknown_to, word, len)))
        return true;
    if (w->num == w->max) {
        w->max = w->max ? w->max * 2 : 1024;
        w->at = dna_xrealloc(w->at, w->max * sizeof(*w->at));
    }
    w->at[w->num].len = len;
    memcpy(w->at[w->num++].in, word, len * sizeof(*word));
    return true;
}

static bool suite_of(const struct dna_mealy *machine, unsigned extra, struct words *out)
{
    struct dna_hsi_suite suite;

    if (dna_hsi_build(&suite, machine, extra) != 0)
        return false;
    (void)dna_hsi_suite_each(&suite, collect, out);
    dna_hsi_suite_free(&suite);
    return true;
}

static bool seed_tree(struct dna_learning *g)
{
    struct words w = { .unknown_to = NULL };
    bool ok = suite_of(&g->view.mealy, 0, &w) && dna_learn_play(g, w.at, w.num, false);

    free(w.at);
    return ok;
}

/* Asks until a machine can be guessed. */
static bool ask(struct dna_learning *g)
{
    struct dna_query wanted[BATCH];
    size_t num;

    while ((num = dna_learner_want(&g->learner, wanted, BATCH)) > 0)
        if (!dna_learn_play(g, wanted, num, false))
            return false;
    return !g->learner.no_memory;
}

/* True if the guess stands; *out_refuted if something spoke against it. */
static bool confirm(struct dna_learning *g, bool *out_refuted)
{
    struct words w = { .unknown_to = &g->learner };
    struct dna_query wanted;
    bool ok = suite_of(&g->learned, g->extra, &w);

    *out_refuted = false;
    if (ok && w.num) {
        printf("%zu sessions are to confirm it\n", w.num);
        fflush(stdout);
    }
    for (size_t i = 0; i < w.num && ok && !*out_refuted; i += BATCH) {
        ok = dna_learn_play(g, w.at + i, w.num - i < BATCH ? w.num - i : BATCH, false);
        *out_refuted = ok && dna_learner_want(&g->learner, &wanted, 1) > 0;
    }
    free(w.at);
    return ok;
}

static bool learn(struct dna_learning *g)
{
    bool refuted = true;
    uint32_t seeded, asked;

    if (!seed_tree(g))
        return false;
    seeded = g->num_sessions;
    while (refuted) {
        dna_guess_free(&g->learned);
        if (!ask(g) || dna_learner_guess(&g->learner, &g->learned) != 0)
            return false;
        asked = g->num_sessions;
        if (!g->num_mutants)
            printf("%zu states after %u sessions of the derived suite and %u more\n",
                   g->learned.num_states, seeded, asked - seeded);
        fflush(stdout);
        refuted = false;
        if (!g->num_mutants &&
            !confirm(g, &refuted)) /* of mutants the derived suite has seen enough */
            return false;
    }
    return true;
}

int dna_learn_serve(struct dna_learning *g, const char *mutant, const char *dir)
{
    struct timeval began;

    evutil_gettimeofday(&began, NULL);
    if (!g->stopped && start(g, mutant, dir)) {
        g->crew.context = (struct dna_case_context){
            .base = g->base, .lab = &g->lab, .profile = g->profile, .timeout_ms = 5000
        };
        g->crew.iut = g->iut;
        g->crew.seer = &g->seer;
        g->crew.words = &g->words;
        if (dna_crew_begin(&g->crew))
            while (!g->crew.ready && !g->crew.failure && !g->trouble)
                event_base_dispatch(g->base);
        if (g->crew.failure)
            over(g, g->crew.failure);
        else if (!g->trouble &&
                 dna_learner_begin(&g->learner, g->seer.num_inputs, dna_crew_can_begin(&g->crew)) ==
                     0 &&
                 learn(g))
            g->num_differences =
                dna_learn_compare(&g->ours, &g->learned, dna_wordbook_number(&g->words, "nothing"),
                                  g->differences, DNA_MAX_DIFFERENCES);
    }
    g->seconds = dna_seconds_since(&began);
    if (g->trouble)
        fprintf(stderr, "xdna learn: %s\n", g->trouble);
    return g->trouble ? 99 : g->stands ? 1 : 0;
}

void dna_learn_leave(struct dna_learning *g)
{
    dna_crew_end(&g->crew);
    if (g->iut && !g->gone) {
        dna_iut_stop(g->iut);
        while (!g->gone)
            event_base_dispatch(g->base);
    }
    dna_iut_free(g->iut);
    g->iut = NULL;
    dna_learner_end(&g->learner);
    dna_guess_free(&g->learned);
    for (uint32_t i = 0; i < g->num_sessions; i++)
        free(g->transcripts[i]);
    free(g->transcripts);
    g->transcripts = NULL;
    g->num_sessions = g->max_sessions = 0;
    g->num_symbols = g->contradictions = g->num_differences = 0;
    g->stands = false;
    g->crew = (struct dna_crew){ .jobs = g->crew.jobs,
                                 .quiet_ms = g->crew.quiet_ms,
                                 .numbers = g->crew.numbers };
}

/* What a course that did not come to its end has seen: states are apart if some word has told
 * them. */
static void report_incomplete(struct dna_learning *g)
{
    const char *why = g->trouble ? g->trouble : "the server contradicts itself";
    struct dna_query wanted;

    if (g->learner.nodes)
        (void)dna_learner_want(&g->learner, &wanted, 1);
    printf("INCOMPLETE (%s): of %s %zu states have been told apart, by %zu symbols; %u sessions, "
           "%zu symbols sent, %zu contradictions; %.1f s\n"
           "The rest was not asked: nothing is said of the whole machine.\n",
           why, g->profile->title, g->learner.num_basis, g->seer.num_inputs, g->num_sessions,
           g->num_symbols, g->contradictions, g->seconds);
}

int dna_learn_one(struct dna_learning *g)
{
    int status = dna_learn_serve(g, g->mutate, g->lab.place.dir);
    struct dna_blamed blamed;

    if (!status) {
        printf(
            "%s: %zu states, %zu symbols; %u sessions, %zu symbols sent, %zu contradictions; "
            "%.1f s\n",
            g->profile->title, g->learned.num_states, g->seer.num_inputs, g->num_sessions,
            g->num_symbols, g->contradictions, g->seconds);
        printf("the tables: %zu situations, %zu states\n", g->view.mealy.num_states,
               g->ours.num_states);
        status = g->num_differences ? 1 : 0;
        if (g->num_differences &&
            strstr(g->profile->server ? g->profile->server : "", "xdna-server"))
            dna_learn_blame(g, &blamed), dna_learn_print_blame(g, &blamed);
        if (!dna_learn_write(g))
            status = 99;
    }
    if (g->trouble || g->stands)
        report_incomplete(g);
    dna_learn_leave(g);
    return dna_learn_status(g, status);
}
