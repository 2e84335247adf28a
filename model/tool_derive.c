/* SPDX-License-Identifier: MIT */
/* tool_derive.c -- model-tool derive: the suite of a role, its figures and what it claims. */
#include "model/tool_derive.h"

#include "model/hsi.h"
#include "model/mutants.h"
#include "model/roles.h"
#include "model/uniformity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
    const struct dna_role *role;
    struct dna_habits profile;
    const char *scope;
    unsigned extra;
    bool figures, verbose;
};

static int usage(void)
{
    fputs("usage: model-tool derive ROLE [--extra-states K] [--profile FILE] [--scope NAME] "
          "[--figures]\n       model-tool mutate ROLE|all [--profile FILE] [-v]\nroles:\n",
          stderr);
    for (const struct dna_role *const *r = dna_roles; *r; r++) {
        fprintf(stderr, "  %-14s %s\n", (*r)->name, (*r)->text);
    }
    return 2;
}

static bool take_option(struct options *o, const char *name, const char *value, int *used)
{
    char err[256];
    *used = 2;
    if (strcmp(name, "--extra-states") == 0 && value && value[0] >= '0' && value[0] <= '3' &&
        !value[1]) {
        o->extra = (unsigned)(value[0] - '0');
    } else if (strcmp(name, "--scope") == 0 && value) {
        o->scope = value;
    } else if (strcmp(name, "--profile") == 0 && value) {
        if (dna_habits_read(&o->profile, value, err, sizeof err)) {
            fprintf(stderr, "model-tool: %s\n", err);
            return false;
        }
    } else {
        *used = 1;
        o->figures |= strcmp(name, "--figures") == 0;
        o->verbose |= strcmp(name, "-v") == 0;
        return strcmp(name, "--figures") == 0 || strcmp(name, "-v") == 0;
    }
    return true;
}

