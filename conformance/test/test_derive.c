/* SPDX-License-Identifier: MIT */
/*
 * test_derive.c -- every symbol that can be played, and every word that can come, makes a scenario
 * line that the language accepts; what is written says what the tables say.
 */
#include "conformance/derive.h"

#include "conformance/lab/profile.h"
#include "conformance/scenario.h"
#include "model/roles.h"

#include <CUnit/Basic.h>

#include <stdlib.h>
#include <string.h>

static struct dna_prelude *prelude;

static const char head[] =
    "claim    The lines are sound.\nreq      R6120_4_9_1_1_1\nlevel    must\nrole     receiving\n"
    "impact   None.\nrev      1\n"
    "domain   a c\ncert     Both dns=$a,$c\ncert     Wrong dns=$c\ncert     Self dns=$a\n"
    "cert     Refuted dns=$a\nweb      W $a $c\n"
    "cert     Pinned dns=$c\npeer     A $a c2s\npeer     B $a host=own\n"
    "peer     C $c\nclient   U juliet\n"
    "iut-client K romeo@$a\n"
    "given:\nset $user = \"$U\"\nset $a64 = base64 \"$a\"\nset $c64 = base64 \"$c\"\n"
    "set $vid = \"v\"\nset $iutkey = \"k\"\nset $clear_theirs = \"t\"\nset $s0 = \"s\"\n"
    "set $right = \"r\"\nset $wrong = \"w\"\nset $other = \"o\"\nset $nonsense = \"n\"\n"
    "set $bind = \"b\"\nset $asker = \"a\"\nset $iut64 = \"i\"\nK run\n";

static const char *const begins[] = {
    [DNA_DERIVE_PEER] = "A.in connect\n",
    [DNA_DERIVE_IUT] = "A accept as v\nA.aside connect\n",
    [DNA_DERIVE_CLIENT] = "C connect c2s\n",
    [DNA_DERIVE_CLIENT_IUT] = "A accept as v\n",
};

/* Parses the body in the place of a scenario's; prints what the language says against it. */
static bool sound(const char *body, enum dna_derive_side side)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_buf text = { 0 };
    struct dna_scn *scn;

    dna_buf_printf(&text, "%s%s%sthen:\n%s", strstr(body, "iut stops") ? "" : "needs    clock\n",
                   head, begins[side], body);
    scn = dna_scn_parse("x/derived/all_lines.scn", text.at, prelude, &diags);
    if (!scn)
        printf("%s\nof\n%s\n", diags.text.at, body);
    if (scn)
        dna_scn_free(scn);
    dna_buf_free(&text);
    dna_buf_free(&diags.text);
    return scn != NULL;
}

/* Walks all transitions of the scope once; each is written behind a header of its own. */
static void every_transition(const struct dna_role *role, const struct dna_scope *scope)
{
    struct dna_habits habits;
    struct dna_unfolding u;
    char err[256] = "";

    dna_habits_default(&habits);
    CU_ASSERT_EQUAL_FATAL(dna_unfold(&u, role, scope, &habits, NULL, err, sizeof(err)), 0);
    for (size_t at = 0; at < u.mealy.num_states; at++) {
        for (size_t x = 0; x < u.mealy.num_inputs; x++) {
            struct dna_scene scene = u.scenes[at];
            struct dna_compose c = { .role = role, .scope = scope, .knobs = u.knobs,
                                     .overlay = &habits.choices, .scene = &scene };
            struct dna_derive_script s;

            dna_derive_begin(&s, role);
            s.compose = &c;
            s.last = true;
            if (!dna_derive_playable(u.inputs[x]) || !dna_compose_send(&c, u.inputs[x]) ||
                u.inputs[x]->kind == DNA_SEND_ANSWER || u.inputs[x]->kind == DNA_SEND_NO_ANSWER)
                continue; /* answers need the connection that a word before them opened */
            if (u.inputs[x]->kind != DNA_SEND_HEADER)
                s.header = 0;
            dna_derive_send(&s, u.inputs[x]);
            dna_derive_expect(&s);
            dna_derive_quiet(&s);
            if (s.body.len == 0)
                continue;
            CU_ASSERT(sound(s.body.at, s.side));
            dna_buf_free(&s.body);
        }
    }
    dna_unfolding_free(&u);
}

