/* SPDX-License-Identifier: MIT */
/*
 * role_receiving_scopes.h -- the parts of the alphabets of the two roles of role_receiving.c, which
 * alone includes this.
 */
#ifndef DNA_MODEL_ROLE_RECEIVING_SCOPES_H
#define DNA_MODEL_ROLE_RECEIVING_SCOPES_H

#include "model/compose.h"

/* The alphabet has these parts, each after a prefix of its own: what is said in clear, TLS, SASL
 * EXTERNAL, dialback for two domains, both with and without proofs, bidi, fetched proofs,
 * timers. */
static const struct dna_scope scopes[] = {
    { .name = "clear", .text = "opening a stream, what is said in clear, and STARTTLS",
      .prefix = "",
      .alphabet = "header d1, header -, header unhosted, header old, header badroot, "
                  "header badns, unknown, malformed, comment, oversize, error, close, "
                  "starttls, starttls+, tls d1, tls -, tls broken, key d1, "
                  "verify, stanza d1" },
    { .name = "no certificate", .text = "a domain that has none to show", .prefix = "header bare",
      .needs = "bare-domain", .alphabet = "starttls unready, unknown, close" },
    { .name = "early", .text = "what belongs behind TLS, before it", .prefix = "header d1",
      .alphabet = "auth, auth other, response, abort, bidi, starttls, tls d1, header d1, "
                  "stanza nobody, close" },
    { .name = "external", .text = "SASL EXTERNAL with a certificate that proves d1",
      .prefix = "header d1, starttls, tls d1",
      .alphabet = "header d1, header d2, header -, starttls, auth, auth d1, auth d2, "
                  "auth later, auth garbled, auth other, response, response d2, "
                  "response garbled, abort, stanza d1, stanza d2, malformed, close" },
    { .name = "unproved", .text = "SASL EXTERNAL with a certificate that proves nobody",
      .prefix = "header d1, starttls, tls -, header d1",
      .alphabet = "auth, auth later, auth garbled, auth other, response, abort, stanza d1, "
                  "starttls, unknown, close" },
    { .name = "dialback", .text = "dialback for two domains with a certificate that proves nobody",
      .prefix = "header d1, starttls, tls -, header d1",
      .alphabet = "key d1, key d2, key d1 empty, key d1 unhosted, key nobody, "
                  "d1 says valid, d1 says invalid, d1 says error, d1 says what, d1 goes, "
                  "d1 knows not, d2 says valid, d2 says invalid, d2 says error, d2 goes, "
                  "forged d1 valid, forged d1 invalid, forged d1 error, forged d2 valid, "
                  "granted d1, refused d1, verify, stanza d1, stanza d2, stanza other, "
                  "stanza elsewhere, stanza unhosted, stanza nobody, unknown, error, close" },
    { .name = "crowded", .text = "a stream that takes no further pair", .needs = "few-pairs",
      .prefix = "header d1, starttls, tls -, header d1, key d1, key d2",
      .alphabet = "key crowd, key d1, d1 says valid, stanza d1, unknown, close" },
    { .name = "proved", .text = "dialback and EXTERNAL with a certificate that proves d1",
      .prefix = "header d1, starttls, tls d1",
      .alphabet = "header d1, auth, key d1, key d2, d2 says valid, d2 says invalid, d2 goes, "
                  "bidi, forged d2 valid, stanza d1, stanza d2, local d1, close" },
    { .name = "both proved", .text = "dialback with a certificate that proves d1 and d2",
      .prefix = "header d1, starttls, tls d1+d2, header d1",
      .alphabet = "key d1, key d2, bidi, auth, header d1, stanza d1, stanza d2, "
                  "stanza elsewhere, local d1, close" },
    { .name = "refuted", .text = "a certificate that the domain's owner disowns",
      .prefix = "header d1, starttls, tls refuted",
      .alphabet = "header d1, auth, key d1, key d2, d2 says valid, stanza d1, stanza d2, close" },
    { .name = "let pass", .text = "SASL EXTERNAL where policy lets a domain pass unproved",
      .prefix = "header d1, starttls", .knobs = "external_without_proof=1",
      .alphabet = "tls d2, tls -, tls refuted, header d1, auth, auth later, response, "
                  "stanza d1, close" },
    { .name = "not let pass", .text = "likewise, but policy wants a certificate of every sender",
      .prefix = "header d1, starttls, tls d2",
      .knobs = "external_without_proof=1, inbound_proof_required=1",
      .alphabet = "header d1, auth, stanza d1, close" },
    { .name = "voluntary TLS", .text = "policy lets dialback do without TLS", .prefix = "header d1",
      .knobs = "tls_required=0",
      .alphabet = "header d1, starttls, tls -, bidi, auth, key d1, d1 says valid, "
                  "d1 says invalid, d1 says error, verify, stanza d1, local d1, close" },
    { .name = "certificates wanted", .text = "policy wants a certificate of every sender",
      .prefix = "header d1, starttls, tls d1, header d1", .knobs = "inbound_proof_required=1",
      .alphabet = "key d1, key d2, d1 says valid, d1 says invalid, stanza d1, stanza d2, close" },
    { .name = "certificates and dialback",
      .text = "policy wants a certificate of every sender, and the authority's word",
      .prefix = "header d1, starttls, tls d1, header d1",
      .knobs = "inbound_proof_required=1, dialback_without_dialing=0",
      .alphabet = "key d1, key d2, d1 says valid, d1 says invalid, d1 says error, stanza d1, "
                  "stanza d2, close" },
    { .name = "fetched", .text = "proofs that have to be fetched",
      .prefix = "header d1, starttls, tls d1", .slow = true,
      .alphabet = "header d1, header -, proof of d1, key d1, key d1 empty, auth, stanza d1, "
                  "close" },
    { .name = "fetched meanwhile", .text = "what comes while a proof is fetched",
      .prefix = "header d1, starttls, tls d1", .slow = true,
      .alphabet = "header d1, verify early, proof of d1, close" },
    { .name = "fetched, forged", .text = "answers that nobody asked for while a proof is fetched",
      .prefix = "header d1, starttls, tls d1, header -", .slow = true,
      .alphabet = "key d1, forged d1 valid, forged d1 invalid, forged d1 error, proof of d1, "
                  "stanza d1, close" },
    { .name = "fetched later", .text = "a second domain's proof that has to be fetched",
      .prefix = "header d1, starttls, tls d1+d2, header d1, proof of d1", .slow = true,
      .alphabet = "key d2, key d2 empty, proof of d2, auth, header d1, stanza d2, close" },
    { .name = "fetched unproved", .text = "fetched proofs that come to nothing",
      .prefix = "header d1, starttls, tls -", .slow = true,
      .alphabet = "header d1, proof of d1, key d1, auth, close" },
    { .name = "fetched, asking", .text = "keys whose sender's proofs come to nothing",
      .prefix = "header d1, starttls, tls -, header -", .slow = true,
      .alphabet = "key d1, key d1 empty, proof of d1, d1 says valid, stanza d1, close" },
    { .name = "fetched refuted", .text = "fetched proofs that disown the certificate",
      .prefix = "header d1, starttls, tls refuted", .slow = true,
      .alphabet = "header d1, header -, proof of d1, key d1, auth, stanza d1, close" },
    { .name = "fetched anew", .text = "fetched proofs whose time is over",
      .prefix = "header d1, starttls, tls d1, header d1, proof of d1", .slow = true,
      .lapses = true,
      .alphabet = "proofs run out, auth, header d1, proof of d1, key d1, close" },
    { .name = "asked anew", .text = "fetched proofs that come to nothing, and whose time is over",
      .prefix = "header d1, starttls, tls -, header d1, proof of d1", .slow = true,
      .lapses = true,
      .alphabet = "proofs run out, key d1, proof of d1, d1 says valid, close" },
    { .name = "timers", .text = "deadlines, and the server's own end", .prefix = "", .timers = true,
      .alphabet = "header d1, starttls, tls d1, auth, key d2, d2 says valid, stanza d1, "
                  "wait negotiation, wait idle, wait close, wait expiry, shutdown, malformed, "
                  "error, close" },
    { .name = "late answers", .text = "an authority that does not answer in time",
      .prefix = "header d1, starttls, tls -, header d1", .timers = true,
      .alphabet = "key d1, wait d1, d1 says valid, stanza d1, wait idle, close" },
};

