/* SPDX-License-Identifier: MIT */
/* test_client.c -- xdna-client's run against scripted servers, each in a process of its own: which
   association it establishes, and that no server sees a login before there is one.  Run from the
   repository's root. */
#include "impl/client.h"
#include "impl/client_command.h"
#include "impl/client_env.h"
#include "impl/log.h"
#include "impl/pkix.h"
#include "impl/test/client_lab.h"
#include "impl/test/look_lab.h"

static void test_strong(void)
{
    static const struct step then[] = {
        { "<stream:stream", HEADER OFFER("PLAIN"), false },
        { "</auth>", "<success " SASL_NS "/>", false },
        { "<stream:stream", HEADER OFFER_BIND, false },
        { "<bind", "<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                   "</stream:error></stream:stream>", false },
        { NULL, NULL, false }
    };
    struct dna_client_options o;

    defaults(&o, "romeo@a.example");
    check(run(&o, to_tls, then), DNA_CLIENT_REFUSED, true, "error: reset");
    defaults(&o, "romeo@a.example");
    check(run(&o, to_tls, then), DNA_CLIENT_REFUSED, true, "association=strong");
}

static const struct step offer_scram[] = {
    { "<stream:stream", HEADER OFFER("SCRAM-SHA-256"), false },
    { "</auth>", "<failure " SASL_NS "><not-authorized/></failure>", false },
    { NULL, NULL, false }
};

static void test_association_only(void)
{
    struct dna_client_options o;

    defaults(&o, "a.example");
    o.password = NULL;
    check(run(&o, to_tls, offer_scram), DNA_CLIENT_OK, false, "strong, proved by PKIX");
}

static void test_untrusted_is_refused(void)
{
    struct dna_client_options o;

    defaults(&o, "romeo@a.example");
    o.ca_file = "fixtures/config/ca.crt";
    check(run(&o, to_tls, NULL), DNA_CLIENT_REFUSED, false, "self-signed");
}

static void test_wrong_name_is_refused(void)
{
    struct dna_client_options o;

    defaults(&o, "romeo@b.example");
    check(run(&o, to_tls, NULL), DNA_CLIENT_REFUSED, false, "does not name b.example");
}

static void test_user_is_asked(void)
{
    struct dna_client_options o;
    int answers[2];

    CU_ASSERT_EQUAL_FATAL(pipe(answers), 0);
    CU_ASSERT_EQUAL(write(answers[1], "yes\n", 4), 4);
    defaults(&o, "romeo@a.example");
    o.ca_file = "fixtures/config/ca.crt";
    o.may_ask = true;
    o.ask_fd = answers[0];
    check(run(&o, to_tls, offer_scram), DNA_CLIENT_REFUSED, true, "association=unauthenticated");
    CU_ASSERT_EQUAL(write(answers[1], "whatever\n", 9), 9);
    check(run(&o, to_tls, offer_scram), DNA_CLIENT_REFUSED, false, "the answer is no");
    close(answers[1]);
    check(run(&o, to_tls, offer_scram), DNA_CLIENT_REFUSED, false, "the answer is no");
    close(answers[0]);
}

static void test_consent_and_plain(void)
{
    static const struct step plain[] = { { "<stream:stream", HEADER OFFER("PLAIN"), false },
                                         { NULL, NULL, false } };
    struct dna_client_options o;

    defaults(&o, "romeo@a.example");
    o.ca_file = "fixtures/config/ca.crt";
    o.accept_unauthenticated = true;
    check(run(&o, to_tls, offer_scram), DNA_CLIENT_REFUSED, true, "failed: not-authorized");
    check(run(&o, to_tls, plain), DNA_CLIENT_REFUSED, false, "nothing that may be used here");
}

static void test_pin(void)
{
    struct dna_client_options o;
    char leaf[DNA_PIN_HEX + 1], pem[] = "fixtures/config/a.crt";
    FILE *in = fopen(pem, "r");
    X509 *x = PEM_read_X509(in, NULL, NULL, NULL);

    fclose(in);
    CU_ASSERT_FATAL(dna_pkix_fingerprint(x, leaf));
    X509_free(x);
    defaults(&o, "a.example");
    o.ca_file = "fixtures/config/ca.crt";
    o.pin = leaf;
    check(run(&o, to_tls, offer_scram), DNA_CLIENT_OK, false, "association=pinned");
    leaf[0] = leaf[0] == '0' ? '1' : '0';
    check(run(&o, to_tls, offer_scram), DNA_CLIENT_REFUSED, false, "is not the one");
}

static void test_success_without_proof(void)
{
    static const struct step then[] = {
        { "<stream:stream", HEADER OFFER("SCRAM-SHA-256"), false },
        { "</auth>", "<success " SASL_NS "/>", false },
        { NULL, NULL, false }
    };
    struct dna_client_options o;

    defaults(&o, "romeo@a.example");
    check(run(&o, to_tls, then), DNA_CLIENT_REFUSED, true, "does not prove that it knows");
}

static void refuses(const char *answer, enum dna_client_status status, const char *says)
{
    const struct step script[] = { { "<stream:stream", answer, false }, { NULL, NULL, false } };
    struct dna_client_options o;

    defaults(&o, "romeo@a.example");
    check(run(&o, script, NULL), status, false, says);
}

static void test_no_tls(void)
{
    refuses(HEADER OFFER("PLAIN"), DNA_CLIENT_REFUSED, "not fit for it");
    refuses(HEADER "<stream:features/>", DNA_CLIENT_REFUSED, "not fit for it");
    refuses(HEADER "<proceed " TLS_NS "/>", DNA_CLIENT_REFUSED, "STARTTLS failed");
    refuses(HEADER "<success " SASL_NS "/>", DNA_CLIENT_REFUSED, "not fit for it");
    refuses(HEADER "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                   "</stream:error></stream:stream>",
            DNA_CLIENT_REFUSED, "error: host-unknown");
    refuses("<a/>", DNA_CLIENT_REFUSED, "not fit for it");
    refuses("HTTP/1.1 400 Bad Request\r\n\r\n<html>", DNA_CLIENT_REFUSED, "not fit for it");
}

static void test_starttls_answers(void)
{
    static const struct step refused[] = {
        { "<stream:stream", HEADER OFFER_TLS, false },
        { "<starttls", "<failure " TLS_NS "/></stream:stream>", false },
        { NULL, NULL, false }
    };
    static const struct step injected[] = {
        { "<stream:stream", HEADER OFFER_TLS, false },
        { "<starttls", "<proceed " TLS_NS "/>" OFFER("PLAIN"), false },
        { NULL, NULL, false }
    };
    struct dna_client_options o;

    defaults(&o, "romeo@a.example");
    check(run(&o, refused, NULL), DNA_CLIENT_REFUSED, false, "STARTTLS failed");
    check(run(&o, injected, NULL), DNA_CLIENT_REFUSED, false, "STARTTLS failed");
}

/* A header that does not end: what is larger than the limit is refused, what is not waits. */
static void test_oversize(void)
{
    static char header[20100] = "<stream:stream of='";
    const struct step script[] = { { "<stream:stream", header, false }, { NULL, NULL, false } };
    struct dna_client_options o;

    memset(header + strlen(header), 'x', 20000);
    defaults(&o, "romeo@a.example");
    o.limit_stanza = 10000;
    check(run(&o, script, NULL), DNA_CLIENT_REFUSED, false, "policy-violation");
    o.limit_stanza = 20100;
    o.negotiation_ms = 200;
    o.close_ms = 100;
    check(run(&o, script, NULL), DNA_CLIENT_NETWORK, false, "no progress in time");
}

static void test_limit(void)
{
    static const char *const bad[] = { "", "9999", "16777217", "20k", "-20000", "many", " 20000" };
    uint32_t bytes = 0;

    CU_ASSERT_TRUE(dna_command_limit("10000", &bytes));
    CU_ASSERT_EQUAL(bytes, 10000);
    CU_ASSERT_TRUE(dna_command_limit("16777216", &bytes));
    CU_ASSERT_EQUAL(bytes, 16777216);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_FALSE(dna_command_limit(bad[i], &bytes));
    CU_ASSERT_EQUAL(bytes, 16777216);
}

static void test_silent_server(void)
{
    static const struct step silent[] = { { "nothing that ever comes", NULL, false },
                                          { NULL, NULL, false } };
    struct dna_client_options o;

    defaults(&o, "romeo@a.example");
    o.negotiation_ms = 200;
    o.close_ms = 100;
    check(run(&o, silent, NULL), DNA_CLIENT_NETWORK, false, "no progress in time");
}

static void test_nobody_there(void)
{
    struct dna_client_options o;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    defaults(&o, "romeo@a.example");
    o.connect_port = 1;
    CU_ASSERT_EQUAL(dna_client_run(&o, out), DNA_CLIENT_NETWORK);
    fclose(out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "can't be reached"));
    free(text);
}

