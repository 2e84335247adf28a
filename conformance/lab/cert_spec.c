/* SPDX-License-Identifier: MIT */
/* The keys of a scenario's `cert` line, read into a dna_cert_spec. Nothing is allocated. */
#include "conformance/lab/ca.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400LL

void dna_cert_spec_init(struct dna_cert_spec *spec)
{
    memset(spec, 0, sizeof *spec);
    spec->not_before = -DAY;
    spec->not_after = 365 * DAY;
    spec->eku = DNA_EKU_SERVER | DNA_EKU_CLIENT;
}

static int bad(struct dna_diag *diag, const char *key, const char *value, const char *wanted)
{
    return dna_diag_set(diag, DNA_CLASS_USAGE, "cert: %s=%s: expected %s", key, value, wanted);
}

static int put_text(char *out, size_t out_len, const char *key, const char *value,
                    struct dna_diag *diag)
{
    if (value[0] == '\0')
        return bad(diag, key, value, "a name");
    if (strlen(value) >= out_len)
        return bad(diag, key, value, "a shorter name");
    snprintf(out, out_len, "%s", value);
    return 0;
}

static int put_names(struct dna_cert_names *names, const char *key, const char *value,
                     struct dna_diag *diag)
{
    while (*value) {
        size_t len = strcspn(value, ",");

        if (len == 0)
            return bad(diag, key, value, "names between commas");
        if (len >= DNA_CERT_NAME_LEN)
            return bad(diag, key, value, "names of less than 256 bytes");
        if (names->num == DNA_CERT_MAX_NAMES)
            return bad(diag, key, value, "at most 16 names");
        snprintf(names->at[names->num++], DNA_CERT_NAME_LEN, "%.*s", (int)len, value);
        value += len;
        if (*value == ',' && value[1] == '\0')
            return bad(diag, key, value, "a name after the comma");
        value += *value == ',';
    }
    return names->num ? 0 : bad(diag, key, value, "at least one name");
}

static int put_offset(long long *out, const char *key, const char *value, struct dna_diag *diag)
{
    static const char wanted[] = "an offset from now such as -1d, +2h, +30m or -5s";
    long long number, unit;
    char *end;

    if (*value != '+' && *value != '-')
        return bad(diag, key, value, wanted);
    if (!isdigit((unsigned char)value[1]))
        return bad(diag, key, value, wanted);
    errno = 0;
    number = strtoll(value, &end, 10);
    switch (*end) {
    case 'd':
        unit = DAY;
        break;
    case 'h':
        unit = 3600;
        break;
    case 'm':
        unit = 60;
        break;
    case 's':
        unit = 1;
        break;
    default:
        return bad(diag, key, value, wanted);
    }
    /* A century either way is more than anybody means. */
    if (errno || end[1] != '\0' || number > 36500 * DAY / unit || number < -36500 * DAY / unit)
        return bad(diag, key, value, wanted);
    *out = number * unit;
    return 0;
}

static int put_eku(unsigned *out, const char *key, const char *value, struct dna_diag *diag)
{
    static const char wanted[] = "server, client, any (with commas between) or none";

    *out = DNA_EKU_NONE;
    if (strcmp(value, "none") == 0)
        return 0;
    while (*value) {
        size_t len = strcspn(value, ",");

        if (len == 6 && strncmp(value, "server", len) == 0)
            *out |= DNA_EKU_SERVER;
        else if (len == 6 && strncmp(value, "client", len) == 0)
            *out |= DNA_EKU_CLIENT;
        else if (len == 3 && strncmp(value, "any", len) == 0)
            *out |= DNA_EKU_ANY;
        else
            return bad(diag, key, value, wanted);
        value += len;
        if (*value == ',' && value[1] == '\0')
            return bad(diag, key, value, wanted);
        value += *value == ',';
    }
    return *out ? 0 : bad(diag, key, value, wanted);
}

static int put_bool(bool *out, const char *key, const char *value, const char *yes, const char *no,
                    struct dna_diag *diag)
{
    if (strcmp(value, yes) != 0 && strcmp(value, no) != 0)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "cert: %s=%s: expected %s or %s", key, value,
                            yes, no);
    *out = strcmp(value, yes) == 0;
    return 0;
}

