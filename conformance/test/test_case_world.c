/* SPDX-License-Identifier: MIT */
/*
 * The world of a case, looked at by others: libunbound says what its DNS says, OpenSSL's DANE what its
 * TLSA records are worth, curl what is on its web servers. A script is set up and taken away; no
 * implementation under test takes part.
 */
#include "conformance/test/lab_test.h"

#include <stdlib.h>
#include <sys/wait.h>

#include <curl/curl.h>
#include <ldns/ldns.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <unbound.h>

#include "conformance/case_run.h"
#include "conformance/lab/iut_internal.h"

#define HEAD \
    "claim A.\nreq X0220_2_2_1_1\nlevel must\nrole initiating\nimpact B.\nrev 1\nneeds clock\n"

static struct event_base *base;
static struct dna_lab lab;
static struct dna_diag diag;

/* ---- a case that is set up and goes no further ---- */

struct world {
    struct dna_scn *scn;
    struct dna_case c;
    struct dna_variant variant;
    struct dna_profile profile;
    struct dna_iut iut;
    struct dna_case_context context;
    struct dna_case_run *run;
    const struct dna_step *at; /* the next step of the body */
    bool ended;
};

static void on_done(struct dna_case_run *run, struct dna_result *result, void *arg)
{
    struct world *w = arg;

    (void)run;
    w->ended = true;
    if (result->verdict == DNA_VERDICT_ERROR)
        printf("\n    ended: %s, got %s\n", result->expected ? result->expected : "",
               result->got ? result->got : "");
    dna_pool_free(result->pool);
    free(result);
}

static void open_world(struct world *w, const char *text)
{
    static unsigned number;
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_buf whole = { 0 };

    *w = (struct world){ .variant = { .profile = &w->profile, .own_clock = true,
                                      .hosted = { (char *)"x.iut.example",
                                                  (char *)"second.x.iut.example",
                                                  (char *)"third.x.iut.example" } } };
    dna_buf_printf(&whole, "%s%s", HEAD, text);
    w->scn = dna_scn_parse("x/1_y.scn", whole.at, NULL, &diags);
    if (!w->scn)
        printf("\n%s", diags.text.at);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->scn);
    dna_buf_free(&whole);
    w->c = (struct dna_case){ w->scn, "initiating", "default", (char *)"x/1/y@initiating", true, 0, NULL };
    w->iut.variant = &w->variant;
    w->iut.profile = &w->profile;
    w->context = (struct dna_case_context){ .base = base, .lab = &lab, .profile = &w->profile,
                                            .timeout_ms = 5000 };
    w->run = dna_case_run_new(&w->context, &w->c, &w->iut, ++number, on_done, w);
    CU_ASSERT_TRUE_FATAL(dna_run_setup(w->run));
    w->run->logins_left = 1; /* the interpreter waits for ever, and we take its steps */
    w->at = w->scn->steps;
}

/* next does the next step of the body, which must be over at once; says whether the case goes on. */
static bool next(struct world *w)
{
    const struct dna_step *s = w->at;

    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_TRUE_FATAL(dna_step_is_immediate(s));
    w->at = s->next;
    return dna_step_do(w->run, s);
}

static void close_world(struct world *w)
{
    dna_case_run_free(w->run);
    dna_scn_free(w->scn);
}

/* name is a text of the case with its variables filled in. */
static const char *name(struct world *w, const char *text)
{
    return dna_run_expand(w->run, text);
}

/* ---- others, in a process of their own while the loop turns ---- */

typedef void (*other_fn)(FILE *out, const char *what, const void *arg);

static void on_part(evutil_socket_t fd, short what, void *arg)
{
    struct dna_buf *got = arg;
    char part[4096];
    ssize_t n = read(fd, part, sizeof part);

    (void)what;
    if (n > 0)
        dna_buf_add(got, part, (size_t)n);
    else
        event_base_loopbreak(base);
}

