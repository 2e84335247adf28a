/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Scenario text to lines and words, and the procedures of a prelude put in the
 * place of their calls. Everything lands in the parse's pool.
 */
#include "conformance/scn_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CALL_DEPTH 16
#define MAX_LINES 4000

void scn_error(struct dna_scn_diags *diags, const char *file, int line, const char *format, ...)
{
    va_list args;
    char text[1024];

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    dna_buf_printf(&diags->text, "%s:%d: %s\n", file, line, text);
    diags->num++;
}

const char *scn_skip_space(const char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

void scn_lines_add(struct scn_lines *lines, struct scn_line line)
{
    if (lines->num == lines->cap) {
        lines->cap = lines->cap ? lines->cap * 2 : 64;
        lines->at = dna_xrealloc(lines->at, lines->cap * sizeof(*lines->at));
    }
    lines->at[lines->num++] = line;
}

void scn_lines_read(struct scn_lines *lines, struct dna_pool *pool, const char *file,
                    const char *text)
{
    struct dna_buf whole = { 0 };
    int line = 0, start = 0;

    while (*text) {
        const char *end = strchrnul(text, '\n');
        size_t len = (size_t)(end - text);
        const char *at = text;

        line++;
        while (len && isspace((unsigned char)at[len - 1]))
            len--;
        while (len && isspace((unsigned char)*at))
            at++, len--;
        text = *end ? end + 1 : end;
        if (!whole.len)
            start = line;
        if (len && at[len - 1] == '\\' && at[0] != '#') {
            dna_buf_add(&whole, at, len - 1);
            continue;
        }
        dna_buf_add(&whole, at, len);
        if (whole.len && whole.at[0] != '#')
            scn_lines_add(lines, (struct scn_line){
                file, start, start, dna_pool_strndup(pool, whole.at, whole.len) });
        whole.len = 0;
    }
    if (whole.len)
        scn_lines_add(lines, (struct scn_line){
            file, start, start, dna_pool_strndup(pool, whole.at, whole.len) });
    dna_buf_free(&whole);
}

static void escape(const char **at, struct dna_buf *out)
{
    const char *p = *at + 1;
    char c = *p;

    switch (*p) {
    case 'n': c = '\n'; break;
    case 'r': c = '\r'; break;
    case 't': c = '\t'; break;
    case '0': c = '\0'; break;
    case 'x':
        if (isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2])) {
            char two[3] = { p[1], p[2], 0 };

            c = (char)strtol(two, NULL, 16);
            p += 2;
        }
        break;
    case '\0': p--; c = '\\'; break;
    default: break;
    }
    dna_buf_add(out, &c, 1);
    *at = p + 1;
}

const char *scn_word(struct dna_pool *pool, const char **at, size_t *out_len)
{
    struct dna_buf out = { 0 };
    const char *p = scn_skip_space(*at), *done;
    char quote = 0;

    if (!*p || *p == '#') {
        *at = p + strlen(p);
        return NULL;
    }
    for (; *p && (quote || !isspace((unsigned char)*p));) {
        if (quote == '"' && *p == '\\')
            escape(&p, &out);
        else if (!quote && (*p == '"' || *p == '\''))
            quote = *p++;
        else if (quote && *p == quote)
            quote = 0, p++;
        else
            dna_buf_add(&out, p++, 1);
    }
    *at = p;
    done = dna_pool_strndup(pool, out.at ? out.at : "", out.len);
    if (out_len)
        *out_len = out.len;
    dna_buf_free(&out);
    return done;
}

size_t scn_words(struct dna_pool *pool, const char *at, const char ***out_words)
{
    const char **words = dna_pool_alloc(pool, (strlen(at) / 2 + 2) * sizeof(*words));
    size_t num = 0;

    while ((words[num] = scn_word(pool, &at, NULL)))
        num++;
    *out_words = words;
    return num;
}

const char *scn_option(const char *const *words, size_t num, const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < num; i++)
        if (strncmp(words[i], key, len) == 0 && words[i][len] == '=')
            return words[i] + len + 1;
    return NULL;
}

