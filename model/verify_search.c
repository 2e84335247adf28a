/* SPDX-License-Identifier: MIT */
/*
 * verify_search.c -- breadth-first search; states are bytes in one arena, found again by hash and
 * comparison.
 *
 * A state is packed: of each end of a stream that lives its bytes, of the rest a zero.  Equal
 * hashes are never taken for equal states.
 */
#include "model/verify_search.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_PACKED = sizeof(struct vf_world) + VF_SLOTS, FIRST_STATES = 1 << 14 };

static void put(unsigned char **at, const void *from, size_t len)
{
    memcpy(*at, from, len);
    *at += len;
}

static size_t pack(const struct vf *x, unsigned char *out)
{
    static const struct vf_end dead;
    unsigned char *at = out;
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        const struct vf_end *end = &x->w.end[e];
        if (!(x->config->slots & 1u << e)) {
            continue;
        }
        bool lives = memcmp(end, &dead, sizeof dead) != 0;
        *at++ = (unsigned char)(lives + 2u * x->w.in[e].num);
        if (lives) {
            put(&at, end, sizeof *end);
            put(&at, x->w.in[e].at, x->w.in[e].num * sizeof x->w.in[e].at[0]);
        }
    }
    put(&at, x->w.route, sizeof x->w.route);
    put(&at, x->w.keys, sizeof x->w.keys);
    put(&at, &x->w.session, 1);
    return (size_t)(at - out);
}

static void take(const unsigned char **at, void *to, size_t len)
{
    memcpy(to, *at, len);
    *at += len;
}

static void unpack(struct vf *x, const unsigned char *at)
{
    memset(&x->w, 0, sizeof x->w);
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        if (!(x->config->slots & 1u << e)) {
            continue;
        }
        unsigned mark = *at++;
        x->w.in[e].num = (uint8_t)(mark / 2);
        if (mark & 1) {
            take(&at, &x->w.end[e], sizeof x->w.end[e]);
            take(&at, x->w.in[e].at, x->w.in[e].num * sizeof x->w.in[e].at[0]);
        }
    }
    take(&at, x->w.route, sizeof x->w.route);
    take(&at, x->w.keys, sizeof x->w.keys);
    take(&at, &x->w.session, 1);
}

