/* SPDX-License-Identifier: MIT */
/* client_resolve.c -- outputs of the table resolution, for a client: questions to DNS, the walk
   through targets and addresses.  Each answer is shown before the table hears of it. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "impl/client_internal.h"

enum { DEFAULT_PORT = 5222 };

static const char *security_text(const struct dna_client *c, enum dna_dns_security security)
{
    static const char *const names[] = {
        [DNA_DNS_INSECURE] = "insecure", [DNA_DNS_BOGUS] = "bogus", [DNA_DNS_SECURE] = "secure"
    };

    return c->options->trust_anchor ? names[security] : "DNSSEC not validated";
}

struct resolution_facts dna_client_resolution_facts(const struct dna_client *c)
{
    const struct dna_client_targets *t = &c->targets;
    struct sockaddr_storage addr;

    return (struct resolution_facts){
        .literal = dna_dns_literal(c->options->jid->domain, &addr),
        .configured = c->options->connect_host != NULL,
        .validating = c->proof_env.validating,
        .barred = c->proof && dna_proof_barred(c->proof),
        .more_addresses = t->at_addr + 1 < t->num_addr,
        .more_targets = t->next_srv < t->num_srv,
    };
}

static void set_host(struct dna_client *c, const char *host, uint16_t port)
{
    snprintf(c->targets.host, sizeof c->targets.host, "%s", host);
    c->targets.port = port;
    c->targets.num_addr = c->targets.at_addr = 0;
}

static void keep_addresses(struct dna_client *c, const struct dna_dns_answer *answer)
{
    struct dna_client_targets *t = &c->targets;

    t->addr_security = answer->security;
    for (size_t i = 0; i < answer->num_addr && t->num_addr < DNA_CLIENT_ADDR_MAX; i++) {
        char text[80];
        t->addr[t->num_addr++] = answer->addr[i];
        dna_client_addr_text(&answer->addr[i], t->port, text, sizeof text);
        dna_client_show(c, "resolve", "%s is %s (%s)", t->host, text,
                        security_text(c, answer->security));
    }
}

static void on_srv(void *arg, const struct dna_dns_answer *answer)
{
    struct dna_client *c = arg;
    struct dna_client_targets *t = &c->targets;
    static const enum resolution_event events[] = {
        [DNA_DNS_RECORDS] = resolution_E_SRV_RECORDS,
        [DNA_DNS_NONE] = resolution_E_SRV_NONE,
        [DNA_DNS_DOT] = resolution_E_SRV_DOT,
        [DNA_DNS_FAILURE] = resolution_E_SRV_FAILED,
    };
    enum resolution_event on = events[answer->class];

    c->query = NULL;
    t->srv_security = answer->security;
    if (answer->security == DNA_DNS_BOGUS)
        on = resolution_E_SRV_BOGUS;
    for (size_t i = 0; i < answer->num_srv && t->num_srv < DNA_CLIENT_SRV_MAX; i++) {
        t->srv[t->num_srv++] = answer->srv[i];
        dna_client_show(c, "resolve", "priority %u weight %u: %s port %u (%s)",
                        answer->srv[i].priority, answer->srv[i].weight, answer->srv[i].target,
                        answer->srv[i].port, security_text(c, answer->security));
    }
    if (answer->class != DNA_DNS_RECORDS)
        dna_client_show(c, "resolve", "no SRV target: %s%s",
                        answer->security == DNA_DNS_BOGUS ? "bogus, " : "",
                        answer->class == DNA_DNS_DOT ? "the domain says it has no such service"
                                                     : answer->why);
    dna_client_resolution_step(c, on);
}

static void on_address(void *arg, const struct dna_dns_answer *answer)
{
    struct dna_client *c = arg;

    c->query = NULL;
    keep_addresses(c, answer);
    if (c->targets.num_addr == 0)
        dna_client_show(c, "resolve", "%s has no address: %s", c->targets.host, answer->why);
    dna_client_resolution_step(c, c->targets.num_addr ? resolution_E_ADDRESS_FOUND
                                                      : resolution_E_ADDRESS_NONE);
}

/* The host that the user named has its address asked for before the table begins. */
static void on_configured(void *arg, const struct dna_dns_answer *answer)
{
    struct dna_client *c = arg;

    c->query = NULL;
    keep_addresses(c, answer);
    if (c->targets.num_addr) {
        dna_client_resolution_step(c, resolution_E_BEGIN);
        return;
    }
    dna_client_show(c, "resolve", "%s has no address: %s", c->targets.host, answer->why);
    dna_client_verdict(c, DNA_CLIENT_NETWORK);
    dna_client_finish(c);
}

