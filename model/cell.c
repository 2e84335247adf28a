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

/* The rows of each cell of a machine, in order: the first, and behind each row the next. */
enum { MAX_INDEXED = 64, MAX_STATES = 16, MAX_EVENTS = 32, MAX_ROWS = 256 };
struct row_index {
    const struct dna_machine *machine;
    uint16_t first[MAX_STATES][MAX_EVENTS], next[MAX_ROWS];
};

static size_t row_search(const struct dna_machine *machine, size_t state, size_t event, size_t from)
{
    while (from < machine->num_rows &&
           (machine->rows[from].in != state || machine->rows[from].on != event)) {
        from++;
    }
    return from;
}

static void fill_index(struct row_index *index, const struct dna_machine *machine)
{
    for (size_t state = 0; state < machine->num_states; state++) {
        for (size_t event = 0; event < machine->num_events; event++) {
            index->first[state][event] = (uint16_t)row_search(machine, state, event, 0);
        }
    }
    for (size_t i = 0; i < machine->num_rows; i++) {
        const struct dna_row *row = &machine->rows[i];
        index->next[i] = (uint16_t)row_search(machine, row->in, row->on, i + 1);
    }
    index->machine = machine;
}

/* Descriptions are static and immutable, so an index is made once; NULL when there is no room. */
static const struct row_index *index_of(const struct dna_machine *machine)
{
    static struct row_index indexes[MAX_INDEXED];
    size_t at = (uintptr_t)machine / sizeof *machine % MAX_INDEXED;
    for (size_t n = 0; n < MAX_INDEXED; n++, at = (at + 1) % MAX_INDEXED) {
        if (indexes[at].machine == machine) {
            return &indexes[at];
        }
        if (!indexes[at].machine) {
            fill_index(&indexes[at], machine);
            return &indexes[at];
        }
    }
    return NULL;
}

size_t dna_row_next(const struct dna_machine *machine, size_t state, size_t event, size_t from)
{
    bool fits = machine->num_states <= MAX_STATES && machine->num_events <= MAX_EVENTS &&
                machine->num_rows <= MAX_ROWS && state < machine->num_states &&
                event < machine->num_events;
    const struct row_index *index = fits ? index_of(machine) : NULL;
    const struct dna_row *before = from && index ? &machine->rows[from - 1] : NULL;
    if (index && from == 0) {
        return index->first[state][event];
    }
    if (before && before->in == state && before->on == event) {
        return index->next[from - 1];
    }
    return row_search(machine, state, event, from);
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
