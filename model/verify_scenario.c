/* SPDX-License-Identifier: MIT */
/*
 * verify_scenario.c -- a way to a planted bug, as a scenario that is replayed over sockets.
 *
 * B becomes the server under test, A and M peers of the laboratory.  What the attacker does is
 * taken from the shortest way to the violation; where B must refuse, from the same moves on the
 * tables without the bug.  How it refuses is its own affair: each refusal is a procedure of
 * prelude.scn that takes whatever the texts allow there.  What B must not do stands in `forbid`, or
 * is a stanza that has to arrive, so a server with the bug fails, however it signals.
 */
#include "model/verify_run.h"

#include <stdlib.h>
#include <string.h>

enum { SAYS_VALID, SAYS_INVALID, SAYS_ERROR }; /* vf_msg.what of db:result and db:verify */

struct script {
    FILE *out;
    struct vf *x;
    unsigned macro; /* the end whose negotiation a procedure of the prelude stands for */
    bool then;      /* the claim has begun */
    bool asked[VF_DOMAINS];        /* B was seen to ask about a key of this domain */
    const char *intruder[VF_SLOTS]; /* whose stanza went in last, and waits to be refused */
    const char *named;             /* the domain that the attacker named last, on any stream */
    bool impossible;
    bool never_asks; /* B never asks M about a key, which it does with the bug */
    bool bystander;  /* another pair is proved beforehand, and has to go on */
    bool external, bidi, login_refused, key_of_a, answered, wrong_key;
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

static void say_verdict(struct script *s, const char *who, const struct vf_msg *m)
{
    char id[16];
    id_name(m->id, id);
    fprintf(s->out, "%s < <db:verify from='%s' to='%s' id='$%s' ", who, domain(m->from),
            domain(m->to), id);
    s->wrong_key |= m->what == SAYS_INVALID;
    if (m->what == SAYS_ERROR) {
        fputs("type='error'><error type='cancel'><stz:item-not-found/></error></db:verify>\n",
              s->out);
    } else {
        fprintf(s->out, "type='%s'/>\n", m->what == SAYS_VALID ? "valid" : "invalid");
    }
}

static void say_auth(struct script *s, const char *who, const struct vf_msg *m)
{
    s->external = true;
    if (m->what) {
        fprintf(s->out, "set $authzid = base64 \"%s\"\n", domain(m->what - 1u));
    }
    fprintf(s->out, "%s < <sasl:auth mechanism='EXTERNAL'>%s</sasl:auth>\n", who,
            m->what ? "$authzid" : "=");
}

static void say_in(struct script *s, unsigned e, const struct vf_msg *m)
{
    static const char *const type[] = { "valid", "invalid", "error" };
    char name[16], key[16], who[20];
    conn(e, name);
    key_name(m->key, key);
    snprintf(who, sizeof who, "M.%s", name);
    if (m->from != VF_NOBODY && m->type != VF_T_STANZA) {
        s->named = domain(m->from);
    }
    switch (m->type) {
    case VF_T_KEY:
        s->key_of_a |= m->from == VF_A;
        fprintf(s->out, "%s < <db:result from='%s' to='%s'>$%s</db:result>\n", who,
                domain(m->from), domain(m->to), key);
        break;
    case VF_T_RESULT:
        begin_then(s);
        fprintf(s->out, "%s < <db:result from='%s' to='%s' type='%s'/>\n", who, domain(m->from),
                domain(m->to), type[m->what]);
        break;
    case VF_T_VERDICT:
        begin_then(s);
        s->answered = true;
        say_verdict(s, who, m);
        break;
    case VF_T_STANZA:
        begin_then(s);
        s->intruder[e] = m->from == VF_NOBODY ? s->named : domain(m->from);
        fprintf(s->out, "do intrudes M U conn=%s from=%s\n", name, s->intruder[e]);
        break;
    case VF_T_AUTH:
        say_auth(s, who, m);
        break;
    case VF_T_HEADER:
        begin_then(s);
        fprintf(s->out, "%s < <stream:stream from='%s' to='%s'>\n", who, domain(m->from),
                domain(m->to));
        break;
    case VF_T_BIDI:
        s->bidi = true;
        fprintf(s->out, "%s < <bidi:bidi/>\n", who);
        break;
    case VF_T_GONE:
        fprintf(s->out, "%s < fin\n", who);
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
    s->asked[m->to] = true;
    fprintf(s->out, "do serve-verification %s %s from=%s to=%s id=%s key=%s%s\n", actor(s->x, e),
            name, domain(m->to), domain(m->from), id, key,
            s->x->w.end[e].cert == VF_CERT_JUNK ? " cert=Junk" : "");
}

/* The answer to a key: valid, which the attacker may get for its own domain, or a refusal. */
static void expect_result(struct script *s, unsigned e, const struct vf_msg *m)
{
    char name[16], pair[64];
    conn(e, name);
    snprintf(pair, sizeof pair, "conn=%s from=%s to=%s", name, domain(m->to), domain(m->from));
    if (m->what == SAYS_VALID && s->asked[m->to]) {
        fprintf(s->out, "M.%s > <db:result from='%s' to='%s' type='valid'/>\n", name,
                domain(m->from), domain(m->to));
        return;
    }
    if (m->what == SAYS_VALID) {
        fprintf(s->out, "do valid-at-once-or-verified M M %s id=%s key=junk\n", pair, name);
        return;
    }
    begin_then(s);
    if (s->never_asks && !s->asked[m->to]) {
        fprintf(s->out, "do refused-whoever-vouches M M %s id=%s key=junk\n", pair, name);
    } else {
        fprintf(s->out, "do not-believed M %s\n", pair);
    }
    if (s->bystander) {
        fprintf(s->out, "do delivers M U conn=%s from=$c\n", name);
    }
}

/* The stanza that was sent in last is refused.  That a stream ends for another reason is not asked
   for: what is sent on it afterwards must be without effect, that is all. */
static void expect_refusal(struct script *s, unsigned e)
{
    char name[16];
    conn(e, name);
    if (s->intruder[e]) {
        fprintf(s->out, "do intrusion-refused M conn=%s from=%s\n", name, s->intruder[e]);
        s->intruder[e] = NULL;
    }
}

static void expect_out(struct script *s, unsigned e, const struct vf_msg *m)
{
    char name[16], id[16];
    conn(e, name);
    switch (m->type) {
    case VF_T_RESULT:
        expect_result(s, e, m);
        break;
    case VF_T_ERROR:
    case VF_T_CLOSE:
    case VF_T_GONE:
        expect_refusal(s, e);
        break;
    case VF_T_SUCCESS:
        fprintf(s->out, "M.%s > <sasl:success/>\n", name);
        break;
    case VF_T_FAILURE:
        begin_then(s);
        s->login_refused = true;
        fprintf(s->out, "do login-refused M conn=%s\n", name);
        break;
    case VF_T_HEADER:
        id_name(m->id, id);
        fprintf(s->out, "do header-answered-or-refused M conn=%s to=%s id=%s\n", name,
                domain(m->from), id);
        break;
    case VF_T_FEATURES:
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
        say_verdict(s, "A.va", m);
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
        bool proved = move->m.what == VF_CERT_M && move->m.from == VF_M;
        s->named = domain(move->m.from);
        fprintf(s->out, "do %s M conn=%s from=%s id=%s cert=%s\n",
                proved ? "open" : "open-unproved", name, s->named, name,
                move->m.what == VF_CERT_M ? "default" : "Junk");
    }
    if (move->kind == VF_M_OPEN && s->bystander) {
        fprintf(s->out, "do dialback-request M conn=%s from=$c id=%s key=ckey\n", name, name);
        fprintf(s->out, "do authority C vc from=$c id=%s key=ckey\n", name);
        fprintf(s->out, "M.%s > <db:result from='$iut' to='$c' type='valid'/>\n", name);
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

/* The variant of a profile in which policy is as in the configuration (conformance/PORTING.md). */
static const char *variant(const char *knobs)
{
    bool strict = strstr(knobs, "inbound_proof_required=1") != NULL;
    if (strstr(knobs, "external_without_proof=1")) {
        return strict ? "variant  severe\n" : "variant  trusting\n";
    }
    return strict ? "variant  strict\n" : "";
}

static void head(const struct script *s, FILE *out, const struct vf_planted *bug, size_t property,
                 const struct vf_place *victim)
{
    const struct vf_property *p = &dna_vf_properties[property];
    fprintf(out, "# Made by: model-tool verify --bug %s --scenario FILE.  %s, %s: %s.\n", bug->id,
            bug->config, p->id, bug->text);
    fprintf(out, "claim    The attack fails that works where %s (%s).\nreq     ", bug->text,
            bug->seen);
    for (const uint16_t *r = p->because; *r != DNA_REQ_END; r++) {
        if (dna_requirement((enum dna_req) * r)->level != DNA_LEVEL_DECISION) {
            fprintf(out, " %s", dna_requirement((enum dna_req) * r)->id);
        }
    }
    /* XEP-0220 2.2.1: a server MAY keep the stream of a wrong key for the sake of other pairs. */
    fprintf(out, "\nlevel    %s\nrole     receiving\n%s",
            s->bystander && s->wrong_key ? "may" : "must",
            variant(s->x->config->knobs));
    fprintf(out, "needs    dialback c2s%s%s%s\nimpact   %s\nrev      2\n",
            s->external ? " external" : "", s->bidi ? " bidi" : "",
            s->bystander ? " piggyback-in" : "",
            s->bystander ? "Whoever shares a stream with others can cut them off."
                         : "Anyone could speak for another domain.");
    fprintf(out,
            "domain   a m%s\ncert     Junk dns=$m issuer=self\npeer     A $a\npeer     M $m\n%s",
            s->bystander ? " c" : "", s->bystander ? "peer     C $c\n" : "");
    fputs("client   U juliet\n", out);
    if (!s->bystander) { /* whose stanza it is that has to arrive */
        fputs("forbid   U > <message id='bad-$case'/>\n", out);
    }
    if (!s->bystander && victim->theirs < VF_DOMAINS) {
        fprintf(out, "forbid   M > <db:result to='%s' type='valid'/>\n", domain(victim->theirs));
    }
    if (s->login_refused) {
        fputs("forbid   M > <sasl:success/>\n", out);
    }
    if (s->key_of_a && !s->bystander) {
        fputs("forbid   M > <db:verify to='$a'/>\n", out);
    }
    fputs("\ngiven:\nset $junk = random\n", out);
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

/* What happens without the bug, as far as it goes, and a stanza at the end. */
static void body(struct script *s, const struct vf_move *moves, size_t num,
                 const struct vf_place *victim)
{
    struct vf_move last = { VF_M_SAY,
                            VF_R1,
                            { VF_T_STANZA, victim->theirs, victim->ours, 0, 0, 0 } };
    for (size_t i = 0; i < num && possible(s->x, &moves[i]); i++) {
        play(s, &moves[i]);
    }
    begin_then(s);
    if (s->key_of_a && !s->asked[VF_A] && !s->answered) { /* the way ends where B would ask a */
        fputs("do authority-asked-or-refused M A conn=r1 from=$a id=r1 key=junk\n", s->out);
    }
    if ((s->x->w.end[VF_R1].flags & VF_LIVE) && moves[num - 1].m.type != VF_T_STANZA &&
        !s->bystander) {
        play(s, &last);
    }
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        if (s->intruder[e]) {
            expect_refusal(s, e);
        }
    }
    fputs("U barrier\n", s->out);
}

int dna_vf_scenario(const struct vf_planted *bug, const struct vf_search *s, size_t property,
                    FILE *out)
{
    struct vf_move moves[64];
    struct vf x;
    char *text = NULL;
    size_t size, num = dna_vf_trace(s, property, moves, 64);
    struct script script = { .x = &x, .macro = VF_NO_SLOT, .named = "$a" };
    struct vf_place victim = victim_of(s, moves, num);
    bool fits = strncmp(bug->rows, "DA", 2) != 0 &&
                (s->config->does & (VF_FINE | VF_TIMERS | VF_SPOOF_A | VF_SPOOF_B | VF_ASYNC)) == 0;
    dna_interp_restore();
    dna_vf_init(&x, s->config, 0);
    script.never_asks = never_asks(s, moves, num);
    script.bystander = strcmp(dna_vf_properties[property].id, "S16") == 0;
    script.out = open_memstream(&text, &size);
    if (!script.out || num == 0) {
        return -1;
    }
    x.saw = saw;
    x.saw_arg = &script;
    body(&script, moves, num, &victim);
    if (fclose(script.out) == 0) {
        head(&script, out, bug, property, &victim);
        fputs(text, out);
        fits = fits && !script.impossible;
    } else {
        fits = false;
    }
    free(text);
    return fits ? 0 : -1;
}
