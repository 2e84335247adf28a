/* SPDX-License-Identifier: MIT */
/* test_posh: retrievals against a web server and a name server in this process: what each kind of
 * answer comes to, how often is asked, and how long it is remembered by a clock that the test sets.
 */
#include "impl/test/posh_lab.h"

/* --- what answers come to --- */

static void test_fingerprints(void)
{
    struct lab l;
    char wanted[200];
    begin(&l, NULL);
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_STRING_EQUAL(why, "fingerprint 1 of 1 matches by sha-256");
    (void)snprintf(wanted, sizeof wanted,
                   "https://good.example:%u/.well-known/posh/xmpp-server.json, 1 fingerprint, "
                   "expires in 3600 s",
                   l.port);
    CU_ASSERT_STRING_EQUAL(sought, wanted);
    CU_ASSERT_STRING_EQUAL(l.last_line, "GET /.well-known/posh/xmpp-server.json HTTP/1.1");
    CU_ASSERT_EQUAL(judge(&l, "good.example", stranger), DNA_PROOF_REFUTED);
    CU_ASSERT_EQUAL(judge(&l, "good.example", NULL), DNA_PROOF_FAILED);
    CU_ASSERT_EQUAL(judge(&l, "other.example", hosting), DNA_PROOF_REFUTED);
    CU_ASSERT_EQUAL(judge(&l, "old.example", expired), DNA_PROOF_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "dates"));
    CU_ASSERT_EQUAL(judge(&l,
                          "b\xc3\xbc"
                          "cher.example",
                          hosting),
                    DNA_PROOF_HELD);
    CU_ASSERT_STRING_EQUAL(l.last_host, "xn--bcher-kva.example");
    if (l.listener6)
        CU_ASSERT_EQUAL(judge(&l, "six.example", hosting), DNA_PROOF_HELD);
    end(&l);
}

static void test_references_and_redirects(void)
{
    struct lab l;
    begin(&l, NULL);
    CU_ASSERT_EQUAL(judge(&l, "ref.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_PTR_NOT_NULL(strstr(sought, "expires in 10 s, from https://host.example"));
    CU_ASSERT_EQUAL(l.requests, 2);
    CU_ASSERT_EQUAL(judge(&l, "refref.example", hosting), DNA_PROOF_UNCLEAR);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "another reference"));
    CU_ASSERT_EQUAL(judge(&l, "refnone.example", hosting), DNA_PROOF_UNCLEAR);
    CU_ASSERT_EQUAL(judge(&l, "redir.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_STRING_EQUAL(l.last_host, "good.example");
    CU_ASSERT_EQUAL(judge(&l, "clear.example", hosting), DNA_PROOF_UNCLEAR);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "is no https URI"));
    CU_ASSERT_EQUAL(judge(&l, "user.example", hosting), DNA_PROOF_UNCLEAR);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "has user information"));
    CU_ASSERT_STRING_EQUAL(l.last_host, "user.example");
    CU_ASSERT_EQUAL(judge(&l, "astray.example", hosting), DNA_PROOF_UNCLEAR);
    l.requests = 0;
    CU_ASSERT_EQUAL(judge(&l, "loop.example", hosting), DNA_PROOF_UNCLEAR);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "more than 10 redirects"));
    CU_ASSERT_EQUAL(l.requests, 11);
    end(&l);
}

static void test_failures(void)
{
    static const struct {
        const char *domain;
        enum dna_proof_says says;
        const char *why;
    } t[] = {
        { "none.example", DNA_PROOF_ABSENT, "no document" },
        { "boom.example", DNA_PROOF_UNCLEAR, "HTTP status 500" },
        { "bad.example", DNA_PROOF_UNCLEAR, "line 1" },
        { "zero.example", DNA_PROOF_UNCLEAR, "is 0" },
        { "big.example", DNA_PROOF_UNCLEAR, "too large" },
        { "endless.example", DNA_PROOF_UNCLEAR, "too large" },
        { "headers.example", DNA_PROOF_UNCLEAR, "too large" },
        { "cut.example", DNA_PROOF_UNCLEAR, "cut.example: " },
        { "slow.example", DNA_PROOF_UNCLEAR, "not finished within 400 ms" },
        { "wrong.example", DNA_PROOF_UNCLEAR, "wrong.example: SSL" },
        { "nowhere.example", DNA_PROOF_UNCLEAR, "no address of nowhere.example" },
    };
    struct lab l;
    begin(&l, NULL);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        CU_ASSERT_EQUAL(judge(&l, t[i].domain, hosting), t[i].says);
        CU_ASSERT_PTR_NOT_NULL(strstr(why, t[i].why));
        if (!strstr(why, t[i].why))
            printf("\n%s: said %s\n", t[i].domain, why);
    }
    CU_ASSERT_EQUAL(judge(&l, "[::1]", hosting), DNA_PROOF_ABSENT);
    CU_ASSERT_STRING_EQUAL(why, "not sought");
    CU_ASSERT_EQUAL(judge(&l, "127.0.0.1", hosting), DNA_PROOF_ABSENT);
    end(&l);
}

