/* SPDX-License-Identifier: MIT */
/* router: see router.h. Delivery follows RFC 6120 10.5 and RFC 6121 8.5 as far as a server without
 * rosters and without offline storage can. Sessions of one account hang on its bare JID. */
#include "impl/router.h"

#include <stdlib.h>
#include <string.h>

#include "impl/hash.h"
#include "impl/jid.h"

struct account;
struct session {
    dna_router_deliver deliver;
    void *arg;
    struct account *account;
    struct session *next;
    bool available;
};
struct account {
    struct session *sessions;
};
struct dna_router {
    struct dna_hash domains, accounts, sessions;
    dna_router_remote remote;
    void *remote_arg;
};
/* One stanza on its way. */
struct way {
    struct dna_router *r;
    const struct dna_xml_node *stanza;
    const char *from_ns, *from, *to, *type;
    struct dna_jid sender, target;
    char bare[DNA_JID_MAX + 1], full[DNA_JID_MAX + 1];
};

static int here; /* the value of a domain in its table */

struct dna_router *dna_router_new(void)
{
    return dna_calloc(1, sizeof(struct dna_router));
}

static void free_value(void *value, void *arg)
{
    (void)arg;
    free(value);
}

void dna_router_free(struct dna_router *r)
{
    if (!r)
        return;
    dna_hash_each(&r->sessions, free_value, NULL);
    dna_hash_each(&r->accounts, free_value, NULL);
    dna_hash_cleanup(&r->domains);
    dna_hash_cleanup(&r->accounts);
    dna_hash_cleanup(&r->sessions);
    free(r);
}

void dna_router_host(struct dna_router *r, const char *domain)
{
    (void)dna_hash_put(&r->domains, domain, &here);
}

void dna_router_account(struct dna_router *r, const char *bare_jid)
{
    if (!dna_hash_get(&r->accounts, bare_jid))
        (void)dna_hash_put(&r->accounts, bare_jid, dna_calloc(1, sizeof(struct account)));
}

bool dna_router_hosts(const struct dna_router *r, const char *domain)
{
    return dna_hash_get(&r->domains, domain) != NULL;
}

void dna_router_set_remote(struct dna_router *r, dna_router_remote remote, void *arg)
{
    r->remote = remote;
    r->remote_arg = arg;
}

static void join(char *out, size_t len, const char *a, char between, const char *b)
{
    struct dna_buf t = DNA_BUF_INIT;
    dna_buf_printf(&t, "%s%c%s", a, between, b);
    size_t n = t.len < len ? t.len : len - 1;
    memcpy(out, t.at, n);
    out[n] = '\0';
    dna_buf_cleanup(&t);
}

/* The prepared forms under which sessions and accounts are kept. */
static void prepared(const struct dna_jid *jid, char bare[DNA_JID_MAX + 1],
                     char full[DNA_JID_MAX + 1])
{
    join(bare, DNA_JID_MAX + 1, jid->local, '@', jid->domain);
    join(full, DNA_JID_MAX + 1, bare, '/', jid->resource);
}

bool dna_router_register(struct dna_router *r, const char *full_jid, dna_router_deliver deliver,
                         void *arg)
{
    struct dna_jid jid;
    char bare[DNA_JID_MAX + 1], full[DNA_JID_MAX + 1];
    if (!dna_jid_parse(full_jid, &jid))
        return false;
    prepared(&jid, bare, full);
    struct account *a = dna_hash_get(&r->accounts, bare);
    if (!a || !jid.resource[0] || dna_hash_get(&r->sessions, full))
        return false;
    struct session *s = dna_calloc(1, sizeof *s);
    s->deliver = deliver;
    s->arg = arg;
    s->account = a;
    s->next = a->sessions;
    a->sessions = s;
    (void)dna_hash_put(&r->sessions, full, s);
    return true;
}

static struct session *session_of(struct dna_router *r, const char *full_jid, bool remove)
{
    struct dna_jid jid;
    char bare[DNA_JID_MAX + 1], full[DNA_JID_MAX + 1];
    if (!dna_jid_parse(full_jid, &jid))
        return NULL;
    prepared(&jid, bare, full);
    return remove ? dna_hash_remove(&r->sessions, full) : dna_hash_get(&r->sessions, full);
}

