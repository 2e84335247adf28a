/* SPDX-License-Identifier: MIT */
/*
 * Tests of the lab's DNS over real sockets on a high port: raw queries for what the wire must
 * look like, libunbound as an independent judge of the rest.
 */
#include "conformance/test/lab_dns_test.h"
#include "conformance/test/lab_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ldns/ldns.h>
#include <unbound-event.h>
#include <unbound.h>

#include "conformance/lab/dns.h"

#define ADDRESS "127.0.0.1"

static struct event_base *base;
static struct dna_dns *dns;
static struct dna_diag diag;

static void open_dns(void)
{
    base = event_base_new();
    dns = dna_dns_new(base, ADDRESS, 0, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dns);
}

static void close_dns(void)
{
    dna_dns_free(dns);
    event_base_free(base);
}

static void add(const char *name, const char *record)
{
    CU_ASSERT_EQUAL(dna_dns_add(dns, name, record, &diag), 0);
}

static void manner(const char *name, uint16_t type, enum dna_dns_manner how, bool below)
{
    CU_ASSERT_EQUAL(dna_dns_manner_set(dns, name, type, how, below, &diag), 0);
}

static double us_between(const struct timespec *from, const struct timespec *to)
{
    return (double)(to->tv_sec - from->tv_sec) * 1e6 + (double)(to->tv_nsec - from->tv_nsec) / 1e3;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

/* readable turns the loop until there is something to read. */
static bool readable(int fd, int seconds)
{
    bool done = false;
    struct event *event = event_new(base, fd, EV_READ, on_readable, &done);
    bool result;

    event_add(event, NULL);
    result = lab_run_until(base, &done, seconds);
    event_free(event);
    return result;
}

static int connected(int type)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(dna_dns_port(dns)) };
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, ADDRESS, &name.sin_addr);
    CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
    return fd;
}

static size_t question(uint8_t *out, const char *name, ldns_rr_type type, uint16_t edns,
                       uint16_t id)
{
    ldns_pkt *packet = NULL;
    uint8_t *wire = NULL;
    size_t len = 0;

    packet = ldns_pkt_query_new(ldns_dname_new_frm_str(name), type, LDNS_RR_CLASS_IN, LDNS_RD);
    ldns_pkt_set_id(packet, id);
    if (edns)
        ldns_pkt_set_edns_udp_size(packet, edns);
    ldns_pkt2wire(&wire, packet, &len);
    memcpy(out, wire, len);
    free(wire);
    ldns_pkt_free(packet);
    return len;
}

/* ask sends one query over UDP and returns what came back, NULL if nothing in the time. */
static ldns_pkt *ask_for(const char *name, ldns_rr_type type, uint16_t edns, int seconds)
{
    uint8_t wire[4096];
    size_t len = question(wire, name, type, edns, 4711);
    int fd = connected(SOCK_DGRAM);
    ldns_pkt *reply = NULL;
    ssize_t num;

    CU_ASSERT_EQUAL(send(fd, wire, len, 0), (ssize_t)len);
    if (readable(fd, seconds) && (num = recv(fd, wire, sizeof wire, 0)) > 0)
        CU_ASSERT_EQUAL(ldns_wire2pkt(&reply, wire, (size_t)num), LDNS_STATUS_OK);
    close(fd);
    if (reply)
        CU_ASSERT_EQUAL(ldns_pkt_id(reply), 4711);
    return reply;
}

static ldns_pkt *ask(const char *name, ldns_rr_type type)
{
    ldns_pkt *reply = ask_for(name, type, 1232, 5);

    CU_ASSERT_PTR_NOT_NULL_FATAL(reply);
    return reply;
}

static void expect(const char *name, ldns_rr_type type, ldns_pkt_rcode rcode, unsigned answers)
{
    ldns_pkt *reply = ask(name, type);

    CU_ASSERT_EQUAL(ldns_pkt_get_rcode(reply), rcode);
    CU_ASSERT_EQUAL(ldns_pkt_ancount(reply), answers);
    ldns_pkt_free(reply);
}

