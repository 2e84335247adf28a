/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Steps that wait: how each begins, whether what has come is what it waits
 * for, and what taking it means. Looking changes nothing, so that several branches can look at
 * one event.
 */
#include "conformance/case_run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct dna_conn *conn_of(struct dna_case_run *run, const struct dna_step *step)
{
    return dna_actor_conn(dna_run_actor(run, step->actor), step->conn);
}

static enum dna_poll trouble(struct dna_candidate *cand, const char *why)
{
    cand->why = why;
    return DNA_POLL_ERROR;
}

/* ---- beginning ---- */

static const char *barrier_id(struct dna_case_run *run)
{
    return dna_pool_printf(run->pool, "barrier-%s-%u", run->label, ++run->num_barriers);
}

/* the domain that the stream was opened to, where the IUT hosts it */
static const char *hosted_target(struct dna_case_run *run, const struct dna_conn *conn)
{
    static const char *const names[] = { "iut", "iut2", "iut3" };

    for (size_t i = 0; conn->sent_to && i < 3; i++)
        if (strcmp(dna_binds_get(&run->vars, names[i]), conn->sent_to) == 0)
            return conn->sent_to;
    return dna_binds_get(&run->vars, "iut");
}

static void begin_nothing(struct dna_case_run *run, struct dna_candidate *cand)
{
    struct dna_conn *conn = conn_of(run, cand->step);
    const char *barrier = run->context->profile->barrier, *from, *to, *text;

    if (!conn)
        return;
    if (conn->accepted || conn->got_close || cand->step->timed ||
        (barrier && strcmp(barrier, "deadline") == 0)) {
        cand->quiet = true;
        return;
    }
    cand->barrier_id = barrier_id(run);
    from = conn->sent_from ? conn->sent_from
           : conn->actor->scn->num_domains
               ? dna_binds_get(&run->vars, conn->actor->scn->domains[0]) : conn->actor->host;
    to = hosted_target(run, conn);
    if (barrier && strcmp(barrier, "ping") == 0)
        text = dna_pool_printf(run->pool, "<iq type='get' id='%s' from='%s' to='%s'><ping "
                               "xmlns='urn:xmpp:ping'/></iq>", cand->barrier_id, from, to);
    else
        text = dna_pool_printf(run->pool, "<db:verify id='%s' from='%s' to='%s'>0badbadbad"
                               "</db:verify>", cand->barrier_id, from, to);
    dna_conn_send_bytes(conn, text, strlen(text));
}

static void begin_client_barrier(struct dna_case_run *run, struct dna_candidate *cand)
{
    struct dna_conn *conn = conn_of(run, cand->step);
    const char *text;

    if (!conn)
        return;
    cand->barrier_id = barrier_id(run);
    text = dna_pool_printf(run->pool, "<message id='%s' type='normal' to='%s'><body>barrier</body>"
                           "</message>", cand->barrier_id,
                           dna_binds_get(&run->vars, cand->step->actor->name));
    dna_conn_send_bytes(conn, text, strlen(text));
}

static void begin_connect(struct dna_case_run *run, struct dna_candidate *cand)
{
    const struct dna_step *s = cand->step;
    struct dna_actor *a = dna_run_actor(run, s->actor);
    unsigned port = 0;
    bool c2s = false;

    for (size_t i = 0; i < s->num_words; i++) {
        if (strcmp(s->words[i], "c2s") == 0)
            c2s = true;
        if (i && strcmp(s->words[i - 1], "port") == 0)
            port = (unsigned)strtoul(s->words[i], NULL, 10);
    }
    if (!dna_actor_connect(a, s->conn, port, c2s))
        cand->why = "no socket with the actor's address";
}

