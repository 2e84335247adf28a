/* SPDX-License-Identifier: MIT */
/* The names of the lab's DNS: a tree in canonical order, searched by key. Memory: dns_store.h. */
#include "conformance/lab/dns_sign.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int compare_keys(const void *a, const void *b)
{
    const struct dns_key *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = len ? memcmp(x->at, y->at, len) : 0;

    if (order)
        return order;
    return (x->len > y->len) - (x->len < y->len);
}

static bool is_below(const struct dns_key *key, const struct dns_key *top)
{
    return key->len >= top->len && memcmp(key->at, top->at, top->len) == 0;
}

void dns_key_of(const ldns_rdf *name, struct dns_key *out)
{
    const uint8_t *wire = ldns_rdf_data(name);
    size_t len = ldns_rdf_size(name), num = 0;
    size_t starts[128];

    for (size_t at = 0; at < len && wire[at] != 0 && num < 128; at += wire[at] + 1u)
        starts[num++] = at;
    out->len = 0;
    while (num-- > 0) {
        const uint8_t *label = wire + starts[num];

        for (size_t i = 1; i <= label[0] && out->len + 3 < DNS_MAX_KEY; i++) {
            uint8_t byte = (uint8_t)tolower(label[i]);

            /* Zero ends a label, so zero and the escape itself are written as two bytes. */
            if (byte <= 1) {
                out->at[out->len++] = 1;
                byte = (uint8_t)(byte + 1);
            }
            out->at[out->len++] = byte;
        }
        out->at[out->len++] = 0;
    }
}

bool dns_key_up(struct dns_key *key)
{
    if (key->len == 0)
        return false;
    key->len--;
    while (key->len > 0 && key->at[key->len - 1] != 0)
        key->len--;
    return true;
}

int dns_store_init(struct dns_store *store)
{
    store->names = ldns_rbtree_create(compare_keys);
    store->signer = dns_signer_new();
    if (store->names && store->signer)
        return 0;
    dns_store_cleanup(store);
    return -1;
}

static struct dns_name *first_at_or_after(const struct dns_store *store, const struct dns_key *key)
{
    ldns_rbnode_t *node = NULL;

    if (!ldns_rbtree_find_less_equal(store->names, key, &node))
        node = node ? ldns_rbtree_next(node) : ldns_rbtree_first(store->names);
    return node == LDNS_RBTREE_NULL ? NULL : (struct dns_name *)node;
}

static struct dns_name *next_name(struct dns_name *name)
{
    ldns_rbnode_t *node = ldns_rbtree_next(&name->node);

    return node == LDNS_RBTREE_NULL ? NULL : (struct dns_name *)node;
}

struct dns_name *dns_store_find(const struct dns_store *store, const struct dns_key *key)
{
    return (struct dns_name *)ldns_rbtree_search(store->names, key);
}

struct dns_name *dns_store_get(struct dns_store *store, const struct dns_key *key)
{
    struct dns_name *name = dns_store_find(store, key);

    if (name)
        return name;
    name = calloc(1, sizeof *name);
    if (!name)
        return NULL;
    name->records = ldns_rr_list_new();
    if (!name->records) {
        free(name);
        return NULL;
    }
    name->key = *key;
    name->node.key = &name->key;
    name->node.data = name;
    ldns_rbtree_insert(store->names, &name->node);
    return name;
}

void dns_name_clear(struct dns_name *name, uint16_t type)
{
    ldns_rr_list *kept = ldns_rr_list_new();

    if (!kept)
        return;
    for (size_t i = 0; i < ldns_rr_list_rr_count(name->records); i++) {
        ldns_rr *rr = ldns_rr_list_rr(name->records, i);

        if (type == DNA_DNS_ANY || ldns_rr_get_type(rr) == (ldns_rr_type)type)
            ldns_rr_free(rr);
        else
            ldns_rr_list_push_rr(kept, rr);
    }
    ldns_rr_list_free(name->records);
    name->records = kept;
}

