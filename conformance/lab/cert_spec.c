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
    static const char wanted[] = "server, client, any, xmpp, email (with commas between) or none";
    static const struct {
        const char *word;
        unsigned bit;
    } known[] = { { "server", DNA_EKU_SERVER }, { "client", DNA_EKU_CLIENT },
                  { "any", DNA_EKU_ANY }, { "xmpp", DNA_EKU_XMPP }, { "email", DNA_EKU_EMAIL } };

    *out = DNA_EKU_NONE;
    if (strcmp(value, "none") == 0)
        return 0;
    while (*value) {
        size_t len = strcspn(value, ","), i = 0;

        while (i < 5 && (strlen(known[i].word) != len || strncmp(known[i].word, value, len) != 0))
            i++;
        if (i == 5)
            return bad(diag, key, value, wanted);
        *out |= known[i].bit;
        value += len;
        if (*value == ',' && value[1] == '\0')
            return bad(diag, key, value, wanted);
        value += *value == ',';
    }
    return *out ? 0 : bad(diag, key, value, wanted);
}

/* put_word_of finds value among words, which end with NULL; its index goes to out. */
static int put_word_of(unsigned *out, const char *const *words, const char *key, const char *value,
                       struct dna_diag *diag)
{
    char wanted[128] = "";

    for (unsigned i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            *out = i;
            return 0;
        }
        snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), "%s%s",
                 i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    }
    return bad(diag, key, value, wanted);
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

/* in the order of enum dna_cert_chain and enum dna_cert_serial */
static const char *const chains[] = { "good", "full", "none", "reversed", "junk", NULL };
static const char *const serials[] = { "usual", "long", "zero", "negative", NULL };

static int put_chain(enum dna_cert_chain *out, const char *value, struct dna_diag *diag)
{
    unsigned which = 0;
    int result = put_word_of(&which, chains, "chain", value, diag);

    *out = (enum dna_cert_chain)which;
    return result;
}

static int put_serial(enum dna_cert_serial *out, const char *value, struct dna_diag *diag)
{
    unsigned which = 0;
    int result = put_word_of(&which, serials, "serial", value, diag);

    *out = (enum dna_cert_serial)which;
    return result;
}

static int put_signature(struct dna_cert_spec *spec, const char *value, struct dna_diag *diag)
{
    static const char *const words[] = { "good", "bad", "sha1", "md5", NULL };
    unsigned which = 0;
    int result = put_word_of(&which, words, "signature", value, diag);

    spec->bad_signature = which == 1;
    spec->sha1 = which == 2;
    spec->md5 = which == 3;
    return result;
}

static int put_ca(struct dna_cert_spec *spec, const char *value, struct dna_diag *diag)
{
    static const char *const words[] = { "true", "false", "absent", NULL };
    unsigned which = 1;
    int result = put_word_of(&which, words, "ca", value, diag);

    spec->ca = which == 0;
    spec->no_basic = which == 2;
    return result;
}

static int put_flag(bool *out, const char *key, const char *value, const char *no, const char *yes,
                    struct dna_diag *diag)
{
    const char *const words[] = { no, yes, NULL };
    unsigned which = 0;
    int result = put_word_of(&which, words, key, value, diag);

    *out = which == 1;
    return result;
}

static int put_constraints(struct dna_cert_spec *spec, const char *value, struct dna_diag *diag)
{
    static const char *const words[] = { "critical", "optional", "minimum", NULL };
    unsigned which = 0;
    int result = put_word_of(&which, words, "constraints", value, diag);

    spec->constraints_optional = which == 1;
    spec->constraints_minimum = which == 2;
    return result;
}

/* The numbers go to OpenSSL as they are, so that nothing but numbers and commas may pass. */
static int put_policies(struct dna_cert_spec *spec, const char *value, struct dna_diag *diag)
{
    char text[sizeof spec->policies];
    char *last;

    if (put_text(text, sizeof text, "policies", value, diag))
        return -1;
    last = strrchr(text, ',');
    spec->policies_critical = last && strcmp(last, ",critical") == 0;
    if (spec->policies_critical)
        *last = '\0';
    if (text[strspn(text, "0123456789.,")] || !isdigit((unsigned char)text[0]))
        return bad(diag, "policies", value, "numbers such as 1.3.6.1.4.1.99999.1, and critical");
    return put_text(spec->policies, sizeof spec->policies, "policies", text, diag);
}

static int put_policy_constraints(struct dna_cert_spec *spec, const char *value,
                                  struct dna_diag *diag)
{
    static const char *const words[] = { "explicit", "no-mapping", "explicit,no-mapping", NULL };
    unsigned which = 0;
    int result = put_word_of(&which, words, "policy-constraints", value, diag);

    spec->require_policy = which != 1;
    spec->inhibit_mapping = which != 0;
    return result;
}

