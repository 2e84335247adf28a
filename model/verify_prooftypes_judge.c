/* SPDX-License-Identifier: MIT */
/*
 * verify_prooftypes_judge.c -- what is true of a certificate, said in the words of the texts and of
 * the knobs; and what the tables make of every certificate in one state of the world.
 *
 * A certificate is what each prooftype sees of it.  Where all that is shared by them is the same
 * (whether there is one, whether it is in time), each is tried with all that it can tell apart, and
 * what comes of it is put together in every way: proof.def sees no more than what each says.
 */
#include "model/verify_prooftypes.h"

#include "model/cell.h"

#include <string.h>

enum { MAX_PARTS = 24 };

/* One outcome of one prooftype: what it said, and what is true. */
struct part {
    uint8_t says;
    bool true_, against;
};

struct parts {
    struct part at[MAX_PARTS];
    size_t num;
};

bool dna_vq_inbound(const struct vq *x)
{
    return x->config->what == VQ_INBOUND;
}

bool dna_vq_dane_sought(const struct vq *x)
{
    const struct dna_knobs *k = dna_vq_knobs(x);
    return x->w.validating && (dna_vq_inbound(x) ? k->dane_inbound : k->dane);
}

bool dna_vq_posh_sought(const struct vq *x)
{
    const struct dna_knobs *k = dna_vq_knobs(x);
    return x->w.possible && (dna_vq_inbound(x) ? k->posh_inbound : k->posh);
}

/* RFC 7673 3.1, 3.2: the endpoint was found securely, so that its TLSA records may be sought. */
bool dna_vq_dane_trusted(const struct vq *x, const struct vq_place *p)
{
    return dna_vq_dane_sought(x) && p->told && !(p->facts & VQ_LOOKUP_FAILED) &&
           (p->facts & VQ_SRV_SECURE) && (p->facts & VQ_ADDRESS_SECURE) &&
           ((p->facts & VQ_FROM_SRV) || dna_vq_knobs(x)->tlsa_without_srv);
}

bool dna_vq_pending(const struct vq *x)
{
    bool any = x->w.srv_asked || x->w.fetching;
    for (unsigned i = 0; i < x->w.num_places; i++) {
        any |= x->w.place[i].asked || x->w.place[i].address_asked;
    }
    return any;
}

static bool has_records(const struct vq *x, unsigned place, enum vq_answer what)
{
    const struct vq_place *p = &x->w.place[place];
    return dna_vq_dane_trusted(x, p) && p->answer == what;
}

static bool failed(const struct vq *x, unsigned place)
{
    const struct vq_place *p = &x->w.place[place];
    return dna_vq_dane_sought(x) && p->told &&
           ((p->facts & VQ_LOOKUP_FAILED) || has_records(x, place, VQ_BOGUS) ||
            has_records(x, place, VQ_FAILED));
}

static bool bogus(const struct vq *x)
{
    return !dna_vq_inbound(x) && failed(x, 0);
}

static bool barred(const struct vq *x)
{
    return bogus(x) || (!dna_vq_inbound(x) && dna_vq_knobs(x)->tlsa_unusable_refuses &&
                        has_records(x, 0, VQ_UNUSABLE));
}

static bool unclear(const struct vq *x)
{
    bool any = dna_vq_posh_sought(x) && (x->w.document == VQ_BROKEN || x->w.document == VQ_OVER);
    for (unsigned i = 0; i < x->w.num_places; i++) {
        any |= failed(x, i) || (!x->w.place[i].told && !dna_vq_inbound(x));
    }
    return any;
}

/* In each state: who waits, what is barred, what is demanded. */
void dna_vq_rest(struct vq *x)
{
    const struct vq_world *w = &x->w;
    uint8_t m = w->place[0].m;
    struct vq_look l = { .pending = dna_vq_pending(x), .barred = barred(x) };
    bool outbound = x->config->what == VQ_OUTBOUND;
    l.asked = w->fetching || w->place[0].asked || w->place[1].asked;
    l.waits = w->posh == prooftype_posh_S_FETCHING || w->posh == prooftype_posh_S_FOLLOWING ||
              m == prooftype_dane_S_ASKED || w->place[1].m == prooftype_dane_S_ASKED;
    l.bars = outbound && m == prooftype_dane_S_BARRED;
    l.demands = outbound && (m == prooftype_dane_S_HAVE || m == prooftype_dane_S_UNUSABLE);
    l.demanded = outbound && (has_records(x, 0, VQ_USABLE) || has_records(x, 0, VQ_UNUSABLE));
    if (w->begun && !w->over) {
        dna_vq_observe(x, VQ_REST, &l);
    }
}

