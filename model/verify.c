/* SPDX-License-Identifier: MIT */
/*
 * verify.c -- model-tool verify: which claims hold, and how what does not is shown.
 */
#include "model/verify.h"

#include "model/verify_fork.h"
#include "model/verify_prooftypes.h"
#include "model/verify_run.h"

#include <stdlib.h>
#include <string.h>

struct tally {
    unsigned held, limits, bugs, wrong;
    uint32_t seen; /* enum vf_when, a bit each */
};

struct request {
    struct tally *tally; /* of one job */
    FILE *out;
    const char *config, *property, *bug;
    bool list, traces, rows, survey, choices, only_bugs, size;
    const char *scenario, *scenarios;
};

static void print_number(unsigned long n, FILE *out)
{
    if (n >= 1000) {
        print_number(n / 1000, out);
        fprintf(out, ",%03lu", n % 1000);
    } else {
        fprintf(out, "%lu", n);
    }
}

static void print_size(const struct vf_search *s, FILE *out)
{
    print_number(s->num, out);
    fprintf(out, " states, %.1f s", s->seconds);
}

/* Returns whether the claim is as stated. */
static bool claim(const struct vf_search *s, size_t property, const struct request *r)
{
    const char *id = dna_vf_properties[property].id;
    const struct vf_limit *limit = dna_vf_limit_of(s->config->name, id);
    bool broken = s->broken & dna_vf_bit(property);
    bool known = s->full && !s->overflow;
    fprintf(r->out, "claim %s config %s: ", id, s->config->name);
    if (limit) {
        fprintf(r->out, "%s",
                broken  ? "limit, refuted as documented"
                : known ? "HOLDS, though a limit is documented"
                        : "UNKNOWN");
    } else {
        fprintf(r->out, "%s",
                broken  ? "REFUTED"
                : known ? "holds"
                        : "UNKNOWN: not explored to the end");
    }
    printf(", ");
    print_size(s, r->out);
    fprintf(r->out, "%s%s\n", limit ? ": " : "", limit ? limit->text : "");
    if (broken && (r->traces || r->rows || !limit)) {
        dna_vf_print_trace(s, property, r->rows, r->out);
    }
    bool as_stated = limit ? broken : known && !broken;
    r->tally->held += as_stated && !limit;
    r->tally->limits += as_stated && limit;
    r->tally->wrong += !as_stated;
    return as_stated;
}

static int run_config(const struct vf_config *config, const struct request *r)
{
    struct vf_search s = { .config = config };
    int bad = 0;
    if (dna_vf_run_config(config, &s)) {
        fputs("verify: out of memory\n", stderr);
        bad = 3;
    }
    for (size_t i = 0; bad < 3 && i < dna_vf_num_properties; i++) {
        bool arises = s.seen & 1u << dna_vf_properties[i].when;
        if ((arises || s.broken & dna_vf_bit(i) ||
             dna_vf_limit_of(config->name, dna_vf_properties[i].id)) &&
            (!r->property || strcmp(r->property, dna_vf_properties[i].id) == 0) &&
            !claim(&s, i, r)) {
            bad = 1;
        }
    }
    r->tally->seen |= s.seen;
    if (s.overflow) {
        fprintf(stderr, "verify: a bound was too small in %s\n", config->name);
        bad = 3;
    }
    dna_vf_search_free(&s);
    return bad;
}

static int write_scenario(const struct vf_planted *bug, const struct vf_search *s, size_t property,
                          const struct request *r)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s_%s.scn", r->scenarios ? r->scenarios : ".", bug->property,
             bug->id);
    const char *name = r->scenario ? r->scenario : path;
    FILE *out = fopen(name, "w");
    int status = out ? dna_vf_scenario(bug, s, property, out) : -1;
    if (!out || fclose(out)) {
        perror(name);
        return 2;
    }
    if (status) {
        (void)remove(name);
    }
    if (status && r->scenario) {
        fprintf(stderr, "verify: the bug %s does not show at B alone: no scenario is written\n",
                bug->id);
        return 2;
    }
    return 0;
}

/* A script of the conformance suite resumes no TLS session, gives no peer a second name, and looks
   at no features. */
