/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What the files of `xdna learn` share: learn.c has the command line,
 * learn_run.c the course of learning, learn_draw.c what is written, learn_mutants.c the mutants.
 */
#ifndef CONFORMANCE_LEARN_RUN_H
#define CONFORMANCE_LEARN_RUN_H

#include "conformance/learn.h"
#include "model/learn_blame.h"

enum { DNA_MAX_DIFFERENCES = 256, DNA_MAX_BLAMED = 64 };

struct dna_learning {
    const char *profile_name, *variant, *alphabet, *mutate, *server, *choices, *dir;
    unsigned extra, num_mutants, skip, seed, deadline_s;
    struct dna_pool *pool;
    struct dna_profile *profile;
    struct dna_lab lab;
    struct event_base *base;

    /* the tables */
    struct dna_habits habits;
    struct dna_seer seer;
    struct dna_view view;
    struct dna_mealy ours; /* the view, minimised */
    struct dna_wordbook words;

    /* the server */
    struct dna_iut *iut;
    bool up, gone;
    const char *trouble; /* it is over, and why */
    const char *stopped; /* not only for this server: a signal, or the deadline; and why */
    int interrupted;     /* the signal, or 0 */
    const char *extra_args[2];
    struct dna_crew crew;

    /* what was seen of it */
    struct dna_learner learner;
    char **transcripts; /* of each session that added something */
    uint32_t num_sessions, max_sessions;
    size_t num_symbols, contradictions;
    bool stands; /* a contradiction stays */
    struct dna_mealy learned;
    struct dna_difference differences[DNA_MAX_DIFFERENCES];
    size_t num_differences;
    double seconds;
};

/* dna_learn_prepare makes the tables' side. Returns an exit status. */
int dna_learn_prepare(struct dna_learning *g);
void dna_learn_cleanup(struct dna_learning *g);

/* dna_learn_serve starts the server (with a mutant, or NULL) and learns it; dna_learn_leave stops
 * it and forgets what was learned. 0; 1 for a contradiction that stays; 99 with a message on
 * stderr. */
int dna_learn_serve(struct dna_learning *g, const char *mutant, const char *dir);
void dna_learn_leave(struct dna_learning *g);

/* dna_learn_watch looks out for SIGINT, SIGTERM and the deadline while the loop runs, until
 * dna_learn_unwatch. */
struct dna_learn_watch {
    struct event *sigint, *sigterm, *deadline;
};
void dna_learn_watch(struct dna_learning *g, struct dna_learn_watch *watch);
void dna_learn_unwatch(struct dna_learn_watch *watch);

/* dna_learn_status is the exit status of a course that was stopped: 128 and the signal, or 1. */
int dna_learn_status(const struct dna_learning *g, int status);

/* dna_learn_play plays all words, side by side, into the tree; those that it knows only if they are
 * wanted again. False: trouble, or a contradiction that stays. */
bool dna_learn_play(struct dna_learning *g, const struct dna_query *words, size_t num, bool again);

int dna_learn_one(struct dna_learning *g);
int dna_learn_mutants(struct dna_learning *g);

/* learn_mutants.c: the rows of which some single change leads to the first difference; first those
 * of which one explains the most of what was seen. */
struct dna_blamed_row {
    char id[64];
    bool exact;       /* it says at the first difference what was learned; else it parts there */
    size_t explained; /* observations, of learner.num_nodes */
};
struct dna_blamed {
    struct dna_blamed_row rows[DNA_MAX_BLAMED];
    size_t num;
};
void dna_learn_blame(struct dna_learning *g, struct dna_blamed *out);
void dna_learn_print_blame(const struct dna_learning *g, const struct dna_blamed *blamed);

/* learn_draw.c; the rows are those that fire since the last output before the last symbol,
 * separated by blanks */
void dna_learn_print_word(const struct dna_learning *g, const struct dna_query *q,
                          struct dna_buf *out);
const char *dna_learn_rows(struct dna_learning *g, const struct dna_difference *d);
bool dna_learn_write(struct dna_learning *g);

/* dna_learn_write_witness writes a difference as a scenario; NULL, or why it cannot be said by one.
 */
const char *dna_learn_write_witness(struct dna_learning *g, const struct dna_difference *d,
                                    const char *path);

#endif
