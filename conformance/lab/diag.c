/* SPDX-License-Identifier: MIT */
/* The lab's errors: a class and a text in the caller's struct; truncated rather than lost. */
#include "conformance/lab/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int dna_diag_set(struct dna_diag *diag, enum dna_class class, const char *format, ...)
{
    va_list args;

    if (!diag)
        return -1;
    diag->class = (int)class;
    va_start(args, format);
    vsnprintf(diag->text, sizeof diag->text, format, args);
    va_end(args);
    return -1;
}

int dna_diag_add(struct dna_diag *diag, const char *format, ...)
{
    va_list args;
    size_t len;

    if (!diag)
        return -1;
    len = strnlen(diag->text, sizeof diag->text - 1);
    va_start(args, format);
    vsnprintf(diag->text + len, sizeof diag->text - len, format, args);
    va_end(args);
    return -1;
}
