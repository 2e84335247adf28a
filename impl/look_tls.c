/* SPDX-License-Identifier: MIT */
/* look_tls.c -- the outputs of starttls_initiating for a look; when TLS is up, the certificate is
   recorded and weighed. */
#include "impl/log.h"
#include "impl/look_internal.h"
#include "impl/tls.h"

static void nothing(struct look *l)
{
    (void)l;
}

static void send_starttls(struct look *l)
{
    dna_conn_puts(l->conn, "<starttls xmlns='" DNA_NS_TLS "'/>");
}

static void start_tls(struct look *l)
{
    const struct dna_look_options *o = l->all->options;
    struct sockaddr_storage unused;
    bool literal = dna_dns_literal(o->domain, &unused);
    SSL *ssl = dna_tls_connect_new(l->all->env.tls, literal ? NULL : o->ascii);

    dna_conn_start_tls(l->conn, ssl, false, o->negotiation_ms);
}

static void discard_clear(struct look *l)
{
    (void)l; /* dna_conn_start_tls throws away what came in clear */
}

static void restart_after_tls(struct look *l)
{
    dna_instance_forget(&dna_machine_starttls_initiating, &l->starttls, true);
    dna_stream_vars_forget(&l->vars, true);
    l->kind->forget(l);
    dna_look_record_tls(l);
    l->facts.verdict = dna_proof_weigh_ssl(dna_dial_proof(l->dial), dna_conn_ssl(l->conn));
    dna_look_record_proofs(l, l->facts.verdict);
    l->on = LOOK_SECURED;
    l->kind->event(l, LOOK_SECURED);
}

static void report_failed(struct look *l)
{
    l->on = LOOK_TLS_FAILED;
    l->kind->event(l, LOOK_TLS_FAILED);
}

static void (*const outs[starttls_initiating_O_MAX])(struct look *l) = {
    nothing,
#define OUT(o, kind, text) [starttls_initiating_O_##o] = o,
#include "model/starttls_initiating.def"
};

void dna_look_starttls(struct look *l, enum starttls_initiating_event on)
{
    const struct starttls_initiating_facts facts = {
        .clear_trailing = l->element && dna_conn_clear_trailing(l->conn),
    };
    struct dna_effects fx;

    dna_starttls_initiating_step(&l->starttls, on, &facts, &l->vars, &l->all->options->knobs, &fx);
    dna_log_step(dna_conn_id(l->conn), l->all->options->domain, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++)
        outs[fx.outs[i]](l);
}
