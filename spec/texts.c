/* SPDX-License-Identifier: MIT */
/* spec/texts.c: build/spec-texts, which holds the requirements against a reader's own copy of the
 * texts: ordinals exist, hashes agree. It also shows the sentences behind an id, since we do not
 * copy them here. Texts are kept until the end of the program. */
#include "spec/req.h"
#include "spec/sentences.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DONE = 0, DIFFERS = 1, USAGE = 2 };

static const char usage[] =
    "usage: spec-texts DIR [COMMAND]     (make texts TEXTS=DIR)\n"
    "  DIR                  holds rfc7712.txt, ..., and xeps/xep-0220.txt or xep-0220.txt\n"
    "  (no command)         verify the ordinals and hashes of every requirement\n"
    "  show ID...           print the source sentences of a requirement\n"
    "  list DOCUMENT [SECTION...]   number every sentence (DOCUMENT as in RFC7712, XEP-0220)\n"
    "  suggest ID...        the sentences of its section most like our paraphrase\n"
    "  hash DOCUMENT SECTION ORDINALS   the sha256 that a REQ line wants\n";

static int fail(const char *what, const char *which)
{
    fprintf(stderr, "spec-texts: %s: %s\n", what, which);
    return USAGE;
}

static char *slurp(const char *path, size_t *out_len)
{
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    size_t len = 0, room = 0, n = 0;

    if (!file)
        return NULL;
    do {
        len += n;
        if (len == room) {
            char *bigger = realloc(bytes, room = room ? room * 2 : 1u << 16);

            if (!bigger)
                break;
            bytes = bigger;
        }
        n = fread(bytes + len, 1, room - len, file);
    } while (n > 0);
    if (ferror(file)) {
        int saved = errno;

        free(bytes);
        bytes = NULL;
        errno = saved;
    }
    fclose(file);
    *out_len = len;
    return bytes;
}

/* Texts are read once; the documents are few. */
static struct {
    const char *document;
    struct dna_text *text;
} cache[64];

static struct dna_text *text_of(const char *dir, const char *document)
{
    static const char *const rooms[] = {"", "xeps/"};
    char name[32], path[4096];
    size_t slot = 0, len = 0;
    char *bytes = NULL;

    for (; slot < sizeof cache / sizeof *cache && cache[slot].document; slot++)
        if (strcmp(cache[slot].document, document) == 0)
            return cache[slot].text;
    if (slot == sizeof cache / sizeof *cache || strlen(document) >= sizeof name)
        return NULL;
    for (size_t i = 0; i <= strlen(document); i++)
        name[i] = (char)tolower((unsigned char)document[i]);
    for (size_t i = 0; !bytes && i < sizeof rooms / sizeof *rooms; i++) {
        snprintf(path, sizeof path, "%s/%s%s.txt", dir, rooms[i], name);
        bytes = slurp(path, &len);
    }
    cache[slot].document = document;
    if (bytes)
        cache[slot].text = dna_text_new(bytes, len);
    else
        fprintf(stderr, "spec-texts: cannot read %s.txt in %s: %s\n", name, dir, strerror(errno));
    free(bytes);
    return cache[slot].text;
}

static void free_texts(void)
{
    for (size_t i = 0; i < sizeof cache / sizeof *cache; i++)
        dna_text_free(cache[i].text);
}

