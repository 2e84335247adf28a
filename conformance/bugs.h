/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What can be planted in the test build of the reference by name: faults of the
 * code around the tables (model/faults.def), and the bugs that the model checker must find
 * (model/planted.def, model/verify_prooftypes.def), which are mutants of rows, a fault, or both.
 */
#ifndef CONFORMANCE_BUGS_H
#define CONFORMANCE_BUGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct dna_bug {
    const char *id, *text;
    const char *rows;  /* "ROW:OP ROW:OP ...", or "" */
    bool wiring;       /* the checker plants it around the tables, too */
    const char *cases; /* of the suite, separated by spaces, that replay its counterexample */
};
extern const struct dna_bug dna_bugs[];
extern const size_t dna_num_bugs;

/* dna_bug_fault is the name of the fault that belongs to the bug, or NULL: the bug's own. */
const char *dna_bug_fault(const struct dna_bug *bug);
const struct dna_bug *dna_bug_find(const char *id); /* or NULL */

bool dna_fault_known(const char *name);
/* dna_fault_list and dna_bug_list print all names, separated by spaces. */
void dna_fault_list(FILE *out);
void dna_bug_list(FILE *out);

#endif
