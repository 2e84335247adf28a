/* SPDX-License-Identifier: MIT */
/* dial: finding and reaching the server of a domain for somebody who opens one stream: the machine
 * resolution, its questions to DNS and to the prooftypes, the walk through targets and addresses,
 * and TCP. Whoever dials watches what is learned on the way; each news comes before the table hears
 * of it. xdna-client's runs and its looks from outside dial; a server, which may find a stream to
 * reuse, has its own (s2s_resolve.c). */
#ifndef DNA_IMPL_DIAL_H
#define DNA_IMPL_DIAL_H
#include "impl/conn.h"
#include "impl/proof.h"

struct dna_dial;
struct dna_effects;

/* Whom to reach; all text is borrowed and outlives the dial. */
struct dna_dial_ask {
    const char *domain;            /* prepared: lower case, U-labels */
    const char *ascii;             /* the same in A-labels */
    const char *service;           /* "xmpp-client" */
    enum dna_pkix_service names;   /* whose names count in certificates */
    uint16_t port;                 /* where the domain itself is asked, without SRV records */
    const char *host;              /* go there instead of where DNS says; NULL: ask DNS */
    uint16_t host_port;
    uint32_t connect_ms;           /* for one address */
};

/* Where an attempt leads to. */
struct dna_dial_target {
    const char *host; /* A-labels or an address; borrowed */
    uint16_t port;
    bool from_srv;
    const struct dna_dns_srv *srv; /* its record; NULL if there is none */
};

/* What a dial tells; every member is set. None of them may free the dial. */
struct dna_dial_watch {
    /* a step of resolution was made, its outputs come next; fx NULL: they have been carried out */
    void (*stepped)(void *arg, const struct dna_effects *fx);
    void (*asks_srv)(void *arg, const char *name);
    void (*srv)(void *arg, const struct dna_dns_answer *answer);
    void (*asks_addresses)(void *arg, const struct dna_dial_target *of);
    void (*addresses)(void *arg, const struct dna_dial_target *of,
                      const struct dna_dns_answer *answer);
    void (*seeks)(void *arg);  /* the prooftypes begin */
    void (*barred)(void *arg, const struct dna_dial_target *at); /* by a prooftype */
    void (*connects)(void *arg, const char *address); /* "address:port" */
    void (*refused)(void *arg, const char *why);      /* that address: the next one follows */
    void (*connected)(void *arg, struct dna_conn *conn); /* yours; give it a handler at once */
    void (*failed)(void *arg, const char *why);          /* the end: nobody was reached */
};

/* dna_dial_new() begins. *out is set before anything is told; refused and connected are never told
 * before it returns. env and watch are borrowed and outlive the dial. */
void dna_dial_new(struct dna_dial **out, const struct dna_proof_env *env,
                  const struct dna_dial_ask *ask, const struct dna_dial_watch *watch, void *arg);
/* dna_dial_free() ends it; a connection that was handed over lives on. NULL is fine. */
void dna_dial_free(struct dna_dial *d);

/* dna_dial_proof() is what was sought for the domain; the dial's. NULL before it is sought. */
struct dna_proof *dna_dial_proof(const struct dna_dial *d);
/* dna_dial_at() is the target being tried, or reached. */
struct dna_dial_target dna_dial_at(const struct dna_dial *d);
/* dna_dial_address_text() writes "address:port", IPv6 in brackets. */
void dna_dial_address_text(const struct sockaddr_storage *addr, uint16_t port, char *out,
                           size_t size);
#endif
