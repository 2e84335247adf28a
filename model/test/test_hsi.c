/* SPDX-License-Identifier: MIT */
/*
 * test_hsi.c -- suites by harmonised state identifiers: counted by hand on a small machine, and
 * complete on their fault domain on random ones.
 */
#include "model/hsi.h"

#include <CUnit/Basic.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STATES = 10, MAX_INPUTS = 4 };

struct box {
    struct dna_mealy m;
    uint32_t next[MAX_STATES * MAX_INPUTS], out[MAX_STATES * MAX_INPUTS];
    bool closed[MAX_STATES];
};

static void box_up(struct box *b, size_t states, size_t inputs)
{
    b->m = (struct dna_mealy){ states, inputs, 0, b->next, b->out, b->closed };
}

static uint32_t seed = 1;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 12) % sides;
}

static void random_box(struct box *b, size_t states, size_t inputs)
{
    memset(b, 0, sizeof *b);
    box_up(b, states, inputs);
    for (size_t i = 0; i < states * inputs; i++) {
        b->next[i] = dice((uint32_t)states);
        b->out[i] = 1 + dice(2);
    }
}

static bool same_behaviour(const struct dna_mealy *a, const struct dna_mealy *b)
{
    uint32_t queue[MAX_STATES * MAX_STATES][2];
    bool seen[MAX_STATES][MAX_STATES] = { { false } };
    size_t head = 0, tail = 0;
    queue[tail][0] = a->start;
    queue[tail++][1] = b->start;
    seen[a->start][b->start] = true;
    while (head < tail) {
        uint32_t i = queue[head][0], j = queue[head][1];
        head++;
        for (size_t x = 0; x < a->num_inputs; x++) {
            uint32_t ni = dna_mealy_next(a, i, x), nj = dna_mealy_next(b, j, x);
            if (dna_mealy_out(a, i, x) != dna_mealy_out(b, j, x)) {
                return false;
            }
            if (!seen[ni][nj]) {
                seen[ni][nj] = true;
                queue[tail][0] = ni;
                queue[tail++][1] = nj;
            }
        }
    }
    return true;
}

struct both {
    const struct dna_mealy *spec, *other;
};

/* Returns false, which stops, when the word tells. */
static bool agree(void *ctx, const uint32_t *word, size_t len)
{
    const struct both *b = ctx;
    uint32_t i = b->spec->start, j = b->other->start;
    for (size_t at = 0; at < len; at++) {
        if (dna_mealy_out(b->spec, i, word[at]) != dna_mealy_out(b->other, j, word[at])) {
            return false;
        }
        i = dna_mealy_next(b->spec, i, word[at]);
        j = dna_mealy_next(b->other, j, word[at]);
    }
    return true;
}

static bool kills(const struct dna_hsi_suite *suite, const struct dna_mealy *spec,
                  const struct dna_mealy *other)
{
    struct both b = { spec, other };
    return !dna_hsi_suite_each(suite, agree, &b);
}

static void all_reached(const struct box *b, bool reached[MAX_STATES])
{
    bool changed = true;
    memset(reached, 0, MAX_STATES);
    reached[b->m.start] = true;
    while (changed) {
        changed = false;
        for (size_t s = 0; s < b->m.num_states; s++) {
            for (size_t x = 0; x < b->m.num_inputs; x++) {
                uint32_t to = dna_mealy_next(&b->m, (uint32_t)s, x);
                changed |= reached[s] && !reached[to];
                reached[to] |= reached[s];
            }
        }
    }
}

/* Draws until every state is reached and none is another's equal. */
static void draw_minimal(struct box *b, size_t states, size_t inputs)
{
    uint32_t classes[MAX_STATES];
    bool reached[MAX_STATES];
    size_t num;
    do {
        random_box(b, states, inputs);
        all_reached(b, reached);
        num = 0;
        for (size_t s = 0; s < states; s++) {
            num += reached[s];
        }
    } while (num < states || dna_hsi_classes(&b->m, classes) < states);
}

/* A door: push opens (1) and is idle when open (2), pull closes (3) or is idle (4).
   A = { e, push }, H = { push } of both states.  Words: push.push, pull.push, push.push.push,
   push.pull.push; the first is the beginning of the third. */
static void test_door(void)
{
    struct box b = { .next = { 1, 0, 1, 0 }, .out = { 1, 4, 2, 3 } };
    struct dna_hsi_suite suite;
    box_up(&b, 2, 2);
    CU_ASSERT_EQUAL_FATAL(dna_hsi_build(&suite, &b.m, 0), 0);
    CU_ASSERT_EQUAL(suite.num_classes, 2);
    CU_ASSERT_EQUAL(suite.num_words, 1);
    CU_ASSERT_EQUAL(suite.num_sessions, 3);
    CU_ASSERT_EQUAL(suite.num_symbols, 2 + 3 + 3);
    dna_hsi_suite_free(&suite);
}

/* No session sends what cannot be sent, or anything behind the end. */
static bool sendable(void *ctx, const uint32_t *word, size_t len)
{
    const struct dna_mealy *m = ctx;
    uint32_t at = m->start;
    for (size_t i = 0; i < len; i++) {
        if (m->closed[at] || dna_mealy_out(m, at, word[i]) == DNA_CANNOT) {
            return false;
        }
        at = dna_mealy_next(m, at, word[i]);
    }
    return true;
}

