/* SPDX-License-Identifier: MIT */
/* config.c -- reads the configuration file line by line into a new struct dna_config, which the
   caller gets whole or not at all; the reader keeps the first reason with its line. */
#include "impl/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"
#include "impl/config_internal.h"
#include "impl/jid.h"

enum { MAX_FILE = 16 << 20, MAX_LINE = 8192 };

/* Where the block being read got its certificate and key; 0 = not yet. */
struct block {
    struct dna_config_domain *domain;
    unsigned certificate_line, key_line;
};

bool dna_config_fail(struct dna_config_reader *r, unsigned line, const char *format, ...)
{
    va_list args;
    int used;

    if (!r->error || r->error_size == 0 || r->error[0])
        return false;
    used = line ? snprintf(r->error, r->error_size, "%s:%u: ", r->path, line)
                : snprintf(r->error, r->error_size, "%s: ", r->path);
    if (used < 0 || (size_t)used >= r->error_size)
        return false;
    va_start(args, format);
    vsnprintf(r->error + used, r->error_size - (size_t)used, format, args);
    va_end(args);
    return false;
}

char *dna_config_path(const char *config_path, const char *file)
{
    const char *slash = config_path ? strrchr(config_path, '/') : NULL;
    struct dna_buf path = DNA_BUF_INIT;

    if (file[0] != '/' && slash)
        dna_buf_add(&path, config_path, (size_t)(slash - config_path) + 1);
    dna_buf_puts(&path, file);
    return path.at;
}

const char *dna_endpoint_parse(const char *text, uint16_t default_port, struct dna_endpoint *out)
{
    unsigned char addr[16];
    const char *host = text, *end, *port = NULL;
    bool bracket = text[0] == '[';
    char copy[INET6_ADDRSTRLEN];
    uint32_t number = default_port;

    if (bracket) {
        host++;
        end = strchr(host, ']');
        if (!end || (end[1] && end[1] != ':'))
            return "is no [IPV6] or [IPV6]:PORT";
        port = end[1] ? end + 2 : NULL;
    } else {
        end = strchr(host, ':');
        port = end && !strchr(end + 1, ':') ? end + 1 : NULL;
        end = port ? end : host + strlen(host);
    }
    if ((size_t)(end - host) >= sizeof copy)
        return "is no literal address";
    memcpy(copy, host, (size_t)(end - host));
    copy[end - host] = '\0';
    if (inet_pton(strchr(copy, ':') ? AF_INET6 : AF_INET, copy, addr) != 1 ||
        bracket != (bracket && strchr(copy, ':')))
        return "is no literal address";
    if (port) {
        char *rest;
        errno = 0;
        number = (uint32_t)strtoul(port, &rest, 10);
        if (strlen(port) > 5 || port[0] < '1' || port[0] > '9' || *rest || number > UINT16_MAX)
            return "has no port from 1 to 65535";
    }
    out->host = dna_strdup(copy);
    out->port = (uint16_t)number;
    return NULL;
}

/* Splits a line in place into words; "..." keeps white space and #, \" and \\ inside. */
static bool split(struct dna_config_reader *r, char *line, char **words, size_t *num)
{
    char *in = line;

    *num = 0;
    for (;;) {
        char *out;
        in += strspn(in, " \t");
        if (*in == '\0' || *in == '#')
            return true;
        if (*num == DNA_CONFIG_WORDS_MAX)
            return dna_config_fail(r, r->line, "too many words (put text with spaces in quotes)");
        words[(*num)++] = out = in;
        if (*in != '"') {
            in += strcspn(in, " \t");
            if (*in)
                *in++ = '\0';
            continue;
        }
        for (in++; *in && *in != '"'; *out++ = *in++)
            if (*in == '\\' && (in[1] == '"' || in[1] == '\\'))
                in++;
        if (*in != '"')
            return dna_config_fail(r, r->line, "no closing quote");
        if (in[1] && in[1] != ' ' && in[1] != '\t')
            return dna_config_fail(r, r->line, "text right behind a closing quote");
        in++;
        *out = '\0';
    }
}

