/* SPDX-License-Identifier: MIT */
/* learn_sharp.c -- L#: what has to be asked next, and the machine when nothing has. */
#include "model/learn_internal.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t CLOSED = UINT32_MAX - 1, UNKNOWN = UINT32_MAX;

struct asking {
    struct dna_learner *l;
    struct dna_query *out;
    size_t num, max;
};

static uint32_t place_in_basis(const struct dna_learner *l, uint32_t node)
{
    for (uint32_t i = 0; i < l->num_basis; i++) {
        if (l->basis[i] == node) {
            return i;
        }
    }
    return UNKNOWN;
}

/* The first states from `from` on that the node is not apart from; UNKNOWN if there is none. */
static uint32_t candidate(const struct dna_learner *l, uint32_t node, uint32_t from)
{
    for (uint32_t i = from; i < l->num_basis; i++) {
        struct dna_query witness = { .len = 0 };
        if (!dna_tree_apart(l, node, l->basis[i], &witness)) {
            return i;
        }
    }
    return UNKNOWN;
}

static bool promote(struct dna_learner *l, uint32_t node)
{
    if (l->num_basis == l->max_basis) {
        uint32_t *grown = realloc(l->basis, l->max_basis * 2 * sizeof *grown);
        if (!grown) {
            l->no_memory = true;
            return false;
        }
        l->basis = grown;
        l->max_basis *= 2;
    }
    l->basis[l->num_basis++] = node;
    return true;
}

/* Frontier nodes that are apart from all states become states, in the order in which a derived
   suite chooses its access words: those nodes are the best known.  The basis grows while it is
   walked. */
static void extend_basis(struct dna_learner *l)
{
    bool found = true;
    while (found) {
        found = false;
        for (size_t i = 0; i < l->num_basis; i++) {
            for (size_t x = 0; x < l->num_inputs; x++) {
                uint32_t c = dna_tree_child(l, l->basis[i], x);
                if (c && l->nodes[c].can && place_in_basis(l, c) == UNKNOWN &&
                    candidate(l, c, 0) == UNKNOWN) {
                    found = promote(l, c);
                }
            }
        }
    }
}

static void append(struct dna_query *q, const uint32_t *in, size_t len)
{
    for (size_t i = 0; i < len && q->len < DNA_WORD_MAX; i++) {
        q->in[q->len++] = in[i];
    }
}

static void ask(struct asking *a, const struct dna_query *query)
{
    if (a->num < a->max && !dna_learner_knows(a->l, query->in, query->len)) {
        a->out[a->num++] = *query;
    }
}

static void ask_input(struct asking *a, uint32_t node, uint32_t input)
{
    struct dna_query q;
    dna_tree_word(a->l, node, &q);
    append(&q, &input, 1);
    ask(a, &q);
}

/* What tells two states that the node may be. */
static void ask_which(struct asking *a, uint32_t node)
{
    struct dna_learner *l = a->l;
    struct dna_query q, witness = { .len = 0 };
    uint32_t first = candidate(l, node, 0);
    uint32_t second = first == UNKNOWN ? UNKNOWN : candidate(l, node, first + 1);
    if (second == UNKNOWN) {
        return;
    }
    (void)dna_tree_apart(l, l->basis[first], l->basis[second], &witness);
    dna_tree_word(l, node, &q);
    append(&q, witness.in, witness.len);
    ask(a, &q);
}

static void ask_frontier(struct asking *a)
{
    struct dna_learner *l = a->l;
    for (size_t i = 0; i < l->num_basis; i++) {
        uint32_t state = l->basis[i];
        for (uint32_t x = 0; x < l->num_inputs; x++) {
            uint32_t c = dna_tree_child(l, state, x);
            if (!(l->nodes[state].can >> x & 1)) {
                continue;
            }
            if (!c) {
                ask_input(a, state, x);
            } else if (l->nodes[c].can && place_in_basis(l, c) == UNKNOWN) {
                ask_which(a, c);
            }
        }
    }
}

/* The state behind an input, when nothing more is to be asked: a number in the basis, or CLOSED. */
static uint32_t successor(const struct dna_learner *l, uint32_t state, size_t input)
{
    uint32_t c = dna_tree_child(l, l->basis[state], input);
    if (!c) {
        return state; /* it cannot be sent */
    }
    if (!l->nodes[c].can) {
        return CLOSED;
    }
    uint32_t itself = place_in_basis(l, c);
    return itself != UNKNOWN ? itself : candidate(l, c, 0);
}

