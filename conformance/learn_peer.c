/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What came, as tokens of the tables: on the stream that a session opened, and
 * on connections of the server to the authorities, which are complete peers: they let it secure the
 * stream and authenticate, answer its own db:result, and close when it does. Only its questions
 * wait for a symbol that answers them.
 */
#include "conformance/learn.h"

#include <stdio.h>
#include <string.h>

enum { NOBODY = -1, STRANGER = 2 };

void dna_session_token(struct dna_session *s, bool elsewhere, const char *name, int pair)
{
    static const char *const suffixes[] = { "(d1)", "(d2)", "(?)" };
    struct dna_buf *out = elsewhere ? &s->elsewhere : &s->here;

    dna_buf_printf(out, "%s%s%s", out->len ? " " : "", name, pair == NOBODY ? "" : suffixes[pair]);
}

static int pair_of(const struct dna_session *s, const char *domain)
{
    if (domain && strcmp(domain, dna_binds_get(&s->run->vars, "a")) == 0)
        return 0;
    return domain && strcmp(domain, dna_binds_get(&s->run->vars, "c")) == 0 ? 1 : STRANGER;
}

/* "invalid-from" as "error_invalid_from" */
static const char *underscored(struct dna_session *s, const char *prefix, const char *condition)
{
    char *name = dna_pool_printf(s->run->pool, "%s%s", prefix, condition);

    for (char *p = name; *p; p++)
        *p = *p == '-' ? '_' : *p;
    return name;
}

static const char *condition_of(const struct dna_xnode *error)
{
    for (const struct dna_xnode *c = error ? error->children : NULL; c; c = c->next)
        if (c->local && strcmp(c->local, "text") != 0)
            return c->local;
    return "nothing";
}

static const struct dna_xnode *child_named(const struct dna_xnode *node, const char *local)
{
    for (const struct dna_xnode *c = node->children; c; c = c->next)
        if (c->local && strcmp(c->local, local) == 0)
            return c;
    return NULL;
}

/* valid, invalid, or the condition of the error */
static const char *answer_of(const struct dna_xnode *node)
{
    const char *type = dna_xnode_attr_value(node, "type");

    if (!type)
        return "request";
    return strcmp(type, "error") == 0 ? condition_of(child_named(node, "error")) : type;
}

static void took_features(struct dna_session *s, const struct dna_xnode *node)
{
    const struct dna_xnode *m = dna_xnode_child(node, DNA_NS_SASL, "mechanisms");
    bool external = false;

    dna_session_token(s, false, "send_features", NOBODY);
    if (dna_xnode_child(node, DNA_NS_TLS, "starttls"))
        dna_session_token(s, false, "offer_starttls", NOBODY);
    for (const struct dna_xnode *c = m ? m->children : NULL; c; c = c->next)
        external |= c->local && strcmp(dna_xnode_text(s->run->pool, c), "EXTERNAL") == 0;
    if (external)
        dna_session_token(s, false, "offer_external", NOBODY);
    if (dna_xnode_child(node, "urn:xmpp:features:dialback", "dialback"))
        dna_session_token(s, false, "offer_dialback", NOBODY);
    if (dna_xnode_child(node, "urn:xmpp:features:bidi", "bidi"))
        dna_session_token(s, false, "offer_bidi", NOBODY);
    s->complete |= s->symbol->kind == DNA_SEND_HEADER;
}

static void took_sasl(struct dna_session *s, const struct dna_xnode *node)
{
    s->complete = true;
    if (strcmp(node->local, "failure") == 0) {
        dna_session_token(s, false, underscored(s, "failure_", condition_of(node)), NOBODY);
        return;
    }
    dna_session_token(s, false, underscored(s, "send_", node->local), NOBODY);
    s->header_due |= strcmp(node->local, "success") == 0;
}

static void took_tls(struct dna_session *s, const struct dna_xnode *node)
{
    s->complete = true;
    if (strcmp(node->local, "proceed") == 0) {
        dna_session_token(s, false, "send_proceed", NOBODY);
        s->tls_due = true;
    } else {
        dna_session_token(s, false, "send_tls_failure", NOBODY);
    }
}

static void took_element(struct dna_session *s, const struct dna_xnode *node)
{
    int pair =
        s->symbol->whom == DNA_STRANGER ? STRANGER : pair_of(s, dna_xnode_attr_value(node, "to"));

    if (dna_xnode_is(node, DNA_NS_STREAM, "features")) {
        took_features(s, node);
    } else if (dna_xnode_is(node, DNA_NS_STREAM, "error")) {
        dna_session_token(s, false, underscored(s, "error_", condition_of(node)), NOBODY);
    } else if (strcmp(node->ns, DNA_NS_TLS) == 0) {
        took_tls(s, node);
    } else if (strcmp(node->ns, DNA_NS_SASL) == 0) {
        took_sasl(s, node);
    } else if (dna_xnode_is(node, DNA_NS_DIALBACK, "result")) {
        dna_session_token(s, false, underscored(s, "send_", answer_of(node)), pair);
        s->complete = true;
    } else if (dna_xnode_is(node, DNA_NS_DIALBACK, "verify")) {
        dna_session_token(s, false, underscored(s, "verify_", answer_of(node)), NOBODY);
    } else {
        dna_session_token(s, false, underscored(s, "element_", node->local), NOBODY);
    }
}

