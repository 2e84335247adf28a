/* SPDX-License-Identifier: MIT */
/* test_look.c -- the outside look at a domain, against a signed zone, a web server and XMPP
   servers of this test, each in a process of its own.  The JSON is parsed back; every
   verdict is reached. */
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>

#include "impl/log.h"
#include "impl/look.h"
#include "impl/test/look_lab.h"

#define TLS_NS "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
#define SASL(m) \
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>" m "</mechanism></mechanisms>"
#define STARTTLS "<starttls " TLS_NS "><required/></starttls>"
#define DIALBACK "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
#define BIDI "<bidi xmlns='urn:xmpp:features:bidi'/>"

/* How one XMPP server behaves; before NULL: it closes at once; after NULL: it falls silent. */
struct script {
    const char *ns, *before, *after;
    const struct identity *as;
    bool ask;
};

static void header(struct peer *p, const struct script *s, const char *features)
{
    struct dna_buf b = DNA_BUF_INIT;

    dna_buf_printf(&b,
                   "<?xml version='1.0'?><stream:stream xmlns='jabber:%s' xmlns:stream="
                   "'http://etherx.jabber.org/streams' from='a.example' id='1' version='1.0'>"
                   "<stream:features>%s</stream:features>",
                   s->ns, features);
    say(p, b.at);
    dna_buf_cleanup(&b);
}

static void play(int listener, const struct script *s)
{
    struct peer p = { .fd = accept(listener, NULL, NULL) };

    if (!hear(&p, "<stream:stream") || !s->before)
        return;
    header(&p, s, s->before);
    if (hear(&p, "<starttls")) {
        say(&p, "<proceed " TLS_NS "/>");
        upgrade(&p, s->as, s->ask);
        if (hear(&p, "<stream:stream") && s->after)
            header(&p, s, s->after);
    }
    hear(&p, "</stream:stream>");
    say(&p, "</stream:stream>");
}

static uint16_t begin_xmpp(const struct script *s)
{
    uint16_t port;
    int listener = listen_somewhere(&port);

    if (become_child()) {
        play(listener, s);
        _exit(0);
    }
    close(listener);
    return port;
}

/* --- a world: what the domain is like, and one look at it --- */

static const struct script client_ok = { "client", STARTTLS, SASL("SCRAM-SHA-1"), &good, false };
static const struct script server_ok = { "server", STARTTLS, SASL("EXTERNAL") DIALBACK BIDI, &good,
                                         true };
static const struct script client_own = { "client", STARTTLS, SASL("PLAIN"), &own, false };
static const struct script server_own = { "server", STARTTLS, DIALBACK, &own, false };

struct world {
    const struct script *c2s, *s2s; /* NULL: nobody listens there */
    const char *domain;             /* NULL: a.example */
    const struct identity *tlsa;    /* whose key the zone names at host.example; NULL: none */
    const char *posh;               /* the document; NULL: 404 */
    const char *records[4];         /* further ones */
    bool no_srv, no_anchor, certificate, only_c2s, bogus_tlsa, no_dane;
};

static void begin_service(const struct world *w, const char *service, const struct script *s)
{
    uint16_t port;

    if (s) {
        port = begin_xmpp(s);
    } else {
        close(listen_somewhere(&port)); /* a port where nobody is */
    }
    if (!w->no_srv)
        record("_%s._tcp.%s. 60 IN SRV 10 0 %u host.example.", service,
               w->domain ? w->domain : "a.example", port);
    if (w->tlsa)
        record_tlsa(port, w->tlsa);
    if (w->bogus_tlsa)
        record_bogus_tlsa(port);
}

struct seen {
    enum dna_client_status status;
    json_t *document, *c2s, *s2s;
    char *text; /* what people see */
};

static char *look(const struct dna_look_options *o, enum dna_client_status *out_status)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    *out_status = dna_look_run(o, out);
    fclose(out);
    return text;
}

static void options(struct dna_look_options *o, const struct world *w, const struct names *n,
                    uint16_t posh_port)
{
    dna_look_options_default(o);
    o->domain = o->ascii = w->domain ? w->domain : "a.example";
    o->s2s = !w->only_c2s;
    o->knobs.dane = !w->no_dane;
    o->env.resolver = n->resolver;
    o->env.trust_anchor = w->no_anchor ? NULL : n->anchor;
    o->env.ca_file = root.file;
    o->env.posh_port = posh_port;
    o->env.resolve_ms = 3000;
    o->env.certificate = o->env.key = w->certificate ? good.file : NULL;
    o->connect_ms = o->negotiation_ms = 3000;
    o->close_ms = 300;
}