/* put_limits reads what a certificate says of those below it, and how; 1 if it is none of that. */
static int put_limits(struct dna_cert_spec *spec, const char *key, const char *value,
                      struct dna_diag *diag)
{
    if (strcmp(key, "permitted") == 0)
        return put_names(&spec->permitted, key, value, diag);
    if (strcmp(key, "excluded") == 0)
        return put_names(&spec->excluded, key, value, diag);
    if (strcmp(key, "constraints") == 0)
        return put_constraints(spec, value, diag);
    if (strcmp(key, "policies") == 0)
        return put_policies(spec, value, diag);
    if (strcmp(key, "policy-constraints") == 0)
        return put_policy_constraints(spec, value, diag);
    if (strcmp(key, "ocsp") == 0)
        return put_text(spec->ocsp, sizeof spec->ocsp, key, value, diag);
    if (strcmp(key, "crl-at") == 0)
        return put_text(spec->crl_at, sizeof spec->crl_at, key, value, diag);
    if (strcmp(key, "chain") == 0)
        return put_chain(&spec->chain, value, diag);
    if (strcmp(key, "serial") == 0)
        return put_serial(&spec->serial, value, diag);
    if (strcmp(key, "version") == 0)
        return put_flag(&spec->version1, key, value, "3", "1", diag);
    if (strcmp(key, "key") == 0)
        return put_flag(&spec->rsa, key, value, "ec", "rsa", diag);
    return 1;
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
        return put_number(&spec->filler, 20000, key, value, diag);
    if (strcmp(key, "nested") == 0)
        return put_number(&spec->nested, 4000, key, value, diag);
    if (strcmp(key, "keyusage") == 0)
        return put_key_usage(spec->key_usage, sizeof spec->key_usage, key, value, diag);
    if (strcmp(key, "subject") == 0) {
        spec->no_subject = strcmp(value, "none") == 0;
        return spec->no_subject ? 0 : bad(diag, key, value, "none");
    }
    if (strcmp(key, "critical") == 0) {
        spec->unknown_critical = strcmp(value, "unknown") == 0;
        return spec->unknown_critical ? 0 : bad(diag, key, value, "unknown");
    }
    return put_limits(spec, key, value, diag);
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
    if (strcmp(value, "bounded") == 0) {
        spec->issuer = DNA_ISSUER_BOUNDED;
        return 0;
    }
    spec->issuer = DNA_ISSUER_NAMED;
    return put_text(spec->issuer_name, sizeof spec->issuer_name, "issuer", value, diag);
}

/* put_name reads whom a certificate names; 1 if it is no name. */
static int put_name(struct dna_cert_spec *spec, const char *key, const char *value,
                    struct dna_diag *diag)
{
    struct dna_cert_names *lists[] = { &spec->dns, &spec->srv, &spec->xmpp, &spec->ip,
                                       &spec->utf8, &spec->uri };
    static const char *const keys[] = { "dns", "srv", "xmpp", "ip", "utf8", "uri" };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(key, keys[i]) == 0)
            return put_names(lists[i], key, value, diag);
    if (strcmp(key, "dir") == 0)
        return strchr(value, '=') ? put_names(&spec->dir, key, value, diag)
                                  : bad(diag, key, value, "an attribute such as O=name");
    if (strcmp(key, "cn") == 0)
        return put_text(spec->cn, sizeof spec->cn, key, value, diag);
    if (strcmp(key, "o") == 0)
        return put_text(spec->o, sizeof spec->o, key, value, diag);
    if (strcmp(key, "ou") == 0)
        return put_text(spec->ou, sizeof spec->ou, key, value, diag);
    return 1;
}

static int put_not_after(struct dna_cert_spec *spec, const char *value, struct dna_diag *diag)
{
    spec->never_ends = strcmp(value, "never") == 0;
    spec->has_not_after = true;
    if (!spec->never_ends)
        return put_offset(&spec->not_after, "notafter", value, diag);
    spec->not_after = 36500 * DAY;
    return 0;
}

static int put_key(struct dna_cert_spec *spec, const char *key, const char *value,
                   struct dna_diag *diag)
{
    int result = put_name(spec, key, value, diag);

    if (result == 1)
        result = put_shape(spec, key, value, diag);
    if (result != 1)
        return result;
    if (strcmp(key, "issuer") == 0)
        return put_issuer(spec, value, diag);
    if (strcmp(key, "same-key-as") == 0)
        return put_text(spec->same_key_as, sizeof spec->same_key_as, key, value, diag);
    if (strcmp(key, "eku") == 0)
        return put_eku(&spec->eku, key, value, diag);
    if (strcmp(key, "ca") == 0)
        return put_ca(spec, value, diag);
    if (strcmp(key, "signature") == 0)
        return put_signature(spec, value, diag);
    if (strcmp(key, "notbefore") == 0) {
        spec->has_not_before = true;
        return put_offset(&spec->not_before, key, value, diag);
    }
    if (strcmp(key, "notafter") == 0)
        return put_not_after(spec, value, diag);
    return dna_diag_set(diag, DNA_CLASS_USAGE,
                        "cert: unknown key \"%s\" (known: dns srv xmpp ip utf8 uri dir cn o ou "
                        "issuer same-key-as key notbefore notafter eku ca signature version serial "
                        "pathlen keyusage permitted excluded constraints policies "
                        "policy-constraints ocsp crl-at chain subject filler nested critical "
                        "revoked none)",
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
