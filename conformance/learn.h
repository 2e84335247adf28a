/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Sessions that are played symbol by symbol, each chosen while it runs: what
 * `xdna learn` asks of a black box. A session is a case (fresh names, DNS, peers that listen) whose
 * script is played by a driver in the interpreter's place. What came back for each symbol is a word
 * under the names of the tables (model/view.h); it is complete when a barrier behind it was
 * answered.
 *
 * All sessions share one user of the server, to whom stanzas are addressed: the home.
 */
#ifndef CONFORMANCE_LEARN_H
#define CONFORMANCE_LEARN_H

#include "conformance/case_run.h"
#include "conformance/derive.h"
#include "model/learn_diff.h"
#include "model/view.h"

struct dna_session;

/* The home, and what all sessions have in common. */
struct dna_crew {
    struct dna_case_context context;
    struct dna_iut *iut;
    const struct dna_seer *seer;
    struct dna_wordbook *words;
    unsigned jobs, quiet_ms;
    /* its own */
    struct dna_pool *pool;
    char home_id[64], session_id[64];
    struct dna_case home_case, session_case;
    struct dna_scn *home_scn, *session_scn;
    struct dna_case_run *home;
    struct dna_conn *home_conn;
    bool ready;          /* the home has logged in */
    const char *failure; /* it cannot go on: why */
    unsigned numbers, home_barriers;
    struct dna_session *sessions; /* under way */
    struct dna_session *dead;     /* ended, freed from the loop */
    struct event *tick;
    unsigned running;
    void (*on_done)(struct dna_crew *crew, struct dna_session *session, void *arg);
    void *arg;
};

enum dna_wait { DNA_WAIT_UP, DNA_WAIT_SETTLE, DNA_WAIT_END };

/* Silence is that nothing at all happens in a session, DNS and authorities included, for quiet_ms.
 */
struct dna_session {
    struct dna_session *next;
    struct dna_crew *crew;
    struct dna_case_run *run;
    struct dna_query word;
    size_t index; /* the caller's */
    struct dna_observed seen;
    char *transcript;    /* at its end; malloc, the taker's */
    const char *failure; /* the session could not be played: why */
    /* while it runs */
    struct dna_derive_script script;
    struct dna_conn *in;
    enum dna_wait wait;
    bool header_due, tls_due, muted, closed, said_header;
    bool open_question[2];
    /* this step */
    const struct dna_symbol *symbol;
    bool complete;                  /* what ends such a step has come */
    unsigned barrier, home_barrier; /* sent: its number; 0: none */
    bool barrier_back, home_back;
    struct dna_buf here, elsewhere;
    struct timeval quiet_at, limit_at;
    size_t noted; /* length of the transcript when it was looked at */
};

/* dna_crew_begin makes the cases; then the home logs in, from the loop. False: crew->failure. */
bool dna_crew_begin(struct dna_crew *crew);
void dna_crew_end(struct dna_crew *crew);

/* dna_crew_play starts a session; on_done is called from the loop, and the session is freed after
 * it. */
void dna_crew_play(struct dna_crew *crew, const struct dna_query *word, size_t index);

/* dna_session_can is the mask of symbols that can be sent now; before the first, at the start. */
uint64_t dna_session_can(const struct dna_session *session);
uint64_t dna_crew_can_begin(const struct dna_crew *crew);

/* dna_session_cert is the actor's certificate, made when it is first shown: making one costs as
 * much as all else in a session. NULL: session->failure. */
const struct dna_cert *dna_session_cert(struct dna_session *session, struct dna_actor *actor);

/* learn_peer.c: what came. dna_peer_serve deals with a connection of the server to an authority;
 * dna_peer_took notes what came on the stream that we opened. */
void dna_peer_serve(struct dna_session *session, struct dna_conn *conn);
void dna_peer_took(struct dna_session *session, const struct dna_conn_event *event);
void dna_session_token(struct dna_session *session, bool elsewhere, const char *name, int pair);

#endif
