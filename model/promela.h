/* SPDX-License-Identifier: MIT */
/*
 * promela.h -- prints the tables as Promela, for Spin: a second reading of every guard, row and
 * update.
 *
 * A machine becomes one inline, NAME_step(): the rows of a cell in their order, each tried only if
 * those before it do not hold.  Guards and updates stand there as the table has them.  world.pml
 * includes what is printed; verify_spin.h is what passes between it and the wiring.
 */
#ifndef DNA_MODEL_PROMELA_H
#define DNA_MODEL_PROMELA_H

#include "model/machine.h"

#include <stdio.h>

/* dna_promela_say is told what cannot be said in Promela, and on which line of which table. */
typedef void (*dna_promela_say)(void *ctx, const struct dna_machine *machine, unsigned line,
                                const char *fault);

/* dna_promela_words prints what all machines share: the structs that their expressions speak of,
   and how a row is said to fire.  Machines end with NULL.  Returns 0, or -1 if `out` failed. */
int dna_promela_words(const struct dna_machine *const *machines, FILE *out);

/* dna_promela_machine prints one machine.  source is the text of its .def, for line numbers, or
   NULL.  Returns the number of faults, each of which was said, or -1 if `out` failed.  With a fault
   what was printed is worth nothing. */
int dna_promela_machine(const struct dna_machine *machine, const char *source, FILE *out,
                        dna_promela_say say, void *ctx);

/* dna_promela_tables prints the inline tables(), which lets the machine that is asked for take one
   step; machines as for _words.  Returns 0, or -1 if `out` failed. */
int dna_promela_tables(const struct dna_machine *const *machines, FILE *out);

#endif
