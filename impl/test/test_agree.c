/* SPDX-License-Identifier: MIT */
/*
 * test_agree.c -- generated code and interpreter do the same, over every state, event and valuation
 * of the fields that the cell mentions (V, S, E and K, each from 0 to its max).
 *
 * It stands in impl/ because it needs both: impl may know the model, but not the other way round.
 * Both define dna_M_step, so the interpreter comes in as text and without them.
 */
#define DNA_INTERP_NO_STEPS
#include "model/cell.h"
#include "model/interp.c"

#include <CUnit/Basic.h>

typedef void step_fn(struct dna_world *w, uint32_t on, struct dna_effects *fx);

#define GENERATED(M) \
    static void generated_##M(struct dna_world *w, uint32_t on, struct dna_effects *fx) \
    { \
        struct M m; \
        struct M##_facts e; \
        memcpy(&m, w->v, sizeof m); \
        memcpy(&e, w->e, sizeof e); \
        dna_##M##_step(&m, (enum M##_event)on, &e, &w->s, &w->k, fx); \
        memcpy(w->v, &m, sizeof m); \
    }
DNA_MACHINES(GENERATED)

static step_fn *const generated[] = {
#define LISTED(M) generated_##M,
    DNA_MACHINES(LISTED)
};

static uint64_t num_compared, num_cells, num_differences;

static void interpreted(const struct dna_machine *m, struct dna_world *w, uint32_t on,
                        struct dna_effects *fx)
{
    dna_interp_step(m, w->v, on, w->e, &w->s, &w->k, fx);
}

static bool same_effects(const struct dna_effects *a, const struct dna_effects *b)
{
    return a->machine == b->machine && a->row == b->row && a->from == b->from && a->to == b->to &&
           a->on == b->on && a->num_outs == b->num_outs &&
           memcmp(a->outs, b->outs, a->num_outs) == 0;
}

static void compare(const struct dna_machine *m, step_fn *step, const struct dna_world *before,
                    uint32_t on)
{
    struct dna_world a = *before, b = *before;
    struct dna_effects fa, fb;
    step(&a, on, &fa);
    interpreted(m, &b, on, &fb);
    num_compared++;
    if (!same_effects(&fa, &fb) || memcmp(&a, &b, sizeof a) != 0) {
        if (num_differences++ < 10) {
            printf("%s %s %s: generated row %u to %u, interpreted row %u to %u\n", m->name,
                   m->states[before->v[0]].name, m->events[on].name, fa.row, fa.to, fb.row, fb.to);
        }
    }
}

static void compare_cell(const struct dna_machine *m, step_fn *step, uint32_t state, uint32_t on)
{
    struct dna_places places = { .num = 0 };
    struct dna_world world;
    dna_world_init(&world, m);
    dna_places_of_cell(&places, m, state, on, true);
    CU_ASSERT_FATAL(!places.overflow && !places.unknown);
    dna_places_first(&places, &world);
    world.v[0] = state;
    num_cells++;
    do {
        compare(m, step, &world, on);
    } while (dna_places_next(&places, &world));
}

static bool dead(const struct dna_machine *m, uint32_t state, uint32_t on)
{
    size_t i = dna_row_next(m, state, on, 0);
    return i < m->num_rows && m->rows[i].kind == DNA_DEAD;
}

static void test_every_cell(void)
{
    for (size_t i = 0; dna_machines[i]; i++) {
        const struct dna_machine *m = dna_machines[i];
        for (uint32_t state = 0; state < m->num_states; state++) {
            for (uint32_t on = 0; on < m->num_events; on++) {
                if (!dead(m, state, on)) {
                    compare_cell(m, generated[i], state, on);
                }
            }
        }
    }
    CU_ASSERT_EQUAL(num_differences, 0);
    printf("compared %llu valuations in %llu cells\n", (unsigned long long)num_compared,
           (unsigned long long)num_cells);
}

/* A final state takes no event: no row, no output, no change. */
static void test_final_states(void)
{
    for (size_t i = 0; dna_machines[i]; i++) {
        const struct dna_machine *m = dna_machines[i];
        for (uint32_t state = 0; state < m->num_states; state++) {
            for (uint32_t on = 0; m->states[state].mark == DNA_FINAL && on < m->num_events; on++) {
                struct dna_world world;
                struct dna_effects fx;
                dna_world_init(&world, m);
                world.v[0] = state;
                interpreted(m, &world, on, &fx);
                CU_ASSERT_EQUAL(fx.row, DNA_NO_ROW);
                CU_ASSERT_EQUAL(fx.num_outs, 0);
                CU_ASSERT_EQUAL(world.v[0], state);
            }
        }
    }
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS) {
        return 1;
    }
    CU_pSuite suite = CU_add_suite("agree", NULL, NULL);
    CU_add_test(suite, "generated code and interpreter agree in every cell", test_every_cell);
    CU_add_test(suite, "a final state takes no event", test_final_states);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
