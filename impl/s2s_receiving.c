/* SPDX-License-Identifier: MIT */
/* s2s_receiving: streams that a peer opened: stream_receiving, features_receiving,
 * starttls_receiving and sasl_external_receiving, their facts and their outputs. */
#include <stdlib.h>
#include <string.h>

#include "impl/fault.h"
#include "impl/b64.h"
#include "impl/s2s_internal.h"
#include "impl/tls.h"

static const struct stream_receiving_facts no_facts;

/* --- outputs of stream_receiving --- */

static void write_header(struct stream *s, const char *from, const char *to, const char *version)
{
    struct dna_buf b = DNA_BUF_INIT;
    char id[DNA_ID_LEN + 1];
    dna_s2s_new_id(s->s2s, id);
    dna_s2s_set(&s->id, id);
    dna_buf_puts(&b, "<?xml version='1.0'?><stream:stream xmlns='" DNA_NS_SERVER
                     "' xmlns:stream='" DNA_NS_STREAM "' xmlns:db='" DNA_NS_DIALBACK "'");
    dna_buf_attr(&b, "id", id);
    dna_buf_attr(&b, "from", from);
    dna_buf_attr(&b, "to", to);
    dna_buf_attr(&b, "version", version);
    dna_buf_puts(&b, " xml:lang='en'>");
    dna_conn_send(s->conn, b.at, b.len);
    dna_buf_cleanup(&b);
}

static void send_header(void *arg)
{
    struct stream *s = arg;
    write_header(s, s->ours, s->their_text, "1.0");
}

static void send_header_unhosted(void *arg)
{
    struct stream *s = arg;
    const struct dna_config *c = s->s2s->at.config;
    write_header(s, c->num_domains ? c->domains[0].name : NULL, s->their_text, "1.0");
}

static void send_header_old(void *arg)
{
    struct stream *s = arg;
    write_header(s, s->ours, s->their_text, NULL);
}

static void send_features(void *arg);

static void report_flowing(void *arg)
{
    dna_s2s_flows(arg);
}

#define ERROR(name, condition)                                                                     \
    static void error_##name(void *arg)                                                            \
    {                                                                                              \
        dna_s2s_error(arg, condition);                                                             \
    }
ERROR(invalid_namespace, "invalid-namespace")
ERROR(host_unknown, "host-unknown")
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

static void arm_negotiation(void *arg)
{
    dna_s2s_negotiation_deadline(arg);
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
    [stream_receiving_O_send_header] = send_header,
    [stream_receiving_O_send_header_unhosted] = send_header_unhosted,
    [stream_receiving_O_send_header_old] = send_header_old,
    [stream_receiving_O_send_features] = send_features,
    [stream_receiving_O_report_flowing] = report_flowing,
    [stream_receiving_O_error_invalid_namespace] = error_invalid_namespace,
    [stream_receiving_O_error_host_unknown] = error_host_unknown,
    [stream_receiving_O_error_policy_violation] = error_policy_violation,
    [stream_receiving_O_error_unsupported_stanza_type] = error_unsupported_stanza_type,
    [stream_receiving_O_error_not_well_formed] = error_not_well_formed,
    [stream_receiving_O_error_restricted_xml] = error_restricted_xml,
    [stream_receiving_O_error_connection_timeout] = error_connection_timeout,
    [stream_receiving_O_error_reset] = error_reset,
    [stream_receiving_O_error_system_shutdown] = error_system_shutdown,
    [stream_receiving_O_send_close] = send_close,
    [stream_receiving_O_arm_negotiation] = arm_negotiation,
    [stream_receiving_O_hold_input] = hold_input,
    [stream_receiving_O_release_input] = release_input,
    [stream_receiving_O_drain_input] = drain_input,
    [stream_receiving_O_discard_input] = discard_input,
    [stream_receiving_O_drop_stream] = drop_stream,
};

void dna_s2s_receiving_event(struct stream *s, enum stream_receiving_event on,
                             const struct stream_receiving_facts *e)
{
    struct dna_effects fx;
    dna_stream_receiving_step(&s->r.m, on, e, &s->vars, s->knobs, &fx);
    dna_log_step(dna_s2s_conn_id(s), s->theirs, &fx);
    RUN(&fx, stream_outs, s);
}

