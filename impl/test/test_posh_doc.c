/* SPDX-License-Identifier: MIT */
/* test_posh_doc: which POSH documents are read, which are refused and with what words, and which
 * certificates they match. The hashes were made by the openssl program, not by the code under
 * test: echo -n | openssl dgst -sha256 -binary | base64, and so on. */
#include <CUnit/Basic.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/b64.h"
#include "impl/posh_doc.h"
#include "impl/posh_url.h"

/* Of no bytes at all: right in form, of no certificate. */
#define SHA256 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define SHA512                                                                                     \
    "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
#define PRINTS "\"fingerprints\":[{\"sha-256\":\"" SHA256 "\"}]"

static enum dna_posh_kind read_len(const char *text, size_t len, char why[160], uint64_t *expires)
{
    struct dna_posh_doc d;
    dna_posh_doc_read(&d, text, len);
    enum dna_posh_kind kind = d.kind;
    strcpy(why, d.why);
    *expires = d.expires;
    dna_posh_doc_cleanup(&d);
    return kind;
}

static void test_good(void)
{
    static const struct {
        const char *text;
        enum dna_posh_kind kind;
        uint64_t expires;
    } good[] = {
        { "{" PRINTS ",\"expires\":604800}", DNA_POSH_FINGERPRINTS, 604800 },
        { " {\n\"expires\" : 1 ,\t" PRINTS "} \r\n", DNA_POSH_FINGERPRINTS, 1 },
        { "{" PRINTS ",\"expires\":9223372036854775807}", DNA_POSH_FINGERPRINTS, INT64_MAX },
        { "{" PRINTS ",\"expires\":5,\"more\":[[{\"a\":[1.5,null]}]]}", DNA_POSH_FINGERPRINTS, 5 },
        { "{\"fingerprints\":[{}],\"expires\":5}", DNA_POSH_FINGERPRINTS, 5 },
        { "{\"fingerprints\":[{\"md5\":7,\"sha3-999\":[]}],\"expires\":5}", DNA_POSH_FINGERPRINTS,
          5 },
        { "{\"fingerprints\":[{\"sha-256\":\"unreadable\"}],\"expires\":5}", DNA_POSH_FINGERPRINTS,
          5 },
        { "{\"url\":\"https://hosting.example.net/.well-known/posh/spice.json\",\"expires\":86400}",
          DNA_POSH_REFERENCE, 86400 },
        { "{\"url\":\"HTTPS://[2001:db8::1]:8443/x?y\",\"expires\":1}", DNA_POSH_REFERENCE, 1 },
        { "{\"url\":\"https://b\\u00fccher.example/\",\"expires\":1}", DNA_POSH_REFERENCE, 1 },
    };
    char why[160];
    uint64_t expires;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CU_ASSERT_EQUAL(read_len(good[i].text, strlen(good[i].text), why, &expires), good[i].kind);
        CU_ASSERT_EQUAL(expires, good[i].expires);
        CU_ASSERT_STRING_EQUAL(why, "");
    }
}

struct refusal {
    const char *text, *why;
};

static void refuse(const struct refusal *bad, size_t num)
{
    char why[160];
    uint64_t expires;
    for (size_t i = 0; i < num; i++) {
        CU_ASSERT_EQUAL(read_len(bad[i].text, strlen(bad[i].text), why, &expires), DNA_POSH_BAD);
        CU_ASSERT_PTR_NOT_NULL(strstr(why, bad[i].why));
        if (!strstr(why, bad[i].why))
            printf("\n%s: said %s\n", bad[i].text, why);
    }
}

