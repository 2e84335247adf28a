/* SPDX-License-Identifier: MIT */
/*
 * Profiles: finding and reading them. One setting a line; what stands before the first `variant`
 * line holds for every variant. Strings live in the profile's pool.
 */
#include "conformance/lab/profile.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conformance/lab/profile_find.h"
#include "conformance/lab/render.h"
#include "conformance/pool.h"

/* reader is the state while one profile is read. */
/* A negotiation is brief whose timer ends before a case is through that waits so long. */
#define BRIEF_MS 3000

struct reader {
    struct dna_profile *profile;
    struct dna_variant defaults; /* what each variant starts from */
    struct dna_variant *current; /* NULL before the first variant */
    const char *path;
    unsigned line;
    struct dna_diag *diag;
};

const char *dna_pairs_get(const struct dna_pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->num; i++) {
        if (strcmp(pairs->at[i].key, key) == 0)
            return pairs->at[i].value;
    }
    return NULL;
}

bool dna_words_have(const struct dna_words *words, const char *word)
{
    for (size_t i = 0; i < words->num; i++) {
        if (strcmp(words->at[i], word) == 0)
            return true;
    }
    return false;
}

void dna_variant_live_at(struct dna_variant *v, struct dna_pool *pool, const char *name)
{
    v->hosted[0] = dna_pool_printf(pool, "%s.iut.example", name);
    v->hosted[1] = dna_pool_printf(pool, "second.%s.iut.example", name);
    v->hosted[2] = dna_pool_printf(pool, "third.%s.iut.example", name);
    v->unhosted = dna_pool_printf(pool, "unhosted.%s.iut.example", name);
}

bool dna_variant_has(const struct dna_variant *variant, const char *feature)
{
    if (strcmp(feature, "brief-negotiation") == 0) {
        const unsigned ms = dna_profile_deadline(variant->profile, "negotiation");

        return ms && ms < BRIEF_MS;
    }
    return dna_words_have(&variant->features, feature);
}

unsigned dna_profile_deadline(const struct dna_profile *profile, const char *name)
{
    const char *value = dna_pairs_get(&profile->deadlines, name);

    return value ? (unsigned)strtoul(value, NULL, 10) : 0;
}

const struct dna_variant *dna_profile_variant(const struct dna_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->num_variants; i++) {
        if (strcmp(profile->variants[i].name, name) == 0)
            return &profile->variants[i];
    }
    return NULL;
}

static int bad(struct reader *r, const char *format, const char *text)
{
    dna_diag_set(r->diag, DNA_CLASS_USAGE, "%s:%u: ", r->path, r->line);
    dna_diag_add(r->diag, format, text);
    return -1;
}

static void add_word(struct dna_words *words, char *word)
{
    if (dna_words_have(words, word))
        return;
    words->at = dna_xrealloc(words->at, (words->num + 1) * sizeof *words->at);
    words->at[words->num++] = word;
}

static void drop_word(struct dna_words *words, const char *word)
{
    size_t kept = 0;

    for (size_t i = 0; i < words->num; i++) {
        if (strcmp(words->at[i], word) != 0)
            words->at[kept++] = words->at[i];
    }
    words->num = kept;
}

static void set_pair(struct dna_pairs *pairs, char *key, char *value)
{
    for (size_t i = 0; i < pairs->num; i++) {
        if (strcmp(pairs->at[i].key, key) == 0) {
            pairs->at[i].value = value;
            return;
        }
    }
    pairs->at = dna_xrealloc(pairs->at, (pairs->num + 1) * sizeof *pairs->at);
    pairs->at[pairs->num++] = (struct dna_pair){ key, value };
}

/* next_word cuts the next word off a line that may be written to; NULL at its end. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");

    if (*word == '\0')
        return NULL;
    *rest = word + strcspn(word, " \t");
    if (**rest)
        *(*rest)++ = '\0';
    *rest += strspn(*rest, " \t");
    return word;
}

static int each_word(struct reader *r, struct dna_words *words, char *rest, bool may_drop)
{
    char *word;

    while ((word = next_word(&rest))) {
        if (may_drop && word[0] == '-')
            drop_word(words, word + 1);
        else
            add_word(words, dna_pool_strdup(r->profile->pool, word));
    }
    return 0;
}

static int each_pair(struct reader *r, struct dna_pairs *pairs, char *rest)
{
    char *word;

    while ((word = next_word(&rest))) {
        char *equals = strchr(word, '=');

        if (!equals || equals == word)
            return bad(r, "\"%s\" is not of the form name=value", word);
        *equals = '\0';
        set_pair(pairs, dna_pool_strdup(r->profile->pool, word),
                 dna_pool_strdup(r->profile->pool, equals + 1));
    }
    return 0;
}

/* one_pair reads a first word and the rest of the line. */
static int one_pair(struct reader *r, struct dna_pairs *pairs, char *rest)
{
    char *key = next_word(&rest);

    if (!key || !*rest)
        return bad(r, "expected a name and a value%s", "");
    set_pair(pairs, dna_pool_strdup(r->profile->pool, key),
             dna_pool_strdup(r->profile->pool, rest));
    return 0;
}

