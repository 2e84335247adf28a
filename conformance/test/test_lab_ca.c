/* SPDX-License-Identifier: MIT */
/* Tests of the lab's CA: OpenSSL's own verifier says what the minted certificates are worth. */
#include "conformance/test/lab_test_ca.h"

#include <dirent.h>
#include <sys/stat.h>

#include <openssl/pem.h>

/* has_other looks for an otherName of a type in the subject alternative names. */
static bool has_other(const struct dna_cert *cert, int nid, int string_type, const char *text)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert->x509, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *value;

        if (name->type != GEN_OTHERNAME || OBJ_obj2nid(name->d.otherName->type_id) != nid ||
            name->d.otherName->value->type != string_type)
            continue;
        value = name->d.otherName->value->value.asn1_string;
        if (ASN1_STRING_length(value) == (int)strlen(text) &&
            memcmp(ASN1_STRING_get0_data(value), text, strlen(text)) == 0)
            found = true;
    }
    GENERAL_NAMES_free(names);
    return found;
}

static void names_are_as_written(void)
{
    struct dna_cert *cert = mint("dns=a.example,*.b.example srv=a.example,_xmpp-client.b.example "
                                 "xmpp=a.example ip=127.0.0.1,::1 cn=common.example");
    char subject[256];

    CU_ASSERT_EQUAL(worth(cert), X509_V_OK);
    CU_ASSERT_EQUAL(X509_check_host(cert->x509, "a.example", 0, 0, NULL), 1);
    CU_ASSERT_EQUAL(X509_check_host(cert->x509, "x.b.example", 0, 0, NULL), 1);
    CU_ASSERT_EQUAL(X509_check_host(cert->x509, "b.example", 0, 0, NULL), 0);
    CU_ASSERT_EQUAL(X509_check_ip_asc(cert->x509, "127.0.0.1", 0), 1);
    CU_ASSERT_EQUAL(X509_check_ip_asc(cert->x509, "::1", 0), 1);
    CU_ASSERT_TRUE(has_other(cert, NID_SRVName, V_ASN1_IA5STRING, "_xmpp-server.a.example"));
    CU_ASSERT_TRUE(has_other(cert, NID_SRVName, V_ASN1_IA5STRING, "_xmpp-client.b.example"));
    CU_ASSERT_FALSE(has_other(cert, NID_SRVName, V_ASN1_IA5STRING, "_xmpp-server.b.example"));
    CU_ASSERT_TRUE(has_other(cert, NID_XmppAddr, V_ASN1_UTF8STRING, "a.example"));
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert->x509), NID_commonName, subject,
                              sizeof subject);
    CU_ASSERT_STRING_EQUAL(subject, "common.example");
    dna_cert_unref(cert);
    cert = mint("dns=only.example"); /* no common name that could be taken for another identity */
    CU_ASSERT_EQUAL(X509_NAME_get_index_by_NID(X509_get_subject_name(cert->x509), NID_commonName,
                                               -1),
                    -1);
    dna_cert_unref(cert);
}

static void times_are_as_written(void)
{
    struct dna_cert *good = mint("dns=a.example"), *expired = mint("dns=a.example notafter=-1d"),
                    *early = mint("dns=a.example notbefore=+2h"),
                    *span = mint("dns=a.example notbefore=-10s notafter=+30m");
    time_t now = time(NULL);

    CU_ASSERT_EQUAL(worth(good), X509_V_OK);
    CU_ASSERT_EQUAL(worth(expired), X509_V_ERR_CERT_HAS_EXPIRED);
    CU_ASSERT_EQUAL(worth(early), X509_V_ERR_CERT_NOT_YET_VALID);
    CU_ASSERT_EQUAL(worth(span), X509_V_OK);
    CU_ASSERT_EQUAL(verify(span, dna_ca_root(ca), X509_PURPOSE_SSL_SERVER, now + 31 * 60),
                    X509_V_ERR_CERT_HAS_EXPIRED);
    CU_ASSERT_EQUAL(verify(expired, dna_ca_root(ca), X509_PURPOSE_SSL_SERVER, now - 2 * 86400),
                    X509_V_OK);
    dna_ca_clock(ca, 400LL * 86400); /* the clock of the lab, not of the machine */
    dna_cert_unref(early);
    early = mint("dns=a.example");
    CU_ASSERT_EQUAL(worth(early), X509_V_ERR_CERT_NOT_YET_VALID);
    CU_ASSERT_EQUAL(verify(early, dna_ca_root(ca), X509_PURPOSE_SSL_SERVER, now + 400L * 86400),
                    X509_V_OK);
    dna_ca_clock(ca, 0);
    dna_cert_unref(good);
    dna_cert_unref(expired);
    dna_cert_unref(early);
    dna_cert_unref(span);
}

