/* SPDX-License-Identifier: MIT */
/*
 * verify_initiating.c -- streams that a server opens, in the composition: what
 * impl/s2s_initiating.c makes of the outputs of its machines, and which facts it gives them.
 *
 *   stream_initiating    begin_starttls, begin_external > BEGIN; reconsider > RX_FEATURES again
 *                        send_header, send_bidi > to the far end
 *                        grant_pair        > association EXTERNAL_GRANTED for the header's pair
 *                        report_flowing    > association STREAM_FLOWS for each pair
 *                        report_ready      > the route uses the pair; questions go out
 *                        report_failed     > questions fail; routing FAILED
 *                        send_close, drain_input, discard_input, drop_stream > as in
 *                            verify_stream.c
 *   starttls_initiating  send_starttls, start_tls > the handshake
 *                        restart_after_tls > forgotten; stream_initiating SECURED with the
 *                            proof's verdict
 *                        report_failed     > stream_initiating TLS_FAILED
 *   sasl_external_initiating restart_stream > stream_initiating AUTHENTICATED; report_refused >
 *                            AUTH_REFUSED
 *                        end_stream        > stream_initiating END
 */
#include "model/verify_internal.h"

static const struct stream_initiating_facts no_initiating;

static void report_ready(struct vf *x, unsigned e)
{
    struct vf_end *end = &x->w.end[e];
    unsigned server = dna_vf_slots[e].server;
    end->flags |= VF_READY;
    if (end->flags & VF_ROUTE) {
        int place = dna_vf_place(x, server, end->ours, end->theirs);
        struct vf_route *r = &x->w.route[server][place];
        end->flags &= (uint16_t)~VF_ROUTE;
        r->pending = 0;
        if (!r->via) {
            dna_vf_route_use(x, dna_vf_get(x, e, end->ours, end->theirs));
        }
    }
    if (!dna_vf_slots[e].for_stanzas) {
        dna_vf_questions_send(x, e);
    }
}

static void report_failed(struct vf *x, unsigned e)
{
    struct vf_end *end = &x->w.end[e];
    bool route = end->flags & VF_ROUTE;
    end->flags &= (uint16_t)~VF_ROUTE;
    dna_vf_questions_failed(x, e,
                            end->flags & VF_UNKNOWN_THERE
                                ? dialback_receiving_E_AUTHORITY_NOT_FOUND
                                : dialback_receiving_E_AUTHORITY_UNREACHABLE);
    if (route) {
        unsigned server = dna_vf_slots[e].server;
        int place = dna_vf_place(x, server, end->ours, end->theirs);
        x->w.route[server][place].pending = 0;
        dna_vf_route_event(x, server, (unsigned)place, routing_E_FAILED);
    }
}

static void initiating_sasl(struct vf *x, unsigned e, uint32_t on)
{
    struct vf_end *end = &x->w.end[e];
    const struct sasl_external_initiating_facts none = { 0 };
    struct dna_effects fx;
    dna_vf_step1(x, e, &dna_machine_sasl_external_initiating, &end->sasl, on, &none, &fx);
    for (unsigned i = 0; i < fx.num_outs; i++) {
        switch (fx.outs[i]) {
        case sasl_external_initiating_O_send_auth_named:
        case sasl_external_initiating_O_send_auth_empty:
            dna_vf_send(x, e,
                        (struct vf_msg){ .type = VF_T_AUTH, .from = VF_NOBODY, .to = VF_NOBODY });
            break;
        case sasl_external_initiating_O_restart_stream:
            dna_vf_forget(x, e, false);
            dna_vf_initiating(x, e, stream_initiating_E_AUTHENTICATED, &no_initiating);
            break;
        case sasl_external_initiating_O_report_refused:
            dna_vf_initiating(x, e, stream_initiating_E_AUTH_REFUSED, &no_initiating);
            break;
        case sasl_external_initiating_O_error_not_authorized:
            dna_vf_say(x, e, VF_T_ERROR);
            break;
        case sasl_external_initiating_O_end_stream:
            dna_vf_end_stream(x, e);
            break;
        default:
            break;
        }
    }
}

static struct stream_initiating_facts offered_facts(struct vf *x, unsigned e)
{
    const struct vf_end *end = &x->w.end[e];
    return (struct stream_initiating_facts){
        .starttls = (end->offered & VF_F_STARTTLS) != 0,
        .external = (end->offered & VF_F_EXTERNAL) != 0,
        .dialback = (end->offered & VF_F_DIALBACK) != 0,
        .errors = (end->offered & VF_F_ERRORS) != 0,
        .bidi = (end->offered & VF_F_BIDI) != 0,
        .have_certificate = 1,
        .peer_proved = dna_vf_proves(x, e, end->theirs),
    };
}

static void send_header(struct vf *x, unsigned e)
{
    struct vf_end *end = &x->w.end[e];
    end->flags |= VF_HEADER_DUE;
    dna_vf_send(x, e, (struct vf_msg){ .type = VF_T_HEADER, .from = end->ours, .to = end->theirs });
}

static void input_out(struct vf_end *end, unsigned out)
{
    if (out == stream_initiating_O_release_input) {
        end->flags &= (uint16_t)~VF_HELD;
    } else {
        end->flags |= out == stream_initiating_O_hold_input      ? VF_HELD
                      : out == stream_initiating_O_discard_input ? VF_DISCARD
                                                                 : VF_DRAIN;
    }
}

