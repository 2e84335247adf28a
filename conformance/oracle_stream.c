/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The oracle on streams between servers: headers, features, STARTTLS, SASL and
 * bidi, for both sides of a stream.
 */
#include "conformance/oracle_internal.h"

#include <string.h>

#define NS_BIDI "urn:xmpp:bidi"
#define NS_F_BIDI "urn:xmpp:features:bidi"
#define NS_F_DIALBACK "urn:xmpp:features:dialback"

static void watch(struct oracle_walk *w, const char *const *events)
{
    for (uint32_t i = 0; i < w->machine->num_events; i++)
        for (size_t k = 0; events[k]; k++)
            if (strcmp(w->machine->events[i].name, events[k]) == 0)
                dna_walk_watch(w->walk, i, true);
}

void oracle_stream_begin(struct dna_oracle_conn *conn)
{
    static const char *const opened[] = { "TCP_UP", "AUTHENTICATED", NULL };

    switch (conn->kind) {
    case DNA_ORACLE_RECEIVING:
        conn->stream = oracle_walk_new(conn, &dna_machine_stream_receiving);
        conn->starttls = oracle_walk_new(conn, &dna_machine_starttls_receiving);
        conn->sasl = oracle_walk_new(conn, &dna_machine_sasl_external_receiving);
        break;
    case DNA_ORACLE_INITIATING:
        conn->stream = oracle_walk_new(conn, &dna_machine_stream_initiating);
        conn->starttls = oracle_walk_new(conn, &dna_machine_starttls_initiating);
        conn->sasl = oracle_walk_new(conn, &dna_machine_sasl_external_initiating);
        watch(conn->stream, opened);
        oracle_event(conn->stream, stream_initiating_E_TCP_UP, NULL);
        break;
    case DNA_ORACLE_C2S:
        conn->stream = oracle_walk_new(conn, &dna_machine_c2s_server);
        conn->starttls = oracle_walk_new(conn, &dna_machine_starttls_receiving);
        break;
    }
}

/* ---- headers ---- */

static uint32_t equals(const char *value, const char *wanted)
{
    return value && strcmp(value, wanted) == 0 ? YES : NO;
}

/* what stands in the version attribute: one that is neither 1.0 nor missing is read in many ways */
static uint32_t version_one(const struct dna_xnode *node)
{
    const char *version = dna_xnode_attr_value(node, "version");

    if (!version)
        return NO;
    return strcmp(version, "1.0") == 0 ? YES : OPEN;
}

static uint32_t content_ok(const struct dna_xnode *node, const char *wanted)
{
    const char *ns = dna_xnode_attr_value(node, "xmlns");

    /* each stanza may carry its own, and only there another one is an error (RFC 6120 4.8.3) */
    return equals(ns, wanted) == YES ? YES : OPEN;
}

static uint32_t root_ok(const struct dna_xnode *node)
{
    return dna_xnode_is(node, DNA_NS_STREAM, "stream") ? YES : NO;
}

static void receiving_header(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    struct oracle_facts f = { 0 };

    FACT(&f, stream_receiving, stream_namespace_ok, root_ok(node));
    FACT(&f, stream_receiving, content_namespace_ok, content_ok(node, "jabber:server"));
    FACT(&f, stream_receiving, hosted, oracle_hosted(conn->oracle, conn->sent_to));
    FACT(&f, stream_receiving, version_one, version_one(node));
    FACT(&f, stream_receiving, from_pending, oracle_pending(conn));
    oracle_event(conn->stream, stream_receiving_E_RX_HEADER, &f);
}

static void response_header(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    const char *id = dna_xnode_attr_value(node, "id"), *from = dna_xnode_attr_value(node, "from");
    struct oracle_facts f = { 0 };
    uint32_t agrees = OPEN;

    if (!from)
        agrees = YES;
    else if (conn->sent_from && conn->got_to)
        agrees = equals(conn->sent_from, conn->got_to);
    FACT(&f, stream_initiating, stream_namespace_ok, root_ok(node));
    FACT(&f, stream_initiating, content_namespace_ok, content_ok(node, "jabber:server"));
    FACT(&f, stream_initiating, id_given, id && *id ? YES : NO);
    FACT(&f, stream_initiating, from_agrees, agrees);
    FACT(&f, stream_initiating, version_one, version_one(node));
    FACT(&f, stream_initiating, dialback_declared,
         equals(dna_xnode_attr_value(node, "xmlns:db"), DNA_NS_DIALBACK) == YES ? YES : OPEN);
    oracle_event(conn->stream, stream_initiating_E_RX_HEADER, &f);
    conn->sent_id = id ? dna_pool_strdup(conn->oracle->pool, id) : NULL;
}

