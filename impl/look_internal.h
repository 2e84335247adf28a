/* SPDX-License-Identifier: MIT */
/* look_internal.h -- what the parts of a look share: look.c (the run, the dial), look_stream.c (the
   connection), look_tls.c (STARTTLS), look_c2s.c and look_s2s.c (their machines), look_record.c
   (what goes into the document), look_judge.c (what follows from it), look_text.c (for people). */
#ifndef DNA_IMPL_LOOK_INTERNAL_H
#define DNA_IMPL_LOOK_INTERNAL_H

#include <event2/event.h>
#include <jansson.h>

#include "impl/dial.h"
#include "impl/look.h"
#include "model/machines.h"

enum { LOOK_LIMIT = 1 << 18, LOOK_MAX_TARGETS = 8, LOOK_MAX_ITEMS = 64 };

/* What happens to a stream, whichever machine it has. */
enum look_event {
    LOOK_TCP_UP,
    LOOK_HEADER,
    LOOK_FEATURES,
    LOOK_SECURED,
    LOOK_TLS_FAILED,
    LOOK_OTHER, /* any other element: look.element */
    LOOK_STREAM_ERROR,
    LOOK_BAD_XML, /* look.xml_error */
    LOOK_CLOSE,
    LOOK_GONE,
    LOOK_TIME_OUT,
    LOOK_CLOSE_TIME_OUT,
    LOOK_ENOUGH, /* we have seen what there is to be seen */
    LOOK_NUM_EVENTS
};

/* The facts that the two machines have in common, as last seen. */
struct look_facts {
    bool stream_namespace, content_namespace, id_given, from_agrees, version_one,
        dialback_declared;                                       /* of the header */
    bool starttls, external, dialback, errors, bidi, bind;       /* of the features */
    enum dna_proof_verdict verdict;                              /* of the certificate */
};

struct look;

/* A service: how one of its initiators behaves. */
struct look_kind {
    const char *key;     /* "c2s" */
    const char *title;   /* "client to server" */
    const char *service; /* "xmpp-client" */
    const char *content_namespace;
    enum dna_pkix_service names;
    uint16_t port;
    void (*begin)(struct look *l);                     /* initializes the machine */
    void (*event)(struct look *l, enum look_event on); /* a step, its outputs carried out */
    void (*forget)(struct look *l);                    /* what does not survive STARTTLS */
};
extern const struct look_kind dna_look_c2s, dna_look_s2s;

struct look_tlsa; /* a question that is only asked for the record */

/* One service of the domain, being looked at. */
struct look {
    struct dna_look *all;
    const struct look_kind *kind;
    json_t *record; /* this service's part of the document; borrowed, as all json_t here */
    json_t *target; /* of record.targets: the one being tried */
    size_t num_tried;
    struct dna_dial *dial;
    struct dna_posh_ask *posh;
    struct look_tlsa *tlsa;
    struct dna_conn *conn;
    struct event *negotiation, *closing;
    struct starttls_initiating starttls;
    struct c2s_client c2s;
    struct stream_initiating s2s;
    struct dna_stream_vars vars;
    struct look_facts facts;
    const struct dna_xml_node *element; /* being worked on; NULL outside of its callback */
    enum dna_xml_error xml_error;
    enum look_event on; /* the latest, for what is said of it */
    bool deaf;          /* what comes is not looked at any more, but for the end */
    bool over;
};

/* The run. */
struct dna_look {
    const struct dna_look_options *options;
    struct event_base *base;
    struct dna_client_env env;
    json_t *document; /* owned */
    struct look looks[2];
    size_t num_looks;
    unsigned open; /* looks and questions under way */
};

/* look.c */
void dna_look_opened(struct dna_look *all);
void dna_look_closed(struct dna_look *all); /* the last one ends the run */
void dna_look_over(struct look *l);         /* nothing more comes of this service */
void dna_look_deadline(struct event *timer, uint32_t ms);
/* dna_look_problem keeps the first reason why a look did not come to its end: what became of it,
   and one line.  outcome is a word of the document. */
void dna_look_problem(struct look *l, const char *outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* look_stream.c: makes timers and machines; takes the connection over; what all streams send. */
void dna_look_begin_stream(struct look *l);
void dna_look_connected(struct look *l, struct dna_conn *conn);
void dna_look_send_header(struct look *l, const char *from, const char *declarations);
/* dna_look_error sends a stream error; condition is its element's name (RFC 6120 4.9.3). */
void dna_look_error(struct look *l, const char *condition);
void dna_look_send_close(struct look *l);
void dna_look_drop(struct look *l);
/* dna_look_failed is behind the report_failed of both machines. */
void dna_look_failed(struct look *l);

/* look_tls.c */
void dna_look_starttls(struct look *l, enum starttls_initiating_event on);

/* look_record.c: text is the peer's and is made harmless. */
json_t *dna_look_string(const char *text);
json_t *dna_look_new_service(const struct look_kind *kind);
void dna_look_record_srv(struct look *l, const struct dna_dns_answer *answer);
void dna_look_record_target(struct look *l, const struct dna_dial_target *of);
void dna_look_record_addresses(struct look *l, const struct dna_dns_answer *answer);
void dna_look_record_header(struct look *l, const struct dna_xml_node *header);
void dna_look_record_features(struct look *l, const struct dna_xml_node *features);
void dna_look_record_tls(struct look *l);
void dna_look_record_proofs(struct look *l, enum dna_proof_verdict verdict);
void dna_look_record_posh(struct look *l);
/* dna_look_tlsa_all asks for the TLSA records of every target, for the record. */
void dna_look_tlsa_all(struct look *l);
void dna_look_tlsa_free(struct look *l);

/* look_judge.c: completes the document, when everything is in; returns the exit status. */
enum dna_client_status dna_look_judge(struct dna_look *all);

/* look_text.c */
void dna_look_print(const json_t *document, FILE *out);

#endif
