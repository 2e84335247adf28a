/* SPDX-License-Identifier: MIT */
/* docs.c -- a table as a page to read, and the list of its mutants. */
#include "model/docs.h"

#include "model/prooftypes.h"

#include "model/cell.h"

#include <ctype.h>
#include <string.h>

/* A cell of a Markdown table: "|" ends one, also inside code. */
static void put_code(FILE *out, const char *text)
{
    fputc('`', out);
    for (const char *p = text; *p; p++) {
        fputs(*p == '|' ? "\\|" : (char[]){ *p, '\0' }, out);
    }
    fputc('`', out);
}

static bool leads(const struct dna_machine *m, size_t row, size_t from, size_t to)
{
    const struct dna_row *r = &m->rows[row];
    return (r->kind == DNA_ROW || r->kind == DNA_CHOICE) && r->in == from && r->then == to;
}

static void put_edge(const struct dna_machine *m, size_t from, size_t to, FILE *out)
{
    bool any = false;
    for (size_t event = 0; event < m->num_events; event++) {
        for (size_t row = 0; row < m->num_rows; row++) {
            if (m->rows[row].on == event && leads(m, row, from, to)) {
                if (any) {
                    fprintf(out, "<br/>%s", m->events[event].name);
                } else {
                    fprintf(out, "    %s --> %s: %s", m->states[from].name, m->states[to].name,
                            m->events[event].name);
                }
                any = true;
                break;
            }
        }
    }
    fputs(any ? "\n" : "", out);
}

static void put_diagram(const struct dna_machine *m, FILE *out)
{
    fputs("```mermaid\nstateDiagram-v2\n", out);
    for (size_t from = 0; from < m->num_states; from++) {
        if (m->states[from].mark == DNA_START) {
            fprintf(out, "    [*] --> %s\n", m->states[from].name);
        }
        for (size_t to = 0; to < m->num_states; to++) {
            if (to != from) {
                put_edge(m, from, to, out);
            }
        }
        if (m->states[from].mark == DNA_FINAL) {
            fprintf(out, "    %s --> [*]\n", m->states[from].name);
        }
    }
    fputs("```\n", out);
}

static void put_vocabulary(const struct dna_machine *m, FILE *out)
{
    static const char *const marks[] = { "start", "", "final" };
    static const char *const origins[] = { "peer", "own", "timer" };
    static const char *const kinds[] = { "on this stream", "elsewhere", "internal", "" };
    fputs("\n## States\n\n| state | | |\n|---|---|---|\n", out);
    for (size_t i = 0; i < m->num_states; i++) {
        fprintf(out, "| %s | %s | %s |\n", m->states[i].name, marks[m->states[i].mark],
                m->states[i].text);
    }
    fputs("\n## Events\n\n| event | raised by | |\n|---|---|---|\n", out);
    for (size_t i = 0; i < m->num_events; i++) {
        fprintf(out, "| %s | %s | %s |\n", m->events[i].name, origins[m->events[i].origin],
                m->events[i].text);
    }
    fputs("\n## Facts and variables\n\n| name | values | |\n|---|---|---|\n", out);
    for (size_t i = 0; i < m->num_facts; i++) {
        fprintf(out, "| E.%s | 0-%u | %s |\n", m->facts[i].name, m->facts[i].max, m->facts[i].text);
    }
    for (size_t i = 0; i < m->num_vars; i++) {
        fprintf(out, "| V.%s | 0-%u | %s |\n", m->vars[i].name, m->vars[i].max, m->vars[i].text);
    }
    fputs("\n## Guards\n\n| guard | holds if | that is |\n|---|---|---|\n", out);
    for (size_t i = 1; i < m->num_guards; i++) {
        fprintf(out, "| %s | ", m->guards[i].name);
        put_code(out, m->guards[i].expr);
        fprintf(out, " | %s |\n", m->guards[i].text);
    }
    fputs("\n## Outputs and updates\n\n| name | where | |\n|---|---|---|\n", out);
    for (size_t i = 1; i < m->num_dos; i++) {
        fprintf(out, "| %s | ", m->dos[i].name);
        if (m->dos[i].kind == DNA_UPDATE) {
            put_code(out, m->dos[i].expr);
        } else {
            fputs(kinds[m->dos[i].kind], out);
        }
        fprintf(out, " | %s |\n", m->dos[i].text);
    }
}

static void put_row(const struct dna_machine *m, const struct dna_row *row, FILE *out)
{
    fprintf(out, "| %s | %s | ", row->id, m->events[row->on].name);
    if (row->kind == DNA_IGNORE) {
        fputs("| *ignored* ", out);
    } else {
        fprintf(out, "%s%s | ", m->guards[row->when].name,
                row->kind == DNA_CHOICE ? " (choice)" : "");
        for (const uint8_t *o = row->dos; *o; o++) {
            fprintf(out, "%s%s", o == row->dos ? "" : ", ", m->dos[*o].name);
        }
    }
    fprintf(out, " | %s | ", row->then == row->in ? "" : m->states[row->then].name);
    for (const uint16_t *b = row->because; *b != DNA_REQ_END; b++) {
        fprintf(out, "%s%s", b == row->because ? "" : " ", dna_requirement((enum dna_req) * b)->id);
    }
    fputs(" |\n", out);
}