static void test_every_line(void)
{
    const struct dna_role *const roles[] = { &dna_role_receiving, &dna_role_initiating,
                                             &dna_role_authoritative, &dna_role_c2s_server,
                                             &dna_role_c2s_client };

    for (size_t r = 0; r < sizeof(roles) / sizeof(*roles); r++)
        for (size_t i = 0; i < roles[r]->num_scopes; i++)
            if ((!roles[r]->scopes[i].timers || strstr(roles[r]->scopes[i].alphabet, "shutdown")) &&
                (!roles[r]->scopes[i].mark || roles[r] != &dna_role_receiving))
                every_transition(roles[r], &roles[r]->scopes[i]);
}

/* A word of several tokens: each in its line, features as one element. */
static void test_words(void)
{
    struct dna_scene scene = { .g = { .muted = 1 } };
    const struct dna_symbol *symbol = dna_symbol_find(&dna_role_receiving, "header d1", 9);
    struct dna_compose c = { .role = &dna_role_receiving, .scene = &scene, .symbol = symbol };
    struct dna_derive_script s = { .compose = &c, .conn = "A.in", .header = 3 };

    dna_compose_show(&c, "send_header", DNA_STREAM, false);
    dna_compose_show(&c, "send_features", DNA_STREAM, false);
    dna_compose_show(&c, "offer_dialback", DNA_STREAM, false);
    dna_compose_show(&c, "send_not_found", DNA_PAIR2, false);
    dna_compose_show(&c, "error_invalid_from", DNA_STREAM, false);
    dna_compose_show(&c, "send_close", DNA_STREAM, false);
    dna_derive_expect(&s);
    CU_ASSERT_STRING_EQUAL(s.body.at,
        "A.in > <stream:stream id='$s3' version='1.0'>\n"
        "A.in > <stream:features>-<tls:starttls/>-<sasl:mechanisms/><dbf:dialback/>-<bidif:bidi/>"
        "</stream:features>\n"
        "A.in > <db:result from='$iut' to='$c' type='error'><error><stz:remote-server-not-found/>"
        "</error></db:result>\n"
        "A.in > <stream:error><err:invalid-from/></stream:error>\n"
        "A.in > close\n");
    dna_buf_free(&s.body);
}

/* What a local account writes to d1 finds no way; where d1 has nothing to answer for, it is found
 * at an address of its own. */
static void test_bounced(void)
{
    static const char *const alphabets[] = { "key d1, local d1", "key d1, d1 says what, local d1" };
    static const char homes[] = "BA";

    for (size_t i = 0; i < 2; i++) {
        struct dna_scene scene = { .g = { 0 } };
        const struct dna_scope scope = { .alphabet = alphabets[i] };
        struct dna_compose c = { .role = &dna_role_receiving, .scene = &scene, .scope = &scope };
        struct dna_derive_script s = { .compose = &c, .conn = "A.in", .local = 2 };
        char wanted[200];

        dna_compose_show(&c, "bounced", DNA_STREAM, true);
        dna_derive_expect(&s);
        snprintf(wanted, sizeof(wanted),
                 "%c accept as l2\n%c.l2 < fin\n"
                 "U > <message type='error' id='u2-$case'><error><stz:remote-server-timeout/>"
                 "</error></message>\n", homes[i], homes[i]);
        CU_ASSERT_STRING_EQUAL(s.body.at, wanted);
        CU_ASSERT_TRUE(s.needs_user);
        dna_buf_free(&s.body);
    }
}

