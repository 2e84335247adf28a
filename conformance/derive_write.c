/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. One session of a derived suite, or the shortest that tells a mutant, as a
 * scenario: it is played through the tables while it is written, so that beside each step stand the
 * rows that fire.
 */
#include "conformance/derive_internal.h"

#include "conformance/cli.h"
#include "model/cell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_STEP_ROWS = 24, MAX_PAST = 64, MAX_REQS = 16 };

struct step_rows {
    const struct dna_row *rows[MAX_STEP_ROWS];
    size_t num;
};

static void note_row(void *ctx, const struct dna_machine *m, enum dna_whom whom,
                     const struct dna_env *env, uint32_t on, const struct dna_effects *fx)
{
    struct step_rows *r = ctx;

    (void)whom;
    (void)env;
    (void)on;
    if (m && fx && fx->row != DNA_NO_ROW && r->num < MAX_STEP_ROWS)
        r->rows[r->num++] = &m->rows[fx->row];
}

struct writing {
    const struct dna_derive_how *how;
    const struct dna_unfolding *u;
    struct dna_derive_script script;
    struct step_rows last;
    const struct dna_row *past[MAX_PAST]; /* the latest rows, oldest first */
    size_t num_past;
    struct dna_buf claim;
};

static void put_rows(struct dna_buf *out, const struct step_rows *r, const char *empty)
{
    for (size_t i = 0; i < r->num; i++)
        dna_buf_printf(out, "%s%s", i ? " " : "", r->rows[i]->id);
    if (!r->num)
        dna_buf_puts(out, empty);
}

