/* SPDX-License-Identifier: MIT */
/*
 * verify_prooftypes.h -- the world of the prooftypes: one proof, one domain, and the network.
 *
 * It is apart from the world of streams, whose size it would multiply.  What passes between them is
 * what impl/proof.h tells the machines of a stream: pending, proved, unproved or refuted for a
 * certificate and a domain; that an endpoint is barred; and that TLS is demanded of it.
 */
#ifndef DNA_MODEL_VERIFY_PROOFTYPES_H
#define DNA_MODEL_VERIFY_PROOFTYPES_H

#include "model/machines.h"

#include <stdio.h>

enum vq_what { VQ_OUTBOUND, VQ_INBOUND, VQ_PKIX };

enum vq_answer { /* ghost: what the TLSA answer truly was */
                 VQ_NO_ANSWER,
                 VQ_USABLE,
                 VQ_UNUSABLE,
                 VQ_INSECURE,
                 VQ_DENIED,
                 VQ_BOGUS,
                 VQ_FAILED
};

enum vq_document { VQ_NO_DOCUMENT, VQ_IN_FORCE, VQ_OVER, VQ_MISSING, VQ_BROKEN }; /* ghost */

enum { /* struct vq_place.facts */
       VQ_LOOKUP_FAILED = 1,
       VQ_FROM_SRV = 2,
       VQ_SRV_SECURE = 4,
       VQ_ADDRESS_SECURE = 8,
       VQ_ALIAS = 16, /* the endpoint is an alias: two names to ask for */
       VQ_FACTS = 32
};

/* One endpoint, as struct place of impl/prooftype_dane.c. */
struct vq_place {
    uint8_t m;    /* prooftype_dane */
    uint8_t told; /* the facts are known */
    uint8_t facts;
    uint8_t names; /* that may still be asked for */
    uint8_t asked, address_asked;
    uint8_t answer; /* ghost, enum vq_answer */
    uint8_t kept;   /* ghost: something of a former endpoint is still there */
};

enum { VQ_PLACES = 2 };

/* Plain bytes: states are compared as bytes. */
struct vq_world {
    uint8_t begun, over; /* over: DONE */
    uint8_t knobs;       /* number of the combination */
    uint8_t validating, possible;
    uint8_t proof, pkix;
    uint8_t num_places, srv_asked, srv_secure;
    uint8_t posh, redirects, fetching;
    uint8_t document, hops, references; /* ghosts */
    uint8_t good;                       /* ghost of PKIX alone: nothing has been wrong so far */
    uint8_t in_time;                    /* likewise: of the certificate that is being judged */
    struct vq_place place[VQ_PLACES];
};

enum vq_when { VQ_WEIGHED, VQ_SAYS, VQ_REST, VQ_FETCH, VQ_DEAD, VQ_WHENS };

struct vq_look {
    uint32_t
#define PROOF_LOOK(name, text) name,
#include "model/verify_prooftypes.def"
        unused;
};

struct vq_property {
    const char *id;
    enum vq_when when;
    bool (*holds)(const struct vq_look *l, const struct dna_knobs *k);
    const char *expr, *text;
    const uint16_t *because;
};
extern const struct vq_property dna_vq_properties[];
extern const size_t dna_vq_num_properties;
extern const char *const dna_vq_when_name[VQ_WHENS];
int dna_vq_find_property(const char *id);

struct vq_config {
    const char *name;
    enum vq_what what;
    const char *knobs, *varied; /* "name=value", "name" each followed by a space but the last */
    const char *text;
};
extern const struct vq_config dna_vq_configs[];
extern const size_t dna_vq_num_configs;
int dna_vq_find_config(const char *name);

struct vq_planted {
    const char *id, *config, *property, *rows, *seen, *text, *cases;
};
extern const struct vq_planted dna_vq_planted[];
extern const size_t dna_vq_num_planted;
int dna_vq_find_planted(const char *id);