static bool can_be_told(const struct vf_planted *bug, const struct vf_search *s)
{
    int property = dna_vf_find_property(bug->property);
    return !(s->config->does & (VF_RESUMES | VF_TWO_NAMES)) &&
           dna_vf_properties[property].when != VF_W_OFFER;
}

static int run_bug(const struct vf_planted *bug, const struct request *r)
{
    struct vf_search s = { 0 };
    int bad = dna_vf_run_planted(bug, &s) ? 3 : 0;
    int property = dna_vf_find_property(bug->property);
    if (!bad) {
        bool found = s.broken & dna_vf_bit((size_t)property);
        struct vf_move moves[256];
        fprintf(r->out, "bug %s: ", bug->id);
        if (found) {
            fprintf(r->out, "refuted by %s in %zu moves, ", bug->property,
                    dna_vf_trace(&s, (size_t)property, moves, 256));
        } else {
            fprintf(r->out, "NOT FOUND by %s in %s, ", bug->property, bug->config);
        }
        print_size(&s, r->out);
        fprintf(r->out, " (%s): %s\n", bug->seen, bug->text);
        if (found && (r->traces || r->rows)) {
            dna_vf_print_trace(&s, (size_t)property, r->rows, r->out);
        }
        bad = found ? 0 : 1;
        r->tally->bugs += found;
        r->tally->wrong += !found;
        if (found && (r->scenario || r->scenarios) && can_be_told(bug, &s)) {
            bad = write_scenario(bug, &s, (size_t)property, r);
        }
    }
    dna_vf_search_free(&s);
    dna_interp_restore();
    return bad;
}

static void claim_of_proofs(const struct vq_search *s, size_t property, const struct request *r)
{
    bool broken = s->broken & 1u << property, stated = s->full && !broken;
    fprintf(r->out, "claim %s config %s: %s, ", dna_vq_properties[property].id, s->config->name,
            broken    ? "REFUTED"
            : s->full ? "holds"
                      : "UNKNOWN: not explored to the end");
    print_number(s->num, r->out);
    fprintf(r->out, " states, %.1f s\n", s->seconds);
    if (broken) {
        (void)dna_vq_trace(s, property, r->out);
    }
    r->tally->held += stated;
    r->tally->wrong += !stated;
}

static int run_proof_config(size_t i, const struct request *r)
{
    struct vq_search s = { 0 };
    unsigned wrong = r->tally->wrong;
    int bad = dna_vq_run_config(&dna_vq_configs[i], &s) ? 3 : 0;
    for (size_t p = 0; !bad && p < dna_vq_num_properties; p++) {
        if (s.seen & 1u << dna_vq_properties[p].when || dna_vq_properties[p].when == VQ_DEAD) {
            claim_of_proofs(&s, p, r);
        }
    }
    dna_vq_search_free(&s);
    return bad ? bad : r->tally->wrong > wrong;
}

static int run_proof_bug(size_t i, const struct request *r)
{
    const struct vq_planted *bug = &dna_vq_planted[i];
    struct vq_search s = { 0 };
    int bad = dna_vq_run_planted(bug, &s) ? 3 : 0;
    size_t property = (size_t)dna_vq_find_property(bug->property);
    bool found = !bad && s.broken & 1u << property;
    fprintf(r->out, "bug %s: ", bug->id);
    if (found) {
        fprintf(r->out, "refuted by %s in %zu moves, ", bug->property,
                dna_vq_trace(&s, property, NULL));
    } else {
        fprintf(r->out, "NOT FOUND by %s in %s, ", bug->property, bug->config);
    }
    print_number(s.num, r->out);
    fprintf(r->out, " states, %.1f s (%s): %s\n", s.seconds, bug->seen, bug->text);
    if (found && (r->traces || r->rows)) {
        (void)dna_vq_trace(&s, property, r->out);
    }
    r->tally->bugs += found;
    r->tally->wrong += !found;
    dna_vq_search_free(&s);
    dna_interp_restore();
    return bad ? bad : !found;
}

