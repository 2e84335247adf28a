/* SPDX-License-Identifier: MIT */
/* test_dns: names, the order of SRV records, and the resolver against a small server in this
 * process that says what the test wants: records, none, ".", failure, nothing at all; and what
 * DNSSEC says, against a signed zone. */
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <event2/event.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "impl/dns.h"
#include "impl/test/signed_dns.h"

static void test_names(void)
{
    static const struct {
        const char *in, *out;
    } good[] = { { "A.Example", "a.example" },
                 { "a.example.", "a.example" },
                 { "b\xc3\xbc"
                   "cher.example",
                   "xn--bcher-kva.example" },
                 { "XN--BCHER-KVA.example", "xn--bcher-kva.example" },
                 { "localhost", "localhost" } };
    static const char *const bad[] = { "", ".", "a..b", ".a", "a b", "a/b", "a@b", "a\x01.b" };
    char out[256];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CU_ASSERT_EQUAL(dna_dns_to_ascii(good[i].in, out, sizeof out), 0);
        CU_ASSERT_STRING_EQUAL(out, good[i].out);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(dna_dns_to_ascii(bad[i], out, sizeof out), -1);
    char label[80] = "";
    memset(label, 'a', 64);
    CU_ASSERT_EQUAL(dna_dns_to_ascii(label, out, sizeof out), -1);
    label[63] = '\0';
    CU_ASSERT_EQUAL(dna_dns_to_ascii(label, out, sizeof out), 0);
}

static uint32_t fixed(void *arg)
{
    return *(uint32_t *)arg;
}

static void test_order(void)
{
    struct dna_dns_srv s[] = {
        { 20, 0, 1, "d" }, { 10, 60, 2, "b" }, { 10, 0, 3, "a" }, { 10, 40, 4, "c" }
    };
    uint32_t zero = 0, high = 95;
    dna_dns_order_srv(s, 4, fixed, &zero); /* 0 draws the first one: weight 0 comes first */
    CU_ASSERT_STRING_EQUAL(s[0].target, "a");
    CU_ASSERT_STRING_EQUAL(s[3].target, "d");
    dna_dns_order_srv(s, 4, fixed, &high);
    CU_ASSERT_STRING_EQUAL(s[0].target, "c");
    CU_ASSERT_STRING_EQUAL(s[3].target, "d");
    dna_dns_order_srv(s, 0, fixed, &zero);
}

static uint32_t counted(void *arg)
{
    return (*(uint32_t *)arg)++;
}

static void test_weights(void)
{
    uint32_t next = 0;
    int first = 0;
    for (int i = 0; i < 1010; i++) {
        struct dna_dns_srv s[] = { { 1, 90, 0, "heavy" }, { 1, 10, 0, "light" } };
        dna_dns_order_srv(s, 2, counted, &next);
        first += strcmp(s[0].target, "heavy") == 0;
    }
    CU_ASSERT_TRUE(first > 880 && first < 940);
}

/* --- a name server of one process --- */

struct lab {
    struct event_base *base;
    struct event *event;
    struct dna_dns *dns;
    int fd;
    int answers;
    enum dna_dns_class class;
    size_t num_srv, num_addr;
    struct dna_dns_srv first;
    char why[100];
};

static const char *const zone[] = {
    "_xmpp-server._tcp.two.example. 60 IN SRV 20 0 5270 t2.two.example.",
    "_xmpp-server._tcp.two.example. 60 IN SRV 10 0 5269 T1.two.example.",
    "_xmpp-server._tcp.dot.example. 60 IN SRV 0 0 0 .", "t1.two.example. 60 IN A 127.0.0.9",
    "t1.two.example. 60 IN AAAA ::1"
};

