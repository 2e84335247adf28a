/* SPDX-License-Identifier: MIT */
/*
 * Tests of the lab's web server with libcurl as the independent judge, in a thread of its own while
 * the loop turns here. Codes of curl are from its own list (libcurl-errors(3)).
 */
#include "conformance/test/lab_test_web.h"

#include <time.h>

#include <curl/curl.h>
#include <openssl/pem.h>

/* get is one or more transfers in a thread, and what became of them. */
struct get {
    const char *url;
    long timeout_ms;
    size_t max_len;      /* of the body; more ends the transfer */
    unsigned times;      /* over the same handle */
    bool close;          /* asks with Connection: close */
    bool head;           /* HEAD */
    CURLcode code;
    long status, num_connects;
    size_t len;
    char body[4096], type[64], location[256];
    int done_fd;
    char ca_pem[4096];
    unsigned port;
};

static size_t on_body(char *bytes, size_t one, size_t len, void *arg)
{
    struct get *get = arg;

    (void)one;
    if (get->max_len && get->len + len > get->max_len)
        return 0;
    for (size_t i = 0; i < len && get->len + i < sizeof get->body - 1; i++)
        get->body[get->len + i] = bytes[i];
    get->len += len;
    return len;
}

static void set_up(CURL *curl, struct get *get, struct curl_slist *to, struct curl_slist *headers)
{
    struct curl_blob blob = { get->ca_pem, strlen(get->ca_pem), CURL_BLOB_COPY };

    curl_easy_setopt(curl, CURLOPT_URL, get->url);
    curl_easy_setopt(curl, CURLOPT_CONNECT_TO, to);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOBODY, get->head ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, get->timeout_ms ? get->timeout_ms : 10000L);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, get);
}

static void *transfer(void *arg)
{
    struct get *get = arg;
    CURL *curl = curl_easy_init();
    struct curl_slist *to, *headers;
    char where[128], *text;

    snprintf(where, sizeof where, "::%s:%u", ADDRESS, get->port);
    to = curl_slist_append(NULL, where);
    headers = get->close ? curl_slist_append(NULL, "Connection: close") : NULL;
    set_up(curl, get, to, headers);
    for (unsigned i = 0; i == 0 || i < get->times; i++) {
        get->len = 0;
        get->code = curl_easy_perform(curl);
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &get->status);
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &get->num_connects);
    if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &text) == CURLE_OK && text)
        snprintf(get->type, sizeof get->type, "%s", text);
    if (curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &text) == CURLE_OK && text)
        snprintf(get->location, sizeof get->location, "%s", text);
    get->body[get->len < sizeof get->body ? get->len : sizeof get->body - 1] = '\0';
    curl_easy_cleanup(curl);
    curl_slist_free_all(to);
    curl_slist_free_all(headers);
    CU_ASSERT_EQUAL(write(get->done_fd, "", 1), 1);
    return NULL;
}

static void run(struct get *get)
{
    pthread_t thread;
    int fds[2];
    BIO *pem = BIO_new(BIO_s_mem());

    PEM_write_bio_X509(pem, dna_ca_root(ca));
    get->ca_pem[BIO_read(pem, get->ca_pem, sizeof get->ca_pem - 1)] = '\0';
    BIO_free(pem);
    get->port = dna_web_listener_port(listener);
    CU_ASSERT_EQUAL_FATAL(pipe2(fds, O_CLOEXEC), 0);
    get->done_fd = fds[1];
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, transfer, get), 0);
    CU_ASSERT_TRUE(readable(fds[0], 20));
    pthread_join(thread, NULL);
    close(fds[0]);
    close(fds[1]);
    CU_ASSERT_TRUE(idle(10)); /* curl's handle is gone, so each connection ends by itself */
}

static struct get get(const char *url)
{
    struct get get = { .url = url };

    run(&get);
    return get;
}

