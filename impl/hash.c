/* SPDX-License-Identifier: MIT */
/* hash: see hash.h. Separate chaining, doubled when as many entries as slots. */
#include "impl/hash.h"

#include <openssl/rand.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"

struct dna_hash_entry {
    struct dna_hash_entry *next;
    void *value;
    uint64_t sum;
    char key[];
};

static uint64_t sum_of(const char *key)
{
    static uint64_t seed;
    if (!seed && RAND_bytes((unsigned char *)&seed, sizeof seed) != 1)
        abort();
    uint64_t sum = seed | 1;
    for (; *key; key++) {
        sum = (sum ^ (unsigned char)*key) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    return sum;
}

static struct dna_hash_entry **find(const struct dna_hash *h, const char *key, uint64_t sum)
{
    struct dna_hash_entry **at = &h->slots[sum & (h->num_slots - 1)];
    while (*at && ((*at)->sum != sum || strcmp((*at)->key, key) != 0))
        at = &(*at)->next;
    return at;
}

static void grow(struct dna_hash *h)
{
    size_t num = h->num_slots ? 2 * h->num_slots : 16;
    struct dna_hash_entry **slots = dna_calloc(num, sizeof(struct dna_hash_entry *));
    for (size_t i = 0; i < h->num_slots; i++) {
        while (h->slots[i]) {
            struct dna_hash_entry *e = h->slots[i];
            h->slots[i] = e->next;
            e->next = slots[e->sum & (num - 1)];
            slots[e->sum & (num - 1)] = e;
        }
    }
    free(h->slots);
    h->slots = slots;
    h->num_slots = num;
}

void *dna_hash_get(const struct dna_hash *h, const char *key)
{
    if (!h->num)
        return NULL;
    struct dna_hash_entry *e = *find(h, key, sum_of(key));
    return e ? e->value : NULL;
}

void *dna_hash_put(struct dna_hash *h, const char *key, void *value)
{
    if (h->num == h->num_slots)
        grow(h);
    uint64_t sum = sum_of(key);
    struct dna_hash_entry **at = find(h, key, sum);
    if (*at) {
        void *old = (*at)->value;
        (*at)->value = value;
        return old;
    }
    size_t len = strlen(key) + 1;
    struct dna_hash_entry *e = dna_calloc(1, sizeof *e + len);
    memcpy(e->key, key, len);
    e->sum = sum;
    e->value = value;
    *at = e;
    h->num++;
    return NULL;
}

void *dna_hash_remove(struct dna_hash *h, const char *key)
{
    if (!h->num)
        return NULL;
    struct dna_hash_entry **at = find(h, key, sum_of(key)), *e = *at;
    if (!e)
        return NULL;
    void *value = e->value;
    *at = e->next;
    free(e);
    h->num--;
    return value;
}

void dna_hash_each(const struct dna_hash *h, void (*each)(void *value, void *arg), void *arg)
{
    for (size_t i = 0; i < h->num_slots; i++) {
        for (struct dna_hash_entry *e = h->slots[i], *next; e; e = next) {
            next = e->next;
            each(e->value, arg);
        }
    }
}

void dna_hash_cleanup(struct dna_hash *h)
{
    for (size_t i = 0; i < h->num_slots; i++) {
        while (h->slots[i]) {
            struct dna_hash_entry *next = h->slots[i]->next;
            free(h->slots[i]);
            h->slots[i] = next;
        }
    }
    free(h->slots);
    *h = (struct dna_hash){ NULL, 0, 0 };
}
