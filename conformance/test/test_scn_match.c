/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Literals as they go over the wire, patterns against what came from it,
 * variables, and the stream parser on whole and broken input.
 */
#include "conformance/case_run.h"

#include <stdlib.h>
#include <string.h>

#include "conformance/test/cu_main.h"

static struct dna_pool *pool;
static struct dna_binds vars;

static struct dna_xnode *parse(const char *text)
{
    const char *error = NULL;
    struct dna_xnode *node = dna_xnode_parse(pool, &text, NULL, &error);

    if (!node)
        printf("\n%s at '%s'\n", error, text);
    return node;
}

static void begin(void)
{
    pool = dna_pool_new();
    dna_binds_init(&vars, pool);
    dna_binds_set(&vars, "a", "a.example");
}

static void end(void)
{
    dna_binds_cleanup(&vars);
    dna_pool_free(pool);
}

static void check_write(const char *literal, const char *wanted)
{
    struct dna_buf out = { 0 };

    dna_xnode_write(&out, parse(literal), "jabber:server", &vars, NULL);
    CU_ASSERT_STRING_EQUAL(out.at, wanted);
    if (strcmp(out.at, wanted) != 0)
        printf("\nwanted %s\ngot    %s\n", wanted, out.at);
    dna_buf_free(&out);
}

static void literals_are_written_as_servers_write_them(void)
{
    begin();
    check_write("<db:result from='$a'>k&amp;y</db:result>",
                "<db:result from='a.example'>k&amp;y</db:result>");
    check_write("<tls:starttls/>", "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    check_write("<iq type='get'><ping:ping/></iq>",
                "<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>");
    check_write("<db:result type='error'><error type='cancel'><stz:item-not-found/></error>"
                "</db:result>",
                "<db:result type='error'><error type='cancel'><item-not-found "
                "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>");
    check_write("<stream:features><dbf:dialback><dbf:errors/></dbf:dialback></stream:features>",
                "<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/>"
                "</dialback></stream:features>");
    check_write("<x xmlns='urn:x'><y/></x>", "<x xmlns='urn:x'><y/></x>");
    check_write("<m b='$'>${a}b</m>", "<m b='$'>a.exampleb</m>");
    end();
}

static void headers_get_their_defaults(void)
{
    begin();
    check_write("<stream:stream to='$a'>",
                "<stream:stream to='a.example' xmlns='jabber:server' "
                "xmlns:stream='http://etherx.jabber.org/streams' "
                "xmlns:db='jabber:server:dialback' version='1.0' xml:lang='en'>");
    check_write("<stream:stream -version -xml:lang -xmlns:db xmlns='x'>",
                "<stream:stream xmlns='x' xmlns:stream='http://etherx.jabber.org/streams'>");
    end();
}

static bool matches(const char *pattern, const char *got)
{
    return dna_xnode_match(parse(pattern), parse(got), "jabber:server", &vars, NULL);
}

/* what libxml2 would have given: namespaces filled in */
static struct dna_xnode *received(const char *text)
{
    const char *error;

    return dna_xnode_parse(pool, &text, "jabber:server", &error);
}

static bool fits(const char *pattern, const char *got)
{
    return dna_xnode_match(parse(pattern), received(got), "jabber:server", &vars, NULL);
}

static void patterns_name_only_what_must_match(void)
{
    begin();
    CU_ASSERT(fits("<message id='m1'/>", "<message id='m1' to='x'><body>hi</body></message>"));
    CU_ASSERT(fits("<message/>", "<message/>"));
    CU_ASSERT(!fits("<message id='m1'/>", "<message id='m2'/>"));
    CU_ASSERT(!fits("<message id='m1'/>", "<message/>"));
    CU_ASSERT(!fits("<message/>", "<message xmlns='jabber:client'/>"));
    CU_ASSERT(!fits("<message/>", "<iq/>"));
    CU_ASSERT(fits("<*/>", "<sasl:success/>"));
    CU_ASSERT(fits("<message id='*'/>", "<message id='anything'/>"));
    CU_ASSERT(!fits("<message id='*'/>", "<message/>"));
    CU_ASSERT(fits("<message -id/>", "<message/>"));
    CU_ASSERT(!fits("<message -id/>", "<message id=''/>"));
    end();
}

