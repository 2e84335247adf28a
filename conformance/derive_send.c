/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What a server sends for each symbol of the derived suites, as scenario lines;
 * the letters behind @ are explained in derive_internal.h.
 */
#include "conformance/derive_internal.h"

#include "model/roles.h"

#include <string.h>

#define TEXT "type='chat' id='m@M-$case'><body>m@M</body></message>\n"
#define MESSAGE(from, to) "@C < <message from='" from "' to='" to "' " TEXT
#define NOT_FOUND "<error type='cancel'><stz:item-not-found/></error>"
#define ANSWER(rest) "A.v@V < <db:verify from='$a' to='$iut' id='$s@Q' type=" rest "\n"
#define LOCAL "U < <message to='x@$a' type='chat' id='u@L-$case'><body>u@L</body></message>\n"
#define HEADER_IN(rest) "@C < <stream:stream " rest ">\n"

static const struct dna_derive_form receiving[] = {
    { "header d1", HEADER_IN("from='$a' to='$iut'") },
    { "header d2", HEADER_IN("from='$c' to='$iut'") },
    { "header -", HEADER_IN("to='$iut'") },
    { "header bare", HEADER_IN("from='$a' to='bare.$iut'") },
    { "header unhosted", HEADER_IN("from='$a' to='$unhosted'") },
    { "header old", HEADER_IN("from='$a' to='$iut' -version") },
    { "header badroot", "@C < raw \"<stream xmlns='jabber:server' "
      "xmlns:stream='http://etherx.jabber.org/streams' to='$iut' version='1.0'>\"\n" },
    { "header badns", HEADER_IN("xmlns='jabber:nobody' from='$a' to='$iut'") },
    { "starttls", "@C < <tls:starttls/>\n" },
    { "starttls unready", "@C < <tls:starttls/>\n" },
    { "starttls+", "@C < raw \"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><early\"\n" },
    { "tls d1", "@C tls\n" },
    { "tls d1+d2", "@C tls cert=Both\n" },
    { "tls d2", "@C tls cert=Wrong\n" },
    { "tls -", "@C tls cert=none\n" },
    { "tls refuted", "@C tls cert=Refuted\n" },
    { "tls broken", "@C < raw \"this is no handshake, whoever reads it\"\n" },
    { "auth", "@C < <sasl:auth mechanism='EXTERNAL'>=</sasl:auth>\n" },
    { "auth d1", "@C < <sasl:auth mechanism='EXTERNAL'>$a64</sasl:auth>\n" },
    { "auth d2", "@C < <sasl:auth mechanism='EXTERNAL'>$c64</sasl:auth>\n" },
    { "auth later", "@C < <sasl:auth mechanism='EXTERNAL'/>\n" },
    { "auth garbled", "@C < <sasl:auth mechanism='EXTERNAL'>***</sasl:auth>\n" },
    { "auth other", "@C < <sasl:auth mechanism='ANONYMOUS'>=</sasl:auth>\n" },
    { "response", "@C < <sasl:response>=</sasl:response>\n" },
    { "response d2", "@C < <sasl:response>$c64</sasl:response>\n" },
    { "response garbled", "@C < <sasl:response>***</sasl:response>\n" },
    { "abort", "@C < <sasl:abort/>\n" },
    { "key d1", "@C < <db:result from='$a' to='$iut'>key@K-$case</db:result>\n" },
    { "key d2", "@C < <db:result from='$c' to='$iut'>key@K-$case</db:result>\n" },
    { "key d1 empty", "@C < <db:result from='$a' to='$iut'/>\n" },
    { "key d2 empty", "@C < <db:result from='$c' to='$iut'/>\n" },
    { "key d1 unhosted", "@C < <db:result from='$a' to='$unhosted'>key@K</db:result>\n" },
    { "key crowd", "@C < <db:result from='crowd.$a' to='$iut'>key@K</db:result>\n" },
    { "key nobody", "@C < <db:result to='$iut'>key@K</db:result>\n" },
    { "d1 says valid", ANSWER("'valid'/>") },
    { "d1 says invalid", ANSWER("'invalid'/>") },
    { "d1 says error", ANSWER("'error'>" NOT_FOUND "</db:verify>") },
    { "d1 says what", ANSWER("'what'/>") },
    { "d1 goes", "A.v@V < close\nA.v@V < fin\n" },
    { "d1 knows not", "A.v@V < <stream:error><err:host-unknown/></stream:error>\nA.v@V < close\n" },
    { "d2 says valid", "C.v@V < <db:verify from='$c' to='$iut' id='$s@Q' type='valid'/>\n" },
    { "d2 says invalid", "C.v@V < <db:verify from='$c' to='$iut' id='$s@Q' type='invalid'/>\n" },
    { "d2 says error", "C.v@V < <db:verify from='$c' to='$iut' id='$s@Q' type='error'>" NOT_FOUND
                       "</db:verify>\n" },
    { "d2 goes", "C.v@V < close\nC.v@V < fin\n" },
    { "forged d1 valid", "@C < <db:verify from='$a' to='$iut' id='$s@N' type='valid'/>\n" },
    { "forged d1 invalid", "@C < <db:verify from='$a' to='$iut' id='$s@N' type='invalid'/>\n" },
    { "forged d1 error", "@C < <db:verify from='$a' to='$iut' id='$s@N' type='error'>" NOT_FOUND
                         "</db:verify>\n" },
    { "forged d2 valid", "@C < <db:verify from='$c' to='$iut' id='$s@N' type='valid'/>\n" },
    { "granted d1", "@C < <db:result from='$a' to='$iut' type='valid'/>\n" },
    { "refused d1", "@C < <db:result from='$a' to='$iut' type='invalid'/>\n" },
    { "verify", "@C < <db:verify from='$a' to='$iut' id='wrong'>0000</db:verify>\n" },
    { "verify early", "@C < <db:verify from='$a' to='$iut' id='wrong'>0000</db:verify>\n" },
    { "verify right", "@C < <db:verify from='$a' to='$iut' id='$vid'>$iutkey</db:verify>\n" },
    { "verify unhosted", "@C < <db:verify from='$a' to='$unhosted' id='wrong'>0000</db:verify>\n" },
    { "verify no id", "@C < <db:verify from='$a' to='$iut'>0000</db:verify>\n" },
    { "verify nobody", "@C < <db:verify to='$iut' id='wrong'>0000</db:verify>\n" },
    { "stanza d1", MESSAGE("x@$a", "$user") },
    { "stanza d2", MESSAGE("x@$c", "$user") },
    { "stanza other", MESSAGE("x@never-$case.example", "$user") },
    { "stanza elsewhere", MESSAGE("x@$a", "x@$iut2") },
    { "stanza unhosted", MESSAGE("x@$a", "x@$unhosted") },
    { "stanza nobody", "@C < <message to='$user' " TEXT },
    { "local d1", LOCAL },
    { "proof of d1", "posh $a @P\n" },
    { "proof of d2", "posh $c @P\n" },
    { "proofs run out", "" },
    { "bidi", "@C < <bidi:bidi/>\n" },
    { "unknown", "@C < <whoami xmlns='urn:example:unknown'/>\n" },
    { "malformed", "@C < raw \"<<oops>\"\n" },
    { "comment", "@C < raw \"<!-- hello -->\"\n" },
    { "oversize", DNA_DERIVE_OVERSIZE },
    { "error", "@C < <stream:error><err:undefined-condition/></stream:error>\n" },
    { "close", "@C < close\n" },
    { "shutdown", "iut stops\n" },
    { NULL, NULL },
};

