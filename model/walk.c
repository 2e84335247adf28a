/* SPDX-License-Identifier: MIT */
/*
 * walk.c -- the set of configurations that explain what was seen of one machine instance.
 *
 * A step's outputs leave together and in order, so a configuration that still owes some can't take
 * another step; that keeps the set finite.  Inputs wait in a queue that all configurations share,
 * each with its own place in it: the other side may be slow, and may do something of its own first.
 */
#include "model/walk_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUATIONS = 1 << 20, FIRST_ROOM = 16 };

_Static_assert(DNA_NUM_KNOBS <= 64, "a mask of 64 bits holds the knobs");
_Static_assert(sizeof(struct dna_stream_vars) <= 32 * sizeof(uint32_t), "and one the stream's");

static size_t index_of(const struct dna_place *place)
{
    return place->offset / sizeof(uint32_t); /* all fields are uint32_t: machine.h */
}

static enum dna_walk_verdict give_up(struct dna_walk *w, const char *why)
{
    if (w->verdict == DNA_WALK_OK) {
        w->verdict = DNA_WALK_GAVE_UP;
        w->why = (struct dna_walk_diagnosis){ .step = w->step, .level = DNA_LEVEL_DECISION };
        snprintf(w->why.text, sizeof w->why.text, "%s: gave up at step %zu: %s", w->machine->name,
                 w->step, why);
    }
    return w->verdict;
}

static size_t slot_of(const struct dna_walk *w, const struct walk_config *c)
{
    enum { WORD = sizeof(uint64_t), WORDS = offsetof(struct walk_config, row) / WORD };
    uint64_t hash = 14695981039346656037u, words[WORDS + 1] = { 0 }; /* FNV-1a, by words */
    memcpy(words, c, offsetof(struct walk_config, row));
    for (size_t i = 0; i <= WORDS; i++) {
        hash = (hash ^ words[i]) * 1099511628211u;
        hash ^= hash >> 29;
    }
    size_t slots = 2 * w->room, slot = (size_t)(hash % slots);
    while (w->table[slot] &&
           memcmp(&w->configs[w->table[slot] - 1], c, offsetof(struct walk_config, row)) != 0) {
        slot = (slot + 1) % slots;
    }
    return slot;
}

static void rehash(struct dna_walk *w)
{
    memset(w->table, 0, 2 * w->room * sizeof *w->table);
    for (size_t i = 0; i < w->num; i++) {
        w->table[slot_of(w, &w->configs[i])] = (uint32_t)i + 1;
    }
}

static bool make_room(struct dna_walk *w)
{
    size_t room = w->room ? 2 * w->room : FIRST_ROOM;
    if (room > WALK_MAX_CONFIGS) {
        return false;
    }
    struct walk_config *configs = realloc(w->configs, room * sizeof *configs);
    if (!configs) {
        return false;
    }
    w->configs = configs;
    uint32_t *table = realloc(w->table, 2 * room * sizeof *table);
    if (!table) {
        return false;
    }
    w->table = table;
    w->room = room;
    rehash(w);
    return true;
}

static void add(struct dna_walk *w, const struct walk_config *c)
{
    if (w->num == w->room && !make_room(w)) {
        give_up(w, "too many explanations");
        return;
    }
    size_t slot = slot_of(w, c);
    if (!w->table[slot]) {
        memcpy(&w->configs[w->num++], c, sizeof *c);
        w->table[slot] = (uint32_t)w->num;
    }
}

/* Applies a row to a configuration whose open values are those of the world. */
static void fire(struct dna_walk *w, const struct walk_config *from, struct dna_world world,
                 size_t index, const struct dna_places *open, bool input)
{
    const struct dna_machine *m = w->machine;
    const struct dna_row *row = &m->rows[index];
    struct walk_config c;
    struct dna_env env = dna_world_env(&world);
    memcpy(&c, from, sizeof c);
    c.next = (uint8_t)(c.next + input);
    c.row = input ? (uint16_t)index : c.row;
    c.due_row = (uint16_t)index;
    for (const uint8_t *o = row->dos; *o; o++) {
        uint8_t mode = w->modes[*o];
        if (m->dos[*o].kind == DNA_UPDATE) {
            m->dos[*o].apply(&env);
        } else if (mode == DNA_WALK_DUE) {
            c.due[c.num_due++] = *o;
        } else if (mode != DNA_WALK_UNSEEN) {
            uint8_t *credit = &c.credit[w->credit_of[*o] - 1];
            *credit =
                mode == DNA_WALK_OFTEN || *credit >= WALK_MANY ? WALK_MANY : (uint8_t)(*credit + 1);
        }
    }
    dna_world_saturate(&world, m);
    memcpy(c.v, world.v, sizeof c.v);
    c.v[0] = row->then;
    for (size_t i = 0; i < dna_num_stream_fields; i++) {
        if (c.s_known >> i & 1) { /* what we were not told, others change, too: it stays open */
            memcpy((char *)&c.s + dna_stream_fields[i].offset,
                   (char *)&world.s + dna_stream_fields[i].offset, sizeof(uint32_t));
        }
    }
    for (size_t i = 0; i < open->num; i++) {
        if (open->at[i].letter == 'K') {
            memcpy((char *)&c.k + open->at[i].offset, dna_world_at(&world, &open->at[i]),
                   sizeof(uint32_t));
            c.k_known |= UINT64_C(1) << index_of(&open->at[i]);
        }
    }
    add(w, &c);
}