size_t scn_repeats(const char *times, const char *text)
{
    size_t len = strlen(text);
    char *end;
    unsigned long n = strtoul(times, &end, 10);

    if (!isdigit((unsigned char)*times) || *end || !len || n > SCN_REPEAT_MAX / len)
        return 0;
    return n;
}

static bool starts_with_word(const char *text, const char *word, const char **out_rest)
{
    size_t len = strlen(word);

    if (strncmp(text, word, len) != 0 || (text[len] && !isspace((unsigned char)text[len])))
        return false;
    if (out_rest)
        *out_rest = scn_skip_space(text + len);
    return true;
}

/* moves 'define ... end' blocks out of the lines */
bool scn_read_defines(struct scn_lines *source, struct dna_pool *pool, struct scn_define **out,
                      struct dna_scn_diags *diags)
{
    size_t kept = 0;
    const char *rest;
    unsigned before = diags->num;

    for (size_t i = 0; i < source->num; i++) {
        struct scn_line *head = &source->at[i];
        struct scn_define *def;
        int depth = 1;

        if (!starts_with_word(head->text, "define", &rest)) {
            source->at[kept++] = *head;
            continue;
        }
        def = dna_pool_alloc(pool, sizeof(*def));
        def->file = head->file;
        def->line = head->line;
        def->name = scn_word(pool, &rest, NULL);
        def->num_params = scn_words(pool, rest, &def->params);
        if (!def->name)
            scn_error(diags, head->file, head->line, "'define' needs a name");
        for (const struct scn_define *d = *out; d && def->name; d = d->next)
            if (strcmp(d->name, def->name) == 0)
                scn_error(diags, head->file, head->line, "procedure '%s' is already defined at "
                          "%s:%d", def->name, d->file, d->line);
        while (++i < source->num) {
            if (starts_with_word(source->at[i].text, "either", NULL) ||
                starts_with_word(source->at[i].text, "if", NULL))
                depth++;
            if (starts_with_word(source->at[i].text, "end", NULL) && --depth == 0)
                break;
            scn_lines_add(&def->body, source->at[i]);
        }
        if (depth)
            scn_error(diags, def->file, def->line, "'define %s' has no 'end'", def->name);
        if (def->name) {
            def->next = *out;
            *out = def;
        }
    }
    source->num = kept;
    return diags->num == before;
}

static const char *substitute(struct dna_pool *pool, const char *text, const struct scn_define *def,
                              const char *const *values)
{
    bool call = starts_with_word(text, "do", NULL);
    struct dna_buf out = { 0 };
    const char *done;

    while (*text) {
        bool hit = false;

        for (size_t i = 0; *text == '{' && i < def->num_params && !hit; i++) {
            size_t len = strcspn(def->params[i], "=");

            if (strncmp(text + 1, def->params[i], len) == 0 && text[len + 1] == '}') {
                /* an empty argument handed on to another procedure stays an argument */
                dna_buf_puts(&out, call && !*values[i] ? "''" : values[i]);
                text += len + 2;
                hit = true;
            }
        }
        if (!hit)
            dna_buf_add(&out, text++, 1);
    }
    done = dna_pool_strndup(pool, out.at ? out.at : "", out.len);
    dna_buf_free(&out);
    /* "{A}.{conn}" without a connection's name reads "A." : write it as a person would */
    text = strchr(done, ' ');
    if (text && text > done && text[-1] == '.')
        done = dna_pool_printf(pool, "%.*s%s", (int)(text - done - 1), done, text);
    return done;
}

