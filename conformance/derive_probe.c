/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Which alternatives an implementation takes where the texts leave a choice
 * (CHOICE rows): for each group the shortest session at whose end they differ, written once as each
 * alternative has it, and run. One choice may hide another, so what is not known yet is tried again
 * under what was found, until nothing new is.
 */
#include "conformance/derive_internal.h"

#include "conformance/cli.h"
#include "model/cell.h"
#include "model/mutants.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

enum { MAX_ROUNDS = 4, MAX_RUN_ARGS = 160 };

/* ---- the groups of a role ---- */

static bool first_of_group(const struct dna_machine *m, size_t row)
{
    return m->rows[row].kind == DNA_CHOICE &&
           (row == 0 || !dna_same_choice(&m->rows[row], &m->rows[row - 1]));
}

static void add_group(struct dna_derive_probes *p, const struct dna_machine *m, size_t first)
{
    struct dna_derive_probe *probe;

    if (p->num == DNA_DERIVE_PROBES)
        return;
    probe = &p->at[p->num++];
    *probe = (struct dna_derive_probe){ .machine = m, .first = first, .taken = first };
    for (size_t row = first; row < m->num_rows && dna_same_choice(&m->rows[row], &m->rows[first]);
         row++)
        probe->num++;
}

static void list_groups(struct dna_derive_probes *p, const struct dna_role *role)
{
    p->num = 0;
    for (size_t s = 0; s < role->num_slots; s++) {
        const struct dna_machine *m = role->slots[s].machine;

        if (s > 0 && role->slots[s - 1].machine == m)
            continue;
        for (size_t row = 0; row < m->num_rows; row++)
            if (first_of_group(m, row))
                add_group(p, m, row);
    }
}

/* ---- one round: sessions, a run, verdicts ---- */

struct round {
    struct dna_derive_probes *probes;
    const struct dna_derive_parts *parts;
    struct dna_habits *habits;
    const struct dna_campaign *campaign;
    struct dna_pool *pool;
    char *dir, *json;
    char **run;
    int num_run;
    bool loose, failed;
    size_t num_files;
};

static struct dna_mutant chosen(const struct dna_derive_probe *probe, size_t row)
{
    return (struct dna_mutant){ .machine = probe->machine, .row = row, .what = DNA_CHOOSE };
}

/* The session as it is under this alternative; its number makes the file's name. */
static void write_one(struct round *r, size_t number, size_t row, size_t as,
                      const struct dna_judgement *j)
{
    const struct dna_derive_probe *probe = &r->probes->at[number];
    struct dna_overlay choices = r->habits->choices;
    struct dna_derive_how how = { .u = &r->campaign->unfoldings[j->scope],
                                  .choices = &choices,
                                  .variant = r->parts->variants[j->scope],
                                  .documented = r->parts->documented[j->scope],
                                  .loose = r->loose,
                                  .ends = dna_derive_without(r->parts, "verify") };
    char *path = dna_pool_printf(r->pool, "%s/derived/probe_%zu-%zu-%zu.scn", r->dir, number, row,
                                 as);

    if (as != probe->first)
        choices.mutants[choices.num++] = chosen(probe, as);
    r->failed |= !dna_derive_store(&how, j->witness, j->len, path);
    r->num_files++;
}

static void remember_session(struct round *r, struct dna_derive_probe *probe,
                             const struct dna_judgement *j)
{
    const struct dna_unfolding *u = &r->campaign->unfoldings[j->scope];
    struct dna_buf text = { 0 };

    dna_buf_puts(&text, u->scope->prefix);
    for (size_t i = 0; i < j->len; i++)
        dna_buf_printf(&text, "%s%s", text.len ? ", " : "", u->inputs[j->witness[i]]->name);
    probe->session = dna_pool_strdup(r->pool, text.at ? text.at : "");
    dna_buf_free(&text);
}