static void alternatives_and_negations(void)
{
    begin();
    CU_ASSERT(fits("<db:result type='valid|invalid'/>", "<db:result type='invalid'/>"));
    CU_ASSERT(!fits("<db:result type='valid|invalid'/>", "<db:result type='error'/>"));
    CU_ASSERT(!fits("<db:result from='!$a'/>", "<db:result from='a.example'/>"));
    CU_ASSERT(fits("<db:result from='!$a'/>", "<db:result from='b.example'/>"));
    CU_ASSERT(!fits("<db:result from='!$a'/>", "<db:result/>"));
    end();
}

static void children_are_a_set(void)
{
    begin();
    CU_ASSERT(fits("<stream:features><dbf:dialback/></stream:features>",
                   "<stream:features><tls:starttls/><dbf:dialback><dbf:errors/></dbf:dialback>"
                   "</stream:features>"));
    CU_ASSERT(!fits("<stream:features><dbf:dialback><dbf:errors/></dbf:dialback></stream:features>",
                    "<stream:features><dbf:dialback/></stream:features>"));
    CU_ASSERT(fits("<stream:features>-<sasl:mechanisms/></stream:features>",
                   "<stream:features><tls:starttls/></stream:features>"));
    CU_ASSERT(!fits("<stream:features>-<sasl:mechanisms/></stream:features>",
                    "<stream:features><sasl:mechanisms/></stream:features>"));
    CU_ASSERT(fits("<stream:features><sasl:mechanisms><sasl:mechanism>EXTERNAL</sasl:mechanism>"
                   "</sasl:mechanisms></stream:features>",
                   "<stream:features><sasl:mechanisms><sasl:mechanism>PLAIN</sasl:mechanism>"
                   "<sasl:mechanism>\n EXTERNAL </sasl:mechanism></sasl:mechanisms>"
                   "</stream:features>"));
    end();
}

static void variables_bind_at_first_sight(void)
{
    begin();
    CU_ASSERT(fits("<db:verify id='$id'>$key</db:verify>", "<db:verify id='7'> k </db:verify>"));
    CU_ASSERT_STRING_EQUAL(dna_binds_get(&vars, "id"), "7");
    CU_ASSERT_STRING_EQUAL(dna_binds_get(&vars, "key"), "k");
    CU_ASSERT(fits("<db:verify id='$id'/>", "<db:verify id='7'/>"));
    CU_ASSERT(!fits("<db:verify id='$id'/>", "<db:verify id='8'/>"));
    CU_ASSERT(fits("<m a='x$id'/>", "<m a='x7'/>"));
    end();
}

static void a_failed_match_binds_nothing(void)
{
    begin();
    CU_ASSERT(!fits("<m one='$one' two='2'/>", "<m one='1' two='3'/>"));
    CU_ASSERT_PTR_NULL(dna_binds_get(&vars, "one"));
    CU_ASSERT(fits("<m><c a='$v' b='2'/></m>", "<m><c a='1' b='1'/><c a='9' b='2'/></m>"));
    CU_ASSERT_STRING_EQUAL(dna_binds_get(&vars, "v"), "9");
    CU_ASSERT(!matches("<m>-<c a='$w'/></m>", "<m><c a='1'/></m>"));
    CU_ASSERT_PTR_NULL(dna_binds_get(&vars, "w"));
    end();
}

/* ---- the wire's parser ---- */

static struct dna_buf seen;

