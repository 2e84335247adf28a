/* SPDX-License-Identifier: MIT */
/* Room: conformance. See killers.h. */
#include "conformance/killers.h"

#include "conformance/mutate.h"
#include "model/overlay.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *path;
    unsigned line;
    size_t wrong;
    FILE *say;
    struct dna_buf names; /* of the entries so far, each between line ends */
};

static void wrong(struct reader *r, const char *format, ...)
{
    va_list list;

    r->wrong++;
    if (!r->say)
        return;
    fprintf(r->say, "%s:%u: ", r->path, r->line);
    va_start(list, format);
    vfprintf(r->say, format, list);
    va_end(list);
    fputc('\n', r->say);
}

static bool is_damage(const char *text, char *why, size_t size)
{
    struct dna_overlay overlay = { 0 };

    if (strncmp(text, DNA_FAULT, strlen(DNA_FAULT)) == 0)
        return text[strlen(DNA_FAULT)] != '\0';
    return dna_overlay_add(&overlay, text, why, size) == 0;
}

/* The rest of a line behind the damage: a case for a row, and '!' at most. */
static bool tail(struct reader *r, struct dna_killer *k, bool rows, char **rest)
{
    const char *more;

    k->case_id = rows ? strtok_r(NULL, " \t", rest) : NULL;
    more = strtok_r(NULL, " \t", rest);
    if (more && strcmp(more, "!") == 0)
        more = strtok_r(NULL, " \t", rest);
    if (rows && !k->case_id)
        wrong(r, "'%s %s' lacks the case that fails with it", k->name, k->damage);
    else if (more)
        wrong(r, "'%s' is too much: behind the %s there is at most '!'", more,
              rows ? "case" : "damage");
    return !more && (!rows || k->case_id);
}

/* Takes a line apart. False: it is no entry, and that has been said. */
static bool parse(struct reader *r, char *text, bool rows, struct dna_killer *k)
{
    char *rest, *what, why[200] = "fault= lacks its name";

    *k = (struct dna_killer){ .line = r->line, .name = strtok_r(text, " \t", &rest) };
    what = strtok_r(NULL, " \t", &rest);
    if (what && strcmp(what, "-") == 0) {
        k->reason = rest + strspn(rest, " \t");
        if (*k->reason)
            return true;
        wrong(r, "'%s -' lacks a reason", k->name);
    } else if (!what) {
        wrong(r, "'%s' lacks a damage (ROW:OP or " DNA_FAULT "NAME), or '-' and a reason", k->name);
    } else if (!is_damage(what, why, sizeof(why))) {
        wrong(r, "'%s' is no damage: %s", what, why);
    } else {
        k->damage = what;
        return tail(r, k, rows, &rest);
    }
    return false;
}

/* A list has some thousand names: a search of the text is good enough. */
static bool twice(struct reader *r, const char *name)
{
    struct dna_buf entry = { 0 };
    bool found;

    dna_buf_printf(&entry, "\n%s\n", name);
    found = r->names.at && strstr(r->names.at, entry.at);
    if (!found)
        dna_buf_puts(&r->names, entry.at);
    dna_buf_free(&entry);
    return found;
}

size_t dna_killers_read(FILE *in, const char *path, bool rows, dna_killer_take *take, void *ctx,
                        FILE *say)
{
    struct reader r = { .path = path, .say = say };
    char *text = NULL;
    size_t room = 0;

    while (getline(&text, &room, in) >= 0) {
        struct dna_killer k;
        char why[200] = "is not taken";

        r.line++;
        text[strcspn(text, "\r\n")] = '\0';
        if (text[strspn(text, " \t")] == '\0' || text[strspn(text, " \t")] == '#')
            continue;
        if (!parse(&r, text, rows, &k))
            continue;
        if (twice(&r, k.name))
            wrong(&r, "'%s' is there twice", k.name);
        else if (!take(ctx, &k, why, sizeof(why)))
            wrong(&r, "%s", why);
    }
    free(text);
    dna_buf_free(&r.names);
    return r.wrong;
}
