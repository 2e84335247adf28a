/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Mutants put to the hand-written cases: to those in which what is damaged is
 * met.  A row that is dropped or does something else shows only where it fires; one whose guard is
 * widened, or that is put into another cell, where other rows of that cell fire.
 */
#include "conformance/mutate_cmd.h"

#include <stdio.h>
#include <stdlib.h>

bool dna_play_notices(const struct dna_play *play)
{
    return play->verdict > DNA_VERDICT_PASS && play->verdict < DNA_VERDICT_ERROR;
}

/* ---- which cases ---- */

/* Does the mutant change what happens where this row of its machine is due? */
static bool meets(const struct dna_mutant *m, size_t row)
{
    const struct dna_row *damaged = &m->machine->rows[m->row], *r = &m->machine->rows[row];

    if (row == m->row)
        return true;
    switch (m->what) {
    case DNA_FORCE_TRUE:
    case DNA_NEGATE:
    case DNA_ATOM:
        return r->in == damaged->in && r->on == damaged->on;
    case DNA_MOVE:
    case DNA_COPY:
        return r->in == m->to && r->on == damaged->on;
    default:
        return false;
    }
}

struct candidate {
    unsigned rows; /* that fire in it */
    size_t row;    /* that fires in it and is met */
    size_t nth;    /* of those with this row */
    uint32_t c;
};

static int compare(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int by_row(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    const int order = compare(x->row, y->row) ? compare(x->row, y->row) : compare(x->rows, y->rows);

    return order ? order : compare(x->c, y->c);
}

static int by_turns(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    const int order = compare(x->nth, y->nth) ? compare(x->nth, y->nth) : compare(x->rows, y->rows);

    return order ? order : compare(x->c, y->c);
}

/* The cases of one row, sorted: by turns that in which least and that in which most else happens.
 */
static void take_turns(struct candidate *c, size_t num)
{
    for (size_t i = 0; i < num; i++)
        c[i].nth = i < num - i ? 2 * i : 2 * (num - 1 - i) + 1;
}

/* The cases in which what is damaged is met, the rows of its cell by turns. */
static size_t cases_of(const struct dna_map *map, const struct dna_mutant *m, struct candidate *out)
{
    size_t num = 0;

    for (size_t i = 0; i < map->num; i++) {
        size_t index;
        const struct dna_hit *hit = &map->hits[i];

        if (dna_row_machine(hit->row, &index) == m->machine && meets(m, index) &&
            (!num || out[num - 1].c != hit->c)) /* hits are by case */
            out[num++] = (struct candidate){ map->rows_of[hit->c], index, 0, hit->c };
    }
    qsort(out, num, sizeof(*out), by_row);
    for (size_t i = 0, end; i < num; i = end) {
        for (end = i + 1; end < num && out[end].row == out[i].row;)
            end++;
        take_turns(out + i, end - i);
    }
    qsort(out, num, sizeof(*out), by_turns);
    return num;
}

/* ---- the plays ---- */

struct by_hand {
    struct dna_mutate_lab *lab;
    struct dna_map map;
    struct dna_by_hand *those;
    size_t num;
    /* of a batch */
    struct dna_play *plays;
    size_t *whose, num_plays;
};

/* What was noticed stays in the batch, for one more play: of so many, some meet a busy machine. */
static void keep_noticed(struct by_hand *h)
{
    size_t num = 0;

    for (size_t i = 0; i < h->num_plays; i++)
        if (dna_play_notices(&h->plays[i]) && !h->those[h->whose[i]].killer) {
            h->whose[num] = h->whose[i];
            h->plays[num++] = h->plays[i];
        }
    h->num_plays = num;
}

static int play(struct by_hand *h)
{
    int status = dna_mutate_play(h->lab, h->plays, h->num_plays, NULL);

    keep_noticed(h);
    if (!status && h->num_plays)
        status = dna_mutate_play(h->lab, h->plays, h->num_plays, NULL);
    for (size_t i = 0; i < h->num_plays && !status; i++)
        if (dna_play_notices(&h->plays[i]) && !h->those[h->whose[i]].killer)
            h->those[h->whose[i]].killer = h->plays[i].c;
    h->num_plays = 0;
    return status;
}

/* Each that is left, in its cases from one number to another. */
static int play_round(struct by_hand *h, size_t from, size_t to)
{
    const struct dna_suite *suite = h->lab->suite;
    struct candidate *cases = dna_xcalloc(h->map.num + 1, sizeof(*cases));
    size_t left = 0, plays = 0;
    int status = 0;

    for (size_t i = 0; i < h->num && !status; i++) {
        struct dna_by_hand *it = &h->those[i];
        const size_t num = it->killer ? 0 : cases_of(&h->map, &it->mutant, cases);

        if (from == 0) {
            it->cases = num;
            it->first = num ? &suite->cases[cases[0].c] : NULL;
        }
        left += num > from;
        for (size_t c = from; c < to && c < num && !status; c++) {
            h->whose[h->num_plays] = i;
            h->plays[h->num_plays++] =
                (struct dna_play){ .c = &suite->cases[cases[c].c], .damage = h->those[i].text };
            plays++;
            if (h->num_plays == DNA_BATCH_MAX)
                status = play(h);
        }
    }
    if (!status)
        status = play(h);
    printf("mutate: %zu plays of hand-written cases %zu to %zu of %zu mutants, after %.0f s\n",
           plays, from + 1, to, left, dna_seconds_since(&h->lab->begun));
    fflush(stdout);
    free(cases);
    return status;
}

int dna_mutate_by_hand(struct dna_mutate_lab *lab, struct dna_by_hand *those, size_t num,
                       size_t tries)
{
    static const size_t rounds[] = { 2, 8, 24, 72, 216, 648, DNA_BATCH_MAX };
    struct by_hand h = { .lab = lab, .those = those, .num = num };
    size_t from = 0;
    int status = dna_map_make(&h.map, lab, false);

    h.plays = dna_xcalloc(DNA_BATCH_MAX, sizeof(*h.plays));
    h.whose = dna_xcalloc(DNA_BATCH_MAX, sizeof(*h.whose));
    for (size_t r = 0; r < sizeof(rounds) / sizeof(*rounds) && from < tries && !status; r++) {
        const size_t to = rounds[r] < tries ? rounds[r] : tries;

        status = play_round(&h, from, to);
        from = to;
    }
    dna_map_free(&h.map);
    free(h.plays);
    free(h.whose);
    return status;
}
