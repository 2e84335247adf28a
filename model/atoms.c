/* SPDX-License-Identifier: MIT */
/* atoms.c -- a guard taken apart: its expression as a tree whose leaves are the atoms. */
#include "model/atoms.h"

#include "model/cell.h"

#include <ctype.h>
#include <string.h>

struct reader {
    struct dna_atoms *out;
    const char *at;
    bool failed;
};

static void skip_space(struct reader *r)
{
    while (isspace((unsigned char)*r->at)) {
        r->at++;
    }
}

static uint8_t node(struct reader *r, enum dna_node_kind kind, uint8_t left, uint8_t right)
{
    struct dna_atoms *a = r->out;
    if (a->num_nodes == DNA_MAX_NODES) {
        r->failed = true;
        return 0;
    }
    a->nodes[a->num_nodes] = (struct dna_node){ kind, left, right };
    return (uint8_t)a->num_nodes++;
}

/* The end of a comparison or sum: a logical operator, a closing parenthesis of outside, the end. */
static const char *atom_end(const char *at)
{
    int depth = 0;
    for (; *at; at++) {
        if (*at == '(') {
            depth++;
        } else if (*at == ')' && depth-- == 0) {
            return at;
        } else if (depth == 0 && (strncmp(at, "&&", 2) == 0 || strncmp(at, "||", 2) == 0)) {
            return at;
        }
    }
    return at;
}

static uint8_t read_atom(struct reader *r)
{
    struct dna_atoms *a = r->out;
    const char *end = atom_end(r->at);
    if (a->num_atoms == DNA_MAX_ATOMS || end == r->at) {
        r->failed = true;
        return 0;
    }
    struct dna_atom *atom = &a->atoms[a->num_atoms];
    *atom = (struct dna_atom){ .at = r->at, .len = (size_t)(end - r->at) };
    bool others = false;
    for (size_t i = 0; i < atom->len; i++) {
        atom->mentions_event |= dna_names_field(r->at, i, 'E');
        others |= dna_names_field(r->at, i, 'V') || dna_names_field(r->at, i, 'S');
    }
    atom->mentions_knobs_only = !others && !atom->mentions_event;
    while (atom->len > 0 && isspace((unsigned char)atom->at[atom->len - 1])) {
        atom->len--;
    }
    r->at = end;
    return node(r, DNA_NODE_ATOM, (uint8_t)a->num_atoms++, 0);
}

static uint8_t read_or(struct reader *r);

/* Whether the parenthesis here encloses logical operators, and is no part of an arithmetic atom. */
static bool encloses_logic(const char *at)
{
    int depth = 0;
    for (; *at; at++) {
        depth += *at == '(';
        depth -= *at == ')';
        if (depth == 0) {
            at++;
            break;
        }
    }
    while (isspace((unsigned char)*at)) {
        at++;
    }
    return *at == '\0' || *at == ')' || strncmp(at, "&&", 2) == 0 || strncmp(at, "||", 2) == 0;
}

static uint8_t read_term(struct reader *r)
{
    skip_space(r);
    if (*r->at == '!' && r->at[1] != '=') {
        r->at++;
        return node(r, DNA_NODE_NOT, read_term(r), 0);
    }
    if (*r->at == '(' && encloses_logic(r->at)) {
        r->at++;
        uint8_t inner = read_or(r);
        skip_space(r);
        r->failed |= *r->at != ')';
        r->at += *r->at == ')';
        return inner;
    }
    return read_atom(r);
}

static uint8_t read_and(struct reader *r)
{
    uint8_t left = read_term(r);
    for (skip_space(r); !r->failed && strncmp(r->at, "&&", 2) == 0; skip_space(r)) {
        r->at += 2;
        left = node(r, DNA_NODE_AND, left, read_term(r));
    }
    return left;
}

static uint8_t read_or(struct reader *r)
{
    uint8_t left = read_and(r);
    for (skip_space(r); !r->failed && strncmp(r->at, "||", 2) == 0; skip_space(r)) {
        r->at += 2;
        left = node(r, DNA_NODE_OR, left, read_and(r));
    }
    return left;
}

