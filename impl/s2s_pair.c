/* SPDX-License-Identifier: MIT */
/* s2s_pair: the pairs of a stream and their association machines: which stanzas cross. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/fault.h"
#include "impl/jid.h"
#include "impl/s2s_internal.h"

/* How many pairs with one remote domain are accepted on one stream. */
struct taken {
    size_t num;
};

/* What an output of association works on. */
struct crossing {
    struct pair *pair;
    const struct dna_xml_node *stanza; /* one that came in */
    bool moved;                        /* one of ours went out */
};

static char *compose(const char *a, const char *between, const char *b)
{
    struct dna_buf t = DNA_BUF_INIT;
    dna_buf_printf(&t, "%s%s%s", a, between, b);
    return t.at;
}

static char *numbered(const struct stream *s, const char *name)
{
    struct dna_buf t = DNA_BUF_INIT;
    dna_buf_printf(&t, "%llu %s", (unsigned long long)s->number, name);
    return t.at;
}

static char *index_of(const struct stream *s, const char *ours, const char *theirs)
{
    char *names = compose(ours, ">", theirs);
    char *index = numbered(s, names);
    free(names);
    return index;
}

struct pair *dna_s2s_pair_find(struct stream *s, const char *ours, const char *theirs)
{
    char *index = index_of(s, ours, theirs);
    struct pair *p = dna_hash_get(&s->s2s->pairs, index);
    free(index);
    return p;
}

struct pair *dna_s2s_pair_scratch(struct stream *s, const char *ours, const char *theirs)
{
    struct pair *p = dna_calloc(1, sizeof *p);
    p->stream = s;
    p->scratch = true;
    p->ours = dna_strdup(ours);
    p->theirs = dna_strdup(theirs);
    p->inbound = compose(theirs, ">", ours);
    p->outbound = compose(ours, ">", theirs);
    dna_instance_init(&dna_machine_association, &p->as);
    dna_instance_init(&dna_machine_dialback_receiving, &p->dr);
    dna_instance_init(&dna_machine_dialback_initiating, &p->di);
    return p;
}

struct pair *dna_s2s_pair_get(struct stream *s, const char *ours, const char *theirs)
{
    struct pair *p = dna_s2s_pair_find(s, ours, theirs);
    if (p)
        return p;
    p = dna_s2s_pair_scratch(s, ours, theirs);
    p->scratch = false;
    p->index = index_of(s, ours, theirs);
    (void)dna_hash_put(&s->s2s->pairs, p->index, p);
    p->next = s->pairs;
    s->pairs = p;
    s->num_pairs++;
    return p;
}

static bool takes(const struct pair *p)
{
    return p->as.state == association_S_TAKES || p->as.state == association_S_BOTH;
}

/* Keeps the count behind the facts sender_taken and target_taken. */
static void count_taken(struct pair *p, bool before, bool after)
{
    struct dna_s2s *s2s = p->stream->s2s;
    char *key = numbered(p->stream, p->theirs);
    struct taken *t = dna_hash_get(&s2s->taken, key);
    if (after && !before) {
        if (!t) {
            t = dna_calloc(1, sizeof *t);
            (void)dna_hash_put(&s2s->taken, key, t);
        }
        t->num++;
    } else if (before && !after && t && --t->num == 0) {
        free(dna_hash_remove(&s2s->taken, key));
    }
    free(key);
}

void dna_s2s_pair_free(struct pair *p)
{
    if (p->question)
        dna_s2s_question_end(p->question);
    if (!p->scratch) {
        count_taken(p, takes(p), false);
        (void)dna_hash_remove(&p->stream->s2s->pairs, p->index);
        dna_s2s_route_lost(p);
    }
    dna_s2s_claim_leave(p);
    if (p->result_timer)
        event_free(p->result_timer);
    free(p->ours);
    free(p->theirs);
    free(p->index);
    free(p->inbound);
    free(p->outbound);
    free(p->said_from);
    free(p->said_to);
    free(p->said_key);
    free(p);
}

bool dna_s2s_target_taken(struct stream *s, const char *theirs)
{
    char *key = numbered(s, theirs);
    bool taken = dna_hash_get(&s->s2s->taken, key) != NULL;
    free(key);
    return taken;
}

/* --- outputs of association --- */

static void deliver(void *arg)
{
    struct crossing *c = arg;
    dna_router_route(c->pair->stream->s2s->at.router, c->stanza, DNA_NS_SERVER, NULL);
}

static struct route *route_of(const struct pair *p)
{
    return dna_s2s_route_find(p->stream->s2s, p->ours, p->theirs);
}

static void transmit(void *arg)
{
    struct crossing *c = arg;
    struct route *r = route_of(c->pair);
    if (!r || !r->head)
        return;
    struct stanza *first = r->head;
    dna_conn_send(c->pair->stream->conn, first->text, first->len);
    c->pair->stream->active = true;
    r->head = first->next;
    if (!r->head)
        r->tail = &r->head;
    r->num--;
    free(first);
    c->moved = true;
}

static void hold(void *arg)
{
    ((struct crossing *)arg)->moved = false; /* it is in the queue already */
}

static void release_queue(void *arg)
{
    struct pair *p = ((struct crossing *)arg)->pair;
    struct route *r = dna_s2s_route_get(p->stream->s2s, p->ours, p->theirs);
    if (!r->via || r->head)
        dna_s2s_route_use(r, p);
}

