/* SPDX-License-Identifier: MIT */
/*
 * verify_rows.c -- which property guards which row: each row that cites a requirement of security
 * is damaged, and the properties must notice.
 *
 * A row is dropped, its guard forced, what it does left out or exchanged for what another row does,
 * and, if nothing notices that, it is led to each other state.  A damaged row is tried in the
 * smallest configurations that meet it, or at least its cell: of the streams, and of the
 * prooftypes.  Dropping what a row does is often safe, so a row that no property guards is no
 * fault; but unguarded.def must give a reason, and a reason that has become wrong is one.
 */
#include "model/verify_fork.h"
#include "model/verify_prooftypes.h"
#include "model/verify_run.h"

#include "model/cell.h"

#include <stdlib.h>
#include <string.h>

/* MAX_TRIED: states of the configurations that a mutant is tried in, the last of them not counted.
 */
enum { MAX_TRIED = 4500, MAX_CONFIGS = 96, MAX_STATES = 20000 };

/* What was found in a configuration while all rows were intact, and of a row. */
struct intact {
    uint32_t states;
    uint64_t broken;
};

struct judged {
    const struct dna_machine *m;
    size_t row;
    const char *by; /* the property that noticed, or NULL; static text, and so the same for all */
    char kind;      /* 'g' guarded, 'u' not, 'm' not met, '?' without or against its reason */
};

struct survey {
    size_t num_configs, num_rows;
    uint8_t *fired;        /* shared: num_rows bytes a configuration */
    struct intact *intact; /* shared */
    struct judged *rows;   /* shared */
    size_t num_judged;
    size_t by_size[MAX_CONFIGS]; /* configurations, the smallest first */
    FILE *out;                   /* of the job */
    const char **by;             /* likewise: where to put the property that noticed */
};

static const struct {
    const char *row, *why;
} reasons[] = {
#define UNGUARDED(row, why) { #row, why },
#include "model/unguarded.def"
    { NULL, NULL }
};

static const char *reason_of(const char *row)
{
    size_t i = 0;
    while (reasons[i].row && strcmp(reasons[i].row, row) != 0) {
        i++;
    }
    return reasons[i].why;
}

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
    return strncmp(m->name, "c2s_", 4) != 0;
}

/* Configurations of the streams come first, then those of the prooftypes. */
static const struct vq_config *of_prooftypes(size_t config)
{
    return config < dna_vf_num_configs ? NULL : &dna_vq_configs[config - dna_vf_num_configs];
}

static const char *config_name(size_t config)
{
    return of_prooftypes(config) ? of_prooftypes(config)->name : dna_vf_configs[config].name;
}

static uint8_t *fired_in(const struct survey *v, size_t config)
{
    return v->fired + config * v->num_rows;
}

/* Whether any row of the cell of this row has fired there. */
static bool cell_met(const struct survey *v, size_t config, const struct dna_machine *m,
                     const struct dna_row *row)
{
    for (size_t i = dna_row_next(m, row->in, row->on, 0); i < m->num_rows;
         i = dna_row_next(m, row->in, row->on, i + 1)) {
        if (fired_in(v, config)[dna_vf_row_number(m, i)]) {
            return true;
        }
    }
    return false;
}

static int look_at_config(size_t i, FILE *out, void *arg)
{
    struct survey *v = arg;
    struct vf_search s = { .fired = fired_in(v, i) };
    struct vq_search q = { .fired = fired_in(v, i) };
    (void)out;
    int failed = of_prooftypes(i) ? dna_vq_run_config(of_prooftypes(i), &q)
                                  : dna_vf_run_config(&dna_vf_configs[i], &s);
    v->intact[i] = (struct intact){ s.num + q.num, s.broken | q.broken };
    dna_vf_search_free(&s);
    dna_vq_search_free(&q);
    return failed ? 3 : 0;
}

