/* SPDX-License-Identifier: MIT */
/*
 * test_unfold.c -- the composition of a role's tables: complete, as the documents' flows have it,
 * and never at odds with the walker, which reads the same tables one machine at a time.
 */
#include "model/unfold.h"

#include "model/machines.h"
#include "model/mutants.h"
#include "model/roles.h"
#include "model/walk.h"

#include <CUnit/Basic.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dna_habits profile;

/* --- the correspondence is complete --- */

static bool wired(const struct dna_role *role, const struct dna_machine *m, size_t out)
{
    for (size_t i = 0; i < role->num_wires; i++) {
        if (role->wires[i].machine == m && role->wires[i].out == out) {
            return true;
        }
    }
    return false;
}

static void test_wires(void)
{
    for (const struct dna_role *const *r = dna_roles; *r; r++) {
        for (size_t s = 0; s < (*r)->num_slots; s++) {
            const struct dna_machine *m = (*r)->slots[s].machine;
            CU_ASSERT(m->num_vars * sizeof(uint32_t) < DNA_SCENE_VARS * sizeof(uint32_t));
            CU_ASSERT(m->num_rows <= DNA_MAX_ROWS);
            for (size_t o = 1; o < m->num_dos; o++) {
                if (m->dos[o].kind == DNA_INTERNAL && !wired(*r, m, o)) {
                    printf("%s: %s does %s, and nothing follows\n", (*r)->name, m->name,
                           m->dos[o].name);
                    CU_FAIL("an internal output leads nowhere");
                }
            }
        }
    }
}

