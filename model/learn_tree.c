/* SPDX-License-Identifier: MIT */
/* learn_tree.c -- the tree of all observations, and which of its nodes are apart. */
#include "model/learn_internal.h"

#include <stdlib.h>
#include <string.h>

uint32_t dna_wordbook_number(struct dna_wordbook *book, const char *word)
{
    if (book->num == 0 && strcmp(word, "-") != 0 && dna_wordbook_number(book, "-") != DNA_CANNOT) {
        return UINT32_MAX;
    }
    for (size_t i = 0; i < book->num; i++) {
        if (strcmp(book->at[i], word) == 0) {
            return (uint32_t)i;
        }
    }
    if (book->num == book->max) {
        size_t max = book->max ? book->max * 2 : 64;
        char **grown = realloc(book->at, max * sizeof *grown);
        if (!grown) {
            return UINT32_MAX;
        }
        book->at = grown;
        book->max = max;
    }
    book->at[book->num] = strdup(word);
    return book->at[book->num] ? (uint32_t)book->num++ : UINT32_MAX;
}

void dna_wordbook_free(struct dna_wordbook *book)
{
    for (size_t i = 0; i < book->num; i++) {
        free(book->at[i]);
    }
    free(book->at);
    *book = (struct dna_wordbook){ 0 };
}

int dna_learner_begin(struct dna_learner *l, size_t num_inputs, uint64_t can)
{
    *l = (struct dna_learner){ .num_inputs = num_inputs };
    l->nodes = calloc(1024, sizeof *l->nodes);
    l->basis = calloc(64, sizeof *l->basis);
    if (!l->nodes || !l->basis) {
        dna_learner_end(l);
        return -1;
    }
    l->max_nodes = 1024;
    l->max_basis = 64;
    l->nodes[0] = (struct dna_learn_node){ .can = can };
    l->num_nodes = l->num_basis = 1; /* the root is a state */
    return 0;
}

void dna_learner_end(struct dna_learner *l)
{
    free(l->nodes);
    free(l->basis);
    *l = (struct dna_learner){ 0 };
}

uint32_t dna_tree_child(const struct dna_learner *l, uint32_t node, size_t input)
{
    uint32_t c = l->nodes[node].child;
    while (c && l->nodes[c].input != input) {
        c = l->nodes[c].sibling;
    }
    return c;
}

static uint32_t grow(struct dna_learner *l, uint32_t parent, const struct dna_observed *seen,
                     size_t i, uint32_t session)
{
    if (l->num_nodes == l->max_nodes) {
        struct dna_learn_node *grown = realloc(l->nodes, l->max_nodes * 2 * sizeof *grown);
        if (!grown) {
            l->no_memory = true;
            return 0;
        }
        l->nodes = grown;
        l->max_nodes *= 2;
    }
    uint32_t node = (uint32_t)l->num_nodes++;
    l->nodes[node] = (struct dna_learn_node){ .can = seen->can[i],
                                        .parent = parent,
                                        .input = seen->in[i],
                                        .out = seen->out[i],
                                        .sibling = l->nodes[parent].child,
                                        .session = session };
    l->nodes[parent].child = node;
    return node;
}

size_t dna_learner_add(struct dna_learner *l, const struct dna_observed *seen, uint32_t session,
                       uint32_t *out_session)
{
    uint32_t at = 0, known;
    size_t i = 0;
    for (; i < seen->len && (known = dna_tree_child(l, at, seen->in[i])) != 0; i++) {
        if (l->nodes[known].out != seen->out[i] || l->nodes[known].can != seen->can[i]) {
            *out_session = l->nodes[known].session;
            return i;
        }
        at = known;
    }
    for (; i < seen->len; i++) {
        at = grow(l, at, seen, i, session);
        if (!at) {
            return SIZE_MAX;
        }
    }
    return seen->len;
}

bool dna_learner_knows(const struct dna_learner *l, const uint32_t *in, size_t len)
{
    uint32_t at = 0;
    for (size_t i = 0; i < len; i++) {
        if (!(l->nodes[at].can >> in[i] & 1)) {
            return true;
        }
        at = dna_tree_child(l, at, in[i]);
        if (!at) {
            return false;
        }
    }
    return true;
}

/* Fills word with the witness that a and b are apart. */
bool dna_tree_apart(const struct dna_learner *l, uint32_t a, uint32_t b, struct dna_query *word)
{
    if (l->nodes[a].can != l->nodes[b].can) { /* told by what can be sent: no input is needed */
        return true;
    }
    for (uint32_t c = l->nodes[a].child; c; c = l->nodes[c].sibling) {
        uint32_t d = dna_tree_child(l, b, l->nodes[c].input);
        if (!d) {
            continue;
        }
        size_t len = word->len;
        if (len == DNA_WORD_MAX) {
            return false;
        }
        word->in[word->len++] = l->nodes[c].input;
        if (l->nodes[c].out != l->nodes[d].out || dna_tree_apart(l, c, d, word)) {
            return true;
        }
        word->len = len;
    }
    return false;
}

void dna_tree_word(const struct dna_learner *l, uint32_t node, struct dna_query *word)
{
    size_t len = 0;
    for (uint32_t at = node; at; at = l->nodes[at].parent) {
        len++;
    }
    word->len = len < DNA_WORD_MAX ? len : DNA_WORD_MAX;
    for (uint32_t at = node; at; at = l->nodes[at].parent) {
        if (--len < DNA_WORD_MAX) {
            word->in[len] = l->nodes[at].input;
        }
    }
}
