/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What a case has in the DNS and on the web beside plain records: zones and
 * their signatures, TLSA records, web servers with their pages, and the clock of its instance. All
 * of it lies below the case's own zone, or at addresses of its own, and goes with the case.
 */
#include "conformance/case_run.h"
#include "conformance/scn_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/lab/posh_doc.h"

#define HTTPS_PORT 443
#define HTTP_PORT 80
/* a slow document takes half a second, in few parts, for a busy machine is late with each */
#define SLOW_MS 60
#define SLOW_PARTS 8

static bool trouble(struct dna_case_run *run, const struct dna_step *s, const char *why)
{
    dna_run_end(run, DNA_END_SUITE, s, "setup", s->text, why);
    return false;
}

static struct dna_actor *actor_named(struct dna_case_run *run, const char *name)
{
    const struct dna_scn_actor *scn = dna_scn_actor(run->c->scn, name);

    return scn ? dna_run_actor(run, scn) : NULL;
}

/* a certificate by the name of a cert, of an actor that shows it, or of a root (ca, other) */
static X509 *find_x509(struct dna_case_run *run, const char *name, const struct dna_cert **out)
{
    struct dna_actor *a;
    bool known;

    *out = dna_run_cert(run, name, &known);
    if (!known && (a = actor_named(run, name)))
        *out = a->cert;
    if (*out)
        return (*out)->x509;
    if (strcmp(name, "ca") == 0)
        return dna_ca_root(run->context->lab->ca);
    if (strcmp(name, "other") == 0)
        return dna_ca_other_root(run->context->lab->ca);
    return NULL;
}

/* ---- DNSSEC ---- */

static bool sign_zone(struct dna_case_run *run, const char *zone, const char *how,
                      struct dna_diag *diag)
{
    enum dna_dns_zone_signing signing = strcmp(how, "unsigned") == 0 ? DNA_DNS_ZONE_UNSIGNED
                                        : strcmp(how, "nsec3") == 0  ? DNA_DNS_ZONE_NSEC3
                                                                     : DNA_DNS_ZONE_NSEC;
    struct dna_dns *dns = run->context->lab->dns;

    return dna_dns_zone(dns, zone, diag) == 0 &&
           dna_dns_zone_sign(dns, zone, signing, diag) == 0;
}

static bool sign_records(struct dna_case_run *run, const char *name, const char *type,
                         const char *how, struct dna_diag *diag)
{
    static const struct {
        const char *word;
        enum dna_dns_signature manner;
    } manners[] = { { "good", DNA_DNS_SIGN_GOOD }, { "bad", DNA_DNS_SIGN_BAD },
                    { "expired", DNA_DNS_SIGN_EXPIRED }, { "future", DNA_DNS_SIGN_FUTURE },
                    { "stripped", DNA_DNS_SIGN_STRIPPED }, { "unproved", DNA_DNS_SIGN_UNPROVED },
                    { "signer", DNA_DNS_SIGN_SIGNER }, { "tag", DNA_DNS_SIGN_TAG },
                    { "labels", DNA_DNS_SIGN_LABELS } };
    bool any = strcmp(type, "any") == 0, ad = strcmp(how, "ad") == 0;
    uint16_t number = any ? DNA_DNS_ANY : dna_dns_type(type);

    if (ad || strcmp(how, "no-ad") == 0)
        return dna_dns_authentic_set(run->context->lab->dns, name, number, ad, any, diag) == 0;

    for (size_t i = 0; i < sizeof(manners) / sizeof(*manners); i++)
        if (strcmp(manners[i].word, how) == 0)
            return dna_dns_signature_set(run->context->lab->dns, name, number, manners[i].manner,
                                         any, diag) == 0;
    return false;
}

/* the name that a line speaks of: of an actor its host, and for TLSA its port there */
static const char *owner_of(struct dna_case_run *run, const char *word, bool port)
{
    struct dna_actor *a = isupper((unsigned char)*word) ? actor_named(run, word) : NULL;

    if (!a || !a->host)
        return dna_run_expand(run, word);
    return port ? dna_pool_printf(run->pool, "_%u._tcp.%s", a->port, a->host) : a->host;
}

bool dna_run_dnssec(struct dna_case_run *run, const struct dna_step *s)
{
    bool tlsa = s->name && strcmp(s->name, "TLSA") == 0, ok;
    const char *owner = owner_of(run, s->dns.owner, tlsa);
    struct dna_diag diag = { 0 };

    if (!s->name)
        ok = sign_zone(run, owner, s->value, &diag);
    else if (strcmp(s->name, "SRV") == 0)
        ok = sign_records(run, dna_run_srv_owner(run, owner, false), s->name, s->value, &diag) &&
             sign_records(run, dna_run_srv_owner(run, owner, true), s->name, s->value, &diag);
    else
        ok = sign_records(run, owner, s->name, s->value, &diag);
    return ok || trouble(run, s, diag.text);
}

