/* SPDX-License-Identifier: MIT */
/*
 * interp.c -- the tables run as they are, without generated code, and damaged on request.
 *
 * Defines the same step functions as impl/gen/, so a program links either.  The test that wants
 * both includes this file as text with DNA_INTERP_NO_STEPS defined.
 */
#include "model/interp.h"

#include "model/cell.h"
#include "model/machines.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { MAX_MUTANTS = 8, ANY_DO = 0 };

enum mutation { DROP, FORCE_TRUE, FORCE_FALSE, NEGATE, OMIT, SWAP, REDIRECT, CHOOSE };

struct mutant {
    const struct dna_machine *machine;
    size_t row;
    enum mutation what;
    uint8_t from; /* OMIT, SWAP: which `do`; ANY_DO means all */
    uint8_t to;   /* SWAP: what instead; REDIRECT: the state */
};

static struct mutant mutants[MAX_MUTANTS];
static size_t num_mutants;

static const struct mutant *mutant_of(const struct dna_machine *m, size_t row, enum mutation what)
{
    for (size_t i = 0; i < num_mutants; i++) {
        if (mutants[i].machine == m && mutants[i].row == row && mutants[i].what == what) {
            return &mutants[i];
        }
    }
    return NULL;
}

static bool holds(const struct dna_machine *m, size_t index, const struct dna_env *env)
{
    if (num_mutants > 0) {
        if (mutant_of(m, index, DROP) || mutant_of(m, index, FORCE_FALSE)) {
            return false;
        }
        if (mutant_of(m, index, FORCE_TRUE)) {
            return true;
        }
        if (mutant_of(m, index, NEGATE)) {
            return !dna_guard_holds(m, m->rows[index].when, env);
        }
    }
    return dna_guard_holds(m, m->rows[index].when, env);
}

/* The alternative that is taken when this row would fire. */
static size_t chosen(const struct dna_machine *m, size_t index)
{
    for (size_t i = 0; m->rows[index].kind == DNA_CHOICE && i < num_mutants; i++) {
        const struct mutant *mutant = &mutants[i];
        if (mutant->machine == m && mutant->what == CHOOSE &&
            dna_same_choice(&m->rows[index], &m->rows[mutant->row])) {
            return mutant->row;
        }
    }
    return index;
}

static uint8_t replaced(const struct dna_machine *m, size_t row, uint8_t action)
{
    for (size_t i = 0; i < num_mutants; i++) {
        const struct mutant *mutant = &mutants[i];
        if (mutant->machine != m || mutant->row != row) {
            continue;
        }
        if (mutant->what == OMIT && (mutant->from == ANY_DO || mutant->from == action)) {
            return 0;
        }
        if (mutant->what == SWAP && mutant->from == action) {
            return mutant->to;
        }
    }
    return action;
}

static void fire(const struct dna_machine *m, size_t index, const struct dna_env *env,
                 struct dna_effects *fx)
{
    const struct dna_row *row = &m->rows[index];
    const struct mutant *redirect = mutant_of(m, index, REDIRECT);
    uint32_t to = redirect ? redirect->to : row->then;
    for (const uint8_t *o = row->dos; *o; o++) {
        uint8_t action = replaced(m, index, *o);
        if (m->dos[action].kind == DNA_UPDATE) {
            m->dos[action].apply(env);
        } else if (action != 0) {
            dna_effects_out(fx, action);
        }
    }
    memcpy(env->v, &to, sizeof to); /* the state is the first field of every machine's struct */
    dna_effects_end(fx, (uint32_t)index, to);
}

void dna_interp_step(const struct dna_machine *machine, void *vars, uint32_t on, const void *facts,
                     struct dna_stream_vars *s, const struct dna_knobs *k, struct dna_effects *fx)
{
    struct dna_env env = { vars, s, facts, k };
    uint32_t state;
    memcpy(&state, vars, sizeof state);
    dna_effects_begin(fx, machine, state, on);
    for (size_t i = dna_row_next(machine, state, on, 0); i < machine->num_rows;
         i = dna_row_next(machine, state, on, i + 1)) {
        if (machine->rows[i].kind == DNA_DEAD && !mutant_of(machine, i, REDIRECT)) {
            assert(num_mutants > 0 && "our own code raised an event that this state never meets");
            return;
        }
        if (holds(machine, i, &env)) {
            fire(machine, chosen(machine, i), &env, fx);
            return;
        }
    }
}

static int complain(char *err, size_t size, const char *what, const char *name, const char *mutant)
{
    snprintf(err, size, "%s: %s '%s'", mutant, what, name);
    return -1;
}

/* Returns the index of a name in `dos`, or 0 if there is none: `nothing` is no answer here. */
static uint8_t find_do(const struct dna_machine *m, const char *name, size_t len)
{
    for (size_t i = 1; i < m->num_dos; i++) {
        if (strlen(m->dos[i].name) == len && memcmp(m->dos[i].name, name, len) == 0) {
            return (uint8_t)i;
        }
    }
    return 0;
}