static void issuers_are_as_written(void)
{
    struct dna_cert *self = mint("dns=a.example issuer=self"),
                    *other = mint("dns=a.example issuer=other"),
                    *middle = mint("cn=middle ca=true"), *below, *leaf = mint("dns=leaf.example"),
                    *child;

    CU_ASSERT_EQUAL(worth(self), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    CU_ASSERT_EQUAL(worth(other), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
    CU_ASSERT_EQUAL(verify(other, dna_ca_other_root(ca), X509_PURPOSE_SSL_SERVER, 0), X509_V_OK);
    CU_ASSERT_EQUAL(X509_NAME_cmp(X509_get_subject_name(dna_ca_root(ca)),
                                  X509_get_subject_name(dna_ca_other_root(ca))),
                    0);
    known[0] = (struct named){ "middle", middle };
    known[1] = (struct named){ "leaf", leaf };
    below = mint("dns=a.example issuer=middle");
    CU_ASSERT_EQUAL(worth(below), X509_V_OK);
    CU_ASSERT_EQUAL(sk_X509_num(below->chain), 1); /* the intermediate, without the root */
    child = mint("dns=a.example issuer=leaf");     /* a leaf may not issue */
    CU_ASSERT_EQUAL(worth(child), X509_V_ERR_INVALID_CA);
    dna_cert_unref(self);
    dna_cert_unref(other);
    dna_cert_unref(middle);
    dna_cert_unref(below);
    dna_cert_unref(leaf);
    dna_cert_unref(child);
    memset(known, 0, sizeof known);
}

static void usages_are_as_written(void)
{
    struct dna_cert *both = mint("dns=a.example"), *server = mint("dns=a.example eku=server"),
                    *client = mint("dns=a.example eku=client"),
                    *none = mint("dns=a.example eku=none"),
                    *listed = mint("dns=a.example eku=server,client"),
                    *bad = mint("dns=a.example signature=bad");
    X509 *root = dna_ca_root(ca);

    CU_ASSERT_EQUAL(X509_get_extension_flags(both->x509) & EXFLAG_CA, 0);
    CU_ASSERT_EQUAL(verify(both, root, X509_PURPOSE_SSL_CLIENT, 0), X509_V_OK);
    CU_ASSERT_EQUAL(verify(both, root, X509_PURPOSE_SSL_SERVER, 0), X509_V_OK);
    CU_ASSERT_EQUAL(verify(listed, root, X509_PURPOSE_SSL_CLIENT, 0), X509_V_OK);
    CU_ASSERT_EQUAL(verify(server, root, X509_PURPOSE_SSL_CLIENT, 0), X509_V_ERR_INVALID_PURPOSE);
    CU_ASSERT_EQUAL(verify(server, root, X509_PURPOSE_SSL_SERVER, 0), X509_V_OK);
    CU_ASSERT_EQUAL(verify(client, root, X509_PURPOSE_SSL_SERVER, 0), X509_V_ERR_INVALID_PURPOSE);
    CU_ASSERT_EQUAL(verify(none, root, X509_PURPOSE_SSL_CLIENT, 0), X509_V_OK);
    CU_ASSERT_EQUAL(X509_get_ext_by_NID(none->x509, NID_ext_key_usage, -1), -1);
    CU_ASSERT_EQUAL(worth(bad), X509_V_ERR_CERT_SIGNATURE_FAILURE);
    dna_cert_unref(both);
    dna_cert_unref(server);
    dna_cert_unref(client);
    dna_cert_unref(none);
    dna_cert_unref(listed);
    dna_cert_unref(bad);
}

static void chains_are_shown_as_written(void)
{
    static const struct {
        const char *manner;
        int num;
        const char *names; /* by their CN */
        int worth;
    } table[] = {
        { "chain=good", 2, "lower upper ", X509_V_OK },
        { "chain=reversed", 2, "upper lower ", X509_V_OK },
        { "chain=full", 3, "lower upper xdna lab CA ", X509_V_OK },
        { "chain=junk", 4, "xdna lab junk lower upper xdna lab junk ", X509_V_OK },
        { "chain=none", -1, "", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY },
    };
    struct dna_cert *upper = mint("cn=upper ca=true chain=none"), *lower;

    known[0] = (struct named){ "upper", upper };
    lower = mint("cn=lower ca=true issuer=upper");
    known[1] = (struct named){ "lower", lower };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[100], names[200] = "", name[64];
        struct dna_cert *cert;

        snprintf(text, sizeof text, "dns=a.example issuer=lower %s", table[i].manner);
        cert = mint(text);
        CU_ASSERT_EQUAL(sk_X509_num(cert->chain), table[i].num);
        for (int k = 0; k < sk_X509_num(cert->chain); k++) {
            X509_NAME_get_text_by_NID(X509_get_subject_name(sk_X509_value(cert->chain, k)),
                                      NID_commonName, name, sizeof name);
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s ", name);
        }
        CU_ASSERT_STRING_EQUAL(names, table[i].names);
        CU_ASSERT_EQUAL(sk_X509_num(cert->path), 3); /* whatever is shown */
        CU_ASSERT_EQUAL(worth(cert), table[i].worth);
        dna_cert_unref(cert);
    }
    dna_cert_unref(upper);
    dna_cert_unref(lower);
    memset(known, 0, sizeof known);
}

static void odd_names_are_as_written(void)
{
    struct dna_cert *nothing = mint("dns=%empty,a.example"), *cut = mint("cn=a.example%00.b"),
                    *deep = mint("dns=a.example nested=4000");
    GENERAL_NAMES *two = X509_get_ext_d2i(nothing->x509, NID_subject_alt_name, NULL, NULL),
                  *nested = X509_get_ext_d2i(deep->x509, NID_subject_alt_name, NULL, NULL);
    X509_NAME *subject = X509_get_subject_name(cut->x509);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    const ASN1_TYPE *value = sk_GENERAL_NAME_value(nested, 0)->d.otherName->value;

    CU_ASSERT_EQUAL(sk_GENERAL_NAME_num(two), 2);
    CU_ASSERT_EQUAL(ASN1_STRING_length(sk_GENERAL_NAME_value(two, 0)->d.dNSName), 0);
    CU_ASSERT_EQUAL(X509_check_host(nothing->x509, "a.example", 0, 0, NULL), 1);
    CU_ASSERT_EQUAL(ASN1_STRING_length(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))),
                    12);
    CU_ASSERT_EQUAL(value->type, V_ASN1_SEQUENCE);
    /* four bytes a sequence, but for the innermost */
    CU_ASSERT_TRUE(value->value.sequence->length > 4 * 3900);
    CU_ASSERT_EQUAL(worth(deep), X509_V_OK);
    GENERAL_NAMES_free(two);
    GENERAL_NAMES_free(nested);
    dna_cert_unref(nothing);
    dna_cert_unref(cut);
    dna_cert_unref(deep);
}

