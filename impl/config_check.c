/* SPDX-License-Identifier: MIT */
/* config_check.c -- opens what a configuration names (certificates, keys, trusted roots, revocation
   lists), so that a server refuses to start instead of failing at the first handshake.  Keeps
   nothing. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

#include "impl/config_internal.h"

/* A server can't ask for a pass phrase: an encrypted key is refused, not prompted for. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    *(bool *)arg = true;
    return -1;
}

/* Opens a file for reading, with a reason that names it. */
static FILE *open_file(struct dna_config_reader *r, unsigned line, const char *what,
                       const char *path)
{
    struct stat st;
    FILE *in = fopen(path, "r");

    if (in && fstat(fileno(in), &st) == 0 && S_ISDIR(st.st_mode)) {
        fclose(in);
        in = NULL;
        errno = EISDIR;
    }
    if (!in)
        dna_config_fail(r, line, "%s %s: %s", what, path, strerror(errno));
    return in;
}

static X509 *read_certificate(struct dna_config_reader *r, unsigned line, const char *what,
                              const char *path)
{
    FILE *in = open_file(r, line, what, path);
    X509 *x;

    if (!in)
        return NULL;
    x = PEM_read_X509(in, NULL, NULL, NULL);
    fclose(in);
    if (!x)
        dna_config_fail(r, line, "%s %s: no PEM certificate in it", what, path);
    return x;
}

static EVP_PKEY *read_key(struct dna_config_reader *r, unsigned line, const char *path)
{
    bool encrypted = false;
    FILE *in = open_file(r, line, "key", path);
    EVP_PKEY *key;

    if (!in)
        return NULL;
    key = PEM_read_PrivateKey(in, NULL, no_passphrase, &encrypted);
    fclose(in);
    if (!key)
        dna_config_fail(r, line, "key %s: %s", path,
                        encrypted ? "it is encrypted, and nobody is here to type the pass phrase"
                                  : "no PEM private key in it");
    return key;
}

bool dna_config_check_domain(struct dna_config_reader *r, const struct dna_config_domain *domain,
                             unsigned certificate_line, unsigned key_line)
{
    X509 *x = read_certificate(r, certificate_line, "certificate", domain->certificate);
    EVP_PKEY *key = x ? read_key(r, key_line, domain->key) : NULL;
    bool ok = key != NULL;

    if (ok && X509_check_private_key(x, key) != 1)
        ok = dna_config_fail(r, key_line, "key %s: does not match certificate %s", domain->key,
                             domain->certificate);
    EVP_PKEY_free(key);
    X509_free(x);
    ERR_clear_error();
    return ok;
}

static bool check_crl(struct dna_config_reader *r, unsigned line, const char *path)
{
    FILE *in = open_file(r, line, "crl_file", path);
    X509_CRL *crl;

    if (!in)
        return false;
    crl = PEM_read_X509_CRL(in, NULL, NULL, NULL);
    fclose(in);
    ERR_clear_error();
    if (!crl)
        return dna_config_fail(r, line, "crl_file %s: no PEM revocation list in it", path);
    X509_CRL_free(crl);
    return true;
}

bool dna_config_check_settings(struct dna_config_reader *r)
{
    unsigned file_line = dna_config_setting_line(r, "ca_file");
    unsigned dir_line = dna_config_setting_line(r, "ca_dir");
    unsigned crl_line = dna_config_setting_line(r, "crl_file");
    const struct dna_config *c = r->config;
    struct stat st;

    if (file_line && c->ca_file) {
        X509 *x = read_certificate(r, file_line, "ca_file", c->ca_file);
        X509_free(x);
        ERR_clear_error();
        if (!x)
            return false;
    }
    if (dir_line && c->ca_dir) {
        if (stat(c->ca_dir, &st) != 0)
            return dna_config_fail(r, dir_line, "ca_dir %s: %s", c->ca_dir, strerror(errno));
        if (!S_ISDIR(st.st_mode))
            return dna_config_fail(r, dir_line, "ca_dir %s: not a folder", c->ca_dir);
    }
    return !crl_line || !c->crl_file || check_crl(r, crl_line, c->crl_file);
}
