/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. A user of the implementation under test logs in, so that stanzas can be sent
 * from and delivered to an account: header, STARTTLS, SASL PLAIN, resource binding. A login that
 * does not work is set-up that was not reached: INCONC.
 *
 *   header > features(starttls) > proceed > TLS > header > features(PLAIN) > success > bind
 */
#include "conformance/case_run.h"

#include <stdlib.h>
#include <string.h>

enum state { CLEAR, WANT_PROCEED, WANT_TLS, SECURED, WANT_SUCCESS, AUTHENTICATED, WANT_BIND };

struct dna_login {
    struct dna_actor *actor;
    struct dna_conn *conn;
    enum state state;
    struct event *patience; /* a server that never answers ends the case, and not the run */
};

__attribute__((format(printf, 2, 3)))
static void send_text(struct dna_login *l, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = dna_pool_vprintf(l->actor->run->pool, format, args);
    va_end(args);
    dna_conn_send_bytes(l->conn, text, strlen(text));
}

static const char *domain(const struct dna_login *l)
{
    return strchr(l->actor->jid, '@') + 1;
}

static void send_header(struct dna_login *l)
{
    l->conn->sent_to = domain(l);
    send_text(l, "<?xml version='1.0'?><stream:stream to='%s' version='1.0' xml:lang='en' "
              "xmlns='jabber:client' xmlns:stream='" DNA_NS_STREAM "'>", domain(l));
}

static void refuse(struct dna_login *l, const char *got)
{
    struct dna_case_run *run = l->actor->run;
    struct dna_step where = { .file = run->c->scn->file, .line = l->actor->scn->line,
                              .call_line = l->actor->scn->line, .text = "client" };

    dna_run_end(run, DNA_END_WRONG, &where, "login",
                dna_pool_printf(run->pool, "%s logs in (TLS, SASL PLAIN, bind)", l->actor->jid),
                got);
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
    struct dna_login *l = arg;

    (void)fd;
    (void)what;
    refuse(l, dna_pool_printf(l->actor->run->pool, "nothing more for %u ms",
                              l->actor->run->context->timeout_ms));
}

/* A time limit for each answer. */
static void wait_again(struct dna_login *l)
{
    const unsigned ms = l->actor->run->context->timeout_ms;

    event_add(l->patience, &(struct timeval){ ms / 1000, ms % 1000 * 1000 });
}

bool dna_login_start(struct dna_actor *actor)
{
    struct dna_login *l = dna_xcalloc(1, sizeof(*l));

    actor->login = l;
    l->actor = actor;
    l->patience = evtimer_new(actor->run->context->base, on_patience, l);
    wait_again(l);
    l->conn = dna_actor_connect(actor, "", 0, true);
    return l->conn != NULL;
}

void dna_login_free(struct dna_login *l)
{
    if (l)
        event_free(l->patience);
    free(l);
}

static bool offers_plain(struct dna_pool *pool, const struct dna_xnode *features)
{
    const struct dna_xnode *m = dna_xnode_child(features, DNA_NS_SASL, "mechanisms");

    for (const struct dna_xnode *c = m ? m->children : NULL; c; c = c->next)
        if (c->local && strcmp(dna_xnode_text(pool, c), "PLAIN") == 0)
            return true;
    return false;
}

static void send_plain(struct dna_login *l)
{
    struct dna_case_run *run = l->actor->run;
    const char *user = l->actor->scn->user;
    const char *password = dna_pairs_get(&run->context->profile->accounts, user);
    struct dna_buf token = { 0 };
    char *base64;

    dna_buf_add(&token, "", 1);
    dna_buf_puts(&token, user);
    dna_buf_add(&token, "", 1);
    dna_buf_puts(&token, password ? password : "");
    base64 = dna_pool_alloc(run->pool, token.len * 2 + 8);
    EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)token.at, (int)token.len);
    dna_buf_free(&token);
    send_text(l, "<auth xmlns='" DNA_NS_SASL "' mechanism='PLAIN'>%s</auth>", base64);
}

static void on_features(struct dna_login *l, const struct dna_xnode *node)
{
    switch (l->state) {
    case CLEAR:
        if (!dna_xnode_child(node, DNA_NS_TLS, "starttls")) {
            refuse(l, "features without <starttls/>");
            return;
        }
        send_text(l, "<starttls xmlns='" DNA_NS_TLS "'/>");
        l->state = WANT_PROCEED;
        break;
    case SECURED:
        if (!offers_plain(l->actor->run->pool, node)) {
            refuse(l, "features without SASL PLAIN");
            return;
        }
        send_plain(l);
        l->state = WANT_SUCCESS;
        break;
    case AUTHENTICATED:
        send_text(l, "<iq type='set' id='bind'><bind xmlns='" DNA_NS_BIND "'><resource>%s"
                  "</resource></bind></iq>", l->actor->resource);
        l->state = WANT_BIND;
        break;
    default:
        refuse(l, "features that nobody asked for");
    }
}

/* the server may choose another resource than we asked for */
static void bound(struct dna_login *l, const struct dna_xnode *node)
{
    struct dna_actor *a = l->actor;
    struct dna_case_run *run = a->run;
    const struct dna_xnode *bind = dna_xnode_child(node, DNA_NS_BIND, "bind");
    const struct dna_xnode *jid = bind ? dna_xnode_child(bind, DNA_NS_BIND, "jid") : NULL;
    const char *full = jid ? dna_xnode_text(run->pool, jid) : NULL, *slash;

    if (!full || !(slash = strchr(full, '/'))) {
        refuse(l, "no JID after binding");
        return;
    }
    dna_binds_set(&run->vars, a->scn->name, full);
    dna_binds_set(&run->vars, dna_pool_printf(run->pool, "%s.resource", a->scn->name), slash + 1);
    a->login = NULL;
    dna_login_free(l);
    run->logins_left--;
    dna_run_wake(run);
}

static void on_element(struct dna_login *l, const struct dna_xnode *node)
{
    if (dna_xnode_is(node, DNA_NS_STREAM, "features")) {
        on_features(l, node);
    } else if (l->state == WANT_PROCEED && dna_xnode_is(node, DNA_NS_TLS, "proceed")) {
        dna_conn_tls(l->conn, &(struct dna_wire_tls_options){ .sni = domain(l) });
        l->state = WANT_TLS;
    } else if (l->state == WANT_SUCCESS && dna_xnode_is(node, DNA_NS_SASL, "success")) {
        l->state = AUTHENTICATED;
        send_header(l);
    } else if (l->state == WANT_BIND && strcmp(node->local, "iq") == 0 &&
               dna_xnode_attr_value(node, "type") &&
               strcmp(dna_xnode_attr_value(node, "type"), "result") == 0) {
        bound(l, node);
    } else {
        struct dna_conn_event event = { .kind = DNA_WIRE_ELEMENT, .note = "" };

        event.node = (struct dna_xnode *)(uintptr_t)node;
        refuse(l, dna_event_text(l->actor->run->pool, &event));
    }
}

void dna_login_event(struct dna_login *l, enum dna_wire_kind kind, const struct dna_xnode *node,
                     const char *note)
{
    wait_again(l);
    switch (kind) {
    case DNA_WIRE_UP:
        send_header(l);
        break;
    case DNA_WIRE_TLS_UP:
        l->state = SECURED;
        send_header(l);
        break;
    case DNA_WIRE_HEADER:
        break;
    case DNA_WIRE_ELEMENT:
        on_element(l, node);
        break;
    default:
        refuse(l, dna_pool_printf(l->actor->run->pool, "the end of the connection%s%s",
                                  *note ? ": " : "", note));
    }
}
