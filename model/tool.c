/* SPDX-License-Identifier: MIT */
/*
 * tool.c -- build/model-tool: what is made out of the tables, and what is asked of them.
 *
 *   model-tool list            the machines, with their sizes
 *   model-tool hash            the hash of each table, as the generated files name it
 *   model-tool gen DIR         DIR/NAME.gen.c for each machine
 */
#include "model/gen.h"
#include "model/machines.h"

#include <openssl/sha.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_SIZE = 2 * SHA256_DIGEST_LENGTH + 1 };

/* Hashes model/NAME.def below the current directory, which is the root of the repository. */
static int hash_table(const struct dna_machine *machine, char hex[HEX_SIZE])
{
    char path[256];
    unsigned char digest[SHA256_DIGEST_LENGTH];
    snprintf(path, sizeof path, "model/%s.def", machine->name);
    FILE *in = fopen(path, "rb");
    if (!in) {
        fprintf(stderr, "model-tool: %s: %s\n", path, strerror(errno));
        return -1;
    }
    size_t len = 0, size = 1 << 20;
    unsigned char *text = malloc(size);
    if (text) {
        len = fread(text, 1, size, in);
    }
    bool whole = text && feof(in) && !ferror(in);
    fclose(in);
    if (!whole) {
        fprintf(stderr, "model-tool: %s: can't be read whole\n", path);
        free(text);
        return -1;
    }
    SHA256(text, len, digest);
    free(text);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    return 0;
}

static int gen_one(const struct dna_machine *machine, const char *dir)
{
    char path[512], hex[HEX_SIZE];
    if (hash_table(machine, hex)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/%s.gen.c", dir, machine->name);
    FILE *out = fopen(path, "w");
    int failed = out ? dna_gen_step(machine, hex, out) : -1;
    if (out && fclose(out)) {
        failed = -1;
    }
    if (failed) {
        fprintf(stderr, "model-tool: %s: %s\n", path, strerror(errno));
    }
    return failed;
}

static int cmd_gen(const char *dir)
{
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        if (gen_one(*m, dir)) {
            return 1;
        }
    }
    return 0;
}

static int cmd_hash(void)
{
    char hex[HEX_SIZE];
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        if (hash_table(*m, hex)) {
            return 1;
        }
        printf("%s  model/%s.def\n", hex, (*m)->name);
    }
    return 0;
}

static int cmd_list(void)
{
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        printf("%-26s %2zu states %2zu events %3zu rows  %s\n", (*m)->name, (*m)->num_states,
               (*m)->num_events, (*m)->num_rows, (*m)->text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "gen") == 0 && argc == 3) {
        return cmd_gen(argv[2]);
    }
    if (strcmp(command, "hash") == 0 && argc == 2) {
        return cmd_hash();
    }
    if (strcmp(command, "list") == 0 && argc == 2) {
        return cmd_list();
    }
    fputs("usage: model-tool list | hash | gen DIR\n", stderr);
    return 2;
}
