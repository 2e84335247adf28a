/* SPDX-License-Identifier: MIT */
/* learn_blame.c -- which rows of the tables stand behind what was learned. */
#include "model/learn_blame.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PAIRS = 4000 };

/* --- the rows that fire --- */

struct firing {
    struct dna_fired *out;
    size_t num, step;
};

static void note(void *ctx, const struct dna_machine *m, enum dna_whom whom,
                 const struct dna_env *env, uint32_t on, const struct dna_effects *fx)
{
    struct firing *f = ctx;
    (void)whom;
    (void)env;
    (void)on;
    if (m && fx && fx->row != DNA_NO_ROW && f->num < DNA_MAX_FIRED) {
        f->out[f->num++] = (struct dna_fired){ m, &m->rows[fx->row], f->step };
    }
}

size_t dna_seer_replay(const struct dna_seer *seer, const struct dna_query *word,
                       struct dna_fired out[DNA_MAX_FIRED])
{
    struct dna_seer watched = *seer;
    struct firing f = { .out = out };
    struct dna_seen at;
    char text[DNA_WORD_TEXT];
    watched.watch = note;
    watched.watch_ctx = &f;
    dna_seen_begin(&watched, &at);
    for (f.step = 0; f.step < word->len; f.step++) {
        if (dna_seen_can(&watched, &at) >> word->in[f.step] & 1) {
            dna_seen_step(&watched, &at, word->in[f.step], text);
        }
    }
    return f.num;
}

/* --- side by side with a machine --- */

struct pair {
    struct dna_seen seen;
    uint32_t state;
};

static bool known(const struct pair *pairs, size_t num, const struct pair *p)
{
    for (size_t i = 0; i < num; i++) {
        if (pairs[i].state == p->state && memcmp(&pairs[i].seen, &p->seen, sizeof p->seen) == 0) {
            return true;
        }
    }
    return false;
}

static bool same_word(const struct dna_wordbook *words, uint32_t number, const char *word)
{
    return number < words->num && strcmp(words->at[number], word) == 0;
}

/* Whether both say the same at all inputs; adds where they lead. */
static bool agree(const struct dna_seer *seer, const struct dna_mealy *m,
                  const struct dna_wordbook *words, struct pair *pairs, size_t at, size_t *num)
{
    uint64_t can = dna_seen_can(seer, &pairs[at].seen);
    char word[DNA_WORD_TEXT];
    for (size_t x = 0; x < seer->num_inputs; x++) {
        struct pair to = pairs[at];
        bool sendable = can >> x & 1;
        if (sendable != (dna_mealy_out(m, to.state, x) != DNA_CANNOT)) {
            return false;
        }
        if (!sendable) {
            continue;
        }
        dna_seen_step(seer, &to.seen, x, word);
        if (!same_word(words, dna_mealy_out(m, to.state, x), word)) {
            return false;
        }
        to.state = dna_mealy_next(m, to.state, x);
        if (m->closed[to.state] != (to.seen.scene.g.closed != 0)) {
            return false;
        }
        if (*num < MAX_PAIRS && !known(pairs, *num, &to)) {
            pairs[(*num)++] = to;
        }
    }
    return true;
}

int dna_seer_is(const struct dna_seer *seer, const struct dna_mealy *machine,
                const struct dna_wordbook *words)
{
    struct pair *pairs = calloc(MAX_PAIRS, sizeof *pairs);
    size_t num = 1;
    int same = 1;
    if (!pairs) {
        return -1;
    }
    dna_seen_begin(seer, &pairs[0].seen);
    pairs[0].state = machine->start;
    for (size_t at = 0; at < num && same == 1; at++) {
        same = agree(seer, machine, words, pairs, at, &num) ? 1 : 0;
    }
    free(pairs);
    return same == 1 && num == MAX_PAIRS ? -1 : same;
}

/* --- side by side with what was seen --- */

static size_t explained(const struct dna_seer *seer, const struct dna_learner *l, uint32_t node,
                        const struct dna_seen *at, const struct dna_wordbook *words)
{
    size_t num = 0;
    char word[DNA_WORD_TEXT];
    if (dna_seen_can(seer, at) != l->nodes[node].can) {
        return 0;
    }
    for (uint32_t c = l->nodes[node].child; c; c = l->nodes[c].sibling) {
        struct dna_seen to = *at;
        dna_seen_step(seer, &to, l->nodes[c].input, word);
        if (same_word(words, l->nodes[c].out, word)) {
            num += explained(seer, l, c, &to, words);
        }
    }
    return num + 1;
}

size_t dna_seer_explains(const struct dna_seer *seer, const struct dna_learner *seen,
                         const struct dna_wordbook *words)
{
    struct dna_seen begin;
    dna_seen_begin(seer, &begin);
    return explained(seer, seen, 0, &begin, words);
}

/* --- mutants --- */

int dna_seer_mutants(const struct dna_seer *seer, const struct dna_habits *habits,
                     dna_mutant_each *each, void *ctx)
{
    struct dna_role role = *seer->role;
    struct dna_campaign campaign;
    char err[160];
    role.scopes = &seer->scope;
    role.num_scopes = 1;
    if (dna_campaign_begin(&campaign, &role, habits, 0, err, sizeof err)) {
        return -1;
    }
    dna_mutants_each(&campaign, each, ctx);
    dna_campaign_end(&campaign);
    return 0;
}
