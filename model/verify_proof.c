/* SPDX-License-Identifier: MIT */
/*
 * verify_proof.c -- model-tool proof: PROOF.md, as far as it can be generated: all of it.
 *
 * No time and nothing of this machine is in it, so that it can be compared.
 */
#include "model/mutants.h"
#include "model/verify.h"

#include "model/verify_fork.h"
#include "model/verify_prooftypes.h"
#include "model/verify_run.h"

#include <string.h>

static const char head[] =
    "# What is proved about the tables, and what is not\n"
    "\n"
    "Made by `model-tool proof >model/PROOF.md`; do not edit. Commands are run in the root of the "
    "checkout.\n"
    "\n"
    "## In one page\n"
    "The tables of `model/` say what a server does next. Here they are run, guards and actions as "
    "they are compiled into\n"
    "the reference, in a small world: server **A** (domains a, c), server **B** (domains b, d), "
    "and the attacker **M**, who\n"
    "hosts domain m. A program tries *everything* that can happen in that world, step by step, and "
    "remembers each\n"
    "situation (a *state*) so that it looks at it once. In every step the *properties* below must "
    "hold. If one does not,\n"
    "the program prints a shortest sequence of events that leads there, the *counterexample*.\n"
    "\n"
    "What makes the world is written by hand (`verify_*.c`): how the machines of a server are "
    "wired, which follows\n"
    "`impl/s2s_*.c` line by line; what the network and the attacker can do; and what is true, kept "
    "apart from what\n"
    "the machines believe. No protocol decision is written there a second time.\n"
    "\n"
    "    build/model-tool verify                       # every claim, one line each; then every "
    "planted bug\n"
    "    build/model-tool verify --config weak_spoofed_a --traces\n"
    "    build/model-tool verify --bug unsolicited_verify --traces [--rows-fired] [--scenario "
    "FILE]\n"
    "    build/model-tool verify --rows                # which property guards which row\n"
    "    build/model-tool verify --choices             # alternatives that the texts allow, taken\n"
    "    make prove-spin                               # Spin, with the tables as Promela; "
    "liveness\n"
    "    make prove-attacks                            # counterexamples replayed over sockets\n"
    "\n"
    "## What is claimed\n"
    "In each configuration listed below, every property holds in every reachable state, but for "
    "the *limits*: where a\n"
    "weaker policy loses a property, the loss is documented, and the counterexample must be found. "
    "The claims are\n"
    "about worlds of this size: at most two streams of the attacker at a time, one stream of each "
    "kind between\n"
    "servers, one stanza waiting for each pair. Liveness is bounded response: from every reachable "
    "state, with users and\n"
    "attacker silent, timers and the network alone bring every flow to its end within 96 events;\n"
    "Spin judges it without that bound.\n"
    "\n"
    "Where the texts allow several things (`CHOICE`), the reference takes the first; `--choices` "
    "takes the others, and\n"
    "all claims must still hold.\n"
    "\n";

static const char head_spin[] =
    "## A second opinion: Spin\n"
    "`model-tool promela DIR` prints the tables as Promela, from the same rows: guards and updates "
    "as they stand there, the\n"
    "rows of a cell as `if`s, each in the `else` of the one before. `make prove-spin` lets Spin "
    "search every configuration:\n"
    "which row fires, the next state, updates and outputs are then decided by that Promela, and "
    "nothing that the C compiler\n"
    "made of the tables is run. Spin must find as many states and transitions as the checker, and "
    "no other violation.\n"
    "Its search, its store and its comparison of states are its own. The same C in both are "
    "wiring, network, attacker and\n"
    "properties, and what is no row: initial values, what a restart forgets. Besides, every step "
    "of every table is compared,\n"
    "those of clients and of prooftypes too: each state, each event, each valuation of what the "
    "cell mentions, in Spin and in\n"
    "the interpreter. The referee can object: with one guard, one output, one update or one next "
    "state damaged in the\n"
    "printed Promela it must disagree, and that is tried each time.\n"
    "\n"
    "Spin also judges liveness, by LTL under weak fairness (`model/world.pml`), in the "
    "configurations `honest_*` and `timers_*`:\n"
    "* Users, the attacker, and timers that end what is well (idle, expiry, negotiation on a ready "
    "stream) are *not* fair. They\n"
    "  do what they like, in any order, as long as they like, and then fall silent.\n"
    "* Fair are three processes: the network (what is under way arrives; DNS, TCP and proofs "
    "answer, well or badly), the timers\n"
    "  of A and those of B that something waits for. A process that could act from some time on "
    "without pause acts some\n"
    "  time. Which of the things that it may do is left open: any order, a timer before what it "
    "waits for too.\n"
    "* Time passes always, so that without fairness nothing need ever happen; the claim must then "
    "fail, and does.\n"
    "* `ends`, `<>[] ( silent -> quiet )`: whatever has happened, every flow comes to its end, "
    "established or in error.\n"
    "* `stands`, `<>[] ( silent -> quiet && well )`, where nothing fails: every pair that a user "
    "had a stanza for, and that a\n"
    "  stream of the configuration is opened for, is carried by a stream that grants it.\n"
    "* The bugs planted for L1 and L2 are put into the printed Promela, and must refute `ends` and "
    "`stands`.\n"
    "\n";

