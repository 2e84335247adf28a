/* SPDX-License-Identifier: MIT */
/*
 * verify_dialback.c -- dialback in the composition, as impl/s2s_dialback.c and s2s_verify.c have
 * it.
 *
 *   dialback_initiating  send_key        > db:result with K(ours, theirs, id of the stream) (KEY)
 *                        grant_pair      > association DIALBACK_GRANTED (GRANT)
 *                        bounce_*        > the route that used the pair is emptied
 *                        open_own_stream > the route gets a stream of its own
 *                        end_stream      > the stream machine END
 *   dialback_receiving   send_valid      > db:result valid (ANSWER); the other send_* > invalid
 *                            or error
 *                        dial_authority  > a question on the asking stream of the pair, dialled
 *                            if there is none
 *                        await_proof     > PROOF_SETTLED when the proof of the sender is in
 *                        drop_question   > the question ends; its stream is told
 *                            VERIFICATION_DONE or NOT_WANTED
 *                        accept_pair     > association DIALBACK_ACCEPTED
 *   dialback_authoritative send_*        > db:verify valid (VOUCH), invalid or error
 *   an answer to db:verify              > the pair whose question has its from, to and id;
 *                            asked_here: on the stream that the question went out on
 *   a typed db:result                   > the pair on this stream, else the pair that the route
 *                            uses
 */
#include "model/verify_internal.h"

/* --- initiating --- */

static void bounce(struct vf *x, struct vf_ref r)
{
    struct vf_route *route = dna_vf_route(x, r);
    if (route && route->via == r.e + 1) {
        route->via = 0;
        dna_vf_route_bounced(x, dna_vf_slots[r.e].server, (unsigned)r.place);
    }
}

static void send_key(struct vf *x, struct vf_ref r)
{
    uint8_t key = dna_vf_key(x, r.e, r.ours, r.theirs, x->w.end[r.e].id);
    dna_vf_observe_pair(x, VF_W_KEY, r);
    dna_vf_send(x, r.e,
                (struct vf_msg){ .type = VF_T_KEY, .from = r.ours, .to = r.theirs, .key = key });
    r.p->flags = (uint16_t)((r.p->flags | VF_G_KEYED) & ~VF_G_ANSWERED);
}

static void end_stream(struct vf *x, struct vf_ref r, bool error, bool count)
{
    struct vf_look l;
    dna_vf_look(x, r, &l);
    l.error = error;
    l.others = count ? l.others : 0;
    dna_vf_observe(x, VF_W_ERROR, &l);
    dna_vf_end_stream(x, r.e);
}

static void initiating_out(struct vf *x, struct vf_ref r, unsigned out, uint32_t on)
{
    struct vf_route *route = dna_vf_route(x, r);
    switch (out) {
    case dialback_initiating_O_send_key:
        send_key(x, r);
        break;
    case dialback_initiating_O_grant_pair:
        dna_vf_observe_pair(x, VF_W_GRANT, r);
        dna_vf_pair_event(x, r, association_E_DIALBACK_GRANTED);
        break;
    case dialback_initiating_O_bounce_internal_error:
    case dialback_initiating_O_bounce_timeout:
        bounce(x, r);
        break;
    case dialback_initiating_O_end_stream:
        end_stream(x, r, on == dialback_initiating_E_RX_ERROR, false);
        break;
    case dialback_initiating_O_open_own_stream:
        if (route && route->via == r.e + 1) {
            dna_vf_route_open_own(x, dna_vf_slots[r.e].server, (unsigned)r.place);
        }
        break;
    default:
        break;
    }
}

/* What an answer may change that nobody asked for: nothing. */
struct before {
    uint8_t as, dr, di;
    uint16_t ends;
};

static struct before before(const struct vf *x, struct vf_ref r)
{
    return (struct before){ r.p->as, r.p->dr, r.p->di,
                            x->w.end[r.e].flags & (VF_CLOSING | VF_DROPPED) };
}

static void observe_unasked(struct vf *x, struct vf_ref r, struct before was)
{
    struct before is = before(x, r);
    struct vf_look l = { .changed = was.as != is.as || was.dr != is.dr || was.di != is.di ||
                                    was.ends != is.ends };
    dna_vf_observe(x, VF_W_UNASKED, &l);
}