/* ask gives back what the other wrote; to be freed. */
static char *ask(other_fn other, const char *what, const void *arg)
{
    struct dna_buf got = { 0 };
    struct event *event;
    int fds[2], status;
    pid_t pid;

    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        FILE *out = fdopen(fds[1], "w");

        close(fds[0]);
        other(out, what, arg);
        fflush(out);
        _exit(0);
    }
    close(fds[1]);
    event = event_new(base, fds[0], EV_READ | EV_PERSIST, on_part, &got);
    event_add(event, NULL);
    event_base_dispatch(base);
    event_free(event);
    close(fds[0]);
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    dna_buf_add(&got, "", 0);
    return got.at;
}

/* what a validating resolver says of a name: a word, and its records a line each */
static void resolve(FILE *out, const char *what, const void *arg)
{
    const ldns_rr_type *type = arg;
    struct ub_ctx *ctx = ub_ctx_create();
    struct ub_result *result = NULL;

    ub_ctx_set_option(ctx, "do-not-query-localhost:", "no");
    ub_ctx_set_option(ctx, "trust-anchor-signaling:", "no");
    ub_ctx_add_ta(ctx, dna_dns_anchor(lab.dns));
    ub_ctx_set_fwd(ctx, DNA_LAB_RESOLVER);
    if (ub_resolve(ctx, what, (int)*type, 1, &result) != 0)
        return;
    fprintf(out, "%s %d", result->secure ? "secure" : result->bogus ? "bogus" : "insecure",
            result->rcode);
    for (int i = 0; result->data && result->data[i]; i++) {
        fputc('\n', out);
        for (int k = 0; k < result->len[i]; k++)
            fprintf(out, "%02x", (unsigned char)result->data[i][k]);
    }
    ub_resolve_free(result);
    ub_ctx_delete(ctx);
}

static void says(struct world *w, const char *what, ldns_rr_type type, const char *expected)
{
    char *got = ask(resolve, name(w, what), &type);

    if (strncmp(got, expected, strlen(expected)) != 0)
        printf("\n    %s: %s, not %s\n", name(w, what), got, expected);
    CU_ASSERT_EQUAL(strncmp(got, expected, strlen(expected)), 0);
    free(got);
}

/* what curl gets: the status, where a redirect leads, the body; or its error */
static void fetch(FILE *out, const char *what, const void *arg)
{
    CURL *curl = curl_easy_init();
    char ca_file[400], *to = NULL;
    long status = 0;
    CURLcode code;

    (void)arg;
    snprintf(ca_file, sizeof ca_file, "%s/ca.crt", lab.store_dir);
    curl_easy_setopt(curl, CURLOPT_URL, what);
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 2000L);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    fprintf(out, "body:");
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &to);
    if (code != CURLE_OK)
        fprintf(out, " error:%d", (int)code);
    fprintf(out, " status:%ld to:%s", status, to ? to : "");
    curl_easy_cleanup(curl);
}

static void gives(struct world *w, const char *url, const char *expected)
{
    char *got = ask(fetch, name(w, url), NULL);

    if (!strstr(got, name(w, expected)))
        printf("\n    %s: %s, not %s\n", name(w, url), got, name(w, expected));
    CU_ASSERT_PTR_NOT_NULL(strstr(got, name(w, expected)));
    free(got);
}

/* ---- TLSA ---- */

/* what OpenSSL makes of a certificate by the one record whose data is given in hex */
static bool dane_holds(const struct dna_cert *cert, const char *hex)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    unsigned char bytes[4096];
    size_t len = strlen(hex) / 2;
    SSL *ssl;
    bool holds = false;

    for (size_t i = 0; i < len && i < sizeof bytes; i++)
        sscanf(hex + 2 * i, "%2hhx", &bytes[i]);
    SSL_CTX_dane_enable(tls);
    ssl = SSL_new(tls);
    SSL_dane_enable(ssl, "a.example");
    SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    X509_STORE_add_cert(store, dna_ca_root(lab.ca));
    if (SSL_dane_tlsa_add(ssl, bytes[0], bytes[1], bytes[2], bytes + 3, len - 3) == 1 &&
        X509_STORE_CTX_init(ctx, store, cert->x509, cert->chain) == 1) {
        X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(ctx), SSL_get0_param(ssl));
        X509_STORE_CTX_set0_dane(ctx, SSL_get0_dane(ssl));
        holds = X509_verify_cert(ctx) == 1;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    SSL_free(ssl);
    SSL_CTX_free(tls);
    return holds;
}

