/* SPDX-License-Identifier: MIT */
/*
 * role_c2s_client.c -- a C2S client that opens a stream to its server, as one machine (compose.h).
 *
 * The tester is the server.  The user has one message to send and leaves when a certain one
 * arrives; what the client told him is seen when it ends: the association and an exit status.  The
 * wires mirror impl/client.c, client_out.c, client_starttls.c and client_stanza.c.  The SASL
 * mechanism is a library: whether a challenge is a right one, and what success proves, is part of
 * the symbol.
 */
#include "model/compose.h"

#include "model/machines.h"
#include "model/roles.h"

/* What the user is like: a scope's mark. */
enum { WRITES, CONSENTED, PRESENT, ONLY_ASSOCIATION, WRITES_LATER, WRITES_AND_PRESENT };

/* A symbol's mark. */
enum { PINNED = 1, SELF_SIGNED, REFUTED, RIGHT, UNPROVED, PING, LAST_WORD };

static const struct dna_slot slots[] = {
    { &dna_machine_c2s_client, DNA_STREAM },
    { &dna_machine_starttls_initiating, DNA_STREAM },
};

#define RAISE DNA_WIRE_RAISE
#define ACT DNA_WIRE_ACT
#define SHOW DNA_WIRE_SHOW

static const struct dna_wire wires[] = {
    ACT( c2s_client, send_header, FORGET_RESTART ),
    RAISE( c2s_client, begin_starttls, starttls_initiating, BEGIN ),
    ACT( c2s_client, report_strong, ROLE ),
    ACT( c2s_client, report_pinned, ROLE ),
    ACT( c2s_client, report_consented, ROLE ),
    ACT( c2s_client, report_consented, RELEASE ),
    ACT( c2s_client, report_refused, ROLE ),
    ACT( c2s_client, report_refuted, ROLE ),
    ACT( c2s_client, report_failed, ROLE ),
    ACT( c2s_client, report_expired, ROLE ),
    ACT( c2s_client, report_login_failed, ROLE ),
    ACT( c2s_client, report_lost, ROLE ),
    SHOW( c2s_client, ask_user, "ask_user" ),
    ACT( c2s_client, ask_user, HOLD ),
    ACT( c2s_client, ask_user, AWAIT ),
    ACT( c2s_client, begin_sasl, ROLE ), /* which mechanism it is */
    SHOW( c2s_client, continue_sasl, NULL ), /* what shows is the response, if there is one */
    ACT( c2s_client, continue_sasl, ROLE ),
    ACT( c2s_client, send_bind, ROLE ), /* from now on it can be answered */
    ACT( c2s_client, report_bound, ROLE ),
    ACT( c2s_client, hold, ROLE ),
    ACT( c2s_client, show_stanza, ROLE ),
    ACT( c2s_client, send_close, MUTE ),
    ACT( c2s_client, send_close, RELEASE ), /* a closing stream is read on */
    ACT( c2s_client, drop_stream, GONE ),

    ACT( starttls_initiating, start_tls, TLS ),
    ACT( starttls_initiating, discard_clear, QUIET ),
    ACT( starttls_initiating, restart_after_tls, FORGET_TLS ),
    RAISE( starttls_initiating, restart_after_tls, c2s_client, SECURED ),
    RAISE( starttls_initiating, report_failed, c2s_client, TLS_FAILED ),
};

#undef RAISE
#undef ACT
#undef SHOW

#define PLAIN(name_, kind_, event_, text_)                                                         \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_, .machine = &dna_machine_c2s_client,  \
      .on = c2s_client_E_##event_ }
#define FACTS(name_, kind_, event_, text_, ...)                                                    \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_, .machine = &dna_machine_c2s_client,  \
      .on = c2s_client_E_##event_, .facts = &(const struct c2s_client_facts){ __VA_ARGS__ } }
#define HEADER(name_, text_, ...) FACTS( name_, HEADER, RX_HEADER, text_, __VA_ARGS__ )
#define FEATURES(name_, text_, ...) FACTS( name_, ELEMENT, RX_FEATURES, text_, __VA_ARGS__ )
#define MARKED(name_, kind_, event_, mark_, text_)                                                 \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_, .machine = &dna_machine_c2s_client,  \
      .on = c2s_client_E_##event_, .mark = mark_ }