static void initiating_out(struct vf *x, unsigned e, unsigned out)
{
    struct vf_end *end = &x->w.end[e];
    struct stream_initiating_facts facts;
    switch (out) {
    case stream_initiating_O_send_header:
        send_header(x, e);
        break;
    case stream_initiating_O_begin_starttls:
        dna_vf_tls_event(x, e, starttls_initiating_E_BEGIN);
        break;
    case stream_initiating_O_send_bidi:
        end->flags |= VF_G_BIDI;
        dna_vf_say(x, e, VF_T_BIDI);
        break;
    case stream_initiating_O_reconsider:
        facts = offered_facts(x, e);
        dna_vf_initiating(x, e, stream_initiating_E_RX_FEATURES, &facts);
        break;
    case stream_initiating_O_begin_external:
        initiating_sasl(x, e, sasl_external_initiating_E_BEGIN);
        break;
    case stream_initiating_O_grant_pair:
        dna_vf_pair_event(x, dna_vf_get(x, e, end->ours, end->theirs),
                          association_E_EXTERNAL_GRANTED);
        break;
    case stream_initiating_O_report_flowing:
        dna_vf_flows(x, e);
        break;
    case stream_initiating_O_report_ready:
        report_ready(x, e);
        break;
    case stream_initiating_O_report_failed:
        report_failed(x, e);
        break;
    case stream_initiating_O_send_close:
        dna_vf_send_close(x, e);
        break;
    case stream_initiating_O_drain_input:
    case stream_initiating_O_discard_input:
    case stream_initiating_O_hold_input:
    case stream_initiating_O_release_input:
        input_out(end, out);
        break;
    case stream_initiating_O_drop_stream:
        dna_vf_drop(x, e);
        break;
    default:
        dna_vf_say(x, e, VF_T_ERROR);
    }
}

void dna_vf_initiating(struct vf *x, unsigned e, uint32_t on,
                       const struct stream_initiating_facts *facts)
{
    struct vf_end *end = &x->w.end[e];
    uint32_t vars[2] = { end->m, end->purpose };
    struct dna_effects fx;
    dna_vf_step(x, e, &dna_machine_stream_initiating, vars, on, facts, &fx);
    end->m = (uint8_t)vars[0];
    end->purpose = (uint8_t)vars[1];
    for (unsigned i = 0; i < fx.num_outs; i++) {
        initiating_out(x, e, fx.outs[i]);
    }
}

static struct stream_initiating_facts weighed(struct vf *x, unsigned e)
{
    enum dna_vf_verdict v = dna_vf_weigh(x, e, x->w.end[e].theirs);
    return (struct stream_initiating_facts){ .peer_proved = v == VF_PROVED,
                                             .peer_pending = v == VF_PENDING,
                                             .peer_refuted = v == VF_REFUTED };
}

void dna_vf_initiating_settled(struct vf *x, unsigned e)
{
    struct stream_initiating_facts facts = weighed(x, e);
    dna_vf_initiating(x, e, stream_initiating_E_PROOF_SETTLED, &facts);
}

void dna_vf_initiating_tls_out(struct vf *x, unsigned e, unsigned out)
{
    struct stream_initiating_facts facts = { 0 };
    switch (out) {
    case starttls_initiating_O_send_starttls:
        dna_vf_say(x, e, VF_T_STARTTLS);
        break;
    case starttls_initiating_O_start_tls:
        x->w.end[e].flags |= VF_HANDSHAKE;
        dna_vf_say(x, e, VF_T_HELLO);
        break;
    case starttls_initiating_O_discard_clear:
        x->w.end[e].ghost &= (uint8_t)~VF_G_TRAILING;
        break;
    case starttls_initiating_O_restart_after_tls:
        (void)dna_vf_seek(x, e, x->w.end[e].theirs);
        facts = weighed(x, e);
        dna_vf_forget(x, e, true);
        dna_vf_initiating(x, e, stream_initiating_E_SECURED, &facts);
        break;
    case starttls_initiating_O_report_failed:
        dna_vf_initiating(x, e, stream_initiating_E_TLS_FAILED, &no_initiating);
        break;
    default:
        break;
    }
}

void dna_vf_initiating_header(struct vf *x, unsigned e, const struct vf_msg *m)
{
    struct vf_end *end = &x->w.end[e];
    struct stream_initiating_facts facts = {
        .stream_namespace_ok = 1,
        .content_namespace_ok = 1,
        .id_given = 1,
        .id_ours = dna_vf_slots[e].server == VF_SA ? m->id == 10 : m->id >= 1 && m->id < 10,
        .from_agrees = m->from == end->theirs,
        .version_one = !m->what,
        .dialback_declared = 1,
    };
    end->id = m->id;
    dna_vf_initiating(x, e, stream_initiating_E_RX_HEADER, &facts);
}

bool dna_vf_initiating_element(struct vf *x, unsigned e, const struct vf_msg *m)
{
    struct vf_end *end = &x->w.end[e];
    struct stream_initiating_facts facts;
    switch (m->type) {
    case VF_T_FEATURES:
        end->offered = m->what;
        facts = offered_facts(x, e);
        dna_vf_initiating(x, e, stream_initiating_E_RX_FEATURES, &facts);
        return true;
    case VF_T_PROCEED:
        dna_vf_trailing(x, e, m);
        dna_vf_tls_event(x, e, starttls_initiating_E_RX_PROCEED);
        return true;
    case VF_T_TLS_FAILURE:
        dna_vf_tls_event(x, e, starttls_initiating_E_RX_TLS_FAILURE);
        return true;
    case VF_T_SUCCESS:
        if (end->sasl == sasl_external_initiating_S_SENT) {
            end->flags |= VF_G_AUTH;
            end->gours = end->ours;
            end->gtheirs = end->theirs;
        }
        initiating_sasl(x, e, sasl_external_initiating_E_RX_SUCCESS);
        return true;
    case VF_T_FAILURE:
        initiating_sasl(x, e, sasl_external_initiating_E_RX_FAILURE);
        return true;
    default:
        return false;
    }
}
