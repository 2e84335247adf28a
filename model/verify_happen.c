/* SPDX-License-Identifier: MIT */
/*
 * verify_happen.c -- what may happen, by verify_attack.c, happens: one move, and what honest
 * servers make of it.
 */
#include "model/verify_internal.h"

#include <string.h>

static void input(struct vf *x, unsigned e, const struct vf_msg *m)
{
    if (x->say) {
        dna_vf_print_msg(x, e, false, m, x->say);
    }
    if (x->saw) {
        x->saw(x->saw_arg, e, false, m);
    }
    dna_vf_input(x, e, m);
}

static void show_certificate(struct vf *x, unsigned e, unsigned cert)
{
    struct vf_msg m = {
        .type = VF_T_HELLO, .from = VF_NOBODY, .to = VF_NOBODY, .what = (uint8_t)cert
    };
    if (x->say) {
        dna_vf_print_msg(x, e, false, &m, x->say);
    }
    if (x->saw) {
        x->saw(x->saw_arg, e, false, &m);
    }
    dna_vf_tls_up(x, e, cert);
}

/* A header, features with STARTTLS, the handshake, and the header again, as far as the stream goes
 * along. */
static void negotiation(struct vf *x, const struct vf_move *move)
{
    unsigned e = move->e;
    const struct vf_end *end = &x->w.end[e];
    bool opened = move->kind == VF_M_SERVE;
    struct vf_msg header = { VF_T_HEADER, move->m.from, move->m.to, 0, 0, 0 };
    struct vf_msg features = { VF_T_FEATURES, VF_NOBODY, VF_NOBODY, VF_F_STARTTLS, 0, 0 };
    struct vf_msg starttls = {
        opened ? VF_T_PROCEED : VF_T_STARTTLS, VF_NOBODY, VF_NOBODY, 0, 0, 0
    };
    if (!opened) {
        dna_vf_end_init(x, e);
    }
    input(x, e, &header);
    if (opened) {
        input(x, e, &features);
    }
    input(x, e, &starttls);
    if (!(end->flags & VF_HANDSHAKE)) {
        return;
    }
    show_certificate(x, e, move->m.what);
    header.id = move->m.id;
    if ((end->flags & (VF_LIVE | VF_DROPPED | VF_HELD | VF_HEADER_DUE)) ==
        (VF_LIVE | VF_HEADER_DUE)) {
        input(x, e, &header);
    }
    if (opened && !dna_vf_slots[e].for_stanzas && end->m == stream_initiating_S_AWAIT_FEATURES) {
        features.what = VF_F_DIALBACK | VF_F_ERRORS;
        input(x, e, &features);
    }
}

static void verify_timer(struct vf *x, unsigned e, unsigned place)
{
    struct vf_ref r = dna_vf_at(x, e, place);
    unsigned asker = dna_vf_asker(x, &r);
    const struct dialback_receiving_facts none = { 0 };
    dna_vf_question_end(r.p);
    dna_vf_receiving_event(x, r, dialback_receiving_E_TIMER_VERIFY, &none, 0);
    dna_vf_questions_done(x, asker);
}

static void deliver(struct vf *x, unsigned e)
{
    struct vf_queue *q = &x->w.in[e];
    struct vf_msg m = q->at[0];
    memmove(&q->at[0], &q->at[1], (VF_QUEUE - 1) * sizeof q->at[0]);
    memset(&q->at[VF_QUEUE - 1], 0, sizeof q->at[0]);
    q->num--;
    dna_vf_input(x, e, &m);
}

/* Where nothing fails the attacker answers a closing tag at once: nothing that it says would be
 * looked at. */
static void close_at_once(struct vf *x)
{
    static const struct vf_msg gone = { VF_T_GONE, VF_NOBODY, VF_NOBODY, 0, 0, 0 };
    for (unsigned e = 0; e < VF_SLOTS && !(x->does & VF_TIMERS); e++) {
        if ((x->w.end[e].flags & VF_CLOSING) && dna_vf_far_is_m(x, e)) {
            dna_vf_input(x, e, &gone);
        }
    }
    dna_vf_reap(x);
}

void dna_vf_drain(struct vf *x)
{
    bool again = true;
    dna_vf_reap(x);
    close_at_once(x);
    while (again && !(x->does & VF_ASYNC)) {
        again = false;
        for (unsigned e = 0; e < VF_SLOTS; e++) {
            while (x->w.in[e].num && !(x->w.end[e].flags & VF_HELD)) {
                deliver(x, e);
                dna_vf_reap(x);
                again = true;
            }
        }
    }
}

