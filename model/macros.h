/* SPDX-License-Identifier: MIT */
/*
 * macros.h -- the preprocessor machinery that reads a table, in one place.
 *
 * A table names things without a prefix (`UNPROVEN`, `send_valid`); an includer defines M (the
 * machine's name) and DEF (its file) and pastes the prefix on: M_S_UNPROVEN, M_O_send_valid.
 * DNA_P pastes two names with `_` between them after expanding them; DNA_EACH applies a macro to
 * each of up to eight arguments, which turns `do` lists and IGNORE events into array elements.
 */
#ifndef DNA_MODEL_MACROS_H
#define DNA_MODEL_MACROS_H

#define DNA_P2(a, b) a##_##b
#define DNA_P(a, b) DNA_P2(a, b)
#define DNA_STR2(x) #x
#define DNA_STR(x) DNA_STR2(x)

#define DNA_COUNT(...) DNA_COUNT_(__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define DNA_COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, n, ...) n
#define DNA_EACH(F, x, ...) DNA_EACH_(DNA_COUNT(__VA_ARGS__), F, x, __VA_ARGS__)
#define DNA_EACH_(n, F, x, ...) DNA_EACH__(n, F, x, __VA_ARGS__)
#define DNA_EACH__(n, F, x, ...) DNA_EACH_##n(F, x, __VA_ARGS__)
#define DNA_EACH_1(F, x, a) F(x, a)
#define DNA_EACH_2(F, x, a, ...) F(x, a) DNA_EACH_1(F, x, __VA_ARGS__)
#define DNA_EACH_3(F, x, a, ...) F(x, a) DNA_EACH_2(F, x, __VA_ARGS__)
#define DNA_EACH_4(F, x, a, ...) F(x, a) DNA_EACH_3(F, x, __VA_ARGS__)
#define DNA_EACH_5(F, x, a, ...) F(x, a) DNA_EACH_4(F, x, __VA_ARGS__)
#define DNA_EACH_6(F, x, a, ...) F(x, a) DNA_EACH_5(F, x, __VA_ARGS__)
#define DNA_EACH_7(F, x, a, ...) F(x, a) DNA_EACH_6(F, x, __VA_ARGS__)
#define DNA_EACH_8(F, x, a, ...) F(x, a) DNA_EACH_7(F, x, __VA_ARGS__)
#define DNA_EACH_9(F, x, a, ...) F(x, a) DNA_EACH_8(F, x, __VA_ARGS__)
#define DNA_EACH_10(F, x, a, ...) F(x, a) DNA_EACH_9(F, x, __VA_ARGS__)
#define DNA_EACH_11(F, x, a, ...) F(x, a) DNA_EACH_10(F, x, __VA_ARGS__)
#define DNA_EACH_12(F, x, a, ...) F(x, a) DNA_EACH_11(F, x, __VA_ARGS__)

#endif