static bool row_does(const struct dna_row *row, uint8_t action)
{
    for (const uint8_t *o = row->dos; *o; o++) {
        if (*o == action) {
            return true;
        }
    }
    return false;
}

static int parse_to(struct mutant *out, const char *name, const char *text, char *err, size_t size)
{
    const struct dna_machine *m = out->machine;
    for (size_t i = 0; i < m->num_states; i++) {
        if (strcmp(m->states[i].name, name) == 0) {
            out->what = REDIRECT;
            out->to = (uint8_t)i;
            if (m->rows[out->row].then == i) {
                return complain(err, size, "the row already leads to", name, text);
            }
            return 0;
        }
    }
    return complain(err, size, "no such state", name, text);
}

static int parse_do(struct mutant *out, const char *names, const char *text, char *err, size_t size)
{
    const struct dna_row *row = &out->machine->rows[out->row];
    const char *slash = strchr(names, '/');
    size_t len = slash ? (size_t)(slash - names) : strlen(names);
    out->from = find_do(out->machine, names, len);
    if (!out->from) {
        return complain(err, size, "no such output or update", names, text);
    }
    if (!row_does(row, out->from)) {
        return complain(err, size, "the row does not do", names, text);
    }
    if (!slash) {
        out->what = OMIT;
        return 0;
    }
    out->what = SWAP;
    out->to = find_do(out->machine, slash + 1, strlen(slash + 1));
    return out->to ? 0 : complain(err, size, "no such output or update", slash + 1, text);
}

static int parse_choice(struct mutant *out, const char *text, char *err, size_t size)
{
    const struct dna_machine *m = out->machine;
    const struct dna_row *row = &m->rows[out->row];
    if (row->kind != DNA_CHOICE) {
        return complain(err, size, "not an alternative of a CHOICE:", row->id, text);
    }
    out->what = CHOOSE;
    size_t first = 0;
    while (!dna_same_choice(&m->rows[first], row)) {
        first++;
    }
    if (first == out->row) { /* the reference takes it anyhow: the next one is meant */
        do {
            out->row++;
        } while (out->row < m->num_rows && !dna_same_choice(&m->rows[out->row], row));
        if (out->row == m->num_rows) {
            return complain(err, size, "the only alternative:", row->id, text);
        }
    }
    return 0;
}

static int parse_op(struct mutant *out, const char *op, const char *text, char *err, size_t size)
{
    static const struct {
        const char *name;
        enum mutation what;
    } plain[] = { { "drop", DROP },
                  { "true", FORCE_TRUE },
                  { "false", FORCE_FALSE },
                  { "not", NEGATE },
                  { "nodo", OMIT } };
    const struct dna_row *row = &out->machine->rows[out->row];
    if (strncmp(op, "to=", 3) == 0) {
        return parse_to(out, op + 3, text, err, size);
    }
    if (row->kind == DNA_DEAD) {
        return complain(err, size, "a DEAD row can only be led elsewhere (to=STATE), not", op,
                        text);
    }
    if (strncmp(op, "nodo=", 5) == 0 && !strchr(op, '/')) {
        return parse_do(out, op + 5, text, err, size);
    }
    if (strncmp(op, "do=", 3) == 0 && strchr(op, '/')) {
        return parse_do(out, op + 3, text, err, size);
    }
    if (strcmp(op, "choice") == 0) {
        return parse_choice(out, text, err, size);
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(op, plain[i].name) == 0) {
            out->what = plain[i].what;
            out->from = ANY_DO;
            if (out->what == FORCE_TRUE && row->when == 0) {
                return complain(err, size, "`otherwise` always holds, no use in", op, text);
            }
            if (out->what == OMIT && row->dos[0] == 0) {
                return complain(err, size, "the row does nothing, no use in", op, text);
            }
            return 0;
        }
    }
    return complain(err, size, "no such operation", op, text);
}

int dna_interp_mutate(const char *mutant, char *err, size_t size)
{
    const char *colon = strchr(mutant, ':');
    char id[128];
    if (!colon || (size_t)(colon - mutant) >= sizeof id) {
        return complain(err, size, "a mutant is ROW:OP, not", mutant, mutant);
    }
    memcpy(id, mutant, (size_t)(colon - mutant));
    id[colon - mutant] = '\0';
    if (num_mutants == MAX_MUTANTS) {
        return complain(err, size, "too many mutants, no room for", id, mutant);
    }
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        struct mutant parsed = { .machine = *m, .row = dna_row_index(*m, id) };
        if (parsed.row < (*m)->num_rows) {
            if (parse_op(&parsed, colon + 1, mutant, err, size)) {
                return -1;
            }
            mutants[num_mutants++] = parsed;
            return 0;
        }
    }
    return complain(err, size, "no such row", id, mutant);
}

void dna_interp_restore(void)
{
    num_mutants = 0;
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
