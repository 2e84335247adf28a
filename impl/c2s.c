/* SPDX-License-Identifier: MIT */
/* c2s.c -- see c2s.h: sessions come and go, callbacks of the connection become events with facts.
   What an event leads to is in model/c2s_server.def alone. */
#include "impl/c2s.h"

#include <stdlib.h>
#include <string.h>

#include "impl/b64.h"
#include "impl/c2s_internal.h"
#include "impl/log.h"

#define NO_FACTS (&(const struct c2s_server_facts){ 0 })

/* Names the session in the log: as precisely as it is known. */
static const char *subject(const struct dna_c2s_session *s)
{
    return s->jid ? s->jid : s->domain ? s->domain->name : dna_conn_peer(s->conn);
}

void dna_c2s_step(struct dna_c2s_session *s, enum c2s_server_event on,
                  const struct c2s_server_facts *facts)
{
    struct dna_effects fx;

    dna_c2s_server_step(&s->machine, on, facts, &s->stream, s->knobs, &fx);
    dna_log_step(dna_conn_id(s->conn), subject(s), &fx);
    for (unsigned i = 0; i < fx.num_outs; i++)
        dna_c2s_outs[fx.outs[i]](s);
}

void dna_c2s_starttls_step(struct dna_c2s_session *s, enum starttls_receiving_event on,
                           const struct starttls_receiving_facts *facts)
{
    struct dna_effects fx;

    dna_starttls_receiving_step(&s->starttls, on, facts, &s->stream,
                                s->knobs, &fx);
    dna_log_step(dna_conn_id(s->conn), subject(s), &fx);
    for (unsigned i = 0; i < fx.num_outs; i++)
        dna_c2s_starttls_outs[fx.outs[i]](s);
}

static void session_free(struct dna_c2s_session *s)
{
    dna_c2s_unbind(s);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    s->service->count--;
    event_free(s->negotiation);
    event_free(s->closing);
    event_free(s->giving_up);
    dna_conn_free(s->conn);
    dna_sasl_free(s->sasl);
    dna_buf_cleanup(&s->in);
    dna_buf_cleanup(&s->out);
    free(s->peer_from);
    free(s->local);
    free(s->jid);
    free(s);
}

static bool version_one(const char *version)
{
    char *end;

    return version && strtoul(version, &end, 10) >= 1 && *end == '.' && version[0] != '-';
}

/* The hosted domain of a prepared or unprepared name; NULL if it is not served here.  Once an
   account has logged in, only its own domain is served on the stream. */
static const struct dna_config_domain *domain_of(const struct dna_c2s_session *s, const char *to)
{
    char name[256];
    const struct dna_config_domain *d;

    if (!to || !dna_domain_prepare(to, name, sizeof name, NULL, 0))
        return NULL;
    d = dna_config_domain_find(s->service->setup.config, name);
    return s->local && d != s->domain ? NULL : d;
}

static void on_header(void *arg, const struct dna_xml_node *header)
{
    struct dna_c2s_session *s = arg;
    const struct dna_config_domain *domain = domain_of(s, dna_xml_get(header, "to"));
    const char *from = dna_xml_get(header, "from");
    const struct c2s_server_facts facts = {
        .stream_namespace_ok = dna_xml_is(header, DNA_NS_STREAM, "stream"),
        .content_namespace_ok = strcmp(dna_xml_default_ns(header), DNA_NS_CLIENT) == 0,
        .hosted = domain != NULL,
        .version_one = version_one(dna_xml_get(header, "version")),
    };

    if (s->discard)
        return;
    if (domain)
        s->domain = domain;
    free(s->peer_from);
    s->peer_from = from ? dna_strdup(from) : NULL;
    dna_id_make(s->stream_id);
    dna_c2s_step(s, c2s_server_E_RX_HEADER, &facts);
}

static void on_starttls(struct dna_c2s_session *s)
{
    const struct starttls_receiving_facts facts = {
        .clear_trailing = dna_conn_clear_trailing(s->conn),
        .can_secure = s->domain && s->service->setup.tls(s->service->setup.arg, s->domain->name),
    };

    dna_c2s_starttls_step(s, starttls_receiving_E_RX_STARTTLS, &facts);
}