static int look_around(struct survey *v)
{
    v->num_configs = dna_vf_num_configs + dna_vq_num_configs;
    v->num_rows = dna_vf_num_rows();
    v->fired = dna_vf_shared(MAX_CONFIGS * v->num_rows);
    v->intact = dna_vf_shared(MAX_CONFIGS * sizeof *v->intact);
    v->rows = dna_vf_shared(v->num_rows * sizeof *v->rows);
    if (!v->fired || !v->intact || !v->rows || v->num_configs > MAX_CONFIGS ||
        dna_vf_in_parallel(v->num_configs, look_at_config, stderr, v)) {
        return -1;
    }
    for (size_t i = 0; i < v->num_configs; i++) {
        size_t at = i;
        for (; at > 0 && v->intact[v->by_size[at - 1]].states > v->intact[i].states; at--) {
            v->by_size[at] = v->by_size[at - 1];
        }
        v->by_size[at] = i;
    }
    return 0;
}

/* Returns the property that notices the mutants, or NULL. */
static const char *noticed_in(const struct survey *v, size_t config, const char *mutants)
{
    uint64_t known = v->intact[config].broken;
    uint32_t most = 2 * v->intact[config].states + 4000;
    const char *found = NULL;
    struct vf_search s = { .max_states = most, .stop_at_any = ~known };
    struct vq_search q = { .max_states = most, .stop_at_any = ~(uint32_t)known };
    bool failed = dna_vf_mutate(mutants) != 0;
    if (!failed && of_prooftypes(config)) {
        q.config = of_prooftypes(config);
        failed = dna_vq_search(&q) != 0;
    } else if (!failed) {
        s.config = &dna_vf_configs[config];
        failed = dna_vf_search(&s) != 0;
    }
    for (size_t k = 0; !failed && k < dna_vf_num_properties && !found; k++) {
        found = s.broken & ~known & dna_vf_bit(k) ? dna_vf_properties[k].id : NULL;
    }
    for (size_t k = 0; !failed && k < dna_vq_num_properties && !found; k++) {
        found = q.broken & ~known & 1u << k ? dna_vq_properties[k].id : NULL;
    }
    dna_vf_search_free(&s);
    dna_vq_search_free(&q);
    dna_interp_restore();
    return found;
}

/* The row that the reference takes where this one may be taken: itself, or the first of its CHOICE.
 */
static size_t taken_for(const struct dna_machine *m, const struct dna_row *row)
{
    size_t first = 0;
    while (row->kind == DNA_CHOICE && !dna_same_choice(&m->rows[first], row)) {
        first++;
    }
    return row->kind == DNA_CHOICE ? first : (size_t)(row - m->rows);
}

/* Configurations where the row itself fires come first, then those that meet its cell; the smallest
 * first. */
static bool try_mutants(const struct survey *v, const struct dna_machine *m,
                        const struct dna_row *row, const char *mutants)
{
    size_t number = dna_vf_row_number(m, taken_for(m, row));
    bool forced = strstr(mutants, ":true") != NULL; /* the rest shows only where the row fires */
    for (unsigned only_cell = 0; only_cell < 1u + forced; only_cell++) {
        uint32_t tried = 0;
        for (size_t n = 0; n < v->num_configs && tried < MAX_TRIED; n++) {
            size_t i = v->by_size[n];
            bool fires = fired_in(v, i)[number];
            if (only_cell ? fires || !cell_met(v, i, m, row) : !fires) {
                continue;
            }
            tried += v->intact[i].states;
            const char *property = noticed_in(v, i, mutants);
            if (property) {
                fprintf(v->out, "row %-6s %-44s refuted by %-4s in %s\n", row->id, mutants,
                        property, config_name(i));
                *v->by = property;
                return true;
            }
        }
    }
    return false;
}

/* The alternative of a CHOICE that the reference does not take is taken first. */
static int begin_mutants(const struct dna_machine *m, const struct dna_row *row, char *out,
                         size_t size)
{
    bool other = &m->rows[taken_for(m, row)] != row;
    return other ? snprintf(out, size, "%s:choice ", row->id) : snprintf(out, size, "%s", "");
}

