/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The client under test: a command started by a scenario, its output read on
 * the event loop, its exit seen through SIGCHLD. It lives as long as the case.
 */
#include "conformance/case_run.h"
#include "conformance/scn_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

extern char **environ;

struct dna_child {
    struct dna_case_run *run;
    pid_t pid;                 /* 0 once reaped */
    int status;
    struct bufferevent *output;
    int input;                 /* our end of its standard input, -1 when closed */
    int messages;              /* and of what it reads messages from, descriptor 3; -1: nothing */
    struct event *sigchld;
    struct dna_buf text;
    bool reaped, drained;
};

static void on_output(struct bufferevent *bev, void *arg)
{
    struct dna_child *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    char part[1024];
    int n;

    while ((n = evbuffer_remove(in, part, sizeof(part))) > 0) {
        dna_buf_add(&c->text, part, (size_t)n);
        dna_run_note(c->run, "client prints: %.*s", n, part);
    }
    dna_run_wake(c->run);
}

static void on_output_end(struct bufferevent *bev, short what, void *arg)
{
    struct dna_child *c = arg;

    (void)what;
    on_output(bev, c);
    c->drained = true;
    dna_run_wake(c->run);
}

static void on_sigchld(evutil_socket_t fd, short what, void *arg)
{
    struct dna_child *c = arg;

    (void)fd;
    (void)what;
    if (c->reaped || waitpid(c->pid, &c->status, WNOHANG) != c->pid)
        return;
    c->reaped = true;
    dna_run_note(c->run, "client exits: %d",
                 WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status));
    dna_run_wake(c->run);
}

static const char *placeholder(struct dna_actor *a, const char *word)
{
    struct dna_lab *lab = a->run->context->lab;
    const struct dna_pairs *settings = &dna_iut_variant(a->run->iut)->settings;
    const struct {
        const char *name, *value;
    } known[] = { { "@jid@", a->jid },
                  { "@resolver@", DNA_LAB_RESOLVER },
                  { "@resolver_port@", "53" },
                  { "@ca_dir@", lab->store_dir },
                  { "@trust_anchor@", dna_dns_anchor(lab->dns) },
                  { "@crl_file@", dna_pool_printf(a->run->pool, "%s/ca.crl", lab->store_dir) },
                  { "@outdated_crl_file@",
                    dna_pool_printf(a->run->pool, "%s/outdated.crl", lab->store_dir) },
                  { "@messages@", "/dev/fd/3" },
                  { "@tmp@", dna_pool_printf(a->run->pool, "%s/%s", lab->place.dir,
                                             a->run->label) },
                  { "@ca_file@", dna_pool_printf(a->run->pool, "%s/ca.crt", lab->store_dir) } };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        const char *at = strstr(word, known[i].name);

        if (at)
            return placeholder(a, dna_pool_printf(a->run->pool, "%.*s%s%s", (int)(at - word), word,
                                                  known[i].value, at + strlen(known[i].name)));
    }
    for (size_t i = 0; i < settings->num; i++) {
        const char *name = dna_pool_printf(a->run->pool, "@%s@", settings->at[i].key);
        const char *at = strstr(word, name);

        if (at)
            return placeholder(a, dna_pool_printf(a->run->pool, "%.*s%s%s", (int)(at - word), word,
                                                  settings->at[i].value, at + strlen(name)));
    }
    return word;
}

/* fd 3 is the client's end of messages, if there is one. */
static bool spawn(struct dna_child *c, char **argv, int in, int messages, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    bool ok;

    sigemptyset(&none);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, out, 2);
    if (messages >= 0)
        posix_spawn_file_actions_adddup2(&actions, messages, 3);
    ok = posix_spawnp(&c->pid, argv[0], &actions, &attr, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return ok;
}

/*
 * The client's standard input: a pipe, or a terminal (in which a user can be asked). in[0] is the
 * client's end, in[1] ours.
 */
static bool make_input(bool terminal, int in[2])
{
    char name[64];

    if (!terminal)
        return pipe2(in, O_CLOEXEC) == 0;
    in[1] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (in[1] < 0)
        return false;
    if (grantpt(in[1]) == 0 && unlockpt(in[1]) == 0 && ptsname_r(in[1], name, sizeof(name)) == 0) {
        in[0] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (in[0] >= 0)
            return true;
    }
    close(in[1]);
    return false;
}

/*
 * The words of the command: the profile's (for a client, or after "look" for a look from outside),
 * what the variant adds to either (client_args), and those of the step from `from` on; ended by
 * NULL.
 */
