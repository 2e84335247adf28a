/* SPDX-License-Identifier: MIT */
/*
 * mutants.h -- every first-order mutant of every row that a role reaches, judged on the model.
 *
 * A mutant is equivalent if no sequence of symbols, in any scope of the role, shows a difference:
 * decided by walking mutant and unfolding side by side through all that they reach together.  Of
 * any other, a shortest session that tells is found on the way; and the derived suite is played.
 */
#ifndef DNA_MODEL_MUTANTS_H
#define DNA_MODEL_MUTANTS_H

#include "model/hsi.h"
#include "model/unfold.h"

enum dna_fate {
    DNA_EQUIVALENT,
    DNA_KILLED,    /* by the suite of a scope in the claim */
    DNA_KILLED_BY_WAITING, /* only by the suite of a scope with timers */
    DNA_SURVIVED,  /* it differs, but no suite shows it */
    DNA_COMPLETED, /* killed by a session that was added for such */
    DNA_UNDECIDED  /* too much to walk through */
};

/* dna_fates is what became of one mutant.  The witness, a shortest session that tells (one without
   waits, if there is one), belongs to scope `scope` of the role and begins behind its prefix; 0
   symbols: the prefix itself tells. */
struct dna_judgement {
    enum dna_fate fate;
    size_t scope;
    uint32_t witness[DNA_SESSION_MAX];
    size_t len;
    char expected[DNA_WORD_TEXT], got[DNA_WORD_TEXT]; /* at its last symbol */
};

/* dna_campaign is a role unfolded, with its suites; made once for all mutants. */
struct dna_campaign {
    const struct dna_role *role;
    struct dna_habits profile;
    struct dna_unfolding *unfoldings; /* of each scope */
    struct dna_hsi_suite *suites;  /* by identifiers */
    struct dna_hsi_suite *extras;  /* sessions added for what they miss */
    struct dna_uniformity *seen; /* of each scope */
};

/* dna_campaign_begin returns 0, or -1 with a message; dna_campaign_end frees. */
int dna_campaign_begin(struct dna_campaign *c, const struct dna_role *role,
                       const struct dna_habits *profile, unsigned extra, char *err, size_t size);
void dna_campaign_end(struct dna_campaign *c);

/* dna_mutants_each calls `each` for all mutants of rows that the role reaches; false stops it. */
typedef bool dna_mutant_each(void *ctx, const struct dna_mutant *mutant);
void dna_mutants_each(const struct dna_campaign *c, dna_mutant_each *each, void *ctx);

/* dna_campaign_judge judges one mutant. */
void dna_campaign_judge(const struct dna_campaign *c, const struct dna_mutant *mutant,
                        struct dna_judgement *out);

/* dna_campaign_complete adds the mutant's witness to the extras of its scope, unless they kill it
   by now, and plays them: the fate is then DNA_COMPLETED.  What a fault leaves behind may be a
   state that no identifier was made for; such sessions make up for it.  Returns -1 without
   memory. */
int dna_campaign_complete(struct dna_campaign *c, const struct dna_mutant *mutant,
                          struct dna_judgement *judgement);

/* dna_score is what became of all mutants of a role. */
struct dna_score {
    size_t fates[DNA_UNDECIDED + 1], all;
    size_t longest;              /* witness, in symbols behind a prefix */
    size_t sessions, completing; /* of the suites by identifiers, and those added */
};

/* dna_campaign_score judges every mutant, and completes the suites for those that survive; judged
   is told of each, or NULL.  Returns -1 without memory. */
typedef void dna_judged(void *ctx, const struct dna_mutant *mutant, const struct dna_judgement *j);
int dna_campaign_score(struct dna_campaign *c, dna_judged *judged, void *ctx,
                       struct dna_score *out);

/* dna_hsi_suite_kills plays the scope's suite against the overlay; true if it shows a
 * difference. */
bool dna_hsi_suite_kills(const struct dna_unfolding *u, const struct dna_hsi_suite *suite,
                     const struct dna_overlay *overlay);

#endif
