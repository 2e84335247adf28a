/* SPDX-License-Identifier: MIT */
/* prooftype_dane: the DANE prooftype; see model/prooftype_dane.def for what it decides. Outbound
 * there is one place, the endpoint about to be connected to; inbound one for each endpoint of the
 * domain that the peer claims, found here: SRV, addresses, TLSA. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "impl/buf.h"
#include "impl/dane_match.h"
#include "impl/fault.h"
#include "impl/prooftype.h"
#include "model/machines.h"

enum { MIN_TTL = 10, MAX_PLACES = 8, PORT_SERVER = 5269, PORT_CLIENT = 5222 };

struct dane;

struct place {
    struct dane *dane;
    struct prooftype_dane m;
    struct dna_dns_query *query;
    char host[256];
    char names[2][256]; /* TLSA base domains, in the order in which to ask */
    size_t num_names, at_name;
    uint16_t port;
    bool from_srv, lookup_failed, srv_secure, address_secure;
    struct dna_dane_set set;
    enum dna_proof_says says;
    time_t until;
    char found[300];
};

struct dane {
    struct dna_proof_env env;
    struct dna_prooftype_seat *seat;
    char *domain;
    enum dna_pkix_service service;
    bool inbound, peer_is_client;
    bool settled;   /* the table said so; whoever waits is told at the end of the callback */
    bool truncated; /* the domain has more endpoints than places */
    bool srv_secure;
    struct dna_dns_query *srv;
    time_t until;     /* of what held */
    time_t fresh_for; /* when the first answer's time to live is over; 0: nothing was asked */
    size_t num;
    struct place *places[MAX_PLACES]; /* the first from the start, the others as they are found */
};

static void place_event(struct place *p, enum prooftype_dane_event on,
                        const struct prooftype_dane_facts *e);

static struct prooftype_dane_facts facts(const struct place *p)
{
    return (struct prooftype_dane_facts){
        .inbound = p->dane->inbound,
        .validating = p->dane->env.validating,
        .lookup_failed = p->lookup_failed,
        .from_srv = p->from_srv,
        .srv_secure = p->srv_secure,
        .address_secure = p->address_secure,
        .another_name = p->at_name + 1 < p->num_names,
    };
}

static bool pending(const void *self)
{
    const struct dane *d = self;
    bool any = d->srv != NULL;
    for (size_t i = 0; i < d->num; i++)
        any |= d->places[i]->query != NULL;
    return any;
}

/* Last in every callback: whoever is told may free all this. */
static void tell(struct dane *d)
{
    bool now = d->settled && !pending(d);
    d->settled &= !now;
    if (now)
        dna_prooftype_settled(d->seat);
}

static const char *base(const struct place *p)
{
    return p->names[p->at_name];
}

/* --- endpoints --- */

/* explain() says why nothing was asked. */
static void explain(struct place *p)
{
    const struct dane *d = p->dane;
    const char *why = "SRV or address answers are bogus";
    if (p->m.state == prooftype_dane_S_UNKNOWN)
        why = "SRV or address answers could not be had";
    else if (p->m.state != prooftype_dane_S_NONE && p->m.state != prooftype_dane_S_BARRED)
        return;
    else if (!d->env.validating)
        why = "not sought: the resolver does not validate";
    else if (d->inbound ? !d->env.knobs->dane_inbound : !d->env.knobs->dane)
        why = "not sought: switched off";
    else if (p->m.state == prooftype_dane_S_NONE)
        why = !p->srv_secure       ? "not sought: SRV is not secure"
              : !p->address_secure ? "not sought: the address is not secure"
                                   : "not sought: there is no SRV record";
    (void)snprintf(p->found, sizeof p->found, "%s", why);
}

static void set_names(struct place *p, const char *host, const char *canonical)
{
    char ascii[256];
    p->num_names = p->at_name = 0;
    (void)snprintf(p->host, sizeof p->host, "%s", host);
    if (dna_dns_to_ascii(host, ascii, sizeof ascii) != 0)
        (void)snprintf(ascii, sizeof ascii, "%s", host);
    if (canonical && canonical[0] && strcmp(canonical, ascii) != 0)
        (void)snprintf(p->names[p->num_names++], sizeof p->names[0], "%s", canonical);
    memcpy(p->names[p->num_names++], ascii, sizeof ascii);
}

static void at_endpoint(struct place *p)
{
    const struct prooftype_dane_facts e = facts(p);
    place_event(p, prooftype_dane_E_ENDPOINT, &e);
    explain(p);
}