static bool take_options(struct options *o, int argc, char **argv)
{
    *o = (struct options){ 0 };
    dna_habits_default(&o->profile);
    if (argc < 1) {
        return false;
    }
    o->role = dna_role_find(argv[0]);
    for (int i = 1, used; i < argc; i += used) {
        if (!take_option(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used)) {
            return false;
        }
    }
    return o->role != NULL || strcmp(argv[0], "all") == 0;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One session a line: symbol > what shows; symbol > ... */
static bool print_session(void *ctx, const uint32_t *word, size_t len)
{
    const struct dna_unfolding *u = ctx;
    uint32_t at = u->mealy.start;
    printf("%s: ", u->scope->name);
    for (size_t i = 0; i < len; i++) {
        printf("%s%s > %s", i ? "; " : "", u->inputs[word[i]]->name,
               u->words[dna_mealy_out(&u->mealy, at, word[i])]);
        at = dna_mealy_next(&u->mealy, at, word[i]);
    }
    putchar('\n');
    return true;
}

struct totals {
    size_t configurations, sessions, symbols, scopes;
};

static int derive_scope(const struct options *o, const struct dna_scope *scope,
                        struct dna_uniformity *seen, struct totals *t)
{
    struct dna_unfolding u;
    struct dna_hsi_suite suite;
    char err[256];
    double began = seconds();
    if (dna_unfold(&u, o->role, scope, &o->profile, seen, err, sizeof err)) {
        fprintf(stderr, "model-tool: %s\n", err);
        return 1;
    }
    double unfolded = seconds();
    if (dna_hsi_build(&suite, &u.mealy, o->extra)) {
        fprintf(stderr, "model-tool: scope %s: the suite is too large\n", scope->name);
        dna_unfolding_free(&u);
        return 1;
    }
    printf("# %-20s %4zu configurations (%zu minimal) x %2zu symbols, %3zu words: %5zu sessions, "
           "%6zu symbols; %.0f + %.0f ms%s\n",
           scope->name, u.mealy.num_states, suite.num_classes, u.mealy.num_inputs, u.num_words - 1,
           suite.num_sessions, suite.num_symbols, (unfolded - began) * 1e3,
           (seconds() - unfolded) * 1e3, scope->timers ? "; waits, outside the claim" : "");
    t->configurations += u.mealy.num_states;
    t->scopes++;
    if (!scope->timers) {
        t->sessions += suite.num_sessions;
        t->symbols += suite.num_symbols;
    }
    if (!o->figures) {
        printf("# %s: %s; each session begins with: %s\n", scope->name, scope->text,
               scope->prefix[0] ? scope->prefix : "nothing");
        dna_hsi_suite_each(&suite, print_session, &u);
    }
    dna_hsi_suite_free(&suite);
    dna_unfolding_free(&u);
    return 0;
}

/* --- which atoms were not seen both ways --- */

struct atoms_seen {
    size_t both, one;
};

static void print_atom(void *ctx, const struct dna_machine *m, size_t row,
                       const struct dna_atom *atom, uint8_t seen)
{
    struct atoms_seen *n = ctx;
    n->both += seen == 3;
    if (seen != 3) {
        n->one++;
        printf("#   %-7s %-22s %.*s is never %s\n", m->rows[row].id,
               m->guards[m->rows[row].when].name, (int)atom->len, atom->at,
               seen == 1 ? "true" : "false");
    }
}

static void print_uniformity(const struct dna_role *role, const struct dna_uniformity *seen)
{
    struct atoms_seen n = { 0 };
    size_t fired = 0, rows = 0;
    printf("#\n# Guards: each atom should be tried both ways where its row is. Not so in this "
           "role:\n");
    dna_uniformity_each(seen, dna_machines, print_atom, &n);
    for (size_t s = 0; s < role->num_slots; s++) {
        const struct dna_machine *m = role->slots[s].machine;
        if (s > 0 && role->slots[s - 1].machine == m) {
            continue;
        }
        for (size_t i = 0; i < m->num_rows; i++) {
            rows += m->rows[i].kind != DNA_DEAD;
            fired += m->rows[i].kind != DNA_DEAD && seen->fired[dna_machine_place(m)][i];
        }
    }
    printf("# %zu atoms both ways, %zu one way only (model-tool uniformity: those of all roles "
           "together)\n",
           n.both, n.one);
    printf("# %zu of %zu rows fire\n", fired, rows);
}

static void print_unfired(const struct dna_role *role, const struct dna_uniformity *seen)
{
    printf("# rows that do not fire:");
    for (size_t s = 0; s < role->num_slots; s++) {
        const struct dna_machine *m = role->slots[s].machine;
        if (s > 0 && role->slots[s - 1].machine == m) {
            continue;
        }
        for (size_t i = 0; i < m->num_rows; i++) {
            if (m->rows[i].kind != DNA_DEAD && !seen->fired[dna_machine_place(m)][i]) {
                printf(" %s", m->rows[i].id);
            }
        }
    }
    putchar('\n');
}

int dna_tool_derive(int argc, char **argv)
{
    struct options o;
    struct totals t = { 0 };
    int status = 0;
    if (!take_options(&o, argc, argv) || !o.role) {
        return usage();
    }
    struct dna_uniformity *seen = calloc(1, sizeof *seen);
    printf("# %s: %s; k = %u\n", o.role->name, o.role->text, o.extra);
    for (size_t i = 0; i < o.role->num_scopes && !status && seen; i++) {
        if (!o.scope || strcmp(o.scope, o.role->scopes[i].name) == 0) {
            status = derive_scope(&o, &o.role->scopes[i], seen, &t);
        }
    }
    if (!status && seen) {
        printf("# together: %zu configurations, %zu sessions, %zu symbols in the claim\n",
               t.configurations, t.sessions, t.symbols);
        puts("#");
        dna_hsi_claim(stdout, "# ", o.extra);
        print_uniformity(o.role, seen);
        print_unfired(o.role, seen);
    }
    free(seen);
    return t.scopes ? status : usage();
}

/* --- mutants --- */

struct tally {
    const struct dna_campaign *campaign;
    bool verbose;
};

static void print_witness(const struct tally *t, const char *name, const struct dna_judgement *j)
{
    static const char *const words[] = { "equivalent", "killed",    "killed by waiting",
                                         "SURVIVED",   "completed", "UNDECIDED" };
    const struct dna_unfolding *u = &t->campaign->unfoldings[j->scope];
    printf("%s %s", name, words[j->fate]);
    if (j->fate != DNA_EQUIVALENT && j->fate != DNA_UNDECIDED) {
        printf(" [%s] %s", u->scope->name, u->scope->prefix);
        for (size_t i = 0; i < j->len; i++) {
            printf("%s%s", i || u->scope->prefix[0] ? ", " : "", u->inputs[j->witness[i]]->name);
        }
        printf(": %s, not %s", j->got, j->expected);
    }
    putchar('\n');
}

static void tell(void *ctx, const struct dna_mutant *mutant, const struct dna_judgement *j)
{
    const struct tally *t = ctx;
    char name[160];
    if (t->verbose || j->fate == DNA_UNDECIDED) {
        dna_mutant_print(mutant, name, sizeof name);
        print_witness(t, name, j);
    }
}

static int mutate_role(const struct options *o, const struct dna_role *role)
{
    struct dna_campaign campaign;
    struct tally t = { &campaign, o->verbose };
    struct dna_score s;
    char err[256];
    double began = seconds();
    if (dna_campaign_begin(&campaign, role, &o->profile, o->extra, err, sizeof err)) {
        fprintf(stderr, "model-tool: %s\n", err);
        return 1;
    }
    if (dna_campaign_score(&campaign, tell, &t, &s)) {
        fprintf(stderr, "model-tool: out of memory\n");
        return 1;
    }
    printf("%s: %zu mutants, %zu equivalent (proved), %zu undecided; of %zu that differ, "
           "identifiers at k = %u kill %zu, and %zu more by waits; %zu sessions for the other %zu "
           "complete the suite of %zu; %zu survive; a witness has at most %zu symbols behind a "
           "prefix; %.1f s\n",
           role->name, s.all, s.fates[DNA_EQUIVALENT], s.fates[DNA_UNDECIDED],
           s.all - s.fates[DNA_EQUIVALENT], o->extra, s.fates[DNA_KILLED],
           s.fates[DNA_KILLED_BY_WAITING], s.completing, s.fates[DNA_COMPLETED], s.sessions,
           s.fates[DNA_SURVIVED], s.longest, seconds() - began);
    dna_campaign_end(&campaign);
    return s.fates[DNA_SURVIVED] + s.fates[DNA_UNDECIDED] ? 1 : 0;
}

int dna_tool_mutate(int argc, char **argv)
{
    struct options o;
    int status = 0;
    if (!take_options(&o, argc, argv)) {
        return usage();
    }
    o.profile.exact = true;
    for (const struct dna_role *const *r = dna_roles; *r; r++) {
        if (!o.role || o.role == *r) {
            status |= mutate_role(&o, *r);
        }
    }
    return status;
}

/* --- are the alphabets rich enough? --- */

static void count_atom(void *ctx, const struct dna_machine *m, size_t row,
                       const struct dna_atom *atom, uint8_t seen)
{
    struct atoms_seen *n = ctx;
    (void)m;
    (void)row;
    (void)atom;
    n->both += seen == 3;
    n->one += seen != 3;
}

int dna_tool_uniformity(void)
{
    struct dna_uniformity *seen = calloc(1, sizeof *seen);
    struct dna_habits profile;
    struct atoms_seen n = { 0 };
    char err[256];
    size_t faults = 0;
    dna_habits_default(&profile);
    for (const struct dna_role *const *r = dna_roles; *r && seen; r++) {
        if (dna_uniformity_unfold(seen, *r, &profile, err, sizeof err)) {
            fprintf(stderr, "model-tool: %s\n", err);
            free(seen);
            return 1;
        }
    }
    if (seen) {
        dna_uniformity_each(seen, dna_machines, count_atom, &n);
        faults = dna_uniformity_check(seen, stdout);
        printf("uniformity: of the guards' atoms %zu are tried both ways wherever their rows are, "
               "and %zu one way only, each for a reason (uniformity.def); %zu faults\n",
               n.both, n.one, faults);
    }
    free(seen);
    return faults || !seen ? 1 : 0;
}
