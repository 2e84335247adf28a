/* SPDX-License-Identifier: MIT */
/*
 * verify_prooftypes.c -- the prooftypes in composition, as impl/proof.c and impl/prooftype_*.c have
 * them, and the network that answers them.
 *
 *   prooftype_dane  query_sender > the SRV question; query_tlsa > a TLSA question (FETCH)
 *                   next_name    > the next of the names; forget > no question is out any more
 *                   look_again   > ENDPOINT once more
 *   prooftype_posh  fetch_*      > a request (FETCH)
 *   both            report_settled > whoever waits looks whether anything is pending
 *   proof           WEIGH in verify_prooftypes_judge.c
 */
#include "model/verify_prooftypes.h"

#include "model/cell.h"
#include "model/interp.h"
#include "model/verify_internal.h"

#include <string.h>

_Static_assert(sizeof(struct prooftype_dane) == 4 && sizeof(struct prooftype_pkix) == 4 &&
                   sizeof(struct prooftype_posh) == 8 && sizeof(struct proof) == 4,
               "a machine has got a variable that struct vq_world must keep too");

#define L (*l)
#define K (*k)
#define PROOF_PROPERTY(id, when, expr, text, ...)                                                  \
    static bool holds_##id(const struct vq_look *l, const struct dna_knobs *k)                     \
    {                                                                                              \
        (void)l;                                                                                   \
        (void)k;                                                                                   \
        return expr;                                                                               \
    }
#include "model/verify_prooftypes.def"
#undef L
#undef K

