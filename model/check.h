/* SPDX-License-Identifier: MIT */
/*
 * check.h -- what the compiler can't see in a table: holes, shadows, dead ends.
 *
 * A checker gets one machine and says each fault with its line; nothing is kept afterwards.
 */
#ifndef DNA_MODEL_CHECK_H
#define DNA_MODEL_CHECK_H

#include "model/machine.h"

/* dna_check_counts says how much was looked at. */
struct dna_check_counts {
    size_t cells, choices;
    size_t ignored, dead; /* cells */
    size_t dead_of_peers; /* of `dead`: events that a peer's bytes raise, kept away by the parser */
    uint64_t configurations; /* reachable (state, V), summed over the valuations of K */
    uint64_t steps; /* tried from them, with every valuation of S and E that a cell mentions */
};

/* dna_checker is one run over one machine; the caller fills the first four fields. */
struct dna_checker {
    const struct dna_machine *machine;
    const char *source; /* the text of its .def, for line numbers; may be NULL */
    void (*say)(void *ctx, unsigned line, const char *fault);
    void *ctx;
    size_t num_faults;
    struct dna_check_counts counts;
};

/* dna_check_machine checks the machine and says each fault; returns their number.  Allocates while
   it explores; a failed allocation is a fault. */
size_t dna_check_machine(struct dna_checker *checker);

/* dna_check_together says what only shows between machines: ids used twice, stream variables that
   nobody writes or reads.  Machines end with NULL; checker->machine is set to the one spoken of. */
size_t dna_check_together(struct dna_checker *checker, const struct dna_machine *const *machines);

/* dna_check_cited says whether any row cites the requirement. */
bool dna_check_cited(const struct dna_machine *const *machines, enum dna_req id);

/* dna_check_expression returns NULL if the text is in the common subset of C and Promela, or what
   is not: an update assigns once, a guard never. */
const char *dna_check_expression(const char *expr, bool update);

/* dna_check_reachability explores the machine and says what can't be reached, or not left. */
void dna_check_reachability(struct dna_checker *checker);

/* dna_check_fault says one fault; the text is a printf format. */
void dna_check_fault(struct dna_checker *checker, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