#define HEADER_OUT(rest) "set $s@N = random\n@C < <stream:stream " rest ">\n"
#define FEATURES(rest) "@C < <stream:features>" rest "</stream:features>\n"
#define TLS_FEATURE "<tls:starttls/>"
#define EXTERNAL_FEATURE \
    "<sasl:mechanisms><sasl:mechanism>EXTERNAL</sasl:mechanism></sasl:mechanisms>"
#define DIALBACK_FEATURE "<dbf:dialback><dbf:errors/></dbf:dialback>"
#define BIDI_FEATURE "<bidif:bidi/>"

/* The other connection is a stream that the peer opened; what it said has been dealt with once its
 * barrier is answered. */
#define ASIDE(rest) "A.aside < <db:result from='$a' to='$iut' " rest "\nA.aside > nothing\n"

/* A header may lack the dialback namespace, so its elements bring it. */
#define BARE_HEADER(rest) \
    "set $s@N = random\n@C < raw \"<stream:stream xmlns='jabber:server' " \
    "xmlns:stream='http://etherx.jabber.org/streams' from='$a' to='$iut' id='$s@N'" rest ">\"\n"
#define RESULT "@C < <db:result xmlns:db='jabber:server:dialback' from='$a' to='$iut'"
#define VERIFY "@C < <db:verify xmlns:db='jabber:server:dialback' from='$a' to='$iut'"
static const struct dna_derive_form initiating[] = {
    { "header", HEADER_OUT("from='$a' to='$iut' id='$s@N'") },
    { "header early", HEADER_OUT("from='$a' to='$iut' id='$s@N'") },
    { "header no id", "@C < <stream:stream from='$a' to='$iut'>\n" },
    { "header your id", "@C < <stream:stream from='$a' to='$iut' id='$clear_theirs'>\n" },
    { "header other", HEADER_OUT("from='$c' to='$iut' id='$s@N'") },
    { "header old", HEADER_OUT("from='$a' to='$iut' id='$s@N' -version") },
    { "header badns", HEADER_OUT("xmlns='jabber:nobody' from='$a' to='$iut' id='$s@N'") },
    { "header badroot", "@C < raw \"<stream xmlns='jabber:server' "
      "xmlns:stream='http://etherx.jabber.org/streams' id='x' version='1.0'>\"\n" },
    { "header plain", BARE_HEADER(" version='1.0'") },
    { "header old plain", BARE_HEADER("") },
    { "features tls", FEATURES(TLS_FEATURE) },
    { "features all", FEATURES(TLS_FEATURE EXTERNAL_FEATURE DIALBACK_FEATURE BIDI_FEATURE) },
    { "features -", "@C < <stream:features/>\n" },
    { "features external", FEATURES(EXTERNAL_FEATURE) },
    { "features dialback", FEATURES(DIALBACK_FEATURE) },
    { "features bidi", FEATURES(DIALBACK_FEATURE BIDI_FEATURE) },
    { "features external bidi", FEATURES(EXTERNAL_FEATURE BIDI_FEATURE) },
    { "proceed", "@C < <tls:proceed/>\n" },
    { "tls broken", "@C tls cert=none fails\n" }, /* no garbage: it would lie behind <proceed/> */
    { "proceed+", "@C < raw \"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><early\"\n" },
    { "tls failure", "@C < <tls:failure/>\n" },
    { "tls d1", "@C tls\n" },
    { "tls -", "@C tls cert=Wrong\n" },
    { "tls refuted", "@C tls cert=Refuted\n" },
    { "proof of d1", "posh $a @P\n" },
    { "success", "@C < <sasl:success/>\n" },
    { "failure", "@C < <sasl:failure><sasl:not-authorized/></sasl:failure>\n" },
    { "challenge", "@C < <sasl:challenge/>\n" },
    { "result valid", RESULT " type='valid'/>\n" },
    { "result invalid", RESULT " type='invalid'/>\n" },
    { "result error", RESULT " type='error'>" NOT_FOUND "</db:result>\n" },
    { "result what", RESULT " type='what'/>\n" },
    { "valid elsewhere", ASIDE("type='valid'/>") },
    { "invalid elsewhere", ASIDE("type='invalid'/>") },
    { "error elsewhere", ASIDE("type='error'>" NOT_FOUND "</db:result>") },
    { "key d1", RESULT ">key@K-$case</db:result>\n" },
    { "d1 says valid", ANSWER("'valid'/>") },
    { "d1 says invalid", ANSWER("'invalid'/>") },
    { "verify", VERIFY " id='wrong'>0000</db:verify>\n" },
    { "verify right", VERIFY " id='$vid'>$iutkey</db:verify>\n" },
    { "answered", "@C < <db:verify from='$a' to='$iut' id='$asker' type='valid'/>\n" },
    { "stanza d1", MESSAGE("x@$a", "$user") },
    { "stanza other", MESSAGE("x@never-$case.example", "$user") },
    { "stanza nobody", "@C < <message to='$user' " TEXT },
    { "local d1", LOCAL },
    { "bidi", "@C < <bidi:bidi/>\n" },
    { "unknown", "@C < <whoami xmlns='urn:example:unknown'/>\n" },
    { "malformed", "@C < raw \"<<oops>\"\n" },
    { "comment", "@C < raw \"<!-- hello -->\"\n" },
    { "oversize", DNA_DERIVE_OVERSIZE },
    { "error", "@C < <stream:error><err:undefined-condition/></stream:error>\n" },
    { "close", "@C < close\n" },
    { "shutdown", "iut stops\n" },
    { NULL, NULL },
};

