/* SPDX-License-Identifier: MIT */
/* test_conn: two connections talk over loopback in one process: streams, STARTTLS at the right
 * byte, closing in order, refusals, deadlines, and owners that free a connection inside its
 * callbacks. */
#include <CUnit/Basic.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "impl/buf.h"
#include "impl/conn.h"
#include "impl/pkix.h"
#include "impl/tls.h"

#define HEADER                                                                                     \
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>"

enum { LONG_MS = 5000 };

struct end {
    struct lab *lab;
    struct dna_conn *conn;
    struct dna_buf log;
    const char *on_connect, *on_header, *on_element; /* what is sent then */
    SSL *tls;                                        /* started at the first element */
    bool accept, close_at_end, free_at_element, restart_at_tls, drop_at_header;
    uint32_t tls_ms;
    void (*before_tls)(struct end *e);
};

struct lab {
    struct event_base *base;
    struct evconnlistener *listener;
    struct sockaddr_in at;
    struct end client, server;
    unsigned open;
};

static char chain_file[] = "/tmp/xdna-test-conn-XXXXXX", key_file[] = "/tmp/xdna-test-key-XXXXXX";

static void note(struct end *e, const char *what)
{
    dna_buf_printf(&e->log, "%s;", what);
}

static void say(struct end *e, const char *text)
{
    if (text)
        dna_conn_puts(e->conn, text);
}

static void on_connected(void *arg)
{
    struct end *e = arg;
    note(e, "connected");
    say(e, e->on_connect);
}

static void on_header(void *arg, const struct dna_xml_node *h)
{
    struct end *e = arg;
    note(e, h->name);
    say(e, e->on_header);
    if (e->drop_at_header)
        dna_conn_drop(e->conn, LONG_MS);
}

static void on_element(void *arg, const struct dna_xml_node *x)
{
    struct end *e = arg;
    note(e, x->name);
    if (dna_conn_clear_trailing(e->conn))
        note(e, "trailing");
    say(e, e->on_element);
    e->on_element = NULL;
    if (e->tls && e->before_tls)
        e->before_tls(e);
    if (e->tls)
        dna_conn_start_tls(e->conn, e->tls, e->accept, e->tls_ms ? e->tls_ms : LONG_MS);
    e->tls = NULL;
    if (e->free_at_element) {
        dna_conn_free(e->conn);
        e->conn = NULL;
        e->lab->open--;
    }
}

static void on_stream_end(void *arg)
{
    struct end *e = arg;
    note(e, "end");
    if (e->close_at_end)
        dna_conn_close(e->conn);
    dna_conn_drop(e->conn, LONG_MS);
}

static void on_xml_error(void *arg, enum dna_xml_error why)
{
    struct end *e = arg;
    note(e, dna_xml_error_condition(why));
    dna_conn_close(e->conn);
}

static void on_tls_up(void *arg)
{
    struct end *e = arg;
    note(e, "tls");
    if (e->restart_at_tls) {
        dna_conn_restart_xml(e->conn, 20000);
        say(e, HEADER);
    }
}

static void on_tls_failed(void *arg, const char *why)
{
    struct end *e = arg;
    (void)why;
    note(e, "tls failed");
    dna_conn_drop(e->conn, 50);
}

static void on_closed(void *arg, enum dna_conn_end how, const char *why)
{
    static const char *const names[] = { "refused", "eof", "error", "closed" };
    struct end *e = arg;
    (void)why;
    note(e, names[how]);
    dna_conn_free(e->conn);
    e->conn = NULL;
    e->lab->open--;
}

static const struct dna_conn_handler handler = { on_connected,  on_header,    on_element,
                                                 on_stream_end, on_xml_error, on_tls_up,
                                                 on_tls_failed, on_closed };

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *a, int len,
                      void *arg)
{
    struct lab *lab = arg;
    (void)l;
    (void)a;
    (void)len;
    lab->server.conn = dna_conn_accept(lab->base, fd, &handler, &lab->server);
    lab->open++;
}

static void begin(struct lab *l)
{
    socklen_t len = sizeof l->at;
    memset(l, 0, sizeof *l);
    l->client.lab = l->server.lab = l;
    l->server.accept = true;
    l->base = event_base_new();
    l->at.sin_family = AF_INET;
    l->at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l->listener = evconnlistener_new_bind(l->base, on_accept, l, LEV_OPT_CLOSE_ON_FREE, 5,
                                          (const struct sockaddr *)&l->at, (int)len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->listener);
    (void)getsockname(evconnlistener_get_fd(l->listener), (struct sockaddr *)&l->at, &len);
    dna_buf_puts(&l->client.log, "");
    dna_buf_puts(&l->server.log, "");
}

