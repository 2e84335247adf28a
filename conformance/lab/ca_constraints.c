/* SPDX-License-Identifier: MIT */
/* What a minted certificate says of those below it: name constraints and policies. */
#include "conformance/lab/ca_internal.h"

#include <stdio.h>
#include <string.h>

#include <openssl/objects.h>
#include <openssl/x509v3.h>

/* base is the name of a subtree: a dNSName unless its text says otherwise. */
static GENERAL_NAME *base(const char *text)
{
    GENERAL_NAME *name;
    ASN1_STRING *value;

    /* RFC 4985 4: "_service", "domain" or both, so nothing is added to it here. */
    if (strncmp(text, "srv:", 4) == 0)
        return ca_other_name(NID_SRVName, V_ASN1_IA5STRING, text + 4);
    if (strncmp(text, "dir:", 4) == 0)
        return ca_dir_name(text + 4);
    name = GENERAL_NAME_new();
    value = ca_text(V_ASN1_IA5STRING, text);
    if (!name || !value) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, GEN_DNS, value);
    return name;
}

static GENERAL_SUBTREE *subtree(const char *text, bool minimum)
{
    GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();
    GENERAL_NAME *name = base(text);

    if (tree && minimum)
        tree->minimum = ASN1_INTEGER_new();
    if (!tree || !name || (minimum && ASN1_INTEGER_set(tree->minimum, 1) != 1)) {
        GENERAL_SUBTREE_free(tree);
        GENERAL_NAME_free(name);
        return NULL;
    }
    GENERAL_NAME_free(tree->base);
    tree->base = name;
    return tree;
}

static int add_subtrees(STACK_OF(GENERAL_SUBTREE) **out, const struct dna_cert_names *names,
                        bool minimum)
{
    *out = names->num ? sk_GENERAL_SUBTREE_new_null() : NULL;
    for (size_t i = 0; i < names->num; i++) {
        GENERAL_SUBTREE *tree = subtree(names->at[i], minimum);

        if (!*out || !tree || !sk_GENERAL_SUBTREE_push(*out, tree)) {
            GENERAL_SUBTREE_free(tree);
            return -1;
        }
    }
    return 0;
}

int ca_add_name_constraints(X509 *x509, const struct dna_cert_spec *spec)
{
    NAME_CONSTRAINTS *constraints;
    int result = -1;

    if (!spec->permitted.num && !spec->excluded.num)
        return 0;
    constraints = NAME_CONSTRAINTS_new();
    if (constraints &&
        add_subtrees(&constraints->permittedSubtrees, &spec->permitted,
                     spec->constraints_minimum) == 0 &&
        add_subtrees(&constraints->excludedSubtrees, &spec->excluded,
                     spec->constraints_minimum) == 0 &&
        X509_add1_ext_i2d(x509, NID_name_constraints, constraints, !spec->constraints_optional,
                          0) == 1)
        result = 0;
    NAME_CONSTRAINTS_free(constraints);
    return result;
}

static int add_policy(CERTIFICATEPOLICIES *list, const char *number)
{
    POLICYINFO *policy = POLICYINFO_new();
    ASN1_OBJECT *object = OBJ_txt2obj(number, 1);

    if (!policy || !object || !sk_POLICYINFO_push(list, policy)) {
        POLICYINFO_free(policy);
        ASN1_OBJECT_free(object);
        return -1;
    }
    ASN1_OBJECT_free(policy->policyid);
    policy->policyid = object;
    return 0;
}

static int add_policies(X509 *x509, const char *numbers, bool critical)
{
    CERTIFICATEPOLICIES *list = sk_POLICYINFO_new_null();
    int result = list ? 0 : -1;

    while (!result && *numbers) {
        size_t len = strcspn(numbers, ",");
        char number[64];

        snprintf(number, sizeof number, "%.*s", (int)len, numbers);
        result = add_policy(list, number);
        numbers += len + (numbers[len] == ',');
    }
    if (!result && X509_add1_ext_i2d(x509, NID_certificate_policies, list, critical, 0) != 1)
        result = -1;
    CERTIFICATEPOLICIES_free(list);
    return result;
}

int ca_add_policies(X509 *x509, X509 *issuer, const struct dna_cert_spec *spec)
{
    char text[64];

    if (spec->policies[0] && add_policies(x509, spec->policies, spec->policies_critical))
        return -1;
    if (!spec->require_policy && !spec->inhibit_mapping)
        return 0;
    /* RFC 5280 4.2.1.11: "Conforming CAs MUST mark this extension as critical." */
    snprintf(text, sizeof text, "critical%s%s",
             spec->require_policy ? ",requireExplicitPolicy:0" : "",
             spec->inhibit_mapping ? ",inhibitPolicyMapping:0" : "");
    return ca_add_extension(x509, issuer, NID_policy_constraints, text);
}