#define ERROR(name, condition)                                                                     \
    static void error_##name(void *arg)                                                            \
    {                                                                                              \
        dna_s2s_error(((struct crossing *)arg)->pair->stream, condition);                          \
    }
ERROR(improper_addressing, "improper-addressing")
ERROR(not_authorized, "not-authorized")
ERROR(invalid_from, "invalid-from")
ERROR(host_unknown, "host-unknown")

static void end_stream(void *arg)
{
    dna_s2s_end(((struct crossing *)arg)->pair->stream);
}

static void (*const outs[association_O_MAX])(void *) = {
    [association_O_deliver] = deliver,
    [association_O_transmit] = transmit,
    [association_O_hold] = hold,
    [association_O_release_queue] = release_queue,
    [association_O_error_improper_addressing] = error_improper_addressing,
    [association_O_error_not_authorized] = error_not_authorized,
    [association_O_error_invalid_from] = error_invalid_from,
    [association_O_error_host_unknown] = error_host_unknown,
    [association_O_end_stream] = end_stream,
};

/* The address without the port: the key under which a stream that a peer opened is found again. */
static void lead_by_host(struct stream *s)
{
    char host[80];
    if (s->found_by_host)
        return;
    s->found_by_host = true;
    (void)snprintf(host, sizeof host, "%s", dna_conn_peer(s->conn));
    char *colon = strrchr(host, ':');
    if (colon)
        *colon = '\0';
    dna_s2s_lead(s, &s->s2s->addresses, host);
}

static void newly_taken(struct pair *p)
{
    struct stream *s = p->stream;
    dna_conn_limit(s->conn, s->s2s->at.config->limit_stanza);
    dna_s2s_lead(s, &s->s2s->domains, p->theirs);
    if (!s->initiating)
        lead_by_host(s);
}

static void run(struct crossing *c, enum association_event on, const struct association_facts *e)
{
    struct pair *p = c->pair;
    struct dna_effects fx;
    bool before = takes(p);
    dna_association_step(&p->as, on, e, &p->stream->vars, p->stream->knobs, &fx);
    dna_log_step(dna_s2s_conn_id(p->stream), p->inbound, &fx);
    if (!p->scratch && before != takes(p))
        count_taken(p, before, takes(p));
    if (!before && takes(p))
        newly_taken(p);
    RUN(&fx, outs, c);
}

void dna_s2s_pair_event(struct pair *p, enum association_event on)
{
    struct crossing c = { p, NULL, false };
    struct association_facts e = { .addressed = 1,
                                   .hosted = dna_s2s_hosts(p->stream->s2s, p->ours),
                                   .dialled = dna_s2s_is_dialled(p->stream, p->theirs),
                                   .validating = p->stream->s2s->proofs.validating };
    enum dna_proof_verdict v = dna_s2s_weigh(p->stream, p->theirs);
    e.peer_proved = v == DNA_PROOF_PROVED;
    e.peer_refuted = v == DNA_PROOF_NEGATIVE;
    run(&c, on, &e);
}

static void quietly(struct pair *p, enum association_event on)
{
    struct crossing c = { p, NULL, false };
    const struct association_facts e = { 0 };
    run(&c, on, &e);
}

void dna_s2s_pair_secured(struct pair *p)
{
    dna_s2s_dialback_secured(p);
    quietly(p, association_E_STREAM_SECURED);
    dna_s2s_route_lost(p); /* stanzas look for their way anew */
}

void dna_s2s_pair_gone(struct pair *p)
{
    dna_s2s_dialback_gone(p);
    quietly(p, association_E_STREAM_GONE);
    dna_s2s_route_lost(p);
}

bool dna_s2s_transmit(struct pair *p)
{
    struct crossing c = { p, NULL, false };
    const struct association_facts e = { .addressed = 1, .hosted = 1 };
    run(&c, association_E_TX_STANZA, &e);
    return c.moved;
}

/* Planted faults: a pair that is accepted on this stream stands in for that of the stanza. */
static struct pair *stand_in(struct stream *s, const char *theirs)
{
    bool any = dna_fault(DNA_FAULT_any_pair_of_a_stream);
    if (!any && !dna_fault(DNA_FAULT_every_name_of_certificate))
        return NULL;
    for (struct pair *p = s->pairs; p; p = p->next)
        if (takes(p) && (any || dna_s2s_proves(s, theirs)))
            return p;
    return NULL;
}

void dna_s2s_stanza(struct stream *s, const struct dna_xml_node *stanza)
{
    struct dna_jid *jids = dna_calloc(2, sizeof *jids), *from = jids, *to = jids + 1;
    const char *from_text = dna_xml_get(stanza, "from"), *to_text = dna_xml_get(stanza, "to");
    bool addressed =
        from_text && to_text && dna_jid_parse(from_text, from) && dna_jid_parse(to_text, to);
    struct pair *known = addressed ? dna_s2s_pair_find(s, to->domain, from->domain) : NULL;
    struct pair *other =
        addressed && !(known && takes(known)) ? stand_in(s, from->domain) : NULL;
    known = other ? other : known;
    struct pair *p = known ? known : dna_s2s_pair_scratch(s, to->domain, from->domain);
    struct crossing c = { p, stanza, false };
    struct association_facts e = { .addressed = addressed,
                                   .hosted = addressed && dna_s2s_hosts(s->s2s, to->domain),
                                   .sender_taken =
                                       addressed && dna_s2s_target_taken(s, from->domain) };
    free(jids);
    run(&c, association_E_RX_STANZA, &e);
    if (!known)
        dna_s2s_pair_free(p);
}
