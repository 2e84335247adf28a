/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The timers of a server that sessions wait for, and their settings.
 */
#include "conformance/deadlines.h"

#include <string.h>

/* Near, but not so near that a busy machine is not through with what comes before. Idleness is
 * looked at twice, dates of certificates each second. */
const struct dna_deadline dna_deadlines[] = {
    { "wait negotiation", "negotiation", "1500ms", "2", false, 2500 },
    { "wait close", "close", "1s", "1", false, 1500 },
    { "wait idle", "idle", "700ms", NULL, false, 1900 },
    { "wait d1", "verify", "1500ms", NULL, false, 2000 },
    { "wait result", "dialback", "1500ms", NULL, false, 2000 },
    { "wait expiry", "expiry", NULL, NULL, false, 4600 },
    { "wait negotiation", "negotiation", "1500ms", "2", true, 2500 },
    { "wait expiry", "expiry", NULL, NULL, true, 4600 },
    { NULL, NULL, NULL, NULL, false, 0 },
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

/* Whether the setting that this is the end of is the deadline's. */
static bool is_for(const char *timer, const struct dna_deadline *d)
{
    return d && timer && strcmp(timer, d->timer) == 0;
}

static const char *value_for(const char *key, const struct dna_deadline *near)
{
    const char *timer = behind(key, "timeout_"), *seconds = behind(key, "seconds_client_");
    const struct dna_deadline *close =
        near && near->and_close ? dna_deadline_of("wait close") : NULL;
    const struct dna_deadline *its = is_for(timer ? timer : seconds, near)    ? near
                                     : is_for(timer ? timer : seconds, close) ? close
                                                                              : NULL;

    if (timer)
        return its && its->time ? its->time : "60s";
    if (seconds)
        return its && its->client_seconds ? its->client_seconds : "60";
    return NULL;
}

bool dna_deadline_has(const struct dna_deadline *d, const char *symbol)
{
    return d && (strcmp(d->symbol, symbol) == 0 ||
                 (d->and_close && strcmp("wait close", symbol) == 0));
}

void dna_deadlines_set(struct dna_profile *server, const struct dna_deadline *near,
                       struct dna_pool *pool)
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
