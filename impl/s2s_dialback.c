/* SPDX-License-Identifier: MIT */
/* s2s_dialback: dialback elements and the three roles of XEP-0220: what we ask for a pair of ours
 * (initiating), what we judge (receiving), and what we confirm (authoritative). */
#include <stdlib.h>
#include <string.h>

#include "impl/fault.h"
#include "impl/s2s_internal.h"

static void write_element(struct stream *s, const char *name, const char *from, const char *to,
                          const char *id, const char *type, const char *condition, const char *key)
{
    struct dna_buf b = DNA_BUF_INIT;
    dna_buf_printf(&b, "<db:%s", name);
    dna_buf_attr(&b, "from", from);
    dna_buf_attr(&b, "to", to);
    dna_buf_attr(&b, "id", id);
    dna_buf_attr(&b, "type", type);
    if (condition)
        dna_buf_printf(&b, "><error type='%s'><%s xmlns='%s'/></error></db:%s>",
                       dna_stanza_error_type(condition), condition, DNA_NS_STANZA_ERRORS, name);
    else if (key)
        dna_buf_printf(&b, ">%s</db:%s>", key, name);
    else
        dna_buf_puts(&b, "/>");
    dna_conn_send(s->conn, b.at, b.len);
    dna_buf_cleanup(&b);
}

static void unsolicited(const struct pair *p, const char *what)
{
    dna_log(DNA_LOG_WARN, "unsolicited", "conn=%llu element=%s from=%s to=%s",
            (unsigned long long)dna_s2s_conn_id(p->stream), what, dna_log_quote(p->theirs),
            dna_log_quote(p->ours));
}

/* --- initiating --- */

static void initiating_event(struct pair *p, enum dialback_initiating_event on, bool here);

static void on_result_timer(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    initiating_event(arg, dialback_initiating_E_TIMER_RESULT, true);
}

static void send_key(void *arg)
{
    struct pair *p = arg;
    struct stream *s = p->stream;
    uint32_t ms = s->s2s->at.config->timeout_dialback_ms;
    struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };
    char key[DNA_KEY_LEN + 1];
    dna_key_make(s->s2s->secret, p->theirs, p->ours, s->id ? s->id : "", key);
    write_element(s, "result", p->ours, p->theirs, NULL, NULL, NULL, key);
    if (!p->result_timer)
        p->result_timer = event_new(s->s2s->at.base, -1, 0, on_result_timer, p);
    event_add(p->result_timer, &tv);
}

static void grant_pair(void *arg)
{
    struct pair *p = arg;
    if (p->scratch) { /* it goes with this answer, and whole tables grant nothing unasked */
        dna_dead_end(p->stream->knobs);
        return;
    }
    dna_s2s_lead(p->stream, &p->stream->s2s->domains, p->theirs);
    dna_s2s_pair_event(p, association_E_DIALBACK_GRANTED);
}

static void bounce(struct pair *p, const char *condition)
{
    struct route *r = dna_s2s_route_find(p->stream->s2s, p->ours, p->theirs);
    if (!r || r->via != p)
        return;
    r->via = NULL;
    dna_s2s_route_bounce(r, condition);
    dna_s2s_route_done(r);
}

static void bounce_internal_error(void *arg)
{
    bounce(arg, "internal-server-error");
}

static void bounce_timeout(void *arg)
{
    bounce(arg, "remote-server-timeout");
}

static void initiating_end_stream(void *arg)
{
    dna_s2s_end(((struct pair *)arg)->stream);
}

static void open_own_stream(void *arg)
{
    struct pair *p = arg;
    struct route *r = dna_s2s_route_find(p->stream->s2s, p->ours, p->theirs);
    if (r && r->via == p)
        dna_s2s_route_open_own(r);
}

static void initiating_unsolicited(void *arg)
{
    unsolicited(arg, "db:result");
}

static void (*const initiating_outs[dialback_initiating_O_MAX])(void *) = {
    [dialback_initiating_O_send_key] = send_key,
    [dialback_initiating_O_grant_pair] = grant_pair,
    [dialback_initiating_O_bounce_internal_error] = bounce_internal_error,
    [dialback_initiating_O_bounce_timeout] = bounce_timeout,
    [dialback_initiating_O_end_stream] = initiating_end_stream,
    [dialback_initiating_O_open_own_stream] = open_own_stream,
    [dialback_initiating_O_report_unsolicited] = initiating_unsolicited,
};