/* --- a.example is found by a signed zone, at host.example --- */

struct world {
    const struct identity *as;   /* what the server presents */
    const struct identity *tlsa; /* whose key the zone names; NULL: none */
    char *posh;                  /* the document; freed; NULL: 404 */
    bool no_anchor, bogus_tlsa, second;
};

static struct result run_in(struct world w, struct dna_client_options *o)
{
    struct names n;
    struct result r;
    uint16_t port;
    int listener = listen_somewhere(&port);

    record("a.example. 60 IN A 127.0.0.1");
    record("host.example. 60 IN A 127.0.0.1");
    record("other.example. 60 IN A 127.0.0.1");
    record("_xmpp-client._tcp.a.example. 60 IN SRV 1 0 %u host.example.", port);
    if (w.second)
        record("_xmpp-client._tcp.a.example. 60 IN SRV 2 0 %u other.example.", port);
    if (w.tlsa)
        record_tlsa(port, w.tlsa);
    if (w.bogus_tlsa)
        record_bogus_tlsa(port);
    o->posh_port = begin_web(w.posh);
    begin_dns(&n);
    o->connect_host = NULL;
    o->resolver = n.resolver;
    o->trust_anchor = w.no_anchor ? NULL : n.anchor;
    o->ca_file = root.file;
    certificate = key_file = w.as->file;
    r = run_on(listener, o, to_tls, offer_scram);
    certificate = "fixtures/config/a.crt";
    key_file = "fixtures/config/a.key";
    end_children();
    free(w.posh);
    return r;
}

