/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna derive`: the suite that the tables of a role yield, written as scenarios
 * into a folder and run against an implementation as any others are. The knobs of each scope pick
 * the variant of the profile; what no variant has, and what needs waits or fetched proofs, is left
 * to the model (model-tool mutate).
 */
#include "conformance/derive.h"

#include "conformance/cli.h"
#include "conformance/lab/profile.h"
#include "model/cell.h"
#include "model/mutants.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SCOPES = 24, MAX_STEP_ROWS = 24, MAX_PAST = 64, MAX_REQS = 16, MAX_ARGS = 128 };

__attribute__((unused)) static const char usage[] =
    "usage: xdna derive [--role ROLE] [--profile NAME] [options]\n"
    "  --role ROLE        receiving (default), initiating, authoritative\n"
    "  --extra-states K   situations beyond the tables' that a server may have (default 0)\n"
    "  --scope NAME       only this part of the alphabet\n"
    "  --choices FILE     alternatives that the server takes: lines 'choice ROW', 'knob NAME=VALUE'\n"
    "                     (default: derive.choices in the profile's folder, if there is one)\n"
    "  --loose-features   whatever else is offered is not looked at; the claim is then without it\n"
    "  --complete         also sessions for the mutants that identifiers let pass\n"
    "  --write DIR        keep the scenarios in this new folder; else they go after the run\n"
    "  --only-write       do not run them\n"
    "  and the options of 'xdna run': -j, --mutate, --junit, --transcripts, -v ...\n";

struct derive {
    struct dna_pool *pool;
    struct dna_profile *server;
    struct dna_habits habits;
    const char *profile, *role, *scope, *choices, *dir;
    unsigned extra;
    bool complete, keep, only_write, loose;
    struct dna_role copy; /* the role, with the scopes that can be played */
    struct dna_scope scopes[MAX_SCOPES];
    const char *variants[MAX_SCOPES];
    char *rest[MAX_ARGS]; /* for xdna run */
    int num_rest;
    char **files;
    size_t num_files, num_dirs;
};

/* ---- which scopes, and against which variant ---- */

static void knobs_of(const struct dna_variant *v, struct dna_knobs *knobs)
{
    for (size_t i = 0; i < v->knobs.num; i++)
        (void)dna_knob_set(knobs, v->knobs.at[i].key, (uint32_t)atoi(v->knobs.at[i].value));
}

static void add_knobs(const char *list, struct dna_knobs *knobs)
{
    char name[64];
    unsigned value;
    int used;

    while (list && sscanf(list, " %63[a-z_]=%u%n", name, &value, &used) == 2) {
        (void)dna_knob_set(knobs, name, value);
        list += used;
        list += strspn(list, ", ");
    }
}

/* The variant whose knobs are the default variant's but for the scope's; NULL if there is none. */
static const char *variant_for(const struct derive *d, const struct dna_scope *scope)
{
    struct dna_knobs wanted = d->habits.knobs;

    add_knobs(scope->knobs, &wanted);
    for (size_t i = 0; i < d->server->num_variants; i++) {
        const struct dna_variant *v = &d->server->variants[i];
        struct dna_knobs has = d->habits.knobs;

        knobs_of(v, &has);
        if (!v->own_clock && !v->cannot && memcmp(&has, &wanted, sizeof(has)) == 0)
            return v->name;
    }
    return NULL;
}

/* The names of the list that can be brought about over sockets; *out_left counts the others. */
static char *playable(struct derive *d, const char *list, size_t *out_left)
{
    struct dna_buf kept = { 0 };
    char *result;

    for (size_t len; (len = strcspn(list, ",")) > 0; list += len, list += strspn(list, ", ")) {
        const struct dna_symbol *s = dna_symbol_find(&d->copy, list, len);

        if (s && dna_derive_playable(s))
            dna_buf_printf(&kept, "%s%.*s", kept.len ? ", " : "", (int)len, list);
        else
            ++*out_left;
    }
    result = dna_pool_strdup(d->pool, kept.at ? kept.at : "");
    dna_buf_free(&kept);
    return result;
}

static void choose_scopes(struct derive *d, const struct dna_role *role)
{
    d->copy = *role;
    d->copy.scopes = d->scopes;
    d->copy.num_scopes = 0;
    for (size_t i = 0; i < role->num_scopes && d->copy.num_scopes < MAX_SCOPES; i++) {
        struct dna_scope *to = &d->scopes[d->copy.num_scopes];
        const char *variant = variant_for(d, &role->scopes[i]);
        size_t left = 0, left_of_prefix = 0;

        if (d->scope && strcmp(d->scope, role->scopes[i].name) != 0)
            continue;
        *to = role->scopes[i];
        (void)playable(d, to->prefix, &left_of_prefix);
        to->alphabet = playable(d, to->alphabet, &left);
        if (to->timers || to->slow || to->mark || left_of_prefix || !variant) {
            printf("%s: %s\n", to->name, to->timers ? "waits, not played"
                   : to->slow || left_of_prefix ? "fetched proofs, not played"
                   : to->mark ? "not played" : "no variant has these knobs");
            continue;
        }
        if (left)
            printf("%s: %zu symbols cannot be played\n", to->name, left);
        d->variants[d->copy.num_scopes++] = variant;
    }
}

/* ---- one session as a scenario ---- */

struct step_rows {
    const struct dna_row *rows[MAX_STEP_ROWS];
    size_t num;
};

static void note_row(void *ctx, const struct dna_machine *m, enum dna_whom whom,
                     const struct dna_env *env, uint32_t on, const struct dna_effects *fx)
{
    struct step_rows *r = ctx;

    (void)whom;
    (void)env;
    (void)on;
    if (m && fx && fx->row != DNA_NO_ROW && r->num < MAX_STEP_ROWS)
        r->rows[r->num++] = &m->rows[fx->row];
}

struct writing {
    struct derive *d;
    const struct dna_unfolding *u;
    const char *variant;
    size_t number;
    bool failed;
    struct dna_derive_script script;
    struct step_rows last;
    const struct dna_row *past[MAX_PAST]; /* the latest rows, oldest first */
    size_t num_past;
    struct dna_buf claim;
};

static void put_rows(struct dna_buf *out, const struct step_rows *r, const char *empty)
{
    for (size_t i = 0; i < r->num; i++)
        dna_buf_printf(out, "%s%s", i ? " " : "", r->rows[i]->id);
    if (!r->num)
        dna_buf_puts(out, empty);
}

/* Each line from `from` on that says what must come bears the rows, so that a report shows them. */
static void mark_rows(struct writing *w, size_t from)
{
    struct dna_buf *body = &w->script.body, rows = { 0 };
    char *lines = body->at && body->len > from ? dna_xstrdup(body->at + from) : NULL;
    char *rest = NULL;

    put_rows(&rows, &w->last, "not looked at");
    if (lines)
        body->len = from;
    for (char *line = lines ? strtok_r(lines, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        const char *expects = strstr(line, " > ");

        dna_buf_printf(body, expects ? "%s # %s\n" : "%s\n", line, rows.at);
    }
    free(lines);
    dna_buf_free(&rows);
}

static void remember(struct writing *w)
{
    for (size_t i = 0; i < w->last.num; i++) {
        if (w->num_past == MAX_PAST)
            memmove(w->past, w->past + 1, --w->num_past * sizeof(*w->past));
        w->past[w->num_past++] = w->last.rows[i];
    }
}

static void step(struct writing *w, struct dna_compose *c, const struct dna_symbol *symbol)
{
    w->last.num = 0;
    if (!dna_compose_send(c, symbol))
        return;
    dna_buf_printf(&w->claim, "%s%s", w->claim.len ? ", " : "", symbol->name);
    dna_buf_printf(&w->script.body, "# %s: ", symbol->text);
    put_rows(&w->script.body, &w->last, "not looked at");
    dna_buf_puts(&w->script.body, "\n");
    dna_derive_send(&w->script, symbol);
    size_t from = w->script.body.len;
    dna_derive_expect(&w->script);
    if (!c->num_tokens)
        dna_derive_quiet(&w->script);
    mark_rows(w, from);
    remember(w);
}

/* What the latest rows cite, the last ones first: a session may be wrong at any of its steps. */
static void put_reqs(struct dna_buf *out, const struct writing *w)
{
    unsigned num = 0;

    for (size_t i = w->num_past; i-- > 0;) {
        for (const uint16_t *b = w->past[i]->because; *b != DNA_REQ_END && num < MAX_REQS; b++) {
            const struct dna_requirement *r = dna_requirement((enum dna_req)*b);

            if (r->level != DNA_LEVEL_DECISION && !(out->at && strstr(out->at, r->id))) {
                dna_buf_printf(out, " %s", r->id);
                num++;
            }
        }
    }
}

static void put_head(struct writing *w, struct dna_buf *out)
{
    const struct dna_derive_script *s = &w->script;

    dna_buf_printf(out, "# Derived from the tables (%s, %s); beside each step the rows that fire.\n",
                   w->d->role, w->u->scope->name);
    dna_buf_printf(out, "claim    After %s the server has done what the tables say (", w->claim.at);
    put_rows(out, &w->last, "nothing");
    dna_buf_puts(out, ").\nreq     ");
    put_reqs(out, w);
    dna_buf_printf(out,
                   "\nlevel    must\nrole     %s\nvariant  %s\n"
                   "impact   In some situation the server is not in the state that it should be in.\n"
                   "rev      1\ndomain   a c\ncert     Both dns=$a,$c\ncert     Wrong dns=$c\n"
                   "peer     A $a\npeer     C $c\n%s",
                   w->d->role, w->variant,
                   s->needs_user || s->needs_key || s->initiating ? "client   U juliet\n" : "");
    dna_buf_printf(out, "given:\nset $user = \"%s\"\nset $a64 = base64 \"$a\"\nset $c64 = base64 \"$c\"\n",
                   s->needs_user || s->initiating ? "$U" : "juliet@$iut");
    if (s->needs_key)
        dna_buf_puts(out, "do say U x@$a k-$case\ndo serve-dialback A out $a $iut vid iutkey\n");
    if (s->needs_aside)
        dna_buf_puts(out, "do open A aside $a $iut aside\n");
    if (s->needs_id)
        dna_buf_puts(out, "do open-clear A probe $a $iut theirs\n");
}

static void put_begin(const struct writing *w, struct dna_buf *out)
{
    if (!w->script.initiating) {
        dna_buf_puts(out, "A.in connect\nthen:\n");
        return;
    }
    dna_buf_puts(out, "U < <message to='x@$a' type='chat' id='u0-$case'><body>u0</body></message>\n"
                      "A accept as v\nA.v > <stream:stream from='$iut' to='$a'>\nthen:\n");
}

static bool store(struct writing *w, const char *text)
{
    struct derive *d = w->d;
    char section[64];
    char *path;
    FILE *out;

    snprintf(section, sizeof(section), "%s-%s", d->role, w->u->scope->name);
    for (char *p = section; *p; p++)
        *p = *p == ' ' ? '-' : *p;
    path = dna_pool_printf(d->pool, "%s/derived/%s_%04zu.scn", d->dir, section, ++w->number);
    out = fopen(path, "w");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0) {
        fprintf(stderr, "xdna: %s: %s\n", path, strerror(errno));
        return false;
    }
    d->files = dna_xrealloc(d->files, (d->num_files + 1) * sizeof(*d->files));
    d->files[d->num_files++] = path;
    return true;
}

static void play_prefix(struct writing *w, struct dna_compose *c)
{
    const char *at = w->u->scope->prefix;

    for (size_t len; (len = strcspn(at, ",")) > 0; at += len, at += strspn(at, ", "))
        step(w, c, dna_symbol_find(w->u->role, at, len));
}

static bool write_session(void *ctx, const uint32_t *word, size_t len)
{
    struct writing *w = ctx;
    struct dna_scene scene;
    struct dna_compose c = { .role = w->u->role, .scope = w->u->scope, .knobs = w->u->knobs,
                             .overlay = &w->d->habits.choices, .scene = &scene,
                             .watch = note_row, .watch_ctx = &w->last };
    struct dna_buf whole = { 0 };

    w->script = (struct dna_derive_script){ .compose = &c,
                                            .loose = w->d->loose,
                                            .initiating = strcmp(w->d->role, "initiating") == 0 };
    w->script.conn = w->script.initiating ? "A.v" : "A.in";
    w->claim = (struct dna_buf){ 0 };
    w->num_past = 0;
    dna_compose_begin(&c);
    play_prefix(w, &c);
    for (size_t i = 0; i < len; i++)
        step(w, &c, w->u->inputs[word[i]]);
    w->script.last = true;
    if (c.num_tokens || scene.g.muted)
        dna_derive_quiet(&w->script);
    put_head(w, &whole);
    put_begin(w, &whole);
    dna_buf_puts(&whole, w->script.body.at);
    w->failed = !store(w, whole.at);
    dna_buf_free(&whole);
    dna_buf_free(&w->script.body);
    dna_buf_free(&w->claim);
    return !w->failed;
}

/* ---- the suite ---- */

static bool complete_one(void *ctx, const struct dna_mutant *mutant)
{
    struct dna_campaign *campaign = ctx;
    struct dna_judgement j = { 0 };

    dna_campaign_judge(campaign, mutant, &j);
    return j.fate != DNA_SURVIVED || dna_campaign_complete(campaign, mutant, &j) == 0;
}

static bool write_scope(struct derive *d, const struct dna_campaign *c, size_t scope)
{
    struct writing w = { .d = d, .u = &c->unfoldings[scope], .variant = d->variants[scope] };

    printf("%s, variant %s: %zu configurations, %zu symbols, %zu sessions and %zu for what they miss\n",
           w.u->scope->name, w.variant, w.u->mealy.num_states, w.u->mealy.num_inputs,
           c->suites[scope].num_sessions, c->extras[scope].num_sessions);
    (void)dna_hsi_suite_each(&c->suites[scope], write_session, &w);
    if (!w.failed)
        (void)dna_hsi_suite_each(&c->extras[scope], write_session, &w);
    return !w.failed;
}

static int write_all(struct derive *d)
{
    struct dna_campaign campaign;
    char err[256];
    bool ok = true;

    if (!d->copy.num_scopes) {
        fprintf(stderr, "xdna: nothing of role %s can be played against this profile\n", d->role);
        return 77;
    }
    if (dna_campaign_begin(&campaign, &d->copy, &d->habits, d->extra, err, sizeof(err)) != 0) {
        fprintf(stderr, "xdna: %s\n", err);
        return 99;
    }
    if (d->complete)
        dna_mutants_each(&campaign, complete_one, &campaign);
    for (size_t i = 0; i < d->copy.num_scopes && ok; i++)
        ok = write_scope(d, &campaign, i);
    dna_campaign_end(&campaign);
    return ok ? 0 : 99;
}

/* ---- the folder: the scenarios and a copy of the prelude ---- */

static bool copy_prelude(struct derive *d)
{
    char buffer[8192];
    char *to = dna_pool_printf(d->pool, "%s/prelude.scn", d->dir);
    FILE *in = fopen(dna_pool_printf(d->pool, "%s/prelude.scn", dna_scenarios_dir()), "r");
    FILE *out = in ? fopen(to, "w") : NULL;
    size_t len;
    bool ok = out != NULL;

    while (ok && (len = fread(buffer, 1, sizeof(buffer), in)) > 0)
        ok = fwrite(buffer, 1, len, out) == len;
    if (in)
        fclose(in);
    if (out)
        ok = fclose(out) == 0 && ok;
    return ok;
}

static bool make_folder(struct derive *d)
{
    static char temporary[] = "/tmp/xdna-derive-XXXXXX";

    if (!d->dir)
        d->dir = mkdtemp(temporary);
    else if (mkdir(d->dir, 0777) != 0)
        d->dir = NULL;
    if (!d->dir || mkdir(dna_pool_printf(d->pool, "%s/derived", d->dir), 0777) != 0 || !copy_prelude(d)) {
        fprintf(stderr, "xdna: cannot make the folder of scenarios: %s\n", strerror(errno));
        return false;
    }
    return true;
}

static void remove_folder(struct derive *d)
{
    for (size_t i = 0; i < d->num_files; i++)
        unlink(d->files[i]);
    rmdir(dna_pool_printf(d->pool, "%s/derived", d->dir));
    unlink(dna_pool_printf(d->pool, "%s/prelude.scn", d->dir));
    rmdir(d->dir);
}

/* ---- the command ---- */

static bool take(struct derive *d, const char *name, const char *value)
{
    const struct {
        const char *name, **at;
    } texts[] = { { "--role", &d->role }, { "--scope", &d->scope }, { "--choices", &d->choices },
                  { "--write", &d->dir } };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (strcmp(texts[i].name, name) == 0) {
            *texts[i].at = value;
            return true;
        }
    }
    if (strcmp(name, "--extra-states") != 0 || value[0] < '0' || value[0] > '3' || value[1])
        return false;
    d->extra = (unsigned)(value[0] - '0');
    return true;
}

static int parse(struct derive *d, int argc, char **argv)
{
    d->rest[d->num_rest++] = argv[0];
    d->role = "receiving";
    d->profile = "xdna";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            return 1;
        if (strcmp(argv[i], "--complete") == 0) {
            d->complete = true;
        } else if (strcmp(argv[i], "--loose-features") == 0) {
            d->loose = true;
        } else if (strcmp(argv[i], "--only-write") == 0) {
            d->only_write = true;
        } else if (i + 1 < argc && take(d, argv[i], argv[i + 1])) {
            i++;
        } else if (d->num_rest < MAX_ARGS - 4) {
            if (strcmp(argv[i], "--profile") == 0 && i + 1 < argc)
                d->profile = argv[i + 1];
            d->rest[d->num_rest++] = argv[i];
        }
    }
    d->keep = d->dir != NULL;
    if (d->only_write && !d->keep) {
        fputs("xdna: --only-write needs --write DIR\n", stderr);
        return 2;
    }
    return 0;
}

static int prepare(struct derive *d)
{
    const struct dna_role *role = dna_role_find(d->role);
    struct dna_diag diag = { 0 };
    char err[256];

    if (!role || strcmp(d->role, "c2s-server") == 0) {
        fprintf(stderr, "xdna: no suite is derived for role '%s'\n%s", d->role, usage);
        return 2;
    }
    d->server = dna_profile_load(d->profile, &diag);
    if (!d->server) {
        fprintf(stderr, "xdna: %s\n", diag.text);
        return diag.class ? (int)diag.class : 99;
    }
    dna_habits_default(&d->habits);
    knobs_of(&d->server->variants[0], &d->habits.knobs);
    if (!d->choices) {
        char *path = dna_pool_printf(d->pool, "%s/derive.choices", d->server->dir);

        d->choices = access(path, R_OK) == 0 ? path : NULL;
    }
    if (d->choices && dna_habits_read(&d->habits, d->choices, err, sizeof(err)) != 0) {
        fprintf(stderr, "xdna: %s\n", err);
        return 2;
    }
    choose_scopes(d, role);
    return make_folder(d) ? 0 : 99;
}

static int write_and_run(struct derive *d)
{
    static char known[] = "--known-failures", none[] = "none";
    int status = write_all(d);

    if (status)
        return status;
    printf("%zu scenarios in %s\n", d->num_files, d->dir);
    fflush(stdout);
    if (d->only_write)
        return 0;
    d->rest[d->num_rest++] = known; /* the profile's list is of other cases */
    d->rest[d->num_rest++] = none;
    d->rest[d->num_rest] = NULL;
    if (setenv("XDNA_SCENARIOS", d->dir, 1) != 0)
        return 99;
    return dna_cmd_run(d->num_rest, d->rest);
}

int dna_cmd_derive(int argc, char **argv)
{
    struct derive d = { .pool = dna_pool_new() };
    int status = parse(&d, argc, argv);

    if (status == 1) {
        fputs(usage, stdout);
        status = 0;
    } else if (!status) {
        status = prepare(&d);
        if (!status)
            status = write_and_run(&d);
        if (d.dir && !d.keep)
            remove_folder(&d);
    }
    dna_profile_free(d.server);
    free(d.files);
    dna_pool_free(d.pool);
    return status;
}