void oracle_stream_sent_header(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    struct dna_pool *pool = conn->oracle->pool;

    conn->sent_to = oracle_domain(pool, dna_xnode_attr_value(node, "to"));
    conn->sent_from = oracle_domain(pool, dna_xnode_attr_value(node, "from"));
    if (conn->kind == DNA_ORACLE_RECEIVING)
        receiving_header(conn, node);
    else
        response_header(conn, node);
}

static void remember_id(struct dna_oracle_conn *conn, const char *id)
{
    struct oracle_word *word = dna_pool_alloc(conn->oracle->pool, sizeof(*word));

    word->text = dna_pool_strdup(conn->oracle->pool, id ? id : "");
    word->next = conn->ids;
    conn->ids = word;
}

void oracle_stream_got_header(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    struct dna_pool *pool = conn->oracle->pool;

    if (conn->kind == DNA_ORACLE_RECEIVING) {
        remember_id(conn, dna_xnode_attr_value(node, "id"));
    } else if (conn->kind == DNA_ORACLE_INITIATING) {
        conn->got_to = oracle_domain(pool, dna_xnode_attr_value(node, "to"));
        conn->got_from = oracle_domain(pool, dna_xnode_attr_value(node, "from"));
        conn->header_ok = true;
    }
}

void oracle_stream_judge_header(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    static const uint8_t headers[] = { stream_receiving_O_send_header,
                                       stream_receiving_O_send_header_unhosted };
    static const uint8_t old[] = { stream_receiving_O_send_header_old,
                                   stream_receiving_O_send_header_unhosted };
    static const uint8_t c2s[] = { c2s_server_O_send_header, c2s_server_O_send_header_unhosted };

    switch (conn->kind) {
    case DNA_ORACLE_RECEIVING:
        oracle_out(conn->stream, node, dna_xnode_attr(node, "version") ? headers : old, 2);
        break;
    case DNA_ORACLE_INITIATING:
        oracle_out1(conn->stream, node, stream_initiating_O_send_header);
        break;
    case DNA_ORACLE_C2S:
        oracle_out(conn->stream, node, c2s, 2);
        break;
    }
}

/* ---- features ---- */

static bool offers_external(const struct dna_xnode *features)
{
    const struct dna_xnode *m = dna_xnode_child(features, DNA_NS_SASL, "mechanisms");

    for (const struct dna_xnode *c = m ? m->children : NULL; c; c = c->next)
        if (c->local && c->children && c->children->text &&
            strstr(c->children->text, "EXTERNAL"))
            return true;
    return false;
}

/* one choice of features_receiving: was it offered as it is due? */
static void consider(struct dna_oracle_conn *conn, const struct dna_xnode *node, uint32_t event,
                     const struct oracle_facts *facts, uint32_t offer)
{
    static const char *const all[] = { "CONSIDER_STARTTLS", "CONSIDER_EXTERNAL",
                                       "CONSIDER_DIALBACK", "CONSIDER_BIDI", NULL };
    struct oracle_walk *w = oracle_walk_new(conn, &dna_machine_features_receiving);

    watch(w, all);
    oracle_event(w, event, facts);
    if (offer)
        oracle_out1(w, node, offer);
    oracle_settle(w);
    w->dead = true; /* the next features are chosen anew */
}

static void judge_features(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    const struct dna_xnode *tls = dna_xnode_child(node, DNA_NS_TLS, "starttls");
    uint32_t starttls = !tls ? 0
                        : dna_xnode_child(tls, DNA_NS_TLS, "required")
                            ? features_receiving_O_offer_starttls_required
                            : features_receiving_O_offer_starttls;
    struct oracle_facts f = { 0 };

    consider(conn, node, features_receiving_E_CONSIDER_STARTTLS, NULL, starttls);
    /* RFC 6120 6.3.4: it may be offered although it will be refused */
    if (oracle_proves(conn, conn->sent_from) == YES)
        FACT(&f, features_receiving, from_proved, YES);
    consider(conn, node, features_receiving_E_CONSIDER_EXTERNAL, &f,
             offers_external(node) ? features_receiving_O_offer_external : 0);
    consider(conn, node, features_receiving_E_CONSIDER_DIALBACK, NULL,
             dna_xnode_child(node, NS_F_DIALBACK, "dialback") ? features_receiving_O_offer_dialback
                                                              : 0);
    consider(conn, node, features_receiving_E_CONSIDER_BIDI, NULL,
             dna_xnode_child(node, NS_F_BIDI, "bidi") ? features_receiving_O_offer_bidi : 0);
}