static struct seen see(const struct world *w, bool json)
{
    struct dna_look_options o;
    struct names n;
    struct seen s = { .text = NULL };
    uint16_t posh_port = begin_web(w->posh);

    for (size_t i = 0; i < 4 && w->records[i]; i++)
        record("%s", w->records[i]);
    record("a.example. 60 IN A 127.0.0.1");
    record("host.example. 60 IN A 127.0.0.1");
    begin_service(w, "xmpp-client", w->c2s);
    if (!w->only_c2s)
        begin_service(w, "xmpp-server", w->s2s);
    begin_dns(&n);
    options(&o, w, &n, posh_port);
    o.json = json;
    s.text = look(&o, &s.status);
    end_children();
    if (json) {
        json_error_t why;
        json_t *services;
        s.document = json_loads(s.text, JSON_REJECT_DUPLICATES, &why);
        CU_ASSERT_PTR_NOT_NULL_FATAL(s.document);
        services = json_object_get(s.document, "services");
        s.c2s = json_object_get(services, "c2s");
        s.s2s = json_object_get(services, "s2s");
    }
    return s;
}

static void end(struct seen *s)
{
    json_decref(s->document);
    free(s->text);
}

/* at() follows a path of members and indexes: "certificate.names.0.value". */
static const json_t *at(const json_t *from, const char *path)
{
    char part[64];

    while (from && *path) {
        size_t len = strcspn(path, ".");
        snprintf(part, sizeof part, "%.*s", (int)len, path);
        from = json_is_array(from) ? json_array_get(from, (size_t)atoi(part))
                                   : json_object_get(from, part);
        path += len + (path[len] == '.');
    }
    return from;
}

static void is(const struct seen *s, const json_t *from, const char *path, const char *value)
{
    const json_t *found = at(from, path);
    const char *text = json_is_true(found)    ? "true"
                       : json_is_false(found) ? "false"
                       : json_is_null(found)  ? "null"
                       : found                ? json_string_value(found)
                                              : "(not there)";

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, value);
    if (strcmp(text, value) != 0)
        printf("\n%s is %s, not %s, in:\n%s", path, text, value, s->text);
}

static void says(const struct seen *s, const json_t *service, const char *name, const char *what)
{
    const json_t *list = json_object_get(service, "prooftypes"), *one;
    size_t i;

    json_array_foreach(list, i, one)
        if (strcmp(json_string_value(json_object_get(one, "name")), name) == 0) {
            is(s, one, "says", what);
            return;
        }
    CU_FAIL("no such prooftype");
}

/* --- the cases --- */

static void test_strong_by_pkix(void)
{
    const struct world w = { .c2s = &client_ok, .s2s = &server_ok };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_OK);
    CU_ASSERT_EQUAL(json_integer_value(at(s.document, "exit")), 0);
    is(&s, s.document, "dnssec_validated", "true");
    is(&s, s.c2s, "outcome", "checked");
    is(&s, s.c2s, "verdict", "strong");
    is(&s, s.c2s, "held.0", "PKIX");
    is(&s, s.c2s, "held.1", "(not there)");
    says(&s, s.c2s, "PKIX", "held");
    says(&s, s.c2s, "DANE", "absent");
    says(&s, s.c2s, "POSH", "absent");
    is(&s, s.c2s, "srv.security", "secure");
    is(&s, s.c2s, "srv.records.0.target", "host.example");
    is(&s, s.c2s, "targets.0.addresses.0", "127.0.0.1");
    is(&s, s.c2s, "targets.0.attempts.0.result", "open");
    is(&s, s.c2s, "targets.0.tlsa.result", "none");
    is(&s, s.c2s, "delegation.to", "host.example");
    is(&s, s.c2s, "delegation.secure", "true");
    is(&s, s.c2s, "delegation.by.0", "DNSSEC");
    is(&s, s.c2s, "certificate.names.0.type", "dNSName");
    is(&s, s.c2s, "certificate.names.0.value", "a.example");
    is(&s, s.c2s, "certificate.issuer", "CN = root");
    CU_ASSERT_EQUAL(json_integer_value(at(s.c2s, "certificate.days_left")), 30);
    is(&s, s.c2s, "features_before_tls.starttls_required", "true");
    is(&s, s.c2s, "features_after_tls.mechanisms.0", "SCRAM-SHA-1");
    is(&s, s.c2s, "tls.asks_for_certificate", "false");
    is(&s, s.s2s, "verdict", "strong");
    is(&s, s.s2s, "features_after_tls.external", "true");
    is(&s, s.s2s, "features_after_tls.dialback_errors", "true");
    is(&s, s.s2s, "features_after_tls.bidi", "true");
    is(&s, s.s2s, "tls.asks_for_certificate", "true");
    is(&s, s.s2s, "tls.certificate_shown", "false");
    is(&s, s.s2s, "advice.0", "(not there)");
    end(&s);
}

