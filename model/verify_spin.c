/* SPDX-License-Identifier: MIT */
/* verify_spin.c -- the same worlds, offered to Spin: the wiring as a coroutine that asks for each
 * step of a table. */
#include "model/verify_spin.h"

#include "model/verify_run.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { STACK_SIZE = 1 << 18, NUM_LISTS = 1024 };
_Static_assert(DNA_SPIN_SIZE % 8 == 0, "hashed by eight bytes");

unsigned char dna_spin_world[DNA_SPIN_SIZE];
struct dna_spin_ask dna_spin_ask;

static struct vf first; /* the first world: what does not change is copied from it */
static struct vf now;
static uint64_t lost; /* properties that the configuration is known to lose */
static struct vf_move move = { .kind = VF_KINDS };
static unsigned char stack[STACK_SIZE]; /* of the wiring */
static ucontext_t wiring;               /* where it starts */
static bool begun;
static void (*work)(void);
static size_t differ;
static uint64_t compared;
static unsigned asking; /* a machine, counted from 1 */

/* --- the world as Spin keeps it: what ends share, and those ends that the configuration has --- */

static size_t part(unsigned char *kept, size_t at, void *of_world, size_t len, bool pack)
{
    if (at + len > DNA_SPIN_SIZE) {
        fputs("spin: DNA_SPIN_SIZE is too small for this configuration\n", stderr);
        abort();
    }
    memcpy(pack ? kept + at : of_world, pack ? of_world : kept + at, len);
    return at + len;
}

_Static_assert(sizeof(struct vf_world) - sizeof((struct vf_world *)0)->end -
                       sizeof((struct vf_world *)0)->in - sizeof((struct vf_world *)0)->route -
                       sizeof((struct vf_world *)0)->keys -
                       sizeof((struct vf_world *)0)->session <
                   _Alignof(struct vf_world),
               "the world has got a field that pack() leaves out");

static void pack(struct vf *x, bool really)
{
    size_t at = part(dna_spin_world, 0, x->w.route, sizeof x->w.route, really);
    at = part(dna_spin_world, at, x->w.keys, sizeof x->w.keys, really);
    at = part(dna_spin_world, at, &x->w.session, sizeof x->w.session, really);
    for (unsigned e = 0; e < VF_SLOTS; e++) {
        if (x->config->slots & 1u << e) {
            at = part(dna_spin_world, at, &x->w.end[e], sizeof x->w.end[e], really);
            at = part(dna_spin_world, at, &x->w.in[e], sizeof x->w.in[e], really);
        }
    }
}

/* --- a step of a table: the wiring stands still until it is answered --- */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* swapcontext() costs two system calls, a jump none; AddressSanitizer wants the former. */
#ifdef SANITIZED
static ucontext_t spin;

static void to_spin(void)
{
    swapcontext(&wiring, &spin);
}

static void to_wiring(void)
{
    swapcontext(&spin, &wiring);
}
#else
static jmp_buf in_spin, in_wiring;

static void to_spin(void)
{
    if (_setjmp(in_wiring) == 0) {
        _longjmp(in_spin, 1);
    }
}

static void to_wiring(void)
{
    if (_setjmp(in_spin) == 0) {
        if (begun) {
            _longjmp(in_wiring, 1);
        }
        begun = true;
        setcontext(&wiring);
    }
}
#endif

static bool ask(const struct dna_machine *machine, uint32_t *vars, uint32_t on, const void *facts,
                struct dna_stream_vars *s, const struct dna_knobs *k, struct dna_effects *fx)
{
    size_t number = 0;
    while (dna_machines[number] != machine) {
        number++;
    }
    dna_effects_begin(fx, machine, vars[0], on);
    dna_spin_ask =
        (struct dna_spin_ask){ .on = on, .v = vars, .e = facts, .s = s, .k = k };
    asking = (unsigned)number + 1;
    to_spin();
    for (unsigned i = 0; i < dna_spin_ask.num_outs; i++) {
        dna_effects_out(fx, dna_spin_ask.outs[i]);
    }
    if (dna_spin_ask.row < DNA_SPIN_DEAD) {
        dna_effects_end(fx, dna_spin_ask.row, vars[0]);
    }
    return dna_spin_ask.row != DNA_SPIN_DEAD;
}

static void let_happen(void)
{
    dna_vf_apply(&now, &move);
}

static void compare(void)
{
    differ = dna_vf_cells(ask, &compared, stdout);
}

static void run(void)
{
    for (;;) {
        work();
        asking = 0;
        to_spin();
    }
}

/* What stood still is not gone on with. */
static void forget_wiring(void)
{
    begun = false;
    asking = 0;
    getcontext(&wiring);
    wiring.uc_stack.ss_sp = stack;
    wiring.uc_stack.ss_size = sizeof stack;
    makecontext(&wiring, run, 0);
}

unsigned dna_spin_go_on(void)
{
    to_wiring();
    if (!asking && work == let_happen && !now.overflow) {
        /* else it waits until something has arrived: verify_search.c */
        pack(&now, true);
    }
    return asking;
}

/* --- moves --- */

