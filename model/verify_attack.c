/* SPDX-License-Identifier: MIT */
/*
 * verify_attack.c -- what may happen next: the attacker, the network, timers and users; what comes
 * of it is in verify_happen.c.
 *
 * The attacker says anything that the tables tell apart, with every name, every stream id and every
 * key that it has seen, on every stream that ends with it, asked or unasked.  It invents a key (0
 * here) and an id (0), and shows its own certificate, or one that nobody trusts.
 */
#include "model/verify_internal.h"

#include <string.h>

enum { MAX_IDS = 1 + 3 * (1 + VF_PAIRS) };

struct listing {
    struct vf *x;
    struct vf_move *out;
    size_t num;
};

static void add(struct listing *l, enum vf_kind kind, unsigned e, struct vf_msg m)
{
    if (l->num < VF_MAX_MOVES) {
        l->out[l->num++] = (struct vf_move){ (uint8_t)kind, (uint8_t)e, m };
    }
}

static void say(struct listing *l, unsigned e, enum vf_type type, unsigned from, unsigned to,
                unsigned what, unsigned id, unsigned key)
{
    add(l, VF_M_SAY, e,
        (struct vf_msg){ (uint8_t)type, (uint8_t)from, (uint8_t)to, (uint8_t)what, (uint8_t)id,
                         (uint8_t)key });
}

static void plain(struct listing *l, enum vf_kind kind, unsigned e)
{
    add(l, kind, e, (struct vf_msg){ .type = VF_T_NONE });
}

static const struct vf_place *place_of(const struct vf *x, unsigned server, unsigned i)
{
    const struct vf_place *p = &x->config->places[server][i];
    return p->ours == VF_NOBODY ? NULL : p;
}

static bool knows_key(const struct vf *x, unsigned key)
{
    return x->w.keys[(key - 1) / 8] & 1u << (key - 1) % 8;
}

/* The ids that are worth claiming: one made up, those of the attacker's streams as they stand now,
   and older ones that a question is still out for. */
static unsigned worthwhile_ids(const struct vf *x, uint8_t out[MAX_IDS])
{
    unsigned num = 0;
    out[num++] = 0;
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        const struct vf_end *end = &x->w.end[e];
        if ((e != VF_R1 && e != VF_R2 && e != VF_Q) || !(end->flags & VF_LIVE) || !end->id) {
            continue;
        }
        out[num++] = end->id;
        for (unsigned i = 0; i < VF_PAIRS; i++) {
            if ((end->pair[i].flags & VF_ASKED) && end->pair[i].qid != end->id) {
                out[num++] = end->pair[i].qid;
            }
        }
    }
    return num;
}

/* Nobody resumes a session that the other side did not keep: the reference, which opens a stream,
   offers none; one that it is asked for it declines, and the handshake is a full one. */
static bool may_show(const struct vf *x, unsigned e, unsigned cert)
{
    return cert != VF_CERT_RESUMED ||
           ((x->w.session & 1u << dna_vf_slots[e].server) &&
            (!dna_vf_slots[e].initiating || (x->does & VF_BUGGY_RESUMED)));
}

/* --- what the attacker says --- */

static void say_headers(struct listing *l, unsigned e)
{
    const struct vf_end *end = &l->x->w.end[e];
    unsigned server = dna_vf_slots[e].server;
    uint8_t ids[MAX_IDS];
    if (!dna_vf_slots[e].initiating) {
        for (unsigned i = 0; i < VF_PAIRS; i++) {
            const struct vf_place *p = place_of(l->x, server, i);
            if (p) {
                say(l, e, VF_T_HEADER, p->theirs, p->ours, 0, 0, 0);
            }
        }
        return;
    }
    for (unsigned i = 0, num = worthwhile_ids(l->x, ids); i < num; i++) {
        say(l, e, VF_T_HEADER, end->theirs, end->ours, 0, ids[i], 0);
        if (l->x->does & VF_STRIP) {
            say(l, e, VF_T_HEADER, end->theirs, end->ours, 1, ids[i], 0);
        }
    }
}

