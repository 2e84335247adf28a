/* SPDX-License-Identifier: MIT */
/*
 * role_c2s.c -- a C2S server that a client opens a stream to, as one machine (compose.h).
 *
 * The wires mirror impl/c2s.c.  The SASL mechanism is a library: what it says of the client's data
 * is part of the symbol (right, wrong, another identity, nonsense, more to come).
 */
#include "model/compose.h"

#include "model/machines.h"
#include "model/roles.h"

static const struct dna_slot slots[] = {
    { &dna_machine_c2s_server, DNA_STREAM },
    { &dna_machine_starttls_receiving, DNA_STREAM },
};

#define RAISE DNA_WIRE_RAISE
#define ACT DNA_WIRE_ACT
#define SHOW DNA_WIRE_SHOW

static const struct dna_wire wires[] = {
    SHOW( c2s_server, send_header_unhosted, "send_header" ),
    ACT( c2s_server, begin_sasl, ROLE ), /* the mechanism's verdict is the symbol's */
    ACT( c2s_server, continue_sasl, ROLE ),
    ACT( c2s_server, restart_stream, FORGET_RESTART ),
    RAISE( c2s_server, weigh, c2s_server, WEIGH ),
    ACT( c2s_server, send_close, MUTE ),
    ACT( c2s_server, discard_input, DISCARD ),
    ACT( c2s_server, drop_stream, GONE ),

    ACT( starttls_receiving, start_tls, TLS ),
    ACT( starttls_receiving, discard_clear, QUIET ),
    ACT( starttls_receiving, forget_pairs, QUIET ), /* a C2S stream has none */
    ACT( starttls_receiving, restart_after_tls, FORGET_TLS ),
    RAISE( starttls_receiving, restart_after_tls, c2s_server, SECURED ),
    RAISE( starttls_receiving, end_stream, c2s_server, END ),
    ACT( starttls_receiving, drop_stream, GONE ),
};

#undef RAISE
#undef ACT
#undef SHOW

/* What the mechanism says, in a symbol's mark. */
enum { RIGHT = 1, WRONG, OTHER_IDENTITY, NONSENSE, MORE };

#define HEADER(name_, text_, ...)                                                                  \
    { .name = name_, .text = text_, .kind = DNA_SEND_HEADER, .machine = &dna_machine_c2s_server,   \
      .on = c2s_server_E_RX_HEADER, .facts = &(const struct c2s_server_facts){ __VA_ARGS__ } }
#define PLAIN(name_, kind_, event_, text_)                                                         \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_, .machine = &dna_machine_c2s_server,  \
      .on = c2s_server_E_##event_ }
#define AUTH(name_, event_, mark_, text_, ...)                                                     \
    { .name = name_, .text = text_, .kind = DNA_SEND_ELEMENT, .machine = &dna_machine_c2s_server,  \
      .on = c2s_server_E_##event_, .mark = mark_,                                                  \
      .facts = &(const struct c2s_server_facts){ __VA_ARGS__ } }
#define TLS(name_, kind_, event_, text_, ...)                                                      \
    { .name = name_, .text = text_, .kind = DNA_SEND_##kind_,                                      \
      .machine = &dna_machine_starttls_receiving, .on = starttls_receiving_E_##event_,             \
      .facts = &(const struct starttls_receiving_facts){ __VA_ARGS__ } }

