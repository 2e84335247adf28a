/* SPDX-License-Identifier: MIT */
/* client_pins.c -- see client_pins.h.  The file is read whole each time: it is small, and another
   client may have added to it. */
#include "impl/client_pins.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "impl/pkix.h"

bool dna_pin_fingerprint(const char *text, char out[DNA_PIN_HEX + 1])
{
    size_t len = 0;

    for (; *text; text++) {
        if (*text == ':' && len > 0 && len % 2 == 0 && text[1] && text[1] != ':')
            continue;
        if (!isxdigit((unsigned char)*text) || len == DNA_PIN_HEX)
            return false;
        out[len++] = (char)tolower((unsigned char)*text);
    }
    out[len] = '\0';
    return len == DNA_PIN_HEX;
}

static void hex(const unsigned char *bytes, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

/* The chain's value covers each certificate's own fingerprint, in the order presented. */
static bool chain_fingerprint(STACK_OF(X509) *chain, char out[DNA_PIN_HEX + 1])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    for (int i = 0; ok && i < sk_X509_num(chain); i++)
        ok = X509_digest(sk_X509_value(chain, i), EVP_sha256(), digest, &len) == 1 &&
             EVP_DigestUpdate(ctx, digest, len) == 1;
    ok = ok && EVP_DigestFinal_ex(ctx, digest, &len) == 1;
    EVP_MD_CTX_free(ctx);
    if (ok)
        hex(digest, len, out);
    return ok;
}

bool dna_pin_of(SSL *ssl, struct dna_pin *out)
{
    X509 *leaf = SSL_get0_peer_certificate(ssl);

    return leaf && dna_pkix_fingerprint(leaf, out->leaf) &&
           chain_fingerprint(SSL_get_peer_cert_chain(ssl), out->chain);
}

static bool parse_line(char *line, struct dna_pin *out)
{
    char leaf[65], chain[65];
    unsigned port;
    int end = 0;

    if (sscanf(line, "%64s %64s %255s %31s %255s %u %n", leaf, chain, out->domain, out->service,
               out->host, &port, &end) != 6 ||
        line[end] != '\0' || port == 0 || port > UINT16_MAX)
        return false;
    out->port = (uint16_t)port;
    return dna_pin_fingerprint(leaf, out->leaf) && dna_pin_fingerprint(chain, out->chain);
}

static bool same_context(const struct dna_pin *a, const struct dna_pin *b)
{
    return strcmp(a->chain, b->chain) == 0 && strcmp(a->host, b->host) == 0 && a->port == b->port;
}

static enum dna_pin_result look(FILE *in, const char *path, const struct dna_pin *pin, char *why,
                                size_t why_size)
{
    enum dna_pin_result result = DNA_PIN_UNKNOWN;
    char line[1024];
    struct dna_pin at;

    for (unsigned number = 1; fgets(line, sizeof line, in); number++) {
        size_t len = strlen(line);
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (line[len - 1] != '\n' || !parse_line(line, &at)) {
            snprintf(why, why_size, "%s:%u: this is no pin", path, number);
            return DNA_PIN_UNREADABLE;
        }
        if (strcmp(at.domain, pin->domain) != 0 || strcmp(at.service, pin->service) != 0)
            continue;
        if (strcmp(at.leaf, pin->leaf) != 0)
            result = result == DNA_PIN_UNKNOWN ? DNA_PIN_OTHER : result;
        else if (same_context(&at, pin))
            return DNA_PIN_FOUND;
        else
            result = DNA_PIN_OTHER_CONTEXT;
    }
    return result;
}

enum dna_pin_result dna_pins_look(const char *path, const struct dna_pin *pin, char *out_why,
                                  size_t why_size)
{
    static const char *const words[] = {
        "pinned for this domain, host and port", "no certificate is pinned for this domain",
        "another certificate is pinned for this domain",
        "pinned, but for another host, port or chain", ""
    };
    enum dna_pin_result result;
    FILE *in = fopen(path, "r");

    if (!in && errno != ENOENT) {
        snprintf(out_why, why_size, "%s: %s", path, strerror(errno));
        return DNA_PIN_UNREADABLE;
    }
    result = in ? look(in, path, pin, out_why, why_size) : DNA_PIN_UNKNOWN;
    if (in && ferror(in)) {
        snprintf(out_why, why_size, "%s: %s", path, strerror(errno));
        result = DNA_PIN_UNREADABLE;
    }
    if (in)
        fclose(in);
    if (result != DNA_PIN_UNREADABLE)
        snprintf(out_why, why_size, "%s", words[result]);
    return result;
}

/* mkdir -p of the folder that holds path. */
static bool make_folder(const char *path)
{
    char folder[4096];

    if (strlen(path) >= sizeof folder)
        return false;
    strcpy(folder, path);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, 0700) != 0 && errno != EEXIST)
            return false;
        *slash = '/';
    }
    return true;
}

bool dna_pins_add(const char *path, const struct dna_pin *pin, char *out_why, size_t why_size)
{
    char line[1024];
    int len = snprintf(line, sizeof line, "%s %s %s %s %s %u\n", pin->leaf, pin->chain,
                       pin->domain, pin->service, pin->host, pin->port);
    int fd = -1;
    bool ok = false;

    if (make_folder(path))
        fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && len > 0 && (size_t)len < sizeof line)
        ok = write(fd, line, (size_t)len) == len;
    if (!ok)
        snprintf(out_why, why_size, "%s: %s", path, strerror(errno));
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok;
}

bool dna_pins_default_path(char *out, size_t size)
{
    const char *base = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int len;

    if (base && base[0] == '/')
        len = snprintf(out, size, "%s/xdna/pins", base);
    else if (home && home[0] == '/')
        len = snprintf(out, size, "%s/.config/xdna/pins", home);
    else
        return false;
    return len > 0 && (size_t)len < size;
}
