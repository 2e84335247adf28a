/* SPDX-License-Identifier: MIT */
/* look_record.c -- what a look puts into its document.  Every member is there from the start, as
   null or empty, so that a reader finds each by its name. */
#include <stdlib.h>
#include <string.h>

#include "impl/cert_text.h"
#include "impl/jid.h"
#include "impl/look_internal.h"
#include "impl/tls.h"

/* A peer's text must not move the cursor of a terminal, break a line or spoil the document. */
json_t *dna_look_string(const char *text)
{
    char *copy = dna_strdup(text);
    bool utf8 = dna_utf8_valid(copy, strlen(copy));
    json_t *out;

    for (char *at = copy; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c == 0x7f)
            *at = ' ';
        else if (c >= 0x80 && !utf8)
            *at = '?';
    }
    out = json_string(copy);
    free(copy);
    return out ? out : json_string("");
}

static void put(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text ? dna_look_string(text) : json_null());
}

json_t *dna_look_new_service(const struct look_kind *kind)
{
    json_t *s = json_pack("{s:s s:s s:s s:n s:n s:[] s:n s:n s:n s:n}", "service", kind->service,
                          "title", kind->title, "outcome", "unreachable", "problem", "srv",
                          "targets", "connected", "host", "header", "features_before_tls");
    json_t *rest = json_pack("{s:n s:n s:n s:[] s:n s:[] s:[] s:n s:n s:n s:[]}", "tls",
                             "certificate", "posh", "prooftypes", "verdict", "held",
                             "refuted", "delegation", "features_after_tls", "stream_error",
                             "advice");

    if (!s || !rest)
        abort();
    json_object_update(s, rest);
    json_decref(rest);
    return s;
}

/* --- DNS --- */

static const char *security_text(const struct look *l, const struct dna_dns_answer *a)
{
    if (a->security == DNA_DNS_BOGUS)
        return "bogus";
    if (a->class == DNA_DNS_FAILURE)
        return "failed";
    if (!l->all->env.proof.validating)
        return "unvalidated";
    return a->security == DNA_DNS_SECURE ? "secure" : "insecure";
}

static const char *result_text(const struct dna_dns_answer *a)
{
    static const char *const names[] = { [DNA_DNS_RECORDS] = "records",
                                         [DNA_DNS_NONE] = "none",
                                         [DNA_DNS_DOT] = "dot",
                                         [DNA_DNS_FAILURE] = "failed" };

    return a->security == DNA_DNS_BOGUS ? "bogus" : names[a->class];
}

static void put_answer(struct look *l, json_t *to, const struct dna_dns_answer *a)
{
    put(to, "result", result_text(a));
    put(to, "security", security_text(l, a));
    put(to, "why", a->class == DNA_DNS_RECORDS ? NULL : a->why);
}

static json_t *new_target(const char *host, uint16_t port, const struct dna_dns_srv *srv)
{
    json_t *t = json_pack("{s:s s:i s:b s:n s:n s:[] s:n s:n s:n s:b s:[] s:n}", "host", host,
                          "port", (int)port, "from_srv", srv != NULL, "priority", "weight",
                          "addresses", "address_result", "address_security", "address_why",
                          "barred", false, "attempts", "tlsa");

    if (!t)
        abort();
    if (srv) {
        json_object_set_new(t, "priority", json_integer(srv->priority));
        json_object_set_new(t, "weight", json_integer(srv->weight));
    }
    return t;
}

void dna_look_record_srv(struct look *l, const struct dna_dns_answer *answer)
{
    json_t *srv = json_object_get(l->record, "srv");

    put_answer(l, srv, answer);
    for (size_t i = 0; i < answer->num_srv; i++) {
        const struct dna_dns_srv *s = &answer->srv[i];
        json_array_append_new(json_object_get(srv, "records"),
                              json_pack("{s:i s:i s:i s:s}", "priority", s->priority, "weight",
                                        s->weight, "port", s->port, "target", s->target));
        json_array_append_new(json_object_get(l->record, "targets"),
                              new_target(s->target, s->port, s));
    }
}

void dna_look_record_target(struct look *l, const struct dna_dial_target *of)
{
    json_t *targets = json_object_get(l->record, "targets");

    if (!of->from_srv)
        json_array_append_new(targets, new_target(of->host, of->port, NULL));
    l->target = json_array_get(targets, l->num_tried++);
}

void dna_look_record_addresses(struct look *l, const struct dna_dns_answer *answer)
{
    for (size_t i = 0; i < answer->num_addr; i++) {
        char text[80], *colon;
        dna_dial_address_text(&answer->addr[i], 0, text, sizeof text);
        colon = strrchr(text, ':');
        *colon = '\0';
        json_array_append_new(json_object_get(l->target, "addresses"), json_string(text));
    }
    put(l->target, "address_result", result_text(answer));
    put(l->target, "address_security", security_text(l, answer));
    put(l->target, "address_why", answer->num_addr ? NULL : answer->why);
}

