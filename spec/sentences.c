/* SPDX-License-Identifier: MIT */
/* spec/sentences.c: page furniture off, blocks folded, sections and sentences counted, by the rules
 * of spec/README.md. The text is read line by line; a block (paragraph or list item) is gathered
 * and cut at its end. */
#include "spec/sentences.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct section {
    char *name;
    size_t first, num; /* sentences */
};

struct dna_text {
    struct section *sections;
    size_t num_sections, room_sections;
    char **sentences;
    size_t num_sentences, room_sentences;
    bool failed; /* out of memory, sticky */
};

struct reader {
    struct dna_text *text;
    char *block;        /* lines of the block so far, joined by one space */
    size_t len, indent; /* indent of its last line */
    size_t blanks;      /* blank lines since then */
    bool page_break;    /* a page ended since then */
    bool figure;        /* a line of the block begins with | or + */
    enum { NO_TABLE, ANNOUNCED, ROWS } table;
};

static void *grow(struct dna_text *text, void *array, size_t num, size_t *room, size_t size)
{
    if (num < *room)
        return array;

    size_t more = *room ? *room * 2 : 64;
    void *bigger = realloc(array, more * size);

    if (!bigger) {
        text->failed = true;
        return NULL;
    }
    *room = more;
    return bigger;
}

static char *copy_of(struct dna_text *text, const char *at, size_t len)
{
    char *copy = malloc(len + 1);

    if (!copy) {
        text->failed = true;
        return NULL;
    }
    memcpy(copy, at, len);
    copy[len] = '\0';
    return copy;
}

static void add_section(struct dna_text *text, const char *name, size_t len)
{
    struct section *s =
        grow(text, text->sections, text->num_sections, &text->room_sections, sizeof *s);

    if (!s)
        return;
    text->sections = s;

    char *copy = copy_of(text, name, len);

    if (copy)
        s[text->num_sections++] = (struct section){copy, text->num_sentences, 0};
}

static void add_sentence(struct dna_text *text, const char *at, size_t len)
{
    while (len && at[len - 1] == ' ')
        len--;
    if (!len || !text->num_sections)
        return;

    char **s = grow(text, text->sentences, text->num_sentences, &text->room_sentences, sizeof *s);

    if (!s)
        return;
    text->sentences = s;

    char *copy = copy_of(text, at, len);

    if (copy) {
        s[text->num_sentences++] = copy;
        text->sections[text->num_sections - 1].num++;
    }
}

/* Words whose full stop does not end a sentence even before a capital. "etc." may end one. */
static bool abbreviates(const char *block, const char *stop)
{
    static const char *const words[] = {"e.g", "i.e", "cf",  "vs", "Dr", "Mr", "al",
                                        "Inc", "Sec", "Fig", "No", "St", "viz"};
    const char *word = stop;

    while (word > block && word[-1] != ' ' && !strchr("([\"'", word[-1]))
        word--;

    size_t len = (size_t)(stop - word);

    if (len == 1 && isupper((unsigned char)*word))
        return true; /* an initial */
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == len && strncmp(words[i], word, len) == 0)
            return true;
    return false;
}

static bool starts_sentence(char c)
{
    return isupper((unsigned char)c) || isdigit((unsigned char)c) || strchr("\"'(<[_*#", c);
}

static void cut_sentences(struct dna_text *text, const char *block)
{
    const char *begin = block;
    int brackets = 0; /* footnotes of the XEPs stay in one piece with their sentence */

    for (const char *p = block; *p; p++) {
        brackets += (*p == '[') - (*p == ']');
        if (!strchr(".!?", *p) || brackets > 0)
            continue;

        const char *end = p + 1;

        while (*end && strchr("\"')", *end))
            end++;
        if (*end == ' ' && starts_sentence(end[1]) && !(*p == '.' && abbreviates(block, p))) {
            add_sentence(text, begin, (size_t)(end - begin));
            begin = end + 1;
            p = end;
        }
    }
    add_sentence(text, begin, strlen(begin));
}

/* The length of the list marker at the start of a block: "1.  ", "a) ", "o  ", "* ", "- ", "# ". */
static size_t marker_len(const char *at)
{
    size_t n = 0;

    if (strchr("o*-#", *at) && at[1] == ' ')
        n = 1;
    else if (isdigit((unsigned char)*at)) {
        n = strspn(at, "0123456789");
        n = strchr(".)", at[n]) && at[n] && at[n + 1] == ' ' ? n + 1 : 0;
    } else if (isalpha((unsigned char)*at) && at[1] == ')' && at[2] == ' ') {
        n = 2;
    }
    return n ? n + strspn(at + n, " ") : 0;
}

