/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. A sample of mutants of the reference, each learned as a black box: does what
 * was learned name the row that was changed? Named is what fires at the first step that differs,
 * and each row of which one single change explains all that was learned.
 */
#include "conformance/learn_run.h"

#include "model/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct mutants {
    struct dna_learning *g;
    struct dna_mutant *at;
    size_t num, max;
};

/* The seer with one more mutant than its habits; the overlay is the caller's. */
static struct dna_seer changed(const struct dna_learning *g, const struct dna_mutant *m,
                               struct dna_overlay *overlay)
{
    struct dna_seer seer = g->seer;

    *overlay = g->habits.choices;
    overlay->mutants[overlay->num++] = *m;
    seer.overlay = overlay;
    return seer;
}

static void row_name(const struct dna_mutant *m, char *out, size_t size)
{
    dna_mutant_print(m, out, size);
    out[strcspn(out, ":")] = '\0';
}

/* ---- the sample ---- */

static bool note_told(void *ctx, const struct dna_mutant *m)
{
    struct mutants *all = ctx;
    struct dna_overlay overlay;
    struct dna_seer seer = changed(all->g, m, &overlay);

    if (dna_seer_is(&seer, &all->g->ours, &all->g->words) != 0)
        return true;
    if (all->num == all->max) {
        all->max = all->max ? all->max * 2 : 256;
        all->at = dna_xrealloc(all->at, all->max * sizeof(*all->at));
    }
    all->at[all->num++] = *m;
    return true;
}

static void shuffle(struct mutants *all, unsigned seed)
{
    unsigned long long state = seed * 2654435769ull + 1;

    for (size_t i = all->num; i > 1; i--) {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        size_t k = (size_t)(state >> 33) % i;
        struct dna_mutant swap = all->at[i - 1];

        all->at[i - 1] = all->at[k];
        all->at[k] = swap;
    }
}

/* ---- who did it ---- */

struct blame {
    struct dna_learning *g;
    struct dna_blamed *out;
};

enum leads { ELSEWHERE, THERE, EXACTLY };

/* The learned outputs all along the way to the first difference; there the learned one, or at least
 * not the tables'. */
static enum leads leads(const struct dna_learning *g, const struct dna_seer *seer)
{
    const struct dna_difference *d = &g->differences[0];
    const struct dna_query *q = &d->witness;
    uint32_t state = g->learned.start;
    struct dna_seen at;
    char word[DNA_WORD_TEXT] = "-";

    dna_seen_begin(seer, &at);
    for (size_t i = 0; i < q->len; i++) {
        if (!(dna_seen_can(seer, &at) >> q->in[i] & 1))
            return i + 1 == q->len ? THERE : ELSEWHERE;
        dna_seen_step(seer, &at, q->in[i], word);
        if (i + 1 < q->len &&
            strcmp(word, g->words.at[dna_mealy_out(&g->learned, state, q->in[i])]) != 0)
            return ELSEWHERE;
        state = dna_mealy_next(&g->learned, state, q->in[i]);
    }
    return strcmp(word, g->words.at[d->theirs]) == 0 ? EXACTLY
           : strcmp(word, g->words.at[d->ours]) == 0 ? ELSEWHERE
                                                     : THERE;
}

static bool better(const struct dna_blamed_row *a, const struct dna_blamed_row *b)
{
    return a->exact != b->exact ? a->exact : a->explained > b->explained;
}

static bool note_explanation(void *ctx, const struct dna_mutant *m)
{
    struct blame *b = ctx;
    struct dna_blamed *out = b->out;
    struct dna_overlay overlay;
    struct dna_seer seer = changed(b->g, m, &overlay);
    struct dna_blamed_row row;
    size_t at = 0;

    enum leads there = leads(b->g, &seer);

    if (there == ELSEWHERE)
        return true;
    row.exact = there == EXACTLY;
    row_name(m, row.id, sizeof(row.id));
    row.explained = dna_seer_explains(&seer, &b->g->learner, &b->g->words);
    while (at < out->num && strcmp(out->rows[at].id, row.id) != 0)
        at++;
    if (at == out->num && out->num < DNA_MAX_BLAMED)
        out->rows[out->num++] = row;
    else if (at < out->num && better(&row, &out->rows[at]))
        out->rows[at] = row;
    return true;
}

static int by_explained(const void *a, const void *b)
{
    const struct dna_blamed_row *x = a, *y = b;

    return x->explained > y->explained   ? -1
           : x->explained < y->explained ? 1
                                         : strcmp(x->id, y->id);
}

void dna_learn_blame(struct dna_learning *g, struct dna_blamed *out)
{
    struct blame b = { .g = g, .out = out };

    *out = (struct dna_blamed){ 0 };
    if (g->num_differences)
        (void)dna_seer_mutants(&g->seer, &g->habits, note_explanation, &b);
    qsort(out->rows, out->num, sizeof(*out->rows), by_explained);
}

