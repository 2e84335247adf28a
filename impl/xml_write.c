/* SPDX-License-Identifier: MIT */
/* xml_write: nodes back into text for another stream. Prefixes are kept, because content may hold
 * prefixed names that no parser shows (xsi:type, XPath); what the target stream does not declare is
 * declared again. */
#include <stdio.h>
#include <string.h>

#include "impl/xml.h"

/* The namespaces in scope while writing, innermost first. */
struct scope {
    const struct scope *up;
    const char *prefix, *uri; /* prefix NULL: the default namespace */
};

struct writer {
    struct dna_buf *out;
    const char *from_ns, *to_ns;
    const struct dna_xml_override *overrides;
};

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *lookup(const struct scope *s, const char *prefix)
{
    for (; s; s = s->up)
        if (same(s->prefix, prefix))
            return s->uri;
    return NULL;
}

static const char *moved(const struct writer *w, const char *ns)
{
    return w->from_ns && strcmp(ns, w->from_ns) == 0 ? w->to_ns : ns;
}

static void declare(struct writer *w, const char *prefix, const char *uri)
{
    dna_buf_puts(w->out, prefix ? " xmlns:" : " xmlns");
    dna_buf_puts(w->out, prefix ? prefix : "");
    dna_buf_puts(w->out, "='");
    dna_buf_escape_value(w->out, uri);
    dna_buf_puts(w->out, "'");
}

static const struct dna_xml_override *overridden(const struct writer *w,
                                                 const struct dna_xml_attr *a)
{
    for (const struct dna_xml_override *o = w->overrides; o && o->name; o++)
        if (!a->ns && strcmp(o->name, a->name) == 0)
            return o;
    return NULL;
}

static void write_attr(struct writer *w, const struct dna_xml_attr *a)
{
    dna_buf_puts(w->out, " ");
    if (a->prefix) {
        dna_buf_puts(w->out, a->prefix);
        dna_buf_puts(w->out, ":");
    }
    dna_buf_puts(w->out, a->name);
    dna_buf_puts(w->out, "='");
    dna_buf_escape_value(w->out, a->value);
    dna_buf_puts(w->out, "'");
}

static void write_name(struct writer *w, const struct dna_xml_node *n)
{
    if (n->prefix) {
        dna_buf_puts(w->out, n->prefix);
        dna_buf_puts(w->out, ":");
    }
    dna_buf_puts(w->out, n->name);
}

enum {
    MAX_DECLS = 200
}; /* own declarations, one for the element and one per attribute: the parser's limits */

static void write_node(struct writer *w, const struct dna_xml_node *n, const struct scope *up,
                       bool root);

static void write_children(struct writer *w, const struct dna_xml_node *n, const struct scope *s)
{
    for (const struct dna_xml_node *c = n->children; c; c = c->next) {
        if (c->text)
            dna_buf_escape(w->out, c->text);
        else
            write_node(w, c, s, false);
    }
}

/* Adds to the scope and writes one declaration unless it is in force already. */
static const struct scope *need(struct writer *w, const struct scope *s, struct scope *room,
                                size_t *used, const char *prefix, const char *uri)
{
    const char *now = lookup(s, prefix);
    if ((now && strcmp(now, uri) == 0) || *used >= MAX_DECLS)
        return s;
    declare(w, prefix, uri);
    room[*used] = (struct scope){ s, prefix, uri };
    return &room[(*used)++];
}

static void write_node(struct writer *w, const struct dna_xml_node *n, const struct scope *up,
                       bool root)
{
    struct scope room[MAX_DECLS];
    size_t used = 0;
    const struct scope *s = up;
    dna_buf_puts(w->out, "<");
    write_name(w, n);
    s = need(w, s, room, &used, n->prefix, moved(w, n->ns));
    for (const struct dna_xml_decl *d = n->decls; d; d = d->next)
        if (!same(d->prefix, n->prefix))
            s = need(w, s, room, &used, d->prefix, moved(w, d->uri));
    for (const struct dna_xml_attr *a = n->attrs; a; a = a->next)
        if (a->ns && a->prefix && strcmp(a->prefix, "xml") != 0)
            s = need(w, s, room, &used, a->prefix, a->ns);
    for (const struct dna_xml_attr *a = n->attrs; a; a = a->next)
        if (!root || !overridden(w, a))
            write_attr(w, a);
    for (const struct dna_xml_override *o = root ? w->overrides : NULL; o && o->name; o++)
        dna_buf_attr(w->out, o->name, o->value);
    if (!n->children) {
        dna_buf_puts(w->out, "/>");
        return;
    }
    dna_buf_puts(w->out, ">");
    write_children(w, n, s);
    dna_buf_puts(w->out, "</");
    write_name(w, n);
    dna_buf_puts(w->out, ">");
}

void dna_xml_write(struct dna_buf *out, const struct dna_xml_node *node, const char *from_ns,
                   const char *to_ns, const struct dna_xml_override *overrides)
{
    struct writer w = { out, from_ns, to_ns, overrides };
    struct scope outer = { NULL, "stream", DNA_NS_STREAM };
    struct scope inner = { &outer, NULL, to_ns };
    write_node(&w, node, &inner, true);
}
