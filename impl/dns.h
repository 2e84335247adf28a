/* SPDX-License-Identifier: MIT */
/* dns: questions to a validating resolver (libunbound) on the same event loop: SRV sets ordered as
 * RFC 2782 says, addresses, and TLSA records. Each query has its own deadline and can be cancelled;
 * the callback never runs inside the call that asked. An answer is the callback's only until it
 * returns. */
#ifndef DNA_IMPL_DNS_H
#define DNA_IMPL_DNS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct event_base;
struct dna_dns;
struct dna_dns_query;

/* What a question came to. */
enum dna_dns_class {
    DNA_DNS_RECORDS, /* at least one usable record */
    DNA_DNS_NONE,    /* NXDOMAIN or no such record */
    DNA_DNS_DOT,     /* one SRV record with target "." */
    DNA_DNS_FAILURE  /* SERVFAIL, bogus, malformed, timed out */
};
/* What DNSSEC says of it, and of every alias that led to it. A bogus answer always comes as
 * DNA_DNS_FAILURE, and no other answer says bogus; what was not answered at all is insecure. Of
 * addresses: secure if one of the families that has any is (RFC 7673 3.2), or if both are securely
 * denied; bogus, and then without addresses, if one of the families is. */
enum dna_dns_security { DNA_DNS_INSECURE, DNA_DNS_BOGUS, DNA_DNS_SECURE };

struct dna_dns_srv {
    uint16_t priority, weight, port;
    char target[256]; /* no trailing dot, lower case */
};
/* One TLSA record (RFC 6698 2.1), whatever it holds. */
struct dna_dns_tlsa {
    uint8_t usage, selector, mtype;
    uint16_t len; /* of data; may be 0 */
    unsigned char *data;
};
enum { DNA_DNS_MAX_RECORDS = 64 }; /* of an answer; what is beyond is left out */
struct dna_dns_answer {
    enum dna_dns_class class;
    enum dna_dns_security security;
    const char *why; /* one line for logs */
    size_t num_srv;
    const struct dna_dns_srv *srv; /* in the order in which to try them */
    size_t num_addr;
    const struct sockaddr_storage *addr; /* port 0 */
    size_t num_tlsa;
    const struct dna_dns_tlsa *tlsa;
    uint32_t ttl; /* seconds: the least of the answer's records, or of the denial; 0: not known */
    const char *canonical; /* the name at the end of all aliases, no trailing dot, lower case; ""
                              for a literal or where nothing was answered */
};
typedef void (*dna_dns_cb)(void *arg, const struct dna_dns_answer *answer);

/* How to set the resolver up; zeroed members take the defaults. */
struct dna_dns_config {
    const char *resolver; /* "addr" or "addr@port"; NULL = first nameserver of /etc/resolv.conf */
    const char *trust_anchor; /* DS or DNSKEY records as text, one a line, ';' begins a comment;
                                 NULL = nothing is validated */
    uint32_t deadline_ms;     /* per question; default 5000 */
    uint32_t seed;            /* of the weighted choice; 0 = random */
};

/* dna_dns_new() makes the resolver; NULL with a reason in why on failure. */
struct dna_dns *dna_dns_new(struct event_base *base, const struct dna_dns_config *config, char *why,
                            size_t why_len);
/* dna_dns_free() cancels what is open and frees. Callbacks do not run. */
void dna_dns_free(struct dna_dns *d);

/* dna_dns_srv() asks for _service._tcp.domain, service being "xmpp-server", say. domain may be
 * U-labels. */
struct dna_dns_query *dna_dns_srv(struct dna_dns *d, const char *service, const char *domain,
                                  dna_dns_cb cb, void *arg);
/* dna_dns_addr() asks for AAAA and A of host; answers come together. An IP literal answers itself.
 */
struct dna_dns_query *dna_dns_addr(struct dna_dns *d, const char *host, dna_dns_cb cb, void *arg);
/* dna_dns_tlsa() asks for the TLSA records of _port._tcp.host; they may be found behind aliases. */
struct dna_dns_query *dna_dns_tlsa(struct dna_dns *d, uint16_t port, const char *host,
                                   dna_dns_cb cb, void *arg);
/* dna_dns_cancel() forgets a query: its callback will not run. Not after the callback has run. */
void dna_dns_cancel(struct dna_dns_query *q);

/* dna_dns_literal() reads an IPv4 address or a bracketed IPv6 address; port 0. */
bool dna_dns_literal(const char *host, struct sockaddr_storage *out);
/* dna_dns_order_srv() puts records into the order of RFC 2782; random() gives numbers for the
 * weights. */
void dna_dns_order_srv(struct dna_dns_srv *srv, size_t num, uint32_t (*random)(void *arg),
                       void *arg);
/* dna_dns_to_ascii() writes domain with A-labels in lower case without trailing dot; -1 if it is
 * none. */
int dna_dns_to_ascii(const char *domain, char *out, size_t out_len);
#endif
