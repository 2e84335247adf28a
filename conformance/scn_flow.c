/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Every path of a scenario walked before anything runs: a variable is bound
 * before it is sent, a connection opened before it is used, certificates and records name things
 * that exist. What this finds would otherwise show as a flaky case. Also the parser of 'dns'
 * lines.
 */
#include "conformance/scn_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- records ---- */

static bool is_any(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

static void check_records(struct scn_parse *p, const struct scn_line *line,
                          const struct dna_scn_dns *dns)
{
    static const char *const manners[] = { "none", "nodata", "servfail", "refused", "silent",
                                           "truncate", "dot", "default", NULL };
    static const char *const types[] = { "SRV", "A", "AAAA", "CNAME", "TXT", "TLSA", "DS", "A-only",
                                         NULL };
    size_t start = 0;

    for (size_t i = 0; i <= dns->num_words; i++) {
        size_t num = i - start;
        const char *first = dns->words[start];

        if (i < dns->num_words && strcmp(dns->words[i], ";") != 0)
            continue;
        if (!num)
            scn_error(p->diags, line->file, line->line, "an empty record");
        else if (is_any(first, manners) ? num != 1 : !is_any(first, types))
            scn_error(p->diags, line->file, line->line, "unknown record '%s' (a type, or none, "
                      "nodata, servfail, refused, silent, truncate, dot, default)", first);
        else if (strcmp(first, "SRV") == 0 && num != 5)
            scn_error(p->diags, line->file, line->line, "SRV PRIORITY WEIGHT PORT ACTOR");
        else if (is_any(first, types) && num < 2)
            scn_error(p->diags, line->file, line->line, "%s needs a value", first);
        p->scn->proofs = p->scn->proofs || (num && strcmp(first, "TLSA") == 0);
        start = i + 1;
    }
}

void scn_parse_dns(struct scn_parse *p, const struct scn_line *line, const char *rest,
                   struct dna_step ***tail)
{
    struct dna_step *s = scn_step_new(p, line, DNA_STEP_DNS_SET);

    s->dns.owner = scn_word(p->pool, &rest, NULL);
    s->dns.num_words = scn_words(p->pool, rest, &s->dns.words);
    if (!s->dns.owner || !strchr(s->dns.owner, '$') || !s->dns.num_words) {
        scn_error(p->diags, line->file, line->line, "dns needs a name below a domain of this "
                  "scenario and records: dns $a SRV 0 0 5269 A");
        return;
    }
    check_records(p, line, &s->dns);
    **tail = s;
    *tail = &s->next;
}

/* ---- paths ---- */

struct flow {
    struct dna_scn *scn;
    struct dna_scn_diags *diags;
    struct dna_pool *pool;
    struct dna_binds bound; /* names; values unused */
    struct dna_binds conns; /* "A.name" */
    bool done;             /* this path ended */
    const struct dna_step *step;
};

static void walk(struct flow *f, const struct dna_step *s);

/* an error inside a procedure is the caller's as often as not: say where the call stands */
__attribute__((format(printf, 4, 5)))
static void flow_error(struct flow *f, const char *file, int line, const char *format, ...)
{
    va_list args;
    const char *text;

    va_start(args, format);
    text = dna_pool_vprintf(f->pool, format, args);
    va_end(args);
    if (f->step && strcmp(file, f->scn->file) != 0)
        scn_error(f->diags, file, line, "%s (called at %s:%d)", text, f->scn->file,
                  f->step->call_line);
    else
        scn_error(f->diags, file, line, "%s", text);
}

static void use_text(struct flow *f, const char *file, int line, const char *text)
{
    const char *name, *start;
    size_t len;

    while (text && (name = dna_var_scan(f->pool, text, &start, &len))) {
        if (!dna_binds_get(&f->bound, name))
            flow_error(f, file, line, "unbound variable '$%s'", name);
        text = start + len;
    }
}

static void use_xml(struct flow *f, const struct dna_step *s, const struct dna_xnode *node)
{
    if (node->text)
        use_text(f, s->file, s->line, node->text);
    for (const struct dna_xattr *a = node->attrs; a; a = a->next)
        if (!a->absent)
            use_text(f, s->file, s->line, a->value);
    for (const struct dna_xnode *c = node->children; c; c = c->next)
        use_xml(f, s, c);
}

/* a pattern's value: '$x' alone binds, anything else must be known */
static void bind_text(struct flow *f, const char *file, int line, const char *text)
{
    const char *start, *name = dna_var_scan(f->pool, text, &start, &(size_t){ 0 });
    size_t len;

    if (!name)
        return;
    name = dna_var_scan(f->pool, text, &start, &len);
    if (start == text && !text[len])
        dna_binds_set(&f->bound, name, "");
    else
        use_text(f, file, line, text);
}

static void bind_xml(struct flow *f, const char *file, int line, const struct dna_xnode *node,
                     bool forbids)
{
    for (const struct dna_xattr *a = node->attrs; a; a = a->next)
        if (!a->absent && !forbids)
            bind_text(f, file, line, a->value);
    if (node->local && !forbids) {
        const char *text = dna_xnode_text(f->pool, node);

        bind_text(f, file, line, text);
    }
    for (const struct dna_xnode *c = node->children; c; c = c->next)
        if (c->local)
            bind_xml(f, file, line, c, forbids || c->absent);
}

static const char *conn_key(struct flow *f, const struct dna_scn_actor *actor, const char *conn)
{
    return dna_pool_printf(f->pool, "%s.%s", actor->name, conn);
}

static void need_conn(struct flow *f, const struct dna_step *s)
{
    if (s->kind == DNA_STEP_UNVISITED)
        return;
    if (s->actor->kind == DNA_ACTOR_CLIENT) {
        if (*s->conn)
            flow_error(f, s->file, s->line, "a client has one connection only");
        return;
    }
    if (s->actor->kind == DNA_ACTOR_IUT_CLIENT) {
        if (s->kind != DNA_STEP_RUN && !dna_binds_get(&f->conns, conn_key(f, s->actor, "")))
            flow_error(f, s->file, s->line, "'%s' was not run before", s->actor->name);
        dna_binds_set(&f->conns, conn_key(f, s->actor, ""), "");
        return;
    }
    if (!dna_binds_get(&f->conns, conn_key(f, s->actor, s->conn)))
        flow_error(f, s->file, s->line, "connection '%s%s%s' was not opened before (connect"
                  " or accept)", s->actor->name, *s->conn ? "." : "", s->conn);
}

static void check_cert(struct flow *f, const struct dna_step *s)
{
    const char *name = scn_option(s->words, s->num_words, "cert");
    const struct dna_scn_cert *c = f->scn->certs;

    if (!name || strcmp(name, "none") == 0 || *name == '$')
        return;
    while (c && strcmp(c->name, name) != 0)
        c = c->next;
    if (!c && strcmp(name, "default") != 0)
        flow_error(f, s->file, s->line, "unknown cert '%s'", name);
}

static void set_args(struct flow *f, const struct dna_step *s)
{
    static const char *const keys[] = { "secret", "receiving", "sender", "id" };

    if (!s->function || strcmp(s->function, "dialback-key") != 0)
        return;
    for (size_t i = 0; i < 4; i++)
        if (!scn_option(s->words, s->num_words, keys[i]))
            flow_error(f, s->file, s->line, "dialback-key needs '%s='", keys[i]);
}

static void use_words(struct flow *f, const struct dna_step *s)
{
    for (size_t i = 0; i < s->num_words; i++)
        use_text(f, s->file, s->line, s->words[i]);
}

static void branches(struct flow *f, const struct dna_step *s)
{
    size_t bound = f->bound.num, conns = f->conns.num, ended = 0, num = 0;
    struct flow merged = { .pool = f->pool };
    bool first = true;

    dna_binds_init(&merged.bound, f->pool);
    dna_binds_init(&merged.conns, f->pool);
    for (const struct dna_branch *b = s->branches; b; b = b->next, num++) {
        const struct dna_binds *sets[] = { &f->bound, &f->conns };
        struct dna_binds *into[] = { &merged.bound, &merged.conns };
        size_t marks[] = { bound, conns };

        f->done = false;
        walk(f, b->steps);
        for (int k = 0; k < 2 && !f->done; k++) {
            struct dna_binds both;

            dna_binds_init(&both, f->pool);
            for (size_t i = marks[k]; i < sets[k]->num; i++)
                if (first || dna_binds_get(into[k], sets[k]->all[i].name))
                    dna_binds_set(&both, sets[k]->all[i].name, "");
            dna_binds_cleanup(into[k]);
            *into[k] = both;
        }
        if (f->done)
            ended++;
        else
            first = false;
        dna_binds_undo(&f->bound, bound);
        dna_binds_undo(&f->conns, conns);
    }
    f->done = ended == num;
    for (size_t i = 0; i < merged.bound.num; i++)
        dna_binds_set(&f->bound, merged.bound.all[i].name, "");
    for (size_t i = 0; i < merged.conns.num; i++)
        dna_binds_set(&f->conns, merged.conns.all[i].name, "");
    dna_binds_cleanup(&merged.bound);
    dna_binds_cleanup(&merged.conns);
}

/* ---- records, signatures, pages: what they name is there ---- */

static const struct dna_scn_actor *find_peer(const struct flow *f, const char *name)
{
    const struct dna_scn_actor *a = dna_scn_actor(f->scn, name);

    return a && a->kind == DNA_ACTOR_PEER ? a : NULL;
}

/* a certificate by its name, or by the name of an actor that shows one */
static void need_cert(struct flow *f, const struct dna_step *s, const char *name)
{
    const struct dna_scn_cert *c = f->scn->certs;
    const struct dna_scn_actor *a = dna_scn_actor(f->scn, name);

    while (c && strcmp(c->name, name) != 0)
        c = c->next;
    if (!c && !(a && (a->kind == DNA_ACTOR_PEER || a->kind == DNA_ACTOR_WEB)))
        flow_error(f, s->file, s->line, "unknown cert '%s'", name);
}

static bool need_owner(struct flow *f, const struct dna_step *s)
{
    if (isupper((unsigned char)*s->dns.owner)) {
        if (find_peer(f, s->dns.owner))
            return true;
        flow_error(f, s->file, s->line, "unknown peer '%s'", s->dns.owner);
        return false;
    }
    if (!strchr(s->dns.owner, '$'))
        flow_error(f, s->file, s->line, "'%s' is neither a peer nor a name below a domain of this "
                  "scenario", s->dns.owner);
    use_text(f, s->file, s->line, s->dns.owner);
    return false;
}

static void check_tlsa(struct flow *f, const struct dna_step *s)
{
    const char *of = scn_option(s->words, s->num_words, "of");
    const char *data = scn_option(s->words, s->num_words, "data");
    bool peer = need_owner(f, s);

    if (s->num_words == 1)
        return;
    if (of && strcmp(of, "ca") != 0 && strcmp(of, "other") != 0)
        need_cert(f, s, of);
    if (!peer && !isupper((unsigned char)*s->dns.owner) && !of &&
        (!data || strcmp(data, "bad") == 0 || strcmp(data, "short") == 0))
        flow_error(f, s->file, s->line, "a record at a name that is no peer needs of=CERT or "
                  "data=HEX");
}

static bool has_web(const struct flow *f, const char *host)
{
    for (const struct dna_scn_actor *a = f->scn->actors; a; a = a->next)
        for (size_t i = 0; i < a->num_hosts; i++)
            if (strcmp(a->hosts[i], host) == 0)
                return true;
    return false;
}

static void need_web(struct flow *f, const struct dna_step *s, const char *host)
{
    use_text(f, s->file, s->line, host);
    if (!has_web(f, host))
        flow_error(f, s->file, s->line, "no web server has the host '%s' (web W %s)", host, host);
}

static void check_page(struct flow *f, const struct dna_step *s)
{
    const struct dna_scn_page *page = s->page;
    bool first = false;

    need_web(f, s, page->host);
    use_text(f, s->file, s->line, page->path);
    use_text(f, s->file, s->line, page->url);
    if (page->body && strlen(page->body) == page->body_len)
        use_text(f, s->file, s->line, page->body);
    for (size_t i = 0; i < page->num_certs; i++)
        need_cert(f, s, page->certs[i]);
    if (page->form != DNA_PAGE_FINGERPRINTS || page->num_certs)
        return;
    for (const struct dna_scn_actor *a = f->scn->actors; a; a = a->next)
        for (size_t i = 0; i < a->num_domains; i++)
            first = first || strcmp(a->domains[i], page->host + 1) == 0;
    if (!first)
        flow_error(f, s->file, s->line, "'%s' is no peer's domain, so name the certificates",
                  page->host);
}

static void check_clock(struct flow *f, const struct dna_step *s)
{
    for (size_t i = 0; i < f->scn->needs.num; i++)
        if (strcmp(f->scn->needs.at[i], "clock") == 0)
            return;
    flow_error(f, s->file, s->line, "a scenario that moves the clock says 'needs clock'");
}

/* Who is stopped is a server, once; whoever moves its clock has an instance of another kind. */
static void check_stop(struct flow *f, const struct dna_step *s)
{
    bool stopped = dna_binds_get(&f->conns, "iut") != NULL;

    if (s->kind == DNA_STEP_IUT_GONE) {
        if (!stopped)
            flow_error(f, s->file, s->line, "'iut gone' where no 'iut stops' came before");
        return;
    }
    if (stopped)
        flow_error(f, s->file, s->line, "the IUT is stopped twice");
    dna_binds_set(&f->conns, "iut", "");
    for (size_t i = 0; i < f->scn->roles.num; i++)
        if (strcmp(f->scn->roles.at[i], "client") == 0)
            flow_error(f, s->file, s->line, "'iut stops' stops a server; 'role client' has none "
                       "under test");
    for (size_t i = 0; i < f->scn->needs.num; i++)
        if (strcmp(f->scn->needs.at[i], "clock") == 0)
            flow_error(f, s->file, s->line, "a scenario that says 'needs clock' can't stop the "
                       "IUT");
}

/* those of the steps about DNS, web, clock and the IUT's end; false if it is none of them */
static bool walk_world(struct flow *f, const struct dna_step *s)
{
    switch (s->kind) {
    case DNA_STEP_DNS_SET:
        use_text(f, s->file, s->line, s->dns.owner);
        for (size_t i = 0; i < s->dns.num_words; i++)
            use_text(f, s->file, s->line, s->dns.words[i]);
        return true;
    case DNA_STEP_DNSSEC:
        need_owner(f, s);
        return true;
    case DNA_STEP_TLSA:
        check_tlsa(f, s);
        return true;
    case DNA_STEP_PAGE:
        check_page(f, s);
        return true;
    case DNA_STEP_WEB_SAW:
    case DNA_STEP_WEB_NEVER:
    case DNA_STEP_WEB_REFUSED:
        need_web(f, s, s->page->host);
        use_text(f, s->file, s->line, s->page->path);
        return true;
    case DNA_STEP_CLOCK:
        check_clock(f, s);
        return true;
    case DNA_STEP_IUT_STOPS:
    case DNA_STEP_IUT_GONE:
        check_stop(f, s);
        return true;
    default:
        return false;
    }
}

/* the first step of a branch decides: it must be something that the IUT does */
static void check_either(struct flow *f, const struct dna_step *s)
{
    for (const struct dna_branch *b = s->branches; b; b = b->next) {
        const struct dna_step *first = b->steps;

        switch (first ? first->kind : DNA_STEP_EXPECT) {
        case DNA_STEP_EXPECT: case DNA_STEP_EXPECT_CLOSE: case DNA_STEP_EXPECT_END:
        case DNA_STEP_EXPECT_EOF: case DNA_STEP_EXPECT_DROP:
        case DNA_STEP_NOTHING: case DNA_STEP_ACCEPT:
        case DNA_STEP_BARRIER: case DNA_STEP_EXITS: case DNA_STEP_PRINTS:
        case DNA_STEP_DNS_SAW: case DNA_STEP_TLS: case DNA_STEP_EITHER:
        case DNA_STEP_WEB_SAW: case DNA_STEP_WEB_REFUSED: case DNA_STEP_IUT_GONE:
            break;
        default:
            flow_error(f, first->file, first->line,
                      "a branch of 'either' starts with something the IUT does ('>', accept, tls,"
                      " exits, prints, dns saw, web saw, web refused, iut gone)");
        }
    }
}

static void walk_one(struct flow *f, const struct dna_step *s)
{
    f->step = s;
    if (s->actor && s->kind != DNA_STEP_CONNECT && s->kind != DNA_STEP_ACCEPT &&
        s->kind != DNA_STEP_DNS_SAW && s->kind != DNA_STEP_WEB_SAW)
        need_conn(f, s);
    switch (s->kind) {
    case DNA_STEP_CONNECT:
    case DNA_STEP_ACCEPT:
        dna_binds_set(&f->conns, conn_key(f, s->actor, s->conn), "");
        if (s->kind == DNA_STEP_ACCEPT && s->actor->listen == DNA_LISTEN_NO)
            flow_error(f, s->file, s->line, "peer '%s' does not listen", s->actor->name);
        break;
    case DNA_STEP_SEND:
        use_xml(f, s, s->xml);
        break;
    case DNA_STEP_EXPECT:
        bind_xml(f, s->file, s->line, s->xml, false);
        break;
    case DNA_STEP_TLS:
    case DNA_STEP_SEES_CERT:
        check_cert(f, s);
        use_words(f, s);
        break;
    case DNA_STEP_SET:
        set_args(f, s);
        use_words(f, s);
        use_text(f, s->file, s->line, s->value);
        dna_binds_set(&f->bound, s->name, "");
        break;
    case DNA_STEP_CHECK:
        use_text(f, s->file, s->line, s->name);
        use_text(f, s->file, s->line, s->value);
        break;
    case DNA_STEP_EITHER:
        check_either(f, s);
        branches(f, s);
        break;
    case DNA_STEP_IF:
        use_text(f, s->file, s->line, s->name);
        use_text(f, s->file, s->line, s->value);
        branches(f, s);
        break;
    case DNA_STEP_DONE:
        f->done = true;
        break;
    default:
        if (walk_world(f, s))
            break;
        use_words(f, s);
        if (!s->num_words) /* else the value is one of them */
            use_text(f, s->file, s->line, s->value);
    }
}

static void walk(struct flow *f, const struct dna_step *s)
{
    for (; s; s = s->next) {
        if (f->done) {
            flow_error(f, s->file, s->line, "this step is never reached");
            return;
        }
        walk_one(f, s);
    }
}

static void predeclare(struct flow *f)
{
    static const char *const always[] = { "iut", "iut2", "iut3", "unhosted", "role", "variant",
                                          "case", "stanza_limit" };
    static const char *const of_cert[] = { "sha256", "b64", "b64_512", "b64_md5", "b64_key",
                                           "b64_wrapped", "b64_bits", "b64_512_url" };

    for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
        dna_binds_set(&f->bound, always[i], "");
    for (const struct dna_scn_domain *d = f->scn->domains; d; d = d->next)
        dna_binds_set(&f->bound, d->name, "");
    for (const struct dna_scn_cert *c = f->scn->certs; c; c = c->next)
        for (size_t i = 0; i < sizeof(of_cert) / sizeof(*of_cert); i++)
            dna_binds_set(&f->bound, dna_pool_printf(f->pool, "%s.%s", c->name, of_cert[i]), "");
    for (const struct dna_scn_actor *a = f->scn->actors; a; a = a->next) {
        static const char *const props[][3] = {
            [DNA_ACTOR_PEER] = { "addr", "host", "port" },
            [DNA_ACTOR_CLIENT] = { "bare", "resource", "password" },
            [DNA_ACTOR_IUT_CLIENT] = { NULL },
            [DNA_ACTOR_WEB] = { "addr" },
        };

        if (a->kind == DNA_ACTOR_CLIENT)
            dna_binds_set(&f->bound, a->name, "");
        for (int i = 0; i < 3 && props[a->kind][i]; i++)
            dna_binds_set(&f->bound, dna_pool_printf(f->pool, "%s.%s", a->name,
                         props[a->kind][i]), "");
    }
}

void scn_flow(struct dna_scn *scn, struct dna_scn_diags *diags)
{
    struct flow f = { .scn = scn, .diags = diags, .pool = dna_pool_new() };

    dna_binds_init(&f.bound, f.pool);
    dna_binds_init(&f.conns, f.pool);
    predeclare(&f);
    for (const struct dna_scn_cert *c = scn->certs; c; c = c->next)
        use_text(&f, scn->file, c->line, c->spec);
    for (const struct dna_scn_actor *a = scn->actors; a; a = a->next) {
        use_text(&f, scn->file, a->line, a->user);
        use_text(&f, scn->file, a->line, a->domain);
        use_text(&f, scn->file, a->line, a->host);
        for (size_t i = 0; i < a->num_hosts; i++)
            use_text(&f, scn->file, a->line, a->hosts[i]);
    }
    walk(&f, scn->world);
    walk(&f, scn->steps);
    dna_binds_cleanup(&f.bound);
    dna_binds_cleanup(&f.conns);
    dna_pool_free(f.pool);
}
