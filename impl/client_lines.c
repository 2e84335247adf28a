/* SPDX-License-Identifier: MIT */
/* client_lines.c -- room impl.  Messages that the user of xdna-client writes while it is connected:
   a line of a terminal, a pipe or a file is one.  Each goes to the tables as soon as it is there;
   more than a few are not taken in while the server takes none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "impl/client_internal.h"

enum { CHUNK = 4096, MAX_LINE = 65536, MAX_HELD = 100, MAX_UNSENT = 1 << 18, AGAIN_MS = 50 };

struct dna_client_lines {
    struct dna_client *client;
    struct event *ready, *again;
    struct dna_buf line;
    unsigned number; /* of the line that is being read, from 1 */
    bool too_long, paused, stopped, file;
};

static void refuse(struct dna_client_lines *l, const char *why)
{
    dna_client_show(l->client, "message", "line %u is not sent: %s", l->number, why);
    dna_client_verdict(l->client, DNA_CLIENT_REFUSED);
}

/* Why XML can't hold the text; NULL: it can. */
static const char *unfit(const char *text, size_t len)
{
    if (!dna_utf8_valid(text, len))
        return "not UTF-8";
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 && text[i] != '\t')
            return "a control character";
        if (len - i >= 3 && (memcmp(text + i, "\xef\xbf\xbe", 3) == 0 ||
                             memcmp(text + i, "\xef\xbf\xbf", 3) == 0))
            return "U+FFFE or U+FFFF, which are no characters of XML";
    }
    return NULL;
}

static void end_line(struct dna_client_lines *l)
{
    const char *why;

    l->number++;
    if (l->line.len && l->line.at[l->line.len - 1] == '\r')
        l->line.at[--l->line.len] = '\0';
    why = l->too_long ? "longer than 65536 bytes" : unfit(l->line.at, l->line.len);
    if (why)
        refuse(l, why);
    else if (l->line.len)
        dna_client_say_line(l->client, l->line.at);
    l->line.len = 0;
    l->too_long = false;
}

static void take(struct dna_client_lines *l, const char *bytes, size_t len)
{
    for (const char *end = bytes + len; bytes < end && !l->stopped;) {
        const char *eol = memchr(bytes, '\n', (size_t)(end - bytes));
        size_t part = (size_t)((eol ? eol : end) - bytes);

        l->too_long |= l->line.len + part > MAX_LINE;
        if (!l->too_long)
            dna_buf_add(&l->line, bytes, part);
        if (eol)
            end_line(l);
        bytes += part + (eol != NULL);
    }
}

static void go_on(struct dna_client_lines *l)
{
    if (l->paused || l->stopped)
        return;
    if (!l->file && event_add(l->ready, NULL) != 0)
        l->file = true;
    if (l->file) /* is always ready, and no event tells it */
        dna_client_deadline(l->again, 0);
}

static void end(struct dna_client_lines *l, const char *why)
{
    if (l->line.len || l->too_long)
        end_line(l);
    l->stopped = true;
    if (why) {
        dna_client_show(l->client, "message", "no more can be read: %s", why);
        dna_client_verdict(l->client, DNA_CLIENT_USAGE);
    }
    dna_client_no_more(l->client);
}

static bool backlog(const struct dna_client *c)
{
    return c->num_held >= MAX_HELD || (c->conn && dna_conn_pending(c->conn) > MAX_UNSENT);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct dna_client_lines *l = arg;
    char chunk[CHUNK];
    ssize_t len;

    (void)fd;
    (void)what;
    if (l->paused || l->stopped)
        return;
    if (backlog(l->client)) {
        dna_client_deadline(l->again, AGAIN_MS);
        return;
    }
    len = read(l->client->options->lines_fd, chunk, sizeof chunk);
    if (len > 0)
        take(l, chunk, (size_t)len);
    else if (len == 0 || (errno != EAGAIN && errno != EINTR))
        end(l, len ? strerror(errno) : NULL);
    go_on(l);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
    struct dna_client_lines *l = arg;

    if (l->file)
        on_ready(fd, what, l);
    else
        go_on(l);
}

/* epoll takes neither a file nor a device like /dev/null. */
static bool always_ready(int fd, mode_t mode)
{
    return S_ISREG(mode) || S_ISDIR(mode) || S_ISBLK(mode) || (S_ISCHR(mode) && !isatty(fd));
}

void dna_client_lines_begin(struct dna_client *c)
{
    struct dna_client_lines *l = dna_calloc(1, sizeof *l);
    int fd = c->options->lines_fd;
    struct stat st;

    c->lines = l;
    l->client = c;
    l->file = fstat(fd, &st) != 0 || always_ready(fd, st.st_mode);
    l->ready = event_new(c->base, fd, EV_READ, on_ready, l);
    l->again = evtimer_new(c->base, on_again, l);
    if (!l->ready || !l->again)
        abort();
    go_on(l);
}

/* The user's answer would be taken for a message: /dev/stdin is standard input by another
 * descriptor, and /dev/tty most likely the terminal that is asked. */
static bool same_source(int a, int b)
{
    struct stat of_a, of_b;

    if (a == b || (isatty(a) && isatty(b)))
        return true;
    return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino && of_a.st_rdev == of_b.st_rdev;
}

void dna_client_lines_pause(struct dna_client *c, bool pause)
{
    if (!c->lines || !same_source(c->options->lines_fd, c->options->ask_fd))
        return;
    c->lines->paused = pause;
    if (pause)
        event_del(c->lines->ready);
    else
        go_on(c->lines);
}

void dna_client_lines_stop(struct dna_client *c)
{
    const struct dna_row *row = c->row; /* it is for what the stream ends of */

    if (!c->lines || c->lines->stopped)
        return;
    c->lines->stopped = true;
    c->row = NULL;
    dna_client_show(c, "message", "nothing is read from line %u on: the stream ends",
                    c->lines->number + 1);
    c->row = row;
    event_del(c->lines->ready);
    event_del(c->lines->again);
}

void dna_client_lines_free(struct dna_client *c)
{
    if (!c->lines)
        return;
    event_free(c->lines->ready);
    event_free(c->lines->again);
    dna_buf_cleanup(&c->lines->line);
    free(c->lines);
}
