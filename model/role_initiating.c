/* SPDX-License-Identifier: MIT */
/*
 * role_initiating.c -- an S2S server that opens a stream, as one machine (compose.h).
 *
 * A local account has written to d1, or (scope "asking") d1's authority is to be asked about a key.
 * The tester is d1's server.  The wires mirror impl/s2s_initiating.c, s2s_dialback.c, s2s_pair.c
 * and s2s_route.c; a second connection to d1 is refused by the tester, so what needs one returns.
 */
#include "model/compose.h"

#include "model/machines.h"
#include "model/roles.h"

enum { FOR_STANZAS, ASKING };

static const struct dna_slot slots[] = {
    { &dna_machine_stream_initiating, DNA_STREAM },
    { &dna_machine_starttls_initiating, DNA_STREAM },
    { &dna_machine_sasl_external_initiating, DNA_STREAM },
    { &dna_machine_piggyback_assertion, DNA_STREAM },
    { &dna_machine_piggyback_supposition, DNA_STREAM },
    { &dna_machine_dialback_authoritative, DNA_STREAM },
    { &dna_machine_dialback_initiating, DNA_PAIR1 },
    { &dna_machine_dialback_receiving, DNA_PAIR1 },
    { &dna_machine_association, DNA_PAIR1 },
};

#define RAISE DNA_WIRE_RAISE
#define PAIRS DNA_WIRE_PAIRS
#define FROM DNA_WIRE_FROM
#define ACT DNA_WIRE_ACT
#define SHOW DNA_WIRE_SHOW

static const struct dna_wire wires[] = {
    RAISE( stream_initiating, begin_starttls, starttls_initiating, BEGIN ),
    RAISE( stream_initiating, reconsider, stream_initiating, RX_FEATURES ),
    RAISE( stream_initiating, begin_external, sasl_external_initiating, BEGIN ),
    FROM( stream_initiating, grant_pair, association, EXTERNAL_GRANTED ),
    PAIRS( stream_initiating, report_flowing, association, STREAM_FLOWS ),
    ACT( stream_initiating, report_flowing, WATCH ),
    ACT( stream_initiating, report_ready, ROLE ),
    ACT( stream_initiating, report_ready, WATCH ),
    ACT( stream_initiating, report_failed, ROLE ),
    ACT( stream_initiating, send_close, MUTE ),
    ACT( stream_initiating, send_close, ROLE ), /* what comes now goes elsewhere */
    ACT( stream_initiating, hold_input, HOLD ),
    ACT( stream_initiating, release_input, RELEASE ),
    ACT( stream_initiating, drain_input, DRAIN ),
    ACT( stream_initiating, discard_input, DISCARD ),
    ACT( stream_initiating, drop_stream, GONE ),
    ACT( stream_initiating, drop_stream, ROLE ), /* the pair is lost */

    ACT( starttls_initiating, start_tls, TLS ),
    ACT( starttls_initiating, discard_clear, QUIET ),
    ACT( starttls_initiating, restart_after_tls, FORGET_TLS ),
    PAIRS( starttls_initiating, restart_after_tls, dialback_receiving, STREAM_SECURED ),
    PAIRS( starttls_initiating, restart_after_tls, dialback_initiating, STREAM_SECURED ),
    PAIRS( starttls_initiating, restart_after_tls, association, STREAM_SECURED ),
    RAISE( starttls_initiating, restart_after_tls, stream_initiating, SECURED ),
    RAISE( starttls_initiating, report_failed, stream_initiating, TLS_FAILED ),

    ACT( sasl_external_initiating, restart_stream, FORGET_RESTART ),
    PAIRS( sasl_external_initiating, restart_stream, dialback_receiving, STREAM_RESTARTED ),
    RAISE( sasl_external_initiating, restart_stream, stream_initiating, AUTHENTICATED ),
    RAISE( sasl_external_initiating, report_refused, stream_initiating, AUTH_REFUSED ),
    RAISE( sasl_external_initiating, end_stream, stream_initiating, END ),

    ACT( piggyback_assertion, assert_on_stream, ROLE ),
    SHOW( piggyback_assertion, resolve_target, NULL ),
    ACT( piggyback_assertion, resolve_target, ROLE ),
    ACT( piggyback_supposition, suppose_on_stream, ROLE ),
    SHOW( piggyback_supposition, open_own_stream, NULL ),
    ACT( piggyback_supposition, open_own_stream, ROLE ),

    ACT( dialback_initiating, send_key, ROLE ),
    RAISE( dialback_initiating, grant_pair, association, DIALBACK_GRANTED ),
    SHOW( dialback_initiating, bounce_internal_error, NULL ), /* shows if a stanza waits */
    ACT( dialback_initiating, bounce_internal_error, ROLE ),
    SHOW( dialback_initiating, bounce_timeout, NULL ),
    ACT( dialback_initiating, bounce_timeout, ROLE ),
    RAISE( dialback_initiating, end_stream, stream_initiating, END ),
    SHOW( dialback_initiating, open_own_stream, NULL ),
    ACT( dialback_initiating, open_own_stream, ROLE ),
    ACT( dialback_initiating, report_unsolicited, QUIET ),

    ACT( dialback_receiving, await_proof, AWAIT ),
    SHOW( dialback_receiving, dial_authority, NULL ),
    ACT( dialback_receiving, dial_authority, ASK ),
    ACT( dialback_receiving, drop_question, UNASK ),
    RAISE( dialback_receiving, accept_pair, association, DIALBACK_ACCEPTED ),
    RAISE( dialback_receiving, end_stream, stream_initiating, END ),
    ACT( dialback_receiving, report_unsolicited, QUIET ),

    SHOW( dialback_authoritative, send_policy_violation, "verify_policy_violation" ),
    SHOW( dialback_authoritative, send_bad_request, "verify_bad_request" ),
    SHOW( dialback_authoritative, send_item_not_found, "verify_item_not_found" ),

    SHOW( association, transmit, NULL ), /* what shows is the stanza, if one waits */
    ACT( association, transmit, ROLE ),
    ACT( association, hold, QUIET ),
    SHOW( association, release_queue, NULL ), /* what shows are the stanzas */
    ACT( association, release_queue, ROLE ),
    RAISE( association, end_stream, stream_initiating, END ),
};

