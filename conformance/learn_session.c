/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. One session after another symbol: sent as the derived suites say it, then
 * waited for what ends such a step (an answer, a question to the authority, silence for so long),
 * then for the answer to a barrier behind it; and the home, which tells what was delivered.
 */
#include "conformance/learn.h"
#include "conformance/scn_internal.h"
#include "model/machines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A barrier that is not answered is given up before servers give up a stream (two seconds). */
enum { BARRIER_MS = 1200, END_MS = 2000, UP_MS = 5000 };

static void in_ms(struct timeval *at, unsigned ms)
{
    struct timeval now, more = { ms / 1000, (int)(ms % 1000) * 1000 };

    evutil_gettimeofday(&now, NULL);
    evutil_timeradd(&now, &more, at);
}

static bool passed(const struct timeval *at)
{
    struct timeval now;

    evutil_gettimeofday(&now, NULL);
    return !evutil_timercmp(&now, at, <);
}

/* ---- what can be sent ---- */

static bool can(const struct dna_session *s, const struct dna_symbol *symbol)
{
    switch (symbol->kind) {
    case DNA_SEND_HEADER:
        return s->header_due && !s->tls_due;
    case DNA_SEND_ELEMENT:
    case DNA_SEND_STANZA:
    case DNA_SEND_END:
        return !s->header_due && !s->tls_due;
    case DNA_SEND_BYTES:
    case DNA_SEND_GONE:
        return !s->tls_due;
    case DNA_SEND_TLS:
        return s->tls_due;
    case DNA_SEND_ANSWER:
    case DNA_SEND_NO_ANSWER:
        return s->open_question[symbol->whom == DNA_PAIR2];
    default:
        return false;
    }
}

uint64_t dna_session_can(const struct dna_session *s)
{
    uint64_t mask = 0;

    for (size_t i = 0; i < s->crew->seer->num_inputs && !s->closed; i++)
        mask |= can(s, s->crew->seer->inputs[i]) ? (uint64_t)1 << i : 0;
    return mask;
}

uint64_t dna_crew_can_begin(const struct dna_crew *crew)
{
    struct dna_session s = { .crew = (struct dna_crew *)(uintptr_t)crew, .header_due = true };

    return dna_session_can(&s);
}

/* ---- the end of a session ---- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct dna_crew *crew = arg;

    (void)fd;
    (void)what;
    while (crew->dead) {
        struct dna_session *s = crew->dead;

        crew->dead = s->next;
        dna_case_run_free(s->run);
        dna_buf_free(&s->script.body);
        dna_buf_free(&s->here);
        dna_buf_free(&s->elsewhere);
        free(s->transcript);
        free(s);
    }
}

static void end_session(struct dna_session *s, const char *failure)
{
    struct dna_crew *crew = s->crew;
    struct dna_session **at = &crew->sessions;

    s->failure = failure;
    s->run->ended = true;
    event_del(s->run->pump);
    event_del(s->run->timer);
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->transcript = dna_xstrdup(s->run->transcript.at);
    s->next = crew->dead;
    crew->dead = s;
    crew->running--;
    event_active(crew->tick, EV_TIMEOUT, 0);
    crew->on_done(crew, s, crew->arg);
}

/* ---- sending ---- */

const struct dna_cert *dna_session_cert(struct dna_session *s, struct dna_actor *actor)
{
    struct dna_cert_spec *spec;
    struct dna_diag diag = { 0 };
    const char *domain = dna_binds_get(&s->run->vars, actor->scn->domains[0]);
    const char *text = dna_pool_printf(s->run->pool, "dns=%s srv=%s", domain, domain);

    if (actor->cert)
        return actor->cert;
    spec = dna_xcalloc(1, sizeof(*spec));
    if (dna_cert_spec_parse(text, spec, &diag) == 0)
        actor->cert = dna_ca_mint(s->run->context->lab->ca, spec, NULL, NULL, &diag);
    free(spec);
    if (!actor->cert)
        s->failure = dna_pool_strdup(s->run->pool, diag.text);
    return actor->cert;
}