/* Other roots: the same web server is nobody's then. */
static void test_roots(void)
{
    char other[] = "/tmp/test_posh_other_XXXXXX", why_not[200] = "";
    FILE *f = fdopen(mkstemp(other), "w");
    const struct dna_posh_config c = { .ca_file = other };
    struct lab l;
    (void)PEM_write_X509(f, hosting);
    (void)fclose(f);
    begin(&l, &c);
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_UNCLEAR);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "certificate"));
    CU_ASSERT_EQUAL(l.requests, 0);
    const struct dna_posh_config none = { .base = l.base, .dns = l.dns, .ca_file = "/nonexistent" };
    CU_ASSERT_PTR_NULL(dna_posh_new(&none, why_not, sizeof why_not));
    CU_ASSERT_PTR_NOT_NULL(strstr(why_not, "/nonexistent"));
    end(&l);
    (void)unlink(other);
}

static void test_knobs(void)
{
    struct lab l;
    begin(&l, NULL);
    l.knobs.posh = 0;
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_ABSENT);
    CU_ASSERT_EQUAL(l.requests, 0);
    struct dna_posh_ask *ask = seek(&l, "good.example", true);
    CU_ASSERT_TRUE(dna_posh_pending(ask));
    dna_posh_drop(ask);
    l.knobs.posh = 1;
    l.knobs.posh_inbound = 0;
    ask = seek(&l, "good.example", true);
    CU_ASSERT_FALSE(dna_posh_pending(ask));
    dna_posh_drop(ask);
    CU_ASSERT_EQUAL(judge(&l, "half.example", hosting), DNA_PROOF_HELD);
    l.knobs.posh_hashes_all = 1;
    CU_ASSERT_EQUAL(judge(&l, "half.example", hosting), DNA_PROOF_REFUTED);
    CU_ASSERT_STRING_EQUAL(why, "a hash matches, but not all of its descriptor");
    l.knobs.posh_redirects = 0;
    CU_ASSERT_EQUAL(judge(&l, "redir.example", hosting), DNA_PROOF_UNCLEAR);
    CU_ASSERT_EQUAL(judge(&l, "host.example", hosting), DNA_PROOF_HELD);
    l.knobs.posh_names_checked = 1;
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(judge(&l, "host.example", hosting), DNA_PROOF_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "does not name"));
    l.env.posh = (dna_posh_free(l.env.posh), NULL);
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_ABSENT);
    end(&l);
}

/* --- how often is asked --- */

static void test_sharing(void)
{
    struct lab l;
    struct dna_posh_ask *asks[50];
    const struct dna_proof_ask client = { "good.example", DNA_PKIX_XMPP_CLIENT, false, false };
    begin(&l, NULL);
    for (size_t i = 0; i < 50; i++)
        asks[i] = seek(&l, i % 2 ? "good.example" : "GOOD.example", i % 3 == 0);
    dna_posh_drop(asks[7]);
    while (l.settled < 49 && event_base_dispatch(l.base) == 0 && event_base_got_break(l.base))
        ;
    CU_ASSERT_EQUAL(l.settled, 49);
    CU_ASSERT_EQUAL(l.requests, 1);
    for (size_t i = 0; i < 50; i++)
        if (i != 7) {
            CU_ASSERT_EQUAL(dna_posh_judge(asks[i], hosting, why, sizeof why), DNA_PROOF_HELD);
            dna_posh_drop(asks[i]);
        }
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(l.requests, 1);
    asks[0] =
        dna_posh_seek(&l.env, &client, on_settled, &l); /* another service, another document */
    event_base_dispatch(l.base);
    CU_ASSERT_EQUAL(l.requests, 2);
    CU_ASSERT_STRING_EQUAL(l.last_line, "GET /.well-known/posh/xmpp-client.json HTTP/1.1");
    dna_posh_drop(asks[0]);
    end(&l);
}

