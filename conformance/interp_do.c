/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Steps that are over at once: sending, setting variables, changing records,
 * readings, starting the client under test, and looking at what has been seen already.
 */
#include "conformance/case_run.h"
#include "conformance/scn_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

bool dna_step_is_immediate(const struct dna_step *step)
{
    switch (step->kind) {
    case DNA_STEP_SEND: case DNA_STEP_SEND_RAW: case DNA_STEP_SEND_CLOSE: case DNA_STEP_SEND_FIN:
    case DNA_STEP_SEES_CERT: case DNA_STEP_SEES_CERT_REQUEST: case DNA_STEP_SEES_SNI:
    case DNA_STEP_DNS_NEVER: case DNA_STEP_DNS_SET: case DNA_STEP_SET: case DNA_STEP_INFO:
    case DNA_STEP_DNSSEC: case DNA_STEP_TLSA: case DNA_STEP_PAGE: case DNA_STEP_WEB_NEVER:
    case DNA_STEP_CLOCK: case DNA_STEP_UNVISITED: case DNA_STEP_IUT_STOPS:
    case DNA_STEP_RUN: case DNA_STEP_INPUT: case DNA_STEP_WRITES:
        return true;
    default:
        return false;
    }
}

static bool suite_error(struct dna_case_run *run, const struct dna_step *step, const char *why)
{
    dna_run_end(run, DNA_END_SUITE, step, "suite", step->text, why);
    return false;
}

static bool do_send(struct dna_case_run *run, const struct dna_step *s)
{
    struct dna_conn *conn = dna_actor_conn(dna_run_actor(run, s->actor), s->conn);

    if (!conn)
        return suite_error(run, s, "the connection was not opened on this path");
    switch (s->kind) {
    case DNA_STEP_SEND:
        dna_conn_send(conn, s->xml);
        break;
    case DNA_STEP_SEND_RAW: {
        const char *text = dna_run_expand(run, s->value);
        /* bytes with NULs hold no variables */
        bool plain = strlen(s->value) == s->value_len;

        dna_conn_send_bytes(conn, plain ? text : s->value, plain ? strlen(text) : s->value_len);
        break;
    }
    case DNA_STEP_SEND_CLOSE:
        dna_conn_close(conn);
        break;
    default:
        dna_run_note(run, "%s < (end of our side)", dna_conn_label(conn));
        dna_conn_fin(conn);
    }
    return true;
}

/* ---- set ---- */

static char *hex(struct dna_pool *pool, const unsigned char *bytes, size_t len)
{
    char *text = dna_pool_alloc(pool, 2 * len + 1);

    for (size_t i = 0; i < len; i++) {
        text[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    return text;
}

/* XEP-0185: HMAC-SHA256( hex(SHA256(secret)), "receiving sender id" ), in hex */
const char *dna_dialback_key(struct dna_pool *pool, const char *secret, const char *receiving,
                             const char *sender, const char *id)
{
    unsigned char digest[SHA256_DIGEST_LENGTH], mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const char *key, *text;

    SHA256((const unsigned char *)secret, strlen(secret), digest);
    key = hex(pool, digest, sizeof(digest));
    text = dna_pool_printf(pool, "%s %s %s", receiving, sender, id);
    HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)text, strlen(text), mac, &len);
    return hex(pool, mac, len);
}

static const char *option(struct dna_case_run *run, const struct dna_step *s, const char *key)
{
    return dna_run_expand(run, scn_option(s->words, s->num_words, key));
}

/* variables between the NULs of a SASL message are replaced, the NULs stay */
static const char *to_base64(struct dna_case_run *run, const struct dna_step *s)
{
    struct dna_buf raw = { 0 };
    char *done;

    for (size_t at = 0; at <= s->value_len;) {
        size_t len = strlen(s->value + at);

        if (at)
            dna_buf_add(&raw, "", 1);
        dna_buf_puts(&raw, dna_run_expand(run, dna_pool_strndup(run->pool, s->value + at, len)));
        at += len + 1;
    }
    done = dna_pool_alloc(run->pool, raw.len * 2 + 8);
    EVP_EncodeBlock((unsigned char *)done, (const unsigned char *)raw.at, (int)raw.len);
    dna_buf_free(&raw);
    return done;
}

static const char *from_base64(struct dna_case_run *run, const char *text)
{
    size_t len = strlen(text);
    char *out = dna_pool_alloc(run->pool, len + 4);

    if (len % 4 || EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text,
                                   (int)len) < 0)
        return "";
    return out;
}

/* the same length and alphabet, another value: a key that is wrong and nothing else */
static const char *alter(struct dna_case_run *run, const char *text)
{
    char *out = dna_pool_strdup(run->pool, text);
    size_t len = strlen(out);

    if (!len)
        return "x";
    out[len - 1] = out[len - 1] == '0' ? '1' : '0';
    return out;
}

static const char *random_text(struct dna_case_run *run)
{
    unsigned char bytes[12];

    RAND_bytes(bytes, sizeof(bytes));
    return hex(run->pool, bytes, sizeof(bytes));
}

