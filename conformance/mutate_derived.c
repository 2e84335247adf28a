/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. `xdna mutate mutants`: every first-order mutant of every row of a role.  Those
 * that the model proves equivalent are left out; for each other the model's shortest session that
 * tells it from the tables is played over sockets against the reference with that mutant.  What has
 * no session that can be played, and what survived, goes to the hand-written cases
 * (mutate_by_hand.c).  A sample tells what these kill alone; --hand-written
 * plays nothing else, and prints the survivors, each with its session, to be read.
 */
#include "conformance/cli.h"
#include "conformance/derive.h"
#include "conformance/mutate_cmd.h"
#include "model/mutants.h"
#include "model/roles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct dna_role *const roles[] = { &dna_role_receiving, &dna_role_initiating,
                                                &dna_role_authoritative, &dna_role_c2s_server,
                                                &dna_role_c2s_client };
enum { NUM_ROLES = sizeof(roles) / sizeof(*roles) };

struct mutant {
    const char *text; /* ROW:OP */
    unsigned role;
    size_t session;   /* of the scenarios, from 1; 0: none can be played */
    const char *told; /* --hand-written: the shortest session, in words */
    bool killed, in_sample;
    struct dna_by_hand by_hand;
    enum dna_verdict verdict; /* of the session */
};

struct session {
    uint64_t hash;
    unsigned role;
    size_t scope, len;
    uint32_t word[DNA_SESSION_MAX];
    const struct dna_deadline *wait; /* the timer that has to be near, or NULL */
    const char *file;
    const struct dna_case *c;
};

struct counts {
    unsigned all, equivalent, differ, undecided;
};

struct campaign {
    const struct dna_mutate_options *o;
    struct dna_pool *pool;
    struct mutant *mutants;
    size_t num, room;
    struct session *sessions;
    size_t num_sessions, room_sessions;
    const struct dna_suite *suite;  /* of the sessions */
    const struct dna_deadline **waits; /* of each of its cases */
    bool *shaky;                       /* it did not pass undamaged at once; likewise */
    struct counts of[NUM_ROLES];
    char dir[200];
    /* of the role at hand */
    unsigned role;
    struct dna_campaign whole, playable;
    struct dna_derive_parts parts;
    const struct dna_overlay *choices;
    bool failed, bad;
};

/* ---- what the model says ---- */

static uint64_t hash_of(unsigned role, size_t scope, const uint32_t *word, size_t len)
{
    uint64_t h = 1469598103934665603u ^ role ^ scope << 8;

    for (size_t i = 0; i < len; i++)
        h = (h ^ word[i]) * 1099511628211u;
    return h ^ len << 56;
}

static bool store(struct campaign *k, struct session *s)
{
    const struct dna_derive_how how = { .u = &k->playable.unfoldings[s->scope],
                                        .choices = k->choices,
                                        .variant = k->parts.variants[s->scope],
                                        .documented = k->parts.documented[s->scope],
                                        .patient = true,
                                        .wait = k->parts.waits[s->scope] };

    s->file = dna_pool_printf(k->pool, "%s/derived/mutants_s%05zu.scn", k->dir, k->num_sessions);
    return dna_derive_store(&how, s->word, s->len, s->file);
}

/* The session's number; many mutants are told by the same. */
static size_t session_for(struct campaign *k, const struct dna_judgement *j)
{
    const uint64_t hash = hash_of(k->role, j->scope, j->witness, j->len);
    struct session *s;

    for (size_t i = 0; i < k->num_sessions; i++) {
        s = &k->sessions[i];
        if (s->hash == hash && s->role == k->role && s->scope == j->scope && s->len == j->len &&
            memcmp(s->word, j->witness, j->len * sizeof(*s->word)) == 0)
            return i + 1;
    }
    if (k->num_sessions == k->room_sessions) {
        k->room_sessions = k->room_sessions ? 2 * k->room_sessions : 1024;
        k->sessions = dna_xrealloc(k->sessions, k->room_sessions * sizeof(*k->sessions));
    }
    s = &k->sessions[k->num_sessions++];
    *s = (struct session){ .hash = hash, .role = k->role, .scope = j->scope, .len = j->len,
                           .wait = k->parts.waits[j->scope] };
    memcpy(s->word, j->witness, j->len * sizeof(*s->word));
    k->failed |= !store(k, s);
    return k->num_sessions;
}