static void begin_tls(struct dna_case_run *run, struct dna_candidate *cand)
{
    const struct dna_step *s = cand->step;
    struct dna_conn *conn = conn_of(run, s);
    struct dna_wire_tls_options options = { 0 };
    const struct dna_conn *before = NULL;
    bool known = true;

    if (!conn)
        return;
    options.server = conn->accepted;
    options.cert = conn->actor->cert;
    options.sni = conn->sent_to;
    for (size_t i = 0; i < s->num_words; i++) {
        const char *value = strchr(s->words[i], '=');

        if (strncmp(s->words[i], "cert=", 5) == 0 && strcmp(value, "=default") != 0)
            options.cert = dna_run_cert(run, dna_run_expand(run, value + 1), &known);
        else if (strncmp(s->words[i], "sni=", 4) == 0)
            options.sni = strcmp(value, "=none") == 0 ? NULL : dna_run_expand(run, value + 1);
        else if (strcmp(s->words[i], "resumable") == 0)
            options.resumable = true;
        else if (strncmp(s->words[i], "resumes=", 8) == 0)
            before = dna_actor_conn(conn->actor, value + 1);
    }
    options.resumes = before ? before->wire : NULL;
    if (!known)
        cand->why = "unknown cert";
    else
        dna_conn_tls(conn, &options);
}

/* two branches of an 'either' that begin with the handshake, one with its success: it is the same
 * one */
static bool handshake_begun(const struct dna_case_run *run, const struct dna_candidate *cand)
{
    for (const struct dna_candidate *c = run->candidates; c < cand; c++)
        if (c->step->kind == DNA_STEP_TLS && c->step->actor == cand->step->actor &&
            strcmp(c->step->conn, cand->step->conn) == 0)
            return true;
    return false;
}

void dna_step_begin(struct dna_case_run *run, struct dna_candidate *cand)
{
    cand->begun = true;
    switch (cand->step->kind) {
    case DNA_STEP_NOTHING: begin_nothing(run, cand); break;
    case DNA_STEP_BARRIER: begin_client_barrier(run, cand); break;
    case DNA_STEP_CONNECT: begin_connect(run, cand); break;
    case DNA_STEP_TLS:
        if (!handshake_begun(run, cand))
            begin_tls(run, cand);
        break;
    default: break;
    }
}

/* ---- looking ---- */

static bool is_stream_error(const struct dna_conn_event *e)
{
    return e->kind == DNA_WIRE_ELEMENT && dna_xnode_is(e->node, DNA_NS_STREAM, "error");
}

static enum dna_poll poll_end(const struct dna_conn_event *e, enum dna_step_kind kind)
{
    if (kind == DNA_STEP_EXPECT_DROP)
        return e->kind == DNA_WIRE_EOF ? DNA_POLL_MATCH : DNA_POLL_NO;
    if (e->kind == DNA_WIRE_EOF)
        return kind == DNA_STEP_EXPECT_CLOSE ? DNA_POLL_NO : DNA_POLL_MATCH;
    if (e->kind == DNA_WIRE_CLOSE)
        return kind == DNA_STEP_EXPECT_EOF ? DNA_POLL_SKIP : DNA_POLL_MATCH;
    if (kind != DNA_STEP_EXPECT_CLOSE && is_stream_error(e))
        return DNA_POLL_SKIP;
    return DNA_POLL_NO;
}

static enum dna_poll poll_tls(const struct dna_step *s, const struct dna_conn_event *e)
{
    bool fails = false;

    for (size_t i = 0; i < s->num_words; i++)
        fails = fails || strcmp(s->words[i], "fails") == 0;
    switch (e->kind) {
    case DNA_WIRE_TLS_UP:
        /* under TLS 1.3 our side is done before the other has judged our certificate */
        return fails ? DNA_POLL_SKIP : DNA_POLL_MATCH;
    case DNA_WIRE_TLS_FAILED:
    case DNA_WIRE_EOF:
        return fails ? DNA_POLL_MATCH : DNA_POLL_NO;
    default:
        return DNA_POLL_NO;
    }
}

