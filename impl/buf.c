/* SPDX-License-Identifier: MIT */
/* buf: see buf.h. */
#include "impl/buf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void out_of_memory(void)
{
    static const char said[] = "xdna: out of memory\n";
    (void)fwrite(said, 1, sizeof said - 1, stderr);
    abort();
}

void *dna_calloc(size_t num, size_t size)
{
    void *p = calloc(num ? num : 1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

char *dna_strdup(const char *s)
{
    char *copy = strdup(s);
    if (!copy)
        out_of_memory();
    return copy;
}

void dna_buf_cleanup(struct dna_buf *b)
{
    free(b->at);
    *b = (struct dna_buf)DNA_BUF_INIT;
}

void dna_buf_reset(struct dna_buf *b)
{
    b->len = 0;
    if (b->at)
        b->at[0] = '\0';
}

static void reserve(struct dna_buf *b, size_t more)
{
    if (more > SIZE_MAX / 4 - b->len)
        out_of_memory();
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : 128;
    while (cap < need)
        cap *= 2;
    char *at = realloc(b->at, cap);
    if (!at)
        out_of_memory();
    b->at = at;
    b->cap = cap;
}

void dna_buf_add(struct dna_buf *b, const char *at, size_t len)
{
    reserve(b, len);
    if (len)
        memcpy(b->at + b->len, at, len);
    b->len += len;
    b->at[b->len] = '\0';
}

void dna_buf_puts(struct dna_buf *b, const char *s)
{
    dna_buf_add(b, s, strlen(s));
}

void dna_buf_printf(struct dna_buf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len =
        format ? vsnprintf(NULL, 0, format, args) : 0; /* gcc's UBSan build asks: is it NULL? */
    va_end(args);
    if (len > 0) {
        reserve(b, (size_t)len);
        (void)vsnprintf(b->at + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

static void escape(struct dna_buf *b, const char *s, bool value)
{
    static const struct {
        char c;
        const char *as;
    } table[] = { { '&', "&amp;" },   { '<', "&lt;" },   { '>', "&gt;" },   { '"', "&quot;" },
                  { '\'', "&apos;" }, { '\r', "&#13;" }, { '\n', "&#10;" }, { '\t', "&#9;" } };
    const char *from = s;
    for (; *s; s++) {
        const char *as = NULL;
        for (size_t i = 0; i < sizeof table / sizeof *table && !as; i++)
            as = table[i].c == *s ? table[i].as : NULL;
        if (!value && (*s == '\n' || *s == '\t'))
            continue;
        if (!as && (unsigned char)*s >= 0x20)
            continue;
        dna_buf_add(b, from, (size_t)(s - from));
        if (as)
            dna_buf_puts(b, as);
        from = s + 1;
    }
    dna_buf_add(b, from, (size_t)(s - from));
}

void dna_buf_escape(struct dna_buf *b, const char *s)
{
    escape(b, s, false);
}

void dna_buf_escape_value(struct dna_buf *b, const char *s)
{
    escape(b, s, true);
}

void dna_buf_attr(struct dna_buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    dna_buf_printf(b, " %s='", name);
    dna_buf_escape_value(b, value);
    dna_buf_puts(b, "'");
}