static const char head_rest[] =
    "## What is not claimed\n"
    "* Nothing about cryptography: a key can be made only by who holds the secret, a certificate "
    "shown only by its owner.\n"
    "* Nothing about XML, TLS and DNS libraries, or about load. What a stanza says is not looked "
    "at.\n"
    "* Nothing about larger worlds. The faults that are known of dialback need no more than this "
    "one has, see below.\n"
    "* Keys are no secret from the target and from the authority; that they grant nothing "
    "elsewhere is what is claimed.\n"
    "* What honest servers say to each other arrives before the attacker acts again, but for the "
    "configurations `honest_*`,\n"
    "  where it takes any time, at most six elements a direction being under way. The attacker's "
    "own streams and DNS take\n"
    "  any time everywhere.\n"
    "* In the world of streams a proof enters as a verdict (proved, unproved, refuted, pending) "
    "through `proof.def`. The\n"
    "  prooftypes' own tables are explored apart from it, see *The prooftypes*.\n"
    "* A resumed TLS session shows no certificate. The reference keeps no session and takes none "
    "up "
    "(`impl/tls.c`), so the\n"
    "  attacker's wish to resume ends in a full handshake without one; `resumed_*` explore that, "
    "and "
    "S25 is the claim.\n"
    "* That the wiring here is that of `impl/` is not proved; the replayed counterexamples and the "
    "conformance suite test it.\n"
    "\n"
    "## The attacker\n"
    "Has a domain and a certificate for it; opens streams to B and to A; is dialled back and "
    "dialled; answers or does not;\n"
    "claims any domain; repeats stream ids and keys that it has seen, as often and wherever it "
    "likes; makes up others; says\n"
    "`db:verify` and `db:result` of every type, asked or not, on each of its streams, in either "
    "direction; asks for bidi and\n"
    "STARTTLS when it likes; logs in with any authorization identity; sends stanzas for any pair. "
    "Where the\n"
    "configuration says so it answers DNS lookups, strips STARTTLS and other features, shows a "
    "certificate that nobody\n"
    "trusts, asks to resume TLS sessions, and lets connections break.\n"
    "\n";

static bool is_property(const char *name)
{
    return dna_vf_find_property(name) >= 0 || dna_vq_find_property(name) >= 0;
}

static bool is_config(const char *name)
{
    return dna_vf_find_config(name) >= 0 || dna_vq_find_config(name) >= 0;
}

static bool is_planted(const char *name)
{
    return dna_vf_find_planted(name) >= 0 || dna_vq_find_planted(name) >= 0;
}

static int check_names(const char *names, bool (*known)(const char *name))
{
    char name[64];
    int used;
    for (; sscanf(names, " %63s%n", name, &used) == 1; names += used) {
        if (!known(name)) {
            fprintf(stderr, "verify_claims.def: there is no %s\n", name);
            return 3;
        }
    }
    return 0;
}

/* Sentence by sentence, with what checks it. */
static int print_claims(FILE *out)
{
    static const struct {
        const char *text, *properties, *configs, *bugs;
    } claims[] = {
#define CLAIM(text, properties, configs, bugs) { text, properties, configs, bugs },
#include "model/verify_claims.def"
    };
    int status = 0;
    fputs("### Sentence by sentence\n"
          "| claim | properties | put to the test in | planted bugs that they refute |\n"
          "|--|--|--|--|\n",
          out);
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        fprintf(out, "| %s | %s | %s | %s |\n", claims[i].text, claims[i].properties,
                claims[i].configs, claims[i].bugs);
        status |= check_names(claims[i].properties, is_property) |
                  check_names(claims[i].configs, is_config) |
                  check_names(claims[i].bugs, is_planted);
    }
    fputc('\n', out);
    return status;
}