static void document_is_served(void)
{
    struct get got;
    struct seen asked;
    struct timespec now;

    open_web("dns=" HOST);
    put("A.Example", PATH, (struct dna_web_page){ 0 });
    got = get("https://" HOST PATH);
    CU_ASSERT_EQUAL(got.code, CURLE_OK);
    CU_ASSERT_EQUAL(got.status, 200);
    CU_ASSERT_STRING_EQUAL(got.body, BODY);
    CU_ASSERT_STRING_EQUAL(got.type, "application/json");
    CU_ASSERT_EQUAL(num_seen, 2);
    CU_ASSERT_EQUAL(seen[0].kind, DNA_WEB_HELLO);
    CU_ASSERT_STRING_EQUAL(seen[0].host, HOST);
    asked = seen[1];
    CU_ASSERT_EQUAL(asked.kind, DNA_WEB_ASKED);
    CU_ASSERT_STRING_EQUAL(asked.host, HOST);
    CU_ASSERT_STRING_EQUAL(asked.path, PATH);
    CU_ASSERT_STRING_EQUAL(asked.method, "GET");
    CU_ASSERT_STRING_EQUAL(asked.sni, HOST);
    CU_ASSERT_EQUAL(asked.status, 200);
    CU_ASSERT_EQUAL(asked.alert, -1);
    CU_ASSERT_TRUE(asked.tls && asked.connection == seen[0].connection && asked.client_port);
    clock_gettime(CLOCK_MONOTONIC, &now);
    CU_ASSERT_TRUE((uint64_t)now.tv_sec * 1000000u - asked.time_us < 10000000u ||
                   asked.time_us > (uint64_t)now.tv_sec * 1000000u);
    dna_web_page_remove(web, HOST, PATH);
    CU_ASSERT_EQUAL(get("https://" HOST PATH).status, 404);
    CU_ASSERT_EQUAL(last_seen(DNA_WEB_ASKED).status, 404);
    close_web();
}

static void host_and_path_matter(void)
{
    open_web("dns=" HOST ",b.example,x.a.example");
    put(HOST, PATH, (struct dna_web_page){ .body = "a", .body_len = 1 });
    put("b.example", PATH, (struct dna_web_page){ .body = "b", .body_len = 1 });
    put("x.a.example", PATH, (struct dna_web_page){ .body = "x", .body_len = 1 });
    CU_ASSERT_STRING_EQUAL(get("https://" HOST PATH).body, "a");
    CU_ASSERT_STRING_EQUAL(get("https://b.example:8443" PATH).body, "b");
    CU_ASSERT_STRING_EQUAL(last_seen(DNA_WEB_ASKED).host, "b.example");
    CU_ASSERT_EQUAL(get("https://" HOST PATH "?x").status, 404);
    CU_ASSERT_STRING_EQUAL(last_seen(DNA_WEB_ASKED).path, PATH "?x");
    CU_ASSERT_EQUAL(get("https://" HOST "/").status, 404);
    put(HOST, PATH, (struct dna_web_page){ .status = 503, .body = "new", .body_len = 3 });
    CU_ASSERT_EQUAL(get("https://" HOST PATH).status, 503);
    dna_web_remove_tree(web, HOST);
    CU_ASSERT_EQUAL(get("https://" HOST PATH).status, 404);
    CU_ASSERT_EQUAL(get("https://x.a.example" PATH).status, 404);
    CU_ASSERT_EQUAL(get("https://b.example" PATH).status, 200);
    close_web();
}

static void redirect_names_its_place(void)
{
    struct get got;

    open_web("dns=" HOST);
    put(HOST, PATH, (struct dna_web_page){ .status = 302, .location = "https://b.example/x" });
    got = get("https://" HOST PATH);
    CU_ASSERT_EQUAL(got.status, 302);
    CU_ASSERT_STRING_EQUAL(got.location, "https://b.example/x");
    put(HOST, PATH, (struct dna_web_page){ .status = 307, .location = "http://b.example/y" });
    CU_ASSERT_STRING_EQUAL(get("https://" HOST PATH).location, "http://b.example/y");
    close_web();
}