static const struct {
    const struct dna_role *role;
    const struct dna_derive_form *forms;
    enum dna_derive_side side;
    const char *conn;
} sides[] = {
    { &dna_role_receiving, receiving, DNA_DERIVE_PEER, "A.in" },
    { &dna_role_initiating, initiating, DNA_DERIVE_IUT, "A.v" },
    { &dna_role_c2s_server, dna_derive_c2s_server, DNA_DERIVE_CLIENT, "C" },
    { &dna_role_c2s_client, dna_derive_c2s_client, DNA_DERIVE_CLIENT_IUT, "A.v" },
};

enum { NUM_SIDES = sizeof(sides) / sizeof(*sides) };

/* Roles may share their symbols. */
static size_t side_of(const struct dna_symbol *symbols)
{
    size_t i = 0;

    while (i + 1 < NUM_SIDES && (symbols < sides[i].role->symbols ||
                                 symbols >= sides[i].role->symbols + sides[i].role->num_symbols))
        i++;
    return i;
}

void dna_derive_begin(struct dna_derive_script *script, const struct dna_role *role)
{
    size_t i = side_of(role->symbols);

    *script = (struct dna_derive_script){ .side = sides[i].side, .conn = sides[i].conn };
    script->ends = script->side == DNA_DERIVE_CLIENT || script->side == DNA_DERIVE_CLIENT_IUT;
}

