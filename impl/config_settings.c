/* SPDX-License-Identifier: MIT */
/* config_settings.c -- the global settings: one entry of a table each, which is parsed, printed,
   defaulted and freed by its kind, so that --print-config can't forget one. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <ldns/ldns.h>
#include <string.h>

#include "impl/buf.h"
#include "impl/config_internal.h"

enum kind { LISTEN, ENDPOINT, ADDRESS, FILE_NAME, TEXT, TIME, COUNT, LEVEL };

struct setting {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *value; /* the default, as it would be written; "" = not set */
    uint32_t min, max; /* of numbers; the port to assume of addresses in min */
    const char *unset; /* the word that means "not set", or NULL */
    const char *text;
};

#define AT(member) offsetof(struct dna_config, member)
#define DAYS(n) ((n) * 86400000u)

static const struct setting settings[] = {
    { "listen_c2s", LISTEN, AT(listen_c2s), "0.0.0.0:5222", 5222, 0, "none",
      "Where clients connect: ADDRESS[:PORT], [IPV6][:PORT]; may be repeated; none = nowhere." },
    { "listen_s2s", LISTEN, AT(listen_s2s), "0.0.0.0:5269", 5269, 0, "none",
      "Where other servers connect." },
    { "resolver", ENDPOINT, AT(resolver), "", 53, 0, "system",
      "DNS resolver to ask; system = the first one of /etc/resolv.conf." },
    { "trust_anchor", TEXT, AT(trust_anchor), "", 0, 0, "none",
      "DS or DNSKEY record in quotes from which DNSSEC is validated; none = no validation." },
    { "connect_from", ADDRESS, AT(connect_from), "", 0, 0, "any",
      "Source address of streams to other servers." },
    { "ca_file", FILE_NAME, AT(ca_file), "", 0, 0, "none", "PEM file of trusted roots." },
    { "ca_dir", FILE_NAME, AT(ca_dir), "/etc/ssl/certs", 0, 0, "none",
      "Folder of trusted roots under their hashes (openssl rehash)." },
    { "crl_file", FILE_NAME, AT(crl_file), "", 0, 0, "none",
      "PEM file of certificate revocation lists, read at the start; see the knob revocation." },
    { "dialback_secret", TEXT, AT(dialback_secret), "", 0, 0, "random",
      "Secret of the dialback keys (XEP-0185), the same on all machines of a domain; random = new "
      "at each start." },
    { "timeout_connect", TIME, AT(timeout_connect_ms), "10s", 1, DAYS(1), NULL,
      "For one TCP connection attempt." },
    { "timeout_negotiation", TIME, AT(timeout_negotiation_ms), "30s", 1, DAYS(1), NULL,
      "From TCP up to a stream that is authenticated or has a proved pair." },
    { "timeout_verify", TIME, AT(timeout_verify_ms), "20s", 1, DAYS(1), NULL,
      "For the authoritative server's answer to db:verify." },
    { "timeout_dialback", TIME, AT(timeout_dialback_ms), "30s", 1, DAYS(1), NULL,
      "For the receiving server's answer to our db:result." },
    { "timeout_resolve", TIME, AT(timeout_resolve_ms), "10s", 1, DAYS(1), NULL,
      "For the DNS answers about one domain." },
    { "timeout_posh", TIME, AT(timeout_posh_ms), "10s", 1, DAYS(1), NULL,
      "For one POSH document, with all redirects and references." },
    { "timeout_idle", TIME, AT(timeout_idle_ms), "10m", 0, DAYS(24), NULL,
      "Before a secured stream without traffic is closed; 0s = never." },
    { "timeout_close", TIME, AT(timeout_close_ms), "2s", 1, DAYS(1), NULL,
      "For the peer's closing tag after ours." },
    { "posh_max_age", TIME, AT(posh_max_age_ms), "24h", 1000, DAYS(24), NULL,
      "A POSH document is not used for longer than this, whatever it says of itself." },
    { "posh_negative", TIME, AT(posh_negative_ms), "1m", 0, DAYS(1), NULL,
      "How long no POSH document, or a failure to get one, is remembered; 0s = not at all." },
    { "limit_stanza", COUNT, AT(limit_stanza), "256k", 10000, 16u << 20, NULL,
      "Bytes of one stanza or header (RFC 6120 13.12 asks for 10000 at least)." },
    { "limit_queue", COUNT, AT(limit_queue), "1000", 1, 1000000, NULL,
      "Stanzas that wait for one remote domain; more are bounced." },
    { "limit_pairs", COUNT, AT(limit_pairs), "10000", 1, 1000000, NULL,
      "Domain pairs on one stream." },
    { "limit_connections", COUNT, AT(limit_connections), "0", 0, 1000000, NULL,
      "Open connections from outside, both ports together; 0 = no limit." },
    { "log", FILE_NAME, AT(log), "", 0, 0, "stderr", "Where the log goes: a file, or stderr." },
    { "log_level", LEVEL, AT(log_level), "step", 0, 0, NULL,
      "error, warn, info, step (every step through the tables) or debug." },
};
enum { NUM = sizeof settings / sizeof settings[0] };
_Static_assert((int)NUM <= (int)DNA_CONFIG_SETTINGS_MAX, "set_on[] is too small");