static void send_tls(struct dna_session *s, const char *rest)
{
    struct dna_wire_tls_options options = { .sni = s->in->sent_to };
    const char *cert = strstr(rest, "cert=");
    bool known = true;

    if (cert)
        options.cert = dna_run_cert(s->run, dna_pool_strdup(s->run->pool, cert + 5), &known);
    else
        options.cert = dna_session_cert(s, s->in->actor);
    s->tls_due = false;
    dna_conn_tls(s->in, &options);
}

static struct dna_conn *conn_named(struct dna_session *s, const char *name)
{
    const char *dot = strchr(name, '.');
    struct dna_actor *actor = s->run->actors;

    while (actor && strncmp(actor->scn->name, name, (size_t)(dot - name)) != 0)
        actor = actor->next;
    return actor ? dna_actor_conn(actor, dot + 1) : NULL;
}

/* "CONN < raw "..."", "CONN < close", "CONN < fin", "CONN < <xml>", "CONN tls [cert=X]" */
static void send_line(struct dna_session *s, const char *line)
{
    struct dna_pool *pool = s->run->pool;
    const char *space = strchr(line, ' '), *error = NULL;
    struct dna_conn *conn = conn_named(s, dna_pool_strndup(pool, line, (size_t)(space - line)));
    const char *rest = space + 1;

    if (!conn || !dna_wire_is_open(conn->wire))
        return; /* the server has gone: nothing can come of it */
    if (strncmp(rest, "tls", 3) == 0) {
        send_tls(s, rest + 3);
        return;
    }
    rest = scn_skip_space(rest + 1);
    if (strncmp(rest, "raw ", 4) == 0) {
        rest += 4;
        const char *bytes = dna_run_expand(s->run, scn_word(pool, &rest, NULL));

        dna_conn_send_bytes(conn, bytes, strlen(bytes));
    } else if (strcmp(rest, "close") == 0) {
        dna_conn_close(conn);
    } else if (strcmp(rest, "fin") == 0) {
        dna_conn_fin(conn);
    } else {
        struct dna_xnode *node = dna_xnode_parse(pool, &rest, NULL, &error);

        if (node)
            dna_conn_send(conn, node);
        else
            s->failure = error;
    }
}

static void send_symbol(struct dna_session *s)
{
    char *lines, *rest = NULL;

    s->script.body.len = 0;
    dna_derive_send(&s->script, s->symbol);
    lines = dna_pool_strndup(s->run->pool, s->script.body.at, s->script.body.len);
    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        send_line(s, line);
}

/* ---- barriers ---- */

/* Whether what follows such a symbol is seen without waiting, so that a barrier can follow at once.
 */
static bool at_once(const struct dna_symbol *symbol)
{
    bool sasl = symbol->machine == &dna_machine_sasl_external_receiving;
    bool tls = symbol->machine == &dna_machine_starttls_receiving;

    return (symbol->kind == DNA_SEND_ELEMENT || symbol->kind == DNA_SEND_STANZA) && !sasl && !tls;
}

static bool awaits_something(const struct dna_symbol *symbol)
{
    return !at_once(symbol) ||
           (symbol->kind == DNA_SEND_ELEMENT && strncmp(symbol->name, "key ", 4) == 0);
}

static bool barrier_possible(const struct dna_session *s)
{
    return !s->closed && !s->muted && !s->header_due && !s->tls_due && !s->in->sent_close &&
           dna_wire_is_open(s->in->wire);
}

static void send_barrier(struct dna_session *s)
{
    const char *text;

    s->barrier = ++s->run->num_barriers;
    in_ms(&s->limit_at, BARRIER_MS);
    text = dna_pool_printf(s->run->pool,
                           "<db:verify xmlns:db='" DNA_NS_DIALBACK "' id='barrier-%s-%u' "
                           "from='%s' to='%s'>0badbadbad</db:verify>",
                           s->run->label, s->barrier, dna_binds_get(&s->run->vars, "a"),
                           dna_binds_get(&s->run->vars, "iut"));
    dna_conn_send_bytes(s->in, text, strlen(text));
}

static void send_home_barrier(struct dna_session *s)
{
    struct dna_crew *crew = s->crew;
    const char *home = dna_binds_get(&crew->home->vars, "U");
    char text[512];

    s->home_barrier = ++crew->home_barriers;
    in_ms(&s->limit_at, BARRIER_MS);
    snprintf(text, sizeof(text),
             "<message id='home-%u' type='normal' to='%s'><body>barrier</body></message>",
             s->home_barrier, home);
    dna_conn_send_bytes(crew->home_conn, text, strlen(text));
}

