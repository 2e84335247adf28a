/* SPDX-License-Identifier: MIT */
/* xml_tree: the arena, and the questions one asks of a node. */
#include "impl/xml_tree.h"

#include <stdlib.h>
#include <string.h>

struct dna_arena_block {
    struct dna_arena_block *next;
    size_t used, size;
    _Alignas(max_align_t) char at[];
};

enum { BLOCK = 1000 };

void *dna_arena_get(struct dna_arena *a, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    struct dna_arena_block *b = a->blocks;
    if (!b || b->size - b->used < size) {
        size_t room = size > BLOCK ? size : BLOCK;
        b = dna_calloc(1, sizeof *b + room);
        b->size = room;
        b->next = a->blocks;
        a->blocks = b;
    }
    void *p = b->at + b->used;
    b->used += size;
    return p;
}

char *dna_arena_text(struct dna_arena *a, const char *at, size_t len)
{
    char *p = dna_arena_get(a, len + 1);
    if (len)
        memcpy(p, at, len);
    return p;
}

void dna_arena_reset(struct dna_arena *a)
{
    while (a->blocks) {
        struct dna_arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
}

const char *dna_xml_error_condition(enum dna_xml_error why)
{
    static const char *const names[] = {
        [DNA_XML_OK] = "",
        [DNA_XML_NOT_WELL_FORMED] = "not-well-formed",
        [DNA_XML_RESTRICTED] = "restricted-xml",
        [DNA_XML_ENCODING] = "unsupported-encoding",
        [DNA_XML_TOO_BIG] = "policy-violation",
        [DNA_XML_BAD_FORMAT] = "bad-format",
    };
    return names[why];
}

const char *dna_xml_get(const struct dna_xml_node *node, const char *attr)
{
    for (const struct dna_xml_attr *a = node ? node->attrs : NULL; a; a = a->next)
        if (!a->ns && strcmp(a->name, attr) == 0)
            return a->value;
    return NULL;
}

const char *dna_xml_get_ns(const struct dna_xml_node *node, const char *ns, const char *attr)
{
    for (const struct dna_xml_attr *a = node ? node->attrs : NULL; a; a = a->next)
        if (a->ns && strcmp(a->ns, ns) == 0 && strcmp(a->name, attr) == 0)
            return a->value;
    return NULL;
}

bool dna_xml_is(const struct dna_xml_node *node, const char *ns, const char *name)
{
    return node && node->name && strcmp(node->name, name) == 0 && strcmp(node->ns, ns) == 0;
}

const struct dna_xml_node *dna_xml_child(const struct dna_xml_node *node, const char *ns,
                                         const char *name)
{
    for (const struct dna_xml_node *n = node ? node->children : NULL; n; n = n->next)
        if (n->name && (!name || strcmp(n->name, name) == 0) && (!ns || strcmp(n->ns, ns) == 0))
            return n;
    return NULL;
}

void dna_xml_text(const struct dna_xml_node *node, struct dna_buf *out)
{
    for (const struct dna_xml_node *n = node ? node->children : NULL; n; n = n->next)
        if (n->text)
            dna_buf_puts(out, n->text);
}

const char *dna_xml_default_ns(const struct dna_xml_node *header)
{
    for (const struct dna_xml_decl *d = header->decls; d; d = d->next)
        if (!d->prefix)
            return d->uri;
    return "";
}

bool dna_xml_declares(const struct dna_xml_node *node, const char *prefix, const char *uri)
{
    for (const struct dna_xml_decl *d = node->decls; d; d = d->next)
        if (d->prefix && strcmp(d->prefix, prefix) == 0 && strcmp(d->uri, uri) == 0)
            return true;
    return false;
}
