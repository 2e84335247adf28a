/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Waiting, in sessions that are derived from the tables: which symbol waits for
 * which timer of the server, and how near it is brought while all others are far away, so that what
 * a server does at a deadline can be told from what it does at another.
 */
#ifndef CONFORMANCE_DEADLINES_H
#define CONFORMANCE_DEADLINES_H

#include "conformance/lab/profile.h"
#include "conformance/pool.h"

struct dna_deadline {
    const char *symbol; /* of model/role_*.c */
    const char *timer;  /* of the settings timeout_TIMER and seconds_client_TIMER of a profile */
    const char *time;   /* how near it is; NULL: no setting, the peer's certificate says when */
    const char *client_seconds; /* a client's, which takes whole seconds */
    bool and_close; /* the one for the peer's closing tag is near, too: it runs behind ours only */
    unsigned ms; /* by then it has run out, whoever started it when the wait began */
};

/* dna_deadlines ends with a NULL symbol; dna_deadline_of returns that of a symbol, or NULL. */
extern const struct dna_deadline dna_deadlines[];
const struct dna_deadline *dna_deadline_of(const char *symbol);

/* dna_deadline_has says whether sessions of that deadline (or NULL) can wait for the symbol's. */
bool dna_deadline_has(const struct dna_deadline *deadline, const char *symbol);

/* dna_deadlines_set puts all timers of all variants out of reach of any session, but that one (or
 * NULL) near. Strings belong to the pool. */
void dna_deadlines_set(struct dna_profile *server, const struct dna_deadline *near,
                       struct dna_pool *pool);

#endif