static void on_answer(struct vf *x, struct vf_ref r, uint32_t on, bool here)
{
    bool asked = here && (r.p->flags & (VF_G_KEYED | VF_G_ANSWERED)) == VF_G_KEYED;
    struct before was = before(x, r);
    r.p->flags |= asked ? VF_G_ANSWERED : 0;
    dna_vf_initiating_event(x, r, on, here);
    if (!asked) {
        observe_unasked(x, r, was);
    }
}

void dna_vf_initiating_event(struct vf *x, struct vf_ref r, uint32_t on, bool here)
{
    const struct vf_end *end = &x->w.end[r.e];
    bool own = dna_vf_slots[r.e].initiating && r.ours == end->ours && r.theirs == end->theirs;
    struct dialback_initiating_facts facts = { .asked_here = here, .shared = !own };
    struct dna_effects fx;
    dna_vf_step1(x, r.e, &dna_machine_dialback_initiating, &r.p->di, on, &facts, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++) {
        initiating_out(x, r, fx.outs[i], on);
    }
}

void dna_vf_request(struct vf *x, struct vf_ref r)
{
    dna_vf_initiating_event(x, r, dialback_initiating_E_REQUEST, true);
}

static void on_result(struct vf *x, unsigned e, const struct vf_msg *m)
{
    static const uint8_t events[] = { dialback_initiating_E_RX_VALID,
                                      dialback_initiating_E_RX_INVALID,
                                      dialback_initiating_E_RX_ERROR };
    struct vf_pair memory;
    struct vf_ref r = dna_vf_find(x, e, m->to, m->from);
    if (!r.p && r.place >= 0) {
        const struct vf_route *route = &x->w.route[dna_vf_slots[e].server][r.place];
        if (route->via) { /* put to the pair that asked on another stream, as such */
            r = dna_vf_at(x, route->via - 1u, (unsigned)r.place);
        }
    }
    if (!r.p && (x->does & VF_BUGGY_RESULT)) { /* planted */
        r = dna_vf_get(x, e, m->to, m->from);
    }
    bool known = r.p != NULL;
    if (!known) {
        r = dna_vf_scratch(e, m->to, m->from, &memory);
    }
    bool here = known && r.e == e;
    if (here && m->what == 0 && (r.p->flags & VF_G_KEYED)) {
        r.p->flags |= VF_G_GRANTED;
    }
    on_answer(x, r, events[m->what], here);
}

/* --- questions --- */

unsigned dna_vf_asker(const struct vf *x, const struct vf_ref *r)
{
    if ((x->does & VF_BUGGY_ASKER) && x->w.end[r->e].s[VF_S_bidi]) { /* planted */
        return r->e;
    }
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        const struct vf_slot_info *slot = &dna_vf_slots[e];
        if (slot->server == dna_vf_slots[r->e].server && slot->initiating && !slot->for_stanzas &&
            slot->ours == r->ours && slot->theirs == r->theirs && (x->config->slots & 1u << e)) {
            return e;
        }
    }
    return VF_NO_SLOT;
}

/* Calls each pair that has a question on this asking stream; stops when `visit` says so. */
static bool each_question(struct vf *x, unsigned asker,
                          bool (*visit)(struct vf *x, struct vf_ref r, uint32_t arg), uint32_t arg)
{
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        for (unsigned i = 0; i < VF_PAIRS; i++) {
            struct vf_ref r = dna_vf_at(x, e, i);
            if ((r.p->flags & VF_ASKED) && dna_vf_asker(x, &r) == asker && visit(x, r, arg)) {
                return true;
            }
        }
    }
    return false;
}

static bool any(struct vf *x, struct vf_ref r, uint32_t arg)
{
    (void)x;
    (void)r;
    (void)arg;
    return true;
}

bool dna_vf_asks(const struct vf *x, unsigned asker)
{
    return each_question((struct vf *)x, asker, any, 0); /* `any` changes nothing */
}

void dna_vf_question_end(struct vf_pair *p)
{
    p->flags &= (uint16_t) ~(VF_ASKED | VF_SENT);
    p->qid = p->qkey = 0;
}

void dna_vf_questions_done(struct vf *x, unsigned asker)
{
    const struct vf_end *end = &x->w.end[asker];
    struct stream_initiating_facts facts = { .more_pending = dna_vf_asks(x, asker) };
    if (!(end->flags & VF_LIVE) || (end->flags & VF_DROPPED) || !dna_vf_slots[asker].initiating) {
        return;
    }
    if (end->flags & VF_READY) {
        dna_vf_initiating(x, asker, stream_initiating_E_VERIFICATION_DONE, &facts);
    } else if (!facts.more_pending) {
        dna_vf_initiating(x, asker, stream_initiating_E_NOT_WANTED, &facts);
    }
}

