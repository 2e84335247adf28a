/* SPDX-License-Identifier: MIT */
/* dial: see dial.h. The outputs of model/resolution.def, one small function each. */
#include "impl/dial.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/log.h"
#include "model/machines.h"

enum { MAX = 64 };

struct dna_dial {
    const struct dna_proof_env *env;
    struct dna_dial_ask ask;
    const struct dna_dial_watch *watch;
    void *arg;
    struct resolution m;
    struct dna_proof *proof;
    struct dna_dns_query *query;
    struct dna_conn *conn; /* until it is open */
    struct dna_dns_srv srv[MAX];
    size_t num_srv, next_srv; /* next_srv: the one whose addresses are asked for next */
    struct sockaddr_storage addr[MAX];
    size_t num_addr, at_addr;
    char host[256], canonical[256]; /* canonical: at the end of the aliases of host, or "" */
    uint16_t port;
    bool from_srv;
    enum dna_dns_security srv_security, addr_security;
};

typedef void (*dial_out)(struct dna_dial *d);
static const dial_out outs[resolution_O_MAX];

void dna_dial_address_text(const struct sockaddr_storage *addr, uint16_t port, char *out,
                           size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    const void *at = addr->ss_family == AF_INET6
                         ? (const void *)&((const struct sockaddr_in6 *)addr)->sin6_addr
                         : (const void *)&((const struct sockaddr_in *)addr)->sin_addr;

    inet_ntop(addr->ss_family, at, host, sizeof host);
    snprintf(out, size, addr->ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, port);
}

struct dna_proof *dna_dial_proof(const struct dna_dial *d)
{
    return d->proof;
}

struct dna_dial_target dna_dial_at(const struct dna_dial *d)
{
    return (struct dna_dial_target){ d->host, d->port, d->from_srv,
                                     d->from_srv ? &d->srv[d->next_srv - 1] : NULL };
}

static void step(struct dna_dial *d, enum resolution_event on)
{
    struct sockaddr_storage unused;
    struct dna_stream_vars none;
    struct dna_effects fx;
    const struct resolution_facts facts = {
        .literal = dna_dns_literal(d->ask.domain, &unused),
        .configured = d->ask.host != NULL,
        .more_addresses = d->at_addr + 1 < d->num_addr,
        .more_targets = d->next_srv < d->num_srv,
        .validating = d->env->validating,
        .barred = d->proof && dna_proof_barred(d->proof),
    };

    dna_stream_vars_init(&none);
    dna_resolution_step(&d->m, on, &facts, &none, d->env->knobs, &fx);
    dna_log_step(d->conn ? dna_conn_id(d->conn) : 0, d->ask.domain, &fx);
    d->watch->stepped(d->arg, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++)
        outs[fx.outs[i]](d);
    d->watch->stepped(d->arg, NULL);
}

/* --- answers of DNS --- */

static void set_host(struct dna_dial *d, const char *host, uint16_t port)
{
    snprintf(d->host, sizeof d->host, "%s", host);
    d->port = port;
    d->num_addr = d->at_addr = 0;
    d->canonical[0] = '\0';
}

static void on_srv(void *arg, const struct dna_dns_answer *answer)
{
    static const enum resolution_event events[] = {
        [DNA_DNS_RECORDS] = resolution_E_SRV_RECORDS,
        [DNA_DNS_NONE] = resolution_E_SRV_NONE,
        [DNA_DNS_DOT] = resolution_E_SRV_DOT,
        [DNA_DNS_FAILURE] = resolution_E_SRV_FAILED,
    };
    struct dna_dial *d = arg;
    bool bogus = answer->security == DNA_DNS_BOGUS;

    d->query = NULL;
    d->srv_security = answer->security;
    for (size_t i = 0; i < answer->num_srv && d->num_srv < MAX; i++)
        d->srv[d->num_srv++] = answer->srv[i];
    d->watch->srv(d->arg, answer);
    step(d, bogus ? resolution_E_SRV_BOGUS : events[answer->class]);
}

static void keep_addresses(struct dna_dial *d, const struct dna_dns_answer *answer)
{
    const struct dna_dial_target at = dna_dial_at(d);

    d->query = NULL;
    d->addr_security = answer->security;
    snprintf(d->canonical, sizeof d->canonical, "%s", answer->canonical ? answer->canonical : "");
    for (size_t i = 0; i < answer->num_addr && d->num_addr < MAX; i++)
        d->addr[d->num_addr++] = answer->addr[i];
    d->watch->addresses(d->arg, &at, answer);
}

static void on_addresses(void *arg, const struct dna_dns_answer *answer)
{
    struct dna_dial *d = arg;

    keep_addresses(d, answer);
    step(d, d->num_addr                            ? resolution_E_ADDRESS_FOUND
            : answer->security == DNA_DNS_BOGUS ? resolution_E_ADDRESS_BOGUS
                                                : resolution_E_ADDRESS_NONE);
}

/* The host that the user named has its address asked for before the table begins. */
static void on_configured(void *arg, const struct dna_dns_answer *answer)
{
    struct dna_dial *d = arg;

    keep_addresses(d, answer);
    if (d->num_addr)
        step(d, resolution_E_BEGIN);
    else
        d->watch->failed(d->arg, "the host that was named has no address");
}