static enum dna_poll poll_barrier(const struct dna_candidate *cand, const struct dna_conn_event *e)
{
    const char *id = e->kind == DNA_WIRE_ELEMENT ? dna_xnode_attr_value(e->node, "id") : NULL;

    return id && cand->barrier_id && strcmp(id, cand->barrier_id) == 0 ? DNA_POLL_MATCH
                                                                       : DNA_POLL_NO;
}

/* the echo may stand behind stanzas that later steps want: all of the queue is looked at */
static enum dna_poll poll_client_barrier(const struct dna_candidate *cand, struct dna_conn *conn)
{
    for (const struct dna_conn_event *e = conn->head; e; e = e->next) {
        if (poll_barrier(cand, e) == DNA_POLL_MATCH)
            return DNA_POLL_MATCH;
        if (e->kind == DNA_WIRE_EOF || e->kind == DNA_WIRE_CLOSE ||
            !dna_conn_event_is_passable(conn, e))
            return DNA_POLL_NO;
    }
    return DNA_POLL_WAIT;
}

static enum dna_poll poll_conn(struct dna_case_run *run, struct dna_candidate *cand,
                               struct dna_conn **out_conn)
{
    const struct dna_step *s = cand->step;
    struct dna_conn *conn = conn_of(run, s);
    const struct dna_conn_event *e;
    size_t mark = run->vars.num;
    bool hit;

    if (!conn)
        return trouble(cand, "the connection was not opened on this path");
    *out_conn = conn;
    e = conn->head;
    if (s->kind == DNA_STEP_BARRIER)
        return poll_client_barrier(cand, conn);
    if (!e)
        return DNA_POLL_WAIT;
    switch (s->kind) {
    case DNA_STEP_EXPECT:
        if (e->kind != DNA_WIRE_HEADER && e->kind != DNA_WIRE_ELEMENT)
            return DNA_POLL_NO;
        if (e->barrier && !dna_xnode_attr(s->xml, "id"))
            return DNA_POLL_NO; /* a barrier's late answer is nobody's expectation */
        hit = dna_xnode_match(s->xml, e->node, conn->content_ns, &run->vars, &cand->why);
        dna_binds_undo(&run->vars, mark);
        return hit ? DNA_POLL_MATCH : DNA_POLL_NO;
    case DNA_STEP_EXPECT_CLOSE:
    case DNA_STEP_EXPECT_END:
    case DNA_STEP_EXPECT_EOF:
    case DNA_STEP_EXPECT_DROP:
        return poll_end(e, s->kind);
    case DNA_STEP_CONNECT:
        return e->kind == DNA_WIRE_UP ? DNA_POLL_MATCH : DNA_POLL_NO;
    case DNA_STEP_TLS:
        return poll_tls(s, e);
    case DNA_STEP_NOTHING:
        return cand->quiet ? DNA_POLL_NO : poll_barrier(cand, e);
    default:
        return trouble(cand, "not a step that waits");
    }
}

/* when the IUT first connected to this actor (or to make this connection of it); 0: not yet */
static unsigned first_accept(const struct dna_actor *a, const char *name)
{
    unsigned first = 0;

    for (const struct dna_conn *c = a->conns; c; c = c->next)
        if (c->accepted && (!*name || strcmp(c->name, name) == 0))
            first = c->seq; /* newest first: the last one found is the oldest */
    return first;
}

static enum dna_poll poll_dns(struct dna_case_run *run, struct dna_candidate *cand)
{
    const struct dna_step *s = cand->step;
    const char *name = dna_run_expand(run, s->value);
    unsigned before = s->actor ? first_accept(dna_run_actor(run, s->actor), s->conn) : 0;

    for (const struct dna_seen_query *q = run->queries; q; q = q->next)
        if (strcasecmp(q->name, name) == 0 && strcasecmp(q->type, s->name) == 0 &&
            (q->bits & s->query_bits) == s->query_bits && (!before || q->seq < before))
            return DNA_POLL_MATCH;
    cand->got = "no such query before that";
    return before ? DNA_POLL_NO : DNA_POLL_WAIT;
}