/* A group is asked about as long as it is not known and a session tells its alternatives apart. */
static void write_probe(struct round *r, size_t number)
{
    struct dna_derive_probe *probe = &r->probes->at[number];

    for (size_t row = probe->first + 1; row < probe->first + probe->num && !probe->known; row++) {
        struct dna_mutant mutant = chosen(probe, row);
        struct dna_judgement j = { 0 };

        dna_campaign_judge(r->campaign, &mutant, &j);
        if (j.fate == DNA_EQUIVALENT || j.fate == DNA_UNDECIDED)
            continue;
        remember_session(r, probe, &j);
        write_one(r, number, row, probe->first, &j);
        write_one(r, number, row, row, &j);
    }
}

/* The runner wants a process of its own, for it moves into the lab and does not come back. */
static int run_quietly(struct round *r)
{
    static char known[] = "--known-failures=none", progress[] = "--progress=none",
                oracle[] = "--no-oracle", honest[] = "--no-honesty-check";
    char *extra[] = { dna_pool_printf(r->pool, "--json=%s", r->json), known, progress, oracle,
                      honest };
    char *argv[MAX_RUN_ARGS + 10];
    int argc = 0, status;
    pid_t pid;

    for (int i = 0; i < r->num_run && i < MAX_RUN_ARGS; i++)
        argv[argc++] = r->run[i];
    for (size_t i = 0; i < sizeof(extra) / sizeof(*extra); i++)
        argv[argc++] = extra[i];
    argv[argc] = NULL;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        if (null < 0 || dup2(null, 1) < 0 || setenv("XDNA_SCENARIOS", r->dir, 1) != 0)
            _exit(99);
        status = dna_cmd_run(argc, argv);
        fflush(NULL);
        _exit(status);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return 99;
    return WEXITSTATUS(status);
}

/* Whether the session passed as this alternative has it. */
static bool passed(const json_t *results, size_t number, size_t row, size_t as)
{
    const json_t *result;
    char name[96];
    size_t i;

    snprintf(name, sizeof(name), "derived/probe/%zu-%zu-%zu", number, row, as);
    json_array_foreach(results, i, result) {
        const char *scenario = json_string_value(json_object_get(result, "scenario"));
        const char *verdict = json_string_value(json_object_get(result, "verdict"));

        if (scenario && strcmp(scenario, name) == 0)
            return verdict && strcmp(verdict, "PASS") == 0;
    }
    return false;
}

/* An alternative is taken if its session passes and the first one's does not, or the other way
 * round; both or neither tell nothing. */
static void read_verdict(struct dna_derive_probe *p, const json_t *results, size_t number)
{
    for (size_t row = p->first + 1; row < p->first + p->num && !p->known; row++) {
        bool first = passed(results, number, row, p->first);
        bool other = passed(results, number, row, row);

        p->known = first != other;
        p->taken = other && !first ? row : p->first;
    }
}

/* Returns how many groups became known, or -1. */
static int read_verdicts(struct round *r)
{
    json_t *top = json_load_file(r->json, 0, NULL);
    int before = 0, after = 0;

    if (!top)
        return -1;
    for (size_t n = 0; n < r->probes->num; n++)
        before += r->probes->at[n].known;
    for (size_t n = 0; n < r->probes->num; n++)
        if (!r->probes->at[n].known)
            read_verdict(&r->probes->at[n], json_object_get(top, "results"), n);
    json_decref(top);
    for (size_t n = 0; n < r->probes->num; n++)
        after += r->probes->at[n].known;
    return after - before;
}

static void take_choices(struct round *r)
{
    struct dna_overlay *o = &r->habits->choices;

    o->num = 0;
    for (size_t n = 0; n < r->probes->num && o->num < DNA_MAX_MUTANTS - 1; n++)
        if (r->probes->at[n].taken != r->probes->at[n].first)
            o->mutants[o->num++] = chosen(&r->probes->at[n], r->probes->at[n].taken);
}

