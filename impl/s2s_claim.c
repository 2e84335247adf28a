/* SPDX-License-Identifier: MIT */
/* s2s_claim: the domains that the far end of a stream is, or claims to be, and what proves them. A
 * claim holds the proof of one domain on one stream. There are two kinds: of a domain that we
 * dialled it is sought with the resolution, by all that we demand of those we send to; of a domain
 * that the peer speaks for it is sought once the peer does so under TLS. Where both are there, the
 * former counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/s2s_internal.h"

struct claim {
    struct stream *stream;
    struct claim *next;   /* of the stream */
    struct pair *waiting; /* whose keys wait for it, by next_waiting */
    struct dna_proof *proof;
    bool dialled;
    char *index;
    enum dna_proof_verdict verdict; /* the last one, good for the second in which it was reached */
    time_t weighed;                 /* 0: not yet, or what it rested on has changed */
};

static char *index_of(const struct stream *s, const char *domain, bool dialled)
{
    struct dna_buf t = DNA_BUF_INIT;
    dna_buf_printf(&t, "%llu %s %s", (unsigned long long)s->number, dialled ? "dialled" : "claimed",
                   domain);
    return t.at;
}

static struct claim *find_kind(const struct stream *s, const char *domain, bool dialled)
{
    char *index = index_of(s, domain, dialled);
    struct claim *c = dna_hash_get(&s->s2s->claims, index);
    free(index);
    return c;
}

static struct claim *find(const struct stream *s, const char *domain)
{
    struct claim *c = domain ? find_kind(s, domain, true) : NULL;
    return c || !domain ? c : find_kind(s, domain, false);
}

/* Whoever is told may end the stream, which is freed by the loop, or drop the claim: so it is told
 * last. */
static void on_settled(void *arg)
{
    struct claim *c = arg;
    struct stream *s = c->stream;
    struct pair *waiting = c->waiting;
    bool main_one = s->theirs && strcmp(dna_proof_domain(c->proof), s->theirs) == 0;
    c->waiting = NULL;
    c->weighed = 0;
    for (struct pair *p = waiting; p; p = p->next_waiting)
        p->claim = NULL;
    while (waiting) {
        struct pair *p = waiting;
        waiting = p->next_waiting;
        p->next_waiting = NULL;
        s->num_waiting--;
        dna_s2s_proof_settled(p);
    }
    if (!main_one)
        return;
    if (s->initiating) {
        dna_s2s_dial_event(s, resolution_E_MATERIAL_IN);
        dna_s2s_initiating_settled(s);
    } else {
        dna_s2s_receiving_settled(s);
    }
}

static void put(struct stream *s, struct claim *c)
{
    c->stream = s;
    c->weighed = 0;
    c->index = index_of(s, dna_proof_domain(c->proof), c->dialled);
    c->next = s->claims;
    s->claims = c;
    (void)dna_hash_put(&s->s2s->claims, c->index, c);
}

static struct claim *begin(struct stream *s, const char *domain, bool dialled)
{
    struct claim *c = dna_calloc(1, sizeof *c);
    struct dna_proof_ask ask = { .domain = domain,
                                 .service = DNA_PKIX_XMPP_SERVER,
                                 .inbound = !dialled,
                                 .peer_is_client = !s->initiating };
    c->dialled = dialled;
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
}

static void drop(struct claim *c)
{
    take_out(c);
    for (struct pair *p = c->waiting; p; p = p->next_waiting)
        p->claim = NULL;
    dna_proof_free(c->proof);
    free(c);
}

void dna_s2s_claims_free(struct stream *s)
{
    while (s->claims)
        drop(s->claims);
}

struct dna_proof *dna_s2s_dialled(struct stream *s, const char *domain)
{
    struct claim *c = find_kind(s, domain, true);
    return (c ? c : begin(s, domain, true))->proof;
}

bool dna_s2s_is_dialled(const struct stream *s, const char *domain)
{
    return domain && find_kind(s, domain, true) != NULL;
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

/* A stream that is told while it negotiates is told again, each second, until its machine acts. */
void dna_s2s_expiry_check(struct dna_s2s *s2s)
{
    time_t now = time(NULL);
    s2s->next_expiry = 0;
    for (struct stream *s = s2s->streams, *next; s; s = next) {
        next = s->next;
        if (s->expires && s->expires <= now)
            dna_s2s_expired(s);
        if (s->closing || s->dropped)
            s->expires = 0;
        if (s->expires && (!s2s->next_expiry || s->expires < s2s->next_expiry))
            s2s->next_expiry = s->expires;
    }
}

/* A certificate does not change on a stream, and dates and material not within a second. */
static enum dna_proof_verdict weigh(struct claim *c)
{
    struct stream *s = c->stream;
    time_t now = time(NULL);
    if (c->weighed == now && c->verdict != DNA_PROOF_PENDING)
        return c->verdict;
    c->verdict = dna_proof_weigh_ssl(c->proof, dna_conn_ssl(s->conn));
    c->weighed = now;
    if (c->verdict == DNA_PROOF_PROVED)
        note_expiry(s, c->proof);
    return c->verdict;
}

enum dna_proof_verdict dna_s2s_weigh(struct stream *s, const char *domain)
{
    if (!can_be_judged(s, domain))
        return DNA_PROOF_UNPROVED;
    struct claim *c = find(s, domain);
    return c ? weigh(c) : DNA_PROOF_PENDING; /* nobody has sought it yet */
}

bool dna_s2s_proves(struct stream *s, const char *domain)
{
    return dna_s2s_weigh(s, domain) == DNA_PROOF_PROVED;
}

bool dna_s2s_seek(struct stream *s, const char *domain)
{
    if (!can_be_judged(s, domain))
        return false;
    struct claim *c = find(s, domain);
    if (c && dna_proof_refresh(c->proof))
        c->weighed = 0;
    return dna_proof_pending((c ? c : begin(s, domain, false))->proof);
}

bool dna_s2s_unsought(struct stream *s, const char *domain)
{
    if (!can_be_judged(s, domain))
        return false;
    const struct claim *c = find(s, domain);
    return !c || dna_proof_pending(c->proof) || dna_proof_outdated(c->proof);
}

void dna_s2s_claim_await(struct pair *p)
{
    bool wait = dna_s2s_seek(p->stream, p->theirs);
    struct claim *c = find(p->stream, p->theirs);
    if (!wait || !c) {
        dna_s2s_proof_settled(p);
    } else if (!p->claim) {
        p->claim = c;
        p->next_waiting = c->waiting;
        c->waiting = p;
        p->stream->num_waiting++;
    }
}

void dna_s2s_claim_leave(struct pair *p)
{
    struct pair **at = p->claim ? &p->claim->waiting : NULL;
    while (at && *at && *at != p)
        at = &(*at)->next_waiting;
    if (at && *at) {
        *at = p->next_waiting;
        p->stream->num_waiting--;
    }
    p->claim = NULL;
}

void dna_s2s_claim_move(struct stream *from, struct stream *to, const char *domain)
{
    struct claim *c = find_kind(from, domain, true);
    if (!c || find_kind(to, domain, true))
        return; /* a claim of that kind is there already, and somebody may wait for it */
    take_out(c);
    put(to, c);
}

void dna_s2s_claim_done(struct stream *s, const char *domain)
{
    struct claim *c = find_kind(s, domain, false);
    bool header = !s->initiating && s->theirs && strcmp(s->theirs, domain) == 0;
    if (c && !c->waiting && !header && !dna_s2s_target_taken(s, domain))
        drop(c);
}