void dna_router_unregister(struct dna_router *r, const char *full_jid)
{
    struct session *s = session_of(r, full_jid, true);
    if (!s)
        return;
    struct session **at = &s->account->sessions;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    free(s);
}

void dna_router_available(struct dna_router *r, const char *full_jid, bool available)
{
    struct session *s = session_of(r, full_jid, false);
    if (s)
        s->available = available;
}

static void deliver_to(const struct way *w, struct session *s)
{
    const struct dna_xml_override o[] = { { "from", w->from }, { NULL, NULL } };
    struct dna_buf b = DNA_BUF_INIT;
    dna_xml_write(&b, w->stanza, w->from_ns, DNA_NS_CLIENT, o);
    s->deliver(s->arg, b.at, b.len);
    dna_buf_cleanup(&b);
}

static bool deliver_available(const struct way *w, struct account *a)
{
    bool any = false;
    for (struct session *s = a->sessions, *next; s; s = next) {
        next = s->next;
        if (!s->available)
            continue;
        deliver_to(w, s);
        any = true;
    }
    return any;
}

const char *dna_stanza_error_type(const char *condition)
{
    static const struct {
        const char *condition, *type;
    } table[] = { { "bad-request", "modify" },           { "forbidden", "auth" },
                  { "jid-malformed", "modify" },         { "not-authorized", "auth" },
                  { "policy-violation", "modify" },      { "remote-server-timeout", "wait" },
                  { "resource-constraint", "wait" } };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(condition, table[i].condition) == 0)
            return table[i].type;
    return "cancel";
}

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

/* RFC 6120 8.3.1: an error, and an iq that is itself an answer, gets no error back. */
static bool answerable(const struct dna_xml_node *stanza)
{
    const char *type = dna_xml_get(stanza, "type");
    return !is(type, "error") && !(is(stanza->name, "iq") && is(type, "result"));
}

static void route_text(void *arg, const struct dna_xml_node *root)
{
    dna_router_route(arg, root, "", NULL);
}

static void send_made(struct dna_router *r, struct dna_buf *b)
{
    (void)dna_xml_parse_text(b->at, b->len, route_text, r);
    dna_buf_cleanup(b);
}

static void answer_head(struct dna_buf *b, const struct dna_xml_node *stanza, const char *type,
                        const char *to, const char *from)
{
    dna_buf_printf(b, "<%s type='%s'", stanza->name, type);
    dna_buf_attr(b, "id", dna_xml_get(stanza, "id"));
    dna_buf_attr(b, "from", from);
    dna_buf_attr(b, "to", to);
}

static void bounce_node(struct dna_router *r, const struct dna_xml_node *stanza, const char *from,
                        const char *type, const char *condition)
{
    if (!answerable(stanza) || !from)
        return;
    struct dna_buf b = DNA_BUF_INIT;
    answer_head(&b, stanza, "error", from, dna_xml_get(stanza, "to"));
    dna_buf_printf(&b, "><error type='%s'><%s xmlns='%s'/></error></%s>", type, condition,
                   DNA_NS_STANZA_ERRORS, stanza->name);
    send_made(r, &b);
}

static void refuse(const struct way *w, const char *condition)
{
    bounce_node(w->r, w->stanza, w->from, dna_stanza_error_type(condition), condition);
}

struct bounce {
    struct dna_router *r;
    const char *type, *condition;
};

static void bounce_parsed(void *arg, const struct dna_xml_node *root)
{
    struct bounce *b = arg;
    bounce_node(b->r, root, dna_xml_get(root, "from"), b->type, b->condition);
}

void dna_router_bounce(struct dna_router *r, const char *text, size_t len, const char *type,
                       const char *condition)
{
    struct bounce b = { r, type ? type : dna_stanza_error_type(condition), condition };
    (void)dna_xml_parse_text(text, len, bounce_parsed, &b);
}

