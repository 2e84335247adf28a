/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Known-failure and known-flaky files: verdicts that are waived by name and
 * reason. Cases are always run; an entry only says what to expect. Every rule of the file is
 * enforced, so that a waiver can't outlive its cause. A dna_known owns its entries.
 *
 *   rfc7712/4.4.2/supposition-*  FAIL  reason=got:eof  https://tracker/1  until=2027-06  # why
 */
#ifndef CONFORMANCE_KNOWN_H
#define CONFORMANCE_KNOWN_H

#include "conformance/verdict.h"

struct dna_known_entry {
    struct dna_known_entry *next;
    const char *file;
    int line;
    const char *pattern, *reason, *url, *until, *why;
    enum dna_verdict verdict;
    bool flaky;
};

struct dna_known {
    struct dna_pool *pool;
    struct dna_known_entry *entries;
};

struct dna_known *dna_known_new(void);
void dna_known_free(struct dna_known *known);

/* dna_known_read adds a file's entries; errors (exit 2) go to diags. */
void dna_known_read(struct dna_known *known, const char *file, bool flaky,
                    struct dna_scn_diags *diags);
void dna_known_parse(struct dna_known *known, const char *file, const char *text, bool flaky,
                     struct dna_scn_diags *diags);

/*
 * dna_known_check holds the entries against the suite: each must match a case, one that this
 * profile runs (skip says why it does not), and no case may have two. Warnings (aliases) go to
 * warnings. strict: a tracker's URL is wanted as well.
 */
typedef const char *(*dna_known_skip_fn)(const struct dna_case *c, void *arg);
void dna_known_check(const struct dna_known *known, const struct dna_suite *suite, bool strict,
                     dna_known_skip_fn skip, void *arg, struct dna_scn_diags *diags,
                     struct dna_buf *warnings);

const struct dna_known_entry *dna_known_find(const struct dna_known *known,
                                             const struct dna_case *c);

/*
 * dna_known_apply fills the expectation of a result. today is "YYYY-MM-DD". When the result is not
 * what its entry says, or the entry has run out, *out_replacement is the line to write instead
 * (result's pool), else NULL.
 */
void dna_known_apply(const struct dna_known *known, struct dna_result *result,
                     enum dna_fail_on fail_on, const char *today, const char **out_replacement);

/* dna_known_line is a line for this result, with '# CHANGE ME' where a person must write. */
char *dna_known_line(const struct dna_known *known, const struct dna_result *result);

#endif
