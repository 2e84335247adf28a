/* SPDX-License-Identifier: MIT */
/* peer_knobs: see peer_knobs.h. */
#include "impl/peer_knobs.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct dna_knobs *(*ask)(const struct dna_knobs *plain, const char *peer);

void dna_knobs_ask(const struct dna_knobs *(*which)(const struct dna_knobs *plain,
                                                    const char *peer))
{
    ask = which;
}

const struct dna_knobs *dna_knobs_for(const struct dna_knobs *plain, const char *peer)
{
    return ask && peer ? ask(plain, peer) : plain;
}

static void (*die)(unsigned number);

void dna_dead_ends_ask(void (*who)(unsigned number))
{
    die = who;
}

void dna_dead_end(const struct dna_knobs *knobs)
{
    if (!die || !knobs->mutant)
        abort();
    die(knobs->mutant);
}

static unsigned of_address(const char *peer)
{
    unsigned char at[4];
    char host[INET_ADDRSTRLEN];
    size_t len = strspn(peer, "0123456789.");

    if (len >= sizeof host || (peer[len] && peer[len] != ':'))
        return 0;
    (void)snprintf(host, sizeof host, "%.*s", (int)len, peer);
    if (inet_pton(AF_INET, host, at) != 1 || at[0] != 127 || at[1] < 128)
        return 0;
    return (unsigned)(at[1] - 128) << 8 | at[2];
}

static unsigned of_label(const char *label)
{
    unsigned number = 0;
    const char *at = label + 1;

    if (tolower((unsigned char)*label) != 'c' || !isdigit((unsigned char)*at))
        return 0;
    while (isdigit((unsigned char)*at))
        at++;
    if (tolower((unsigned char)*at++) != 'm')
        return 0;
    for (; isdigit((unsigned char)*at) && number < 100000; at++)
        number = number * 10 + (unsigned)(*at - '0');
    return *at == '\0' || *at == '.' ? number : 0;
}

unsigned dna_peer_mutant(const char *peer)
{
    unsigned number = of_address(peer);

    for (const char *at = peer; at && !number; at = strchr(at, '.')) {
        at += *at == '.';
        number = of_label(at);
    }
    return number;
}
