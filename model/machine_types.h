/* SPDX-License-Identifier: MIT */
/*
 * machine_types.h -- expands one table into its enums, structs and step prototype.
 * Include with M and DEF defined; no include guard, for it is included once a machine.
 */
enum DNA_P(M, state) {
#define STATE(s, mark, text) DNA_P(DNA_P(M, S), s),
#include DEF
    DNA_P(DNA_P(M, S), MAX)
};
enum DNA_P(M, event) {
#define EVENT(e, origin, text) DNA_P(DNA_P(M, E), e),
#include DEF
    DNA_P(DNA_P(M, E), MAX)
};
enum DNA_P(M, guard) {
    DNA_P(DNA_P(M, G), otherwise),
#define GUARD(g, expr, text) DNA_P(DNA_P(M, G), g),
#include DEF
    DNA_P(DNA_P(M, G), MAX)
};
enum DNA_P(M, out) {
    DNA_P(DNA_P(M, O), nothing),
#define OUT(o, kind, text) DNA_P(DNA_P(M, O), o),
#define UPDATE(o, expr, text) DNA_P(DNA_P(M, O), o),
#include DEF
    DNA_P(DNA_P(M, O), MAX)
};
/* rows by id, so that a row's number has a name */
enum DNA_P(M, row) {
#define ROW(id, in, on, when, do_, then, ...) DNA_P(DNA_P(M, R), id),
#define CHOICE(group, id, in, on, when, do_, then, ...) DNA_P(DNA_P(M, R), id),
#define IGNORE(id, in, why, ...) DNA_P(DNA_P(M, R), id),
#include DEF
    DNA_P(DNA_P(M, R), MAX)
};
struct M {
    uint32_t state;
#define VAR(name, initial, max, restart, starttls, text) uint32_t name;
#include DEF
};
struct DNA_P(M, facts) {
#define FACT(name, max, text) uint32_t name;
#include DEF
    uint32_t unused; /* a machine may have no facts */
};
extern const struct dna_machine DNA_P(dna_machine, M);
void DNA_P(DNA_P(dna, M), step)(struct M *m, enum DNA_P(M, event) on,
                                const struct DNA_P(M, facts) *e, struct dna_stream_vars *s,
                                const struct dna_knobs *k, struct dna_effects *fx);
#undef M
#undef DEF