static bool is_refusal(enum dna_web_kind kind)
{
    /* who judges the certificate after the handshake leaves without a request */
    return kind == DNA_WEB_TLS_FAILED || kind == DNA_WEB_LEFT;
}

static enum dna_poll poll_web(struct dna_case_run *run, struct dna_candidate *cand)
{
    const struct dna_step *s = cand->step;
    const char *host = dna_run_expand(run, s->page->host);
    const char *path = s->page->path ? dna_run_expand(run, s->page->path) : NULL;
    unsigned before = s->actor ? first_accept(dna_run_actor(run, s->actor), s->conn) : 0;
    unsigned seen = 0, wanted = s->times ? s->times : 1;

    for (const struct dna_seen_request *r = run->requests; r; r = r->next)
        if (strcasecmp(r->host, host) == 0 && (!before || r->seq < before) &&
            (s->kind == DNA_STEP_WEB_REFUSED
                 ? is_refusal(r->kind)
                 : r->kind == DNA_WEB_ASKED && strcmp(r->path, path) == 0))
            seen++;
    if (seen == wanted || (seen > wanted && !s->times))
        return DNA_POLL_MATCH;
    cand->got = dna_pool_printf(run->pool, "%u such request%s%s", seen, seen == 1 ? "" : "s",
                                before ? " before that" : "");
    return before || seen > wanted ? DNA_POLL_NO : DNA_POLL_WAIT;
}

/* The text as it is, just so often. */
static enum dna_poll poll_times(const struct dna_candidate *cand, const char *text,
                                const char *output, bool exited)
{
    unsigned seen = 0;

    for (const char *at = output; *text && (at = strstr(at, text)); at += strlen(text))
        seen++;
    return seen == cand->step->times            ? DNA_POLL_MATCH
           : seen > cand->step->times || exited ? DNA_POLL_NO
                                                : DNA_POLL_WAIT;
}

static enum dna_poll poll_child(struct dna_case_run *run, struct dna_candidate *cand)
{
    const struct dna_step *s = cand->step;
    struct dna_actor *a = dna_run_actor(run, s->actor);
    int status = 0;
    bool exited;

    if (!a->child)
        return trouble(cand, "the client was not run on this path");
    exited = dna_child_has_exited(a->child, &status);
    cand->got = exited ? dna_pool_printf(run->pool, "exit status %d, having printed: %s", status,
                                         dna_child_output(a->child))
                       : NULL;
    if (s->kind == DNA_STEP_EXITS) {
        if (!exited)
            return DNA_POLL_WAIT;
        return dna_xtext_match(s->value, dna_pool_printf(run->pool, "%d", status), &run->vars)
                   ? DNA_POLL_MATCH : DNA_POLL_NO;
    }
    if (s->times)
        return poll_times(cand, dna_run_expand(run, s->value), dna_child_output(a->child), exited);
    if (dna_glob_match(dna_pool_printf(run->pool, "**%s**", dna_run_expand(run, s->value)),
                       dna_child_output(a->child)))
        return DNA_POLL_MATCH;
    return exited ? DNA_POLL_NO : DNA_POLL_WAIT;
}

/* A server that was told to stop ends well, or of that very signal; 143 is what a shell, or a
 * runtime that caught it, makes of the latter. */
static enum dna_poll poll_gone(struct dna_case_run *run, struct dna_candidate *cand)
{
    const int status = run->gone_status;
    char words[80];

