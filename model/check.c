/* SPDX-License-Identifier: MIT */
/*
 * check.c -- what the compiler can't see in one table: holes, shadows, things declared in vain.
 */
#include "model/check.h"

#include "model/cell.h"
#include "model/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_STATES = 12 };

/* Above this many valuations of one cell a guard is not judged, and that is a fault of its own. */
static const uint64_t max_valuations = 1u << 24;

void dna_check_fault(struct dna_checker *checker, unsigned line, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    checker->num_faults++;
    checker->say(checker->ctx, line, text);
}

static unsigned row_line(const struct dna_checker *c, size_t row)
{
    return dna_source_row(c->source, c->machine, &c->machine->rows[row]);
}

static unsigned state_line(const struct dna_checker *c, size_t state)
{
    return dna_source_declared(c->source, "STATE", c->machine->states[state].name);
}

static void check_states(struct dna_checker *c)
{
    const struct dna_machine *m = c->machine;
    size_t starts = 0;
    for (size_t i = 0; i < m->num_states; i++) {
        starts += m->states[i].mark == DNA_START;
        if (m->states[i].mark == DNA_START && starts > 1) {
            dna_check_fault(c, state_line(c, i), "%s is a second start state", m->states[i].name);
        }
        if (i == MAX_STATES) {
            dna_check_fault(c, state_line(c, i), "more than %d states: split the machine",
                            MAX_STATES);
        }
    }
    if (starts == 0) {
        dna_check_fault(c, 0, "no start state");
    }
}

static void check_row(struct dna_checker *c, size_t index)
{
    const struct dna_machine *m = c->machine;
    const struct dna_row *row = &m->rows[index];
    size_t outs = 0, updates = 0;
    if (m->states[row->in].mark == DNA_FINAL) {
        dna_check_fault(c, row_line(c, index), "row %s in %s, which is final", row->id,
                        m->states[row->in].name);
    }
    if (row->kind != DNA_DEAD && row->because[0] == DNA_REQ_END) {
        dna_check_fault(c, row_line(c, index), "row %s cites nothing", row->id);
    }
    for (const uint8_t *o = row->dos; *o; o++) {
        *(m->dos[*o].kind == DNA_UPDATE ? &updates : &outs) += 1;
        for (const uint8_t *before = row->dos; before < o; before++) {
            if (*before == *o) {
                dna_check_fault(c, row_line(c, index), "row %s does %s twice", row->id,
                                m->dos[*o].name);
            }
        }
    }
    if (outs > DNA_MAX_OUTS) {
        dna_check_fault(c, row_line(c, index), "row %s has %zu outputs, more than %d", row->id,
                        outs, DNA_MAX_OUTS);
    }
    for (size_t other = 0; other < index; other++) {
        if (strcmp(m->rows[other].id, row->id) == 0) {
            dna_check_fault(c, row_line(c, index), "row id %s is used twice", row->id);
        }
    }
}

/* Counts the alternatives of a CHOICE at its first row, and refuses rows that do not belong. */
static void check_choice(struct dna_checker *c, size_t index)
{
    const struct dna_machine *m = c->machine;
    const struct dna_row *row = &m->rows[index];
    size_t members = 0, first = m->num_rows;
    for (size_t i = 0; i < m->num_rows; i++) {
        const struct dna_row *other = &m->rows[i];
        if (other->kind == DNA_CHOICE && strcmp(other->choice, row->choice) == 0) {
            members++;
            first = first < i ? first : i;
        }
    }
    const struct dna_row *head = &m->rows[first];
    if (first == index) {
        c->counts.choices++;
        if (members == 1) {
            dna_check_fault(c, row_line(c, index), "choice %s has only one alternative, %s",
                            row->choice, row->id);
        }
    } else if (row->in != head->in || row->on != head->on || row->when != head->when) {
        dna_check_fault(c, row_line(c, index),
                        "choice %s: %s and %s differ in state, event or guard", row->choice,
                        head->id, row->id);
    } else if (m->rows[index - 1].kind != DNA_CHOICE ||
               !dna_same_choice(&m->rows[index - 1], row)) {
        dna_check_fault(c, row_line(c, index), "choice %s: %s stands apart from the others",
                        row->choice, row->id);
    }
}

