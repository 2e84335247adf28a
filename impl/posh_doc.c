/* SPDX-License-Identifier: MIT */
/* posh_doc: see posh_doc.h. */
#include "impl/posh_doc.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/b64.h"
#include "impl/posh_url.h"

static const struct {
    const char *name;
    size_t len;
    const EVP_MD *(*md)(void);
} hashes[DNA_POSH_NUM_HASHES] = {
    [DNA_POSH_SHA256] = { "sha-256", 32, EVP_sha256 },
    [DNA_POSH_SHA384] = { "sha-384", 48, EVP_sha384 },
    [DNA_POSH_SHA512] = { "sha-512", 64, EVP_sha512 },
};

const char *dna_posh_hash_name(enum dna_posh_hash h)
{
    return hashes[h].name;
}

const EVP_MD *dna_posh_hash_md(enum dna_posh_hash h)
{
    return hashes[h].md();
}

__attribute__((format(printf, 2, 3))) static bool bad(struct dna_posh_doc *d, const char *format,
                                                      ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(d->why, sizeof d->why, format, args);
    va_end(args);
    return false;
}

/* The JSON library is given nothing that would make it recurse deeply or guess an encoding. */
static bool look_at_bytes(struct dna_posh_doc *d, const char *body, size_t len)
{
    bool quoted = false;
    int depth = 0;
    if (len == 0)
        return bad(d, "the document is empty");
    if (len >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0)
        return bad(d, "byte 0: a byte order mark");
    for (size_t i = 0; i < len; i++) {
        char c = body[i];
        if (c == '\0')
            return bad(d, "byte %zu: NUL (UTF-16 or UTF-32?)", i);
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']'))
            depth--;
        if (depth > DNA_POSH_MAX_DEPTH)
            return bad(d, "byte %zu: nested more than %d deep", i, DNA_POSH_MAX_DEPTH);
    }
    return true;
}

static bool read_expires(struct dna_posh_doc *d, const json_t *root)
{
    const json_t *e = json_object_get(root, "expires");
    if (!e)
        return bad(d, "\"expires\" is missing");
    if (!json_is_integer(e))
        return bad(d, "\"expires\" is no integer");
    if (json_integer_value(e) < 0)
        return bad(d, "\"expires\" is negative");
    if (json_integer_value(e) == 0)
        return bad(d, "\"expires\" is 0: the owner has withdrawn it");
    d->expires = (uint64_t)json_integer_value(e);
    return true;
}

static bool read_descriptor(struct dna_posh_doc *d, const json_t *from, size_t n)
{
    struct dna_posh_descriptor *to = &d->descriptors[n];
    if (!json_is_object(from))
        return bad(d, "\"fingerprints\"[%zu] is no object", n);
    for (int h = 0; h < DNA_POSH_NUM_HASHES; h++) {
        const json_t *value = json_object_get(from, hashes[h].name);
        struct dna_buf raw = DNA_BUF_INIT;
        if (!value)
            continue;
        if (!json_is_string(value))
            return bad(d, "\"fingerprints\"[%zu].\"%s\" is no string", n, hashes[h].name);
        to->has[h] = DNA_POSH_GARBLED;
        if (dna_b64_decode(&raw, json_string_value(value), json_string_length(value)) == 0 &&
            raw.len == hashes[h].len) {
            memcpy(to->hash[h], raw.at, raw.len);
            to->has[h] = DNA_POSH_SET;
        }
        dna_buf_cleanup(&raw);
    }
    return true;
}

static bool read_fingerprints(struct dna_posh_doc *d, const json_t *list)
{
    size_t num = json_array_size(list);
    if (!json_is_array(list))
        return bad(d, "\"fingerprints\" is no array");
    if (num == 0)
        return bad(d, "\"fingerprints\" is empty");
    if (num > DNA_POSH_MAX_DESCRIPTORS)
        return bad(d, "\"fingerprints\" has %zu descriptors, more than %d", num,
                   DNA_POSH_MAX_DESCRIPTORS);
    d->descriptors = dna_calloc(num, sizeof *d->descriptors);
    d->num = num;
    for (size_t i = 0; i < num; i++)
        if (!read_descriptor(d, json_array_get(list, i), i))
            return false;
    return true;
}

static bool read_url(struct dna_posh_doc *d, const json_t *url)
{
    char why[100];
    if (!json_is_string(url))
        return bad(d, "\"url\" is no string");
    if (!dna_posh_url_ok(json_string_value(url), why, sizeof why))
        return bad(d, "\"url\" %s", why);
    d->url = dna_strdup(json_string_value(url));
    return true;
}

static bool read_object(struct dna_posh_doc *d, const json_t *root)
{
    const json_t *fingerprints = json_object_get(root, "fingerprints");
    const json_t *url = json_object_get(root, "url");
    if (!json_is_object(root))
        return bad(d, "it is no JSON object");
    if (fingerprints && url)
        return bad(d, "it has both \"fingerprints\" and \"url\"");
    if (!fingerprints && !url)
        return bad(d, "it has neither \"fingerprints\" nor \"url\"");
    if (!read_expires(d, root))
        return false;
    if (url ? !read_url(d, url) : !read_fingerprints(d, fingerprints))
        return false;
    d->kind = url ? DNA_POSH_REFERENCE : DNA_POSH_FINGERPRINTS;
    return true;
}

void dna_posh_doc_read(struct dna_posh_doc *out, const char *body, size_t len)
{
    json_error_t error;
    memset(out, 0, sizeof *out);
    if (!look_at_bytes(out, body, len))
        return;
    json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!root)
        (void)bad(out, "line %d, column %d: %.100s", error.line, error.column, error.text);
    else
        (void)read_object(out, root);
    json_decref(root);
}

void dna_posh_doc_cleanup(struct dna_posh_doc *doc)
{
    free(doc->descriptors);
    free(doc->url);
    memset(doc, 0, sizeof *doc);
}

struct dna_posh_match dna_posh_doc_match(const struct dna_posh_doc *doc, X509 *leaf)
{
    struct dna_posh_match m = { .mismatched_too = false };
    unsigned char own[DNA_POSH_NUM_HASHES][EVP_MAX_MD_SIZE];
    bool clean = false;
    for (int h = 0; h < DNA_POSH_NUM_HASHES; h++)
        if (X509_digest(leaf, hashes[h].md(), own[h], NULL) != 1)
            return m;
    for (size_t i = 0; i < doc->num; i++) {
        const struct dna_posh_descriptor *d = &doc->descriptors[i];
        bool hit = false, miss = false;
        for (int h = 0; h < DNA_POSH_NUM_HASHES; h++) {
            if (d->has[h] == DNA_POSH_UNSET)
                continue;
            bool same =
                d->has[h] == DNA_POSH_SET && CRYPTO_memcmp(d->hash[h], own[h], hashes[h].len) == 0;
            if (same && !m.matched) {
                m.by = hashes[h].name;
                m.at = i;
            }
            m.matched |= same;
            hit |= same;
            miss |= !same;
        }
        clean |= hit && !miss;
    }
    m.mismatched_too = m.matched && !clean;
    return m;
}
