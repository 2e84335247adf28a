/* SPDX-License-Identifier: MIT */
/* dns: see dns.h. A query owns up to two parts (AAAA and A); a part that libunbound still works on
 * outlives a cancelled query and is freed by its callback, or by dna_dns_free(). libunbound may
 * call back inside the asking call (from its cache), so every answer goes through the loop once. */
#include "impl/dns.h"
#include "impl/fault.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound-event.h>
#include <unbound.h>

#include "impl/buf.h"

enum { MAX_ALIASES = 16 };

struct part {
    struct dna_dns *dns;
    struct dna_dns_query *query; /* NULL once nobody waits */
    struct part *next, **link;
    int type;
};
struct dna_dns_query {
    struct dna_dns *dns;
    struct dna_dns_query *next, **link;
    dna_dns_cb cb;
    void *arg;
    struct event *timer;
    unsigned open; /* parts without an answer */
    bool asking, dot, failed, unusable;
    bool bogus;          /* one of the parts is */
    bool secure;         /* one of the parts that has records is */
    bool denied_secure;  /* no part but is a secure denial */
    size_t num_srv, num_addr, num_tlsa;
    struct dna_dns_srv *srv;
    struct sockaddr_storage *addr;
    struct dna_dns_tlsa *tlsa;
    char canonical[256];
    uint32_t ttl; /* the least seen, 0: none */
    char why[200];
};
struct dna_dns {
    struct event_base *base;
    struct ub_ctx *ub;
    struct dna_dns_query *queries;
    struct part *parts;
    uint32_t deadline_ms;
    uint32_t seed;
};

static uint32_t next_random(void *arg)
{
    struct dna_dns *d = arg;
    uint32_t r = 0;
    if (d->seed == 0 && RAND_bytes((unsigned char *)&r, sizeof r) == 1)
        return r;
    d->seed = d->seed * 1664525u + 1013904223u;
    return d->seed >> 8;
}

static bool system_resolver(char *out, size_t len)
{
    char line[256], addr[100];
    FILE *f = fopen("/etc/resolv.conf", "re");
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f))
        if (sscanf(line, " nameserver %99s", addr) == 1)
            found = snprintf(out, len, "%s", addr) < (int)len;
    if (f)
        (void)fclose(f);
    return found;
}

static int set_options(struct ub_ctx *ub)
{
    /* Why: the resolver may be on loopback; a dead one must not stay dead for minutes, but one name
     * that it has no answer to in time must not make it dead for all others either, which it is
     * taken for once the time between two tries has doubled up to max-rtt; denials are asked for
     * and not inferred, so that a query log shows what was relied on. */
    static const char *const options[][2] = {
        { "do-not-query-localhost:", "no" },
        { "module-config:", "validator iterator" },
        { "aggressive-nsec:", "no" },
        { "infra-cache-max-rtt:", "10000" },
        { "infra-host-ttl:", "5" },
        { "trust-anchor-signaling:", "no" },
        { "outgoing-range:", "256" },
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (ub_ctx_set_option(ub, options[i][0], options[i][1]) != 0)
            return -1;
    if (dna_fault(DNA_FAULT_records_kept))
        return ub_ctx_set_option(ub, "cache-min-ttl:", "86400") ? -1 : 0;
    return 0;
}

/* libunbound reads an anchor only with the first question, and then fails every question: so each
   is looked at here. */
static const char *add_anchor(struct ub_ctx *ub, char *line)
{
    ldns_rr *rr = NULL;
    const char *problem = NULL;
    line[strcspn(line, ";\r")] = '\0';
    line += strspn(line, " \t");
    if (!*line)
        return NULL;
    if (ldns_rr_new_frm_str(&rr, line, 3600, NULL, NULL) != LDNS_STATUS_OK)
        return "not a trust anchor";
    if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_DS && ldns_rr_get_type(rr) != LDNS_RR_TYPE_DNSKEY)
        problem = "a trust anchor is a DS or DNSKEY record";
    else if (ub_ctx_add_ta(ub, line) != 0)
        problem = "not a trust anchor";
    ldns_rr_free(rr);
    return problem;
}

