/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Bytes to elements: libxml2's SAX2 push parser fills the tree of xnode.h. A
 * stream that starts anew gets a parser of its own. Nodes land in the wire's pool.
 */
#include "conformance/wire.h"

#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#define MAX_STREAM_BYTES (8u << 20) /* no scenario needs more: a runaway server ends its stream */
#define MAX_DEPTH 64

struct dna_wire_xml {
    struct dna_pool *pool;
    dna_wire_xml_fn fn;
    void *arg;
    xmlParserCtxtPtr parser;
    struct dna_xnode *stack[MAX_DEPTH];
    struct dna_xnode **tail[MAX_DEPTH]; /* where the next child of stack[i] goes */
    int depth;
    size_t bytes;
    struct dna_buf held; /* a beginning that may become a new header */
    const char *reason;
    bool broken, closed;
};

static const char *qualified(struct dna_wire_xml *x, const xmlChar *prefix, const xmlChar *local)
{
    return prefix ? dna_pool_printf(x->pool, "%s:%s", (const char *)prefix, (const char *)local)
                  : dna_pool_strdup(x->pool, (const char *)local);
}

static struct dna_xattr **declarations(struct dna_wire_xml *x, struct dna_xattr **tail, int num,
                                       const xmlChar **namespaces)
{
    for (int i = 0; i < num; i++) {
        struct dna_xattr *a = dna_pool_alloc(x->pool, sizeof(*a));
        const char *prefix = (const char *)namespaces[2 * i];

        a->name = prefix ? dna_pool_printf(x->pool, "xmlns:%s", prefix) : "xmlns";
        a->value = dna_pool_strdup(x->pool, (const char *)namespaces[2 * i + 1]);
        *tail = a;
        tail = &a->next;
    }
    return tail;
}

static void start_element(void *arg, const xmlChar *local, const xmlChar *prefix,
                          const xmlChar *uri, int num_ns, const xmlChar **namespaces, int num_attrs,
                          int num_defaulted, const xmlChar **attrs)
{
    struct dna_wire_xml *x = arg;
    struct dna_xnode *node = dna_pool_alloc(x->pool, sizeof(*node));
    struct dna_xattr **tail = &node->attrs;

    (void)prefix;
    (void)num_defaulted;
    if (x->depth == MAX_DEPTH) {
        x->reason = "nested too deeply";
        xmlStopParser(x->parser);
        return;
    }
    node->ns = uri ? dna_pool_strdup(x->pool, (const char *)uri) : "";
    node->local = dna_pool_strdup(x->pool, (const char *)local);
    if (x->depth == 0)
        tail = declarations(x, tail, num_ns, namespaces);
    for (int i = 0; i < num_attrs; i++, attrs += 5) {
        struct dna_xattr *a = dna_pool_alloc(x->pool, sizeof(*a));

        a->name = qualified(x, attrs[1], attrs[0]);
        a->value = dna_pool_strndup(x->pool, (const char *)attrs[3],
                                    (size_t)(attrs[4] - attrs[3]));
        *tail = a;
        tail = &a->next;
    }
    if (x->depth > 1) {
        *x->tail[x->depth - 1] = node;
        x->tail[x->depth - 1] = &node->next;
    }
    x->stack[x->depth] = node;
    x->tail[x->depth] = &node->children;
    x->depth++;
    if (x->depth == 1)
        x->fn(DNA_WIRE_HEADER, node, "", x->arg);
}

static void end_element(void *arg, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    struct dna_wire_xml *x = arg;

    (void)local;
    (void)prefix;
    (void)uri;
    x->depth--;
    if (x->depth == 1) {
        x->fn(DNA_WIRE_ELEMENT, x->stack[1], "", x->arg);
    } else if (x->depth == 0) {
        x->closed = true;
        x->fn(DNA_WIRE_CLOSE, NULL, "", x->arg);
    }
}

static void characters(void *arg, const xmlChar *bytes, int len)
{
    struct dna_wire_xml *x = arg;
    struct dna_xnode *node;

    if (x->depth < 2)
        return;
    node = dna_pool_alloc(x->pool, sizeof(*node));
    node->text = dna_pool_strndup(x->pool, (const char *)bytes, (size_t)len);
    *x->tail[x->depth - 1] = node;
    x->tail[x->depth - 1] = &node->next;
}

static void not_here(struct dna_wire_xml *x, const char *what)
{
    if (!x->reason)
        x->reason = what;
    xmlStopParser(x->parser);
}

