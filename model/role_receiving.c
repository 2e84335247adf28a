/* SPDX-License-Identifier: MIT */
/*
 * role_receiving.c -- an S2S server that a peer opens a stream to, as one machine (compose.h).
 *
 * The peer speaks for d1, then perhaps for d2 as well; b is the domain it comes for, served there
 * like others.  The wires mirror impl/s2s_receiving.c, s2s_dialback.c, s2s_pair.c and s2s_verify.c.
 */
#include "model/compose.h"

#include "model/machines.h"
#include "model/role_receiving_scopes.h"
#include "model/roles.h"

static const struct dna_slot slots[] = {
    { &dna_machine_stream_receiving, DNA_STREAM },
    { &dna_machine_starttls_receiving, DNA_STREAM },
    { &dna_machine_features_receiving, DNA_STREAM },
    { &dna_machine_sasl_external_receiving, DNA_STREAM },
    { &dna_machine_dialback_authoritative, DNA_STREAM },
    { &dna_machine_dialback_receiving, DNA_PAIR1 },
    { &dna_machine_dialback_receiving, DNA_PAIR2 },
    { &dna_machine_dialback_initiating, DNA_PAIR1 },
    { &dna_machine_dialback_initiating, DNA_PAIR2 },
    { &dna_machine_association, DNA_PAIR1 },
    { &dna_machine_association, DNA_PAIR2 },
};

#define RAISE DNA_WIRE_RAISE
#define PAIRS DNA_WIRE_PAIRS
#define FROM DNA_WIRE_FROM
#define ACT DNA_WIRE_ACT
#define SHOW DNA_WIRE_SHOW

static const struct dna_wire wires[] = {
    /* Which hosted name an error's header bears is nobody's business (RFC 6120 4.9.1.3). */
    SHOW( stream_receiving, send_header_unhosted, "send_header" ),
    RAISE( stream_receiving, send_features, features_receiving, CONSIDER_STARTTLS ),
    RAISE( stream_receiving, send_features, features_receiving, CONSIDER_EXTERNAL ),
    RAISE( stream_receiving, send_features, features_receiving, CONSIDER_DIALBACK ),
    RAISE( stream_receiving, send_features, features_receiving, CONSIDER_BIDI ),
    PAIRS( stream_receiving, report_flowing, association, STREAM_FLOWS ),
    ACT( stream_receiving, report_flowing, WATCH ),
    ACT( stream_receiving, hold_input, HOLD ),
    ACT( stream_receiving, release_input, RELEASE ),
    ACT( stream_receiving, arm_negotiation, ARM ),
    ACT( stream_receiving, send_close, MUTE ),
    ACT( stream_receiving, send_close, ROLE ), /* what we have for d1 now goes elsewhere */
    ACT( stream_receiving, drain_input, DRAIN ),
    ACT( stream_receiving, discard_input, DISCARD ),
    ACT( stream_receiving, drop_stream, GONE ),
    ACT( stream_receiving, drop_stream, ROLE ), /* the pair is lost */

    ACT( starttls_receiving, start_tls, TLS ),
    ACT( starttls_receiving, start_tls, ARM ),
    ACT( starttls_receiving, discard_clear, QUIET ),
    PAIRS( starttls_receiving, forget_pairs, dialback_receiving, STREAM_SECURED ),
    PAIRS( starttls_receiving, forget_pairs, dialback_initiating, STREAM_SECURED ),
    PAIRS( starttls_receiving, forget_pairs, association, STREAM_SECURED ),
    ACT( starttls_receiving, forget_pairs, ROLE ), /* the pair is lost */
    ACT( starttls_receiving, restart_after_tls, FORGET_TLS ),
    RAISE( starttls_receiving, restart_after_tls, stream_receiving, RESTARTED ),
    RAISE( starttls_receiving, end_stream, stream_receiving, END ),
    ACT( starttls_receiving, drop_stream, GONE ),

    RAISE( sasl_external_receiving, weigh, sasl_external_receiving, WEIGH ),
    ACT( sasl_external_receiving, redo, REPEAT ),
    FROM( sasl_external_receiving, accept_pair, association, EXTERNAL_ACCEPTED ),
    ACT( sasl_external_receiving, restart_stream, FORGET_RESTART ),
    PAIRS( sasl_external_receiving, restart_stream, dialback_receiving, STREAM_RESTARTED ),
    RAISE( sasl_external_receiving, restart_stream, stream_receiving, RESTARTED ),
    RAISE( sasl_external_receiving, end_stream, stream_receiving, END ),

    ACT( dialback_receiving, await_proof, ROLE ), /* the key is kept */
    ACT( dialback_receiving, await_proof, AWAIT ),
    SHOW( dialback_receiving, dial_authority, NULL ), /* what shows is the db:verify, if sent */
    ACT( dialback_receiving, dial_authority, ASK ),
    ACT( dialback_receiving, drop_question, UNASK ),
    RAISE( dialback_receiving, accept_pair, association, DIALBACK_ACCEPTED ),
    RAISE( dialback_receiving, end_stream, stream_receiving, END ),
    ACT( dialback_receiving, report_unsolicited, QUIET ),

    SHOW( dialback_authoritative, send_policy_violation, "verify_policy_violation" ),
    SHOW( dialback_authoritative, send_bad_request, "verify_bad_request" ),
    SHOW( dialback_authoritative, send_item_not_found, "verify_item_not_found" ),

    SHOW( association, release_queue, NULL ), /* what shows are the stanzas */
    ACT( association, release_queue, ROLE ),
    ACT( association, hold, QUIET ),
    SHOW( association, transmit, NULL ), /* what shows is the stanza, if one waits */
    ACT( association, transmit, ROLE ),
    RAISE( association, end_stream, stream_receiving, END ),

    /* The latter has no slot here: it is put to the table anew each time. */
    ACT( piggyback_assertion, assert_on_stream, ROLE ),
    SHOW( piggyback_assertion, resolve_target, NULL ),
    ACT( piggyback_assertion, resolve_target, ROLE ),

    /* Nothing was asked of this peer, so nothing follows from its answers. */
    ACT( dialback_initiating, grant_pair, QUIET ),
    RAISE( dialback_initiating, end_stream, stream_receiving, END ),
    ACT( dialback_initiating, report_unsolicited, QUIET ),
};

