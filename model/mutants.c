/* SPDX-License-Identifier: MIT */
/* mutants.c -- every first-order mutant of every row that a role reaches, judged on the model. */
#include "model/mutants.h"

#include "model/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PAIRS = 40000, BUCKETS = 1 << 11 };

void dna_campaign_end(struct dna_campaign *c)
{
    for (size_t i = 0; i < c->role->num_scopes; i++) {
        if (c->suites) {
            dna_hsi_suite_free(&c->suites[i]);
        }
        if (c->extras) {
            dna_hsi_suite_free(&c->extras[i]);
        }
        if (c->unfoldings) {
            dna_unfolding_free(&c->unfoldings[i]);
        }
    }
    free(c->suites);
    free(c->extras);
    free(c->unfoldings);
    free(c->seen);
}

/* --- the mutants of a row --- */

/* Whether a cell is met in a scope. */
static bool meets(const struct dna_uniformity *seen, const struct dna_machine *m, size_t state,
                  size_t event)
{
    size_t first = dna_row_next(m, state, event, 0);
    return first < m->num_rows && seen->tried[dna_machine_place(m)][first];
}

static bool meets_anywhere(const struct dna_campaign *c, const struct dna_machine *m, size_t state,
                           size_t event)
{
    for (size_t i = 0; i < c->role->num_scopes; i++) {
        if (meets(&c->seen[i], m, state, event)) {
            return true;
        }
    }
    return false;
}

static bool row_tried(const struct dna_campaign *c, const struct dna_machine *m, size_t row)
{
    for (size_t i = 0; i < c->role->num_scopes; i++) {
        if (c->seen[i].tried[dna_machine_place(m)][row]) {
            return true;
        }
    }
    return false;
}

struct listing {
    const struct dna_campaign *c;
    dna_mutant_each *each;
    void *ctx;
    bool stopped;
};

static void give(struct listing *l, const struct dna_machine *m, size_t row,
                 enum dna_mutation what, size_t from, size_t to)
{
    struct dna_mutant mutant = { m, row, what, (uint8_t)from, (uint8_t)to };
    if (!l->stopped && !l->each(l->ctx, &mutant)) {
        l->stopped = true;
    }
}

static void give_guard(struct listing *l, const struct dna_machine *m, size_t row)
{
    struct dna_atoms atoms;
    if (m->rows[row].when == 0) {
        return;
    }
    give(l, m, row, DNA_FORCE_TRUE, 0, 0);
    give(l, m, row, DNA_NEGATE, 0, 0);
    if (dna_atoms_parse(&atoms, m, m->rows[row].when) == 0 && atoms.num_atoms > 1) {
        for (size_t a = 0; a < atoms.num_atoms; a++) {
            give(l, m, row, DNA_ATOM, a, 0);
        }
    }
}

static bool does(const struct dna_row *row, size_t action)
{
    for (const uint8_t *d = row->dos; *d; d++) {
        if (*d == action) {
            return true;
        }
    }
    return false;
}

static void give_actions(struct listing *l, const struct dna_machine *m, size_t row)
{
    const struct dna_row *r = &m->rows[row];
    if (r->dos[0] && r->dos[1]) {
        give(l, m, row, DNA_OMIT, 0, 0);
    }
    for (const uint8_t *d = r->dos; *d; d++) {
        give(l, m, row, DNA_OMIT, *d, 0);
        for (size_t other = 1; other < m->num_dos; other++) {
            if (m->dos[other].kind == m->dos[*d].kind && !does(r, other)) {
                give(l, m, row, DNA_SWAP, *d, other);
            }
        }
    }
}

