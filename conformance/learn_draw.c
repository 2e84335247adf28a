/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What `xdna learn` says and writes.
 */
#include "conformance/learn_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void dna_learn_print_word(const struct dna_learning *g, const struct dna_query *q, struct dna_buf *out)
{
    for (size_t i = 0; i < q->len; i++)
        dna_buf_printf(out, "%s%s", i ? ", " : "", g->seer.inputs[q->in[i]]->name);
}

bool dna_learn_write(struct dna_learning *g)
{
    for (size_t i = 0; i < g->num_differences && i < DNA_MAX_DIFFERENCES; i++) {
        const struct dna_difference *d = &g->differences[i];
        struct dna_buf word = { 0 };

        dna_learn_print_word(g, &d->witness, &word);
        printf("%s (behind %zu): %s\n  tables: %s\n  learned: %s\n", dna_difference_name(d->kind), d->behind,
               word.at, g->words.at[d->ours], g->words.at[d->theirs]);
        dna_buf_free(&word);
    }
    return true;
}