/* A text file holds UTF-8 without control characters but tab; anything else is not for us. */
static bool clean_line(struct dna_config_reader *r, const char *line, size_t len)
{
    if (len > MAX_LINE)
        return dna_config_fail(r, r->line, "line longer than %d bytes", (int)MAX_LINE);
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
            return dna_config_fail(r, r->line, "byte 0x%02x: this is no text file",
                                   (unsigned char)line[i]);
    if (!dna_utf8_valid(line, len))
        return dna_config_fail(r, r->line, "not UTF-8");
    return true;
}

static bool block_end(struct dna_config_reader *r, const struct block *block)
{
    const struct dna_config_domain *d = block->domain;

    if (!d)
        return true;
    if (!block->certificate_line)
        return dna_config_fail(r, d->line, "domain %s: no certificate", d->name);
    if (!d->certificate && d->num_accounts)
        return dna_config_fail(r, block->certificate_line,
                               "domain %s: accounts, and certificate none: nobody could log in, "
                               "and no server be reached under TLS",
                               d->name);
    if (!d->certificate)
        return !d->key || dna_config_fail(r, block->key_line,
                                          "domain %s: a key, and certificate none", d->name);
    if (!d->key)
        return dna_config_fail(r, d->line, "domain %s: no key", d->name);
    return !r->open_files ||
           dna_config_check_domain(r, d, block->certificate_line, block->key_line);
}

static bool block_begin(struct dna_config_reader *r, char *line, struct block *block)
{
    char name[256], ascii[256];
    struct dna_config *c = r->config;
    struct dna_config_domain *grown;
    char *words[DNA_CONFIG_WORDS_MAX];
    size_t num = 0;
    char *end = strchr(line, ']');

    if (!end)
        return dna_config_fail(r, r->line, "no closing bracket");
    *end = ' ';
    if (!split(r, line + 1, words, &num))
        return false;
    if (num != 2 || strcmp(words[0], "domain") != 0)
        return dna_config_fail(r, r->line, "expected [domain NAME]");
    if (!dna_domain_prepare(words[1], name, sizeof name, ascii, sizeof ascii))
        return dna_config_fail(r, r->line, "`%s' is no domain name", words[1]);
    for (size_t i = 0; i < c->num_domains; i++)
        if (strcmp(c->domains[i].name, name) == 0)
            return dna_config_fail(r, r->line, "domain %s: a second block (first on line %u)", name,
                                   c->domains[i].line);
    grown = dna_calloc(c->num_domains + 1, sizeof *grown);
    if (c->num_domains)
        memcpy(grown, c->domains, c->num_domains * sizeof *grown);
    free(c->domains);
    c->domains = grown;
    *block = (struct block){ .domain = &grown[c->num_domains++] };
    block->domain->name = dna_strdup(name);
    block->domain->ascii = dna_strdup(ascii);
    block->domain->line = r->line;
    return true;
}

static bool add_account(struct dna_config_reader *r, struct dna_config_domain *d,
                        char *const *words, size_t num)
{
    char name[1024];
    struct dna_config_account *grown;

    if (num != 2)
        return dna_config_fail(r, r->line, "account: expected NAME and PASSWORD");
    if (!dna_local_prepare(words[0], name, sizeof name))
        return dna_config_fail(r, r->line, "account: `%s' can't stand before the @ of an address",
                               words[0]);
    if (words[1][0] == '\0')
        return dna_config_fail(r, r->line, "account %s: empty password", name);
    if (dna_config_account_find(d, name))
        return dna_config_fail(r, r->line, "account %s: exists already in this domain", name);
    grown = dna_calloc(d->num_accounts + 1, sizeof *grown);
    if (d->num_accounts)
        memcpy(grown, d->accounts, d->num_accounts * sizeof *grown);
    free(d->accounts);
    d->accounts = grown;
    grown[d->num_accounts].name = dna_strdup(name);
    grown[d->num_accounts++].password = dna_strdup(words[1]);
    return true;
}