static void endpoint(void *self, const struct dna_proof_endpoint *at)
{
    struct dane *d = self;
    struct place *p = d->places[0];
    set_names(p, at->host, at->canonical);
    p->port = at->port;
    p->from_srv = at->from_srv;
    p->lookup_failed = at->srv == DNA_DNS_BOGUS || at->address == DNA_DNS_BOGUS;
    p->srv_secure = at->srv == DNA_DNS_SECURE;
    p->address_secure = at->address == DNA_DNS_SECURE;
    at_endpoint(p);
}

static void on_address(void *arg, const struct dna_dns_answer *a)
{
    struct place *p = arg;
    char host[256];
    p->query = NULL;
    memcpy(host, p->host, sizeof host);
    set_names(p, host, a->canonical);
    p->lookup_failed = a->class == DNA_DNS_FAILURE;
    p->address_secure = a->class == DNA_DNS_RECORDS && a->security == DNA_DNS_SECURE;
    at_endpoint(p);
    tell(p->dane);
}

static struct place *new_place(struct dane *d, size_t i)
{
    struct place *p = d->places[i] = dna_calloc(1, sizeof *p);
    p->dane = d;
    dna_instance_init(&dna_machine_prooftype_dane, &p->m);
    return p;
}

/* add_place() begins with one endpoint of a peer that connected. */
static void add_place(struct dane *d, size_t i, const char *host, uint16_t port, bool from_srv)
{
    struct place *p = i > 0 ? new_place(d, i) : d->places[0];
    p->port = port;
    p->from_srv = from_srv;
    p->srv_secure = d->srv_secure;
    d->num = i + 1;
    set_names(p, host, NULL);
    if (p->srv_secure)
        p->query = dna_dns_addr(d->env.dns, host, on_address, p);
    else
        at_endpoint(p);
}

static void on_srv(void *arg, const struct dna_dns_answer *a)
{
    struct dane *d = arg;
    uint16_t port = d->service == DNA_PKIX_XMPP_SERVER ? PORT_SERVER : PORT_CLIENT;
    d->srv = NULL;
    d->settled = true;
    d->srv_secure = a->security == DNA_DNS_SECURE;
    d->truncated = a->num_srv > MAX_PLACES;
    d->places[0]->lookup_failed = a->class == DNA_DNS_FAILURE;
    for (size_t i = 0; i < a->num_srv && i < MAX_PLACES; i++)
        add_place(d, i, a->srv[i].target, a->srv[i].port, true);
    if (a->class != DNA_DNS_RECORDS) /* "." among them: there is no endpoint to have records */
        add_place(d, 0, d->domain, port, false);
    tell(d);
}

/* --- TLSA --- */

static void describe(struct place *p, const struct dna_dns_answer *a)
{
    const char *state = a->security == DNA_DNS_SECURE ? "secure" : "insecure";
    if (a->class == DNA_DNS_RECORDS)
        (void)snprintf(p->found, sizeof p->found, "%zu TLSA records at _%u._tcp.%s, %s, %zu usable",
                       a->num_tlsa, (unsigned)p->port, base(p), state, p->set.num);
    else if (a->class == DNA_DNS_NONE)
        (void)snprintf(p->found, sizeof p->found, "no TLSA record at _%u._tcp.%s, %s",
                       (unsigned)p->port, base(p), state);
    else
        (void)snprintf(p->found, sizeof p->found, "TLSA lookup at _%u._tcp.%s %s: %.100s",
                       (unsigned)p->port, base(p),
                       a->security == DNA_DNS_BOGUS ? "bogus" : "failed", a->why);
}

static void on_tlsa(void *arg, const struct dna_dns_answer *a)
{
    static const enum prooftype_dane_event by_class[] = {
        [DNA_DNS_RECORDS] = prooftype_dane_E_TLSA_RECORDS,
        [DNA_DNS_NONE] = prooftype_dane_E_TLSA_NONE,
        [DNA_DNS_DOT] = prooftype_dane_E_TLSA_NONE, /* of SRV alone */
        [DNA_DNS_FAILURE] = prooftype_dane_E_TLSA_FAILED,
    };
    struct place *p = arg;
    struct dane *d = p->dane;
    struct prooftype_dane_facts e = facts(p);
    p->query = NULL;
    e.secure = a->security == DNA_DNS_SECURE;
    bool planted = dna_fault(DNA_FAULT_endpoints_mixed_up) && p->set.num > 0;
    e.secure |= planted;
    if (e.secure && !planted)
        dna_dane_set_take(&p->set, a->tlsa, a->num_tlsa, d->env.knobs);
    e.usable = p->set.num > 0;
    describe(p, a);
    time_t over = time(NULL) + (a->ttl < MIN_TTL ? MIN_TTL : (time_t)a->ttl);
    if (!d->fresh_for || over < d->fresh_for)
        d->fresh_for = over;
    bool bogus = a->security == DNA_DNS_BOGUS;
    place_event(p,
                planted ? prooftype_dane_E_TLSA_RECORDS
                : bogus ? prooftype_dane_E_TLSA_BOGUS
                        : by_class[a->class],
                &e);
    tell(d);
}

