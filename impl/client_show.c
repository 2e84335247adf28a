/* SPDX-License-Identifier: MIT */
/* client_show.c -- what the user of xdna-client sees: a line a fact, under the number of its step
   and the requirements that make it so; as text or as one JSON object a line. */
#include <jansson.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "impl/cert_text.h"
#include "impl/client_internal.h"

enum { TOPIC_WIDTH = 12 };

/* The tables are shared with servers: of a row's requirements those for clients are shown. */
static bool for_clients(const struct dna_requirement *r)
{
    return strstr(r->roles, "client") || strstr(r->roles, "any") || r->level == DNA_LEVEL_DECISION;
}

/* The next requirement of row that is to be shown, from *i on; NULL after the last one.  A row
   without any for clients shows all it has. */
static const struct dna_requirement *next_requirement(const struct dna_row *row, size_t *i)
{
    bool any = false;

    for (size_t j = 0; row && row->because && row->because[j] != DNA_REQ_END; j++)
        any = any || for_clients(dna_requirement((enum dna_req)row->because[j]));
    while (row && row->because && row->because[*i] != DNA_REQ_END) {
        const struct dna_requirement *r = dna_requirement((enum dna_req)row->because[(*i)++]);
        if (!any || for_clients(r))
            return r;
    }
    return NULL;
}

static void explain(struct dna_client *c, const struct dna_row *row)
{
    const struct dna_requirement *r;
    size_t i = 0;

    while ((r = next_requirement(row, &i)))
        fprintf(c->out, "     %*s   %s: %s %s: %s\n", TOPIC_WIDTH, "", r->id, r->document,
                r->section, r->text);
}

static void text_line(struct dna_client *c, const char *topic, const char *text,
                      const struct dna_row *row)
{
    const struct dna_requirement *r;
    const char *before = "  [";
    size_t i = 0;

    if (row)
        fprintf(c->out, "%3u  ", ++c->num_shown);
    else
        fputs("     ", c->out);
    fprintf(c->out, "%-*s %s", TOPIC_WIDTH,
            row || !c->last_topic || strcmp(c->last_topic, topic) != 0 ? topic : "", text);
    for (; (r = next_requirement(row, &i)); before = " ")
        fprintf(c->out, "%s%s", before, r->id);
    fputs(before[0] == ' ' && before[1] == '\0' ? "]\n" : "\n", c->out);
    if (c->options->explain)
        explain(c, row);
}

static void json_line(struct dna_client *c, const char *topic, const char *text,
                      const struct dna_row *row)
{
    json_t *because = json_array();
    const struct dna_requirement *r;
    json_t *line;
    size_t i = 0;

    while ((r = next_requirement(row, &i)))
        json_array_append_new(because, json_string(r->id));
    if (row)
        c->num_shown++;
    line = json_pack("{s:i s:s s:s+ s:s s:o}", "step", (int)c->num_shown, "topic", topic, "text",
                     text, "", "row", row ? row->id : "", "requirements", because);
    if (line)
        json_dumpf(line, c->out, JSON_COMPACT);
    fputc('\n', c->out);
    json_decref(line);
}

/* A peer's text must not move the cursor of a terminal or break a line. */
static void defuse(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
}

void dna_client_show(struct dna_client *c, const char *topic, const char *format, ...)
{
    char text[2048];
    const struct dna_row *row = c->row;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    defuse(text);
    c->row = NULL; /* further lines of the same step stand below it */
    if (c->options->json)
        json_line(c, topic, text, row);
    else
        text_line(c, topic, text, row);
    c->last_topic = topic;
    fflush(c->out);
}

void dna_client_note(struct dna_client *c, const char *topic, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(c->note, sizeof c->note, format, args);
    va_end(args);
    c->note_topic = topic;
}

