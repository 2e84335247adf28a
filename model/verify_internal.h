/* SPDX-License-Identifier: MIT */
/*
 * verify_internal.h -- the world that the checker explores: what its files share.
 *
 * Servers A and B are honest and run the tables of model/ through the interpreter; M is the
 * attacker, who hosts domain m and has no tables.  A world holds one struct vf_end for each end of
 * a stream that an honest server has.  A world is plain bytes: states are compared as bytes.
 *
 * How the parts hang together in impl/ (s2s_*.c) is mirrored by verify_stream.c, verify_pair.c,
 * verify_dialback.c and verify_route.c, each with its list, one line an output.
 */
#ifndef DNA_MODEL_VERIFY_INTERNAL_H
#define DNA_MODEL_VERIFY_INTERNAL_H

#include "model/interp.h"
#include "model/machines.h"

#include <stdio.h>

/* Domains: a and c are served by A, b and d by B, m by the attacker. */
enum vf_domain { VF_A, VF_B, VF_M, VF_C, VF_D, VF_DOMAINS, VF_NOBODY = VF_DOMAINS };
enum vf_server { VF_SA, VF_SB, VF_SM };

/* Every end of a stream that can exist.  R1 R2: the attacker's streams to B.  IB>RB: A's stream for
   stanzas to b. VA>VR, VM: B asks the authority of a, of m.  IM, ID: A's streams to m and d. BA>BR:
   B's stream to a. AV>AR: A asks the authority of b.  VC>VD: B asks that of c.  Q: the attacker's
   stream to A. */
enum vf_slot {
    VF_R1,
    VF_R2,
    VF_RB,
    VF_VA,
    VF_VR,
    VF_VM,
    VF_IB,
    VF_IM,
    VF_ID,
    VF_BA,
    VF_BR,
    VF_AV,
    VF_AR,
    VF_VC,
    VF_VD,
    VF_Q,
    VF_SLOTS,
    VF_NO_SLOT = VF_SLOTS
};

enum { VF_PAIRS = 3, VF_QUEUE = 6 };

enum {               /* struct vf_pair.flags; VF_G_* are ghosts: no table and no glue reads them */
       VF_KNOWN = 1, /* the stream has this pair */
       VF_ASKED = 2, /* a question to the authority exists */
       VF_SENT = 4,  /* and is out */
       VF_WAITING = 8,      /* a key waits for the proof of its sender */
       VF_G_REQUESTED = 16, /* the peer sent a key for the pair under the current stream id */
       VF_G_VOUCHED = 32,   /* the authority's endpoint confirmed it under the current stream id */
       VF_G_KEYED = 64,     /* our key for the pair is with the peer, sent since TLS came up */
       VF_G_GRANTED = 128,  /* the peer said valid to it, on this stream */
       VF_G_ANSWERED = 256  /* the peer has answered it, whatever it said */
};

/* One domain pair on one stream.  Keys are terms: see dna_vf_key(). */
struct vf_pair {
    uint8_t as, dr, di; /* states of association, dialback_receiving, dialback_initiating */
    uint8_t said;       /* the key that waits for a proof */
    uint8_t qkey, qid;  /* what the question is about */
    uint16_t flags;
};

enum { /* struct vf_end.flags */
       VF_LIVE = 1,
       VF_DISCARD = 2,
       VF_DRAIN = 4,
       VF_CLOSING = 8, /* our closing tag is out */
       VF_DROPPED = 16,
       VF_READY = 32,
       VF_HANDSHAKE = 64,   /* bytes go to TLS */
       VF_HEADER_DUE = 128, /* the parser waits for a header */
       VF_ROUTE = 256,      /* opened for the route of its own pair */
       VF_HELD = 512,       /* input is held */
       VF_UNKNOWN_THERE = 1024,
       VF_CONNECTED = 2048,
       VF_SPENT = 4096,  /* an attacker's stream that has ended stays so */
       VF_G_AUTH = 8192, /* ghost: EXTERNAL succeeded for the pair in `gours`, `gtheirs` */
       VF_G_BIDI = 16384 /* ghost: bidi was asked for since TLS came up */
};

