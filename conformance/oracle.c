/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The oracle's walks and objections, and who is told what: each element goes
 * from here to the files that know its machines. What we send is read again by a parser of its
 * own, so that it is judged by what went over the wire and not by what a scenario meant.
 */
#include "conformance/oracle_internal.h"

#include <stdlib.h>
#include <string.h>

#define MAX_OBJECTIONS 8

/* ---- walks ---- */

void oracle_fact(struct oracle_facts *facts, size_t index, uint32_t value)
{
    if (value == OPEN)
        return;
    facts->at[index] = value;
    facts->known |= (uint64_t)1 << index;
}

/* how a stream ends, and by which error, is a choice that the texts leave: scenarios judge it */
static bool is_ending(const char *out)
{
    return strncmp(out, "error_", 6) == 0 || strcmp(out, "send_close") == 0 ||
           strcmp(out, "drop_stream") == 0 || strcmp(out, "start_tls") == 0;
}

static void say_all(struct oracle_walk *w)
{
    const struct oracle_stream *s = &w->conn->s;

    dna_walk_stream(w->walk, "secured", s->secured);
    dna_walk_stream(w->walk, "authenticated", s->authenticated);
    dna_walk_stream(w->walk, "bidi", s->bidi);
    dna_walk_stream(w->walk, "pairs_taken", s->pairs_taken);
    dna_walk_stream(w->walk, "handshaking", s->handshaking);
    dna_walk_stream(w->walk, "we_opened", s->we_opened);
}

struct oracle_walk *oracle_walk_new(struct dna_oracle_conn *conn, const struct dna_machine *m)
{
    const struct dna_oracle_setup *setup = &conn->oracle->setup;
    struct oracle_walk *w = dna_pool_alloc(conn->oracle->pool, sizeof(*w));

    w->machine = m;
    w->conn = conn;
    w->walk = dna_walk_new(m, &setup->knobs, setup->known);
    if (!w->walk)
        abort(); /* without memory, as dna_xcalloc does */
    for (uint32_t i = 1; i < m->num_dos; i++)
        if (m->dos[i].kind == DNA_WIRE && is_ending(m->dos[i].name))
            dna_walk_see(w->walk, i, DNA_WALK_UNSEEN);
    say_all(w);
    w->next = conn->walks;
    conn->walks = w;
    conn->oracle->counts.walks++;
    return w;
}

void oracle_event(struct oracle_walk *w, uint32_t event, const struct oracle_facts *facts)
{
    if (!w->dead)
        dna_walk_event(w->walk, event, facts ? facts->at : NULL, facts ? facts->known : 0);
}

static const char *join_rows(struct dna_pool *pool, const struct dna_walk_diagnosis *why)
{
    const char *text = "";

    for (size_t i = 0; i < why->num_rows; i++)
        text = dna_pool_printf(pool, "%s%s%s", text, i ? " " : "", why->rows[i]->id);
    return text;
}

static bool is_must(enum dna_level level)
{
    return level == DNA_LEVEL_MUST || level == DNA_LEVEL_MUST_NOT;
}

static void add_req(struct dna_pool *pool, struct dna_objection *x, uint16_t req)
{
    const struct dna_requirement *q = dna_requirement((enum dna_req)req);

    if (strstr(x->reqs, q->id))
        return;
    x->reqs = dna_pool_printf(pool, "%s%s%s", x->reqs, *x->reqs ? " " : "", q->id);
    if (x->level == DNA_LEVEL_DECISION || is_must(q->level) ||
        (x->level == DNA_LEVEL_MAY && q->level != DNA_LEVEL_DECISION))
        x->level = q->level;
}

/* What the rows cite that explain what was seen before; a row that does what came, and was not due,
 * says nothing against it. Only where nothing has happened yet there are no others. */
