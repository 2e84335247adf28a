/* SPDX-License-Identifier: MIT */
/* look_stream.c -- the connection of a look: bytes and timers turned into events of whichever
   machine it has, with the facts that both have in common. */
#include <stdlib.h>
#include <string.h>

#include "impl/jid.h"
#include "impl/look_internal.h"

static void event(struct look *l, enum look_event on)
{
    l->on = on;
    l->kind->event(l, on);
}

static const char *domain(const struct look *l)
{
    return l->all->options->domain;
}

static bool same_domain(const char *a, const char *b)
{
    char name[256];

    return dna_domain_prepare(a, name, sizeof name, NULL, 0) && strcmp(name, b) == 0;
}

static void on_header(void *arg, const struct dna_xml_node *h)
{
    struct look *l = arg;
    const char *from = dna_xml_get(h, "from"), *id = dna_xml_get(h, "id");
    const char *version = dna_xml_get(h, "version");

    l->facts = (struct look_facts){
        .stream_namespace = dna_xml_is(h, DNA_NS_STREAM, "stream"),
        .content_namespace = strcmp(dna_xml_default_ns(h), l->kind->content_namespace) == 0,
        .id_given = id && id[0],
        .from_agrees = !from || same_domain(from, domain(l)),
        .version_one = version && strtol(version, NULL, 10) >= 1,
        .dialback_declared = dna_xml_declares(h, "db", DNA_NS_DIALBACK),
        .verdict = l->facts.verdict,
    };
    dna_look_record_header(l, h);
    event(l, LOOK_HEADER);
}

static bool offers_external(const struct dna_xml_node *features)
{
    const struct dna_xml_node *m = dna_xml_child(features, DNA_NS_SASL, "mechanisms");
    bool found = false;

    for (const struct dna_xml_node *c = m ? m->children : NULL; c && !found; c = c->next) {
        struct dna_buf b = DNA_BUF_INIT;
        dna_buf_puts(&b, "");
        dna_xml_text(c, &b);
        found = dna_xml_is(c, DNA_NS_SASL, "mechanism") && strcmp(b.at, "EXTERNAL") == 0;
        dna_buf_cleanup(&b);
    }
    return found;
}

static void on_features(struct look *l)
{
    const struct dna_xml_node *f = l->element;
    const struct dna_xml_node *dialback = dna_xml_child(f, DNA_NS_DIALBACK_FEATURE, "dialback");

    l->facts.starttls = dna_xml_child(f, DNA_NS_TLS, "starttls") != NULL;
    l->facts.external = offers_external(f);
    l->facts.dialback = dialback != NULL;
    l->facts.errors = dialback && dna_xml_child(dialback, DNA_NS_DIALBACK_FEATURE, "errors");
    l->facts.bidi = dna_xml_child(f, DNA_NS_BIDI_FEATURE, "bidi") != NULL;
    l->facts.bind = dna_xml_child(f, DNA_NS_BIND, "bind") != NULL;
    dna_look_record_features(l, f);
    event(l, LOOK_FEATURES);
}

static void on_stream_error(struct look *l)
{
    const struct dna_xml_node *why = dna_xml_child(l->element, DNA_NS_STREAM_ERRORS, NULL);
    const char *condition = why ? why->name : "(no condition)";

    json_object_set_new(l->record, "stream_error", dna_look_string(condition));
    event(l, LOOK_STREAM_ERROR);
}

static void on_element(void *arg, const struct dna_xml_node *e)
{
    struct look *l = arg;

    l->element = e;
    if (dna_xml_is(e, DNA_NS_STREAM, "error"))
        on_stream_error(l);
    else if (l->deaf)
        ;
    else if (dna_xml_is(e, DNA_NS_STREAM, "features"))
        on_features(l);
    else if (dna_xml_is(e, DNA_NS_TLS, "proceed"))
        dna_look_starttls(l, starttls_initiating_E_RX_PROCEED);
    else if (dna_xml_is(e, DNA_NS_TLS, "failure"))
        dna_look_starttls(l, starttls_initiating_E_RX_TLS_FAILURE);
    else
        event(l, LOOK_OTHER);
    l->element = NULL;
}

static void on_stream_end(void *arg)
{
    event(arg, LOOK_CLOSE);
}

static void on_xml_error(void *arg, enum dna_xml_error why)
{
    struct look *l = arg;

    l->xml_error = why;
    event(l, LOOK_BAD_XML);
}