static void initiating_event(struct pair *p, enum dialback_initiating_event on, bool here)
{
    struct stream *s = p->stream;
    bool own = s->initiating && strcmp(p->ours, s->ours) == 0 && strcmp(p->theirs, s->theirs) == 0;
    struct dialback_initiating_facts e = { .asked_here = here, .shared = !own };
    struct dna_effects fx;
    dna_dialback_initiating_step(&p->di, on, &e, &s->vars, s->knobs, &fx);
    dna_log_step(dna_s2s_conn_id(s), p->outbound, &fx);
    RUN(&fx, initiating_outs, p);
}

void dna_s2s_request(struct pair *p)
{
    initiating_event(p, dialback_initiating_E_REQUEST, true);
}

/* --- receiving --- */

struct asked {
    struct pair *pair;
    const char *key;
};

static void answer(void *arg, const char *type, const char *condition)
{
    struct pair *p = ((struct asked *)arg)->pair;
    write_element(p->stream, "result", p->said_to, p->said_from, NULL, type, condition, NULL);
}

#define ANSWER(name, type, condition)                                                              \
    static void send_##name(void *arg)                                                             \
    {                                                                                              \
        answer(arg, type, condition);                                                              \
    }
ANSWER(bad_request, "error", "bad-request")
ANSWER(policy_violation, "error", "policy-violation")
ANSWER(item_not_found, "error", "item-not-found")
ANSWER(resource_constraint, "error", "resource-constraint")
ANSWER(not_authorized, "error", "not-authorized")
ANSWER(forbidden, "error", "forbidden")
ANSWER(not_found, "error", "remote-server-not-found")
ANSWER(timeout, "error", "remote-server-timeout")
ANSWER(valid, "valid", NULL)
ANSWER(invalid, "invalid", NULL)

static void end_stream(void *arg)
{
    dna_s2s_end(((struct asked *)arg)->pair->stream);
}

static void dial_authority(void *arg)
{
    struct asked *a = arg;
    dna_s2s_ask(a->pair, a->key ? a->key : "");
}

static void await_proof(void *arg)
{
    struct asked *a = arg;
    dna_s2s_set(&a->pair->said_key, a->key);
    dna_s2s_claim_await(a->pair);
}

static void drop_question(void *arg)
{
    struct pair *p = ((struct asked *)arg)->pair;
    struct stream *asker = p->question ? p->question->asker : NULL;
    if (!asker)
        return;
    dna_s2s_question_end(p->question);
    dna_s2s_questions_done(asker);
}

static void accept_pair(void *arg)
{
    dna_s2s_pair_event(((struct asked *)arg)->pair, association_E_DIALBACK_ACCEPTED);
}

static void receiving_unsolicited(void *arg)
{
    unsolicited(((struct asked *)arg)->pair, "db:verify");
}

static void (*const receiving_outs[dialback_receiving_O_MAX])(void *) = {
    [dialback_receiving_O_send_bad_request] = send_bad_request,
    [dialback_receiving_O_send_policy_violation] = send_policy_violation,
    [dialback_receiving_O_send_item_not_found] = send_item_not_found,
    [dialback_receiving_O_send_resource_constraint] = send_resource_constraint,
    [dialback_receiving_O_send_not_authorized] = send_not_authorized,
    [dialback_receiving_O_send_forbidden] = send_forbidden,
    [dialback_receiving_O_send_not_found] = send_not_found,
    [dialback_receiving_O_send_timeout] = send_timeout,
    [dialback_receiving_O_send_valid] = send_valid,
    [dialback_receiving_O_send_invalid] = send_invalid,
    [dialback_receiving_O_end_stream] = end_stream,
    [dialback_receiving_O_dial_authority] = dial_authority,
    [dialback_receiving_O_await_proof] = await_proof,
    [dialback_receiving_O_drop_question] = drop_question,
    [dialback_receiving_O_accept_pair] = accept_pair,
    [dialback_receiving_O_report_unsolicited] = receiving_unsolicited,
};

static void receiving_event(struct asked *a, enum dialback_receiving_event on,
                            const struct dialback_receiving_facts *e)
{
    struct pair *p = a->pair;
    struct stream *s = p->stream;
    struct dna_effects fx;
    dna_dialback_receiving_step(&p->dr, on, e, &s->vars, s->knobs, &fx);
    dna_log_step(dna_s2s_conn_id(s), p->inbound, &fx);
    RUN(&fx, receiving_outs, a);
    if (p->dr.state == dialback_receiving_S_UNPROVEN) /* what was sought for nothing is not kept */
        dna_s2s_claim_done(s, p->theirs);
}

