/* SPDX-License-Identifier: MIT */
/*
 * Is the product there, and which version is it? The only place of the lab that waits for another
 * program, bounded, before there is a loop. Strings are the profile's.
 */
#include "conformance/lab/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conformance/lab/command.h"
#include "conformance/lab/render.h"

#define VERSION_SECONDS 10

extern char **environ;

static bool there(const char *pattern)
{
    glob_t found = { 0 };
    bool result = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;

    globfree(&found);
    return result;
}

static int say_missing(const struct dna_profile *p, const char *what,
                       const struct dna_words *packages, struct dna_diag *diag)
{
    dna_diag_set(diag, DNA_CLASS_HARD, "%s: %s is missing", p->name, what);
    if (packages->num == 0)
        return dna_diag_add(diag, "\n  build it with: make");
    dna_diag_add(diag, "\n  install it with: %sapt-get install --no-install-recommends",
                 geteuid() == 0 ? "" : "sudo ");
    for (size_t i = 0; i < packages->num; i++)
        dna_diag_add(diag, " %s", packages->at[i]);
    return -1;
}

static int check_files(struct dna_profile *p, struct dna_diag *diag)
{
    struct dna_words packages = { 0 };
    const char *first = NULL;
    int result = 0;

    for (size_t i = 0; i < p->required.num; i++) {
        struct dna_pair *pair = &p->required.at[i];

        if (there(pair->key))
            continue;
        if (!first)
            first = pair->key;
        if (!dna_words_have(&packages, pair->value))
            words_push(&packages, pair->value);
    }
    if (first)
        result = say_missing(p, first, &packages, diag);
    free(packages.at);
    return result;
}

static long long ms_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* read_until reads what fits until the end of file; false when the time is over. */
static bool read_until(int fd, char *out, size_t out_len, long long end)
{
    size_t len = 0;

    for (;;) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        long long left = end - ms_now();
        char drop[512];
        bool room = len + 1 < out_len;
        ssize_t num;

        if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
            return false;
        num = room ? read(fd, out + len, out_len - 1 - len) : read(fd, drop, sizeof drop);
        if (num <= 0)
            break;
        if (room)
            len += (size_t)num;
    }
    out[len] = '\0';
    return true;
}

/* run collects what a command prints; its wait status, or -1 if it can't be run or doesn't end. */
static int run(struct dna_words *words, char *out, size_t out_len)
{
    posix_spawn_file_actions_t files;
    int ends[2], status = -1, error;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC))
        return -1;
    words_push(words, NULL);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, ends[1], 1);
    posix_spawn_file_actions_adddup2(&files, ends[1], 2);
    error = posix_spawnp(&pid, words->at[0], &files, NULL, words->at, environ);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    if (error == 0) {
        bool ended = read_until(ends[0], out, out_len, ms_now() + VERSION_SECONDS * 1000);

        if (!ended)
            kill(pid, SIGKILL);
        if (waitpid(pid, &status, 0) != pid || !ended)
            status = -1;
    }
    close(ends[0]);
    return status;
}

static int read_version(struct dna_profile *p, const char *server, struct dna_diag *diag)
{
    struct dna_pair pair = { (char *)"server", (char *)(uintptr_t)server };
    struct dna_pairs pairs = { 1, &pair };
    struct dna_scope scope = { NULL, &pairs };
    struct dna_render render = { .source = "version" };
    struct dna_words words = { 0 };
    struct dna_buf line = { 0 };
    char out[1024] = "";
    int status;

    if (dna_render(&render, p->version_command, &scope, &line, diag) ||
        command_split(p->pool, line.at, &words, diag) || words.num == 0) {
        dna_buf_free(&line);
        free(words.at);
        return -1;
    }
    status = run(&words, out, sizeof out);
    out[strcspn(out, "\n")] = '\0';
    free(words.at);
    if (status == 0) {
        p->version = dna_pool_strdup(p->pool, out);
    } else {
        dna_diag_set(diag, DNA_CLASS_HARD, "%s: the version command failed: %s\n  it said: %s",
                     p->name, line.at, *out ? out : "nothing");
    }
    dna_buf_free(&line);
    return status == 0 ? 0 : -1;
}

int dna_profile_check(struct dna_profile *p, const char *server, struct dna_diag *diag)
{
    const char *program = NULL;

    if (server)
        program = command_given(p->pool, server);
    else if (p->server)
        program = command_program(p->pool, p->server, p->root);
    if (check_files(p, diag))
        return -1;
    if (program && !command_exists(p->pool, program)) {
        /* A program that a person named is theirs to provide. */
        if (server)
            return dna_diag_set(diag, DNA_CLASS_HARD, "%s: %s can't be run: %s", p->name, server,
                                strerror(ENOENT));
        return say_missing(p, program, &p->packages, diag);
    }
    return p->version_command ? read_version(p, program ? program : "", diag) : 0;
}
