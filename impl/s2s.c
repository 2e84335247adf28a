/* SPDX-License-Identifier: MIT */
/* s2s: the owner of all S2S streams: birth, accepted sockets, shutdown, burial. */
#include "impl/s2s.h"

#include <stdlib.h>
#include <string.h>

#include "impl/s2s_internal.h"

static void on_undertaker(int fd, short what, void *arg)
{
    struct dna_s2s *s2s = arg;
    (void)fd;
    (void)what;
    while (s2s->graves) {
        struct stream *s = s2s->graves;
        s2s->graves = s->next;
        dna_s2s_stream_free(s);
    }
}

/* Dates are the wall clock's business, which may be set; so it is looked at, and no timer
 * counts. */
static void on_second(int fd, short what, void *arg)
{
    struct dna_s2s *s2s = arg;
    (void)fd;
    (void)what;
    if (s2s->next_expiry && time(NULL) >= s2s->next_expiry)
        dna_s2s_expiry_check(s2s);
}

struct dna_s2s *dna_s2s_new(const struct dna_s2s_setup *setup)
{
    struct dna_s2s *s2s = dna_calloc(1, sizeof *s2s);
    s2s->at = *setup;
    s2s->knobs = &setup->config->knobs;
    s2s->proofs = (struct dna_proof_env){ .base = setup->base,
                                          .dns = setup->dns,
                                          .store = setup->store,
                                          .knobs = s2s->knobs,
                                          .posh = setup->posh,
                                          .validating = setup->config->trust_anchor != NULL };
    s2s->next_number = 1;
    s2s->undertaker = event_new(setup->base, -1, 0, on_undertaker, s2s);
    s2s->watchman = event_new(setup->base, -1, EV_PERSIST, on_second, s2s);
    if (!s2s->undertaker || !s2s->watchman)
        abort();
    event_add(s2s->watchman, &(const struct timeval){ .tv_sec = 1 });
    dna_id_make(s2s->made_secret);
    s2s->secret =
        setup->config->dialback_secret ? setup->config->dialback_secret : s2s->made_secret;
    dna_router_set_remote(setup->router, dna_s2s_route_remote, s2s);
    return s2s;
}

void dna_s2s_accept(struct dna_s2s *s2s, int fd)
{
    struct stream *s = dna_s2s_stream_new(s2s, NULL);
    s->conn = dna_conn_accept(s2s->at.base, fd, &dna_s2s_receiving_handler, s);
    s->knobs = dna_knobs_for(s2s->knobs, dna_conn_peer(s->conn));
    dna_log(DNA_LOG_INFO, "accept", "conn=%llu port=s2s peer=%s",
            (unsigned long long)dna_conn_id(s->conn), dna_conn_peer(s->conn));
    dna_s2s_negotiation_deadline(s);
}

size_t dna_s2s_count(const struct dna_s2s *s2s)
{
    return s2s->num_streams;
}

void dna_s2s_shutdown(struct dna_s2s *s2s)
{
    static const struct stream_receiving_facts re;
    static const struct stream_initiating_facts ie;
    size_t num = 0;
    struct stream **all = dna_calloc(s2s->num_streams, sizeof(struct stream *));
    s2s->stopping = true;
    for (struct stream *s = s2s->streams; s; s = s->next)
        all[num++] = s; /* ending one may end others: graves are filled only by the loop */
    /* who asked us something goes first: nobody is told of an authority that it did not answer */
    for (size_t i = 0; i < num; i++)
        if (!all[i]->initiating && !all[i]->buried && !all[i]->dropped)
            dna_s2s_receiving_event(all[i], stream_receiving_E_SHUTDOWN, &re);
    for (size_t i = 0; i < num; i++)
        if (all[i]->initiating && !all[i]->buried && !all[i]->dropped)
            dna_s2s_initiating_event(all[i], stream_initiating_E_SHUTDOWN, &ie);
    free(all);
}

static void free_value(void *value, void *arg)
{
    (void)arg;
    free(value);
}

void dna_s2s_free(struct dna_s2s *s2s)
{
    if (!s2s)
        return;
    s2s->stopping = true;
    dna_router_set_remote(s2s->at.router, NULL, NULL);
    while (s2s->streams)
        dna_s2s_stream_bury(s2s->streams);
    on_undertaker(-1, 0, s2s);
    dna_hash_each(&s2s->routes, dna_s2s_route_free, NULL);
    dna_hash_each(&s2s->taken, free_value, NULL);
    dna_hash_cleanup(&s2s->routes);
    dna_hash_cleanup(&s2s->pairs);
    dna_hash_cleanup(&s2s->questions);
    dna_hash_cleanup(&s2s->askers);
    dna_hash_cleanup(&s2s->taken);
    dna_hash_cleanup(&s2s->domains);
    dna_hash_cleanup(&s2s->addresses);
    dna_hash_cleanup(&s2s->claims);
    event_free(s2s->undertaker);
    event_free(s2s->watchman);
    free(s2s);
}
