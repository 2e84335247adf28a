/* SPDX-License-Identifier: MIT */
/* roles.h -- the roles that compose.h knows. */
#ifndef DNA_MODEL_ROLES_H
#define DNA_MODEL_ROLES_H

#include "model/compose.h"

extern const struct dna_role dna_role_receiving;
extern const struct dna_role dna_role_initiating;
extern const struct dna_role dna_role_authoritative;
extern const struct dna_role dna_role_c2s_server;

#endif