static void put_question(struct vf *x, struct vf_ref r)
{
    unsigned asker = dna_vf_asker(x, &r);
    struct vf_look l;
    dna_vf_look(x, r, &l);
    l.secured = x->w.end[asker].cert != VF_CERT_NONE;
    l.resolved = dna_vf_slots[asker].initiating && dna_vf_slots[asker].theirs == r.theirs;
    l.itself = asker == r.e;
    r.p->flags |= VF_SENT;
    dna_vf_send(
        x, asker,
        (struct vf_msg){
            .type = VF_T_ASK, .from = r.ours, .to = r.theirs, .id = r.p->qid, .key = r.p->qkey });
    dna_vf_observe(x, VF_W_ASK, &l);
}

static bool ask_one(struct vf *x, struct vf_ref r, uint32_t arg)
{
    (void)arg;
    unsigned asker = dna_vf_asker(x, &r);
    const struct vf_end *there = &x->w.end[asker], *here = &x->w.end[r.e];
    bool refuted,
        same = there->cert == here->cert && there->cert != VF_CERT_NONE &&
               dna_vf_far_server(x, asker) == dna_vf_far_server(x, r.e) &&
               (there->cert == VF_CERT_JUNK || dna_vf_truly_proved(x, asker, r.theirs, &refuted));
    struct dialback_receiving_facts facts = { .same_certificate = same };
    if (r.p->flags & VF_SENT) {
        return false;
    }
    if (there->s[VF_S_secured]) {
        dna_vf_receiving_event(x, r, dialback_receiving_E_AUTHORITY_SECURED, &facts, 0);
    }
    if (r.p->flags & VF_ASKED) {
        put_question(x, r);
    }
    return false;
}

void dna_vf_questions_send(struct vf *x, unsigned asker)
{
    each_question(x, asker, ask_one, 0);
    if (!dna_vf_asks(x, asker)) {
        dna_vf_questions_done(x, asker);
    }
}

static bool fail_one(struct vf *x, struct vf_ref r, uint32_t how)
{
    const struct dialback_receiving_facts none = { 0 };
    dna_vf_question_end(r.p);
    dna_vf_receiving_event(x, r, how, &none, 0);
    return false;
}

void dna_vf_questions_failed(struct vf *x, unsigned asker, uint32_t how)
{
    if (!dna_vf_slots[asker].for_stanzas) {
        each_question(x, asker, fail_one, how);
    }
}

static void ask(struct vf *x, struct vf_ref r, uint8_t key)
{
    unsigned asker = dna_vf_asker(x, &r);
    const struct dialback_receiving_facts none = { 0 };
    if (asker == VF_NO_SLOT || r.place < 0) {
        dna_vf_receiving_event(x, r, dialback_receiving_E_AUTHORITY_NOT_FOUND, &none, 0);
        return;
    }
    if (asker == r.e &&
        !(x->does & VF_BUGGY_ASKER)) { /* another stream is opened, which is beyond the bounds */
        dna_vf_receiving_event(x, r, dialback_receiving_E_AUTHORITY_UNREACHABLE, &none, 0);
        return;
    }
    struct vf_end *end = &x->w.end[asker];
    if ((end->flags & (VF_DROPPED | VF_CLOSING)) &&
        asker != r.e) { /* a new stream takes the slot of the old */
        dna_vf_drop(x, asker);
        dna_vf_questions_failed(x, asker, dialback_receiving_E_AUTHORITY_UNREACHABLE);
        end->flags = 0;
    }
    bool fresh = !(end->flags & VF_LIVE);
    r.p->flags = (uint16_t)((r.p->flags & ~VF_SENT) | VF_ASKED);
    r.p->qid = x->w.end[r.e].id;
    r.p->qkey = key;
    if (fresh) {
        dna_vf_end_init(x, asker);
        dna_vf_dial(x, asker);
    } else if ((end->flags & VF_READY) || asker == r.e) {
        dna_vf_questions_send(x, asker);
    }
}

static struct vf_ref question_find(struct vf *x, unsigned e, const struct vf_msg *m)
{
    for (unsigned i = 0; i < VF_SLOTS; i++) {
        struct vf_ref r = dna_vf_find(x, i, m->to, m->from);
        if (dna_vf_slots[i].server == dna_vf_slots[e].server && r.p && (r.p->flags & VF_ASKED) &&
            r.p->qid == m->id) {
            return r;
        }
    }
    return (struct vf_ref){ .p = NULL };
}