/* --- TLSA, asked for the record only: what counts is asked by the prooftype --- */

struct look_tlsa {
    struct look *look;
    struct dna_dns_query *query;
    json_t *target;
};

static json_t *tlsa_record(const struct dna_dns_tlsa *r)
{
    struct dna_buf hex = DNA_BUF_INIT;
    json_t *out;

    dna_buf_puts(&hex, "");
    for (size_t i = 0; i < r->len; i++)
        dna_buf_printf(&hex, "%02x", r->data[i]);
    out = json_pack("{s:i s:i s:i s:s}", "usage", r->usage, "selector", r->selector,
                    "matching_type", r->mtype, "data", hex.at);
    dna_buf_cleanup(&hex);
    return out;
}

static void on_tlsa(void *arg, const struct dna_dns_answer *answer)
{
    struct look_tlsa *t = arg;
    json_t *tlsa = json_object_get(t->target, "tlsa");

    t->query = NULL;
    put_answer(t->look, tlsa, answer);
    for (size_t i = 0; i < answer->num_tlsa; i++)
        json_array_append_new(json_object_get(tlsa, "records"), tlsa_record(&answer->tlsa[i]));
    dna_look_closed(t->look->all);
}

void dna_look_tlsa_all(struct look *l)
{
    json_t *targets = json_object_get(l->record, "targets");

    l->tlsa = dna_calloc(LOOK_MAX_TARGETS, sizeof *l->tlsa);
    for (size_t i = 0; i < json_array_size(targets) && i < LOOK_MAX_TARGETS; i++) {
        struct look_tlsa *t = &l->tlsa[i];
        json_t *target = json_array_get(targets, i);
        const char *host = json_string_value(json_object_get(target, "host"));
        uint16_t port = (uint16_t)json_integer_value(json_object_get(target, "port"));
        char name[300];
        snprintf(name, sizeof name, "_%u._tcp.%s", port, host);
        json_object_set_new(target, "tlsa",
                            json_pack("{s:s s:n s:n s:n s:[]}", "name", name, "result", "security",
                                      "why", "records"));
        t->look = l;
        t->target = target;
        dna_look_opened(l->all);
        t->query = dna_dns_tlsa(l->all->env.dns, port, host, on_tlsa, t);
    }
}

void dna_look_tlsa_free(struct look *l)
{
    for (size_t i = 0; l->tlsa && i < LOOK_MAX_TARGETS; i++)
        if (l->tlsa[i].query)
            dna_dns_cancel(l->tlsa[i].query);
    free(l->tlsa);
}

/* --- the stream --- */

void dna_look_record_header(struct look *l, const struct dna_xml_node *header)
{
    json_t *h = json_object();

    put(h, "from", dna_xml_get(header, "from"));
    put(h, "id", dna_xml_get(header, "id"));
    put(h, "version", dna_xml_get(header, "version"));
    json_object_set_new(l->record, "header", h);
}

static json_t *mechanisms(const struct dna_xml_node *features)
{
    const struct dna_xml_node *m = dna_xml_child(features, DNA_NS_SASL, "mechanisms");
    json_t *list = json_array();

    for (m = m ? m->children : NULL; m && json_array_size(list) < LOOK_MAX_ITEMS; m = m->next) {
        struct dna_buf name = DNA_BUF_INIT;
        if (!dna_xml_is(m, DNA_NS_SASL, "mechanism"))
            continue;
        dna_buf_puts(&name, "");
        dna_xml_text(m, &name);
        json_array_append_new(list, dna_look_string(name.at));
        dna_buf_cleanup(&name);
    }
    return list;
}

static json_t *all_names(const struct dna_xml_node *features)
{
    json_t *list = json_array();

    for (const struct dna_xml_node *f = features->children;
         f && json_array_size(list) < LOOK_MAX_ITEMS; f = f->next) {
        struct dna_buf name = DNA_BUF_INIT;
        if (!f->name)
            continue;
        dna_buf_printf(&name, "{%s}%s", f->ns, f->name);
        json_array_append_new(list, dna_look_string(name.at));
        dna_buf_cleanup(&name);
    }
    return list;
}

void dna_look_record_features(struct look *l, const struct dna_xml_node *features)
{
    const struct look_facts *f = &l->facts;
    const struct dna_xml_node *tls = dna_xml_child(features, DNA_NS_TLS, "starttls");
    const char *key = dna_conn_secured(l->conn) ? "features_after_tls" : "features_before_tls";
    json_t *out = json_pack("{s:b s:b s:b s:b s:b s:b s:b}", "starttls", f->starttls,
                            "starttls_required", tls && dna_xml_child(tls, DNA_NS_TLS, "required"),
                            "external", f->external, "dialback", f->dialback, "dialback_errors",
                            f->errors, "bidi", f->bidi, "bind", f->bind);

    json_object_set_new(out, "mechanisms", mechanisms(features));
    json_object_set_new(out, "all", all_names(features));
    json_object_set_new(l->record, key, out);
}