/* ---- TLSA ---- */

static void add_hex(struct dna_buf *out, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        dna_buf_printf(out, "%02x", bytes[i]);
}

/* what selector and matching type make of a certificate; unknown ones: all of it, SHA-256 */
static bool association(X509 *x509, unsigned long selector, unsigned long matching,
                        const char *spoil, struct dna_buf *out)
{
    unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE], *bytes;
    int der_len = selector == 1 ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der)
                                : i2d_X509(x509, &der);
    unsigned digest_len = 0;
    size_t len;

    if (der_len <= 0)
        return false;
    bytes = der;
    len = (size_t)der_len;
    if (matching != 0 && EVP_Digest(der, len, digest, &digest_len,
                                    matching == 2 ? EVP_sha512() : EVP_sha256(), NULL) == 1) {
        bytes = digest;
        len = digest_len;
    }
    if (spoil && strcmp(spoil, "bad") == 0)
        bytes[len - 1] ^= 1;
    else if (spoil && strcmp(spoil, "short") == 0)
        len /= 2;
    add_hex(out, bytes, len);
    OPENSSL_free(der);
    return true;
}

/* the certificate that a record is made of: as of= says, else the actor's, or its issuer's */
static X509 *tlsa_cert(struct dna_case_run *run, const struct dna_step *s, unsigned long usage)
{
    const char *of = scn_option(s->words, s->num_words, "of");
    const struct dna_actor *a = of ? NULL : actor_named(run, s->dns.owner);
    const struct dna_cert *cert = a ? a->cert : NULL;

    if (of)
        return find_x509(run, of, &cert);
    if (!cert)
        return NULL;
    return cert->path && (usage == 0 || usage == 2) ? sk_X509_value(cert->path, 0) : cert->x509;
}

bool dna_run_tlsa(struct dna_case_run *run, const struct dna_step *s)
{
    const char *owner = owner_of(run, s->dns.owner, true), *data;
    struct dna_dns *dns = run->context->lab->dns;
    struct dna_diag diag = { 0 };
    struct dna_buf text = { 0 };
    unsigned long field[3];
    bool ok = true;

    data = scn_option(s->words, s->num_words, "raw");
    if (data) { /* the record's data as they are (RFC 3597) */
        dna_buf_printf(&text, "TLSA \\# %zu %s", strlen(data) / 2, data);
        ok = dna_dns_add(dns, owner, text.at, &diag) == 0;
        dna_buf_free(&text);
        return ok || trouble(run, s, diag.text);
    }
    if (s->num_words == 1) {
        dna_dns_remove(dns, owner, dna_dns_type("TLSA"));
        return true;
    }
    for (size_t i = 0; i < 3; i++)
        field[i] = strtoul(s->words[i], NULL, 10);
    dna_buf_printf(&text, "TLSA %lu %lu %lu ", field[0], field[1], field[2]);
    data = scn_option(s->words, s->num_words, "data");
    if (data && strcmp(data, "bad") != 0 && strcmp(data, "short") != 0) {
        dna_buf_puts(&text, data);
    } else {
        X509 *x509 = tlsa_cert(run, s, field[0]);

        ok = x509 && association(x509, field[1], field[2], data, &text);
        if (!ok)
            dna_diag_set(&diag, DNA_CLASS_USAGE, "there is no certificate to make it of");
    }
    ok = ok && dna_dns_add(dns, owner, text.at, &diag) == 0;
    dna_buf_free(&text);
    return ok || trouble(run, s, diag.text);
}

/* ---- pages ---- */

static const char *page_url(struct dna_case_run *run, const struct dna_scn_page *page)
{
    const char *url = dna_run_expand(run, page->url);

    if (strstr(url, "://") || *url == '/')
        return url;
    return dna_pool_printf(run->pool, "https://%s/.well-known/posh/xmpp-%s.json", url,
                           page->posh ? page->posh : "server");
}

/* the certificates of a document: those that are named, or that of the domain's first peer */
static char *fingerprints(struct dna_case_run *run, const struct dna_scn_page *page,
                          struct dna_diag *diag)
{
    size_t num = page->num_certs ? page->num_certs : 1;
    const struct dna_cert **certs = dna_pool_alloc(run->pool, num * sizeof(*certs));
    const struct dna_actor *first = *page->host == '$' ? dna_run_first_peer(run, page->host + 1)
                                                       : NULL;

