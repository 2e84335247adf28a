/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. One scenario file from text to a checked tree: lines, procedures, header,
 * steps, then the walk along its paths. A scenario with any error is not handed out.
 */
#include "conformance/scn_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* the id comes from the place of the file: DOCUMENT/SECTION_slug.scn */
static bool name_from_path(struct scn_parse *p, const char *file)
{
    struct dna_scn *s = p->scn;
    const char *base = strrchr(file, '/'), *dir, *under, *dot;

    if (!base)
        goto bad;
    dir = base;
    while (dir > file && dir[-1] != '/')
        dir--;
    base++;
    under = strchr(base, '_');
    dot = strrchr(base, '.');
    if (!under || !dot || dot < under || strcmp(dot, ".scn") != 0 || under == base ||
        under + 1 == dot || dir + 1 == base)
        goto bad;
    s->document = dna_pool_strndup(p->pool, dir, (size_t)(base - 1 - dir));
    s->section = dna_pool_strndup(p->pool, base, (size_t)(under - base));
    s->slug = dna_pool_strndup(p->pool, under + 1, (size_t)(dot - under - 1));
    s->id = dna_pool_printf(p->pool, "%s/%s/%s", s->document, s->section, s->slug);
    for (const char *c = s->id; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("/._-", *c))
            goto bad;
    return true;
bad:
    scn_error(p->diags, file, 1, "a scenario's path is DOCUMENT/SECTION_slug.scn, of letters, "
              "digits, '.', '-' and '_'");
    s->document = s->section = s->slug = s->id = "";
    return false;
}

static void header(struct scn_parse *p)
{
    struct dna_step **tail = &p->scn->world, *step;

    for (; p->pos < p->lines.num; p->pos++) {
        const struct scn_line *line = &p->lines.at[p->pos];
        size_t len = strcspn(line->text, " \t");
        char *keyword = dna_pool_strndup(p->pool, line->text, len);
        const char *rest = scn_skip_space(line->text + len);

        if (strcmp(keyword, "given:") == 0 || strcmp(keyword, "then:") == 0)
            break;
        if (strcmp(keyword, "dns") == 0)
            scn_parse_dns(p, line, rest, &tail);
        else if (scn_world_line(p, line, keyword, rest, true, &step))
            tail = step ? (*tail = step, &step->next) : tail;
        else if (!scn_header_line(p, line, keyword, rest))
            scn_error(p->diags, line->file, line->line, "unknown keyword '%s'", keyword);
    }
    scn_header_finish(p);
}

struct dna_scn *dna_scn_parse(const char *file, const char *text, const struct dna_prelude *prelude,
                              struct dna_scn_diags *diags)
{
    struct dna_pool *pool = dna_pool_new();
    struct scn_parse p = { .pool = pool, .diags = diags, .prelude = prelude };
    struct scn_lines source = { 0 };
    unsigned before = diags->num;

    p.scn = dna_pool_alloc(pool, sizeof(*p.scn));
    p.scn->pool = pool;
    p.scn->file = dna_pool_strdup(pool, file);
    name_from_path(&p, p.scn->file);
    scn_lines_read(&source, pool, p.scn->file, text);
    scn_read_defines(&source, pool, &p.defines, diags);
    scn_expand(&p, &source);
    header(&p);
    scn_steps(&p);
    if (diags->num == before)
        scn_flow(p.scn, diags);
    for (struct scn_define *d = p.defines; d; d = d->next)
        free(d->body.at);
    free(source.at);
    free(p.lines.at);
    if (diags->num != before) {
        dna_pool_free(pool);
        return NULL;
    }
    return p.scn;
}

struct dna_scn *dna_scn_load(const char *file, const struct dna_prelude *prelude,
                             struct dna_scn_diags *diags)
{
    char *text = scn_read_file(file);
    struct dna_scn *scn;

    if (!text) {
        scn_error(diags, file, 0, "cannot be read");
        return NULL;
    }
    scn = dna_scn_parse(file, text, prelude, diags);
    free(text);
    return scn;
}

void dna_scn_free(struct dna_scn *scn)
{
    if (scn)
        dna_pool_free(scn->pool);
}
