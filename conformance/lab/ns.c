/* SPDX-License-Identifier: MIT */
/*
 * The lab's private network. Three processes: the caller stays outside and waits, an init is
 * pid 1 inside and reaps, and the process that continues is its child, since pid 1 would not die
 * of a signal as other processes do.
 */
#include "conformance/lab/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conformance/lab/loopback.h"

#define NS_FLAGS \
    (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC)

static int write_text(const char *path, const char *text, struct dna_diag *diag)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    size_t len = strlen(text);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len) {
        int error = errno;

        if (fd >= 0)
            close(fd);
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot write %s: %s", path,
                            strerror(error));
    }
    close(fd);
    return 0;
}

/* sysctl_value reads one line of /proc/sys; false if this kernel has no such setting. */
static bool sysctl_value(const char *name, char *out, size_t out_len)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "/proc/sys/%s", name);
    file = fopen(path, "re");
    if (!file)
        return false;
    if (!fgets(out, (int)out_len, file))
        out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    fclose(file);
    return true;
}

int dna_lab_refusal(int error, struct dna_diag *diag)
{
    static const struct {
        const char *path, *name, *bad, *good;
    } settings[] = {
        { "kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone", "0", "1" },
        { "user/max_user_namespaces", "user.max_user_namespaces", "0", "15000" },
        { "kernel/apparmor_restrict_unprivileged_userns",
          "kernel.apparmor_restrict_unprivileged_userns", "1", "0" },
    };
    bool found = false;
    char value[64];

    dna_diag_set(diag, DNA_CLASS_HARD,
                 "lab: this system refuses a private network (user namespaces): %s",
                 strerror(error));
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (!sysctl_value(settings[i].path, value, sizeof value))
            continue;
        if (strcmp(value, settings[i].bad) == 0) {
            dna_diag_add(diag, "\n  %s is %s; allow them with: sudo sysctl -w %s=%s",
                         settings[i].name, value, settings[i].name, settings[i].good);
            found = true;
        }
    }
    if (!found)
        dna_diag_add(diag,
                     "\n  the settings that decide: kernel.unprivileged_userns_clone=1, "
                     "user.max_user_namespaces above 0,\n"
                     "  kernel.apparmor_restrict_unprivileged_userns=0; in a container, its "
                     "seccomp profile\n  and the SYS_ADMIN capability");
    return -1;
}

/* map_user makes the caller uid 0 inside: one id is what an ordinary user may map. */
static int map_user(uid_t uid, gid_t gid, struct dna_diag *diag)
{
    char map[64];

    snprintf(map, sizeof map, "0 %lu 1\n", (unsigned long)uid);
    if (write_text("/proc/self/uid_map", map, diag))
        return -1;
    /* Kernels before 3.19 have no such file, and need none. */
    if (access("/proc/self/setgroups", F_OK) == 0 &&
        write_text("/proc/self/setgroups", "deny", diag))
        return -1;
    snprintf(map, sizeof map, "0 %lu 1\n", (unsigned long)gid);
    return write_text("/proc/self/gid_map", map, diag);
}

/* leave_home unshares everything; real root goes without a user namespace where that is refused. */
static int leave_home(struct dna_diag *diag)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    int error;

    if (unshare(NS_FLAGS) == 0)
        return map_user(uid, gid, diag);
    error = errno;
    if (uid == 0 && unshare(NS_FLAGS & ~CLONE_NEWUSER) == 0)
        return 0;
    return dna_lab_refusal(error, diag);
}

/* replace_file binds a file of the lab over a system file, following symbolic links. */
static int replace_file(const char *dir, const char *name, const char *target, const char *text,
                        bool needed, struct dna_diag *diag)
{
    char path[PATH_MAX], real[PATH_MAX];

    if (!realpath(target, real)) {
        if (!needed)
            return 0; /* the C library's default is what the file would have said */
        return dna_diag_set(diag, DNA_CLASS_HARD,
                            "lab: %s cannot be replaced because it does not exist (%s)\n"
                            "  make it, if only as an empty file: sudo touch \"$(readlink -m %s)\"",
                            target, strerror(errno), target);
    }
    snprintf(path, sizeof path, "%s/etc/%s", dir, name);
    if (write_text(path, text, diag))
        return -1;
    if (mount(path, real, NULL, MS_BIND, NULL))
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot bind %s over %s: %s", path, real,
                            strerror(errno));
    return 0;
}

