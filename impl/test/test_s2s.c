/* SPDX-License-Identifier: MIT */
/* test_s2s: the S2S glue over a socket pair, in clear by knob, so that each byte can be written
 * here: what a peer that opens a stream is answered, and what is left when it goes. What needs
 * certificates, DNS and other servers is the conformance suite's. */
#include <CUnit/Basic.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "impl/key.h"
#include "impl/log.h"
#include "impl/s2s.h"

#define SECRET "s3cr3tf0rd14lb4ck"
#define HEADER                                                                                     \
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "        \
    "xmlns:db='jabber:server:dialback' from='p.example' to='a.example' version='1.0'>"

struct lab {
    struct event_base *base;
    struct dna_config *config;
    struct dna_router *router;
    struct dna_dns *dns;
    X509_STORE *store;
    struct dna_s2s *s2s;
    struct dna_buf delivered, seen;
    int fd;
};

static SSL_CTX *no_context(void *arg, const char *domain)
{
    (void)arg;
    (void)domain;
    return NULL;
}

static void deliver(void *arg, const char *text, size_t len)
{
    dna_buf_add(arg, text, len);
}

static void begin(struct lab *l)
{
    static const char text[] = "dialback_secret " SECRET "\nknob tls_required 0\n"
                               "knob outbound_proof_required 0\ntimeout_negotiation 300ms\n"
                               "timeout_close 100ms\ntimeout_resolve 100ms\n";
    char why[300] = "";
    memset(l, 0, sizeof *l);
    l->base = event_base_new();
    l->config = dna_config_parse("test", text, sizeof text - 1, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->config);
    l->router = dna_router_new();
    dna_router_host(l->router, "a.example");
    dna_router_account(l->router, "juliet@a.example");
    (void)dna_router_register(l->router, "juliet@a.example/x", deliver, &l->delivered);
    const struct dna_dns_config dns = { .resolver = "127.0.0.1@1", .deadline_ms = 100 };
    l->dns = dna_dns_new(l->base, &dns, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->dns);
    l->store = X509_STORE_new();
    const struct dna_s2s_setup setup = { .base = l->base,
                                         .config = l->config,
                                         .router = l->router,
                                         .dns = l->dns,
                                         .store = l->store,
                                         .tls = no_context };
    l->s2s = dna_s2s_new(&setup);
    dna_buf_puts(&l->delivered, "");
    dna_buf_puts(&l->seen, "");
}

static void open_stream(struct lab *l)
{
    int pair[2];
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    dna_s2s_accept(l->s2s, pair[1]);
    l->fd = pair[0];
}

static void end(struct lab *l)
{
    (void)close(l->fd);
    dna_s2s_free(l->s2s);
    dna_dns_free(l->dns);
    dna_router_free(l->router);
    X509_STORE_free(l->store);
    dna_config_free(l->config);
    dna_buf_cleanup(&l->delivered);
    dna_buf_cleanup(&l->seen);
    event_base_free(l->base);
}

