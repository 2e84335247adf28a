/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The oracle on client streams: the order of header, TLS, SASL and bind. Whether
 * a password is right is open, and so is every error that ends the stream.
 */
#include "conformance/oracle_internal.h"

#include <string.h>

void oracle_c2s_sent_header(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    const char *ns = dna_xnode_attr_value(node, "xmlns");
    const char *version = dna_xnode_attr_value(node, "version");
    struct oracle_facts f = { 0 };

    conn->sent_to = oracle_domain(conn->oracle->pool, dna_xnode_attr_value(node, "to"));
    FACT(&f, c2s_server, stream_namespace_ok,
         dna_xnode_is(node, DNA_NS_STREAM, "stream") ? YES : NO);
    if (ns && strcmp(ns, "jabber:client") == 0) /* another one: stanzas may carry their own */
        FACT(&f, c2s_server, content_namespace_ok, YES);
    FACT(&f, c2s_server, hosted, oracle_hosted(conn->oracle, conn->sent_to));
    FACT(&f, c2s_server, version_one, !version ? NO : strcmp(version, "1.0") == 0 ? YES : OPEN);
    oracle_event(conn->stream, c2s_server_E_RX_HEADER, &f);
}

static void sent_auth(struct dna_oracle_conn *conn, const struct dna_xnode *node, uint32_t event)
{
    struct oracle_facts f = { 0 };

    FACT(&f, c2s_server, encoding_ok, oracle_base64(dna_xnode_text(conn->oracle->pool, node)));
    conn->auths++;
    oracle_say(conn, &conn->s.authenticated, "authenticated", OPEN);
    oracle_event(conn->stream, event, &f);
}

static bool asks_to_bind(const struct dna_xnode *node)
{
    const char *type = dna_xnode_attr_value(node, "type");

    return strcmp(node->local, "iq") == 0 && type && strcmp(type, "set") == 0 &&
           dna_xnode_child(node, DNA_NS_BIND, "bind");
}

void oracle_c2s_sent(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    struct oracle_facts f = { 0 };

    if (dna_xnode_is(node, DNA_NS_TLS, "starttls")) {
        FACT(&f, starttls_receiving, clear_trailing, NO);
        FACT(&f, starttls_receiving, can_secure, oracle_can_secure(conn->oracle, conn->sent_to));
        oracle_event(conn->starttls, starttls_receiving_E_RX_STARTTLS, &f);
        oracle_say(conn, &conn->s.handshaking, "handshaking", OPEN);
    } else if (dna_xnode_is(node, DNA_NS_SASL, "auth")) {
        sent_auth(conn, node, c2s_server_E_RX_AUTH);
    } else if (dna_xnode_is(node, DNA_NS_SASL, "response")) {
        sent_auth(conn, node, c2s_server_E_RX_RESPONSE);
    } else if (dna_xnode_is(node, DNA_NS_SASL, "abort")) {
        oracle_event(conn->stream, c2s_server_E_RX_ABORT, NULL);
    } else if (dna_xnode_is(node, DNA_NS_STREAM, "error")) {
        oracle_event(conn->stream, c2s_server_E_RX_STREAM_ERROR, NULL);
    } else if (oracle_is_stanza(node) && asks_to_bind(node)) {
        const char *id = dna_xnode_attr_value(node, "id");

        conn->bind_id = id ? dna_pool_strdup(conn->oracle->pool, id) : NULL;
        oracle_event(conn->stream, c2s_server_E_RX_BIND, NULL);
    }
}

static void got_features(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    const struct dna_xnode *tls = dna_xnode_child(node, DNA_NS_TLS, "starttls");
    uint32_t out = c2s_server_O_send_features_bind;

    if (tls)
        out = dna_xnode_child(tls, DNA_NS_TLS, "required") ? c2s_server_O_send_features_tls_required
                                                           : c2s_server_O_send_features_tls;
    else if (dna_xnode_child(node, DNA_NS_SASL, "mechanisms"))
        out = c2s_server_O_send_features_sasl;
    else if (!dna_xnode_child(node, DNA_NS_BIND, "bind")) {
        conn->stream->dead = true; /* features that the table has no word for */
        return;
    }
    oracle_out1(conn->stream, node, out);
}

static void got_sasl(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    if (strcmp(node->local, "success") == 0) {
        oracle_out1(conn->stream, node, c2s_server_O_send_success);
        conn->header_ok = true;
        conn->auths = 0;
        oracle_restart(conn, false);
        oracle_say(conn, &conn->s.authenticated, "authenticated", YES);
    } else if (strcmp(node->local, "failure") == 0) {
        oracle_out_like(conn->stream, node, "failure_", NULL);
        conn->auths -= conn->auths > 0;
        if (!conn->auths && conn->s.authenticated == OPEN)
            oracle_say(conn, &conn->s.authenticated, "authenticated", NO);
    } else if (strcmp(node->local, "challenge") == 0) {
        oracle_out1(conn->stream, node, c2s_server_O_send_challenge);
    }
}

/* A resource; or none, after the first: the answer need not repeat what was asked for. */
static void got_iq(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    const char *type = dna_xnode_attr_value(node, "type"), *id = dna_xnode_attr_value(node, "id");

    if (type && strcmp(type, "result") == 0 && dna_xnode_child(node, DNA_NS_BIND, "bind")) {
        oracle_out1(conn->stream, node, c2s_server_O_bind_resource);
        conn->bound = true;
    } else if (type && strcmp(type, "error") == 0 && conn->bound && id && conn->bind_id &&
               strcmp(id, conn->bind_id) == 0) {
        oracle_out1(conn->stream, node, c2s_server_O_refuse_second_resource);
    }
}

void oracle_c2s_got(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    if (dna_xnode_is(node, DNA_NS_STREAM, "features")) {
        got_features(conn, node);
    } else if (dna_xnode_is(node, DNA_NS_TLS, "proceed")) {
        oracle_out1(conn->starttls, node, starttls_receiving_O_send_proceed);
    } else if (dna_xnode_is(node, DNA_NS_TLS, "failure")) {
        oracle_out1(conn->starttls, node, starttls_receiving_O_send_tls_failure);
        oracle_say(conn, &conn->s.handshaking, "handshaking", NO);
    } else if (strcmp(node->ns, DNA_NS_SASL) == 0) {
        got_sasl(conn, node);
    } else if (strcmp(node->local, "iq") == 0) {
        got_iq(conn, node);
    } else if (strcmp(node->local, "message") == 0) {
        oracle_delivered(conn, node);
    }
}