static void records_are_answered(void)
{
    ldns_pkt *reply;
    ldns_rr *rr;
    char *text;

    open_dns();
    add("_xmpp-server._tcp.a.c0042.example", "SRV 10 0 5269 a.c0042.example");
    add("_xmpp-server._tcp.a.c0042.example", "SRV 20 0 5269 b.c0042.example");
    add("_xmpp-server._tcp.a.c0042.example", "SRV 20 0 5269 b.c0042.example.");
    add("a.c0042.example", "A 127.3.0.1");
    add("a.c0042.example", "AAAA ::1");
    add("_5269._tcp.a.c0042.example", "TLSA 3 1 1 0123456789abcdef0123456789abcdef"
                                      "0123456789abcdef0123456789abcdef");
    add("a.c0042.example", "TXT \"two words\"");
    reply = ask("_xmpp-server._tcp.a.c0042.example", LDNS_RR_TYPE_SRV);
    CU_ASSERT_EQUAL(ldns_pkt_ancount(reply), 2); /* the same record twice is one */
    CU_ASSERT_TRUE(ldns_pkt_aa(reply) && ldns_pkt_qr(reply) && ldns_pkt_rd(reply));
    rr = ldns_rr_list_rr(ldns_pkt_answer(reply), 0);
    text = ldns_rr2str(rr);
    CU_ASSERT_STRING_EQUAL(text, "_xmpp-server._tcp.a.c0042.example.\t60\tIN\tSRV\t"
                                 "10 0 5269 a.c0042.example.\n");
    free(text);
    ldns_pkt_free(reply);
    expect("a.c0042.example", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, 1);
    expect("a.c0042.example", LDNS_RR_TYPE_AAAA, LDNS_RCODE_NOERROR, 1);
    expect("a.c0042.example", LDNS_RR_TYPE_TXT, LDNS_RCODE_NOERROR, 1);
    expect("_5269._tcp.a.c0042.example", LDNS_RR_TYPE_TLSA, LDNS_RCODE_NOERROR, 1);
    expect("example", LDNS_RR_TYPE_SOA, LDNS_RCODE_NOERROR, 1);
    expect("example", LDNS_RR_TYPE_NS, LDNS_RCODE_NOERROR, 1);
    CU_ASSERT_EQUAL(dna_dns_replace(dns, "a.c0042.example", "A 127.3.0.9", &diag), 0);
    expect("a.c0042.example", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, 1);
    dna_dns_remove(dns, "a.c0042.example", LDNS_RR_TYPE_A);
    expect("a.c0042.example", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, 0);
    expect("a.c0042.example", LDNS_RR_TYPE_AAAA, LDNS_RCODE_NOERROR, 1);
    close_dns();
}

static void denials_are_exact(void)
{
    ldns_pkt *reply;
    size_t names;

    open_dns();
    names = dna_dns_num_names(dns);
    add("_xmpp-server._tcp.b.c0042.example", "SRV 0 0 0 .");
    expect("_xmpp-server._tcp.b.c0042.example", LDNS_RR_TYPE_SRV, LDNS_RCODE_NOERROR, 1);
    /* An empty non-terminal exists; its neighbours don't. */
    expect("_tcp.b.c0042.example", LDNS_RR_TYPE_SRV, LDNS_RCODE_NOERROR, 0);
    expect("c0042.example", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, 0);
    expect("c004.example", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN, 0);
    expect("c00421.example", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN, 0);
    expect("_udp.b.c0042.example", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN, 0);
    expect("www.lab.invalid", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN, 0);
    reply = ask("nobody.example", LDNS_RR_TYPE_A);
    CU_ASSERT_EQUAL(ldns_pkt_nscount(reply), 1);
    CU_ASSERT_EQUAL(ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_authority(reply), 0)),
                    LDNS_RR_TYPE_SOA);
    ldns_pkt_free(reply);
    CU_ASSERT_EQUAL(dna_dns_zone(dns, "c0042.example", &diag), 0);
    reply = ask("x.c0042.example", LDNS_RR_TYPE_A);
    CU_ASSERT_EQUAL(ldns_pkt_nscount(reply), 1);
    if (ldns_pkt_nscount(reply) == 1) {
        char *owner = ldns_rdf2str(
            ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_authority(reply), 0)));

        CU_ASSERT_STRING_EQUAL(owner, "c0042.example.");
        free(owner);
    }
    ldns_pkt_free(reply);
    dna_dns_remove_tree(dns, "c0042.example");
    expect("_tcp.b.c0042.example", LDNS_RR_TYPE_SRV, LDNS_RCODE_NXDOMAIN, 0);
    CU_ASSERT_EQUAL(dna_dns_num_names(dns), names);
    close_dns();
}

