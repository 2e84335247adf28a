/* SPDX-License-Identifier: MIT */
/*
 * verify_route.c -- what waits for a remote domain, and how its server is found, in the
 * composition:
 * impl/s2s_route.c and s2s_resolve.c.
 *
 *   resolution            query_srv         > DNS answers, or does not, at any time
 *                         query_address, tell_endpoint > ADDRESS_FOUND, MATERIAL_IN at once:
 *                            proofs enter as verdicts
 *                         offer_address     > piggyback_supposition WANT_TARGET for each stream;
 *                            then USE_EXISTING
 *                                             and stream_initiating NOT_WANTED, or CONNECT
 *                         open_connection   > connects, or does not, at any time
 *                         report_connected  > stream_initiating TCP_UP
 *                         report_not_found, report_unreachable > questions fail, the stream is
 *                            dropped; routing
 *   piggyback_assertion   assert_on_stream  > the route uses the pair on this stream;
 *                            resolve_target > the next
 *   piggyback_supposition suppose_on_stream > likewise (SUPPOSE); open_own_stream > the next
 *   routing               bounce_*          > what waits is gone
 */
#include "model/verify_internal.h"

static const struct resolution_facts no_facts;

struct vf_route *dna_vf_route(struct vf *x, struct vf_ref r)
{
    return r.place < 0 ? NULL : &x->w.route[dna_vf_slots[r.e].server][r.place];
}

void dna_vf_route_event(struct vf *x, unsigned server, unsigned place, uint32_t on)
{
    uint8_t state = routing_S_QUEUEING;
    const struct routing_facts none = { 0 };
    struct dna_effects fx;
    unsigned e = server == VF_SA ? VF_IB : VF_BA; /* routing reads no variable of a stream */
    dna_vf_step1(x, e, &dna_machine_routing, &state, on, &none, &fx);
    if (fx.num_outs) {
        dna_vf_route_bounced(x, server, place);
    }
}

static void pump(struct vf *x, unsigned server, unsigned place)
{
    struct vf_route *route = &x->w.route[server][place];
    while (route->queued && route->via &&
           dna_vf_transmit(x, dna_vf_at(x, route->via - 1u, place))) {
    }
    if (route->queued && route->via) {
        dna_vf_request(x, dna_vf_at(x, route->via - 1u, place));
    }
}

void dna_vf_route_use(struct vf *x, struct vf_ref r)
{
    struct vf_route *route = dna_vf_route(x, r);
    if (route) {
        route->via = (uint8_t)(r.e + 1);
        route->own_only = 0;
        pump(x, dna_vf_slots[r.e].server, (unsigned)r.place);
    }
}

void dna_vf_route_lost(struct vf *x, struct vf_ref r)
{
    struct vf_route *route = dna_vf_route(x, r);
    if (route && route->via == r.e + 1) {
        route->via = 0;
        dna_vf_route_event(x, dna_vf_slots[r.e].server, (unsigned)r.place, routing_E_PAIR_LOST);
    }
}

void dna_vf_route_leave(struct vf *x, struct vf_ref r)
{
    struct vf_route *route = dna_vf_route(x, r);
    if (route && route->via == r.e + 1 && !route->queued) {
        route->via = 0;
    }
}

static unsigned own_slot(const struct vf *x, unsigned server, unsigned place)
{
    const struct vf_place *p = &x->config->places[server][place];
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        const struct vf_slot_info *slot = &dna_vf_slots[e];
        if (slot->server == server && slot->for_stanzas && slot->ours == p->ours &&
            slot->theirs == p->theirs && (x->config->slots & 1u << e)) {
            return e;
        }
    }
    return VF_NO_SLOT;
}

/* What waits returns to its senders.  Where nothing fails, and a stream may be opened for it, this
   is no end that a flow may take. */
void dna_vf_route_bounced(struct vf *x, unsigned server, unsigned place)
{
    struct vf_route *route = &x->w.route[server][place];
    const struct vf_look refused = { 0 };
    if (route->queued && (x->does & VF_HONEST) && own_slot(x, server, place) != VF_NO_SLOT) {
        dna_vf_observe(x, VF_W_STILL, &refused);
    }
    route->queued = 0;
}

static void open_stream(struct vf *x, unsigned server, unsigned place)
{
    unsigned e = own_slot(x, server, place);
    if (e == VF_NO_SLOT ||
        (x->w.end[e].flags & VF_LIVE)) { /* a second stream of the kind is beyond the bounds */
        dna_vf_route_event(x, server, place, routing_E_UNREACHABLE);
        return;
    }
    dna_vf_end_init(x, e);
    x->w.end[e].flags |= VF_ROUTE;
    x->w.route[server][place].pending = (uint8_t)(e + 1);
    dna_vf_dial(x, e);
}