/* --- the certificate --- */

static json_t *names_of(X509 *leaf)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    json_t *list = json_array();
    char text[512];

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < LOOK_MAX_ITEMS; i++) {
        const char *kind =
            dna_cert_alt_name(sk_GENERAL_NAME_value(names, i), text, sizeof text);
        json_t *one = kind ? json_object() : NULL;
        if (!one)
            continue;
        put(one, "type", kind);
        put(one, "value", text);
        json_array_append_new(list, one);
    }
    GENERAL_NAMES_free(names);
    return list;
}

static json_t *certificate(X509 *leaf, int chain_len)
{
    char subject[512], issuer[512], from[64], to[64], print[65] = "";
    int days = 0, seconds = 0;
    json_t *out = json_object();

    dna_cert_name_text(X509_get_subject_name(leaf), subject, sizeof subject);
    dna_cert_name_text(X509_get_issuer_name(leaf), issuer, sizeof issuer);
    dna_cert_time_text(X509_get0_notBefore(leaf), from, sizeof from);
    dna_cert_time_text(X509_get0_notAfter(leaf), to, sizeof to);
    dna_pkix_fingerprint(leaf, print);
    put(out, "subject", subject);
    put(out, "issuer", issuer);
    put(out, "not_before", from);
    put(out, "not_after", to);
    json_object_set_new(out, "days_left",
                        ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(leaf))
                            ? json_integer(days)
                            : json_null());
    put(out, "sha256", print);
    json_object_set_new(out, "self_signed", json_boolean(X509_self_signed(leaf, 1) == 1));
    json_object_set_new(out, "chain_length", json_integer(chain_len));
    json_object_set_new(out, "names", names_of(leaf));
    return out;
}

void dna_look_record_tls(struct look *l)
{
    SSL *ssl = dna_conn_ssl(l->conn);
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    int chain_len = leaf ? sk_X509_num(SSL_get_peer_cert_chain(ssl)) : 0;

    json_object_set_new(l->record, "tls",
                        json_pack("{s:s s:s s:b s:b}", "version", SSL_get_version(ssl), "cipher",
                                  SSL_get_cipher_name(ssl), "asks_for_certificate",
                                  dna_tls_asked_for_certificate(ssl), "certificate_shown",
                                  dna_tls_showed_certificate(ssl)));
    if (leaf)
        json_object_set_new(l->record, "certificate", certificate(leaf, chain_len));
}

/* --- the proofs --- */

void dna_look_record_proofs(struct look *l, enum dna_proof_verdict verdict)
{
    static const char *const words[] = { [DNA_PROOF_PENDING] = "none",
                                         [DNA_PROOF_UNPROVED] = "none",
                                         [DNA_PROOF_PROVED] = "strong",
                                         [DNA_PROOF_NEGATIVE] = "refuted" };
    json_t *list = json_object_get(l->record, "prooftypes");

    for (int i = 0; i < DNA_NUM_PROOFTYPES; i++) {
        const struct dna_proof_part *part =
            dna_proof_part(dna_dial_proof(l->dial), (enum dna_prooftype_id)i);
        const char *by = part->says == DNA_PROOF_HELD      ? "held"
                         : part->says == DNA_PROOF_REFUTED ? "refuted"
                                                           : NULL;
        json_t *one = json_object();
        char name[32];
        dna_proof_name(part->type, name, sizeof name);
        put(one, "name", name);
        put(one, "says", dna_proof_says_name(part->says));
        put(one, "why", part->why);
        put(one, "sought", part->sought);
        json_array_append_new(list, one);
        if (by)
            json_array_append_new(json_object_get(l->record, by), json_string(name));
    }
    json_object_set_new(l->record, "verdict", json_string(words[verdict]));
    json_object_set_new(l->record, "outcome", json_string("checked"));
}

void dna_look_record_posh(struct look *l)
{
    const struct dna_posh_about a =
        l->posh ? dna_posh_about(l->posh) : (struct dna_posh_about){ .source = NULL };
    json_t *out;

    if (!a.source)
        return;
    out = json_object();
    put(out, "source", a.source);
    put(out, "url", a.url);
    json_object_set_new(out, "answered", json_boolean(a.answered));
    put(out, "result", a.found ? "document" : a.absent ? "none" : "failed");
    json_object_set_new(out, "by_reference", json_boolean(a.by_reference));
    json_object_set_new(out, "redirects", json_integer(a.redirects));
    json_object_set_new(out, "fingerprints", json_integer((json_int_t)a.num_fingerprints));
    json_object_set_new(out, "expires_s", a.found ? json_integer(a.expires_s) : json_null());
    put(out, "why", a.found ? NULL : a.why);
    json_object_set_new(l->record, "posh", out);
}
