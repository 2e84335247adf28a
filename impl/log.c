/* SPDX-License-Identifier: MIT */
/* log: see log.h. Lines wait in one bounded buffer when the reader is slow; what does not fit is
 * counted and the count is said once there is room again. */
#include "impl/log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "impl/buf.h"
#include "model/machine.h"
#include "spec/req.h"

enum {
    WAITING_MAX = 1 << 20,
    CHUNK = 4096
}; /* CHUNK <= PIPE_BUF: a pipe that polls writable takes it */

static struct {
    int fd;
    enum dna_log_level level;
    struct dna_buf waiting;
    unsigned long lost;
} out = { STDERR_FILENO, DNA_LOG_INFO, DNA_BUF_INIT, 0 };

static const char *const level_names[] = { "error", "warn", "info", "step", "debug" };

int dna_log_open(const char *path, enum dna_log_level level)
{
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644) : STDERR_FILENO;
    if (fd < 0)
        return -1;
    if (out.fd != STDERR_FILENO)
        (void)close(out.fd);
    out.fd = fd;
    out.level = level;
    return 0;
}

static void flush(void)
{
    struct pollfd p = { out.fd, POLLOUT, 0 };
    size_t done = 0;
    while (done < out.waiting.len && poll(&p, 1, 0) == 1 && (p.revents & POLLOUT)) {
        size_t len = out.waiting.len - done;
        ssize_t n = write(out.fd, out.waiting.at + done, len < CHUNK ? len : CHUNK);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (!done)
        return;
    out.waiting.len -= done;
    memmove(out.waiting.at, out.waiting.at + done, out.waiting.len + 1);
}

void dna_log_close(void)
{
    flush();
    dna_buf_cleanup(&out.waiting);
    if (out.fd != STDERR_FILENO)
        (void)close(out.fd);
    out.fd = STDERR_FILENO;
}

int dna_log_level_parse(const char *name)
{
    for (int i = 0; i <= DNA_LOG_DEBUG; i++)
        if (strcmp(level_names[i], name) == 0)
            return i;
    return -1;
}

static void stamp(char at[40])
{
    struct timespec now;
    struct tm tm;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &tm);
    size_t n = strftime(at, 30, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(at + n, 40 - n, ".%03ldZ", now.tv_nsec / 1000000);
}

static void emit(const char *line, size_t len)
{
    if (out.waiting.len + len > WAITING_MAX) {
        flush();
        if (out.waiting.len + len > WAITING_MAX) {
            out.lost++;
            return;
        }
    }
    if (out.lost) {
        dna_buf_printf(&out.waiting, "event=log_lines_lost number=%lu\n", out.lost);
        out.lost = 0;
    }
    dna_buf_add(&out.waiting, line, len);
    flush();
}

void dna_log(enum dna_log_level level, const char *event, const char *format, ...)
{
    if (level > out.level)
        return;
    char rest[2000], at[40], line[2200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(rest, sizeof rest, format, args);
    va_end(args);
    stamp(at);
    int n = snprintf(line, sizeof line, "t=%s level=%s event=%s%s%s\n", at, level_names[level],
                     event, rest[0] ? " " : "", rest);
    emit(line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

const char *dna_log_quote(const char *text)
{
    static char room[4][300];
    static unsigned turn;
    char *to = room[turn++ % 4];
    size_t n = 0;
    to[n++] = '"';
    for (; *text && n < sizeof room[0] - 6; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            to[n++] = '\\';
        to[n++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    if (*text)
        n += (size_t)snprintf(to + n, 4, "...");
    to[n++] = '"';
    to[n] = '\0';
    return to;
}

static void add_list(struct dna_buf *b, const char *key, size_t index, const char *name)
{
    dna_buf_printf(b, "%s%s", index ? "," : key, name);
}

void dna_log_step(uint64_t conn, const char *pair, const struct dna_effects *fx)
{
    if (out.level < DNA_LOG_STEP)
        return;
    static struct dna_buf b = DNA_BUF_INIT; /* one line at a time: kept for its memory */
    char at[40];
    const struct dna_machine *m = fx->machine;
    dna_buf_reset(&b);
    stamp(at);
    dna_buf_printf(&b, "t=%s conn=%llu machine=%s", at, (unsigned long long)conn, m->name);
    if (pair)
        dna_buf_printf(&b, " pair=%s", pair);
    dna_buf_printf(&b, " state=%s on=%s", m->states[fx->from].name, m->events[fx->on].name);
    if (fx->row != DNA_NO_ROW) {
        const struct dna_row *row = &m->rows[fx->row];
        dna_buf_printf(&b, " row=%s", row->id);
        dna_buf_printf(&b, " to=%s", m->states[fx->to].name);
        for (size_t i = 0; row->because && row->because[i] != DNA_REQ_END; i++)
            add_list(&b, " req=", i, dna_requirement((enum dna_req)row->because[i])->id);
    } else {
        dna_buf_puts(&b, " row=none");
    }
    for (size_t i = 0; i < fx->num_outs; i++)
        add_list(&b, " outs=", i, m->dos[fx->outs[i]].name);
    dna_buf_puts(&b, "\n");
    emit(b.at, b.len);
}
