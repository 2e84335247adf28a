/* SPDX-License-Identifier: MIT */
/* s2s_initiating: streams that we open, to carry stanzas or to ask an authority: stream_initiating,
 * starttls_initiating and sasl_external_initiating, their facts and their outputs. */
#include <stdlib.h>
#include <string.h>

#include "impl/b64.h"
#include "impl/s2s_internal.h"
#include "impl/tls.h"

static const struct stream_initiating_facts no_facts;
static const struct starttls_initiating_facts no_tls_facts;
static const struct sasl_external_initiating_facts no_sasl_facts;

static void tls_event(struct stream *s, enum starttls_initiating_event on,
                      const struct starttls_initiating_facts *e);
static void sasl_event(struct stream *s, enum sasl_external_initiating_event on);

/* --- outputs of stream_initiating --- */

static void send_header(void *arg)
{
    struct stream *s = arg;
    struct dna_buf b = DNA_BUF_INIT;
    dna_buf_puts(&b, "<?xml version='1.0'?><stream:stream xmlns='" DNA_NS_SERVER
                     "' xmlns:stream='" DNA_NS_STREAM "' xmlns:db='" DNA_NS_DIALBACK "'");
    dna_buf_attr(&b, "from", s->ours);
    dna_buf_attr(&b, "to", s->theirs);
    dna_buf_puts(&b, " version='1.0' xml:lang='en'>");
    dna_conn_send(s->conn, b.at, b.len);
    dna_buf_cleanup(&b);
}

static void begin_starttls(void *arg)
{
    tls_event(arg, starttls_initiating_E_BEGIN, &no_tls_facts);
}

static void send_bidi(void *arg)
{
    dna_conn_puts(((struct stream *)arg)->conn, "<bidi xmlns='" DNA_NS_BIDI "'/>");
}

static void reconsider(void *arg)
{
    struct stream *s = arg;
    dna_s2s_initiating_event(s, stream_initiating_E_RX_FEATURES, &s->i.offered);
}

static void begin_external(void *arg)
{
    sasl_event(arg, sasl_external_initiating_E_BEGIN);
}

/* The key under which a stream that we opened is found again: where it leads to. */
static void lead_by_address(struct stream *s)
{
    dna_s2s_lead(s, &s->s2s->addresses, dna_conn_peer(s->conn));
}

static void report_ready(void *arg)
{
    struct stream *s = arg;
    struct route *r = s->i.route;
    s->i.ready = true;
    dna_conn_limit(s->conn, s->s2s->at.config->limit_stanza);
    if (s->for_stanzas) {
        dna_s2s_lead(s, &s->s2s->domains, s->theirs);
        lead_by_address(s);
    }
    s->i.route = NULL;
    if (r) {
        r->pending = NULL;
        if (!r->via)
            dna_s2s_route_use(r, dna_s2s_pair_get(s, s->ours, s->theirs));
    }
    dna_s2s_watch_idle(s);
    if (!s->for_stanzas)
        dna_s2s_questions_send(s);
}

static void grant_pair(void *arg)
{
    struct stream *s = arg;
    dna_s2s_pair_event(dna_s2s_pair_get(s, s->ours, s->theirs), association_E_EXTERNAL_GRANTED);
}

static void report_flowing(void *arg)
{
    dna_s2s_flows(arg);
}

static void report_failed(void *arg)
{
    struct stream *s = arg;
    struct route *r = s->i.route;
    s->i.route = NULL;
    dna_s2s_questions_failed(s, s->unknown_there ? dialback_receiving_E_AUTHORITY_NOT_FOUND
                                                  : dialback_receiving_E_AUTHORITY_UNREACHABLE);
    if (!r)
        return;
    r->pending = NULL;
    dna_s2s_route_event(r, routing_E_FAILED);
}

#define ERROR(name, condition)                                                                     \
    static void error_##name(void *arg)                                                            \
    {                                                                                              \
        dna_s2s_error(arg, condition);                                                             \
    }
ERROR(invalid_namespace, "invalid-namespace")
ERROR(unsupported_version, "unsupported-version")
ERROR(bad_format, "bad-format")
ERROR(invalid_from, "invalid-from")
ERROR(policy_violation, "policy-violation")
ERROR(unsupported_stanza_type, "unsupported-stanza-type")
ERROR(not_well_formed, "not-well-formed")
ERROR(restricted_xml, "restricted-xml")
ERROR(connection_timeout, "connection-timeout")
ERROR(reset, "reset")
ERROR(system_shutdown, "system-shutdown")

static void send_close(void *arg)
{
    dna_s2s_send_close(arg);
}

static void hold_input(void *arg)
{
    dna_conn_pause(((struct stream *)arg)->conn);
}