static void on_xml(enum dna_wire_kind kind, struct dna_xnode *node, const char *note, void *arg)
{
    static const char *const words[] = { [DNA_WIRE_HEADER] = "header", [DNA_WIRE_CLOSE] = "close",
                                         [DNA_WIRE_BAD_XML] = "bad", [DNA_WIRE_ELEMENT] = "" };

    (void)arg;
    (void)note;
    dna_buf_printf(&seen, "%s%s ", words[kind],
                   kind == DNA_WIRE_ELEMENT ? node->local : "");
}

static void check_wire(const char *bytes, size_t step, const char *wanted)
{
    struct dna_wire_xml *x = dna_wire_xml_new(pool, on_xml, NULL);

    for (size_t at = 0, len = strlen(bytes); at < len; at += step)
        if (!dna_wire_xml_feed(x, bytes + at, len - at < step ? len - at : step))
            break;
    CU_ASSERT_STRING_EQUAL(seen.at ? seen.at : "", wanted);
    if (strcmp(seen.at ? seen.at : "", wanted) != 0)
        printf("\nwanted %s\ngot    %s\n", wanted, seen.at);
    dna_buf_free(&seen);
    dna_wire_xml_free(x);
}

#define HEADER "<?xml version='1.0'?><stream:stream xmlns='jabber:server' " \
               "xmlns:stream='http://etherx.jabber.org/streams'>"

static void streams_are_parsed_in_any_pieces(void)
{
    static const size_t steps[] = { 1, 2, 7, 1000 };

    begin();
    for (size_t i = 0; i < 4; i++) {
        check_wire(HEADER "<a/><b><c>x</c></b></stream:stream>", steps[i], "header a b close ");
        check_wire(HEADER "<success/>" , steps[i], "header success ");
        check_wire(HEADER "<a><!-- no --></a>", steps[i], "header bad ");
        check_wire(HEADER "<a></b>", steps[i], "header bad ");
        check_wire(HEADER "<u:a/>", steps[i], "header bad ");
        check_wire("HTTP/1.1 400 Bad Request\r\n", steps[i], "bad ");
    }
    end();
}

static void a_new_header_begins_a_new_document(void)
{
    struct dna_wire_xml *x;

    begin();
    x = dna_wire_xml_new(pool, on_xml, NULL);
    CU_ASSERT(dna_wire_xml_feed(x, HEADER "<auth/>", strlen(HEADER "<auth/>")));
    CU_ASSERT(dna_wire_xml_feed(x, "<?x", 3));
    CU_ASSERT(dna_wire_xml_feed(x, &HEADER[3], strlen(HEADER) - 3));
    CU_ASSERT(dna_wire_xml_feed(x, "<a/>", 4));
    CU_ASSERT_STRING_EQUAL(seen.at, "header auth header a ");
    dna_buf_free(&seen);
    dna_wire_xml_free(x);
    end();
}

/* the example of XEP-0185 */
static void dialback_keys_are_those_of_xep_0185(void)
{
    begin();
    CU_ASSERT_STRING_EQUAL(dna_dialback_key(pool, "s3cr3tf0rd14lb4ck", "xmpp.example.com",
                                            "example.org", "D60000229F"),
                           "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643");
    end();
}

int main(void)
{
    static CU_TestInfo tests[] = {
        { "literals are written as servers write them",
          literals_are_written_as_servers_write_them },
        { "headers get their defaults", headers_get_their_defaults },
        { "patterns name only what must match", patterns_name_only_what_must_match },
        { "alternatives and negations", alternatives_and_negations },
        { "children are a set", children_are_a_set },
        { "variables bind at first sight", variables_bind_at_first_sight },
        { "a failed match binds nothing", a_failed_match_binds_nothing },
        { "streams are parsed in any pieces", streams_are_parsed_in_any_pieces },
        { "a new header begins a new document", a_new_header_begins_a_new_document },
        { "dialback keys are those of XEP-0185", dialback_keys_are_those_of_xep_0185 },
        CU_TEST_INFO_NULL,
    };

    return cu_main("patterns", tests);
}
