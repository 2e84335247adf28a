/* SPDX-License-Identifier: MIT */
/* s2s_verify: our questions to the authorities of domains (XEP-0220 2.1.2). Each goes over a stream
 * that was opened for such questions and resolved for the domain in question: never over the stream
 * that is being judged, never over another domain's (decision A41). Several questions share one
 * stream. */
#include <stdlib.h>
#include <string.h>

#include "impl/fault.h"
#include "impl/s2s_internal.h"

static char *index_of(const char *ours, const char *theirs, const char *id)
{
    struct dna_buf t = DNA_BUF_INIT;
    dna_buf_printf(&t, "%s>%s %s", ours, theirs, id);
    return t.at;
}

struct question *dna_s2s_question_find(struct dna_s2s *s2s, const char *ours, const char *theirs,
                                       const char *id)
{
    char *index = index_of(ours, theirs, id);
    struct question *q = dna_hash_get(&s2s->questions, index);
    free(index);
    return q;
}

void dna_s2s_question_end(struct question *q)
{
    struct dna_s2s *s2s = q->asker->s2s;
    struct question **at = &q->asker->i.questions;
    while (*at && *at != q)
        at = &(*at)->next;
    if (*at)
        *at = q->next;
    if (dna_hash_get(&s2s->questions, q->index) == q)
        (void)dna_hash_remove(&s2s->questions, q->index);
    q->pair->question = NULL;
    event_free(q->timer);
    free(q->ours);
    free(q->theirs);
    free(q->id);
    free(q->key);
    free(q->index);
    free(q);
}

static void write_question(struct stream *over, const char *ours, const char *theirs,
                           const char *id, const char *key)
{
    struct dna_buf b = DNA_BUF_INIT;
    dna_buf_puts(&b, "<db:verify");
    dna_buf_attr(&b, "from", ours);
    dna_buf_attr(&b, "to", theirs);
    dna_buf_attr(&b, "id", id);
    dna_buf_puts(&b, ">");
    dna_buf_escape(&b, key);
    dna_buf_puts(&b, "</db:verify>");
    dna_conn_send(over->conn, b.at, b.len);
    dna_buf_cleanup(&b);
}

static void send_question(struct question *q)
{
    write_question(q->asker, q->ours, q->theirs, q->id, q->key);
    q->sent = true;
}

void dna_s2s_questions_done(struct stream *asker)
{
    struct stream_initiating_facts e = { .more_pending = asker->i.questions != NULL };
    if (asker->dropped)
        return;
    if (asker->i.ready)
        dna_s2s_initiating_event(asker, stream_initiating_E_VERIFICATION_DONE, &e);
    else if (!asker->i.questions)
        dna_s2s_initiating_event(asker, stream_initiating_E_NOT_WANTED, &e);
}

static X509 *leaf_of(const struct stream *s)
{
    SSL *ssl = s->conn ? dna_conn_ssl(s->conn) : NULL;
    return ssl ? SSL_get0_peer_certificate(ssl) : NULL;
}

/* Before a question goes out: the authority's certificate may answer it (XEP-0344 2.6). */
static void ask_one(struct question *q)
{
    struct pair *p = q->pair;
    X509 *there = leaf_of(q->asker), *here = leaf_of(p->stream);
    struct dialback_receiving_facts e = { .same_certificate =
                                              there && here && X509_cmp(there, here) == 0 &&
                                              dna_pkix_names(there, p->theirs, DNA_PKIX_XMPP_SERVER,
                                                             p->stream->knobs) };
    if (q->asker->vars.secured)
        dna_s2s_receiving_dialback_event(p, dialback_receiving_E_AUTHORITY_SECURED, &e);
    if (p->question == q) /* still wanted */
        send_question(q);
}

void dna_s2s_questions_send(struct stream *asker)
{
    for (struct question *q = asker->i.questions, *next; q; q = next) {
        next = q->next;
        if (!q->sent)
            ask_one(q);
    }
    if (!asker->i.questions)
        dna_s2s_questions_done(asker);
}

void dna_s2s_questions_failed(struct stream *asker, enum dialback_receiving_event how)
{
    const struct dialback_receiving_facts e = { 0 };
    while (asker->i.questions) {
        struct pair *p = asker->i.questions->pair;
        dna_s2s_question_end(asker->i.questions);
        dna_s2s_receiving_dialback_event(p, how, &e);
    }
}

