/* SPDX-License-Identifier: MIT */
/* tool_derive.h -- the commands derive and mutate of model-tool; both return its exit status. */
#ifndef DNA_MODEL_TOOL_DERIVE_H
#define DNA_MODEL_TOOL_DERIVE_H

/* dna_tool_derive: derive ROLE [--extra-states K] [--profile FILE] [--scope NAME] [--figures]
   dna_tool_mutate: mutate ROLE [--profile FILE] [-v]; argv begins behind the command.
   dna_tool_uniformity: uniformity; are the roles' alphabets rich enough? */
int dna_tool_derive(int argc, char **argv);
int dna_tool_mutate(int argc, char **argv);
int dna_tool_uniformity(void);

#endif