static void names_have_no_case(void)
{
    ldns_pkt *reply;
    char *owner;

    open_dns();
    add("Host.A.example", "A 127.3.0.1");
    reply = ask("hOsT.a.ExAmPlE", LDNS_RR_TYPE_A);
    CU_ASSERT_EQUAL(ldns_pkt_ancount(reply), 1);
    owner = ldns_rdf2str(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(reply), 0)));
    CU_ASSERT_STRING_EQUAL(owner, "hOsT.a.ExAmPlE."); /* 0x20: echoed as asked */
    free(owner);
    ldns_pkt_free(reply);
    close_dns();
}

static void aliases_are_followed(void)
{
    ldns_pkt *reply;

    open_dns();
    add("alias.example", "CNAME other.example");
    add("other.example", "CNAME real.example");
    add("real.example", "A 127.3.0.1");
    add("loop.example", "CNAME loop.example");
    add("dangling.example", "CNAME nobody.example");
    reply = ask("alias.example", LDNS_RR_TYPE_A);
    CU_ASSERT_EQUAL(ldns_pkt_ancount(reply), 3);
    ldns_pkt_free(reply);
    expect("alias.example", LDNS_RR_TYPE_CNAME, LDNS_RCODE_NOERROR, 1);
    expect("dangling.example", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN, 1);
    ldns_pkt_free(ask("loop.example", LDNS_RR_TYPE_A)); /* ends */
    close_dns();
}

static void manners_decide(void)
{
    static const char srv[] = "_xmpp-server._tcp.c.example";

    open_dns();
    add(srv, "SRV 0 0 5269 c.example");
    add("c.example", "A 127.3.0.1");
    manner(srv, LDNS_RR_TYPE_SRV, DNA_DNS_NODATA, false);
    expect(srv, LDNS_RR_TYPE_SRV, LDNS_RCODE_NOERROR, 0);
    manner(srv, LDNS_RR_TYPE_SRV, DNA_DNS_NXDOMAIN, false);
    expect(srv, LDNS_RR_TYPE_SRV, LDNS_RCODE_NXDOMAIN, 0);
    manner(srv, LDNS_RR_TYPE_SRV, DNA_DNS_NORMAL, false);
    /* A manner of the tree, and an exception in it. */
    manner("c.example", DNA_DNS_ANY, DNA_DNS_SERVFAIL, true);
    expect(srv, LDNS_RR_TYPE_SRV, LDNS_RCODE_NOERROR, 1);
    expect(srv, LDNS_RR_TYPE_A, LDNS_RCODE_SERVFAIL, 0);
    expect("c.example", LDNS_RR_TYPE_A, LDNS_RCODE_SERVFAIL, 0);
    manner("c.example", LDNS_RR_TYPE_A, DNA_DNS_REFUSED, false);
    expect("c.example", LDNS_RR_TYPE_A, LDNS_RCODE_REFUSED, 0);
    expect("x.c.example", LDNS_RR_TYPE_A, LDNS_RCODE_SERVFAIL, 0);
    manner("s.example", DNA_DNS_ANY, DNA_DNS_SILENT, true);
    /* What is asked after the silent name is answered, so silence is not slowness. */
    {
        uint8_t wire[512];
        size_t len = question(wire, "a.s.example", LDNS_RR_TYPE_A, 0, 1);
        int fd = connected(SOCK_DGRAM);

        CU_ASSERT_EQUAL(send(fd, wire, len, 0), (ssize_t)len);
        len = question(wire, "ns.lab.example", LDNS_RR_TYPE_A, 0, 2);
        CU_ASSERT_EQUAL(send(fd, wire, len, 0), (ssize_t)len);
        CU_ASSERT_TRUE(readable(fd, 5));
        CU_ASSERT_TRUE(recv(fd, wire, sizeof wire, 0) > 12);
        CU_ASSERT_EQUAL(wire[1], 2);
        CU_ASSERT_EQUAL(recv(fd, wire, sizeof wire, MSG_DONTWAIT), -1);
        close(fd);
    }
    close_dns();
}

/* read_exact reads from a TCP connection while the loop turns. */
static bool read_exact(int fd, uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t num;

        if (!readable(fd, 5) || (num = recv(fd, out, len, 0)) <= 0)
            return false;
        out += num;
        len -= (size_t)num;
    }
    return true;
}

