/* SPDX-License-Identifier: MIT */
/* config_internal.h -- what config.c (reading), config_settings.c (one entry a setting) and
   config_check.c (files and completeness) share; nobody else includes it. */
#ifndef DNA_IMPL_CONFIG_INTERNAL_H
#define DNA_IMPL_CONFIG_INTERNAL_H

#include "impl/config.h"

enum { DNA_CONFIG_SETTINGS_MAX = 64, DNA_CONFIG_WORDS_MAX = 4 };

/* One file being read.  The first reason is kept, with its line (0 = the file as a whole). */
struct dna_config_reader {
    struct dna_config *config;
    const char *path;
    unsigned line;
    bool open_files; /* check what files hold; false while only text is parsed */
    unsigned set_on[DNA_CONFIG_SETTINGS_MAX]; /* line on which a setting was given, 0 = not yet */
    unsigned knob_on[DNA_NUM_KNOBS];
    char *error;
    size_t error_size;
};

/* dna_config_fail records FILE:LINE: reason and returns false, so that it can be returned. */
bool dna_config_fail(struct dna_config_reader *r, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* dna_config_setting_apply sets one global setting; false with a reason on a bad one. */
bool dna_config_setting_apply(struct dna_config_reader *r, const char *key, char *const *words,
                              size_t num);
/* dna_config_setting_line is the line on which the file set key, 0 if it did not. */
unsigned dna_config_setting_line(const struct dna_config_reader *r, const char *key);
/* dna_config_setting_known says whether key is a global setting, for better messages. */
bool dna_config_setting_known(const char *key);
/* dna_config_settings_default fills in the built-in values. */
void dna_config_settings_default(struct dna_config *config);
/* dna_config_settings_print writes every setting with its comment. */
void dna_config_settings_print(FILE *out, const struct dna_config *config);
/* dna_config_settings_free frees what settings own. */
void dna_config_settings_free(struct dna_config *config);
/* dna_config_word_print writes a word so that it reads back as one: quoted where need be. */
void dna_config_word_print(FILE *out, const char *word);

/* dna_config_path returns file as seen from the configuration's folder; the caller frees it. */
char *dna_config_path(const char *config_path, const char *file);

/* dna_config_check_domain looks at certificate and key: readable, PEM, a pair. */
bool dna_config_check_domain(struct dna_config_reader *r, const struct dna_config_domain *domain,
                             unsigned certificate_line, unsigned key_line);
/* dna_config_check_settings looks at the trusted roots and revocation lists that the file named
   itself. */
bool dna_config_check_settings(struct dna_config_reader *r);

#endif
