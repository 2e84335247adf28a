/* SPDX-License-Identifier: MIT */
/*
 * The lab CA's revocation list. Servers read it when they start, long before a case mints what it
 * wants to see refused: so the list is written once, with serials that are handed out later.
 */
#include "conformance/lab/ca_internal.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/x509v3.h>

int ca_revoked_serial(ASN1_INTEGER *out, unsigned number)
{
    /* Others begin with 0x40 at least. */
    unsigned char bytes[16] = { 0x20, 'r', 'e', 'v', 'o', 'k', 'e', 'd' };
    BIGNUM *value;
    int result;

    bytes[14] = (unsigned char)(number / 256 % 256);
    bytes[15] = (unsigned char)(number % 256);
    value = BN_bin2bn(bytes, sizeof bytes, NULL);
    result = value && BN_to_ASN1_INTEGER(value, out) ? 0 : -1;
    BN_free(value);
    return result;
}

static int add_revoked(X509_CRL *crl, unsigned number, const ASN1_TIME *when)
{
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    int result = -1;

    if (revoked && serial && ca_revoked_serial(serial, number) == 0 &&
        X509_REVOKED_set_serialNumber(revoked, serial) == 1 &&
        X509_REVOKED_set_revocationDate(revoked, (ASN1_TIME *)(uintptr_t)when) == 1 &&
        X509_CRL_add0_revoked(crl, revoked) == 1)
        result = 0;
    if (result)
        X509_REVOKED_free(revoked);
    ASN1_INTEGER_free(serial);
    return result;
}

static int add_number(X509_CRL *crl, X509 *issuer)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    X509V3_CTX context;
    X509_EXTENSION *key_id;
    int result;

    X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
    key_id = X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier, "keyid:always");
    result = number && key_id && ASN1_INTEGER_set(number, 1) == 1 &&
             X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1 &&
             X509_CRL_add_ext(crl, key_id, -1) == 1;
    ASN1_INTEGER_free(number);
    X509_EXTENSION_free(key_id);
    return result ? 0 : -1;
}

X509_CRL *ca_crl_new(const struct dna_cert *root, long long now, long long until)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(now - 3650 * CA_DAY));
    ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)(now + until));
    int result = crl && from && to && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
                 X509_CRL_set_issuer_name(crl, X509_get_subject_name(root->x509)) == 1 &&
                 X509_CRL_set1_lastUpdate(crl, from) == 1 &&
                 X509_CRL_set1_nextUpdate(crl, to) == 1 ? 0 : -1;

    for (unsigned i = 0; !result && i < CA_REVOKED; i++)
        result = add_revoked(crl, i, from);
    if (!result)
        result = add_number(crl, root->x509);
    if (!result && (X509_CRL_sort(crl) != 1 || X509_CRL_sign(crl, root->key, EVP_sha256()) == 0))
        result = -1;
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    if (!result)
        return crl;
    X509_CRL_free(crl);
    return NULL;
}
