/* SPDX-License-Identifier: MIT */
/* c2s_out.c -- the outputs of c2s_server and starttls_receiving on a client's stream, one small
   function each.  The tables below are made from the .def files, so that an output without a
   function does not link and one that the tables lost does not compile. */
#include <stdlib.h>
#include <string.h>

#include "impl/c2s_internal.h"
#include "impl/tls.h"

static void nothing(struct dna_c2s_session *s)
{
    (void)s;
}

static void put(struct dna_c2s_session *s, struct dna_buf *b)
{
    dna_conn_send(s->conn, b->at, b->len);
    dna_buf_cleanup(b);
}

/* --- headers and features --- */

static void header_from(struct dna_c2s_session *s, const struct dna_config_domain *domain)
{
    struct dna_buf b = DNA_BUF_INIT;

    if (!s->stream_id[0])
        dna_id_make(s->stream_id);
    dna_buf_puts(&b, "<?xml version='1.0'?><stream:stream xmlns='" DNA_NS_CLIENT
                     "' xmlns:stream='" DNA_NS_STREAM "'");
    dna_buf_attr(&b, "from", domain->name);
    dna_buf_attr(&b, "to", s->peer_from);
    dna_buf_attr(&b, "id", s->stream_id);
    dna_buf_puts(&b, " version='1.0' xml:lang='en'>");
    put(s, &b);
}

/* Without it there is nothing to go on with, and whole tables do not lead here. */
static bool lacks(const struct dna_c2s_session *s, const void *what)
{
    if (!what)
        dna_dead_end(s->knobs);
    return !what;
}

/* Only a damaged table (--mutate) lets somebody in whose domain or login is not known: it is then
 * the first domain, and an account without a name. The fault is to show in what a peer sees, not in
 * a crash. */
static void be_somebody(struct dna_c2s_session *s)
{
    if (!s->knobs->mutant && (!s->domain || (!s->local && !s->sasl)))
        abort(); /* whole tables do not lead here, and nobody is let in should they ever */
    if (!s->domain)
        s->domain = &s->service->setup.config->domains[0];
    if (!s->local)
        s->local = dna_strdup(s->sasl ? dna_sasl_local(s->sasl) : "");
}

static void send_header_unhosted(struct dna_c2s_session *s)
{
    header_from(s, s->domain ? s->domain : &s->service->setup.config->domains[0]);
}

static void send_header(struct dna_c2s_session *s)
{
    send_header_unhosted(s);
}

static void features(struct dna_c2s_session *s, const char *inner)
{
    struct dna_buf b = DNA_BUF_INIT;

    dna_buf_printf(&b, "<stream:features>%s</stream:features>", inner);
    put(s, &b);
}

static void send_features_tls_required(struct dna_c2s_session *s)
{
    features(s, "<starttls xmlns='" DNA_NS_TLS "'><required/></starttls>");
}

static void send_features_tls(struct dna_c2s_session *s)
{
    features(s, "<starttls xmlns='" DNA_NS_TLS "'/>");
}

static void send_features_sasl(struct dna_c2s_session *s)
{
    struct dna_buf b = DNA_BUF_INIT;

    dna_buf_puts(&b, "<mechanisms xmlns='" DNA_NS_SASL "'>");
    for (int m = DNA_SASL_SCRAM_SHA_256; m > DNA_SASL_NONE; m--)
        dna_buf_printf(&b, "<mechanism>%s</mechanism>",
                       dna_sasl_mechanism_name((enum dna_sasl_mechanism)m));
    dna_buf_puts(&b, "</mechanisms>");
    features(s, b.at);
    dna_buf_cleanup(&b);
}

static void send_features_bind(struct dna_c2s_session *s)
{
    features(s, "<bind xmlns='" DNA_NS_BIND "'/>"
                "<session xmlns='" DNA_NS_SESSION "'><optional/></session>");
}

/* --- SASL --- */

static const char *password_of(void *arg, const char *local)
{
    const struct dna_c2s_session *s = arg;
    const struct dna_config_account *a = dna_config_account_find(s->domain, local);

    return a ? a->password : NULL;
}

