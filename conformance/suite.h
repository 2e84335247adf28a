/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. All scenarios of a folder, the cases that they make (one for each role and
 * variant), and the choice of cases by selectors. The dna_suite owns scenarios and cases.
 */
#ifndef CONFORMANCE_SUITE_H
#define CONFORMANCE_SUITE_H

#include "conformance/scenario.h"

#include <stdint.h>

struct dna_case {
    const struct dna_scn *scn;
    const char *role, *variant;
    char *id;      /* document/section/slug@role[+variant] */
    bool selected;
    uint32_t mutant;    /* its peers carry this number, by which xdna-server-test knows that the */
                        /* tables are damaged for them, and how (--mutants); 0: they are not */
    const char *damage; /* what xdna-client-test is told: "--mutate ROW:OP ..." or NULL; borrowed */
};

struct dna_suite {
    char *dir;
    struct dna_prelude *prelude;
    struct dna_scn **scns;
    size_t num_scns;
    struct dna_case *cases; /* sorted by id */
    size_t num_cases;
};

/*
 * dna_suite_load reads every *.scn below dir but prelude.scn, sorted by name. Errors go to diags;
 * broken scenarios are left out. Also two scenarios of one id are an error.
 */
struct dna_suite *dna_suite_load(const char *dir, struct dna_scn_diags *diags);
/* dna_suite_load_files reads these files only, with the prelude of dir. */
struct dna_suite *dna_suite_load_files(const char *dir, char *const *files, size_t num,
                                       struct dna_scn_diags *diags);
void dna_suite_free(struct dna_suite *suite);

/*
 * dna_selector_match: is this case meant? A selector is an id of a case or scenario, a glob over
 * either, or the beginning of an id in whole components ("rfc7712", "rfc7712/4.4.1"), also in the
 * form "rfc6120/15:tls-restart". alias: also the scenario's former ids.
 */
bool dna_selector_match(const char *selector, const struct dna_case *c, bool alias);

/* dna_suite_select marks the cases that any selector means (none: all). Returns the first selector
 * that means no case, NULL if every one does. */
const char *dna_suite_select(struct dna_suite *suite, char *const *selectors, size_t num);

#endif
