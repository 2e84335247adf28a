/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The oracle on domain pairs: dialback in its three roles, and stanzas. A pair
 * is (the peer's domain, the IUT's); its walks are made when it is first spoken of. Answers to
 * db:verify come on another connection than the one whose pair they prove.
 */
#include "conformance/oracle_internal.h"

#include <string.h>

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static struct oracle_walk *find(struct dna_oracle_conn *conn, const struct dna_machine *m,
                                const char *peer, const char *iut, const char *id)
{
    for (struct oracle_walk *w = conn->walks; w; w = w->next)
        if (w->machine == m && same(w->peer, peer) && same(w->iut, iut) && (!id || same(w->id, id)))
            return w;
    return NULL;
}

static struct oracle_walk *pair(struct dna_oracle_conn *conn, const struct dna_machine *m,
                                const char *peer, const char *iut)
{
    struct oracle_walk *w = find(conn, m, peer, iut, NULL);

    if (w)
        return w;
    w = oracle_walk_new(conn, m);
    w->peer = peer;
    w->iut = iut;
    return w;
}

/* ---- stanzas: what one pair may do ---- */

static const uint32_t proofs[] = { association_E_EXTERNAL_ACCEPTED, association_E_DIALBACK_ACCEPTED,
                                   association_E_EXTERNAL_GRANTED, association_E_DIALBACK_GRANTED };

/* Whether a proved sender may write to another of the IUT's domains than it asked for is left open
 * (RFC 6120 8.1.1.2): what is received is a matter of the peer's domain alone, and iut is NULL. */
static struct oracle_walk *association(struct dna_oracle_conn *conn, const char *peer,
                                       const char *iut, bool receives)
{
    struct oracle_walk *w;

    for (w = conn->walks; w; w = w->next)
        if (w->machine == &dna_machine_association && w->receives == receives &&
            same(w->peer, peer) && (receives || same(w->iut, iut)))
            return w;
    w = oracle_walk_new(conn, &dna_machine_association);
    w->peer = peer;
    w->iut = iut;
    w->receives = receives;
    for (size_t i = 0; i < 4; i++)
        dna_walk_watch(w->walk, proofs[i], true);
    dna_walk_see(w->walk, association_O_transmit, receives ? DNA_WALK_UNSEEN : DNA_WALK_MAY);
    dna_walk_see(w->walk, association_O_release_queue, receives ? DNA_WALK_UNSEEN : DNA_WALK_OFTEN);
    dna_walk_see(w->walk, association_O_deliver, receives ? DNA_WALK_MAY : DNA_WALK_UNSEEN);
    return w;
}

/* What shows on this very stream, in order, is told; what is delivered shows elsewhere and perhaps
 * earlier, so that a proof which was asked for may have been accepted unseen. */
static void prove(struct dna_oracle_conn *conn, const char *peer, const char *iut, uint32_t event,
                  bool by_iut)
{
    struct oracle_facts f = { 0 };

    FACT(&f, association, peer_proved, oracle_proves(conn, peer));
    oracle_event(association(conn, peer, iut, false), event, &f);
    if (!by_iut)
        oracle_event(association(conn, peer, NULL, true), event, &f);
}

static void asked(struct dna_oracle_conn *conn, const char *peer, uint32_t event)
{
    dna_walk_watch(association(conn, peer, NULL, true)->walk, event, false);
}

void oracle_external_asked(struct dna_oracle_conn *conn)
{
    if (conn->sent_from && conn->sent_to)
        asked(conn, conn->sent_from, association_E_EXTERNAL_ACCEPTED);
    else
        conn->fuzzy = true;
}

void oracle_external_accepted(struct dna_oracle_conn *conn)
{
    if (conn->sent_from && conn->sent_to)
        prove(conn, conn->sent_from, conn->sent_to, association_E_EXTERNAL_ACCEPTED, true);
    else
        conn->tx_unsure = true;
}

void oracle_external_granted(struct dna_oracle_conn *conn)
{
    if (conn->got_from && conn->got_to)
        prove(conn, conn->got_to, conn->got_from, association_E_EXTERNAL_GRANTED, false);
    else
        conn->tx_unsure = true;
}