/* VF_CERT_RESUMED: none was shown on this connection, the attacker asked for a session of an
   earlier one, in which it showed that of m. */
enum vf_cert { VF_CERT_NONE, VF_CERT_HONEST, VF_CERT_M, VF_CERT_JUNK, VF_CERT_RESUMED };

enum {
#define STREAM_VAR(name, initial, max, restart, starttls, text) VF_S_##name,
#include "model/stream_vars.def"
#undef STREAM_VAR
    VF_NUM_S
};

struct vf_end {
    uint16_t flags;
    uint8_t m, purpose, tls, sasl, failures, re; /* machines of the stream */
    uint8_t s[VF_NUM_S];
    uint8_t id, ours, theirs, cert;
    uint8_t sought;  /* a bit a domain: what may prove it has been sought on this stream */
    uint8_t settled; /* likewise: and is in */
    uint8_t offered; /* features last seen, enum vf_feature */
    uint8_t gours, gtheirs;
    uint8_t ghost; /* what is true of it and nobody reads */
    struct vf_pair pair[VF_PAIRS];
};

enum {                       /* struct vf_end.ghost */
       VF_G_BOGUS = 1,       /* what says where the domain is fails validation */
       VF_G_BARRED = 2,      /* likewise by a prooftype */
       VF_G_BAD_ADDRESS = 8, /* likewise what says at which address */
       VF_G_TRAILING = 4     /* clear text that came with the last word before TLS is still there */
};

enum vf_feature {
    VF_F_STARTTLS = 1,
    VF_F_EXTERNAL = 2,
    VF_F_DIALBACK = 4,
    VF_F_ERRORS = 8,
    VF_F_BIDI = 16
};

enum vf_type {
    VF_T_NONE,
    VF_T_HEADER,
    VF_T_FEATURES,
    VF_T_STARTTLS,
    VF_T_PROCEED,
    VF_T_TLS_FAILURE,
    VF_T_HELLO,
    VF_T_FINISHED,
    VF_T_AUTH,
    VF_T_SUCCESS,
    VF_T_FAILURE,
    VF_T_RESPONSE,
    VF_T_BIDI,
    VF_T_KEY,
    VF_T_RESULT,
    VF_T_ASK,
    VF_T_VERDICT,
    VF_T_STANZA,
    VF_T_ERROR,
    VF_T_CLOSE,
    VF_T_GONE,
    VF_T_ABORT,
    VF_T_UNKNOWN,
    VF_TYPES
};

/* One thing that crosses a connection.  what: features, or 0 valid 1 invalid 2 error; authzid; a
   certificate. An auth with id 1 leaves out its initial response. */
struct vf_msg {
    uint8_t type, from, to, what, id, key;
};

struct vf_queue {
    uint8_t num;
    struct vf_msg at[VF_QUEUE];
};

struct vf_route {
    uint8_t queued, via, pending, own_only; /* via, pending: slot + 1, or 0 */
};

struct vf_world {
    struct vf_end end[VF_SLOTS];
    struct vf_queue in[VF_SLOTS]; /* of ends whose far end is honest */
    struct vf_route route[2][VF_PAIRS];
    uint8_t keys[9]; /* keys that the attacker has seen, a bit a term */
    uint8_t session; /* a bit a server: the attacker holds a TLS session with it, as m */
};

struct vf_place {
    uint8_t ours, theirs;
};

