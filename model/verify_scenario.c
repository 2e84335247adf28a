/* SPDX-License-Identifier: MIT */
/*
 * verify_scenario.c -- a way to a planted bug, as a scenario that is replayed over sockets.
 *
 * B becomes the server under test, A and M peers of the laboratory.  What the attacker does is
 * taken from the shortest way to the violation; what B must answer, from the same moves on the
 * tables without the bug.  So the reference passes, and a server with the bug fails by another
 * answer or by what `forbid` names.
 */
#include "model/verify_run.h"

#include <string.h>

struct script {
    FILE *out;
    struct vf *x;
    unsigned macro; /* the end whose negotiation a procedure of the prelude stands for */
    bool then;      /* the claim has begun */
    bool ended[VF_SLOTS];
    bool impossible, never_asks;
};

static const char *domain(unsigned d)
{
    static const char *const names[] = { "$a", "$iut", "$m", "$c", "$iut2", "-" };
    return names[d];
}

static void id_name(unsigned id, char out[16])
{
    static const char *const names[] = { "none",    "r1clear", "r1",    "r1sasl",
                                         "r2clear", "r2",      "r2sasl" };
    snprintf(out, 16, "%s", id <= 6 ? names[id] : "other");
}

/* The variable that holds a key; junk for one that nobody made. */
static void key_name(unsigned key, char out[16])
{
    if (key) {
        snprintf(out, 16, "key%u", key);
    } else {
        snprintf(out, 16, "junk");
    }
}

static void conn(unsigned e, char out[16])
{
    size_t n = 0;
    for (const char *c = dna_vf_slots[e].name; *c; c++) {
        out[n++] = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
    }
    out[n] = '\0';
}

static const char *actor(const struct vf *x, unsigned e)
{
    return dna_vf_far_is_m(x, e) ? "M" : "A";
}

static void begin_then(struct script *s)
{
    if (!s->then) {
        fputs("then:\n", s->out);
        s->then = true;
    }
}

/* --- what goes in --- */

static void say_in(struct script *s, unsigned e, const struct vf_msg *m)
{
    static const char *const type[] = { "valid", "invalid", "error" };
    char name[16], id[16], key[16];
    conn(e, name);
    id_name(m->id, id);
    key_name(m->key, key);
    switch (m->type) {
    case VF_T_KEY:
        fprintf(s->out, "M.%s < <db:result from='%s' to='%s'>$%s</db:result>\n", name,
                domain(m->from), domain(m->to), key);
        break;
    case VF_T_RESULT:
        begin_then(s);
        fprintf(s->out, "M.%s < <db:result from='%s' to='%s' type='%s'/>\n", name, domain(m->from),
                domain(m->to), type[m->what]);
        break;
    case VF_T_VERDICT:
        begin_then(s);
        fprintf(s->out, "M.%s < <db:verify from='%s' to='%s' id='$%s' type='%s'/>\n", name,
                domain(m->from), domain(m->to), id, type[m->what]);
        break;
    case VF_T_STANZA:
        begin_then(s);
        fprintf(s->out, "do intrudes M U conn=%s from=%s\n", name, domain(m->from));
        break;
    case VF_T_AUTH:
        begin_then(s);
        if (m->what) {
            fprintf(s->out, "set $authzid = base64 \"%s\"\n", domain(m->what - 1u));
        }
        fprintf(s->out, "M.%s < <sasl:auth mechanism='EXTERNAL'>%s</sasl:auth>\n", name,
                m->what ? "$authzid" : "=");
        break;
    case VF_T_HEADER:
        fprintf(s->out, "M.%s < <stream:stream from='%s' to='%s'>\n", name, domain(m->from),
                domain(m->to));
        break;
    case VF_T_BIDI:
        fprintf(s->out, "M.%s < <bidi:bidi/>\n", name);
        break;
    case VF_T_GONE:
        fprintf(s->out, "M.%s < fin\n", name);
        break;
    default:
        s->impossible = true;
    }
}

/* --- what comes out --- */