#undef RAISE
#undef PAIRS
#undef FROM
#undef ACT
#undef SHOW

#define SYMBOL(name_, kind_, m, event, whom_, about_, text_, ...)                                  \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_, .machine = &dna_machine_##m,         \
      .on = m##_E_##event, .whom = DNA_##whom_, .about = DNA_##about_,                             \
      .facts = &(const struct m##_facts){ __VA_ARGS__ } }
#define HEADER(name_, text_, ...)                                                                  \
    SYMBOL( name_, HEADER, stream_initiating, RX_HEADER, STREAM, D1, text_,                        \
            .stream_namespace_ok = 1, .content_namespace_ok = 1, __VA_ARGS__ )
#define PLAIN(name_, kind_, event_, text_) \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_, \
      .machine = &dna_machine_stream_initiating, .on = stream_initiating_E_##event_ }
#define FEATURES(name_, text_, ...) \
    SYMBOL( name_, ELEMENT, stream_initiating, RX_FEATURES, STREAM, NOBODY, text_, __VA_ARGS__ )
#define BARE(name_, kind_, m_, event_, text_) \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_, .machine = &dna_machine_##m_, \
      .on = m_##_E_##event_ }
#define RESULT(name_, event_, text_) \
    SYMBOL( name_, ELEMENT, dialback_initiating, event_, PAIR1, NOBODY, text_, .asked_here = 0 )

static const struct dna_symbol symbols[] = {
    HEADER( "header", "the response header", .id_given = 1, .from_agrees = 1, .version_one = 1,
        .dialback_declared = 1 ),
    HEADER( "header plain", "a response header without the dialback namespace", .id_given = 1,
        .from_agrees = 1, .version_one = 1 ),
    HEADER( "header no id", "a response header without id", .from_agrees = 1, .version_one = 1,
        .dialback_declared = 1 ),
    HEADER( "header your id", "a response header with an id that the server itself issued",
        .id_given = 1, .id_ours = 1, .from_agrees = 1, .version_one = 1, .dialback_declared = 1 ),
    HEADER( "header other", "a response header from another domain", .id_given = 1,
        .version_one = 1, .dialback_declared = 1 ),
    HEADER( "header old", "a response header without version", .id_given = 1, .from_agrees = 1,
        .dialback_declared = 1 ),
    HEADER( "header old plain", "a response header without version and dialback namespace",
        .id_given = 1, .from_agrees = 1 ),
    SYMBOL( "header early", EARLY, stream_initiating, RX_HEADER, STREAM, D1,
        "the response header, whether it is read at once or not", .stream_namespace_ok = 1,
        .content_namespace_ok = 1, .id_given = 1, .from_agrees = 1, .version_one = 1,
        .dialback_declared = 1 ),
    SYMBOL( "header badns", HEADER, stream_initiating, RX_HEADER, STREAM, D1,
        "a response header for another content namespace", .stream_namespace_ok = 1, .id_given = 1,
        .from_agrees = 1, .version_one = 1 ),
    SYMBOL( "header badroot", HEADER, stream_initiating, RX_HEADER, STREAM, D1,
        "another root element", .content_namespace_ok = 1, .id_given = 1, .from_agrees = 1,
        .version_one = 1 ),

    FEATURES( "features tls", "features with STARTTLS", .starttls = 1 ),
    FEATURES( "features all", "features with everything", .starttls = 1, .external = 1,
        .dialback = 1, .errors = 1, .bidi = 1 ),
    FEATURES( "features -", "no features", .starttls = 0 ),
    FEATURES( "features external", "features with EXTERNAL", .external = 1 ),
    FEATURES( "features dialback", "features with dialback and its errors", .dialback = 1,
        .errors = 1 ),
    FEATURES( "features bidi", "features with bidi and dialback", .dialback = 1, .errors = 1,
        .bidi = 1 ),
    FEATURES( "features external bidi", "features with EXTERNAL and bidi", .external = 1,
        .bidi = 1 ),

    PLAIN( "bidi", ELEMENT, RX_BIDI, "bidi, which only an initiating server sends" ),
    PLAIN( "unknown", ELEMENT, RX_UNKNOWN, "an element nobody knows" ),
    PLAIN( "malformed", BYTES, RX_NOT_WELL_FORMED, "bytes that are not well-formed" ),
    PLAIN( "comment", BYTES, RX_RESTRICTED, "a comment" ),
    PLAIN( "oversize", BYTES, RX_OVERSIZE, "an element larger than is taken" ),
    PLAIN( "error", STANZA, RX_STREAM_ERROR, "a stream error" ),
    PLAIN( "close", END, RX_CLOSE, "the closing tag" ),

    BARE( "proceed", ELEMENT, starttls_initiating, RX_PROCEED, "proceed" ),
    SYMBOL( "proceed+", ELEMENT, starttls_initiating, RX_PROCEED, STREAM, NOBODY,
        "proceed with bytes in clear behind it", .clear_trailing = 1 ),
    BARE( "tls failure", ELEMENT, starttls_initiating, RX_TLS_FAILURE, "the failure of STARTTLS" ),
    SYMBOL( "tls d1", TLS, starttls_initiating, TLS_UP, STREAM, D1,
        "a handshake with a certificate that proves d1", .clear_trailing = 0 ),
    SYMBOL( "tls -", TLS, starttls_initiating, TLS_UP, STREAM, NOBODY,
        "a handshake with a certificate that proves nobody", .clear_trailing = 0 ),
    { .name = "tls refuted", .text = "a handshake with a certificate that d1's owner disowns",
      .kind = DNA_SEND_TLS, .machine = &dna_machine_starttls_initiating,
      .on = starttls_initiating_E_TLS_UP, .mark = 1 },
    BARE( "tls broken", TLS, starttls_initiating, TLS_FAILED, "a handshake that fails" ),

    BARE( "success", ELEMENT, sasl_external_initiating, RX_SUCCESS, "SASL success" ),
    BARE( "failure", ELEMENT, sasl_external_initiating, RX_FAILURE, "a SASL failure" ),
    BARE( "challenge", ELEMENT, sasl_external_initiating, RX_CHALLENGE, "an empty challenge" ),

    RESULT( "result valid", RX_VALID, "db:result valid" ),
    RESULT( "result invalid", RX_INVALID, "db:result invalid" ),
    RESULT( "result error", RX_ERROR, "db:result of type error" ),
    RESULT( "result what", RX_OTHER_TYPE, "db:result of a type that nobody knows" ),

    BARE( "valid elsewhere", ASIDE, dialback_initiating, RX_VALID,
        "db:result valid on another connection" ),
    BARE( "invalid elsewhere", ASIDE, dialback_initiating, RX_INVALID,
        "db:result invalid on another connection" ),
    BARE( "error elsewhere", ASIDE, dialback_initiating, RX_ERROR,
        "db:result of type error on another connection" ),

    SYMBOL( "key d1", ELEMENT, dialback_receiving, RX_KEY, PAIR1, NOBODY,
        "db:result with a key, backwards", .addressed = 1, .hosted = 1, .key_given = 1 ),
    SYMBOL( "d1 says valid", ANSWER, dialback_receiving, RX_VERIFY_VALID, PAIR1, NOBODY,
        "the authority of d1 answers valid", .asked_here = 1 ),
    SYMBOL( "d1 says invalid", ANSWER, dialback_receiving, RX_VERIFY_INVALID, PAIR1, NOBODY,
        "the authority of d1 answers invalid", .asked_here = 1 ),
    SYMBOL( "answered", ANSWER_HERE, stream_initiating, VERIFICATION_DONE, PAIR1, NOBODY,
        "the answer to the question", .more_pending = 0 ),
    SYMBOL( "verify", ELEMENT, dialback_authoritative, RX_VERIFY, STREAM, NOBODY,
        "db:verify with a wrong key", .addressed = 1, .id_given = 1, .hosted = 1 ),
    SYMBOL( "verify right", ELEMENT, dialback_authoritative, RX_VERIFY, STREAM, NOBODY,
        "db:verify with the key that was received", .addressed = 1, .id_given = 1, .hosted = 1,
        .key_right = 1 ),

    SYMBOL( "stanza d1", STANZA, association, RX_STANZA, PAIR1, NOBODY, "a message from d1",
        .addressed = 1, .hosted = 1 ),
    SYMBOL( "stanza other", STANZA, association, RX_STANZA, STRANGER, NOBODY,
        "a message from a domain that was never spoken of", .addressed = 1, .hosted = 1 ),
    SYMBOL( "stanza nobody", STANZA, association, RX_STANZA, STRANGER, NOBODY,
        "a message without from", .hosted = 1 ),
    SYMBOL( "local d1", LOCAL, association, TX_STANZA, PAIR1, NOBODY,
        "a local account writes to d1", .addressed = 1, .hosted = 1 ),

    PLAIN( "proof of d1", SETTLE, PROOF_SETTLED, "what proves d1 arrives" ),

    PLAIN( "wait negotiation", TIMER, TIMER_NEGOTIATION,
        "waiting until the time for becoming ready is over" ),
    PLAIN( "wait idle", TIMER, TIMER_IDLE, "waiting until the stream is given up as idle" ),
    PLAIN( "wait close", TIMER, TIMER_CLOSE, "waiting until the closing tag is no longer awaited" ),
    PLAIN( "wait expiry", TIMER, TIMER_EXPIRY, "waiting until the certificate expires" ),
    BARE( "wait result", TIMER, dialback_initiating, TIMER_RESULT,
        "waiting until the answer to our key is no longer awaited" ),
    PLAIN( "shutdown", TIMER, SHUTDOWN, "the server is told to stop" ),
};

static const struct dna_scope scopes[] = {
    { .name = "clear", .text = "the response, what is said in clear, and STARTTLS", .prefix = "",
      .alphabet = "header, header no id, header your id, header old, header old plain, "
                  "header badns, header badroot, features tls, features all, features -, "
                  "proceed, proceed+, tls failure, tls d1, tls -, tls refuted, tls broken, "
                  "malformed, comment, oversize, unknown, error, close, bidi, stanza d1" },
    { .name = "early", .text = "answers that nobody asked for", .prefix = "header",
      .alphabet = "features tls, features -, success, failure, challenge, result valid, "
                  "result invalid, key d1, verify, proceed, close" },
    { .name = "external", .text = "SASL EXTERNAL",
      .prefix = "header, features tls, proceed, tls d1",
      .alphabet = "header, header plain, header old, header old plain, features external, "
                  "features external bidi, features dialback, features -, success, failure, "
                  "challenge, local d1, stanza d1, proceed, unknown, bidi, comment, close" },
    { .name = "dialback", .text = "dialback after TLS",
      .prefix = "header, features tls, proceed, tls d1, header",
      .alphabet = "features dialback, features bidi, result valid, result invalid, "
                  "result error, result what, valid elsewhere, invalid elsewhere, "
                  "error elsewhere, local d1, stanza d1, stanza other, stanza nobody, key d1, "
                  "verify, success, tls failure, unknown, malformed, oversize, error, close" },
    { .name = "weak", .text = "policy lets dialback do without the far end's certificate",
      .prefix = "header, features tls, proceed", .knobs = "outbound_proof_required=0",
      .alphabet = "tls -, tls refuted, header, features bidi, features dialback, result valid, "
                  "result error, key d1, d1 says valid, d1 says invalid, local d1, stanza d1, "
                  "verify right, close" },
    { .name = "voluntary TLS", .text = "policy lets dialback do without TLS", .prefix = "",
      .knobs = "tls_required=0, outbound_proof_required=0",
      .alphabet = "header, header plain, header old, header old plain, features dialback, "
                  "features tls, features -, proceed, tls -, result valid, result invalid, "
                  "local d1, stanza d1, close" },
    { .name = "proof or nothing", .text = "policy lets TLS be, but wants the far end's certificate",
      .prefix = "", .knobs = "tls_required=0",
      .alphabet = "header, header old, header old plain, features dialback, features tls, "
                  "proceed, tls d1, tls -, result valid, close" },
    { .name = "strict names",
      .text = "policy wants the response from the domain that was asked for", .prefix = "",
      .knobs = "peer_header_from_must_match=1",
      .alphabet = "header, header other, features tls, proceed, tls d1, close" },
    { .name = "named", .text = "policy names the domain in EXTERNAL",
      .prefix = "header, features tls, proceed, tls d1, header", .knobs = "authzid_policy=1",
      .alphabet = "features external, challenge, success, failure, header, close" },
    { .name = "asking", .text = "a stream that only asks an authority", .prefix = "",
      .mark = ASKING,
      .alphabet = "header, header old, features tls, features -, features external bidi, "
                  "proceed, tls d1, tls -, answered, stanza d1, error, unknown, close" },
    { .name = "fetched", .text = "proofs that have to be fetched anew",
      .prefix = "header, features tls, proceed", .slow = true, .lapses = true,
      .alphabet = "tls d1, tls -, tls refuted, proof of d1, header, header early, "
                  "features dialback, result valid, local d1, close" },
    { .name = "fetched, asking", .text = "a stream that only asks, while proofs are fetched",
      .prefix = "header, features tls, proceed", .slow = true, .lapses = true,
      .mark = ASKING,
      .alphabet = "tls d1, tls -, tls refuted, proof of d1, header, features -, answered, close" },
    { .name = "timers", .text = "deadlines, and the server's own end", .prefix = "", .timers = true,
      .alphabet = "header, features tls, proceed, tls d1, features external, "
                  "features dialback, success, result valid, local d1, wait negotiation, "
                  "wait idle, wait close, wait expiry, wait result, shutdown, stanza d1, "
                  "malformed, error, close" },
};

static void begin(struct dna_compose *c)
{
    c->scene->g.from = DNA_D1;
    if (c->scope->mark == ASKING) {
        c->scene->g.question[0] = 1;
    } else {
        c->scene->g.queue = c->scene->g.opening = 1;
    }
    dna_compose_raise(c, &dna_machine_stream_initiating, DNA_STREAM, stream_initiating_E_TCP_UP);
}

static bool proves(const struct dna_compose *c)
{
    return c->scene->g.certificate == DNA_D1 && !c->scene->g.expired;
}

static bool known(const struct dna_compose *c)
{
    const uint32_t *di = dna_compose_slot(c, &dna_machine_dialback_initiating, DNA_PAIR1);
    const uint32_t *dr = dna_compose_slot(c, &dna_machine_dialback_receiving, DNA_PAIR1);
    const uint32_t *as = dna_compose_slot(c, &dna_machine_association, DNA_PAIR1);
    return c->scene->g.via || di[0] != dialback_initiating_S_IDLE ||
           dr[0] != dialback_receiving_S_UNPROVEN || as[0] != association_S_NONE;
}

static void stream_facts(const struct dna_compose *c, uint32_t on,
                         struct stream_initiating_facts *e)
{
    e->for_stanzas = on == stream_initiating_E_TCP_UP && c->scope->mark != ASKING;
    e->have_certificate = 1;
    e->peer_pending = c->scope->slow && on == stream_initiating_E_SECURED;
    e->peer_proved = !e->peer_pending && proves(c);
    e->peer_refuted = !e->peer_pending && c->scene->g.refuted;
    e->more_pending = 0;
}

static void facts(const struct dna_compose *c, const struct dna_machine *m, enum dna_whom whom,
                  uint32_t on, void *e)
{
    if (m == &dna_machine_stream_initiating) {
        stream_facts(c, on, e);
    } else if (m == &dna_machine_dialback_initiating) {
        bool aside = c->symbol && c->symbol->kind == DNA_SEND_ASIDE;
        ((struct dialback_initiating_facts *)e)->asked_here = whom == DNA_PAIR1 && !aside;
    } else if (m == &dna_machine_dialback_receiving) {
        ((struct dialback_receiving_facts *)e)->sender_proved = proves(c);
    } else if (m == &dna_machine_piggyback_assertion) {
        struct piggyback_assertion_facts *p = e;
        uint32_t as = *dna_compose_slot(c, &dna_machine_association, DNA_PAIR1);
        p->target_taken = as == association_S_TAKES || as == association_S_BOTH;
        p->peer_proved = proves(c);
        p->contradicted = c->scene->g.refuted;
        p->dialled = 1;
    } else if (m == &dna_machine_piggyback_supposition) {
        struct piggyback_supposition_facts *p = e;
        p->same_endpoint = p->weighed_here = 1;
        p->certificate_covers = proves(c);
        p->refuted = c->scene->g.refuted;
    } else if (m == &dna_machine_association) {
        struct association_facts *a = e;
        a->peer_proved = proves(c);
        a->dialled = 1;
    }
}

static enum dna_whom address(struct dna_compose *c, const struct dna_symbol *symbol)
{
    if (c->scope->slow && symbol->machine == &dna_machine_starttls_initiating &&
        symbol->on == starttls_initiating_E_TLS_UP) {
        c->scene->g.awaited[DNA_STREAM] = 1; /* whether input is held meanwhile or not */
    }
    c->scene->g.refuted |= symbol->kind == DNA_SEND_TLS && symbol->mark;
    if (symbol->machine == &dna_machine_dialback_initiating && symbol->kind == DNA_SEND_TIMER) {
        return DNA_PAIR1;
    }
    if (symbol->kind == DNA_SEND_ASIDE) { /* put to the pair that waits, as what it is */
        return c->scene->g.via ? DNA_PAIR1 : DNA_STRANGER;
    }
    if (symbol->machine == &dna_machine_stream_initiating) {
        return DNA_STREAM;
    }
    bool asks = symbol->machine == &dna_machine_dialback_receiving;
    return symbol->whom == DNA_PAIR1 && !known(c) && !asks ? DNA_STRANGER : symbol->whom;
}

static void bounce(struct dna_compose *c, const char *how)
{
    struct dna_stage *g = &c->scene->g;
    if (g->queue) {
        dna_compose_show(c, how, DNA_STREAM, true);
    }
    g->queue = g->via = 0;
}

static void ready(struct dna_compose *c)
{
    struct dna_stage *g = &c->scene->g;
    if (g->closed) {
        return;
    }
    if (g->opening) {
        g->opening = 0;
        g->via = 1;
        dna_role_pump(c);
    }
    if (c->scope->mark == ASKING && g->question[0] && !g->asked) {
        g->asked = 1;
        dna_compose_show(c, "db:verify", DNA_STREAM, false);
    }
}

static void stream_act(struct dna_compose *c, uint8_t out)
{
    struct dna_stage *g = &c->scene->g;
    if (out == stream_initiating_O_report_ready) {
        ready(c);
    } else if (out == stream_initiating_O_report_failed && g->opening) {
        uint32_t via = g->via; /* of another request than that for which the stream was opened */
        g->opening = 0;
        bounce(c, "bounce_timeout");
        g->via = via;
    } else if (out == stream_initiating_O_send_close && !g->queue) {
        g->via = 0;
    } else if (out == stream_initiating_O_drop_stream && (g->via || g->opening)) {
        g->opening = 0;
        bounce(c, "bounce_timeout");
    }
}

static void take_up(struct dna_compose *c, bool taken)
{
    if (taken) {
        c->scene->g.via = 1;
        dna_role_pump(c);
    }
}

static void act(struct dna_compose *c, const struct dna_wire *wire, enum dna_whom whom)
{
    struct dna_stage *g = &c->scene->g;
    (void)whom;
    if (wire->machine == &dna_machine_stream_initiating) {
        stream_act(c, wire->out);
    } else if (wire->machine == &dna_machine_dialback_initiating) {
        if (wire->out == dialback_initiating_O_send_key) {
            g->result = c->scope->timers;
        } else if (g->via) {
            bool internal = wire->out == dialback_initiating_O_bounce_internal_error;
            bounce(c, internal ? "bounce_internal_error" : "bounce_timeout");
        }
    } else if (wire->machine == &dna_machine_piggyback_assertion) {
        take_up(c, wire->out == piggyback_assertion_O_assert_on_stream);
    } else if (wire->machine == &dna_machine_piggyback_supposition) {
        take_up(c, wire->out == piggyback_supposition_O_suppose_on_stream);
    } else if (wire->out == association_O_transmit) {
        if (g->queue) {
            dna_compose_show(c, "transmit", DNA_PAIR1, false);
        }
        g->queue = 0;
    } else if (wire->out == association_O_release_queue) {
        g->via = g->via || g->queue;
        dna_role_pump(c);
    }
}

/* dna_s2s_route_remote: a stanza waits, and looks for its way. */
static void local(struct dna_compose *c, const struct dna_symbol *symbol)
{
    struct dna_stage *g = &c->scene->g;
    (void)symbol;
    g->queue = 1;
    if (g->via) {
        dna_role_pump(c);
    } else if (!g->opening) {
        dna_compose_raise(c, &dna_machine_piggyback_assertion, DNA_STREAM,
                          piggyback_assertion_E_WANT_PAIR);
        if (g->queue && !g->via) { /* the target is resolved, and leads to this very stream again */
            dna_compose_raise(c, &dna_machine_piggyback_supposition, DNA_STREAM,
                              piggyback_supposition_E_WANT_TARGET);
        }
        if (g->queue && !g->via) { /* another connection, which the tester refuses */
            bounce(c, "bounce_timeout");
        }
    }
}

const struct dna_role dna_role_initiating = {
    .name = "initiating",
    .text = "an S2S server that opens a stream",
    DNA_ROLE_TABLES( scopes, dna_role_timer_runs ),
    .stream = &dna_machine_stream_initiating,
    .begin = begin,
    .address = address,
    .local = local,
};