static void give_states(struct listing *l, const struct dna_machine *m, size_t row)
{
    const struct dna_row *r = &m->rows[row];
    for (size_t s = 0; s < m->num_states; s++) {
        if (s != r->then) {
            give(l, m, row, DNA_REDIRECT, 0, s);
        }
        if (s != r->in && m->states[s].mark != DNA_FINAL) {
            give(l, m, row, DNA_MOVE, 0, s);
            if (meets_anywhere(l->c, m, s, r->on)) {
                give(l, m, row, DNA_COPY, 0, s);
            }
        }
    }
}

static void give_row(struct listing *l, const struct dna_machine *m, size_t row)
{
    const struct dna_row *r = &m->rows[row];
    if (r->kind == DNA_DEAD || !row_tried(l->c, m, row)) {
        return;
    }
    if (r->kind == DNA_CHOICE && row > 0 && dna_same_choice(r, &m->rows[row - 1])) {
        give(l, m, row, DNA_CHOOSE, 0, 0);
        return; /* its other mutants show only together with this */
    }
    if (r->kind != DNA_IGNORE) { /* without its row a cell does nothing, too */
        give(l, m, row, DNA_DROP, 0, 0);
    }
    give_guard(l, m, row);
    give_actions(l, m, row);
    give_states(l, m, row);
}

void dna_mutants_each(const struct dna_campaign *c, dna_mutant_each *each, void *ctx)
{
    struct listing l = { c, each, ctx, false };
    for (size_t s = 0; s < c->role->num_slots && !l.stopped; s++) {
        const struct dna_machine *m = c->role->slots[s].machine;
        if (s > 0 && c->role->slots[s - 1].machine == m) {
            continue;
        }
        for (size_t row = 0; row < m->num_rows; row++) {
            give_row(&l, m, row);
        }
    }
}

/* --- side by side --- */

/* Both after the same symbols: the unfolding's state and the mutant's scene. */
struct pair {
    struct dna_scene scene;
    uint32_t state;
    uint32_t parent, by;
    uint32_t next; /* of the bucket, +1 */
};

struct product {
    const struct dna_unfolding *u;
    struct dna_overlay overlay;
    struct pair *pairs;
    size_t num, max;
    uint32_t *buckets;
};

static uint32_t hash(const struct dna_scene *scene, uint32_t state)
{
    const uint32_t *at = (const uint32_t *)(const void *)scene;
    uint64_t h = 1469598103934665603u ^ state;
    for (size_t i = 0; i < sizeof *scene / sizeof *at; i++) {
        h = (h ^ at[i]) * 1099511628211u;
    }
    return (uint32_t)(h >> 40) % BUCKETS;
}

/* Returns false when there is no room. */
static bool visit(struct product *p, const struct dna_scene *scene, uint32_t state,
                  uint32_t parent, uint32_t by)
{
    if (scene->g.closed && p->u->mealy.closed[state]) {
        return true; /* nothing can be sent any more */
    }
    uint32_t *bucket = &p->buckets[hash(scene, state)];
    for (uint32_t i = *bucket; i; i = p->pairs[i - 1].next) {
        if (p->pairs[i - 1].state == state &&
            memcmp(&p->pairs[i - 1].scene, scene, sizeof *scene) == 0) {
            return true;
        }
    }
    if (p->num == p->max) {
        size_t max = p->max ? p->max * 2 : 256;
        void *grown = max <= MAX_PAIRS * 2 ? realloc(p->pairs, max * sizeof *p->pairs) : NULL;
        if (!grown) {
            return false;
        }
        p->pairs = grown;
        p->max = max;
    }
    p->pairs[p->num] = (struct pair){ *scene, state, parent, by, *bucket };
    *bucket = (uint32_t)++p->num;
    return true;
}

