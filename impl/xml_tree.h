/* SPDX-License-Identifier: MIT */
/* xml_tree: the memory behind nodes. One arena holds one stanza and is emptied as a whole; a quiet
 * stream holds none. Only xml*.c use it. */
#ifndef DNA_IMPL_XML_TREE_H
#define DNA_IMPL_XML_TREE_H
#include "impl/xml.h"

struct dna_arena_block;
struct dna_arena {
    struct dna_arena_block *blocks;
};
/* dna_arena_get() is zeroed memory, aligned for pointers. */
void *dna_arena_get(struct dna_arena *a, size_t size);
/* dna_arena_text() copies len bytes and ends them with NUL. */
char *dna_arena_text(struct dna_arena *a, const char *at, size_t len);
/* dna_arena_reset() frees everything. */
void dna_arena_reset(struct dna_arena *a);
#endif
