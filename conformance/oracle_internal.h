/* SPDX-License-Identifier: MIT */
/* Room: conformance. What the files of the oracle share; nobody else includes this. */
#ifndef CONFORMANCE_ORACLE_INTERNAL_H
#define CONFORMANCE_ORACLE_INTERNAL_H

#include "conformance/oracle.h"
#include "model/machines.h"
#include "model/walk.h"

enum { NO = 0, YES = 1, OPEN = 255 }; /* OPEN is above every maximum: dna_walk_stream opens it */

/* Facts of one event; those that nothing was said of are open. */
struct oracle_facts {
    uint32_t at[32];
    uint64_t known;
};
#define FACT(facts, machine, field, value) \
    oracle_fact(facts, offsetof(struct machine##_facts, field) / sizeof(uint32_t), value)
void oracle_fact(struct oracle_facts *facts, size_t index, uint32_t value);

/* What all walks of a connection are told of its stream. */
struct oracle_stream {
    uint32_t secured, authenticated, bidi, pairs_taken, handshaking, we_opened;
};

struct oracle_walk {
    struct oracle_walk *next;
    const struct dna_machine *machine;
    struct dna_walk *walk;
    struct dna_oracle_conn *conn;
    const char *peer, *iut, *id; /* of a pair, of a verification request; else NULL */
    unsigned seq;                /* of the last request */
    bool receives;               /* association: watches what is delivered, not what is sent */
    bool asked, dead;
    struct timeval since;        /* when the IUT asked for the pair */
};

struct oracle_word { /* an id or a key that was seen */
    struct oracle_word *next;
    const char *text, *peer, *iut, *id;
};

struct oracle_stanza {
    struct oracle_stanza *next;
    const char *id, *from;
    struct oracle_walk *walk;
};

struct dna_oracle_conn {
    struct dna_oracle_conn *next;
    struct dna_oracle *oracle;
    enum dna_oracle_kind kind;
    const char *label;
    struct dna_wire_xml *sent;       /* what we send, read again */
    struct oracle_walk *walks;
    struct oracle_stream s;
    struct oracle_walk *stream, *starttls, *sasl; /* also among walks */
    const char *sent_from, *sent_to, *sent_id;    /* of our last header, normal form or NULL */
    const char *got_from, *got_to;                /* of its last one */
    struct oracle_word *ids;         /* that the IUT gave to this stream */
    struct oracle_word *questions;   /* that it asked here */
    const struct dna_cert *cert;
    bool tls, plain;                 /* a handshake has begun; cert is an ordinary one */
    bool asked;                      /* the IUT sent starttls */
    bool unasked;                    /* we sent a proceed that is no reply: DEC_A56 */
    uint32_t shown;
    unsigned auths;                  /* SASL attempts that it has not answered */
    bool challenged;                 /* its last word on one was a challenge */
    const char *bind_id;             /* of our last request for a resource */
    bool bound;                      /* it has given the client one */
    struct oracle_facts features;    /* our last ones */
    const struct dna_xnode *header;  /* of the IUT, not judged yet */
    bool header_ok;                  /* a header of ours is due */
    bool blind, over, fuzzy, tx_unsure;
};

struct dna_oracle {
    struct dna_pool *pool;
    struct dna_oracle_setup setup;
    X509_STORE *store;
    struct dna_oracle_conn *conns;
    struct oracle_word *keys;        /* that the IUT sent */
    struct oracle_stanza *stanzas;   /* that we sent it */
    struct dna_objection *objections, **tail;
    struct dna_oracle_counts counts;
    unsigned seq;
    bool deaf;                       /* it has lost the thread: no more objections in this case */
};

/* oracle.c */
struct oracle_walk *oracle_walk_new(struct dna_oracle_conn *conn, const struct dna_machine *m);
void oracle_event(struct oracle_walk *w, uint32_t event, const struct oracle_facts *facts);
void oracle_out(struct oracle_walk *w, const struct dna_xnode *node, const uint8_t *outs,
                size_t num);
void oracle_out1(struct oracle_walk *w, const struct dna_xnode *node, uint32_t out);
/* any of the outputs whose name begins so, but none that begins with `but` (NULL) */
void oracle_out_like(struct oracle_walk *w, const struct dna_xnode *node, const char *prefix,
                     const char *const *but);
void oracle_settle(struct oracle_walk *w);
void oracle_say(struct dna_oracle_conn *conn, uint32_t *field, const char *name, uint32_t value);
void oracle_restart(struct dna_oracle_conn *conn, bool starttls);
/* to all walks of the connection whose machine has an event of that name */
void oracle_tell_all(struct dna_oracle_conn *conn, const char *event);

/* oracle_facts.c */
const char *oracle_domain(struct dna_pool *pool, const char *text); /* NULL: missing or not plain */
const char *oracle_jid_domain(struct dna_pool *pool, const char *jid);
uint32_t oracle_hosted(const struct dna_oracle *oracle, const char *domain);
uint32_t oracle_can_secure(const struct dna_oracle *oracle, const char *domain);
uint32_t oracle_proves(const struct dna_oracle_conn *conn, const char *domain);
/* may a proof of some domain still be on its way; may its owner say that the certificate is
 * wrong */
uint32_t oracle_pending(const struct dna_oracle_conn *conn);
uint32_t oracle_refutes(const struct dna_oracle_conn *conn);
uint32_t oracle_base64(const char *text);
/* is there an identity in the data of EXTERNAL that is not `domain`? */
uint32_t oracle_identity_differs(struct dna_pool *pool, const char *text, const char *domain);
bool oracle_is_stanza(const struct dna_xnode *node);
const char *oracle_element(struct dna_pool *pool, const struct dna_xnode *node); /* for people */

/* oracle_stream.c */
void oracle_stream_begin(struct dna_oracle_conn *conn);
void oracle_stream_sent_header(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_stream_sent(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_stream_got_header(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_stream_judge_header(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_stream_got(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_stream_secured(struct dna_oracle_conn *conn);
void oracle_stream_ended(struct dna_oracle_conn *conn, bool closed); /* by us */

/* oracle_c2s.c */
void oracle_c2s_sent_header(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_c2s_sent(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_c2s_got(struct dna_oracle_conn *conn, const struct dna_xnode *node);

/* oracle_pairs.c */
void oracle_dialback_sent(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_dialback_got(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_stanza_sent(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_stanza_got(struct dna_oracle_conn *conn, const struct dna_xnode *node);
void oracle_delivered(struct dna_oracle_conn *client, const struct dna_xnode *node);
/* SASL EXTERNAL: asked for by us, accepted by it; granted by us */
void oracle_external_asked(struct dna_oracle_conn *conn);
void oracle_external_accepted(struct dna_oracle_conn *conn);
void oracle_external_granted(struct dna_oracle_conn *conn);
/* a handshake in which we are the server begins: a same-certificate shortcut may follow */
void oracle_authority_secured(struct dna_oracle_conn *conn);

#endif
