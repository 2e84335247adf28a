/* SPDX-License-Identifier: MIT */
/* verify_prooftypes_search.c -- breadth-first search through the world of the prooftypes, and what
   is searched: the tables of verify_prooftypes.def. */
#include "model/verify_prooftypes.h"
#include "model/verify_run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

const struct vq_config dna_vq_configs[] = {
#define PROOF_CONFIG(name, what, knobs, varied, text) { #name, what, knobs, varied, text },
#include "model/verify_prooftypes.def"
};
const size_t dna_vq_num_configs = sizeof dna_vq_configs / sizeof dna_vq_configs[0];

const struct vq_planted dna_vq_planted[] = {
#define PROOF_PLANTED(id, config, property, rows, seen, text, cases)                               \
    { #id, #config, #property, rows, seen, text, cases },
#include "model/verify_prooftypes.def"
};
const size_t dna_vq_num_planted = sizeof dna_vq_planted / sizeof dna_vq_planted[0];

#define FIND(what, array, num, field)                                                              \
    int dna_vq_find_##what(const char *name)                                                       \
    {                                                                                              \
        for (size_t i = 0; i < num; i++) {                                                         \
            if (strcmp(array[i].field, name) == 0)                                                 \
                return (int)i;                                                                     \
        }                                                                                          \
        return -1;                                                                                 \
    }
FIND(property, dna_vq_properties, dna_vq_num_properties, id)
FIND(config, dna_vq_configs, dna_vq_num_configs, name)
FIND(planted, dna_vq_planted, dna_vq_num_planted, id)

enum { MAX_MOVES = 2048 };

struct search {
    struct vq_search *s;
    struct vq x;
    uint32_t from;
    struct vq_move by;
    bool failed;
};

static uint64_t hash_of(const struct vq_world *w)
{
    const unsigned char *at = (const unsigned char *)w;
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < sizeof *w; i++) {
        h = (h ^ at[i]) * 0x100000001b3u;
    }
    return h ^ h >> 31;
}

static bool grow(void *array, size_t size, size_t num)
{
    void **at = array, *more = realloc(*at, size * num);
    if (more) {
        *at = more;
    }
    return more != NULL;
}

static bool make_room(struct vq_search *s)
{
    if (s->num < s->size) {
        return true;
    }
    uint32_t size = s->size ? 2 * s->size : 4096;
    if (!grow(&s->states, sizeof *s->states, size) ||
        !grow(&s->parents, sizeof *s->parents, size) || !grow(&s->moves, sizeof *s->moves, size) ||
        !grow(&s->table, sizeof *s->table, 2 * size)) {
        return false;
    }
    s->size = size;
    s->table_size = 2 * size;
    memset(s->table, 0xff, s->table_size * sizeof *s->table);
    for (uint32_t i = 0; i < s->num; i++) {
        uint32_t at = (uint32_t)hash_of(&s->states[i]) & (s->table_size - 1);
        while (s->table[at] != UINT32_MAX) {
            at = (at + 1) & (s->table_size - 1);
        }
        s->table[at] = i;
    }
    return true;
}

static void visit(void *arg, const struct vq_world *w)
{
    struct search *h = arg;
    struct vq_search *s = h->s;
    if (!make_room(s)) {
        h->failed = true;
        return;
    }
    uint32_t at = (uint32_t)hash_of(w) & (s->table_size - 1);
    for (; s->table[at] != UINT32_MAX; at = (at + 1) & (s->table_size - 1)) {
        if (memcmp(&s->states[s->table[at]], w, sizeof *w) == 0) {
            return;
        }
    }
    s->table[at] = s->num;
    s->states[s->num] = *w;
    s->parents[s->num] = h->from;
    s->moves[s->num++] = h->by;
}

/* Returns whether the search goes on. */
static bool note(struct search *h)
{
    struct vq_search *s = h->s;
    for (size_t i = 0; i < dna_vq_num_properties; i++) {
        if ((h->x.broken & 1u << i) && !(s->broken & 1u << i)) {
            s->first[i] = h->from;
            s->by[i] = h->by;
        }
    }
    s->broken |= h->x.broken;
    return !(s->broken & s->stop_at_any) && !h->failed;
}

