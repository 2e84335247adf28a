/* SPDX-License-Identifier: MIT */
/* verify_run.h -- configurations, limits and planted bugs by name, and runs of them. */
#ifndef DNA_MODEL_VERIFY_RUN_H
#define DNA_MODEL_VERIFY_RUN_H

#include "model/verify_search.h"

struct vf_limit {
    const char *config, *property, *text;
};

struct vf_planted {
    const char *id, *config, *property, *rows;
    uint32_t world;
    const char *seen, *text, *cases;
};

extern const struct vf_config dna_vf_configs[];
extern const size_t dna_vf_num_configs;
extern const struct vf_limit dna_vf_limits[];
extern const size_t dna_vf_num_limits;
extern const struct vf_planted dna_vf_planted[];
extern const size_t dna_vf_num_planted;

/* Each returns -1 when there is none of that name. */
int dna_vf_find_config(const char *name);
int dna_vf_find_property(const char *id);
int dna_vf_find_planted(const char *id);

/* dna_vf_limit_of returns the limit of this property in this configuration, or NULL. */
const struct vf_limit *dna_vf_limit_of(const char *config, const char *property);

/* dna_vf_mutate sets the mutants "ROW:OP ROW:OP" in the interpreter; 0, or -1 with a message
 * printed. */
int dna_vf_mutate(const char *rows);

/* dna_vf_run_config explores a configuration with all rows intact; dna_vf_run_planted one with a
   bug, until its property is violated.  Each returns dna_vf_search's status. */
int dna_vf_run_config(const struct vf_config *config, struct vf_search *s);
int dna_vf_run_planted(const struct vf_planted *bug, struct vf_search *s);

/* dna_vf_survey damages each row that cites a requirement of security and prints to out which
   property notices; an exit status. */
int dna_vf_survey(FILE *out);

/* dna_vf_choices takes each alternative that the texts allow and the reference does not take, in
   the configurations that meet it, and prints whether all that holds still holds; an exit status.
 */
int dna_vf_choices(FILE *out);

/* dna_vf_scenario writes what refutes a bug as a scenario for B: what the attacker does, and what
   the tables without the bug answer.  Returns 0, or -1 when the bug does not show at B alone.  The
   interpreter's mutants are lost. */
int dna_vf_scenario(const struct vf_planted *bug, const struct vf_search *s, size_t property,
                    FILE *out);

#endif
