/* SPDX-License-Identifier: MIT */
/* Tests of the lab's CA: what certificates say of those below them, and shapes that are rare. */
#include "conformance/test/lab_test_ca.h"

static void worth_below(const char *issuer, const char *leaf, int expected)
{
    struct dna_cert *above = mint(issuer), *cert;

    known[0] = (struct named){ "above", above };
    cert = mint(leaf);
    CU_ASSERT_EQUAL(worth(cert), expected);
    if (worth(cert) != expected)
        printf("\n    %s, %s: %s\n", issuer, leaf, X509_verify_cert_error_string(worth(cert)));
    dna_cert_unref(above);
    dna_cert_unref(cert);
    memset(known, 0, sizeof known);
}

static void constraints_are_as_written(void)
{
    static const char *const a = "dns=x.a.example issuer=above";
    static const char *const middle = "cn=middle ca=true issuer=above";
    struct dna_cert *top = mint("cn=top ca=true pathlen=0"), *middle_cert, *cert;

    worth_below("cn=m ca=true permitted=a.example", a, X509_V_OK);
    worth_below("cn=m ca=true permitted=b.example", a, X509_V_ERR_PERMITTED_VIOLATION);
    worth_below("cn=m ca=true permitted=b.example,a.example", a, X509_V_OK);
    worth_below("cn=m ca=true excluded=a.example", a, X509_V_ERR_EXCLUDED_VIOLATION);
    worth_below("cn=m ca=true excluded=b.example", a, X509_V_OK);
    worth_below("cn=m ca=true keyusage=digitalSignature", a, X509_V_ERR_INVALID_CA);
    worth_below("cn=m ca=true keyusage=none", a, X509_V_OK);
    worth_below("cn=m ca=true pathlen=0", a, X509_V_OK);
    worth_below("cn=m ca=absent", a, X509_V_ERR_INVALID_CA);
    worth_below("cn=m ca=true version=1", a, X509_V_ERR_INVALID_CA);
    worth_below("cn=m ca=true permitted=b.example constraints=optional", a,
                X509_V_ERR_PERMITTED_VIOLATION);
    worth_below("cn=m ca=true permitted=a.example constraints=minimum", a,
                X509_V_ERR_SUBTREE_MINMAX);
    worth_below("cn=m ca=true permitted=dir:O=good", "dns=a.example o=good issuer=above",
                X509_V_OK);
    worth_below("cn=m ca=true permitted=dir:O=good", "dns=a.example o=bad issuer=above",
                X509_V_ERR_PERMITTED_VIOLATION);
    worth_below("cn=m ca=true excluded=dir:O=bad", "dns=a.example dir=O=bad issuer=above",
                X509_V_ERR_EXCLUDED_VIOLATION);
    /* OpenSSL knows the form, but not how it is compared: it meets no other name with it. */
    worth_below("cn=m ca=true permitted=srv:_xmpp-server.a.example", a, X509_V_OK);
    worth_below("cn=m ca=true permitted=srv:_xmpp-server.a.example", "srv=a.example issuer=above",
                X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE);
    worth_below("cn=m ca=true key=rsa", "dns=a.example signature=md5 issuer=above", X509_V_OK);
    known[0] = (struct named){ "above", top };
    middle_cert = mint(middle);
    known[1] = (struct named){ "middle", middle_cert };
    cert = mint("dns=a.example issuer=middle");
    CU_ASSERT_EQUAL(worth(cert), X509_V_ERR_PATH_LENGTH_EXCEEDED);
    dna_cert_unref(top);
    dna_cert_unref(middle_cert);
    dna_cert_unref(cert);
    memset(known, 0, sizeof known);
}

static const char lab_policy[] = "1.3.6.1.4.1.99999.1";

/* what a path is worth to a verifier that processes policies (RFC 5280 6.1) */
static int policy_worth(const char *issuer, const char *leaf)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    struct dna_cert *above = mint(issuer), *cert;
    int error;

    known[0] = (struct named){ "above", above };
    cert = mint(leaf);
    X509_STORE_add_cert(store, dna_ca_root(ca));
    X509_STORE_CTX_init(context, store, cert->x509, cert->chain);
    X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(context), X509_V_FLAG_POLICY_CHECK);
    X509_VERIFY_PARAM_add0_policy(X509_STORE_CTX_get0_param(context), OBJ_nid2obj(NID_any_policy));
    error = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    dna_cert_unref(above);
    dna_cert_unref(cert);
    memset(known, 0, sizeof known);
    return error;
}

