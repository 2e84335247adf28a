/* SPDX-License-Identifier: MIT */
/* overlay.c -- damage to the tables, chosen at run time, and a step that obeys it. */
#include "model/overlay.h"

#include "model/atoms.h"
#include "model/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct dna_mutant *mutant_of(const struct dna_overlay *o, const struct dna_machine *m,
                                          size_t row, enum dna_mutation what)
{
    for (size_t i = 0; i < o->num; i++) {
        const struct dna_mutant *mutant = &o->mutants[i];
        if (mutant->machine == m && mutant->row == row && mutant->what == what) {
            return mutant;
        }
    }
    return NULL;
}

static bool holds(const struct dna_overlay *o, const struct dna_machine *m, size_t index,
                  const struct dna_env *env)
{
    const struct dna_mutant *atom;
    struct dna_atoms atoms;
    if (o->num > 0) {
        if (mutant_of(o, m, index, DNA_DROP) || mutant_of(o, m, index, DNA_FORCE_FALSE)) {
            return false;
        }
        if (mutant_of(o, m, index, DNA_FORCE_TRUE)) {
            return true;
        }
        if (mutant_of(o, m, index, DNA_NEGATE)) {
            return !dna_guard_holds(m, m->rows[index].when, env);
        }
        atom = mutant_of(o, m, index, DNA_ATOM);
        if (atom && dna_atoms_parse(&atoms, m, m->rows[index].when) == 0) {
            return dna_atoms_hold(&atoms, atom->from, env);
        }
    }
    return dna_guard_holds(m, m->rows[index].when, env);
}

/* The alternative that is taken when this row would fire. */
static size_t chosen(const struct dna_overlay *o, const struct dna_machine *m, size_t index)
{
    for (size_t i = 0; m->rows[index].kind == DNA_CHOICE && i < o->num; i++) {
        const struct dna_mutant *mutant = &o->mutants[i];
        if (mutant->machine == m && mutant->what == DNA_CHOOSE &&
            dna_same_choice(&m->rows[index], &m->rows[mutant->row])) {
            return mutant->row;
        }
    }
    return index;
}

static uint8_t replaced(const struct dna_overlay *o, const struct dna_machine *m, size_t row,
                        uint8_t action)
{
    for (size_t i = 0; i < o->num; i++) {
        const struct dna_mutant *mutant = &o->mutants[i];
        if (mutant->machine != m || mutant->row != row) {
            continue;
        }
        if (mutant->what == DNA_OMIT && (mutant->from == 0 || mutant->from == action)) {
            return 0;
        }
        if (mutant->what == DNA_SWAP && mutant->from == action) {
            return mutant->to;
        }
    }
    return action;
}

static void fire(const struct dna_overlay *o, const struct dna_machine *m, size_t index,
                 const struct dna_env *env, struct dna_effects *fx)
{
    const struct dna_row *row = &m->rows[index];
    const struct dna_mutant *redirect = mutant_of(o, m, index, DNA_REDIRECT);
    uint32_t to = redirect ? redirect->to : row->then;
    for (const uint8_t *d = row->dos; *d; d++) {
        uint8_t action = replaced(o, m, index, *d);
        if (m->dos[action].kind == DNA_UPDATE) {
            m->dos[action].apply(env);
        } else if (action != 0) {
            dna_effects_out(fx, action);
        }
    }
    memcpy(env->v, &to, sizeof to); /* the state is the first field of every machine's struct */
    dna_effects_end(fx, (uint32_t)index, to);
}

/* A row that the overlay puts into this cell, num_rows if none: it is tried before the others. */
static size_t put_here(const struct dna_overlay *o, const struct dna_machine *m, uint32_t state,
                       uint32_t on, const struct dna_env *env)
{
    for (size_t i = 0; i < o->num; i++) {
        const struct dna_mutant *mutant = &o->mutants[i];
        if ((mutant->what == DNA_MOVE || mutant->what == DNA_COPY) && mutant->machine == m &&
            mutant->to == state && m->rows[mutant->row].on == on &&
            holds(o, m, mutant->row, env)) {
            return mutant->row;
        }
    }
    return m->num_rows;
}

