/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Sessions of a derived suite (model/hsi.h) written as scenarios: each symbol
 * becomes the bytes that a complete peer sends, each word what must come out. So they are run,
 * judged, shown and repeated as any scenario is. What no peer can bring about over sockets is left
 * out of the alphabet before the suite is derived, and said.
 */
#ifndef CONFORMANCE_DERIVE_H
#define CONFORMANCE_DERIVE_H

#include "conformance/pool.h"
#include "model/unfold.h"

/* dna_derive_script is one session while it is written. */
struct dna_derive_script {
    struct dna_buf body;
    const struct dna_compose *compose; /* after the symbol that is being written */
    bool initiating;                   /* the IUT opened the stream */
    const char *conn;                  /* "A.in" or "A.v" */
    unsigned header, key, verify, message, local, barrier, got; /* counted up */
    unsigned asked[2], asked_id[2];    /* the connection and stream of the open question */
    bool loose; /* other features may be offered, too */
    bool last;  /* nothing more is sent behind this symbol */
    bool needs_user, needs_key, needs_id, needs_aside;
};

/* dna_derive_playable says whether the symbol can be brought about over sockets. */
bool dna_derive_playable(const struct dna_symbol *symbol);

/* dna_derive_send writes what the peer sends; dna_derive_expect what must come, given the words in
 * script->compose; dna_derive_quiet a barrier, if one can be answered now; or, behind the last symbol, the end. */
void dna_derive_send(struct dna_derive_script *script, const struct dna_symbol *symbol);
void dna_derive_expect(struct dna_derive_script *script);
void dna_derive_quiet(struct dna_derive_script *script);

#endif
