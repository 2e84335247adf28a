/* SPDX-License-Identifier: MIT */
/*
 * prooftypes.h -- what each prooftype is, by RFC 7712 7: the nature of the server's proof, the
 * rules by which it is matched, where the verification material comes from, and whether secure DNS
 * is needed; and whether it is additive or decides alone (decision A18).
 *
 * The source is the PROOFTYPE line of model/prooftype_NAME.def, whose machine says when material is
 * sought and what follows from it.  A further prooftype is one such table and one file
 * impl/prooftype_NAME.c; nothing else names them, but the world in which the checker tries them
 * (verify_prooftypes.c), where a further one is not found before it is put there.
 */
#ifndef DNA_MODEL_PROOFTYPES_H
#define DNA_MODEL_PROOFTYPES_H

#include "model/machines.h"

/* dna_proof_weight: an additive prooftype is one of several; one that decides, where it has
   material, is the only one that is asked. */
enum dna_proof_weight { DNA_ADDS, DNA_DECIDES };

/* dna_prooftype_text describes one prooftype; all of it is static. */
struct dna_prooftype_text {
    const char *name; /* "pkix" */
    const char *nature, *rules, *source;
    bool secure_dns; /* worth nothing without DNSSEC */
    enum dna_proof_weight weight;
    const uint16_t *because; /* enum dna_req values; ends with DNA_REQ_END */
    const struct dna_machine *machine;
};

enum dna_prooftype_id {
#define DNA_PROOFTYPE_ID(name) DNA_PROOFTYPE_##name,
    DNA_PROOFTYPE_NAMES(DNA_PROOFTYPE_ID)
#undef DNA_PROOFTYPE_ID
    DNA_NUM_PROOFTYPES
};

/* dna_prooftypes has one description for each enum dna_prooftype_id, by name in the alphabet. */
extern const struct dna_prooftype_text dna_prooftypes[];

#endif
