/* SPDX-License-Identifier: MIT */
/*
 * interp.h -- the tables run as they are, without generated code, and damaged on request.
 *
 * The test build of the server links this instead of impl/gen/; its --mutate shows that the
 * conformance suite notices a wrong row.  Mutants are process-wide, or of some knobs only.
 */
#ifndef DNA_MODEL_INTERP_H
#define DNA_MODEL_INTERP_H

#include "model/machine.h"
#include "model/overlay.h"

#include <stdio.h>

enum { DNA_MAX_NUMBERED = 32767 };

/* dna_interp_step does what dna_M_step of the machine does; vars and facts are of M's types. */
void dna_interp_step(const struct dna_machine *machine, void *vars, uint32_t on, const void *facts,
                     struct dna_stream_vars *s, const struct dna_knobs *k, struct dna_effects *fx);

/* dna_interp_mutate adds a mutant "ROW:OP" (overlay.h has the grammar).  Returns 0, or -1 with a
   message in err. */
int dna_interp_mutate(const char *mutant, char *err, size_t size);

/* dna_interp_mutate_numbered adds a mutant that counts only where a machine is run with knobs whose
   mutant is this number, from 1 to DNA_MAX_NUMBERED; those of dna_interp_mutate do not count there.
 */
int dna_interp_mutate_numbered(uint32_t number, const char *mutant, char *err, size_t size);

/* dna_interp_tell_fired has a line "NUMBER ROW" written when a row fires for the first time with
   knobs of this number, or with `other` in place of 0; out is borrowed, NULL ends it. */
void dna_interp_tell_fired(FILE *out, uint32_t other);

/* dna_interp_tell_dead has a number whose damage makes outputs raise events without end ended there:
   its machines make no step any more, and a line "NUMBER" is written.  To be called near main, for
   the depth of the stack is measured from there; out is borrowed, NULL: they recurse to the end. */
void dna_interp_tell_dead(FILE *out);

/* dna_interp_die ends a number as if it had recursed without end. */
void dna_interp_die(uint32_t number);

/* dna_interp_number is the number of the knobs that a machine was last run with: whose damage it
   was, should the process now die. */
uint32_t dna_interp_number(void);

/* dna_interp_restore removes all mutants. */
void dna_interp_restore(void);

#endif
