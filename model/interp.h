/* SPDX-License-Identifier: MIT */
/*
 * interp.h -- the tables run as they are, without generated code, and damaged on request.
 *
 * The test build of the server links this instead of impl/gen/; its --mutate shows that the
 * conformance suite notices a wrong row.  Mutants are process-wide; nothing is allocated.
 */
#ifndef DNA_MODEL_INTERP_H
#define DNA_MODEL_INTERP_H

#include "model/machine.h"
#include "model/overlay.h"

/* dna_interp_step does what dna_M_step of the machine does; vars and facts are of M's types. */
void dna_interp_step(const struct dna_machine *machine, void *vars, uint32_t on, const void *facts,
                     struct dna_stream_vars *s, const struct dna_knobs *k, struct dna_effects *fx);

/* dna_interp_mutate adds a mutant "ROW:OP" (overlay.h has the grammar).  Returns 0, or -1 with a
   message in err. */
int dna_interp_mutate(const char *mutant, char *err, size_t size);

/* dna_interp_restore removes all mutants. */
void dna_interp_restore(void);

#endif