static uint64_t hash_of(const unsigned char *at, size_t len)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ len, word;
    for (; len >= 8; at += 8, len -= 8) {
        memcpy(&word, at, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    word = 0;
    memcpy(&word, at, len);
    h = (h ^ word) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 29;
}

/* --- memory --- */

static bool grow(void *array, size_t size, size_t num)
{
    void **at = array;
    void *more = realloc(*at, size * num);
    if (more) {
        *at = more;
    }
    return more != NULL;
}

static bool rehash(struct vf_search *s)
{
    uint32_t size = s->table_size ? s->table_size * 2 : 2 * FIRST_STATES;
    uint32_t *table = malloc(size * sizeof *table);
    if (!table) {
        return false;
    }
    memset(table, 0xff, size * sizeof *table);
    for (uint32_t i = 0; i < s->num; i++) {
        uint32_t at = (uint32_t)s->hashes[i] & (size - 1);
        while (table[at] != dna_vf_no_state) {
            at = (at + 1) & (size - 1);
        }
        table[at] = i;
    }
    free(s->table);
    s->table = table;
    s->table_size = size;
    return true;
}

static bool make_room(struct vf_search *s, size_t len)
{
    if (s->num == s->size) {
        uint32_t size = s->size ? s->size * 2 : FIRST_STATES;
        if (!grow(&s->offsets, sizeof *s->offsets, size + 1u) ||
            !grow(&s->parents, sizeof *s->parents, size) ||
            !grow(&s->moves, sizeof *s->moves, size) ||
            !grow(&s->hashes, sizeof *s->hashes, size)) {
            return false;
        }
        s->offsets[0] = 0;
        s->size = size;
    }
    if (s->bytes_used + len > s->bytes_size) {
        size_t size = s->bytes_size ? s->bytes_size * 2 : (size_t)1 << 20;
        if (!grow(&s->bytes, 1, size)) {
            return false;
        }
        s->bytes_size = size;
    }
    return s->num + s->num / 2 < s->table_size || rehash(s);
}

/* Returns whether the state is new; *failed when memory does not suffice. */
static bool visit(struct vf_search *s, const struct vf *x, uint32_t parent,
                  const struct vf_move *move, bool *failed)
{
    unsigned char packed[MAX_PACKED];
    size_t len = pack(x, packed);
    uint64_t hash = hash_of(packed, len);
    hash &= s->hash_mask ? s->hash_mask : ~UINT64_C(0);
    if (!make_room(s, len)) {
        *failed = true;
        return false;
    }
    uint32_t at = (uint32_t)hash & (s->table_size - 1);
    for (; s->table[at] != dna_vf_no_state; at = (at + 1) & (s->table_size - 1)) {
        uint32_t i = s->table[at];
        if (s->hashes[i] == hash && s->offsets[i + 1] - s->offsets[i] == len &&
            memcmp(s->bytes + s->offsets[i], packed, len) == 0) {
            return false;
        }
    }
    s->table[at] = s->num;
    s->hashes[s->num] = hash;
    s->parents[s->num] = parent;
    s->moves[s->num] = *move;
    memcpy(s->bytes + s->bytes_used, packed, len);
    s->bytes_used += len;
    s->offsets[++s->num] = s->bytes_used;
    return true;
}

void dna_vf_search_free(struct vf_search *s)
{
    free(s->bytes);
    free(s->offsets);
    free(s->parents);
    free(s->moves);
    free(s->table);
    free(s->hashes);
    s->bytes = NULL;
    s->offsets = NULL;
    s->parents = NULL;
    s->moves = NULL;
    s->table = NULL;
    s->hashes = NULL;
}

/* --- search --- */

static void note(struct vf_search *s, uint32_t from, const struct vf_move *move, uint64_t broken)
{
    for (size_t i = 0; i < dna_vf_num_properties; i++) {
        if ((broken & dna_vf_bit(i)) && !(s->broken & dna_vf_bit(i))) {
            s->first[i] = (struct vf_finding){ from, *move };
        }
    }
    s->broken |= broken;
}

static void look_at(struct vf_search *s, const struct vf *here, uint32_t from)
{
    struct vf x = *here;
    const struct vf_move none = { .kind = VF_KINDS };
    x.broken = 0;
    dna_vf_settles(&x);
    s->seen |= x.seen;
    note(s, from, &none, x.broken);
}

static bool expand(struct vf_search *s, struct vf *x, uint32_t from, bool *failed)
{
    static struct vf_move moves[VF_MAX_MOVES];
    const struct vf here = *x;
    size_t num = dna_vf_moves(x, moves);
    s->overflow |= num == VF_MAX_MOVES;
    look_at(s, &here, from);
    for (size_t i = 0; i < num && !*failed; i++) {
        *x = here;
        dna_vf_apply(x, &moves[i]);
        s->transitions++;
        if (x->overflow && (x->does & VF_ASYNC)) {
            continue; /* too much is under way: this waits until something has arrived */
        }
        s->overflow |= x->overflow;
        s->seen |= x->seen;
        if (x->broken) {
            note(s, from, &moves[i], x->broken);
        }
        (void)visit(s, x, from, &moves[i], failed);
        if ((s->stop_at && (s->broken & s->stop_at) == s->stop_at) ||
            (s->broken & s->stop_at_any)) {
            return false;
        }
    }
    return true;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int dna_vf_search(struct vf_search *s)
{
    struct vf x;
    const struct vf_move none = { .kind = VF_KINDS };
    bool failed = false, go_on = true;
    double begun = now();
    dna_vf_init(&x, s->config, s->bugs);
    x.fired = s->fired;
    (void)visit(s, &x, dna_vf_no_state, &none, &failed);
    uint32_t next = 0;
    while (!failed && go_on && next < s->num && (!s->max_states || s->num <= s->max_states)) {
        unpack(&x, s->bytes + s->offsets[next]);
        x.overflow = false;
        go_on = expand(s, &x, next, &failed);
        next++;
    }
    s->full = !failed && go_on && next == s->num;
    s->seconds = now() - begun;
    return failed ? -1 : 0;
}

/* --- ways there --- */

size_t dna_vf_trace(const struct vf_search *s, size_t index, struct vf_move *out, size_t max)
{
    size_t num = s->first[index].move.kind == VF_KINDS ? 0 : 1, n;
    for (uint32_t at = s->first[index].from; at != 0; at = s->parents[at]) {
        num++;
    }
    if (num > max) {
        return 0;
    }
    n = num;
    if (s->first[index].move.kind != VF_KINDS) {
        out[--n] = s->first[index].move;
    }
    for (uint32_t at = s->first[index].from; at != 0; at = s->parents[at]) {
        out[--n] = s->moves[at];
    }
    return num;
}

void dna_vf_print_trace(const struct vf_search *s, size_t index, bool rows, FILE *out)
{
    struct vf_move moves[256];
    struct vf x;
    size_t num = dna_vf_trace(s, index, moves, 256);
    dna_vf_init(&x, s->config, s->bugs);
    x.say = out;
    x.rows = rows;
    for (size_t i = 0; i < num; i++) {
        dna_vf_apply(&x, &moves[i]);
    }
    if (s->first[index].move.kind == VF_KINDS) {
        fputs("* from here nobody but timers and the network acts\n", out);
        x.broken = 0;
        dna_vf_settles(&x);
    }
}