static char **command_words(struct dna_actor *a, const struct dna_step *step, size_t from,
                            const char *command)
{
    struct dna_case_run *run = a->run;
    const char *more = dna_pairs_get(&dna_iut_variant(run->iut)->settings, "client_args");
    const char **words, **added = NULL;
    size_t num = scn_words(run->pool, command, &words);
    size_t num_added = more ? scn_words(run->pool, more, &added) : 0, n = 0;
    char **argv =
        dna_pool_alloc(run->pool, (num + num_added + step->num_words + 2) * sizeof(*argv));

    for (size_t i = 0; i < num; i++)
        argv[n++] = dna_pool_strdup(run->pool, placeholder(a, words[i]));
    for (size_t i = 0; i < num_added; i++)
        argv[n++] = dna_pool_strdup(run->pool, placeholder(a, added[i]));
    for (size_t i = from; i < step->num_words; i++)
        argv[n++] = dna_pool_strdup(run->pool, placeholder(a, dna_run_expand(run, step->words[i])));
    argv[n] = NULL;
    return argv;
}

/* The test build of the client stands beside the client, and takes the damage of the case. */
static const char *damaged(struct dna_case_run *run, const char *command)
{
    static const char plain[] = "/xdna-client ";
    const char *at = strstr(command, plain);
    struct dna_buf b = { 0 };

    if (!run->c->damage || !at)
        return command;
    dna_buf_printf(&b, "%.*s/xdna-client-test ", (int)(at - command), command);
    dna_buf_printf(&b, "%s", run->c->damage);
    dna_buf_printf(&b, " %s", at + sizeof plain - 1);
    command = dna_pool_strdup(run->pool, b.at);
    dna_buf_free(&b);
    return command;
}

static bool begins_with(const struct dna_step *step, const char *word)
{
    return step->num_words && strcmp(step->words[0], word) == 0;
}

static void close_all(int *fds, size_t num)
{
    for (size_t i = 0; i < num; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* The pipes and terminals of a client: its ends are in theirs (input, messages, output), ours in
 * ours. */
static bool make_ends(const struct dna_step *step, int theirs[3], int ours[3])
{
    int ends[3][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
    bool writes = false, ok;

    for (size_t i = 0; i < step->num_words; i++)
        writes |= strstr(step->words[i], "@messages@") != NULL;
    ok = make_input(begins_with(step, "on-terminal"), ends[0]) &&
         (!writes || pipe2(ends[1], O_CLOEXEC) == 0) && pipe2(ends[2], O_CLOEXEC) == 0;
    for (size_t i = 0; i < 3; i++) {
        theirs[i] = ends[i][i == 2];
        ours[i] = ends[i][i != 2];
    }
    if (!ok) {
        close_all(theirs, 3);
        close_all(ours, 3);
    }
    return ok;
}

bool dna_child_run(struct dna_actor *a, const struct dna_step *step)
{
    struct dna_case_run *run = a->run;
    struct dna_child *c = dna_xcalloc(1, sizeof(*c));
    int theirs[3], ours[3];
    bool look = begins_with(step, "look"), ok;
    const char *command = look ? run->context->profile->look : run->context->profile->client;
    char **argv;

    dna_child_free(a->child);
    a->child = c;
    c->run = run;
    c->input = c->messages = -1;
    if (!command || !make_ends(step, theirs, ours))
        return false;
    argv = command_words(a, step, look || begins_with(step, "on-terminal"), damaged(run, command));
    for (size_t i = 0; argv[i]; i++)
        dna_run_note(run, "%s runs%s %s", a->scn->name, i ? " ..." : "", argv[i]);
    c->sigchld = evsignal_new(run->context->base, SIGCHLD, on_sigchld, c);
    event_add(c->sigchld, NULL);
    ok = spawn(c, argv, theirs[0], theirs[1], theirs[2]);
    close_all(theirs, 3);
    c->input = ours[0];
    c->messages = ours[1];
    fcntl(ours[2], F_SETFL, O_NONBLOCK);
    c->output = bufferevent_socket_new(run->context->base, ours[2], BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(c->output, on_output, NULL, on_output_end, c);
    bufferevent_enable(c->output, EV_READ);
    return ok;
}

void dna_child_input(struct dna_child *c, bool messages, const char *text)
{
    int fd = messages ? c->messages : c->input;

    /* a few bytes into an empty pipe: this does not block; a reader that is gone shows elsewhere */
    if (fd >= 0 && write(fd, text, strlen(text)) < 0)
        dna_run_note(c->run, "client does not read: %s", strerror(errno));
}

bool dna_child_has_exited(const struct dna_child *c, int *out_status)
{
    if (!c->reaped || !c->drained)
        return false;
    *out_status = WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status);
    return true;
}

const char *dna_child_output(const struct dna_child *c)
{
    return c->text.at ? c->text.at : "";
}

void dna_child_free(struct dna_child *c)
{
    if (!c)
        return;
    if (c->sigchld)
        event_free(c->sigchld);
    if (c->pid && !c->reaped) {
        kill(-c->pid, SIGKILL);
        waitpid(c->pid, NULL, 0); /* killed: this does not wait */
    }
    if (c->output)
        bufferevent_free(c->output);
    close_all((int[]){ c->input, c->messages }, 2);
    dna_buf_free(&c->text);
    free(c);
}
