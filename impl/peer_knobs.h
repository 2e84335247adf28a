/* SPDX-License-Identifier: MIT */
/* peer_knobs: which knobs count for what is done with one peer. They are the configuration's,
 * always; but the test build can carry many damaged tables at once, one a peer, and tells them
 * apart by the number in the knobs that a machine is run with (struct dna_knobs, mutant). */
#ifndef DNA_IMPL_PEER_KNOBS_H
#define DNA_IMPL_PEER_KNOBS_H

#include "spec/knobs.h"

/* dna_knobs_for() is what counts for a peer, a domain or an address ("127.0.0.1:5269"); the answer
 * lives as long as the process, or as plain. Without dna_knobs_ask() it is plain. */
const struct dna_knobs *dna_knobs_for(const struct dna_knobs *plain, const char *peer);
/* dna_knobs_ask() has dna_knobs_for() ask this function; NULL ends that. */
void dna_knobs_ask(const struct dna_knobs *(*which)(const struct dna_knobs *plain,
                                                    const char *peer));

/* dna_dead_end() is called where whole tables do not lead: the process ends by abort(). In the test
 * build a mutant that was given a number dies alone: dna_dead_ends_ask() names who is told of it, its
 * machines are not run any more, and the caller returns at once. */
void dna_dead_end(const struct dna_knobs *knobs);
void dna_dead_ends_ask(void (*who)(unsigned number));

/* dna_peer_mutant() reads the number of a mutant out of a peer's name: 17 for a domain with the
 * label c0042m17, and for an address in 127.128.17.0/24 to 127.255.255.0/24, counted from
 * 127.128.0.0/24; 0 if there is none. The conformance suite names and numbers its peers so. */
unsigned dna_peer_mutant(const char *peer);
#endif