/* refuses: curl refuses the certificate, and the server sees an alert, or that nothing is asked. */
static void refuses(const char *spec, CURLcode code, int alert)
{
    struct seen failed;

    open_web(spec);
    put(HOST, PATH, (struct dna_web_page){ 0 });
    CU_ASSERT_EQUAL(get("https://" HOST PATH).code, code);
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_ASKED), 0);
    CU_ASSERT_EQUAL(num_seen, 2);
    failed = last_seen(alert >= 0 ? DNA_WEB_TLS_FAILED : DNA_WEB_LEFT);
    CU_ASSERT_EQUAL(failed.alert, alert);
    CU_ASSERT_STRING_EQUAL(failed.host, HOST);
    CU_ASSERT_TRUE(failed.reason[0] && failed.tls);
    close_web();
}

static void refused_certificates_are_seen(void)
{
    /* numbers of alerts: RFC 8446 section 6 */
    refuses("dns=" HOST " issuer=self", CURLE_PEER_FAILED_VERIFICATION, 48);
    /* the name of our CA, but not the id of its key */
    refuses("dns=" HOST " issuer=other", CURLE_PEER_FAILED_VERIFICATION, 48);
    refuses("dns=" HOST " notafter=-1d", CURLE_PEER_FAILED_VERIFICATION, 45);
    refuses("dns=" HOST " signature=bad", CURLE_SSL_CONNECT_ERROR, 51);
    /* curl compares names when TLS is up, and then just leaves */
    refuses("dns=b.example", CURLE_PEER_FAILED_VERIFICATION, -1);
}

static void sni_chooses_the_certificate(void)
{
    struct dna_cert *other, *bad;

    open_web("dns=" HOST);
    other = mint("dns=b.example");
    bad = mint("dns=b.example notafter=-1d");
    put(HOST, PATH, (struct dna_web_page){ 0 });
    put("b.example", PATH, (struct dna_web_page){ 0 });
    CU_ASSERT_EQUAL(get("https://b.example" PATH).code, CURLE_PEER_FAILED_VERIFICATION);
    CU_ASSERT_EQUAL(dna_web_site_set(listener, "B.example", other, DNA_WEB_TLS_NORMAL, &diag), 0);
    CU_ASSERT_EQUAL(get("https://b.example" PATH).status, 200);
    CU_ASSERT_EQUAL(get("https://" HOST PATH).status, 200);
    CU_ASSERT_EQUAL(dna_web_site_set(listener, "b.example", bad, DNA_WEB_TLS_NORMAL, &diag), 0);
    CU_ASSERT_EQUAL(get("https://b.example" PATH).code, CURLE_PEER_FAILED_VERIFICATION);
    dna_web_remove_tree(web, "b.example");
    dna_web_remove_tree(web, HOST);
    CU_ASSERT_EQUAL(get("https://" HOST PATH).status, 404); /* the default site is still there */
    get("https://127.0.0.1/"); /* an address is no SNI */
    CU_ASSERT_STRING_EQUAL(last_seen(DNA_WEB_HELLO).sni, "");
    dna_cert_unref(other);
    dna_cert_unref(bad);
    close_web();
}

static const struct dna_cert *find_cert(const char *name, void *arg)
{
    return strcmp(name, "middle") == 0 ? arg : NULL;
}

