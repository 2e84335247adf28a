/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The lines that make a scenario's DNS, web and clock: dnssec, tlsa, posh, page,
 * web, clock. They stand in the header and say what there is, or in the body and change it. What
 * they name is checked when all of the scenario is known (scn_flow.c).
 */
#include "conformance/scn_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/lab/posh_doc.h"

#define POSH_PATH "/.well-known/posh/xmpp-server.json"

static void bad(struct scn_parse *p, const struct scn_line *line, const char *what)
{
    scn_error(p->diags, line->file, line->line, "%s", what);
}

static bool is_word(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(*list, word) == 0)
            return true;
    return false;
}

static bool read_number(const char *word, long long min, long long max, long long *out)
{
    char *end;

    errno = 0;
    *out = strtoll(word, &end, 10);
    return *word && !isspace((unsigned char)*word) && !*end && !errno && *out >= min && *out <= max;
}

/* ---- dnssec ---- */

static struct dna_step *dnssec(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    static const char *const zones[] = { "unsigned", "nsec3", "signed", NULL };
    static const char *const types[] = { "SRV", "A", "AAAA", "CNAME", "TXT", "TLSA", "DS", "DNSKEY",
                                         "SOA", "NS", "any", NULL };
    static const char *const manners[] = { "good", "bad", "expired", "future", "stripped",
                                           "unproved", "signer", "tag", "labels", "ad", "no-ad",
                                           NULL };
    struct dna_step *s = scn_step_new(p, line, DNA_STEP_DNSSEC);
    const char *words[4] = { NULL };
    size_t num = 0;

    s->dns.owner = scn_word(p->pool, &rest, NULL);
    while (num < 3 && (words[num] = scn_word(p->pool, &rest, NULL)))
        num++;
    if (num == 1 && is_word(words[0], zones)) {
        s->value = words[0];
    } else if (num == 2 && is_word(words[0], types) && is_word(words[1], manners)) {
        s->name = words[0];
        s->value = words[1];
    } else {
        bad(p, line, "dnssec NAME unsigned|nsec3|signed (the zone of that name), or dnssec NAME "
            "TYPE|any good|bad|expired|future|stripped|unproved|signer|tag|labels (signatures) or "
            "ad|no-ad (the AD bit of answers)");
        return NULL;
    }
    return s;
}

/* ---- tlsa ---- */

static bool is_hex(const char *text)
{
    size_t len = strspn(text, "0123456789abcdefABCDEF");

    return len && len % 2 == 0 && !text[len];
}

static void check_tlsa(struct scn_parse *p, const struct scn_line *line, const struct dna_step *s)
{
    const char *data = scn_option(s->words, s->num_words, "data");
    long long number;

    if (s->num_words == 1 && strcmp(s->words[0], "none") == 0)
        return;
    if (s->num_words == 1 && strncmp(s->words[0], "raw=", 4) == 0 && is_hex(s->words[0] + 4))
        return;
    for (size_t i = 0; i < 3; i++)
        if (i >= s->num_words || !read_number(s->words[i], 0, 255, &number)) {
            bad(p, line, "tlsa is: tlsa ACTOR|NAME USAGE SELECTOR MATCHING [of=CERT] "
                "[data=HEX|bad|short], tlsa ACTOR|NAME raw=HEX, or tlsa ACTOR|NAME none");
            return;
        }
    for (size_t i = 3; i < s->num_words; i++)
        if (strncmp(s->words[i], "of=", 3) != 0 && strncmp(s->words[i], "data=", 5) != 0)
            scn_error(p->diags, line->file, line->line, "unexpected '%s'", s->words[i]);
    if (data && strcmp(data, "bad") != 0 && strcmp(data, "short") != 0 && !is_hex(data))
        scn_error(p->diags, line->file, line->line, "data= is hex digits, bad or short, not '%s'",
                  data);
}