enum {                 /* struct vf_config.does */
       VF_SPOOF_A = 1, /* A's lookups of b lead to the attacker */
       VF_SPOOF_B = 2, /* B's lookups of a lead to the attacker */
       VF_CERT_A = 4,
       VF_CERT_B = 8,
       VF_CERT_OF_M = 16, /* who has a certificate that proves its domains */
       VF_REFUTES_A = 32, /* the owner of a says by a secure channel which certificate is its own */
       VF_SLOW = 64,      /* what proves a domain must be fetched first */
       VF_FINE = 128,     /* the attacker negotiates element by element */
       VF_TIMERS = 256,
       VF_STRIP = 512,            /* the attacker offers and takes streams without TLS */
       VF_D_ELSEWHERE = 1024,     /* d does not resolve to where b does */
       VF_D_COVERED = 2048,       /* B's certificate covers d too */
       VF_ASYNC = 4096,           /* what honest servers send each other takes any time */
       VF_BUGGY_ANSWER = 8192,    /* planted: an answer finds its pair without a question */
       VF_BUGGY_TARGET = 16384,   /* planted: keys do not depend on the target domain */
       VF_BUGGY_SENDER = 32768,   /* planted: keys do not depend on the sender domain */
       VF_BUGGY_ID = 65536,       /* planted: keys do not depend on the stream id */
       VF_BUGGY_STREAM = 131072,  /* planted: one pair proved, all stanzas accepted */
       VF_BUGGY_AUTHZID = 262144, /* planted: the authzid is not compared with 'from' */
       VF_BUGGY_HEADER = 524288, /* planted: the header after SASL names the authenticated domain */
       VF_BUGGY_RESULT = 1048576, /* planted: a typed db:result makes the pair that it names */
       VF_BUGGY_PROOF = 2097152, /* planted: a key is weighed by the proof of the stream's 'from' */
       VF_BUGGY_ASKER = 4194304, /* planted: the verification goes over the stream that is judged */
       VF_D_NO_ERRORS = 8388608, /* B does not announce dialback errors */
       VF_REFUTES_B = 33554432,  /* the owner of b does */
       VF_HONEST =
           16777216, /* nobody attacks and nothing fails: what comes to rest is established */
       VF_RESUMES = 1 << 26,       /* the attacker asks to resume TLS sessions */
       VF_BUGGY_RESUMED = 1 << 27, /* planted: what a TLS session proved counts where it resumes */
       VF_TWO_NAMES = 1 << 28,     /* c is the attacker's too, by the certificate that is m's */
       VF_BUGGY_NAMES = 1 << 29,   /* planted: each name of the certificate may send */
       VF_REFUTES_D = 1 << 30      /* the owner of d does */
};

/* d's proofs stand at another endpoint of its own than the one that B's stream ends at. */
static const uint32_t dna_vf_d_elsewhere_weighed = UINT32_C(1) << 31;

struct vf_config {
    const char *name;
    uint32_t slots; /* a bit a slot */
    uint32_t does;
    const char *knobs; /* "name=value name=value" */
    const char *text;
    struct vf_place places[2][VF_PAIRS]; /* of A and of B; ours VF_NOBODY where there is none */
};

/* What happened, put to the properties: verify_look.c says what each field means. */
enum vf_when {
    VF_W_ACCEPT,
    VF_W_DELIVER,
    VF_W_TRANSMIT,
    VF_W_ANSWER,
    VF_W_ASK,
    VF_W_VOUCH,
    VF_W_GRANT,
    VF_W_SECURED,
    VF_W_ERROR,
    VF_W_SUPPOSE,
    VF_W_KEY,
    VF_W_DEAD,
    VF_W_LOGIN,
    VF_W_SETTLED,
    VF_W_STILL,
    VF_W_ENDLESS,
    VF_W_PROVE,
    VF_W_CONNECT,
    VF_W_OFFER,
    VF_W_UNASKED,
    VF_WHENS
};
struct vf_look {
    uint32_t
#define LOOK(name, text) name,
#include "model/verify_look.def"
#undef LOOK
        unused;
};

/* One step of a machine; false, and nothing done, in a cell that the table calls dead. */
typedef bool dna_vf_tables(const struct dna_machine *machine, uint32_t *vars, uint32_t on,
                           const void *facts, struct dna_stream_vars *s, const struct dna_knobs *k,
                           struct dna_effects *fx);