static void expect_asked(struct script *s, unsigned e, const struct vf_msg *m)
{
    char name[16], id[16], key[16];
    conn(e, name);
    id_name(m->id, id);
    key_name(m->key, key);
    fprintf(s->out, "do serve-verification %s %s from=%s to=%s id=%s key=%s%s\n", actor(s->x, e),
            name, domain(m->to), domain(m->from), id, key,
            s->x->w.end[e].cert == VF_CERT_JUNK ? " cert=Junk" : "");
}

static void expect_out(struct script *s, unsigned e, const struct vf_msg *m)
{
    static const char *const type[] = { "valid", "invalid", "error" };
    char name[16], id[16];
    conn(e, name);
    switch (m->type) {
    case VF_T_RESULT:
        begin_then(s);
        fprintf(s->out, "M.%s > <db:result from='%s' to='%s' type='%s'/>\n", name, domain(m->from),
                domain(m->to), type[m->what]);
        break;
    case VF_T_ERROR:
        begin_then(s);
        fprintf(s->out, "M.%s > <stream:error/>\n", name);
        break;
    case VF_T_CLOSE:
    case VF_T_GONE:
        if (!s->ended[e] && !dna_vf_slots[e].initiating) {
            fprintf(s->out, "M.%s > end\n", name);
        }
        s->ended[e] = true;
        break;
    case VF_T_SUCCESS:
        fprintf(s->out, "M.%s > <sasl:success/>\n", name);
        break;
    case VF_T_FAILURE:
        begin_then(s);
        fprintf(s->out, "M.%s > <sasl:failure/>\n", name);
        break;
    case VF_T_HEADER:
        id_name(m->id, id);
        fprintf(s->out, "M.%s > <stream:stream from='%s' id='$%s'>\n", name, domain(m->from), id);
        break;
    case VF_T_FEATURES:
        fprintf(s->out, "M.%s > <stream:features/>\n", name);
        break;
    default:
        s->impossible = true;
    }
}

static void saw(void *arg, unsigned e, bool out, const struct vf_msg *m)
{
    struct script *s = arg;
    if (m->type == VF_T_ASK && e == VF_VA && out) {
        expect_asked(s, e, m);
    } else if (m->type == VF_T_VERDICT && e == VF_VR && out) {
        static const char *const type[] = { "valid", "invalid", "error" };
        char id[16];
        id_name(m->id, id);
        fprintf(s->out, "A.va < <db:verify from='%s' to='%s' id='$%s' type='%s'/>\n",
                domain(m->from), domain(m->to), id, type[m->what]);
    } else if (!dna_vf_far_is_m(s->x, e) || dna_vf_slots[e].server != VF_SB) {
        return;
    } else if (m->type == VF_T_ASK && out) {
        expect_asked(s, e, m);
    } else if (s->macro == e) {
        return;
    } else if (out) {
        expect_out(s, e, m);
    } else {
        say_in(s, e, m);
    }
}

/* --- the script --- */

static void play(struct script *s, const struct vf_move *move)
{
    char name[16];
    conn(move->e, name);
    s->macro = move->kind == VF_M_OPEN || move->kind == VF_M_SERVE || move->kind == VF_M_DNS
                   ? move->e
                   : VF_NO_SLOT;
    if (move->kind == VF_M_OPEN) {
        fprintf(s->out, "do open M conn=%s from=%s id=%s cert=%s\n", name, domain(move->m.from),
                name, move->m.what == VF_CERT_M ? "default" : "Junk");
    }
    s->impossible |= move->kind != VF_M_OPEN && move->kind != VF_M_SERVE &&
                     move->kind != VF_M_DNS && move->kind != VF_M_SAY && move->kind != VF_M_CONNECT;
    dna_vf_apply(s->x, move);
    s->macro = VF_NO_SLOT;
}

/* Without the bug a stream may not exist, or have ended, that the attacker used with it. */
static bool possible(struct vf *x, const struct vf_move *move)
{
    static struct vf_move moves[VF_MAX_MOVES];
    for (size_t i = 0, num = dna_vf_moves(x, moves); i < num; i++) {
        if (memcmp(&moves[i], move, sizeof *move) == 0) {
            return true;
        }
    }
    return false;
}