    certs[0] = first ? first->cert : NULL;
    for (size_t i = 0; i < page->num_certs; i++)
        find_x509(run, page->certs[i], &certs[i]);
    for (size_t i = 0; i < num; i++) {
        if (!certs[i]) {
            dna_diag_set(diag, DNA_CLASS_USAGE, "%s shows no certificate",
                         page->num_certs ? page->certs[i] : "the domain's first peer");
            return NULL;
        }
    }
    return dna_posh_fingerprints(certs, num, page->hashes, page->expires, diag);
}

static void set_pace(struct dna_web_page *out, enum dna_page_pace pace)
{
    static const enum dna_web_manner manners[] = {
        [DNA_PACE_PLAIN] = DNA_WEB_NORMAL,        [DNA_PACE_SLOW] = DNA_WEB_SLOW,
        [DNA_PACE_TRUNCATED] = DNA_WEB_TRUNCATED, [DNA_PACE_ENDLESS] = DNA_WEB_ENDLESS,
        [DNA_PACE_CHUNKED] = DNA_WEB_CHUNKED,     [DNA_PACE_NO_LENGTH] = DNA_WEB_NO_LENGTH,
    };

    out->manner = manners[pace];
    out->interval_ms = SLOW_MS;
    out->slow_len = out->body_len / SLOW_PARTS + 1;
    out->sent_len = out->body_len / 2;
}

/* the page as the web server takes it; *out_text is freed by the caller */
static bool make_page(struct dna_case_run *run, const struct dna_scn_page *page,
                      struct dna_web_page *out, char **out_text, struct dna_diag *diag)
{
    *out = (struct dna_web_page){ .status = page->status, .content_type = page->type };
    *out_text = NULL;
    if (page->form == DNA_PAGE_FINGERPRINTS)
        out->body = *out_text = fingerprints(run, page, diag);
    else if (page->form == DNA_PAGE_REFERENCE)
        out->body = *out_text = dna_posh_reference(page_url(run, page), page->expires, diag);
    if ((page->form == DNA_PAGE_FINGERPRINTS || page->form == DNA_PAGE_REFERENCE) && !*out_text)
        return false;
    if (page->form == DNA_PAGE_BODY || page->form == DNA_PAGE_RAW) {
        /* bytes with NULs hold no variables */
        bool plain = strlen(page->body) == page->body_len;

        out->body = plain ? dna_run_expand(run, page->body) : page->body;
        out->body_len = plain ? strlen(out->body) : page->body_len;
    }
    if (*out_text)
        out->body_len = strlen(*out_text);
    set_pace(out, page->pace);
    if (page->form == DNA_PAGE_REDIRECT)
        out->location = page_url(run, page);
    else if (page->form == DNA_PAGE_SILENT)
        out->manner = DNA_WEB_SILENT;
    else if (page->form == DNA_PAGE_HELD)
        out->manner = DNA_WEB_HELD;
    else if (page->form == DNA_PAGE_CLOSE)
        out->manner = DNA_WEB_CLOSE;
    else if (page->form == DNA_PAGE_RAW)
        out->manner = DNA_WEB_RAW;
    return true;
}

bool dna_run_page(struct dna_case_run *run, const struct dna_step *s)
{
    const char *host = dna_run_expand(run, s->page->host);
    const char *path = dna_run_expand(run, s->page->path);
    struct dna_web *web = run->context->lab->web;
    struct dna_diag diag = { 0 };
    struct dna_web_page page;
    char *text;
    bool ok;

    if (s->page->form == DNA_PAGE_NONE) {
        dna_web_page_remove(web, host, path);
        return true;
    }
    ok = make_page(run, s->page, &page, &text, &diag) &&
         dna_web_page_set(web, host, path, &page, &diag) == 0;
    free(text);
    return ok || trouble(run, s, diag.text);
}

/* ---- web servers ---- */

static bool serves(struct dna_case_run *run, const struct dna_scn_actor *web, const char *host)
{
    for (size_t i = 0; i < web->num_hosts; i++)
        if (strcasecmp(dna_run_expand(run, web->hosts[i]), host) == 0)
            return true;
    return false;
}

const struct dna_actor *dna_run_web_of(struct dna_case_run *run, const char *host)
{
    for (const struct dna_actor *a = run->actors; a; a = a->next)
        if (a->scn->kind == DNA_ACTOR_WEB && serves(run, a->scn, host))
            return a;
    return NULL;
}

