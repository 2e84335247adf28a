/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What can be planted in the test build of the reference: see bugs.h.
 */
#include "conformance/bugs.h"

#include <string.h>

/* The world that a bug needs in the checker is a constant of its own (VF_BUGGY_*), or 0. */
#define PLANTED(id, config, property, rows, world, seen, text, cases)                              \
    { #id, text, rows, #world[0] != '0', cases },
#define PROOF_PLANTED(id, config, property, rows, seen, text, cases)                               \
    { #id, text, rows, false, cases },
const struct dna_bug dna_bugs[] = {
#include "model/planted.def"
#include "model/verify_prooftypes.def"
};
const size_t dna_num_bugs = sizeof(dna_bugs) / sizeof(*dna_bugs);

static const char *const faults[] = {
#define FAULT(name, text) #name,
#include "model/faults.def"
};

const struct dna_bug *dna_bug_find(const char *id)
{
    for (size_t i = 0; i < dna_num_bugs; i++)
        if (strcmp(dna_bugs[i].id, id) == 0)
            return &dna_bugs[i];
    return NULL;
}

bool dna_fault_known(const char *name)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        if (strcmp(faults[i], name) == 0)
            return true;
    return false;
}

const char *dna_bug_fault(const struct dna_bug *bug)
{
    return dna_fault_known(bug->id) ? bug->id : NULL;
}

void dna_fault_list(FILE *out)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        fprintf(out, "%s%s", i ? " " : "", faults[i]);
}

void dna_bug_list(FILE *out)
{
    for (size_t i = 0; i < dna_num_bugs; i++)
        fprintf(out, "%s%s", i ? " " : "", dna_bugs[i].id);
}
