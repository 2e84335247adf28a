/* SPDX-License-Identifier: MIT */
/* Tests of the private network: what a process finds inside, and how its end shows outside. */
#include "conformance/test/lab_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

static bool file_holds(const char *path, const char *text)
{
    char buffer[1024];
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(buffer, 1, sizeof buffer - 1, file) : 0;

    buffer[len] = '\0';
    if (file)
        fclose(file);
    return strstr(buffer, text) != NULL;
}

static int bound(const char *address, uint16_t port)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, address, &name.sin_addr);
    if (bind(fd, (struct sockaddr *)&name, sizeof name) || listen(fd, 5)) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool reaches(const char *address, uint16_t port)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok;

    inet_pton(AF_INET, address, &name.sin_addr);
    ok = connect(fd, (struct sockaddr *)&name, sizeof name) == 0;
    close(fd);
    return ok;
}

/* The checks inside are numbered by exit status, for there is no CUnit there. */
static int look_around(const struct dna_lab_place *place, void *outer_net)
{
    struct if_nameindex *interfaces;
    char host[64], net[64] = "";
    struct stat st;

    if (geteuid() != 0 || getpid() > 10)
        return 1;
    if (bound("127.0.0.53", 53) < 0 || bound("127.0.1.7", 5269) < 0 || bound("127.9.8.7", 443) < 0)
        return 2;
    if (!reaches("127.0.1.7", 5269) || !reaches("127.9.8.7", 443))
        return 11;
    if (readlink("/proc/self/ns/net", net, sizeof net - 1) < 0 || strcmp(net, outer_net) == 0)
        return 12;
    if (!file_holds("/etc/resolv.conf", "nameserver 127.0.0.53\n"))
        return 3;
    if (!file_holds("/etc/nsswitch.conf", "hosts: files dns\n"))
        return 4;
    if (!file_holds("/etc/hosts", "localhost"))
        return 5;
    interfaces = if_nameindex();
    if (!interfaces || strcmp(interfaces[0].if_name, "lo") != 0)
        return 6;
    if (gethostname(host, sizeof host) || strcmp(host, "xdna-lab") != 0)
        return 8;
    if (stat(place->dir, &st) || !S_ISDIR(st.st_mode))
        return 9;
    if (!file_holds("/proc/self/status", "Name:"))
        return 10;
    return 42;
}

static void inside_is_private(void)
{
    char net[64] = "";
    int status;

    CU_ASSERT_TRUE(readlink("/proc/self/ns/net", net, sizeof net - 1) > 0);
    status = lab_inside(look_around, net);

    CU_ASSERT_TRUE(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 42);
}

static bool receive(int fd, size_t len)
{
    char bytes[32];

    while (len > 0) {
        ssize_t num = recv(fd, bytes, len, 0);

        if (num <= 0)
            return false;
        len -= (size_t)num;
    }
    return true;
}

/*
 * Both sides write twice, with Nagle's algorithm on, in mid-conversation: the second write waits
 * for the first one's acknowledgement. A delayed one comes after 40 ms.
 */
static int converse(const struct dna_lab_place *place, void *arg)
{
    enum { TURNS = 20 };
    struct timespec start, end;
    int listener = bound("127.0.1.7", 5269), client, server;
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(5269) };

    (void)place;
    (void)arg;
    inet_pton(AF_INET, "127.0.1.7", &name.sin_addr);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(client, (struct sockaddr *)&name, sizeof name))
        return 1;
    server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < TURNS; i++) {
        if (send(client, "he", 2, 0) != 2 || send(client, "ader", 4, 0) != 4 ||
            !receive(server, 6) || send(server, "header", 6, 0) != 6 ||
            send(server, "features", 8, 0) != 8 || !receive(client, 14))
            return 2;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    /* With delayed acknowledgements these are some 19 * 40 ms. */
    return (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000 < 400 ? 0
                                                                                           : 4;
}

static void acknowledgements_are_quick(void)
{
    int status = -1;

    /* Once is enough: a busy machine is slow now and then, delayed acknowledgements always. */
    for (int i = 0; i < 3 && status != 0; i++)
        status = lab_inside(converse, NULL);
    CU_ASSERT_EQUAL(status, 0);
}

static int reach_out(const struct dna_lab_place *place, void *arg)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(53) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)place;
    (void)arg;
    inet_pton(AF_INET, "192.0.2.1", &name.sin_addr);
    return connect(fd, (struct sockaddr *)&name, sizeof name) && errno == ENETUNREACH ? 0 : 1;
}

