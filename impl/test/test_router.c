/* SPDX-License-Identifier: MIT */
/* test_router: where a stanza goes by its address, and what comes back when it can't; and the hash
 * table that the lookups rest on. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/hash.h"
#include "impl/router.h"

static struct dna_router *router;
static struct dna_buf juliet, nurse, away;

static void deliver(void *arg, const char *text, size_t len)
{
    dna_buf_add(arg, text, len);
}

static void remote(void *arg, const char *from, const char *to, const struct dna_xml_node *stanza,
                   const char *text, size_t len)
{
    (void)stanza;
    dna_buf_printf(arg, "[%s>%s]", from, to);
    dna_buf_add(arg, text, len);
}

static int begin(void)
{
    router = dna_router_new();
    dna_router_host(router, "a.example");
    dna_router_host(router, "b.example");
    dna_router_account(router, "juliet@a.example");
    dna_router_account(router, "nurse@b.example");
    dna_router_set_remote(router, remote, &away);
    bool one = dna_router_register(router, "juliet@a.example/balcony", deliver, &juliet);
    bool two = dna_router_register(router, "nurse@b.example/hall", deliver, &nurse);
    return !(one && two);
}

static int end(void)
{
    dna_router_free(router);
    dna_buf_cleanup(&juliet);
    dna_buf_cleanup(&nurse);
    dna_buf_cleanup(&away);
    return 0;
}

static void route(void *arg, const struct dna_xml_node *stanza)
{
    dna_router_route(router, stanza, DNA_NS_CLIENT, arg);
}

static void send_from(const char *from, const char *text)
{
    char sender[100];
    (void)snprintf(sender, sizeof sender, "%s", from);
    dna_buf_reset(&juliet);
    dna_buf_reset(&nurse);
    dna_buf_reset(&away);
    dna_buf_puts(&juliet, "");
    dna_buf_puts(&nurse, "");
    dna_buf_puts(&away, "");
    CU_ASSERT_EQUAL(dna_xml_parse_text(text, strlen(text), route, sender), DNA_XML_OK);
}

#define FROM "juliet@a.example/balcony"
#define SAY(attrs) send_from(FROM, "<message xmlns='jabber:client' id='1'" attrs "/>")
#define ASK(attrs, child)                                                                          \
    send_from(FROM, "<iq xmlns='jabber:client' id='1'" attrs ">" child "</iq>")
#define ERROR(from, type, condition)                                                               \
    "' id='1' to='" FROM "' from='" from "'><error type='" type "'><" condition                    \
    " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></"

static void test_local(void)
{
    SAY(" to='nurse@b.example/hall' from='forged@x.example'");
    CU_ASSERT_STRING_EQUAL(nurse.at, "<message id='1' to='nurse@b.example/hall' from='" FROM "'/>");
    SAY(" to='Nurse@B.example/hall'");
    CU_ASSERT_TRUE(nurse.len > 0);
    SAY(" to='nurse@b.example/gone'");
    CU_ASSERT_PTR_NOT_NULL(strstr(juliet.at, "service-unavailable"));
    SAY(" to='nurse@b.example'");
    CU_ASSERT_PTR_NOT_NULL(strstr(juliet.at, "service-unavailable"));
    dna_router_available(router, "nurse@b.example/hall", true);
    SAY(" to='nurse@b.example'");
    CU_ASSERT_TRUE(nurse.len > 0);
    CU_ASSERT_STRING_EQUAL(juliet.at, "");
    SAY(" to='nobody@b.example'");
    CU_ASSERT_STRING_EQUAL(juliet.at,
                           "<message type='error" ERROR("nobody@b.example", "cancel",
                                                        "service-unavailable") "message>");
    SAY(" to='nobody@b.example' type='error'");
    CU_ASSERT_STRING_EQUAL(juliet.at, "");
    SAY(" to='@b.example'");
    CU_ASSERT_PTR_NOT_NULL(strstr(juliet.at, "jid-malformed"));
}

static void test_server(void)
{
    ASK(" type='get' to='a.example'", "<ping xmlns='urn:xmpp:ping'/>");
    CU_ASSERT_STRING_EQUAL(juliet.at, "<iq type='result' id='1' to='" FROM "' from='a.example'/>");
    ASK(" type='get'", "<ping xmlns='urn:xmpp:ping'/>");
    CU_ASSERT_STRING_EQUAL(juliet.at,
                           "<iq type='result' id='1' to='" FROM "' from='juliet@a.example'/>");
    ASK(" type='get' to='b.example'", "<query xmlns='http://jabber.org/protocol/disco#info'/>");
    CU_ASSERT_PTR_NOT_NULL(strstr(juliet.at, "<identity category='server'"));
    ASK(" type='set' to='b.example'", "<x xmlns='urn:x'/>");
    CU_ASSERT_PTR_NOT_NULL(strstr(juliet.at, "service-unavailable"));
    ASK(" type='result' to='b.example'", "");
    CU_ASSERT_STRING_EQUAL(juliet.at, "");
}

static void test_remote(void)
{
    SAY(" to='romeo@c.example'");
    CU_ASSERT_STRING_EQUAL(away.at, "[a.example>c.example]<message id='1' to='romeo@c.example' "
                                    "from='" FROM "'/>");
    send_from(FROM, "<message xmlns='jabber:client' to='C.Example'><body xmlns:p='urn:p' p:a='1'>"
                    "x</body></message>");
    CU_ASSERT_PTR_NOT_NULL(strstr(away.at, "[a.example>c.example]<message"));
    CU_ASSERT_PTR_NOT_NULL(strstr(away.at, "<body xmlns:p='urn:p' p:a='1'>x</body>"));
    static const char lost[] = "<iq type='get' id='9' from='" FROM "' to='c.example'><q/></iq>";
    dna_router_bounce(router, lost, sizeof lost - 1, NULL, "remote-server-timeout");
    CU_ASSERT_PTR_NOT_NULL(strstr(juliet.at, "<iq type='error' id='9'"));
    CU_ASSERT_PTR_NOT_NULL(strstr(juliet.at, "<error type='wait'><remote-server-timeout"));
}

static void test_registration(void)
{
    CU_ASSERT_FALSE(dna_router_register(router, FROM, deliver, &juliet));
    CU_ASSERT_FALSE(dna_router_register(router, "stranger@a.example/x", deliver, &juliet));
    CU_ASSERT_FALSE(dna_router_register(router, "juliet@a.example", deliver, &juliet));
    CU_ASSERT_TRUE(dna_router_register(router, "juliet@a.example/2", deliver, &away));
    dna_router_unregister(router, "juliet@a.example/2");
    dna_router_unregister(router, "juliet@a.example/2");
    SAY(" to='juliet@a.example/2'");
    CU_ASSERT_PTR_NOT_NULL(strstr(juliet.at, "service-unavailable"));
}

static void count(void *value, void *arg)
{
    (void)value;
    ++*(size_t *)arg;
}

static void test_hash(void)
{
    struct dna_hash h = { NULL, 0, 0 };
    char key[20];
    int values[1000];
    size_t seen = 0;
    CU_ASSERT_PTR_NULL(dna_hash_get(&h, "x"));
    CU_ASSERT_PTR_NULL(dna_hash_remove(&h, "x"));
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        CU_ASSERT_PTR_NULL(dna_hash_put(&h, key, &values[i]));
    }
    CU_ASSERT_PTR_EQUAL(dna_hash_put(&h, "k7", &values[8]), &values[7]);
    CU_ASSERT_PTR_EQUAL(dna_hash_get(&h, "k7"), &values[8]);
    CU_ASSERT_PTR_EQUAL(dna_hash_get(&h, "k999"), &values[999]);
    CU_ASSERT_PTR_EQUAL(dna_hash_remove(&h, "k500"), &values[500]);
    CU_ASSERT_PTR_NULL(dna_hash_get(&h, "k500"));
    dna_hash_each(&h, count, &seen);
    CU_ASSERT_EQUAL(seen, 999);
    dna_hash_cleanup(&h);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    CU_pSuite s = CU_add_suite("router", begin, end);
    CU_add_test(s, "local delivery", test_local);
    CU_add_test(s, "what the server answers itself", test_server);
    CU_add_test(s, "remote domains", test_remote);
    CU_add_test(s, "registration", test_registration);
    CU_add_test(s, "hash table", test_hash);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() != 0;
    CU_cleanup_registry();
    return failed;
}
