/* SPDX-License-Identifier: MIT */
/* xml: the push parser behind xml.h. libxml2's SAX2 callbacks build nodes in an arena and note what
 * was completed; dna_xml_feed() hands that out after libxml2 has returned, so that a handler may
 * free the parser. Owner: whoever called dna_xml_new(). */
#include "impl/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <stdlib.h>
#include <string.h>

#include "impl/xml_tree.h"

enum {
    MAX_DEPTH = 64,
    MAX_ATTRS = 64,
    FIRST_BUFFER = 512,
    MAX_NAMES =
        256 * 1024 /* bytes of interned names: a hostile peer invents new ones without end */
};
struct dna_xml_parser {
    const struct dna_xml_handler *handler;
    void *arg;
    xmlParserCtxtPtr ctxt;
    xmlSAXHandler sax;
    struct dna_arena arena, header_arena;
    struct dna_xml_node *header, *root, *open; /* open: the node whose children are being read */
    struct dna_xml_node *done, **done_tail;    /* complete and not yet handed out; usually one */
    struct dna_xml_node *last;      /* the youngest child of open, if open is the same still */
    struct dna_xml_decl *inherited; /* what the header declares for its children to use */
    size_t max_bytes, bytes;
    unsigned depth;
    bool header_due, end_due;
    enum dna_xml_error error;
    bool ended, busy, doomed, document;
};

static void refuse(struct dna_xml_parser *p, enum dna_xml_error why)
{
    if (p->error)
        return;
    p->error = why;
    if (p->ctxt)
        xmlStopParser(p->ctxt);
}

static const char *keep(struct dna_arena *a, const xmlChar *s)
{
    return s ? dna_arena_text(a, (const char *)s, strlen((const char *)s)) : NULL;
}

static bool ours(const char *prefix)
{
    return strcmp(prefix, "stream") == 0 || strcmp(prefix, "db") == 0 || strcmp(prefix, "xml") == 0;
}

/* A stanza leaves its stream: prefixes that only the header declares must travel with it. */
static void inherit(struct dna_xml_parser *p, struct dna_xml_node *node)
{
    for (const struct dna_xml_decl *d = p->inherited; d; d = d->next) {
        bool shadowed = !d->prefix || ours(d->prefix);
        for (const struct dna_xml_decl *own = node->decls; own && !shadowed; own = own->next)
            shadowed = own->prefix && strcmp(own->prefix, d->prefix) == 0;
        if (shadowed)
            continue;
        struct dna_xml_decl *copy = dna_arena_get(&p->arena, sizeof *copy);
        copy->prefix = d->prefix;
        copy->uri = d->uri;
        copy->next = node->decls;
        node->decls = copy;
    }
}

static struct dna_xml_node *make_node(struct dna_arena *a, const xmlChar *name,
                                      const xmlChar *prefix, const xmlChar *uri, int nb_ns,
                                      const xmlChar **namespaces, int nb_attrs,
                                      const xmlChar **attrs)
{
    struct dna_xml_node *n = dna_arena_get(a, sizeof *n);
    n->name = keep(a, name);
    n->prefix = keep(a, prefix);
    n->ns = uri ? keep(a, uri) : "";
    struct dna_xml_decl **decl = &n->decls;
    for (int i = 0; i < nb_ns; i++, decl = &(*decl)->next) {
        *decl = dna_arena_get(a, sizeof **decl);
        (*decl)->prefix = keep(a, namespaces[2 * i]);
        (*decl)->uri = namespaces[2 * i + 1] ? keep(a, namespaces[2 * i + 1]) : "";
    }
    struct dna_xml_attr **attr = &n->attrs;
    for (int i = 0; i < nb_attrs; i++, attr = &(*attr)->next) {
        const xmlChar **five = attrs + 5 * (size_t)i;
        *attr = dna_arena_get(a, sizeof **attr);
        (*attr)->name = keep(a, five[0]);
        (*attr)->prefix = keep(a, five[1]);
        (*attr)->ns = keep(a, five[2]);
        (*attr)->value = dna_arena_text(a, (const char *)five[3], (size_t)(five[4] - five[3]));
    }
    return n;
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int nb_ns, const xmlChar **namespaces, int nb_attrs, int nb_defaulted,
                     const xmlChar **attrs)
{
    struct dna_xml_parser *p = ctx;
    (void)nb_defaulted;
    if (p->error)
        return;
    if (p->depth >= MAX_DEPTH || nb_attrs > MAX_ATTRS || nb_ns > MAX_ATTRS) {
        refuse(p, DNA_XML_TOO_BIG);
        return;
    }
    bool header = p->depth == 0 && !p->document;
    struct dna_xml_node *n = make_node(header ? &p->header_arena : &p->arena, name, prefix, uri,
                                       nb_ns, namespaces, nb_attrs, attrs);
    p->depth++;
    if (header) {
        p->header = n;
        p->inherited = n->decls;
        p->header_due = true;
        return;
    }
    if (!p->open) {
        p->root = n;
        inherit(p, n);
    } else {
        n->parent = p->open;
        if (p->last)
            p->last->next = n;
        else
            p->open->children = n;
    }
    p->open = n;
    p->last = NULL;
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct dna_xml_parser *p = ctx;
    (void)name;
    (void)prefix;
    (void)uri;
    if (p->error)
        return;
    p->depth--;
    if (!p->open) {
        p->end_due = true;
        return;
    }
    p->last = p->open;
    p->open = p->open->parent;
    if (!p->open) {
        p->last = NULL;
        *p->done_tail = p->root;
        p->done_tail = &p->root->next;
    }
}

