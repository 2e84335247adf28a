/* SPDX-License-Identifier: MIT */
/* prooftype_pkix: runs model/prooftype_pkix.def over the facts that pkix.h finds. It has nothing to
 * fetch: the certificate comes with the handshake, trust anchors with the configuration. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"
#include "impl/pkix.h"
#include "impl/prooftype.h"
#include "model/machines.h"

/* What is to be judged, by whose knobs. */
struct judging {
    X509 *leaf;
    STACK_OF(X509) * chain;
    X509_STORE *store;
    const struct dna_knobs *knobs;
    struct dna_pkix_reference ref;
    bool inbound;
    const struct dna_prooftype_seat *seat; /* NULL: no log */
};

struct instance {
    const struct dna_proof_env *env;
    struct dna_prooftype_seat *seat;
    struct prooftype_pkix m;
    char *domain, *target; /* target NULL: no SRV record led here */
    enum dna_pkix_service service;
    bool inbound, target_is_secure;
    time_t expires; /* of what was judged last, where the knob wants to know */
};

static void step(struct prooftype_pkix *m, enum prooftype_pkix_event on,
                 const struct prooftype_pkix_facts *e, const struct judging *j,
                 struct dna_effects *fx)
{
    struct dna_stream_vars none;
    dna_stream_vars_init(&none);
    dna_prooftype_pkix_step(m, on, e, &none, j->knobs, fx);
    if (j->seat)
        dna_prooftype_log(j->seat, fx);
}

/* The guard of a row says why, but that of the last row of a cell. */
static void tell(const struct judging *j, const struct dna_effects *fx, const char *detail,
                 char *why, size_t why_len)
{
    const struct dna_row *row = &dna_machine_prooftype_pkix.rows[fx->row];
    if (fx->row == DNA_NO_ROW) /* of a damaged table (--mutate) */
        (void)snprintf(why, why_len, "the table says nothing");
    else if (row->when == prooftype_pkix_G_otherwise)
        (void)snprintf(why, why_len, "the certificate does not name %s", j->ref.domain);
    else
        (void)snprintf(why, why_len, "%s%s%s", dna_machine_prooftype_pkix.guards[row->when].text,
                       detail[0] ? ": " : "", detail);
}

/* Leaves the effects of the step that decided. */
static void judge(struct prooftype_pkix *m, const struct judging *j, struct dna_effects *fx,
                  char *why, size_t why_len)
{
    struct prooftype_pkix_facts e = { .given = j->leaf != NULL, .inbound = j->inbound };
    char detail[120] = "";
    step(m, prooftype_pkix_E_CERTIFICATE, &e, j, fx);
    if (m->state == prooftype_pkix_S_SHOWN) {
        dna_pkix_path_facts(j->leaf, j->chain, j->store, j->knobs->revocation != 0, &e, detail,
                            sizeof detail);
        step(m, prooftype_pkix_E_PATH_CHECKED, &e, j, fx);
    }
    if (m->state == prooftype_pkix_S_GENUINE) {
        dna_pkix_name_facts(j->leaf, &j->ref, &e);
        step(m, prooftype_pkix_E_NAMES_READ, &e, j, fx);
    }
    tell(j, fx, detail, why, why_len);
}

static void *pkix_begin(const struct dna_proof_env *env, const struct dna_proof_ask *ask,
                        struct dna_prooftype_seat *seat)
{
    struct instance *p = dna_calloc(1, sizeof *p);
    p->env = env;
    p->seat = seat;
    p->domain = dna_strdup(ask->domain);
    p->service = ask->service;
    p->inbound = ask->peer_is_client;
    dna_instance_init(&dna_machine_prooftype_pkix, &p->m);
    return p;
}

static void pkix_endpoint(void *self, const struct dna_proof_endpoint *at)
{
    struct instance *p = self;
    free(p->target);
    p->target = at->from_srv ? dna_strdup(at->host) : NULL;
    p->target_is_secure = at->from_srv && at->srv == DNA_DNS_SECURE;
}

static enum dna_proof_says pkix_judge(void *self, X509 *leaf, STACK_OF(X509) * chain, char *why,
                                      size_t why_len)
{
    static const enum dna_proof_says by_out[prooftype_pkix_O_MAX] = {
        [prooftype_pkix_O_report_absent] = DNA_PROOF_ABSENT,
        [prooftype_pkix_O_report_held] = DNA_PROOF_HELD,
        [prooftype_pkix_O_report_failed] = DNA_PROOF_FAILED,
    };
    struct instance *p = self;
    const struct judging j = {
        leaf, chain, p->env->store, p->env->knobs,
        { p->domain, p->service, p->target, p->target_is_secure }, p->inbound, p->seat
    };
    struct dna_effects fx;
    judge(&p->m, &j, &fx, why, why_len);
    p->expires = leaf && p->env->knobs->expiry_resets
                     ? time(NULL) + (time_t)dna_pkix_expires_in(leaf, chain, p->env->store)
                     : 0;
    return fx.num_outs ? by_out[fx.outs[0]] : DNA_PROOF_FAILED;
}

static time_t pkix_expires(const void *self)
{
    return ((const struct instance *)self)->expires;
}

