/* SPDX-License-Identifier: MIT */
/* b64: base64 as RFC 4648 section 4 says it, strictly: padding required, no line breaks, no other
 * letters, no bits behind the padding. */
#ifndef DNA_IMPL_B64_H
#define DNA_IMPL_B64_H
#include "impl/buf.h"

/* dna_b64_encode() appends the base64 of len bytes to out. */
void dna_b64_encode(struct dna_buf *out, const void *at, size_t len);
/* dna_b64_decode() appends the bytes that text of len characters stands for; -1 (and nothing added)
 * if it is not base64. */
int dna_b64_decode(struct dna_buf *out, const char *text, size_t len);
#endif
