/* SPDX-License-Identifier: MIT */
/* s2s_internal: what the s2s_*.c files share. A stream owns its pairs; a pair owns its question;
 * the struct dna_s2s owns streams and routes. A stream that ends is buried: unlinked at once, freed
 * by the loop, so that no caller up the stack loses it. */
#ifndef DNA_IMPL_S2S_INTERNAL_H
#define DNA_IMPL_S2S_INTERNAL_H
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "impl/conn.h"
#include "impl/hash.h"
#include "impl/key.h"
#include "impl/log.h"
#include "impl/peer_knobs.h"
#include "impl/proof.h"
#include "impl/s2s.h"
#include "model/machines.h"

/* MAX_WAITING: keys of one stream whose proofs are being fetched at a time */
enum { MAX_WAITING = 64, DOMAIN_MAX = 1024, EARLY_BYTES = 16384, DROP_MS = 1000, PORT = 5269 };

struct stream;
struct pair;
struct others;
struct claim;

/* A stanza that waits: its text, in jabber:server. */
struct stanza {
    struct stanza *next;
    size_t len;
    char text[];
};

/* What one of our domains wants to send to one remote domain. */
struct route {
    struct dna_s2s *s2s;
    char *ours, *theirs, *key;
    struct stanza *head, **tail;
    size_t num;
    const char *last; /* the stanza that came last, borrowed while it is being queued */
    size_t last_len;
    struct routing m;       /* what becomes of it when no stream will carry it */
    struct pair *via;       /* the pair that carries it or was asked to */
    struct stream *pending; /* the stream being opened for it */
    bool own_only;          /* no stream opened for another pair is to be tried */
};

/* One db:verify of ours. It lives until it is answered, times out or loses a stream. */
struct question {
    struct pair *pair;     /* on the stream that is to be judged */
    struct stream *asker;  /* the stream that leads to the authority */
    struct question *next; /* of the asker */
    char *ours, *theirs, *id, *key, *index;
    struct event *timer;
    bool sent;
};

/* One domain pair on one stream. */
struct pair {
    struct stream *stream;
    struct pair *next;
    char *ours, *theirs, *index;
    char *inbound, *outbound; /* "theirs>ours" and "ours>theirs", for logs */
    struct association as;
    struct dialback_receiving dr;
    struct dialback_initiating di;
    struct question *question;
    char *said_from, *said_to; /* the addresses of the peer's last db:result, letter by letter */
    char *said_key;            /* and its key, while the proof of its sender is awaited */
    struct claim *claim;       /* what is awaited */
    struct pair *next_waiting; /* for the same claim */
    struct event *result_timer;
    bool scratch;
};

/* A stream stands in the lists of the domains, and of the address, that it leads to. */
struct lead {
    struct stream *stream;
    struct lead *of_stream;    /* next of the same stream */
    struct lead *next, **link; /* of the same name */
    struct lead_list *list;
};
struct lead_list {
    struct lead *first;
    char *name;
    struct dna_hash *in;
};

/* One SRV target, or the domain itself. */
struct target {
    char host[256];
    uint16_t port;
};

struct stream {
    struct dna_s2s *s2s;
    const struct dna_knobs *knobs; /* that count for this peer */
    struct stream *next, **link;
    struct dna_conn *conn;
    struct dna_stream_vars vars;
    struct pair *pairs;
    size_t num_pairs, num_waiting; /* num_waiting: keys that wait for a proof */
    struct claim *claims;
    struct lead *leads;
    struct event *deadline, *idle; /* negotiation, then closing; inactivity */
    char *ours, *theirs;           /* of the current header (receiving) or asked for (initiating) */
    char *their_text;              /* 'from' of the current header as it was written, or NULL */
    char *id;                      /* the stream id that keys are made with */
    uint64_t number;
    bool initiating, for_stanzas, buried, discard, drain, closing, active, dropped, found_by_host;
    bool unknown_there; /* its stream error was host-unknown */
    time_t expires;     /* when the certificate that proved the peer does; 0: never, or no matter */
    struct piggyback_assertion pa;
    struct piggyback_supposition ps;
    struct dialback_authoritative da;
    union {
        struct {
            struct stream_receiving m;
            struct starttls_receiving tls;
            struct sasl_external_receiving sasl;
            struct features_receiving features;
        } r;
        struct {
            struct stream_initiating m;
            struct starttls_initiating tls;
            struct sasl_external_initiating sasl;
            struct resolution re;
            struct stream_initiating_facts offered; /* by the features last seen */
            struct dna_dns_query *query;
            struct target *targets;
            size_t num_targets, target; /* target: the current one, from 1 */
            enum dna_dns_security srv_security, address_security;
            char *canonical; /* where the aliases of the target lead to, or NULL */
            struct sockaddr_storage *addrs;
            size_t num_addrs, addr;
            struct others *others; /* questions about the other targets */
            struct sockaddr_storage *other_addrs;
            size_t num_other_addrs;
            struct route *route;
            struct question *questions;
            bool ready;
        } i;
    };
};

