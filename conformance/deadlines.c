/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The timers of a server that sessions wait for, and their settings.
 */
#include "conformance/deadlines.h"

#include <string.h>

/* Near, but not so near that a busy machine is not through with what comes before. Idleness is
 * looked at twice, dates of certificates each second. */
const struct dna_deadline dna_deadlines[] = {
    { "wait negotiation", "negotiation", "1500ms", "2", 2500 },
    { "wait close", "close", "1s", "1", 1500 },
    { "wait idle", "idle", "700ms", NULL, 1900 },
    { "wait d1", "verify", "1500ms", NULL, 2000 },
    { "wait result", "dialback", "1500ms", NULL, 2000 },
    { "wait expiry", "expiry", NULL, NULL, 4600 },
    { NULL, NULL, NULL, NULL, 0 },
};

const struct dna_deadline *dna_deadline_of(const char *symbol)
{
    for (const struct dna_deadline *w = dna_deadlines; w->symbol; w++)
        if (strcmp(w->symbol, symbol) == 0)
            return w;
    return NULL;
}

/* The text behind the prefix, or NULL. */
static const char *behind(const char *text, const char *prefix)
{
    const size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static const char *value_for(const char *key, const struct dna_deadline *near)
{
    const char *timer = behind(key, "timeout_"), *seconds = behind(key, "seconds_client_");

    if (timer)
        return near && near->time && strcmp(timer, near->timer) == 0 ? near->time : "60s";
    if (seconds)
        return near && near->client_seconds && strcmp(seconds, near->timer) == 0
                   ? near->client_seconds
                   : "60";
    return NULL;
}

void dna_deadlines_set(struct dna_profile *server, const struct dna_deadline *near, struct dna_pool *pool)
{
    for (size_t v = 0; v < server->num_variants; v++) {
        struct dna_pairs *settings = &server->variants[v].settings;

        for (size_t i = 0; i < settings->num; i++) {
            const char *value = value_for(settings->at[i].key, near);

            if (value)
                settings->at[i].value = dna_pool_strdup(pool, value);
        }
    }
}
