/* SPDX-License-Identifier: MIT */
/* client_starttls.c -- the outputs of starttls_initiating for a client; when TLS is up, the facts
   about the certificate by which c2s_client decides on the association. */
#include <string.h>

#include "impl/client_internal.h"
#include "impl/tls.h"

static void nothing(struct dna_client *c)
{
    (void)c;
}

static void send_starttls(struct dna_client *c)
{
    dna_client_show(c, "tls", "STARTTLS is asked for");
    dna_conn_puts(c->conn, "<starttls xmlns='" DNA_NS_TLS "'/>");
}

static void start_tls(struct dna_client *c)
{
    struct sockaddr_storage addr;
    const char *domain = c->options->domain_ascii;
    bool literal = dna_dns_literal(c->options->jid->domain, &addr);
    SSL *ssl = dna_tls_connect_new(c->env.tls, literal ? NULL : domain);

    dna_client_show(c, "tls", "the handshake begins, SNI %s", literal ? "none" : domain);
    dna_conn_start_tls(c->conn, ssl, false, 0); /* the negotiation has its deadline */
}

static void discard_clear(struct dna_client *c)
{
    (void)c; /* dna_conn_start_tls throws away what came in clear */
}

static void report_failed(struct dna_client *c)
{
    dna_client_show(c, "tls", "STARTTLS failed");
    dna_client_step(c, c2s_client_E_TLS_FAILED, &(const struct c2s_client_facts){ 0 });
}

/* The pins that the user gave or has remembered, asked about what the server presents here. */
static bool is_pinned(struct dna_client *c)
{
    const struct dna_client_options *o = c->options;
    char why[512] = "";
    enum dna_pin_result result;

    snprintf(c->pin.domain, sizeof c->pin.domain, "%s", o->domain_ascii);
    snprintf(c->pin.service, sizeof c->pin.service, "xmpp-client");
    snprintf(c->pin.host, sizeof c->pin.host, "%s", dna_dial_at(c->dial).host);
    c->pin.port = dna_dial_at(c->dial).port;
    if (!dna_pin_of(dna_conn_ssl(c->conn), &c->pin))
        return false;
    if (o->pin) {
        bool same = strcmp(o->pin, c->pin.leaf) == 0;
        dna_client_show(c, "pin", "%s", same ? "the certificate is the one that was named"
                                             : "the certificate is not the one that was named");
        return same;
    }
    if (!o->pins_path)
        return false;
    result = dna_pins_look(o->pins_path, &c->pin, why, sizeof why);
    dna_client_show(c, "pin", "%s", why);
    return result == DNA_PIN_FOUND;
}

static void restart_after_tls(struct dna_client *c)
{
    const struct dna_client_options *o = c->options;
    SSL *ssl = dna_conn_ssl(c->conn);
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    struct c2s_client_facts facts = { .consented = o->accept_unauthenticated,
                                      .can_ask = o->may_ask };
    enum dna_proof_verdict verdict;

    dna_instance_forget(&dna_machine_c2s_client, &c->machine, true);
    dna_instance_forget(&dna_machine_starttls_initiating, &c->starttls, true);
    dna_stream_vars_forget(&c->stream, true);
    dna_client_show_certificate(c);
    verdict = dna_proof_weigh_ssl(dna_dial_proof(c->dial), ssl);
    dna_client_show_proofs(c);
    facts.peer_proved = verdict == DNA_PROOF_PROVED;
    c->expires = facts.peer_proved ? dna_proof_expires(dna_dial_proof(c->dial)) : 0;
    event_add(c->watchman, &(const struct timeval){ .tv_sec = 1 });
    facts.peer_refuted = verdict == DNA_PROOF_NEGATIVE;
    facts.pinned = !facts.peer_proved && is_pinned(c);
    facts.self_signed = leaf && X509_self_signed(leaf, 1) == 1;
    dna_client_step(c, c2s_client_E_SECURED, &facts);
}

const dna_client_out dna_client_starttls_outs[starttls_initiating_O_MAX] = {
    nothing,
#define OUT(o, kind, text) [starttls_initiating_O_##o] = o,
#include "model/starttls_initiating.def"
};
