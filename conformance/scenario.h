/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. A scenario as parsed: the claim, who plays what, and the exchange as a tree
 * of steps. conformance/scenarios/README.md is the language reference. A dna_scn owns everything
 * below it in one pool; nothing in it changes after loading, so that all its cases share it.
 */
#ifndef CONFORMANCE_SCENARIO_H
#define CONFORMANCE_SCENARIO_H

#include "conformance/pool.h"
#include "conformance/xnode.h"
#include "spec/req.h"

enum dna_case_level { DNA_CASE_MUST, DNA_CASE_SHOULD, DNA_CASE_MAY };

enum dna_actor_kind {
    DNA_ACTOR_PEER,       /* a host with an address of its own; opens and accepts connections */
    DNA_ACTOR_CLIENT,     /* a C2S user of an account of the IUT */
    DNA_ACTOR_IUT_CLIENT, /* the client under test, run as a command */
    DNA_ACTOR_WEB,        /* a web server with an address of its own */
};

/* How a web server takes a TLS handshake. */
enum dna_scn_web { DNA_SCN_WEB_SERVES, DNA_SCN_WEB_SILENT, DNA_SCN_WEB_REFUSES };

enum dna_listen { DNA_LISTEN_YES, DNA_LISTEN_NO };

struct dna_words_list {
    const char **at;
    size_t num;
};

struct dna_scn_domain {
    struct dna_scn_domain *next;
    const char *name;   /* the variable */
    const char *parent; /* NULL, or the domain that it lies below */
};

struct dna_scn_cert {
    struct dna_scn_cert *next;
    const char *name, *spec; /* spec still holds variables */
    int line;
};

struct dna_scn_dns {
    const char *owner; /* "$a" or "_xmpp-client._tcp.$a", variables inside */
    const char **words;
    size_t num_words;
};

struct dna_scn_actor {
    struct dna_scn_actor *next;
    enum dna_actor_kind kind;
    const char *name;
    bool strict; /* no message is passed over */
    const char *user;    /* client: account; iut-client: the JID it logs in with */
    const char *domain;  /* client: of the account, default $iut */
    const char **domains; /* peer: without '$' */
    size_t num_domains;
    const char **hosts;  /* web: "$a", "www.$a", variables inside */
    size_t num_hosts;
    enum dna_scn_web manner; /* web */
    const char *cert;    /* name of a cert, NULL: the default one */
    const char *host;    /* label of its DNS name */
    unsigned port;       /* 0: 5269, or 5222 when c2s */
    bool c2s;            /* content namespace jabber:client */
    enum dna_listen listen;
    int line;
};

/* What a page of a web actor holds. */
enum dna_page_form {
    DNA_PAGE_NONE,         /* no page any more */
    DNA_PAGE_FINGERPRINTS, /* a POSH document that lists certificates */
    DNA_PAGE_REFERENCE,    /* a POSH document that says where the other one is */
    DNA_PAGE_BODY,         /* any text */
    DNA_PAGE_REDIRECT,
    DNA_PAGE_STATUS,       /* an empty page with that status */
    DNA_PAGE_SILENT,       /* no answer */
    DNA_PAGE_HELD,         /* no answer until another line says what is there */
    DNA_PAGE_CLOSE,        /* the connection ends in its place */
    DNA_PAGE_RAW,          /* the text is the whole answer, status line and all */
};

/* How a page with a body comes. */
enum dna_page_pace {
    DNA_PACE_PLAIN, DNA_PACE_SLOW, DNA_PACE_TRUNCATED, DNA_PACE_ENDLESS, DNA_PACE_CHUNKED,
    DNA_PACE_NO_LENGTH,
};

struct dna_scn_page {
    const char *host, *path; /* "$a", "/.well-known/posh/xmpp-server.json"; variables inside */
    const char *posh;        /* the last part of that path where a 'posh' line said so, else NULL */
    enum dna_page_form form;
    enum dna_page_pace pace;
    const char **certs;      /* FINGERPRINTS: certs or actors; none: the first peer of the domain */
    size_t num_certs;
    unsigned hashes;         /* enum dna_posh_hash of the lab */
    long long expires;       /* seconds */
    const char *url;         /* REFERENCE, REDIRECT: a URL, or a host whose POSH page is meant */
    const char *body;        /* BODY, RAW */
    size_t body_len;
    const char *type;        /* BODY: content type, NULL: JSON */
    int status;              /* 0: 200 */
};

/* Bits of a query's head that a scenario can speak of. */
enum dna_query_bit { DNA_QUERY_DO = 1, DNA_QUERY_AD = 2, DNA_QUERY_CD = 4 };

