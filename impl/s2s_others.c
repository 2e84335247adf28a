/* SPDX-License-Identifier: MIT */
/* s2s_others: the addresses of a domain's other SRV targets, asked for before anything is
 * connected. A stream that exists may lead to any of them, and then a pair may be supposed on it
 * (RFC 7712 4.4.2, decision A04). Nothing is asked where no stream exists, or where policy wants
 * the first choice. */
#include <netinet/in.h>
#include <stdlib.h>

#include "impl/s2s_internal.h"

struct other {
    struct others *all;
    struct dna_dns_query *query;
    uint16_t port;
};
struct others {
    struct stream *stream;
    size_t num, open; /* open: questions without an answer */
    struct other *each;
    bool held; /* what the current target's answer came to waits for the others */
    enum resolution_event what;
};

static void on_addresses(void *arg, const struct dna_dns_answer *a)
{
    struct other *o = arg;
    struct others *all = o->all;
    struct stream *s = all->stream;
    o->query = NULL;
    for (size_t i = 0; i < a->num_addr; i++) {
        struct sockaddr_storage addr = a->addr[i];
        if (addr.ss_family == AF_INET6)
            ((struct sockaddr_in6 *)&addr)->sin6_port = htons(o->port);
        else
            ((struct sockaddr_in *)&addr)->sin_port = htons(o->port);
        struct sockaddr_storage *more =
            realloc(s->i.other_addrs, (s->i.num_other_addrs + 1) * sizeof addr);
        if (!more)
            abort();
        more[s->i.num_other_addrs++] = addr;
        s->i.other_addrs = more;
    }
    if (--all->open == 0 && all->held) {
        all->held = false;
        dna_s2s_dial_event(s, all->what);
    }
}

void dna_s2s_others_ask(struct stream *s)
{
    if (s->i.others || !s->i.route || s->i.route->own_only || s->i.num_targets < 2 ||
        s->knobs->target_reuse_first_only || s->s2s->addresses.num == 0)
        return;
    struct others *all = dna_calloc(1, sizeof *all);
    all->stream = s;
    all->num = all->open = s->i.num_targets - 1;
    all->each = dna_calloc(all->num, sizeof *all->each);
    s->i.others = all;
    for (size_t i = 0; i < all->num; i++) {
        struct other *o = &all->each[i];
        o->all = all;
        o->port = s->i.targets[i + 1].port;
        o->query = dna_dns_addr(s->s2s->at.dns, s->i.targets[i + 1].host, on_addresses, o);
    }
}

bool dna_s2s_others_hold(struct stream *s, enum resolution_event what)
{
    struct others *all = s->i.others;
    if (!all || !all->open)
        return false;
    all->held = true;
    all->what = what;
    return true;
}

void dna_s2s_others_free(struct stream *s)
{
    struct others *all = s->i.others;
    for (size_t i = 0; all && i < all->num; i++)
        dna_dns_cancel(all->each[i].query);
    if (all)
        free(all->each);
    free(all);
    free(s->i.other_addrs);
    s->i.others = NULL;
    s->i.other_addrs = NULL;
    s->i.num_other_addrs = 0;
}
