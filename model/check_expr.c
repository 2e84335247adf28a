/* SPDX-License-Identifier: MIT */
/*
 * check_expr.c -- the expressions that mean the same in C and in Promela.
 *
 *   guard   = any            update = field "=" any
 *   any     = term { ( "||" | "&&" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" ) term }
 *   term    = { "!" } ( field | number | "(" any ")" )
 *   field   = ( "V" | "S" | "E" | "K" ) "." name
 */
#include "model/check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct parser {
    const char *at;
    char fault[96];
};

static void fail(struct parser *p, const char *what, const char *at, int len)
{
    if (!p->fault[0]) {
        snprintf(p->fault, sizeof p->fault, "%s '%.*s'", what, len, at);
    }
}

static void skip_space(struct parser *p)
{
    while (isspace((unsigned char)*p->at)) {
        p->at++;
    }
}

static int name_len(const char *at)
{
    int len = 0;
    while (isalnum((unsigned char)at[len]) || at[len] == '_') {
        len++;
    }
    return len;
}

/* Returns the length of the operator here, 0 if there is none, -1 if it is no common one. */
static int operator_len(const char *at)
{
    static const char *const refused[] = { "->", "++", "--", "+=", "-=", "<<", ">>" };
    static const char *const two[] = { "||", "&&", "==", "!=", "<=", ">=" };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (strncmp(at, refused[i], 2) == 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++) {
        if (strncmp(at, two[i], 2) == 0) {
            return 2;
        }
    }
    if (*at == '\0' || *at == ')') {
        return 0;
    }
    return strchr("<>+-", *at) ? 1 : -1;
}

static void parse_field(struct parser *p)
{
    int len = name_len(p->at);
    if (len == 1 && strchr("VSEK", *p->at) && p->at[1] == '.' && name_len(p->at + 2) > 0) {
        p->at += 2;
        p->at += name_len(p->at);
        skip_space(p);
        if (*p->at == '(' || *p->at == '.' || *p->at == '[') {
            fail(p, "not a plain field:", p->at, 1);
        }
        return;
    }
    const char *name = p->at;
    p->at += len;
    skip_space(p);
    fail(p, *p->at == '(' ? "a call of" : "an undeclared name", name, len);
}

static void parse_any(struct parser *p);

static void parse_term(struct parser *p)
{
    skip_space(p);
    while (*p->at == '!' && p->at[1] != '=') {
        p->at++;
        skip_space(p);
    }
    if (*p->at == '(') {
        p->at++;
        parse_any(p);
        if (*p->at != ')') {
            fail(p, "a parenthesis is not closed before", p->at, 8);
            return;
        }
        p->at++;
    } else if (isdigit((unsigned char)*p->at)) {
        int len = name_len(p->at);
        for (int i = 0; i < len; i++) {
            if (!isdigit((unsigned char)p->at[i])) {
                fail(p, "not a decimal number:", p->at, len);
            }
        }
        p->at += len;
    } else if (name_len(p->at) > 0) {
        parse_field(p);
    } else {
        fail(p, "not in the common subset:", p->at, 2);
    }
}

static void parse_any(struct parser *p)
{
    parse_term(p);
    while (!p->fault[0]) {
        skip_space(p);
        int len = operator_len(p->at);
        if (len == 0) {
            return;
        }
        if (len < 0) {
            bool assigns = *p->at == '=';
            fail(p, assigns ? "an assignment:" : "not in the common subset:", p->at, 2);
            return;
        }
        p->at += len;
        parse_term(p);
    }
}

const char *dna_check_expression(const char *expr, bool update)
{
    static char fault[96]; /* until the next call */
    struct parser p = { expr, "" };
    skip_space(&p);
    if (update) {
        const char *target = p.at;
        if (*target != 'V' && *target != 'S') {
            fail(&p, "changes neither V nor S:", target, 12);
        }
        parse_field(&p);
        if (*p.at != '=' || p.at[1] == '=') {
            fail(&p, "no assignment:", target, 12);
        } else {
            p.at++;
        }
    }
    if (!p.fault[0]) {
        parse_any(&p);
    }
    if (!p.fault[0] && *p.at) {
        fail(&p, "not in the common subset:", p.at, 2);
    }
    memcpy(fault, p.fault, sizeof fault);
    return fault[0] ? fault : NULL;
}
