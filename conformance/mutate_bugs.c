/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna mutate bugs`: the bugs that the model checker must find are planted in
 * the running reference, and the cases that replay their counterexamples are played: each must pass
 * undamaged, and fail with the bug.  For a bug that names no case those that fail with it are
 * searched, so that a person picks the one that performs the attack.
 */
#include "conformance/bugs.h"
#include "conformance/mutate_cmd.h"
#include "model/machines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIMES = 2,            /* each play is made so often: a verdict by chance is none */
    MAX_CANDIDATES = 150, /* of a bug that names no case */
    MANY = 1000           /* rows: more fire in no case */
};

struct replay {
    const struct dna_bug *bug;
    const struct dna_case *c;
    unsigned passed, failed; /* undamaged; with the bug planted */
    bool broken;
};

struct bugs {
    struct dna_mutate_lab *m;
    const struct dna_mutate_options *o;
    struct dna_map map;
    struct replay *replays;
    size_t num, room;
    struct timeval begun;
};

static bool wanted(const struct bugs *b, const struct dna_bug *bug)
{
    for (size_t i = 0; i < b->o->num_selectors; i++)
        if (strcmp(b->o->selectors[i], bug->id) == 0)
            return true;
    return b->o->num_selectors == 0;
}

static int unknown_selector(const struct bugs *b)
{
    for (size_t i = 0; i < b->o->num_selectors; i++) {
        if (dna_bug_find(b->o->selectors[i]))
            continue;
        fprintf(stderr, "xdna: '%s' is no planted bug; there are: ", b->o->selectors[i]);
        dna_bug_list(stderr);
        fputc('\n', stderr);
        return 2;
    }
    return 0;
}

static void add(struct bugs *b, const struct dna_bug *bug, const struct dna_case *c)
{
    if (b->num == b->room) {
        b->room = b->room ? 2 * b->room : 256;
        b->replays = dna_xrealloc(b->replays, b->room * sizeof(*b->replays));
    }
    b->replays[b->num++] = (struct replay){ .bug = bug, .c = c };
}

/* Returns how many of the cases that the bug names are not there. */
static unsigned add_named(struct bugs *b, const struct dna_bug *bug)
{
    char *names = dna_pool_strdup(b->m->pool, bug->cases), *rest = NULL;
    unsigned missing = 0;

    for (char *id = strtok_r(names, " ", &rest); id; id = strtok_r(NULL, " ", &rest)) {
        const struct dna_case *c = NULL;

        for (size_t i = 0; !c && i < b->m->suite->num_cases; i++)
            if (strcmp(b->m->suite->cases[i].id, id) == 0)
                c = &b->m->suite->cases[i];
        if (c && !dna_skip_reason(c, b->m->profile, b->m->pool)) {
            add(b, bug, c);
            continue;
        }
        printf("mutate: %s names %s, which is %s\n", bug->id, id,
               c ? "not for this server" : "no case");
        missing++;
    }
    return missing;
}

/* ---- playing ---- */

/* Undamaged cases are played once each, and again where they did not pass: a busy machine. */
static int play_undamaged(struct bugs *b)
{
    struct dna_play *plays = dna_xcalloc(b->num * TIMES, sizeof(*plays));
    int status;

    for (size_t i = 0; i < b->num * TIMES; i++)
        plays[i] = (struct dna_play){ .c = b->replays[i / TIMES].c, .damage = "" };
    status = dna_mutate_play(b->m, plays, b->num * TIMES, NULL);
    if (!status && dna_mutate_play_again(b->m, plays, b->num * TIMES) > 1)
        status = 99;
    for (size_t i = 0; i < b->num * TIMES && !status; i++)
        b->replays[i / TIMES].passed += plays[i].verdict == DNA_VERDICT_PASS;
    free(plays);
    return status;
}

/* Each bug is planted in a server of its own, for all its peers. */
static int play_bug(struct bugs *b, const struct dna_bug *bug, unsigned times)
{
    struct dna_play *plays = dna_xcalloc(b->num * times, sizeof(*plays));
    const unsigned jobs = b->m->jobs;
    size_t n = 0;
    int status = 0;

    for (size_t i = 0; i < b->num * times; i++)
        if (b->replays[i / times].bug == bug)
            plays[n++] = (struct dna_play){ .c = b->replays[i / times].c, .damage = "" };
    b->m->jobs = times == TIMES ? 1 : jobs; /* a bug may mix up peers, those of another play, too */
    if (n)
        status = dna_mutate_play_planted(b->m, plays, n, dna_bug_fault(bug), bug->rows);
    b->m->jobs = jobs;
    n = 0;
    for (size_t i = 0; i < b->num * times && !status; i++) {
        struct replay *r = &b->replays[i / times];
        const struct dna_play *play = &plays[n];

        if (r->bug != bug)
            continue;
        n++;
        r->failed += !play->crashed &&
                     (play->verdict == DNA_VERDICT_FAIL || play->verdict == DNA_VERDICT_WARN);
        r->broken |= play->broken;
    }
    free(plays);
    return status;
}

static int play_planted(struct bugs *b, unsigned times)
{
    int status = 0;

    for (size_t i = 0; i < dna_num_bugs && !status; i++)
        status = play_bug(b, &dna_bugs[i], times);
    return status;
}

/* ---- the search ---- */

/* Does the case come to the cell of one of these rows? */
static bool comes_to(const struct bugs *b, size_t c, const char *rows)
{
    for (const char *at = rows; *at; at += strcspn(at, " "), at += *at == ' ') {
        char name[40];
        size_t row, here;
        const struct dna_machine *m, *fired;

        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ":"), at);
        m = dna_row_machine(dna_row_find(name), &row);
        for (uint32_t i = b->map.first[c]; m && i < b->map.first[c + 1]; i++) {
            fired = dna_row_machine(b->map.hits[i].row, &here);
            if (fired == m && here >= row && m->rows[here].in == m->rows[row].in &&
                m->rows[here].on == m->rows[row].on)
                return true;
        }
    }
    return false;
}

/* How many rows fire in a case. */
static unsigned firing(const struct bugs *b, size_t c)
{
    return b->map.rows_of[c];
}

/* Bugs are planted in servers, not in the clients that a case runs. */
static bool is_candidate(const struct bugs *b, const struct dna_bug *bug, size_t c)
{
    const struct dna_case *at = &b->m->suite->cases[c];

    return b->map.undamaged[c] == DNA_VERDICT_PASS && strcmp(at->role, "client") != 0 &&
           (*bug->rows ? comes_to(b, c, bug->rows) : !dna_mutate_alone(b->m, at));
}

/* Those in which the least happens, as many as make sense. */
static void add_candidates(struct bugs *b, const struct dna_bug *bug)
{
    unsigned num = 0;

    for (unsigned rows = 0; rows < MANY && num < MAX_CANDIDATES; rows++)
        for (size_t c = 0; c < b->m->suite->num_cases && num < MAX_CANDIDATES; c++)
            if (firing(b, c) == rows && is_candidate(b, bug, c)) {
                add(b, bug, &b->m->suite->cases[c]);
                num++;
            }
}

static void print_found(const struct bugs *b, const struct dna_bug *bug)
{
    for (size_t i = 0; i < b->num; i++)
        if (b->replays[i].bug == bug && b->replays[i].failed)
            printf("    %s%s\n", b->replays[i].c->id, b->replays[i].broken ? " !" : "");
}

static int search(struct bugs *b)
{
    unsigned num = 0;
    int status;

    b->num = 0;
    for (size_t i = 0; i < dna_num_bugs; i++)
        num += wanted(b, &dna_bugs[i]) && (!*dna_bugs[i].cases || b->o->search);
    if (!num)
        return 0;
    status = dna_map_make(&b->map, b->m, true);
    for (size_t i = 0; i < dna_num_bugs && !status; i++)
        if (wanted(b, &dna_bugs[i]) && (!*dna_bugs[i].cases || b->o->search))
            add_candidates(b, &dna_bugs[i]);
    printf("mutate: %u bugs are searched, by %zu plays\n", num, b->num);
    fflush(stdout);
    if (!status)
        status = play_planted(b, 1);
    for (size_t i = 0; i < dna_num_bugs && !status; i++) {
        if (!wanted(b, &dna_bugs[i]) || (*dna_bugs[i].cases && !b->o->search))
            continue;
        printf("mutate: %s (%s) is noticed by:\n", dna_bugs[i].id, dna_bugs[i].text);
        print_found(b, &dna_bugs[i]);
    }
    dna_map_free(&b->map);
    return status;
}

/* ---- what came of it ---- */

struct totals {
    unsigned bugs, passed, failed, broken, open;
};

static void count(const struct bugs *b, const struct dna_bug *bug, unsigned missing,
                  struct totals *t)
{
    unsigned named = 0, good = 0;

    for (size_t i = 0; i < b->num; i++) {
        const struct replay *r = &b->replays[i];

        if (r->bug != bug)
            continue;
        named++;
        t->passed += r->passed == TIMES;
        t->failed += r->failed == TIMES;
        t->broken += r->broken;
        good += r->passed == TIMES && r->failed == TIMES;
        if (r->passed < TIMES)
            printf("mutate: %s: the reference does not pass %s\n", bug->id, r->c->id);
        if (r->failed < TIMES)
            printf("mutate: %s: %s %s fail although the bug is planted\n", bug->id, r->c->id,
                   r->failed ? "does not always" : "does not");
    }
    if (!named && !missing)
        printf("mutate: %s: no case replays it\n", bug->id);
    t->bugs++;
    t->open += missing || !named || good < named;
}

static int replay(struct bugs *b)
{
    struct totals t = { 0 };
    unsigned *missing = dna_xcalloc(dna_num_bugs, sizeof(*missing));
    int status = 0;

    for (size_t i = 0; i < dna_num_bugs; i++)
        if (wanted(b, &dna_bugs[i]))
            missing[i] = add_named(b, &dna_bugs[i]);
    if (b->num)
        status = play_undamaged(b);
    if (b->num && !status)
        status = play_planted(b, TIMES);
    for (size_t i = 0; i < dna_num_bugs && !status; i++)
        if (wanted(b, &dna_bugs[i]))
            count(b, &dna_bugs[i], missing[i], &t);
    free(missing);
    if (status)
        return status;
    printf("mutate: %u planted bugs; of %zu scenarios that replay them %u pass against the "
           "reference, and %u fail with the bug planted (in %u a stanza crosses that must not); "
           "%u bugs open; %.0f s\n",
           t.bugs, b->num, t.passed, t.failed, t.broken, t.open, dna_seconds_since(&b->begun));
    printf("RESULT mutate=bugs bugs=%u passed=%u failed=%u open=%u\n", t.bugs, t.passed, t.failed,
           t.open);
    fflush(stdout);
    return t.open ? 1 : 0;
}

int dna_mutate_bugs(struct dna_mutate_lab *m, const struct dna_mutate_options *o)
{
    struct bugs b = { .m = m, .o = o };
    int status, searched;

    evutil_gettimeofday(&b.begun, NULL);
    (void)dna_suite_select(m->suite, NULL, 0); /* selectors are bugs: all cases may be played */
    status = unknown_selector(&b);
    if (!status)
        status = replay(&b);
    searched = status <= 1 ? search(&b) : 0;
    free(b.replays);
    return searched ? searched : status;
}
