/* SPDX-License-Identifier: MIT */
/* scram.h -- SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802, RFC 7677), both ends, by libgsasl; bytes in,
   bytes out, no base64 and no XML.  The owner frees an exchange with dna_scram_free.
       C> client-first   S> server-first (salt, count)   C> proof   S> server signature */
#ifndef DNA_IMPL_SCRAM_H
#define DNA_IMPL_SCRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "impl/buf.h"

enum dna_scram_hash { DNA_SCRAM_SHA_1, DNA_SCRAM_SHA_256 };

enum dna_scram_status {
    DNA_SCRAM_CONTINUE,  /* out holds the next message; the peer speaks next */
    DNA_SCRAM_DONE,      /* both sides have shown what they know; out may hold a last message */
    DNA_SCRAM_MALFORMED, /* the peer's message is no SCRAM message */
    DNA_SCRAM_REFUSED    /* wrong password, unknown user, wrong server signature */
};

struct dna_scram;

/* dna_scram_password returns the password of an account, NULL if there is none.  An unknown user
   gets the whole exchange against a made-up password, so that guessing names does not pay. */
typedef const char *(*dna_scram_password)(void *arg, const char *user);

/* dna_scram_server_new begins the server's end; NULL if libgsasl has no such mechanism. */
struct dna_scram *dna_scram_server_new(enum dna_scram_hash hash, dna_scram_password password,
                                       void *arg);
/* dna_scram_client_new begins the client's end. */
struct dna_scram *dna_scram_client_new(enum dna_scram_hash hash, const char *user,
                                       const char *password);
/* dna_scram_step takes the peer's message (the client starts with none) and appends the answer. */
enum dna_scram_status dna_scram_step(struct dna_scram *s, const char *in, size_t len,
                                     struct dna_buf *out);
/* dna_scram_user and dna_scram_authzid say who wants to be whom, on the server, once the first
   message is in; authzid NULL if none was sent. */
const char *dna_scram_user(const struct dna_scram *s);
const char *dna_scram_authzid(const struct dna_scram *s);
/* dna_scram_free ends the exchange; NULL is fine. */
void dna_scram_free(struct dna_scram *s);

/* dna_scram_same_password compares two passwords prepared by SASLprep, in constant time. */
bool dna_scram_same_password(const char *stored, const char *given);

#endif
