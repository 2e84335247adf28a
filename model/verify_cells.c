/* SPDX-License-Identifier: MIT */
/*
 * verify_cells.c -- two readings of the tables compared, cell by cell: every machine, in every
 * state, with every event, under every valuation of what its cell mentions.
 *
 * What configurations of the checker never meet is met here.
 */
#include "model/verify_internal.h"

#include "model/cell.h"

#include <string.h>

struct comparison {
    const struct dna_machine *m;
    dna_vf_tables *other;
    FILE *say;
    size_t *differ;
};

static bool same(const struct dna_effects *a, const struct dna_effects *b)
{
    return a->row == b->row && a->to == b->to && a->num_outs == b->num_outs &&
           memcmp(a->outs, b->outs, a->num_outs) == 0;
}

static void compare_step(const struct comparison *c, size_t event, const struct dna_world *world)
{
    struct dna_world ours = *world, theirs = *world;
    struct dna_effects fx, other;
    uint32_t on = (uint32_t)event;
    bool taken = dna_vf_interpreted(c->m, ours.v, on, ours.e, &ours.s, &ours.k, &fx);
    bool as_well = c->other(c->m, theirs.v, on, theirs.e, &theirs.s, &theirs.k, &other);
    if (taken == as_well && same(&fx, &other) && memcmp(&ours, &theirs, sizeof ours) == 0) {
        return;
    }
    if (++*c->differ <= 10 && c->say) {
        fprintf(c->say, "%s in %s with %s: here row %s, there %s\n", c->m->name,
                c->m->states[world->v[0]].name, c->m->events[event].name,
                fx.row < c->m->num_rows ? c->m->rows[fx.row].id : "none",
                other.row < c->m->num_rows ? c->m->rows[other.row].id : "none");
    }
}

static uint64_t compare_cell(const struct comparison *c, size_t state, size_t event)
{
    struct dna_places places = { .num = 0 };
    struct dna_world world;
    uint64_t steps = 0;
    dna_places_of_cell(&places, c->m, state, event, true);
    dna_world_init(&world, c->m);
    world.v[0] = (uint32_t)state;
    dna_places_first(&places, &world);
    do {
        compare_step(c, event, &world);
        steps++;
    } while (dna_places_next(&places, &world));
    return steps;
}

size_t dna_vf_cells(dna_vf_tables *other, uint64_t *out_steps, FILE *say)
{
    size_t differ = 0;
    *out_steps = 0;
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        const struct comparison c = { *m, other, say, &differ };
        for (size_t state = 0; state < (*m)->num_states; state++) {
            for (size_t event = 0; event < (*m)->num_events; event++) {
                *out_steps += compare_cell(&c, state, event);
            }
        }
    }
    return differ;
}
