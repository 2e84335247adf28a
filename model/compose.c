/* SPDX-License-Identifier: MIT */
/* compose.c -- the tables of one server role as one machine that a tester faces. */
#include "model/compose.h"

#include "model/cell.h"
#include "model/compose_internal.h"
#include "model/machines.h"

#include <stdio.h>
#include <string.h>

static bool of_pairs(const struct dna_role *role, const struct dna_machine *machine)
{
    for (size_t i = 0; i < role->num_slots; i++) {
        if (role->slots[i].machine == machine) {
            return role->slots[i].whom != DNA_STREAM;
        }
    }
    return false;
}

uint32_t *dna_compose_slot(const struct dna_compose *c, const struct dna_machine *machine,
                           enum dna_whom whom)
{
    const struct dna_role *role = c->role;
    for (size_t i = 0; i < role->num_slots; i++) {
        if (role->slots[i].machine == machine &&
            (role->slots[i].whom == whom || role->slots[i].whom == DNA_STREAM)) {
            return c->scene->v[i];
        }
    }
    return NULL;
}

void dna_compose_show(struct dna_compose *c, const char *text, enum dna_whom whom, bool elsewhere)
{
    if (c->num_tokens < DNA_MAX_WORD) {
        c->word[c->num_tokens++] = (struct dna_token){ text, (uint8_t)whom, elsewhere };
    } else {
        c->runaway = true;
    }
}

/* --- consequences --- */

static void forget(struct dna_compose *c, bool starttls)
{
    dna_stream_vars_forget(&c->scene->s, starttls);
    for (size_t i = 0; i < c->role->num_slots; i++) {
        if (c->role->slots[i].whom == DNA_STREAM) {
            dna_instance_forget(c->role->slots[i].machine, c->scene->v[i], starttls);
        }
    }
    c->scene->g.header_due = 1;
    c->scene->g.from = DNA_NOBODY;
    if (c->watch) {
        c->watch(c->watch_ctx, NULL, DNA_STREAM, NULL, starttls, NULL);
    }
}

static void raise_named(struct dna_compose *c, size_t slot, const char *event)
{
    const struct dna_slot *s = &c->role->slots[slot];
    for (size_t on = 0; on < s->machine->num_events; on++) {
        if (strcmp(s->machine->events[on].name, event) == 0) {
            dna_compose_raise(c, s->machine, s->whom, (uint32_t)on);
        }
    }
}

/* A pair begins when something is said of it, as in impl/. */
static bool silent(const struct dna_compose *c, enum dna_whom whom)
{
    return c->exact && (whom == DNA_PAIR1 || whom == DNA_PAIR2) &&
           !c->scene->g.spoken[whom - DNA_PAIR1];
}

static void gone(struct dna_compose *c)
{
    if (c->scene->g.closed) {
        return;
    }
    c->scene->g.closed = 1;
    for (size_t i = 0; i < c->role->num_slots; i++) {
        if (!silent(c, c->role->slots[i].whom)) {
            raise_named(c, i, "STREAM_GONE");
        }
    }
}

static void raise_pairs(struct dna_compose *c, const struct dna_wire *w)
{
    for (enum dna_whom pair = DNA_PAIR1; pair <= DNA_PAIR2; pair++) {
        if (dna_compose_slot(c, w->to, pair) && !silent(c, pair)) {
            dna_compose_raise(c, w->to, pair, w->on);
        }
    }
}

static void raise_from(struct dna_compose *c, const struct dna_wire *w)
{
    uint32_t from = c->scene->g.from;
    if (from == DNA_D1 || from == DNA_D2) {
        dna_compose_raise(c, w->to, from == DNA_D1 ? DNA_PAIR1 : DNA_PAIR2, w->on);
    }
}