void dna_client_resolve(struct dna_client *c)
{
    const struct dna_client_options *o = c->options;

    if (o->knobs.dane && !c->proof_env.validating)
        dna_client_show(c, "prooftype",
                        "DNSSEC is not validated: no trust anchor, DANE proves nothing");
    if (o->connect_host) {
        set_host(c, o->connect_host, o->connect_port);
        c->query = dna_dns_addr(c->dns, o->connect_host, on_configured, c);
        return;
    }
    set_host(c, o->domain_ascii, DEFAULT_PORT);
    if (dna_dns_literal(o->jid->domain, &c->targets.addr[0]))
        c->targets.num_addr = 1;
    dna_client_resolution_step(c, resolution_E_BEGIN);
}

/* --- outputs --- */

static void nothing(struct dna_client *c)
{
    (void)c;
}

static void query_srv(struct dna_client *c)
{
    dna_client_show(c, "resolve", "_xmpp-client._tcp.%s SRV?", c->options->domain_ascii);
    c->query = dna_dns_srv(c->dns, "xmpp-client", c->options->domain_ascii, on_srv, c);
}

static void query_address(struct dna_client *c)
{
    const struct dna_dns_srv *srv = &c->targets.srv[c->targets.next_srv++];

    set_host(c, srv->target, srv->port);
    c->targets.from_srv = true;
    dna_client_show(c, "resolve", "%s A, AAAA?", srv->target);
    c->query = dna_dns_addr(c->dns, srv->target, on_address, c);
}

static void query_fallback_address(struct dna_client *c)
{
    set_host(c, c->options->domain_ascii, DEFAULT_PORT);
    dna_client_show(c, "resolve", "%s A, AAAA? (the domain itself, port %d)",
                    c->options->domain_ascii, DEFAULT_PORT);
    c->query = dna_dns_addr(c->dns, c->options->domain_ascii, on_address, c);
}

static void on_proofs_settled(void *arg)
{
    dna_client_resolution_step(arg, resolution_E_MATERIAL_IN);
}

static void seek_proofs(struct dna_client *c)
{
    const struct dna_proof_ask ask = { .domain = c->options->jid->domain,
                                       .service = DNA_PKIX_XMPP_CLIENT };

    c->proof = dna_proof_new(&c->proof_env, &ask, on_proofs_settled, c);
}

static void tell_endpoint(struct dna_client *c)
{
    const struct dna_client_targets *t = &c->targets;
    const struct dna_proof_endpoint at = { .host = t->host,
                                           .port = t->port,
                                           .from_srv = t->from_srv,
                                           .srv = t->srv_security,
                                           .address = t->addr_security };

    dna_proof_endpoint(c->proof, &at);
    if (!dna_proof_pending(c->proof))
        dna_client_resolution_step(c, resolution_E_MATERIAL_IN);
}

static void offer_address(struct dna_client *c)
{
    dna_client_resolution_step(c, resolution_E_CONNECT); /* a client has no stream to reuse */
}

static void open_connection(struct dna_client *c)
{
    dna_client_connect(c);
}

static void next_address(struct dna_client *c)
{
    c->targets.at_addr++;
}

static void report_connected(struct dna_client *c)
{
    dna_client_show(c, "connect", "open to %s", dna_conn_peer(c->conn));
    dna_client_deadline(c->negotiation, c->options->negotiation_ms);
    dna_client_step(c, c2s_client_E_TCP_UP, &(const struct c2s_client_facts){ 0 });
}

static void give_up(struct dna_client *c, const char *why)
{
    dna_client_show(c, "connect", "%s", why);
    dna_client_verdict(c, DNA_CLIENT_NETWORK);
    dna_client_finish(c);
}

static void report_not_found(struct dna_client *c)
{
    give_up(c, "the domain has no XMPP server that could be found");
}

static void report_unreachable(struct dna_client *c)
{
    give_up(c, "the domain's server can't be reached");
}

const dna_client_out dna_client_resolution_outs[resolution_O_MAX] = {
    nothing,
#define OUT(o, kind, text) [resolution_O_##o] = o,
#include "model/resolution.def"
};
