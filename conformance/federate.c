/* SPDX-License-Identifier: MIT */
/*
 * federate.c -- `xdna federate PROFILE[:VARIANT] PROFILE[:VARIANT]...`: starts the servers in the
 * lab and lets a user of each send one message to a user of each other, with the client of the
 * reference showing step by step how it establishes the association of its domain.
 *
 *   juliet@A  ->  server A  ==S2S==>  server B  ->  romeo@B        for each ordered pair (A, B)
 *
 * A demonstration and a smoke test, not a verdict on anybody.
 */
#include "conformance/federate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "conformance/lab/iut.h"
#include "conformance/lab/lab.h"

enum { MAX_SERVERS = 8, MAX_LINE = 4096, RUN_SECONDS = 30 };

/* A client that runs: what it prints is shown line by line behind its name. */
struct client {
    struct federation *f;
    pid_t pid;
    struct event *readable;
    char name[128];
    char line[MAX_LINE];
    size_t len;
    int status; /* as of waitpid, -1 while it runs */
    int bound;  /* it has said that it is online */
};

struct server {
    struct dna_profile *profile;
    const struct dna_variant *variant;
    struct dna_iut *iut;
};

struct federation {
    struct event_base *base;
    struct dna_lab lab;
    struct server servers[MAX_SERVERS];
    size_t num, ready;
    int failed;
    size_t from, to; /* the pair under way */
    struct client receiver, sender;
    struct event *deadline, *child;
    unsigned arrived, lost;
    const char *program;
};

static void next_pair(struct federation *f);

static void give_up(struct federation *f, const char *text)
{
    fprintf(stderr, "xdna federate: %s\n", text);
    f->failed = 1;
    event_base_loopbreak(f->base);
}

static void on_ready(struct dna_iut *iut, void *arg)
{
    struct federation *f = arg;
    printf("%s is up\n", dna_iut_variant(iut)->hosted[0]);
    if (++f->ready == f->num) {
        next_pair(f);
    }
}

static void on_failed(struct dna_iut *iut, const struct dna_diag *diag, void *arg)
{
    (void)iut;
    give_up(arg, diag->text);
}

static void on_death(struct dna_iut *iut, int status, void *arg)
{
    char words[128];
    dna_iut_death(status, words, sizeof words);
    fprintf(stderr, "xdna federate: %s: %s\n", dna_iut_variant(iut)->hosted[0], words);
    give_up(arg, "a server died");
}

static void start_sender(struct federation *f);

