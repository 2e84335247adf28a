/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What must come out for each token of a word, as scenario lines, and the
 * barrier that shows that nothing does. A connection of the IUT to an authority, which the tester
 * serves as a complete peer, begins here too.
 */
#include "conformance/derive_internal.h"

#include <ctype.h>
#include <string.h>

static void put_condition(struct dna_derive_script *s, const char *prefix, const char *name)
{
    if (s->any_error)
        return;
    dna_buf_printf(&s->body, "<%s:", prefix);
    for (; *name; name++)
        dna_buf_printf(&s->body, "%c", *name == '_' ? '-' : *name);
    dna_buf_puts(&s->body, "/>");
}

static bool begins(const char *text, const char *with, const char **rest)
{
    size_t len = strlen(with);

    *rest = text + len;
    return strncmp(text, with, len) == 0;
}

static const char *domain_of(unsigned whom)
{
    return whom == DNA_PAIR2 ? "$c" : "$a";
}

/* ---- features: an element whose parts are tokens of their own ---- */

static bool follows(const struct dna_compose *c, size_t at, const char *offer)
{
    while (++at < c->num_tokens && strncmp(c->word[at].text, "offer_", 6) == 0)
        if (strcmp(c->word[at].text, offer) == 0)
            return true;
    return false;
}

static void expect_features(struct dna_derive_script *s, size_t at)
{
    static const struct {
        const char *offer, *there, *absent;
    } parts[] = {
        { "offer_external",
          "<sasl:mechanisms><sasl:mechanism>EXTERNAL</sasl:mechanism></sasl:mechanisms>",
          "-<sasl:mechanisms/>" },
        { "offer_dialback", "<dbf:dialback/>", "-<dbf:dialback/>" },
        { "offer_bidi", "<bidif:bidi/>", "-<bidif:bidi/>" },
    };
    const struct dna_compose *c = s->compose;
    bool required = follows(c, at, "offer_starttls_required");
    bool tls = follows(c, at, "offer_starttls");

    dna_buf_printf(&s->body, "%s > <stream:features>%s", s->conn,
                   required ? "<tls:starttls><tls:required/></tls:starttls>"
                   : tls    ? "<tls:starttls>-<tls:required/></tls:starttls>"
                   : s->loose ? ""
                              : "-<tls:starttls/>");
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        if (follows(c, at, parts[i].offer))
            dna_buf_puts(&s->body, parts[i].there);
        else if (!s->loose)
            dna_buf_puts(&s->body, parts[i].absent);
    }
    dna_buf_puts(&s->body, "</stream:features>\n");
}

/* ---- the authority is asked ---- */

static void expect_question(struct dna_derive_script *s, unsigned whom)
{
    const char *actor = whom == DNA_PAIR2 ? "C" : "A";
    unsigned pair = whom == DNA_PAIR2, n = ++s->verify;
    unsigned key = s->kept[pair] ? s->kept[pair] : s->key;

    s->asked[pair] = n;
    s->asked_id[pair] = s->header;
    dna_buf_printf(&s->body,
                   "set $k%u = \"key%u-$case\"\n"
                   "do serve-verification %s v%u %s $iut s%u k%u\n",
                   n, key, actor, n, domain_of(whom), s->header, n);
}

/* ---- answers to db:result, errors, SASL ---- */

static void expect_result(struct dna_derive_script *s, const char *name, unsigned whom)
{
    const char *condition = strcmp(name, "not_found") == 0 ? "remote_server_not_found"
                            : strcmp(name, "timeout") == 0 ? "remote_server_timeout" : name;
    const char *from = whom == DNA_STRANGER ? "*" : "$iut";

    dna_buf_printf(&s->body, "%s > <db:result from='%s'", s->conn, from);
    if (whom != DNA_STRANGER)
        dna_buf_printf(&s->body, " to='%s'", domain_of(whom));
    if (strcmp(name, "valid") == 0 || strcmp(name, "invalid") == 0) {
        dna_buf_printf(&s->body, " type='%s'/>\n", name);
        return;
    }
    dna_buf_puts(&s->body, " type='error'><error>");
    put_condition(s, "stz", condition);
    dna_buf_puts(&s->body, "</error></db:result>\n");
}

static void expect_verify(struct dna_derive_script *s, const char *name)
{
    if (strcmp(name, "valid") == 0 || strcmp(name, "invalid") == 0) {
        dna_buf_printf(&s->body, "%s > <db:verify type='%s'/>\n", s->conn, name);
        return;
    }
    dna_buf_printf(&s->body, "%s > <db:verify type='error'><error>", s->conn);
    put_condition(s, "stz", name);
    dna_buf_puts(&s->body, "</error></db:verify>\n");
}

static void expect_bounce(struct dna_derive_script *s, const char *condition)
{
    dna_buf_printf(&s->body, "U > <message type='error' id='u%u-$case'><error>", s->local);
    put_condition(s, "stz", condition);
    dna_buf_puts(&s->body, "</error></message>\n");
}

