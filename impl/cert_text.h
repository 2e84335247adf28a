/* SPDX-License-Identifier: MIT */
/* cert_text -- what a certificate says, as text for people.  Nothing is judged here.  The text is
   the peer's: it may hold control characters. */
#ifndef DNA_IMPL_CERT_TEXT_H
#define DNA_IMPL_CERT_TEXT_H

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stddef.h>

/* dna_cert_name_text writes "C = XX, CN = a.example"; "" for an empty name.  Cut at size. */
void dna_cert_name_text(const X509_NAME *name, char *out, size_t size);
/* dna_cert_time_text writes "2026-11-23 15:49:45Z". */
void dna_cert_time_text(const ASN1_TIME *when, char *out, size_t size);
/* dna_cert_alt_name writes one subjectAltName and returns its kind ("dNSName", "SRVName",
   "xmppAddr"); NULL for kinds that name no XMPP domain. */
const char *dna_cert_alt_name(const GENERAL_NAME *g, char *out, size_t size);

#endif