/* --- outputs --- */

static void nothing(struct dna_dial *d)
{
    (void)d;
}

static void query_srv(struct dna_dial *d)
{
    char name[320];

    snprintf(name, sizeof name, "_%s._tcp.%s", d->ask.service, d->ask.ascii);
    d->watch->asks_srv(d->arg, name);
    d->query = dna_dns_srv(d->env->dns, d->ask.service, d->ask.ascii, on_srv, d);
}

static void ask_addresses(struct dna_dial *d, dna_dns_cb cb)
{
    const struct dna_dial_target at = dna_dial_at(d);

    d->watch->asks_addresses(d->arg, &at);
    d->query = dna_dns_addr(d->env->dns, d->host, cb, d);
}

static void query_address(struct dna_dial *d)
{
    const struct dna_dns_srv *srv = &d->srv[d->next_srv++];

    set_host(d, srv->target, srv->port);
    d->from_srv = true;
    ask_addresses(d, on_addresses);
}

static void query_fallback_address(struct dna_dial *d)
{
    set_host(d, d->ask.ascii, d->ask.port);
    ask_addresses(d, on_addresses);
}

static void on_settled(void *arg)
{
    struct dna_dial *d = arg;
    const struct dna_dial_target at = dna_dial_at(d);

    if (d->m.state == resolution_S_ENDPOINT && dna_proof_barred(d->proof))
        d->watch->barred(d->arg, &at);
    step(d, resolution_E_MATERIAL_IN);
}

static void seek_proofs(struct dna_dial *d)
{
    const struct dna_proof_ask what = { .domain = d->ask.domain, .service = d->ask.names };

    d->watch->seeks(d->arg);
    d->proof = dna_proof_new(d->env, &what, on_settled, d);
}

static void tell_endpoint(struct dna_dial *d)
{
    const struct dna_proof_endpoint at = { .host = d->host,
                                           .canonical = d->canonical[0] ? d->canonical : NULL,
                                           .port = d->port,
                                           .from_srv = d->from_srv,
                                           .srv = d->srv_security,
                                           .address = d->addr_security };

    dna_proof_endpoint(d->proof, &at);
    if (!dna_proof_pending(d->proof))
        on_settled(d);
}

static void offer_address(struct dna_dial *d)
{
    step(d, resolution_E_CONNECT); /* there is no stream to reuse */
}

static void on_connected(void *arg)
{
    step(arg, resolution_E_CONNECT_OK);
}

static void on_closed(void *arg, enum dna_conn_end how, const char *why)
{
    struct dna_dial *d = arg;

    (void)how; /* before it is open, all there is is refused */
    dna_conn_free(d->conn);
    d->conn = NULL;
    d->watch->refused(d->arg, why);
    step(d, resolution_E_CONNECT_FAILED);
}

static void open_connection(struct dna_dial *d)
{
    static const struct dna_conn_handler handler = { .connected = on_connected,
                                                     .closed = on_closed };
    struct sockaddr_storage addr = d->addr[d->at_addr];
    bool six = addr.ss_family == AF_INET6;
    char text[80];

    if (six)
        ((struct sockaddr_in6 *)&addr)->sin6_port = htons(d->port);
    else
        ((struct sockaddr_in *)&addr)->sin_port = htons(d->port);
    dna_dial_address_text(&addr, d->port, text, sizeof text);
    d->watch->connects(d->arg, text);
    d->conn = dna_conn_connect(d->env->base, (const struct sockaddr *)&addr,
                               six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), NULL,
                               0, d->ask.connect_ms, &handler, d);
}

static void next_address(struct dna_dial *d)
{
    d->at_addr++;
}

static void report_connected(struct dna_dial *d)
{
    struct dna_conn *conn = d->conn;

    d->conn = NULL;
    d->watch->connected(d->arg, conn);
}

static void report_not_found(struct dna_dial *d)
{
    d->watch->failed(d->arg, "the domain has no XMPP server that could be found");
}

static void report_unreachable(struct dna_dial *d)
{
    d->watch->failed(d->arg, "the domain's server can't be reached");
}

static const dial_out outs[resolution_O_MAX] = {
    nothing,
#define OUT(o, kind, text) [resolution_O_##o] = o,
#include "model/resolution.def"
};

void dna_dial_new(struct dna_dial **out, const struct dna_proof_env *env,
                  const struct dna_dial_ask *ask, const struct dna_dial_watch *watch, void *arg)
{
    struct dna_dial *d = *out = dna_calloc(1, sizeof *d);

    d->env = env;
    d->ask = *ask;
    d->watch = watch;
    d->arg = arg;
    dna_instance_init(&dna_machine_resolution, &d->m);
    if (ask->host) {
        set_host(d, ask->host, ask->host_port);
        d->query = dna_dns_addr(env->dns, ask->host, on_configured, d);
        return;
    }
    set_host(d, ask->ascii, ask->port);
    d->num_addr = dna_dns_literal(ask->domain, &d->addr[0]) ? 1 : 0;
    step(d, resolution_E_BEGIN);
}

void dna_dial_free(struct dna_dial *d)
{
    if (!d)
        return;
    if (d->query)
        dna_dns_cancel(d->query);
    dna_conn_free(d->conn);
    dna_proof_free(d->proof);
    free(d);
}
