/* SPDX-License-Identifier: MIT */
/* hsi.c -- test suites by harmonised state identifiers over a Mealy machine. */
#include "model/hsi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NODES = 10000000, NEVER = 0 };

/* How two states are told apart: by `input` at once, or by it and what tells the next two apart. */
struct apart {
    uint16_t level; /* length of the word; NEVER: they are not */
    uint16_t input;
};

struct word {
    uint32_t at[DNA_SESSION_MAX];
    size_t len;
};

struct builder {
    const struct dna_mealy *m;
    struct dna_hsi_suite *suite;
    size_t n;
    struct apart *apart;   /* [i * n + j] */
    uint32_t *classes;     /* of states */
    uint32_t *reps;        /* a state of each class */
    size_t num_classes;
    struct word *words;    /* of all identifiers */
    size_t num_words, max_words;
    unsigned char *has;    /* [class * max_words + word] */
    struct word *access;   /* of states; len 0 for the start, and for those not reached */
    bool *reached;
};

/* --- telling states apart --- */

/* Whether input tells i from j at this level; hard: only if it can be sent in both. */
static bool tells(const struct builder *b, uint32_t i, uint32_t j, size_t x, unsigned level,
                  bool hard)
{
    const struct dna_mealy *m = b->m;
    uint32_t oi = dna_mealy_out(m, i, x), oj = dna_mealy_out(m, j, x);
    bool both = oi != DNA_CANNOT && oj != DNA_CANNOT;
    if (hard && !both) {
        return false;
    }
    if (oi != oj) {
        return level == 1;
    }
    uint32_t ni = dna_mealy_next(m, i, x), nj = dna_mealy_next(m, j, x);
    const struct apart *then = &b->apart[ni * b->n + nj];
    return both && ni != nj && then->level == level - 1 && level > 1;
}

static bool tell_level(struct builder *b, unsigned level, bool hard)
{
    bool found = false;
    for (uint32_t i = 0; i < b->n; i++) {
        for (uint32_t j = i + 1; j < b->n; j++) {
            struct apart *ij = &b->apart[i * b->n + j];
            for (size_t x = 0; x < b->m->num_inputs && ij->level == NEVER; x++) {
                if (tells(b, i, j, x, level, hard)) {
                    *ij = (struct apart){ (uint16_t)level, (uint16_t)x };
                    b->apart[j * b->n + i] = *ij;
                    found = true;
                }
            }
        }
    }
    return found;
}

/* Words that can be sent in both come first; then, for what is left, those that cannot.  A level at
   which nothing new is told apart is the last. */
static void tell_apart(struct builder *b)
{
    for (int hard = 1; hard >= 0; hard--) {
        unsigned level = 1;
        while (level < DNA_SESSION_MAX / 2 && tell_level(b, level, hard != 0)) {
            level++;
        }
    }
}

static void number_classes(struct builder *b)
{
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t c = 0;
        while (c < b->num_classes && b->apart[i * b->n + b->reps[c]].level != NEVER) {
            c++;
        }
        if (c == b->num_classes) {
            b->reps[b->num_classes++] = i;
        }
        b->classes[i] = c;
    }
}

/* --- identifiers --- */

static void word_between(const struct builder *b, uint32_t i, uint32_t j, struct word *w)
{
    w->len = 0;
    while (i != j && w->len < DNA_SESSION_MAX) {
        const struct apart *a = &b->apart[i * b->n + j];
        w->at[w->len++] = a->input;
        if (a->level <= 1) {
            return;
        }
        i = dna_mealy_next(b->m, i, a->input);
        j = dna_mealy_next(b->m, j, a->input);
    }
}

