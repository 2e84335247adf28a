/* SPDX-License-Identifier: MIT */
/* test_peer_knobs: whose number a name or an address carries, and whose knobs count then. */
#include "impl/peer_knobs.h"

#include <CUnit/Basic.h>

static void test_names(void)
{
    CU_ASSERT_EQUAL(dna_peer_mutant("d1.c0042m17.example"), 17);
    CU_ASSERT_EQUAL(dna_peer_mutant("C0042M17.EXAMPLE"), 17);
    CU_ASSERT_EQUAL(dna_peer_mutant("c1m32767"), 32767);
    CU_ASSERT_EQUAL(dna_peer_mutant("c0042.example"), 0);
    CU_ASSERT_EQUAL(dna_peer_mutant("c0042m17x.example"), 0);
    CU_ASSERT_EQUAL(dna_peer_mutant("xc0042m17.example"), 0);
    CU_ASSERT_EQUAL(dna_peer_mutant("cm17.example"), 0);
    CU_ASSERT_EQUAL(dna_peer_mutant("c42m.example"), 0);
    CU_ASSERT_EQUAL(dna_peer_mutant(""), 0);
}

static void test_addresses(void)
{
    CU_ASSERT_EQUAL(dna_peer_mutant("127.128.17.1"), 17);
    CU_ASSERT_EQUAL(dna_peer_mutant("127.129.1.254:5269"), 257);
    CU_ASSERT_EQUAL(dna_peer_mutant("127.255.255.3"), 32767);
    CU_ASSERT_EQUAL(dna_peer_mutant("127.64.0.9"), 0);
    CU_ASSERT_EQUAL(dna_peer_mutant("10.128.17.1"), 0);
    CU_ASSERT_EQUAL(dna_peer_mutant("127.128.17.1x"), 0);
    CU_ASSERT_EQUAL(dna_peer_mutant("[::1]:5269"), 0);
}

static struct dna_knobs other;

static const struct dna_knobs *asked(const struct dna_knobs *plain, const char *peer)
{
    return dna_peer_mutant(peer) ? &other : plain;
}

static void test_knobs(void)
{
    static const struct dna_knobs plain;

    CU_ASSERT_PTR_EQUAL(dna_knobs_for(&plain, "c1m1.example"), &plain);
    dna_knobs_ask(asked);
    CU_ASSERT_PTR_EQUAL(dna_knobs_for(&plain, "c1m1.example"), &other);
    CU_ASSERT_PTR_EQUAL(dna_knobs_for(&plain, "c1.example"), &plain);
    CU_ASSERT_PTR_EQUAL(dna_knobs_for(&plain, NULL), &plain);
    dna_knobs_ask(NULL);
    CU_ASSERT_PTR_EQUAL(dna_knobs_for(&plain, "c1m1.example"), &plain);
}

static unsigned died;

static void note_death(unsigned number)
{
    died = number;
}

static void test_dead_end(void)
{
    const struct dna_knobs numbered = { .mutant = 17 };

    dna_dead_ends_ask(note_death);
    dna_dead_end(&numbered);
    CU_ASSERT_EQUAL(died, 17);
    dna_dead_ends_ask(NULL);
}

int main(void)
{
    unsigned failed;

    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("peer_knobs", NULL, NULL);
    CU_add_test(s, "numbers in names", test_names);
    CU_add_test(s, "numbers in addresses", test_addresses);
    CU_add_test(s, "knobs of a peer", test_knobs);
    CU_add_test(s, "a dead end of one mutant", test_dead_end);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failed = CU_get_number_of_tests_failed();
    CU_cleanup_registry();
    return failed ? 1 : 0;
}
