/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The world of one case: fresh domains and addresses, certificates, DNS
 * records, listening peers, clients that log in; and taking all of it away again.
 */
#include "conformance/case_run.h"
#include "conformance/scn_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(struct dna_case_run *run, const char *what, const char *why)
{
    dna_run_end(run, DNA_END_SUITE, NULL, "setup", what, why);
}

/* The peers of a case with a mutant have addresses that tell its number: 127.128.NUMBER.x and
 * up. */
static void next_address_of(uint32_t mutant, char *out)
{
    static uint8_t counters[0x8000];
    unsigned n = mutant & 0x7fff, host = counters[n]++ % 254 + 1;

    snprintf(out, 16, "127.%u.%u.%u", 128 + (n >> 8), n & 0xff, host);
}

/* Fresh loopback addresses, 127.64.0.1 and up; a run that needs four million begins again. */
static void next_address(char *out)
{
    static unsigned counter;
    unsigned n = ++counter & 0x3fffff;

    if ((n & 0xff) == 0 || (n & 0xff) == 255)
        n = ++counter & 0x3fffff;
    if ((n & 0xff) == 0)
        n = ++counter & 0x3fffff;
    snprintf(out, 16, "127.%u.%u.%u", 64 + (n >> 16), (n >> 8) & 0xff, n & 0xff);
}

static void set_names(struct dna_case_run *run)
{
    const struct dna_variant *v = dna_iut_variant(run->iut);
    struct dna_binds *vars = &run->vars;

    dna_binds_set(vars, "iut", v->hosted[0]);
    dna_binds_set(vars, "iut2", v->hosted[1] ? v->hosted[1] : "");
    dna_binds_set(vars, "iut3", v->hosted[2] ? v->hosted[2] : "");
    dna_binds_set(vars, "unhosted", v->unhosted ? v->unhosted : "");
    dna_binds_set(vars, "role", run->c->role);
    dna_binds_set(vars, "variant", run->c->variant);
    dna_binds_set(vars, "case", run->label);
    dna_binds_set(vars, "stanza_limit", dna_pool_printf(run->pool, "%u", v->profile->stanza_limit));
    for (const struct dna_scn_domain *d = run->c->scn->domains; d; d = d->next)
        dna_binds_set(vars, d->name, d->parent
            ? dna_pool_printf(run->pool, "%s.%s", d->name, dna_binds_get(vars, d->parent))
            : dna_pool_printf(run->pool, "%s.%s.example", d->name, run->label));
}

static void set_property(struct dna_case_run *run, const struct dna_actor *a, const char *property,
                         const char *value)
{
    dna_binds_set(&run->vars, dna_pool_printf(run->pool, "%s.%s", a->scn->name, property), value);
}

static void make_actor(struct dna_case_run *run, const struct dna_scn_actor *scn)
{
    struct dna_actor *a = dna_pool_alloc(run->pool, sizeof(*a)), **tail = &run->actors;
    const char *password;

    a->run = run;
    a->scn = scn;
    while (*tail)
        tail = &(*tail)->next;
    *tail = a;
    if (scn->kind == DNA_ACTOR_IUT_CLIENT) {
        a->jid = dna_run_expand(run, scn->user);
        return;
    }
    if (run->c->mutant)
        next_address_of(run->c->mutant, a->addr);
    else
        next_address(a->addr);
    if (scn->kind == DNA_ACTOR_CLIENT) {
        a->resource = dna_pool_printf(run->pool, "%s-%s", run->label, scn->name);
        a->jid = dna_pool_printf(run->pool, "%s@%s", scn->user,
                                 dna_run_expand(run, scn->domain));
        dna_binds_set(&run->vars, scn->name, dna_pool_printf(run->pool, "%s/%s", a->jid,
                                                            a->resource));
        set_property(run, a, "bare", a->jid);
        set_property(run, a, "resource", a->resource);
        password = dna_pairs_get(&run->context->profile->accounts, scn->user);
        set_property(run, a, "password", password ? password : "");
        return;
    }
    if (scn->kind == DNA_ACTOR_WEB) {
        set_property(run, a, "addr", a->addr);
        return;
    }
    a->port = scn->port ? scn->port : scn->c2s ? 5222 : 5269;
    if (scn->host && strchr(scn->host, '$')) {
        a->host = dna_run_expand(run, scn->host);
    } else if (scn->host) {
        a->host = dna_pool_printf(run->pool, "%s.%s.example", scn->host, run->label);
    } else {
        char *lower = dna_pool_strdup(run->pool, scn->name);

        for (char *p = lower; *p; p++)
            *p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
        a->host = dna_pool_printf(run->pool, "host-%s.%s.example", lower, run->label);
    }
    set_property(run, a, "addr", a->addr);
    set_property(run, a, "host", a->host);
    set_property(run, a, "port", dna_pool_printf(run->pool, "%u", a->port));
}

