/* SPDX-License-Identifier: MIT */
/*
 * One child process in a group of its own, watched by a pidfd on the loop. Private to the lab; the
 * dna_process is owned by whoever spawned it.
 */
#ifndef DNA_LAB_PROCESS_H
#define DNA_LAB_PROCESS_H

#include <sys/types.h>

#include <event2/event.h>

#include "conformance/lab/diag.h"
#include "conformance/lab/profile.h"

struct dna_process;

/* process_exit_fn: the process has ended and was reaped; free it in the callback or later. */
typedef void (*process_exit_fn)(int status, void *arg);

struct process_spec {
    const struct dna_words *argv; /* the program is looked up in PATH if it has no slash */
    const struct dna_words *env;  /* NAME=VALUE */
    const char *cwd;
    const char *log;              /* standard output and error are appended here */
    process_exit_fn on_exit;
    void *arg;
};

struct dna_process *process_spawn(struct event_base *base, const struct process_spec *spec,
                                  struct dna_diag *diag);

pid_t process_pid(const struct dna_process *process);

/* process_signal sends a signal to the whole group, as long as the process lives. */
void process_signal(const struct dna_process *process, int number);

/* process_free kills what is left of the group, waits for it, and frees. NULL is fine. */
void process_free(struct dna_process *process);

#endif
