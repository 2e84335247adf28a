/* SPDX-License-Identifier: MIT */
/* client.h -- a C2S initiator that shows step by step how it establishes the association of a
   domain (RFC 7712 3.2), then logs in, binds a resource and exchanges stanzas.  Driven by the
   tables resolution, starttls_initiating and c2s_client.  One run, one exit status. */
#ifndef DNA_IMPL_CLIENT_H
#define DNA_IMPL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "impl/client_pins.h"
#include "impl/config.h"
#include "impl/jid.h"

/* Exit statuses; the larger one wins where two apply. */
enum dna_client_status {
    DNA_CLIENT_OK = 0,       /* associated, and everything asked for was done */
    DNA_CLIENT_REFUSED = 1,  /* no association, login refused, message bounced or not received */
    DNA_CLIENT_USAGE = 2,    /* command line or files unusable */
    DNA_CLIENT_NETWORK = 99  /* nobody reached, connection lost, out of time */
};

/* What the user wants; all text is borrowed for the run.  Zeroed members take the defaults. */
struct dna_client_options {
    const struct dna_jid *jid; /* without a localpart: the association only, no login */
    const char *domain_ascii;  /* A-labels of the domain */
    const char *password;
    const char *resolver;     /* "addr" or "addr@port" */
    const char *trust_anchor; /* DS or DNSKEY record; NULL: DNSSEC is not validated */
    const char *ca_file, *ca_dir;
    const char *crl_file; /* PEM revocation lists; NULL: none; see the knob revocation */
    const char *connect_host; /* goes there instead of where DNS says; name or address */
    uint16_t connect_port;
    uint16_t posh_port;    /* of POSH documents, for tests; 0: 443 */
    const char *pin;       /* hex SHA-256 of the one certificate accepted for this domain */
    const char *pins_path; /* file of remembered pins; NULL: none */
    bool accept_unauthenticated;
    bool may_ask; /* somebody sits at ask_fd */
    int ask_fd;
    const char *to, *message, *message_id;
    int lines_fd; /* each line of it is a message, instead of message; -1: none */
    const char *expect_id; /* of a message to wait for; "*" is any */
    uint32_t wait_ms;      /* for expect_id, or for an error to our message */
    uint32_t connect_ms, negotiation_ms, close_ms, resolve_ms;
    uint32_t limit_stanza; /* bytes of one element or header; at least 10000 (RFC 6120 13.12) */
    bool json, explain;
    struct dna_knobs knobs;
};

/* dna_client_options_default fills in everything but the address. */
void dna_client_options_default(struct dna_client_options *options);
/* dna_client_run does it all on an event loop of its own, showing each step on out. */
enum dna_client_status dna_client_run(const struct dna_client_options *options, FILE *out);

#endif
