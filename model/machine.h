/* SPDX-License-Identifier: MIT */
/*
 * machine.h -- what a state-transition table looks like once the compiler has read it.
 *
 * A machine is an extended Mealy machine.  Its source is one X-macro file, model/NAME.def, which
 * machine_types.h turns into enums and structs and machine_inst.h into the constant description
 * below.  The generator, the checker, the interpreter and the trace walker read only this
 * description; the reference links the step functions that the generator prints from it.
 *
 * Expressions in a table speak of four structs, one letter each:
 *   V  the variables of this machine instance          S  the variables shared by one stream
 *   E  the facts that came with the event              K  the knobs (spec/decisions.def)
 * Every field is a uint32_t, so that a checker can treat all of them alike.
 *
 * Nothing in model/ allocates; all descriptions are static and immutable.
 */
#ifndef DNA_MODEL_MACHINE_H
#define DNA_MODEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/knobs.h"
#include "spec/req.h"

enum { DNA_MAX_OUTS = 8, DNA_REQ_END = DNA_NUM_REQUIREMENTS };

/* dna_state_mark says where a state stands in its machine: entered first, in between, or for
 * good. */
enum dna_state_mark { DNA_START, DNA_MID, DNA_FINAL };

/* dna_origin says who raises an event: the peer's bytes, our own work, or a timer. */
enum dna_origin { DNA_PEER, DNA_OWN, DNA_TIMER };

/* dna_effect_kind says where a `do` symbol shows: on this stream, elsewhere on the network (DNS,
   another stream), nowhere outside the process, or in the variables only. */
enum dna_effect_kind { DNA_WIRE, DNA_ELSEWHERE, DNA_INTERNAL, DNA_UPDATE };

/* dna_survival says whether a variable outlives a stream restart or STARTTLS. */
enum dna_survival { DNA_FORGET, DNA_KEEP };

enum dna_row_kind { DNA_ROW, DNA_CHOICE, DNA_IGNORE, DNA_DEAD };

/* dna_stream_vars are shared by every machine that runs on one stream (stream_vars.def). */
struct dna_stream_vars {
#define STREAM_VAR(name, initial, max, restart, starttls, text) uint32_t name;
#include "model/stream_vars.def"
#undef STREAM_VAR
};

/* dna_env is what a guard may read and an update may change; all pointers are borrowed. */
struct dna_env {
    void *v;
    struct dna_stream_vars *s;
    const void *e;
    const struct dna_knobs *k;
};

struct dna_state {
    const char *name;
    enum dna_state_mark mark;
    const char *text;
};

struct dna_event {
    const char *name;
    enum dna_origin origin;
    const char *text;
};

/* dna_field describes one uint32_t of V, S or E; max is inclusive and binds the checkers, which
   saturate counters there; a running server may count further. */
struct dna_field {
    const char *name;
    size_t offset;
    uint32_t initial, max;
    enum dna_survival restart, starttls;
    const char *text;
};

struct dna_guard {
    const char *name;
    const char *expr;
    const char *text;
    bool (*holds)(const struct dna_env *env);
};

struct dna_do {
    const char *name;
    enum dna_effect_kind kind;
    const char *expr; /* of an update; NULL for outputs */
    const char *text;
    void (*apply)(const struct dna_env *env); /* of an update; NULL for outputs */
};

struct dna_row {
    const char *id; /* stable, never reused; IGNORE and DEAD rows are ID.EVENT */
    enum dna_row_kind kind;
    uint8_t in, on, when, then;
    uint16_t line;
    const char *choice;          /* group of a CHOICE row, else NULL */
    const uint8_t *dos;          /* ends with 0 (which is `nothing`) */
    const uint16_t *because;     /* enum dna_req values; ends with DNA_REQ_END */
};

struct dna_machine {
    const char *name;
    const char *text;
    size_t vars_size;
    const struct dna_state *states;
    const struct dna_event *events;
    const struct dna_field *vars, *facts;
    const struct dna_guard *guards; /* [0] is `otherwise` */
    const struct dna_do *dos;       /* [0] is `nothing` */
    const struct dna_row *rows;
    size_t num_states, num_events, num_vars, num_facts, num_guards, num_dos, num_rows;
    size_t facts_size;
};

/* dna_effects is what one step did.  outs are indexes into machine->dos, outputs only, in order;
   row is an index into machine->rows.  A final state takes no event: row is then DNA_NO_ROW. */
enum { DNA_NO_ROW = 0xffff };
struct dna_effects {
    const struct dna_machine *machine;
    uint16_t row;
    uint8_t from, to, on;
    uint8_t num_outs;
    uint8_t outs[DNA_MAX_OUTS];
};

static inline void dna_effects_begin(struct dna_effects *fx, const struct dna_machine *machine,
                                     uint32_t from, uint32_t on)
{
    fx->machine = machine;
    fx->row = DNA_NO_ROW;
    fx->from = fx->to = (uint8_t)from;
    fx->on = (uint8_t)on;
    fx->num_outs = 0;
}

static inline void dna_effects_out(struct dna_effects *fx, uint32_t out)
{
    fx->outs[fx->num_outs++] = (uint8_t)out; /* check.c refuses rows with more than DNA_MAX_OUTS */
}

static inline void dna_effects_end(struct dna_effects *fx, uint32_t row, uint32_t to)
{
    fx->row = (uint16_t)row;
    fx->to = (uint8_t)to;
}

/* dna_machines lists every machine; it ends with NULL. */
extern const struct dna_machine *const dna_machines[];

/* dna_machine_find returns the machine of that name, or NULL. */
const struct dna_machine *dna_machine_find(const char *name);

/* dna_stream_fields describes dna_stream_vars; dna_num_stream_fields is their number. */
extern const struct dna_field dna_stream_fields[];
extern const size_t dna_num_stream_fields;

/* dna_instance_init sets the state to the start state and every variable to its initial value.
   `vars` points to a struct of the machine's own type. */
void dna_instance_init(const struct dna_machine *machine, void *vars);

/* dna_instance_forget resets what the table says does not survive; starttls is stricter than
   restart (RFC 6120 5.4.3.3).  The state is left alone: leaving it is a row's business. */
void dna_instance_forget(const struct dna_machine *machine, void *vars, bool starttls);

/* dna_stream_vars_init and _forget do the same for the variables shared by a stream. */
void dna_stream_vars_init(struct dna_stream_vars *vars);
void dna_stream_vars_forget(struct dna_stream_vars *vars, bool starttls);

#endif
