/* SPDX-License-Identifier: MIT */
/* walk_say.c -- the walker's words: why it refuses something, and traces written as lines. */
#include "model/walk_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(struct dna_walk_diagnosis *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append(struct dna_walk_diagnosis *why, const char *format, ...)
{
    size_t len = strlen(why->text);
    va_list args;
    va_start(args, format);
    vsnprintf(why->text + len, sizeof why->text - len, format, args);
    va_end(args);
}

static int rank(enum dna_level level)
{
    switch (level) {
    case DNA_LEVEL_MUST:
    case DNA_LEVEL_MUST_NOT:
        return 5;
    case DNA_LEVEL_SHOULD:
    case DNA_LEVEL_SHOULD_NOT:
        return 4;
    case DNA_LEVEL_FLOW:
        return 3;
    case DNA_LEVEL_MAY:
        return 2;
    case DNA_LEVEL_DECISION:
        break;
    }
    return 1;
}

static void cite(struct dna_walk_diagnosis *why, const struct dna_row *row)
{
    for (const uint16_t *b = row->because; *b != DNA_REQ_END; b++) {
        size_t i = 0;
        while (i < why->num_reqs && why->reqs[i] != *b) {
            i++;
        }
        if (i == why->num_reqs && i < DNA_WALK_MAX_REQS) {
            why->reqs[why->num_reqs++] = *b;
        }
        enum dna_level level = dna_requirement((enum dna_req) * b)->level;
        if (rank(level) > rank(why->level)) {
            why->level = level;
        }
    }
}

static void add_row(struct dna_walk_diagnosis *why, const struct dna_row *row)
{
    for (size_t i = 0; i < why->num_rows; i++) {
        if (why->rows[i] == row) {
            return;
        }
    }
    if (why->num_rows < DNA_WALK_MAX_ROWS) {
        why->rows[why->num_rows++] = row;
        cite(why, row);
    }
}

static void add_expected(struct dna_walk_diagnosis *why, uint8_t out)
{
    for (size_t i = 0; i < why->num_expected; i++) {
        if (why->expected[i] == out) {
            return;
        }
    }
    if (why->num_expected < DNA_MAX_OUTS) {
        why->expected[why->num_expected++] = out;
    }
}

/* Rows that an input fired come first; what was only possible unseen is told if there is no other.
 */
static void collect(struct dna_walk *w, const struct walk_config *configs, size_t num, bool input)
{
    for (size_t i = 0; i < num; i++) {
        const struct walk_config *c = &configs[i];
        if (c->num_due > 0 && (c->due_row == c->row) == input) {
            add_expected(&w->why, c->due[0]);
            add_row(&w->why, &w->machine->rows[c->due_row]);
        }
    }
}

static void collect_last_rows(struct dna_walk *w, const struct walk_config *configs, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (configs[i].row != DNA_NO_ROW) {
            add_row(&w->why, &w->machine->rows[configs[i].row]);
        }
    }
}

/* The rows that do what was seen: what they cite is what must have held first. */
static void collect_doers(struct dna_walk *w, const uint8_t *outs, size_t num_outs)
{
    const struct dna_machine *m = w->machine;
    append(&w->why, " (done by");
    for (size_t i = 0; i < m->num_rows; i++) {
        for (size_t j = 0; j < num_outs; j++) {
            if (strchr((const char *)m->rows[i].dos, outs[j])) {
                append(&w->why, " %s", m->rows[i].id);
                cite(&w->why, &m->rows[i]);
                break;
            }
        }
    }
    append(&w->why, " only)");
}

static void list_states(struct dna_walk *w, const struct walk_config *configs, size_t num)
{
    bool seen[256] = { false };
    append(&w->why, "; state");
    for (size_t i = 0; i < num; i++) {
        uint32_t state = configs[i].v[0];
        if (!seen[state]) {
            append(&w->why, " %s", w->machine->states[state].name);
            seen[state] = true;
        }
    }
}

void walk_explain(struct dna_walk *walk, const struct walk_config *configs, size_t num,
                  const uint8_t *outs, size_t num_outs)
{
    const struct dna_machine *m = walk->machine;
    struct dna_walk_diagnosis *why = &walk->why;
    *why = (struct dna_walk_diagnosis){ .step = walk->step, .level = DNA_LEVEL_DECISION };
    append(why, "%s: step %zu: ", m->name, walk->step);
    collect(walk, configs, num, true);
    if (num_outs > 0) {
        append(why, "%s", m->dos[outs[0]].name);
        if (why->num_expected == 0) {
            collect_last_rows(walk, configs, num);
            collect_doers(walk, outs, num_outs);
        }
    } else {
        append(why, "something is missing");
        if (why->num_expected == 0) {
            collect(walk, configs, num, false);
        }
    }
    append(why, why->num_expected ? "; expected" : "; nothing was due");
    for (size_t i = 0; i < why->num_expected; i++) {
        append(why, "%s %s", i ? " or" : "", m->dos[why->expected[i]].name);
    }
    for (size_t i = 0; i < why->num_rows; i++) {
        append(why, "%s %s", i ? "," : "; rows", why->rows[i]->id);
    }
    list_states(walk, configs, num);
    append(why, "; %s", dna_level_name(why->level));
    for (size_t i = 0; i < why->num_reqs; i++) {
        append(why, " %s", dna_requirement((enum dna_req)why->reqs[i])->id);
    }
}