static void chain_is_shown(void)
{
    struct dna_cert_spec parsed;
    struct dna_cert *middle, *leaf;

    open_web("dns=" HOST);
    middle = mint("cn=Middle ca=true eku=none");
    CU_ASSERT_EQUAL(dna_cert_spec_parse("dns=b.example issuer=middle", &parsed, &diag), 0);
    leaf = dna_ca_mint(ca, &parsed, find_cert, middle, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(leaf);
    CU_ASSERT_EQUAL(dna_web_site_set(listener, "b.example", leaf, DNA_WEB_TLS_NORMAL, &diag), 0);
    dna_cert_unref(leaf);
    dna_cert_unref(middle);
    CU_ASSERT_EQUAL(get("https://b.example/").status, 404); /* which shows that curl trusts it */
    close_web();
}

static void handshakes_have_manners(void)
{
    struct dna_cert *cert;
    struct get got = { .url = "https://" HOST PATH, .timeout_ms = 300 };

    open_web("dns=" HOST);
    cert = mint("dns=" HOST);
    put(HOST, PATH, (struct dna_web_page){ 0 });
    CU_ASSERT_EQUAL(dna_web_site_set(listener, "", cert, DNA_WEB_TLS_REFUSED, &diag), 0);
    CU_ASSERT_EQUAL(get("https://" HOST PATH).code, CURLE_SSL_CONNECT_ERROR);
    CU_ASSERT_EQUAL(last_seen(DNA_WEB_TLS_FAILED).alert, -1);
    CU_ASSERT_STRING_EQUAL(last_seen(DNA_WEB_TLS_FAILED).reason, "refused by us, as ordered");
    CU_ASSERT_EQUAL(dna_web_site_set(listener, HOST, cert, DNA_WEB_TLS_SILENT, &diag), 0);
    dna_web_idle_set(web, 100); /* which silence doesn't end */
    num_seen = 0;
    run(&got);
    CU_ASSERT_EQUAL(got.code, CURLE_OPERATION_TIMEDOUT);
    CU_ASSERT_STRING_EQUAL(last_seen(DNA_WEB_HELLO).host, HOST);
    CU_ASSERT_EQUAL(last_seen(DNA_WEB_TLS_FAILED).alert, -1);
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_ASKED), 0);
    dna_cert_unref(cert);
    close_web();
}

static void bodies_have_manners(void)
{
    static char large[300000];
    struct get got;

    open_web("dns=" HOST);
    put(HOST, "/chunked", (struct dna_web_page){ .manner = DNA_WEB_CHUNKED });
    put(HOST, "/no-length", (struct dna_web_page){ .manner = DNA_WEB_NO_LENGTH });
    put(HOST, "/slow", (struct dna_web_page){ .manner = DNA_WEB_SLOW, .interval_ms = 20 });
    got = get("https://" HOST "/chunked");
    CU_ASSERT_TRUE(got.code == CURLE_OK && strcmp(got.body, BODY) == 0);
    got = get("https://" HOST "/no-length");
    CU_ASSERT_TRUE(got.code == CURLE_OK && strcmp(got.body, BODY) == 0);
    got = get("https://" HOST "/slow");
    CU_ASSERT_TRUE(got.code == CURLE_OK && strcmp(got.body, BODY) == 0);
    got = (struct get){ .url = "https://" HOST "/slow", .timeout_ms = 300 };
    run(&got);
    CU_ASSERT_EQUAL(got.code, CURLE_OPERATION_TIMEDOUT);
    CU_ASSERT_TRUE(got.len > 0 && got.len < strlen(BODY) && begins(BODY, got.body));
    memset(large, 'x', sizeof large);
    put(HOST, "/large", (struct dna_web_page){ .body = large, .body_len = sizeof large });
    got = get("https://" HOST "/large");
    CU_ASSERT_TRUE(got.code == CURLE_OK && got.len == sizeof large);
    close_web();
}

