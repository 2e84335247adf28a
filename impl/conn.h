/* SPDX-License-Identifier: MIT */
/* conn: one TCP connection that carries an XMPP stream, with or without TLS, on a libevent loop. It
 * turns bytes into XML events and back, restarts the parser when a stream restarts, and knows
 * nothing of the protocol. The owner frees it with dna_conn_free(); every callback may do so. */
#ifndef DNA_IMPL_CONN_H
#define DNA_IMPL_CONN_H
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "impl/xml.h"

struct event_base;
struct dna_conn;

/* How a connection ended. */
enum dna_conn_end {
    DNA_CONN_REFUSED, /* TCP never came up: refused, unreachable, timed out */
    DNA_CONN_EOF,     /* the peer closed TCP or TLS */
    DNA_CONN_ERROR,   /* reset, or TLS broke after it was up */
    DNA_CONN_CLOSED   /* we closed it: dna_conn_drop() */
};

/* What a connection tells; any member may be NULL. After closed nothing follows. */
struct dna_conn_handler {
    void (*connected)(void *arg); /* outgoing TCP is up */
    void (*header)(void *arg, const struct dna_xml_node *header);
    void (*element)(void *arg, const struct dna_xml_node *element);
    void (*stream_end)(void *arg); /* the peer's </stream:stream> */
    void (*xml_error)(void *arg, enum dna_xml_error why);
    void (*tls_up)(void *arg);
    void (*tls_failed)(void *arg, const char *why); /* the connection is of no more use */
    void (*closed)(void *arg, enum dna_conn_end how, const char *why);
};

/* dna_conn_connect() opens TCP to addr (from local, if not NULL); connected or closed follows, the
 * latter with DNA_CONN_REFUSED after timeout_ms at the latest. Never calls back before it returns.
 */
struct dna_conn *dna_conn_connect(struct event_base *base, const struct sockaddr *addr,
                                  socklen_t addr_len, const struct sockaddr *local,
                                  socklen_t local_len, uint32_t timeout_ms,
                                  const struct dna_conn_handler *handler, void *arg);
/* dna_conn_accept() takes over an accepted socket. */
struct dna_conn *dna_conn_accept(struct event_base *base, int fd,
                                 const struct dna_conn_handler *handler, void *arg);
/* dna_conn_set_handler() hands the connection over to another owner. */
void dna_conn_set_handler(struct dna_conn *c, const struct dna_conn_handler *handler, void *arg);
/* dna_conn_free() ends it at once (unsent output is lost) and frees it; NULL is fine. */
void dna_conn_free(struct dna_conn *c);

/* dna_conn_id() is a number unique in this process, for logs. */
uint64_t dna_conn_id(const struct dna_conn *c);
/* dna_conn_peer() is the peer's "address:port" as text. */
const char *dna_conn_peer(const struct dna_conn *c);
/* dna_conn_addr() is the peer's socket address. */
const struct sockaddr *dna_conn_addr(const struct dna_conn *c, socklen_t *len);
/* dna_conn_ssl() is the TLS session, or NULL while there is none. */
SSL *dna_conn_ssl(const struct dna_conn *c);
/* dna_conn_secured() says whether the TLS handshake is complete. */
bool dna_conn_secured(const struct dna_conn *c);

/* dna_conn_send() queues bytes; after dna_conn_close(), and from dna_conn_start_tls() to tls_up,
 * they are dropped: there is no stream to write to. */
void dna_conn_send(struct dna_conn *c, const char *data, size_t len);
/* dna_conn_puts() queues a C string. */
void dna_conn_puts(struct dna_conn *c, const char *text);
/* dna_conn_pending() is the number of bytes not yet given to the kernel. */
size_t dna_conn_pending(const struct dna_conn *c);

/* dna_conn_restart_xml() throws the parser away: the next bytes are a new stream header. max_bytes
 * as in dna_xml_new(). The pipelined bytes behind the last element go to the new parser. */
void dna_conn_restart_xml(struct dna_conn *c, size_t max_bytes);
/* dna_conn_limit() changes the byte limit of the running parser. */
void dna_conn_limit(struct dna_conn *c, size_t max_bytes);
/* dna_conn_clear_trailing() says whether bytes wait behind the element just delivered: read but not
 * parsed, or in the socket. Ask inside the element callback of <starttls/> or <proceed/>. */
bool dna_conn_clear_trailing(const struct dna_conn *c);
/* dna_conn_start_tls() runs a handshake (as server if accept) once all queued output has left, and
 * stops parsing until then; tls_up or tls_failed follows, the latter after timeout_ms at the
 * latest. 0, which is what streams use: the owner watches over the time, and drops the connection.
 * Takes the SSL over. Bytes read in clear are thrown away. The owner restarts XML by itself in
 * tls_up. */
void dna_conn_start_tls(struct dna_conn *c, SSL *ssl, bool accept, uint32_t timeout_ms);
/* dna_conn_pause() stops reading and parsing until dna_conn_resume(). */
void dna_conn_pause(struct dna_conn *c);
void dna_conn_resume(struct dna_conn *c);

/* dna_conn_close() sends </stream:stream> (once) and nothing any more. What the peer still sends is
 * delivered; when TCP ends, and how long that may take, is for the owner to say. */
void dna_conn_close(struct dna_conn *c);
/* dna_conn_drop() delivers nothing more, flushes what is queued (at most wait_ms), closes TCP;
 * closed follows with DNA_CONN_CLOSED. */
void dna_conn_drop(struct dna_conn *c, uint32_t wait_ms);
#endif
