/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The body of a scenario: 'given:' and 'then:', line by line into a tree of
 * steps. Each verb of an actor is one small function that checks its own words.
 */
#include "conformance/scn_internal.h"

#include "conformance/lab/dns.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dna_step *scn_step_new(struct scn_parse *p, const struct scn_line *line,
                              enum dna_step_kind kind)
{
    struct dna_step *s = dna_pool_alloc(p->pool, sizeof(*s));

    s->kind = kind;
    s->file = line->file;
    s->line = line->line;
    s->call_line = line->call_line;
    s->text = line->text;
    s->then = p->then;
    s->conn = "";
    s->within_ms = p->within_ms;
    p->within_ms = 0;
    return s;
}

static void bad(struct scn_parse *p, const struct dna_step *s, const char *what)
{
    scn_error(p->diags, s->file, s->line, "%s", what);
}

static unsigned duration(struct scn_parse *p, const struct scn_line *line, const char *word)
{
    char *end;
    double n = word ? strtod(word, &end) : 0;

    if (word && end != word && n > 0 && n <= 60) {
        if (strcmp(end, "s") == 0)
            return (unsigned)(n * 1000);
        if (strcmp(end, "ms") == 0)
            return (unsigned)n;
    }
    if (word && end != word && n > 60 && n <= 60000 && strcmp(end, "ms") == 0)
        return (unsigned)n;
    scn_error(p->diags, line->file, line->line, "'within' needs a time such as 2s or 500ms (at "
              "most 60s)");
    return 0;
}

struct dna_xnode *scn_xml(struct scn_parse *p, const struct scn_line *line, const char **at)
{
    const char *error = NULL, *start = *at;
    struct dna_xnode *node = dna_xnode_parse(p->pool, at, NULL, &error);

    if (!node)
        scn_error(p->diags, line->file, line->line, "bad XML: %s, at '%.24s'",
                  error ? error : "empty", **at ? *at : start);
    return node;
}

/* the words behind a verb; 'within TIME' at their end belongs to the step */
void scn_take_words(struct scn_parse *p, const struct scn_line *line, struct dna_step *s,
                    const char *rest)
{
    s->num_words = scn_words(p->pool, rest, &s->words);
    if (s->num_words >= 2 && strcmp(s->words[s->num_words - 2], "within") == 0) {
        s->within_ms = duration(p, line, s->words[s->num_words - 1]);
        s->num_words -= 2;
    }
}

static void no_words(struct scn_parse *p, const struct dna_step *s)
{
    if (s->num_words)
        scn_error(p->diags, s->file, s->line, "unexpected '%s'", s->words[0]);
}

static void send_step(struct scn_parse *p, const struct scn_line *line, struct dna_step *s,
                      const char *rest)
{
    const char *word;

    if (*rest == '<') {
        s->kind = DNA_STEP_SEND;
        s->xml = scn_xml(p, line, &rest);
        if (s->xml)
            scn_take_words(p, line, s, rest), no_words(p, s);
        return;
    }
    word = scn_word(p->pool, &rest, NULL);
    if (word && strcmp(word, "close") == 0) {
        s->kind = DNA_STEP_SEND_CLOSE;
    } else if (word && strcmp(word, "fin") == 0) {
        s->kind = DNA_STEP_SEND_FIN;
    } else if (word && strcmp(word, "raw") == 0) {
        s->kind = DNA_STEP_SEND_RAW;
        s->value = scn_word(p->pool, &rest, &s->value_len);
        if (!s->value)
            bad(p, s, "'raw' needs a string");
    } else {
        scn_error(p->diags, s->file, s->line,
                  "'<' sends XML, close, fin or raw \"...\", not '%s'", word ? word : "");
    }
    scn_take_words(p, line, s, rest);
    no_words(p, s);
}

static void expect_step(struct scn_parse *p, const struct scn_line *line, struct dna_step *s,
                        const char *rest)
{
    static const struct {
        const char *word;
        enum dna_step_kind kind;
    } kinds[] = { { "close", DNA_STEP_EXPECT_CLOSE }, { "end", DNA_STEP_EXPECT_END },
                  { "eof", DNA_STEP_EXPECT_EOF },
                  { "drop", DNA_STEP_EXPECT_DROP }, { "nothing", DNA_STEP_NOTHING },
                  { "silence", DNA_STEP_NOTHING } };
    const char *word;

    if (*rest == '<') {
        s->kind = DNA_STEP_EXPECT;
        s->xml = scn_xml(p, line, &rest);
        if (s->xml)
            scn_take_words(p, line, s, rest), no_words(p, s);
        return;
    }
    word = scn_word(p->pool, &rest, NULL);
    scn_take_words(p, line, s, rest);
    no_words(p, s);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (word && strcmp(word, kinds[i].word) == 0) {
            s->kind = kinds[i].kind;
            s->timed = strcmp(word, "silence") == 0;
            return;
        }
    }
    scn_error(p->diags, s->file, s->line,
              "'>' expects XML, close, end, eof, drop, nothing or silence, not '%s'",
              word ? word : "");
}