static void reply(struct lab *l, const ldns_pkt *query, const struct sockaddr *to, socklen_t to_len)
{
    ldns_rr *q = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    char *name = ldns_rdf2str(ldns_rr_owner(q));
    ldns_pkt *r = ldns_pkt_new();
    uint8_t *wire = NULL;
    size_t size = 0;
    ldns_pkt_set_id(r, ldns_pkt_id(query));
    ldns_pkt_set_qr(r, true);
    ldns_pkt_set_ra(r, true);
    ldns_pkt_push_rr(r, LDNS_SECTION_QUESTION, ldns_rr_clone(q));
    for (size_t i = 0; i < sizeof zone / sizeof *zone; i++) {
        ldns_rr *rr = NULL;
        ldns_rr_new_frm_str(&rr, zone[i], 60, NULL, NULL);
        if (ldns_dname_compare(ldns_rr_owner(rr), ldns_rr_owner(q)) == 0 &&
            ldns_rr_get_type(rr) == ldns_rr_get_type(q))
            ldns_pkt_push_rr(r, LDNS_SECTION_ANSWER, rr);
        else
            ldns_rr_free(rr);
    }
    if (strstr(name, "fail."))
        ldns_pkt_set_rcode(r, LDNS_RCODE_SERVFAIL);
    if (!strstr(name, "silent.") && ldns_pkt2wire(&wire, r, &size) == LDNS_STATUS_OK)
        (void)sendto(l->fd, wire, size, 0, to, to_len);
    free(wire);
    free(name);
    ldns_pkt_free(r);
}

static void on_query(int fd, short what, void *arg)
{
    unsigned char packet[4096];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ldns_pkt *query = NULL;
    (void)what;
    ssize_t n = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &len);
    if (n > 0 && ldns_wire2pkt(&query, packet, (size_t)n) == LDNS_STATUS_OK)
        reply(arg, query, (const struct sockaddr *)&from, len);
    ldns_pkt_free(query);
}

static void begin(struct lab *l)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    char resolver[40], why[200] = "";
    memset(l, 0, sizeof *l);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l->base = event_base_new();
    l->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CU_ASSERT_EQUAL_FATAL(bind(l->fd, (const struct sockaddr *)&at, len), 0);
    (void)getsockname(l->fd, (struct sockaddr *)&at, &len);
    (void)snprintf(resolver, sizeof resolver, "127.0.0.1@%u", ntohs(at.sin_port));
    l->event = event_new(l->base, l->fd, EV_READ | EV_PERSIST, on_query, l);
    event_add(l->event, NULL);
    const struct dna_dns_config config = { .resolver = resolver, .deadline_ms = 300, .seed = 1 };
    l->dns = dna_dns_new(l->base, &config, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->dns);
}

static void end(struct lab *l)
{
    dna_dns_free(l->dns);
    event_free(l->event);
    (void)close(l->fd);
    event_base_free(l->base);
}

static void on_answer(void *arg, const struct dna_dns_answer *a)
{
    struct lab *l = arg;
    l->answers++;
    (void)snprintf(l->why, sizeof l->why, "%s", a->why);
    l->class = a->class;
    l->num_srv = a->num_srv;
    l->num_addr = a->num_addr;
    if (a->num_srv)
        l->first = a->srv[0];
    event_base_loopbreak(l->base);
}

static void run(struct lab *l, const char *srv, const char *host)
{
    l->answers = 0;
    if (srv)
        (void)dna_dns_srv(l->dns, "xmpp-server", srv, on_answer, l);
    else
        (void)dna_dns_addr(l->dns, host, on_answer, l);
    CU_ASSERT_EQUAL(l->answers, 0); /* never from inside the call */
    event_base_dispatch(l->base);
    CU_ASSERT_EQUAL(l->answers, 1);
}

