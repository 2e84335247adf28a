/* SPDX-License-Identifier: MIT */
/*
 * rows -- the rows of the tables with the mutants worth trying on each, for conformance/mutants.sh.
 *
 *   prints: machine TAB row TAB security|- TAB mutants, those first that a careless implementer would make
 *
 * A row is a security row if one of its requirements is marked REQ_SEC.  DEAD rows are left out (no peer
 * can raise them), and so are later alternatives of a CHOICE, which the reference never takes.
 */
#include <stdio.h>
#include <string.h>

#include "model/machines.h"

static bool is_security(const struct dna_row *row)
{
    for (const uint16_t *why = row->because; *why != DNA_REQ_END; why++) {
        if (dna_requirement((enum dna_req)*why)->marks & REQ_SEC) {
            return true;
        }
    }
    return false;
}

/* generous names the outputs that give something to a peer: swapping one in is the fault to fear. */
static bool generous(const char *out)
{
    static const char *const names[] = {
        "deliver",      "transmit",       "accept_pair",       "grant_pair",       "send_valid",
        "send_success", "offer_external", "send_verify_valid", "release_queue",    "start_tls",
        "report_ready", "bind_resource",  "suppose_on_stream", "assert_on_stream", "route",
        "send_key",     "report_strong",  "open_connection",   "send_header",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(out, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* proves tells a prooftype's or a proof's "no", and the "yes" that a careless one would give instead. */
static bool proves(const char *no, const char *yes)
{
    static const char *const noes[] = { "failed", "unclear", "refuted", "absent", "unproved", "pending" };
    bool denied = false;
    for (size_t i = 0; i < sizeof noes / sizeof noes[0]; i++) {
        denied |= strncmp(no, "report_", 7) == 0 && strcmp(no + 7, noes[i]) == 0;
    }
    return denied && (strcmp(yes, "report_held") == 0 || strcmp(yes, "report_proved") == 0);
}

static void print_swaps(const struct dna_machine *m, const struct dna_row *row)
{
    for (size_t b = 1; row->dos[0] && b < m->num_dos; b++) {
        bool inside = false;
        for (const uint8_t *a = row->dos; *a; a++) {
            inside |= *a == b;
        }
        const char *no = m->dos[row->dos[0]].name, *yes = m->dos[b].name;
        if (!inside && (generous(yes) || proves(no, yes))) {
            printf(" do=%s/%s", no, yes);
        }
    }
}

static void print_row(const struct dna_machine *m, const struct dna_row *row)
{
    printf("%s\t%s\t%s\t%s%s", m->name, row->id, is_security(row) ? "security" : "-",
           row->when ? "drop true" : "", row->dos[0] ? " nodo" : "");
    print_swaps(m, row);
    for (size_t s = 0; s < m->num_states; s++) {
        if (s != row->then && m->states[s].mark != DNA_FINAL) {
            printf(" to=%s", m->states[s].name);
        }
    }
    printf("%s\n", row->when ? "" : " drop");
}

int main(void)
{
    for (const struct dna_machine *const *m = dna_machines; *m; m++) {
        for (size_t i = 0; i < (*m)->num_rows; i++) {
            const struct dna_row *row = &(*m)->rows[i];
            bool later = row->choice && i && row[-1].choice && strcmp(row[-1].choice, row->choice) == 0;
            if (row->kind != DNA_DEAD && !later) {
                print_row(*m, row);
            }
        }
    }
    return 0;
}
