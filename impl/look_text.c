/* SPDX-License-Identifier: MIT */
/* look_text.c -- the document of a look, for people: a screen a service at most. */
#include <string.h>

#include "impl/look_internal.h"

enum { MANY = 4 }; /* of a list, that much is shown */

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

static bool yes(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static long long number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void line(FILE *out, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void line(FILE *out, const char *topic, const char *format, ...)
{
    va_list args;

    fprintf(out, "  %-12s ", topic);
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputc('\n', out);
}

/* "a, b and 3 more"; key NULL: a list of strings. */
static void join(const json_t *list, const char *key, struct dna_buf *out)
{
    size_t num = json_array_size(list);

    dna_buf_puts(out, "");
    for (size_t i = 0; i < num && i < MANY; i++) {
        const json_t *one = json_array_get(list, i);
        dna_buf_printf(out, "%s%s%s%s", i ? ", " : "", key ? text(one, "type") : "",
                       key ? " " : "", key ? text(one, key) : json_string_value(one));
    }
    if (num > MANY)
        dna_buf_printf(out, " and %zu more", num - MANY);
}

static void print_srv(const json_t *srv, FILE *out)
{
    if (json_is_null(srv))
        return;
    if (json_array_size(json_object_get(srv, "records")))
        line(out, "SRV", "%s: %zu found, %s", text(srv, "name"),
             json_array_size(json_object_get(srv, "records")), text(srv, "security"));
    else
        line(out, "SRV", "%s: %s, %s (%s)", text(srv, "name"), text(srv, "result"),
             text(srv, "why"), text(srv, "security"));
}

static void print_tlsa(const json_t *tlsa, FILE *out)
{
    const json_t *records = json_object_get(tlsa, "records"), *r;
    struct dna_buf b = DNA_BUF_INIT;
    size_t i;

    if (json_array_size(records) == 0)
        return;
    dna_buf_puts(&b, "");
    json_array_foreach(records, i, r)
        if (i < MANY)
            dna_buf_printf(&b, "%s%lld %lld %lld %.16s...", i ? ", " : "", number(r, "usage"),
                           number(r, "selector"), number(r, "matching_type"), text(r, "data"));
    line(out, "", "%s TLSA: %zu found, %s: %s", text(tlsa, "name"), json_array_size(records),
         text(tlsa, "security"), b.at);
    dna_buf_cleanup(&b);
}

static void print_target(const json_t *t, FILE *out)
{
    const json_t *attempts = json_object_get(t, "attempts"), *attempt;
    struct dna_buf addresses = DNA_BUF_INIT;
    size_t i;

    join(json_object_get(t, "addresses"), NULL, &addresses);
    if (text(t, "address_result")[0])
        line(out, "target", "%s port %lld: %s%s (%s)", text(t, "host"), number(t, "port"),
             addresses.at, text(t, "address_why"), text(t, "address_security"));
    else
        line(out, "target", "%s port %lld: not needed", text(t, "host"), number(t, "port"));
    print_tlsa(json_object_get(t, "tlsa"), out);
    if (yes(t, "barred"))
        line(out, "", "not connected to: its TLSA records can't be trusted or had");
    json_array_foreach(attempts, i, attempt)
        if (text(attempt, "why")[0])
            line(out, "", "%s: %s", text(attempt, "address"), text(attempt, "why"));
    dna_buf_cleanup(&addresses);
}

static void print_features(const char *when, const json_t *f, FILE *out)
{
    struct dna_buf b = DNA_BUF_INIT;

    if (json_is_null(f))
        return;
    join(json_object_get(f, "mechanisms"), NULL, &b);
    line(out, when, "%s%s%s%s%s%s%s",
         yes(f, "starttls") ? "STARTTLS" : "no STARTTLS",
         yes(f, "starttls_required") ? " (required)" : "", b.len ? ", SASL " : "", b.at,
         yes(f, "dialback") ? ", dialback" : "",
         yes(f, "dialback_errors") ? " with errors" : "", yes(f, "bidi") ? ", bidi" : "");
    dna_buf_cleanup(&b);
}

static void print_after(const json_t *service, FILE *out)
{
    const json_t *f = json_object_get(service, "features_after_tls");
    bool server = strcmp(text(service, "service"), "xmpp-server") == 0;
    struct dna_buf b = DNA_BUF_INIT;

    if (json_is_null(f))
        return;
    join(json_object_get(f, "mechanisms"), NULL, &b);
    if (server)
        line(out, "after TLS", "SASL %s, %s%s%s", b.len ? b.at : "none",
             yes(f, "dialback") ? "dialback" : "no dialback announced",
             yes(f, "dialback_errors") ? " with errors" : "",
             yes(f, "bidi") ? ", bidi" : "");
    else
        line(out, "after TLS", "SASL %s", b.len ? b.at : "none");
    if (server)
        line(out, "EXTERNAL", "%s; %s", yes(f, "external") ? "offered" : "not offered",
             yes(json_object_get(service, "tls"), "certificate_shown") ? "we showed a certificate"
             : yes(json_object_get(service, "tls"), "asks_for_certificate")
                 ? "it asked for a certificate, we have none"
                 : "it did not ask for a certificate");
    dna_buf_cleanup(&b);
}

static void print_certificate(const json_t *c, FILE *out)
{
    struct dna_buf b = DNA_BUF_INIT;

    if (json_is_null(c))
        return;
    line(out, "certificate", "%s, issued by %s%s", text(c, "subject"), text(c, "issuer"),
         yes(c, "self_signed") ? " (self-signed)" : "");
    line(out, "", "valid from %s to %s", text(c, "not_before"), text(c, "not_after"));
    join(json_object_get(c, "names"), "value", &b);
    line(out, "", "names %s", b.len ? b.at : "nobody");
    line(out, "", "SHA-256 %s", text(c, "sha256"));
    dna_buf_cleanup(&b);
}

static void print_proofs(const json_t *service, FILE *out)
{
    const json_t *list = json_object_get(service, "prooftypes"), *p;
    const json_t *d = json_object_get(service, "delegation");
    struct dna_buf by = DNA_BUF_INIT;
    size_t i;

    json_array_foreach(list, i, p)
    {
        const char *sought = text(p, "sought"), *why = text(p, "why");
        bool idle = !sought[0] || strcmp(sought, "nothing") == 0;
        if (strstr(sought, why)) /* where it was sought, and why in vain: told once */
            line(out, text(p, "name"), "%s: %s", text(p, "says"), sought);
        else
            line(out, text(p, "name"), "%s: %s%s%s", text(p, "says"), why,
                 idle ? "" : "; sought: ", idle ? "" : sought);
    }
    if (text(d, "to")[0]) {
        join(json_object_get(d, "by"), NULL, &by);
        line(out, "delegation", "to %s, %s%s%s", text(d, "to"),
             yes(d, "secure") ? "secure" : "not secure", by.len ? " by " : "", by.at);
    }
    dna_buf_cleanup(&by);
}

static void print_verdict(const json_t *service, FILE *out)
{
    const char *verdict = text(service, "verdict");
    struct dna_buf by = DNA_BUF_INIT;

    if (!verdict[0])
        fprintf(out, "\n%s: %s: %s\n", text(service, "title"), text(service, "outcome"),
                text(service, "problem"));
    else if (strcmp(verdict, "none") == 0)
        fprintf(out, "\n%s: no strong association\n", text(service, "title"));
    else {
        bool strong = strcmp(verdict, "strong") == 0;
        join(json_object_get(service, strong ? "held" : "refuted"), NULL, &by);
        fprintf(out, "\n%s: %s %s\n", text(service, "title"),
                strong ? "strong, proved by" : "refuted by", by.at);
    }
    dna_buf_cleanup(&by);
}

static void print_service(const json_t *service, FILE *out)
{
    const json_t *targets = json_object_get(service, "targets"), *t;
    const json_t *advice = json_object_get(service, "advice");
    size_t i;

    print_verdict(service, out);
    print_srv(json_object_get(service, "srv"), out);
    json_array_foreach(targets, i, t)
        print_target(t, out);
    if (text(service, "connected")[0])
        line(out, "connected", "to %s; it calls itself %s", text(service, "connected"),
             text(json_object_get(service, "header"), "from")[0]
                 ? text(json_object_get(service, "header"), "from")
                 : "nothing");
    print_features("before TLS", json_object_get(service, "features_before_tls"), out);
    if (text(service, "stream_error")[0])
        line(out, "error", "%s", text(service, "stream_error"));
    t = json_object_get(service, "tls");
    if (!json_is_null(t))
        line(out, "TLS", "%s, %s", text(t, "version"), text(t, "cipher"));
    print_certificate(json_object_get(service, "certificate"), out);
    print_proofs(service, out);
    print_after(service, out);
    json_array_foreach(advice, i, t)
        line(out, i ? "" : "next", "%s", json_string_value(t));
}

static const char *word(const json_t *service)
{
    const char *verdict = text(service, "verdict");

    return verdict[0] ? verdict : text(service, "outcome");
}

void dna_look_print(const json_t *document, FILE *out)
{
    json_t *services = json_object_get(document, "services"), *service;
    const char *key;

    fprintf(out, "%s as seen from outside; DNSSEC is %s\n", text(document, "domain"),
            yes(document, "dnssec_validated")
                ? "validated"
                : "not validated: no trust anchor, DANE proves nothing");
    json_object_foreach(services, key, service)
        print_service(service, out);
    fprintf(out, "\nRESULT domain=%s", text(document, "domain"));
    json_object_foreach(services, key, service)
        fprintf(out, " %s=%s", key, word(service));
    fprintf(out, " exit=%lld\n", number(document, "exit"));
}
