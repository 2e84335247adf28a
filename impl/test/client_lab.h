/* SPDX-License-Identifier: MIT */
/* client_lab.h -- room impl: scripted servers for tests of xdna-client, each in a process of its
   own, since the client runs a loop of its own and blocks.  Run from the repository's root. */
#ifndef DNA_IMPL_TEST_CLIENT_LAB_H
#define DNA_IMPL_TEST_CLIENT_LAB_H

#include <CUnit/Basic.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "impl/buf.h"
#include "impl/client.h"
#include "impl/test/listen.h"
#include "impl/tls.h"

#define HEADER                                                                                    \
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "                                  \
    "xmlns:stream='http://etherx.jabber.org/streams' from='a.example' id='1' version='1.0'>"
#define TLS_NS "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
#define SASL_NS "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
#define OFFER_TLS "<stream:features><starttls " TLS_NS "/></stream:features>"
#define OFFER(mechanism)                                                                          \
    "<stream:features><mechanisms " SASL_NS "><mechanism>" mechanism                              \
    "</mechanism></mechanisms></stream:features>"
#define OFFER_BIND                                                                                \
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"

/* A step of a scripted server: wait for text, then say text, in which %s is the id that the client
   gave last; tls begins a handshake instead.
   A script ends with a step of three zeroes; the server then reads to the end. */
struct step {
    const char *wait, *say;
    bool tls;
};
static const struct step to_tls[] = { { "<stream:stream", HEADER OFFER_TLS, false },
                                      { "<starttls", "<proceed " TLS_NS "/>", false },
                                      { NULL, NULL, true },
                                      { NULL, NULL, false } };

/* What the server presents. */
static const char *certificate = "fixtures/config/a.crt", *key_file = "fixtures/config/a.key";

struct server {
    int fd;
    SSL *ssl;
    struct dna_buf got; /* all that the client has said */
    size_t seen;
};

static bool receive(struct server *s)
{
    char chunk[4096];
    long len = s->ssl ? SSL_read(s->ssl, chunk, sizeof chunk) : recv(s->fd, chunk, sizeof chunk, 0);

    if (len > 0)
        dna_buf_add(&s->got, chunk, (size_t)len);
    return len > 0;
}

static bool server_says(struct server *s, const char *text)
{
    const char *place = strstr(text, "%s"), *id = NULL;
    struct dna_buf b = DNA_BUF_INIT;
    bool ok;

    for (const char *at = s->got.at; at && (at = strstr(at, " id='")); at++)
        id = at + strlen(" id='");
    if (place && id)
        dna_buf_printf(&b, "%.*s%.*s%s", (int)(place - text), text, (int)strcspn(id, "'"), id,
                       place + 2);
    else
        dna_buf_puts(&b, text);
    ok = (s->ssl ? SSL_write(s->ssl, b.at, (int)b.len) : send(s->fd, b.at, b.len, 0)) > 0;
    dna_buf_cleanup(&b);
    return ok;
}

static bool server_step(struct server *s, const struct step *step)
{
    const char *at = NULL;

    while (step->wait && !(s->got.len > s->seen && (at = strstr(s->got.at + s->seen, step->wait))))
        if (!receive(s))
            return false;
    if (at)
        s->seen = (size_t)(at - s->got.at) + strlen(step->wait);
    if (step->tls) {
        char why[256];
        SSL_CTX *ctx = dna_tls_context_new(certificate, key_file, why, sizeof why);
        s->ssl = SSL_new(ctx);
        SSL_set_fd(s->ssl, s->fd);
        return SSL_accept(s->ssl) == 1;
    }
    return !step->say || server_says(s, step->say);
}

/* The child: plays one client, reads to its end, and tells by its exit status whether it ever saw
   an <auth/> (1) or not (0). */
static int serve(int listener, const struct step *first, const struct step *then)
{
    const struct timeval limit = { 5, 0 };
    struct server s = { .fd = accept(listener, NULL, NULL) };
    bool ok = true;

    setsockopt(s.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    for (; ok && (first->wait || first->say || first->tls); first++)
        ok = server_step(&s, first);
    for (; ok && then && (then->wait || then->say || then->tls); then++)
        ok = server_step(&s, then);
    while (!(s.got.len && strstr(s.got.at, "</stream:stream>")) && receive(&s))
        ;
    close(s.fd);
    return s.got.len && strstr(s.got.at, "<auth") ? 1 : 0;
}

struct result {
    enum dna_client_status status;
    bool auth_seen;
    char *text;
};

static struct dna_jid jid;

static void defaults(struct dna_client_options *o, const char *address)
{
    dna_client_options_default(o);
    CU_ASSERT_FATAL(dna_jid_parse(address, &jid));
    o->jid = &jid;
    o->domain_ascii = jid.domain;
    o->password = "secret";
    o->resolver = "127.0.0.1@1";
    o->ca_file = "fixtures/config/a.crt";
    o->connect_host = "127.0.0.1";
    o->negotiation_ms = o->connect_ms = 3000;
    o->close_ms = 300;
}

static struct result run_on(int listener, struct dna_client_options *o, const struct step *first,
                            const struct step *then)
{
    struct result r = { .text = NULL };
    size_t len = 0;
    int status = 0;
    FILE *out;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(PATIENCE_S);
        _exit(serve(listener, first, then));
    }
    close(listener);
    out = open_memstream(&r.text, &len);
    r.status = dna_client_run(o, out);
    fclose(out);
    if (r.status == DNA_CLIENT_NETWORK) /* perhaps nobody came */
        kill(child, SIGTERM);
    waitpid(child, &status, 0);
    r.auth_seen = WIFEXITED(status) && WEXITSTATUS(status) == 1;
    return r;
}

static struct result run(struct dna_client_options *o, const struct step *first,
                         const struct step *then)
{
    int listener = listen_somewhere(&o->connect_port);

    o->knobs.posh = 0; /* no resolver listens here: each run would wait until it is given up */
    return run_on(listener, o, first, then);
}

static void check(struct result r, enum dna_client_status status, bool auth, const char *says)
{
    CU_ASSERT_EQUAL(r.status, status);
    CU_ASSERT_EQUAL(r.auth_seen, auth);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.text, says));
    if (r.status != status || !strstr(r.text, says))
        printf("wanted %d and `%s', got %d:\n%s", (int)status, says, (int)r.status, r.text);
    free(r.text);
}

#endif