static void test_bad_members(void)
{
    static const struct refusal bad[] = {
        { "{" PRINTS ",\"url\":\"https://a.example/\",\"expires\":5}", "both" },
        { "{\"expires\":5}", "neither" },
        { "{\"fingerprints\":[],\"expires\":5}", "empty" },
        { "{\"fingerprints\":{},\"expires\":5}", "no array" },
        { "{\"fingerprints\":null,\"expires\":5}", "no array" },
        { "{\"fingerprints\":[{},7],\"expires\":5}", "\"fingerprints\"[1] is no object" },
        { "{\"fingerprints\":[{\"sha-256\":7}],\"expires\":5}", "[0].\"sha-256\" is no string" },
        { "{" PRINTS "}", "\"expires\" is missing" },
        { "{" PRINTS ",\"expires\":-1}", "negative" },
        { "{" PRINTS ",\"expires\":0}", "is 0" },
        { "{" PRINTS ",\"expires\":-0}", "is 0" },
        { "{" PRINTS ",\"expires\":1.5}", "no integer" },
        { "{" PRINTS ",\"expires\":5.0}", "no integer" },
        { "{" PRINTS ",\"expires\":1e99}", "no integer" },
        { "{" PRINTS ",\"expires\":1e999}", "line 1" },
        { "{" PRINTS ",\"expires\":9223372036854775808}", "line 1" },
        { "{" PRINTS ",\"expires\":\"5\"}", "no integer" },
        { "{" PRINTS ",\"expires\":null}", "no integer" },
        { "{\"url\":\"https://a.example/\",\"expires\":0}", "is 0" },
        { "{\"url\":\"https://a.example/\"}", "\"expires\" is missing" },
    };
    refuse(bad, sizeof bad / sizeof *bad);
}

static void test_bad_urls(void)
{
    static const struct refusal bad[] = {
        { "{\"url\":7,\"expires\":5}", "\"url\" is no string" },
        { "{\"url\":\"http://a.example/\",\"expires\":5}", "\"url\" is no https URI" },
        { "{\"url\":\"/relative.json\",\"expires\":5}", "\"url\" is no https URI" },
        { "{\"url\":\"\",\"expires\":5}", "\"url\" is no https URI" },
        { "{\"url\":\"https://me:secret@a.example/\",\"expires\":5}", "user information" },
        { "{\"url\":\"https://me@a.example/\",\"expires\":5}", "user information" },
        { "{\"url\":\"https://\",\"expires\":5}", "\"url\" " },
        { "{\"url\":\"https:///x\",\"expires\":5}", "\"url\" has no host" },
        { "{\"url\":\"https://a b.example/\",\"expires\":5}", "\"url\" " },
        { "{\"url\":\"https://a..example/\",\"expires\":5}", "\"url\" " },
        { "{\"url\":\"https://a.example:70000/\",\"expires\":5}", "\"url\" " },
        { "{\"url\":\"https://a.example:0/\",\"expires\":5}", "\"url\" " },
        { "{\"url\":\"https://a.example/\\nx\",\"expires\":5}", "\"url\" " },
        { "{\"url\":\"https://a.exa\\u0000mple/\",\"expires\":5}", "line 1" },
    };
    refuse(bad, sizeof bad / sizeof *bad);
    char url[3000] = "https://a.example/", why[100];
    memset(url + strlen(url), 'x', 2500);
    CU_ASSERT_FALSE(dna_posh_url_ok(url, why, sizeof why));
    CU_ASSERT_STRING_EQUAL(why, "is too long");
}

static void test_bad_json(void)
{
    static const struct refusal bad[] = {
        { "", "empty" },
        { " ", "line 1" },
        { "\xef\xbb\xbf{" PRINTS ",\"expires\":5}", "byte order mark" },
        { "[]", "no JSON object" },
        { "7", "no JSON object" },
        { "{" PRINTS ",\"expires\":5", "line 1" },
        { "{" PRINTS ",\"expires\":5} x", "end of file expected" },
        { "{" PRINTS ",\"expires\":5}{}", "end of file expected" },
        { "{" PRINTS ",\"expires\":5,\"expires\":6}", "duplicate" },
        { "{\"fingerprints\":[{\"sha-256\":\"a\",\"sha-256\":\"b\"}],\"expires\":5}", "duplicate" },
        { "{\"fingerprints\":[{\"sha-256\":\"a\nb\"}],\"expires\":5}", "line 1" },
        { "{'expires':5}", "line 1" },
        { "{\"x\":\"\xff\"," PRINTS ",\"expires\":5}", "unable to decode byte 0xff" },
        { "[[[[[[[[[[[[[[[[[", "nested more than 16 deep" },
        { "<html>404</html>", "line 1" },
    };
    static const char utf16[] = "\xff\xfe{\0}\0", plain16[] = "\0{\0}";
    char why[160];
    uint64_t expires;
    refuse(bad, sizeof bad / sizeof *bad);
    CU_ASSERT_EQUAL(read_len(utf16, sizeof utf16 - 1, why, &expires), DNA_POSH_BAD);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "byte 3: NUL"));
    CU_ASSERT_EQUAL(read_len(plain16, sizeof plain16 - 1, why, &expires), DNA_POSH_BAD);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "byte 0: NUL"));
}

