/* SPDX-License-Identifier: MIT */
/*
 * The lab's certificate authority: mints whatever certificate a scenario names, good or bad
 * (ECDSA P-256). A dna_cert is counted by reference; the dna_ca owns its roots: one that the lab
 * trusts, one of the same subject that nobody trusts, and one that is trusted within bounds.
 */
#ifndef DNA_LAB_CA_H
#define DNA_LAB_CA_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "conformance/lab/diag.h"

#define DNA_CERT_MAX_NAMES 16u
#define DNA_CERT_NAME_LEN 256u

/* dna_cert_names is a list of names, empty at zero. */
struct dna_cert_names {
    size_t num;
    char at[DNA_CERT_MAX_NAMES][DNA_CERT_NAME_LEN];
};

enum dna_cert_issuer {
    DNA_ISSUER_CA,    /* the lab CA, trusted */
    DNA_ISSUER_SELF,  /* self-signed */
    DNA_ISSUER_OTHER, /* a CA that looks the same and is trusted by nobody */
    DNA_ISSUER_BOUNDED, /* a CA that is trusted and says of itself: nothing below ".example" */
    DNA_ISSUER_NAMED, /* another certificate, by name: an intermediate, or one that may not issue */
};

enum dna_cert_eku {
    DNA_EKU_NONE = 0,
    DNA_EKU_SERVER = 1,
    DNA_EKU_CLIENT = 2,
    DNA_EKU_ANY = 4,
    DNA_EKU_XMPP = 8,  /* id-on-xmppAddr (RFC 6120 13.7.1.4) */
    DNA_EKU_EMAIL = 16,
};

enum dna_cert_serial {
    DNA_SERIAL_USUAL, /* 16 octets at random */
    DNA_SERIAL_LONG,  /* 20 octets, the most that RFC 5280 4.1.2.2 allows */
    DNA_SERIAL_ZERO,
    DNA_SERIAL_NEGATIVE,
};

/* What is shown of the issuers, beside the certificate itself. */
enum dna_cert_chain {
    DNA_CHAIN_GOOD,     /* all but the root, each behind the one it issued */
    DNA_CHAIN_FULL,     /* the root as well */
    DNA_CHAIN_NONE,     /* none of them */
    DNA_CHAIN_REVERSED, /* as GOOD, the other way round */
    DNA_CHAIN_JUNK,     /* as GOOD, with a certificate that has no part in it before and behind */
};

/*
 * dna_cert_spec is what a certificate shall say. Zero it, or start from dna_cert_spec_init,
 * which sets: issuer the lab CA, valid from yesterday for a year, EKU server and client.
 */
struct dna_cert_spec {
    /* no certificate at all: dna_ca_mint refuses it, the actor sends none */
    bool none;
    struct dna_cert_names dns;    /* dNSName, wildcards as written */
    struct dna_cert_names srv;    /* SRVName: "a.example" means "_xmpp-server.a.example" */
    struct dna_cert_names xmpp;   /* xmppAddr */
    struct dna_cert_names ip;     /* iPAddress */
    struct dna_cert_names utf8;   /* dNSName again, with bytes that are not ASCII: no valid one */
    struct dna_cert_names uri;    /* uniformResourceIdentifier */
    struct dna_cert_names dir;    /* directoryName of one attribute: "O=a.example" */
    char cn[DNA_CERT_NAME_LEN];   /* common name; "" = none unless nothing else names the subject */
    enum dna_cert_issuer issuer;
    char issuer_name[64];         /* for DNA_ISSUER_NAMED */
    char same_key_as[64];         /* share the key of this certificate; "" = a fresh key */
    long long not_before;         /* seconds from the lab's clock */
    long long not_after;
    bool has_not_before;
    bool has_not_after;
    unsigned eku;                 /* enum dna_cert_eku, or-ed; 0 = no EKU extension */
    bool ca;                      /* may issue */
    bool no_basic;                /* no basicConstraints at all */
    bool version1;                /* X.509 version 1: no extensions, whatever they were to be */
    enum dna_cert_serial serial;
    char o[DNA_CERT_NAME_LEN];    /* organization; "" = the lab's */
    char ou[DNA_CERT_NAME_LEN];   /* organizational unit; "" = none */
    bool never_ends;              /* notAfter is 99991231235959Z (RFC 5280 4.1.2.5) */
    bool has_pathlen;
    unsigned pathlen;
    char key_usage[128];          /* RFC 5280's words; "" = as usual, "none" = no extension */
    /* subtrees, dNSName but for "srv:_xmpp-server.a.example" and "dir:O=x": name constraints */
    struct dna_cert_names permitted;
    struct dna_cert_names excluded;
    bool constraints_optional;    /* the extension of the subtrees is not critical */
    bool constraints_minimum;     /* each subtree has a minimum of 1, which RFC 5280 does not use */
    char policies[128];           /* certificate policies, with commas; "" = none */
    bool policies_critical;
    bool require_policy;          /* policy constraints: requireExplicitPolicy 0 */
    bool inhibit_mapping;         /* policy constraints: inhibitPolicyMapping 0 */
    char ocsp[DNA_CERT_NAME_LEN]; /* URL of a responder (authority information access) */
    char crl_at[DNA_CERT_NAME_LEN]; /* URL of a CRL distribution point */
    enum dna_cert_chain chain;
    bool no_subject;              /* empty; the names are in the extension alone */
    unsigned filler;              /* so many more dNSNames, before the others */
    unsigned nested;              /* an SRVName, before the others, of so many sequences, or 0 */
    bool unknown_critical;        /* a critical extension that nobody knows */
    bool bad_signature;           /* one bit of the signature is wrong */
    bool sha1;                    /* signed over SHA-1 */
    bool md5;                     /* signed over MD5; its issuer needs an RSA key for that */
    bool rsa;                     /* its own key is RSA, 2048 bits, the same for all of them */
    bool revoked;                 /* its serial is on the lab CA's revocation list */
    unsigned revoked_number;      /* dna_ca_mint's own: which serial of the list */
};