static int list(void)
{
    for (size_t i = 0; i < dna_vf_num_properties; i++) {
        const struct vf_property *p = &dna_vf_properties[i];
        printf("property %-4s %-8s %s\n                  %s\n", p->id, dna_vf_when_name[p->when],
               p->text, p->expr);
    }
    for (size_t i = 0; i < dna_vf_num_configs; i++) {
        printf("config %-20s %s\n", dna_vf_configs[i].name, dna_vf_configs[i].text);
    }
    for (size_t i = 0; i < dna_vf_num_planted; i++) {
        const struct vf_planted *b = &dna_vf_planted[i];
        printf("bug %-24s %s in %s: %s\n", b->id, b->property, b->config, b->text);
    }
    for (size_t i = 0; i < dna_vq_num_properties; i++) {
        const struct vq_property *p = &dna_vq_properties[i];
        printf("property %-4s %-8s %s\n                  %s\n", p->id, dna_vq_when_name[p->when],
               p->text, p->expr);
    }
    for (size_t i = 0; i < dna_vq_num_configs; i++) { /* Spin has no part in these */
        printf("prooftypes %-16s %s\n", dna_vq_configs[i].name, dna_vq_configs[i].text);
    }
    for (size_t i = 0; i < dna_vq_num_planted; i++) {
        const struct vq_planted *b = &dna_vq_planted[i];
        printf("bug %-24s %s in %s: %s\n", b->id, b->property, b->config, b->text);
    }
    return 0;
}

/* A property whose occasion arises in no configuration claims nothing. */
static bool vacuous(const struct request *r)
{
    bool found = false;
    for (size_t i = 0; i < dna_vf_num_properties; i++) {
        enum vf_when when = dna_vf_properties[i].when;
        if (when != VF_W_DEAD && when != VF_W_ENDLESS && !(r->tally->seen & 1u << when)) {
            printf("claim %s: its occasion, %s, arises in no configuration\n",
                   dna_vf_properties[i].id, dna_vf_when_name[when]);
            r->tally->wrong++;
            found = true;
        }
    }
    return found;
}

static int print_sizes(const struct request *r)
{
    for (size_t i = 0; i < dna_vf_num_configs; i++) {
        struct vf_search s = { 0 };
        if (r->config && strcmp(r->config, dna_vf_configs[i].name) != 0) {
            continue;
        }
        if (dna_vf_run_config(&dna_vf_configs[i], &s) || !s.full) {
            dna_vf_search_free(&s);
            return 3;
        }
        printf("%u %llu\n", s.num, (unsigned long long)s.transitions);
        dna_vf_search_free(&s);
    }
    return 0;
}

/* What runs by itself: a configuration, or a planted bug; of the streams, or of the prooftypes. */
struct job {
    int (*run)(size_t i, const struct request *r);
    size_t i;
};

struct jobs {
    const struct request *request;
    struct job at[256];
    size_t num;
    struct tally *tallies; /* shared, one a job */
};

static int config_job(size_t i, const struct request *r)
{
    return run_config(&dna_vf_configs[i], r);
}

static int bug_job(size_t i, const struct request *r)
{
    return run_bug(&dna_vf_planted[i], r);
}

static void add(struct jobs *jobs, int (*run)(size_t i, const struct request *r), size_t i)
{
    if (jobs->num < sizeof jobs->at / sizeof jobs->at[0]) {
        jobs->at[jobs->num++] = (struct job){ run, i };
    }
}

static void list_jobs(struct jobs *jobs, const struct request *r)
{
    for (size_t i = 0; i < dna_vf_num_configs && !r->bug && !r->only_bugs; i++) {
        if (!r->config || strcmp(r->config, dna_vf_configs[i].name) == 0) {
            add(jobs, config_job, i);
        }
    }
    for (size_t i = 0; i < dna_vf_num_planted && !r->config && !r->property; i++) {
        if (!r->bug || strcmp(r->bug, dna_vf_planted[i].id) == 0) {
            add(jobs, bug_job, i);
        }
    }
    for (size_t i = 0; i < dna_vq_num_configs && !r->bug && !r->only_bugs && !r->property; i++) {
        if (!r->config || strcmp(r->config, dna_vq_configs[i].name) == 0) {
            add(jobs, run_proof_config, i);
        }
    }
    for (size_t i = 0; i < dna_vq_num_planted && !r->config && !r->property; i++) {
        if (!r->bug || strcmp(r->bug, dna_vq_planted[i].id) == 0) {
            add(jobs, run_proof_bug, i);
        }
    }
}