static bool set_file(struct dna_config_reader *r, const char *key, char *const *words, size_t num,
                     char **at, unsigned *line)
{
    if (num != 1 || words[0][0] == '\0')
        return dna_config_fail(r, r->line, "%s: expected one file name", key);
    if (*line)
        return dna_config_fail(r, r->line, "%s: set twice (first on line %u)", key, *line);
    *line = r->line;
    if (strcmp(key, "certificate") != 0 || strcmp(words[0], "none") != 0)
        *at = dna_config_path(r->path, words[0]);
    return true;
}

static bool block_line(struct dna_config_reader *r, struct block *block, const char *key,
                       char *const *words, size_t num)
{
    struct dna_config_domain *d = block->domain;

    if (strcmp(key, "certificate") == 0)
        return set_file(r, key, words, num, &d->certificate, &block->certificate_line);
    if (strcmp(key, "key") == 0)
        return set_file(r, key, words, num, &d->key, &block->key_line);
    if (strcmp(key, "account") == 0)
        return add_account(r, d, words, num);
    if (dna_config_setting_known(key))
        return dna_config_fail(r, r->line, "%s: belongs before the first [domain] block", key);
    return dna_config_fail(r, r->line, "unknown setting `%s' in a [domain] block", key);
}

static bool global_line(struct dna_config_reader *r, const char *key, char *const *words,
                        size_t num)
{
    if (strcmp(key, "certificate") == 0 || strcmp(key, "key") == 0 || strcmp(key, "account") == 0)
        return dna_config_fail(r, r->line, "%s: belongs in a [domain NAME] block", key);
    return dna_config_setting_apply(r, key, words, num);
}

static bool read_line(struct dna_config_reader *r, char *line, struct block *block)
{
    char *words[DNA_CONFIG_WORDS_MAX];
    size_t num;
    char *start = line + strspn(line, " \t");

    if (*start == '[')
        return block_end(r, block) && block_begin(r, start, block);
    if (!split(r, start, words, &num))
        return false;
    if (num == 0)
        return true;
    return block->domain ? block_line(r, block, words[0], words + 1, num - 1)
                         : global_line(r, words[0], words + 1, num - 1);
}

static bool read_text(struct dna_config_reader *r, const char *text, size_t len)
{
    struct block block = { 0 };
    bool ok = true;

    while (ok && len > 0) {
        const char *newline = memchr(text, '\n', len);
        size_t taken = newline ? (size_t)(newline - text) + 1 : len;
        size_t line_len = newline ? taken - 1 : len;
        char *line;

        r->line++;
        if (line_len > 0 && text[line_len - 1] == '\r')
            line_len--;
        ok = clean_line(r, text, line_len);
        if (ok) {
            line = dna_calloc(1, line_len + 1);
            memcpy(line, text, line_len);
            ok = read_line(r, line, &block);
            explicit_bzero(line, line_len); /* passwords and the dialback secret pass here */
            free(line);
        }
        text += taken;
        len -= taken;
    }
    return ok && block_end(r, &block);
}

struct dna_config *dna_config_new(void)
{
    struct dna_config *c = dna_calloc(1, sizeof *c);

    dna_config_settings_default(c);
    return c;
}

static struct dna_config *reader_begin(struct dna_config_reader *r, const char *path, char *error,
                                       size_t error_size)
{
    struct dna_config *c = dna_config_new();

    if (error_size)
        error[0] = '\0';
    c->path = dna_strdup(path);
    *r = (struct dna_config_reader){
        .config = c, .path = c->path, .error = error, .error_size = error_size
    };
    return c;
}

struct dna_config *dna_config_parse(const char *path, const char *text, size_t len, char *out_error,
                                    size_t error_size)
{
    struct dna_config_reader r;
    struct dna_config *c = reader_begin(&r, path, out_error, error_size);

    if (read_text(&r, text, len))
        return c;
    dna_config_free(c);
    return NULL;
}

