/* SPDX-License-Identifier: MIT */
/*
 * verify_search.h -- breadth-first search through the worlds of one configuration.
 */
#ifndef DNA_MODEL_VERIFY_SEARCH_H
#define DNA_MODEL_VERIFY_SEARCH_H

#include "model/verify_internal.h"

static const uint32_t dna_vf_no_state = UINT32_MAX;

/* vf_finding is the first, hence shortest, violation of one property: what `move` does in state
 * `from`. */
struct vf_finding {
    uint32_t from;
    struct vf_move move;
};

struct vf_search {
    /* set by the caller */
    const struct vf_config *config;
    uint32_t bugs;        /* planted in the environment: VF_BUGGY_* */
    uint64_t stop_at;     /* properties, a bit each: ends when all of them are violated */
    uint64_t stop_at_any; /* ends when one of these is violated */
    uint32_t max_states;  /* 0: as many as memory holds */
    uint64_t hash_mask;   /* 0: all bits; a test takes bits away, so that states collide */
    /* found */
    uint64_t broken;
    uint32_t seen;
    struct vf_finding first[64];
    uint32_t num;
    uint64_t transitions;
    double seconds;
    bool full;      /* the whole configuration was explored */
    bool overflow;  /* a bound of the checker was too small: nothing may be concluded */
    uint8_t *fired; /* rows, by dna_vf_row_number(); the caller's, or NULL */
    /* memory */
    unsigned char *bytes;
    size_t bytes_used, bytes_size;
    uint64_t *offsets; /* num + 1 of them */
    uint32_t *parents;
    struct vf_move *moves;
    uint32_t *table;
    uint64_t *hashes;
    uint32_t size, table_size;
};

/* dna_vf_search explores.  Mutants of rows are those set in the interpreter.  Returns 0, or -1 when
   memory did not suffice.  dna_vf_search_free frees what was found. */
int dna_vf_search(struct vf_search *s);
void dna_vf_search_free(struct vf_search *s);

/* dna_vf_trace fills the moves from the start to the violation of property `index`; returns their
 * number. */
size_t dna_vf_trace(const struct vf_search *s, size_t index, struct vf_move *out, size_t max);

/* dna_vf_print_trace replays them and prints what happens; with each row and each step of a
 * negotiation on request. */
void dna_vf_print_trace(const struct vf_search *s, size_t index, bool rows, FILE *out);

#endif
