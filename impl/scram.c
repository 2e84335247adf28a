/* SPDX-License-Identifier: MIT */
/* scram.c -- see scram.h.  One Gsasl context serves the process; an exchange is a session of it. */
#include "impl/scram.h"

#include <gsasl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

struct dna_scram {
    Gsasl_session *session;
    dna_scram_password password; /* server's end only */
    void *arg;
};

static const char *const mechanisms[] = { "SCRAM-SHA-1", "SCRAM-SHA-256" };

/* RFC 7677 asks for 4096 at least; passwords stand in our file in clear, so that more would cost
   time at each login and protect nothing. */
static const char iterations[] = "4096";

/* A password for those who have none: the same message flow, and never the right proof. */
static void set_made_up_password(Gsasl_session *session)
{
    unsigned char random[24];
    char text[2 * sizeof random + 1];

    if (RAND_bytes(random, (int)sizeof random) != 1)
        return;
    for (size_t i = 0; i < sizeof random; i++) {
        text[2 * i] = "0123456789abcdef"[random[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
    }
    text[2 * sizeof random] = '\0';
    gsasl_property_set(session, GSASL_PASSWORD, text);
}

static int callback(Gsasl *ctx, Gsasl_session *session, Gsasl_property property)
{
    struct dna_scram *s = gsasl_session_hook_get(session);
    const char *user, *password;

    (void)ctx;
    if (property == GSASL_SCRAM_ITER && s->password) {
        gsasl_property_set(session, property, iterations);
        return GSASL_OK;
    }
    if (property != GSASL_PASSWORD || !s->password)
        return GSASL_NO_CALLBACK;
    user = gsasl_property_fast(session, GSASL_AUTHID);
    password = user ? s->password(s->arg, user) : NULL;
    if (password)
        gsasl_property_set(session, GSASL_PASSWORD, password);
    else
        set_made_up_password(session);
    return GSASL_OK;
}

static Gsasl *context(void)
{
    static Gsasl *ctx;

    if (!ctx && gsasl_init(&ctx) == GSASL_OK)
        gsasl_callback_set(ctx, callback);
    return ctx;
}

static struct dna_scram *begin(enum dna_scram_hash hash, bool server, dna_scram_password password,
                               void *arg)
{
    struct dna_scram *s = dna_calloc(1, sizeof *s);
    Gsasl *ctx = context();
    int rc = !ctx     ? GSASL_NO_CALLBACK
             : server ? gsasl_server_start(ctx, mechanisms[hash], &s->session)
                      : gsasl_client_start(ctx, mechanisms[hash], &s->session);

    if (rc != GSASL_OK) {
        free(s);
        return NULL;
    }
    s->password = password;
    s->arg = arg;
    gsasl_session_hook_set(s->session, s);
    return s;
}

struct dna_scram *dna_scram_server_new(enum dna_scram_hash hash, dna_scram_password password,
                                       void *arg)
{
    return begin(hash, true, password, arg);
}

struct dna_scram *dna_scram_client_new(enum dna_scram_hash hash, const char *user,
                                       const char *password)
{
    struct dna_scram *s = begin(hash, false, NULL, NULL);

    if (s) {
        gsasl_property_set(s->session, GSASL_AUTHID, user);
        gsasl_property_set(s->session, GSASL_PASSWORD, password);
    }
    return s;
}

enum dna_scram_status dna_scram_step(struct dna_scram *s, const char *in, size_t len,
                                     struct dna_buf *out)
{
    char *answer = NULL;
    size_t answer_len = 0;
    int rc;

    /* libgsasl takes no bytes for "not begun yet", and reads messages as C strings: what follows
       a NUL would go unread */
    if ((s->password && len == 0) || (len && memchr(in, '\0', len)))
        return DNA_SCRAM_MALFORMED;
    rc = gsasl_step(s->session, in, len, &answer, &answer_len);
    if (rc == GSASL_OK || rc == GSASL_NEEDS_MORE)
        dna_buf_add(out, answer, answer_len);
    gsasl_free(answer);
    switch (rc) {
    case GSASL_OK:
        return DNA_SCRAM_DONE;
    case GSASL_NEEDS_MORE:
        return DNA_SCRAM_CONTINUE;
    case GSASL_MECHANISM_PARSE_ERROR:
    case GSASL_MECHANISM_CALLED_TOO_MANY_TIMES:
        return DNA_SCRAM_MALFORMED;
    default:
        return DNA_SCRAM_REFUSED;
    }
}

const char *dna_scram_user(const struct dna_scram *s)
{
    return gsasl_property_fast(s->session, GSASL_AUTHID);
}

const char *dna_scram_authzid(const struct dna_scram *s)
{
    return gsasl_property_fast(s->session, GSASL_AUTHZID);
}

void dna_scram_free(struct dna_scram *s)
{
    if (!s)
        return;
    gsasl_finish(s->session);
    free(s);
}

bool dna_scram_same_password(const char *stored, const char *given)
{
    char *a = NULL, *b = NULL;
    bool same = false;

    if (gsasl_saslprep(stored, GSASL_ALLOW_UNASSIGNED, &a, NULL) == GSASL_OK &&
        gsasl_saslprep(given, GSASL_ALLOW_UNASSIGNED, &b, NULL) == GSASL_OK)
        same = strlen(a) == strlen(b) && CRYPTO_memcmp(a, b, strlen(a)) == 0;
    gsasl_free(a);
    gsasl_free(b);
    return same;
}
