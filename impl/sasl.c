/* SPDX-License-Identifier: MIT */
/* sasl.c -- see sasl.h: PLAIN, and the identities of RFC 6120 6.3.7 and 6.3.8. */
#include "impl/sasl.h"

#include <stdlib.h>
#include <string.h>

#include "impl/b64.h"
#include "impl/scram.h"

struct dna_sasl {
    enum dna_sasl_mechanism mechanism;
    bool server;
    bool asked; /* the server has asked for the message that PLAIN would not wait for */
    bool over;
    bool proved; /* client: the server has shown that it knows the password */
    struct dna_scram *scram;
    const char *domain; /* server */
    dna_sasl_password lookup;
    void *arg;
    char local[DNA_JID_PART_MAX + 1]; /* server: who logged in; client: who wants to */
    char *password;                   /* client */
};

static const char *const names[] = { NULL, "PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256" };

enum dna_sasl_mechanism dna_sasl_mechanism_find(const char *name)
{
    for (int i = DNA_SASL_PLAIN; name && i <= DNA_SASL_SCRAM_SHA_256; i++)
        if (strcmp(names[i], name) == 0)
            return (enum dna_sasl_mechanism)i;
    return DNA_SASL_NONE;
}

const char *dna_sasl_mechanism_name(enum dna_sasl_mechanism mechanism)
{
    return names[mechanism];
}

const char *dna_sasl_condition(enum dna_sasl_status status)
{
    static const char *const conditions[] = {
        "", "", "incorrect-encoding", "malformed-request", "invalid-authzid", "not-authorized"
    };

    return conditions[status];
}

bool dna_plain_parse(const char *message, size_t len, struct dna_plain *out)
{
    const char *end = message + len;
    const char *first = len ? memchr(message, '\0', len) : NULL;
    const char *user = first ? first + 1 : NULL;
    const char *second = first ? memchr(user, '\0', (size_t)(end - user)) : NULL;
    const char *password = second ? second + 1 : NULL;

    if (!second || memchr(password, '\0', (size_t)(end - password)))
        return false;
    if ((size_t)(first - message) >= sizeof out->authzid ||
        (size_t)(second - user) >= sizeof out->user ||
        (size_t)(end - password) >= sizeof out->password)
        return false;
    if (second == user || end == password || !dna_utf8_valid(message, len))
        return false;
    memset(out, 0, sizeof *out);
    memcpy(out->authzid, message, (size_t)(first - message));
    memcpy(out->user, user, (size_t)(second - user));
    memcpy(out->password, password, (size_t)(end - password));
    return true;
}

static enum dna_scram_hash hash_of(enum dna_sasl_mechanism mechanism)
{
    return mechanism == DNA_SASL_SCRAM_SHA_1 ? DNA_SCRAM_SHA_1 : DNA_SCRAM_SHA_256;
}

/* The name inside a mechanism is a localpart as the user typed it. */
static const char *lookup_prepared(void *arg, const char *user)
{
    const struct dna_sasl *s = arg;
    char local[DNA_JID_PART_MAX + 1];

    return dna_local_prepare(user, local, sizeof local) ? s->lookup(s->arg, local) : NULL;
}

struct dna_sasl *dna_sasl_server_new(enum dna_sasl_mechanism mechanism, const char *domain,
                                     dna_sasl_password password, void *arg)
{
    struct dna_sasl *s = dna_calloc(1, sizeof *s);

    s->mechanism = mechanism;
    s->server = true;
    s->domain = domain;
    s->lookup = password;
    s->arg = arg;
    if (mechanism != DNA_SASL_PLAIN)
        s->scram = dna_scram_server_new(hash_of(mechanism), lookup_prepared, s);
    return s;
}

struct dna_sasl *dna_sasl_client_new(enum dna_sasl_mechanism mechanism, const char *local,
                                     const char *password)
{
    struct dna_sasl *s = dna_calloc(1, sizeof *s);

    s->mechanism = mechanism;
    s->password = dna_strdup(password);
    if (!dna_local_prepare(local, s->local, sizeof s->local))
        s->local[0] = '\0';
    if (mechanism != DNA_SASL_PLAIN)
        s->scram = dna_scram_client_new(hash_of(mechanism), local, password);
    return s;
}

/* req R6120_6_3_8_4: the server checks whether the account may act as the identity asked for.
   Here an account is nobody but itself. */
static enum dna_sasl_status login(struct dna_sasl *s, const char *user, const char *authzid)
{
    struct dna_jid jid;

    if (!dna_local_prepare(user, s->local, sizeof s->local))
        return DNA_SASL_NOT_AUTHORIZED;
    if (!authzid || !authzid[0])
        return DNA_SASL_SUCCESS;
    if (dna_jid_parse(authzid, &jid) && jid.resource[0] == '\0' &&
        strcmp(jid.local, s->local) == 0 && strcmp(jid.domain, s->domain) == 0)
        return DNA_SASL_SUCCESS;
    return DNA_SASL_INVALID_AUTHZID;
}

static enum dna_sasl_status plain_server(struct dna_sasl *s, const struct dna_buf *message)
{
    struct dna_plain plain;
    const char *stored;
    enum dna_sasl_status status = DNA_SASL_NOT_AUTHORIZED;

