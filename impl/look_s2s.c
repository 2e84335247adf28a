/* SPDX-License-Identifier: MIT */
/* look_s2s.c -- the machine stream_initiating for a look: a stream that carries no stanzas and only
   asks, but then has no questions.  It gets to see what the server offers under TLS whether or not
   its certificate proves the domain, and leaves as soon as it might ask. */
#include "impl/log.h"
#include "impl/look_internal.h"
#include "impl/tls.h"

static void event(struct look *l, enum look_event on);

static void nothing(struct look *l)
{
    (void)l;
}

static void send_header(struct look *l)
{
    dna_look_send_header(l, l->all->options->from, " xmlns:db='" DNA_NS_DIALBACK "'");
}

static void begin_starttls(struct look *l)
{
    dna_look_starttls(l, starttls_initiating_E_BEGIN);
}

static void report_ready(struct look *l)
{
    event(l, LOOK_ENOUGH);
}

static void report_failed(struct look *l)
{
    dna_look_failed(l);
}

static void deafen(struct look *l)
{
    l->deaf = true;
}

static void send_close(struct look *l)
{
    dna_look_send_close(l);
}

static void drop_stream(struct look *l)
{
    dna_look_drop(l);
}

#define ERROR(name, condition)                                                                     \
    static void error_##name(struct look *l)                                                       \
    {                                                                                              \
        dna_look_error(l, condition);                                                              \
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

/* A stream that only asks proves nothing of itself and has no pairs. */
#define send_bidi nothing
#define reconsider nothing
#define begin_external nothing
#define grant_pair nothing
#define report_flowing nothing
/* A look is over in the time of a document: nothing is fetched anew, and nothing is waited for. */
static void wait_for_nothing(struct look *l)
{
    (void)l;
}

#define hold_input wait_for_nothing
#define release_input wait_for_nothing
#define drain_input deafen
#define discard_input deafen

static void (*const outs[stream_initiating_O_MAX])(struct look *l) = {
    nothing,
#define OUT(o, kind, text) [stream_initiating_O_##o] = o,
#include "model/stream_initiating.def"
};

static enum stream_initiating_event bad_xml(const struct look *l)
{
    return l->xml_error == DNA_XML_RESTRICTED ? stream_initiating_E_RX_RESTRICTED
           : l->xml_error == DNA_XML_TOO_BIG  ? stream_initiating_E_RX_OVERSIZE
                                              : stream_initiating_E_RX_NOT_WELL_FORMED;
}

static enum stream_initiating_event which(const struct look *l, enum look_event on)
{
    static const enum stream_initiating_event events[LOOK_NUM_EVENTS] = {
        [LOOK_TCP_UP] = stream_initiating_E_TCP_UP,
        [LOOK_HEADER] = stream_initiating_E_RX_HEADER,
        [LOOK_FEATURES] = stream_initiating_E_RX_FEATURES,
        [LOOK_SECURED] = stream_initiating_E_SECURED,
        [LOOK_TLS_FAILED] = stream_initiating_E_TLS_FAILED,
        [LOOK_OTHER] = stream_initiating_E_RX_UNKNOWN,
        [LOOK_STREAM_ERROR] = stream_initiating_E_RX_STREAM_ERROR,
        [LOOK_CLOSE] = stream_initiating_E_RX_CLOSE,
        [LOOK_GONE] = stream_initiating_E_TCP_GONE,
        [LOOK_TIME_OUT] = stream_initiating_E_TIMER_NEGOTIATION,
        [LOOK_CLOSE_TIME_OUT] = stream_initiating_E_TIMER_CLOSE,
        [LOOK_ENOUGH] = stream_initiating_E_NOT_WANTED,
    };

    if (on == LOOK_BAD_XML)
        return bad_xml(l);
    if (on == LOOK_OTHER && dna_xml_is(l->element, DNA_NS_BIDI, "bidi"))
        return stream_initiating_E_RX_BIDI;
    return events[on];
}

static void event(struct look *l, enum look_event on)
{
    const struct look_facts *f = &l->facts;
    const struct stream_initiating_facts facts = {
        .for_stanzas = false,
        .stream_namespace_ok = f->stream_namespace,
        .content_namespace_ok = f->content_namespace,
        .id_given = f->id_given,
        .from_agrees = f->from_agrees,
        .version_one = f->version_one,
        .dialback_declared = f->dialback_declared,
        .starttls = f->starttls,
        .external = f->external,
        .dialback = f->dialback,
        .errors = f->errors,
        .bidi = f->bidi,
        .have_certificate = dna_tls_showed_certificate(dna_conn_ssl(l->conn)),
        .peer_proved = f->verdict == DNA_PROOF_PROVED,
        .peer_refuted = f->verdict == DNA_PROOF_NEGATIVE,
        .tls_demanded = dna_proof_demands_tls(dna_dial_proof(l->dial)),
    };
    struct dna_effects fx;

    dna_stream_initiating_step(&l->s2s, which(l, on), &facts, &l->vars, &l->all->options->knobs,
                               &fx);
    dna_log_step(dna_conn_id(l->conn), l->all->options->domain, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++)
        outs[fx.outs[i]](l);
}

static void begin(struct look *l)
{
    dna_instance_init(&dna_machine_stream_initiating, &l->s2s);
}

static void forget(struct look *l)
{
    dna_instance_forget(&dna_machine_stream_initiating, &l->s2s, true);
}

const struct look_kind dna_look_s2s = { .key = "s2s",
                                        .title = "server to server",
                                        .service = "xmpp-server",
                                        .content_namespace = DNA_NS_SERVER,
                                        .names = DNA_PKIX_XMPP_SERVER,
                                        .port = 5269,
                                        .begin = begin,
                                        .event = event,
                                        .forget = forget };