static bool only_options(struct scn_parse *p, const struct dna_step *s, const char *const *allowed)
{
    for (size_t i = 0; i < s->num_words; i++) {
        const char *const *a = allowed;
        size_t len = strcspn(s->words[i], "=");

        while (*a && (strncmp(*a, s->words[i], len) != 0 || strlen(*a) != len + (s->words[i][len] ?
                                                                                 1 : 0)))
            a++;
        if (!*a) {
            scn_error(p->diags, s->file, s->line, "unexpected '%s'", s->words[i]);
            return false;
        }
    }
    return true;
}

static void check_connect(struct scn_parse *p, const struct dna_step *s)
{
    static const char *const words[] = { "to", "c2s", "s2s", "$iut", "$iut2", "$iut3",
                                         "$unhosted", "port", NULL };

    for (size_t i = 0; i < s->num_words; i++) {
        const char *const *w = words;

        while (*w && strcmp(*w, s->words[i]) != 0)
            w++;
        if (!*w && !(i && strcmp(s->words[i - 1], "port") == 0 && atoi(s->words[i]) > 0))
            scn_error(p->diags, s->file, s->line, "connect [to $iut|c2s|port N], not '%s'",
                      s->words[i]);
    }
}

static const struct verb {
    const char *word;
    enum dna_step_kind kind;
    unsigned actors; /* bits of enum dna_actor_kind */
    const char *const *options; /* allowed words, "key=" or "flag"; NULL: checked elsewhere */
} verbs[] = {
    { "connect", DNA_STEP_CONNECT, 1, NULL },
    { "accept", DNA_STEP_ACCEPT, 1, NULL },
    { "tls", DNA_STEP_TLS, 1,
      (const char *const[]){ "cert=", "sni=", "fails", "resumable", "resumes=", NULL } },
    { "sees-cert", DNA_STEP_SEES_CERT, 1,
      (const char *const[]){ "dns=", "srv=", "xmpp=", "none", "trusted", "untrusted", "cert=",
                             NULL } },
    { "sees-cert-request", DNA_STEP_SEES_CERT_REQUEST, 1, (const char *const[]){ NULL } },
    { "sees-sni", DNA_STEP_SEES_SNI, 1, NULL },
    { "unvisited", DNA_STEP_UNVISITED, 1, (const char *const[]){ NULL } },
    { "barrier", DNA_STEP_BARRIER, 2, (const char *const[]){ NULL } },
    { "run", DNA_STEP_RUN, 4, NULL },
    { "input", DNA_STEP_INPUT, 4, NULL },
    { "writes", DNA_STEP_WRITES, 4, NULL },
    { "exits", DNA_STEP_EXITS, 4, NULL },
    { "prints", DNA_STEP_PRINTS, 4, NULL },
};

/* prints TEXT times=N */
static void take_times(struct dna_step *s)
{
    unsigned times;
    int used = 0;

    if (s->num_words != 2 || sscanf(s->words[1], "times=%2u%n", &times, &used) != 1 ||
        s->words[1][used] || !times)
        return;
    s->times = times;
    s->num_words = 1;
}

static void check_verb(struct scn_parse *p, struct dna_step *s, const struct verb *v)
{
    if (!(v->actors & (1u << s->actor->kind)))
        scn_error(p->diags, s->file, s->line, "actor '%s' is %s and can't '%s'", s->actor->name,
                  s->actor->kind == DNA_ACTOR_PEER ? "a peer" :
                  s->actor->kind == DNA_ACTOR_CLIENT ? "a client" :
                  s->actor->kind == DNA_ACTOR_WEB ? "a web server" : "the client under test",
                  v->word);
    if (v->options && !only_options(p, s, v->options))
        return;
    switch (s->kind) {
    case DNA_STEP_CONNECT:
        check_connect(p, s);
        break;
    case DNA_STEP_ACCEPT:
        if (s->num_words == 2 && strcmp(s->words[0], "as") == 0)
            s->conn = s->words[1];
        else if (s->num_words > 1 || (s->num_words && strcmp(s->words[0], "as") != 0))
            bad(p, s, "accept [as NAME]"); /* 'as' with an empty name: a procedure's default */
        break;
    case DNA_STEP_SEES_CERT:
        if (!s->num_words)
            bad(p, s, "sees-cert needs none, dns=, srv=, xmpp=, trusted or untrusted");
        break;
    case DNA_STEP_SEES_SNI:
    case DNA_STEP_INPUT:
    case DNA_STEP_WRITES:
    case DNA_STEP_EXITS:
    case DNA_STEP_PRINTS:
        if (s->kind == DNA_STEP_PRINTS)
            take_times(s);
        if (s->num_words != 1)
            scn_error(p->diags, s->file, s->line, "'%s' needs one value", v->word);
        else
            s->value = s->words[0];
        break;
    default:
        break;
    }
}

