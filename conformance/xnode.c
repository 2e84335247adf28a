/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Writing elements out and matching received ones against patterns. A pattern
 * names only what must match: attributes and children that it does not write may be there or not.
 */
#include "conformance/xnode.h"

#include <ctype.h>
#include <string.h>

const struct dna_xattr *dna_xnode_attr(const struct dna_xnode *node, const char *name)
{
    for (const struct dna_xattr *a = node->attrs; a; a = a->next)
        if (a->name && strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

const char *dna_xnode_attr_value(const struct dna_xnode *node, const char *name)
{
    const struct dna_xattr *a = dna_xnode_attr(node, name);

    return a && !a->absent ? a->value : NULL;
}

bool dna_xnode_is(const struct dna_xnode *node, const char *ns, const char *local)
{
    return node->local && node->ns && strcmp(node->ns, ns) == 0 && strcmp(node->local, local) == 0;
}

const struct dna_xnode *dna_xnode_child(const struct dna_xnode *node, const char *ns,
                                        const char *local)
{
    for (const struct dna_xnode *c = node->children; c; c = c->next)
        if (dna_xnode_is(c, ns, local))
            return c;
    return NULL;
}

const char *dna_xnode_text(struct dna_pool *pool, const struct dna_xnode *node)
{
    struct dna_buf all = { 0 };
    const char *start, *end, *done;

    for (const struct dna_xnode *c = node->children; c; c = c->next)
        if (!c->local && c->text)
            dna_buf_puts(&all, c->text);
    start = all.at ? all.at : "";
    end = start + strlen(start);
    while (start < end && isspace((unsigned char)*start))
        start++;
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    done = dna_pool_strndup(pool, start, (size_t)(end - start));
    dna_buf_free(&all);
    return done;
}

void dna_xml_escape(struct dna_buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<': dna_buf_puts(out, "&lt;"); break;
        case '>': dna_buf_puts(out, "&gt;"); break;
        case '&': dna_buf_puts(out, "&amp;"); break;
        case '\'': dna_buf_puts(out, "&apos;"); break;
        case '"': dna_buf_puts(out, "&quot;"); break;
        default: dna_buf_add(out, text, 1);
        }
    }
}

struct writer {
    struct dna_buf *out;
    struct dna_pool *pool;
    const struct dna_binds *vars;
    const char *content_ns;
    const char **unbound;
};

static void put_value(struct writer *w, const char *text)
{
    dna_xml_escape(w->out, dna_binds_expand(w->vars, w->pool, text, w->unbound));
}

static bool declares(const struct dna_xnode *node, const char *name)
{
    return dna_xnode_attr(node, name) != NULL;
}

static void put_attrs(struct writer *w, const struct dna_xnode *node)
{
    for (const struct dna_xattr *a = node->attrs; a; a = a->next) {
        if (a->absent)
            continue;
        dna_buf_printf(w->out, " %s='", a->name);
        put_value(w, a->value);
        dna_buf_puts(w->out, "'");
    }
}

static void put_header_defaults(struct writer *w, const struct dna_xnode *node)
{
    if (!declares(node, "xmlns"))
        dna_buf_printf(w->out, " xmlns='%s'", w->content_ns);
    if (!declares(node, "xmlns:stream"))
        dna_buf_puts(w->out, " xmlns:stream='" DNA_NS_STREAM "'");
    if (!declares(node, "xmlns:db") && strcmp(w->content_ns, "jabber:server") == 0)
        dna_buf_puts(w->out, " xmlns:db='" DNA_NS_DIALBACK "'");
    if (!declares(node, "version"))
        dna_buf_puts(w->out, " version='1.0'");
    if (!declares(node, "xml:lang"))
        dna_buf_puts(w->out, " xml:lang='en'");
}

static const char *prefix_of(const char *ns)
{
    if (strcmp(ns, DNA_NS_STREAM) == 0)
        return "stream:";
    if (strcmp(ns, DNA_NS_DIALBACK) == 0)
        return "db:";
    return NULL;
}

/* around: the default namespace in force outside this element */
static void put_node(struct writer *w, const struct dna_xnode *node, const char *around)
{
    const char *ns = node->ns ? node->ns : w->content_ns;
    const char *prefix = prefix_of(ns);
    const char *inside = prefix ? around : ns;

    if (!node->local) {
        put_value(w, node->text);
        return;
    }
    dna_buf_printf(w->out, "<%s%s", prefix ? prefix : "", node->local);
    if (!prefix && strcmp(ns, around) != 0 && !declares(node, "xmlns"))
        dna_buf_printf(w->out, " xmlns='%s'", ns);
    put_attrs(w, node);
    if (node->open_only || dna_xnode_is(node, DNA_NS_STREAM, "stream")) {
        put_header_defaults(w, node);
        dna_buf_puts(w->out, ">");
        return;
    }
    if (!node->children) {
        dna_buf_puts(w->out, "/>");
        return;
    }
    dna_buf_puts(w->out, ">");
    for (const struct dna_xnode *c = node->children; c; c = c->next)
        put_node(w, c, inside);
    dna_buf_printf(w->out, "</%s%s>", prefix ? prefix : "", node->local);
}

