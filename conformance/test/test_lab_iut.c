/* SPDX-License-Identifier: MIT */
/*
 * Tests of the process under test with real products, in a lab: the packaged Prosody and our own
 * server, each if it is there; what is not there is inactive, with the reason.
 */
#include "conformance/test/lab_test_iut.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <openssl/ssl.h>

static struct dna_profile *prosody, *own;

static struct dna_iut *up(struct dna_profile *product, const char *variant)
{
    struct dna_iut *iut = iut_of(product, variant);

    CU_ASSERT_PTR_NOT_NULL_FATAL(iut);
    CU_ASSERT_EQUAL(dna_iut_start(iut, &diag), 0);
    wait_seen();
    CU_ASSERT_EQUAL(seen.ready, 1);
    if (seen.failed)
        printf("%s\n", seen.diag.text);
    CU_ASSERT_EQUAL_FATAL(dna_iut_state(iut), DNA_IUT_UP);
    return iut;
}

static void down(struct dna_iut *iut)
{
    dna_iut_stop(iut);
    wait_seen();
    CU_ASSERT_EQUAL(seen.stopped, 1);
    CU_ASSERT_EQUAL(seen.status, 0);
    dna_iut_free(iut);
}

/* xmpp is a blocking client for the tests' own use: one connection, perhaps in TLS. */
struct xmpp {
    int fd;
    SSL *ssl;
    char got[65536];
    size_t len;
};

static bool xmpp_send(struct xmpp *x, const char *text)
{
    int len = (int)strlen(text);

    return x->ssl ? SSL_write(x->ssl, text, len) == len : send(x->fd, text, (size_t)len, 0) == len;
}

/* xmpp_until reads until the text holds a word; what was read so far is kept. */
static bool xmpp_until(struct xmpp *x, const char *word)
{
    for (;;) {
        char *found = strstr(x->got, word);
        ssize_t num;

        if (found) {
            size_t used = (size_t)(found - x->got) + strlen(word);

            memmove(x->got, x->got + used, x->len - used + 1);
            x->len -= used;
            return true;
        }
        if (x->len + 1 >= sizeof x->got)
            return false;
        num = x->ssl ? SSL_read(x->ssl, x->got + x->len, (int)(sizeof x->got - 1 - x->len))
                     : recv(x->fd, x->got + x->len, sizeof x->got - 1 - x->len, 0);
        if (num <= 0)
            return false;
        x->len += (size_t)num;
        x->got[x->len] = '\0';
    }
}

static bool xmpp_connect(struct xmpp *x, const struct dna_variant *v, uint16_t port)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct timeval limit = { .tv_sec = 10 };

    memset(x, 0, sizeof *x);
    x->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(x->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    inet_pton(AF_INET, v->address, &name.sin_addr);
    return connect(x->fd, (struct sockaddr *)&name, sizeof name) == 0;
}

static bool xmpp_header(struct xmpp *x, const char *ns, const char *to)
{
    char text[512];

    snprintf(text, sizeof text,
             "<?xml version='1.0'?><stream:stream xmlns='jabber:%s' to='%s' version='1.0' "
             "xmlns:stream='http://etherx.jabber.org/streams'>",
             ns, to);
    return xmpp_send(x, text) && xmpp_until(x, "<stream:stream");
}

/* xmpp_secure does STARTTLS and says what OpenSSL, trusting the lab alone, thinks of the peer. */
static bool xmpp_secure(struct xmpp *x, const char *domain, long *verdict)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    bool ok;

    SSL_CTX_set_default_verify_paths(context); /* the system's store, which is the lab's now */
    x->ssl = NULL;
    ok = xmpp_send(x, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>") &&
         xmpp_until(x, "<proceed");
    x->len = 0;
    x->got[0] = '\0';
    if (ok) {
        x->ssl = SSL_new(context);
        SSL_set_fd(x->ssl, x->fd);
        SSL_set1_host(x->ssl, domain);
        ok = SSL_connect(x->ssl) == 1;
        *verdict = SSL_get_verify_result(x->ssl);
    }
    SSL_CTX_free(context);
    return ok;
}

static void xmpp_close(struct xmpp *x)
{
    SSL_free(x->ssl);
    close(x->fd);
}

static void encode_plain(const char *user, const char *password, char *out)
{
    unsigned char text[256];
    int len = snprintf((char *)text, sizeof text, "%c%s%c%s", 0, user, 0, password);

    EVP_EncodeBlock((unsigned char *)out, text, len);
}

static bool xmpp_login(struct xmpp *x, const struct dna_variant *v, const char *user)
{
    char token[400], text[600];
    long verdict = -1;

    encode_plain(user, dna_pairs_get(&v->profile->accounts, user), token);
    snprintf(text, sizeof text,
             "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", token);
    return xmpp_connect(x, v, v->c2s_port) && xmpp_header(x, "client", v->hosted[0]) &&
           xmpp_until(x, "</stream:features>") && xmpp_secure(x, v->hosted[0], &verdict) &&
           verdict == X509_V_OK && xmpp_header(x, "client", v->hosted[0]) &&
           xmpp_until(x, "</stream:features>") && xmpp_send(x, text) && xmpp_until(x, "<success") &&
           xmpp_header(x, "client", v->hosted[0]) && xmpp_until(x, "</stream:features>") &&
           xmpp_send(x, "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
                        "</iq>") &&
           xmpp_until(x, "</bind>") && xmpp_send(x, "<presence/>") && xmpp_until(x, "<presence");
}

