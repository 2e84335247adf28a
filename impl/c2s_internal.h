/* SPDX-License-Identifier: MIT */
/* c2s_internal.h -- what c2s.c (events in), c2s_out.c (outputs out) and c2s_stanza.c (binding,
   stanzas) share of one client session; nobody else includes it. */
#ifndef DNA_IMPL_C2S_INTERNAL_H
#define DNA_IMPL_C2S_INTERNAL_H

#include <event2/event.h>

#include "impl/peer_knobs.h"
#include "impl/c2s.h"
#include "impl/conn.h"
#include "impl/jid.h"
#include "impl/key.h"
#include "impl/sasl.h"
#include "model/machines.h"

enum {
    DNA_C2S_CLEAR_LIMIT = 16384,       /* bytes of an element before login */
    DNA_C2S_PENDING_MAX = 8 << 20,     /* unsent bytes after which a client is given up */
    DNA_C2S_DIRECTED_MAX = 256         /* addresses remembered for unavailable presence */
};

struct dna_c2s {
    struct dna_c2s_setup setup;
    struct dna_c2s_session *first;
    size_t count;
};

struct dna_c2s_session {
    struct dna_c2s *service;
    const struct dna_knobs *knobs; /* that count for this peer */
    struct dna_c2s_session *next, **link;
    struct dna_conn *conn;
    struct c2s_server machine;
    struct starttls_receiving starttls;
    struct dna_stream_vars stream;
    struct event *negotiation, *closing, *giving_up;
    const struct dna_config_domain *domain; /* of the last header; once logged in, of the account */
    char *peer_from;                        /* `from` of the last header, or NULL */
    char stream_id[DNA_ID_LEN + 1];
    enum dna_sasl_mechanism mechanism; /* of the <auth/> at hand */
    struct dna_buf in, out;            /* SASL data, base64 */
    struct dna_sasl *sasl;
    enum dna_sasl_status sasl_status;
    const struct dna_xml_node *element; /* being worked on; NULL outside of its callback */
    char *local;                        /* account, once logged in */
    char *jid;                          /* full JID, once bound */
    bool discard;                       /* only the end of the stream is of interest */
    char **directed; /* addresses that got our available presence directly */
    size_t num_directed;
};

/* dna_c2s_step takes one event through c2s_server and carries out its outputs. */
void dna_c2s_step(struct dna_c2s_session *s, enum c2s_server_event on,
                  const struct c2s_server_facts *facts);
/* dna_c2s_starttls_step does the same for starttls_receiving. */
void dna_c2s_starttls_step(struct dna_c2s_session *s, enum starttls_receiving_event on,
                           const struct starttls_receiving_facts *facts);
/* dna_c2s_outs and dna_c2s_starttls_outs are the functions behind the outputs, by number. */
typedef void (*dna_c2s_out)(struct dna_c2s_session *s);
extern const dna_c2s_out dna_c2s_outs[c2s_server_O_MAX];
extern const dna_c2s_out dna_c2s_starttls_outs[starttls_receiving_O_MAX];

/* dna_c2s_bind answers the bind request at hand and registers the full JID. */
void dna_c2s_bind(struct dna_c2s_session *s);
/* dna_c2s_refuse_bind answers the bind request at hand with not-allowed. */
void dna_c2s_refuse_bind(struct dna_c2s_session *s);
/* dna_c2s_route stamps the stanza at hand with the full JID and sends it on its way. */
void dna_c2s_route(struct dna_c2s_session *s);
/* dna_c2s_unbind tells those who were told of us that we are gone; harmless if not bound. */
void dna_c2s_unbind(struct dna_c2s_session *s);

#endif