static void sent_features(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    const struct dna_xnode *dialback = dna_xnode_child(node, NS_F_DIALBACK, "dialback");
    struct oracle_facts f = { 0 };
    bool errors = dialback && dna_xnode_child(dialback, NS_F_DIALBACK, "errors");

    FACT(&f, stream_initiating, starttls, dna_xnode_child(node, DNA_NS_TLS, "starttls") ? YES : NO);
    FACT(&f, stream_initiating, external, offers_external(node) ? YES : NO);
    FACT(&f, stream_initiating, dialback, dialback ? YES : NO);
    FACT(&f, stream_initiating, errors, errors ? YES : NO);
    FACT(&f, stream_initiating, bidi, dna_xnode_child(node, NS_F_BIDI, "bidi") ? YES : NO);
    FACT(&f, stream_initiating, have_certificate, conn->shown);
    FACT(&f, stream_initiating, peer_proved, oracle_proves(conn, conn->got_to));
    conn->features = f;
    oracle_event(conn->stream, stream_initiating_E_RX_FEATURES, &f);
}

/* ---- what we send ---- */

static const char *text_of(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    return dna_xnode_text(conn->oracle->pool, node);
}

static void sent_starttls(struct dna_oracle_conn *conn)
{
    struct oracle_facts f = { 0 };

    FACT(&f, starttls_receiving, clear_trailing, NO);
    FACT(&f, starttls_receiving, can_secure, oracle_can_secure(conn->oracle, conn->sent_to));
    oracle_event(conn->starttls, starttls_receiving_E_RX_STARTTLS, &f);
    oracle_say(conn, &conn->s.handshaking, "handshaking", OPEN);
}

static void sent_auth(struct dna_oracle_conn *conn, const struct dna_xnode *node, bool response)
{
    const char *text = text_of(conn, node), *mechanism = dna_xnode_attr_value(node, "mechanism");
    struct oracle_facts f = { 0 };

    if (!response && conn->auths && !conn->challenged)
        conn->sasl->dead = true; /* it may or may not have sent a challenge by then */
    if (response || conn->challenged)
        conn->auths -= conn->auths > 0;
    conn->auths++;
    oracle_say(conn, &conn->s.authenticated, "authenticated", OPEN);
    oracle_say(conn, &conn->s.pairs_taken, "pairs_taken", OPEN);
    if (!response)
        FACT(&f, sasl_external_receiving, external, equals(mechanism, "EXTERNAL"));
    FACT(&f, sasl_external_receiving, encoding_ok, oracle_base64(text));
    FACT(&f, sasl_external_receiving, response_given, *text ? YES : response ? OPEN : NO);
    FACT(&f, sasl_external_receiving, from_proved, oracle_proves(conn, conn->sent_from));
    if (oracle_pending(conn) == NO && oracle_refutes(conn) == NO)
        FACT(&f, sasl_external_receiving, from_refuted, NO);
    FACT(&f, sasl_external_receiving, claim_made,
         !conn->tls || !conn->cert ? NO : conn->sent_from ? YES : OPEN);
    FACT(&f, sasl_external_receiving, authzid_other,
         oracle_identity_differs(conn->oracle->pool, text, conn->sent_from));
    oracle_event(conn->sasl, response ? sasl_external_receiving_E_RX_RESPONSE
                                      : sasl_external_receiving_E_RX_AUTH, &f);
    if (!response && conn->challenged) /* that failed the first attempt, and is looked at again */
        oracle_event(conn->sasl, sasl_external_receiving_E_RX_AUTH, &f);
    conn->challenged = false;
    oracle_external_asked(conn);
}

