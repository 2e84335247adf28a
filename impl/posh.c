/* SPDX-License-Identifier: MIT */
/* posh: see posh.h. A retrieval is counted: the cache holds it while it is under way and as long as
 * it is remembered, each ask holds it as long as somebody may have a certificate judged. */
#include "impl/posh.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "impl/buf.h"
#include "impl/hash.h"
#include "impl/log.h"
#include "impl/posh_doc.h"
#include "impl/posh_fetch.h"
#include "impl/posh_url.h"
#include "model/machines.h"

enum { DEFAULT_TIMEOUT_MS = 10000, DEFAULT_BODY = 65536, DEFAULT_ENTRIES = 1000, HTTPS_PORT = 443 };
enum { DEFAULT_MAX_AGE_S = 86400 };

struct retrieval {
    struct dna_posh *posh; /* NULL: this process has none */
    const struct dna_knobs *knobs;
    unsigned refs;
    bool cached, answered;
    TAILQ_ENTRY(retrieval) entry; /* of the cache, the longest unused first */
    char *domain, *key, *source, *url;
    char *next; /* where a reference or a redirect leads, should the table say so */
    enum dna_pkix_service service;
    struct prooftype_posh m;
    struct dna_posh_get *get;
    struct event *deadline;
    TAILQ_HEAD(, dna_posh_ask) waiting;
    struct dna_posh_doc doc;
    int64_t received_ms, until_ms; /* of the material, or of what is remembered instead of it */
    int64_t reference_until_ms;    /* 0: there was no reference */
    char why[300];
};
struct dna_posh_ask {
    struct retrieval *of;
    bool waiting;
    TAILQ_ENTRY(dna_posh_ask) entry;
    void (*settled)(void *arg);
    void *arg;
};
struct dna_posh {
    struct dna_posh_config config;
    struct dna_posh_fetcher *fetcher;
    struct dna_hash by_key;
    TAILQ_HEAD(, retrieval) entries;
    size_t num;
};

