/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The lists cases.killers and rows.killers, one entry a line, '#' begins a
 * comment line:
 *
 *   CASE DAMAGE [!]          CASE - REASON        DAMAGE is ROW:OP (model/overlay.h) or fault=NAME
 *   ROW DAMAGE CASE [!]      ROW - REASON
 *
 * Nobody but mutate_hunt.c and the tests needs this.
 */
#ifndef CONFORMANCE_KILLERS_H
#define CONFORMANCE_KILLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One entry; the texts last until take() returns. */
struct dna_killer {
    unsigned line;
    char *name;    /* of the case, or of the row */
    char *damage;  /* NULL where there is a reason */
    char *case_id; /* of a row; NULL where there is a reason, or in a list of cases */
    char *reason;  /* or NULL */
};

/* dna_killer_take takes an entry whose form is right. False: it is of nothing that is there, and
 * why, which has room for size bytes, says what. */
typedef bool dna_killer_take(void *ctx, const struct dna_killer *entry, char *why, size_t size);

/* dna_killers_read reads a list of rows, or else of cases, and complains to say (NULL: to nobody)
 * as PATH:LINE: TEXT of each entry that is none, is there twice, or is not taken. Returns how many
 * lines were wrong; the right ones are taken all the same. */
size_t dna_killers_read(FILE *in, const char *path, bool rows, dna_killer_take *take, void *ctx,
                        FILE *say);

#endif