/* RX_AUTH and RX_RESPONSE come with their data: base64, "=" for none, "" for not given. */
static void on_sasl_data(struct dna_c2s_session *s, enum c2s_server_event on)
{
    struct dna_buf bytes = DNA_BUF_INIT;
    struct c2s_server_facts facts = { 0 };

    dna_buf_reset(&s->in);
    dna_xml_text(s->element, &s->in);
    s->mechanism = dna_sasl_mechanism_find(dna_xml_get(s->element, "mechanism"));
    facts.mechanism_known = s->mechanism != DNA_SASL_NONE;
    facts.encoding_ok = s->in.len == 0 || strcmp(s->in.at, "=") == 0 ||
                        dna_b64_decode(&bytes, s->in.at, s->in.len) == 0;
    if (bytes.at)
        explicit_bzero(bytes.at, bytes.len);
    dna_buf_cleanup(&bytes);
    dna_c2s_step(s, on, &facts);
    if (s->in.at)
        explicit_bzero(s->in.at, s->in.len);
}

static bool is_bind(const struct dna_xml_node *iq)
{
    const char *type = dna_xml_get(iq, "type");

    return strcmp(iq->name, "iq") == 0 && type && strcmp(type, "set") == 0 &&
           dna_xml_child(iq, DNA_NS_BIND, "bind");
}

/* Which event an element is: by name alone, whatever the state. */
static enum c2s_server_event classify(const struct dna_xml_node *e)
{
    if (dna_xml_is(e, DNA_NS_STREAM, "error"))
        return c2s_server_E_RX_STREAM_ERROR;
    if (dna_xml_is(e, DNA_NS_SASL, "auth"))
        return c2s_server_E_RX_AUTH;
    if (dna_xml_is(e, DNA_NS_SASL, "response"))
        return c2s_server_E_RX_RESPONSE;
    if (dna_xml_is(e, DNA_NS_SASL, "abort"))
        return c2s_server_E_RX_ABORT;
    if (dna_xml_is(e, DNA_NS_CLIENT, "message") || dna_xml_is(e, DNA_NS_CLIENT, "presence") ||
        dna_xml_is(e, DNA_NS_CLIENT, "iq"))
        return is_bind(e) ? c2s_server_E_RX_BIND : c2s_server_E_RX_STANZA;
    return c2s_server_E_RX_UNKNOWN;
}

static void on_element(void *arg, const struct dna_xml_node *element)
{
    struct dna_c2s_session *s = arg;
    enum c2s_server_event on = classify(element);

    if (s->discard && on != c2s_server_E_RX_STREAM_ERROR)
        return;
    s->element = element;
    if (dna_xml_is(element, DNA_NS_TLS, "starttls"))
        on_starttls(s);
    else if (on == c2s_server_E_RX_AUTH || on == c2s_server_E_RX_RESPONSE)
        on_sasl_data(s, on);
    else
        dna_c2s_step(s, on, NO_FACTS);
    s->element = NULL;
}

static void on_stream_end(void *arg)
{
    dna_c2s_step(arg, c2s_server_E_RX_CLOSE, NO_FACTS);
}

static void on_xml_error(void *arg, enum dna_xml_error why)
{
    static const enum c2s_server_event events[] = {
        [DNA_XML_OK] = c2s_server_E_RX_NOT_WELL_FORMED, /* never reported */
        [DNA_XML_NOT_WELL_FORMED] = c2s_server_E_RX_NOT_WELL_FORMED,
        [DNA_XML_RESTRICTED] = c2s_server_E_RX_RESTRICTED,
        [DNA_XML_ENCODING] = c2s_server_E_RX_NOT_WELL_FORMED,
        [DNA_XML_TOO_BIG] = c2s_server_E_RX_OVERSIZE,
        [DNA_XML_BAD_FORMAT] = c2s_server_E_RX_NOT_WELL_FORMED,
    };

    dna_c2s_step(arg, events[why], NO_FACTS);
}

static void on_tls_up(void *arg)
{
    dna_c2s_starttls_step(arg, starttls_receiving_E_TLS_UP,
                          &(const struct starttls_receiving_facts){ 0 });
}

