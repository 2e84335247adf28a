/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna mutate`: the tables of the running reference are damaged, and cases are
 * played against that, to show that they can fail.  A server process carries many mutants at a
 * time: each play of a case has peers with names and addresses of its own, which carry the number
 * of the mutant that counts for them (impl/peer_knobs.h, xdna-server-test --mutants).
 */
#ifndef CONFORMANCE_MUTATE_H
#define CONFORMANCE_MUTATE_H

#include "conformance/deadlines.h"
#include "conformance/runner.h"

#define DNA_FAULT "fault="
enum { DNA_BATCH_MAX = 8192 }; /* plays at a time; numbers are from 1 on */

/* A play: one case against one damage, and what came of it. */
struct dna_play {
    const struct dna_case *c;
    /* "ROW:OP ROW:OP ...", with fault=NAME (model/faults.def) before it, or alone; "" is none */
    const char *damage;       /* borrowed */
    enum dna_verdict verdict; /* DNA_VERDICT_NONE: it could not be played */
    bool judged;              /* it stopped in what is judged, not on the way there */
    bool crashed;             /* the server died of it, which says nothing of the case */
    bool broken;              /* the invariant was: a stanza crossed that was not to */
};

/* Where the plays are played: entered once, with a lab of its own. */
struct dna_mutate_lab {
    struct dna_suite *suite;
    struct dna_profile *profile, *patient_profile;
    struct dna_lab lab;
    struct event_base *base;
    struct dna_pool *pool;
    const char *fault;    /* of the plays at hand */
    const char *rows;     /* "ROW:OP ROW:OP ...": for all peers; NULL: for each play its own */
    const char *server;   /* xdna-server-test */
    unsigned jobs, young; /* plays at a time, and of these begun a moment ago (runner.h) */
    unsigned number;
    bool patient; /* the server's own timers are far away (dna_mutate_patient) ... */
    const struct dna_deadline *near; /* ... but this one, or NULL */
    bool verbose;
    struct timeval begun;
};

/* dna_mutate_open enters the lab with all cases below dir, or with those of these files only.
   Returns 0, or an exit status with a message on stderr; dna_mutate_close frees in any case. */
int dna_mutate_open(struct dna_mutate_lab *m, const char *dir, char *const *files,
                    size_t num_files);
void dna_mutate_close(struct dna_mutate_lab *m);

/* dna_mutate_patient: from now on the server's own timers are out of reach of any play, but that
   one (or NULL) near; or everything is as its profile says. */
void dna_mutate_patient(struct dna_mutate_lab *m, bool patient, const struct dna_deadline *near);

/* dna_mutate_play plays all of them, DNA_BATCH_MAX at a time, and fills in the verdicts.  fired: a
   file in which "PLAY ROW" is written for each row that fires in a play, counted from 1, or NULL
   (num is then at most DNA_BATCH_MAX).  Returns 0, or an exit status with a message on stderr. */
int dna_mutate_play(struct dna_mutate_lab *m, struct dna_play *plays, size_t num,
                    const char *fired);

/* dna_mutate_play_planted plays up to DNA_BATCH_MAX against a server in which fault (or NULL) and
   rows are planted for everybody.  Their own damage does not count, nor are clients damaged. */
int dna_mutate_play_planted(struct dna_mutate_lab *m, struct dna_play *plays, size_t num,
                            const char *fault, const char *rows);

/* dna_mutate_play_again plays what did not pass undamaged once more, with few others, for it may
   have met a busy machine.  1: some do not pass; it has said which. */
int dna_mutate_play_again(struct dna_mutate_lab *m, struct dna_play *plays, size_t num);

/* dna_mutate_alone: does this case have the lab for itself (a clock of its own)?  Such are slow. */
bool dna_mutate_alone(const struct dna_mutate_lab *m, const struct dna_case *c);

/* dna_play_fails: does the verdict say that the damage was noticed?  A situation that did not come
   about (INCONC on the way there) says less, and ERROR nothing. */
bool dna_play_fails(const struct dna_play *play);

/* ---- which rows fire in which case: mutate_map.c ---- */

struct dna_hit {
    uint16_t row;  /* in the order of dna_row_names */
    uint16_t rank; /* in how many cases the row fires */
    uint32_t c;    /* index in the suite */
};

struct dna_map {
    struct dna_hit *hits; /* by case, then by rank: rows that are rare first */
    size_t num;
    uint32_t *first;             /* of each case, and one past the last */
    unsigned *rows_of;           /* how many rows fire in each case */
    enum dna_verdict *undamaged; /* of each case */
};

/* dna_map_make plays every case undamaged and notes which rows fire; all: those too that have the
   lab for themselves.  Returns an exit status. */
int dna_map_make(struct dna_map *map, struct dna_mutate_lab *m, bool all);
void dna_map_free(struct dna_map *map);

/* All rows of all tables, numbered. */
size_t dna_num_rows(void);
const char *dna_row_name(size_t row);
const struct dna_machine *dna_row_machine(size_t row, size_t *out_index);
/* dna_row_find is the number of a row, or dna_num_rows(). */
size_t dna_row_find(const char *name);

/* dna_row_damages lists what is worth doing to a row, what a careless implementer would do first:
 * ROW:OP. */
size_t dna_row_damages(size_t row, struct dna_pool *pool, const char **out, size_t max);

int dna_cmd_mutate(int argc, char **argv);

#endif