static int64_t now_ms(const struct dna_posh *p)
{
    struct timespec t;
    if (p && p->config.now_ms)
        return p->config.now_ms();
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *service_name(enum dna_pkix_service s)
{
    return s == DNA_PKIX_XMPP_SERVER ? "xmpp-server" : "xmpp-client";
}

static bool pending(const struct retrieval *r)
{
    return r->m.state == prooftype_posh_S_FETCHING || r->m.state == prooftype_posh_S_FOLLOWING;
}

/* A clock that was set back makes nothing fresh for longer. */
static bool fresh(const struct retrieval *r)
{
    int64_t now = now_ms(r->posh);
    return now >= r->received_ms && now < r->until_ms;
}

/* --- the machine --- */

static void step(struct retrieval *r, enum prooftype_posh_event on,
                 const struct prooftype_posh_facts *e, struct dna_effects *fx)
{
    static const struct prooftype_posh_facts none;
    struct dna_stream_vars vars;
    dna_stream_vars_init(&vars);
    dna_prooftype_posh_step(&r->m, on, e ? e : &none, &vars, r->knobs, fx);
    dna_log_step(0, r->domain, fx);
}

static bool has_out(const struct dna_effects *fx, enum prooftype_posh_out out)
{
    for (unsigned i = 0; i < fx->num_outs; i++)
        if (fx->outs[i] == (uint8_t)out)
            return true;
    return false;
}

/* --- what is remembered --- */

static void free_retrieval(struct retrieval *r)
{
    dna_posh_get_cancel(r->get);
    if (r->deadline)
        event_free(r->deadline);
    dna_posh_doc_cleanup(&r->doc);
    free(r->domain);
    free(r->key);
    free(r->source);
    free(r->url);
    free(r->next);
    free(r);
}

static void release(struct retrieval *r)
{
    struct dna_effects fx;
    if (--r->refs)
        return;
    step(r, prooftype_posh_E_DONE, NULL, &fx);
    free_retrieval(r);
}

static void forget(struct retrieval *r)
{
    struct dna_posh *p = r->posh;
    if (!r->cached)
        return;
    r->cached = false;
    TAILQ_REMOVE(&p->entries, r, entry);
    p->num--;
    (void)dna_hash_remove(&p->by_key, r->key);
    release(r);
}

static bool make_room(struct dna_posh *p)
{
    struct retrieval *r;
    if (p->num < p->config.max_entries)
        return true;
    /* what is not there is forgotten before a document is, so that nobody's names push documents
     * out */
    for (int documents = 0; documents < 2; documents++) {
        TAILQ_FOREACH(r, &p->entries, entry)
        if (!pending(r) && (documents || r->m.state != prooftype_posh_S_HAVE)) {
            forget(r);
            return true;
        }
    }
    return false;
}

static bool remember(struct retrieval *r)
{
    struct dna_posh *p = r->posh;
    if (!make_room(p))
        return false;
    r->refs++;
    r->cached = true;
    TAILQ_INSERT_TAIL(&p->entries, r, entry);
    p->num++;
    (void)dna_hash_put(&p->by_key, r->key, r);
    return true;
}

/* Time is measured here; what it does to a document, the table says (RFC 7711 6). */
static void check_time(struct retrieval *r)
{
    struct dna_effects fx;
    if (r->m.state == prooftype_posh_S_HAVE && !fresh(r))
        step(r, prooftype_posh_E_STALE, NULL, &fx);
}

static bool in_force(struct retrieval *r)
{
    check_time(r);
    return r->m.state == prooftype_posh_S_HAVE ||
           (r->m.state != prooftype_posh_S_OUTDATED && fresh(r));
}

static struct retrieval *recall(struct dna_posh *p, const char *key)
{
    struct retrieval *r = dna_hash_get(&p->by_key, key);
    if (!r)
        return NULL;
    if (!pending(r) && !in_force(r)) {
        forget(r);
        return NULL;
    }
    TAILQ_REMOVE(&p->entries, r, entry);
    TAILQ_INSERT_TAIL(&p->entries, r, entry);
    return r;
}

/* --- fetching --- */

static void on_got(void *arg, const struct dna_posh_got *got);

static void fetch(struct retrieval *r)
{
    dna_log(DNA_LOG_STEP, "posh_get", "domain=%s url=%s", dna_log_quote(r->domain),
            dna_log_quote(r->url));
    r->get = dna_posh_get(r->posh->fetcher, r->url, on_got, r);
}

static int64_t until(const struct retrieval *r, uint64_t seconds)
{
    uint64_t most = r->posh->config.max_age_s;
    return now_ms(r->posh) + (int64_t)(seconds < most ? seconds : most) * 1000;
}

static void note_time(struct retrieval *r)
{
    r->received_ms = now_ms(r->posh);
    if (r->m.state == prooftype_posh_S_HAVE) {
        r->until_ms = until(r, r->doc.expires);
        if (r->reference_until_ms && r->reference_until_ms < r->until_ms)
            r->until_ms = r->reference_until_ms;
    } else {
        r->until_ms = r->received_ms + (int64_t)r->posh->config.negative_s * 1000;
    }
}

/* Whoever is told may drop any ask, its own included. */
static void tell(struct retrieval *r)
{
    struct dna_posh_ask *ask;
    r->refs++;
    event_free(r->deadline);
    r->deadline = NULL;
    note_time(r);
    while ((ask = TAILQ_FIRST(&r->waiting))) {
        TAILQ_REMOVE(&r->waiting, ask, entry);
        ask->waiting = false;
        ask->settled(ask->arg);
    }
    release(r);
}

static void answer(struct retrieval *r, enum prooftype_posh_event on,
                   const struct prooftype_posh_facts *e)
{
    struct dna_effects fx;
    step(r, on, e, &fx);
    if (has_out(&fx, prooftype_posh_O_fetch_reference) ||
        has_out(&fx, prooftype_posh_O_fetch_redirect)) {
        free(r->url);
        r->url = r->next;
        r->next = NULL;
        fetch(r);
    }
    if (has_out(&fx, prooftype_posh_O_report_settled))
        tell(r);
}

static void note_next(struct retrieval *r, const char *url)
{
    free(r->next);
    r->next = dna_strdup(url);
}

static void on_document(struct retrieval *r, const struct dna_posh_got *got)
{
    static const enum prooftype_posh_event events[] = {
        [DNA_POSH_BAD] = prooftype_posh_E_DOCUMENT_BAD,
        [DNA_POSH_FINGERPRINTS] = prooftype_posh_E_DOCUMENT_FINGERPRINTS,
        [DNA_POSH_REFERENCE] = prooftype_posh_E_DOCUMENT_REFERENCE
    };
    struct dna_posh_doc doc;
    dna_posh_doc_read(&doc, got->body, got->len);
    enum prooftype_posh_event on = events[doc.kind];
    (void)snprintf(r->why, sizeof r->why, "%s",
                   doc.kind == DNA_POSH_BAD ? doc.why : "a reference names another reference");
    if (doc.kind == DNA_POSH_FINGERPRINTS) {
        r->doc = doc;
    } else {
        if (doc.kind == DNA_POSH_REFERENCE) {
            r->reference_until_ms = until(r, doc.expires);
            note_next(r, doc.url);
        }
        dna_posh_doc_cleanup(&doc);
    }
    answer(r, on, NULL);
}

static void on_redirect(struct retrieval *r, const struct dna_posh_got *got)
{
    struct prooftype_posh_facts e = { .https = 0 };
    char why[100] = "";
    e.https = dna_posh_url_ok(got->location, why, sizeof why);
    note_next(r, got->location);
    if (e.https)
        (void)snprintf(r->why, sizeof r->why, "more than %u redirects", r->knobs->posh_redirects);
    else
        (void)snprintf(r->why, sizeof r->why, "the redirect to %.150s %s", got->location, why);
    answer(r, prooftype_posh_E_REDIRECTED, &e);
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void on_got(void *arg, const struct dna_posh_got *got)
{
    struct retrieval *r = arg;
    r->get = NULL;
    r->answered = r->answered || got->status != 0;
    (void)snprintf(r->why, sizeof r->why, "%s", got->why);
    if (is_redirect(got->status) && got->location)
        on_redirect(r, got);
    else if (got->status / 100 == 2 && got->status != 206) /* a part was not asked for */
        on_document(r, got);
    else if (got->status == 404)
        answer(r, prooftype_posh_E_NOT_FOUND, NULL);
    else
        answer(r, prooftype_posh_E_HTTP_FAILED, NULL);
}

static void on_deadline(int fd, short what, void *arg)
{
    struct retrieval *r = arg;
    (void)fd;
    (void)what;
    dna_posh_get_cancel(r->get);
    r->get = NULL;
    (void)snprintf(r->why, sizeof r->why, "not finished within %u ms", r->posh->config.timeout_ms);
    answer(r, prooftype_posh_E_HTTP_FAILED, NULL);
}

static void start(struct retrieval *r)
{
    const struct dna_posh_config *c = &r->posh->config;
    struct timeval tv = { c->timeout_ms / 1000, c->timeout_ms % 1000 * 1000 };
    r->deadline = event_new(c->base, -1, 0, on_deadline, r);
    event_add(r->deadline, &tv);
    r->url = dna_strdup(r->source);
    if (remember(r)) {
        fetch(r);
        return;
    }
    (void)snprintf(r->why, sizeof r->why, "%zu retrievals are under way already", r->posh->num);
    answer(r, prooftype_posh_E_HTTP_FAILED, NULL);
}

/* --- asking --- */

static bool locate(struct retrieval *r)
{
    struct sockaddr_storage ignored;
    char ascii[256];
    struct dna_buf key = DNA_BUF_INIT;
    const char *service = service_name(r->service);
    if (!r->posh || dna_dns_literal(r->domain, &ignored) ||
        dna_dns_to_ascii(r->domain, ascii, sizeof ascii) != 0)
        return false;
    dna_buf_printf(&key, "%s %s", service, ascii);
    r->key = key.at;
    r->source = dna_posh_url_source(ascii, service, r->posh->config.port);
    return true;
}

static struct retrieval *new_retrieval(const struct dna_proof_env *env,
                                       const struct dna_proof_ask *what)
{
    struct retrieval *r = dna_calloc(1, sizeof *r);
    r->posh = env->posh;
    r->knobs = env->knobs;
    r->domain = dna_strdup(what->domain);
    r->service = what->service;
    r->refs = 1;
    TAILQ_INIT(&r->waiting);
    dna_instance_init(&dna_machine_prooftype_posh, &r->m);
    return r;
}

static struct retrieval *find_or_start(struct retrieval *r)
{
    struct retrieval *known = recall(r->posh, r->key);
    if (!known) {
        start(r);
        return r;
    }
    dna_log(DNA_LOG_STEP, "posh_shared", "domain=%s url=%s state=%s", dna_log_quote(r->domain),
            dna_log_quote(r->source), pending(known) ? "under_way" : "remembered");
    free_retrieval(r);
    known->refs++;
    return known;
}

struct dna_posh_ask *dna_posh_seek(const struct dna_proof_env *env,
                                   const struct dna_proof_ask *what, void (*settled)(void *arg),
                                   void *arg)
{
    struct dna_posh_ask *ask = dna_calloc(1, sizeof *ask);
    struct retrieval *r = new_retrieval(env, what);
    struct dna_effects fx;
    struct prooftype_posh_facts e = { .inbound = what->inbound };
    e.possible = locate(r);
    step(r, prooftype_posh_E_SEEK, &e, &fx);
    if (has_out(&fx, prooftype_posh_O_fetch_source))
        r = find_or_start(r);
    ask->of = r;
    ask->settled = settled;
    ask->arg = arg;
    if (pending(r)) {
        TAILQ_INSERT_TAIL(&r->waiting, ask, entry);
        ask->waiting = true;
    }
    return ask;
}

void dna_posh_drop(struct dna_posh_ask *ask)
{
    if (!ask)
        return;
    if (ask->waiting)
        TAILQ_REMOVE(&ask->of->waiting, ask, entry);
    release(ask->of);
    free(ask);
}

bool dna_posh_pending(const struct dna_posh_ask *ask)
{
    return pending(ask->of);
}

/* --- judging --- */

static void gather(const struct retrieval *r, X509 *leaf, struct prooftype_posh_facts *e,
                   struct dna_posh_match *match)
{
    time_t now = (time_t)(now_ms(r->posh) / 1000);
    *match = (struct dna_posh_match){ .by = NULL };
    e->given = leaf != NULL;
    if (!leaf || r->m.state != prooftype_posh_S_HAVE)
        return;
    *match = dna_posh_doc_match(&r->doc, leaf);
    e->matched = match->matched;
    e->mismatched_too = match->mismatched_too;
    e->in_time = X509_cmp_time(X509_get0_notBefore(leaf), &now) < 0 &&
                 X509_cmp_time(X509_get0_notAfter(leaf), &now) > 0;
    e->names = dna_pkix_names(leaf, r->domain, r->service, r->knobs);
}

static enum dna_proof_says says_of(const struct dna_effects *fx)
{
    static const enum dna_proof_says by_out[prooftype_posh_O_MAX] = {
        [prooftype_posh_O_report_held] = DNA_PROOF_HELD,
        [prooftype_posh_O_report_failed] = DNA_PROOF_FAILED,
        [prooftype_posh_O_report_refuted] = DNA_PROOF_REFUTED,
        [prooftype_posh_O_report_absent] = DNA_PROOF_ABSENT,
        [prooftype_posh_O_report_unclear] = DNA_PROOF_UNCLEAR,
    };
    return fx->num_outs ? by_out[fx->outs[0]] : DNA_PROOF_ABSENT;
}

static void explain(const struct retrieval *r, enum dna_proof_says says,
                    const struct prooftype_posh_facts *e, const struct dna_posh_match *match,
                    char *why, size_t len)
{
    if (says == DNA_PROOF_ABSENT)
        (void)snprintf(why, len, "%s", r->source && r->url ? "there is no document" : "not sought");
    else if (says == DNA_PROOF_UNCLEAR)
        (void)snprintf(why, len, "%s",
                       r->m.state == prooftype_posh_S_OUTDATED ? "the document has run out"
                                                               : r->why);
    else if (says == DNA_PROOF_HELD)
        (void)snprintf(why, len, "fingerprint %zu of %zu matches by %s", match->at + 1, r->doc.num,
                       match->by);
    else if (!e->given)
        (void)snprintf(why, len, "no certificate was presented");
    else if (says == DNA_PROOF_REFUTED)
        (void)snprintf(why, len,
                       e->matched ? "a hash matches, but not all of its descriptor"
                                  : "none of %zu fingerprints is of this certificate",
                       r->doc.num);
    else
        (void)snprintf(why, len, "the certificate matches, but %s",
                       e->in_time ? "does not name the domain" : "is not within its dates");
}

bool dna_posh_outdated(const struct dna_posh_ask *ask)
{
    struct retrieval *r = ask->of;
    int64_t age = now_ms(r->posh) - r->received_ms;
    if (pending(r) || !r->url || in_force(r))
        return false;
    /* what is not remembered at all serves the operation that fetched it, a second */
    return r->m.state == prooftype_posh_S_OUTDATED || age < 0 || age >= 1000;
}

enum dna_proof_says dna_posh_judge(struct dna_posh_ask *ask, X509 *leaf, char *why, size_t why_len)
{
    struct retrieval *r = ask->of;
    struct prooftype_posh_facts e = { .given = 0 };
    struct dna_posh_match match;
    struct dna_effects fx;
    check_time(r);
    gather(r, leaf, &e, &match);
    step(r, prooftype_posh_E_CERTIFICATE, &e, &fx);
    enum dna_proof_says says = says_of(&fx);
    explain(r, says, &e, &match, why, why_len);
    return says;
}

void dna_posh_sought(const struct dna_posh_ask *ask, char *text, size_t len)
{
    const struct retrieval *r = ask->of;
    int64_t left = (r->until_ms - now_ms(r->posh)) / 1000;
    if (!r->url)
        (void)snprintf(text, len, "nothing");
    else if (r->m.state == prooftype_posh_S_HAVE)
        (void)snprintf(text, len, "%s, %zu fingerprint%s, expires in %lld s%s%s", r->source,
                       r->doc.num, r->doc.num == 1 ? "" : "s", (long long)left,
                       strcmp(r->url, r->source) ? ", from " : "",
                       strcmp(r->url, r->source) ? r->url : "");
    else if (pending(r))
        (void)snprintf(text, len, "%s, awaited", r->source);
    else
        (void)snprintf(text, len, "%s, %s", r->source, r->why[0] ? r->why : "run out");
}

struct dna_posh_about dna_posh_about(const struct dna_posh_ask *ask)
{
    const struct retrieval *r = ask->of;
    return (struct dna_posh_about){ .source = r->url ? r->source : NULL,
                                    .url = r->url,
                                    .answered = r->answered,
                                    .found = r->m.state == prooftype_posh_S_HAVE,
                                    .pending = pending(r),
                                    .absent = r->m.state == prooftype_posh_S_ABSENT,
                                    .by_reference = r->reference_until_ms != 0,
                                    .redirects = r->m.redirects,
                                    .num_fingerprints = r->doc.num,
                                    .expires_s = (r->until_ms - now_ms(r->posh)) / 1000,
                                    .why = r->why };
}

/* --- the process --- */

struct dna_posh *dna_posh_new(const struct dna_posh_config *config, char *why, size_t why_len)
{
    X509_STORE *readable = dna_pkix_store_new(config->ca_file, config->ca_dir, why, why_len);
    if (!readable)
        return NULL;
    X509_STORE_free(readable);
    struct dna_posh *p = dna_calloc(1, sizeof *p);
    struct dna_posh_config *c = &p->config;
    *c = *config;
    c->timeout_ms = c->timeout_ms ? c->timeout_ms : DEFAULT_TIMEOUT_MS;
    c->max_body = c->max_body ? c->max_body : DEFAULT_BODY;
    c->max_age_s = c->max_age_s ? c->max_age_s : DEFAULT_MAX_AGE_S;
    c->max_entries = c->max_entries ? c->max_entries : DEFAULT_ENTRIES;
    c->port = c->port ? c->port : HTTPS_PORT;
    const struct dna_posh_fetcher_config f = { c->base, c->dns, c->ca_file, c->ca_dir,
                                               c->max_body };
    p->fetcher = dna_posh_fetcher_new(&f);
    TAILQ_INIT(&p->entries);
    return p;
}

void dna_posh_free(struct dna_posh *p)
{
    if (!p)
        return;
    while (!TAILQ_EMPTY(&p->entries))
        forget(TAILQ_FIRST(&p->entries));
    dna_posh_fetcher_free(p->fetcher);
    dna_hash_cleanup(&p->by_key);
    free(p);
}
