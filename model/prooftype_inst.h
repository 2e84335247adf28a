/* SPDX-License-Identifier: MIT */
/* prooftype_inst.h -- the PROOFTYPE line of one table, for prooftypes.c; no include guard.  Every
   table undefines the macro at its end, so it is defined anew here. */
#define PROOFTYPE(nature_, rules_, source_, secure_dns_, weight_, ...)                             \
    { &DNA_STR(M)[sizeof "prooftype_" - 1], nature_, rules_, source_, secure_dns_, DNA_##weight_,  \
      (const uint16_t[]){ __VA_ARGS__, DNA_REQ_END }, &DNA_P(dna_machine, M) },
#include DEF
#undef M
#undef DEF
