/* SPDX-License-Identifier: MIT */
/*
 * test_verify.c -- the model checker finds what is there and says no more than it has seen.
 *
 * What the configurations claim is run by `model-tool verify`; here small ones are run to see that
 * claims, limits, planted bugs, ways and the search itself work, and that a checker which is blind,
 * forgetful or out of room does not pass for one that found nothing.
 */
#include "model/verify_run.h"
#include "model/verify.h"
#include "model/verify_spin.h"

#include <CUnit/Basic.h>

#include <stdlib.h>
#include <string.h>

static uint64_t bit(const char *property)
{
    return dna_vf_bit((size_t)dna_vf_find_property(property));
}

static const struct vf_config *config(const char *name)
{
    int at = dna_vf_find_config(name);
    CU_ASSERT_FATAL(at >= 0);
    return &dna_vf_configs[at];
}

static struct vf_search explored(const char *name)
{
    struct vf_search s = { 0 };
    CU_ASSERT_FATAL(dna_vf_run_config(config(name), &s) == 0);
    CU_ASSERT(s.full && !s.overflow);
    return s;
}

static void test_nothing_is_refuted_where_all_holds(void)
{
    struct vf_search s = explored("weak_one");
    CU_ASSERT_EQUAL(s.broken, 0);
    CU_ASSERT(s.num > 20);
    CU_ASSERT((s.seen & 1u << VF_W_ACCEPT) !=
              0); /* the claim is about something: a pair was accepted */
    CU_ASSERT((s.seen & 1u << VF_W_ANSWER) != 0);
    CU_ASSERT((s.seen & 1u << VF_W_DELIVER) != 0);
    dna_vf_search_free(&s);
}

static void test_honest_servers_get_through(void)
{
    struct vf_search s = explored("honest_dialback");
    CU_ASSERT_EQUAL(s.broken, 0);
    CU_ASSERT((s.seen & 1u << VF_W_STILL) != 0);
    CU_ASSERT((s.seen & 1u << VF_W_TRANSMIT) != 0);
    CU_ASSERT((s.seen & 1u << VF_W_VOUCH) != 0);
    dna_vf_search_free(&s);
}

static void test_a_limit_is_refuted_by_a_relay(void)
{
    struct vf_search s = explored("weak_spoofed_a");
    struct vf_move moves[64];
    CU_ASSERT_EQUAL(s.broken, bit("S1a") | bit("S2"));
    size_t num = dna_vf_trace(&s, (size_t)dna_vf_find_property("S1a"), moves, 64);
    /* A sends, its lookup is spoofed, m opens a stream to b, serves A with b's id, relays the key:
     * at least six */
    CU_ASSERT(num >= 6 && num <= 8);
    CU_ASSERT(dna_vf_limit_of("weak_spoofed_a", "S1a") != NULL);
    CU_ASSERT(dna_vf_limit_of("weak_spoofed_a", "S1") == NULL);
    dna_vf_search_free(&s);
}

static void test_every_planted_bug_is_refuted(void)
{
    CU_ASSERT(dna_vf_num_planted >= 20);
    for (size_t i = 0; i < dna_vf_num_planted; i++) {
        const struct vf_planted *bug = &dna_vf_planted[i];
        struct vf_search s = { 0 };
        CU_ASSERT(dna_vf_run_planted(bug, &s) == 0);
        if (!(s.broken & bit(bug->property))) {
            printf("%s is not found\n", bug->id);
            CU_FAIL("a planted bug is not found");
        }
        dna_vf_search_free(&s);
    }
    dna_interp_restore();
}

/* The property of a planted bug holds in the same configuration without the bug, or the bug shows
 * nothing. */
static void test_a_bug_is_no_limit(void)
{
    for (size_t i = 0; i < dna_vf_num_planted; i++) {
        CU_ASSERT(dna_vf_limit_of(dna_vf_planted[i].config, dna_vf_planted[i].property) == NULL);
    }
}

