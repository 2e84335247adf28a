/* SPDX-License-Identifier: MIT */
/*
 * docs.h -- a table as a page to read: a diagram, its vocabulary, its rows, what they cite; and the
 * list of mutants that --mutate takes.  Nothing is allocated.
 */
#ifndef DNA_MODEL_DOCS_H
#define DNA_MODEL_DOCS_H

#include <stdio.h>

#include "model/machine.h"

/* dna_docs_page prints the machine as Markdown with a Mermaid diagram; 0, or -1 if `out` failed. */
int dna_docs_page(const struct dna_machine *machine, const char *sha256, FILE *out);

/* dna_docs_mutants prints one "ROW:OP" a line: each row dropped, each guard forced and negated,
   each output and update left out, each CHOICE taken otherwise, each row led back where it came
   from. */
int dna_docs_mutants(const struct dna_machine *machine, FILE *out);

#endif
