/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The oracle on recorded exchanges, without sockets: what must be let pass,
 * what it must object to and on which grounds, and what an objection does to a verdict. '<' goes
 * to the implementation under test, '>' comes from it, as in a scenario.
 */
#include "conformance/oracle_case.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/test/cu_main.h"

#define TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define FROM_PEER "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' " \
                  "xmlns:stream='http://etherx.jabber.org/streams' version='1.0' "
#define FROM_USER "<stream:stream xmlns='jabber:client' " \
                  "xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='iut.example'>"
#define ASK FROM_PEER "from='a.example' to='iut.example'>"
#define ANSWER(id) FROM_PEER "from='iut.example' to='a.example' id='" id "'>"
#define OPEN_OUT FROM_PEER "from='iut.example' to='a.example'>"
#define ANSWER_OUT(id) FROM_PEER "from='a.example' to='iut.example' id='" id "'>"
#define F(children) "<stream:features>" children "</stream:features>"
#define MUST_TLS "<starttls xmlns='" TLS "'><required/></starttls>"
#define MAY_TLS "<starttls xmlns='" TLS "'/>"
#define DIALBACK "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
#define EXTERNAL "<mechanisms xmlns='" SASL "'><mechanism>EXTERNAL</mechanism></mechanisms>"
#define BIDI "<bidi xmlns='urn:xmpp:features:bidi'/>"
#define KEY "<db:result from='a.example' to='iut.example'>0ddba11</db:result>"
#define VALID "<db:result from='iut.example' to='a.example' type='valid'/>"
#define STANZA "<message from='juliet@a.example/b' to='romeo@iut.example/o' id='m1'/>"

static struct dna_oracle *oracle;
static struct dna_pool *pool;

/* one connection: what comes from the implementation under test is read from text, too */
struct side {
    struct dna_oracle_conn *conn;
    struct dna_wire_xml *xml;
};
static struct side sides[4];
static unsigned num_sides;

static void on_xml(enum dna_wire_kind kind, struct dna_xnode *node, const char *note, void *arg)
{
    (void)note;
    dna_oracle_got(((struct side *)arg)->conn, kind, node);
}

static bool speaks_errors = true, lets_pass;

static void begin(X509 *root)
{
    static const char *const hosted[] = { "iut.example", "second.example" };
    struct dna_oracle_setup setup = { .hosted = hosted, .num_hosted = 2,
                                      .knobs = dna_knobs_default(), .result_ms = 600000,
                                      .errors = speaks_errors,
                                      .root = root };

    for (int i = 0; i < DNA_NUM_KNOBS; i++) /* the first seven are what profiles fix */
        setup.known |= i <= DNA_KNOB_dialback ? UINT64_C(1) << i : 0;
    setup.knobs.external_without_proof = lets_pass;
    pool = dna_pool_new();
    oracle = dna_oracle_new(&setup);
    num_sides = 0;
}

static struct side *connect_as(enum dna_oracle_kind kind)
{
    struct side *s = &sides[num_sides++];

    s->conn = dna_oracle_connect(oracle, kind, "A");
    s->xml = dna_wire_xml_new(pool, on_xml, s);
    return s;
}

/* lines until NULL: "< xml", "> xml", "tls" (a handshake without a certificate of ours) */
static void play(struct side *s, const char *const *lines, const struct dna_cert *cert)
{
    for (; *lines; lines++) {
        const char *text = *lines + 2;

        if (**lines == '<') {
            dna_oracle_sent(s->conn, text, strlen(text));
        } else if (**lines == '>') {
            dna_wire_xml_feed(s->xml, text, strlen(text));
        } else {
            dna_oracle_tls(s->conn, cert, true);
            dna_oracle_shown(s->conn, true);
            dna_wire_xml_reset(s->xml);
            dna_oracle_got(s->conn, DNA_WIRE_TLS_UP, NULL);
        }
    }
}
#define PLAY(side, ...) play(side, (const char *const[]){ __VA_ARGS__, NULL }, NULL)
#define PLAY_WITH(cert, side, ...) play(side, (const char *const[]){ __VA_ARGS__, NULL }, cert)

static void end(void)
{
    for (unsigned i = 0; i < num_sides; i++)
        dna_wire_xml_free(sides[i].xml);
    dna_oracle_free(oracle);
    dna_pool_free(pool);
}