static void pkix_sought(const void *self, char *text, size_t len)
{
    const struct instance *p = self;
    if (p->target && p->target_is_secure && p->env->knobs->dane)
        (void)snprintf(text, len, "%s, or %s by a secure SRV record", p->domain, p->target);
    else
        (void)snprintf(text, len, "%s", p->domain);
}

static void pkix_free(void *self)
{
    struct instance *p = self;
    const struct judging j = { .knobs = p->env->knobs, .seat = p->seat };
    const struct prooftype_pkix_facts none = { 0 };
    struct dna_effects fx;
    step(&p->m, prooftype_pkix_E_DONE, &none, &j, &fx);
    free(p->domain);
    free(p->target);
    free(p);
}

const struct dna_prooftype dna_prooftype_pkix = { .begin = pkix_begin,
                                                  .endpoint = pkix_endpoint,
                                                  .judge = pkix_judge,
                                                  .expires = pkix_expires,
                                                  .sought = pkix_sought,
                                                  .free = pkix_free };

static struct dna_knobs knobs_of(const struct dna_pkix_policy *policy)
{
    struct dna_knobs k = dna_knobs_default();
    k.pkix = 1;
    k.revocation = 0;
    k.cn_id = policy->cn_names;
    k.srv_client_name_ok = policy->any_srv_service;
    k.server_auth_eku_ok = !policy->strict_client_eku;
    k.empty_subject_ok = !policy->subject_required;
    return k;
}

static enum dna_pkix_verdict verdict_of(const struct dna_effects *fx)
{
    if (fx->row == DNA_NO_ROW) /* a damaged table (--mutate) had decided before */
        return DNA_PKIX_BAD_PATH;
    switch ((enum prooftype_pkix_guard)dna_machine_prooftype_pkix.rows[fx->row].when) {
    case prooftype_pkix_G_client_silent:
    case prooftype_pkix_G_server_silent:
        return DNA_PKIX_NO_CERTIFICATE;
    case prooftype_pkix_G_no_path:
        return DNA_PKIX_UNTRUSTED;
    case prooftype_pkix_G_self_signed:
        return DNA_PKIX_SELF_SIGNED;
    case prooftype_pkix_G_too_early:
    case prooftype_pkix_G_too_late:
        return DNA_PKIX_NOT_IN_TIME;
    case prooftype_pkix_G_not_for_server:
    case prooftype_pkix_G_client_needed:
    case prooftype_pkix_G_not_for_tls:
        return DNA_PKIX_PURPOSE;
    case prooftype_pkix_G_subject_empty:
        return DNA_PKIX_BAD_PATH;
    default:
        if (fx->num_outs && fx->outs[0] == prooftype_pkix_O_report_held)
            return DNA_PKIX_PROVED;
        return fx->on == prooftype_pkix_E_NAMES_READ ? DNA_PKIX_NAME_MISMATCH : DNA_PKIX_BAD_PATH;
    }
}

enum dna_pkix_verdict dna_pkix_check(X509 *leaf, STACK_OF(X509) * untrusted, const char *domain,
                                     enum dna_pkix_service service, bool peer_is_client,
                                     X509_STORE *store, const struct dna_pkix_policy *policy,
                                     char *why, size_t why_len)
{
    const struct dna_knobs k = knobs_of(policy);
    const struct judging j = { leaf, untrusted, store, &k, { .domain = domain, .service = service },
                               peer_is_client, NULL };
    struct prooftype_pkix m;
    struct dna_effects fx;
    dna_instance_init(&dna_machine_prooftype_pkix, &m);
    judge(&m, &j, &fx, why, why_len);
    return verdict_of(&fx);
}

enum dna_pkix_verdict dna_pkix_proves(SSL *ssl, const char *domain, enum dna_pkix_service service,
                                      bool peer_is_client, X509_STORE *store,
                                      const struct dna_pkix_policy *policy, char *why,
                                      size_t why_len)
{
    X509 *leaf = ssl ? SSL_get0_peer_certificate(ssl) : NULL;
    STACK_OF(X509) *chain = ssl ? SSL_get_peer_cert_chain(ssl) : NULL;
    return dna_pkix_check(leaf, chain, domain, service, peer_is_client, store, policy, why,
                          why_len);
}

/* The table reads names only of a genuine certificate, so this one is taken for genuine. */
bool dna_pkix_names(X509 *leaf, const char *domain, enum dna_pkix_service service,
                    const struct dna_knobs *knobs)
{
    const struct dna_pkix_reference ref = { .domain = domain, .service = service };
    struct prooftype_pkix_facts e = { .given = 1, .for_server = 1, .for_client = 1 };
    struct dna_knobs k = *knobs;
    const struct judging j = { .knobs = &k };
    struct prooftype_pkix m;
    struct dna_effects fx;
    k.pkix = 1;
    k.revocation = 0;
    k.empty_subject_ok = 1;
    dna_instance_init(&dna_machine_prooftype_pkix, &m);
    step(&m, prooftype_pkix_E_CERTIFICATE, &e, &j, &fx);
    step(&m, prooftype_pkix_E_PATH_CHECKED, &e, &j, &fx);
    dna_pkix_name_facts(leaf, &ref, &e);
    step(&m, prooftype_pkix_E_NAMES_READ, &e, &j, &fx);
    return verdict_of(&fx) == DNA_PKIX_PROVED;
}
