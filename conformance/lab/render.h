/* SPDX-License-Identifier: MIT */
/*
 * Templates: text with @name@ in it, and lines between `@each domain@`, `@each account@` or
 * `@each knob@` and `@end@` that are written once for each. The caller owns what is rendered.
 */
#ifndef DNA_LAB_RENDER_H
#define DNA_LAB_RENDER_H

#include "conformance/lab/profile.h"
#include "conformance/pool.h"

/* dna_scope gives names their values; what the inner one lacks is looked up in the outer one. */
struct dna_scope {
    const struct dna_scope *outer;
    const struct dna_pairs *pairs;
};

/* dna_each_fn calls body with a scope for each thing of that kind; -1 if there is no such kind. */
typedef int (*dna_each_body_fn)(const struct dna_scope *scope, void *body_arg);
typedef int (*dna_each_fn)(const char *kind, const struct dna_scope *scope, dna_each_body_fn body,
                           void *body_arg, void *arg);

struct dna_render {
    const char *source; /* for messages: the template's path */
    dna_each_fn each;   /* NULL: no repetition */
    void *each_arg;
};

const char *dna_scope_get(const struct dna_scope *scope, const char *name);

/*
 * dna_render appends the rendered text to out. A placeholder that has no value, and an @each
 * without @end, are errors of class USAGE with file and line. @@ is an @, and so is an @ that
 * begins no placeholder.
 */
int dna_render(const struct dna_render *render, const char *text, const struct dna_scope *scope,
               struct dna_buf *out, struct dna_diag *diag) DNA_CHECKED;

/* dna_read_file reads a whole file into out. */
int dna_read_file(const char *path, struct dna_buf *out, struct dna_diag *diag) DNA_CHECKED;

#endif