static void sent_to_receiving(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    if (dna_xnode_is(node, DNA_NS_TLS, "starttls")) {
        sent_starttls(conn);
    } else if (dna_xnode_is(node, DNA_NS_SASL, "auth")) {
        sent_auth(conn, node, false);
    } else if (dna_xnode_is(node, DNA_NS_SASL, "response")) {
        sent_auth(conn, node, true);
    } else if (dna_xnode_is(node, DNA_NS_SASL, "abort")) {
        oracle_event(conn->sasl, sasl_external_receiving_E_RX_ABORT, NULL);
    } else if (dna_xnode_is(node, NS_BIDI, "bidi")) {
        oracle_say(conn, &conn->s.bidi, "bidi", OPEN);
        oracle_event(conn->stream, stream_receiving_E_RX_BIDI, NULL);
    }
}

static void sent_to_initiating(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    struct oracle_facts f = { 0 };

    if (dna_xnode_is(node, DNA_NS_STREAM, "features")) {
        sent_features(conn, node);
    } else if (dna_xnode_is(node, DNA_NS_TLS, "proceed")) {
        FACT(&f, starttls_initiating, clear_trailing, NO);
        conn->unasked = !conn->asked;
        if (conn->asked)
            oracle_event(conn->starttls, starttls_initiating_E_RX_PROCEED, &f);
        oracle_tell_all(conn, "STREAM_SECURED");
        oracle_say(conn, &conn->s.handshaking, "handshaking", OPEN);
    } else if (dna_xnode_is(node, DNA_NS_TLS, "failure")) {
        oracle_event(conn->starttls, starttls_initiating_E_RX_TLS_FAILURE, NULL);
    } else if (dna_xnode_is(node, DNA_NS_SASL, "failure")) {
        oracle_event(conn->sasl, sasl_external_initiating_E_RX_FAILURE, NULL);
    } else if (dna_xnode_is(node, DNA_NS_SASL, "challenge")) {
        oracle_event(conn->sasl, sasl_external_initiating_E_RX_CHALLENGE, NULL);
    } else if (dna_xnode_is(node, DNA_NS_SASL, "success")) {
        oracle_event(conn->sasl, sasl_external_initiating_E_RX_SUCCESS, NULL);
        oracle_say(conn, &conn->s.pairs_taken, "pairs_taken", OPEN);
        oracle_restart(conn, false);
        oracle_say(conn, &conn->s.authenticated, "authenticated", YES);
        oracle_event(conn->stream, stream_initiating_E_AUTHENTICATED, NULL);
        oracle_external_granted(conn);
    }
}

void oracle_stream_sent(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    bool error = dna_xnode_is(node, DNA_NS_STREAM, "error");

    if (error && conn->kind == DNA_ORACLE_RECEIVING)
        oracle_event(conn->stream, stream_receiving_E_RX_STREAM_ERROR, NULL);
    else if (error)
        oracle_event(conn->stream, stream_initiating_E_RX_STREAM_ERROR, NULL);
    else if (conn->kind == DNA_ORACLE_RECEIVING)
        sent_to_receiving(conn, node);
    else
        sent_to_initiating(conn, node);
}

void oracle_stream_ended(struct dna_oracle_conn *conn, bool closed)
{
    static const uint32_t close[] = { stream_receiving_E_RX_CLOSE, stream_initiating_E_RX_CLOSE,
                                      c2s_server_E_RX_CLOSE };
    static const uint32_t gone[] = { stream_receiving_E_TCP_GONE, stream_initiating_E_TCP_GONE,
                                     c2s_server_E_TCP_GONE };

    oracle_event(conn->stream, closed ? close[conn->kind] : gone[conn->kind], NULL);
}

/* ---- what comes ---- */

static void answered_auth(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    if (strcmp(node->local, "success") == 0) {
        oracle_out1(conn->sasl, node, sasl_external_receiving_O_send_success);
        conn->auths = 0;
        conn->header_ok = true;
        oracle_restart(conn, false);
        oracle_say(conn, &conn->s.authenticated, "authenticated", YES);
        oracle_event(conn->stream, stream_receiving_E_RESTARTED, NULL);
        oracle_external_accepted(conn);
    } else if (strcmp(node->local, "failure") == 0) {
        /* the texts give several conditions for most failures */
        oracle_out_like(conn->sasl, node, "failure_", NULL);
        conn->auths -= conn->auths > 0;
        if (!conn->auths && conn->s.authenticated == OPEN)
            oracle_say(conn, &conn->s.authenticated, "authenticated", NO);
    } else if (strcmp(node->local, "challenge") == 0) {
        oracle_out1(conn->sasl, node, sasl_external_receiving_O_send_challenge);
        conn->challenged = true;
    }
}

