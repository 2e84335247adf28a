/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What the files of `xdna mutate` share beyond mutate.h.  Nobody else includes
 * this.
 */
#ifndef CONFORMANCE_MUTATE_CMD_H
#define CONFORMANCE_MUTATE_CMD_H

#include "conformance/mutate.h"
#include "model/overlay.h"

struct dna_mutate_options {
    bool rows;        /* subjects are rows, else cases */
    bool search;      /* of bugs, although they name cases */
    const char *list; /* what is known already: a file, that need not be there (killers.h) */
    char **selectors; /* only these cases; none: all */
    size_t num_selectors;
    unsigned sample; /* of every so many mutants one is put to hand-written cases too */
    bool sessions_only; /* of mutants: no hand-written cases */
    const char *scope;  /* of mutants: only sessions of this scope, or NULL */
    bool hand_written;  /* of mutants: nothing else */
    const char *ops;    /* of mutants: only these OPs, "drop,true", or NULL */
    size_t tries;       /* hand-written cases for each mutant */
    const char *keep;   /* the folder for the sessions, which stay there, or NULL */
    bool verbose;
    const char *write; /* where it is written anew, or NULL */
};

/* mutate_hunt.c: returns an exit status: 0, 1 something is open, 2 a selector or a line of the
 * list, 99 the lab was not usable */
int dna_mutate_hunt(struct dna_mutate_lab *m, const struct dna_mutate_options *o);

/* mutate_derived.c: opens the lab itself, behind what the model says; selectors are roles */
int dna_mutate_all(struct dna_mutate_lab *lab, const struct dna_mutate_options *o);

/* mutate_by_hand.c: one mutant put to the hand-written cases */
struct dna_by_hand {
    const char *text; /* ROW:OP */
    struct dna_mutant mutant;
    size_t cases;                  /* that meet what it damages */
    const struct dna_case *first;  /* of them, the one in which least else happens, or NULL */
    const struct dna_case *killer; /* the first seen to notice it, or NULL */
};

/* dna_mutate_by_hand puts each of them to at most tries cases that may come to what it damages,
   those first in which little else happens, until one notices.  Returns an exit status. */
int dna_mutate_by_hand(struct dna_mutate_lab *lab, struct dna_by_hand *those, size_t num,
                       size_t tries);

/* dna_play_notices: what the mutant does is noticed, also where it shows on the way to what is
   judged, or kills the server; an ERROR says nothing. */
bool dna_play_notices(const struct dna_play *play);

/* mutate_bugs.c: selectors are bugs */
int dna_mutate_bugs(struct dna_mutate_lab *m, const struct dna_mutate_options *o);

#endif