static void test_answers(void)
{
    struct lab l;
    begin(&l);
    run(&l, "two.example", NULL);
    CU_ASSERT_EQUAL(l.class, DNA_DNS_RECORDS);
    CU_ASSERT_EQUAL(l.num_srv, 2);
    CU_ASSERT_STRING_EQUAL(l.first.target, "t1.two.example");
    CU_ASSERT_EQUAL(l.first.port, 5269);
    run(&l, "TWO.example", NULL); /* from the cache */
    CU_ASSERT_EQUAL(l.class, DNA_DNS_RECORDS);
    run(&l, "dot.example", NULL);
    CU_ASSERT_EQUAL(l.class, DNA_DNS_DOT);
    run(&l, "none.example", NULL);
    CU_ASSERT_EQUAL(l.class, DNA_DNS_NONE);
    run(&l, "no name", NULL);
    CU_ASSERT_EQUAL(l.class, DNA_DNS_NONE);
    run(&l, NULL, "t1.two.example");
    CU_ASSERT_EQUAL(l.class, DNA_DNS_RECORDS);
    CU_ASSERT_EQUAL(l.num_addr, 2);
    run(&l, NULL, "192.0.2.1");
    CU_ASSERT_EQUAL(l.num_addr, 1);
    run(&l, NULL, "[2001:db8::1]");
    CU_ASSERT_EQUAL(l.num_addr, 1);
    run(&l, "fail.example", NULL);
    CU_ASSERT_EQUAL(l.class, DNA_DNS_FAILURE);
    end(&l);
}

static void test_deadline(void)
{
    struct lab l;
    begin(&l);
    run(&l, "silent.example", NULL);
    CU_ASSERT_EQUAL(l.class, DNA_DNS_FAILURE);
    CU_ASSERT_STRING_EQUAL(l.why,
                           "the resolver did not answer in time"); /* ours, not libunbound's */
    end(&l);
}

static void test_cancel(void)
{
    struct lab l;
    begin(&l);
    struct dna_dns_query *q = dna_dns_srv(l.dns, "xmpp-server", "two.example", on_answer, &l);
    dna_dns_cancel(q);
    run(&l, "dot.example", NULL);
    CU_ASSERT_EQUAL(l.class, DNA_DNS_DOT);
    (void)dna_dns_srv(l.dns, "xmpp-server", "silent.example", on_answer, &l);
    end(&l); /* with a question open */
    CU_ASSERT_EQUAL(l.answers, 1);
}

static void test_bad_resolver(void)
{
    struct event_base *base = event_base_new();
    char why[200] = "";
    const struct dna_dns_config config = { .resolver = "not an address" };
    CU_ASSERT_PTR_NULL(dna_dns_new(base, &config, why, sizeof why));
    CU_ASSERT_TRUE(why[0] != '\0');
    event_base_free(base);
}

/* --- DNSSEC --- */

