/* SPDX-License-Identifier: MIT */
/* Documents of POSH: fingerprints (base64 of hashes over DER) and references, by jansson. */
#include "conformance/lab/posh_doc.h"

#include <string.h>

#include <jansson.h>

static const struct {
    unsigned bit;
    const char *name;
    const EVP_MD *(*md)(void);
} hashes_known[] = {
    { DNA_POSH_SHA1, "sha-1", EVP_sha1 },
    { DNA_POSH_SHA256, "sha-256", EVP_sha256 },
    { DNA_POSH_SHA384, "sha-384", EVP_sha384 },
    { DNA_POSH_SHA512, "sha-512", EVP_sha512 },
};

/* fingerprint is the base64 of a hash over the certificate's DER. */
static json_t *fingerprint(const X509 *x509, const EVP_MD *md, bool unpadded)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char text[(EVP_MAX_MD_SIZE + 2) / 3 * 4 + 1];
    unsigned len;

    if (X509_digest(x509, md, hash, &len) != 1)
        return NULL;
    EVP_EncodeBlock((unsigned char *)text, hash, (int)len);
    if (unpadded)
        text[strcspn(text, "=")] = '\0';
    return json_string(text);
}

static json_t *descriptor(const X509 *x509, unsigned hashes)
{
    json_t *object = json_object();

    for (size_t i = 0; object && i < sizeof hashes_known / sizeof hashes_known[0]; i++) {
        if (!(hashes & hashes_known[i].bit))
            continue;
        if (json_object_set_new(object, hashes_known[i].name,
                                fingerprint(x509, hashes_known[i].md(),
                                            hashes & DNA_POSH_UNPADDED))) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* written is the document as text; it ends the document, which may be NULL. */
static char *written(json_t *document, struct dna_diag *diag)
{
    char *text = document ? json_dumps(document, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

    if (!text)
        dna_diag_set(diag, DNA_CLASS_HARD, "POSH: cannot write the document");
    json_decref(document);
    return text;
}

char *dna_posh_fingerprints(const struct dna_cert *const certs[], size_t num_certs,
                            unsigned hashes, long long expires, struct dna_diag *diag)
{
    json_t *array = json_array(), *document = NULL;
    int failed = !array;

    for (size_t i = 0; !failed && i < num_certs; i++)
        failed = json_array_append_new(array, descriptor(certs[i]->x509, hashes));
    if (failed)
        json_decref(array);
    else
        document = json_pack("{s:o,s:I}", "fingerprints", array, "expires", (json_int_t)expires);
    return written(document, diag);
}

char *dna_posh_reference(const char *url, long long expires, struct dna_diag *diag)
{
    json_t *text = json_string(url), *document = NULL;

    if (!text) {
        dna_diag_set(diag, DNA_CLASS_USAGE, "POSH: the url \"%s\" is not UTF-8", url);
        return NULL;
    }
    document = json_pack("{s:o,s:I}", "url", text, "expires", (json_int_t)expires);
    return written(document, diag);
}
