/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What the files of `xdna mutate` share beyond mutate.h.  Nobody else includes
 * this.
 */
#ifndef CONFORMANCE_MUTATE_CMD_H
#define CONFORMANCE_MUTATE_CMD_H

#include "conformance/mutate.h"

struct dna_mutate_options {
    bool rows;        /* subjects are rows, else cases */
    bool search;      /* of bugs, although they name cases */
    const char *list; /* what is known already: a file, that need not be there (killers.h) */
    char **selectors; /* only these cases; none: all */
    size_t num_selectors;
    unsigned sample; /* of every so many mutants one is put to hand-written cases too */
    bool sessions_only; /* of mutants: no hand-written cases */
    const char *scope;  /* of mutants: only sessions of this scope, or NULL */
    const char *keep;   /* the folder for the sessions, which stay there, or NULL */
    bool verbose;
    const char *write; /* where it is written anew, or NULL */
};

/* mutate_hunt.c: returns an exit status: 0, 1 something is open, 2 a selector or a line of the
 * list, 99 the lab was not usable */
int dna_mutate_hunt(struct dna_mutate_lab *m, const struct dna_mutate_options *o);

/* mutate_derived.c: opens the lab itself, behind what the model says; selectors are roles */
int dna_mutate_all(struct dna_mutate_lab *lab, const struct dna_mutate_options *o);

/* mutate_bugs.c: selectors are bugs */
int dna_mutate_bugs(struct dna_mutate_lab *m, const struct dna_mutate_options *o);

#endif