static bool slurp(struct dna_config_reader *r, struct dna_buf *out)
{
    char chunk[4096];
    size_t got;
    bool ok = true;
    FILE *in = fopen(r->path, "r");

    if (!in)
        return dna_config_fail(r, 0, "%s", strerror(errno));
    while (ok && (got = fread(chunk, 1, sizeof chunk, in)) > 0) {
        dna_buf_add(out, chunk, got);
        ok = out->len <= MAX_FILE ||
             dna_config_fail(r, 0, "larger than %d bytes: this is no configuration", (int)MAX_FILE);
    }
    if (ok && ferror(in))
        ok = dna_config_fail(r, 0, "%s", strerror(errno));
    explicit_bzero(chunk, sizeof chunk);
    fclose(in);
    return ok;
}

struct dna_config *dna_config_load(const char *path, char *out_error, size_t error_size)
{
    struct dna_config_reader r;
    struct dna_config *c = reader_begin(&r, path, out_error, error_size);
    struct dna_buf text = DNA_BUF_INIT;
    bool ok = slurp(&r, &text);

    r.open_files = true;
    ok = ok && read_text(&r, text.at ? text.at : "", text.len) &&
         dna_config_check_settings(&r);
    if (ok && c->num_domains == 0)
        ok = dna_config_fail(&r, 0, "no [domain NAME] block: nothing to host");
    if (text.at)
        explicit_bzero(text.at, text.len);
    dna_buf_cleanup(&text);
    if (ok)
        return c;
    dna_config_free(c);
    return NULL;
}

static void print_domain(FILE *out, const struct dna_config_domain *d)
{
    fprintf(out, "\n[domain %s]\n%-19s ", d->name, "certificate");
    if (d->certificate) {
        dna_config_word_print(out, d->certificate);
        fprintf(out, "\n%-19s ", "key");
        dna_config_word_print(out, d->key);
    } else {
        fputs("none", out);
    }
    fputc('\n', out);
    for (size_t i = 0; i < d->num_accounts; i++) {
        fprintf(out, "%-19s %s ", "account", d->accounts[i].name);
        dna_config_word_print(out, d->accounts[i].password);
        fputc('\n', out);
    }
}

void dna_config_print(FILE *out, const struct dna_config *config)
{
    fputs("# xdna-server: KEY VALUE a line; # starts a comment; \"quotes\" keep spaces and #.\n"
          "# Times end in ms, s, m or h; sizes may end in k or M.\n\n",
          out);
    dna_config_settings_print(out, config);
    fputs("\n# One block a hosted domain, after the settings above; relative paths start at the\n"
          "# folder of this file.  The certificate file holds the leaf first, then its chain;\n"
          "# certificate none: STARTTLS fails for that domain, whoever wants it.\n",
          out);
    for (size_t i = 0; i < config->num_domains; i++)
        print_domain(out, &config->domains[i]);
    if (config->num_domains == 0)
        fputs("# [domain a.example]\n# certificate       a.example.crt\n"
              "# key               a.example.key\n# account           juliet \"her password\"\n",
              out);
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
}

void dna_config_free(struct dna_config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < config->num_domains; i++) {
        struct dna_config_domain *d = &config->domains[i];
        for (size_t j = 0; j < d->num_accounts; j++) {
            wipe(d->accounts[j].password);
            free(d->accounts[j].password);
            free(d->accounts[j].name);
        }
        free(d->accounts);
        free(d->name);
        free(d->ascii);
        free(d->certificate);
        free(d->key);
    }
    free(config->domains);
    wipe(config->dialback_secret);
    dna_config_settings_free(config);
    free(config->path);
    free(config);
}

const struct dna_config_domain *dna_config_domain_find(const struct dna_config *config,
                                                       const char *name)
{
    for (size_t i = 0; i < config->num_domains; i++)
        if (strcmp(config->domains[i].name, name) == 0)
            return &config->domains[i];
    return NULL;
}

const struct dna_config_account *dna_config_account_find(const struct dna_config_domain *domain,
                                                         const char *name)
{
    for (size_t i = 0; i < domain->num_accounts; i++)
        if (strcmp(domain->accounts[i].name, name) == 0)
            return &domain->accounts[i];
    return NULL;
}