static void test_expiry(void)
{
    struct lab l;
    begin(&l, NULL);
    struct dna_posh_ask *old = seek(&l, "good.example", false);
    event_base_dispatch(l.base);
    clock_ms += 3600 * 1000 - 1;
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(dna_posh_judge(old, hosting, why, sizeof why), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(l.requests, 1);
    clock_ms += 1;
    CU_ASSERT_EQUAL(dna_posh_judge(old, hosting, why, sizeof why), DNA_PROOF_UNCLEAR);
    CU_ASSERT_STRING_EQUAL(why, "the document has run out");
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(l.requests, 2);
    CU_ASSERT_EQUAL(dna_posh_judge(old, hosting, why, sizeof why), DNA_PROOF_UNCLEAR);
    dna_posh_drop(old);
    clock_ms -= 5000; /* a clock set back must not lengthen anything */
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(l.requests, 3);
    end(&l);
}

/* The lower of the two values counts, and the whole operation starts again at the source domain. */
static void test_expiry_of_a_reference(void)
{
    struct lab l;
    begin(&l, NULL);
    CU_ASSERT_EQUAL(judge(&l, "ref.example", hosting), DNA_PROOF_HELD);
    clock_ms += 9999;
    CU_ASSERT_EQUAL(judge(&l, "ref.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(l.requests, 2);
    clock_ms += 1;
    CU_ASSERT_EQUAL(judge(&l, "ref.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(l.requests, 4);
    l.document_expires = 3;
    clock_ms += 10000;
    CU_ASSERT_EQUAL(judge(&l, "ref.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(l.requests, 6);
    clock_ms += 3000;
    CU_ASSERT_EQUAL(judge(&l, "ref.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(l.requests, 8);
    end(&l);
}

static void test_limits_of_memory(void)
{
    const struct dna_posh_config c = { .negative_s = 2, .max_age_s = 100, .max_entries = 2 };
    struct lab l;
    begin(&l, &c);
    CU_ASSERT_EQUAL(judge(&l, "none.example", hosting), DNA_PROOF_ABSENT);
    CU_ASSERT_EQUAL(judge(&l, "none.example", hosting), DNA_PROOF_ABSENT);
    CU_ASSERT_EQUAL(l.requests, 1);
    clock_ms += 2000;
    CU_ASSERT_EQUAL(judge(&l, "none.example", hosting), DNA_PROOF_ABSENT);
    CU_ASSERT_EQUAL(l.requests, 2);
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_PTR_NOT_NULL(strstr(sought, "expires in 100 s"));
    CU_ASSERT_EQUAL(judge(&l, "host.example", hosting), DNA_PROOF_HELD); /* none is dropped */
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(l.requests, 4);
    CU_ASSERT_EQUAL(judge(&l, "none.example", hosting), DNA_PROOF_ABSENT); /* host is dropped */
    CU_ASSERT_EQUAL(judge(&l, "good.example", hosting), DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(l.requests, 5);
    struct dna_posh_ask *a = seek(&l, "ref.example", false), *b = seek(&l, "redir.example", false);
    struct dna_posh_ask *full = seek(&l, "other.example", false); /* both places are under way */
    CU_ASSERT_FALSE(dna_posh_pending(full));
    CU_ASSERT_EQUAL(dna_posh_judge(full, hosting, why, sizeof why), DNA_PROOF_UNCLEAR);
    CU_ASSERT_STRING_EQUAL(why, "2 retrievals are under way already");
    dna_posh_drop(full);
    dna_posh_drop(a);
    dna_posh_drop(b);
    end(&l); /* with two retrievals open */
}

static void test_negatives_not_remembered(void)
{
    const struct dna_posh_config c = { .negative_s = 0 };
    struct lab l;
    begin(&l, &c);
    CU_ASSERT_EQUAL(judge(&l, "none.example", hosting), DNA_PROOF_ABSENT);
    CU_ASSERT_EQUAL(judge(&l, "none.example", hosting), DNA_PROOF_ABSENT);
    CU_ASSERT_EQUAL(l.requests, 2);
    end(&l);
}

/* --- behind the interface --- */

static void test_prooftype(void)
{
    struct lab l;
    begin(&l, NULL);
    const struct dna_proof_ask what = { "good.example", DNA_PKIX_XMPP_SERVER, false, false };
    struct dna_proof *p = dna_proof_new(&l.env, &what, on_settled, &l);
    CU_ASSERT_TRUE(dna_proof_pending(p));
    event_base_dispatch(l.base);
    CU_ASSERT_EQUAL(l.settled, 1);
    CU_ASSERT_FALSE(dna_proof_pending(p));
    CU_ASSERT_EQUAL(dna_proof_weigh(p, hosting, NULL), DNA_PROOF_PROVED);
    CU_ASSERT_EQUAL(dna_proof_part(p, DNA_PROOFTYPE_posh)->says, DNA_PROOF_HELD);
    CU_ASSERT_EQUAL(dna_proof_weigh(p, stranger, NULL), DNA_PROOF_NEGATIVE);
    dna_proof_free(p);
    p = dna_proof_new(&l.env, &what, on_settled, &l);
    CU_ASSERT_FALSE(dna_proof_pending(p)); /* remembered: there is nothing to wait for */
    dna_proof_free(p);
    end(&l);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    dna_log_open(NULL, DNA_LOG_ERROR);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("posh", make_certificates, free_certificates);
    CU_add_test(s, "a fingerprints document", test_fingerprints);
    CU_add_test(s, "references and redirects", test_references_and_redirects);
    CU_add_test(s, "what is not had", test_failures);
    CU_add_test(s, "roots that do not vouch for the web server", test_roots);
    CU_add_test(s, "knobs", test_knobs);
    CU_add_test(s, "many seekers make one request", test_sharing);
    CU_add_test(s, "a document runs out", test_expiry);
    CU_add_test(s, "the lower of two times counts", test_expiry_of_a_reference);
    CU_add_test(s, "absence, age and number are bounded", test_limits_of_memory);
    CU_add_test(s, "absence need not be remembered", test_negatives_not_remembered);
    CU_add_test(s, "the prooftype", test_prooftype);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    dna_log_close();
    return failed;
}