static void say_features(struct listing *l, unsigned e)
{
    const struct vf_end *end = &l->x->w.end[e];
    unsigned bidi = l->x->k.bidi ? VF_F_BIDI : 0, dialback = VF_F_DIALBACK | VF_F_ERRORS;
    if (end->cert == VF_CERT_NONE) {
        say(l, e, VF_T_FEATURES, VF_NOBODY, VF_NOBODY, VF_F_STARTTLS | dialback, 0, 0);
        if (!(l->x->does & VF_STRIP)) {
            return;
        }
    }
    if (l->x->config->slots & 1u << VF_ID) { /* errors matter where a target may be supposed */
        say(l, e, VF_T_FEATURES, VF_NOBODY, VF_NOBODY, VF_F_DIALBACK, 0, 0);
    }
    for (unsigned with = 0; with <= bidi; with += VF_F_BIDI) {
        say(l, e, VF_T_FEATURES, VF_NOBODY, VF_NOBODY, dialback | with, 0, 0);
        if (l->x->k.external) {
            say(l, e, VF_T_FEATURES, VF_NOBODY, VF_NOBODY, dialback | VF_F_EXTERNAL | with, 0, 0);
        }
    }
}

static void say_keys(struct listing *l, unsigned e, const struct vf_place *p)
{
    say(l, e, VF_T_KEY, p->theirs, p->ours, 0, 0, 0);
    for (unsigned key = 1; key <= 66; key++) {
        if (knows_key(l->x, key)) {
            say(l, e, VF_T_KEY, p->theirs, p->ours, 0, 0, key);
        }
    }
}

/* As if an authority, or as if asked by db:result; and as if any pair were proved. */
static void say_about_pair(struct listing *l, unsigned e, const struct vf_place *p)
{
    uint8_t ids[MAX_IDS];
    unsigned num = worthwhile_ids(l->x, ids);
    say_keys(l, e, p);
    say(l, e, VF_T_STANZA, p->theirs, p->ours, 0, 0, 0);
    for (unsigned what = 0; what < 3; what++) {
        say(l, e, VF_T_RESULT, p->theirs, p->ours, what, 0, 0);
        for (unsigned i = 1; i < num; i++) {
            say(l, e, VF_T_VERDICT, p->theirs, p->ours, what, ids[i], 0);
        }
    }
}

static void ask_as_target(struct listing *l, unsigned e, const struct vf_place *p)
{
    uint8_t ids[MAX_IDS];
    unsigned num = worthwhile_ids(l->x, ids);
    for (unsigned key = 1; key <= 66; key++) {
        for (unsigned i = 0; i < num && knows_key(l->x, key); i++) {
            say(l, e, VF_T_ASK, p->theirs, p->ours, 0, ids[i], key);
        }
        if (knows_key(l->x, key)) { /* and without an id */
            say(l, e, VF_T_ASK, p->theirs, p->ours, 1, 0, key);
        }
    }
}

static void say_elements(struct listing *l, unsigned e)
{
    struct vf *x = l->x;
    const struct vf_end *end = &x->w.end[e];
    bool opened = dna_vf_slots[e].initiating;
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        const struct vf_place *p = place_of(x, dna_vf_slots[e].server, i);
        if (p && e == VF_Q) {
            ask_as_target(l, e, p);
        } else if (p) {
            say_about_pair(l, e, p);
        }
    }
    if (opened && (end->m == stream_initiating_S_AWAIT_FEATURES || (x->does & VF_FINE))) {
        say_features(l, e);
    } else if (opened) {
        say(l, e, VF_T_FAILURE, VF_NOBODY, VF_NOBODY, 0, 0, 0);
    }
    if (opened) {
        say(l, e, VF_T_PROCEED, VF_NOBODY, VF_NOBODY, 0, 0, 0);
        if (x->does & VF_FINE) { /* with clear text behind it */
            say(l, e, VF_T_PROCEED, VF_NOBODY, VF_NOBODY, 1, 0, 0);
        }
        say(l, e, VF_T_SUCCESS, VF_NOBODY, VF_NOBODY, 0, 0, 0);
        return;
    }
    if ((x->does & VF_FINE) || end->cert != VF_CERT_NONE) {
        say(l, e, VF_T_STARTTLS, VF_NOBODY, VF_NOBODY, 0, 0, 0);
    }
    if (x->does & VF_FINE) { /* with clear text behind it; and to a domain that nobody hosts here */
        say(l, e, VF_T_STARTTLS, VF_NOBODY, VF_NOBODY, 1, 0, 0);
        say(l, e, VF_T_STANZA, VF_M, VF_M, 0, 0, 0);
    }
    if (x->k.external && (x->does & VF_FINE)) {
        say(l, e, VF_T_AUTH, VF_NOBODY, VF_NOBODY, 0, 1, 0);
    }
    if (x->k.bidi) {
        say(l, e, VF_T_BIDI, VF_NOBODY, VF_NOBODY, 0, 0, 0);
    }
    for (unsigned authzid = 0; x->k.external && authzid <= VF_M + 1; authzid++) {
        if (authzid != VF_B + 1) {
            say(l, e, VF_T_AUTH, VF_NOBODY, VF_NOBODY, authzid, 0, 0);
            if (x->does & VF_FINE) {
                say(l, e, VF_T_RESPONSE, VF_NOBODY, VF_NOBODY, authzid, 0, 0);
            }
        }
    }
}