/* Planted: the pair is found by the stream that the id names, whether a question is out or not. */
static struct vf_ref pair_of_id(struct vf *x, unsigned e, const struct vf_msg *m)
{
    for (unsigned i = 0; i < VF_SLOTS; i++) {
        if (dna_vf_slots[i].server == dna_vf_slots[e].server && !dna_vf_slots[i].initiating &&
            (x->w.end[i].flags & VF_LIVE) && x->w.end[i].id == m->id) {
            return dna_vf_get(x, i, m->to, m->from);
        }
    }
    return (struct vf_ref){ .p = NULL };
}

static void on_verdict(struct vf *x, unsigned e, const struct vf_msg *m)
{
    static const uint8_t events[] = { dialback_receiving_E_RX_VERIFY_VALID,
                                      dialback_receiving_E_RX_VERIFY_INVALID,
                                      dialback_receiving_E_RX_VERIFY_ERROR };
    struct dialback_receiving_facts facts = { 0 };
    struct vf_pair memory;
    struct vf_ref r = question_find(x, e, m);
    if (!r.p) {
        r = x->does & VF_BUGGY_ANSWER ? pair_of_id(x, e, m) : r;
        r = r.p ? r : dna_vf_scratch(e, m->to, m->from, &memory);
    }
    struct before was = before(x, r);
    if (!(r.p->flags & VF_ASKED)) {
        dna_vf_receiving_event(x, r, events[m->what], &facts, 0);
        observe_unasked(x, r, was);
        return;
    }
    facts.asked_here = dna_vf_asker(x, &r) == e && (r.p->flags & VF_SENT);
    if (facts.asked_here && m->what == 0 && dna_vf_slots[e].initiating &&
        dna_vf_slots[e].theirs == m->from && x->w.end[r.e].id == m->id) {
        r.p->flags |= VF_G_VOUCHED;
    }
    if (facts.asked_here) {
        dna_vf_question_end(r.p);
    }
    dna_vf_receiving_event(x, r, events[m->what], &facts, 0);
    if (facts.asked_here) {
        dna_vf_questions_done(x, e);
    } else {
        observe_unasked(x, r, was);
    }
}

/* --- receiving --- */

static void answer(struct vf *x, struct vf_ref r, uint8_t what)
{
    if (what == 0) {
        dna_vf_observe_pair(x, VF_W_ANSWER, r);
    } else {
        r.p->flags &= (uint16_t)~VF_G_REQUESTED; /* the request is over */
    }
    dna_vf_send(
        x, r.e,
        (struct vf_msg){ .type = VF_T_RESULT, .from = r.ours, .to = r.theirs, .what = what });
}

static void await_proof(struct vf *x, struct vf_ref r, uint8_t key)
{
    r.p->said = key;
    if (dna_vf_seek(x, r.e, r.theirs)) {
        r.p->flags |= VF_WAITING;
    } else {
        dna_vf_proof_settled(x, r);
    }
}

/* What was sought for nothing is not kept: s2s_claim.c, dna_s2s_claim_done(). */
static void claim_done(struct vf *x, struct vf_ref r)
{
    struct vf_end *end = &x->w.end[r.e];
    bool kept = dna_vf_is_dialled(x, r.e, r.theirs) || dna_vf_target_taken(x, r.e, r.theirs) ||
                (!dna_vf_slots[r.e].initiating && end->theirs == r.theirs);
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        kept =
            kept || (dna_vf_at(x, r.e, i).theirs == r.theirs && (end->pair[i].flags & VF_WAITING));
    }
    if (!kept && r.theirs < VF_DOMAINS) {
        end->sought &= (uint8_t) ~(1u << r.theirs);
        end->settled &= (uint8_t) ~(1u << r.theirs);
    }
}

static void receiving_out(struct vf *x, struct vf_ref r, unsigned out, uint32_t on, uint8_t key)
{
    unsigned asker;
    switch (out) {
    case dialback_receiving_O_send_valid:
        answer(x, r, 0);
        break;
    case dialback_receiving_O_send_invalid:
        answer(x, r, 1);
        break;
    case dialback_receiving_O_end_stream:
        end_stream(x, r, on != dialback_receiving_E_RX_VERIFY_INVALID, true);
        break;
    case dialback_receiving_O_dial_authority:
        ask(x, r, key);
        break;
    case dialback_receiving_O_await_proof:
        await_proof(x, r, key);
        break;
    case dialback_receiving_O_drop_question:
        asker = dna_vf_asker(x, &r);
        if (r.p->flags & VF_ASKED) {
            dna_vf_question_end(r.p);
            dna_vf_questions_done(x, asker);
        }
        break;
    case dialback_receiving_O_accept_pair:
        dna_vf_pair_event(x, r, association_E_DIALBACK_ACCEPTED);
        break;
    case dialback_receiving_O_report_unsolicited:
        break;
    default:
        answer(x, r, 2);
    }
}