static void release_input(void *arg)
{
    dna_conn_resume(((struct stream *)arg)->conn);
}

static void drain_input(void *arg)
{
    dna_s2s_drain(arg);
}

static void discard_input(void *arg)
{
    dna_s2s_discard(arg);
}

static void drop_stream(void *arg)
{
    dna_s2s_drop(arg);
}

static void (*const stream_outs[])(void *) = {
    [stream_initiating_O_send_header] = send_header,
    [stream_initiating_O_begin_starttls] = begin_starttls,
    [stream_initiating_O_send_bidi] = send_bidi,
    [stream_initiating_O_reconsider] = reconsider,
    [stream_initiating_O_begin_external] = begin_external,
    [stream_initiating_O_grant_pair] = grant_pair,
    [stream_initiating_O_report_flowing] = report_flowing,
    [stream_initiating_O_report_ready] = report_ready,
    [stream_initiating_O_report_failed] = report_failed,
    [stream_initiating_O_error_invalid_namespace] = error_invalid_namespace,
    [stream_initiating_O_error_bad_format] = error_bad_format,
    [stream_initiating_O_error_invalid_from] = error_invalid_from,
    [stream_initiating_O_error_policy_violation] = error_policy_violation,
    [stream_initiating_O_error_unsupported_stanza_type] = error_unsupported_stanza_type,
    [stream_initiating_O_error_not_well_formed] = error_not_well_formed,
    [stream_initiating_O_error_restricted_xml] = error_restricted_xml,
    [stream_initiating_O_error_connection_timeout] = error_connection_timeout,
    [stream_initiating_O_error_reset] = error_reset,
    [stream_initiating_O_error_system_shutdown] = error_system_shutdown,
    [stream_initiating_O_send_close] = send_close,
    [stream_initiating_O_error_unsupported_version] = error_unsupported_version,
    [stream_initiating_O_hold_input] = hold_input,
    [stream_initiating_O_release_input] = release_input,
    [stream_initiating_O_drain_input] = drain_input,
    [stream_initiating_O_discard_input] = discard_input,
    [stream_initiating_O_drop_stream] = drop_stream,
};

void dna_s2s_initiating_event(struct stream *s, enum stream_initiating_event on,
                              const struct stream_initiating_facts *e)
{
    struct dna_effects fx;
    dna_stream_initiating_step(&s->i.m, on, e, &s->vars, s->knobs, &fx);
    dna_log_step(dna_s2s_conn_id(s), s->theirs, &fx);
    RUN(&fx, stream_outs, s);
}

/* --- STARTTLS --- */

static void send_starttls(void *arg)
{
    dna_conn_puts(((struct stream *)arg)->conn, "<starttls xmlns='" DNA_NS_TLS "'/>");
}

static void start_tls(void *arg)
{
    struct stream *s = arg;
    SSL_CTX *ctx = s->s2s->at.tls(s->s2s->at.arg, s->ours);
    struct sockaddr_storage unused;
    char name[256];
    bool named =
        !dna_dns_literal(s->theirs, &unused) && dna_dns_to_ascii(s->theirs, name, sizeof name) == 0;
    if (ctx)
        dna_conn_start_tls(s->conn, dna_tls_connect_new(ctx, named ? name : NULL), false, 0);
    else
        dna_s2s_drop(s);
}

static struct stream_initiating_facts weighed(struct stream *s)
{
    enum dna_proof_verdict v = dna_s2s_weigh(s, s->theirs);
    return (struct stream_initiating_facts){ .peer_proved = v == DNA_PROOF_PROVED,
                                             .peer_pending = v == DNA_PROOF_PENDING,
                                             .peer_refuted = v == DNA_PROOF_NEGATIVE };
}

void dna_s2s_initiating_settled(struct stream *s)
{
    struct stream_initiating_facts e = weighed(s);
    dna_s2s_initiating_event(s, stream_initiating_E_PROOF_SETTLED, &e);
}

static void restart_after_tls(void *arg)
{
    struct stream *s = arg;
    (void)dna_s2s_seek(s, s->theirs); /* what ran out during the handshake is sought anew */
    struct stream_initiating_facts e = weighed(s);
    dna_s2s_forget(s, true);
    dna_s2s_initiating_event(s, stream_initiating_E_SECURED, &e);
}

static void discard_clear(void *arg)
{
    (void)arg; /* dna_conn_start_tls() throws away what was read in clear */
}

static void tls_report_failed(void *arg)
{
    dna_s2s_initiating_event(arg, stream_initiating_E_TLS_FAILED, &no_facts);
}