static void put_rows(const struct dna_machine *m, FILE *out)
{
    for (size_t state = 0; state < m->num_states; state++) {
        const char *never = "Never raised here by our own code: ";
        if (m->states[state].mark == DNA_FINAL) {
            continue;
        }
        fprintf(
            out,
            "\n## In %s\n\n| row | on | when | do | then | because |\n|---|---|---|---|---|---|\n",
            m->states[state].name);
        for (size_t event = 0; event < m->num_events; event++) {
            for (size_t i = dna_row_next(m, state, event, 0); i < m->num_rows;
                 i = dna_row_next(m, state, event, i + 1)) {
                if (m->rows[i].kind != DNA_DEAD) {
                    put_row(m, &m->rows[i], out);
                }
            }
        }
        fputc('\n', out);
        for (size_t i = 0; i < m->num_rows; i++) {
            if (m->rows[i].in == state && m->rows[i].kind == DNA_DEAD) {
                fprintf(out, "%s%s", never, m->events[m->rows[i].on].name);
                never = ", ";
            }
        }
        fputs(never[0] == ',' ? ".\n" : "", out);
    }
}

static void put_requirements(const struct dna_machine *m, FILE *out)
{
    fputs("\n## What the rows cite\n\n| requirement | where | level | |\n|---|---|---|---|\n", out);
    for (int id = 0; id < DNA_NUM_REQUIREMENTS; id++) {
        bool cited = false;
        for (size_t i = 0; i < m->num_rows; i++) {
            for (const uint16_t *b = m->rows[i].because; *b != DNA_REQ_END; b++) {
                cited |= *b == id;
            }
        }
        const struct dna_requirement *r = dna_requirement((enum dna_req)id);
        if (cited) {
            fprintf(out, "| %s | %s %s | %s | %s |\n", r->id, r->document, r->section,
                    dna_level_name(r->level), r->text);
        }
    }
}

/* The definition of a prooftype by the four points of RFC 7712 7; nothing for other machines. */
static void put_prooftype(const struct dna_machine *m, FILE *out)
{
    for (size_t i = 0; i < DNA_NUM_PROOFTYPES; i++) {
        const struct dna_prooftype_text *p = &dna_prooftypes[i];
        if (p->machine != m) {
            continue;
        }
        fprintf(out, "A prooftype, by RFC 7712 section 7:\n\n| | |\n|---|---|\n"
                     "| nature of the server's proof | %s |\n| matching rules | %s |\n"
                     "| source of the verification material | %s |\n| secure DNS | %s |\n"
                     "| beside other prooftypes | %s |\n\n",
                p->nature, p->rules, p->source, p->secure_dns ? "necessary" : "not necessary",
                p->weight == DNA_DECIDES ? "decides alone where it has material (decision A18)"
                                         : "additive: one that holds is enough");
    }
}

int dna_docs_page(const struct dna_machine *machine, const char *sha256, FILE *out)
{
    fprintf(
        out,
        "<!-- GENERATED by model/docs.c from model/%s.def (sha256\n     %s) - do not edit. -->\n",
        machine->name, sha256);
    fprintf(out, "# %s\n\n%c%s. Rows of one event are tried in their order.\n\n", machine->name,
            toupper((unsigned char)machine->text[0]), machine->text + 1);
    put_prooftype(machine, out);
    put_diagram(machine, out);
    put_vocabulary(machine, out);
    put_rows(machine, out);
    put_requirements(machine, out);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

static bool first_of_choice(const struct dna_machine *m, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (dna_same_choice(&m->rows[i], &m->rows[index])) {
            return false;
        }
    }
    return true;
}

int dna_docs_mutants(const struct dna_machine *machine, FILE *out)
{
    for (size_t i = 0; i < machine->num_rows; i++) {
        const struct dna_row *row = &machine->rows[i];
        if (row->kind == DNA_DEAD) {
            continue;
        }
        if (row->kind == DNA_CHOICE && !first_of_choice(machine, i)) {
            fprintf(out, "%s:choice\n",
                    row->id); /* its other mutants show only together with this */
            continue;
        }
        if (row->kind != DNA_IGNORE) { /* without its row a cell does nothing, too */
            fprintf(out, "%s:drop\n", row->id);
        }
        if (row->when != 0) {
            fprintf(out, "%s:true\n%s:not\n", row->id, row->id);
        }
        for (const uint8_t *o = row->dos; *o; o++) {
            fprintf(out, "%s:nodo=%s\n", row->id, machine->dos[*o].name);
        }
        if (row->then != row->in) {
            fprintf(out, "%s:to=%s\n", row->id, machine->states[row->in].name);
        }
    }
    return ferror(out) ? -1 : 0;
}
