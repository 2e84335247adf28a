/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Peers and their connections: what arrives is recorded, held against what
 * must never arrive, and put into its connection's queue until a step wants it. Everything that
 * passes in either direction passes the oracle here.
 */
#include "conformance/oracle_case.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { NOTED_BYTES = 4096 }; /* of what is sent at once, in transcripts */

const char *dna_conn_label(const struct dna_conn *conn)
{
    if (!*conn->name)
        return conn->actor->scn->name;
    return dna_pool_printf(conn->run->pool, "%s.%s", conn->actor->scn->name, conn->name);
}

struct dna_conn *dna_actor_conn(struct dna_actor *actor, const char *name)
{
    for (struct dna_conn *c = actor->conns; c; c = c->next)
        if (c->taken && strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static const char *element_text(struct dna_pool *pool, const struct dna_xnode *node,
                                const char *content_ns)
{
    struct dna_binds none;
    struct dna_buf out = { 0 };
    const char *done;

    dna_binds_init(&none, pool);
    dna_xnode_write(&out, node, content_ns, &none, NULL);
    done = dna_pool_strndup(pool, out.at, out.len);
    dna_buf_free(&out);
    return done;
}

/* a received header carries all its declarations; writing defaults again would say too much */
static const char *header_text(struct dna_pool *pool, const struct dna_xnode *node)
{
    struct dna_buf out = { 0 };
    const char *done;

    dna_buf_puts(&out, "<stream:stream");
    for (const struct dna_xattr *a = node->attrs; a; a = a->next) {
        dna_buf_printf(&out, " %s='", a->name);
        dna_xml_escape(&out, a->value);
        dna_buf_puts(&out, "'");
    }
    dna_buf_puts(&out, ">");
    done = dna_pool_strndup(pool, out.at, out.len);
    dna_buf_free(&out);
    return done;
}

const char *dna_event_text(struct dna_pool *pool, const struct dna_conn_event *event)
{
    static const char *const words[] = {
        [DNA_WIRE_UP] = "the connection opens", [DNA_WIRE_TLS_UP] = "TLS is up",
        [DNA_WIRE_TLS_FAILED] = "TLS fails", [DNA_WIRE_CLOSE] = "</stream:stream>",
        [DNA_WIRE_BAD_XML] = "bytes that are not XMPP", [DNA_WIRE_EOF] = "the connection ends",
    };

    if (event->kind == DNA_WIRE_HEADER)
        return header_text(pool, event->node);
    if (event->kind == DNA_WIRE_ELEMENT)
        return element_text(pool, event->node, strcmp(event->node->ns, "jabber:client") == 0 ?
                            "jabber:client" : "jabber:server");
    return dna_pool_printf(pool, "%s%s%s", words[event->kind], *event->note ? ": " : "",
                           event->note);
}

static bool forbid_applies(const struct dna_forbid *f, const struct dna_conn *conn)
{
    return f->actor == conn->actor->scn && (!f->conn || strcmp(f->conn, conn->name) == 0);
}

static void check_forbids(struct dna_conn *conn, const struct dna_conn_event *event)
{
    struct dna_case_run *run = conn->run;

    for (const struct dna_forbid *f = run->c->scn->forbids; f && !run->ended; f = f->next) {
        size_t mark = run->vars.num;
        bool hit;

        if (!forbid_applies(f, conn) || !f->xml || !event->node || event->barrier ||
            (event->kind != DNA_WIRE_ELEMENT && event->kind != DNA_WIRE_HEADER))
            continue;
        hit = dna_xnode_match(f->xml, event->node, conn->content_ns, &run->vars, NULL);
        dna_binds_undo(&run->vars, mark);
        if (hit) {
            struct dna_step where = { .file = run->c->scn->file, .line = f->line,
                                      .call_line = f->line, .text = f->text, .then = true };

            dna_run_end(run, DNA_END_FORBIDDEN, &where, "broken", f->text,
                        dna_event_text(run->pool, event));
        }
    }
}

/* the answer to any barrier of this case, wanted or not any more */
static bool is_barrier_answer(const struct dna_conn *conn, const struct dna_xnode *node)
{
    const char *id = dna_xnode_attr_value(node, "id");
    const char *prefix = dna_pool_printf(conn->run->pool, "barrier-%s-", conn->run->label);

    return id && strncmp(id, prefix, strlen(prefix)) == 0;
}

static void remember(struct dna_conn *conn, enum dna_wire_kind kind, const struct dna_xnode *node)
{
    const char *to, *from;

    if (kind == DNA_WIRE_HEADER) {
        to = dna_xnode_attr_value(node, "to");
        from = dna_xnode_attr_value(node, "from");
        conn->got_to = to ? to : conn->got_to;
        conn->got_from = from ? from : conn->got_from;
    } else if (kind == DNA_WIRE_ELEMENT && dna_xnode_is(node, DNA_NS_SASL, "success")) {
        conn->authenticated = true;
    }
}

static void on_wire(struct dna_wire *wire, enum dna_wire_kind kind, struct dna_xnode *node,
                    const char *note, void *arg)
{
    struct dna_conn *conn = arg;
    struct dna_case_run *run = conn->run;
    struct dna_conn_event *event;

    (void)wire;
    if (run->ended)
        return;
    event = dna_pool_alloc(run->pool, sizeof(*event));
    event->kind = kind;
    event->node = node;
    event->note = note && *note ? dna_pool_strdup(run->pool, note) : "";
    event->barrier = kind == DNA_WIRE_ELEMENT && is_barrier_answer(conn, node);
    dna_run_note(run, "%s > %s", dna_conn_label(conn), dna_event_text(run->pool, event));
    remember(conn, kind, node);
    dna_oracle_case_got(conn, kind, node);
    check_forbids(conn, event);
    if (run->ended)
        return;
    if (conn->actor->login) {
        dna_login_event(conn->actor->login, kind, node, event->note);
        return;
    }
    *conn->tail = event;
    conn->tail = &event->next;
    dna_run_wake(run);
}

static struct dna_conn *conn_new(struct dna_actor *actor, const char *name, bool c2s)
{
    struct dna_conn *conn = dna_pool_alloc(actor->run->pool, sizeof(*conn));

    conn->run = actor->run;
    conn->actor = actor;
    conn->name = name;
    conn->tail = &conn->head;
    conn->content_ns = c2s ? "jabber:client" : "jabber:server";
    conn->seq = ++actor->run->seq;
    conn->next = actor->conns;
    actor->conns = conn;
    return conn;
}

struct dna_conn *dna_actor_connect(struct dna_actor *actor, const char *name, unsigned port,
                                   bool c2s)
{
    const struct dna_variant *variant = dna_iut_variant(actor->run->iut);
    struct dna_conn *conn = conn_new(actor, name, c2s);

    if (!port)
        port = c2s ? variant->c2s_port : variant->s2s_port;
    conn->taken = true;
    dna_run_note(actor->run, "%s connects to %s:%u", dna_conn_label(conn), variant->address, port);
    dna_oracle_case_connected(conn, port);
    conn->wire = dna_wire_connect(actor->run->context->base, actor->run->pool, actor->addr,
                                  variant->address, port, on_wire, conn);
    return conn->wire ? conn : NULL;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int len, void *arg)
{
    struct dna_actor *actor = arg;
    struct dna_case_run *run = actor->run;
    struct dna_conn *conn = conn_new(actor, "?", actor->scn->c2s);

    (void)listener;
    (void)from;
    (void)len;
    conn->accepted = true;
    dna_oracle_case_connected(conn, actor->port);
    conn->wire = dna_wire_accepted(run->context->base, run->pool, fd, on_wire, conn);
    dna_run_note(run, "%s is connected to by the IUT", actor->scn->name);
    for (const struct dna_forbid *f = run->c->scn->forbids; f && !run->ended; f = f->next) {
        struct dna_step where = { .file = run->c->scn->file, .line = f->line, .call_line = f->line,
                                  .text = f->text, .then = true };

        if (f->actor == actor->scn && !f->xml)
            dna_run_end(run, DNA_END_FORBIDDEN, &where, "broken", f->text, "a connection");
    }
    dna_run_wake(run);
}

bool dna_actor_listen(struct dna_actor *actor)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)actor->port) };

    inet_pton(AF_INET, actor->addr, &addr.sin_addr);
    actor->listener = evconnlistener_new_bind(
        actor->run->context->base, on_accept, actor,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 16,
        (struct sockaddr *)&addr, sizeof(addr));
    return actor->listener != NULL;
}

