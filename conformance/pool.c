/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Pools, growing byte strings and the glob of selectors: the small tools that
 * every other file of the judge leans on. A pool owns all it hands out.
 */
#include "conformance/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
    struct chunk *next;
    size_t used, size;
    /* max_align_t keeps what follows fit for any object */
    max_align_t bytes[];
};

struct dna_pool {
    struct chunk *first;
};

static void out_of_memory(void)
{
    fputs("xdna: out of memory\n", stderr);
    _Exit(99);
}

void *dna_xcalloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

void *dna_xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);

    if (!p)
        out_of_memory();
    return p;
}

char *dna_xstrdup(const char *text)
{
    size_t len = strlen(text) + 1;

    return memcpy(dna_xcalloc(1, len), text, len);
}

struct dna_pool *dna_pool_new(void)
{
    return dna_xcalloc(1, sizeof(struct dna_pool));
}

void dna_pool_free(struct dna_pool *pool)
{
    struct chunk *c, *next;

    if (!pool)
        return;
    for (c = pool->first; c; c = next) {
        next = c->next;
        free(c);
    }
    free(pool);
}

void *dna_pool_alloc(struct dna_pool *pool, size_t size)
{
    const size_t unit = sizeof(max_align_t);
    struct chunk *c = pool->first;
    void *p;

    size = (size + unit - 1) / unit * unit;
    if (!c || c->size - c->used < size) {
        size_t room = size > 4000 ? size : 4000;

        c = dna_xcalloc(1, sizeof(*c) + room);
        c->size = room;
        c->next = pool->first;
        pool->first = c;
    }
    p = (char *)c->bytes + c->used;
    c->used += size;
    return p;
}

char *dna_pool_strndup(struct dna_pool *pool, const char *text, size_t len)
{
    char *p = dna_pool_alloc(pool, len + 1);

    memcpy(p, text, len);
    return p;
}

char *dna_pool_strdup(struct dna_pool *pool, const char *text)
{
    return dna_pool_strndup(pool, text, strlen(text));
}

char *dna_pool_vprintf(struct dna_pool *pool, const char *format, va_list args)
{
    va_list again;
    int len;
    char *p;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        len = 0;
    p = dna_pool_alloc(pool, (size_t)len + 1);
    vsnprintf(p, (size_t)len + 1, format, args);
    return p;
}

char *dna_pool_printf(struct dna_pool *pool, const char *format, ...)
{
    va_list args;
    char *p;

    va_start(args, format);
    p = dna_pool_vprintf(pool, format, args);
    va_end(args);
    return p;
}

void dna_buf_add(struct dna_buf *buf, const char *bytes, size_t len)
{
    if (buf->cap - buf->len <= len) {
        buf->cap = (buf->len + len + 64) * 2;
        buf->at = dna_xrealloc(buf->at, buf->cap);
    }
    if (len)
        memcpy(buf->at + buf->len, bytes, len);
    buf->len += len;
    buf->at[buf->len] = '\0';
}

void dna_buf_puts(struct dna_buf *buf, const char *text)
{
    dna_buf_add(buf, text, strlen(text));
}

void dna_buf_printf(struct dna_buf *buf, const char *format, ...)
{
    va_list args, again;
    int len;

    va_start(args, format);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len > 0) {
        char *tmp = dna_xcalloc(1, (size_t)len + 1);

        vsnprintf(tmp, (size_t)len + 1, format, args);
        dna_buf_add(buf, tmp, (size_t)len);
        free(tmp);
    }
    va_end(args);
}

void dna_buf_free(struct dna_buf *buf)
{
    free(buf->at);
    *buf = (struct dna_buf){ 0 };
}

bool dna_glob_match(const char *pattern, const char *text)
{
    while (*pattern) {
        if (*pattern == '*') {
            bool any = pattern[1] == '*';
            const char *rest = pattern + (any ? 2 : 1);

            for (;; text++) {
                if (dna_glob_match(rest, text))
                    return true;
                if (!*text || (!any && *text == '/'))
                    return false;
            }
        }
        if (*pattern != *text)
            return false;
        pattern++;
        text++;
    }
    return !*text;
}
