/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Sessions of derived suites in which a POSH document proves or disowns what the
 * certificate alone does not: which these are, what must stand in their head. Where a proof has to
 * be fetched, whoever asks for the document waits until the session says that it arrives.
 */
#include "conformance/derive_internal.h"

#include <string.h>

static void note(struct dna_derive_script *s, const struct dna_symbol *symbol)
{
    if (!symbol || symbol->kind != DNA_SEND_TLS)
        return;
    s->documents |= strcmp(symbol->name, DNA_DERIVE_DISOWNED) == 0;
    s->barren |= strcmp(symbol->name, "tls -") == 0;
    s->both |= symbol->about == DNA_D1_AND_D2;
}

void dna_derive_note_proofs(struct dna_derive_script *s, const struct dna_unfolding *u,
                            const uint32_t *word, size_t len)
{
    const char *at = u->scope->prefix;

    s->documents = s->slow = u->scope->slow;
    s->lapses = u->scope->lapses;
    s->waits_out = dna_derive_waits_out(u->role, u->scope, s->patient);
    for (size_t n; (n = strcspn(at, ",")) > 0; at += n, at += strspn(at, ", "))
        note(s, dna_symbol_find(u->role, at, n));
    for (size_t i = 0; i < len; i++)
        note(s, u->inputs[word[i]]);
}

/* Many such sessions can be played at once; those that move a clock are alone. */
bool dna_derive_waits_out(const struct dna_role *role, const struct dna_scope *scope, bool patient)
{
    struct dna_derive_script s;

    dna_derive_begin(&s, role);
    return patient && scope->lapses && s.side == DNA_DERIVE_IUT;
}

/* A document that comes to nothing is none, for any other would disown a certificate. */
void dna_derive_put_document(struct dna_derive_script *s)
{
    dna_buf_printf(&s->body, "%s%s",
                   s->slow && s->barren ? "none"
                   : s->both            ? "fingerprints Both"
                                        : "fingerprints",
                   s->lapses && !s->waits_out && !s->barren ? " expires=60" : "");
}

/* What was fetched has run out, and is asked for again. */
void dna_derive_lapse(struct dna_derive_script *s)
{
    dna_buf_puts(&s->body, "posh $a held\n");
    if (s->waits_out)
        dna_buf_printf(&s->body, "%s > silence within 1050ms\n", s->conn);
    else
        dna_buf_printf(&s->body, "clock +%um\n", s->clock += 10);
}

void dna_derive_head_proofs(const struct dna_derive_script *s, struct dna_buf *out)
{
    const char *body = s->body.at ? s->body.at : "";
    bool opens = s->side == DNA_DERIVE_IUT, two = s->slow && strstr(body, "from='$c'");

    if (!s->documents)
        return;
    if (strstr(body, "cert=Refuted"))
        dna_buf_puts(out, "cert     Refuted dns=$a issuer=self\n");
    dna_buf_printf(out, "web      W $a%s\n", two ? " $c" : "");
    if (s->side == DNA_DERIVE_CLIENT_IUT)
        dna_buf_puts(out, "posh     $a client fingerprints\n");
    else if (s->slow && !opens)
        dna_buf_printf(out, "posh     $a held\n%s", two ? "posh     $c held\n" : "");
    else
        dna_buf_printf(out, "posh     $a fingerprints%s\n",
                       s->waits_out ? " expires=1"
                       : s->lapses  ? " expires=60"
                                    : "");
}