void dna_overlay_step(const struct dna_overlay *overlay, const struct dna_machine *machine,
                      uint32_t on, const struct dna_env *env, struct dna_effects *fx)
{
    uint32_t state;
    memcpy(&state, env->v, sizeof state);
    dna_effects_begin(fx, machine, state, on);
    if (machine->states[state].mark == DNA_FINAL) {
        return;
    }
    size_t put = put_here(overlay, machine, state, on, env);
    if (put < machine->num_rows) {
        fire(overlay, machine, put, env, fx);
        return;
    }
    for (size_t i = dna_row_next(machine, state, on, 0); i < machine->num_rows;
         i = dna_row_next(machine, state, on, i + 1)) {
        if (machine->rows[i].kind == DNA_DEAD && !mutant_of(overlay, machine, i, DNA_REDIRECT)) {
            return;
        }
        if (holds(overlay, machine, i, env) && !mutant_of(overlay, machine, i, DNA_MOVE)) {
            fire(overlay, machine, chosen(overlay, machine, i), env, fx);
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

static int parse_state(struct dna_mutant *out, const char *name, const char *text, char *err,
                       size_t size)
{
    const struct dna_machine *m = out->machine;
    const struct dna_row *row = &m->rows[out->row];
    for (size_t i = 0; i < m->num_states; i++) {
        if (strcmp(m->states[i].name, name) == 0) {
            out->to = (uint8_t)i;
            if (out->what == DNA_REDIRECT && row->then == i) {
                return complain(err, size, "the row already leads to", name, text);
            }
            if (out->what != DNA_REDIRECT && row->in == i) {
                return complain(err, size, "the row already stands in", name, text);
            }
            if (out->what != DNA_REDIRECT && m->states[i].mark == DNA_FINAL) {
                return complain(err, size, "a final state takes no event:", name, text);
            }
            return 0;
        }
    }
    return complain(err, size, "no such state", name, text);
}

static int parse_atom(struct dna_mutant *out, const char *number, const char *text, char *err,
                      size_t size)
{
    const struct dna_row *row = &out->machine->rows[out->row];
    struct dna_atoms atoms;
    char *end;
    unsigned long n = strtoul(number, &end, 10);
    if (row->when == 0 || dna_atoms_parse(&atoms, out->machine, row->when)) {
        return complain(err, size, "no guard to take apart in", row->id, text);
    }
    if (end == number || *end || n < 1 || n > atoms.num_atoms) {
        return complain(err, size, "the guard has no atom", number, text);
    }
    out->what = DNA_ATOM;
    out->from = (uint8_t)(n - 1);
    return 0;
}

static int parse_do(struct dna_mutant *out, const char *names, const char *text, char *err,
                    size_t size)
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
        out->what = DNA_OMIT;
        return 0;
    }
    out->what = DNA_SWAP;
    out->to = find_do(out->machine, slash + 1, strlen(slash + 1));
    return out->to ? 0 : complain(err, size, "no such output or update", slash + 1, text);
}

static int parse_choice(struct dna_mutant *out, const char *text, char *err, size_t size)
{
    const struct dna_machine *m = out->machine;
    const struct dna_row *row = &m->rows[out->row];
    if (row->kind != DNA_CHOICE) {
        return complain(err, size, "not an alternative of a CHOICE:", row->id, text);
    }
    out->what = DNA_CHOOSE;
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

static int parse_plain(struct dna_mutant *out, const char *op, const char *text, char *err,
                       size_t size)
{
    static const struct {
        const char *name;
        enum dna_mutation what;
    } plain[] = { { "drop", DNA_DROP },
                  { "true", DNA_FORCE_TRUE },
                  { "false", DNA_FORCE_FALSE },
                  { "not", DNA_NEGATE },
                  { "nodo", DNA_OMIT } };
    const struct dna_row *row = &out->machine->rows[out->row];
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(op, plain[i].name) == 0) {
            out->what = plain[i].what;
            if (out->what == DNA_FORCE_TRUE && row->when == 0) {
                return complain(err, size, "`otherwise` always holds, no use in", op, text);
            }
            if (out->what == DNA_OMIT && row->dos[0] == 0) {
                return complain(err, size, "the row does nothing, no use in", op, text);
            }
            return 0;
        }
    }
    return complain(err, size, "no such operation", op, text);
}