static void nothing_leaves(void)
{
    CU_ASSERT_EQUAL(lab_inside(reach_out, NULL), 0);
}

static int crash(const struct dna_lab_place *place, void *arg)
{
    (void)place;
    (void)arg;
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return 0;
}

static void death_shows(void)
{
    int status = lab_inside(crash, NULL);

    CU_ASSERT_TRUE(WIFSIGNALED(status));
    CU_ASSERT_EQUAL(WTERMSIG(status), SIGSEGV);
}

static void ignored_sigchld_is_no_trap(void)
{
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct dna_lab_place place;
        struct dna_diag diag;

        signal(SIGCHLD, SIG_IGN); /* as some service managers and shells start their jobs */
        alarm(10);
        _exit(dna_lab_enter(NULL, &place, &diag) ? 1 : 5);
    }
    waitpid(pid, &status, 0);
    CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static volatile sig_atomic_t got_term;

static void on_term(int number)
{
    (void)number;
    got_term = 1;
}

/* wait_for_term says over the pipe that it is ready, then waits for one TERM. */
static int wait_for_term(const struct dna_lab_place *place, void *arg)
{
    struct sigaction action = { .sa_handler = on_term };
    sigset_t block, old;

    (void)place;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, &old);
    sigaction(SIGTERM, &action, NULL);
    if (write(*(int *)arg, "r", 1) != 1)
        return 1;
    while (!got_term)
        sigsuspend(&old);
    return 7;
}

/* start_waiter forks an original process whose inside runs wait_for_term; out is the pipe's end. */
static pid_t start_waiter(int *out, char *place_dir, size_t dir_len)
{
    int ends[2], dirs[2];
    ssize_t len;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) || pipe2(dirs, O_CLOEXEC))
        return -1;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct dna_lab_place place;
        struct dna_diag diag;

        close(ends[0]);
        if (dna_lab_enter(NULL, &place, &diag))
            _exit(99);
        if (write(dirs[1], place.dir, strlen(place.dir)) < 0)
            _exit(98);
        close(dirs[1]);
        _exit(wait_for_term(&place, &ends[1]));
    }
    close(ends[1]);
    close(dirs[1]);
    len = read(dirs[0], place_dir, dir_len - 1);
    place_dir[len > 0 ? len : 0] = '\0';
    close(dirs[0]);
    *out = ends[0];
    return pid;
}

static void signals_pass(void)
{
    char dir[256], byte = 0;
    struct stat st;
    int end, status;
    pid_t pid = start_waiter(&end, dir, sizeof dir);

    CU_ASSERT_EQUAL_FATAL(read(end, &byte, 1), 1);
    CU_ASSERT_EQUAL(stat(dir, &st), 0);
    kill(pid, SIGTERM);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_TRUE(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 7);
    CU_ASSERT_TRUE(stat(dir, &st) != 0 && errno == ENOENT);
    close(end);
}