static const char *const signed_lines[] = {
    "_xmpp-server._tcp.good.example. 60 IN SRV 0 0 5269 x.host.example.",
    "_xmpp-server._tcp.alias.example. 60 IN CNAME _xmpp-server._tcp.good.example.",
    "_xmpp-server._tcp.out.example. 60 IN CNAME _xmpp-server._tcp.in.plain.example.",
    "_xmpp-server._tcp.in.plain.example. 60 IN SRV 0 0 5269 x.host.example.",
    "_xmpp-server._tcp.broken.example. 60 IN SRV 0 0 5269 x.host.example.",
    "_xmpp-server._tcp.dot.example. 60 IN SRV 0 0 0 .",
    "x.host.example. 60 IN A 127.0.0.9",
    "six.host.example. 60 IN AAAA ::1",
    "six.host.example. 60 IN A 127.0.0.9",
    "c1.host.example. 60 IN CNAME C2.host.example.",
    "c2.host.example. 60 IN CNAME x.host.example.",
    "leaving.host.example. 60 IN CNAME h.plain.example.",
    "h.plain.example. 60 IN A 127.0.0.9",
    "broken.host.example. 60 IN A 127.0.0.9",
    "half.host.example. 60 IN A 127.0.0.9",
    "half.host.example. 60 IN AAAA ::1",
    "halfway.host.example. 60 IN A 127.0.0.9",
    "half-out.host.example. 60 IN AAAA ::1",
    "half-out.host.example. 60 IN CNAME h.plain.example.",
    "split4.host.example. 60 IN A 127.0.0.9",
    "split4.host.example. 60 IN CNAME six.plain.example.",
    "split6.host.example. 60 IN AAAA ::1",
    "split6.host.example. 60 IN CNAME h.plain.example.",
    "only4.host.example. 60 IN A 127.0.0.9",
    "only4.host.example. 60 IN CNAME nobody.plain.example.",
    "out6.host.example. 60 IN CNAME six.plain.example.",
    "six.plain.example. 60 IN AAAA ::1",
    "lame.host.example. 60 IN A 127.0.0.9",
    ("_5269._tcp.x.host.example. 60 IN TLSA 3 1 1 "
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
    "_5269._tcp.x.host.example. 60 IN TLSA 9 8 7 ff",
    "_5269._tcp.c3.host.example. 60 IN CNAME tlsa.example.",
    "tlsa.example. 60 IN TLSA 2 0 1 ab",
    "_5269._tcp.away.example. 60 IN CNAME tlsa.plain.example.",
    "tlsa.plain.example. 60 IN TLSA 2 0 1 ab",
    "_5269._tcp.nothing.host.example. 60 IN TLSA \\# 0",
    "_5269._tcp.short.host.example. 60 IN TLSA \\# 2 0301",
    "_5269._tcp.both.host.example. 60 IN TLSA \\# 1 03",
    "_5269._tcp.both.host.example. 60 IN TLSA 3 1 1 ab",
    "_5269._tcp.broken.example. 60 IN TLSA 3 1 1 ab",
    "_5269._tcp.behind.example. 60 IN CNAME broken.tlsa.example.",
    "broken.tlsa.example. 60 IN TLSA 3 1 1 ab",
};

struct secured {
    struct event_base *base;
    struct dna_dns *dns;
    struct signed_dns server;
    enum dna_dns_class class;
    enum dna_dns_security security;
    size_t num_addr, num_tlsa;
    struct dna_dns_tlsa longest;
    unsigned char byte; /* the last one of its data */
    char canonical[256], why[200];
};

static void begin_secured(struct secured *l, bool anchored)
{
    char why[200] = "";
    memset(l, 0, sizeof *l);
    l->base = event_base_new();
    signed_dns_begin(&l->server, l->base, signed_lines,
                     sizeof signed_lines / sizeof *signed_lines);
    const struct dna_dns_config config = { .resolver = l->server.resolver,
                                           .trust_anchor = anchored ? l->server.anchor : NULL,
                                           .deadline_ms = 400,
                                           .seed = 1 };
    l->dns = dna_dns_new(l->base, &config, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->dns);
}

static void end_secured(struct secured *l)
{
    dna_dns_free(l->dns);
    signed_dns_end(&l->server);
    event_base_free(l->base);
}

static void on_secured(void *arg, const struct dna_dns_answer *a)
{
    struct secured *l = arg;
    l->class = a->class;
    l->security = a->security;
    l->num_addr = a->num_addr;
    l->num_tlsa = a->num_tlsa;
    for (size_t i = 0; i < a->num_tlsa; i++)
        if (i == 0 || a->tlsa[i].len > l->longest.len) {
            l->longest = a->tlsa[i];
            l->byte = a->tlsa[i].len ? a->tlsa[i].data[a->tlsa[i].len - 1] : 0;
        }
    l->longest.data = NULL;
    (void)snprintf(l->canonical, sizeof l->canonical, "%s", a->canonical);
    (void)snprintf(l->why, sizeof l->why, "%s", a->why);
    event_base_loopbreak(l->base);
}

enum kind { OF_SRV, OF_ADDR, OF_TLSA };

/* said() is what came of a question, as "class security". */
static const char *said(struct secured *l, enum kind kind, const char *name)
{
    static const char *const classes[] = { "records", "none", "dot", "failure" };
    static const char *const states[] = { "insecure", "bogus", "secure" };
    static char text[40];
    if (kind == OF_SRV)
        (void)dna_dns_srv(l->dns, "xmpp-server", name, on_secured, l);
    else if (kind == OF_ADDR)
        (void)dna_dns_addr(l->dns, name, on_secured, l);
    else
        (void)dna_dns_tlsa(l->dns, 5269, name, on_secured, l);
    event_base_dispatch(l->base);
    (void)snprintf(text, sizeof text, "%s %s", classes[l->class], states[l->security]);
    return text;
}

static void test_security_srv(void)
{
    struct secured l;
    begin_secured(&l, true);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "good.example"), "records secure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "alias.example"), "records secure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "in.plain.example"), "records insecure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "out.example"), "records insecure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "broken.example"), "failure bogus");
    CU_ASSERT_TRUE(l.why[0] != '\0');
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "dot.example"), "dot secure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "nobody.example"), "none secure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "nobody.plain.example"), "none insecure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "failing.example"), "failure insecure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "no name"), "none insecure");
    end_secured(&l);
}