struct dna_s2s {
    struct dna_s2s_setup at;
    const struct dna_knobs *knobs;
    struct dna_proof_env proofs;
    struct dna_hash routes, pairs, questions, askers, taken, domains, addresses, claims;
    struct stream *streams, *graves;
    struct event *undertaker, *watchman; /* who looks each second whether a certificate expired */
    time_t next_expiry;                  /* of all streams; 0: none */
    size_t num_streams;
    uint64_t next_number;
    const char *secret; /* of dialback keys: configured, else made_secret */
    char made_secret[DNA_ID_LEN + 1];
    bool stopping;
};

/* STEP() runs one step of a machine of stream s, logs it, and leaves the effects in fx. */
#define STEP(s, machine, instance, event, facts, subject, fx)                                      \
    do {                                                                                           \
        dna_##machine##_step((instance), machine##_E_##event, (facts), &(s)->vars,                 \
                             (s)->knobs, (fx));                                               \
        dna_log_step(dna_s2s_conn_id(s), (subject), (fx));                                         \
    } while (0)
/* RUN() carries out effects by a table of functions indexed by output. */
#define RUN(fx, table, arg)                                                                        \
    do {                                                                                           \
        for (size_t run_i = 0; run_i < (fx)->num_outs; run_i++)                                    \
            if ((table)[(fx)->outs[run_i]])                                                        \
                (table)[(fx)->outs[run_i]](arg);                                                   \
    } while (0)

/* One answer, a db:verify with a type, as it came in on a stream. */
struct verdict {
    const char *from, *to, *id;
    enum dialback_receiving_event on;
};

/* s2s_stream.c: what both roles share */
uint64_t dna_s2s_conn_id(const struct stream *s);
/* to theirs, or from whoever connects: NULL */
struct stream *dna_s2s_stream_new(struct dna_s2s *s2s, const char *theirs);
void dna_s2s_stream_bury(struct stream *s);
void dna_s2s_stream_free(struct stream *s);
void dna_s2s_end(struct stream *s);        /* another machine ends the stream */
void dna_s2s_send_close(struct stream *s); /* our closing tag */
void dna_s2s_drop(struct stream *s);       /* TCP ends; all machines of the stream are told */
void dna_s2s_discard(struct stream *s);    /* input is no longer looked at */
void dna_s2s_drain(struct stream *s);      /* of the input only stanzas and the end are looked at */
void dna_s2s_error(struct stream *s, const char *condition);
void dna_s2s_flows(struct stream *s);                 /* all pairs are told STREAM_FLOWS */
void dna_s2s_watch_idle(struct stream *s);            /* TIMER_IDLE counts from now on */
void dna_s2s_forget(struct stream *s, bool starttls); /* a restart */
void dna_s2s_negotiation_deadline(struct stream *s);
bool dna_s2s_hosts(const struct dna_s2s *s2s, const char *domain);
void dna_s2s_new_id(struct dna_s2s *s2s, char out[DNA_ID_LEN + 1]);
bool dna_s2s_our_id(const struct dna_s2s *s2s, const char *id);
char *dna_s2s_prepare(const char *name); /* the compared form of a domain, or NULL; caller frees */
void dna_s2s_lead(struct stream *s, struct dna_hash *in, const char *name);
void dna_s2s_element(struct stream *s, const struct dna_xml_node *e); /* what both roles know */
void dna_s2s_set(char **at, const char *value); /* replaces an owned string; NULL is fine */

/* s2s_claim.c: what proves the domains that the far end of a stream is, or claims to be */
struct dna_proof *dna_s2s_dialled(struct stream *s, const char *domain); /* begins to seek it */
bool dna_s2s_is_dialled(const struct stream *s, const char *domain);
/* _seek: under TLS, anew if outdated; true: pending. _unsought: not yet sought, pending or
 * outdated. _weigh: what is in, weighed now. */
bool dna_s2s_seek(struct stream *s, const char *domain);
bool dna_s2s_unsought(struct stream *s, const char *domain);
enum dna_proof_verdict dna_s2s_weigh(struct stream *s, const char *domain);
bool dna_s2s_proves(struct stream *s, const char *domain);
void dna_s2s_claim_await(struct pair *p); /* dna_s2s_proof_settled() follows, perhaps at once */
void dna_s2s_claim_leave(struct pair *p);
void dna_s2s_claim_move(struct stream *from, struct stream *to, const char *domain);
void dna_s2s_claim_done(struct stream *s, const char *domain); /* the peer got nothing by it */
void dna_s2s_claims_free(struct stream *s);
void dna_s2s_expiry_check(struct dna_s2s *s2s); /* streams whose time has come are told */

