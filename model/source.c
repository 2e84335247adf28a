/* SPDX-License-Identifier: MIT */
/* source.c -- where in a table's text something stands. */
#include "model/source.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* A reader of names and punctuation that knows its line and skips comments and strings. */
struct reader {
    const char *at;
    unsigned line;
    char name[64]; /* the token: a name, or one character */
};

static void skip_comment(struct reader *r)
{
    for (r->at += 2; *r->at && !(r->at[0] == '*' && r->at[1] == '/'); r->at++) {
        r->line += *r->at == '\n';
    }
    r->at += *r->at ? 2 : 0;
}

static void skip_string(struct reader *r)
{
    for (r->at++; *r->at && *r->at != '"'; r->at++) {
        r->line += *r->at == '\n';
        if (r->at[0] == '\\' && r->at[1]) {
            r->at++;
        }
    }
    r->at += *r->at ? 1 : 0;
}

static bool next_token(struct reader *r)
{
    for (;;) {
        if (*r->at == '\n') {
            r->line++;
            r->at++;
        } else if (isspace((unsigned char)*r->at)) {
            r->at++;
        } else if (r->at[0] == '/' && r->at[1] == '*') {
            skip_comment(r);
        } else if (*r->at == '"') {
            skip_string(r);
        } else {
            break;
        }
    }
    if (!*r->at) {
        return false;
    }
    size_t len = 0;
    while (isalnum((unsigned char)r->at[len]) || r->at[len] == '_') {
        len++;
    }
    len = len ? len : 1;
    size_t kept = len < sizeof r->name ? len : sizeof r->name - 1;
    memcpy(r->name, r->at, kept);
    r->name[kept] = '\0';
    r->at += len;
    return true;
}

/* Moves behind KEYWORD and its parenthesis. */
static bool next_call(struct reader *r, const char *keyword)
{
    while (next_token(r)) {
        if (strcmp(r->name, keyword) == 0 && next_token(r) && strcmp(r->name, "(") == 0) {
            return true;
        }
    }
    return false;
}

unsigned dna_source_declared(const char *source, const char *keyword, const char *name)
{
    struct reader r = { source ? source : "", 1, "" };
    while (next_call(&r, keyword)) {
        if (next_token(&r) && strcmp(r.name, name) == 0) {
            return r.line;
        }
    }
    return 0;
}

static unsigned dead_line(const char *source, const char *state, const char *event)
{
    struct reader r = { source, 1, "" };
    while (next_call(&r, "DEAD")) {
        unsigned line = r.line;
        if (!next_token(&r) || strcmp(r.name, state) != 0) {
            continue;
        }
        while (next_token(&r) && strcmp(r.name, ")") != 0) {
            if (strcmp(r.name, event) == 0) {
                return line;
            }
        }
    }
    return 0;
}

static unsigned choice_line(const char *source, const char *id)
{
    struct reader r = { source, 1, "" };
    while (next_call(&r, "CHOICE")) {
        /* CHOICE( group, id, */
        if (next_token(&r) && next_token(&r) && next_token(&r) && strcmp(r.name, id) == 0) {
            return r.line;
        }
    }
    return 0;
}

unsigned dna_source_row(const char *source, const struct dna_machine *machine,
                        const struct dna_row *row)
{
    char id[64];
    unsigned line = 0;
    if (!source) {
        return row->line;
    }
    snprintf(id, sizeof id, "%s", row->id);
    switch (row->kind) {
    case DNA_ROW:
        line = dna_source_declared(source, "ROW", id);
        break;
    case DNA_CHOICE:
        line = choice_line(source, id);
        break;
    case DNA_IGNORE:
        id[strcspn(id, ".")] = '\0'; /* ID.EVENT */
        line = dna_source_declared(source, "IGNORE", id);
        break;
    case DNA_DEAD:
        line = dead_line(source, machine->states[row->in].name, machine->events[row->on].name);
        break;
    }
    return line ? line : row->line;
}