/* The row does what another row does: a refusal, for one, becomes what is done when all is well. */
static bool try_as(const struct survey *v, const struct dna_machine *m, const struct dna_row *row,
                   const struct dna_row *other)
{
    char mutants[240];
    for (const uint8_t *o = other->dos; *o && row->dos[0]; o++) {
        int len = begin_mutants(m, row, mutants, sizeof mutants);
        if (*o == row->dos[0]) {
            continue;
        }
        len += snprintf(mutants + len, sizeof mutants - (size_t)len, "%s:do=%s/%s", row->id,
                        m->dos[row->dos[0]].name, m->dos[*o].name);
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

/* As rows of the same event do, those first that are for when all is well; and where this is the
   only row of its event, as rows of the same state do. */
static bool try_as_others(const struct survey *v, const struct dna_machine *m,
                          const struct dna_row *row)
{
    bool alone = true;
    for (unsigned round = 0; round < 3; round++) {
        for (size_t i = 0; i < m->num_rows; i++) {
            const struct dna_row *other = &m->rows[i];
            bool same = other->on == row->on && (other->when == 0) == (round == 0);
            alone = alone && (other == row || other->on != row->on || !other->dos[0]);
            if (other != row && other->kind <= DNA_CHOICE &&
                (round < 2 ? same : alone && other->in == row->in) && try_as(v, m, row, other)) {
                return true;
            }
        }
    }
    return false;
}

static bool try_row(const struct survey *v, const struct dna_machine *m, const struct dna_row *row)
{
    char mutant[160];
    int len = begin_mutants(m, row, mutant, sizeof mutant);
    char *at = mutant + len;
    size_t room = sizeof mutant - (size_t)len;
    snprintf(mutant, sizeof mutant, "%s:drop", row->id);
    if (try_mutants(v, m, row, mutant)) {
        return true;
    }
    snprintf(mutant, sizeof mutant, "%s:true", row->id);
    if (row->when && try_mutants(v, m, row, mutant)) {
        return true;
    }
    for (const uint8_t *o = row->dos; *o; o++) {
        (void)begin_mutants(m, row, mutant, sizeof mutant);
        snprintf(at, room, "%s:nodo=%s", row->id, m->dos[*o].name);
        if (try_mutants(v, m, row, mutant)) {
            return true;
        }
    }
    if (try_as_others(v, m, row)) {
        return true;
    }
    for (size_t state = 0; state < m->num_states; state++) {
        (void)begin_mutants(m, row, mutant, sizeof mutant);
        snprintf(at, room, "%s:to=%s", row->id, m->states[state].name);
        if (state != row->then && try_mutants(v, m, row, mutant)) {
            return true;
        }
    }
    return false;
}

static int survey_row(size_t i, FILE *out, void *arg)
{
    struct survey v = *(struct survey *)arg;
    struct judged *j = &v.rows[i];
    const struct dna_row *row = &j->m->rows[j->row];
    const char *why = reason_of(row->id);
    bool met = false;
    v.out = out;
    v.by = &j->by;
    for (size_t n = 0; n < v.num_configs; n++) {
        met |= cell_met(&v, n, j->m, row);
    }
    j->kind = !met ? 'm' : try_row(&v, j->m, row) ? 'g' : 'u';
    if (j->kind == 'g' && why) {
        fprintf(out, "row %-6s A REASON IS GIVEN why no property would notice: it is wrong\n",
                row->id);
        j->kind = '?';
    } else if (j->kind != 'g') {
        fprintf(out, "row %-6s %s: %s\n", row->id,
                met ? "no property notices" : "is met by no configuration",
                why ? why : "NO REASON IS GIVEN in unguarded.def");
        j->kind = why ? j->kind : '?';
    }
    return 0;
}

/* --- what the texts leave open --- */

/* Whether the row is an alternative, but not the first, of a CHOICE: the reference never takes it.
 */
static bool is_alternative(const struct dna_machine *m, size_t row)
{
    return taken_for(m, &m->rows[row]) != row;
}

static int choice_holds(size_t at, FILE *out, void *arg)
{
    const struct survey *v = arg;
    const struct dna_machine *m = v->rows[at].m;
    size_t row = v->rows[at].row;
    char mutant[80];
    unsigned tried = 0;
    int status = 0;
    snprintf(mutant, sizeof mutant, "%s:choice", m->rows[row].id);
    for (size_t i = 0; i < v->num_configs; i++) {
        if (!cell_met(v, i, m, &m->rows[row]) || v->intact[i].states > MAX_STATES) {
            continue;
        }
        const char *property = noticed_in(v, i, mutant);
        tried++;
        if (property) {
            fprintf(out, "claim %s config %s: REFUTED where %s is chosen\n", property,
                    config_name(i), m->rows[row].id);
            status = 1;
        }
    }
    if (!status && tried) {
        fprintf(out, "claim all: hold with %s chosen, too, in the %u configurations that meet it\n",
                m->rows[row].id, tried);
    }
    return status;
}

static void survey_free(struct survey *v)
{
    dna_vf_unshare(v->fired, MAX_CONFIGS * v->num_rows);
    dna_vf_unshare(v->intact, MAX_CONFIGS * sizeof *v->intact);
    dna_vf_unshare(v->rows, v->num_rows * sizeof *v->rows);
}

/* Lists the rows that `wanted` wants, and does the job for each. */
static int each_row(struct survey *v, bool (*wanted)(const struct dna_machine *m, size_t row),
                    int (*job)(size_t i, FILE *out, void *arg), FILE *out)
{
    int status = look_around(v) ? 3 : 0;
    for (const struct dna_machine *const *m = dna_machines; *m && !status; m++) {
        for (size_t i = 0; i < (*m)->num_rows && in_composition(*m); i++) {
            if (wanted(*m, i)) {
                v->rows[v->num_judged++] = (struct judged){ *m, i, NULL, '?' };
            }
        }
    }
    return status ? status : dna_vf_in_parallel(v->num_judged, job, out, v);
}

int dna_vf_choices(FILE *out)
{
    struct survey v = { .num_judged = 0 };
    int status = each_row(&v, is_alternative, choice_holds, out);
    survey_free(&v);
    return status;
}

static bool is_of_security(const struct dna_machine *m, size_t row)
{
    return m->rows[row].kind != DNA_DEAD && m->rows[row].kind != DNA_IGNORE &&
           cites_security(&m->rows[row]);
}

static void print_rows_of(const struct survey *v, const char *property, FILE *out)
{
    fprintf(out, "property %-4s", property);
    size_t num = 0;
    for (size_t i = 0; i < v->num_judged; i++) {
        const struct judged *j = &v->rows[i];
        if (j->by && strcmp(j->by, property) == 0) {
            fprintf(out, "%s%s", num && num % 14 == 0 ? "\n              " : " ",
                    j->m->rows[j->row].id);
            num++;
        }
    }
    fputs(num ? "\n" : " another property was first to notice\n", out);
}

static void print_by_property(const struct survey *v, FILE *out)
{
    for (size_t i = 0; i < dna_vf_num_properties; i++) {
        print_rows_of(v, dna_vf_properties[i].id, out);
    }
    for (size_t i = 0; i < dna_vq_num_properties; i++) {
        print_rows_of(v, dna_vq_properties[i].id, out);
    }
}

int dna_vf_survey(FILE *out)
{
    struct survey v = { .num_judged = 0 };
    int status = each_row(&v, is_of_security, survey_row, out);
    size_t guarded = 0, unguarded = 0, unmet = 0, wrong = 0;
    for (size_t i = 0; i < v.num_judged; i++) {
        guarded += v.rows[i].kind == 'g';
        unguarded += v.rows[i].kind == 'u';
        unmet += v.rows[i].kind == 'm';
        wrong += v.rows[i].kind == '?';
    }
    print_by_property(&v, out);
    fprintf(
        out,
        "rows that cite a requirement of security: %zu guarded by a property, %zu not, %zu "
        "met by no configuration, for reasons given; %zu without a reason, or with a wrong one\n",
        guarded, unguarded, unmet, wrong);
    survey_free(&v);
    return status ? status : wrong > 0;
}
