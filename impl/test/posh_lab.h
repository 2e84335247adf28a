/* SPDX-License-Identifier: MIT */
/* posh_lab.h -- what test_posh.c plays against: certificates, a name server and a web server on the
 * loop of the code under test. Each host of the web server answers in its own way. */
#ifndef DNA_IMPL_TEST_POSH_LAB_H
#define DNA_IMPL_TEST_POSH_LAB_H
#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <ldns/ldns.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "impl/log.h"
#include "impl/posh.h"
#include "impl/proof.h"

enum { TIMEOUT_MS = 400, MAX_BODY = 4096, PATIENCE_S = 20 };

static EVP_PKEY *key;
static X509 *ca, *web, *hosting, *expired, *stranger;
static char ca_file[] = "/tmp/test_posh_ca_XXXXXX";
static int64_t clock_ms; /* what the code under test takes for the time */

static int64_t test_clock(void)
{
    return clock_ms;
}

/* --- certificates --- */

static void extend(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static X509 *mint(const char *cn, const char *names, long from_s, long to_s, bool self)
{
    static long serial;
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x), from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), to_s);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(self ? x : ca));
    X509_set_pubkey(x, key);
    extend(x, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE");
    if (names)
        extend(x, NID_subject_alt_name, names);
    X509_sign(x, key, EVP_sha256());
    return x;
}

static int make_certificates(void)
{
    int fd = mkstemp(ca_file);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f)
        return 1;
    key = EVP_EC_gen("P-256");
    ca = mint("test root", NULL, -3600, 864000, true);
    web = mint(
        "web",
        "DNS:good.example,DNS:other.example,DNS:ref.example,DNS:refref.example,DNS:host.example,"
        "DNS:hostnone.example,DNS:refnone.example,DNS:redir.example,DNS:clear.example,"
        "DNS:loop.example,DNS:none.example,DNS:boom.example,DNS:big.example,"
        "DNS:endless.example,DNS:slow.example,DNS:bad.example,DNS:zero.example,"
        "DNS:cut.example,DNS:nowhere.example,DNS:xn--bcher-kva.example,DNS:old.example,"
        "DNS:headers.example,DNS:astray.example,DNS:six.example,DNS:half.example,"
        "DNS:user.example",
        -3600, 864000, false);
    hosting = mint("hosting", "DNS:hosting.example,DNS:good.example", -3600, 864000, true);
    expired = mint("expired", "DNS:hosting.example", -7200, -3600, true);
    stranger = mint("stranger", "DNS:good.example", -3600, 864000, true);
    (void)PEM_write_X509(f, ca);
    return fclose(f);
}

static int free_certificates(void)
{
    X509 *const all[] = { ca, web, hosting, expired, stranger };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        X509_free(all[i]);
    EVP_PKEY_free(key);
    return unlink(ca_file);
}

static const char *hash_of(X509 *x)
{
    static char text[100];
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    X509_digest(x, EVP_sha256(), sum, &len);
    EVP_EncodeBlock((unsigned char *)text, sum, (int)len);
    return text;
}

/* --- the lab: names, a web server, the code under test --- */

struct lab {
    struct event_base *base;
    struct event *on_query, *patience;
    struct evconnlistener *listener, *listener6; /* the second is NULL where there is no ::1 */
    int dns_fd;
    unsigned port;
    SSL_CTX *ctx;
    struct dna_dns *dns;
    struct dna_knobs knobs;
    struct dna_proof_env env;
    bool impatient;
    unsigned requests, settled;
    char last_host[100], last_line[200];
    unsigned document_expires;
};

