/* SPDX-License-Identifier: MIT */
/*
 * hsi.h -- test suites by harmonised state identifiers (Petrenko, Yevtushenko), over a Mealy
 * machine.
 *
 * The suite is A . I^(<=k+1) . H: A is a shortest access word of each state of the machine as it
 * was given (not of its minimal form), H the identifier of the state reached.  Whoever passes it,
 * and has only states that a word of A and at most k inputs reach, and stays closed once closed,
 * behaves as the machine does (Vaandrager and Melse, CONCUR 2025).  Nothing is sent after the end,
 * and what cannot be sent is left out.
 *
 * Identifiers prefer words that can be sent in both states; only states that no such word tells
 * apart are told apart by what can be sent at all.
 */
#ifndef DNA_MODEL_HSI_H
#define DNA_MODEL_HSI_H

#include "model/mealy.h"

#include <stdio.h>

enum { DNA_SESSION_MAX = 64 };

struct dna_trie_node {
    uint32_t child, sibling; /* 0: none */
    uint32_t input;
};

/* dna_hsi_suite is a set of words as a trie, nodes[0] is its root; a session is a word that no
   other continues.  Free it with dna_hsi_suite_free(). */
struct dna_hsi_suite {
    struct dna_trie_node *nodes;
    size_t num_nodes, max_nodes;
    size_t num_sessions, num_symbols;
    size_t num_classes; /* states of the minimal machine */
    size_t num_words;   /* of all identifiers together, each counted once */
};

/* dna_hsi_build fills the suite for k = extra.  Returns 0; -1 without memory, or if the suite would
   exceed some ten million symbols. */
int dna_hsi_build(struct dna_hsi_suite *suite, const struct dna_mealy *machine, unsigned extra);

/* dna_hsi_classes numbers the classes of equivalent states; returns how many, 0 without memory.
   classes has num_states elements. */
size_t dna_hsi_classes(const struct dna_mealy *machine, uint32_t *classes);

/* dna_hsi_suite_new makes an empty suite; returns -1 without memory. */
int dna_hsi_suite_new(struct dna_hsi_suite *suite);
void dna_hsi_suite_free(struct dna_hsi_suite *suite);

/* dna_hsi_suite_add adds a word; returns -1 without memory. */
int dna_hsi_suite_add(struct dna_hsi_suite *suite, const uint32_t *word, size_t len);

/* dna_hsi_suite_count counts sessions and symbols anew. */
void dna_hsi_suite_count(struct dna_hsi_suite *suite);

/* dna_hsi_suite_each calls `each` for all sessions, shortest first, until it returns false; returns
   whether it never did, false without memory too. */
typedef bool dna_session_fn(void *ctx, const uint32_t *word, size_t len);
bool dna_hsi_suite_each(const struct dna_hsi_suite *suite, dna_session_fn *each, void *ctx);

/* dna_hsi_claim prints what a pass of such suites means, each line behind `before`. */
void dna_hsi_claim(FILE *out, const char *before, unsigned extra);

#endif