void dna_vf_route_open_own(struct vf *x, unsigned server, unsigned place)
{
    struct vf_route *route = &x->w.route[server][place];
    route->via = 0;
    route->own_only = 1;
    if (!route->pending) {
        open_stream(x, server, place);
    }
}

/* --- assertion and supposition --- */

static bool leads_to(const struct vf *x, unsigned e, unsigned domain)
{
    const struct vf_end *end = &x->w.end[e];
    if (!(end->flags & VF_LIVE) || (end->flags & (VF_DROPPED | VF_CLOSING))) {
        return false;
    }
    if (dna_vf_slots[e].for_stanzas && (end->flags & VF_READY) && end->theirs == domain) {
        return true;
    }
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        const struct vf_pair *p = &end->pair[i];
        if (x->config->places[dna_vf_slots[e].server][i].theirs == domain &&
            (p->flags & VF_KNOWN) && (dna_vf_takes(p) || p->di == dialback_initiating_S_GRANTED)) {
            return true;
        }
    }
    return false;
}

static bool assert_on(struct vf *x, unsigned e, unsigned place)
{
    const struct vf_place *p = &x->config->places[dna_vf_slots[e].server][place];
    (void)dna_vf_seek(x, e, p->theirs);
    enum dna_vf_verdict v = dna_vf_weigh(x, e, p->theirs);
    struct piggyback_assertion_facts facts = {
        .target_taken = dna_vf_target_taken(x, e, p->theirs),
        .peer_proved = v == VF_PROVED,
        .contradicted = v == VF_REFUTED || v == VF_PENDING,
        .dialled = dna_vf_is_dialled(x, e, p->theirs),
        .validating = dna_vf_validating(x),
    };
    uint8_t state = piggyback_assertion_S_DECIDING;
    struct dna_effects fx;
    dna_vf_step1(x, e, &dna_machine_piggyback_assertion, &state, piggyback_assertion_E_WANT_PAIR,
                 &facts, &fx);
    bool taken_up = fx.num_outs && fx.outs[0] == piggyback_assertion_O_assert_on_stream;
    if (taken_up) {
        dna_vf_route_use(x, dna_vf_get(x, e, p->ours, p->theirs));
    }
    return taken_up;
}

static bool suppose(struct vf *x, unsigned e, unsigned place)
{
    unsigned server = dna_vf_slots[e].server;
    const struct vf_place *p = &x->config->places[server][place];
    struct vf_look l;
    struct vf_pair memory;
    struct dna_effects fx;
    uint8_t state = piggyback_supposition_S_DECIDING;
    bool same = dna_vf_resolve(x, server, p->theirs) == dna_vf_far_server(x, e);
    bool here = same && !(p->theirs == VF_D && (x->does & dna_vf_d_elsewhere_weighed));
    uint8_t sought = x->w.end[e].sought, settled = x->w.end[e].settled;
    x->w.end[e].sought |= (uint8_t)(1u << p->theirs); /* with the resolution of the target */
    x->w.end[e].settled |= (uint8_t)(1u << p->theirs);
    enum dna_vf_verdict v = here ? dna_vf_weigh(x, e, p->theirs) : VF_UNPROVED;
    struct piggyback_supposition_facts facts = { .same_endpoint = same,
                                                 .weighed_here = here,
                                                 .validating = dna_vf_validating(x),
                                                 .certificate_covers = v == VF_PROVED,
                                                 .refuted = v == VF_REFUTED };
    dna_vf_step1(x, e, &dna_machine_piggyback_supposition, &state,
                 piggyback_supposition_E_WANT_TARGET, &facts, &fx);
    if (!fx.num_outs || fx.outs[0] != piggyback_supposition_O_suppose_on_stream) {
        x->w.end[e].sought = sought;
        x->w.end[e].settled = settled;
        return false;
    }
    dna_vf_look(x, dna_vf_scratch(e, p->ours, p->theirs, &memory), &l);
    l.same_endpoint = facts.same_endpoint;
    l.covers = l.proved;
    dna_vf_observe(x, VF_W_SUPPOSE, &l);
    dna_vf_route_use(x, dna_vf_get(x, e, p->ours, p->theirs));
    return true;
}

static bool suppose_somewhere(struct vf *x, unsigned server, unsigned place, unsigned opening)
{
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        const struct vf_end *end = &x->w.end[e];
        bool candidate = dna_vf_slots[e].initiating
                             ? dna_vf_slots[e].for_stanzas && (end->flags & VF_CONNECTED) &&
                                   end->ours == x->config->places[server][place].ours
                             : end->s[VF_S_pairs_taken] > 0;
        if (e != opening && dna_vf_slots[e].server == server && (end->flags & VF_LIVE) &&
            !(end->flags & VF_DROPPED) && candidate && suppose(x, e, place)) {
            return true;
        }
    }
    return false;
}