bool dna_derive_playable(const struct dna_symbol *symbol)
{
    return dna_derive_form_find(sides[side_of(symbol)].forms, symbol->name) != NULL;
}

void dna_derive_put(struct dna_derive_script *s, const char *lines, const struct dna_symbol *symbol)
{
    unsigned pair = symbol->whom == DNA_PAIR2;
    unsigned id = s->header;

    if (symbol->kind == DNA_SEND_ELEMENT && s->asked[pair])
        id = s->asked_id[pair];

    for (const char *p = lines; *p; p++) {
        if (*p != '@' || !strchr("CNKMLBVQP", p[1]) || p[1] == '\0') {
            dna_buf_printf(&s->body, "%c", *p);
            continue;
        }
        switch (*++p) {
        case 'C': dna_buf_puts(&s->body, s->conn); break;
        case 'N': dna_buf_printf(&s->body, "%u", id); break;
        case 'K': dna_buf_printf(&s->body, "%u", s->key); break;
        case 'M': dna_buf_printf(&s->body, "%u", s->message); break;
        case 'B': dna_buf_printf(&s->body, "%u", s->bind); break;
        case 'L': dna_buf_printf(&s->body, "%u", s->local); break;
        case 'P': dna_derive_put_document(s); break;
        case 'V': dna_buf_printf(&s->body, "%u", s->asked[pair]); break;
        default: dna_buf_printf(&s->body, "%u", s->asked_id[pair]); break;
        }
    }
}

void dna_derive_send(struct dna_derive_script *s, const struct dna_symbol *symbol)
{
    const char *lines = dna_derive_form_find(sides[side_of(symbol)].forms, symbol->name);

    s->wait = dna_deadline_of(symbol->name);
    if (s->wait) {
        if (symbol->kind == DNA_SEND_ANSWER)
            s->asked[symbol->whom == DNA_PAIR2] = 0;
        return;
    }
    if (symbol->kind == DNA_SEND_HEADER || strcmp(symbol->name, "header early") == 0)
        s->header++;
    if (strncmp(symbol->name, "key ", 4) == 0)
        s->key++;
    s->message += strstr(lines, "@M") != NULL;
    s->bind += strcmp(symbol->name, "bind") == 0;
    s->local += symbol->kind == DNA_SEND_LOCAL;
    s->needs_key |= strcmp(symbol->name, "verify right") == 0;
    s->needs_id |= strcmp(symbol->name, "header your id") == 0;
    s->needs_user |= symbol->kind == DNA_SEND_LOCAL;
    s->needs_aside |= symbol->kind == DNA_SEND_ASIDE;
    s->stopped |= strcmp(symbol->name, "shutdown") == 0;
    if (symbol->kind == DNA_SEND_LAPSE ||
        (s->lapses && s->side == DNA_DERIVE_IUT && strcmp(symbol->name, "proceed") == 0))
        dna_derive_lapse(s);
    dna_derive_put(s, lines, symbol);
    if (symbol->kind == DNA_SEND_ANSWER)
        s->asked[symbol->whom == DNA_PAIR2] = 0;
}