static void test_nothing_behind_the_end(void)
{
    /* states: shut, open, locked for good (closed); inputs push, pull, lock (only when shut) */
    struct box b = { .next = { 1, 0, 2, 1, 0, 1, 2, 2, 2 },
                     .out = { 1, 4, 5, 2, 3, DNA_CANNOT, DNA_CANNOT, DNA_CANNOT, DNA_CANNOT },
                     .closed = { false, false, true } };
    struct dna_hsi_suite suite;
    box_up(&b, 3, 3);
    for (unsigned k = 0; k < 3; k++) {
        CU_ASSERT_EQUAL_FATAL(dna_hsi_build(&suite, &b.m, k), 0);
        CU_ASSERT(suite.num_sessions > 0);
        CU_ASSERT(dna_hsi_suite_each(&suite, sendable, &b.m));
        dna_hsi_suite_free(&suite);
    }
}

static void every_single_fault(const struct box *spec, const struct dna_hsi_suite *suite)
{
    size_t cells = spec->m.num_states * spec->m.num_inputs;
    for (size_t c = 0; c < cells; c++) {
        for (uint32_t to = 0; to < spec->m.num_states; to++) {
            struct box mutant = *spec;
            box_up(&mutant, spec->m.num_states, spec->m.num_inputs);
            mutant.next[c] = to;
            CU_ASSERT(kills(suite, &spec->m, &mutant.m) != same_behaviour(&spec->m, &mutant.m));
        }
        struct box mutant = *spec;
        box_up(&mutant, spec->m.num_states, spec->m.num_inputs);
        mutant.out[c] = 3 - mutant.out[c];
        CU_ASSERT(kills(suite, &spec->m, &mutant.m));
    }
}

static void test_single_faults(void)
{
    for (int round = 0; round < 40; round++) {
        struct box spec;
        struct dna_hsi_suite suite;
        draw_minimal(&spec, 6, 3);
        CU_ASSERT_EQUAL_FATAL(dna_hsi_build(&suite, &spec.m, 0), 0);
        every_single_fault(&spec, &suite);
        dna_hsi_suite_free(&suite);
    }
}

/* Any machine of at most n + k states that passes does the same (m-completeness): near ones, which
   are the hard ones, and any. */
static void test_complete(void)
{
    size_t different = 0;
    for (int round = 0; round < 60; round++) {
        unsigned k = (unsigned)round % 2;
        struct box spec;
        struct dna_hsi_suite suite;
        draw_minimal(&spec, 4, 2);
        CU_ASSERT_EQUAL_FATAL(dna_hsi_build(&suite, &spec.m, k), 0);
        for (int i = 0; i < 2000; i++) {
            struct box other;
            random_box(&other, 4 + k, 2);
            if (i % 2) { /* a copy with a few faults, some by way of the extra state */
                memcpy(other.next, spec.next, sizeof(uint32_t) * 8);
                memcpy(other.out, spec.out, sizeof(uint32_t) * 8);
                for (uint32_t f = dice(4); f < 4; f++) {
                    other.next[dice(8)] = dice((uint32_t)(4 + k));
                }
            }
            bool same = same_behaviour(&spec.m, &other.m);
            different += !same;
            CU_ASSERT(kills(&suite, &spec.m, &other.m) != same);
        }
        dna_hsi_suite_free(&suite);
    }
    CU_ASSERT(different > 60000);
}

/* Equal states are one class, and each is visited all the same: A are the states as they are. */
static void test_equal_states(void)
{
    /* the door, unrolled once: states 2 and 3 are 0 and 1 again */
    struct box b = { .next = { 1, 0, 3, 2, 3, 2, 1, 0 }, .out = { 1, 4, 2, 3, 1, 4, 2, 3 } };
    struct dna_hsi_suite suite;
    uint32_t classes[MAX_STATES];
    box_up(&b, 4, 2);
    CU_ASSERT_EQUAL(dna_hsi_classes(&b.m, classes), 2);
    CU_ASSERT_EQUAL(classes[0], classes[2]);
    CU_ASSERT_EQUAL(classes[1], classes[3]);
    CU_ASSERT_EQUAL_FATAL(dna_hsi_build(&suite, &b.m, 0), 0);
    struct box mutant = b; /* a fault that only the second round has */
    box_up(&mutant, 4, 2);
    mutant.out[6] = 1;
    CU_ASSERT(kills(&suite, &b.m, &mutant.m));
    dna_hsi_suite_free(&suite);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("hsi", NULL, NULL);
    CU_add_test(suite, "a door, counted by hand", test_door);
    CU_add_test(suite, "nothing is sent behind the end, or that cannot be", test_nothing_behind_the_end);
    CU_add_test(suite, "every single fault is noticed", test_single_faults);
    CU_add_test(suite, "who passes does the same, up to k extra states", test_complete);
    CU_add_test(suite, "the cover set is of states, not of classes", test_equal_states);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failed > 0;
}