static void explain(const struct product *p, size_t at, uint32_t x, const char *got,
                    struct dna_judgement *out)
{
    uint32_t back[DNA_SESSION_MAX];
    size_t len = 0;
    const struct pair *pair = &p->pairs[at];
    back[len++] = x;
    while (pair != &p->pairs[0] && len < DNA_SESSION_MAX) {
        back[len++] = pair->by;
        pair = &p->pairs[pair->parent];
    }
    for (size_t i = 0; i < len; i++) {
        out->witness[i] = back[len - 1 - i];
    }
    out->len = len;
    snprintf(out->expected, sizeof out->expected, "%s",
             p->u->words[dna_mealy_out(&p->u->mealy, p->pairs[at].state, x)]);
    snprintf(out->got, sizeof out->got, "%s", got);
}

enum outcome { SAME, DIFFERENT, TOO_MUCH };

/* Whether something is being fetched, or is there, cannot be seen, so doing nothing with its arrival
   or its end and having nothing to arrive or to end are the same. */
static bool same_word(const struct dna_symbol *symbol, const char *a, const char *b)
{
    if (strcmp(a, b) == 0) {
        return true;
    }
    bool idle_a = strcmp(a, "-") == 0 || strcmp(a, "nothing") == 0;
    bool idle_b = strcmp(b, "-") == 0 || strcmp(b, "nothing") == 0;
    bool unseen = symbol->kind == DNA_SEND_SETTLE || symbol->kind == DNA_SEND_LAPSE;
    return unseen && idle_a && idle_b;
}

/* What cannot be sent to whole tables is not sent.  That it cannot be sent to the mutant is a last
   resort: it is sent nevertheless, but what comes of it the model does not say. */
static enum outcome walk(struct product *p, struct dna_judgement *out)
{
    const struct dna_mealy *m = &p->u->mealy;
    char word[DNA_WORD_TEXT];
    enum outcome resort = SAME;
    for (size_t at = 0; at < p->num; at++) {
        for (uint32_t x = 0; x < m->num_inputs; x++) {
            struct dna_scene scene = p->pairs[at].scene;
            uint32_t state = p->pairs[at].state;
            if (dna_mealy_out(m, state, x) == DNA_CANNOT) {
                continue;
            }
            dna_unfold_step(p->u, &p->overlay, &scene, x, word);
            bool cannot = strcmp(word, "-") == 0;
            if (!same_word(p->u->inputs[x], word, p->u->words[dna_mealy_out(m, state, x)]) &&
                (!cannot || resort == SAME)) {
                explain(p, at, x, word, out);
                resort = DIFFERENT;
                if (!cannot) {
                    return DIFFERENT;
                }
            }
            if (!cannot &&
                !visit(p, &scene, dna_mealy_next(m, state, x), (uint32_t)at, x)) {
                return TOO_MUCH;
            }
        }
    }
    return resort;
}

static enum outcome compare(const struct dna_unfolding *u, const struct dna_overlay *overlay,
                            const struct dna_overlay *undamaged, struct dna_judgement *out)
{
    struct product p = { .u = u, .overlay = *overlay };
    struct dna_scene scene, as_is;
    char got[4096], expected[4096];
    bool played = dna_unfold_prefix(u, overlay, &scene, got, sizeof got);
    (void)dna_unfold_prefix(u, undamaged, &as_is, expected, sizeof expected);
    if (!played || strcmp(got, expected) != 0) {
        out->len = 0;
        snprintf(out->expected, sizeof out->expected, "%.*s", DNA_WORD_TEXT - 1, expected);
        snprintf(out->got, sizeof out->got, "%.*s", DNA_WORD_TEXT - 1, got);
        return DIFFERENT;
    }
    p.buckets = calloc(BUCKETS, sizeof *p.buckets);
    enum outcome outcome = TOO_MUCH;
    if (p.buckets && visit(&p, &scene, u->mealy.start, 0, 0)) {
        outcome = walk(&p, out);
    }
    free(p.buckets);
    free(p.pairs);
    return outcome;
}

