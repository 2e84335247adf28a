/* SPDX-License-Identifier: MIT */
/* proof: see proof.h. Prooftypes are found by name: dna_prooftype_NAME for each table that is
 * there. */
#include "impl/proof.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"
#include "impl/log.h"
#include "impl/peer_knobs.h"

#define DECLARED(name) extern const struct dna_prooftype dna_prooftype_##name;
DNA_PROOFTYPE_NAMES(DECLARED)

static const struct dna_prooftype *const types[] = {
#define LISTED(name) &dna_prooftype_##name,
    DNA_PROOFTYPE_NAMES(LISTED) NULL
};

struct dna_prooftype_seat {
    struct dna_proof *proof;
    void *self;
    struct dna_proof_part part;
};

struct dna_proof {
    struct dna_proof_env env;
    struct dna_proof_ask ask; /* its domain is owned */
    struct dna_proof_endpoint endpoint;
    char *host, *canonical; /* of the endpoint, NULL before there is one */
    struct proof m;
    void (*settled)(void *arg);
    void *arg;
    struct dna_prooftype_seat seats[DNA_NUM_PROOFTYPES + 1];
};

const char *dna_proof_verdict_name(enum dna_proof_verdict v)
{
    static const char *const names[] = { [DNA_PROOF_PENDING] = "pending",
                                         [DNA_PROOF_UNPROVED] = "unproved",
                                         [DNA_PROOF_PROVED] = "proved",
                                         [DNA_PROOF_NEGATIVE] = "refuted" };
    return names[v];
}

const char *dna_proof_says_name(enum dna_proof_says s)
{
    static const char *const names[] = { [DNA_PROOF_ABSENT] = "absent",
                                         [DNA_PROOF_HELD] = "held",
                                         [DNA_PROOF_FAILED] = "failed",
                                         [DNA_PROOF_UNCLEAR] = "unclear",
                                         [DNA_PROOF_REFUTED] = "refuted" };
    return names[s];
}

struct dna_proof *dna_proof_new(const struct dna_proof_env *env, const struct dna_proof_ask *ask,
                                void (*settled)(void *arg), void *arg)
{
    struct dna_proof *p = dna_calloc(1, sizeof *p);
    p->env = *env;
    p->ask = *ask;
    p->ask.domain = dna_strdup(ask->domain);
    p->env.knobs = dna_knobs_for(env->knobs, ask->domain);
    p->settled = settled;
    p->arg = arg;
    dna_instance_init(&dna_machine_proof, &p->m);
    for (size_t i = 0; types[i]; i++) {
        struct dna_prooftype_seat *seat = &p->seats[i];
        seat->proof = p;
        seat->part.type = &dna_prooftypes[i];
        seat->self = types[i]->begin(&p->env, &p->ask, seat);
    }
    return p;
}

static struct dna_effects step(struct dna_proof *p, enum proof_event on,
                               const struct proof_facts *e)
{
    struct dna_stream_vars none;
    struct dna_effects fx;
    dna_stream_vars_init(&none);
    dna_proof_step(&p->m, on, e, &none, p->env.knobs, &fx);
    dna_log_step(0, p->ask.domain, &fx);
    return fx;
}

void dna_proof_free(struct dna_proof *p)
{
    if (!p)
        return;
    const struct proof_facts none = { 0 };
    (void)step(p, proof_E_DONE, &none);
    for (size_t i = 0; types[i]; i++)
        types[i]->free(p->seats[i].self);
    free((char *)p->ask.domain);
    free(p->host);
    free(p->canonical);
    free(p);
}

static void tell_endpoint(struct dna_proof *p, size_t i)
{
    if (p->host && types[i]->endpoint)
        types[i]->endpoint(p->seats[i].self, &p->endpoint);
}

/* ANY() asks all prooftypes a question that not every one of them answers. */
#define ANY(p, question)                                                                           \
    bool any = false;                                                                              \
    for (size_t i = 0; types[i]; i++)                                                              \
        any |= types[i]->question && types[i]->question((p)->seats[i].self);                       \
    return any

bool dna_proof_outdated(const struct dna_proof *p)
{
    ANY(p, outdated);
}

bool dna_proof_refresh(struct dna_proof *p)
{
    bool begun = false;
    for (size_t i = 0; types[i]; i++) {
        struct dna_prooftype_seat *seat = &p->seats[i];
        if (!types[i]->outdated || !types[i]->outdated(seat->self))
            continue;
        types[i]->free(seat->self);
        seat->self = types[i]->begin(&p->env, &p->ask, seat);
        tell_endpoint(p, i);
        begun = true;
    }
    return begun;
}

const char *dna_proof_domain(const struct dna_proof *p)
{
    return p->ask.domain;
}