static void death_of_original_ends_all(void)
{
    struct pollfd wait = { .events = POLLIN };
    char dir[256], byte = 0;
    int end, status;
    pid_t pid = start_waiter(&end, dir, sizeof dir);

    CU_ASSERT_EQUAL_FATAL(read(end, &byte, 1), 1);
    kill(pid, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    wait.fd = end;
    CU_ASSERT_EQUAL(poll(&wait, 1, 5000), 1);
    CU_ASSERT_EQUAL(read(end, &byte, 1), 0); /* the last holder of the other end is gone */
    close(end);
    rmdir(dir); /* nobody was left to do it */
}

static int make_orphan(const struct dna_lab_place *place, void *arg)
{
    int ends[2];
    struct timespec start, now;
    pid_t child, orphan = 0;

    (void)place;
    (void)arg;
    if (pipe2(ends, O_CLOEXEC))
        return 1;
    child = fork();
    if (child == 0) {
        orphan = fork();
        if (orphan == 0)
            _exit(0);
        _exit(write(ends[1], &orphan, sizeof orphan) == (ssize_t)sizeof orphan ? 0 : 1);
    }
    if (read(ends[0], &orphan, sizeof orphan) != (ssize_t)sizeof orphan)
        return 2;
    waitpid(child, NULL, 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        if (kill(orphan, 0) && errno == ESRCH)
            return 0;
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - start.tv_sec < 5);
    return 3;
}

static void orphans_are_reaped(void)
{
    CU_ASSERT_EQUAL(lab_inside(make_orphan, NULL), 0);
}

static void kept_directory_stays(void)
{
    char dir[] = "/tmp/xdna-keep.XXXXXX", path[300];
    struct stat st;
    int status;
    pid_t pid;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct dna_lab_place place;
        struct dna_diag diag;

        _exit(dna_lab_enter(dir, &place, &diag) || strcmp(place.dir, dir) != 0 ? 1 : 0);
    }
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    snprintf(path, sizeof path, "%s/etc/resolv.conf", dir);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    unlink(path);
    snprintf(path, sizeof path, "%s/etc/hosts", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/etc/nsswitch.conf", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/etc", dir);
    rmdir(path);
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static bool put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return ok;
}

/*
 * refused_inside stands in a user namespace that may have none below it, as an ordinary user,
 * which is what a system with user.max_user_namespaces=0 looks like.
 */
static int refused_inside(void)
{
    struct dna_lab_place place;
    struct dna_diag diag = { 0 };
    char map[32];

    snprintf(map, sizeof map, "1000 %lu 1", (unsigned long)geteuid());
    if (unshare(CLONE_NEWUSER))
        return 0; /* none to be had even here: this machine refuses in earnest */
    if (!put("/proc/self/uid_map", map) || geteuid() != 1000)
        return 1;
    if (!put("/proc/sys/user/max_user_namespaces", "0"))
        return 2;
    if (dna_lab_enter(NULL, &place, &diag) == 0)
        return 3;
    if (diag.class != DNA_CLASS_HARD)
        return 4;
    if (!strstr(diag.text, "sysctl -w user.max_user_namespaces=15000"))
        return 5;
    return access(place.dir, F_OK) == 0 ? 6 : 0;
}

static void refusal_says_how(void)
{
    struct dna_diag diag = { 0 };
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        _exit(refused_inside());
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(dna_lab_refusal(EPERM, &diag), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, LAB_REFUSES));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "user.max_user_namespaces"));
}

int main(void)
{
    static const struct lab_test tests[] = {
        { "inside is a private network", inside_is_private },
        { "nothing leaves the machine", nothing_leaves },
        { "acknowledgements are quick", acknowledgements_are_quick },
        { "a death inside shows outside", death_shows },
        { "an ignored SIGCHLD is no trap", ignored_sigchld_is_no_trap },
        { "signals are passed on", signals_pass },
        { "death of the original ends all", death_of_original_ends_all },
        { "orphans are reaped", orphans_are_reaped },
        { "a kept directory stays", kept_directory_stays },
        { "a refusal says what allows it", refusal_says_how },
    };

    return lab_test_main("lab.ns", tests, sizeof tests / sizeof tests[0], lab_refused());
}