void dna_learn_print_blame(const struct dna_learning *g, const struct dna_blamed *b)
{
    printf("one change of a row explains, of %zu observations:", g->learner.num_nodes);
    for (size_t i = 0; i < b->num && i < 8; i++)
        printf(" %s %s%zu%s", b->rows[i].id, b->rows[i].exact ? "" : "otherwise ",
               b->rows[i].explained, i + 1 < b->num ? "," : "");
    puts(b->num > 8 ? " ..." : b->num ? "" : " no row");
}

/* Its place among the explanations, those alike counting as one: 1 is the best; 0: it is none. */
static size_t place_of(const struct dna_blamed *b, const char *row)
{
    size_t place = 0;

    for (size_t i = 0; i < b->num; i++) {
        place += !i || better(&b->rows[i - 1], &b->rows[i]);
        if (strcmp(b->rows[i].id, row) == 0)
            return place;
    }
    return 0;
}

/* The id as a word of a list. */
static bool names(const char *list, const char *row)
{
    size_t len = strlen(row);

    for (const char *at = list; (at = strstr(at, row)); at += len)
        if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

struct score {
    unsigned learned, by_step, by_change, alone, either, unseen, not_learned;
};

static void judge(struct dna_learning *g, const char *mutant, const char *row, struct score *score)
{
    struct dna_blamed b;
    struct dna_buf word = { 0 };
    const char *fired = dna_learn_rows(g, &g->differences[0]);
    bool by_step, by_change, alone;
    size_t place;

    dna_learn_blame(g, &b);
    place = place_of(&b, row);
    by_step = names(fired, row);
    by_change = place == 1;
    alone = by_change && (b.num == 1 || better(&b.rows[0], &b.rows[1]));
    score->learned++;
    score->by_step += by_step;
    score->by_change += by_change;
    score->alone += alone;
    score->either += by_step || by_change;
    dna_learn_print_word(g, &g->differences[0].witness, &word);
    printf(
        "%-44s %s%s%s (place %zu)\n    %zu states, %u sessions, %.1f s, %zu contradictions; "
        "parts at: %s\n    rows of that step: %s\n    ",
        mutant, by_step || by_change ? "named" : "NOT NAMED", by_step ? " by the step" : "",
        alone       ? " alone"
        : by_change ? " among the best"
                    : "",
        place, g->learned.num_states, g->num_sessions, g->seconds, g->contradictions, word.at,
        fired);
    dna_learn_print_blame(g, &b);
    dna_buf_free(&word);
}

static int learn_mutant(struct dna_learning *g, const struct dna_mutant *m, size_t number,
                        struct score *score)
{
    char *dir = dna_pool_printf(g->pool, "%s/m%zu", g->lab.place.dir, number);
    char mutant[128], row[64];
    int status;

    dna_mutant_print(m, mutant, sizeof(mutant));
    row_name(m, row, sizeof(row));
    if (mkdir(dir, 0777) != 0)
        return 99;
    status = dna_learn_serve(g, mutant, dir);
    if (status)
        printf("%-44s not learned%s%s\n", mutant, g->trouble ? ": " : "",
               g->trouble ? g->trouble : "");
    else if (g->num_differences)
        judge(g, mutant, row, score);
    else
        printf("%-44s the tables' machine: no peer can bring about what it changes\n", mutant);
    score->unseen += !status && !g->num_differences;
    score->not_learned += status != 0;
    fflush(stdout);
    dna_learn_leave(g);
    return status;
}

int dna_learn_mutants(struct dna_learning *g)
{
    struct mutants all = { .g = g };
    struct score score = { 0 };
    size_t at = g->skip;

    if (dna_seer_mutants(&g->seer, &g->habits, note_told, &all) != 0 || !all.num) {
        fputs("xdna learn: no mutants\n", stderr);
        return 99;
    }
    shuffle(&all, g->seed);
    printf("%zu mutants can be told from the tables at this alphabet\n", all.num);
    for (; at < all.num && score.learned < g->num_mutants && !g->stopped; at++)
        (void)learn_mutant(g, &all.at[at], at, &score);
    if (g->stopped)
        printf("INCOMPLETE (%s): of %u mutants %u were learned\n", g->stopped, g->num_mutants,
               score.learned);
    printf(
        "next: --skip %zu\nRESULT learned=%u named=%u by_first_step=%u by_explanation=%u alone=%u "
        "as_the_tables=%u not_learned=%u\n",
        at, score.learned, score.either, score.by_step, score.by_change, score.alone, score.unseen,
        score.not_learned);
    free(all.at);
    return dna_learn_status(g, score.learned && score.either == score.learned ? 0 : 1);
}