static void test_a_counterexample_is_shortest(void)
{
    /* m says a: a key, and then valid to itself on the same stream: three moves, and none is enough
     * alone */
    struct vf_search s = { 0 };
    struct vf_move moves[64];
    CU_ASSERT(
        dna_vf_run_planted(&dna_vf_planted[dna_vf_find_planted("verify_on_any_stream")], &s) == 0);
    size_t num = dna_vf_trace(&s, (size_t)dna_vf_find_property("S1"), moves, 64);
    CU_ASSERT_EQUAL_FATAL(num, 3);
    CU_ASSERT_EQUAL(moves[0].kind, VF_M_OPEN);
    CU_ASSERT_EQUAL(moves[1].m.type, VF_T_KEY);
    CU_ASSERT_EQUAL(moves[2].m.type, VF_T_VERDICT);
    dna_vf_search_free(&s);
    dna_interp_restore();
}

/* States whose hashes are equal are compared: with three bits of hash nearly all collide. */
static void test_hash_collisions_lose_no_state(void)
{
    struct vf_search plain = explored("weak_two"), poor = { .hash_mask = 7 };
    CU_ASSERT(dna_vf_run_config(config("weak_two"), &poor) == 0);
    CU_ASSERT(poor.full);
    CU_ASSERT_EQUAL(poor.num, plain.num);
    CU_ASSERT_EQUAL(poor.transitions, plain.transitions);
    dna_vf_search_free(&plain);
    dna_vf_search_free(&poor);
}

static void test_two_runs_agree(void)
{
    struct vf_search a = explored("clear_receiving"), b = explored("clear_receiving");
    CU_ASSERT_EQUAL(a.num, b.num);
    CU_ASSERT_EQUAL(a.transitions, b.transitions);
    CU_ASSERT(a.bytes_used == b.bytes_used && memcmp(a.bytes, b.bytes, a.bytes_used) == 0);
    dna_vf_search_free(&a);
    dna_vf_search_free(&b);
}

static void test_an_unfinished_search_claims_nothing(void)
{
    struct vf_search s = { .max_states = 10 };
    CU_ASSERT(dna_vf_run_config(config("weak_two"), &s) == 0);
    CU_ASSERT(!s.full);
    dna_vf_search_free(&s);
}

static void test_each_property_is_put_to_the_test(void)
{
    uint32_t seen = 0;
    static const char *const some[] = { "weak_one",       "weak_targets",    "honest_slow",
                                        "supposition",    "authority",       "clear_receiving",
                                        "default_secure", "timers_receiving",
                                        "timers_initiating" };
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        struct vf_search s = explored(some[i]);
        seen |= s.seen;
        dna_vf_search_free(&s);
    }
    for (size_t i = 0; i < dna_vf_num_properties; i++) {
        const struct vf_property *p = &dna_vf_properties[i];
        bool never =
            p->when == VF_W_DEAD || p->when == VF_W_ENDLESS; /* that they arise is what is wrong */
        if (!never && !(seen & 1u << p->when)) {
            printf("%s never arises: %s\n", p->id, dna_vf_when_name[p->when]);
            CU_FAIL("a property is vacuous");
        }
        CU_ASSERT(p->because[0] != DNA_REQ_END);
    }
}

/* A dead cell that is met is a finding, and no abort. */
static void test_a_dead_cell_is_reported(void)
{
    struct vf_search s = { .config = config("weak_one"), .stop_at = bit("T1") };
    CU_ASSERT(dna_vf_mutate("TR04:to=OFFERED") == 0); /* the handshake ends where none was begun */
    CU_ASSERT(dna_vf_search(&s) == 0);
    CU_ASSERT((s.broken & bit("T1")) != 0);
    dna_vf_search_free(&s);
    dna_interp_restore();
}

static void test_an_endless_row_is_reported(void)
{
    struct vf_search s = { .config = config("strong_initiating"), .stop_at = bit("T2") };
    CU_ASSERT(dna_vf_mutate("SI15:nodo=mark_bidi") == 0); /* features are reconsidered for ever */
    CU_ASSERT(dna_vf_search(&s) == 0);
    CU_ASSERT((s.broken & bit("T2")) != 0);
    dna_vf_search_free(&s);
    dna_interp_restore();
}