static int add_template(struct reader *r, char *rest, bool per_account)
{
    struct dna_profile *p = r->profile;
    char *path = next_word(&rest), *source = next_word(&rest);

    if (!source || next_word(&rest))
        return bad(r, "expected a path in the run directory and a template%s", "");
    p->templates = dna_xrealloc(p->templates, (p->num_templates + 1) * sizeof *p->templates);
    p->templates[p->num_templates++] =
        (struct dna_template){ dna_pool_strdup(p->pool, path),
                               dna_pool_printf(p->pool, "%s/%s", p->dir, source), per_account };
    return 0;
}

static int put_ms(struct reader *r, unsigned *out, const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (!isdigit((unsigned char)*text) || number > 600000)
        return bad(r, "\"%s\" is no time such as 500ms or 10s", text);
    if (strcmp(end, "ms") == 0)
        *out = (unsigned)number;
    else if (strcmp(end, "s") == 0 && number <= 600)
        *out = (unsigned)number * 1000;
    else
        return bad(r, "\"%s\" is no time such as 500ms or 10s", text);
    return 0;
}

static int put_deadlines(struct reader *r, char *rest)
{
    struct dna_pairs pairs = { 0 };
    int result = each_pair(r, &pairs, rest);

    for (size_t i = 0; !result && i < pairs.num; i++) {
        unsigned ms;

        result = put_ms(r, &ms, pairs.at[i].value);
        if (!result)
            set_pair(&r->profile->deadlines, pairs.at[i].key,
                     dna_pool_printf(r->profile->pool, "%u", ms));
    }
    free(pairs.at);
    return result;
}

/* limit stanza=BYTES: below 10000 no server may go (RFC 6120 13.12). */
static int put_limit(struct reader *r, char *rest)
{
    char *end = rest;
    unsigned long bytes = 0;

    if (strncmp(rest, "stanza=", 7) == 0 && isdigit((unsigned char)rest[7]))
        bytes = strtoul(rest + 7, &end, 10);
    if (*end || bytes < 10000 || bytes > DNA_STANZA_LIMIT)
        return bad(r, "limit %s: expected stanza=BYTES, 10000 to 1048576", rest);
    r->profile->stanza_limit = (unsigned)bytes;
    return 0;
}

static void copy_words(struct dna_words *to, const struct dna_words *from)
{
    for (size_t i = 0; i < from->num; i++)
        add_word(to, from->at[i]);
}

static void copy_pairs(struct dna_pairs *to, const struct dna_pairs *from)
{
    for (size_t i = 0; i < from->num; i++)
        set_pair(to, from->at[i].key, from->at[i].value);
}

static bool is_label(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789");

    return len > 0 && len <= 40 && text[len] == '\0';
}

static int begin_variant(struct reader *r, char *rest)
{
    struct dna_profile *p = r->profile;
    char *name = next_word(&rest);
    struct dna_variant *v;

    if (!name || !is_label(name))
        return bad(r, "a variant's name is part of domain names: small letters and digits%s", "");
    if (dna_profile_variant(p, name))
        return bad(r, "the variant %s stands twice", name);
    if (p->num_variants == DNA_MAX_VARIANTS)
        return bad(r, "too many variants%s", "");
    v = &p->variants[p->num_variants++];
    v->profile = p;
    v->name = dna_pool_strdup(p->pool, name);
    dna_variant_live_at(v, p->pool, name);
    snprintf(v->address, sizeof v->address, "127.0.1.%zu", p->num_variants);
    v->c2s_port = r->defaults.c2s_port;
    v->s2s_port = r->defaults.s2s_port;
    copy_words(&v->features, &r->defaults.features);
    copy_pairs(&v->knobs, &r->defaults.knobs);
    copy_pairs(&v->settings, &r->defaults.settings);
    r->current = v;
    return each_pair(r, &v->settings, rest);
}

