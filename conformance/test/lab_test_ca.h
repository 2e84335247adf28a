/* SPDX-License-Identifier: MIT */
/* What the tests of the lab's CA share: one CA, certificates by name, OpenSSL's word on them. */
#ifndef DNA_LAB_TEST_CA_H
#define DNA_LAB_TEST_CA_H

#include "conformance/test/lab_test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "conformance/lab/ca.h"

static struct dna_ca *ca;
static struct dna_diag diag;

struct named {
    const char *name;
    struct dna_cert *cert;
};

static struct named known[4];

static const struct dna_cert *find(const char *name, void *arg)
{
    struct named *list = arg;

    for (size_t i = 0; i < 4; i++) {
        if (list[i].name && strcmp(list[i].name, name) == 0)
            return list[i].cert;
    }
    return NULL;
}

static struct dna_cert *mint(const char *text)
{
    struct dna_cert_spec spec;
    struct dna_cert *cert;

    if (!ca)
        ca = dna_ca_new(&diag);
    CU_ASSERT_EQUAL_FATAL(dna_cert_spec_parse(text, &spec, &diag), 0);
    cert = dna_ca_mint(ca, &spec, find, known, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cert);
    return cert;
}

/* verify is OpenSSL's word on a certificate, from a root, for a purpose. */
static int verify(const struct dna_cert *cert, X509 *root, int purpose, time_t when)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *param;
    int error;

    X509_STORE_add_cert(store, root);
    X509_STORE_CTX_init(context, store, cert->x509, cert->chain);
    param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_purpose(param, purpose);
    if (when)
        X509_VERIFY_PARAM_set_time(param, when);
    error = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return error;
}

static int worth(const struct dna_cert *cert)
{
    return verify(cert, dna_ca_root(ca), X509_PURPOSE_SSL_SERVER, 0);
}

#endif
