/* SPDX-License-Identifier: MIT */
/*
 * Tests of the lab's DNSSEC, judged by libunbound (lab_test_dnssec.h). Wildcards are in
 * test_lab_dns_wild.c.
 */
#include "conformance/test/lab_test_dnssec.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400

static void fill(const char *apex)
{
    add(in("_xmpp-server._tcp.a", apex), "SRV 20 0 5269 b.upper.example");
    add(in("_xmpp-server._tcp.a", apex), "SRV 10 0 5269 A.Upper.example");
    add(in("a", apex), "A 127.3.0.1");
    add(in("a", apex), "TXT \"two words\"");
    add(in("az", apex), "A 127.3.0.3");
    add(in("below.az", apex), "A 127.3.0.4");
    add(in("b-b", apex), "A 127.3.0.2");
    add(in("deep.under.nothing", apex), "A 127.3.0.1");
    add(in("alias", apex), in("CNAME a", apex));
    add(in("dangling", apex), in("CNAME nobody", apex));
    add(in("_5269._tcp.a", apex), "TLSA 3 1 1 0123456789abcdef0123456789abcdef"
                                  "0123456789abcdef0123456789abcdef");
}

/* denials_are_proved: what doesn't exist in a signed zone, and the manners that say so. */
static void denials_are_proved(const char *apex)
{
    char longest[64];

    memset(longest, 'z', 63);
    longest[63] = '\0';
    expect(in("nobody", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect(in("x.y.z.nobody", apex), LDNS_RR_TYPE_TLSA, SECURE, LDNS_RCODE_NXDOMAIN);
    expect(in("_5270._tcp.a", apex), LDNS_RR_TYPE_TLSA, SECURE, LDNS_RCODE_NXDOMAIN);
    expect(in("*", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect(in("\\091", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect(in("x\\000", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect(in("x\\255", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect(in(longest, apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect(in("a", apex), LDNS_RR_TYPE_AAAA, SECURE, LDNS_RCODE_NOERROR);
    expect(in("a", apex), LDNS_RR_TYPE_DS, SECURE, LDNS_RCODE_NOERROR);
    expect(apex, LDNS_RR_TYPE_MX, SECURE, LDNS_RCODE_NOERROR);
    expect(in("under.nothing", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect(in("dangling", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect(in("dangling", apex), LDNS_RR_TYPE_AAAA, SECURE, LDNS_RCODE_NXDOMAIN);
    manner(in("b-b", apex), DNA_DNS_ANY, DNA_DNS_NODATA, false);
    expect(in("b-b", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    manner(in("az", apex), DNA_DNS_ANY, DNA_DNS_NXDOMAIN, true);
    expect(in("below.az", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect(in("az", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    add(in("hidden", apex), in("CNAME a", apex));
    manner(in("hidden", apex), LDNS_RR_TYPE_A, DNA_DNS_NODATA, false);
    expect(in("hidden", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
}

static void answers_are_secure(const char *apex)
{
    struct lab_lookup lookup;

    /* All types first, lest they come out of the judge's memory. */
    lookup = look_up(in("a", apex), LDNS_RR_TYPE_ANY);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.answers == 2);
    expect(in("_xmpp-server._tcp.a", apex), LDNS_RR_TYPE_SRV, SECURE, LDNS_RCODE_NOERROR);
    expect(in("a", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect(in("_5269._tcp.a", apex), LDNS_RR_TYPE_TLSA, SECURE, LDNS_RCODE_NOERROR);
    expect(apex, LDNS_RR_TYPE_SOA, SECURE, LDNS_RCODE_NOERROR);
    expect(apex, LDNS_RR_TYPE_NS, SECURE, LDNS_RCODE_NOERROR);
    expect(apex, LDNS_RR_TYPE_DNSKEY, SECURE, LDNS_RCODE_NOERROR);
    expect(apex, LDNS_RR_TYPE_DS, SECURE, LDNS_RCODE_NOERROR);
    lookup = look_up(in("alias", apex), LDNS_RR_TYPE_A);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.answers == 2);
}

static void signed_zones_are_secure(void)
{
    open_dns();
    zone("c1.example", DNA_DNS_ZONE_NSEC);
    fill("c1.example");
    answers_are_secure("c1.example");
    denials_are_proved("c1.example");
    expect("nobody", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect("nobody.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect("lab.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect("example", LDNS_RR_TYPE_SRV, SECURE, LDNS_RCODE_NOERROR);
    expect("ns.lab.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    /* A whole zone denied: only the one above can prove it. */
    zone("c9.example", DNA_DNS_ZONE_NSEC);
    manner("c9.example", DNA_DNS_ANY, DNA_DNS_NXDOMAIN, false);
    expect("c9.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    close_dns();
}

static void nsec3_zones_are_secure(void)
{
    open_dns();
    zone("c3.example", DNA_DNS_ZONE_NSEC3);
    fill("c3.example");
    answers_are_secure("c3.example");
    denials_are_proved("c3.example");
    expect("c3.example", LDNS_RR_TYPE_NSEC3PARAM, SECURE, LDNS_RCODE_NOERROR);
    /* Zones under an NSEC3 zone, signed and not. */
    zone("in.c3.example", DNA_DNS_ZONE_NSEC);
    fill("in.c3.example");
    answers_are_secure("in.c3.example");
    zone("out.c3.example", DNA_DNS_ZONE_UNSIGNED);
    fill("out.c3.example");
    expect("a.out.c3.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NOERROR);
    expect("nobody.out.c3.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NXDOMAIN);
    expect("out.c3.example", LDNS_RR_TYPE_DS, SECURE, LDNS_RCODE_NOERROR);
    close_dns();
}

static void chains_cross_zones(void)
{
    struct lab_lookup lookup;

    open_dns();
    zone("c1.example", DNA_DNS_ZONE_NSEC);
    zone("c2.example", DNA_DNS_ZONE_NSEC3);
    zone("c3.example", DNA_DNS_ZONE_UNSIGNED);
    add("real.c2.example", "A 127.3.0.1");
    add("real.c3.example", "A 127.3.0.1");
    add("one.c1.example", "CNAME two.c2.example");
    add("two.c2.example", "CNAME three.c1.example");
    add("three.c1.example", "CNAME real.c2.example");
    add("lost.c1.example", "CNAME nobody.c2.example");
    add("out.c1.example", "CNAME real.c3.example");
    lookup = look_up("one.c1.example", LDNS_RR_TYPE_A);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.answers == 4);
    lookup = look_up("one.c1.example", LDNS_RR_TYPE_AAAA);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.answers == 3);
    expect("lost.c1.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    expect("out.c1.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NOERROR);
    close_dns();
}

static void unsigned_zones_are_insecure(void)
{
    open_dns();
    zone("c1.example", DNA_DNS_ZONE_UNSIGNED);
    fill("c1.example");
    expect("a.c1.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NOERROR);
    expect("_5269._tcp.a.c1.example", LDNS_RR_TYPE_TLSA, INSECURE, LDNS_RCODE_NOERROR);
    expect("alias.c1.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NOERROR);
    expect("nobody.c1.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NXDOMAIN);
    expect("a.c1.example", LDNS_RR_TYPE_AAAA, INSECURE, LDNS_RCODE_NOERROR);
    expect("c1.example", LDNS_RR_TYPE_SOA, INSECURE, LDNS_RCODE_NOERROR);
    expect("c1.example", LDNS_RR_TYPE_DNSKEY, INSECURE, LDNS_RCODE_NOERROR);
    expect("c1.example", LDNS_RR_TYPE_DS, SECURE, LDNS_RCODE_NOERROR);
    /* A signed zone below it has nobody to vouch for it. */
    zone("in.c1.example", DNA_DNS_ZONE_NSEC);
    add("a.in.c1.example", "A 127.3.0.1");
    expect("a.in.c1.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NOERROR);
    /* A DS for a zone without keys breaks the chain. */
    zone("c2.example", DNA_DNS_ZONE_UNSIGNED);
    add("a.c2.example", "A 127.3.0.1");
    add("c2.example", "DS 4711 13 2 0123456789abcdef0123456789abcdef"
                      "0123456789abcdef0123456789abcdef");
    expect("a.c2.example", LDNS_RR_TYPE_A, BOGUS, 0);
    CU_ASSERT_EQUAL(dna_dns_zone_sign(dns, "c7.example", DNA_DNS_ZONE_NSEC3, &diag), -1);
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "c7.example"));
    close_dns();
}

/* tamper: positive answer, missing type and missing name of one zone, each in one manner. */
static void tamper(const char *apex, enum dna_dns_signature how)
{
    signature(in("_5269._tcp.a", apex), LDNS_RR_TYPE_TLSA, how, false);
    signature(in("a", apex), LDNS_RR_TYPE_AAAA, how, false);
    signature(in("none", apex), DNA_DNS_ANY, how, true);
    signature(in("alias", apex), LDNS_RR_TYPE_CNAME, how, false);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect(in("_5269._tcp.a", apex), LDNS_RR_TYPE_TLSA, BOGUS, 0);
    expect(in("a", apex), LDNS_RR_TYPE_AAAA, BOGUS, 0);
    expect(in("_5269._tcp.none", apex), LDNS_RR_TYPE_TLSA, BOGUS, 0);
    expect(in("none", apex), LDNS_RR_TYPE_TLSA, BOGUS, 0);
    expect(in("alias", apex), LDNS_RR_TYPE_A, BOGUS, 0);
    /* Nothing else is touched. */
    expect(in("a", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect(in("_5269._tcp.a", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect(in("nobody", apex), LDNS_RR_TYPE_TLSA, SECURE, LDNS_RCODE_NXDOMAIN);
}

static void tampering_is_bogus(void)
{
    static const struct {
        enum dna_dns_signature how;
        const char *why; /* in what libunbound says of an answer */
    } manners[] = { { DNA_DNS_SIGN_BAD, "signature verification failed" },
                    { DNA_DNS_SIGN_EXPIRED, "signature expired" },
                    { DNA_DNS_SIGN_FUTURE, "before inception date" },
                    { DNA_DNS_SIGN_STRIPPED, "no signatures" },
                    { DNA_DNS_SIGN_SIGNER, "no signatures" },
                    { DNA_DNS_SIGN_TAG, "unknown keys" },
                    { DNA_DNS_SIGN_LABELS, "labelcount" } };
    struct lab_lookup lookup;

    open_dns();
    zone("c1.example", DNA_DNS_ZONE_NSEC);
    zone("c3.example", DNA_DNS_ZONE_NSEC3);
    fill("c1.example");
    fill("c3.example");
    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
        tamper("c1.example", manners[i].how);
        tamper("c3.example", manners[i].how);
        lookup = look_up("_5269._tcp.a.c1.example", LDNS_RR_TYPE_TLSA);
        CU_ASSERT_PTR_NOT_NULL(strstr(lookup.why, manners[i].why));
    }
    tamper("c1.example", DNA_DNS_SIGN_STRIPPED);
    signature("c1.example", DNA_DNS_ANY, DNA_DNS_SIGN_STRIPPED, true);
    signature("a.c1.example", DNA_DNS_ANY, DNA_DNS_SIGN_GOOD, false);
    /* Its chain is stripped, so a good signature is nothing worth. */
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect("a.c1.example", LDNS_RR_TYPE_A, BOGUS, 0);
    signature("c1.example", DNA_DNS_ANY, DNA_DNS_SIGN_GOOD, true);
    signature("c1.example", LDNS_RR_TYPE_DNSKEY, DNA_DNS_SIGN_EXPIRED, false);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect("a.c1.example", LDNS_RR_TYPE_A, BOGUS, 0);
    signature("c1.example", LDNS_RR_TYPE_DNSKEY, DNA_DNS_SIGN_GOOD, false);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect("a.c1.example", LDNS_RR_TYPE_A, SECURE, 0);
    close_dns();
}

static void clocks_are_followed(void)
{
    time_t then = time(NULL) + 400 * (time_t)DAY;
    char date[32];
    struct tm tm;

    open_dns();
    gmtime_r(&then, &tm);
    strftime(date, sizeof date, "%Y%m%d%H%M%S", &tm);
    add("a.example", "A 127.3.0.1");
    expect("a.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    new_judge(dna_dns_anchor(dns), "val-override-date:", date);
    expect("a.example", LDNS_RR_TYPE_A, BOGUS, 0);
    dna_dns_clock(dns, 400 * (int64_t)DAY);
    new_judge(dna_dns_anchor(dns), "val-override-date:", date);
    expect("a.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect("nobody.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect("a.example", LDNS_RR_TYPE_A, BOGUS, 0);
    dna_dns_clock(dns, 0);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect("a.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    close_dns();
}

static void changes_take_effect(void)
{
    struct lab_lookup lookup;

    open_dns();
    zone("c1.example", DNA_DNS_ZONE_NSEC);
    add("a.c1.example", "A 127.3.0.1");
    add("other.c1.example", "A 127.3.0.1");
    expect("a.c1.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    add("a.c1.example", "A 127.3.0.2");
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    lookup = look_up("a.c1.example", LDNS_RR_TYPE_A);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.answers == 2);
    CU_ASSERT_EQUAL(dna_dns_replace(dns, "a.c1.example", "A 127.3.0.3", &diag), 0);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    lookup = look_up("a.c1.example", LDNS_RR_TYPE_A);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.answers == 1);
    /* The judge remembers the denial of a name, but that says nothing of its neighbours. */
    expect("m.c1.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    add("l.c1.example", "A 127.3.0.1");
    add("lzzz.c1.example", "A 127.3.0.1");
    add("m-.c1.example", "A 127.3.0.1");
    expect("l.c1.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect("lzzz.c1.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect("m-.c1.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    dna_dns_remove(dns, "a.c1.example", DNA_DNS_ANY);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect("a.c1.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    zone("c1.example", DNA_DNS_ZONE_UNSIGNED);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect("other.c1.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NOERROR);
    zone("c1.example", DNA_DNS_ZONE_NSEC3);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect("a.c1.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    /* A zone made anew has a new key. */
    dna_dns_remove_tree(dns, "c1.example");
    zone("c1.example", DNA_DNS_ZONE_NSEC);
    add("other.c1.example", "A 127.3.0.1");
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect("other.c1.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    close_dns();
}

/* memory_keeps_apart: more signatures than can be remembered without meeting, asked twice. */
static void memory_keeps_apart(void)
{
    enum { NAMES = 500 };

    open_dns();
    for (unsigned i = 0; i < 2 * NAMES; i++) {
        char name[32];

        snprintf(name, sizeof name, "n%u.example", i % NAMES);
        add(name, "A 127.3.0.1");
        if (i == NAMES)
            new_judge(dna_dns_anchor(dns), NULL, NULL);
        expect(name, LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    }
    close_dns();
}

static void the_anchor_is_the_roots(void)
{
    const char *anchor;
    struct dna_dns *other;

    open_dns();
    anchor = dna_dns_anchor(dns);
    CU_ASSERT_EQUAL(strspn(anchor, "0123456789abcdefINDS. "), strlen(anchor));
    CU_ASSERT_PTR_NOT_NULL(strstr(anchor, " IN DS "));
    add("a.example", "A 127.3.0.1");
    other = dna_dns_new(base, ADDRESS, 0, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(other);
    CU_ASSERT_STRING_NOT_EQUAL(anchor, dna_dns_anchor(other));
    new_judge(dna_dns_anchor(other), NULL, NULL);
    expect("a.example", LDNS_RR_TYPE_A, BOGUS, 0);
    dna_dns_free(other);
    close_dns();
}

static void large_answers_go_over_tcp(void)
{
    struct lab_lookup lookup;

    open_dns();
    for (unsigned i = 0; i < 120; i++) {
        char record[64];

        snprintf(record, sizeof record, "SRV %u 0 5269 target%u.big.example", i, i);
        add("_xmpp-server._tcp.big.example", record);
    }
    lookup = look_up("_xmpp-server._tcp.big.example", LDNS_RR_TYPE_SRV);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.answers == 120);
    add("a.example", "A 127.3.0.1");
    manner("a.example", DNA_DNS_ANY, DNA_DNS_TRUNCATE, true);
    expect("a.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect("x.a.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    manner("bad.example", DNA_DNS_ANY, DNA_DNS_SERVFAIL, true);
    CU_ASSERT_EQUAL(look_up("x.bad.example", LDNS_RR_TYPE_A).rcode, LDNS_RCODE_SERVFAIL);
    close_dns();
}

/* ---- the wire ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

/* ask_raw sends one query over UDP and leaves the answer's bytes in out. */
static size_t ask_with(const char *name, ldns_rr_type type, bool dnssec_ok, uint16_t flags,
                       uint8_t *out, size_t size)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(dna_dns_port(dns)) };
    ldns_pkt *packet = ldns_pkt_query_new(ldns_dname_new_frm_str(name), type, LDNS_RR_CLASS_IN,
                                          LDNS_RD | flags);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ready = false;
    struct event *event = event_new(base, fd, EV_READ, on_readable, &ready);
    uint8_t *wire = NULL;
    size_t len = 0;
    ssize_t num;

    ldns_pkt_set_id(packet, 4711);
    ldns_pkt_set_edns_udp_size(packet, 4096);
    ldns_pkt_set_edns_do(packet, dnssec_ok);
    ldns_pkt2wire(&wire, packet, &len);
    inet_pton(AF_INET, ADDRESS, &to.sin_addr);
    CU_ASSERT_EQUAL(sendto(fd, wire, len, 0, (struct sockaddr *)&to, sizeof to), (ssize_t)len);
    event_add(event, NULL);
    CU_ASSERT_TRUE_FATAL(lab_run_until(base, &ready, 10));
    num = recv(fd, out, size, 0);
    CU_ASSERT_TRUE_FATAL(num > 12);
    event_free(event);
    close(fd);
    free(wire);
    ldns_pkt_free(packet);
    return (size_t)num;
}

static size_t ask_raw(const char *name, ldns_rr_type type, bool dnssec_ok, uint8_t *out,
                      size_t size)
{
    return ask_with(name, type, dnssec_ok, 0, out, size);
}

static void others_see_no_difference(void)
{
    static const struct {
        const char *name;
        ldns_rr_type type;
    } asked[] = { { "a.c1.example", LDNS_RR_TYPE_A },
                  { "a.c1.example", LDNS_RR_TYPE_ANY },
                  { "a.c1.example", LDNS_RR_TYPE_MX },
                  { "nobody.c1.example", LDNS_RR_TYPE_A },
                  { "alias.c1.example", LDNS_RR_TYPE_A },
                  { "c1.example", LDNS_RR_TYPE_NS },
                  { "x.hosts.c1.example", LDNS_RR_TYPE_A },
                  { "x.hosts.c1.example", LDNS_RR_TYPE_AAAA },
                  { "x.alias.c1.example", LDNS_RR_TYPE_A },
                  { "under.nothing.c1.example", LDNS_RR_TYPE_A } };
    uint8_t plain[4096], other[4096];

    open_dns();
    zone("c1.example", DNA_DNS_ZONE_UNSIGNED);
    fill("c1.example");
    add("*.hosts.c1.example", "A 127.3.0.7");
    add("*.alias.c1.example", "CNAME x.hosts.c1.example");
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        size_t len, other_len;

        zone("c1.example", DNA_DNS_ZONE_UNSIGNED);
        len = ask_raw(asked[i].name, asked[i].type, false, plain, sizeof plain);
        for (int signing = DNA_DNS_ZONE_NSEC; signing <= DNA_DNS_ZONE_NSEC3; signing++) {
            zone("c1.example", (enum dna_dns_zone_signing)signing);
            other_len = ask_raw(asked[i].name, asked[i].type, false, other, sizeof other);
            CU_ASSERT_TRUE(other_len == len && memcmp(plain, other, len) == 0);
            other_len = ask_raw(asked[i].name, asked[i].type, true, other, sizeof other);
            CU_ASSERT_TRUE(other_len > len + 64);
        }
    }
    close_dns();
}

struct order {
    unsigned num_asked;
    unsigned num_records;
    bool dnssec_ok, authentic, unchecked;
};

static void on_query(const struct dna_dns_event *event, void *arg)
{
    struct order *order = arg;

    order->num_asked++;
    order->num_records = event->num_records;
    order->dnssec_ok = event->dnssec_ok;
    order->authentic = event->authentic_data;
    order->unchecked = event->checking_disabled;
}

static void queries_are_reported(void)
{
    struct order order = { 0 };
    uint8_t wire[4096];

    open_dns();
    add("a.example", "TXT \"two words\"");
    add("a.example", "A 127.3.0.1");
    CU_ASSERT_EQUAL(dna_dns_watch(dns, "a.example", on_query, &order, &diag), 0);
    ask_raw("a.example", LDNS_RR_TYPE_A, true, wire, sizeof wire);
    CU_ASSERT_EQUAL(order.num_asked, 1);
    CU_ASSERT_EQUAL(order.num_records, 1); /* the signature is none */
    CU_ASSERT_TRUE(order.dnssec_ok && !order.authentic && !order.unchecked);
    CU_ASSERT_EQUAL(wire[7], 2);
    ask_raw("a.example", LDNS_RR_TYPE_ANY, true, wire, sizeof wire);
    CU_ASSERT_EQUAL(order.num_records, 2);
    CU_ASSERT_EQUAL(wire[7], 4); /* one signature a type */
    ask_with("a.example", LDNS_RR_TYPE_A, false, LDNS_AD, wire, sizeof wire);
    CU_ASSERT_TRUE(!order.dnssec_ok && order.authentic && !order.unchecked);
    ask_with("a.example", LDNS_RR_TYPE_A, false, LDNS_CD, wire, sizeof wire);
    CU_ASSERT_TRUE(!order.dnssec_ok && !order.authentic && order.unchecked);
    close_dns();
}

static bool bears_ad(const char *name, ldns_rr_type type)
{
    uint8_t wire[4096];

    ask_raw(name, type, true, wire, sizeof wire);
    return wire[3] & 0x20;
}

/* The bit is on the wire, and the judge takes no notice of it. */
static void authentic_data_can_be_claimed(void)
{
    open_dns();
    zone("c1.example", DNA_DNS_ZONE_UNSIGNED);
    fill("c1.example");
    CU_ASSERT_EQUAL(dna_dns_authentic_set(dns, "a.c1.example", LDNS_RR_TYPE_A, true, false, &diag),
                    0);
    CU_ASSERT_EQUAL(dna_dns_authentic_set(dns, "az.c1.example", DNA_DNS_ANY, true, true, &diag), 0);
    CU_ASSERT_TRUE(bears_ad("a.c1.example", LDNS_RR_TYPE_A));
    CU_ASSERT_FALSE(bears_ad("a.c1.example", LDNS_RR_TYPE_TXT));
    CU_ASSERT_FALSE(bears_ad("b-b.c1.example", LDNS_RR_TYPE_A));
    CU_ASSERT_TRUE(bears_ad("below.az.c1.example", LDNS_RR_TYPE_A));
    CU_ASSERT_TRUE(bears_ad("nobody.az.c1.example", LDNS_RR_TYPE_A));
    expect("a.c1.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NOERROR);
    expect("nobody.az.c1.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NXDOMAIN);
    CU_ASSERT_EQUAL(dna_dns_authentic_set(dns, "az.c1.example", DNA_DNS_ANY, false, true, &diag),
                    0);
    CU_ASSERT_FALSE(bears_ad("below.az.c1.example", LDNS_RR_TYPE_A));
    close_dns();
}

int main(void)
{
    static const struct lab_test tests[] = {
        { "signed zones are secure", signed_zones_are_secure },
        { "NSEC3 zones are secure", nsec3_zones_are_secure },
        { "chains cross zones", chains_cross_zones },
        { "unsigned zones are insecure", unsigned_zones_are_insecure },
        { "tampering is bogus", tampering_is_bogus },
        { "clocks are followed", clocks_are_followed },
        { "changes take effect", changes_take_effect },
        { "memory keeps apart", memory_keeps_apart },
        { "the anchor is the root's", the_anchor_is_the_roots },
        { "large answers go over TCP", large_answers_go_over_tcp },
        { "without DO nothing differs", others_see_no_difference },
        { "queries are reported", queries_are_reported },
        { "authentic data can be claimed", authentic_data_can_be_claimed },
    };

    return lab_test_main("lab.dnssec", tests, sizeof tests / sizeof tests[0], NULL);
}