static void tlsa_holds(const char *line, bool expected)
{
    ldns_rr_type type = LDNS_RR_TYPE_TLSA;
    struct world w;
    struct dna_buf text = { 0 };
    char *got, *hex;
    bool holds;

    dna_buf_printf(&text, "domain a\ncert Top ca=true issuer=self\n"
                   "cert Leaf issuer=Top chain=full dns=a.example\n"
                   "cert Plain dns=a.example\ncert Other dns=a.example\n"
                   "peer A $a cert=Leaf\npeer B $a cert=Plain port=5270\ntlsa %s\n"
                   "then:\nA connect\n", line);
    open_world(&w, text.at);
    got = ask(resolve, name(&w, *line == 'A' ? "_5269._tcp.$A.host" : "_5270._tcp.$B.host"),
              &type);
    CU_ASSERT_EQUAL(strncmp(got, "secure 0\n", 9), 0);
    hex = strchr(got, '\n');
    holds = hex && !strchr(hex + 1, '\n') && dane_holds(w.run->actors->scn->name[0] == *line
                       ? w.run->actors->cert : w.run->actors->next->cert, hex + 1);
    if (holds != expected)
        printf("\n    tlsa %s: %s\n", line, got);
    CU_ASSERT_EQUAL(holds, expected);
    free(got);
    dna_buf_free(&text);
    close_world(&w);
}

static void tlsa_records_are_made_of_certificates(void)
{
    static const char *const good[] = {
        "A 3 0 0", "A 3 0 1", "A 3 0 2", "A 3 1 0", "A 3 1 1", "A 3 1 2", "A 2 0 0", "A 2 0 1",
        "A 2 1 1", "A 2 1 2", "A 2 0 1 of=Top", "B 0 0 1", "B 0 1 2", "B 0 0 1 of=ca", "B 1 1 1",
        "B 3 1 1 of=Plain", "B 3 1 1 of=B",
    };
    static const char *const bad[] = {
        "A 3 1 1 data=bad", "A 3 0 0 data=bad", "A 3 1 1 data=short", "A 3 1 1 of=Other",
        "A 3 1 1 of=B", "A 3 1 1 of=Top", "A 2 0 1 of=ca", "A 2 0 1 of=Leaf", "A 0 0 1",
        "A 1 1 1", "B 0 0 1 of=other", "B 3 1 1 data=00ff", "B 9 1 1",
    };

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        tlsa_holds(good[i], true);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        tlsa_holds(bad[i], false);
}

static void raw_tlsa_records_are_as_long_as_written(void)
{
    ldns_rr_type type = LDNS_RR_TYPE_TLSA;
    struct world w;
    char *got;

    open_world(&w, "domain a\npeer A $a\ntlsa A raw=0301\nthen:\nA connect\n");
    got = ask(resolve, name(&w, "_5269._tcp.$A.host"), &type);
    CU_ASSERT_STRING_EQUAL(got, "secure 0\n0301");
    free(got);
    close_world(&w);
}

/* ---- DNSSEC ---- */

