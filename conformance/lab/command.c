/* SPDX-License-Identifier: MIT */
/* Command lines: words, and where programs lie. Memory: command.h. */
#include "conformance/lab/command.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void words_push(struct dna_words *words, char *word)
{
    words->at = dna_xrealloc(words->at, (words->num + 1) * sizeof *words->at);
    words->at[words->num++] = word;
}

/* one_word reads a word into out and returns what follows it; NULL if a quote is not closed. */
static const char *one_word(const char *at, char *out)
{
    char quote = '\0';

    for (; *at && (quote || !isspace((unsigned char)*at)); at++) {
        if (quote && *at == quote)
            quote = '\0';
        else if (!quote && (*at == '\'' || *at == '"'))
            quote = *at;
        else if (*at == '\\' && quote != '\'' && at[1])
            *out++ = *++at;
        else
            *out++ = *at;
    }
    *out = '\0';
    return quote ? NULL : at;
}

int command_split(struct dna_pool *pool, const char *line, struct dna_words *out,
                  struct dna_diag *diag)
{
    const char *at = line;

    for (;;) {
        char *word;

        while (isspace((unsigned char)*at))
            at++;
        if (*at == '\0')
            return 0;
        word = dna_pool_alloc(pool, strlen(at) + 1);
        at = one_word(at, word);
        if (!at)
            return dna_diag_set(diag, DNA_CLASS_USAGE, "a quote is not closed: %s", line);
        words_push(out, word);
    }
}

char *command_program(struct dna_pool *pool, const char *program, const char *root)
{
    if (program[0] == '/' || !strchr(program, '/'))
        return dna_pool_strdup(pool, program);
    return dna_pool_printf(pool, "%s/%s", root, program);
}

char *command_given(struct dna_pool *pool, const char *program)
{
    char cwd[PATH_MAX];

    if (program[0] == '/' || !strchr(program, '/') || !getcwd(cwd, sizeof cwd))
        return dna_pool_strdup(pool, program);
    return dna_pool_printf(pool, "%s/%s", cwd, program);
}

bool command_exists(struct dna_pool *pool, const char *program)
{
    const char *path = getenv("PATH");

    if (strchr(program, '/'))
        return access(program, X_OK) == 0;
    if (!path)
        path = "/usr/bin:/bin";
    while (*path) {
        size_t len = strcspn(path, ":");

        if (access(dna_pool_printf(pool, "%.*s/%s", (int)len, path, program), X_OK) == 0)
            return true;
        path += len;
        path += *path == ':';
    }
    return false;
}