static void cite(struct dna_pool *pool, struct dna_objection *x,
                 const struct dna_walk_diagnosis *why)
{
    x->reqs = "";
    x->level = DNA_LEVEL_DECISION;
    for (size_t i = 0; i < why->num_rows; i++)
        for (const uint16_t *b = why->rows[i]->because; *b != DNA_REQ_END; b++)
            add_req(pool, x, *b);
    for (size_t i = 0; i < why->num_reqs && !why->num_rows; i++)
        add_req(pool, x, why->reqs[i]);
}

static const char *join_expected(struct dna_pool *pool, const struct oracle_walk *w,
                                 const struct dna_walk_diagnosis *why)
{
    const char *text = "";

    for (size_t i = 0; i < why->num_expected; i++)
        text = dna_pool_printf(pool, "%s%s%s", text, i ? " or " : "",
                               w->machine->dos[why->expected[i]].name);
    return *text ? text : "nothing";
}

/* the walk's own words, without the requirements at their end */
static int before_state(const char *text)
{
    const char *state = strstr(text, "; state");
    size_t len = strlen(text);

    if (state && strchr(state + 1, ';'))
        len = (size_t)(strchr(state + 1, ';') - text);
    return (int)len;
}

static void object(struct oracle_walk *w, const struct dna_xnode *node)
{
    struct dna_oracle *o = w->conn->oracle;
    const struct dna_walk_diagnosis *why = dna_walk_why(w->walk);
    struct dna_objection *x;

    if (o->counts.objections++ >= MAX_OBJECTIONS)
        return;
    x = dna_pool_alloc(o->pool, sizeof(*x));
    x->conn = w->conn->label;
    x->element = node ? oracle_element(o->pool, node) : "";
    x->machine = w->machine->name;
    x->expected = join_expected(o->pool, w, why);
    x->rows = join_rows(o->pool, why);
    cite(o->pool, x, why);
    x->step = why->step;
    x->text = dna_pool_printf(o->pool, "%s%s%s%s%s: %.*s; %s %s", x->conn, w->peer ? " " : "",
                              w->peer ? w->peer : "", w->iut ? ">" : "", w->iut ? w->iut : "",
                              before_state(why->text), why->text, dna_level_name(x->level),
                              x->reqs);
    *o->tail = x;
    o->tail = &x->next;
}

static void weigh(struct oracle_walk *w, enum dna_walk_verdict verdict,
                  const struct dna_xnode *node)
{
    if (verdict == DNA_WALK_OK)
        return;
    w->dead = true;
    if (verdict == DNA_WALK_FAIL)
        object(w, node);
    else
        w->conn->oracle->counts.gave_up++;
}

static bool judges(const struct oracle_walk *w)
{
    return !w->dead && !w->conn->blind && !w->conn->oracle->deaf;
}

void oracle_out(struct oracle_walk *w, const struct dna_xnode *node, const uint8_t *outs,
                size_t num)
{
    if (judges(w))
        weigh(w, dna_walk_output_any(w->walk, outs, num), node);
}

void oracle_out1(struct oracle_walk *w, const struct dna_xnode *node, uint32_t out)
{
    uint8_t outs[1] = { (uint8_t)out };

    oracle_out(w, node, outs, 1);
}

void oracle_out_like(struct oracle_walk *w, const struct dna_xnode *node, const char *prefix,
                     const char *const *but)
{
    uint8_t outs[32];
    size_t num = 0;

    for (uint32_t i = 1; i < w->machine->num_dos && num < sizeof(outs); i++) {
        const struct dna_do *d = &w->machine->dos[i];
        bool left_out = d->kind != DNA_WIRE || strncmp(d->name, prefix, strlen(prefix)) != 0;

        for (size_t k = 0; but && but[k] && !left_out; k++)
            left_out = strcmp(d->name, but[k]) == 0;
        if (!left_out)
            outs[num++] = (uint8_t)i;
    }
    oracle_out(w, node, outs, num);
}

