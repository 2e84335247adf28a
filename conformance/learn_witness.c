/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. A difference as a scenario: before its last symbol the server does what was
 * learned of it, at the last it must do what the tables say. The lines are those of the derived
 * suites.
 */
#include "conformance/learn_run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { MAX_REQS = 16 };

struct telling {
    struct dna_learning *g;
    struct dna_derive_script script;
    struct dna_compose compose; /* what the next expectation is made of */
    struct dna_scene scene;
    bool header_due, tls_due;
    unsigned asked_on[2]; /* the connection by which the server asked the authority before */
    const char *untold;   /* what no scenario can say */
};

/* ---- a word as tokens ---- */

static bool is_elsewhere(const char *token)
{
    return strncmp(token, "db:verify", 9) == 0 || strcmp(token, "deliver") == 0 ||
           strcmp(token, "transmit") == 0;
}

static bool tellable(const char *token)
{
    static const char *const not [] = {
        "element_",   "bad_xml",  "stays_open",   "no_answer",
        "db:verify_", "transmit", "send_request", "verify_request"
    };

    for (size_t i = 0; i < sizeof(not ) / sizeof(*not ); i++)
        if (strncmp(token, not [i], strlen(not [i])) == 0)
            return false;
    return true;
}

static void take_token(struct telling *t, char *text)
{
    char *suffix = strrchr(text, '(');
    uint8_t whom = DNA_STREAM;

    if (suffix) {
        whom = suffix[1] == '?' ? DNA_STRANGER : suffix[2] == '1' ? DNA_PAIR1 : DNA_PAIR2;
        *suffix = '\0';
    }
    if (!tellable(text))
        t->untold = text;
    if (t->compose.num_tokens < DNA_MAX_WORD)
        t->compose.word[t->compose.num_tokens++] =
            (struct dna_token){ text, whom, is_elsewhere(text) };
}

/* What the tester knows behind the tokens, for what it can send and whether a barrier can be
 * answered. */
static void follow(struct telling *t, const struct dna_symbol *symbol)
{
    if (symbol->kind == DNA_SEND_HEADER)
        t->header_due = false;
    if (symbol->kind == DNA_SEND_TLS) {
        t->tls_due = false;
        t->header_due = true;
    }
    for (size_t i = 0; i < t->compose.num_tokens; i++) {
        const char *text = t->compose.word[i].text;

        t->tls_due |= strcmp(text, "send_proceed") == 0;
        t->header_due |= strcmp(text, "send_success") == 0;
        t->scene.g.closed |= strcmp(text, "drop_stream") == 0;
    }
    t->scene.g.header_due = t->header_due;
    t->scene.g.tls_due = t->tls_due;
}

/* A server may ask again by the connection that it has, or by another. */
static void expect_again(struct telling *t, unsigned pair)
{
    const char *actor = pair ? "C" : "A", *domain = pair ? "$c" : "$a";
    unsigned n = ++t->script.verify;

    dna_buf_printf(&t->script.body,
                   "set $k%u = \"key%u-$case\"\neither\n"
                   "    %s.v%u > <db:verify from='$iut' to='%s' id='$s%u'>$k%u</db:verify>\n"
                   "or\n    do serve-verification %s v%u %s $iut s%u k%u\nend\n",
                   n, t->script.key, actor, t->asked_on[pair], domain, t->script.header, n, actor,
                   n, domain, t->script.header, n);
    t->script.asked[pair] = t->asked_on[pair];
    t->script.asked_id[pair] = t->script.header;
}

/* The server's closing tag is answered, and the end of TCP awaited. */
static void expect_word(struct telling *t, const struct dna_symbol *symbol, const char *word,
                        bool last)
{
    char *text = dna_pool_strdup(t->g->pool, word), *rest = NULL;
    bool may_close = !t->header_due && symbol->kind != DNA_SEND_END;

    t->compose.num_tokens = 0;
    t->compose.symbol = symbol;
    for (char *token = strtok_r(text, " ", &rest); token && strcmp(word, "nothing") != 0;
         token = strtok_r(NULL, " ", &rest)) {
        bool after_close =
            t->compose.num_tokens &&
            strcmp(t->compose.word[t->compose.num_tokens - 1].text, "send_close") == 0;

        if (strcmp(token, "drop_stream") == 0 && after_close) {
            dna_derive_expect(&t->script);
            follow(t, symbol);
            t->compose.num_tokens = 0;
            if (may_close)
                dna_buf_printf(&t->script.body, "%s < close\n", t->script.conn);
            dna_buf_printf(&t->script.body, "%s < fin\n", t->script.conn);
        }
        if (strncmp(token, "db:verify(d", 11) == 0 && t->asked_on[token[11] == '2'])
            expect_again(t, token[11] == '2');
        else
            take_token(t, token);
    }
    follow(t, symbol);
    dna_derive_expect(&t->script);
    for (unsigned pair = 0; pair < 2; pair++)
        t->asked_on[pair] = t->script.asked[pair] ? t->script.asked[pair] : t->asked_on[pair];
    if (strcmp(word, "nothing") != 0)
        return;
    dna_derive_quiet(&t->script);
    if (t->header_due && !t->tls_due && !t->scene.g.closed && symbol->kind != DNA_SEND_TLS &&
        last) /* the new header is the barrier */
        dna_buf_printf(&t->script.body,
                       "%s < <stream:stream from='$a' to='$iut'>\n%s > <stream:stream>\n",
                       t->script.conn, t->script.conn);
}

