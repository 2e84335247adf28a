/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The command coverage: what each requirement rests on. A requirement is
 * dispositioned by a row of a table, by a scenario that claims it, or by a written reason why it
 * can have neither (spec/dispositions.def).
 */
#include "conformance/cli.h"
#include "model/machine.h"
#include "spec/req.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct cover {
    unsigned rows, scenarios;
    const char *reason;
};

struct sums {
    unsigned all, rows, scenarios, both, reasons, left;
};

static bool cites(const struct dna_row *row, enum dna_req id)
{
    for (const uint16_t *r = row->because; *r != DNA_REQ_END; r++)
        if (*r == id)
            return true;
    return false;
}

static unsigned rows_of(enum dna_req id)
{
    unsigned num = 0;

    for (const struct dna_machine *const *m = dna_machines; *m; m++)
        for (size_t i = 0; i < (*m)->num_rows; i++)
            num += cites(&(*m)->rows[i], id);
    return num;
}

static unsigned scenarios_of(const struct dna_suite *suite, enum dna_req id)
{
    unsigned num = 0;

    for (size_t i = 0; i < suite->num_scns; i++)
        for (size_t r = 0; r < suite->scns[i]->num_reqs; r++)
            num += (enum dna_req)suite->scns[i]->reqs[r] == id;
    return num;
}

/* "rfc7711", "RFC7711" and "xep-0220" name documents alike. */
static bool same_document(const char *written, const char *document)
{
    while (*written && *document) {
        while (*written == '-' || *written == ' ')
            written++;
        while (*document == '-' || *document == ' ')
            document++;
        if (strncasecmp(written, document, 1) != 0)
            return false;
        written++;
        document++;
    }
    return *written == *document;
}

static bool wanted(const char *document, char **documents, int num)
{
    for (int i = 0; i < num; i++)
        if (same_document(documents[i], document))
            return true;
    return num == 0;
}

static void print_one(const struct dna_requirement *q, const struct cover *c)
{
    printf("%-16s %-10s", q->id, dna_level_name(q->level));
    if (c->rows || c->scenarios)
        printf(" %3u row%s %3u scenario%s", c->rows, c->rows == 1 ? " " : "s", c->scenarios,
               c->scenarios == 1 ? " " : "s");
    else
        printf(" %s", c->reason ? c->reason : "NOTHING");
    printf("\n");
    if (!c->rows && !c->scenarios && !c->reason)
        printf("%17s%s\n", "", q->text);
}

static void count(struct sums *s, const struct cover *c)
{
    s->all++;
    s->rows += c->rows > 0;
    s->scenarios += c->scenarios > 0;
    s->both += c->rows > 0 && c->scenarios > 0;
    s->reasons += !c->rows && !c->scenarios && c->reason;
    s->left += !c->rows && !c->scenarios && !c->reason;
}

static void print_sums(const char *document, const struct sums *s)
{
    printf("%-10s %5u requirements: %4u by rows, %4u by scenarios (%u by both), %3u by a reason, "
           "%3u by nothing\n",
           document, s->all, s->rows, s->scenarios, s->both, s->reasons, s->left);
}

static void add(struct sums *to, const struct sums *s)
{
    to->all += s->all;
    to->rows += s->rows;
    to->scenarios += s->scenarios;
    to->both += s->both;
    to->reasons += s->reasons;
    to->left += s->left;
}

enum { SUMS_ONLY, MISSING_ONLY, EACH };

/* One document, whose requirements stand together; returns the id behind its last. */
static int one_document(const struct dna_suite *suite, int from, int detail, struct sums *total)
{
    const char *document = dna_requirement((enum dna_req)from)->document;
    struct sums sums = { 0 };
    int i = from;

    for (; i < DNA_NUM_REQUIREMENTS; i++) {
        const struct dna_requirement *q = dna_requirement((enum dna_req)i);
        struct cover c = { rows_of((enum dna_req)i), scenarios_of(suite, (enum dna_req)i),
                           dna_requirement_reason((enum dna_req)i) };

        if (strcmp(q->document, document) != 0)
            break;
        count(&sums, &c);
        if (detail == EACH || (detail == MISSING_ONLY && !c.rows && !c.scenarios && !c.reason))
            print_one(q, &c);
    }
    print_sums(document, &sums);
    add(total, &sums);
    return i;
}

static int coverage_of(char **documents, int num, int detail)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_suite *suite = dna_suite_load(dna_scenarios_dir(), &diags);
    struct sums total = { 0 };

    for (int i = 0; i < DNA_NUM_REQUIREMENTS;) {
        const struct dna_requirement *q = dna_requirement((enum dna_req)i);

        if (q->level != DNA_LEVEL_DECISION && wanted(q->document, documents, num))
            i = one_document(suite, i, detail, &total);
        else
            i++;
    }
    dna_suite_free(suite);
    dna_buf_free(&diags.text);
    if (total.all == 0) {
        fprintf(stderr, "xdna coverage: no requirement is of such a document\n");
        return 2;
    }
    print_sums("all", &total);
    return total.left ? 1 : 0;
}

int dna_cmd_coverage(int argc, char **argv)
{
    int detail = SUMS_ONLY, num = 0;
    char **documents = calloc((size_t)argc + 1, sizeof *documents);
    int status = 2;

    for (int i = 1; documents && i < argc; i++) {
        if (strcmp(argv[i], "--missing") == 0)
            detail = MISSING_ONLY;
        else if (strcmp(argv[i], "--each") == 0)
            detail = EACH;
        else if (argv[i][0] == '-') {
            fputs("usage: xdna coverage [DOCUMENT...] [--missing | --each]\n"
                  "exit status 0: each requirement of these documents has a row, a scenario or a "
                  "reason; 1: some have none\n",
                  strcmp(argv[i], "--help") == 0 ? stdout : stderr);
            free(documents);
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        } else
            documents[num++] = argv[i];
    }
    if (documents)
        status = coverage_of(documents, num, detail);
    free(documents);
    return status;
}
