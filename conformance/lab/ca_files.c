/* SPDX-License-Identifier: MIT */
/* Certificates, keys and the trust store as files that servers read. */
#include "conformance/lab/ca.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

static FILE *create(const char *path, mode_t mode, struct dna_diag *diag)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (file)
        return file;
    dna_diag_set(diag, DNA_CLASS_HARD, "CA: cannot write %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return NULL;
}

static int finish(FILE *file, const char *path, int ok, struct dna_diag *diag)
{
    if (fclose(file) == 0 && ok)
        return 0;
    return dna_diag_set(diag, DNA_CLASS_HARD, "CA: cannot write %s: %s", path, strerror(errno));
}

int dna_cert_write(const struct dna_cert *cert, const char *cert_path, const char *key_path,
                   struct dna_diag *diag)
{
    FILE *file;
    int ok;

    if (cert_path) {
        file = create(cert_path, 0644, diag);
        if (!file)
            return -1;
        ok = PEM_write_X509(file, cert->x509);
        for (int i = 0; ok && cert->chain && i < sk_X509_num(cert->chain); i++)
            ok = PEM_write_X509(file, sk_X509_value(cert->chain, i));
        if (finish(file, cert_path, ok, diag))
            return -1;
    }
    if (key_path) {
        file = create(key_path, 0600, diag);
        if (!file)
            return -1;
        ok = PEM_write_PrivateKey(file, cert->key, NULL, NULL, 0, NULL, NULL);
        if (finish(file, key_path, ok, diag))
            return -1;
    }
    return 0;
}

/* write_roots writes one or both of two certificates into a file. */
static int write_roots(X509 *first, X509 *second, const char *dir, const char *name,
                       struct dna_diag *diag)
{
    char path[PATH_MAX];
    FILE *file;
    int ok;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    file = create(path, 0644, diag);
    if (!file)
        return -1;
    ok = PEM_write_X509(file, first) && (!second || PEM_write_X509(file, second));
    return finish(file, path, ok, diag);
}

static int write_crl(X509_CRL *crl, const char *dir, const char *name, struct dna_diag *diag)
{
    char path[PATH_MAX];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    file = create(path, 0644, diag);
    return file ? finish(file, path, PEM_write_X509_CRL(file, crl), diag) : -1;
}

/* hashed writes the name under which OpenSSL looks a certificate's subject up. */
static int hashed(X509 *x509, const char *suffix, char *out, size_t out_len, struct dna_diag *diag)
{
    int ok = 0;
    unsigned long hash = X509_NAME_hash_ex(X509_get_subject_name(x509), NULL, NULL, &ok);

    snprintf(out, out_len, "%08lx.%s", hash, suffix);
    return ok ? 0
              : dna_diag_set(diag, DNA_CLASS_HARD, "CA: cannot hash the name of a root");
}

int dna_ca_write_store(const struct dna_ca *ca, const char *dir, struct dna_diag *diag)
{
    X509 *root = dna_ca_root(ca), *bounded = dna_ca_bounded_root(ca);
    char name[32], bounded_name[32], crl_name[32];

    if (hashed(root, "0", name, sizeof name, diag) ||
        hashed(root, "r0", crl_name, sizeof crl_name, diag) ||
        hashed(bounded, "0", bounded_name, sizeof bounded_name, diag))
        return -1;
    if (mkdir(dir, 0755) && errno != EEXIST)
        return dna_diag_set(diag, DNA_CLASS_HARD, "CA: cannot make %s: %s", dir, strerror(errno));
    if (write_roots(root, bounded, dir, "ca.crt", diag) ||
        write_roots(root, NULL, dir, name, diag) ||
        write_roots(bounded, NULL, dir, bounded_name, diag) ||
        write_crl(dna_ca_crl(ca), dir, "ca.crl", diag) ||
        write_crl(dna_ca_outdated_crl(ca), dir, "outdated.crl", diag) ||
        write_crl(dna_ca_crl(ca), dir, crl_name, diag))
        return -1;
    return write_roots(root, bounded, dir, "ca-certificates.crt", diag);
}