/* Nothing is asked of a stream that is ending; behind the last symbol it is seen to its end. */
static void test_quiet(void)
{
    struct dna_scene scene = { .g = { .muted = 1 } };
    struct dna_compose c = { .scene = &scene };
    struct dna_derive_script s = { .compose = &c, .conn = "A.in" };

    dna_derive_quiet(&s);
    CU_ASSERT_PTR_NULL(s.body.at);
    s.last = true;
    dna_derive_quiet(&s);
    CU_ASSERT_STRING_EQUAL(s.body.at, "A.in < close\nA.in > eof\n");
    dna_buf_free(&s.body);
    s = (struct dna_derive_script){ .compose = &c, .conn = "A.in", .last = true, .patient = true };
    scene.g.deaf = 1; /* no closing tag would be read */
    dna_derive_quiet(&s);
    CU_ASSERT_STRING_EQUAL(s.body.at, "A.in > silence within 100ms\nA.in < fin\nA.in > drop\n");
    dna_buf_free(&s.body);
}

/* Which variant plays a scope, or none: by its knobs and by the feature that it needs. */
static void test_variants(void)
{
    static const struct {
        const char *role, *scope, *profile, *variant;
    } cases[] = {
        { "receiving", "crowded", "xdna", "crowded" },
        { "receiving", "no certificate", "xdna", "default" },
        { "receiving", "dialback", "xdna", "default" },
        { "initiating", "strict names", "xdna", "strictnames" },
        { "receiving", "crowded", "prosody", NULL },
        { "receiving", "dialback", "prosody", "default" },
    };
    struct dna_pool *pool = dna_pool_new();

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct dna_diag diag = { 0 };
        struct dna_profile *server = dna_profile_load(cases[i].profile, &diag);
        struct dna_derive_parts parts = { .without = NULL };
        struct dna_habits habits;

        CU_ASSERT_PTR_NOT_NULL_FATAL(server);
        dna_habits_default(&habits);
        dna_derive_knobs(&server->variants[0], &habits.knobs);
        dna_derive_choose(&parts, dna_role_find(cases[i].role), server, &habits, cases[i].scope,
                          pool, NULL);
        CU_ASSERT_EQUAL(parts.role.num_scopes, cases[i].variant != NULL);
        if (parts.role.num_scopes && cases[i].variant)
            CU_ASSERT_STRING_EQUAL(parts.variants[0], cases[i].variant);
        dna_profile_free(server);
    }
    dna_pool_free(pool);
}

/* A whole session: begins as its role does, ends so that everything shows, and is a scenario. */
static void test_session(void)
{
    static const struct {
        const char *role, *scope, *head, *end;
    } cases[] = {
        { "receiving", "dialback", "peer     A $a\ngiven:\n", "A.in > nothing" },
        { "c2s-server", "login", "peer     C c2s listen=no\nclient   U juliet\n", "C > eof" },
        { "c2s-client", "asked", "iut-client K romeo@$a\ngiven:\nK run on-terminal --pin",
          "A.v < fin\nK prints \"association=strong \"\nK exits 99" },
    };
    struct dna_pool *pool = dna_pool_new();
    struct dna_diag diag = { 0 };
    struct dna_profile *server = dna_profile_load("xdna", &diag);

    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct dna_derive_parts parts = { .without = "header d2" };
        struct dna_habits habits;
        struct dna_unfolding u;
        struct dna_buf text = { 0 };
        struct dna_scn_diags diags = { { 0 }, 0 };
        char err[256];
        uint32_t word[] = { 0 };

        dna_habits_default(&habits);
        dna_derive_knobs(&server->variants[0], &habits.knobs);
        dna_derive_choose(&parts, dna_role_find(cases[i].role), server, &habits, cases[i].scope,
                          pool, NULL);
        CU_ASSERT_EQUAL_FATAL(parts.role.num_scopes, 1);
        CU_ASSERT_PTR_NULL(strstr(parts.scopes[0].alphabet, "header d2"));
        CU_ASSERT_EQUAL_FATAL(dna_unfold(&u, &parts.role, &parts.scopes[0], &habits, NULL, err,
                                         sizeof(err)), 0);
        struct dna_derive_how how = { .u = &u, .choices = &habits.choices,
                                      .variant = parts.variants[0], .note = "A note." };
        dna_derive_write(&how, word, 1, &text);
        CU_ASSERT_EQUAL(strncmp(text.at, "# A note.\n", 10), 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(text.at, cases[i].head));
        CU_ASSERT_PTR_NOT_NULL(strstr(text.at, cases[i].end));
        struct dna_scn *scn = dna_scn_parse("x/derived/a_session.scn", text.at, prelude, &diags);
        CU_ASSERT_PTR_NOT_NULL(scn);
        if (!scn)
            printf("%s\nof\n%s\n", diags.text.at, text.at);
        else
            dna_scn_free(scn);
        dna_buf_free(&text);
        dna_buf_free(&diags.text);
        dna_unfolding_free(&u);
    }
    dna_profile_free(server);
    dna_pool_free(pool);
}

