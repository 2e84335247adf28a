/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The variables of a running case: names bound to text, in the order in which
 * they were bound, so that a match that fails half-way can be undone. A dna_binds borrows names
 * and owns nothing but its array; values live in the pool given at creation.
 */
#ifndef CONFORMANCE_VARS_H
#define CONFORMANCE_VARS_H

#include "conformance/pool.h"

struct dna_var {
    const char *name, *value;
};

struct dna_binds {
    struct dna_pool *pool;
    struct dna_var *all;
    size_t num, cap;
};

void dna_binds_init(struct dna_binds *vars, struct dna_pool *pool);
void dna_binds_cleanup(struct dna_binds *vars);
void dna_binds_set(struct dna_binds *vars, const char *name, const char *value);
const char *dna_binds_get(const struct dna_binds *vars, const char *name);
void dna_binds_undo(struct dna_binds *vars, size_t num); /* forget all but the first num */

/*
 * dna_var_scan finds the next variable in text: *out_start at its '$', *out_len its whole length.
 * Returns its name (pool), NULL when there is none. "$a.b" is the variable "a.b" when "b" is one of
 * the properties that actors and certificates have (bare, sha256, ...), else "a" and the text ".b";
 * "${a}" settles it by hand.
 */
const char *dna_var_scan(struct dna_pool *pool, const char *text, const char **out_start,
                         size_t *out_len);

/* dna_binds_expand replaces each variable; an unbound one stays as written and is named in
 * *out_unbound (may be NULL). */
char *dna_binds_expand(const struct dna_binds *vars, struct dna_pool *pool, const char *text,
                      const char **out_unbound);

#endif