static const char *const level_names[] = { "error", "warn", "info", "step", "debug" };

static void *field(struct dna_config *config, const struct setting *s)
{
    return (char *)config + s->offset;
}

static const void *const_field(const struct dna_config *config, const struct setting *s)
{
    return (const char *)config + s->offset;
}

static const struct setting *find(const char *key)
{
    for (size_t i = 0; i < NUM; i++)
        if (strcmp(settings[i].name, key) == 0)
            return &settings[i];
    return NULL;
}

bool dna_config_setting_known(const char *key)
{
    return find(key) || strcmp(key, "knob") == 0;
}

unsigned dna_config_setting_line(const struct dna_config_reader *r, const char *key)
{
    return r->set_on[find(key) - settings];
}

static void set_text(char **at, const char *value)
{
    free(*at);
    *at = value ? dna_strdup(value) : NULL;
}

/* Reads digits and a suffix out of a list of suffixes; *factor of "" stands for no suffix. */
struct suffix {
    const char *name;
    uint32_t factor;
};
static const struct suffix time_suffixes[] = {
    { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { NULL, 0 }
};
static const struct suffix count_suffixes[] = {
    { "", 1 }, { "k", 1024 }, { "M", 1048576 }, { NULL, 0 }
};

static bool read_number(const char *text, const struct suffix *suffixes, uint64_t *out)
{
    char *end;
    unsigned long long n;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    n = strtoull(text, &end, 10);
    if (errno || n > UINT32_MAX)
        return false;
    for (; suffixes->name; suffixes++)
        if (strcmp(end, suffixes->name) == 0) {
            *out = n * suffixes->factor;
            return true;
        }
    return false;
}

static void print_number(FILE *out, uint32_t n, const struct suffix *suffixes)
{
    const struct suffix *best = suffixes;

    for (; suffixes->name; suffixes++)
        if (n && n % suffixes->factor == 0)
            best = suffixes;
    fprintf(out, "%u%s", (unsigned)(n / best->factor), best->name);
}

static bool apply_number(struct dna_config_reader *r, const struct setting *s, const char *word)
{
    bool time = s->kind == TIME;
    uint64_t n;
    uint32_t value;

    if (!read_number(word, time ? time_suffixes : count_suffixes, &n))
        return dna_config_fail(r, r->line,
                               time ? "%s: `%s' is no time (2s, 500ms, 10m, 1h)"
                                    : "%s: `%s' is no number (1000, 64k, 1M)",
                               s->name, word);
    if (n < s->min || n > s->max)
        return dna_config_fail(r, r->line, "%s: `%s' is out of range (%u to %u%s)", s->name, word,
                               (unsigned)s->min, (unsigned)s->max, time ? " ms" : "");
    value = (uint32_t)n;
    memcpy(field(r->config, s), &value, sizeof value);
    return true;
}

static void endpoints_clear(struct dna_endpoints *list)
{
    for (size_t i = 0; i < list->num; i++)
        free(list->at[i].host);
    free(list->at);
    list->at = NULL;
    list->num = 0;
}

static bool apply_listen(struct dna_config_reader *r, const struct setting *s, const char *word,
                         bool first)
{
    struct dna_endpoints *list = field(r->config, s);
    struct dna_endpoint at;
    struct dna_endpoint *grown;
    const char *why;

    if (first)
        endpoints_clear(list);
    if (strcmp(word, s->unset) == 0)
        return list->num == 0 || dna_config_fail(r, r->line, "%s: none beside an address", s->name);
    if (!first && list->num == 0)
        return dna_config_fail(r, r->line, "%s: an address beside none", s->name);
    if ((why = dna_endpoint_parse(word, (uint16_t)s->min, &at)))
        return dna_config_fail(r, r->line, "%s: `%s' %s", s->name, word, why);
    for (size_t i = 0; i < list->num; i++)
        if (strcmp(list->at[i].host, at.host) == 0 && list->at[i].port == at.port) {
            free(at.host);
            return dna_config_fail(r, r->line, "%s: `%s' is listed twice", s->name, word);
        }
    grown = dna_calloc(list->num + 1, sizeof *grown);
    if (list->num)
        memcpy(grown, list->at, list->num * sizeof *grown);
    free(list->at);
    list->at = grown;
    list->at[list->num++] = at;
    return true;
}

static bool apply_address(struct dna_config_reader *r, const struct setting *s, const char *word)
{
    struct dna_endpoint at = { NULL, 0 };
    const char *why = NULL;

    if (strcmp(word, s->unset) != 0)
        why = dna_endpoint_parse(word, (uint16_t)s->min, &at);
    if (!why && s->kind == ADDRESS && at.host && at.port != 0) {
        free(at.host);
        why = "has a port, where an address alone is expected";
    }
    if (why)
        return dna_config_fail(r, r->line, "%s: `%s' %s", s->name, word, why);
    if (s->kind == ADDRESS) {
        set_text(field(r->config, s), at.host);
        free(at.host);
    } else {
        struct dna_endpoint *endpoint = field(r->config, s);
        free(endpoint->host);
        *endpoint = at;
    }
    return true;
}

/* Without this the resolver would start, and each lookup fail. */
static bool is_trust_anchor(const char *word)
{
    ldns_rr *rr = NULL;
    bool anchor =
        ldns_rr_new_frm_str(&rr, word, 0, NULL, NULL) == LDNS_STATUS_OK &&
        (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DS || ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNSKEY);

    ldns_rr_free(rr);
    return anchor;
}

static bool apply_text(struct dna_config_reader *r, const struct setting *s, const char *word)
{
    char *value = NULL;

    if (word[0] == '\0')
        return dna_config_fail(r, r->line, "%s: empty value", s->name);
    if (strcmp(s->name, "trust_anchor") == 0 && strcmp(word, s->unset) != 0 &&
        !is_trust_anchor(word))
        return dna_config_fail(r, r->line, "%s: `%s' is no DS or DNSKEY record", s->name, word);
    if (!s->unset || strcmp(word, s->unset) != 0)
        value = s->kind == FILE_NAME ? dna_config_path(r->path, word) : dna_strdup(word);
    set_text(field(r->config, s), value);
    free(value);
    return true;
}

static bool apply_level(struct dna_config_reader *r, const struct setting *s, const char *word)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (strcmp(word, level_names[i]) == 0) {
            r->config->log_level = (enum dna_log_level)i;
            return true;
        }
    return dna_config_fail(r, r->line, "%s: `%s' is not error, warn, info, step or debug", s->name,
                           word);
}

