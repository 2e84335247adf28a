/* SPDX-License-Identifier: MIT */
/* posh_fetch: one HTTPS GET at a time and any number at once, by libcurl on the event loop. The
 * host is resolved by dns.h and pinned, for an unpinned one would be asked of the system's
 * resolver, in a thread. The web server has to prove the URL's host (RFC 7711 3, RFC 2818) under
 * TLS 1.2 or later. HTTP/1.1; no proxy, cookies, credentials, reused connections; redirects are
 * told, not followed. */
#ifndef DNA_IMPL_POSH_FETCH_H
#define DNA_IMPL_POSH_FETCH_H
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct dna_dns;
struct dna_posh_fetcher;
struct dna_posh_get;

struct dna_posh_fetcher_config {
    struct event_base *base;
    struct dna_dns *dns;
    const char *ca_file, *ca_dir; /* roots for web servers; both NULL: the system's; copied */
    size_t max_body;              /* bytes */
};

/* How it ended; borrowed by the callback until it returns. */
struct dna_posh_got {
    long status;          /* of HTTP; 0: there is no answer, why says the reason */
    const char *location; /* of a redirect: where to, made absolute; else NULL */
    const char *body;
    size_t len;
    const char *why; /* one line for logs, always */
};
typedef void (*dna_posh_got_cb)(void *arg, const struct dna_posh_got *got);

struct dna_posh_fetcher *dna_posh_fetcher_new(const struct dna_posh_fetcher_config *config);
/* dna_posh_fetcher_free() forgets what is open: callbacks do not run. */
void dna_posh_fetcher_free(struct dna_posh_fetcher *f);

/* dna_posh_get() asks for url. The callback comes once, from the loop, never from inside the call;
 * the request is gone when it does. There is no time limit: whoever asks has his own and cancels.
 */
struct dna_posh_get *dna_posh_get(struct dna_posh_fetcher *f, const char *url, dna_posh_got_cb cb,
                                  void *arg);
void dna_posh_get_cancel(struct dna_posh_get *g); /* not after the callback; NULL is fine */
#endif
