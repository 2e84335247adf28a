/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. A sample of mutants of the reference, each learned as a black box: does what was
 * learned name the row that was changed? Named is what fires at the first step that differs, and each
 * row of which one single change explains all that was learned.
 */
#include "conformance/learn_run.h"

#include "model/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_BLAMED = 16 };

struct mutants {
    struct dna_learning *g;
    struct dna_mutant *at;
    size_t num, max;
};

/* The seer with one more mutant than its habits; the overlay is the caller's. */
static struct dna_seer changed(const struct dna_learning *g, const struct dna_mutant *m, struct dna_overlay *overlay)
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
    struct dna_buf text;
    char rows[MAX_BLAMED][64];
    size_t num_rows, num_mutants;
};

static bool note_explanation(void *ctx, const struct dna_mutant *m)
{
    struct blame *b = ctx;
    struct dna_overlay overlay;
    struct dna_seer seer = changed(b->g, m, &overlay);
    char row[64];

    if (dna_seer_is(&seer, &b->g->learned, &b->g->words) != 1)
        return true;
    b->num_mutants++;
    row_name(m, row, sizeof(row));
    for (size_t i = 0; i < b->num_rows; i++)
        if (strcmp(b->rows[i], row) == 0)
            return true;
    if (b->num_rows < MAX_BLAMED) {
        memcpy(b->rows[b->num_rows++], row, sizeof(row));
        dna_buf_printf(&b->text, "%s%s", b->text.len ? " " : "", row);
    }
    return true;
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

void dna_learn_blame(struct dna_learning *g, struct dna_buf *out_rows, size_t *out_num_rows, size_t *out_num_changes)
{
    struct blame b = { .g = g };

    (void)dna_seer_mutants(&g->seer, &g->habits, note_explanation, &b);
    *out_rows = b.text;
    *out_num_rows = b.num_rows;
    *out_num_changes = b.num_mutants;
}

struct score {
    unsigned learned, by_step, by_change, alone, either;
};

static void judge(struct dna_learning *g, const char *mutant, const char *row, struct score *score)
{
    struct dna_buf rows = { 0 }, word = { 0 };
    size_t num_rows = 0, num_changes = 0;
    const char *fired = g->num_differences ? dna_learn_rows(g, &g->differences[0].witness) : "none";
    bool by_step, by_change;

    dna_learn_blame(g, &rows, &num_rows, &num_changes);
    by_step = names(fired, row);
    by_change = rows.len && names(rows.at, row);
    score->learned++;
    score->by_step += by_step;
    score->by_change += by_change;
    score->alone += by_change && num_rows == 1;
    score->either += by_step || by_change;
    if (g->num_differences)
        dna_learn_print_word(g, &g->differences[0].witness, &word);
    printf("%-40s %3zu states, %4u sessions, %4.1f s, %zu contradictions\n    parts at: %s\n    rows of that step: %s%s\n"
           "    single changes that explain it: %zu, of %s%s\n", mutant, g->learned.num_states, g->num_sessions,
           g->seconds, g->contradictions, word.len ? word.at : "nowhere", fired, by_step ? "  (named)" : "", num_changes,
           rows.len ? rows.at : "no row", by_change ? "  (named)" : "");
    dna_buf_free(&rows);
    dna_buf_free(&word);
}

static int learn_mutant(struct dna_learning *g, const struct dna_mutant *m, size_t number, struct score *score)
{
    char *dir = dna_pool_printf(g->pool, "%s/m%zu", g->lab.place.dir, number);
    char mutant[128], row[64];
    int status;

    dna_mutant_print(m, mutant, sizeof(mutant));
    row_name(m, row, sizeof(row));
    if (mkdir(dir, 0777) != 0)
        return 99;
    status = dna_learn_serve(g, mutant, dir);
    if (!status)
        judge(g, mutant, row, score);
    else
        printf("%-40s not learned\n", mutant);
    fflush(stdout);
    dna_learn_leave(g);
    return status;
}

int dna_learn_mutants(struct dna_learning *g)
{
    struct mutants all = { .g = g };
    struct score score = { 0 };
    size_t num;

    if (dna_seer_mutants(&g->seer, &g->habits, note_told, &all) != 0 || !all.num) {
        fputs("xdna learn: no mutants\n", stderr);
        return 99;
    }
    shuffle(&all, g->seed);
    num = g->num_mutants < all.num ? g->num_mutants : all.num;
    printf("%zu mutants can be told from the tables at this alphabet; %zu are learned\n", all.num, num);
    for (size_t i = g->skip < num ? g->skip : num; i < num; i++)
        (void)learn_mutant(g, &all.at[i], i, &score);
    num -= g->skip < num ? g->skip : num;
    printf("RESULT mutants=%zu learned=%u named=%u by_first_step=%u by_explanation=%u that_row_alone=%u\n", num,
           score.learned, score.either, score.by_step, score.by_change, score.alone);
    free(all.at);
    return score.either == num ? 0 : 1;
}