static bool apply_one(struct dna_config_reader *r, const struct setting *s, const char *word,
                      bool first)
{
    switch (s->kind) {
    case LISTEN:
        return apply_listen(r, s, word, first);
    case ENDPOINT:
    case ADDRESS:
        return apply_address(r, s, word);
    case FILE_NAME:
    case TEXT:
        return apply_text(r, s, word);
    case TIME:
    case COUNT:
        return apply_number(r, s, word);
    case LEVEL:
        return apply_level(r, s, word);
    }
    return false;
}

static bool apply_knob(struct dna_config_reader *r, char *const *words, size_t num)
{
    uint64_t n;

    if (num != 2)
        return dna_config_fail(r, r->line, "knob: expected NAME and VALUE");
    for (int i = 0; i < DNA_NUM_KNOBS; i++) {
        const struct dna_knob *knob = dna_knob((enum dna_knob_id)i);
        if (strcmp(knob->name, words[0]) != 0)
            continue;
        if (r->knob_on[i])
            return dna_config_fail(r, r->line, "knob %s: set twice (first on line %u)", knob->name,
                                   r->knob_on[i]);
        r->knob_on[i] = r->line;
        if (!read_number(words[1], count_suffixes, &n) || n > knob->max)
            return dna_config_fail(r, r->line, "knob %s: `%s' is not a number from 0 to %u (%s)",
                                   knob->name, words[1], (unsigned)knob->max, knob->values);
        dna_knob_set(&r->config->knobs, knob->name, (uint32_t)n);
        return true;
    }
    return dna_config_fail(r, r->line, "knob: unknown name `%s'", words[0]);
}

