/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The console: one line for what is unexpected while a run goes on, a counter,
 * then a summary by section, the failure blocks, and the line that machines read.
 */
#include "conformance/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *paint(const struct dna_report *report, const struct dna_result *r)
{
    if (!report->color)
        return "";
    if (r->expectation == DNA_UNEXPECTED || r->expectation == DNA_XPASS)
        return "\033[31m";
    if (r->verdict == DNA_VERDICT_WARN || r->expectation == DNA_XFAIL)
        return "\033[33m";
    return r->verdict == DNA_VERDICT_PASS ? "\033[32m" : "";
}

static const char *plain(const struct dna_report *report)
{
    return report->color ? "\033[0m" : "";
}

void dna_report_init(struct dna_report *report)
{
    time_t now = time(NULL);
    struct tm utc;

    gmtime_r(&now, &utc);
    strftime(report->today, sizeof(report->today), "%Y-%m-%d", &utc);
    strftime(report->start, sizeof(report->start), "%Y-%m-%dT%H:%M:%SZ", &utc);
}

static void clear_counter(const struct dna_report *report)
{
    if (report->live)
        fputs("\r\033[K", stdout);
}

static void show_line(const struct dna_report *report, const struct dna_result *r)
{
    const char *word = r->expectation == DNA_XFAIL || r->expectation == DNA_XPASS ||
                       r->expectation == DNA_FLAKY ? dna_expectation_name(r->expectation)
                                                   : dna_verdict_name(r->verdict);

    printf("%s%-6s%s %s", paint(report, r), word, plain(report), r->c->id);
    if (r->verdict == DNA_VERDICT_INFO)
        printf("  %s", r->reading);
    else if (r->verdict != DNA_VERDICT_PASS && r->reason && *r->reason)
        printf("  [%s %s]", dna_verdict_name(r->verdict),
               r->verdict == DNA_VERDICT_SKIP ? r->message : r->reason);
    else if (r->allowed && report->verbosity > 0)
        printf("  (allowed: %s)", r->allowed);
    if (report->verbosity > 0 && r->seconds > 0)
        printf("  %.3f s", r->seconds);
    putchar('\n');
}

bool dna_report_case(struct dna_report *report, struct dna_result *r, unsigned done,
                     unsigned planned)
{
    static unsigned failed, warned;
    const char *replacement;
    bool unexpected;

    dna_known_apply(report->known, r, report->fail_on, report->today, &replacement);
    unexpected = r->expectation == DNA_UNEXPECTED || r->expectation == DNA_XPASS;
    failed += unexpected;
    warned += r->verdict == DNA_VERDICT_WARN;
    if (report->transcripts && !dna_report_transcript(report, r))
        fprintf(stderr, "xdna: cannot write a transcript below %s\n", report->transcripts);
    clear_counter(report);
    if (unexpected || report->verbosity > 0 ||
        (report->verbosity == 0 && !report->live && r->verdict != DNA_VERDICT_SKIP))
        show_line(report, r);
    if (report->verbosity > 1 && r->transcript)
        fputs(r->transcript, stdout);
    if (report->live)
        printf("%u unexpected %u warn %u/%u", failed, warned, done, planned);
    fflush(stdout);
    return unexpected;
}

void dna_report_message(struct dna_report *report, const char *text)
{
    clear_counter(report);
    fflush(stdout);
    fprintf(stderr, "xdna: %s\n", text);
}

/* ---- failure blocks ---- */

const char *dna_rerun_command(const struct dna_report *report, const struct dna_result *r)
{
    return dna_pool_printf(r->pool, "build/xdna run '%s' --profile %s%s%s -vv", r->c->id,
                           report->profile->name, r->c->scn->level == DNA_CASE_MAY
                               ? " --level may" : "", report->rerun ? report->rerun : "");
}

static void indented(struct dna_buf *out, const char *text, const char *indent)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        dna_buf_printf(out, "%s%.*s\n", indent, (int)len, text);
        text += len + (text[len] == '\n');
    }
}

/* the last lines of a transcript: what led to the end */
static void tail_of(struct dna_buf *out, const char *text, unsigned lines)
{
    const char *at = text + strlen(text);

    while (at > text && lines) {
        at--;
        if (at > text && at[-1] == '\n')
            lines--;
    }
    indented(out, at, "      ");
}

void dna_failure_block(const struct dna_report *report, const struct dna_result *r,
                       struct dna_buf *out)
{
    const struct dna_scn *scn = r->c->scn;