/* --- what the domain in 'from' is worth --- */

/* What is awaited may yet be a no. */
static bool disowned(enum dna_proof_verdict v)
{
    return v == DNA_PROOF_NEGATIVE || v == DNA_PROOF_PENDING;
}

static bool claim_made(const struct stream *s)
{
    SSL *ssl = dna_conn_ssl(s->conn);
    return s->theirs && ssl && SSL_get0_peer_certificate(ssl);
}

/* --- features --- */

static void offer_starttls_required(void *arg)
{
    dna_buf_puts(arg, "<starttls xmlns='" DNA_NS_TLS "'><required/></starttls>");
}

static void offer_starttls(void *arg)
{
    dna_buf_puts(arg, "<starttls xmlns='" DNA_NS_TLS "'/>");
}

static void offer_external(void *arg)
{
    dna_buf_puts(arg, "<mechanisms xmlns='" DNA_NS_SASL
                      "'><mechanism>EXTERNAL</mechanism></mechanisms>");
}

static void offer_dialback(void *arg)
{
    dna_buf_puts(arg, "<dialback xmlns='" DNA_NS_DIALBACK_FEATURE "'><errors/></dialback>");
}

static void offer_bidi(void *arg)
{
    dna_buf_puts(arg, "<bidi xmlns='" DNA_NS_BIDI_FEATURE "'/>");
}

static void (*const feature_outs[])(void *) = {
    [features_receiving_O_offer_starttls_required] = offer_starttls_required,
    [features_receiving_O_offer_starttls] = offer_starttls,
    [features_receiving_O_offer_external] = offer_external,
    [features_receiving_O_offer_dialback] = offer_dialback,
    [features_receiving_O_offer_bidi] = offer_bidi,
};

static void send_features(void *arg)
{
    static const enum features_receiving_event order[] = { features_receiving_E_CONSIDER_STARTTLS,
                                                           features_receiving_E_CONSIDER_EXTERNAL,
                                                           features_receiving_E_CONSIDER_DIALBACK,
                                                           features_receiving_E_CONSIDER_BIDI };
    struct stream *s = arg;
    struct dna_buf b = DNA_BUF_INIT;
    enum dna_proof_verdict v = dna_s2s_weigh(s, s->theirs);
    struct features_receiving_facts e = { .from_proved = v == DNA_PROOF_PROVED,
                                          .from_refuted = disowned(v),
                                          .claim_made = claim_made(s) };
    dna_buf_puts(&b, "<stream:features>");
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct dna_effects fx;
        dna_features_receiving_step(&s->r.features, order[i], &e, &s->vars, s->knobs, &fx);
        dna_log_step(dna_s2s_conn_id(s), s->theirs, &fx);
        RUN(&fx, feature_outs, &b);
    }
    dna_buf_puts(&b, "</stream:features>");
    dna_conn_send(s->conn, b.at, b.len);
    dna_buf_cleanup(&b);
}

/* --- STARTTLS --- */

static SSL_CTX *context_of(struct stream *s)
{
    const struct dna_s2s_setup *at = &s->s2s->at;
    const char *ours =
        dna_fault(DNA_FAULT_first_certificate) ? at->config->domains[0].name : s->ours;
    return s->ours ? at->tls(at->arg, ours) : NULL;
}

static void send_proceed(void *arg)
{
    dna_conn_puts(((struct stream *)arg)->conn, "<proceed xmlns='" DNA_NS_TLS "'/>");
}

static void send_tls_failure(void *arg)
{
    dna_conn_puts(((struct stream *)arg)->conn, "<failure xmlns='" DNA_NS_TLS "'/>");
}

