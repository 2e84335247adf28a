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
#include "conformance/deadlines.h"
#include "model/unfold.h"

#include <stdio.h>

struct dna_profile;
struct dna_variant;

enum { DNA_DERIVE_SCOPES = 64 };

/* dna_derive_parts is a role with the scopes and symbols that can be played against a server, and
 * the variants of its profile that play each. role.scopes points into it: it stays where it is. */
struct dna_derive_parts {
    const char *without; /* symbols that are left out, separated by ", "; or NULL: set beforehand */
    bool wait;           /* parts for waits, too: the server's timers can be set; set beforehand */
    const char *only;    /* what dna_derive_choose was told */
    struct dna_role role;
    struct dna_scope scopes[DNA_DERIVE_SCOPES];
    const char *variants[DNA_DERIVE_SCOPES];
    const struct dna_deadline *waits[DNA_DERIVE_SCOPES]; /* that can be waited for, or NULL */
    const char *documented[DNA_DERIVE_SCOPES]; /* the one in which POSH documents count, or NULL */
};

/* dna_derive_choose fills parts. habits has the knobs of the profile's first variant; only: one
 * scope's name, or a part's of it ("timers shutdown"), or NULL; strings belong to the pool; what is
 * left out is told to say, if there is one. */
void dna_derive_choose(struct dna_derive_parts *parts, const struct dna_role *role,
                       const struct dna_profile *server, const struct dna_habits *habits,
                       const char *only, struct dna_pool *pool, FILE *say);

/* dna_derive_knobs sets the knobs that the variant declares. */
void dna_derive_knobs(const struct dna_variant *variant, struct dna_knobs *knobs);

/* dna_derive_how says how sessions of an unfolded scope become scenarios. */
struct dna_derive_how {
    const struct dna_unfolding *u;     /* its role and scope: of dna_derive_choose */
    const struct dna_overlay *choices; /* the alternatives that the server takes: habits.choices */
    const char *variant;               /* of the profile */
    const char *documented;            /* for sessions in which a document proves or disowns */
    const char *note;                  /* a comment on the first line, or NULL */
    bool loose;                        /* other features may be offered, too */
    bool any_error;                    /* which condition an error names is not looked at */
    bool ends; /* it answers no db:verify on a stream of its own: sessions are seen to their end */
    bool patient; /* its own timers are far away: what it ends, and what not, can be told apart */
    const struct dna_deadline *wait; /* all but this one, or NULL */
};

/* dna_derive_write adds one session (inputs of the unfolding, behind the scope's prefix) as a
 * scenario's text; dna_derive_store writes it into a file, dna_derive_folder makes DIR/derived for
 * such files, with a copy of the prelude in DIR, which exists: XDNA_SCENARIOS=DIR then runs them.
 * The latter two say on stderr what went wrong. */
void dna_derive_write(const struct dna_derive_how *how, const uint32_t *word, size_t len,
                      struct dna_buf *out);
bool dna_derive_store(const struct dna_derive_how *how, const uint32_t *word, size_t len,
                      const char *path);
bool dna_derive_folder(const char *dir);

/* dna_derive_side says who opens the stream to whom. */
enum dna_derive_side {
    DNA_DERIVE_PEER,       /* a server to the IUT */
    DNA_DERIVE_IUT,        /* the IUT to a server */
    DNA_DERIVE_CLIENT,     /* a client to the IUT */
    DNA_DERIVE_CLIENT_IUT, /* the IUT, a client, to its server */
};

/* dna_derive_script is one session while it is written. */
struct dna_derive_script {
    struct dna_buf body;
    const struct dna_compose *compose; /* after the symbol that is being written */
    enum dna_derive_side side;
    const char *conn; /* the connection's name: dna_derive_begin sets it */
    unsigned header, key, verify, message, local, bind, barrier, got; /* counted up */
    unsigned asked[2], asked_id[2];    /* the connection and stream of the open question */
    unsigned kept[2];                  /* the key that waits for its sender's proof, 0: none */
    const struct dna_deadline *wait;       /* the symbol that is being written is a wait */
    bool loose; /* other features may be offered, too */
    bool any_error; /* which condition an error names is not looked at */
    bool ends;  /* no barriers; the end shows what came besides */
    bool last;  /* nothing more is sent behind this symbol */
    bool looked; /* and what came home by then was looked at */
    bool patient; /* a stream that the IUT has closed stays until the peer closes, too */
    bool expires; /* the peer's certificate is soon no longer valid */
    bool stopped; /* the IUT was told to stop */
    bool documents; /* POSH documents count */
    bool slow;      /* they have to be fetched: they come when the session says so */
    bool lapses;    /* and run out meanwhile */
    bool waits_out; /* which is waited for, where no clock is moved */
    bool barren;    /* they come to nothing */
    bool both;      /* the certificate is of both domains */
    unsigned clock; /* minutes by which it was moved */
    bool needs_user, needs_key, needs_id, needs_aside;
    uint64_t delivered, transmitted; /* bit n: of the messages mN from the peer, uN to it */
};

/* dna_derive_begin sets a script up for sessions of a role. */
void dna_derive_begin(struct dna_derive_script *script, const struct dna_role *role);

/* dna_derive_playable says whether the symbol can be brought about over sockets. */
bool dna_derive_playable(const struct dna_symbol *symbol);

/* dna_derive_send writes what the peer sends; dna_derive_expect what must come, given the words in
 * script->compose; dna_derive_quiet a barrier, if one can be answered now; or, behind the last
 * symbol, the end. */
void dna_derive_send(struct dna_derive_script *script, const struct dna_symbol *symbol);
void dna_derive_expect(struct dna_derive_script *script);
void dna_derive_quiet(struct dna_derive_script *script);
void dna_derive_look_home(struct dna_derive_script *script);

#endif