static void run(struct lab *l, const char *client, const char *server)
{
    l->open = 1;
    l->client.conn = dna_conn_connect(l->base, (const struct sockaddr *)&l->at, sizeof l->at, NULL,
                                      0, LONG_MS, &handler, &l->client);
    CU_ASSERT_STRING_EQUAL(l->client.log.at, ""); /* never from inside the call */
    while (l->open && event_base_loop(l->base, EVLOOP_ONCE) == 0)
        ;
    if (strcmp(l->client.log.at, client) != 0 || strcmp(l->server.log.at, server) != 0)
        printf("client %s\nserver %s\n", l->client.log.at, l->server.log.at);
    CU_ASSERT_STRING_EQUAL(l->client.log.at, client);
    CU_ASSERT_STRING_EQUAL(l->server.log.at, server);
    dna_conn_free(l->client.conn);
    dna_conn_free(l->server.conn);
    if (l->listener)
        evconnlistener_free(l->listener);
    dna_buf_cleanup(&l->client.log);
    dna_buf_cleanup(&l->server.log);
    event_base_free(l->base);
}

static void test_orderly(void)
{
    struct lab l;
    begin(&l);
    l.client.on_connect = HEADER "<a/><b/></stream:stream>";
    l.server.on_header = HEADER;
    l.server.close_at_end = l.client.close_at_end = true;
    run(&l, "connected;stream;end;closed;", "stream;a;trailing;b;trailing;end;closed;");
}

static void test_dropped(void)
{
    struct lab l;
    begin(&l);
    l.client.on_connect = HEADER;
    l.server.on_header = HEADER "<a/>";
    l.server.drop_at_header = true;
    run(&l, "connected;stream;a;eof;", "stream;closed;");
}

static void test_refused(void)
{
    struct lab l;
    begin(&l);
    evconnlistener_free(l.listener);
    l.listener = NULL;
    run(&l, "refused;", "");
}

static void test_freed_inside(void)
{
    struct lab l;
    begin(&l);
    l.client.on_connect = HEADER "<a/><b/>";
    l.server.free_at_element = true;
    run(&l, "connected;eof;", "stream;a;trailing;");
}

static void test_limit(void)
{
    struct lab l;
    begin(&l);
    struct dna_buf b = DNA_BUF_INIT;
    dna_buf_puts(&b, HEADER "<a>");
    while (b.len < 40000)
        dna_buf_puts(&b, "xxxxxxxxxxxxxxxx");
    l.client.on_connect = b.at;
    l.client.close_at_end = true;
    l.server.on_header = HEADER;
    run(&l, "connected;stream;end;closed;", "stream;policy-violation;eof;");
    dna_buf_cleanup(&b);
}