static void test_a_stuck_flow_is_reported(void)
{
    struct vf_search s = { .config = config("honest_dialback"), .stop_at = bit("L2") };
    CU_ASSERT(dna_vf_mutate("DR21:nodo=send_valid") == 0); /* the answer is never given */
    CU_ASSERT(dna_vf_search(&s) == 0);
    CU_ASSERT((s.broken & bit("L2")) != 0);
    dna_vf_search_free(&s);
    dna_interp_restore();
}

static void test_a_scenario_is_written(void)
{
    char *text = NULL;
    size_t size = 0;
    struct vf_search s = { 0 };
    const struct vf_planted *bug = &dna_vf_planted[dna_vf_find_planted("verify_on_any_stream")];
    FILE *out = open_memstream(&text, &size);
    CU_ASSERT_FATAL(out != NULL && dna_vf_run_planted(bug, &s) == 0);
    CU_ASSERT(dna_vf_scenario(bug, &s, (size_t)dna_vf_find_property("S1"), out) == 0);
    fclose(out);
    CU_ASSERT(strstr(text, "forbid   M > <db:result to='$a' type='valid'/>") != NULL);
    CU_ASSERT(strstr(text, "M.r1 < <db:verify from='$a' to='$iut' id='$r1' type='valid'/>") !=
              NULL);
    CU_ASSERT(strstr(text, "do intrusion-refused M conn=r1 from=$a") != NULL); /* somehow */
    free(text);
    dna_vf_search_free(&s);
}

/* Answers as the Promela would, with the interpreter's words. */
static unsigned answer(unsigned asked)
{
    const struct dna_machine *m = dna_machines[asked - 1];
    struct dna_spin_ask *a = &dna_spin_ask;
    struct dna_effects fx;
    dna_interp_step(m, a->v, a->on, a->e, a->s, a->k, &fx);
    a->row = fx.row;
    a->num_outs = fx.num_outs;
    memcpy(a->outs, fx.outs, sizeof fx.outs);
    return dna_spin_go_on();
}

/* Walks as Spin would, always taking the last thing that may happen: it comes to the same world as
 * the checker does by the same moves, and a world that Spin goes back to has the same moves again. */
static void test_spin_sees_the_same_world(void)
{
    static struct vf_move moves[VF_MAX_MOVES];
    struct vf x;
    unsigned asked, steps = 0;
    unsigned char before[DNA_SPIN_SIZE], after[DNA_SPIN_SIZE];
    dna_spin_begin("weak_one", NULL);
    dna_vf_init(&x, config("weak_one"), 0);
    for (int n = 0; n < 50; n++) {
        size_t num = dna_vf_moves(&x, moves);
        CU_ASSERT_EQUAL_FATAL((size_t)dna_spin_num(DNA_SPIN_ANYBODY), num);
        memcpy(before, dna_spin_world, sizeof before);
        for (int again = 0; again < 2; again++) {
            memcpy(dna_spin_world, before, sizeof before);
            for (asked = dna_spin_start(DNA_SPIN_ANYBODY, (int)num - 1); asked; steps++) {
                asked = answer(asked);
            }
            CU_ASSERT(again == 0 || memcmp(after, dna_spin_world, sizeof after) == 0);
            memcpy(after, dna_spin_world, sizeof after);
        }
        dna_vf_apply(&x, &moves[num - 1]);
        CU_ASSERT_EQUAL(dna_spin_broken(), 0);
        CU_ASSERT_EQUAL(dna_spin_quiet(), dna_vf_quiet(&x));
    }
    CU_ASSERT(steps > 100);
    CU_ASSERT_EQUAL(dna_spin_start(DNA_SPIN_ANYBODY, 10000), 0); /* no such move: nothing happens */
    CU_ASSERT(memcmp(after, dna_spin_world, sizeof after) == 0);
}