/* --- certificates --- */

static bool everywhere(const struct dane *d)
{
    bool all = !d->truncated;
    for (size_t i = 0; i < d->num; i++)
        all &= d->places[i]->m.state == prooftype_dane_S_HAVE;
    return all;
}

static void reason(const struct place *p, bool given, const struct dna_dane_findings *f, char *why,
                   size_t why_len)
{
    const struct dna_dns_tlsa *t = f->record;
    if (p->m.state != prooftype_dane_S_HAVE)
        (void)snprintf(why, why_len, "%s", p->found[0] ? p->found : "no endpoint is known");
    else if (!given)
        (void)snprintf(why, why_len, "no certificate was shown");
    else if (!t)
        (void)snprintf(why, why_len, "none of %zu usable TLSA records at _%u._tcp.%s matches%s%s",
                       p->set.num, (unsigned)p->port, base(p), f->why[0] ? ": " : "", f->why);
    else
        (void)snprintf(why, why_len, "TLSA %u %u %u at _%u._tcp.%s matches%s%s", t->usage,
                       t->selector, t->mtype, (unsigned)p->port, base(p),
                       p->says == DNA_PROOF_HELD ? ""
                       : f->why[0]               ? ", but: "
                                                 : ", but the certificate does not name ",
                       p->says == DNA_PROOF_HELD ? ""
                       : f->why[0]               ? f->why
                                                 : p->dane->domain);
}

static enum dna_proof_says judge_place(struct place *p, X509 *leaf, STACK_OF(X509) * chain,
                                       char *why, size_t why_len)
{
    const struct dane *d = p->dane;
    struct prooftype_dane_facts e = facts(p);
    struct dna_dane_findings f;
    const struct dna_dane_terms terms = {
        .domain = d->domain,
        .hosts = { p->from_srv && p->srv_secure ? p->host : NULL, p->names[0] },
        .service = d->service,
        .peer_is_client = d->peer_is_client,
        .store = d->env.store,
        .knobs = d->env.knobs,
    };
    dna_dane_match(&p->set, leaf, chain, &terms, &f);
    e.given = leaf != NULL;
    e.dane_ee = f.dane_ee;
    e.pkix_ee = f.pkix_ee;
    e.dane_ta = f.dane_ta;
    e.pkix_ta = f.pkix_ta;
    e.path = f.path;
    e.named = f.named;
    e.everywhere = everywhere(d);
    p->says = DNA_PROOF_UNCLEAR;
    place_event(p, prooftype_dane_E_CERTIFICATE, &e);
    reason(p, e.given, &f, why, why_len);
    p->until = f.until;
    return p->says;
}

/* One endpoint that holds is enough; else what weighs most is said. */
static enum dna_proof_says judge(void *self, X509 *leaf, STACK_OF(X509) * chain, char *why,
                                 size_t why_len)
{
    struct dane *d = self;
    enum dna_proof_says most = judge_place(d->places[0], leaf, chain, why, why_len);
    d->until = d->places[0]->until;
    for (size_t i = 1; i < d->num && most != DNA_PROOF_HELD; i++) {
        char text[300];
        enum dna_proof_says says = judge_place(d->places[i], leaf, chain, text, sizeof text);
        if (says == DNA_PROOF_HELD || says > most) {
            most = says;
            d->until = d->places[i]->until;
            (void)snprintf(why, why_len, "%s", text);
        }
    }
    return most;
}

/* --- outputs --- */

static void query_sender(void *arg)
{
    struct dane *d = ((struct place *)arg)->dane;
    const char *service = d->service == DNA_PKIX_XMPP_SERVER ? "xmpp-server" : "xmpp-client";
    d->srv = dna_dns_srv(d->env.dns, service, d->domain, on_srv, d);
}

static void query_tlsa(void *arg)
{
    struct place *p = arg;
    p->query = dna_dns_tlsa(p->dane->env.dns, p->port, base(p), on_tlsa, p);
}

