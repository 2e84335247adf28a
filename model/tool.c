/* SPDX-License-Identifier: MIT */
/*
 * tool.c -- build/model-tool: what is made out of the tables, and what is asked of them.
 *
 *   model-tool list            the machines, with their sizes
 *   model-tool hash            the hash of each table, as the generated files name it
 *   model-tool gen DIR         DIR/NAME.gen.c for each machine
 *   model-tool check           every fault of every table, and what was looked at
 *   model-tool docs DIR        DIR/NAME.md for each machine: diagram, vocabulary, rows, citations
 *   model-tool mutants [NAME]  what xdna-server-test --mutate takes, for all machines or one
 *   model-tool walk FILE...    do the tables allow a recorded trace (fixtures/traces); where not?
 *   model-tool verify ...      the checker: what holds against an attacker (verify.h, PROOF.md)
 *   model-tool promela DIR     the tables as Promela, for Spin: DIR/NAME.pml, included by world.pml
 *   model-tool proof           PROOF.md: all of that as a document
 *   model-tool uncited         requirements of the documents that the tables cite, cited by no row
 *
 * Tables are read again as text, for their hashes and lines; so it runs in the root of the
 * checkout.
 */
#include "model/check.h"
#include "model/docs.h"
#include "model/gen.h"
#include "model/machines.h"
#include "model/promela.h"
#include "model/tool_derive.h"
#include "model/verify.h"
#include "model/walk.h"

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

/* Writes DIR/NAME.gen.c, or DIR/NAME.md if docs are wanted. */
static int write_one(const struct dna_machine *machine, const char *dir, bool docs)
{
    char path[512];
    struct table table;
    if (table_read(&table, machine)) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/%s.%s", dir, machine->name, docs ? "md" : "gen.c");
    FILE *out = fopen(path, "w");
    int failed = -1;
    if (out) {
        failed = docs ? dna_docs_page(machine, table.hash, out)
                      : dna_gen_step(machine, table.text, table.hash, out);
    }
    if (out && fclose(out)) {
        failed = -1;
    }
    if (failed) {
        fprintf(stderr, "model-tool: %s: %s\n", path, strerror(errno));
    }
    table_free(&table);
    return failed;
}

static int cmd_write(const char *dir, bool docs)
{
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        if (write_one(*m, dir, docs)) {
            return 1;
        }
    }
    return 0;
}

/* --- Promela --- */

static void say_promela(void *ctx, const struct dna_machine *machine, unsigned line,
                        const char *fault)
{
    (void)ctx;
    fprintf(stderr, "model/%s.def:%u: not to be said in Promela: %s\n", machine->name, line, fault);
}

/* Writes DIR/NAME.pml of a machine; of none, what all share. */
static int write_promela(const struct dna_machine *machine, const char *dir, const char *name,
                         int (*print)(const struct dna_machine *const *machines, FILE *out))
{
    char path[512];
    struct table table = { .text = NULL };
    snprintf(path, sizeof path, "%s/%s.pml", dir, name);
    if (machine && table_read(&table, machine)) {
        return -1;
    }
    FILE *out = fopen(path, "w");
    int failed = !out ? -1
                 : machine ? dna_promela_machine(machine, table.text, out, say_promela, NULL)
                           : print(dna_machines, out);
    if (out && fclose(out)) {
        failed = -1;
    }
    if (failed < 0) {
        fprintf(stderr, "model-tool: %s: %s\n", path, strerror(errno));
    }
    table_free(&table);
    return failed;
}

static int cmd_promela(const char *dir)
{
    int failed = write_promela(NULL, dir, "words", dna_promela_words) |
                 write_promela(NULL, dir, "tables", dna_promela_tables);
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        failed |= write_promela(*m, dir, (*m)->name, NULL);
    }
    return failed ? 1 : 0;
}

