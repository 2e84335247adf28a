/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna derive`: the suite that the tables of a role yield, written as scenarios
 * into a folder and run against an implementation as any others are. The knobs of each scope pick
 * the variant of the profile; what no variant has, and what needs waits or fetched proofs, is left
 * to the model (model-tool mutate).
 */
#include "conformance/derive.h"

#include "conformance/cli.h"
#include "conformance/lab/profile.h"
#include "model/mutants.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_SCOPES = 24, MAX_STEP_ROWS = 24, MAX_REQS = 16 };

__attribute__((unused)) static const char usage[] =
    "usage: xdna derive [--role ROLE] [--profile NAME] [options]\n"
    "  --role ROLE        receiving (default), initiating, authoritative\n"
    "  --extra-states K   situations beyond the tables' that a server may have (default 0)\n"
    "  --scope NAME       only this part of the alphabet\n"
    "  --choices FILE     alternatives that the server takes, lines 'choice ROW' and 'knob NAME=VALUE'\n"
    "                     (default: derive.choices in the profile's folder, if there is one)\n"
    "  --complete         also sessions for the mutants that identifiers let pass (some seconds more)\n"
    "  --write DIR        keep the scenarios here; without it they are removed after the run\n"
    "  --only-write       do not run them\n"
    "  and the options of 'xdna run': -j, --mutate, --junit, --transcripts, -v, ...\n";

struct derive {
    struct dna_pool *pool;
    struct dna_profile_of_server {
        struct dna_profile *server; /* of the lab */
    } lab;
    const char *profile_name, *role_name, *scope_name, *choices, *dir;
    unsigned extra;
    bool complete, keep, only_write;
    struct dna_role role; /* a copy with the scopes that can be played */
    struct dna_scope scopes[MAX_SCOPES];
    const char *variants[MAX_SCOPES];
    struct dna_model_profile *unused;
    char **rest; /* for xdna run */
    int num_rest;
    size_t written, left_out;
};
