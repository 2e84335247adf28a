/* SPDX-License-Identifier: MIT */
/* sasl.h -- one SASL exchange of a client and its server as the base64 texts that stand in XML:
   PLAIN (RFC 4616), SCRAM-SHA-1, SCRAM-SHA-256.  Says what an exchange came to; what follows from
   that is the tables' business.  The owner frees an exchange with dna_sasl_free. */
#ifndef DNA_IMPL_SASL_H
#define DNA_IMPL_SASL_H

#include <stdbool.h>
#include <stddef.h>

#include "impl/buf.h"
#include "impl/jid.h"

enum dna_sasl_mechanism {
    DNA_SASL_NONE,
    DNA_SASL_PLAIN,
    DNA_SASL_SCRAM_SHA_1,
    DNA_SASL_SCRAM_SHA_256 /* the best one comes last */
};

enum dna_sasl_status {
    DNA_SASL_CONTINUE,
    DNA_SASL_SUCCESS,
    DNA_SASL_INCORRECT_ENCODING,
    DNA_SASL_MALFORMED_REQUEST,
    DNA_SASL_INVALID_AUTHZID,
    DNA_SASL_NOT_AUTHORIZED
};

struct dna_sasl;

/* dna_sasl_password returns the password of a localpart, NULL if there is no such account. */
typedef const char *(*dna_sasl_password)(void *arg, const char *local);

/* dna_sasl_mechanism_find returns the mechanism of that name, DNA_SASL_NONE for any other. */
enum dna_sasl_mechanism dna_sasl_mechanism_find(const char *name);
/* dna_sasl_mechanism_name is "SCRAM-SHA-256" and so on, NULL for DNA_SASL_NONE. */
const char *dna_sasl_mechanism_name(enum dna_sasl_mechanism mechanism);
/* dna_sasl_condition is the failure condition of RFC 6120 6.5, "" for continue and success. */
const char *dna_sasl_condition(enum dna_sasl_status status);

/* dna_sasl_server_new begins the server's end for accounts of domain; the caller keeps domain. */
struct dna_sasl *dna_sasl_server_new(enum dna_sasl_mechanism mechanism, const char *domain,
                                     dna_sasl_password password, void *arg);
/* dna_sasl_client_new begins the client's end. */
struct dna_sasl *dna_sasl_client_new(enum dna_sasl_mechanism mechanism, const char *local,
                                     const char *password);
/* dna_sasl_step takes the text of <auth/>, <challenge/> or <response/> and appends the text to
   answer with; the client begins with in == NULL.  On the server, "" for <auth/> asks for an empty
   challenge.  On the client, success means that the server has proved itself by a challenge. */
enum dna_sasl_status dna_sasl_step(struct dna_sasl *s, const char *in, struct dna_buf *out);
/* dna_sasl_finish is the client's look at <success/> and its text: false where the mechanism owes
   a proof of the server and that has not come, or is wrong. */
bool dna_sasl_finish(struct dna_sasl *s, const char *in);
/* dna_sasl_local is the account that logged in, "" before success. */
const char *dna_sasl_local(const struct dna_sasl *s);
/* dna_sasl_free ends the exchange; NULL is fine. */
void dna_sasl_free(struct dna_sasl *s);

/* dna_plain holds the parts of a PLAIN message; authzid "" if none. */
struct dna_plain {
    char authzid[DNA_JID_MAX + 1];
    char user[DNA_JID_PART_MAX + 1];
    char password[DNA_JID_PART_MAX + 1];
};
/* dna_plain_parse splits authzid NUL user NUL password; false unless exactly so, in UTF-8. */
bool dna_plain_parse(const char *message, size_t len, struct dna_plain *out);

#endif