static void act(struct dna_compose *c, const struct dna_wire *w, enum dna_whom whom, uint32_t on)
{
    struct dna_stage *g = &c->scene->g;
    switch (w->act) {
    case DNA_ACT_QUIET:
    case DNA_ACT_SHOW:
        break;
    case DNA_ACT_RAISE:
        dna_compose_raise(c, w->to, of_pairs(c->role, w->to) ? whom : DNA_STREAM, w->on);
        break;
    case DNA_ACT_RAISE_PAIRS:
        raise_pairs(c, w);
        break;
    case DNA_ACT_RAISE_FROM:
        raise_from(c, w);
        break;
    case DNA_ACT_REPEAT:
        dna_compose_raise(c, w->machine, whom, on);
        break;
    case DNA_ACT_FORGET_RESTART:
    case DNA_ACT_FORGET_TLS:
        forget(c, w->act == DNA_ACT_FORGET_TLS);
        break;
    case DNA_ACT_TLS:
        g->tls_due = !g->tls; /* no TLS in TLS */
        break;
    case DNA_ACT_HOLD:
        g->held = 1;
        break;
    case DNA_ACT_RELEASE:
        g->held = 0;
        break;
    case DNA_ACT_DISCARD:
        g->discard = 1;
        break;
    case DNA_ACT_DRAIN:
        g->drain = 1;
        break;
    case DNA_ACT_MUTE:
        g->muted = 1;
        break;
    case DNA_ACT_GONE:
        gone(c);
        break;
    case DNA_ACT_ASK:
        dna_compose_ask(c, whom);
        break;
    case DNA_ACT_UNASK:
        *dna_compose_question(c, whom) = 0;
        if (whom == DNA_PAIR1 || whom == DNA_PAIR2) {
            g->delayed[whom - DNA_PAIR1] = 0;
        }
        break;
    case DNA_ACT_ARM:
        g->armed = c->scope->timers;
        break;
    case DNA_ACT_WATCH:
        g->watched = c->scope->timers;
        break;
    case DNA_ACT_AWAIT:
        dna_compose_await(c, w, whom);
        break;
    case DNA_ACT_ROLE:
        c->role->act(c, w, whom);
        break;
    }
}

/* Whether the output shows, and as what: by its name, or as a wire says. */
static void show(struct dna_compose *c, const struct dna_machine *m, uint8_t out,
                 enum dna_whom whom)
{
    const struct dna_stage *g = &c->scene->g;
    enum dna_effect_kind kind = m->dos[out].kind;
    const char *text = kind == DNA_WIRE || kind == DNA_ELSEWHERE ? m->dos[out].name : NULL;
    bool ends = false;
    if (kind == DNA_WIRE && c->symbol && c->symbol->kind == DNA_SEND_GONE) {
        return; /* there is nobody to see it */
    }
    for (size_t i = 0; i < c->role->num_wires; i++) {
        const struct dna_wire *w = &c->role->wires[i];
        if (w->machine == m && w->out == out) {
            text = w->act == DNA_ACT_SHOW ? w->shows : text;
            ends |= w->act == DNA_ACT_GONE;
        }
    }
    if (!text || g->closed || (kind == DNA_WIRE && (g->muted || g->tls_due) && !ends)) {
        return;
    }
    bool addressed = of_pairs(c->role, m) && strncmp(text, "error_", 6) != 0;
    dna_compose_show(c, text, addressed ? whom : DNA_STREAM, kind == DNA_ELSEWHERE);
}

static void follow(struct dna_compose *c, const struct dna_machine *m, uint8_t out,
                   enum dna_whom whom, uint32_t on)
{
    show(c, m, out, whom);
    for (size_t i = 0; i < c->role->num_wires && !c->runaway; i++) {
        const struct dna_wire *w = &c->role->wires[i];
        if (w->machine == m && w->out == out) {
            act(c, w, whom, on);
        }
    }
}

/* Cuts counters at the bounds that their declarations give to checkers. */
static void saturate(const struct dna_field *fields, size_t num, void *base)
{
    for (size_t i = 0; i < num; i++) {
        uint32_t *value = (uint32_t *)(void *)((char *)base + fields[i].offset);
        *value = *value > fields[i].max ? fields[i].max : *value;
    }
}

/* What lies behind the command under TLS came under TLS. */
static void not_in_clear(const struct dna_machine *m, void *e)
{
    if (m == &dna_machine_starttls_receiving) {
        ((struct starttls_receiving_facts *)e)->clear_trailing = 0;
    } else if (m == &dna_machine_starttls_initiating) {
        ((struct starttls_initiating_facts *)e)->clear_trailing = 0;
    }
}

