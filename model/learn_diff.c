/* SPDX-License-Identifier: MIT */
/* learn_diff.c -- where a learned machine and ours part. */
#include "model/learn_diff.h"

#include "model/hsi.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t NEVER = UINT32_MAX;

const char *dna_difference_name(enum dna_difference_kind kind)
{
    return kind == DNA_MISSING ? "missing" : kind == DNA_EXTRA ? "extra" : "different";
}

/* --- side by side --- */

struct pair {
    uint32_t ours, theirs, from, input, behind;
};

struct walk {
    const struct dna_mealy *a, *b;
    uint32_t nothing;
    uint32_t *known;   /* [ours * theirs' states + theirs]: place in pairs */
    struct pair *pairs;
    size_t num, at;
    struct dna_difference *out;
    size_t num_out, max;
};

static void put_witness(const struct walk *w, uint32_t pair, uint32_t input, struct dna_query *q)
{
    uint32_t backwards[DNA_WORD_MAX];
    size_t len = 0;
    backwards[len++] = input;
    for (uint32_t p = pair; p && len < DNA_WORD_MAX; p = w->pairs[p].from) {
        backwards[len++] = w->pairs[p].input;
    }
    q->len = len;
    for (size_t i = 0; i < len; i++) {
        q->in[i] = backwards[len - 1 - i];
    }
}

static struct dna_difference *reported(const struct walk *w, uint32_t input, uint32_t ours,
                                       uint32_t theirs)
{
    for (size_t i = 0; i < w->num_out && i < w->max; i++) {
        struct dna_difference *d = &w->out[i];
        if (d->ours == ours && d->theirs == theirs &&
            d->witness.in[d->witness.len - 1] == input) {
            return d;
        }
    }
    return NULL;
}

static void report(struct walk *w, uint32_t pair, uint32_t input)
{
    const struct pair *p = &w->pairs[pair];
    uint32_t ours = dna_mealy_out(w->a, p->ours, input);
    uint32_t theirs = dna_mealy_out(w->b, p->theirs, input);
    struct dna_difference *d = reported(w, input, ours, theirs);
    if (ours == DNA_CANNOT || theirs == DNA_CANNOT) {
        return;
    }
    if (d) {
        d->times++;
        return;
    }
    if (w->num_out < w->max) {
        d = &w->out[w->num_out];
        *d = (struct dna_difference){ .state = p->ours,
                                      .ours = ours,
                                      .theirs = theirs,
                                      .behind = p->behind,
                                      .times = 1 };
        d->kind = theirs == w->nothing ? DNA_MISSING
                  : ours == w->nothing ? DNA_EXTRA
                                       : DNA_DIFFERENT;
        put_witness(w, pair, input, &d->witness);
    }
    w->num_out++;
}

static void enter(struct walk *w, uint32_t from, uint32_t input, uint32_t behind)
{
    const struct pair *p = &w->pairs[from];
    uint32_t ours = dna_mealy_next(w->a, p->ours, input);
    uint32_t theirs = dna_mealy_next(w->b, p->theirs, input);
    uint32_t *known = &w->known[ours * w->b->num_states + theirs];
    if (*known != NEVER || w->a->closed[ours] != w->b->closed[theirs]) {
        return;
    }
    *known = (uint32_t)w->num;
    w->pairs[w->num++] = (struct pair){ ours, theirs, from, input, behind };
}

/* Whether both can be sent the input: behind what one of them cannot be, no witness leads. */
static bool both_can(const struct walk *w, const struct pair *p, uint32_t input)
{
    return dna_mealy_out(w->a, p->ours, input) != DNA_CANNOT &&
           dna_mealy_out(w->b, p->theirs, input) != DNA_CANNOT;
}

