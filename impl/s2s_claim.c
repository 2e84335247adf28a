/* SPDX-License-Identifier: MIT */
/* s2s_claim: the domains that the far end of a stream is, or claims to be, and what proves them. A
 * claim holds the proof of one domain on one stream: for a stream that we open it is sought with
 * the resolution, for a domain that a peer claims once it does so under TLS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/s2s_internal.h"

struct claim {
    struct stream *stream;
    struct claim *next;   /* of the stream */
    struct pair *waiting; /* whose keys wait for it, by next_waiting */
    struct dna_proof *proof;
    char *index;
};

static char *index_of(const struct stream *s, const char *domain)
{
    struct dna_buf t = DNA_BUF_INIT;
    dna_buf_printf(&t, "%llu %s", (unsigned long long)s->number, domain);
    return t.at;
}

static struct claim *find(const struct stream *s, const char *domain)
{
    char *index = index_of(s, domain);
    struct claim *c = dna_hash_get(&s->s2s->claims, index);
    free(index);
    return c;
}

static void on_settled(void *arg)
{
    struct claim *c = arg;
    struct stream *s = c->stream;
    struct pair *waiting = c->waiting;
    bool main_one = s->theirs && strcmp(dna_proof_domain(c->proof), s->theirs) == 0;
    c->waiting = NULL;
    while (waiting) {
        struct pair *p = waiting;
        waiting = p->next_waiting;
        p->claim = NULL;
        dna_s2s_proof_settled(p);
    }
    if (main_one && s->initiating)
        dna_s2s_dial_event(s, resolution_E_MATERIAL_IN);
    else if (main_one)
        dna_s2s_receiving_settled(s);
}

static void put(struct stream *s, struct claim *c)
{
    c->stream = s;
    c->index = index_of(s, dna_proof_domain(c->proof));
    c->next = s->claims;
    s->claims = c;
    (void)dna_hash_put(&s->s2s->claims, c->index, c);
}

static struct claim *get(struct stream *s, const char *domain)
{
    struct claim *c = find(s, domain);
    if (c)
        dna_proof_refresh(c->proof);
    if (c)
        return c;
    struct dna_proof_ask ask = { .domain = domain,
                                 .service = DNA_PKIX_XMPP_SERVER,
                                 .inbound = !s->initiating };
    c = dna_calloc(1, sizeof *c);
    c->proof = dna_proof_new(&s->s2s->proofs, &ask, on_settled, c);
    put(s, c);
    return c;
}

static void take_out(struct claim *c)
{
    struct claim **at = &c->stream->claims;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    (void)dna_hash_remove(&c->stream->s2s->claims, c->index);
    free(c->index);
    for (struct pair *p = c->waiting; p; p = p->next_waiting)
        p->claim = NULL;
    c->waiting = NULL;
}

static void drop(struct claim *c)
{
    take_out(c);
    dna_proof_free(c->proof);
    free(c);
}

void dna_s2s_claims_free(struct stream *s)
{
    while (s->claims)
        drop(s->claims);
}

struct dna_proof *dna_s2s_claim(struct stream *s, const char *domain)
{
    return get(s, domain)->proof;
}

/* What a peer claims in clear is nobody's claim: there is no certificate to hold it against, and
 * whatever it says is forgotten at STARTTLS. */
static bool can_be_judged(const struct stream *s, const char *domain)
{
    return domain && s->conn && dna_conn_secured(s->conn);
}

/* The stream lives as long as the certificate that proved its peer, where the proof keeps dates. */
static void note_expiry(struct stream *s, const struct dna_proof *proof)
{
    time_t at = dna_proof_expires(proof);
    if (!at || (s->expires && s->expires <= at))
        return;
    s->expires = at;
    if (!s->s2s->next_expiry || at < s->s2s->next_expiry)
        s->s2s->next_expiry = at;
}

void dna_s2s_expiry_check(struct dna_s2s *s2s)
{
    time_t now = time(NULL);
    s2s->next_expiry = 0;
    for (struct stream *s = s2s->streams, *next; s; s = next) {
        next = s->next;
        if (s->expires && s->expires <= now) {
            s->expires = 0;
            dna_s2s_expired(s);
        } else if (s->expires && (!s2s->next_expiry || s->expires < s2s->next_expiry)) {
            s2s->next_expiry = s->expires;
        }
    }
}

enum dna_proof_verdict dna_s2s_weigh(struct stream *s, const char *domain)
{
    if (!can_be_judged(s, domain))
        return DNA_PROOF_UNPROVED;
    struct dna_proof *proof = get(s, domain)->proof;
    enum dna_proof_verdict v = dna_proof_weigh_ssl(proof, dna_conn_ssl(s->conn));
    if (v == DNA_PROOF_PROVED)
        note_expiry(s, proof);
    return v;
}

bool dna_s2s_proves(struct stream *s, const char *domain)
{
    return dna_s2s_weigh(s, domain) == DNA_PROOF_PROVED;
}

bool dna_s2s_claim_pending(struct stream *s, const char *domain)
{
    return can_be_judged(s, domain) && dna_proof_pending(get(s, domain)->proof);
}

void dna_s2s_claim_await(struct pair *p)
{
    struct claim *c = get(p->stream, p->theirs);
    if (p->claim)
        return;
    p->claim = c;
    p->next_waiting = c->waiting;
    c->waiting = p;
}

void dna_s2s_claim_leave(struct pair *p)
{
    struct pair **at = p->claim ? &p->claim->waiting : NULL;
    while (at && *at && *at != p)
        at = &(*at)->next_waiting;
    if (at && *at)
        *at = p->next_waiting;
    p->claim = NULL;
}

void dna_s2s_claim_move(struct stream *from, struct stream *to, const char *domain)
{
    struct claim *c = find(from, domain), *old = find(to, domain);
    if (!c)
        return;
    if (old)
        drop(old);
    take_out(c);
    put(to, c);
}