static int replace_files(const char *dir, struct dna_diag *diag)
{
    char etc[PATH_MAX];

    snprintf(etc, sizeof etc, "%s/etc", dir);
    if (mkdir(etc, 0755) && errno != EEXIST)
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot make %s: %s", etc, strerror(errno));
    if (replace_file(dir, "resolv.conf", "/etc/resolv.conf",
                     "nameserver " DNA_LAB_RESOLVER "\noptions timeout:1 attempts:2\n", true, diag))
        return -1;
    if (replace_file(dir, "hosts", "/etc/hosts", "127.0.0.1 localhost\n", false, diag))
        return -1;
    return replace_file(dir, "nsswitch.conf", "/etc/nsswitch.conf",
                        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
                        "networks: files\nprotocols: files\nservices: files\n",
                        false, diag);
}

/* furnish is the set-up that happens inside, in the process that continues. */
static int furnish(const struct dna_lab_place *place, bool kept, struct dna_diag *diag)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot make mounts private: %s",
                            strerror(errno));
    if (!kept && mount("xdna-lab", place->dir, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"))
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot mount a tmpfs on %s: %s",
                            place->dir, strerror(errno));
    /*
     * In a container with parts of /proc masked the kernel refuses a new one. The old one still
     * shows our processes, by other numbers; nothing in the lab depends on them.
     */
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) && errno != EPERM)
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot mount /proc: %s", strerror(errno));
    if (sethostname("xdna-lab", strlen("xdna-lab")))
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot set the host name: %s",
                            strerror(errno));
    if (loopback_up(diag))
        return -1;
    (void)loopback_quickack(); /* without it all is as right, and slower */
    return replace_files(place->dir, diag);
}

static int make_place(const char *keep, struct dna_lab_place *place, struct dna_diag *diag)
{
    const char *tmp = getenv("TMPDIR");
    char real[PATH_MAX];

    if (keep) {
        if ((mkdir(keep, 0755) && errno != EEXIST) || !realpath(keep, real))
            return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot use the directory %s: %s", keep,
                                strerror(errno));
        if (strlen(real) >= sizeof place->dir)
            return dna_diag_set(diag, DNA_CLASS_HARD, "lab: path too long: %s", real);
        snprintf(place->dir, sizeof place->dir, "%.*s", (int)sizeof place->dir - 1, real);
        return 0;
    }
    if (!tmp || tmp[0] != '/' || strlen(tmp) > 200)
        tmp = "/tmp";
    snprintf(place->dir, sizeof place->dir, "%s/xdna-lab.XXXXXX", tmp);
    if (!mkdtemp(place->dir))
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot make %s: %s", place->dir,
                            strerror(errno));
    return 0;
}

static void passed_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGQUIT);
    sigaddset(set, SIGCHLD);
}

/*
 * tend waits for child, passing signals on and reaping whatever else ends. What a terminal sends
 * (SI_KERNEL) reaches the whole process group without us, so it is not passed a second time.
 */
static int tend(pid_t child)
{
    sigset_t set;
    int status = 0;

    passed_signals(&set);
    for (;;) {
        siginfo_t info;
        pid_t pid;
        int number;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
            if (pid == child)
                return status;
        }
        number = sigwaitinfo(&set, &info);
        if (number > 0 && number != SIGCHLD && info.si_code != SI_KERNEL)
            kill(child, number);
    }
}

/* be_init is pid 1: it tends the process that continues and hands its wait status out. */
static void be_init(pid_t child, int report)
{
    int status = tend(child);
    ssize_t ignored = write(report, &status, sizeof status);

    (void)ignored;
    _exit(0);
}

/* end_as ends this process as another one ended. */
static void end_as(int status)
{
    if (WIFSIGNALED(status)) {
        struct rlimit none = { 0, 0 };
        sigset_t set;

        setrlimit(RLIMIT_CORE, &none); /* the core, if any, is the other process's */
        sigfillset(&set);
        sigdelset(&set, WTERMSIG(status));
        signal(WTERMSIG(status), SIG_DFL);
        sigprocmask(SIG_SETMASK, &set, NULL);
        raise(WTERMSIG(status));
        _exit(128 + WTERMSIG(status));
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : DNA_CLASS_HARD);
}