static void reply_dns(struct lab *l, const ldns_pkt *query, const struct sockaddr *to,
                      socklen_t len)
{
    ldns_rr *q = ldns_rr_list_rr(ldns_pkt_question(query), 0), *rr = NULL;
    char *name = ldns_rdf2str(ldns_rr_owner(q)), text[300];
    ldns_pkt *r = ldns_pkt_new();
    uint8_t *wire = NULL;
    size_t size = 0;
    ldns_pkt_set_id(r, ldns_pkt_id(query));
    ldns_pkt_set_qr(r, true);
    ldns_pkt_set_ra(r, true);
    ldns_pkt_push_rr(r, LDNS_SECTION_QUESTION, ldns_rr_clone(q));
    if (strstr(name, "nowhere."))
        ldns_pkt_set_rcode(r, LDNS_RCODE_NXDOMAIN);
    else if (ldns_rr_get_type(q) == (strstr(name, "six.") ? LDNS_RR_TYPE_AAAA : LDNS_RR_TYPE_A)) {
        (void)snprintf(text, sizeof text,
                       strstr(name, "six.") ? "%s 60 IN AAAA ::1" : "%s 60 IN A 127.0.0.1", name);
        ldns_rr_new_frm_str(&rr, text, 60, NULL, NULL);
        ldns_pkt_push_rr(r, LDNS_SECTION_ANSWER, rr);
    }
    if (ldns_pkt2wire(&wire, r, &size) == LDNS_STATUS_OK)
        (void)sendto(l->dns_fd, wire, size, 0, to, len);
    free(wire);
    free(name);
    ldns_pkt_free(r);
}

static void on_query(int fd, short what, void *arg)
{
    unsigned char packet[4096];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ldns_pkt *query = NULL;
    (void)what;
    ssize_t n = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &len);
    if (n > 0 && ldns_wire2pkt(&query, packet, (size_t)n) == LDNS_STATUS_OK)
        reply_dns(arg, query, (const struct sockaddr *)&from, len);
    ldns_pkt_free(query);
}

static void say(struct evbuffer *out, const char *status, const char *headers, const char *body)
{
    evbuffer_add_printf(out, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
                        strlen(body), body);
}

static void say_document(struct evbuffer *out, X509 *x, unsigned expires)
{
    char body[300];
    (void)snprintf(body, sizeof body, "{\"fingerprints\":[{\"sha-256\":\"%s\"}],\"expires\":%u}",
                   hash_of(x), expires);
    say(out, "200 OK", "Content-Type: application/json\r\n", body);
}

/* One hash of the descriptor is right, the other is not. */
static void say_half(struct evbuffer *out)
{
    char body[300];
    (void)snprintf(body, sizeof body,
                   "{\"fingerprints\":[{\"sha-256\":\"%s\",\"sha-512\":\"AAAA\"}],\"expires\":9}",
                   hash_of(hosting));
    say(out, "200 OK", "", body);
}

static void say_reference(struct evbuffer *out, const struct lab *l, const char *host)
{
    char body[300];
    (void)snprintf(body, sizeof body,
                   "{\"url\":\"https://%s:%u/.well-known/posh/xmpp-server.json\",\"expires\":10}",
                   host, l->port);
    say(out, "200 OK", "", body);
}

static void say_redirect(struct evbuffer *out, const char *status, const char *format,
                         unsigned port)
{
    char header[300];
    (void)snprintf(header, sizeof header, format, port);
    say(out, status, header, "gone elsewhere");
}

static void on_web_event(struct bufferevent *b, short what, void *arg)
{
    (void)arg;
    if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
        bufferevent_free(b);
}

/* A kilobyte each time that the one before has been sent, for ever. */
static void on_sent(struct bufferevent *b, void *arg)
{
    static const char body[1024], header[] = "X-Header: of which there is no end\r\n";
    bool headers = strcmp(((struct lab *)arg)->last_host, "headers.example") == 0;
    for (int i = 0; headers && i < 30; i++)
        bufferevent_write(b, header, sizeof header - 1);
    if (!headers)
        bufferevent_write(b, body, sizeof body);
}

