/* SPDX-License-Identifier: MIT */
/* client.c -- see client.h: the run itself, and what happens outside turned into events with facts.
   What an event leads to is in model/starttls_initiating.def and c2s_client.def. */
#include "impl/client.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "impl/client_internal.h"
#include "impl/log.h"

#define NO_FACTS (&(const struct c2s_client_facts){ 0 })

static uint64_t log_id(const struct dna_client *c)
{
    return c->conn ? dna_conn_id(c->conn) : 0;
}

void dna_client_step(struct dna_client *c, enum c2s_client_event on,
                     const struct c2s_client_facts *facts)
{
    struct dna_effects fx;

    c->on = on;
    dna_c2s_client_step(&c->machine, on, facts, &c->stream, &c->options->knobs, &fx);
    dna_log_step(log_id(c), c->options->jid->domain, &fx);
    dna_client_row(c, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++)
        dna_client_outs[fx.outs[i]](c);
    c->row = NULL;
}

void dna_client_starttls_step(struct dna_client *c, enum starttls_initiating_event on,
                              const struct starttls_initiating_facts *facts)
{
    struct dna_effects fx;

    dna_starttls_initiating_step(&c->starttls, on, facts, &c->stream, &c->options->knobs, &fx);
    dna_log_step(log_id(c), c->options->jid->domain, &fx);
    dna_client_row(c, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++)
        dna_client_starttls_outs[fx.outs[i]](c);
    c->row = NULL;
}

void dna_client_deadline(struct event *timer, uint32_t ms)
{
    const struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };

    evtimer_add(timer, &tv);
}

void dna_client_verdict(struct dna_client *c, enum dna_client_status status)
{
    if (status > c->status)
        c->status = status;
}

void dna_client_finish(struct dna_client *c)
{
    event_base_loopbreak(c->base);
}

/* --- what the connection tells --- */

static bool same_domain(const char *a, const char *b)
{
    char name[256];

    return dna_domain_prepare(a, name, sizeof name, NULL, 0) && strcmp(name, b) == 0;
}

static void on_header(void *arg, const struct dna_xml_node *header)
{
    struct dna_client *c = arg;
    const char *from = dna_xml_get(header, "from"), *id = dna_xml_get(header, "id");
    const char *version = dna_xml_get(header, "version");
    const struct c2s_client_facts facts = {
        .header_ok = dna_xml_is(header, DNA_NS_STREAM, "stream") &&
                     strcmp(dna_xml_default_ns(header), DNA_NS_CLIENT) == 0 && version &&
                     strtoul(version, NULL, 10) >= 1,
        .from_agrees = !from || same_domain(from, c->options->jid->domain),
    };

    dna_client_note(c, "header", "received: from='%s' id='%s'", from ? from : "", id ? id : "");
    dna_client_step(c, c2s_client_E_RX_HEADER, &facts);
}

static void on_features(struct dna_client *c)
{
    const struct dna_xml_node *mechanisms = dna_xml_child(c->element, DNA_NS_SASL, "mechanisms");
    struct c2s_client_facts facts = {
        .starttls = dna_xml_child(c->element, DNA_NS_TLS, "starttls") != NULL,
        .bind = dna_xml_child(c->element, DNA_NS_BIND, "bind") != NULL,
    };

    c->mechanism = DNA_SASL_NONE;
    for (const struct dna_xml_node *m = mechanisms ? mechanisms->children : NULL; m; m = m->next) {
        struct dna_buf name = DNA_BUF_INIT;
        enum dna_sasl_mechanism known;
        if (!dna_xml_is(m, DNA_NS_SASL, "mechanism"))
            continue;
        dna_xml_text(m, &name);
        known = dna_sasl_mechanism_find(name.at);
        c->mechanism = known > c->mechanism ? known : c->mechanism;
        dna_buf_cleanup(&name);
    }
    facts.mechanism = c->mechanism == DNA_SASL_NONE ? 0 : c->mechanism == DNA_SASL_PLAIN ? 1 : 2;
    dna_client_note(c, "features", "received:%s%s%s%s", facts.starttls ? " starttls" : "",
                    mechanisms ? " mechanisms" : "", facts.bind ? " bind" : "",
                    facts.starttls || mechanisms || facts.bind ? "" : " nothing of use");
    dna_client_step(c, c2s_client_E_RX_FEATURES, &facts);
}