/* Judges whether a row is ever the first of its cell whose guard holds. */
static void check_shadow(struct dna_checker *c, size_t index)
{
    const struct dna_machine *m = c->machine;
    const struct dna_row *row = &m->rows[index];
    struct dna_places places = { .num = 0 };
    struct dna_world world;
    dna_world_init(&world, m);
    for (size_t i = dna_row_next(m, row->in, row->on, 0); i <= index;
         i = dna_row_next(m, row->in, row->on, i + 1)) {
        dna_places_add(&places, m, m->guards[m->rows[i].when].expr);
    }
    if (places.overflow || dna_places_count(&places) > max_valuations) {
        dna_check_fault(c, row_line(c, index), "row %s: too many values to try", row->id);
        return;
    }
    struct dna_env env = dna_world_env(&world);
    dna_places_first(&places, &world);
    do {
        size_t i = dna_row_next(m, row->in, row->on, 0);
        while (i < index &&
               (dna_same_choice(&m->rows[i], row) || !dna_guard_holds(m, m->rows[i].when, &env))) {
            i = dna_row_next(m, row->in, row->on, i + 1);
        }
        if (i == index && dna_guard_holds(m, row->when, &env)) {
            return;
        }
    } while (dna_places_next(&places, &world));
    dna_check_fault(c, row_line(c, index), "row %s never fires: the rows before it take every case",
                    row->id);
}

static void check_cell_rows(struct dna_checker *c, size_t state, size_t event, size_t first)
{
    const struct dna_machine *m = c->machine;
    size_t last = first;
    const struct dna_row *closed = NULL; /* the `otherwise` seen */
    for (size_t i = first; i < m->num_rows; i = dna_row_next(m, state, event, i + 1)) {
        const struct dna_row *row = &m->rows[i];
        if (closed && !dna_same_choice(closed, row)) {
            dna_check_fault(c, row_line(c, i), "row %s stands behind the otherwise of %s", row->id,
                            closed->id);
        } else {
            bool twice = false;
            for (size_t j = first; j < i; j = dna_row_next(m, state, event, j + 1)) {
                if (m->rows[j].when == row->when && !dna_same_choice(&m->rows[j], row)) {
                    dna_check_fault(c, row_line(c, i), "row %s has the guard of %s", row->id,
                                    m->rows[j].id);
                    twice = true;
                }
            }
            if (!twice) {
                check_shadow(c, i);
            }
        }
        closed = closed ? closed : row->when == 0 ? row : NULL;
        last = i;
    }
    if (!closed) {
        dna_check_fault(c, row_line(c, last), "%s %s does not end in otherwise",
                        m->states[state].name, m->events[event].name);
    }
}

static void check_cell(struct dna_checker *c, size_t state, size_t event)
{
    const struct dna_machine *m = c->machine;
    size_t first = dna_row_next(m, state, event, 0);
    c->counts.cells++;
    if (first == m->num_rows) {
        dna_check_fault(c, state_line(c, state), "no row for %s %s", m->states[state].name,
                        m->events[event].name);
        return;
    }
    if (m->rows[first].kind == DNA_IGNORE) {
        c->counts.ignored++;
    } else if (m->rows[first].kind == DNA_DEAD) {
        c->counts.dead++;
        c->counts.dead_of_peers += m->events[event].origin == DNA_PEER;
    }
    check_cell_rows(c, state, event, first);
}

static void check_expressions(struct dna_checker *c)
{
    const struct dna_machine *m = c->machine;
    for (size_t i = 1; i < m->num_guards; i++) {
        const char *wrong = dna_check_expression(m->guards[i].expr, false);
        if (wrong) {
            dna_check_fault(c, dna_source_declared(c->source, "GUARD", m->guards[i].name),
                            "guard %s: %s", m->guards[i].name, wrong);
        }
    }
    for (size_t i = 1; i < m->num_dos; i++) {
        const char *wrong = m->dos[i].expr ? dna_check_expression(m->dos[i].expr, true) : NULL;
        if (wrong) {
            dna_check_fault(c, dna_source_declared(c->source, "UPDATE", m->dos[i].name),
                            "update %s: %s", m->dos[i].name, wrong);
        }
    }
}

