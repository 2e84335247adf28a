/* SPDX-License-Identifier: MIT */
/* s2s_stream: what streams of both roles share: birth, timers, restart, errors, death. */
#include <stdlib.h>
#include <string.h>

#include "impl/jid.h"
#include "impl/s2s_internal.h"

uint64_t dna_s2s_conn_id(const struct stream *s)
{
    return s->conn ? dna_conn_id(s->conn) : 0;
}

void dna_s2s_set(char **at, const char *value)
{
    char *copy = value ? dna_strdup(value) : NULL;
    free(*at);
    *at = copy;
}

char *dna_s2s_prepare(const char *name)
{
    char out[DNA_JID_PART_MAX + 1];
    return name && dna_domain_prepare(name, out, sizeof out, NULL, 0) ? dna_strdup(out) : NULL;
}

bool dna_s2s_hosts(const struct dna_s2s *s2s, const char *domain)
{
    return domain && dna_router_hosts(s2s->at.router, domain);
}

static void set_timer(struct event *e, uint32_t ms)
{
    struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };
    event_add(e, &tv);
}

static const struct stream_receiving_facts no_receiving_facts;
static const struct stream_initiating_facts no_initiating_facts;

/* SAME_EVENT() raises an event that both stream machines have by the same name. */
#define SAME_EVENT(s, event)                                                                       \
    do {                                                                                           \
        if ((s)->initiating)                                                                       \
            dna_s2s_initiating_event((s), stream_initiating_E_##event, &no_initiating_facts);      \
        else                                                                                       \
            dna_s2s_receiving_event((s), stream_receiving_E_##event, &no_receiving_facts);         \
    } while (0)

void dna_s2s_expired(struct stream *s)
{
    SAME_EVENT(s, TIMER_EXPIRY);
}

static void on_deadline(int fd, short what, void *arg)
{
    struct stream *s = arg;
    (void)fd;
    (void)what;
    if (s->closing)
        SAME_EVENT(s, TIMER_CLOSE);
    else
        SAME_EVENT(s, TIMER_NEGOTIATION);
}

static void on_idle(int fd, short what, void *arg)
{
    struct stream *s = arg;
    (void)fd;
    (void)what;
    if (s->active) {
        s->active = false;
        set_timer(s->idle, s->s2s->at.config->timeout_idle_ms);
    } else {
        SAME_EVENT(s, TIMER_IDLE);
    }
}

void dna_s2s_negotiation_deadline(struct stream *s)
{
    set_timer(s->deadline, s->s2s->at.config->timeout_negotiation_ms);
}

static void init_shared(struct stream *s)
{
    dna_stream_vars_init(&s->vars);
    dna_instance_init(&dna_machine_piggyback_assertion, &s->pa);
    dna_instance_init(&dna_machine_piggyback_supposition, &s->ps);
    dna_instance_init(&dna_machine_dialback_authoritative, &s->da);
}

static void init_role(struct stream *s)
{
    if (s->initiating) {
        dna_instance_init(&dna_machine_stream_initiating, &s->i.m);
        dna_instance_init(&dna_machine_starttls_initiating, &s->i.tls);
        dna_instance_init(&dna_machine_sasl_external_initiating, &s->i.sasl);
        dna_instance_init(&dna_machine_resolution, &s->i.re);
    } else {
        dna_instance_init(&dna_machine_stream_receiving, &s->r.m);
        dna_instance_init(&dna_machine_starttls_receiving, &s->r.tls);
        dna_instance_init(&dna_machine_sasl_external_receiving, &s->r.sasl);
        dna_instance_init(&dna_machine_features_receiving, &s->r.features);
    }
}

struct stream *dna_s2s_stream_new(struct dna_s2s *s2s, const char *theirs)
{
    struct stream *s = dna_calloc(1, sizeof *s);
    s->s2s = s2s;
    s->initiating = theirs != NULL;
    s->knobs = dna_knobs_for(s2s->knobs, theirs);
    if (theirs)
        dna_s2s_set(&s->theirs, theirs);
    s->number = s2s->next_number++;
    s->deadline = event_new(s2s->at.base, -1, 0, on_deadline, s);
    s->idle = event_new(s2s->at.base, -1, 0, on_idle, s);
    if (!s->deadline || !s->idle)
        abort();
    init_shared(s);
    init_role(s);
    s->next = s2s->streams;
    s->link = &s2s->streams;
    if (s->next)
        s->next->link = &s->next;
    s2s->streams = s;
    s2s->num_streams++;
    return s;
}

static void drop_leads(struct stream *s)
{
    while (s->leads) {
        struct lead *l = s->leads;
        s->leads = l->of_stream;
        *l->link = l->next;
        if (l->next)
            l->next->link = l->link;
        if (!l->list->first) {
            (void)dna_hash_remove(l->list->in, l->list->name);
            free(l->list->name);
            free(l->list);
        }
        free(l);
    }
}

void dna_s2s_lead(struct stream *s, struct dna_hash *in, const char *name)
{
    struct lead_list *list = dna_hash_get(in, name);
    for (struct lead *l = list ? list->first : NULL; l; l = l->next)
        if (l->stream == s)
            return; /* the few streams that lead to one name, not the many names of one stream */
    if (!list) {
        list = dna_calloc(1, sizeof *list);
        list->name = dna_strdup(name);
        list->in = in;
        (void)dna_hash_put(in, name, list);
    }
    struct lead *l = dna_calloc(1, sizeof *l);
    l->stream = s;
    l->list = list;
    l->of_stream = s->leads;
    s->leads = l;
    l->next = list->first;
    l->link = &list->first;
    if (l->next)
        l->next->link = &l->next;
    list->first = l;
}

void dna_s2s_stream_bury(struct stream *s)
{
    if (s->buried)
        return;
    s->buried = true;
    drop_leads(s);
    event_del(s->deadline);
    event_del(s->idle);
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    s->s2s->num_streams--;
    s->next = s->s2s->graves;
    s->s2s->graves = s;
    event_active(s->s2s->undertaker, EV_TIMEOUT, 0);
}

void dna_s2s_stream_free(struct stream *s)
{
    if (s->initiating) {
        dna_s2s_asker_lost(s);
        dna_dns_cancel(s->i.query);
        dna_s2s_others_free(s);
        free(s->i.targets);
        free(s->i.addrs);
        free(s->i.canonical);
        dna_s2s_questions_failed(s, dialback_receiving_E_AUTHORITY_UNREACHABLE);
        if (s->i.route)
            s->i.route->pending = NULL;
    }
    while (s->pairs) {
        struct pair *p = s->pairs;
        s->pairs = p->next;
        dna_s2s_pair_free(p);
    }
    dna_s2s_claims_free(s);
    drop_leads(s);
    dna_conn_free(s->conn);
    event_free(s->deadline);
    event_free(s->idle);
    free(s->ours);
    free(s->theirs);
    free(s->their_text);
    free(s->id);
    free(s);
}

void dna_s2s_end(struct stream *s)
{
    SAME_EVENT(s, END);
}

void dna_s2s_send_close(struct stream *s)
{
    if (!s->conn || s->closing)
        return;
    s->closing = true;
    dna_conn_close(s->conn);
    drop_leads(s);
    for (struct pair *p = s->pairs; p; p = p->next)
        dna_s2s_route_leave(p);
    set_timer(s->deadline, s->s2s->at.config->timeout_close_ms);
}

void dna_s2s_discard(struct stream *s)
{
    s->discard = true;
}

void dna_s2s_drain(struct stream *s)
{
    s->drain = true;
}

void dna_s2s_drop(struct stream *s)
{
    if (s->dropped)
        return;
    s->dropped = true;
    event_del(s->deadline);
    event_del(s->idle);
    drop_leads(s);
    struct dna_effects fx;
    const struct piggyback_assertion_facts pa = { 0 };
    const struct piggyback_supposition_facts ps = { 0 };
    const struct dialback_authoritative_facts da = { 0 };
    STEP(s, piggyback_assertion, &s->pa, STREAM_GONE, &pa, NULL, &fx);
    STEP(s, piggyback_supposition, &s->ps, STREAM_GONE, &ps, NULL, &fx);
    STEP(s, dialback_authoritative, &s->da, STREAM_GONE, &da, NULL, &fx);
    if (s->initiating)
        dna_s2s_initiating_gone(s);
    else
        dna_s2s_receiving_gone(s);
    for (struct pair *p = s->pairs; p; p = p->next)
        dna_s2s_pair_gone(p);
    if (s->conn)
        dna_conn_drop(s->conn, DROP_MS);
    else
        dna_s2s_stream_bury(s);
}

void dna_s2s_error(struct stream *s, const char *condition)
{
    struct dna_buf b = DNA_BUF_INIT;
    if (!s->conn)
        return;
    dna_buf_printf(&b, "<stream:error><%s xmlns='%s'/></stream:error>", condition,
                   DNA_NS_STREAM_ERRORS);
    dna_conn_send(s->conn, b.at, b.len);
    dna_buf_cleanup(&b);
}

void dna_s2s_watch_idle(struct stream *s)
{
    uint32_t ms = s->s2s->at.config->timeout_idle_ms;
    if (ms && !s->closing && !s->dropped)
        set_timer(s->idle, ms);
}

void dna_s2s_flows(struct stream *s)
{
    for (struct pair *p = s->pairs; p; p = p->next)
        dna_s2s_pair_event(p, association_E_STREAM_FLOWS);
    dna_s2s_watch_idle(s);
}

void dna_s2s_forget(struct stream *s, bool starttls)
{
    dna_stream_vars_forget(&s->vars, starttls);
    if (s->initiating) {
        dna_instance_forget(&dna_machine_stream_initiating, &s->i.m, starttls);
        dna_instance_forget(&dna_machine_sasl_external_initiating, &s->i.sasl, starttls);
    } else {
        dna_instance_forget(&dna_machine_stream_receiving, &s->r.m, starttls);
        dna_instance_forget(&dna_machine_sasl_external_receiving, &s->r.sasl, starttls);
    }
    dna_conn_restart_xml(s->conn, EARLY_BYTES);
    for (struct pair *p = s->pairs; p; p = p->next) {
        if (!starttls)
            dna_s2s_dialback_restarted(p);
        else if (s->initiating) /* the receiving side told them when it sent proceed */
            dna_s2s_pair_secured(p);
    }
}

enum { TAG_LEN = 8 };

static void tag_of(const struct dna_s2s *s2s, const char *random, char tag[TAG_LEN + 1])
{
    char key[DNA_KEY_LEN + 1];
    dna_key_make(s2s->secret, "stream id", "tag", random, key);
    memcpy(tag, key, TAG_LEN);
    tag[TAG_LEN] = '\0';
}

/* Decision A02: an id that we issued can be told from one that a peer chose. */
void dna_s2s_new_id(struct dna_s2s *s2s, char out[DNA_ID_LEN + 1])
{
    char tag[TAG_LEN + 1];
    dna_id_make(out);
    out[DNA_ID_LEN - TAG_LEN] = '\0';
    tag_of(s2s, out, tag);
    memcpy(out + DNA_ID_LEN - TAG_LEN, tag, sizeof tag);
}

bool dna_s2s_our_id(const struct dna_s2s *s2s, const char *id)
{
    char random[DNA_ID_LEN + 1], tag[TAG_LEN + 1];
    if (!id || strlen(id) != DNA_ID_LEN)
        return false;
    memcpy(random, id, sizeof random);
    random[DNA_ID_LEN - TAG_LEN] = '\0';
    tag_of(s2s, random, tag);
    return strcmp(id + DNA_ID_LEN - TAG_LEN, tag) == 0;
}

static bool is_stanza(const struct dna_xml_node *e)
{
    return dna_xml_is(e, DNA_NS_SERVER, "message") || dna_xml_is(e, DNA_NS_SERVER, "presence") ||
           dna_xml_is(e, DNA_NS_SERVER, "iq");
}

void dna_s2s_element(struct stream *s, const struct dna_xml_node *e)
{
    if (s->discard || s->dropped)
        return;
    s->active = true;
    if (dna_xml_is(e, DNA_NS_STREAM, "error"))
        s->unknown_there = dna_xml_child(e, DNA_NS_STREAM_ERRORS, "host-unknown") != NULL;
    if (dna_xml_is(e, DNA_NS_STREAM, "error"))
        SAME_EVENT(s, RX_STREAM_ERROR);
    else if (is_stanza(e))
        dna_s2s_stanza(s, e);
    else if (s->drain)
        return;
    else if (dna_xml_is(e, DNA_NS_DIALBACK, "result") || dna_xml_is(e, DNA_NS_DIALBACK, "verify"))
        dna_s2s_dialback_element(s, e);
    else if (dna_xml_is(e, DNA_NS_BIDI, "bidi"))
        SAME_EVENT(s, RX_BIDI);
    else if (s->initiating ? !dna_s2s_initiating_element(s, e) : !dna_s2s_receiving_element(s, e))
        SAME_EVENT(s, RX_UNKNOWN);
}