static void say(struct lab *l, const char *text)
{
    CU_ASSERT_EQUAL(write(l->fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* Turns the loop until want was seen or the other end has closed. */
static void expect_at(struct lab *l, const char *want, int line)
{
    char some[4096];
    ssize_t n = -1;
    while (!strstr(l->seen.at, want) && n != 0 && event_base_loop(l->base, EVLOOP_ONCE) == 0)
        while ((n = read(l->fd, some, sizeof some)) > 0)
            dna_buf_add(&l->seen, some, (size_t)n);
    if (!strstr(l->seen.at, want))
        printf("line %d: want %s\n  got %s\n", line, want, l->seen.at);
    CU_ASSERT_PTR_NOT_NULL(strstr(l->seen.at, want));
}
#define EXPECT(l, want) expect_at(l, want, __LINE__)

static void seen_id(struct lab *l, char id[DNA_ID_LEN + 1])
{
    const char *at = strstr(l->seen.at, " id='");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    (void)snprintf(id, DNA_ID_LEN + 1, "%s", at + 5);
    CU_ASSERT_EQUAL(strcspn(id, "'"), DNA_ID_LEN);
}

static void test_features(void)
{
    struct lab l;
    begin(&l);
    open_stream(&l);
    say(&l, HEADER);
    EXPECT(&l, "</stream:features>");
    CU_ASSERT_PTR_NOT_NULL(strstr(l.seen.at, "from='a.example' to='p.example' version='1.0'"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(l.seen.at, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"));
    CU_ASSERT_PTR_NULL(strstr(l.seen.at, "mechanisms"));
    say(&l, "</stream:stream>");
    EXPECT(&l, "</stream:stream>");
    end(&l);
}

static void test_keys(void)
{
    struct lab l;
    struct dna_buf ask = DNA_BUF_INIT;
    char key[DNA_KEY_LEN + 1];
    begin(&l);
    open_stream(&l);
    dna_key_make(SECRET, "p.example", "a.example", "D60000229F", key);
    dna_buf_printf(&ask,
                   HEADER "<db:verify from='p.example' to='a.example' id='D60000229F'>%s"
                          "</db:verify>",
                   key);
    say(&l, ask.at);
    EXPECT(&l, "<db:verify from='a.example' to='p.example' id='D60000229F' type='valid'/>");
    say(&l, "<db:verify from='p.example' to='a.example' id='other'>0</db:verify>");
    EXPECT(&l, "id='other' type='invalid'/>");
    say(&l, "<db:verify from='p.example' to='b.example' id='third'>0</db:verify>");
    EXPECT(&l, "<item-not-found");
    dna_buf_cleanup(&ask);
    end(&l);
}

static void test_unresolved(void)
{
    struct lab l;
    begin(&l);
    open_stream(&l);
    say(&l, HEADER "<db:result from='p.example' to='a.example'>0</db:result>");
    EXPECT(&l, "<remote-server-not-found");
    CU_ASSERT_EQUAL(dna_s2s_count(l.s2s), 1); /* the stream for the question is gone */
    say(&l, "<db:result from='p.example' to='b.example'>0</db:result>");
    EXPECT(&l, "<item-not-found");
    end(&l);
}

static void test_unproved_stanza(void)
{
    struct lab l;
    begin(&l);
    open_stream(&l);
    say(&l, HEADER "<message from='x@p.example' to='juliet@a.example/x'/>");
    EXPECT(&l, "<not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>");
    EXPECT(&l, "</stream:stream>");
    CU_ASSERT_STRING_EQUAL(l.delivered.at, "");
    end(&l);
}

static void test_ids(void)
{
    struct lab l;
    char one[DNA_ID_LEN + 1], two[DNA_ID_LEN + 1];
    begin(&l);
    open_stream(&l);
    say(&l, HEADER);
    EXPECT(&l, "</stream:features>");
    seen_id(&l, one);
    (void)close(l.fd);
    dna_buf_reset(&l.seen);
    open_stream(&l);
    say(&l, HEADER);
    EXPECT(&l, "</stream:features>");
    seen_id(&l, two);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
    end(&l);
}

static void test_silence(void)
{
    struct lab l;
    begin(&l);
    open_stream(&l);
    EXPECT(&l, "<connection-timeout");
    while (dna_s2s_count(l.s2s) && event_base_loop(l.base, EVLOOP_ONCE) == 0)
        ;
    CU_ASSERT_EQUAL(dna_s2s_count(l.s2s), 0);
    end(&l);
}

static void route(void *arg, const struct dna_xml_node *stanza)
{
    dna_router_route(((struct lab *)arg)->router, stanza, "", "juliet@a.example/x");
}

static void test_bounce(void)
{
    static const char lost[] = "<message to='r@p.example' id='1'/>";
    struct lab l;
    begin(&l);
    l.fd = -1;
    CU_ASSERT_EQUAL(dna_xml_parse_text(lost, sizeof lost - 1, route, &l), DNA_XML_OK);
    CU_ASSERT_EQUAL(dna_s2s_count(l.s2s), 1);
    while (dna_s2s_count(l.s2s) && event_base_loop(l.base, EVLOOP_ONCE) == 0)
        ;
    CU_ASSERT_PTR_NOT_NULL(strstr(l.delivered.at, "<remote-server-not-found"));
    end(&l);
}

static void test_shutdown(void)
{
    struct lab l;
    begin(&l);
    open_stream(&l);
    say(&l, HEADER);
    EXPECT(&l, "</stream:features>");
    dna_s2s_shutdown(l.s2s);
    EXPECT(&l, "<system-shutdown");
    EXPECT(&l, "</stream:stream>");
    while (dna_s2s_count(l.s2s) && event_base_loop(l.base, EVLOOP_ONCE) == 0)
        ;
    CU_ASSERT_EQUAL(dna_s2s_count(l.s2s), 0);
    end(&l);
}

static void test_freed_busy(void)
{
    struct lab l;
    begin(&l);
    open_stream(&l);
    say(&l, HEADER "<db:result from='p.example' to='a.example'>0</db:result>");
    EXPECT(&l, "</stream:features>");
    end(&l); /* with a question under way */
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)dna_log_open("/dev/null", DNA_LOG_STEP);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("s2s", NULL, NULL);
    CU_add_test(s, "header and features", test_features);
    CU_add_test(s, "keys are confirmed", test_keys);
    CU_add_test(s, "an authority that is not found", test_unresolved);
    CU_add_test(s, "a stanza that nobody proved", test_unproved_stanza);
    CU_add_test(s, "stream ids differ", test_ids);
    CU_add_test(s, "silence ends", test_silence);
    CU_add_test(s, "a stanza for nowhere comes back", test_bounce);
    CU_add_test(s, "shutdown", test_shutdown);
    CU_add_test(s, "freed while busy", test_freed_busy);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    dna_log_close();
    return failed;
}
