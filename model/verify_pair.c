/* SPDX-License-Identifier: MIT */
/*
 * verify_pair.c -- pairs and their association machines in the composition, as impl/s2s_pair.c
 * has them.
 *
 *   association  deliver        > the stanza is accepted (DELIVER)
 *                transmit       > the first stanza of the pair's route goes out (TRANSMIT)
 *                hold           > it stays in the route
 *                release_queue  > the route uses this pair, if it has none or stanzas wait
 *                error_*        > a stream error; end_stream > the stream machine END
 * A stanza of a pair that the stream does not know is judged by an association made for it alone.
 */
#include "model/verify_internal.h"

#include <string.h>

struct vf_ref dna_vf_at(struct vf *x, unsigned e, unsigned place)
{
    const struct vf_place *p = &x->config->places[dna_vf_slots[e].server][place];
    return (struct vf_ref){ e, (int)place, p->ours, p->theirs, &x->w.end[e].pair[place] };
}

struct vf_ref dna_vf_find(struct vf *x, unsigned e, unsigned ours, unsigned theirs)
{
    int place = dna_vf_place(x, dna_vf_slots[e].server, ours, theirs);
    struct vf_ref r = { e, place, (uint8_t)ours, (uint8_t)theirs, NULL };
    if (place >= 0 && (x->w.end[e].pair[place].flags & VF_KNOWN)) {
        r.p = &x->w.end[e].pair[place];
    }
    return r;
}

/* p stays NULL for pairs that the configuration leaves out. */
struct vf_ref dna_vf_get(struct vf *x, unsigned e, unsigned ours, unsigned theirs)
{
    struct vf_ref r = dna_vf_find(x, e, ours, theirs);
    if (!r.p && r.place >= 0) {
        r.p = &x->w.end[e].pair[r.place];
        r.p->flags |= VF_KNOWN;
    }
    return r;
}

struct vf_ref dna_vf_scratch(unsigned e, unsigned ours, unsigned theirs, struct vf_pair *memory)
{
    memset(memory, 0, sizeof *memory); /* NONE, UNPROVEN and IDLE are the first states */
    return (struct vf_ref){ e, -1, (uint8_t)ours, (uint8_t)theirs, memory };
}

bool dna_vf_takes(const struct vf_pair *p)
{
    return p->as == association_S_TAKES || p->as == association_S_BOTH;
}

bool dna_vf_target_taken(const struct vf *x, unsigned e, unsigned theirs)
{
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        const struct vf_pair *p = &x->w.end[e].pair[i];
        if (x->config->places[dna_vf_slots[e].server][i].theirs == theirs &&
            (p->flags & VF_KNOWN) && dna_vf_takes(p)) {
            return true;
        }
    }
    return false;
}

/* What is crossing: a stanza of theirs (about names its own pair), or one of ours. */
struct crossing {
    struct vf_ref r, about;
    bool moved;
};

static void transmit(struct vf *x, struct crossing *c)
{
    struct vf_route *route = dna_vf_route(x, c->r);
    if (!route || !route->queued) {
        return;
    }
    route->queued = 0;
    dna_vf_send(x, c->r.e,
                (struct vf_msg){ .type = VF_T_STANZA, .from = c->r.ours, .to = c->r.theirs });
    dna_vf_observe_pair(x, VF_W_TRANSMIT, c->r);
    c->moved = true;
}

static void out(struct vf *x, struct crossing *c, unsigned what)
{
    struct vf_route *route = dna_vf_route(x, c->r);
    switch (what) {
    case association_O_deliver:
        dna_vf_observe_pair(x, VF_W_DELIVER, c->about);
        break;
    case association_O_transmit:
        transmit(x, c);
        break;
    case association_O_hold:
        c->moved = false;
        break;
    case association_O_release_queue:
        if (route && (!route->via || route->queued)) {
            dna_vf_route_use(x, c->r);
        }
        break;
    case association_O_end_stream:
        dna_vf_end_stream(x, c->r.e);
        break;
    default:
        dna_vf_send(x, c->r.e,
                    (struct vf_msg){ .type = VF_T_ERROR, .from = VF_NOBODY, .to = VF_NOBODY });
    }
}

