/* SPDX-License-Identifier: MIT */
/* fault: see fault.h. */
#include "impl/fault.h"

#include <string.h>

static unsigned planted;

bool dna_fault(enum dna_fault which)
{
    return planted & 1u << which;
}

bool dna_fault_plant(const char *name)
{
    static const char *const names[] = {
#define FAULT(name, text) #name,
#include "model/faults.def"
    };

    _Static_assert(sizeof names / sizeof names[0] <= 32, "a bit each");
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            planted |= 1u << i;
            return true;
        }
    }
    return false;
}