/* XML alone, or lines of an exchange: "C: <stream:stream ...". Figures are known by their lines. */
static bool is_artwork(const char *block)
{
    if (*block == '<')
        return block[strlen(block) - 1] == '>';
    return isupper((unsigned char)*block) && strncmp(block + 1, ": <", 3) == 0;
}

static void flush(struct reader *r)
{
    if (!r->len)
        return;
    r->block[r->len] = '\0';
    if (!r->figure && !is_artwork(r->block))
        cut_sentences(r->text, r->block + marker_len(r->block));
    r->table = strncmp(r->block, "Table:", 6) == 0 ? ANNOUNCED : NO_TABLE;
    r->figure = false;
    r->len = 0;
}

/* A page may end inside a paragraph: it goes on when its last line did not close a sentence. */
static bool goes_on(const struct reader *r, const char *line, size_t indent)
{
    size_t len = r->len;

    while (len && strchr("\"')", r->block[len - 1]))
        len--;
    return len && indent == r->indent && !marker_len(line) && !strchr(".:;?!>|", r->block[len - 1]);
}

/* The number of "4.3.  Title", "Appendix A.  Title" or "1 Title", or 0 characters. */
static size_t heading_number(const char *line, const char **out_at)
{
    const char *at = line;

    if (strncmp(at, "Appendix ", 9) == 0)
        at += 9;
    *out_at = at;

    size_t n = isupper((unsigned char)*at) && at[1] == '.' ? 1 : strspn(at, "0123456789");

    if (!n)
        return 0;
    while (at[n] == '.' && isdigit((unsigned char)at[n + 1]))
        n += 1 + strspn(at + n + 1, "0123456789");
    return at[n] == ' ' || (at[n] == '.' && at[n + 1] == ' ') ? n : 0;
}

static void read_heading(struct reader *r, const char *line)
{
    const char *at;
    char name[64];
    size_t n = heading_number(line, &at);

    if (n) {
        add_section(r->text, at, n);
        return;
    }
    for (; *line && n + 1 < sizeof name; line++) {
        if (isalnum((unsigned char)*line))
            name[n++] = (char)tolower((unsigned char)*line);
        else if (n && name[n - 1] != '-')
            name[n++] = '-';
    }
    while (n && name[n - 1] == '-')
        n--;
    add_section(r->text, name, n);
}

static void append(struct reader *r, const char *line)
{
    if (r->len)
        r->block[r->len++] = ' ';
    for (; *line; line++) {
        char c = isspace((unsigned char)*line) ? ' ' : *line;

        if (c != ' ' || !r->len || r->block[r->len - 1] != ' ')
            r->block[r->len++] = c;
    }
}

static bool is_footer(const char *line, size_t len)
{
    return line[0] != ' ' && line[len - 1] == ']' && strstr(line, "[Page ");
}

static bool is_running_head(const char *line)
{
    return strncmp(line, "RFC ", 4) == 0 && isdigit((unsigned char)line[4]);
}

/* A row of an announced table is one sentence; other lines with a bar are artwork. */
static bool read_row(struct reader *r, const char *line)
{
    if (*line != '|' || r->table == NO_TABLE || (r->table == ROWS && r->blanks))
        return false;
    add_sentence(r->text, line, strlen(line));
    r->table = ROWS;
    r->blanks = 0;
    return true;
}

static void read_line(struct reader *r, char *line)
{
    size_t len = strlen(line);
    size_t indent = strspn(line, " \t\f\r");

    while (len && isspace((unsigned char)line[len - 1]))
        line[--len] = '\0';
    if (indent >= len) {
        r->blanks++;
        return;
    }
    if (is_footer(line, len)) {
        r->page_break = true;
        return;
    }
    if (r->page_break && is_running_head(line))
        return;
    line += indent;
    if (r->blanks && !(r->page_break && goes_on(r, line, indent)))
        flush(r);
    r->page_break = false;
    if (read_row(r, line))
        return;
    r->blanks = 0;
    r->table = NO_TABLE;
    if (indent == 0) {
        flush(r);
        read_heading(r, line);
        return;
    }
    r->indent = indent;
    r->figure = r->figure || strchr("|+", *line);
    append(r, line);
}

