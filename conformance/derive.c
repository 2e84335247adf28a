/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna derive`: the suite that the tables of a role yield, written as scenarios
 * into a folder and run against an implementation as any others are. The knobs of each scope pick
 * the variant of the profile; what no variant has is left to the model (model-tool mutate), and what
 * needs waits to xdna mutate mutants, which sets the timers of its server.
 */
#include "conformance/derive_internal.h"

#include "conformance/cli.h"
#include "conformance/lab/profile.h"
#include "model/hsi.h"
#include "model/mutants.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_ARGS = 128 };

static const char usage[] =
    "usage: xdna derive [--role ROLE] [--profile NAME] [options]\n"
    "  --role ROLE        receiving (default), initiating, authoritative, c2s-server, c2s-client\n"
    "  --extra-states K   situations beyond the tables' that a server may have (default 0)\n"
    "  --scope NAME       only this part of the alphabet\n"
    "  --probe            only find out which alternatives it takes where the texts leave a\n"
    "                     choice; else that comes first, and the suite is made for it (with\n"
    "                     --mutate, for the server without the damage)\n"
    "  --write-choices FILE   write that down, as --choices reads it\n"
    "  --choices FILE     do not ask: lines 'choice ROW', 'knob NAME=VALUE'\n"
    "  --loose-features   whatever else is offered is not looked at; the claim is then without it\n"
    "  --loose-errors     nor which condition an error names, so that there is one\n"
    "  --without LIST     leave these symbols (\"a, b\") out, of which more is known already\n"
    "  --complete         also sessions for the mutants that identifiers let pass\n"
    "  --write DIR        keep the scenarios in this new folder; else they go after the run\n"
    "  --only-write       do not run them\n"
    "  --oracle           the oracle walks along; the sessions themselves say all that is due\n"
    "  and the options of 'xdna run': -j, --mutate, --junit, --transcripts, -v ...\n";

struct derive {
    struct dna_pool *pool;
    struct dna_profile *server;
    struct dna_habits habits;
    struct dna_derive_probes probes;
    const char *profile, *role, *scope, *choices, *write_choices, *dir;
    unsigned extra;
    bool complete, keep, only_write, only_probe, loose, any_error, oracle;
    struct dna_derive_parts parts;
    char *rest[MAX_ARGS]; /* for xdna run */
    int num_rest;
    char **files;
    size_t num_files, num_dirs;
};

/* ---- the suite ---- */

static bool complete_one(void *ctx, const struct dna_mutant *mutant)
{
    struct dna_campaign *campaign = ctx;
    struct dna_judgement j = { 0 };

    dna_campaign_judge(campaign, mutant, &j);
    return j.fate != DNA_SURVIVED || dna_campaign_complete(campaign, mutant, &j) == 0;
}

struct writing {
    struct derive *d;
    struct dna_derive_how how;
    size_t number;
    bool failed;
};

static bool write_session(void *ctx, const uint32_t *word, size_t len)
{
    struct writing *w = ctx;
    struct derive *d = w->d;
    char section[64];
    char *path;

    snprintf(section, sizeof(section), "%s-%s", d->role, w->how.u->scope->name);
    for (char *p = section; *p; p++)
        *p = *p == ' ' || *p == ',' ? '-' : *p;
    path = dna_pool_printf(d->pool, "%s/derived/%s_%04zu.scn", d->dir, section, ++w->number);
    w->failed = !dna_derive_store(&w->how, word, len, path);
    d->files = dna_xrealloc(d->files, (d->num_files + 1) * sizeof(*d->files));
    d->files[d->num_files++] = path;
    return !w->failed;
}

static bool write_scope(struct derive *d, const struct dna_campaign *c, size_t scope)
{
    const struct dna_unfolding *u = &c->unfoldings[scope];
    struct writing w = { .d = d,
                         .how = { .u = u,
                                  .choices = &d->habits.choices,
                                  .variant = d->parts.variants[scope],
                                  .documented = d->parts.documented[scope],
                                  .loose = d->loose,
                                  .any_error = d->any_error,
                                  .ends = dna_derive_without(&d->parts, "verify") } };

    printf("%s, variant %s: %zu configurations, %zu symbols, %zu sessions and %zu for what they "
           "miss\n",
           u->scope->name, w.how.variant, u->mealy.num_states, u->mealy.num_inputs,
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

    if (!d->parts.role.num_scopes) {
        fprintf(stderr, "xdna: nothing of role %s can be played against this profile\n", d->role);
        return 77;
    }
    if (dna_campaign_begin(&campaign, &d->parts.role, &d->habits, d->extra, err, sizeof(err))) {
        fprintf(stderr, "xdna: %s\n", err);
        return 99;
    }
    if (d->complete)
        dna_mutants_each(&campaign, complete_one, &campaign);
    for (size_t i = 0; i < d->parts.role.num_scopes && ok; i++)
        ok = write_scope(d, &campaign, i);
    dna_campaign_end(&campaign);
    return ok ? 0 : 99;
}

/* ---- the folder: the scenarios and a copy of the prelude ---- */

static bool make_folder(struct derive *d)
{
    static char temporary[] = "/tmp/xdna-derive-XXXXXX";

    if (!d->dir)
        d->dir = mkdtemp(temporary);
    else if (mkdir(d->dir, 0777) != 0)
        d->dir = NULL;
    if (!d->dir)
        fprintf(stderr, "xdna: cannot make the folder of scenarios: %s\n", strerror(errno));
    return d->dir && dna_derive_folder(d->dir);
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
                  { "--write", &d->dir }, { "--write-choices", &d->write_choices },
                  { "--without", &d->parts.without } };

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
        } else if (strcmp(argv[i], "--loose-errors") == 0) {
            d->any_error = true;
        } else if (strcmp(argv[i], "--only-write") == 0) {
            d->only_write = true;
        } else if (strcmp(argv[i], "--probe") == 0) {
            d->only_probe = true;
        } else if (strcmp(argv[i], "--oracle") == 0) {
            d->oracle = true;
        } else if (i + 1 < argc && take(d, argv[i], argv[i + 1])) {
            i++;
        } else if (d->num_rest < MAX_ARGS - 4) {
            if (strcmp(argv[i], "--profile") == 0 && i + 1 < argc)
                d->profile = argv[i + 1];
            d->rest[d->num_rest++] = argv[i];
        }
    }
    d->keep = d->dir != NULL;
    if (d->write_choices && (d->only_write || (d->choices && !d->only_probe))) {
        fputs("xdna: --write-choices: nothing is asked here\n", stderr);
        return 2;
    }
    if (d->only_write && !d->keep) {
        fputs("xdna: --only-write needs --write DIR\n", stderr);
        return 2;
    }
    return 0;
}

/* Names that the role does not have are mistakes, and not nothing. */
static bool names_known(const struct derive *d, const struct dna_role *role)
{
    const char *list = d->parts.without ? d->parts.without : "";
    bool scope = !d->scope;

    for (size_t i = 0; i < role->num_scopes && !scope; i++)
        scope = strcmp(role->scopes[i].name, d->scope) == 0;
    if (!scope)
        fprintf(stderr, "xdna: role %s has no part '%s'\n", role->name, d->scope);
    for (size_t len; (len = strcspn(list, ",")) > 0; list += len, list += strspn(list, ", ")) {
        if (!dna_symbol_find(role, list, len)) {
            fprintf(stderr, "xdna: role %s has no symbol '%.*s'\n", role->name, (int)len, list);
            return false;
        }
    }
    return scope;
}

static int prepare(struct derive *d)
{
    const struct dna_role *role = dna_role_find(d->role);
    struct dna_diag diag = { 0 };
    char err[256];

    if (!role) {
        fprintf(stderr, "xdna: no suite is derived for role '%s'\n%s", d->role, usage);
        return 2;
    }
    if (!names_known(d, role))
        return 2;
    d->server = dna_profile_load(d->profile, &diag);
    if (!d->server) {
        fprintf(stderr, "xdna: %s\n", diag.text);
        return diag.class ? (int)diag.class : 99;
    }
    dna_habits_default(&d->habits);
    dna_derive_knobs(&d->server->variants[0], &d->habits.knobs);
    if (d->choices && dna_habits_read(&d->habits, d->choices, err, sizeof(err)) != 0) {
        fprintf(stderr, "xdna: %s\n", err);
        return 2;
    }
    dna_derive_choose(&d->parts, role, d->server, &d->habits, d->scope, d->pool, stdout);
    return 0;
}

/* ---- the profile: which alternatives the implementation takes ---- */

static int write_choices(const struct derive *d)
{
    FILE *out = fopen(d->write_choices, "w");

    if (out) {
        fprintf(out, "# Found by xdna derive --role %s --profile %s.\n", d->role, d->profile);
        dna_derive_say_choices(&d->probes, d->server->title, out, true);
    }
    if (!out || fclose(out) != 0) {
        fprintf(stderr, "xdna: %s: %s\n", d->write_choices, strerror(errno));
        return 99;
    }
    return 0;
}

/* Who damages the reference (--mutate, --fault) wants to see that the suite made for the reference
 * fails: its own alternatives count, not those that the damage leads to. */
static int undamaged(const struct derive *d, char **out)
{
    int num = 0;

    for (int i = 0; i < d->num_rest; i++) {
        const char *arg = d->rest[i];

        if (strcmp(arg, "--mutate") == 0 || strcmp(arg, "--fault") == 0)
            i++;
        else if (strncmp(arg, "--mutate=", 9) != 0 && strncmp(arg, "--fault=", 8) != 0)
            out[num++] = d->rest[i];
    }
    return num;
}

/* Asked before anything else, unless the caller knows; nothing is asked when nothing is run. */
static int probe(struct derive *d)
{
    char *sound[MAX_ARGS];
    int num_sound = undamaged(d, sound), status;

    if ((d->choices && !d->only_probe) || d->only_write || !d->parts.role.num_scopes)
        return 0;
    status =
        dna_derive_ask(&d->probes, &d->parts, &d->habits, d->loose, d->only_probe ? d->rest : sound,
                       d->only_probe ? d->num_rest : num_sound, d->pool);
    if (status)
        return status;
    dna_derive_say_choices(&d->probes, d->server->title, stdout, false);
    return d->write_choices ? write_choices(d) : 0;
}

/* Beside the verdict: what it is a verdict on, and under which alternatives. */
static void publish(const struct derive *d)
{
    putchar('\n');
    if (d->probes.num)
        dna_derive_say_choices(&d->probes, d->server->title, stdout, false);
    else
        printf("Where the texts leave a choice: as %s says.\n", d->choices);
    if (d->loose)
        puts("Features beside those that are due were not looked at.");
    if (d->any_error)
        puts("Which condition an error names was not looked at.");
    if (d->parts.without)
        printf("Symbols left out: %s.\n", d->parts.without);
    if (d->scope)
        printf("Only the part '%s' was played.\n", d->scope);
    dna_hsi_claim(stdout, "", d->extra);
}

static int write_and_run(struct derive *d)
{
    static char known[] = "--known-failures=none", deaf[] = "--no-oracle";
    int status = write_all(d);

    if (status)
        return status;
    printf("%zu scenarios in %s\n", d->num_files, d->dir);
    fflush(stdout);
    if (d->only_write)
        return 0;
    d->rest[d->num_rest++] = known; /* the profile's list is of other cases */
    if (!d->oracle)
        d->rest[d->num_rest++] = deaf;
    d->rest[d->num_rest] = NULL;
    if (setenv("XDNA_SCENARIOS", d->dir, 1) != 0)
        return 99;
    status = dna_cmd_run(d->num_rest, d->rest);
    if (status <= 1)
        publish(d);
    return status;
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
            status = probe(&d);
        if (!status && !d.only_probe)
            status = make_folder(&d) ? write_and_run(&d) : 99;
        if (d.dir && !d.keep)
            remove_folder(&d);
    }
    dna_profile_free(d.server);
    free(d.files);
    dna_pool_free(d.pool);
    return status;
}
