/* SPDX-License-Identifier: MIT */
/* The lab as a whole; see lab.h for who owns what. */
#include "conformance/lab/lab.h"

#include <stdio.h>
#include <string.h>

int dna_lab_open(struct dna_lab *lab, struct event_base *base, struct dna_diag *diag)
{
    snprintf(lab->store_dir, sizeof lab->store_dir, "%s/ca", lab->place.dir);
    lab->dns = NULL;
    lab->web = NULL;
    lab->ca = dna_ca_new(diag);
    if (!lab->ca)
        return -1;
    if (dna_ca_write_store(lab->ca, lab->store_dir, diag) || dna_lab_trust(lab->store_dir, diag) ||
        !(lab->dns = dna_dns_new(base, DNA_LAB_RESOLVER, 53, diag)) ||
        !(lab->web = dna_web_new(base, diag))) {
        dna_lab_close(lab);
        return -1;
    }
    return 0;
}

void dna_lab_close(struct dna_lab *lab)
{
    dna_web_free(lab->web);
    dna_dns_free(lab->dns);
    dna_ca_free(lab->ca);
    lab->web = NULL;
    lab->dns = NULL;
    lab->ca = NULL;
}