void dna_s2s_receiving_dialback_event(struct pair *p, enum dialback_receiving_event on,
                                      const struct dialback_receiving_facts *e)
{
    struct asked a = { p, NULL };
    receiving_event(&a, on, e);
}

static bool has_text(const char *text)
{
    return text[strspn(text, " \t\r\n")] != '\0';
}

/* The names of an element: as they stand, and prepared ("" where they are no names). */
struct names {
    const char *from_text, *to_text;
    char *from, *to;
    bool addressed;
};

static struct names names_of(const struct dna_xml_node *e)
{
    struct names n = { dna_xml_get(e, "from"), dna_xml_get(e, "to"), NULL, NULL, false };
    n.from = dna_s2s_prepare(n.from_text);
    n.to = dna_s2s_prepare(n.to_text);
    n.addressed = n.from && n.to;
    if (!n.from)
        n.from = dna_strdup("");
    if (!n.to)
        n.to = dna_strdup("");
    return n;
}

/* What the prooftypes say of the sender of a key, if that is known. */
static void weigh_sender(struct stream *s, const char *from, struct dialback_receiving_facts *e)
{
    bool planted = dna_fault(DNA_FAULT_proof_of_another_domain);
    enum dna_proof_verdict v = dna_s2s_weigh(s, planted ? s->theirs : from);
    e->sender_proved = v == DNA_PROOF_PROVED;
    e->sender_refuted = v == DNA_PROOF_NEGATIVE;
}

void dna_s2s_proof_settled(struct pair *p)
{
    struct asked a = { p, p->said_key };
    struct dialback_receiving_facts e = { .addressed = 1,
                                          .hosted = dna_s2s_hosts(p->stream->s2s, p->ours),
                                          .key_given = has_text(p->said_key ? p->said_key : "") };
    weigh_sender(p->stream, p->theirs, &e);
    receiving_event(&a, dialback_receiving_E_PROOF_SETTLED, &e);
    dna_s2s_set(&p->said_key, NULL);
}

static void on_key(struct stream *s, const struct names *n, const char *key)
{
    struct pair *known = n->addressed ? dna_s2s_pair_find(s, n->to, n->from) : NULL;
    bool hosted = dna_s2s_hosts(s->s2s, n->to);
    bool full = (!known && s->num_pairs >= s->s2s->at.config->limit_pairs) ||
                s->num_waiting >= MAX_WAITING;
    struct dialback_receiving_facts e = { .addressed = n->addressed,
                                          .hosted = hosted,
                                          .full = full,
                                          .key_given = has_text(key) };
    e.sender_pending = n->addressed && dna_s2s_unsought(s, n->from);
    if (n->addressed && !e.sender_pending)
        weigh_sender(s, n->from, &e);
    if (!known && n->addressed && hosted && !full)
        known = dna_s2s_pair_get(s, n->to, n->from);
    struct pair *p = known ? known : dna_s2s_pair_scratch(s, n->to, n->from);
    struct asked a = { p, key };
    dna_s2s_set(&p->said_from, n->from_text);
    dna_s2s_set(&p->said_to, n->to_text);
    receiving_event(&a, dialback_receiving_E_RX_KEY, &e);
    if (!known)
        dna_s2s_pair_free(p);
}

/* --- authoritative --- */

struct confirming {
    struct stream *stream;
    const char *from, *to, *id;
};

static void confirm(void *arg, const char *type, const char *condition)
{
    struct confirming *c = arg;
    write_element(c->stream, "verify", c->to, c->from, c->id, type, condition, NULL);
}

#define CONFIRM(name, type, condition)                                                             \
    static void verify_##name(void *arg)                                                           \
    {                                                                                              \
        confirm(arg, type, condition);                                                             \
    }
CONFIRM(policy_violation, "error", "policy-violation")
CONFIRM(bad_request, "error", "bad-request")
CONFIRM(item_not_found, "error", "item-not-found")
CONFIRM(valid, "valid", NULL)
CONFIRM(invalid, "invalid", NULL)

static void (*const authoritative_outs[dialback_authoritative_O_MAX])(void *) = {
    [dialback_authoritative_O_send_policy_violation] = verify_policy_violation,
    [dialback_authoritative_O_send_bad_request] = verify_bad_request,
    [dialback_authoritative_O_send_item_not_found] = verify_item_not_found,
    [dialback_authoritative_O_send_verify_valid] = verify_valid,
    [dialback_authoritative_O_send_verify_invalid] = verify_invalid,
};

