/* SPDX-License-Identifier: MIT */
/* spec/sentences.h: a document's text as sections and numbered sentences, so that a requirement can
 * point at its source without copying it. The rules are in spec/README.md; changing one changes
 * ordinals. A struct dna_text owns all that it hands out. */
#ifndef DNA_SPEC_SENTENCES_H
#define DNA_SPEC_SENTENCES_H

#include <stddef.h>

struct dna_text;

/* dna_text_new reads len bytes of an RFC or of a rendered XEP; NULL when memory runs out. */
struct dna_text *dna_text_new(const char *bytes, size_t len);

/* dna_text_free frees a text; NULL is fine. */
void dna_text_free(struct dna_text *text);

/* dna_text_num_sections counts them; dna_text_section_name gives the number of one ("4.3"), or its
 * title in lower case with hyphens ("usage-rules") when the document does not number sections. */
size_t dna_text_num_sections(const struct dna_text *text);
const char *dna_text_section_name(const struct dna_text *text, size_t index);

/* dna_text_num_sentences counts the sentences of a section; -1 when there is no such section. */
int dna_text_num_sentences(const struct dna_text *text, const char *section);

/* dna_text_sentence returns the sentence with this ordinal (from 1), NULL when there is none. */
const char *dna_text_sentence(const struct dna_text *text, const char *section, unsigned ordinal);

/* dna_text_cited joins, with one space, the sentences that an ordinals string names: "3 5-7", and
 * "4.1:2" for a sentence of another section than the given one. NULL when the string is malformed
 * or names a sentence that does not exist, with the offending word in out_bad (at most size bytes).
 * The caller frees. */
char *dna_text_cited(const struct dna_text *text, const char *section, const char *ordinals,
                     char *out_bad, size_t size);

#endif
