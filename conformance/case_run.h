/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. One case while it runs: its names, addresses, actors and connections, its
 * place in the script, and what it has seen. A dna_case_run owns all of that and ends by calling
 * done with a result that outlives it. Everything happens on the event loop; a case never waits
 * by blocking.
 *
 *   new -> start -> (events wake the interpreter) ... -> done -> free
 */
#ifndef CONFORMANCE_CASE_RUN_H
#define CONFORMANCE_CASE_RUN_H

#include <sys/types.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "conformance/lab/iut.h"
#include "conformance/lab/lab.h"
#include "conformance/oracle.h"
#include "conformance/verdict.h"
#include "conformance/wire.h"

#define DNA_RUN_DEPTH 32
#define DNA_MAX_CANDIDATES 24

struct dna_case_run;
struct dna_actor;

/* What a connection has received and no step has taken yet. */
struct dna_conn_event {
    struct dna_conn_event *next;
    enum dna_wire_kind kind;
    struct dna_xnode *node;
    const char *note;
    bool barrier; /* the answer to a barrier of ours */
};

struct dna_conn {
    struct dna_conn *next;
    struct dna_case_run *run;
    struct dna_actor *actor;
    const char *name;
    struct dna_wire *wire;
    struct dna_conn_event *head, **tail;
    const char *content_ns;
    bool accepted;     /* the IUT opened it */
    bool taken;        /* an accept step has named it */
    bool authenticated;/* SASL success passed: 'ping' barriers work */
    bool sent_close, quiet_close;
    bool got_close;    /* and no answer can come any more */
    const char *sent_to, *sent_from; /* of the last stream header that we sent */
    const char *got_to, *got_from;   /* of the last one that we received */
    unsigned seq;      /* order in which connections were made */
    struct dna_oracle_conn *oracle; /* NULL: not judged by walks */
};

struct dna_login;
struct dna_child;

struct dna_actor {
    struct dna_actor *next;
    struct dna_case_run *run;
    const struct dna_scn_actor *scn;
    char addr[16];
    const char *host; /* its name in the DNS */
    unsigned port;
    struct evconnlistener *listener;
    struct dna_conn *conns;   /* newest first */
    struct dna_cert *cert;    /* default certificate, NULL: none */
    struct dna_login *login;  /* client: logging in */
    const char *jid, *resource;
    struct dna_child *child;  /* client under test */
    struct dna_web_listener *web[2]; /* web: HTTPS and HTTP; NULL: does not listen */
};

/* What a client of a web server did. */
struct dna_seen_request {
    struct dna_seen_request *next;
    enum dna_web_kind kind;
    const char *host, *path;
    unsigned seq;
};

struct dna_seen_query {
    struct dna_seen_query *next;
    const char *name, *type;
    unsigned bits; /* enum dna_query_bit */
    unsigned seq;
};

struct dna_named_cert {
    struct dna_named_cert *next;
    const char *name;
    struct dna_cert *cert; /* NULL: 'none' */
};

/* A first step that the interpreter waits for: one, or one for each branch of an 'either'. */
struct dna_candidate {
    const struct dna_step *step;
    const struct dna_step *eithers[4]; /* outermost first */
    const char *allowed;
    unsigned num_eithers;
    bool begun;
    const char *barrier_id;
    struct timeval quiet_at; /* 'nothing' on a stream of the IUT: when silence is enough */
    bool quiet;
    const char *why;          /* why what came does not match */
    const char *got;
};

/* What a run gives to its cases. */
struct dna_case_context {
    struct event_base *base;
    struct dna_lab *lab;
    const struct dna_profile *profile;
    unsigned timeout_ms;
    struct dna_oracle_counts *oracle; /* sums of all cases; NULL: no case has an oracle */
};

typedef void (*dna_case_done_fn)(struct dna_case_run *run, struct dna_result *result, void *arg);

struct dna_case_run {
    const struct dna_case_context *context;
    const struct dna_case *c;
    struct dna_iut *iut;
    struct dna_pool *pool;      /* goes with the run */
    unsigned number;
    char label[20];             /* c0042; c0042m17 with mutant 17 */
    struct dna_binds vars;
    struct dna_actor *actors;
    struct dna_named_cert *certs;
    struct dna_seen_query *queries;     /* newest first, as the next one */
    struct dna_seen_request *requests;
    bool clock_moved;
    bool stopped, gone;         /* the IUT was told to stop; it has gone */
    bool gone_killed;           /* ... and not by itself */
    int gone_status;            /* as of waitpid */
    struct dna_buf transcript;
    struct timeval started;
    unsigned seq;
    long log_mark;
    struct dna_oracle *oracle;  /* judges beside the scenario; may be NULL */

    const struct dna_step *at;  /* NULL: go on with the stack */
    const struct dna_step *stack[DNA_RUN_DEPTH];
    unsigned depth;
    struct dna_candidate candidates[DNA_MAX_CANDIDATES];
    unsigned num_candidates;
    bool waiting;
    bool allowed;
    const char *allowed_why;
    const char *reading;
    unsigned num_barriers;
    struct event *pump, *timer;
    struct timeval deadline;
    unsigned logins_left;
    bool ended;
    void *owner;                /* the runner's */
    void (*driver)(struct dna_case_run *run); /* plays in the interpreter's place; NULL: it plays */

    dna_case_done_fn done;
    void *arg;
};

/* number: of its fresh names, unique in this process. NULL with a text in *out_error. */
struct dna_case_run *dna_case_run_new(const struct dna_case_context *context,
                                      const struct dna_case *c, struct dna_iut *iut,
                                      unsigned number, dna_case_done_fn done, void *arg);
