/* SPDX-License-Identifier: MIT */
/*
 * verify_settle.c -- liveness as bounded response: what becomes of a world in which nobody acts any
 * more.
 *
 * From every reachable state the network delivers, questions that nobody answers fail, and timers
 * run out, at most LONGEST times, never a user and never the attacker.  What is left must be quiet.
 */
#include "model/verify_internal.h"

enum { LONGEST = 96 };

static bool pair_waits(const struct vf_pair *p)
{
    return (p->flags & (VF_ASKED | VF_WAITING)) || p->dr == dialback_receiving_S_VERIFYING ||
           p->dr == dialback_receiving_S_WEIGHING || p->di == dialback_initiating_S_REQUESTED;
}

bool dna_vf_opening(const struct vf *x, unsigned e)
{
    return (x->w.end[e].flags & VF_HANDSHAKE) ||
           x->w.end[e].m != (dna_vf_slots[e].initiating ? (uint8_t)stream_initiating_S_READY
                                                        : (uint8_t)stream_receiving_S_OPEN);
}

static bool end_waits(const struct vf *x, unsigned e)
{
    const struct vf_end *end = &x->w.end[e];
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        if (pair_waits(&end->pair[i])) {
            return true;
        }
    }
    return dna_vf_opening(x, e) || (end->flags & (VF_CLOSING | VF_HELD));
}

bool dna_vf_quiet(const struct vf *x)
{
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        if (x->w.in[e].num || ((x->w.end[e].flags & VF_LIVE) && end_waits(x, e))) {
            return false;
        }
    }
    for (unsigned i = 0; i < 2 * VF_PAIRS; i++) {
        const struct vf_route *r = &x->w.route[i / VF_PAIRS][i % VF_PAIRS];
        if (r->queued || r->pending) {
            return false;
        }
    }
    return true;
}

static bool pair_timer(struct vf *x, unsigned e, struct vf_move *move)
{
    const struct vf_end *end = &x->w.end[e];
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        const struct vf_pair *p = &end->pair[i];
        move->m.what = (uint8_t)i;
        if (p->flags & VF_ASKED) {
            move->kind = VF_M_VERIFY_TIMER;
            return true;
        }
        if (p->di == dialback_initiating_S_REQUESTED) {
            move->kind = VF_M_RESULT_TIMER;
            return true;
        }
        if (p->flags & VF_WAITING) {
            move->kind = VF_M_SETTLE;
            move->m.what = x->config->places[dna_vf_slots[e].server][i].theirs;
            return true;
        }
    }
    return false;
}

static bool end_timer(struct vf *x, unsigned e, struct vf_move *move)
{
    const struct vf_end *end = &x->w.end[e];
    bool initiating = dna_vf_slots[e].initiating;
    if (end->flags & VF_CLOSING) {
        move->kind = VF_M_CLOSE_TIMER;
    } else if (initiating && end->re == resolution_S_ASKED_SRV) {
        move->kind = VF_M_NO_DNS;
    } else if (initiating && end->re == resolution_S_CONNECTING) {
        move->kind = VF_M_NO_CONNECT;
    } else if (end->flags & VF_HELD) {
        move->kind = VF_M_SETTLE;
        move->m.what = end->theirs;
    } else {
        move->kind = VF_M_NEGOTIATION;
    }
    return true;
}

static bool next_timer(struct vf *x, unsigned round, struct vf_move *move)
{
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        if (x->w.in[e].num && !(x->w.end[e].flags & VF_HELD)) {
            *move = (struct vf_move){ .kind = VF_M_DELIVER, .e = (uint8_t)e };
            return true;
        }
    }
    for (unsigned n = 0; n < VF_SLOTS;
         n++) { /* round robin, so that no timer waits for another for ever */
        unsigned e = (n + round) % VF_SLOTS;
        *move = (struct vf_move){ .e = (uint8_t)e };
        if (!(x->w.end[e].flags & VF_LIVE) || !end_waits(x, e)) {
            continue;
        }
        if (pair_timer(x, e, move) || end_timer(x, e, move)) {
            return true;
        }
    }
    return false;
}

static bool established(const struct vf *x)
{
    for (unsigned i = 0; i < 2 * VF_PAIRS; i++) {
        const struct vf_route *r = &x->w.route[i / VF_PAIRS][i % VF_PAIRS];
        if (r->queued || r->pending) {
            return false;
        }
        if (r->via) {
            uint8_t as = x->w.end[r->via - 1].pair[i % VF_PAIRS].as;
            if (as != association_S_GIVES && as != association_S_BOTH) {
                return false;
            }
        }
    }
    return true;
}

static bool still(struct vf *x)
{
    static struct vf_move moves[VF_MAX_MOVES];
    for (size_t i = 0, num = dna_vf_moves(x, moves); i < num; i++) {
        if (moves[i].kind != VF_M_SEND) {
            return false;
        }
    }
    return true;
}

void dna_vf_settles(struct vf *x)
{
    struct vf_look l = { 0 };
    struct vf_move move;
    if ((x->does & VF_HONEST) && still(x)) {
        l.established = established(x);
        dna_vf_observe(x, VF_W_STILL, &l);
    }
    uint64_t broken =
        x->broken; /* what breaks on the way is a finding of the state that it breaks in */
    uint8_t *fired = x->fired;
    FILE *say = x->say;
    x->fired = NULL;
    for (unsigned n = 0; n < LONGEST && !dna_vf_quiet(x) && next_timer(x, n, &move); n++) {
        dna_vf_apply(x, &move);
    }
    x->fired = fired;
    x->say = say;
    x->broken = broken;
    l.quiet = dna_vf_quiet(x);
    dna_vf_observe(x, VF_W_SETTLED, &l);
}