void oracle_settle(struct oracle_walk *w)
{
    if (judges(w))
        weigh(w, dna_walk_settle(w->walk), NULL);
}

/* ---- a stream's variables ---- */

void oracle_say(struct dna_oracle_conn *conn, uint32_t *field, const char *name, uint32_t value)
{
    if (*field == value)
        return;
    *field = value;
    for (struct oracle_walk *w = conn->walks; w; w = w->next)
        if (!w->dead)
            dna_walk_stream(w->walk, name, value);
}

void oracle_restart(struct dna_oracle_conn *conn, bool starttls)
{
    for (struct oracle_walk *w = conn->walks; w; w = w->next) {
        if (w->dead)
            continue;
        dna_walk_restart(w->walk, starttls);
        say_all(w);
    }
}

void oracle_tell_all(struct dna_oracle_conn *conn, const char *event)
{
    for (struct oracle_walk *w = conn->walks; w; w = w->next)
        for (uint32_t i = 0; i < w->machine->num_events; i++)
            if (strcmp(w->machine->events[i].name, event) == 0)
                oracle_event(w, i, NULL);
}

/* ---- what we send ---- */

static void sent_element(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    if (conn->kind == DNA_ORACLE_C2S)
        oracle_c2s_sent(conn, node);
    else if (strcmp(node->ns, DNA_NS_DIALBACK) == 0)
        oracle_dialback_sent(conn, node);
    else if (oracle_is_stanza(node))
        oracle_stanza_sent(conn, node);
    else
        oracle_stream_sent(conn, node);
}

static void on_sent(enum dna_wire_kind kind, struct dna_xnode *node, const char *note, void *arg)
{
    struct dna_oracle_conn *conn = arg;

    (void)note;
    if (conn->s.secured == NO && conn->s.handshaking == OPEN)
        conn->oracle->deaf = true;
    switch (kind) {
    case DNA_WIRE_HEADER:
        if (!conn->header_ok)
            conn->blind = true; /* sent before its time: who knows when it is read */
        conn->header_ok = false;
        if (conn->kind == DNA_ORACLE_C2S)
            oracle_c2s_sent_header(conn, node);
        else
            oracle_stream_sent_header(conn, node);
        break;
    case DNA_WIRE_ELEMENT:
        sent_element(conn, node);
        break;
    case DNA_WIRE_CLOSE:
        oracle_stream_ended(conn, true);
        break;
    default:
        conn->oracle->deaf = true; /* the other side may read more out of it than we do */
        break;
    }
}

/* STARTTLS and its answer end what is said in clear: what stands behind them is an attack */
static bool ends_clear(const struct dna_oracle_conn *conn, const char *bytes, size_t len)
{
    const char *word = conn->kind == DNA_ORACLE_INITIATING ? "<proceed" : "<starttls";
    const char *end = len ? memchr(bytes, '>', len) : NULL;

    return len > strlen(word) && strncmp(bytes, word, strlen(word)) == 0 && end &&
           end == bytes + len - 1;
}

void dna_oracle_sent(struct dna_oracle_conn *conn, const char *bytes, size_t len)
{
    bool clear = conn->s.secured == NO;

    if (clear && conn->s.handshaking == OPEN)
        conn->oracle->deaf = true;
    if (clear && !ends_clear(conn, bytes, len) &&
        (memmem(bytes, len, "<starttls", 9) || memmem(bytes, len, "<proceed", 8)) &&
        !memmem(bytes, len, "features>", 9))
        conn->oracle->deaf = true;
    dna_wire_xml_feed(conn->sent, bytes, len);
}

void dna_oracle_fin(struct dna_oracle_conn *conn)
{
    oracle_stream_ended(conn, false);
}

/* ---- what comes ---- */

/* A header that is followed by a stream error may be there for the error's sake (RFC 6120 4.9.1.2),
 * so a header is judged with what comes behind it. */