static void took_header(struct dna_session *s, const struct dna_xnode *node)
{
    const char *id = dna_xnode_attr_value(node, "id");

    if (s->symbol->kind != DNA_SEND_HEADER)
        s->script.header++;
    dna_binds_set(&s->run->vars, dna_pool_printf(s->run->pool, "s%u", s->script.header),
                  id ? id : "");
    dna_session_token(s, false, dna_xnode_attr(node, "version") ? "send_header" : "send_header_old",
                      NOBODY);
}

void dna_peer_took(struct dna_session *s, const struct dna_conn_event *e)
{
    switch (e->kind) {
    case DNA_WIRE_UP:
        break;
    case DNA_WIRE_TLS_UP:
        s->header_due = s->complete = true;
        break;
    case DNA_WIRE_TLS_FAILED:
        s->complete = true;
        break;
    case DNA_WIRE_HEADER:
        took_header(s, e->node);
        break;
    case DNA_WIRE_ELEMENT:
        if (e->barrier)
            s->barrier_back = true;
        else
            took_element(s, e->node);
        break;
    case DNA_WIRE_CLOSE:
        dna_session_token(s, false, "send_close", NOBODY);
        s->muted = true;
        if (s->said_header && !s->header_due)
            dna_conn_close(s->in);
        dna_conn_fin(s->in);
        break;
    case DNA_WIRE_BAD_XML:
        dna_session_token(s, false, "bad_xml", NOBODY);
        break;
    case DNA_WIRE_EOF:
        dna_session_token(s, false, "drop_stream", NOBODY);
        s->closed = true;
        break;
    }
}

/* ---- the authorities ---- */

static void say(struct dna_conn *conn, const char *text)
{
    dna_conn_send_bytes(conn, text, strlen(text));
}

static void greet(struct dna_session *s, struct dna_conn *conn, const struct dna_xnode *header)
{
    struct dna_pool *pool = s->run->pool;
    const char *to = dna_xnode_attr_value(header, "to"),
               *from = dna_xnode_attr_value(header, "from");
    struct dna_wire_seen seen;

    say(conn,
        dna_pool_printf(
            pool,
            "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='" DNA_NS_STREAM
            "' "
            "xmlns:db='" DNA_NS_DIALBACK "' id='%s-%u' from='%s' to='%s' version='1.0'>",
            s->run->label, ++s->run->seq, to ? to : "", from ? from : ""));
    if (dna_wire_seen(conn->wire, &seen))
        say(conn,
            "<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
            "</stream:features>");
    else
        say(conn, "<stream:features><starttls xmlns='" DNA_NS_TLS
                  "'><required/></starttls></stream:features>");
}

/* The connection gets a number by which symbols that answer name it. */
static void asked(struct dna_session *s, struct dna_conn *conn, const struct dna_xnode *node)
{
    int pair = pair_of(s, dna_xnode_attr_value(node, "to"));
    const char *id = dna_xnode_attr_value(node, "id");
    const char *ours =
        dna_binds_get(&s->run->vars, dna_pool_printf(s->run->pool, "s%u", s->script.header));
    const char *key = dna_pool_printf(s->run->pool, "key%u-%s", s->script.key, s->run->label);
    bool right =
        id && ours && strcmp(id, ours) == 0 && strcmp(dna_xnode_text(s->run->pool, node), key) == 0;

    s->complete = true;
    dna_session_token(s, true, right ? "db:verify" : "db:verify_of_something_else", pair);
    if (pair == STRANGER)
        return;
    if (!conn->taken) {
        conn->name = dna_pool_printf(s->run->pool, "v%u", ++s->script.verify);
        conn->taken = true;
    }
    (void)sscanf(conn->name, "v%u", &s->script.asked[pair]);
    s->script.asked_id[pair] = s->script.header;
    s->open_question[pair] = true;
}

static void serve_element(struct dna_session *s, struct dna_conn *conn,
                          const struct dna_xnode *node)
{
    struct dna_pool *pool = s->run->pool;
    const char *to = dna_xnode_attr_value(node, "to"), *from = dna_xnode_attr_value(node, "from");
    bool request = !dna_xnode_attr(node, "type");

    if (dna_xnode_is(node, DNA_NS_TLS, "starttls")) {
        say(conn, "<proceed xmlns='" DNA_NS_TLS "'/>");
        dna_conn_tls(conn, &(struct dna_wire_tls_options){
                               .server = true, .cert = dna_session_cert(s, conn->actor) });
    } else if (dna_xnode_is(node, DNA_NS_DIALBACK, "result") && request) {
        say(conn, dna_pool_printf(pool, "<db:result from='%s' to='%s' type='valid'/>", to ? to : "",
                                  from ? from : ""));
    } else if (dna_xnode_is(node, DNA_NS_DIALBACK, "verify") && request) {
        asked(s, conn, node);
    } else if (strcmp(node->local, "message") == 0) {
        dna_session_token(s, true, "transmit", pair_of(s, to));
    }
}

void dna_peer_serve(struct dna_session *s, struct dna_conn *conn)
{
    while (conn->head) {
        const struct dna_conn_event *e = conn->head;

        dna_conn_pop(conn);
        if (e->kind == DNA_WIRE_HEADER) {
            greet(s, conn, e->node);
        } else if (e->kind == DNA_WIRE_ELEMENT) {
            serve_element(s, conn, e->node);
        } else if (e->kind == DNA_WIRE_CLOSE) {
            dna_conn_close(conn);
            dna_conn_fin(conn);
        }
    }
}
