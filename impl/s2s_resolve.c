/* SPDX-License-Identifier: MIT */
/* s2s_resolve: how an initiating stream finds its far end: the resolution machine, DNS and TCP. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "impl/fault.h"
#include "impl/s2s_internal.h"

static const struct stream_initiating_facts no_facts;

static void on_srv(void *arg, const struct dna_dns_answer *a)
{
    static const enum resolution_event by_class[] = {
        [DNA_DNS_RECORDS] = resolution_E_SRV_RECORDS,
        [DNA_DNS_NONE] = resolution_E_SRV_NONE,
        [DNA_DNS_DOT] = resolution_E_SRV_DOT,
        [DNA_DNS_FAILURE] = resolution_E_SRV_FAILED,
    };
    struct stream *s = arg;
    s->i.query = NULL;
    dna_log(DNA_LOG_STEP, "srv", "pair=%s>%s records=%zu why=%s", s->ours, s->theirs, a->num_srv,
            dna_log_quote(a->why));
    free(s->i.targets);
    s->i.targets = dna_calloc(a->num_srv, sizeof *s->i.targets);
    s->i.num_targets = a->num_srv;
    s->i.srv_security = a->security;
    s->i.target = 0;
    for (size_t n = 0; n < a->num_srv; n++) {
        memcpy(s->i.targets[n].host, a->srv[n].target, sizeof s->i.targets[n].host);
        s->i.targets[n].port = a->srv[n].port;
    }
    bool bogus = a->class == DNA_DNS_FAILURE && a->security == DNA_DNS_BOGUS;
    if (bogus && dna_fault(DNA_FAULT_bogus_is_absent))
        s->i.srv_security = DNA_DNS_INSECURE; /* else DANE bars what the table lets pass */
    dna_s2s_dial_event(s, bogus ? resolution_E_SRV_BOGUS : by_class[a->class]);
}

static void set_addresses(struct stream *s, const struct sockaddr_storage *addr, size_t num)
{
    free(s->i.addrs);
    s->i.addrs = dna_calloc(num, sizeof *s->i.addrs);
    s->i.num_addrs = num;
    s->i.addr = 0;
    uint16_t port = htons(s->i.target ? s->i.targets[s->i.target - 1].port : PORT);
    for (size_t n = 0; n < num; n++) {
        s->i.addrs[n] = addr[n];
        if (addr[n].ss_family == AF_INET6)
            ((struct sockaddr_in6 *)&s->i.addrs[n])->sin6_port = port;
        else
            ((struct sockaddr_in *)&s->i.addrs[n])->sin_port = port;
    }
}

static void on_addresses(void *arg, const struct dna_dns_answer *a)
{
    struct stream *s = arg;
    s->i.query = NULL;
    dna_log(DNA_LOG_STEP, "addresses", "pair=%s>%s records=%zu why=%s", s->ours, s->theirs,
            a->num_addr, dna_log_quote(a->why));
    set_addresses(s, a->addr, a->num_addr);
    s->i.address_security = a->security;
    dna_s2s_set(&s->i.canonical, a->canonical && a->canonical[0] ? a->canonical : NULL);
    enum resolution_event what = a->class == DNA_DNS_RECORDS       ? resolution_E_ADDRESS_FOUND
                                 : a->security == DNA_DNS_BOGUS ? resolution_E_ADDRESS_BOGUS
                                                                : resolution_E_ADDRESS_NONE;
    if (!dna_s2s_others_hold(s, what))
        dna_s2s_dial_event(s, what);
}

/* --- outputs --- */

static void seek_proofs(void *arg)
{
    struct stream *s = arg;
    (void)dna_s2s_dialled(s, s->theirs);
}

static void tell_endpoint(void *arg)
{
    struct stream *s = arg;
    struct dna_proof *proof = dna_s2s_dialled(s, s->theirs);
    struct dna_proof_endpoint at = { .host = s->i.target ? s->i.targets[s->i.target - 1].host
                                                         : s->theirs,
                                     .port = s->i.target ? s->i.targets[s->i.target - 1].port
                                                         : PORT,
                                     .from_srv = s->i.target > 0,
                                     .canonical = s->i.canonical,
                                     .srv = s->i.srv_security,
                                     .address = s->i.address_security };
    dna_proof_endpoint(proof, &at);
    if (!dna_proof_pending(proof))
        dna_s2s_dial_event(s, resolution_E_MATERIAL_IN);
}

static void query_srv(void *arg)
{
    struct stream *s = arg;
    s->i.query = dna_dns_srv(s->s2s->at.dns, "xmpp-server", s->theirs, on_srv, s);
}

static void query_address(void *arg)
{
    struct stream *s = arg;
    if (s->i.target < s->i.num_targets)
        s->i.target++;
    const char *host = s->i.target ? s->i.targets[s->i.target - 1].host : s->theirs;
    s->i.query = dna_dns_addr(s->s2s->at.dns, host, on_addresses, s);
    dna_s2s_others_ask(s);
}

static void query_fallback_address(void *arg)
{
    struct stream *s = arg;
    s->i.query = dna_dns_addr(s->s2s->at.dns, s->theirs, on_addresses, s);
}