/* wait_outside is the rest of the original process's life. */
static void wait_outside(pid_t init, int report, const struct dna_lab_place *place, bool kept)
{
    int own = tend(init);
    int status;

    if (read(report, &status, sizeof status) != (ssize_t)sizeof status) {
        status = own;
        /* KILL from outside, or out of memory: pid 1 had no time to say anything. */
        if (WIFEXITED(own) && WEXITSTATUS(own) == 0)
            status = DNA_CLASS_HARD << 8;
    }
    if (!kept) {
        umount2(place->dir, MNT_DETACH); /* we share the mount namespace with the dead */
        rmdir(place->dir);
    }
    end_as(status);
}

/* fork_inside forks init and the process that continues: 0 there, never returns elsewhere. */
static int fork_inside(const struct dna_lab_place *place, bool kept, struct dna_diag *diag)
{
    int report[2], life[2];
    sigset_t set, old;
    pid_t pid;
    char byte;

    if (pipe2(report, O_CLOEXEC))
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: pipe: %s", strerror(errno));
    if (pipe2(life, O_CLOEXEC)) {
        close(report[0]);
        close(report[1]);
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: pipe: %s", strerror(errno));
    }
    fflush(NULL); /* else buffered output would be written twice */
    signal(SIGCHLD, SIG_DFL); /* where it was inherited as ignored, nobody could be waited for */
    passed_signals(&set);
    sigprocmask(SIG_BLOCK, &set, &old);
    pid = fork();
    if (pid < 0) {
        sigprocmask(SIG_SETMASK, &old, NULL);
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: fork: %s", strerror(errno));
    }
    if (pid > 0) {
        close(report[1]);
        close(life[0]);
        wait_outside(pid, report[0], place, kept);
    }
    /* If the original dies so does pid 1, and all with it; the pipe shows a death before that. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(life[1]);
    fcntl(life[0], F_SETFL, O_NONBLOCK);
    if (read(life[0], &byte, 1) == 0)
        _exit(DNA_CLASS_HARD);
    close(life[0]);
    close(report[0]);
    pid = fork();
    if (pid < 0) {
        dna_diag_set(diag, DNA_CLASS_HARD, "lab: fork: %s", strerror(errno));
        return -1; /* as pid 1, but only to print and exit */
    }
    if (pid > 0)
        be_init(pid, report[1]);
    close(report[1]);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return 0;
}

int dna_lab_enter(const char *keep, struct dna_lab_place *place, struct dna_diag *diag)
{
    bool kept = keep != NULL;
    char cwd[PATH_MAX];

    if (make_place(keep, place, diag))
        return -1;
    if (leave_home(diag)) {
        if (!kept)
            rmdir(place->dir);
        return -1;
    }
    if (fork_inside(place, kept, diag))
        return -1;
    if (furnish(place, kept, diag))
        return -1;
    /* Mounts may now lie over the directory we stand in: look it up again. */
    if (getcwd(cwd, sizeof cwd) && chdir(cwd))
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot return to %s: %s", cwd,
                            strerror(errno));
    return 0;
}

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;

    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* bind_over replaces target by source where target exists and isn't source already; counts it. */
static int bind_over(const char *source, const char *target, unsigned *count,
                     struct dna_diag *diag)
{
    char real[PATH_MAX];

    if (!realpath(target, real))
        return 0;
    if (!same_file(source, real) && mount(source, real, NULL, MS_BIND, NULL))
        return dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot bind the lab CA over %s: %s", real,
                            strerror(errno));
    ++*count;
    return 0;
}

int dna_lab_trust(const char *store_dir, struct dna_diag *diag)
{
    /* Where distributions keep what OpenSSL and others read by default; several may be one. */
    static const char *const dirs[] = { "/etc/ssl/certs", "/usr/lib/ssl/certs",
                                        "/etc/pki/tls/certs" };
    static const char *const files[] = { "/etc/ssl/certs/ca-certificates.crt",
                                         "/usr/lib/ssl/cert.pem", "/etc/ssl/cert.pem",
                                         "/etc/pki/tls/cert.pem",
                                         "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem" };
    char bundle[PATH_MAX];
    unsigned count = 0;

    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        if (bind_over(store_dir, dirs[i], &count, diag))
            return -1;
    }
    snprintf(bundle, sizeof bundle, "%s/ca-certificates.crt", store_dir);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (bind_over(bundle, files[i], &count, diag))
            return -1;
    }
    if (count == 0)
        return dna_diag_set(diag, DNA_CLASS_HARD,
                            "lab: found no trust store of the system to replace\n"
                            "  on Debian: sudo mkdir -p /etc/ssl/certs");
    return 0;
}
