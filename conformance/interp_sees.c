/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What a handshake showed: the certificate of the IUT, its names and whether
 * the lab's CA stands behind it, its request for ours, the server name it asked for.
 */
#include "conformance/case_run.h"

#include <string.h>

#include <openssl/x509v3.h>

/* appends the names of one kind, space separated: "dns", "srv" or "xmpp" */
static void names_of(X509 *cert, const char *kind, struct dna_buf *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
        GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);
        ASN1_STRING *text = NULL;

        if (n->type == GEN_DNS && strcmp(kind, "dns") == 0)
            text = n->d.dNSName;
        if (n->type == GEN_OTHERNAME) {
            int nid = OBJ_obj2nid(n->d.otherName->type_id);

            if ((nid == NID_SRVName && strcmp(kind, "srv") == 0) ||
                (nid == NID_XmppAddr && strcmp(kind, "xmpp") == 0))
                text = n->d.otherName->value->value.asn1_string;
        }
        if (text)
            dna_buf_printf(out, " %.*s", ASN1_STRING_length(text),
                           (const char *)ASN1_STRING_get0_data(text));
    }
    GENERAL_NAMES_free(names);
    dna_buf_add(out, "", 0);
}

static bool has_name(X509 *cert, const char *kind, const char *want)
{
    struct dna_buf names = { 0 };
    struct dna_pool *pool = dna_pool_new();
    bool found = false;
    char *save = NULL;

    names_of(cert, kind, &names);
    for (char *n = strtok_r(names.at, " ", &save); n; n = strtok_r(NULL, " ", &save)) {
        found = found || strcasecmp(n, want) == 0;
        if (strcmp(kind, "srv") == 0)
            found = found || strcasecmp(n, dna_pool_printf(pool, "_xmpp-server.%s", want)) == 0 ||
                    strcasecmp(n, dna_pool_printf(pool, "_xmpp-client.%s", want)) == 0;
    }
    dna_pool_free(pool);
    dna_buf_free(&names);
    return found;
}

static bool is_trusted(struct dna_case_run *run, const struct dna_wire_seen *seen)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ok = false;

    X509_STORE_add_cert(store, dna_ca_root(run->context->lab->ca));
    if (X509_STORE_CTX_init(ctx, store, seen->cert, seen->chain) == 1)
        ok = X509_verify_cert(ctx) == 1;
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return ok;
}

static const char *describe(struct dna_case_run *run, const struct dna_wire_seen *seen)
{
    struct dna_buf text = { 0 };
    const char *done;

    if (!seen->cert)
        return "no certificate";
    dna_buf_puts(&text, "a certificate with dns:");
    names_of(seen->cert, "dns", &text);
    dna_buf_puts(&text, " srv:");
    names_of(seen->cert, "srv", &text);
    dna_buf_puts(&text, " xmpp:");
    names_of(seen->cert, "xmpp", &text);
    dna_buf_puts(&text, is_trusted(run, seen) ? ", trusted" : ", not trusted");
    done = dna_pool_strdup(run->pool, text.at);
    dna_buf_free(&text);
    return done;
}

static bool word_holds(struct dna_case_run *run, const struct dna_wire_seen *seen, const char *word)
{
    const char *eq = strchr(word, '=');
    char *kind, *list, *save = NULL;
    bool known, all = true;

    if (strcmp(word, "none") == 0)
        return !seen->cert;
    if (!seen->cert)
        return false;
    if (!eq)
        return is_trusted(run, seen) == (strcmp(word, "trusted") == 0);
    kind = dna_pool_strndup(run->pool, word, (size_t)(eq - word));
    list = dna_pool_strdup(run->pool, dna_run_expand(run, eq + 1));
    if (strcmp(kind, "cert") == 0) {
        struct dna_cert *cert = dna_run_cert(run, list, &known);

        return cert && X509_cmp(cert->x509, seen->cert) == 0;
    }
    for (char *n = strtok_r(list, ",", &save); n; n = strtok_r(NULL, ",", &save))
        all = all && has_name(seen->cert, kind, n);
    return all;
}

bool dna_step_sees(struct dna_case_run *run, const struct dna_step *s, const char **out_got)
{
    struct dna_conn *conn = dna_actor_conn(dna_run_actor(run, s->actor), s->conn);
    struct dna_wire_seen seen;

    if (!conn || !dna_wire_seen(conn->wire, &seen)) {
        *out_got = "no TLS on this connection";
        return false;
    }
    dna_run_note(run, "%s saw %s%s%s", dna_conn_label(conn), describe(run, &seen),
                 seen.cert_requested ? "; was asked for its own" : "",
                 seen.sni ? dna_pool_printf(run->pool, "; SNI %s", seen.sni) : "");
    if (s->kind == DNA_STEP_SEES_CERT_REQUEST) {
        *out_got = "no request for a certificate";
        return seen.cert_requested;
    }
    if (s->kind == DNA_STEP_SEES_SNI) {
        *out_got = seen.sni ? dna_pool_printf(run->pool, "SNI %s", seen.sni) : "no SNI";
        return dna_xtext_match(s->value, seen.sni ? seen.sni : "none", &run->vars);
    }
    *out_got = describe(run, &seen);
    for (size_t i = 0; i < s->num_words; i++)
        if (!word_holds(run, &seen, s->words[i]))
            return false;
    return true;
}