static void odd_shapes_are_as_written(void)
{
    struct dna_cert *bare = mint("dns=a.example subject=none"),
                    *many = mint("dns=a.example filler=1000"),
                    *strange = mint("dns=a.example critical=unknown"),
                    *weak = mint("dns=a.example signature=sha1"),
                    *agree = mint("dns=a.example keyusage=keyAgreement");
    GENERAL_NAMES *names = X509_get_ext_d2i(many->x509, NID_subject_alt_name, NULL, NULL);
    int critical = 0;

    CU_ASSERT_EQUAL(X509_NAME_entry_count(X509_get_subject_name(bare->x509)), 0);
    GENERAL_NAMES_free(X509_get_ext_d2i(bare->x509, NID_subject_alt_name, &critical, NULL));
    CU_ASSERT_EQUAL(critical, 1);
    CU_ASSERT_EQUAL(worth(bare), X509_V_OK);
    CU_ASSERT_EQUAL(sk_GENERAL_NAME_num(names), 1001);
    CU_ASSERT_EQUAL(X509_check_host(many->x509, "a.example", 0, 0, NULL), 1);
    CU_ASSERT_EQUAL(worth(strange), X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION);
    CU_ASSERT_EQUAL(X509_get_signature_nid(weak->x509), NID_ecdsa_with_SHA1);
    CU_ASSERT_EQUAL(X509_get_key_usage(agree->x509), KU_KEY_AGREEMENT);
    GENERAL_NAMES_free(names);
    dna_cert_unref(bare);
    dna_cert_unref(many);
    dna_cert_unref(strange);
    dna_cert_unref(weak);
    dna_cert_unref(agree);
}

/* with the list, as a server that checks revocation has it */
static int worth_by(const struct dna_cert *cert, X509_CRL *list)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int error;

    X509_STORE_add_cert(store, dna_ca_root(ca));
    X509_STORE_add_crl(store, list);
    X509_STORE_CTX_init(context, store, cert->x509, cert->chain);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_CRL_CHECK);
    error = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return error;
}

static int listed_worth(const struct dna_cert *cert)
{
    return worth_by(cert, dna_ca_crl(ca));
}

