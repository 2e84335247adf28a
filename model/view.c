/* SPDX-License-Identifier: MIT */
/* view.c -- a role's composition as a tester who learns sees it over sockets. */
#include "model/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VIEW_STATES = 8000 };

static bool plain_kind(const struct dna_symbol *s)
{
    return s->kind != DNA_SEND_SETTLE && s->kind != DNA_SEND_TIMER && s->kind != DNA_SEND_ASIDE &&
           s->kind != DNA_SEND_LOCAL && s->kind != DNA_SEND_EARLY && s->kind != DNA_SEND_LAPSE;
}

int dna_seer_begin(struct dna_seer *seer, const struct dna_role *role, const char *alphabet,
                   const struct dna_knobs *knobs, const struct dna_overlay *overlay, char *err,
                   size_t size)
{
    const char *at = alphabet;
    *seer = (struct dna_seer){ .role = role, .knobs = *knobs, .overlay = overlay };
    seer->scope = (struct dna_scope){ .name = "learn", .text = "", .prefix = "",
                                      .alphabet = alphabet };
    for (size_t len; at += strspn(at, ", "), (len = strcspn(at, ",")) > 0; at += len) {
        const struct dna_symbol *s = dna_symbol_find(role, at, len);
        if (!s || !plain_kind(s) || seer->num_inputs == DNA_MAX_INPUTS) {
            snprintf(err, size, "%s: '%.*s'",
                     !s                ? "no symbol has this name"
                     : !plain_kind(s) ? "no symbol for learning"
                                       : "too many symbols",
                     (int)len, at);
            return -1;
        }
        seer->inputs[seer->num_inputs++] = s;
    }
    return 0;
}

static struct dna_compose composition(const struct dna_seer *seer, struct dna_seen *at)
{
    return (struct dna_compose){ .role = seer->role,
                                 .scope = &seer->scope,
                                 .knobs = seer->knobs,
                                 .overlay = seer->overlay,
                                 .scene = &at->scene,
                                 .exact = true,
                                 .watch = seer->watch,
                                 .watch_ctx = seer->watch_ctx };
}

void dna_seen_begin(const struct dna_seer *seer, struct dna_seen *at)
{
    memset(at, 0, sizeof *at);
    struct dna_compose c = composition(seer, at);
    dna_compose_begin(&c);
}

/* --- what can be sent --- */

static bool answers(const struct dna_symbol *s)
{
    return s->kind == DNA_SEND_ANSWER || s->kind == DNA_SEND_NO_ANSWER;
}

static bool can(const struct dna_seen *at, const struct dna_compose *c, const struct dna_symbol *s)
{
    return answers(s) ? at->asked[s->whom == DNA_PAIR2] != 0 : dna_compose_can(c, s);
}

uint64_t dna_seen_can(const struct dna_seer *seer, const struct dna_seen *at)
{
    struct dna_seen copy = *at;
    struct dna_compose c = composition(seer, &copy);
    uint64_t mask = 0;
    for (size_t i = 0; i < seer->num_inputs && !at->scene.g.closed; i++) {
        mask |= can(at, &c, seer->inputs[i]) ? (uint64_t)1 << i : 0;
    }
    return mask;
}

/* --- words --- */

/* What a tester cannot see, or sees by another name. */
static const char *seen_as(const char *text)
{
    static const struct {
        const char *token, *as;
    } others[] = {
        { "start_tls", NULL },
        { "offer_starttls_required", "offer_starttls" },
        { "send_not_found", "send_remote_server_not_found" },
        { "send_timeout", "send_remote_server_timeout" },
        { "send_verify_valid", "verify_valid" },
        { "send_verify_invalid", "verify_invalid" },
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(text, others[i].token) == 0) {
            return others[i].as;
        }
    }
    return text;
}

static void put(char word[DNA_WORD_TEXT], const char *text)
{
    size_t at = strlen(word), len = strlen(text);
    if (at + len + 1 < DNA_WORD_TEXT) {
        memcpy(word + at, text, len + 1);
    }
}

static void put_tokens(const struct dna_compose *c, bool elsewhere, char word[DNA_WORD_TEXT])
{
    static const char *const suffixes[] = { "", "(d1)", "(d2)", "(?)" };
    for (size_t i = 0; i < c->num_tokens; i++) {
        const struct dna_token *t = &c->word[i];
        const char *text = t->elsewhere == elsewhere ? seen_as(t->text) : NULL;
        uint8_t whom = t->whom == DNA_STRANGER ? (uint8_t)c->symbol->whom : t->whom;
        if (text) {
            put(word, word[0] ? " " : "");
            put(word, text);
            put(word, suffixes[whom]);
        }
    }
}