enum dna_step_kind {
    DNA_STEP_CONNECT, DNA_STEP_ACCEPT,
    DNA_STEP_SEND, DNA_STEP_SEND_RAW, DNA_STEP_SEND_CLOSE, DNA_STEP_SEND_FIN,
    DNA_STEP_EXPECT, DNA_STEP_EXPECT_CLOSE, DNA_STEP_EXPECT_END, DNA_STEP_EXPECT_EOF,
    DNA_STEP_EXPECT_DROP,
    DNA_STEP_NOTHING,
    DNA_STEP_TLS,
    DNA_STEP_SEES_CERT, DNA_STEP_SEES_CERT_REQUEST, DNA_STEP_SEES_SNI, DNA_STEP_UNVISITED,
    DNA_STEP_DNS_SAW, DNA_STEP_DNS_NEVER, DNA_STEP_DNS_SET,
    DNA_STEP_DNSSEC, DNA_STEP_TLSA, DNA_STEP_PAGE,
    DNA_STEP_WEB_SAW, DNA_STEP_WEB_NEVER, DNA_STEP_WEB_REFUSED,
    DNA_STEP_CLOCK, DNA_STEP_IUT_STOPS, DNA_STEP_IUT_GONE,
    DNA_STEP_SET, DNA_STEP_CHECK, DNA_STEP_INFO, DNA_STEP_DONE,
    DNA_STEP_EITHER, DNA_STEP_IF,
    DNA_STEP_BARRIER,
    DNA_STEP_RUN, DNA_STEP_INPUT, DNA_STEP_WRITES, DNA_STEP_EXITS, DNA_STEP_PRINTS,
};

struct dna_step;

struct dna_branch {
    struct dna_branch *next;
    const char *allowed; /* 'or may "why"': the reason; NULL for an exact outcome */
    struct dna_step *steps;
    int line;
};

struct dna_step {
    struct dna_step *next;
    enum dna_step_kind kind;
    const char *file; /* where it was written; in a procedure: inside the procedure */
    int line;
    int call_line;    /* line of the scenario, also for a procedure's steps */
    const char *text; /* as written, for reports */
    bool then;        /* below 'then:' */
    unsigned within_ms; /* 0: the default deadline */
    const struct dna_scn_actor *actor;
    const char *conn;         /* name after the dot; "" by default */
    struct dna_xnode *xml;    /* SEND, EXPECT */
    struct dna_branch *branches; /* EITHER; IF: the then- and the else-branch */
    const char **words;       /* the rest, per kind; key=value kept together */
    size_t num_words;
    const char *function;     /* SET: dialback-key, base64, ...; NULL: value is the text */
    const char *name, *value; /* SET, INFO, CHECK and IF (compared), PRINTS, SEND_RAW */
    size_t value_len;         /* SEND_RAW and SET may hold NUL */
    bool timed;               /* NOTHING: silence, even where a barrier could tell */
    bool negated;             /* CHECK, IF: '!=' */
    struct dna_scn_dns dns;   /* DNS_SET; owner: DNSSEC, TLSA */
    struct dna_scn_page *page; /* PAGE; host and path (NULL: any): WEB_* */
    unsigned times;           /* WEB_SAW: how often, 0: at least once */
    unsigned query_bits;      /* DNS_SAW, DNS_NEVER: the enum dna_query_bit that it must bear */
    long long seconds;        /* CLOCK: ahead of the real one */
};

struct dna_forbid {
    struct dna_forbid *next;
    const struct dna_scn_actor *actor;
    const char *conn;      /* NULL: any connection of the actor */
    struct dna_xnode *xml; /* NULL: that a connection is made, or a request, at all */
    const char *text;
    int line;
};

struct dna_scn_knob {
    struct dna_scn_knob *next;
    const char *name;
    unsigned value;
};

struct dna_scn {
    struct dna_pool *pool;
    const char *file;                     /* as given */
    const char *document, *section, *slug;
    const char *id;                       /* document/section/slug */
    const char *claim, *impact;
    enum dna_case_level level;
    bool has_level;
    unsigned rev;
    int *reqs;                            /* enum dna_req */
    size_t num_reqs;
    struct dna_words_list roles, variants, needs, aliases;
    struct dna_scn_domain *domains;
    struct dna_scn_cert *certs;
    struct dna_scn_actor *actors;
    struct dna_step *world;               /* the header's records, signatures and pages, as steps */
    bool proofs;                          /* it has TLSA records, web pages, tampered signatures */
    bool stops;                           /* it stops the IUT: an instance for each case */
    struct dna_forbid *forbids;
    struct dna_scn_knob *knobs;
    struct dna_step *steps;
};

/* Errors go to diags as "file:line: message\n", all of a file, not only the first. */
struct dna_scn_diags {
    struct dna_buf text;
    unsigned num;
};

/* A procedure library: the 'define' blocks of a prelude. NULL on a file that cannot be read. */
struct dna_prelude;
struct dna_prelude *dna_prelude_load(const char *file, struct dna_scn_diags *diags);
void dna_prelude_free(struct dna_prelude *prelude);

/*
 * dna_scn_load reads and checks a scenario; NULL when it has any error. dna_scn_parse does the same
 * with text in memory (file names it and gives its id). prelude may be NULL.
 */
struct dna_scn *dna_scn_load(const char *file, const struct dna_prelude *prelude,
                             struct dna_scn_diags *diags);
struct dna_scn *dna_scn_parse(const char *file, const char *text, const struct dna_prelude *prelude,
                              struct dna_scn_diags *diags);
void dna_scn_free(struct dna_scn *scn);

const char *dna_case_level_name(enum dna_case_level level);
const struct dna_scn_actor *dna_scn_actor(const struct dna_scn *scn, const char *name);

/* The words that 'role' and 'needs' may use, NULL terminated: name, meaning, name, meaning, ... */
extern const char *const dna_role_words[];
extern const char *const dna_feature_words[];

#endif
