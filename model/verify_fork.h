/* SPDX-License-Identifier: MIT */
/* verify_fork.h -- the checker's work on all processors: independent jobs, each in a process of its
 * own. */
#ifndef DNA_MODEL_VERIFY_FORK_H
#define DNA_MODEL_VERIFY_FORK_H

#include <stddef.h>
#include <stdio.h>

/* dna_vf_in_parallel calls job( i, out, arg ) for each i below num, as many at a time as there are
   processors.  What each prints comes out in the order of i.  A job returns an exit status of at
   most 3, and hands back more in memory of dna_vf_shared() alone.  Returns the worst; 3 also when a
   job died. */
int dna_vf_in_parallel(size_t num, int (*job)(size_t i, FILE *out, void *arg), FILE *out,
                       void *arg);

/* dna_vf_shared returns zeroed memory that jobs share, or NULL; dna_vf_unshare ends it. */
void *dna_vf_shared(size_t size);
void dna_vf_unshare(void *memory, size_t size);

#endif