/* Merging configurations must not show: what was unfolded is what the composition does. */
static int itself(const struct dna_unfolding *u, const struct dna_habits *profile, char *err,
                  size_t size)
{
    struct dna_judgement j = { 0 };
    if (compare(u, &profile->choices, &profile->choices, &j) == SAME) {
        return 0;
    }
    size_t used =
        (size_t)snprintf(err, size, "scope %s does not unfold to itself:", u->scope->name);
    for (size_t i = 0; i < j.len && used < size; i++) {
        used += (size_t)snprintf(err + used, size - used, "%s %s", i ? "," : "",
                                 u->inputs[j.witness[i]]->name);
    }
    if (used < size) {
        snprintf(err + used, size - used, ": %.60s, not %.60s", j.got, j.expected);
    }
    return -1;
}

/* --- the suite --- */

struct playing {
    const struct dna_unfolding *u;
    const struct dna_hsi_suite *suite;
    const struct dna_overlay *overlay;
};

static bool play(const struct playing *p, uint32_t node, uint32_t state,
                 const struct dna_scene *before)
{
    char word[DNA_WORD_TEXT];
    for (uint32_t child = p->suite->nodes[node].child; child;
         child = p->suite->nodes[child].sibling) {
        uint32_t x = p->suite->nodes[child].input;
        struct dna_scene scene = *before;
        dna_unfold_step(p->u, p->overlay, &scene, x, word);
        if (!same_word(p->u->inputs[x], word,
                       p->u->words[dna_mealy_out(&p->u->mealy, state, x)]) ||
            play(p, child, dna_mealy_next(&p->u->mealy, state, x), &scene)) {
            return true;
        }
    }
    return false;
}

bool dna_hsi_suite_kills(const struct dna_unfolding *u, const struct dna_hsi_suite *suite,
                     const struct dna_overlay *overlay)
{
    struct playing p = { u, suite, overlay };
    struct dna_scene scene;
    char word[4096];
    if (!dna_unfold_prefix(u, overlay, &scene, word, sizeof word)) {
        return true;
    }
    return play(&p, 0, u->mealy.start, &scene);
}

int dna_campaign_begin(struct dna_campaign *c, const struct dna_role *role,
                       const struct dna_habits *profile, unsigned extra, char *err, size_t size)
{
    *c = (struct dna_campaign){ .role = role, .profile = *profile };
    c->unfoldings = calloc(role->num_scopes, sizeof *c->unfoldings);
    c->suites = calloc(role->num_scopes, sizeof *c->suites);
    c->extras = calloc(role->num_scopes, sizeof *c->extras);
    c->seen = calloc(role->num_scopes, sizeof *c->seen);
    bool failed = !c->unfoldings || !c->suites || !c->extras || !c->seen;
    for (size_t i = 0; i < role->num_scopes && !failed; i++) {
        failed = dna_unfold(&c->unfoldings[i], role, &role->scopes[i], profile, &c->seen[i], err,
                            size) != 0;
        failed = failed || itself(&c->unfoldings[i], profile, err, size);
        failed = failed || dna_hsi_suite_new(&c->extras[i]);
        if (!failed && dna_hsi_build(&c->suites[i], &c->unfoldings[i].mealy, extra)) {
            snprintf(err, size, "scope %s: the suite is too large", role->scopes[i].name);
            failed = true;
        }
    }
    if (failed) {
        dna_campaign_end(c);
        return -1;
    }
    return 0;
}

/* --- judgement --- */

/* Whether the mutant can make a difference in the scope at all. */
static bool concerns(const struct dna_uniformity *seen, const struct dna_mutant *mutant)
{
    const struct dna_machine *m = mutant->machine;
    const struct dna_row *r = &m->rows[mutant->row];
    bool here = seen->tried[dna_machine_place(m)][mutant->row];
    if (mutant->what == DNA_MOVE || mutant->what == DNA_COPY) {
        bool there = meets(seen, m, mutant->to, r->on);
        return there || (here && mutant->what == DNA_MOVE);
    }
    return here || r->kind == DNA_CHOICE;
}

