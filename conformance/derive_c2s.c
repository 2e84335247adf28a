/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Derived sessions of the C2S roles as scenario lines: what a client sends to a
 * server under test, and a server to a client under test; what must come; how the client is
 * started. The letters behind @ are explained in derive_internal.h.
 */
#include "conformance/derive_internal.h"

#include <string.h>

#define AUTH(data) "@C < <sasl:auth mechanism='PLAIN'>" data "</sasl:auth>\n"
#define RESPONSE(data) "@C < <sasl:response>" data "</sasl:response>\n"
#define HEADER(rest) "@C < <stream:stream xmlns='jabber:client' " rest ">\n"

const struct dna_derive_form dna_derive_c2s_server[] = {
    { "header", HEADER("to='$iut'") },
    { "header bare", HEADER("to='bare.$iut'") },
    { "header unhosted", HEADER("to='$unhosted'") },
    { "header old", HEADER("to='$iut' -version") },
    { "header badroot", "@C < raw \"<stream xmlns='jabber:client' "
      "xmlns:stream='http://etherx.jabber.org/streams' to='$iut' version='1.0'>\"\n" },
    { "header badns", "@C < <stream:stream xmlns='jabber:nobody' to='$iut'>\n" },
    { "auth", AUTH("$right") },
    { "auth wrong", AUTH("$wrong") },
    { "auth as other", AUTH("$other") },
    { "auth nonsense", AUTH("$nonsense") },
    { "auth later", "@C < <sasl:auth mechanism='PLAIN'/>\n" },
    { "auth garbled", AUTH("***") },
    { "auth unknown", "@C < <sasl:auth mechanism='LEARN-BY-HEART'>$right</sasl:auth>\n" },
    { "response", RESPONSE("$right") },
    { "response wrong", RESPONSE("$wrong") },
    { "response nonsense", RESPONSE("$nonsense") },
    { "response garbled", RESPONSE("***") },
    { "abort", "@C < <sasl:abort/>\n" },
    { "bind", "@C < <iq type='set' id='b@B'><bind:bind/></iq>\n" },
    { "stanza", "@C < <message to='$U' type='chat' id='m@M-$case'><body>m@M</body></message>\n" },
    { "unknown", "@C < <whoami xmlns='urn:example:unknown'/>\n" },
    { "malformed", "@C < raw \"<<oops>\"\n" },
    { "comment", "@C < raw \"<!-- hello -->\"\n" },
    { "oversize", DNA_DERIVE_OVERSIZE },
    { "error", "@C < <stream:error><err:undefined-condition/></stream:error>\n" },
    { "close", "@C < close\n" },
    { "shutdown", "iut stops\n" },
    { "starttls", "@C < <tls:starttls/>\n" },
    { "starttls unready", "@C < <tls:starttls/>\n" },
    { "starttls+", "@C < raw \"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><early\"\n" },
    { "tls", "@C tls cert=none\n" },
    { "tls broken", "@C < raw \"this is no handshake, whoever reads it\"\n" },
    { NULL, NULL },
};

#define RESPONSE_HEADER(rest) "set $s@N = random\n@C < <stream:stream " rest " id='$s@N'>\n"
#define FEATURES(rest) "@C < <stream:features>" rest "</stream:features>\n"
#define MECHANISM(name) \
    "<sasl:mechanisms><sasl:mechanism>" name "</sasl:mechanism></sasl:mechanisms>"
#define MESSAGE(id) \
    "@C < <message from='x@$a' to='romeo@$a' id='" id "'><body>hear</body></message>\n"

