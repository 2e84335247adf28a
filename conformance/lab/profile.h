/* SPDX-License-Identifier: MIT */
/*
 * A profile tells how one product is started, configured and what it claims to support;
 * conformance/PORTING.md is its contract. The dna_profile owns everything it points to; it is
 * read once and not changed afterwards.
 */
#ifndef DNA_LAB_PROFILE_H
#define DNA_LAB_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conformance/lab/diag.h"

#define DNA_MAX_VARIANTS 48u
#define DNA_STANZA_LIMIT 1048576u /* bytes, of a product that does not say */
#define DNA_NUM_HOSTED 3u

struct dna_pool;

/*
 * dna_pair is a word and what it means: a placeholder's value, a knob's value, an account's
 * password.
 */
struct dna_pair {
    char *key;
    char *value;
};

/* dna_pairs is a list of pairs; keys are unique, in order of first appearance. */
struct dna_pairs {
    size_t num;
    struct dna_pair *at;
};

const char *dna_pairs_get(const struct dna_pairs *pairs, const char *key); /* NULL if absent */

/* dna_words is a list of strings. */
struct dna_words {
    size_t num;
    char **at;
};

bool dna_words_have(const struct dna_words *words, const char *word);

/* dna_variant is one configuration of the product; while it runs it is a process of its own. */
struct dna_variant {
    const struct dna_profile *profile;
    char *name;
    bool own_clock;                /* each case has an instance of its own, whose clock moves */
    char *cannot;                  /* why the product can't be configured so; NULL if it can */
    /* $iut, $iut2 (own certificate), $iut3 (on $iut's certificate) */
    char *hosted[DNA_NUM_HOSTED];
    char *unhosted;                /* $unhosted: in no DNS and on no certificate */
    char address[16];              /* its own loopback address */
    uint16_t c2s_port;
    uint16_t s2s_port;
    struct dna_words features;     /* what it declares: `needs` of a scenario */
    struct dna_pairs knobs;        /* parameters of the model: decisions.def */
    struct dna_pairs settings;     /* placeholders of its templates */
};

/* dna_template is a file to be rendered into the run directory; path may hold placeholders. */
struct dna_template {
    char *path;                    /* in the run directory */
    char *source;                  /* in the profile's folder */
    bool per_account;              /* rendered once for each account */
};

struct dna_profile {
    struct dna_pool *pool;         /* owns all the strings */
    char *name;
    char *dir;                     /* the folder, absolute */
    char *root;                    /* what relative programs start from: the repository's root */
    char *title;
    char *version_command;
    char *version;                 /* its first line, or NULL: filled by dna_profile_check */
    char *server;                  /* the program: @server@ */
    char *start;                   /* command line with placeholders */
    char *client;                  /* command line of the client under test, or NULL */
    char *look;                    /* command line that looks at a domain from outside, or NULL */
    struct dna_words packages;     /* Debian packages */
    struct dna_pairs required;     /* file -> package that has it */
    struct dna_words prepare;      /* commands run before each start */
    struct dna_words prepare_account; /* the same, once for each account */
    struct dna_pairs env;
    struct dna_words session_words; /* prefixes of words that name a session in the log */
    struct dna_words roles;        /* roles it can be tested in */
    struct dna_pairs accounts;     /* user -> password, on each hosted domain */
    char *barrier;                 /* how "nothing happens" is shown: see PORTING.md */
    char *known_failures;          /* path of the file, absolute; NULL if there is none */
    unsigned ready_ms;             /* how long a start may take */
    unsigned stop_ms;              /* how long TERM may take before KILL */
    struct dna_pairs deadlines;    /* the product's own timers, in ms: name -> "2000" */
    unsigned stanza_limit;         /* bytes: no element that is larger is taken */
    size_t num_templates;
    struct dna_template *templates;
    size_t num_variants;
    struct dna_variant variants[DNA_MAX_VARIANTS];
};

/*
 * dna_profile_load reads a profile by name (looked for in $XDNA_PROFILES, ./conformance/profiles
 * and beside the program) or by path (anything with a slash). NULL with a diag of class USAGE
 * that lists the profiles there are, or names file, line and reason.
 */
struct dna_profile *dna_profile_load(const char *name_or_path, struct dna_diag *diag) DNA_CHECKED;
void dna_profile_free(struct dna_profile *profile);

/* dna_profile_variant finds a variant by name; NULL if the profile has none of that name. */
const struct dna_variant *dna_profile_variant(const struct dna_profile *profile, const char *name);

/*
 * dna_variant_live_at gives a variant, or a copy of it, the domains of an instance:
 * NAME.iut.example and so on, as strings of the pool.
 */
void dna_variant_live_at(struct dna_variant *variant, struct dna_pool *pool, const char *name);

/* dna_variant_has says whether a variant declares a feature; brief-negotiation is declared by the
 * deadline: negotiation below three seconds. */
bool dna_variant_has(const struct dna_variant *variant, const char *feature);

/* dna_profile_deadline is one of the product's own timers in ms, 0 if not declared. */
unsigned dna_profile_deadline(const struct dna_profile *profile, const char *name);

/*
 * dna_profile_check sees that the product is there, and reads its version. It runs a command and
 * waits for it: call it before the loop. server is a program to use instead of the profile's
 * (--server), or NULL. If something is missing: class HARD, with the exact command to install it.
 */
int dna_profile_check(struct dna_profile *profile, const char *server,
                      struct dna_diag *diag) DNA_CHECKED;

#endif
