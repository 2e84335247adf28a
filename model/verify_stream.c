/* SPDX-License-Identifier: MIT */
/*
 * verify_stream.c -- streams in the composition: what impl/s2s_receiving.c and s2s_stream.c make
 * of the outputs of their machines, and which facts they give them; the initiating role is in
 * verify_initiating.c.
 *
 *   stream_receiving     send_header*      > a header with a fresh id to the far end; keys of
 *                            the old id lapse
 *                        send_features     > features_receiving CONSIDER_*, in its order; then
 *                            the element
 *                        report_flowing    > association STREAM_FLOWS for each pair
 *                        send_close        > the closing tag; routes without stanzas leave;
 *                            nothing follows
 *                        hold/release_input, drain_input, discard_input > what reaches the
 *                            machines
 *                        drop_stream       > TCP ends; STREAM_GONE to every machine of the stream
 *   starttls_receiving   send_proceed, start_tls > the handshake; forget_pairs > STREAM_SECURED
 *                            for each pair
 *                        restart_after_tls > what does not survive is forgotten;
 *                            stream_receiving RESTARTED
 *                        end_stream        > stream_receiving END
 *   sasl_external_receiving accept_pair    > association EXTERNAL_ACCEPTED for the header's pair
 *                        restart_stream    > forgotten, pairs told STREAM_RESTARTED;
 *                            stream_receiving RESTARTED
 *                        weigh, redo       > the machine itself, WEIGH or the same event
 */
#include "model/verify_internal.h"

#include <string.h>

static const struct stream_receiving_facts no_receiving;
static const struct stream_initiating_facts no_initiating;

static void sasl_event(struct vf *x, unsigned e, uint32_t on,
                       const struct sasl_external_receiving_facts *facts, unsigned authzid);

void dna_vf_say(struct vf *x, unsigned e, enum vf_type type)
{
    dna_vf_send(x, e, (struct vf_msg){ .type = (uint8_t)type, .from = VF_NOBODY, .to = VF_NOBODY });
}

void dna_vf_same_event(struct vf *x, unsigned e, uint32_t receiving, uint32_t initiating)
{
    if (dna_vf_slots[e].initiating) {
        dna_vf_initiating(x, e, initiating, &no_initiating);
    } else {
        dna_vf_receiving(x, e, receiving, &no_receiving);
    }
}

void dna_vf_end_stream(struct vf *x, unsigned e)
{
    dna_vf_same_event(x, e, stream_receiving_E_END, stream_initiating_E_END);
}

void dna_vf_send_close(struct vf *x, unsigned e)
{
    if (x->w.end[e].flags & VF_CLOSING) {
        return;
    }
    dna_vf_say(x, e, VF_T_CLOSE);
    x->w.end[e].flags |= VF_CLOSING;
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        struct vf_ref r = dna_vf_at(x, e, i);
        if (r.p->flags & VF_KNOWN) {
            dna_vf_route_leave(x, r);
        }
    }
}

static void machines_gone(struct vf *x, unsigned e)
{
    struct vf_end *end = &x->w.end[e];
    struct dna_effects fx;
    const struct sasl_external_receiving_facts none = { 0 };
    if (dna_vf_slots[e].initiating) {
        const struct sasl_external_initiating_facts no_facts = { 0 };
        dna_vf_step1(x, e, &dna_machine_sasl_external_initiating, &end->sasl,
                     sasl_external_initiating_E_STREAM_GONE, &no_facts, &fx);
        dna_vf_dial_event(x, e, resolution_E_CANCEL, false);
    } else {
        sasl_event(x, e, sasl_external_receiving_E_STREAM_GONE, &none, 0);
    }
}

void dna_vf_drop(struct vf *x, unsigned e)
{
    struct vf_end *end = &x->w.end[e];
    if (end->flags & VF_DROPPED) {
        return;
    }
    end->flags |= VF_DROPPED;
    machines_gone(x, e);
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        struct vf_ref r = dna_vf_at(x, e, i);
        if (r.p->flags & VF_KNOWN) {
            dna_vf_pair_gone(x, r);
        }
    }
    dna_vf_say(x, e, VF_T_GONE);
}

