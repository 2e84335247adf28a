/* SPDX-License-Identifier: MIT */
/* verify_run.c -- configurations, limits and planted bugs: the tables of what is run, and running
 * it. */
#include "model/verify_run.h"

#include <string.h>

#define CONFIG(name, slots, does, knobs, of_a, of_b, text) \
    { #name, (slots), (does), knobs, text, { of_a, of_b } },
#define LIMIT(config, property, text)
const struct vf_config dna_vf_configs[] = {
#include "model/verify_configs.def"
};
#undef CONFIG
#undef LIMIT
const size_t dna_vf_num_configs = sizeof dna_vf_configs / sizeof dna_vf_configs[0];

#define CONFIG(name, slots, does, knobs, of_a, of_b, text)
#define LIMIT(config, property, text) { #config, #property, text },
const struct vf_limit dna_vf_limits[] = {
#include "model/verify_configs.def"
    { "", "", "" }
};
#undef CONFIG
#undef LIMIT
const size_t dna_vf_num_limits = sizeof dna_vf_limits / sizeof dna_vf_limits[0] - 1;

const struct vf_planted dna_vf_planted[] = {
#define PLANTED(id, config, property, rows, world, seen, text, cases) \
    { #id, #config, #property, rows, (world), seen, text, cases },
#include "model/planted.def"
#undef PLANTED
};
const size_t dna_vf_num_planted = sizeof dna_vf_planted / sizeof dna_vf_planted[0];

int dna_vf_find_config(const char *name)
{
    for (size_t i = 0; i < dna_vf_num_configs; i++) {
        if (strcmp(dna_vf_configs[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int dna_vf_find_property(const char *id)
{
    for (size_t i = 0; i < dna_vf_num_properties; i++) {
        if (strcmp(dna_vf_properties[i].id, id) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int dna_vf_find_planted(const char *id)
{
    for (size_t i = 0; i < dna_vf_num_planted; i++) {
        if (strcmp(dna_vf_planted[i].id, id) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const struct vf_limit *dna_vf_limit_of(const char *config, const char *property)
{
    for (size_t i = 0; i < dna_vf_num_limits; i++) {
        if (strcmp(dna_vf_limits[i].config, config) == 0 &&
            strcmp(dna_vf_limits[i].property, property) == 0) {
            return &dna_vf_limits[i];
        }
    }
    return NULL;
}

int dna_vf_mutate(const char *rows)
{
    char one[128], err[256];
    int used;
    dna_interp_restore();
    while (sscanf(rows, " %127s%n", one, &used) == 1) {
        if (dna_interp_mutate(one, err, sizeof err)) {
            fprintf(stderr, "verify: %s\n", err);
            return -1;
        }
        rows += used;
    }
    return 0;
}

int dna_vf_run_config(const struct vf_config *config, struct vf_search *s)
{
    dna_interp_restore();
    s->config = config;
    return dna_vf_search(s);
}

int dna_vf_run_planted(const struct vf_planted *bug, struct vf_search *s)
{
    int config = dna_vf_find_config(bug->config), property = dna_vf_find_property(bug->property);
    if (config < 0 || property < 0 || dna_vf_mutate(bug->rows)) {
        fprintf(stderr, "verify: the planted bug %s names what is not there\n", bug->id);
        return -1;
    }
    s->config = &dna_vf_configs[config];
    s->bugs = bug->world;
    s->stop_at = dna_vf_bit((size_t)property);
    return dna_vf_search(s);
}