static void fill_facts(const struct dna_compose *c, const struct dna_machine *m,
                       enum dna_whom whom, uint32_t on, uint32_t *e)
{
    const struct dna_symbol *in = c->symbol;
    memset(e, 0, DNA_MAX_FIELDS * sizeof *e);
    if (in && in->machine == m && in->facts) {
        memcpy(e, in->facts, m->facts_size);
    }
    if (c->scene->g.tls) {
        not_in_clear(m, e);
    }
    c->role->facts(c, m, whom, on, e);
}

void dna_compose_raise(struct dna_compose *c, const struct dna_machine *machine,
                       enum dna_whom whom, uint32_t on)
{
    uint32_t e[DNA_MAX_FIELDS], fresh[DNA_MAX_FIELDS] = { 0 };
    uint32_t *v = whom == DNA_STRANGER ? NULL : dna_compose_slot(c, machine, whom);
    struct dna_effects fx;
    if (!v) {
        dna_instance_init(machine, fresh);
        v = fresh;
    }
    if (c->depth == DNA_MAX_DEPTH) {
        c->runaway = true;
        return;
    }
    if (c->exact && (whom == DNA_PAIR1 || whom == DNA_PAIR2)) {
        c->scene->g.spoken[whom - DNA_PAIR1] = 1;
    }
    fill_facts(c, machine, whom, on, e);
    struct dna_env env = { v, &c->scene->s, e, &c->knobs };
    if (c->watch && machine->states[v[0]].mark != DNA_FINAL) {
        c->watch(c->watch_ctx, machine, whom, &env, on, NULL);
    }
    dna_overlay_step(c->overlay, machine, on, &env, &fx);
    if (c->watch && machine->states[fx.from].mark != DNA_FINAL) {
        c->watch(c->watch_ctx, machine, whom, &env, on, &fx);
    }
    saturate(machine->vars, machine->num_vars, v);
    saturate(dna_stream_fields, dna_num_stream_fields, &c->scene->s);
    c->depth++;
    for (size_t i = 0; i < fx.num_outs && !c->runaway; i++) {
        follow(c, machine, fx.outs[i], whom, on);
    }
    c->depth--;
}

/* --- symbols --- */

static bool is_header(const struct dna_symbol *symbol)
{
    return (symbol->machine == &dna_machine_stream_receiving &&
            symbol->on == stream_receiving_E_RX_HEADER) ||
           (symbol->machine == &dna_machine_stream_initiating &&
            symbol->on == stream_initiating_E_RX_HEADER);
}

bool dna_compose_can(const struct dna_compose *c, const struct dna_symbol *symbol)
{
    const struct dna_stage *g = &c->scene->g;
    if (g->closed) {
        return false;
    }
    switch (symbol->kind) {
    case DNA_SEND_HEADER:
        return g->header_due && !g->tls_due && !g->muted && !g->held && !g->deaf;
    case DNA_SEND_ELEMENT:
    case DNA_SEND_STANZA:
    case DNA_SEND_END:
        return !g->header_due && !g->tls_due && !g->held && !g->deaf;
    case DNA_SEND_BYTES:
        return !g->tls_due && !g->held && !g->deaf;
    case DNA_SEND_GONE:
        return !g->tls_due && !g->held;
    case DNA_SEND_TLS:
        return g->tls_due;
    case DNA_SEND_ANSWER:
    case DNA_SEND_NO_ANSWER:
        return !g->muted && (symbol->whom == DNA_PAIR1 || symbol->whom == DNA_PAIR2) &&
               (g->question[symbol->whom - DNA_PAIR1] || g->put[symbol->whom - DNA_PAIR1]);
    case DNA_SEND_ANSWER_HERE:
        return !g->muted && !g->header_due && !g->tls_due && !g->held && !g->deaf && g->asked &&
               g->question[symbol->whom - DNA_PAIR1];
    case DNA_SEND_SETTLE:
        return dna_compose_can_settle(c, symbol);
    case DNA_SEND_LOCAL: /* a client's handshake begins by itself: there is no time to write */
        return !g->muted && !g->queue && (c->role->local || !g->tls_due);
    case DNA_SEND_EARLY:
        return !g->early && !g->tls_due && !g->muted && !g->deaf &&
               (g->header_due != 0) == is_header(symbol);
    case DNA_SEND_LAPSE:
        return g->fetched != 0;
    case DNA_SEND_ASIDE:
        return !g->muted && !g->held;
    case DNA_SEND_TIMER:
        return true;
    }
    return false;
}

