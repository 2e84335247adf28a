/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What the parser's files share: the line reader, the tokens of a line and the
 * state of one parse. Nobody outside scn_*.c includes this.
 */
#ifndef CONFORMANCE_SCN_INTERNAL_H
#define CONFORMANCE_SCN_INTERNAL_H

#include "conformance/scenario.h"

struct scn_line {
    const char *file;
    int line;
    int call_line;    /* line of the scenario that called the procedure it stands in */
    const char *text; /* without indentation; comments still there */
};

struct scn_lines {
    struct scn_line *at;
    size_t num, cap;
};

struct scn_define {
    struct scn_define *next;
    const char *name, *file;
    int line;
    const char **params; /* "NAME" or "NAME=default" */
    size_t num_params;
    struct scn_lines body;
};

struct dna_prelude {
    struct dna_pool *pool;
    struct scn_define *defines;
};

struct scn_parse {
    struct dna_pool *pool;
    struct dna_scn *scn;
    struct dna_scn_diags *diags;
    const struct dna_prelude *prelude;
    struct scn_define *defines; /* local ones */
    struct scn_lines lines;     /* with procedures put in their place */
    size_t pos;
    bool then;
    unsigned within_ms;         /* of a 'within' line that waits for its step */
};

__attribute__((format(printf, 4, 5)))
void scn_error(struct dna_scn_diags *diags, const char *file, int line, const char *format, ...);

/* scn_lines_read splits text into lines (a line that ends in '\' goes on), comments dropped. */
void scn_lines_read(struct scn_lines *lines, struct dna_pool *pool, const char *file,
                    const char *text);
void scn_lines_add(struct scn_lines *lines, struct scn_line line);

/* scn_word takes the next word off *at: quotes and escapes resolved, NULL at the end or a comment.
 * *out_len counts NULs inside; it may be NULL. */
const char *scn_word(struct dna_pool *pool, const char **at, size_t *out_len);
size_t scn_words(struct dna_pool *pool, const char *at, const char ***out_words);
const char *scn_skip_space(const char *at);

char *scn_read_file(const char *file); /* malloc, NULL if it cannot be read */

/* scn_repeats is how often repeat N "text" makes it; 0: N is no number, or that would be more than
 * SCN_REPEAT_MAX bytes. */
enum { SCN_REPEAT_MAX = 16 << 20 };
size_t scn_repeats(const char *times, const char *text);

/* key=value words: scn_option returns the value of a key, NULL if not there */
const char *scn_option(const char *const *words, size_t num, const char *key);

/* scn_expand puts procedures in the place of their calls and collects local definitions. */
void scn_expand(struct scn_parse *p, const struct scn_lines *source);
bool scn_read_defines(struct scn_lines *source, struct dna_pool *pool, struct scn_define **out,
                      struct dna_scn_diags *diags);

bool scn_header_line(struct scn_parse *p, const struct scn_line *line, const char *keyword,
                     const char *rest);
void scn_header_finish(struct scn_parse *p);
void scn_parse_dns(struct scn_parse *p, const struct scn_line *line, const char *rest,
                   struct dna_step ***tail);
/* scn_world_line reads dnssec, tlsa, posh, page, and in the body web and clock; false if it is none
 * of them. *out is NULL after an error. */
bool scn_world_line(struct scn_parse *p, const struct scn_line *line, const char *keyword,
                    const char *rest, bool header, struct dna_step **out);
/* scn_iut_step reads what stands behind 'iut': stops, or gone; NULL after an error. */
struct dna_step *scn_iut_step(struct scn_parse *p, const struct scn_line *line, const char *rest);
void scn_web_actor(struct scn_parse *p, const struct scn_line *line, struct dna_scn_actor *actor,
                   const char *rest);
void scn_steps(struct scn_parse *p);
/* the words of a step; 'within TIME' at their end is its deadline */
void scn_take_words(struct scn_parse *p, const struct scn_line *line, struct dna_step *s,
                    const char *rest);
/* what an expectation line holds behind '>' that a forbid may also use: an XML pattern */
struct dna_xnode *scn_xml(struct scn_parse *p, const struct scn_line *line, const char **at);
struct dna_scn_actor *scn_find_actor(struct scn_parse *p, const struct scn_line *line,
                                     const char *word, const char **out_conn);
struct dna_step *scn_step_new(struct scn_parse *p, const struct scn_line *line,
                              enum dna_step_kind kind);

/* scn_flow follows every path: variables bound before they are sent, connections opened before
 * they are used. */
void scn_flow(struct dna_scn *scn, struct dna_scn_diags *diags);

#endif