/* the oldest connection that no accept has named: the list is newest first */
static struct dna_conn *oldest_pending(const struct dna_actor *actor)
{
    struct dna_conn *oldest = NULL;

    for (struct dna_conn *c = actor->conns; c; c = c->next)
        if (c->accepted && !c->taken)
            oldest = c;
    return oldest;
}

bool dna_actor_has_pending(const struct dna_actor *actor)
{
    return oldest_pending(actor) != NULL;
}

struct dna_conn *dna_actor_take(struct dna_actor *actor, const char *name)
{
    struct dna_conn *conn = oldest_pending(actor);

    if (!conn)
        return NULL;
    conn->taken = true;
    conn->name = name;
    return conn;
}

void dna_conn_pop(struct dna_conn *conn)
{
    conn->got_close |= conn->head->kind == DNA_WIRE_CLOSE;
    conn->head = conn->head->next;
    if (!conn->head)
        conn->tail = &conn->head;
}

void dna_conn_send_bytes(struct dna_conn *conn, const char *bytes, size_t len)
{
    size_t noted = len > NOTED_BYTES ? NOTED_BYTES : len;

    while (noted < len && noted > 0 && (bytes[noted] & 0xc0) == 0x80)
        noted--; /* no character is cut in two */
    if (noted < len)
        dna_run_note(conn->run, "%s < %.*s... (%zu bytes)", dna_conn_label(conn), (int)noted, bytes,
                     len);
    else
        dna_run_note(conn->run, "%s < %.*s", dna_conn_label(conn), (int)len, bytes);
    dna_oracle_case_sent(conn, bytes, len);
    dna_wire_send(conn->wire, bytes, len);
}