    if (!dna_plain_parse(message->at ? message->at : "", message->len, &plain))
        return DNA_SASL_MALFORMED_REQUEST;
    stored = lookup_prepared(s, plain.user);
    if (dna_scram_same_password(stored ? stored : "", plain.password) && stored)
        status = login(s, plain.user, plain.authzid);
    explicit_bzero(&plain, sizeof plain);
    return status;
}

static enum dna_sasl_status scram_server(struct dna_sasl *s, const struct dna_buf *message,
                                         struct dna_buf *answer)
{
    if (!s->scram)
        return DNA_SASL_NOT_AUTHORIZED;
    switch (dna_scram_step(s->scram, message->at ? message->at : "", message->len, answer)) {
    case DNA_SCRAM_CONTINUE:
        return DNA_SASL_CONTINUE;
    case DNA_SCRAM_DONE:
        return login(s, dna_scram_user(s->scram), dna_scram_authzid(s->scram));
    case DNA_SCRAM_MALFORMED:
        return DNA_SASL_MALFORMED_REQUEST;
    case DNA_SCRAM_REFUSED:
        break;
    }
    return DNA_SASL_NOT_AUTHORIZED;
}

static enum dna_sasl_status plain_client(struct dna_sasl *s, struct dna_buf *answer)
{
    static const char nul = '\0';

    if (s->asked)
        return DNA_SASL_NOT_AUTHORIZED; /* PLAIN has no challenges */
    s->asked = true;
    dna_buf_add(answer, &nul, 1);
    dna_buf_puts(answer, s->local);
    dna_buf_add(answer, &nul, 1);
    dna_buf_puts(answer, s->password);
    return DNA_SASL_CONTINUE;
}

static enum dna_sasl_status scram_client(struct dna_sasl *s, const struct dna_buf *message,
                                         struct dna_buf *answer)
{
    if (!s->scram || s->proved)
        return DNA_SASL_NOT_AUTHORIZED;
    switch (dna_scram_step(s->scram, message->at ? message->at : "", message->len, answer)) {
    case DNA_SCRAM_CONTINUE:
        return DNA_SASL_CONTINUE;
    case DNA_SCRAM_DONE:
        s->proved = true;
        return DNA_SASL_SUCCESS;
    case DNA_SCRAM_MALFORMED:
        return DNA_SASL_MALFORMED_REQUEST;
    case DNA_SCRAM_REFUSED:
        break;
    }
    return DNA_SASL_NOT_AUTHORIZED;
}

bool dna_sasl_finish(struct dna_sasl *s, const char *in)
{
    struct dna_buf rest = DNA_BUF_INIT;

    if (s->mechanism == DNA_SASL_PLAIN)
        return s->asked && (in[0] == '\0' || strcmp(in, "=") == 0);
    if (!s->proved && in[0])
        dna_sasl_step(s, in, &rest);
    dna_buf_cleanup(&rest);
    return s->proved;
}

static enum dna_sasl_status step_decoded(struct dna_sasl *s, const char *in,
                                         const struct dna_buf *message, struct dna_buf *answer)
{
    if (!s->server)
        return s->mechanism == DNA_SASL_PLAIN ? plain_client(s, answer)
                                              : scram_client(s, message, answer);
    /* req R6120_6_3_10_1: all our mechanisms begin with the client's message; an <auth/> without
       one is answered by an empty challenge, an empty <response/> is a message of no bytes */
    if (!s->asked && in[0] == '\0') {
        s->asked = true;
        return DNA_SASL_CONTINUE;
    }
    s->asked = true;
    return s->mechanism == DNA_SASL_PLAIN ? plain_server(s, message)
                                          : scram_server(s, message, answer);
}

enum dna_sasl_status dna_sasl_step(struct dna_sasl *s, const char *in, struct dna_buf *out)
{
    struct dna_buf message = DNA_BUF_INIT, answer = DNA_BUF_INIT;
    enum dna_sasl_status status = DNA_SASL_MALFORMED_REQUEST;

    if (!s->over) {
        status = DNA_SASL_INCORRECT_ENCODING;
        if (!in || strcmp(in, "=") == 0 || dna_b64_decode(&message, in, strlen(in)) == 0)
            status = step_decoded(s, in, &message, &answer);
    }
    s->over = status != DNA_SASL_CONTINUE;
    if (s->server && status != DNA_SASL_SUCCESS)
        s->local[0] = '\0';
    if (status == DNA_SASL_CONTINUE || status == DNA_SASL_SUCCESS)
        dna_b64_encode(out, answer.at, answer.len);
    if (message.at)
        explicit_bzero(message.at, message.len);
    if (answer.at)
        explicit_bzero(answer.at, answer.len);
    dna_buf_cleanup(&message);
    dna_buf_cleanup(&answer);
    return status;
}

const char *dna_sasl_local(const struct dna_sasl *s)
{
    return s->local;
}

void dna_sasl_free(struct dna_sasl *s)
{
    if (!s)
        return;
    dna_scram_free(s->scram);
    if (s->password)
        explicit_bzero(s->password, strlen(s->password));
    free(s->password);
    free(s);
}