static const char *add_anchors(struct ub_ctx *ub, const char *text)
{
    char *copy = dna_strdup(text), *rest = copy, *line;
    const char *problem = NULL;
    while (!problem && (line = strsep(&rest, "\n")) != NULL)
        problem = add_anchor(ub, line);
    free(copy);
    return problem;
}

struct dna_dns *dna_dns_new(struct event_base *base, const struct dna_dns_config *config, char *why,
                            size_t why_len)
{
    char resolver[120] = "";
    const char *problem = NULL;
    if (config->resolver)
        (void)snprintf(resolver, sizeof resolver, "%s", config->resolver);
    else if (!system_resolver(resolver, sizeof resolver))
        problem = "no nameserver in /etc/resolv.conf";
    struct ub_ctx *ub = ub_ctx_create_event(base);
    if (!ub)
        problem = "libunbound does not start";
    else if (set_options(ub) != 0)
        problem = "libunbound refuses an option";
    else if (!problem && ub_ctx_set_fwd(ub, resolver) != 0)
        problem = "not a resolver address";
    else if (!problem && config->trust_anchor)
        problem = add_anchors(ub, config->trust_anchor);
    if (problem) {
        (void)snprintf(why, why_len, "%s%s%s", problem, resolver[0] ? ": " : "", resolver);
        ub_ctx_delete(ub);
        return NULL;
    }
    struct dna_dns *d = dna_calloc(1, sizeof *d);
    d->base = base;
    d->ub = ub;
    d->deadline_ms = config->deadline_ms ? config->deadline_ms : 5000;
    d->seed = config->seed;
    return d;
}

static void unlink_part(struct part *p)
{
    *p->link = p->next;
    if (p->next)
        p->next->link = p->link;
    free(p);
}

static void free_query(struct dna_dns_query *q)
{
    for (struct part *p = q->dns->parts; p; p = p->next)
        if (p->query == q)
            p->query = NULL;
    *q->link = q->next;
    if (q->next)
        q->next->link = q->link;
    event_free(q->timer);
    free(q->srv);
    free(q->addr);
    for (size_t i = 0; i < q->num_tlsa; i++)
        free(q->tlsa[i].data);
    free(q->tlsa);
    free(q);
}

void dna_dns_cancel(struct dna_dns_query *q)
{
    if (q)
        free_query(q);
}

void dna_dns_free(struct dna_dns *d)
{
    if (!d)
        return;
    while (d->queries)
        free_query(d->queries);
    ub_ctx_delete(d->ub);
    while (d->parts)
        unlink_part(d->parts);
    free(d);
}

static enum dna_dns_security security(const struct dna_dns_query *q, enum dna_dns_class class)
{
    if (class == DNA_DNS_FAILURE)
        return q->bogus ? DNA_DNS_BOGUS : DNA_DNS_INSECURE;
    bool secure = class == DNA_DNS_NONE ? q->denied_secure : q->secure;
    return secure ? DNA_DNS_SECURE : DNA_DNS_INSECURE;
}

static enum dna_dns_class class(const struct dna_dns_query *q)
{
    if (q->bogus) /* of a pair, one is enough: RFC 7673 3.2 does not connect then */
        return DNA_DNS_FAILURE;
    if (q->num_srv || q->num_addr || q->num_tlsa)
        return DNA_DNS_RECORDS;
    if (q->failed || (q->unusable && !q->dot))
        return DNA_DNS_FAILURE;
    return q->dot ? DNA_DNS_DOT : DNA_DNS_NONE;
}

static void answer(struct dna_dns_query *q)
{
    struct dna_dns_answer a = {
        .class = class(q), .why = q->why, .canonical = q->canonical, .ttl = q->ttl
    };
    a.security = security(q, a.class);
    if (a.class == DNA_DNS_RECORDS) {
        dna_dns_order_srv(q->srv, q->num_srv, next_random, q->dns);
        a.srv = q->srv;
        a.num_srv = q->num_srv;
        a.addr = q->addr;
        a.num_addr = q->num_addr;
        a.tlsa = q->tlsa;
        a.num_tlsa = q->num_tlsa;
    }
    if (!q->why[0] && a.class == DNA_DNS_NONE)
        a.why = "no such record";
    else if (!q->why[0] && a.class == DNA_DNS_FAILURE)
        a.why = "no record has a usable target";
    q->cb(q->arg, &a);
    free_query(q);
}