/* ---- certificates ---- */

static const struct dna_cert *find_cert(const char *name, void *arg)
{
    bool known;

    return dna_run_cert(arg, name, &known);
}

static bool mint(struct dna_case_run *run, const char *name, const char *spec_text,
                 struct dna_cert **out_cert)
{
    struct dna_cert_spec *spec = dna_xcalloc(1, sizeof(*spec));
    struct dna_diag diag = { 0 };
    bool ok;

    *out_cert = NULL;
    ok = dna_cert_spec_parse(spec_text, spec, &diag) == 0;
    if (ok && !spec->none) {
        *out_cert = dna_ca_mint(run->context->lab->ca, spec, find_cert, run, &diag);
        ok = *out_cert != NULL;
    }
    free(spec);
    if (!ok)
        fail(run, dna_pool_printf(run->pool, "certificate %s (%s)", name, spec_text), diag.text);
    return ok;
}

/* what is hashed how, of which a document of POSH gives the base64 */
enum spoiling { AS_IT_IS, WRAPPED, PAD_BITS, URL_SAFE };

static void cert_property(struct dna_case_run *run, const struct dna_named_cert *n,
                         const char *property, const char *value)
{
    dna_binds_set(&run->vars, dna_pool_printf(run->pool, "%s.%s", n->name, property), value);
}

/* $NAME.b64 and the like: base64 of a digest of the certificate or its key, as it should be or
 * not */
static void set_base64(struct dna_case_run *run, const struct dna_named_cert *n,
                       const char *property, const EVP_MD *md, bool key, enum spoiling how)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char digest[EVP_MAX_MD_SIZE], *der = NULL;
    char text[(EVP_MAX_MD_SIZE + 2) / 3 * 4 + 1], *last;
    int der_len = key ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(n->cert->x509), &der)
                      : i2d_X509(n->cert->x509, &der);
    unsigned len = 0;

    if (der_len <= 0 || EVP_Digest(der, (size_t)der_len, digest, &len, md, NULL) != 1)
        len = 0; /* an empty text, which no document has */
    OPENSSL_free(der);
    EVP_EncodeBlock((unsigned char *)text, digest, (int)len);
    last = text + strcspn(text, "=");
    if (how == PAD_BITS && last > text)
        last[-1] = digits[strchr(digits, last[-1]) - digits + 1];
    for (char *c = text; how == URL_SAFE && *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    if (how == WRAPPED) /* the line end as JSON writes it */
        cert_property(run, n, property, dna_pool_printf(run->pool, "%.20s\\n%s", text, text + 20));
    else
        cert_property(run, n, property, dna_pool_strdup(run->pool, text));
}

/* $NAME.sha256: the fingerprint by which a client may be told to accept a certificate */
static void set_fingerprints(struct dna_case_run *run, const struct dna_named_cert *n)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct dna_buf text = { 0 };

    if (!n->cert || X509_digest(n->cert->x509, EVP_sha256(), digest, &len) != 1)
        return;
    for (unsigned i = 0; i < len; i++)
        dna_buf_printf(&text, "%02x", digest[i]);
    cert_property(run, n, "sha256", text.at);
    dna_buf_free(&text);
    set_base64(run, n, "b64", EVP_sha256(), false, AS_IT_IS);
    set_base64(run, n, "b64_512", EVP_sha512(), false, AS_IT_IS);
    set_base64(run, n, "b64_md5", EVP_md5(), false, AS_IT_IS);
    set_base64(run, n, "b64_key", EVP_sha256(), true, AS_IT_IS);
    set_base64(run, n, "b64_wrapped", EVP_sha256(), false, WRAPPED);
    set_base64(run, n, "b64_bits", EVP_sha256(), false, PAD_BITS);
    set_base64(run, n, "b64_512_url", EVP_sha512(), false, URL_SAFE);
}

