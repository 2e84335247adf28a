/* SPDX-License-Identifier: MIT */
/*
 * verify_fork.c -- see verify_fork.h.  A job's output goes to a file without a name, which the
 * parent copies when all jobs before it have been copied.
 */
#include "model/verify_fork.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct running {
    pid_t pid; /* 0: not begun, or ended */
    FILE *said;
    int status;
};

static void begin(struct running *r, size_t i, int (*job)(size_t i, FILE *out, void *arg),
                  FILE *out, void *arg)
{
    r->said = tmpfile();
    fflush(out);
    r->pid = r->said ? fork() : -1;
    if (r->pid == 0) {
        int status = job(i, r->said, arg);
        fflush(r->said);
        _exit(status);
    }
    if (r->pid < 0) { /* no process or no file to be had: here, then */
        r->pid = 0;
        r->status = job(i, r->said ? r->said : out, arg);
    }
}

/* Returns how many jobs have ended: one, or all when there is nothing to wait for. */
static size_t await_one(struct running *all, size_t num)
{
    int how = 0;
    size_t ended = 0;
    pid_t pid = wait(&how);
    for (size_t i = 0; i < num; i++) {
        if (all[i].pid && (pid < 0 || all[i].pid == pid)) {
            all[i].pid = 0;
            all[i].status = pid > 0 && WIFEXITED(how) ? WEXITSTATUS(how) : 3;
            ended++;
        }
    }
    return ended;
}

static void copy(FILE *from, FILE *to)
{
    char buffer[4096];
    size_t len;
    if (!from) {
        return;
    }
    rewind(from);
    while ((len = fread(buffer, 1, sizeof buffer, from)) > 0) {
        (void)fwrite(buffer, 1, len, to);
    }
    fclose(from);
}

int dna_vf_in_parallel(size_t num, int (*job)(size_t i, FILE *out, void *arg), FILE *out, void *arg)
{
    struct running *all = calloc(num ? num : 1, sizeof *all);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = processors > 0 ? (size_t)processors : 1, begun = 0, running = 0;
    int worst = all ? 0 : 3;
    for (size_t shown = 0; all && shown < num;) {
        if (begun < num && running < most) {
            begin(&all[begun], begun, job, out, arg);
            running += all[begun++].pid != 0;
            continue;
        }
        if (all[shown].pid) {
            running -= await_one(all, num);
            continue;
        }
        copy(all[shown].said, out);
        fflush(out);
        worst = all[shown].status > worst ? all[shown].status : worst;
        shown++;
    }
    free(all);
    return worst;
}

void *dna_vf_shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void dna_vf_unshare(void *memory, size_t size)
{
    if (memory) {
        (void)munmap(memory, size);
    }
}
