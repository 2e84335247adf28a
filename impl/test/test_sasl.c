/* SPDX-License-Identifier: MIT */
/* test_sasl.c -- both ends of PLAIN and SCRAM against each other, and what either must refuse. */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/b64.h"
#include "impl/sasl.h"
#include "impl/scram.h"

static const char *lookup(void *arg, const char *local)
{
    (void)arg;
    if (strcmp(local, "juliet") == 0)
        return "r0m30 & \xc3\xa9t\xc3\xa9";
    if (strcmp(local, "comma,equals=") == 0)
        return "secret";
    return NULL;
}

static const char password[] = "r0m30 & \xc3\xa9t\xc3\xa9";

/* What an exchange came to, seen from both ends. */
struct outcome {
    enum dna_sasl_status server;
    bool client_satisfied;
    unsigned server_steps;
    char local[64];
};

static struct outcome run(enum dna_sasl_mechanism mechanism, const char *user, const char *pass)
{
    struct dna_sasl *server = dna_sasl_server_new(mechanism, "a.example", lookup, NULL);
    struct dna_sasl *client = dna_sasl_client_new(mechanism, user, pass);
    struct dna_buf from_client = DNA_BUF_INIT, from_server = DNA_BUF_INIT;
    struct outcome o = { .server = DNA_SASL_CONTINUE };

    dna_sasl_step(client, NULL, &from_client);
    while (o.server == DNA_SASL_CONTINUE && o.server_steps < 8) {
        dna_buf_reset(&from_server);
        o.server = dna_sasl_step(server, from_client.at ? from_client.at : "", &from_server);
        o.server_steps++;
        if (o.server != DNA_SASL_CONTINUE)
            break;
        dna_buf_reset(&from_client);
        if (dna_sasl_step(client, from_server.at ? from_server.at : "", &from_client) !=
            DNA_SASL_CONTINUE)
            break;
    }
    if (o.server == DNA_SASL_SUCCESS)
        o.client_satisfied = dna_sasl_finish(client, from_server.len ? from_server.at : "");
    snprintf(o.local, sizeof o.local, "%s", dna_sasl_local(server));
    dna_buf_cleanup(&from_client);
    dna_buf_cleanup(&from_server);
    dna_sasl_free(server);
    dna_sasl_free(client);
    return o;
}

static void test_right_password(void)
{
    for (int m = DNA_SASL_PLAIN; m <= DNA_SASL_SCRAM_SHA_256; m++) {
        struct outcome o = run((enum dna_sasl_mechanism)m, "Juliet", password);
        CU_ASSERT_EQUAL(o.server, DNA_SASL_SUCCESS);
        CU_ASSERT(o.client_satisfied);
        CU_ASSERT_STRING_EQUAL(o.local, "juliet");
        o = run((enum dna_sasl_mechanism)m, "comma,equals=", "secret");
        CU_ASSERT_EQUAL(o.server, DNA_SASL_SUCCESS);
        CU_ASSERT_STRING_EQUAL(o.local, "comma,equals=");
    }
}

static void test_wrong_password(void)
{
    for (int m = DNA_SASL_PLAIN; m <= DNA_SASL_SCRAM_SHA_256; m++) {
        struct outcome o = run((enum dna_sasl_mechanism)m, "juliet", "r0m30");
        CU_ASSERT_EQUAL(o.server, DNA_SASL_NOT_AUTHORIZED);
        CU_ASSERT_STRING_EQUAL(o.local, "");
        CU_ASSERT_FALSE(o.client_satisfied);
    }
}

static void test_unknown_user_sees_the_same_exchange(void)
{
    for (int m = DNA_SASL_PLAIN; m <= DNA_SASL_SCRAM_SHA_256; m++) {
        struct outcome known = run((enum dna_sasl_mechanism)m, "juliet", "wrong");
        struct outcome unknown = run((enum dna_sasl_mechanism)m, "tybalt", "wrong");
        CU_ASSERT_EQUAL(unknown.server, known.server);
        CU_ASSERT_EQUAL(unknown.server_steps, known.server_steps);
        unknown = run((enum dna_sasl_mechanism)m, "tybalt", "");
        CU_ASSERT_NOT_EQUAL(unknown.server, DNA_SASL_SUCCESS);
    }
}

