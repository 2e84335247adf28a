/* SPDX-License-Identifier: MIT */
/* test_xml: what the stream parser tells, whatever the size of the pieces it gets; what it refuses,
 * and why; what comes out when a stanza is written for another stream. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"
#include "impl/xml.h"

struct seen {
    struct dna_buf log;
    struct dna_xml_parser *parser;
    bool free_at_element;
};

static void on_header(void *arg, const struct dna_xml_node *h)
{
    struct seen *s = arg;
    const char *to = dna_xml_get(h, "to");
    dna_buf_printf(&s->log, "[header %s ns=%s to=%s%s]", h->name, dna_xml_default_ns(h),
                   to ? to : "-", dna_xml_declares(h, "db", DNA_NS_DIALBACK) ? " db" : "");
}

static void on_element(void *arg, const struct dna_xml_node *e)
{
    struct seen *s = arg;
    dna_buf_puts(&s->log, "[");
    dna_xml_write(&s->log, e, DNA_NS_SERVER, DNA_NS_CLIENT, NULL);
    dna_buf_puts(&s->log, "]");
    if (s->free_at_element) {
        dna_xml_free(s->parser);
        s->parser = NULL;
    }
}

static void on_end(void *arg)
{
    dna_buf_puts(&((struct seen *)arg)->log, "[end]");
}

static void on_error(void *arg, enum dna_xml_error why)
{
    dna_buf_printf(&((struct seen *)arg)->log, "[%s]", dna_xml_error_condition(why));
}

static const struct dna_xml_handler handler = { on_header, on_element, on_end, on_error };

static char *run_limited(const char *text, size_t len, size_t step, size_t limit)
{
    struct seen s = { DNA_BUF_INIT, NULL, false };
    s.parser = dna_xml_new(&handler, &s, limit);
    dna_buf_puts(&s.log, "");
    for (size_t at = 0; at < len;) {
        size_t give = len - at < step ? len - at : step;
        size_t took = dna_xml_feed(s.parser, text + at, give);
        if (!took)
            break;
        at += took;
    }
    dna_xml_free(s.parser);
    return s.log.at;
}

static void expect_at(const char *text, size_t len, const char *want, int line)
{
    static const size_t steps[] = { 1, 2, 3, 7, 100000 };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char *got = run_limited(text, len, steps[i], 20000);
        if (strcmp(got, want) != 0)
            printf("line %d, step %zu:\n  got  %s\n  want %s\n", line, steps[i], got, want);
        CU_ASSERT_STRING_EQUAL(got, want);
        free(got);
    }
}
#define EXPECT(text, want) expect_at(text, strlen(text), want, __LINE__)

#define HEADER                                                                                     \
    "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "        \
    "xmlns:db='jabber:server:dialback' to='b.example' from='a.example' version='1.0'>"
#define SAW "[header stream ns=jabber:server to=b.example db]"

static void test_events(void)
{
    EXPECT(HEADER, SAW);
    EXPECT("<?xml version='1.0'?>" HEADER "</stream:stream>", SAW "[end]");
    EXPECT("<?xml version='1.0' encoding='utf-8'?>\n" HEADER " \n </stream:stream>", SAW "[end]");
    EXPECT("\xef\xbb\xbf" HEADER "</stream:stream>", SAW "[end]");
    EXPECT(HEADER
           "<message to='x'><body>a&amp;b &#65; \xc3\xa4</body></message> <iq/></stream:stream>",
           SAW "[<message to='x'><body>a&amp;b A \xc3\xa4</body></message>][<iq/>][end]");
    EXPECT(HEADER "<message><body><![CDATA[a>b<c]]></body></message>",
           SAW "[<message><body>a&gt;b&lt;c</body></message>]");
    EXPECT(HEADER "<message a='x>y'/>", SAW "[<message a='x&gt;y'/>]");
    EXPECT("<a/>", "[header a ns= to=-][end]");
    EXPECT("<a><b/><c></c></a>", "[header a ns= to=-][<b xmlns=''/>][<c xmlns=''/>][end]");
    EXPECT("<a><b><c>x</c></b", "[header a ns= to=-]");
}

static void test_namespaces(void)
{
    EXPECT(HEADER "<db:result>k</db:result>",
           SAW "[<db:result xmlns:db='jabber:server:dialback'>k</db:result>]");
    EXPECT(HEADER "<result xmlns='jabber:server:dialback'/>",
           SAW "[<result xmlns='jabber:server:dialback'/>]");
    EXPECT(HEADER "<s:message xmlns:s='jabber:server'><s:body/></s:message>",
           SAW "[<s:message xmlns:s='jabber:client'><s:body/></s:message>]");
    EXPECT(HEADER "<message><x xmlns='urn:x'><y xmlns=''/></x></message>",
           SAW "[<message><x xmlns='urn:x'><y xmlns=''/></x></message>]");
    EXPECT(HEADER "<message xml:lang='de' p:a='1' xmlns:p='urn:p'/>",
           SAW "[<message xmlns:p='urn:p' xml:lang='de' p:a='1'/>]");
    EXPECT(HEADER "<message><x xmlns='urn:x' xmlns:q='urn:q' t='q:name'/></message>",
           SAW "[<message><x xmlns='urn:x' xmlns:q='urn:q' t='q:name'/></message>]");
    EXPECT("<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' "
           "xmlns:z='urn:z'><message><z:y/></message>",
           "[header stream ns=jabber:server to=-][<message xmlns:z='urn:z'><z:y/></message>]");
}

static void test_restricted(void)
{
    EXPECT(HEADER "<!-- c -->", SAW "[restricted-xml]");
    EXPECT(HEADER "<message><!-- c --></message>", SAW "[restricted-xml]");
    EXPECT(HEADER "<?pi x?>", SAW "[restricted-xml]");
    EXPECT("<?pi x?>" HEADER, "[restricted-xml]");
    EXPECT("<!DOCTYPE s [<!ENTITY a 'b'>]>" HEADER, "[restricted-xml]");
    EXPECT("<!DOCTYPE s>" HEADER, "[restricted-xml]");
    EXPECT(HEADER "<message>&foo;</message>", SAW "[restricted-xml]");
    EXPECT(HEADER "<message a='&foo;'/>", SAW "[restricted-xml]");
}

static void test_ill_formed(void)
{
    EXPECT(HEADER "<message></iq>", SAW "[not-well-formed]");
    EXPECT(HEADER "<message a='1' a='2'/>", SAW "[not-well-formed]");
    EXPECT(HEADER "<p:message/>", SAW "[not-well-formed]");
    EXPECT(HEADER "<message p:a='1'/>", SAW "[not-well-formed]");
    EXPECT(HEADER "<message>\xff</message>", SAW "[not-well-formed]");
    EXPECT(HEADER "<message>&#0;</message>", SAW "[not-well-formed]");
    EXPECT(HEADER "</stream:stream>", SAW "[end]");
    EXPECT(HEADER "</wrong>", SAW "[not-well-formed]");
    EXPECT(HEADER "text<message/>", SAW "[bad-format]");
    EXPECT("hello there", "[not-well-formed]");
    EXPECT("<?xml version='1.0' encoding='ISO-8859-1'?>" HEADER, "[unsupported-encoding]");
    EXPECT("<?xml version='1.0' encoding='UTF-16'?>" HEADER, "[unsupported-encoding]");
    EXPECT("<?xml version='1.0' encoding='x-nothing'?>" HEADER, "[unsupported-encoding]");
    expect_at("\xff\xfe<\0a\0", 6, "[unsupported-encoding]", __LINE__);
}

static void test_limits(void)
{
    struct dna_buf b = DNA_BUF_INIT;
    dna_buf_puts(&b, HEADER);
    size_t at = b.len;
    dna_buf_puts(&b, "<message><body>");
    while (b.len - at < 20100)
        dna_buf_puts(&b, "0123456789");
    dna_buf_puts(&b, "</body></message>");
    expect_at(b.at, b.len, SAW "[policy-violation]", __LINE__);
    b.len = at;
    dna_buf_puts(&b, "<message a='");
    while (b.len - at < 20100)
        dna_buf_puts(&b, "0123456789");
    dna_buf_puts(&b, "'/>");
    expect_at(b.at, b.len, SAW "[policy-violation]", __LINE__);
    b.len = at;
    dna_buf_puts(&b, HEADER);
    b.len = at;
    for (int i = 0; i < 70; i++)
        dna_buf_puts(&b, "<a>");
    expect_at(b.at, b.len, SAW "[policy-violation]", __LINE__);
    b.len = at;
    for (int i = 0; i < 30000; i++)
        dna_buf_puts(&b, " ");
    dna_buf_puts(&b, "<iq/>");
    expect_at(b.at, b.len, SAW "[<iq/>]", __LINE__);
    b.len = at;
    for (int i = 0; i < 3000; i++)
        dna_buf_puts(&b, "<iq/>\n");
    char *got = run_limited(b.at, b.len, 4096, 10000);
    CU_ASSERT_EQUAL(strlen(got), strlen(SAW) + 3000 * 7);
    free(got);
    b.len = at;
    for (int i = 0; i < 60000; i++)
        dna_buf_printf(&b, "<n%d-and-a-long-name/>", i);
    got = run_limited(b.at, b.len, 4096, 10000);
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "[policy-violation]"));
    free(got);
    dna_buf_cleanup(&b);
}

static void test_stops_behind_event(void)
{
    struct seen s = { DNA_BUF_INIT, NULL, true };
    static const char text[] = HEADER "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><evil/>";
    s.parser = dna_xml_new(&handler, &s, 20000);
    size_t at = 0;
    while (s.parser)
        at += dna_xml_feed(s.parser, text + at, sizeof text - 1 - at);
    CU_ASSERT_STRING_EQUAL(text + at, "<evil/>");
    CU_ASSERT_PTR_NULL(strstr(s.log.at, "evil"));
    dna_buf_cleanup(&s.log);
}

static void overridden(void *arg, const struct dna_xml_node *root)
{
    const struct dna_xml_override o[] = { { "from", "a@b/c" }, { "id", NULL }, { NULL, NULL } };
    dna_xml_write(arg, root, DNA_NS_CLIENT, DNA_NS_SERVER, o);
}

static void test_override(void)
{
    struct dna_buf b = DNA_BUF_INIT;
    const char *t =
        "<message xmlns='jabber:client' from='x' id='1' to='y'><body>&#10;'</body></message>";
    CU_ASSERT_EQUAL(dna_xml_parse_text(t, strlen(t), overridden, &b), DNA_XML_OK);
    CU_ASSERT_STRING_EQUAL(b.at, "<message to='y' from='a@b/c'><body>\n&apos;</body></message>");
    dna_buf_cleanup(&b);
    CU_ASSERT_EQUAL(dna_xml_parse_text("<a>", 3, overridden, &b), DNA_XML_NOT_WELL_FORMED);
    CU_ASSERT_EQUAL(dna_xml_parse_text("<!DOCTYPE a><a/>", 16, overridden, &b), DNA_XML_RESTRICTED);
    dna_buf_cleanup(&b);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("xml", NULL, NULL);
    CU_add_test(s, "header, elements and end whatever the pieces", test_events);
    CU_add_test(s, "namespaces survive a change of streams", test_namespaces);
    CU_add_test(s, "restricted XML is refused", test_restricted);
    CU_add_test(s, "ill-formed XML is refused", test_ill_formed);
    CU_add_test(s, "limits hold", test_limits);
    CU_add_test(s, "feeding stops behind the event", test_stops_behind_event);
    CU_add_test(s, "attributes are replaced while writing", test_override);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