/* Whether nothing comes of the symbol: an element that is no longer looked at, a timer that does
   not run. */
static bool passed_over(const struct dna_compose *c, const struct dna_symbol *symbol)
{
    const struct dna_stage *g = &c->scene->g;
    if (symbol->kind == DNA_SEND_TIMER) {
        return c->role->runs && !c->role->runs(c, symbol);
    }
    if (symbol->kind == DNA_SEND_ANSWER || symbol->kind == DNA_SEND_NO_ANSWER) {
        return !g->question[symbol->whom - DNA_PAIR1]; /* that stream is being closed */
    }
    bool element = symbol->kind == DNA_SEND_ELEMENT || symbol->kind == DNA_SEND_EARLY;
    return element ? g->discard || g->drain
                                            : symbol->kind == DNA_SEND_STANZA && g->discard;
}

static bool comes_up(const struct dna_symbol *symbol)
{
    return (symbol->machine == &dna_machine_starttls_receiving &&
            symbol->on == starttls_receiving_E_TLS_UP) ||
           (symbol->machine == &dna_machine_starttls_initiating &&
            symbol->on == starttls_initiating_E_TLS_UP);
}

static void run_out(struct dna_stage *g, const char *timer)
{
    if (strcmp(timer, "TIMER_NEGOTIATION") == 0) {
        g->armed = 0;
    } else if (strcmp(timer, "TIMER_RESULT") == 0) {
        g->result = 0;
    } else if (strcmp(timer, "TIMER_EXPIRY") == 0) {
        g->expired = 1;
    }
}

static void prepare(struct dna_compose *c, const struct dna_symbol *symbol)
{
    struct dna_stage *g = &c->scene->g;
    if (symbol->kind == DNA_SEND_HEADER ||
        (symbol->kind == DNA_SEND_EARLY && is_header(symbol))) {
        g->header_due = 0;
        g->from = symbol->about;
    } else if (symbol->kind == DNA_SEND_BYTES) {
        g->deaf = 1;
    } else if (symbol->kind == DNA_SEND_TLS) {
        g->tls_due = 0;
        g->tls |= comes_up(symbol);
        g->certificate = symbol->about;
    } else if (symbol->kind == DNA_SEND_ANSWER || symbol->kind == DNA_SEND_ANSWER_HERE) {
        g->question[symbol->whom - DNA_PAIR1] = g->put[symbol->whom - DNA_PAIR1] = 0;
    } else if (symbol->kind == DNA_SEND_TIMER) {
        run_out(g, symbol->machine->events[symbol->on].name);
    } else if (symbol->kind == DNA_SEND_SETTLE && !c->role->keeps) {
        g->awaited[symbol->whom] = 0;
    }
}

/* What shows on the stream comes before what shows elsewhere: the tester cannot order them. */
static void sort_word(struct dna_compose *c)
{
    struct dna_token sorted[DNA_MAX_WORD];
    size_t num = 0;
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        for (size_t i = 0; i < c->num_tokens; i++) {
            if (c->word[i].elsewhere == (elsewhere != 0)) {
                sorted[num++] = c->word[i];
            }
        }
    }
    memcpy(c->word, sorted, num * sizeof *sorted);
}

static void deal(struct dna_compose *c, const struct dna_symbol *symbol)
{
    c->symbol = symbol;
    prepare(c, symbol);
    if (symbol->kind == DNA_SEND_LAPSE) {
        c->scene->g.fetched = 0;
    } else if (symbol->kind == DNA_SEND_SETTLE && c->role->keeps) {
        dna_compose_settle(c, symbol);
    } else if (symbol->kind == DNA_SEND_LOCAL && c->role->local) {
        c->role->local(c, symbol);
    } else {
        enum dna_whom whom = c->role->address ? c->role->address(c, symbol) : symbol->whom;
        dna_compose_raise(c, symbol->machine, whom, symbol->on);
    }
    if (symbol->kind == DNA_SEND_GONE) {
        gone(c);
    }
}