static enum dna_sasl_status plain(const char *message, size_t len)
{
    struct dna_sasl *s = dna_sasl_server_new(DNA_SASL_PLAIN, "a.example", lookup, NULL);
    struct dna_buf text = DNA_BUF_INIT, out = DNA_BUF_INIT;
    enum dna_sasl_status status;

    dna_b64_encode(&text, message, len);
    status = dna_sasl_step(s, len ? text.at : "=", &out);
    dna_buf_cleanup(&text);
    dna_buf_cleanup(&out);
    dna_sasl_free(s);
    return status;
}
#define PLAIN(text) plain(text, sizeof text - 1)
#define PW "r0m30 & \xc3\xa9t\xc3\xa9"

static void test_plain_authzid(void)
{
    CU_ASSERT_EQUAL(PLAIN("juliet@a.example\0juliet\0" PW), DNA_SASL_SUCCESS);
    CU_ASSERT_EQUAL(PLAIN("Juliet@A.example\0juliet\0" PW), DNA_SASL_SUCCESS);
    CU_ASSERT_EQUAL(PLAIN("romeo@a.example\0juliet\0" PW), DNA_SASL_INVALID_AUTHZID);
    CU_ASSERT_EQUAL(PLAIN("juliet@b.example\0juliet\0" PW), DNA_SASL_INVALID_AUTHZID);
    CU_ASSERT_EQUAL(PLAIN("juliet@a.example/x\0juliet\0" PW), DNA_SASL_INVALID_AUTHZID);
    CU_ASSERT_EQUAL(PLAIN("a.example\0juliet\0" PW), DNA_SASL_INVALID_AUTHZID);
    CU_ASSERT_EQUAL(PLAIN("@\0juliet\0" PW), DNA_SASL_INVALID_AUTHZID);
    /* who does not know the password learns nothing about identities */
    CU_ASSERT_EQUAL(PLAIN("romeo@a.example\0juliet\0wrong"), DNA_SASL_NOT_AUTHORIZED);
}

static void test_plain_nuls(void)
{
    CU_ASSERT_EQUAL(PLAIN(""), DNA_SASL_MALFORMED_REQUEST);
    CU_ASSERT_EQUAL(PLAIN("\0"), DNA_SASL_MALFORMED_REQUEST);
    CU_ASSERT_EQUAL(PLAIN("\0\0"), DNA_SASL_MALFORMED_REQUEST);
    CU_ASSERT_EQUAL(PLAIN("\0juliet"), DNA_SASL_MALFORMED_REQUEST);
    CU_ASSERT_EQUAL(PLAIN("\0juliet\0"), DNA_SASL_MALFORMED_REQUEST);
    CU_ASSERT_EQUAL(PLAIN("\0\0" PW), DNA_SASL_MALFORMED_REQUEST);
    CU_ASSERT_EQUAL(PLAIN("\0juliet\0" PW "\0"), DNA_SASL_MALFORMED_REQUEST);
    CU_ASSERT_EQUAL(PLAIN("\0juliet\0" PW "\0x"), DNA_SASL_MALFORMED_REQUEST);
    CU_ASSERT_EQUAL(PLAIN("\0juliet\0\xff"), DNA_SASL_MALFORMED_REQUEST);
    CU_ASSERT_EQUAL(PLAIN("\0juliet@a.example\0" PW), DNA_SASL_NOT_AUTHORIZED);
    CU_ASSERT_EQUAL(PLAIN("\0juliet\0" PW), DNA_SASL_SUCCESS);
}

static void test_plain_parts(void)
{
    struct dna_plain p;
    char huge[DNA_JID_PART_MAX + 8];

    CU_ASSERT(dna_plain_parse("a\0b\0c", 5, &p));
    CU_ASSERT_STRING_EQUAL(p.authzid, "a");
    CU_ASSERT_STRING_EQUAL(p.user, "b");
    CU_ASSERT_STRING_EQUAL(p.password, "c");
    memset(huge, 'x', sizeof huge);
    huge[0] = huge[2] = '\0';
    CU_ASSERT_FALSE(dna_plain_parse(huge, sizeof huge, &p));
    CU_ASSERT(dna_plain_parse(huge, DNA_JID_PART_MAX + 3, &p));
}

