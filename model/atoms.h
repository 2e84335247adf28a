/* SPDX-License-Identifier: MIT */
/*
 * atoms.h -- a guard taken apart: its expression as a tree whose leaves are the atoms.
 *
 * An atom is what stands between the logical operators: E.hosted, V.failures > K.sasl_retries.
 * The compiled guards are what the reference runs; this reads the same text a second time, for
 * those who must look inside: mutants that leave one atom out, and the check that every atom was
 * seen both ways.  The grammar is that of check_expr.c, and the precedence is C's.
 */
#ifndef DNA_MODEL_ATOMS_H
#define DNA_MODEL_ATOMS_H

#include "model/machine.h"

enum { DNA_MAX_ATOMS = 12, DNA_MAX_NODES = 32 };

struct dna_atom {
    const char *at; /* in the guard's expression */
    size_t len;
    bool mentions_event; /* it speaks of E, so that the input alone decides */
    bool mentions_knobs_only;
};

enum dna_node_kind { DNA_NODE_ATOM, DNA_NODE_NOT, DNA_NODE_AND, DNA_NODE_OR };

struct dna_node {
    enum dna_node_kind kind;
    uint8_t left, right; /* nodes; of an atom: its number in left */
};

/* dna_atoms is one guard; nodes[root] is the whole. */
struct dna_atoms {
    const struct dna_machine *machine;
    struct dna_atom atoms[DNA_MAX_ATOMS];
    struct dna_node nodes[DNA_MAX_NODES];
    size_t num_atoms, num_nodes;
    uint8_t root;
};

/* dna_atoms_parse takes guard `when` (not `otherwise`) apart.  Returns 0, or -1 if the expression
   is outside the common subset or too long. */
int dna_atoms_parse(struct dna_atoms *atoms, const struct dna_machine *machine, size_t when);

/* dna_atom_holds evaluates one atom. */
bool dna_atom_holds(const struct dna_atoms *atoms, size_t atom, const struct dna_env *env);

/* dna_atoms_hold evaluates the guard without the atom `left_out` (num_atoms or more: the whole): in
   a conjunction it counts as true, in a disjunction as false; a guard that is nothing else
   holds. */
bool dna_atoms_hold(const struct dna_atoms *atoms, size_t left_out, const struct dna_env *env);

#endif
