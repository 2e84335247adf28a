/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What the files of the runner share: runner.c has the cases, runner_places.c
 * the processes under test, runner_solos.c those that are for one case each. Nobody else includes
 * this.
 */
#ifndef CONFORMANCE_RUNNER_INTERNAL_H
#define CONFORMANCE_RUNNER_INTERNAL_H

#include "conformance/runner.h"

/* HELD: it ended badly a moment ago. A process that dies closes its connections before anyone can
 * know that it died, so a bad end waits a little for that news. */
/* CULPRIT: the server said that it died of this one; that is made sure of when nothing else is
   left. */
enum job_state { JOB_QUEUED, JOB_RUNNING, JOB_HELD, JOB_SUSPECT, JOB_CULPRIT, JOB_DONE };

struct job {
    const struct dna_case *c;
    struct place *place;      /* of its variant */
    struct solo *solo;        /* where it runs, if it stops its server */
    enum job_state state;
    struct dna_case_run *run;
    struct dna_result *last;  /* of this round */
    struct dna_result *worst; /* of all rounds */
    enum dna_verdict first;
    unsigned others;          /* rounds with another verdict than the first */
    bool alone, skip;
    struct timeval held;
};

/* one variant: a process and how far it is */
struct place {
    struct runner *r;
    const struct dna_variant *variant;
    struct dna_iut *iut;
    bool ready, starting, honest, gone;
    unsigned control;              /* the next control of the honesty check */
    struct dna_case_run *control_run;
    unsigned running, suspects;
    bool any_died_alone;
    bool again;                    /* stopped between two cases, to be started anew */
    unsigned idle_deaths;
};

/* an instance for one case after another, each of which has it for itself and may stop it */
struct solo {
    struct runner *r;
    struct dna_variant variant; /* the profile's, with domains and an address of its own */
    const char *dir;
    struct dna_iut *iut;        /* NULL: not furnished yet */
    struct job *job;            /* NULL: it is free, or still going */
    bool busy;
};

enum { RUNNER_SOLOS = 32 };

struct runner {
    struct dna_suite *suite;
    struct dna_profile *profile;
    struct dna_lab *lab;
    struct event_base *base;
    const struct dna_run_options *options;
    const struct dna_run_calls *calls;
    struct dna_run_outcome *out;
    struct dna_case_context context;
    struct dna_honesty *honesty;
    struct dna_pool *pool;
    struct job *jobs;
    size_t num_jobs;
    size_t *order;
    struct place places[DNA_MAX_VARIANTS];
    size_t num_places;
    struct solo solos[RUNNER_SOLOS];
    struct event *pace; /* with options->young */
    struct timeval paced;
    unsigned young;     /* what the machine bears: more or less than options->young */
    unsigned long busy, idle; /* of all processors, in clock ticks, when last looked at */
    struct event *tick, *hold, *deadline, *sigint, *sigterm;
    struct dna_case_run **dead; /* ended runs, freed from the loop and not from their callback */
    unsigned num_dead, cap_dead;
    unsigned running, done, numbers, round;
    /* The signer of the DNS has one clock: a case that may move it has the lab for itself. */
    struct place *exclusive;
    bool stopping, stopped;
};

/* runner.c */
void runner_tick(struct runner *r); /* looks again, from the loop */
__attribute__((format(printf, 2, 3)))
void runner_message(struct runner *r, const char *format, ...);
__attribute__((format(printf, 2, 3)))
void runner_hard(struct runner *r, const char *format, ...); /* the run ends in 99 */
void runner_bury(struct runner *r, struct dna_case_run *run);
struct dna_result *runner_made_up(struct job *job, enum dna_verdict verdict, const char *reason,
                                  const char *text);
void runner_finish_job(struct runner *r, struct job *job, struct dna_result *result);
void runner_start_job(struct runner *r, struct job *job);
void runner_play_job(struct runner *r, struct job *job, struct dna_iut *iut);
void runner_leave_if_gone(struct runner *r);

/* runner_solos.c */
bool runner_solo_free(const struct runner *r);
void runner_solo_take(struct runner *r, struct job *job); /* it runs once its server is ready */
void runner_solo_leave(struct job *job); /* the case is over */
bool runner_solo_is_gone(const struct job *job);
void runner_solos_stop(struct runner *r);
bool runner_solos_gone(const struct runner *r);
void runner_solos_cleanup(struct runner *r);

/* runner_places.c */
void runner_crashed(struct job *job, struct dna_iut *iut, const char *what, const char *death,
                    const char *transcript);
struct dna_iut *runner_iut_new(struct runner *r, const struct dna_variant *variant, const char *dir,
                               const struct dna_iut_calls *calls);
struct place *runner_place_for(struct runner *r, const char *variant);
void runner_start_place(struct place *p);
void runner_next_control(struct place *p);
void runner_run_suspects(struct place *p);
void runner_renew_place(struct place *p); /* after a case that had it for itself */

#endif