static void test_security_addr(void)
{
    struct secured l;
    begin_secured(&l, true);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "six.host.example"), "records secure");
    CU_ASSERT_EQUAL(l.num_addr, 2);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "X.host.example"), "records secure");
    CU_ASSERT_EQUAL(l.num_addr, 1); /* AAAA is denied */
    CU_ASSERT_STRING_EQUAL(l.canonical, "x.host.example");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "c1.host.example"), "records secure");
    CU_ASSERT_STRING_EQUAL(l.canonical, "x.host.example");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "leaving.host.example"), "records insecure");
    CU_ASSERT_STRING_EQUAL(l.canonical, "h.plain.example");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "broken.host.example"), "failure bogus");
    CU_ASSERT_EQUAL(l.num_addr, 0);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "half.host.example"), "failure bogus");
    CU_ASSERT_EQUAL(l.num_addr, 0);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "lame.host.example"), "records secure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "nobody.host.example"), "none secure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "silent.host.example"), "failure insecure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "192.0.2.1"), "records insecure");
    CU_ASSERT_STRING_EQUAL(l.canonical, "");
    end_secured(&l);
}

/* RFC 7673 3.2: one secure RRset of the two is enough, and a bogus one is too many. */
static void test_security_families(void)
{
    struct secured l;
    begin_secured(&l, true);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "split4.host.example"), "records secure");
    CU_ASSERT_EQUAL(l.num_addr, 2); /* AAAA is insecure */
    CU_ASSERT_STRING_EQUAL(l.canonical, "split4.host.example"); /* that of the secure one */
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "split6.host.example"), "records secure");
    CU_ASSERT_EQUAL(l.num_addr, 2); /* A is insecure */
    CU_ASSERT_STRING_EQUAL(l.canonical, "split6.host.example");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "only4.host.example"), "records secure");
    CU_ASSERT_EQUAL(l.num_addr, 1); /* AAAA is denied, and that is insecure */
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "out6.host.example"), "records insecure");
    CU_ASSERT_EQUAL(l.num_addr, 1);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "halfway.host.example"), "failure bogus");
    CU_ASSERT_EQUAL(l.num_addr, 0); /* the denial of AAAA is bogus */
    CU_ASSERT_STRING_EQUAL(said(&l, OF_ADDR, "half-out.host.example"), "failure bogus");
    CU_ASSERT_EQUAL(l.num_addr, 0); /* AAAA is bogus, A insecure */
    end_secured(&l);
}

