/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The program xdna: it picks the command and hands over.
 */
#include "conformance/cli.h"
#include "conformance/federate.h"
#include "conformance/mutate.h"
#include "model/verify.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: xdna COMMAND ...\n"
    "  run [SELECTOR...] --profile NAME   play the suite against an implementation (run --help)\n"
    "  derive --role ROLE --profile NAME  play the suite that the tables yield (derive --help)\n"
    "  mutate cases                       show that the cases can fail: damaged tables (mutate "
    "--help)\n"
    "  learn --profile NAME               learn a server's machine, and hold it against the "
    "tables' (learn --help)\n"
    "  list [SELECTOR...] [--json]        the cases and what they claim\n"
    "  explain ID [--texts DIR]           claim, requirements, actors and script of a scenario\n"
    "  show ID                            the script alone\n"
    "  coverage [DOCUMENT...] [--missing] what each requirement rests on: rows, scenarios, or a "
    "reason\n"
    "  lint [FILE...]                     check scenarios\n"
    "  federate PROFILE[:VARIANT]...      let servers exchange messages in the lab\n"
    "  model verify [--list ...]          what the tables allow, against an attacker "
    "(model/PROOF.md)\n"
    "  --version | --help\n";

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    if (strcmp(command, "run") == 0)
        return dna_cmd_run(argc - 1, argv + 1);
    if (strcmp(command, "derive") == 0)
        return dna_cmd_derive(argc - 1, argv + 1);
    if (strcmp(command, "mutate") == 0)
        return dna_cmd_mutate(argc - 1, argv + 1);
    if (strcmp(command, "learn") == 0)
        return dna_cmd_learn(argc - 1, argv + 1);
    if (strcmp(command, "list") == 0)
        return dna_cmd_list(argc - 1, argv + 1);
    if (strcmp(command, "explain") == 0)
        return dna_cmd_explain(argc - 1, argv + 1);
    if (strcmp(command, "show") == 0)
        return dna_cmd_show(argc - 1, argv + 1);
    if (strcmp(command, "coverage") == 0)
        return dna_cmd_coverage(argc - 1, argv + 1);
    if (strcmp(command, "lint") == 0)
        return dna_cmd_lint(argc - 1, argv + 1);
    if (strcmp(command, "federate") == 0)
        return dna_federate(argc - 2, argv + 2);
    if (strcmp(command, "model") == 0 && argc > 2 && strcmp(argv[2], "verify") == 0)
        return dna_verify_cmd(argc - 3, argv + 3);
    if (strcmp(command, "--version") == 0)
        return dna_cmd_version();
    if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (*command)
        fprintf(stderr, "xdna: unknown command '%s'\n", command);
    fputs(usage, stderr);
    return 2;
}