/* Whether the word tells i from j by answers to what can be sent in both. */
static bool word_tells(const struct builder *b, const struct word *w, uint32_t i, uint32_t j,
                       bool hard)
{
    for (size_t at = 0; at < w->len; at++) {
        uint32_t oi = dna_mealy_out(b->m, i, w->at[at]), oj = dna_mealy_out(b->m, j, w->at[at]);
        if (hard && (oi == DNA_CANNOT || oj == DNA_CANNOT)) {
            return false;
        }
        if (oi != oj) {
            return true;
        }
        i = dna_mealy_next(b->m, i, w->at[at]);
        j = dna_mealy_next(b->m, j, w->at[at]);
    }
    return false;
}

static bool has(const struct builder *b, uint32_t c, size_t word)
{
    return b->has[c * b->max_words + word] != 0;
}

/* The word that both are to have: one that costs least. */
static size_t choose_word(struct builder *b, uint32_t c, uint32_t d, bool hard)
{
    size_t best = b->num_words;
    int best_has = 0;
    for (size_t w = 0; w < b->num_words; w++) {
        int owners = has(b, c, w) + has(b, d, w);
        if ((best == b->num_words || owners > best_has) &&
            word_tells(b, &b->words[w], b->reps[c], b->reps[d], hard)) {
            best = w;
            best_has = owners;
        }
    }
    if (best == b->num_words && b->num_words < b->max_words) {
        word_between(b, b->reps[c], b->reps[d], &b->words[b->num_words++]);
    }
    return best;
}

/* Longest words first: they tell others apart on their way. */
static void identify(struct builder *b)
{
    for (unsigned level = DNA_SESSION_MAX; level > 0; level--) {
        for (uint32_t c = 0; c < b->num_classes; c++) {
            for (uint32_t d = c + 1; d < b->num_classes; d++) {
                const struct apart *a = &b->apart[b->reps[c] * b->n + b->reps[d]];
                if (a->level != level) {
                    continue;
                }
                struct word w;
                word_between(b, b->reps[c], b->reps[d], &w);
                bool hard = word_tells(b, &w, b->reps[c], b->reps[d], true);
                size_t word = choose_word(b, c, d, hard);
                b->has[c * b->max_words + word] = b->has[d * b->max_words + word] = 1;
            }
        }
    }
}

/* --- the suite --- */

int dna_hsi_suite_add(struct dna_hsi_suite *suite, const uint32_t *word, size_t len)
{
    uint32_t at = 0;
    for (size_t i = 0; i < len; i++) {
        uint32_t child = suite->nodes[at].child;
        while (child && suite->nodes[child].input != word[i]) {
            child = suite->nodes[child].sibling;
        }
        if (!child) {
            if (suite->num_nodes == suite->max_nodes) {
                size_t max = suite->max_nodes * 2;
                void *grown = max <= MAX_NODES
                                  ? realloc(suite->nodes, max * sizeof *suite->nodes)
                                  : NULL;
                if (!grown) {
                    return -1;
                }
                suite->nodes = grown;
                suite->max_nodes = max;
            }
            child = (uint32_t)suite->num_nodes++;
            suite->nodes[child] = (struct dna_trie_node){ 0, suite->nodes[at].child, word[i] };
            suite->nodes[at].child = child;
        }
        at = child;
    }
    return 0;
}

/* Adds the word as far as it can be sent. */
static int add_cut(struct builder *b, const struct word *w)
{
    uint32_t cut[DNA_SESSION_MAX];
    size_t len = 0;
    uint32_t at = b->m->start;
    for (size_t i = 0; i < w->len && !b->m->closed[at]; i++) {
        if (dna_mealy_out(b->m, at, w->at[i]) != DNA_CANNOT) {
            cut[len++] = w->at[i];
            at = dna_mealy_next(b->m, at, w->at[i]);
        }
    }
    return dna_hsi_suite_add(b->suite, cut, len);
}