static int parse_op(struct dna_mutant *out, const char *op, const char *text, char *err,
                    size_t size)
{
    static const struct {
        const char *prefix;
        enum dna_mutation what;
    } states[] = { { "to=", DNA_REDIRECT }, { "from=", DNA_MOVE }, { "also=", DNA_COPY } };
    const struct dna_row *row = &out->machine->rows[out->row];
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        size_t len = strlen(states[i].prefix);
        if (strncmp(op, states[i].prefix, len) == 0 &&
            (states[i].what == DNA_REDIRECT || row->kind != DNA_DEAD)) {
            out->what = states[i].what;
            return parse_state(out, op + len, text, err, size);
        }
    }
    if (row->kind == DNA_DEAD) {
        return complain(err, size, "a DEAD row can only be led elsewhere (to=STATE), not", op,
                        text);
    }
    if (strncmp(op, "atom=", 5) == 0) {
        return parse_atom(out, op + 5, text, err, size);
    }
    if (strncmp(op, "nodo=", 5) == 0 && !strchr(op, '/')) {
        return parse_do(out, op + 5, text, err, size);
    }
    if (strncmp(op, "do=", 3) == 0 && strchr(op, '/')) {
        return parse_do(out, op + 3, text, err, size);
    }
    return strcmp(op, "choice") == 0 ? parse_choice(out, text, err, size)
                                     : parse_plain(out, op, text, err, size);
}

int dna_overlay_add(struct dna_overlay *overlay, const char *mutant, char *err, size_t size)
{
    const char *colon = strchr(mutant, ':');
    char id[128];
    if (!colon || (size_t)(colon - mutant) >= sizeof id) {
        return complain(err, size, "a mutant is ROW:OP, not", mutant, mutant);
    }
    memcpy(id, mutant, (size_t)(colon - mutant));
    id[colon - mutant] = '\0';
    if (overlay->num == DNA_MAX_MUTANTS) {
        return complain(err, size, "too many mutants, no room for", id, mutant);
    }
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        struct dna_mutant parsed = { .machine = *m, .row = dna_row_index(*m, id) };
        if (parsed.row < (*m)->num_rows) {
            if (parse_op(&parsed, colon + 1, mutant, err, size)) {
                return -1;
            }
            overlay->mutants[overlay->num++] = parsed;
            return 0;
        }
    }
    return complain(err, size, "no such row", id, mutant);
}

void dna_mutant_print(const struct dna_mutant *mutant, char *out, size_t size)
{
    const struct dna_machine *m = mutant->machine;
    const char *id = m->rows[mutant->row].id;
    switch (mutant->what) {
    case DNA_DROP:
        snprintf(out, size, "%s:drop", id);
        break;
    case DNA_FORCE_TRUE:
        snprintf(out, size, "%s:true", id);
        break;
    case DNA_FORCE_FALSE:
        snprintf(out, size, "%s:false", id);
        break;
    case DNA_NEGATE:
        snprintf(out, size, "%s:not", id);
        break;
    case DNA_ATOM:
        snprintf(out, size, "%s:atom=%d", id, mutant->from + 1);
        break;
    case DNA_OMIT:
        snprintf(out, size, mutant->from ? "%s:nodo=%s" : "%s:nodo", id, m->dos[mutant->from].name);
        break;
    case DNA_SWAP:
        snprintf(out, size, "%s:do=%s/%s", id, m->dos[mutant->from].name, m->dos[mutant->to].name);
        break;
    case DNA_REDIRECT:
        snprintf(out, size, "%s:to=%s", id, m->states[mutant->to].name);
        break;
    case DNA_MOVE:
        snprintf(out, size, "%s:from=%s", id, m->states[mutant->to].name);
        break;
    case DNA_COPY:
        snprintf(out, size, "%s:also=%s", id, m->states[mutant->to].name);
        break;
    case DNA_CHOOSE:
        snprintf(out, size, "%s:choice", id);
        break;
    }
}