void oracle_stanza_sent(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    struct dna_oracle *o = conn->oracle;
    const char *id = dna_xnode_attr_value(node, "id");
    const char *from = oracle_jid_domain(o->pool, dna_xnode_attr_value(node, "from"));
    const char *to = oracle_jid_domain(o->pool, dna_xnode_attr_value(node, "to"));
    struct oracle_stanza *stanza;
    struct oracle_facts f = { 0 };

    if (!id || strcmp(node->local, "message") != 0)
        return;
    stanza = dna_pool_alloc(o->pool, sizeof(*stanza));
    stanza->id = dna_pool_strdup(o->pool, id);
    stanza->from = from;
    stanza->next = o->stanzas;
    o->stanzas = stanza;
    if (!from || !to || conn->fuzzy)
        return; /* counted, and not judged */
    stanza->walk = association(conn, from, NULL, true);
    FACT(&f, association, addressed, YES);
    FACT(&f, association, hosted, oracle_hosted(o, to));
    oracle_event(stanza->walk, association_E_RX_STANZA, &f);
}

void oracle_delivered(struct dna_oracle_conn *client, const struct dna_xnode *node)
{
    struct dna_oracle *o = client->oracle;
    const char *id = dna_xnode_attr_value(node, "id"), *type = dna_xnode_attr_value(node, "type");
    const char *from = oracle_jid_domain(o->pool, dna_xnode_attr_value(node, "from"));
    struct oracle_stanza *only = NULL;
    unsigned num = 0;

    if (!id || !from || same(type, "error"))
        return;
    for (struct oracle_stanza *s = o->stanzas; s; s = s->next) {
        if (!same(s->id, id))
            continue;
        num++;
        only = s;
    }
    /* sent twice with one id: which of the two arrived can't be told */
    if (num == 1 && only->walk && same(only->from, from) && !only->walk->conn->fuzzy)
        oracle_out1(only->walk, node, association_O_deliver);
}

void oracle_stanza_got(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    static const uint8_t outs[] = { association_O_transmit, association_O_release_queue };
    struct dna_pool *pool = conn->oracle->pool;
    const char *from = oracle_jid_domain(pool, dna_xnode_attr_value(node, "from"));
    const char *to = oracle_jid_domain(pool, dna_xnode_attr_value(node, "to"));

    if (from && to && !conn->tx_unsure)
        oracle_out(association(conn, to, from, false), node, outs, 2);
}

/* ---- the IUT as Receiving Server ---- */

static void sent_key(struct dna_oracle_conn *conn, const char *peer, const char *iut,
                     const char *key)
{
    struct oracle_walk *w;
    struct oracle_facts f = { 0 };

    oracle_say(conn, &conn->s.pairs_taken, "pairs_taken", OPEN);
    if (!peer || !iut) {
        conn->fuzzy = conn->tx_unsure = true;
        return;
    }
    w = find(conn, &dna_machine_dialback_receiving, peer, iut, NULL);
    if (!w) {
        w = pair(conn, &dna_machine_dialback_receiving, peer, iut);
        dna_walk_see(w->walk, dialback_receiving_O_dial_authority, DNA_WALK_OFTEN);
        /* a question may be dropped with the id that it named, or be answered all the same */
        dna_walk_watch(w->walk, dialback_receiving_E_STREAM_RESTARTED, false);
        dna_walk_watch(w->walk, dialback_receiving_E_AUTHORITY_SECURED, true);
    }
    w->asked = true;
    FACT(&f, dialback_receiving, addressed, YES);
    FACT(&f, dialback_receiving, hosted, oracle_hosted(conn->oracle, iut));
    FACT(&f, dialback_receiving, full, NO); /* any error is taken for any other, anyway */
    if (*key) /* what an empty one is worth is our decision alone */
        FACT(&f, dialback_receiving, key_given, YES);
    FACT(&f, dialback_receiving, sender_proved, oracle_proves(conn, peer));
    FACT(&f, dialback_receiving, sender_pending, oracle_pending(conn));
    FACT(&f, dialback_receiving, sender_refuted, oracle_refutes(conn));
    oracle_event(w, dialback_receiving_E_RX_KEY, &f);
    asked(conn, peer, association_E_DIALBACK_ACCEPTED);
}

