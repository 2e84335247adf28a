/* SPDX-License-Identifier: MIT */
/* Templates: placeholders and repetition. Nothing is kept between calls. */
#include "conformance/lab/render.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* rendering is one walk over a template, or over the lines of an @each block in it. */
struct rendering {
    const struct dna_render *render;
    const char *text;
    size_t len;
    unsigned line; /* of the first character of text */
    struct dna_buf *out;
    struct dna_diag *diag;
};

const char *dna_scope_get(const struct dna_scope *scope, const char *name)
{
    for (; scope; scope = scope->outer) {
        const char *value = scope->pairs ? dna_pairs_get(scope->pairs, name) : NULL;

        if (value)
            return value;
    }
    return NULL;
}

static int walk(const struct rendering *r, const struct dna_scope *scope);

static int walk_body(const struct dna_scope *scope, void *arg)
{
    return walk(arg, scope);
}

/* name_len is how long the name of a placeholder is that begins behind an @; 0 if none does. */
static size_t name_len(const char *at, size_t left)
{
    size_t len = 0;

    while (len < left && (islower((unsigned char)at[len]) || isdigit((unsigned char)at[len]) ||
                          at[len] == '_'))
        len++;
    return len > 0 && len < left && at[len] == '@' ? len : 0;
}

static int render_line(const struct rendering *r, const char *line, size_t len, unsigned number,
                       const struct dna_scope *scope)
{
    size_t at = 0;

    while (at < len) {
        const char *sign = memchr(line + at, '@', len - at);
        size_t plain = sign ? (size_t)(sign - line) - at : len - at, num;
        const char *value;
        char name[64];

        dna_buf_add(r->out, line + at, plain);
        at += plain;
        if (!sign)
            break;
        if (at + 1 < len && line[at + 1] == '@') {
            dna_buf_add(r->out, "@", 1);
            at += 2;
            continue;
        }
        num = name_len(line + at + 1, len - at - 1);
        if (num == 0 || num >= sizeof name) {
            dna_buf_add(r->out, "@", 1);
            at++;
            continue;
        }
        memcpy(name, line + at + 1, num);
        name[num] = '\0';
        value = dna_scope_get(scope, name);
        if (!value)
            return dna_diag_set(r->diag, DNA_CLASS_USAGE, "%s:%u: nothing is known as @%s@",
                                r->render->source, number, name);
        dna_buf_puts(r->out, value);
        at += num + 2;
    }
    return 0;
}

static bool is_each(const char *line, size_t len, char *kind, size_t kind_len)
{
    while (len > 0 && isspace((unsigned char)line[len - 1]))
        len--;
    while (len > 0 && isspace((unsigned char)*line)) {
        line++;
        len--;
    }
    if (len < 8 || strncmp(line, "@each ", 6) != 0 || line[len - 1] != '@')
        return false;
    snprintf(kind, kind_len, "%.*s", (int)(len - 7), line + 6);
    return true;
}

static bool is_end(const char *line, size_t len)
{
    while (len > 0 && isspace((unsigned char)line[len - 1]))
        len--;
    while (len > 0 && isspace((unsigned char)*line)) {
        line++;
        len--;
    }
    return len == 5 && strncmp(line, "@end@", 5) == 0;
}

static size_t line_len(const char *text, size_t left)
{
    const char *newline = memchr(text, '\n', left);

    return newline ? (size_t)(newline - text) + 1 : left;
}

/* block_len is the length of the lines up to the @end@ that closes the block they are in. */
static int block_len(const struct rendering *r, size_t start, unsigned number, size_t *out,
                     unsigned *lines)
{
    size_t at = start;
    unsigned depth = 1;
    char kind[32];

    *lines = 0;
    while (at < r->len) {
        size_t len = line_len(r->text + at, r->len - at);

        if (is_each(r->text + at, len, kind, sizeof kind))
            depth++;
        else if (is_end(r->text + at, len) && --depth == 0) {
            *out = at - start;
            return 0;
        }
        at += len;
        ++*lines;
    }
    return dna_diag_set(r->diag, DNA_CLASS_USAGE, "%s:%u: @each without @end@", r->render->source,
                        number);
}

static int walk_each(const struct rendering *r, const char *kind, unsigned number,
                     struct rendering *inner, const struct dna_scope *scope)
{
    int result;

    r->diag->text[0] = '\0';
    result = r->render->each ? r->render->each(kind, scope, walk_body, inner,
                                               r->render->each_arg)
                             : -1;
    if (result && r->diag->text[0] == '\0')
        return dna_diag_set(r->diag, DNA_CLASS_USAGE, "%s:%u: unknown: @each %s@",
                            r->render->source, number, kind);
    return result;
}

static int walk(const struct rendering *r, const struct dna_scope *scope)
{
    unsigned number = r->line;
    size_t at = 0;

    while (at < r->len) {
        const char *line = r->text + at;
        size_t len = line_len(line, r->len - at);
        char kind[32];

        at += len;
        if (is_end(line, len))
            return dna_diag_set(r->diag, DNA_CLASS_USAGE, "%s:%u: @end@ without @each",
                                r->render->source, number);
        if (is_each(line, len, kind, sizeof kind)) {
            struct rendering inner = *r;
            unsigned lines;

            inner.text = r->text + at;
            inner.line = number + 1;
            if (block_len(r, at, number, &inner.len, &lines) ||
                walk_each(r, kind, number, &inner, scope))
                return -1;
            at += inner.len;
            at += line_len(r->text + at, r->len - at);
            number += lines + 1;
        } else if (render_line(r, line, len, number, scope)) {
            return -1;
        }
        number++;
    }
    return 0;
}

int dna_render(const struct dna_render *render, const char *text, const struct dna_scope *scope,
               struct dna_buf *out, struct dna_diag *diag)
{
    struct dna_diag unused;
    struct rendering r = { .render = render, .text = text, .len = strlen(text), .line = 1,
                           .out = out, .diag = diag ? diag : &unused };

    dna_buf_add(out, "", 0);
    return walk(&r, scope);
}

int dna_read_file(const char *path, struct dna_buf *out, struct dna_diag *diag)
{
    FILE *file = fopen(path, "re");
    char bytes[8192];
    size_t num;
    int error;

    if (!file)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "%s: %s", path, strerror(errno));
    while ((num = fread(bytes, 1, sizeof bytes, file)) > 0)
        dna_buf_add(out, bytes, num);
    dna_buf_add(out, "", 0);
    error = ferror(file);
    fclose(file);
    return error ? dna_diag_set(diag, DNA_CLASS_USAGE, "%s: cannot be read", path) : 0;
}