static void on_question(struct stream *s, const struct names *n, const char *id, const char *key)
{
    struct confirming c = { s, n->from_text, n->to_text, id };
    char right[DNA_KEY_LEN + 1];
    struct dna_effects fx;
    dna_key_make(s->s2s->secret, n->from, n->to, id ? id : "", right);
    struct dialback_authoritative_facts e = { .addressed = n->addressed,
                                              .id_given = id && id[0],
                                              .hosted = dna_s2s_hosts(s->s2s, n->to),
                                              .key_right = dna_key_equal(right, key) };
    STEP(s, dialback_authoritative, &s->da, RX_VERIFY, &e, s->theirs, &fx);
    RUN(&fx, authoritative_outs, &c);
}

/* --- dispatch --- */

static void on_answer(struct stream *s, const struct names *n, enum dialback_initiating_event on)
{
    struct pair *known = n->addressed ? dna_s2s_pair_find(s, n->to, n->from) : NULL;
    struct route *r = n->addressed && !known ? dna_s2s_route_find(s->s2s, n->to, n->from) : NULL;
    /* an answer for a pair that asked on another stream is put to that pair, as such */
    struct pair *asked = known ? known : r ? r->via : NULL;
    if (!asked && dna_fault(DNA_FAULT_unsolicited_result))
        asked = dna_s2s_pair_get(s, n->to, n->from);
    struct pair *p = asked ? asked : dna_s2s_pair_scratch(s, n->to, n->from);
    initiating_event(p, on, p->stream == s && !p->scratch);
    if (!asked)
        dna_s2s_pair_free(p);
}

static const char *const types[] = { "valid", "invalid", "error" };

static int type_of(const char *type)
{
    for (int i = 0; i < 3; i++)
        if (strcmp(types[i], type) == 0)
            return i;
    return 3;
}

void dna_s2s_dialback_element(struct stream *s, const struct dna_xml_node *e)
{
    static const enum dialback_initiating_event results[] = { dialback_initiating_E_RX_VALID,
                                                              dialback_initiating_E_RX_INVALID,
                                                              dialback_initiating_E_RX_ERROR,
                                                              dialback_initiating_E_RX_OTHER_TYPE };
    static const enum dialback_receiving_event verdicts[] = {
        dialback_receiving_E_RX_VERIFY_VALID, dialback_receiving_E_RX_VERIFY_INVALID,
        dialback_receiving_E_RX_VERIFY_ERROR, dialback_receiving_E_RX_OTHER_TYPE
    };
    const char *type = dna_xml_get(e, "type"), *id = dna_xml_get(e, "id");
    bool result = strcmp(e->name, "result") == 0;
    int known = type ? type_of(type) : 3;
    struct names n = names_of(e);
    struct dna_buf key = DNA_BUF_INIT;
    dna_buf_puts(&key, "");
    dna_xml_text(e, &key);
    struct verdict v = { n.from, n.to, id ? id : "", verdicts[known] };
    if (result && !type)
        on_key(s, &n, key.at);
    else if (!type)
        on_question(s, &n, id, key.at);
    else if (result)
        on_answer(s, &n, results[known]);
    else
        dna_s2s_verdict(s, &v);
    dna_buf_cleanup(&key);
    free(n.from);
    free(n.to);
}

void dna_s2s_dialback_secured(struct pair *p)
{
    const struct dialback_receiving_facts e = { 0 };
    dna_s2s_receiving_dialback_event(p, dialback_receiving_E_STREAM_SECURED, &e);
    initiating_event(p, dialback_initiating_E_STREAM_SECURED, true);
}

void dna_s2s_dialback_restarted(struct pair *p)
{
    const struct dialback_receiving_facts e = { 0 };
    dna_s2s_receiving_dialback_event(p, dialback_receiving_E_STREAM_RESTARTED, &e);
}

void dna_s2s_dialback_gone(struct pair *p)
{
    const struct dialback_receiving_facts e = { 0 };
    if (p->result_timer)
        event_del(p->result_timer);
    if (p->question) {
        struct stream *asker = p->question->asker;
        dna_s2s_question_end(p->question);
        dna_s2s_questions_done(asker);
    }
    dna_s2s_receiving_dialback_event(p, dialback_receiving_E_STREAM_GONE, &e);
    initiating_event(p, dialback_initiating_E_STREAM_GONE, true);
}