/* s2s_receiving.c, s2s_initiating.c: the two roles */
extern const struct dna_conn_handler dna_s2s_receiving_handler;
void dna_s2s_receiving_event(struct stream *s, enum stream_receiving_event on,
                             const struct stream_receiving_facts *e);
void dna_s2s_initiating_event(struct stream *s, enum stream_initiating_event on,
                              const struct stream_initiating_facts *e);
bool dna_s2s_receiving_element(struct stream *s, const struct dna_xml_node *e);
void dna_s2s_expired(struct stream *s); /* the certificate that proved its peer */
bool dna_s2s_initiating_element(struct stream *s, const struct dna_xml_node *e);
void dna_s2s_receiving_gone(struct stream *s);
void dna_s2s_receiving_settled(struct stream *s); /* what may prove 'from' is in */
void dna_s2s_initiating_gone(struct stream *s);
void dna_s2s_initiating_settled(struct stream *s); /* what may prove the domain asked for is in */
extern const struct dna_conn_handler dna_s2s_initiating_handler;

/* s2s_resolve.c: finding the far end of an initiating stream */
void dna_s2s_dial(struct stream *s);
void dna_s2s_dial_cancel(struct stream *s);
void dna_s2s_dial_connected(struct stream *s);
void dna_s2s_dial_refused(struct stream *s);
void dna_s2s_dial_event(struct stream *s, enum resolution_event on);

/* s2s_others.c: the addresses of the SRV targets behind the first */
void dna_s2s_others_ask(struct stream *s);
bool dna_s2s_others_hold(struct stream *s, enum resolution_event what); /* true: raised later */
void dna_s2s_others_free(struct stream *s);

/* s2s_pair.c: pairs, and stanzas of pairs */
struct pair *dna_s2s_pair_find(struct stream *s, const char *ours, const char *theirs);
struct pair *dna_s2s_pair_get(struct stream *s, const char *ours, const char *theirs);
struct pair *dna_s2s_pair_scratch(struct stream *s, const char *ours, const char *theirs);
void dna_s2s_pair_free(struct pair *p);
void dna_s2s_pair_event(struct pair *p, enum association_event on);
void dna_s2s_pair_secured(struct pair *p); /* STARTTLS: nothing that was proved before holds */
void dna_s2s_pair_gone(struct pair *p);
void dna_s2s_stanza(struct stream *s, const struct dna_xml_node *e);
bool dna_s2s_target_taken(struct stream *s, const char *theirs);
bool dna_s2s_transmit(struct pair *p); /* offers the first stanza of its route; false: it waits */

/* s2s_route.c: queues towards remote domains */
struct route *dna_s2s_route_get(struct dna_s2s *s2s, const char *ours, const char *theirs);
struct route *dna_s2s_route_find(struct dna_s2s *s2s, const char *ours, const char *theirs);
void dna_s2s_route_remote(void *arg, const char *from_domain, const char *to_domain,
                          const struct dna_xml_node *stanza, const char *text, size_t len);
void dna_s2s_route_pump(struct route *r);
void dna_s2s_route_bounce(struct route *r, const char *condition);
void dna_s2s_route_event(struct route *r, enum routing_event on); /* r may be gone afterwards */
void dna_s2s_route_use(struct route *r, struct pair *p);
void dna_s2s_route_lost(struct pair *p);  /* p is no way any more */
void dna_s2s_route_leave(struct pair *p); /* its stream closes: what comes goes elsewhere */
void dna_s2s_route_open_own(struct route *r);
void dna_s2s_route_done(struct route *r); /* frees it if nothing refers to it */
bool dna_s2s_route_suppose(struct route *r, struct stream *opening);
void dna_s2s_route_free(void *route, void *arg);

/* s2s_dialback.c: dialback elements, and the three roles of dialback */
void dna_s2s_dialback_element(struct stream *s, const struct dna_xml_node *e);
void dna_s2s_request(struct pair *p);
void dna_s2s_proof_settled(struct pair *p); /* what may prove the sender is in */
void dna_s2s_dialback_secured(struct pair *p);
void dna_s2s_dialback_restarted(struct pair *p); /* SASL: a new stream replaces the one asked of */
void dna_s2s_dialback_gone(struct pair *p);

/* s2s_verify.c: our questions to authorities */
void dna_s2s_ask(struct pair *p, const char *key);
void dna_s2s_asker_lost(struct stream *s); /* it takes no further questions */
void dna_s2s_question_end(struct question *q);
struct question *dna_s2s_question_find(struct dna_s2s *s2s, const char *ours, const char *theirs,
                                       const char *id);
void dna_s2s_verdict(struct stream *s, const struct verdict *v);
void dna_s2s_questions_send(struct stream *asker);
void dna_s2s_questions_done(struct stream *asker);
void dna_s2s_questions_failed(struct stream *asker, enum dialback_receiving_event how);
void dna_s2s_receiving_dialback_event(struct pair *p, enum dialback_receiving_event on,
                                      const struct dialback_receiving_facts *e);
#endif
