/* SPDX-License-Identifier: MIT */
/*
 * verify_rows.c -- which property guards which row: each row that cites a requirement of security
 * is damaged, and the properties must notice.
 *
 * A row is dropped, its guard forced, and, if nothing notices that, it is led to each other state.
 * A damaged row is tried in the smallest configurations that meet its cell.  Dropping what a row
 * does is often safe, so a row that no property guards is no fault; it is listed, with the
 * conformance suite's mutants to cover it.
 */
#include "model/verify_run.h"

#include "model/cell.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TRIED = 4, MAX_CONFIGS = 64, MAX_STATES = 20000 };

struct survey {
    uint8_t *fired[MAX_CONFIGS];
    uint32_t states[MAX_CONFIGS], broken[MAX_CONFIGS];
    size_t by_size[MAX_CONFIGS]; /* configurations, the smallest first */
    size_t guarded, unguarded, unmet;
    FILE *out;
};

static bool cites_security(const struct dna_row *row)
{
    for (const uint16_t *r = row->because; *r != DNA_REQ_END; r++) {
        if (dna_requirement((enum dna_req) * r)->marks & REQ_SEC) {
            return true;
        }
    }
    return false;
}

static bool in_composition(const struct dna_machine *m)
{
    return strncmp(m->name, "c2s_", 4) != 0 && strncmp(m->name, "prooftype_", 10) != 0;
}

/* Whether any row of the cell of this row has fired there. */
static bool cell_met(const struct survey *v, size_t config, const struct dna_machine *m,
                     const struct dna_row *row)
{
    for (size_t i = dna_row_next(m, row->in, row->on, 0); i < m->num_rows;
         i = dna_row_next(m, row->in, row->on, i + 1)) {
        if (v->fired[config][dna_vf_row_number(m, i)]) {
            return true;
        }
    }
    return false;
}

static int look_around(struct survey *v)
{
    for (size_t i = 0; i < dna_vf_num_configs; i++) {
        struct vf_search s = { 0 };
        v->fired[i] = calloc(dna_vf_num_rows(), 1);
        s.fired = v->fired[i];
        if (!s.fired || dna_vf_run_config(&dna_vf_configs[i], &s)) {
            dna_vf_search_free(&s);
            return -1;
        }
        v->states[i] = s.num;
        v->broken[i] = s.broken;
        dna_vf_search_free(&s);
        size_t at = i;
        for (; at > 0 && v->states[v->by_size[at - 1]] > s.num; at--) {
            v->by_size[at] = v->by_size[at - 1];
        }
        v->by_size[at] = i;
    }
    return 0;
}

/* Returns the property that notices the mutants, or -1; *where is the configuration. */
static int noticed_in(const struct survey *v, size_t config, const char *mutants)
{
    struct vf_search s = { .config = &dna_vf_configs[config],
                           .max_states = 2 * v->states[config] + 4000,
                           .stop_at_any = ~v->broken[config] };
    int failed = dna_vf_mutate(mutants) || dna_vf_search(&s), property = -1;
    for (size_t k = 0; !failed && k < dna_vf_num_properties && property < 0; k++) {
        property = s.broken & ~v->broken[config] & 1u << k ? (int)k : -1;
    }
    dna_vf_search_free(&s);
    dna_interp_restore();
    return property;
}

/* Configurations where the row itself fires come first, then those that meet its cell; the smallest
 * first. */
static bool try_mutants(const struct survey *v, const struct dna_machine *m,
                        const struct dna_row *row, const char *mutants)
{
    size_t number = dna_vf_row_number(m, (size_t)(row - m->rows));
    for (unsigned only_cell = 0; only_cell < 2; only_cell++) {
        for (size_t n = 0, tried = 0; n < dna_vf_num_configs && tried < MAX_TRIED; n++) {
            size_t i = v->by_size[n];
            if (only_cell ? v->fired[i][number] || !cell_met(v, i, m, row) : !v->fired[i][number]) {
                continue;
            }
            tried++;
            int property = noticed_in(v, i, mutants);
            if (property >= 0) {
                fprintf(v->out, "row %-6s %-44s refuted by %-4s in %s\n", row->id, mutants,
                        dna_vf_properties[property].id, dna_vf_configs[i].name);
                return true;
            }
        }
    }
    return false;
}

/* The row does what another row does with the same event: a refusal, for one, becomes what is done
 * when all is well. */
static bool try_as_sibling(const struct survey *v, const struct dna_machine *m,
                           const struct dna_row *row, const struct dna_row *other)
{
    char mutants[200];
    for (const uint8_t *o = other->dos; *o && row->dos[0]; o++) {
        int len = snprintf(mutants, sizeof mutants, "%s:do=%s/%s", row->id,
                           m->dos[row->dos[0]].name, m->dos[*o].name);
        if (*o == row->dos[0]) {
            continue;
        }
        if (other->then != row->then) {
            snprintf(mutants + len, sizeof mutants - (size_t)len, " %s:to=%s", row->id,
                     m->states[other->then].name);
        }
        if (try_mutants(v, m, row, mutants)) {
            return true;
        }
    }
    return false;
}