static int put_ports(struct reader *r, char *rest)
{
    struct dna_pairs pairs = { 0 };
    int result = each_pair(r, &pairs, rest);

    for (size_t i = 0; !result && i < pairs.num; i++) {
        unsigned long port = strtoul(pairs.at[i].value, NULL, 10);

        if (port > 65535)
            result = bad(r, "%s is no port", pairs.at[i].value);
        else if (strcmp(pairs.at[i].key, "c2s") == 0)
            r->defaults.c2s_port = (uint16_t)port;
        else if (strcmp(pairs.at[i].key, "s2s") == 0)
            r->defaults.s2s_port = (uint16_t)port;
        else
            result = bad(r, "%s: expected c2s= or s2s=", pairs.at[i].key);
    }
    free(pairs.at);
    return result;
}

/* put_in_variant reads the settings that a variant may have of its own; 1 if it is none of them. */
static int put_in_variant(struct reader *r, const char *key, char *rest)
{
    struct dna_variant *v = r->current ? r->current : &r->defaults;

    if (strcmp(key, "feature") == 0)
        return each_word(r, &v->features, rest, true);
    if (strcmp(key, "knob") == 0)
        return each_pair(r, &v->knobs, rest);
    if (strcmp(key, "set") == 0)
        return one_pair(r, &v->settings, rest);
    if (strcmp(key, "clock") == 0) {
        if (!r->current || strcmp(rest, "own") != 0)
            return bad(r, "clock: below a variant, clock own%s", "");
        v->own_clock = true;
        return 0;
    }
    if (strcmp(key, "cannot") == 0) {
        if (!r->current)
            return bad(r, "cannot: belongs below a variant%s", "");
        v->cannot = dna_pool_strdup(r->profile->pool, rest);
        return 0;
    }
    return 1;
}

/* put_list reads the settings that may stand several times; 1 if it is none of them. */
static int put_list(struct reader *r, const char *key, char *rest)
{
    struct dna_profile *p = r->profile;

    if (strcmp(key, "package") == 0)
        return each_word(r, &p->packages, rest, false);
    if (strcmp(key, "requires") == 0)
        return one_pair(r, &p->required, rest);
    if (strcmp(key, "role") == 0)
        return each_word(r, &p->roles, rest, false);
    if (strcmp(key, "session") == 0)
        return each_word(r, &p->session_words, rest, false);
    if (strcmp(key, "account") == 0)
        return one_pair(r, &p->accounts, rest);
    if (strcmp(key, "env") == 0)
        return each_pair(r, &p->env, rest);
    if (strcmp(key, "deadline") == 0)
        return put_deadlines(r, rest);
    if (strcmp(key, "limit") == 0)
        return put_limit(r, rest);
    if (strcmp(key, "file") == 0 || strcmp(key, "account-file") == 0)
        return add_template(r, rest, key[0] == 'a');
    if (strcmp(key, "prepare") == 0 || strcmp(key, "prepare-account") == 0) {
        add_word(key[7] ? &p->prepare_account : &p->prepare, dna_pool_strdup(p->pool, rest));
        return 0;
    }
    return 1;
}

static int put_setting(struct reader *r, const char *key, char *rest)
{
    struct dna_profile *p = r->profile;
    const struct {
        const char *key;
        char **at;
    } texts[] = {
        { "title", &p->title },     { "version", &p->version_command }, { "server", &p->server },
        { "start", &p->start },     { "client", &p->client },           { "barrier", &p->barrier },
        { "look", &p->look },
    };
    int result = put_in_variant(r, key, rest);

    if (result != 1)
        return result;
    if (strcmp(key, "variant") == 0)
        return begin_variant(r, rest);
    if (r->current)
        return bad(r, "%s: no setting of a variant (those stand before the first one)", key);
    result = put_list(r, key, rest);
    if (result != 1)
        return result;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(texts[i].key, key) != 0)
            continue;
        if (*texts[i].at)
            return bad(r, "%s stands twice", key);
        *texts[i].at = dna_pool_strdup(p->pool, rest);
        return 0;
    }
    if (strcmp(key, "ports") == 0)
        return put_ports(r, rest);
    if (strcmp(key, "ready") == 0)
        return put_ms(r, &p->ready_ms, rest);
    if (strcmp(key, "stop") == 0)
        return put_ms(r, &p->stop_ms, rest);
    return bad(r, "unknown setting: %s", key);
}

static int read_line(struct reader *r, char *line)
{
    char *rest = line, *key, *end;

    /* A comment begins a line, or stands behind white space. */
    for (char *at = line; *at; at++) {
        if (*at == '#' && (at == line || at[-1] == ' ' || at[-1] == '\t')) {
            *at = '\0';
            break;
        }
    }
    for (end = line + strlen(line); end > line && isspace((unsigned char)end[-1]); end--)
        end[-1] = '\0';
    key = next_word(&rest);
    if (!key)
        return 0;
    if (*rest == '\0')
        return bad(r, "%s: no value", key);
    return put_setting(r, key, rest);
}

