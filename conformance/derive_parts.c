/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Which parts of a role's alphabet can be played against a server: the knobs of
 * each scope pick the variant of its profile, and symbols that no peer brings about go.
 */
#include "conformance/derive_internal.h"

#include "conformance/lab/profile.h"

#include <stdlib.h>
#include <string.h>

void dna_derive_knobs(const struct dna_variant *v, struct dna_knobs *knobs)
{
    for (size_t i = 0; i < v->knobs.num; i++)
        (void)dna_knob_set(knobs, v->knobs.at[i].key, (uint32_t)atoi(v->knobs.at[i].value));
}

static void add_knobs(const char *list, struct dna_knobs *knobs)
{
    char name[64];
    unsigned value;
    int used;

    while (list && sscanf(list, " %63[a-z_]=%u%n", name, &value, &used) == 2) {
        (void)dna_knob_set(knobs, name, value);
        list += used;
        list += strspn(list, ", ");
    }
}

/* its_variants are those that play a scope: without documents, and where they count. */
struct its_variants {
    const char *plain, *documented;
};

/* The variant whose knobs are the default variant's but for the scope's, and that has the feature
 * which the scope needs; NULL if there is none.  What prooftypes look at, the composition does not:
 * with_documents, POSH is sought both ways. */
static const char *variant_for(const struct dna_profile *server, const struct dna_habits *habits,
                               const struct dna_scope *scope, bool with_documents, bool own_clock)
{
    struct dna_knobs wanted = habits->knobs;

    add_knobs(scope->knobs, &wanted);
    if (with_documents)
        add_knobs("posh=1, posh_inbound=1", &wanted);
    for (size_t i = 0; i < server->num_variants; i++) {
        const struct dna_variant *v = &server->variants[i];
        struct dna_knobs has = habits->knobs;

        dna_derive_knobs(v, &has);
        if (v->own_clock == own_clock && !v->cannot && memcmp(&has, &wanted, sizeof(has)) == 0 &&
            (!scope->needs || dna_variant_has(v, scope->needs)))
            return v->name;
    }
    return NULL;
}

static bool listed(const char *list, const char *name, size_t name_len)
{
    for (size_t len; list && (len = strcspn(list, ",")) > 0; list += strspn(list, ", ")) {
        if (len == name_len && memcmp(list, name, len) == 0)
            return true;
        list += len;
    }
    return false;
}

bool dna_derive_without(const struct dna_derive_parts *parts, const char *symbol)
{
    return listed(parts->without, symbol, strlen(symbol));
}

/* The names of the list that can be brought about over sockets, of waits but this one; *out_left
 * counts the others. */
static char *playable(struct dna_derive_parts *parts, struct dna_pool *pool, const char *list,
                      const struct dna_deadline *wait, bool documents, size_t *out_left)
{
    struct dna_buf kept = { 0 };
    char *result;

    for (size_t len; (len = strcspn(list, ",")) > 0; list += len, list += strspn(list, ", ")) {
        const struct dna_symbol *s = dna_symbol_find(&parts->role, list, len);

        const struct dna_deadline *its = s ? dna_deadline_of(s->name) : NULL;

        if (s && (its ? dna_deadline_has(wait, s->name) : dna_derive_playable(s)) &&
            !listed(parts->without, list, len) &&
            (documents || strcmp(s->name, DNA_DERIVE_DISOWNED) != 0))
            dna_buf_printf(&kept, "%s%.*s", kept.len ? ", " : "", (int)len, list);
        else
            ++*out_left;
    }
    result = dna_pool_strdup(pool, kept.at ? kept.at : "");
    dna_buf_free(&kept);
    return result;
}

static const char *left_out(const struct dna_scope *scope, size_t left_of_prefix,
                            const char *variant, const char *documented)
{
    const char *any = scope->slow ? documented : variant;

    return scope->mark && !dna_derive_has_begin(scope) ? "not played"
           : !any                                      ? "no variant has these knobs and features"
           : left_of_prefix                            ? "its beginning cannot be played"
                                                       : NULL;
}

static const char *part_name(const struct dna_scope *scope, const struct dna_deadline *wait,
                             struct dna_pool *pool)
{
    return !scope->timers ? scope->name
                          : dna_pool_printf(pool, "%s %s%s", scope->name,
                                            wait ? wait->timer : "shutdown",
                                            wait && wait->and_close ? " and close" : "");
}

/* Adds a part of the alphabet, with the symbols of one wait or of none. */
static void add_part(struct dna_derive_parts *parts, const struct dna_scope *scope,
                     const struct dna_deadline *wait, const struct its_variants *its,
                     struct dna_pool *pool, FILE *say)
{
    struct dna_scope *to = &parts->scopes[parts->role.num_scopes];
    size_t left = 0, left_of_prefix = 0;
    const char *why;

    *to = *scope;
    to->name = part_name(scope, wait, pool);
    if (parts->only && strcmp(parts->only, scope->name) != 0 &&
        strcmp(parts->only, to->name) != 0)
        return;
    (void)playable(parts, pool, to->prefix, NULL, its->documented != NULL, &left_of_prefix);
    to->alphabet = playable(parts, pool, to->alphabet, wait, its->documented != NULL, &left);
    why = left_out(to, left_of_prefix, its->plain, its->documented);
    if (why) {
        if (say)
            fprintf(say, "%s: %s\n", to->name, why);
        return;
    }
    if (left && say)
        fprintf(say, "%s: %zu symbols cannot be played\n", to->name, left);
    parts->waits[parts->role.num_scopes] = wait;
    parts->documented[parts->role.num_scopes] = its->documented;
    parts->variants[parts->role.num_scopes++] = scope->slow ? its->documented : its->plain;
}

/* One timer can be near while all others are far away: a scope of timers is a part for each. */
static void add_waits(struct dna_derive_parts *parts, const struct dna_scope *scope,
                      const struct its_variants *its, struct dna_pool *pool, FILE *say)
{
    for (const struct dna_deadline *w = dna_deadlines; w->symbol; w++)
        if (listed(scope->alphabet, w->symbol, strlen(w->symbol)) &&
            (!w->and_close || listed(scope->alphabet, "wait close", strlen("wait close"))) &&
            parts->role.num_scopes < DNA_DERIVE_SCOPES)
            add_part(parts, scope, w, its, pool, say);
}

void dna_derive_choose(struct dna_derive_parts *parts, const struct dna_role *role,
                       const struct dna_profile *server, const struct dna_habits *habits,
                       const char *only, struct dna_pool *pool, FILE *say)
{
    parts->role = *role;
    parts->role.scopes = parts->scopes;
    parts->role.num_scopes = 0;
    parts->only = only;
    for (size_t i = 0; i < role->num_scopes && parts->role.num_scopes < DNA_DERIVE_SCOPES; i++) {
        const struct dna_scope *scope = &role->scopes[i];
        const bool clock = scope->lapses && !dna_derive_waits_out(role, scope, parts->wait);
        const struct its_variants its = { variant_for(server, habits, scope, false, false),
                                          variant_for(server, habits, scope, true, clock) };

        /* the server's end is nothing that is waited for, but outside the claim as waits are */
        if (!scope->timers || (parts->wait && listed(scope->alphabet, "shutdown", 8)))
            add_part(parts, scope, NULL, &its, pool, say);
        if (!scope->timers)
            continue;
        if (parts->wait)
            add_waits(parts, scope, &its, pool, say);
        else if (say && !only)
            fprintf(say, "%s: waits, not played\n", scope->name);
    }
}
