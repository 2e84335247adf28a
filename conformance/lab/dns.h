/* SPDX-License-Identifier: MIT */
/*
 * The lab's DNS: an authoritative responder inside the harness, on its event loop, whose records
 * and manners change while it runs, and which reports every query as an event, so that
 * "resolves _xmpp-server._tcp.a.example" is seen and not supposed.
 *
 *   IUT> SRV? _xmpp-server._tcp.a.c0042.example   DNS> 0 0 5269 a.c0042.example   watcher< event
 *
 * Names are compared without regard to case; a question is echoed as it was asked. The responder
 * answers for the whole tree: what nobody added is NXDOMAIN with an SOA (NOERROR without data if
 * something exists below it), or made of the wildcard that is there ("*.hosts.example", RFC 4592).
 * The dna_dns owns everything that is added to it.
 *
 * The tree is signed from the root down (RFC 4033 to 4035, ECDSAP256SHA256), on demand: queries
 * with the DO bit get signatures and proofs of what doesn't exist, made when they are asked for.
 * Other queries are answered without (but the DNSKEY and DS of a zone are there for everyone).
 */
#ifndef DNA_LAB_DNS_H
#define DNA_LAB_DNS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "conformance/lab/diag.h"

struct dna_dns;

/* DNA_DNS_ANY as a type stands for all types of a name. */
#define DNA_DNS_ANY 0u

/* Manners of a name: how it answers, whatever records it has. */
enum dna_dns_manner {
    DNA_DNS_NORMAL,   /* by its records */
    DNA_DNS_NODATA,   /* the name exists, the type doesn't */
    DNA_DNS_NXDOMAIN, /* the name doesn't exist */
    DNA_DNS_SERVFAIL, /* the responder can't say */
    DNA_DNS_REFUSED,  /* the responder won't say */
    DNA_DNS_SILENT,   /* no answer at all */
    DNA_DNS_TRUNCATE, /* by its records, but always TC over UDP */
};

/* Manners of the signatures over the records of a name, and over what denies them. */
enum dna_dns_signature {
    DNA_DNS_SIGN_GOOD,
    DNA_DNS_SIGN_BAD,      /* one bit of the signature flipped */
    DNA_DNS_SIGN_EXPIRED,  /* ended ten days ago */
    DNA_DNS_SIGN_FUTURE,   /* begins in ten days */
    DNA_DNS_SIGN_STRIPPED, /* no RRSIG and no NSEC or NSEC3 at all */
    DNA_DNS_SIGN_UNPROVED, /* no NSEC or NSEC3, with denials and with expansions */
    /* Made by the zone's key over what the RRSIG says, but it says (RFC 4035 section 5.3.1): */
    DNA_DNS_SIGN_SIGNER, /* another signer's name, of no zone */
    DNA_DNS_SIGN_TAG,    /* another key tag */
    DNA_DNS_SIGN_LABELS, /* one label more than the owner has */
};

/* How a zone is signed. */
enum dna_dns_zone_signing {
    DNA_DNS_ZONE_NSEC,     /* signed, denials by NSEC */
    DNA_DNS_ZONE_NSEC3,    /* signed, denials by NSEC3 (SHA-1, no salt, no iterations) */
    DNA_DNS_ZONE_UNSIGNED, /* no keys, and the zone above says that there is no DS */
};

/* What a query was answered with. */
enum dna_dns_answer {
    DNA_DNS_GAVE_RECORDS,
    DNA_DNS_GAVE_NODATA,
    DNA_DNS_GAVE_NXDOMAIN,
    DNA_DNS_GAVE_SERVFAIL,
    DNA_DNS_GAVE_REFUSED,
    DNA_DNS_GAVE_TRUNCATED,
    DNA_DNS_GAVE_NOTHING,
};

/* dna_dns_event is one query; its strings live only during the callback. */
struct dna_dns_event {
    const char *name;          /* lower case, no dot at the end ("." for the root) */
    const char *type_name;     /* "SRV" */
    uint16_t type;
    bool tcp;
    bool dnssec_ok;            /* the DO bit */
    bool authentic_data;       /* the AD bit */
    bool checking_disabled;    /* the CD bit */
    struct sockaddr_in client;
    uint64_t time_us;          /* CLOCK_MONOTONIC */
    enum dna_dns_answer answer;
    unsigned num_records;      /* in the answer section, signatures not counted */
};

typedef void (*dna_dns_watch_fn)(const struct dna_dns_event *event, void *arg);

/*
 * dna_dns_new binds UDP and TCP on address:port (port 0 = any free one, the same for both) and
 * answers from then on. NULL on failure, with diag.
 */
struct dna_dns *dna_dns_new(struct event_base *base, const char *address, uint16_t port,
                            struct dna_diag *diag) DNA_CHECKED;
void dna_dns_free(struct dna_dns *dns);

/* dna_dns_port is the port it listens on. */
uint16_t dna_dns_port(const struct dna_dns *dns);

