/* SPDX-License-Identifier: MIT */
/* unfold.c -- a role's composition under one scope, unfolded into a finite Mealy machine. */
#include "model/unfold.h"

#include "model/cell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STATES = 20000 };

static const struct dna_overlay none;

size_t dna_machine_place(const struct dna_machine *machine)
{
    size_t place = 0;
    while (dna_machines[place] && dna_machines[place] != machine) {
        place++;
    }
    return place;
}

/* --- names --- */

/* Takes the next of a list "a, b, c"; returns its length, 0 at the end. */
static size_t next_name(const char **list)
{
    *list += strspn(*list, ", ");
    return strcspn(*list, ",");
}

static int list_inputs(struct dna_unfolding *u, char *err, size_t size)
{
    const char *at = u->scope->alphabet;
    for (size_t len; (len = next_name(&at)) > 0; at += len) {
        const struct dna_symbol *s = dna_symbol_find(u->role, at, len);
        if (!s) {
            snprintf(err, size, "scope %s: no symbol is called '%.*s'", u->scope->name, (int)len,
                     at);
            return -1;
        }
        u->inputs[u->mealy.num_inputs++] = s;
    }
    return 0;
}

static int set_knobs(struct dna_unfolding *u, char *err, size_t size)
{
    const char *at = u->scope->knobs ? u->scope->knobs : "";
    for (size_t len; (len = next_name(&at)) > 0; at += len) {
        char name[64];
        unsigned value;
        if (sscanf(at, "%63[a-z_]=%u", name, &value) != 2 ||
            dna_knob_set(&u->knobs, name, value)) {
            snprintf(err, size, "scope %s: no such knob or value: '%.*s'", u->scope->name, (int)len,
                     at);
            return -1;
        }
    }
    return 0;
}

/* --- steps --- */

static void put_word(const struct dna_compose *c, char word[DNA_WORD_TEXT])
{
    static const char *const suffixes[] = { "", "(d1)", "(d2)", "(?)" };
    size_t at = 0;
    for (size_t i = 0; i < c->num_tokens; i++) {
        const char *parts[] = { i ? " " : "", c->word[i].text, suffixes[c->word[i].whom] };
        for (size_t p = 0; p < 3; p++) {
            size_t len = strlen(parts[p]);
            if (at + len + 1 < DNA_WORD_TEXT) {
                memcpy(word + at, parts[p], len);
                at += len;
            }
        }
    }
    word[at] = '\0';
    if (at == 0) {
        strcpy(word, "nothing");
    }
}

static void send(struct dna_compose *c, const struct dna_symbol *s, char word[DNA_WORD_TEXT])
{
    if (dna_compose_send(c, s)) {
        put_word(c, word);
    } else { /* whether something is still being fetched is not seen */
        strcpy(word, "-");
    }
}

static struct dna_compose composition(const struct dna_unfolding *u,
                                      const struct dna_overlay *overlay, struct dna_scene *scene)
{
    return (struct dna_compose){ .role = u->role,
                                 .scope = u->scope,
                                 .knobs = u->knobs,
                                 .overlay = overlay,
                                 .exact = u->exact,
                                 .scene = scene };
}

void dna_unfold_step(const struct dna_unfolding *u, const struct dna_overlay *overlay,
                     struct dna_scene *scene, size_t input, char word[DNA_WORD_TEXT])
{
    struct dna_compose c = composition(u, overlay, scene);
    send(&c, u->inputs[input], word);
}

static bool play_prefix(const struct dna_unfolding *u, struct dna_compose *c, char *out,
                        size_t size)
{
    const char *at = u->scope->prefix;
    size_t used = 0;
    char word[DNA_WORD_TEXT];
    dna_compose_begin(c);
    for (size_t len; (len = next_name(&at)) > 0; at += len) {
        const struct dna_symbol *s = dna_symbol_find(u->role, at, len);
        if (!s) {
            return false;
        }
        send(c, s, word);
        if (strcmp(word, "-") == 0) {
            return false;
        }
        if (out && used < size) {
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "; " : "", word);
        }
    }
    return true;
}

