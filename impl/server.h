/* SPDX-License-Identifier: MIT */
/* server: the parts put together on one event loop: certificates, trust anchors, resolver, router,
 * S2S, C2S and the listening sockets. It owns them all; the configuration is borrowed. */
#ifndef DNA_IMPL_SERVER_H
#define DNA_IMPL_SERVER_H
#include <stdbool.h>
#include <stddef.h>

#include "impl/config.h"

struct event_base;
struct dna_server;

/* dna_server_new() builds everything but listens nowhere yet; NULL with a reason in why. */
struct dna_server *dna_server_new(struct event_base *base, const struct dna_config *config,
                                  char *why, size_t why_len);
/* dna_server_listen() opens all listening sockets, or says in why which one it could not; -1 then.
 */
int dna_server_listen(struct dna_server *s, char *why, size_t why_len);
/* dna_server_stop() stops listening and closes every stream with system-shutdown. Idempotent. */
void dna_server_stop(struct dna_server *s);
/* dna_server_stopped() says whether all streams are gone after dna_server_stop(). */
bool dna_server_stopped(const struct dna_server *s);
/* dna_server_free() frees it all; NULL is fine. */
void dna_server_free(struct dna_server *s);
#endif
