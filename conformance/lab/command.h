/* SPDX-License-Identifier: MIT */
/*
 * Command lines of profiles, split into words as a shell would where it expands nothing. Words
 * and strings are the pool's; the list itself is freed with free(words->at).
 */
#ifndef DNA_LAB_COMMAND_H
#define DNA_LAB_COMMAND_H

#include "conformance/lab/profile.h"
#include "conformance/pool.h"

/* command_split cuts a line at white space; '...' and "..." keep it; \ keeps a character. */
int command_split(struct dna_pool *pool, const char *line, struct dna_words *out,
                  struct dna_diag *diag);

void words_push(struct dna_words *words, char *word);

/*
 * command_program says where a program of a profile lies: as it is if absolute or without slash
 * (then PATH decides), else below the root.
 */
char *command_program(struct dna_pool *pool, const char *program, const char *root);

/* command_given says where a program that a person named lies: below the working directory. */
char *command_given(struct dna_pool *pool, const char *program);

/* command_exists: can it be run (looked up in PATH if it has no slash)? */
bool command_exists(struct dna_pool *pool, const char *program);

#endif