/* a server that knows no dialback errors says invalid in their place */
static void got_invalid(struct oracle_walk *w, const struct dna_xnode *node, uint32_t invalid)
{
    static const char *const not_valid[] = { "send_valid", "send_verify_valid", NULL };

    if (w->conn->oracle->setup.errors)
        oracle_out1(w, node, invalid);
    else
        oracle_out_like(w, node, "send_", not_valid);
}

static void got_result(struct dna_oracle_conn *conn, const struct dna_xnode *node, const char *peer,
                       const char *iut, const char *type)
{
    static const char *const no_errors[] = { "send_valid", "send_invalid", NULL };
    struct oracle_walk *w;

    if (!peer || !iut || conn->fuzzy) {
        conn->tx_unsure = true;
        return;
    }
    w = pair(conn, &dna_machine_dialback_receiving, peer, iut);
    if (same(type, "valid")) {
        oracle_out1(w, node, dialback_receiving_O_send_valid);
        prove(conn, peer, iut, association_E_DIALBACK_ACCEPTED, true);
    } else if (same(type, "invalid")) {
        got_invalid(w, node, dialback_receiving_O_send_invalid);
    } else if (same(type, "error")) {
        /* XEP-0220 2.5 gives several conditions for most errors */
        oracle_out_like(w, node, "send_", no_errors);
    }
}

static bool has_id(const struct dna_oracle_conn *conn, const char *id)
{
    for (const struct oracle_word *word = conn->ids; word; word = word->next)
        if (same(word->text, id))
            return true;
    return false;
}

/* the pair that a verification is about: the one whose key came on the stream of that id */
static struct oracle_walk *verified(struct dna_oracle *o, const char *peer, const char *iut,
                                    const char *id)
{
    for (struct dna_oracle_conn *c = o->conns; c; c = c->next) {
        struct oracle_walk *w = NULL;

        /* backwards, the id is one of ours */
        if (has_id(c, id) || (c->kind == DNA_ORACLE_INITIATING && same(c->sent_id, id)))
            w = find(c, &dna_machine_dialback_receiving, peer, iut, NULL);
        if (w)
            return w;
    }
    return NULL;
}

static void got_question(struct dna_oracle_conn *conn, const struct dna_xnode *node,
                         const char *peer, const char *iut, const char *id)
{
    struct oracle_word *q = dna_pool_alloc(conn->oracle->pool, sizeof(*q));
    struct oracle_walk *w;

    q->peer = peer;
    q->iut = iut;
    q->id = id;
    q->next = conn->questions;
    conn->questions = q;
    w = verified(conn->oracle, peer, iut, id);
    if (w)
        oracle_out1(w, node, dialback_receiving_O_dial_authority);
}

static void sent_answer(struct dna_oracle_conn *conn, const char *peer, const char *iut,
                        const char *id, const char *type)
{
    struct oracle_walk *w = verified(conn->oracle, peer, iut, id);
    struct oracle_facts f = { 0 };
    bool here = false;

    if (!peer || !iut || !id) {
        conn->oracle->deaf = true;
        return;
    }
    if (!w)
        return;
    for (struct oracle_word *q = conn->questions; q; q = q->next)
        here = here || (same(q->peer, peer) && same(q->iut, iut) && same(q->id, id));
    FACT(&f, dialback_receiving, asked_here, here ? YES : NO);
    if (same(type, "valid"))
        oracle_event(w, dialback_receiving_E_RX_VERIFY_VALID, &f);
    else if (same(type, "invalid"))
        oracle_event(w, dialback_receiving_E_RX_VERIFY_INVALID, &f);
    else if (same(type, "error"))
        oracle_event(w, dialback_receiving_E_RX_VERIFY_ERROR, &f);
    else
        oracle_event(w, dialback_receiving_E_RX_OTHER_TYPE, NULL);
}

