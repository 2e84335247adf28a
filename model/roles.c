/* SPDX-License-Identifier: MIT */
/* roles.c -- the list of roles, and what they have in common. */
#include "model/roles.h"

#include "model/machines.h"

#include <string.h>

const struct dna_role *const dna_roles[] = { &dna_role_receiving, &dna_role_initiating,
                                            &dna_role_authoritative, &dna_role_c2s_server,
                                            &dna_role_c2s_client, NULL };

bool dna_role_timer_runs(const struct dna_compose *c, const struct dna_symbol *symbol)
{
    const struct dna_stage *g = &c->scene->g;
    const char *timer = symbol->machine->events[symbol->on].name;
    if (strcmp(timer, "TIMER_RESULT") == 0) {
        return g->result && !g->muted;
    }
    if (strcmp(timer, "TIMER_NEGOTIATION") == 0) {
        return g->armed && !g->muted;
    }
    if (strcmp(timer, "TIMER_CLOSE") == 0) {
        return g->muted;
    }
    if (strcmp(timer, "TIMER_IDLE") == 0) {
        return g->watched && !g->muted;
    }
    if (strcmp(timer, "TIMER_EXPIRY") == 0) {
        return g->tls && g->certificate != DNA_NOBODY && !g->header_due && !g->muted;
    }
    return true;
}

void dna_role_pump(struct dna_compose *c)
{
    const struct dna_stage *g = &c->scene->g;
    if (g->queue && g->via) {
        dna_compose_raise(c, &dna_machine_association, DNA_PAIR1, association_E_TX_STANZA);
    }
    if (g->queue && g->via) {
        dna_compose_raise(c, &dna_machine_dialback_initiating, DNA_PAIR1,
                          dialback_initiating_E_REQUEST);
    }
}
