/* SPDX-License-Identifier: MIT */
/* verify_spin.c -- the same worlds, offered to Spin, and the model that it reads. */
#include "model/verify_spin.h"

#include "model/verify.h"
#include "model/verify_run.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct vf_world) <= DNA_SPIN_SIZE, "the world must fit");

unsigned char dna_spin_world[DNA_SPIN_SIZE];

static const struct vf_config *config;
static uint64_t lost; /* properties that the configuration is known to lose */

void dna_spin_begin(const char *name)
{
    struct vf x;
    int at = dna_vf_find_config(name);
    if (at < 0) {
        fprintf(stderr, "spin: no configuration is called %s\n", name);
        abort();
    }
    config = &dna_vf_configs[at];
    for (size_t i = 0; i < dna_vf_num_properties; i++) {
        lost |= dna_vf_limit_of(name, dna_vf_properties[i].id) ? dna_vf_bit(i) : 0;
    }
    dna_vf_init(&x, config, 0);
    memcpy(dna_spin_world, &x.w, sizeof x.w);
}

static size_t listed(struct vf *x, struct vf_move *moves)
{
    dna_vf_init(x, config, 0);
    memcpy(&x->w, dna_spin_world, sizeof x->w);
    return dna_vf_moves(x, moves);
}

int dna_spin_num(void)
{
    static struct vf_move moves[VF_MAX_MOVES];
    struct vf x;
    return (int)listed(&x, moves);
}

unsigned dna_spin_happen(int n)
{
    static struct vf_move moves[VF_MAX_MOVES];
    struct vf x;
    if ((size_t)n >= listed(&x, moves)) {
        return 0;
    }
    dna_vf_apply(&x, &moves[n]);
    if (x.overflow) {
        return 0; /* this waits until something has arrived: verify_search.c */
    }
    memcpy(dna_spin_world, &x.w, sizeof x.w);
    return (x.broken & ~lost) != 0;
}

int dna_promela_cmd(const char *name, FILE *out)
{
    if (dna_vf_find_config(name) < 0) {
        fprintf(stderr, "model-tool: no configuration is called %s\n", name);
        return 2;
    }
    fprintf(out,
            "/* Made by: model-tool promela %s.  spin -a FILE, then cc -DSAFETY pan.c with the "
            "objects of model/. */\n"
            "c_decl {\n\\#include \"model/verify_spin.h\"\n}\n"
            "c_track \"dna_spin_world\" \"DNA_SPIN_SIZE\"\n"
            "int which, many;\n"
            "bool broken;\n"
            "\n"
            "init {\n"
            "    d_step { c_code { dna_spin_begin(\"%s\"); } }\n"
            "    do\n"
            "    :: atomic {\n"
            "           c_code { now.many = dna_spin_num(); }\n"
            "           select ( which : 0 .. many - 1 );\n"
            "           c_code { now.broken = dna_spin_happen(now.which) != 0; now.which = 0; "
            "now.many = 0; }\n"
            "           assert( !broken )\n"
            "       }\n"
            "    od\n"
            "}\n",
            name, name);
    return 0;
}