static void on_timer(int fd, short what, void *arg)
{
    struct dna_dns_query *q = arg;
    (void)fd;
    (void)what;
    if (q->open) {
        q->failed = true;
        (void)snprintf(q->why, sizeof q->why, "the resolver did not answer in time");
    }
    answer(q);
}

static void deliver_soon(struct dna_dns_query *q)
{
    event_del(q->timer);
    event_active(q->timer, EV_TIMEOUT, 0);
}

static void take_srv(struct dna_dns_query *q, const ldns_rr *rr)
{
    if (ldns_rr_rd_count(rr) != 4 || q->num_srv >= DNA_DNS_MAX_RECORDS)
        return;
    struct dna_dns_srv *s = &q->srv[q->num_srv];
    s->priority = ldns_rdf2native_int16(ldns_rr_rdf(rr, 0));
    s->weight = ldns_rdf2native_int16(ldns_rr_rdf(rr, 1));
    s->port = ldns_rdf2native_int16(ldns_rr_rdf(rr, 2));
    char *target = ldns_rdf2str(ldns_rr_rdf(rr, 3));
    if (target && strcmp(target, ".") == 0)
        q->dot = true;
    else if (target && dna_dns_to_ascii(target, s->target, sizeof s->target) == 0)
        q->num_srv++;
    else
        q->unusable = true;
    free(target);
}

static void take_addr(struct dna_dns_query *q, const ldns_rr *rr, int family)
{
    const ldns_rdf *d = ldns_rr_rd_count(rr) == 1 ? ldns_rr_rdf(rr, 0) : NULL;
    if (!d || q->num_addr >= DNA_DNS_MAX_RECORDS)
        return;
    struct sockaddr_storage *to = &q->addr[q->num_addr];
    memset(to, 0, sizeof *to);
    if (family == AF_INET && ldns_rdf_size(d) == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)to;
        in->sin_family = AF_INET;
        memcpy(&in->sin_addr, ldns_rdf_data(d), 4);
    } else if (family == AF_INET6 && ldns_rdf_size(d) == 16) {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)to;
        in->sin6_family = AF_INET6;
        memcpy(&in->sin6_addr, ldns_rdf_data(d), 16);
    } else {
        return;
    }
    q->num_addr++;
}

static uint8_t octet(const ldns_rr *rr, size_t field)
{
    return field < ldns_rr_rd_count(rr) ? ldns_rdf2native_int8(ldns_rr_rdf(rr, field)) : 255;
}

/* One that is too short is a record all the same, and must not be taken for none: what is missing
 * reads 255, which is for private use, so nobody understands it (RFC 6698 4.1: it is unusable). */
static void take_tlsa(struct dna_dns_query *q, const ldns_rr *rr)
{
    if (q->num_tlsa >= DNA_DNS_MAX_RECORDS)
        return;
    struct dna_dns_tlsa *t = &q->tlsa[q->num_tlsa++];
    const ldns_rdf *data = ldns_rr_rd_count(rr) > 3 ? ldns_rr_rdf(rr, 3) : NULL;
    t->usage = octet(rr, 0);
    t->selector = octet(rr, 1);
    t->mtype = octet(rr, 2);
    t->len = data ? (uint16_t)ldns_rdf_size(data) : 0;
    t->data = dna_calloc(1, (size_t)t->len + 1);
    if (t->len)
        memcpy(t->data, ldns_rdf_data(data), t->len);
}

static void take_record(struct dna_dns_query *q, int type, const ldns_rr *rr)
{
    if (type == LDNS_RR_TYPE_SRV)
        take_srv(q, rr);
    else if (type == LDNS_RR_TYPE_TLSA)
        take_tlsa(q, rr);
    else
        take_addr(q, rr, type == LDNS_RR_TYPE_A ? AF_INET : AF_INET6);
}

