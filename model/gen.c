/* SPDX-License-Identifier: MIT */
/*
 * gen.c -- prints the step function of a machine as C.
 *
 * One static function a state, one case an event, the rows of a cell in the order of the table; the
 * first whose guard holds returns.  Of a CHOICE the reference takes the first alternative.
 */
#include "model/gen.h"

#include "model/cell.h"
#include "model/source.h"

#include <ctype.h>
#include <string.h>

enum { WIDTH = 100 };

/* What is printed, and where to. */
struct printer {
    const struct dna_machine *m;
    const char *source;
    FILE *out;
};

/* What a piece of generated code mentions, for the parameters it does not use must be voided. */
struct mentions {
    bool v, s, e, k;
};

static void mention(struct mentions *seen, const char *expr)
{
    for (size_t i = 0; expr && expr[i]; i++) {
        seen->v |= dna_names_field(expr, i, 'V');
        seen->s |= dna_names_field(expr, i, 'S');
        seen->e |= dna_names_field(expr, i, 'E');
        seen->k |= dna_names_field(expr, i, 'K');
    }
}

/* Writes the expression as C: V. becomes m->, the others likewise, and "( x )" becomes "(x)". */
static void to_c(const char *expr, char *out, size_t size)
{
    static const struct {
        char letter, parameter;
    } structs[] = { { 'V', 'm' }, { 'S', 's' }, { 'E', 'e' }, { 'K', 'k' } };
    size_t n = 0;
    for (size_t i = 0; expr[i] && n + 4 < size; i++) {
        bool replaced = false;
        for (size_t j = 0; j < sizeof structs / sizeof structs[0]; j++) {
            if (dna_names_field(expr, i, structs[j].letter)) {
                out[n++] = structs[j].parameter;
                out[n++] = '-';
                out[n++] = '>';
                i++;
                replaced = true;
                break;
            }
        }
        bool loose = expr[i] == ' ' && ((i > 0 && expr[i - 1] == '(') || expr[i + 1] == ')');
        if (!replaced && !loose) {
            out[n++] = expr[i];
        }
    }
    out[n] = '\0';
}

/* Prints head, text and tail, broken after the last operator that fits; continued lines stand under
   the first character of the text. */
static void put_broken(FILE *out, int indent, const char *head, const char *text, const char *tail)
{
    int column = indent + (int)strlen(head);
    fprintf(out, "%*s%s", indent, "", head);
    while (column + (int)strlen(text) + (int)strlen(tail) > WIDTH) {
        const char *cut = NULL;
        for (const char *p = text; *p && column + (p - text) + 2 < WIDTH; p++) {
            if ((p[0] == '&' && p[1] == '&') || (p[0] == '|' && p[1] == '|')) {
                cut = p + 2;
            }
        }
        if (!cut || !*cut) {
            break;
        }
        fprintf(out, "%.*s\n%*s", (int)(cut - text), text, column, "");
        text = *cut == ' ' ? cut + 1 : cut;
    }
    fprintf(out, "%s%s\n", text, tail);
}

static void put_signature(FILE *out, const char *head, const char *machine)
{
    char parameters[6][96];
    snprintf(parameters[0], sizeof parameters[0], "struct %s *m,", machine);
    snprintf(parameters[1], sizeof parameters[1], "enum %s_event on,", machine);
    snprintf(parameters[2], sizeof parameters[2], "const struct %s_facts *e,", machine);
    snprintf(parameters[3], sizeof parameters[3], "struct dna_stream_vars *s,");
    snprintf(parameters[4], sizeof parameters[4], "const struct dna_knobs *k,");
    snprintf(parameters[5], sizeof parameters[5], "struct dna_effects *fx)");
    int start = (int)strlen(head), column = start;
    fputs(head, out);
    for (size_t i = 0; i < 6; i++) {
        int len = (int)strlen(parameters[i]);
        if (column != start && column + 1 + len > WIDTH) {
            fprintf(out, "\n%*s", start, "");
            column = start;
        } else if (column != start) {
            fputc(' ', out);
            column++;
        }
        fputs(parameters[i], out);
        column += len;
    }
    fputs("\n{\n", out);
}

