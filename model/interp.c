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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dna_overlay overlay;
/* Those that count for some knobs only: knobs->mutant is the index; 0 is not used. */
static struct dna_overlay *numbered;
static uint32_t num_numbered;

static const struct dna_overlay *overlay_for(const struct dna_knobs *k)
{
    return k->mutant && k->mutant < num_numbered ? &numbered[k->mutant] : &overlay;
}

/* Where rows are told of when they fire for the first time with a number, or NULL. */
static FILE *fired_file;
static uint32_t fired_other;
static uint32_t last_number;
static uint8_t *fired[DNA_MAX_NUMBERED + 1];

static void tell_fired(uint32_t number, const struct dna_machine *machine, size_t row)
{
    size_t at = 0, num = 0;

    for (const struct dna_machine *const *m = dna_machines; *m; num += (*m++)->num_rows)
        at = *m == machine ? num + row : at;
    if (!fired[number])
        fired[number] = calloc(num / 8 + 1, 1);
    if (!fired[number] || fired[number][at / 8] & 1u << at % 8)
        return;
    fired[number][at / 8] |= (uint8_t)(1u << at % 8);
    fprintf(fired_file, "%u %s\n", number, machine->rows[row].id);
}

/* Outputs raise events whose outputs raise events: damaged, without end.  That would be the death of
 * all that the process carries, so a number that gets too deep is dead from then on, and alone. */
enum { MAX_DEPTH = 1 << 20 }; /* bytes of the stack, which has eight times as many */
static uintptr_t shallow;     /* where the stack was when numbers were given */
static uint8_t dead_number[DNA_MAX_NUMBERED + 1];
static FILE *dead_file;

void dna_interp_die(uint32_t number)
{
    if (number <= DNA_MAX_NUMBERED && !dead_number[number]) {
        dead_number[number] = 1;
        if (dead_file) {
            fprintf(dead_file, "%u\n", number);
        }
    }
}

static bool too_deep(uint32_t number)
{
    const uintptr_t at = (uintptr_t)__builtin_frame_address(0);
    const uintptr_t depth = at < shallow ? shallow - at : at - shallow;

    if (number == 0 || number > DNA_MAX_NUMBERED || number >= num_numbered) {
        return false;
    }
    if (depth > MAX_DEPTH) {
        dna_interp_die(number);
    }
    return dead_number[number];
}

void dna_interp_tell_dead(FILE *out)
{
    shallow = (uintptr_t)__builtin_frame_address(0);
    dead_file = out;
}

uint32_t dna_interp_number(void)
{
    return last_number;
}

void dna_interp_tell_fired(FILE *out, uint32_t other)
{
    fired_file = out;
    fired_other = other;
}

void dna_interp_step(const struct dna_machine *machine, void *vars, uint32_t on, const void *facts,
                     struct dna_stream_vars *s, const struct dna_knobs *k, struct dna_effects *fx)
{
    struct dna_env env = { vars, s, facts, k };

    last_number = k->mutant;
    if (dead_file && too_deep(k->mutant)) {
        uint32_t state;

        memcpy(&state, vars, sizeof state);
        dna_effects_begin(fx, machine, state, on);
        return;
    }
    dna_overlay_step(overlay_for(k), machine, on, &env, fx);
    assert((fx->row != DNA_NO_ROW || machine->states[fx->from].mark == DNA_FINAL ||
            overlay.num > 0 || num_numbered > 0) &&
           "our own code raised an event that this state never meets");
    if (fired_file && fx->row != DNA_NO_ROW && k->mutant <= DNA_MAX_NUMBERED)
        tell_fired(k->mutant ? k->mutant : fired_other, machine, fx->row);
}

int dna_interp_mutate(const char *mutant, char *err, size_t size)
{
    return dna_overlay_add(&overlay, mutant, err, size);
}

int dna_interp_mutate_numbered(uint32_t number, const char *mutant, char *err, size_t size)
{
    if (number == 0 || number > DNA_MAX_NUMBERED) {
        snprintf(err, size, "mutants are numbered from 1 to %d", DNA_MAX_NUMBERED);
        return -1;
    }
    if (number >= num_numbered) {
        struct dna_overlay *more = realloc(numbered, (number + 1) * sizeof *more);

        if (!more)
            abort();
        memset(more + num_numbered, 0, (number + 1 - num_numbered) * sizeof *more);
        numbered = more;
        num_numbered = number + 1;
    }
    return dna_overlay_add(&numbered[number], mutant, err, size);
}

void dna_interp_restore(void)
{
    overlay.num = 0;
    free(numbered);
    numbered = NULL;
    num_numbered = 0;
    memset(dead_number, 0, sizeof dead_number);
}

#ifndef DNA_INTERP_NO_STEPS
#define STEP(M)                                                                    \
    void dna_##M##_step(struct M *m, enum M##_event on, const struct M##_facts *e, \
                        struct dna_stream_vars *s, const struct dna_knobs *k,      \
                        struct dna_effects *fx)                                    \
    {                                                                              \
        dna_interp_step(&dna_machine_##M, m, on, e, s, k, fx);                     \
    }
DNA_MACHINES(STEP)
#endif
