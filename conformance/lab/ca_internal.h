/* SPDX-License-Identifier: MIT */
/* What the files of the CA share; nobody outside ca*.c includes this. Memory as ca.h says. */
#ifndef DNA_LAB_CA_INTERNAL_H
#define DNA_LAB_CA_INTERNAL_H

#include <openssl/x509v3.h>

#include "conformance/lab/ca.h"

#define CA_DAY 86400LL

/* ca_add_extensions adds all extensions that spec asks for; -1 with OpenSSL's error queue. */
int ca_add_extensions(X509 *x509, X509 *issuer, const struct dna_cert_spec *spec);

/*
 * Parts of extensions, NULL or -1 for want of memory and with OpenSSL's error queue. ca_text is a
 * string in which %00 stands for a NUL byte; ca_dir_name reads "O=value". The caller owns them.
 */
ASN1_STRING *ca_text(int type, const char *text);
GENERAL_NAME *ca_other_name(int nid, int string_type, const char *text);
GENERAL_NAME *ca_dir_name(const char *text);
int ca_add_extension(X509 *x509, X509 *issuer, int nid, const char *value);
int ca_add_name_constraints(X509 *x509, const struct dna_cert_spec *spec);
int ca_add_policies(X509 *x509, X509 *issuer, const struct dna_cert_spec *spec);

/* Serials that the CRL lists: 16 bytes, a prefix that no other certificate has, and a number. */
#define CA_REVOKED 256u
int ca_revoked_serial(ASN1_INTEGER *out, unsigned number);

/* ca_crl_new signs the list of all of them, good until so many seconds from now (negative: it has
 * run out); NULL with OpenSSL's error queue. */
X509_CRL *ca_crl_new(const struct dna_cert *root, long long now, long long until);

#endif
