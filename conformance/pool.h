/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. A pool is one lifetime: everything a scenario or a case allocates comes from
 * its pool and goes with it, so that no part of the judge has to say who frees a string.
 * dna_buf is the growing byte string that transcripts, reports and XML are written into.
 */
#ifndef CONFORMANCE_POOL_H
#define CONFORMANCE_POOL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct dna_pool;

struct dna_pool *dna_pool_new(void);
void dna_pool_free(struct dna_pool *pool);
void *dna_pool_alloc(struct dna_pool *pool, size_t size); /* zeroed */
char *dna_pool_strdup(struct dna_pool *pool, const char *text);
char *dna_pool_strndup(struct dna_pool *pool, const char *text, size_t len);
char *dna_pool_printf(struct dna_pool *pool, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
char *dna_pool_vprintf(struct dna_pool *pool, const char *format, va_list args)
    __attribute__((format(printf, 2, 0), nonnull(2)));

struct dna_buf {
    char *at; /* always NUL terminated once something was added */
    size_t len, cap;
};

void dna_buf_add(struct dna_buf *buf, const char *bytes, size_t len);
void dna_buf_puts(struct dna_buf *buf, const char *text);
void dna_buf_printf(struct dna_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2)));
void dna_buf_free(struct dna_buf *buf);

/* Allocation failure has no sensible continuation in a test harness: these end the program. */
void *dna_xcalloc(size_t count, size_t size);
void *dna_xrealloc(void *old, size_t size);
char *dna_xstrdup(const char *text);

/* dna_glob_match: '*' is any run within one '/'-component, '**' any run. */
bool dna_glob_match(const char *pattern, const char *text);

#endif