#undef RAISE
#undef PAIRS
#undef FROM
#undef ACT
#undef SHOW

/* Symbols: a header, an element, a handshake ... with the facts that it alone decides. */
#define SYMBOL(name_, kind_, m, event, whom_, about_, text_, ...)                                  \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_, .machine = &dna_machine_##m,         \
      .on = m##_E_##event, .whom = DNA_##whom_, .about = DNA_##about_,                             \
      .facts = &(const struct m##_facts){ __VA_ARGS__ } }
#define HEADER(name_, about_, text_, ...) \
    SYMBOL( name_, HEADER, stream_receiving, RX_HEADER, STREAM, about_, text_, __VA_ARGS__ )
#define PLAIN(name_, kind_, event_, text_) \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_, \
      .machine = &dna_machine_stream_receiving, .on = stream_receiving_E_##event_ }
#define AUTH(name_, event_, about_, text_, ...) \
    SYMBOL( name_, ELEMENT, sasl_external_receiving, event_, STREAM, about_, text_, __VA_ARGS__ )
#define KEY(name_, whom_, text_, ...) \
    SYMBOL( name_, ELEMENT, dialback_receiving, RX_KEY, whom_, NOBODY, text_, __VA_ARGS__ )
#define ANSWER(name_, kind_, event_, whom_, text_) \
    SYMBOL( name_, kind_, dialback_receiving, event_, whom_, NOBODY, text_, .asked_here = 1 )
#define FORGED(name_, event_, whom_, text_) \
    SYMBOL( name_, ELEMENT, dialback_receiving, event_, whom_, NOBODY, text_, .asked_here = 0 )
#define STANZA(name_, whom_, text_, ...) \
    SYMBOL( name_, STANZA, association, RX_STANZA, whom_, NOBODY, text_, __VA_ARGS__ )

static const struct dna_symbol symbols[] = {
    HEADER( "header d1", D1, "a stream header from d1 to b", .stream_namespace_ok = 1,
        .content_namespace_ok = 1, .hosted = 1, .version_one = 1 ),
    HEADER( "header d2", D2, "a stream header from d2 to b", .stream_namespace_ok = 1,
        .content_namespace_ok = 1, .hosted = 1, .version_one = 1 ),
    HEADER( "header -", NOBODY, "a stream header to b without from", .stream_namespace_ok = 1,
        .content_namespace_ok = 1, .hosted = 1, .version_one = 1 ),
    HEADER( "header bare", D1, "a stream header from d1 to a domain that has no certificate",
        .stream_namespace_ok = 1, .content_namespace_ok = 1, .hosted = 1, .version_one = 1 ),
    HEADER( "header unhosted", D1, "a stream header to a domain that is not served",
        .stream_namespace_ok = 1, .content_namespace_ok = 1, .version_one = 1 ),
    HEADER( "header old", D1, "a stream header without version", .stream_namespace_ok = 1,
        .content_namespace_ok = 1, .hosted = 1 ),
    HEADER( "header badroot", D1, "another root element", .content_namespace_ok = 1, .hosted = 1,
        .version_one = 1 ),
    HEADER( "header badns", D1, "a stream header for another content namespace",
        .stream_namespace_ok = 1, .hosted = 1, .version_one = 1 ),

    PLAIN( "bidi", ELEMENT, RX_BIDI, "bidi" ),
    PLAIN( "unknown", ELEMENT, RX_UNKNOWN, "an element nobody knows" ),
    PLAIN( "malformed", BYTES, RX_NOT_WELL_FORMED, "bytes that are not well-formed" ),
    PLAIN( "comment", BYTES, RX_RESTRICTED, "a comment" ),
    PLAIN( "oversize", BYTES, RX_OVERSIZE, "an element larger than is taken" ),
    PLAIN( "error", STANZA, RX_STREAM_ERROR, "a stream error" ),
    PLAIN( "close", END, RX_CLOSE, "the closing tag" ),

    SYMBOL( "starttls", ELEMENT, starttls_receiving, RX_STARTTLS, STREAM, NOBODY,
        "the starttls command", .can_secure = 1 ),
    SYMBOL( "starttls+", ELEMENT, starttls_receiving, RX_STARTTLS, STREAM, NOBODY,
        "the starttls command with bytes in clear behind it", .can_secure = 1,
        .clear_trailing = 1 ),
    SYMBOL( "starttls unready", ELEMENT, starttls_receiving, RX_STARTTLS, STREAM, NOBODY,
        "the starttls command where there is no certificate to show", .can_secure = 0 ),
    SYMBOL( "tls d1", TLS, starttls_receiving, TLS_UP, STREAM, D1,
        "a handshake with a certificate that proves d1", .can_secure = 1 ),
    SYMBOL( "tls d1+d2", TLS, starttls_receiving, TLS_UP, STREAM, D1_AND_D2,
        "a handshake with a certificate that proves d1 and d2", .can_secure = 1 ),
    SYMBOL( "tls d2", TLS, starttls_receiving, TLS_UP, STREAM, D2,
        "a handshake with a certificate that proves d2", .can_secure = 1 ),
    SYMBOL( "tls -", TLS, starttls_receiving, TLS_UP, STREAM, NOBODY,
        "a handshake that proves nobody: no certificate is shown", .can_secure = 1 ),
    { .name = "tls refuted", .text = "a handshake with a certificate that d1's owner disowns",
      .kind = DNA_SEND_TLS, .machine = &dna_machine_starttls_receiving,
      .on = starttls_receiving_E_TLS_UP, .mark = 1,
      .facts = &(const struct starttls_receiving_facts){ .can_secure = 1 } },
    SYMBOL( "tls broken", TLS, starttls_receiving, TLS_FAILED, STREAM, NOBODY,
        "a handshake that fails", .can_secure = 1 ),

    AUTH( "auth", RX_AUTH, NOBODY, "auth EXTERNAL with an empty response", .external = 1,
        .encoding_ok = 1, .response_given = 1 ),
    AUTH( "auth d1", RX_AUTH, D1, "auth EXTERNAL as d1", .external = 1, .encoding_ok = 1,
        .response_given = 1 ),
    AUTH( "auth d2", RX_AUTH, D2, "auth EXTERNAL as d2", .external = 1, .encoding_ok = 1,
        .response_given = 1 ),
    AUTH( "auth later", RX_AUTH, NOBODY, "auth EXTERNAL without a response", .external = 1,
        .encoding_ok = 1 ),
    AUTH( "auth garbled", RX_AUTH, NOBODY, "auth EXTERNAL with a response that is not base64",
        .external = 1, .response_given = 1 ),
    AUTH( "auth other", RX_AUTH, NOBODY, "auth by a mechanism that is not offered",
        .encoding_ok = 1, .response_given = 1 ),
    AUTH( "response", RX_RESPONSE, NOBODY, "an empty response", .encoding_ok = 1,
        .response_given = 1 ),
    AUTH( "response d2", RX_RESPONSE, D2, "a response with d2", .encoding_ok = 1,
        .response_given = 1 ),
    AUTH( "response garbled", RX_RESPONSE, NOBODY, "a response that is not base64",
        .response_given = 1 ),
    AUTH( "abort", RX_ABORT, NOBODY, "abort", .encoding_ok = 1 ),

    KEY( "key d1", PAIR1, "db:result with a key, from d1 to b", .addressed = 1, .hosted = 1,
        .key_given = 1 ),
    KEY( "key d2", PAIR2, "db:result with a key, from d2 to b", .addressed = 1, .hosted = 1,
        .key_given = 1 ),
    KEY( "key d1 empty", PAIR1, "db:result without a key, from d1 to b", .addressed = 1,
        .hosted = 1 ),
    KEY( "key d2 empty", PAIR2, "db:result without a key, from d2 to b", .addressed = 1,
        .hosted = 1 ),
    KEY( "key d1 unhosted", STRANGER,
        "db:result with a key, from d1 to a domain that is not served", .addressed = 1,
        .key_given = 1 ),
    KEY( "key nobody", STRANGER, "db:result with a key, without from", .hosted = 1,
        .key_given = 1 ),
    KEY( "key crowd", STRANGER, "db:result from a domain more than the stream takes",
        .addressed = 1, .hosted = 1, .full = 1, .key_given = 1 ),
    ANSWER( "d1 says valid", ANSWER, RX_VERIFY_VALID, PAIR1, "the authority of d1 answers valid" ),
    ANSWER( "d1 says invalid", ANSWER, RX_VERIFY_INVALID, PAIR1,
        "the authority of d1 answers invalid" ),
    ANSWER( "d1 says error", ANSWER, RX_VERIFY_ERROR, PAIR1,
        "the authority of d1 answers with an error" ),
    ANSWER( "d1 says what", NO_ANSWER, RX_OTHER_TYPE, PAIR1,
        "the authority of d1 answers with a type that nobody knows" ),
    ANSWER( "d1 goes", ANSWER, AUTHORITY_UNREACHABLE, PAIR1,
        "the authority of d1 closes without an answer" ),
    ANSWER( "d1 knows not", ANSWER, AUTHORITY_NOT_FOUND, PAIR1,
        "the server of d1 says that it does not know d1" ),
    ANSWER( "d2 says valid", ANSWER, RX_VERIFY_VALID, PAIR2, "the authority of d2 answers valid" ),
    ANSWER( "d2 says invalid", ANSWER, RX_VERIFY_INVALID, PAIR2,
        "the authority of d2 answers invalid" ),
    ANSWER( "d2 says error", ANSWER, RX_VERIFY_ERROR, PAIR2,
        "the authority of d2 answers with an error" ),
    ANSWER( "d2 goes", ANSWER, AUTHORITY_UNREACHABLE, PAIR2,
        "the authority of d2 closes without an answer" ),
    FORGED( "forged d1 valid", RX_VERIFY_VALID, PAIR1,
        "the peer itself sends the authority's valid for d1" ),
    FORGED( "forged d1 invalid", RX_VERIFY_INVALID, PAIR1,
        "the peer itself sends the authority's invalid for d1" ),
    FORGED( "forged d1 error", RX_VERIFY_ERROR, PAIR1,
        "the peer itself sends the authority's error for d1" ),
    FORGED( "forged d2 valid", RX_VERIFY_VALID, PAIR2,
        "the peer itself sends the authority's valid for d2" ),
    SYMBOL( "granted d1", ELEMENT, dialback_initiating, RX_VALID, PAIR1, NOBODY,
        "db:result valid for d1, which nobody asked for", .asked_here = 0 ),
    SYMBOL( "refused d1", ELEMENT, dialback_initiating, RX_INVALID, PAIR1, NOBODY,
        "db:result invalid for d1, which nobody asked for", .asked_here = 0 ),

    SYMBOL( "verify", ELEMENT, dialback_authoritative, RX_VERIFY, STREAM, NOBODY,
        "db:verify with a wrong key", .addressed = 1, .id_given = 1, .hosted = 1 ),
    SYMBOL( "verify early", EARLY, dialback_authoritative, RX_VERIFY, STREAM, NOBODY,
        "db:verify with a wrong key, whether it is read at once or not", .addressed = 1,
        .id_given = 1, .hosted = 1 ),
    SYMBOL( "verify right", ELEMENT, dialback_authoritative, RX_VERIFY, STREAM, NOBODY,
        "db:verify with the key that b made", .addressed = 1, .id_given = 1, .hosted = 1,
        .key_right = 1 ),
    SYMBOL( "verify unhosted", ELEMENT, dialback_authoritative, RX_VERIFY, STREAM, NOBODY,
        "db:verify to a domain that is not served", .addressed = 1, .id_given = 1 ),
    SYMBOL( "verify no id", ELEMENT, dialback_authoritative, RX_VERIFY, STREAM, NOBODY,
        "db:verify without id", .addressed = 1, .hosted = 1 ),
    SYMBOL( "verify nobody", ELEMENT, dialback_authoritative, RX_VERIFY, STREAM, NOBODY,
        "db:verify without from", .id_given = 1, .hosted = 1 ),

    STANZA( "stanza d1", PAIR1, "a message from d1 to b", .addressed = 1, .hosted = 1 ),
    STANZA( "stanza d2", PAIR2, "a message from d2 to b", .addressed = 1, .hosted = 1 ),
    STANZA( "stanza other", STRANGER, "a message from a domain that was never spoken of, to b",
        .addressed = 1, .hosted = 1 ),
    SYMBOL( "stanza elsewhere", STANZA, association, RX_STANZA, STRANGER, D1,
        "a message from d1 to another domain served there", .addressed = 1, .hosted = 1 ),
    SYMBOL( "stanza unhosted", STANZA, association, RX_STANZA, STRANGER, D1,
        "a message from d1 to a domain that is not served", .addressed = 1 ),
    STANZA( "stanza nobody", STRANGER, "a message without from", .hosted = 1 ),
    SYMBOL( "local d1", LOCAL, association, TX_STANZA, PAIR1, NOBODY,
        "a local account writes to d1, which takes no connection", .addressed = 1, .hosted = 1 ),

    SYMBOL( "proof of d1", SETTLE, dialback_receiving, PROOF_SETTLED, PAIR1, NOBODY,
        "what proves d1 arrives", .addressed = 1, .hosted = 1, .key_given = 1 ),
    SYMBOL( "proof of d2", SETTLE, dialback_receiving, PROOF_SETTLED, PAIR2, NOBODY,
        "what proves d2 arrives", .addressed = 1, .hosted = 1, .key_given = 1 ),
    { .name = "proofs run out", .text = "the time of what was fetched is over",
      .kind = DNA_SEND_LAPSE, .machine = &dna_machine_stream_receiving },

    PLAIN( "wait negotiation", TIMER, TIMER_NEGOTIATION,
        "waiting until the time for becoming someone is over" ),
    PLAIN( "wait idle", TIMER, TIMER_IDLE, "waiting until the stream is given up as idle" ),
    PLAIN( "wait close", TIMER, TIMER_CLOSE, "waiting until the closing tag is no longer awaited" ),
    PLAIN( "wait expiry", TIMER, TIMER_EXPIRY, "waiting until the certificate expires" ),
    SYMBOL( "wait d1", ANSWER, dialback_receiving, TIMER_VERIFY, PAIR1, NOBODY,
        "waiting until the authority's answer is no longer awaited", .addressed = 1 ),
    PLAIN( "shutdown", TIMER, SHUTDOWN, "the server is told to stop" ),
};

static bool names(uint32_t domains, enum dna_domain domain)
{
    return (domains & domain) != 0;
}

static enum dna_domain domain_of(enum dna_whom whom)
{
    return whom == DNA_PAIR1 ? DNA_D1 : whom == DNA_PAIR2 ? DNA_D2 : DNA_NOBODY;
}

/* Where something has to be fetched, nothing is known of a domain before that is there, nor when
 * its time is over. */
static bool known_of(const struct dna_compose *c, uint32_t domain)
{
    return !c->scope->slow || names(c->scene->g.fetched, domain);
}

/* The certificate proves what it names, unless there is no TLS. */
static bool proves(const struct dna_compose *c, uint32_t domain)
{
    return c->scene->s.secured && domain != DNA_NOBODY && known_of(c, domain) &&
           names(c->scene->g.certificate, domain) && !c->scene->g.expired;
}

static bool refutes(const struct dna_compose *c, uint32_t domain)
{
    return domain == DNA_D1 && c->scene->g.refuted && c->scene->s.secured && known_of(c, domain);
}

/* Who proves nobody shows no certificate, unless it is one that is disowned. */
static bool claims(const struct dna_compose *c)
{
    return c->scene->s.secured && c->scene->g.from != DNA_NOBODY &&
           (c->scene->g.certificate != DNA_NOBODY || c->scene->g.refuted);
}

static bool takes(const struct dna_compose *c, enum dna_whom whom)
{
    uint32_t state = *dna_compose_slot(c, &dna_machine_association, whom);
    return state == association_S_TAKES || state == association_S_BOTH;
}

/* What was fetched is kept for its time (RFC 7711 6): it is not fetched again before that is
 * over. */
static bool to_be_fetched(const struct dna_compose *c, uint32_t domain)
{
    return c->scene->s.secured && domain != DNA_NOBODY && !known_of(c, domain);
}

static void stream_facts(const struct dna_compose *c, uint32_t on, struct stream_receiving_facts *e)
{
    if (on == stream_receiving_E_RX_HEADER) {
        e->from_pending = to_be_fetched(c, c->scene->g.from);
    }
}

/* What proves a domain is sought when it is first named under TLS, and forgotten with a refusal
 * (impl/s2s_claim.c): then a key awaits its proof, if only for the moment. */
static bool unsought(const struct dna_compose *c, enum dna_whom whom)
{
    if (!c->scene->s.secured || !c->exact || to_be_fetched(c, domain_of(whom))) {
        return to_be_fetched(c, domain_of(whom));
    }
    return c->scene->g.from != domain_of(whom) && !takes(c, whom) &&
           *dna_compose_slot(c, &dna_machine_dialback_receiving, whom) ==
               dialback_receiving_S_UNPROVEN;
}

static void key_facts(const struct dna_compose *c, enum dna_whom whom,
                      struct dialback_receiving_facts *e, uint32_t on)
{
    enum dna_domain d = domain_of(whom);
    if (on == dialback_receiving_E_PROOF_SETTLED) {
        e->key_given = !c->scene->g.keyless;
    }
    if (!e->addressed || !e->hosted || e->full) {
        return;
    }
    e->sender_pending = unsought(c, whom) && on == dialback_receiving_E_RX_KEY;
    e->sender_proved = !e->sender_pending && proves(c, d);
    e->sender_refuted = !e->sender_pending && refutes(c, d);
}

static void facts(const struct dna_compose *c, const struct dna_machine *m, enum dna_whom whom,
                  uint32_t on, void *e)
{
    if (m == &dna_machine_stream_receiving) {
        stream_facts(c, on, e);
    } else if (m == &dna_machine_features_receiving) {
        struct features_receiving_facts *f = e;
        f->from_proved = proves(c, c->scene->g.from);
        f->from_refuted = refutes(c, c->scene->g.from);
        f->claim_made = claims(c);
    } else if (m == &dna_machine_sasl_external_receiving) {
        struct sasl_external_receiving_facts *x = e;
        uint32_t as = c->symbol ? c->symbol->about : DNA_NOBODY;
        x->from_proved = proves(c, c->scene->g.from);
        x->from_refuted = refutes(c, c->scene->g.from);
        x->claim_made = claims(c);
        x->authzid_other = as != DNA_NOBODY && as != c->scene->g.from;
    } else if (m == &dna_machine_dialback_receiving) {
        key_facts(c, whom, e, on);
    } else if (m == &dna_machine_piggyback_assertion) {
        struct piggyback_assertion_facts *p = e;
        p->target_taken = takes(c, DNA_PAIR1);
        p->peer_proved = proves(c, DNA_D1);
        p->contradicted = refutes(c, DNA_D1);
    } else if (m == &dna_machine_association) {
        struct association_facts *a = e;
        a->peer_proved = proves(c, domain_of(whom));
        a->sender_taken = whom == DNA_STRANGER ? c->symbol->about == DNA_D1 && takes(c, DNA_PAIR1)
                                               : takes(c, whom);
    }
}

/* A pair nobody spoke of yet is no pair; an answer that no question waits for reaches nobody. */
static enum dna_whom address(struct dna_compose *c, const struct dna_symbol *symbol)
{
    enum dna_whom whom = symbol->whom;
    if (symbol->kind == DNA_SEND_HEADER && to_be_fetched(c, c->scene->g.from)) {
        c->scene->g.awaited[DNA_STREAM] = 1; /* whether input is held meanwhile or not */
    }
    if (whom != DNA_PAIR1 && whom != DNA_PAIR2) {
        c->scene->g.refuted |= symbol->kind == DNA_SEND_TLS && symbol->mark;
        return whom;
    }
    bool forged = symbol->machine == &dna_machine_dialback_receiving &&
                  symbol->kind == DNA_SEND_ELEMENT && symbol->on != dialback_receiving_E_RX_KEY;
    if (forged && !c->scene->g.question[whom - DNA_PAIR1]) {
        return DNA_STRANGER;
    }
    const uint32_t *dr = dna_compose_slot(c, &dna_machine_dialback_receiving, whom);
    const uint32_t *as = dna_compose_slot(c, &dna_machine_association, whom);
    bool known = dr[0] != dialback_receiving_S_UNPROVEN || as[0] != association_S_NONE;
    bool asks = symbol->machine == &dna_machine_dialback_receiving;
    return known || asks ? whom : DNA_STRANGER;
}

/* dna_s2s_route_lost */
static void lose(struct dna_compose *c)
{
    struct dna_stage *g = &c->scene->g;
    if (g->via && g->queue) {
        dna_compose_show(c, "bounce_timeout", DNA_STREAM, true);
        g->queue = 0;
    }
    g->via = 0;
}

static void association_act(struct dna_compose *c, uint8_t out, enum dna_whom whom)
{
    struct dna_stage *g = &c->scene->g;
    if (whom != DNA_PAIR1) { /* nothing of ours is for anybody else */
        return;
    }
    if (out == association_O_transmit && g->queue) {
        dna_compose_show(c, "transmit", whom, false);
        g->queue = 0;
    } else if (out == association_O_release_queue && (!g->via || g->queue)) {
        g->via = 1;
        dna_role_pump(c);
    }
}

/* Where this stream will not do, the stanza returns, for d1 takes no other connection. */
static void assertion_act(struct dna_compose *c, uint8_t out)
{
    struct dna_stage *g = &c->scene->g;
    if (out == piggyback_assertion_O_assert_on_stream) {
        g->via = 1;
        dna_role_pump(c);
    } else {
        g->queue = 0;
        dna_compose_show(c, "bounced", DNA_STREAM, true);
    }
}

/* The key is kept until its sender's proof is in. */
static void act(struct dna_compose *c, const struct dna_wire *wire, enum dna_whom whom)
{
    struct dna_stage *g = &c->scene->g;
    if (wire->machine == &dna_machine_association) {
        association_act(c, wire->out, whom);
    } else if (wire->machine == &dna_machine_piggyback_assertion) {
        assertion_act(c, wire->out);
    } else if (wire->out == stream_receiving_O_send_close && wire->machine == c->role->stream) {
        g->via = g->via && g->queue;
    } else if (wire->machine == c->role->stream ||
               wire->machine == &dna_machine_starttls_receiving) {
        lose(c);
    } else if (c->symbol->machine == &dna_machine_dialback_receiving && c->symbol->facts) {
        const struct dialback_receiving_facts *e = c->symbol->facts;
        g->keyless = !e->key_given;
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
    } else {
        dna_compose_raise(c, &dna_machine_piggyback_assertion, DNA_STREAM,
                          piggyback_assertion_E_WANT_PAIR);
    }
}

const struct dna_role dna_role_receiving = {
    .name = "receiving",
    .text = "an S2S server that a peer opens a stream to",
    DNA_ROLE_TABLES( scopes, dna_role_timer_runs ),
    .keeps = true,
    .stream = &dna_machine_stream_receiving,
    .address = address,
    .local = local,
};

/* --- the same server, asked about keys --- */

const struct dna_role dna_role_authoritative = {
    .name = "authoritative",
    .text = "an S2S server that is asked about dialback keys",
    DNA_ROLE_TABLES( asked_scopes, dna_role_timer_runs ),
    .stream = &dna_machine_stream_receiving,
    .address = address,
};