/* What a session costs before its own symbols: its scope's prefix, and what waits comes last. */
static size_t prefix_cost(const struct dna_scope *scope)
{
    size_t num = (scope->prefix[0] ? 1u : 0u) + (scope->timers ? (size_t)DNA_SESSION_MAX : 0u);
    for (const char *at = scope->prefix; *at; at++) {
        num += *at == ',';
    }
    return num;
}

void dna_campaign_judge(const struct dna_campaign *c, const struct dna_mutant *mutant,
                        struct dna_judgement *out)
{
    struct dna_overlay overlay = c->profile.choices;
    bool killed = false, waiting = false, found = false, undecided = false;
    overlay.mutants[overlay.num++] = *mutant;
    for (size_t i = 0; i < c->role->num_scopes; i++) {
        struct dna_judgement here = { .scope = i };
        if (!concerns(&c->seen[i], mutant)) {
            continue;
        }
        enum outcome outcome =
            compare(&c->unfoldings[i], &overlay, &c->profile.choices, &here);
        undecided |= outcome == TOO_MUCH;
        if (outcome != DIFFERENT) {
            continue;
        }
        size_t len = here.len + prefix_cost(&c->role->scopes[i]);
        if (!found || len < out->len + prefix_cost(&c->role->scopes[out->scope])) {
            *out = here;
        }
        found = true;
        bool *which = c->role->scopes[i].timers ? &waiting : &killed;
        *which = *which || here.len == 0 ||
                 dna_hsi_suite_kills(&c->unfoldings[i], &c->suites[i], &overlay);
    }
    out->fate = killed      ? DNA_KILLED
                : waiting   ? DNA_KILLED_BY_WAITING
                : found     ? DNA_SURVIVED
                : undecided ? DNA_UNDECIDED
                            : DNA_EQUIVALENT;
}

/* --- completion --- */

int dna_campaign_complete(struct dna_campaign *c, const struct dna_mutant *mutant,
                          struct dna_judgement *judgement)
{
    struct dna_overlay overlay = c->profile.choices;
    struct dna_hsi_suite *suite = &c->extras[judgement->scope];
    overlay.mutants[overlay.num++] = *mutant;
    if (!dna_hsi_suite_kills(&c->unfoldings[judgement->scope], suite, &overlay)) {
        if (dna_hsi_suite_add(suite, judgement->witness, judgement->len)) {
            return -1;
        }
        dna_hsi_suite_count(suite);
    }
    if (dna_hsi_suite_kills(&c->unfoldings[judgement->scope], suite, &overlay)) {
        judgement->fate = DNA_COMPLETED;
    }
    return 0;
}

/* --- all of them --- */

struct scoring {
    struct dna_campaign *campaign;
    dna_judged *judged;
    void *ctx;
    struct dna_score *score;
    bool failed;
};

static bool judge_one(void *ctx, const struct dna_mutant *mutant)
{
    struct scoring *s = ctx;
    struct dna_judgement j = { 0 };
    dna_campaign_judge(s->campaign, mutant, &j);
    if (j.fate == DNA_SURVIVED && dna_campaign_complete(s->campaign, mutant, &j)) {
        s->failed = true;
        return false;
    }
    s->score->all++;
    s->score->fates[j.fate]++;
    s->score->longest = j.len > s->score->longest ? j.len : s->score->longest;
    if (s->judged) {
        s->judged(s->ctx, mutant, &j);
    }
    return true;
}

int dna_campaign_score(struct dna_campaign *c, dna_judged *judged, void *ctx, struct dna_score *out)
{
    struct scoring s = { c, judged, ctx, out, false };
    memset(out, 0, sizeof *out);
    dna_mutants_each(c, judge_one, &s);
    for (size_t i = 0; i < c->role->num_scopes; i++) {
        out->sessions += c->suites[i].num_sessions;
        out->completing += c->extras[i].num_sessions;
    }
    return s.failed ? -1 : 0;
}
