/* SPDX-License-Identifier: MIT */
/* spec/req.h: the requirements as C sees them. A statement of the documents is an enumerator, so
 * that a table row, a scenario or a line of code that cites a wrong one does not compile.
 * All memory is static and constant. */
#ifndef DNA_SPEC_REQ_H
#define DNA_SPEC_REQ_H

#include <stddef.h>

/* REQ( id, document, section, level, roles, marks, text, ordinals, sha256 ): see spec/README.md. */
enum dna_req {
#define REQ(id, document, section, level, roles, marks, text, ordinals, sha256) id,
#define DECISION(code, title, problem, choice) code,
#include "spec/requirements.def"
#include "spec/decisions.def"
    DNA_NUM_REQUIREMENTS
};

enum dna_level {
    DNA_LEVEL_MUST,
    DNA_LEVEL_MUST_NOT,
    DNA_LEVEL_SHOULD,
    DNA_LEVEL_SHOULD_NOT,
    DNA_LEVEL_MAY,
    DNA_LEVEL_FLOW,     /* a numbered step of a flow in a text without RFC 2119 words */
    DNA_LEVEL_DECISION, /* not of the documents: ours, see decisions.def */
};

enum dna_mark {
    REQ_NONE = 0,
    REQ_SEC = 1,          /* whoever violates it lets an unproven domain through */
    REQ_POLICY = 2,       /* left to the operator's policy */
    REQ_AMBIGUOUS = 4,    /* silent, contradictory or defective text: never a FAIL by itself */
    REQ_UNOBSERVABLE = 8, /* no peer on the wire can see whether it was kept */
};

struct dna_requirement {
    const char *id;       /* as written in tables and scenarios: "R7712_4_3_2", "DEC_A05" */
    const char *document; /* "RFC7712", "XEP-0220"; "XDNA" for a decision */
    const char *section;  /* "4.3"; for a decision its code, "A05" */
    enum dna_level level;
    const char *roles;    /* "initiating, receiving" */
    unsigned marks;       /* or of enum dna_mark */
    const char *text;     /* our paraphrase; for a decision its title */
    const char *ordinals; /* the sentences of the section, "3 4"; "" for a decision */
    const char *sha256;   /* of those sentences, normalised; "" likewise */
    const char *problem;  /* decisions only, else NULL: what the texts leave open */
    const char *choice;   /* decisions only, else NULL: what we do, and why */
};

/* dna_requirement returns the requirement or decision, NULL when out of range. */
const struct dna_requirement *dna_requirement(enum dna_req id);

/* dna_requirement_find returns the enum dna_req of this id text, -1 when there is none. */
int dna_requirement_find(const char *id);

/* dna_requirement_decision returns the nth (from 0) decision that bears on a requirement, -1 after
 * the last one. */
int dna_requirement_decision(enum dna_req id, size_t nth);

/* dna_requirement_reason returns why a requirement can have neither a row nor a scenario
   (dispositions.def), NULL where nothing excuses it. */
const char *dna_requirement_reason(enum dna_req id);

/* dna_level_name returns "MUST", "SHOULD NOT", "FLOW", ... */
const char *dna_level_name(enum dna_level level);

#endif