static void on_timer(int fd, short what, void *arg)
{
    struct question *q = arg;
    struct pair *p = q->pair;
    struct stream *asker = q->asker;
    const struct dialback_receiving_facts e = { 0 };
    (void)fd;
    (void)what;
    dna_s2s_question_end(q);
    dna_s2s_receiving_dialback_event(p, dialback_receiving_E_TIMER_VERIFY, &e);
    dna_s2s_questions_done(asker);
}

static struct stream *asker_for(struct dna_s2s *s2s, const char *ours, const char *theirs,
                                const struct stream *judged)
{
    char *key = index_of(ours, theirs, "");
    struct stream *s = dna_hash_get(&s2s->askers, key);
    /* with reverse_dialback_without_bidi a key may come backwards on an asking stream: it is no
     * judge of itself */
    if (!s || s == judged || s->dropped || s->closing || s->buried) {
        s = dna_s2s_stream_new(s2s, theirs);
        dna_s2s_set(&s->ours, ours);
        (void)dna_hash_put(&s2s->askers, key, s);
    }
    free(key);
    return s;
}

void dna_s2s_asker_lost(struct stream *s)
{
    char *key = index_of(s->ours, s->theirs, "");
    if (dna_hash_get(&s->s2s->askers, key) == s)
        (void)dna_hash_remove(&s->s2s->askers, key);
    free(key);
}

/* A planted fault: no stream leads to the authority, the one that is judged is asked. */
static bool asks_itself(const struct stream *s)
{
    return dna_fault(DNA_FAULT_verify_over_judged_stream) && s->vars.bidi && !s->initiating;
}

void dna_s2s_ask(struct pair *p, const char *key)
{
    struct dna_s2s *s2s = p->stream->s2s;
    uint32_t ms = s2s->at.config->timeout_verify_ms;
    struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };
    if (asks_itself(p->stream)) {
        write_question(p->stream, p->said_to, p->said_from, p->stream->id, key);
        return;
    }
    if (!p->said_from || !p->said_to) { /* of a key without sender nobody is asked */
        dna_dead_end(p->stream->knobs);
        return;
    }
    struct stream *asker = asker_for(s2s, p->ours, p->theirs, p->stream);
    bool fresh = !asker->i.questions && !asker->conn && !asker->i.query;
    if (p->question)
        dna_s2s_question_end(p->question);
    struct question *q = dna_calloc(1, sizeof *q);
    q->pair = p;
    q->asker = asker;
    q->ours = dna_strdup(p->said_to);
    q->theirs = dna_strdup(p->said_from);
    q->id = dna_strdup(p->stream->id ? p->stream->id : "");
    q->key = dna_strdup(key);
    q->index = index_of(p->ours, p->theirs, q->id);
    q->timer = event_new(s2s->at.base, -1, 0, on_timer, q);
    q->next = asker->i.questions;
    asker->i.questions = q;
    p->question = q;
    (void)dna_hash_put(&s2s->questions, q->index, q);
    event_add(q->timer, &tv);
    if (fresh)
        dna_s2s_dial(asker);
    else if (asker->i.ready)
        dna_s2s_questions_send(asker);
}

/* Planted faults: the pair is found without a question. */
static struct pair *pair_unasked(struct stream *s, const struct verdict *v)
{
    if (asks_itself(s))
        return dna_s2s_pair_find(s, v->to, v->from);
    if (!dna_fault(DNA_FAULT_unsolicited_verify))
        return NULL;
    for (struct stream *t = s->s2s->streams; t; t = t->next)
        if (!t->initiating && !t->dropped && t->id && strcmp(t->id, v->id) == 0)
            return dna_s2s_pair_get(t, v->to, v->from);
    return NULL;
}

static void on_unasked(struct stream *s, const struct verdict *v)
{
    struct pair *known = pair_unasked(s, v);
    struct pair *p = known ? known : dna_s2s_pair_scratch(s, v->to, v->from);
    const struct dialback_receiving_facts e = { .asked_here = known && asks_itself(s) };
    dna_s2s_receiving_dialback_event(p, v->on, &e);
    if (!known)
        dna_s2s_pair_free(p);
}

void dna_s2s_verdict(struct stream *s, const struct verdict *v)
{
    struct question *q = dna_s2s_question_find(s->s2s, v->to, v->from, v->id);
    struct dialback_receiving_facts e = { 0 };
    if (!q) {
        on_unasked(s, v);
        return;
    }
    struct pair *p = q->pair;
    e.asked_here = q->asker == s && q->sent;
    bool answered = e.asked_here && v->on != dialback_receiving_E_RX_OTHER_TYPE;
    if (answered)
        dna_s2s_question_end(q);
    dna_s2s_receiving_dialback_event(p, v->on, &e);
    if (answered)
        dna_s2s_questions_done(s);
}
