/* SPDX-License-Identifier: MIT */
/* learn_internal.h -- what learn_tree.c and learn_sharp.c share. */
#ifndef DNA_MODEL_LEARN_INTERNAL_H
#define DNA_MODEL_LEARN_INTERNAL_H

#include "model/learn.h"

/* dna_tree_child returns the node behind the input, 0 if it was never sent there. */
uint32_t dna_tree_child(const struct dna_learner *l, uint32_t node, size_t input);

/* dna_tree_apart says whether the nodes are apart, and appends the word that shows it. */
bool dna_tree_apart(const struct dna_learner *l, uint32_t a, uint32_t b, struct dna_query *word);

/* dna_tree_word writes the inputs that lead to the node. */
void dna_tree_word(const struct dna_learner *l, uint32_t node, struct dna_query *word);

#endif