void dna_vf_receiving_event(struct vf *x, struct vf_ref r, uint32_t on,
                            const struct dialback_receiving_facts *facts, uint8_t key)
{
    struct dna_effects fx;
    dna_vf_step1(x, r.e, &dna_machine_dialback_receiving, &r.p->dr, on, facts, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++) {
        receiving_out(x, r, fx.outs[i], on, key);
    }
    if (r.p->dr == dialback_receiving_S_UNPROVEN) {
        claim_done(x, r);
    }
}

static void weigh_sender(struct vf *x, unsigned e, unsigned from,
                         struct dialback_receiving_facts *facts)
{
    unsigned whom = x->does & VF_BUGGY_PROOF ? x->w.end[e].theirs : from;
    enum dna_vf_verdict v = dna_vf_weigh(x, e, whom);
    facts->sender_pending = v == VF_PENDING;
    facts->sender_proved = v == VF_PROVED;
    facts->sender_refuted = v == VF_REFUTED;
}

void dna_vf_proof_settled(struct vf *x, struct vf_ref r)
{
    struct dialback_receiving_facts facts = { .addressed = 1,
                                              .hosted = dna_vf_hosts(x, r.e, r.ours),
                                              .key_given = 1 };
    uint8_t key = r.p->said;
    r.p->said = 0;
    weigh_sender(x, r.e, r.theirs, &facts);
    dna_vf_receiving_event(x, r, dialback_receiving_E_PROOF_SETTLED, &facts, key);
}

static void on_key(struct vf *x, unsigned e, const struct vf_msg *m)
{
    struct vf_pair memory;
    bool hosted = dna_vf_hosts(x, e, m->to);
    struct dialback_receiving_facts facts = { .addressed = 1, .hosted = hosted, .key_given = 1 };
    facts.sender_pending = dna_vf_unsought(x, e, m->from);
    if (!facts.sender_pending) {
        weigh_sender(x, e, m->from, &facts);
    }
    struct vf_ref r =
        hosted ? dna_vf_get(x, e, m->to, m->from) : dna_vf_scratch(e, m->to, m->from, &memory);
    if (!r.p) {
        return; /* a pair that the configuration leaves out */
    }
    r.p->flags |= VF_G_REQUESTED;
    dna_vf_receiving_event(x, r, dialback_receiving_E_RX_KEY, &facts, m->key);
}

/* --- authoritative --- */

static void on_question(struct vf *x, unsigned e, const struct vf_msg *m)
{
    uint8_t state = dialback_authoritative_S_ANSWERING;
    struct dialback_authoritative_facts facts = {
        .addressed = 1,
        .id_given = !m->what,
        .hosted = dna_vf_hosts(x, e, m->to),
        .key_right = dna_vf_key_right(x, e, m->from, m->to, m->id, m->key, false),
    };
    struct dna_effects fx;
    dna_vf_step1(x, e, &dna_machine_dialback_authoritative, &state,
                 dialback_authoritative_E_RX_VERIFY, &facts, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++) {
        struct vf_msg a = {
            .type = VF_T_VERDICT, .from = m->to, .to = m->from, .id = m->id, .what = 2
        };
        if (fx.outs[i] == dialback_authoritative_O_send_verify_valid) {
            struct vf_look l = { .exact =
                                     dna_vf_key_right(x, e, m->from, m->to, m->id, m->key, true) };
            a.what = 0;
            dna_vf_observe(x, VF_W_VOUCH, &l);
        } else if (fx.outs[i] == dialback_authoritative_O_send_verify_invalid) {
            a.what = 1;
        }
        dna_vf_send(x, e, a);
    }
}

void dna_vf_dialback_element(struct vf *x, unsigned e, const struct vf_msg *m)
{
    if (m->type == VF_T_KEY) {
        on_key(x, e, m);
    } else if (m->type == VF_T_ASK) {
        on_question(x, e, m);
    } else if (m->type == VF_T_RESULT) {
        on_result(x, e, m);
    } else {
        on_verdict(x, e, m);
    }
}
