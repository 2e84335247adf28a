/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Which model a verdict speaks of: a hash over all rows of the tables that this
 * program was built with. Nothing here owns memory.
 */
#include "conformance/report.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "model/machine.h"

void dna_model_hash(char *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        for (size_t i = 0; i < (*m)->num_rows; i++) {
            const struct dna_row *r = &(*m)->rows[i];
            const struct dna_guard *g = &(*m)->guards[r->when];
            char row[512];
            int n = snprintf(row, sizeof(row), "%s %s %u %u %u %s\n", (*m)->name, r->id, r->in,
                             r->on, r->then, g->expr ? g->expr : "");

            EVP_DigestUpdate(ctx, row, n < 0 ? 0 : n < (int)sizeof(row) ? (size_t)n : sizeof(row));
            for (const uint8_t *d = r->dos; d && *d; d++)
                EVP_DigestUpdate(ctx, (*m)->dos[*d].name, strlen((*m)->dos[*d].name));
        }
    }
    EVP_DigestFinal_ex(ctx, digest, &len);
    EVP_MD_CTX_free(ctx);
    for (unsigned i = 0; i < 6; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}