struct fixed {
    const char *token, *pattern; /* behind "CONN > " */
};

static const struct fixed fixed[] = {
    { "send_proceed", "<tls:proceed/>" },
    { "send_tls_failure", "<tls:failure/>" },
    { "send_success", "<sasl:success/>" },
    { "send_challenge", "<sasl:challenge/>" },
    { "send_starttls", "<tls:starttls/>" },
    { "send_auth_empty", "<sasl:auth mechanism='EXTERNAL'>=</sasl:auth>" },
    { "send_auth_named", "<sasl:auth mechanism='EXTERNAL'>$iut64</sasl:auth>" },
    { "send_response_named", "<sasl:response>$iut64</sasl:response>" },
    { "send_response_empty", "<sasl:response>=</sasl:response>" },
    { "send_bidi", "<bidi:bidi/>" },
    { "send_close", "close" },
    { "drop_stream", "eof" },
    { NULL, NULL },
};

static bool expect_fixed(struct dna_derive_script *s, const char *token)
{
    if (s->patient && strcmp(token, "drop_stream") == 0) {
        dna_buf_printf(&s->body, "%s > drop\n", s->conn);
        return true;
    }
    for (const struct fixed *f = fixed; f->token; f++) {
        if (strcmp(f->token, token) == 0) {
            dna_buf_printf(&s->body, "%s > %s\n", s->conn, f->pattern);
            return true;
        }
    }
    return false;
}

/* The header names a stream id of the IUT's; streams that it opened have none. */
static void expect_header(struct dna_derive_script *s, const char *token)
{
    const char *old = strcmp(token, "send_header_old") == 0 ? "-version" : "version='1.0'";

    if (s->side != DNA_DERIVE_IUT && s->compose->symbol->kind != DNA_SEND_HEADER)
        s->header++; /* an error before any header of the peer's */
    if (s->side == DNA_DERIVE_IUT)
        dna_buf_printf(&s->body, "%s > <stream:stream from='$iut' to='$a'>\n", s->conn);
    else
        dna_buf_printf(&s->body, "%s > <stream:stream id='$s%u' %s>\n", s->conn, s->header, old);
}

static bool expect_named(struct dna_derive_script *s, const struct dna_token *t)
{
    const char *rest;

    if (begins(t->text, "error_", &rest)) {
        dna_buf_printf(&s->body, "%s > <stream:error>", s->conn);
        put_condition(s, "err", rest);
        dna_buf_puts(&s->body, "</stream:error>\n");
    } else if (begins(t->text, "failure_", &rest)) {
        dna_buf_printf(&s->body, "%s > <sasl:failure>", s->conn);
        put_condition(s, "sasl", rest);
        dna_buf_puts(&s->body, "</sasl:failure>\n");
    } else if (begins(t->text, "send_verify_", &rest) || begins(t->text, "verify_", &rest)) {
        expect_verify(s, rest);
    } else if (strcmp(t->text, "send_key") == 0) {
        dna_buf_printf(&s->body, "%s > <db:result from='$iut' to='$a' -type>$got%u</db:result>\n",
                       s->conn, ++s->got);
    } else if (begins(t->text, "send_", &rest) && t->whom != DNA_STREAM) {
        expect_result(s, rest, t->whom);
    } else {
        return false;
    }
    return true;
}

/* Where d1 is found: at an address of its own, or the stream that is there already would be taken
 * into account for what else leads to it; but at its peer's where that has to answer for it. */
static const char *home_of(const struct dna_derive_script *s)
{
    return strstr(s->compose->scope->alphabet, "d1 says") ? "A" : "B";
}

static void expect_elsewhere(struct dna_derive_script *s, const struct dna_token *t)
{
    if (strcmp(t->text, "db:verify") == 0) {
        expect_question(s, t->whom);
        return;
    }
    s->needs_user = true;
    if (strcmp(t->text, "deliver") == 0)
        s->delivered |= 1ull << s->message % 64;
    if (strcmp(t->text, "deliver") == 0)
        dna_buf_printf(&s->body, "U > <message id='m%u-$case'/>\n", s->message);
    else if (strcmp(t->text, "bounce_internal_error") == 0)
        expect_bounce(s, "internal-server-error");
    else {
        if (strcmp(t->text, "bounced") == 0) /* it tries a stream of its own, which fails */
            dna_buf_printf(&s->body, "%s accept as l%u\n%s.l%u < fin\n", home_of(s), s->local,
                           home_of(s), s->local);
        expect_bounce(s, "remote-server-timeout");
    }
}

static void expect_transmitted(struct dna_derive_script *s)
{
    s->transmitted |= 1ull << s->local % 64;
    dna_buf_printf(&s->body, "%s > <message id='u%u-$case'/>\n", s->conn, s->local);
}

/* Of several keys that come while a proof is awaited the first counts. */
static void keep_key(struct dna_derive_script *s)
{
    for (unsigned pair = 0; pair < 2; pair++) {
        if (!s->compose->scene->g.awaited[DNA_PAIR1 + pair])
            s->kept[pair] = 0;
        else if (!s->kept[pair])
            s->kept[pair] = s->key;
    }
}

