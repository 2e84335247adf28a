/* SPDX-License-Identifier: MIT */
/* client_out.c -- the outputs of c2s_client, one small function each.  Not a byte of a
   password is put together before the table has said begin_sasl, and it says so only behind
   report_strong, report_pinned or report_consented. */
#include <stdlib.h>
#include <string.h>

#include "impl/client_internal.h"

static void nothing(struct dna_client *c)
{
    (void)c;
}

static void put(struct dna_client *c, struct dna_buf *b)
{
    dna_conn_send(c->conn, b->at, b->len);
    dna_buf_cleanup(b);
}

/* --- the stream --- */

static void send_header(struct dna_client *c)
{
    const struct dna_jid *jid = c->options->jid;
    struct dna_buf b = DNA_BUF_INIT, from = DNA_BUF_INIT;

    dna_instance_forget(&dna_machine_c2s_client, &c->machine, false);
    dna_stream_vars_forget(&c->stream, false);
    dna_conn_restart_xml(c->conn, c->options->limit_stanza);
    dna_buf_puts(&b, "<?xml version='1.0'?><stream:stream xmlns='" DNA_NS_CLIENT
                     "' xmlns:stream='" DNA_NS_STREAM "'");
    dna_buf_attr(&b, "to", jid->domain);
    if (dna_conn_secured(c->conn) && jid->local[0]) { /* no names of users in clear */
        dna_buf_printf(&from, "%s@%s", jid->local, jid->domain);
        dna_buf_attr(&b, "from", from.at);
    }
    dna_buf_puts(&b, " version='1.0' xml:lang='en'>");
    dna_client_show(c, "header", "sent: to='%s'%s", jid->domain,
                    dna_conn_secured(c->conn) ? " (under TLS)" : "");
    put(c, &b);
    dna_buf_cleanup(&from);
}

static void begin_starttls(struct dna_client *c)
{
    dna_client_starttls_step(c, starttls_initiating_E_BEGIN,
                             &(const struct starttls_initiating_facts){ 0 });
}

#define STREAM_ERROR(name, condition)                                                              \
    static void name(struct dna_client *c)                                                         \
    {                                                                                              \
        dna_conn_puts(c->conn, "<stream:error><" condition " xmlns='" DNA_NS_STREAM_ERRORS         \
                               "'/></stream:error>");                                              \
    }
STREAM_ERROR(error_reset, "reset")
STREAM_ERROR(error_unsupported_stanza_type, "unsupported-stanza-type")
STREAM_ERROR(error_not_well_formed, "not-well-formed")
STREAM_ERROR(error_restricted_xml, "restricted-xml")
STREAM_ERROR(error_policy_violation, "policy-violation")

static void send_close(struct dna_client *c)
{
    dna_conn_close(c->conn);
    dna_conn_resume(c->conn); /* the peer's closing tag is waited for, whatever else was */
    dna_client_deadline(c->closing, c->options->close_ms);
    dna_client_lines_stop(c);
}

static void drop_stream(struct dna_client *c)
{
    dna_conn_drop(c->conn, c->options->close_ms);
    dna_client_lines_stop(c);
}

/* --- the association --- */

/* Without an account the association is all that was asked for. */
static void associated(struct dna_client *c, const char *what)
{
    c->association = what;
    if (!c->options->jid->local[0])
        event_active(c->quit, EV_TIMEOUT, 0);
}

static void report_strong(struct dna_client *c)
{
    char names[128];

    dna_proof_names(dna_dial_proof(c->dial), DNA_PROOF_HELD, names, sizeof names);
    dna_client_show(c, "association", "%s: strong, proved by %s", c->options->jid->domain, names);
    associated(c, "strong");
}

static void report_pinned(struct dna_client *c)
{
    dna_client_show(c, "association", "%s: holds, for the certificate is pinned",
                    c->options->jid->domain);
    associated(c, "pinned");
}

static void report_consented(struct dna_client *c)
{
    dna_client_show(c, "association", "%s: none; going on unauthenticated, as the user wants",
                    c->options->jid->domain);
    associated(c, "unauthenticated");
}

static void report_refused(struct dna_client *c)
{
    dna_client_show(c, "association", "%s: refused; nothing was sent that needs it",
                    c->options->jid->domain);
    dna_client_verdict(c, DNA_CLIENT_REFUSED);
}

static void report_refuted(struct dna_client *c)
{
    char names[128];

    dna_proof_names(dna_dial_proof(c->dial), DNA_PROOF_REFUTED, names, sizeof names);
    dna_client_show(c, "association",
                    "%s: refuted by %s, the domain's owner says that its certificate is another "
                    "one; neither pin nor consent counts",
                    c->options->jid->domain, names);
    c->association = "refuted";
    dna_client_verdict(c, DNA_CLIENT_REFUSED);
}

static void report_expired(struct dna_client *c)
{
    dna_client_show(c, "association", "%s: over, for its certificate has expired",
                    c->options->domain_ascii);
    dna_client_verdict(c, DNA_CLIENT_NETWORK);
}