/* ---- the whole ---- */

static bool has_token(const char *word, const char *token)
{
    const char *at = strstr(word, token);

    return at && (at == word || at[-1] == ' ');
}

/* What must not come elsewhere, where the tables do not have it: the latest message, or key. */
static void put_forbids(const struct telling *t, const struct dna_difference *d,
                        struct dna_buf *head)
{
    const char *ours = t->g->words.at[d->ours], *theirs = t->g->words.at[d->theirs];

    if (has_token(theirs, "deliver") && !has_token(ours, "deliver"))
        dna_buf_printf(head, "forbid   U > <message id='m%u-$case'/>\n", t->script.message);
    for (int pair = 0; pair < 2; pair++) {
        const char *token = pair ? "db:verify(d2)" : "db:verify(d1)";

        if (has_token(theirs, token) && !has_token(ours, token))
            dna_buf_printf(head, "forbid   %s > <db:verify>key%u-$case</db:verify>\n",
                           pair ? "C" : "A", t->script.key);
    }
}

static void put_head(const struct telling *t, const struct dna_difference *d, struct dna_buf *out)
{
    struct dna_fired fired[DNA_MAX_FIRED];
    size_t num = dna_seer_replay(&t->g->seer, &d->witness, fired);
    struct dna_buf word = { 0 };
    bool user = t->script.needs_user || has_token(t->g->words.at[d->theirs], "deliver");

    dna_learn_print_word(t->g, &d->witness, &word);
    dna_buf_printf(
        out,
        "# Learned of %s: up to the last step it does what is written here; there: %s.\n"
        "claim    After %s the server does what the tables say (%s).\nreq     ",
        t->g->profile->title, t->g->words.at[d->theirs], word.at,
        dna_learn_rows(t->g, d));
    dna_buf_free(&word);
    for (size_t i = num, put = 0; i-- > 0 && put < MAX_REQS;) {
        for (const uint16_t *b = fired[i].row->because; *b != DNA_REQ_END && put < MAX_REQS; b++) {
            const struct dna_requirement *r = dna_requirement((enum dna_req) * b);

            if (r->level != DNA_LEVEL_DECISION && !strstr(out->at, r->id)) {
                dna_buf_printf(out, " %s", r->id);
                put++;
            }
        }
    }
    dna_buf_printf(
        out,
        "\nlevel    must\nrole     receiving\nvariant  %s\n"
        "impact   The server is another machine than the tables.\nrev      1\ndomain   a c\n"
        "cert     Both dns=$a,$c\npeer     A $a\npeer     C $c\n%s",
        t->g->variant, user ? "client   U juliet\n" : "");
    put_forbids(t, d, out);
    dna_buf_printf(
        out,
        "given:\nset $user = \"%s\"\nset $a64 = base64 \"$a\"\nset $c64 = base64 \"$c\"\n"
        "A.in connect\n",
        user ? "$U" : "juliet@$iut");
}

static void tell(struct telling *t, const struct dna_difference *d)
{
    const struct dna_learning *g = t->g;
    uint32_t at = g->learned.start;

    for (size_t i = 0; i < d->witness.len && !t->untold; i++) {
        const struct dna_symbol *symbol = g->seer.inputs[d->witness.in[i]];
        bool last = i + 1 == d->witness.len;

        if (last)
            dna_buf_puts(&t->script.body, "then:\n");
        dna_buf_printf(&t->script.body, "# %s\n", symbol->text);
        t->compose.num_tokens = 0;
        dna_derive_send(&t->script, symbol);
        expect_word(t, symbol,
                    g->words.at[last ? d->ours : dna_mealy_out(&g->learned, at, d->witness.in[i])],
                    last);
        at = dna_mealy_next(&g->learned, at, d->witness.in[i]);
    }
}

const char *dna_learn_write_witness(struct dna_learning *g, const struct dna_difference *d,
                                    const char *path)
{
    struct telling t = { .g = g, .header_due = true };
    struct dna_buf head = { 0 };
    FILE *out;

    t.compose.role = g->seer.role;
    t.compose.scene = &t.scene;
    t.script = (struct dna_derive_script){ .compose = &t.compose, .conn = "A.in" };
    tell(&t, d);
    if (!t.untold) {
        if (has_token(g->words.at[d->theirs], "deliver") && !t.scene.g.closed)
            dna_buf_puts(&t.script.body, "U barrier\n");
        put_head(&t, d, &head);
        out = fopen(path, "w");
        if (!out || fprintf(out, "%s%s", head.at, t.script.body.at) < 0 || fclose(out) != 0)
            t.untold = strerror(errno);
    }
    dna_buf_free(&head);
    dna_buf_free(&t.script.body);
    return t.untold;
}
