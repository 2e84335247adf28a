/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. From a running case to its oracle, and from objections to a verdict.
 */
#include "conformance/oracle_case.h"

#include <stdlib.h>
#include <string.h>

/* does this variant seek proofs beside PKIX? Where its profile doesn't say, it may. */
static bool seeks_others(const struct dna_oracle_setup *setup)
{
    static const enum dna_knob_id ids[] = { DNA_KNOB_dane, DNA_KNOB_posh, DNA_KNOB_dane_inbound,
                                            DNA_KNOB_posh_inbound };
    const struct dna_knobs *k = &setup->knobs;
    uint64_t all = 0;

    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
        all |= UINT64_C(1) << ids[i];
    return (setup->known & all) != all || k->dane || k->posh || k->dane_inbound || k->posh_inbound;
}

void dna_oracle_case_begin(struct dna_case_run *run)
{
    const struct dna_variant *v = dna_iut_variant(run->iut);
    struct dna_oracle_setup setup = { .hosted = (const char *const *)v->hosted,
                                      .num_hosted = DNA_NUM_HOSTED,
                                      .knobs = dna_knobs_default(),
                                      .errors = dna_variant_has(v, "dialback-errors"),
                                      .result_ms = dna_profile_deadline(v->profile, "dialback"),
                                      .bounded = dna_ca_bounded_root(run->context->lab->ca),
                                      .root = dna_ca_root(run->context->lab->ca) };

    if (dna_variant_has(v, "bare-domain"))
        setup.bare = dna_pool_printf(run->pool, "bare.%s", v->hosted[0]);
    for (size_t i = 0; i < DNA_NUM_KNOBS; i++) {
        const char *name = dna_knob((enum dna_knob_id)i)->name;
        const char *value = dna_pairs_get(&v->knobs, name);
        unsigned long number = value ? strtoul(value, NULL, 10) : 0;

        for (const struct dna_scn_knob *k = run->c->scn->knobs; k; k = k->next) {
            if (strcmp(k->name, name) == 0) {
                value = name;
                number = k->value;
            }
        }
        if (value && dna_knob_set(&setup.knobs, name, (uint32_t)number) == 0)
            setup.known |= UINT64_C(1) << i;
    }
    setup.seeks_others = seeks_others(&setup);
    setup.other_proofs = setup.seeks_others && run->c->scn->proofs;
    run->oracle = dna_oracle_new(&setup);
}

void dna_oracle_case_connected(struct dna_conn *conn, unsigned port)
{
    struct dna_case_run *run = conn->run;
    const struct dna_variant *v = dna_iut_variant(run->iut);
    bool c2s = strcmp(conn->content_ns, "jabber:client") == 0;
    const char *name = conn->actor->scn->name;

    if (!run->oracle)
        return;
    if (!conn->accepted && port == (c2s ? v->c2s_port : v->s2s_port))
        conn->oracle = dna_oracle_connect(run->oracle,
                                          c2s ? DNA_ORACLE_C2S : DNA_ORACLE_RECEIVING,
                                          dna_conn_label(conn));
    else if (conn->accepted && !c2s) /* the client under test has no walks */
        conn->oracle = dna_oracle_connect(run->oracle, DNA_ORACLE_INITIATING,
                                          dna_pool_printf(run->pool, "%s (accepted)", name));
}

static void note_objections(struct dna_case_run *run, const struct dna_objection *old)
{
    const struct dna_objection *x = old ? old->next : dna_oracle_objections(run->oracle);

    for (; x; x = x->next)
        dna_run_note(run, "  (the oracle objects: %s)", x->text);
}

static const struct dna_objection *last_objection(const struct dna_case_run *run)
{
    const struct dna_objection *last = dna_oracle_objections(run->oracle);

    while (last && last->next)
        last = last->next;
    return last;
}

void dna_oracle_case_got(struct dna_conn *conn, enum dna_wire_kind kind,
                         const struct dna_xnode *node)
{
    const struct dna_objection *old;

    if (!conn->oracle)
        return;
    if (kind == DNA_WIRE_TLS_UP) {
        struct dna_wire_seen seen;

        if (dna_wire_seen(conn->wire, &seen))
            dna_oracle_shown(conn->oracle, seen.cert != NULL);
    }
    old = last_objection(conn->run);
    dna_oracle_got(conn->oracle, kind, node);
    note_objections(conn->run, old);
}

void dna_oracle_case_sent(struct dna_conn *conn, const char *bytes, size_t len)
{
    if (conn->oracle)
        dna_oracle_sent(conn->oracle, bytes, len);
}

void dna_oracle_case_tls(struct dna_conn *conn, const struct dna_wire_tls_options *options)
{
    if (conn->oracle)
        dna_oracle_tls(conn->oracle, options->cert,
                       options->cert == conn->actor->cert && !conn->actor->scn->cert);
}

void dna_oracle_case_fin(struct dna_conn *conn)
{
    if (conn->oracle)
        dna_oracle_fin(conn->oracle);
}

static bool is_must(enum dna_level level)
{
    return level == DNA_LEVEL_MUST || level == DNA_LEVEL_MUST_NOT;
}

void dna_oracle_apply(const struct dna_oracle *oracle, struct dna_result *r)
{
    const struct dna_objection *worst = dna_oracle_objections(oracle);
    struct dna_buf text = { 0 };

    if (!worst)
        return;
    for (const struct dna_objection *x = worst; x; x = x->next) {
        dna_buf_printf(&text, "%s\n", x->text);
        if (is_must(x->level) && !is_must(worst->level))
            worst = x;
    }
    r->oracle = dna_pool_strndup(r->pool, text.at, text.len);
    dna_buf_free(&text);
    r->oracle_kind = dna_pool_printf(r->pool, "%s %s (%s; %s)", worst->machine,
                                     *worst->rows ? worst->rows : "unasked",
                                     dna_level_name(worst->level), worst->reqs);
    if (r->verdict != DNA_VERDICT_PASS && r->verdict != DNA_VERDICT_INFO)
        return;
    if (is_must(worst->level)) {
        r->verdict = DNA_VERDICT_FAIL;
        r->signalling = DNA_SIGNALLING_WRONG;
        r->reason = "oracle";
        r->expected = dna_pool_printf(r->pool, "%s, as %s allows", worst->expected,
                                      worst->machine);
        r->got = dna_pool_printf(r->pool, "%s > %s", worst->conn,
                                 *worst->element ? worst->element : "nothing");
    }
    /* A weaker objection leaves the case its verdict: a product's habit shows on each of its
       streams, and the summary says it once. */
}

void dna_oracle_case_judge(struct dna_case_run *run, struct dna_result *result)
{
    struct dna_oracle_counts counts, *all = run->context->oracle;

    if (!run->oracle)
        return;
    dna_oracle_apply(run->oracle, result);
    counts = dna_oracle_counts(run->oracle);
    if (all) {
        all->elements += counts.elements;
        all->walks += counts.walks;
        all->gave_up += counts.gave_up;
        all->objections += counts.objections;
    }
}
