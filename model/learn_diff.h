/* SPDX-License-Identifier: MIT */
/*
 * learn_diff.h -- where a learned machine and ours part.
 *
 * Both are walked side by side from their starts.  A difference is an input at which ours says one
 * thing and the other another; it is reported once, with a shortest word that ends in it and in
 * how many situations (pairs of states) it shows.  What lies behind a difference is walked too,
 * but only where nothing leads without one; `behind` counts the differences on the way.  An input
 * that only one side can take is no difference: what made it so is.
 */
#ifndef DNA_MODEL_LEARN_DIFF_H
#define DNA_MODEL_LEARN_DIFF_H

#include "model/learn.h"

enum dna_difference_kind {
    DNA_MISSING,  /* ours says something, the other nothing */
    DNA_EXTRA,    /* ours says nothing, the other something */
    DNA_DIFFERENT /* both say something, not the same */
};

struct dna_difference {
    enum dna_difference_kind kind;
    struct dna_query witness; /* its last input is the one that differs */
    uint32_t state;           /* of ours, before that input */
    uint32_t ours, theirs;    /* outputs at that input */
    size_t behind, times;
};

/* dna_learn_compare fills out with up to max differences, those without others on their way
   first, shortest first, and returns how many there are (it may be more); SIZE_MAX without
   memory.  nothing is the number of the word that says nothing. */
size_t dna_learn_compare(const struct dna_mealy *ours, const struct dna_mealy *theirs,
                         uint32_t nothing, struct dna_difference *out, size_t max);

/* dna_mealy_minimise makes the minimal machine of what can be reached, with the start as state 0.
   Free it with dna_guess_free(); class_of (num_states elements) may be NULL.  Returns -1 without
   memory. */
int dna_mealy_minimise(const struct dna_mealy *machine, struct dna_mealy *out, uint32_t *class_of);

const char *dna_difference_name(enum dna_difference_kind kind);

#endif