/* Keeps of the places those whose value the configuration and the input leave open. */
static void keep_open(struct dna_places *places, const struct walk_config *c, uint64_t facts_known)
{
    size_t num = 0;
    for (size_t i = 0; i < places->num; i++) {
        const struct dna_place *p = &places->at[i];
        bool known = p->letter == 'V' || (p->letter == 'S' && c->s_known >> index_of(p) & 1) ||
                     (p->letter == 'K' && c->k_known >> index_of(p) & 1) ||
                     (p->letter == 'E' && facts_known >> index_of(p) & 1);
        if (!known) {
            places->at[num++] = *p;
        }
    }
    places->num = num;
}

/* Adds what the event can lead to.  An event that the state never meets changes nothing: the parser
   or the connection has swallowed it. */
static void meet(struct dna_walk *w, const struct walk_config *c, uint32_t event,
                 const struct walk_input *input)
{
    const struct dna_machine *m = w->machine;
    size_t first = dna_row_next(m, c->v[0], event, 0);
    if (first == m->num_rows || m->rows[first].kind == DNA_DEAD) {
        struct walk_config same;
        memcpy(&same, c, sizeof same);
        same.next = (uint8_t)(same.next + (input != NULL));
        add(w, &same);
        return;
    }
    struct dna_places open = { .num = 0 };
    struct dna_world world = { .s = c->s, .k = c->k };
    memcpy(world.v, c->v, sizeof world.v);
    if (input) {
        memcpy(world.e, input->facts, sizeof world.e);
    }
    dna_places_of_cell(&open, m, c->v[0], event, true);
    keep_open(&open, c, input ? input->known : 0);
    if (open.overflow || dna_places_count(&open) > MAX_VALUATIONS) {
        give_up(w, "too many values are open");
        return;
    }
    struct dna_env env = dna_world_env(&world);
    dna_places_first(&open, &world);
    do {
        size_t i = first;
        while (i < m->num_rows && !dna_guard_holds(m, m->rows[i].when, &env)) {
            i = dna_row_next(m, c->v[0], event, i + 1);
        }
        for (size_t j = i; j < m->num_rows; j = dna_row_next(m, c->v[0], event, j + 1)) {
            if (j == i || dna_same_choice(&m->rows[i], &m->rows[j])) {
                fire(w, c, world, j, &open, input != NULL);
            }
        }
    } while (w->verdict == DNA_WALK_OK && dna_places_next(&open, &world));
}

static void read_input(struct dna_walk *w, const struct walk_config *c)
{
    const struct walk_input *input = &w->inputs[c->next];
    struct walk_config next;
    if (input->kind == INPUT_EVENT) {
        meet(w, c, input->event, input);
        return;
    }
    memcpy(&next, c, sizeof next);
    next.next++;
    if (input->kind == INPUT_STREAM) {
        bool known = input->value <= input->place.max;
        uint32_t value = known ? input->value : 0, bit = 1u << index_of(&input->place);
        memcpy((char *)&next.s + input->place.offset, &value, sizeof value);
        next.s_known = known ? next.s_known | bit : next.s_known & ~bit;
    } else {
        bool starttls = input->kind == INPUT_STARTTLS;
        dna_instance_forget(w->machine, next.v, starttls);
        dna_stream_vars_forget(&next.s, starttls);
        for (size_t i = 0; i < dna_num_stream_fields; i++) {
            if (!(next.s_known >> i & 1)) {
                memset((char *)&next.s + dna_stream_fields[i].offset, 0, sizeof(uint32_t));
            }
        }
    }
    add(w, &next);
}

