/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. What the files share that write sessions of derived suites as scenario lines:
 * derive_send.c and derive_expect.c for streams between servers, derive_c2s.c for those of clients.
 */
#ifndef CONFORMANCE_DERIVE_INTERNAL_H
#define CONFORMANCE_DERIVE_INTERNAL_H

#include "conformance/derive.h"

/* dna_derive_form is what is written for a symbol or a token; lists end with a NULL name. */
struct dna_derive_form {
    const char *name, *lines;
};

/* dna_derive_form_find returns the lines of that name, or NULL. */
const char *dna_derive_form_find(const struct dna_derive_form *forms, const char *name);

/* dna_derive_put writes lines, the letters behind @ replaced: C the connection, N the number of the
 * stream id, K of the key, M of the message, L of the local account's, B of the bind request,
 * V of the connection that asks the authority, Q of the stream that it asks about; P what a POSH
 * document says. */
void dna_derive_put(struct dna_derive_script *script, const char *lines,
                    const struct dna_symbol *symbol);

/* A certificate that runs out while a session waits for it, but not before. */
#define DNA_DERIVE_EXPIRES "cert     Soon dns=$a notafter=+3s\n"

/* dna_derive_without says whether the symbol was left out at the caller's wish. */
bool dna_derive_without(const struct dna_derive_parts *parts, const char *symbol);

/* ---- derive_probe.c ---- */

enum { DNA_DERIVE_PROBES = 24 };

/* dna_derive_probe is what is known of one CHOICE: rows first to first + num - 1 of the machine. */
struct dna_derive_probe {
    const struct dna_machine *machine;
    size_t first, num;
    size_t taken;        /* a row; the first as long as nothing is known */
    const char *session; /* that tells the alternatives apart; NULL: none can be played */
    bool known;
};

struct dna_derive_probes {
    struct dna_derive_probe at[DNA_DERIVE_PROBES];
    size_t num, num_sessions;
};

/* dna_derive_ask finds out which alternatives the implementation takes, and puts them into habits;
 * run are the arguments for xdna run. Returns 0, or an exit status. */
int dna_derive_ask(struct dna_derive_probes *probes, const struct dna_derive_parts *parts,
                   struct dna_habits *habits, bool loose, char **run, int num_run,
                   struct dna_pool *pool);

/* dna_derive_say_choices prints them, as_file: as --choices reads them. */
void dna_derive_say_choices(const struct dna_derive_probes *probes, const char *product, FILE *out,
                            bool as_file);

/* ---- derive_proofs.c ---- */

/* The handshake with a certificate that a document disowns. */
#define DNA_DERIVE_DISOWNED "tls refuted"

/* dna_derive_note_proofs notes, before the session is written, what its certificates and documents
 * are like. */
void dna_derive_note_proofs(struct dna_derive_script *script, const struct dna_unfolding *u,
                            const uint32_t *word, size_t len);

/* dna_derive_waits_out says whether sessions of a scope wait until a document runs out, instead of
 * moving a clock: where there is time, and the document serves nothing before. */
bool dna_derive_waits_out(const struct dna_role *role, const struct dna_scope *scope, bool patient);

/* dna_derive_put_document writes what the document says once it is there, dna_derive_lapse that
 * its time is over, dna_derive_head_proofs what stands in the head. */
void dna_derive_put_document(struct dna_derive_script *script);
void dna_derive_lapse(struct dna_derive_script *script);
void dna_derive_head_proofs(const struct dna_derive_script *script, struct dna_buf *out);

/* ---- derive_c2s.c ---- */

extern const struct dna_derive_form dna_derive_c2s_server[], dna_derive_c2s_client[];

/* dna_derive_expect_c2s writes what must come for a token of a C2S role; false: it is none. */
bool dna_derive_expect_c2s(struct dna_derive_script *script, const struct dna_token *token);

/* dna_derive_begin_c2s adds to the header and to 'given' what a C2S role's session begins with. */
void dna_derive_begin_c2s(const struct dna_derive_script *script, const struct dna_scope *scope,
                          struct dna_buf *head, struct dna_buf *given);

/* dna_derive_asks: the scope's stream is one that only asks an authority. dna_derive_has_begin says
 * whether a session can begin as the scope's mark wants: so, or by a client's command line. */
bool dna_derive_asks(const struct dna_scope *scope);
bool dna_derive_has_begin(const struct dna_scope *scope);

#endif