    dna_buf_printf(out, "%s %s\n", dna_verdict_name(r->verdict), r->c->id);
    dna_buf_printf(out, "  claim        %s\n", scn->claim);
    for (size_t i = 0; i < scn->num_reqs; i++) {
        const struct dna_requirement *q = dna_requirement((enum dna_req)scn->reqs[i]);

        dna_buf_printf(out, "  requirement  %s (%s %s, %s): %s\n", q->id, q->document, q->section,
                       dna_level_name(q->level), q->text);
    }
    if (r->line)
        dna_buf_printf(out, "  script       %s:%d: %s\n", r->file, r->line,
                       r->step ? r->step : "");
    if (r->step_file)
        dna_buf_printf(out, "               in %s:%d\n", r->step_file, r->step_line);
    if (r->expected)
        dna_buf_printf(out, "  expected     %s\n", r->expected);
    if (r->expected || r->got)
        dna_buf_printf(out, "  actual       %s\n", r->got ? r->got : "nothing came in time");
    else if (r->message)
        dna_buf_printf(out, "  message      %s\n", r->message);
    dna_buf_printf(out, "  axes         invariant %s, signalling %s, reason %s\n",
                   dna_invariant_name(r->invariant), dna_signalling_name(r->signalling),
                   r->reason && *r->reason ? r->reason : "-");
    if (r->oracle) {
        dna_buf_puts(out, "  the oracle objects\n");
        indented(out, r->oracle, "      ");
    }
    if (r->waiver)
        dna_buf_printf(out, "  waiver       %s\n", r->waiver);
    if (r->verdict == DNA_VERDICT_FAIL || r->verdict == DNA_VERDICT_INCONC)
        dna_buf_printf(out, "  impact       %s\n", scn->impact);
    if (r->transcript) {
        dna_buf_puts(out, "  transcript (its end)\n");
        tail_of(out, r->transcript, 12);
    }
    if (r->log_tail) {
        dna_buf_printf(out, "  log of %s\n", report->profile->title);
        indented(out, r->log_tail, "      ");
    }
    dna_buf_printf(out, "  again        %s\n", dna_rerun_command(report, r));
}

static void show_failures(const struct dna_report *report)
{
    const struct dna_run_outcome *o = report->outcome;

    for (unsigned i = 0; i < o->num_results; i++) {
        struct dna_result *r = o->results[i];
        struct dna_buf block = { 0 };
        const char *replacement;

        dna_known_apply(report->known, r, report->fail_on, report->today, &replacement);
        if (r->expectation != DNA_UNEXPECTED && r->expectation != DNA_XPASS)
            continue;
        dna_failure_block(report, r, &block);
        if (replacement)
            dna_buf_printf(&block, "  known        %s\n", replacement);
        printf("\n%s", block.at);
        dna_buf_free(&block);
    }
}

/* ---- summary ---- */

static bool same_section(const struct dna_result *a, const struct dna_result *b)
{
    return strcmp(a->c->scn->document, b->c->scn->document) == 0 &&
           strcmp(a->c->scn->section, b->c->scn->section) == 0;
}

static void show_sections(const struct dna_report *report)
{
    const struct dna_run_outcome *o = report->outcome;

    printf("\n%-26s %5s %5s %5s %5s %7s %5s %5s\n", "section", "cases", "pass", "warn", "fail",
           "inconc", "skip", "error");
    for (unsigned i = 0; i < o->num_results;) {
        unsigned of[DNA_NUM_VERDICTS + 1] = { 0 }, start = i;
        char name[80];

        for (; i < o->num_results && same_section(o->results[start], o->results[i]); i++)
            of[o->results[i]->verdict]++;
        snprintf(name, sizeof(name), "%s/%s", o->results[start]->c->scn->document,
                 o->results[start]->c->scn->section);
        printf("%-26s %5u %5u %5u %5u %7u %5u %5u\n", name, i - start,
               of[DNA_VERDICT_PASS] + of[DNA_VERDICT_INFO], of[DNA_VERDICT_WARN],
               of[DNA_VERDICT_FAIL], of[DNA_VERDICT_INCONC], of[DNA_VERDICT_SKIP],
               of[DNA_VERDICT_ERROR]);
    }
}

static void show_unstable(const struct dna_report *report)
{
    const struct dna_run_outcome *o = report->outcome;

    for (unsigned i = 0; i < o->num_results; i++)
        if (o->unstable[i])
            printf("unstable: %s: %u of %u runs ended otherwise than the first; the worst was %s\n",
                   o->results[i]->c->id, o->unstable[i], o->repeats,
                   dna_verdict_name(o->results[i]->verdict));
}

