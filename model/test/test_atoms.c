/* SPDX-License-Identifier: MIT */
/*
 * test_atoms.c -- a guard taken apart means what the compiler made of it, for every guard of every
 * table; and an atom left out is neutral where it stood.
 */
#include "model/atoms.h"

#include "model/cell.h"
#include "model/machines.h"

#include <CUnit/Basic.h>

#include <stdio.h>
#include <string.h>

enum { MAX_VALUATIONS = 20000 };

static struct dna_atoms atoms;

/* The guard by its compiled function and by its tree, over the values of all that it mentions. */
static size_t compare(const struct dna_machine *m, size_t when)
{
    struct dna_places places = { .num = 0 };
    struct dna_world world;
    size_t wrong = 0, tried = 0;
    dna_places_add(&places, m, m->guards[when].expr);
    CU_ASSERT_EQUAL_FATAL(dna_atoms_parse(&atoms, m, when), 0);
    dna_world_init(&world, m);
    dna_places_first(&places, &world);
    do {
        struct dna_env env = dna_world_env(&world);
        bool compiled = m->guards[when].holds(&env);
        wrong += dna_atoms_hold(&atoms, DNA_MAX_ATOMS, &env) != compiled;
    } while (++tried < MAX_VALUATIONS && dna_places_next(&places, &world));
    return wrong;
}

static void test_every_guard(void)
{
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        for (size_t g = 1; g < (*m)->num_guards; g++) {
            size_t wrong = compare(*m, g);
            if (wrong) {
                printf("%s: %s: %s\n", (*m)->name, (*m)->guards[g].name, (*m)->guards[g].expr);
            }
            CU_ASSERT_EQUAL(wrong, 0);
        }
    }
}

static size_t guard_of(const struct dna_machine *m, const char *name)
{
    size_t g = 0;
    while (strcmp(m->guards[g].name, name) != 0) {
        g++;
    }
    return g;
}

static bool spelt(size_t atom, const char *text)
{
    return strlen(text) == atoms.atoms[atom].len &&
           memcmp(text, atoms.atoms[atom].at, strlen(text)) == 0;
}

static void test_parts(void)
{
    const struct dna_machine *m = &dna_machine_sasl_external_receiving;
    CU_ASSERT_EQUAL(dna_atoms_parse(&atoms, m, guard_of(m, "too_many")), 0);
    CU_ASSERT_EQUAL(atoms.num_atoms, 1);
    CU_ASSERT(spelt(0, "V.failures > K.sasl_retries"));
    CU_ASSERT(!atoms.atoms[0].mentions_event);
    m = &dna_machine_stream_receiving;
    CU_ASSERT_EQUAL(dna_atoms_parse(&atoms, m, guard_of(m, "bidi_in_time")), 0);
    CU_ASSERT_EQUAL(atoms.num_atoms, 6);
    CU_ASSERT(spelt(2, "S.pairs_taken == 0"));
    CU_ASSERT(spelt(5, "K.tls_required"));
    CU_ASSERT(atoms.atoms[5].mentions_knobs_only);
}

/* not_spoken... : A || B without A is B; A && B without A is B; !A alone without A always holds. */
static void test_left_out(void)
{
    const struct dna_machine *m = &dna_machine_dialback_receiving;
    struct dna_world world;
    dna_world_init(&world, m);
    struct dna_env env = dna_world_env(&world);
    world.k.tls_required = 1;
    world.s.secured = 1;
    CU_ASSERT_EQUAL(dna_atoms_parse(&atoms, m, guard_of(m, "clear_forbidden")), 0);
    CU_ASSERT(!dna_atoms_hold(&atoms, 2, &env)); /* K.tls_required && !S.secured */
    CU_ASSERT(dna_atoms_hold(&atoms, 1, &env));  /* K.tls_required */
    CU_ASSERT(!dna_atoms_hold(&atoms, 0, &env)); /* !S.secured */
    CU_ASSERT_EQUAL(dna_atoms_parse(&atoms, m, guard_of(m, "key_missing")), 0);
    ((struct dialback_receiving_facts *)(void *)world.e)->key_given = 1;
    CU_ASSERT(!dna_atoms_hold(&atoms, 1, &env));
    CU_ASSERT(dna_atoms_hold(&atoms, 0, &env));
    m = &dna_machine_sasl_external_receiving;
    dna_world_init(&world, m);
    ((struct sasl_external_receiving_facts *)(void *)world.e)->external = 1;
    world.k.external = 0;
    CU_ASSERT_EQUAL(dna_atoms_parse(&atoms, m, guard_of(m, "other_mechanism")), 0);
    CU_ASSERT(dna_atoms_hold(&atoms, 2, &env));  /* !E.external || !K.external */
    CU_ASSERT(dna_atoms_hold(&atoms, 0, &env));  /* !K.external */
    CU_ASSERT(!dna_atoms_hold(&atoms, 1, &env)); /* !E.external */
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("atoms", NULL, NULL);
    CU_add_test(suite, "every guard means what the compiler made of it", test_every_guard);
    CU_add_test(suite, "the parts of a guard", test_parts);
    CU_add_test(suite, "one atom left out", test_left_out);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failed > 0;
}
