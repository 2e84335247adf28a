/* SPDX-License-Identifier: MIT */
/* pkix_policy: does a path have the policy that one of its certificates requires (RFC 5280 6.1.2 to
 * 6.1.5)? Any policy is acceptable here, so that policies matter only where explicit ones are asked
 * for. OpenSSL judges them, but is not asked where the answer needs no tree of policies: 3.0 loses
 * memory on a certificate that has policy constraints and no policies. */
#include <limits.h>
#include <openssl/x509v3.h>

#include "impl/pkix.h"

/* What requireExplicitPolicy says; INT_MAX: nothing, or more than any path is long. */
static int required_after(X509 *x)
{
    POLICY_CONSTRAINTS *c = X509_get_ext_d2i(x, NID_policy_constraints, NULL, NULL);
    long skip = c && c->requireExplicitPolicy ? ASN1_INTEGER_get(c->requireExplicitPolicy) : -1;
    POLICY_CONSTRAINTS_free(c);
    return skip >= 0 && skip < INT_MAX ? (int)skip : INT_MAX;
}

/* The variable explicit_policy of 6.1 at the end of the path: 0 asks for a policy. */
static int explicit_policy(const STACK_OF(X509) * path)
{
    int left = INT_MAX;
    for (int i = sk_X509_num(path) - 2; i > 0; i--) { /* 6.1.4 (h), (i); without the anchor */
        X509 *x = sk_X509_value(path, i);
        int asked = required_after(x);
        if (left > 0 && left < INT_MAX && !(X509_get_extension_flags(x) & EXFLAG_SI))
            left--;
        left = asked < left ? asked : left;
    }
    if (left > 0 && left < INT_MAX)
        left--; /* 6.1.5 (a) */
    return required_after(sk_X509_value(path, 0)) == 0 ? 0 : left; /* (b) */
}

bool dna_pkix_policy_holds(STACK_OF(X509) * path)
{
    if (sk_X509_num(path) < 2 || explicit_policy(path) > 0)
        return true;
    for (int i = 0; i < sk_X509_num(path) - 1; i++) /* 6.1.3 (e): no policies, no tree */
        if (X509_get_ext_by_NID(sk_X509_value(path, i), NID_certificate_policies, -1) < 0)
            return false;
    X509_POLICY_TREE *tree = NULL;
    STACK_OF(ASN1_OBJECT) *any = sk_ASN1_OBJECT_new_null();
    int asked = 0, found = -1;
    if (any && sk_ASN1_OBJECT_push(any, OBJ_nid2obj(NID_any_policy)) > 0)
        found = X509_policy_check(&tree, &asked, path, any, 0);
    X509_policy_tree_free(tree);
    sk_ASN1_OBJECT_free(any);
    return found == X509_PCY_TREE_VALID;
}
