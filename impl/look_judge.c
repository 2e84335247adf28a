/* SPDX-License-Identifier: MIT */
/* look_judge.c -- what follows from a look: whether the delegation is secure, what an operator
   might do next, and the exit status.  All of it is read from the document. */
#include <string.h>

#include "impl/look_internal.h"

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

static bool is(const json_t *object, const char *key, const char *value)
{
    return strcmp(text(object, key), value) == 0;
}

static bool yes(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static bool says(const json_t *service, const char *prooftype, const char *what)
{
    const json_t *list = json_object_get(service, "prooftypes"), *one;
    size_t i;

    json_array_foreach(list, i, one)
        if (is(one, "name", prooftype))
            return is(one, "says", what);
    return false;
}

/* RFC 7712 6: SRV records lead elsewhere securely with DNSSEC; POSH makes it secure by its match,
   however its document was found (RFC 7711 4). */
static void judge_delegation(json_t *service, const char *ascii)
{
    const char *host = text(service, "host");
    bool elsewhere = host[0] && strcmp(host, ascii) != 0;
    bool dnssec = is(json_object_get(service, "srv"), "security", "secure");
    bool posh = says(service, "POSH", "held");
    json_t *by = json_array();

    if (!host[0]) {
        json_decref(by);
        return;
    }
    if (elsewhere && dnssec)
        json_array_append_new(by, json_string("DNSSEC"));
    if (elsewhere && posh)
        json_array_append_new(by, json_string("POSH"));
    json_object_set_new(service, "delegation",
                        json_pack("{s:s? s:o? s:o}", "to", elsewhere ? host : NULL, "secure",
                                  elsewhere ? json_boolean(dnssec || posh) : NULL, "by", by));
}

/* --- what to do next: short, the most important first --- */

static void advise(json_t *service, const char *line)
{
    json_array_append_new(json_object_get(service, "advice"), json_string(line));
}

static void advise_reaching(json_t *service, bool validating)
{
    const json_t *srv = json_object_get(service, "srv");

    if (is(srv, "result", "none"))
        advise(service, "publish SRV records: without them only the domain itself is tried");
    if (is(service, "outcome", "bogus"))
        advise(service, "the zone's signatures do not validate: a validating peer stops here");
    if (!validating)
        advise(service, "say --trust-anchor to see what DNSSEC and DANE make of it");
    else if (is(srv, "security", "insecure"))
        advise(service, "sign the zone of the SRV records (DNSSEC) to delegate securely");
    if (is(service, "outcome", "no-tls"))
        advise(service, "offer STARTTLS: without TLS there is no strong association");
}

static void advise_proving(json_t *service)
{
    const json_t *delegation = json_object_get(service, "delegation");

    if (is(service, "verdict", "refuted"))
        advise(service, "publish the new certificate's records or fingerprints before it is used");
    if (is(service, "verdict", "none") && says(service, "POSH", "absent") &&
        json_is_false(json_object_get(delegation, "secure")))
        advise(service, "let the host present a certificate for the domain, or publish TLSA "
                        "records (signed) or a POSH document");
    else if (is(service, "verdict", "none"))
        advise(service, "let the server present a certificate that names the domain, from a CA "
                        "that is trusted");
    /* a domain without a web server need not have one */
    if (says(service, "POSH", "unclear") && yes(json_object_get(service, "posh"), "answered"))
        advise(service, "repair the POSH document, or answer 404 where there is none");
}

static void advise_upkeep(json_t *service)
{
    const json_t *certificate = json_object_get(service, "certificate");
    const json_t *days = json_object_get(certificate, "days_left");
    const json_t *after = json_object_get(service, "features_after_tls");
    const json_t *tls = json_object_get(service, "tls");

    if (days && json_integer_value(days) < 14)
        advise(service, json_integer_value(days) < 0 ? "renew the certificate: it has expired"
                                                     : "renew the certificate: it ends soon");
    if (!is(service, "service", "xmpp-server") || !after || json_is_null(after))
        return;
    if (!yes(tls, "asks_for_certificate"))
        advise(service, "ask connecting servers for a certificate, else EXTERNAL can't be used");
    if (yes(after, "dialback") && !yes(after, "dialback_errors"))
        advise(service, "announce dialback errors, else domains can't share a connection");
}

static bool any_target_bogus(const json_t *service)
{
    const json_t *targets = json_object_get(service, "targets"), *t;
    size_t i;

    json_array_foreach(targets, i, t)
        if (is(t, "address_result", "bogus") ||
            (yes(t, "barred") && is(json_object_get(t, "tlsa"), "result", "bogus")))
            return true;
    return false;
}

/* Whoever was not reached because DNSSEC forbids to believe where it is has a fault of its own;
   that there is no service is no fault. */
static void judge_reaching(json_t *service)
{
    const json_t *srv = json_object_get(service, "srv");

    if (!is(service, "outcome", "unreachable"))
        return;
    if (is(srv, "result", "bogus") || any_target_bogus(service))
        json_object_set_new(service, "outcome", json_string("bogus"));
    else if (is(srv, "result", "dot"))
        json_object_set_new(service, "outcome", json_string("no-service"));
}

static bool reached(const json_t *service)
{
    static const char *const not[] = { "unreachable", "no-service", "lost" };

    for (size_t i = 0; i < sizeof not / sizeof *not; i++)
        if (is(service, "outcome", not[i]))
            return false;
    return true;
}

static enum dna_client_status judge(json_t *service, const struct dna_look_options *o)
{
    judge_reaching(service);
    judge_delegation(service, o->ascii);
    advise_reaching(service, o->env.trust_anchor != NULL);
    advise_proving(service);
    advise_upkeep(service);
    if (is(service, "verdict", "strong"))
        return DNA_CLIENT_OK;
    return reached(service) ? DNA_CLIENT_REFUSED : DNA_CLIENT_NETWORK;
}

enum dna_client_status dna_look_judge(struct dna_look *all)
{
    enum dna_client_status worst = DNA_CLIENT_OK;

    for (size_t i = 0; i < all->num_looks; i++) {
        enum dna_client_status one = judge(all->looks[i].record, all->options);
        worst = one > worst ? one : worst;
    }
    json_object_set_new(all->document, "exit", json_integer((json_int_t)worst));
    return worst;
}
