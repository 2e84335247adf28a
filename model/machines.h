/* SPDX-License-Identifier: MIT */
/*
 * machines.h -- the types of all machines, and their step functions.
 *
 * For a machine M: enum M_state, M_event, M_out; struct M (its state and variables); struct
 * M_facts; and dna_M_step(), which changes the instance and says in `fx` what is to be done.  The
 * reference links steps generated into impl/gen/, the test build those of model/interp.c.
 */
#ifndef DNA_MODEL_MACHINES_H
#define DNA_MODEL_MACHINES_H

#include "model/machine.h"
#include "model/macros.h"
#include "prooftype_names.h" /* made by prooftypes.sh: DNA_PROOFTYPES( X ), X( prooftype_pkix ) */

/* DNA_MACHINES( X ) calls X once for each machine: the one list of them. */
#define DNA_MACHINES(X)                                                                            \
    X(resolution)                                                                                  \
    X(stream_initiating)                                                                           \
    X(stream_receiving)                                                                            \
    X(features_receiving)                                                                          \
    X(starttls_initiating)                                                                         \
    X(starttls_receiving)                                                                          \
    X(sasl_external_initiating)                                                                    \
    X(sasl_external_receiving)                                                                     \
    X(dialback_initiating)                                                                         \
    X(dialback_receiving)                                                                          \
    X(dialback_authoritative)                                                                      \
    X(association)                                                                                 \
    X(piggyback_assertion)                                                                         \
    X(piggyback_supposition)                                                                       \
    X(routing)                                                                                     \
    X(c2s_client)                                                                                  \
    X(c2s_server)                                                                                  \
    X(proof)                                                                                       \
    DNA_PROOFTYPES(X)

#define DNA_EACH_MACHINE "model/machine_types.h"
#include "model/each_machine.h"
#undef DNA_EACH_MACHINE

#endif