static void comment(void *arg, const xmlChar *text)
{
    (void)text;
    not_here(arg, "a comment, which XMPP forbids");
}

static void instruction(void *arg, const xmlChar *target, const xmlChar *data)
{
    (void)target;
    (void)data;
    not_here(arg, "a processing instruction, which XMPP forbids");
}

static void subset(void *arg, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    not_here(arg, "a document type declaration, which XMPP forbids");
}

static xmlEntityPtr entity(void *arg, const xmlChar *name)
{
    (void)arg;
    return xmlGetPredefinedEntity(name);
}

static void structured_error(void *arg, xmlErrorPtr error)
{
    struct dna_wire_xml *x = arg;

    /* an unbound prefix is no fatal error to libxml2 */
    if (error->domain == XML_FROM_NAMESPACE && error->code == XML_NS_ERR_UNDEFINED_NAMESPACE)
        not_here(x, "an unbound namespace prefix");
    else if (error->level == XML_ERR_FATAL && !x->reason)
        x->reason = dna_pool_printf(x->pool, "%.*s", (int)strcspn(error->message, "\n"),
                                    error->message);
}

static void new_parser(struct dna_wire_xml *x)
{
    xmlSAXHandler sax;

    memset(&sax, 0, sizeof(sax));
    sax.initialized = XML_SAX2_MAGIC;
    sax.startElementNs = start_element;
    sax.endElementNs = end_element;
    sax.characters = characters;
    sax.cdataBlock = characters;
    sax.comment = comment;
    sax.processingInstruction = instruction;
    sax.internalSubset = subset;
    sax.getEntity = entity;
    sax.serror = structured_error;
    if (x->parser)
        xmlFreeParserCtxt(x->parser);
    x->parser = xmlCreatePushParserCtxt(&sax, x, NULL, 0, NULL);
    x->depth = 0;
    x->reason = NULL;
}

struct dna_wire_xml *dna_wire_xml_new(struct dna_pool *pool, dna_wire_xml_fn fn, void *arg)
{
    struct dna_wire_xml *x = dna_xcalloc(1, sizeof(*x));

    x->pool = pool;
    x->fn = fn;
    x->arg = arg;
    new_parser(x);
    return x;
}

void dna_wire_xml_free(struct dna_wire_xml *x)
{
    if (!x)
        return;
    xmlFreeParserCtxt(x->parser);
    dna_buf_free(&x->held);
    free(x);
}

void dna_wire_xml_reset(struct dna_wire_xml *x)
{
    new_parser(x);
    dna_buf_free(&x->held);
    x->broken = x->closed = false;
}

/* 1: a document begins here, -1: it may, more bytes will tell, 0: no */
static int begins_document(const struct dna_buf *held)
{
    static const char *const starts[] = { "<?xml", "<stream:stream" };
    int maybe = 0;

    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(starts[i]);

        if (held->len >= len && memcmp(held->at, starts[i], len) == 0)
            return 1;
        if (held->len < len && memcmp(held->at, starts[i], held->len) == 0)
            maybe = -1;
    }
    return maybe;
}

static bool parse(struct dna_wire_xml *x, const char *bytes, size_t len)
{
    int status = xmlParseChunk(x->parser, bytes, (int)len, 0);

    if (x->closed)
        return false; /* what stands behind </stream:stream> is nobody's business */
    if (status == 0 && x->parser->wellFormed && !x->reason)
        return true;
    x->broken = true;
    x->fn(DNA_WIRE_BAD_XML, NULL, x->reason ? x->reason : "not well-formed", x->arg);
    return false;
}

bool dna_wire_xml_feed(struct dna_wire_xml *x, const char *bytes, size_t len)
{
    bool ok;

    if (x->broken || x->closed)
        return false;
    x->bytes += len;
    if (x->bytes > MAX_STREAM_BYTES) {
        x->broken = true;
        x->fn(DNA_WIRE_BAD_XML, NULL, "more than the lab reads from one stream", x->arg);
        return false;
    }
    if (x->depth != 1)
        return len ? parse(x, bytes, len) : true;
    dna_buf_add(&x->held, bytes, len);
    switch (begins_document(&x->held)) {
    case -1:
        return true;
    case 1:
        new_parser(x);
        break;
    default:
        break;
    }
    ok = x->held.len ? parse(x, x->held.at, x->held.len) : true;
    x->held.len = 0;
    return ok;
}
