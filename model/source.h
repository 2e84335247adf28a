/* SPDX-License-Identifier: MIT */
/*
 * source.h -- where in a table's text something stands.
 *
 * Compilers differ about __LINE__ in a macro call of several lines, and declarations carry no line
 * at all; so generator and checker look the text up.  The text is the caller's.
 */
#ifndef DNA_MODEL_SOURCE_H
#define DNA_MODEL_SOURCE_H

#include "model/machine.h"

/* dna_source_declared returns the line of KEYWORD( name, ... ), or 0; source may be NULL. */
unsigned dna_source_declared(const char *source, const char *keyword, const char *name);

/* dna_source_row returns the line on which the row's id stands (of a DEAD row: the line of its
   DEAD), or what the compiler said. */
unsigned dna_source_row(const char *source, const struct dna_machine *machine,
                        const struct dna_row *row);

#endif