static void zones_and_signatures_are_as_written(void)
{
    struct world w;

    open_world(&w, "domain a b c below.b\npeer A $a\npeer B $b host=xmpp.$b\npeer C $c port=5270\n"
                   "web W $b\ndns $b SRV 1 2 3 A\n"
                   "dnssec $b unsigned\ndnssec $c nsec3\ndnssec C TLSA bad\ndnssec $a TXT stripped\n"
                   "tlsa C 3 1 1\n"
                   "then:\ndnssec $a SRV expired\ntlsa C none\ndnssec C any bad\n"
                   "dnssec $b signed\ndns _5270._tcp.$C.host servfail\nA connect\n");
    says(&w, "_xmpp-server._tcp.$a", LDNS_RR_TYPE_SRV, "secure 0\n");
    says(&w, "_xmpp-server._tcp.$b", LDNS_RR_TYPE_SRV, "insecure 0\n00010002000306");
    says(&w, "$b", LDNS_RR_TYPE_A, "insecure 0\n7f"); /* the web server's, whatever dns lines say */
    says(&w, "$B.host", LDNS_RR_TYPE_A, "insecure 0\n7f");
    says(&w, "$A.host", LDNS_RR_TYPE_A, "secure 0\n7f");
    says(&w, "_xmpp-server._tcp.$c", LDNS_RR_TYPE_SRV, "secure 0\n");
    says(&w, "nobody.$c", LDNS_RR_TYPE_A, "secure 3");
    says(&w, "_5270._tcp.$C.host", LDNS_RR_TYPE_TLSA, "bogus");
    says(&w, "_5269._tcp.$A.host", LDNS_RR_TYPE_TLSA, "secure 3");
    says(&w, "$a", LDNS_RR_TYPE_TXT, "bogus"); /* there is none, and its denial is stripped */
    CU_ASSERT_TRUE(next(&w));
    says(&w, "_xmpp-server._tcp.$a", LDNS_RR_TYPE_SRV, "bogus");
    CU_ASSERT_TRUE(next(&w));
    says(&w, "_5270._tcp.$C.host", LDNS_RR_TYPE_TLSA, "bogus"); /* the denial, too */
    CU_ASSERT_TRUE(next(&w));
    says(&w, "$C.host", LDNS_RR_TYPE_A, "bogus");
    CU_ASSERT_TRUE(next(&w));
    says(&w, "_xmpp-server._tcp.$b", LDNS_RR_TYPE_SRV, "secure 0\n");
    CU_ASSERT_TRUE(next(&w));
    says(&w, "_5270._tcp.$C.host", LDNS_RR_TYPE_TLSA, "insecure 2");
    close_world(&w);
}

static void wildcards_and_manners_are_as_written(void)
{
    struct world w;

    open_world(&w, "domain a\npeer A $a\ndns *.w.$a A A\ndns *._tcp.s.$a SRV 1 2 3 A\n"
                   "tlsa *._tcp.$A.host 3 1 1 of=A\ndnssec A TLSA tag\ndnssec $a SRV signer\n"
                   "dnssec A A labels\ndnssec $a TXT ad\n"
                   "then:\ndnssec *.w.$a A unproved\ndnssec *._tcp.s.$a SRV unproved\n"
                   "dnssec A TLSA good\nA connect\n");
    says(&w, "x.w.$a", LDNS_RR_TYPE_A, "secure 0\n7f");
    says(&w, "w.$a", LDNS_RR_TYPE_A, "secure 0");
    says(&w, "_xmpp-server._tcp.s.$a", LDNS_RR_TYPE_SRV, "secure 0\n00010002000306");
    says(&w, "_5269._tcp.$A.host", LDNS_RR_TYPE_TLSA, "bogus");
    says(&w, "_5270._tcp.$A.host", LDNS_RR_TYPE_TLSA, "secure 0\n030101");
    says(&w, "_xmpp-server._tcp.$a", LDNS_RR_TYPE_SRV, "bogus");
    says(&w, "$A.host", LDNS_RR_TYPE_A, "bogus");
    CU_ASSERT_TRUE(next(&w));
    says(&w, "x.w.$a", LDNS_RR_TYPE_A, "bogus");
    CU_ASSERT_TRUE(next(&w));
    says(&w, "_xmpp-server._tcp.s.$a", LDNS_RR_TYPE_SRV, "bogus");
    CU_ASSERT_TRUE(next(&w));
    says(&w, "_5269._tcp.$A.host", LDNS_RR_TYPE_TLSA, "secure 0\n030101");
    close_world(&w);
}

