/* SPDX-License-Identifier: MIT */
/* compose_internal.h -- what compose.c and compose_proofs.c share. */
#ifndef DNA_MODEL_COMPOSE_INTERNAL_H
#define DNA_MODEL_COMPOSE_INTERNAL_H

#include "model/compose.h"

/* dna_compose_question is whether the pair's question is out; of a stranger's nothing is kept. */
uint32_t *dna_compose_question(struct dna_compose *c, enum dna_whom whom);

/* dna_compose_ask puts the question of a pair, once what may prove its authority is in;
   dna_compose_await has a wire's machine wait for what proves the pair's domain. */
void dna_compose_ask(struct dna_compose *c, enum dna_whom whom);
void dna_compose_await(struct dna_compose *c, const struct dna_wire *wire, enum dna_whom whom);

/* dna_compose_can_settle says whether somebody waits for what the symbol brings, which
   dna_compose_settle does where it is kept. */
bool dna_compose_can_settle(const struct dna_compose *c, const struct dna_symbol *symbol);
void dna_compose_settle(struct dna_compose *c, const struct dna_symbol *symbol);

#endif