/* one line for each kind of objection: most of them recur in every case */
static void show_oracle(const struct dna_report *report)
{
    const struct dna_run_outcome *o = report->outcome;

    for (unsigned i = 0; i < o->num_results; i++) {
        const char *kind = o->results[i]->oracle_kind;
        unsigned before = 0, all = 0;

        for (unsigned k = 0; kind && k < o->num_results; k++) {
            bool same = o->results[k]->oracle_kind &&
                        strcmp(o->results[k]->oracle_kind, kind) == 0;

            before += same && k < i;
            all += same;
        }
        if (all && !before)
            printf("oracle: %s in %u case%s, first %s\n", kind, all, all == 1 ? "" : "s",
                   o->results[i]->c->id);
    }
    if (report->verbosity > 0 && o->oracle.walks)
        printf("oracle: %lu elements judged by %lu walks; %lu objections, %lu walks gave up\n",
               o->oracle.elements, o->oracle.walks, o->oracle.objections, o->oracle.gave_up);
}

/* --strict-features: what a variant declares and no case of this run needed is not shown */
static bool features_exercised(const struct dna_report *report)
{
    const struct dna_run_outcome *o = report->outcome;
    const struct dna_variant *v = &report->profile->variants[0];
    bool all = true;

    for (size_t f = 0; f < v->features.num; f++) {
        bool used = false;

        for (unsigned i = 0; i < o->num_results && !used; i++) {
            const struct dna_scn *scn = o->results[i]->c->scn;

            if (o->results[i]->verdict == DNA_VERDICT_SKIP)
                continue;
            for (size_t n = 0; n < scn->needs.num; n++)
                used = used || strcmp(scn->needs.at[n], v->features.at[f]) == 0;
        }
        if (!used) {
            printf("strict: feature %s is declared and no case that ran needs it\n",
                   v->features.at[f]);
            all = false;
        }
    }
    return all;
}

void dna_report_end(struct dna_report *report, unsigned required)
{
    const struct dna_run_outcome *o = report->outcome;
    bool strict_ok = true;

    clear_counter(report);
    for (unsigned i = 0; i < o->num_results; i++)
        dna_counts_add(&report->counts, o->results[i]);
    if (o->hard)
        fprintf(stderr, "xdna: %s\n", o->text);
    if (report->verbosity >= 0 && o->num_results && !o->hard)
        show_sections(report);
    if (!o->hard)
        show_failures(report);
    show_unstable(report);
    show_oracle(report);
    if (report->strict_features && !o->hard)
        strict_ok = features_exercised(report);
    report->exit_status = dna_exit_status(&report->counts, o->hard, false, required);
    if (!strict_ok && report->exit_status == 0)
        report->exit_status = 1;
    if (o->interrupted)
        report->exit_status = 128 + o->interrupted;
    if (o->out_of_time)
        fprintf(stderr, "xdna: the run's deadline passed with %u cases not run\n",
                report->counts.not_run);
    if (!report->counts.planned && !o->hard)
        fprintf(stderr, "xdna: nothing is left of the selection (--level, which is should unless "
                        "said otherwise, --role, --skip)\n");
    if (report->exit_status == 77)
        fprintf(stderr, "xdna: everything selected is not applicable to %s\n",
                report->profile->title);
    if (required && report->exit_status == 1 && !report->counts.unexpected && strict_ok)
        fprintf(stderr, "xdna: fewer than %u cases got a verdict\n", required);
    if (o->skipped_by_request)
        printf("%u skipped by request: this result is PARTIAL\n", o->skipped_by_request);
}

void dna_report_result_line(const struct dna_report *report)
{
    const struct dna_counts *c = &report->counts;
    const char *status = report->exit_status == 0 ? "pass" : report->exit_status == 1 ? "fail"
                       : report->exit_status == 77 ? "skip"
                       : report->exit_status >= 128 ? "interrupted" : "error";

    fflush(stderr);
    printf("RESULT status=%s%s profile=%s planned=%u pass=%u info=%u warn=%u fail=%u inconc=%u "
           "skip=%u error=%u xfail=%u xpass=%u flaky=%u unexpected=%u not_run=%u seconds=%.1f "
           "seed=%lu exit=%d\n", status, report->outcome->skipped_by_request ? "-partial" : "",
           report->profile->name, c->planned, c->of[DNA_VERDICT_PASS], c->of[DNA_VERDICT_INFO],
           c->of[DNA_VERDICT_WARN], c->of[DNA_VERDICT_FAIL], c->of[DNA_VERDICT_INCONC],
           c->of[DNA_VERDICT_SKIP], c->of[DNA_VERDICT_ERROR], c->xfail, c->xpass, c->flaky,
           c->unexpected, c->not_run, report->outcome->seconds, report->seed,
           report->exit_status);
    fflush(stdout);
}