/* A guard that nothing can make false (or true) says nothing. */
static void check_guard(struct dna_checker *c, size_t index)
{
    const struct dna_machine *m = c->machine;
    const struct dna_guard *guard = &m->guards[index];
    unsigned line = dna_source_declared(c->source, "GUARD", guard->name);
    struct dna_places places = { .num = 0 };
    struct dna_world world;
    bool holds = false, fails = false;
    dna_places_add(&places, m, guard->expr);
    dna_world_init(&world, m);
    dna_places_first(&places, &world);
    if (places.unknown || places.overflow || dna_places_count(&places) > max_valuations) {
        dna_check_fault(c, line, "guard %s: too many values to try, or an unknown field",
                        guard->name);
        return;
    }
    struct dna_env env = dna_world_env(&world);
    do {
        *(guard->holds(&env) ? &holds : &fails) = true;
    } while (!(holds && fails) && dna_places_next(&places, &world));
    if (!holds || !fails) {
        dna_check_fault(c, line, "guard %s %s holds", guard->name, holds ? "always" : "never");
    }
}

static void check_guards(struct dna_checker *c)
{
    const struct dna_machine *m = c->machine;
    for (size_t i = 1; i < m->num_guards; i++) {
        bool used = false;
        for (size_t row = 0; row < m->num_rows; row++) {
            used |= m->rows[row].when == i;
        }
        if (!used) {
            dna_check_fault(c, dna_source_declared(c->source, "GUARD", m->guards[i].name),
                            "guard %s is used by no row", m->guards[i].name);
        }
        check_guard(c, i);
    }
}

static void check_dos(struct dna_checker *c)
{
    const struct dna_machine *m = c->machine;
    for (size_t i = 1; i < m->num_dos; i++) {
        const struct dna_do *action = &m->dos[i];
        bool update = action->kind == DNA_UPDATE, used = false;
        unsigned line = dna_source_declared(c->source, update ? "UPDATE" : "OUT", action->name);
        for (size_t row = 0; row < m->num_rows; row++) {
            used |= strchr((const char *)m->rows[row].dos, (int)i) != NULL;
        }
        if (!used) {
            dna_check_fault(c, line, "%s %s is done by no row", update ? "update" : "output",
                            action->name);
        }
    }
}

/* Says whether the expression is an update of the field. */
static bool assigns(const char *expr, char letter, const char *name)
{
    size_t len = strlen(name);
    if (!expr || !dna_names_field(expr, 0, letter) || strncmp(expr + 2, name, len) != 0) {
        return false;
    }
    expr += 2 + len;
    expr += strspn(expr, " ");
    return expr[0] == '=' && expr[1] != '=';
}

/* Says whether the machine reads the field: in a guard, or on the right side of an update that
   changes another one (x = x + 1 alone makes nothing depend on x). */
