/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna mutate cases`: for each case a damage to the tables that makes it fail.
 * Those that are known are played first; for the others the rows that fire in the case are damaged,
 * rare rows and likely faults first, until one is noticed.  What was found is played once more.
 */
#include "conformance/mutate.h"
#include "conformance/mutate_cmd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DAMAGES = 400, NUM_ROUNDS = 7 };

/* How many damages of a case are tried at once, round after round. */
static const unsigned at_once[NUM_ROUNDS] = { 4, 8, 16, 32, 64, 128, 400 };

struct candidate {
    const char *damage;
    unsigned order;
};

struct subject {
    const struct dna_case *c;
    const char *known;   /* of the list: a damage, or NULL */
    const char *reason;  /* of the list: why none is to be found, or NULL */
    const char *killer;  /* found, and seen to fail it */
    bool broken, confirmed, skipped;
    bool reading;        /* undamaged it only notes what the server does */
    size_t next;         /* candidates that were tried */
};

struct hunt {
    struct dna_mutate_lab *m;
    const struct dna_mutate_options *o;
    struct dna_map map;
    struct subject *subjects;
    size_t num;
    const char **damages[2048]; /* of each row, made when they are asked for */
    size_t num_damages[2048];
    struct dna_play *plays;
    size_t num_plays, room, played;
    struct timeval begun;
};

static int by_order(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    return x->order < y->order ? -1 : x->order > y->order;
}

static size_t damages_of(struct hunt *h, size_t row, const char ***out)
{
    const char *some[MAX_DAMAGES];

    if (!h->damages[row]) {
        size_t num = dna_row_damages(row, h->m->pool, some, MAX_DAMAGES);

        h->damages[row] = dna_pool_alloc(h->m->pool, (num + 1) * sizeof(*some));
        memcpy(h->damages[row], some, num * sizeof(*some));
        h->num_damages[row] = num;
    }
    *out = h->damages[row];
    return h->num_damages[row];
}

/* All that can be done to a case, in the order in which it is tried; the caller frees. */
static size_t candidates(struct hunt *h, size_t subject, struct candidate **out)
{
    size_t num = 0, room = 0;

    *out = NULL;
    for (uint32_t i = h->map.first[subject]; i < h->map.first[subject + 1]; i++) {
        const char **damages;
        size_t of_row = damages_of(h, h->map.hits[i].row, &damages);

        for (size_t d = 0; d < of_row; d++) {
            if (num == room) {
                room = room ? 2 * room : 256;
                *out = dna_xrealloc(*out, room * sizeof(**out));
            }
            (*out)[num++] = (struct candidate){ damages[d],
                                                (i - h->map.first[subject]) * 2 + (unsigned)d };
        }
    }
    if (num)
        qsort(*out, num, sizeof(**out), by_order);
    return num;
}

static void add_play(struct hunt *h, size_t subject, const char *damage)
{
    if (h->num_plays == h->room) {
        h->room = h->room ? 2 * h->room : 4096;
        h->plays = dna_xrealloc(h->plays, h->room * sizeof(*h->plays));
    }
    h->plays[h->num_plays++] = (struct dna_play){ .c = h->subjects[subject].c, .damage = damage };
}

static bool open_yet(const struct subject *s)
{
    return !s->killer && !s->skipped && !s->reason;
}

/* The first play that failed is the killer, but one that broke the invariant says more. */
static int play_and_note(struct hunt *h)
{
    int status = dna_mutate_play(h->m, h->plays, h->num_plays, NULL);

    h->played += h->num_plays;
    for (size_t i = 0; i < h->num_plays && !status; i++) {
        const struct dna_play *play = &h->plays[i];
        struct subject *s = &h->subjects[play->c - h->m->suite->cases];

        if (dna_play_fails(play) && (!s->killer || (play->broken && !s->broken))) {
            s->killer = play->damage;
            s->broken = play->broken;
        }
    }
    h->num_plays = 0;
    return status;
}

static int play_known(struct hunt *h)
{
    for (size_t i = 0; i < h->num; i++)
        if (h->subjects[i].known && open_yet(&h->subjects[i]))
            add_play(h, i, h->subjects[i].known);
    return h->num_plays ? play_and_note(h) : 0;
}

static int search_round(struct hunt *h, unsigned num, bool alone)
{
    size_t left = 0;

    for (size_t i = 0; i < h->num; i++) {
        struct subject *s = &h->subjects[i];
        struct candidate *all;
        size_t of_case;

        if (!open_yet(s) || dna_mutate_alone(h->m, s->c) != alone)
            continue;
        of_case = candidates(h, i, &all);
        for (unsigned n = 0; n < num && s->next < of_case; n++)
            add_play(h, i, all[s->next++].damage);
        free(all);
        left++;
    }
    if (!h->num_plays)
        return 0;
    printf("mutate: %zu cases to go, %zu plays%s, after %.0f s\n", left, h->num_plays,
           alone ? " with a clock of their own" : "", dna_seconds_since(&h->begun));
    fflush(stdout);
    return play_and_note(h);
}

/* A play that failed has to fail again, among others: a busy machine is no mutant. */
static int confirm(struct hunt *h)
{
    int status;

    for (size_t i = 0; i < h->num; i++)
        if (h->subjects[i].killer && !h->subjects[i].confirmed)
            add_play(h, i, h->subjects[i].killer);
    if (!h->num_plays)
        return 0;
    status = dna_mutate_play(h->m, h->plays, h->num_plays, NULL);
    h->played += h->num_plays;
    for (size_t i = 0; i < h->num_plays && !status; i++) {
        const struct dna_play *play = &h->plays[i];
        struct subject *s = &h->subjects[play->c - h->m->suite->cases];

        s->confirmed = dna_play_fails(play);
        s->broken = s->confirmed && (s->broken || play->broken);
        if (!s->confirmed)
            s->killer = NULL;
    }
    h->num_plays = 0;
    return status;
}

static int hunt(struct hunt *h)
{
    int status = play_known(h);

    for (unsigned round = 0; round < NUM_ROUNDS && !status; round++) {
        status = search_round(h, at_once[round], false);
        if (!status)
            status = search_round(h, at_once[round] / 4, true);
        if (!status)
            status = confirm(h);
    }
    return status;
}

static void set_subjects(struct hunt *h)
{
    h->num = h->m->suite->num_cases;
    h->subjects = dna_xcalloc(h->num, sizeof(*h->subjects));
    for (size_t i = 0; i < h->num; i++) {
        struct subject *s = &h->subjects[i];

        s->c = &h->m->suite->cases[i];
        s->skipped = !s->c->selected || dna_skip_reason(s->c, h->m->profile, h->m->pool) != NULL;
    }
}

static void read_list(struct hunt *h, FILE *in)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, in) >= 0) {
        char *id = strtok(line, " \n"), *what = strtok(NULL, " \n"), *why = strtok(NULL, "\n");

        for (size_t i = 0; id && *id != '#' && what && i < h->num; i++) {
            struct subject *s = &h->subjects[i];

            if (strcmp(s->c->id, id) != 0)
                continue;
            if (strcmp(what, "-") != 0)
                s->known = dna_pool_strdup(h->m->pool, what);
            else if (why)
                s->reason = dna_pool_strdup(h->m->pool, why);
        }
    }
    free(line);
}

static void write_list(const struct hunt *h, FILE *out)
{
    fputs("# For each case a damage to a row of the tables (model/overlay.h) that makes it fail, as `xdna mutate cases`\n"
          "# found and saw it; '!' where a stanza then crosses that must not; '-' and a reason where there is none.\n"
          "# Made by make killers; lines with '-' are written by hand.\n", out);
    for (size_t i = 0; i < h->num; i++) {
        const struct subject *s = &h->subjects[i];

        if (s->killer)
            fprintf(out, "%s %s%s\n", s->c->id, s->killer, s->broken ? " !" : "");
        else if (s->reason)
            fprintf(out, "%s - %s\n", s->c->id, s->reason);
    }
}

static int report(const struct hunt *h)
{
    unsigned killed = 0, broken = 0, reasons = 0, readings = 0, skipped = 0, open = 0;

    for (size_t i = 0; i < h->num; i++) {
        const struct subject *s = &h->subjects[i];

        killed += s->killer != NULL;
        broken += s->killer && s->broken;
        skipped += s->skipped;
        readings += open_yet(s) && s->reading;
        reasons += !s->killer && s->reason;
        if (open_yet(s) && !s->reading) {
            open++;
            printf("mutate: nothing makes %s fail (%u rows fire in it, %zu damages tried)\n", s->c->id,
                   h->map.rows_of ? h->map.rows_of[i] : 0, s->next);
        }
    }
    printf("mutate: %u cases were seen to fail, each with a damaged row of its own rows (in %u a stanza crossed that "
           "must not); %u cannot, with a reason; %u only read; %u are not for this server; %u open; %zu plays\n",
           killed, broken, reasons, readings, skipped, open, h->played);
    return open ? 1 : 0;
}

static int with_list(struct hunt *h)
{
    FILE *list = h->o->list ? fopen(h->o->list, "r") : NULL;
    int status;

    if (list) {
        read_list(h, list);
        fclose(list);
    }
    status = dna_map_make(&h->map, h->m);
    for (size_t i = 0; i < h->num && !status; i++)
        h->subjects[i].reading = h->map.undamaged[i] == DNA_VERDICT_INFO;
    if (!status)
        status = hunt(h);
    if (status)
        return status;
    if (h->o->num_selectors)
        return report(h);
    list = h->o->write ? fopen(h->o->write, "w") : NULL;
    if (list) {
        write_list(h, list);
        status = fclose(list) ? 99 : 0;
    }
    if (h->o->write && (!list || status)) {
        fprintf(stderr, "xdna: cannot write %s\n", h->o->write);
        return 99;
    }
    return report(h);
}

int dna_mutate_cases(struct dna_mutate_lab *m, const struct dna_mutate_options *o)
{
    struct hunt *h = dna_xcalloc(1, sizeof(*h));
    const char *missed;
    int status;

    h->m = m;
    h->o = o;
    evutil_gettimeofday(&h->begun, NULL);
    missed = dna_suite_select(m->suite, o->selectors, o->num_selectors);
    if (missed) {
        fprintf(stderr, "xdna: '%s' selects no case (xdna list shows them)\n", missed);
        free(h);
        return 2;
    }
    set_subjects(h);
    status = with_list(h);
    dna_map_free(&h->map);
    free(h->subjects);
    free(h->plays);
    free(h);
    return status;
}