static void answer_badly(struct lab *l, struct bufferevent *b, const char *host)
{
    struct evbuffer *out = bufferevent_get_output(b);
    if (strcmp(host, "none.example") == 0 || strcmp(host, "hostnone.example") == 0)
        say(out, "404 Not Found", "", "none");
    else if (strcmp(host, "boom.example") == 0)
        say(out, "500 Oops", "", "{}");
    else if (strcmp(host, "big.example") == 0)
        evbuffer_add_printf(out, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n{");
    else if (strcmp(host, "bad.example") == 0)
        say(out, "200 OK", "", "<html>");
    else if (strcmp(host, "cut.example") == 0)
        evbuffer_add_printf(out,
                            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n{");
    else if (strcmp(host, "astray.example") == 0)
        say(out, "302 Found", "", "no Location");
    if (strcmp(host, "endless.example") == 0 || strcmp(host, "headers.example") == 0) {
        evbuffer_add_printf(out, "HTTP/1.1 200 OK\r\n%s", host[0] == 'e' ? "\r\n" : "");
        bufferevent_setcb(b, NULL, on_sent, on_web_event, l);
    }
}

static void answer(struct lab *l, struct bufferevent *b, const char *host)
{
    struct evbuffer *out = bufferevent_get_output(b);
    if (strcmp(host, "good.example") == 0 || strcmp(host, "six.example") == 0 ||
        strcmp(host, "xn--bcher-kva.example") == 0 || strcmp(host, "host.example") == 0)
        say_document(out, hosting, l->document_expires);
    else if (strcmp(host, "other.example") == 0)
        say_document(out, stranger, 3600);
    else if (strcmp(host, "old.example") == 0)
        say_document(out, expired, 3600);
    else if (strcmp(host, "half.example") == 0)
        say_half(out);
    else if (strcmp(host, "zero.example") == 0)
        say_document(out, hosting, 0);
    else if (strcmp(host, "ref.example") == 0)
        say_reference(out, l, "host.example");
    else if (strcmp(host, "refref.example") == 0)
        say_reference(out, l, "ref.example");
    else if (strcmp(host, "refnone.example") == 0)
        say_reference(out, l, "hostnone.example");
    else if (strcmp(host, "redir.example") == 0)
        say_redirect(out, "301 Moved", "Location: https://good.example:%u/x.json\r\n", l->port);
    else if (strcmp(host, "clear.example") == 0)
        say_redirect(out, "302 Found", "Location: http://good.example:%u/x.json\r\n", l->port);
    else if (strcmp(host, "user.example") == 0)
        say_redirect(out, "302 Found", "Location: https://me:secret@good.example:%u/x.json\r\n",
                     l->port);
    else if (strcmp(host, "loop.example") == 0)
        say_redirect(out, "307 Again", "Location: /again?%u\r\n", l->port);
    else
        answer_badly(l, b, host);
}

static void on_request(struct bufferevent *b, void *arg)
{
    struct lab *l = arg;
    struct evbuffer *in = bufferevent_get_input(b);
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    if (end.pos < 0)
        return;
    char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT);
    (void)snprintf(l->last_line, sizeof l->last_line, "%s", line);
    free(line);
    while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT)) && *line) {
        if (strncmp(line, "Host: ", 6) == 0)
            (void)snprintf(l->last_host, sizeof l->last_host, "%.*s", (int)strcspn(line + 6, ":"),
                           line + 6);
        free(line);
    }
    free(line);
    l->requests++;
    answer(l, b, l->last_host);
}

static void on_sent_cut(struct bufferevent *b, void *arg)
{
    if (strcmp(((struct lab *)arg)->last_host, "cut.example") == 0)
        bufferevent_free(b);
}

static void on_connection(struct evconnlistener *at, evutil_socket_t fd, struct sockaddr *from,
                          int len, void *arg)
{
    struct lab *l = arg;
    int on = 1;
    (void)at;
    (void)from;
    (void)len;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct bufferevent *b =
        bufferevent_openssl_socket_new(l->base, fd, SSL_new(l->ctx), BUFFEREVENT_SSL_ACCEPTING,
                                       BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    bufferevent_openssl_set_allow_dirty_shutdown(b, 1);
    bufferevent_setcb(b, on_request, on_sent_cut, on_web_event, l);
    bufferevent_enable(b, EV_READ | EV_WRITE);
}

static void on_patience(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    CU_FAIL("nothing was settled");
    ((struct lab *)arg)->impatient = true;
    event_base_loopbreak(((struct lab *)arg)->base);
}

static void begin_dns(struct lab *l)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    char resolver[40], why[200] = "";
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l->dns_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CU_ASSERT_EQUAL_FATAL(bind(l->dns_fd, (const struct sockaddr *)&at, len), 0);
    (void)getsockname(l->dns_fd, (struct sockaddr *)&at, &len);
    (void)snprintf(resolver, sizeof resolver, "127.0.0.1@%u", ntohs(at.sin_port));
    l->on_query = event_new(l->base, l->dns_fd, EV_READ | EV_PERSIST, on_query, l);
    event_add(l->on_query, NULL);
    const struct dna_dns_config config = { .resolver = resolver, .deadline_ms = 3000, .seed = 1 };
    l->dns = dna_dns_new(l->base, &config, why, sizeof why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->dns);
}

