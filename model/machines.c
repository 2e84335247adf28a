/* SPDX-License-Identifier: MIT */
/* machines.c -- the constant descriptions of all tables, and what is common to their instances. */
#include "model/machines.h"

#include <string.h>

#define DNA_EACH_MACHINE "model/machine_inst.h"
#include "model/each_machine.h"
#undef DNA_EACH_MACHINE

/* The compile-time checks are functions nobody calls; this names them so that they are compiled. */
#define DNA_CHECKED(m) +m##_deterministic(0)
int dna_machines_checked(void);
int dna_machines_checked(void)
{
    return 0 DNA_MACHINES(DNA_CHECKED);
}

const struct dna_machine *const dna_machines[] = {
#define DNA_LISTED(m) &dna_machine_##m,
    DNA_MACHINES(DNA_LISTED) NULL
};

const struct dna_field dna_stream_fields[] = {
#define STREAM_VAR(name, initial, max, restart, starttls, text)                                    \
    { #name, offsetof(struct dna_stream_vars, name), initial, max, DNA_##restart, DNA_##starttls,  \
      text },
#include "model/stream_vars.def"
};
const size_t dna_num_stream_fields = sizeof dna_stream_fields / sizeof dna_stream_fields[0];

const struct dna_machine *dna_machine_find(const char *name)
{
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        if (strcmp((*m)->name, name) == 0) {
            return *m;
        }
    }
    return NULL;
}

static void set_field(void *at, const struct dna_field *field)
{
    memcpy((char *)at + field->offset, &field->initial, sizeof field->initial);
}

void dna_instance_init(const struct dna_machine *machine, void *vars)
{
    uint32_t start = 0;
    for (size_t i = 0; i < machine->num_states; i++) {
        if (machine->states[i].mark == DNA_START) {
            start = (uint32_t)i;
        }
    }
    memcpy(vars, &start, sizeof start); /* every instance begins with its state */
    for (size_t i = 0; i < machine->num_vars; i++) {
        set_field(vars, &machine->vars[i]);
    }
}

static void forget(const struct dna_field *fields, size_t num, void *vars, bool starttls)
{
    for (size_t i = 0; i < num; i++) {
        if ((starttls ? fields[i].starttls : fields[i].restart) == DNA_FORGET) {
            set_field(vars, &fields[i]);
        }
    }
}

void dna_instance_forget(const struct dna_machine *machine, void *vars, bool starttls)
{
    forget(machine->vars, machine->num_vars, vars, starttls);
}

void dna_stream_vars_init(struct dna_stream_vars *vars)
{
    for (size_t i = 0; i < dna_num_stream_fields; i++) {
        set_field(vars, &dna_stream_fields[i]);
    }
}

void dna_stream_vars_forget(struct dna_stream_vars *vars, bool starttls)
{
    forget(dna_stream_fields, dna_num_stream_fields, vars, starttls);
}