static void on_tls_failed(void *arg, const char *why)
{
    struct dna_c2s_session *s = arg;

    dna_log(DNA_LOG_INFO, "tls_failed", "conn=%llu why=%s",
            (unsigned long long)dna_conn_id(s->conn), dna_log_quote(why));
    dna_c2s_starttls_step(s, starttls_receiving_E_TLS_FAILED,
                          &(const struct starttls_receiving_facts){ 0 });
}

static void on_closed(void *arg, enum dna_conn_end how, const char *why)
{
    struct dna_c2s_session *s = arg;

    (void)how;
    dna_c2s_step(s, c2s_server_E_TCP_GONE, NO_FACTS);
    dna_log(DNA_LOG_INFO, "closed", "conn=%llu side=c2s why=%s",
            (unsigned long long)dna_conn_id(s->conn), dna_log_quote(why));
    session_free(s);
}

static void on_negotiation_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    dna_c2s_step(arg, c2s_server_E_TIMER_NEGOTIATION, NO_FACTS);
}

static void on_closing_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    dna_c2s_step(arg, c2s_server_E_TIMER_CLOSE, NO_FACTS);
}

/* Raised by delivery when a client reads too slowly; from the loop, since a delivery must not end
   the session in the middle of the router's work. */
static void on_giving_up(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    dna_c2s_step(arg, c2s_server_E_END, NO_FACTS);
}

static const struct dna_conn_handler handler = {
    .header = on_header,
    .element = on_element,
    .stream_end = on_stream_end,
    .xml_error = on_xml_error,
    .tls_up = on_tls_up,
    .tls_failed = on_tls_failed,
    .closed = on_closed,
};

struct dna_c2s *dna_c2s_new(const struct dna_c2s_setup *setup)
{
    struct dna_c2s *c = dna_calloc(1, sizeof *c);

    c->setup = *setup;
    for (size_t i = 0; i < setup->config->num_domains; i++) {
        const struct dna_config_domain *d = &setup->config->domains[i];
        for (size_t j = 0; j < d->num_accounts; j++) {
            struct dna_buf bare = DNA_BUF_INIT;
            dna_buf_printf(&bare, "%s@%s", d->accounts[j].name, d->name);
            dna_router_account(setup->router, bare.at);
            dna_buf_cleanup(&bare);
        }
    }
    return c;
}

void dna_c2s_accept(struct dna_c2s *c, int fd)
{
    struct dna_c2s_session *s = dna_calloc(1, sizeof *s);
    uint32_t ms = c->setup.config->timeout_negotiation_ms;
    const struct timeval deadline = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };

    s->service = c;
    s->next = c->first;
    s->link = &c->first;
    if (s->next)
        s->next->link = &s->next;
    c->first = s;
    c->count++;
    dna_instance_init(&dna_machine_c2s_server, &s->machine);
    dna_instance_init(&dna_machine_starttls_receiving, &s->starttls);
    dna_stream_vars_init(&s->stream);
    s->negotiation = evtimer_new(c->setup.base, on_negotiation_timer, s);
    s->closing = evtimer_new(c->setup.base, on_closing_timer, s);
    s->giving_up = event_new(c->setup.base, -1, 0, on_giving_up, s);
    s->conn = dna_conn_accept(c->setup.base, fd, &handler, s);
    s->knobs = dna_knobs_for(&c->setup.config->knobs, dna_conn_peer(s->conn));
    if (!s->negotiation || !s->closing || !s->giving_up)
        abort();
    evtimer_add(s->negotiation, &deadline);
    dna_log(DNA_LOG_INFO, "accepted", "conn=%llu side=c2s peer=%s",
            (unsigned long long)dna_conn_id(s->conn), dna_conn_peer(s->conn));
}

size_t dna_c2s_count(const struct dna_c2s *c)
{
    return c->count;
}

void dna_c2s_shutdown(struct dna_c2s *c)
{
    for (struct dna_c2s_session *s = c->first, *next; s; s = next) {
        next = s->next; /* a step never frees its session: on_closed does, from the loop */
        dna_c2s_step(s, c2s_server_E_SHUTDOWN, NO_FACTS);
    }
}

void dna_c2s_free(struct dna_c2s *c)
{
    if (!c)
        return;
    while (c->first)
        session_free(c->first);
    free(c);
}
