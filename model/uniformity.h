/* SPDX-License-Identifier: MIT */
/*
 * uniformity.h -- was every atom of every guard tried both ways, wherever its row is?
 *
 * What a derived suite says of all data, it says because each symbol stands for its like: then
 * every value that a guard looks at must have been sent.  Atoms that no role's alphabet can turn
 * are listed with the reason in uniformity.def; anything else is a fault of an alphabet.
 */
#ifndef DNA_MODEL_UNIFORMITY_H
#define DNA_MODEL_UNIFORMITY_H

#include "model/unfold.h"

#include <stdio.h>

/* dna_uniformity_add adds what was seen in one unfolding to what was seen in others. */
void dna_uniformity_add(struct dna_uniformity *to, const struct dna_uniformity *seen);

/* dna_uniformity_each calls `each` for all atoms of rows that were tried, but for those that speak
   of knobs alone and for later alternatives of a CHOICE, whose guard the first one has tried; seen:
   bit 0 false, bit 1 true.  machines ends with NULL. */
typedef void dna_atom_seen(void *ctx, const struct dna_machine *machine, size_t row,
                           const struct dna_atom *atom, uint8_t seen);
void dna_uniformity_each(const struct dna_uniformity *seen,
                         const struct dna_machine *const *machines, dna_atom_seen *each, void *ctx);

/* dna_uniformity_unfold adds what all scopes of a role see.  Returns 0, or -1 with a message. */
int dna_uniformity_unfold(struct dna_uniformity *seen, const struct dna_role *role,
                          const struct dna_habits *profile, char *err, size_t size);

/* dna_uniformity_check holds it against uniformity.def and prints what is wrong: an atom one way
   only that is not listed, and an entry that nothing needs.  Returns the number of faults. */
size_t dna_uniformity_check(const struct dna_uniformity *seen, FILE *out);

#endif