static bool try_row(const struct survey *v, const struct dna_machine *m, const struct dna_row *row)
{
    char mutant[160];
    snprintf(mutant, sizeof mutant, "%s:drop", row->id);
    if (try_mutants(v, m, row, mutant)) {
        return true;
    }
    snprintf(mutant, sizeof mutant, "%s:true", row->id);
    if (row->when && try_mutants(v, m, row, mutant)) {
        return true;
    }
    for (size_t i = 0; i < m->num_rows; i++) {
        const struct dna_row *other = &m->rows[i];
        if (other != row && other->on == row->on && other->kind <= DNA_CHOICE &&
            try_as_sibling(v, m, row, other)) {
            return true;
        }
    }
    for (size_t state = 0; state < m->num_states; state++) {
        snprintf(mutant, sizeof mutant, "%s:to=%s", row->id, m->states[state].name);
        if (state != row->then && try_mutants(v, m, row, mutant)) {
            return true;
        }
    }
    return false;
}

static void survey_row(struct survey *v, const struct dna_machine *m, const struct dna_row *row)
{
    bool met = false;
    for (size_t i = 0; i < dna_vf_num_configs; i++) {
        met |= cell_met(v, i, m, row);
    }
    if (!met) {
        fprintf(v->out, "row %-24s is met by no configuration\n", row->id);
        v->unmet++;
    } else if (try_row(v, m, row)) {
        v->guarded++;
    } else {
        fprintf(v->out, "row %-24s no property notices\n", row->id);
        v->unguarded++;
    }
    fflush(v->out);
}

/* --- what the texts leave open --- */

/* Whether the row is an alternative, but not the first, of a CHOICE: the reference never takes it.
 */
static bool is_alternative(const struct dna_machine *m, size_t row)
{
    size_t first = 0;
    while (!dna_same_choice(&m->rows[first], &m->rows[row])) {
        first++;
    }
    return m->rows[row].kind == DNA_CHOICE && first != row;
}

static bool choice_holds(struct survey *v, const struct dna_machine *m, size_t row)
{
    char mutant[80];
    unsigned tried = 0;
    bool holds = true;
    snprintf(mutant, sizeof mutant, "%s:choice", m->rows[row].id);
    for (size_t i = 0; i < dna_vf_num_configs; i++) {
        if (!cell_met(v, i, m, &m->rows[row]) || v->states[i] > MAX_STATES) {
            continue;
        }
        int property = noticed_in(v, i, mutant);
        tried++;
        if (property >= 0) {
            fprintf(v->out, "claim %s config %s: REFUTED where %s is chosen\n",
                    dna_vf_properties[property].id, dna_vf_configs[i].name, m->rows[row].id);
            holds = false;
        }
    }
    if (holds && tried) {
        fprintf(v->out,
                "claim all: hold with %s chosen, too, in the %u configurations that meet it\n",
                m->rows[row].id, tried);
    }
    return holds;
}

static void survey_free(struct survey *v)
{
    for (size_t i = 0; i < dna_vf_num_configs; i++) {
        free(v->fired[i]);
    }
}

int dna_vf_choices(FILE *out)
{
    struct survey v = { .out = out };
    int status = look_around(&v) ? 3 : 0;
    for (const struct dna_machine *const *m = dna_machines; *m && status < 3; m++) {
        for (size_t i = 0; i < (*m)->num_rows && in_composition(*m); i++) {
            if ((*m)->rows[i].kind == DNA_CHOICE && is_alternative(*m, i) &&
                !choice_holds(&v, *m, i)) {
                status = 1;
            }
        }
    }
    survey_free(&v);
    return status;
}

int dna_vf_survey(FILE *out)
{
    struct survey v = { .out = out };
    int status = look_around(&v);
    for (const struct dna_machine *const *m = dna_machines; *m && !status; m++) {
        for (size_t i = 0; i < (*m)->num_rows && in_composition(*m); i++) {
            const struct dna_row *row = &(*m)->rows[i];
            if (row->kind != DNA_DEAD && row->kind != DNA_IGNORE && cites_security(row)) {
                survey_row(&v, *m, row);
            }
        }
    }
    survey_free(&v);
    if (!status) {
        fprintf(out,
                "rows that cite a requirement of security: %zu guarded by a property, %zu not, %zu "
                "met by no configuration\n",
                v.guarded, v.unguarded, v.unmet);
    }
    return status ? 3 : 0;
}
