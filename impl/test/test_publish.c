/* SPDX-License-Identifier: MIT */
/* test_publish: what is printed for operators is what the other side reads, the web server says it
 * over HTTPS, and `xdna-server posh' and `tlsa' refuse what they cannot do. */
#include <CUnit/Basic.h>
#include <event2/event.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "impl/dns.h"
#include "impl/log.h"
#include "impl/posh_doc.h"
#include "impl/posh_fetch.h"
#include "impl/posh_print.h"
#include "impl/posh_serve.h"
#include "impl/publish.h"

static EVP_PKEY *key;
static X509 *one, *two;
static char folder[] = "/tmp/test_publish_XXXXXX";

static X509 *mint(long serial)
{
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               (const unsigned char *)"self", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509_set_pubkey(x, key);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
                                            "DNS:a.example,DNS:b.example,IP:127.0.0.1");
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
    X509_sign(x, key, EVP_sha256());
    return x;
}

static FILE *open_file(const char *name)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    if (!f)
        abort(); /* the suite has not begun: there is nothing to assert in */
    return f;
}

static int prepare(void)
{
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return 1;
    key = EVP_EC_gen("P-256");
    one = mint(1);
    two = mint(2);
    FILE *f = open_file("one.crt");
    (void)PEM_write_X509(f, one);
    (void)fclose(f);
    f = open_file("two.crt");
    (void)PEM_write_X509(f, two);
    (void)fclose(f);
    f = open_file("key");
    (void)PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    (void)fclose(f);
    f = open_file("server.conf");
    (void)fputs("ca_dir none\nlisten_s2s 127.0.0.1:5269\nlisten_s2s [::1]:5269\n"
                "listen_c2s 127.0.0.1:5222\n"
                "[domain a.example]\ncertificate one.crt\nkey key\n"
                "[domain b.example]\ncertificate two.crt\nkey key\n",
                f);
    return fclose(f);
}

static int clean_up(void)
{
    static const char *const files[] = { "one.crt", "two.crt", "key", "server.conf", "out" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        (void)unlink(files[i]);
    X509_free(one);
    X509_free(two);
    EVP_PKEY_free(key);
    return chdir("/") + rmdir(folder);
}

static void test_documents(void)
{
    X509 *const both[] = { two, one };
    struct dna_buf text = DNA_BUF_INIT;
    struct dna_posh_doc d;
    char why[100];
    dna_posh_print(&text, both, 2, 4294967295u);
    dna_posh_doc_read(&d, text.at, text.len);
    CU_ASSERT_EQUAL(d.kind, DNA_POSH_FINGERPRINTS);
    CU_ASSERT_EQUAL(d.expires, 4294967295u);
    struct dna_posh_match m = dna_posh_doc_match(&d, one);
    CU_ASSERT_TRUE(m.matched && !m.mismatched_too && m.at == 1);
    m = dna_posh_doc_match(&d, two);
    CU_ASSERT_TRUE(m.matched && m.at == 0);
    CU_ASSERT_EQUAL(d.descriptors[0].has[DNA_POSH_SHA512], DNA_POSH_SET);
    dna_posh_doc_cleanup(&d);
    dna_buf_reset(&text);
    CU_ASSERT_EQUAL(dna_posh_print_reference(&text, "https://h.example/\"q", 7, why, sizeof why),
                    0);
    dna_posh_doc_read(&d, text.at, text.len);
    CU_ASSERT_EQUAL(d.kind, DNA_POSH_REFERENCE);
    CU_ASSERT_STRING_EQUAL(d.url, "https://h.example/\"q");
    dna_posh_doc_cleanup(&d);
    CU_ASSERT_EQUAL(dna_posh_print_reference(&text, "http://h.example/", 7, why, sizeof why), -1);
    CU_ASSERT_STRING_EQUAL(why, "is no https URI");
    dna_buf_cleanup(&text);
}

/* --- the web server --- */

struct web {
    struct event_base *base;
    struct dna_dns *dns;
    struct dna_posh_fetcher *fetcher;
    struct dna_posh_server *server;
    SSL_CTX *ctx;
    long status;
    char body[600], why[300];
};

static void on_got(void *arg, const struct dna_posh_got *got)
{
    struct web *w = arg;
    w->status = got->status;
    (void)snprintf(w->body, sizeof w->body, "%s", got->body);
    (void)snprintf(w->why, sizeof w->why, "%s", got->why);
    event_base_loopbreak(w->base);
}

static void get(struct web *w, const char *path)
{
    char url[200];
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u%s", dna_posh_server_port(w->server),
                   path);
    w->status = -1;
    (void)dna_posh_get(w->fetcher, url, on_got, w);
    CU_ASSERT_EQUAL(w->status, -1); /* never from inside the call */
    event_base_dispatch(w->base);
}

static void begin(struct web *w)
{
    const struct dna_dns_config nowhere = { .resolver = "127.0.0.1@1" };
    char why[300];
    memset(w, 0, sizeof *w);
    w->base = event_base_new();
    w->dns = dna_dns_new(w->base, &nowhere, why, sizeof why);
    const struct dna_posh_fetcher_config f = { w->base, w->dns, "one.crt", NULL, 4000 };
    w->fetcher = dna_posh_fetcher_new(&f);
    w->ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(w->ctx, one);
    SSL_CTX_use_PrivateKey(w->ctx, key);
    const struct dna_posh_site sites[] = { { "b.example", "of b", w->ctx },
                                           { "127.0.0.1", "the document", w->ctx } };
    w->server = dna_posh_server_new(w->base, "127.0.0.1", 0, sites, 2, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w->server);
}