/* Shows the client's data to the mechanism and raises what that came to. */
static void continue_sasl(struct dna_c2s_session *s)
{
    static const enum c2s_server_event events[] = {
        [DNA_SASL_CONTINUE] = c2s_server_E_SASL_MORE,
        [DNA_SASL_SUCCESS] = c2s_server_E_SASL_OK,
        [DNA_SASL_INCORRECT_ENCODING] = c2s_server_E_SASL_MALFORMED,
        [DNA_SASL_MALFORMED_REQUEST] = c2s_server_E_SASL_MALFORMED,
        [DNA_SASL_INVALID_AUTHZID] = c2s_server_E_SASL_BAD_AUTHZID,
        [DNA_SASL_NOT_AUTHORIZED] = c2s_server_E_SASL_WRONG,
    };

    if (lacks(s, s->sasl))
        return;
    dna_buf_reset(&s->out);
    s->sasl_status = dna_sasl_step(s->sasl, s->in.len ? s->in.at : "", &s->out);
    dna_c2s_step(s, events[s->sasl_status], &(const struct c2s_server_facts){ 0 });
}

static void begin_sasl(struct dna_c2s_session *s)
{
    dna_sasl_free(s->sasl);
    if (!s->domain)
        s->domain = &s->service->setup.config->domains[0];
    s->sasl = dna_sasl_server_new(s->mechanism, s->domain->name, password_of, s);
    continue_sasl(s);
}

static void sasl_element(struct dna_c2s_session *s, const char *name)
{
    struct dna_buf b = DNA_BUF_INIT;

    dna_buf_printf(&b, "<%s xmlns='" DNA_NS_SASL "'>%s</%s>", name, s->out.len ? s->out.at : "",
                   name);
    put(s, &b);
}

static void send_challenge(struct dna_c2s_session *s)
{
    sasl_element(s, "challenge");
}

static void send_success(struct dna_c2s_session *s)
{
    free(s->local);
    s->local = NULL;
    be_somebody(s);
    sasl_element(s, "success");
    dna_sasl_free(s->sasl);
    s->sasl = NULL;
}

static void restart_stream(struct dna_c2s_session *s)
{
    dna_instance_forget(&dna_machine_c2s_server, &s->machine, false);
    dna_stream_vars_forget(&s->stream, false);
    dna_conn_restart_xml(s->conn, s->service->setup.config->limit_stanza);
}

static void failure(struct dna_c2s_session *s, const char *condition)
{
    struct dna_buf b = DNA_BUF_INIT;

    dna_sasl_free(s->sasl);
    s->sasl = NULL;
    dna_buf_printf(&b, "<failure xmlns='" DNA_NS_SASL "'><%s/></failure>", condition);
    put(s, &b);
}

#define FAILURE(out, condition)                                                                   \
    static void out(struct dna_c2s_session *s)                                                    \
    {                                                                                             \
        failure(s, condition);                                                                    \
    }
FAILURE(failure_encryption_required, "encryption-required")
FAILURE(failure_invalid_mechanism, "invalid-mechanism")
FAILURE(failure_incorrect_encoding, "incorrect-encoding")
FAILURE(failure_invalid_authzid, "invalid-authzid")
FAILURE(failure_not_authorized, "not-authorized")
FAILURE(failure_malformed_request, "malformed-request")
FAILURE(failure_aborted, "aborted")

static void weigh(struct dna_c2s_session *s)
{
    dna_c2s_step(s, c2s_server_E_WEIGH, &(const struct c2s_server_facts){ 0 });
}

/* --- the resource and its stanzas: c2s_stanza.c --- */

static void bind_resource(struct dna_c2s_session *s)
{
    if (lacks(s, s->element))
        return;
    be_somebody(s);
    dna_c2s_bind(s);
}

static void refuse_second_resource(struct dna_c2s_session *s)
{
    if (lacks(s, s->element))
        return;
    dna_c2s_refuse_bind(s);
}

static void route(struct dna_c2s_session *s)
{
    if (lacks(s, s->element) || lacks(s, s->jid))
        return;
    be_somebody(s);
    dna_c2s_route(s);
}

/* --- the end --- */