static void print_because(const uint16_t *because, FILE *out)
{
    for (; *because != DNA_REQ_END; because++) {
        fprintf(out, " %s", dna_requirement((enum dna_req) * because)->id);
    }
}

static void print_property(const char *id, const char *when, const char *text, const char *expr,
                           const uint16_t *because, FILE *out)
{
    fprintf(out, "| %s | %s | %s | `", id, when, text);
    for (const char *c = expr; *c; c++) {
        fprintf(out, *c == '|' ? "\\%c" : "%c", *c);
    }
    fputs("` |", out);
    print_because(because, out);
    fputs(" |\n", out);
}

static void print_properties(FILE *out)
{
    fputs("## Properties\n`properties.def` and `verify_look.def`. *When* is what happens; the "
          "expression must hold then.\n\n"
          "| id | when | claim | expression | because of |\n|--|--|--|--|--|\n",
          out);
    for (size_t i = 0; i < dna_vf_num_properties; i++) {
        const struct vf_property *p = &dna_vf_properties[i];
        print_property(p->id, dna_vf_when_name[p->when], p->text, p->expr, p->because, out);
    }
}

static int print_config(size_t i, FILE *out, void *arg)
{
    const struct vf_config *c = &dna_vf_configs[i];
    struct vf_search s = { 0 };
    unsigned arising = 0;
    (void)arg;
    if (dna_vf_run_config(c, &s) || !s.full || s.overflow) {
        dna_vf_search_free(&s);
        return 3;
    }
    for (size_t p = 0; p < dna_vf_num_properties; p++) {
        arising += (s.seen & 1u << dna_vf_properties[p].when) != 0;
    }
    fprintf(out, "| %s | %s | %s | %u | %llu | %u |", c->name, c->text,
            c->knobs[0] ? c->knobs : "defaults", s.num, (unsigned long long)s.transitions, arising);
    for (size_t p = 0; p < dna_vf_num_properties; p++) {
        if (s.broken & dna_vf_bit(p)) {
            fprintf(out, " %s%s", dna_vf_properties[p].id,
                    dna_vf_limit_of(c->name, dna_vf_properties[p].id) ? "" : " (REFUTED)");
        }
    }
    fputs(" |\n", out);
    dna_vf_search_free(&s);
    return 0;
}

static int print_configs(FILE *out)
{
    fputs("\n## Configurations\nEach is explored to the end. *Arising*: properties whose occasion "
          "arises there; the others hold "
          "for want of it.\n\n| configuration | what it is | knobs | states | transitions | "
          "arising | limits |\n"
          "|--|--|--|--:|--:|--:|--|\n",
          out);
    if (dna_vf_in_parallel(dna_vf_num_configs, print_config, out, NULL)) {
        return 3;
    }
    fputs("\n### Limits\n", out);
    for (size_t i = 0; i < dna_vf_num_limits; i++) {
        const struct vf_limit *l = &dna_vf_limits[i];
        fprintf(out, "* **%s** is lost in %s: %s.\n", l->property, l->config, l->text);
    }
    return 0;
}

static int print_example(FILE *out)
{
    struct vf_search s = { 0 };
    int config = dna_vf_find_config("weak_spoofed_a"), property = dna_vf_find_property("S1a");
    if (config < 0 || property < 0 || dna_vf_run_config(&dna_vf_configs[config], &s)) {
        dna_vf_search_free(&s);
        return 3;
    }
    fputs("\n### A counterexample\nThe limit S1a of weak_spoofed_a, the man in the middle who "
          "relays a key, as the program "
          "prints it. A line with `*` is what happens in the world, an arrow what crosses a "
          "connection; R1.2 is the stream id "
          "that B gave stream R1 under TLS, and K(a,b,R1.2) the key that A makes of it.\n```\n",
          out);
    dna_vf_print_trace(&s, (size_t)property, false, out);
    fputs("```\n", out);
    dna_vf_search_free(&s);
    return 0;
}

/* The cases of a planted bug, each with the file that it stands in: DOCUMENT/SECTION_slug.scn. */
static void print_cases(const char *cases, FILE *out)
{
    const char *at = cases;
    while (*at) {
        size_t len = strcspn(at, " "), id = strcspn(at, "@ ");
        size_t document = strcspn(at, "/");
        size_t section = document + 1 + strcspn(at + document + 1, "/");
        fprintf(out, "%s[%.*s](../conformance/scenarios/%.*s_%.*s.scn)", at == cases ? "" : ", ",
                (int)len, at, (int)section, at, (int)(id - section - 1), at + section + 1);
        at += len + (at[len] == ' ');
    }
}