/* exactly one objection, by this machine, that cites this requirement; or none (NULL) */
static void check(const char *machine, const char *req)
{
    const struct dna_objection *x = dna_oracle_objections(oracle);

    for (const struct dna_objection *y = x; y && (!machine || y->next); y = y->next)
        printf("\n%s", y->text);
    CU_ASSERT_EQUAL(x != NULL, machine != NULL);
    if (!x || !machine)
        return;
    CU_ASSERT_PTR_NULL(x->next);
    CU_ASSERT_STRING_EQUAL(x->machine, machine);
    CU_ASSERT_PTR_NOT_NULL(strstr(x->reqs, req));
    if (!strstr(x->reqs, req))
        printf("\n%s cites %s", x->text, x->reqs);
}

#define TO_TLS "< " ASK, "> " ANSWER("s0"), "> " F(MUST_TLS), "< <starttls xmlns='" TLS "'/>", \
               "> <proceed xmlns='" TLS "'/>", "tls"
#define SECURED TO_TLS, "< " ASK, "> " ANSWER("s1"), "> " F(DIALBACK BIDI)
#define ASKED TO_TLS_OUT, "> " OPEN_OUT, "< " ANSWER_OUT("i2"), "< " F(DIALBACK)
#define TO_TLS_OUT "> " OPEN_OUT, "< " ANSWER_OUT("i1"), "< " F(MUST_TLS), \
                   "> <starttls xmlns='" TLS "'/>", "< <proceed xmlns='" TLS "'/>", "tls"
#define QUESTION "<db:verify from='iut.example' to='a.example' id='s1'>0ddba11</db:verify>"
#define VERIFIED(type) "<db:verify from='a.example' to='iut.example' id='s1' type='" type "'/>"

/* ---- dialback ---- */

static void test_nine_steps(void)
{
    struct side *in, *out, *user;

    begin(NULL);
    in = connect_as(DNA_ORACLE_RECEIVING);
    PLAY(in, SECURED, "< " KEY);
    out = connect_as(DNA_ORACLE_INITIATING);
    PLAY(out, ASKED, "> " QUESTION, "< " VERIFIED("valid"));
    PLAY(in, "> " VALID, "< " STANZA);
    user = connect_as(DNA_ORACLE_C2S);
    PLAY(user, "< " FROM_USER, "> " FROM_USER, "> " F(MUST_TLS), "> " STANZA);
    check(NULL, NULL);
    CU_ASSERT_EQUAL(dna_oracle_counts(oracle).gave_up, 0);
    CU_ASSERT_TRUE(dna_oracle_counts(oracle).elements >= 12);
    end();
}

static void test_valid_unasked(void)
{
    struct side *in, *out;

    begin(NULL); /* nobody was asked */
    PLAY(connect_as(DNA_ORACLE_RECEIVING), SECURED, "< " KEY, "> " VALID);
    check("dialback_receiving", "X0220");
    CU_ASSERT_STRING_EQUAL(dna_oracle_objections(oracle)->element,
                           "<db:result from='iut.example' to='a.example' type='valid'/>");
    end();
    begin(NULL); /* the authority says no */
    in = connect_as(DNA_ORACLE_RECEIVING);
    PLAY(in, SECURED, "< " KEY);
    out = connect_as(DNA_ORACLE_INITIATING);
    PLAY(out, ASKED, "> " QUESTION, "< " VERIFIED("invalid"));
    PLAY(in, "> " VALID);
    check("dialback_receiving", "X0220_2_2_1_5");
    end();
    begin(NULL); /* the answer comes where nobody asked */
    in = connect_as(DNA_ORACLE_RECEIVING);
    PLAY(in, SECURED, "< " KEY, "< " VERIFIED("valid"), "> " VALID);
    check("dialback_receiving", "X0220_2_1_2_10");
    end();
}

#define VERIFY(id, key) \
    "<db:verify from='a.example' to='iut.example' id='" id "'>" key "</db:verify>"
#define SAYS(id, type) \
    "<db:verify from='iut.example' to='a.example' id='" id "' type='" type "'/>"

