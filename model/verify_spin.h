/* SPDX-License-Identifier: MIT */
/*
 * verify_spin.h -- the same worlds, offered to Spin: a second search engine with its own store of
 * states, and a second reading of the tables.
 *
 * world.pml is the model that Spin reads; `model-tool promela DIR` prints the tables for it.  The
 * wiring of verify_*.c runs here, in C, until a machine takes a step: then it stands still, a
 * coroutine, with the step described in dna_spin_ask.  The Promela made of the table decides the
 * row, the next state, updates and outputs, and the wiring goes on.  No table is run here.
 */
#ifndef DNA_MODEL_VERIFY_SPIN_H
#define DNA_MODEL_VERIFY_SPIN_H

#include "model/machine.h"

/* The world as Spin sees it: bytes that say everything (struct vf_world), of those ends of streams
   that the configuration has; the rest is 0. */
enum { DNA_SPIN_SIZE = 640 };
extern unsigned char dna_spin_world[DNA_SPIN_SIZE];

/* A step that is asked for; fields are uint32_t and counted from 0 as in the machine's structs. */
struct dna_spin_ask {
    uint32_t on;
    uint32_t *v; /* v[0] is the state; the answer writes here, and to s */
    const uint32_t *e;
    struct dna_stream_vars *s;
    const struct dna_knobs *k;
    uint32_t row; /* the answer: DNA_NO_ROW, DNA_SPIN_DEAD in a dead cell */
    unsigned num_outs;
    unsigned char outs[DNA_MAX_OUTS];
};
enum { DNA_SPIN_DEAD = DNA_NO_ROW - 1 };
extern struct dna_spin_ask dna_spin_ask;

/* Whose move it is.  Weak fairness is owed to the network and to the timers that something waits
   for; never to the others: users, the attacker, and timers that end what is well. */
enum dna_spin_who {
    DNA_SPIN_ANYBODY,
    DNA_SPIN_OTHERS,
    DNA_SPIN_NETWORK,
    DNA_SPIN_TIMERS_A,
    DNA_SPIN_TIMERS_B
};

/* dna_spin_begin chooses the configuration, puts its first world in place and fills dna_spin_ask.k;
   bug is a planted bug of the wiring, or NULL.  Aborts if there is none of that name. */
void dna_spin_begin(const char *config, const char *bug);

/* dna_spin_num says how many things `who` may do next.  dna_spin_start lets the nth happen, from 0,
   until a machine is to take a step: it returns its place in dna_machines, counted from 1, and
   dna_spin_go_on takes the answer, and so on.  When 0 is returned the world is the next one. */
int dna_spin_num(enum dna_spin_who who);
unsigned dna_spin_start(enum dna_spin_who who, int n);
unsigned dna_spin_go_on(void);

/* dna_spin_broken says whether the last move violated a property that the configuration is not
   known to lose. */
unsigned dna_spin_broken(void);

/* What is claimed of the long run: every flow has come to its end; and every pair that users have
   stanzas for, a bit each, is established: a stream carries it.  dna_spin_wanted returns the bit of
   the last move, 0 when no user acted. */
bool dna_spin_quiet(void);
bool dna_spin_established(unsigned wanted);
unsigned dna_spin_wanted(void);

/* dna_spin_cells begins to ask for every step that the tables can take, and goes on like
   dna_spin_start.  In the end dna_spin_differ returns how many the interpreter takes otherwise, and
   prints what was compared. */
unsigned dna_spin_cells(void);
unsigned dna_spin_differ(void);

#endif