static void name_free(struct dns_name *name)
{
    while (name->manners) {
        struct dns_manner *gone = name->manners;

        name->manners = gone->next;
        free(gone);
    }
    while (name->watches) {
        struct dns_watch *gone = name->watches;

        name->watches = gone->next;
        free(gone);
    }
    ldns_rr_list_deep_free(name->records);
    dns_zone_free(name->zone);
    free(name);
}

void dns_store_tidy(struct dns_store *store, struct dns_name *name)
{
    if (ldns_rr_list_rr_count(name->records) || name->manners || name->watches || name->zone)
        return;
    ldns_rbtree_delete(store->names, &name->key);
    name_free(name);
}

bool dns_store_exists(const struct dns_store *store, const struct dns_key *key)
{
    struct dns_name *name = first_at_or_after(store, key);

    for (; name && is_below(&name->key, key); name = next_name(name)) {
        if (ldns_rr_list_rr_count(name->records))
            return true;
    }
    return false;
}

struct dns_name *dns_store_wildcard(const struct dns_store *store, const struct dns_key *key)
{
    const struct dns_name *name = dns_store_find(store, key);
    struct dns_name *wildcard;
    struct dns_key at = *key;

    while (!dns_store_exists(store, &at) && !(name && name->zone)) {
        if (!dns_key_up(&at))
            return NULL;
        name = dns_store_find(store, &at);
    }
    if (at.len == key->len || at.len + 2 > DNS_MAX_KEY)
        return NULL;
    at.at[at.len++] = '*';
    at.at[at.len++] = 0;
    wildcard = dns_store_find(store, &at);
    return wildcard && ldns_rr_list_rr_count(wildcard->records) ? wildcard : NULL;
}

void dns_store_remove_tree(struct dns_store *store, const struct dns_key *key)
{
    struct dns_name *name;

    while ((name = first_at_or_after(store, key)) && is_below(&name->key, key)) {
        ldns_rbtree_delete(store->names, &name->key);
        name_free(name);
    }
}

unsigned dns_store_manner(const struct dns_store *store, enum dns_aspect aspect,
                          const struct dns_key *key, uint16_t type)
{
    struct dns_key at = *key;
    bool own = true;

    do {
        const struct dns_name *name = dns_store_find(store, &at);
        const struct dns_manner *found = NULL;

        for (const struct dns_manner *m = name ? name->manners : NULL; m; m = m->next) {
            if (m->aspect != aspect || (!own && !m->below))
                continue;
            if (m->type == type || (m->type == DNA_DNS_ANY && !found))
                found = m;
        }
        if (found)
            return found->manner;
        own = false;
    } while (dns_key_up(&at));
    return 0;
}

enum dna_dns_signature dns_store_signing(const struct dns_store *store, const struct dns_key *key,
                                         const struct dns_name *wildcard, uint16_t type)
{
    unsigned own = dns_store_manner(store, DNS_SIGNING, key, type);

    if (own == DNA_DNS_SIGN_GOOD && wildcard)
        own = dns_store_manner(store, DNS_SIGNING, &wildcard->key, type);
    return (enum dna_dns_signature)own;
}

struct dns_name *dns_store_apex(const struct dns_store *store, const struct dns_key *key)
{
    struct dns_key at = *key;

    do {
        struct dns_name *name = dns_store_find(store, &at);

        if (name && name->zone)
            return name;
    } while (dns_key_up(&at));
    return NULL;
}

struct dns_name *dns_store_apex_of(const struct dns_store *store, const struct dns_key *key,
                                   ldns_rr_type type)
{
    struct dns_key above = *key;

    if (type == LDNS_RR_TYPE_DS)
        dns_key_up(&above);
    return dns_store_apex(store, &above);
}

void dns_store_cleanup(struct dns_store *store)
{
    struct dns_key root = { .len = 0 };

    if (store->names) {
        dns_store_remove_tree(store, &root);
        ldns_rbtree_free(store->names);
    }
    dns_signer_free(store->signer);
    *store = (struct dns_store){ 0 };
}
