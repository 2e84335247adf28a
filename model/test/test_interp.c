/* SPDX-License-Identifier: MIT */
/*
 * test_interp.c -- every mutant does what its name says, and a wrong one is refused with its
 * reason. That the undamaged interpreter does what the generated code does is tested in impl/test/.
 */
#include "model/interp.h"

#include "model/cell.h"
#include "model/docs.h"
#include "model/machines.h"

#include <CUnit/Basic.h>

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct dna_world world;
static struct dna_effects fx;

/* A key that fits everything; single facts are then taken back by the tests. */
static struct dialback_receiving_facts facts(void)
{
    struct dialback_receiving_facts e = { .addressed = 1, .hosted = 1, .key_given = 1 };
    return e;
}

static void step(const struct dialback_receiving_facts *e, enum dialback_receiving_event on)
{
    struct dialback_receiving m;
    memcpy(&m, world.v, sizeof m);
    dna_dialback_receiving_step(&m, on, e, &world.s, &world.k, &fx);
    memcpy(world.v, &m, sizeof m);
}

static void begin(const char *mutant)
{
    char err[256] = "";
    dna_interp_restore();
    dna_world_init(&world, &dna_machine_dialback_receiving);
    world.s.secured = 1;
    if (mutant && dna_interp_mutate(mutant, err, sizeof err)) {
        printf("%s\n", err);
        CU_FAIL("the mutant is refused");
    }
}

static const char *fired(void)
{
    return fx.row == DNA_NO_ROW ? "-" : fx.machine->rows[fx.row].id;
}

static bool did(const char *const *names)
{
    size_t i = 0;
    for (; names[i] && i < fx.num_outs; i++) {
        if (strcmp(fx.machine->dos[fx.outs[i]].name, names[i]) != 0) {
            return false;
        }
    }
    return !names[i] && i == fx.num_outs;
}
#define DID(...) CU_ASSERT(did((const char *const[]){ __VA_ARGS__, NULL }))
#define DID_NOTHING() CU_ASSERT_EQUAL(fx.num_outs, 0)

static void test_undamaged(void)
{
    struct dialback_receiving_facts e = facts();
    begin(NULL);
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR09");
    CU_ASSERT_EQUAL(world.v[0], dialback_receiving_S_VERIFYING);
    DID("dial_authority");
    e.asked_here = 1;
    step(&e, dialback_receiving_E_RX_VERIFY_VALID);
    CU_ASSERT_STRING_EQUAL(fired(), "DR21");
    CU_ASSERT_EQUAL(fx.from, dialback_receiving_S_VERIFYING);
    CU_ASSERT_EQUAL(fx.to, dialback_receiving_S_PROVEN);
    DID("send_valid", "accept_pair");
}

static void test_drop(void)
{
    struct dialback_receiving_facts e = facts();
    e.hosted = 0;
    begin("DR03:drop");
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR09");
    e = facts();
    begin("DR09:drop"); /* the otherwise row: the cell is left without effect */
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "-");
    CU_ASSERT_EQUAL(world.v[0], dialback_receiving_S_UNPROVEN);
    CU_ASSERT_EQUAL(fx.to, dialback_receiving_S_UNPROVEN);
    DID_NOTHING();
    begin("DR60.TIMER_VERIFY:drop");
    step(&e, dialback_receiving_E_TIMER_VERIFY);
    CU_ASSERT_STRING_EQUAL(fired(), "-");
}

static void test_guards(void)
{
    struct dialback_receiving_facts e = facts();
    begin("DR03:true");
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR03");
    begin("DR03:not");
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR03");
    e.hosted = 0;
    begin("DR03:not");
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR09");
    begin("DR03:false");
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR09");
}

static void verified(const char *mutant)
{
    struct dialback_receiving_facts e = facts();
    begin(mutant);
    world.v[0] = dialback_receiving_S_VERIFYING;
    e.asked_here = 1;
    step(&e, dialback_receiving_E_RX_VERIFY_VALID);
    CU_ASSERT_STRING_EQUAL(fired(), "DR21");
}

static void test_dos(void)
{
    verified("DR21:nodo");
    DID_NOTHING();
    CU_ASSERT_EQUAL(world.v[0], dialback_receiving_S_PROVEN);
    verified("DR21:nodo=accept_pair");
    DID("send_valid");
    verified("DR21:do=send_valid/send_invalid");
    DID("send_invalid", "accept_pair");
    CU_ASSERT_EQUAL(world.v[0], dialback_receiving_S_PROVEN);
}

