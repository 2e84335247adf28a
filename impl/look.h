/* SPDX-License-Identifier: MIT */
/* look.h -- the outside look at a domain: what anyone can prove about it without an account there.
   For clients and for servers: how it is found, whom one reaches, what is offered, and what each
   prooftype makes of the certificate.  Driven by the tables resolution and starttls_initiating and,
   as a client without an account, c2s_client, as a server that only asks, stream_initiating.
   Nothing is sent that needs an association.  The record is one JSON document, the text is made of
   it. */
#ifndef DNA_IMPL_LOOK_H
#define DNA_IMPL_LOOK_H

#include <stdio.h>

#include "impl/client.h"
#include "impl/client_env.h"

/* What the user wants; all text is borrowed for the run. */
struct dna_look_options {
    const char *domain, *ascii; /* prepared: U-labels and A-labels */
    bool c2s, s2s;
    const char *from; /* of the S2S header: a prepared domain; NULL: none is named */
    struct dna_client_env_options env;
    struct dna_knobs knobs;
    uint32_t connect_ms, negotiation_ms, close_ms;
    bool json;
};

/* dna_look_options_default fills in everything but the domain; env.knobs points into options. */
void dna_look_options_default(struct dna_look_options *options);
/* dna_look_run looks and writes what it saw.  0: a strong association can be had for every service
   asked for; 1: one can be reached, but nothing proves it, or it is refuted; 2: options unusable;
   99: one could not be reached or looked at to the end. */
enum dna_client_status dna_look_run(const struct dna_look_options *options, FILE *out);
/* dna_look_command is the command line of `xdna-client check`; argv[0] is "check". */
int dna_look_command(int argc, char **argv);

#endif
