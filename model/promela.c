/* SPDX-License-Identifier: MIT */
/*
 * promela.c -- prints the tables as Promela, for Spin.
 *
 * Nothing of what the compiler made of guards and updates is used: only their text, and the rows.
 * V, S, E and K are structs of the model too, hidden from Spin's state, filled before a step and
 * read after it.  A row stands on one line with its id, so that it can be found, and damaged.
 */
#include "model/promela.h"

#include "model/cell.h"
#include "model/check.h"
#include "model/source.h"

#include <ctype.h>
#include <string.h>

/* What is printed, and to whom faults are said. */
struct printer {
    const struct dna_machine *m;
    const char *source;
    FILE *out;
    dna_promela_say say;
    void *ctx;
    int faults;
};

/* Words that Promela keeps for itself; a field of that name gets a `_` behind it. */
static const char *const kept[] = {
    "active", "assert", "atomic", "bit", "bool", "break", "byte", "chan", "d_step", "do", "else",
    "empty", "enabled", "eval", "false", "fi", "for", "full", "get_priority", "goto", "hidden",
    "if", "in", "init", "inline", "int", "len", "local", "ltl", "mtype", "nempty", "never",
    "nfull", "notrace", "od", "of", "pc_value", "pid", "print", "printf", "printm", "priority",
    "proctype", "provided", "return", "run", "select", "set_priority", "short", "show", "skip",
    "timeout", "trace", "true", "typedef", "unless", "unsigned", "xr", "xs", "c_code", "c_decl",
    "c_expr", "c_state", "c_track",
};

