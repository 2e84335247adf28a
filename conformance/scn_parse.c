/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The header of a scenario: claim, requirements, roles, actors, certificates,
 * records, and what must never arrive. Errors carry file and line; parsing goes on behind them.
 */
#include "conformance/scn_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const dna_role_words[] = {
    "client", "the IUT is a C2S client",
    "server", "the IUT is a C2S server",
    "initiating", "the IUT opens a server-to-server stream",
    "receiving", "the IUT accepts a server-to-server stream",
    "authoritative", "the IUT is asked to verify a dialback key",
    NULL,
};

/* Variants that a profile may have, and what they mean (PORTING.md): a misspelt one would only be
 * skipped. */
static const char *const variant_words[] = {
    "default", "TLS required, outbound proof required",
    "weak", "dialback suffices both ways",
    "strict", "a certificate both ways",
    "nobidi", "without bidi",
    "optionaltls", "streams without TLS are served",
    "shortcut", "one certificate on both sides is proof",
    "lenient", "neither TLS nor proof is asked for",
    "backwards", "dialback the other way on one-way streams",
    "dane", "DANE is sought outbound, no POSH",
    "danein", "DANE is sought both ways, no POSH",
    "posh", "POSH is sought outbound, no DANE",
    "poshin", "POSH is sought both ways, no DANE",
    "proofs", "DANE and POSH are sought both ways",
    "crl", "the revocation list of the lab's CA is consulted",
    "permissive",
    "knobs that let more pass: common names, names of the client service, TLSA without SRV, every "
    "digest",
    "severe",
    "knobs that let less pass: what is unclear, unusable or unlisted is refused; DANE and POSH are "
    "sought",
    "outdated", "a revocation list is wanted of every issuer, and it has run out",
    "relaxed",
    "no proof is needed to send, supposition without certificates, bidi before TLS, questions in "
    "clear, EXTERNAL unproved",
    "trusting", "EXTERNAL lets domains pass that no certificate proves",
    "unanchored", "DANE is sought, and no trust anchor is configured; a failed SRV query is final",
    "unpkix", "POSH is sought both ways, names and chains of certificates prove nothing",
    "opportunistic", "neither TLS nor proof is asked for, but DANE is sought both ways",
    "strictnames", "the response must be from the domain that was asked for",
    "named", "EXTERNAL names the domain",
    "nodialback", "dialback is not spoken",
    "nopins", "pins do not count",
    "crowded", "a stream takes two pairs, and no more",
    "guarded", "EXTERNAL lets domains pass unproved, and a certificate is wanted of every sender",
    "doubled", "a certificate of every sender, and the authority's word",
    "clock", "as proofs, an instance for each case, with a clock that the case moves",
    "poshweak", "as poshin, and dialback suffices both ways",
    "poshtrust", "as poshin, and EXTERNAL lets domains pass that no certificate proves",
    "poshclock", "as poshin, an instance for each case, with a clock that the case moves",
    NULL
};

const char *const dna_feature_words[] = {
    "c2s", "has client accounts, SASL PLAIN and a client port",
    "starttls", "offers and uses STARTTLS between servers",
    "tls-required", "refuses server-to-server streams without TLS",
    "external", "offers and uses SASL EXTERNAL between servers",
    "dialback", "speaks server dialback over TLS",
    "dialback-cleartext", "speaks server dialback without TLS",
    "dialback-errors", "announces and sends dialback errors (XEP-0220 2.5)",
    "bidi", "bidirectional streams (XEP-0288)",
    "assertion", "asserts a further domain on a stream it opened (RFC 7712 4.4.1)",
    "supposition", "supposes a further target on a stream it opened (RFC 7712 4.4.2)",
    "piggyback-in", "accepts further sender domains by db:result on one stream",
    "multiplex-in", "accepts further target domains by db:result on one stream",
    "pkix-srv", "understands SRVName in certificates",
    "pkix-xmppaddr", "understands xmppAddr in certificates",
    "multi-cert", "shows a certificate for each hosted domain",
    "trust-anchor", "trusts the lab's CA",
    "srv-failover", "tries the next SRV target when one fails",
    "brief-negotiation", "its timer for negotiation is below three seconds (deadline negotiation=T)",
    "few-pairs", "takes two pairs on a stream, and no more",
    "bare-domain", "serves bare.$iut, too, for which it has no certificate",
    "c2s-external", "clients may authenticate by a certificate of their own",
    "outside-look", "a command looks at a domain from outside (the profile's look)",
    "client-pin", "the client can pin or be asked to accept a certificate",
    "stanza-errors", "returns a stanza error when a remote domain cannot be reached or proved",
    "dnssec", "validates DNS answers from the lab's trust anchor",
    "dane", "holds a server that it connects to against TLSA records (RFC 7673, RFC 7712 5.1)",
    "dane-inbound", "the same of a server that connects to it",
    "posh", "holds a server that it connects to against POSH documents (RFC 7711, RFC 7712 5.2)",
    "posh-inbound", "the same of a server that connects to it",
    "crl", "consults the certificate revocation list it is given",
    "clock", "each case has an instance of its own, whose clock it can move",
    NULL,
};

