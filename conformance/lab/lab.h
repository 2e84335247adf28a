/* SPDX-License-Identifier: MIT */
/*
 * The lab as a whole: DNS on the resolver's address, a web server, a CA, and the CA in the place of
 * the system's trust store. For use inside the namespaces of dna_lab_enter; the dna_lab owns DNS,
 * web server and CA.
 */
#ifndef DNA_LAB_LAB_H
#define DNA_LAB_LAB_H

#include "conformance/lab/ca.h"
#include "conformance/lab/dns.h"
#include "conformance/lab/ns.h"
#include "conformance/lab/web.h"

struct dna_lab {
    struct dna_lab_place place; /* filled by dna_lab_enter */
    char store_dir[300];        /* the CA store: ca.crt, ca-certificates.crt, HASH.0 */
    struct dna_dns *dns;
    struct dna_web *web;        /* listens where cases say */
    struct dna_ca *ca;
};

/* dna_lab_open fills lab (whose place is filled) with DNS on 127.0.0.53:53 and a trusted CA. */
int dna_lab_open(struct dna_lab *lab, struct event_base *base, struct dna_diag *diag) DNA_CHECKED;

/* dna_lab_close frees what dna_lab_open made. */
void dna_lab_close(struct dna_lab *lab);

#endif