static struct dna_step *actor_step(struct scn_parse *p, const struct scn_line *line,
                                   const char *who, const char *rest)
{
    const char *conn = "", *verb;
    struct dna_scn_actor *actor = scn_find_actor(p, line, who, &conn);
    struct dna_step *s;

    if (!actor)
        return NULL;
    s = scn_step_new(p, line, DNA_STEP_SEND);
    s->actor = actor;
    s->conn = conn;
    verb = scn_word(p->pool, &rest, NULL);
    rest = scn_skip_space(rest);
    if (verb && (strcmp(verb, "<") == 0 || strcmp(verb, ">") == 0)) {
        if (actor->kind == DNA_ACTOR_IUT_CLIENT)
            bad(p, s, "the client under test has no wire of its own: write the peer's");
        if (actor->kind == DNA_ACTOR_WEB)
            bad(p, s, "a web server has no stream: web saw, web never, web refused");
        if (*verb == '<')
            send_step(p, line, s, rest);
        else
            expect_step(p, line, s, rest);
        return s;
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
        if (verb && strcmp(verb, verbs[i].word) == 0) {
            s->kind = verbs[i].kind;
            scn_take_words(p, line, s, rest);
            check_verb(p, s, &verbs[i]);
            return s;
        }
    }
    scn_error(p->diags, line->file, line->line, "actor '%s' can't '%s'", actor->name,
              verb ? verb : "");
    return NULL;
}

static struct dna_step *block(struct scn_parse *p, const char *const *stops, bool top);

static bool at_word(const struct scn_line *line, const char *word)
{
    size_t len = strlen(word);

    return strncmp(line->text, word, len) == 0 &&
           (!line->text[len] || isspace((unsigned char)line->text[len]));
}

static struct dna_step *either(struct scn_parse *p, const struct scn_line *line)
{
    struct dna_step *s = scn_step_new(p, line, DNA_STEP_EITHER);
    struct dna_branch **tail = &s->branches;
    const char *allowed = NULL;
    int num = 0;

    for (;;) {
        struct dna_branch *b = dna_pool_alloc(p->pool, sizeof(*b));
        const struct scn_line *at = &p->lines.at[p->pos++];

        b->line = at->line;
        b->allowed = allowed;
        b->steps = block(p, (const char *const[]){ "or", "end", NULL }, false);
        if (!b->steps)
            scn_error(p->diags, at->file, at->line, "a branch of 'either' is empty");
        *tail = b;
        tail = &b->next;
        num++;
        if (p->pos >= p->lines.num) {
            bad(p, s, "'either' has no 'end'");
            return s;
        }
        at = &p->lines.at[p->pos];
        if (at_word(at, "end"))
            break;
        allowed = NULL;
        if (at->text[2]) {
            const char *rest = at->text + 2, *may = scn_word(p->pool, &rest, NULL);

            allowed = scn_word(p->pool, &rest, NULL);
            if (!may || strcmp(may, "may") != 0 || !allowed)
                scn_error(p->diags, at->file, at->line, "'or' stands alone or is: or may \"why\"");
        }
    }
    p->pos++;
    if (num < 2)
        bad(p, s, "'either' needs at least two branches");
    return s;
}

/* "$x = y" or "$x != y" */
static void comparison(struct scn_parse *p, struct dna_step *s, const char *rest)
{
    const char *op;

    s->name = scn_word(p->pool, &rest, NULL);
    op = scn_word(p->pool, &rest, NULL);
    s->value = scn_word(p->pool, &rest, NULL);
    s->negated = op && strcmp(op, "!=") == 0;
    if (!s->name || !s->value || !op || (strcmp(op, "=") != 0 && !s->negated))
        bad(p, s, "a comparison is: $name = value, or $name != value");
}

