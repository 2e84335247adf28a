/* SPDX-License-Identifier: MIT */
/* s2s_route: what waits for a remote domain, and over which stream it goes: one that carries the
 * pair already, one that the pair may be asserted or supposed on (RFC 7712 4.4), or one of its own.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/s2s_internal.h"

static char *key_of(const char *ours, const char *theirs)
{
    struct dna_buf t = DNA_BUF_INIT;
    dna_buf_printf(&t, "%s>%s", ours, theirs);
    return t.at;
}

struct route *dna_s2s_route_find(struct dna_s2s *s2s, const char *ours, const char *theirs)
{
    char *key = key_of(ours, theirs);
    struct route *r = dna_hash_get(&s2s->routes, key);
    free(key);
    return r;
}

struct route *dna_s2s_route_get(struct dna_s2s *s2s, const char *ours, const char *theirs)
{
    struct route *r = dna_s2s_route_find(s2s, ours, theirs);
    if (r)
        return r;
    r = dna_calloc(1, sizeof *r);
    r->s2s = s2s;
    r->ours = dna_strdup(ours);
    r->theirs = dna_strdup(theirs);
    r->key = key_of(ours, theirs);
    r->tail = &r->head;
    dna_instance_init(&dna_machine_routing, &r->m);
    (void)dna_hash_put(&s2s->routes, r->key, r);
    return r;
}

void dna_s2s_route_free(void *route, void *arg)
{
    struct route *r = route;
    (void)arg;
    while (r->head) {
        struct stanza *next = r->head->next;
        free(r->head);
        r->head = next;
    }
    free(r->ours);
    free(r->theirs);
    free(r->key);
    free(r);
}

void dna_s2s_route_done(struct route *r)
{
    if (r->head || r->via || r->pending)
        return;
    (void)dna_hash_remove(&r->s2s->routes, r->key);
    dna_s2s_route_free(r, NULL);
}

void dna_s2s_route_bounce(struct route *r, const char *condition)
{
    struct stanza *all = r->head;
    r->head = NULL;
    r->tail = &r->head;
    r->num = 0;
    while (all) {
        struct stanza *next = all->next;
        dna_router_bounce(r->s2s->at.router, all->text, all->len, NULL, condition);
        free(all);
        all = next;
    }
}

/* --- what becomes of a queue that no stream will carry: model/routing.def --- */

static void bounce_not_found(void *arg)
{
    dna_s2s_route_bounce(arg, "remote-server-not-found");
}

static void bounce_timeout(void *arg)
{
    dna_s2s_route_bounce(arg, "remote-server-timeout");
}

static void bounce_resource_constraint(void *arg)
{
    struct route *r = arg;
    dna_router_bounce(r->s2s->at.router, r->last, r->last_len, NULL, "resource-constraint");
}

static void (*const routing_outs[routing_O_MAX])(void *) = {
    [routing_O_bounce_not_found] = bounce_not_found,
    [routing_O_bounce_timeout] = bounce_timeout,
    [routing_O_bounce_resource_constraint] = bounce_resource_constraint,
};

void dna_s2s_route_event(struct route *r, enum routing_event on)
{
    static struct dna_stream_vars no_stream; /* a route is of no stream; the table reads none */
    const struct routing_facts e = { 0 };
    struct dna_effects fx;
    dna_routing_step(&r->m, on, &e, &no_stream, dna_knobs_for(r->s2s->knobs, r->theirs), &fx);
    dna_log_step(0, r->key, &fx);
    RUN(&fx, routing_outs, r);
    dna_s2s_route_done(r);
}

void dna_s2s_route_pump(struct route *r)
{
    while (r->head && r->via && dna_s2s_transmit(r->via))
        ;
    /* what still waits is a reason to ask for the pair; whether now is the table's business */
    if (r->head && r->via)
        dna_s2s_request(r->via);
}

void dna_s2s_route_use(struct route *r, struct pair *p)
{
    r->via = p;
    r->own_only = false;
    dna_s2s_route_pump(r);
}