static void test_authority(void)
{
    struct side *in, *out;

    begin(NULL);
    out = connect_as(DNA_ORACLE_INITIATING);
    PLAY(out, ASKED, "> <db:result from='iut.example' to='a.example'>c0ffee</db:result>");
    in = connect_as(DNA_ORACLE_RECEIVING);
    PLAY(in, SECURED, "< " VERIFY("i2", "c0ffee"), "> " SAYS("i2", "valid"),
         "< " VERIFY("i3", "bad"), "> " SAYS("i3", "invalid"), "< " VERIFY("barrier-1", "0"),
         "> " SAYS("barrier-1", "invalid"));
    check(NULL, NULL);
    PLAY(in, "< " VERIFY("i4", "bad"), "> " SAYS("i4", "valid"));
    check("dialback_authoritative", "X0220_2_2_2_2");
    end();
    begin(NULL); /* no answer before the barrier's */
    in = connect_as(DNA_ORACLE_RECEIVING);
    PLAY(in, SECURED, "< " VERIFY("i3", "bad"), "< " VERIFY("barrier-1", "0"),
         "> " SAYS("barrier-1", "invalid"));
    check("dialback_authoritative", "X0220_2_2_2_2");
    CU_ASSERT_STRING_EQUAL(dna_oracle_objections(oracle)->element, "");
    end();
}

static void test_key_again(void)
{
    begin(NULL);
    PLAY(connect_as(DNA_ORACLE_INITIATING), ASKED,
         "> <db:result from='iut.example' to='a.example'>c0ffee</db:result>",
         "< <db:result from='a.example' to='iut.example' type='valid'/>",
         "> <message from='r@iut.example' to='j@a.example'/>");
    check(NULL, NULL);
    PLAY(&sides[0], "> <db:result from='iut.example' to='a.example'>c0ffee</db:result>");
    check("dialback_initiating", "X0220_2_1_1_1");
    end();
}

#define INVALID "<db:result from='iut.example' to='a.example' type='invalid'/>"

static void test_errors_not_spoken(void)
{
    for (int i = 0; i < 2; i++) {
        struct side *in, *out;

        speaks_errors = i;
        begin(NULL);
        in = connect_as(DNA_ORACLE_RECEIVING);
        PLAY(in, SECURED, "< " KEY);
        out = connect_as(DNA_ORACLE_INITIATING);
        PLAY(out, ASKED, "> " QUESTION, "< " VERIFIED("error"));
        PLAY(in, "> " INVALID);
        check(i ? "dialback_receiving" : NULL, "X0220_2_5_6");
        end();
    }
}

/* ---- stanzas ---- */

static void test_stanzas_of_unproved_pairs(void)
{
    struct side *in, *user;

    begin(NULL); /* out: nobody granted the pair */
    PLAY(connect_as(DNA_ORACLE_INITIATING), ASKED,
         "> <message from='r@iut.example' to='j@a.example'/>");
    check("association", "X0220_2_1_1_15");
    end();
    begin(NULL); /* back on a stream that is not bidirectional */
    in = connect_as(DNA_ORACLE_RECEIVING);
    PLAY(in, SECURED, "> <message from='r@iut.example' to='j@a.example'/>");
    check("association", "X0288_2_2_5");
    end();
    begin(NULL); /* in: nothing was ever asked for */
    in = connect_as(DNA_ORACLE_RECEIVING);
    PLAY(in, SECURED, "< " STANZA);
    user = connect_as(DNA_ORACLE_C2S);
    PLAY(user, "< " FROM_USER, "> " FROM_USER, "> " F(MUST_TLS));
    check(NULL, NULL);
    PLAY(user, "> " STANZA);
    check("association", "R6120_13_12_1");
    end();
}

/* ---- streams ---- */

static void test_features(void)
{
    begin(NULL);
    PLAY(connect_as(DNA_ORACLE_RECEIVING), "< " ASK, "> " ANSWER("s0"), "> " F(MAY_TLS));
    check("features_receiving", "R6120_5_4_1_1");
    CU_ASSERT_EQUAL(dna_oracle_objections(oracle)->level, DNA_LEVEL_MUST);
    CU_ASSERT_STRING_EQUAL(dna_oracle_objections(oracle)->expected, "offer_starttls_required");
    end();
    begin(NULL);
    PLAY(connect_as(DNA_ORACLE_RECEIVING), "< " ASK, "> " ANSWER("s0"), "> " F(MUST_TLS DIALBACK));
    check("features_receiving", "R6120_5_3_1_2");
    CU_ASSERT_EQUAL(dna_oracle_objections(oracle)->level, DNA_LEVEL_SHOULD_NOT);
    end();
    begin(NULL);
    PLAY(connect_as(DNA_ORACLE_RECEIVING), "< " ASK, "> " ANSWER("s0"), "> " F(MUST_TLS EXTERNAL));
    check("features_receiving", "R6120_6_3_4_1");
    end();
}