/* Breadth first where both agree; only when that is done, one step through what differs. */
static void walk(struct walk *w)
{
    size_t crossed = 0;
    for (;;) {
        for (; w->at < w->num; w->at++) {
            const struct pair p = w->pairs[w->at];
            for (uint32_t x = 0; x < w->a->num_inputs; x++) {
                if (dna_mealy_out(w->a, p.ours, x) != dna_mealy_out(w->b, p.theirs, x)) {
                    report(w, (uint32_t)w->at, x);
                } else {
                    enter(w, (uint32_t)w->at, x, p.behind);
                }
            }
        }
        size_t before = w->num;
        for (; crossed < before; crossed++) {
            const struct pair p = w->pairs[crossed];
            for (uint32_t x = 0; x < w->a->num_inputs; x++) {
                if (dna_mealy_out(w->a, p.ours, x) != dna_mealy_out(w->b, p.theirs, x) &&
                    both_can(w, &p, x)) {
                    enter(w, (uint32_t)crossed, x, p.behind + 1);
                }
            }
        }
        if (w->num == before) {
            return;
        }
    }
}

size_t dna_learn_compare(const struct dna_mealy *ours, const struct dna_mealy *theirs,
                         uint32_t nothing, struct dna_difference *out, size_t max)
{
    size_t cells = ours->num_states * theirs->num_states, num = SIZE_MAX;
    struct walk w = { .a = ours, .b = theirs, .nothing = nothing, .out = out, .max = max };
    w.known = malloc(cells * sizeof *w.known);
    w.pairs = malloc(cells * sizeof *w.pairs);
    if (w.known && w.pairs) {
        memset(w.known, 0xff, cells * sizeof *w.known);
        w.pairs[0] = (struct pair){ ours->start, theirs->start, 0, 0, 0 };
        w.known[ours->start * theirs->num_states + theirs->start] = 0;
        w.num = 1;
        walk(&w);
        num = w.num_out;
    }
    free(w.known);
    free(w.pairs);
    return num;
}

/* --- the minimal machine --- */

/* Numbers the classes that are reached, in the order in which they are; returns how many. */
static size_t reach(const struct dna_mealy *m, const uint32_t *class_of, uint32_t *number,
                    uint32_t *states)
{
    size_t num = 1;
    memset(number, 0xff, m->num_states * sizeof *number);
    number[class_of[m->start]] = 0;
    states[0] = m->start;
    for (size_t i = 0; i < num; i++) {
        for (size_t x = 0; x < m->num_inputs; x++) {
            uint32_t to = dna_mealy_next(m, states[i], x);
            if (number[class_of[to]] == NEVER) {
                number[class_of[to]] = (uint32_t)num;
                states[num++] = to;
            }
        }
    }
    return num;
}

static int fill(const struct dna_mealy *m, const uint32_t *class_of, const uint32_t *number,
                const uint32_t *states, struct dna_mealy *out)
{
    size_t k = m->num_inputs, n = out->num_states;
    out->num_inputs = k;
    out->next = calloc(n * k, sizeof *out->next);
    out->out = calloc(n * k, sizeof *out->out);
    out->closed = calloc(n, sizeof *out->closed);
    if (!out->next || !out->out || !out->closed) {
        dna_guess_free(out);
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        out->closed[i] = m->closed[states[i]];
        for (size_t x = 0; x < k; x++) {
            out->next[i * k + x] = number[class_of[dna_mealy_next(m, states[i], x)]];
            out->out[i * k + x] = dna_mealy_out(m, states[i], x);
        }
    }
    return 0;
}

int dna_mealy_minimise(const struct dna_mealy *machine, struct dna_mealy *out, uint32_t *class_of)
{
    size_t n = machine->num_states;
    uint32_t *own = calloc(n * 3, sizeof *own);
    int failed = -1;
    *out = (struct dna_mealy){ 0 };
    if (own && dna_hsi_classes(machine, own)) {
        uint32_t *number = own + n, *states = own + 2 * n;
        out->num_states = reach(machine, own, number, states);
        failed = fill(machine, own, number, states, out);
        for (size_t i = 0; class_of && i < n; i++) {
            class_of[i] = number[own[i]];
        }
    }
    free(own);
    return failed;
}
