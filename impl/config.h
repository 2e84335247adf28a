/* SPDX-License-Identifier: MIT */
/*
 * config.h -- the one small text file that says what xdna-server hosts and where it listens.
 *
 *     # comment                          a setting a line: KEY VALUE; "quotes" keep spaces and #
 *     listen_s2s  127.0.0.1:5269
 *     knob        tls_required 1         every knob of spec/decisions.def
 *     [domain a.example]                 one block a hosted domain, after the global settings
 *     certificate a.example.crt          relative paths start at the configuration file's folder
 *     key         a.example.key
 *     account     juliet secret
 *
 * A bad file is refused whole, with FILE:LINE: reason; nothing of it takes effect.
 * A struct dna_config owns everything that it points to; dna_config_free frees it.
 */
#ifndef DNA_IMPL_CONFIG_H
#define DNA_IMPL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "impl/log.h"
#include "spec/knobs.h"

/* dna_endpoint is a literal address and a port; host is NULL where nothing was set. */
struct dna_endpoint {
    char *host; /* without brackets */
    uint16_t port;
};

/* dna_endpoints is a list of addresses to listen on; an empty one listens nowhere. */
struct dna_endpoints {
    struct dna_endpoint *at;
    size_t num;
};

struct dna_config_account {
    char *name;     /* localpart, lower case */
    char *password; /* kept as written: SCRAM derives its keys from it */
};

struct dna_config_domain {
    char *name;        /* lower case, U-labels: the form in which domains are compared */
    char *ascii;       /* A-labels: the form that DNS and certificates use */
    char *certificate; /* PEM file, leaf first; checked to be readable; NULL: none */
    char *key;         /* PEM file; checked to match the leaf; NULL without certificate */
    struct dna_config_account *accounts;
    size_t num_accounts;
    unsigned line; /* of the block, for messages */
};

struct dna_config {
    char *path; /* of the file, NULL for the built-in defaults */
    struct dna_endpoints listen_c2s, listen_s2s;
    struct dna_endpoint resolver; /* host NULL: the system's, /etc/resolv.conf */
    char *trust_anchor;           /* one DS or DNSKEY record; NULL: DNSSEC is not validated */
    char *connect_from;           /* source address of outgoing streams, NULL: any */
    char *ca_file, *ca_dir;       /* trusted roots; either may be NULL */
    char *crl_file;               /* revocation lists, NULL: none */
    char *dialback_secret;        /* NULL: a random one for each start */
    uint32_t timeout_connect_ms;  /* one TCP connection attempt */
    uint32_t timeout_negotiation_ms; /* from TCP up to an authenticated or proved stream */
    uint32_t timeout_verify_ms;      /* the authoritative server's answer to db:verify */
    uint32_t timeout_dialback_ms;    /* the receiving server's answer to our db:result */
    uint32_t timeout_resolve_ms;     /* all DNS answers for one domain */
    uint32_t timeout_posh_ms;        /* one POSH retrieval, redirects included */
    uint32_t timeout_idle_ms;        /* a secured stream without traffic; 0 = for ever */
    uint32_t timeout_close_ms;       /* waiting for the peer's closing tag */
    uint32_t posh_max_age_ms;        /* a POSH document is not used for longer */
    uint32_t posh_negative_ms;       /* its absence is remembered; 0 = not */
    uint32_t limit_stanza;           /* bytes of one stanza, header or stream element */
    uint32_t limit_queue;            /* stanzas waiting for one remote domain */
    uint32_t limit_pairs;            /* domain pairs on one stream */
    uint32_t limit_connections;      /* open connections, both ports together; 0 = no limit */
    char *log;                       /* file, or NULL for standard error */
    enum dna_log_level log_level;
    struct dna_knobs knobs;
    struct dna_config_domain *domains;
    size_t num_domains;
};

/* dna_config_new returns the defaults: every setting, no domain. */
struct dna_config *dna_config_new(void);

/* dna_config_load reads the file at path.  Returns NULL and writes "FILE:LINE: reason" (or
   "FILE: reason" where no line is to blame) into out_error when it is bad. */
struct dna_config *dna_config_load(const char *path, char *out_error, size_t error_size);

/* dna_config_parse reads text as if it were the file named path, but does not ask for a domain and
   opens no file that it names: what dna_config_print prints parses back to the same. */
struct dna_config *dna_config_parse(const char *path, const char *text, size_t len,
                                    char *out_error, size_t error_size);

/* dna_config_print writes every setting with its comment, then the domains (or, without any, an
   example block in comments).  Passwords are printed, for the text is a configuration file. */
void dna_config_print(FILE *out, const struct dna_config *config);

/* dna_config_free frees it all, secrets overwritten; NULL is fine. */
void dna_config_free(struct dna_config *config);

/* dna_config_domain_find returns the hosted domain of this prepared name, or NULL. */
const struct dna_config_domain *dna_config_domain_find(const struct dna_config *config,
                                                       const char *name);

/* dna_config_account_find returns the account of this prepared localpart, or NULL. */
const struct dna_config_account *dna_config_account_find(const struct dna_config_domain *domain,
                                                         const char *name);

/* dna_endpoint_parse reads ADDRESS, ADDRESS:PORT, [IPV6] or [IPV6]:PORT; addresses are literal.
   On success the caller owns out->host.  Returns NULL, or the reason why it is refused. */
const char *dna_endpoint_parse(const char *text, uint16_t default_port, struct dna_endpoint *out);

#endif
