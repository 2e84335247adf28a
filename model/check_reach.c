/* SPDX-License-Identifier: MIT */
/*
 * check_reach.c -- which configurations a machine can reach, by trying everything.
 *
 * A configuration is (state, V).  K is fixed for a run, so each valuation of the knobs that the
 * machine mentions is explored by itself.  S and E take every value at every step, because other
 * machines change S and anything may arrive: what is unreachable here is so in any composition.
 */
#include "model/check.h"

#include "model/cell.h"
#include "model/source.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CONFIGURATIONS = 1 << 20 };

static const uint64_t max_steps_of_cell = 1u << 24;

struct search {
    struct dna_checker *checker;
    const struct dna_machine *m;
    struct dna_places vars;   /* V whole, for numbering configurations */
    struct dna_places *cells; /* S and E of each cell, state-major */
    size_t num_configurations;
    unsigned char *seen; /* by number */
    uint32_t *queue;
    size_t head, tail;
    struct dna_world world; /* K of this run */
    bool *fired;            /* by row */
    bool *edges;            /* state to state */
    bool wrapped;
};

static size_t number_of(const struct search *s, struct dna_world *world)
{
    size_t number = world->v[0];
    for (size_t i = 0; i < s->vars.num; i++) {
        number = number * (s->vars.at[i].max + 1) + *dna_world_at(world, &s->vars.at[i]);
    }
    return number;
}

static void restore(const struct search *s, size_t number, struct dna_world *world)
{
    for (size_t i = s->vars.num; i-- > 0;) {
        *dna_world_at(world, &s->vars.at[i]) = (uint32_t)(number % (s->vars.at[i].max + 1));
        number /= s->vars.at[i].max + 1;
    }
    world->v[0] = (uint32_t)number;
}

static void visit(struct search *s, struct dna_world *world)
{
    size_t number = number_of(s, world);
    if (!s->seen[number]) {
        s->seen[number] = 1;
        s->queue[s->tail++] = (uint32_t)number;
    }
}

static void fire(struct search *s, size_t index, const struct dna_world *before)
{
    const struct dna_machine *m = s->m;
    const struct dna_row *row = &m->rows[index];
    struct dna_world after = *before;
    struct dna_env env = dna_world_env(&after);
    for (const uint8_t *o = row->dos; *o; o++) {
        if (m->dos[*o].kind == DNA_UPDATE) {
            m->dos[*o].apply(&env);
        }
    }
    for (size_t i = 0; i < s->vars.num; i++) {
        s->wrapped |= *dna_world_at(&after, &s->vars.at[i]) > UINT32_MAX / 2;
    }
    s->fired[index] = true;
    s->edges[row->in * m->num_states + row->then] = true;
    after.v[0] = row->then;
    dna_world_saturate(&after, m);
    visit(s, &after);
}

static void try_cell(struct search *s, size_t state, size_t event, struct dna_world *world)
{
    const struct dna_machine *m = s->m;
    const struct dna_places *places = &s->cells[state * m->num_events + event];
    struct dna_env env = dna_world_env(world);
    size_t first = dna_row_next(m, state, event, 0);
    if (first < m->num_rows && m->rows[first].kind == DNA_DEAD) {
        return;
    }
    dna_places_first(places, world);
    do {
        s->checker->counts.steps++;
        size_t i = first;
        while (i < m->num_rows && !dna_guard_holds(m, m->rows[i].when, &env)) {
            i = dna_row_next(m, state, event, i + 1);
        }
        for (size_t alternative = i; alternative < m->num_rows;
             alternative = dna_row_next(m, state, event, alternative + 1)) {
            if (alternative == i || dna_same_choice(&m->rows[i], &m->rows[alternative])) {
                fire(s, alternative, world);
            }
        }
    } while (dna_places_next(places, world));
}

static void explore(struct search *s)
{
    struct dna_world world = s->world;
    memset(s->seen, 0, s->num_configurations);
    s->head = s->tail = 0;
    visit(s, &world);
    while (s->head < s->tail) {
        world = s->world;
        restore(s, s->queue[s->head++], &world);
        uint32_t state = world.v[0];
        for (size_t event = 0; event < s->m->num_events; event++) {
            if (s->m->states[state].mark != DNA_FINAL) {
                try_cell(s, state, event, &world);
            }
        }
    }
    s->checker->counts.configurations += s->tail;
}

