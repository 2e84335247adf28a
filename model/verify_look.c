/* SPDX-License-Identifier: MIT */
/*
 * verify_look.c -- the properties, and the truths that they are held against.
 *
 * A look is taken from the world as it is, ghosts included, never from what the machines concluded:
 * the machines are what is judged.
 */
#include "model/verify_internal.h"

#include <string.h>

#define L (*l)
#define K (*k)
#define PROPERTY(id, when, expr, text, ...)                                    \
    static bool holds_##id(const struct vf_look *l, const struct dna_knobs *k) \
    {                                                                          \
        (void)l;                                                               \
        (void)k;                                                               \
        return expr;                                                           \
    }
#include "model/properties.def"
#undef PROPERTY
#undef L
#undef K

const struct vf_property dna_vf_properties[] = {
#define PROPERTY(id, when, expr, text, ...) \
    { #id, VF_W_##when, holds_##id, #expr, text, (const uint16_t[]){ __VA_ARGS__, DNA_REQ_END } },
#include "model/properties.def"
#undef PROPERTY
};
const size_t dna_vf_num_properties = sizeof dna_vf_properties / sizeof dna_vf_properties[0];
_Static_assert(sizeof dna_vf_properties / sizeof dna_vf_properties[0] <= 64,
               "struct vf.broken has a bit each");

const char *const dna_vf_when_name[VF_WHENS] = { "ACCEPT", "DELIVER", "TRANSMIT", "ANSWER",
                                                 "ASK",    "VOUCH",   "GRANT",    "SECURED",
                                                 "ERROR",  "SUPPOSE", "KEY",      "DEAD",
                                                 "LOGIN",  "SETTLED", "STILL",    "ENDLESS",
                                                 "PROVE",  "CONNECT", "OFFER",    "UNASKED" };

void dna_vf_look(struct vf *x, struct vf_ref r, struct vf_look *l)
{
    const struct vf_end *end = &x->w.end[r.e];
    bool refuted;
    memset(l, 0, sizeof *l);
    x->about = (struct vf_place){ r.ours, r.theirs };
    l->opened = dna_vf_slots[r.e].initiating;
    l->secured = end->cert != VF_CERT_NONE;
    l->proved = dna_vf_truly_proved(x, r.e, r.theirs, &refuted);
    l->refuted = refuted;
    l->shown = dna_vf_shown(x, r.e, r.theirs);
    l->agree = r.theirs < VF_DOMAINS && dna_vf_far_server(x, r.e) == dna_vf_owner(x, r.theirs);
    l->requested = (r.p->flags & VF_G_REQUESTED) != 0;
    l->vouched = (r.p->flags & VF_G_VOUCHED) != 0;
    l->keyed = (r.p->flags & VF_G_KEYED) != 0;
    l->external = (end->flags & VF_G_AUTH) && end->gours == r.ours && end->gtheirs == r.theirs;
    l->granted = (r.p->flags & VF_G_GRANTED) || (l->opened && l->external);
    l->bidi = (end->flags & VF_G_BIDI) != 0;
    l->errors_known = end->s[VF_S_peer_errors] || end->s[VF_S_bidi];
    l->flowing =
        end->s[VF_S_flowing] && !(end->flags & (VF_HANDSHAKE | VF_CLOSING | VF_HEADER_DUE));
    l->authzid_fits = 1;
    for (unsigned i = 0; i < VF_PAIRS; i++) {
        const struct vf_pair *p = &end->pair[i];
        l->others += p != r.p && (p->flags & VF_KNOWN) && dna_vf_takes(p);
    }
}

void dna_vf_observe(struct vf *x, enum vf_when when, const struct vf_look *l)
{
    x->seen |= 1u << when;
    for (size_t i = 0; i < dna_vf_num_properties; i++) {
        const struct vf_property *p = &dna_vf_properties[i];
        if (p->when == when && !p->holds(l, &x->k)) {
            x->broken |= dna_vf_bit(i);
            if (x->say) {
                fprintf(x->say, "   !!   %s is violated: %s\n", p->id, p->text);
            }
        }
    }
}

void dna_vf_observe_pair(struct vf *x, enum vf_when when, struct vf_ref r)
{
    struct vf_look l;
    if (x->say && x->rows) {
        fprintf(x->say, "        %-2s (%s) %s > %s\n", dna_vf_slots[r.e].name,
                dna_vf_when_name[when], dna_vf_domain_name[r.theirs], dna_vf_domain_name[r.ours]);
    }
    dna_vf_look(x, r, &l);
    dna_vf_observe(x, when, &l);
}