/* What the undertaker of impl/ does between two events: a stream that has ended is freed. */
void dna_vf_reap(struct vf *x)
{
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        if (!(x->w.end[e].flags & VF_DROPPED)) {
            continue;
        }
        if (dna_vf_slots[e].initiating) {
            dna_vf_questions_failed(x, e, dialback_receiving_E_AUTHORITY_UNREACHABLE);
            for (unsigned i = 0; i < 2 * VF_PAIRS; i++) {
                struct vf_route *r = &x->w.route[i / VF_PAIRS][i % VF_PAIRS];
                r->pending = r->pending == e + 1 ? 0 : r->pending;
            }
        }
        memset(&x->w.end[e], 0, sizeof x->w.end[e]);
        memset(&x->w.in[e], 0, sizeof x->w.in[e]);
        if (e == VF_R1 || e == VF_R2 || e == VF_Q) {
            x->w.end[e].flags = VF_SPENT;
        }
    }
}

void dna_vf_forget(struct vf *x, unsigned e, bool starttls)
{
    struct vf_end *end = &x->w.end[e];
    struct dna_stream_vars s;
    dna_vf_load(end, &s);
    dna_stream_vars_forget(&s, starttls);
    dna_vf_store(end, &s);
    if (starttls && !dna_vf_slots[e].initiating) {
        struct sasl_external_receiving m = { end->sasl, end->failures };
        dna_instance_forget(&dna_machine_sasl_external_receiving, &m, starttls);
        end->failures = (uint8_t)m.failures;
    }
    end->flags |= VF_HEADER_DUE;
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        struct vf_ref r = dna_vf_at(x, e, i);
        if (!(r.p->flags & VF_KNOWN)) {
            continue;
        }
        if (!starttls) {
            const struct dialback_receiving_facts none = { 0 };
            dna_vf_receiving_event(x, r, dialback_receiving_E_STREAM_RESTARTED, &none, 0);
        } else if (dna_vf_slots[e].initiating) {
            dna_vf_pair_secured(x, r);
        }
    }
}

/* --- the receiving role --- */

static void send_header(struct vf *x, unsigned e)
{
    struct vf_end *end = &x->w.end[e];
    uint8_t base = e == VF_R1 ? 1 : e == VF_R2 ? 4 : e == VF_RB ? 7 : 10;
    uint8_t top = base == 10 ? 10 : (uint8_t)(base + 2);
    end->id = !end->id ? base : end->id < top ? (uint8_t)(end->id + 1) : top;
    for (unsigned i = 0; i < VF_PAIRS;
         i++) { /* what was asked under the old id, and not proved, lapses */
        struct vf_look l;
        dna_vf_look(x, dna_vf_at(x, e, i), &l);
        if (!l.proved && !l.vouched) {
            end->pair[i].flags &= (uint16_t)~VF_G_REQUESTED;
        }
    }
    dna_vf_send(x, e,
                (struct vf_msg){
                    .type = VF_T_HEADER, .from = end->ours, .to = end->theirs, .id = end->id });
}

/* What is awaited may yet be a no. */
static bool disowned(enum dna_vf_verdict v)
{
    return v == VF_REFUTED || v == VF_PENDING;
}

static void send_features(struct vf *x, unsigned e)
{
    static const uint8_t feature[features_receiving_O_MAX] = {
        [features_receiving_O_offer_starttls_required] = VF_F_STARTTLS,
        [features_receiving_O_offer_starttls] = VF_F_STARTTLS,
        [features_receiving_O_offer_external] = VF_F_EXTERNAL,
        [features_receiving_O_offer_dialback] = VF_F_DIALBACK | VF_F_ERRORS,
        [features_receiving_O_offer_bidi] = VF_F_BIDI,
    };
    static const uint8_t order[] = { features_receiving_E_CONSIDER_STARTTLS,
                                     features_receiving_E_CONSIDER_EXTERNAL,
                                     features_receiving_E_CONSIDER_DIALBACK,
                                     features_receiving_E_CONSIDER_BIDI };
    enum dna_vf_verdict v = dna_vf_weigh(x, e, x->w.end[e].theirs);
    struct features_receiving_facts facts = { .from_proved = v == VF_PROVED,
                                              .from_refuted = disowned(v),
                                              .claim_made =
                                                  dna_vf_shown(x, e, x->w.end[e].theirs) };
    struct vf_msg m = { .type = VF_T_FEATURES, .from = VF_NOBODY, .to = VF_NOBODY };
    for (size_t i = 0; i < sizeof order; i++) {
        uint8_t state = features_receiving_S_CHOOSING;
        struct dna_effects fx;
        dna_vf_step1(x, e, &dna_machine_features_receiving, &state, order[i], &facts, &fx);
        for (unsigned n = 0; n < fx.num_outs; n++) {
            m.what |= feature[fx.outs[n]];
        }
    }
    if ((x->does & VF_D_NO_ERRORS) && dna_vf_slots[e].server == VF_SB) {
        m.what &= (uint8_t)~VF_F_ERRORS;
    }
    struct vf_look l = { .offered = (m.what & VF_F_EXTERNAL) != 0,
                         .secured = x->w.end[e].cert != VF_CERT_NONE };
    bool refuted;
    l.proved = dna_vf_truly_proved(x, e, x->w.end[e].theirs, &refuted);
    l.refuted = refuted;
    l.shown = dna_vf_shown(x, e, x->w.end[e].theirs);
    dna_vf_observe(x, VF_W_OFFER, &l);
    dna_vf_send(x, e, m);
}

