/* SPDX-License-Identifier: MIT */
/*
 * The life of an implementation under test, as a small state machine on the loop:
 *
 *   DOWN -start-> STARTING -ports answer-> UP -stop-> STOPPING -gone-> DOWN (on_stopped)
 *                    | deadline, death: killed, on_failed    | death unasked: on_death
 */
#include "conformance/lab/iut_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "conformance/lab/command.h"

#define TAIL_LINES 15u

static int run_next(struct dna_iut *iut, struct dna_diag *diag);

static double seconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void arm(struct event *timer, unsigned ms)
{
    struct timeval in = { .tv_sec = ms / 1000, .tv_usec = (long)(ms % 1000) * 1000 };

    evtimer_add(timer, &in);
}

static void calm(struct dna_iut *iut)
{
    evtimer_del(iut->deadline);
    for (size_t i = 0; i < 2; i++)
        iut_probe_stop(&iut->probes[i]);
}

/* give_up ends a start that failed: on_failed is told when the process has gone. */
static void give_up(struct dna_iut *iut)
{
    char *tail = dna_iut_log_tail(iut, NULL, 0, TAIL_LINES);

    if (tail && *tail)
        dna_diag_add(&iut->failure, "\n  the end of its log (%s):\n%s", iut->log_path, tail);
    else
        dna_diag_add(&iut->failure, "\n  its log (%s) is empty", iut->log_path);
    free(tail);
    calm(iut);
    iut->failing = true;
    if (iut->process)
        process_signal(iut->process, SIGKILL);
    else
        event_active(iut->later, EV_TIMEOUT, 1);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct dna_iut *iut = arg;

    (void)fd;
    (void)what;
    if (iut->state == DNA_IUT_STOPPING) {
        iut->killed = true;
        process_signal(iut->process, SIGKILL);
        return;
    }
    dna_diag_set(&iut->failure, DNA_CLASS_HARD, "%s, variant %s: not ready within %u ms",
                 iut->profile->name, iut->variant->name, iut->profile->ready_ms);
    if (iut->next_command < iut->commands.num)
        dna_diag_add(&iut->failure, "; still running: %s",
                     iut->commands.at[iut->next_command - 1]);
    for (size_t i = 0; i < 2; i++) {
        struct iut_probe *probe = &iut->probes[i];

        if (probe->port && !probe->ready && iut->next_command == iut->commands.num)
            dna_diag_add(&iut->failure,
                         "\n  no answer to a stream header on the %s port %s:%u (%s)",
                         probe->what, iut->variant->address, probe->port, probe->last);
    }
    give_up(iut);
}

void iut_probe_done(struct dna_iut *iut)
{
    for (size_t i = 0; i < 2; i++) {
        if (iut->probes[i].port && !iut->probes[i].ready)
            return;
    }
    calm(iut);
    iut->state = DNA_IUT_UP;
    iut->start_seconds = seconds_since(&iut->started);
    if (iut->options.calls.on_ready)
        iut->options.calls.on_ready(iut, iut->options.calls.arg);
}

static void tell_failed(struct dna_iut *iut)
{
    iut->failing = false;
    iut->state = DNA_IUT_DOWN;
    if (iut->options.calls.on_failed)
        iut->options.calls.on_failed(iut, &iut->failure, iut->options.calls.arg);
}

static void tell_stopped(struct dna_iut *iut, int status)
{
    bool killed = iut->killed;

    iut->state = DNA_IUT_DOWN;
    iut->killed = false;
    if (iut->options.calls.on_stopped)
        iut->options.calls.on_stopped(iut, status, killed, iut->options.calls.arg);
}

/* on_later is for what start and stop found out at once, but must not say before they return. */
static void on_later(evutil_socket_t fd, short what, void *arg)
{
    struct dna_iut *iut = arg;

    (void)fd;
    (void)what;
    if (iut->failing)
        tell_failed(iut);
    else if (iut->state == DNA_IUT_STOPPING)
        tell_stopped(iut, 0);
}

static void died_early(struct dna_iut *iut, int status, bool preparing)
{
    char words[80];

    dna_iut_death(status, words, sizeof words);
    dna_diag_set(&iut->failure, DNA_CLASS_HARD, "%s, variant %s: %s: %s", iut->profile->name,
                 iut->variant->name, preparing ? "preparing failed" : "died before it was ready",
                 words);
    dna_diag_add(&iut->failure, "\n  command: %s", iut->commands.at[iut->next_command - 1]);
    give_up(iut);
}

static void on_exit_process(int status, void *arg)
{
    struct dna_iut *iut = arg;
    bool preparing = iut->next_command < iut->commands.num;

    process_free(iut->process);
    iut->process = NULL;
    if (iut->failing) {
        tell_failed(iut);
        return;
    }
    switch (iut->state) {
    case DNA_IUT_STOPPING:
        calm(iut);
        tell_stopped(iut, status);
        break;
    case DNA_IUT_STARTING:
        if (!preparing || status != 0)
            died_early(iut, status, preparing);
        else if (run_next(iut, &iut->failure))
            give_up(iut);
        break;
    case DNA_IUT_UP:
        iut->state = DNA_IUT_DOWN;
        if (iut->options.calls.on_death)
            iut->options.calls.on_death(iut, status, iut->options.calls.arg);
        break;
    case DNA_IUT_DOWN:
        break;
    }
}