static bool blank(const xmlChar *at, int len)
{
    for (int i = 0; i < len; i++)
        if (at[i] != ' ' && at[i] != '\t' && at[i] != '\r' && at[i] != '\n')
            return false;
    return true;
}

static void on_text(void *ctx, const xmlChar *at, int len)
{
    struct dna_xml_parser *p = ctx;
    if (p->error)
        return;
    if (!p->open) {
        if (!blank(at, len))
            refuse(p, DNA_XML_BAD_FORMAT);
        return;
    }
    struct dna_xml_node *n = dna_arena_get(&p->arena, sizeof *n);
    n->text = dna_arena_text(&p->arena, (const char *)at, (size_t)len);
    n->parent = p->open;
    if (p->last)
        p->last->next = n;
    else
        p->open->children = n;
    p->last = n;
}

static void on_comment(void *ctx, const xmlChar *text)
{
    (void)text;
    refuse(ctx, DNA_XML_RESTRICTED);
}

static void on_instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
    (void)target;
    (void)data;
    refuse(ctx, DNA_XML_RESTRICTED);
}

static void on_subset(void *ctx, const xmlChar *name, const xmlChar *external,
                      const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    refuse(ctx, DNA_XML_RESTRICTED);
}

static void on_reference(void *ctx, const xmlChar *name)
{
    (void)name;
    refuse(ctx, DNA_XML_RESTRICTED);
}

static xmlEntityPtr on_entity(void *ctx, const xmlChar *name)
{
    xmlEntityPtr predefined = xmlGetPredefinedEntity(name);
    if (!predefined)
        refuse(ctx, DNA_XML_RESTRICTED);
    return predefined;
}

static void on_error(void *ctx, xmlErrorPtr e)
{
    struct dna_xml_parser *p = ctx;
    if (e->code == XML_ERR_NO_MEMORY)
        refuse(p, DNA_XML_TOO_BIG); /* the dictionary limit says it so */
    else if (e->code == XML_ERR_UNSUPPORTED_ENCODING || e->code == XML_ERR_UNKNOWN_ENCODING)
        refuse(p, DNA_XML_ENCODING);
    else if (e->level == XML_ERR_FATAL)
        refuse(p, DNA_XML_NOT_WELL_FORMED);
    else if (e->domain == XML_FROM_NAMESPACE && e->code != XML_WAR_NS_URI_RELATIVE &&
             e->code != XML_WAR_NS_URI)
        refuse(p, DNA_XML_NOT_WELL_FORMED);
}

static bool utf8_named(const xmlChar *encoding)
{
    return xmlStrcasecmp(encoding, (const xmlChar *)"UTF-8") == 0;
}

struct dna_xml_parser *dna_xml_new(const struct dna_xml_handler *handler, void *arg,
                                   size_t max_bytes)
{
    struct dna_xml_parser *p = dna_calloc(1, sizeof *p);
    p->handler = handler;
    p->arg = arg;
    p->max_bytes = max_bytes;
    p->done_tail = &p->done;
    p->sax.initialized = XML_SAX2_MAGIC;
    p->sax.startElementNs = on_start;
    p->sax.endElementNs = on_end;
    p->sax.characters = on_text;
    p->sax.cdataBlock = on_text;
    p->sax.ignorableWhitespace = on_text;
    p->sax.comment = on_comment;
    p->sax.processingInstruction = on_instruction;
    p->sax.internalSubset = on_subset;
    p->sax.reference = on_reference;
    p->sax.getEntity = on_entity;
    p->sax.serror = on_error;
    return p;
}

void dna_xml_limit(struct dna_xml_parser *p, size_t max_bytes)
{
    p->max_bytes = max_bytes;
}

static void destroy(struct dna_xml_parser *p)
{
    if (p->ctxt) {
        if (p->ctxt->myDoc)
            xmlFreeDoc(p->ctxt->myDoc);
        xmlFreeParserCtxt(p->ctxt);
    }
    dna_arena_reset(&p->arena);
    dna_arena_reset(&p->header_arena);
    free(p);
}

void dna_xml_free(struct dna_xml_parser *p)
{
    if (p && p->busy)
        p->doomed = true;
    else if (p)
        destroy(p);
}

/* libxml2 would take UTF-16 by its byte order mark and ISO-8859-1 by its name; XMPP is UTF-8
 * (11.6). */
