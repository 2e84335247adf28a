/* SPDX-License-Identifier: MIT */
/*
 * verify_spin.h -- the same worlds, offered to Spin: a second search engine, with its own store of
 * states.
 *
 * `model-tool promela CONFIG` prints a model whose one step is: choose what happens next, let it
 * happen.  What may happen and what it does is the composition of verify_*.c with the tables in it;
 * Spin keeps dna_spin_world among its state and must find as many states as we do, the same
 * violations, and no cycle without progress.
 */
#ifndef DNA_MODEL_VERIFY_SPIN_H
#define DNA_MODEL_VERIFY_SPIN_H

#include <stdbool.h>

/* The world as Spin sees it: bytes that say everything (struct vf_world). */
enum { DNA_SPIN_SIZE = 1472 };
extern unsigned char dna_spin_world[DNA_SPIN_SIZE];

/* dna_spin_begin chooses the configuration and puts its first world in place; aborts if there is
 * none of that name. */
void dna_spin_begin(const char *config);

/* dna_spin_num says how many things may happen next; dna_spin_happen lets the nth happen, from 0,
   and returns whether this violates a property that the configuration is not known to lose. */
int dna_spin_num(void);
unsigned dna_spin_happen(int n);

#endif
