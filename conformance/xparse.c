/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The parser of XML literals and patterns in scenarios: strict XML 1.0
 * elements, plus what a pattern needs ('-attr', '-<child/>', '*' for a name) and with the
 * prefixes of the protocol declared beforehand, so that nobody has to write namespaces.
 */
#include "conformance/xnode.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *prefix, *ns;
} known_prefixes[] = {
    { "stream", DNA_NS_STREAM },
    { "db", DNA_NS_DIALBACK },
    { "tls", DNA_NS_TLS },
    { "sasl", DNA_NS_SASL },
    { "bind", DNA_NS_BIND },
    { "err", "urn:ietf:params:xml:ns:xmpp-streams" },
    { "stz", "urn:ietf:params:xml:ns:xmpp-stanzas" },
    { "bidif", "urn:xmpp:features:bidi" },
    { "bidi", "urn:xmpp:bidi" },
    { "dbf", "urn:xmpp:features:dialback" },
    { "dberr", "urn:xmpp:dialback:errors" },
    { "ping", "urn:xmpp:ping" },
    { "session", "urn:ietf:params:xml:ns:xmpp-session" },
};

struct scope {
    const struct scope *up;
    const char *prefix; /* "" for the default namespace */
    const char *ns;
};

struct parser {
    struct dna_pool *pool;
    const char *at;
    const char *error;
};

static struct dna_xnode *element(struct parser *p, const struct scope *scope, int depth);

static void fail(struct parser *p, const char *why)
{
    if (!p->error)
        p->error = why;
}

static void skip_space(struct parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
}

static const char *name(struct parser *p)
{
    const char *start = p->at;

    while (isalnum((unsigned char)*p->at) || (*p->at && strchr("_-.:*{}", *p->at)))
        p->at++;
    if (p->at == start) {
        fail(p, "a name was expected");
        return "";
    }
    return dna_pool_strndup(p->pool, start, (size_t)(p->at - start));
}

/* one character reference, at '&'; code points above ASCII are written as UTF-8 */
static void reference(struct parser *p, struct dna_buf *out)
{
    static const struct {
        const char *name;
        char c;
    } known[] = { { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&apos;", '\'' },
                  { "&quot;", '"' } };
    char *end;
    unsigned long code;

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (strncmp(p->at, known[i].name, strlen(known[i].name)) == 0) {
            dna_buf_add(out, &known[i].c, 1);
            p->at += strlen(known[i].name);
            return;
        }
    }
    if (p->at[1] != '#') {
        fail(p, "unknown entity (write '&' as '&amp;')");
        return;
    }
    code = p->at[2] == 'x' ? strtoul(p->at + 3, &end, 16) : strtoul(p->at + 2, &end, 10);
    if (*end != ';' || code == 0 || code > 0x7ff) {
        fail(p, "bad character reference");
        return;
    }
    if (code < 0x80) {
        dna_buf_add(out, &(char){ (char)code }, 1);
    } else {
        char two[2] = { (char)(0xc0 | (code >> 6)), (char)(0x80 | (code & 0x3f)) };

        dna_buf_add(out, two, 2);
    }
    p->at = end + 1;
}

static const char *text_until(struct parser *p, char stop)
{
    struct dna_buf out = { 0 };
    const char *done;

    while (*p->at && *p->at != stop && !p->error) {
        if (*p->at == '&')
            reference(p, &out);
        else if (*p->at == '<')
            fail(p, "'<' inside an attribute value");
        else
            dna_buf_add(&out, p->at++, 1);
    }
    if (!p->error && *p->at != stop)
        fail(p, stop == '<' ? "end tag missing" : "closing quote missing");
    done = dna_pool_strndup(p->pool, out.at ? out.at : "", out.len);
    dna_buf_free(&out);
    return done;
}

static void attribute(struct parser *p, struct dna_xnode *node, struct dna_xattr ***tail)
{
    struct dna_xattr *attr = dna_pool_alloc(p->pool, sizeof(*attr));
    char quote;

    if (*p->at == '-') {
        attr->absent = true;
        p->at++;
    }
    attr->name = name(p);
    if (!p->error && dna_xnode_attr(node, attr->name))
        fail(p, dna_pool_printf(p->pool, "attribute '%s' written twice", attr->name));
    if (!attr->absent && !p->error) {
        if (*p->at++ != '=') {
            p->at--;
            fail(p, dna_pool_printf(p->pool, "'=' expected after attribute '%s'", attr->name));
            return;
        }
        quote = *p->at;
        if (quote != '\'' && quote != '"') {
            fail(p, "attribute values need quotes");
            return;
        }
        p->at++;
        attr->value = text_until(p, quote);
        if (!p->error)
            p->at++;
    }
    **tail = attr;
    *tail = &attr->next;
}