static const char *upper(struct dna_case_run *run, const char *text)
{
    char *out = dna_pool_strdup(run->pool, text);

    for (char *p = out; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return out;
}

static const char *repeat(struct dna_case_run *run, const struct dna_step *s)
{
    const char *text = dna_run_expand(run, s->words[1]);
    size_t times = scn_repeats(dna_run_expand(run, s->words[0]), text), len = strlen(text);
    char *out;

    if (!times) {
        suite_error(run, s, "too often, or no number");
        return "";
    }
    out = dna_pool_alloc(run->pool, times * len + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(out + i * len, text, len);
    return out;
}

static bool do_set(struct dna_case_run *run, const struct dna_step *s)
{
    const char *value = s->value ? dna_run_expand(run, s->value) : "", *f = s->function;

    if (f && strcmp(f, "dialback-key") == 0)
        value = dna_dialback_key(run->pool, option(run, s, "secret"), option(run, s, "receiving"),
                                 option(run, s, "sender"), option(run, s, "id"));
    else if (f && strcmp(f, "base64") == 0)
        value = to_base64(run, s);
    else if (f && strcmp(f, "unbase64") == 0)
        value = from_base64(run, value);
    else if (f && strcmp(f, "random") == 0)
        value = random_text(run);
    else if (f && strcmp(f, "alter") == 0)
        value = alter(run, value);
    else if (f && strcmp(f, "upper") == 0)
        value = upper(run, value);
    else if (f && strcmp(f, "repeat") == 0)
        value = repeat(run, s);
    dna_binds_set(&run->vars, s->name, value);
    return !run->ended;
}

/* ---- the rest ---- */

static bool do_unvisited(struct dna_case_run *run, const struct dna_step *s)
{
    if (!dna_actor_has_pending(dna_run_actor(run, s->actor)))
        return true;
    dna_run_end(run, DNA_END_WRONG, s, "got:connection", s->text, "a connection of the IUT");
    return false;
}

static bool do_dns_never(struct dna_case_run *run, const struct dna_step *s)
{
    const char *name = dna_run_expand(run, s->value);

    for (const struct dna_seen_query *q = run->queries; q; q = q->next) {
        if (strcasecmp(q->name, name) == 0 && strcasecmp(q->type, s->name) == 0 &&
            (q->bits & s->query_bits) == s->query_bits) {
            dna_run_end(run, DNA_END_WRONG, s, "got:query", dna_run_expand(run, s->text),
                        dna_pool_printf(run->pool, "a query for %s %s", q->type, q->name));
            return false;
        }
    }
    return true;
}

static bool do_web_never(struct dna_case_run *run, const struct dna_step *s)
{
    const char *host = dna_run_expand(run, s->page->host);
    const char *path = s->page->path ? dna_run_expand(run, s->page->path) : NULL;

    for (const struct dna_seen_request *r = run->requests; r; r = r->next) {
        if (strcasecmp(r->host, host) != 0 ||
            (path && (r->kind != DNA_WEB_ASKED || strcmp(r->path, path) != 0)))
            continue;
        dna_run_end(run, DNA_END_WRONG, s, "got:request", dna_run_expand(run, s->text),
                    dna_pool_printf(run->pool, "%s at %s%s%s", dna_web_kind_name(r->kind), r->host,
                                    *r->path ? " for " : "", r->path));
        return false;
    }
    return true;
}

static bool do_sees(struct dna_case_run *run, const struct dna_step *s)
{
    const char *got = NULL;

    if (dna_step_sees(run, s, &got))
        return true;
    dna_run_end(run, DNA_END_WRONG, s, "got:certificate", dna_run_expand(run, s->text), got);
    return false;
}

static bool do_info(struct dna_case_run *run, const struct dna_step *s)
{
    const char *more = dna_pool_printf(run->pool, "%s=%s", s->name, dna_run_expand(run, s->value));

    run->reading = run->reading ? dna_pool_printf(run->pool, "%s %s", run->reading, more) : more;
    return true;
}

bool dna_step_do(struct dna_case_run *run, const struct dna_step *s)
{
    struct dna_actor *a = s->actor ? dna_run_actor(run, s->actor) : NULL;

    switch (s->kind) {
    case DNA_STEP_SEND: case DNA_STEP_SEND_RAW: case DNA_STEP_SEND_CLOSE: case DNA_STEP_SEND_FIN:
        return do_send(run, s);
    case DNA_STEP_SEES_CERT: case DNA_STEP_SEES_CERT_REQUEST: case DNA_STEP_SEES_SNI:
        return do_sees(run, s);
    case DNA_STEP_UNVISITED:
        return do_unvisited(run, s);
    case DNA_STEP_DNS_NEVER:
        return do_dns_never(run, s);
    case DNA_STEP_DNS_SET:
        return dna_run_dns(run, s) || suite_error(run, s, "the record cannot be made");
    case DNA_STEP_DNSSEC:
        return dna_run_dnssec(run, s);
    case DNA_STEP_TLSA:
        return dna_run_tlsa(run, s);
    case DNA_STEP_PAGE:
        return dna_run_page(run, s);
    case DNA_STEP_WEB_NEVER:
        return do_web_never(run, s);
    case DNA_STEP_CLOCK:
        return dna_run_clock(run, s);
    case DNA_STEP_IUT_STOPS:
        return dna_run_stop(run, s);
    case DNA_STEP_SET:
        return do_set(run, s);
    case DNA_STEP_INFO:
        return do_info(run, s);
    case DNA_STEP_RUN:
        return dna_child_run(a, s) || suite_error(run, s, "the client cannot be started");
    case DNA_STEP_INPUT:
    case DNA_STEP_WRITES:
        if (!a->child)
            return suite_error(run, s, "the client was not run on this path");
        dna_child_input(a->child, s->kind == DNA_STEP_WRITES, dna_run_expand(run, s->value));
        return true;
    default:
        return suite_error(run, s, "not a step that is over at once");
    }
}