static void judge_header(struct dna_oracle_conn *conn)
{
    const struct dna_xnode *header = conn->header;

    conn->header = NULL;
    if (header)
        oracle_stream_judge_header(conn, header);
}

static void got_element(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    if (!dna_xnode_is(node, DNA_NS_STREAM, "error"))
        judge_header(conn);
    if (dna_xnode_is(node, DNA_NS_STREAM, "error"))
        conn->over = true;
    else if (conn->kind == DNA_ORACLE_C2S)
        oracle_c2s_got(conn, node);
    else if (strcmp(node->ns, DNA_NS_DIALBACK) == 0)
        oracle_dialback_got(conn, node);
    else if (oracle_is_stanza(node))
        oracle_stanza_got(conn, node);
    else
        oracle_stream_got(conn, node);
}

void dna_oracle_got(struct dna_oracle_conn *conn, enum dna_wire_kind kind,
                    const struct dna_xnode *node)
{
    if (conn->over)
        return;
    switch (kind) {
    case DNA_WIRE_UP:
        break;
    case DNA_WIRE_HEADER:
        conn->oracle->counts.elements++;
        judge_header(conn);
        oracle_stream_got_header(conn, node);
        conn->header = node;
        break;
    case DNA_WIRE_ELEMENT:
        conn->oracle->counts.elements++;
        got_element(conn, node);
        break;
    case DNA_WIRE_TLS_UP:
        judge_header(conn);
        oracle_stream_secured(conn);
        break;
    default:
        conn->over = true;
        break;
    }
}

void dna_oracle_tls(struct dna_oracle_conn *conn, const struct dna_cert *cert, bool plain)
{
    conn->cert = cert;
    conn->plain = plain;
    conn->tls = true;
    dna_wire_xml_reset(conn->sent);
    if (conn->kind == DNA_ORACLE_INITIATING)
        oracle_authority_secured(conn);
}

void dna_oracle_shown(struct dna_oracle_conn *conn, bool shown)
{
    conn->shown = shown ? YES : NO;
}

/* ---- the whole ---- */

struct dna_oracle *dna_oracle_new(const struct dna_oracle_setup *setup)
{
    struct dna_oracle *o = dna_xcalloc(1, sizeof(*o));

    o->pool = dna_pool_new();
    o->setup = *setup;
    o->tail = &o->objections;
    if (setup->root) {
        o->store = X509_STORE_new();
        if (o->store)
            X509_STORE_add_cert(o->store, setup->root);
    }
    return o;
}

struct dna_oracle_conn *dna_oracle_connect(struct dna_oracle *o, enum dna_oracle_kind kind,
                                           const char *label)
{
    struct dna_oracle_conn *conn = dna_pool_alloc(o->pool, sizeof(*conn));

    conn->oracle = o;
    conn->kind = kind;
    conn->label = dna_pool_strdup(o->pool, label);
    conn->sent = dna_wire_xml_new(o->pool, on_sent, conn);
    conn->s.we_opened = kind == DNA_ORACLE_INITIATING;
    conn->header_ok = kind != DNA_ORACLE_INITIATING;
    conn->shown = OPEN;
    conn->next = o->conns;
    o->conns = conn;
    oracle_stream_begin(conn);
    return conn;
}

void dna_oracle_free(struct dna_oracle *o)
{
    if (!o)
        return;
    for (struct dna_oracle_conn *c = o->conns; c; c = c->next) {
        for (struct oracle_walk *w = c->walks; w; w = w->next)
            dna_walk_free(w->walk);
        dna_wire_xml_free(c->sent);
    }
    X509_STORE_free(o->store);
    dna_pool_free(o->pool);
    free(o);
}

const struct dna_objection *dna_oracle_objections(const struct dna_oracle *o)
{
    return o->objections;
}

struct dna_oracle_counts dna_oracle_counts(const struct dna_oracle *o)
{
    return o->counts;
}
