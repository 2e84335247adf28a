/* SPDX-License-Identifier: MIT */
/* test_c2s.c -- the server's side of client streams over a real socket pair and real TLS: what
   clients say, byte for byte, and what must come back.  Run from the repository's root. */
#include <CUnit/Basic.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "impl/b64.h"
#include "impl/c2s.h"
#include "impl/log.h"
#include "impl/tls.h"

#define HEADER                                                                                    \
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "       \
    "version='1.0' "
#define STARTTLS "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define BIND                                                                                      \
    "<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r"           \
    "</resource></bind></iq>"
#define SASL "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"

static const char config_text[] = "timeout_negotiation 400ms\n"
                                  "timeout_close 200ms\n"
                                  "[domain a.example]\n"
                                  "certificate fixtures/config/a.crt\n"
                                  "key fixtures/config/a.key\n"
                                  "account juliet secret\n"
                                  "account romeo secret2\n"
                                  "[domain b.example]\n"
                                  "certificate fixtures/config/a.crt\n"
                                  "key fixtures/config/a.key\n";

static struct event_base *base;
static struct dna_config *config;
static struct dna_router *router;
static struct dna_c2s *service;
static SSL_CTX *server_tls, *client_tls;
static unsigned tls_asked, tls_ends = UINT_MAX; /* the certificate is asked for; until it is gone */

/* The client's end: a bufferevent, what came in, and whether it is over. */
struct client {
    struct bufferevent *bev;
    struct dna_buf got;
    bool over, secured;
};

static SSL_CTX *tls_of(void *arg, const char *domain)
{
    (void)arg;
    (void)domain;
    return tls_asked++ < tls_ends ? server_tls : NULL;
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct client *c = arg;
    char chunk[4096];
    size_t len;

    while ((len = bufferevent_read(bev, chunk, sizeof chunk)) > 0)
        dna_buf_add(&c->got, chunk, len);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct client *c = arg;

    (void)bev;
    if (what & BEV_EVENT_CONNECTED)
        c->secured = true;
    else
        c->over = true;
}

