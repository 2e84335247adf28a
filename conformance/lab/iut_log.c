/* SPDX-License-Identifier: MIT */
/*
 * The IUT's log as evidence: the last lines that concern one case. A server rarely writes a peer's
 * domain on every line, so the sessions that such lines name are followed too. Each call reads the
 * file anew; what it returns is the caller's.
 */
#include "conformance/lab/iut_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_READ (4L * 1024 * 1024)
#define MAX_SESSIONS 64u
#define SEPARATORS " \t()[]<>,;\"'"

/* sessions are the words of one log that stand for the sessions of one case. */
struct sessions {
    size_t num;
    char words[MAX_SESSIONS][48];
};

long dna_iut_log_mark(const struct dna_iut *iut)
{
    struct stat st;

    return stat(iut->log_path, &st) == 0 ? (long)st.st_size : 0;
}

static void read_since(const char *path, long since, struct dna_buf *out)
{
    FILE *file = fopen(path, "re");
    char bytes[16384];
    size_t num;
    long end;

    if (!file)
        return;
    if (fseek(file, 0, SEEK_END) == 0 && (end = ftell(file)) >= 0) {
        if (since < end - MAX_READ)
            since = end - MAX_READ;
        if (fseek(file, since > 0 ? since : 0, SEEK_SET) == 0) {
            while ((num = fread(bytes, 1, sizeof bytes, file)) > 0)
                dna_buf_add(out, bytes, num);
        }
    }
    fclose(file);
}

static bool holds(const char *line, size_t len, const char *word)
{
    return memmem(line, len, word, strlen(word)) != NULL;
}

static void remember(struct sessions *s, const char *word, size_t len)
{
    if (len >= sizeof s->words[0] || s->num == MAX_SESSIONS)
        return;
    for (size_t i = 0; i < s->num; i++) {
        if (strlen(s->words[i]) == len && strncmp(s->words[i], word, len) == 0)
            return;
    }
    memcpy(s->words[s->num], word, len);
    s->words[s->num++][len] = '\0';
}

/* note_sessions remembers the session words of a line: a declared prefix and more behind it. */
static void note_sessions(const struct dna_words *prefixes, const char *line, size_t len,
                          struct sessions *s)
{
    const char *end = line + len;

    while (line < end) {
        size_t word = 0;

        while (line + word < end && !strchr(SEPARATORS, line[word]))
            word++;
        for (size_t i = 0; i < prefixes->num; i++) {
            size_t prefix = strlen(prefixes->at[i]);

            if (word > prefix && strncmp(line, prefixes->at[i], prefix) == 0)
                remember(s, line, word);
        }
        line += word + 1;
    }
}

static bool is_of_session(const struct sessions *s, const char *line, size_t len)
{
    for (size_t i = 0; i < s->num; i++) {
        size_t word = strlen(s->words[i]);
        const char *at = memmem(line, len, s->words[i], word);

        /* conn=1 is not conn=17. */
        if (at && (at + word == line + len || strchr(SEPARATORS "\n:", at[word])))
            return true;
    }
    return false;
}

static const char *next_line(const char *at, const char *end, size_t *len)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    *len = newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);
    return at + *len;
}

/* collect keeps the last lines that belong; marks is a ring of their beginnings. */
static char *collect(const struct dna_buf *text, const char *label, const struct sessions *s,
                     unsigned max_lines)
{
    const char **marks = dna_xcalloc(max_lines + 1u, sizeof *marks);
    const char *end = text->at + text->len;
    struct dna_buf out = { 0 };
    size_t num = 0, len;

    for (const char *at = text->at, *next; at < end; at = next) {
        next = next_line(at, end, &len);
        if (!label || holds(at, len, label) || is_of_session(s, at, len))
            marks[num++ % max_lines] = at;
    }
    dna_buf_add(&out, "", 0);
    for (size_t i = num > max_lines ? num - max_lines : 0; i < num; i++) {
        const char *at = marks[i % max_lines];

        next_line(at, end, &len);
        dna_buf_add(&out, at, len);
    }
    free(marks);
    return out.at;
}

char *dna_iut_log_tail(const struct dna_iut *iut, const char *label, long since, unsigned max_lines)
{
    struct dna_buf text = { 0 };
    struct sessions *s = dna_xcalloc(1, sizeof *s);
    char *result;
    size_t len;

    dna_buf_add(&text, "", 0);
    read_since(iut->log_path, since, &text);
    for (const char *at = text.at, *next; label && at < text.at + text.len; at = next) {
        next = next_line(at, text.at + text.len, &len);
        if (holds(at, len, label))
            note_sessions(&iut->profile->session_words, at, len, s);
    }
    result = collect(&text, label, s, max_lines ? max_lines : 1);
    dna_buf_free(&text);
    free(s);
    return result;
}
