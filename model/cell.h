/* SPDX-License-Identifier: MIT */
/*
 * cell.h -- cells of a table, and the values that their expressions can take.
 *
 * A cell is what a machine does with one event in one state: the rows with that `in` and `on`, in
 * order.  A place is one field that an expression mentions.  Interpreter, checker, walker and tests
 * share this; nothing is allocated, everything belongs to the caller.
 */
#ifndef DNA_MODEL_CELL_H
#define DNA_MODEL_CELL_H

#include "model/machine.h"

enum { DNA_MAX_PLACES = 48, DNA_MAX_FIELDS = 32 };

/* dna_place is one field: of V, S, E or K, as the letter says. */
struct dna_place {
    char letter;
    const char *name;
    size_t offset;
    uint32_t initial, max;
};

/* dna_places is a set of fields; overflow says that some did not fit, unknown that an expression
   names a field which nobody declared. */
struct dna_places {
    struct dna_place at[DNA_MAX_PLACES];
    size_t num;
    bool overflow, unknown;
};

/* dna_world holds values for all four structs of one machine, whatever the machine. */
struct dna_world {
    uint32_t v[DNA_MAX_FIELDS]; /* v[0] is the state, as in every struct M */
    uint32_t e[DNA_MAX_FIELDS];
    struct dna_stream_vars s;
    struct dna_knobs k;
};

/* dna_row_next returns the first row of the cell at or behind index `from`, num_rows if none. */
size_t dna_row_next(const struct dna_machine *machine, size_t state, size_t event, size_t from);

/* dna_row_index returns the row of that id, num_rows if none. */
size_t dna_row_index(const struct dna_machine *machine, const char *id);

/* dna_same_choice says whether both rows are alternatives of one CHOICE in one cell. */
bool dna_same_choice(const struct dna_row *a, const struct dna_row *b);

/* dna_guard_holds says whether guard `when` holds; `otherwise` always does. */
bool dna_guard_holds(const struct dna_machine *machine, size_t when, const struct dna_env *env);

/* dna_names_field says whether expr has a field reference of that letter at `at` ("E.x"). */
bool dna_names_field(const char *expr, size_t at, char letter);

/* dna_places_add adds each field that the expression mentions; expr may be NULL. */
void dna_places_add(struct dna_places *places, const struct dna_machine *machine, const char *expr);

/* dna_places_of_cell adds what the guards of a cell mention, and on request its updates. */
void dna_places_of_cell(struct dna_places *places, const struct dna_machine *machine, size_t state,
                        size_t event, bool updates);

/* dna_places_count returns the number of valuations, each place from 0 to max; saturates. */
uint64_t dna_places_count(const struct dna_places *places);

/* dna_places_first sets every place to 0; _next counts on and returns false after the last. */
void dna_places_first(const struct dna_places *places, struct dna_world *world);
bool dna_places_next(const struct dna_places *places, struct dna_world *world);

/* dna_world_init puts the machine in its start state, all values initial, facts 0, default knobs.
 */
void dna_world_init(struct dna_world *world, const struct dna_machine *machine);

/* dna_world_env points an environment at the world. */
struct dna_env dna_world_env(struct dna_world *world);

/* dna_world_at returns the value of the place in the world. */
uint32_t *dna_world_at(struct dna_world *world, const struct dna_place *place);

/* dna_world_saturate cuts V and S at the bounds that their declarations give to checkers. */
void dna_world_saturate(struct dna_world *world, const struct dna_machine *machine);

#endif
