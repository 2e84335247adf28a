/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. One connection between an actor and the implementation under test: TCP from
 * or to an address of the actor's own, XML both ways, TLS when a scenario says so. What arrives
 * is handed on as events, in order; nothing is interpreted here. The owner frees a wire with
 * dna_wire_free, also from inside its callback.
 */
#ifndef CONFORMANCE_WIRE_H
#define CONFORMANCE_WIRE_H

#include <stdint.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "conformance/lab/ca.h"
#include "conformance/xnode.h"

enum dna_wire_kind {
    DNA_WIRE_UP,         /* TCP is open */
    DNA_WIRE_TLS_UP,     /* the handshake is done, as far as our side can see */
    DNA_WIRE_TLS_FAILED,
    DNA_WIRE_HEADER,     /* node: the stream header, children none */
    DNA_WIRE_ELEMENT,    /* node: a whole element at depth one */
    DNA_WIRE_CLOSE,      /* </stream:stream> */
    DNA_WIRE_BAD_XML,    /* what came is not XML; nothing more is read */
    DNA_WIRE_EOF,        /* the other side has ended TCP (or never let us connect) */
};

struct dna_wire;

/* note says in words what went wrong, "" mostly; node lives in the wire's pool. */
typedef void (*dna_wire_fn)(struct dna_wire *wire, enum dna_wire_kind kind, struct dna_xnode *node,
                            const char *note, void *arg);

struct dna_wire *dna_wire_connect(struct event_base *base, struct dna_pool *pool,
                                  const char *from_addr, const char *to_addr, unsigned port,
                                  dna_wire_fn fn, void *arg);
struct dna_wire *dna_wire_accepted(struct event_base *base, struct dna_pool *pool, int fd,
                                   dna_wire_fn fn, void *arg);
void dna_wire_free(struct dna_wire *wire);

void dna_wire_send(struct dna_wire *wire, const char *bytes, size_t len);
void dna_wire_fin(struct dna_wire *wire); /* what was sent goes out, then our side of TCP ends */

/* dna_wire_tls starts the handshake: as client or server, with or without a certificate. */
struct dna_wire_tls_options {
    bool server;
    const struct dna_cert *cert; /* NULL: show none (as server there is then no handshake) */
    const char *sni;             /* client: NULL sends none */
    bool resumable;              /* server: issue a ticket, and take one of another connection */
    const struct dna_wire *resumes; /* client: ask for the session of this one; or NULL */
};
void dna_wire_tls(struct dna_wire *wire, const struct dna_wire_tls_options *options);

/* What the handshake showed. */
struct dna_wire_seen {
    X509 *cert;            /* of the other side; NULL; borrowed */
    STACK_OF(X509) *chain; /* borrowed, may be NULL */
    bool cert_requested;   /* client: the server asked for ours */
    const char *sni;       /* server: what the client named; NULL if it did not */
    const char *version;   /* "TLSv1.3" */
};
bool dna_wire_seen(const struct dna_wire *wire, struct dna_wire_seen *out);
bool dna_wire_is_open(const struct dna_wire *wire);

/* ---- the XML of one stream (wire_xml.c) ---- */
struct dna_wire_xml;
typedef void (*dna_wire_xml_fn)(enum dna_wire_kind kind, struct dna_xnode *node, const char *note,
                                void *arg);
struct dna_wire_xml *dna_wire_xml_new(struct dna_pool *pool, dna_wire_xml_fn fn, void *arg);
void dna_wire_xml_free(struct dna_wire_xml *xml);
/* dna_wire_xml_feed returns false once nothing more can be read from this stream. A new header
 * where an element could stand begins a new document, as after SASL. */
bool dna_wire_xml_feed(struct dna_wire_xml *xml, const char *bytes, size_t len);
void dna_wire_xml_reset(struct dna_wire_xml *xml); /* after TLS: what comes is a new document */

#endif
