/* SPDX-License-Identifier: MIT */
/* dns_names: the parts of dns.h that ask nobody: A-labels and the order of SRV records. Pure. */
#include <idn2.h>
#include <stdbool.h>
#include <string.h>

#include "impl/dns.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool label_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Letters, digits, hyphens, labels of 1 to 63, 253 in all. */
static bool plausible(const char *s)
{
    size_t label = 0, total = 0;
    for (; *s; s++, total++) {
        if (*s == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!label_letter(*s) || ++label > 63) {
            return false;
        }
    }
    return label > 0 && total <= 253;
}

int dna_dns_to_ascii(const char *domain, char *out, size_t out_len)
{
    bool ascii = true;
    for (const char *p = domain; *p; p++)
        ascii &= (unsigned char)*p < 0x80;
    char *converted = NULL;
    if (!ascii &&
        idn2_to_ascii_8z(domain, &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
        return -1;
    const char *from = converted ? converted : domain;
    size_t len = strlen(from);
    if (len > 1 && from[len - 1] == '.')
        len--;
    int result = -1;
    if (len && len < out_len) {
        for (size_t i = 0; i < len; i++)
            out[i] = lower(from[i]);
        out[len] = '\0';
        result = plausible(out) ? 0 : -1;
    }
    idn2_free(converted);
    return result;
}

static void swap(struct dna_dns_srv *a, struct dna_dns_srv *b)
{
    struct dna_dns_srv t = *a;
    *a = *b;
    *b = t;
}

/* Weight 0 first within a priority, as RFC 2782 arranges them before drawing. */
static bool before(const struct dna_dns_srv *a, const struct dna_dns_srv *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return a->weight == 0 && b->weight != 0;
}

static void draw(struct dna_dns_srv *srv, size_t num, uint32_t (*random)(void *arg), void *arg)
{
    for (size_t at = 0; at + 1 < num; at++) {
        uint32_t sum = 0, running = 0;
        for (size_t i = at; i < num; i++)
            sum += srv[i].weight;
        uint32_t choice = sum ? random(arg) % (sum + 1) : 0;
        size_t pick = at;
        for (size_t i = at; i < num; i++) {
            running += srv[i].weight;
            if (running >= choice) {
                pick = i;
                break;
            }
        }
        struct dna_dns_srv chosen = srv[pick];
        memmove(&srv[at + 1], &srv[at], (pick - at) * sizeof *srv);
        srv[at] = chosen;
    }
}

void dna_dns_order_srv(struct dna_dns_srv *srv, size_t num, uint32_t (*random)(void *arg),
                       void *arg)
{
    for (size_t i = 1; i < num; i++)
        for (size_t k = i; k > 0 && before(&srv[k], &srv[k - 1]); k--)
            swap(&srv[k], &srv[k - 1]);
    for (size_t from = 0, to; from < num; from = to) {
        for (to = from + 1; to < num && srv[to].priority == srv[from].priority; to++)
            ;
        draw(srv + from, to - from, random, arg);
    }
}
