/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the lab's DNSSEC share: the responder, and a judge, libunbound, a validator
 * that knows nothing of it but the root's trust anchor: secure, insecure or bogus, as it says.
 */
#ifndef DNA_LAB_TEST_DNSSEC_H
#define DNA_LAB_TEST_DNSSEC_H

#include "conformance/test/lab_dns_test.h"
#include "conformance/test/lab_test.h"

#include <ldns/ldns.h>
#include <unbound-event.h>
#include <unbound.h>

#include "conformance/lab/dns.h"

#define ADDRESS "127.0.0.1"

/* What libunbound says (ub_resolve_event's sec). */
enum verdict { INSECURE, BOGUS, SECURE };

static struct event_base *base;
static struct dna_dns *dns;
static struct dna_diag diag;
static struct ub_ctx *judge;

static inline void add(const char *name, const char *record)
{
    CU_ASSERT_EQUAL(dna_dns_add(dns, name, record, &diag), 0);
}

static inline void zone(const char *name, enum dna_dns_zone_signing signing)
{
    CU_ASSERT_EQUAL(dna_dns_zone(dns, name, &diag), 0);
    CU_ASSERT_EQUAL(dna_dns_zone_sign(dns, name, signing, &diag), 0);
}

static inline void manner(const char *name, uint16_t type, enum dna_dns_manner how, bool below)
{
    CU_ASSERT_EQUAL(dna_dns_manner_set(dns, name, type, how, below, &diag), 0);
}

static inline void signature(const char *name, uint16_t type, enum dna_dns_signature how,
                             bool below)
{
    CU_ASSERT_EQUAL(dna_dns_signature_set(dns, name, type, how, below, &diag), 0);
}

/* new_judge is a resolver without memory; option (or NULL) is one more setting of it. */
static inline void new_judge(const char *anchor, const char *option, const char *value)
{
    char forward[64];

    ub_ctx_delete(judge);
    judge = ub_ctx_create_event(base);
    CU_ASSERT_PTR_NOT_NULL_FATAL(judge);
    ub_ctx_set_option(judge, "do-not-query-localhost:", "no");
    ub_ctx_set_option(judge, "module-config:", "validator iterator");
    ub_ctx_set_option(judge, "trust-anchor-signaling:", "no");
    ub_ctx_set_option(judge, "use-caps-for-id:", "yes");
    ub_ctx_set_option(judge, "outgoing-range:", "64");
    if (option)
        CU_ASSERT_EQUAL(ub_ctx_set_option(judge, option, value), 0);
    CU_ASSERT_EQUAL(ub_ctx_add_ta(judge, anchor), 0);
    snprintf(forward, sizeof forward, ADDRESS "@%u", dna_dns_port(dns));
    CU_ASSERT_EQUAL(ub_ctx_set_fwd(judge, forward), 0);
}

static inline void open_dns(void)
{
    base = event_base_new();
    dns = dna_dns_new(base, ADDRESS, 0, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dns);
    new_judge(dna_dns_anchor(dns), NULL, NULL);
}

static inline void close_dns(void)
{
    ub_ctx_delete(judge);
    judge = NULL;
    dna_dns_free(dns);
    event_base_free(base);
}

static inline struct lab_lookup look_up(const char *name, ldns_rr_type type)
{
    struct lab_lookup lookup = { .secure = -1 };
    int id;

    CU_ASSERT_EQUAL(ub_resolve_event(judge, name, (int)type, 1, &lookup, lab_on_lookup, &id), 0);
    CU_ASSERT_TRUE_FATAL(lab_run_until(base, &lookup.done, 30));
    return lookup;
}

/* expect asks the judge; what differs is printed, because a table of names is behind it. */
static inline void expect(const char *name, ldns_rr_type type, enum verdict verdict, int rcode)
{
    struct lab_lookup lookup = look_up(name, type);
    bool same = lookup.secure == (int)verdict && (verdict == BOGUS || lookup.rcode == rcode);

    if (!same)
        printf("\n    %s type %d: verdict %d rcode %d, %u answers: %s\n", name, (int)type,
               lookup.secure, lookup.rcode, lookup.answers, lookup.why);
    CU_ASSERT_TRUE(same);
}

/* in makes a name of a zone. */
static inline const char *in(const char *label, const char *apex)
{
    static char names[4][300];
    static unsigned turn;
    char *out = names[turn++ % 4];

    snprintf(out, sizeof names[0], "%s.%s", label, apex);
    return out;
}

#endif