static bool expand(struct search *h, const struct vq_world *here)
{
    static struct vq_move moves[MAX_MOVES];
    h->x.w = *here;
    h->x.broken = 0;
    h->by = (struct vq_move){ .kind = VQ_M_WEIGH };
    dna_vq_rest(&h->x);
    dna_vq_weigh(&h->x, visit, h);
    h->x.w = *here;
    if (!note(h)) {
        return false;
    }
    for (size_t i = 0, num = dna_vq_moves(&h->x, moves, MAX_MOVES); i < num; i++) {
        h->x.w = *here;
        h->by = moves[i];
        dna_vq_apply(&h->x, &moves[i]);
        h->s->transitions++;
        visit(h, &h->x.w);
        if (!note(h)) {
            return false;
        }
        h->x.w = *here;
    }
    return true;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int dna_vq_search(struct vq_search *s)
{
    struct search *h = calloc(1, sizeof *h);
    double begun = now();
    bool go_on = true;
    uint32_t next = 0;
    if (!h || dna_vq_init(&h->x, s->config)) {
        free(h);
        return -1;
    }
    h->s = s;
    h->x.fired = s->fired;
    h->from = UINT32_MAX;
    visit(h, &h->x.w);
    for (; go_on && next < s->num && (!s->max_states || s->num <= s->max_states); next++) {
        const struct vq_world here = s->states[next];
        h->from = next;
        go_on = expand(h, &here);
    }
    s->seen = h->x.seen;
    s->full = go_on && !h->failed && next == s->num;
    s->seconds = now() - begun;
    int status = h->failed ? -1 : 0;
    free(h);
    return status;
}

void dna_vq_search_free(struct vq_search *s)
{
    free(s->states);
    free(s->parents);
    free(s->table);
    free(s->moves);
    s->states = NULL;
    s->parents = s->table = NULL;
    s->moves = NULL;
}

/* --- ways there --- */

static void print_knobs(const struct vq *x, FILE *out)
{
    char name[64];
    int used;
    uint32_t value = 0;
    fprintf(out, "* knobs: %s", x->config->knobs);
    for (const char *text = x->config->varied; sscanf(text, " %63s%n", name, &used) == 1;
         text += used) {
        (void)dna_knob_get(dna_vq_knobs(x), name, &value);
        fprintf(out, " %s=%u", name, (unsigned)value);
    }
    fprintf(out, "; the resolver %s; POSH is %s\n",
            x->w.validating ? "validates" : "does not validate",
            x->w.possible ? "possible" : "impossible");
}

static void print_move(const struct vq *x, const struct vq_move *m, FILE *out)
{
    static const char *const text[VQ_KINDS] = {
        [VQ_M_BEGIN] = "somebody wants the domain proved",
        [VQ_M_ENDPOINT] = "an endpoint is about to be connected to",
        [VQ_M_SRV] = "the SRV answer",
        [VQ_M_ADDRESS] = "the address answer",
        [VQ_M_TLSA] = "the TLSA answer",
        [VQ_M_HTTP] = "the answer of the web server",
        [VQ_M_STALE] = "the time of the document is over",
        [VQ_M_RENEW] = "what is over is sought anew",
        [VQ_M_DONE] = "nobody asks any more",
        [VQ_M_CERTIFICATE] = "a certificate, or none",
        [VQ_M_PATH] = "its path",
        [VQ_M_NAMES] = "its names",
        [VQ_M_WEIGH] = "certificates are weighed",
    };
    static const char *const tlsa[] = {
        "secure and usable", "secure, none usable", "insecure", "there are none", "bogus", "failed"
    };
    static const char *const http[] = {
        "fingerprints", "a reference", "neither of them",         "404",
        "failure",      "a redirect",  "a redirect to clear text"
    };
    fprintf(out, "* %s", text[m->kind]);
    if (m->kind == VQ_M_TLSA) {
        fprintf(out, " of endpoint %u: %s", m->place + 1u, tlsa[m->arg]);
    } else if (m->kind == VQ_M_HTTP) {
        fprintf(out, ": %s", http[m->arg]);
    } else if (m->kind == VQ_M_ENDPOINT) {
        fprintf(out, ":%s%s%s%s%s", m->arg & VQ_LOOKUP_FAILED ? " lookups bogus" : "",
                m->arg & VQ_FROM_SRV ? " from SRV" : " no SRV record",
                m->arg & VQ_SRV_SECURE ? " secure" : " insecure",
                m->arg & VQ_ADDRESS_SECURE ? ", address secure" : ", address insecure",
                m->arg & VQ_ALIAS ? ", by an alias" : "");
    } else if (m->kind == VQ_M_ADDRESS || m->kind == VQ_M_SRV || m->kind >= VQ_M_CERTIFICATE) {
        fprintf(out, " (%u)", m->arg);
    }
    fputc('\n', out);
    (void)x;
}

static void nowhere(void *arg, const struct vq_world *w)
{
    (void)arg;
    (void)w;
}

size_t dna_vq_trace(const struct vq_search *s, size_t property, FILE *out)
{
    struct vq_move moves[64];
    size_t num = 0, n;
    struct vq *x = calloc(1, sizeof *x);
    for (uint32_t at = s->first[property]; s->parents[at] != UINT32_MAX; at = s->parents[at]) {
        num++;
    }
    n = num;
    for (uint32_t at = s->first[property]; s->parents[at] != UINT32_MAX && num < 63;
         at = s->parents[at]) {
        moves[--n] = s->moves[at];
    }
    if (!out || num >= 63 || !x || dna_vq_init(x, s->config)) {
        free(x);
        return num + 1;
    }
    moves[num++] = s->by[property];
    x->say = out;
    for (n = 0; n < num; n++) {
        print_move(x, &moves[n], out);
        if (moves[n].kind != VQ_M_WEIGH) {
            dna_vq_apply(x, &moves[n]);
        } else {
            x->say = NULL;
            dna_vq_rest(x);
            dna_vq_weigh(x, nowhere, NULL);
            fprintf(out, "   !!   %s is violated: %s\n", dna_vq_properties[property].id,
                    dna_vq_properties[property].text);
        }
        if (n == 0) {
            print_knobs(x, out);
        }
    }
    free(x);
    return num;
}

int dna_vq_run_config(const struct vq_config *config, struct vq_search *s)
{
    s->config = config;
    return dna_vf_mutate("") || dna_vq_search(s) ? -1 : 0;
}

int dna_vq_run_planted(const struct vq_planted *bug, struct vq_search *s)
{
    int config = dna_vq_find_config(bug->config), property = dna_vq_find_property(bug->property);
    if (config < 0 || property < 0 || dna_vf_mutate(bug->rows)) {
        fprintf(stderr, "verify: the planted bug %s names what is not there\n", bug->id);
        return -1;
    }
    s->config = &dna_vq_configs[config];
    s->stop_at_any = 1u << property;
    return dna_vq_search(s);
}