/* Adds everything that may have happened meanwhile. */
static void close_set(struct dna_walk *w)
{
    for (size_t i = 0; i < w->num && w->verdict == DNA_WALK_OK; i++) {
        struct walk_config c;
        memcpy(&c, &w->configs[i], sizeof c); /* adding moves them */
        if (c.num_due > 0) {
            continue;
        }
        if (c.next < w->num_inputs) {
            read_input(w, &c);
        }
        for (uint32_t event = 0; event < w->machine->num_events; event++) {
            if (!w->watched[event]) {
                meet(w, &c, event, NULL);
            }
        }
    }
}

/* Takes the configurations away, so that the set can be built anew; the caller frees them. */
static struct walk_config *detach(struct dna_walk *w, size_t *out_num)
{
    struct walk_config *configs = w->configs;
    *out_num = w->num;
    w->configs = NULL;
    w->num = w->room = 0;
    return configs;
}

/* Drops the inputs that every configuration has read.  Only after a step that some of them took:
   the one that is slow has read nothing. */
static void forget_inputs(struct dna_walk *w)
{
    size_t read = w->num_inputs, num;
    for (size_t i = 0; i < w->num; i++) {
        read = read < w->configs[i].next ? read : w->configs[i].next;
    }
    w->num_inputs -= read;
    memmove(w->inputs, w->inputs + read, w->num_inputs * sizeof *w->inputs);
    struct walk_config *configs = detach(w, &num);
    for (size_t i = 0; i < num; i++) {
        configs[i].next = (uint8_t)(configs[i].next - read);
        add(w, &configs[i]);
    }
    free(configs);
}

struct dna_walk *dna_walk_new(const struct dna_machine *machine, const struct dna_knobs *knobs,
                              uint64_t known)
{
    static const char *const on_the_wire[] = { "STREAM_GONE", "STREAM_SECURED", "STREAM_RESTARTED",
                                               "SECURED",     "RESTARTED",      "TLS_UP" };
    struct dna_walk *w = calloc(1, sizeof *w);
    if (!w) {
        return NULL;
    }
    w->machine = machine;
    for (size_t i = 0; i < machine->num_events; i++) {
        w->watched[i] = machine->events[i].origin == DNA_PEER;
        for (size_t j = 0; j < sizeof on_the_wire / sizeof on_the_wire[0]; j++) {
            w->watched[i] |= strcmp(machine->events[i].name, on_the_wire[j]) == 0;
        }
    }
    for (size_t i = 1; i < machine->num_dos; i++) {
        w->modes[i] = machine->dos[i].kind == DNA_WIRE ? DNA_WALK_DUE : DNA_WALK_UNSEEN;
    }
    struct walk_config start;
    memset(&start, 0, sizeof start);
    dna_instance_init(machine, start.v);
    start.row = start.due_row = DNA_NO_ROW;
    start.k_known = knobs ? known : 0;
    for (size_t i = 0; knobs && i < DNA_NUM_KNOBS; i++) {
        if (known >> i & 1) {
            memcpy((uint32_t *)(void *)&start.k + i, (const uint32_t *)(const void *)knobs + i,
                   sizeof(uint32_t));
        }
    }
    add(w, &start);
    if (w->verdict != DNA_WALK_OK) {
        dna_walk_free(w);
        return NULL;
    }
    return w;
}

void dna_walk_free(struct dna_walk *walk)
{
    if (walk) {
        free(walk->configs);
        free(walk->table);
        free(walk);
    }
}

void dna_walk_watch(struct dna_walk *walk, uint32_t event, bool watched)
{
    walk->watched[event] = watched;
}

void dna_walk_see(struct dna_walk *walk, uint32_t out, enum dna_walk_mode mode)
{
    bool credited = mode == DNA_WALK_MAY || mode == DNA_WALK_OFTEN;
    if (credited && !walk->credit_of[out]) {
        if (walk->num_credits == WALK_MAX_CREDITS) {
            give_up(walk, "too many outputs are seen elsewhere");
            return;
        }
        walk->credit_of[out] = (uint8_t)++walk->num_credits;
    }
    walk->modes[out] = (uint8_t)mode;
}

static struct walk_input *new_input(struct dna_walk *w)
{
    if (w->num_inputs == WALK_MAX_INPUTS) {
        give_up(w, "too many events without an answer or a settle");
    }
    if (w->verdict != DNA_WALK_OK) {
        return NULL;
    }
    struct walk_input *input = &w->inputs[w->num_inputs++];
    memset(input, 0, sizeof *input);
    return input;
}

