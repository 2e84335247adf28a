/* SPDX-License-Identifier: MIT */
/* jid.c -- see jid.h: splitting and preparing addresses. */
#include "impl/jid.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 sequence at text, 0 if it is none. */
static size_t utf8_char(const unsigned char *text, size_t len)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned c = text[0];
    size_t n = c < 0x80 ? 1 : (c >> 5) == 6 ? 2 : (c >> 4) == 14 ? 3 : (c >> 3) == 30 ? 4 : 0;

    if (n == 0 || n > len)
        return 0;
    if (n == 1)
        return 1;
    c &= 0x7fu >> n;
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (text[i] & 0x3fu);
    }
    return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

bool dna_utf8_valid(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;

    while (len > 0) {
        size_t n = utf8_char(at, len);
        if (n == 0)
            return false;
        at += n;
        len -= n;
    }
    return true;
}

static bool copy_text(const char *from, char *out, size_t size)
{
    size_t len = strlen(from);

    if (!out)
        return true;
    if (len >= size)
        return false;
    memcpy(out, from, len + 1);
    return true;
}

static bool is_address(const char *name)
{
    unsigned char addr[16];
    char inner[INET6_ADDRSTRLEN];
    size_t len = strlen(name);

    if (inet_pton(AF_INET, name, addr) == 1)
        return true;
    if (len < 4 || name[0] != '[' || name[len - 1] != ']' || len - 2 >= sizeof inner)
        return false;
    memcpy(inner, name + 1, len - 2);
    inner[len - 2] = '\0';
    return inet_pton(AF_INET6, inner, addr) == 1;
}

/* Labels of letters, digits, hyphens and underscores, none empty; libidn2 checks the rest. */
static bool labels_valid(const char *ascii)
{
    size_t label = 0;

    for (; *ascii; ascii++) {
        if (*ascii == '.') {
            if (label == 0)
                return false;
            label = 0;
            continue;
        }
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", *ascii) || ++label > 63)
            return false;
    }
    return label > 0;
}

bool dna_domain_prepare(const char *name, char *out_name, size_t name_size, char *out_ascii,
                        size_t ascii_size)
{
    char *ascii = NULL, *unicode = NULL;
    char trimmed[DNA_JID_PART_MAX + 1];
    size_t len = strlen(name);
    bool ok = false;

    if (len == 0 || len > DNA_JID_PART_MAX || !dna_utf8_valid(name, len))
        return false;
    if (is_address(name))
        return copy_text(name, out_name, name_size) && copy_text(name, out_ascii, ascii_size);
    memcpy(trimmed, name, len + 1);
    if (trimmed[len - 1] == '.')
        trimmed[len - 1] = '\0';
    if (idn2_to_ascii_8z(trimmed, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK &&
        idn2_to_unicode_8z8z(ascii, &unicode, 0) == IDN2_OK && strlen(ascii) <= 253 &&
        labels_valid(ascii))
        ok = copy_text(unicode, out_name, name_size) && copy_text(ascii, out_ascii, ascii_size);
    idn2_free(ascii);
    idn2_free(unicode);
    return ok;
}

bool dna_local_prepare(const char *local, char *out, size_t size)
{
    size_t len = strlen(local);

    if (len == 0 || len > DNA_JID_PART_MAX || len >= size || !dna_utf8_valid(local, len))
        return false;
    for (size_t i = 0; i <= len; i++) {
        unsigned char c = (unsigned char)local[i];
        if (i < len && (c <= 0x20 || c == 0x7f || strchr("\"&'/:<>@", c)))
            return false;
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return true;
}

bool dna_resource_valid(const char *resource)
{
    size_t len = strlen(resource);

    if (len == 0 || len > DNA_JID_PART_MAX || !dna_utf8_valid(resource, len))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)resource[i] < 0x20 || resource[i] == 0x7f)
            return false;
    return true;
}

bool dna_jid_parse(const char *text, struct dna_jid *out)
{
    const char *slash = strchr(text, '/');
    const char *end = slash ? slash : text + strlen(text);
    const char *at = memchr(text, '@', (size_t)(end - text));
    const char *domain = at ? at + 1 : text;
    char part[DNA_JID_PART_MAX + 1];

    out->local[0] = out->resource[0] = '\0';
    if (at && ((size_t)(at - text) > DNA_JID_PART_MAX || at == text))
        return false;
    if ((size_t)(end - domain) > DNA_JID_PART_MAX)
        return false;
    memcpy(part, domain, (size_t)(end - domain));
    part[end - domain] = '\0';
    if (!dna_domain_prepare(part, out->domain, sizeof out->domain, NULL, 0))
        return false;
    if (at) {
        memcpy(part, text, (size_t)(at - text));
        part[at - text] = '\0';
        if (!dna_local_prepare(part, out->local, sizeof out->local))
            return false;
    }
    if (!slash)
        return true;
    return dna_resource_valid(slash + 1) &&
           copy_text(slash + 1, out->resource, sizeof out->resource);
}