static void (*const tls_outs[])(void *) = {
    [starttls_initiating_O_send_starttls] = send_starttls,
    [starttls_initiating_O_start_tls] = start_tls,
    [starttls_initiating_O_restart_after_tls] = restart_after_tls,
    [starttls_initiating_O_discard_clear] = discard_clear,
    [starttls_initiating_O_report_failed] = tls_report_failed,
};

static void tls_event(struct stream *s, enum starttls_initiating_event on,
                      const struct starttls_initiating_facts *e)
{
    struct dna_effects fx;
    dna_starttls_initiating_step(&s->i.tls, on, e, &s->vars, s->knobs, &fx);
    dna_log_step(dna_s2s_conn_id(s), s->theirs, &fx);
    RUN(&fx, tls_outs, s);
}

/* --- SASL EXTERNAL --- */

static void send_sasl(struct stream *s, const char *element, const char *attrs, bool named)
{
    struct dna_buf b = DNA_BUF_INIT;
    dna_buf_printf(&b, "<%s xmlns='" DNA_NS_SASL "'%s>", element, attrs);
    if (named)
        dna_b64_encode(&b, s->ours, strlen(s->ours));
    else
        dna_buf_puts(&b, "=");
    dna_buf_printf(&b, "</%s>", element);
    dna_conn_send(s->conn, b.at, b.len);
    dna_buf_cleanup(&b);
}

static void send_auth_named(void *arg)
{
    send_sasl(arg, "auth", " mechanism='EXTERNAL'", true);
}

static void send_auth_empty(void *arg)
{
    send_sasl(arg, "auth", " mechanism='EXTERNAL'", false);
}

static void send_response_named(void *arg)
{
    send_sasl(arg, "response", "", true);
}

static void send_response_empty(void *arg)
{
    send_sasl(arg, "response", "", false);
}

static void restart_stream(void *arg)
{
    struct stream *s = arg;
    dna_s2s_forget(s, false);
    dna_s2s_initiating_event(s, stream_initiating_E_AUTHENTICATED, &no_facts);
}

static void report_refused(void *arg)
{
    dna_s2s_initiating_event(arg, stream_initiating_E_AUTH_REFUSED, &no_facts);
}

static void error_not_authorized(void *arg)
{
    dna_s2s_error(arg, "not-authorized");
}

static void end_stream(void *arg)
{
    dna_s2s_end(arg);
}

static void (*const sasl_outs[])(void *) = {
    [sasl_external_initiating_O_send_auth_named] = send_auth_named,
    [sasl_external_initiating_O_send_auth_empty] = send_auth_empty,
    [sasl_external_initiating_O_send_response_named] = send_response_named,
    [sasl_external_initiating_O_send_response_empty] = send_response_empty,
    [sasl_external_initiating_O_restart_stream] = restart_stream,
    [sasl_external_initiating_O_report_refused] = report_refused,
    [sasl_external_initiating_O_error_not_authorized] = error_not_authorized,
    [sasl_external_initiating_O_end_stream] = end_stream,
};

static void sasl_event(struct stream *s, enum sasl_external_initiating_event on)
{
    struct dna_effects fx;
    dna_sasl_external_initiating_step(&s->i.sasl, on, &no_sasl_facts, &s->vars, s->knobs, &fx);
    dna_log_step(dna_s2s_conn_id(s), s->theirs, &fx);
    RUN(&fx, sasl_outs, s);
}

/* --- events from the connection --- */

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

static void on_features(struct stream *s, const struct dna_xml_node *f)
{
    const struct dna_xml_node *dialback = dna_xml_child(f, DNA_NS_DIALBACK_FEATURE, "dialback");
    s->i.offered = (struct stream_initiating_facts){
        .starttls = dna_xml_child(f, DNA_NS_TLS, "starttls") != NULL,
        .external = offers_external(f),
        .dialback = dialback != NULL,
        .errors = dna_xml_child(dialback, DNA_NS_DIALBACK_FEATURE, "errors") != NULL,
        .bidi = dna_xml_child(f, DNA_NS_BIDI_FEATURE, "bidi") != NULL,
        .have_certificate = dna_tls_showed_certificate(dna_conn_ssl(s->conn)),
        .peer_proved = dna_s2s_proves(s, s->theirs),
        .tls_demanded = dna_proof_demands_tls(dna_s2s_dialled(s, s->theirs)),
    };
    dna_s2s_initiating_event(s, stream_initiating_E_RX_FEATURES, &s->i.offered);
}