static enum dna_spin_who mover(const struct vf *x, const struct vf_move *m)
{
    switch (m->kind) {
    case VF_M_DELIVER:
    case VF_M_DNS:
    case VF_M_NO_DNS:
    case VF_M_BAD_DNS:
    case VF_M_BARRED:
    case VF_M_BAD_ADDRESS:
    case VF_M_CONNECT:
    case VF_M_NO_CONNECT:
    case VF_M_SETTLE:
        return DNA_SPIN_NETWORK;
    case VF_M_NEGOTIATION:
        if (!dna_vf_opening(x, m->e)) {
            return DNA_SPIN_OTHERS;
        }
        break;
    case VF_M_CLOSE_TIMER:
    case VF_M_VERIFY_TIMER:
    case VF_M_RESULT_TIMER:
        break;
    default:
        return DNA_SPIN_OTHERS;
    }
    return dna_vf_slots[m->e].server == VF_SA ? DNA_SPIN_TIMERS_A : DNA_SPIN_TIMERS_B;
}

/* Not `now`, which may stand still in the midst of a move. */
static struct vf *here(void)
{
    static struct vf x;
    x = first;
    pack(&x, false);
    return &x;
}

/* Spin comes back to a world for each of its moves: lists of some worlds are kept, each in the one
   place that its bytes tell, and thrown out by the next that wants it. */
static struct list {
    unsigned char world[DNA_SPIN_SIZE];
    bool filled;
    size_t num[DNA_SPIN_TIMERS_B + 1];
    struct vf_move moves[VF_MAX_MOVES];
    uint8_t who[VF_MAX_MOVES];
} lists[NUM_LISTS];

static const struct list *listed(void)
{
    uint64_t hash = 0, word;
    for (size_t i = 0; i < DNA_SPIN_SIZE; i += sizeof word) {
        memcpy(&word, dna_spin_world + i, sizeof word);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    struct list *l = &lists[hash % NUM_LISTS];
    if (l->filled && memcmp(l->world, dna_spin_world, DNA_SPIN_SIZE) == 0) {
        return l;
    }
    struct vf *x = here();
    memset(l->num, 0, sizeof l->num);
    memcpy(l->world, dna_spin_world, DNA_SPIN_SIZE);
    l->filled = true;
    l->num[DNA_SPIN_ANYBODY] = dna_vf_moves(x, l->moves);
    for (size_t i = 0; i < l->num[DNA_SPIN_ANYBODY]; i++) {
        l->who[i] = (uint8_t)mover(x, &l->moves[i]);
        l->num[l->who[i]]++;
    }
    return l;
}

void dna_spin_begin(const char *name, const char *bug)
{
    int at = name ? dna_vf_find_config(name) : -1, planted = bug ? dna_vf_find_planted(bug) : 0;
    if (at < 0 || planted < 0) {
        fprintf(stderr, "spin: no configuration or bug is called %s\n", at < 0 ? name : bug);
        abort();
    }
    lost = 0;
    for (size_t i = 0; i < dna_vf_num_properties; i++) {
        lost |= dna_vf_limit_of(name, dna_vf_properties[i].id) ? dna_vf_bit(i) : 0;
    }
    dna_vf_init(&first, &dna_vf_configs[at], bug ? dna_vf_planted[planted].world : 0);
    first.tables = ask;
    pack(&first, true);
    dna_spin_ask.k = &first.k;
    memset(lists, 0, sizeof lists);
    forget_wiring();
}

int dna_spin_num(enum dna_spin_who who)
{
    return (int)listed()->num[who];
}

unsigned dna_spin_start(enum dna_spin_who who, int n)
{
    const struct list *l = listed();
    size_t i = 0;
    if (asking) {
        forget_wiring(); /* the search gave up in the midst of a move */
    }
    now = *here();
    if (n < 0 || (size_t)n >= l->num[who]) {
        return 0;
    }
    for (int before = 0; before < n || (who != DNA_SPIN_ANYBODY && l->who[i] != who); i++) {
        before += who == DNA_SPIN_ANYBODY || l->who[i] == who;
    }
    move = l->moves[i];
    work = let_happen;
    return dna_spin_go_on();
}

unsigned dna_spin_broken(void)
{
    return !now.overflow && (now.broken & ~lost) != 0;
}

bool dna_spin_quiet(void)
{
    return dna_vf_quiet(here());
}

/* A pair that no stream of the configuration is opened for may ride on another's: of it nothing is
   claimed. */
unsigned dna_spin_wanted(void)
{
    const struct vf_place *p = &first.config->places[move.e % 2][move.m.what % VF_PAIRS];
    for (unsigned e = 0; e < VF_SLOTS && move.kind == VF_M_SEND; e++) {
        const struct vf_slot_info *slot = &dna_vf_slots[e];
        if ((first.config->slots & 1u << e) && slot->for_stanzas && slot->ours == p->ours &&
            slot->theirs == p->theirs) {
            return 1u << (move.e * VF_PAIRS + move.m.what);
        }
    }
    return 0;
}

bool dna_spin_established(unsigned wanted)
{
    const struct vf *x = here();
    for (unsigned i = 0; i < 2 * VF_PAIRS; i++) {
        const struct vf_route *r = &x->w.route[i / VF_PAIRS][i % VF_PAIRS];
        if (!(wanted & 1u << i)) {
            continue;
        }
        unsigned as =
            r->via ? x->w.end[r->via - 1].pair[i % VF_PAIRS].as : (unsigned)association_S_NONE;
        if (as != association_S_GIVES && as != association_S_BOTH) {
            return false;
        }
    }
    return true;
}

unsigned dna_spin_cells(void)
{
    forget_wiring();
    work = compare;
    return dna_spin_go_on();
}

unsigned dna_spin_differ(void)
{
    printf("cells: %llu steps, %zu differ\n", (unsigned long long)compared, differ);
    return (unsigned)differ;
}
