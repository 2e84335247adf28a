/* SPDX-License-Identifier: MIT */
/*
 * gen.h -- prints the step function of a machine as C, so that the reference runs a plain `switch`
 * that a debugger can step through, and not a table.  Nothing is allocated.
 */
#ifndef DNA_MODEL_GEN_H
#define DNA_MODEL_GEN_H

#include <stdio.h>

#include "model/machine.h"

/* dna_gen_step prints NAME.gen.c of this machine; source is the text of model/NAME.def, for line
   numbers, and sha256 its hash in hexadecimal.  Returns 0, or -1 when `out` has failed. */
int dna_gen_step(const struct dna_machine *machine, const char *source, const char *sha256,
                 FILE *out);

#endif
