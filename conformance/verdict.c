/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. From how a case ended to a verdict, and from verdicts to an exit status.
 */
#include "conformance/verdict.h"

#include <string.h>

static const char *const verdict_names[] = { "SKIP", "INFO", "PASS", "WARN", "INCONC", "FAIL",
                                             "ERROR", "NONE" };

const char *dna_verdict_name(enum dna_verdict verdict)
{
    return verdict_names[verdict];
}

enum dna_verdict dna_verdict_of(const char *name)
{
    for (int i = 0; i < DNA_NUM_VERDICTS; i++)
        if (strcmp(name, verdict_names[i]) == 0)
            return (enum dna_verdict)i;
    return DNA_VERDICT_NONE;
}

const char *dna_invariant_name(enum dna_invariant invariant)
{
    static const char *const names[] = { "unseen", "held", "broken" };

    return names[invariant];
}

const char *dna_signalling_name(enum dna_signalling signalling)
{
    static const char *const names[] = { "none", "exact", "allowed", "wrong" };

    return names[signalling];
}

const char *dna_expectation_name(enum dna_expectation expectation)
{
    static const char *const names[] = { "expected", "XFAIL", "XPASS", "FLAKY", "unexpected" };

    return names[expectation];
}

static enum dna_verdict worse(enum dna_verdict a, enum dna_verdict b)
{
    return a > b ? a : b;
}

void dna_judge(struct dna_result *r, enum dna_ending ending, bool in_then, bool allowed,
               bool has_forbid, bool has_reading, enum dna_case_level level)
{
    enum dna_verdict violated = level == DNA_CASE_MUST ? DNA_VERDICT_FAIL : DNA_VERDICT_WARN;

    r->invariant = DNA_INVARIANT_UNSEEN;
    switch (ending) {
    case DNA_END_COMPLETE:
        r->invariant = DNA_INVARIANT_HELD;
        r->signalling = allowed ? DNA_SIGNALLING_ALLOWED : DNA_SIGNALLING_EXACT;
        r->verdict = has_reading ? DNA_VERDICT_INFO : DNA_VERDICT_PASS;
        return;
    case DNA_END_FORBIDDEN:
        /* wherever it happens and whatever the level: this is what the suite is for */
        r->invariant = DNA_INVARIANT_BROKEN;
        r->signalling = DNA_SIGNALLING_WRONG;
        r->verdict = DNA_VERDICT_FAIL;
        return;
    case DNA_END_SUITE:
        r->signalling = DNA_SIGNALLING_NONE;
        r->verdict = DNA_VERDICT_ERROR;
        return;
    case DNA_END_WRONG:
    case DNA_END_CHECK:
        r->signalling = DNA_SIGNALLING_WRONG;
        break;
    case DNA_END_TIMEOUT:
        r->signalling = DNA_SIGNALLING_NONE;
        break;
    }
    r->judged = in_then;
    r->verdict = in_then ? violated : DNA_VERDICT_INCONC;
    if (has_forbid) /* the invariant was to be shown and was not */
        r->verdict = worse(r->verdict, DNA_VERDICT_INCONC);
}

bool dna_verdict_is_bad(const struct dna_result *r, enum dna_fail_on fail_on)
{
    switch (r->verdict) {
    case DNA_VERDICT_ERROR:
    case DNA_VERDICT_INCONC: /* a test that could not be reached is not a pass */
        return true;
    case DNA_VERDICT_FAIL:
        return fail_on != DNA_FAIL_ON_INVARIANT || r->invariant == DNA_INVARIANT_BROKEN ||
               (r->reason && strcmp(r->reason, "crash") == 0);
    case DNA_VERDICT_WARN:
        return fail_on == DNA_FAIL_ON_SHOULD;
    default:
        return false;
    }
}

void dna_counts_add(struct dna_counts *counts, const struct dna_result *r)
{
    counts->planned++;
    if (r->verdict == DNA_VERDICT_NONE) {
        counts->not_run++;
        return;
    }
    counts->of[r->verdict]++;
    counts->xfail += r->expectation == DNA_XFAIL;
    counts->xpass += r->expectation == DNA_XPASS;
    counts->flaky += r->expectation == DNA_FLAKY;
    counts->errors += r->verdict == DNA_VERDICT_ERROR && r->expectation == DNA_UNEXPECTED;
    counts->unexpected += r->expectation == DNA_UNEXPECTED || r->expectation == DNA_XPASS;
}

int dna_exit_status(const struct dna_counts *counts, bool hard, bool usage, unsigned required)
{
    unsigned judged = 0;

    for (int v = DNA_VERDICT_INFO; v < DNA_NUM_VERDICTS; v++)
        judged += counts->of[v];
    if (hard || counts->errors)
        return 99;
    if (usage || counts->planned == 0)
        return 2;
    if (counts->unexpected || counts->not_run || judged < required)
        return 1;
    if (!judged)
        return 77;
    return 0;
}