/* the certificate that an actor shows unless a step says another */
static bool show(struct dna_case_run *run, struct dna_actor *a)
{
    bool web = a->scn->kind == DNA_ACTOR_WEB, known;
    size_t num = web ? a->scn->num_hosts : a->scn->num_domains;
    struct dna_buf spec = { 0 };

    if (a->scn->cert) {
        a->cert = dna_run_cert(run, a->scn->cert, &known);
        if (a->cert)
            dna_cert_ref(a->cert);
        return true;
    }
    for (int kind = 0; kind < (web ? 1 : 2); kind++) {
        dna_buf_puts(&spec, kind ? " srv=" : "dns=");
        for (size_t i = 0; i < num; i++)
            dna_buf_printf(&spec, "%s%s", i ? "," : "",
                           web ? dna_run_expand(run, a->scn->hosts[i])
                               : dna_binds_get(&run->vars, a->scn->domains[i]));
        if (!num)
            dna_buf_puts(&spec, a->host);
    }
    known = mint(run, a->scn->name, spec.at, &a->cert);
    dna_buf_free(&spec);
    return known;
}

static bool make_certs(struct dna_case_run *run)
{
    struct dna_named_cert **tail = &run->certs;

    for (const struct dna_scn_cert *c = run->c->scn->certs; c; c = c->next) {
        struct dna_named_cert *n = dna_pool_alloc(run->pool, sizeof(*n));

        n->name = c->name;
        if (!mint(run, c->name, dna_run_expand(run, c->spec), &n->cert))
            return false;
        set_fingerprints(run, n);
        *tail = n;
        tail = &n->next;
    }
    for (struct dna_actor *a = run->actors; a; a = a->next)
        if ((a->scn->kind == DNA_ACTOR_PEER || a->scn->kind == DNA_ACTOR_WEB) && !show(run, a))
            return false;
    return true;
}

/* ---- DNS ---- */

static bool add_record(struct dna_case_run *run, const char *name, const char *record)
{
    struct dna_diag diag = { 0 };

    if (dna_dns_add(run->context->lab->dns, name, record, &diag) == 0)
        return true;
    fail(run, dna_pool_printf(run->pool, "record %s %s", name, record), diag.text);
    return false;
}

const char *dna_run_srv_owner(struct dna_case_run *run, const char *domain, bool c2s)
{
    if (*domain == '_' || *domain == '*')
        return domain;
    return dna_pool_printf(run->pool, "_xmpp-%s._tcp.%s", c2s ? "client" : "server", domain);
}

const struct dna_actor *dna_run_first_peer(const struct dna_case_run *run, const char *variable)
{
    for (const struct dna_actor *a = run->actors; a; a = a->next)
        for (size_t i = 0; i < a->scn->num_domains; i++)
            if (strcmp(a->scn->domains[i], variable) == 0)
                return a;
    return NULL;
}

/* an actor's host name or address, or the word as it is */
static const char *target(struct dna_case_run *run, const char *word, bool address)
{
    const struct dna_scn_actor *scn = dna_scn_actor(run->c->scn, word);
    const struct dna_actor *a = scn ? dna_run_actor(run, scn) : NULL;

    if (!a || !a->host)
        return dna_run_expand(run, word);
    return address ? a->addr : a->host;
}

static bool default_records(struct dna_case_run *run, const struct dna_scn_domain *d)
{
    const struct dna_actor *a = dna_run_first_peer(run, d->name);

    if (!a)
        return true;
    return add_record(run, dna_run_srv_owner(run, dna_binds_get(&run->vars, d->name), a->scn->c2s),
                      dna_pool_printf(run->pool, "SRV 0 0 %u %s", a->port, a->host));
}

static const struct dna_scn_domain *domain_of(const struct dna_case_run *run, const char *owner)
{
    for (const struct dna_scn_domain *d = run->c->scn->domains; d; d = d->next)
        if (strcmp(dna_binds_get(&run->vars, d->name), owner) == 0)
            return d;
    return NULL;
}