/* --- where the tree speaks against the guess --- */

struct conflict {
    uint32_t node, state;
    size_t beyond; /* how many inputs behind the frontier */
};

struct walk {
    const struct dna_learner *l;
    const uint32_t *next; /* [state * inputs + input] */
    struct conflict best;
    bool found;
};

static void look(struct walk *w, uint32_t node, uint32_t state, size_t beyond)
{
    const struct dna_learner *l = w->l;
    struct dna_query witness = { .len = 0 };
    if (w->found && beyond >= w->best.beyond) {
        return;
    }
    if (state == CLOSED ? l->nodes[node].can != 0
                        : node != l->basis[state] &&
                              dna_tree_apart(l, node, l->basis[state], &witness)) {
        w->best = (struct conflict){ node, state, beyond };
        w->found = true;
        return;
    }
    for (uint32_t c = l->nodes[node].child; c && state != CLOSED; c = l->nodes[c].sibling) {
        uint32_t to = w->next[state * l->num_inputs + l->nodes[c].input];
        bool near = node == l->basis[state]; /* its child is of the frontier, or the basis */
        look(w, c, to, near ? 0 : beyond + 1);
    }
}

/* Halves the way between the frontier and the conflict: the answer is a conflict that is nearer. */
static void ask_half(struct asking *a, const struct walk *w)
{
    const struct dna_learner *l = a->l;
    const struct conflict *c = &w->best;
    struct dna_query whole, q, witness = { .len = 0 };
    size_t skip, state = 0;
    dna_tree_word(l, c->node, &whole);
    skip = whole.len - c->beyond + c->beyond / 2;
    for (size_t i = 0; i < skip; i++) {
        state = w->next[state * l->num_inputs + whole.in[i]];
    }
    dna_tree_word(l, l->basis[state], &q);
    append(&q, whole.in + skip, whole.len - skip);
    if (c->state != CLOSED) {
        (void)dna_tree_apart(l, l->basis[c->state], c->node, &witness);
        append(&q, witness.in, witness.len);
    }
    ask(a, &q);
}

static uint32_t *successors(const struct dna_learner *l)
{
    uint32_t *next = calloc(l->num_basis * l->num_inputs, sizeof *next);
    for (uint32_t i = 0; next && i < l->num_basis; i++) {
        for (size_t x = 0; x < l->num_inputs; x++) {
            next[i * l->num_inputs + x] = successor(l, i, x);
        }
    }
    return next;
}

size_t dna_learner_want(struct dna_learner *l, struct dna_query *out, size_t max)
{
    struct asking a = { .l = l, .out = out, .max = max };
    extend_basis(l);
    ask_frontier(&a);
    if (a.num || l->no_memory) {
        return a.num;
    }
    struct walk w = { .l = l, .next = successors(l) };
    if (!w.next) {
        l->no_memory = true;
        return 0;
    }
    look(&w, 0, 0, 0);
    if (w.found) {
        ask_half(&a, &w);
    }
    free((void *)(uintptr_t)w.next);
    return a.num;
}

/* --- the machine --- */

int dna_learner_guess(struct dna_learner *l, struct dna_mealy *out)
{
    size_t n = l->num_basis, k = l->num_inputs;
    *out = (struct dna_mealy){ .num_states = n + 1, .num_inputs = k };
    out->next = calloc((n + 1) * k, sizeof *out->next);
    out->out = calloc((n + 1) * k, sizeof *out->out);
    out->closed = calloc(n + 1, sizeof *out->closed);
    if (!out->next || !out->out || !out->closed) {
        dna_guess_free(out);
        return -1;
    }
    for (uint32_t i = 0; i < n; i++) {
        for (size_t x = 0; x < k; x++) {
            uint32_t to = successor(l, i, x), c = dna_tree_child(l, l->basis[i], x);
            out->next[i * k + x] = to == CLOSED ? (uint32_t)n : to;
            out->out[i * k + x] = c ? l->nodes[c].out : DNA_CANNOT;
        }
    }
    for (size_t x = 0; x < k; x++) {
        out->next[n * k + x] = (uint32_t)n;
    }
    out->closed[n] = true;
    return 0;
}

void dna_guess_free(struct dna_mealy *m)
{
    free(m->next);
    free(m->out);
    free(m->closed);
    *m = (struct dna_mealy){ 0 };
}