/* What lay unread is dealt with once input is read again. */
static void deal_with_early(struct dna_compose *c)
{
    struct dna_stage *g = &c->scene->g;
    const struct dna_symbol *symbol = c->symbol;
    if (g->early && !g->held && !g->closed && !c->runaway) {
        const struct dna_symbol *early = &c->role->symbols[g->early - 1];
        g->early = 0;
        if (!passed_over(c, early)) {
            deal(c, early);
        }
        c->symbol = symbol;
    }
}

/* That the certificate has expired is told each second, until a machine acts. */
static void tick(struct dna_compose *c)
{
    const struct dna_symbol *symbol = c->symbol;
    const struct dna_symbol *expiry = c->scene->g.expired && !c->scene->g.closed && !c->runaway
                                          ? dna_symbol_find(c->role, "wait expiry", 11)
                                          : NULL;
    if (expiry && expiry != symbol && (!c->role->runs || c->role->runs(c, expiry))) {
        c->symbol = expiry;
        dna_compose_raise(c, expiry->machine, DNA_STREAM, expiry->on);
        c->symbol = symbol;
    }
}

bool dna_compose_send(struct dna_compose *c, const struct dna_symbol *symbol)
{
    c->num_tokens = 0;
    c->depth = 0;
    c->runaway = false;
    if (!dna_compose_can(c, symbol)) {
        return false;
    }
    if (symbol->kind == DNA_SEND_EARLY && c->scene->g.held) {
        c->symbol = symbol;
        c->scene->g.early = 1 + (uint32_t)(symbol - c->role->symbols);
        return true;
    }
    if (passed_over(c, symbol)) {
        if (symbol->kind == DNA_SEND_ANSWER) {
            c->scene->g.put[symbol->whom - DNA_PAIR1] = 0;
        }
        return true;
    }
    deal(c, symbol);
    deal_with_early(c);
    tick(c);
    if (c->role->after && !c->runaway) {
        c->role->after(c);
    }
    if (c->runaway) {
        c->num_tokens = 0;
        dna_compose_show(c, "runaway", DNA_STREAM, false);
        c->scene->g.closed = 1;
    }
    sort_word(c);
    return true;
}

void dna_compose_begin(struct dna_compose *c)
{
    memset(c->scene, 0, sizeof *c->scene);
    dna_stream_vars_init(&c->scene->s);
    for (size_t i = 0; i < c->role->num_slots; i++) {
        dna_instance_init(c->role->slots[i].machine, c->scene->v[i]);
    }
    c->scene->g.header_due = 1;
    c->scene->g.armed = c->scope->timers;
    c->symbol = NULL;
    c->num_tokens = c->depth = 0;
    c->runaway = false;
    if (c->role->begin) {
        c->role->begin(c);
        c->num_tokens = 0;
    }
}

void dna_compose_print(const struct dna_compose *c, char *out, size_t size)
{
    static const char *const suffixes[] = { "", "(d1)", "(d2)", "(?)" };
    size_t at = 0;
    snprintf(out, size, "nothing");
    for (size_t i = 0; i < c->num_tokens && at < size; i++) {
        int wrote = snprintf(out + at, size - at, "%s%s%s", i ? " " : "", c->word[i].text,
                             suffixes[c->word[i].whom]);
        at += wrote > 0 ? (size_t)wrote : 0;
    }
}

const struct dna_symbol *dna_symbol_find(const struct dna_role *role, const char *name, size_t len)
{
    for (size_t i = 0; i < role->num_symbols; i++) {
        const struct dna_symbol *s = &role->symbols[i];
        if (strlen(s->name) == len && memcmp(s->name, name, len) == 0) {
            return s;
        }
    }
    return NULL;
}

const struct dna_role *dna_role_find(const char *name)
{
    for (const struct dna_role *const *r = dna_roles; *r; r++) {
        if (strcmp((*r)->name, name) == 0) {
            return *r;
        }
    }
    return NULL;
}