void dna_conn_send(struct dna_conn *conn, const struct dna_xnode *node)
{
    struct dna_case_run *run = conn->run;
    struct dna_buf out = { 0 };

    if (dna_xnode_is(node, DNA_NS_STREAM, "stream")) {
        const char *to = dna_xnode_attr_value(node, "to");
        const char *from = dna_xnode_attr_value(node, "from");

        conn->sent_to = to ? dna_run_expand(run, to) : NULL;
        conn->sent_from = from ? dna_run_expand(run, from) : NULL;
        dna_buf_puts(&out, "<?xml version='1.0'?>");
    }
    dna_xnode_write(&out, node, conn->content_ns, &run->vars, NULL);
    dna_conn_send_bytes(conn, out.at, out.len);
    dna_buf_free(&out);
}

void dna_conn_close(struct dna_conn *conn)
{
    if (conn->sent_close)
        return;
    conn->sent_close = true;
    dna_conn_send_bytes(conn, "</stream:stream>", 16);
}

void dna_conn_fin(struct dna_conn *conn)
{
    dna_oracle_case_fin(conn);
    dna_wire_fin(conn->wire);
}

void dna_conn_tls(struct dna_conn *conn, const struct dna_wire_tls_options *options)
{
    dna_oracle_case_tls(conn, options);
    dna_wire_tls(conn->wire, options);
}

void dna_actor_cleanup(struct dna_actor *actor)
{
    for (struct dna_conn *c = actor->conns; c; c = c->next) {
        dna_wire_free(c->wire);
        c->wire = NULL;
    }
    if (actor->listener)
        evconnlistener_free(actor->listener);
    dna_cert_unref(actor->cert);
    dna_login_free(actor->login);
    dna_child_free(actor->child);
}
