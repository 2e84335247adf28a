/* SPDX-License-Identifier: MIT */
/* Where profiles lie: a path, or a name looked for in the usual places. Strings are the pool's. */
#include "conformance/lab/profile_find.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PLACES 3u

static bool is_profile(struct dna_pool *pool, const char *dir)
{
    struct stat st;

    return stat(dna_pool_printf(pool, "%s/profile", dir), &st) == 0 && S_ISREG(st.st_mode);
}

/* beside_program is conformance/profiles of the tree that the running program was built in. */
static const char *beside_program(struct dna_pool *pool)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);

    if (len <= 0)
        return NULL;
    path[len] = '\0';
    /* build/xdna, and build/test/test_x */
    for (char *slash; (slash = strrchr(path, '/'));) {
        const char *dir;

        *slash = '\0';
        dir = dna_pool_printf(pool, "%s/conformance/profiles", path);
        if (access(dir, F_OK) == 0)
            return dir;
    }
    return NULL;
}

/* places lists the directories that profiles are looked for in, each once. */
static size_t places(struct dna_pool *pool, const char *out[MAX_PLACES])
{
    const char *all[MAX_PLACES] = { getenv("XDNA_PROFILES"), "conformance/profiles",
                                    beside_program(pool) };
    size_t num = 0;

    for (size_t i = 0; i < MAX_PLACES; i++) {
        char real[PATH_MAX];
        bool known = false;

        if (!all[i] || !*all[i] || !realpath(all[i], real))
            continue;
        for (size_t k = 0; k < num; k++)
            known = known || strcmp(out[k], real) == 0;
        if (!known)
            out[num++] = dna_pool_strdup(pool, real);
    }
    return num;
}

static void list_profiles(struct dna_pool *pool, const char *dir, struct dna_diag *diag)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;

    while (stream && (entry = readdir(stream))) {
        const char *path = dna_pool_printf(pool, "%s/%s", dir, entry->d_name);

        if (entry->d_name[0] != '.' && is_profile(pool, path))
            dna_diag_add(diag, "\n  %-12s (%s)", entry->d_name, path);
    }
    if (stream)
        closedir(stream);
}

char *profile_find(struct dna_pool *pool, const char *name, struct dna_diag *diag)
{
    const char *dirs[MAX_PLACES];
    char real[PATH_MAX];
    size_t num;

    if (strchr(name, '/')) {
        if (is_profile(pool, name) && realpath(name, real))
            return dna_pool_strdup(pool, real);
        dna_diag_set(diag, DNA_CLASS_USAGE, "no profile in %s (no file %s/profile)", name, name);
        return NULL;
    }
    num = places(pool, dirs);
    for (size_t i = 0; i < num; i++) {
        char *path = dna_pool_printf(pool, "%s/%s", dirs[i], name);

        if (*name && is_profile(pool, path))
            return path;
    }
    dna_diag_set(diag, DNA_CLASS_USAGE, "no profile named %s; there are:", name);
    for (size_t i = 0; i < num; i++)
        list_profiles(pool, dirs[i], diag);
    if (num == 0)
        dna_diag_add(diag, "\n  none (looked in $XDNA_PROFILES and conformance/profiles)");
    return NULL;
}