static int print_bug(size_t i, FILE *out, void *arg)
{
    const struct vf_planted *b = &dna_vf_planted[i];
    struct vf_search s = { 0 };
    struct vf_move moves[256];
    int property = dna_vf_find_property(b->property);
    (void)arg;
    if (dna_vf_run_planted(b, &s)) {
        dna_vf_search_free(&s);
        return 3;
    }
    bool found = s.broken & dna_vf_bit((size_t)property);
    fprintf(out, "| %s | %s | %s | %s%s%s | %s | %s | %zu | ", b->id, b->text, b->seen, b->rows,
            b->rows[0] && b->world ? ", " : "", b->world ? "the wiring" : "", b->config,
            found ? b->property : "NOT FOUND",
            found ? dna_vf_trace(&s, (size_t)property, moves, 256) : 0);
    print_cases(b->cases, out);
    fputs(" |\n", out);
    dna_vf_search_free(&s);
    return 0;
}

static int print_planted(FILE *out)
{
    fputs("\n## Planted bugs\n`planted.def`. Each is put into the tables (a mutant `ROW:OP`) or "
          "into the wiring around them (in the reference: the fault of its name, `faults.def`, which "
          "also opens the second lock that the code around a row may have), and must be refuted. What its counterexample does is done over sockets, too, by the "
          "scenario in the last column, which the reference passes and the reference with that bug "
          "fails (`make prove-attacks`). Where a bug shows at B alone the scenario is made of the "
          "counterexample (`conformance/scenarios/attack/`); the others are written by hand.\n\n"
          "| bug | what it does | seen | planted as | configuration | refuted by | moves | "
          "replayed by |\n|--|--|--|--|--|--|--:|--|\n",
          out);
    int status = dna_vf_in_parallel(dna_vf_num_planted, print_bug, out, NULL);
    dna_interp_restore();
    return status;
}

/* --- the prooftypes --- */

static const char prooftypes[] =
    "\n## The prooftypes\n"
    "`proof.def` and the tables of PKIX, DANE and POSH are explored in a world of their own: one "
    "certificate and one domain, and\n"
    "the network that answers, or does not, in any order. Composed with streams they would only "
    "multiply them. What passes\n"
    "between the worlds is what `impl/proof.h` tells the machines of a stream: *pending*, "
    "*proved*, "
    "*unproved* or *refuted* for a\n"
    "certificate and a domain (the facts `sender_*`, `peer_*`, `from_*` there), whether an "
    "endpoint "
    "is *barred*, and whether TLS is\n"
    "*demanded* of it. In the world of streams those are truths; here the machines have to find "
    "them.\n"
    "\n"
    "What is true (`L.`) is found from what the network did answer and what the certificate is, in "
    "the words of the texts and of\n"
    "the knobs; a machine is told only its facts. Certificates are all that the tables can tell "
    "apart: none, in time or expired,\n"
    "each prooftype with everything that it may find in one, put together in every way. Every "
    "combination of the knobs named\n"
    "is tried, with a resolver that validates and one that does not.\n"
    "\n"
    "| id | when | claim | expression | because of |\n|--|--|--|--|--|\n";

static int print_proof_config(size_t i, FILE *out, void *arg)
{
    const struct vq_config *c = &dna_vq_configs[i];
    struct vq_search s = { 0 };
    (void)arg;
    if (dna_vq_run_config(c, &s) || !s.full || s.broken) {
        dna_vq_search_free(&s);
        return 3;
    }
    fprintf(out, "| %s | %s | %s | %s | %u | %llu |\n", c->name, c->text, c->knobs, c->varied,
            s.num, (unsigned long long)s.transitions);
    dna_vq_search_free(&s);
    return 0;
}

static int print_proof_bug(size_t i, FILE *out, void *arg)
{
    const struct vq_planted *b = &dna_vq_planted[i];
    struct vq_search s = { 0 };
    size_t property = (size_t)dna_vq_find_property(b->property);
    (void)arg;
    if (dna_vq_run_planted(b, &s) || !(s.broken & 1u << property)) {
        dna_vq_search_free(&s);
        return 3;
    }
    fprintf(out, "| %s | %s | %s | %s | %s | %s | %zu | ", b->id, b->text, b->seen, b->rows,
            b->config, b->property, dna_vq_trace(&s, property, NULL));
    print_cases(b->cases, out);
    fputs(" |\n", out);
    dna_vq_search_free(&s);
    return 0;
}

