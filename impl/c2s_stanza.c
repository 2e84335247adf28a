/* SPDX-License-Identifier: MIT */
/* c2s_stanza.c -- what a client may do once it is logged in: bind a resource, be available, send
   stanzas.  Just enough of RFC 6121 that ordinary clients work: an empty roster, presence to the
   account's own resources and to addresses that the client names itself; no subscriptions. */
#include <stdlib.h>
#include <string.h>

#include "impl/c2s_internal.h"

#define NS_ROSTER "jabber:iq:roster"

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static void deliver(void *arg, const char *text, size_t len)
{
    struct dna_c2s_session *s = arg;

    dna_conn_send(s->conn, text, len);
    if (dna_conn_pending(s->conn) > DNA_C2S_PENDING_MAX)
        event_active(s->giving_up, EV_TIMEOUT, 0);
}

static void iq_head(struct dna_buf *b, const struct dna_xml_node *iq, const char *type)
{
    dna_buf_printf(b, "<iq type='%s'", type);
    dna_buf_attr(b, "id", dna_xml_get(iq, "id"));
}

static void put(struct dna_c2s_session *s, struct dna_buf *b)
{
    dna_conn_send(s->conn, b->at, b->len);
    dna_buf_cleanup(b);
}

/* Registers local@domain/resource; false if it is taken. */
static bool try_resource(struct dna_c2s_session *s, const char *resource)
{
    struct dna_buf jid = DNA_BUF_INIT;

    dna_buf_printf(&jid, "%s@%s/%s", s->local, s->domain->name, resource);
    if (!dna_router_register(s->service->setup.router, jid.at, deliver, s)) {
        dna_buf_cleanup(&jid);
        return false;
    }
    s->jid = jid.at; /* the session owns it now */
    return true;
}

/* req R6120_7_7_1_1: a resource asked for is accepted; req R6120_7_6_1: one that is taken or can't
   be used is replaced by a random one. */
void dna_c2s_bind(struct dna_c2s_session *s)
{
    const struct dna_xml_node *bind = dna_xml_child(s->element, DNA_NS_BIND, "bind");
    const struct dna_xml_node *resource = dna_xml_child(bind, DNA_NS_BIND, "resource");
    struct dna_buf wanted = DNA_BUF_INIT, b = DNA_BUF_INIT;
    char made[DNA_ID_LEN + 1];
    bool done;

    if (resource)
        dna_xml_text(resource, &wanted);
    done = wanted.len && dna_resource_valid(wanted.at) && try_resource(s, wanted.at);
    for (int tries = 0; !done && tries < 4; tries++) {
        dna_id_make(made);
        done = try_resource(s, made);
    }
    if (!done) { /* 128 random bits taken four times over, or an account the router was not told */
        dna_dead_end(s->knobs);
        dna_buf_cleanup(&wanted);
        return;
    }
    iq_head(&b, s->element, "result");
    dna_buf_puts(&b, "><bind xmlns='" DNA_NS_BIND "'><jid>");
    dna_buf_escape(&b, s->jid);
    dna_buf_puts(&b, "</jid></bind></iq>");
    put(s, &b);
    dna_buf_cleanup(&wanted);
}

void dna_c2s_refuse_bind(struct dna_c2s_session *s)
{
    struct dna_buf b = DNA_BUF_INIT;

    iq_head(&b, s->element, "error");
    dna_buf_puts(&b, "><error type='cancel'><not-allowed xmlns='" DNA_NS_STANZA_ERRORS
                     "'/></error></iq>");
    put(s, &b);
}

/* Is the stanza for the account itself, or for its server where that may answer instead? */
static bool for_us(const struct dna_c2s_session *s, bool server_too)
{
    const char *to = dna_xml_get(s->element, "to");
    struct dna_jid *jid = dna_calloc(1, sizeof *jid);
    bool ours = !to;

    if (to && dna_jid_parse(to, jid) && !jid->resource[0] &&
        strcmp(jid->domain, s->domain->name) == 0)
        ours = strcmp(jid->local, s->local) == 0 || (server_too && !jid->local[0]);
    free(jid);
    return ours;
}

