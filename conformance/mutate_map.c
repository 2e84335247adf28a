/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Which rows of the tables fire in which case, as the undamaged test build
 * tells, and what is worth doing to a row.
 */
#include "conformance/mutate.h"

#include "model/atoms.h"
#include "model/machines.h"
#include "model/overlay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t dna_num_rows(void)
{
    size_t num = 0;

    for (const struct dna_machine *const *m = dna_machines; *m; m++)
        num += (*m)->num_rows;
    return num;
}

const struct dna_machine *dna_row_machine(size_t row, size_t *out_index)
{
    const struct dna_machine *const *m = dna_machines;

    while (*m && row >= (*m)->num_rows)
        row -= (*m++)->num_rows;
    *out_index = row;
    return *m;
}

const char *dna_row_name(size_t row)
{
    size_t index;
    const struct dna_machine *m = dna_row_machine(row, &index);

    return m ? m->rows[index].id : "?";
}

size_t dna_row_find(const char *name)
{
    size_t num = dna_num_rows(), row = 0;

    while (row < num && strcmp(dna_row_name(row), name) != 0)
        row++;
    return row;
}

/* ---- what is worth doing to a row ---- */

/* These outputs give something to a peer: swapping one in is the fault to fear. */
static bool generous(const char *out)
{
    static const char *const names[] = {
        "deliver",      "transmit",       "accept_pair",       "grant_pair",       "send_valid",
        "send_success", "offer_external", "send_verify_valid", "release_queue",    "start_tls",
        "report_ready", "bind_resource",  "suppose_on_stream", "assert_on_stream", "route",
        "send_key",     "report_strong",  "open_connection",   "send_header",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(out, names[i]) == 0)
            return true;
    return false;
}

/* A prooftype's or a proof's "no", and the "yes" that a careless one would give instead. */
static bool proves(const char *no, const char *yes)
{
    static const char *const noes[] = { "failed", "unclear",  "refuted",
                                        "absent", "unproved", "pending" };
    bool denied = false;

    for (size_t i = 0; i < sizeof(noes) / sizeof(*noes); i++)
        denied |= strncmp(no, "report_", 7) == 0 && strcmp(no + 7, noes[i]) == 0;
    return denied && (strcmp(yes, "report_held") == 0 || strcmp(yes, "report_proved") == 0);
}

struct damages {
    const struct dna_machine *m;
    size_t row, num, max;
    struct dna_pool *pool;
    const char **out;
};

static void give(struct damages *d, enum dna_mutation what, size_t from, size_t to)
{
    const struct dna_mutant mutant = { d->m, d->row, what, (uint8_t)from, (uint8_t)to };
    char text[200];

    if (d->num == d->max)
        return;
    dna_mutant_print(&mutant, text, sizeof text);
    d->out[d->num++] = dna_pool_strdup(d->pool, text);
}

static bool does(const struct dna_row *row, size_t action)
{
    for (const uint8_t *a = row->dos; *a; a++)
        if (*a == action)
            return true;
    return false;
}

/* What needs a stanza, a key or a queue at hand is done only where another row does it at this
 * event. */
static bool possible(const struct dna_machine *m, const struct dna_row *row, size_t action)
{
    static const char *const free_of_context[] = { "accept_pair",    "grant_pair",
                                                   "send_valid",     "send_success",
                                                   "offer_external", "report_ready",
                                                   "report_strong",  "send_header" };
    const char *name = m->dos[action].name;

    for (size_t i = 0; i < sizeof(free_of_context) / sizeof(*free_of_context); i++)
        if (strcmp(name, free_of_context[i]) == 0)
            return true;
    for (size_t r = 0; r < m->num_rows; r++)
        if (m->rows[r].on == row->on && does(&m->rows[r], action))
            return true;
    return false;
}

/* What else can be done to a row, likely or not: any other action of the kind, an atom left out. */
static void give_others(struct damages *d, const struct dna_row *row)
{
    struct dna_atoms atoms;

    for (const uint8_t *a = row->dos; *a; a++)
        for (size_t b = 1; b < d->m->num_dos; b++)
            if (!does(row, b) && d->m->dos[b].kind == d->m->dos[*a].kind)
                give(d, DNA_SWAP, *a, b);
    if (row->when && dna_atoms_parse(&atoms, d->m, row->when) == 0 && atoms.num_atoms > 1)
        for (size_t a = 0; a < atoms.num_atoms; a++)
            give(d, DNA_ATOM, a, 0);
}

