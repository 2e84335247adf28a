/* SPDX-License-Identifier: MIT */
/* router: decides where a stanza goes by its `to` alone: a bound resource of a hosted domain, a
 * hosted domain itself, or a remote domain over S2S. It asks nothing about protocol state; the S2S
 * side queues and bounces by its tables. Stanzas are borrowed and turned into text at once, in the
 * target's namespace. */
#ifndef DNA_IMPL_ROUTER_H
#define DNA_IMPL_ROUTER_H
#include <stdbool.h>
#include <stddef.h>

#include "impl/xml.h"

struct dna_router;

/* dna_router_send: how a stanza reaches a bound resource: text in jabber:client, complete, with
 * from/to. */
typedef void (*dna_router_deliver)(void *arg, const char *text, size_t len);
/* What the router needs of S2S: take over a stanza for a remote domain. from and to are full JIDs
 * as they stand in the stanza; text is in jabber:server. */
typedef void (*dna_router_remote)(void *arg, const char *from_domain, const char *to_domain,
                                  const struct dna_xml_node *stanza, const char *text, size_t len);

/* dna_router_new() makes a router without domains. */
struct dna_router *dna_router_new(void);
void dna_router_free(struct dna_router *r);
/* dna_router_host() adds a hosted domain (lower case). */
void dna_router_host(struct dna_router *r, const char *domain);
/* dna_router_account() adds an account, "user@domain" (lower case), known even while nobody is
 * logged in. */
void dna_router_account(struct dna_router *r, const char *bare_jid);
/* dna_router_hosts() says whether domain is hosted. */
bool dna_router_hosts(const struct dna_router *r, const char *domain);
/* dna_router_set_remote() names who takes stanzas for remote domains. */
void dna_router_set_remote(struct dna_router *r, dna_router_remote remote, void *arg);

/* dna_router_register() binds a full JID to a session: false if it is taken (the C2S side then
 * picks another resource). */
bool dna_router_register(struct dna_router *r, const char *full_jid, dna_router_deliver deliver,
                         void *arg);
/* dna_router_unregister() ends that. Harmless if it was not bound. */
void dna_router_unregister(struct dna_router *r, const char *full_jid);
/* dna_router_available() records whether the resource wants messages sent to the bare JID (initial
 * presence and its priority); a fresh registration is unavailable. */
void dna_router_available(struct dna_router *r, const char *full_jid, bool available);

/* dna_router_route() takes one message, presence or iq in the namespace from_ns and sends it on its
 * way. from is the sender's full JID, put into the stanza by the router (NULL = the stanza has its
 * own, checked by the caller, as on S2S). A stanza without `to` goes to the sender's own bare JID
 * (server's own answer). What cannot be delivered is answered with a stanza error, as RFC 6120 8.3
 * and 10.5 say. */
void dna_router_route(struct dna_router *r, const struct dna_xml_node *stanza, const char *from_ns,
                      const char *from);
/* dna_stanza_error_type() is the error type that RFC 6120 8.3.3 joins to a condition. */
const char *dna_stanza_error_type(const char *condition);
/* dna_router_bounce() answers a stanza (text as given to dna_router_remote) with an error of that
 * type and condition, sent to its sender; errors and iq results are not answered (RFC 6120 8.3.1).
 */
void dna_router_bounce(struct dna_router *r, const char *text, size_t len, const char *type,
                       const char *condition);

#endif