/* ---- web ---- */

static const char *fingerprint(struct world *w, const char *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE], text[100];
    unsigned len = 0;
    bool known;

    X509_digest(dna_run_cert(w->run, cert, &known)->x509, EVP_sha256(), digest, &len);
    EVP_EncodeBlock(text, digest, (int)len);
    return dna_pool_printf(w->run->pool, "\"%s\"", (char *)text);
}

static unsigned seen(struct world *w, enum dna_web_kind kind, const char *path)
{
    unsigned num = 0;

    for (const struct dna_seen_request *r = w->run->requests; r; r = r->next)
        num += r->kind == kind && (!path || strcmp(r->path, path) == 0);
    return num;
}

#define POSH "https://$a/.well-known/posh/xmpp-server.json"

static void pages_are_as_written(void)
{
    struct world w;
    const char *c, *d;

    open_world(&w, "domain a b d\ncert C dns=$a\ncert D dns=$a\npeer A $a cert=C\npeer D $d cert=D\n"
                   "web W $a www.$a\nweb V $b cert=C\n"
                   "posh $a fingerprints C,D expires=77\nposh $a client fingerprints\n"
                   "posh $b fingerprints D\n"
                   "page https://www.$a/r redirect 307 $b\npage https://www.$a/q reference $b\n"
                   "page https://www.$a/t body \"<$a>\" type=text/html status=404\n"
                   "page https://$a/u raw \"HTTP/1.1 299 OK\\r\\nContent-Length: 2\\r\\n\\r\\nhi\"\n"
                   "page https://$a/v close\npage https://$a/w body '0123456789' truncated\n"
                   "then:\nweb never $b\nposh $a status 503\nposh $a none\nweb never $a /x\n"
                   "web never $a /.well-known/posh/xmpp-server.json\nA connect\n");
    c = fingerprint(&w, "C");
    d = fingerprint(&w, "D");
    gives(&w, POSH, c);
    gives(&w, POSH, d);
    gives(&w, POSH, "77");
    gives(&w, "https://$a/.well-known/posh/xmpp-client.json", c); /* of the first peer */
    gives(&w, "https://www.$a/r", "status:307 to:https://$b/.well-known/posh/xmpp-server.json");
    gives(&w, "https://www.$a/q", "https://$b/.well-known/posh/xmpp-server.json");
    gives(&w, "https://www.$a/t", "body:<$a> status:404");
    gives(&w, "https://$a/u", "body:hi status:299");
    gives(&w, "https://$a/v", "error:52");
    gives(&w, "https://$a/w", "body:01234 error:");
    CU_ASSERT_EQUAL(seen(&w, DNA_WEB_ASKED, "/.well-known/posh/xmpp-server.json"), 3);
    CU_ASSERT_TRUE(next(&w));
    gives(&w, "https://$b/.well-known/posh/xmpp-server.json", "error:60"); /* shows $a's name */
    CU_ASSERT_EQUAL(seen(&w, DNA_WEB_TLS_FAILED, NULL) + seen(&w, DNA_WEB_LEFT, NULL), 1);
    CU_ASSERT_TRUE(next(&w));
    gives(&w, POSH, "status:503");
    CU_ASSERT_TRUE(next(&w));
    gives(&w, POSH, "status:404");
    CU_ASSERT_TRUE(next(&w));
    CU_ASSERT_FALSE(next(&w));
    CU_ASSERT_TRUE(w.ended);
    close_world(&w);
}