int dna_atoms_parse(struct dna_atoms *atoms, const struct dna_machine *machine, size_t when)
{
    struct reader r = { atoms, machine->guards[when].expr, false };
    memset(atoms, 0, sizeof *atoms);
    atoms->machine = machine;
    atoms->root = read_or(&r);
    skip_space(&r);
    return r.failed || *r.at ? -1 : 0;
}

/* --- the values of fields, sums and comparisons --- */

struct sum {
    const struct dna_atoms *atoms;
    const struct dna_env *env;
    const char *at, *end;
};

static uint32_t field_value(struct sum *s)
{
    struct dna_places place = { .num = 0 };
    char name[64];
    size_t len = 2;
    while (isalnum((unsigned char)s->at[len]) || s->at[len] == '_') {
        len++;
    }
    if (len >= sizeof name) {
        return 0;
    }
    memcpy(name, s->at, len);
    name[len] = '\0';
    s->at += len;
    dna_places_add(&place, s->atoms->machine, name);
    const char *base = name[0] == 'V'   ? (const char *)s->env->v
                       : name[0] == 'S' ? (const char *)s->env->s
                       : name[0] == 'E' ? (const char *)s->env->e
                                        : (const char *)s->env->k;
    uint32_t value = 0;
    if (place.num == 1) {
        memcpy(&value, base + place.at[0].offset, sizeof value);
    }
    return value;
}

static void sum_space(struct sum *s)
{
    while (s->at < s->end && isspace((unsigned char)*s->at)) {
        s->at++;
    }
}

static uint32_t compare(struct sum *s);

static uint32_t operand(struct sum *s)
{
    sum_space(s);
    if (s->at >= s->end) {
        return 0;
    }
    if (*s->at == '!') {
        s->at++;
        return !operand(s);
    }
    if (*s->at == '(') {
        s->at++;
        uint32_t value = compare(s);
        sum_space(s);
        s->at += s->at < s->end;
        return value;
    }
    if (isdigit((unsigned char)*s->at)) {
        uint32_t value = 0;
        while (s->at < s->end && isdigit((unsigned char)*s->at)) {
            value = value * 10 + (uint32_t)(*s->at++ - '0');
        }
        return value;
    }
    return field_value(s);
}

static uint32_t additive(struct sum *s)
{
    uint32_t value = operand(s);
    for (sum_space(s); s->at < s->end && (*s->at == '+' || *s->at == '-'); sum_space(s)) {
        bool plus = *s->at++ == '+';
        uint32_t right = operand(s);
        value = plus ? value + right : value - right;
    }
    return value;
}

static uint32_t compare(struct sum *s)
{
    uint32_t left = additive(s);
    sum_space(s);
    if (s->at >= s->end || *s->at == ')') {
        return left;
    }
    char first = s->at[0];
    bool equal = s->at[1] == '=';
    s->at += equal ? 2 : 1;
    uint32_t right = additive(s);
    switch (first) {
    case '=':
        return left == right;
    case '!':
        return left != right;
    case '<':
        return equal ? left <= right : left < right;
    default:
        return equal ? left >= right : left > right;
    }
}

bool dna_atom_holds(const struct dna_atoms *atoms, size_t atom, const struct dna_env *env)
{
    const struct dna_atom *a = &atoms->atoms[atom];
    struct sum s = { atoms, env, a->at, a->at + a->len };
    return compare(&s) != 0;
}

enum value { FALSE, TRUE, LEFT_OUT };

static enum value value_of(const struct dna_atoms *atoms, uint8_t at, size_t left_out,
                           const struct dna_env *env)
{
    const struct dna_node *n = &atoms->nodes[at];
    if (n->kind == DNA_NODE_ATOM) {
        return n->left == left_out ? LEFT_OUT : dna_atom_holds(atoms, n->left, env);
    }
    enum value left = value_of(atoms, n->left, left_out, env);
    if (n->kind == DNA_NODE_NOT) {
        return left == LEFT_OUT ? LEFT_OUT : !left;
    }
    enum value right = value_of(atoms, n->right, left_out, env);
    if (left == LEFT_OUT || right == LEFT_OUT) {
        return left == LEFT_OUT ? right : left;
    }
    return n->kind == DNA_NODE_AND ? left && right : left || right;
}

bool dna_atoms_hold(const struct dna_atoms *atoms, size_t left_out, const struct dna_env *env)
{
    return value_of(atoms, atoms->root, left_out, env) != FALSE;
}
