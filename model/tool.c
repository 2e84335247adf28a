/* SPDX-License-Identifier: MIT */
/*
 * tool.c -- build/model-tool: what is made out of the tables, and what is asked of them.
 *
 *   model-tool list            the machines, with their sizes
 *   model-tool hash            the hash of each table, as the generated files name it
 *   model-tool gen DIR         DIR/NAME.gen.c for each machine
 *
 * Tables are read again as text, for their hashes and lines; so it runs in the root of the checkout.
 */
#include "model/gen.h"
#include "model/machines.h"

#include <openssl/sha.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_SIZE = 2 * SHA256_DIGEST_LENGTH + 1, TABLE_SIZE = 1 << 20 };

struct table {
    char path[256];
    char hash[HEX_SIZE];
    char *text; /* freed by table_free */
};

static void table_free(struct table *table)
{
    free(table->text);
    table->text = NULL;
}

static int table_read(struct table *table, const struct dna_machine *machine)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    snprintf(table->path, sizeof table->path, "model/%s.def", machine->name);
    FILE *in = fopen(table->path, "rb");
    table->text = in ? malloc(TABLE_SIZE) : NULL;
    size_t len = table->text ? fread(table->text, 1, TABLE_SIZE - 1, in) : 0;
    bool whole = table->text && feof(in) && !ferror(in);
    if (!whole) {
        fprintf(stderr, "model-tool: %s: %s\n", table->path, strerror(errno ? errno : EFBIG));
    }
    if (in) {
        fclose(in);
    }
    if (!whole) {
        table_free(table);
        return -1;
    }
    table->text[len] = '\0';
    SHA256((const unsigned char *)table->text, len, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(table->hash + 2 * i, 3, "%02x", digest[i]);
    }
    return 0;
}

static int gen_one(const struct dna_machine *machine, const char *dir)
{
    char path[512];
    struct table table;
    if (table_read(&table, machine)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/%s.gen.c", dir, machine->name);
    FILE *out = fopen(path, "w");
    int failed = out ? dna_gen_step(machine, table.text, table.hash, out) : -1;
    if (out && fclose(out)) {
        failed = -1;
    }
    if (failed) {
        fprintf(stderr, "model-tool: %s: %s\n", path, strerror(errno));
    }
    table_free(&table);
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
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        struct table table;
        if (table_read(&table, *m)) {
            return 1;
        }
        printf("%s  %s\n", table.hash, table.path);
        table_free(&table);
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