static void timer(struct vf *x, const struct vf_move *move)
{
    static const uint8_t receiving[VF_KINDS] = { [VF_M_NEGOTIATION] =
                                                     stream_receiving_E_TIMER_NEGOTIATION,
                                                 [VF_M_IDLE] = stream_receiving_E_TIMER_IDLE,
                                                 [VF_M_EXPIRY] = stream_receiving_E_TIMER_EXPIRY,
                                                 [VF_M_CLOSE_TIMER] =
                                                     stream_receiving_E_TIMER_CLOSE };
    static const uint8_t initiating[VF_KINDS] = { [VF_M_NEGOTIATION] =
                                                      stream_initiating_E_TIMER_NEGOTIATION,
                                                  [VF_M_IDLE] = stream_initiating_E_TIMER_IDLE,
                                                  [VF_M_EXPIRY] = stream_initiating_E_TIMER_EXPIRY,
                                                  [VF_M_CLOSE_TIMER] =
                                                      stream_initiating_E_TIMER_CLOSE };
    dna_vf_same_event(x, move->e, receiving[move->kind], initiating[move->kind]);
}

static void resolve(struct vf *x, const struct vf_move *move)
{
    static const uint8_t event[VF_KINDS] = {
        [VF_M_DNS] = resolution_E_SRV_RECORDS,          [VF_M_NO_DNS] = resolution_E_SRV_DOT,
        [VF_M_BAD_DNS] = resolution_E_SRV_BOGUS,        [VF_M_BARRED] = resolution_E_SRV_RECORDS,
        [VF_M_BAD_ADDRESS] = resolution_E_SRV_RECORDS,  [VF_M_CONNECT] = resolution_E_CONNECT_OK,
        [VF_M_NO_CONNECT] = resolution_E_CONNECT_FAILED
    };
    unsigned e = move->e;
    x->w.end[e].ghost |= move->kind == VF_M_BAD_DNS       ? VF_G_BOGUS
                         : move->kind == VF_M_BARRED      ? VF_G_BARRED
                         : move->kind == VF_M_BAD_ADDRESS ? VF_G_BAD_ADDRESS
                                                          : 0;
    dna_vf_dial_event(x, e, event[move->kind], false);
    if (move->kind == VF_M_DNS && !(x->does & VF_TIMERS) &&
        x->w.end[e].re == resolution_S_CONNECTING && dna_vf_peer_free(x, e)) {
        dna_vf_dial_event(x, e, resolution_E_CONNECT_OK, false);
    }
}

static void happens(struct vf *x, const struct vf_move *move)
{
    unsigned e = move->e;
    switch (move->kind) {
    case VF_M_DELIVER:
        deliver(x, e);
        break;
    case VF_M_SEND:
        dna_vf_user_sends(x, e, move->m.what);
        break;
    case VF_M_ACCEPT:
        dna_vf_end_init(x, e);
        break;
    case VF_M_OPEN:
    case VF_M_SERVE:
        negotiation(x, move);
        break;
    case VF_M_SAY:
        input(x, e, &move->m);
        break;
    case VF_M_TLS:
        show_certificate(x, e, move->m.what);
        break;
    case VF_M_TLS_FAILS:
        dna_vf_tls_failed(x, e);
        dna_vf_drop(x, e);
        break;
    case VF_M_DNS:
    case VF_M_NO_DNS:
    case VF_M_BAD_DNS:
    case VF_M_BARRED:
    case VF_M_BAD_ADDRESS:
    case VF_M_CONNECT:
    case VF_M_NO_CONNECT:
        resolve(x, move);
        break;
    case VF_M_SETTLE:
        dna_vf_settle(x, e, move->m.what);
        break;
    case VF_M_VERIFY_TIMER:
        verify_timer(x, e, move->m.what);
        break;
    case VF_M_RESULT_TIMER:
        dna_vf_initiating_event(x, dna_vf_at(x, e, move->m.what),
                                dialback_initiating_E_TIMER_RESULT, true);
        break;
    default:
        timer(x, move);
    }
}

void dna_vf_apply(struct vf *x, const struct vf_move *move)
{
    x->broken = 0;
    x->steps = 0;
    if (x->say) {
        dna_vf_print_move(x, move, x->say);
    }
    happens(x, move);
    dna_vf_drain(x);
}
