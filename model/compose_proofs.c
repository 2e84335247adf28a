/* SPDX-License-Identifier: MIT */
/*
 * compose_proofs.c -- what waits for proofs that have to be fetched: keys, a stream's header, and
 * questions to an authority; see compose.h.
 */
#include "model/compose_internal.h"

#include "model/machines.h"

uint32_t *dna_compose_question(struct dna_compose *c, enum dna_whom whom)
{
    static uint32_t nobodys;
    nobodys = 0;
    return whom == DNA_PAIR1 || whom == DNA_PAIR2 ? &c->scene->g.question[whom - DNA_PAIR1]
                                                  : &nobodys;
}

static uint32_t domain_of(enum dna_whom whom)
{
    return whom == DNA_PAIR1 ? DNA_D1 : whom == DNA_PAIR2 ? DNA_D2 : DNA_NOBODY;
}

static bool to_be_fetched(const struct dna_compose *c, enum dna_whom whom)
{
    return c->scope->slow && (c->scene->g.fetched & domain_of(whom)) == 0;
}

void dna_compose_ask(struct dna_compose *c, enum dna_whom whom)
{
    *dna_compose_question(c, whom) = 1;
    if (whom != DNA_STRANGER && c->role->keeps && to_be_fetched(c, whom)) {
        /* what may prove an authority is in before it is connected to (RFC 7711 5) */
        c->scene->g.delayed[whom - DNA_PAIR1] = 1;
        return;
    }
    if (whom == DNA_STRANGER) {
        dna_compose_show(c, "db:verify", whom, true);
        return;
    }
    dna_compose_raise(c, &dna_machine_dialback_receiving, whom,
                      dialback_receiving_E_AUTHORITY_SECURED);
    if (*dna_compose_question(c, whom)) {
        dna_compose_show(c, "db:verify", whom, true);
        c->scene->g.put[whom - DNA_PAIR1] = c->exact;
    }
}

/* What has not to be fetched, or was, is there at once: a key is weighed, whoever had it wait for
   its proof. */
void dna_compose_await(struct dna_compose *c, const struct dna_wire *w, enum dna_whom whom)
{
    if (w->machine == &dna_machine_dialback_receiving && !to_be_fetched(c, whom)) {
        dna_compose_raise(c, w->machine, whom, dialback_receiving_E_PROOF_SETTLED);
    } else if (whom != DNA_STRANGER) {
        c->scene->g.awaited[whom] = 1;
    }
}

bool dna_compose_can_settle(const struct dna_compose *c, const struct dna_symbol *symbol)
{
    const struct dna_stage *g = &c->scene->g;
    bool of_header = c->role->keeps && g->from == domain_of(symbol->whom);
    bool of_question = c->role->keeps && symbol->whom != DNA_STREAM &&
                       g->delayed[symbol->whom - DNA_PAIR1];
    return !g->muted &&
           (g->awaited[symbol->whom] || (of_header && g->awaited[DNA_STREAM]) || of_question);
}

/* The question that waited goes out, unless it was settled otherwise. */
static void ask_delayed(struct dna_compose *c, enum dna_whom whom)
{
    uint32_t *delayed = &c->scene->g.delayed[whom - DNA_PAIR1];
    if (*delayed) {
        *delayed = 0;
        if (*dna_compose_question(c, whom)) {
            dna_compose_ask(c, whom);
        }
    }
}

/* What proves a domain is in: the keys that wait for it are told, then the stream whose peer it is,
   and who is to be asked can be connected to. */
void dna_compose_settle(struct dna_compose *c, const struct dna_symbol *symbol)
{
    struct dna_stage *g = &c->scene->g;
    bool waits = g->awaited[symbol->whom];
    g->awaited[symbol->whom] = 0;
    g->fetched |= domain_of(symbol->whom);
    if (waits) {
        dna_compose_raise(c, symbol->machine, symbol->whom, symbol->on);
    }
    if (g->from == domain_of(symbol->whom)) {
        g->awaited[DNA_STREAM] = 0;
        dna_compose_raise(c, &dna_machine_stream_receiving, DNA_STREAM,
                          stream_receiving_E_PROOF_SETTLED);
    }
    ask_delayed(c, symbol->whom);
}
