/* SPDX-License-Identifier: MIT */
/* posh_print: what an operator publishes so that others can prove a domain: POSH documents (RFC
 * 7711 3.1, 3.2) and TLSA records (RFC 6698 2.1). Pure; nothing is kept. */
#ifndef DNA_IMPL_POSH_PRINT_H
#define DNA_IMPL_POSH_PRINT_H
#include <openssl/x509.h>
#include <stdint.h>

#include "impl/buf.h"

/* dna_posh_print() appends a fingerprints document for num certificates (one at least), the most
 * relevant first, with the sha-256 and sha-512 of each; expires in seconds, not 0. */
void dna_posh_print(struct dna_buf *out, X509 *const *certificates, size_t num, uint32_t expires);
/* dna_posh_print_reference() appends a reference document; -1 and why if url is no https URI. */
int dna_posh_print_reference(struct dna_buf *out, const char *url, uint32_t expires, char *why,
                             size_t why_len);
/* dna_tlsa_print() appends `_PORT._tcp.HOST. IN TLSA 3 1 1 HEX`, which names the certificate's key
 * whoever issued it (RFC 7671 5.1), and lives as long as the key. host in A-labels. */
void dna_tlsa_print(struct dna_buf *out, X509 *certificate, const char *host, uint16_t port);
#endif
