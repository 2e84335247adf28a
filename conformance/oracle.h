/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The oracle of a case: what the implementation under test sends is held against
 * the tables by trace walks (model/walk.h), one for each machine, connection and domain pair. It is
 * told what both sides send and knows nothing of sockets; what it can't know stays open. The
 * dna_oracle owns connections, walks and objections.
 */
#ifndef CONFORMANCE_ORACLE_H
#define CONFORMANCE_ORACLE_H

#include <stdint.h>

#include "conformance/lab/ca.h"
#include "conformance/wire.h"
#include "spec/knobs.h"

struct dna_oracle;
struct dna_oracle_conn;

/* What the implementation under test is on a connection. */
enum dna_oracle_kind {
    DNA_ORACLE_RECEIVING,  /* of a stream between servers that a peer opened */
    DNA_ORACLE_INITIATING, /* of one that it opened itself */
    DNA_ORACLE_C2S,        /* the server of a client stream */
};

struct dna_oracle_setup {
    const char *const *hosted; /* the domains that it serves, lower case; borrowed */
    size_t num_hosted;
    const char *bare; /* one more, for which it has no certificate; borrowed; or NULL */
    struct dna_knobs knobs;
    uint64_t known;            /* bit i: the i-th knob is as given, else it is open */
    bool errors;               /* it speaks dialback errors; else invalid stands for them */
    unsigned result_ms;        /* how long it waits for the answer to its key; 0: not known */
    bool seeks_others;         /* proofs beside PKIX, which may take a while to come in */
    bool other_proofs;         /* and this case has records or pages that may prove or refute a
                                * domain: then what a certificate proves stays open */
    X509 *bounded;             /* trusted too, but bounded by itself; or NULL */
    X509 *root;                /* what it trusts; NULL: whether a certificate holds stays open */
};

struct dna_oracle_counts {
    unsigned long elements, walks, gave_up, objections;
};

/* Something was sent that no explanation of what happened before allows. */
struct dna_objection {
    struct dna_objection *next;
    const char *conn, *element; /* where and what; "" when something was missing */
    const char *machine;
    const char *expected;       /* outputs that would have been right */
    const char *rows, *reqs;    /* ids, separated by blanks */
    const char *text;           /* all of it, on one line */
    size_t step;
    enum dna_level level;       /* the strongest that these rows cite */
};

struct dna_oracle *dna_oracle_new(const struct dna_oracle_setup *setup);
void dna_oracle_free(struct dna_oracle *oracle);

struct dna_oracle_conn *dna_oracle_connect(struct dna_oracle *oracle, enum dna_oracle_kind kind,
                                           const char *label);
/* dna_oracle_sent: these bytes go to the implementation under test. */
void dna_oracle_sent(struct dna_oracle_conn *conn, const char *bytes, size_t len);
/* dna_oracle_got: this came from it; kinds as of the wire. */
void dna_oracle_got(struct dna_oracle_conn *conn, enum dna_wire_kind kind,
                    const struct dna_xnode *node);
/* dna_oracle_tls: our side of a handshake begins, showing this certificate (NULL: none). plain: an
 * ordinary one of the lab, whose names prove what they say. */
void dna_oracle_tls(struct dna_oracle_conn *conn, const struct dna_cert *cert, bool plain);
/* dna_oracle_shown: whether the other side showed a certificate in the handshake that ends now. */
void dna_oracle_shown(struct dna_oracle_conn *conn, bool shown);
void dna_oracle_fin(struct dna_oracle_conn *conn); /* our side of TCP ends */

const struct dna_objection *dna_oracle_objections(const struct dna_oracle *oracle);
struct dna_oracle_counts dna_oracle_counts(const struct dna_oracle *oracle);

#endif