static enum dna_sasl_status first_step(enum dna_sasl_mechanism m, const char *in)
{
    struct dna_sasl *s = dna_sasl_server_new(m, "a.example", lookup, NULL);
    struct dna_buf out = DNA_BUF_INIT;
    enum dna_sasl_status status = dna_sasl_step(s, in, &out);

    dna_buf_cleanup(&out);
    dna_sasl_free(s);
    return status;
}

static void test_bad_encoding(void)
{
    for (int m = DNA_SASL_PLAIN; m <= DNA_SASL_SCRAM_SHA_256; m++) {
        CU_ASSERT_EQUAL(first_step((enum dna_sasl_mechanism)m, "A"), DNA_SASL_INCORRECT_ENCODING);
        CU_ASSERT_EQUAL(first_step((enum dna_sasl_mechanism)m, "AB=="),
                        DNA_SASL_INCORRECT_ENCODING); /* non-zero pad bits */
        CU_ASSERT_EQUAL(first_step((enum dna_sasl_mechanism)m, "AA AA=="),
                        DNA_SASL_INCORRECT_ENCODING);
        CU_ASSERT_EQUAL(first_step((enum dna_sasl_mechanism)m, "===="),
                        DNA_SASL_INCORRECT_ENCODING);
        CU_ASSERT_EQUAL(first_step((enum dna_sasl_mechanism)m, "="), DNA_SASL_MALFORMED_REQUEST);
        CU_ASSERT_EQUAL(first_step((enum dna_sasl_mechanism)m, ""), DNA_SASL_CONTINUE);
    }
    CU_ASSERT_EQUAL(first_step(DNA_SASL_SCRAM_SHA_1, "eHh4eHh4"), DNA_SASL_MALFORMED_REQUEST);
}

static void test_auth_without_initial_response(void)
{
    struct dna_sasl *s = dna_sasl_server_new(DNA_SASL_PLAIN, "a.example", lookup, NULL);
    struct dna_buf out = DNA_BUF_INIT, text = DNA_BUF_INIT;

    dna_b64_encode(&text, "\0juliet\0" PW, sizeof "\0juliet\0" PW - 1);
    CU_ASSERT_EQUAL(dna_sasl_step(s, "", &out), DNA_SASL_CONTINUE);
    CU_ASSERT_EQUAL(out.len, 0);
    CU_ASSERT_EQUAL(dna_sasl_step(s, text.at, &out), DNA_SASL_SUCCESS);
    CU_ASSERT_EQUAL(dna_sasl_step(s, text.at, &out), DNA_SASL_MALFORMED_REQUEST); /* over */
    CU_ASSERT_STRING_EQUAL(dna_sasl_local(s), "");
    dna_buf_cleanup(&out);
    dna_buf_cleanup(&text);
    dna_sasl_free(s);
}

/* Runs SCRAM up to the server's last message, which the caller may spoil. */
static bool client_accepts(const char *replace_with, bool as_challenge)
{
    struct dna_sasl *server =
        dna_sasl_server_new(DNA_SASL_SCRAM_SHA_256, "a.example", lookup, NULL);
    struct dna_sasl *client = dna_sasl_client_new(DNA_SASL_SCRAM_SHA_256, "juliet", password);
    struct dna_buf c1 = DNA_BUF_INIT, s1 = DNA_BUF_INIT, c2 = DNA_BUF_INIT, s2 = DNA_BUF_INIT;
    struct dna_buf rest = DNA_BUF_INIT;
    const char *last;
    bool accepted;

    dna_sasl_step(client, NULL, &c1);
    CU_ASSERT_EQUAL(dna_sasl_step(server, c1.at, &s1), DNA_SASL_CONTINUE);
    CU_ASSERT_EQUAL(dna_sasl_step(client, s1.at, &c2), DNA_SASL_CONTINUE);
    CU_ASSERT_EQUAL(dna_sasl_step(server, c2.at, &s2), DNA_SASL_SUCCESS);
    last = replace_with ? replace_with : s2.at;
    if (as_challenge) {
        accepted = dna_sasl_step(client, last, &rest) == DNA_SASL_SUCCESS;
        accepted = dna_sasl_finish(client, "") && accepted;
    } else {
        accepted = dna_sasl_finish(client, last);
    }
    dna_buf_cleanup(&c1);
    dna_buf_cleanup(&s1);
    dna_buf_cleanup(&c2);
    dna_buf_cleanup(&s2);
    dna_buf_cleanup(&rest);
    dna_sasl_free(server);
    dna_sasl_free(client);
    return accepted;
}