static void test_strong_by_dane(void)
{
    struct dna_client_options o;

    defaults(&o, "a.example");
    check(run_in((struct world){ .as = &own, .tlsa = &own }, &o), DNA_CLIENT_OK, false,
          "a.example: strong, proved by DANE  [");
    check(run_in((struct world){ .as = &own, .tlsa = &own }, &o), DNA_CLIENT_OK, false,
          "DANE for a.example: held (TLSA 3 1 1 at ");
    check(run_in((struct world){ .as = &good, .tlsa = &good }, &o), DNA_CLIENT_OK, false,
          "strong, proved by DANE and PKIX");
    check(run_in((struct world){ .as = &own, .tlsa = &own, .no_anchor = true }, &o),
          DNA_CLIENT_REFUSED, false,
          "DNSSEC is not validated: no trust anchor, DANE proves nothing");
}

static void test_strong_by_posh(void)
{
    struct dna_client_options o;

    defaults(&o, "a.example");
    check(run_in((struct world){ .as = &own, .posh = document_of(&own) }, &o), DNA_CLIENT_OK,
          false, "strong, proved by POSH");
    o.knobs.posh = 0;
    check(run_in((struct world){ .as = &own, .posh = document_of(&own) }, &o), DNA_CLIENT_REFUSED,
          false, "POSH for a.example: absent");
}

/* Neither a pin nor consent, given before or asked for, stands against the owner's word. */
static void refuted(struct world w, const char *by)
{
    struct dna_client_options o;
    char leaf[DNA_PIN_HEX + 1];
    const char *posh = w.posh;
    int answers[2];

    CU_ASSERT_FATAL(dna_pkix_fingerprint(w.as->x, leaf));
    CU_ASSERT_EQUAL_FATAL(pipe(answers), 0);
    CU_ASSERT_EQUAL(write(answers[1], "yes\n", 4), 4);
    for (int how = 0; how < 4; how++) {
        defaults(&o, "romeo@a.example");
        o.pin = how == 1 ? leaf : NULL;
        o.accept_unauthenticated = how == 2;
        o.may_ask = how == 3;
        o.ask_fd = how == 3 ? answers[0] : -1;
        w.posh = posh ? dna_strdup(posh) : NULL;
        check(run_in(w, &o), DNA_CLIENT_REFUSED, false, by);
    }
    close(answers[0]);
    close(answers[1]);
}

static void test_refuted(void)
{
    char *posh = document_of(&root);

    refuted((struct world){ .as = &own, .tlsa = &root }, "association=refuted");
    refuted((struct world){ .as = &good, .tlsa = &root }, "a.example: refuted by DANE, ");
    refuted((struct world){ .as = &own, .posh = posh }, "a.example: refuted by POSH, ");
    free(posh);
}

static void test_barred_target(void)
{
    struct dna_client_options o;

    defaults(&o, "a.example");
    check(run_in((struct world){ .as = &good, .bogus_tlsa = true }, &o), DNA_CLIENT_NETWORK, false,
          "must not be connected to");
    check(run_in((struct world){ .as = &good, .bogus_tlsa = true, .second = true }, &o),
          DNA_CLIENT_OK, false, "other.example is 127.0.0.1");
}

/* --- revocation lists --- */