static void receiving_out(struct vf *x, unsigned e, unsigned out)
{
    struct vf_end *end = &x->w.end[e];
    switch (out) {
    case stream_receiving_O_send_header:
    case stream_receiving_O_send_header_unhosted:
    case stream_receiving_O_send_header_old:
        send_header(x, e);
        break;
    case stream_receiving_O_send_features:
        send_features(x, e);
        break;
    case stream_receiving_O_report_flowing:
        dna_vf_flows(x, e);
        break;
    case stream_receiving_O_send_close:
        dna_vf_send_close(x, e);
        break;
    case stream_receiving_O_hold_input:
        end->flags |= VF_HELD;
        break;
    case stream_receiving_O_release_input:
        end->flags &= (uint16_t)~VF_HELD;
        break;
    case stream_receiving_O_drain_input:
        end->flags |= VF_DRAIN;
        break;
    case stream_receiving_O_discard_input:
        end->flags |= VF_DISCARD;
        break;
    case stream_receiving_O_drop_stream:
        dna_vf_drop(x, e);
        break;
    case stream_receiving_O_arm_negotiation:
        break;
    default: /* error_* */
        dna_vf_say(x, e, VF_T_ERROR);
    }
}

void dna_vf_receiving(struct vf *x, unsigned e, uint32_t on,
                      const struct stream_receiving_facts *facts)
{
    struct dna_effects fx;
    dna_vf_step1(x, e, &dna_machine_stream_receiving, &x->w.end[e].m, on, facts, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++) {
        receiving_out(x, e, fx.outs[i]);
    }
}

static void receiving_tls_out(struct vf *x, unsigned e, unsigned out)
{
    switch (out) {
    case starttls_receiving_O_send_proceed:
        dna_vf_say(x, e, VF_T_PROCEED);
        break;
    case starttls_receiving_O_send_tls_failure:
        dna_vf_say(x, e, VF_T_TLS_FAILURE);
        break;
    case starttls_receiving_O_start_tls:
        x->w.end[e].flags |= VF_HANDSHAKE;
        break;
    case starttls_receiving_O_forget_pairs:
        for (unsigned i = 0; i < VF_PAIRS; i++) {
            struct vf_ref r = dna_vf_at(x, e, i);
            if (r.p->flags & VF_KNOWN) {
                dna_vf_pair_secured(x, r);
            }
        }
        break;
    case starttls_receiving_O_discard_clear:
        x->w.end[e].ghost &= (uint8_t)~VF_G_TRAILING;
        break;
    case starttls_receiving_O_restart_after_tls:
        dna_vf_forget(x, e, true);
        dna_vf_receiving(x, e, stream_receiving_E_RESTARTED, &no_receiving);
        break;
    case starttls_receiving_O_end_stream:
        dna_vf_end_stream(x, e);
        break;
    case starttls_receiving_O_drop_stream:
        dna_vf_drop(x, e);
        break;
    default:
        break;
    }
}

static void accept_external(struct vf *x, unsigned e)
{
    struct vf_end *end = &x->w.end[e];
    uint8_t ours = end->ours, theirs = end->theirs;
    if (ours < VF_DOMAINS && theirs < VF_DOMAINS) {
        struct vf_ref r = dna_vf_get(x, e, ours, theirs);
        if (r.p) {
            dna_vf_pair_event(x, r, association_E_EXTERNAL_ACCEPTED);
        }
    }
}