void dna_s2s_route_lost(struct pair *p)
{
    struct route *r = dna_s2s_route_find(p->stream->s2s, p->ours, p->theirs);
    if (!r || r->via != p)
        return;
    r->via = NULL;
    dna_s2s_route_event(r, routing_E_PAIR_LOST);
}

void dna_s2s_route_leave(struct pair *p)
{
    struct route *r = dna_s2s_route_find(p->stream->s2s, p->ours, p->theirs);
    if (!r || r->via != p || r->head)
        return; /* stanzas that wait belong to the answer that is due for p */
    r->via = NULL;
    dna_s2s_route_done(r);
}

static void open_stream(struct route *r)
{
    struct stream *s = dna_s2s_stream_new(r->s2s, r->theirs);
    s->for_stanzas = true;
    s->i.route = r;
    dna_s2s_set(&s->ours, r->ours);
    r->pending = s;
    dna_s2s_dial(s);
}

void dna_s2s_route_open_own(struct route *r)
{
    r->via = NULL;
    r->own_only = true;
    if (!r->pending)
        open_stream(r);
}

/* --- assertion (RFC 7712 4.4.1) and supposition (4.4.2) --- */

struct candidate {
    struct route *route;
    struct stream *stream;
    struct stream *opening; /* whose resolution sought the proof, for a supposition */
    bool taken_up;
};

static void take_up(void *arg)
{
    struct candidate *c = arg;
    c->taken_up = true;
    if (c->opening)
        dna_s2s_claim_move(c->opening, c->stream, c->route->theirs);
    dna_s2s_route_use(c->route, dna_s2s_pair_get(c->stream, c->route->ours, c->route->theirs));
}

/* resolve_target, open_own_stream: this candidate will not do; the next one, or a stream of its
 * own. */
static void pass_over(void *arg)
{
    (void)arg;
}

static void (*const assertion_outs[piggyback_assertion_O_MAX])(void *) = {
    [piggyback_assertion_O_assert_on_stream] = take_up,
    [piggyback_assertion_O_resolve_target] = pass_over,
};

static void (*const supposition_outs[piggyback_supposition_O_MAX])(void *) = {
    [piggyback_supposition_O_suppose_on_stream] = take_up,
    [piggyback_supposition_O_open_own_stream] = pass_over,
};

static bool assert_on(struct route *r, struct stream *s)
{
    struct candidate c = { r, s, NULL, false };
    struct dna_effects fx;
    (void)dna_s2s_seek(s, r->theirs); /* a further pair is weighed by what is in force */
    enum dna_proof_verdict v = dna_s2s_weigh(s, r->theirs);
    struct piggyback_assertion_facts e = {
        .target_taken = dna_s2s_target_taken(s, r->theirs),
        .peer_proved = v == DNA_PROOF_PROVED,
        .contradicted = v == DNA_PROOF_NEGATIVE || v == DNA_PROOF_PENDING,
        .dialled = dna_s2s_is_dialled(s, r->theirs),
        .validating = r->s2s->proofs.validating,
    };
    STEP(s, piggyback_assertion, &s->pa, WANT_PAIR, &e, r->key, &fx);
    RUN(&fx, assertion_outs, &c);
    return c.taken_up;
}

static bool suppose(struct route *r, struct stream *s, bool same_endpoint, bool weighed_here)
{
    struct candidate c = { r, s, r->pending, false };
    struct dna_effects fx;
    /* the material is the new target's, the certificate is the existing stream's */
    struct dna_proof *proof = dna_s2s_dialled(r->pending, r->theirs);
    enum dna_proof_verdict v = DNA_PROOF_UNPROVED;
    if (same_endpoint) /* else the certificate is of no interest */
        v = dna_proof_weigh_ssl(proof, dna_conn_secured(s->conn) ? dna_conn_ssl(s->conn) : NULL);
    struct piggyback_supposition_facts e = { .same_endpoint = same_endpoint,
                                             .weighed_here = weighed_here,
                                             .validating = r->s2s->proofs.validating,
                                             .certificate_covers = v == DNA_PROOF_PROVED,
                                             .refuted = v == DNA_PROOF_NEGATIVE };
    STEP(s, piggyback_supposition, &s->ps, WANT_TARGET, &e, r->key, &fx);
    RUN(&fx, supposition_outs, &c);
    return c.taken_up;
}