/* A whole negotiation in one move, where a configuration does not look into it.  Left out is what
   makes no difference: a certificate where none counts, an id where no key is made of it, a 'from'
   where none is proved. */
static void negotiate(struct listing *l, unsigned e)
{
    const struct vf *x = l->x;
    const struct vf_end *end = &x->w.end[e];
    uint8_t ids[MAX_IDS];
    bool from_matters = x->k.external || (x->does & VF_SLOW);
    for (unsigned cert = x->does & VF_CERT_OF_M ? VF_CERT_M : VF_CERT_JUNK; cert <= VF_CERT_RESUMED;
         cert++) {
        if (!may_show(x, e, cert)) {
            continue;
        }
        if (dna_vf_slots[e].initiating) {
            unsigned num = dna_vf_slots[e].for_stanzas ? worthwhile_ids(x, ids) : 1;
            for (unsigned i = 0; i < num; i++) {
                add(l, VF_M_SERVE, e,
                    (struct vf_msg){ VF_T_HEADER, end->theirs, end->ours, (uint8_t)cert,
                                     i ? ids[i] : 0, 0 });
            }
            continue;
        }
        for (unsigned i = 0; i < VF_PAIRS; i++) {
            const struct vf_place *p = place_of(x, dna_vf_slots[e].server, i);
            if (p && ((e != VF_Q && from_matters) || i == 0)) {
                add(l, VF_M_OPEN, e,
                    (struct vf_msg){ VF_T_HEADER, p->theirs, p->ours, (uint8_t)cert, 0, 0 });
            }
        }
    }
}

static void attack(struct listing *l, unsigned e)
{
    const struct vf_end *end = &l->x->w.end[e];
    if (!(end->flags & VF_CONNECTED) || (end->flags & VF_HELD)) {
        return;
    }
    say(l, e, VF_T_GONE, VF_NOBODY, VF_NOBODY, 0, 0, 0);
    if (end->flags & VF_HANDSHAKE) {
        for (unsigned cert = VF_CERT_M; cert <= VF_CERT_RESUMED; cert++) {
            if (may_show(l->x, e, cert)) {
                add(l, VF_M_TLS, e, (struct vf_msg){ .what = (uint8_t)cert });
            }
        }
        plain(l, VF_M_TLS_FAILS, e);
    } else if ((end->flags & VF_HEADER_DUE) && !(l->x->does & VF_FINE) &&
               end->cert == VF_CERT_NONE) {
        negotiate(l, e);
        if (l->x->does & VF_STRIP) {
            say_headers(l, e);
        }
    } else if (end->flags & VF_HEADER_DUE) {
        say_headers(l, e);
    } else {
        say_elements(l, e);
        if (l->x->does & VF_TIMERS) {
            say(l, e, VF_T_CLOSE, VF_NOBODY, VF_NOBODY, 0, 0, 0);
            say(l, e, VF_T_ERROR, VF_NOBODY, VF_NOBODY, 0, 0, 0);
            say(l, e, VF_T_UNKNOWN, VF_NOBODY, VF_NOBODY, 0, 0, 0);
        }
    }
}

/* --- the rest of the world --- */

static void tick(struct listing *l, unsigned e)
{
    const struct vf_end *end = &l->x->w.end[e];
    bool opened = dna_vf_slots[e].initiating;
    if (end->flags & VF_CLOSING) {
        plain(l, VF_M_CLOSE_TIMER, e);
        return;
    }
    if (end->flags & VF_CONNECTED) {
        plain(l, VF_M_NEGOTIATION, e);
    }
    if (opened ? (end->flags & VF_READY) : end->s[VF_S_flowing]) {
        plain(l, VF_M_IDLE, e);
        plain(l, VF_M_EXPIRY, e);
    }
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        const struct vf_pair *p = &end->pair[i];
        if (p->flags & VF_ASKED) {
            add(l, VF_M_VERIFY_TIMER, e, (struct vf_msg){ .what = (uint8_t)i });
        }
        if (p->di == dialback_initiating_S_REQUESTED) {
            add(l, VF_M_RESULT_TIMER, e, (struct vf_msg){ .what = (uint8_t)i });
        }
    }
}