static struct client *connect_client(void)
{
    struct client *c = dna_calloc(1, sizeof *c);
    int pair[2];

    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    dna_c2s_accept(service, pair[0]);
    c->bev = bufferevent_socket_new(base, pair[1], BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    return c;
}

static void disconnect(struct client *c)
{
    bufferevent_free(c->bev);
    dna_buf_cleanup(&c->got);
    free(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

/* Runs the loop until *flag is set or text is in what came; false after two seconds. */
static bool run_until(struct client *c, const bool *flag, const char *text)
{
    const struct timeval limit = { 2, 0 };
    bool late = false;
    struct event *timer = evtimer_new(base, on_deadline, &late);
    bool met = false;

    evtimer_add(timer, &limit);
    while (!late && !met) {
        met = (flag && *flag) || (text && c->got.len && strstr(c->got.at, text));
        if (!met)
            event_base_loop(base, EVLOOP_ONCE);
    }
    event_free(timer);
    return met;
}

/* Waits for text and forgets all up to its end. */
static bool expect(struct client *c, const char *text)
{
    struct dna_buf rest = DNA_BUF_INIT;
    char *at;

    if (!run_until(c, NULL, text)) {
        printf("expected: %s\n     got: %s\n", text, c->got.len ? c->got.at : "(nothing)");
        return false;
    }
    at = strstr(c->got.at, text) + strlen(text);
    dna_buf_add(&rest, at, strlen(at));
    dna_buf_cleanup(&c->got);
    c->got = rest;
    return true;
}

static void say(struct client *c, const char *text)
{
    bufferevent_write(c->bev, text, strlen(text));
}

#define SEES(c, text) CU_ASSERT(expect(c, text))
#define ENDS(c) CU_ASSERT(run_until(c, &(c)->over, NULL))

static void secure(struct client *c)
{
    SSL *ssl = dna_tls_connect_new(client_tls, "a.example");

    say(c, HEADER "to='a.example'>");
    SEES(c, "<required/>");
    say(c, STARTTLS);
    SEES(c, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    c->bev = bufferevent_openssl_filter_new(base, c->bev, ssl, BUFFEREVENT_SSL_CONNECTING,
                                            BEV_OPT_CLOSE_ON_FREE);
    bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
    bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    CU_ASSERT_FATAL(run_until(c, &c->secured, NULL));
    say(c, HEADER "to='a.example'>");
    SEES(c, "</mechanisms></stream:features>");
}

static void auth_plain(struct client *c, const char *message, size_t len)
{
    struct dna_buf b = DNA_BUF_INIT;

    dna_buf_puts(&b, "<auth " SASL " mechanism='PLAIN'>");
    dna_b64_encode(&b, message, len);
    dna_buf_puts(&b, "</auth>");
    say(c, b.at);
    dna_buf_cleanup(&b);
}
#define AUTH(c, text) auth_plain(c, text, sizeof text - 1)

static struct client *log_in(void)
{
    struct client *c = connect_client();

    secure(c);
    AUTH(c, "\0juliet\0secret");
    SEES(c, "<success " SASL "></success>");
    say(c, HEADER "to='a.example'>");
    SEES(c, "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>");
    return c;
}

static struct client *bound(void)
{
    struct client *c = log_in();

    say(c, BIND);
    SEES(c, "<jid>juliet@a.example/r");
    SEES(c, "</jid></bind></iq>");
    return c;
}

/* Runs the loop until no session is left, so that no case meets another's. */
static void all_gone(void)
{
    const struct timeval limit = { 2, 0 };
    bool late = false;
    struct event *timer = evtimer_new(base, on_deadline, &late);

    evtimer_add(timer, &limit);
    while (!late && dna_c2s_count(service) > 0)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(timer);
    CU_ASSERT_EQUAL(dna_c2s_count(service), 0);
}

static void refused(const char *text, const char *condition)
{
    struct client *c = connect_client();

    say(c, text);
    SEES(c, "id='");
    SEES(c, condition);
    SEES(c, "</stream:stream>");
    disconnect(c);
    all_gone();
}

static void test_headers_refused(void)
{
    refused(HEADER "to='c.example'>", "<host-unknown ");
    refused(HEADER ">", "<host-unknown ");
    refused("<stream:stream xmlns='jabber:server' "
            "xmlns:stream='http://etherx.jabber.org/streams' to='a.example' version='1.0'>",
            "<invalid-namespace ");
    refused("<stream:stream xmlns='jabber:client' xmlns:stream='urn:x' to='a.example' "
            "version='1.0'>",
            "<invalid-namespace ");
    refused("<stream:stream xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams' to='a.example'>",
            "<unsupported-version ");
    refused("<!-- -->", "<restricted-xml ");
    refused("<stream:stream <>", "<not-well-formed ");
}

static void test_elements_refused(void)
{
    refused(HEADER "to='a.example'><message/>", "<not-authorized ");
    refused(HEADER "to='a.example'>" BIND, "<not-authorized ");
    refused(HEADER "to='a.example'><x xmlns='urn:x'/>", "<unsupported-stanza-type ");
    refused(HEADER "to='a.example'><message></x>", "<not-well-formed ");
}

static void test_oversize_before_login(void)
{
    struct client *c = connect_client();
    char *big = dna_calloc(1, 20001);

    memset(big, 'x', 20000);
    say(c, HEADER "to='a.example'><message><body>");
    say(c, big);
    SEES(c, "<policy-violation ");
    disconnect(c);
    free(big);
    all_gone();
}

static void test_no_password_in_clear(void)
{
    struct client *c = connect_client();

    say(c, HEADER "to='a.example'>");
    SEES(c, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
            "</stream:features>");
    AUTH(c, "\0juliet\0secret");
    SEES(c, "<failure " SASL "><encryption-required/></failure>");
    disconnect(c);
    all_gone();
}

static void test_bytes_behind_starttls(void)
{
    struct client *c = connect_client();

    say(c, HEADER "to='a.example'>");
    SEES(c, "</stream:features>");
    say(c, STARTTLS "<auth " SASL " mechanism='PLAIN'>AGEAYg==</auth>");
    ENDS(c);
    CU_ASSERT_PTR_NULL(c->got.len ? strstr(c->got.at, "proceed") : NULL);
    disconnect(c);
    all_gone();
}

/* Whole tables say <proceed/> only with a certificate; without one the stream ends, no more. */
static void test_certificate_gone_behind_proceed(void)
{
    struct client *c = connect_client();

    say(c, HEADER "to='a.example'>");
    SEES(c, "</stream:features>");
    tls_asked = 0;
    tls_ends = 1;
    say(c, STARTTLS);
    SEES(c, "<proceed ");
    ENDS(c);
    tls_ends = UINT_MAX;
    disconnect(c);
    all_gone();
}

static void test_login_bind_message(void)
{
    struct client *c = bound();

    say(c, "<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>");
    SEES(c, "<iq type='result' id='r1' to='juliet@a.example/r'>"
            "<query xmlns='jabber:iq:roster'/></iq>");
    say(c, "<iq type='set' id='s1'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
    SEES(c, "id='s1'");
    say(c, "<message to='juliet@a.example/r' from='forged@b.example' id='m1'><body>x</body>"
           "</message>");
    SEES(c, "<message");
    CU_ASSERT(run_until(c, NULL, "</message>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(c->got.at, "from='juliet@a.example/r'"));
    CU_ASSERT_PTR_NULL(strstr(c->got.at, "forged"));
    SEES(c, "</message>");
    say(c, "<message to='nobody@a.example' id='m2'><body>x</body></message>");
    SEES(c, "<service-unavailable ");
    say(c, BIND);
    SEES(c, "<not-allowed ");
    say(c, "</stream:stream>");
    SEES(c, "</stream:stream>");
    disconnect(c);
    all_gone();
}

static void test_wrong_passwords(void)
{
    struct client *c = connect_client();

    secure(c);
    AUTH(c, "\0juliet\0wrong");
    SEES(c, "<failure " SASL "><not-authorized/></failure>");
    AUTH(c, "romeo@a.example\0juliet\0secret");
    SEES(c, "<failure " SASL "><invalid-authzid/></failure>");
    AUTH(c, "\0juliet");
    SEES(c, "<failure " SASL "><malformed-request/></failure>");
    AUTH(c, "\0juliet\0wrong");
    SEES(c, "<not-authorized/></failure>");
    SEES(c, "<policy-violation ");
    ENDS(c);
    disconnect(c);
    all_gone();
}

static void test_success_after_failures(void)
{
    struct client *c = connect_client();

    secure(c);
    say(c, "<auth " SASL " mechanism='PLAIN'>A</auth>");
    SEES(c, "<failure " SASL "><incorrect-encoding/></failure>");
    say(c, "<auth " SASL " mechanism='EXTERNAL'>=</auth>");
    SEES(c, "<failure " SASL "><invalid-mechanism/></failure>");
    say(c, "<auth " SASL " mechanism='PLAIN'/><abort " SASL "/>");
    SEES(c, "<challenge " SASL "></challenge>");
    SEES(c, "<failure " SASL "><aborted/></failure>");
    say(c, "<auth " SASL " mechanism='PLAIN'/>");
    SEES(c, "<challenge " SASL "></challenge>");
    say(c, "<response " SASL ">AGp1bGlldABzZWNyZXQ=</response>");
    SEES(c, "<success " SASL "></success>");
    disconnect(c);
    all_gone();
}

static void test_other_domain_after_login(void)
{
    struct client *c = connect_client();

    secure(c);
    AUTH(c, "\0juliet\0secret");
    SEES(c, "<success ");
    say(c, HEADER "to='b.example'>");
    SEES(c, "<host-unknown ");
    disconnect(c);
    all_gone();
}

static void test_stanza_before_bind(void)
{
    struct client *c = log_in();

    say(c, "<message to='juliet@a.example'><body>x</body></message>");
    SEES(c, "<not-authorized ");
    disconnect(c);
    all_gone();
}

static void test_resource_conflict(void)
{
    struct client *a = bound(), *b = log_in();

    say(b, BIND);
    SEES(b, "<jid>juliet@a.example/");
    CU_ASSERT(run_until(b, NULL, "</jid>"));
    CU_ASSERT_NOT_EQUAL(strncmp(b->got.at, "r</jid>", 7), 0);
    disconnect(b);
    disconnect(a);
    all_gone();
}

static void test_presence_of_own_resources(void)
{
    struct client *a = bound(), *b = log_in();

    say(a, "<presence/>");
    SEES(a, "from='juliet@a.example/r'");
    say(b, "<iq type='set' id='b2'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>two"
           "</resource></bind></iq><presence/>");
    SEES(b, "<jid>juliet@a.example/two</jid>");
    SEES(a, "from='juliet@a.example/two'");
    disconnect(b);
    SEES(a, "type='unavailable'");
    disconnect(a);
    all_gone();
}

/* A client that does not read costs a bounded amount of memory, and then its stream. */
static void test_slow_reader(void)
{
    struct client *a = bound(), *b = log_in();
    char *body = dna_calloc(1, 100001);

    say(b, "<iq type='set' id='b2'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>slow"
           "</resource></bind></iq>");
    SEES(b, "<jid>juliet@a.example/slow</jid>");
    bufferevent_disable(b->bev, EV_READ);
    bufferevent_disable(bufferevent_get_underlying(b->bev), EV_READ);
    memset(body, 'x', 100000);
    for (int i = 0; i < 120; i++) {
        say(a, "<message to='juliet@a.example/slow' id='big'><body>");
        say(a, body);
        say(a, "</body></message>");
    }
    SEES(a, "<service-unavailable ");
    CU_ASSERT(run_until(a, NULL, "id='big'"));
    disconnect(a);
    all_gone(); /* b has not read a byte */
    disconnect(b);
    free(body);
}

static void test_directed_presence_is_taken_back(void)
{
    struct client *a = bound(), *b = connect_client();

    secure(b);
    AUTH(b, "\0romeo\0secret2");
    SEES(b, "<success ");
    say(b, HEADER "to='a.example'>");
    SEES(b, "</stream:features>");
    say(b, BIND);
    SEES(b, "<jid>romeo@a.example/r</jid>");
    say(b, "<presence to='juliet@a.example/r'/>");
    SEES(a, "from='romeo@a.example/r'");
    say(b, "</stream:stream>");
    CU_ASSERT(run_until(a, NULL, "type='unavailable'"));
    SEES(a, "from='romeo@a.example/r'");
    disconnect(b);
    disconnect(a);
    all_gone();
}

static void test_negotiation_timer(void)
{
    struct client *c = connect_client(), *d = connect_client();

    say(d, HEADER "to='a.example'>");
    SEES(c, "<connection-timeout ");
    SEES(c, "</stream:stream>");
    SEES(d, "<connection-timeout ");
    ENDS(c); /* we do not answer the closing tag: the server's own timer ends it */
    ENDS(d);
    disconnect(c);
    disconnect(d);
    all_gone();
}

static void test_header_after_the_time(void)
{
    struct client *c = connect_client();

    SEES(c, "</stream:stream>");
    say(c, HEADER "to='a.example'><message/>");
    ENDS(c);
    disconnect(c);
    all_gone();
}

static void test_shutdown(void)
{
    struct client *a = bound(), *b = connect_client();

    say(b, HEADER "to='a.example'>");
    SEES(b, "</stream:features>");
    dna_c2s_shutdown(service);
    SEES(a, "<system-shutdown ");
    SEES(a, "</stream:stream>");
    SEES(b, "<system-shutdown ");
    disconnect(a);
    disconnect(b);
    all_gone();
}

static bool set_up(void)
{
    char why[256] = "";
    const struct dna_c2s_setup setup = {
        .base = base = event_base_new(),
        .config = config = dna_config_parse("test", config_text, sizeof config_text - 1, why,
                                            sizeof why),
        .router = router = dna_router_new(),
        .tls = tls_of,
    };

    server_tls = dna_tls_context_new("fixtures/config/a.crt", "fixtures/config/a.key", why,
                                     sizeof why);
    client_tls = dna_tls_context_new(NULL, NULL, why, sizeof why);
    if (!config || !server_tls || !client_tls) {
        printf("%s\n", why);
        return false;
    }
    dna_router_host(router, "a.example");
    dna_router_host(router, "b.example");
    service = dna_c2s_new(&setup);
    return true;
}

static void tear_down(void)
{
    dna_c2s_free(service);
    dna_router_free(router);
    dna_config_free(config);
    SSL_CTX_free(server_tls);
    SSL_CTX_free(client_tls);
    event_base_free(base);
}

static const struct {
    const char *name;
    CU_TestFunc run;
} tests[] = {
    { "headers refused", test_headers_refused },
    { "elements refused", test_elements_refused },
    { "oversize before login", test_oversize_before_login },
    { "no password in clear", test_no_password_in_clear },
    { "bytes behind starttls", test_bytes_behind_starttls },
    { "certificate gone behind proceed", test_certificate_gone_behind_proceed },
    { "login bind message", test_login_bind_message },
    { "wrong passwords", test_wrong_passwords },
    { "success after failures", test_success_after_failures },
    { "other domain after login", test_other_domain_after_login },
    { "stanza before bind", test_stanza_before_bind },
    { "resource conflict", test_resource_conflict },
    { "presence of own resources", test_presence_of_own_resources },
    { "slow reader", test_slow_reader },
    { "directed presence is taken back", test_directed_presence_is_taken_back },
    { "negotiation timer", test_negotiation_timer },
    { "header after the time", test_header_after_the_time },
    { "shutdown", test_shutdown },
};

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    dna_log_open(NULL, DNA_LOG_ERROR);
    if (!set_up())
        return 1;
    CU_initialize_registry();
    suite = CU_add_suite("c2s", NULL, NULL);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        CU_add_test(suite, tests[i].name, tests[i].run);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    tear_down();
    return failures ? 1 : 0;
}