static void large_answers_go_over_tcp(void)
{
    enum { QUERIES = 50 };
    uint8_t wire[4096], reply[16384];
    ldns_pkt *packet;
    int fd;

    open_dns();
    for (unsigned i = 0; i < 60; i++) {
        char record[64];

        snprintf(record, sizeof record, "SRV %u 0 5269 target%u.big.example", i, i);
        add("_xmpp-server._tcp.big.example", record);
    }
    packet = ask_for("_xmpp-server._tcp.big.example", LDNS_RR_TYPE_SRV, 0, 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(packet);
    CU_ASSERT_TRUE(ldns_pkt_tc(packet));
    CU_ASSERT_EQUAL(ldns_pkt_ancount(packet), 0);
    ldns_pkt_free(packet);
    packet = ask_for("_xmpp-server._tcp.big.example", LDNS_RR_TYPE_SRV, 4096, 5);
    CU_ASSERT_PTR_NOT_NULL_FATAL(packet);
    CU_ASSERT_FALSE(ldns_pkt_tc(packet));
    CU_ASSERT_EQUAL(ldns_pkt_ancount(packet), 60);
    ldns_pkt_free(packet);
    /* Many queries on one connection, sent at once. */
    fd = connected(SOCK_STREAM);
    for (uint16_t i = 0; i < QUERIES; i++) {
        size_t len = question(wire + 2, "_xmpp-server._tcp.big.example", LDNS_RR_TYPE_SRV, 0, i);

        wire[0] = 0;
        wire[1] = (uint8_t)len;
        CU_ASSERT_EQUAL(send(fd, wire, len + 2, 0), (ssize_t)len + 2);
    }
    for (unsigned i = 0; i < QUERIES; i++) {
        size_t len;

        CU_ASSERT_TRUE_FATAL(read_exact(fd, reply, 2));
        len = (size_t)reply[0] << 8 | reply[1];
        CU_ASSERT_TRUE_FATAL(len > 512 && len < sizeof reply && read_exact(fd, reply, len));
        CU_ASSERT_EQUAL(reply[1], i);
        CU_ASSERT_EQUAL(reply[7], 60);
    }
    close(fd);
    close_dns();
}

static bool receive(int fd, bool tcp, uint8_t *wire, size_t size)
{
    if (tcp)
        return read_exact(fd, wire, 2) && wire[0] == 0 && read_exact(fd, wire + 2, wire[1]);
    return readable(fd, 5) && recv(fd, wire, size, 0) > 12;
}

/* late_answers_come_late: after what was asked later, and no sooner than they should. */
static void late_answers_come_late(void)
{
    enum { DELAY_MS = 200, LATE = 1, SOON = 2 };
    struct timespec before, after;
    uint8_t wire[512];

    open_dns();
    CU_ASSERT_EQUAL(dna_dns_delay_set(dns, "late.example", DNA_DNS_ANY, DELAY_MS, true, &diag), 0);
    CU_ASSERT_EQUAL(dna_dns_delay_set(dns, "a.example", DNA_DNS_ANY, 60001, true, &diag), -1);
    /* First the client leaves before its answer, then it stays, and then the responder leaves. */
    for (int turn = 0; turn < 6; turn++) {
        size_t head = turn % 2 ? 2 : 0; /* over TCP */
        int fd = connected(head ? SOCK_STREAM : SOCK_DGRAM);

        clock_gettime(CLOCK_MONOTONIC, &before);
        for (uint16_t id = LATE; id <= SOON; id++) {
            size_t len = question(wire + head, id == LATE ? "a.late.example" : "b.example",
                                  LDNS_RR_TYPE_A, 0, id);

            if (head)
                wire[0] = 0, wire[1] = (uint8_t)len;
            CU_ASSERT_EQUAL(send(fd, wire, head + len, 0), (ssize_t)(head + len));
        }
        CU_ASSERT_TRUE(receive(fd, head, wire, sizeof wire));
        CU_ASSERT_EQUAL(wire[head + 1], SOON);
        if (turn / 2 == 1) {
            CU_ASSERT_TRUE(receive(fd, head, wire, sizeof wire));
            clock_gettime(CLOCK_MONOTONIC, &after);
            CU_ASSERT_EQUAL(wire[head + 1], LATE);
            /* The loop's clock is a coarse one. */
            CU_ASSERT_TRUE(us_between(&before, &after) >= (DELAY_MS - 20) * 1e3);
        }
        close(fd);
        expect("nobody.example", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN, 0);
    }
    close_dns();
}

static void garbage_is_survived(void)
{
    uint8_t wire[512] = { 0x12, 0x34, 0x01, 0, 0, 9 };
    int fd;

    open_dns();
    fd = connected(SOCK_DGRAM);
    CU_ASSERT_EQUAL(send(fd, wire, 3, 0), 3);
    CU_ASSERT_EQUAL(send(fd, wire, 20, 0), 20);
    CU_ASSERT_TRUE(readable(fd, 5));
    CU_ASSERT_EQUAL(recv(fd, wire, sizeof wire, 0), 12);
    CU_ASSERT_EQUAL(wire[0], 0x12);
    CU_ASSERT_EQUAL(wire[3] & 15, LDNS_RCODE_FORMERR);
    close(fd);
    expect("ns.lab.example", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, 1);
    CU_ASSERT_EQUAL(dna_dns_add(dns, "a.example", "SRV one two three", &diag), -1);
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "SRV one two three"));
    CU_ASSERT_EQUAL(dna_dns_add(dns, "", "A 127.0.0.1", &diag), -1);
    CU_ASSERT_EQUAL(dna_dns_add(dns, "a..example", "A 127.0.0.1", &diag), -1);
    close_dns();
}