static void test_nothing_proves_it(void)
{
    const struct world w = { .c2s = &client_own, .s2s = &server_own, .certificate = true };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_REFUSED);
    is(&s, s.c2s, "verdict", "none");
    is(&s, s.c2s, "features_after_tls.mechanisms.0", "PLAIN");
    is(&s, s.c2s, "certificate.self_signed", "true");
    is(&s, s.s2s, "verdict", "none");
    is(&s, s.s2s, "features_after_tls.dialback", "true");
    is(&s, s.s2s, "features_after_tls.external", "false");
    is(&s, s.s2s, "tls.asks_for_certificate", "false");
    is(&s, s.s2s, "refuted.0", "(not there)");
    end(&s);
}

static void test_our_certificate(void)
{
    const struct world w = { .c2s = &client_ok, .s2s = &server_ok, .certificate = true };
    struct seen s = see(&w, true);

    is(&s, s.s2s, "tls.asks_for_certificate", "true");
    is(&s, s.s2s, "tls.certificate_shown", "true");
    end(&s);
}

static void test_dane(void)
{
    struct world w = { .c2s = &client_own, .s2s = &server_own, .tlsa = &own };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_OK);
    is(&s, s.c2s, "verdict", "strong");
    is(&s, s.c2s, "held.0", "DANE");
    is(&s, s.c2s, "targets.0.tlsa.security", "secure");
    is(&s, s.s2s, "held.0", "DANE");
    CU_ASSERT_EQUAL(json_integer_value(at(s.s2s, "targets.0.tlsa.records.0.usage")), 3);
    end(&s);
    w.no_anchor = true;
    s = see(&w, true);
    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_REFUSED);
    is(&s, s.c2s, "verdict", "none");
    is(&s, s.c2s, "srv.security", "unvalidated");
    is(&s, s.c2s, "delegation.secure", "false");
    end(&s);
}

/* The records name another key: a certificate that PKIX would take is refuted all the same. */
static void test_refuted_by_dane(void)
{
    const struct world w = { .c2s = &client_ok, .s2s = &server_ok, .tlsa = &own };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_REFUSED);
    is(&s, s.c2s, "verdict", "refuted");
    is(&s, s.c2s, "refuted.0", "DANE");
    is(&s, s.c2s, "outcome", "checked");
    is(&s, s.c2s, "features_after_tls", "null");
    is(&s, s.s2s, "verdict", "refuted");
    is(&s, s.s2s, "features_after_tls", "null");
    says(&s, s.s2s, "PKIX", "held");
    end(&s);
}

static void test_posh(void)
{
    char *right = document_of(&own), *wrong = document_of(&root);
    struct world w = { .c2s = &client_own, .s2s = &server_own, .posh = right, .no_anchor = true };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_OK);
    is(&s, s.c2s, "held.0", "POSH");
    is(&s, s.c2s, "delegation.secure", "true");
    is(&s, s.c2s, "delegation.by.0", "POSH");
    is(&s, s.c2s, "posh.result", "document");
    CU_ASSERT_EQUAL(json_integer_value(at(s.s2s, "posh.fingerprints")), 1);
    CU_ASSERT_TRUE(json_integer_value(at(s.s2s, "posh.expires_s")) > 80);
    end(&s);
    w.posh = wrong;
    s = see(&w, true);
    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_REFUSED);
    is(&s, s.c2s, "verdict", "refuted");
    is(&s, s.s2s, "refuted.0", "POSH");
    end(&s);
    w.posh = "no document";
    s = see(&w, true);
    is(&s, s.c2s, "verdict", "none");
    is(&s, s.c2s, "posh.result", "failed");
    is(&s, s.c2s, "posh.answered", "true");
    says(&s, s.c2s, "POSH", "unclear");
    end(&s);
    free(right);
    free(wrong);
}