static void remove_files(const struct round *r)
{
    for (size_t n = 0; n < r->probes->num; n++) {
        const struct dna_derive_probe *p = &r->probes->at[n];

        for (size_t row = p->first; row < p->first + p->num; row++) {
            unlink(dna_pool_printf(r->pool, "%s/derived/probe_%zu-%zu-%zu.scn", r->dir, n, row,
                                   p->first));
            unlink(dna_pool_printf(r->pool, "%s/derived/probe_%zu-%zu-%zu.scn", r->dir, n, row,
                                   row));
        }
    }
    unlink(r->json);
    rmdir(dna_pool_printf(r->pool, "%s/derived", r->dir));
    unlink(dna_pool_printf(r->pool, "%s/prelude.scn", r->dir));
    rmdir(r->dir);
}

/* Returns how many groups became known; -1: it cannot go on, *status says why. */
static int play_round(struct round *r, int *status)
{
    struct dna_campaign campaign;
    char err[256], dir[] = "/tmp/xdna-probe-XXXXXX";
    int found = 0;

    *status = 99;
    if (dna_campaign_begin(&campaign, &r->parts->role, r->habits, 0, err, sizeof(err)) != 0) {
        fprintf(stderr, "xdna: %s\n", err);
        return -1;
    }
    r->dir = mkdtemp(dir);
    if (r->dir && dna_derive_folder(r->dir)) {
        r->json = dna_pool_printf(r->pool, "%s/verdicts.json", r->dir);
        r->campaign = &campaign;
        r->num_files = 0;
        for (size_t n = 0; n < r->probes->num; n++)
            write_probe(r, n);
        if (r->num_files) {
            *status = run_quietly(r);
            found = *status > 1 || r->failed ? -1 : read_verdicts(r);
        }
        r->probes->num_sessions += r->num_files / 2;
        remove_files(r);
    } else {
        found = -1;
    }
    dna_campaign_end(&campaign);
    return found;
}

int dna_derive_ask(struct dna_derive_probes *probes, const struct dna_derive_parts *parts,
                   struct dna_habits *habits, bool loose, char **run, int num_run,
                   struct dna_pool *pool)
{
    struct round r = { .probes = probes, .parts = parts, .habits = habits, .pool = pool,
                       .run = run, .num_run = num_run, .loose = loose };
    int found = 1, status = 0;

    list_groups(probes, &parts->role);
    for (int i = 0; i < MAX_ROUNDS && found > 0; i++) {
        found = play_round(&r, &status);
        take_choices(&r);
    }
    return found < 0 ? status : 0;
}

/* ---- what is said of it ---- */

static void put_row(FILE *out, const struct dna_machine *m, size_t row)
{
    fprintf(out, "%s:", m->rows[row].id);
    for (const uint8_t *d = m->rows[row].dos; *d; d++)
        fprintf(out, " %s", m->dos[*d].name);
    fputs(m->rows[row].dos[0] ? "" : " nothing", out);
}

void dna_derive_say_choices(const struct dna_derive_probes *probes, const char *product, FILE *out,
                            bool as_file)
{
    fprintf(out, "%sWhere the texts leave a choice, %s takes these alternatives (%zu sessions):\n",
            as_file ? "# " : "", product, probes->num_sessions);
    for (size_t n = 0; n < probes->num; n++) {
        const struct dna_derive_probe *p = &probes->at[n];
        const struct dna_machine *m = p->machine;

        fputs(as_file ? "# " : "  ", out);
        fprintf(out, "%s (%s): ", m->rows[p->first].choice, m->name);
        if (!p->session) {
            fputs("no session tells: ", out);
        } else if (!p->known) {
            fputs("none of them, or it did not come that far; taken for granted: ", out);
        }
        put_row(out, m, p->taken);
        if (p->session)
            fprintf(out, "  [%s]", p->session);
        fputc('\n', out);
        if (as_file && p->session && p->known)
            fprintf(out, "choice %s\n", m->rows[p->taken].id);
    }
}