static bool apply_manner(struct dna_case_run *run, const char *owner, const char *word)
{
    static const struct {
        const char *word;
        enum dna_dns_manner manner;
    } manners[] = { { "none", DNA_DNS_NXDOMAIN }, { "nodata", DNA_DNS_NODATA },
                    { "servfail", DNA_DNS_SERVFAIL }, { "refused", DNA_DNS_REFUSED },
                    { "silent", DNA_DNS_SILENT }, { "truncate", DNA_DNS_TRUNCATE } };
    struct dna_dns *dns = run->context->lab->dns;
    struct dna_diag diag = { 0 };

    for (size_t i = 0; i < sizeof(manners) / sizeof(*manners); i++) {
        if (strcmp(word, manners[i].word) != 0)
            continue;
        if (dna_dns_manner_set(dns, owner, DNA_DNS_ANY, manners[i].manner, true, &diag) != 0) {
            fail(run, owner, diag.text);
            return false;
        }
        /* domains of the case below this one keep their own manners */
        for (const struct dna_scn_domain *d = run->c->scn->domains; d; d = d->next) {
            const char *name = dna_binds_get(&run->vars, d->name);
            size_t len = strlen(name), tail = strlen(owner);

            if (len > tail + 1 && strcmp(name + len - tail, owner) == 0 &&
                dna_dns_manner_set(dns, name, DNA_DNS_ANY, DNA_DNS_NORMAL, true, &diag) != 0)
                return false;
        }
        return true;
    }
    return false;
}

/* one record of a 'dns' line: words[0] is its type */
static bool apply_record(struct dna_case_run *run, const char *owner, const char **words,
                         size_t num)
{
    const struct dna_scn_domain *d = domain_of(run, owner);
    const struct dna_actor *first = d ? dna_run_first_peer(run, d->name) : NULL;
    bool c2s = first && first->scn->c2s;
    struct dna_buf text = { 0 };
    bool ok;

    if (strcmp(words[0], "default") == 0)
        return !d || default_records(run, d);
    if (strcmp(words[0], "dot") == 0)
        return add_record(run, dna_run_srv_owner(run, owner, c2s), "SRV 0 0 0 .");
    if (strcmp(words[0], "SRV") == 0)
        return add_record(run, dna_run_srv_owner(run, owner, c2s),
                          dna_pool_printf(run->pool, "SRV %s %s %s %s", words[1], words[2],
                                          dna_run_expand(run, words[3]),
                                          target(run, words[4], false)));
    if (strcmp(words[0], "A") == 0 || strcmp(words[0], "A-only") == 0)
        return add_record(run, owner, dna_pool_printf(run->pool, "A %s",
                                                      target(run, words[1], true)));
    dna_buf_puts(&text, words[0]);
    for (size_t i = 1; i < num; i++)
        dna_buf_printf(&text, " %s", target(run, words[i], false));
    ok = add_record(run, owner, text.at);
    dna_buf_free(&text);
    return ok;
}

/* the address of a web server at that name is there, unless the line says another */
static bool keep_web(struct dna_case_run *run, const char *owner, const struct dna_step *step)
{
    static const char *const types[] = { "A", "A-only", "CNAME" };
    const struct dna_actor *web = dna_run_web_of(run, owner);

    for (size_t i = 0; web && i < step->dns.num_words; i++)
        for (size_t k = 0; (!i || strcmp(step->dns.words[i - 1], ";") == 0) && k < 3; k++)
            if (strcmp(step->dns.words[i], types[k]) == 0)
                return true;
    return !web || add_record(run, owner, dna_pool_printf(run->pool, "A %s", web->addr));
}

bool dna_run_dns(struct dna_case_run *run, const struct dna_step *step)
{
    const char *owner = dna_run_expand(run, step->dns.owner);
    struct dna_dns *dns = run->context->lab->dns;
    struct dna_diag diag;
    size_t start = 0;

    dna_dns_remove(dns, owner, DNA_DNS_ANY);
    dna_dns_remove(dns, dna_run_srv_owner(run, owner, false), DNA_DNS_ANY);
    dna_dns_remove(dns, dna_run_srv_owner(run, owner, true), DNA_DNS_ANY);
    if (dna_dns_manner_set(dns, owner, DNA_DNS_ANY, DNA_DNS_NORMAL, true, &diag) != 0)
        return false;
    for (size_t i = 0; i <= step->dns.num_words; i++) {
        if (i < step->dns.num_words && strcmp(step->dns.words[i], ";") != 0)
            continue;
        if (!apply_manner(run, owner, step->dns.words[start]) && !run->ended &&
            !apply_record(run, owner, step->dns.words + start, i - start))
            return false;
        start = i + 1;
    }
    return !run->ended && keep_web(run, owner, step);
}