/* Each line from `from` on that says what must come bears the rows, so that a report shows them. */
static void mark_rows(struct writing *w, size_t from)
{
    struct dna_buf *body = &w->script.body, rows = { 0 };
    char *lines = body->at && body->len > from ? dna_xstrdup(body->at + from) : NULL;
    char *rest = NULL;

    put_rows(&rows, &w->last, "not looked at");
    if (lines)
        body->len = from;
    for (char *line = lines ? strtok_r(lines, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *expects = strstr(line, " > ");

        dna_buf_printf(body, expects ? "%s # %s\n" : "%s\n", line, rows.at);
    }
    free(lines);
    dna_buf_free(&rows);
}

static void remember(struct writing *w)
{
    for (size_t i = 0; i < w->last.num; i++) {
        if (w->num_past == MAX_PAST)
            memmove(w->past, w->past + 1, --w->num_past * sizeof(*w->past));
        w->past[w->num_past++] = w->last.rows[i];
    }
}

static void step(struct writing *w, struct dna_compose *c, const struct dna_symbol *symbol)
{
    w->last.num = 0;
    if (!dna_compose_send(c, symbol))
        return;
    dna_buf_printf(&w->claim, "%s%s", w->claim.len ? ", " : "", symbol->name);
    dna_buf_printf(&w->script.body, "# %s: ", symbol->text);
    put_rows(&w->script.body, &w->last, "not looked at");
    dna_buf_puts(&w->script.body, "\n");
    dna_derive_send(&w->script, symbol);
    size_t from = w->script.body.len;
    dna_derive_expect(&w->script);
    if (!c->num_tokens)
        dna_derive_quiet(&w->script);
    mark_rows(w, from);
    remember(w);
}

/* What the latest rows cite, the last ones first: a session may be wrong at any of its steps. */
static void put_reqs(struct dna_buf *out, const struct writing *w)
{
    unsigned num = 0;

    for (size_t i = w->num_past; i-- > 0;) {
        for (const uint16_t *b = w->past[i]->because; *b != DNA_REQ_END && num < MAX_REQS; b++) {
            const struct dna_requirement *r = dna_requirement((enum dna_req)*b);

            if (r->level != DNA_LEVEL_DECISION && !(out->at && strstr(out->at, r->id))) {
                dna_buf_printf(out, " %s", r->id);
                num++;
            }
        }
    }
}

/* The word that the language has for a role. */
static const char *role_word(const struct dna_role *role)
{
    return strcmp(role->name, "c2s-server") == 0   ? "server"
           : strcmp(role->name, "c2s-client") == 0 ? "client"
                                                   : role->name;
}

static void put_head(struct writing *w, struct dna_buf *out)
{
    if (w->how->note)
        dna_buf_printf(out, "# %s\n", w->how->note);
    dna_buf_printf(out,
                   "# Derived from the tables (%s, %s); beside each step the rows that fire.\n",
                   w->u->role->name, w->u->scope->name);
    dna_buf_printf(out, "claim    After %s the server has done what the tables say (", w->claim.at);
    put_rows(out, &w->last, "nothing");
    dna_buf_puts(out, ").\nreq     ");
    put_reqs(out, w);
    dna_buf_printf(out,
                   "\nlevel    must\nrole     %s\nvariant  %s\n"
                   "impact   In some situation the server is not in the state that it should be "
                   "in.\n"
                   "rev      1\n",
                   role_word(w->u->role),
                   w->script.documents ? w->how->documented : w->how->variant);
    if (w->script.lapses && !w->script.waits_out)
        dna_buf_puts(out, "needs    clock\n");
}

/* A stanza that is not to cross is not only unexpected, but forbidden: whoever waits for something
 * else passes stanzas over. */
static void put_forbidden(const struct dna_derive_script *s, bool asks, struct dna_buf *out)
{
    if (s->patient)
        dna_buf_printf(out, "strict   A%s\n",
                       s->needs_user || s->side == DNA_DERIVE_IUT ? " U" : "");
    for (unsigned i = 1; i <= s->message; i++)
        if (!(s->delivered >> i % 64 & 1))
            dna_buf_printf(out, "forbid   U > <message id='m%u-$case'/>\n", i);
    for (unsigned i = s->side == DNA_DERIVE_IUT && !asks ? 0 : 1; i <= s->local; i++)
        if (!(s->transmitted >> i % 64 & 1))
            dna_buf_printf(out, "forbid   A > <message id='u%u-$case'/>\n", i);
}

/* What sessions between servers begin with. */
static void put_servers(const struct dna_derive_script *s, bool asks, struct dna_buf *out)
{
    const char *body = s->body.at ? s->body.at : "";
    bool opens = s->side == DNA_DERIVE_IUT;
    const char *why = asks ? "do open A in $a $iut asker none\n"
                             "A.in < <db:result from='$a' to='$iut'>0-$case</db:result>\n"
                           : "U < <message to='x@$a' type='chat' id='u0-$case'><body>u0</body>"
                             "</message>\n";

    /* What is not used is not declared: making a certificate takes time. */
    dna_buf_printf(out, "domain   a c\n%s%s%s%s%s%s",
                   s->both ? "cert     Both dns=$a,$c" : "",
                   s->both && s->slow ? " issuer=self\n" : s->both ? "\n" : "",
                   strstr(body, "cert=Wrong") ? "cert     Wrong dns=$c\n" : "",
                   s->expires ? DNA_DERIVE_EXPIRES "peer     A $a cert=Soon\n"
                   : s->slow  ? "cert     Own dns=$a issuer=self\npeer     A $a cert=Own\n"
                              : "peer     A $a\n",
                   strstr(body, "verification C ") || strstr(body, "\nC ") ? "peer     C $c\n" : "",
                   s->needs_user || s->needs_key || opens ? "client   U juliet\n" : "");
    if (strstr(body, "B accept"))
        dna_buf_puts(out, "peer     B $a host=own\ndns      $a SRV 0 0 5269 B\n");
    dna_derive_head_proofs(s, out);
    put_forbidden(s, asks, out);
    dna_buf_printf(out,
                   "given:\nset $user = \"%s\"\n"
                   "set $a64 = base64 \"$a\"\nset $c64 = base64 \"$c\"\n",
                   s->needs_user || opens ? "$U" : "juliet@$iut");
    if (strstr(body, "$iut64"))
        dna_buf_puts(out, "set $iut64 = base64 \"$iut\"\n");
    if (s->needs_key)
        dna_buf_puts(out, "do say U x@$a k-$case\ndo serve-dialback A out $a $iut vid iutkey\n"
                          "A.out < close\nA.out > end\n"); /* or it would be asked there */
    if (s->needs_key && opens)
        dna_buf_puts(out, "U > <message type='error' id='k-$case'/>\n"); /* the way is free again */
    if (s->needs_aside)
        dna_buf_puts(out, "do open A aside $a $iut aside\n");
    if (s->needs_id)
        dna_buf_puts(out, "do open-clear A probe $a $iut theirs\n");
    dna_buf_puts(out, opens ? why : "A.in connect\n");
    dna_buf_puts(out, opens ? "A accept as v\nA.v > <stream:stream from='$iut' to='$a'>\n" : "");
    dna_buf_puts(out, "then:\n");
}

static void put_begin(const struct writing *w, struct dna_buf *out)
{
    const struct dna_derive_script *s = &w->script;
    struct dna_buf given = { 0 };

    if (s->side == DNA_DERIVE_PEER || s->side == DNA_DERIVE_IUT) {
        put_servers(s, dna_derive_asks(w->u->scope), out);
        return;
    }
    dna_derive_begin_c2s(s, w->u->scope, out, &given);
    dna_buf_printf(out, "given:\n%s", given.at);
    dna_buf_free(&given);
}

static void play_prefix(struct writing *w, struct dna_compose *c)
{
    const char *at = w->u->scope->prefix;

    for (size_t len; (len = strcspn(at, ",")) > 0; at += len, at += strspn(at, ", "))
        step(w, c, dna_symbol_find(w->u->role, at, len));
}

/* That the IUT is ready for a handshake shows in one, if nothing else of the session needs it. */
static void shake_hands(struct writing *w, struct dna_compose *c)
{
    const struct dna_role *role = w->u->role;

    for (size_t i = 0; i < role->num_symbols && c->scene->g.tls_due; i++)
        if (role->symbols[i].kind == DNA_SEND_TLS && dna_derive_playable(&role->symbols[i]))
            step(w, c, &role->symbols[i]);
}

/* A stream without barriers is ended, so that whatever came besides shows. */
static void see_the_end(struct writing *w, struct dna_compose *c)
{
    const struct dna_symbol *close = dna_symbol_find(w->u->role, "close", 5);
    const struct dna_symbol *gone = dna_symbol_find(w->u->role, "gone", 4);

    if (dna_compose_can(c, close))
        step(w, c, close);
    else if (gone && dna_compose_can(c, gone))
        step(w, c, gone);
}

/* Where no barrier can tell: that no more came than was due, here and at the authorities. */
static void see_silence(struct writing *w)
{
    struct dna_derive_script *s = &w->script;
    const struct dna_stage *g = &s->compose->scene->g;
    bool servers = s->side == DNA_DERIVE_PEER || s->side == DNA_DERIVE_IUT;

    if (!s->patient)
        return;
    if (!g->closed && !g->muted && (g->header_due || g->tls_due || g->held))
        dna_buf_printf(&s->body, "%s > silence within 100ms\n", s->conn);
    if (s->side == DNA_DERIVE_CLIENT_IUT && !g->closed && g->held)
        dna_buf_puts(&s->body, "K prints \"= stop:\" times=1\n"); /* it asks once */
    for (unsigned pair = 0; servers && !g->closed && !g->muted && pair < 2; pair++)
        if (s->asked[pair]) /* a question that nobody waits for any more is not left standing */
            dna_buf_printf(&s->body, "%s.v%u > %s\n", pair ? "C" : "A", s->asked[pair],
                           g->question[pair] ? "silence within 100ms" : "close");
    if (!servers)
        return;
    dna_buf_puts(&s->body, "A unvisited\n");
    if (strstr(s->body.at, "B accept"))
        dna_buf_puts(&s->body, "B unvisited\n");
    if (strstr(s->body.at, "from='$c'")) /* nor is its authority asked behind the tester's back */
        dna_buf_puts(&s->body, "C unvisited\n");
}

/* Streams elsewhere end as well, and the process. */
static void see_it_gone(struct dna_derive_script *s)
{
    for (unsigned pair = 0; pair < 2; pair++)
        if (s->asked[pair])
            dna_buf_printf(&s->body, "%s.v%u > end\n", pair ? "C" : "A", s->asked[pair]);
    dna_buf_puts(&s->body, "iut gone\n");
}

void dna_derive_write(const struct dna_derive_how *how, const uint32_t *word, size_t len,
                      struct dna_buf *out)
{
    const struct dna_unfolding *u = how->u;
    struct dna_scene scene;
    struct writing w = { .how = how, .u = u };
    struct dna_compose c = { .role = u->role, .scope = u->scope, .knobs = u->knobs,
                             .overlay = how->choices, .scene = &scene, .exact = u->exact,
                             .watch = note_row, .watch_ctx = &w.last };

    dna_derive_begin(&w.script, u->role);
    w.script.compose = &c;
    w.script.loose = how->loose;
    w.script.any_error = how->any_error;
    w.script.patient = how->patient;
    w.script.expires = how->wait && !how->wait->time;
    dna_derive_note_proofs(&w.script, u, word, len);
    w.script.ends |= how->ends && w.script.side == DNA_DERIVE_IUT;
    dna_compose_begin(&c);
    play_prefix(&w, &c);
    for (size_t i = 0; i < len; i++)
        step(&w, &c, u->inputs[word[i]]);
    shake_hands(&w, &c);
    w.script.last = true;
    if (w.script.ends)
        see_the_end(&w, &c);
    else if (c.num_tokens || scene.g.muted)
        dna_derive_quiet(&w.script);
    see_silence(&w);
    if (!w.script.looked)
        dna_derive_look_home(&w.script);
    if (w.script.stopped)
        see_it_gone(&w.script);
    put_head(&w, out);
    put_begin(&w, out);
    dna_buf_puts(out, w.script.body.at ? w.script.body.at : "");
    dna_buf_free(&w.script.body);
    dna_buf_free(&w.claim);
}

bool dna_derive_store(const struct dna_derive_how *how, const uint32_t *word, size_t len,
                      const char *path)
{
    struct dna_buf text = { 0 };
    FILE *out = fopen(path, "w");
    bool ok;

    dna_derive_write(how, word, len, &text);
    ok = out && fputs(text.at, out) >= 0;
    if (out)
        ok = fclose(out) == 0 && ok;
    if (!ok)
        fprintf(stderr, "xdna: %s: %s\n", path, strerror(errno));
    dna_buf_free(&text);
    return ok;
}

/* ---- the folder that they go into ---- */

static bool copy_prelude(const char *dir)
{
    char buffer[8192];
    struct dna_buf from = { 0 }, to = { 0 };
    size_t len;

    dna_buf_printf(&from, "%s/prelude.scn", dna_scenarios_dir());
    dna_buf_printf(&to, "%s/prelude.scn", dir);
    FILE *in = fopen(from.at, "r");
    FILE *out = in ? fopen(to.at, "w") : NULL;
    bool ok = out != NULL;

    while (ok && (len = fread(buffer, 1, sizeof(buffer), in)) > 0)
        ok = fwrite(buffer, 1, len, out) == len;
    if (in)
        fclose(in);
    if (out)
        ok = fclose(out) == 0 && ok;
    dna_buf_free(&from);
    dna_buf_free(&to);
    return ok;
}

bool dna_derive_folder(const char *dir)
{
    struct dna_buf derived = { 0 };
    bool ok;

    dna_buf_printf(&derived, "%s/derived", dir);
    ok = mkdir(derived.at, 0777) == 0 && copy_prelude(dir);
    if (!ok)
        fprintf(stderr, "xdna: cannot make the folder of scenarios %s: %s\n", dir, strerror(errno));
    dna_buf_free(&derived);
    return ok;
}
