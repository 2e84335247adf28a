/* SPDX-License-Identifier: MIT */
/*
 * mealy.h -- a finite deterministic Mealy machine, as plain arrays.
 *
 * Every input has a transition in every state.  An input that cannot be sent in a state loops there
 * with the output DNA_CANNOT: whether it can is known to the tester from what it saw, so nothing is
 * learned of the other side by it.
 */
#ifndef DNA_MODEL_MEALY_H
#define DNA_MODEL_MEALY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

enum { DNA_CANNOT = 0 };

struct dna_mealy {
    size_t num_states, num_inputs;
    uint32_t start;
    uint32_t *next, *out; /* [state * num_inputs + input] */
    bool *closed;         /* [state]: the other side is gone; nothing can be sent */
};

static inline uint32_t dna_mealy_next(const struct dna_mealy *m, uint32_t state, size_t input)
{
    return m->next[state * m->num_inputs + input];
}

static inline uint32_t dna_mealy_out(const struct dna_mealy *m, uint32_t state, size_t input)
{
    return m->out[state * m->num_inputs + input];
}

/* dna_mealy_reserve makes room for max states, at least as many as there are; the arrays are freed
   by their owner in any case.  Returns 0, or -1 without memory. */
static inline int dna_mealy_reserve(struct dna_mealy *m, size_t max)
{
    const size_t cells = max * m->num_inputs;
    void *next = realloc(m->next, cells * sizeof *m->next);
    m->next = next ? next : m->next;
    void *out = realloc(m->out, cells * sizeof *m->out);
    m->out = out ? out : m->out;
    void *closed = realloc(m->closed, max * sizeof *m->closed);
    m->closed = closed ? closed : m->closed;
    return next && out && closed ? 0 : -1;
}

#endif