/* --- PKIX --- */

/* The three questions of RFC 6120 13.7.2: is one shown; is it genuine, in force and for this use;
   whose is it? */
bool dna_vq_pkix_part(const struct dna_knobs *k, const struct prooftype_pkix_facts *f,
                      unsigned part)
{
    bool use =
        f->inbound ? f->for_client || (f->for_server && k->server_auth_eku_ok) : f->for_server;
    bool revoked = (k->revocation && f->listed == 1) || (k->revocation == 2 && f->listed != 0);
    bool name = f->name || (f->other_srv == 1 && k->srv_client_name_ok) ||
                (f->target == 2 && k->dane) || (f->common_name == 1 && k->cn_id);
    return part == 0   ? k->pkix && f->given
           : part == 1 ? f->path == 0 && !f->authority && f->dates == 0 && !revoked && use
                       : name && (f->subject || k->empty_subject_ok);
}

static unsigned take(unsigned *arg, unsigned radix)
{
    unsigned digit = *arg % radix;
    *arg /= radix;
    return digit;
}

/* PKIX alone: one of the three events with one vector of its facts. */
void dna_vq_judge_pkix(struct vq *x, unsigned kind, unsigned arg)
{
    struct vq_world *w = &x->w;
    struct prooftype_pkix_facts f = { .inbound = (w->possible) };
    uint32_t on = prooftype_pkix_E_CERTIFICATE;
    if (kind == VQ_M_CERTIFICATE) {
        w->possible = (uint8_t)take(&arg, 2);
        f.inbound = w->possible;
        f.given = arg;
        w->good = w->in_time = 1;
    } else if (kind == VQ_M_PATH) {
        f = (struct prooftype_pkix_facts){ .inbound = w->possible,
                                           .path = take(&arg, 10),
                                           .authority = take(&arg, 2),
                                           .dates = take(&arg, 3),
                                           .listed = take(&arg, 4),
                                           .for_server = take(&arg, 2),
                                           .for_client = arg };
        on = prooftype_pkix_E_PATH_CHECKED;
        w->in_time = f.dates == 0;
    } else {
        f = (struct prooftype_pkix_facts){ .inbound = w->possible,
                                           .subject = take(&arg, 2),
                                           .name = take(&arg, 5),
                                           .other_srv = take(&arg, 3),
                                           .target = take(&arg, 3),
                                           .common_name = arg };
        on = prooftype_pkix_E_NAMES_READ;
    }
    w->good = w->good && dna_vq_pkix_part(dna_vq_knobs(x), &f, kind - VQ_M_CERTIFICATE);
    uint8_t says = dna_vq_pkix_step(x, on, &f);
    if (says != VQ_NOTHING) {
        const struct vq_look l = { .says = says,
                                   .proves = w->good && kind == VQ_M_NAMES,
                                   .in_time = w->in_time };
        dna_vq_observe(x, VQ_SAYS, &l);
        w->good = w->in_time = 1;
        w->possible = 0;
    }
}

static void keep(struct vq *x, struct parts *parts, struct part part,
                 void (*led)(void *arg, const struct vq_world *w), void *arg,
                 const struct vq_world *before)
{
    if (memcmp(&x->w, before, sizeof *before) != 0) {
        led(arg, &x->w);
        x->w = *before;
    }
    for (size_t i = 0; i < parts->num; i++) {
        const struct part *p = &parts->at[i];
        if (p->says == part.says && p->true_ == part.true_ && p->against == part.against) {
            return;
        }
    }
    if (parts->num < MAX_PARTS) {
        parts->at[parts->num++] = part;
    }
}

static void observe_says(struct vq *x, const struct part *p, bool in_time, bool ee, bool over,
                         bool kept)
{
    const struct vq_look l = { .says = p->says,
                               .proves = p->true_,
                               .against = p->against,
                               .in_time = in_time,
                               .ee = ee,
                               .over = over,
                               .kept = kept };
    dna_vq_observe(x, VQ_SAYS, &l);
}

struct judging {
    struct vq *x;
    void (*led)(void *arg, const struct vq_world *w);
    void *arg;
    const struct vq_world *before;
    bool given, in_time;
};

