/* SPDX-License-Identifier: MIT */
/* spec/knobs.h: the parameters that decisions.def turns our choices into. The model's guards read
 * them, a server's configuration and a profile set them. The caller owns a struct dna_knobs; the
 * rest is static. */
#ifndef DNA_SPEC_KNOBS_H
#define DNA_SPEC_KNOBS_H

#include "spec/req.h"

#include <stddef.h>
#include <stdint.h>

struct dna_knobs {
#define KNOB(name, decision, value, max, sentence, values) uint32_t name;
#include "spec/decisions.def"
    uint32_t mutant; /* no knob: which damage the tables have here, for the test builds; 0: none */
};

enum dna_knob_id {
#define KNOB(name, decision, value, max, sentence, values) DNA_KNOB_##name,
#include "spec/decisions.def"
    DNA_NUM_KNOBS
};

enum dna_set_id {
#define SET(name, decision, sentence, outcomes) DNA_SET_##name,
#include "spec/decisions.def"
    DNA_NUM_SETS
};

struct dna_knob {
    const char *name;
    enum dna_req decision;
    uint32_t value, max; /* the default, and the largest value allowed */
    const char *sentence;
    const char *values; /* what each value means */
};

struct dna_set {
    const char *name;
    enum dna_req decision;
    const char *sentence;
    const char *outcomes; /* separated by spaces */
};

/* dna_knobs_default returns the defaults, which are the profile of RFC 7712. */
struct dna_knobs dna_knobs_default(void);

/* dna_knob_set returns 0; -1 when no knob has this name, -2 when the value is above its maximum. */
int dna_knob_set(struct dna_knobs *knobs, const char *name, uint32_t value);

/* dna_knob_get returns 0 and the value; -1 when no knob has this name. */
int dna_knob_get(const struct dna_knobs *knobs, const char *name, uint32_t *out_value);

/* dna_knob and dna_set return the description, NULL when out of range. */
const struct dna_knob *dna_knob(enum dna_knob_id id);
const struct dna_set *dna_set(enum dna_set_id id);

#endif