/* The session as the model has it, and what shows there. */
static const char *tell(struct campaign *k, const struct dna_judgement *j)
{
    const struct dna_unfolding *u = &k->whole.unfoldings[j->scope];
    struct dna_buf b = { 0 };
    const char *text;

    dna_buf_printf(&b, "[%s: %s |", u->scope->name, u->scope->prefix);
    for (size_t i = 0; i < j->len; i++)
        dna_buf_printf(&b, "%s %s", i ? "," : "", u->inputs[j->witness[i]]->name);
    dna_buf_printf(&b, "] expected: %s; got: %s", j->expected, j->got);
    text = dna_pool_strdup(k->pool, b.at);
    dna_buf_free(&b);
    return text;
}

/* Whether the mutant's OP is among those asked for, "drop,true,not". */
static bool op_wanted(const char *ops, const char *text)
{
    const char *op = strchr(text, ':') + 1;
    const size_t len = strcspn(op, "=");

    for (; ops && *ops; ops += strcspn(ops, ","), ops += *ops == ',')
        if (strcspn(ops, ",") == len && strncmp(ops, op, len) == 0)
            return true;
    return !ops;
}

static bool take_mutant(void *ctx, const struct dna_mutant *mutant)
{
    struct campaign *k = ctx;
    struct counts *of = &k->of[k->role];
    struct dna_judgement j;
    struct mutant *m;
    char text[200];

    dna_mutant_print(mutant, text, sizeof text);
    if (!op_wanted(k->o->ops, text))
        return true;
    of->all++;
    dna_campaign_judge(&k->whole, mutant, &j);
    of->equivalent += j.fate == DNA_EQUIVALENT;
    of->undecided += j.fate == DNA_UNDECIDED;
    if (j.fate == DNA_EQUIVALENT || j.fate == DNA_UNDECIDED)
        return true;
    of->differ++;
    if (k->num == k->room) {
        k->room = k->room ? 2 * k->room : 4096;
        k->mutants = dna_xrealloc(k->mutants, k->room * sizeof(*k->mutants));
    }
    m = &k->mutants[k->num];
    *m = (struct mutant){ .text = dna_pool_strdup(k->pool, text),
                          .role = k->role,
                          .in_sample = k->num % k->o->sample == 0,
                          .verdict = DNA_VERDICT_NONE };
    m->by_hand = (struct dna_by_hand){ .text = m->text, .mutant = *mutant };
    k->num++;
    if (k->o->hand_written) {
        m->told = tell(k, &j);
        return true;
    }
    dna_campaign_judge(&k->playable, mutant, &j);
    if (j.fate != DNA_EQUIVALENT && j.fate != DNA_UNDECIDED)
        m->session = session_for(k, &j);
    return !k->failed;
}

static int unfold_role(struct campaign *k, unsigned role, const struct dna_profile *profile)
{
    struct dna_habits habits;
    char err[256];

    k->role = role;
    dna_habits_default(&habits);
    habits.exact = true;
    dna_derive_knobs(&profile->variants[0], &habits.knobs);
    k->choices = &habits.choices;
    k->parts = (struct dna_derive_parts){ .wait = true };
    dna_derive_choose(&k->parts, roles[role], profile, &habits, k->o->scope, k->pool, NULL);
    if (!k->parts.role.num_scopes) {
        fprintf(stderr, "xdna: role %s has no part '%s' that is played\n", roles[role]->name,
                k->o->scope);
        return 2;
    }
    if (dna_campaign_begin(&k->whole, roles[role], &habits, 0, err, sizeof err) != 0 ||
        dna_campaign_begin(&k->playable, &k->parts.role, &habits, 0, err, sizeof err) != 0) {
        fprintf(stderr, "xdna: %s\n", err);
        return 99;
    }
    dna_mutants_each(&k->whole, take_mutant, k);
    dna_campaign_end(&k->whole);
    dna_campaign_end(&k->playable);
    return k->failed ? 99 : 0;
}

static bool wanted(const struct campaign *k, unsigned role)
{
    bool any = false;

    for (size_t i = 0; i < k->o->num_selectors; i++)
        any |= strcmp(k->o->selectors[i], roles[role]->name) == 0;
    return any || !k->o->num_selectors;
}

static int list_mutants(struct campaign *k)
{
    struct dna_diag diag = { 0 };
    struct dna_profile *profile = dna_profile_load("xdna", &diag);
    int status = profile ? 0 : 99;

    if (!profile)
        fprintf(stderr, "xdna: %s\n", diag.text);
    for (unsigned role = 0; role < NUM_ROLES && !status; role++)
        if (wanted(k, role))
            status = unfold_role(k, role, profile);
    dna_profile_free(profile);
    return status;
}