const struct vq_property dna_vq_properties[] = {
#define PROOF_PROPERTY(id, when, expr, text, ...)                                                  \
    { #id, VQ_##when, holds_##id, #expr, text, (const uint16_t[]){ __VA_ARGS__, DNA_REQ_END } },
#include "model/verify_prooftypes.def"
};
const size_t dna_vq_num_properties = sizeof dna_vq_properties / sizeof dna_vq_properties[0];
_Static_assert(sizeof dna_vq_properties / sizeof dna_vq_properties[0] <= 32, "a bit each");
const char *const dna_vq_when_name[VQ_WHENS] = { "WEIGHED", "SAYS", "REST", "FETCH", "DEAD" };

static const struct prooftype_posh_facts no_posh;

static size_t add_knob(struct vq *x, const char *name)
{
    size_t num = x->num_knobs;
    for (uint32_t value = 1; value <= 2; value++) {
        for (size_t i = 0; i < num && x->num_knobs < VQ_MAX_COMBINATIONS; i++) {
            struct dna_knobs k = x->knobs[i];
            if (dna_knob_set(&k, name, value)) {
                return value - 1;
            }
            x->knobs[x->num_knobs++] = k;
        }
    }
    return 2;
}

int dna_vq_init(struct vq *x, const struct vq_config *config)
{
    const char *text = config->knobs;
    char name[64];
    unsigned value;
    int used;
    memset(x, 0, sizeof *x);
    x->config = config;
    x->knobs[0] = dna_knobs_default();
    x->num_knobs = 1;
    while (sscanf(text, " %63[a-z_]=%u%n", name, &value, &used) == 2) {
        if (dna_knob_set(&x->knobs[0], name, value)) {
            return -1;
        }
        text += used;
    }
    for (text = config->varied; sscanf(text, " %63s%n", name, &used) == 1; text += used) {
        if (dna_knob_set(&x->knobs[0], name, 0) || !add_knob(x, name)) {
            return -1;
        }
    }
    return x->num_knobs < VQ_MAX_COMBINATIONS ? 0 : -1;
}

const struct dna_knobs *dna_vq_knobs(const struct vq *x)
{
    return &x->knobs[x->w.knobs];
}

void dna_vq_observe(struct vq *x, enum vq_when when, const struct vq_look *l)
{
    x->seen |= 1u << when;
    for (size_t i = 0; i < dna_vq_num_properties; i++) {
        const struct vq_property *p = &dna_vq_properties[i];
        if (p->when == when && !(x->broken & 1u << i) && !p->holds(l, dna_vq_knobs(x))) {
            x->broken |= 1u << i;
            x->last = *l;
            if (x->say) {
                fprintf(x->say, "   !!   %s is violated: %s\n", p->id, p->text);
            }
        }
    }
}

void dna_vq_step(struct vq *x, const struct dna_machine *machine, uint32_t *vars, uint32_t on,
                 const void *facts, struct dna_effects *fx)
{
    struct dna_stream_vars none;
    size_t first = dna_row_next(machine, vars[0], on, 0);
    dna_stream_vars_init(&none);
    if (first < machine->num_rows && machine->rows[first].kind == DNA_DEAD) {
        const struct vq_look l = { .unused = 0 };
        dna_effects_begin(fx, machine, vars[0], on);
        dna_vq_observe(x, VQ_DEAD, &l);
        return;
    }
    dna_interp_step(machine, vars, on, facts, &none, dna_vq_knobs(x), fx);
    if (fx->row != DNA_NO_ROW && x->fired) {
        x->fired[dna_vf_row_number(machine, fx->row)] = 1;
    }
    if (fx->row != DNA_NO_ROW && x->say) {
        fprintf(x->say, "        %s: %s > %s\n", machine->rows[fx->row].id,
                machine->events[on].name, machine->states[fx->to].name);
    }
}

/* --- PKIX --- */

uint8_t dna_vq_pkix_step(struct vq *x, uint32_t on, const struct prooftype_pkix_facts *facts)
{
    static const uint8_t says[prooftype_pkix_O_MAX] = { [prooftype_pkix_O_report_absent] =
                                                            VQ_ABSENT,
                                                        [prooftype_pkix_O_report_held] = VQ_HELD,
                                                        [prooftype_pkix_O_report_failed] =
                                                            VQ_FAILED_TO };
    uint32_t vars[DNA_MAX_FIELDS] = { x->w.pkix };
    struct dna_effects fx;
    dna_vq_step(x, &dna_machine_prooftype_pkix, vars, on, facts, &fx);
    x->w.pkix = (uint8_t)vars[0];
    return fx.num_outs ? says[fx.outs[0]] : VQ_NOTHING;
}

/* --- DANE --- */

struct prooftype_dane_facts dna_vq_dane_facts(const struct vq *x, unsigned place)
{
    const struct vq_place *p = &x->w.place[place];
    return (struct prooftype_dane_facts){
        .inbound = dna_vq_inbound(x),
        .validating = x->w.validating,
        .lookup_failed = (p->facts & VQ_LOOKUP_FAILED) != 0,
        .from_srv = (p->facts & VQ_FROM_SRV) != 0,
        .srv_secure = (p->facts & VQ_SRV_SECURE) != 0,
        .address_secure = (p->facts & VQ_ADDRESS_SECURE) != 0,
        .another_name = p->names > 0,
    };
}

static void observe_fetch(struct vq *x, bool sought, bool https, bool few)
{
    const struct vq_look l = { .sought = sought, .https = https, .few = few };
    dna_vq_observe(x, VQ_FETCH, &l);
}

static void at_endpoint(struct vq *x, unsigned place)
{
    const struct prooftype_dane_facts facts = dna_vq_dane_facts(x, place);
    (void)dna_vq_dane_step(x, place, prooftype_dane_E_ENDPOINT, &facts);
}

static void dane_out(struct vq *x, unsigned place, unsigned out)
{
    struct vq_place *p = &x->w.place[place];
    switch (out) {
    case prooftype_dane_O_query_sender:
        x->w.srv_asked = 1;
        observe_fetch(x, dna_vq_dane_sought(x), true, true);
        break;
    case prooftype_dane_O_query_tlsa:
        observe_fetch(x, dna_vq_dane_trusted(x, p), true, true);
        p->asked = 1;
        p->answer = VQ_NO_ANSWER;
        break;
    case prooftype_dane_O_next_name:
        p->names = p->names ? (uint8_t)(p->names - 1) : 0;
        break;
    case prooftype_dane_O_forget:
        p->asked = 0;
        p->kept = 0;
        break;
    case prooftype_dane_O_look_again:
        at_endpoint(x, place);
        break;
    default:
        break;
    }
}

uint8_t dna_vq_dane_step(struct vq *x, unsigned place, uint32_t on,
                         const struct prooftype_dane_facts *facts)
{
    uint32_t vars[DNA_MAX_FIELDS] = { x->w.place[place].m };
    struct dna_effects fx;
    uint8_t says = VQ_NOTHING;
    dna_vq_step(x, &dna_machine_prooftype_dane, vars, on, facts, &fx);
    x->w.place[place].m = (uint8_t)vars[0];
    for (unsigned i = 0; i < fx.num_outs; i++) {
        switch (fx.outs[i]) {
        case prooftype_dane_O_report_held:
            says = VQ_HELD;
            break;
        case prooftype_dane_O_report_failed:
            says = VQ_FAILED_TO;
            break;
        case prooftype_dane_O_report_unclear:
            says = VQ_UNCLEAR;
            break;
        case prooftype_dane_O_report_refuted:
            says = VQ_REFUTED;
            break;
        case prooftype_dane_O_report_absent:
            says = VQ_ABSENT;
            break;
        default:
            dane_out(x, place, fx.outs[i]);
        }
    }
    return says;
}

static void dane_begin(struct vq *x)
{
    memset(x->w.place, 0, sizeof x->w.place);
    x->w.num_places = 1;
    x->w.srv_asked = x->w.srv_secure = 0;
    for (unsigned i = 0; i < VQ_PLACES; i++) {
        x->w.place[i].m = prooftype_dane_S_IDLE;
    }
    if (dna_vq_inbound(x)) {
        const struct prooftype_dane_facts facts = dna_vq_dane_facts(x, 0);
        (void)dna_vq_dane_step(x, 0, prooftype_dane_E_SENDER, &facts);
    }
}

/* --- POSH --- */

static void posh_out(struct vq *x, unsigned out, const struct prooftype_posh_facts *facts)
{
    bool redirect = out == prooftype_posh_O_fetch_redirect;
    if (out != prooftype_posh_O_fetch_source && out != prooftype_posh_O_fetch_reference &&
        !redirect) {
        return;
    }
    x->w.fetching = 1;
    x->w.hops = (uint8_t)(x->w.hops + (redirect && x->w.hops < 9));
    x->w.references = (uint8_t)(x->w.references +
                                (out == prooftype_posh_O_fetch_reference && x->w.references < 2));
    observe_fetch(x, dna_vq_posh_sought(x), !redirect || facts->https,
                  x->w.hops <= dna_vq_knobs(x)->posh_redirects && x->w.references < 2);
}

uint8_t dna_vq_posh_step(struct vq *x, uint32_t on, const struct prooftype_posh_facts *facts)
{
    static const uint8_t says[prooftype_posh_O_MAX] = {
        [prooftype_posh_O_report_held] = 1 + VQ_HELD,
        [prooftype_posh_O_report_failed] = 1 + VQ_FAILED_TO,
        [prooftype_posh_O_report_refuted] = 1 + VQ_REFUTED,
        [prooftype_posh_O_report_absent] = 1 + VQ_ABSENT,
        [prooftype_posh_O_report_unclear] = 1 + VQ_UNCLEAR,
    };
    uint32_t vars[DNA_MAX_FIELDS] = { x->w.posh, x->w.redirects };
    struct dna_effects fx;
    uint8_t said = VQ_NOTHING;
    dna_vq_step(x, &dna_machine_prooftype_posh, vars, on, facts, &fx);
    x->w.posh = (uint8_t)vars[0];
    x->w.redirects = (uint8_t)(vars[1] > 10 ? 10 : vars[1]); /* the bound of the table */
    for (unsigned i = 0; i < fx.num_outs; i++) {
        said = says[fx.outs[i]] ? (uint8_t)(says[fx.outs[i]] - 1) : said;
        posh_out(x, fx.outs[i], facts);
    }
    return said;
}

static void posh_begin(struct vq *x)
{
    const struct prooftype_posh_facts facts = { .inbound = dna_vq_inbound(x),
                                                .possible = x->w.possible };
    x->w.posh = prooftype_posh_S_IDLE;
    x->w.redirects = x->w.fetching = 0;
    x->w.document = VQ_NO_DOCUMENT;
    x->w.hops = x->w.references = 0;
    (void)dna_vq_posh_step(x, prooftype_posh_E_SEEK, &facts);
}

/* --- what may happen --- */

struct listing {
    struct vq_move *out;
    size_t num, max;
};

static void add(struct listing *l, enum vq_kind kind, unsigned place, unsigned arg)
{
    if (l->num < l->max) {
        l->out[l->num++] = (struct vq_move){ (uint8_t)kind, (uint8_t)place, (uint16_t)arg };
    }
}

static void add_range(struct listing *l, enum vq_kind kind, unsigned place, unsigned num)
{
    for (unsigned i = 0; i < num; i++) {
        add(l, kind, place, i);
    }
}

enum {
    PATHS = 10 * 2 * 3 * 4 * 2 * 2,
    NAMES = 2 * 5 * 3 * 3 * 3,
    TLSA_ANSWERS = 6,
    HTTP_ANSWERS = 7
};

static void pkix_moves(const struct vq_world *w, struct listing *l)
{
    if (w->pkix == prooftype_pkix_S_READY) {
        add_range(l, VQ_M_CERTIFICATE, 0, 4);
    } else if (w->pkix == prooftype_pkix_S_SHOWN) {
        add_range(l, VQ_M_PATH, 0, PATHS);
    } else if (w->pkix == prooftype_pkix_S_GENUINE) {
        add_range(l, VQ_M_NAMES, 0, NAMES);
    }
}

static void dane_moves(const struct vq *x, struct listing *l)
{
    const struct vq_world *w = &x->w;
    if (!dna_vq_inbound(x)) {
        add_range(l, VQ_M_ENDPOINT, 0, VQ_FACTS);
    } else if (w->srv_asked) {
        add_range(l, VQ_M_SRV, 0, 8);
    }
    for (unsigned i = 0; i < w->num_places; i++) {
        if (w->place[i].address_asked) {
            add_range(l, VQ_M_ADDRESS, i, 6);
        }
        if (w->place[i].asked) {
            add_range(l, VQ_M_TLSA, i, TLSA_ANSWERS);
        }
    }
    if (w->place[0].answer && !dna_vq_pending(x)) {
        add(l, VQ_M_RENEW, 0, 0); /* the time to live is over */
    }
}

size_t dna_vq_moves(const struct vq *x, struct vq_move *out, size_t max)
{
    struct listing l = { out, 0, max };
    const struct vq_world *w = &x->w;
    if (!w->begun) {
        add_range(&l, VQ_M_BEGIN, 0, (unsigned)(4 * x->num_knobs));
    } else if (x->config->what == VQ_PKIX) {
        pkix_moves(w, &l);
    } else if (!w->over) {
        dane_moves(x, &l);
        if (w->fetching) {
            add_range(&l, VQ_M_HTTP, 0, HTTP_ANSWERS);
        }
        if (w->posh == prooftype_posh_S_HAVE) {
            add(&l, VQ_M_STALE, 0, 0);
        }
        if (w->posh == prooftype_posh_S_OUTDATED) {
            add(&l, VQ_M_RENEW, 1, 0);
        }
        add(&l, VQ_M_DONE, 0, 0);
    }
    return l.num;
}

/* --- and then it happens --- */

static void begin(struct vq *x, unsigned arg)
{
    struct vq_world *w = &x->w;
    w->begun = 1;
    w->knobs = (uint8_t)(arg / 4);
    w->validating = arg & 1;
    w->possible = (arg & 2) != 0;
    w->proof = proof_S_WEIGHING;
    w->pkix = prooftype_pkix_S_READY;
    w->good = w->in_time = 1;
    if (x->config->what == VQ_PKIX) {
        w->validating = w->possible = 0;
    } else {
        dane_begin(x);
        posh_begin(x);
    }
}

static void endpoint(struct vq *x, unsigned arg)
{
    struct vq_place *p = &x->w.place[0];
    p->kept = p->asked || p->answer;
    p->answer = VQ_NO_ANSWER;
    p->told = 1;
    p->facts = (uint8_t)arg;
    p->names = (arg & VQ_ALIAS) != 0;
    at_endpoint(x, 0);
}

/* 0 to 3: one or two endpoints, insecure or secure; 4, 5: none; 6, 7: no answer, or a bogus one. */
static void srv(struct vq *x, unsigned arg)
{
    struct vq_world *w = &x->w;
    unsigned num = arg < 4 ? 1 + arg / 2 : 0;
    w->srv_asked = 0;
    w->srv_secure = arg < 6 && arg % 2;
    w->num_places = (uint8_t)(num > 1 ? num : 1);
    for (unsigned i = 0; i < w->num_places; i++) {
        struct vq_place *p = &w->place[i];
        p->told = 1;
        p->facts = (uint8_t)((num ? VQ_FROM_SRV : 0) | (w->srv_secure ? VQ_SRV_SECURE : 0) |
                             (arg >= 6 ? VQ_LOOKUP_FAILED : 0));
        if (w->srv_secure) {
            p->address_asked = 1;
        } else {
            at_endpoint(x, i);
        }
    }
}

/* 0: no answer; 1: none; 2, 3: an address, insecure or secure; 4, 5: likewise, by an alias. */
static void address(struct vq *x, unsigned place, unsigned arg)
{
    struct vq_place *p = &x->w.place[place];
    p->address_asked = 0;
    p->facts = (uint8_t)(p->facts | (arg == 0 ? VQ_LOOKUP_FAILED : 0) |
                         (arg > 1 && arg % 2 ? VQ_ADDRESS_SECURE : 0) | (arg >= 4 ? VQ_ALIAS : 0));
    p->names = arg >= 4;
    at_endpoint(x, place);
}

static void tlsa(struct vq *x, unsigned place, unsigned arg)
{
    static const uint8_t events[TLSA_ANSWERS + 1] = {
        [VQ_USABLE] = prooftype_dane_E_TLSA_RECORDS,
        [VQ_UNUSABLE] = prooftype_dane_E_TLSA_RECORDS,
        [VQ_INSECURE] = prooftype_dane_E_TLSA_RECORDS,
        [VQ_DENIED] = prooftype_dane_E_TLSA_NONE,
        [VQ_BOGUS] = prooftype_dane_E_TLSA_BOGUS,
        [VQ_FAILED] = prooftype_dane_E_TLSA_FAILED,
    };
    struct vq_place *p = &x->w.place[place];
    struct prooftype_dane_facts facts = dna_vq_dane_facts(x, place);
    p->asked = 0;
    p->answer = (uint8_t)(arg + 1);
    facts.secure = p->answer == VQ_USABLE || p->answer == VQ_UNUSABLE;
    facts.usable = p->answer == VQ_USABLE;
    (void)dna_vq_dane_step(x, place, events[p->answer], &facts);
}

static void http(struct vq *x, unsigned arg)
{
    static const struct {
        uint8_t event, document;
    } answers[HTTP_ANSWERS] = {
        { prooftype_posh_E_DOCUMENT_FINGERPRINTS, VQ_IN_FORCE },
        { prooftype_posh_E_DOCUMENT_REFERENCE, VQ_BROKEN },
        { prooftype_posh_E_DOCUMENT_BAD, VQ_BROKEN },
        { prooftype_posh_E_NOT_FOUND, VQ_MISSING },
        { prooftype_posh_E_HTTP_FAILED, VQ_BROKEN },
        { prooftype_posh_E_REDIRECTED, VQ_BROKEN },
        { prooftype_posh_E_REDIRECTED, VQ_BROKEN },
    };
    struct vq_world *w = &x->w;
    struct prooftype_posh_facts facts = no_posh;
    facts.https = arg == 5;
    w->fetching = 0;
    w->document = answers[arg].document;
    if (w->document == VQ_MISSING && w->references) {
        w->document = VQ_BROKEN; /* what a reference names has to be there (decision A19) */
    }
    (void)dna_vq_posh_step(x, answers[arg].event, &facts);
    if (w->fetching) {
        w->document = VQ_NO_DOCUMENT;
    }
}

static void done(struct vq *x)
{
    uint32_t vars[DNA_MAX_FIELDS] = { x->w.proof };
    const struct proof_facts none = { 0 };
    const struct prooftype_pkix_facts no_pkix = { 0 };
    struct dna_effects fx;
    dna_vq_step(x, &dna_machine_proof, vars, proof_E_DONE, &none, &fx);
    x->w.proof = (uint8_t)vars[0];
    (void)dna_vq_pkix_step(x, prooftype_pkix_E_DONE, &no_pkix);
    (void)dna_vq_posh_step(x, prooftype_posh_E_DONE, &no_posh);
    x->w.fetching = 0;
    for (unsigned i = 0; i < x->w.num_places; i++) {
        const struct prooftype_dane_facts facts = { 0 };
        (void)dna_vq_dane_step(x, i, prooftype_dane_E_DONE, &facts);
        x->w.place[i].asked = x->w.place[i].address_asked = 0;
    }
    x->w.srv_asked = 0;
    x->w.over = 1;
}

static void renew(struct vq *x, unsigned which)
{
    struct vq_place was = x->w.place[0];
    if (which == 1) {
        posh_begin(x);
        return;
    }
    dane_begin(x);
    if (!dna_vq_inbound(x)) {
        endpoint(x, was.facts);
    }
}

void dna_vq_apply(struct vq *x, const struct vq_move *move)
{
    x->broken = 0;
    switch (move->kind) {
    case VQ_M_BEGIN:
        begin(x, move->arg);
        break;
    case VQ_M_ENDPOINT:
        endpoint(x, move->arg);
        break;
    case VQ_M_SRV:
        srv(x, move->arg);
        break;
    case VQ_M_ADDRESS:
        address(x, move->place, move->arg);
        break;
    case VQ_M_TLSA:
        tlsa(x, move->place, move->arg);
        break;
    case VQ_M_HTTP:
        http(x, move->arg);
        break;
    case VQ_M_STALE:
        x->w.document = VQ_OVER;
        (void)dna_vq_posh_step(x, prooftype_posh_E_STALE, &no_posh);
        break;
    case VQ_M_RENEW:
        renew(x, move->place);
        break;
    case VQ_M_DONE:
        done(x);
        break;
    default:
        dna_vq_judge_pkix(x, move->kind, move->arg);
    }
}