enum vq_kind {
    VQ_M_BEGIN,
    VQ_M_ENDPOINT,
    VQ_M_SRV,
    VQ_M_ADDRESS,
    VQ_M_TLSA,
    VQ_M_HTTP,
    VQ_M_STALE,
    VQ_M_RENEW,
    VQ_M_DONE,
    VQ_M_CERTIFICATE,
    VQ_M_PATH,
    VQ_M_NAMES,
    VQ_M_WEIGH, /* a state that judging led to; `arg` counts what was judged */
    VQ_KINDS
};
struct vq_move {
    uint8_t kind, place;
    uint16_t arg;
};

enum { VQ_MAX_COMBINATIONS = 200 };

struct vq {
    const struct vq_config *config;
    struct dna_knobs knobs[VQ_MAX_COMBINATIONS];
    size_t num_knobs;
    struct vq_world w;
    uint32_t seen, broken; /* enum vq_when; properties, a bit each */
    uint8_t *fired;        /* by dna_vf_row_number(), or NULL */
    uint8_t said;          /* what the machine that was stepped last reported, enum vq_says */
    FILE *say;
    struct vq_look last; /* what broke a property */
};

enum vq_says { VQ_ABSENT, VQ_HELD, VQ_FAILED_TO, VQ_UNCLEAR, VQ_REFUTED, VQ_NOTHING };

/* verify_prooftypes.c: the wiring and the network.  dna_vq_init returns -1 when a knob is unknown.
 */
int dna_vq_init(struct vq *x, const struct vq_config *config);
const struct dna_knobs *dna_vq_knobs(const struct vq *x);
void dna_vq_observe(struct vq *x, enum vq_when when, const struct vq_look *l);
uint8_t dna_vq_pkix_step(struct vq *x, uint32_t on, const struct prooftype_pkix_facts *facts);
uint8_t dna_vq_posh_step(struct vq *x, uint32_t on, const struct prooftype_posh_facts *facts);
uint8_t dna_vq_dane_step(struct vq *x, unsigned place, uint32_t on,
                         const struct prooftype_dane_facts *facts);
void dna_vq_step(struct vq *x, const struct dna_machine *machine, uint32_t *vars, uint32_t on,
                 const void *facts, struct dna_effects *fx);
struct prooftype_dane_facts dna_vq_dane_facts(const struct vq *x, unsigned place);
size_t dna_vq_moves(const struct vq *x, struct vq_move *out, size_t max);
void dna_vq_apply(struct vq *x, const struct vq_move *move);

/* verify_prooftypes_judge.c: what is true, and what is made of it. */
bool dna_vq_inbound(const struct vq *x);
bool dna_vq_dane_sought(const struct vq *x);
bool dna_vq_pending(const struct vq *x);
bool dna_vq_posh_sought(const struct vq *x);
bool dna_vq_dane_trusted(const struct vq *x, const struct vq_place *p);
void dna_vq_rest(struct vq *x);
/* dna_vq_weigh judges this state by every certificate; `led` is called with each other state that a
   machine gets into by that. */
void dna_vq_weigh(struct vq *x, void (*led)(void *arg, const struct vq_world *w), void *arg);
void dna_vq_judge_pkix(struct vq *x, unsigned kind, unsigned arg);
bool dna_vq_pkix_part(const struct dna_knobs *k, const struct prooftype_pkix_facts *f,
                      unsigned part);

/* verify_prooftypes_search.c: all that may happen. */
struct vq_search {
    /* set by the caller */
    const struct vq_config *config;
    uint32_t stop_at_any; /* ends when one of these properties is violated */
    uint32_t max_states;  /* 0: as many as memory holds */
    uint8_t *fired;       /* the caller's, or NULL */
    /* found */
    uint32_t broken, seen, num;
    uint64_t transitions;
    bool full;
    double seconds;
    uint32_t first[32]; /* the state in which each property was violated first */
    struct vq_move by[32];
    /* memory */
    struct vq_world *states;
    uint32_t *parents, *table;
    struct vq_move *moves;
    uint32_t size, table_size;
};
int dna_vq_search(struct vq_search *s);
void dna_vq_search_free(struct vq_search *s);
size_t dna_vq_trace(const struct vq_search *s, size_t property, FILE *out); /* out or NULL; moves */
int dna_vq_run_config(const struct vq_config *config, struct vq_search *s);
int dna_vq_run_planted(const struct vq_planted *bug, struct vq_search *s);

#endif