static struct dna_step *tlsa(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    struct dna_step *s = scn_step_new(p, line, DNA_STEP_TLSA);

    s->dns.owner = scn_word(p->pool, &rest, NULL);
    s->num_words = scn_words(p->pool, rest, &s->words);
    check_tlsa(p, line, s);
    return s->dns.owner ? s : NULL;
}

/* ---- pages ---- */

static void comma_list(struct scn_parse *p, const char *text, const char ***out, size_t *out_num)
{
    *out = dna_pool_alloc(p->pool, (strlen(text) / 2 + 2) * sizeof(**out));
    *out_num = 0;
    while (*text) {
        size_t len = strcspn(text, ",");

        (*out)[(*out_num)++] = dna_pool_strndup(p->pool, text, len);
        text += len + (text[len] == ',');
    }
}

static void put_hashes(struct scn_parse *p, const struct scn_line *line, struct dna_scn_page *page,
                       const char *text)
{
    static const struct {
        const char *word;
        unsigned bit;
    } known[] = { { "sha-1", DNA_POSH_SHA1 }, { "sha-256", DNA_POSH_SHA256 },
                  { "sha-384", DNA_POSH_SHA384 }, { "sha-512", DNA_POSH_SHA512 },
                  { "unpadded", DNA_POSH_UNPADDED }, { "none", 0 } };
    const char **words;
    size_t num;

    page->hashes = 0;
    comma_list(p, text, &words, &num);
    for (size_t i = 0; i < num; i++) {
        size_t k = 0;

        while (k < sizeof(known) / sizeof(*known) && strcmp(known[k].word, words[i]) != 0)
            k++;
        if (k == sizeof(known) / sizeof(*known))
            scn_error(p->diags, line->file, line->line, "hash= is sha-1, sha-256, sha-384, sha-512,"
                      " unpadded or none, not '%s'", words[i]);
        else
            page->hashes |= known[k].bit;
    }
}

static bool put_pace(struct dna_scn_page *page, const char *word)
{
    static const struct {
        const char *word;
        enum dna_page_pace pace;
    } known[] = { { "slow", DNA_PACE_SLOW }, { "truncated", DNA_PACE_TRUNCATED },
                  { "endless", DNA_PACE_ENDLESS }, { "chunked", DNA_PACE_CHUNKED },
                  { "no-length", DNA_PACE_NO_LENGTH } };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (strcmp(known[i].word, word) == 0) {
            page->pace = known[i].pace;
            return true;
        }
    }
    return false;
}

static void put_status(struct scn_parse *p, const struct scn_line *line, struct dna_scn_page *page,
                       const char *word)
{
    long long number = 0;

    if (!word || !read_number(word, 200, 599, &number))
        scn_error(p->diags, line->file, line->line,
                  "a status is a number from 200 to 599, not '%s'", word ? word : "");
    page->status = (int)number;
}

/* what may stand behind a form that has a body */
static void page_options(struct scn_parse *p, const struct scn_line *line,
                         struct dna_scn_page *page, const char *rest)
{
    bool doc = page->form == DNA_PAGE_FINGERPRINTS || page->form == DNA_PAGE_REFERENCE;
    bool body = page->form == DNA_PAGE_BODY;
    const char *word;

    while ((word = scn_word(p->pool, &rest, NULL))) {
        bool ok = (doc || body) && put_pace(page, word);

        if (page->form == DNA_PAGE_FINGERPRINTS && strncmp(word, "hash=", 5) == 0) {
            put_hashes(p, line, page, word + 5);
            ok = true;
        } else if (doc && strncmp(word, "expires=", 8) == 0) {
            ok = read_number(word + 8, -4000000000LL, 4000000000LL, &page->expires);
        } else if ((doc || body) && strncmp(word, "status=", 7) == 0) {
            put_status(p, line, page, word + 7);
            ok = true;
        } else if (body && strncmp(word, "type=", 5) == 0) {
            page->type = word + 5;
            ok = true;
        } else if (page->form == DNA_PAGE_FINGERPRINTS && !page->num_certs &&
                   isupper((unsigned char)*word)) {
            comma_list(p, word, &page->certs, &page->num_certs);
            ok = true;
        }
        if (!ok)
            scn_error(p->diags, line->file, line->line, "unexpected '%s'", word);
    }
}

