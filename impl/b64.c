/* SPDX-License-Identifier: MIT */
/* b64: see b64.h. */
#include "impl/b64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void dna_b64_encode(struct dna_buf *out, const void *at, size_t len)
{
    const unsigned char *p = at;
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t v = (uint32_t)p[i] << 16;
        if (n > 1)
            v |= (uint32_t)p[i + 1] << 8;
        if (n > 2)
            v |= p[i + 2];
        char four[4] = { letters[v >> 18], letters[v >> 12 & 63], letters[v >> 6 & 63],
                         letters[v & 63] };
        for (size_t k = n + 1; k < 4; k++)
            four[k] = '=';
        dna_buf_add(out, four, 4);
    }
}

static int value(char c)
{
    const char *at = c ? strchr(letters, c) : NULL;
    return at ? (int)(at - letters) : -1;
}

static int decode_four(const char *four, bool last, char *three)
{
    int pad = 0;
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int d = value(four[i]);
        if (four[i] == '=' && last && i >= 2) {
            pad++;
            d = 0;
        } else if (d < 0 || pad) {
            return -1;
        }
        v = v << 6 | (uint32_t)d;
    }
    if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
        return -1;
    three[0] = (char)(v >> 16 & 0xff);
    three[1] = (char)(v >> 8 & 0xff);
    three[2] = (char)(v & 0xff);
    return 3 - pad;
}

int dna_b64_decode(struct dna_buf *out, const char *text, size_t len)
{
    size_t before = out->len;
    if (len % 4)
        return -1;
    dna_buf_add(out, "", 0);
    for (size_t i = 0; i < len; i += 4) {
        char three[3];
        int n = decode_four(text + i, i + 4 == len, three);
        if (n < 0) {
            out->len = before;
            out->at[before] = '\0';
            return -1;
        }
        dna_buf_add(out, three, (size_t)n);
    }
    return 0;
}