static void take_line(struct client *c)
{
    c->line[c->len] = '\0';
    c->len = 0;
    /* the sender's way is shown whole, of the receiver's only how it ends */
    if (c == &c->f->sender || strstr(c->line, "message") || strstr(c->line, "RESULT")) {
        printf("  %-6.*s %s\n", (int)strcspn(c->name, "@"), c->name, c->line);
    }
    if (c == &c->f->receiver && !c->bound && strstr(c->line, "has taken over")) {
        c->bound = 1; /* it is online: its presence has been taken over */
        start_sender(c->f);
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;
    char buf[1024];
    ssize_t n = read((int)fd, buf, sizeof buf);
    (void)what;
    if (n <= 0) {
        event_del(c->readable);
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (buf[i] == '\n' || c->len + 1 == sizeof c->line) {
            take_line(c);
        } else {
            c->line[c->len++] = buf[i];
        }
    }
}

/* run_client starts the reference's client; argv[0] is filled in here. */
static void run_client(struct federation *f, struct client *c, const char *name, char **argv)
{
    int fds[2];
    memset(c, 0, sizeof *c);
    c->f = f;
    c->status = -1;
    snprintf(c->name, sizeof c->name, "%s", name);
    argv[0] = (char *)(uintptr_t)f->program;
    fflush(stdout);
    if (pipe2(fds, O_CLOEXEC) || (c->pid = fork()) < 0) {
        give_up(f, strerror(errno));
        return;
    }
    if (c->pid == 0) {
        int null = open("/dev/null", O_RDONLY);
        dup2(null, 0);
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        execv(f->program, argv);
        dprintf(2, "%s: %s\n", f->program, strerror(errno));
        _exit(99);
    }
    close(fds[1]);
    evutil_make_socket_nonblocking(fds[0]);
    c->readable = event_new(f->base, fds[0], EV_READ | EV_PERSIST, on_readable, c);
    event_add(c->readable, NULL);
}

static void end_client(struct client *c)
{
    if (c->readable) {
        on_readable(event_get_fd(c->readable), EV_READ, c);
        close(event_get_fd(c->readable));
        event_free(c->readable);
        c->readable = NULL;
    }
    if (c->pid > 0 && c->status == -1) {
        kill(c->pid, SIGKILL);
        waitpid(c->pid, &c->status, 0);
    }
    c->pid = 0;
}

static const char *account(const struct federation *f, size_t server, const char *user)
{
    const char *password = dna_pairs_get(&f->servers[server].profile->accounts, user);
    return password ? password : "";
}

static void start_receiver(struct federation *f)
{
    char jid[300], ca[400];
    snprintf(jid, sizeof jid, "romeo@%s", f->servers[f->to].variant->hosted[0]);
    snprintf(ca, sizeof ca, "%s/ca.crt", f->lab.store_dir);
    char *argv[] = { NULL,
                     "--jid",
                     jid,
                     "--password",
                     (char *)(uintptr_t)account(f, f->to, "romeo"),
                     "--ca-file",
                     ca,
                     "--expect-message",
                     "greeting",
                     "--wait",
                     "10",
                     NULL };
    run_client(f, &f->receiver, jid, argv);
}

static void start_sender(struct federation *f)
{
    char jid[300], to[300], ca[400];
    snprintf(jid, sizeof jid, "juliet@%s", f->servers[f->from].variant->hosted[0]);
    snprintf(to, sizeof to, "romeo@%s", f->servers[f->to].variant->hosted[0]);
    snprintf(ca, sizeof ca, "%s/ca.crt", f->lab.store_dir);
    char *argv[] = { NULL,
                     "--jid",
                     jid,
                     "--password",
                     (char *)(uintptr_t)account(f, f->from, "juliet"),
                     "--ca-file",
                     ca,
                     "--to",
                     to,
                     "--message",
                     "Good morrow to thee!",
                     "--message-id",
                     "greeting",
                     NULL };
    run_client(f, &f->sender, jid, argv);
}

static void pair_ends(struct federation *f)
{
    int ok = WIFEXITED(f->receiver.status) && WEXITSTATUS(f->receiver.status) == 0;
    end_client(&f->receiver);
    end_client(&f->sender);
    evtimer_del(f->deadline);
    printf("%s -> %s: %s\n\n", f->servers[f->from].variant->hosted[0],
           f->servers[f->to].variant->hosted[0],
           ok ? "the message arrived" : "the message was lost");
    f->arrived += ok ? 1 : 0;
    f->lost += ok ? 0 : 1;
    f->to++;
    next_pair(f);
}

static void on_child(evutil_socket_t sig, short what, void *arg)
{
    struct federation *f = arg;
    struct client *clients[] = { &f->receiver, &f->sender };
    (void)sig;
    (void)what;
    for (size_t i = 0; i < 2; i++) {
        int status;
        if (clients[i]->pid > 0 && clients[i]->status == -1 &&
            waitpid(clients[i]->pid, &status, WNOHANG) == clients[i]->pid) {
            clients[i]->status = status;
        }
    }
    if (f->receiver.pid > 0 && f->receiver.status != -1) {
        pair_ends(f);
    }
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    pair_ends(arg);
}

static void next_pair(struct federation *f)
{
    struct timeval limit = { RUN_SECONDS, 0 };
    if (f->to == f->from) {
        f->to++;
    }
    if (f->to >= f->num) {
        f->from++;
        f->to = 0;
    }
    if (f->from >= f->num || f->failed) {
        event_base_loopbreak(f->base);
        return;
    }
    if (f->to == f->from) {
        next_pair(f);
        return;
    }
    printf("%s -> %s\n", f->servers[f->from].variant->hosted[0],
           f->servers[f->to].variant->hosted[0]);
    evtimer_add(f->deadline, &limit);
    start_receiver(f);
}

/* load reads "PROFILE[:VARIANT]". */
static int load(struct federation *f, char *word, struct dna_diag *diag)
{
    struct server *s = &f->servers[f->num];
    char *colon = strchr(word, ':');
    if (colon) {
        *colon++ = '\0';
    }
    s->profile = dna_profile_load(word, diag);
    if (!s->profile || dna_profile_check(s->profile, NULL, diag)) {
        return -1;
    }
    s->variant = dna_profile_variant(s->profile, colon ? colon : "default");
    for (size_t i = 0; i < f->num; i++) {
        if (s->variant && strcmp(f->servers[i].variant->address, s->variant->address) == 0) {
            return dna_diag_set(diag, DNA_CLASS_USAGE,
                                "%s and %s live at the same address: choose another variant",
                                f->servers[i].variant->hosted[0], s->variant->hosted[0]);
        }
    }
    f->num++;
    return s->variant
               ? 0
               : dna_diag_set(diag, DNA_CLASS_USAGE, "profile %s has no variant %s", word, colon);
}

static int start_all(struct federation *f, struct dna_diag *diag)
{
    for (size_t i = 0; i < f->num; i++) {
        struct dna_iut_options options = {
            .base = f->base,
            .dns = f->lab.dns,
            .ca = f->lab.ca,
            .dir = f->lab.place.dir,
            .store_dir = f->lab.store_dir,
            .calls = { .on_ready = on_ready,
                       .on_failed = on_failed,
                       .on_death = on_death,
                       .arg = f },
        };
        f->servers[i].iut = dna_iut_new(f->servers[i].variant, &options, diag);
        if (!f->servers[i].iut || dna_iut_start(f->servers[i].iut, diag)) {
            return -1;
        }
    }
    return 0;
}

static int run(struct federation *f, struct dna_diag *diag)
{
    if (dna_lab_enter(NULL, &f->lab.place, diag)) {
        return -1;
    }
    f->base = event_base_new();
    f->deadline = evtimer_new(f->base, on_deadline, f);
    f->child = evsignal_new(f->base, SIGCHLD, on_child, f);
    evsignal_add(f->child, NULL);
    if (dna_lab_open(&f->lab, f->base, diag) || start_all(f, diag)) {
        return -1;
    }
    event_base_dispatch(f->base);
    for (size_t i = 0; i < f->num; i++) {
        dna_iut_free(f->servers[i].iut);
    }
    end_client(&f->receiver);
    end_client(&f->sender);
    return 0;
}

int dna_federate(int argc, char **argv)
{
    static struct federation f;
    struct dna_diag diag = { DNA_CLASS_HARD, "" };
    f.program = getenv("XDNA_CLIENT") ? getenv("XDNA_CLIENT") : "build/xdna-client";
    if (argc < 2 || argc > MAX_SERVERS) {
        fprintf(stderr, "usage: xdna federate PROFILE[:VARIANT] PROFILE[:VARIANT]...\n"
                        "  e.g. xdna federate xdna:default xdna:nobidi prosody\n");
        return 2;
    }
    if (access(f.program, X_OK)) {
        fprintf(stderr, "xdna federate: %s: %s (run make)\n", f.program, strerror(errno));
        return 99;
    }
    for (int i = 0; i < argc; i++) {
        if (load(&f, argv[i], &diag)) {
            fprintf(stderr, "xdna federate: %s\n", diag.text);
            return (int)diag.class;
        }
    }
    if (run(&f, &diag)) {
        fprintf(stderr, "xdna federate: %s\n", diag.text);
        return (int)diag.class;
    }
    printf("%u messages arrived, %u were lost\n", f.arrived, f.lost);
    return f.failed ? 99 : f.lost ? 1 : 0;
}