static void end(struct web *w)
{
    dna_posh_fetcher_free(w->fetcher);
    dna_posh_server_free(w->server);
    dna_dns_free(w->dns);
    SSL_CTX_free(w->ctx);
    event_base_free(w->base);
}

static void test_serving(void)
{
    struct web w;
    char why[300] = "";
    begin(&w);
    get(&w, "/.well-known/posh/xmpp-server.json");
    CU_ASSERT_EQUAL(w.status, 200);
    CU_ASSERT_STRING_EQUAL(w.body, "the document");
    get(&w, "/.well-known/posh/xmpp-client.json");
    CU_ASSERT_EQUAL(w.status, 200);
    get(&w, "/.well-known/posh/spice.json");
    CU_ASSERT_EQUAL(w.status, 404);
    get(&w, "/../../etc/passwd");
    CU_ASSERT_EQUAL(w.status, 404);
    CU_ASSERT_PTR_NULL(dna_posh_server_new(w.base, "127.0.0.1", dna_posh_server_port(w.server),
                                           &(struct dna_posh_site){ "a.example", "", w.ctx }, 1,
                                           why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "cannot listen on 127.0.0.1 port "));
    (void)dna_posh_get(w.fetcher, "https://127.0.0.1:1/", on_got, &w); /* left open */
    end(&w);
}

/* --- the two words --- */

static char said[2000];

/* Runs it in a process of its own, for it prints; what it said is in said. */
static int run(const char *const *words)
{
    int argc = 0;
    char *argv[20];
    while (words[argc])
        argv[argc] = (char *)(uintptr_t)words[argc], argc++;
    argv[argc] = NULL;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int status = 99;
        if (freopen("out", "w", stdout) && dup2(fileno(stdout), 2) == 2)
            status = dna_publish(argc, argv);
        (void)fflush(stdout);
        _exit(status);
    }
    int status = -1;
    (void)waitpid(child, &status, 0);
    FILE *f = fopen("out", "r");
    said[f ? fread(said, 1, sizeof said - 1, f) : 0] = '\0';
    if (f)
        (void)fclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })
#define CONFIG "--config", "server.conf"

static void test_posh_word(void)
{
    struct dna_posh_doc d;
    CU_ASSERT_EQUAL(RUN("posh", CONFIG, "B.example", "--also", "one.crt", "--expires", "60"), 0);
    dna_posh_doc_read(&d, said, strlen(said));
    CU_ASSERT_EQUAL(d.kind, DNA_POSH_FINGERPRINTS);
    CU_ASSERT_EQUAL(d.expires, 60);
    CU_ASSERT_EQUAL(d.num, 2);
    CU_ASSERT_EQUAL(dna_posh_doc_match(&d, two).at, 1);
    dna_posh_doc_cleanup(&d);
    CU_ASSERT_EQUAL(RUN("posh", "--reference", "https://h.example/"), 0);
    CU_ASSERT_EQUAL(RUN("posh", "--help"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "--reference URL"));
    CU_ASSERT_EQUAL(RUN("tlsa", "--help"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "--target HOST"));
}

static void test_tlsa_word(void)
{
    CU_ASSERT_EQUAL(RUN("tlsa", CONFIG, "a.example", "--target", "Xmpp.example"), 0);
    CU_ASSERT_EQUAL(strncmp(said, "_5269._tcp.xmpp.example. IN TLSA 3 1 1 ", 39), 0);
    char *next = strchr(said, '\n');
    CU_ASSERT_PTR_NOT_NULL_FATAL(next);
    CU_ASSERT_EQUAL(next - said, 39 + 64);
    CU_ASSERT_EQUAL(strncmp(next + 1, "_5222._tcp.xmpp.example. IN TLSA 3 1 1 ", 39), 0);
    CU_ASSERT_EQUAL(strlen(next + 1), 39 + 64 + 1); /* one for each port, not each address */
}

static void test_refusals(void)
{
    CU_ASSERT_EQUAL(RUN("posh"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "--config is missing"));
    CU_ASSERT_EQUAL(RUN("posh", CONFIG), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "server.conf: it has several domains"));
    CU_ASSERT_EQUAL(RUN("posh", CONFIG, "c.example"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "there is no [domain c.example]"));
    CU_ASSERT_EQUAL(RUN("posh", CONFIG, "a.example", "--expires", "0"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "--expires"));
    CU_ASSERT_EQUAL(RUN("posh", CONFIG, "a.example", "--also", "missing.crt"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "missing.crt: cannot be opened"));
    CU_ASSERT_EQUAL(RUN("posh", CONFIG, "a.example", "--also", "key"), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "key: no PEM certificate"));
    CU_ASSERT_EQUAL(RUN("posh", "--config", "missing.conf"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "missing.conf"));
    CU_ASSERT_EQUAL(RUN("posh", CONFIG, "--serve", "name.example"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "--serve: `name.example'"));
    CU_ASSERT_EQUAL(RUN("posh", CONFIG, "--serve", "127.0.0.1:1", "--cert", "one.crt"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "go together"));
    CU_ASSERT_EQUAL(RUN("tlsa", CONFIG, "a.example", "--expires", "5"), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "--expires is for `xdna-server posh'"));
    CU_ASSERT_EQUAL(RUN("tlsa", CONFIG, "a.example", "--target", "a b"), 2);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)dna_log_open(NULL, DNA_LOG_ERROR);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("publish", prepare, clean_up);
    CU_add_test(s, "documents are read back", test_documents);
    CU_add_test(s, "a web server for them", test_serving);
    CU_add_test(s, "xdna-server posh", test_posh_word);
    CU_add_test(s, "xdna-server tlsa", test_tlsa_word);
    CU_add_test(s, "what they refuse", test_refusals);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    dna_log_close();
    return failed;
}