static bool reads(const struct dna_machine *m, char letter, const char *name)
{
    for (size_t i = 1; i < m->num_guards + m->num_dos; i++) {
        const char *expr = i < m->num_guards ? m->guards[i].expr : m->dos[i - m->num_guards].expr;
        struct dna_places places = { .num = 0 };
        if (i >= m->num_guards && expr) {
            if (assigns(expr, letter, name)) {
                continue;
            }
            expr = strchr(expr, '=');
        }
        dna_places_add(&places, m, expr);
        for (size_t j = 0; j < places.num; j++) {
            if (places.at[j].letter == letter && strcmp(places.at[j].name, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool writes(const struct dna_machine *m, char letter, const char *name)
{
    for (size_t i = 1; i < m->num_dos; i++) {
        if (assigns(m->dos[i].expr, letter, name)) {
            return true;
        }
    }
    return false;
}

static void check_fields(struct dna_checker *c)
{
    const struct dna_machine *m = c->machine;
    for (size_t i = 0; i < m->num_facts; i++) {
        if (!reads(m, 'E', m->facts[i].name)) {
            dna_check_fault(c, dna_source_declared(c->source, "FACT", m->facts[i].name),
                            "fact %s is read by nothing", m->facts[i].name);
        }
    }
    for (size_t i = 0; i < m->num_vars; i++) {
        const struct dna_field *var = &m->vars[i];
        unsigned line = dna_source_declared(c->source, "VAR", var->name);
        if (!reads(m, 'V', var->name)) {
            dna_check_fault(c, line, "variable %s is read by nothing", var->name);
        }
        if (!writes(m, 'V', var->name)) {
            dna_check_fault(c, line, "variable %s is written by nothing", var->name);
        }
        if (var->initial > var->max) {
            dna_check_fault(c, line, "variable %s begins above its bound", var->name);
        }
    }
}

/* An event that no state meets is declared in vain; one of our own, also if all states ignore it.
 */
static void check_events(struct dna_checker *c)
{
    const struct dna_machine *m = c->machine;
    for (size_t event = 0; event < m->num_events; event++) {
        bool used = false;
        for (size_t i = 0; i < m->num_rows; i++) {
            enum dna_row_kind kind = m->rows[i].kind;
            used |= m->rows[i].on == event &&
                    (kind == DNA_ROW || kind == DNA_CHOICE ||
                     (kind == DNA_IGNORE && m->events[event].origin == DNA_PEER));
        }
        if (!used) {
            dna_check_fault(c, dna_source_declared(c->source, "EVENT", m->events[event].name),
                            "event %s is met by no row", m->events[event].name);
        }
    }
}

size_t dna_check_machine(struct dna_checker *checker)
{
    const struct dna_machine *m = checker->machine;
    check_expressions(checker);
    if (checker->num_faults > 0) {
        return checker->num_faults; /* a guard that changes something can't be tried out */
    }
    check_states(checker);
    check_events(checker);
    check_fields(checker);
    check_guards(checker);
    check_dos(checker);
    size_t before = checker->num_faults;
    for (size_t i = 0; i < m->num_rows; i++) {
        check_row(checker, i);
        if (m->rows[i].kind == DNA_CHOICE) {
            check_choice(checker, i);
        }
    }
    for (size_t state = 0; state < m->num_states; state++) {
        for (size_t event = 0; event < m->num_events && m->states[state].mark != DNA_FINAL;
             event++) {
            check_cell(checker, state, event);
        }
    }
    if (checker->num_faults == before) { /* else its complaints would only repeat those of rows */
        dna_check_reachability(checker);
    }
    return checker->num_faults;
}

static void check_id_elsewhere(struct dna_checker *c, const struct dna_machine *const *machines,
                               size_t index, size_t row)
{
    const struct dna_machine *m = machines[index];
    for (size_t i = 0; i < index; i++) {
        size_t other = dna_row_index(machines[i], m->rows[row].id);
        if (other < machines[i]->num_rows) {
            dna_check_fault(c, row_line(c, row), "row id %s is also used by %s", m->rows[row].id,
                            machines[i]->name);
        }
    }
}

size_t dna_check_together(struct dna_checker *checker, const struct dna_machine *const *machines)
{
    for (size_t i = 0; machines[i]; i++) {
        checker->machine = machines[i];
        for (size_t row = 0; row < machines[i]->num_rows; row++) {
            if (machines[i]->rows[row].kind != DNA_DEAD) {
                check_id_elsewhere(checker, machines, i, row);
            }
        }
    }
    checker->machine = NULL;
    for (size_t i = 0; i < dna_num_stream_fields; i++) {
        bool read = false, written = false;
        for (size_t j = 0; machines[j]; j++) {
            read |= reads(machines[j], 'S', dna_stream_fields[i].name);
            written |= writes(machines[j], 'S', dna_stream_fields[i].name);
        }
        if (!read || !written) {
            dna_check_fault(checker, 0, "stream variable %s is %s by no machine",
                            dna_stream_fields[i].name, read ? "written" : "read");
        }
    }
    return checker->num_faults;
}

bool dna_check_cited(const struct dna_machine *const *machines, enum dna_req id)
{
    for (size_t i = 0; machines[i]; i++) {
        for (size_t row = 0; row < machines[i]->num_rows; row++) {
            for (const uint16_t *b = machines[i]->rows[row].because; *b != DNA_REQ_END; b++) {
                if (*b == (uint16_t)id) {
                    return true;
                }
            }
        }
    }
    return false;
}