static void answers(struct dna_profile *product)
{
    static const char *const variants[] = { "default", "weak", "strict", "nobidi", "optionaltls" };

    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        struct dna_iut *iut = up(product, variants[i]);
        const struct dna_variant *v = dna_iut_variant(iut);

        for (size_t k = 0; k < DNA_NUM_HOSTED; k++) {
            struct xmpp x;
            long verdict = -1;

            CU_ASSERT_TRUE(xmpp_connect(&x, v, v->s2s_port));
            CU_ASSERT_TRUE(xmpp_header(&x, "server", v->hosted[k]));
            CU_ASSERT_TRUE(xmpp_until(&x, "<starttls"));
            CU_ASSERT_TRUE(xmpp_secure(&x, v->hosted[k], &verdict));
            CU_ASSERT_EQUAL(verdict, X509_V_OK);
            xmpp_close(&x);
        }
        printf("measured: %s %s ready in %.3f s\n", product->name, v->name,
               dna_iut_start_seconds(iut));
        down(iut);
    }
}

static void prosody_answers(void)
{
    answers(prosody);
}

static void own_answers(void)
{
    answers(own);
}

static void prosody_dies_and_returns(void)
{
    struct dna_iut *iut = up(prosody, "default");

    CU_ASSERT_TRUE(dna_iut_pid(iut) > 0);
    dna_iut_kill(iut);
    wait_seen();
    CU_ASSERT_EQUAL(seen.died, 1);
    CU_ASSERT_TRUE(WIFSIGNALED(seen.status) && WTERMSIG(seen.status) == SIGKILL);
    CU_ASSERT_EQUAL(dna_iut_state(iut), DNA_IUT_DOWN);
    CU_ASSERT_EQUAL(dna_iut_start(iut, &diag), 0);
    CU_ASSERT_EQUAL(dna_iut_start(iut, &diag), -1); /* not while it is starting */
    wait_seen();
    CU_ASSERT_EQUAL(seen.ready, 2);
    CU_ASSERT_EQUAL(dna_iut_starts(iut), 2);
    down(iut);
}

static void note_query(const struct dna_dns_event *event, void *arg)
{
    if (strstr(event->name, "_xmpp-server._tcp.weak") && event->type == 33)
        *(bool *)arg = true;
}

/* talk is the client side: juliet of one server writes to romeo of the other. */
static int talk(const struct dna_variant *from, const struct dna_variant *to)
{
    struct xmpp juliet, romeo;
    char text[300];

    if (!xmpp_login(&juliet, from, "juliet"))
        return 1;
    if (!xmpp_login(&romeo, to, "romeo"))
        return 2;
    snprintf(text, sizeof text, "<message to='romeo@%s' id='m1'><body>hello</body></message>",
             to->hosted[0]);
    if (!xmpp_send(&juliet, text))
        return 3;
    return xmpp_until(&romeo, "hello</body>") ? 0 : 4;
}

static void reaped(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

static void federate(struct dna_profile *one, struct dna_profile *other)
{
    struct dna_iut *first = up(one, "default"), *second = up(other, "weak");
    bool asked = false, done = false;
    struct event *end;
    int ends[2], status = -1;
    pid_t pid;

    CU_ASSERT_EQUAL(dna_dns_watch(lab.dns, "iut.example", note_query, &asked, &diag), 0);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        _exit(talk(dna_iut_variant(first), dna_iut_variant(second)));
    close(ends[1]);
    end = event_new(base, ends[0], EV_READ, reaped, &done); /* closed by the client's end */
    event_add(end, NULL);
    CU_ASSERT_TRUE(lab_run_until(base, &done, 30));
    if (!done)
        kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_TRUE(asked); /* the lab's DNS saw how one server found the other */
    event_free(end);
    close(ends[0]);
    dna_dns_unwatch(lab.dns, "iut.example", note_query, &asked);
    memset(&seen, 0, sizeof seen);
    down(first);
    memset(&seen, 0, sizeof seen);
    down(second);
}

static void prosodies_federate(void)
{
    federate(prosody, prosody);
}

static void own_federate(void)
{
    federate(own, own);
}

static void own_and_prosody_federate(void)
{
    federate(own, prosody);
}

/* lacking is why a product can't be had here; NULL if it can. */
static const char *lacking(const char *name, struct dna_profile **out, struct dna_diag *why)
{
    *out = dna_profile_load(name, why);
    if (!*out || dna_profile_check(*out, NULL, why))
        return why->text;
    printf("with %s\n", (*out)->version ? (*out)->version : name);
    return NULL;
}

int main(void)
{
    static const struct lab_test with_prosody[] = {
        { "prosody answers in every variant", prosody_answers },
        { "prosody dies and returns", prosody_dies_and_returns },
        { "two prosodies federate", prosodies_federate },
    };
    static const struct lab_test with_own[] = {
        { "our server answers in every variant", own_answers },
        { "two of our servers federate", own_federate },
    };
    static const struct lab_test with_both[] = {
        { "our server and prosody federate", own_and_prosody_federate },
    };
    static struct dna_diag prosody_why, own_why;
    const char *refused = lab_refused(), *no_prosody = refused, *no_own = refused;
    int result;

    result = lab_test_enter(refused);
    if (result)
        return result;
    if (!refused) {
        no_prosody = lacking("prosody", &prosody, &prosody_why);
        no_own = lacking("xdna", &own, &own_why);
    }
    lab_test_suite("lab.iut.prosody", with_prosody, sizeof with_prosody / sizeof with_prosody[0],
                   no_prosody);
    lab_test_suite("lab.iut.xdna", with_own, sizeof with_own / sizeof with_own[0], no_own);
    lab_test_suite("lab.iut.both", with_both, 1, no_prosody ? no_prosody : no_own);
    result = lab_test_end();
    dna_profile_free(prosody);
    dna_profile_free(own);
    lab_test_leave();
    return result;
}
