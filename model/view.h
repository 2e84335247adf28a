/* SPDX-License-Identifier: MIT */
/*
 * view.h -- a role's composition as a tester who learns sees it over sockets (compose.h, learn.h).
 *
 * Three things differ from the composition itself.  The tester answers the other side's closing
 * tag at once, so that a stream that is being closed is a stream that is closed.  It knows of an
 * open question what its authority saw, not whether the other side still waits for the answer.
 * And a word says what shows on the wire, under the names that a reader of the wire can give it.
 */
#ifndef DNA_MODEL_VIEW_H
#define DNA_MODEL_VIEW_H

#include "model/learn.h"
#include "model/unfold.h"

/* dna_seer is the composition under some overlay, with an alphabet of at most DNA_MAX_INPUTS. */
struct dna_seer {
    const struct dna_role *role;
    struct dna_scope scope;
    struct dna_knobs knobs;
    const struct dna_overlay *overlay;
    const struct dna_symbol *inputs[DNA_MAX_INPUTS];
    size_t num_inputs;
    dna_compose_watch *watch;
    void *watch_ctx;
};

struct dna_seen {
    struct dna_scene scene;
    uint32_t asked[2]; /* an authority has a question that it did not answer yet */
};

/* dna_seer_begin finds the alphabet's symbols ("a, b, c"); borrows it and the overlay.  Returns
   0, or -1 with a message in err: a name the role lacks, too many, one that no socket can bring
   about. */
int dna_seer_begin(struct dna_seer *seer, const struct dna_role *role, const char *alphabet,
                   const struct dna_knobs *knobs, const struct dna_overlay *overlay, char *err,
                   size_t size);

void dna_seen_begin(const struct dna_seer *seer, struct dna_seen *at);

/* dna_seen_can returns the set of inputs that can be sent, bit by bit; 0: the stream is closed. */
uint64_t dna_seen_can(const struct dna_seer *seer, const struct dna_seen *at);

/* dna_seen_step sends an input that can be sent, and writes the word. */
void dna_seen_step(const struct dna_seer *seer, struct dna_seen *at, size_t input,
                   char word[DNA_WORD_TEXT]);

/* dna_view is all that the seer can reach, as a Mealy machine whose outputs are numbers in words.
   */
struct dna_view {
    struct dna_mealy mealy;
    struct dna_seen *states;
    size_t max;
};

/* dna_view_make returns 0; -1 without memory or with more than some thousand states. */
int dna_view_make(struct dna_view *view, const struct dna_seer *seer, struct dna_wordbook *words);
void dna_view_free(struct dna_view *view);

#endif
