/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The run as one JSON document: results sorted by id, equal bytes for equal
 * results; what differs from run to run (times, seed) stands in objects of its own.
 */
#include "conformance/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <jansson.h>
#include <openssl/crypto.h>

/* wire data may be anything: what is not UTF-8 is replaced, a string never lost */
static json_t *text(const char *value)
{
    json_t *j;
    struct dna_buf clean = { 0 };

    if (!value)
        return json_null();
    j = json_string(value);
    if (j)
        return j;
    for (; *value; value++)
        dna_buf_add(&clean, (unsigned char)*value < 0x80 ? value : "?", 1);
    j = json_string(clean.at ? clean.at : "");
    dna_buf_free(&clean);
    return j;
}

static json_t *clauses(const struct dna_scn *scn)
{
    json_t *all = json_array();

    for (size_t i = 0; i < scn->num_reqs; i++) {
        const struct dna_requirement *q = dna_requirement((enum dna_req)scn->reqs[i]);

        json_array_append_new(all, json_pack("{s:s,s:s,s:s,s:s,s:o}", "id", q->id, "doc",
                                             q->document, "section", q->section, "level",
                                             dna_level_name(q->level), "paraphrase",
                                             text(q->text)));
    }
    return all;
}

static json_t *words(const struct dna_words_list *list)
{
    json_t *all = json_array();

    for (size_t i = 0; i < list->num; i++)
        json_array_append_new(all, text(list->at[i]));
    return all;
}

static json_t *case_json(const struct dna_case *c)
{
    const struct dna_scn *scn = c->scn;

    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:o,s:o,s:o,s:o,s:o}", "id", c->id, "scenario",
                     scn->id, "role", c->role, "variant", c->variant, "level",
                     dna_case_level_name(scn->level), "file", scn->file, "rev", (int)scn->rev,
                     "title", text(scn->claim), "impact", text(scn->impact), "clauses",
                     clauses(scn), "needs", words(&scn->needs), "aliases", words(&scn->aliases));
}

static json_t *result_json(const struct dna_report *report, const struct dna_result *r)
{
    json_t *j = case_json(r->c);

    json_object_set_new(j, "verdict", text(dna_verdict_name(r->verdict)));
    json_object_set_new(j, "expectation", text(dna_expectation_name(r->expectation)));
    json_object_set_new(j, "waiver", text(r->waiver));
    json_object_set_new(j, "invariant", text(dna_invariant_name(r->invariant)));
    json_object_set_new(j, "signalling", text(dna_signalling_name(r->signalling)));
    json_object_set_new(j, "allowed", text(r->allowed));
    json_object_set_new(j, "reading", text(r->reading));
    json_object_set_new(j, "reason_code", text(r->reason));
    json_object_set_new(j, "line", json_integer(r->line));
    json_object_set_new(j, "transcript", text(r->transcript_path));
    json_object_set_new(j, "repro", text(dna_rerun_command(report, r)));
    return j;
}

/* what was seen holds fresh names and ids: beside the results, so that those compare */
static json_t *details(const struct dna_run_outcome *o)
{
    json_t *all = json_object();

    for (unsigned i = 0; i < o->num_results; i++) {
        const struct dna_result *r = o->results[i];

        json_object_set_new(all, r->c->id,
                            json_pack("{s:i,s:o,s:o,s:o,s:o,s:i}", "duration_ms",
                                      (int)(r->seconds * 1000), "expected", text(r->expected),
                                      "got", text(r->got), "message", text(r->message),
                                      "oracle", text(r->oracle),
                                      "unstable", (int)o->unstable[i]));
    }
    return all;
}

static json_t *counts(const struct dna_counts *c)
{
    json_t *all = json_object();

    json_object_set_new(all, "planned", json_integer(c->planned));
    for (int v = 0; v < DNA_NUM_VERDICTS; v++) {
        char name[16];

        snprintf(name, sizeof(name), "%s", dna_verdict_name((enum dna_verdict)v));
        for (char *p = name; *p; p++)
            *p = (char)(*p | 0x20);
        json_object_set_new(all, name, json_integer(c->of[v]));
    }
    json_object_set_new(all, "xfail", json_integer(c->xfail));
    json_object_set_new(all, "xpass", json_integer(c->xpass));
    json_object_set_new(all, "flaky", json_integer(c->flaky));
    json_object_set_new(all, "unexpected", json_integer(c->unexpected));
    json_object_set_new(all, "not_run", json_integer(c->not_run));
    return all;
}

static json_t *iut(const struct dna_report *report)
{
    const struct dna_variant *v = &report->profile->variants[0];
    json_t *features = json_array();

    for (size_t i = 0; i < v->features.num; i++)
        json_array_append_new(features, text(v->features.at[i]));
    return json_pack("{s:o,s:o,s:o,s:o}", "name", text(report->profile->title), "version",
                     text(report->profile->version), "profile", text(report->profile->name),
                     "features", features);
}

static json_t *run(const struct dna_report *report)
{
    const struct dna_run_outcome *o = report->outcome;
    json_t *argv = json_array();

    for (char **a = report->argv; a && *a; a++)
        json_array_append_new(argv, text(*a));
    return json_pack("{s:o,s:f,s:I,s:o,s:b,s:b,s:i,s:i}", "start", text(report->start), "seconds",
                     o->seconds, "seed", (json_int_t)report->seed, "argv", argv, "interrupted",
                     o->interrupted != 0, "partial", o->skipped_by_request != 0, "repeats",
                     (int)o->repeats, "exit", report->exit_status);
}

bool dna_report_json(const struct dna_report *report, const char *file)
{
    const struct dna_run_outcome *o = report->outcome;
    char hash[DNA_MODEL_HASH_LEN] = "";
    struct utsname os;
    json_t *results = json_array(), *top;
    bool ok;

    uname(&os);
    dna_model_hash(hash);
    for (unsigned i = 0; i < o->num_results; i++)
        json_array_append_new(results, result_json(report, o->results[i]));
    top = json_pack("{s:s,s:i,s:s,s:{s:s,s:s,s:i},s:o,s:{s:s,s:s},s:o,s:o,s:o,s:o}", "$schema",
                    "xdna-run-1", "schema_version", 1, "tool", "xdna", "suite", "version",
                    DNA_SUITE_VERSION, "model_hash", hash, "cases", (int)report->suite->num_cases,
                    "iut", iut(report), "env", "os", os.sysname, "openssl",
                    OpenSSL_version(OPENSSL_VERSION), "run", run(report), "counts",
                    counts(&report->counts), "results", results, "details", details(o));
    ok = top && json_dump_file(top, file, JSON_SORT_KEYS | JSON_INDENT(2)) == 0;
    json_decref(top);
    return ok;
}

bool dna_list_json(const struct dna_suite *suite)
{
    json_t *all = json_array();
    bool ok;

    for (size_t i = 0; i < suite->num_cases; i++)
        if (suite->cases[i].selected)
            json_array_append_new(all, case_json(&suite->cases[i]));
    ok = json_dumpf(all, stdout, JSON_SORT_KEYS | JSON_INDENT(2)) == 0;
    putchar('\n');
    json_decref(all);
    return ok;
}
