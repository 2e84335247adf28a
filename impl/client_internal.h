/* SPDX-License-Identifier: MIT */
/* client_internal.h -- what the parts of xdna-client share: client.c (the run, events in),
   client_out.c and client_starttls.c (outputs), client_resolve.c (finding the server),
   client_stanza.c (after login), client_lines.c (what the user writes meanwhile), client_show.c
   (what the user sees). */
#ifndef DNA_IMPL_CLIENT_INTERNAL_H
#define DNA_IMPL_CLIENT_INTERNAL_H

#include <event2/event.h>
#include <openssl/ssl.h>
#include <time.h>

#include "impl/client.h"
#include "impl/client_env.h"
#include "impl/conn.h"
#include "impl/dial.h"
#include "impl/dns.h"
#include "impl/key.h"
#include "impl/pkix.h"
#include "impl/sasl.h"
#include "model/machines.h"

/* One stanza of ours: kept until the tables let it go. */
struct dna_client_stanza {
    struct dna_client_stanza *next;
    char *text;
    char *id; /* of a line of the user's; NULL: any other */
};

struct dna_client {
    const struct dna_client_options *options;
    FILE *out;
    struct event_base *base;
    struct dna_client_env env;
    struct dna_dial *dial;
    struct dna_conn *conn;
    struct starttls_initiating starttls;
    struct c2s_client machine;
    struct dna_stream_vars stream;
    struct event *negotiation, *closing, *watchman, *quit, *waiting, *answer;
    time_t expires; /* when the certificate that proved the server does; 0: never, or no matter */
    enum c2s_client_event on;  /* of the latest step of c2s_client, for what is said of it */
    const struct dna_row *row; /* of the step under way, whose requirements are shown */
    char note[512];            /* what the next step is about, shown with its requirements */
    const char *note_topic, *last_topic;
    enum dna_sasl_mechanism mechanism;
    struct dna_sasl *sasl;
    const struct dna_xml_node *element; /* being worked on; NULL outside of its callback */
    struct dna_client_stanza *held, *sending;
    unsigned num_held, num_lines;   /* stanzas that wait; messages that were lines */
    struct dna_client_lines *lines; /* NULL: none are read */
    bool no_more, taken_over;       /* all is said; and the server has answered for it */
    bool heard;                     /* what was expected */
    struct dna_pin pin; /* what the server presented, where */
    char *bound;        /* our full JID */
    char bind_id[DNA_ID_LEN + 1], ping_id[DNA_ID_LEN + 1], message_id[128];
    const char *association; /* "strong", "pinned", "unauthenticated"; NULL: none */
    unsigned num_shown;
    enum dna_client_status status;
};

/* client.c: one event through a table, its outputs carried out. */
void dna_client_step(struct dna_client *c, enum c2s_client_event on,
                     const struct c2s_client_facts *facts);
void dna_client_starttls_step(struct dna_client *c, enum starttls_initiating_event on,
                              const struct starttls_initiating_facts *facts);
/* dna_client_deadline (re)starts a timer. */
void dna_client_deadline(struct event *timer, uint32_t ms);
/* dna_client_connected takes the connection over that the dial has opened. */
void dna_client_connected(struct dna_client *c, struct dna_conn *conn);
/* dna_client_verdict sets the exit status: a worse one stays. */
void dna_client_verdict(struct dna_client *c, enum dna_client_status status);
/* dna_client_finish ends the loop. */
void dna_client_finish(struct dna_client *c);

/* The functions behind the outputs, by number. */
typedef void (*dna_client_out)(struct dna_client *c);
extern const dna_client_out dna_client_outs[c2s_client_O_MAX];
extern const dna_client_out dna_client_starttls_outs[starttls_initiating_O_MAX];

/* client_resolve.c: begins to look for the server. */
void dna_client_resolve(struct dna_client *c);

/* client_stanza.c */
void dna_client_prepare_stanzas(struct dna_client *c); /* raises SEND_STANZA for all there is */
void dna_client_hold(struct dna_client *c);
void dna_client_transmit(struct dna_client *c);
void dna_client_release_held(struct dna_client *c); /* raises SEND_STANZA for what waited */
void dna_client_show_stanza(struct dna_client *c);
void dna_client_waited(struct dna_client *c); /* the time for what is expected is over */
void dna_client_say_line(struct dna_client *c, const char *text); /* one message more */
void dna_client_no_more(struct dna_client *c); /* it ends when the server has taken all over */
void dna_client_stanzas_free(struct dna_client *c);

/* client_lines.c: reads options->lines_fd until it ends or is stopped; paused while a question is
   open that is answered on the same descriptor. */
void dna_client_lines_begin(struct dna_client *c);
void dna_client_lines_pause(struct dna_client *c, bool pause);
void dna_client_lines_stop(struct dna_client *c);
void dna_client_lines_free(struct dna_client *c);

/* client_show.c: one line a fact, with the requirements of the row at work. */
void dna_client_show(struct dna_client *c, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* dna_client_note keeps a line that the next step shows as its first. */
void dna_client_note(struct dna_client *c, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* dna_client_row makes row the one whose requirements are shown next, and shows the note. */
void dna_client_row(struct dna_client *c, const struct dna_effects *fx);
void dna_client_show_certificate(struct dna_client *c);
/* dna_client_show_proofs shows what each prooftype said when the certificate was weighed. */
void dna_client_show_proofs(struct dna_client *c);
void dna_client_show_result(struct dna_client *c);
/* dna_client_show_question writes the question and the chain that it is about (RFC 6125 6.6.4). */
void dna_client_show_question(struct dna_client *c);

#endif