/* Two questions that every client asks before it believes to be online. */
static bool answered_here(struct dna_c2s_session *s)
{
    const char *type = dna_xml_get(s->element, "type");
    bool roster = is(type, "get") && dna_xml_child(s->element, NS_ROSTER, "query");
    bool session = is(type, "set") && dna_xml_child(s->element, DNA_NS_SESSION, "session");
    struct dna_buf b = DNA_BUF_INIT;

    if (!is(s->element->name, "iq") || !(roster || session) || !for_us(s, session))
        return false;
    iq_head(&b, s->element, "result");
    dna_buf_attr(&b, "to", s->jid);
    dna_buf_puts(&b, roster ? "><query xmlns='" NS_ROSTER "'/></iq>" : "/>");
    put(s, &b);
    return true;
}

static bool may_get_messages(const struct dna_xml_node *presence)
{
    const struct dna_xml_node *priority = dna_xml_child(presence, DNA_NS_CLIENT, "priority");
    struct dna_buf text = DNA_BUF_INIT;
    bool negative;

    if (priority)
        dna_xml_text(priority, &text);
    negative = text.len && text.at[strspn(text.at, " \t\r\n")] == '-';
    dna_buf_cleanup(&text);
    return !negative;
}

static size_t directed_at(const struct dna_c2s_session *s, const char *to)
{
    size_t i = 0;

    while (i < s->num_directed && strcmp(s->directed[i], to) != 0)
        i++;
    return i;
}

/* RFC 6121 4.6.3: who got our presence directly must hear that we go. */
static void remember_directed(struct dna_c2s_session *s, const char *to, bool available)
{
    size_t at = directed_at(s, to);

    if (available && at == s->num_directed && at < DNA_C2S_DIRECTED_MAX) {
        if (!s->directed)
            s->directed = dna_calloc(DNA_C2S_DIRECTED_MAX, sizeof *s->directed);
        s->directed[s->num_directed++] = dna_strdup(to);
    } else if (!available && at < s->num_directed) {
        free(s->directed[at]);
        s->directed[at] = s->directed[--s->num_directed];
    }
}

static void note_presence(struct dna_c2s_session *s)
{
    const char *type = dna_xml_get(s->element, "type"), *to = dna_xml_get(s->element, "to");
    bool available = !type;

    if (!available && strcmp(type, "unavailable") != 0)
        return;
    if (to)
        remember_directed(s, to, available);
    else
        dna_router_available(s->service->setup.router, s->jid,
                             available && may_get_messages(s->element));
}

/* req R6120_8_1_2_1_1: subscription requests bear the bare JID, all else the full one. */
static bool wants_bare(const struct dna_xml_node *stanza)
{
    const char *type = dna_xml_get(stanza, "type");

    return is(stanza->name, "presence") && type &&
           (strstr(type, "subscribe") == type || strstr(type, "unsubscribe") == type);
}

void dna_c2s_route(struct dna_c2s_session *s)
{
    struct dna_buf from = DNA_BUF_INIT;

    if (answered_here(s))
        return;
    if (is(s->element->name, "presence"))
        note_presence(s);
    if (wants_bare(s->element))
        dna_buf_printf(&from, "%s@%s", s->local, s->domain->name);
    else
        dna_buf_puts(&from, s->jid);
    dna_router_route(s->service->setup.router, s->element, DNA_NS_CLIENT, from.at);
    dna_buf_cleanup(&from);
}

struct farewell {
    struct dna_router *router;
    const char *from;
};

static void route_farewell(void *arg, const struct dna_xml_node *presence)
{
    const struct farewell *f = arg;

    dna_router_route(f->router, presence, "", f->from);
}

static void send_unavailable(struct dna_router *router, const char *from, const char *to)
{
    struct farewell f = { router, from };
    struct dna_buf b = DNA_BUF_INIT;

    dna_buf_puts(&b, "<presence type='unavailable'");
    dna_buf_attr(&b, "to", to);
    dna_buf_puts(&b, "/>");
    (void)dna_xml_parse_text(b.at, b.len, route_farewell, &f);
    dna_buf_cleanup(&b);
}

void dna_c2s_unbind(struct dna_c2s_session *s)
{
    struct dna_router *router = s->service->setup.router;
    char *jid = s->jid;

    if (!jid)
        return;
    s->jid = NULL; /* from here on a second call finds nothing to do */
    dna_router_unregister(router, jid);
    send_unavailable(router, jid, NULL);
    for (size_t i = 0; i < s->num_directed; i++) {
        send_unavailable(router, jid, s->directed[i]);
        free(s->directed[i]);
    }
    free(s->directed);
    s->directed = NULL;
    s->num_directed = 0;
    free(jid);
}
