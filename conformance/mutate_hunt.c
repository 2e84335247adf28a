/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna mutate cases` and `xdna mutate rows`: for each case a damage to the
 * tables that makes it fail, and for each row a case that fails with one of its damages.  Those
 * that are known are played first; then likely faults of rows that are rare, round after round.
 * What was found is played once more, beside the same case undamaged: a busy machine is no mutant.
 */
#include "conformance/killers.h"
#include "conformance/mutate.h"
#include "conformance/mutate_cmd.h"
#include "model/machines.h"
#include "model/overlay.h"
#include "spec/req.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DAMAGES = 400, NUM_ROUNDS = 7, MAX_ROWS = 4096 };

/* How many pairs of a subject are tried at once, round after round. */
static const unsigned at_once[NUM_ROUNDS] = { 4, 8, 16, 32, 64, 128, 400 };

/* A case and a damage to a row that fires in it. */
struct chance {
    const struct dna_case *c;
    const char *damage;
    unsigned order; /* low ones are tried first */
};

/* What is to be killed by, or to kill: a case, or a row. */
struct subject {
    const char *name;
    const struct dna_case *known_case; /* of the list, with the damage; or NULL */
    const char *known;
    const char *reason; /* of the list: why there is none, or NULL */
    const struct dna_case *c;
    const char *killer; /* found, and seen to fail c */
    bool broken, confirmed, skipped;
    bool reading;  /* undamaged the case only notes what the server does */
    bool security; /* the row cites a requirement that is marked so */
    size_t next;   /* chances that were tried */
};

struct hunt {
    struct dna_mutate_lab *m;
    const struct dna_mutate_options *o;
    struct dna_map map;
    struct subject *subjects;
    size_t num;
    const char **damages[MAX_ROWS]; /* of each row, made when they are asked for */
    size_t num_damages[MAX_ROWS];
    struct dna_play *plays;
    size_t *whose; /* of each play */
    size_t num_plays, room, played;
    struct timeval begun;
};

static int by_order(const void *a, const void *b)
{
    const struct chance *x = a, *y = b;

    return x->order < y->order ? -1 : x->order > y->order;
}

static size_t damages_of(struct hunt *h, size_t row, const char ***out)
{
    const char *some[MAX_DAMAGES];

    if (!h->damages[row]) {
        size_t num = dna_row_damages(row, h->m->pool, some, MAX_DAMAGES);

        h->damages[row] = dna_pool_alloc(h->m->pool, (num + 1) * sizeof(*some));
        memcpy(h->damages[row], some, num * sizeof(*some));
        h->num_damages[row] = num;
    }
    *out = h->damages[row];
    return h->num_damages[row];
}

struct chances {
    struct chance *at;
    size_t num, room;
};

static void add_chance(struct chances *all, const struct dna_case *c, const char *damage,
                       unsigned order)
{
    if (all->num == all->room) {
        all->room = all->room ? 2 * all->room : 256;
        all->at = dna_xrealloc(all->at, all->room * sizeof(*all->at));
    }
    all->at[all->num++] = (struct chance){ c, damage, order };
}

static void add_damages(struct hunt *h, struct chances *all, size_t row, const struct dna_case *c,
                        unsigned order, unsigned step)
{
    const char **damages;
    size_t num = damages_of(h, row, &damages);

    for (size_t d = 0; d < num; d++)
        add_chance(all, c, damages[d], order + (unsigned)d * step);
}

/* A row that was passed over, for its guard did not hold, is tried with its guard forced. */
static void add_passed_over(struct hunt *h, struct chances *all, size_t number,
                            const struct dna_case *c, unsigned order)
{
    size_t row;
    const struct dna_machine *m = dna_row_machine(number, &row);

    for (size_t q = row;
         q > 0 && m->rows[q - 1].in == m->rows[row].in && m->rows[q - 1].on == m->rows[row].on;
         q--) {
        const struct dna_mutant forced = { m, q - 1, DNA_FORCE_TRUE, 0, 0 };
        char text[200];

        dna_mutant_print(&forced, text, sizeof text);
        add_chance(all, c, dna_pool_strdup(h->m->pool, text), order);
    }
}

/* Of a case: what can be done to the rows that fire in it, rare rows first. */
static void chances_of_case(struct hunt *h, size_t subject, struct chances *all)
{
    static const char *const faults[] = { DNA_FAULT "clear_text_behind_starttls",
                                          DNA_FAULT "first_certificate",
                                          DNA_FAULT "names_refused",
                                          DNA_FAULT "records_kept" };
    const uint32_t first = h->map.first[subject];

    for (size_t f = 0; f < sizeof(faults) / sizeof(*faults); f++)
        add_chance(all, h->subjects[subject].c, faults[f], 200);

    for (uint32_t i = first; i < h->map.first[subject + 1]; i++) {
        add_damages(h, all, h->map.hits[i].row, h->subjects[subject].c, i - first, 2);
        add_passed_over(h, all, h->map.hits[i].row, h->subjects[subject].c, i - first + 6);
    }
}

/* Of a row: what can be done to it, in the cases in which the fewest others fire first. */
static void chances_of_row(struct hunt *h, size_t row, struct chances *all)
{
    for (size_t i = 0; i < h->map.num; i++) {
        const struct dna_hit *hit = &h->map.hits[i];

        if (hit->row == row)
            add_damages(h, all, row, &h->m->suite->cases[hit->c],
                        h->map.rows_of[hit->c] +
                            (dna_mutate_alone(h->m, &h->m->suite->cases[hit->c]) ? 1000 : 0),
                        8);
    }
}

static void chances(struct hunt *h, size_t subject, struct chances *all)
{
    *all = (struct chances){ NULL, 0, 0 };
    if (h->o->rows)
        chances_of_row(h, subject, all);
    else
        chances_of_case(h, subject, all);
    if (all->num)
        qsort(all->at, all->num, sizeof(*all->at), by_order);
}

static void add_play(struct hunt *h, size_t subject, const struct dna_case *c, const char *damage)
{
    if (h->num_plays == h->room) {
        h->room = h->room ? 2 * h->room : 4096;
        h->plays = dna_xrealloc(h->plays, h->room * sizeof(*h->plays));
        h->whose = dna_xrealloc(h->whose, h->room * sizeof(*h->whose));
    }
    h->whose[h->num_plays] = subject;
    h->plays[h->num_plays++] = (struct dna_play){ .c = c, .damage = damage };
}

/* Rows without security are searched only when the list is written anew. */
static bool searched(const struct hunt *h, const struct subject *s)
{
    return !h->o->rows || s->security || s->known || h->o->write;
}

static bool open_yet(const struct subject *s)
{
    return !s->killer && !s->skipped && !s->reason;
}

/* The first play that failed is the killer, but one that broke the invariant says more. */
static int play_and_note(struct hunt *h)
{
    int status = dna_mutate_play(h->m, h->plays, h->num_plays, NULL);

    h->played += h->num_plays;
    for (size_t i = 0; i < h->num_plays && !status; i++) {
        const struct dna_play *play = &h->plays[i];
        struct subject *s = &h->subjects[h->whose[i]];

        if (dna_play_fails(play) && (!s->killer || (play->broken && !s->broken))) {
            s->killer = play->damage;
            s->c = play->c;
            s->broken = play->broken;
        }
    }
    h->num_plays = 0;
    return status;
}

static int play_known(struct hunt *h)
{
    for (size_t i = 0; i < h->num; i++)
        if (h->subjects[i].known && open_yet(&h->subjects[i]))
            add_play(h, i, h->subjects[i].known_case, h->subjects[i].known);
    return h->num_plays ? play_and_note(h) : 0;
}

/* Cases that have the lab for themselves are slow: they have rounds of their own, with fewer. */
static int search_round(struct hunt *h, unsigned num, bool alone)
{
    size_t left = 0;

    for (size_t i = 0; i < h->num; i++) {
        struct subject *s = &h->subjects[i];
        struct chances all;

        if (!open_yet(s) || !searched(h, s) ||
            (!h->o->rows && dna_mutate_alone(h->m, s->c) != alone))
            continue;
        chances(h, i, &all);
        for (unsigned n = 0; n < num && s->next < all.num; n++, s->next++) {
            if (h->o->rows && dna_mutate_alone(h->m, all.at[s->next].c) != alone)
                break;
            add_play(h, i, all.at[s->next].c, all.at[s->next].damage);
        }
        free(all.at);
        left++;
    }
    if (!h->num_plays)
        return 0;
    printf("mutate: %zu to go, %zu plays%s, after %.0f s\n", left, h->num_plays,
           alone ? " with a clock of their own" : "", dna_seconds_since(&h->begun));
    fflush(stdout);
    return play_and_note(h);
}

static int confirm(struct hunt *h)
{
    int status;

    for (size_t i = 0; i < h->num; i++) {
        const struct subject *s = &h->subjects[i];

        if (!s->killer || s->confirmed)
            continue;
        add_play(h, i, s->c, s->killer);
        add_play(h, i, s->c, "");
    }
    if (!h->num_plays)
        return 0;
    status = dna_mutate_play(h->m, h->plays, h->num_plays, NULL);
    h->played += h->num_plays;
    for (size_t i = 0; i + 1 < h->num_plays && !status; i += 2) {
        struct subject *s = &h->subjects[h->whose[i]];

        s->confirmed = dna_play_fails(&h->plays[i]) && !dna_play_fails(&h->plays[i + 1]);
        s->broken = s->confirmed && (s->broken || h->plays[i].broken);
        if (!s->confirmed)
            s->killer = NULL;
    }
    h->num_plays = 0;
    return status;
}

static int write_known(const struct hunt *h);

static int search(struct hunt *h)
{
    int status = play_known(h);

    if (!status)
        status = confirm(h);
    for (unsigned round = 0; round < NUM_ROUNDS && !status; round++) {
        status = search_round(h, at_once[round], false);
        if (!status)
            status = search_round(h, at_once[round] / 4, true);
        if (!status)
            status = confirm(h);
        if (!status)
            status = write_known(h); /* what was found is not lost, should the rest be stopped */
    }
    return status;
}

/* ---- subjects, and the list of what is known of them ---- */

static void set_cases(struct hunt *h)
{
    h->num = h->m->suite->num_cases;
    h->subjects = dna_xcalloc(h->num, sizeof(*h->subjects));
    for (size_t i = 0; i < h->num; i++) {
        struct subject *s = &h->subjects[i];

        s->c = &h->m->suite->cases[i];
        s->name = s->c->id;
        s->skipped = !s->c->selected || dna_skip_reason(s->c, h->m->profile, h->m->pool) != NULL;
    }
}

static bool is_security(const struct dna_row *row)
{
    for (const uint16_t *why = row->because; why && *why != DNA_REQ_END; why++)
        if (dna_requirement((enum dna_req)*why)->marks & REQ_SEC)
            return true;
    return false;
}

static void set_rows(struct hunt *h)
{
    h->num = dna_num_rows();
    h->subjects = dna_xcalloc(h->num, sizeof(*h->subjects));
    for (size_t i = 0; i < h->num; i++) {
        size_t index;
        const struct dna_machine *m = dna_row_machine(i, &index);
        const struct dna_row *row = &m->rows[index];
        bool later = row->choice && index && m->rows[index - 1].choice &&
                     strcmp(m->rows[index - 1].choice, row->choice) == 0;

        h->subjects[i].name = row->id;
        h->subjects[i].security = is_security(row);
        h->subjects[i].skipped = row->kind == DNA_DEAD || row->kind == DNA_IGNORE || later;
    }
}

static const struct dna_case *find_case(const struct hunt *h, const char *id)
{
    for (size_t i = 0; id && i < h->m->suite->num_cases; i++)
        if (strcmp(h->m->suite->cases[i].id, id) == 0)
            return &h->m->suite->cases[i];
    return NULL;
}

static bool take_entry(void *ctx, const struct dna_killer *entry, char *why, size_t size)
{
    struct hunt *h = ctx;
    struct subject *s = h->subjects, *end = s + h->num;

    while (s < end && strcmp(s->name, entry->name) != 0)
        s++;
    if (s == end)
        return snprintf(why, size, "there is no %s '%s'", h->o->rows ? "row" : "case",
                        entry->name), false;
    if (entry->reason) {
        s->reason = dna_pool_strdup(h->m->pool, entry->reason);
        return true;
    }
    s->known_case = h->o->rows ? find_case(h, entry->case_id) : s->c;
    if (!s->known_case)
        return snprintf(why, size, "there is no case '%s'", entry->case_id), false;
    s->known = dna_pool_strdup(h->m->pool, entry->damage);
    return true;
}

static void write_list(const struct hunt *h, FILE *out)
{
    fprintf(
        out,
        "# %s, as `xdna mutate %s`\n# saw it; '!' where a stanza then crosses that must not; '-' "
        "and "
        "a reason (written by hand) where there is none.\n# Written by `make killers`.\n",
        h->o->rows
            ? "For each row of the tables a damage to it (model/overlay.h) and a case that fails "
              "with it"
            : "For each case a damage to a row of the tables (model/overlay.h) that makes it fail",
        h->o->rows ? "rows" : "cases");
    for (size_t i = 0; i < h->num; i++) {
        const struct subject *s = &h->subjects[i];

        if (s->killer && h->o->rows)
            fprintf(out, "%s %s %s%s\n", s->name, s->killer, s->c->id, s->broken ? " !" : "");
        else if (s->killer)
            fprintf(out, "%s %s%s\n", s->name, s->killer, s->broken ? " !" : "");
        else if (s->reason)
            fprintf(out, "%s - %s\n", s->name, s->reason);
    }
}

/* A reason that is given though the row is of no case, or is killed by now, is found by hand:
 * search it. */
struct totals {
    unsigned killed, broken, reasons, readings, skipped, open, left, secure, of_secure;
};

static void count(const struct hunt *h, struct totals *t)
{
    for (size_t i = 0; i < h->num; i++) {
        const struct subject *s = &h->subjects[i];
        bool nothing = open_yet(s) && !s->reading, left = h->o->rows && !s->security;

        t->killed += s->killer != NULL;
        t->broken += s->killer && s->broken;
        t->skipped += s->skipped;
        t->readings += open_yet(s) && s->reading;
        t->reasons += !s->killer && !s->skipped && s->reason;
        t->of_secure += s->security && !s->skipped;
        t->secure += s->security && s->killer;
        t->left += nothing && left;
        t->open += nothing && !left;
        if (nothing && !left)
            printf("mutate: nothing %s %s (%zu tried)\n",
                   h->o->rows ? "shows a damage to" : "makes this case fail:", s->name, s->next);
    }
}

/* Rows that are not marked as security are left to the derived sessions, where no case shows them.
 */
static int report(const struct hunt *h)
{
    struct totals t = { 0 };

    count(h, &t);
    if (h->o->rows)
        printf("mutate: %u rows are shown by hand-written cases, of these %u of the %u that are "
               "marked as security; %u cannot be, with a reason; %u others are left to derived "
               "sessions; %u open; %zu plays, %.0f s\n",
               t.killed, t.secure, t.of_secure, t.reasons, t.left, t.open, h->played,
               dna_seconds_since(&h->begun));
    else
        printf("mutate: %u cases were seen to fail, each with damage to a row that fires in it (in "
               "%u a stanza crossed that must not); %u cannot, with a reason; %u only read; %u are "
               "not for this server; %u open; %zu plays, %.0f s\n",
               t.killed, t.broken, t.reasons, t.readings, t.skipped, t.open, h->played,
               dna_seconds_since(&h->begun));
    printf("RESULT mutate=%s killed=%u broken=%u reasons=%u left=%u open=%u\n",
           h->o->rows ? "rows" : "cases", t.killed, t.broken, t.reasons, t.left, t.open);
    return t.open ? 1 : 0;
}

static int read_known(struct hunt *h)
{
    FILE *list = fopen(h->o->list, "r");
    size_t wrong;

    if (!list) {
        printf("mutate: %s is not there: everything is searched\n", h->o->list);
        return 0;
    }
    wrong = dna_killers_read(list, h->o->list, h->o->rows, take_entry, h, stderr);
    if (fclose(list) != 0)
        return 99;
    return wrong && !h->o->write ? 2 : 0; /* what is written anew leaves them out */
}

static int write_known(const struct hunt *h)
{
    FILE *list = h->o->write ? fopen(h->o->write, "w") : NULL;

    if (list)
        write_list(h, list);
    if (h->o->write && (!list || fclose(list) != 0)) {
        fprintf(stderr, "xdna: cannot write %s\n", h->o->write);
        return 99;
    }
    return 0;
}

static int run(struct hunt *h)
{
    const char *missed = dna_suite_select(h->m->suite, h->o->selectors, h->o->num_selectors);
    int status;

    if (missed) {
        fprintf(stderr, "xdna: '%s' selects no case (xdna list shows them)\n", missed);
        return 2;
    }
    if (h->o->rows)
        set_rows(h);
    else
        set_cases(h);
    status = read_known(h);
    if (!status)
        status = dna_map_make(&h->map, h->m, true);
    for (size_t i = 0; i < h->num && !status && !h->o->rows; i++)
        h->subjects[i].reading = h->map.undamaged[i] == DNA_VERDICT_INFO;
    if (!status)
        status = search(h);
    return status ? status : report(h);
}

int dna_mutate_hunt(struct dna_mutate_lab *m, const struct dna_mutate_options *o)
{
    struct hunt *h = dna_xcalloc(1, sizeof(*h));
    int status;

    h->m = m;
    h->o = o;
    evutil_gettimeofday(&h->begun, NULL);
    status = run(h);
    dna_map_free(&h->map);
    free(h->subjects);
    free(h->plays);
    free(h->whose);
    free(h);
    return status;
}
