/* SPDX-License-Identifier: MIT */
/*
 * machine_inst.h -- expands one table into its constant struct dna_machine.
 * Include with M and DEF defined, after machines.h; no include guard, once a machine.
 */
#define V (*(struct M *)env->v)
#define S (*env->s)
#define E (*(const struct DNA_P(M, facts) *)env->e)
#define K (*env->k)
#define GUARD(g, expr, text)                                                                      \
    static bool DNA_P(DNA_P(M, when), g)(const struct dna_env *env) { return (expr); }
#define UPDATE(o, expr, text)                                                                     \
    static void DNA_P(DNA_P(M, apply), o)(const struct dna_env *env) { expr; }
#include DEF
#undef V
#undef S
#undef E
#undef K
static const struct dna_state DNA_P(M, states)[] = {
#define STATE(s, mark, text) { #s, DNA_##mark, text },
#include DEF
};
static const struct dna_event DNA_P(M, events)[] = {
#define EVENT(e, origin, text) { #e, DNA_##origin, text },
#include DEF
};
static const struct dna_field DNA_P(M, vars)[] = {
#define VAR(name, initial, max, restart, starttls, text)                                          \
    { #name, offsetof(struct M, name), initial, max, DNA_##restart, DNA_##starttls, text },
#include DEF
    { NULL, 0, 0, 0, DNA_FORGET, DNA_FORGET, NULL }
};
static const struct dna_field DNA_P(M, fact_fields)[] = {
#define FACT(name, max, text)                                                                     \
    { #name, offsetof(struct DNA_P(M, facts), name), 0, max, DNA_FORGET, DNA_FORGET, text },
#include DEF
    { NULL, 0, 0, 0, DNA_FORGET, DNA_FORGET, NULL }
};
static const struct dna_guard DNA_P(M, guards)[] = {
    { "otherwise", "1", "in every other case", NULL },
#define GUARD(g, expr, text) { #g, #expr, text, DNA_P(DNA_P(M, when), g) },
#include DEF
};
static const struct dna_do DNA_P(M, dos)[] = {
    { "nothing", DNA_INTERNAL, NULL, "nothing is done", NULL },
#define OUT(o, kind, text) { #o, DNA_##kind, NULL, text, NULL },
#define UPDATE(o, expr, text) { #o, DNA_UPDATE, #expr, text, DNA_P(DNA_P(M, apply), o) },
#include DEF
};
#define DNA_DO(x, o) DNA_P(DNA_P(M, O), o),
#define DNA_DOS(...) (const uint8_t[]){ DNA_EACH(DNA_DO, , __VA_ARGS__) 0 }
#define DNA_BECAUSE(...) (const uint16_t[]){ __VA_ARGS__, DNA_REQ_END }
#define DNA_QUIET(kind, id, in, e, ...)                                                           \
    { id "." #e, kind, DNA_P(DNA_P(M, S), in), DNA_P(DNA_P(M, E), e), 0, DNA_P(DNA_P(M, S), in),  \
      __LINE__, NULL, (const uint8_t[]){ 0 }, DNA_BECAUSE(__VA_ARGS__) },
#define DNA_IGNORE_ONE(x, e) DNA_IGNORE_ARGS(e, DNA_UNWRAP x)
#define DNA_DEAD_ONE(x, e) DNA_DEAD_ARGS(e, DNA_UNWRAP x)
#define DNA_UNWRAP(...) __VA_ARGS__
#define DNA_IGNORE_ARGS(e, ...) DNA_IGNORE_PUT(e, __VA_ARGS__)
#define DNA_IGNORE_PUT(e, id, in, why) DNA_QUIET(DNA_IGNORE, #id, in, e, why)
#define DNA_DEAD_ARGS(e, ...) DNA_DEAD_PUT(e, __VA_ARGS__)
#define DNA_DEAD_PUT(e, in) DNA_QUIET(DNA_DEAD, "DEAD." #in, in, e, DNA_REQ_END)
static const struct dna_row DNA_P(M, rows)[] = {
#define ROW(id, in, on, when, do_, then, ...)                                                     \
    { #id, DNA_ROW, DNA_P(DNA_P(M, S), in), DNA_P(DNA_P(M, E), on), DNA_P(DNA_P(M, G), when),     \
      DNA_P(DNA_P(M, S), then), __LINE__, NULL, DNA_DOS do_, DNA_BECAUSE(__VA_ARGS__) },
#define CHOICE(group, id, in, on, when, do_, then, ...)                                           \
    { #id, DNA_CHOICE, DNA_P(DNA_P(M, S), in), DNA_P(DNA_P(M, E), on), DNA_P(DNA_P(M, G), when),  \
      DNA_P(DNA_P(M, S), then), __LINE__, #group, DNA_DOS do_, DNA_BECAUSE(__VA_ARGS__) },
#define IGNORE(id, in, why, ...) DNA_EACH(DNA_IGNORE_ONE, (id, in, why), __VA_ARGS__)
#define DEAD(in, ...) DNA_EACH(DNA_DEAD_ONE, (in), __VA_ARGS__)
#include DEF
};
/* Two rows with one (in, on, when) become two equal case labels, which the compiler refuses. */
static inline int DNA_P(M, deterministic)(unsigned key)
{
    switch (key) {
#define DNA_KEY(in, on, when)                                                                     \
    case ((unsigned)DNA_P(DNA_P(M, S), in) << 16 | (unsigned)DNA_P(DNA_P(M, E), on) << 8 |        \
          (unsigned)DNA_P(DNA_P(M, G), when)):
#define DNA_KEY_ONE(in, e) DNA_KEY(in, e, otherwise)
#define ROW(id, in, on, when, do_, then, ...) DNA_KEY(in, on, when)
#define IGNORE(id, in, why, ...) DNA_EACH(DNA_KEY_ONE, in, __VA_ARGS__)
#define DEAD(in, ...) DNA_EACH(DNA_KEY_ONE, in, __VA_ARGS__)
#include DEF
        return 1;
    default:
        return 0;
    }
}
const struct dna_machine DNA_P(dna_machine, M) = {
    .name = DNA_STR(M),
    .text =
#define MACHINE(sentence) sentence
#include DEF
    ,
    .vars_size = sizeof(struct M),
    .facts_size = sizeof(struct DNA_P(M, facts)),
    .states = DNA_P(M, states),
    .events = DNA_P(M, events),
    .vars = DNA_P(M, vars),
    .facts = DNA_P(M, fact_fields),
    .guards = DNA_P(M, guards),
    .dos = DNA_P(M, dos),
    .rows = DNA_P(M, rows),
    .num_states = sizeof DNA_P(M, states) / sizeof DNA_P(M, states)[0],
    .num_events = sizeof DNA_P(M, events) / sizeof DNA_P(M, events)[0],
    .num_vars = sizeof DNA_P(M, vars) / sizeof DNA_P(M, vars)[0] - 1,
    .num_facts = sizeof DNA_P(M, fact_fields) / sizeof DNA_P(M, fact_fields)[0] - 1,
    .num_guards = sizeof DNA_P(M, guards) / sizeof DNA_P(M, guards)[0],
    .num_dos = sizeof DNA_P(M, dos) / sizeof DNA_P(M, dos)[0],
    .num_rows = sizeof DNA_P(M, rows) / sizeof DNA_P(M, rows)[0],
};
#undef DNA_DO
#undef DNA_DOS
#undef DNA_BECAUSE
#undef DNA_QUIET
#undef DNA_IGNORE_ONE
#undef DNA_DEAD_ONE
#undef DNA_UNWRAP
#undef DNA_IGNORE_ARGS
#undef DNA_IGNORE_PUT
#undef DNA_DEAD_ARGS
#undef DNA_DEAD_PUT
#undef DNA_KEY
#undef DNA_KEY_ONE
#undef M
#undef DEF
