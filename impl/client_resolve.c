/* SPDX-License-Identifier: MIT */
/* client_resolve.c -- how xdna-client finds its server: what its dial (dial.h) tells on the way is
   shown, line by line; then the connection is taken over. */
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

static void on_stepped(void *arg, const struct dna_effects *fx)
{
    struct dna_client *c = arg;

    if (fx)
        dna_client_row(c, fx);
    else
        c->row = NULL;
}

static void on_asks_srv(void *arg, const char *name)
{
    dna_client_show(arg, "resolve", "%s SRV?", name);
}

static void on_srv(void *arg, const struct dna_dns_answer *answer)
{
    struct dna_client *c = arg;

    for (size_t i = 0; i < answer->num_srv; i++)
        dna_client_show(c, "resolve", "priority %u weight %u: %s port %u (%s)",
                        answer->srv[i].priority, answer->srv[i].weight, answer->srv[i].target,
                        answer->srv[i].port, security_text(c, answer->security));
    if (answer->class != DNA_DNS_RECORDS)
        dna_client_show(c, "resolve", "no SRV target: %s%s",
                        answer->security == DNA_DNS_BOGUS ? "bogus, " : "",
                        answer->class == DNA_DNS_DOT ? "the domain says it has no such service"
                                                     : answer->why);
}

static void on_asks_addresses(void *arg, const struct dna_dial_target *of)
{
    if (of->from_srv)
        dna_client_show(arg, "resolve", "%s A, AAAA?", of->host);
    else
        dna_client_show(arg, "resolve", "%s A, AAAA? (the domain itself, port %u)", of->host,
                        of->port);
}

static void on_addresses(void *arg, const struct dna_dial_target *of,
                         const struct dna_dns_answer *answer)
{
    struct dna_client *c = arg;
    char text[80];

    for (size_t i = 0; i < answer->num_addr; i++) {
        dna_dial_address_text(&answer->addr[i], of->port, text, sizeof text);
        dna_client_show(c, "resolve", "%s is %s (%s)", of->host, text,
                        security_text(c, answer->security));
    }
    if (answer->num_addr == 0)
        dna_client_show(c, "resolve", "%s has no address: %s%s", of->host,
                        answer->security == DNA_DNS_BOGUS ? "bogus, " : "", answer->why);
}

static void on_seeks(void *arg)
{
    (void)arg; /* what was sought is shown when it is weighed */
}

static void on_barred(void *arg, const struct dna_dial_target *at)
{
    dna_client_note(arg, "prooftype", "%s port %u must not be connected to: its TLSA records "
                    "can't be trusted or had", at->host, at->port);
}

static void on_connects(void *arg, const char *address)
{
    dna_client_show(arg, "connect", "to %s", address);
}

static void on_refused(void *arg, const char *why)
{
    dna_client_note(arg, "connect", "failed: %s", why);
}

static void on_connected(void *arg, struct dna_conn *conn)
{
    dna_client_connected(arg, conn);
}

static void on_failed(void *arg, const char *why)
{
    struct dna_client *c = arg;

    dna_client_show(c, "connect", "%s", why);
    dna_client_verdict(c, DNA_CLIENT_NETWORK);
    dna_client_finish(c);
}

void dna_client_resolve(struct dna_client *c)
{
    static const struct dna_dial_watch watch = { on_stepped,        on_asks_srv,  on_srv,
                                                 on_asks_addresses, on_addresses, on_seeks,
                                                 on_barred,         on_connects,  on_refused,
                                                 on_connected,      on_failed };
    const struct dna_client_options *o = c->options;
    const struct dna_dial_ask ask = { .domain = o->jid->domain,
                                      .ascii = o->domain_ascii,
                                      .service = "xmpp-client",
                                      .names = DNA_PKIX_XMPP_CLIENT,
                                      .port = DEFAULT_PORT,
                                      .host = o->connect_host,
                                      .host_port = o->connect_port,
                                      .connect_ms = o->connect_ms };

    if (o->knobs.dane && !c->env.proof.validating)
        dna_client_show(c, "prooftype",
                        "DNSSEC is not validated: no trust anchor, DANE proves nothing");
    dna_dial_new(&c->dial, &c->env.proof, &ask, &watch, c);
}