static void keep_letters(struct dna_places *places, const char *letters)
{
    size_t num = 0;
    for (size_t i = 0; i < places->num; i++) {
        if (strchr(letters, places->at[i].letter)) {
            places->at[num++] = places->at[i];
        }
    }
    places->num = num;
}

/* Returns false when the machine is too large to be explored. */
static bool prepare(struct search *s, struct dna_places *knobs)
{
    const struct dna_machine *m = s->m;
    uint64_t configurations;
    for (size_t i = 0; i < m->num_vars; i++) {
        s->vars.at[s->vars.num++] = (struct dna_place){ 'V', m->vars[i].name, m->vars[i].offset,
                                                        m->vars[i].initial, m->vars[i].max };
    }
    configurations = dna_places_count(&s->vars) * m->num_states;
    if (configurations > MAX_CONFIGURATIONS) {
        return false;
    }
    s->num_configurations = (size_t)configurations;
    for (size_t i = 0; i < m->num_states * m->num_events; i++) {
        struct dna_places *cell = &s->cells[i];
        dna_places_of_cell(cell, m, i / m->num_events, i % m->num_events, true);
        dna_places_of_cell(knobs, m, i / m->num_events, i % m->num_events, true);
        keep_letters(cell, "SE");
        keep_letters(knobs, "K");
        if (cell->overflow || dna_places_count(cell) > max_steps_of_cell) {
            return false;
        }
    }
    s->seen = calloc(s->num_configurations, 1);
    s->queue = calloc(s->num_configurations, sizeof *s->queue);
    return s->seen && s->queue;
}

/* Spreads backwards along the edges that were seen; returns whether anything changed. */
static bool spread(const struct search *s, bool *ends)
{
    bool changed = false;
    for (size_t from = 0; from < s->m->num_states; from++) {
        for (size_t to = 0; to < s->m->num_states; to++) {
            if (!ends[from] && ends[to] && s->edges[from * s->m->num_states + to]) {
                ends[from] = changed = true;
            }
        }
    }
    return changed;
}

static void judge_states(const struct search *s, bool *reached, bool *ends)
{
    const struct dna_machine *m = s->m;
    for (size_t i = 0; i < m->num_states; i++) {
        reached[i] |= m->states[i].mark == DNA_START;
        ends[i] = m->states[i].mark == DNA_FINAL;
        for (size_t from = 0; from < m->num_states; from++) {
            reached[i] |= s->edges[from * m->num_states + i];
        }
    }
    while (spread(s, ends)) {
    }
    for (size_t i = 0; i < m->num_states; i++) {
        unsigned line = dna_source_declared(s->checker->source, "STATE", m->states[i].name);
        if (!reached[i]) {
            dna_check_fault(s->checker, line, "state %s is unreachable", m->states[i].name);
        } else if (!ends[i]) {
            dna_check_fault(s->checker, line, "no final state can be reached from %s",
                            m->states[i].name);
        }
    }
}

static void judge(const struct search *s)
{
    const struct dna_machine *m = s->m;
    bool reached[256] = { false }, ends[256] = { false }; /* states are numbered by uint8_t */
    judge_states(s, reached, ends);
    for (size_t i = 0; i < m->num_rows; i++) {
        if (m->rows[i].kind != DNA_DEAD && reached[m->rows[i].in] && !s->fired[i]) {
            dna_check_fault(s->checker, dna_source_row(s->checker->source, m, &m->rows[i]),
                            "row %s is fired by no reachable configuration", m->rows[i].id);
        }
    }
    if (s->wrapped) {
        dna_check_fault(s->checker, 0, "an update takes a variable below 0");
    }
}

void dna_check_reachability(struct dna_checker *checker)
{
    const struct dna_machine *m = checker->machine;
    struct search s = { .checker = checker, .m = m };
    struct dna_places knobs = { .num = 0 };
    s.cells = calloc(m->num_states * m->num_events, sizeof *s.cells);
    s.fired = calloc(m->num_rows, sizeof *s.fired);
    s.edges = calloc(m->num_states * m->num_states, sizeof *s.edges);
    if (s.cells && s.fired && s.edges && prepare(&s, &knobs)) {
        dna_world_init(&s.world, m);
        dna_places_first(&knobs, &s.world);
        do {
            explore(&s);
        } while (dna_places_next(&knobs, &s.world));
        judge(&s);
    } else {
        dna_check_fault(checker, 0, "too large to be explored");
    }
    free(s.cells);
    free(s.fired);
    free(s.edges);
    free(s.seen);
    free(s.queue);
}
