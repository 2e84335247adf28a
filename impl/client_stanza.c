/* SPDX-License-Identifier: MIT */
/* client_stanza.c -- what xdna-client says and hears once it is bound: presence if it waits for
   something, the message, and a ping to its own server, whose answer shows that all before it has
   been taken over. */
#include <stdlib.h>
#include <string.h>

#include "impl/client_internal.h"

static bool is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static void forget(struct dna_client_stanza *s)
{
    if (!s)
        return;
    free(s->text);
    free(s->id);
    free(s);
}

/* Hands one stanza to the tables, which say whether it goes or waits; s passes over to us. */
static void put(struct dna_client *c, struct dna_client_stanza *s)
{
    s->next = NULL;
    c->sending = s;
    dna_client_step(c, c2s_client_E_SEND_STANZA, &(const struct c2s_client_facts){ 0 });
    forget(c->sending); /* no output took it: the stream is over */
    c->sending = NULL;
}

/* text passes over to us. */
static void say(struct dna_client *c, struct dna_buf *text)
{
    struct dna_client_stanza *s = dna_calloc(1, sizeof *s);

    s->text = text->at;
    *text = (struct dna_buf)DNA_BUF_INIT;
    put(c, s);
}

void dna_client_hold(struct dna_client *c)
{
    struct dna_client_stanza **at = &c->held;

    while (*at)
        at = &(*at)->next;
    *at = c->sending;
    c->num_held += c->sending != NULL;
    c->sending = NULL;
}

void dna_client_transmit(struct dna_client *c)
{
    dna_conn_puts(c->conn, c->sending->text);
    if (c->sending->id)
        dna_client_show(c, "message", "sent to %s, id %s", c->options->to, c->sending->id);
    forget(c->sending);
    c->sending = NULL;
}

static void write_message(const struct dna_client *c, struct dna_buf *b, const char *id,
                          const char *text)
{
    dna_buf_puts(b, "<message type='chat'");
    dna_buf_attr(b, "to", c->options->to);
    dna_buf_attr(b, "id", id);
    dna_buf_puts(b, "><body>");
    dna_buf_escape(b, text);
    dna_buf_puts(b, "</body></message>");
}

void dna_client_say_line(struct dna_client *c, const char *text)
{
    struct dna_client_stanza *s = dna_calloc(1, sizeof *s);
    struct dna_buf b = DNA_BUF_INIT, id = DNA_BUF_INIT;

    dna_buf_printf(&id, "%s-%u", c->message_id, ++c->num_lines);
    write_message(c, &b, id.at, text);
    s->text = b.at;
    s->id = id.at;
    dna_client_show(c, "message", "%s is to go to %s", s->id, c->options->to);
    put(c, s);
}

/* From when there is nothing more to say, and a stream to have said it on. */
static void limit_wait(struct dna_client *c)
{
    if (c->no_more && c->bound && c->options->wait_ms)
        dna_client_deadline(c->waiting, c->options->wait_ms);
}

/* What the server answers last shows that it has taken over all that came before. */
void dna_client_no_more(struct dna_client *c)
{
    struct dna_buf b = DNA_BUF_INIT;

    c->no_more = true;
    limit_wait(c);
    dna_buf_printf(&b, "<iq type='get' id='%s'", c->ping_id);
    dna_buf_attr(&b, "to", c->options->jid->domain);
    dna_buf_puts(&b, "><ping xmlns='" DNA_NS_PING "'/></iq>");
    say(c, &b);
}

void dna_client_prepare_stanzas(struct dna_client *c)
{
    const struct dna_client_options *o = c->options;
    struct dna_buf b = DNA_BUF_INIT;

    if (!o->jid->local[0])
        return;
    if (o->expect_id) {
        dna_buf_puts(&b, "<presence/>");
        say(c, &b);
    }
    if (o->lines_fd >= 0)
        return;
    if (o->to) {
        write_message(c, &b, c->message_id, o->message);
        say(c, &b);
    }
    dna_client_no_more(c);
}

void dna_client_release_held(struct dna_client *c)
{
    const struct dna_client_options *o = c->options;
    struct dna_client_stanza *s = c->held;

    c->held = NULL;
    c->num_held = 0;
    if (o->to && o->lines_fd < 0)
        dna_client_show(c, "message", "sent to %s, id %s", o->to, c->message_id);
    while (s) {
        struct dna_client_stanza *next = s->next;
        put(c, s);
        s = next;
    }
    limit_wait(c);
}