static int add_identified(struct builder *b, const struct word *w, uint32_t state)
{
    int failed = add_cut(b, w);
    for (size_t i = 0; i < b->num_words && !b->m->closed[state] && !failed; i++) {
        struct word whole = *w;
        const struct word *h = &b->words[i];
        if (has(b, b->classes[state], i) && w->len + h->len <= DNA_SESSION_MAX) {
            memcpy(whole.at + w->len, h->at, h->len * sizeof *h->at);
            whole.len += h->len;
            failed = add_cut(b, &whole);
        }
    }
    return failed;
}

static int add_from(struct builder *b, const struct word *w, uint32_t state, unsigned steps)
{
    int failed = add_identified(b, w, state);
    for (uint32_t x = 0; steps > 0 && x < b->m->num_inputs && !failed; x++) {
        if (b->m->closed[state] || w->len == DNA_SESSION_MAX ||
            dna_mealy_out(b->m, state, x) == DNA_CANNOT) {
            continue;
        }
        struct word longer = *w;
        longer.at[longer.len++] = x;
        failed = add_from(b, &longer, dna_mealy_next(b->m, state, x), steps - 1);
    }
    return failed;
}

/* Shortest access words, breadth first. */
static int cover(struct builder *b)
{
    uint32_t *queue = calloc(b->n, sizeof *queue);
    size_t head = 0, tail = 0;
    if (!queue) {
        return -1;
    }
    queue[tail++] = b->m->start;
    b->reached[b->m->start] = true;
    while (head < tail) {
        uint32_t at = queue[head++];
        for (uint32_t x = 0; x < b->m->num_inputs; x++) {
            uint32_t to = dna_mealy_next(b->m, at, x);
            if (!b->reached[to] && b->access[at].len < DNA_SESSION_MAX) {
                b->reached[to] = true;
                b->access[to] = b->access[at];
                b->access[to].at[b->access[to].len++] = x;
                queue[tail++] = to;
            }
        }
    }
    free(queue);
    return 0;
}

static void count_sessions(struct dna_hsi_suite *suite, uint32_t at, size_t depth)
{
    uint32_t child = suite->nodes[at].child;
    if (!child && at) {
        suite->num_sessions++;
        suite->num_symbols += depth;
    }
    for (; child; child = suite->nodes[child].sibling) {
        count_sessions(suite, child, depth + 1);
    }
}

void dna_hsi_suite_count(struct dna_hsi_suite *suite)
{
    suite->num_sessions = suite->num_symbols = 0;
    count_sessions(suite, 0, 0);
}

static int build(struct builder *b, unsigned extra)
{
    int failed = cover(b);
    tell_apart(b);
    number_classes(b);
    b->max_words = b->num_classes * 4 + 8;
    b->words = calloc(b->max_words, sizeof *b->words);
    b->has = calloc(b->num_classes, b->max_words);
    if (failed || !b->words || !b->has) {
        return -1;
    }
    identify(b);
    for (uint32_t s = 0; s < b->n && !failed; s++) {
        if (b->reached[s] && !b->m->closed[s]) {
            failed = add_from(b, &b->access[s], s, extra + 1);
        }
    }
    b->suite->num_classes = b->num_classes;
    b->suite->num_words = b->num_words;
    dna_hsi_suite_count(b->suite);
    return failed;
}

static int begin(struct builder *b, const struct dna_mealy *m)
{
    *b = (struct builder){ .m = m, .n = m->num_states };
    b->apart = calloc(b->n * b->n, sizeof *b->apart);
    b->classes = calloc(b->n, sizeof *b->classes);
    b->reps = calloc(b->n, sizeof *b->reps);
    b->access = calloc(b->n, sizeof *b->access);
    b->reached = calloc(b->n, sizeof *b->reached);
    return b->apart && b->classes && b->reps && b->access && b->reached ? 0 : -1;
}

static void end(struct builder *b)
{
    free(b->apart);
    free(b->classes);
    free(b->reps);
    free(b->access);
    free(b->reached);
    free(b->words);
    free(b->has);
}

