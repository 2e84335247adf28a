/* SPDX-License-Identifier: MIT */
/* xml: an XMPP stream as a sequence of events: header, child element, end, or the reason why the
 * bytes are no stream (RFC 6120 sections 4, 11). The parser owns every node it hands out: a node is
 * valid until the callback returns. Nothing of libxml2 shows here.
 *
 * Events are delivered outside of libxml2, by dna_xml_feed() as it returns, and feeding stops
 * exactly behind the '>' that completed an event: what a peer pipelined behind it is still with
 * the caller (which is how bytes behind <starttls/> are seen). */
#ifndef DNA_IMPL_XML_H
#define DNA_IMPL_XML_H
#include <stdbool.h>
#include <stddef.h>

#include "impl/buf.h"

#define DNA_NS_STREAM "http://etherx.jabber.org/streams"
#define DNA_NS_CLIENT "jabber:client"
#define DNA_NS_SERVER "jabber:server"
#define DNA_NS_DIALBACK "jabber:server:dialback"
#define DNA_NS_TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define DNA_NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define DNA_NS_BIND "urn:ietf:params:xml:ns:xmpp-bind"
#define DNA_NS_SESSION "urn:ietf:params:xml:ns:xmpp-session"
#define DNA_NS_STREAM_ERRORS "urn:ietf:params:xml:ns:xmpp-streams"
#define DNA_NS_STANZA_ERRORS "urn:ietf:params:xml:ns:xmpp-stanzas"
#define DNA_NS_DIALBACK_FEATURE "urn:xmpp:features:dialback"
#define DNA_NS_BIDI_FEATURE "urn:xmpp:features:bidi"
#define DNA_NS_BIDI "urn:xmpp:bidi"
#define DNA_NS_PING "urn:xmpp:ping"
#define DNA_NS_DISCO_INFO "http://jabber.org/protocol/disco#info"

/* enum dna_xml_error: why bytes are refused. dna_xml_error_condition() names the stream error. */
enum dna_xml_error {
    DNA_XML_OK,
    DNA_XML_NOT_WELL_FORMED, /* also: not namespace-well-formed, bad UTF-8 */
    DNA_XML_RESTRICTED,      /* comment, processing instruction, DTD, entity reference */
    DNA_XML_ENCODING,        /* not UTF-8 */
    DNA_XML_TOO_BIG,         /* more bytes, depth, attributes or names than we accept */
    DNA_XML_BAD_FORMAT       /* text between stanzas */
};
/* dna_xml_error_condition() is the RFC 6120 4.9.3 condition, "restricted-xml" for instance. */
const char *dna_xml_error_condition(enum dna_xml_error why);

/* One attribute; ns and prefix are NULL for the usual unprefixed one. */
struct dna_xml_attr {
    const char *prefix, *ns, *name, *value;
    struct dna_xml_attr *next;
};
/* One namespace declared at a node; prefix NULL for the default one, uri "" for xmlns=''. */
struct dna_xml_decl {
    const char *prefix, *uri;
    struct dna_xml_decl *next;
};
/* One element (name != NULL) or one run of text (name == NULL). ns is "" where there is none. */
struct dna_xml_node {
    const char *name, *ns, *prefix;
    const char *text;
    struct dna_xml_attr *attrs;
    struct dna_xml_decl *decls;
    struct dna_xml_node *children, *next, *parent;
};

/* dna_xml_get() is the value of an unprefixed attribute, or NULL. */
const char *dna_xml_get(const struct dna_xml_node *node, const char *attr);
/* dna_xml_get_ns() is the value of a namespaced attribute ("lang" in XML's own namespace, say), or
 * NULL. */
const char *dna_xml_get_ns(const struct dna_xml_node *node, const char *ns, const char *attr);
/* dna_xml_is() says whether node is the element {ns}name; false for NULL and for text. */
bool dna_xml_is(const struct dna_xml_node *node, const char *ns, const char *name);
/* dna_xml_child() is the first child element {ns}name; ns NULL = any, name NULL = any; NULL if
 * none. */
const struct dna_xml_node *dna_xml_child(const struct dna_xml_node *node, const char *ns,
                                         const char *name);
/* dna_xml_text() appends the node's own text (its direct text children) to out. */
void dna_xml_text(const struct dna_xml_node *node, struct dna_buf *out);
/* dna_xml_default_ns() is the default namespace a header declares, "" if none. */
const char *dna_xml_default_ns(const struct dna_xml_node *header);
/* dna_xml_declares() says whether node itself declares prefix as uri (xmlns:db, for instance). */
bool dna_xml_declares(const struct dna_xml_node *node, const char *prefix, const char *uri);

#define DNA_NS_XML "http://www.w3.org/XML/1998/namespace"

/* One attribute to replace, add or (value NULL) drop on the root while writing. */
struct dna_xml_override {
    const char *name, *value;
};
/* dna_xml_write() appends node as text fit for a stream whose default namespace is to_ns. Elements
 * in from_ns (the content namespace of the stream that it came from) are moved to to_ns; all other
 * namespaces are declared again where the target stream does not declare them. overrides end with
 * name NULL; may be NULL. from_ns NULL = nothing is moved. */
void dna_xml_write(struct dna_buf *out, const struct dna_xml_node *node, const char *from_ns,
                   const char *to_ns, const struct dna_xml_override *overrides);

/* What the parser tells. header: the stream's opening tag as a node without children. element: a
 * complete child of the stream. end: the stream's closing tag. Any of them may free the parser. */
struct dna_xml_handler {
    void (*header)(void *arg, const struct dna_xml_node *header);
    void (*element)(void *arg, const struct dna_xml_node *element);
    void (*end)(void *arg);
    void (*error)(void *arg, enum dna_xml_error why);
};
struct dna_xml_parser;

/* dna_xml_new() makes a parser for one stream; a restarted stream gets a new one. max_bytes limits
 * each child of the stream, and its header; at least 10000 (RFC 6120 13.12). */
struct dna_xml_parser *dna_xml_new(const struct dna_xml_handler *handler, void *arg,
                                   size_t max_bytes);
/* dna_xml_limit() changes the limit, after authentication for instance. */
void dna_xml_limit(struct dna_xml_parser *p, size_t max_bytes);
/* dna_xml_free() frees the parser; safe inside its own callbacks; NULL is fine. */
void dna_xml_free(struct dna_xml_parser *p);
/* dna_xml_feed() parses up to and including the next '>' and says how many bytes it took: at least
 * 1 of len > 0, unless the parser has ended (error or end reported), when it takes none. Events are
 * delivered as the last thing it does: p may be gone when it returns. */
size_t dna_xml_feed(struct dna_xml_parser *p, const char *data, size_t len);
/* dna_xml_parse_text() parses one complete document as a stream child would be, for tests and
 * tools: the callback receives the root as element. */
enum dna_xml_error dna_xml_parse_text(const char *text, size_t len,
                                      void (*element)(void *arg, const struct dna_xml_node *root),
                                      void *arg);
#endif