/* ---- the course of a step ---- */

static void begin_step(struct dna_session *s)
{
    s->symbol = s->crew->seer->inputs[s->word.in[s->seen.len]];
    s->here.len = s->elsewhere.len = 0;
    s->complete = s->barrier_back = s->home_back = false;
    s->barrier = s->home_barrier = 0;
    s->wait = DNA_WAIT_SETTLE;
    dna_run_note(s->run, "-- %s", s->symbol->name);
    if (s->symbol->kind == DNA_SEND_HEADER) {
        s->header_due = false;
        s->said_header = true;
    }
    send_symbol(s);
    if (s->symbol->kind == DNA_SEND_ANSWER)
        s->open_question[s->symbol->whom == DNA_PAIR2] = false;
    in_ms(&s->quiet_at, s->symbol->kind == DNA_SEND_TLS ? UP_MS : s->crew->quiet_ms);
    in_ms(&s->limit_at, END_MS);
    if (at_once(s->symbol) && barrier_possible(s))
        send_barrier(s);
}

static void note_word(struct dna_session *s)
{
    struct dna_observed *o = &s->seen;
    bool both = s->here.len && s->elsewhere.len;
    const char *word = dna_pool_printf(
        s->run->pool, "%.*s%s%.*s", (int)s->here.len, s->here.at ? s->here.at : "", both ? " " : "",
        (int)s->elsewhere.len, s->elsewhere.at ? s->elsewhere.at : "");

    word = *word ? word : "nothing";
    dna_run_note(s->run, "== %s", word);
    o->in[o->len] = s->word.in[o->len];
    o->out[o->len] = dna_wordbook_number(s->crew->words, word);
    o->can[o->len] = dna_session_can(s);
    o->len++;
}

static bool barriers_passed(struct dna_session *s)
{
    if (barrier_possible(s)) {
        if (!s->barrier)
            send_barrier(s);
        if (!s->barrier_back && !passed(&s->limit_at))
            return false;
        if (!s->barrier_back) {
            dna_session_token(s, false, "no_answer_to_a_barrier", -1);
            s->closed = true; /* nothing would be known of what follows: it is left alone */
        }
    }
    if (s->symbol->kind != DNA_SEND_STANZA)
        return true;
    if (!s->home_barrier)
        send_home_barrier(s);
    return s->home_back || passed(&s->limit_at);
}

/* What must come is there, or silence was long enough; then the barriers. */
static bool settled(struct dna_session *s)
{
    if ((s->muted || s->symbol->kind == DNA_SEND_END) && !s->closed) {
        if (!passed(&s->limit_at))
            return false;
        dna_session_token(s, false, "stays_open", -1);
        s->closed = true;
    }
    if (s->noted != s->run->transcript.len && s->symbol->kind != DNA_SEND_TLS)
        in_ms(&s->quiet_at, s->crew->quiet_ms);
    s->noted = s->run->transcript.len;
    if (!s->closed && awaits_something(s->symbol) && !s->complete && !passed(&s->quiet_at))
        return false;
    return barriers_passed(s);
}

static void arm(struct dna_session *s)
{
    struct timeval now, wait, next = s->limit_at;
    bool quiet = s->wait == DNA_WAIT_SETTLE && !s->complete && !s->closed && !s->muted;

    evutil_gettimeofday(&now, NULL);
    if (quiet && !passed(&s->quiet_at) && evutil_timercmp(&s->quiet_at, &next, <))
        next = s->quiet_at;
    if (evutil_timercmp(&next, &now, <))
        next = now;
    evutil_timersub(&next, &now, &wait);
    wait.tv_usec += wait.tv_usec < 999000 ? 1000 : 0;
    event_add(s->run->timer, &wait);
}

static void take(struct dna_session *s)
{
    for (struct dna_actor *a = s->run->actors; a; a = a->next)
        for (struct dna_conn *c = a->conns; c; c = c->next)
            if (c->accepted)
                dna_peer_serve(s, c);
    while (s->in && s->in->head) {
        const struct dna_conn_event *e = s->in->head;

        dna_conn_pop(s->in);
        if (s->wait == DNA_WAIT_UP)
            s->wait = e->kind == DNA_WIRE_UP ? DNA_WAIT_SETTLE : DNA_WAIT_UP;
        else
            dna_peer_took(s, e);
    }
}

