/* SPDX-License-Identifier: MIT */
/* key: dialback keys as XEP-0185 2 makes them, and random ids. Pure but for the random source. */
#ifndef DNA_IMPL_KEY_H
#define DNA_IMPL_KEY_H
#include <stdbool.h>
#include <stddef.h>

enum { DNA_KEY_LEN = 64, DNA_ID_LEN = 32 };

/* dna_key_make() writes the key, lower-case hex and NUL: HMAC-SHA256 keyed with hex(SHA256(secret))
 * over "receiving originating id", separated by single spaces, the addresses as they stand in
 * db:result. */
void dna_key_make(const char *secret, const char *receiving, const char *originating,
                  const char *stream_id, char out[DNA_KEY_LEN + 1]);
/* dna_key_equal() compares in time that depends on the length of key alone; white space around key
 * (a peer may wrap its XML) does not count. */
bool dna_key_equal(const char *expected, const char *key);
/* dna_id_make() writes a fresh, unpredictable id of hex digits and NUL. */
void dna_id_make(char out[DNA_ID_LEN + 1]);
#endif