const struct dna_derive_form dna_derive_c2s_client[] = {
    { "header", RESPONSE_HEADER("from='$a'") },
    { "header other", RESPONSE_HEADER("from='$c'") },
    { "header old", RESPONSE_HEADER("from='$a' -version") },
    { "header badroot", "@C < raw \"<stream xmlns='jabber:client' "
      "xmlns:stream='http://etherx.jabber.org/streams' id='x' version='1.0'>\"\n" },
    { "header badns", RESPONSE_HEADER("xmlns='jabber:nobody' from='$a'") },
    { "features tls", FEATURES("<tls:starttls/>") },
    { "features all", FEATURES("<tls:starttls/>" MECHANISM("PLAIN") "<bind:bind/>") },
    { "features -", "@C < <stream:features/>\n" },
    { "features plain", FEATURES(MECHANISM("PLAIN")) },
    { "features scram", FEATURES(MECHANISM("SCRAM-SHA-256")) },
    { "features bind", FEATURES("<bind:bind/>") },
    { "proceed", "@C < <tls:proceed/>\n" },
    { "proceed+", "@C < raw \"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><early\"\n" },
    { "tls failure", "@C < <tls:failure/>\n" },
    { "tls proved", "@C tls\n" },
    { "tls -", "@C tls cert=Wrong\n" },
    { "tls self-signed", "@C tls cert=Self\n" },
    { "tls pinned", "@C tls cert=Pinned\n" },
    { "tls refuted", "@C tls cert=Pinned\n" },
    { "tls broken", "@C tls cert=none fails\n" }, /* no garbage: it would lie behind <proceed/> */
    { "user yes", "K input \"yes\\n\"\n" },
    { "user no", "K input \"no\\n\"\n" },
    { "challenge", "@C < <sasl:challenge/>\n" },
    { "success", "@C < <sasl:success/>\n" },
    { "success data", "@C < <sasl:success>dj1ub3RoaW5n</sasl:success>\n" },
    { "failure", "@C < <sasl:failure><sasl:not-authorized/></sasl:failure>\n" },
    { "bound", "@C < <iq type='result' id='$bind'><bind:bind><bind:jid>romeo@$a/lab</bind:jid>"
               "</bind:bind></iq>\n" },
    { "bind error", "@C < <iq type='error' id='$bind'><error type='cancel'><stz:not-allowed/>"
                    "</error></iq>\n" },
    { "message", MESSAGE("m@M-$case") },
    { "message awaited", MESSAGE("last-$case") },
    { "ping", "@C < <iq type='get' id='p@M' from='$a' to='romeo@$a'><ping:ping/></iq>\n" },
    { "unknown", "@C < <whoami xmlns='urn:example:unknown'/>\n" },
    { "malformed", "@C < raw \"<<oops>\"\n" },
    { "comment", "@C < raw \"<!-- hello -->\"\n" },
    { "oversize", DNA_DERIVE_OVERSIZE },
    { "error", "@C < <stream:error><err:undefined-condition/></stream:error>\n" },
    { "close", "@C < close\n" },
    { "gone", "@C < fin\n" },
    { "local", "K writes \"hear @L\\n\"\nK prints \"later-@L is to go to \"\n" }, /* has it */
    { NULL, NULL },
};

/* ---- what must come ---- */

static const struct dna_derive_form tokens[] = {
    { "send_features_tls_required",
      "@C > <stream:features><tls:starttls><tls:required/></tls:starttls>-<sasl:mechanisms/>"
      "</stream:features>\n" },
    { "send_features_tls",
      "@C > <stream:features><tls:starttls>-<tls:required/></tls:starttls>-<sasl:mechanisms/>"
      "</stream:features>\n" },
    { "send_features_sasl",
      "@C > <stream:features><sasl:mechanisms/>-<tls:starttls/></stream:features>\n" },
    { "send_features_bind",
      "@C > <stream:features><bind:bind/>-<sasl:mechanisms/>-<tls:starttls/></stream:features>\n" },
    { "bind_resource",
      "@C > <iq type='result' id='b@B'><bind:bind><bind:jid/></bind:bind></iq>\n" },
    { "refuse_second_resource",
      "@C > <iq type='error' id='b@B'><error><stz:not-allowed/></error></iq>\n" },
    { "route", "U > <message id='m@M-$case'/>\n" },
    { "send_bind", "@C > <iq type='set' id='$bind'><bind:bind/></iq>\n" },
    { "ask_user", "K prints \"$Self.sha256\"\n" },
    { NULL, NULL },
};

const char *dna_derive_form_find(const struct dna_derive_form *forms, const char *name)
{
    for (; forms->name; forms++)
        if (strcmp(forms->name, name) == 0)
            return forms->lines;
    return NULL;
}

/* Its user writes while it is connected, not before. */
static bool later(const struct dna_scope *scope)
{
    return strncmp(scope->name, "later", 5) == 0;
}

/* exit_STATUS_ASSOCIATION: what the client says last, and its exit status. */
static void expect_exit(struct dna_derive_script *s, const char *rest)
{
    int status = (int)strcspn(rest, "_");

    dna_buf_printf(&s->body, "K prints \"association=%s \"\nK exits %.*s\n", rest + status + 1,
                   status, rest);
}