/* A list by root of this certificate, or of none; its file is the caller's to remove. */
static void write_list(char *path, X509 *revoked)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *t = ASN1_TIME_new();
    FILE *out;

    X509_CRL_set_version(crl, 1);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(root.x));
    X509_CRL_set1_lastUpdate(crl, X509_gmtime_adj(t, -86400));
    X509_CRL_set1_nextUpdate(crl, X509_gmtime_adj(t, 86400));
    if (revoked) {
        X509_REVOKED *gone = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(gone, X509_get_serialNumber(revoked));
        X509_REVOKED_set_revocationDate(gone, X509_gmtime_adj(t, -86400));
        X509_CRL_add0_revoked(crl, gone);
    }
    X509_CRL_sort(crl);
    X509_CRL_sign(crl, root.key, EVP_sha256());
    out = fdopen(mkstemp(path), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    PEM_write_X509_CRL(out, crl);
    fclose(out);
    ASN1_TIME_free(t);
    X509_CRL_free(crl);
}

/* What an environment with this list says of the good certificate. */
static unsigned listed(const char *crl_file)
{
    struct dna_knobs knobs = dna_knobs_default();
    struct dna_client_env_options o = { .resolver = "127.0.0.1@1", .ca_file = root.file,
                                        .crl_file = crl_file, .knobs = &knobs,
                                        .resolve_ms = 1000 };
    struct event_base *base = event_base_new();
    struct prooftype_pkix_facts facts = { 0 };
    struct dna_client_env env;
    char why[400] = "";

    CU_ASSERT_TRUE_FATAL(dna_client_env_open(&env, base, &o, why, sizeof why));
    dna_pkix_path_facts(good.x, NULL, env.store, true, &facts, why, sizeof why);
    dna_client_env_close(&env);
    event_base_free(base);
    return facts.listed;
}

static void test_lists_are_consulted(void)
{
    char names_it[] = "/tmp/test_env_XXXXXX", names_none[] = "/tmp/test_env_XXXXXX";

    write_list(names_it, good.x);
    write_list(names_none, NULL);
    CU_ASSERT_EQUAL(listed(names_it), DNA_LISTED_REVOKED);
    CU_ASSERT_EQUAL(listed(names_none), DNA_LISTED_NOT);
    CU_ASSERT_EQUAL(listed(NULL), DNA_LISTED_NO_LIST);
    unlink(names_it);
    unlink(names_none);
}

static void cannot_use(const char *crl_file, const char *reason)
{
    struct dna_knobs knobs = dna_knobs_default();
    struct dna_client_env_options o = { .resolver = "127.0.0.1@1", .ca_file = root.file,
                                        .crl_file = crl_file, .knobs = &knobs };
    struct event_base *base = event_base_new();
    struct dna_client_env env;
    char why[400] = "";

    CU_ASSERT_FALSE(dna_client_env_open(&env, base, &o, why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, crl_file));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, reason));
    dna_client_env_close(&env);
    event_base_free(base);
}

static void test_file_that_cannot_be_read(void)
{
    cannot_use("/nonexistent.crl", "revocation lists");
    cannot_use("/dev/null", "revocation lists");
}

static void test_list_switches_revocation_on(void)
{
    struct dna_knobs knobs = dna_knobs_default();
    const char *file = NULL;

    CU_ASSERT_EQUAL(knobs.revocation, 0);
    CU_ASSERT_TRUE(dna_command_crl_file("ca.crl", &file, &knobs));
    CU_ASSERT_STRING_EQUAL(file, "ca.crl");
    CU_ASSERT_EQUAL(knobs.revocation, 1);
    knobs.revocation = 2;
    dna_command_crl_file("ca.crl", &file, &knobs);
    CU_ASSERT_EQUAL(knobs.revocation, 2);
}

static const struct {
    const char *name;
    CU_TestFunc run;
} tests[] = {
    { "strong", test_strong },
    { "association only", test_association_only },
    { "untrusted is refused", test_untrusted_is_refused },
    { "wrong name is refused", test_wrong_name_is_refused },
    { "the user is asked", test_user_is_asked },
    { "consent and PLAIN", test_consent_and_plain },
    { "pin", test_pin },
    { "success without proof", test_success_without_proof },
    { "no TLS", test_no_tls },
    { "starttls answers", test_starttls_answers },
    { "silent server", test_silent_server },
    { "oversize", test_oversize },
    { "limit", test_limit },
    { "nobody there", test_nobody_there },
    { "strong by DANE", test_strong_by_dane },
    { "strong by POSH", test_strong_by_posh },
    { "refuted", test_refuted },
    { "a barred target", test_barred_target },
    { "revocation lists are consulted", test_lists_are_consulted },
    { "revocation list that cannot be read", test_file_that_cannot_be_read },
    { "a list switches revocation on", test_list_switches_revocation_on },
};

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    dna_log_open(NULL, DNA_LOG_ERROR);
    CU_initialize_registry();
    suite = CU_add_suite("client", mint_all, forget_all);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        CU_add_test(suite, tests[i].name, tests[i].run);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