/* Before the first symbol: our connection opens. */
static bool up(struct dna_session *s)
{
    if (!s->in) {
        s->in = dna_actor_connect(s->run->actors, "in", 0, false);
        in_ms(&s->limit_at, UP_MS);
    }
    if (s->in)
        take(s);
    if (s->in && s->wait != DNA_WAIT_UP)
        return true;
    if (!s->in || passed(&s->limit_at))
        end_session(s, "the server takes no connection");
    else
        arm(s);
    return false;
}

static void drive(struct dna_case_run *run)
{
    struct dna_session *s = run->owner;

    if (s->wait == DNA_WAIT_UP) {
        if (!up(s))
            return;
        begin_step(s);
    }
    take(s);
    while (settled(s)) {
        note_word(s);
        if (s->seen.len == s->word.len ||
            !(s->seen.can[s->seen.len - 1] >> s->word.in[s->seen.len] & 1)) {
            end_session(s, s->failure);
            return;
        }
        begin_step(s);
        take(s);
    }
    arm(s);
}

static void on_bad_end(struct dna_case_run *run, struct dna_result *result, void *arg)
{
    struct dna_session *s = run->owner;

    (void)arg;
    end_session(
        s, dna_pool_printf(run->pool, "%s", result->message ? result->message : "set-up failed"));
    dna_pool_free(result->pool);
    free(result);
}

/* What symbols speak of beside names: as in the derived suites' scenarios. */
static void bind_words(struct dna_session *s)
{
    static const char *const names[] = { "a", "c" };

    for (size_t i = 0; i < 2; i++) {
        const char *domain = dna_binds_get(&s->run->vars, names[i]);
        size_t len = strlen(domain);
        char *base64 = dna_pool_alloc(s->run->pool, len * 2 + 8);

        EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)domain, (int)len);
        dna_binds_set(&s->run->vars, i ? "c64" : "a64", base64);
    }
    dna_binds_set(&s->run->vars, "user", dna_binds_get(&s->crew->home->vars, "U"));
}

void dna_crew_play(struct dna_crew *crew, const struct dna_query *word, size_t index)
{
    struct dna_session *s = dna_xcalloc(1, sizeof(*s));

    s->crew = crew;
    s->word = *word;
    s->index = index;
    s->header_due = true;
    s->script.conn = "A.in";
    s->wait = DNA_WAIT_UP;
    s->next = crew->sessions;
    crew->sessions = s;
    crew->running++;
    s->run = dna_case_run_new(&crew->context, &crew->session_case, crew->iut, ++crew->numbers,
                              on_bad_end, crew);
    s->run->owner = s;
    s->run->driver = drive;
    dna_case_run_start(s->run);
    if (!s->run->ended)
        bind_words(s);
}

/* ---- the home ---- */

static void delivered(struct dna_crew *crew, const struct dna_xnode *node)
{
    const char *id = dna_xnode_attr_value(node, "id"), *from = dna_xnode_attr_value(node, "from");
    const char *label = id ? strrchr(id, '-') : NULL;
    unsigned number;

    for (struct dna_session *s = crew->sessions; s && id; s = s->next) {
        if (sscanf(id, "home-%u", &number) == 1 && number == s->home_barrier) {
            s->home_back = true;
            dna_run_wake(s->run);
        } else if (label && strcmp(label + 1, s->run->label) == 0) {
            const char *at = from ? strchr(from, '@') : NULL;
            const char *a = dna_binds_get(&s->run->vars, "a"),
                       *c = dna_binds_get(&s->run->vars, "c");

            dna_run_note(s->run, "the user gets %s from %s", id, from ? from : "nobody");
            at = at ? at + 1 : from ? from : "";
            dna_session_token(s, true, "deliver",
                              strncmp(at, a, strlen(a)) == 0   ? 0
                              : strncmp(at, c, strlen(c)) == 0 ? 1
                                                               : 2);
        }
    }
}