/* A scope of timers is a part for each of them; each waits as long as its timer may take, and one
 * has a certificate that runs out. */
static void test_waits(void)
{
    struct dna_pool *pool = dna_pool_new();
    struct dna_diag diag = { 0 };
    struct dna_profile *server = dna_profile_load("xdna", &diag);
    struct dna_derive_parts parts = { .wait = true };
    struct dna_habits habits;

    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    dna_habits_default(&habits);
    dna_derive_knobs(&server->variants[0], &habits.knobs);
    dna_derive_choose(&parts, dna_role_find("receiving"), server, &habits, "timers", pool, NULL);
    CU_ASSERT_EQUAL_FATAL(parts.role.num_scopes, 7);
    CU_ASSERT_STRING_EQUAL(parts.scopes[0].name, "timers shutdown"); /* which waits for nothing */
    CU_ASSERT_PTR_NULL(parts.waits[0]);
    for (size_t i = 1; i < parts.role.num_scopes; i++) {
        const struct dna_deadline *wait = parts.waits[i];
        struct dna_buf text = { 0 };
        struct dna_unfolding u;
        char err[256];
        uint32_t wait_first = 0;

        CU_ASSERT_PTR_NOT_NULL_FATAL(wait);
        CU_ASSERT_EQUAL_FATAL(dna_unfold(&u, &parts.role, &parts.scopes[i], &habits, NULL, err,
                                         sizeof(err)), 0);
        for (size_t x = 0; x < u.mealy.num_inputs; x++) {
            const bool waits = strncmp(u.inputs[x]->name, "wait", 4) == 0;

            CU_ASSERT(!waits || dna_deadline_has(wait, u.inputs[x]->name));
            wait_first = strcmp(u.inputs[x]->name, wait->symbol) == 0 ? (uint32_t)x : wait_first;
        }
        struct dna_derive_how how = { .u = &u, .choices = &habits.choices, .wait = wait,
                                      .variant = parts.variants[i], .patient = true };
        dna_derive_write(&how, &wait_first, 1, &text);
        const char *silence = dna_pool_printf(pool, "A.in > silence within %ums", wait->ms);
        CU_ASSERT_EQUAL(strstr(text.at, silence) != NULL, strcmp(wait->timer, "negotiation") != 0);
        CU_ASSERT_EQUAL(strstr(text.at, "cert=Soon") != NULL, !wait->time);
        dna_buf_free(&text);
        dna_unfolding_free(&u);
    }
    dna_profile_free(server);
    dna_pool_free(pool);
}

/* The role's shortest session in which the server is told to stop, as text. */
static void stopped(const char *role, const struct dna_profile *server, struct dna_buf *out)
{
    const struct dna_role *whole = dna_role_find(role);
    struct dna_derive_parts parts = { .wait = true };
    struct dna_pool *pool = dna_pool_new();
    struct dna_habits habits;
    struct dna_unfolding u;
    char err[256];
    uint32_t word = 0;

    dna_habits_default(&habits);
    dna_derive_knobs(&server->variants[0], &habits.knobs);
    dna_derive_choose(&parts, whole, server, &habits, NULL, pool, NULL);
    for (size_t i = 0; i < parts.role.num_scopes; i++) {
        if (!strstr(parts.scopes[i].alphabet, "shutdown"))
            continue;
        CU_ASSERT_EQUAL_FATAL(dna_unfold(&u, &parts.role, &parts.scopes[i], &habits, NULL, err,
                                         sizeof(err)), 0);
        while (strcmp(u.inputs[word]->name, "shutdown") != 0)
            word++;
        struct dna_derive_how how = { .u = &u, .choices = &habits.choices,
                                      .variant = parts.variants[i], .patient = true };
        dna_derive_write(&how, &word, 1, out);
        dna_unfolding_free(&u);
        break;
    }
    dna_pool_free(pool);
}

