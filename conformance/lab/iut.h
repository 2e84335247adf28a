/* SPDX-License-Identifier: MIT */
/*
 * The implementation under test as a process: rendered from a variant of its profile, started in
 * its own process group, watched, stopped. Everything happens on the event loop; nothing blocks.
 * The dna_iut borrows loop, profile, DNS and CA, and owns the process and its run directory.
 *
 *   new -> start -> (on_ready | on_failed) ... (on_death) -> start -> stop -> on_stopped -> free
 */
#ifndef DNA_LAB_IUT_H
#define DNA_LAB_IUT_H

#include <sys/types.h>

#include <event2/event.h>

#include "conformance/lab/ca.h"
#include "conformance/lab/diag.h"
#include "conformance/lab/dns.h"
#include "conformance/lab/profile.h"

struct dna_iut;

enum dna_iut_state {
    DNA_IUT_DOWN,     /* not started, or dead */
    DNA_IUT_STARTING, /* preparing, spawned, not answering yet */
    DNA_IUT_UP,       /* answered a stream header on each port */
    DNA_IUT_STOPPING, /* asked to go */
};

/*
 * dna_iut_calls are told what happens; any may be NULL. Each is called from the loop, never from
 * inside dna_iut_start or dna_iut_stop, and may call start and stop, but not free.
 */
struct dna_iut_calls {
    void (*on_ready)(struct dna_iut *iut, void *arg);
    /*
     * The start failed: the process has been killed and reaped; diag (class HARD) says what was
     * missing.
     */
    void (*on_failed)(struct dna_iut *iut, const struct dna_diag *diag, void *arg);
    /* It died when nobody asked it to. status is as of waitpid; dna_iut_death says it in words. */
    void (*on_death)(struct dna_iut *iut, int status, void *arg);
    /* It has gone after dna_iut_stop. killed: TERM was not enough. */
    void (*on_stopped)(struct dna_iut *iut, int status, bool killed, void *arg);
    void *arg;
};

/* dna_iut_options say with what and where an IUT lives. */
struct dna_iut_options {
    struct event_base *base;
    struct dna_dns *dns;           /* its domains are added here */
    struct dna_ca *ca;             /* its certificates come from here */
    const char *dir;               /* where run directories are made: DIR/PROFILE-VARIANT */
    /* the CA store, as dna_ca_write_store made it: @ca_file@, @ca_dir@ */
    const char *store_dir;
    const char *resolver;          /* @resolver@; NULL = 127.0.0.53 */
    uint16_t resolver_port;        /* @resolver_port@; 0 = 53 */
    /* a program instead of the profile's: --server; NULL = the profile's */
    const char *server;
    const char *const *extra_args; /* further arguments, after those of the start command */
    size_t num_extra_args;
    struct dna_iut_calls calls;
};

/*
 * dna_iut_new makes the run directory, mints and writes the certificates of the hosted domains,
 * renders the templates and adds the domains to the DNS. Two IUTs may run the same variant only
 * in different directories and after one another. NULL with diag on failure.
 */
struct dna_iut *dna_iut_new(const struct dna_variant *variant,
                            const struct dna_iut_options *options,
                            struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_iut_free kills what still runs (KILL, without waiting longer than that takes) and forgets
 * it.
 */
void dna_iut_free(struct dna_iut *iut);

/*
 * dna_iut_start spawns the process and returns; on_ready or on_failed follows. Ready means: a
 * stream header sent to the S2S and to the C2S port was answered by a header and features.
 */
int dna_iut_start(struct dna_iut *iut, struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_iut_stop asks it to go (TERM, later KILL, to the whole group); on_stopped follows, also if
 * it was down.
 */
void dna_iut_stop(struct dna_iut *iut);

/* dna_iut_kill kills it without asking, as a crash would: on_death follows. */
void dna_iut_kill(struct dna_iut *iut);

/*
 * dna_iut_clock moves the clock of an IUT whose variant has its own (seconds from the real one),
 * from its next look on; a start sets it right again. It needs libfaketime, whose preloaded library
 * dna_iut_faketime finds (NULL: not installed; belongs to the lab, looked for once).
 */
int dna_iut_clock(struct dna_iut *iut, long long seconds, struct dna_diag *diag) DNA_CHECKED;
const char *dna_iut_faketime(void);

enum dna_iut_state dna_iut_state(const struct dna_iut *iut);
const struct dna_variant *dna_iut_variant(const struct dna_iut *iut);
pid_t dna_iut_pid(const struct dna_iut *iut);              /* 0 if down */
unsigned dna_iut_starts(const struct dna_iut *iut);        /* how often it was started */
double dna_iut_start_seconds(const struct dna_iut *iut);   /* how long the last start took */
const char *dna_iut_run_dir(const struct dna_iut *iut);
const char *dna_iut_log_path(const struct dna_iut *iut);

/*
 * dna_iut_cert is the certificate of a hosted domain by its index (0 = $iut, 1 = $iut2, 2 =
 * $iut3); borrowed.
 */
const struct dna_cert *dna_iut_cert(const struct dna_iut *iut, size_t index);

/* dna_iut_log_mark is the log's length now, for dna_iut_log_tail's since. */
long dna_iut_log_mark(const struct dna_iut *iut);

/*
 * dna_iut_log_tail returns, as a malloc'ed string, the last max_lines lines of the log written
 * after since that concern label (such as "c0042"): lines that hold it, and lines of the sessions
 * that such lines name (the profile's session words). NULL as label = all lines. Never NULL but
 * when memory is out.
 */
char *dna_iut_log_tail(const struct dna_iut *iut, const char *label, long since,
                       unsigned max_lines);

/*
 * dna_iut_death says a wait status in words: "exit status 1", "killed by signal 11 (Segmentation
 * fault)".
 */
void dna_iut_death(int status, char *out, size_t out_len);

#endif