static void test_client_wants_the_servers_proof(void)
{
    static const char wrong[] = "dj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE9";

    CU_ASSERT(client_accepts(NULL, false));
    CU_ASSERT(client_accepts(NULL, true));
    CU_ASSERT_FALSE(client_accepts("", false)); /* success without a proof */
    CU_ASSERT_FALSE(client_accepts("=", false));
    CU_ASSERT_FALSE(client_accepts(wrong, false));
    CU_ASSERT_FALSE(client_accepts(wrong, true));
}

static void test_client_refuses_success_before_any_exchange(void)
{
    struct dna_sasl *client = dna_sasl_client_new(DNA_SASL_SCRAM_SHA_1, "juliet", password);
    struct dna_buf out = DNA_BUF_INIT;

    dna_sasl_step(client, NULL, &out);
    CU_ASSERT_FALSE(dna_sasl_finish(client, ""));
    dna_sasl_free(client);
    dna_buf_cleanup(&out);
}

static void test_plain_client_answers_no_challenge(void)
{
    struct dna_sasl *client = dna_sasl_client_new(DNA_SASL_PLAIN, "juliet", password);
    struct dna_buf out = DNA_BUF_INIT;

    CU_ASSERT_EQUAL(dna_sasl_step(client, NULL, &out), DNA_SASL_CONTINUE);
    dna_buf_reset(&out);
    CU_ASSERT_EQUAL(dna_sasl_step(client, "", &out), DNA_SASL_NOT_AUTHORIZED);
    CU_ASSERT_EQUAL(out.len, 0);
    dna_sasl_free(client);
    dna_buf_cleanup(&out);
}

static void test_mechanism_names(void)
{
    CU_ASSERT_EQUAL(dna_sasl_mechanism_find("SCRAM-SHA-256"), DNA_SASL_SCRAM_SHA_256);
    CU_ASSERT_EQUAL(dna_sasl_mechanism_find("plain"), DNA_SASL_NONE);
    CU_ASSERT_EQUAL(dna_sasl_mechanism_find("EXTERNAL"), DNA_SASL_NONE);
    CU_ASSERT_EQUAL(dna_sasl_mechanism_find(NULL), DNA_SASL_NONE);
    CU_ASSERT_STRING_EQUAL(dna_sasl_mechanism_name(DNA_SASL_PLAIN), "PLAIN");
    CU_ASSERT_STRING_EQUAL(dna_sasl_condition(DNA_SASL_INVALID_AUTHZID), "invalid-authzid");
}

static void test_nul_inside_scram_is_malformed(void)
{
    struct dna_buf text = DNA_BUF_INIT;
    static const char message[] = "n,,n=juliet,r=abcdefgh\0,x=y";

    dna_b64_encode(&text, message, sizeof message - 1);
    CU_ASSERT_EQUAL(first_step(DNA_SASL_SCRAM_SHA_256, text.at), DNA_SASL_MALFORMED_REQUEST);
    dna_buf_cleanup(&text);
}

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_initialize_registry();
    suite = CU_add_suite("sasl", NULL, NULL);
    CU_add_test(suite, "right password", test_right_password);
    CU_add_test(suite, "wrong password", test_wrong_password);
    CU_add_test(suite, "unknown user sees the same exchange",
                test_unknown_user_sees_the_same_exchange);
    CU_add_test(suite, "PLAIN authzid", test_plain_authzid);
    CU_add_test(suite, "PLAIN NULs", test_plain_nuls);
    CU_add_test(suite, "PLAIN parts", test_plain_parts);
    CU_add_test(suite, "bad encoding", test_bad_encoding);
    CU_add_test(suite, "auth without initial response", test_auth_without_initial_response);
    CU_add_test(suite, "client wants the servers proof", test_client_wants_the_servers_proof);
    CU_add_test(suite, "client refuses success before any exchange",
                test_client_refuses_success_before_any_exchange);
    CU_add_test(suite, "PLAIN client answers no challenge",
                test_plain_client_answers_no_challenge);
    CU_add_test(suite, "mechanism names", test_mechanism_names);
    CU_add_test(suite, "NUL inside SCRAM is malformed", test_nul_inside_scram_is_malformed);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
