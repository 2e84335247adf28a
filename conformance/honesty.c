/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. The honesty check: before a run each variant must refuse a domain that it
 * does not host, an expectation that cannot hold must fail, silence must be provable and a
 * barrier must notice what is there. A judge that cannot fail, or a server that says yes to all,
 * ends in 99.
 */
#include "conformance/runner.h"

#include <stdlib.h>
#include <string.h>

#define HEAD \
    "req X0220_2_2_1_1\nlevel must\nrole receiving\nrev 1\nimpact Verdicts would mean nothing.\n" \
    "domain a\npeer A $a\n"

static const struct control {
    const char *name, *text;
    bool needs_barrier;  /* makes sense only where the profile's barrier is a db:verify */
    enum dna_verdict wanted;
    const char *otherwise;
} controls[] = {
    { "honesty/1_unhosted_domain_is_refused.scn",
      "claim A stream to a domain that is not hosted is not served.\n" HEAD
      "then:\n"
      "A connect\n"
      "A < <stream:stream from='$a' to='$unhosted'>\n"
      "either\n"
      "A > <stream:error/>\n"
      "or\n"
      "A > end\n"
      "or\n"
      "A > <stream:stream/>\n"
      "either\n"
      "A > <stream:error/>\n"
      "or\n"
      "A > end\n"
      "end\n"
      "end\n",
      false, DNA_VERDICT_PASS,
      "it answers a stream to a domain that it does not host as if it hosted it" },
    { "honesty/2_impossible_expectation_fails.scn",
      "claim An answer from a domain that nobody hosts is expected.\n" HEAD
      "then:\n"
      "A connect\n"
      "A < <stream:stream from='$a' to='$iut'>\n"
      "A > <stream:stream from='$unhosted'/>\n",
      false, DNA_VERDICT_FAIL,
      "an expectation that must fail did not: it answers as a domain that it does not host, or "
      "the judge does not judge" },
    { "honesty/3_barrier_is_answered.scn",
      "claim A barrier on a quiet stream is answered.\n" HEAD
      "then:\n"
      "do open A\n"
      "A > nothing\n",
      true, DNA_VERDICT_PASS,
      "the profile's barrier is not answered on a quiet stream, so silence cannot be shown" },
    { "honesty/4_barrier_notices_what_is_there.scn",
      "claim Nothing comes before the barrier, though a question was asked before it.\n" HEAD
      "given:\n"
      "do open A\n"
      "then:\n"
      "A < <db:verify from='$a' to='$iut' id='control'>0badbadbad</db:verify>\n"
      "A > nothing\n",
      true, DNA_VERDICT_FAIL,
      "a barrier passed although an answer came before it, so silence cannot be shown" },
};

#define NUM_CONTROLS (sizeof(controls) / sizeof(*controls))

struct dna_honesty {
    struct dna_scn *scns[NUM_CONTROLS];
    struct dna_case cases[NUM_CONTROLS];
};

struct dna_honesty *dna_honesty_new(const struct dna_prelude *prelude)
{
    struct dna_honesty *h = dna_xcalloc(1, sizeof(*h));
    struct dna_scn_diags diags = { { 0 }, 0 };

    for (size_t i = 0; i < NUM_CONTROLS; i++) {
        h->scns[i] = dna_scn_parse(controls[i].name, controls[i].text, prelude, &diags);
        if (!h->scns[i]) {
            fputs(diags.text.at, stderr);
            dna_buf_free(&diags.text);
            dna_honesty_free(h);
            return NULL;
        }
        h->cases[i] = (struct dna_case){ h->scns[i], "receiving", "default",
                                         (char *)(uintptr_t)h->scns[i]->id, true, 0, NULL };
    }
    return h;
}

void dna_honesty_free(struct dna_honesty *h)
{
    for (size_t i = 0; h && i < NUM_CONTROLS; i++)
        dna_scn_free(h->scns[i]);
    free(h);
}

unsigned dna_honesty_count(const struct dna_honesty *h)
{
    (void)h;
    return NUM_CONTROLS;
}

const struct dna_case *dna_honesty_case(const struct dna_honesty *h, unsigned index)
{
    return &h->cases[index];
}

bool dna_honesty_applies(const struct dna_honesty *h, unsigned index,
                         const struct dna_variant *variant)
{
    const char *barrier = variant->profile->barrier;

    (void)h;
    if (!controls[index].needs_barrier)
        return true;
    return dna_variant_has(variant, "dialback") &&
           (!barrier || strcmp(barrier, "db-verify") == 0 || strcmp(barrier, "dialback") == 0);
}

const char *dna_honesty_verdict(const struct dna_honesty *h, unsigned index,
                                const struct dna_result *result)
{
    (void)h;
    return result->verdict == controls[index].wanted ? NULL : controls[index].otherwise;
}