bool dna_s2s_initiating_element(struct stream *s, const struct dna_xml_node *e)
{
    struct starttls_initiating_facts tls = { .clear_trailing = dna_conn_clear_trailing(s->conn) };
    if (dna_xml_is(e, DNA_NS_STREAM, "features"))
        on_features(s, e);
    else if (dna_xml_is(e, DNA_NS_TLS, "proceed"))
        tls_event(s, starttls_initiating_E_RX_PROCEED, &tls);
    else if (dna_xml_is(e, DNA_NS_TLS, "failure"))
        tls_event(s, starttls_initiating_E_RX_TLS_FAILURE, &tls);
    else if (dna_xml_is(e, DNA_NS_SASL, "success"))
        sasl_event(s, sasl_external_initiating_E_RX_SUCCESS);
    else if (dna_xml_is(e, DNA_NS_SASL, "failure"))
        sasl_event(s, sasl_external_initiating_E_RX_FAILURE);
    else if (dna_xml_is(e, DNA_NS_SASL, "challenge"))
        sasl_event(s, sasl_external_initiating_E_RX_CHALLENGE);
    else
        return false;
    return true;
}

static void on_connected(void *arg)
{
    dna_s2s_dial_connected(arg);
}

static void on_header(void *arg, const struct dna_xml_node *h)
{
    struct stream *s = arg;
    const char *version = dna_xml_get(h, "version"), *id = dna_xml_get(h, "id");
    const char *from_text = dna_xml_get(h, "from");
    char *from = dna_s2s_prepare(from_text);
    struct stream_initiating_facts e = {
        .stream_namespace_ok = dna_xml_is(h, DNA_NS_STREAM, "stream"),
        .content_namespace_ok = strcmp(dna_xml_default_ns(h), DNA_NS_SERVER) == 0,
        .id_given = id && id[0],
        .id_ours = dna_s2s_our_id(s->s2s, id),
        .from_agrees = !from_text || (from && strcmp(from, s->theirs) == 0),
        .version_one = version && strtol(version, NULL, 10) >= 1,
        .dialback_declared = dna_xml_declares(h, "db", DNA_NS_DIALBACK),
        .tls_demanded = dna_proof_demands_tls(dna_s2s_dialled(s, s->theirs)),
    };
    free(from);
    dna_s2s_set(&s->id, id);
    dna_s2s_initiating_event(s, stream_initiating_E_RX_HEADER, &e);
}

static void on_element(void *arg, const struct dna_xml_node *e)
{
    dna_s2s_element(arg, e);
}

static void on_stream_end(void *arg)
{
    dna_s2s_initiating_event(arg, stream_initiating_E_RX_CLOSE, &no_facts);
}

static void on_xml_error(void *arg, enum dna_xml_error why)
{
    enum stream_initiating_event on = why == DNA_XML_RESTRICTED ? stream_initiating_E_RX_RESTRICTED
                                      : why == DNA_XML_TOO_BIG
                                          ? stream_initiating_E_RX_OVERSIZE
                                          : stream_initiating_E_RX_NOT_WELL_FORMED;
    dna_s2s_initiating_event(arg, on, &no_facts);
}

static void on_tls_up(void *arg)
{
    tls_event(arg, starttls_initiating_E_TLS_UP, &no_tls_facts);
}

static void on_tls_failed(void *arg, const char *why)
{
    struct stream *s = arg;
    dna_log(DNA_LOG_INFO, "tls_failed", "conn=%llu why=%s", (unsigned long long)dna_s2s_conn_id(s),
            dna_log_quote(why));
    tls_event(s, starttls_initiating_E_TLS_FAILED, &no_tls_facts);
}

static void on_closed(void *arg, enum dna_conn_end how, const char *why)
{
    struct stream *s = arg;
    dna_log(DNA_LOG_INFO, "closed", "conn=%llu why=%s", (unsigned long long)dna_s2s_conn_id(s),
            dna_log_quote(why));
    if (how == DNA_CONN_REFUSED && !s->dropped) {
        dna_s2s_dial_refused(s);
        return;
    }
    if (!s->dropped)
        dna_s2s_initiating_event(s, stream_initiating_E_TCP_GONE, &no_facts);
    dna_s2s_drop(s);
    dna_s2s_stream_bury(s);
}

const struct dna_conn_handler dna_s2s_initiating_handler = {
    .connected = on_connected,
    .header = on_header,
    .element = on_element,
    .stream_end = on_stream_end,
    .xml_error = on_xml_error,
    .tls_up = on_tls_up,
    .tls_failed = on_tls_failed,
    .closed = on_closed,
};

void dna_s2s_initiating_gone(struct stream *s)
{
    struct dna_effects fx;
    STEP(s, sasl_external_initiating, &s->i.sasl, STREAM_GONE, &no_sasl_facts, s->theirs, &fx);
    dna_s2s_dial_cancel(s);
}
