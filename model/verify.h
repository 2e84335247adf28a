/* SPDX-License-Identifier: MIT */
/*
 * verify.h -- an explicit-state model checker over the tables: servers, attacker, properties.
 *
 * It runs the guards and actions of model/NAME.def through the interpreter, mutants included,
 * breadth first, so that what it finds is a shortest way there.  PROOF.md says what is claimed and
 * what is not.
 */
#ifndef DNA_MODEL_VERIFY_H
#define DNA_MODEL_VERIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* dna_verify_cmd is `model-tool verify ARGS...`; argv[0] is the first argument.  Returns an exit
   status: 0 when every claim is as stated, 1 when one is not, 2 for wrong arguments, 3 when memory
   or a bound did not suffice. */
int dna_verify_cmd(int argc, char **argv);

/* dna_proof_cmd prints PROOF.md to out; the same exit statuses. */
int dna_proof_cmd(FILE *out);

#endif