/* PKIX has its own configuration for all facts; here those that end in different ways. */
static void judge_pkix(const struct judging *j, struct parts *parts)
{
    static const struct prooftype_pkix_facts kinds[] = {
        { .for_server = 1, .for_client = 1, .subject = 1, .name = 1 },
        { .for_server = 1, .for_client = 1, .subject = 1, .target = 2 },
        { .for_server = 1, .for_client = 1, .subject = 1 },
        { .path = 1, .for_server = 1, .for_client = 1, .subject = 1, .name = 1 },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct prooftype_pkix_facts f = kinds[i];
        struct part p = { .true_ = true };
        f.given = j->given;
        f.inbound = dna_vq_inbound(j->x);
        f.dates = j->in_time ? 0 : 2;
        for (unsigned part = 0; part < 3; part++) {
            p.true_ = p.true_ && dna_vq_pkix_part(dna_vq_knobs(j->x), &f, part);
        }
        p.says = dna_vq_pkix_step(j->x, prooftype_pkix_E_CERTIFICATE, &f);
        if (j->x->w.pkix == prooftype_pkix_S_SHOWN) {
            p.says = dna_vq_pkix_step(j->x, prooftype_pkix_E_PATH_CHECKED, &f);
        }
        if (j->x->w.pkix == prooftype_pkix_S_GENUINE) {
            p.says = dna_vq_pkix_step(j->x, prooftype_pkix_E_NAMES_READ, &f);
        }
        observe_says(j->x, &p, j->in_time, false, false, false);
        keep(j->x, parts, p, j->led, j->arg, j->before);
    }
}

/* --- DANE --- */

static bool everywhere(const struct vq *x)
{
    bool all = true;
    for (unsigned i = 0; i < x->w.num_places; i++) {
        all = all && x->w.place[i].m == prooftype_dane_S_HAVE;
    }
    return all;
}

static bool records_everywhere(const struct vq *x)
{
    bool all = true;
    for (unsigned i = 0; i < x->w.num_places; i++) {
        all = all && has_records(x, i, VQ_USABLE);
    }
    return all;
}

/* RFC 6698 2.1.1, RFC 7671 5: by the usages of the records that match. */
static bool matches(const struct prooftype_dane_facts *f)
{
    return f->given && (f->dane_ee || (f->dane_ta && f->named) ||
                        ((f->pkix_ee || f->pkix_ta) && f->path && f->named));
}

static void judge_place(const struct judging *j, unsigned place, struct parts *parts)
{
    struct vq *x = j->x;
    bool usable = has_records(x, place, VQ_USABLE), all = records_everywhere(x);
    for (unsigned bits = 0; bits < 64; bits++) {
        struct prooftype_dane_facts f = dna_vq_dane_facts(x, place);
        f.given = j->given;
        f.dane_ee = bits & 1;
        f.pkix_ee = (bits & 2) != 0;
        f.dane_ta = (bits & 4) != 0;
        f.pkix_ta = (bits & 8) != 0;
        f.path = (bits & 16) != 0;
        f.named = (bits & 32) != 0;
        f.everywhere = everywhere(x);
        if ((bits && !j->given) || ((f.path || f.dane_ta) && !j->in_time)) {
            continue; /* nothing matches nothing, and no path is valid out of time */
        }
        bool match = matches(&f);
        bool mismatch = usable && !match && (!dna_vq_inbound(x) || (j->given && all));
        struct part p = { .true_ = usable && match, .against = mismatch || barred(x) };
        p.says = dna_vq_dane_step(x, place, prooftype_dane_E_CERTIFICATE, &f);
        observe_says(x, &p, j->in_time, f.dane_ee, false, x->w.place[place].kept);
        p.against = mismatch;
        keep(x, parts, p, j->led, j->arg, j->before);
    }
}

/* As judge() of impl/prooftype_dane.c: one endpoint that holds is enough, else what weighs most. */
static void judge_dane(const struct judging *j, struct parts *parts)
{
    struct parts one = { .num = 0 }, two = { .num = 0 };
    judge_place(j, 0, &one);
    if (j->x->w.num_places < 2) {
        *parts = one;
        return;
    }
    judge_place(j, 1, &two);
    for (size_t a = 0; a < one.num; a++) {
        for (size_t b = 0; b < two.num; b++) {
            const struct part *p = &one.at[a], *q = &two.at[b];
            bool second = p->says != VQ_HELD && (q->says == VQ_HELD || q->says > p->says);
            struct part both = { .says = second ? q->says : p->says,
                                 .true_ = p->true_ || q->true_,
                                 .against = p->against && q->against };
            keep(j->x, parts, both, j->led, j->arg, j->before);
        }
    }
}

