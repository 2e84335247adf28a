/* SPDX-License-Identifier: MIT */
/* roles.c -- the list of roles. */
#include "model/roles.h"

const struct dna_role *const dna_roles[] = { &dna_role_receiving, &dna_role_initiating,
                                            &dna_role_authoritative, &dna_role_c2s_server, NULL };
