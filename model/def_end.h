/* SPDX-License-Identifier: MIT */
/* def_end.h -- a table may be included again. */
#undef PROOFTYPE
#undef MACHINE
#undef STATE
#undef EVENT
#undef FACT
#undef VAR
#undef GUARD
#undef UPDATE
#undef OUT
#undef ROW
#undef CHOICE
#undef IGNORE
#undef DEAD
