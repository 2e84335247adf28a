/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Reports in files: JUnit XML for a CI, transcripts, and the known-failure
 * file of a run. Wire data is hostile text: what XML does not allow is replaced.
 */
#include "conformance/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* the length of the UTF-8 sequence at text if XML 1.0 allows its character, else 0 */
static size_t allowed_len(const unsigned char *t)
{
    unsigned long code;
    size_t len;

    if (t[0] < 0x80)
        return t[0] >= 0x20 || t[0] == '\t' || t[0] == '\n' || t[0] == '\r';
    len = t[0] >= 0xf0 && t[0] < 0xf5 ? 4 : t[0] >= 0xe0 ? 3 : t[0] >= 0xc2 ? 2 : 0;
    if (t[0] >= 0xf5 || !len)
        return 0;
    code = t[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((t[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (t[i] & 0x3f);
    }
    if (code < (len == 2 ? 0x80u : len == 3 ? 0x800u : 0x10000u) || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff) || code == 0xfffe || code == 0xffff)
        return 0;
    return len;
}

void dna_xml_clean(struct dna_buf *out, const char *text)
{
    while (*text) {
        size_t len = allowed_len((const unsigned char *)text);
        char one[5] = { 0 };

        if (!len) {
            dna_buf_puts(out, "\xef\xbf\xbd");
            text++;
            continue;
        }
        memcpy(one, text, len);
        if (*one == '\r' || *one == '\t')
            dna_buf_printf(out, "&#%d;", *one);
        else
            dna_xml_escape(out, one);
        text += len;
    }
}

static void attribute(struct dna_buf *out, const char *name, const char *value)
{
    dna_buf_printf(out, " %s=\"", name);
    for (size_t start = out->len, i = 0; i < 1; i++) {
        dna_xml_clean(out, value);
        for (size_t k = start; k < out->len; k++)
            if (out->at[k] == '\n')
                out->at[k] = ' ';
    }
    dna_buf_puts(out, "\"");
}

static void property(struct dna_buf *out, const char *name, const char *value)
{
    dna_buf_puts(out, "<property");
    attribute(out, "name", name);
    attribute(out, "value", value);
    dna_buf_puts(out, "/>");
}

static void outcome(const struct dna_report *report, const struct dna_result *r,
                    struct dna_buf *out)
{
    struct dna_buf block = { 0 };
    const char *element = NULL, *type = dna_verdict_name(r->verdict);

    if (r->expectation == DNA_XFAIL || r->expectation == DNA_FLAKY ||
        r->verdict == DNA_VERDICT_SKIP || r->verdict == DNA_VERDICT_NONE) {
        dna_buf_puts(out, "<skipped");
        attribute(out, "message", r->verdict == DNA_VERDICT_SKIP ? r->message
                  : r->verdict == DNA_VERDICT_NONE ? "not run"
                  : dna_pool_printf(r->pool, "%s: %s %s", dna_expectation_name(r->expectation),
                                    r->reason ? r->reason : "", r->waiver ? r->waiver : ""));
        dna_buf_puts(out, "/>");
        return;
    }
    if (r->expectation != DNA_UNEXPECTED && r->expectation != DNA_XPASS)
        return;
    element = r->verdict == DNA_VERDICT_INCONC || r->verdict == DNA_VERDICT_ERROR ? "error"
                                                                                  : "failure";
    if (r->expectation == DNA_XPASS)
        type = "xpass";
    else if (r->verdict == DNA_VERDICT_FAIL || r->verdict == DNA_VERDICT_WARN)
        type = dna_pool_printf(r->pool, "%s.%s", dna_case_level_name(r->c->scn->level),
                               r->invariant == DNA_INVARIANT_BROKEN ? "invariant" : "signalling");
    dna_buf_printf(out, "<%s", element);
    attribute(out, "type", type);
    attribute(out, "message", r->message ? r->message : "it passes though it is known to fail");
    dna_buf_puts(out, ">");
    dna_failure_block(report, r, &block);
    dna_xml_clean(out, block.at);
    dna_buf_printf(out, "</%s>", element);
    dna_buf_free(&block);
}

static void testcase(const struct dna_report *report, const struct dna_result *r,
                     struct dna_buf *out)
{
    const struct dna_scn *scn = r->c->scn;

    dna_buf_puts(out, "  <testcase");
    attribute(out, "name", r->c->id);
    attribute(out, "classname", dna_pool_printf(r->pool, "%s.%s", scn->document, scn->section));
    dna_buf_printf(out, " time=\"%.4f\"", r->seconds);
    attribute(out, "file", scn->file);
    dna_buf_printf(out, " line=\"%d\"><properties>", r->line ? r->line : 1);
    property(out, "spec", scn->document);
    property(out, "section", scn->section);
    property(out, "level", dna_case_level_name(scn->level));
    property(out, "role", r->c->role);
    property(out, "invariant", dna_invariant_name(r->invariant));
    property(out, "signalling", dna_signalling_name(r->signalling));
    for (size_t i = 0; i < scn->num_reqs; i++)
        property(out, "requirement", dna_requirement((enum dna_req)scn->reqs[i])->id);
    if (r->verdict == DNA_VERDICT_WARN)
        property(out, "warn", r->message);
    if (r->reading)
        property(out, "reading", r->reading);
    if (r->transcript_path)
        property(out, "attachment", r->transcript_path);
    dna_buf_puts(out, "</properties>");
    outcome(report, r, out);
    if (r->transcript_path) {
        dna_buf_puts(out, "<system-out>[[ATTACHMENT|");
        dna_xml_clean(out, r->transcript_path);
        dna_buf_puts(out, "]]</system-out>");
    }
    dna_buf_puts(out, "</testcase>\n");
}

struct totals {
    unsigned tests, failures, errors, skipped;
    double seconds;
};

static void add_totals(struct totals *t, const struct dna_result *r)
{
    bool bad = r->expectation == DNA_UNEXPECTED || r->expectation == DNA_XPASS;
    bool error = r->verdict == DNA_VERDICT_INCONC || r->verdict == DNA_VERDICT_ERROR;

    t->tests++;
    t->seconds += r->seconds;
    if (r->verdict == DNA_VERDICT_SKIP || r->verdict == DNA_VERDICT_NONE ||
        r->expectation == DNA_XFAIL || r->expectation == DNA_FLAKY)
        t->skipped++;
    else if (bad && error)
        t->errors++;
    else if (bad)
        t->failures++;
}

static void put_totals(struct dna_buf *out, const struct totals *t)
{
    dna_buf_printf(out, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\" time=\"%.4f\"",
                   t->tests, t->failures, t->errors, t->skipped, t->seconds);
}

static void suite_properties(const struct dna_report *report, struct dna_buf *out)
{
    struct dna_buf features = { 0 };
    const struct dna_variant *v = &report->profile->variants[0];
    char seed[32], hash[DNA_MODEL_HASH_LEN] = "";

    dna_model_hash(hash);
    for (size_t i = 0; i < v->features.num; i++)
        dna_buf_printf(&features, "%s%s", i ? " " : "", v->features.at[i]);
    snprintf(seed, sizeof(seed), "%lu", report->seed);
    dna_buf_puts(out, "  <properties>");
    property(out, "tool", "xdna");
    property(out, "suite version", DNA_SUITE_VERSION);
    property(out, "model hash", hash);
    property(out, "profile", report->profile->name);
    property(out, "iut", report->profile->title);
    property(out, "iut version", report->profile->version ? report->profile->version : "");
    property(out, "seed", seed);
    property(out, "features", features.at ? features.at : "");
    dna_buf_puts(out, "</properties>\n");
    dna_buf_free(&features);
}

static bool write_file(const char *file, const struct dna_buf *text)
{
    FILE *f = fopen(file, "we");
    bool ok;

    if (!f)
        return false;
    ok = fwrite(text->at, 1, text->len, f) == text->len;
    return fclose(f) == 0 && ok;
}

bool dna_report_junit(const struct dna_report *report, const char *file)
{
    const struct dna_run_outcome *o = report->outcome;
    struct dna_buf out = { 0 };
    struct totals all = { 0 };
    bool ok;

    for (unsigned i = 0; i < o->num_results; i++)
        add_totals(&all, o->results[i]);
    dna_buf_puts(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"xdna\"");
    put_totals(&out, &all);
    attribute(&out, "timestamp", report->start);
    dna_buf_puts(&out, ">\n");
    for (unsigned i = 0, end; i < o->num_results; i = end) {
        const struct dna_scn *scn = o->results[i]->c->scn;
        struct totals t = { 0 };

        for (end = i; end < o->num_results &&
             strcmp(o->results[end]->c->scn->document, scn->document) == 0 &&
             strcmp(o->results[end]->c->scn->section, scn->section) == 0; end++)
            add_totals(&t, o->results[end]);
        dna_buf_printf(&out, " <testsuite name=\"%s/%s\"", scn->document, scn->section);
        put_totals(&out, &t);
        attribute(&out, "timestamp", report->start);
        dna_buf_puts(&out, ">\n");
        suite_properties(report, &out);
        for (unsigned k = i; k < end; k++)
            testcase(report, o->results[k], &out);
        dna_buf_puts(&out, " </testsuite>\n");
    }
    dna_buf_puts(&out, "</testsuites>\n");
    ok = write_file(file, &out);
    dna_buf_free(&out);
    return ok;
}

bool dna_report_transcript(struct dna_report *report, struct dna_result *r)
{
    struct dna_buf path = { 0 };
    struct dna_buf text = { 0 };
    bool ok;

    if (!r->transcript || r->verdict == DNA_VERDICT_SKIP)
        return true;
    if (mkdir(report->transcripts, 0777) != 0 && errno != EEXIST)
        return false;
    dna_buf_printf(&path, "%s/", report->transcripts);
    for (const char *c = r->c->id; *c; c++)
        dna_buf_add(&path, *c == '/' ? "_" : c, 1);
    dna_buf_puts(&path, ".txt");
    dna_buf_printf(&text, "%s %s (%s)\n%s\n\n%s", dna_verdict_name(r->verdict), r->c->id,
                   r->reason ? r->reason : "", r->c->scn->claim, r->transcript);
    if (r->log_tail)
        dna_buf_printf(&text, "\nlog of %s\n%s\n", report->profile->title, r->log_tail);
    ok = write_file(path.at, &text);
    r->transcript_path = dna_pool_strdup(r->pool, path.at);
    dna_buf_free(&path);
    dna_buf_free(&text);
    return ok;
}

bool dna_report_known_failures(const struct dna_report *report, const char *file)
{
    const struct dna_run_outcome *o = report->outcome;
    struct dna_buf out = { 0 };
    bool ok;

    dna_buf_printf(&out, "# Known failures of %s (%s), written by xdna run "
                   "--write-known-failures on %s.\n# CASE VERDICT reason=CODE [URL] [until=YYYY-MM]"
                   " # why\n", report->profile->title,
                   report->profile->version ? report->profile->version : "?", report->today);
    for (unsigned i = 0; i < o->num_results; i++)
        if (dna_verdict_is_bad(o->results[i], report->fail_on))
            dna_buf_printf(&out, "%s\n", dna_known_line(report->known, o->results[i]));
    ok = write_file(file, &out);
    dna_buf_free(&out);
    return ok;
}
