/* SPDX-License-Identifier: MIT */
/*
 * What `xdna learn` writes of a difference: a scenario that the parser accepts, in which the server
 * does what was learned of it up to the last step, and there what the tables say.
 */
#include "conformance/learn_run.h"
#include "conformance/test/cu_main.h"
#include "model/roles.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct dna_learning g;
static struct dna_profile profile = { .title = (char *)(uintptr_t) "a mutant" };
static struct dna_view learned;

/* The tables, and as what was learned the tables with a mutant. */
static void begin(const char *alphabet, const char *mutant)
{
    struct dna_overlay *overlay = dna_xcalloc(1, sizeof(*overlay));
    struct dna_seer seer;
    char err[200];

    g = (struct dna_learning){ .pool = dna_pool_new(), .profile = &profile, .variant = "default" };
    dna_habits_default(&g.habits);
    CU_ASSERT_FATAL(dna_seer_begin(&g.seer, &dna_role_receiving, alphabet, &g.habits.knobs,
                                   &g.habits.choices, err, sizeof(err)) == 0);
    CU_ASSERT_FATAL(dna_view_make(&g.view, &g.seer, &g.words) == 0);
    CU_ASSERT_FATAL(dna_mealy_minimise(&g.view.mealy, &g.ours, NULL) == 0);
    CU_ASSERT_FATAL(dna_overlay_add(overlay, mutant, err, sizeof(err)) == 0);
    seer = g.seer;
    seer.overlay = overlay;
    CU_ASSERT_FATAL(dna_view_make(&learned, &seer, &g.words) == 0);
    g.learned = learned.mealy;
    g.num_differences =
        dna_learn_compare(&g.ours, &g.learned, dna_wordbook_number(&g.words, "nothing"),
                          g.differences, DNA_MAX_DIFFERENCES);
    free(overlay);
}

static void end(void)
{
    dna_view_free(&learned);
    dna_view_free(&g.view);
    dna_guess_free(&g.ours);
    dna_wordbook_free(&g.words);
    dna_pool_free(g.pool);
}

/* Writes the difference; the caller frees the text. */
static char *written(const struct dna_difference *d)
{
    static const char path[] = "/tmp/xdna_learned_witness.scn";
    struct dna_buf text = { 0 };
    char line[1024];
    FILE *in;

    CU_ASSERT_PTR_NULL(dna_learn_write_witness(&g, d, path));
    in = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    while (fgets(line, sizeof(line), in))
        dna_buf_puts(&text, line);
    fclose(in);
    unlink(path);
    return text.at;
}

static bool accepted(const char *text)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_prelude *prelude = dna_prelude_load("conformance/scenarios/prelude.scn", &diags);
    struct dna_scn *scn = dna_scn_parse("learned/receiving_001.scn", text, prelude, &diags);
    bool ok = scn != NULL;

    if (diags.num)
        fputs(diags.text.at, stderr);
    dna_scn_free(scn);
    dna_prelude_free(prelude);
    dna_buf_free(&diags.text);
    return ok;
}

#define ALPHABET \
    "header d1, starttls, tls d1, tls -, auth, key d1, key d2, d1 says valid, d1 says invalid, " \
    "stanza d1, close"

static void the_last_step_is_what_the_tables_say(void)
{
    char *text, *then;

    begin(ALPHABET, "DR21:do=send_valid/send_invalid");
    CU_ASSERT_FATAL(g.num_differences > 0);
    text = written(&g.differences[0]);
    CU_ASSERT(accepted(text));
    then = strstr(text, "then:");
    CU_ASSERT_PTR_NOT_NULL_FATAL(then);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(then, "A.v1 < <db:verify from='$a' to='$iut' id='$s2' type='valid'/>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(then, "A.in > <db:result from='$iut' to='$a' type='valid'/>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "X0220_2_2_1_4"));
    CU_ASSERT_PTR_NOT_NULL(strstr(dna_learn_rows(&g, &g.differences[0]), "DR21"));
    free(text);
    end();
}

static void what_should_not_be_delivered_is_forbidden(void)
{
    const struct dna_difference *found = NULL;
    char *text;

    begin(ALPHABET, "AS20:also=NONE");
    for (size_t i = 0; i < g.num_differences; i++)
        if (strstr(g.words.at[g.differences[i].theirs], "deliver"))
            found = &g.differences[i];
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    text = written(found);
    CU_ASSERT(accepted(text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "forbid   U > <message id='m1-$case'/>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "client   U juliet"));
    free(text);
    end();
}

/* All of many mutants: whatever can be said by a scenario is said by a sound one. */
static void every_witness_is_a_sound_scenario(void)
{
    static const char *const mutants[] = { "DR05:drop", "AS02:to=NONE", "XR07:nodo",
                                           "SR31:nodo", "DR24:drop",    "DR20:to=UNPROVEN" };

    for (size_t m = 0; m < sizeof(mutants) / sizeof(*mutants); m++) {
        begin(ALPHABET, mutants[m]);
        CU_ASSERT(g.num_differences > 0);
        for (size_t i = 0; i < g.num_differences && i < 12; i++) {
            char *text = written(&g.differences[i]);

            CU_ASSERT(text && accepted(text));
            free(text);
        }
        end();
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        { "the last step is what the tables say", the_last_step_is_what_the_tables_say },
        { "what should not be delivered is forbidden", what_should_not_be_delivered_is_forbidden },
        { "every witness is a sound scenario", every_witness_is_a_sound_scenario },
        CU_TEST_INFO_NULL,
    };

    return cu_main("learn", tests);
}
