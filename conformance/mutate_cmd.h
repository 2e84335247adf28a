/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What the files of `xdna mutate` share beyond mutate.h.  Nobody else includes this.
 */
#ifndef CONFORMANCE_MUTATE_CMD_H
#define CONFORMANCE_MUTATE_CMD_H

#include "conformance/mutate.h"

struct dna_mutate_options {
    const char *list;  /* what is known already: a file, or NULL */
    char **selectors;  /* only these cases; none: all */
    size_t num_selectors;
    const char *write; /* where it is written anew, or NULL */
};

/* mutate_cases.c: each returns an exit status: 0, 1 something is open, 99 the lab was not usable */
int dna_mutate_cases(struct dna_mutate_lab *m, const struct dna_mutate_options *o);

#endif