    if (!run->gone)
        return DNA_POLL_WAIT;
    if (!run->gone_killed && (WIFSIGNALED(status) ? WTERMSIG(status) == SIGTERM
                                                  : WEXITSTATUS(status) == 0 ||
                                                        WEXITSTATUS(status) == 128 + SIGTERM))
        return DNA_POLL_MATCH;
    dna_iut_death(status, words, sizeof words);
    cand->got = run->gone_killed
                    ? dna_pool_printf(run->pool, "it was still there %u ms after TERM",
                                      run->context->profile->stop_ms)
                    : dna_pool_strdup(run->pool, words);
    return DNA_POLL_NO;
}

enum dna_poll dna_step_poll(struct dna_case_run *run, struct dna_candidate *cand,
                            struct dna_conn **out_conn)
{
    switch (cand->step->kind) {
    case DNA_STEP_ACCEPT:
        return dna_actor_has_pending(dna_run_actor(run, cand->step->actor)) ? DNA_POLL_MATCH
                                                                           : DNA_POLL_WAIT;
    case DNA_STEP_DNS_SAW:
        return poll_dns(run, cand);
    case DNA_STEP_WEB_SAW:
    case DNA_STEP_WEB_REFUSED:
        return poll_web(run, cand);
    case DNA_STEP_EXITS:
    case DNA_STEP_PRINTS:
        return poll_child(run, cand);
    case DNA_STEP_IUT_GONE:
        return poll_gone(run, cand);
    default:
        if (cand->why && (cand->step->kind == DNA_STEP_CONNECT || cand->step->kind == DNA_STEP_TLS))
            return DNA_POLL_ERROR;
        return poll_conn(run, cand, out_conn);
    }
}

/* ---- taking ---- */

static void take_client_barrier(struct dna_case_run *run, const struct dna_candidate *cand)
{
    struct dna_conn *conn = conn_of(run, cand->step);

    for (struct dna_conn_event **at = &conn->head; *at; at = &(*at)->next) {
        if (poll_barrier(cand, *at) != DNA_POLL_MATCH)
            continue;
        if (conn->tail == &(*at)->next)
            conn->tail = at;
        *at = (*at)->next;
        return;
    }
}

void dna_step_consume(struct dna_case_run *run, struct dna_candidate *cand)
{
    const struct dna_step *s = cand->step;
    struct dna_conn *conn;

    switch (s->kind) {
    case DNA_STEP_ACCEPT:
        dna_actor_take(dna_run_actor(run, s->actor), s->conn);
        return;
    case DNA_STEP_DNS_SAW:
    case DNA_STEP_WEB_SAW:
    case DNA_STEP_WEB_REFUSED:
    case DNA_STEP_EXITS:
    case DNA_STEP_PRINTS:
    case DNA_STEP_IUT_GONE:
        return;
    case DNA_STEP_BARRIER:
        take_client_barrier(run, cand);
        return;
    default:
        break;
    }
    if (cand->quiet)
        return;
    conn = conn_of(run, s);
    if (s->kind == DNA_STEP_EXPECT)
        dna_xnode_match(s->xml, conn->head->node, conn->content_ns, &run->vars, NULL);
    if (s->kind == DNA_STEP_EXPECT_END && conn->head->kind == DNA_WIRE_CLOSE) {
        dna_conn_close(conn); /* the IUT waits for ours before it lets TCP go */
        dna_conn_fin(conn);
    }
    dna_conn_pop(conn);
}

bool dna_conn_event_is_passable(const struct dna_conn *conn, const struct dna_conn_event *e)
{
    static const char *const stanzas[] = { "message", "presence", "iq" };

    if (e->kind != DNA_WIRE_ELEMENT)
        return false;
    if (e->barrier)
        return true;
    for (size_t i = conn->actor->scn->strict; i < 3; i++)
        if (strcmp(e->node->local, stanzas[i]) == 0 && strcmp(e->node->ns, conn->content_ns) == 0)
            return true;
    return false;
}

/* the step as a report shows it: as written, bound variables filled in */
const char *dna_step_expected(struct dna_case_run *run, const struct dna_step *step)
{
    return dna_run_expand(run, step->text);
}