bool dna_unfold_prefix(const struct dna_unfolding *u, const struct dna_overlay *overlay,
                       struct dna_scene *scene, char *word, size_t size)
{
    struct dna_compose c = composition(u, overlay, scene);
    word[0] = '\0';
    return play_prefix(u, &c, word, size);
}

/* --- uniformity --- */

static void watch(void *ctx, const struct dna_machine *m, enum dna_whom whom,
                  const struct dna_env *env, uint32_t on, const struct dna_effects *fx)
{
    struct dna_uniformity *seen = ctx;
    uint32_t state;
    (void)whom;
    if (!m || fx) {
        return;
    }
    size_t place = dna_machine_place(m);
    memcpy(&state, env->v, sizeof state);
    for (size_t i = dna_row_next(m, state, on, 0); i < m->num_rows && i < DNA_MAX_ROWS;
         i = dna_row_next(m, state, on, i + 1)) {
        struct dna_atoms atoms;
        seen->tried[place][i] = true;
        if (m->rows[i].when != 0 && dna_atoms_parse(&atoms, m, m->rows[i].when) == 0) {
            for (size_t a = 0; a < atoms.num_atoms; a++) {
                seen->atoms[place][i][a] |= dna_atom_holds(&atoms, a, env) ? 2 : 1;
            }
        }
        if (dna_guard_holds(m, m->rows[i].when, env)) {
            seen->fired[place][i] = m->rows[i].kind != DNA_DEAD;
            return;
        }
    }
}

/* --- configurations --- */

/* What can no longer matter is set to nothing, so that configurations that differ only by it are
   one: behind the end, and between our closing tag and the end where input is discarded. */
static void settle(const struct dna_role *role, struct dna_scene *s)
{
    struct dna_scene kept;
    memset(&kept, 0, sizeof kept);
    kept.g.closed = s->g.closed;
    if (!s->g.closed) {
        if (!s->g.muted || !s->g.discard || s->g.queue || s->g.tls_due) {
            return;
        }
        kept.g.muted = kept.g.discard = 1;
        kept.g.header_due = s->g.header_due;
        kept.g.held = s->g.held;
        kept.g.deaf = s->g.deaf;
        kept.s.closing = s->s.closing;
        kept.v[0][0] = s->v[0][0];
        for (size_t i = 1; i < role->num_slots; i++) {
            dna_instance_init(role->slots[i].machine, kept.v[i]);
        }
    }
    *s = kept;
}

static uint32_t word_number(struct dna_unfolding *u, const char *word)
{
    for (size_t i = 0; i < u->num_words; i++) {
        if (strcmp(u->words[i], word) == 0) {
            return (uint32_t)i;
        }
    }
    if (u->num_words == u->max_words) {
        size_t max = u->max_words ? u->max_words * 2 : 64;
        char **grown = realloc(u->words, max * sizeof *grown);
        if (!grown) {
            return UINT32_MAX;
        }
        u->words = grown;
        u->max_words = max;
    }
    u->words[u->num_words] = strdup(word);
    return u->words[u->num_words] ? (uint32_t)u->num_words++ : UINT32_MAX;
}

static uint32_t state_number(struct dna_unfolding *u, const struct dna_scene *scene)
{
    struct dna_mealy *m = &u->mealy;
    for (size_t i = 0; i < m->num_states; i++) {
        if (memcmp(&u->scenes[i], scene, sizeof *scene) == 0) {
            return (uint32_t)i;
        }
    }
    if (m->num_states == u->max_states) {
        size_t max = u->max_states ? u->max_states * 2 : 64;
        void *scenes = realloc(u->scenes, max * sizeof *u->scenes);
        u->scenes = scenes ? scenes : u->scenes;
        if (!scenes || dna_mealy_reserve(m, max) || max > MAX_STATES) {
            return UINT32_MAX;
        }
        u->max_states = max;
    }
    u->scenes[m->num_states] = *scene;
    m->closed[m->num_states] = scene->g.closed != 0;
    return (uint32_t)m->num_states++;
}

