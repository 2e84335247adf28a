/* SPDX-License-Identifier: MIT */
/* walk_internal.h -- what the files of the walker share; nobody else includes it. */
#ifndef DNA_MODEL_WALK_INTERNAL_H
#define DNA_MODEL_WALK_INTERNAL_H

#include "model/cell.h"
#include "model/walk.h"

enum {
    WALK_MAX_CONFIGS = 8192,
    WALK_MAX_INPUTS = 64,
    WALK_MAX_CREDITS = 8,
    WALK_MANY = 3, /* a credit that is not counted down */
    WALK_MAX_DOS = 256,
};

/* What the other side has been sent and may not have read yet. */
struct walk_input {
    enum { INPUT_EVENT, INPUT_STREAM, INPUT_RESTART, INPUT_STARTTLS } kind;
    uint32_t event;
    uint32_t facts[DNA_MAX_FIELDS];
    uint64_t known;
    struct dna_place place; /* INPUT_STREAM */
    uint32_t value;
};

/* One explanation.  Everything up to `row` is its identity; unknown values are kept 0. */
struct walk_config {
    uint32_t v[DNA_MAX_FIELDS];
    struct dna_stream_vars s;
    struct dna_knobs k;
    uint64_t k_known;
    uint32_t s_known;
    uint8_t next; /* inputs read */
    uint8_t num_due;
    uint8_t due[DNA_MAX_OUTS];
    uint8_t credit[WALK_MAX_CREDITS];
    uint16_t row;     /* the last row that an input fired */
    uint16_t due_row; /* the row whose outputs are due */
};

struct dna_walk {
    const struct dna_machine *machine;
    struct walk_config *configs;
    uint32_t *table; /* configuration numbers + 1 by hash; twice as many slots as room */
    size_t num, room;
    struct walk_input inputs[WALK_MAX_INPUTS];
    size_t num_inputs;
    size_t step;
    bool watched[256];
    uint8_t modes[WALK_MAX_DOS];
    uint8_t credit_of[WALK_MAX_DOS]; /* number in walk_config.credit + 1 */
    size_t num_credits;
    enum dna_walk_verdict verdict;
    struct dna_walk_diagnosis why;
};

/* walk_explain fills the diagnosis from the configurations that could not explain a step.  `outs`
   is what was seen; num_outs 0 means that a settle found something missing. */
void walk_explain(struct dna_walk *walk, const struct walk_config *configs, size_t num,
                  const uint8_t *outs, size_t num_outs);

#endif
