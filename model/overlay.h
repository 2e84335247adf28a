/* SPDX-License-Identifier: MIT */
/*
 * overlay.h -- damage to the tables, chosen at run time, and a step that obeys it.
 *
 * One grammar for all who use mutants: xdna-server-test --mutate (model/interp.c) and the mutants
 * judged on the model itself (model/mutants.c).  A mutant is ROW:OP; rows of IGNORE are ID.EVENT.
 *
 *   drop       the row vanishes                    true, false, not   its guard is replaced
 *   atom=N     the guard's N-th atom is left out   nodo               no outputs and no updates
 *   nodo=NAME  this one is left out                do=A/B             B is done where A is due
 *   to=STATE   another state is entered            from=STATE         it is a row of another state
 *   also=STATE a row is added: a copy of this one stands first in another state's cell
 *   choice     this alternative of its CHOICE is taken; of the first: the second
 *
 * Atoms are counted from 1, in the order of the guard's expression (atoms.h).
 */
#ifndef DNA_MODEL_OVERLAY_H
#define DNA_MODEL_OVERLAY_H

#include "model/machine.h"

enum { DNA_MAX_MUTANTS = 8 };

enum dna_mutation {
    DNA_DROP,
    DNA_FORCE_TRUE,
    DNA_FORCE_FALSE,
    DNA_NEGATE,
    DNA_ATOM,
    DNA_OMIT,
    DNA_SWAP,
    DNA_REDIRECT,
    DNA_MOVE,
    DNA_COPY,
    DNA_CHOOSE
};

struct dna_mutant {
    const struct dna_machine *machine;
    size_t row;
    enum dna_mutation what;
    uint8_t from; /* DNA_OMIT, DNA_SWAP: which `do`, 0 means all; DNA_ATOM: which atom, from 0 */
    uint8_t to;   /* DNA_SWAP: what instead; DNA_REDIRECT, DNA_MOVE, DNA_COPY: the state */
};

struct dna_overlay {
    struct dna_mutant mutants[DNA_MAX_MUTANTS];
    size_t num;
};

/* dna_overlay_add parses "ROW:OP" and adds it.  Returns 0, or -1 with a message in err. */
int dna_overlay_add(struct dna_overlay *overlay, const char *mutant, char *err, size_t size);

/* dna_overlay_step does what dna_M_step of the machine does, as far as the overlay lets it; vars
   and facts are of M's types.  A DEAD cell that is met does nothing; fx->row is then DNA_NO_ROW. */
void dna_overlay_step(const struct dna_overlay *overlay, const struct dna_machine *machine,
                      uint32_t on, const struct dna_env *env, struct dna_effects *fx);

/* dna_mutant_print writes the mutant as ROW:OP. */
void dna_mutant_print(const struct dna_mutant *mutant, char *out, size_t size);

#endif
