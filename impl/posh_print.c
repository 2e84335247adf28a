/* SPDX-License-Identifier: MIT */
/* posh_print: see posh_print.h. */
#include "impl/posh_print.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#include "impl/b64.h"
#include "impl/posh_doc.h"
#include "impl/posh_url.h"

static void add_json(struct dna_buf *out, json_t *root)
{
    char *text = json_dumps(root, JSON_INDENT(2));
    if (!text)
        abort();
    dna_buf_puts(out, text);
    dna_buf_puts(out, "\n");
    free(text);
    json_decref(root);
}

static void add_hash(json_t *descriptor, X509 *x, enum dna_posh_hash h)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct dna_buf text = DNA_BUF_INIT;
    if (X509_digest(x, dna_posh_hash_md(h), sum, &len) != 1)
        abort();
    dna_b64_encode(&text, sum, len);
    (void)json_object_set_new(descriptor, dna_posh_hash_name(h), json_string(text.at));
    dna_buf_cleanup(&text);
}

void dna_posh_print(struct dna_buf *out, X509 *const *certificates, size_t num, uint32_t expires)
{
    json_t *root = json_object(), *list = json_array();
    for (size_t i = 0; i < num; i++) {
        json_t *descriptor = json_object();
        add_hash(descriptor, certificates[i], DNA_POSH_SHA256);
        add_hash(descriptor, certificates[i], DNA_POSH_SHA512);
        (void)json_array_append_new(list, descriptor);
    }
    (void)json_object_set_new(root, "fingerprints", list);
    (void)json_object_set_new(root, "expires", json_integer(expires));
    add_json(out, root);
}

int dna_posh_print_reference(struct dna_buf *out, const char *url, uint32_t expires, char *why,
                             size_t why_len)
{
    if (!dna_posh_url_ok(url, why, why_len))
        return -1;
    json_t *text = json_string(url); /* NULL if it is no UTF-8 */
    if (!text) {
        (void)snprintf(why, why_len, "is no UTF-8");
        return -1;
    }
    json_t *root = json_object();
    (void)json_object_set_new(root, "url", text);
    (void)json_object_set_new(root, "expires", json_integer(expires));
    add_json(out, root);
    return 0;
}

void dna_tlsa_print(struct dna_buf *out, X509 *certificate, const char *host, uint16_t port)
{
    unsigned char sum[EVP_MAX_MD_SIZE], *der = NULL;
    unsigned len = 0;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    if (size <= 0 || EVP_Digest(der, (size_t)size, sum, &len, EVP_sha256(), NULL) != 1)
        abort();
    OPENSSL_free(der);
    dna_buf_printf(out, "_%u._tcp.%s. IN TLSA 3 1 1 ", port, host);
    for (unsigned i = 0; i < len; i++)
        dna_buf_printf(out, "%02x", sum[i]);
    dna_buf_puts(out, "\n");
}