enum dna_walk_verdict dna_walk_event(struct dna_walk *walk, uint32_t event, const void *facts,
                                     uint64_t known)
{
    walk->step++;
    struct walk_input *input = new_input(walk);
    if (input) {
        input->kind = INPUT_EVENT;
        input->event = event;
        input->known = facts ? known : 0;
        if (facts) {
            memcpy(input->facts, facts, walk->machine->facts_size);
        }
    }
    return walk->verdict;
}

enum dna_walk_verdict dna_walk_stream(struct dna_walk *walk, const char *name, uint32_t value)
{
    for (size_t i = 0; i < dna_num_stream_fields; i++) {
        const struct dna_field *f = &dna_stream_fields[i];
        if (strcmp(f->name, name) == 0) {
            struct walk_input *input = new_input(walk);
            if (input) {
                input->kind = INPUT_STREAM;
                input->place = (struct dna_place){ 'S', f->name, f->offset, f->initial, f->max };
                input->value = value;
            }
            return walk->verdict;
        }
    }
    return DNA_WALK_UNKNOWN_NAME;
}

enum dna_walk_verdict dna_walk_restart(struct dna_walk *walk, bool starttls)
{
    struct walk_input *input = new_input(walk);
    if (input) {
        input->kind = starttls ? INPUT_STARTTLS : INPUT_RESTART;
    }
    return walk->verdict;
}

/* Takes the output off what the configuration owes; returns whether it owed it. */
static bool take(const struct dna_walk *w, struct walk_config *c, uint8_t out)
{
    if (w->modes[out] == DNA_WALK_DUE) {
        if (c->num_due == 0 || c->due[0] != out) {
            return false;
        }
        c->num_due--;
        memmove(c->due, c->due + 1, c->num_due);
        c->due[c->num_due] = 0;
        return true;
    }
    uint8_t *credit = &c->credit[w->credit_of[out] - 1];
    if (*credit == 0) {
        return false;
    }
    *credit = (uint8_t)(*credit - (*credit < WALK_MANY));
    return true;
}

/* Ends a step that has turned the configurations `before` into those of the set; frees them. */
static enum dna_walk_verdict conclude(struct dna_walk *w, struct walk_config *before, size_t num,
                                      const uint8_t *outs, size_t num_outs)
{
    if (w->num == 0 && w->verdict == DNA_WALK_OK) {
        w->verdict = DNA_WALK_FAIL;
        walk_explain(w, before, num, outs, num_outs);
    } else {
        forget_inputs(w);
    }
    free(before);
    return w->verdict;
}

enum dna_walk_verdict dna_walk_output_any(struct dna_walk *walk, const uint8_t *outs, size_t num)
{
    walk->step++;
    for (size_t i = 0; i < num; i++) {
        if (walk->modes[outs[i]] == DNA_WALK_UNSEEN) {
            return walk->verdict;
        }
    }
    close_set(walk);
    if (walk->verdict != DNA_WALK_OK) {
        return walk->verdict;
    }
    size_t count;
    struct walk_config *before = detach(walk, &count), c;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < num; j++) {
            memcpy(&c, &before[i], sizeof c);
            if (take(walk, &c, outs[j])) {
                add(walk, &c);
            }
        }
    }
    return conclude(walk, before, count, outs, num);
}

enum dna_walk_verdict dna_walk_output(struct dna_walk *walk, uint32_t out)
{
    uint8_t outs[1] = { (uint8_t)out };
    return dna_walk_output_any(walk, outs, 1);
}

enum dna_walk_verdict dna_walk_settle(struct dna_walk *walk)
{
    walk->step++;
    close_set(walk);
    if (walk->verdict != DNA_WALK_OK) {
        return walk->verdict;
    }
    size_t count;
    struct walk_config *before = detach(walk, &count);
    for (size_t i = 0; i < count; i++) {
        if (before[i].num_due == 0 && before[i].next == walk->num_inputs) {
            add(walk, &before[i]);
        }
    }
    return conclude(walk, before, count, NULL, 0);
}

const struct dna_walk_diagnosis *dna_walk_why(const struct dna_walk *walk)
{
    return &walk->why;
}

bool dna_walk_in(struct dna_walk *walk, const char *state)
{
    close_set(walk);
    for (size_t i = 0; i < walk->num; i++) {
        if (strcmp(walk->machine->states[walk->configs[i].v[0]].name, state) == 0) {
            return true;
        }
    }
    return false;
}

size_t dna_walk_size(const struct dna_walk *walk)
{
    return walk->num;
}