static void test_no_tls(void)
{
    static const struct script plain = { "client", SASL("PLAIN"), "", &good, false };
    static const struct script none = { "server", DIALBACK, "", &good, false };
    const struct world w = { .c2s = &plain, .s2s = &none };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_REFUSED);
    is(&s, s.c2s, "outcome", "no-tls");
    is(&s, s.c2s, "verdict", "null");
    is(&s, s.c2s, "features_before_tls.mechanisms.0", "PLAIN");
    is(&s, s.s2s, "outcome", "no-tls");
    is(&s, s.s2s, "tls", "null");
    end(&s);
}

static void test_lost_and_unreachable(void)
{
    static const struct script closes = { "client", NULL, NULL, &good, false };
    const struct world w = { .c2s = &closes, .s2s = NULL };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_NETWORK);
    is(&s, s.c2s, "outcome", "lost");
    is(&s, s.s2s, "outcome", "unreachable");
    is(&s, s.s2s, "targets.0.attempts.0.result", "refused");
    is(&s, s.s2s, "connected", "null");
    end(&s);
}

/* A verdict stands, though the server says nothing more. */
static void test_silent_after_tls(void)
{
    static const struct script silent = { "client", STARTTLS, NULL, &good, false };
    const struct world w = { .c2s = &silent, .only_c2s = true };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_OK);
    is(&s, s.c2s, "verdict", "strong");
    is(&s, s.c2s, "outcome", "checked");
    is(&s, s.c2s, "features_after_tls", "null");
    CU_ASSERT_PTR_NULL(s.s2s);
    end(&s);
}

/* Bogus is no failure: where DANE is off, a failed lookup falls back, a bogus one never does. */
static void test_bogus_is_no_failure(void)
{
    struct world w = { .only_c2s = true, .no_srv = true, .no_dane = true,
                       .records = { "_xmpp-client._tcp.a.example. 60 IN CNAME srv.broken.example.",
                                    "srv.broken.example. 60 IN SRV 0 0 1 host.example." } };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_REFUSED);
    is(&s, s.c2s, "outcome", "bogus");
    is(&s, s.c2s, "targets.0", "(not there)");
    end(&s);
    w = (struct world){ .only_c2s = true, .no_srv = true, .no_dane = true,
                        .domain = "failing.example" };
    s = see(&w, true);
    is(&s, s.c2s, "srv.result", "failed");
    is(&s, s.c2s, "targets.0.host", "failing.example");
    end(&s);
}

static void test_one_of_two(void)
{
    const struct world w = { .c2s = &client_own, .s2s = &server_ok };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_REFUSED);
    is(&s, s.c2s, "verdict", "none");
    is(&s, s.s2s, "verdict", "strong");
    end(&s);
}

static void test_second_target(void)
{
    const struct world w = {
        .c2s = &client_ok,
        .only_c2s = true,
        .records = { "_xmpp-client._tcp.a.example. 60 IN SRV 1 0 1 x.example.",
                     "_xmpp-client._tcp.a.example. 60 IN SRV 2 0 1 host.example.",
                     "_xmpp-client._tcp.a.example. 60 IN SRV 99 0 5222 x.example." }
    };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_OK);
    is(&s, s.c2s, "targets.0.host", "x.example");
    is(&s, s.c2s, "targets.0.address_result", "none");
    is(&s, s.c2s, "targets.1.attempts.0.result", "refused");
    is(&s, s.c2s, "targets.2.attempts.0.result", "open");
    is(&s, s.c2s, "targets.3.address_result", "null");
    is(&s, s.c2s, "host", "host.example");
    end(&s);
}

/* Records that can't be trusted keep us away from a target that would do. */
static void test_barred(void)
{
    const struct world w = { .c2s = &client_ok, .only_c2s = true, .bogus_tlsa = true };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_REFUSED);
    is(&s, s.c2s, "outcome", "bogus");
    is(&s, s.c2s, "targets.0.barred", "true");
    is(&s, s.c2s, "targets.0.tlsa.result", "bogus");
    is(&s, s.c2s, "connected", "null");
    end(&s);
}