bool dna_vf_peer_free(const struct vf *x, unsigned e)
{
    unsigned peer = dna_vf_slots[e].peer;
    return dna_vf_far_is_m(x, e) || (peer != VF_NO_SLOT && (x->config->slots & 1u << peer) &&
                                     !(x->w.end[peer].flags & VF_LIVE));
}

static void network(struct listing *l, unsigned e)
{
    const struct vf_end *end = &l->x->w.end[e];
    bool faults = l->x->does & VF_TIMERS;
    if (end->re == resolution_S_ASKED_SRV) {
        plain(l, VF_M_DNS, e);
        if (faults) {
            plain(l, VF_M_NO_DNS, e);
            plain(l, VF_M_BAD_DNS, e);
            plain(l, VF_M_BARRED, e);
            plain(l, VF_M_BAD_ADDRESS, e);
        }
    } else if (end->re == resolution_S_CONNECTING) {
        if (dna_vf_peer_free(l->x, e)) {
            plain(l, VF_M_CONNECT, e);
        }
        if (faults || dna_vf_slots[e].peer == VF_NO_SLOT) {
            plain(l, VF_M_NO_CONNECT, e);
        }
    }
}

static void settle(struct listing *l, unsigned e)
{
    const struct vf_end *end = &l->x->w.end[e];
    for (unsigned d = 0; d < VF_DOMAINS && end->cert != VF_CERT_NONE; d++) {
        bool wanted = end->theirs == d;
        for (unsigned i = 0; i < VF_PAIRS; i++) {
            const struct vf_place *p = place_of(l->x, dna_vf_slots[e].server, i);
            wanted |= p && p->theirs == d && (end->pair[i].flags & VF_KNOWN);
        }
        if (wanted && !(end->settled & 1u << d)) {
            add(l, VF_M_SETTLE, e, (struct vf_msg){ .what = (uint8_t)d });
        }
    }
}

static void moves_of(struct listing *l, unsigned e)
{
    struct vf *x = l->x;
    const struct vf_end *end = &x->w.end[e];
    bool attackers = e == VF_R1 || e == VF_R2 || e == VF_Q;
    if (!(end->flags & VF_LIVE)) {
        /* R1 and R2 are alike: R2 comes second */
        if (attackers && !(end->flags & VF_SPENT) && (e != VF_R2 || x->w.end[VF_R1].flags)) {
            if (x->does & VF_FINE) {
                plain(l, VF_M_ACCEPT, e);
            } else {
                negotiate(l, e);
            }
            if ((x->does & VF_STRIP) && !(x->does & VF_FINE)) {
                plain(l, VF_M_ACCEPT, e);
            }
        }
        return;
    }
    if (dna_vf_slots[e].initiating) {
        network(l, e);
    }
    if (x->does & VF_SLOW) {
        settle(l, e);
    }
    if (x->does & VF_TIMERS) {
        tick(l, e);
    }
    if (dna_vf_far_is_m(x, e)) {
        attack(l, e);
    } else if (x->w.in[e].num && !(end->flags & VF_HELD)) {
        plain(l, VF_M_DELIVER, e);
    }
}

/* Users wait while the network is busy, so that queues stay short. */
static bool busy(const struct vf *x)
{
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        if (x->w.in[e].num > 1) {
            return true;
        }
    }
    return false;
}

size_t dna_vf_moves(struct vf *x, struct vf_move *out)
{
    struct listing l = { x, out, 0 };
    for (unsigned server = 0; server < 2 && !busy(x); server++) {
        for (unsigned i = 0; i < VF_PAIRS; i++) {
            if (place_of(x, server, i) && !x->w.route[server][i].queued) {
                add(&l, VF_M_SEND, server, (struct vf_msg){ .what = (uint8_t)i });
            }
        }
    }
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        if (x->config->slots & 1u << e) {
            moves_of(&l, e);
        }
    }
    return l.num;
}