/* A planted fault. */
static int refuse_name(SSL *ssl, int *alert, void *arg)
{
    (void)ssl;
    (void)alert;
    (void)arg;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void start_tls(void *arg)
{
    struct stream *s = arg;
    SSL_CTX *ctx = context_of(s);
    if (ctx && dna_fault(DNA_FAULT_names_refused))
        (void)SSL_CTX_set_tlsext_servername_callback(ctx, refuse_name);
    if (!ctx) {
        dna_s2s_drop(s);
        return;
    }
    dna_conn_start_tls(s->conn, dna_tls_accept_new(ctx, true), true, 0);
    dna_s2s_negotiation_deadline(s); /* that of the stream's beginning may be long past */
}

static void restart_after_tls(void *arg)
{
    struct stream *s = arg;
    dna_s2s_forget(s, true);
    dna_s2s_receiving_event(s, stream_receiving_E_RESTARTED, &no_facts);
}

static void forget_pairs(void *arg)
{
    for (struct pair *p = ((struct stream *)arg)->pairs; p; p = p->next)
        dna_s2s_pair_secured(p);
}

static void discard_clear(void *arg)
{
    (void)arg; /* dna_conn_start_tls() throws away what was read in clear */
}

static void end_stream(void *arg)
{
    dna_s2s_end(arg);
}

static void (*const tls_outs[])(void *) = {
    [starttls_receiving_O_send_proceed] = send_proceed,
    [starttls_receiving_O_send_tls_failure] = send_tls_failure,
    [starttls_receiving_O_start_tls] = start_tls,
    [starttls_receiving_O_restart_after_tls] = restart_after_tls,
    [starttls_receiving_O_forget_pairs] = forget_pairs,
    [starttls_receiving_O_discard_clear] = discard_clear,
    [starttls_receiving_O_end_stream] = end_stream,
    [starttls_receiving_O_drop_stream] = drop_stream,
};

static void tls_event(struct stream *s, enum starttls_receiving_event on)
{
    struct dna_effects fx;
    struct starttls_receiving_facts e = { .clear_trailing = dna_conn_clear_trailing(s->conn),
                                          .can_secure = context_of(s) != NULL };
    dna_starttls_receiving_step(&s->r.tls, on, &e, &s->vars, s->knobs, &fx);
    dna_log_step(dna_s2s_conn_id(s), s->theirs, &fx);
    RUN(&fx, tls_outs, s);
}

/* --- SASL EXTERNAL --- */

struct auth {
    struct stream *stream;
    enum sasl_external_receiving_event on;
    struct sasl_external_receiving_facts e;
};

static void sasl_event(struct auth *a);

static void send_success(void *arg)
{
    dna_conn_puts(((struct auth *)arg)->stream->conn, "<success xmlns='" DNA_NS_SASL "'/>");
}

static void send_challenge(void *arg)
{
    dna_conn_puts(((struct auth *)arg)->stream->conn, "<challenge xmlns='" DNA_NS_SASL "'/>");
}

#define FAILURE(name, condition)                                                                   \
    static void failure_##name(void *arg)                                                          \
    {                                                                                              \
        dna_conn_puts(((struct auth *)arg)->stream->conn,                                          \
                      "<failure xmlns='" DNA_NS_SASL "'><" condition "/></failure>");              \
    }
FAILURE(encryption_required, "encryption-required")
FAILURE(invalid_mechanism, "invalid-mechanism")
FAILURE(incorrect_encoding, "incorrect-encoding")
FAILURE(not_authorized, "not-authorized")
FAILURE(invalid_authzid, "invalid-authzid")
FAILURE(malformed_request, "malformed-request")
FAILURE(aborted, "aborted")

static void sasl_error_policy_violation(void *arg)
{
    dna_s2s_error(((struct auth *)arg)->stream, "policy-violation");
}

static void weigh(void *arg)
{
    struct auth again = *(struct auth *)arg;
    again.on = sasl_external_receiving_E_WEIGH;
    sasl_event(&again);
}

static void redo(void *arg)
{
    struct auth again = *(struct auth *)arg;
    sasl_event(&again);
}

static void accept_pair(void *arg)
{
    struct stream *s = ((struct auth *)arg)->stream;
    if (s->ours && s->theirs)
        dna_s2s_pair_event(dna_s2s_pair_get(s, s->ours, s->theirs),
                           association_E_EXTERNAL_ACCEPTED);
}

static void restart_stream(void *arg)
{
    struct stream *s = ((struct auth *)arg)->stream;
    dna_s2s_forget(s, false);
    dna_s2s_receiving_event(s, stream_receiving_E_RESTARTED, &no_facts);
}

static void sasl_end_stream(void *arg)
{
    dna_s2s_end(((struct auth *)arg)->stream);
}

static void (*const sasl_outs[])(void *) = {
    [sasl_external_receiving_O_send_success] = send_success,
    [sasl_external_receiving_O_send_challenge] = send_challenge,
    [sasl_external_receiving_O_failure_encryption_required] = failure_encryption_required,
    [sasl_external_receiving_O_failure_invalid_mechanism] = failure_invalid_mechanism,
    [sasl_external_receiving_O_failure_incorrect_encoding] = failure_incorrect_encoding,
    [sasl_external_receiving_O_failure_not_authorized] = failure_not_authorized,
    [sasl_external_receiving_O_failure_invalid_authzid] = failure_invalid_authzid,
    [sasl_external_receiving_O_failure_malformed_request] = failure_malformed_request,
    [sasl_external_receiving_O_failure_aborted] = failure_aborted,
    [sasl_external_receiving_O_error_policy_violation] = sasl_error_policy_violation,
    [sasl_external_receiving_O_weigh] = weigh,
    [sasl_external_receiving_O_redo] = redo,
    [sasl_external_receiving_O_accept_pair] = accept_pair,
    [sasl_external_receiving_O_restart_stream] = restart_stream,
    [sasl_external_receiving_O_end_stream] = sasl_end_stream,
};

static void sasl_event(struct auth *a)
{
    struct stream *s = a->stream;
    struct dna_effects fx;
    dna_sasl_external_receiving_step(&s->r.sasl, a->on, &a->e, &s->vars, s->knobs, &fx);
    dna_log_step(dna_s2s_conn_id(s), s->theirs, &fx);
    RUN(&fx, sasl_outs, a);
}

/* The authorization identity, if one is given, against the domain of the header. */
static bool other_identity(const struct stream *s, const struct dna_buf *decoded)
{
    if (!decoded->len)
        return false;
    char *name = strlen(decoded->at) == decoded->len ? dna_s2s_prepare(decoded->at) : NULL;
    bool other = !name || !s->theirs || strcmp(name, s->theirs) != 0;
    free(name);
    return other;
}

static void sasl_element(struct stream *s, const struct dna_xml_node *n,
                         enum sasl_external_receiving_event on)
{
    struct dna_buf text = DNA_BUF_INIT, decoded = DNA_BUF_INIT;
    struct auth a = { s, on, { 0 } };
    enum dna_proof_verdict v = dna_s2s_weigh(s, s->theirs);
    const char *mechanism = dna_xml_get(n, "mechanism");
    dna_buf_puts(&text, "");
    dna_xml_text(n, &text);
    bool empty_given = strcmp(text.at, "=") == 0;
    a.e.external = mechanism && strcmp(mechanism, "EXTERNAL") == 0;
    a.e.response_given = text.len > 0;
    a.e.encoding_ok = empty_given || dna_b64_decode(&decoded, text.at, text.len) == 0;
    a.e.from_proved = v == DNA_PROOF_PROVED;
    a.e.from_refuted = disowned(v);
    a.e.claim_made = claim_made(s);
    a.e.authzid_other = other_identity(s, &decoded);
    sasl_event(&a);
    dna_buf_cleanup(&text);
    dna_buf_cleanup(&decoded);
}

/* --- events from the connection --- */

bool dna_s2s_receiving_element(struct stream *s, const struct dna_xml_node *e)
{
    if (dna_xml_is(e, DNA_NS_TLS, "starttls"))
        tls_event(s, starttls_receiving_E_RX_STARTTLS);
    else if (dna_xml_is(e, DNA_NS_SASL, "auth"))
        sasl_element(s, e, sasl_external_receiving_E_RX_AUTH);
    else if (dna_xml_is(e, DNA_NS_SASL, "response"))
        sasl_element(s, e, sasl_external_receiving_E_RX_RESPONSE);
    else if (dna_xml_is(e, DNA_NS_SASL, "abort"))
        sasl_element(s, e, sasl_external_receiving_E_RX_ABORT);
    else
        return false;
    return true;
}

static void on_header(void *arg, const struct dna_xml_node *h)
{
    struct stream *s = arg;
    const char *version = dna_xml_get(h, "version");
    char *ours = dna_s2s_prepare(dna_xml_get(h, "to"));
    char *theirs = dna_s2s_prepare(dna_xml_get(h, "from"));
    struct stream_receiving_facts e = {
        .stream_namespace_ok = dna_xml_is(h, DNA_NS_STREAM, "stream"),
        .content_namespace_ok = strcmp(dna_xml_default_ns(h), DNA_NS_SERVER) == 0,
        .hosted = dna_s2s_hosts(s->s2s, ours),
        .version_one = version && strtol(version, NULL, 10) >= 1,
    };
    dna_s2s_set(&s->ours, ours);
    dna_s2s_set(&s->theirs, theirs);
    dna_s2s_set(&s->their_text, dna_xml_get(h, "from"));
    e.from_pending = dna_s2s_seek(s, theirs);
    if (dna_fault(DNA_FAULT_header_after_sasl) && s->vars.authenticated && ours && theirs)
        dna_s2s_pair_event(dna_s2s_pair_get(s, ours, theirs), association_E_EXTERNAL_ACCEPTED);
    free(ours);
    free(theirs);
    dna_s2s_receiving_event(s, stream_receiving_E_RX_HEADER, &e);
}

static void on_element(void *arg, const struct dna_xml_node *e)
{
    dna_s2s_element(arg, e);
}

static void on_stream_end(void *arg)
{
    dna_s2s_receiving_event(arg, stream_receiving_E_RX_CLOSE, &no_facts);
}

static void on_xml_error(void *arg, enum dna_xml_error why)
{
    enum stream_receiving_event on = why == DNA_XML_RESTRICTED ? stream_receiving_E_RX_RESTRICTED
                                     : why == DNA_XML_TOO_BIG
                                         ? stream_receiving_E_RX_OVERSIZE
                                         : stream_receiving_E_RX_NOT_WELL_FORMED;
    dna_s2s_receiving_event(arg, on, &no_facts);
}

static void on_tls_up(void *arg)
{
    tls_event(arg, starttls_receiving_E_TLS_UP);
}

static void on_tls_failed(void *arg, const char *why)
{
    struct stream *s = arg;
    dna_log(DNA_LOG_INFO, "tls_failed", "conn=%llu why=%s", (unsigned long long)dna_s2s_conn_id(s),
            dna_log_quote(why));
    tls_event(s, starttls_receiving_E_TLS_FAILED);
}

static void on_closed(void *arg, enum dna_conn_end how, const char *why)
{
    struct stream *s = arg;
    (void)how;
    dna_log(DNA_LOG_INFO, "closed", "conn=%llu why=%s", (unsigned long long)dna_s2s_conn_id(s),
            dna_log_quote(why));
    if (!s->dropped)
        dna_s2s_receiving_event(s, stream_receiving_E_TCP_GONE, &no_facts);
    dna_s2s_drop(s);
    dna_s2s_stream_bury(s);
}

const struct dna_conn_handler dna_s2s_receiving_handler = {
    .header = on_header,
    .element = on_element,
    .stream_end = on_stream_end,
    .xml_error = on_xml_error,
    .tls_up = on_tls_up,
    .tls_failed = on_tls_failed,
    .closed = on_closed,
};

void dna_s2s_receiving_settled(struct stream *s)
{
    dna_s2s_receiving_event(s, stream_receiving_E_PROOF_SETTLED, &no_facts);
}

void dna_s2s_receiving_gone(struct stream *s)
{
    struct dna_effects fx;
    const struct features_receiving_facts fe = { 0 };
    const struct sasl_external_receiving_facts se = { 0 };
    STEP(s, features_receiving, &s->r.features, STREAM_GONE, &fe, s->theirs, &fx);
    STEP(s, sasl_external_receiving, &s->r.sasl, STREAM_GONE, &se, s->theirs, &fx);
}