static int explore(struct dna_unfolding *u, struct dna_compose *c)
{
    struct dna_mealy *m = &u->mealy;
    char word[DNA_WORD_TEXT];
    for (size_t at = 0; at < m->num_states; at++) {
        for (size_t x = 0; x < m->num_inputs; x++) {
            struct dna_scene scene = u->scenes[at];
            c->scene = &scene;
            send(c, u->inputs[x], word);
            settle(u->role, &scene);
            uint32_t to = state_number(u, &scene), out = word_number(u, word);
            if (to == UINT32_MAX || out == UINT32_MAX) {
                return -1;
            }
            m->next[at * m->num_inputs + x] = to;
            m->out[at * m->num_inputs + x] = out;
        }
    }
    return 0;
}

int dna_unfold(struct dna_unfolding *u, const struct dna_role *role, const struct dna_scope *scope,
               const struct dna_habits *profile, struct dna_uniformity *uniformity, char *err,
               size_t size)
{
    *u = (struct dna_unfolding){ .role = role, .scope = scope, .knobs = profile->knobs,
                                  .exact = profile->exact };
    u->inputs = calloc(role->num_symbols, sizeof *u->inputs);
    if (!u->inputs || list_inputs(u, err, size) || set_knobs(u, err, size)) {
        dna_unfolding_free(u);
        return -1;
    }
    struct dna_compose c = composition(u, &profile->choices, &u->begin);
    if (uniformity) {
        c.watch = watch;
        c.watch_ctx = uniformity;
    }
    if (!play_prefix(u, &c, NULL, 0)) {
        snprintf(err, size, "scope %s: the prefix cannot be sent", scope->name);
        dna_unfolding_free(u);
        return -1;
    }
    if (word_number(u, "-") != DNA_CANNOT || state_number(u, &u->begin) != 0 || explore(u, &c)) {
        snprintf(err, size, "scope %s: too many configurations, or no memory", scope->name);
        dna_unfolding_free(u);
        return -1;
    }
    return 0;
}

void dna_unfolding_free(struct dna_unfolding *u)
{
    for (size_t i = 0; i < u->num_words; i++) {
        free(u->words[i]);
    }
    free(u->words);
    free(u->scenes);
    free(u->inputs);
    free(u->mealy.next);
    free(u->mealy.out);
    free(u->mealy.closed);
    *u = (struct dna_unfolding){ 0 };
}

/* --- profiles --- */

void dna_habits_default(struct dna_habits *profile)
{
    *profile = (struct dna_habits){ .knobs = dna_knobs_default(), .choices = none };
}

static int profile_line(struct dna_habits *p, const char *line, char *err, size_t size)
{
    char name[64], mutant[80], rest;
    unsigned value;
    if (sscanf(line, "knob %63[a-z_]=%u %c", name, &value, &rest) == 2) {
        if (dna_knob_set(&p->knobs, name, value)) {
            snprintf(err, size, "no such knob or value: %s=%u", name, value);
            return -1;
        }
        return 0;
    }
    if (sscanf(line, "choice %63s %c", name, &rest) == 1) {
        struct dna_overlay taken = { .num = 0 };
        snprintf(mutant, sizeof mutant, "%s:choice", name);
        if (dna_overlay_add(&taken, mutant, err, size)) {
            return -1;
        }
        const struct dna_mutant *m = &taken.mutants[0];
        bool first = strcmp(m->machine->rows[m->row].id, name) != 0;
        return first ? 0 : dna_overlay_add(&p->choices, mutant, err, size); /* nothing changes */
    }
    snprintf(err, size, "expected knob NAME=VALUE or choice ROW: %.40s", line);
    return -1;
}

int dna_habits_read(struct dna_habits *profile, const char *path, char *err, size_t size)
{
    char line[256], why[160];
    unsigned number = 0;
    int failed = 0;
    FILE *in = fopen(path, "r");
    if (!in) {
        snprintf(err, size, "%s: cannot be opened", path);
        return -1;
    }
    while (!failed && fgets(line, sizeof line, in)) {
        number++;
        line[strcspn(line, "#\r\n")] = '\0';
        if (line[strspn(line, " \t")] && profile_line(profile, line, why, sizeof why)) {
            snprintf(err, size, "%s:%u: %s", path, number, why);
            failed = -1;
        }
    }
    fclose(in);
    return failed;
}