static void log_in(struct vf *x, unsigned e, unsigned authzid)
{
    struct vf_end *end = &x->w.end[e];
    struct vf_pair memory;
    struct vf_look l;
    dna_vf_look(x, dna_vf_scratch(e, end->ours, end->theirs, &memory), &l);
    l.authzid_fits = !authzid || authzid - 1 == end->theirs;
    dna_vf_observe(x, VF_W_LOGIN, &l);
    end->flags |= VF_G_AUTH;
    end->gours = end->ours;
    end->gtheirs = end->theirs;
    dna_vf_say(x, e, VF_T_SUCCESS);
}

static void sasl_out(struct vf *x, unsigned e, unsigned out, uint32_t on,
                     const struct sasl_external_receiving_facts *facts, unsigned authzid)
{
    switch (out) {
    case sasl_external_receiving_O_send_success:
        log_in(x, e, authzid);
        break;
    case sasl_external_receiving_O_send_challenge:
        break;
    case sasl_external_receiving_O_weigh:
        sasl_event(x, e, sasl_external_receiving_E_WEIGH, facts, authzid);
        break;
    case sasl_external_receiving_O_redo:
        sasl_event(x, e, on, facts, authzid);
        break;
    case sasl_external_receiving_O_accept_pair:
        accept_external(x, e);
        break;
    case sasl_external_receiving_O_restart_stream:
        dna_vf_forget(x, e, false);
        dna_vf_receiving(x, e, stream_receiving_E_RESTARTED, &no_receiving);
        break;
    case sasl_external_receiving_O_end_stream:
        dna_vf_end_stream(x, e);
        break;
    case sasl_external_receiving_O_error_policy_violation:
        dna_vf_say(x, e, VF_T_ERROR);
        break;
    default:
        dna_vf_say(x, e, VF_T_FAILURE);
    }
}

static void sasl_event(struct vf *x, unsigned e, uint32_t on,
                       const struct sasl_external_receiving_facts *facts, unsigned authzid)
{
    struct vf_end *end = &x->w.end[e];
    uint32_t vars[2] = { end->sasl, end->failures };
    struct dna_effects fx;
    dna_vf_step(x, e, &dna_machine_sasl_external_receiving, vars, on, facts, &fx);
    end->sasl = (uint8_t)vars[0];
    end->failures =
        (uint8_t)(vars[1] > 6 ? 6 : vars[1]); /* the bound that the table gives to checkers */
    for (unsigned i = 0; i < fx.num_outs; i++) {
        sasl_out(x, e, fx.outs[i], on, facts, authzid);
    }
}

static void receiving_header(struct vf *x, unsigned e, const struct vf_msg *m)
{
    struct vf_end *end = &x->w.end[e];
    end->ours = m->to;
    end->theirs = m->from;
    struct stream_receiving_facts facts = {
        .stream_namespace_ok = 1,
        .content_namespace_ok = 1,
        .hosted = dna_vf_hosts(x, e, m->to),
        .version_one = !m->what,
        .from_pending = dna_vf_seek(x, e, m->from),
    };
    if ((x->does & VF_BUGGY_HEADER) && (end->flags & VF_G_AUTH)) { /* planted */
        end->gtheirs = VF_NOBODY;
        struct vf_ref r = dna_vf_get(x, e, end->ours, end->theirs);
        if (r.p) {
            dna_vf_pair_event(x, r, association_E_EXTERNAL_ACCEPTED);
        }
    }
    dna_vf_receiving(x, e, stream_receiving_E_RX_HEADER, &facts);
}

static bool receiving_element(struct vf *x, unsigned e, const struct vf_msg *m)
{
    struct vf_end *end = &x->w.end[e];
    if (m->type == VF_T_STARTTLS) {
        dna_vf_trailing(x, e, m);
        dna_vf_tls_event(x, e, starttls_receiving_E_RX_STARTTLS);
    } else if (m->type == VF_T_AUTH || m->type == VF_T_RESPONSE) {
        enum dna_vf_verdict v = dna_vf_weigh(x, e, end->theirs);
        struct sasl_external_receiving_facts facts = {
            .external = 1,
            .encoding_ok = 1,
            .response_given = m->id == 0,
            .from_proved = v == VF_PROVED,
            .from_refuted = disowned(v),
            .claim_made = dna_vf_shown(x, e, end->theirs),
            .authzid_other = m->what && m->what - 1 != end->theirs && !(x->does & VF_BUGGY_AUTHZID),
        };
        sasl_event(x, e,
                   m->type == VF_T_AUTH ? (uint32_t)sasl_external_receiving_E_RX_AUTH
                                        : (uint32_t)sasl_external_receiving_E_RX_RESPONSE,
                   &facts, m->what);
    } else {
        return false;
    }
    return true;
}