static void on_query(const struct dna_dns_event *event, void *arg)
{
    struct dna_case_run *run = arg;
    struct dna_seen_query *q;

    if (run->ended)
        return;
    q = dna_pool_alloc(run->pool, sizeof(*q));
    q->name = dna_pool_strdup(run->pool, event->name);
    q->type = dna_pool_strdup(run->pool, event->type_name);
    q->bits = (event->dnssec_ok ? DNA_QUERY_DO : 0u) | (event->authentic_data ? DNA_QUERY_AD : 0u) |
              (event->checking_disabled ? DNA_QUERY_CD : 0u);
    q->seq = ++run->seq;
    q->next = run->queries;
    run->queries = q;
    dna_run_note(run, "DNS: the IUT asks %s %s%s%s%s: %s", q->type, q->name,
                 event->dnssec_ok ? " DO" : "", event->authentic_data ? " AD" : "",
                 event->checking_disabled ? " CD" : "", dna_dns_answer_name(event->answer));
    dna_run_wake(run);
}

static bool make_records(struct dna_case_run *run)
{
    const char *zone = dna_pool_printf(run->pool, "%s.example", run->label);
    struct dna_dns *dns = run->context->lab->dns;
    struct dna_diag diag = { 0 };

    if (dna_dns_zone(dns, zone, &diag) != 0 ||
        dna_dns_watch(dns, zone, on_query, run, &diag) != 0) {
        fail(run, zone, diag.text);
        return false;
    }
    for (const struct dna_actor *a = run->actors; a; a = a->next)
        if (a->host && !add_record(run, a->host, dna_pool_printf(run->pool, "A %s", a->addr)))
            return false;
    for (const struct dna_scn_domain *d = run->c->scn->domains; d; d = d->next)
        if (!default_records(run, d))
            return false;
    for (const struct dna_actor *a = run->actors; a; a = a->next)
        for (size_t i = 0; i < a->scn->num_hosts; i++)
            if (!add_record(run, dna_run_expand(run, a->scn->hosts[i]),
                            dna_pool_printf(run->pool, "A %s", a->addr)))
                return false;
    for (const struct dna_step *s = run->c->scn->world; s; s = s->next)
        if (!dna_step_do(run, s))
            return false;
    return true;
}

bool dna_run_setup(struct dna_case_run *run)
{
    set_names(run);
    for (const struct dna_scn_actor *s = run->c->scn->actors; s; s = s->next)
        make_actor(run, s);
    if (!make_certs(run) || !make_records(run) || !dna_run_web_open(run))
        return false;
    for (struct dna_actor *a = run->actors; a; a = a->next) {
        if (a->scn->kind == DNA_ACTOR_PEER && a->scn->listen == DNA_LISTEN_YES &&
            !dna_actor_listen(a)) {
            fail(run, "a peer that listens", dna_pool_printf(run->pool, "%s:%u: %s", a->addr,
                                                             a->port, strerror(errno)));
            return false;
        }
        if (a->scn->kind == DNA_ACTOR_CLIENT) {
            run->logins_left++;
            if (!dna_login_start(a)) {
                fail(run, "a client that logs in", "no connection");
                return false;
            }
        }
    }
    return true;
}

void dna_run_teardown(struct dna_case_run *run)
{
    const char *zone = dna_pool_printf(run->pool, "%s.example", run->label);

    dna_dns_unwatch(run->context->lab->dns, zone, on_query, run);
    dna_dns_remove_tree(run->context->lab->dns, zone);
    dna_run_web_close(run);
    dna_run_clock_back(run);
    for (struct dna_actor *a = run->actors; a; a = a->next)
        dna_actor_cleanup(a);
    for (struct dna_named_cert *c = run->certs; c; c = c->next)
        dna_cert_unref(c->cert);
    run->actors = NULL;
    run->certs = NULL;
}