/* Brackets in a string are no nesting, and a quote behind a backslash ends none. */
static void test_depth_in_strings(void)
{
    static const char text[] =
        "{\"x\":\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[[[\"," PRINTS ",\"expires\":5}";
    char why[160];
    uint64_t expires;
    CU_ASSERT_EQUAL(read_len(text, sizeof text - 1, why, &expires), DNA_POSH_FINGERPRINTS);
}

static void test_number_of_descriptors(void)
{
    struct dna_buf text = DNA_BUF_INIT;
    char why[160];
    uint64_t expires;
    dna_buf_puts(&text, "{\"expires\":5,\"fingerprints\":[{}");
    for (int i = 1; i < DNA_POSH_MAX_DESCRIPTORS; i++)
        dna_buf_puts(&text, ",{}");
    size_t len = text.len;
    dna_buf_puts(&text, "]}");
    CU_ASSERT_EQUAL(read_len(text.at, text.len, why, &expires), DNA_POSH_FINGERPRINTS);
    text.len = len;
    dna_buf_puts(&text, ",{}]}");
    CU_ASSERT_EQUAL(read_len(text.at, text.len, why, &expires), DNA_POSH_BAD);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "257 descriptors"));
    dna_buf_cleanup(&text);
}

/* --- matching --- */

static X509 *mint(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    EVP_PKEY_free(key);
    return x;
}

static void fingerprint(X509 *x, const EVP_MD *md, char out[100])
{
    unsigned char *der = NULL, sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int size = i2d_X509(x, &der);
    EVP_Digest(der, (size_t)size, sum, &len, md, NULL);
    EVP_EncodeBlock((unsigned char *)out, sum, (int)len);
    OPENSSL_free(der);
}

/* Writes list with the first %s a hash of x, and says what came of it: 0 no match, 1 match, 2 match
 * but a mismatch with it. */
static int match(X509 *x, const char *list, const char *one, const char *two)
{
    struct dna_buf text = DNA_BUF_INIT;
    struct dna_posh_doc d;
    const char *const values[2] = { one, two };
    int n = 0;
    dna_buf_puts(&text, "{\"expires\":5,\"fingerprints\":[");
    for (; *list; list++)
        if (*list == '%' && n < 2)
            dna_buf_puts(&text, values[n++]);
        else
            dna_buf_add(&text, *list == '\'' ? "\"" : list, 1);
    dna_buf_puts(&text, "]}");
    dna_posh_doc_read(&d, text.at, text.len);
    CU_ASSERT_EQUAL(d.kind, DNA_POSH_FINGERPRINTS);
    struct dna_posh_match m = dna_posh_doc_match(&d, x);
    dna_posh_doc_cleanup(&d);
    dna_buf_cleanup(&text);
    return !m.matched ? 0 : m.mismatched_too ? 2 : 1;
}

static void test_match(void)
{
    X509 *x = mint();
    char s256[100], s384[100], s512[100], s1[100], s224[100], cut[100];
    fingerprint(x, EVP_sha256(), s256);
    fingerprint(x, EVP_sha384(), s384);
    fingerprint(x, EVP_sha512(), s512);
    fingerprint(x, EVP_sha1(), s1);
    fingerprint(x, EVP_sha224(), s224);
    CU_ASSERT_EQUAL(match(x, "{'sha-256':'%'}", s256, NULL), 1);
    CU_ASSERT_EQUAL(match(x, "{'sha-384':'%'}", s384, NULL), 1);
    CU_ASSERT_EQUAL(match(x, "{'sha-512':'%'}", s512, NULL), 1);
    CU_ASSERT_EQUAL(match(x, "{'sha-256':'%'}", SHA256, NULL), 0);
    CU_ASSERT_EQUAL(match(x, "{},{'sha-256':'%'},{'sha-256':'%'}", SHA256, s256), 1);
    CU_ASSERT_EQUAL(match(x, "{'sha-256':'%','sha-512':'%'}", s256, s512), 1);
    CU_ASSERT_EQUAL(match(x, "{'sha-256':'%','sha-512':'%'}", SHA256, s512), 2);
    CU_ASSERT_EQUAL(match(x, "{'sha-256':'%','sha-512':'garbled'}", s256, NULL), 2);
    CU_ASSERT_EQUAL(match(x, "{'sha-256':'%','sha-512':'%'}", s256, SHA512), 2);
    CU_ASSERT_EQUAL(match(x, "{'sha-256':'%','sha-999':'%'}", s256, SHA512), 1);
    CU_ASSERT_EQUAL(match(x, "{'sha-1':'%'}", s1, NULL), 0);     /* weak */
    CU_ASSERT_EQUAL(match(x, "{'sha-224':'%'}", s224, NULL), 0); /* does not count */
    CU_ASSERT_EQUAL(match(x, "{'SHA-256':'%'}", s256, NULL), 0); /* no name of the registry */
    CU_ASSERT_EQUAL(match(x, "{'sha-512':'%'}", s256, NULL), 0); /* of another length */
    strcpy(cut, s256);
    cut[strlen(cut) - 1] = '\0';
    CU_ASSERT_EQUAL(match(x, "{'sha-256':'%'}", cut, NULL), 0);   /* unpadded */
    CU_ASSERT_EQUAL(match(x, "{'sha-256':' %'}", s256, NULL), 0); /* wrapped */
    CU_ASSERT_EQUAL(match(x, "{'sha-256':'%\\n'}", s256, NULL), 0);
    X509_free(x);
}

