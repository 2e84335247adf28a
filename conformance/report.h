/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What a run says: live on a terminal, at its end as a summary and failure
 * blocks, and into files for machines. Reports borrow everything they show.
 */
#ifndef CONFORMANCE_REPORT_H
#define CONFORMANCE_REPORT_H

#include "conformance/known.h"
#include "conformance/runner.h"

#include "spec/version.h"

#define DNA_SUITE_VERSION DNA_VERSION
#define DNA_MODEL_HASH_LEN 16

/* dna_model_hash writes 12 hexadecimal digits and a NUL. */
void dna_model_hash(char *out);

enum dna_progress { DNA_PROGRESS_AUTO, DNA_PROGRESS_LINE, DNA_PROGRESS_NONE };

struct dna_report {
    const struct dna_suite *suite;
    const struct dna_profile *profile;
    const struct dna_known *known;
    enum dna_fail_on fail_on;
    int verbosity;            /* -1 quiet, 0, 1, 2 */
    bool color, live;         /* live: a counter that is written over */
    bool strict_features;
    unsigned long seed;
    char **argv;
    const char *transcripts;  /* directory, NULL */
    const char *rerun;        /* options to repeat in a rerun command */
    char today[16];
    char start[32];           /* ISO 8601 */
    struct dna_counts counts;
    const struct dna_run_outcome *outcome;
    int exit_status;
};

void dna_report_init(struct dna_report *report);
/* dna_report_case: one case is done. Returns whether its verdict is unexpected. */
bool dna_report_case(struct dna_report *report, struct dna_result *result, unsigned done,
                     unsigned planned);
void dna_report_message(struct dna_report *report, const char *text);
/* dna_report_end counts, prints summary and failures and settles the exit status. */
void dna_report_end(struct dna_report *report, unsigned required);
void dna_report_result_line(const struct dna_report *report);

/* These return false with errno when the file cannot be written. */
bool dna_report_junit(const struct dna_report *report, const char *file);
bool dna_report_json(const struct dna_report *report, const char *file);
bool dna_list_json(const struct dna_suite *suite); /* the selected cases, on stdout */
bool dna_report_transcript(struct dna_report *report, struct dna_result *result);
bool dna_report_known_failures(const struct dna_report *report, const char *file);

/* dna_xml_clean appends text for an XML report: escaped, without what XML 1.0 does not allow; bytes
 * that are not UTF-8 become U+FFFD. */
void dna_xml_clean(struct dna_buf *out, const char *text);

const char *dna_rerun_command(const struct dna_report *report, const struct dna_result *result);
/* dna_failure_block is the text of one failure, as console and JUnit show it. */
void dna_failure_block(const struct dna_report *report, const struct dna_result *result,
                       struct dna_buf *out);

#endif
