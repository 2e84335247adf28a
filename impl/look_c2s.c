/* SPDX-License-Identifier: MIT */
/* look_c2s.c -- the machine c2s_client for a look: a client whose user has no account and consents
   to an unauthenticated connection, since nothing is sent that needs another.  It gets to see what
   the server offers under TLS, can't log in, and leaves. */
#include "impl/log.h"
#include "impl/look_internal.h"

static void event(struct look *l, enum look_event on);

static void nothing(struct look *l)
{
    (void)l;
}

static void send_header(struct look *l)
{
    dna_instance_forget(&dna_machine_c2s_client, &l->c2s, false);
    dna_stream_vars_forget(&l->vars, false);
    dna_look_send_header(l, NULL, "");
}

static void begin_starttls(struct look *l)
{
    dna_look_starttls(l, starttls_initiating_E_BEGIN);
}

static void report_failed(struct look *l)
{
    dna_look_failed(l);
}

static void report_refuted(struct look *l)
{
    dna_look_failed(l);
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
ERROR(unsupported_stanza_type, "unsupported-stanza-type")
ERROR(not_well_formed, "not-well-formed")
ERROR(restricted_xml, "restricted-xml")
ERROR(policy_violation, "policy-violation")

/* What the prooftypes said is recorded already, and without an account there is nothing to log in
   to, to bind, or to send. */
#define report_strong nothing
#define report_pinned nothing
#define report_consented nothing
#define report_refused nothing
#define report_login_failed nothing
#define report_bound nothing
#define report_lost nothing
#define report_expired nothing
#define error_reset nothing
#define ask_user nothing
#define begin_sasl nothing
#define continue_sasl nothing
#define send_bind nothing
#define hold nothing
#define transmit nothing
#define show_stanza nothing

static void (*const outs[c2s_client_O_MAX])(struct look *l) = {
    nothing,
#define OUT(o, kind, text) [c2s_client_O_##o] = o,
#include "model/c2s_client.def"
};

/* Which event an element is that is neither features nor STARTTLS's: by its name alone. */
static enum c2s_client_event classify(const struct dna_xml_node *e)
{
    static const struct {
        const char *ns, *name;
        enum c2s_client_event on;
    } known[] = {
        { DNA_NS_SASL, "challenge", c2s_client_E_RX_CHALLENGE },
        { DNA_NS_SASL, "success", c2s_client_E_RX_SUCCESS },
        { DNA_NS_SASL, "failure", c2s_client_E_RX_FAILURE },
        { DNA_NS_CLIENT, "iq", c2s_client_E_RX_STANZA },
        { DNA_NS_CLIENT, "message", c2s_client_E_RX_STANZA },
        { DNA_NS_CLIENT, "presence", c2s_client_E_RX_STANZA },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (dna_xml_is(e, known[i].ns, known[i].name))
            return known[i].on;
    return c2s_client_E_RX_UNKNOWN;
}

static enum c2s_client_event which(const struct look *l, enum look_event on)
{
    static const enum c2s_client_event events[LOOK_NUM_EVENTS] = {
        [LOOK_TCP_UP] = c2s_client_E_TCP_UP,
        [LOOK_HEADER] = c2s_client_E_RX_HEADER,
        [LOOK_FEATURES] = c2s_client_E_RX_FEATURES,
        [LOOK_SECURED] = c2s_client_E_SECURED,
        [LOOK_TLS_FAILED] = c2s_client_E_TLS_FAILED,
        [LOOK_STREAM_ERROR] = c2s_client_E_RX_STREAM_ERROR,
        [LOOK_CLOSE] = c2s_client_E_RX_CLOSE,
        [LOOK_GONE] = c2s_client_E_TCP_GONE,
        [LOOK_TIME_OUT] = c2s_client_E_TIMER_NEGOTIATION,
        [LOOK_CLOSE_TIME_OUT] = c2s_client_E_TIMER_CLOSE,
        [LOOK_ENOUGH] = c2s_client_E_QUIT,
    };

    if (on == LOOK_OTHER)
        return classify(l->element);
    if (on == LOOK_BAD_XML)
        return l->xml_error == DNA_XML_RESTRICTED ? c2s_client_E_RX_RESTRICTED
               : l->xml_error == DNA_XML_TOO_BIG  ? c2s_client_E_RX_OVERSIZE
                                                  : c2s_client_E_RX_NOT_WELL_FORMED;
    return events[on];
}

static void event(struct look *l, enum look_event on)
{
    const struct c2s_client_facts facts = {
        .header_ok = l->facts.stream_namespace && l->facts.content_namespace &&
                     l->facts.version_one,
        .from_agrees = l->facts.from_agrees,
        .starttls = l->facts.starttls,
        .mechanism = 0, /* none that we know a password for */
        .bind = l->facts.bind,
        .peer_proved = l->facts.verdict == DNA_PROOF_PROVED,
        .peer_refuted = l->facts.verdict == DNA_PROOF_NEGATIVE,
        .consented = true,
    };
    struct dna_effects fx;

    dna_c2s_client_step(&l->c2s, which(l, on), &facts, &l->vars, &l->all->options->knobs, &fx);
    dna_log_step(dna_conn_id(l->conn), l->all->options->domain, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++)
        outs[fx.outs[i]](l);
}

static void begin(struct look *l)
{
    dna_instance_init(&dna_machine_c2s_client, &l->c2s);
}

static void forget(struct look *l)
{
    dna_instance_forget(&dna_machine_c2s_client, &l->c2s, true);
}

const struct look_kind dna_look_c2s = { .key = "c2s",
                                        .title = "client to server",
                                        .service = "xmpp-client",
                                        .content_namespace = DNA_NS_CLIENT,
                                        .names = DNA_PKIX_XMPP_CLIENT,
                                        .port = 5222,
                                        .begin = begin,
                                        .event = event,
                                        .forget = forget };