void dna_client_row(struct dna_client *c, const struct dna_effects *fx)
{
    const char *topic = c->note_topic;

    c->row = fx->row == DNA_NO_ROW ? NULL : &fx->machine->rows[fx->row];
    c->note_topic = NULL;
    if (topic)
        dna_client_show(c, topic, "%s", c->note);
}

static void show_names(struct dna_client *c, X509 *leaf)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    char text[512];
    const char *kind;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if ((kind = dna_cert_alt_name(sk_GENERAL_NAME_value(names, i), text, sizeof text)))
            dna_client_show(c, "certificate", "names %s %s", kind, text);
    GENERAL_NAMES_free(names);
}

static void show_one(struct dna_client *c, X509 *x, const char *which)
{
    char subject[512], issuer[512], from[64], to[64], print[DNA_PIN_HEX + 1] = "";

    dna_cert_name_text(X509_get_subject_name(x), subject, sizeof subject);
    dna_cert_name_text(X509_get_issuer_name(x), issuer, sizeof issuer);
    dna_cert_time_text(X509_get0_notBefore(x), from, sizeof from);
    dna_cert_time_text(X509_get0_notAfter(x), to, sizeof to);
    dna_pkix_fingerprint(x, print);
    dna_client_show(c, "certificate", "%s %s, issued by %s", which,
                    subject[0] ? subject : "(empty subject)", issuer[0] ? issuer : "(empty)");
    dna_client_show(c, "certificate", "valid from %s to %s", from, to);
    dna_client_show(c, "certificate", "SHA-256 %s", print);
}

void dna_client_show_certificate(struct dna_client *c)
{
    SSL *ssl = dna_conn_ssl(c->conn);
    X509 *leaf = SSL_get0_peer_certificate(ssl);

    dna_client_show(c, "tls", "%s, %s", SSL_get_version(ssl), SSL_get_cipher_name(ssl));
    if (!leaf) {
        dna_client_show(c, "certificate", "none was presented");
        return;
    }
    show_one(c, leaf, "subject");
    show_names(c, leaf);
}

void dna_client_show_proofs(struct dna_client *c)
{
    for (int i = 0; i < DNA_NUM_PROOFTYPES; i++) {
        const struct dna_proof_part *part =
            dna_proof_part(dna_dial_proof(c->dial), (enum dna_prooftype_id)i);
        char name[32];
        dna_proof_name(part->type, name, sizeof name);
        bool more = part->sought[0] && strcmp(part->sought, part->why) != 0;
        dna_client_show(c, "prooftype", "%s for %s: %s (%s%s%s)", name, c->options->jid->domain,
                        dna_proof_says_name(part->says), part->why, more ? "; sought: " : "",
                        more ? part->sought : "");
    }
}

void dna_client_show_question(struct dna_client *c)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(dna_conn_ssl(c->conn));

    for (int i = 1; i < sk_X509_num(chain); i++)
        show_one(c, sk_X509_value(chain, i), "above it");
    dna_client_show(c, "question",
                    "Nothing proves that this is %s: somebody else may be listening in.",
                    c->options->jid->domain);
    dna_client_show(c, "question",
                    "Better stop here, unless you know this fingerprint from elsewhere.");
    dna_client_show(c, "question",
                    "yes = go on once, unauthenticated; pin = and remember it; else = stop:");
}

void dna_client_show_result(struct dna_client *c)
{
    c->row = NULL;
    if (c->options->json) {
        json_t *line = json_pack("{s:s s:s s:s s:i}", "result", c->options->jid->domain,
                                 "association", c->association ? c->association : "none", "jid",
                                 c->bound ? c->bound : "", "exit", (int)c->status);
        if (line)
            json_dumpf(line, c->out, JSON_COMPACT);
        fputc('\n', c->out);
        json_decref(line);
    } else {
        fprintf(c->out, "RESULT domain=%s association=%s jid=%s exit=%d\n", c->options->jid->domain,
                c->association ? c->association : "none", c->bound ? c->bound : "-",
                (int)c->status);
    }
    fflush(c->out);
}