static void sizes_have_manners(void)
{
    struct get got;

    open_web("dns=" HOST);
    put(HOST, "/cut", (struct dna_web_page){ .manner = DNA_WEB_TRUNCATED, .sent_len = 10 });
    put(HOST, "/some", (struct dna_web_page){ .manner = DNA_WEB_ENDLESS, .filler_len = 1000000 });
    put(HOST, "/endless", (struct dna_web_page){ .manner = DNA_WEB_ENDLESS });
    got = get("https://" HOST "/cut");
    CU_ASSERT_EQUAL(got.code, CURLE_PARTIAL_FILE);
    CU_ASSERT_TRUE(got.len == 10 && begins(BODY, got.body));
    got = get("https://" HOST "/some");
    CU_ASSERT_EQUAL(got.code, CURLE_OK);
    CU_ASSERT_EQUAL(got.len, strlen(BODY) + 1000000);
    CU_ASSERT_TRUE(begins(got.body, BODY "  "));
    got = (struct get){ .url = "https://" HOST "/endless", .max_len = 5000000 };
    run(&got);
    CU_ASSERT_EQUAL(got.code, CURLE_WRITE_ERROR); /* ours, at the limit */
    CU_ASSERT_TRUE(got.len > 4900000);
    close_web();
}

static void let_go(evutil_socket_t fd, short what, void *arg)
{
    const struct dna_web_page *page = arg;

    (void)fd;
    (void)what;
    CU_ASSERT_EQUAL(last_seen(DNA_WEB_ASKED).status, 0); /* it waits */
    if (page)
        put(HOST, "/held", *page);
    else
        dna_web_page_remove(web, HOST, "/held");
}

static void on_held(const struct dna_web_event *event, void *arg)
{
    if (event->kind == DNA_WEB_ASKED && strcmp(event->path, "/held") == 0 && event->status == 0)
        event_active(arg, EV_TIMEOUT, 1);
}

/* get_held asks for a page that is held until somebody does, and is then that page, or gone. */
static struct get get_held(struct dna_web_page *page)
{
    struct event *event = evtimer_new(base, let_go, page);
    struct get got;

    put(HOST, "/held", (struct dna_web_page){ .manner = DNA_WEB_HELD });
    CU_ASSERT_EQUAL(dna_web_watch(web, HOST, on_held, event, &diag), 0);
    got = (struct get){ .url = "https://" HOST "/held", .times = 2 };
    run(&got);
    dna_web_unwatch(web, HOST, on_held, event);
    event_free(event);
    return got;
}

static void held_page_waits_for_another(void)
{
    struct dna_web_page now = { .body = "now", .body_len = 3 };
    struct dna_web_page deaf = { .manner = DNA_WEB_CLOSE };
    struct get got;

    open_web("dns=" HOST);
    dna_web_idle_set(web, 10000);
    got = get_held(&now);
    CU_ASSERT_TRUE(got.code == CURLE_OK && got.status == 200 && strcmp(got.body, "now") == 0);
    CU_ASSERT_EQUAL(got.num_connects, 0); /* of the second transfer: the connection was kept */
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_ASKED), 2);
    got = get_held(NULL);
    CU_ASSERT_TRUE(got.code == CURLE_OK && got.status == 404);
    CU_ASSERT_EQUAL(get_held(&deaf).code, CURLE_GOT_NOTHING);
    close_web();
}

/* Whoever does not wait any longer leaves nothing behind. */
static void held_page_that_nobody_waits_for(void)
{
    struct get got = { .url = "https://" HOST "/held", .timeout_ms = 300 };

    open_web("dns=" HOST);
    put(HOST, "/held", (struct dna_web_page){ .manner = DNA_WEB_HELD });
    run(&got);
    CU_ASSERT_EQUAL(got.code, CURLE_OPERATION_TIMEDOUT);
    put(HOST, "/held", (struct dna_web_page){ .status = 204 });
    CU_ASSERT_EQUAL(get("https://" HOST "/held").status, 204);
    close_web();
}

