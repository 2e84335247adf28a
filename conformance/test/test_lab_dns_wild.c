/* SPDX-License-Identifier: MIT */
/*
 * Tests of the lab's wildcards (RFC 4592; RFC 4035 sections 3.1.3.3, 3.1.3.4 and 5.3.4; RFC 5155
 * sections 7.2.5 and 7.2.6), judged by libunbound (lab_test_dnssec.h).
 */
#include "conformance/test/lab_test_dnssec.h"

#include <string.h>

/* fill_wild: a wildcard with a name beside it, one that is an alias, and one for all ports. */
static void fill_wild(const char *apex)
{
    add(in("*.hosts", apex), "A 127.3.0.7");
    add(in("*.hosts", apex), "TXT \"of all\"");
    add(in("real.hosts", apex), "AAAA ::1");
    add(in("*.alias", apex), in("CNAME x.hosts", apex));
    add(in("*._tcp.w", apex), "TLSA 3 1 1 0123456789abcdef0123456789abcdef"
                              "0123456789abcdef0123456789abcdef");
}

static void expand(const char *apex)
{
    struct lab_lookup lookup;

    expect(in("x.hosts", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect(in("d.e.f.hosts", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect(in("*.hosts", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect(in("_5269._tcp.w", apex), LDNS_RR_TYPE_TLSA, SECURE, LDNS_RCODE_NOERROR);
    lookup = look_up(in("y.alias", apex), LDNS_RR_TYPE_A);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.answers == 2);
    lookup = look_up(in("y.alias", apex), LDNS_RR_TYPE_AAAA);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.answers == 1);
    lookup = look_up(in("x.hosts", apex), LDNS_RR_TYPE_ANY);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.answers == 2);
    /* What the wildcard lacks is denied, and what exists has its own records only. */
    lookup = look_up(in("x.hosts", apex), LDNS_RR_TYPE_AAAA);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.rcode == 0 && lookup.answers == 0);
    expect(in("z.hosts", apex), LDNS_RR_TYPE_DS, SECURE, LDNS_RCODE_NOERROR);
    lookup = look_up(in("real.hosts", apex), LDNS_RR_TYPE_A);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.rcode == 0 && lookup.answers == 0);
    expect(in("under.real.hosts", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    lookup = look_up(in("hosts", apex), LDNS_RR_TYPE_A);
    CU_ASSERT_TRUE(lookup.secure == SECURE && lookup.rcode == 0 && lookup.answers == 0);
    manner(in("gone.hosts", apex), LDNS_RR_TYPE_A, DNA_DNS_NODATA, false);
    expect(in("gone.hosts", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
}

static void wildcards_are_proved(void)
{
    struct lab_lookup lookup;

    open_dns();
    zone("c1.example", DNA_DNS_ZONE_NSEC);
    zone("c3.example", DNA_DNS_ZONE_NSEC3);
    zone("c5.example", DNA_DNS_ZONE_UNSIGNED);
    fill_wild("c1.example");
    fill_wild("c3.example");
    fill_wild("c5.example");
    expand("c1.example");
    expand("c3.example");
    expect("x.hosts.c5.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NOERROR);
    expect("x.hosts.c5.example", LDNS_RR_TYPE_AAAA, INSECURE, LDNS_RCODE_NOERROR);
    expect("under.real.hosts.c5.example", LDNS_RR_TYPE_A, INSECURE, LDNS_RCODE_NXDOMAIN);
    /* A wildcard stops at the zone below it. */
    zone("in.hosts.c1.example", DNA_DNS_ZONE_NSEC);
    expect("x.in.hosts.c1.example", LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NXDOMAIN);
    dna_dns_remove(dns, "in.hosts.c1.example", DNA_DNS_ANY);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    lookup = look_up("y.in.hosts.c1.example", LDNS_RR_TYPE_A);
    CU_ASSERT_TRUE(lookup.rcode != 0 || lookup.answers == 0);
    CU_ASSERT_EQUAL(dna_dns_zone(dns, "*.c1.example", &diag), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "*.c1.example"));
    close_dns();
}

/* tamper_wild: a manner of a wildcard is its expansions', one of an expansion is its alone. */
static void tamper_wild(const char *apex, enum dna_dns_signature how)
{
    bool proof = how == DNA_DNS_SIGN_UNPROVED;

    signature(in("*.hosts", apex), LDNS_RR_TYPE_A, how, false);
    signature(in("_5269._tcp.w", apex), LDNS_RR_TYPE_TLSA, how, false);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect(in("x.hosts", apex), LDNS_RR_TYPE_A, BOGUS, 0);
    expect(in("d.e.f.hosts", apex), LDNS_RR_TYPE_A, BOGUS, 0);
    expect(in("*.hosts", apex), LDNS_RR_TYPE_A, proof ? SECURE : BOGUS, 0);
    expect(in("x.hosts", apex), LDNS_RR_TYPE_TXT, SECURE, LDNS_RCODE_NOERROR);
    expect(in("_5269._tcp.w", apex), LDNS_RR_TYPE_TLSA, BOGUS, 0);
    expect(in("_5270._tcp.w", apex), LDNS_RR_TYPE_TLSA, SECURE, LDNS_RCODE_NOERROR);
    signature(in("*.hosts", apex), LDNS_RR_TYPE_A, DNA_DNS_SIGN_GOOD, false);
    signature(in("*.hosts", apex), LDNS_RR_TYPE_AAAA, how, false);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
    expect(in("x.hosts", apex), LDNS_RR_TYPE_A, SECURE, LDNS_RCODE_NOERROR);
    expect(in("x.hosts", apex), LDNS_RR_TYPE_AAAA, BOGUS, 0);
    signature(in("*.hosts", apex), LDNS_RR_TYPE_AAAA, DNA_DNS_SIGN_GOOD, false);
}

static void tampered_wildcards_are_bogus(void)
{
    static const enum dna_dns_signature manners[] = { DNA_DNS_SIGN_BAD, DNA_DNS_SIGN_STRIPPED,
                                                      DNA_DNS_SIGN_UNPROVED };

    open_dns();
    zone("c1.example", DNA_DNS_ZONE_NSEC);
    zone("c3.example", DNA_DNS_ZONE_NSEC3);
    fill_wild("c1.example");
    fill_wild("c3.example");
    for (size_t i = 0; i < sizeof manners / sizeof *manners; i++) {
        tamper_wild("c1.example", manners[i]);
        tamper_wild("c3.example", manners[i]);
    }
    close_dns();
}

int main(void)
{
    static const struct lab_test tests[] = {
        { "wildcards are proved", wildcards_are_proved },
        { "tampered wildcards are bogus", tampered_wildcards_are_bogus },
    };

    return lab_test_main("lab.dns.wild", tests, sizeof tests / sizeof tests[0], NULL);
}
