/* SPDX-License-Identifier: MIT */
/* hash: a table from strings to pointers, so that no lookup grows with the number of domains, pairs
 * or sessions. It owns copies of the keys, never the values. Keys are hashed with a secret seed: a
 * peer that chooses domain names cannot choose collisions. */
#ifndef DNA_IMPL_HASH_H
#define DNA_IMPL_HASH_H
#include <stddef.h>

struct dna_hash_entry;
struct dna_hash {
    struct dna_hash_entry **slots;
    size_t num, num_slots;
};

/* dna_hash_get() is the value of key, NULL if there is none. */
void *dna_hash_get(const struct dna_hash *h, const char *key);
/* dna_hash_put() sets the value of key; value must not be NULL. Returns the value it replaces. */
void *dna_hash_put(struct dna_hash *h, const char *key, void *value);
/* dna_hash_remove() forgets key and returns its value, NULL if there was none. */
void *dna_hash_remove(struct dna_hash *h, const char *key);
/* dna_hash_each() calls each value once, in no order; the callee may remove that entry, no other.
 */
void dna_hash_each(const struct dna_hash *h, void (*each)(void *value, void *arg), void *arg);
/* dna_hash_cleanup() frees the table and its keys. */
void dna_hash_cleanup(struct dna_hash *h);
#endif