/* ---- over sockets ---- */

static void find_cases(struct campaign *k, const struct dna_suite *suite)
{
    k->suite = suite;
    k->waits = dna_xcalloc(suite->num_cases + 1, sizeof(*k->waits));
    k->shaky = dna_xcalloc(suite->num_cases + 1, sizeof(*k->shaky));
    for (size_t i = 0; i < k->num_sessions; i++) {
        char id[60];
        int len = snprintf(id, sizeof id, "derived/mutants/s%05zu@", i + 1);

        for (size_t c = 0; c < suite->num_cases && !k->sessions[i].c; c++)
            if (strncmp(suite->cases[c].id, id, (size_t)len) == 0) {
                k->sessions[i].c = &suite->cases[c];
                k->waits[c] = k->sessions[i].wait;
            }
    }
}

/* A session that fails undamaged tells nothing. */
static void forget_session(struct campaign *k, const struct dna_case *c)
{
    for (size_t i = 0; i < k->num_sessions; i++)
        if (k->sessions[i].c == c)
            k->sessions[i].c = NULL;
}

static int play_once(struct dna_mutate_lab *lab, struct dna_play *plays, size_t num)
{
    return dna_mutate_play(lab, plays, num, NULL);
}

/* Plays of one wait after another, for of all the server's timers only its own is near.  Returns 1
 * if `play` did for any of them; other exit statuses end it. */
static int play_waits(const struct campaign *k, struct dna_mutate_lab *lab, struct dna_play *plays,
                      size_t num,
                      int (*play)(struct dna_mutate_lab *lab, struct dna_play *plays, size_t num))
{
    struct dna_play *some = dna_xcalloc(num + 1, sizeof(*some));
    size_t *whose = dna_xcalloc(num + 1, sizeof(*whose));
    const struct dna_deadline *wait = NULL;
    int status = 0, bad = 0;

    do {
        size_t n = 0;

        for (size_t i = 0; i < num; i++) {
            if (k->waits[plays[i].c - k->suite->cases] != wait)
                continue;
            whose[n] = i;
            some[n++] = plays[i];
        }
        dna_mutate_patient(lab, true, wait);
        status = n ? play(lab, some, n) : 0;
        bad |= status == 1;
        for (size_t i = 0; i < n; i++)
            plays[whose[i]] = some[i];
        if (lab->verbose && n)
            printf("mutate: %zu plays, %s near, by %.0f s\n", n, wait ? wait->timer : "nothing",
                   dna_seconds_since(&lab->begun));
        wait = wait ? wait + 1 : dna_deadlines;
    } while (status <= 1 && wait->symbol);
    free(some);
    free(whose);
    return status > 1 ? status : bad;
}

/* Each mutant in its own session, and each session once undamaged: whatever fails then tells
 * nothing. */
static int play_sessions(struct campaign *k, struct dna_mutate_lab *lab)
{
    struct dna_play *plays = dna_xcalloc(k->num + k->num_sessions, sizeof(*plays));
    struct mutant **whose = dna_xcalloc(k->num, sizeof(*whose));
    size_t n = 0, of_mutants;
    int status, bad = 0;

    for (size_t i = 0; i < k->num; i++)
        if (k->mutants[i].session && k->sessions[k->mutants[i].session - 1].c) {
            whose[n] = &k->mutants[i];
            plays[n++] = (struct dna_play){ .c = k->sessions[k->mutants[i].session - 1].c,
                                            .damage = k->mutants[i].text };
        }
    of_mutants = n;
    for (size_t i = 0; i < k->num_sessions; i++)
        if (k->sessions[i].c)
            plays[n++] = (struct dna_play){ .c = k->sessions[i].c, .damage = "" };
    status = play_waits(k, lab, plays, n, play_once);
    for (size_t i = of_mutants; i < n; i++)
        k->shaky[plays[i].c - k->suite->cases] = plays[i].verdict != DNA_VERDICT_PASS;
    if (!status)
        bad = play_waits(k, lab, plays + of_mutants, n - of_mutants, dna_mutate_play_again);
    for (size_t i = of_mutants; i < n && !status; i++)
        if (plays[i].verdict != DNA_VERDICT_PASS)
            forget_session(k, plays[i].c);
    for (size_t i = 0; i < of_mutants && !status; i++) {
        whose[i]->verdict = plays[i].verdict;
        whose[i]->killed =
            dna_play_notices(&plays[i]) && !k->shaky[plays[i].c - k->suite->cases];
    }
    free(plays);
    free(whose);
    for (size_t i = 0; i < k->num && bad == 1; i++)
        if (k->mutants[i].session && !k->sessions[k->mutants[i].session - 1].c)
            k->mutants[i].killed = false;
    k->bad |= bad == 1;
    return status ? status : bad > 1 ? bad : 0;
}