void dna_derive_expect(struct dna_derive_script *s)
{
    const struct dna_compose *c = s->compose;

    if (c->num_tokens)
        s->wait = NULL; /* it ends with these */
    for (size_t i = 0; i < c->num_tokens; i++) {
        const struct dna_token *t = &c->word[i];

        if (strncmp(t->text, "offer_", 6) == 0 || strcmp(t->text, "start_tls") == 0)
            continue; /* of the features; or the handshake, which is the peer's next step */
        if (dna_derive_expect_c2s(s, t))
            continue;
        if (strcmp(t->text, "send_features") == 0)
            expect_features(s, i);
        else if (strncmp(t->text, "send_header", 11) == 0)
            expect_header(s, t->text);
        else if (strcmp(t->text, "transmit") == 0)
            expect_transmitted(s);
        else if (t->elsewhere)
            expect_elsewhere(s, t);
        else if (strcmp(t->text, "db:verify") == 0) /* on the stream that was opened for it */
            dna_buf_printf(&s->body,
                           "%s > <db:verify from='$iut' to='$a' id='$asker'>0-$case</db:verify>\n",
                           s->conn);
        else if (!expect_fixed(s, t->text) && !expect_named(s, t))
            dna_buf_printf(&s->body, "no line is known for %s\n", t->text); /* which is refused */
    }
    keep_key(s);
}

/* That a stanza which was not to be delivered was not, and one that waits has not come back,
 * shows in one that is sent later. */
void dna_derive_look_home(struct dna_derive_script *s)
{
    const bool servers = s->side == DNA_DERIVE_PEER || s->side == DNA_DERIVE_IUT;
    bool look = s->patient && servers && s->compose->scene->g.queue;

    for (unsigned i = 1; servers && s->last && !s->looked && i <= s->message; i++)
        look |= !(s->delivered >> i % 64 & 1);
    /* what came back when the IUT was told to stop came before that user's own stream ended */
    look |= s->stopped && s->side == DNA_DERIVE_IUT && s->last && !s->looked;
    if (!look)
        return;
    s->looked |= s->last;
    s->needs_user = true;
    dna_buf_puts(&s->body, s->stopped ? "U > end\n" : "U barrier\n");
}

void dna_derive_quiet(struct dna_derive_script *s)
{
    const struct dna_stage *g = &s->compose->scene->g;
    const struct dna_symbol *symbol = s->compose->symbol;

    /* what waits was taken over before what the peer sends next */
    if (s->side == DNA_DERIVE_PEER && symbol && symbol->kind == DNA_SEND_LOCAL && g->queue)
        dna_buf_puts(&s->body, "U barrier\n");

    if (s->wait) /* where the IUT's handshake is in the line, time passes elsewhere */
        dna_buf_printf(&s->body, "%s > silence within %ums\n",
                       s->side == DNA_DERIVE_IUT && g->tls_due ? "U" : s->conn, s->wait->ms);
    s->wait = NULL;
    if (s->patient && !g->closed && symbol && symbol->kind == DNA_SEND_SETTLE)
        dna_buf_printf(&s->body, "%s > silence within 100ms\n", s->conn); /* it came by HTTPS */
    if (s->patient && !g->closed && !g->muted && g->held && !s->last) { /* no barrier is read */
        dna_buf_printf(&s->body, "%s > silence within 100ms\n", s->conn);
        dna_derive_look_home(s);
    }
    if (g->muted && !g->closed && !g->tls_due && (!g->header_due || g->deaf)) {
        if (s->patient)
            dna_buf_printf(&s->body, "%s > silence within 100ms\n", s->conn);
        dna_derive_look_home(s);
        if (s->last) /* all that came is seen by the end */
            dna_buf_printf(&s->body, "%s < %s\n%s > %s\n", s->conn, g->deaf ? "fin" : "close",
                           s->conn, s->patient ? "drop" : "eof");
        return;
    }
    if (s->side == DNA_DERIVE_CLIENT_IUT && g->tls_due)
        return; /* its handshake has begun */
    if (s->ends && s->patient && !g->closed) {
        dna_buf_printf(&s->body, "%s > silence within 100ms\n", s->conn);
        return;
    }
    if (g->closed || g->muted || g->deaf || g->header_due || g->tls_due || g->held || s->ends)
        return;
    if (s->side != DNA_DERIVE_IUT) {
        dna_buf_printf(&s->body, "%s > nothing\n", s->conn);
        dna_derive_look_home(s);
        return;
    }
    s->barrier++;
    dna_buf_printf(&s->body,
                   "%s < <db:verify xmlns:db='jabber:server:dialback' from='$a' to='$iut' "
                   "id='barrier%u'>0000</db:verify>\n"
                   "%s > <db:verify id='barrier%u'/>\n",
                   s->conn, s->barrier, s->conn, s->barrier);
    dna_derive_look_home(s);
}
