/* SPDX-License-Identifier: MIT */
/*
 * test_uniformity.c -- the alphabets of the roles turn every atom both ways that they can; one from
 * which a symbol is taken does not, and that is told with the row and the atom.
 */
#include "model/uniformity.h"

#include "model/roles.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SCOPES = 48 };

/* Unfolds all roles, without any symbol of that name; returns the faults, out what is said. */
static size_t without(const char *symbol, char **out)
{
    static const char *const separator = ", ";
    struct dna_uniformity *seen = calloc(1, sizeof *seen);
    struct dna_habits profile;
    char err[256] = "";
    size_t len;
    dna_habits_default(&profile);
    for (const struct dna_role *const *r = dna_roles; *r; r++) {
        struct dna_scope scopes[MAX_SCOPES];
        char text[MAX_SCOPES][1024] = { { 0 } };
        struct dna_role role = **r;
        CU_ASSERT_FATAL(role.num_scopes <= MAX_SCOPES);
        role.scopes = scopes;
        for (size_t i = 0; i < role.num_scopes; i++) {
            scopes[i] = (*r)->scopes[i];
            char *all = strdup(scopes[i].alphabet), *rest = NULL;
            for (char *name = strtok_r(all, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
                name += *name == ' ';
                if (strcmp(name, symbol) != 0) {
                    strcat(text[i], text[i][0] ? separator : "");
                    strcat(text[i], name);
                }
            }
            free(all);
            scopes[i].alphabet = text[i];
        }
        CU_ASSERT_EQUAL_FATAL(dna_uniformity_unfold(seen, &role, &profile, err, sizeof err), 0);
    }
    FILE *said = open_memstream(out, &len);
    size_t faults = dna_uniformity_check(seen, said);
    fclose(said);
    free(seen);
    return faults;
}

static void test_alphabets(void)
{
    char *said = NULL;
    CU_ASSERT_EQUAL(without("", &said), 0);
    CU_ASSERT_STRING_EQUAL(said, "");
    free(said);
}

static void test_missing_symbol(void)
{
    static const struct {
        const char *symbol, *told;
    } cases[] = {
        { "verify right", "uniformity: DA05, right: E.key_right is never true in any alphabet" },
        { "header old", "uniformity: SR05, old: E.version_one is never false in any alphabet" },
        { "starttls unready", "uniformity: TR03, unprepared: E.can_secure is never false in any" },
        { "auth unknown", "uniformity: CS21, mechanism_unknown: E.mechanism_known is never false" },
        { "tls pinned", "uniformity: CC12, pinned_here: E.pinned is never true in any alphabet" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *said = NULL;
        CU_ASSERT(without(cases[i].symbol, &said) > 0);
        CU_ASSERT(strstr(said, cases[i].told) != NULL);
        if (!strstr(said, cases[i].told)) {
            printf("without %s: %s\n", cases[i].symbol, said);
        }
        free(said);
    }
}

/* Where nothing is tried, nothing needs an exception. */
static void test_needless_entry(void)
{
    struct dna_uniformity *seen = calloc(1, sizeof *seen);
    char *said = NULL;
    size_t len;
    FILE *out = open_memstream(&said, &len);
    CU_ASSERT(dna_uniformity_check(seen, out) > 10);
    fclose(out);
    CU_ASSERT(strstr(said, "SI05, E.tls_demanded: nothing needs this entry") != NULL);
    free(said);
    free(seen);
}

int main(void)
{
    CU_initialize_registry();
    CU_pSuite suite = CU_add_suite("uniformity", NULL, NULL);
    CU_add_test(suite, "the alphabets are rich enough", test_alphabets);
    CU_add_test(suite, "a symbol that is missing", test_missing_symbol);
    CU_add_test(suite, "an entry that nothing needs", test_needless_entry);
    CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failed > 0;
}