#define BOUND(name_, event_, text_)                                                                \
    { .name = name_, .text = text_, .kind = DNA_SEND_NO_ANSWER,                                    \
      .machine = &dna_machine_c2s_client, .on = c2s_client_E_##event_, .whom = DNA_PAIR1 }
#define TLS(name_, kind_, event_, about_, mark_, text_)                                            \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_,                                      \
      .machine = &dna_machine_starttls_initiating, .on = starttls_initiating_E_##event_,           \
      .about = DNA_##about_, .mark = mark_ }

static const struct dna_symbol symbols[] = {
    HEADER( "header", "the response header", .header_ok = 1, .from_agrees = 1 ),
    HEADER( "header other", "a response header from another domain", .header_ok = 1 ),
    HEADER( "header old", "a response header without version", .from_agrees = 1 ),
    HEADER( "header badroot", "another root element", .from_agrees = 1 ),
    HEADER( "header badns", "a response header for another content namespace", .from_agrees = 1 ),

    FEATURES( "features tls", "features with STARTTLS", .starttls = 1 ),
    FEATURES( "features all", "features with everything", .starttls = 1, .mechanism = 1,
              .bind = 1 ),
    FEATURES( "features -", "no features", .starttls = 0 ),
    FEATURES( "features plain", "features with PLAIN", .mechanism = 1 ),
    FEATURES( "features scram", "features with SCRAM", .mechanism = 2 ),
    FEATURES( "features bind", "features with binding", .bind = 1 ),

    TLS( "proceed", ELEMENT, RX_PROCEED, NOBODY, 0, "proceed" ),
    { .name = "proceed+", .text = "proceed with bytes in clear behind it", .kind = DNA_SEND_ELEMENT,
      .machine = &dna_machine_starttls_initiating, .on = starttls_initiating_E_RX_PROCEED,
      .facts = &(const struct starttls_initiating_facts){ .clear_trailing = 1 } },
    TLS( "tls failure", ELEMENT, RX_TLS_FAILURE, NOBODY, 0, "the failure of STARTTLS" ),
    TLS( "tls proved", TLS, TLS_UP, D1, 0,
         "a handshake with a certificate that proves the domain" ),
    TLS( "tls -", TLS, TLS_UP, NOBODY, 0, "a handshake with a certificate that proves nobody" ),
    TLS( "tls self-signed", TLS, TLS_UP, NOBODY, SELF_SIGNED,
         "a handshake with a certificate that is its own issuer" ),
    TLS( "tls pinned", TLS, TLS_UP, NOBODY, PINNED,
         "a handshake with a certificate that proves nobody, but is pinned" ),
    TLS( "tls refuted", TLS, TLS_UP, NOBODY, REFUTED,
         "a handshake with a certificate that the domain's owner disowns, pinned or not" ),
    TLS( "tls broken", TLS, TLS_FAILED, NOBODY, 0, "a handshake that fails" ),
    PLAIN( "user yes", SETTLE, USER_CONSENTS, "the user says yes" ),
    PLAIN( "user no", SETTLE, USER_REFUSES, "the user says no" ),

    PLAIN( "challenge", ELEMENT, RX_CHALLENGE, "an empty challenge" ),
    MARKED( "challenge right", ELEMENT, RX_CHALLENGE, RIGHT, "SCRAM's challenge" ),
    PLAIN( "success", ELEMENT, RX_SUCCESS, "success without data" ),
    MARKED( "success data", ELEMENT, RX_SUCCESS, UNPROVED, "success with data that prove nothing" ),
    MARKED( "success right", ELEMENT, RX_SUCCESS, RIGHT, "success with SCRAM's proof" ),
    PLAIN( "failure", ELEMENT, RX_FAILURE, "a SASL failure" ),

    BOUND( "bound", RX_BOUND, "the result of the bind request" ),
    BOUND( "bind error", RX_BIND_ERROR, "an error for the bind request" ),
    PLAIN( "message", ELEMENT, RX_STANZA, "a message" ),
    MARKED( "message awaited", ELEMENT, RX_STANZA, LAST_WORD, "the message that the user awaits" ),
    MARKED( "ping", ELEMENT, RX_STANZA, PING, "an iq that wants an answer" ),
    PLAIN( "unknown", ELEMENT, RX_UNKNOWN, "an element nobody knows" ),
    PLAIN( "malformed", BYTES, RX_NOT_WELL_FORMED, "bytes that are not well-formed" ),
    PLAIN( "comment", BYTES, RX_RESTRICTED, "a comment" ),
    PLAIN( "oversize", BYTES, RX_OVERSIZE, "an element larger than is taken" ),
    PLAIN( "error", ELEMENT, RX_STREAM_ERROR, "a stream error" ),
    PLAIN( "close", END, RX_CLOSE, "the closing tag" ),
    PLAIN( "gone", GONE, TCP_GONE, "the end of TCP" ),

    PLAIN( "local", LOCAL, SEND_STANZA, "the user writes one more message" ),
    PLAIN( "wait negotiation", TIMER, TIMER_NEGOTIATION,
           "waiting until the time for becoming ready is over" ),
    PLAIN( "wait close", TIMER, TIMER_CLOSE,
           "waiting until the closing tag is no longer awaited" ),
    PLAIN( "wait expiry", TIMER, TIMER_EXPIRY, "waiting until the certificate expires" ),
};

static const struct dna_scope scopes[] = {
    { .name = "clear", .text = "the response, what is said in clear, and STARTTLS", .prefix = "",
      .alphabet = "header, header old, header badroot, header badns, features tls, features all, "
                  "features -, features plain, proceed, proceed+, tls failure, tls proved, tls -, "
                  "tls broken, success, failure, challenge, message, unknown, malformed, comment, "
                  "oversize, error, close, gone" },
    { .name = "login", .text = "SASL", .prefix = "header, features tls, proceed, tls proved",
      .alphabet = "header, header old, features plain, features scram, features bind, features -, "
                  "features tls, challenge, challenge right, success, success data, success right, "
                  "failure, message, proceed, tls failure, unknown, malformed, comment, oversize, "
                  "error, close, gone" },
    { .name = "bound", .text = "binding, and what comes after the login",
      .prefix = "header, features tls, proceed, tls proved, header, features plain, success, "
                "header",
      .alphabet = "features bind, features -, features plain, bound, bind error, success, failure, "
                  "challenge, message, message awaited, ping, proceed, tls failure, unknown, "
                  "malformed, comment, oversize, error, close, gone" },
    { .name = "certificates", .text = "what the certificate proves, and pins",
      .prefix = "header, features tls, proceed",
      .alphabet = "tls proved, tls -, tls self-signed, tls pinned, tls refuted, header, "
                  "features plain, features scram, success, close" },
    { .name = "consented", .text = "a user who goes on unauthenticated", .mark = CONSENTED,
      .prefix = "header, features tls, proceed",
      .alphabet = "tls proved, tls -, tls self-signed, tls refuted, header, features plain, "
                  "features scram, features -, success right, challenge right, close" },
    { .name = "asked", .text = "a user who can be asked", .mark = PRESENT,
      .prefix = "header, features tls, proceed",
      .alphabet = "tls proved, tls -, tls self-signed, tls pinned, tls refuted, user yes, user no, "
                  "header, features plain, features scram, close" },
    { .name = "association only", .text = "a user who wants to know the association",
      .mark = ONLY_ASSOCIATION, .prefix = "header, features tls",
      .alphabet = "proceed, tls failure, tls proved, tls -, tls pinned, tls refuted, error, close, "
                  "gone" },
    { .name = "strict names", .text = "policy wants the response from the domain asked for",
      .prefix = "", .knobs = "peer_header_from_must_match=1",
      .alphabet = "header, header other, features tls, proceed, tls proved, close" },
    { .name = "no pins", .text = "policy does not let pins count", .knobs = "pin_accepts=0",
      .prefix = "header, features tls, proceed",
      .alphabet = "tls proved, tls pinned, tls self-signed, header, close" },
    { .name = "later", .text = "a user who writes when he likes", .mark = WRITES_LATER,
      .prefix = "header",
      .alphabet = "features tls, proceed, tls proved, header, features plain, success, "
                  "features bind, bound, local, close" },
    { .name = "later, asked", .text = "a user who writes while he is asked",
      .mark = WRITES_AND_PRESENT,
      .prefix = "header, features tls, proceed",
      .alphabet = "tls self-signed, user yes, user no, header, local, close" },
    { .name = "timers", .text = "deadlines", .prefix = "", .timers = true,
      .alphabet = "header, features tls, proceed, tls proved, features plain, success, "
                  "features bind, bound, ping, wait negotiation, wait close, wait expiry, "
                  "malformed, close" },
};

/* --- what the scene knows --- */

enum { BY_PLAIN = 1, BY_SCRAM, BY_SCRAM_ANSWERED }; /* of g.login */

static void begin(struct dna_compose *c)
{
    if (c->scope->mark < ONLY_ASSOCIATION) {
        dna_compose_raise(c, &dna_machine_c2s_client, DNA_STREAM, c2s_client_E_SEND_STANZA);
    }
    dna_compose_raise(c, &dna_machine_c2s_client, DNA_STREAM, c2s_client_E_TCP_UP);
}

static void secured_facts(const struct dna_compose *c, struct c2s_client_facts *e)
{
    uint32_t mark = c->symbol->machine == &dna_machine_starttls_initiating ? c->symbol->mark : 0;
    e->peer_proved = c->scene->g.certificate == DNA_D1;
    e->peer_refuted = mark == REFUTED;
    e->pinned = mark == PINNED || mark == REFUTED;
    e->self_signed = mark == SELF_SIGNED;
    e->consented = c->scope->mark == CONSENTED;
    e->can_ask = c->scope->mark == PRESENT || c->scope->mark == WRITES_AND_PRESENT;
}

static void facts(const struct dna_compose *c, const struct dna_machine *m, enum dna_whom whom,
                  uint32_t on, void *e)
{
    (void)whom;
    if (m != &dna_machine_c2s_client) {
        return;
    }
    if (on == c2s_client_E_SECURED) {
        secured_facts(c, e);
    } else if (on == c2s_client_E_RX_SUCCESS) {
        uint32_t login = c->scene->g.login, mark = c->symbol->mark;
        ((struct c2s_client_facts *)e)->server_proved =
            login == BY_PLAIN ? mark == 0 : login == BY_SCRAM_ANSWERED && mark == RIGHT;
    }
}

static bool runs(const struct dna_compose *c, const struct dna_symbol *symbol)
{
    if (symbol->on == c2s_client_E_TIMER_EXPIRY) {
        return c->scene->s.secured && c->scene->g.certificate != DNA_NOBODY;
    }
    return dna_role_timer_runs(c, symbol);
}

/* --- what follows from outputs --- */

/* The worst of what was told is what the client ends with. */
static void fails(struct dna_compose *c, uint32_t status)
{
    struct dna_stage *g = &c->scene->g;
    g->status = status > g->status ? status : g->status;
}

static void associated(struct dna_compose *c, uint32_t how)
{
    c->scene->g.association = how;
    c->scene->g.quits |= c->scope->mark == ONLY_ASSOCIATION;
}

enum { TOLD_NONE, TOLD_STRONG, TOLD_PINNED, TOLD_UNAUTHENTICATED, TOLD_REFUTED };
enum { EXIT_DONE, EXIT_REFUSED, EXIT_NETWORK };

static bool report(struct dna_compose *c, uint8_t out)
{
    uint32_t on = c->symbol->machine == &dna_machine_c2s_client ? c->symbol->on : 0;
    bool network = on == c2s_client_E_TCP_GONE || on == c2s_client_E_TIMER_NEGOTIATION;
    switch (out) {
    case c2s_client_O_report_strong:
        associated(c, TOLD_STRONG);
        return true;
    case c2s_client_O_report_pinned:
        associated(c, TOLD_PINNED);
        return true;
    case c2s_client_O_report_consented:
        associated(c, TOLD_UNAUTHENTICATED);
        return true;
    case c2s_client_O_report_refuted:
        c->scene->g.association = TOLD_REFUTED;
        fails(c, EXIT_REFUSED);
        return true;
    case c2s_client_O_report_expired:
        fails(c, EXIT_NETWORK);
        return true;
    case c2s_client_O_report_failed:
        fails(c, network ? EXIT_NETWORK : EXIT_REFUSED);
        return true;
    case c2s_client_O_report_refused:
    case c2s_client_O_report_login_failed:
    case c2s_client_O_report_lost:
        fails(c, EXIT_REFUSED);
        return true;
    default:
        return false;
    }
}

/* A challenge is answered if it is SCRAM's; any other ends the login. */
static void challenged(struct dna_compose *c)
{
    struct dna_stage *g = &c->scene->g;
    if (g->login == BY_SCRAM && c->symbol->mark == RIGHT) {
        g->login = BY_SCRAM_ANSWERED;
        dna_compose_show(c, "send_response", DNA_STREAM, false);
    } else {
        dna_compose_raise(c, &dna_machine_c2s_client, DNA_STREAM, c2s_client_E_SASL_BROKEN);
    }
}

static void act(struct dna_compose *c, const struct dna_wire *wire, enum dna_whom whom)
{
    struct dna_stage *g = &c->scene->g;
    const struct c2s_client_facts *e = c->symbol ? c->symbol->facts : NULL;
    (void)whom;
    if (wire->out == c2s_client_O_hold) {
        g->queue = 1;
    } else if (!c->symbol || report(c, wire->out)) {
        return;
    } else if (wire->out == c2s_client_O_begin_sasl) {
        g->login = c->symbol->on == c2s_client_E_RX_FEATURES && e ? e->mechanism : 0;
    } else if (wire->out == c2s_client_O_continue_sasl) {
        challenged(c);
    } else if (wire->out == c2s_client_O_send_bind) {
        g->question[0] = 1;
    } else if (wire->out == c2s_client_O_report_bound && g->queue) {
        g->queue = 0;
        dna_compose_raise(c, &dna_machine_c2s_client, DNA_STREAM, c2s_client_E_SEND_STANZA);
    } else if (wire->out == c2s_client_O_show_stanza && c->symbol->mark == PING) {
        dna_compose_raise(c, &dna_machine_c2s_client, DNA_STREAM, c2s_client_E_SEND_STANZA);
    } else if (wire->out == c2s_client_O_show_stanza && c->symbol->mark == LAST_WORD) {
        g->quits = 1;
    }
}

/* The user leaves once all of that is done; and the client ends with its stream. */
static void after(struct dna_compose *c)
{
    static const char *const ends[][3] = {
        [TOLD_NONE] = { "exit_0_none", "exit_1_none", "exit_99_none" },
        [TOLD_STRONG] = { "exit_0_strong", "exit_1_strong", "exit_99_strong" },
        [TOLD_PINNED] = { "exit_0_pinned", "exit_1_pinned", "exit_99_pinned" },
        [TOLD_UNAUTHENTICATED] = { "exit_0_unauthenticated", "exit_1_unauthenticated",
                                   "exit_99_unauthenticated" },
        [TOLD_REFUTED] = { "exit_0_refuted", "exit_1_refuted", "exit_99_refuted" },
    };
    struct dna_stage *g = &c->scene->g;
    if (c->symbol && c->symbol->kind == DNA_SEND_SETTLE) { /* the user took his time */
        g->armed = c->scope->timers;
    }
    if (g->quits && !g->closed) {
        g->quits = 0;
        dna_compose_raise(c, &dna_machine_c2s_client, DNA_STREAM, c2s_client_E_QUIT);
    }
    if (g->closed) {
        dna_compose_show(c, ends[g->association][g->status], DNA_STREAM, true);
    }
}

const struct dna_role dna_role_c2s_client = {
    .name = "c2s-client",
    .text = "a C2S client that opens a stream to its server",
    DNA_ROLE_TABLES( scopes, runs ),
    .stream = &dna_machine_c2s_client,
    .begin = begin,
    .after = after,
};