int dna_hsi_suite_new(struct dna_hsi_suite *suite)
{
    *suite = (struct dna_hsi_suite){ .max_nodes = 64, .num_nodes = 1 };
    suite->nodes = calloc(suite->max_nodes, sizeof *suite->nodes);
    return suite->nodes ? 0 : -1;
}

int dna_hsi_build(struct dna_hsi_suite *suite, const struct dna_mealy *machine, unsigned extra)
{
    struct builder b;
    int failed = dna_hsi_suite_new(suite);
    failed = begin(&b, machine) || failed;
    b.suite = suite;
    failed = failed || build(&b, extra) ? -1 : 0;
    end(&b);
    if (failed) {
        dna_hsi_suite_free(suite);
    }
    return failed;
}

size_t dna_hsi_classes(const struct dna_mealy *machine, uint32_t *classes)
{
    struct builder b;
    size_t num = 0;
    if (begin(&b, machine) == 0) {
        tell_apart(&b);
        number_classes(&b);
        memcpy(classes, b.classes, b.n * sizeof *classes);
        num = b.num_classes;
    }
    end(&b);
    return num;
}

void dna_hsi_suite_free(struct dna_hsi_suite *suite)
{
    free(suite->nodes);
    *suite = (struct dna_hsi_suite){ 0 };
}

/* --- sessions in their order --- */

struct listing {
    const struct dna_hsi_suite *suite;
    uint32_t path[DNA_SESSION_MAX];
    size_t wanted; /* length */
    dna_session_fn *each;
    void *ctx;
};

static bool list(struct listing *l, uint32_t at, size_t depth)
{
    uint32_t child = l->suite->nodes[at].child;
    if (!child && at && depth == l->wanted && !l->each(l->ctx, l->path, depth)) {
        return false;
    }
    for (; child && depth < l->wanted; child = l->suite->nodes[child].sibling) {
        l->path[depth] = l->suite->nodes[child].input;
        if (!list(l, child, depth + 1)) {
            return false;
        }
    }
    return true;
}

bool dna_hsi_suite_each(const struct dna_hsi_suite *suite, dna_session_fn *each, void *ctx)
{
    struct listing l = { .suite = suite, .each = each, .ctx = ctx };
    bool all = true;
    for (l.wanted = 1; l.wanted <= DNA_SESSION_MAX && all; l.wanted++) {
        all = list(&l, 0, 0);
    }
    return all;
}

/* --- what a pass means --- */

void dna_hsi_claim(FILE *out, const char *before, unsigned extra)
{
    static const char *const lines[] = {
        "What a pass means. The suite knows every situation that the tables have (a",
        "configuration), goes there by the shortest way, sends each symbol once, and then sends",
        "whatever it takes to see that the server is in the situation that is due, and in no",
        "other.",
        "So it finds a wrong answer to any symbol in any situation; a server that ends up in a",
        "wrong situation, though its answers were right; one that forgets a situation, or takes",
        "two for the same.",
        "It assumes that the server has no situations of its own beside these: whatever it",
        "remembers shows after one of those shortest ways%s. A server that misbehaves only the",
        "third time that something happens may pass (--extra-states finds it, at a price).",
        "It assumes too that the same bytes get the same answers, and that closed streams stay",
        "so.",
        "Under this, a server that passes does what the tables say, with the alternatives that",
        "it was found to take, for every sequence of these symbols, however long.",
        "Not claimed: other bytes than the symbols', load, timing, waits, several streams at",
        "once.",
    };
    char more[64] = "";
    if (extra) {
        snprintf(more, sizeof more, ", or at most %u symbol%s later", extra, extra > 1 ? "s" : "");
    }
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *at = strstr(lines[i], "%s");
        if (at) {
            fprintf(out, "%s%.*s%s%s\n", before, (int)(at - lines[i]), lines[i], more, at + 2);
        } else {
            fprintf(out, "%s%s\n", before, lines[i]);
        }
    }
}