static enum dna_walk_verdict no_such(struct dna_walk *w, const char *what, const char *name)
{
    w->why = (struct dna_walk_diagnosis){ .step = w->step, .level = DNA_LEVEL_DECISION };
    append(&w->why, "%s has no %s '%s'", w->machine->name, what, name);
    return DNA_WALK_UNKNOWN_NAME;
}

static int find_event(const struct dna_machine *m, const char *name)
{
    for (size_t i = 0; i < m->num_events; i++) {
        if (strcmp(m->events[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int find_out(const struct dna_machine *m, const char *name)
{
    for (size_t i = 1; i < m->num_dos; i++) {
        if (m->dos[i].kind != DNA_UPDATE && strcmp(m->dos[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Splits "name=value" in place; returns false if it is none. */
static bool split(char *word, uint32_t *out_value)
{
    char *equals = strchr(word, '='), *end;
    if (!equals) {
        return false;
    }
    *equals = '\0';
    unsigned long value = strtoul(equals + 1, &end, 10);
    *out_value = (uint32_t)value;
    return equals[1] && !*end && value < UINT32_MAX;
}

static enum dna_walk_verdict say_event(struct dna_walk *w, char *words)
{
    const struct dna_machine *m = w->machine;
    uint32_t facts[DNA_MAX_FIELDS] = { 0 }, value;
    uint64_t known = 0;
    char *word = strtok_r(words, " ", &words);
    int event = word ? find_event(m, word) : -1;
    if (event < 0) {
        return no_such(w, "event", word ? word : "");
    }
    while ((word = strtok_r(words, " ", &words))) {
        size_t i = 0;
        bool pair = split(word, &value);
        while (i < m->num_facts && strcmp(m->facts[i].name, word) != 0) {
            i++;
        }
        if (!pair || i == m->num_facts || value > m->facts[i].max) {
            return no_such(w, "fact of this value,", word);
        }
        memcpy((char *)facts + m->facts[i].offset, &value, sizeof value);
        known |= (uint64_t)1 << i;
    }
    return dna_walk_event(w, (uint32_t)event, facts, known);
}

static enum dna_walk_verdict say_output(struct dna_walk *w, char *words)
{
    uint8_t outs[DNA_MAX_OUTS];
    size_t num = 0;
    for (char *word; (word = strtok_r(words, " ", &words));) {
        if (strcmp(word, "or") == 0) {
            continue;
        }
        int out = find_out(w->machine, word);
        if (out < 0 || num == DNA_MAX_OUTS) {
            return no_such(w, "output", word);
        }
        outs[num++] = (uint8_t)out;
    }
    return num ? dna_walk_output_any(w, outs, num) : no_such(w, "output", "");
}

static enum dna_walk_verdict say_stream(struct dna_walk *w, char *words)
{
    for (char *word; (word = strtok_r(words, " ", &words));) {
        uint32_t value;
        if (!split(word, &value) || dna_walk_stream(w, word, value) == DNA_WALK_UNKNOWN_NAME) {
            return no_such(w, "stream variable", word);
        }
    }
    return w->verdict;
}

static enum dna_walk_verdict say_watch(struct dna_walk *w, char *words, bool watched)
{
    for (char *word; (word = strtok_r(words, " ", &words));) {
        int event = find_event(w->machine, word);
        if (event < 0) {
            return no_such(w, "event", word);
        }
        dna_walk_watch(w, (uint32_t)event, watched);
    }
    return w->verdict;
}

static enum dna_walk_verdict say_see(struct dna_walk *w, char *words)
{
    static const char *const modes[] = { "unseen", "due", "may", "often" };
    char *name = strtok_r(words, " ", &words), *mode = strtok_r(words, " ", &words);
    int out = name ? find_out(w->machine, name) : -1;
    if (out < 0) {
        return no_such(w, "output", name ? name : "");
    }
    for (size_t i = 0; mode && i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i], mode) == 0) {
            dna_walk_see(w, (uint32_t)out, (enum dna_walk_mode)i);
            return w->verdict;
        }
    }
    return no_such(w, "way to see", mode ? mode : "");
}

enum dna_walk_verdict dna_walk_say(struct dna_walk *walk, const char *line)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", line);
    char *words = copy, *word = strtok_r(words, " ", &words);
    const char *verb = word ? word : "";
    if (strcmp(verb, "<") == 0) {
        return say_event(walk, words);
    }
    if (strcmp(verb, ">") == 0) {
        return say_output(walk, words);
    }
    if (strcmp(verb, "S") == 0) {
        return say_stream(walk, words);
    }
    if (strcmp(verb, "watch") == 0 || strcmp(verb, "unwatch") == 0) {
        return say_watch(walk, words, verb[0] == 'w');
    }
    if (strcmp(verb, "see") == 0) {
        return say_see(walk, words);
    }
    if (strcmp(verb, "settle") == 0) {
        return dna_walk_settle(walk);
    }
    if (strcmp(verb, "restart") == 0 || strcmp(verb, "starttls") == 0) {
        return dna_walk_restart(walk, verb[0] == 's');
    }
    return no_such(walk, "verb", verb);
}
