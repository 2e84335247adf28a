/* SPDX-License-Identifier: MIT */
/* spec/test/test_req.c: the requirement tables are whole: ids, levels, marks, decisions, knobs. */
#include "spec/knobs.h"
#include "spec/req.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <string.h>

#define EACH(r)                                                                                    \
    for (const struct dna_requirement *r = dna_requirement((enum dna_req)0), *end = r + NUM;       \
         r < end; r++)
enum { NUM = DNA_NUM_REQUIREMENTS };

/* A failed row is named, or the test would only give its own line. */
static void check(const struct dna_requirement *r, int holds, const char *what)
{
    if (!holds)
        printf("  %s: %s\n", r->id, what);
    CU_ASSERT(holds);
}

static int is_decision(const struct dna_requirement *r)
{
    return r->level == DNA_LEVEL_DECISION;
}

static void test_ids(void)
{
    EACH(r)
    {
        check(r, dna_requirement_find(r->id) == (int)(r - dna_requirement((enum dna_req)0)),
              "is not unique");
        if (is_decision(r))
            check(r, strncmp(r->id, "DEC_A", 5) == 0, "is no decision code");
        else
            check(r, strncmp(r->id + 1, r->document + (*r->id == 'R' ? 3 : 4), 4) == 0,
                  "belongs to another document");
    }
    CU_ASSERT_EQUAL(dna_requirement_find("R7712_4_3_2"), R7712_4_3_2);
    CU_ASSERT_EQUAL(dna_requirement_find("DEC_A05"), DEC_A05);
    CU_ASSERT_EQUAL(dna_requirement_find("R7712_4_3_999"), -1);
    CU_ASSERT_EQUAL(dna_requirement_find(""), -1);
    CU_ASSERT_EQUAL(dna_requirement_find(NULL), -1);
    CU_ASSERT_PTR_NULL(dna_requirement(DNA_NUM_REQUIREMENTS));
    CU_ASSERT_PTR_NULL(dna_requirement((enum dna_req) - 1));
}

static int known_roles(const char *roles)
{
    static const char *const words[] = {"any",         "client",      "server",
                                        "initiating",  "receiving",   "authoritative",
                                        "operator",    "resolver",    "ca",
                                        "posh client", "posh server", "implementer",
                                        "protocol author"};

    while (*roles) {
        size_t len = strcspn(roles, ","), i = 0;

        while (i < sizeof words / sizeof *words &&
               (strlen(words[i]) != len || strncmp(words[i], roles, len) != 0))
            i++;
        if (i == sizeof words / sizeof *words)
            return 0;
        roles += len;
        roles += strspn(roles, ", ");
    }
    return 1;
}

static void test_rows(void)
{
    EACH(r)
    {
        check(r, r->document && *r->document, "has no document");
        check(r, r->section && *r->section, "has no section");
        check(r, r->text && strlen(r->text) > 3, "has no text");
        check(r, r->roles && *r->roles && known_roles(r->roles), "has an unknown role");
        check(r, strcmp(dna_level_name(r->level), "?") != 0, "has no level");
        check(r, r->marks < 16, "has an unknown mark");
        check(r, !*r->ordinals == !*r->sha256, "has ordinals or hash without the other");
        if (*r->sha256)
            check(r, strspn(r->sha256, "0123456789abcdef") == 64 && !r->sha256[64],
                  "has a malformed hash");
        if (!is_decision(r))
            check(r, !r->problem && !r->choice, "is no decision but has one's fields");
    }
    CU_ASSERT_STRING_EQUAL(dna_requirement(R7712_4_3_2)->section, "4.3");
    CU_ASSERT_EQUAL(dna_requirement(R7712_4_3_2)->level, DNA_LEVEL_FLOW);
    CU_ASSERT_STRING_EQUAL(dna_level_name(DNA_LEVEL_SHOULD_NOT), "SHOULD NOT");
    CU_ASSERT_STRING_EQUAL(dna_level_name((enum dna_level)99), "?");
}

/* Every statement has been read in its text, and points to its sentences. */
static void test_read_again(void)
{
    int rfc7712 = 0;

    EACH(r)
    {
        rfc7712 += strcmp(r->document, "RFC7712") == 0;
        if (!is_decision(r))
            check(r, *r->ordinals != '\0', "was not read again");
    }
    CU_ASSERT(rfc7712 >= 79);
}

/* A reason stands for a row and a scenario, so it may not excuse what lets a domain through. */
static void test_dispositions(void)
{
    static const struct {
        enum dna_req id;
        const char *sentence;
    } reasons[] = {
#define REASON(id, sentence) {id, sentence},
#include "spec/dispositions.def"
    };
    enum { REASONS = sizeof reasons / sizeof *reasons };

    for (size_t i = 0; i < REASONS; i++) {
        const struct dna_requirement *r = dna_requirement(reasons[i].id);
        size_t len = strlen(reasons[i].sentence);

        check(r, !is_decision(r), "is a decision, which needs no reason");
        check(r, !(r->marks & REQ_SEC), "is a security requirement and was excused");
        check(r, len > 20 && reasons[i].sentence[len - 1] == '.', "has no sentence as its reason");
        for (size_t j = 0; j < i; j++)
            check(r, reasons[j].id != reasons[i].id, "is excused twice");
    }
    CU_ASSERT(REASONS >= 44);
}

