/* SPDX-License-Identifier: MIT */
/*
 * learn.h -- a black box as a Mealy machine: L# (Vaandrager, Garhewal, Rot, Wissmann, TACAS 2022).
 *
 * All that was ever observed is one tree: a node for each word that was sent, with the output of
 * its last input.  Two nodes are apart if some word after both got different outputs.  The basis
 * are nodes that are apart from each other (states of the machine, for certain), the frontier are
 * their children; a frontier node that is apart from the whole basis joins it.  dna_learner_want()
 * says which words have to be sent next; when there are none, dna_learner_guess() makes the
 * machine, and a word on which the black box disagrees with it is one more observation.
 *
 * The tester knows from what it saw which inputs it can send (a mask at each node; 0 behind the
 * end of the stream).  So nothing is sent behind the end, what cannot be sent is never asked for,
 * and nodes with different masks are apart.
 *
 * The learner sends nothing itself: who asks for words may have many sessions side by side.  The
 * same observations make the same machine.  An observation that contradicts an earlier one is
 * refused and changes nothing.
 */
#ifndef DNA_MODEL_LEARN_H
#define DNA_MODEL_LEARN_H

#include "model/mealy.h"

enum { DNA_MAX_INPUTS = 64, DNA_WORD_MAX = 64 };

/* dna_wordbook numbers outputs; 0 is "-", DNA_CANNOT.  Zeroed it is empty. */
struct dna_wordbook {
    char **at;
    size_t num, max;
};

/* dna_wordbook_number returns the number of the word, a new one if need be; UINT32_MAX without
   memory. */
uint32_t dna_wordbook_number(struct dna_wordbook *book, const char *word);
void dna_wordbook_free(struct dna_wordbook *book);

/* dna_observed is what one session showed: len inputs, the output of each, the mask behind each. */
struct dna_observed {
    uint32_t in[DNA_WORD_MAX], out[DNA_WORD_MAX];
    uint64_t can[DNA_WORD_MAX];
    size_t len;
};

struct dna_query {
    uint32_t in[DNA_WORD_MAX];
    size_t len;
};

struct dna_learn_node {
    uint64_t can;
    uint32_t parent, input, out;
    uint32_t child, sibling; /* 0: none */
    uint32_t session;        /* that showed it first */
};

struct dna_learner {
    size_t num_inputs;
    struct dna_learn_node *nodes; /* nodes[0] is the root */
    size_t num_nodes, max_nodes;
    uint32_t *basis;
    size_t num_basis, max_basis;
    bool no_memory;
};

/* dna_learner_begin makes a tree of a root at which `can` can be sent.  Returns -1 without
   memory. */
int dna_learner_begin(struct dna_learner *l, size_t num_inputs, uint64_t can);
void dna_learner_end(struct dna_learner *l);

/* dna_learner_add adds a session.  Returns its first step that contradicts an earlier observation,
   the session of which goes to *out_session, and nothing is added; len if there is none; SIZE_MAX
   without memory. */
size_t dna_learner_add(struct dna_learner *l, const struct dna_observed *seen, uint32_t session,
                       uint32_t *out_session);

/* dna_learner_knows says whether the whole word was observed, or ends at what cannot be sent. */
bool dna_learner_knows(const struct dna_learner *l, const uint32_t *in, size_t len);

/* dna_learner_want fills out with up to max words to be sent; they do not depend on each other.
   Returns how many; 0: the machine can be guessed (or l->no_memory). */
size_t dna_learner_want(struct dna_learner *l, struct dna_query *out, size_t max);

/* dna_learner_guess makes the machine that the observations say, to be called when nothing is
   wanted: it agrees with all of them.  State 0 is the start; all ends of the stream are one
   state.  Free its arrays with dna_guess_free().  Returns -1 without memory. */
int dna_learner_guess(struct dna_learner *l, struct dna_mealy *out);
void dna_guess_free(struct dna_mealy *machine);

#endif