static bool sent_somewhere(const struct dna_role *role, const char *name)
{
    for (size_t s = 0; s < role->num_scopes; s++) {
        if (strstr(role->scopes[s].prefix, name)) {
            return true;
        }
        const char *at = role->scopes[s].alphabet;
        for (size_t len; (len = strcspn(at, ",")) > 0; at += at[len] ? len + 2 : len) {
            if (strlen(name) == len && memcmp(name, at, len) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* No symbol is written in vain; the authoritative role shares the receiving role's. */
static void test_symbols_used(void)
{
    for (const struct dna_role *const *r = dna_roles; *r; r++) {
        for (size_t i = 0; i < (*r)->num_symbols; i++) {
            const char *name = (*r)->symbols[i].name;
            bool shared = *r == &dna_role_authoritative && sent_somewhere(&dna_role_receiving, name);
            shared |= *r == &dna_role_receiving && sent_somewhere(&dna_role_authoritative, name);
            if (!shared && !sent_somewhere(*r, name)) {
                printf("%s: nobody sends '%s'\n", (*r)->name, name);
                CU_FAIL("a symbol without use");
            }
            CU_ASSERT_PTR_EQUAL(dna_symbol_find(*r, name, strlen(name)), &(*r)->symbols[i]);
        }
    }
}

/* --- flows, by hand --- */

struct flow {
    const struct dna_role *role;
    const char *scope;
    const char *sent;     /* behind the scope's prefix */
    const char *expected; /* the words */
};

static const struct dna_scope *scope_of(const struct dna_role *role, const char *name)
{
    for (size_t i = 0; i < role->num_scopes; i++) {
        if (strcmp(role->scopes[i].name, name) == 0) {
            return &role->scopes[i];
        }
    }
    return NULL;
}

static void play(const struct flow *f, const struct dna_overlay *overlay, char *out, size_t size)
{
    struct dna_unfolding u;
    struct dna_scene scene;
    char err[256] = "", word[DNA_WORD_TEXT];
    const char *at = f->sent;
    size_t used = 0;
    out[0] = '\0';
    if (dna_unfold(&u, f->role, scope_of(f->role, f->scope), &profile, NULL, err, sizeof err)) {
        snprintf(out, size, "%s", err);
        return;
    }
    CU_ASSERT(dna_unfold_prefix(&u, overlay, &scene, word, sizeof word));
    for (size_t len; (len = strcspn(at, ",")) > 0; at += len + (at[len] == ',') + (at[len] == ',')) {
        for (size_t x = 0; x < u.mealy.num_inputs; x++) {
            if (strlen(u.inputs[x]->name) == len && memcmp(u.inputs[x]->name, at, len) == 0) {
                dna_unfold_step(&u, overlay, &scene, x, word);
                used += (size_t)snprintf(out + used, size - used, "%s%s", used ? " | " : "", word);
            }
        }
    }
    dna_unfolding_free(&u);
}

static void test_flows(void)
{
    static const struct dna_overlay none;
    const struct flow flows[] = {
        { &dna_role_receiving, "clear", "header d1, starttls, tls d1, header d1",
          "send_header send_features offer_starttls_required | send_proceed start_tls | nothing | "
          "send_header send_features offer_external offer_dialback offer_bidi" },
        { &dna_role_receiving, "clear", "header d1, key d1, stanza d1, starttls, close",
          "send_header send_features offer_starttls_required | send_policy_violation(d1) | "
          "error_not_authorized send_close | nothing | drop_stream" },
        { &dna_role_receiving, "external", "header d1, auth, header d1, stanza d1, stanza d2",
          "send_header send_features offer_external offer_dialback offer_bidi | send_success | "
          "send_header send_features offer_dialback | deliver(d1) | error_invalid_from send_close" },
        { &dna_role_receiving, "dialback", "key d1, d1 says valid, stanza d1, key d2, d2 says invalid, stanza d1",
          "db:verify(d1) | send_valid(d1) | deliver(d1) | db:verify(d2) | send_forbidden(d2) | deliver(d1)" },
        { &dna_role_receiving, "dialback", "key d1, forged d1 valid, stanza d1",
          "db:verify(d1) | nothing | error_not_authorized send_close" },
        { &dna_role_receiving, "dialback", "key d1, d1 says invalid, close",
          "db:verify(d1) | send_invalid(d1) send_close | drop_stream" },
        { &dna_role_receiving, "refuted", "header d1, key d1, stanza d1",
          "send_header send_features offer_dialback offer_bidi | send_not_authorized(d1) | error_not_authorized send_close" },
        { &dna_role_receiving, "fetched meanwhile", "header d1, verify early, proof of d1, verify early",
          "send_header | nothing | send_features offer_external offer_dialback offer_bidi "
          "send_verify_invalid | send_verify_invalid" },
        { &dna_role_receiving, "fetched", "header d1, proof of d1, auth, header d1",
          "send_header | send_features offer_external offer_dialback offer_bidi | send_success | "
          "send_header send_features offer_dialback" },
        { &dna_role_receiving, "fetched", "header -, key d1, key d1 empty, proof of d1, key d1",
          "send_header send_features offer_dialback offer_bidi | nothing | nothing | "
          "send_valid(d1) | send_valid(d1)" },
        { &dna_role_receiving, "fetched later", "key d2, auth, proof of d2",
          "nothing | send_success | nothing" },
        { &dna_role_receiving, "fetched, asking", "key d1, proof of d1, d1 says valid",
          "nothing | db:verify(d1) | send_valid(d1)" },
        { &dna_role_receiving, "fetched anew", "proofs run out, auth, key d1, auth, proof of d1, auth",
          "nothing | failure_not_authorized | nothing | failure_not_authorized | send_valid(d1) | "
          "send_success" },
        { &dna_role_initiating, "fetched", "tls d1, header early, proof of d1, features dialback",
          "nothing | nothing | send_header | send_key(d1)" },
        { &dna_role_initiating, "external", "header, features external, success, header, features dialback, local d1",
          "nothing | send_auth_empty | send_header | nothing | transmit(d1) | transmit(d1)" },
        { &dna_role_initiating, "dialback", "features dialback, result valid, local d1, stanza d1",
          "send_key(d1) | transmit(d1) | transmit(d1) | error_not_authorized send_close" },
        { &dna_role_initiating, "dialback", "features dialback, result error",
          "send_key(d1) | bounce_timeout" },
        { &dna_role_initiating, "asking", "header, features tls, proceed, tls -, header, features -, answered",
          "nothing | send_starttls | start_tls | send_header | nothing | db:verify | send_close" },
        { &dna_role_authoritative, "secured", "verify, verify right, verify unhosted, verify no id",
          "send_verify_invalid | send_verify_valid | verify_item_not_found | verify_bad_request" },
        { &dna_role_c2s_server, "login", "header, auth wrong, auth, header, stanza",
          "send_header send_features_sasl | failure_not_authorized | send_success | send_header send_features_bind | "
          "error_not_authorized send_close" },
    };
    for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++) {
        char got[2048];
        play(&flows[i], &none, got, sizeof got);
        if (strcmp(got, flows[i].expected) != 0) {
            printf("%s: %s\n  expected %s\n  got      %s\n", flows[i].role->name, flows[i].sent,
                   flows[i].expected, got);
            CU_FAIL("a flow goes another way");
        }
    }
}

/* --- the walker reads along --- */

enum { PLACES = 4 };

struct reader {
    struct dna_walk *walks[DNA_MAX_MACHINES][PLACES];
    const struct dna_knobs *knobs;
    size_t refused, fed;
};

static struct dna_walk *walk_of(struct reader *r, const struct dna_machine *m, enum dna_whom whom)
{
    struct dna_walk **at = &r->walks[dna_machine_place(m)][whom];
    if (*at && whom == DNA_STRANGER) {
        dna_walk_free(*at);
        *at = NULL;
    }
    if (!*at) {
        *at = dna_walk_new(m, r->knobs, UINT64_MAX);
        for (uint32_t e = 0; e < m->num_events; e++) {
            dna_walk_watch(*at, e, true);
        }
        for (uint32_t o = 1; o < m->num_dos; o++) {
            dna_walk_see(*at, o, m->dos[o].kind == DNA_UPDATE ? DNA_WALK_UNSEEN : DNA_WALK_DUE);
        }
    }
    return *at;
}

static void tell(struct reader *r, enum dna_walk_verdict verdict)
{
    r->fed++;
    r->refused += verdict != DNA_WALK_OK;
}

static void tell_stream(struct reader *r, struct dna_walk *w, const struct dna_stream_vars *s)
{
    for (size_t i = 0; i < dna_num_stream_fields; i++) {
        uint32_t value;
        memcpy(&value, (const char *)s + dna_stream_fields[i].offset, sizeof value);
        tell(r, dna_walk_stream(w, dna_stream_fields[i].name, value));
    }
}

static void read_along(void *ctx, const struct dna_machine *m, enum dna_whom whom,
                       const struct dna_env *env, uint32_t on, const struct dna_effects *fx)
{
    struct reader *r = ctx;
    static struct dna_walk *current; /* steps do not overlap: outputs are followed after both calls */
    if (!m) {
        for (size_t i = 0; i < DNA_MAX_MACHINES; i++) {
            if (r->walks[i][DNA_STREAM]) {
                tell(r, dna_walk_restart(r->walks[i][DNA_STREAM], on != 0));
            }
        }
        return;
    }
    if (!fx) {
        current = walk_of(r, m, whom);
        tell_stream(r, current, env->s);
        tell(r, dna_walk_event(current, on, env->e, UINT64_MAX));
        return;
    }
    for (size_t i = 0; i < fx->num_outs; i++) {
        tell(r, dna_walk_output(current, fx->outs[i]));
    }
    tell(r, dna_walk_settle(current));
}

static void forget_walks(struct reader *r)
{
    for (size_t i = 0; i < DNA_MAX_MACHINES; i++) {
        for (size_t p = 0; p < PLACES; p++) {
            dna_walk_free(r->walks[i][p]);
            r->walks[i][p] = NULL;
        }
    }
}

static uint32_t seed = 7;

static uint32_t dice(size_t sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % (uint32_t)sides;
}

/* Plays random words of one scope; returns how often the walker objected. */
static size_t random_words(const struct dna_role *role, const struct dna_scope *scope,
                           const struct dna_overlay *overlay, int words)
{
    struct dna_unfolding u;
    struct dna_scene scene;
    char err[256];
    CU_ASSERT_EQUAL_FATAL(dna_unfold(&u, role, scope, &profile, NULL, err, sizeof err), 0);
    struct reader r = { .knobs = &u.knobs };
    for (int w = 0; w < words; w++) {
        struct dna_compose c = { .role = role, .scope = scope, .knobs = u.knobs, .overlay = overlay,
                                 .scene = &scene, .watch = read_along, .watch_ctx = &r };
        dna_compose_begin(&c);
        for (int i = 0; i < 20; i++) { /* the walker keeps 64 inputs at most, from settle to settle */
            const struct dna_symbol *s = dice(3) ? &role->symbols[dice(role->num_symbols)]
                                                 : u.inputs[dice(u.mealy.num_inputs)];
            dna_compose_send(&c, s);
        }
        forget_walks(&r);
    }
    CU_ASSERT(r.fed > 100);
    dna_unfolding_free(&u);
    return r.refused;
}

static void test_walker_agrees(void)
{
    static const struct dna_overlay none;
    for (const struct dna_role *const *r = dna_roles; *r; r++) {
        for (size_t s = 0; s < (*r)->num_scopes; s++) {
            size_t refused = random_words(*r, &(*r)->scopes[s], &none, 40);
            if (refused) {
                printf("%s, %s: the walker objects %zu times\n", (*r)->name,
                       (*r)->scopes[s].name, refused);
            }
            CU_ASSERT_EQUAL(refused, 0);
        }
    }
}

static void test_walker_objects(void)
{
    struct dna_overlay damaged = { .num = 0 };
    char err[128];
    CU_ASSERT_EQUAL(dna_overlay_add(&damaged, "SR06:nodo=send_features", err, sizeof err), 0);
    CU_ASSERT(random_words(&dna_role_receiving, &dna_role_receiving.scopes[0], &damaged, 40) > 0);
}

/* --- profiles, errors --- */

static int read_profile(const char *text, struct dna_habits *p, char *err, size_t size)
{
    char path[] = "/tmp/profile-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    FILE *out = fdopen(fd, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fputs(text, out);
    fclose(out);
    dna_habits_default(p);
    int failed = dna_habits_read(p, path, err, size);
    unlink(path);
    return failed;
}

static void test_profile(void)
{
    struct dna_habits p;
    char err[256] = "";
    CU_ASSERT_EQUAL(read_profile("# what it does\nknob tls_required=0\nchoice SR22 # the first one\nchoice TR02 # the second\n", &p, err, sizeof err), 0);
    CU_ASSERT_EQUAL(p.knobs.tls_required, 0);
    CU_ASSERT_EQUAL(p.choices.num, 1);
    CU_ASSERT_STRING_EQUAL(p.choices.mutants[0].machine->rows[p.choices.mutants[0].row].id, "TR02");
    CU_ASSERT_EQUAL(read_profile("\nknob tls_required=7\n", &p, err, sizeof err), -1);
    CU_ASSERT(strstr(err, ":2: no such knob or value: tls_required=7") != NULL);
    CU_ASSERT_EQUAL(read_profile("choice SR01\n", &p, err, sizeof err), -1);
    CU_ASSERT(strstr(err, "not an alternative of a CHOICE") != NULL);
    CU_ASSERT_EQUAL(read_profile("chance SR22\n", &p, err, sizeof err), -1);
    CU_ASSERT(strstr(err, ":1: expected knob NAME=VALUE or choice ROW") != NULL);
    CU_ASSERT_EQUAL(dna_habits_read(&p, "/nonexistent", err, sizeof err), -1);
}

/* A profile that ignores unknown elements: the stream goes on. */
static void test_choice(void)
{
    const struct flow f = { &dna_role_receiving, "clear", "header d1, unknown, starttls",
                            "send_header send_features offer_starttls_required | nothing | send_proceed start_tls" };
    struct dna_overlay choices = { .num = 0 };
    char err[128], got[1024];
    CU_ASSERT_EQUAL(dna_overlay_add(&choices, "SR22:choice", err, sizeof err), 0);
    play(&f, &choices, got, sizeof got);
    CU_ASSERT_STRING_EQUAL(got, f.expected);
}

static void test_misspelt_scope(void)
{
    const struct dna_scope bad = { .name = "bad", .prefix = "", .alphabet = "header d1, hedaer d2" };
    const struct dna_scope stuck = { .name = "stuck", .prefix = "starttls", .alphabet = "close" };
    struct dna_unfolding u;
    char err[256] = "";
    CU_ASSERT_EQUAL(dna_unfold(&u, &dna_role_receiving, &bad, &profile, NULL, err, sizeof err), -1);
    CU_ASSERT_STRING_EQUAL(err, "scope bad: no symbol is called 'hedaer d2'");
    CU_ASSERT_EQUAL(dna_unfold(&u, &dna_role_receiving, &stuck, &profile, NULL, err, sizeof err), -1);
    CU_ASSERT_STRING_EQUAL(err, "scope stuck: the prefix cannot be sent");
}

/* --- mutants --- */

static enum dna_fate fate_of(const struct dna_campaign *c, const char *name,
                             struct dna_judgement *j)
{
    struct dna_overlay parsed = { .num = 0 };
    char err[128];
    *j = (struct dna_judgement){ 0 };
    CU_ASSERT_EQUAL_FATAL(dna_overlay_add(&parsed, name, err, sizeof err), 0);
    dna_campaign_judge(c, &parsed.mutants[0], j);
    return j->fate;
}

static void test_judgement(void)
{
    struct dna_campaign c;
    struct dna_judgement j;
    char err[256];
    CU_ASSERT_EQUAL_FATAL(dna_campaign_begin(&c, &dna_role_receiving, &profile, 0, err, sizeof err), 0);
    CU_ASSERT_EQUAL(fate_of(&c, "SR33:drop", &j), DNA_EQUIVALENT); /* a row that does nothing */
    CU_ASSERT_EQUAL(fate_of(&c, "SR30:nodo=arm_negotiation", &j), DNA_KILLED_BY_WAITING);
    CU_ASSERT_EQUAL(fate_of(&c, "DR21:drop", &j), DNA_KILLED);
    CU_ASSERT_EQUAL(j.len, 2); /* key d1, d1 says valid */
    CU_ASSERT_STRING_EQUAL(j.expected, "send_valid(d1)");
    CU_ASSERT_STRING_EQUAL(j.got, "nothing");
    CU_ASSERT_EQUAL(fate_of(&c, "DR21:true", &j), DNA_KILLED); /* a forged answer counts */
    CU_ASSERT_EQUAL(j.len, 2);
    CU_ASSERT_EQUAL(fate_of(&c, "SR32:drop", &j), DNA_KILLED_BY_WAITING);
    dna_campaign_end(&c);
}

int main(void)
{
    dna_habits_default(&profile);
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("unfold", NULL, NULL);
    CU_add_test(suite, "every internal output leads somewhere", test_wires);
    CU_add_test(suite, "every symbol is used", test_symbols_used);
    CU_add_test(suite, "flows go as the documents have them", test_flows);
    CU_add_test(suite, "the walker agrees on random words", test_walker_agrees);
    CU_add_test(suite, "the walker objects to a damaged table", test_walker_objects);
    CU_add_test(suite, "profiles are read, and refused with their line", test_profile);
    CU_add_test(suite, "another alternative of a choice", test_choice);
    CU_add_test(suite, "a misspelt scope is refused", test_misspelt_scope);
    CU_add_test(suite, "mutants are judged", test_judgement);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failed > 0;
}