static void on_success(struct dna_client *c)
{
    struct dna_buf text = DNA_BUF_INIT;
    struct c2s_client_facts facts = { 0 };

    dna_xml_text(c->element, &text);
    facts.server_proved = c->sasl && dna_sasl_finish(c->sasl, text.at ? text.at : "");
    dna_buf_cleanup(&text);
    dna_client_note(c, "login", facts.server_proved ? "accepted" : "accepted by a server that "
                                                                   "does not know the password");
    dna_client_step(c, c2s_client_E_RX_SUCCESS, &facts);
}

/* Which event an element is: by name and id alone, whatever the state. */
static enum c2s_client_event classify(const struct dna_client *c)
{
    const struct dna_xml_node *e = c->element;
    const char *id = dna_xml_get(e, "id"), *type = dna_xml_get(e, "type");

    if (dna_xml_is(e, DNA_NS_STREAM, "error"))
        return c2s_client_E_RX_STREAM_ERROR;
    if (dna_xml_is(e, DNA_NS_SASL, "challenge"))
        return c2s_client_E_RX_CHALLENGE;
    if (dna_xml_is(e, DNA_NS_SASL, "failure"))
        return c2s_client_E_RX_FAILURE;
    if (dna_xml_is(e, DNA_NS_CLIENT, "iq") && id && type && strcmp(id, c->bind_id) == 0)
        return strcmp(type, "result") == 0 ? c2s_client_E_RX_BOUND : c2s_client_E_RX_BIND_ERROR;
    if (dna_xml_is(e, DNA_NS_CLIENT, "message") || dna_xml_is(e, DNA_NS_CLIENT, "presence") ||
        dna_xml_is(e, DNA_NS_CLIENT, "iq"))
        return c2s_client_E_RX_STANZA;
    return c2s_client_E_RX_UNKNOWN;
}

static void on_proceed(struct dna_client *c)
{
    const struct starttls_initiating_facts facts = {
        .clear_trailing = dna_conn_clear_trailing(c->conn),
    };

    dna_client_starttls_step(c, starttls_initiating_E_RX_PROCEED, &facts);
}

static void note_stream_error(struct dna_client *c)
{
    const struct dna_xml_node *why = dna_xml_child(c->element, DNA_NS_STREAM_ERRORS, NULL);

    dna_client_note(c, "stream", "error: %s", why ? why->name : "(no condition)");
}

static void on_element(void *arg, const struct dna_xml_node *element)
{
    struct dna_client *c = arg;
    enum c2s_client_event on;

    c->element = element;
    on = classify(c);
    if (on == c2s_client_E_RX_STREAM_ERROR)
        note_stream_error(c);
    if (dna_xml_is(element, DNA_NS_STREAM, "features"))
        on_features(c);
    else if (dna_xml_is(element, DNA_NS_SASL, "success"))
        on_success(c);
    else if (dna_xml_is(element, DNA_NS_TLS, "proceed"))
        on_proceed(c);
    else if (dna_xml_is(element, DNA_NS_TLS, "failure"))
        dna_client_starttls_step(c, starttls_initiating_E_RX_TLS_FAILURE,
                                 &(const struct starttls_initiating_facts){ 0 });
    else
        dna_client_step(c, on, NO_FACTS);
    c->element = NULL;
}

static void on_stream_end(void *arg)
{
    dna_client_step(arg, c2s_client_E_RX_CLOSE, NO_FACTS);
}

