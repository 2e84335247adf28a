/* SPDX-License-Identifier: MIT */
/*
 * test_learn.c -- L# learns random machines exactly, also ones with ends and inputs that cannot be
 * sent; an observation that contradicts is noticed; planted differences are found where they were
 * planted; and the tables' receiving server, seen as by a tester, is learned exactly.
 */
#include "model/hsi.h"
#include "model/learn_diff.h"
#include "model/roles.h"
#include "model/view.h"

#include <CUnit/Basic.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STATES = 24, MAX_IN = 8, NOTHING = 1 };

struct box {
    struct dna_mealy m;
    uint32_t next[MAX_STATES * MAX_IN], out[MAX_STATES * MAX_IN];
    bool closed[MAX_STATES];
};

static uint32_t seed = 7;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 12) % sides;
}

static void set(struct box *b, size_t state, size_t input, uint32_t next, uint32_t out)
{
    b->next[state * b->m.num_inputs + input] = next;
    b->out[state * b->m.num_inputs + input] = out;
}

/* The last state is the end; of the others some inputs cannot be sent in some. */
static void random_box(struct box *b, size_t states, size_t inputs, uint32_t outs)
{
    memset(b, 0, sizeof *b);
    b->m = (struct dna_mealy){ states, inputs, 0, b->next, b->out, b->closed };
    b->closed[states - 1] = true;
    for (size_t s = 0; s < states; s++) {
        for (size_t x = 0; x < inputs; x++) {
            bool cannot = b->closed[s] || (x > 0 && dice(6) == 0);
            set(b, s, x, cannot ? (uint32_t)s : dice((uint32_t)states),
                cannot ? DNA_CANNOT : NOTHING + dice(outs));
        }
    }
}

static uint64_t mask(const struct dna_mealy *m, uint32_t state)
{
    uint64_t can = 0;
    for (size_t x = 0; x < m->num_inputs && !m->closed[state]; x++) {
        can |= dna_mealy_out(m, state, x) != DNA_CANNOT ? (uint64_t)1 << x : 0;
    }
    return can;
}

struct sessions {
    const struct dna_mealy *box;
    struct dna_learner *l;
    size_t num, contradictions, asked;
    bool counterexample;
    const struct dna_mealy *guess;
};

static void play(struct sessions *s, const uint32_t *in, size_t len)
{
    struct dna_observed seen = { .len = 0 };
    uint32_t state = s->box->start, earlier;
    for (size_t i = 0; i < len && (mask(s->box, state) >> in[i] & 1); i++) {
        seen.in[i] = in[i];
        seen.out[i] = dna_mealy_out(s->box, state, in[i]);
        state = dna_mealy_next(s->box, state, in[i]);
        seen.can[i] = mask(s->box, state);
        seen.len++;
    }
    s->contradictions += dna_learner_add(s->l, &seen, (uint32_t)++s->num, &earlier) != seen.len;
}

static bool confirm(void *ctx, const uint32_t *word, size_t len)
{
    struct sessions *s = ctx;
    uint32_t a = 0, b = 0;
    if (!dna_learner_knows(s->l, word, len)) {
        play(s, word, len);
    }
    for (size_t i = 0; i < len && !s->counterexample; i++) {
        s->counterexample = dna_mealy_out(s->box, a, word[i]) != dna_mealy_out(s->guess, b, word[i]);
        a = dna_mealy_next(s->box, a, word[i]);
        b = dna_mealy_next(s->guess, b, word[i]);
    }
    return !s->counterexample;
}

static void learn(struct sessions *s, struct dna_mealy *guess, unsigned extra)
{
    struct dna_query wanted[32];
    unsigned rounds = 0;
    do {
        size_t num;
        CU_ASSERT_FATAL(rounds++ < 500);
        while ((num = dna_learner_want(s->l, wanted, 32)) > 0) {
            for (size_t i = 0; i < num; i++) {
                play(s, wanted[i].in, wanted[i].len);
            }
            s->asked += num;
        }
        struct dna_hsi_suite suite;
        CU_ASSERT_FATAL(dna_learner_guess(s->l, guess) == 0);
        CU_ASSERT_FATAL(dna_hsi_build(&suite, guess, extra) == 0);
        s->guess = guess;
        s->counterexample = false;
        (void)dna_hsi_suite_each(&suite, confirm, s);
        dna_hsi_suite_free(&suite);
        if (s->counterexample) {
            dna_guess_free(guess);
        }
    } while (s->counterexample);
}

