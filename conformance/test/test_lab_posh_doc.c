/* SPDX-License-Identifier: MIT */
/*
 * Tests of the documents of POSH: read back by jansson, their hashes recomputed over the DER that
 * i2d_X509 gives, as RFC 7711 section 3.1 says.
 */
#include "conformance/test/lab_test.h"

#include <stdlib.h>

#include <jansson.h>
#include <openssl/sha.h>

#include "conformance/lab/posh_doc.h"

static struct dna_diag diag;

static struct dna_cert *mint(struct dna_ca *ca)
{
    struct dna_cert_spec spec;
    struct dna_cert *cert;

    CU_ASSERT_EQUAL_FATAL(dna_cert_spec_parse("dns=a.example", &spec, &diag), 0);
    cert = dna_ca_mint(ca, &spec, NULL, NULL, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cert);
    return cert;
}

static json_t *read_back(char *text)
{
    json_t *document;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(document);
    free(text);
    return document;
}

/* is_hash: text is padded base64 of exactly these bytes. */
static bool is_hash(const json_t *text, const unsigned char *hash, size_t len)
{
    unsigned char bytes[128];
    size_t text_len = json_string_length(text);
    const char *at = json_string_value(text);

    if (!at || text_len != (len + 2) / 3 * 4 || at[text_len - 1] != '=')
        return false;
    return EVP_DecodeBlock(bytes, (const unsigned char *)at, (int)text_len) > 0 &&
           memcmp(bytes, hash, len) == 0;
}

static void check_descriptor(const json_t *descriptor, const struct dna_cert *cert)
{
    unsigned char *der = NULL, hash[64];
    size_t len = (size_t)i2d_X509(cert->x509, &der);

    CU_ASSERT_EQUAL(json_object_size(descriptor), 3);
    SHA1(der, len, hash);
    CU_ASSERT_TRUE(is_hash(json_object_get(descriptor, "sha-1"), hash, 20));
    SHA256(der, len, hash);
    CU_ASSERT_TRUE(is_hash(json_object_get(descriptor, "sha-256"), hash, 32));
    SHA512(der, len, hash);
    CU_ASSERT_TRUE(is_hash(json_object_get(descriptor, "sha-512"), hash, 64));
    OPENSSL_free(der);
}

static void fingerprints_are_of_der(void)
{
    struct dna_ca *ca = dna_ca_new(&diag);
    struct dna_cert *one = mint(ca), *two = mint(ca);
    const struct dna_cert *const both[] = { one, two };
    json_t *document, *list;

    document = read_back(dna_posh_fingerprints(
        both, 2, DNA_POSH_SHA1 | DNA_POSH_SHA256 | DNA_POSH_SHA512, 604800, &diag));
    CU_ASSERT_EQUAL(json_object_size(document), 2);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(document, "expires")), 604800);
    list = json_object_get(document, "fingerprints");
    CU_ASSERT_EQUAL(json_array_size(list), 2);
    check_descriptor(json_array_get(list, 0), one);
    check_descriptor(json_array_get(list, 1), two);
    json_decref(document);
    document = read_back(dna_posh_fingerprints(both, 1, DNA_POSH_SHA256 | DNA_POSH_UNPADDED, 0,
                                               &diag));
    list = json_array_get(json_object_get(document, "fingerprints"), 0);
    CU_ASSERT_EQUAL(json_string_length(json_object_get(list, "sha-256")), 43);
    json_decref(document);
    dna_cert_unref(one);
    dna_cert_unref(two);
    dna_ca_free(ca);
}

static void odd_documents_can_be_made(void)
{
    char *text = dna_posh_fingerprints(NULL, 0, DNA_POSH_SHA256, -1, &diag);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, "{\"fingerprints\":[],\"expires\":-1}");
    free(text);
}

static void references_name_a_url(void)
{
    /* the example of RFC 7711 section 3.2, without its white space */
    char *text = dna_posh_reference("https://hosting.example.net/.well-known/posh/spice.json",
                                    86400, &diag);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, "{\"url\":\"https://hosting.example.net/.well-known/posh/"
                                 "spice.json\",\"expires\":86400}");
    free(text);
    text = dna_posh_reference("a\"b", 1, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, "{\"url\":\"a\\\"b\",\"expires\":1}");
    free(text);
    CU_ASSERT_PTR_NULL(dna_posh_reference("\xff", 1, &diag));
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_USAGE);
}

int main(void)
{
    static const struct lab_test tests[] = {
        { "fingerprints are of the DER", fingerprints_are_of_der },
        { "odd documents can be made", odd_documents_can_be_made },
        { "references name a url", references_name_a_url },
    };

    return lab_test_main("lab.posh_doc", tests, sizeof tests / sizeof tests[0], NULL);
}