static void on_xml_error(void *arg, enum dna_xml_error why)
{
    static const enum c2s_client_event events[] = {
        [DNA_XML_OK] = c2s_client_E_RX_NOT_WELL_FORMED, /* never reported */
        [DNA_XML_NOT_WELL_FORMED] = c2s_client_E_RX_NOT_WELL_FORMED,
        [DNA_XML_RESTRICTED] = c2s_client_E_RX_RESTRICTED,
        [DNA_XML_ENCODING] = c2s_client_E_RX_NOT_WELL_FORMED,
        [DNA_XML_TOO_BIG] = c2s_client_E_RX_OVERSIZE,
        [DNA_XML_BAD_FORMAT] = c2s_client_E_RX_NOT_WELL_FORMED,
    };
    struct dna_client *c = arg;

    dna_client_note(c, "stream", "bytes that have no place in one: %s",
                    dna_xml_error_condition(why));
    dna_client_step(c, events[why], NO_FACTS);
}

static void on_tls_up(void *arg)
{
    dna_client_starttls_step(arg, starttls_initiating_E_TLS_UP,
                             &(const struct starttls_initiating_facts){ 0 });
}

static void on_tls_failed(void *arg, const char *why)
{
    struct dna_client *c = arg;

    dna_client_note(c, "tls", "the handshake failed: %s", why);
    dna_client_starttls_step(c, starttls_initiating_E_TLS_FAILED,
                             &(const struct starttls_initiating_facts){ 0 });
}

static void on_closed(void *arg, enum dna_conn_end how, const char *why)
{
    struct dna_client *c = arg;

    (void)how;
    dna_client_note(c, "stream", "the connection has ended: %s", why);
    dna_client_step(c, c2s_client_E_TCP_GONE, NO_FACTS);
    dna_client_finish(c);
}

void dna_client_connected(struct dna_client *c, struct dna_conn *conn)
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

    c->conn = conn;
    dna_conn_set_handler(conn, &handler, c);
    dna_client_show(c, "connect", "open to %s", dna_conn_peer(conn));
    dna_client_deadline(c->negotiation, c->options->negotiation_ms);
    dna_client_step(c, c2s_client_E_TCP_UP, NO_FACTS);
}

/* --- timers, and the user's answer --- */

static void on_negotiation_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    dna_client_step(arg, c2s_client_E_TIMER_NEGOTIATION, NO_FACTS);
}

/* Dates are the wall clock's business, which may be set; so it is looked at, and no timer
 * counts. */
static void on_second(evutil_socket_t fd, short what, void *arg)
{
    struct dna_client *c = arg;

    (void)fd;
    (void)what;
    if (c->expires && time(NULL) >= c->expires)
        dna_client_step(c, c2s_client_E_TIMER_EXPIRY, NO_FACTS);
}

static void on_closing_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    dna_client_step(arg, c2s_client_E_TIMER_CLOSE, NO_FACTS);
}

static void on_quit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    dna_client_step(arg, c2s_client_E_QUIT, NO_FACTS);
}

static void on_waited(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    dna_client_waited(arg);
}