static void random_machines_are_learned_exactly(void)
{
    for (int i = 0; i < 60; i++) {
        struct box b;
        struct dna_learner l;
        struct dna_mealy guess, minimal;
        random_box(&b, 4 + dice(MAX_STATES - 4), 3 + dice(MAX_IN - 3), 2 + dice(3));
        CU_ASSERT_FATAL(dna_learner_begin(&l, b.m.num_inputs, mask(&b.m, 0)) == 0);
        struct sessions s = { .box = &b.m, .l = &l };
        learn(&s, &guess, 2);
        CU_ASSERT_EQUAL(s.contradictions, 0);
        CU_ASSERT_EQUAL(dna_learn_compare(&b.m, &guess, NOTHING, NULL, 0), 0);
        CU_ASSERT_EQUAL_FATAL(dna_mealy_minimise(&b.m, &minimal, NULL), 0);
        struct dna_mealy again;
        CU_ASSERT_EQUAL_FATAL(dna_mealy_minimise(&guess, &again, NULL), 0);
        CU_ASSERT_EQUAL(minimal.num_states, again.num_states);
        CU_ASSERT(guess.num_states <= minimal.num_states + 1); /* it has an end, reached or not */
        dna_guess_free(&minimal);
        dna_guess_free(&again);
        dna_guess_free(&guess);
        dna_learner_end(&l);
    }
}

static void a_contradiction_is_noticed_and_changes_nothing(void)
{
    struct dna_learner l;
    uint32_t earlier = 0;
    struct dna_observed seen = { .in = { 0, 1, 1 }, .out = { 1, 2, 3 }, .can = { 3, 3, 3 },
                                 .len = 3 };
    CU_ASSERT_FATAL(dna_learner_begin(&l, 2, 3) == 0);
    CU_ASSERT_EQUAL(dna_learner_add(&l, &seen, 11, &earlier), 3);
    seen.out[1] = 1; /* another output */
    CU_ASSERT_EQUAL(dna_learner_add(&l, &seen, 12, &earlier), 1);
    CU_ASSERT_EQUAL(earlier, 11);
    seen.out[1] = 2;
    seen.can[2] = 1; /* something cannot be sent any more */
    earlier = 0;
    CU_ASSERT_EQUAL(dna_learner_add(&l, &seen, 13, &earlier), 2);
    CU_ASSERT_EQUAL(earlier, 11);
    CU_ASSERT_EQUAL(l.num_nodes, 4);
    dna_learner_end(&l);
}

/* A chain of four states that input 0 walks, with its end behind it; input 1 says where it is. */
static void chain(struct box *b)
{
    memset(b, 0, sizeof *b);
    b->m = (struct dna_mealy){ 5, 2, 0, b->next, b->out, b->closed };
    b->closed[4] = true;
    for (uint32_t s = 0; s < 4; s++) {
        set(b, s, 0, s + 1, 2);
        set(b, s, 1, s, 3 + s);
    }
    set(b, 4, 0, 4, DNA_CANNOT);
    set(b, 4, 1, 4, DNA_CANNOT);
}

static void planted_differences_are_found(void)
{
    struct box a, b;
    struct dna_difference d[8];
    chain(&a);
    chain(&b);
    CU_ASSERT_EQUAL(dna_learn_compare(&a.m, &b.m, NOTHING, d, 8), 0);
    set(&b, 2, 1, 2, NOTHING);
    CU_ASSERT_EQUAL(dna_learn_compare(&a.m, &b.m, NOTHING, d, 8), 1);
    CU_ASSERT_EQUAL(d[0].kind, DNA_MISSING);
    CU_ASSERT_EQUAL(d[0].state, 2);
    CU_ASSERT_EQUAL(d[0].witness.len, 3);
    CU_ASSERT_EQUAL(d[0].witness.in[2], 1);
    CU_ASSERT_EQUAL(d[0].ours, 5);
    CU_ASSERT_EQUAL(dna_learn_compare(&b.m, &a.m, NOTHING, d, 8), 1);
    CU_ASSERT_EQUAL(d[0].kind, DNA_EXTRA);
    set(&b, 0, 0, 1, 9); /* on every way to the other */
    CU_ASSERT_EQUAL(dna_learn_compare(&a.m, &b.m, NOTHING, d, 8), 2);
    CU_ASSERT_EQUAL(d[0].kind, DNA_DIFFERENT);
    CU_ASSERT_EQUAL(d[0].witness.len, 1);
    CU_ASSERT_EQUAL(d[0].behind, 0);
    CU_ASSERT_EQUAL(d[1].state, 2);
    CU_ASSERT_EQUAL(d[1].behind, 1);
}