/* take_canonical follows the aliases of the answer; DNAMEs come with the CNAME that they make. */
static void take_canonical(struct dna_dns_query *q, const ldns_pkt *packet)
{
    const ldns_rr_list *asked = ldns_pkt_question(packet), *list = ldns_pkt_answer(packet);
    const ldns_rdf *at =
        ldns_rr_list_rr_count(asked) ? ldns_rr_owner(ldns_rr_list_rr(asked, 0)) : NULL;
    for (int steps = 0; at && steps < MAX_ALIASES; steps++) {
        const ldns_rdf *next = NULL;
        for (size_t i = 0; i < ldns_rr_list_rr_count(list) && !next; i++) {
            const ldns_rr *rr = ldns_rr_list_rr(list, i);
            if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME && ldns_rr_rd_count(rr) == 1 &&
                ldns_dname_compare(ldns_rr_owner(rr), at) == 0)
                next = ldns_rr_rdf(rr, 0);
        }
        if (!next)
            break;
        at = next;
    }
    char *name = at ? ldns_rdf2str(at) : NULL;
    if (!name || dna_dns_to_ascii(name, q->canonical, sizeof q->canonical) != 0)
        q->canonical[0] = '\0';
    free(name);
}

static size_t num_records(const struct dna_dns_query *q)
{
    return q->num_srv + q->num_addr + q->num_tlsa + q->dot;
}

/* The least time to live counts; of a denial the SOA's, which is no longer than its minimum. */
static void take_ttl(struct dna_dns_query *q, const ldns_rr_list *list)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        uint32_t ttl = ldns_rr_ttl(ldns_rr_list_rr(list, i));
        q->ttl = q->ttl && q->ttl < ttl ? q->ttl : ttl;
    }
}

static void take_packet(struct dna_dns_query *q, int type, const ldns_pkt *packet, bool secure)
{
    ldns_pkt_rcode code = ldns_pkt_get_rcode(packet);
    if (code != LDNS_RCODE_NOERROR && code != LDNS_RCODE_NXDOMAIN) {
        q->failed = true;
        (void)snprintf(q->why, sizeof q->why, "the resolver answered with rcode %d", (int)code);
        return;
    }
    size_t before = num_records(q);
    const ldns_rr_list *list = ldns_pkt_answer(packet);
    take_ttl(q, ldns_rr_list_rr_count(list) ? list : ldns_pkt_authority(packet));
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        if ((int)ldns_rr_get_type(rr) == type)
            take_record(q, type, rr);
    }
    if (num_records(q) != before)
        q->secure |= secure;
    else
        q->denied_secure &= secure;
    if (secure || !q->canonical[0])
        take_canonical(q, packet);
}

static void on_answer(void *arg, int rcode, void *packet, int len, int security, char *why_bogus,
                      int was_ratelimited)
{
    struct part *p = arg;
    struct dna_dns_query *q = p->query;
    int type = p->type;
    (void)was_ratelimited;
    unlink_part(p);
    if (!q)
        return;
    ldns_pkt *parsed = NULL;
    q->bogus |= security == 1;
    if (security == 1 || rcode != 0) {
        q->failed = true;
        (void)snprintf(q->why, sizeof q->why, "%s",
                       security == 1 && why_bogus ? why_bogus : "the lookup failed");
    } else if (ldns_wire2pkt(&parsed, packet, (size_t)len) != LDNS_STATUS_OK) {
        q->failed = true;
        (void)snprintf(q->why, sizeof q->why, "the answer is malformed");
    } else {
        take_packet(q, type, parsed, security == 2);
        ldns_pkt_free(parsed);
    }
    q->open--;
    if (q->open == 0 && !q->asking)
        deliver_soon(q);
}

static struct dna_dns_query *make_query(struct dna_dns *d, dna_dns_cb cb, void *arg)
{
    struct dna_dns_query *q = dna_calloc(1, sizeof *q);
    q->dns = d;
    q->cb = cb;
    q->arg = arg;
    q->denied_secure = true;
    q->timer = event_new(d->base, -1, 0, on_timer, q);
    if (!q->timer)
        abort();
    q->next = d->queries;
    q->link = &d->queries;
    if (q->next)
        q->next->link = &q->next;
    d->queries = q;
    return q;
}

