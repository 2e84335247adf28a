/* SPDX-License-Identifier: MIT */
/*
 * verify_print.c -- what happened, for people: one line a move, one a message.
 */
#include "model/verify_internal.h"

static const char *const result_name[] = { "valid", "invalid", "error" };
static const char *const cert_name[] = { "nothing", "its domain's certificate",
                                         "the certificate of m",
                                         "a certificate that nobody trusts",
                                         "none, but asks for the session of an earlier stream" };
static const char *const server_name[] = { "A", "B", "M" };

static void print_id(unsigned id, FILE *to)
{
    if (id == 0) {
        fputs("made-up", to);
    } else if (id <= 9) {
        fprintf(to, "%s.%u", id <= 3 ? "R1" : id <= 6 ? "R2" : "RB", (id - 1) % 3 + 1);
    } else {
        fputs("other", to);
    }
}

static void print_key(const struct vf *x, unsigned key, FILE *to)
{
    if (!key) {
        fputs("junk", to);
        return;
    }
    unsigned pair = (key - 1) / 11;
    const struct vf_place *p = &x->config->places[pair / VF_PAIRS][pair % VF_PAIRS];
    fprintf(to, "K(%s,%s,", dna_vf_domain_name[p->ours], dna_vf_domain_name[p->theirs]);
    print_id((key - 1) % 11, to);
    fputc(')', to);
}

static void print_features(unsigned what, FILE *to)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = { { VF_F_STARTTLS, "starttls" },
                  { VF_F_EXTERNAL, "EXTERNAL" },
                  { VF_F_DIALBACK, "dialback" },
                  { VF_F_ERRORS, "errors" },
                  { VF_F_BIDI, "bidi" } };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (what & names[i].bit) {
            fprintf(to, " %s", names[i].name);
        }
    }
}

static void print_content(const struct vf *x, const struct vf_msg *m, FILE *to)
{
    fputs(dna_vf_type_name[m->type], to);
    if (m->type == VF_T_FEATURES) {
        print_features(m->what, to);
    }
    if (m->type == VF_T_HELLO && m->what) {
        fprintf(to, " with %s", cert_name[m->what]);
    }
    if (m->type == VF_T_AUTH && m->what) {
        fprintf(to, " authzid=%s", dna_vf_domain_name[m->what - 1]);
    }
    if (m->what && (m->type == VF_T_STARTTLS || m->type == VF_T_PROCEED)) {
        fputs(" with clear text behind it", to);
    }
    if (m->type == VF_T_AUTH && m->id) {
        fputs(" without an initial response", to);
    }
    if (m->from != VF_NOBODY || m->to != VF_NOBODY) {
        fprintf(to, " from=%s to=%s", dna_vf_domain_name[m->from], dna_vf_domain_name[m->to]);
    }
    if (m->type == VF_T_RESULT || m->type == VF_T_VERDICT) {
        fprintf(to, " type=%s", result_name[m->what]);
    }
    if (m->type == VF_T_HEADER || m->type == VF_T_ASK || m->type == VF_T_VERDICT) {
        fputs(" id=", to);
        print_id(m->id, to);
    }
    if (m->type == VF_T_KEY || m->type == VF_T_ASK) {
        fputs(" key=", to);
        print_key(x, m->key, to);
    }
}

/* A negotiation that is one move, or goes on between honest servers, is told in one line. */
static bool told_elsewhere(const struct vf *x, const struct vf_msg *m)
{
    return !x->rows && !(x->does & VF_FINE) && m->type >= VF_T_HEADER && m->type <= VF_T_FINISHED &&
           m->type != VF_T_FEATURES;
}

void dna_vf_print_msg(const struct vf *x, unsigned e, bool out, const struct vf_msg *m, FILE *to)
{
    if (told_elsewhere(x, m) ||
        (m->type == VF_T_FEATURES && !x->rows && (m->what & VF_F_STARTTLS))) {
        return;
    }
    const char *here = server_name[dna_vf_slots[e].server],
               *far = server_name[dna_vf_far_server(x, e) % 3];
    if (m->type == VF_T_GONE && out) {
        fprintf(to, "    %s --x    %s  %-2s  closes TCP\n", here, far, dna_vf_slots[e].name);
        return;
    }
    fprintf(to, "    %s %s %s  %-2s  ", out ? here : far, "------>", out ? far : here,
            dna_vf_slots[e].name);
    print_content(x, m, to);
    fputc('\n', to);
}

void dna_vf_print_move(const struct vf *x, const struct vf_move *move, FILE *out)
{
    static const char *const text[VF_KINDS] = {
        [VF_M_DELIVER] = "what is under way arrives",
        [VF_M_TLS] = "TLS comes up",
        [VF_M_TLS_FAILS] = "the TLS handshake fails",
        [VF_M_DNS] = "DNS answers",
        [VF_M_NO_DNS] = "DNS says: no such service",
        [VF_M_BAD_DNS] = "DNS answers with what does not validate",
        [VF_M_BAD_ADDRESS] = "DNS answers, but with an address that does not validate",
        [VF_M_BARRED] = "DNS answers, and a prooftype bars the place",
        [VF_M_CONNECT] = "the connection is up",
        [VF_M_NO_CONNECT] = "nothing listens there",
        [VF_M_SETTLE] = "what may prove a domain is in",
        [VF_M_NEGOTIATION] = "the time for negotiation is over",
        [VF_M_IDLE] = "nothing has happened for long",
        [VF_M_EXPIRY] = "the certificate expires",
        [VF_M_CLOSE_TIMER] = "the peer does not close",
        [VF_M_VERIFY_TIMER] = "the authority does not answer in time",
        [VF_M_RESULT_TIMER] = "the receiving server does not answer in time",
        [VF_M_ACCEPT] = "the attacker connects",
    };
    if (move->kind == VF_M_SEND) {
        const struct vf_place *p = &x->config->places[move->e][move->m.what];
        fprintf(out, "* a user of %s sends a stanza to %s\n", dna_vf_domain_name[p->ours],
                dna_vf_domain_name[p->theirs]);
        return;
    }
    if (move->kind == VF_M_OPEN || move->kind == VF_M_SERVE) {
        fprintf(out, "* %s: the attacker %s and secures it, as %s, with %s",
                dna_vf_slots[move->e].name,
                move->kind == VF_M_OPEN ? "opens a stream" : "answers the stream",
                dna_vf_domain_name[move->m.from], cert_name[move->m.what]);
        fputs(move->kind == VF_M_SERVE ? ", id=" : "", out);
        if (move->kind == VF_M_SERVE) {
            print_id(move->m.id, out);
        }
        fputc('\n', out);
        return;
    }
    if (move->kind == VF_M_SAY) {
        return; /* what it says comes next */
    }
    unsigned far = dna_vf_far_server(x, move->e);
    fprintf(out, "* %s: %s%s%s\n", dna_vf_slots[move->e].name, text[move->kind],
            move->kind == VF_M_DNS ? ": " : "",
            move->kind == VF_M_DNS
                ? far == VF_SM ? "the attacker's address" : "the server's own address"
                : "");
}