static void secure(struct lab *l, const char *behind)
{
    char why[200];
    SSL_CTX *ctx = dna_tls_context_new(chain_file, key_file, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
    l->client.on_connect = HEADER;
    l->server.on_header = HEADER "<features/>";
    l->client.on_element = behind;
    l->server.on_element = "<proceed/>";
    l->server.tls = dna_tls_accept_new(ctx, true);
    l->client.restart_at_tls = l->server.close_at_end = true;
    SSL_CTX_free(ctx);
}

/* The client starts TLS at its second element (<proceed/>), so it is told by hand. */
static void second_element(void *arg, const struct dna_xml_node *x)
{
    struct end *e = arg;
    if (strcmp(x->name, "proceed") == 0) {
        char why[200];
        SSL_CTX *ctx = dna_tls_context_new(chain_file, key_file, why, sizeof why);
        e->tls = dna_tls_connect_new(ctx, "a.example");
        SSL_CTX_free(ctx);
    }
    on_element(arg, x);
}

static void third_header(void *arg, const struct dna_xml_node *h)
{
    struct end *e = arg;
    on_header(arg, h);
    if (dna_conn_secured(e->conn)) {
        CU_ASSERT_TRUE(dna_tls_showed_certificate(dna_conn_ssl(e->conn)));
        CU_ASSERT_PTR_NOT_NULL(SSL_get0_peer_certificate(dna_conn_ssl(e->conn)));
        dna_conn_close(e->conn);
    }
}

static const struct dna_conn_handler tls_client = { on_connected,  third_header, second_element,
                                                    on_stream_end, on_xml_error, on_tls_up,
                                                    on_tls_failed, on_closed };

static void run_tls(struct lab *l, const char *client, const char *server)
{
    l->open = 1;
    l->client.conn = dna_conn_connect(l->base, (const struct sockaddr *)&l->at, sizeof l->at, NULL,
                                      0, LONG_MS, &tls_client, &l->client);
    while (l->open && event_base_loop(l->base, EVLOOP_ONCE) == 0)
        ;
    if (strcmp(l->client.log.at, client) != 0 || strcmp(l->server.log.at, server) != 0)
        printf("client %s\nserver %s\n", l->client.log.at, l->server.log.at);
    CU_ASSERT_STRING_EQUAL(l->client.log.at, client);
    CU_ASSERT_STRING_EQUAL(l->server.log.at, server);
    evconnlistener_free(l->listener);
    dna_buf_cleanup(&l->client.log);
    dna_buf_cleanup(&l->server.log);
    event_base_free(l->base);
}

static void test_starttls(void)
{
    struct lab l;
    begin(&l);
    secure(&l, "<starttls/>");
    run_tls(&l, "connected;stream;features;proceed;tls;stream;features;end;closed;",
            "stream;starttls;tls;stream;end;closed;");
}

static void test_trailing(void)
{
    struct lab l;
    begin(&l);
    secure(&l, "<starttls/><evil/>");
    run_tls(&l, "connected;stream;features;proceed;tls;stream;features;end;closed;",
            "stream;starttls;trailing;tls;stream;end;closed;");
}

static void test_no_handshake(void)
{
    struct lab l;
    begin(&l);
    secure(&l, "<starttls/>");
    l.server.tls_ms = 100; /* the client never begins: it is the plain one */
    l.client.on_element = "<starttls/>";
    run(&l, "connected;stream;features;proceed;eof;", "stream;starttls;tls failed;closed;");
}

/* The end is decided when the handshake is done and the loop has still to report that TLS is up. */
static void drop_now(int fd, short what, void *conn)
{
    (void)fd;
    (void)what;
    dna_conn_drop(conn, LONG_MS);
}

static void drop_when_done(const SSL *ssl, int where, int ret)
{
    const struct end *e = SSL_get_app_data(ssl);
    (void)ret;
    if (where & SSL_CB_HANDSHAKE_DONE)
        event_base_once(e->lab->base, -1, EV_TIMEOUT, drop_now, e->conn, &(struct timeval){ 0, 0 });
}

static void drop_in_handshake(struct end *e)
{
    SSL_set_app_data(e->tls, e);
    SSL_set_info_callback(e->tls, drop_when_done);
}

static void test_dropped_in_handshake(void)
{
    struct lab l;
    begin(&l);
    secure(&l, "<starttls/>");
    l.server.before_tls = drop_in_handshake;
    run_tls(&l, "connected;stream;features;proceed;tls;eof;", "stream;starttls;closed;");
}

static int write_pem(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    int chain_fd = mkstemp(chain_file), key_fd = mkstemp(key_file);
    FILE *chain = fdopen(chain_fd, "w"), *keys = fdopen(key_fd, "w");
    int ok = chain && keys && PEM_write_X509(chain, x) == 1 &&
             PEM_write_PrivateKey(keys, key, NULL, NULL, 0, NULL, NULL) == 1;
    if (chain)
        (void)fclose(chain);
    if (keys)
        (void)fclose(keys);
    X509_free(x);
    EVP_PKEY_free(key);
    return !ok;
}

static int remove_pem(void)
{
    return unlink(chain_file) | unlink(key_file);
}

static void test_bad_files(void)
{
    char why[200] = "";
    CU_ASSERT_PTR_NULL(dna_tls_context_new("/nonexistent", key_file, why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nonexistent"));
    CU_ASSERT_PTR_NULL(dna_tls_context_new(chain_file, chain_file, why, sizeof why));
    CU_ASSERT_PTR_NULL(dna_pkix_store_new("/nonexistent", NULL, why, sizeof why));
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "/nonexistent"));
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("conn", write_pem, remove_pem);
    CU_add_test(s, "streams close in order", test_orderly);
    CU_add_test(s, "what was sent before a drop arrives", test_dropped);
    CU_add_test(s, "a refused connection", test_refused);
    CU_add_test(s, "freed inside a callback", test_freed_inside);
    CU_add_test(s, "limit on bytes", test_limit);
    CU_add_test(s, "STARTTLS", test_starttls);
    CU_add_test(s, "bytes behind starttls are seen and thrown away", test_trailing);
    CU_add_test(s, "a handshake that never begins", test_no_handshake);
    CU_add_test(s, "dropped while the handshake ends", test_dropped_in_handshake);
    CU_add_test(s, "bad certificate files", test_bad_files);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