static const struct dna_symbol symbols[] = {
    HEADER( "header", "a stream header", .stream_namespace_ok = 1, .content_namespace_ok = 1,
        .hosted = 1, .version_one = 1 ),
    HEADER( "header bare", "a stream header to a domain that has no certificate",
        .stream_namespace_ok = 1, .content_namespace_ok = 1, .hosted = 1, .version_one = 1 ),
    HEADER( "header unhosted", "a stream header to a domain that is not served",
        .stream_namespace_ok = 1, .content_namespace_ok = 1, .version_one = 1 ),
    HEADER( "header old", "a stream header without version", .stream_namespace_ok = 1,
        .content_namespace_ok = 1, .hosted = 1 ),
    HEADER( "header badroot", "another root element", .content_namespace_ok = 1, .hosted = 1,
        .version_one = 1 ),
    HEADER( "header badns", "a stream header for another content namespace",
        .stream_namespace_ok = 1, .hosted = 1, .version_one = 1 ),
    AUTH( "auth", RX_AUTH, RIGHT, "auth with the right password", .mechanism_known = 1,
        .encoding_ok = 1 ),
    AUTH( "auth wrong", RX_AUTH, WRONG, "auth with a wrong password", .mechanism_known = 1,
        .encoding_ok = 1 ),
    AUTH( "auth as other", RX_AUTH, OTHER_IDENTITY,
        "auth with the right password, to act for somebody else", .mechanism_known = 1,
        .encoding_ok = 1 ),
    AUTH( "auth nonsense", RX_AUTH, NONSENSE, "auth with data that make no sense",
        .mechanism_known = 1, .encoding_ok = 1 ),
    AUTH( "auth later", RX_AUTH, MORE, "auth without data, which are asked for",
        .mechanism_known = 1, .encoding_ok = 1 ),
    AUTH( "auth garbled", RX_AUTH, WRONG, "auth with data that are not base64",
        .mechanism_known = 1 ),
    AUTH( "auth unknown", RX_AUTH, WRONG, "auth by a mechanism that is not offered",
        .encoding_ok = 1 ),
    AUTH( "response", RX_RESPONSE, RIGHT, "the right response", .mechanism_known = 1,
        .encoding_ok = 1 ),
    AUTH( "response wrong", RX_RESPONSE, WRONG, "a wrong response", .mechanism_known = 1,
        .encoding_ok = 1 ),
    AUTH( "response nonsense", RX_RESPONSE, NONSENSE, "a response that makes no sense",
        .mechanism_known = 1, .encoding_ok = 1 ),
    AUTH( "response garbled", RX_RESPONSE, WRONG, "a response that is not base64",
        .mechanism_known = 1 ),
    PLAIN( "abort", ELEMENT, RX_ABORT, "abort" ),
    PLAIN( "bind", ELEMENT, RX_BIND, "an iq that asks to bind a resource" ),
    PLAIN( "stanza", ELEMENT, RX_STANZA, "a message" ),
    PLAIN( "unknown", ELEMENT, RX_UNKNOWN, "an element nobody knows" ),
    PLAIN( "malformed", BYTES, RX_NOT_WELL_FORMED, "bytes that are not well-formed" ),
    PLAIN( "comment", BYTES, RX_RESTRICTED, "a comment" ),
    PLAIN( "oversize", BYTES, RX_OVERSIZE, "an element larger than is taken" ),
    PLAIN( "error", END, RX_STREAM_ERROR, "a stream error" ),
    PLAIN( "close", END, RX_CLOSE, "the closing tag" ),
    TLS( "starttls", ELEMENT, RX_STARTTLS, "the starttls command", .can_secure = 1 ),
    TLS( "starttls+", ELEMENT, RX_STARTTLS, "the starttls command with bytes in clear behind it",
        .can_secure = 1, .clear_trailing = 1 ),
    TLS( "starttls unready", ELEMENT, RX_STARTTLS,
        "the starttls command where there is no certificate to show", .can_secure = 0 ),
    TLS( "tls", TLS, TLS_UP, "a handshake", .can_secure = 1 ),
    TLS( "tls broken", TLS, TLS_FAILED, "a handshake that fails", .can_secure = 1 ),
    PLAIN( "wait negotiation", TIMER, TIMER_NEGOTIATION,
        "waiting until the time for becoming someone is over" ),
    PLAIN( "wait close", TIMER, TIMER_CLOSE, "waiting until the closing tag is no longer awaited" ),
    PLAIN( "shutdown", TIMER, SHUTDOWN, "the server is told to stop" ),
};

static const struct dna_scope scopes[] = {
    { .name = "clear", .text = "opening a stream, what is said in clear, and STARTTLS",
      .prefix = "",
      .alphabet = "header, header unhosted, header old, header badroot, header badns, "
                  "starttls, starttls+, tls, tls broken, bind, stanza, "
                  "unknown, malformed, comment, oversize, error, close" },
    { .name = "no certificate", .text = "a domain that has none to show", .prefix = "header bare",
      .needs = "bare-domain", .alphabet = "starttls unready, unknown, close" },
    { .name = "early", .text = "passwords in clear", .prefix = "header",
      .alphabet = "auth, auth wrong, auth unknown, response, abort, starttls, tls, header, "
                  "stanza, close" },
    { .name = "login", .text = "SASL and binding", .prefix = "header, starttls, tls",
      .alphabet = "header, auth, auth wrong, auth as other, auth nonsense, auth later, "
                  "auth garbled, auth unknown, response, response wrong, response nonsense, "
                  "response garbled, abort, bind, stanza, starttls, unknown, malformed, close" },
    { .name = "bound", .text = "what comes after the login",
      .prefix = "header, starttls, tls, header, auth, header",
      .alphabet = "bind, stanza, auth, response, abort, starttls, unknown, malformed, comment, "
                  "oversize, error, close" },
    { .name = "voluntary TLS", .text = "policy does not want TLS", .prefix = "",
      .knobs = "tls_required=0",
      .alphabet = "header, starttls, tls, auth, stanza, close" },
    { .name = "timers", .text = "deadlines, and the server's own end", .prefix = "", .timers = true,
      .alphabet = "header, starttls, tls, auth, auth later, bind, stanza, wait negotiation, "
                  "wait close, shutdown, malformed, error, close" },
};

static void facts(const struct dna_compose *c, const struct dna_machine *m, enum dna_whom whom,
                  uint32_t on, void *e)
{
    (void)c;
    (void)m;
    (void)whom;
    (void)on;
    (void)e; /* the symbols say it all */
}

static void act(struct dna_compose *c, const struct dna_wire *wire, enum dna_whom whom)
{
    static const enum c2s_server_event verdicts[] = {
        [RIGHT] = c2s_server_E_SASL_OK,
        [WRONG] = c2s_server_E_SASL_WRONG,
        [OTHER_IDENTITY] = c2s_server_E_SASL_BAD_AUTHZID,
        [NONSENSE] = c2s_server_E_SASL_MALFORMED,
        [MORE] = c2s_server_E_SASL_MORE,
    };
    (void)wire;
    uint32_t mark = c->symbol->mark; /* a damaged table may call the mechanism without any data */
    dna_compose_raise(c, &dna_machine_c2s_server, whom, verdicts[mark ? mark : NONSENSE]);
}

const struct dna_role dna_role_c2s_server = {
    .name = "c2s-server",
    .text = "a C2S server that a client opens a stream to",
    DNA_ROLE_TABLES( scopes, dna_role_timer_runs ),
    .stream = &dna_machine_c2s_server,
};