static int put_number(unsigned *out, unsigned max, const char *key, const char *value,
                      struct dna_diag *diag)
{
    size_t len = strspn(value, "0123456789");
    unsigned long number = strtoul(value, NULL, 10);

    if (len == 0 || len > 9 || value[len] || number > max)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "cert: %s=%s: expected a number up to %u", key,
                            value, max);
    *out = (unsigned)number;
    return 0;
}

/* The words as OpenSSL spells them, which are the RFC's. */
static int put_key_usage(char *out, size_t out_len, const char *key, const char *value,
                         struct dna_diag *diag)
{
    static const char *const known[] = { "digitalSignature", "nonRepudiation", "keyEncipherment",
                                         "dataEncipherment", "keyAgreement", "keyCertSign",
                                         "cRLSign", "encipherOnly", "decipherOnly" };
    const char *at = value;

    for (bool more = strcmp(value, "none") != 0; more;) {
        size_t len = strcspn(at, ","), i = 0;

        while (i < sizeof known / sizeof known[0] &&
               (strlen(known[i]) != len || strncmp(known[i], at, len) != 0))
            i++;
        if (i == sizeof known / sizeof known[0])
            return bad(diag, key, value, "none, or words of RFC 5280 4.2.1.3 such as "
                       "digitalSignature,keyAgreement");
        more = at[len] == ',';
        at += len + more;
    }
    return put_text(out, out_len, key, value, diag);
}

static int put_chain(enum dna_cert_chain *out, const char *key, const char *value,
                     struct dna_diag *diag)
{
    static const char *const words[] = { [DNA_CHAIN_GOOD] = "good", [DNA_CHAIN_FULL] = "full",
                                         [DNA_CHAIN_NONE] = "none",
                                         [DNA_CHAIN_REVERSED] = "reversed",
                                         [DNA_CHAIN_JUNK] = "junk" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], value) == 0) {
            *out = (enum dna_cert_chain)i;
            return 0;
        }
    }
    return bad(diag, key, value, "good, full, none, reversed or junk");
}

static int put_signature(struct dna_cert_spec *spec, const char *key, const char *value,
                         struct dna_diag *diag)
{
    spec->bad_signature = strcmp(value, "bad") == 0;
    spec->sha1 = strcmp(value, "sha1") == 0;
    if (!spec->bad_signature && !spec->sha1 && strcmp(value, "good") != 0)
        return bad(diag, key, value, "good, bad or sha1");
    return 0;
}

/* put_shape reads the keys that few certificates need; 1 if it is none of them. */
static int put_shape(struct dna_cert_spec *spec, const char *key, const char *value,
                     struct dna_diag *diag)
{
    if (strcmp(key, "pathlen") == 0) {
        spec->has_pathlen = true;
        return put_number(&spec->pathlen, 16, key, value, diag);
    }
    if (strcmp(key, "filler") == 0)
        return put_number(&spec->filler, 5000, key, value, diag);
    if (strcmp(key, "keyusage") == 0)
        return put_key_usage(spec->key_usage, sizeof spec->key_usage, key, value, diag);
    if (strcmp(key, "permitted") == 0)
        return put_names(&spec->permitted, key, value, diag);
    if (strcmp(key, "excluded") == 0)
        return put_names(&spec->excluded, key, value, diag);
    if (strcmp(key, "chain") == 0)
        return put_chain(&spec->chain, key, value, diag);
    if (strcmp(key, "subject") == 0) {
        spec->no_subject = strcmp(value, "none") == 0;
        return spec->no_subject ? 0 : bad(diag, key, value, "none");
    }
    if (strcmp(key, "critical") == 0) {
        spec->unknown_critical = strcmp(value, "unknown") == 0;
        return spec->unknown_critical ? 0 : bad(diag, key, value, "unknown");
    }
    return 1;
}