/* dna_cert is a minted certificate. Read its fields, don't change them. */
struct dna_cert {
    unsigned refs;
    X509 *x509;
    EVP_PKEY *key;
    STACK_OF(X509) *chain; /* what is shown of its issuers, mostly without the root; NULL if none */
    STACK_OF(X509) *path;  /* all its issuers, the root last; NULL if it is its own */
};

struct dna_ca;

/*
 * dna_cert_find_fn finds an earlier certificate by the name a scenario gave it; NULL if there is
 * none.
 */
typedef const struct dna_cert *(*dna_cert_find_fn)(const char *name, void *arg);

void dna_cert_spec_init(struct dna_cert_spec *spec);

/*
 * dna_cert_spec_parse reads the keys of a scenario's `cert` line (what follows its name) into
 * spec, which it initialises:
 *   dns= srv= xmpp= ip=   comma lists  cn=NAME  (%00 in dns= srv= xmpp= cn= is a NUL byte;
 *                         %empty alone is a name of no bytes)
 *   utf8= (dNSNames that are not ASCII)  uri=  dir=ATTRIBUTE=VALUE  o=NAME  ou=NAME
 *   issuer=ca|self|other|bounded|NAME        same-key-as=NAME
 *   notbefore= notafter=  offsets from now: +Nd -Nh +Nm -Ns (a notafter before notbefore moves
 *                         a notbefore that was not written to 30 days before it)
 *                         notafter=never: 99991231235959Z
 *   eku=server,client,any,xmpp,email|none    ca=true|false|absent (no basicConstraints)
 *   signature=good|bad|sha1|md5 (below key=rsa)  key=ec|rsa  none
 *   version=1|3                              serial=usual|long|zero|negative
 *   pathlen=N  keyusage=WORD,...|none (RFC 5280's words)
 *   permitted= excluded=  subtrees: dNSNames, srv:NAME, dir:ATTRIBUTE=VALUE
 *   constraints=critical|optional|minimum    (of the subtrees)
 *   policies=OID,...[,critical]              policy-constraints=explicit,no-mapping
 *   ocsp=URL  crl-at=URL  (where the certificate says that revocation can be learnt)
 *   chain=good|full|none|reversed|junk       subject=none
 *   filler=N (so many dNSNames before the others)  nested=N (an SRVName of sequences in sequences)
 *   critical=unknown  revoked (by the lab's CA)
 * Class USAGE with the offending key in the text otherwise.
 */
int dna_cert_spec_parse(const char *text, struct dna_cert_spec *spec,
                        struct dna_diag *diag) DNA_CHECKED;

struct dna_ca *dna_ca_new(struct dna_diag *diag) DNA_CHECKED;
void dna_ca_free(struct dna_ca *ca);

/* dna_ca_clock moves the clock that validities count from (seconds from the real one). */
void dna_ca_clock(struct dna_ca *ca, long long offset);

/*
 * dna_ca_root is the trusted root, for a store of the harness; borrowed. dna_ca_other_root is the
 * other. dna_ca_bounded_root is trusted as well, and has name constraints of its own. dna_ca_crl
 * is the trusted root's revocation list: whatever a spec called revoked is on it
 * (256 serials, which come again after that many). dna_ca_outdated_crl says the same, and ran out a
 * day before the lab began.
 */
X509 *dna_ca_root(const struct dna_ca *ca);
X509 *dna_ca_other_root(const struct dna_ca *ca);
X509 *dna_ca_bounded_root(const struct dna_ca *ca);
X509_CRL *dna_ca_crl(const struct dna_ca *ca);
X509_CRL *dna_ca_outdated_crl(const struct dna_ca *ca);

/*
 * dna_ca_mint makes a certificate with one reference, owned by the caller. find (with arg) looks
 * up issuer= and same-key-as= names and may be NULL. NULL with diag if a name is not found or
 * the spec can't be made.
 */
struct dna_cert *dna_ca_mint(struct dna_ca *ca, const struct dna_cert_spec *spec,
                             dna_cert_find_fn find, void *arg, struct dna_diag *diag) DNA_CHECKED;

struct dna_cert *dna_cert_ref(struct dna_cert *cert);
void dna_cert_unref(struct dna_cert *cert); /* NULL is fine */

/*
 * dna_cert_write writes the certificate with its chain, and its key (mode 0600), as PEM; either
 * path may be NULL.
 */
int dna_cert_write(const struct dna_cert *cert, const char *cert_path, const char *key_path,
                   struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_ca_write_store makes dir a trust store with the lab CA and the bounded one in it: HASH.0 as
 * OpenSSL looks them up, ca-certificates.crt and ca.crt as bundles; beside them the revocation
 * list, as HASH.r0 and ca.crl. The directory is made if missing.
 */
int dna_ca_write_store(const struct dna_ca *ca, const char *dir, struct dna_diag *diag) DNA_CHECKED;

#endif
