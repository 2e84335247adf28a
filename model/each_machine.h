/* SPDX-License-Identifier: MIT */
/*
 * each_machine.h -- includes the file that DNA_EACH_MACHINE names once for each machine, with M and
 * DEF defined.  No include guard: machines.h makes the types this way, machines.c the descriptions.
 */
#define M resolution
#define DEF "model/resolution.def"
#include DNA_EACH_MACHINE
#define M stream_initiating
#define DEF "model/stream_initiating.def"
#include DNA_EACH_MACHINE
#define M stream_receiving
#define DEF "model/stream_receiving.def"
#include DNA_EACH_MACHINE
#define M features_receiving
#define DEF "model/features_receiving.def"
#include DNA_EACH_MACHINE
#define M starttls_initiating
#define DEF "model/starttls_initiating.def"
#include DNA_EACH_MACHINE
#define M starttls_receiving
#define DEF "model/starttls_receiving.def"
#include DNA_EACH_MACHINE
#define M sasl_external_initiating
#define DEF "model/sasl_external_initiating.def"
#include DNA_EACH_MACHINE
#define M sasl_external_receiving
#define DEF "model/sasl_external_receiving.def"
#include DNA_EACH_MACHINE
#define M dialback_initiating
#define DEF "model/dialback_initiating.def"
#include DNA_EACH_MACHINE
#define M dialback_receiving
#define DEF "model/dialback_receiving.def"
#include DNA_EACH_MACHINE
#define M dialback_authoritative
#define DEF "model/dialback_authoritative.def"
#include DNA_EACH_MACHINE
#define M association
#define DEF "model/association.def"
#include DNA_EACH_MACHINE
#define M piggyback_assertion
#define DEF "model/piggyback_assertion.def"
#include DNA_EACH_MACHINE
#define M piggyback_supposition
#define DEF "model/piggyback_supposition.def"
#include DNA_EACH_MACHINE
#define M routing
#define DEF "model/routing.def"
#include DNA_EACH_MACHINE
#define M c2s_client
#define DEF "model/c2s_client.def"
#include DNA_EACH_MACHINE
#define M c2s_server
#define DEF "model/c2s_server.def"
#include DNA_EACH_MACHINE
#define M proof
#define DEF "model/proof.def"
#include DNA_EACH_MACHINE
#include "prooftype_each.h" /* made by prooftypes.sh: these three lines for each prooftype_*.def */
