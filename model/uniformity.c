/* SPDX-License-Identifier: MIT */
/* uniformity.c -- was every atom of every guard tried both ways, wherever its row is? */
#include "model/uniformity.h"

#include "model/cell.h"

#include <stdlib.h>
#include <string.h>

static const struct exception {
    const char *row, *atom;
    bool never; /* which value it never has */
    const char *why;
} exceptions[] = {
#define ONE_WAY(row_, atom_, never_, why_) { row_, atom_, never_, why_ },
#include "model/uniformity.def"
};

enum { NUM_EXCEPTIONS = sizeof exceptions / sizeof exceptions[0] };

void dna_uniformity_add(struct dna_uniformity *to, const struct dna_uniformity *seen)
{
    for (size_t m = 0; m < DNA_MAX_MACHINES; m++) {
        for (size_t row = 0; row < DNA_MAX_ROWS; row++) {
            to->tried[m][row] |= seen->tried[m][row];
            to->fired[m][row] |= seen->fired[m][row];
            for (size_t a = 0; a < DNA_MAX_ATOMS; a++) {
                to->atoms[m][row][a] |= seen->atoms[m][row][a];
            }
        }
    }
}

static bool later_alternative(const struct dna_machine *m, size_t row)
{
    return m->rows[row].kind == DNA_CHOICE && row > 0 &&
           dna_same_choice(&m->rows[row], &m->rows[row - 1]);
}

static void each_of_row(const struct dna_uniformity *seen, const struct dna_machine *m, size_t row,
                        dna_atom_seen *each, void *ctx)
{
    size_t place = dna_machine_place(m);
    struct dna_atoms atoms;
    if (!seen->tried[place][row] || m->rows[row].when == 0 || m->rows[row].kind == DNA_DEAD ||
        later_alternative(m, row) || dna_atoms_parse(&atoms, m, m->rows[row].when)) {
        return;
    }
    for (size_t a = 0; a < atoms.num_atoms; a++) {
        if (!atoms.atoms[a].mentions_knobs_only) {
            each(ctx, m, row, &atoms.atoms[a], seen->atoms[place][row][a]);
        }
    }
}

void dna_uniformity_each(const struct dna_uniformity *seen,
                         const struct dna_machine *const *machines, dna_atom_seen *each, void *ctx)
{
    for (; *machines; machines++) {
        for (size_t row = 0; row < (*machines)->num_rows && row < DNA_MAX_ROWS; row++) {
            each_of_row(seen, *machines, row, each, ctx);
        }
    }
}

int dna_uniformity_unfold(struct dna_uniformity *seen, const struct dna_role *role,
                          const struct dna_habits *profile, char *err, size_t size)
{
    for (size_t i = 0; i < role->num_scopes; i++) {
        struct dna_unfolding u;
        if (dna_unfold(&u, role, &role->scopes[i], profile, seen, err, size)) {
            return -1;
        }
        dna_unfolding_free(&u);
    }
    return 0;
}

/* --- against the list --- */

struct check {
    bool used[NUM_EXCEPTIONS];
    FILE *out;
    size_t faults;
};

static void check_atom(void *ctx, const struct dna_machine *m, size_t row,
                       const struct dna_atom *atom, uint8_t seen)
{
    struct check *c = ctx;
    bool never = seen == 1; /* it was never true */
    if (seen == 3) {
        return;
    }
    for (size_t i = 0; i < NUM_EXCEPTIONS; i++) {
        const struct exception *e = &exceptions[i];
        if (strcmp(e->row, m->rows[row].id) == 0 && strlen(e->atom) == atom->len &&
            memcmp(e->atom, atom->at, atom->len) == 0 && e->never == never) {
            c->used[i] = true;
            return;
        }
    }
    fprintf(c->out,
            "uniformity: %s, %s: %.*s is never %s in any alphabet, and uniformity.def does not say "
            "why\n",
            m->rows[row].id, m->guards[m->rows[row].when].name, (int)atom->len, atom->at,
            never ? "true" : "false");
    c->faults++;
}

size_t dna_uniformity_check(const struct dna_uniformity *seen, FILE *out)
{
    struct check c = { .out = out };
    dna_uniformity_each(seen, dna_machines, check_atom, &c);
    for (size_t i = 0; i < NUM_EXCEPTIONS; i++) {
        if (!c.used[i]) {
            fprintf(out, "uniformity.def: %s, %s: nothing needs this entry\n", exceptions[i].row,
                    exceptions[i].atom);
            c.faults++;
        }
    }
    return c.faults;
}