static const char *find_ns(struct parser *p, const struct scope *scope, const char *prefix)
{
    for (; scope; scope = scope->up)
        if (strcmp(scope->prefix, prefix) == 0)
            return scope->ns;
    for (size_t i = 0; i < sizeof(known_prefixes) / sizeof(*known_prefixes); i++)
        if (strcmp(known_prefixes[i].prefix, prefix) == 0)
            return known_prefixes[i].ns;
    fail(p, dna_pool_printf(p->pool, "unknown prefix '%s:'", prefix));
    return NULL;
}

static void content(struct parser *p, struct dna_xnode *node, const struct scope *scope,
                    const char *tag, int depth)
{
    struct dna_xnode **tail = &node->children;

    while (!p->error) {
        if (p->at[0] == '<' && p->at[1] == '/') {
            p->at += 2;
            if (strcmp(name(p), tag) != 0)
                fail(p, dna_pool_printf(p->pool, "end tag does not close <%s>", tag));
            skip_space(p);
            if (*p->at++ != '>') {
                p->at--;
                fail(p, "'>' expected");
            }
            return;
        }
        if (p->at[0] == '<' || (p->at[0] == '-' && p->at[1] == '<')) {
            bool absent = *p->at == '-';

            p->at += absent;
            *tail = element(p, scope, depth + 1);
            if (*tail) {
                (*tail)->absent = absent;
                tail = &(*tail)->next;
            }
            continue;
        }
        struct dna_xnode *text = dna_pool_alloc(p->pool, sizeof(*text));
        const char *stop = p->at;

        while (*stop && *stop != '<' && !(stop[0] == '-' && stop[1] == '<'))
            stop++;
        if (*stop == '-') { /* text before '-<absent/>': only white space makes sense there */
            text->text = dna_pool_strndup(p->pool, p->at, (size_t)(stop - p->at));
            p->at = stop;
        } else {
            text->text = text_until(p, '<');
        }
        *tail = text;
        tail = &text->next;
    }
}

/* splits the name into namespace and local part, honouring xmlns declarations of the element */
static void resolve(struct parser *p, struct dna_xnode *node, const char *tag,
                    const struct scope *scope)
{
    const char *colon = strchr(tag, ':');

    if (colon) {
        char *prefix = dna_pool_strndup(p->pool, tag, (size_t)(colon - tag));

        node->ns = find_ns(p, scope, prefix);
        node->local = colon + 1;
    } else {
        while (scope && scope->prefix[0])
            scope = scope->up;
        node->ns = scope ? scope->ns : NULL;
        node->local = tag;
        if (strcmp(tag, "*") == 0)
            node->ns = "*";
    }
    if (!node->local[0])
        fail(p, "a name was expected after the prefix");
}

static struct dna_xnode *element(struct parser *p, const struct scope *up, int depth)
{
    struct dna_xnode *node = dna_pool_alloc(p->pool, sizeof(*node));
    struct dna_xattr **tail = &node->attrs;
    const struct scope *scope = up;
    const char *tag;

    if (depth > 32)
        fail(p, "nested too deeply");
    if (*p->at != '<') {
        fail(p, "'<' expected");
        return NULL;
    }
    p->at++;
    tag = name(p);
    for (skip_space(p); !p->error && *p->at && *p->at != '>' && *p->at != '/'; skip_space(p))
        attribute(p, node, &tail);
    for (struct dna_xattr *a = node->attrs; a; a = a->next) {
        if (a->absent || strncmp(a->name, "xmlns", 5) != 0)
            continue;
        if (a->name[5] == ':' || !a->name[5]) {
            struct scope *s = dna_pool_alloc(p->pool, sizeof(*s));

            *s = (struct scope){ scope, a->name[5] ? a->name + 6 : "", a->value };
            scope = s;
        }
    }
    if (!p->error)
        resolve(p, node, tag, scope);
    if (p->error)
        return NULL;
    if (p->at[0] == '/' && p->at[1] == '>') {
        p->at += 2;
    } else if (*p->at == '>') {
        p->at++;
        if (depth == 0 && dna_xnode_is(node, DNA_NS_STREAM, "stream"))
            node->open_only = true;
        else
            content(p, node, scope, tag, depth);
    } else {
        fail(p, "the tag is not closed");
    }
    return p->error ? NULL : node;
}

struct dna_xnode *dna_xnode_parse(struct dna_pool *pool, const char **text, const char *default_ns,
                                  const char **out_error)
{
    struct parser p = { .pool = pool, .at = *text };
    struct scope root = { NULL, "", default_ns };
    struct dna_xnode *node = element(&p, &root, 0);

    *text = p.at;
    *out_error = p.error;
    return p.error ? NULL : node;
}
