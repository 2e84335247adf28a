/* SPDX-License-Identifier: MIT */
/*
 * idle -- how much memory an implementation needs for idle secured streams.  Part of `make bench`.
 *
 *   usage: bench-idle PROFILE COUNT        (inside nothing: it makes its own lab)
 *
 * Starts the profile's default variant in the lab, opens COUNT S2S streams, takes each through
 * STARTTLS and its second header, leaves it idle, and reads the process's resident memory.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "conformance/lab/iut.h"
#include "conformance/lab/lab.h"

struct wait {
    struct event_base *base;
    int ready;
};

static void on_ready(struct dna_iut *iut, void *arg)
{
    struct wait *w = arg;
    (void)iut;
    w->ready = 1;
    event_base_loopbreak(w->base);
}

static void on_failed(struct dna_iut *iut, const struct dna_diag *diag, void *arg)
{
    struct wait *w = arg;
    (void)iut;
    fprintf(stderr, "bench-idle: %s\n", diag->text);
    w->ready = -1;
    event_base_loopbreak(w->base);
}

static void on_death(struct dna_iut *iut, int status, void *arg)
{
    struct wait *w = arg;
    (void)iut;
    fprintf(stderr, "bench-idle: the server died (status %d)\n", status);
    w->ready = -1;
    event_base_loopbreak(w->base);
}

/* rss_kb reads the resident memory of a process in KiB, -1 if it can't. */
static long rss_kb(pid_t pid)
{
    char path[64], line[256];
    long kb = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "VmRSS: %ld", &kb) == 1) {
            break;
        }
    }
    if (f) {
        fclose(f);
    }
    return kb;
}

static int send_header(int fd, SSL *ssl, const char *to)
{
    char text[512];
    int len = snprintf(text, sizeof text,
                       "<stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' "
                       "xmlns:stream='http://etherx.jabber.org/streams' to='%s' version='1.0'>", to);
    return ssl ? SSL_write(ssl, text, len) : (int)send(fd, text, (size_t)len, 0);
}

/* read_until reads until `what` was seen. */
static int read_until(int fd, SSL *ssl, const char *what)
{
    char buf[8192];
    size_t have = 0;
    while (have + 1 < sizeof buf) {
        int n = ssl ? SSL_read(ssl, buf + have, (int)(sizeof buf - 1 - have))
                    : (int)recv(fd, buf + have, sizeof buf - 1 - have, 0);
        if (n <= 0) {
            return -1;
        }
        have += (size_t)n;
        buf[have] = '\0';
        if (strstr(buf, what)) {
            return 0;
        }
    }
    return -1;
}

/* open_idle opens one stream and secures it; the SSL object and the socket stay open for good. */
static int open_idle(SSL_CTX *ctx, const struct dna_variant *v)
{
    static const char starttls[] = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(v->s2s_port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    inet_pton(AF_INET, v->address, &sin.sin_addr);
    if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof sin)) {
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (send_header(fd, NULL, v->hosted[0]) < 0 || read_until(fd, NULL, "</stream:features>") ||
        send(fd, starttls, sizeof starttls - 1, 0) < 0 || read_until(fd, NULL, "<proceed")) {
        return -1;
    }
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    return SSL_connect(ssl) == 1 && send_header(fd, ssl, v->hosted[0]) > 0 &&
                   read_until(fd, ssl, "features>") == 0
               ? 0
               : -1;
}

static int measure(const struct dna_variant *v, struct dna_iut *iut, long count)
{
    struct timespec t0, t1;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    long before = rss_kb(dna_iut_pid(iut));
    clock_gettime(CLOCK_MONOTONIC, &t0);
    for (long i = 0; i < count; i++) {
        if (open_idle(ctx, v)) {
            fprintf(stderr, "bench-idle: stream %ld of %ld could not be secured\n", i + 1, count);
            return 1;
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &t1);
    long after = rss_kb(dna_iut_pid(iut));
    double s = (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
    printf("idle streams: %ld secured S2S streams on %s: resident %.1f MB -> %.1f MB, %.1f KiB each; "
           "set up one after the other at %.0f/s\n",
           count, v->hosted[0], (double)before / 1024, (double)after / 1024,
           (double)(after - before) / (double)count, (double)count / s);
    return 0;
}

int main(int argc, char **argv)
{
    struct dna_diag diag;
    struct dna_lab lab = { 0 };
    long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (count < 1 || count > 50000) {
        fprintf(stderr, "usage: bench-idle PROFILE COUNT (1..50000)\n");
        return 2;
    }
    struct rlimit files = { 60000, 60000 };
    if (setrlimit(RLIMIT_NOFILE, &files)) {
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    struct dna_profile *profile = dna_profile_load(argv[1], &diag);
    if (!profile || dna_profile_check(profile, NULL, &diag) ||
        dna_lab_enter(NULL, &lab.place, &diag)) {
        fprintf(stderr, "bench-idle: %s\n", diag.text);
        return (int)diag.class;
    }
    struct wait w = { event_base_new(), 0 };
    if (dna_lab_open(&lab, w.base, &diag)) {
        fprintf(stderr, "bench-idle: %s\n", diag.text);
        return (int)diag.class;
    }
    struct dna_iut_options options = {
        .base = w.base, .dns = lab.dns, .ca = lab.ca, .dir = lab.place.dir, .store_dir = lab.store_dir,
        .calls = { .on_ready = on_ready, .on_failed = on_failed, .on_death = on_death, .arg = &w },
    };
    const struct dna_variant *v = dna_profile_variant(profile, "default");
    struct dna_iut *iut = v ? dna_iut_new(v, &options, &diag) : NULL;
    if (!iut || dna_iut_start(iut, &diag)) {
        fprintf(stderr, "bench-idle: %s\n", iut || !v ? "no default variant, or no start" : diag.text);
        return 99;
    }
    event_base_dispatch(w.base);
    int status = w.ready == 1 ? measure(v, iut, count) : 99;
    dna_iut_free(iut);
    return status;
}