static void handshakes_are_as_written(void)
{
    struct world w;

    open_world(&w, "domain a b c d\npeer A $a\nweb W $a silent\nweb V $b refuses\n"
                   "web U $c listen=no\nweb T $d\nforbid T request\n"
                   "posh $d fingerprints A\nthen:\nA connect\n");
    gives(&w, POSH, "error:28");
    gives(&w, "https://$b/", "error:35");
    gives(&w, "https://$c/", "error:7");
    CU_ASSERT_FALSE(w.ended);
    gives(&w, "http://$d/x", "status:404"); /* in clear, and seen all the same */
    CU_ASSERT_TRUE(w.ended);
    close_world(&w);
}

/* ---- the clock ---- */

static void clock_moves_signer_and_file(void)
{
    char path[] = "/tmp/xdna-clock.XXXXXX", text[32] = "";
    struct world w;
    FILE *file;

    CU_ASSERT_NOT_EQUAL_FATAL(mkstemp(path), -1);
    open_world(&w, "domain a\npeer A $a\nthen:\nclock +40d\nclock 0\nA connect\n");
    w.iut.pool = w.run->pool;
    w.iut.clock_path = path;
    CU_ASSERT_TRUE(next(&w));
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL(fgets(text, sizeof text, file));
    fclose(file);
    CU_ASSERT_STRING_EQUAL(text, "+3456000\n");
    says(&w, "_xmpp-server._tcp.$a", LDNS_RR_TYPE_SRV, "bogus"); /* signed in forty days */
    CU_ASSERT_TRUE(next(&w));
    says(&w, "_xmpp-server._tcp.$a", LDNS_RR_TYPE_SRV, "secure");
    dna_dns_clock(lab.dns, 3456000);
    close_world(&w); /* sets it right */
    open_world(&w, "domain a\npeer A $a\nthen:\nA connect\n");
    says(&w, "_xmpp-server._tcp.$a", LDNS_RR_TYPE_SRV, "secure");
    close_world(&w);
    remove(path);
}

static void nothing_is_left_behind(void)
{
    size_t names = dna_dns_num_names(lab.dns);
    struct world w;
    const char *url;
    char *got;

    open_world(&w, "domain a b\npeer A $a\nweb W $a\ntlsa A 3 1 1\ndnssec $a nsec3\n"
                   "dnssec $b any bad\nposh $a fingerprints\nthen:\nA connect\n");
    gives(&w, POSH, "status:200");
    url = strdup(name(&w, "https://$W.addr/.well-known/posh/xmpp-server.json"));
    CU_ASSERT(dna_dns_num_names(lab.dns) > names);
    close_world(&w);
    CU_ASSERT_EQUAL(dna_dns_num_names(lab.dns), names);
    got = ask(fetch, url, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "error:7"));
    free(got);
    free((char *)(uintptr_t)url);
}

static const struct lab_test tests[] = {
    { "TLSA records are made of certificates", tlsa_records_are_made_of_certificates },
    { "raw TLSA records are as long as written", raw_tlsa_records_are_as_long_as_written },
    { "zones and signatures are as written", zones_and_signatures_are_as_written },
    { "wildcards and manners are as written", wildcards_and_manners_are_as_written },
    { "pages are as written", pages_are_as_written },
    { "handshakes are as written", handshakes_are_as_written },
    { "clock moves signer and file", clock_moves_signer_and_file },
    { "nothing is left behind", nothing_is_left_behind },
};

static int body(const struct dna_lab_place *place, void *arg)
{
    int status;

    (void)arg;
    base = event_base_new();
    lab.place = *place;
    if (dna_lab_open(&lab, base, &diag)) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    if (!lab_test_begin())
        return 1;
    status = lab_test_main("the world of a case", tests, sizeof tests / sizeof tests[0], NULL);
    dna_lab_close(&lab);
    event_base_free(base);
    return status;
}

int main(void)
{
    const char *refused = lab_refused();
    int status;

    if (refused)
        return lab_test_main("the world of a case", tests, sizeof tests / sizeof tests[0], refused);
    status = lab_inside(body, NULL);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