static void a_wrong_target_shows_at_the_next_output(void)
{
    struct box a, b;
    struct dna_difference d[8];
    chain(&a);
    chain(&b);
    set(&b, 0, 0, 2, 2);
    CU_ASSERT(dna_learn_compare(&a.m, &b.m, NOTHING, d, 8) >= 1);
    CU_ASSERT_EQUAL(d[0].witness.len, 2);
    CU_ASSERT_EQUAL(d[0].ours, 4);
    CU_ASSERT_EQUAL(d[0].theirs, 5);
}

static void the_tables_are_learned_exactly(void)
{
    static const char alphabet[] = "header d1, starttls, tls d1, tls -, auth, key d1, key d2, "
                                   "d1 says valid, d1 says invalid, d2 says valid, stanza d1, close";
    struct dna_knobs knobs = dna_knobs_default();
    struct dna_overlay none = { .num = 0 };
    struct dna_wordbook words = { 0 };
    struct dna_seer seer;
    struct dna_view view;
    struct dna_learner l;
    struct dna_mealy guess, minimal;
    char err[128];
    CU_ASSERT_FATAL(dna_seer_begin(&seer, &dna_role_receiving, alphabet, &knobs, &none, err,
                                   sizeof err) == 0);
    CU_ASSERT_FATAL(dna_view_make(&view, &seer, &words) == 0);
    CU_ASSERT_FATAL(dna_learner_begin(&l, seer.num_inputs, mask(&view.mealy, 0)) == 0);
    struct sessions s = { .box = &view.mealy, .l = &l };
    struct dna_hsi_suite suite;
    CU_ASSERT_FATAL(dna_hsi_build(&suite, &view.mealy, 0) == 0);
    s.guess = &view.mealy;
    (void)dna_hsi_suite_each(&suite, confirm, &s); /* the derived suite fills the tree */
    size_t seeded = s.num;
    learn(&s, &guess, 0);
    CU_ASSERT(seeded > 100);
    CU_ASSERT(s.asked < 50);
    CU_ASSERT_EQUAL_FATAL(dna_mealy_minimise(&view.mealy, &minimal, NULL), 0);
    CU_ASSERT_EQUAL(guess.num_states, minimal.num_states);
    CU_ASSERT_EQUAL(dna_learn_compare(&view.mealy, &guess,
                                      dna_wordbook_number(&words, "nothing"), NULL, 0), 0);
    if (getenv("XDNA_LEARN_FIGURES")) {
        printf("%zu configurations, %zu minimal, %zu sessions, then %zu to learn and %zu to confirm\n",
               view.mealy.num_states, minimal.num_states, seeded, s.asked,
               s.num - seeded - s.asked);
        for (size_t i = 0; i < words.num; i++) {
            printf("  %s\n", words.at[i]);
        }
    }
    dna_hsi_suite_free(&suite);
    dna_guess_free(&minimal);
    dna_guess_free(&guess);
    dna_learner_end(&l);
    dna_view_free(&view);
    dna_wordbook_free(&words);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("learn", NULL, NULL);
    CU_ADD_TEST(suite, random_machines_are_learned_exactly);
    CU_ADD_TEST(suite, a_contradiction_is_noticed_and_changes_nothing);
    CU_ADD_TEST(suite, planted_differences_are_found);
    CU_ADD_TEST(suite, a_wrong_target_shows_at_the_next_output);
    CU_ADD_TEST(suite, the_tables_are_learned_exactly);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures != 0;
}
