/* SPDX-License-Identifier: MIT */
/* look.c -- see look.h: the run, and what the dials of its services tell. */
#include "impl/look.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "impl/look_internal.h"

void dna_look_opened(struct dna_look *all)
{
    all->open++;
}

void dna_look_closed(struct dna_look *all)
{
    if (--all->open == 0)
        event_base_loopexit(all->base, NULL);
}

void dna_look_over(struct look *l)
{
    if (l->over)
        return;
    l->over = true;
    evtimer_del(l->negotiation);
    evtimer_del(l->closing);
    dna_look_closed(l->all);
}

void dna_look_deadline(struct event *timer, uint32_t ms)
{
    const struct timeval tv = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000 };

    evtimer_add(timer, &tv);
}

void dna_look_problem(struct look *l, const char *outcome, const char *format, ...)
{
    char text[512];
    va_list args;

    if (!json_is_null(json_object_get(l->record, "problem")))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (json_is_null(json_object_get(l->record, "verdict"))) /* a verdict stands, come what may */
        json_object_set_new(l->record, "outcome", json_string(outcome));
    json_object_set_new(l->record, "problem", dna_look_string(text));
}

/* --- what the dial tells --- */

static void on_stepped(void *arg, const struct dna_effects *fx)
{
    (void)arg;
    (void)fx;
}

static void on_asks_srv(void *arg, const char *name)
{
    struct look *l = arg;

    json_object_set_new(l->record, "srv",
                        json_pack("{s:s s:n s:n s:n s:[]}", "name", name, "result", "security",
                                  "why", "records"));
}

static void on_srv(void *arg, const struct dna_dns_answer *answer)
{
    dna_look_record_srv(arg, answer);
    dna_look_tlsa_all(arg);
}

static void on_asks_addresses(void *arg, const struct dna_dial_target *of)
{
    dna_look_record_target(arg, of);
}

static void on_addresses(void *arg, const struct dna_dial_target *of,
                         const struct dna_dns_answer *answer)
{
    (void)of;
    dna_look_record_addresses(arg, answer);
}

static void on_posh_settled(void *arg)
{
    dna_look_closed(((struct look *)arg)->all);
}

/* The look shares the retrieval of the POSH prooftype, to tell more of it than a judgement does. */
static void on_seeks(void *arg)
{
    struct look *l = arg;
    const struct dna_proof_ask what = { .domain = l->all->options->domain,
                                        .service = l->kind->names };

    l->posh = dna_posh_seek(&l->all->env.proof, &what, on_posh_settled, l);
    if (dna_posh_pending(l->posh))
        dna_look_opened(l->all);
}

static void on_barred(void *arg, const struct dna_dial_target *at)
{
    struct look *l = arg;

    (void)at;
    json_object_set_new(l->target, "barred", json_true());
}

static void on_connects(void *arg, const char *address)
{
    struct look *l = arg;

    /* a literal has no address asked for */
    if (!l->target) {
        const struct dna_dial_target at = dna_dial_at(l->dial);
        dna_look_record_target(l, &at);
    }
    json_array_append_new(json_object_get(l->target, "attempts"),
                          json_pack("{s:s s:n s:n}", "address", address, "result", "why"));
}

static void attempt_ends(struct look *l, const char *result, const char *why)
{
    json_t *attempts = json_object_get(l->target, "attempts");
    json_t *last = json_array_get(attempts, json_array_size(attempts) - 1);

    json_object_set_new(last, "result", json_string(result));
    json_object_set_new(last, "why", why ? dna_look_string(why) : json_null());
}

static void on_refused(void *arg, const char *why)
{
    attempt_ends(arg, "refused", why);
}

static void on_connected(void *arg, struct dna_conn *conn)
{
    struct look *l = arg;

    attempt_ends(l, "open", NULL);
    json_object_set_new(l->record, "connected", json_string(dna_conn_peer(conn)));
    json_object_set_new(l->record, "host", json_string(dna_dial_at(l->dial).host));
    dna_look_connected(l, conn);
}

