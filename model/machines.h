/* SPDX-License-Identifier: MIT */
/*
 * machines.h -- the types of all machines, and their step functions.
 *
 * For a machine M: enum M_state, M_event, M_out; struct M (its state and variables); struct M_facts;
 * and dna_M_step(), which changes the instance and says in `fx` what is to be done.  The reference
 * links steps generated into impl/gen/, the test build those of model/interp.c.
 */
#ifndef DNA_MODEL_MACHINES_H
#define DNA_MODEL_MACHINES_H

#include "model/machine.h"
#include "model/macros.h"

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
    X(c2s_server)

#define M resolution
#define DEF "model/resolution.def"
#include "model/machine_types.h"
#define M stream_initiating
#define DEF "model/stream_initiating.def"
#include "model/machine_types.h"
#define M stream_receiving
#define DEF "model/stream_receiving.def"
#include "model/machine_types.h"
#define M features_receiving
#define DEF "model/features_receiving.def"
#include "model/machine_types.h"
#define M starttls_initiating
#define DEF "model/starttls_initiating.def"
#include "model/machine_types.h"
#define M starttls_receiving
#define DEF "model/starttls_receiving.def"
#include "model/machine_types.h"
#define M sasl_external_initiating
#define DEF "model/sasl_external_initiating.def"
#include "model/machine_types.h"
#define M sasl_external_receiving
#define DEF "model/sasl_external_receiving.def"
#include "model/machine_types.h"
#define M dialback_initiating
#define DEF "model/dialback_initiating.def"
#include "model/machine_types.h"
#define M dialback_receiving
#define DEF "model/dialback_receiving.def"
#include "model/machine_types.h"
#define M dialback_authoritative
#define DEF "model/dialback_authoritative.def"
#include "model/machine_types.h"
#define M association
#define DEF "model/association.def"
#include "model/machine_types.h"
#define M piggyback_assertion
#define DEF "model/piggyback_assertion.def"
#include "model/machine_types.h"
#define M piggyback_supposition
#define DEF "model/piggyback_supposition.def"
#include "model/machine_types.h"
#define M routing
#define DEF "model/routing.def"
#include "model/machine_types.h"
#define M c2s_client
#define DEF "model/c2s_client.def"
#include "model/machine_types.h"
#define M c2s_server
#define DEF "model/c2s_server.def"
#include "model/machine_types.h"

#endif
