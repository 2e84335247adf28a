/* SPDX-License-Identifier: MIT */
/*
 * unfold.h -- a role's composition under one scope, unfolded into a finite Mealy machine.
 *
 * A configuration is all that the composition knows (compose.h) after the scope's prefix and any
 * symbols of its alphabet; an output is a word.  A stream whose TCP has ended is one configuration;
 * once our closing tag is out and input is discarded, only what is still looked at is kept apart.
 *
 * On the way every guard that is tried is taken apart, and which values its atoms had is recorded:
 * what a test at this alphabet says of all data rests on both being tried (dna_uniformity).
 */
#ifndef DNA_MODEL_UNFOLD_H
#define DNA_MODEL_UNFOLD_H

#include "model/atoms.h"
#include "model/compose.h"
#include "model/mealy.h"

enum { DNA_MAX_MACHINES = 32, DNA_MAX_ROWS = 320, DNA_WORD_TEXT = 512 };

/* dna_uniformity tells, for each row of each machine (by their places in dna_machines), whether the
   row was tried and fired, and which values each atom of its guard took: bit 0 false, bit 1
   true. */
struct dna_uniformity {
    bool tried[DNA_MAX_MACHINES][DNA_MAX_ROWS];
    bool fired[DNA_MAX_MACHINES][DNA_MAX_ROWS];
    uint8_t atoms[DNA_MAX_MACHINES][DNA_MAX_ROWS][DNA_MAX_ATOMS];
};

struct dna_unfolding {
    struct dna_mealy mealy; /* outputs are numbers of words; DNA_CANNOT is "-" */
    const struct dna_role *role;
    const struct dna_scope *scope;
    struct dna_knobs knobs;
    bool exact; /* of the habits */
    const struct dna_symbol **inputs;
    struct dna_scene *scenes; /* of each state */
    char **words;
    size_t num_words;
    size_t max_states, max_words;
    struct dna_scene begin; /* behind the prefix */
};

/* dna_habits is what is known of an implementation: knobs, and the alternatives of CHOICEs that it
   takes, as an overlay of ROW:choice mutants.  Free of ownership. */
struct dna_habits {
    struct dna_knobs knobs;
    struct dna_overlay choices;
    bool exact; /* pairs begin when something is said of them, as in impl/; else with the stream */
};

/* dna_habits_default is the reference's: default knobs, first alternatives. */
void dna_habits_default(struct dna_habits *profile);

/* dna_habits_read reads lines "knob NAME=VALUE" and "choice ROW"; '#' begins a comment.  Returns 0,
   or -1 with file, line and reason in err. */
int dna_habits_read(struct dna_habits *profile, const char *path, char *err, size_t size);

/* dna_unfold unfolds the scope.  uniformity may be NULL; it is added to.  Returns 0, or -1 with a
   message in err (a name the scope misspells, a prefix that cannot be sent, no memory). */
int dna_unfold(struct dna_unfolding *u, const struct dna_role *role, const struct dna_scope *scope,
               const struct dna_habits *profile, struct dna_uniformity *uniformity, char *err,
               size_t size);

void dna_unfolding_free(struct dna_unfolding *u);

/* dna_unfold_step sends input to a scene under an overlay (the profile's choices included), without
   merging anything, and writes the word: "-" if it cannot be sent. */
void dna_unfold_step(const struct dna_unfolding *u, const struct dna_overlay *overlay,
                     struct dna_scene *scene, size_t input, char word[DNA_WORD_TEXT]);

/* dna_unfold_prefix plays the scope's prefix under an overlay; word gets what shows, "; " between
   symbols.  Returns whether all of it could be sent. */
bool dna_unfold_prefix(const struct dna_unfolding *u, const struct dna_overlay *overlay,
                       struct dna_scene *scene, char *word, size_t size);

/* dna_machine_place returns the machine's place in dna_machines. */
size_t dna_machine_place(const struct dna_machine *machine);

#endif
