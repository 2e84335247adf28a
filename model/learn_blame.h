/* SPDX-License-Identifier: MIT */
/*
 * learn_blame.h -- which rows of the tables stand behind what was learned.
 */
#ifndef DNA_MODEL_LEARN_BLAME_H
#define DNA_MODEL_LEARN_BLAME_H

#include "model/mutants.h"
#include "model/view.h"

enum { DNA_MAX_FIRED = 256 };

/* dna_fired is one row that fired while a word was played on the tables. */
struct dna_fired {
    const struct dna_machine *machine;
    const struct dna_row *row;
    size_t step; /* which input of the word */
};

/* dna_seer_replay plays a word (inputs that cannot be sent are passed over) and lists the rows that
   fire, up to DNA_MAX_FIRED; returns how many.  The seer's own watch is not used. */
size_t dna_seer_replay(const struct dna_seer *seer, const struct dna_query *word,
                       struct dna_fired out[DNA_MAX_FIRED]);

/* dna_seer_is walks the composition and a machine side by side: 1 if nothing tells them apart, 0 if
   something does, -1 if that is too much to walk through. */
int dna_seer_is(const struct dna_seer *seer, const struct dna_mealy *machine,
                const struct dna_wordbook *words);

/* dna_seer_explains counts the observations that the composition would have made as well: each
   node of the tree to which it agrees, its way included. */
size_t dna_seer_explains(const struct dna_seer *seer, const struct dna_learner *seen,
                         const struct dna_wordbook *words);

/* dna_seer_mutants calls `each` for every first-order mutant of the rows that the seer reaches;
   false stops it.  Returns -1 without memory. */
int dna_seer_mutants(const struct dna_seer *seer, const struct dna_habits *habits,
                     dna_mutant_each *each, void *ctx);

#endif
