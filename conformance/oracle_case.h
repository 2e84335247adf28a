/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The oracle beside a running case: it is told what the case's connections send
 * and receive, and has its word at the end. All of it does nothing for a case that has no oracle.
 */
#ifndef CONFORMANCE_ORACLE_CASE_H
#define CONFORMANCE_ORACLE_CASE_H

#include "conformance/case_run.h"

void dna_oracle_case_begin(struct dna_case_run *run); /* from here on it has one */
void dna_oracle_case_connected(struct dna_conn *conn, unsigned port);
void dna_oracle_case_got(struct dna_conn *conn, enum dna_wire_kind kind,
                         const struct dna_xnode *node);
void dna_oracle_case_sent(struct dna_conn *conn, const char *bytes, size_t len);
void dna_oracle_case_tls(struct dna_conn *conn, const struct dna_wire_tls_options *options);
void dna_oracle_case_fin(struct dna_conn *conn);

/* dna_oracle_case_judge changes the verdict of a case that passed if only the oracle objects: FAIL
 * where a MUST is cited. Objections are noted in any case. */
void dna_oracle_case_judge(struct dna_case_run *run, struct dna_result *result);
/* the rule alone, for a result and what the oracle has to say of it */
void dna_oracle_apply(const struct dna_oracle *oracle, struct dna_result *result);

#endif