static void test_bogus_and_none(void)
{
    struct world w = { .only_c2s = true, .domain = "broken.example" };
    struct seen s = see(&w, true);

    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_REFUSED);
    is(&s, s.c2s, "outcome", "bogus");
    is(&s, s.c2s, "srv.result", "bogus");
    is(&s, s.c2s, "verdict", "null");
    end(&s);
    w = (struct world){ .only_c2s = true, .no_srv = true,
                        .records = { "_xmpp-client._tcp.a.example. 60 IN SRV 0 0 0 ." } };
    s = see(&w, true);
    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_NETWORK);
    is(&s, s.c2s, "outcome", "no-service");
    end(&s);
    w = (struct world){ .only_c2s = true, .no_srv = true, .domain = "failing.example" };
    s = see(&w, true);
    CU_ASSERT_EQUAL(s.status, DNA_CLIENT_NETWORK);
    is(&s, s.c2s, "outcome", "unreachable");
    is(&s, s.c2s, "srv.result", "failed");
    end(&s);
}

static void test_text(void)
{
    struct world w = { .c2s = &client_own, .s2s = &server_own, .tlsa = &own };
    struct seen s = see(&w, false);

    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "client to server: strong, proved by DANE\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "RESULT domain=a.example c2s=strong s2s=strong exit=0"));
    end(&s);
    w.no_anchor = true;
    s = see(&w, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "no trust anchor, DANE proves nothing"));
    CU_ASSERT_PTR_NOT_NULL(strstr(s.text, "RESULT domain=a.example c2s=none s2s=none exit=1"));
    end(&s);
}

/* What is meant for people at a terminal has no place among results. */
static void hush(bool on)
{
    static int saved[2];
    int nowhere;

    fflush(stdout);
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        if (on) {
            saved[fd - 1] = dup(fd);
            nowhere = open("/dev/null", O_WRONLY);
            dup2(nowhere, fd);
            close(nowhere);
        } else {
            dup2(saved[fd - 1], fd);
            close(saved[fd - 1]);
        }
    }
}

static int command(const char *a, const char *b, const char *c, const char *d)
{
    const char *const given[] = { "check", a, b, c, d, NULL };
    char *argv[6] = { NULL }, *owned[6];
    int argc = 0, status;

    while (given[argc]) {
        owned[argc] = argv[argc] = dna_strdup(given[argc]);
        argc++;
    }
    optind = 0;
    hush(true);
    status = dna_look_command(argc, argv);
    hush(false);
    while (argc)
        free(owned[--argc]);
    return status;
}

static void test_command_line(void)
{
    CU_ASSERT_EQUAL(command("--help", NULL, NULL, NULL), 0);
    CU_ASSERT_EQUAL(command(NULL, NULL, NULL, NULL), DNA_CLIENT_USAGE);
    CU_ASSERT_EQUAL(command("a.example", "b.example", NULL, NULL), DNA_CLIENT_USAGE);
    CU_ASSERT_EQUAL(command("a..example", NULL, NULL, NULL), DNA_CLIENT_USAGE);
    CU_ASSERT_EQUAL(command("a.example", "--cert", "x", NULL), DNA_CLIENT_USAGE);
    CU_ASSERT_EQUAL(command("a.example", "--from", "a b", NULL), DNA_CLIENT_USAGE);
    CU_ASSERT_EQUAL(command("a.example", "--knob", "dane=7", NULL), DNA_CLIENT_USAGE);
    CU_ASSERT_EQUAL(command("a.example", "--nonsense", NULL, NULL), DNA_CLIENT_USAGE);
    CU_ASSERT_EQUAL(command("a.example", "--ca-file", "/nonexistent", NULL), DNA_CLIENT_USAGE);
}

int main(void)
{
    static const struct {
        const char *name;
        CU_TestFunc run;
    } tests[] = { { "strong by PKIX", test_strong_by_pkix },
                  { "nothing proves it", test_nothing_proves_it },
                  { "our certificate", test_our_certificate },
                  { "DANE", test_dane },
                  { "refuted by DANE", test_refuted_by_dane },
                  { "POSH", test_posh },
                  { "no TLS", test_no_tls },
                  { "lost and unreachable", test_lost_and_unreachable },
                  { "silent after TLS", test_silent_after_tls },
                  { "second target", test_second_target },
                  { "barred", test_barred },
                  { "bogus is no failure", test_bogus_is_no_failure },
                  { "one of two", test_one_of_two },
                  { "bogus and none", test_bogus_and_none },
                  { "command line", test_command_line },
                  { "text", test_text } };
    CU_pSuite suite;
    unsigned failures;

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    dna_log_open(NULL, DNA_LOG_ERROR);
    CU_initialize_registry();
    suite = CU_add_suite("look", mint_all, forget_all);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        CU_add_test(suite, tests[i].name, tests[i].run);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