static void test_headers(void)
{
    begin(NULL); /* one more than was asked for */
    PLAY(connect_as(DNA_ORACLE_RECEIVING), "< " ASK, "> " ANSWER("s0"), "> " F(MUST_TLS),
         "> " ANSWER("s1"), "> " F(MUST_TLS));
    CU_ASSERT_PTR_NOT_NULL(dna_oracle_objections(oracle));
    end();
    begin(NULL); /* but for the sake of a stream error it may be */
    PLAY(connect_as(DNA_ORACLE_INITIATING), ASKED, "> " OPEN_OUT, "> <stream:error/>");
    check(NULL, NULL);
    end();
}

/* DEC_A56: TLS may begin; what it does then is judged as ever. */
static void test_unasked_proceed(void)
{
    static const char *const from_proceed[] = { "> " OPEN_OUT, "< " ANSWER_OUT("i1"),
                                                "< <proceed xmlns='" TLS "'/>", "tls", NULL };

    begin(NULL);
    play(connect_as(DNA_ORACLE_INITIATING), from_proceed, NULL);
    PLAY(&sides[0], "> " OPEN_OUT, "< " ANSWER_OUT("i2"), "< " F(DIALBACK),
         "> <db:result from='iut.example' to='a.example'>c0ffee</db:result>",
         "< <db:result from='a.example' to='iut.example' type='valid'/>",
         "> <message from='r@iut.example' to='j@a.example'/>");
    check(NULL, NULL);
    end();
    begin(NULL); /* it is no grant */
    play(connect_as(DNA_ORACLE_INITIATING), from_proceed, NULL);
    PLAY(&sides[0], "> " OPEN_OUT, "< " ANSWER_OUT("i2"), "< " F(DIALBACK),
         "> <message from='r@iut.example' to='j@a.example'/>");
    check("association", "X0220_2_1_1_15");
    end();
    begin(NULL); /* or the stream ends */
    PLAY(connect_as(DNA_ORACLE_INITIATING), "> " OPEN_OUT, "< " ANSWER_OUT("i1"),
         "< <proceed xmlns='" TLS "'/>", "> <stream:error/>");
    check(NULL, NULL);
    end();
}

#define AUTH "< <auth xmlns='" SASL "' mechanism='EXTERNAL'>=</auth>"
#define SUCCESS "<success xmlns='" SASL "'/>"
#define FAILURE "<failure xmlns='" SASL "'><not-authorized/></failure>"

/* Policy that lets unproved domains pass explains a success, where a certificate was shown at all;
 * without the policy nothing does. */