void oracle_authority_secured(struct dna_oracle_conn *conn)
{
    for (struct dna_oracle_conn *c = conn->oracle->conns; c && conn->cert; c = c->next)
        for (struct oracle_walk *w = c->walks; w; w = w->next)
            if (w->machine == &dna_machine_dialback_receiving && c->cert &&
                X509_cmp(c->cert->x509, conn->cert->x509) == 0)
                dna_walk_watch(w->walk, dialback_receiving_E_AUTHORITY_SECURED, false);
}

/* ---- the IUT as Initiating Server ---- */

/* Has the key waited so long that the IUT may have given it up? Load makes us see it late. */
static void look_at_clock(struct oracle_walk *w)
{
    unsigned limit = w->conn->oracle->setup.result_ms / 2;
    struct timeval now, waited;

    evutil_gettimeofday(&now, NULL);
    evutil_timersub(&now, &w->since, &waited);
    if (!limit || (w->asked && waited.tv_sec * 1000 + waited.tv_usec / 1000 >= (long)limit))
        dna_walk_watch(w->walk, dialback_initiating_E_TIMER_RESULT, false);
}

static struct oracle_walk *initiating(struct dna_oracle_conn *conn, const char *peer,
                                      const char *iut)
{
    struct oracle_walk *w = find(conn, &dna_machine_dialback_initiating, peer, iut, NULL);

    if (!w) {
        w = pair(conn, &dna_machine_dialback_initiating, peer, iut);
        dna_walk_watch(w->walk, dialback_initiating_E_TIMER_RESULT, true);
    }
    return w;
}

static void got_key(struct dna_oracle_conn *conn, const struct dna_xnode *node, const char *peer,
                    const char *iut)
{
    struct oracle_word *key = dna_pool_alloc(conn->oracle->pool, sizeof(*key));
    struct oracle_walk *w;

    oracle_say(conn, &conn->s.pairs_taken, "pairs_taken", OPEN);
    key->text = dna_xnode_text(conn->oracle->pool, node);
    key->peer = peer;
    key->iut = iut;
    key->id = conn->kind == DNA_ORACLE_INITIATING ? conn->sent_id
              : conn->ids                         ? conn->ids->text : NULL;
    key->next = conn->oracle->keys;
    conn->oracle->keys = key;
    if (!peer || !iut) {
        conn->tx_unsure = true;
        return;
    }
    w = initiating(conn, peer, iut);
    look_at_clock(w);
    w->asked = true;
    evutil_gettimeofday(&w->since, NULL);
    oracle_out1(w, node, dialback_initiating_O_send_key);
}

static void sent_result(struct dna_oracle_conn *conn, const char *peer, const char *iut,
                        const char *type)
{
    struct oracle_walk *w;
    struct oracle_facts f = { 0 };

    if (!peer || !iut) {
        conn->oracle->deaf = true;
        return;
    }
    w = initiating(conn, peer, iut);
    look_at_clock(w);
    FACT(&f, dialback_initiating, asked_here, w->asked ? YES : NO);
    if (same(type, "valid")) {
        oracle_event(w, dialback_initiating_E_RX_VALID, &f);
        if (w->asked)
            prove(conn, peer, iut, association_E_DIALBACK_GRANTED, false);
    } else if (same(type, "invalid")) {
        oracle_event(w, dialback_initiating_E_RX_INVALID, &f);
    } else if (same(type, "error")) {
        oracle_event(w, dialback_initiating_E_RX_ERROR, &f);
    } else {
        oracle_event(w, dialback_initiating_E_RX_OTHER_TYPE, NULL);
    }
}

/* ---- the IUT as Authoritative Server ---- */

/* A key is right for the pair and stream id that it was made for. Whether one that was made for
 * something else may be right as well is the server's own secret. */
static uint32_t key_right(const struct dna_oracle *o, const char *peer, const char *iut,
                          const char *id, const char *key)
{
    uint32_t right = NO;

    for (const struct oracle_word *k = o->keys; k; k = k->next) {
        if (!same(k->text, key))
            continue;
        if (same(k->peer, peer) && same(k->iut, iut) && same(k->id, id))
            return YES;
        right = OPEN;
    }
    return right;
}

