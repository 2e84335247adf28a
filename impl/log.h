/* SPDX-License-Identifier: MIT */
/* log: one line per event in logfmt, so that a log reads as a walk through the tables. Lines go to
 * standard error or a file; a reader that does not keep up loses lines (counted), the server never
 * waits. */
#ifndef DNA_IMPL_LOG_H
#define DNA_IMPL_LOG_H
#include <stdint.h>

struct dna_effects;

enum dna_log_level { DNA_LOG_ERROR, DNA_LOG_WARN, DNA_LOG_INFO, DNA_LOG_STEP, DNA_LOG_DEBUG };

/* dna_log_open() chooses where to (path NULL = standard error) and up to which level; -1 if path
 * cannot be opened. Without it: standard error, DNA_LOG_INFO. */
int dna_log_open(const char *path, enum dna_log_level level);
/* dna_log_close() writes out what can be written. */
void dna_log_close(void);
/* dna_log_level_parse() knows "error", "warn", "info", "step", "debug"; -1 otherwise. */
int dna_log_level_parse(const char *name);
/* dna_log() writes `t=... level=... event=EVENT rest`; values in rest must not hold white space:
 * pass free text through dna_log_quote(). */
void dna_log(enum dna_log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* dna_log_quote() is text as one logfmt value, quoted if need be; valid until the fourth call after
 * it. */
const char *dna_log_quote(const char *text);
/* dna_log_step() writes one step of a machine, naming conn and pair (or other subject, may be
 * NULL): state, event, row, next state, the row's requirements and outputs. */
void dna_log_step(uint64_t conn, const char *pair, const struct dna_effects *fx);
#endif