/* --- both roles --- */

/* Whether clear text follows the last word before TLS in the same flight. */
void dna_vf_trailing(struct vf *x, unsigned e, const struct vf_msg *m)
{
    uint8_t rest = x->w.end[e].ghost & (uint8_t)~VF_G_TRAILING;
    x->w.end[e].ghost = (uint8_t)(rest | (m->what ? VF_G_TRAILING : 0));
}

void dna_vf_tls_event(struct vf *x, unsigned e, uint32_t on)
{
    struct dna_effects fx;
    bool trailing = x->w.end[e].ghost & VF_G_TRAILING;
    const struct starttls_receiving_facts receiving = { .can_secure = 1,
                                                        .clear_trailing = trailing };
    const struct starttls_initiating_facts initiating = { .clear_trailing = trailing };
    bool opened = dna_vf_slots[e].initiating;
    const void *facts = opened ? (const void *)&initiating : (const void *)&receiving;
    dna_vf_step1(x, e, opened ? &dna_machine_starttls_initiating : &dna_machine_starttls_receiving,
                 &x->w.end[e].tls, on, facts, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++) {
        if (opened) {
            dna_vf_initiating_tls_out(x, e, fx.outs[i]);
        } else {
            receiving_tls_out(x, e, fx.outs[i]);
        }
    }
}

static uint32_t left_from_clear(const struct vf *x, unsigned e)
{
    const struct vf_end *end = &x->w.end[e];
    uint32_t left = end->failures + (uint32_t)((end->ghost & VF_G_TRAILING) != 0);
    left += (uint32_t)(end->s[VF_S_authenticated] + end->s[VF_S_bidi] + end->s[VF_S_peer_dialback] +
                       end->s[VF_S_peer_errors] + end->s[VF_S_pairs_taken] + end->s[VF_S_flowing]);
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        const struct vf_pair *p = &end->pair[i];
        left += p->as != association_S_NONE || p->dr != dialback_receiving_S_UNPROVEN ||
                p->di != dialback_initiating_S_IDLE || (p->flags & (VF_ASKED | VF_WAITING)) ||
                x->w.route[dna_vf_slots[e].server][i].via == e + 1;
    }
    return left;
}

/* The handshake has completed, and the far end has shown this certificate. */
void dna_vf_tls_up(struct vf *x, unsigned e, unsigned cert)
{
    struct vf_end *end = &x->w.end[e];
    struct vf_look l = { 0 };
    end->cert = (uint8_t)cert;
    if (cert == VF_CERT_M && (x->does & VF_RESUMES)) {
        x->w.session |= (uint8_t)(1u << dna_vf_slots[e].server);
    }
    end->flags &= (uint16_t) ~(VF_HANDSHAKE | VF_G_AUTH | VF_G_BIDI);
    if (dna_vf_slots[e].initiating) {
        end->sought |= (uint8_t)(1u << end->theirs); /* with the resolution */
    }
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        end->pair[i].flags &=
            (uint16_t) ~(VF_G_REQUESTED | VF_G_VOUCHED | VF_G_KEYED | VF_G_GRANTED | VF_G_ANSWERED);
    }
    dna_vf_tls_event(x, e,
                     dna_vf_slots[e].initiating ? (uint32_t)starttls_initiating_E_TLS_UP
                                                : (uint32_t)starttls_receiving_E_TLS_UP);
    l.left = end->flags & VF_DROPPED ? 0 : left_from_clear(x, e);
    dna_vf_observe(x, VF_W_SECURED, &l);
}

void dna_vf_tls_failed(struct vf *x, unsigned e)
{
    x->w.end[e].flags &= (uint16_t)~VF_HANDSHAKE;
    dna_vf_tls_event(x, e,
                     dna_vf_slots[e].initiating ? (uint32_t)starttls_initiating_E_TLS_FAILED
                                                : (uint32_t)starttls_receiving_E_TLS_FAILED);
}