static bool is_kept(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (strlen(kept[i]) == len && memcmp(kept[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

static const char *behind(const char *name)
{
    return is_kept(name, strlen(name)) ? "_" : "";
}

static void fault(struct printer *p, const char *keyword, const char *name, const char *what)
{
    p->faults++;
    p->say(p->ctx, p->m, dna_source_declared(p->source, keyword, name), what);
}

/* --- expressions --- */

/* Returns what keeps the expression from being said in Promela, or NULL. */
static const char *refused(const struct dna_machine *m, const char *expr, bool update)
{
    struct dna_places places = { .num = 0 };
    const char *why = dna_check_expression(expr, update);
    dna_places_add(&places, m, expr);
    if (!why && places.unknown) {
        return "names a field that nobody declared";
    }
    if (!why && strchr(expr, '-')) {
        return "subtracts: Promela would go below zero";
    }
    return why;
}

/* Prints the expression with its spaces made one and no line end in it. */
static void put_expression(FILE *out, const char *expr)
{
    for (const char *c = expr; *c; c++) {
        size_t len = 0;
        while (isalnum((unsigned char)c[len]) || c[len] == '_') {
            len++;
        }
        if (len) {
            bool field = c > expr && c[-1] == '.';
            fprintf(out, "%.*s%s", (int)len, c, field && is_kept(c, len) ? "_" : "");
            c += len - 1;
        } else {
            fputc(isspace((unsigned char)*c) ? ' ' : *c, out);
        }
    }
}

static void put_names(struct printer *p)
{
    const struct dna_machine *m = p->m;
    for (size_t i = 0; i < m->num_states; i++) {
        fprintf(p->out, "#define %s_S_%s %zu\n", m->name, m->states[i].name, i);
    }
    for (size_t i = 0; i < m->num_events; i++) {
        fprintf(p->out, "#define %s_E_%s %zu\n", m->name, m->events[i].name, i);
    }
    for (size_t i = 1; i < m->num_guards; i++) {
        const struct dna_guard *g = &m->guards[i];
        const char *why = refused(m, g->expr, false);
        fprintf(p->out, "#define %s_G_%s ( ", m->name, g->name);
        put_expression(p->out, g->expr);
        fputs(" )\n", p->out);
        if (why) {
            fault(p, "GUARD", g->name, why);
        }
    }
    for (size_t i = 1; i < m->num_dos; i++) {
        const struct dna_do *d = &m->dos[i];
        const char *why = d->expr ? refused(m, d->expr, true) : NULL;
        fprintf(p->out, "#define %s_O_%s ", m->name, d->name);
        if (d->kind == DNA_UPDATE) {
            put_expression(p->out, d->expr);
            fputc('\n', p->out);
        } else {
            fprintf(p->out, "DO( %zu )\n", i);
        }
        if (why) {
            fault(p, "UPDATE", d->name, why);
        }
    }
}

/* --- rows --- */

static void put_effects(const struct printer *p, size_t index)
{
    const struct dna_row *row = &p->m->rows[index];
    for (const uint8_t *o = row->dos; *o; o++) {
        fprintf(p->out, "%s_O_%s; ", p->m->name, p->m->dos[*o].name);
    }
    fprintf(p->out, "FIRES( %zu, %s_S_%s ) /* %s */\n", index, p->m->name,
            p->m->states[row->then].name, row->id);
}

/* The rows of one cell: an `if` within the `else` of the one before. */
static void put_cell(const struct printer *p, size_t state, size_t event)
{
    const struct dna_machine *m = p->m;
    const struct dna_row *before = NULL;
    unsigned depth = 0;
    bool open = true;
    for (size_t i = dna_row_next(m, state, event, 0); i < m->num_rows;
         i = dna_row_next(m, state, event, i + 1)) {
        const struct dna_row *row = &m->rows[i];
        if (before && dna_same_choice(before, row)) {
            fprintf(p->out, "            /* %s: also allowed, not taken */\n", row->id);
            continue;
        }
        if (!open) {
            break; /* a row behind `otherwise`, which check.c refuses */
        }
        before = row;
        open = row->kind != DNA_DEAD && row->when != 0;
        if (row->kind == DNA_DEAD) {
            fprintf(p->out, "            DEAD /* %s */\n", row->id);
        } else if (!open) {
            fputs("            ", p->out);
            put_effects(p, i);
        } else {
            fprintf(p->out, "            if :: %s_G_%s -> ", m->name, m->guards[row->when].name);
            put_effects(p, i);
            fputs("            :: else ->\n", p->out);
            depth++;
        }
    }
    fputs(open ? "            NOTHING\n" : "", p->out);
    if (depth) {
        fputs("           ", p->out);
        while (depth--) {
            fputs(" fi", p->out);
        }
        fputc('\n', p->out);
    }
}

static void put_state(const struct printer *p, size_t state)
{
    const struct dna_machine *m = p->m;
    fprintf(p->out, "    :: V.state == %s_S_%s ->\n", m->name, m->states[state].name);
    if (m->states[state].mark == DNA_FINAL) {
        fputs("        NOTHING /* final: takes no event */\n", p->out);
        return;
    }
    fputs("        if\n", p->out);
    for (size_t event = 0; event < m->num_events; event++) {
        fprintf(p->out, "        :: on == %s_E_%s ->\n", m->name, m->events[event].name);
        put_cell(p, state, event);
    }
    fputs("        fi\n", p->out);
}

/* --- what passes between the wiring and a step --- */

static void put_exchange(const struct dna_machine *m, FILE *out)
{
    fprintf(out, "inline %s_ask() {\n    c_code {\n        V.state = dna_spin_ask.v[0];\n",
            m->name);
    for (size_t i = 0; i < m->num_vars; i++) {
        fprintf(out, "        V.%s%s = dna_spin_ask.v[%zu];\n", m->vars[i].name,
                behind(m->vars[i].name), m->vars[i].offset / sizeof(uint32_t));
    }
    for (size_t i = 0; i < m->num_facts; i++) {
        fprintf(out, "        E.%s%s = dna_spin_ask.e[%zu];\n", m->facts[i].name,
                behind(m->facts[i].name), m->facts[i].offset / sizeof(uint32_t));
    }
    fprintf(out, "    }\n}\ninline %s_answer() {\n    c_code {\n", m->name);
    fputs("        dna_spin_ask.v[0] = V.state;\n", out);
    for (size_t i = 0; i < m->num_vars; i++) {
        fprintf(out, "        dna_spin_ask.v[%zu] = V.%s%s;\n",
                m->vars[i].offset / sizeof(uint32_t), m->vars[i].name, behind(m->vars[i].name));
    }
    fputs("    }\n}\n", out);
}

int dna_promela_machine(const struct dna_machine *machine, const char *source, FILE *out,
                        dna_promela_say say, void *ctx)
{
    struct printer p = { .m = machine, .source = source, .out = out, .say = say, .ctx = ctx };
    fprintf(out, "/* Made by model/promela.c from model/%s.def: %s. */\n", machine->name,
            machine->text);
    put_names(&p);
    fprintf(out, "inline %s_step() {\n    if\n", machine->name);
    for (size_t i = 0; i < machine->num_states; i++) {
        put_state(&p, i);
    }
    fputs("    fi\n}\n", out);
    put_exchange(machine, out);
    return fflush(out) == 0 && !ferror(out) ? p.faults : -1;
}

/* --- what all machines share --- */

static bool named_before(const struct dna_machine *const *machines, size_t m, size_t at, bool facts)
{
    const struct dna_field *field = facts ? &machines[m]->facts[at] : &machines[m]->vars[at];
    for (size_t i = 0; i <= m; i++) {
        const struct dna_field *fields = facts ? machines[i]->facts : machines[i]->vars;
        size_t num = facts ? machines[i]->num_facts : machines[i]->num_vars;
        for (size_t j = 0; j < (i == m ? at : num); j++) {
            if (strcmp(fields[j].name, field->name) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* One struct with the fields of all machines: an expression names only those of its own. */
static void put_struct(const struct dna_machine *const *machines, const char *type, bool facts,
                       FILE *out)
{
    fprintf(out, "typedef %s {\n    int %s", type, facts ? "none" : "state");
    for (size_t m = 0; machines[m]; m++) {
        size_t num = facts ? machines[m]->num_facts : machines[m]->num_vars;
        for (size_t i = 0; i < num; i++) {
            const char *name = facts ? machines[m]->facts[i].name : machines[m]->vars[i].name;
            if (!named_before(machines, m, i, facts)) {
                fprintf(out, ";\n    int %s%s", name, behind(name));
            }
        }
    }
    fputs("\n}\n", out);
}

static void put_stream(FILE *out)
{
    fputs("typedef of_stream {\n    int none", out);
    for (size_t i = 0; i < dna_num_stream_fields; i++) {
        const char *name = dna_stream_fields[i].name;
        fprintf(out, ";\n    int %s%s", name, behind(name));
    }
    fputs("\n}\ninline stream_ask() {\n    c_code {\n", out);
    for (size_t i = 0; i < dna_num_stream_fields; i++) {
        const char *name = dna_stream_fields[i].name;
        fprintf(out, "        S.%s%s = dna_spin_ask.s->%s;\n", name, behind(name), name);
    }
    fputs("    }\n}\ninline stream_answer() {\n    c_code {\n", out);
    for (size_t i = 0; i < dna_num_stream_fields; i++) {
        const char *name = dna_stream_fields[i].name;
        fprintf(out, "        dna_spin_ask.s->%s = S.%s%s;\n", name, name, behind(name));
    }
    fputs("    }\n}\n", out);
}

static void put_knobs(FILE *out)
{
    fputs("typedef of_knobs {\n    int none", out);
    for (int i = 0; i < DNA_NUM_KNOBS; i++) {
        const char *name = dna_knob((enum dna_knob_id)i)->name;
        fprintf(out, ";\n    int %s%s", name, behind(name));
    }
    fputs("\n}\ninline knobs_ask() {\n    c_code {\n", out);
    for (int i = 0; i < DNA_NUM_KNOBS; i++) {
        const char *name = dna_knob((enum dna_knob_id)i)->name;
        fprintf(out, "        K.%s%s = dna_spin_ask.k->%s;\n", name, behind(name), name);
    }
    fputs("    }\n}\n", out);
}

int dna_promela_words(const struct dna_machine *const *machines, FILE *out)
{
    fputs(
        "/* Made by model/promela.c: the structs that all expressions speak of.  They are hidden:\n"
        "   filled before a step, read after it, no part of a state. */\n",
        out);
    put_struct(machines, "of_instance", false, out);
    put_struct(machines, "of_event", true, out);
    put_stream(out);
    put_knobs(out);
    fprintf(out,
            "hidden of_instance V;\nhidden of_event E;\nhidden of_stream S;\nhidden of_knobs K;\n"
            "hidden int on, row, num_outs;\nhidden byte outs[%d];\n"
            "#define DO(out) outs[num_outs] = out; num_outs = num_outs + 1\n"
            "#define FIRES(number, to) row = number; V.state = to\n"
            "#define NOTHING row = %d\n"
            "#define DEAD row = DNA_SPIN_DEAD\n"
            "#define DNA_SPIN_DEAD %d\n",
            DNA_MAX_OUTS, DNA_NO_ROW, DNA_NO_ROW - 1);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

/* --- who takes the step --- */

/* Spin takes no more than so many statements into one d_step; more groups are only slower. */
enum { MOST_STATEMENTS = 900 };

/* About what Spin counts: tests of state, event and guard, effects, and the row. */
static size_t statements(const struct dna_machine *m)
{
    size_t num = 2 * m->num_states * (1 + m->num_events);
    for (size_t i = 0; i < m->num_rows; i++) {
        num += 4;
        for (const uint8_t *o = m->rows[i].dos; *o; o++) {
            num += 2;
        }
    }
    return num;
}

/* Returns the first machine behind `from` that no longer fits into its group. */
static size_t group_end(const struct dna_machine *const *machines, size_t from)
{
    size_t num = 0, end = from;
    while (machines[end] && (end == from || num + statements(machines[end]) <= MOST_STATEMENTS)) {
        num += statements(machines[end++]);
    }
    return end;
}

int dna_promela_tables(const struct dna_machine *const *machines, FILE *out)
{
    fputs("/* Made by model/promela.c: whoever is asked takes a step, until nobody is. */\n", out);
    for (size_t i = 0; machines[i]; i++) {
        fprintf(out, "#include \"%s.pml\"\n", machines[i]->name);
    }
    fputs("inline steps() {\n    do\n", out);
    for (size_t from = 0, end; machines[from]; from = end) {
        end = group_end(machines, from);
        fprintf(out,
                "    :: asked > %zu && asked <= %zu ->\n        d_step {\n            skip;\n"
                "            do\n",
                from, end);
        for (size_t i = from; i < end; i++) {
            const char *name = machines[i]->name;
            fprintf(
                out,
                "            :: asked == %zu -> step_begins(); %s_ask(); %s_step(); %s_answer(); "
                "step_ends()\n",
                i + 1, name, name, name);
        }
        fputs("            :: else -> break\n            od;\n            skip\n        }\n", out);
    }
    fputs("    :: asked == 0 -> break\n    od\n}\n", out);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
