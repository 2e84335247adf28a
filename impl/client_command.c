/* SPDX-License-Identifier: MIT */
/* client_command.c -- see client_command.h. */
#include "impl/client_command.h"

#include <stdio.h>
#include <stdlib.h>

#include "impl/config.h"

bool dna_command_usage(const char *format, const char *what)
{
    fputs("xdna-client: ", stderr);
    fprintf(stderr, format, what);
    fputs("\nTry `xdna-client --help' or `xdna-client check --help'.\n", stderr);
    return false;
}

bool dna_command_seconds(const char *text, uint32_t *out_ms)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end || !(seconds >= 0 && seconds <= 86400))
        return dna_command_usage("`%s' is no number of seconds from 0 to 86400", text);
    *out_ms = (uint32_t)(seconds * 1000 + 0.5);
    return true;
}

bool dna_command_limit(const char *text, uint32_t *out_bytes)
{
    char *end = NULL;
    unsigned long bytes = text[0] >= '0' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;

    if (!end || *end || bytes < 10000 || bytes > 16u << 20)
        return dna_command_usage("`%s' is no number of bytes from 10000 to 16777216", text);
    *out_bytes = (uint32_t)bytes;
    return true;
}

bool dna_command_resolver(const char *text, char *out, size_t size)
{
    struct dna_endpoint at;
    const char *why = dna_endpoint_parse(text, 53, &at);

    if (why) {
        fprintf(stderr, "xdna-client: --resolver: `%s' %s\n", text, why);
        return false;
    }
    snprintf(out, size, "%s@%u", at.host, at.port);
    free(at.host);
    return true;
}

bool dna_command_knob(const char *text, struct dna_knobs *knobs)
{
    char name[128];
    unsigned value;
    int end = 0;

    if (sscanf(text, "%127[a-z0-9_]=%u%n", name, &value, &end) != 2 || text[end])
        return dna_command_usage("--knob: `%s' is not NAME=VALUE", text);
    if (dna_knob_set(knobs, name, value) != 0)
        return dna_command_usage("--knob: `%s': no such name, or a value it can't have", text);
    return true;
}

bool dna_command_crl_file(const char *text, const char **out_file, struct dna_knobs *knobs)
{
    *out_file = text;
    if (knobs->revocation == 0)
        knobs->revocation = 1;
    return true;
}
