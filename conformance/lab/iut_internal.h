/* SPDX-License-Identifier: MIT */
/* The parts of a dna_iut. Private to the iut*.c files; memory as iut.h says. */
#ifndef DNA_LAB_IUT_INTERNAL_H
#define DNA_LAB_IUT_INTERNAL_H

#include <time.h>

#include "conformance/lab/iut.h"
#include "conformance/lab/process.h"
#include "conformance/lab/render.h"
#include "conformance/pool.h"

struct dna_iut;

/* iut_probe is the question, asked again and again, whether a port answers a stream header. */
struct iut_probe {
    struct dna_iut *iut;
    const char *what; /* "S2S" */
    bool server;
    uint16_t port;    /* 0: not asked */
    bool ready;
    struct bufferevent *stream;
    struct event *again;
    struct dna_buf got;
    char last[160]; /* what came of the last attempt */
};

struct dna_iut {
    struct dna_pool *pool;
    const struct dna_variant *variant;
    const struct dna_profile *profile;
    struct dna_iut_options options;
    char *run_dir, *log_path, *clock_path;
    struct dna_pairs values; /* what @name@ means */
    struct dna_cert *certs[DNA_NUM_HOSTED];
    enum dna_iut_state state;
    bool failing;            /* on_failed follows when the process has gone */
    bool killed;             /* KILL was needed to stop it */
    struct dna_diag failure;
    struct dna_process *process;
    struct dna_words commands; /* prepare commands and the start command, as lines */
    size_t next_command;
    struct iut_probe probes[2];
    struct event *deadline; /* of the start, or of TERM */
    struct event *later;    /* a callback that must not come from inside a call */
    unsigned starts;
    struct timespec started;
    double start_seconds;
};

/* iut_furnish makes the run directory with certificates and rendered files, and the DNS records. */
int iut_furnish(struct dna_iut *iut, struct dna_diag *diag);

/* iut_command_lines renders all commands of a start. */
int iut_command_lines(struct dna_iut *iut, struct dna_diag *diag);

/* iut_environment is the environment of the IUT's processes, as NAME=VALUE; free(out->at). */
int iut_environment(struct dna_iut *iut, struct dna_words *out, struct dna_diag *diag);

/* iut_clock_environment adds what a clock of its own needs (iut_clock.c). */
int iut_clock_environment(struct dna_iut *iut, struct dna_words *out, struct dna_diag *diag);

/* iut_probe_start asks until it is answered, then calls iut_probe_done. iut_probe_stop ends it. */
int iut_probe_start(struct iut_probe *probe, struct dna_diag *diag);
void iut_probe_stop(struct iut_probe *probe);
void iut_probe_done(struct dna_iut *iut);

#endif