/*
 * dna_dns_add adds one record, given as in a zone file without owner and class:
 *   dna_dns_add(dns, "_xmpp-server._tcp.a.example", "SRV 0 0 5269 a.example", diag)
 * Names are absolute with or without a dot at the end; "SRV 0 0 0 ." says that there is no
 * service. Any type ldns reads will do. Adding the same record twice is one record.
 */
int dna_dns_add(struct dna_dns *dns, const char *name, const char *record,
                struct dna_diag *diag) DNA_CHECKED;

/* dna_dns_replace adds one record in the place of all records of its type at that name. */
int dna_dns_replace(struct dna_dns *dns, const char *name, const char *record,
                    struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_dns_remove removes the records of a type (or DNA_DNS_ANY) at a name; nothing there is no
 * error.
 */
void dna_dns_remove(struct dna_dns *dns, const char *name, uint16_t type);

/* dna_dns_remove_tree removes all that is at and below a name (which is not the root). */
void dna_dns_remove_tree(struct dna_dns *dns, const char *name);

/*
 * dna_dns_manner_set fixes the manner of a name for a type or DNA_DNS_ANY, also for the names
 * below it if below is true. The closest name that has a manner decides, and there the manner
 * of the very type before that of ANY. DNA_DNS_NORMAL with below makes an exception in a tree.
 */
int dna_dns_manner_set(struct dna_dns *dns, const char *name, uint16_t type,
                       enum dna_dns_manner manner, bool below, struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_dns_signature_set fixes the manner of the signatures of a name for a type or DNA_DNS_ANY,
 * found by the same rules as the manner of its answers. It goes for the signatures over such
 * records, and over the denial if there are none. In the place where a name has a CNAME, that
 * record's own type decides. The DS and DNSKEY of a zone are types of its apex. An expansion of a
 * wildcard that has no such manner itself has that of the wildcard.
 */
int dna_dns_signature_set(struct dna_dns *dns, const char *name, uint16_t type,
                          enum dna_dns_signature manner, bool below,
                          struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_dns_authentic_set sets the AD bit in the answers for a name (by the same rules), as if
 * somebody had validated them, or (false) leaves it clear, as it is otherwise.
 */
int dna_dns_authentic_set(struct dna_dns *dns, const char *name, uint16_t type, bool authentic,
                          bool below, struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_dns_delay_set makes the answers for a name (by the same rules) leave the responder that
 * many milliseconds after they were decided; 0 = at once, at most 60,000. Other answers don't
 * wait for them.
 */
int dna_dns_delay_set(struct dna_dns *dns, const char *name, uint16_t type, unsigned ms,
                      bool below, struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_dns_zone makes name the apex of a zone (SOA and NS), so that negative answers carry its
 * SOA. The zone is signed, with NSEC, by a key of its own which the zone above vouches for. A
 * wildcard is no apex (RFC 4592 section 4.2).
 */
int dna_dns_zone(struct dna_dns *dns, const char *name, struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_dns_zone_sign changes how a zone is signed, from the next query on; a resolver may remember
 * the zone's DS or that it has none for a while (RRs live for 60 seconds, denials for one). The
 * key stays the same. A DS or DNSKEY that was added takes the place of the zone's own. Below an
 * unsigned zone nothing can be proved. Fails if there is no zone of that name.
 */
int dna_dns_zone_sign(struct dna_dns *dns, const char *name, enum dna_dns_zone_signing signing,
                      struct dna_diag *diag) DNA_CHECKED;

/*
 * dna_dns_anchor is the trust anchor of the root: its DS record on one line without comment, as
 * libunbound's ub_ctx_add_ta, a trust-anchor-file and lua-unbound's "trusted" take it. It belongs
 * to the responder and stays the same for its life.
 */
const char *dna_dns_anchor(const struct dna_dns *dns);

/*
 * dna_dns_clock sets how many seconds what the signer takes for now is ahead of the system's
 * clock (less than zero: behind), for a resolver whose clock was moved. Signatures are good from
 * a day before now to seven days after.
 */
void dna_dns_clock(struct dna_dns *dns, int64_t offset_s);

/*
 * dna_dns_watch calls fn for each query of a name at or below the given one ("." = all), after
 * the answer was decided and before it is sent. Several watchers of one name are called in
 * order; a watcher may change records and manners (which then count from the next query), but
 * not free the responder. dna_dns_unwatch removes the watcher with that name, fn and arg.
 */
int dna_dns_watch(struct dna_dns *dns, const char *name, dna_dns_watch_fn fn, void *arg,
                  struct dna_diag *diag) DNA_CHECKED;
void dna_dns_unwatch(struct dna_dns *dns, const char *name, dna_dns_watch_fn fn, void *arg);

/* dna_dns_type is the number of a type's name ("SRV", "TYPE65280"), 0 if unknown. */
uint16_t dna_dns_type(const char *name);

/* dna_dns_answer_name is a word for reports: "records", "nxdomain", "nothing", ... */
const char *dna_dns_answer_name(enum dna_dns_answer answer);

/* dna_dns_num_names is how many names have records, manners or watchers. */
size_t dna_dns_num_names(const struct dna_dns *dns);

#endif