struct vf {
    const struct vf_config *config;
    struct dna_knobs k;
    uint32_t does; /* of the configuration and of the planted bug */
    struct vf_world w;
    uint32_t seen;         /* enum vf_when, a bit each, that has been observed */
    uint64_t broken;       /* properties, a bit each, that this step has violated */
    uint8_t *fired;        /* by machine and row, or NULL; dna_vf_row_number() */
    unsigned steps;        /* of tables, since the move began */
    bool overflow;         /* a queue was too short: the bounds of the checker are wrong */
    FILE *say;             /* where to print what happens, or NULL */
    bool rows;             /* and each row that fires, each step of each negotiation */
    struct vf_place about; /* the pair that was looked at last */
    void (*saw)(void *arg, unsigned e, bool out, const struct vf_msg *m); /* or NULL */
    void *saw_arg;
    dna_vf_tables *tables; /* who runs the tables, or NULL: the interpreter */
};

/* A pair on a stream, or one that is made up for one step only. */
struct vf_ref {
    unsigned e;
    int place; /* -1: made up */
    uint8_t ours, theirs;
    struct vf_pair *p;
};

struct vf_slot_info {
    const char *name;
    uint8_t server, initiating, for_stanzas, ours, theirs, peer;
};
extern const struct vf_slot_info dna_vf_slots[VF_SLOTS];
extern const char *const dna_vf_domain_name[VF_DOMAINS + 1];
extern const char *const dna_vf_type_name[VF_TYPES];

/* verify_world.c */
void dna_vf_init(struct vf *x, const struct vf_config *config, uint32_t bugs);
void dna_vf_end_init(struct vf *x, unsigned e);
bool dna_vf_hosts(const struct vf *x, unsigned e, unsigned domain);
unsigned dna_vf_owner(const struct vf *x, unsigned domain); /* the server that it is served by */
bool dna_vf_far_is_m(const struct vf *x, unsigned e);
unsigned dna_vf_far_server(const struct vf *x, unsigned e);
unsigned dna_vf_resolve(const struct vf *x, unsigned server, unsigned domain);
enum dna_vf_verdict { VF_UNPROVED, VF_PROVED, VF_REFUTED, VF_PENDING };
enum dna_vf_verdict dna_vf_weigh(struct vf *x, unsigned e, unsigned domain); /* by proof.def */
bool dna_vf_proves(struct vf *x, unsigned e, unsigned domain);
bool dna_vf_seek(struct vf *x, unsigned e, unsigned domain); /* true: it is awaited */
bool dna_vf_unsought(const struct vf *x, unsigned e, unsigned domain);
bool dna_vf_is_dialled(const struct vf *x, unsigned e, unsigned domain);
bool dna_vf_validating(const struct vf *x);
bool dna_vf_truly_proved(const struct vf *x, unsigned e, unsigned domain, bool *refuted);
/* The peer named a domain, and a certificate was shown on this very connection. */
bool dna_vf_shown(const struct vf *x, unsigned e, unsigned domain);
uint8_t dna_vf_key(const struct vf *x, unsigned e, unsigned ours, unsigned theirs, unsigned id);
bool dna_vf_key_right(const struct vf *x, unsigned e, unsigned from, unsigned to, unsigned id,
                      unsigned key, bool exactly);
void dna_vf_send(struct vf *x, unsigned e, struct vf_msg m);
size_t dna_vf_row_number(const struct dna_machine *machine, size_t row);
size_t dna_vf_num_rows(void);
void dna_vf_step(struct vf *x, unsigned e, const struct dna_machine *machine, uint32_t *vars,
                 uint32_t on, const void *facts, struct dna_effects *fx);
void dna_vf_step1(struct vf *x, unsigned e, const struct dna_machine *machine, uint8_t *state,
                  uint32_t on, const void *facts, struct dna_effects *fx);