static void test_security_tlsa(void)
{
    struct secured l;
    begin_secured(&l, true);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "x.host.example"), "records secure");
    CU_ASSERT_EQUAL(l.num_tlsa, 2);
    CU_ASSERT_EQUAL(l.longest.usage, 3);
    CU_ASSERT_EQUAL(l.longest.selector, 1);
    CU_ASSERT_EQUAL(l.longest.mtype, 1);
    CU_ASSERT_EQUAL(l.longest.len, 32);
    CU_ASSERT_EQUAL(l.byte, 0x1f);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "nothing.host.example"), "records secure");
    CU_ASSERT_EQUAL(l.num_tlsa, 1);
    CU_ASSERT_EQUAL(l.longest.usage, 255);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "short.host.example"), "records secure");
    CU_ASSERT_EQUAL(l.longest.usage, 3);
    CU_ASSERT_EQUAL(l.longest.selector, 1);
    CU_ASSERT_EQUAL(l.longest.mtype, 255);
    CU_ASSERT_EQUAL(l.longest.len, 0);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "both.host.example"), "records secure");
    CU_ASSERT_EQUAL(l.num_tlsa, 2);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "c3.host.example"), "records secure");
    CU_ASSERT_EQUAL(l.longest.usage, 2);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "away.example"), "records insecure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "broken.example"), "failure bogus");
    CU_ASSERT_EQUAL(l.num_tlsa, 0);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "behind.example"), "failure bogus");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "six.host.example"), "none secure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "h.plain.example"), "none insecure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "failing.example"), "failure insecure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_TLSA, "no name"), "none insecure");
    end_secured(&l);
}

static void test_without_anchor(void)
{
    struct secured l;
    begin_secured(&l, false);
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "good.example"), "records insecure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "broken.example"), "records insecure");
    CU_ASSERT_STRING_EQUAL(said(&l, OF_SRV, "nobody.example"), "none insecure");
    end_secured(&l);
}

static const char key_rr[] = "example. IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjno"
                             "pKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==";
static const char two_rrs[] =
    "; two\n\nexample. IN DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHA"
    "eF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ== ; one\r\nother. IN DS 34505 13 2 E06D44B80B8F1D39A95C0"
    "B0D7C65D08458E880409BBC683457104237C7F8EC8D\n";
#define DS "34505 13 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"

static void test_anchors(void)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        { key_rr, true },
        { "example. 3600 IN DS " DS, true },
        { two_rrs, true },
        { "example. IN A 127.0.0.1", false },
        { "example. IN DS junk", false },
        { "example. IN DS " DS "\njunk", false },
    };
    struct event_base *base = event_base_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[200] = "";
        const struct dna_dns_config config = { .resolver = "127.0.0.1",
                                               .trust_anchor = cases[i].text };
        struct dna_dns *d = dna_dns_new(base, &config, why, sizeof why);
        CU_ASSERT_EQUAL(d != NULL, cases[i].good);
        CU_ASSERT_EQUAL(strstr(why, "trust anchor") != NULL, !cases[i].good);
        dna_dns_free(d);
    }
    event_base_free(base);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("dns", NULL, NULL);
    CU_add_test(s, "A-labels", test_names);
    CU_add_test(s, "SRV records in order", test_order);
    CU_add_test(s, "SRV weights", test_weights);
    CU_add_test(s, "classes of answers", test_answers);
    CU_add_test(s, "a silent resolver meets the deadline", test_deadline);
    CU_add_test(s, "cancelled questions stay quiet", test_cancel);
    CU_add_test(s, "a resolver that is no address is refused", test_bad_resolver);
    CU_add_test(s, "what DNSSEC says of SRV records", test_security_srv);
    CU_add_test(s, "what DNSSEC says of addresses", test_security_addr);
    CU_add_test(s, "what DNSSEC says of two families", test_security_families);
    CU_add_test(s, "what DNSSEC says of TLSA records", test_security_tlsa);
    CU_add_test(s, "nothing is secure without a trust anchor", test_without_anchor);
    CU_add_test(s, "several trust anchors, and what is none", test_anchors);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