static void hash(const char *sentences, char out_hex[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    EVP_Digest(sentences, strlen(sentences), digest, &len, EVP_sha256(), NULL);
    for (unsigned i = 0; i < len && i < 32; i++)
        snprintf(out_hex + (size_t)i * 2, 3, "%02x", digest[i]);
}

/* requirement finds what an id of the command line names; NULL, and a message, when it is none. */
static const struct dna_requirement *requirement(const char *id)
{
    int found = dna_requirement_find(id);
    const struct dna_requirement *r = found < 0 ? NULL : dna_requirement((enum dna_req)found);

    if (!r)
        fail("no such requirement", id);
    else if (r->level == DNA_LEVEL_DECISION)
        fail("a decision of ours has no source sentence", id);
    else
        return r;
    return NULL;
}

static int verify_one(const char *dir, const struct dna_requirement *r)
{
    struct dna_text *text = text_of(dir, r->document);
    char bad[80], hex[65] = "";

    if (!text)
        return USAGE;

    char *cited = dna_text_cited(text, r->section, r->ordinals, bad, sizeof bad);

    if (!cited) {
        printf("%s: %s section %s has no sentence %s\n", r->id, r->document, r->section, bad);
        return DIFFERS;
    }
    hash(cited, hex);
    free(cited);
    if (strcmp(hex, r->sha256) == 0)
        return DONE;
    printf("%s: %s section %s sentence %s has sha256\n  %s in your text,\n  %s in ours\n", r->id,
           r->document, r->section, r->ordinals, hex, *r->sha256 ? r->sha256 : "(none)");
    return DIFFERS;
}

static int verify(const char *dir)
{
    unsigned num = 0, without = 0, wrong = 0;
    int status = DONE;

    for (int i = 0; i < DNA_NUM_REQUIREMENTS; i++) {
        const struct dna_requirement *r = dna_requirement((enum dna_req)i);

        if (r->level == DNA_LEVEL_DECISION)
            continue;
        num++;
        if (!*r->ordinals) {
            without++;
            continue;
        }

        int one = verify_one(dir, r);

        wrong += one != DONE;
        if (one > status)
            status = one;
    }
    printf("%u requirements: %u agree with the texts, %u do not, %u have no sentence yet\n", num,
           num - without - wrong, wrong, without);
    return status;
}

static int show(const char *dir, const char *id)
{
    const struct dna_requirement *r = requirement(id);
    struct dna_text *text = r ? text_of(dir, r->document) : NULL;
    char bad[80];

    if (!text)
        return USAGE;
    printf("%s  %s section %s  %s  %s\n  ours:   %s\n", r->id, r->document, r->section,
           dna_level_name(r->level), r->roles, r->text);
    if (!*r->ordinals)
        return fail("no sentence recorded yet for", id);

    char *cited = dna_text_cited(text, r->section, r->ordinals, bad, sizeof bad);

    if (!cited)
        return fail("the text has no such sentence", bad);
    printf("  source: %s\n", cited);
    free(cited);
    return verify_one(dir, r);
}

static int list_section(const struct dna_text *text, const char *section)
{
    int num = dna_text_num_sentences(text, section);

    if (num < 0)
        return fail("no such section", section);
    printf("== %s\n", section);
    for (int i = 1; i <= num; i++)
        printf("%d. %s\n", i, dna_text_sentence(text, section, (unsigned)i));
    return DONE;
}

static int list(const char *dir, char *const argv[], int argc)
{
    struct dna_text *text = text_of(dir, argv[0]);
    int status = DONE;

    if (!text)
        return USAGE;
    for (int i = 1; i < argc && status == DONE; i++)
        status = list_section(text, argv[i]);
    for (size_t i = 0; argc == 1 && i < dna_text_num_sections(text); i++)
        list_section(text, dna_text_section_name(text, i));
    return status;
}

/* Ten for each word of four letters and more that the sentence shares with our paraphrase, less a
 * little for its length: crude, and enough to find the place. */
static int likeness(const char *ours, const char *sentence)
{
    int score = 0;

    for (const char *p = ours; *p;) {
        char word[40];
        size_t n = 0, skip = strcspn(p, " ,.;:()\"'");

        for (; n < skip && n + 1 < sizeof word; n++)
            word[n] = p[n];
        word[n] = '\0';
        if (n >= 4 && strstr(sentence, word))
            score += 10;
        p += skip + (p[skip] != '\0');
    }
    return score - (int)(strlen(sentence) / 60);
}

static int suggest(const char *dir, const char *id)
{
    const struct dna_requirement *r = requirement(id);
    struct dna_text *text = r ? text_of(dir, r->document) : NULL;

    if (!text)
        return USAGE;

    int num = dna_text_num_sentences(text, r->section);
    int bar = 1 << 20;

    if (num < 0)
        return fail("no such section", r->section);
    printf("%s  %s section %s\n  ours: %s\n", r->id, r->document, r->section, r->text);
    for (int shown = 0; shown < 3;) {
        int best = -(1 << 20);

        for (int i = 1; i <= num; i++) {
            int score = likeness(r->text, dna_text_sentence(text, r->section, (unsigned)i));

            if (score < bar && score > best)
                best = score;
        }
        if (best == -(1 << 20))
            break;
        for (int i = 1; i <= num; i++) {
            const char *sentence = dna_text_sentence(text, r->section, (unsigned)i);

            if (likeness(r->text, sentence) == best && shown++ < 3)
                printf("  %d (%d). %s\n", i, best, sentence);
        }
        bar = best;
    }
    return DONE;
}

static int print_hash(const char *dir, char *const argv[])
{
    struct dna_text *text = text_of(dir, argv[0]);
    char bad[80], hex[65] = "";

    if (!text)
        return USAGE;

    char *cited = dna_text_cited(text, argv[1], argv[2], bad, sizeof bad);

    if (!cited)
        return fail("the text has no such sentence", bad);
    hash(cited, hex);
    free(cited);
    puts(hex);
    return DONE;
}

static int run(int argc, char *const argv[])
{
    const char *dir = argv[1];
    const char *command = argc > 2 ? argv[2] : "";
    struct stat st;
    int status = DONE;

    if (stat(dir, &st) != 0)
        return fail(strerror(errno), dir);
    if (!S_ISDIR(st.st_mode))
        return fail("not a directory", dir);
    if (argc == 2)
        return verify(dir);
    if (strcmp(command, "list") == 0 && argc >= 4)
        return list(dir, argv + 3, argc - 3);
    if (strcmp(command, "hash") == 0 && argc == 6)
        return print_hash(dir, argv + 3);
    if ((strcmp(command, "show") && strcmp(command, "suggest")) || argc < 4) {
        fputs(usage, stderr);
        return USAGE;
    }
    for (int i = 3; i < argc; i++) {
        int one = strcmp(command, "show") == 0 ? show(dir, argv[i]) : suggest(dir, argv[i]);

        if (one > status)
            status = one;
    }
    return status;
}

int main(int argc, char *argv[])
{
    if (argc < 2 || !*argv[1] || *argv[1] == '-') {
        fputs(usage, argc > 1 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return argc > 1 && strcmp(argv[1], "--help") == 0 ? DONE : USAGE;
    }

    int status = run(argc, argv);

    free_texts();
    return status;
}