static void check_forbids(struct dna_case_run *run, const struct dna_seen_request *r)
{
    for (const struct dna_forbid *f = run->c->scn->forbids; f && !run->ended; f = f->next) {
        struct dna_step where = { .file = run->c->scn->file, .line = f->line, .call_line = f->line,
                                  .text = f->text, .then = true };

        if (f->actor->kind == DNA_ACTOR_WEB && serves(run, f->actor, r->host))
            dna_run_end(run, DNA_END_FORBIDDEN, &where, "broken", f->text,
                        dna_pool_printf(run->pool, "a request for %s at %s", r->path, r->host));
    }
}

static void on_web(const struct dna_web_event *event, void *arg)
{
    struct dna_case_run *run = arg;
    struct dna_seen_request *r;

    if (run->ended)
        return;
    r = dna_pool_alloc(run->pool, sizeof(*r));
    r->kind = event->kind;
    r->host = dna_pool_strdup(run->pool, event->host);
    r->path = dna_pool_strdup(run->pool, event->path);
    r->seq = ++run->seq;
    r->next = run->requests;
    run->requests = r;
    if (event->kind == DNA_WEB_ASKED)
        dna_run_note(run, "web: the IUT asks http%s://%s%s: %d", event->tls ? "s" : "", r->host,
                     r->path, event->status);
    else
        dna_run_note(run, "web: %s, %s%s%s", r->host, dna_web_kind_name(event->kind),
                     *event->reason ? ": " : "", event->reason);
    if (event->kind == DNA_WEB_ASKED || event->kind == DNA_WEB_BAD_REQUEST)
        check_forbids(run, r);
    dna_run_wake(run);
}

static bool open_web(struct dna_case_run *run, struct dna_actor *a)
{
    static const enum dna_web_tls_manner manners[] = { [DNA_SCN_WEB_SERVES] = DNA_WEB_TLS_NORMAL,
                                                       [DNA_SCN_WEB_SILENT] = DNA_WEB_TLS_SILENT,
                                                       [DNA_SCN_WEB_REFUSES] =
                                                           DNA_WEB_TLS_REFUSED };
    struct dna_web *web = run->context->lab->web;
    struct dna_diag diag = { 0 };

    if (a->scn->listen == DNA_LISTEN_NO)
        return true;
    /* Plain HTTP as well: a client that asks over it is seen, and not only refused. */
    a->web[0] = dna_web_listen(web, a->addr, HTTPS_PORT, a->cert, &diag);
    a->web[1] = a->web[0] ? dna_web_listen(web, a->addr, HTTP_PORT, NULL, &diag) : NULL;
    if (a->web[1] && (a->scn->manner == DNA_SCN_WEB_SERVES ||
                      dna_web_site_set(a->web[0], "", a->cert, manners[a->scn->manner],
                                       &diag) == 0))
        return true;
    dna_run_end(run, DNA_END_SUITE, NULL, "setup", "a web server", diag.text);
    return false;
}

bool dna_run_web_open(struct dna_case_run *run)
{
    const char *zone = dna_pool_printf(run->pool, "%s.example", run->label);
    struct dna_diag diag = { 0 };
    bool any = false;

    for (struct dna_actor *a = run->actors; a; a = a->next) {
        if (a->scn->kind != DNA_ACTOR_WEB)
            continue;
        any = true;
        if (!open_web(run, a))
            return false;
    }
    if (!any || dna_web_watch(run->context->lab->web, zone, on_web, run, &diag) == 0)
        return true;
    dna_run_end(run, DNA_END_SUITE, NULL, "setup", "a web server", diag.text);
    return false;
}

void dna_run_web_close(struct dna_case_run *run)
{
    const char *zone = dna_pool_printf(run->pool, "%s.example", run->label);
    bool any = false;

    for (struct dna_actor *a = run->actors; a; a = a->next) {
        any = any || a->scn->kind == DNA_ACTOR_WEB;
        for (size_t i = 0; i < 2; i++)
            if (a->web[i])
                dna_web_unlisten(a->web[i]);
    }
    if (!any)
        return;
    dna_web_unwatch(run->context->lab->web, zone, on_web, run);
    dna_web_remove_tree(run->context->lab->web, zone);
}

/* ---- the clock ---- */

bool dna_run_clock(struct dna_case_run *run, const struct dna_step *s)
{
    struct dna_diag diag = { 0 };

    run->clock_moved = true;
    dna_run_note(run, "the clock of the IUT and of the DNS signer is %+lld s from the real one",
                 s->seconds);
    dna_dns_clock(run->context->lab->dns, s->seconds);
    return dna_iut_clock(run->iut, s->seconds, &diag) == 0 || trouble(run, s, diag.text);
}

void dna_run_clock_back(struct dna_case_run *run)
{
    if (run->clock_moved)
        dna_dns_clock(run->context->lab->dns, 0); /* its instance goes with it */
}