/* fills values from the arguments: by position, by key=value, by default */
static bool bind_params(struct scn_parse *p, const struct scn_line *call,
                        const struct scn_define *def, const char **args, size_t num_args,
                        const char **values)
{
    size_t next = 0;

    for (size_t a = 0; a < num_args; a++) {
        size_t i, len = strcspn(args[a], "=");

        for (i = 0; i < def->num_params; i++)
            if (args[a][len] == '=' && strcspn(def->params[i], "=") == len &&
                strncmp(args[a], def->params[i], len) == 0)
                break;
        if (i < def->num_params) {
            values[i] = args[a] + len + 1;
            continue;
        }
        if (next == def->num_params) {
            scn_error(p->diags, call->file, call->line, "too many arguments for procedure '%s' "
                      "(%s:%d)", def->name, def->file, def->line);
            return false;
        }
        values[next++] = args[a];
    }
    for (size_t i = 0; i < def->num_params; i++) {
        const char *eq = strchr(def->params[i], '=');

        if (!values[i] && eq)
            values[i] = eq + 1;
        if (!values[i]) {
            scn_error(p->diags, call->file, call->line, "procedure '%s' needs an argument for '%s'"
                      " (%s:%d)", def->name, def->params[i], def->file, def->line);
            return false;
        }
    }
    return true;
}

static const struct scn_define *find_define(const struct scn_parse *p, const char *name)
{
    for (const struct scn_define *d = p->defines; d; d = d->next)
        if (strcmp(d->name, name) == 0)
            return d;
    for (const struct scn_define *d = p->prelude ? p->prelude->defines : NULL; d; d = d->next)
        if (strcmp(d->name, name) == 0)
            return d;
    return NULL;
}

static void expand_line(struct scn_parse *p, const struct scn_line *line, int depth)
{
    const struct scn_define *def;
    const char *rest, *name, **args, **values;
    size_t num_args;

    if (!starts_with_word(line->text, "do", &rest)) {
        scn_lines_add(&p->lines, *line);
        return;
    }
    name = scn_word(p->pool, &rest, NULL);
    if (!name || !(def = find_define(p, name))) {
        scn_error(p->diags, line->file, line->line, "unknown procedure '%s'", name ? name : "");
        return;
    }
    if (depth == MAX_CALL_DEPTH || p->lines.num > MAX_LINES) {
        scn_error(p->diags, line->file, line->line, "procedure '%s' calls itself without end",
                  name);
        return;
    }
    num_args = scn_words(p->pool, rest, &args);
    values = dna_pool_alloc(p->pool, (def->num_params + 1) * sizeof(*values));
    if (!bind_params(p, line, def, args, num_args, values))
        return;
    for (size_t i = 0; i < def->body.num; i++) {
        struct scn_line copy = def->body.at[i];

        copy.call_line = line->call_line;
        copy.text = substitute(p->pool, copy.text, def, values);
        expand_line(p, &copy, depth + 1);
    }
}

void scn_expand(struct scn_parse *p, const struct scn_lines *source)
{
    for (size_t i = 0; i < source->num; i++)
        expand_line(p, &source->at[i], 0);
}

char *scn_read_file(const char *file)
{
    struct dna_buf text = { 0 };
    FILE *f = fopen(file, "re");
    char part[4096];
    size_t n;

    if (!f)
        return NULL;
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        dna_buf_add(&text, part, n);
    if (ferror(f)) {
        dna_buf_free(&text);
        fclose(f);
        return NULL;
    }
    fclose(f);
    dna_buf_add(&text, "", 0);
    return text.at;
}

struct dna_prelude *dna_prelude_load(const char *file, struct dna_scn_diags *diags)
{
    struct dna_prelude *prelude;
    struct scn_lines lines = { 0 };
    char *text = scn_read_file(file);

    if (!text) {
        scn_error(diags, file, 0, "cannot be read");
        return NULL;
    }
    prelude = dna_xcalloc(1, sizeof(*prelude));
    prelude->pool = dna_pool_new();
    scn_lines_read(&lines, prelude->pool, dna_pool_strdup(prelude->pool, file), text);
    scn_read_defines(&lines, prelude->pool, &prelude->defines, diags);
    if (lines.num)
        scn_error(diags, file, lines.at[0].line,
                  "a prelude holds procedures only (define ... end)");
    free(lines.at);
    free(text);
    return prelude;
}

void dna_prelude_free(struct dna_prelude *prelude)
{
    if (!prelude)
        return;
    for (struct scn_define *d = prelude->defines; d; d = d->next)
        free(d->body.at);
    dna_pool_free(prelude->pool);
    free(prelude);
}