static bool has_word(const char *const *vocabulary, const char *word)
{
    for (; *vocabulary; vocabulary += 2)
        if (strcmp(*vocabulary, word) == 0)
            return true;
    return false;
}

const char *dna_case_level_name(enum dna_case_level level)
{
    static const char *const names[] = { "must", "should", "may" };

    return names[level];
}

const struct dna_scn_actor *dna_scn_actor(const struct dna_scn *scn, const char *name)
{
    for (const struct dna_scn_actor *a = scn->actors; a; a = a->next)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

struct dna_scn_actor *scn_find_actor(struct scn_parse *p, const struct scn_line *line,
                                     const char *word, const char **out_conn)
{
    const char *dot = strchrnul(word, '.');
    char *name = dna_pool_strndup(p->pool, word, (size_t)(dot - word));
    struct dna_scn_actor *a;

    for (a = p->scn->actors; a; a = a->next)
        if (strcmp(a->name, name) == 0)
            break;
    if (!a)
        scn_error(p->diags, line->file, line->line, "unknown actor '%s'", name);
    if (out_conn)
        *out_conn = *dot ? dot + 1 : "";
    return a;
}

static void add_words(struct scn_parse *p, const struct scn_line *line, const char *rest,
                      const char *const *vocabulary, const char *what,
                      struct dna_words_list *list)
{
    const char **words;
    size_t num = scn_words(p->pool, rest, &words);

    if (!num)
        scn_error(p->diags, line->file, line->line, "'%s' needs a value", what);
    for (size_t i = 0; i < num && vocabulary; i++)
        if (!has_word(vocabulary, words[i]))
            scn_error(p->diags, line->file, line->line, "unknown %s '%s'", what, words[i]);
    if (list->num)
        scn_error(p->diags, line->file, line->line, "'%s' is written twice", what);
    *list = (struct dna_words_list){ words, num };
}

static void add_reqs(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    const char **words;
    size_t num = scn_words(p->pool, rest, &words);
    int *reqs = dna_pool_alloc(p->pool, (p->scn->num_reqs + num + 1) * sizeof(*reqs));

    for (size_t i = 0; i < p->scn->num_reqs; i++)
        reqs[i] = p->scn->reqs[i];
    p->scn->reqs = reqs;
    for (size_t i = 0; i < num; i++) {
        int id = dna_requirement_find(words[i]);

        if (id < 0)
            scn_error(p->diags, line->file, line->line, "unknown requirement '%s'", words[i]);
        else
            p->scn->reqs[p->scn->num_reqs++] = id;
    }
}

static void add_level(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    const char *word = scn_word(p->pool, &rest, NULL);

    p->scn->has_level = true;
    for (int i = DNA_CASE_MUST; i <= DNA_CASE_MAY; i++) {
        if (word && strcmp(word, dna_case_level_name((enum dna_case_level)i)) == 0) {
            p->scn->level = (enum dna_case_level)i;
            return;
        }
    }
    scn_error(p->diags, line->file, line->line, "level is must, should or may, not '%s'",
              word ? word : "");
}

static bool is_domain(const struct scn_parse *p, const char *name)
{
    for (const struct dna_scn_domain *d = p->scn->domains; d; d = d->next)
        if (strcmp(d->name, name) == 0)
            return true;
    return false;
}

static bool is_name(const char *word)
{
    if (!islower((unsigned char)*word))
        return false;
    for (; *word; word++)
        if (!islower((unsigned char)*word) && !isdigit((unsigned char)*word) && *word != '_')
            return false;
    return true;
}

static void add_domains(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    static const char *const taken[] = { "iut", "iut2", "iut3", "unhosted", "role", "variant",
                                         "case", "stanza_limit" };
    struct dna_scn_domain **tail = &p->scn->domains;
    const char *word;

    while (*tail)
        tail = &(*tail)->next;
    while ((word = scn_word(p->pool, &rest, NULL))) {
        struct dna_scn_domain *d = dna_pool_alloc(p->pool, sizeof(*d));
        const char *dot = strchrnul(word, '.');

        d->name = dna_pool_strndup(p->pool, word, (size_t)(dot - word));
        d->parent = *dot ? dot + 1 : NULL;
        for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
            if (strcmp(d->name, taken[i]) == 0)
                scn_error(p->diags, line->file, line->line, "domain name '%s' is reserved",
                          d->name);
        if (!is_name(d->name))
            scn_error(p->diags, line->file, line->line, "a domain's name is lower case letters, "
                      "digits and '_', starting with a letter, not '%s'", d->name);
        else if (is_domain(p, d->name))
            scn_error(p->diags, line->file, line->line, "domain '%s' is declared twice", d->name);
        if (d->parent && !is_domain(p, d->parent))
            scn_error(p->diags, line->file, line->line, "domain '%s' lies below unknown domain "
                      "'%s'", d->name, d->parent);
        *tail = d;
        tail = &d->next;
    }
}

static void add_cert(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    static const char *const keys[] = { "dns", "srv", "xmpp", "cn", "ip", "issuer", "notbefore",
                                        "notafter", "eku", "ca", "same-key-as", "signature",
                                        "pathlen", "keyusage", "permitted", "excluded", "chain",
                                        "subject", "filler", "nested", "critical", "utf8", "uri",
                                        "dir", "o", "ou", "key", "version", "serial", "constraints",
                                        "policies",
                                        "policy-constraints", "ocsp", "crl-at" };
    struct dna_scn_cert *c = dna_pool_alloc(p->pool, sizeof(*c)), **tail = &p->scn->certs;
    const char **words;
    size_t num;

    c->name = scn_word(p->pool, &rest, NULL);
    c->spec = scn_skip_space(rest);
    c->line = line->line;
    num = scn_words(p->pool, rest, &words);
    if (!c->name || !num) {
        scn_error(p->diags, line->file, line->line, "'cert' needs a name and what it says");
        return;
    }
    for (size_t i = 0; i < num; i++) {
        size_t k, len = strcspn(words[i], "=");

        for (k = 0; k < sizeof(keys) / sizeof(*keys); k++)
            if (strlen(keys[k]) == len && strncmp(words[i], keys[k], len) == 0 && words[i][len])
                break;
        if (k == sizeof(keys) / sizeof(*keys) && strcmp(words[i], "none") != 0 &&
            strcmp(words[i], "revoked") != 0)
            scn_error(p->diags, line->file, line->line, "unknown certificate key '%s'", words[i]);
    }
    for (; *tail; tail = &(*tail)->next)
        if (strcmp((*tail)->name, c->name) == 0)
            scn_error(p->diags, line->file, line->line, "cert '%s' is declared twice", c->name);
    *tail = c;
}

static struct dna_scn_actor *new_actor(struct scn_parse *p, const struct scn_line *line,
                                       enum dna_actor_kind kind, const char *name)
{
    struct dna_scn_actor *a = dna_pool_alloc(p->pool, sizeof(*a)), **tail = &p->scn->actors;

    if (!name || !isupper((unsigned char)*name) || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
            "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name)) {
        scn_error(p->diags, line->file, line->line, "an actor's name starts with a capital "
                  "letter, not '%s'", name ? name : "");
        return NULL;
    }
    for (; *tail; tail = &(*tail)->next)
        if (strcmp((*tail)->name, name) == 0)
            scn_error(p->diags, line->file, line->line, "actor '%s' is declared twice", name);
    a->kind = kind;
    a->name = name;
    a->line = line->line;
    *tail = a;
    return a;
}

static void peer_option(struct scn_parse *p, const struct scn_line *line, struct dna_scn_actor *a,
                        const char *word)
{
    if (*word == '$') {
        if (!is_domain(p, word + 1))
            scn_error(p->diags, line->file, line->line, "unknown domain '%s'", word);
        a->domains[a->num_domains++] = word + 1;
    } else if (strncmp(word, "cert=", 5) == 0) {
        a->cert = word + 5;
    } else if (strncmp(word, "port=", 5) == 0) {
        a->port = (unsigned)strtoul(word + 5, NULL, 10);
        if (a->port == 0 || a->port > 65535)
            scn_error(p->diags, line->file, line->line, "bad port '%s'", word + 5);
    } else if (strncmp(word, "host=", 5) == 0) {
        a->host = word + 5;
    } else if (strcmp(word, "listen=yes") == 0) {
        a->listen = DNA_LISTEN_YES;
    } else if (strcmp(word, "listen=no") == 0 || strcmp(word, "listen=refuse") == 0) {
        a->listen = DNA_LISTEN_NO;
    } else if (strcmp(word, "c2s") == 0) {
        a->c2s = true;
    } else {
        scn_error(p->diags, line->file, line->line, "unknown option '%s' of a peer", word);
    }
}

static void add_actor(struct scn_parse *p, const struct scn_line *line, enum dna_actor_kind kind,
                      const char *rest)
{
    const char *word = scn_word(p->pool, &rest, NULL);
    struct dna_scn_actor *a = new_actor(p, line, kind, word);

    if (!a)
        return;
    if (kind == DNA_ACTOR_WEB) {
        scn_web_actor(p, line, a, rest);
        return;
    }
    if (kind == DNA_ACTOR_PEER) {
        a->domains = dna_pool_alloc(p->pool, strlen(rest) * sizeof(*a->domains) + 1);
        while ((word = scn_word(p->pool, &rest, NULL)))
            peer_option(p, line, a, word);
        return;
    }
    a->user = scn_word(p->pool, &rest, NULL);
    a->domain = "$iut";
    if (!a->user)
        scn_error(p->diags, line->file, line->line, "actor '%s' needs %s", a->name,
                  kind == DNA_ACTOR_CLIENT ? "an account" : "a JID to log in with");
    while ((word = scn_word(p->pool, &rest, NULL))) {
        if (kind == DNA_ACTOR_CLIENT && strncmp(word, "domain=", 7) == 0)
            a->domain = word + 7;
        else
            scn_error(p->diags, line->file, line->line, "unknown option '%s'", word);
    }
}

static void add_forbid(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    struct dna_forbid *f = dna_pool_alloc(p->pool, sizeof(*f)), **tail = &p->scn->forbids;
    const char *who = scn_word(p->pool, &rest, NULL), *word;
    struct dna_scn_actor *actor = who ? scn_find_actor(p, line, who, &f->conn) : NULL;

    if (!actor)
        return;
    f->actor = actor;
    f->line = line->line;
    f->text = line->text;
    if (!*f->conn)
        f->conn = NULL;
    word = scn_word(p->pool, &rest, NULL);
    if (word && strcmp(word, actor->kind == DNA_ACTOR_WEB ? "request" : "accept") == 0) {
        if (scn_skip_space(rest)[0] && scn_skip_space(rest)[0] != '#')
            scn_error(p->diags, line->file, line->line, "unexpected '%s'", scn_skip_space(rest));
    } else if (word && strcmp(word, ">") == 0 && actor->kind != DNA_ACTOR_WEB) {
        rest = scn_skip_space(rest);
        f->xml = scn_xml(p, line, &rest);
    } else {
        scn_error(p->diags, line->file, line->line,
                  "forbid is 'forbid ACTOR > <pattern/>', 'forbid ACTOR accept' or, of a web "
                  "server, 'forbid ACTOR request'");
    }
    while (*tail)
        tail = &(*tail)->next;
    *tail = f;
}

/* No message is passed over on the connections of these actors. */
static void add_strict(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    const char *word;

    while ((word = scn_word(p->pool, &rest, NULL)) != NULL) {
        struct dna_scn_actor *a = p->scn->actors;

        while (a && strcmp(a->name, word) != 0)
            a = a->next;
        if (a)
            a->strict = true;
        else
            scn_error(p->diags, line->file, line->line, "no peer or client %s is declared above",
                      word);
    }
}

static void add_knob(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    struct dna_scn_knob *k = dna_pool_alloc(p->pool, sizeof(*k));
    const char *word = scn_word(p->pool, &rest, NULL), *eq = word ? strchr(word, '=') : NULL;

    if (!eq) {
        scn_error(p->diags, line->file, line->line, "a knob is NAME=NUMBER");
        return;
    }
    k->name = dna_pool_strndup(p->pool, word, (size_t)(eq - word));
    k->value = (unsigned)strtoul(eq + 1, NULL, 10);
    k->next = p->scn->knobs;
    p->scn->knobs = k;
}

static const char *sentence(struct scn_parse *p, const struct scn_line *line, const char *keyword,
                            const char *rest, const char *before)
{
    size_t len = strlen(rest);

    if (before)
        scn_error(p->diags, line->file, line->line, "'%s' is written twice", keyword);
    if (!len || rest[len - 1] != '.')
        scn_error(p->diags, line->file, line->line, "the %s is a sentence: it ends with '.'",
                  keyword);
    return rest;
}

bool scn_header_line(struct scn_parse *p, const struct scn_line *line, const char *keyword,
                     const char *rest)
{
    struct dna_scn *s = p->scn;

    if (strcmp(keyword, "claim") == 0)
        s->claim = sentence(p, line, keyword, rest, s->claim);
    else if (strcmp(keyword, "impact") == 0)
        s->impact = sentence(p, line, keyword, rest, s->impact);
    else if (strcmp(keyword, "req") == 0)
        add_reqs(p, line, rest);
    else if (strcmp(keyword, "level") == 0)
        add_level(p, line, rest);
    else if (strcmp(keyword, "role") == 0)
        add_words(p, line, rest, dna_role_words, "role", &s->roles);
    else if (strcmp(keyword, "variant") == 0)
        add_words(p, line, rest, variant_words, "variant", &s->variants);
    else if (strcmp(keyword, "needs") == 0)
        add_words(p, line, rest, dna_feature_words, "needs", &s->needs);
    else if (strcmp(keyword, "alias") == 0)
        add_words(p, line, rest, NULL, "alias", &s->aliases);
    else if (strcmp(keyword, "rev") == 0)
        s->rev = (unsigned)strtoul(rest, NULL, 10);
    else if (strcmp(keyword, "domain") == 0)
        add_domains(p, line, rest);
    else if (strcmp(keyword, "cert") == 0)
        add_cert(p, line, rest);
    else if (strcmp(keyword, "peer") == 0)
        add_actor(p, line, DNA_ACTOR_PEER, rest);
    else if (strcmp(keyword, "client") == 0)
        add_actor(p, line, DNA_ACTOR_CLIENT, rest);
    else if (strcmp(keyword, "iut-client") == 0)
        add_actor(p, line, DNA_ACTOR_IUT_CLIENT, rest);
    else if (strcmp(keyword, "web") == 0)
        add_actor(p, line, DNA_ACTOR_WEB, rest);
    else if (strcmp(keyword, "strict") == 0)
        add_strict(p, line, rest);
    else if (strcmp(keyword, "forbid") == 0)
        add_forbid(p, line, rest);
    else if (strcmp(keyword, "knob") == 0)
        add_knob(p, line, rest);
    else
        return false;
    return true;
}

static void missing(struct scn_parse *p, const char *what)
{
    scn_error(p->diags, p->scn->file, 1, "'%s' is missing", what);
}

void scn_header_finish(struct scn_parse *p)
{
    struct dna_scn *s = p->scn;

    if (!s->claim)
        missing(p, "claim");
    if (!s->num_reqs)
        missing(p, "req");
    if (!s->has_level)
        missing(p, "level");
    if (!s->roles.num)
        missing(p, "role");
    if (!s->impact)
        missing(p, "impact");
    if (!s->rev)
        missing(p, "rev");
    if (!s->variants.num) {
        s->variants.at = dna_pool_alloc(p->pool, sizeof(*s->variants.at));
        s->variants.at[0] = "default";
        s->variants.num = 1;
    }
    for (const struct dna_scn_actor *a = s->actors; a; a = a->next) {
        const struct dna_scn_cert *c = s->certs;

        while (a->cert && c && strcmp(c->name, a->cert) != 0)
            c = c->next;
        if (a->cert && !c && strcmp(a->cert, "none") != 0)
            scn_error(p->diags, s->file, a->line, "unknown cert '%s'", a->cert);
    }
}
