/* SPDX-License-Identifier: MIT */
/* fault: faults that no row of a table decides (model/faults.def), to show that cases notice them. The
 * test build of the server plants them (--fault NAME); nothing else ever does. */
#ifndef DNA_IMPL_FAULT_H
#define DNA_IMPL_FAULT_H

#include <stdbool.h>

enum dna_fault {
#define FAULT(name, text) DNA_FAULT_##name,
#include "model/faults.def"
};

bool dna_fault(enum dna_fault which);
/* dna_fault_plant() plants a fault by its name; false if there is none of that name. */
bool dna_fault_plant(const char *name);
#endif
