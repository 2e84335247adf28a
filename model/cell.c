/* SPDX-License-Identifier: MIT */
/* cell.c -- cells of a table, and the values that their expressions can take. */
#include "model/cell.h"

#include <ctype.h>
#include <string.h>

static const struct dna_field knob_fields[] = {
#define KNOB(name, decision, value, max, sentence, values) \
    { #name, offsetof(struct dna_knobs, name), value, max, DNA_KEEP, DNA_KEEP, sentence },
#include "spec/decisions.def"
};

size_t dna_row_next(const struct dna_machine *machine, size_t state, size_t event, size_t from)
{
    while (from < machine->num_rows &&
           (machine->rows[from].in != state || machine->rows[from].on != event)) {
        from++;
    }
    return from;
}

size_t dna_row_index(const struct dna_machine *machine, const char *id)
{
    size_t i = 0;
    while (i < machine->num_rows && strcmp(machine->rows[i].id, id) != 0) {
        i++;
    }
    return i;
}

bool dna_same_choice(const struct dna_row *a, const struct dna_row *b)
{
    return a->kind == DNA_CHOICE && b->kind == DNA_CHOICE && a->in == b->in && a->on == b->on &&
           strcmp(a->choice, b->choice) == 0;
}

bool dna_guard_holds(const struct dna_machine *machine, size_t when, const struct dna_env *env)
{
    return when == 0 || machine->guards[when].holds(env);
}

static bool in_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

bool dna_names_field(const char *expr, size_t at, char letter)
{
    return expr[at] == letter && expr[at + 1] == '.' && (at == 0 || !in_name(expr[at - 1]));
}

static const struct dna_field *fields_of(const struct dna_machine *machine, char letter,
                                         size_t *out_num)
{
    switch (letter) {
    case 'V':
        *out_num = machine->num_vars;
        return machine->vars;
    case 'S':
        *out_num = dna_num_stream_fields;
        return dna_stream_fields;
    case 'E':
        *out_num = machine->num_facts;
        return machine->facts;
    default:
        *out_num = sizeof knob_fields / sizeof knob_fields[0];
        return knob_fields;
    }
}

static void add_field(struct dna_places *places, const struct dna_machine *machine, char letter,
                      const char *name, size_t len)
{
    for (size_t i = 0; i < places->num; i++) {
        const struct dna_place *p = &places->at[i];
        if (p->letter == letter && strlen(p->name) == len && memcmp(p->name, name, len) == 0) {
            return;
        }
    }
    size_t num;
    const struct dna_field *fields = fields_of(machine, letter, &num);
    for (size_t i = 0; i < num; i++) {
        const struct dna_field *f = &fields[i];
        if (strlen(f->name) == len && memcmp(f->name, name, len) == 0) {
            if (places->num == DNA_MAX_PLACES) {
                places->overflow = true;
            } else {
                places->at[places->num++] =
                    (struct dna_place){ letter, f->name, f->offset, f->initial, f->max };
            }
            return;
        }
    }
    places->unknown = true;
}

void dna_places_add(struct dna_places *places, const struct dna_machine *machine, const char *expr)
{
    for (size_t i = 0; expr && expr[i]; i++) {
        for (const char *letter = "VSEK"; *letter; letter++) {
            if (dna_names_field(expr, i, *letter)) {
                size_t len = 0;
                while (in_name(expr[i + 2 + len])) {
                    len++;
                }
                add_field(places, machine, *letter, expr + i + 2, len);
            }
        }
    }
}

void dna_places_of_cell(struct dna_places *places, const struct dna_machine *machine, size_t state,
                        size_t event, bool updates)
{
    for (size_t i = dna_row_next(machine, state, event, 0); i < machine->num_rows;
         i = dna_row_next(machine, state, event, i + 1)) {
        const struct dna_row *row = &machine->rows[i];
        dna_places_add(places, machine, machine->guards[row->when].expr);
        for (const uint8_t *o = row->dos; updates && *o; o++) {
            dna_places_add(places, machine, machine->dos[*o].expr);
        }
    }
}

uint64_t dna_places_count(const struct dna_places *places)
{
    uint64_t count = 1;
    for (size_t i = 0; i < places->num; i++) {
        uint64_t values = (uint64_t)places->at[i].max + 1;
        if (count > UINT64_MAX / values) {
            return UINT64_MAX;
        }
        count *= values;
    }
    return count;
}

void dna_places_first(const struct dna_places *places, struct dna_world *world)
{
    for (size_t i = 0; i < places->num; i++) {
        *dna_world_at(world, &places->at[i]) = 0;
    }
}

bool dna_places_next(const struct dna_places *places, struct dna_world *world)
{
    for (size_t i = 0; i < places->num; i++) {
        uint32_t *value = dna_world_at(world, &places->at[i]);
        if (*value < places->at[i].max) {
            ++*value;
            return true;
        }
        *value = 0;
    }
    return false;
}

void dna_world_init(struct dna_world *world, const struct dna_machine *machine)
{
    memset(world, 0, sizeof *world);
    dna_instance_init(machine, world->v);
    dna_stream_vars_init(&world->s);
    world->k = dna_knobs_default();
}

struct dna_env dna_world_env(struct dna_world *world)
{
    return (struct dna_env){ world->v, &world->s, world->e, &world->k };
}

uint32_t *dna_world_at(struct dna_world *world, const struct dna_place *place)
{
    char *base = place->letter == 'V'   ? (char *)world->v
                 : place->letter == 'E' ? (char *)world->e
                 : place->letter == 'S' ? (char *)&world->s
                                        : (char *)&world->k;
    return (uint32_t *)(void *)(base + place->offset);
}

static void saturate(const struct dna_field *fields, size_t num, void *base)
{
    for (size_t i = 0; i < num; i++) {
        uint32_t *value = (uint32_t *)(void *)((char *)base + fields[i].offset);
        if (*value > fields[i].max) {
            *value = fields[i].max;
        }
    }
}

void dna_world_saturate(struct dna_world *world, const struct dna_machine *machine)
{
    saturate(machine->vars, machine->num_vars, world->v);
    saturate(dna_stream_fields, dna_num_stream_fields, &world->s);
}
