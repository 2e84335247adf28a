/* SPDX-License-Identifier: MIT */
/* Child processes: spawned in a group of their own, their death an event. Memory: process.h. */
#include "conformance/lab/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/pool.h"

struct dna_process {
    pid_t pid;
    int fd;
    bool ended;
    struct event *event;
    process_exit_fn on_exit;
    void *arg;
};

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct dna_process *process = arg;
    int status = 0;

    (void)fd;
    (void)what;
    if (waitpid(process->pid, &status, WNOHANG) != process->pid)
        return;
    process->ended = true;
    event_del(process->event);
    kill(-process->pid, SIGKILL); /* helpers that outlived it */
    process->on_exit(status, process->arg);
}

static char **terminated(const struct dna_words *words)
{
    char **list = dna_xcalloc(words->num + 1, sizeof *list);

    if (words->num)
        memcpy(list, words->at, words->num * sizeof *list);
    return list;
}

static int spawn(const struct process_spec *spec, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    char **argv = terminated(spec->argv), **env = terminated(spec->env);
    sigset_t none, all;
    int error;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                        POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    error = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_addopen(&files, 1, spec->log,
                                                 O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&files, 1, 2);
    if (!error)
        error = posix_spawn_file_actions_addchdir_np(&files, spec->cwd);
    if (!error)
        error = posix_spawnp(pid, argv[0], &files, &attr, argv, env);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    free(argv);
    free(env);
    return error;
}

struct dna_process *process_spawn(struct event_base *base, const struct process_spec *spec,
                                  struct dna_diag *diag)
{
    struct dna_process *process = dna_xcalloc(1, sizeof *process);
    int error = spawn(spec, &process->pid);

    if (error) {
        dna_diag_set(diag, DNA_CLASS_HARD, "cannot start %s: %s", spec->argv->at[0],
                     strerror(error));
        free(process);
        return NULL;
    }
    process->on_exit = spec->on_exit;
    process->arg = spec->arg;
    process->fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (process->fd >= 0)
        process->event = event_new(base, process->fd, EV_READ | EV_PERSIST, on_end, process);
    if (!process->event || event_add(process->event, NULL)) {
        dna_diag_set(diag, DNA_CLASS_HARD, "cannot watch %s (a pidfd needs Linux 5.3): %s",
                     spec->argv->at[0], strerror(errno));
        process_free(process);
        return NULL;
    }
    return process;
}

pid_t process_pid(const struct dna_process *process)
{
    return process->pid;
}

void process_signal(const struct dna_process *process, int number)
{
    if (!process->ended)
        kill(-process->pid, number);
}

void process_free(struct dna_process *process)
{
    if (!process)
        return;
    if (!process->ended) {
        kill(-process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0); /* what was killed ends at once */
    }
    if (process->event)
        event_free(process->event);
    if (process->fd >= 0)
        close(process->fd);
    free(process);
}