static void element(struct vf *x, unsigned e, const struct vf_msg *m)
{
    struct vf_end *end = &x->w.end[e];
    bool in_time = !(end->flags & VF_G_AUTH);
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        in_time = in_time && !dna_vf_takes(&end->pair[i]);
    }
    if (m->type == VF_T_ERROR) {
        dna_vf_same_event(x, e, stream_receiving_E_RX_STREAM_ERROR,
                          stream_initiating_E_RX_STREAM_ERROR);
    } else if (m->type == VF_T_STANZA) {
        dna_vf_stanza(x, e, m->from, m->to);
    } else if (end->flags & VF_DRAIN) {
        return;
    } else if (m->type == VF_T_KEY || m->type == VF_T_RESULT || m->type == VF_T_ASK ||
               m->type == VF_T_VERDICT) {
        dna_vf_dialback_element(x, e, m);
    } else if (m->type == VF_T_BIDI) {
        end->flags |= in_time && !dna_vf_slots[e].initiating && x->k.bidi ? VF_G_BIDI : 0;
        dna_vf_same_event(x, e, stream_receiving_E_RX_BIDI, stream_initiating_E_RX_BIDI);
    } else if (dna_vf_slots[e].initiating ? !dna_vf_initiating_element(x, e, m)
                                          : !receiving_element(x, e, m)) {
        dna_vf_same_event(x, e, stream_receiving_E_RX_UNKNOWN, stream_initiating_E_RX_UNKNOWN);
    }
}

void dna_vf_input(struct vf *x, unsigned e, const struct vf_msg *m)
{
    struct vf_end *end = &x->w.end[e];
    if (!(end->flags & VF_LIVE) || (end->flags & VF_DROPPED)) {
        return;
    }
    if (m->type == VF_T_GONE) {
        if (end->flags & VF_HANDSHAKE) {
            dna_vf_tls_failed(x, e);
        } else {
            dna_vf_same_event(x, e, stream_receiving_E_TCP_GONE, stream_initiating_E_TCP_GONE);
        }
        dna_vf_drop(x, e);
    } else if ((m->type == VF_T_HELLO || m->type == VF_T_FINISHED) && (end->flags & VF_HANDSHAKE)) {
        dna_vf_tls_up(x, e, VF_CERT_HONEST);
        if (m->type == VF_T_HELLO) {
            dna_vf_say(x, e, VF_T_FINISHED);
        }
    } else if (m->type == VF_T_HELLO || m->type == VF_T_FINISHED || m->type == VF_T_ABORT) {
        /* bytes of TLS that are not awaited are no XML either */
        dna_vf_same_event(x, e, stream_receiving_E_RX_NOT_WELL_FORMED,
                          stream_initiating_E_RX_NOT_WELL_FORMED);
    } else if (m->type == VF_T_HEADER) {
        if (end->flags & VF_HEADER_DUE) {
            end->flags &= (uint16_t)~VF_HEADER_DUE;
            if (dna_vf_slots[e].initiating) {
                dna_vf_initiating_header(x, e, m);
            } else {
                receiving_header(x, e, m);
            }
        }
    } else if (end->flags & VF_HEADER_DUE) {
        return;
    } else if (m->type == VF_T_CLOSE) {
        dna_vf_same_event(x, e, stream_receiving_E_RX_CLOSE, stream_initiating_E_RX_CLOSE);
    } else if (!(end->flags & VF_DISCARD)) {
        element(x, e, m);
    }
}

/* What may prove `domain` on this stream is in: s2s_claim.c, on_settled(). */
void dna_vf_settle(struct vf *x, unsigned e, unsigned domain)
{
    struct vf_end *end = &x->w.end[e];
    end->settled |= (uint8_t)(1u << domain);
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        struct vf_ref r = dna_vf_at(x, e, i);
        if (r.theirs == domain && (r.p->flags & VF_WAITING)) {
            r.p->flags &= (uint16_t)~VF_WAITING;
            dna_vf_proof_settled(x, r);
        }
    }
    if (end->theirs == domain && dna_vf_slots[e].initiating) {
        dna_vf_initiating_settled(x, e);
    } else if (end->theirs == domain) {
        dna_vf_receiving(x, e, stream_receiving_E_PROOF_SETTLED, &no_receiving);
    }
}