static void policies_are_as_written(void)
{
    char issuer[128], leaf[128];
    struct dna_cert *cert;

    snprintf(issuer, sizeof issuer, "cn=m ca=true policies=%s policy-constraints=explicit",
             lab_policy);
    snprintf(leaf, sizeof leaf, "dns=a.example issuer=above policies=%s,critical", lab_policy);
    CU_ASSERT_EQUAL(policy_worth(issuer, leaf), X509_V_OK);
    CU_ASSERT_EQUAL(policy_worth(issuer, "dns=a.example issuer=above"),
                    X509_V_ERR_NO_EXPLICIT_POLICY);
    CU_ASSERT_EQUAL(policy_worth("cn=m ca=true policies=1.2.3 policy-constraints=no-mapping",
                                 "dns=a.example issuer=above"), X509_V_OK);
    cert = mint(strstr(leaf, "policies"));
    CU_ASSERT_EQUAL(X509_EXTENSION_get_critical(X509_get_ext(
                        cert->x509, X509_get_ext_by_NID(cert->x509, NID_certificate_policies, -1))),
                    1);
    dna_cert_unref(cert);
}

/* who is verified by the bounded root, which OpenSSL takes at its word about itself */
static void rare_shapes_are_as_written(void)
{
    struct dna_cert *below = mint("dns=a.example issuer=bounded"),
                    *free_of = mint("dns=a.test issuer=bounded"),
                    *ever = mint("dns=a.example notafter=never"),
                    *longest = mint("dns=a.example serial=long"),
                    *negative = mint("dns=a.example serial=negative"),
                    *raw = mint("utf8=b\xc3\xbc.example eku=xmpp ou=unit uri=xmpp:a.example"),
                    *asks = mint("dns=a.example ocsp=http://a.example/ crl-at=http://b.example/");
    STACK_OF(OPENSSL_STRING) *responders = X509_get1_ocsp(asks->x509);
    char unit[32];

    CU_ASSERT_EQUAL(verify(below, dna_ca_bounded_root(ca), X509_PURPOSE_SSL_SERVER, 0),
                    X509_V_ERR_EXCLUDED_VIOLATION);
    CU_ASSERT_EQUAL(verify(free_of, dna_ca_bounded_root(ca), X509_PURPOSE_SSL_SERVER, 0),
                    X509_V_OK);
    CU_ASSERT_EQUAL(ASN1_STRING_type(X509_get0_notAfter(ever->x509)), V_ASN1_GENERALIZEDTIME);
    CU_ASSERT_EQUAL(worth(ever), X509_V_OK);
    CU_ASSERT_EQUAL(ASN1_STRING_length(X509_get0_serialNumber(longest->x509)), 20);
    CU_ASSERT_EQUAL(ASN1_STRING_type(X509_get0_serialNumber(negative->x509)), V_ASN1_NEG_INTEGER);
    CU_ASSERT_EQUAL(worth(raw), X509_V_ERR_INVALID_PURPOSE);
    X509_NAME_get_text_by_NID(X509_get_subject_name(raw->x509), NID_organizationalUnitName, unit,
                              sizeof unit);
    CU_ASSERT_STRING_EQUAL(unit, "unit");
    dna_cert_unref(below);
    dna_cert_unref(free_of);
    dna_cert_unref(ever);
    dna_cert_unref(longest);
    dna_cert_unref(negative);
    CU_ASSERT_STRING_EQUAL(sk_OPENSSL_STRING_value(responders, 0), "http://a.example/");
    CU_ASSERT_TRUE(X509_get_ext_by_NID(asks->x509, NID_crl_distribution_points, -1) >= 0);
    X509_email_free(responders);
    dna_cert_unref(raw);
    dna_cert_unref(asks);
}

int main(void)
{
    static const struct lab_test tests[] = {
        { "constraints are as written", constraints_are_as_written },
        { "policies are as written", policies_are_as_written },
        { "rare shapes are as written", rare_shapes_are_as_written },
    };
    int result = lab_test_main("lab.ca.limits", tests, sizeof tests / sizeof tests[0], NULL);

    dna_ca_free(ca);
    return result;
}