static void ask(struct dna_dns_query *q, const char *name, int type)
{
    struct dna_dns *d = q->dns;
    struct part *p = dna_calloc(1, sizeof *p);
    int id = 0;
    p->dns = d;
    p->query = q;
    p->type = type;
    p->next = d->parts;
    p->link = &d->parts;
    if (p->next)
        p->next->link = &p->next;
    d->parts = p;
    q->open++;
    if (ub_resolve_event(d->ub, name, type, LDNS_RR_CLASS_IN, p, on_answer, &id) != 0) {
        q->open--;
        q->failed = true;
        (void)snprintf(q->why, sizeof q->why, "the lookup could not be started");
        unlink_part(p);
    }
}

static void wait_for_parts(struct dna_dns_query *q)
{
    struct timeval tv = { (time_t)(q->dns->deadline_ms / 1000),
                          (suseconds_t)(q->dns->deadline_ms % 1000) * 1000 };
    q->asking = false;
    if (q->open)
        event_add(q->timer, &tv);
    else
        deliver_soon(q);
}

struct dna_dns_query *dna_dns_srv(struct dna_dns *d, const char *service, const char *domain,
                                  dna_dns_cb cb, void *arg)
{
    struct dna_dns_query *q = make_query(d, cb, arg);
    char ascii[256], name[320];
    q->asking = true;
    q->srv = dna_calloc(DNA_DNS_MAX_RECORDS, sizeof *q->srv);
    if (dna_dns_to_ascii(domain, ascii, sizeof ascii) == 0) {
        (void)snprintf(name, sizeof name, "_%s._tcp.%s.", service, ascii);
        ask(q, name, LDNS_RR_TYPE_SRV);
    } else {
        q->denied_secure = false;
        (void)snprintf(q->why, sizeof q->why, "not a domain name");
    }
    wait_for_parts(q);
    return q;
}

struct dna_dns_query *dna_dns_tlsa(struct dna_dns *d, uint16_t port, const char *host,
                                   dna_dns_cb cb, void *arg)
{
    struct dna_dns_query *q = make_query(d, cb, arg);
    char ascii[256], name[280];
    q->asking = true;
    q->tlsa = dna_calloc(DNA_DNS_MAX_RECORDS, sizeof *q->tlsa);
    if (dna_dns_to_ascii(host, ascii, sizeof ascii) == 0) {
        (void)snprintf(name, sizeof name, "_%u._tcp.%s.", (unsigned)port, ascii);
        ask(q, name, LDNS_RR_TYPE_TLSA);
    } else {
        q->denied_secure = false;
        (void)snprintf(q->why, sizeof q->why, "not a host name");
    }
    wait_for_parts(q);
    return q;
}

bool dna_dns_literal(const char *host, struct sockaddr_storage *out)
{
    char bare[INET6_ADDRSTRLEN];
    size_t len = strlen(host);
    struct sockaddr_in *in = (struct sockaddr_in *)out;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        return true;
    }
    if (host[0] != '[' || len < 3 || len - 2 >= sizeof bare || host[len - 1] != ']')
        return false;
    memcpy(bare, host + 1, len - 2);
    bare[len - 2] = '\0';
    in6->sin6_family = AF_INET6;
    return inet_pton(AF_INET6, bare, &in6->sin6_addr) == 1;
}

struct dna_dns_query *dna_dns_addr(struct dna_dns *d, const char *host, dna_dns_cb cb, void *arg)
{
    struct dna_dns_query *q = make_query(d, cb, arg);
    char ascii[256], name[260];
    q->asking = true;
    q->addr = dna_calloc(DNA_DNS_MAX_RECORDS, sizeof *q->addr);
    if (dna_dns_literal(host, &q->addr[0])) {
        q->num_addr = 1;
    } else if (dna_dns_to_ascii(host, ascii, sizeof ascii) == 0) {
        (void)snprintf(name, sizeof name, "%s.", ascii);
        ask(q, name, LDNS_RR_TYPE_AAAA);
        ask(q, name, LDNS_RR_TYPE_A);
    } else {
        q->denied_secure = false;
        (void)snprintf(q->why, sizeof q->why, "not a host name");
    }
    wait_for_parts(q);
    return q;
}