static const char *own_address(const struct way *w)
{
    return w->to ? w->to : w->bare;
}

/* What the server itself answers, for a domain or on behalf of an account. */
static void ask_server(const struct way *w)
{
    const struct dna_xml_node *child = dna_xml_child(w->stanza, NULL, NULL);
    bool get = is(w->type, "get");
    if (!is(w->stanza->name, "iq") || !answerable(w->stanza))
        return;
    struct dna_buf b = DNA_BUF_INIT;
    answer_head(&b, w->stanza, "result", w->from, own_address(w));
    if (get && dna_xml_is(child, DNA_NS_PING, "ping")) {
        dna_buf_puts(&b, "/>");
        send_made(w->r, &b);
    } else if (get && dna_xml_is(child, DNA_NS_DISCO_INFO, "query") &&
               !dna_xml_get(child, "node")) {
        dna_buf_printf(&b,
                       "><query xmlns='%s'><identity category='%s' type='%s' name='xdna'/>"
                       "<feature var='%s'/><feature var='%s'/></query></iq>",
                       DNA_NS_DISCO_INFO, w->target.local[0] ? "account" : "server",
                       w->target.local[0] ? "registered" : "im", DNA_NS_DISCO_INFO, DNA_NS_PING);
        send_made(w->r, &b);
    } else {
        dna_buf_cleanup(&b);
        refuse(w, "service-unavailable");
    }
}

static void to_account(const struct way *w, struct account *a)
{
    bool message = is(w->stanza->name, "message");
    if (is(w->stanza->name, "iq")) {
        if (w->target.resource[0])
            refuse(w, "service-unavailable");
        else
            ask_server(w);
        return;
    }
    bool chat = !w->type || is(w->type, "normal") || is(w->type, "chat");
    if (message && !chat && !is(w->type, "headline")) {
        refuse(w, "service-unavailable");
        return;
    }
    if (!deliver_available(w, a) && message && chat)
        refuse(w, "service-unavailable");
}

static void to_here(const struct way *w)
{
    struct session *s = w->target.resource[0] ? dna_hash_get(&w->r->sessions, w->full) : NULL;
    struct account *a = dna_hash_get(&w->r->accounts, w->bare);
    if (s)
        deliver_to(w, s);
    else if (!w->target.local[0] && is(w->stanza->name, "iq"))
        ask_server(w);
    else if (a)
        to_account(w, a);
    else if (!is(w->stanza->name, "presence"))
        refuse(w, "service-unavailable");
}

static void to_remote(const struct way *w)
{
    const struct dna_xml_override o[] = { { "from", w->from }, { NULL, NULL } };
    struct dna_buf b = DNA_BUF_INIT;
    if (!w->r->remote) {
        refuse(w, "remote-server-not-found");
        return;
    }
    dna_xml_write(&b, w->stanza, w->from_ns, DNA_NS_SERVER, o);
    w->r->remote(w->r->remote_arg, w->sender.domain, w->target.domain, w->stanza, b.at, b.len);
    dna_buf_cleanup(&b);
}

void dna_router_route(struct dna_router *r, const struct dna_xml_node *stanza, const char *from_ns,
                      const char *from)
{
    struct way *w = dna_calloc(1, sizeof *w);
    w->r = r;
    w->stanza = stanza;
    w->from_ns = from_ns;
    w->from = from ? from : dna_xml_get(stanza, "from");
    w->to = dna_xml_get(stanza, "to");
    w->type = dna_xml_get(stanza, "type");
    bool known = w->from && dna_jid_parse(w->from, &w->sender);
    if (w->from) { /* an error about a malformed address comes from that very address */
        bool addressed = !w->to || dna_jid_parse(w->to, &w->target);
        if (!w->to) {
            w->target = w->sender;
            w->target.resource[0] = '\0';
        }
        prepared(&w->target, w->bare, w->full);
        if (!addressed)
            refuse(w, "jid-malformed");
        else if (dna_router_hosts(r, w->target.domain))
            to_here(w);
        else if (known)
            to_remote(w);
    }
    free(w);
}