dna_vf_tables dna_vf_interpreted;
void dna_vf_load(const struct vf_end *end, struct dna_stream_vars *s);
void dna_vf_store(struct vf_end *end, const struct dna_stream_vars *s);

/* verify_stream.c */
void dna_vf_receiving(struct vf *x, unsigned e, uint32_t on,
                      const struct stream_receiving_facts *facts);
void dna_vf_initiating(struct vf *x, unsigned e, uint32_t on,
                       const struct stream_initiating_facts *facts);
void dna_vf_same_event(struct vf *x, unsigned e, uint32_t receiving, uint32_t initiating);
void dna_vf_end_stream(struct vf *x, unsigned e);
void dna_vf_drop(struct vf *x, unsigned e);
void dna_vf_reap(struct vf *x);
void dna_vf_input(struct vf *x, unsigned e, const struct vf_msg *m); /* something reaches end e */
void dna_vf_tls_up(struct vf *x, unsigned e, unsigned cert);
void dna_vf_tls_failed(struct vf *x, unsigned e);
void dna_vf_settle(struct vf *x, unsigned e, unsigned domain);
void dna_vf_say(struct vf *x, unsigned e, enum vf_type type);
void dna_vf_forget(struct vf *x, unsigned e, bool starttls);
void dna_vf_send_close(struct vf *x, unsigned e);
void dna_vf_tls_event(struct vf *x, unsigned e, uint32_t on);
void dna_vf_trailing(struct vf *x, unsigned e, const struct vf_msg *m);

/* verify_initiating.c */
void dna_vf_initiating_tls_out(struct vf *x, unsigned e, unsigned out);
void dna_vf_initiating_header(struct vf *x, unsigned e, const struct vf_msg *m);
void dna_vf_initiating_settled(struct vf *x, unsigned e);
bool dna_vf_initiating_element(struct vf *x, unsigned e, const struct vf_msg *m);

/* verify_pair.c */
struct vf_ref dna_vf_find(struct vf *x, unsigned e, unsigned ours,
                          unsigned theirs); /* p NULL: unknown */
struct vf_ref dna_vf_get(struct vf *x, unsigned e, unsigned ours, unsigned theirs);
struct vf_ref dna_vf_scratch(unsigned e, unsigned ours, unsigned theirs, struct vf_pair *memory);
bool dna_vf_takes(const struct vf_pair *p);
void dna_vf_pair_event(struct vf *x, struct vf_ref r, uint32_t on);
void dna_vf_flows(struct vf *x, unsigned e);
void dna_vf_pair_secured(struct vf *x, struct vf_ref r);
void dna_vf_pair_gone(struct vf *x, struct vf_ref r);
void dna_vf_stanza(struct vf *x, unsigned e, unsigned from, unsigned to);
bool dna_vf_transmit(struct vf *x, struct vf_ref r);
bool dna_vf_target_taken(const struct vf *x, unsigned e, unsigned theirs);
struct vf_ref dna_vf_at(struct vf *x, unsigned e, unsigned place);

/* verify_dialback.c */
void dna_vf_request(struct vf *x, struct vf_ref r);
void dna_vf_receiving_event(struct vf *x, struct vf_ref r, uint32_t on,
                            const struct dialback_receiving_facts *facts, uint8_t key);
void dna_vf_initiating_event(struct vf *x, struct vf_ref r, uint32_t on, bool here);
void dna_vf_proof_settled(struct vf *x, struct vf_ref r);
void dna_vf_dialback_element(struct vf *x, unsigned e, const struct vf_msg *m);
void dna_vf_questions_send(struct vf *x, unsigned asker);
void dna_vf_questions_done(struct vf *x, unsigned asker);
void dna_vf_questions_failed(struct vf *x, unsigned asker, uint32_t how);
void dna_vf_question_end(struct vf_pair *p);
unsigned dna_vf_asker(const struct vf *x, const struct vf_ref *r);
bool dna_vf_asks(const struct vf *x, unsigned asker);