static void check_first_byte(struct dna_xml_parser *p, unsigned char c)
{
    if (c == 0xfe || c == 0xff || c == 0x00)
        p->error = DNA_XML_ENCODING;
    else if (c != '<' && c != 0xef)
        p->error = DNA_XML_NOT_WELL_FORMED;
}

static bool start(struct dna_xml_parser *p, unsigned char first)
{
    check_first_byte(p, first);
    if (p->error)
        return false;
    xmlDefaultBufferSize = FIRST_BUFFER; /* 8 kB otherwise, for each of thousands of idle streams */
    p->ctxt = xmlCreatePushParserCtxt(&p->sax, p, NULL, 0, NULL);
    if (!p->ctxt)
        abort();
    xmlCtxtUseOptions(p->ctxt, XML_PARSE_NONET);
    xmlDictSetLimit(p->ctxt->dict, MAX_NAMES);
    return true;
}

static struct dna_xml_node *next_done(struct dna_xml_parser *p)
{
    struct dna_xml_node *n = p->done;
    if (n)
        p->done = n->next;
    if (!p->done)
        p->done_tail = &p->done;
    if (n)
        n->next = NULL;
    return n;
}

/* libxml2 may lag by a few bytes ("<a>" alone is too short for it to begin), so that several events
 * are due at once; they go out in order, until a handler frees the parser. */
static void hand_out(struct dna_xml_parser *p)
{
    struct dna_xml_node *n;
    p->busy = true;
    if (p->header_due && p->handler->header)
        p->handler->header(p->arg, p->header);
    p->header_due = false;
    while (!p->doomed && (n = next_done(p)))
        if (p->handler->element)
            p->handler->element(p->arg, n);
    p->ended = p->end_due || p->error;
    if (!p->doomed && p->end_due && p->handler->end)
        p->handler->end(p->arg);
    else if (!p->doomed && p->error && p->handler->error)
        p->handler->error(p->arg, p->error);
    p->busy = false;
    if (p->doomed) {
        destroy(p);
        return;
    }
    p->bytes = 0;
    if (!p->open)
        dna_arena_reset(&p->arena);
}

/* White space between stanzas (RFC 6120 4.6.1) costs a peer nothing and must not add up to the
 * limit. */
static size_t skip_space(const struct dna_xml_parser *p, const char *data, size_t len)
{
    size_t n = 0;
    bool between = p->depth <= 1 && !p->open && p->bytes == 0;
    while (between && n < len && blank((const xmlChar *)data + n, 1))
        n++;
    return n;
}

size_t dna_xml_feed(struct dna_xml_parser *p, const char *data, size_t len)
{
    if (p->ended || !len)
        return 0;
    size_t n = skip_space(p, data, len);
    if (n)
        return n;
    if (p->ctxt || start(p, (unsigned char)data[0])) {
        const char *gt = memchr(data, '>', len);
        n = gt ? (size_t)(gt - data) + 1 : len;
        size_t room = p->max_bytes > p->bytes ? p->max_bytes - p->bytes : 0;
        bool over = n > room;
        if (over)
            n = room;
        p->bytes += n;
        if (n)
            (void)xmlParseChunk(p->ctxt, data, (int)n, 0);
        bool ill_formed = p->error == DNA_XML_NOT_WELL_FORMED && !p->header;
        if ((!p->error || ill_formed) && p->ctxt->encoding && !utf8_named(p->ctxt->encoding))
            p->error = DNA_XML_ENCODING;
        if (!p->error && !p->ctxt->wellFormed)
            p->error = DNA_XML_NOT_WELL_FORMED;
        if (over && !p->error)
            p->error = DNA_XML_TOO_BIG;
    }
    if (!n)
        n = 1;
    if (p->error || p->header_due || p->done || p->end_due)
        hand_out(p);
    return n;
}

struct one {
    void (*element)(void *arg, const struct dna_xml_node *root);
    void *arg;
    enum dna_xml_error why;
};

static void one_element(void *arg, const struct dna_xml_node *root)
{
    struct one *o = arg;
    o->why = DNA_XML_OK;
    if (o->element)
        o->element(o->arg, root);
}

static void one_error(void *arg, enum dna_xml_error why)
{
    struct one *o = arg;
    o->why = why;
}

enum dna_xml_error dna_xml_parse_text(const char *text, size_t len,
                                      void (*element)(void *arg, const struct dna_xml_node *root),
                                      void *arg)
{
    static const struct dna_xml_handler handler = { .element = one_element, .error = one_error };
    struct one o = { element, arg, DNA_XML_NOT_WELL_FORMED };
    struct dna_xml_parser *p = dna_xml_new(&handler, &o, (size_t)1 << 24);
    p->document = true;
    while (len && !p->ended) {
        size_t n = dna_xml_feed(p, text, len);
        text += n;
        len -= n;
    }
    dna_xml_free(p);
    return o.why;
}