static int cmd_mutants(const char *name)
{
    const struct dna_machine *only = name ? dna_machine_find(name) : NULL;
    if (name && !only) {
        fprintf(stderr, "model-tool: no machine is called %s\n", name);
        return 2;
    }
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        if ((!only || only == *m) && dna_docs_mutants(*m, stdout)) {
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

static void say(void *ctx, unsigned line, const char *fault)
{
    const struct dna_checker *checker = ctx;
    const char *name = checker->machine ? checker->machine->name : "stream_vars";
    printf("model/%s.def:%u: %s\n", name, line, fault);
}

static void print_summary(const struct dna_checker *c)
{
    const struct dna_machine *m = c->machine;
    printf("%s: %zu states, %zu events, %zu cells (%zu ignored, %zu dead, %zu of them of a peer's "
           "events), %zu rows, %zu choices; %llu configurations, %llu steps: %zu faults\n",
           m->name, m->num_states, m->num_events, c->counts.cells, c->counts.ignored,
           c->counts.dead, c->counts.dead_of_peers, m->num_rows, c->counts.choices,
           (unsigned long long)c->counts.configurations, (unsigned long long)c->counts.steps,
           c->num_faults);
}

static int check_one(const struct dna_machine *machine, size_t *out_faults)
{
    struct table table;
    if (table_read(&table, machine)) {
        return -1;
    }
    struct dna_checker checker = { .machine = machine, .source = table.text, .say = say };
    checker.ctx = &checker;
    *out_faults += dna_check_machine(&checker);
    print_summary(&checker);
    table_free(&table);
    return 0;
}

static bool document_cited(const char *document)
{
    for (int i = 0; i < DNA_NUM_REQUIREMENTS; i++) {
        if (strcmp(dna_requirement((enum dna_req)i)->document, document) == 0 &&
            dna_check_cited(dna_machines, (enum dna_req)i)) {
            return true;
        }
    }
    return false;
}

/* Counts, and on request prints, the requirements that no row cites.  Whether a scenario or a
   recorded reason stands in for a row is judged elsewhere: xdna coverage. */
static void report_uncited(bool print)
{
    size_t cited = 0, uncited = 0;
    for (int i = 0; i < DNA_NUM_REQUIREMENTS; i++) {
        const struct dna_requirement *r = dna_requirement((enum dna_req)i);
        if (r->level == DNA_LEVEL_DECISION || !document_cited(r->document)) {
            continue;
        }
        if (dna_check_cited(dna_machines, (enum dna_req)i)) {
            cited++;
            continue;
        }
        uncited++;
        if (print) {
            printf("uncited: %s (%s, %s) %s\n", r->id, dna_level_name(r->level), r->roles, r->text);
        }
    }
    printf("requirements of the documents the tables cite: %zu cited by rows, %zu uncited%s\n",
           cited, uncited, print ? "" : " (model-tool uncited lists them)");
}

static int cmd_check(void)
{
    size_t faults = 0;
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        if (check_one(*m, &faults)) {
            return 1;
        }
    }
    struct dna_checker together = { .say = say };
    together.ctx = &together;
    faults += dna_check_together(&together, dna_machines);
    report_uncited(false);
    printf("model-tool check: %zu faults\n", faults);
    return faults ? 1 : 0;
}

/* begin_walk takes "machine NAME" and "knob NAME=VALUE" lines, which come before the first step. */
static int begin_walk(const char *line, const struct dna_machine **machine, struct dna_knobs *knobs,
                      uint64_t *known)
{
    char name[64];
    unsigned value;
    if (sscanf(line, "machine %63s", name) == 1) {
        *machine = dna_machine_find(name);
        return *machine ? 1 : -1;
    }
    if (sscanf(line, "knob %63[a-z_]=%u", name, &value) != 2) {
        return 0;
    }
    for (uint32_t i = 0; i < DNA_NUM_KNOBS; i++) {
        if (strcmp(dna_knob((enum dna_knob_id)i)->name, name) == 0) {
            *known |= UINT64_C(1) << i;
        }
    }
    return dna_knob_set(knobs, name, value) ? -1 : 1;
}

static int say_refused(const char *path, unsigned line, enum dna_walk_verdict verdict,
                       const struct dna_walk *walk)
{
    if (verdict == DNA_WALK_UNKNOWN_NAME) {
        fprintf(stderr, "%s:%u: no such event, fact, output or variable\n", path, line);
        return 2;
    }
    if (verdict == DNA_WALK_GAVE_UP) {
        fprintf(stderr, "%s:%u: too many ways to explain this trace\n", path, line);
        return 99;
    }
    printf("%s:%u: refused: %s\n", path, line, dna_walk_why(walk)->text);
    return 1;
}

/* cmd_walk: 0 the tables allow the trace, 1 they do not, 2 the file is wrong. */
static int cmd_walk(const char *path)
{
    char line[512];
    unsigned number = 0;
    int status = 0;
    uint64_t known = 0;
    struct dna_knobs knobs = dna_knobs_default();
    const struct dna_machine *machine = NULL;
    struct dna_walk *walk = NULL;
    FILE *in = fopen(path, "r");
    while (in && !status && fgets(line, sizeof line, in)) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        if (!line[strspn(line, " \t")] || line[0] == '#') {
            continue;
        }
        int head = walk ? 0 : begin_walk(line, &machine, &knobs, &known);
        if (head < 0 || (!head && !machine)) {
            fprintf(stderr, "%s:%u: expected machine NAME or knob NAME=VALUE first\n", path,
                    number);
            status = 2;
        } else if (!head) {
            walk = walk ? walk : dna_walk_new(machine, &knobs, known);
            enum dna_walk_verdict verdict = walk ? dna_walk_say(walk, line) : DNA_WALK_GAVE_UP;
            status = verdict == DNA_WALK_OK ? 0 : say_refused(path, number, verdict, walk);
        }
    }
    if (!in) {
        fprintf(stderr, "model-tool: %s: %s\n", path, strerror(errno));
        return 2;
    }
    fclose(in);
    if (!status) {
        printf("%s: allowed by %s\n", path, machine ? machine->name : "nothing: the file is empty");
    }
    dna_walk_free(walk);
    return status;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    if (strcmp(command, "gen") == 0 && argc == 3) {
        return cmd_write(argv[2], false);
    }
    if (strcmp(command, "docs") == 0 && argc == 3) {
        return cmd_write(argv[2], true);
    }
    if (strcmp(command, "mutants") == 0 && argc <= 3) {
        return cmd_mutants(argv[2]);
    }
    if (strcmp(command, "hash") == 0 && argc == 2) {
        return cmd_hash();
    }
    if (strcmp(command, "list") == 0 && argc == 2) {
        return cmd_list();
    }
    if (strcmp(command, "check") == 0 && argc == 2) {
        return cmd_check();
    }
    if (strcmp(command, "walk") == 0 && argc >= 3) {
        int worst = 0;
        for (int i = 2; i < argc; i++) {
            int status = cmd_walk(argv[i]);
            worst = status > worst ? status : worst;
        }
        return worst;
    }
    if (strcmp(command, "derive") == 0) {
        return dna_tool_derive(argc - 2, argv + 2);
    }
    if (strcmp(command, "mutate") == 0) {
        return dna_tool_mutate(argc - 2, argv + 2);
    }
    if (strcmp(command, "uniformity") == 0 && argc == 2) {
        return dna_tool_uniformity();
    }
    if (strcmp(command, "verify") == 0) {
        return dna_verify_cmd(argc - 2, argv + 2);
    }
    if (strcmp(command, "promela") == 0 && argc == 3) {
        return cmd_promela(argv[2]);
    }
    if (strcmp(command, "proof") == 0 && argc == 2) {
        return dna_proof_cmd(stdout);
    }
    if (strcmp(command, "uncited") == 0 && argc == 2) {
        report_uncited(true);
        return 0;
    }
    fputs("usage: model-tool list | hash | gen DIR | docs DIR | check | uncited | "
          "mutants [NAME] | walk FILE... | verify [--list ...] | promela DIR | proof | "
          "derive ROLE ... | mutate ROLE ...\n",
          stderr);
    return 2;
}
