/* SPDX-License-Identifier: MIT */
/* buf: a growing byte string, the one place where bytes to be sent are put together. The owner of
 * the struct owns the bytes; dna_buf_cleanup() frees them. A failed allocation aborts the process:
 * a server that cannot hold one stanza has nothing useful left to say. */
#ifndef DNA_IMPL_BUF_H
#define DNA_IMPL_BUF_H
#include <stddef.h>

struct dna_buf {
    char *at;   /* always NUL-terminated once anything was added; NULL before */
    size_t len; /* without the NUL */
    size_t cap;
};

/* DNA_BUF_INIT: an empty buffer that owns nothing yet. */
#define DNA_BUF_INIT                                                                               \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/* dna_buf_cleanup() frees the bytes and leaves an empty buffer. */
void dna_buf_cleanup(struct dna_buf *b);
/* dna_buf_reset() keeps the memory and forgets the content. */
void dna_buf_reset(struct dna_buf *b);
/* dna_buf_add() appends len bytes. */
void dna_buf_add(struct dna_buf *b, const char *at, size_t len);
/* dna_buf_puts() appends a C string. */
void dna_buf_puts(struct dna_buf *b, const char *s);
/* dna_buf_printf() appends formatted text, unescaped. */
void dna_buf_printf(struct dna_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* dna_buf_escape() appends text with & < > " ' escaped, fit for XML text. Characters that XML
 * cannot carry at all are dropped. */
void dna_buf_escape(struct dna_buf *b, const char *s);
/* dna_buf_escape_value() escapes line ends and tabs too, which an attribute value would lose. */
void dna_buf_escape_value(struct dna_buf *b, const char *s);
/* dna_buf_attr() appends ` name='escaped value'`, or nothing when value is NULL. */
void dna_buf_attr(struct dna_buf *b, const char *name, const char *value);

/* dna_strdup() and dna_calloc() are strdup and calloc that never return NULL. */
char *dna_strdup(const char *s);
void *dna_calloc(size_t num, size_t size);
#endif