static void test_decisions(void)
{
    int num = 0;

    EACH(r)
    {
        enum dna_req id = (enum dna_req)dna_requirement_find(r->id);
        int decision = dna_requirement_decision(id, 0);

        if (is_decision(r)) {
            num++;
            check(r, r->problem && strlen(r->problem) > 10, "has no problem");
            check(r, r->choice && strlen(r->choice) > 3, "has no choice");
            check(r, strcmp(r->section, r->id + 4) == 0, "has another section than its code");
            check(r, decision == -1, "is decided by another decision");
        }
        if (r->marks & REQ_AMBIGUOUS)
            check(r, decision >= 0, "is ambiguous but undecided");
        for (size_t n = 0; (decision = dna_requirement_decision(id, n)) >= 0; n++)
            check(r, is_decision(dna_requirement((enum dna_req)decision)),
                  "is decided by what is no decision");
    }
    CU_ASSERT(num >= 52);
    CU_ASSERT_EQUAL(dna_requirement_decision(R7712_4_1_4, 0), DEC_A01);
    CU_ASSERT_EQUAL(dna_requirement_decision(R7712_4_1_4, 1), DEC_A02);
    CU_ASSERT_EQUAL(dna_requirement_decision(R7712_4_1_4, 2), -1);
}

static void test_knobs(void)
{
    struct dna_knobs knobs = dna_knobs_default();
    uint32_t value = 77;

    for (int i = 0; i < DNA_NUM_KNOBS; i++) {
        const struct dna_knob *k = dna_knob((enum dna_knob_id)i);

        CU_ASSERT(k->max >= 1 && k->value <= k->max);
        CU_ASSERT(strlen(k->sentence) > 10 && *k->values);
        CU_ASSERT(is_decision(dna_requirement(k->decision)));
        CU_ASSERT_EQUAL(dna_knob_get(&knobs, k->name, &value), 0);
        CU_ASSERT_EQUAL(value, k->value);
        CU_ASSERT_EQUAL(dna_knob_set(&knobs, k->name, k->max), 0);
        CU_ASSERT_EQUAL(dna_knob_set(&knobs, k->name, k->max + 1), -2);
        CU_ASSERT_EQUAL(dna_knob_get(&knobs, k->name, &value), 0);
        CU_ASSERT_EQUAL(value, k->max);
    }
    CU_ASSERT_EQUAL(knobs.sasl_retries, 5);
    CU_ASSERT_EQUAL(dna_knob_set(&knobs, "bidy", 0), -1);
    CU_ASSERT_EQUAL(dna_knob_set(&knobs, NULL, 0), -1);
    CU_ASSERT_EQUAL(dna_knob_get(&knobs, "", &value), -1);
    CU_ASSERT_PTR_NULL(dna_knob(DNA_NUM_KNOBS));
}

/* The defaults are the profile of RFC 7712; tables and scenarios rely on them. */
static void test_defaults(void)
{
    struct dna_knobs k = dna_knobs_default();

    CU_ASSERT_EQUAL(k.tls_required, 1);
    CU_ASSERT_EQUAL(k.outbound_proof_required, 1);
    CU_ASSERT_EQUAL(k.inbound_proof_required, 0);
    CU_ASSERT_EQUAL(k.bidi, 1);
    CU_ASSERT_EQUAL(k.external, 1);
    CU_ASSERT_EQUAL(k.external_without_proof, 0);
    CU_ASSERT_EQUAL(k.dialback, 1);
    CU_ASSERT_EQUAL(k.dialback_without_dialing, 1);
    CU_ASSERT_EQUAL(k.same_certificate_shortcut, 0);
    CU_ASSERT_EQUAL(k.target_reuse_first_only, 0);
    CU_ASSERT_EQUAL(k.supposition_profile, 0);
    CU_ASSERT_EQUAL(k.invalid_reports_forbidden, 1);
    CU_ASSERT_EQUAL(k.verify_in_clear_allowed, 0);
    CU_ASSERT_EQUAL(k.sasl_retries, 3);
    CU_ASSERT_EQUAL(k.authzid_policy, 0);
    CU_ASSERT_EQUAL(k.srv_failure_falls_back, 1);
    CU_ASSERT_EQUAL(k.cn_id, 0);
    CU_ASSERT_EQUAL(k.srv_client_name_ok, 0);
    CU_ASSERT_EQUAL(k.server_auth_eku_ok, 1);
    CU_ASSERT_EQUAL(k.empty_subject_ok, 1);
    CU_ASSERT_EQUAL(k.reverse_dialback_without_bidi, 0);
    CU_ASSERT_EQUAL(k.peer_header_from_must_match, 0);
    CU_ASSERT_EQUAL(k.bidi_before_tls, 0);
    CU_ASSERT_EQUAL(k.pin_accepts, 1);
}

static void test_sets(void)
{
    for (int i = 0; i < DNA_NUM_SETS; i++) {
        const struct dna_set *s = dna_set((enum dna_set_id)i);

        CU_ASSERT(*s->name && strlen(s->sentence) > 10);
        CU_ASSERT_PTR_NOT_NULL(strchr(s->outcomes, ' ')); /* one outcome would be no set */
        CU_ASSERT(is_decision(dna_requirement(s->decision)));
    }
    CU_ASSERT_PTR_NULL(dna_set(DNA_NUM_SETS));
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;

    CU_pSuite suite = CU_add_suite("req", NULL, NULL);

    if (!suite || !CU_add_test(suite, "every id is unique and found", test_ids) ||
        !CU_add_test(suite, "every row is whole", test_rows) ||
        !CU_add_test(suite, "every row has been read again", test_read_again) ||
        !CU_add_test(suite, "every excuse has its reason", test_dispositions) ||
        !CU_add_test(suite, "every decision is whole and known", test_decisions) ||
        !CU_add_test(suite, "knobs keep their maximum", test_knobs) ||
        !CU_add_test(suite, "knob defaults are those of RFC 7712", test_defaults) ||
        !CU_add_test(suite, "sets have outcomes", test_sets))
        return 1;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();

    unsigned failures = CU_get_number_of_failures();

    CU_cleanup_registry();
    return failures ? 1 : 0;
}