/* Remembers the pin; a file that can't be written is told, and the consent counts all the same. */
static void remember(struct dna_client *c)
{
    char why[512] = "";

    if (c->options->pins_path && dna_pins_add(c->options->pins_path, &c->pin, why, sizeof why))
        dna_client_show(c, "pin", "remembered in %s", c->options->pins_path);
    else
        dna_client_show(c, "pin", "not remembered: %s", why[0] ? why : "no file to put it in");
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
    struct dna_client *c = arg;
    char line[64];
    ssize_t len = read(fd, line, sizeof line - 1); /* a terminal gives one line, at once */
    bool yes, pin;

    (void)what;
    line[len > 0 ? len : 0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    yes = strcmp(line, "yes") == 0;
    pin = strcmp(line, "pin") == 0;
    dna_client_note(c, "question", "the answer is %s", yes || pin ? line : "no");
    if (pin)
        remember(c);
    dna_client_deadline(c->negotiation, c->options->negotiation_ms);
    dna_client_step(c, yes || pin ? c2s_client_E_USER_CONSENTS : c2s_client_E_USER_REFUSES,
                    NO_FACTS);
    dna_conn_resume(c->conn);
    dna_client_lines_pause(c, false);
}

/* --- the run --- */

void dna_client_options_default(struct dna_client_options *options)
{
    *options = (struct dna_client_options){
        .connect_ms = 10000,
        .negotiation_ms = 30000,
        .close_ms = 2000,
        .resolve_ms = 10000,
        .limit_stanza = 1 << 20,
        .ask_fd = -1,
        .lines_fd = -1,
        .message = "",
        .knobs = dna_knobs_default(),
    };
}

static bool set_up(struct dna_client *c, char *why, size_t why_size)
{
    const struct dna_client_options *o = c->options;
    const struct dna_client_env_options env = { .resolver = o->resolver,
                                                .trust_anchor = o->trust_anchor,
                                                .ca_file = o->ca_file,
                                                .ca_dir = o->ca_dir,
                                                .crl_file = o->crl_file,
                                                .knobs = &o->knobs,
                                                .resolve_ms = o->resolve_ms,
                                                .posh_port = o->posh_port };

    c->base = event_base_new();
    if (!c->base)
        abort();
    c->negotiation = evtimer_new(c->base, on_negotiation_timer, c);
    c->closing = evtimer_new(c->base, on_closing_timer, c);
    c->watchman = event_new(c->base, -1, EV_PERSIST, on_second, c);
    c->waiting = evtimer_new(c->base, on_waited, c);
    c->quit = event_new(c->base, -1, 0, on_quit, c);
    c->answer = event_new(c->base, o->ask_fd, EV_READ, on_answer, c);
    if (!c->negotiation || !c->closing || !c->watchman || !c->waiting || !c->quit || !c->answer)
        abort();
    dna_instance_init(&dna_machine_starttls_initiating, &c->starttls);
    dna_instance_init(&dna_machine_c2s_client, &c->machine);
    dna_stream_vars_init(&c->stream);
    dna_id_make(c->bind_id);
    dna_id_make(c->ping_id);
    dna_id_make(c->message_id);
    if (o->message_id)
        snprintf(c->message_id, sizeof c->message_id, "%s", o->message_id);
    return dna_client_env_open(&c->env, c->base, &env, why, why_size);
}

static void tear_down(struct dna_client *c)
{
    dna_client_lines_free(c);
    dna_client_stanzas_free(c);
    dna_conn_free(c->conn);
    dna_dial_free(c->dial);
    dna_sasl_free(c->sasl);
    dna_client_env_close(&c->env);
    event_free(c->negotiation);
    event_free(c->closing);
    event_free(c->watchman);
    event_free(c->waiting);
    event_free(c->quit);
    event_free(c->answer);
    event_base_loop(c->base, EVLOOP_NONBLOCK); /* bufferevents end themselves by a turn of it */
    event_base_free(c->base);
    free(c->bound);
}

enum dna_client_status dna_client_run(const struct dna_client_options *options, FILE *out)
{
    struct dna_client *c = dna_calloc(1, sizeof *c);
    char why[512] = "";
    enum dna_client_status status;

    c->options = options;
    c->out = out;
    if (set_up(c, why, sizeof why)) {
        dna_client_prepare_stanzas(c);
        if (options->lines_fd >= 0)
            dna_client_lines_begin(c);
        dna_client_resolve(c);
        event_base_dispatch(c->base);
    } else {
        dna_client_show(c, "set-up", "%s", why);
        dna_client_verdict(c, DNA_CLIENT_USAGE);
    }
    dna_client_show_result(c);
    status = c->status;
    tear_down(c);
    free(c);
    return status;
}