static void head(struct script *s, const struct vf_planted *bug, size_t property,
                 const struct vf_place *victim)
{
    const struct vf_property *p = &dna_vf_properties[property];
    fprintf(s->out, "# Made by: model-tool verify --bug %s --scenario FILE.  %s, %s: %s.\n",
            bug->id, bug->config, p->id, bug->text);
    if (bug->rows[0] && !bug->world) {
        fprintf(s->out, "# Planted: %s\n", bug->rows);
    }
    fprintf(s->out, "claim    A server is refused in which %s (%s).\nreq     ", bug->text,
            bug->seen);
    for (const uint16_t *r = p->because; *r != DNA_REQ_END; r++) {
        if (dna_requirement((enum dna_req) * r)->level != DNA_LEVEL_DECISION) {
            fprintf(s->out, " %s", dna_requirement((enum dna_req) * r)->id);
        }
    }
    fprintf(s->out,
            "\nlevel    must\nrole     receiving\n%sneeds    dialback c2s\n"
            "impact   Anyone could speak for another domain.\nrev      1\n"
            "domain   a m\ncert     Junk dns=$m issuer=self\npeer     A $a\npeer     M $m\nclient  "
            " U juliet\n",
            strstr(s->x->config->knobs, "inbound_proof_required=1") ? "variant  strict\n" : "");
    fputs("forbid   U > <message id='bad-$case'/>\n", s->out);
    if (victim->theirs < VF_DOMAINS) {
        fprintf(s->out, "forbid   M > <db:result to='%s' type='valid'/>\n", domain(victim->theirs));
    }
    if (s->never_asks) {
        fputs("forbid   M accept\n", s->out);
    }
    fputs("\ngiven:\nset $junk = random\n", s->out);
}

/* Whether B, without the bug, never gets to ask m about a key, which it does with it. */
static bool never_asks(const struct vf_search *s, const struct vf_move *moves, size_t num)
{
    struct vf x;
    bool with = false, without = false, possible_still = true;
    dna_vf_init(&x, s->config, 0);
    for (size_t i = 0; i < num; i++) {
        with |= moves[i].e == VF_VM;
        possible_still = possible_still && possible(&x, &moves[i]);
        if (possible_still) {
            dna_vf_apply(&x, &moves[i]);
            without |= x.w.end[VF_VM].flags & VF_LIVE;
        }
    }
    return with && !without;
}

/* The pair whose proof the bug spoils: found by playing the way once with the bug in place. */
static struct vf_place victim_of(const struct vf_search *s, const struct vf_move *moves, size_t num)
{
    struct vf x;
    dna_vf_init(&x, s->config, s->bugs);
    for (size_t i = 0; i < num; i++) {
        dna_vf_apply(&x, &moves[i]);
    }
    return x.about;
}

int dna_vf_scenario(const struct vf_planted *bug, const struct vf_search *s, size_t property,
                    FILE *out)
{
    struct vf_move moves[64];
    struct vf x;
    struct script script = { .out = out, .x = &x, .macro = VF_NO_SLOT };
    size_t num = dna_vf_trace(s, property, moves, 64);
    struct vf_place victim = victim_of(s, moves, num);
    bool fits = strncmp(bug->rows, "DA", 2) != 0 &&
                (s->config->does & (VF_FINE | VF_TIMERS | VF_SPOOF_A | VF_SPOOF_B | VF_ASYNC)) == 0;
    dna_interp_restore();
    dna_vf_init(&x, s->config, 0);
    script.never_asks = never_asks(s, moves, num);
    x.saw = saw;
    x.saw_arg = &script;
    head(&script, bug, property, &victim);
    for (size_t i = 0; i < num && possible(&x, &moves[i]); i++) {
        play(&script, &moves[i]);
    }
    begin_then(&script);
    struct vf_move last = { VF_M_SAY, VF_R1, { VF_T_STANZA, victim.theirs, victim.ours, 0, 0, 0 } };
    if ((x.w.end[VF_R1].flags & VF_LIVE) && moves[num - 1].m.type != VF_T_STANZA) {
        play(&script, &last);
    }
    fputs("U barrier\n", out);
    return fits && !script.impossible && num > 0 ? 0 : -1;
}