struct dna_text *dna_text_new(const char *bytes, size_t len)
{
    struct dna_text *text = calloc(1, sizeof *text);
    char *copy = malloc(len + 1);
    struct reader r = {.text = text, .block = malloc(len + 2)};

    if (!text || !copy || !r.block) {
        free(r.block);
        free(copy);
        free(text);
        return NULL;
    }
    memcpy(copy, bytes, len);
    copy[len] = '\0';
    for (char *at = copy, *nl; at; at = nl) {
        nl = strchr(at, '\n');
        if (nl)
            *nl++ = '\0';
        read_line(&r, at);
    }
    flush(&r);
    free(r.block);
    free(copy);
    if (text->failed) {
        dna_text_free(text);
        return NULL;
    }
    return text;
}

void dna_text_free(struct dna_text *text)
{
    if (!text)
        return;
    for (size_t i = 0; i < text->num_sections; i++)
        free(text->sections[i].name);
    for (size_t i = 0; i < text->num_sentences; i++)
        free(text->sentences[i]);
    free(text->sections);
    free(text->sentences);
    free(text);
}

size_t dna_text_num_sections(const struct dna_text *text)
{
    return text->num_sections;
}

const char *dna_text_section_name(const struct dna_text *text, size_t index)
{
    return index < text->num_sections ? text->sections[index].name : NULL;
}

/* A name may occur twice (a title in the front matter, say): the one with more sentences counts. */
static const struct section *find_section(const struct dna_text *text, const char *name,
                                          size_t len)
{
    const struct section *found = NULL;

    for (size_t i = 0; i < text->num_sections; i++) {
        const struct section *s = &text->sections[i];

        if (strlen(s->name) == len && strncmp(s->name, name, len) == 0 &&
            (!found || s->num > found->num))
            found = s;
    }
    return found;
}

int dna_text_num_sentences(const struct dna_text *text, const char *section)
{
    const struct section *s = find_section(text, section, strlen(section));

    return s ? (int)s->num : -1;
}

static const char *sentence_of(const struct dna_text *text, const char *section, size_t len,
                               unsigned long ordinal)
{
    const struct section *s = find_section(text, section, len);

    return s && ordinal >= 1 && ordinal <= s->num ? text->sentences[s->first + ordinal - 1] : NULL;
}

const char *dna_text_sentence(const struct dna_text *text, const char *section, unsigned ordinal)
{
    return sentence_of(text, section, strlen(section), ordinal);
}

static bool join(char **joined, size_t *len, const char *sentence)
{
    size_t more = strlen(sentence);
    char *bigger = realloc(*joined, *len + more + 2);

    if (!bigger)
        return false;
    *joined = bigger;
    if (*len)
        bigger[(*len)++] = ' ';
    memcpy(bigger + *len, sentence, more + 1);
    *len += more;
    return true;
}

/* One word of an ordinals string: "3", "5-7" or "4.1:2". */
static bool join_word(const struct dna_text *text, const char *section, const char *word,
                      char **joined, size_t *len)
{
    const char *colon = strchr(word, ':');
    size_t section_len = colon ? (size_t)(colon - word) : strlen(section);
    char *end;

    if (colon) {
        section = word;
        word = colon + 1;
    }
    if (!isdigit((unsigned char)*word))
        return false;

    unsigned long from = strtoul(word, &end, 10), to = from;

    if (*end == '-' && isdigit((unsigned char)end[1]))
        to = strtoul(end + 1, &end, 10);
    if (*end || to < from)
        return false;
    for (unsigned long i = from; i <= to; i++) {
        const char *sentence = sentence_of(text, section, section_len, i);

        if (!sentence || !join(joined, len, sentence))
            return false;
    }
    return true;
}

char *dna_text_cited(const struct dna_text *text, const char *section, const char *ordinals,
                     char *out_bad, size_t size)
{
    char *joined = NULL;
    size_t len = 0;

    while (*(ordinals += strspn(ordinals, " "))) {
        char word[64];
        size_t n = strcspn(ordinals, " ");

        snprintf(word, sizeof word, "%.*s", (int)n, ordinals);
        if (n >= sizeof word || !join_word(text, section, word, &joined, &len)) {
            snprintf(out_bad, size, "%s", word);
            free(joined);
            return NULL;
        }
        ordinals += n;
    }
    if (!joined)
        snprintf(out_bad, size, "%s", "(none)");
    return joined;
}