static struct dna_step *if_step(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    static const char *const stops[] = { "else", "end", NULL };
    struct dna_step *s = scn_step_new(p, line, DNA_STEP_IF);
    struct dna_branch *yes = dna_pool_alloc(p->pool, sizeof(*yes));
    struct dna_branch *no = dna_pool_alloc(p->pool, sizeof(*no));

    comparison(p, s, rest);
    s->branches = yes;
    yes->next = no;
    p->pos++;
    yes->steps = block(p, stops, false);
    if (p->pos < p->lines.num && at_word(&p->lines.at[p->pos], "else")) {
        p->pos++;
        no->steps = block(p, stops + 1, false);
    }
    if (p->pos >= p->lines.num)
        bad(p, s, "'if' has no 'end'");
    p->pos++;
    return s;
}

/* repeat N "text": N may be a variable, then the run looks at it. */
static void check_repeat(struct scn_parse *p, const struct dna_step *s)
{
    if (s->num_words != 2)
        scn_error(p->diags, s->file, s->line, "'repeat' needs a number and one string");
    else if (*s->words[0] != '$' && !scn_repeats(s->words[0], s->words[1]))
        scn_error(p->diags, s->file, s->line, "repeat %s: a number is wanted that makes 1 to %u "
                  "bytes of the text", s->words[0], SCN_REPEAT_MAX);
}

static struct dna_step *set_step(struct scn_parse *p, const struct scn_line *line,
                                 const char *rest)
{
    static const char *const functions[] = { "dialback-key", "base64", "unbase64", "random",
                                             "alter", "upper", "repeat", NULL };
    struct dna_step *s = scn_step_new(p, line, DNA_STEP_SET);
    const char *name = scn_word(p->pool, &rest, NULL), *eq = scn_word(p->pool, &rest, NULL);
    bool quoted;

    rest = scn_skip_space(rest);
    quoted = *rest == '"' || *rest == '\'';
    if (!name || *name != '$' || !name[1] || !eq || strcmp(eq, "=") != 0 || !*rest) {
        bad(p, s, "set is: set $name = \"text\", or set $name = FUNCTION ...");
        return s;
    }
    s->name = name + 1;
    if (quoted) {
        s->value = scn_word(p->pool, &rest, &s->value_len);
        scn_take_words(p, line, s, rest);
        no_words(p, s);
        return s;
    }
    name = scn_word(p->pool, &rest, NULL);
    for (const char *const *f = functions; *f; f++) {
        if (strcmp(*f, name) == 0) {
            s->text = line->text;
            s->words = NULL;
            s->value = NULL;
            s->num_words = scn_words(p->pool, rest, &s->words);
            s->function = name;
            if (strcmp(name, "repeat") == 0)
                check_repeat(p, s);
            if ((!strcmp(name, "base64") || !strcmp(name, "unbase64") || !strcmp(name, "alter") ||
                 !strcmp(name, "upper"))) {
                s->value = scn_word(p->pool, &rest, &s->value_len);
                if (s->num_words != 1)
                    scn_error(p->diags, s->file, s->line, "'%s' needs one string", name);
            }
            return s;
        }
    }
    scn_error(p->diags, s->file, s->line, "unknown function '%s' (text needs quotes)", name);
    return s;
}

/* the bits of 'with do,ad,cd'; 0 is an error */
static unsigned query_bits(const char *list)
{
    static const struct {
        const char *word;
        unsigned bit;
    } known[] = { { "do", DNA_QUERY_DO }, { "ad", DNA_QUERY_AD }, { "cd", DNA_QUERY_CD } };
    unsigned bits = 0;

    for (const char *at = list; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
        size_t i = 0;

        while (i < 3 && !(strcspn(at, ",") == 2 && strncmp(known[i].word, at, 2) == 0))
            i++;
        if (i == 3)
            return 0;
        bits |= known[i].bit;
    }
    return bits;
}

/* TYPE NAME [with do,ad,cd] [before ACTOR accept] */
static bool query_words(struct scn_parse *p, const struct scn_line *line, struct dna_step *s)
{
    size_t i = 2;

    if (s->num_words < 2)
        return false;
    s->name = s->words[0];
    s->value = s->words[1];
    if (!dna_dns_type(s->name)) /* it would never be seen */
        scn_error(p->diags, s->file, s->line, "unknown type '%s'", s->name);
    if (i + 1 < s->num_words && strcmp(s->words[i], "with") == 0) {
        s->query_bits = query_bits(s->words[i + 1]);
        if (!s->query_bits)
            return false;
        i += 2;
    }
    if (s->kind == DNA_STEP_DNS_SAW && i + 3 == s->num_words &&
        strcmp(s->words[i], "before") == 0 && strcmp(s->words[i + 2], "accept") == 0) {
        s->actor = scn_find_actor(p, line, s->words[i + 1], &s->conn);
        i += 3;
    }
    return i == s->num_words;
}