bool dna_derive_expect_c2s(struct dna_derive_script *s, const struct dna_token *t)
{
    const struct dna_symbol *symbol = s->compose->symbol;
    const char *lines = dna_derive_form_find(tokens, t->text);

    if (s->side != DNA_DERIVE_CLIENT && s->side != DNA_DERIVE_CLIENT_IUT)
        return false;
    if (strcmp(t->text, "begin_sasl") == 0)
        lines = strcmp(symbol->name, "features scram") == 0
                    ? "@C > <sasl:auth mechanism='SCRAM-SHA-256'/>\n"
                    : "@C > <sasl:auth mechanism='PLAIN'/>\n";
    else if (strcmp(t->text, "transmit") == 0)
        lines = later(s->compose->scope) ? "@C > <message to='x@$a' id='later-@L'/>\n"
                : strcmp(symbol->name, "ping") == 0 ? "@C > <iq type='result' id='p@M'/>\n"
                : !s->patient                     ? "@C > <message to='x@$a' id='m1'/>\n"
                                                  : "@C > <message to='x@$a' id='m1'/>\n"
                                                    "@C > <iq type='get'><ping:ping/></iq>\n";
    else if (strcmp(t->text, "ask_user") == 0 && s->patient)
        lines = "K prints \"$Self.sha256\"\nK prints \"= stop:\"\n";
    else if (strncmp(t->text, "send_header", 11) == 0)
        lines = s->side == DNA_DERIVE_CLIENT ? "@C > <stream:stream>\n"
                                             : "@C > <stream:stream to='$a'>\n";
    else if (strncmp(t->text, "exit_", 5) == 0)
        expect_exit(s, t->text + 5);
    if (lines)
        dna_derive_put(s, lines, symbol);
    return lines || strncmp(t->text, "exit_", 5) == 0;
}

/* ---- how it begins ---- */

#define ACCOUNT " --password secret --to x@$a"
#define ONE_MESSAGE ACCOUNT \
    " --message hello --message-id m1 --expect-message last-$case --wait 60"
#define LINES ACCOUNT " --messages @messages@ --message-id later"
#define RUN(how) "K run " how "--pin $Pinned.sha256"

/* What a client's user is like, by scope: how it is run. */
static const struct dna_derive_form users[] = {
    { "consented", RUN("") ONE_MESSAGE " --accept-unauthenticated" },
    { "asked", RUN("on-terminal ") ONE_MESSAGE },
    { "association only", RUN("") },
    { "later", RUN("") LINES },
    { "later, asked", RUN("on-terminal ") LINES },
    { NULL, NULL },
};

bool dna_derive_asks(const struct dna_scope *scope)
{
    return scope->mark && (strcmp(scope->name, "asking") == 0 ||
                           strcmp(scope->name, "fetched, asking") == 0);
}

bool dna_derive_has_begin(const struct dna_scope *scope)
{
    return dna_derive_asks(scope) || dna_derive_form_find(users, scope->name);
}

void dna_derive_begin_c2s(const struct dna_derive_script *s, const struct dna_scope *scope,
                          struct dna_buf *head, struct dna_buf *given)
{
    const char *run = dna_derive_form_find(users, scope->name);

    if (s->side == DNA_DERIVE_CLIENT) {
        dna_buf_printf(head, "needs    c2s\npeer     C c2s listen=no\nclient   U juliet\n");
        dna_buf_puts(given, "set $right = base64 \"\\0juliet\\0$U.password\"\n"
                            "set $wrong = base64 \"\\0juliet\\0not-$U.password\"\n"
                            "set $other = base64 \"romeo@$iut\\0juliet\\0$U.password\"\n"
                            "set $nonsense = base64 \"nonsense\"\nC connect c2s\nthen:\n");
        return;
    }
    dna_buf_printf(head,
                   "domain   a c\n%s%scert     Self dns=$a issuer=self\n"
                   "cert     Pinned dns=$c\npeer     A $a%s c2s\niut-client K %s\n",
                   s->expires ? DNA_DERIVE_EXPIRES : "",
                   s->body.at && strstr(s->body.at, "cert=Wrong") ? "cert     Wrong dns=$c\n" : "",
                   s->expires ? " cert=Soon" : "",
                   strcmp(scope->name, "association only") == 0 ? "$a" : "romeo@$a");
    dna_derive_head_proofs(s, head);
    dna_buf_printf(given, "%s\nA accept as v\nA.v > <stream:stream to='$a'>\nthen:\n",
                   run ? run : RUN("") ONE_MESSAGE);
}