void dna_xnode_write(struct dna_buf *out, const struct dna_xnode *node, const char *content_ns,
                     const struct dna_binds *vars, const char **out_unbound)
{
    struct writer w = { out, dna_pool_new(), vars, content_ns, NULL };
    const char *unbound = NULL;

    w.unbound = &unbound;
    put_node(&w, node, content_ns);
    if (out_unbound) /* its text dies with our pool: keep it in the case's */
        *out_unbound = unbound && vars->pool ? dna_pool_strdup(vars->pool, unbound) : unbound;
    dna_pool_free(w.pool);
}

static bool match_one(const char *pattern, const char *got, struct dna_binds *vars)
{
    const char *start, *name, *value;
    size_t len;

    if (strcmp(pattern, "*") == 0)
        return true;
    if (pattern[0] == '!')
        return strcmp(dna_binds_expand(vars, vars->pool, pattern + 1, NULL), got) != 0;
    name = dna_var_scan(vars->pool, pattern, &start, &len);
    if (name && start == pattern && !pattern[len] && !dna_binds_get(vars, name)) {
        dna_binds_set(vars, name, got);
        return true;
    }
    value = name ? dna_binds_expand(vars, vars->pool, pattern, NULL) : pattern;
    return strcmp(value, got) == 0;
}

bool dna_xtext_match(const char *pattern, const char *got, struct dna_binds *vars)
{
    const char *bar;

    if (!got)
        return false;
    while ((bar = strchr(pattern, '|'))) {
        if (match_one(dna_pool_strndup(vars->pool, pattern, (size_t)(bar - pattern)), got, vars))
            return true;
        pattern = bar + 1;
    }
    return match_one(pattern, got, vars);
}

struct matcher {
    struct dna_binds *vars;
    const char *content_ns;
    const char *why;
};

static bool match_node(struct matcher *m, const struct dna_xnode *pattern,
                       const struct dna_xnode *got);

static bool match_attrs(struct matcher *m, const struct dna_xnode *pattern,
                        const struct dna_xnode *got)
{
    for (const struct dna_xattr *a = pattern->attrs; a; a = a->next) {
        const char *value = dna_xnode_attr_value(got, a->name);

        /* namespaces were compared as such; only a stream header's declarations are recorded */
        if (strncmp(a->name, "xmlns", 5) == 0 && (!a->name[5] || a->name[5] == ':') &&
            !dna_xnode_is(got, DNA_NS_STREAM, "stream"))
            continue;
        if (a->absent ? value == NULL : dna_xtext_match(a->value, value, m->vars))
            continue;
        if (a->absent)
            m->why = dna_pool_printf(m->vars->pool, "attribute '%s' is there", a->name);
        else
            m->why = dna_pool_printf(m->vars->pool, "attribute %s: expected '%s', got %s%s%s",
                                     a->name, dna_binds_expand(m->vars, m->vars->pool, a->value,
                                                              NULL),
                                     value ? "'" : "", value ? value : "none", value ? "'" : "");
        return false;
    }
    return true;
}

static bool match_child(struct matcher *m, const struct dna_xnode *want,
                        const struct dna_xnode *got)
{
    const char *why = NULL;

    for (const struct dna_xnode *c = got->children; c; c = c->next) {
        size_t mark = m->vars->num;

        if (!c->local)
            continue;
        if (match_node(m, want, c)) {
            if (!want->absent)
                return true;
            dna_binds_undo(m->vars, mark);
            m->why = dna_pool_printf(m->vars->pool, "child <%s/> is there", c->local);
            return false;
        }
        if (strcmp(c->local, want->local) == 0)
            why = m->why;
        dna_binds_undo(m->vars, mark);
    }
    if (want->absent)
        return true;
    m->why = why ? why : dna_pool_printf(m->vars->pool, "no child <%s/>", want->local);
    return false;
}

static bool match_node(struct matcher *m, const struct dna_xnode *pattern,
                       const struct dna_xnode *got)
{
    const char *ns = pattern->ns ? pattern->ns : m->content_ns;
    const char *want;

    if ((strcmp(ns, "*") != 0 && (!got->ns || strcmp(ns, got->ns) != 0)) ||
        (strcmp(pattern->local, "*") != 0 && strcmp(pattern->local, got->local) != 0)) {
        m->why = dna_pool_printf(m->vars->pool, "expected <%s/> of %s, got <%s/> of %s",
                                 pattern->local, ns, got->local, got->ns ? got->ns : "none");
        return false;
    }
    if (!match_attrs(m, pattern, got))
        return false;
    for (const struct dna_xnode *c = pattern->children; c; c = c->next)
        if (c->local && !match_child(m, c, got))
            return false;
    want = dna_xnode_text(m->vars->pool, pattern);
    if (!*want)
        return true;
    if (dna_xtext_match(want, dna_xnode_text(m->vars->pool, got), m->vars))
        return true;
    m->why = dna_pool_printf(m->vars->pool, "text: expected '%s', got '%s'",
                             dna_binds_expand(m->vars, m->vars->pool, want, NULL),
                             dna_xnode_text(m->vars->pool, got));
    return false;
}

bool dna_xnode_match(const struct dna_xnode *pattern, const struct dna_xnode *got,
                     const char *content_ns, struct dna_binds *vars, const char **out_why)
{
    struct matcher m = { vars, content_ns, NULL };
    size_t mark = vars->num;

    if (match_node(&m, pattern, got))
        return true;
    dna_binds_undo(vars, mark);
    if (out_why)
        *out_why = m.why;
    return false;
}