/* A reading of the tables that takes one row for another, in a cell that no configuration meets. */
static bool misread(const struct dna_machine *machine, uint32_t *vars, uint32_t on,
                    const void *facts, struct dna_stream_vars *s, const struct dna_knobs *k,
                    struct dna_effects *fx)
{
    bool taken = dna_vf_interpreted(machine, vars, on, facts, s, k, fx);
    if (machine == &dna_machine_routing && on == routing_E_OVERFLOW) {
        fx->outs[0] = routing_O_bounce_timeout;
    }
    return taken;
}

static void test_two_readings_are_compared(void)
{
    uint64_t steps = 0;
    CU_ASSERT_EQUAL(dna_vf_cells(misread, &steps, NULL), 1);
    CU_ASSERT(steps > 1000000);
}

/* Each move is somebody's, and only what something waits for is owed to the timers. */
static void test_every_move_is_somebodys(void)
{
    unsigned asked, owed = 0, any = 1;
    dna_spin_begin("timers_initiating", NULL);
    for (int n = 0; n < 60; n++) {
        int all = dna_spin_num(DNA_SPIN_ANYBODY), sum = 0;
        for (int who = DNA_SPIN_OTHERS; who <= DNA_SPIN_TIMERS_B; who++) {
            sum += dna_spin_num((enum dna_spin_who)who);
        }
        CU_ASSERT_EQUAL(sum, all);
        CU_ASSERT_EQUAL(dna_spin_num(DNA_SPIN_TIMERS_B), 0); /* B has no stream there */
        owed += dna_spin_num(DNA_SPIN_TIMERS_A) > 0;
        CU_ASSERT(dna_spin_num(DNA_SPIN_TIMERS_A) == 0 || !dna_spin_quiet());
        any = any * 1103515245u + 12345u; /* one walk, and always the same */
        for (asked = dna_spin_start(DNA_SPIN_ANYBODY, (int)(any >> 16) % all); asked;) {
            asked = answer(asked);
        }
    }
    CU_ASSERT(owed > 5);
}

static void test_arguments(void)
{
    char *wrong[] = { (char *)"--config", (char *)"nowhere" }, *lone[] = { (char *)"--bug" };
    CU_ASSERT_EQUAL(dna_verify_cmd(2, wrong), 2);
    CU_ASSERT_EQUAL(dna_verify_cmd(1, lone), 2);
    CU_ASSERT_EQUAL(dna_vf_mutate("DR21:frobnicate"), -1);
    CU_ASSERT_EQUAL(dna_vf_find_property("S99"), -1);
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "nothing is refuted where all holds", test_nothing_is_refuted_where_all_holds },
        { "honest servers get through", test_honest_servers_get_through },
        { "a limit is refuted by a relay", test_a_limit_is_refuted_by_a_relay },
        { "every planted bug is refuted", test_every_planted_bug_is_refuted },
        { "a bug is no limit", test_a_bug_is_no_limit },
        { "a counterexample is shortest", test_a_counterexample_is_shortest },
        { "hash collisions lose no state", test_hash_collisions_lose_no_state },
        { "two runs agree", test_two_runs_agree },
        { "an unfinished search claims nothing", test_an_unfinished_search_claims_nothing },
        { "each property is put to the test", test_each_property_is_put_to_the_test },
        { "a dead cell is reported", test_a_dead_cell_is_reported },
        { "an endless row is reported", test_an_endless_row_is_reported },
        { "a stuck flow is reported", test_a_stuck_flow_is_reported },
        { "a scenario is written", test_a_scenario_is_written },
        { "Spin sees the same world", test_spin_sees_the_same_world },
        { "two readings are compared", test_two_readings_are_compared },
        { "every move is somebody's", test_every_move_is_somebodys },
        { "arguments", test_arguments },
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = { { "verify", NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
    if (CU_initialize_registry() || CU_register_suites(suites)) {
        return 2;
    }
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