static int put_issuer(struct dna_cert_spec *spec, const char *value, struct dna_diag *diag)
{
    if (strcmp(value, "ca") == 0) {
        spec->issuer = DNA_ISSUER_CA;
        return 0;
    }
    if (strcmp(value, "self") == 0) {
        spec->issuer = DNA_ISSUER_SELF;
        return 0;
    }
    if (strcmp(value, "other") == 0) {
        spec->issuer = DNA_ISSUER_OTHER;
        return 0;
    }
    spec->issuer = DNA_ISSUER_NAMED;
    return put_text(spec->issuer_name, sizeof spec->issuer_name, "issuer", value, diag);
}

static int put_key(struct dna_cert_spec *spec, const char *key, const char *value,
                   struct dna_diag *diag)
{
    int result = put_shape(spec, key, value, diag);

    if (result != 1)
        return result;
    if (strcmp(key, "dns") == 0)
        return put_names(&spec->dns, key, value, diag);
    if (strcmp(key, "srv") == 0)
        return put_names(&spec->srv, key, value, diag);
    if (strcmp(key, "xmpp") == 0)
        return put_names(&spec->xmpp, key, value, diag);
    if (strcmp(key, "ip") == 0)
        return put_names(&spec->ip, key, value, diag);
    if (strcmp(key, "cn") == 0)
        return put_text(spec->cn, sizeof spec->cn, key, value, diag);
    if (strcmp(key, "issuer") == 0)
        return put_issuer(spec, value, diag);
    if (strcmp(key, "same-key-as") == 0)
        return put_text(spec->same_key_as, sizeof spec->same_key_as, key, value, diag);
    if (strcmp(key, "eku") == 0)
        return put_eku(&spec->eku, key, value, diag);
    if (strcmp(key, "ca") == 0)
        return put_bool(&spec->ca, key, value, "true", "false", diag);
    if (strcmp(key, "signature") == 0)
        return put_signature(spec, key, value, diag);
    if (strcmp(key, "notbefore") == 0) {
        spec->has_not_before = true;
        return put_offset(&spec->not_before, key, value, diag);
    }
    if (strcmp(key, "notafter") == 0) {
        spec->has_not_after = true;
        return put_offset(&spec->not_after, key, value, diag);
    }
    return dna_diag_set(diag, DNA_CLASS_USAGE,
                        "cert: unknown key \"%s\" (known: dns srv xmpp ip cn issuer same-key-as "
                        "notbefore notafter eku ca signature pathlen keyusage permitted excluded chain "
                        "subject filler critical revoked none)",
                        key);
}

static int put_word(struct dna_cert_spec *spec, const char *word, size_t len,
                    struct dna_diag *diag)
{
    char text[2048], *value;

    if (len >= sizeof text)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "cert: a word of more than 2047 bytes");
    snprintf(text, sizeof text, "%.*s", (int)len, word);
    if (strcmp(text, "none") == 0) {
        spec->none = true;
        return 0;
    }
    if (strcmp(text, "revoked") == 0) {
        spec->revoked = true;
        return 0;
    }
    value = strchr(text, '=');
    if (!value)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "cert: \"%s\" is not of the form key=value",
                            text);
    *value = '\0';
    return put_key(spec, text, value + 1, diag);
}

int dna_cert_spec_parse(const char *text, struct dna_cert_spec *spec, struct dna_diag *diag)
{
    bool any = false;

    dna_cert_spec_init(spec);
    for (;;) {
        size_t len;

        text += strspn(text, " \t\r\n");
        if (*text == '\0')
            break;
        len = strcspn(text, " \t\r\n");
        if (spec->none || (any && strncmp(text, "none", len) == 0 && len == 4))
            return dna_diag_set(diag, DNA_CLASS_USAGE, "cert: none stands alone");
        if (put_word(spec, text, len, diag))
            return -1;
        any = true;
        text += len;
    }
    if (spec->not_after <= spec->not_before) {
        if (spec->has_not_before && spec->has_not_after)
            return dna_diag_set(diag, DNA_CLASS_USAGE, "cert: notafter lies before notbefore");
        if (spec->has_not_after)
            spec->not_before = spec->not_after - 30 * DAY;
        else
            spec->not_after = spec->not_before + 365 * DAY;
    }
    return 0;
}