static void on_tls_up(void *arg)
{
    dna_look_starttls(arg, starttls_initiating_E_TLS_UP);
}

static void on_tls_failed(void *arg, const char *why)
{
    dna_look_problem(arg, "no-tls", "the TLS handshake failed: %s", why);
    dna_look_starttls(arg, starttls_initiating_E_TLS_FAILED);
}

static void on_closed(void *arg, enum dna_conn_end how, const char *why)
{
    struct look *l = arg;

    (void)how;
    (void)why;
    event(l, LOOK_GONE);
    dna_look_over(l);
}

static void on_negotiation_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event(arg, LOOK_TIME_OUT);
}

static void on_closing_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event(arg, LOOK_CLOSE_TIME_OUT);
}

void dna_look_begin_stream(struct look *l)
{
    l->negotiation = evtimer_new(l->all->base, on_negotiation_timer, l);
    l->closing = evtimer_new(l->all->base, on_closing_timer, l);
    if (!l->negotiation || !l->closing)
        abort();
    dna_stream_vars_init(&l->vars);
    dna_instance_init(&dna_machine_starttls_initiating, &l->starttls);
    l->kind->begin(l);
}

void dna_look_connected(struct look *l, struct dna_conn *conn)
{
    static const struct dna_conn_handler handler = {
        .header = on_header,
        .element = on_element,
        .stream_end = on_stream_end,
        .xml_error = on_xml_error,
        .tls_up = on_tls_up,
        .tls_failed = on_tls_failed,
        .closed = on_closed,
    };

    l->conn = conn;
    dna_conn_set_handler(conn, &handler, l);
    dna_look_deadline(l->negotiation, l->all->options->negotiation_ms);
    event(l, LOOK_TCP_UP);
}

/* --- what both kinds of stream send --- */

void dna_look_send_header(struct look *l, const char *from, const char *declarations)
{
    struct dna_buf b = DNA_BUF_INIT;

    dna_conn_restart_xml(l->conn, LOOK_LIMIT);
    dna_buf_printf(&b,
                   "<?xml version='1.0'?><stream:stream xmlns='%s' xmlns:stream='" DNA_NS_STREAM
                   "'%s",
                   l->kind->content_namespace, declarations);
    dna_buf_attr(&b, "from", from);
    dna_buf_attr(&b, "to", domain(l));
    dna_buf_puts(&b, " version='1.0' xml:lang='en'>");
    dna_conn_send(l->conn, b.at, b.len);
    dna_buf_cleanup(&b);
}

void dna_look_error(struct look *l, const char *condition)
{
    struct dna_buf b = DNA_BUF_INIT;

    dna_buf_printf(&b, "<stream:error><%s xmlns='" DNA_NS_STREAM_ERRORS "'/></stream:error>",
                   condition);
    dna_conn_send(l->conn, b.at, b.len);
    dna_buf_cleanup(&b);
}

void dna_look_send_close(struct look *l)
{
    dna_conn_close(l->conn);
    dna_conn_resume(l->conn); /* the peer's closing tag is waited for, whatever else was */
    dna_look_deadline(l->closing, l->all->options->close_ms);
}

void dna_look_drop(struct look *l)
{
    dna_conn_drop(l->conn, l->all->options->close_ms);
}

void dna_look_failed(struct look *l)
{
    static const struct {
        const char *outcome, *why;
    } ends[LOOK_NUM_EVENTS] = {
        [LOOK_HEADER] = { "refused", "the server's stream header is not fit for this service" },
        [LOOK_FEATURES] = { "no-tls", "the server offers no STARTTLS" },
        [LOOK_SECURED] = { "checked", "the authenticated negative ends the stream" },
        [LOOK_TLS_FAILED] = { "no-tls", "the server refused STARTTLS" },
        [LOOK_STREAM_ERROR] = { "refused", "the server ended the stream with an error" },
        [LOOK_CLOSE] = { "refused", "the server closed the stream" },
        [LOOK_GONE] = { "lost", "the connection was lost" },
        [LOOK_TIME_OUT] = { "lost", "the server did not go on in time" },
    };
    const char *outcome = ends[l->on].outcome;

    dna_look_problem(l, outcome ? outcome : "refused", "%s",
                     outcome ? ends[l->on].why : "what the server sends is no XMPP stream");
}