static const struct form {
    const char *word;
    enum dna_page_form form;
} forms[] = {
    { "none", DNA_PAGE_NONE }, { "fingerprints", DNA_PAGE_FINGERPRINTS },
    { "reference", DNA_PAGE_REFERENCE }, { "body", DNA_PAGE_BODY },
    { "redirect", DNA_PAGE_REDIRECT }, { "status", DNA_PAGE_STATUS },
    { "silent", DNA_PAGE_SILENT }, { "held", DNA_PAGE_HELD }, { "close", DNA_PAGE_CLOSE },
    { "raw", DNA_PAGE_RAW },
};

static bool find_form(struct dna_scn_page *page, const char *word)
{
    if (put_pace(page, word)) { /* 'posh $a slow': what it would say anyway, slowly */
        page->form = DNA_PAGE_FINGERPRINTS;
        return true;
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        if (strcmp(forms[i].word, word) == 0) {
            page->form = forms[i].form;
            return true;
        }
    }
    return false;
}

/* what stands behind the name of a page */
static void page_form(struct scn_parse *p, const struct scn_line *line, struct dna_scn_page *page,
                      const char *rest)
{
    const char *word = scn_word(p->pool, &rest, NULL);

    page->hashes = DNA_POSH_SHA256;
    page->expires = 86400;
    if (!word || !find_form(page, word)) {
        scn_error(
            p->diags, line->file, line->line,
            "a page is fingerprints [CERT,...], reference "
            "URL, body \"TEXT\", redirect STATUS URL, status N, raw \"TEXT\", slow, truncated,"
            " endless, silent, held, close or none, not '%s'",
            word ? word : "");
        return;
    }
    if (page->form == DNA_PAGE_STATUS || page->form == DNA_PAGE_REDIRECT)
        put_status(p, line, page, scn_word(p->pool, &rest, NULL));
    if (page->form == DNA_PAGE_REFERENCE || page->form == DNA_PAGE_REDIRECT) {
        page->url = scn_word(p->pool, &rest, NULL);
        if (!page->url)
            scn_error(p->diags, line->file, line->line, "'%s' needs a URL or a host", word);
    }
    if (page->form == DNA_PAGE_BODY || page->form == DNA_PAGE_RAW) {
        page->body = scn_word(p->pool, &rest, &page->body_len);
        if (!page->body)
            scn_error(p->diags, line->file, line->line, "'%s' needs a text", word);
    }
    page_options(p, line, page, rest);
}

/* host and path of https://HOST/PATH */
static bool split_url(struct scn_parse *p, const char *url, struct dna_scn_page *page)
{
    static const char scheme[] = "https://";
    const char *host = url + sizeof(scheme) - 1, *slash;

    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
        return false;
    slash = strchr(host, '/');
    if (!slash || slash == host)
        return false;
    page->host = dna_pool_strndup(p->pool, host, (size_t)(slash - host));
    page->path = slash;
    return true;
}

static struct dna_step *page_step(struct scn_parse *p, const struct scn_line *line,
                                  const char *rest)
{
    struct dna_step *s = scn_step_new(p, line, DNA_STEP_PAGE);
    const char *url = scn_word(p->pool, &rest, NULL);

    s->page = dna_pool_alloc(p->pool, sizeof(*s->page));
    if (!url || !split_url(p, url, s->page)) {
        bad(p, line, "page is: page https://HOST/PATH and what is there");
        return NULL;
    }
    page_form(p, line, s->page, rest);
    return s;
}