static void run(struct vf *x, struct crossing *c, uint32_t on,
                const struct association_facts *facts)
{
    struct dna_effects fx;
    bool before = dna_vf_takes(c->r.p);
    dna_vf_step1(x, c->r.e, &dna_machine_association, &c->r.p->as, on, facts, &fx);
    if (!before && dna_vf_takes(c->r.p) && c->r.place >= 0) {
        struct vf_look l;
        dna_vf_look(x, c->r, &l);
        l.by_external =
            on == association_E_EXTERNAL_ACCEPTED || on == association_E_EXTERNAL_GRANTED;
        dna_vf_observe(x, VF_W_ACCEPT, &l);
    }
    for (unsigned i = 0; i < fx.num_outs; i++) {
        out(x, c, fx.outs[i]);
    }
}

void dna_vf_pair_event(struct vf *x, struct vf_ref r, uint32_t on)
{
    struct crossing c = { r, r, false };
    struct association_facts facts = { .addressed = 1,
                                       .hosted = dna_vf_hosts(x, r.e, r.ours),
                                       .dialled = dna_vf_is_dialled(x, r.e, r.theirs),
                                       .validating = dna_vf_validating(x) };
    enum dna_vf_verdict v = dna_vf_weigh(x, r.e, r.theirs);
    facts.peer_proved = v == VF_PROVED;
    facts.peer_refuted = v == VF_REFUTED;
    run(x, &c, on, &facts);
}

static void quietly(struct vf *x, struct vf_ref r, uint32_t on)
{
    struct crossing c = { r, r, false };
    const struct association_facts facts = { 0 };
    run(x, &c, on, &facts);
}

void dna_vf_flows(struct vf *x, unsigned e)
{
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        struct vf_ref r = dna_vf_at(x, e, i);
        if (r.p->flags & VF_KNOWN) {
            dna_vf_pair_event(x, r, association_E_STREAM_FLOWS);
        }
    }
}

void dna_vf_pair_secured(struct vf *x, struct vf_ref r)
{
    const struct dialback_receiving_facts none = { 0 };
    dna_vf_receiving_event(x, r, dialback_receiving_E_STREAM_SECURED, &none, 0);
    dna_vf_initiating_event(x, r, dialback_initiating_E_STREAM_SECURED, true);
    quietly(x, r, association_E_STREAM_SECURED);
    dna_vf_route_lost(x, r);
}

void dna_vf_pair_gone(struct vf *x, struct vf_ref r)
{
    const struct dialback_receiving_facts none = { 0 };
    if (r.p->flags & VF_ASKED) {
        unsigned asker = dna_vf_asker(x, &r);
        dna_vf_question_end(r.p);
        dna_vf_questions_done(x, asker);
    }
    r.p->flags &= (uint16_t)~VF_WAITING;
    dna_vf_receiving_event(x, r, dialback_receiving_E_STREAM_GONE, &none, 0);
    dna_vf_initiating_event(x, r, dialback_initiating_E_STREAM_GONE, true);
    quietly(x, r, association_E_STREAM_GONE);
    dna_vf_route_lost(x, r);
}

bool dna_vf_transmit(struct vf *x, struct vf_ref r)
{
    struct crossing c = { r, r, false };
    const struct association_facts facts = { .addressed = 1, .hosted = 1 };
    run(x, &c, association_E_TX_STANZA, &facts);
    return c.moved;
}

void dna_vf_stanza(struct vf *x, unsigned e, unsigned from, unsigned to)
{
    struct vf_pair memory;
    struct vf_ref known = dna_vf_find(x, e, to, from);
    struct vf_ref about = known.p ? known : dna_vf_scratch(e, to, from, &memory), r = about;
    if (x->does & VF_BUGGY_STREAM) { /* planted: whoever proved one pair may send for all */
        for (unsigned i = 0; i < VF_PAIRS; i++) {
            r = dna_vf_takes(&x->w.end[e].pair[i]) ? dna_vf_at(x, e, i) : r;
        }
    }
    for (unsigned i = 0; (x->does & VF_BUGGY_NAMES) && i < VF_PAIRS; i++) { /* planted: whoever the
                                                        certificate names as well may send, too */
        r = dna_vf_takes(&x->w.end[e].pair[i]) && dna_vf_proves(x, e, from) ? dna_vf_at(x, e, i)
                                                                            : r;
    }
    struct crossing c = { r, about, false };
    struct association_facts facts = { .addressed = 1,
                                       .hosted = dna_vf_hosts(x, e, to),
                                       .sender_taken = dna_vf_target_taken(x, e, from) };
    run(x, &c, association_E_RX_STANZA, &facts);
}