/* verify_route.c */
struct vf_route *dna_vf_route(struct vf *x, struct vf_ref r);
void dna_vf_route_event(struct vf *x, unsigned server, unsigned place, uint32_t on);
void dna_vf_route_use(struct vf *x, struct vf_ref r);
void dna_vf_route_lost(struct vf *x, struct vf_ref r);
void dna_vf_route_bounced(struct vf *x, unsigned server, unsigned place);
void dna_vf_route_leave(struct vf *x, struct vf_ref r);
void dna_vf_route_open_own(struct vf *x, unsigned server, unsigned place);
void dna_vf_user_sends(struct vf *x, unsigned server, unsigned place);
void dna_vf_dial(struct vf *x, unsigned e);
void dna_vf_dial_event(struct vf *x, unsigned e, uint32_t on, bool more);
int dna_vf_place(const struct vf *x, unsigned server, unsigned ours, unsigned theirs);

/* verify_look.c */
struct vf_property {
    const char *id;
    enum vf_when when;
    bool (*holds)(const struct vf_look *l, const struct dna_knobs *k);
    const char *expr, *text;
    const uint16_t *because;
};
extern const struct vf_property dna_vf_properties[];
extern const size_t dna_vf_num_properties;
static inline uint64_t dna_vf_bit(size_t property)
{
    return UINT64_C(1) << property;
}
extern const char *const dna_vf_when_name[VF_WHENS];
void dna_vf_look(struct vf *x, struct vf_ref r, struct vf_look *l);
void dna_vf_observe(struct vf *x, enum vf_when when, const struct vf_look *l);
void dna_vf_observe_pair(struct vf *x, enum vf_when when, struct vf_ref r);

/* verify_attack.c: what may happen next; verify_happen.c: and it does */
struct vf_move {
    uint8_t kind, e;
    struct vf_msg m;
};
enum vf_kind {
    VF_M_DELIVER,
    VF_M_SEND,
    VF_M_OPEN,
    VF_M_SERVE,
    VF_M_SAY,
    VF_M_TLS,
    VF_M_TLS_FAILS,
    VF_M_DNS,
    VF_M_NO_DNS,
    VF_M_BAD_DNS,
    VF_M_BARRED,
    VF_M_BAD_ADDRESS,
    VF_M_CONNECT,
    VF_M_NO_CONNECT,
    VF_M_SETTLE,
    VF_M_NEGOTIATION,
    VF_M_IDLE,
    VF_M_EXPIRY,
    VF_M_CLOSE_TIMER,
    VF_M_VERIFY_TIMER,
    VF_M_RESULT_TIMER,
    VF_M_ACCEPT,
    VF_KINDS
};
enum { VF_MAX_MOVES = 1024 };
size_t dna_vf_moves(struct vf *x, struct vf_move *out);
bool dna_vf_peer_free(const struct vf *x, unsigned e); /* the far end can take a connection */
void dna_vf_apply(struct vf *x, const struct vf_move *move);
void dna_vf_drain(struct vf *x);       /* what honest servers send each other arrives */
void dna_vf_settles(struct vf *x);     /* observes what becomes of this world if nobody acts */
bool dna_vf_quiet(const struct vf *x); /* nothing is under way, and nothing waits */
bool dna_vf_opening(const struct vf *x, unsigned e); /* the stream is not, or no longer, ready */
void dna_vf_print_move(const struct vf *x, const struct vf_move *move, FILE *out);
void dna_vf_print_msg(const struct vf *x, unsigned e, bool out, const struct vf_msg *m, FILE *to);

/* verify_cells.c: lets the interpreter and another reading of the tables take every step that they
   can take; returns how many differ, and says the first ten, unless `say` is NULL */
size_t dna_vf_cells(dna_vf_tables *other, uint64_t *out_steps, FILE *say);

#endif