static int print_prooftypes(FILE *out)
{
    fputs(prooftypes, out);
    for (size_t i = 0; i < dna_vq_num_properties; i++) {
        const struct vq_property *p = &dna_vq_properties[i];
        print_property(p->id, dna_vq_when_name[p->when], p->text, p->expr, p->because, out);
    }
    fputs("\n| configuration | what it is | knobs set | and every combination of | states | "
          "transitions |\n|--|--|--|--|--:|--:|\n",
          out);
    int status = dna_vf_in_parallel(dna_vq_num_configs, print_proof_config, out, NULL);
    fputs("\n| bug | what it does | seen | planted as | configuration | refuted by | moves | "
          "replayed by |\n|--|--|--|--|--|--|--:|--|\n",
          out);
    return status ? status : dna_vf_in_parallel(dna_vq_num_planted, print_proof_bug, out, NULL);
}

static const char mutants[] =
    "\n## Mutants\nEvery first-order mutant of every row that a role reaches: the row dropped, its "
    "guard forced, negated or without one of its atoms, an action left out or exchanged, another "
    "state entered or left, the row added to another state. A mutant is *equivalent* if no "
    "sequence "
    "of symbols shows a difference, which is decided by walking the mutant and the tables side by "
    "side through all that they reach together. All others are killed by the derived suite "
    "(`build/xdna derive`): by its identifiers, by waits for timers, or by sessions that were "
    "added "
    "for what identifiers at k = 0 let pass. `make prove-mutants` plays them over sockets, `make "
    "mutants` holds the hand-written cases against each row.\n\n"
    "| role | mutants | equivalent | killed by identifiers | by waits | by sessions added | "
    "survive | undecided | sessions |\n|--|--:|--:|--:|--:|--:|--:|--:|--:|\n";

static int print_mutants(FILE *out)
{
    struct dna_habits habits;
    int status = 0;
    dna_habits_default(&habits);
    habits.exact = true;
    fputs(mutants, out);
    for (const struct dna_role *const *r = dna_roles; *r && !status; r++) {
        struct dna_campaign c;
        struct dna_score s;
        char err[256];
        if (dna_campaign_begin(&c, *r, &habits, 0, err, sizeof err)) {
            fprintf(stderr, "model-tool: %s\n", err);
            return 3;
        }
        status = dna_campaign_score(&c, NULL, NULL, &s) ? 3 : 0;
        fprintf(out, "| %s | %zu | %zu | %zu | %zu | %zu | %zu | %zu | %zu |\n", (*r)->name, s.all,
                s.fates[DNA_EQUIVALENT], s.fates[DNA_KILLED], s.fates[DNA_KILLED_BY_WAITING],
                s.fates[DNA_COMPLETED], s.fates[DNA_SURVIVED], s.fates[DNA_UNDECIDED],
                s.sessions + s.completing);
        status = s.fates[DNA_SURVIVED] + s.fates[DNA_UNDECIDED] ? 1 : status;
        dna_campaign_end(&c);
    }
    return status;
}

int dna_proof_cmd(FILE *out)
{
    fputs(head, out);
    fputs(head_spin, out);
    int status = print_claims(out);
    fputs(head_rest, out);
    print_properties(out);
    status = status ? status : print_configs(out);
    status = status ? status : print_example(out);
    status = status ? status : print_planted(out);
    status = status ? status : print_prooftypes(out);
    status = status ? status : print_mutants(out);
    if (!status) {
        fputs(
            "\n## Rows\nEach row that cites a requirement of security is damaged: dropped, its "
            "guard forced, what it does left out or exchanged for what another "
            "row does, led to another state. The first damage that a "
            "property notices is named. Where none does, `unguarded.def` gives the reason, and the "
            "check fails when one is missing or has become wrong; "
            "the mutants of the conformance suite cover these rows. Below them, each property with "
            "the "
            "rows of which it noticed the damage first.\n```\n",
            out);
        status = dna_vf_survey(out);
        fputs("```\n", out);
    }
    if (status) {
        fputs(
            "model-tool: proof: something is not as claimed, or could not be explored to the end\n",
            stderr);
    }
    return status;
}
