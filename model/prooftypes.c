/* SPDX-License-Identifier: MIT */
/* prooftypes.c -- the PROOFTYPE lines of the tables model/prooftype_*.def as one array. */
#include "model/prooftypes.h"

const struct dna_prooftype_text dna_prooftypes[] = {
#define DNA_EACH_MACHINE "model/prooftype_inst.h"
#include "prooftype_each.h"
    { 0 } /* ends the list, and is there when no prooftype is */
};