/* 'server' or 'client', which may be left out */
static const char *posh_path(struct scn_parse *p, struct dna_scn_page *page, const char **rest)
{
    const char *at = *rest, *word = scn_word(p->pool, &at, NULL);
    bool client = word && strcmp(word, "client") == 0;

    if (client || (word && strcmp(word, "server") == 0))
        *rest = at;
    page->posh = client ? "client" : "server";
    return client ? "/.well-known/posh/xmpp-client.json" : POSH_PATH;
}

static struct dna_step *posh_step(struct scn_parse *p, const struct scn_line *line,
                                  const char *rest)
{
    struct dna_step *s = scn_step_new(p, line, DNA_STEP_PAGE);

    s->page = dna_pool_alloc(p->pool, sizeof(*s->page));
    s->page->host = scn_word(p->pool, &rest, NULL);
    if (!s->page->host) {
        bad(p, line, "posh is: posh $a [server|client] and what is there");
        return NULL;
    }
    s->page->path = posh_path(p, s->page, &rest);
    page_form(p, line, s->page, rest);
    return s;
}

/* ---- web ---- */

static void web_words(struct scn_parse *p, const struct scn_line *line, struct dna_step *s)
{
    size_t i = 0;

    if (i < s->num_words && s->words[i][0] == '/')
        s->page->path = s->words[i++];
    else if (i < s->num_words && (strcmp(s->words[i], "server") == 0 ||
                                  strcmp(s->words[i], "client") == 0))
        s->page->path = dna_pool_printf(p->pool, "/.well-known/posh/xmpp-%s.json", s->words[i++]);
    else if (s->kind == DNA_STEP_WEB_SAW)
        s->page->path = POSH_PATH;
    for (; i < s->num_words && s->kind == DNA_STEP_WEB_SAW; i++) {
        long long number;

        if (strcmp(s->words[i], "before") == 0 && i + 2 < s->num_words && !s->actor &&
            strcmp(s->words[i + 2], "accept") == 0) {
            s->actor = scn_find_actor(p, line, s->words[i + 1], &s->conn);
            i += 2;
        } else if (strncmp(s->words[i], "times=", 6) == 0 &&
                   read_number(s->words[i] + 6, 1, 1000, &number)) {
            s->times = (unsigned)number;
        } else {
            break;
        }
    }
    if (i < s->num_words || (s->kind == DNA_STEP_WEB_REFUSED && s->page->path))
        scn_error(p->diags, line->file, line->line, "unexpected '%s' (web saw HOST [PATH] [before "
                  "ACTOR accept] [times=N], web never HOST [PATH], web refused HOST)",
                  s->words[i < s->num_words ? i : 0]);
}

static struct dna_step *web_step(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    static const struct {
        const char *word;
        enum dna_step_kind kind;
    } kinds[] = { { "saw", DNA_STEP_WEB_SAW }, { "never", DNA_STEP_WEB_NEVER },
                  { "refused", DNA_STEP_WEB_REFUSED } };
    const char *word = scn_word(p->pool, &rest, NULL), *host = scn_word(p->pool, &rest, NULL);

    for (size_t i = 0; word && host && i < sizeof(kinds) / sizeof(*kinds); i++) {
        struct dna_step *s;

        if (strcmp(word, kinds[i].word) != 0)
            continue;
        s = scn_step_new(p, line, kinds[i].kind);
        s->page = dna_pool_alloc(p->pool, sizeof(*s->page));
        s->page->host = host;
        scn_take_words(p, line, s, rest);
        web_words(p, line, s);
        return s;
    }
    bad(p, line, "web is: web saw HOST [PATH], web never HOST [PATH], web refused HOST");
    return NULL;
}