static int start_probes(struct dna_iut *iut, struct dna_diag *diag)
{
    iut->probes[0] = (struct iut_probe){ .iut = iut, .what = "S2S", .server = true,
                                         .port = iut->variant->s2s_port };
    iut->probes[1] = (struct iut_probe){ .iut = iut, .what = "C2S",
                                         .port = iut->variant->c2s_port };
    for (size_t i = 0; i < 2; i++) {
        if (iut->probes[i].port && iut_probe_start(&iut->probes[i], diag))
            return -1;
    }
    return 0;
}

/* run_next spawns the next command; behind the last, the start command, comes the probing. */
static int run_next(struct dna_iut *iut, struct dna_diag *diag)
{
    struct dna_words argv = { 0 }, env = { 0 };
    struct process_spec spec = { &argv, &env, iut->run_dir, iut->log_path, on_exit_process, iut };
    bool last = iut->next_command + 1 == iut->commands.num;
    int result = command_split(iut->pool, iut->commands.at[iut->next_command], &argv, diag);

    if (!result && argv.num == 0)
        result = dna_diag_set(diag, DNA_CLASS_USAGE, "%s: an empty command", iut->profile->name);
    if (!result)
        argv.at[0] = command_program(iut->pool, argv.at[0], iut->profile->root);
    for (size_t i = 0; !result && last && i < iut->options.num_extra_args; i++)
        words_push(&argv, dna_pool_strdup(iut->pool, iut->options.extra_args[i]));
    if (!result)
        result = iut_environment(iut, &env, diag);
    if (!result) {
        iut->next_command++;
        iut->process = process_spawn(iut->options.base, &spec, diag);
        result = iut->process ? 0 : -1;
    }
    free(argv.at);
    free(env.at);
    if (result)
        return -1;
    return last ? start_probes(iut, diag) : 0;
}

int dna_iut_start(struct dna_iut *iut, struct dna_diag *diag)
{
    if (iut->state != DNA_IUT_DOWN || iut->failing)
        return dna_diag_set(diag, DNA_CLASS_HARD, "%s, variant %s: started while it is not down",
                            iut->profile->name, iut->variant->name);
    if (iut->variant->own_clock && dna_iut_clock(iut, 0, diag))
        return -1;
    clock_gettime(CLOCK_MONOTONIC, &iut->started);
    iut->next_command = 0;
    iut->failure.text[0] = '\0';
    iut->killed = false;
    if (run_next(iut, diag)) {
        calm(iut);
        process_free(iut->process);
        iut->process = NULL;
        return -1;
    }
    iut->starts++;
    iut->state = DNA_IUT_STARTING;
    arm(iut->deadline, iut->profile->ready_ms);
    return 0;
}

void dna_iut_stop(struct dna_iut *iut)
{
    if (iut->state == DNA_IUT_STOPPING || iut->failing)
        return;
    calm(iut);
    iut->state = DNA_IUT_STOPPING;
    if (!iut->process) {
        event_active(iut->later, EV_TIMEOUT, 1);
        return;
    }
    process_signal(iut->process, SIGTERM);
    arm(iut->deadline, iut->profile->stop_ms);
}

void dna_iut_kill(struct dna_iut *iut)
{
    if (iut->process)
        process_signal(iut->process, SIGKILL);
}

struct dna_iut *dna_iut_new(const struct dna_variant *variant,
                            const struct dna_iut_options *options, struct dna_diag *diag)
{
    struct dna_iut *iut = dna_xcalloc(1, sizeof *iut);

    iut->pool = dna_pool_new();
    iut->variant = variant;
    iut->profile = variant->profile;
    iut->options = *options;
    iut->deadline = evtimer_new(options->base, on_deadline, iut);
    iut->later = evtimer_new(options->base, on_later, iut);
    if (variant->cannot)
        dna_diag_set(diag, DNA_CLASS_SKIP, "%s has no variant %s: %s", iut->profile->name,
                     variant->name, variant->cannot);
    else if (iut_furnish(iut, diag) == 0 && iut_command_lines(iut, diag) == 0)
        return iut;
    dna_iut_free(iut);
    return NULL;
}

void dna_iut_free(struct dna_iut *iut)
{
    if (!iut)
        return;
    for (size_t i = 0; i < 2; i++)
        iut_probe_stop(&iut->probes[i]);
    process_free(iut->process);
    for (size_t i = 0; i < DNA_NUM_HOSTED; i++)
        dna_cert_unref(iut->certs[i]);
    event_free(iut->deadline);
    event_free(iut->later);
    free(iut->values.at);
    free(iut->commands.at);
    dna_pool_free(iut->pool);
    free(iut);
}

enum dna_iut_state dna_iut_state(const struct dna_iut *iut)
{
    return iut->state;
}

const struct dna_variant *dna_iut_variant(const struct dna_iut *iut)
{
    return iut->variant;
}

pid_t dna_iut_pid(const struct dna_iut *iut)
{
    return iut->process ? process_pid(iut->process) : 0;
}

unsigned dna_iut_starts(const struct dna_iut *iut)
{
    return iut->starts;
}

double dna_iut_start_seconds(const struct dna_iut *iut)
{
    return iut->start_seconds;
}

const char *dna_iut_run_dir(const struct dna_iut *iut)
{
    return iut->run_dir;
}

const char *dna_iut_log_path(const struct dna_iut *iut)
{
    return iut->log_path;
}

const struct dna_cert *dna_iut_cert(const struct dna_iut *iut, size_t index)
{
    return index < DNA_NUM_HOSTED ? iut->certs[index] : NULL;
}

void dna_iut_death(int status, char *out, size_t out_len)
{
    if (WIFSIGNALED(status))
        snprintf(out, out_len, "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(out, out_len, "exit status %d", WEXITSTATUS(status));
}
