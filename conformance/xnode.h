/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. XML as scenarios write it and as the wire carries it: one tree for literals,
 * patterns and received elements; a parser for the former, a serializer, a matcher. The wire
 * itself is parsed by libxml2 (wire_xml.c), which fills the same tree. Nodes live in the pool
 * given.
 */
#ifndef CONFORMANCE_XNODE_H
#define CONFORMANCE_XNODE_H

#include "conformance/pool.h"
#include "conformance/vars.h"

#define DNA_NS_STREAM "http://etherx.jabber.org/streams"
#define DNA_NS_DIALBACK "jabber:server:dialback"
#define DNA_NS_TLS "urn:ietf:params:xml:ns:xmpp-tls"
#define DNA_NS_SASL "urn:ietf:params:xml:ns:xmpp-sasl"
#define DNA_NS_BIND "urn:ietf:params:xml:ns:xmpp-bind"

struct dna_xattr {
    struct dna_xattr *next;
    const char *name; /* as written, prefix included ("xml:lang") */
    const char *value;
    bool absent; /* pattern: must not be there; literal: no default is written */
};

struct dna_xnode {
    struct dna_xnode *next, *children;
    const char *ns;    /* NULL: the content namespace of the stream it is used on; "*": any */
    const char *local; /* NULL: text */
    const char *text;
    struct dna_xattr *attrs;
    bool absent;    /* pattern: '-<x/>' */
    bool open_only; /* literal without end tag: a stream header */
};

/*
 * dna_xnode_parse reads one element at *text and moves *text behind it. On error it returns NULL,
 * the reason in *out_error (pool or static), *text where it was met. default_ns: namespace of
 * unprefixed names, NULL for the stream's content namespace.
 */
struct dna_xnode *dna_xnode_parse(struct dna_pool *pool, const char **text, const char *default_ns,
                                  const char **out_error);

/* dna_xnode_write appends the element as it goes over a stream with this content namespace,
 * variables replaced. *out_unbound names one that had no value. */
void dna_xnode_write(struct dna_buf *out, const struct dna_xnode *node, const char *content_ns,
                     const struct dna_binds *vars, const char **out_unbound);

/*
 * dna_xnode_match compares a received element with a pattern, binding free variables; they stay
 * bound only when it returns true. *out_why (may be NULL) says what did not match.
 */
bool dna_xnode_match(const struct dna_xnode *pattern, const struct dna_xnode *got,
                     const char *content_ns, struct dna_binds *vars, const char **out_why);

/* dna_xtext_match: the same for one value: '*', 'a|b', '!x', '$var'. NULL got: absent. */
bool dna_xtext_match(const char *pattern, const char *got, struct dna_binds *vars);

const struct dna_xattr *dna_xnode_attr(const struct dna_xnode *node, const char *name);
const char *dna_xnode_attr_value(const struct dna_xnode *node, const char *name);
bool dna_xnode_is(const struct dna_xnode *node, const char *ns, const char *local);
const struct dna_xnode *dna_xnode_child(const struct dna_xnode *node, const char *ns,
                                        const char *local);
/* dna_xnode_text joins the element's own text, white space at both ends removed. */
const char *dna_xnode_text(struct dna_pool *pool, const struct dna_xnode *node);
void dna_xml_escape(struct dna_buf *out, const char *text);

#endif
