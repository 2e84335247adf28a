/* SPDX-License-Identifier: MIT */
/*
 * interp.c -- the tables run as they are, without generated code, and damaged on request.
 *
 * Defines the same step functions as impl/gen/, so a program links either.  The test that wants
 * both includes this file as text with DNA_INTERP_NO_STEPS defined.
 */
#include "model/interp.h"

#include "model/machines.h"

#include <assert.h>

static struct dna_overlay overlay;

void dna_interp_step(const struct dna_machine *machine, void *vars, uint32_t on, const void *facts,
                     struct dna_stream_vars *s, const struct dna_knobs *k, struct dna_effects *fx)
{
    struct dna_env env = { vars, s, facts, k };
    dna_overlay_step(&overlay, machine, on, &env, fx);
    assert((fx->row != DNA_NO_ROW || machine->states[fx->from].mark == DNA_FINAL ||
            overlay.num > 0) &&
           "our own code raised an event that this state never meets");
}

int dna_interp_mutate(const char *mutant, char *err, size_t size)
{
    return dna_overlay_add(&overlay, mutant, err, size);
}

void dna_interp_restore(void)
{
    overlay.num = 0;
}

#ifndef DNA_INTERP_NO_STEPS
#define STEP(M) \
    void dna_##M##_step(struct M *m, enum M##_event on, const struct M##_facts *e, \
                        struct dna_stream_vars *s, const struct dna_knobs *k, \
                        struct dna_effects *fx) \
    { \
        dna_interp_step(&dna_machine_##M, m, on, e, s, k, fx); \
    }
DNA_MACHINES(STEP)
#endif
