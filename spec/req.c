/* SPDX-License-Identifier: MIT */
/* spec/req.c: spec/requirements.def and spec/decisions.def as constant tables. */
#include "spec/req.h"

#include <string.h>

static const struct dna_requirement requirements[DNA_NUM_REQUIREMENTS] = {
#define REQ(id, document, section, level, roles, marks, text, ordinals, sha256)                    \
    [id] = {#id,  document, section,  DNA_LEVEL_##level, roles, (unsigned)(marks),                 \
            text, ordinals, sha256, NULL,              NULL},
#define DECISION(code, title, problem, choice)                                                     \
    [code] = {#code, "XDNA", &#code[4], DNA_LEVEL_DECISION, "any", REQ_NONE,                       \
              title, "",     "",        problem,            choice},
#include "spec/requirements.def"
#include "spec/decisions.def"
};

/* Which decision bears on which requirement; few enough to be searched from the start. */
static const struct {
    enum dna_req requirement, decision;
} decided[] = {
#define DECIDED(requirement, decision) {requirement, decision},
#include "spec/requirements.def"
};

const struct dna_requirement *dna_requirement(enum dna_req id)
{
    if ((unsigned)id >= DNA_NUM_REQUIREMENTS)
        return NULL;
    return &requirements[id];
}

int dna_requirement_find(const char *id)
{
    if (!id)
        return -1;
    for (int i = 0; i < DNA_NUM_REQUIREMENTS; i++)
        if (strcmp(requirements[i].id, id) == 0)
            return i;
    return -1;
}

int dna_requirement_decision(enum dna_req id, size_t nth)
{
    for (size_t i = 0; i < sizeof decided / sizeof *decided; i++)
        if (decided[i].requirement == id && nth-- == 0)
            return (int)decided[i].decision;
    return -1;
}

const char *dna_requirement_reason(enum dna_req id)
{
    static const struct {
        enum dna_req requirement;
        const char *why;
    } reasons[] = {
#define REASON(requirement, why) { requirement, why },
#include "spec/dispositions.def"
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].requirement == id)
            return reasons[i].why;
    return NULL;
}

const char *dna_level_name(enum dna_level level)
{
    static const char *const names[] = {
        [DNA_LEVEL_MUST] = "MUST",       [DNA_LEVEL_MUST_NOT] = "MUST NOT",
        [DNA_LEVEL_SHOULD] = "SHOULD",   [DNA_LEVEL_SHOULD_NOT] = "SHOULD NOT",
        [DNA_LEVEL_MAY] = "MAY",         [DNA_LEVEL_FLOW] = "FLOW",
        [DNA_LEVEL_DECISION] = "DECISION",
    };
    if ((unsigned)level >= sizeof names / sizeof *names)
        return "?";
    return names[level];
}