static void note_questions(const struct dna_compose *c, struct dna_seen *at)
{
    for (size_t i = 0; i < c->num_tokens; i++) {
        const struct dna_token *t = &c->word[i];
        if (strcmp(t->text, "db:verify") == 0 && (t->whom == DNA_PAIR1 || t->whom == DNA_PAIR2)) {
            at->asked[t->whom - DNA_PAIR1] = 1;
        }
    }
}

/* The other side's closing tag is answered at once; then, or when its end has come, all is over. */
static void end(struct dna_compose *c, const struct dna_seer *seer, struct dna_seen *at,
                char word[DNA_WORD_TEXT])
{
    if (at->scene.g.muted && !at->scene.g.closed) {
        const struct dna_symbol *close = dna_symbol_find(seer->role, "close", 5);
        c->watch = NULL;
        if (!close || !dna_compose_send(c, close)) {
            c->num_tokens = 0;
        }
        put_tokens(c, false, word);
        put(word, at->scene.g.closed ? "" : " drop_stream");
        at->scene.g.closed = 1;
    }
    if (at->scene.g.closed) {
        memset(at, 0, sizeof *at);
        at->scene.g.closed = 1;
    }
}

void dna_seen_step(const struct dna_seer *seer, struct dna_seen *at, size_t input,
                   char word[DNA_WORD_TEXT])
{
    const struct dna_symbol *s = seer->inputs[input];
    struct dna_compose c = composition(seer, at);
    char elsewhere[DNA_WORD_TEXT] = "";
    word[0] = '\0';
    if (answers(s)) {
        at->asked[s->whom == DNA_PAIR2] = s->kind == DNA_SEND_NO_ANSWER;
    }
    if (dna_compose_send(&c, s)) { /* else an answer that nobody waits for */
        put_tokens(&c, false, word);
        put_tokens(&c, true, elsewhere);
        note_questions(&c, at);
        end(&c, seer, at, word);
    }
    put(word, word[0] && elsewhere[0] ? " " : "");
    put(word, elsewhere);
    if (!word[0]) {
        put(word, "nothing");
    }
}

/* --- all of it --- */

static uint32_t state_number(struct dna_view *v, const struct dna_seen *seen)
{
    struct dna_mealy *m = &v->mealy;
    for (size_t i = 0; i < m->num_states; i++) {
        if (memcmp(&v->states[i], seen, sizeof *seen) == 0) {
            return (uint32_t)i;
        }
    }
    if (m->num_states == v->max) {
        size_t max = v->max ? v->max * 2 : 128;
        void *states = realloc(v->states, max * sizeof *v->states);
        v->states = states ? states : v->states;
        if (!states || dna_mealy_reserve(m, max) || max > MAX_VIEW_STATES) {
            return UINT32_MAX;
        }
        v->max = max;
    }
    v->states[m->num_states] = *seen;
    m->closed[m->num_states] = seen->scene.g.closed != 0;
    return (uint32_t)m->num_states++;
}

static int explore(struct dna_view *v, const struct dna_seer *seer, struct dna_wordbook *words)
{
    struct dna_mealy *m = &v->mealy;
    char word[DNA_WORD_TEXT];
    for (size_t at = 0; at < m->num_states; at++) {
        uint64_t can_send = dna_seen_can(seer, &v->states[at]);
        for (size_t x = 0; x < m->num_inputs; x++) {
            uint32_t to = (uint32_t)at, out = DNA_CANNOT;
            if (can_send >> x & 1) {
                struct dna_seen seen = v->states[at];
                dna_seen_step(seer, &seen, x, word);
                to = state_number(v, &seen);
                out = dna_wordbook_number(words, word);
            }
            if (to == UINT32_MAX || out == UINT32_MAX) {
                return -1;
            }
            m->next[at * m->num_inputs + x] = to;
            m->out[at * m->num_inputs + x] = out;
        }
    }
    return 0;
}

int dna_view_make(struct dna_view *view, const struct dna_seer *seer, struct dna_wordbook *words)
{
    struct dna_seen begin;
    *view = (struct dna_view){ .mealy = { .num_inputs = seer->num_inputs } };
    dna_seen_begin(seer, &begin);
    if (state_number(view, &begin) != 0 || explore(view, seer, words)) {
        dna_view_free(view);
        return -1;
    }
    return 0;
}

void dna_view_free(struct dna_view *view)
{
    free(view->mealy.next);
    free(view->mealy.out);
    free(view->mealy.closed);
    free(view->states);
    *view = (struct dna_view){ 0 };
}