static void sent_question(struct dna_oracle_conn *conn, const char *peer, const char *iut,
                          const char *id, const char *key)
{
    struct oracle_walk *w;
    struct oracle_facts f = { 0 };

    if (!peer || !iut || !id || !*id) {
        conn->fuzzy = true;
        return;
    }
    w = find(conn, &dna_machine_dialback_authoritative, peer, iut, id);
    if (!w) {
        w = oracle_walk_new(conn, &dna_machine_dialback_authoritative);
        w->peer = peer;
        w->iut = iut;
        w->id = id;
    }
    w->seq = ++conn->oracle->seq;
    FACT(&f, dialback_authoritative, addressed, YES);
    FACT(&f, dialback_authoritative, id_given, YES);
    FACT(&f, dialback_authoritative, hosted, oracle_hosted(conn->oracle, iut));
    FACT(&f, dialback_authoritative, key_right, key_right(conn->oracle, peer, iut, id, key));
    oracle_event(w, dialback_authoritative_E_RX_VERIFY, &f);
}

/* a barrier is answered in order: what was asked before it has been answered, or never will be */
static void settle_before(struct dna_oracle_conn *conn, unsigned seq)
{
    for (struct oracle_walk *w = conn->walks; w; w = w->next)
        if (w->machine == &dna_machine_dialback_authoritative && w->seq && w->seq < seq)
            oracle_settle(w);
}

static void got_answer(struct dna_oracle_conn *conn, const struct dna_xnode *node, const char *peer,
                       const char *iut, const char *id, const char *type)
{
    static const char *const no_errors[] = { "send_verify_valid", "send_verify_invalid", NULL };
    struct oracle_walk *w = find(conn, &dna_machine_dialback_authoritative, peer, iut, id);

    if (!w) {
        if (conn->fuzzy || !peer || !iut || !id)
            return;
        w = oracle_walk_new(conn, &dna_machine_dialback_authoritative);
        w->peer = peer;
        w->iut = iut;
        w->id = id;
    }
    if (same(type, "valid"))
        oracle_out1(w, node, dialback_authoritative_O_send_verify_valid);
    else if (same(type, "invalid"))
        got_invalid(w, node, dialback_authoritative_O_send_verify_invalid);
    else if (same(type, "error"))
        oracle_out_like(w, node, "send_", no_errors);
    if (id && strncmp(id, "barrier-", 8) == 0) /* an error may lack it */
        settle_before(conn, w->seq);
}

/* ---- both ways ---- */

void oracle_dialback_sent(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    struct dna_pool *pool = conn->oracle->pool;
    const char *peer = oracle_domain(pool, dna_xnode_attr_value(node, "from"));
    const char *iut = oracle_domain(pool, dna_xnode_attr_value(node, "to"));
    const char *type = dna_xnode_attr_value(node, "type"), *id = dna_xnode_attr_value(node, "id");
    const char *text = dna_xnode_text(pool, node);

    if (strcmp(node->local, "result") == 0) {
        if (type)
            sent_result(conn, peer, iut, type);
        else
            sent_key(conn, peer, iut, text);
    } else if (strcmp(node->local, "verify") == 0) {
        if (type)
            sent_answer(conn, peer, iut, id, type);
        else
            sent_question(conn, peer, iut, id, text);
    }
}

void oracle_dialback_got(struct dna_oracle_conn *conn, const struct dna_xnode *node)
{
    struct dna_pool *pool = conn->oracle->pool;
    const char *iut = oracle_domain(pool, dna_xnode_attr_value(node, "from"));
    const char *peer = oracle_domain(pool, dna_xnode_attr_value(node, "to"));
    const char *type = dna_xnode_attr_value(node, "type"), *id = dna_xnode_attr_value(node, "id");

    id = id ? dna_pool_strdup(pool, id) : NULL; /* nodes may go before the oracle does */
    if (strcmp(node->local, "result") == 0) {
        if (type)
            got_result(conn, node, peer, iut, type);
        else
            got_key(conn, node, peer, iut);
    } else if (strcmp(node->local, "verify") == 0) {
        if (type)
            got_answer(conn, node, peer, iut, id, type);
        else
            got_question(conn, node, peer, iut, id);
    }
}
