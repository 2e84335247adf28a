/* SPDX-License-Identifier: MIT */
/* cert_text.c -- see cert_text.h. */
#include "impl/cert_text.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void dna_cert_name_text(const X509_NAME *name, char *out, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int len;

    X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
    len = BIO_read(bio, out, (int)size - 1);
    out[len > 0 ? len : 0] = '\0';
    BIO_free(bio);
}

void dna_cert_time_text(const ASN1_TIME *when, char *out, size_t size)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(when, &tm) != 1 || strftime(out, size, "%Y-%m-%d %H:%M:%SZ", &tm) == 0)
        snprintf(out, size, "(unreadable date)");
}

/* A NUL inside would hide what follows it. */
static void copy(const ASN1_STRING *from, char *out, size_t size)
{
    size_t len = (size_t)ASN1_STRING_length(from);

    len = len < size ? len : size - 1;
    memcpy(out, ASN1_STRING_get0_data(from), len);
    out[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if (!out[i])
            out[i] = '?';
}

const char *dna_cert_alt_name(const GENERAL_NAME *g, char *out, size_t size)
{
    int nid;

    if (g->type == GEN_DNS) {
        copy(g->d.dNSName, out, size);
        return "dNSName";
    }
    if (g->type != GEN_OTHERNAME)
        return NULL;
    nid = OBJ_obj2nid(g->d.otherName->type_id);
    if ((nid != NID_SRVName || g->d.otherName->value->type != V_ASN1_IA5STRING) &&
        (nid != NID_XmppAddr || g->d.otherName->value->type != V_ASN1_UTF8STRING))
        return NULL;
    copy(g->d.otherName->value->value.asn1_string, out, size);
    return nid == NID_XmppAddr ? "xmppAddr" : "SRVName";
}
