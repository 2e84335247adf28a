/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Variables of a case and their place in text; see vars.h for who owns what.
 */
#include "conformance/vars.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void dna_binds_init(struct dna_binds *vars, struct dna_pool *pool)
{
    *vars = (struct dna_binds){ .pool = pool };
}

void dna_binds_cleanup(struct dna_binds *vars)
{
    free(vars->all);
    *vars = (struct dna_binds){ 0 };
}

static struct dna_var *find(const struct dna_binds *vars, const char *name)
{
    for (size_t i = vars->num; i-- > 0;)
        if (strcmp(vars->all[i].name, name) == 0)
            return &vars->all[i];
    return NULL;
}

void dna_binds_set(struct dna_binds *vars, const char *name, const char *value)
{
    if (vars->num == vars->cap) {
        vars->cap = vars->cap ? vars->cap * 2 : 16;
        vars->all = dna_xrealloc(vars->all, vars->cap * sizeof(*vars->all));
    }
    /* appended, never overwritten: dna_binds_undo must find the older value again */
    vars->all[vars->num++] = (struct dna_var){ dna_pool_strdup(vars->pool, name),
                                               dna_pool_strdup(vars->pool, value) };
}

const char *dna_binds_get(const struct dna_binds *vars, const char *name)
{
    const struct dna_var *v = find(vars, name);

    return v ? v->value : NULL;
}

void dna_binds_undo(struct dna_binds *vars, size_t num)
{
    if (num < vars->num)
        vars->num = num;
}

static bool is_property(const char *at, size_t len)
{
    static const char *const names[] = { "bare", "resource", "password", "addr", "host", "port",
                                         "sha256", "b64", "b64_512", "b64_md5", "b64_key",
                                         "b64_wrapped", "b64_bits", "b64_512_url" };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strlen(names[i]) == len && memcmp(names[i], at, len) == 0)
            return true;
    return false;
}

static size_t word_len(const char *at)
{
    size_t n = 0;

    while (isalnum((unsigned char)at[n]) || at[n] == '_')
        n++;
    return n;
}

const char *dna_var_scan(struct dna_pool *pool, const char *text, const char **out_start,
                         size_t *out_len)
{
    const char *at;

    for (at = strchr(text, '$'); at; at = strchr(at + 1, '$')) {
        size_t n, more;

        *out_start = at;
        if (at[1] == '{') {
            const char *end = strchr(at, '}');

            if (!end)
                continue;
            *out_len = (size_t)(end - at) + 1;
            return dna_pool_strndup(pool, at + 2, (size_t)(end - at) - 2);
        }
        n = word_len(at + 1);
        if (!n)
            continue;
        if (at[1 + n] == '.') {
            more = word_len(at + 2 + n);
            if (is_property(at + 2 + n, more))
                n += 1 + more;
        }
        *out_len = n + 1;
        return dna_pool_strndup(pool, at + 1, n);
    }
    return NULL;
}

char *dna_binds_expand(const struct dna_binds *vars, struct dna_pool *pool, const char *text,
                      const char **out_unbound)
{
    struct dna_buf out = { 0 };
    const char *name, *start;
    size_t len;
    char *done;

    while ((name = dna_var_scan(pool, text, &start, &len))) {
        const char *value = dna_binds_get(vars, name);

        dna_buf_add(&out, text, (size_t)(start - text));
        if (value)
            dna_buf_puts(&out, value);
        else
            dna_buf_add(&out, start, len);
        if (!value && out_unbound)
            *out_unbound = name;
        text = start + len;
    }
    dna_buf_puts(&out, text);
    done = dna_pool_strndup(pool, out.at, out.len);
    dna_buf_free(&out);
    return done;
}