static void next_name(void *arg)
{
    ((struct place *)arg)->at_name++;
}

static void forget(void *arg)
{
    struct place *p = arg;
    dna_dns_cancel(p->query);
    p->query = NULL;
    dna_dane_set_cleanup(&p->set);
    p->found[0] = '\0';
}

static void look_again(void *arg)
{
    at_endpoint(arg);
}

static void report_settled(void *arg)
{
    ((struct place *)arg)->dane->settled = true;
}

#define REPORT(what, value)                                                                        \
    static void report_##what(void *arg)                                                           \
    {                                                                                              \
        ((struct place *)arg)->says = value;                                                       \
    }
REPORT(held, DNA_PROOF_HELD)
REPORT(failed, DNA_PROOF_FAILED)
REPORT(unclear, DNA_PROOF_UNCLEAR)
REPORT(refuted, DNA_PROOF_REFUTED)
REPORT(absent, DNA_PROOF_ABSENT)

static void (*const outs[prooftype_dane_O_MAX])(void *) = {
#define OUT(o, kind, text) [prooftype_dane_O_##o] = o,
#include "model/prooftype_dane.def"
};

static void place_event(struct place *p, enum prooftype_dane_event on,
                        const struct prooftype_dane_facts *e)
{
    struct dna_stream_vars none;
    struct dna_effects fx;
    dna_stream_vars_init(&none);
    dna_prooftype_dane_step(&p->m, on, e, &none, p->dane->env.knobs, &fx);
    dna_prooftype_log(p->dane->seat, &fx);
    for (size_t i = 0; i < fx.num_outs; i++)
        outs[fx.outs[i]](p);
}

/* --- the interface --- */

static void *begin(const struct dna_proof_env *env, const struct dna_proof_ask *ask,
                   struct dna_prooftype_seat *seat)
{
    struct dane *d = dna_calloc(1, sizeof *d);
    d->env = *env;
    d->seat = seat;
    d->domain = dna_strdup(ask->domain);
    d->service = ask->service;
    d->inbound = ask->inbound;
    d->peer_is_client = ask->peer_is_client;
    d->num = 1;
    struct place *p = new_place(d, 0);
    if (d->inbound) {
        const struct prooftype_dane_facts e = facts(p);
        place_event(p, prooftype_dane_E_SENDER, &e);
        explain(p);
    }
    return d;
}

static bool barred(const void *self)
{
    return ((const struct dane *)self)->places[0]->m.state == prooftype_dane_S_BARRED;
}

/* Secure records demand TLS, usable or not: RFC 7673 3.4 and 4. */
static bool demands_tls(const void *self)
{
    const struct dane *d = self;
    uint32_t state = d->places[0]->m.state;
    return !d->inbound &&
           (state == prooftype_dane_S_HAVE || state == prooftype_dane_S_UNUSABLE);
}

/* Records and their denial are believed for their time to live (RFC 6698 8.2). */
static bool outdated(const void *self)
{
    const struct dane *d = self;
    return d->fresh_for && !pending(d) && time(NULL) >= d->fresh_for;
}

static time_t expires(const void *self)
{
    return ((const struct dane *)self)->until;
}

static void sought(const void *self, char *text, size_t len)
{
    const struct dane *d = self;
    size_t have = 0;
    for (size_t i = 0; i < d->num; i++)
        have += d->places[i]->m.state == prooftype_dane_S_HAVE;
    const char *first = d->places[0]->found[0] ? d->places[0]->found : "nothing yet";
    if (d->num == 1)
        (void)snprintf(text, len, "%s", first);
    else
        (void)snprintf(text, len, "%zu endpoints, %zu with usable TLSA records; the first: %s",
                       d->num, have, first);
}

static void dane_free(void *self)
{
    struct dane *d = self;
    const struct prooftype_dane_facts none = { 0 };
    dna_dns_cancel(d->srv);
    for (size_t i = 0; i < d->num; i++) {
        place_event(d->places[i], prooftype_dane_E_DONE, &none);
        forget(d->places[i]);
        free(d->places[i]);
    }
    free(d->domain);
    free(d);
}

const struct dna_prooftype dna_prooftype_dane = {
    .begin = begin,
    .endpoint = endpoint,
    .pending = pending,
    .barred = barred,
    .demands_tls = demands_tls,
    .judge = judge,
    .outdated = outdated,
    .expires = expires,
    .sought = sought,
    .free = dane_free,
};