/* put_program makes the program of a command an absolute path, whatever the caller's directory. */
static int put_program(struct reader *r, const char *key, char **command)
{
    struct dna_profile *p = r->profile;
    const char *slash = *command ? strchr(*command, '/') : NULL;
    bool bare;

    if (!slash || **command == '/' || strcspn(*command, " \t") < (size_t)(slash - *command))
        return 0;
    bare = strpbrk(p->root, " \t'\"") == NULL;
    if (!bare)
        return bad(r, strcmp(key, "look") == 0 ? "look: a path with blanks or quotes in it: %s"
                                               : "client: a path with blanks or quotes in it: %s",
                   p->root);
    *command = dna_pool_printf(p->pool, "%s/%s", p->root, *command);
    return 0;
}

static int check_whole(struct reader *r)
{
    struct dna_profile *p = r->profile;

    if (!p->start)
        return bad(r, "no start command%s", "");
    if (p->num_variants == 0 || strcmp(p->variants[0].name, "default") != 0)
        return bad(r, "the first variant must be default%s", "");
    if (p->variants[0].c2s_port == 0 && p->variants[0].s2s_port == 0)
        return bad(r, "ports: neither c2s= nor s2s=%s", "");
    if (!p->title)
        p->title = p->name;
    if (!p->stanza_limit)
        p->stanza_limit = DNA_STANZA_LIMIT;
    if (!p->barrier)
        p->barrier = dna_pool_strdup(p->pool, "db-verify");
    if (strcmp(p->barrier, "db-verify") != 0 && strcmp(p->barrier, "ping") != 0 &&
        strcmp(p->barrier, "deadline") != 0)
        return bad(r, "barrier %s: expected db-verify, ping or deadline", p->barrier);
    return put_program(r, "client", &p->client) || put_program(r, "look", &p->look) ? -1 : 0;
}

static int read_profile(struct dna_profile *p, struct dna_diag *diag)
{
    struct reader r = { .profile = p, .diag = diag };
    struct dna_buf text = { 0 };
    char *at, *newline;
    int result;

    r.path = dna_pool_printf(p->pool, "%s/profile", p->dir);
    r.defaults.c2s_port = 5222;
    r.defaults.s2s_port = 5269;
    result = dna_read_file(r.path, &text, diag);
    for (at = text.at; !result && at && *at; at = newline + 1) {
        newline = strchr(at, '\n');
        r.line++;
        if (!newline) {
            result = read_line(&r, at);
            break;
        }
        *newline = '\0';
        result = read_line(&r, at);
    }
    if (!result)
        result = check_whole(&r);
    dna_buf_free(&text);
    free(r.defaults.features.at);
    free(r.defaults.knobs.at);
    free(r.defaults.settings.at);
    return result;
}

void dna_profile_free(struct dna_profile *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->num_variants; i++) {
        free(p->variants[i].features.at);
        free(p->variants[i].knobs.at);
        free(p->variants[i].settings.at);
    }
    free(p->packages.at);
    free(p->required.at);
    free(p->prepare.at);
    free(p->prepare_account.at);
    free(p->env.at);
    free(p->session_words.at);
    free(p->roles.at);
    free(p->accounts.at);
    free(p->deadlines.at);
    free(p->templates);
    dna_pool_free(p->pool);
    free(p);
}

struct dna_profile *dna_profile_load(const char *name_or_path, struct dna_diag *diag)
{
    struct dna_profile *p = dna_xcalloc(1, sizeof *p);
    char root[PATH_MAX];
    const char *path;

    p->pool = dna_pool_new();
    p->dir = profile_find(p->pool, name_or_path, diag);
    if (!p->dir) {
        dna_profile_free(p);
        return NULL;
    }
    p->name = dna_pool_strdup(p->pool, strrchr(p->dir, '/') + 1);
    p->ready_ms = 10000;
    p->stop_ms = 2000;
    path = dna_pool_printf(p->pool, "%s/../../..", p->dir);
    p->root = dna_pool_strdup(p->pool, realpath(path, root) ? root : "/");
    path = dna_pool_printf(p->pool, "%s/known-failures", p->dir);
    if (access(path, F_OK) == 0)
        p->known_failures = dna_pool_strdup(p->pool, path);
    if (read_profile(p, diag)) {
        dna_profile_free(p);
        return NULL;
    }
    return p;
}