static void the_list_names_the_revoked(void)
{
    struct dna_cert *good = mint("dns=a.example"), *first = mint("dns=a.example revoked"), *last;

    CU_ASSERT_EQUAL(worth(first), X509_V_OK);
    CU_ASSERT_EQUAL(listed_worth(first), X509_V_ERR_CERT_REVOKED);
    CU_ASSERT_EQUAL(listed_worth(good), X509_V_OK);
    CU_ASSERT_EQUAL(worth_by(good, dna_ca_outdated_crl(ca)), X509_V_ERR_CRL_HAS_EXPIRED);
    last = mint("dns=a.example revoked");
    CU_ASSERT_NOT_EQUAL(ASN1_INTEGER_cmp(X509_get0_serialNumber(first->x509),
                                         X509_get0_serialNumber(last->x509)), 0);
    for (int i = 0; i < 300; i++) { /* more than are listed: they come again */
        dna_cert_unref(last);
        last = mint("dns=a.example revoked");
        CU_ASSERT_EQUAL(listed_worth(last), X509_V_ERR_CERT_REVOKED);
    }
    dna_cert_unref(good);
    dna_cert_unref(first);
    dna_cert_unref(last);
}

static void keys_are_shared_when_asked(void)
{
    struct dna_cert *first = mint("dns=a.example"), *second = mint("dns=a.example"), *same;

    CU_ASSERT_NOT_EQUAL(EVP_PKEY_eq(first->key, second->key), 1);
    known[0] = (struct named){ "first", first };
    same = mint("dns=b.example same-key-as=first");
    CU_ASSERT_EQUAL(EVP_PKEY_eq(first->key, same->key), 1);
    CU_ASSERT_EQUAL(X509_check_private_key(same->x509, same->key), 1);
    dna_cert_unref(first); /* the key lives on in the other */
    CU_ASSERT_EQUAL(worth(same), X509_V_OK);
    dna_cert_unref(second);
    dna_cert_unref(same);
    memset(known, 0, sizeof known);
}

static void refused(const char *text, const char *why)
{
    struct dna_cert_spec spec;

    diag.text[0] = '\0';
    CU_ASSERT_EQUAL(dna_cert_spec_parse(text, &spec, &diag), -1);
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, why));
    if (!strstr(diag.text, why))
        printf("%s -> %s\n", text, diag.text);
}

static void bad_keys_are_refused(void)
{
    struct dna_cert_spec spec;

    refused("colour=red", "unknown key \"colour\"");
    refused("dns=", "at least one name");
    refused("dns=a.example,", "a name after the comma");
    refused("dns=,a.example", "names between commas");
    refused("notafter=1d", "an offset from now");
    refused("notafter=-d", "an offset from now");
    refused("notafter=-1w", "an offset from now");
    refused("notafter=-1dd", "an offset from now");
    refused("notafter=+99999999999999999999d", "an offset from now");
    refused("notbefore=+2d notafter=+1d", "notafter lies before notbefore");
    refused("eku=server,", "expected server");
    refused("eku=mail", "expected server");
    refused("ca=yes", "expected true, false or absent");
    refused("signature=broken", "expected good, bad, sha1 or md5");
    refused("pathlen=-1", "expected a number up to 16");
    refused("filler=20001", "expected a number up to 20000");
    refused("nested=4001", "expected a number up to 4000");
    refused("keyusage=signing", "words of RFC 5280");
    refused("keyusage=", "words of RFC 5280");
    refused("chain=long", "expected good, full");
    refused("subject=cn", "expected none");
    refused("critical=known", "expected unknown");
    refused("policies=x", "numbers such as");
    refused("policy-constraints=", "expected explicit");
    refused("serial=21", "expected usual, long");
    refused("dir=bad", "an attribute such as");
    refused("dns=a.example none", "none stands alone");
    refused("none dns=a.example", "none stands alone");
    refused("expired", "not of the form key=value");
    CU_ASSERT_EQUAL(dna_cert_spec_parse("none", &spec, &diag), 0);
    CU_ASSERT_TRUE(spec.none);
    CU_ASSERT_PTR_NULL(dna_ca_mint(ca, &spec, NULL, NULL, &diag));
    CU_ASSERT_EQUAL(dna_cert_spec_parse("issuer=nobody", &spec, &diag), 0);
    CU_ASSERT_PTR_NULL(dna_ca_mint(ca, &spec, find, known, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "issuer=nobody"));
    CU_ASSERT_EQUAL(dna_cert_spec_parse("signature=md5", &spec, &diag), 0);
    CU_ASSERT_PTR_NULL(dna_ca_mint(ca, &spec, find, known, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "needs key=rsa"));
    CU_ASSERT_EQUAL(dna_cert_spec_parse("ip=localhost", &spec, &diag), 0);
    CU_ASSERT_PTR_NULL(dna_ca_mint(ca, &spec, find, known, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "ip=localhost is no address"));
    CU_ASSERT_EQUAL(dna_cert_spec_parse("", &spec, &diag), 0); /* all defaults */
}