/* A busy server may be late with what a session looks for: who survived, or whose session did not
 * pass undamaged at once, is played once more, with few others. */
static int play_survivors(struct campaign *k, struct dna_mutate_lab *lab)
{
    struct dna_play *plays = dna_xcalloc(k->num, sizeof(*plays));
    struct mutant **whose = dna_xcalloc(k->num, sizeof(*whose));
    const unsigned young = lab->young, jobs = lab->jobs;
    size_t n = 0;
    int status;

    for (size_t i = 0; i < k->num; i++) {
        struct mutant *m = &k->mutants[i];

        if (m->killed || !m->session || !k->sessions[m->session - 1].c)
            continue;
        whose[n] = m;
        plays[n++] = (struct dna_play){ .c = k->sessions[m->session - 1].c, .damage = m->text };
    }
    lab->young = 4;
    lab->jobs = 16;
    status = play_waits(k, lab, plays, n, play_once);
    lab->young = young;
    lab->jobs = jobs;
    for (size_t i = 0; i < n && !status; i++)
        whose[i]->killed = dna_play_notices(&plays[i]);
    free(plays);
    free(whose);
    return status;
}

/* ---- the hand-written cases ---- */

static int play_by_hand(struct campaign *k, struct dna_mutate_lab *lab)
{
    struct dna_by_hand *those = dna_xcalloc(k->num, sizeof(*those));
    struct mutant **whose = dna_xcalloc(k->num, sizeof(*whose));
    size_t n = 0;
    int status;

    for (size_t i = 0; i < k->num; i++)
        if (k->mutants[i].in_sample || (!k->mutants[i].killed && !k->o->hand_written)) {
            whose[n] = &k->mutants[i];
            those[n++] = k->mutants[i].by_hand;
        }
    status = dna_mutate_by_hand(lab, those, n, k->o->tries);
    for (size_t i = 0; i < n; i++)
        whose[i]->by_hand = those[i];
    free(those);
    free(whose);
    return status;
}

/* ---- the report ---- */

static unsigned report_role(const struct campaign *k, unsigned role)
{
    const struct counts *of = &k->of[role];
    unsigned by_session = 0, sessions = 0, by_hand = 0, open = 0, sample = 0, sample_hand = 0;

    for (size_t i = 0; i < k->num; i++) {
        const struct mutant *m = &k->mutants[i];

        if (m->role != role)
            continue;
        sessions += m->session != 0;
        by_session += m->killed;
        by_hand += !m->killed && m->by_hand.killer;
        sample += m->in_sample;
        sample_hand += m->in_sample && m->by_hand.killer;
        if (m->killed || m->by_hand.killer)
            continue;
        open += m->session || !k->o->scope; /* a part of the alphabet need not tell all */
        if (m->session)
            printf("mutate: %s survives its session %zu\n", m->text, m->session);
        else if (k->o->verbose || !k->o->scope)
            printf("mutate: %s survives: none of its sessions can be played\n", m->text);
    }
    printf("%s: %u mutants, %u equivalent (proved), %u undecided; of %u that differ, %u have a "
           "derived session, which "
           "kills %u over sockets; hand-written cases kill %u more; %u survive, %u are killed on "
           "the model alone; "
           "hand-written cases alone kill %u of a sample of %u\n",
           roles[role]->name, of->all, of->equivalent, of->undecided, of->differ, sessions,
           by_session, by_hand, open, of->differ - by_session - by_hand - open, sample_hand,
           sample);
    return open;
}