bool dna_config_setting_apply(struct dna_config_reader *r, const char *key, char *const *words,
                              size_t num)
{
    const struct setting *s = find(key);
    unsigned *set_on;

    if (strcmp(key, "knob") == 0)
        return apply_knob(r, words, num);
    if (!s)
        return dna_config_fail(r, r->line, "unknown setting `%s'", key);
    if (num != 1)
        return dna_config_fail(r, r->line, "%s: expected one value, found %zu", key, num);
    set_on = &r->set_on[s - settings];
    if (*set_on && s->kind != LISTEN)
        return dna_config_fail(r, r->line, "%s: set twice (first on line %u)", key, *set_on);
    if (!apply_one(r, s, words[0], *set_on == 0))
        return false;
    *set_on = r->line;
    return true;
}

void dna_config_settings_default(struct dna_config *config)
{
    struct dna_config_reader r = { .config = config };

    for (size_t i = 0; i < NUM; i++)
        if (settings[i].value[0])
            apply_one(&r, &settings[i], settings[i].value, true);
    config->knobs = dna_knobs_default();
}

void dna_config_word_print(FILE *out, const char *word)
{
    if (word[0] && !strpbrk(word, " \t\"#\\")) {
        fputs(word, out);
        return;
    }
    fputc('"', out);
    for (; *word; word++) {
        if (*word == '"' || *word == '\\')
            fputc('\\', out);
        fputc(*word, out);
    }
    fputc('"', out);
}

static void print_endpoint(FILE *out, const struct dna_endpoint *at)
{
    fprintf(out, strchr(at->host, ':') ? "[%s]:%u" : "%s:%u", at->host, at->port);
}

static void print_value(FILE *out, const struct dna_config *config, const struct setting *s)
{
    const void *at = const_field(config, s);
    const struct dna_endpoint *endpoint = at;
    const char *text;
    uint32_t n;

    switch (s->kind) {
    case LISTEN:
        break; /* print_listen */
    case ENDPOINT:
        if (endpoint->host)
            print_endpoint(out, endpoint);
        else
            fputs(s->unset, out);
        break;
    case ADDRESS:
    case FILE_NAME:
    case TEXT:
        memcpy(&text, at, sizeof text);
        dna_config_word_print(out, text ? text : s->unset);
        break;
    case TIME:
    case COUNT:
        memcpy(&n, at, sizeof n);
        print_number(out, n, s->kind == TIME ? time_suffixes : count_suffixes);
        break;
    case LEVEL:
        fputs(level_names[config->log_level], out);
        break;
    }
}

static void print_listen(FILE *out, const struct dna_config *config, const struct setting *s)
{
    const struct dna_endpoints *list = const_field(config, s);

    if (list->num == 0)
        fprintf(out, "%-19s %s\n", s->name, s->unset);
    for (size_t i = 0; i < list->num; i++) {
        fprintf(out, "%-19s ", s->name);
        print_endpoint(out, &list->at[i]);
        fputc('\n', out);
    }
}

void dna_config_settings_print(FILE *out, const struct dna_config *config)
{
    for (size_t i = 0; i < NUM; i++) {
        fprintf(out, "# %s\n", settings[i].text);
        if (settings[i].kind == LISTEN) {
            print_listen(out, config, &settings[i]);
            continue;
        }
        fprintf(out, "%-19s ", settings[i].name);
        print_value(out, config, &settings[i]);
        fputc('\n', out);
    }
    fputs("\n# Choices where the documents are silent or disagree (spec/decisions.def).\n", out);
    for (int i = 0; i < DNA_NUM_KNOBS; i++) {
        const struct dna_knob *knob = dna_knob((enum dna_knob_id)i);
        uint32_t value = 0;
        dna_knob_get(&config->knobs, knob->name, &value);
        fprintf(out, "# %s [%s]\n%-19s %s %u\n", knob->sentence, knob->values, "knob", knob->name,
                (unsigned)value);
    }
}

void dna_config_settings_free(struct dna_config *config)
{
    for (size_t i = 0; i < NUM; i++) {
        const struct setting *s = &settings[i];
        if (s->kind == LISTEN)
            endpoints_clear(field(config, s));
        else if (s->kind == ENDPOINT)
            free(((struct dna_endpoint *)field(config, s))->host);
        else if (s->kind == ADDRESS || s->kind == FILE_NAME || s->kind == TEXT)
            set_text(field(config, s), NULL);
    }
}