static void test_updates(void)
{
    struct starttls_receiving m = { .state = starttls_receiving_S_NEGOTIATING };
    struct starttls_receiving_facts e = { .clear_trailing = 0 };
    begin("TR05:nodo=mark_secured");
    world.s.secured = 0;
    dna_starttls_receiving_step(&m, starttls_receiving_E_TLS_UP, &e, &world.s, &world.k, &fx);
    CU_ASSERT_EQUAL(world.s.secured, 0);
    CU_ASSERT_EQUAL(m.state, starttls_receiving_S_SECURED);
    begin(NULL);
    m.state = starttls_receiving_S_NEGOTIATING;
    world.s.secured = 0;
    dna_starttls_receiving_step(&m, starttls_receiving_E_TLS_UP, &e, &world.s, &world.k, &fx);
    CU_ASSERT_EQUAL(world.s.secured, 1);
}

static void test_to(void)
{
    verified("DR21:to=UNPROVEN");
    CU_ASSERT_EQUAL(world.v[0], dialback_receiving_S_UNPROVEN);
    CU_ASSERT_EQUAL(fx.to, dialback_receiving_S_UNPROVEN);
    DID("send_valid", "accept_pair");
    struct dialback_receiving_facts e = facts();
    begin("DR60.TIMER_VERIFY:to=PROVEN");
    step(&e, dialback_receiving_E_TIMER_VERIFY);
    CU_ASSERT_EQUAL(world.v[0], dialback_receiving_S_PROVEN);
}

/* A row that stands in another state, or there as well; the guard of a row without one atom. */
static void test_moved(void)
{
    struct dialback_receiving_facts e = facts();
    e.asked_here = 1;
    begin("DR21:from=UNPROVEN");
    step(&e, dialback_receiving_E_RX_VERIFY_VALID);
    CU_ASSERT_STRING_EQUAL(fired(), "DR21");
    CU_ASSERT_EQUAL(world.v[0], dialback_receiving_S_PROVEN);
    begin("DR21:from=UNPROVEN");
    world.v[0] = dialback_receiving_S_VERIFYING;
    step(&e, dialback_receiving_E_RX_VERIFY_VALID);
    CU_ASSERT_STRING_EQUAL(fired(), "DR22");
    begin("DR21:also=UNPROVEN");
    step(&e, dialback_receiving_E_RX_VERIFY_VALID);
    CU_ASSERT_STRING_EQUAL(fired(), "DR21");
    begin("DR21:also=UNPROVEN");
    e.asked_here = 0; /* its guard goes with it */
    step(&e, dialback_receiving_E_RX_VERIFY_VALID);
    CU_ASSERT_STRING_EQUAL(fired(), "DR10");
    verified("DR21:also=UNPROVEN");
}

static void test_atom(void)
{
    struct dialback_receiving_facts e = facts();
    begin(NULL);
    world.s.secured = 0;
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR02"); /* K.tls_required && !S.secured */
    begin("DR02:atom=2");
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR02"); /* although the stream is secured */
    begin("DR02:atom=1");
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR09");
}

static void test_choice(void)
{
    static const char *const mutants[] = { "DR06:choice", "DR05:choice" };
    struct dialback_receiving_facts e = facts();
    e.sender_proved = 1;
    begin(NULL);
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR05");
    for (size_t i = 0; i < 2; i++) {
        begin(mutants[i]);
        step(&e, dialback_receiving_E_RX_KEY);
        CU_ASSERT_STRING_EQUAL(fired(), "DR06");
        DID("dial_authority");
    }
}

/* A damaged machine may get where it never should: a DEAD cell then has no effect. */
static void test_dead_cells(void)
{
    struct starttls_receiving m = { .state = starttls_receiving_S_OFFERED };
    struct starttls_receiving_facts e = { .can_secure = 1 };
    begin("TR04:to=OFFERED");
    dna_starttls_receiving_step(&m, starttls_receiving_E_RX_STARTTLS, &e, &world.s, &world.k, &fx);
    CU_ASSERT_STRING_EQUAL(fired(), "TR04");
    dna_starttls_receiving_step(&m, starttls_receiving_E_TLS_UP, &e, &world.s, &world.k, &fx);
    CU_ASSERT_STRING_EQUAL(fired(), "-");
    CU_ASSERT_EQUAL(m.state, starttls_receiving_S_OFFERED);
    begin("DEAD.OFFERED.TLS_UP:to=SECURED");
    dna_starttls_receiving_step(&m, starttls_receiving_E_TLS_UP, &e, &world.s, &world.k, &fx);
    CU_ASSERT_EQUAL(m.state, starttls_receiving_S_SECURED);
}