static void port_in_use_is_said(void)
{
    struct dna_dns *second;

    open_dns();
    second = dna_dns_new(base, ADDRESS, dna_dns_port(dns), &diag);
    CU_ASSERT_PTR_NULL(second);
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_HARD);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "Address already in use"));
    dna_dns_free(second);
    close_dns();
}

struct log {
    unsigned num;
    char last[128];
    enum dna_dns_answer answer;
    struct log *unwatch;
};

static void on_query(const struct dna_dns_event *event, void *arg)
{
    struct log *log = arg;

    log->num++;
    log->answer = event->answer;
    snprintf(log->last, sizeof log->last, "%s %s %s %u", event->type_name, event->name,
             dna_dns_answer_name(event->answer), event->num_records);
    CU_ASSERT_EQUAL(event->client.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    CU_ASSERT_TRUE(event->time_us > 0);
    if (log->unwatch)
        dna_dns_unwatch(dns, "c0042.example", on_query, log->unwatch);
}

static void watchers_see_queries(void)
{
    struct log own = { 0 }, other = { 0 }, all = { 0 }, gone = { 0 };

    open_dns();
    CU_ASSERT_EQUAL(dna_dns_watch(dns, "c0042.example", on_query, &own, &diag), 0);
    CU_ASSERT_EQUAL(dna_dns_watch(dns, "c0042.example", on_query, &gone, &diag), 0);
    CU_ASSERT_EQUAL(dna_dns_watch(dns, "c0043.example", on_query, &other, &diag), 0);
    CU_ASSERT_EQUAL(dna_dns_watch(dns, ".", on_query, &all, &diag), 0);
    own.unwatch = &gone;
    add("_xmpp-server._tcp.a.c0042.example", "SRV 0 0 5269 a.c0042.example");
    expect("_XMPP-server._tcp.A.c0042.example", LDNS_RR_TYPE_SRV, LDNS_RCODE_NOERROR, 1);
    CU_ASSERT_STRING_EQUAL(own.last, "SRV _xmpp-server._tcp.a.c0042.example records 1");
    CU_ASSERT_EQUAL(own.num, 1);
    CU_ASSERT_EQUAL(gone.num, 0); /* sent away by the watcher before it */
    CU_ASSERT_EQUAL(other.num, 0);
    CU_ASSERT_EQUAL(all.num, 1);
    expect("c0042.example", LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, 0);
    CU_ASSERT_STRING_EQUAL(own.last, "A c0042.example nodata 0");
    expect("b.c0042.example", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN, 0);
    CU_ASSERT_EQUAL(own.answer, DNA_DNS_GAVE_NXDOMAIN);
    dna_dns_remove_tree(dns, "c0042.example");
    expect("b.c0042.example", LDNS_RR_TYPE_A, LDNS_RCODE_NXDOMAIN, 0);
    CU_ASSERT_EQUAL(own.num, 3);
    CU_ASSERT_EQUAL(all.num, 4);
    close_dns();
}

static struct ub_ctx *resolver(void)
{
    struct ub_ctx *context = ub_ctx_create_event(base);
    char forward[64];

    CU_ASSERT_PTR_NOT_NULL_FATAL(context);
    ub_ctx_set_option(context, "do-not-query-localhost:", "no");
    ub_ctx_set_option(context, "module-config:", "iterator");
    ub_ctx_set_option(context, "use-caps-for-id:", "yes"); /* 0x20 */
    snprintf(forward, sizeof forward, ADDRESS "@%u", dna_dns_port(dns));
    CU_ASSERT_EQUAL(ub_ctx_set_fwd(context, forward), 0);
    return context;
}

static struct lab_lookup look_up(struct ub_ctx *context, const char *name, ldns_rr_type type)
{
    struct lab_lookup lookup = { 0 };
    int id;

    CU_ASSERT_EQUAL(ub_resolve_event(context, name, (int)type, 1, &lookup, lab_on_lookup, &id), 0);
    CU_ASSERT_TRUE(lab_run_until(base, &lookup.done, 20));
    return lookup;
}

static void libunbound_agrees(void)
{
    struct ub_ctx *context;
    struct lab_lookup lookup;

    open_dns();
    add("_xmpp-server._tcp.a.example", "SRV 10 0 5269 a.example");
    add("_xmpp-server._tcp.a.example", "SRV 20 0 5269 b.example");
    add("a.example", "A 127.3.0.1");
    add("alias.example", "CNAME a.example");
    add("dot.example", "SRV 0 0 0 .");
    for (unsigned i = 0; i < 120; i++) {
        char record[64];

        snprintf(record, sizeof record, "SRV %u 0 5269 target%u.big.example", i, i);
        add("_xmpp-server._tcp.big.example", record);
    }
    manner("bad.example", DNA_DNS_ANY, DNA_DNS_SERVFAIL, true);
    context = resolver();
    lookup = look_up(context, "_xmpp-server._tcp.a.example", LDNS_RR_TYPE_SRV);
    CU_ASSERT_TRUE(lookup.rcode == 0 && lookup.answers == 2 && lookup.secure == 0);
    lookup = look_up(context, "alias.example", LDNS_RR_TYPE_A);
    CU_ASSERT_TRUE(lookup.rcode == 0 && lookup.answers == 2);
    lookup = look_up(context, "dot.example", LDNS_RR_TYPE_SRV);
    CU_ASSERT_TRUE(lookup.rcode == 0 && lookup.answers == 1);
    lookup = look_up(context, "a.example", LDNS_RR_TYPE_AAAA);
    CU_ASSERT_TRUE(lookup.rcode == 0 && lookup.answers == 0);
    lookup = look_up(context, "nobody.example", LDNS_RR_TYPE_A);
    CU_ASSERT_TRUE(lookup.rcode == LDNS_RCODE_NXDOMAIN);
    lookup = look_up(context, "_xmpp-server._tcp.big.example", LDNS_RR_TYPE_SRV); /* TC, TCP */
    CU_ASSERT_TRUE(lookup.rcode == 0 && lookup.answers == 120);
    lookup = look_up(context, "x.bad.example", LDNS_RR_TYPE_A);
    CU_ASSERT_EQUAL(lookup.rcode, LDNS_RCODE_SERVFAIL);
    ub_ctx_delete(context);
    close_dns();
}

static void many_names_stay_cheap(void)
{
    enum { NAMES = 20000, QUERIES = 2000 };
    struct timespec start, added, asked;

    open_dns();
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (unsigned i = 0; i < NAMES; i++) {
        char name[64];

        snprintf(name, sizeof name, "a.c%05u.example", i);
        CU_ASSERT_EQUAL_FATAL(dna_dns_add(dns, name, "A 127.3.0.1", &diag), 0);
    }
    clock_gettime(CLOCK_MONOTONIC, &added);
    for (unsigned i = 0; i < QUERIES; i++) {
        char name[64];

        snprintf(name, sizeof name, "a.c%05u.example", i * (NAMES / QUERIES));
        expect(name, LDNS_RR_TYPE_A, LDNS_RCODE_NOERROR, 1);
    }
    clock_gettime(CLOCK_MONOTONIC, &asked);
    printf("measured: %.2f us to add a name, %.1f us a query (both ends), among %zu names\n",
           us_between(&start, &added) / NAMES,
           us_between(&added, &asked) / QUERIES, dna_dns_num_names(dns));
    close_dns();
}

int main(void)
{
    static const struct lab_test tests[] = {
        { "records are answered", records_are_answered },
        { "denials are exact", denials_are_exact },
        { "names have no case", names_have_no_case },
        { "aliases are followed", aliases_are_followed },
        { "manners decide", manners_decide },
        { "large answers go over TCP", large_answers_go_over_tcp },
        { "late answers come late", late_answers_come_late },
        { "garbage is survived", garbage_is_survived },
        { "a port in use is said", port_in_use_is_said },
        { "watchers see queries", watchers_see_queries },
        { "libunbound agrees", libunbound_agrees },
        { "many names stay cheap", many_names_stay_cheap },
    };

    return lab_test_main("lab.dns", tests, sizeof tests / sizeof tests[0], NULL);
}
