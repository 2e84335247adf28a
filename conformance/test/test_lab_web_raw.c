/* SPDX-License-Identifier: MIT */
/*
 * Tests of the lab's web server by raw sockets: what no decent client sends, and the last bytes of
 * a connection.
 */
#include "conformance/test/lab_test_web.h"

#include <openssl/ssl.h>

/* raw sends bytes over a plain connection and returns all that comes, until the server ends. */
static char *raw(const char *bytes, size_t len, bool half_close)
{
    struct sockaddr_in name = { .sin_family = AF_INET,
                                .sin_port = htons(dna_web_listener_port(listener)) };
    static char reply[65536];
    size_t at = 0;
    ssize_t got = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, ADDRESS, &name.sin_addr);
    CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
    CU_ASSERT_EQUAL(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
    if (half_close)
        shutdown(fd, SHUT_WR);
    while (got > 0 && at < sizeof reply - 1 && readable(fd, 10)) {
        got = recv(fd, reply + at, sizeof reply - 1 - at, 0);
        at += got > 0 ? (size_t)got : 0;
    }
    CU_ASSERT_EQUAL(got, 0); /* ended, neither late nor reset */
    if (!half_close)
        CU_ASSERT_EQUAL(send(fd, "x", 1, MSG_NOSIGNAL), 1); /* their side only: we may go on */
    close(fd);
    CU_ASSERT_TRUE(idle(10));
    reply[at] = '\0';
    return reply;
}

static char *raw_text(const char *text)
{
    return raw(text, strlen(text), false);
}

static void bad_requests_are_refused(void)
{
    static const struct {
        const char *text, *status;
    } bad[] = {
        { "GET / HTTP/1.1\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost: a.example:x\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost: a example\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost : a.example\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost: a.example\r\n folded: x\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost: a.example\r\nX: a\nb\r\n\r\n", "400" },
        { "GET / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello", "400" },
        { "GET / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "400" },
        { "GET a HTTP/1.1\r\nHost: a.example\r\n\r\n", "400" },
        { "GET https://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", "400" },
        { "GET  / HTTP/1.1\r\nHost: a.example\r\n\r\n", "400" },
        { "GET / HTTP/2.0\r\nHost: a.example\r\n\r\n", "505" },
        { "GET /\r\nHost: a.example\r\n\r\n", "400" },
        { "GET\t/ HTTP/1.1\r\nHost: a.example\r\n\r\n", "400" },
        { " / HTTP/1.1\r\nHost: a.example\r\n\r\n", "400" },
        { "\r\n\r\n", "400" },
        { "POST / HTTP/1.1\r\nHost: a.example\r\n\r\n", "405" },
    };

    static const char nul[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";

    open_web(NULL);
    put(HOST, "/", (struct dna_web_page){ 0 });
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *reply = raw_text(bad[i].text);

        if (!begins(reply, "HTTP/1.1 ") || !begins(reply + 9, bad[i].status))
            printf("request %zu: %s\n%s\n", i, bad[i].text, reply);
        CU_ASSERT_TRUE(begins(reply, "HTTP/1.1 ") && begins(reply + 9, bad[i].status));
        CU_ASSERT_EQUAL(count_seen(DNA_WEB_BAD_REQUEST), i + 1);
        CU_ASSERT_TRUE(last_seen(DNA_WEB_BAD_REQUEST).reason[0]);
    }
    CU_ASSERT_TRUE(begins(raw(nul, sizeof nul - 1, false), "HTTP/1.1 400"));
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_ASKED), 0);
    close_web();
}

static void large_requests_are_refused(void)
{
    static char large[60000];
    size_t len = (size_t)snprintf(large, sizeof large, "GET / HTTP/1.1\r\nHost: a.example\r\n");

    open_web(NULL);
    put(HOST, "/", (struct dna_web_page){ 0 });
    for (unsigned i = 0; i < 2 * DNA_WEB_MAX_FIELDS; i++)
        len += (size_t)snprintf(large + len, sizeof large - len, "X: y\r\n");
    len += (size_t)snprintf(large + len, sizeof large - len, "\r\n");
    CU_ASSERT_TRUE(begins(raw(large, len, false), "HTTP/1.1 431"));
    memset(large, 'x', sizeof large);
    memcpy(large, "GET /", 5);
    /* all of it is sent before the refusal is read: no reset may swallow that */
    CU_ASSERT_TRUE(begins(raw(large, sizeof large, false), "HTTP/1.1 431"));
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_BAD_REQUEST), 2);
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_ASKED), 0);
    close_web();
}

static void pipelines_are_answered_in_order(void)
{
    char many[8192] = "";
    static const char one[] = "GET /1 HTTP/1.1\r\nHost: a.example\r\n\r\n";
    const char *reply;
    unsigned num = 0;

    open_web(NULL);
    put(HOST, "/1", (struct dna_web_page){ .body = "first", .body_len = 5 });
    put(HOST, "/2", (struct dna_web_page){ .body = "second", .body_len = 6 });
    reply = raw_text("GET /1 HTTP/1.1\r\nHost: A.EXAMPLE:80\r\n\r\n"
                     "GET /2 HTTP/1.1\r\nHost: a.example\r\nConnection: x, Close\r\n\r\n"
                     "GET /3 HTTP/1.1\r\nHost: a.example\r\n\r\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(strstr(reply, "first"));
    CU_ASSERT_PTR_NOT_NULL(strstr(strstr(reply, "first"), "second"));
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_ASKED), 2);
    for (unsigned i = 0; i < 100; i++)
        strcat(many, one);
    num_seen = 0;
    strcat(many, "GET /2 HTTP/1.0\r\nHost: a.example\r\n\r\n");
    for (reply = raw_text(many); (reply = strstr(reply, "first")); reply++)
        num++;
    CU_ASSERT_EQUAL(num, 100);
    CU_ASSERT_PTR_NOT_NULL(strstr(raw(one, strlen(one), true),
                                  "first")); /* half closed is not gone */
    close_web();
}