static void begin_web(struct lab *l)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    l->ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(l->ctx, web);
    SSL_CTX_use_PrivateKey(l->ctx, key);
    l->listener = evconnlistener_new_bind(l->base, on_connection, l,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 64,
                                          (const struct sockaddr *)&at, (int)len);
    (void)getsockname(evconnlistener_get_fd(l->listener), (struct sockaddr *)&at, &len);
    l->port = ntohs(at.sin_port);
    const struct sockaddr_in6 at6 = { .sin6_family = AF_INET6,
                                      .sin6_port = at.sin_port,
                                      .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    l->listener6 = evconnlistener_new_bind(l->base, on_connection, l,
                                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 64,
                                           (const struct sockaddr *)&at6, sizeof at6);
}

static void begin(struct lab *l, const struct dna_posh_config *extra)
{
    struct timeval tv = { PATIENCE_S, 0 };
    char why[200] = "";
    memset(l, 0, sizeof *l);
    l->base = event_base_new();
    l->patience = event_new(l->base, -1, 0, on_patience, l);
    event_add(l->patience, &tv);
    l->knobs = dna_knobs_default();
    l->document_expires = 3600;
    clock_ms = (int64_t)time(NULL) * 1000;
    begin_dns(l);
    begin_web(l);
    struct dna_posh_config c = extra ? *extra : (struct dna_posh_config){ .negative_s = 60 };
    c.base = l->base;
    c.dns = l->dns;
    c.ca_file = c.ca_file ? c.ca_file : ca_file;
    c.timeout_ms = TIMEOUT_MS;
    c.max_body = MAX_BODY;
    c.port = (uint16_t)l->port;
    c.now_ms = test_clock;
    l->env = (struct dna_proof_env){ .base = l->base,
                                     .dns = l->dns,
                                     .store = X509_STORE_new(),
                                     .knobs = &l->knobs,
                                     .posh = dna_posh_new(&c, why, sizeof why) };
    CU_ASSERT_PTR_NOT_NULL_FATAL(l->env.posh);
}

static void end(struct lab *l)
{
    dna_posh_free(l->env.posh);
    dna_dns_free(l->dns);
    X509_STORE_free(l->env.store);
    event_base_loop(l->base, EVLOOP_NONBLOCK); /* the web server sees its connections end */
    evconnlistener_free(l->listener);
    if (l->listener6)
        evconnlistener_free(l->listener6);
    event_free(l->on_query);
    event_free(l->patience);
    (void)close(l->dns_fd);
    SSL_CTX_free(l->ctx);
    event_base_free(l->base);
}

static void on_settled(void *arg)
{
    struct lab *l = arg;
    l->settled++;
    event_base_loopbreak(l->base);
}

static struct dna_posh_ask *seek(struct lab *l, const char *domain, bool inbound)
{
    const struct dna_proof_ask what = { domain, DNA_PKIX_XMPP_SERVER, inbound, inbound };
    return dna_posh_seek(&l->env, &what, on_settled, l);
}

/* Seeks, waits, judges; the reason and what was sought stay in these. */
static char why[300], sought[300];

static enum dna_proof_says judge(struct lab *l, const char *domain, X509 *leaf)
{
    struct dna_posh_ask *ask = seek(l, domain, false);
    while (dna_posh_pending(ask) && !l->impatient)
        if (event_base_dispatch(l->base) != 0 || event_base_got_break(l->base) == 0)
            break;
    CU_ASSERT_FALSE_FATAL(dna_posh_pending(ask));
    enum dna_proof_says says = dna_posh_judge(ask, leaf, why, sizeof why);
    dna_posh_sought(ask, sought, sizeof sought);
    dna_posh_drop(ask);
    return says;
}
#endif