/* The same server, asked about keys. */
static const struct dna_scope asked_scopes[] = {
    { .name = "clear", .text = "questions before TLS, which policy forbids", .prefix = "header d1",
      .alphabet = "verify, verify right, verify unhosted, verify no id, verify nobody, "
                  "starttls, tls -, header d1, malformed, close" },
    { .name = "secured", .text = "questions after TLS",
      .prefix = "header d1, starttls, tls -, header d1",
      .alphabet = "verify, verify right, verify unhosted, verify no id, verify nobody, key d1, "
                  "forged d1 valid, bidi, unknown, error, close" },
    { .name = "proved", .text = "questions of a peer that proved its domain",
      .prefix = "header d1, starttls, tls d1, header d1, auth, header d1",
      .alphabet = "verify, verify right, verify unhosted, stanza d1, close" },
    { .name = "voluntary TLS", .text = "questions before TLS, which policy allows",
      .prefix = "header d1", .knobs = "tls_required=0",
      .alphabet = "verify, verify right, verify unhosted, verify no id, verify nobody, "
                  "starttls, tls -, header d1, close" },
    { .name = "no dialback", .text = "a server that does not speak dialback",
      .prefix = "header d1, starttls, tls -, header d1", .knobs = "dialback=0",
      .alphabet = "verify, verify nobody, key d1, stanza d1, close" }, /* it makes no right key */
};

#endif