static void report_by_hand(const struct campaign *k, unsigned role)
{
    unsigned num = 0, by_hand = 0;

    for (size_t i = 0; i < k->num; i++) {
        const struct mutant *m = &k->mutants[i];

        if (m->role != role || !m->in_sample)
            continue;
        num++;
        by_hand += m->by_hand.killer != NULL;
        if (!m->by_hand.killer)
            printf("mutate: %s survives %zu of %zu cases (%s) %s\n", m->text,
                   m->by_hand.cases < k->o->tries ? m->by_hand.cases : k->o->tries,
                   m->by_hand.cases, m->by_hand.first ? m->by_hand.first->id : "-", m->told);
        else if (k->o->verbose)
            printf("mutate: %s is noticed by %s\n", m->text, m->by_hand.killer->id);
    }
    printf("%s: hand-written cases alone kill %u of %u mutants that differ\n", roles[role]->name,
           by_hand, num);
}

static void remove_files(const struct campaign *k)
{
    char path[240];

    for (size_t i = 0; i < k->num_sessions; i++)
        if (k->sessions[i].file)
            (void)unlink(k->sessions[i].file);
    (void)snprintf(path, sizeof path, "%s/derived", k->dir);
    (void)rmdir(path);
    (void)snprintf(path, sizeof path, "%s/prelude.scn", k->dir);
    (void)unlink(path);
    (void)rmdir(k->dir);
}

static int play_hand_written(struct campaign *k, struct dna_mutate_lab *lab)
{
    int status = dna_mutate_open(lab, dna_scenarios_dir(), NULL, 0);

    if (!status)
        (void)dna_suite_select(lab->suite, NULL, 0);
    if (!status)
        status = play_by_hand(k, lab);
    for (unsigned role = 0; role < NUM_ROLES && !status; role++)
        if (wanted(k, role))
            report_by_hand(k, role);
    return status;
}

static int play_all(struct campaign *k, struct dna_mutate_lab *lab)
{
    char **files = dna_xcalloc(k->num_sessions + 1, sizeof(*files));
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_suite *derived, *hand;
    int status;

    for (size_t i = 0; i < k->num_sessions; i++)
        files[i] = dna_pool_strdup(k->pool, k->sessions[i].file);
    derived = dna_suite_load_files(k->dir, files, k->num_sessions, &diags);
    free(files);
    if (diags.num)
        fprintf(stderr, "%s", diags.text.at);
    dna_buf_free(&diags.text);
    if (diags.num) {
        dna_suite_free(derived);
        return 99;
    }
    find_cases(k, derived);
    status = dna_mutate_open(lab, dna_scenarios_dir(), NULL, 0);
    hand = lab->suite;
    if (!status) {
        (void)dna_suite_select(hand, NULL, 0);
        (void)dna_suite_select(derived, NULL, 0);
        lab->suite = derived;
        status = play_sessions(k, lab);
        if (!status)
            status = play_survivors(k, lab);
        dna_mutate_patient(lab, false, NULL);
        lab->suite = hand;
        printf("mutate: %zu sessions tell %zu mutants, after %.0f s\n", k->num_sessions, k->num,
               dna_seconds_since(&lab->begun));
        fflush(stdout);
    }
    if (!status && !k->o->sessions_only)
        status = play_by_hand(k, lab);
    for (unsigned role = 0; role < NUM_ROLES && !status; role++)
        if (wanted(k, role))
            status |= report_role(k, role) ? 1 : 0;
    dna_suite_free(derived);
    return status ? status : k->bad ? 1 : 0;
}

int dna_mutate_all(struct dna_mutate_lab *lab, const struct dna_mutate_options *o)
{
    struct campaign *k = dna_xcalloc(1, sizeof(*k));
    int status = 99;

    k->o = o;
    k->pool = dna_pool_new();
    evutil_gettimeofday(&lab->begun, NULL);
    snprintf(k->dir, sizeof k->dir, "%s", o->keep ? o->keep : "/tmp/xdna-mutate-XXXXXX");
    if ((o->keep ? mkdir(k->dir, 0777) && errno != EEXIST : !mkdtemp(k->dir)) ||
        !dna_derive_folder(k->dir))
        fprintf(stderr, "xdna: cannot make the folder of scenarios: %s\n", strerror(errno));
    else
        status = list_mutants(k);
    if (!status)
        status = o->hand_written ? play_hand_written(k, lab) : play_all(k, lab);
    if (!o->keep)
        remove_files(k);
    if (!status && !o->hand_written)
        printf("mutate: no mutant survives%s; %.0f s\n", o->scope ? " of those told there" : "",
               dna_seconds_since(&lab->begun));
    free(k->mutants);
    free(k->sessions);
    free(k->waits);
    free(k->shaky);
    dna_pool_free(k->pool);
    free(k);
    return status;
}