/* Behind the stop nothing is asked any more: the streams are seen to end, and the process to go. */
static void test_stop(void)
{
    static const struct {
        const char *role, *stop, *end;
    } cases[] = {
        { "receiving", "\niut stops\nA.in > drop # SR12", "\nA unvisited\niut gone\n" },
        { "initiating", "\niut stops\nA.v > drop # SI111", "\nA unvisited\nU > end\niut gone\n" },
        { "c2s-server", "\niut stops\nC > drop # CS13", "\niut gone\n" },
    };
    struct dna_diag diag = { 0 };
    struct dna_profile *server = dna_profile_load("xdna", &diag);

    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct dna_scn_diags diags = { { 0 }, 0 };
        struct dna_buf text = { 0 };
        size_t end = strlen(cases[i].end);

        stopped(cases[i].role, server, &text);
        CU_ASSERT_FATAL(text.len > end);
        CU_ASSERT_STRING_EQUAL(text.at + text.len - end, cases[i].end);
        CU_ASSERT_PTR_NOT_NULL(strstr(text.at, cases[i].stop));
        struct dna_scn *scn = dna_scn_parse("x/derived/a_stop.scn", text.at, prelude, &diags);
        CU_ASSERT_PTR_NOT_NULL_FATAL(scn);
        CU_ASSERT(scn->stops);
        dna_scn_free(scn);
        dna_buf_free(&text);
        dna_buf_free(&diags.text);
    }
    dna_profile_free(server);
}

/* One session with the symbols behind the scope's prefix, as a scenario that is sound. */
static char *document_session(struct dna_profile *server, struct dna_pool *pool, const char *role,
                              const char *scope, const char *symbols, bool patient)
{
    struct dna_derive_parts parts = { .wait = patient };
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_habits habits;
    struct dna_unfolding u;
    struct dna_buf text = { 0 };
    char err[256];
    uint32_t word[8];
    size_t num = 0;

    dna_habits_default(&habits);
    dna_derive_knobs(&server->variants[0], &habits.knobs);
    dna_derive_choose(&parts, dna_role_find(role), server, &habits, scope, pool, NULL);
    CU_ASSERT_EQUAL_FATAL(parts.role.num_scopes, 1);
    CU_ASSERT_EQUAL_FATAL(dna_unfold(&u, &parts.role, &parts.scopes[0], &habits, NULL, err,
                                     sizeof(err)), 0);
    for (size_t len; (len = strcspn(symbols, ",")) > 0;
         symbols += len, symbols += strspn(symbols, ", "))
        for (uint32_t x = 0; x < u.mealy.num_inputs; x++)
            if (strlen(u.inputs[x]->name) == len && memcmp(u.inputs[x]->name, symbols, len) == 0)
                word[num++] = x;
    struct dna_derive_how how = { .u = &u, .choices = &habits.choices, .patient = patient,
                                  .variant = parts.variants[0],
                                  .documented = parts.documented[0] };
    dna_derive_write(&how, word, num, &text);
    struct dna_scn *scn = dna_scn_parse("x/derived/a_session.scn", text.at, prelude, &diags);
    CU_ASSERT_PTR_NOT_NULL(scn);
    if (scn)
        dna_scn_free(scn);
    else
        printf("%s\nof\n%s\n", diags.text.at, text.at);
    dna_buf_free(&diags.text);
    dna_unfolding_free(&u);
    return text.at;
}

/* Where documents prove or disown: which variant, what they say, and that they are there when the
 * session says so. */
