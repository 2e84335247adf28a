/* SPDX-License-Identifier: MIT */
/* key: see key.h. */
#include "impl/key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"
#include "impl/fault.h"

static void hex(const unsigned char *from, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[from[i] >> 4];
        *out++ = digits[from[i] & 15];
    }
    *out = '\0';
}

void dna_key_make(const char *secret, const char *receiving, const char *originating,
                  const char *stream_id, char out[DNA_KEY_LEN + 1])
{
    unsigned char sum[SHA256_DIGEST_LENGTH];
    char hmac_key[2 * SHA256_DIGEST_LENGTH + 1];
    struct dna_buf text = DNA_BUF_INIT;
    unsigned len = sizeof sum;
    dna_buf_printf(&text, "%s %s %s", dna_fault(DNA_FAULT_key_without_target) ? "" : receiving,
                   dna_fault(DNA_FAULT_key_without_sender) ? "" : originating,
                   dna_fault(DNA_FAULT_key_without_id) ? "" : stream_id);
    if (EVP_Digest(secret, strlen(secret), sum, NULL, EVP_sha256(), NULL) != 1)
        abort();
    hex(sum, sizeof sum, hmac_key);
    if (!HMAC(EVP_sha256(), hmac_key, (int)strlen(hmac_key), (const unsigned char *)text.at,
              text.len, sum, &len))
        abort();
    hex(sum, sizeof sum, out);
    OPENSSL_cleanse(hmac_key, sizeof hmac_key);
    dna_buf_cleanup(&text);
}

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool dna_key_equal(const char *expected, const char *key)
{
    size_t len = strlen(key), want = strlen(expected);
    while (len && space(*key))
        key++, len--;
    while (len && space(key[len - 1]))
        len--;
    return len == want && len && CRYPTO_memcmp(expected, key, len) == 0;
}

void dna_id_make(char out[DNA_ID_LEN + 1])
{
    unsigned char random[DNA_ID_LEN / 2];
    if (RAND_bytes(random, sizeof random) != 1)
        abort();
    hex(random, sizeof random, out);
}