static void silence_has_manners(void)
{
    struct get got = { .url = "https://" HOST "/silent", .timeout_ms = 300 };

    open_web("dns=" HOST);
    put(HOST, "/silent", (struct dna_web_page){ .manner = DNA_WEB_SILENT });
    put(HOST, "/close", (struct dna_web_page){ .manner = DNA_WEB_CLOSE });
    put(HOST, "/raw", (struct dna_web_page){ .manner = DNA_WEB_RAW, .body = "NONSENSE\r\n\r\n",
                                             .body_len = 12 });
    put(HOST, "/odd", (struct dna_web_page){ .manner = DNA_WEB_RAW, .status = 299,
                                             .body = "HTTP/1.1 299 Odd\r\n\r\nx",
                                             .body_len = 21 });
    dna_web_idle_set(web, 100); /* which silence doesn't end */
    run(&got);
    dna_web_idle_set(web, 10000);
    CU_ASSERT_EQUAL(got.code, CURLE_OPERATION_TIMEDOUT);
    CU_ASSERT_EQUAL(last_seen(DNA_WEB_ASKED).status, 0);
    CU_ASSERT_EQUAL(get("https://" HOST "/close").code, CURLE_GOT_NOTHING);
    CU_ASSERT_EQUAL(last_seen(DNA_WEB_ASKED).status, 0);
    CU_ASSERT_STRING_EQUAL(last_seen(DNA_WEB_ASKED).path, "/close");
    CU_ASSERT_EQUAL(get("https://" HOST "/raw").code, CURLE_UNSUPPORTED_PROTOCOL);
    got = get("https://" HOST "/odd");
    CU_ASSERT_TRUE(got.status == 299 && strcmp(got.body, "x") == 0);
    CU_ASSERT_EQUAL(last_seen(DNA_WEB_ASKED).status, 299);
    close_web();
}

static void connections_are_kept(void)
{
    struct get got = { .url = "https://" HOST PATH, .times = 3 };

    open_web("dns=" HOST);
    put(HOST, PATH, (struct dna_web_page){ 0 });
    run(&got);
    CU_ASSERT_EQUAL(got.num_connects, 0); /* of the last one */
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_HELLO), 1);
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_ASKED), 3);
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_LEFT), 0);
    CU_ASSERT_EQUAL(seen[1].connection, seen[3].connection);
    got.close = true;
    run(&got);
    CU_ASSERT_EQUAL(got.num_connects, 1);
    CU_ASSERT_EQUAL(count_seen(DNA_WEB_HELLO), 4);
    CU_ASSERT_NOT_EQUAL(last_seen(DNA_WEB_ASKED).connection, seen[3].connection);
    close_web();
}

static void plain_http_is_seen(void)
{
    struct get got;

    open_web(NULL);
    put(HOST, PATH, (struct dna_web_page){ 0 });
    put(HOST, "/cut", (struct dna_web_page){ .manner = DNA_WEB_TRUNCATED, .sent_len = 10 });
    CU_ASSERT_EQUAL(get("http://" HOST PATH).status, 200);
    CU_ASSERT_EQUAL(num_seen, 1);
    CU_ASSERT_EQUAL(seen[0].kind, DNA_WEB_ASKED);
    CU_ASSERT_TRUE(!seen[0].tls && strcmp(seen[0].host, HOST) == 0);
    CU_ASSERT_EQUAL(get("http://" HOST "/cut").code, CURLE_PARTIAL_FILE);
    got = (struct get){ .url = "http://" HOST PATH, .head = true };
    run(&got);
    CU_ASSERT_EQUAL(got.status, 405);
    CU_ASSERT_EQUAL(last_seen(DNA_WEB_BAD_REQUEST).status, 405);
    CU_ASSERT_STRING_EQUAL(last_seen(DNA_WEB_BAD_REQUEST).method, "HEAD");
    CU_ASSERT_STRING_EQUAL(last_seen(DNA_WEB_BAD_REQUEST).path, PATH);
    close_web();
}

static void count_event(const struct dna_web_event *event, void *arg)
{
    (void)event;
    ++*(unsigned *)arg;
}

/* send_away_the_next is a watcher that changes the world while it is told about it. */
static void send_away_the_next(const struct dna_web_event *event, void *arg)
{
    (void)event;
    dna_web_unwatch(web, "", count_event, arg);
    dna_web_remove_tree(web, "");
}