/* --- POSH --- */

static void judge_posh(const struct judging *j, struct parts *parts)
{
    struct vq *x = j->x;
    const struct dna_knobs *k = dna_vq_knobs(x);
    bool in_force = dna_vq_posh_sought(x) && x->w.document == VQ_IN_FORCE;
    for (unsigned bits = 0; bits < (j->given ? 8u : 1u); bits++) {
        struct prooftype_posh_facts f = { .inbound = dna_vq_inbound(x),
                                          .possible = x->w.possible,
                                          .given = j->given,
                                          .in_time = j->in_time,
                                          .matched = bits & 1,
                                          .mismatched_too = (bits & 2) != 0,
                                          .names = (bits & 4) != 0 };
        bool match = f.matched && !(k->posh_hashes_all && f.mismatched_too);
        struct part p = { .true_ = in_force && j->given && match && j->in_time &&
                                   (f.names || !k->posh_names_checked),
                          .against = in_force && j->given && !match };
        p.says = dna_vq_posh_step(x, prooftype_posh_E_CERTIFICATE, &f);
        observe_says(x, &p, j->in_time, false, x->w.document == VQ_OVER, false);
        keep(x, parts, p, j->led, j->arg, j->before);
    }
}

/* --- together --- */

static uint8_t verdict_of(struct vq *x, const struct proof_facts *facts)
{
    static const uint8_t verdicts[proof_O_MAX] = {
        [proof_O_report_unproved] = 1, [proof_O_report_proved] = 2, [proof_O_report_refuted] = 3
    };
    uint32_t vars[DNA_MAX_FIELDS] = { x->w.proof };
    struct dna_effects fx;
    dna_vq_step(x, &dna_machine_proof, vars, proof_E_WEIGH, facts, &fx);
    x->w.proof = (uint8_t)vars[0];
    return fx.num_outs ? verdicts[fx.outs[0]] : 0;
}

static void put_together(const struct judging *j, const struct part *pkix, const struct part *dane,
                         const struct part *posh)
{
    struct vq *x = j->x;
    const struct part *const all[] = { pkix, posh, dane };
    struct proof_facts facts = { .decider = dane->says == VQ_REFUTED ? 2u : dane->says == VQ_HELD };
    struct vq_look l = { .pkix = pkix->true_,
                         .dane = dane->true_,
                         .posh = posh->true_,
                         .mismatch = dane->against && !dane->true_,
                         .posh_mismatch = posh->against,
                         .bogus = bogus(x),
                         .barred = barred(x),
                         .unclear = unclear(x) };
    for (size_t i = 0; i < 3; i++) {
        facts.held |= all[i]->says == VQ_HELD;
        facts.refuted |= all[i]->says == VQ_REFUTED;
        facts.unclear |= all[i]->says == VQ_UNCLEAR;
    }
    l.verdict = verdict_of(x, &facts);
    dna_vq_observe(x, VQ_WEIGHED, &l);
    if (x->w.proof != j->before->proof) {
        j->led(j->arg, &x->w);
        x->w = *j->before;
    }
}

static void weigh_one(const struct judging *j)
{
    struct parts pkix = { .num = 0 }, dane = { .num = 0 }, posh = { .num = 0 };
    judge_pkix(j, &pkix);
    judge_dane(j, &dane);
    judge_posh(j, &posh);
    for (size_t a = 0; a < pkix.num; a++) {
        for (size_t b = 0; b < dane.num; b++) {
            for (size_t c = 0; c < posh.num; c++) {
                put_together(j, &pkix.at[a], &dane.at[b], &posh.at[c]);
            }
        }
    }
}

void dna_vq_weigh(struct vq *x, void (*led)(void *arg, const struct vq_world *w), void *arg)
{
    const struct vq_world before = x->w;
    struct judging j = { x, led, arg, &before, false, true };
    if (!before.begun || before.over || x->config->what == VQ_PKIX) {
        return;
    }
    if (dna_vq_pending(x)) {
        struct proof_facts facts = { .pending = 1 };
        struct vq_look l = { .pending = 1 };
        l.verdict = verdict_of(x, &facts);
        dna_vq_observe(x, VQ_WEIGHED, &l);
        x->w = before;
        return;
    }
    weigh_one(&j); /* no certificate is shown */
    j.given = true;
    weigh_one(&j);
    j.in_time = false;
    weigh_one(&j);
}
