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

/* The variant whose knobs are the default variant's but for the scope's, and that has the feature
 * which the scope needs; NULL if there is none. */
static const char *variant_for(const struct dna_profile *server, const struct dna_habits *habits,
                               const struct dna_scope *scope)
{
    struct dna_knobs wanted = habits->knobs;

    add_knobs(scope->knobs, &wanted);
    for (size_t i = 0; i < server->num_variants; i++) {
        const struct dna_variant *v = &server->variants[i];
        struct dna_knobs has = habits->knobs;

        dna_derive_knobs(v, &has);
        if (!v->own_clock && !v->cannot && memcmp(&has, &wanted, sizeof(has)) == 0 &&
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

/* The names of the list that can be brought about over sockets; *out_left counts the others. */
static char *playable(struct dna_derive_parts *parts, struct dna_pool *pool, const char *list,
                      size_t *out_left)
{
    struct dna_buf kept = { 0 };
    char *result;

    for (size_t len; (len = strcspn(list, ",")) > 0; list += len, list += strspn(list, ", ")) {
        const struct dna_symbol *s = dna_symbol_find(&parts->role, list, len);

        if (s && dna_derive_playable(s) && !listed(parts->without, list, len))
            dna_buf_printf(&kept, "%s%.*s", kept.len ? ", " : "", (int)len, list);
        else
            ++*out_left;
    }
    result = dna_pool_strdup(pool, kept.at ? kept.at : "");
    dna_buf_free(&kept);
    return result;
}

static const char *left_out(const struct dna_scope *scope, bool prefix, const char *variant)
{
    return scope->timers            ? "waits, not played"
           : scope->slow || !prefix ? "fetched proofs, not played"
           : variant                ? NULL
                                    : "no variant has these knobs and features";
}

void dna_derive_choose(struct dna_derive_parts *parts, const struct dna_role *role,
                       const struct dna_profile *server, const struct dna_habits *habits,
                       const char *only, struct dna_pool *pool, FILE *say)
{
    parts->role = *role;
    parts->role.scopes = parts->scopes;
    parts->role.num_scopes = 0;
    for (size_t i = 0; i < role->num_scopes && parts->role.num_scopes < DNA_DERIVE_SCOPES; i++) {
        struct dna_scope *to = &parts->scopes[parts->role.num_scopes];
        const char *variant = variant_for(server, habits, &role->scopes[i]), *why;
        size_t left = 0, left_of_prefix = 0;

        if (only && strcmp(only, role->scopes[i].name) != 0)
            continue;
        *to = role->scopes[i];
        (void)playable(parts, pool, to->prefix, &left_of_prefix);
        to->alphabet = playable(parts, pool, to->alphabet, &left);
        why = to->mark && !dna_derive_has_begin(to) ? "not played"
                                                    : left_out(to, left_of_prefix == 0, variant);
        if (why) {
            if (say)
                fprintf(say, "%s: %s\n", to->name, why);
            continue;
        }
        if (left && say)
            fprintf(say, "%s: %zu symbols cannot be played\n", to->name, left);
        parts->variants[parts->role.num_scopes++] = variant;
    }
}