static void stream_error(struct dna_c2s_session *s, const char *condition)
{
    struct dna_buf b = DNA_BUF_INIT;

    dna_buf_printf(&b, "<stream:error><%s xmlns='" DNA_NS_STREAM_ERRORS "'/></stream:error>",
                   condition);
    put(s, &b);
}

#define STREAM_ERROR(out, condition)                                                              \
    static void out(struct dna_c2s_session *s)                                                    \
    {                                                                                             \
        stream_error(s, condition);                                                               \
    }
STREAM_ERROR(error_invalid_namespace, "invalid-namespace")
STREAM_ERROR(error_host_unknown, "host-unknown")
STREAM_ERROR(error_unsupported_version, "unsupported-version")
STREAM_ERROR(error_not_authorized, "not-authorized")
STREAM_ERROR(error_policy_violation, "policy-violation")
STREAM_ERROR(error_unsupported_stanza_type, "unsupported-stanza-type")
STREAM_ERROR(error_not_well_formed, "not-well-formed")
STREAM_ERROR(error_restricted_xml, "restricted-xml")
STREAM_ERROR(error_connection_timeout, "connection-timeout")
STREAM_ERROR(error_system_shutdown, "system-shutdown")

static void send_close(struct dna_c2s_session *s)
{
    uint32_t ms = s->service->setup.config->timeout_close_ms;
    const struct timeval wait = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };

    dna_c2s_unbind(s);
    dna_conn_close(s->conn);
    evtimer_add(s->closing, &wait);
}

static void discard_input(struct dna_c2s_session *s)
{
    s->discard = true;
}

static void drop_stream(struct dna_c2s_session *s)
{
    dna_c2s_unbind(s);
    dna_conn_drop(s->conn, s->service->setup.config->timeout_close_ms);
}

const dna_c2s_out dna_c2s_outs[c2s_server_O_MAX] = {
    nothing,
#define OUT(o, kind, text) [c2s_server_O_##o] = o,
#include "model/c2s_server.def"
};

/* --- STARTTLS --- */

static void send_proceed(struct dna_c2s_session *s)
{
    dna_conn_puts(s->conn, "<proceed xmlns='" DNA_NS_TLS "'/>");
}

static void send_tls_failure(struct dna_c2s_session *s)
{
    dna_conn_puts(s->conn, "<failure xmlns='" DNA_NS_TLS "'/>");
}

static void start_tls(struct dna_c2s_session *s)
{
    const struct dna_c2s_setup *setup = &s->service->setup;
    SSL_CTX *ctx;

    if (lacks(s, s->domain))
        return;
    ctx = setup->tls(setup->arg, s->domain->name);
    if (ctx) /* the negotiation has its deadline */
        dna_conn_start_tls(s->conn, dna_tls_accept_new(ctx, false), true, 0);
    else
        drop_stream(s);
}

/* RFC 6120 5.4.3.3: what was said in clear is forgotten, the domain asked for included. */
static void restart_after_tls(struct dna_c2s_session *s)
{
    dna_instance_forget(&dna_machine_c2s_server, &s->machine, true);
    dna_instance_forget(&dna_machine_starttls_receiving, &s->starttls, true);
    dna_stream_vars_forget(&s->stream, true);
    s->stream_id[0] = '\0';
    s->domain = NULL;
    dna_conn_restart_xml(s->conn, DNA_C2S_CLEAR_LIMIT);
    dna_c2s_step(s, c2s_server_E_SECURED, &(const struct c2s_server_facts){ 0 });
}

static void forget_pairs(struct dna_c2s_session *s)
{
    (void)s; /* a client's stream has none */
}

static void discard_clear(struct dna_c2s_session *s)
{
    (void)s; /* dna_conn_start_tls throws away what came in clear */
}

static void end_stream(struct dna_c2s_session *s)
{
    dna_c2s_step(s, c2s_server_E_END, &(const struct c2s_server_facts){ 0 });
}

const dna_c2s_out dna_c2s_starttls_outs[starttls_receiving_O_MAX] = {
    nothing,
#define OUT(o, kind, text) [starttls_receiving_O_##o] = o,
#include "model/starttls_receiving.def"
};