static void put_effects(const struct dna_machine *m, size_t index, int indent, FILE *out)
{
    const struct dna_row *row = &m->rows[index];
    for (const uint8_t *o = row->dos; *o; o++) {
        const struct dna_do *action = &m->dos[*o];
        if (action->kind == DNA_UPDATE) {
            char text[512];
            to_c(action->expr, text, sizeof text);
            put_broken(out, indent, "", text, ";");
        } else {
            fprintf(out, "%*sdna_effects_out(fx, %s_O_%s);\n", indent, "", m->name, action->name);
        }
    }
    if (row->then != row->in) {
        fprintf(out, "%*sm->state = %s_S_%s;\n", indent, "", m->name, m->states[row->then].name);
    }
    fprintf(out, "%*sdna_effects_end(fx, %zu, %s_S_%s);\n", indent, "", index, m->name,
            m->states[row->then].name);
    fprintf(out, "%*sreturn;\n", indent, "");
}

/* Returns whether a row behind this one can still be reached. */
static bool put_row(const struct printer *p, size_t index)
{
    const struct dna_machine *m = p->m;
    FILE *out = p->out;
    const struct dna_row *row = &m->rows[index];
    fprintf(out, "        /* %s.def:%u %s */\n", m->name, dna_source_row(p->source, m, row),
            row->id);
    if (row->when == 0) {
        put_effects(m, index, 8, out);
        return false;
    }
    char guard[512];
    to_c(m->guards[row->when].expr, guard, sizeof guard);
    put_broken(out, 8, "if (", guard, ") {");
    put_effects(m, index, 12, out);
    fputs("        }\n", out);
    return true;
}

static void put_cell(const struct printer *p, size_t state, size_t event)
{
    const struct dna_machine *m = p->m;
    FILE *out = p->out;
    const char *choice = NULL;
    bool open = true;
    fprintf(out, "    case %s_E_%s:\n", m->name, m->events[event].name);
    for (size_t i = 0; i < m->num_rows; i++) {
        const struct dna_row *row = &m->rows[i];
        if (row->in != state || row->on != event) {
            continue;
        }
        if (row->kind == DNA_CHOICE && choice && strcmp(choice, row->choice) == 0) {
            fprintf(out, "        /* %s.def:%u %s: also allowed, not taken */\n", m->name,
                    dna_source_row(p->source, m, row), row->id);
            continue;
        }
        choice = row->choice;
        if (open) {
            open = put_row(p, i);
        }
    }
    if (open) {
        fputs("        break;\n", out); /* an unfinished cell, which check.c refuses */
    }
}

/* A cell that our own code can't reach; returns its row or NULL. */
static const struct dna_row *dead_row(const struct dna_machine *m, size_t state, size_t event)
{
    for (size_t i = 0; i < m->num_rows; i++) {
        if (m->rows[i].kind == DNA_DEAD && m->rows[i].in == state && m->rows[i].on == event) {
            return &m->rows[i];
        }
    }
    return NULL;
}

static void put_dead_cells(const struct printer *p, size_t state)
{
    const struct dna_machine *m = p->m;
    FILE *out = p->out;
    bool any = false;
    for (size_t event = 0; event < m->num_events; event++) {
        const struct dna_row *row = dead_row(m, state, event);
        if (row) {
            fprintf(out, "    case %s_E_%s: /* %s.def:%u */\n", m->name, m->events[event].name,
                    m->name, dna_source_row(p->source, m, row));
            any = true;
        }
    }
    if (any) {
        fprintf(out, "        assert(false && \"never raised in %s\");\n        break;\n",
                m->states[state].name);
    }
}