static void test_external_by_policy(void)
{
    struct dna_diag diag = { 0 };
    struct dna_cert_spec spec;
    struct dna_ca *ca = dna_ca_new(&diag);
    struct dna_cert *other;

    CU_ASSERT_EQUAL(dna_cert_spec_parse("dns=other.example", &spec, &diag), 0);
    other = dna_ca_mint(ca, &spec, NULL, NULL, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(other);
    for (int policy = 0; policy < 2; policy++) {
        lets_pass = policy;
        begin(dna_ca_root(ca));
        PLAY_WITH(other, connect_as(DNA_ORACLE_RECEIVING), TO_TLS, "< " ASK, "> " ANSWER("s1"),
                  "> " F(EXTERNAL DIALBACK BIDI), AUTH, "> " SUCCESS);
        check(policy ? NULL : "sasl_external_receiving", policy ? NULL : "R7712_4_2_7");
        end();
        begin(dna_ca_root(ca));
        PLAY(connect_as(DNA_ORACLE_RECEIVING), SECURED, AUTH, "> " SUCCESS);
        check("sasl_external_receiving", "R7712_4_2_7");
        end();
    }
    lets_pass = false;
    dna_cert_unref(other);
    dna_ca_free(ca);
}

static void test_external(void)
{
    struct dna_diag diag = { 0 };
    struct dna_cert_spec spec;
    struct dna_ca *ca = dna_ca_new(&diag);
    struct dna_cert *cert;

    CU_ASSERT_EQUAL(dna_cert_spec_parse("dns=a.example srv=a.example", &spec, &diag), 0);
    cert = dna_ca_mint(ca, &spec, NULL, NULL, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cert);
    begin(NULL); /* without a certificate, and without TLS */
    PLAY(connect_as(DNA_ORACLE_RECEIVING), SECURED, AUTH, "> " SUCCESS);
    check("sasl_external_receiving", "R7712_4_2_7");
    end();
    begin(NULL);
    PLAY(connect_as(DNA_ORACLE_RECEIVING), "< " ASK, "> " ANSWER("s0"), "> " F(MUST_TLS), AUTH,
         "> " SUCCESS);
    check("sasl_external_receiving", "R6120_6_3_4_1");
    end();
    begin(dna_ca_root(ca)); /* with the right one */
    PLAY_WITH(cert, connect_as(DNA_ORACLE_RECEIVING), TO_TLS, "< " ASK, "> " ANSWER("s1"),
              "> " F(EXTERNAL DIALBACK BIDI), AUTH, "> " SUCCESS, "< " ASK, "> " ANSWER("s2"),
              "> " F(DIALBACK));
    check(NULL, NULL);
    end();
    begin(dna_ca_root(ca)); /* it is refused, and was not offered */
    PLAY_WITH(cert, connect_as(DNA_ORACLE_RECEIVING), TO_TLS, "< " ASK, "> " ANSWER("s1"),
              "> " F(EXTERNAL DIALBACK BIDI), AUTH, "> " FAILURE);
    check("sasl_external_receiving", "R7712_4_1_2");
    end();
    begin(dna_ca_root(ca));
    PLAY_WITH(cert, connect_as(DNA_ORACLE_RECEIVING), TO_TLS, "< " ASK, "> " ANSWER("s1"),
              "> " F(DIALBACK BIDI));
    check("features_receiving", "R7712_4_1_2");
    end();
    dna_cert_unref(cert);
    dna_ca_free(ca);
}

static void test_clients(void)
{
    begin(NULL);
    PLAY(connect_as(DNA_ORACLE_C2S), "< " FROM_USER, "> " FROM_USER, "> " F(MUST_TLS),
         "< <iq xmlns='jabber:client' type='set' id='1'>"
         "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
         "> <iq xmlns='jabber:client' type='result' id='1'>"
         "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    check("c2s_server", "R6120_4_3_5_4");
    end();
}

#define LOGGED_IN "< " FROM_USER, "> " FROM_USER, "> " F(MUST_TLS), \
                  "< <starttls xmlns='" TLS "'/>", "> <proceed xmlns='" TLS "'/>", "tls", \
                  "< " FROM_USER, "> " FROM_USER, "> " F(PLAIN), \
                  "< <auth xmlns='" SASL "' mechanism='PLAIN'>AGEAYg==</auth>", "> " SUCCESS, \
                  "< " FROM_USER, "> " FROM_USER, "> " F("<bind xmlns='" BIND "'/>")
#define BIND "urn:ietf:params:xml:ns:xmpp-bind"
#define PLAIN "<mechanisms xmlns='" SASL "'><mechanism>PLAIN</mechanism></mechanisms>"
#define TO_BIND(id) "< <iq xmlns='jabber:client' type='set' id='" id "'><bind xmlns='" BIND "'/></iq>"
#define BOUND(id) "> <iq xmlns='jabber:client' type='result' id='" id "'><bind xmlns='" BIND \
                  "'><jid>a@iut.example/b</jid></bind></iq>"
#define NO_BIND(id) "> <iq xmlns='jabber:client' type='error' id='" id "'><error type='cancel'>" \
                    "<not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
#define RESPONSE "< <response xmlns='" SASL "'>AGEAYg==</response>"

/* The second resource is refused by an error that need not hold the request. */
static void test_second_resource(void)
{
    begin(NULL);
    PLAY(connect_as(DNA_ORACLE_C2S), LOGGED_IN, TO_BIND("1"), BOUND("1"), TO_BIND("2"),
         NO_BIND("2"), RESPONSE, "> " FAILURE);
    check(NULL, NULL);
    end();
    begin(NULL); /* the error answers something else, so the second request is not refused */
    PLAY(connect_as(DNA_ORACLE_C2S), LOGGED_IN, TO_BIND("1"), BOUND("1"), TO_BIND("2"),
         NO_BIND("3"), RESPONSE, "> " FAILURE);
    check("c2s_server", "R6120_4_3_6_1");
    end();
}

/* ---- what it can't know ---- */

static void test_silence(void)
{
    begin(NULL); /* behind what is not XML nobody knows what the other side has read */
    PLAY(connect_as(DNA_ORACLE_RECEIVING), SECURED, "< <!-- --><x/>", "< " KEY, "> " VALID);
    check(NULL, NULL);
    end();
    begin(NULL); /* so it is with what follows starttls in clear */
    PLAY(connect_as(DNA_ORACLE_RECEIVING), "< " ASK, "> " ANSWER("s0"), "> " F(MUST_TLS),
         "< <starttls xmlns='" TLS "'/>" KEY, "> " VALID);
    check(NULL, NULL);
    end();
    begin(NULL); /* names that may be read in several ways, elements of strangers */
    PLAY(connect_as(DNA_ORACLE_RECEIVING), SECURED,
         "< <db:result from='xn--bcher-kva.example' to='iut.example'>1</db:result>",
         "> <db:result from='iut.example' to='xn--bcher-kva.example' type='valid'/>",
         "> <r xmlns='urn:xmpp:sm:3'/>");
    check(NULL, NULL);
    end();
}

/* ---- verdicts ---- */

static struct dna_result *judged(enum dna_verdict verdict)
{
    struct dna_result *r = dna_xcalloc(1, sizeof(*r));

    r->pool = dna_pool_new();
    r->verdict = verdict;
    r->invariant = DNA_INVARIANT_HELD;
    r->signalling = DNA_SIGNALLING_EXACT;
    r->reason = "";
    dna_oracle_apply(oracle, r);
    return r;
}

static void check_verdict(enum dna_verdict before, enum dna_verdict after, const char *reason)
{
    struct dna_result *r = judged(before);

    CU_ASSERT_EQUAL(r->verdict, after);
    CU_ASSERT_STRING_EQUAL(r->reason, reason);
    CU_ASSERT_EQUAL(r->signalling, *reason ? DNA_SIGNALLING_WRONG : DNA_SIGNALLING_EXACT);
    CU_ASSERT_EQUAL(r->invariant, DNA_INVARIANT_HELD);
    CU_ASSERT_EQUAL(r->oracle != NULL, dna_oracle_objections(oracle) != NULL);
    CU_ASSERT_PTR_NULL(r->reading);
    dna_pool_free(r->pool);
    free(r);
}

static void test_verdicts(void)
{
    begin(NULL);
    check_verdict(DNA_VERDICT_PASS, DNA_VERDICT_PASS, "");
    PLAY(connect_as(DNA_ORACLE_RECEIVING), "< " ASK, "> " ANSWER("s0"), "> " F(MUST_TLS DIALBACK));
    check_verdict(DNA_VERDICT_PASS, DNA_VERDICT_PASS, "");
    check_verdict(DNA_VERDICT_WARN, DNA_VERDICT_WARN, "");
    check_verdict(DNA_VERDICT_FAIL, DNA_VERDICT_FAIL, "");
    PLAY(connect_as(DNA_ORACLE_RECEIVING), "< " ASK, "> " ANSWER("s0"), "> " F(MAY_TLS));
    check_verdict(DNA_VERDICT_PASS, DNA_VERDICT_FAIL, "oracle");
    check_verdict(DNA_VERDICT_INFO, DNA_VERDICT_FAIL, "oracle");
    check_verdict(DNA_VERDICT_INCONC, DNA_VERDICT_INCONC, "");
    check_verdict(DNA_VERDICT_ERROR, DNA_VERDICT_ERROR, "");
    end();
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the nine steps pass", test_nine_steps },
        { "valid that no authority said", test_valid_unasked },
        { "answers of an authority", test_authority },
        { "a key sent again", test_key_again },
        { "errors that are not spoken", test_errors_not_spoken },
        { "stanzas of unproved pairs", test_stanzas_of_unproved_pairs },
        { "features", test_features },
        { "headers", test_headers },
        { "a proceed that nobody asked for", test_unasked_proceed },
        { "SASL EXTERNAL", test_external },
        { "SASL EXTERNAL by policy", test_external_by_policy },
        { "clients", test_clients },
        { "a second resource", test_second_resource },
        { "what it cannot know", test_silence },
        { "verdicts", test_verdicts },
        CU_TEST_INFO_NULL,
    };

    return cu_main("oracle", tests);
}