static void test_several(void)
{
    char err[256];
    struct dialback_receiving_facts e = facts();
    e.hosted = 0;
    begin("DR03:drop");
    CU_ASSERT_EQUAL(dna_interp_mutate("DR09:to=PROVEN", err, sizeof err), 0);
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR09");
    CU_ASSERT_EQUAL(world.v[0], dialback_receiving_S_PROVEN);
    dna_interp_restore();
    world.v[0] = dialback_receiving_S_UNPROVEN;
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_STRING_EQUAL(fired(), "DR03");
}

static void test_refused(void)
{
    static const struct {
        const char *mutant, *message;
    } cases[] = {
        { "DR99:drop", "DR99:drop: no such row 'DR99'" },
        { "DR60:drop", "DR60:drop: no such row 'DR60'" },
        { "DR21", "DR21: a mutant is ROW:OP, not 'DR21'" },
        { "DR21:", "DR21:: no such operation ''" },
        { "DR21:explode", "DR21:explode: no such operation 'explode'" },
        { "DR21:to=NOWHERE", "DR21:to=NOWHERE: no such state 'NOWHERE'" },
        { "DR21:to=PROVEN", "DR21:to=PROVEN: the row already leads to 'PROVEN'" },
        { "DR21:from=VERIFYING", "DR21:from=VERIFYING: the row already stands in 'VERIFYING'" },
        { "DR21:also=GONE", "DR21:also=GONE: a final state takes no event: 'GONE'" },
        { "DR02:atom=3", "DR02:atom=3: the guard has no atom '3'" },
        { "DR02:atom=x", "DR02:atom=x: the guard has no atom 'x'" },
        { "DR09:atom=1", "DR09:atom=1: no guard to take apart in 'DR09'" },
        { "DR21:nodo=send", "DR21:nodo=send: no such output or update 'send'" },
        { "DR21:nodo=send_invalid", "DR21:nodo=send_invalid: the row does not do 'send_invalid'" },
        { "DR21:do=send_valid/x", "DR21:do=send_valid/x: no such output or update 'x'" },
        { "DR21:do=send_valid", "DR21:do=send_valid: no such operation 'do=send_valid'" },
        { "DR09:true", "DR09:true: `otherwise` always holds, no use in 'true'" },
        { "DR20:nodo", "DR20:nodo: the row does nothing, no use in 'nodo'" },
        { "DR21:choice", "DR21:choice: not an alternative of a CHOICE: 'DR21'" },
        { "DEAD.OFFERED.TLS_UP:drop",
          "DEAD.OFFERED.TLS_UP:drop: a DEAD row can only be led elsewhere (to=STATE), not 'drop'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char err[256] = "";
        dna_interp_restore();
        CU_ASSERT_EQUAL(dna_interp_mutate(cases[i].mutant, err, sizeof err), -1);
        if (strcmp(err, cases[i].message) != 0) {
            printf("%s, expected %s\n", err, cases[i].message);
        }
        CU_ASSERT_STRING_EQUAL(err, cases[i].message);
    }
    begin(NULL);
    char err[256];
    for (int i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL(dna_interp_mutate("DR21:nodo", err, sizeof err), 0);
    }
    CU_ASSERT_EQUAL(dna_interp_mutate("DR21:nodo", err, sizeof err), -1);
    dna_interp_restore();
}

/* What model-tool lists can be chosen, every line of it. */
static void test_listed(void)
{
    size_t num = 0;
    FILE *list = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(list);
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        CU_ASSERT_EQUAL(dna_docs_mutants(*m, list), 0);
    }
    rewind(list);
    for (char line[256], err[256] = ""; fgets(line, sizeof line, list); num++) {
        line[strcspn(line, "\n")] = '\0';
        dna_interp_restore();
        if (dna_interp_mutate(line, err, sizeof err)) {
            printf("%s\n", err);
            CU_FAIL("a listed mutant is refused");
        }
    }
    fclose(list);
    dna_interp_restore();
    CU_ASSERT_TRUE(num > 1000);
    printf("%zu mutants are listed\n", num);
}

/* A step from deep in the stack, where only outputs that raise events without end would make one. */
static void step_from_below(const struct dialback_receiving_facts *e, unsigned levels)
{
    static volatile size_t size = 64 * 1024; /* or AddressSanitizer has it elsewhere */
    volatile char *filled = alloca(size);
    filled[0] = (char)levels;
    if (levels > 0) {
        step_from_below(e, levels - 1);
    } else {
        step(e, dialback_receiving_E_RX_KEY);
    }
    filled[1] = filled[0];
}