static void quit(struct dna_client *c)
{
    dna_client_lines_stop(c);
    event_active(c->quit, EV_TIMEOUT, 0);
}

/* RFC 6120 8.2.3: every get and set is answered. */
static void answer_iq(struct dna_client *c)
{
    const struct dna_xml_node *iq = c->element;
    const char *type = dna_xml_get(iq, "type");
    bool ping = is(type, "get") && dna_xml_child(iq, DNA_NS_PING, "ping");
    struct dna_buf b = DNA_BUF_INIT;

    if (!is(type, "get") && !is(type, "set"))
        return;
    dna_buf_printf(&b, "<iq type='%s'", ping ? "result" : "error");
    dna_buf_attr(&b, "to", dna_xml_get(iq, "from"));
    dna_buf_attr(&b, "id", dna_xml_get(iq, "id"));
    dna_buf_puts(&b, ping ? "/>"
                          : "><error type='cancel'><service-unavailable xmlns='"
                            DNA_NS_STANZA_ERRORS "'/></error></iq>");
    say(c, &b);
}

static void show_iq(struct dna_client *c)
{
    if (!is(dna_xml_get(c->element, "id"), c->ping_id)) {
        answer_iq(c);
        return;
    }
    dna_client_show(c, "server", "has taken over everything that was sent");
    c->taken_over = true;
    if (c->options->wait_ms == 0 || c->heard)
        quit(c);
}

static bool of_a_line(const struct dna_client *c, const char *id)
{
    size_t len = strlen(c->message_id);

    return c->num_lines && id && strncmp(id, c->message_id, len) == 0 && id[len] == '-';
}

static void show_error(struct dna_client *c, const char *from)
{
    const struct dna_xml_node *error = dna_xml_child(c->element, DNA_NS_CLIENT, "error");
    const struct dna_xml_node *why =
        error ? dna_xml_child(error, DNA_NS_STANZA_ERRORS, NULL) : NULL;

    dna_client_show(c, "error", "from %s: %s", from, why ? why->name : "(no condition)");
    if (of_a_line(c, dna_xml_get(c->element, "id"))) {
        dna_client_verdict(c, DNA_CLIENT_REFUSED); /* there may be more to say all the same */
    } else if (is(dna_xml_get(c->element, "id"), c->message_id)) {
        dna_client_verdict(c, DNA_CLIENT_REFUSED);
        quit(c);
    }
}

static void show_message(struct dna_client *c)
{
    const char *id = dna_xml_get(c->element, "id"), *from = dna_xml_get(c->element, "from");
    const char *expected = c->options->expect_id;
    const struct dna_xml_node *body = dna_xml_child(c->element, DNA_NS_CLIENT, "body");
    struct dna_buf text = DNA_BUF_INIT;

    from = from ? from : "our server";
    if (is(dna_xml_get(c->element, "type"), "error")) {
        show_error(c, from);
        return;
    }
    if (body)
        dna_xml_text(body, &text);
    dna_client_show(c, "message", "from %s, id %s: %s", from, id ? id : "(none)",
                    text.len ? text.at : "");
    dna_buf_cleanup(&text);
    if (!expected || (strcmp(expected, "*") != 0 && !is(id, expected)))
        return;
    c->heard = true;
    if (c->options->lines_fd < 0 || c->taken_over) /* else there is more to say */
        quit(c);
}

void dna_client_show_stanza(struct dna_client *c)
{
    if (is(c->element->name, "iq"))
        show_iq(c);
    else if (is(c->element->name, "message"))
        show_message(c);
}

void dna_client_waited(struct dna_client *c)
{
    if (c->options->expect_id && !c->heard) {
        dna_client_show(c, "message", "%s did not come in time", c->options->expect_id);
        dna_client_verdict(c, DNA_CLIENT_REFUSED);
    }
    if (c->options->lines_fd >= 0 && !c->taken_over) {
        dna_client_show(c, "server", "has not taken over everything in time");
        dna_client_verdict(c, DNA_CLIENT_NETWORK);
    }
    quit(c);
}

void dna_client_stanzas_free(struct dna_client *c)
{
    while (c->held) {
        struct dna_client_stanza *s = c->held;
        c->held = s->next;
        forget(s);
    }
}