static void on_failed(void *arg, const char *why)
{
    struct look *l = arg;

    dna_look_problem(l, "unreachable", "%s", why);
    dna_look_over(l);
}

static void begin(struct dna_look *all, const struct look_kind *kind)
{
    static const struct dna_dial_watch watch = { on_stepped,        on_asks_srv,  on_srv,
                                                 on_asks_addresses, on_addresses, on_seeks,
                                                 on_barred,         on_connects,  on_refused,
                                                 on_connected,      on_failed };
    const struct dna_look_options *o = all->options;
    const struct dna_dial_ask ask = { .domain = o->domain,
                                      .ascii = o->ascii,
                                      .service = kind->service,
                                      .names = kind->names,
                                      .port = kind->port,
                                      .connect_ms = o->connect_ms };
    struct look *l = &all->looks[all->num_looks++];

    l->all = all;
    l->kind = kind;
    l->record = dna_look_new_service(kind);
    json_object_set_new(json_object_get(all->document, "services"), kind->key, l->record);
    dna_look_opened(all);
    dna_look_begin_stream(l);
    dna_dial_new(&l->dial, &all->env.proof, &ask, &watch, l);
}

/* --- the run --- */

void dna_look_options_default(struct dna_look_options *options)
{
    *options = (struct dna_look_options){
        .c2s = true,
        .s2s = true,
        .connect_ms = 10000,
        .negotiation_ms = 20000,
        .close_ms = 2000,
        .knobs = dna_knobs_default(),
        .env = { .resolve_ms = 10000 },
    };
    options->env.knobs = &options->knobs;
}

static json_t *new_document(const struct dna_look_options *o)
{
    return json_pack("{s:s s:i s:s s:s s:b s:s? s:{} s:n}", "tool", "xdna-client check",
                     "schema_version", 1, "domain", o->domain, "domain_ascii", o->ascii,
                     "dnssec_validated", o->env.trust_anchor != NULL, "from", o->from, "services",
                     "exit");
}

static void end(struct look *l)
{
    dna_conn_free(l->conn);
    dna_dial_free(l->dial);
    dna_posh_drop(l->posh);
    dna_look_tlsa_free(l);
    event_free(l->negotiation);
    event_free(l->closing);
}

static enum dna_client_status look(struct dna_look *all, FILE *out)
{
    enum dna_client_status status;

    dna_look_opened(all); /* until both have begun */
    if (all->options->c2s)
        begin(all, &dna_look_c2s);
    if (all->options->s2s)
        begin(all, &dna_look_s2s);
    dna_look_closed(all);
    event_base_dispatch(all->base);
    for (size_t i = 0; i < all->num_looks; i++)
        dna_look_record_posh(&all->looks[i]);
    status = dna_look_judge(all);
    if (all->options->json) {
        json_dumpf(all->document, out, JSON_INDENT(2));
        fputc('\n', out);
    } else {
        dna_look_print(all->document, out);
    }
    for (size_t i = 0; i < all->num_looks; i++)
        end(&all->looks[i]);
    return status;
}

enum dna_client_status dna_look_run(const struct dna_look_options *options, FILE *out)
{
    struct dna_look *all = dna_calloc(1, sizeof *all);
    enum dna_client_status status = DNA_CLIENT_USAGE;
    char why[512] = "";

    all->options = options;
    all->base = event_base_new();
    all->document = new_document(options);
    if (!all->base || !all->document)
        abort();
    if (dna_client_env_open(&all->env, all->base, &options->env, why, sizeof why))
        status = look(all, out);
    else
        fprintf(stderr, "xdna-client: %s\n", why);
    dna_client_env_close(&all->env);
    event_base_loop(all->base, EVLOOP_NONBLOCK); /* bufferevents end themselves by a turn of it */
    event_base_free(all->base);
    json_decref(all->document);
    free(all);
    return status;
}