static struct mentions state_mentions(const struct dna_machine *m, size_t state)
{
    struct mentions seen = { false, false, false, false };
    for (size_t i = 0; i < m->num_rows; i++) {
        const struct dna_row *row = &m->rows[i];
        if (row->in != state || row->kind == DNA_DEAD) {
            continue;
        }
        /* an alternative that is not printed has the same guard, but its own updates */
        bool printed = true;
        for (size_t j = 0; j < i && row->kind == DNA_CHOICE; j++) {
            const struct dna_row *other = &m->rows[j];
            printed &= !(other->kind == DNA_CHOICE && other->in == row->in &&
                         other->on == row->on && strcmp(other->choice, row->choice) == 0);
        }
        if (!printed) {
            continue;
        }
        mention(&seen, m->guards[row->when].expr);
        seen.v |= row->then != row->in;
        for (const uint8_t *o = row->dos; *o; o++) {
            mention(&seen, m->dos[*o].expr);
        }
    }
    return seen;
}

static void state_function(const struct dna_machine *m, size_t state, char *name, size_t size)
{
    snprintf(name, size, "%s_in_%s", m->name, m->states[state].name);
    for (char *p = name; *p; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
}

static void put_state(const struct printer *p, size_t state)
{
    const struct dna_machine *m = p->m;
    FILE *out = p->out;
    char name[128], head[160];
    struct mentions seen = state_mentions(m, state);
    state_function(m, state, name, sizeof name);
    snprintf(head, sizeof head, "static void %s(", name);
    fprintf(out, "/* %s: %s */\n", m->states[state].name, m->states[state].text);
    put_signature(out, head, m->name);
    fprintf(out, "%s%s%s%s", seen.v ? "" : "    (void)m;\n", seen.s ? "" : "    (void)s;\n",
            seen.e ? "" : "    (void)e;\n", seen.k ? "" : "    (void)k;\n");
    fputs("    switch (on) {\n", out);
    for (size_t event = 0; event < m->num_events; event++) {
        if (!dead_row(m, state, event)) {
            put_cell(p, state, event);
        }
    }
    put_dead_cells(p, state);
    fprintf(out, "    case %s_E_MAX:\n        break;\n    }\n}\n\n", m->name);
}

static void put_step(const struct dna_machine *m, FILE *out)
{
    char head[160], name[128];
    snprintf(head, sizeof head, "void dna_%s_step(", m->name);
    put_signature(out, head, m->name);
    fprintf(out, "    dna_effects_begin(fx, &dna_machine_%s, m->state, on);\n", m->name);
    fprintf(out, "    switch ((enum %s_state)m->state) {\n", m->name);
    for (size_t i = 0; i < m->num_states; i++) {
        fprintf(out, "    case %s_S_%s:\n", m->name, m->states[i].name);
        if (m->states[i].mark == DNA_FINAL) {
            fputs("        break; /* final: takes no event */\n", out);
        } else {
            state_function(m, i, name, sizeof name);
            fprintf(out, "        %s(m, on, e, s, k, fx);\n        break;\n", name);
        }
    }
    fprintf(out, "    case %s_S_MAX:\n        break;\n    }\n}\n", m->name);
}

int dna_gen_step(const struct dna_machine *machine, const char *source, const char *sha256,
                 FILE *out)
{
    const struct printer printer = { machine, source, out };
    bool dead = false;
    for (size_t i = 0; i < machine->num_rows; i++) {
        dead |= machine->rows[i].kind == DNA_DEAD;
    }
    fputs("/* SPDX-License-Identifier: MIT */\n", out);
    fprintf(out,
            "/* GENERATED by model/gen.c from model/%s.def (sha256\n"
            "   %s) - do not edit; run make gen. */\n",
            machine->name, sha256);
    fprintf(out, "/* %s */\n#include \"model/machines.h\"\n%s\n", machine->text,
            dead ? "\n#include <assert.h>\n" : "");
    for (size_t i = 0; i < machine->num_states; i++) {
        if (machine->states[i].mark != DNA_FINAL) {
            put_state(&printer, i);
        }
    }
    put_step(machine, out);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
