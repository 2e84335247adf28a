/* SPDX-License-Identifier: MIT */
/*
 * test_walk.c -- traces that the oracle must accept, and defective ones that it must refuse at the
 * right step.
 *
 * The accepted ones are the worked examples of XEP-0220, XEP-0288 and RFC 7712, each played once
 * for every role that the implementation under test may have in it.  Lines are those of
 * dna_walk_say.
 */
#include "model/machines.h"
#include "model/walk.h"

#include <CUnit/Basic.h>

#include <stdio.h>
#include <string.h>

static const uint64_t all_known = (UINT64_C(1) << DNA_NUM_KNOBS) - 1;

/* Feeds lines up to NULL; returns the number of those that were OK, and the last verdict. */
static size_t feed(struct dna_walk *w, const char *const *lines, enum dna_walk_verdict *out_verdict)
{
    size_t fed = 0;
    *out_verdict = DNA_WALK_OK;
    while (lines[fed] && (*out_verdict = dna_walk_say(w, lines[fed])) == DNA_WALK_OK) {
        fed++;
    }
    return fed;
}

static struct dna_walk *strict(const struct dna_machine *machine)
{
    struct dna_knobs knobs = dna_knobs_default();
    return dna_walk_new(machine, &knobs, all_known);
}

static void accept_trace(const struct dna_machine *machine, const char *const *lines)
{
    enum dna_walk_verdict verdict;
    struct dna_walk *w = strict(machine);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    size_t fed = feed(w, lines, &verdict);
    if (verdict != DNA_WALK_OK) {
        printf("line %zu, %s: %s\n", fed + 1, lines[fed], dna_walk_why(w)->text);
    }
    CU_ASSERT_EQUAL(verdict, DNA_WALK_OK);
    dna_walk_free(w);
}
#define ACCEPT(machine, ...) \
    accept_trace(&dna_machine_##machine, (const char *const[]){ __VA_ARGS__, NULL })

/* The last line must be the one that fails, and the diagnosis must cite the requirement. */
static void refuse_trace(const struct dna_machine *machine, enum dna_req req,
                         const char *const *lines)
{
    enum dna_walk_verdict verdict;
    struct dna_walk *w = strict(machine);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    size_t fed = feed(w, lines, &verdict);
    bool cited = false;
    for (size_t i = 0; i < dna_walk_why(w)->num_reqs; i++) {
        cited |= dna_walk_why(w)->reqs[i] == (uint16_t)req;
    }
    bool last = lines[fed] && !lines[fed + 1];
    if (verdict != DNA_WALK_FAIL || !last || !cited) {
        printf("stopped behind %zu lines, verdict %d: %s\n", fed, (int)verdict,
               dna_walk_why(w)->text);
    }
    CU_ASSERT_EQUAL(verdict, DNA_WALK_FAIL);
    CU_ASSERT_TRUE(last);
    CU_ASSERT_TRUE(cited);
    dna_walk_free(w);
}
#define REFUSE(machine, req, ...) \
    refuse_trace(&dna_machine_##machine, req, (const char *const[]){ __VA_ARGS__, NULL })

#define SETTLED " sender_pending=0 sender_refuted=0"
#define KEY "< RX_KEY addressed=1 hosted=1 full=0 key_given=1 sender_proved=0" SETTLED
#define PROVED_KEY "< RX_KEY addressed=1 hosted=1 full=0 key_given=1 sender_proved=1" SETTLED
#define VERIFY(right) "< RX_VERIFY addressed=1 id_given=1 hosted=1 key_right=" right

/* XEP-0220 2.1.1, examples 1 to 4. */
static void test_xep0220_2_1_1(void)
{
    ACCEPT(dialback_initiating, "S secured=1", "> send_key", "< RX_VALID asked_here=1", "settle");
    ACCEPT(dialback_initiating, "S secured=1", "> send_key", "< RX_INVALID asked_here=1", "settle");
    ACCEPT(dialback_initiating, "S secured=1", "> send_key", "< RX_ERROR asked_here=1 shared=0",
           "settle");
    ACCEPT(association, "watch EXTERNAL_GRANTED DIALBACK_GRANTED EXTERNAL_ACCEPTED",
           "watch DIALBACK_ACCEPTED", "see release_queue often", "see transmit may", "S flowing=1",
           "S bidi=0", "settle", "< DIALBACK_GRANTED", "> transmit or release_queue",
           "> transmit or release_queue", "settle");
}

/* XEP-0220 2.1.2 and 2.2.1, examples 5 to 12: the Receiving Server. */
static void test_xep0220_2_2_1(void)
{
    ACCEPT(dialback_receiving, "S we_opened=0 secured=1 pairs_taken=0", "see dial_authority may",
           KEY, "settle", "> dial_authority", "< RX_VERIFY_VALID asked_here=1", "> send_valid",
           "settle");
    ACCEPT(dialback_receiving, "S we_opened=0 secured=1 pairs_taken=0", KEY, "settle",
           "< RX_VERIFY_INVALID asked_here=1", "> send_invalid", "settle");
    ACCEPT(dialback_receiving, "S we_opened=0 secured=1 pairs_taken=1", KEY, "settle",
           "< RX_VERIFY_INVALID asked_here=1", "> send_forbidden", "settle");
    ACCEPT(dialback_receiving, "S secured=1", KEY, "< RX_VERIFY_ERROR asked_here=1",
           "> send_not_found", "settle");
    ACCEPT(dialback_receiving, "S secured=1",
           "< RX_KEY addressed=1 hosted=0 full=0 key_given=1 sender_proved=0" SETTLED,
           "> send_item_not_found", "settle");
}

/* XEP-0220 2.2.2, examples 13 to 15: the Authoritative Server. */
static void test_xep0220_2_2_2(void)
{
    ACCEPT(dialback_authoritative, "S secured=1", VERIFY("1"), "> send_verify_valid", "settle",
           VERIFY("0"), "> send_verify_invalid", "settle",
           "< RX_VERIFY addressed=1 id_given=1 hosted=0 key_right=0", "> send_item_not_found",
           "settle");
}

/* XEP-0220 2.6: a further pair on a stream that has one; its failure leaves the first alone. */
static void test_xep0220_2_6(void)
{
    ACCEPT(dialback_receiving, "S we_opened=0 secured=1 pairs_taken=1", KEY, "settle",
           "< RX_VERIFY_VALID asked_here=1", "> send_valid", "settle");
    ACCEPT(dialback_initiating, "S we_opened=0 secured=1 pairs_taken=1", "> send_key",
           "< RX_ERROR asked_here=1 shared=1", "settle");
    ACCEPT(piggyback_assertion, "S we_opened=1 flowing=1 peer_dialback=1 bidi=0",
           "see assert_on_stream due", "watch WANT_PAIR", "< WANT_PAIR target_taken=0",
           "> assert_on_stream", "settle");
    ACCEPT(piggyback_supposition, "S we_opened=1 flowing=1 peer_errors=1",
           "see suppose_on_stream due", "see open_own_stream due", "watch WANT_TARGET",
           "< WANT_TARGET same_endpoint=1 certificate_covers=1 refuted=0", "> suppose_on_stream",
           "settle",
           "< WANT_TARGET same_endpoint=1 certificate_covers=0", "> open_own_stream", "settle");
}

#define HEADER \
    "< RX_HEADER stream_namespace_ok=1 content_namespace_ok=1 id_given=1 id_ours=0 from_agrees=1 " \
    "version_one=1 dialback_declared=1"
#define FEATURES_CLEAR \
    "< RX_FEATURES starttls=1 external=0 dialback=0 errors=0 bidi=0 have_certificate=1 " \
    "peer_proved=0"
#define FEATURES(external, dialback, bidi) \
    "< RX_FEATURES starttls=0 external=" external " dialback=" dialback " errors=" dialback \
    " bidi=" bidi " have_certificate=1 peer_proved=1"
#define PEER_HEADER \
    "< RX_HEADER stream_namespace_ok=1 content_namespace_ok=1 hosted=1 version_one=1"

#define OPENED \
    "S secured=0 authenticated=0 bidi=0", "watch AUTHENTICATED AUTH_REFUSED TCP_UP", \
        "< TCP_UP for_stanzas=1", "> send_header", HEADER, FEATURES_CLEAR, "settle", \
        "S secured=1", "starttls", "< SECURED peer_proved=1", "> send_header", HEADER

/* RFC 7712 4.2 and XEP-0288 example 3: EXTERNAL, with and without bidi, from both ends. */
static void test_external(void)
{
    ACCEPT(stream_initiating, OPENED, FEATURES("1", "1", "0"), "settle", "S authenticated=1",
           "restart", "< AUTHENTICATED", "> send_header", HEADER, FEATURES("0", "0", "0"),
           "settle");
    ACCEPT(stream_initiating, OPENED, FEATURES("1", "0", "1"), "> send_bidi", "S bidi=1",
           "unwatch RX_FEATURES", "settle");
    ACCEPT(starttls_initiating, "> send_starttls", "< RX_PROCEED clear_trailing=0", "> start_tls",
           "< TLS_UP", "settle");
    ACCEPT(starttls_receiving, "S secured=0", "< RX_STARTTLS clear_trailing=0 can_secure=1",
           "> send_proceed", "> start_tls", "< TLS_UP", "settle");
    ACCEPT(sasl_external_initiating, "> send_auth_named or send_auth_empty", "< RX_SUCCESS",
           "settle");
    ACCEPT(sasl_external_receiving, "S secured=1",
           "< RX_AUTH external=1 encoding_ok=1 response_given=1 from_proved=1 authzid_other=0",
           "> send_success", "settle");
    ACCEPT(stream_receiving, "S secured=0 authenticated=0 pairs_taken=0 handshaking=0", PEER_HEADER,
           "> send_header", "> send_features", "settle", "< RESTARTED", "S secured=1", PEER_HEADER,
           "> send_header", "> send_features", "settle", "< RX_BIDI", "settle");
    ACCEPT(features_receiving, "S secured=1 authenticated=0 bidi=0",
           "watch CONSIDER_STARTTLS CONSIDER_EXTERNAL CONSIDER_DIALBACK CONSIDER_BIDI",
           "< CONSIDER_STARTTLS", "< CONSIDER_EXTERNAL from_proved=1", "< CONSIDER_DIALBACK",
           "< CONSIDER_BIDI", "> offer_external", "> offer_dialback", "> offer_bidi", "settle");
}

#define WATCH_PAIR \
    "watch EXTERNAL_ACCEPTED DIALBACK_ACCEPTED EXTERNAL_GRANTED DIALBACK_GRANTED", \
        "see deliver may", "see transmit may", "see release_queue often", "S flowing=1"
#define STANZA(taken) "< RX_STANZA addressed=1 hosted=1 sender_taken=" taken

/* XEP-0288 examples 3 and 4: once the pair is proved, stanzas cross both ways. */
static void test_xep0288(void)
{
    ACCEPT(association, WATCH_PAIR, "S bidi=1 pairs_taken=0 authenticated=1",
           "< EXTERNAL_ACCEPTED peer_proved=1", STANZA("0"), "> deliver",
           "> transmit or release_queue", "settle");
    ACCEPT(association, WATCH_PAIR, "S bidi=1 pairs_taken=0 authenticated=0",
           "< DIALBACK_ACCEPTED peer_proved=1", STANZA("0"), "> deliver",
           "> transmit or release_queue", "settle");
    ACCEPT(dialback_receiving, "S secured=1 bidi=1", KEY, "settle",
           "< RX_VERIFY_VALID asked_here=1", "> send_valid", "settle");
    /* without bidi nothing goes back */
    REFUSE(association, X0220_2_3_1, WATCH_PAIR, "S bidi=0 pairs_taken=0 authenticated=0",
           "< DIALBACK_ACCEPTED peer_proved=1", STANZA("0"), "> deliver", "settle",
           "> transmit or release_queue");
}

/* RFC 7712 4.3 and 4.4: the certificate does not prove the domain, dialback does. */
static void test_rfc7712(void)
{
    ACCEPT(stream_initiating, OPENED, FEATURES("0", "1", "0"), "settle");
    ACCEPT(stream_initiating, "S secured=0 authenticated=0 bidi=0", "watch TCP_UP",
           "< TCP_UP for_stanzas=0", "> send_header", HEADER, FEATURES_CLEAR, "settle",
           "S secured=1", "starttls", "< SECURED peer_proved=0", "> send_header", HEADER,
           "< RX_FEATURES starttls=0 external=0 dialback=1 errors=1 bidi=0 have_certificate=1 "
           "peer_proved=0",
           "settle");
    ACCEPT(dialback_receiving, "S secured=1 bidi=1 pairs_taken=1", KEY, "settle",
           "< RX_VERIFY_VALID asked_here=1", "> send_valid", "settle"); /* 4.4.1: c.example */
    ACCEPT(dialback_receiving, "S secured=1 bidi=1 pairs_taken=1", PROVED_KEY, "> send_valid",
           "settle"); /* 4.4.2: the certificate already covers it, and no verify is needed */
    ACCEPT(dialback_receiving, "S secured=1 bidi=1 pairs_taken=1", PROVED_KEY, "settle",
           "< RX_VERIFY_VALID asked_here=1", "> send_valid", "settle"); /* but allowed */
    ACCEPT(piggyback_assertion, "S we_opened=0 flowing=1 bidi=1 peer_dialback=0",
           "see assert_on_stream due", "see resolve_target due", "watch WANT_PAIR",
           "< WANT_PAIR target_taken=1", "> assert_on_stream", "settle");
    ACCEPT(resolution, "watch BEGIN CONNECT USE_EXISTING", "see query_srv due",
           "see query_address due", "see open_connection due", "< BEGIN literal=0 configured=0",
           "> query_srv", "< SRV_RECORDS", "> query_address", "< ADDRESS_FOUND", "< CONNECT",
           "> open_connection", "settle");
}

/* What a server must not do; each is refused when it happens, not before and not later. */
static void test_defects(void)
{
    /* valid, and nobody was asked */
    REFUSE(dialback_receiving, X0220_2_2_1_4, "S we_opened=0 secured=1 pairs_taken=0", KEY,
           "> send_valid");
    REFUSE(dialback_receiving, X0220_2_2_1_4, "S we_opened=0 secured=1 pairs_taken=0",
           "> send_valid");
    /* the authority says invalid, and the answer is valid; or there is none */
    REFUSE(dialback_receiving, X0220_2_2_1_5, "S we_opened=0 secured=1 pairs_taken=0", KEY,
           "settle", "< RX_VERIFY_INVALID asked_here=1", "> send_valid");
    REFUSE(dialback_receiving, X0220_2_2_1_5, "S we_opened=0 secured=1 pairs_taken=0", KEY,
           "settle", "< RX_VERIFY_INVALID asked_here=1", "settle");
    /* an answer that came on a stream where the question was not asked */
    REFUSE(dialback_receiving, X0220_2_1_2_10, "S secured=1", KEY, "settle",
           "< RX_VERIFY_VALID asked_here=0", "> send_valid");
    /* twice */
    REFUSE(dialback_receiving, X0220_2_2_1_4, "S we_opened=0 secured=1 pairs_taken=0", KEY,
           "< RX_VERIFY_VALID asked_here=1", "> send_valid", "> send_valid");
    /* a stanza is let in before its pair is proved, or from another sender */
    REFUSE(association, R6120_13_12_1, WATCH_PAIR, "S pairs_taken=0 authenticated=0", STANZA("0"),
           "> deliver");
    REFUSE(association, X0220_2_2_1_5, WATCH_PAIR, "S pairs_taken=1 authenticated=0", STANZA("0"),
           "> deliver");
    /* a stanza goes out before the peer granted the pair */
    REFUSE(association, X0220_2_1_1_15, WATCH_PAIR, "S bidi=0", "> transmit or release_queue");
    REFUSE(association, R6120_13_12_1, WATCH_PAIR, "S bidi=0", STANZA("0"), "settle");
    /* a key is sent again while the first one is under way */
    REFUSE(dialback_initiating, X0220_2_1_1_1, "watch TIMER_RESULT", "> send_key", "> send_key");
    /* the answer to a verification is the wrong one, or about a domain hosted elsewhere */
    REFUSE(dialback_authoritative, X0220_2_2_2_2, "S secured=1", VERIFY("0"),
           "> send_verify_valid");
    REFUSE(dialback_authoritative, X0220_2_2_2_1, "S secured=1",
           "< RX_VERIFY addressed=1 id_given=1 hosted=0 key_right=1", "> send_verify_valid");
    /* EXTERNAL succeeds although the certificate is another's; or in clear */
    REFUSE(sasl_external_receiving, R7712_4_2_7, "S secured=1",
           "< RX_AUTH external=1 encoding_ok=1 response_given=1 from_proved=0 authzid_other=0",
           "> send_success");
    REFUSE(sasl_external_receiving, R6120_6_3_4_1, "S secured=0",
           "< RX_AUTH external=1 encoding_ok=1 response_given=1 from_proved=1 authzid_other=0",
           "> send_success");
    /* TLS is offered, but the initiating server goes on in clear */
    REFUSE(stream_initiating, R6120_5_2_2, "S secured=0 authenticated=0 bidi=0", "> send_header",
           HEADER, FEATURES_CLEAR, "> send_bidi");
    /* bidi is offered in clear although TLS is wanted */
    REFUSE(features_receiving, X0288_2_1_2, "S secured=0 authenticated=0 bidi=0",
           "watch CONSIDER_STARTTLS CONSIDER_EXTERNAL CONSIDER_DIALBACK CONSIDER_BIDI",
           "< CONSIDER_STARTTLS", "> offer_starttls_required", "< CONSIDER_BIDI", "> offer_bidi");
    /* supposition although the certificate does not cover the target */
    REFUSE(piggyback_supposition, R7712_4_4_2_3, "S we_opened=1 flowing=1 peer_errors=1",
           "see suppose_on_stream due", "watch WANT_TARGET",
           "< WANT_TARGET same_endpoint=1 certificate_covers=0", "> suppose_on_stream");
}

/* What isn't told is open, in favour of what was seen. */
static void test_open(void)
{
    ACCEPT(dialback_receiving, "< RX_KEY", "> send_valid", "settle"); /* the certificate may do */
    ACCEPT(dialback_receiving, KEY, "> send_policy_violation", "settle"); /* S.secured is open */
    ACCEPT(dialback_receiving, "S secured=1", KEY, "> send_timeout", "settle"); /* a timer */
    REFUSE(dialback_receiving, X0220_2_5_8, "S secured=1 we_opened=0", KEY,
           "> send_policy_violation");
    ACCEPT(dialback_receiving, "S secured=1 we_opened=0", "S secured=2", KEY,
           "> send_policy_violation");
    /* an answer may still be on its way when the next event is sent */
    ACCEPT(dialback_authoritative, "S secured=1", VERIFY("1"), VERIFY("0"), "> send_verify_valid",
           "> send_verify_invalid", "settle");
    REFUSE(dialback_authoritative, X0220_2_2_2_2, "S secured=1", VERIFY("1"), VERIFY("0"),
           "> send_verify_invalid");
    struct dna_walk *w = dna_walk_new(&dna_machine_dialback_receiving, NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    CU_ASSERT_EQUAL(dna_walk_say(w, "S secured=1"), DNA_WALK_OK);
    CU_ASSERT_EQUAL(dna_walk_say(w, KEY), DNA_WALK_OK); /* a knob may want a certificate */
    CU_ASSERT_EQUAL(dna_walk_say(w, "> send_not_authorized"), DNA_WALK_OK);
    CU_ASSERT_EQUAL(dna_walk_say(w, "settle"), DNA_WALK_OK);
    CU_ASSERT_EQUAL(dna_walk_say(w, KEY), DNA_WALK_OK); /* and does not change its mind */
    CU_ASSERT_EQUAL(dna_walk_say(w, "< RX_VERIFY_VALID asked_here=1"), DNA_WALK_OK);
    CU_ASSERT_EQUAL(dna_walk_say(w, "> send_valid"), DNA_WALK_FAIL);
    dna_walk_free(w);
}

#define BAD_AUTH \
    "< RX_AUTH external=1 encoding_ok=1 response_given=1 from_proved=0 authzid_other=0", \
        "> failure_not_authorized"
#define WANTED \
    "see suppose_on_stream due", "see open_own_stream due", "watch WANT_TARGET", \
        "< WANT_TARGET same_endpoint=1 certificate_covers=1 refuted=0"

/* Variables are followed: by the machine's own rows, over a restart and over STARTTLS. */
static void test_variables(void)
{
    REFUSE(stream_initiating, X0288_2_2_2, OPENED, FEATURES("1", "0", "1"), "> send_bidi",
           FEATURES("1", "0", "1"), "> send_bidi");
    ACCEPT(sasl_external_receiving, "S secured=1", BAD_AUTH, BAD_AUTH, BAD_AUTH, BAD_AUTH,
           "> error_policy_violation", "settle");
    REFUSE(sasl_external_receiving, R6120_6_4_5_3, "S secured=1", BAD_AUTH, BAD_AUTH, BAD_AUTH,
           "> error_policy_violation");
    ACCEPT(sasl_external_receiving, "S secured=1", BAD_AUTH, BAD_AUTH, BAD_AUTH, BAD_AUTH,
           "watch WEIGH", "settle", "restart", "unwatch WEIGH", "settle",
           "> error_policy_violation", "settle");
    REFUSE(sasl_external_receiving, R6120_6_4_5_3, "S secured=1", BAD_AUTH, BAD_AUTH, BAD_AUTH,
           BAD_AUTH, "watch WEIGH", "settle", "starttls", "unwatch WEIGH", "settle",
           "> error_policy_violation");
    ACCEPT(piggyback_supposition, "S we_opened=1 flowing=1 closing=0 peer_errors=1", WANTED,
           "> suppose_on_stream", "settle");
    REFUSE(piggyback_supposition, R7712_4_4_2_4, "S we_opened=1 closing=0 peer_errors=1", "restart",
           "S flowing=1", WANTED, "> suppose_on_stream");
}

/* What is seen elsewhere is seen at most as often as it was done; a queue may hold any number. */
static void test_credits(void)
{
    REFUSE(association, X0220_2_2_1_2, WATCH_PAIR, "S bidi=0", "< DIALBACK_ACCEPTED peer_proved=1",
           STANZA("0"), STANZA("0"), "> deliver", "> deliver", "settle", "> deliver");
    ACCEPT(association, WATCH_PAIR, "watch TX_STANZA STREAM_FLOWS", "S bidi=0",
           "< DIALBACK_GRANTED peer_proved=1", "> transmit or release_queue",
           "> transmit or release_queue", "> transmit or release_queue",
           "> transmit or release_queue", "> transmit or release_queue", "settle");
}

static void test_diagnosis(void)
{
    enum dna_walk_verdict verdict;
    struct dna_walk *w = strict(&dna_machine_dialback_receiving);
    const char *const lines[] = { "S we_opened=0 secured=1 pairs_taken=0", KEY,      "settle",
                                  "< RX_VERIFY_INVALID asked_here=1",      "settle", NULL };
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    feed(w, lines, &verdict);
    const struct dna_walk_diagnosis *why = dna_walk_why(w);
    CU_ASSERT_EQUAL(verdict, DNA_WALK_FAIL);
    CU_ASSERT_EQUAL(why->step, 4);
    CU_ASSERT_EQUAL_FATAL(why->num_rows, 1);
    CU_ASSERT_STRING_EQUAL(why->rows[0]->id, "DR24");
    CU_ASSERT_EQUAL_FATAL(why->num_expected, 1);
    CU_ASSERT_EQUAL(why->expected[0], dialback_receiving_O_send_invalid);
    CU_ASSERT_TRUE(why->level == DNA_LEVEL_MUST || why->level == DNA_LEVEL_MUST_NOT);
    CU_ASSERT_PTR_NOT_NULL(strstr(why->text, "something is missing; expected send_invalid"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why->text, "DR24"));
    CU_ASSERT_PTR_NOT_NULL(strstr(why->text, "X0220_2_2_1_5"));
    CU_ASSERT_EQUAL(dna_walk_say(w, KEY), DNA_WALK_FAIL); /* and stays so */
    dna_walk_free(w);
}

/* A walk that grows too large says so, and then never FAIL. */
static void test_gives_up(void)
{
    struct dna_walk *w = strict(&dna_machine_dialback_receiving);
    enum dna_walk_verdict verdict = DNA_WALK_OK;
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    for (int i = 0; i < 100 && verdict == DNA_WALK_OK; i++) {
        verdict = dna_walk_say(w, "< RX_KEY");
    }
    CU_ASSERT_EQUAL(verdict, DNA_WALK_GAVE_UP);
    CU_ASSERT_PTR_NOT_NULL(strstr(dna_walk_why(w)->text, "gave up"));
    CU_ASSERT_EQUAL(dna_walk_say(w, "> send_invalid"), DNA_WALK_GAVE_UP);
    CU_ASSERT_EQUAL(dna_walk_say(w, "settle"), DNA_WALK_GAVE_UP);
    dna_walk_free(w);
}

static void test_bad_lines(void)
{
    static const char *const lines[] = {
        "",
        "hello",
        "<",
        "< RX_KEYS",
        "< RX_KEY hosted",
        "< RX_KEY hosted=2",
        "< RX_KEY guest=1",
        ">",
        "> send",
        "> send_valid or send",
        "S secure=1",
        "S secured",
        "watch NOBODY",
        "see send_valid",
        "see send_valid never",
        "see nothing due",
    };
    struct dna_walk *w = strict(&dna_machine_dialback_receiving);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        CU_ASSERT_EQUAL(dna_walk_say(w, lines[i]), DNA_WALK_UNKNOWN_NAME);
    }
    CU_ASSERT_TRUE(dna_walk_in(w, "UNPROVEN"));
    CU_ASSERT_FALSE(dna_walk_in(w, "PROVEN"));
    CU_ASSERT_EQUAL(dna_walk_say(w, "settle"), DNA_WALK_OK);
    dna_walk_free(w);
}

/* Every machine, everything open, every event: no settle may fail before an answer was seen wrong.
 */
static void test_every_machine_starts(void)
{
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        struct dna_walk *w = dna_walk_new(*m, NULL, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(w);
        CU_ASSERT_NOT_EQUAL(dna_walk_settle(w), DNA_WALK_FAIL);
        CU_ASSERT_TRUE(dna_walk_size(w) > 0);
        dna_walk_free(w);
    }
    dna_walk_free(NULL);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS) {
        return 1;
    }
    CU_pSuite suite = CU_add_suite("walk", NULL, NULL);
    CU_add_test(suite, "XEP-0220 2.1.1 initiating", test_xep0220_2_1_1);
    CU_add_test(suite, "XEP-0220 2.2.1 receiving", test_xep0220_2_2_1);
    CU_add_test(suite, "XEP-0220 2.2.2 authoritative", test_xep0220_2_2_2);
    CU_add_test(suite, "XEP-0220 2.6 piggybacking", test_xep0220_2_6);
    CU_add_test(suite, "RFC 7712 4.2 and XEP-0288 example 3", test_external);
    CU_add_test(suite, "XEP-0288 examples 3 and 4", test_xep0288);
    CU_add_test(suite, "RFC 7712 4.3 and 4.4", test_rfc7712);
    CU_add_test(suite, "defects are refused when they happen", test_defects);
    CU_add_test(suite, "what is not told is open", test_open);
    CU_add_test(suite, "variables are followed", test_variables);
    CU_add_test(suite, "outputs seen elsewhere", test_credits);
    CU_add_test(suite, "the diagnosis names rows and requirements", test_diagnosis);
    CU_add_test(suite, "a walk that grows too large gives up", test_gives_up);
    CU_add_test(suite, "lines with unknown names", test_bad_lines);
    CU_add_test(suite, "every machine can be walked", test_every_machine_starts);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    unsigned failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