static void drive_home(struct dna_case_run *run)
{
    struct dna_crew *crew = run->owner;

    if (!crew->ready) {
        crew->home_conn = run->actors->conns;
        crew->ready = true;
        event_base_loopbreak(crew->context.base);
    }
    while (crew->home_conn->head) {
        const struct dna_conn_event *e = crew->home_conn->head;

        dna_conn_pop(crew->home_conn);
        if (e->kind == DNA_WIRE_ELEMENT && strcmp(e->node->local, "message") == 0)
            delivered(crew, e->node);
        else if (e->kind == DNA_WIRE_EOF)
            crew->failure = "the user's connection to the server has ended";
    }
    run->transcript.len = 0;
}

static void on_home_end(struct dna_case_run *run, struct dna_result *result, void *arg)
{
    struct dna_crew *crew = arg;

    (void)run;
    crew->failure = dna_pool_printf(crew->pool, "the user cannot log in: %s",
                                    result->message ? result->message : "");
    dna_pool_free(result->pool);
    free(result);
    event_base_loopbreak(crew->context.base);
}

#define HEAD(cast, begin) \
    "claim   A session of a learner.\nlevel   must\nrole    receiving\nreq     R6120_10_1_1\n" \
    "impact  None.\nrev     1\n" cast "given:\n" begin "\nthen:\n"

#define DOMAINS "domain  a c\n"
#define PEERS "peer    A $a cert=none\npeer    C $c cert=none\n"

/* A certificate costs each session some time. */
static bool wants_both(const struct dna_crew *crew)
{
    for (size_t i = 0; i < crew->seer->num_inputs; i++)
        if (strcmp(crew->seer->inputs[i]->name, "tls d1+d2") == 0)
            return true;
    return false;
}

static struct dna_scn *parse(struct dna_crew *crew, const char *name, const char *text)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_scn *scn = dna_scn_parse(name, text, NULL, &diags);

    if (!scn)
        crew->failure = dna_pool_printf(crew->pool, "%s", diags.text.at);
    dna_buf_free(&diags.text);
    return scn;
}

bool dna_crew_begin(struct dna_crew *crew)
{
    const char *variant = dna_iut_variant(crew->iut)->name;

    crew->pool = dna_pool_new();
    snprintf(crew->home_id, sizeof(crew->home_id), "learn/home/user");
    snprintf(crew->session_id, sizeof(crew->session_id), "learn/session/peer");
    crew->home_scn = parse(crew, "learn/home_user.scn",
                           HEAD("client  U juliet\n", "U < <presence/>") "U > <presence/>\n");
    crew->session_scn =
        parse(crew, "learn/session_peer.scn",
              wants_both(crew)
                  ? HEAD(DOMAINS "cert    Both dns=$a,$c\n" PEERS, "A.in connect") "A.in > eof\n"
                  : HEAD(DOMAINS PEERS, "A.in connect") "A.in > eof\n");
    if (!crew->home_scn || !crew->session_scn)
        return false;
    crew->home_case = (struct dna_case){
        .scn = crew->home_scn, .role = "receiving", .variant = variant, .id = crew->home_id
    };
    crew->session_case = (struct dna_case){
        .scn = crew->session_scn, .role = "receiving", .variant = variant, .id = crew->session_id
    };
    crew->tick = event_new(crew->context.base, -1, 0, on_tick, crew);
    crew->home = dna_case_run_new(&crew->context, &crew->home_case, crew->iut, ++crew->numbers,
                                  on_home_end, crew);
    crew->home->owner = crew;
    crew->home->driver = drive_home;
    dna_case_run_start(crew->home);
    return !crew->failure;
}

void dna_crew_end(struct dna_crew *crew)
{
    while (crew->sessions) {
        struct dna_session *s = crew->sessions;

        crew->sessions = s->next;
        s->next = crew->dead;
        crew->dead = s;
    }
    if (crew->tick) {
        on_tick(-1, 0, crew);
        event_free(crew->tick);
    }
    dna_case_run_free(crew->home);
    dna_scn_free(crew->home_scn);
    dna_scn_free(crew->session_scn);
    if (crew->pool)
        dna_pool_free(crew->pool);
    crew->pool = NULL;
    crew->tick = NULL;
    crew->home = NULL;
}