static struct dna_step *dns_step(struct scn_parse *p, const struct scn_line *line,
                                 const char *rest)
{
    const char *at = rest, *word = scn_word(p->pool, &at, NULL);
    struct dna_step *s, *head = NULL, **tail = &head;
    bool saw = word && strcmp(word, "saw") == 0;

    if (!saw && !(word && strcmp(word, "never") == 0)) {
        scn_parse_dns(p, line, rest, &tail);
        return head;
    }
    s = scn_step_new(p, line, saw ? DNA_STEP_DNS_SAW : DNA_STEP_DNS_NEVER);
    scn_take_words(p, line, s, at);
    if (!query_words(p, line, s))
        bad(p, s, "dns saw|never TYPE NAME [with do,ad,cd] [before ACTOR accept]");
    return s;
}

static struct dna_step *info_step(struct scn_parse *p, const struct scn_line *line,
                                  const char *rest)
{
    struct dna_step *s = scn_step_new(p, line, DNA_STEP_INFO);
    const char *word = scn_word(p->pool, &rest, NULL), *eq = word ? strchr(word, '=') : NULL;

    if (!eq) {
        bad(p, s, "info is: info NAME=VALUE");
        return s;
    }
    s->name = dna_pool_strndup(p->pool, word, (size_t)(eq - word));
    s->value = eq + 1;
    return s;
}

static struct dna_step *one(struct scn_parse *p, const struct scn_line *line)
{
    struct dna_step *world;
    size_t len = strcspn(line->text, " \t");
    char *word = dna_pool_strndup(p->pool, line->text, len);
    const char *rest = scn_skip_space(line->text + len);

    if (strcmp(word, "either") == 0)
        return either(p, line);
    if (strcmp(word, "if") == 0)
        return if_step(p, line, rest);
    p->pos++;
    if (strcmp(word, "within") == 0) {
        p->within_ms = duration(p, line, scn_word(p->pool, &rest, NULL));
        return NULL;
    }
    if (strcmp(word, "set") == 0)
        return set_step(p, line, rest);
    if (strcmp(word, "check") == 0) {
        struct dna_step *s = scn_step_new(p, line, DNA_STEP_CHECK);

        comparison(p, s, rest);
        return s;
    }
    if (strcmp(word, "dns") == 0)
        return dns_step(p, line, rest);
    if (strcmp(word, "info") == 0)
        return info_step(p, line, rest);
    if (strcmp(word, "iut") == 0)
        return scn_iut_step(p, line, rest);
    if (strcmp(word, "done") == 0)
        return scn_step_new(p, line, DNA_STEP_DONE);
    if (scn_world_line(p, line, word, rest, false, &world))
        return world;
    if (isupper((unsigned char)*word))
        return actor_step(p, line, word, rest);
    if (strcmp(word, "sleep") == 0 || strcmp(word, "wait") == 0)
        scn_error(p->diags, line->file, line->line, "there is no '%s': use 'ACTOR > nothing', a "
                  "barrier, or 'within TIME' before an expectation", word);
    else
        scn_error(p->diags, line->file, line->line, "unknown keyword '%s'", word);
    return NULL;
}

static struct dna_step *block(struct scn_parse *p, const char *const *stops, bool top)
{
    struct dna_step *head = NULL, **tail = &head;

    while (p->pos < p->lines.num) {
        const struct scn_line *line = &p->lines.at[p->pos];

        for (const char *const *stop = stops; *stop; stop++)
            if (at_word(line, *stop))
                return head;
        if (strcmp(line->text, "given:") == 0 || strcmp(line->text, "then:") == 0) {
            if (!top)
                scn_error(p->diags, line->file, line->line, "'%s' inside a block", line->text);
            if (line->text[0] == 'g' && p->then)
                scn_error(p->diags, line->file, line->line, "'given:' after 'then:'");
            p->then = line->text[0] == 't';
            p->pos++;
            continue;
        }
        *tail = one(p, line);
        while (*tail)
            tail = &(*tail)->next;
    }
    return head;
}

void scn_steps(struct scn_parse *p)
{
    bool any = false;

    p->scn->steps = block(p, (const char *const[]){ NULL }, true);
    if (p->within_ms)
        scn_error(p->diags, p->scn->file, p->lines.at[p->lines.num - 1].line,
                  "'within' at the end has no step");
    for (const struct dna_step *s = p->scn->steps; s; s = s->next)
        any = any || s->then;
    if (!any)
        scn_error(p->diags, p->scn->file, 1, "there is no step below 'then:'");
}