static void watchers_see_their_hosts(void)
{
    unsigned below = 0, beside = 0, later = 0;

    open_web("dns=" HOST);
    put(HOST, PATH, (struct dna_web_page){ 0 });
    CU_ASSERT_EQUAL(dna_web_watch(web, "Example", count_event, &below, &diag), 0);
    CU_ASSERT_EQUAL(dna_web_watch(web, "ple", count_event, &beside, &diag), 0);
    CU_ASSERT_EQUAL(dna_web_watch(web, "", send_away_the_next, &later, &diag), 0);
    CU_ASSERT_EQUAL(dna_web_watch(web, "", count_event, &later, &diag), 0);
    CU_ASSERT_EQUAL(get("https://" HOST PATH).status, 404); /* gone since the ClientHello */
    CU_ASSERT_EQUAL(below, 2);
    CU_ASSERT_EQUAL(beside, 0);
    CU_ASSERT_EQUAL(later, 0);
    dna_web_unwatch(web, "example", count_event, &below);
    get("https://" HOST PATH);
    CU_ASSERT_EQUAL(below, 2);
    close_web();
}

static void bad_usage_is_said(void)
{
    static const struct {
        const char *host, *path;
        struct dna_web_page page;
        const char *said;
    } bad[] = {
        { "", "/", { 0 }, "is no host" },
        { "a.example:443", "/", { 0 }, "is no host" },
        { HOST, "x", { 0 }, "starts with /" },
        { HOST, "/a b", { 0 }, "byte" },
        { HOST, "/", { .status = 99 }, "status" },
        { HOST, "/", { .location = "x\r\ny" }, "one line" },
        { HOST, "/", { .headers = "X: y" }, "CRLF" },
        { HOST, "/", { .body_len = 1 }, "body" },
        { HOST, "/", { .manner = DNA_WEB_SLOW }, "interval" },
        { HOST, "/", { .manner = DNA_WEB_TRUNCATED }, "truncated" },
        { HOST, "/", { .manner = DNA_WEB_RAW }, "raw" },
    };
    struct dna_cert *cert;

    open_web(NULL);
    cert = mint("dns=" HOST);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT_EQUAL(dna_web_page_set(web, bad[i].host, bad[i].path, &bad[i].page, &diag), -1);
        CU_ASSERT_EQUAL(diag.class, DNA_CLASS_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, bad[i].said));
    }
    CU_ASSERT_EQUAL(dna_web_site_set(listener, HOST, cert, DNA_WEB_TLS_NORMAL, &diag), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "TLS"));
    CU_ASSERT_PTR_NULL(dna_web_listen(web, "localhost", 0, cert, &diag));
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_USAGE);
    CU_ASSERT_PTR_NULL(dna_web_listen(web, ADDRESS, dna_web_listener_port(listener), cert, &diag));
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_HARD);
    dna_cert_unref(cert);
    close_web();
}

int main(void)
{
    static const struct lab_test tests[] = {
        { "a document is served", document_is_served },
        { "host and path matter", host_and_path_matter },
        { "a redirect names its place", redirect_names_its_place },
        { "refused certificates are seen", refused_certificates_are_seen },
        { "SNI chooses the certificate", sni_chooses_the_certificate },
        { "the chain is shown", chain_is_shown },
        { "handshakes have manners", handshakes_have_manners },
        { "bodies have manners", bodies_have_manners },
        { "sizes have manners", sizes_have_manners },
        { "silence has manners", silence_has_manners },
        { "held page waits for another", held_page_waits_for_another },
        { "held page that nobody waits for", held_page_that_nobody_waits_for },
        { "connections are kept", connections_are_kept },
        { "plain HTTP is seen", plain_http_is_seen },
        { "watchers see their hosts", watchers_see_their_hosts },
        { "bad usage is said", bad_usage_is_said },
    };
    int status;

    signal(SIGPIPE, SIG_IGN); /* as the harness does */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    status = lab_test_main("lab.web", tests, sizeof tests / sizeof tests[0], NULL);
    curl_global_cleanup();
    return status;
}
