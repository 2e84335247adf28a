/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The words of judgement: verdicts, the two axes beside them, what was
 * expected of a case, and how a case's end becomes a verdict. A dna_result owns its strings
 * through its pool.
 */
#ifndef CONFORMANCE_VERDICT_H
#define CONFORMANCE_VERDICT_H

#include "conformance/suite.h"

/* in rollup order */
enum dna_verdict {
    DNA_VERDICT_SKIP, DNA_VERDICT_INFO, DNA_VERDICT_PASS, DNA_VERDICT_WARN, DNA_VERDICT_INCONC,
    DNA_VERDICT_FAIL, DNA_VERDICT_ERROR,
    DNA_NUM_VERDICTS,
    DNA_VERDICT_NONE = DNA_NUM_VERDICTS, /* not run (yet) */
};

enum dna_invariant { DNA_INVARIANT_UNSEEN, DNA_INVARIANT_HELD, DNA_INVARIANT_BROKEN };
enum dna_signalling { DNA_SIGNALLING_NONE, DNA_SIGNALLING_EXACT, DNA_SIGNALLING_ALLOWED,
                      DNA_SIGNALLING_WRONG };

enum dna_expectation {
    DNA_EXPECTED,   /* as it should be */
    DNA_XFAIL,      /* as its known-failure entry says */
    DNA_XPASS,      /* an entry says otherwise */
    DNA_FLAKY,      /* listed in known-flaky: any verdict */
    DNA_UNEXPECTED,
};

struct dna_result {
    struct dna_pool *pool;
    const struct dna_case *c;
    enum dna_verdict verdict;
    enum dna_invariant invariant;
    enum dna_signalling signalling;
    enum dna_expectation expectation;
    const char *reason;     /* a short stable code: "timeout", "broken", "got:result.invalid" */
    const char *message;    /* one line */
    const char *expected, *got; /* of the step that failed */
    const char *allowed;    /* why an allowed outcome was allowed */
    const char *reading;    /* of 'info' */
    const char *oracle;     /* what the trace walker objects to, a line each; NULL: nothing */
    const char *oracle_kind; /* the gravest of it: machine, rows, what they cite */
    const char *file;       /* of the script: where it stopped */
    int line;               /* line of the scenario, */
    const char *step_file;  /* and of the procedure that it called */
    int step_line;
    const char *step;       /* as written */
    const char *transcript; /* text */
    const char *transcript_path;
    const char *log_tail;   /* of the IUT, NULL when there is none */
    const char *waiver;     /* "URL or reason" of the entry that was applied */
    double seconds;
    unsigned number;        /* the NNNN of its fresh names */
    bool judged;            /* it stopped behind 'then': INCONC says that the invariant is unseen */
    bool alone;             /* run again by itself after the IUT died */
};

/* How a case came to its end. */
enum dna_ending {
    DNA_END_COMPLETE,  /* every step was passed */
    DNA_END_WRONG,     /* something came that was not expected */
    DNA_END_TIMEOUT,   /* nothing came */
    DNA_END_FORBIDDEN, /* what must never arrive did */
    DNA_END_CHECK,     /* a comparison failed */
    DNA_END_SUITE,     /* our own fault, or the lab's */
};

/* dna_judge fills verdict, invariant and signalling. in_then: where it stopped. */
void dna_judge(struct dna_result *result, enum dna_ending ending, bool in_then, bool allowed,
               bool has_forbid, bool has_reading, enum dna_case_level level);

const char *dna_verdict_name(enum dna_verdict verdict);
enum dna_verdict dna_verdict_of(const char *name); /* DNA_VERDICT_NONE if unknown */
const char *dna_invariant_name(enum dna_invariant invariant);
const char *dna_signalling_name(enum dna_signalling signalling);
const char *dna_expectation_name(enum dna_expectation expectation);

/* What makes exit status 1. */
enum dna_fail_on { DNA_FAIL_ON_INVARIANT, DNA_FAIL_ON_MUST, DNA_FAIL_ON_SHOULD };

/* dna_verdict_is_bad: would this verdict, without any waiver, make a run fail? */
bool dna_verdict_is_bad(const struct dna_result *result, enum dna_fail_on fail_on);

struct dna_counts {
    unsigned planned, of[DNA_NUM_VERDICTS], xfail, xpass, flaky, unexpected, errors, not_run;
};
void dna_counts_add(struct dna_counts *counts, const struct dna_result *result);

/* dna_exit_status: 99 > 2 > 1 > 77 > 0. hard: the lab or the IUT is not usable. */
int dna_exit_status(const struct dna_counts *counts, bool hard, bool usage, unsigned required);

#endif