/* "47DE...uFU=" has two pad bits, zero in U; V sets one. '-' and '_' are another alphabet's. */
static void test_base64(void)
{
    static const char *const garbled[] = { "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
                                           "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=", "" };
    for (size_t i = 0; i < 3; i++) {
        struct dna_buf text = DNA_BUF_INIT;
        struct dna_posh_doc d;
        dna_buf_printf(&text, "{\"expires\":5,\"fingerprints\":[{\"sha-256\":\"%s\"}]}",
                       garbled[i]);
        dna_posh_doc_read(&d, text.at, text.len);
        CU_ASSERT_EQUAL_FATAL(d.num, 1);
        CU_ASSERT_EQUAL(d.descriptors[0].has[DNA_POSH_SHA256], DNA_POSH_GARBLED);
        CU_ASSERT_EQUAL(d.descriptors[0].has[DNA_POSH_SHA512], DNA_POSH_UNSET);
        dna_posh_doc_cleanup(&d);
        dna_buf_cleanup(&text);
    }
}

static void test_urls(void)
{
    static const struct {
        const char *url, *host, *full;
        uint16_t port;
    } t[] = {
        { "https://A.example", "a.example", "https://a.example/", 443 },
        { "https://b\xc3\xbc"
          "cher.example:8443/x#y",
          "xn--bcher-kva.example", "https://xn--bcher-kva.example:8443/x", 8443 },
        { "https://127.0.0.1/x", "127.0.0.1", "https://127.0.0.1/x", 443 },
        /* whether it is gone to is for the table to say */
        { "http://h.example/x", "h.example", "http://h.example/x", 80 },
        { "https://[::1]:444/", "[::1]", "https://[::1]:444/", 444 },
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        char host[256] = "", why[100] = "", *full = NULL;
        uint16_t port = 0;
        CU_ASSERT_TRUE_FATAL(dna_posh_url_split(t[i].url, host, &port, &full, why, sizeof why));
        CU_ASSERT_STRING_EQUAL(host, t[i].host);
        CU_ASSERT_STRING_EQUAL(full, t[i].full);
        CU_ASSERT_EQUAL(port, t[i].port);
        free(full);
    }
    char *source = dna_posh_url_source("a.example", "xmpp-server", 443);
    CU_ASSERT_STRING_EQUAL(source, "https://a.example/.well-known/posh/xmpp-server.json");
    free(source);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("posh_doc", NULL, NULL);
    CU_add_test(s, "sound documents", test_good);
    CU_add_test(s, "members that are missing, surplus or of the wrong type", test_bad_members);
    CU_add_test(s, "URLs of references", test_bad_urls);
    CU_add_test(s, "no JSON, or not as it has to be", test_bad_json);
    CU_add_test(s, "brackets in strings", test_depth_in_strings);
    CU_add_test(s, "too many descriptors", test_number_of_descriptors);
    CU_add_test(s, "which certificates match", test_match);
    CU_add_test(s, "base64 that is none", test_base64);
    CU_add_test(s, "hosts and ports of URLs", test_urls);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