static void got_from_receiving(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    if (dna_xnode_is(node, DNA_NS_STREAM, "features")) {
        oracle_out1(conn->stream, node, stream_receiving_O_send_features);
        judge_features(conn, node);
    } else if (dna_xnode_is(node, DNA_NS_TLS, "proceed")) {
        oracle_out1(conn->starttls, node, starttls_receiving_O_send_proceed);
        oracle_tell_all(conn, "STREAM_SECURED");
    } else if (dna_xnode_is(node, DNA_NS_TLS, "failure")) {
        oracle_out1(conn->starttls, node, starttls_receiving_O_send_tls_failure);
        oracle_say(conn, &conn->s.handshaking, "handshaking", NO);
    } else if (strcmp(node->ns, DNA_NS_SASL) == 0) {
        answered_auth(conn, node);
    }
}

static void got_from_initiating(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    static const uint8_t auth[] = { sasl_external_initiating_O_send_auth_named,
                                    sasl_external_initiating_O_send_auth_empty };
    static const uint8_t response[] = { sasl_external_initiating_O_send_response_named,
                                        sasl_external_initiating_O_send_response_empty };

    if (dna_xnode_is(node, DNA_NS_TLS, "starttls")) {
        conn->asked = true;
        oracle_out1(conn->starttls, node, starttls_initiating_O_send_starttls);
    } else if (dna_xnode_is(node, DNA_NS_SASL, "auth")) {
        if (equals(dna_xnode_attr_value(node, "mechanism"), "EXTERNAL") == YES)
            oracle_out(conn->sasl, node, auth, 2);
        else
            conn->sasl->dead = true; /* not this machine's business */
    } else if (dna_xnode_is(node, DNA_NS_SASL, "response")) {
        oracle_out(conn->sasl, node, response, 2);
    } else if (dna_xnode_is(node, NS_BIDI, "bidi")) {
        oracle_out1(conn->stream, node, stream_initiating_O_send_bidi);
        oracle_say(conn, &conn->s.bidi, "bidi", YES);
        /* the same features are looked at again */
        oracle_event(conn->stream, stream_initiating_E_RX_FEATURES, &conn->features);
    }
}

void oracle_stream_got(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    if (conn->kind == DNA_ORACLE_RECEIVING)
        got_from_receiving(conn, node);
    else
        got_from_initiating(conn, node);
}

static void clear_forgotten(struct dna_oracle_conn *conn)
{
    conn->s.secured = YES;
    conn->s.authenticated = conn->s.bidi = conn->s.pairs_taken = conn->s.handshaking = NO;
    conn->auths = 0;
}

/* A proceed that was no reply may end the stream or begin TLS (DEC_A56). Only now it shows which:
 * to the stream it is as if STARTTLS had been offered and asked for. */
static void secured_unasked(struct dna_oracle_conn *conn)
{
    struct oracle_facts f = { 0 };

    conn->unasked = false;
    conn->starttls->dead = true;
    FACT(&f, stream_initiating, starttls, YES);
    if (!conn->asked)
        oracle_event(conn->stream, stream_initiating_E_RX_FEATURES, &f);
}

void oracle_stream_secured(struct dna_oracle_conn *conn)
{
    struct oracle_facts f = { 0 };

    if (conn->unasked)
        secured_unasked(conn);
    conn->header_ok = conn->kind != DNA_ORACLE_INITIATING;
    clear_forgotten(conn);
    oracle_restart(conn, true);
    switch (conn->kind) {
    case DNA_ORACLE_RECEIVING:
        oracle_event(conn->starttls, starttls_receiving_E_TLS_UP, NULL);
        oracle_event(conn->stream, stream_receiving_E_RESTARTED, NULL);
        break;
    case DNA_ORACLE_INITIATING:
        oracle_event(conn->starttls, starttls_initiating_E_TLS_UP, NULL);
        FACT(&f, stream_initiating, peer_proved, oracle_proves(conn, conn->got_to));
        FACT(&f, stream_initiating, peer_refuted, oracle_refutes(conn));
        oracle_event(conn->stream, stream_initiating_E_SECURED, &f);
        break;
    case DNA_ORACLE_C2S:
        oracle_event(conn->starttls, starttls_receiving_E_TLS_UP, NULL);
        oracle_event(conn->stream, c2s_server_E_SECURED, NULL);
        break;
    }
}