void dna_proof_endpoint(struct dna_proof *p, const struct dna_proof_endpoint *at)
{
    char *host = dna_strdup(at->host);
    char *canonical = at->canonical ? dna_strdup(at->canonical) : NULL;
    free(p->host);
    free(p->canonical);
    p->host = host;
    p->canonical = canonical;
    p->endpoint = *at;
    p->endpoint.host = host;
    p->endpoint.canonical = canonical;
    for (size_t i = 0; types[i]; i++)
        tell_endpoint(p, i);
}

bool dna_proof_pending(const struct dna_proof *p)
{
    ANY(p, pending);
}

bool dna_proof_barred(const struct dna_proof *p)
{
    ANY(p, barred);
}

bool dna_proof_demands_tls(const struct dna_proof *p)
{
    ANY(p, demands_tls);
}

void dna_prooftype_settled(struct dna_prooftype_seat *seat)
{
    struct dna_proof *p = seat->proof;
    if (!dna_proof_pending(p))
        p->settled(p->arg); /* which may free it */
}

void dna_prooftype_log(const struct dna_prooftype_seat *seat, const struct dna_effects *fx)
{
    dna_log_step(0, seat->proof->ask.domain, fx);
}

static void gather(struct dna_proof *p, X509 *leaf, STACK_OF(X509) * chain, struct proof_facts *e)
{
    for (size_t i = 0; types[i]; i++) {
        struct dna_proof_part *part = &p->seats[i].part;
        void *self = p->seats[i].self;
        part->why[0] = part->sought[0] = '\0';
        part->says = types[i]->judge(self, leaf, chain, part->why, sizeof part->why);
        if (types[i]->sought)
            types[i]->sought(self, part->sought, sizeof part->sought);
        bool held = part->says == DNA_PROOF_HELD, refuted = part->says == DNA_PROOF_REFUTED;
        if (part->type->weight == DNA_DECIDES && refuted)
            e->decider = 2;
        else if (part->type->weight == DNA_DECIDES && held && e->decider == 0)
            e->decider = 1;
        e->held |= held;
        e->refuted |= refuted;
        e->unclear |= part->says == DNA_PROOF_UNCLEAR;
        dna_log(DNA_LOG_STEP, "prooftype", "domain=%s prooftype=%s says=%s sought=%s why=%s",
                dna_log_quote(p->ask.domain), part->type->name, dna_proof_says_name(part->says),
                dna_log_quote(part->sought), dna_log_quote(part->why));
    }
}

enum dna_proof_verdict dna_proof_weigh(struct dna_proof *p, X509 *leaf, STACK_OF(X509) * chain)
{
    static const enum dna_proof_verdict by_out[proof_O_MAX] = {
        [proof_O_report_pending] = DNA_PROOF_PENDING,
        [proof_O_report_proved] = DNA_PROOF_PROVED,
        [proof_O_report_unproved] = DNA_PROOF_UNPROVED,
        [proof_O_report_refuted] = DNA_PROOF_NEGATIVE,
    };
    struct proof_facts e = { .pending = dna_proof_pending(p) };
    if (!e.pending)
        gather(p, leaf, chain, &e);
    struct dna_effects fx = step(p, proof_E_WEIGH, &e);
    return fx.num_outs ? by_out[fx.outs[0]] : DNA_PROOF_PENDING;
}

enum dna_proof_verdict dna_proof_weigh_ssl(struct dna_proof *p, SSL *ssl)
{
    return dna_proof_weigh(p, ssl ? SSL_get0_peer_certificate(ssl) : NULL,
                           ssl ? SSL_get_peer_cert_chain(ssl) : NULL);
}

time_t dna_proof_expires(const struct dna_proof *p)
{
    time_t last = 0;
    for (size_t i = 0; p->env.knobs->expiry_resets && types[i]; i++) {
        if (p->seats[i].part.says != DNA_PROOF_HELD)
            continue;
        time_t at = types[i]->expires ? types[i]->expires(p->seats[i].self) : 0;
        if (!at)
            return 0;
        last = at > last ? at : last;
    }
    return last;
}

const struct dna_proof_part *dna_proof_part(const struct dna_proof *p, enum dna_prooftype_id id)
{
    return &p->seats[id].part;
}

void dna_proof_name(const struct dna_prooftype_text *type, char *out, size_t len)
{
    snprintf(out, len, "%s", type->name);
    for (char *at = out; *at; at++)
        *at = (char)toupper((unsigned char)*at);
}

void dna_proof_names(const struct dna_proof *p, enum dna_proof_says says, char *out, size_t len)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; types[i]; i++) {
        char name[32];
        if (p->seats[i].part.says != says)
            continue;
        dna_proof_name(p->seats[i].part.type, name, sizeof name);
        snprintf(out + used, len - used, "%s%s", used ? " and " : "", name);
        used = strlen(out);
    }
}