static void test_documents(void)
{
    static const struct {
        const char *role, *scope, *symbols, *variant;
        bool patient;
        const char *in_order[4];
    } cases[] = {
        { "receiving", "refuted", "header d1", "poshin", false,
          { "cert     Refuted dns=$a issuer=self\nweb      W $a\nposh     $a fingerprints\n",
            "A.in tls cert=Refuted\n" } },
        { "receiving", "fetched meanwhile", "header d1, verify early, proof of d1", "poshin", true,
          { "peer     A $a cert=Own\nweb      W $a\nposh     $a held\n",
            "# db:verify with a wrong key, whether it is read at once or not: not looked at\n",
            "A.in > silence within 100ms", "posh $a fingerprints\nA.in > <stream:features>" } },
        { "receiving", "fetched later", "key d2, key d2, proof of d2", "poshin", false,
          { "cert     Both dns=$a,$c issuer=self\n", "web      W $a $c\n",
            "posh     $c held\n", "posh $c fingerprints Both\n" } },
        { "receiving", "fetched, asking", "key d1, key d1, proof of d1", "poshin", false,
          { "posh     $a held\n", "posh $a none\nset $k1 = \"key1-$case\"\n" } },
        { "receiving", "fetched anew", "proofs run out, key d1, proof of d1", "poshclock", true,
          { "needs    clock\n", "posh $a fingerprints expires=60\n", "posh $a held\nclock +10m\n",
            "posh $a fingerprints expires=60\nA.in > <db:result" } },
        { "initiating", "fetched", "tls -, proof of d1", "poshclock", false,
          { "posh     $a fingerprints expires=60\n", "clock +10m\nA.v < <tls:proceed/>\n",
            "A.v tls cert=Wrong\n", "posh $a none\nA.v > eof" } },
        { "initiating", "fetched", "tls d1, proof of d1", "poshin", true,
          { "posh     $a fingerprints expires=1\n",
            "posh $a held\nA.v > silence within 1050ms\nA.v < <tls:proceed/>\n",
            "posh $a fingerprints\nA.v > <stream:stream" } },
        { "c2s-client", "certificates", "tls refuted", "poshin", false,
          { "posh     $a client fingerprints\n", "A.v tls cert=Pinned\n" } },
        { "c2s-client", "certificates", "tls proved", "default", false, { "A.v tls\n" } },
    };
    struct dna_pool *pool = dna_pool_new();
    struct dna_diag diag = { 0 };
    struct dna_profile *server = dna_profile_load("xdna", &diag);

    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char *text = document_session(server, pool, cases[i].role, cases[i].scope,
                                      cases[i].symbols, cases[i].patient);
        char variant[64];
        const char *at = text;

        snprintf(variant, sizeof(variant), "\nvariant  %s\n", cases[i].variant);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, variant));
        for (size_t n = 0; n < 4 && cases[i].in_order[n] && at; n++) {
            const char *next = strstr(at, cases[i].in_order[n]);

            if (!next)
                printf("case %zu: no '%s' here:\n%s\n", i, cases[i].in_order[n], at);
            CU_ASSERT_PTR_NOT_NULL(next);
            at = next ? next + 1 : NULL;
        }
        free(text);
    }
    dna_profile_free(server);
    dna_pool_free(pool);
}

int main(void)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    unsigned failed;

    prelude = dna_prelude_load("conformance/scenarios/prelude.scn", &diags);
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("derive", NULL, NULL);
    CU_add_test(suite, "every line is sound", test_every_line);
    CU_add_test(suite, "a word, token by token", test_words);
    CU_add_test(suite, "what finds no way", test_bounced);
    CU_add_test(suite, "barriers and ends", test_quiet);
    CU_add_test(suite, "variants", test_variants);
    CU_add_test(suite, "a whole session", test_session);
    CU_add_test(suite, "sessions that wait", test_waits);
    CU_add_test(suite, "a server that is told to stop", test_stop);
    CU_add_test(suite, "documents that prove and disown", test_documents);
    CU_basic_run_tests();
    failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    dna_prelude_free(prelude);
    return failed > 0;
}
