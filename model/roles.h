/* SPDX-License-Identifier: MIT */
/* roles.h -- the roles that compose.h knows, and what their files share. */
#ifndef DNA_MODEL_ROLES_H
#define DNA_MODEL_ROLES_H

#include "model/compose.h"

extern const struct dna_role dna_role_receiving;
extern const struct dna_role dna_role_initiating;
extern const struct dna_role dna_role_authoritative;
extern const struct dna_role dna_role_c2s_server;
extern const struct dna_role dna_role_c2s_client;

/* dna_role_timer_runs says when the timers of a stream run, as impl/ arms them: by the names that
   their events have in every table. */
bool dna_role_timer_runs(const struct dna_compose *c, const struct dna_symbol *symbol);

/* dna_role_pump is impl's dna_s2s_route_pump: what waits for d1 goes if its pair on this stream may
   carry it, else the pair is asked for. */
void dna_role_pump(struct dna_compose *c);

/* DNA_ROLE_TABLES is what every role's initializer has: the file's own tables and functions. */
#define DNA_ROLE_TABLES(scopes_, runs_)                                                            \
    .slots = slots, .num_slots = sizeof slots / sizeof slots[0], .wires = wires,                   \
    .num_wires = sizeof wires / sizeof wires[0], .symbols = symbols,                               \
    .num_symbols = sizeof symbols / sizeof symbols[0], .scopes = scopes_,                          \
    .num_scopes = sizeof scopes_ / sizeof scopes_[0], .facts = facts, .act = act,                  \
    .runs = runs_

#endif