static int do_job(size_t i, FILE *out, void *arg)
{
    struct jobs *jobs = arg;
    struct request r = *jobs->request;
    r.tally = &jobs->tallies[i];
    r.out = out;
    return jobs->at[i].run(jobs->at[i].i, &r);
}

static int run(const struct request *r)
{
    struct jobs jobs = { .request = r };
    list_jobs(&jobs, r);
    jobs.tallies = dna_vf_shared(sizeof jobs.at / sizeof jobs.at[0] * sizeof *jobs.tallies);
    if (!jobs.tallies) {
        fputs("verify: out of memory\n", stderr);
        return 3;
    }
    int worst = dna_vf_in_parallel(jobs.num, do_job, stdout, &jobs);
    struct tally *t = r->tally;
    for (size_t i = 0; i < jobs.num; i++) {
        t->held += jobs.tallies[i].held;
        t->limits += jobs.tallies[i].limits;
        t->bugs += jobs.tallies[i].bugs;
        t->wrong += jobs.tallies[i].wrong;
        t->seen |= jobs.tallies[i].seen;
    }
    dna_vf_unshare(jobs.tallies, sizeof jobs.at / sizeof jobs.at[0] * sizeof *jobs.tallies);
    if (!r->config && !r->bug && !r->only_bugs) {
        worst = vacuous(r) && worst == 0 ? 1 : worst;
    }
    printf("verify: %u claims hold, %u limits are refuted as documented, %u planted bugs are "
           "refuted, %u are not as "
           "stated\n",
           t->held, t->limits, t->bugs, t->wrong);
    return worst;
}

static int usage(void)
{
    fputs("usage: model-tool verify [--list | --rows | --choices] [--config NAME [--size]] "
          "[--property ID] "
          "[--bugs [--scenarios DIR] | "
          "--bug ID [--scenario FILE]]\n                         [--traces] [--rows-fired]\n",
          stderr);
    return 2;
}

int dna_verify_cmd(int argc, char **argv)
{
    struct tally tally = { 0 };
    struct request r = { .tally = &tally };
    for (int i = 0; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--list") == 0) {
            r.list = true;
        } else if (strcmp(argv[i], "--rows-fired") == 0) {
            r.rows = true;
        } else if (strcmp(argv[i], "--size") == 0) {
            r.size = true;
        } else if (strcmp(argv[i], "--choices") == 0) {
            r.choices = true;
        } else if (strcmp(argv[i], "--rows") == 0) {
            r.survey = true;
        } else if (strcmp(argv[i], "--scenario") == 0 && value) {
            r.scenario = argv[++i];
        } else if (strcmp(argv[i], "--scenarios") == 0 && value) {
            r.scenarios = argv[++i];
        } else if (strcmp(argv[i], "--bugs") == 0) {
            r.only_bugs = true;
        } else if (strcmp(argv[i], "--traces") == 0) {
            r.traces = true;
        } else if (strcmp(argv[i], "--config") == 0 && value &&
                   (dna_vf_find_config(value) >= 0 || dna_vq_find_config(value) >= 0)) {
            r.config = argv[++i];
        } else if (strcmp(argv[i], "--property") == 0 && value &&
                   dna_vf_find_property(value) >= 0) {
            r.property = argv[++i];
        } else if (strcmp(argv[i], "--bug") == 0 && value &&
                   (dna_vf_find_planted(value) >= 0 || dna_vq_find_planted(value) >= 0)) {
            r.bug = argv[++i];
        } else {
            return usage();
        }
    }
    if (r.survey) {
        return dna_vf_survey(stdout);
    }
    if (r.choices) {
        return dna_vf_choices(stdout);
    }
    if (r.size) {
        return print_sizes(&r);
    }
    return r.list ? list() : run(&r);
}