void dna_case_run_start(struct dna_case_run *run);
void dna_case_run_free(struct dna_case_run *run); /* also one that has not ended */

/* ---- among the files of the interpreter ---- */

/* dna_run_wake makes the interpreter look again, from the loop. */
void dna_run_wake(struct dna_case_run *run);
/* dna_run_end ends the case: step may be NULL. */
void dna_run_end(struct dna_case_run *run, enum dna_ending ending, const struct dna_step *step,
                 const char *reason, const char *expected, const char *got);
__attribute__((format(printf, 2, 3)))
void dna_run_note(struct dna_case_run *run, const char *format, ...); /* a transcript line */
const char *dna_run_expand(struct dna_case_run *run, const char *text);
bool dna_run_setup(struct dna_case_run *run);      /* names, certificates, records, actors */
void dna_run_teardown(struct dna_case_run *run);
bool dna_run_dns(struct dna_case_run *run, const struct dna_step *step);
const char *dna_run_srv_owner(struct dna_case_run *run, const char *domain, bool c2s);
const struct dna_actor *dna_run_first_peer(const struct dna_case_run *run, const char *variable);
struct dna_actor *dna_run_actor(struct dna_case_run *run, const struct dna_scn_actor *scn);
struct dna_cert *dna_run_cert(struct dna_case_run *run, const char *name, bool *out_known);

/* case_world.c: signatures, TLSA records, pages, the clock: false when the case has ended of it */
bool dna_run_dnssec(struct dna_case_run *run, const struct dna_step *step);
bool dna_run_tlsa(struct dna_case_run *run, const struct dna_step *step);
bool dna_run_page(struct dna_case_run *run, const struct dna_step *step);
bool dna_run_clock(struct dna_case_run *run, const struct dna_step *step);
void dna_run_clock_back(struct dna_case_run *run);
bool dna_run_stop(struct dna_case_run *run, const struct dna_step *step);
/* the runner says that the IUT, told to stop, has gone; killed: TERM was not enough */
void dna_run_gone(struct dna_case_run *run, int status, bool killed);
bool dna_run_web_open(struct dna_case_run *run);
void dna_run_web_close(struct dna_case_run *run);
const struct dna_actor *dna_run_web_of(struct dna_case_run *run, const char *host); /* or NULL */

double dna_seconds_since(const struct timeval *start);

/* interp.c: looks at what has come and goes as far as it can */
void dna_interp_pump(evutil_socket_t fd, short what, void *arg);

/* actor.c */
bool dna_actor_listen(struct dna_actor *actor);
struct dna_conn *dna_actor_connect(struct dna_actor *actor, const char *name, unsigned port,
                                   bool c2s);
struct dna_conn *dna_actor_take(struct dna_actor *actor, const char *name); /* accepted, or NULL */
bool dna_actor_has_pending(const struct dna_actor *actor);
struct dna_conn *dna_actor_conn(struct dna_actor *actor, const char *name);
void dna_actor_cleanup(struct dna_actor *actor);
void dna_conn_send(struct dna_conn *conn, const struct dna_xnode *node);
void dna_conn_send_bytes(struct dna_conn *conn, const char *bytes, size_t len);
void dna_conn_close(struct dna_conn *conn);      /* </stream:stream>, once */
void dna_conn_fin(struct dna_conn *conn);        /* the end of our side of TCP */
void dna_conn_tls(struct dna_conn *conn, const struct dna_wire_tls_options *options);
void dna_conn_pop(struct dna_conn *conn);        /* forget the first event */
const char *dna_conn_label(const struct dna_conn *conn);
const char *dna_event_text(struct dna_pool *pool, const struct dna_conn_event *event);

/* interp_poll.c */
enum dna_poll { DNA_POLL_WAIT, DNA_POLL_MATCH, DNA_POLL_NO, DNA_POLL_SKIP, DNA_POLL_ERROR };
void dna_step_begin(struct dna_case_run *run, struct dna_candidate *cand);
enum dna_poll dna_step_poll(struct dna_case_run *run, struct dna_candidate *cand,
                            struct dna_conn **out_conn);
void dna_step_consume(struct dna_case_run *run, struct dna_candidate *cand);
bool dna_conn_event_is_passable(const struct dna_conn *conn, const struct dna_conn_event *event);
const char *dna_step_expected(struct dna_case_run *run, const struct dna_step *step);

const char *dna_dialback_key(struct dna_pool *pool, const char *secret, const char *receiving,
                             const char *sender, const char *id);

/* interp_do.c: steps that are over at once. Returns false when the case ended. */
bool dna_step_is_immediate(const struct dna_step *step);
bool dna_step_do(struct dna_case_run *run, const struct dna_step *step);

/* interp_sees.c */
bool dna_step_sees(struct dna_case_run *run, const struct dna_step *step, const char **out_got);

/* login.c: STARTTLS, SASL PLAIN, resource binding */
bool dna_login_start(struct dna_actor *actor);
void dna_login_event(struct dna_login *login, enum dna_wire_kind kind,
                     const struct dna_xnode *node, const char *note);
void dna_login_free(struct dna_login *login);

/* child.c: the client under test */
bool dna_child_run(struct dna_actor *actor, const struct dna_step *step);
/* dna_child_input writes to its standard input, or where it reads messages (@messages@). */
void dna_child_input(struct dna_child *child, bool messages, const char *text);
bool dna_child_has_exited(const struct dna_child *child, int *out_status);
const char *dna_child_output(const struct dna_child *child);
void dna_child_free(struct dna_child *child);

#endif
