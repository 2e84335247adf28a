/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Reading waivers, holding them against the suite, and telling XFAIL from
 * XPASS.
 */
#include "conformance/known.h"
#include "conformance/scn_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct dna_known *dna_known_new(void)
{
    struct dna_known *known = dna_xcalloc(1, sizeof(*known));

    known->pool = dna_pool_new();
    return known;
}

void dna_known_free(struct dna_known *known)
{
    if (!known)
        return;
    dna_pool_free(known->pool);
    free(known);
}

static bool is_month(const char *text)
{
    for (int i = 0; i < 7; i++)
        if (i == 4 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
            return false;
    return !text[7] || (text[7] == '-' && isdigit((unsigned char)text[8]) &&
                        isdigit((unsigned char)text[9]) && !text[10]);
}

static void entry_word(struct dna_known_entry *e, const char *word, struct dna_scn_diags *diags)
{
    if (strncmp(word, "reason=", 7) == 0)
        e->reason = word + 7;
    else if (strncmp(word, "until=", 6) == 0)
        e->until = word + 6;
    else if (strstr(word, "://"))
        e->url = word;
    else
        scn_error(diags, e->file, e->line, "unexpected '%s' (reason=CODE URL until=YYYY-MM # why)",
                  word);
    if (e->until && !is_month(e->until))
        scn_error(diags, e->file, e->line, "until= wants YYYY-MM or YYYY-MM-DD, not '%s'",
                  e->until);
}

static void parse_entry(struct dna_known *known, const char *file, int line, const char *text,
                        bool flaky, struct dna_scn_diags *diags)
{
    struct dna_known_entry *e = dna_pool_alloc(known->pool, sizeof(*e)), **tail = &known->entries;
    const char *hash = strstr(text, " #"), *at, *word;

    e->file = file;
    e->line = line;
    e->flaky = flaky;
    e->why = hash ? scn_skip_space(hash + 2) : "";
    at = hash ? dna_pool_strndup(known->pool, text, (size_t)(hash - text)) : text;
    e->pattern = scn_word(known->pool, &at, NULL);
    word = scn_word(known->pool, &at, NULL);
    e->verdict = word ? dna_verdict_of(word) : DNA_VERDICT_NONE;
    if (e->verdict == DNA_VERDICT_NONE || e->verdict == DNA_VERDICT_SKIP ||
        e->verdict == DNA_VERDICT_PASS)
        scn_error(diags, file, line, "the verdict of '%s' is FAIL, INCONC, WARN, ERROR or INFO, "
                  "not '%s'", e->pattern, word ? word : "");
    while ((word = scn_word(known->pool, &at, NULL)))
        entry_word(e, word, diags);
    if (!e->reason || !*e->reason)
        scn_error(diags, file, line, "the entry for '%s' gives no reason=", e->pattern);
    while (*tail)
        tail = &(*tail)->next;
    *tail = e;
}

void dna_known_parse(struct dna_known *known, const char *file, const char *text, bool flaky,
                     struct dna_scn_diags *diags)
{
    int line = 0;

    file = dna_pool_strdup(known->pool, file);
    while (*text) {
        size_t len = strcspn(text, "\n");
        char *copy = dna_pool_strndup(known->pool, text, len);
        const char *start = scn_skip_space(copy);

        line++;
        if (*start && *start != '#')
            parse_entry(known, file, line, start, flaky, diags);
        text += len + (text[len] == '\n');
    }
}

void dna_known_read(struct dna_known *known, const char *file, bool flaky,
                    struct dna_scn_diags *diags)
{
    char *text = scn_read_file(file);

    if (!text) {
        scn_error(diags, file, 0, "cannot be read");
        return;
    }
    dna_known_parse(known, file, text, flaky, diags);
    free(text);
}

static bool entry_matches(const struct dna_known_entry *e, const struct dna_case *c)
{
    return dna_selector_match(e->pattern, c, true);
}

const struct dna_known_entry *dna_known_find(const struct dna_known *known,
                                             const struct dna_case *c)
{
    for (const struct dna_known_entry *e = known->entries; e; e = e->next)
        if (entry_matches(e, c))
            return e;
    return NULL;
}

static void check_entry(const struct dna_known_entry *e, const struct dna_suite *suite,
                        dna_known_skip_fn skip, void *arg, struct dna_scn_diags *diags,
                        struct dna_buf *warnings)
{
    size_t matched = 0, skipped = 0;
    const char *why = NULL, *renamed = NULL;

    for (size_t i = 0; i < suite->num_cases; i++) {
        const struct dna_case *c = &suite->cases[i];
        const char *reason;

        if (!entry_matches(e, c))
            continue;
        matched++;
        if (!dna_selector_match(e->pattern, c, false))
            renamed = c->scn->id;
        reason = skip ? skip(c, arg) : NULL;
        if (reason) {
            skipped++;
            why = reason;
        }
    }
    if (!matched)
        scn_error(diags, e->file, e->line, "'%s' matches no case", e->pattern);
    else if (skipped == matched)
        scn_error(diags, e->file, e->line, "'%s' matches only cases that this profile does not "
                  "run: %s", e->pattern, why);
    if (renamed)
        dna_buf_printf(warnings, "%s:%d: warning: '%s' was renamed to %s\n", e->file, e->line,
                       e->pattern, renamed);
}

void dna_known_check(const struct dna_known *known, const struct dna_suite *suite, bool strict,
                     dna_known_skip_fn skip, void *arg, struct dna_scn_diags *diags,
                     struct dna_buf *warnings)
{
    for (const struct dna_known_entry *e = known->entries; e; e = e->next) {
        check_entry(e, suite, skip, arg, diags, warnings);
        if (strict && !e->url)
            scn_error(diags, e->file, e->line, "the entry for '%s' names no tracker (URL)",
                      e->pattern);
    }
    for (size_t i = 0; i < suite->num_cases; i++) {
        const struct dna_known_entry *first = NULL;

        for (const struct dna_known_entry *e = known->entries; e; e = e->next) {
            if (!entry_matches(e, &suite->cases[i]))
                continue;
            if (first) {
                scn_error(diags, e->file, e->line, "%s has two entries: also %s:%d",
                          suite->cases[i].id, first->file, first->line);
                break;
            }
            first = e;
        }
    }
}

static bool is_over(const struct dna_known_entry *e, const char *today)
{
    /* "2027-06" holds to the end of that month */
    return e->until && strncmp(today, e->until, strlen(e->until)) > 0;
}

char *dna_known_line(const struct dna_known *known, const struct dna_result *r)
{
    const struct dna_known_entry *e = known ? dna_known_find(known, r->c) : NULL;

    return dna_pool_printf(r->pool, "%s  %s  reason=%s%s%s  # %s", r->c->id,
                           dna_verdict_name(r->verdict),
                           r->reason && *r->reason ? r->reason : "none",
                           e && e->url ? "  " : "", e && e->url ? e->url : "",
                           e && *e->why ? e->why : "CHANGE ME");
}

void dna_known_apply(const struct dna_known *known, struct dna_result *r,
                     enum dna_fail_on fail_on, const char *today, const char **out_replacement)
{
    const struct dna_known_entry *e = known ? dna_known_find(known, r->c) : NULL;
    bool bad = dna_verdict_is_bad(r, fail_on);

    *out_replacement = NULL;
    r->expectation = bad ? DNA_UNEXPECTED : DNA_EXPECTED;
    if (!e || r->verdict == DNA_VERDICT_SKIP || r->verdict == DNA_VERDICT_NONE)
        return;
    r->waiver = dna_pool_printf(r->pool, "%s%s%s", e->why, *e->why && e->url ? " " : "",
                                e->url ? e->url : "");
    if (e->flaky) {
        r->expectation = DNA_FLAKY;
    } else if (is_over(e, today)) {
        r->expectation = DNA_UNEXPECTED;
        *out_replacement = dna_pool_printf(r->pool, "%s:%d: the entry ran out on %s: remove it or "
                                           "move until=", e->file, e->line, e->until);
    } else if (r->verdict == e->verdict &&
               dna_glob_match(e->reason, r->reason ? r->reason : "")) {
        r->expectation = DNA_XFAIL;
    } else {
        r->expectation = bad ? DNA_UNEXPECTED : DNA_XPASS;
        *out_replacement = r->verdict == DNA_VERDICT_PASS
            ? dna_pool_printf(r->pool, "%s:%d: it passes now: remove the entry for %s", e->file,
                              e->line, r->c->id)
            : dna_pool_printf(r->pool, "%s:%d: replace by: %s", e->file, e->line,
                              dna_known_line(known, r));
    }
}