static void remove_tree(const char *dir)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;

    while (stream && (entry = readdir(stream))) {
        char path[600];

        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
    }
    if (stream)
        closedir(stream);
    rmdir(dir);
}

static void files_are_read_by_others(void)
{
    char dir[] = "/tmp/xdna-ca.XXXXXX", cert_path[64], key_path[64], command[400];
    struct dna_cert *middle = mint("cn=middle ca=true"), *cert, *other;
    struct stat st;

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    known[0] = (struct named){ "middle", middle };
    cert = mint("dns=a.example issuer=middle");
    other = mint("dns=a.example issuer=other");
    snprintf(cert_path, sizeof cert_path, "%s/a.pem", dir);
    snprintf(key_path, sizeof key_path, "%s/a.key", dir);
    CU_ASSERT_EQUAL(dna_ca_write_store(ca, dir, &diag), 0);
    CU_ASSERT_EQUAL(dna_cert_write(cert, cert_path, key_path, &diag), 0);
    CU_ASSERT_TRUE(stat(key_path, &st) == 0 && (st.st_mode & 0777) == 0600);
    /* openssl(1) finds the issuer by the hashed name in the directory, and in the bundle. */
    snprintf(command, sizeof command,
             "openssl verify -no-CAfile -no-CAstore -CApath %s -untrusted %s %s >/dev/null 2>&1",
             dir, cert_path, cert_path);
    CU_ASSERT_EQUAL(system(command), 0);
    snprintf(command, sizeof command,
             "openssl verify -no-CApath -no-CAstore -CAfile %s/ca-certificates.crt -untrusted %s "
             "%s >/dev/null 2>&1",
             dir, cert_path, cert_path);
    CU_ASSERT_EQUAL(system(command), 0);
    /* The list lies beside it, under the name by which it is looked for. */
    snprintf(command, sizeof command,
             "openssl crl -in %s/ca.crl -CAfile %s/ca.crt -noout >/dev/null 2>&1 && "
             "cmp -s %s/ca.crl %s/*.r0", dir, dir, dir, dir);
    CU_ASSERT_EQUAL(system(command), 0);
    CU_ASSERT_EQUAL(dna_cert_write(other, cert_path, NULL, &diag), 0);
    snprintf(command, sizeof command,
             "openssl verify -no-CAfile -no-CAstore -CApath %s %s >/dev/null 2>&1", dir, cert_path);
    CU_ASSERT_NOT_EQUAL(system(command), 0);
    CU_ASSERT_EQUAL(dna_cert_write(cert, "/nonexistent/a.pem", NULL, &diag), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "/nonexistent/a.pem"));
    dna_cert_unref(middle);
    dna_cert_unref(cert);
    dna_cert_unref(other);
    memset(known, 0, sizeof known);
    remove_tree(dir);
}

static void minting_is_cheap(void)
{
    enum { CERTS = 1000 };
    struct timespec start, end;

    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < CERTS; i++)
        dna_cert_unref(mint("dns=a.c0042.example srv=a.c0042.example"));
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("measured: %.0f us a certificate with its own key\n",
           ((double)(end.tv_sec - start.tv_sec) * 1e6 +
            (double)(end.tv_nsec - start.tv_nsec) / 1e3) / CERTS);
}

int main(void)
{
    static const struct lab_test tests[] = {
        { "names are as written", names_are_as_written },
        { "times are as written", times_are_as_written },
        { "issuers are as written", issuers_are_as_written },
        { "usages and signatures are as written", usages_are_as_written },
        { "chains are shown as written", chains_are_shown_as_written },
        { "odd shapes are as written", odd_shapes_are_as_written },
        { "odd names are as written", odd_names_are_as_written },
        { "the list names the revoked", the_list_names_the_revoked },
        { "keys are shared when asked", keys_are_shared_when_asked },
        { "bad keys are refused", bad_keys_are_refused },
        { "files are read by others", files_are_read_by_others },
        { "minting is cheap", minting_is_cheap },
    };
    int result = lab_test_main("lab.ca", tests, sizeof tests / sizeof tests[0], NULL);

    dna_ca_free(ca);
    return result;
}