size_t dna_row_damages(size_t number, struct dna_pool *pool, const char **out, size_t max)
{
    struct damages d = { .max = max, .pool = pool, .out = out };
    const struct dna_row *row;

    d.m = dna_row_machine(number, &d.row);
    row = &d.m->rows[d.row];
    if (row->kind == DNA_DEAD)
        return 0;
    for (size_t b = 1; row->dos[0] && b < d.m->num_dos; b++)
        if (!does(row, b) && possible(d.m, row, b) &&
            (generous(d.m->dos[b].name) || proves(d.m->dos[row->dos[0]].name, d.m->dos[b].name)))
            give(&d, DNA_SWAP, row->dos[0], b);
    give(&d, DNA_DROP, 0, 0);
    if (row->when) {
        give(&d, DNA_FORCE_TRUE, 0, 0);
        give(&d, DNA_NEGATE, 0, 0);
    }
    if (row->dos[0])
        give(&d, DNA_OMIT, 0, 0);
    for (size_t s = 0; s < d.m->num_states; s++)
        if (s != row->then && d.m->states[s].mark != DNA_FINAL)
            give(&d, DNA_REDIRECT, 0, s);
    give_others(&d, row);
    return d.num;
}

/* ---- the map ---- */

static int by_case_and_rank(const void *a, const void *b)
{
    const struct dna_hit *x = a, *y = b;

    if (x->c != y->c)
        return x->c < y->c ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Cases that died or were played again may tell of a row twice. */
static void unite(struct dna_map *map)
{
    size_t n = 0;

    qsort(map->hits, map->num, sizeof(*map->hits), by_case_and_rank);
    for (size_t i = 0; i < map->num; i++)
        if (!n || map->hits[n - 1].c != map->hits[i].c || map->hits[n - 1].row != map->hits[i].row)
            map->hits[n++] = map->hits[i];
    map->num = n;
}

static void read_hits(struct dna_map *map, FILE *in, const struct dna_play *plays, size_t num,
                      const struct dna_case *cases)
{
    char name[40];
    unsigned number;
    size_t room = 0;

    while (fscanf(in, "%u %39s", &number, name) == 2) {
        size_t row = dna_row_find(name);

        if (!number || number > num || row == dna_num_rows())
            continue;
        if (map->num == room) {
            room = room ? room * 2 : 4096;
            map->hits = dna_xrealloc(map->hits, room * sizeof(*map->hits));
        }
        map->hits[map->num++] =
            (struct dna_hit){ (uint16_t)row, 0, (uint32_t)(plays[number - 1].c - cases) };
    }
    unite(map);
}

static void rank(struct dna_map *map, size_t num_cases)
{
    uint16_t *ranks = dna_xcalloc(dna_num_rows(), sizeof(*ranks));

    map->first = dna_xcalloc(num_cases + 1, sizeof(*map->first));
    map->rows_of = dna_xcalloc(num_cases, sizeof(*map->rows_of));
    for (size_t i = 0; i < map->num; i++)
        ranks[map->hits[i].row]++;
    for (size_t i = 0; i < map->num; i++)
        map->hits[i].rank = ranks[map->hits[i].row];
    qsort(map->hits, map->num, sizeof(*map->hits), by_case_and_rank);
    for (size_t i = 0; i < map->num; i++) {
        map->rows_of[map->hits[i].c]++;
        map->first[map->hits[i].c + 1] = (uint32_t)i + 1;
    }
    for (size_t c = 1; c <= num_cases; c++)
        if (map->first[c] < map->first[c - 1])
            map->first[c] = map->first[c - 1];
    free(ranks);
}

int dna_map_make(struct dna_map *map, struct dna_mutate_lab *m, bool all)
{
    const struct dna_case *cases = m->suite->cases;
    struct dna_play *plays = dna_xcalloc(m->suite->num_cases, sizeof(*plays));
    const char *file = dna_pool_printf(m->pool, "%s/fired", m->lab.place.dir);
    size_t num = 0;
    FILE *in;
    int status;

    for (size_t i = 0; i < m->suite->num_cases; i++)
        if (all || !dna_mutate_alone(m, &cases[i]))
            plays[num++] = (struct dna_play){ .c = &cases[i], .damage = "" };
    status = dna_mutate_play(m, plays, num, file);
    in = status ? NULL : fopen(file, "r");
    if (in) {
        read_hits(map, in, plays, num, cases);
        rank(map, m->suite->num_cases);
        fclose(in);
    } else if (!status) {
        fprintf(stderr, "xdna: %s: %s\n", file, strerror(errno));
        status = 99;
    }
    if (!status && dna_mutate_play_again(m, plays, num))
        status = 99;
    map->undamaged = dna_xcalloc(m->suite->num_cases, sizeof(*map->undamaged));
    for (size_t i = 0; i < num; i++)
        map->undamaged[plays[i].c - cases] = plays[i].verdict;
    free(plays);
    return status;
}

void dna_map_free(struct dna_map *map)
{
    free(map->hits);
    free(map->first);
    free(map->rows_of);
    free(map->undamaged);
}