static void chunks_are_small(void)
{
    const char *reply;

    open_web(NULL);
    put(HOST, "/", (struct dna_web_page){ .body = "0123456789abcdefghi", .body_len = 19,
                                          .manner = DNA_WEB_CHUNKED });
    reply = raw_text("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(reply, "\r\n\r\n10\r\n0123456789abcdef\r\n"
                                         "3\r\nghi\r\n0\r\n\r\n"));
    CU_ASSERT_PTR_NULL(strstr(reply, "Content-Length"));
    close_web();
}

static void idle_connections_end(void)
{
    open_web(NULL);
    dna_web_idle_set(web, 50);
    CU_ASSERT_STRING_EQUAL(raw_text("GET / HT"), "");
    CU_ASSERT_EQUAL(last_seen(DNA_WEB_LEFT).alert, -1);
    CU_ASSERT_EQUAL(num_seen, 1);
    close_web();
    open_web("dns=" HOST);
    dna_web_idle_set(web, 50);
    CU_ASSERT_STRING_EQUAL(raw_text("\x16\x03\x01"), "");
    CU_ASSERT_EQUAL(num_seen, 1);
    CU_ASSERT_EQUAL(last_seen(DNA_WEB_TLS_FAILED).alert, -1);
    num_seen = 0;
    raw_text("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); /* no TLS at all */
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_TLS_FAILED), 1);
    CU_ASSERT_STRING_EQUAL(last_seen(DNA_WEB_TLS_FAILED).reason, "http request");
    close_web();
}

/* ending is how a TLS connection ended, as OpenSSL says it of a client. */
struct ending {
    const char *request;
    unsigned port;
    int error, done_fd;
    size_t len;
    bool clean;
};

static void *ask_over_tls(void *arg)
{
    struct ending *ending = arg;
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)ending->port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), got = 1;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(context);
    char bytes[1024];

    inet_pton(AF_INET, ADDRESS, &name.sin_addr);
    SSL_set_fd(ssl, fd);
    if (connect(fd, (struct sockaddr *)&name, sizeof name) == 0 && SSL_connect(ssl) == 1 &&
        SSL_write(ssl, ending->request, (int)strlen(ending->request)) > 0) {
        while ((got = SSL_read(ssl, bytes, sizeof bytes)) > 0)
            ending->len += (size_t)got;
        ending->error = SSL_get_error(ssl, got);
        ending->clean = SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN;
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    CU_ASSERT_EQUAL(write(ending->done_fd, "", 1), 1);
    return NULL;
}

static struct ending end_of(const char *request)
{
    struct ending ending = { .request = request, .port = dna_web_listener_port(listener) };
    pthread_t thread;
    int fds[2];

    CU_ASSERT_EQUAL_FATAL(pipe2(fds, O_CLOEXEC), 0);
    ending.done_fd = fds[1];
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, ask_over_tls, &ending), 0);
    CU_ASSERT_TRUE(readable(fds[0], 20));
    pthread_join(thread, NULL);
    close(fds[0]);
    close(fds[1]);
    CU_ASSERT_TRUE(idle(10));
    return ending;
}

static void only_a_cut_reply_ends_without_notice(void)
{
    struct ending ending;

    open_web("dns=" HOST);
    put(HOST, "/cut", (struct dna_web_page){ .manner = DNA_WEB_TRUNCATED, .sent_len = 10 });
    put(HOST, "/close", (struct dna_web_page){ .manner = DNA_WEB_CLOSE });
    put(HOST, "/raw", (struct dna_web_page){ .manner = DNA_WEB_RAW, .body = "\0x", .body_len = 2 });
    ending = end_of("GET /cut HTTP/1.1\r\nHost: a.example\r\n\r\n");
    CU_ASSERT_TRUE(ending.error == SSL_ERROR_SSL && !ending.clean);
    ending = end_of("GET /close HTTP/1.1\r\nHost: a.example\r\n\r\n");
    CU_ASSERT_TRUE(ending.error == SSL_ERROR_ZERO_RETURN && ending.clean && ending.len == 0);
    ending = end_of("GET /raw HTTP/1.1\r\nHost: a.example\r\n\r\n");
    CU_ASSERT_TRUE(ending.error == SSL_ERROR_ZERO_RETURN && ending.clean && ending.len == 2);
    ending = end_of("GET /none HTTP/1.0\r\nHost: a.example\r\n\r\n");
    CU_ASSERT_TRUE(ending.error == SSL_ERROR_ZERO_RETURN && ending.clean && ending.len > 0);
    close_web();
}

int main(void)
{
    static const struct lab_test tests[] = {
        { "bad requests are refused", bad_requests_are_refused },
        { "large requests are refused", large_requests_are_refused },
        { "pipelines are answered in order", pipelines_are_answered_in_order },
        { "chunks are small", chunks_are_small },
        { "idle connections end", idle_connections_end },
        { "only a cut reply ends without notice", only_a_cut_reply_ends_without_notice },
    };

    signal(SIGPIPE, SIG_IGN); /* as the harness does */
    return lab_test_main("lab.web_raw", tests, sizeof tests / sizeof tests[0], NULL);
}