static void offer_address(void *arg)
{
    struct stream *s = arg;
    struct sockaddr_storage literal;
    if (!s->i.num_addrs && dna_dns_literal(s->theirs, &literal))
        set_addresses(s, &literal, 1);
    bool supposed = s->i.route && dna_s2s_route_suppose(s->i.route, s);
    dna_s2s_dial_event(s, supposed ? resolution_E_USE_EXISTING : resolution_E_CONNECT);
    if (supposed)
        dna_s2s_initiating_event(s, stream_initiating_E_NOT_WANTED, &no_facts);
}

static bool local_address(const struct stream *s, int family, struct sockaddr_storage *out,
                          socklen_t *len)
{
    const char *from = s->s2s->at.config->connect_from;
    memset(out, 0, sizeof *out);
    out->ss_family = (sa_family_t)family;
    if (family == AF_INET6) {
        *len = sizeof(struct sockaddr_in6);
        return from && inet_pton(family, from, &((struct sockaddr_in6 *)out)->sin6_addr) == 1;
    }
    *len = sizeof(struct sockaddr_in);
    return from && inet_pton(family, from, &((struct sockaddr_in *)out)->sin_addr) == 1;
}

static void open_connection(void *arg)
{
    struct stream *s = arg;
    struct sockaddr_storage local, none = { .ss_family = AF_INET };
    socklen_t local_len;
    const struct sockaddr_storage *to = s->i.addr < s->i.num_addrs ? &s->i.addrs[s->i.addr] : &none;
    socklen_t len =
        to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    bool from = local_address(s, to->ss_family, &local, &local_len);
    dna_conn_free(s->conn);
    s->conn =
        dna_conn_connect(s->s2s->at.base, (const struct sockaddr *)to, len,
                         from ? (const struct sockaddr *)&local : NULL, local_len,
                         s->s2s->at.config->timeout_connect_ms, &dna_s2s_initiating_handler, s);
    dna_log(DNA_LOG_INFO, "connect", "conn=%llu pair=%s>%s address=%s",
            (unsigned long long)dna_conn_id(s->conn), s->ours, s->theirs, dna_conn_peer(s->conn));
}

static void next_address(void *arg)
{
    struct stream *s = arg;
    s->i.addr++;
}

static void report_connected(void *arg)
{
    struct stream *s = arg;
    struct stream_initiating_facts e = { .for_stanzas = s->for_stanzas };
    dna_s2s_negotiation_deadline(s);
    dna_s2s_initiating_event(s, stream_initiating_E_TCP_UP, &e);
}

static void give_up(struct stream *s, enum routing_event what, enum dialback_receiving_event how)
{
    struct route *r = s->i.route;
    s->i.route = NULL;
    dna_s2s_questions_failed(s, how);
    dna_s2s_drop(s);
    dna_s2s_stream_bury(s);
    if (!r)
        return;
    r->pending = NULL;
    dna_s2s_route_event(r, what);
}

static void report_not_found(void *arg)
{
    give_up(arg, routing_E_NOT_FOUND, dialback_receiving_E_AUTHORITY_NOT_FOUND);
}

static void report_unreachable(void *arg)
{
    give_up(arg, routing_E_UNREACHABLE, dialback_receiving_E_AUTHORITY_UNREACHABLE);
}

static void (*const outs[])(void *) = {
    [resolution_O_seek_proofs] = seek_proofs,
    [resolution_O_tell_endpoint] = tell_endpoint,
    [resolution_O_query_srv] = query_srv,
    [resolution_O_query_address] = query_address,
    [resolution_O_query_fallback_address] = query_fallback_address,
    [resolution_O_offer_address] = offer_address,
    [resolution_O_open_connection] = open_connection,
    [resolution_O_next_address] = next_address,
    [resolution_O_report_connected] = report_connected,
    [resolution_O_report_not_found] = report_not_found,
    [resolution_O_report_unreachable] = report_unreachable,
};

void dna_s2s_dial_event(struct stream *s, enum resolution_event on)
{
    struct dna_effects fx;
    struct sockaddr_storage unused;
    struct resolution_facts e = {
        .literal = dna_dns_literal(s->theirs, &unused),
        .configured = 0, /* no setting names an address for a domain */
        .more_addresses = s->i.addr + 1 < s->i.num_addrs,
        .more_targets = s->i.target < s->i.num_targets,
        .validating = s->s2s->proofs.validating,
        .barred = on == resolution_E_MATERIAL_IN &&
                  dna_proof_barred(dna_s2s_dialled(s, s->theirs)),
    };
    dna_resolution_step(&s->i.re, on, &e, &s->vars, s->knobs, &fx);
    dna_log_step(dna_s2s_conn_id(s), s->theirs, &fx);
    RUN(&fx, outs, s);
}

void dna_s2s_dial(struct stream *s)
{
    dna_s2s_dial_event(s, resolution_E_BEGIN);
}

void dna_s2s_dial_cancel(struct stream *s)
{
    dna_dns_cancel(s->i.query);
    s->i.query = NULL;
    dna_s2s_others_free(s);
    dna_s2s_dial_event(s, resolution_E_CANCEL);
}

void dna_s2s_dial_connected(struct stream *s)
{
    dna_s2s_dial_event(s, resolution_E_CONNECT_OK);
}

void dna_s2s_dial_refused(struct stream *s)
{
    dna_s2s_dial_event(s, resolution_E_CONNECT_FAILED);
}
