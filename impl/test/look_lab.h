/* SPDX-License-Identifier: MIT */
/* look_lab.h -- what test_look.c and test_client.c play against: certificates minted here, and a
   signed zone, a web server and whatever else in processes of their own, since the code under test
   runs a loop of its own and blocks. */
#ifndef DNA_IMPL_TEST_LOOK_LAB_H
#define DNA_IMPL_TEST_LOOK_LAB_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/wait.h>

#include "impl/buf.h"
#include "impl/test/listen.h"
#include "impl/test/signed_dns.h"
#include "impl/tls.h"

enum { MAX_CHILDREN = 8 };

/* --- certificates, as files, since each server is another process --- */

struct identity {
    X509 *x;
    EVP_PKEY *key;
    char file[40]; /* certificate and key */
};
static struct identity root, good, own;

static void extend(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static void mint(struct identity *i, const char *cn, const char *names, const struct identity *by)
{
    static long serial;
    X509_NAME *subject;
    FILE *f;

    i->x = X509_new();
    i->key = EVP_EC_gen("P-256");
    subject = X509_get_subject_name(i->x);
    X509_set_version(i->x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(i->x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(i->x), -86400);
    X509_gmtime_adj(X509_getm_notAfter(i->x), 30L * 86400 + 600);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
    X509_set_pubkey(i->x, i->key);
    X509_set_issuer_name(i->x, by ? X509_get_subject_name(by->x) : subject);
    extend(i->x, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE");
    if (names)
        extend(i->x, NID_subject_alt_name, names);
    X509_sign(i->x, by ? by->key : i->key, EVP_sha256());
    snprintf(i->file, sizeof i->file, "/tmp/test_look_XXXXXX");
    f = fdopen(mkstemp(i->file), "w");
    PEM_write_X509(f, i->x);
    PEM_write_PrivateKey(f, i->key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
}

static int mint_all(void)
{
    mint(&root, "root", NULL, NULL);
    mint(&good, "a", "DNS:a.example,DNS:n.example,DNS:x.example", &root);
    mint(&own, "own", "DNS:host.example", NULL);
    return 0;
}

static int forget_all(void)
{
    struct identity *all[] = { &root, &good, &own };

    for (size_t i = 0; i < 3; i++) {
        X509_free(all[i]->x);
        EVP_PKEY_free(all[i]->key);
        unlink(all[i]->file);
    }
    return 0;
}

/* --- servers, a process each --- */

static pid_t children[MAX_CHILDREN];
static size_t num_children;

static bool become_child(void)
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0)
        alarm(PATIENCE_S);
    else
        children[num_children++] = child;
    return child == 0;
}

static void end_children(void)
{
    while (num_children) {
        kill(children[--num_children], SIGTERM);
        waitpid(children[num_children], NULL, 0);
    }
}

struct peer {
    int fd;
    SSL *ssl;
    struct dna_buf got;
};

static void say(struct peer *p, const char *text)
{
    if (p->ssl)
        SSL_write(p->ssl, text, (int)strlen(text));
    else
        send(p->fd, text, strlen(text), 0);
}

/* Reads up to and including text; false at the end of the connection. */
static bool hear(struct peer *p, const char *text)
{
    char chunk[4096];
    const char *at;

    while (!p->got.len || !(at = strstr(p->got.at, text))) {
        long len =
            p->ssl ? SSL_read(p->ssl, chunk, sizeof chunk) : recv(p->fd, chunk, sizeof chunk, 0);
        if (len <= 0)
            return false;
        dna_buf_add(&p->got, chunk, (size_t)len);
    }
    dna_buf_reset(&p->got);
    return true;
}

static void upgrade(struct peer *p, const struct identity *as, bool ask)
{
    char why[200];
    SSL_CTX *ctx = dna_tls_context_new(as->file, as->file, why, sizeof why);

    p->ssl = dna_tls_accept_new(ctx, ask);
    SSL_set_fd(p->ssl, p->fd);
    SSL_accept(p->ssl);
}

/* --- the web and the names --- */

/* document_of() is the POSH document that names a certificate; free() it. */
static char *document_of(const struct identity *i)
{
    unsigned char sum[EVP_MAX_MD_SIZE], text[100];
    unsigned len = 0;
    struct dna_buf b = DNA_BUF_INIT;

    X509_digest(i->x, EVP_sha256(), sum, &len);
    EVP_EncodeBlock(text, sum, (int)len);
    dna_buf_printf(&b, "{\"fingerprints\":[{\"sha-256\":\"%s\"}],\"expires\":100}", (char *)text);
    return b.at;
}

/* body NULL: 404. */
static uint16_t begin_web(const char *body)
{
    uint16_t port;
    int listener = listen_somewhere(&port);

    if (!become_child()) {
        close(listener);
        return port;
    }
    for (;;) {
        struct peer p = { .fd = accept(listener, NULL, NULL) };
        struct dna_buf b = DNA_BUF_INIT;
        upgrade(&p, &good, false);
        if (!hear(&p, "\r\n\r\n"))
            continue;
        dna_buf_printf(&b, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                       body ? "200 OK" : "404 Not Found", body ? strlen(body) : 0,
                       body ? body : "");
        say(&p, b.at);
        SSL_shutdown(p.ssl);
        close(p.fd);
    }
}

/* --- records of the zone: all of them before begin_dns() --- */

static char *strings[24];
static size_t num_strings;

static void record(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void record(const char *format, ...)
{
    char text[600];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    strings[num_strings++] = dna_strdup(text);
}

static void record_tlsa(uint16_t port, const struct identity *of)
{
    unsigned char *spki = NULL, sum[32];
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(of->x), &spki);
    struct dna_buf hex = DNA_BUF_INIT;

    EVP_Digest(spki, (size_t)len, sum, NULL, EVP_sha256(), NULL);
    for (size_t i = 0; i < sizeof sum; i++)
        dna_buf_printf(&hex, "%02x", sum[i]);
    record("_%u._tcp.host.example. 60 IN TLSA 3 1 1 %s", port, hex.at);
    dna_buf_cleanup(&hex);
    OPENSSL_free(spki);
}

/* The records are signed, but for one at the end of an alias. */
static void record_bogus_tlsa(uint16_t port)
{
    record("_%u._tcp.host.example. 60 IN CNAME tlsa%u.broken.example.", port, port);
    record("tlsa%u.broken.example. 60 IN TLSA 3 1 1 %064d", port, 0);
}

struct names {
    char resolver[40], anchor[400];
};

static void begin_dns(struct names *out)
{
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    if (become_child()) {
        struct event_base *base = event_base_new();
        struct signed_dns dns;
        struct names n = { "", "" };
        signed_dns_begin(&dns, base, (const char *const *)strings, num_strings);
        snprintf(n.resolver, sizeof n.resolver, "%s", dns.resolver);
        snprintf(n.anchor, sizeof n.anchor, "%s", dns.anchor);
        _exit(write(ends[1], &n, sizeof n) == sizeof n ? event_base_dispatch(base) : 1);
    }
    close(ends[1]);
    CU_ASSERT_EQUAL_FATAL(read(ends[0], out, sizeof *out), sizeof *out);
    close(ends[0]);
    while (num_strings)
        free(strings[--num_strings]);
}

#endif
