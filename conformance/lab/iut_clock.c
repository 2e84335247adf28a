/* SPDX-License-Identifier: MIT */
/*
 * The clock of an IUT: libfaketime, preloaded into its process alone, reads an offset from a file
 * at each call. CLOCK_MONOTONIC stays as it is, or timers would freeze when the clock goes back.
 */
#include "conformance/lab/iut_internal.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "conformance/lab/command.h"

const char *dna_iut_faketime(void)
{
    static char path[300];
    static bool looked;
    glob_t found = { 0 };

    if (!looked && glob("/usr/lib/*/faketime/libfaketime.so.1", 0, NULL, &found) == 0)
        snprintf(path, sizeof path, "%s", found.gl_pathv[0]);
    if (!looked)
        globfree(&found);
    looked = true;
    return path[0] ? path : NULL;
}

int dna_iut_clock(struct dna_iut *iut, long long seconds, struct dna_diag *diag)
{
    const char *fresh = dna_pool_printf(iut->pool, "%s.new", iut->clock_path);
    FILE *file;
    bool ok;

    if (!iut->variant->own_clock)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "%s, variant %s: has no clock of its own",
                            iut->profile->name, iut->variant->name);
    file = fopen(fresh, "we");
    if (!file)
        return dna_diag_set(diag, DNA_CLASS_HARD, "cannot write %s: %s", fresh, strerror(errno));
    ok = fprintf(file, "%+lld\n", seconds) > 0;
    ok = fclose(file) == 0 && ok;
    /* In one piece: the file may be read at any moment. */
    if (ok && rename(fresh, iut->clock_path) == 0)
        return 0;
    return dna_diag_set(diag, DNA_CLASS_HARD, "cannot write %s: %s", iut->clock_path,
                        strerror(errno));
}

int iut_clock_environment(struct dna_iut *iut, struct dna_words *out, struct dna_diag *diag)
{
    const char *library = dna_iut_faketime();

    if (!iut->variant->own_clock)
        return 0;
    if (!library)
        return dna_diag_set(diag, DNA_CLASS_HARD, "%s, variant %s: libfaketime is not installed "
                            "(apt-get install libfaketime)", iut->profile->name,
                            iut->variant->name);
    words_push(out, dna_pool_printf(iut->pool, "LD_PRELOAD=%s", library));
    words_push(out, dna_pool_printf(iut->pool, "FAKETIME_TIMESTAMP_FILE=%s", iut->clock_path));
    words_push(out, dna_pool_strdup(iut->pool, "FAKETIME_NO_CACHE=1"));
    words_push(out, dna_pool_strdup(iut->pool, "FAKETIME_DONT_FAKE_MONOTONIC=1"));
    return 0;
}
