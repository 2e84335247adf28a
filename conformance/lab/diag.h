/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, and how bad it is: filled by the callee, owned by the caller.
 * The lab is the room that meets the machine it runs on, so most of its errors are
 * about that machine; each says what a person can do about it.
 */
#ifndef DNA_LAB_DIAG_H
#define DNA_LAB_DIAG_H

#include <stddef.h>

#if defined(__GNUC__)
#define DNA_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define DNA_CHECKED __attribute__((warn_unused_result))
#else
#define DNA_PRINTF(fmt, first)
#define DNA_CHECKED
#endif

/* Classes of error, equal to the exit statuses that they lead to. */
enum dna_class {
    DNA_CLASS_USAGE = 2,  /* a bad flag, name or file: the person must change what they typed */
    DNA_CLASS_SKIP = 77,  /* not applicable here */
    DNA_CLASS_HARD = 99,  /* the lab or the server under test is not usable */
};

/*
 * dna_diag is one error: its class and a text, which may have several lines, without newline at
 * its end.
 */
struct dna_diag {
    int class; /* enum dna_class */
    char text[4096];
};

/* dna_diag_set fills diag (which may be NULL) and returns -1, so that it can stand in a return. */
int dna_diag_set(struct dna_diag *diag, enum dna_class class, const char *format, ...)
    DNA_PRINTF(3, 4);

/* dna_diag_add appends to the text of diag; the class stays. Returns -1. */
int dna_diag_add(struct dna_diag *diag, const char *format, ...) DNA_PRINTF(2, 3);

#endif