static void web_option(struct scn_parse *p, const struct scn_line *line, struct dna_scn_actor *a,
                       const char *word)
{
    if (strchr(word, '$'))
        a->hosts[a->num_hosts++] = word;
    else if (strncmp(word, "cert=", 5) == 0)
        a->cert = word + 5;
    else if (strcmp(word, "listen=no") == 0)
        a->listen = DNA_LISTEN_NO;
    else if (strcmp(word, "silent") == 0)
        a->manner = DNA_SCN_WEB_SILENT;
    else if (strcmp(word, "refuses") == 0)
        a->manner = DNA_SCN_WEB_REFUSES;
    else
        scn_error(p->diags, line->file, line->line, "unknown option '%s' of a web server (hosts, "
                  "cert=CERT, listen=no, silent, refuses)", word);
}

void scn_web_actor(struct scn_parse *p, const struct scn_line *line, struct dna_scn_actor *a,
                   const char *rest)
{
    const char *word;

    a->hosts = dna_pool_alloc(p->pool, (strlen(rest) / 2 + 1) * sizeof(*a->hosts));
    while ((word = scn_word(p->pool, &rest, NULL)))
        web_option(p, line, a, word);
    if (!a->num_hosts)
        scn_error(p->diags, line->file, line->line, "web server '%s' needs a host: web %s $a",
                  a->name, a->name);
}

/* ---- clock ---- */

static struct dna_step *clock_step(struct scn_parse *p, const struct scn_line *line,
                                   const char *rest)
{
    static const struct {
        char unit;
        long long seconds;
    } units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
    struct dna_step *s = scn_step_new(p, line, DNA_STEP_CLOCK);
    const char *word = scn_word(p->pool, &rest, NULL);
    char *end = NULL;
    long long number = 0, unit = 0;

    if (word && strcmp(word, "0") == 0)
        return s;
    if (word && (*word == '+' || *word == '-') && isdigit((unsigned char)word[1]))
        number = strtoll(word, &end, 10);
    for (size_t i = 0; end && end[0] && !end[1] && i < sizeof(units) / sizeof(*units); i++)
        if (*end == units[i].unit)
            unit = units[i].seconds;
    if (!unit || number > 36500 * 86400LL / unit || number < -36500 * 86400LL / unit ||
        scn_word(p->pool, &rest, NULL)) {
        bad(p, line, "clock is: clock +40d, -1d, +2h, +30m, -5s, or 0");
        return NULL;
    }
    s->seconds = number * unit;
    return s;
}

/* ---- the end of the IUT ---- */

struct dna_step *scn_iut_step(struct scn_parse *p, const struct scn_line *line, const char *rest)
{
    const char *word = scn_word(p->pool, &rest, NULL);
    bool stops = word && strcmp(word, "stops") == 0;
    struct dna_step *s = scn_step_new(p, line, stops ? DNA_STEP_IUT_STOPS : DNA_STEP_IUT_GONE);

    scn_take_words(p, line, s, rest);
    if (s->num_words || (!stops && !(word && strcmp(word, "gone") == 0)) ||
        (stops && s->within_ms)) {
        bad(p, line, "iut is: iut stops, or iut gone [within TIME]");
        return NULL;
    }
    p->scn->stops = true;
    return s;
}

/* ---- all of them ---- */

bool scn_world_line(struct scn_parse *p, const struct scn_line *line, const char *keyword,
                    const char *rest, bool header, struct dna_step **out)
{
    *out = NULL;
    if (strcmp(keyword, "dnssec") == 0)
        *out = dnssec(p, line, rest);
    else if (strcmp(keyword, "tlsa") == 0)
        *out = tlsa(p, line, rest);
    else if (strcmp(keyword, "posh") == 0)
        *out = posh_step(p, line, rest);
    else if (strcmp(keyword, "page") == 0)
        *out = page_step(p, line, rest);
    else if (!header && strcmp(keyword, "web") == 0)
        *out = web_step(p, line, rest);
    else if (!header && strcmp(keyword, "clock") == 0)
        *out = clock_step(p, line, rest);
    else
        return false;
    p->scn->proofs = true;
    return true;
}