static void test_dead(void)
{
    const struct dialback_receiving_facts e = facts();
    char err[256], *told = NULL;
    size_t size;
    FILE *out = open_memstream(&told, &size);

    begin(NULL);
    CU_ASSERT_EQUAL(dna_interp_mutate_numbered(3, "DR09:to=PROVEN", err, sizeof err), 0);
    dna_interp_tell_dead(out);
    world.k.mutant = 3;
    step_from_below(&e, 4);
    CU_ASSERT_NOT_EQUAL(fx.row, DNA_NO_ROW);
    dna_world_init(&world, &dna_machine_dialback_receiving);
    world.k.mutant = 3;
    step_from_below(&e, 24);
    CU_ASSERT_EQUAL(fx.row, DNA_NO_ROW);
    step(&e, dialback_receiving_E_RX_KEY); /* and not from above either, any more */
    CU_ASSERT_EQUAL(fx.row, DNA_NO_ROW);
    world.k.mutant = 2;
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_NOT_EQUAL(fx.row, DNA_NO_ROW);
    dna_interp_tell_dead(NULL);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(told, "3\n");
    free(told);
}

static void test_numbered(void)
{
    const struct dialback_receiving_facts e = facts();
    char err[256];

    begin(NULL);
    step(&e, dialback_receiving_E_RX_KEY);
    const unsigned usual = fx.to;
    begin("DR09:to=PROVEN");
    CU_ASSERT_EQUAL(dna_interp_mutate_numbered(3, "DR09:to=UNPROVEN", err, sizeof err), 0);
    CU_ASSERT_EQUAL(dna_interp_mutate_numbered(0, "DR09:to=UNPROVEN", err, sizeof err), -1);
    CU_ASSERT_EQUAL(dna_interp_mutate_numbered(DNA_MAX_NUMBERED + 1, "DR09:drop", err, sizeof err), -1);
    CU_ASSERT_EQUAL(dna_interp_mutate_numbered(2, "NO_ROW:drop", err, sizeof err), -1);
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_EQUAL(fx.to, dialback_receiving_S_PROVEN);
    dna_world_init(&world, &dna_machine_dialback_receiving);
    world.s.secured = 1;
    world.k.mutant = 3;
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_EQUAL(fx.to, dialback_receiving_S_UNPROVEN);
    CU_ASSERT_EQUAL(dna_interp_number(), 3);
    dna_world_init(&world, &dna_machine_dialback_receiving);
    world.s.secured = 1;
    world.k.mutant = 2; /* no damage: not even that of all the others */
    step(&e, dialback_receiving_E_RX_KEY);
    CU_ASSERT_EQUAL(fx.to, usual);
}

static void test_fired(void)
{
    const struct dialback_receiving_facts e = facts();
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    for (unsigned i = 0; i < 3; i++) {
        begin(NULL);
        dna_interp_tell_fired(out, 9);
        world.k.mutant = i == 2 ? 5 : 0;
        step(&e, dialback_receiving_E_RX_KEY);
    }
    dna_interp_tell_fired(NULL, 0);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, "9 DR09\n5 DR09\n");
    free(text);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS) {
        return 1;
    }
    CU_pSuite suite = CU_add_suite("interp", NULL, NULL);
    CU_add_test(suite, "undamaged tables", test_undamaged);
    CU_add_test(suite, "drop", test_drop);
    CU_add_test(suite, "true false not", test_guards);
    CU_add_test(suite, "nodo and do", test_dos);
    CU_add_test(suite, "updates", test_updates);
    CU_add_test(suite, "to", test_to);
    CU_add_test(suite, "choice", test_choice);
    CU_add_test(suite, "a row moved or added", test_moved);
    CU_add_test(suite, "an atom left out", test_atom);
    CU_add_test(suite, "a DEAD cell has no effect", test_dead_cells);
    CU_add_test(suite, "several mutants at once, and restored", test_several);
    CU_add_test(suite, "mutants of a number count there alone", test_numbered);
    CU_add_test(suite, "a number that recurses without end dies alone", test_dead);
    CU_add_test(suite, "rows that fire are told once a number", test_fired);
    CU_add_test(suite, "refused mutants", test_refused);
    CU_add_test(suite, "every listed mutant can be chosen", test_listed);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
