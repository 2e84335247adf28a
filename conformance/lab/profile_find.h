/* SPDX-License-Identifier: MIT */
/* Where profiles lie. Private to the profile*.c files. */
#ifndef DNA_LAB_PROFILE_FIND_H
#define DNA_LAB_PROFILE_FIND_H

#include "conformance/lab/diag.h"
#include "conformance/pool.h"

/* profile_find is the absolute folder of a profile; NULL with a diag that lists all there are. */
char *profile_find(struct dna_pool *pool, const char *name_or_path, struct dna_diag *diag);

#endif
