/* SPDX-License-Identifier: MIT */
/* client_command -- what the command lines of xdna-client have in common: each reads one value, and
   says on standard error what is wrong with it. */
#ifndef DNA_IMPL_CLIENT_COMMAND_H
#define DNA_IMPL_CLIENT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/knobs.h"

/* dna_command_usage writes the message (format has one %s) and where help is; false, always. */
bool dna_command_usage(const char *format, const char *what);
bool dna_command_seconds(const char *text, uint32_t *out_ms);
/* dna_command_limit reads how many bytes one element may have: 10000 to 16 MiB. */
bool dna_command_limit(const char *text, uint32_t *out_bytes);
/* dna_command_resolver reads ADDR[:PORT] and writes "ADDR@PORT". */
bool dna_command_resolver(const char *text, char *out, size_t size);
bool dna_command_knob(const char *text, struct dna_knobs *knobs);
/* dna_command_crl_file borrows the name, and has the lists consulted where they were not: knob
   revocation, which a later --knob may set otherwise. */
bool dna_command_crl_file(const char *text, const char **out_file, struct dna_knobs *knobs);

#endif
