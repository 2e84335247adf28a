/* SPDX-License-Identifier: MIT */
/* test_tls: no TLS session is resumed, neither by us nor with us, whatever the other side would
 * like: a certificate counts on the connection that it was shown on (model/properties.def, S25). */
#include <CUnit/Basic.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "impl/tls.h"

static char chain_file[] = "/tmp/xdna-test-tls-XXXXXX", key_file[] = "/tmp/xdna-test-tlskey-XXXXXX";

static SSL_SESSION *kept; /* the last session that the other side was given */

static int keep(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static SSL_CTX *ours(void)
{
    char why[200];
    SSL_CTX *ctx = dna_tls_context_new(chain_file, key_file, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
    return ctx;
}

/* The other side: OpenSSL as it comes, which resumes when it can. */
static SSL_CTX *others(int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
    SSL_CTX_set_max_proto_version(ctx, version);
    CU_ASSERT_EQUAL_FATAL(SSL_CTX_use_certificate_chain_file(ctx, chain_file), 1);
    CU_ASSERT_EQUAL_FATAL(SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM), 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"o", 1);
    SSL_CTX_sess_set_new_cb(ctx, keep);
    return ctx;
}

/* Shakes hands over memory, and lets what comes behind the handshake (tickets) arrive. */
static void shake(SSL *client, SSL *server)
{
    BIO *here, *there;
    char byte;
    CU_ASSERT_EQUAL_FATAL(BIO_new_bio_pair(&here, 0, &there, 0), 1);
    SSL_set_bio(client, here, here);
    SSL_set_bio(server, there, there);
    for (int i = 0; i < 20; i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    CU_ASSERT_TRUE(SSL_is_init_finished(client) && SSL_is_init_finished(server));
    CU_ASSERT_EQUAL(SSL_write(server, "x", 1), 1);
    CU_ASSERT_EQUAL(SSL_read(client, &byte, 1), 1);
    CU_ASSERT_EQUAL(SSL_write(client, "x", 1), 1);
    CU_ASSERT_EQUAL(SSL_read(server, &byte, 1), 1);
}

static void end(SSL *client, SSL *server)
{
    SSL_shutdown(client);
    SSL_shutdown(server);
    SSL_free(client);
    SSL_free(server);
}

static void test_nobody_resumes_with_us(int version)
{
    SSL_CTX *server_ctx = ours(), *client_ctx = others(version);
    for (int i = 0; i < 2; i++) {
        SSL *server = dna_tls_accept_new(server_ctx, true), *client = SSL_new(client_ctx);
        SSL_set_connect_state(client);
        if (i && kept)
            SSL_set_session(client, kept);
        shake(client, server);
        CU_ASSERT_FALSE(SSL_session_reused(server));
        CU_ASSERT_PTR_NOT_NULL(SSL_get0_peer_certificate(server)); /* shown anew */
        if (!i) {
            SSL_SESSION_free(kept);
            kept = SSL_get1_session(client); /* whatever it is worth */
        }
        end(client, server);
    }
    SSL_SESSION_free(kept);
    kept = NULL;
    SSL_CTX_free(server_ctx);
    SSL_CTX_free(client_ctx);
}

static void test_we_resume_with_nobody(int version)
{
    SSL_CTX *server_ctx = others(version), *client_ctx = ours();
    for (int i = 0; i < 2; i++) {
        SSL *server = SSL_new(server_ctx), *client = dna_tls_connect_new(client_ctx, "a.example");
        SSL_set_accept_state(server);
        shake(client, server);
        CU_ASSERT_FALSE(SSL_session_reused(client));
        end(client, server);
    }
    SSL_SESSION_free(kept);
    kept = NULL;
    SSL_CTX_free(server_ctx);
    SSL_CTX_free(client_ctx);
}

/* The check of the checks: two that come as OpenSSL makes them do resume. */
static void test_others_resume(int version)
{
    SSL_CTX *server_ctx = others(version), *client_ctx = others(version);
    int reused = 0;
    for (int i = 0; i < 2; i++) {
        SSL *server = SSL_new(server_ctx), *client = SSL_new(client_ctx);
        SSL_set_accept_state(server);
        SSL_set_connect_state(client);
        if (i)
            SSL_set_session(client, kept);
        shake(client, server);
        reused = SSL_session_reused(client);
        SSL_SESSION *session = SSL_get1_session(client);
        SSL_SESSION_free(kept);
        kept = session;
        end(client, server);
    }
    CU_ASSERT_TRUE(reused);
    SSL_SESSION_free(kept);
    kept = NULL;
    SSL_CTX_free(server_ctx);
    SSL_CTX_free(client_ctx);
}

#define BOTH(test)                                                                                 \
    static void test##_12(void)                                                                    \
    {                                                                                              \
        test(TLS1_2_VERSION);                                                                      \
    }                                                                                              \
    static void test##_13(void)                                                                    \
    {                                                                                              \
        test(TLS1_3_VERSION);                                                                      \
    }
BOTH(test_nobody_resumes_with_us)
BOTH(test_we_resume_with_nobody)
BOTH(test_others_resume)

static int write_pem(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    int chain_fd = mkstemp(chain_file), key_fd = mkstemp(key_file);
    FILE *chain = fdopen(chain_fd, "w"), *secret = fdopen(key_fd, "w");
    int bad = !chain || !secret || !PEM_write_X509(chain, x) ||
              !PEM_write_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
    bad |= chain && fclose(chain);
    bad |= secret && fclose(secret);
    X509_free(x);
    EVP_PKEY_free(key);
    return bad;
}

static int remove_pem(void)
{
    return unlink(chain_file) | unlink(key_file);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("tls", write_pem, remove_pem);
    CU_add_test(s, "TLS 1.2: nobody resumes a session with us", test_nobody_resumes_with_us_12);
    CU_add_test(s, "TLS 1.3: nobody resumes a session with us", test_nobody_resumes_with_us_13);
    CU_add_test(s, "TLS 1.2: we resume a session with nobody", test_we_resume_with_nobody_12);
    CU_add_test(s, "TLS 1.3: we resume a session with nobody", test_we_resume_with_nobody_13);
    CU_add_test(s, "TLS 1.2: others would", test_others_resume_12);
    CU_add_test(s, "TLS 1.3: others would", test_others_resume_13);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
