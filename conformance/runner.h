/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. A whole run: one process under test for each variant that is needed, an
 * honesty check of each, then the cases, many at a time. The dna_runner borrows suite, profile
 * and lab, and owns processes and results; it reports each case's end once, with its worst
 * verdict over repeats.
 */
#ifndef CONFORMANCE_RUNNER_H
#define CONFORMANCE_RUNNER_H

#include "conformance/case_run.h"

struct dna_run_options {
    unsigned jobs;          /* cases at a time */
    unsigned young;         /* of these, begun less than half a second ago, as the machine */
                            /* bears it; 0: no limit.  Cases that fail wait for what does not */
                            /* come: many may, while few keep the machine busy */
    unsigned timeout_ms;    /* of a step */
    unsigned deadline_s;    /* of the run; 0: none */
    unsigned repeat;
    bool until_failure, fail_fast, shuffle, honesty, oracle;
    unsigned long seed;
    enum dna_case_level level; /* cases up to this level run */
    const char *role;          /* only this role; NULL: all */
    char **skips;
    size_t num_skips;
    const char *server;        /* --server */
    const char *const *extra_args;
    size_t num_extra_args;
    unsigned first_number;     /* the fresh names of the cases are numbered from here on */
};

/* What a run tells while it goes on. */
struct dna_run_calls {
    /* a case has its verdict; returns whether it is unexpected (for fail-fast, until-failure) */
    bool (*on_result)(struct dna_result *result, unsigned done, unsigned planned, void *arg);
    void (*on_message)(const char *text, void *arg);
    void *arg;
};

struct dna_run_outcome {
    bool hard;               /* the lab or the IUT was not usable: */
    char text[4200];         /* why */
    int interrupted;         /* the signal */
    bool out_of_time, stopped_early;
    unsigned num_results;
    struct dna_result **results; /* one for each selected case, in the suite's order; owned */
    unsigned *unstable;      /* for each: how many repeats had another verdict than the first */
    unsigned repeats;        /* how often the selection was run */
    double seconds;
    unsigned skipped_by_request;
    struct dna_oracle_counts oracle;
};

/* dna_skip_reason says why a selected case is not for this profile, NULL if it is. */
const char *dna_skip_reason(const struct dna_case *c, const struct dna_profile *profile,
                            struct dna_pool *pool);

void dna_run_suite(struct dna_suite *suite, struct dna_profile *profile, struct dna_lab *lab,
                   struct event_base *base, const struct dna_run_options *options,
                   const struct dna_run_calls *calls, struct dna_run_outcome *out);
void dna_run_outcome_free(struct dna_run_outcome *outcome);
void dna_result_free(struct dna_result *result);

/* honesty.c: what a profile is put to before its verdicts count */
struct dna_honesty;
struct dna_honesty *dna_honesty_new(const struct dna_prelude *prelude);
void dna_honesty_free(struct dna_honesty *honesty);
unsigned dna_honesty_count(const struct dna_honesty *honesty);
const struct dna_case *dna_honesty_case(const struct dna_honesty *honesty, unsigned index);
/* does this control make sense for this variant? */
bool dna_honesty_applies(const struct dna_honesty *honesty, unsigned index,
                         const struct dna_variant *variant);
/* NULL if the control came out as it must, else what is wrong with the IUT or the judge */
const char *dna_honesty_verdict(const struct dna_honesty *honesty, unsigned index,
                                const struct dna_result *result);

#endif
