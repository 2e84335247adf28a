/* SPDX-License-Identifier: MIT */
/*
 * walk.h -- the oracle: is what was seen of one machine instance something that its table allows?
 *
 * A walk keeps every configuration (state, variables, knobs, what is still due) that explains what
 * was fed to it.  Events go in when they are sent; they may wait while the other side is slow, so
 * nothing follows from the order of an event and an output that was already under way.  An output
 * that no configuration can explain, or one that is missing at a settle, is a FAIL.
 *
 *   What isn't told is open: facts of an event, S, knobs.  Own and timer events may happen unseen
 *   at any time, except those that show on the wire (STREAM_GONE, STREAM_SECURED, STREAM_RESTARTED,
 *   SECURED, RESTARTED, TLS_UP); dna_walk_watch changes that.
 *   All alternatives of a CHOICE are right.
 *
 * A walk that would grow too large gives up, and never says FAIL again.  The caller owns the walk.
 */
#ifndef DNA_MODEL_WALK_H
#define DNA_MODEL_WALK_H

#include "model/machine.h"

enum dna_walk_verdict {
    DNA_WALK_OK,
    DNA_WALK_FAIL,
    DNA_WALK_GAVE_UP,
    DNA_WALK_UNKNOWN_NAME, /* dna_walk_say only: the line is wrong, nothing was fed */
};

/* dna_walk_mode says what the caller sees of an output. */
enum dna_walk_mode {
    DNA_WALK_UNSEEN, /* never: reports of it mean nothing */
    DNA_WALK_DUE,    /* always, and in order: the default of WIRE outputs */
    DNA_WALK_MAY,    /* perhaps, later and in any order, at most as often as it was done */
    DNA_WALK_OFTEN,  /* perhaps, and any number of times once it was done (a queue is released) */
};

enum { DNA_WALK_MAX_ROWS = 8, DNA_WALK_MAX_REQS = 24 };

/* dna_walk_diagnosis tells why; valid until the next call. */
struct dna_walk_diagnosis {
    size_t step;     /* how many events, outputs and settles had been fed, from 1 */
    size_t num_rows; /* rows that explain what was seen before */
    const struct dna_row *rows[DNA_WALK_MAX_ROWS];
    size_t num_expected; /* outputs that would have been right, indexes into dos */
    uint8_t expected[DNA_MAX_OUTS];
    size_t num_reqs; /* what those rows cite */
    uint16_t reqs[DNA_WALK_MAX_REQS];
    enum dna_level level; /* the strongest of them; DNA_LEVEL_DECISION if there are none */
    char text[640];       /* one line for a person */
};

struct dna_walk;

/* dna_walk_new returns a walk in the start state, NULL without memory.  Bit i of `known` says that
   the i-th knob (enum dna_knob_id) is as given; the others are open.  knobs may be NULL. */
struct dna_walk *dna_walk_new(const struct dna_machine *machine, const struct dna_knobs *knobs,
                              uint64_t known);

/* dna_walk_free frees the walk; NULL is fine. */
void dna_walk_free(struct dna_walk *walk);

/* dna_walk_watch says whether an event happens only when it is fed, or also unseen. */
void dna_walk_watch(struct dna_walk *walk, uint32_t event, bool watched);

/* dna_walk_see says how an output is seen; at most 8 may be MAY or OFTEN. */
void dna_walk_see(struct dna_walk *walk, uint32_t out, enum dna_walk_mode mode);

/* dna_walk_event feeds an event.  facts are of the machine's struct M_facts; bit i of `known` says
   that the i-th fact of the table is as given.  facts may be NULL: all open. */
enum dna_walk_verdict dna_walk_event(struct dna_walk *walk, uint32_t event, const void *facts,
                                     uint64_t known);

/* dna_walk_stream says what a variable of the stream is from here on, until said otherwise (or
   changed by this machine's own rows); a value above its max makes it open again. */
enum dna_walk_verdict dna_walk_stream(struct dna_walk *walk, const char *name, uint32_t value);

/* dna_walk_restart forgets what does not outlive a stream restart, or STARTTLS. */
enum dna_walk_verdict dna_walk_restart(struct dna_walk *walk, bool starttls);

/* dna_walk_output feeds an output that was seen; _any one of several that look alike. */
enum dna_walk_verdict dna_walk_output(struct dna_walk *walk, uint32_t out);
enum dna_walk_verdict dna_walk_output_any(struct dna_walk *walk, const uint8_t *outs, size_t num);

/* dna_walk_settle says that everything fed has been dealt with, and everything due was seen. */
enum dna_walk_verdict dna_walk_settle(struct dna_walk *walk);

/*
 * dna_walk_say feeds one line of a written trace:
 *   < EVENT fact=value ...     > output [or output ...]     S variable=value
 *   restart     starttls       settle     see output unseen|due|may|often
 *   watch EVENT ...            unwatch EVENT ...
 */
enum dna_walk_verdict dna_walk_say(struct dna_walk *walk, const char *line);

/* dna_walk_why returns the diagnosis of the last verdict that was not OK. */
const struct dna_walk_diagnosis *dna_walk_why(const struct dna_walk *walk);

/* dna_walk_in says whether the state (by name) is among those that explain what was fed. */
bool dna_walk_in(struct dna_walk *walk, const char *state);

/* dna_walk_size returns the number of configurations kept. */
size_t dna_walk_size(const struct dna_walk *walk);

#endif