void dna_vf_user_sends(struct vf *x, unsigned server, unsigned place)
{
    struct vf_route *route = &x->w.route[server][place];
    const struct vf_place *p = &x->config->places[server][place];
    route->queued = 1;
    if (route->via) {
        pump(x, server, place);
        return;
    }
    if (route->pending) {
        return;
    }
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        if (dna_vf_slots[e].server == server && leads_to(x, e, p->theirs) &&
            assert_on(x, e, place)) {
            return;
        }
    }
    open_stream(x, server, place);
}

/* --- resolution --- */

static void give_up(struct vf *x, unsigned e, uint32_t routing, uint32_t how)
{
    struct vf_end *end = &x->w.end[e];
    bool route = end->flags & VF_ROUTE;
    end->flags &= (uint16_t)~VF_ROUTE;
    dna_vf_questions_failed(x, e, how);
    dna_vf_drop(x, e);
    if (route) {
        unsigned server = dna_vf_slots[e].server;
        unsigned place = (unsigned)dna_vf_place(x, server, end->ours, end->theirs);
        x->w.route[server][place].pending = 0;
        dna_vf_route_event(x, server, place, routing);
    }
}

static void offer_address(struct vf *x, unsigned e)
{
    struct vf_end *end = &x->w.end[e];
    const struct stream_initiating_facts none = { 0 };
    unsigned server = dna_vf_slots[e].server;
    bool supposed = false;
    if (end->flags & VF_ROUTE) {
        unsigned place = (unsigned)dna_vf_place(x, server, end->ours, end->theirs);
        supposed = !x->w.route[server][place].own_only && suppose_somewhere(x, server, place, e);
    }
    dna_vf_dial_event(
        x, e, supposed ? (uint32_t)resolution_E_USE_EXISTING : (uint32_t)resolution_E_CONNECT,
        false);
    if (supposed) {
        dna_vf_initiating(x, e, stream_initiating_E_NOT_WANTED, &none);
    }
}

static void report_connected(struct vf *x, unsigned e)
{
    struct stream_initiating_facts facts = { .for_stanzas = dna_vf_slots[e].for_stanzas };
    x->w.end[e].flags |= VF_CONNECTED;
    if (!dna_vf_far_is_m(x, e)) {
        dna_vf_end_init(x, dna_vf_slots[e].peer);
    }
    dna_vf_initiating(x, e, stream_initiating_E_TCP_UP, &facts);
}

static void out(struct vf *x, unsigned e, unsigned what)
{
    struct vf_look l = { .unused = 0 };
    switch (what) {
    case resolution_O_query_address:
        dna_vf_dial_event(x, e,
                          x->w.end[e].ghost & VF_G_BAD_ADDRESS
                              ? (uint32_t)resolution_E_ADDRESS_BOGUS
                              : (uint32_t)resolution_E_ADDRESS_FOUND,
                          false);
        break;
    case resolution_O_query_fallback_address:
        dna_vf_dial_event(x, e, resolution_E_ADDRESS_NONE, false);
        break;
    case resolution_O_tell_endpoint:
        dna_vf_dial_event(x, e, resolution_E_MATERIAL_IN, false);
        break;
    case resolution_O_offer_address:
        offer_address(x, e);
        break;
    case resolution_O_report_connected:
        report_connected(x, e);
        break;
    case resolution_O_report_not_found:
        give_up(x, e, routing_E_NOT_FOUND, dialback_receiving_E_AUTHORITY_NOT_FOUND);
        break;
    case resolution_O_report_unreachable:
        give_up(x, e, routing_E_UNREACHABLE, dialback_receiving_E_AUTHORITY_UNREACHABLE);
        break;
    case resolution_O_open_connection:
        l.bogus = x->w.end[e].ghost & (VF_G_BOGUS | VF_G_BARRED | VF_G_BAD_ADDRESS);
        dna_vf_observe(x, VF_W_CONNECT, &l);
        break;
    default: /* seek_proofs, query_srv: the world answers */
        break;
    }
}

void dna_vf_dial_event(struct vf *x, unsigned e, uint32_t on, bool more)
{
    struct resolution_facts facts = no_facts;
    struct dna_effects fx;
    facts.more_addresses = more;
    facts.barred = (x->w.end[e].ghost & VF_G_BARRED) != 0;
    dna_vf_step1(x, e, &dna_machine_resolution, &x->w.end[e].re, on, &facts, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++) {
        out(x, e, fx.outs[i]);
    }
}

void dna_vf_dial(struct vf *x, unsigned e)
{
    dna_vf_dial_event(x, e, resolution_E_BEGIN, false);
}