/* A stream found by an address of the target's first endpoint, of which the proofs were told. */
static bool suppose_here(struct route *r, struct stream *s)
{
    return suppose(r, s, true, true);
}

/* A stream found by an address of another of its endpoints. */
static bool suppose_there(struct route *r, struct stream *s)
{
    return suppose(r, s, true, false);
}

/* Of the streams that lead elsewhere the latest few are put to the table too: that they will not do
 * is its decision, not ours. Few, so that a new route costs the same however many streams there
 * are. */
static bool suppose_elsewhere(struct route *r, const struct stream *opening)
{
    enum { FEW = 8 };
    unsigned seen = 0;
    for (struct stream *s = r->s2s->streams; s && seen < FEW; s = s->next, seen++)
        if (s != opening && s->initiating && s->for_stanzas && s->conn && !s->dropped &&
            strcmp(s->ours, r->ours) == 0 && suppose(r, s, false, false))
            return true;
    return false;
}

static bool try_list(struct route *r, const struct dna_hash *in, const char *name,
                     bool (*try)(struct route *r, struct stream *s))
{
    const struct lead_list *list = dna_hash_get(in, name);
    for (struct lead *l = list ? list->first : NULL, *next; l; l = next) {
        next = l->next;
        if (try(r, l->stream))
            return true;
    }
    return false;
}

static void describe(const struct sockaddr_storage *addr, char host[80], char both[90])
{
    char text[64] = "?";
    unsigned port = 0;
    if (addr->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
        (void)evutil_inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        port = ntohs(in->sin_port);
    } else if (addr->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)addr;
        (void)evutil_inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
        port = ntohs(in->sin6_port);
    }
    (void)snprintf(host, 80, "%s", text);
    (void)snprintf(both, 90, "%s:%u", text, port);
}

/* A stream that we opened must lead to the same address and port. One that the peer opened came
 * from a port of no meaning: there the address alone is compared (RFC 7712 4.4.2 in its reverse
 * direction). */
static bool suppose_at(struct route *r, const struct sockaddr_storage *addrs, size_t num,
                       bool (*try)(struct route *r, struct stream *s))
{
    char host[80], both[90];
    bool found = false;
    for (size_t i = 0; i < num && !found; i++) {
        describe(&addrs[i], host, both);
        found = try_list(r, &r->s2s->addresses, both, try) ||
                try_list(r, &r->s2s->addresses, host, try);
    }
    return found;
}

bool dna_s2s_route_suppose(struct route *r, struct stream *opening)
{
    bool first = opening->i.target <= 1;
    if (r->own_only || (r->s2s->knobs->target_reuse_first_only && !first))
        return false;
    return suppose_at(r, opening->i.addrs, opening->i.num_addrs, suppose_here) ||
           suppose_at(r, opening->i.other_addrs, opening->i.num_other_addrs, suppose_there) ||
           suppose_elsewhere(r, opening);
}

static void want_pair(struct route *r)
{
    if (!try_list(r, &r->s2s->domains, r->theirs, assert_on))
        open_stream(r);
}

void dna_s2s_route_remote(void *arg, const char *from_domain, const char *to_domain,
                          const struct dna_xml_node *stanza, const char *text, size_t len)
{
    struct dna_s2s *s2s = arg;
    (void)stanza;
    struct route *r = dna_s2s_route_get(s2s, from_domain, to_domain);
    r->last = text;
    r->last_len = len;
    if (r->num >= s2s->at.config->limit_queue) {
        dna_s2s_route_event(r, routing_E_OVERFLOW);
        return;
    }
    struct stanza *q = dna_calloc(1, sizeof *q + len);
    memcpy(q->text, text, len);
    q->len = len;
    *r->tail = q;
    r->tail = &q->next;
    r->num++;
    if (s2s->stopping)
        dna_s2s_route_event(r, routing_E_SHUTDOWN);
    else if (r->via)
        dna_s2s_route_pump(r);
    else if (!r->pending)
        want_pair(r);
}
