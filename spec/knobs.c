/* SPDX-License-Identifier: MIT */
/* spec/knobs.c: reading and setting the knobs of decisions.def by name. */
#include "spec/knobs.h"

#include <string.h>

static const struct dna_knob knob_table[DNA_NUM_KNOBS] = {
#define KNOB(name, decision, value, max, sentence, values)                                         \
    [DNA_KNOB_##name] = {#name, decision, value, max, sentence, values},
#include "spec/decisions.def"
};

static const struct dna_set set_table[DNA_NUM_SETS] = {
#define SET(name, decision, sentence, outcomes)                                                    \
    [DNA_SET_##name] = {#name, decision, sentence, outcomes},
#include "spec/decisions.def"
};

static const size_t knob_offset[DNA_NUM_KNOBS] = {
#define KNOB(name, decision, value, max, sentence, values)                                         \
    [DNA_KNOB_##name] = offsetof(struct dna_knobs, name),
#include "spec/decisions.def"
};

static int find(const char *name)
{
    for (int i = 0; name && i < DNA_NUM_KNOBS; i++)
        if (strcmp(knob_table[i].name, name) == 0)
            return i;
    return -1;
}

struct dna_knobs dna_knobs_default(void)
{
    return (struct dna_knobs){
#define KNOB(name, decision, value, max, sentence, values) .name = (value),
#include "spec/decisions.def"
    };
}

int dna_knob_set(struct dna_knobs *knobs, const char *name, uint32_t value)
{
    int i = find(name);

    if (i < 0)
        return -1;
    if (value > knob_table[i].max)
        return -2;
    memcpy((char *)knobs + knob_offset[i], &value, sizeof value);
    return 0;
}

int dna_knob_get(const struct dna_knobs *knobs, const char *name, uint32_t *out_value)
{
    int i = find(name);

    if (i < 0)
        return -1;
    memcpy(out_value, (const char *)knobs + knob_offset[i], sizeof *out_value);
    return 0;
}

const struct dna_knob *dna_knob(enum dna_knob_id id)
{
    return (unsigned)id < DNA_NUM_KNOBS ? &knob_table[id] : NULL;
}

const struct dna_set *dna_set(enum dna_set_id id)
{
    return (unsigned)id < DNA_NUM_SETS ? &set_table[id] : NULL;
}