static void report_failed(struct dna_client *c)
{
    bool late = c->on == c2s_client_E_TIMER_NEGOTIATION;
    bool network = late || c->on == c2s_client_E_TCP_GONE;

    if (late)
        dna_client_show(c, "stream", "no progress in time");
    dna_client_show(c, "association", "%s: %s", c->options->jid->domain,
                    network ? "the connection did not last"
                            : "refused; the stream is not fit for it");
    dna_client_verdict(c, network ? DNA_CLIENT_NETWORK : DNA_CLIENT_REFUSED);
}

static void ask_user(struct dna_client *c)
{
    dna_conn_pause(c->conn);
    dna_client_lines_pause(c, true);
    dna_client_show_question(c);
    event_add(c->answer, NULL);
}

/* --- login --- */

static void sasl_element(struct dna_client *c, const char *name, const struct dna_buf *data)
{
    struct dna_buf b = DNA_BUF_INIT;

    dna_buf_printf(&b, "<%s xmlns='" DNA_NS_SASL "'>%s</%s>", name, data->len ? data->at : "",
                   name);
    dna_conn_send(c->conn, b.at, b.len);
    explicit_bzero(b.at, b.len);
    dna_buf_cleanup(&b);
}

static void begin_sasl(struct dna_client *c)
{
    const char *mechanism = dna_sasl_mechanism_name(c->mechanism);
    struct dna_buf data = DNA_BUF_INIT, b = DNA_BUF_INIT;

    c->sasl = dna_sasl_client_new(c->mechanism, c->options->jid->local,
                                  c->options->password ? c->options->password : "");
    (void)dna_sasl_step(c->sasl, NULL, &data);
    dna_client_show(c, "login", "%s, %s", c->options->jid->local, mechanism);
    dna_buf_printf(&b, "<auth xmlns='" DNA_NS_SASL "' mechanism='%s'>%s</auth>", mechanism,
                   data.len ? data.at : "=");
    dna_conn_send(c->conn, b.at, b.len);
    explicit_bzero(b.at, b.len);
    dna_buf_cleanup(&b);
    if (data.at)
        explicit_bzero(data.at, data.len);
    dna_buf_cleanup(&data);
}

static void continue_sasl(struct dna_client *c)
{
    struct dna_buf challenge = DNA_BUF_INIT, data = DNA_BUF_INIT;
    enum dna_sasl_status status;

    dna_xml_text(c->element, &challenge);
    status = dna_sasl_step(c->sasl, challenge.at ? challenge.at : "", &data);
    if (status == DNA_SASL_CONTINUE || status == DNA_SASL_SUCCESS)
        sasl_element(c, "response", &data);
    else
        dna_client_step(c, c2s_client_E_SASL_BROKEN, &(const struct c2s_client_facts){ 0 });
    dna_buf_cleanup(&challenge);
    dna_buf_cleanup(&data);
}

static const char *login_failure(const struct dna_client *c)
{
    const struct dna_xml_node *why;

    switch (c->on) {
    case c2s_client_E_RX_FAILURE:
        why = dna_xml_child(c->element, DNA_NS_SASL, NULL);
        return why ? why->name : "refused without a reason";
    case c2s_client_E_RX_FEATURES:
        return "the server offers nothing that may be used here";
    case c2s_client_E_RX_BIND_ERROR:
        return "the server grants no resource";
    default:
        return "the server does not prove that it knows the password";
    }
}

static void report_login_failed(struct dna_client *c)
{
    dna_client_show(c, "login", "failed: %s", login_failure(c));
    dna_client_verdict(c, DNA_CLIENT_REFUSED);
}

static void send_bind(struct dna_client *c)
{
    const char *resource = c->options->jid->resource;
    struct dna_buf b = DNA_BUF_INIT;

    dna_buf_printf(&b, "<iq type='set' id='%s'><bind xmlns='" DNA_NS_BIND "'>", c->bind_id);
    if (resource[0]) {
        dna_buf_puts(&b, "<resource>");
        dna_buf_escape(&b, resource);
        dna_buf_puts(&b, "</resource>");
    }
    dna_buf_puts(&b, "</bind></iq>");
    dna_client_show(c, "bind", "a resource is asked for");
    put(c, &b);
}

static void report_bound(struct dna_client *c)
{
    const struct dna_xml_node *bind = dna_xml_child(c->element, DNA_NS_BIND, "bind");
    const struct dna_xml_node *jid = bind ? dna_xml_child(bind, DNA_NS_BIND, "jid") : NULL;
    struct dna_buf text = DNA_BUF_INIT;

    if (jid)
        dna_xml_text(jid, &text);
    free(c->bound);
    c->bound = text.len ? text.at : dna_strdup("");
    if (!text.len)
        dna_buf_cleanup(&text);
    dna_client_show(c, "bind", "we are %s", c->bound);
    dna_client_release_held(c);
}

/* --- stanzas: client_stanza.c --- */

static void hold(struct dna_client *c)
{
    dna_client_hold(c);
}

static void transmit(struct dna_client *c)
{
    dna_client_transmit(c);
}

static void report_lost(struct dna_client *c)
{
    dna_client_show(c, "message", "not sent: the stream is closing");
    dna_client_verdict(c, DNA_CLIENT_REFUSED);
}

static void show_stanza(struct dna_client *c)
{
    dna_client_show_stanza(c);
}

const dna_client_out dna_client_outs[c2s_client_O_MAX] = {
    nothing,
#define OUT(o, kind, text) [c2s_client_O_##o] = o,
#include "model/c2s_client.def"
};
