/* SPDX-License-Identifier: MIT */
/* bad_table.h -- one broken table as the real ones are read; needs M and DEF, and eats both. */
#pragma push_macro("M")
#pragma push_macro("DEF")
#include "model/machine_types.h"
#pragma pop_macro("M")
#pragma pop_macro("DEF")
#include "model/machine_inst.h"
