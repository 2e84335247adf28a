/* SPDX-License-Identifier: MIT */
/*
 * The lab's DNS responder: the store's public face. Sockets are in dns_socket.c, what is answered
 * in dns_answer.c.
 */
#include "conformance/lab/dns_sign.h"
#include "conformance/lab/dns_socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RECORD_TTL 60u
#define MAX_DELAY_MS 60000u

/* key_of_text makes the key of a name as people write it. */
static int key_of_text(const char *name, struct dns_key *key, struct dna_diag *diag)
{
    ldns_rdf *rdf = ldns_dname_new_frm_str(name);

    if (!rdf)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "DNS: \"%s\" is not a domain name", name);
    dns_key_of(rdf, key);
    ldns_rdf_deep_free(rdf);
    return 0;
}

static struct dns_name *get_name(struct dna_dns *dns, const char *text, struct dna_diag *diag)
{
    struct dns_name *name;
    struct dns_key key;

    if (key_of_text(text, &key, diag))
        return NULL;
    name = dns_store_get(&dns->store, &key);
    if (!name)
        dna_diag_set(diag, DNA_CLASS_HARD, "DNS: out of memory");
    return name;
}

static struct dns_name *find_name(struct dna_dns *dns, const char *text)
{
    struct dns_key key;

    return key_of_text(text, &key, NULL) ? NULL : dns_store_find(&dns->store, &key);
}

static ldns_rr *read_record(const char *name, const char *record, struct dna_diag *diag)
{
    ldns_rdf *root = ldns_dname_new_frm_str(".");
    size_t len = strlen(name) + strlen(record) + 3;
    char *line = malloc(len);
    ldns_status status;
    ldns_rr *rr = NULL;

    if (!line || !root) {
        dna_diag_set(diag, DNA_CLASS_HARD, "DNS: out of memory");
        goto out;
    }
    /* An owner that starts with '.' or blank would be read as "the previous one". */
    snprintf(line, len, "%s%s %s", name, name[strlen(name) - 1] == '.' ? "" : ".", record);
    status = ldns_rr_new_frm_str(&rr, line, RECORD_TTL, root, NULL);
    if (status != LDNS_STATUS_OK) {
        rr = NULL;
        dna_diag_set(diag, DNA_CLASS_USAGE, "DNS: cannot read the record \"%s %s\": %s", name,
                     record, ldns_get_errorstr_by_id(status));
    }
out:
    ldns_rdf_deep_free(root);
    free(line);
    return rr;
}

static int add_record(struct dna_dns *dns, const char *name, const char *record, bool replace,
                      struct dna_diag *diag)
{
    struct dns_name *node;
    ldns_rr *rr;

    if (name[0] == '\0')
        return dna_diag_set(diag, DNA_CLASS_USAGE, "DNS: a record without a name");
    rr = read_record(name, record, diag);
    if (!rr)
        return -1;
    node = get_name(dns, name, diag);
    if (!node) {
        ldns_rr_free(rr);
        return -1;
    }
    if (replace)
        dns_name_clear(node, (uint16_t)ldns_rr_get_type(rr));
    for (size_t i = 0; i < ldns_rr_list_rr_count(node->records); i++) {
        if (ldns_rr_compare(ldns_rr_list_rr(node->records, i), rr) == 0) {
            ldns_rr_free(rr);
            return 0;
        }
    }
    ldns_rr_list_push_rr(node->records, rr);
    return 0;
}

int dna_dns_add(struct dna_dns *dns, const char *name, const char *record, struct dna_diag *diag)
{
    return add_record(dns, name, record, false, diag);
}

int dna_dns_replace(struct dna_dns *dns, const char *name, const char *record,
                    struct dna_diag *diag)
{
    return add_record(dns, name, record, true, diag);
}

void dna_dns_remove(struct dna_dns *dns, const char *name, uint16_t type)
{
    struct dns_name *node = find_name(dns, name);

    if (!node)
        return;
    dns_name_clear(node, type);
    dns_store_tidy(&dns->store, node);
}

void dna_dns_remove_tree(struct dna_dns *dns, const char *name)
{
    struct dns_key key;

    if (key_of_text(name, &key, NULL) == 0 && key.len > 0)
        dns_store_remove_tree(&dns->store, &key);
}

static int set_manner(struct dna_dns *dns, const char *name, uint16_t type,
                      const struct dns_manner *wanted, struct dna_diag *diag)
{
    struct dns_name *node = get_name(dns, name, diag);
    struct dns_manner *m;

    if (!node)
        return -1;
    for (m = node->manners; m && (m->type != type || m->aspect != wanted->aspect); m = m->next)
        ;
    if (!m) {
        m = calloc(1, sizeof *m);
        if (!m)
            return dna_diag_set(diag, DNA_CLASS_HARD, "DNS: out of memory");
        m->type = type;
        m->aspect = wanted->aspect;
        m->next = node->manners;
        node->manners = m;
    }
    m->manner = wanted->manner;
    m->below = wanted->below;
    return 0;
}

int dna_dns_manner_set(struct dna_dns *dns, const char *name, uint16_t type,
                       enum dna_dns_manner manner, bool below, struct dna_diag *diag)
{
    struct dns_manner wanted = { .aspect = DNS_ANSWERING, .manner = manner, .below = below };

    return set_manner(dns, name, type, &wanted, diag);
}

int dna_dns_signature_set(struct dna_dns *dns, const char *name, uint16_t type,
                          enum dna_dns_signature manner, bool below, struct dna_diag *diag)
{
    struct dns_manner wanted = { .aspect = DNS_SIGNING, .manner = manner, .below = below };

    return set_manner(dns, name, type, &wanted, diag);
}

int dna_dns_authentic_set(struct dna_dns *dns, const char *name, uint16_t type, bool authentic,
                          bool below, struct dna_diag *diag)
{
    struct dns_manner wanted = { .aspect = DNS_AUTHENTIC, .manner = authentic ? 1 : 0,
                                 .below = below };

    return set_manner(dns, name, type, &wanted, diag);
}

int dna_dns_delay_set(struct dna_dns *dns, const char *name, uint16_t type, unsigned ms,
                      bool below, struct dna_diag *diag)
{
    struct dns_manner wanted = { .aspect = DNS_LATENESS, .manner = ms, .below = below };

    if (ms > MAX_DELAY_MS)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "DNS: a delay of %u ms is more than %u", ms,
                            MAX_DELAY_MS);
    return set_manner(dns, name, type, &wanted, diag);
}

int dna_dns_zone(struct dna_dns *dns, const char *name, struct dna_diag *diag)
{
    struct dns_name *node;
    ldns_rdf *rdf;

    if (name[0] == '*' && (name[1] == '.' || name[1] == '\0'))
        return dna_diag_set(diag, DNA_CLASS_USAGE, "DNS: a wildcard, \"%s\", is no zone", name);
    /* Denials are remembered for a second only, so that a case may add what it first lacked. */
    if (dna_dns_replace(dns, name,
                        "SOA ns.lab.example. hostmaster.lab.example. 1 3600 600 86400 1", diag) ||
        dna_dns_replace(dns, name, "NS ns.lab.example.", diag))
        return -1;
    node = get_name(dns, name, diag);
    if (!node)
        return -1;
    if (node->zone)
        return 0;
    rdf = ldns_dname_new_frm_str(name);
    node->zone = rdf ? dns_zone_new(rdf) : NULL;
    ldns_rdf_deep_free(rdf);
    return node->zone ? 0 : dna_diag_set(diag, DNA_CLASS_HARD, "DNS: out of memory");
}

int dna_dns_zone_sign(struct dna_dns *dns, const char *name, enum dna_dns_zone_signing signing,
                      struct dna_diag *diag)
{
    struct dns_name *node = find_name(dns, name);

    if (!node || !node->zone)
        return dna_diag_set(diag, DNA_CLASS_USAGE, "DNS: there is no zone \"%s\"", name);
    node->zone->signing = signing;
    return 0;
}

void dna_dns_clock(struct dna_dns *dns, int64_t offset_s)
{
    dns_signer_clock(dns->store.signer, offset_s);
}

const char *dna_dns_anchor(const struct dna_dns *dns)
{
    return dns->anchor;
}

/* make_anchor writes the root's DS as resolvers read it: one line, blanks, no comment. */
static int make_anchor(struct dna_dns *dns, struct dna_diag *diag)
{
    struct dns_name *root = find_name(dns, ".");
    ldns_rr *ds = root ? dns_zone_ds(dns->store.signer, root->zone) : NULL;
    char *text = ds ? ldns_rr2str(ds) : NULL;

    ldns_rr_free(ds);
    if (!text)
        return dna_diag_set(diag, DNA_CLASS_HARD, "DNS: cannot make the key of the root");
    text[strcspn(text, ";\n")] = '\0';
    for (char *p = text; (p = strchr(p, '\t'));)
        *p = ' ';
    dns->anchor = text;
    return 0;
}

int dna_dns_watch(struct dna_dns *dns, const char *name, dna_dns_watch_fn fn, void *arg,
                  struct dna_diag *diag)
{
    struct dns_name *node = get_name(dns, name, diag);
    struct dns_watch *watch, **end;

    if (!node)
        return -1;
    watch = calloc(1, sizeof *watch);
    if (!watch)
        return dna_diag_set(diag, DNA_CLASS_HARD, "DNS: out of memory");
    watch->fn = fn;
    watch->arg = arg;
    for (end = &node->watches; *end; end = &(*end)->next)
        ;
    *end = watch;
    return 0;
}

void dna_dns_unwatch(struct dna_dns *dns, const char *name, dna_dns_watch_fn fn, void *arg)
{
    struct dns_name *node = find_name(dns, name);

    for (struct dns_watch **at = node ? &node->watches : NULL; at && *at; at = &(*at)->next) {
        struct dns_watch *watch = *at;

        if (watch->fn != fn || watch->arg != arg)
            continue;
        *at = watch->next;
        free(watch);
        dns_store_tidy(&dns->store, node);
        return;
    }
}

/* still_watching: an earlier watcher may have sent a later one away, arg and all. */
static bool still_watching(const struct dna_dns *dns, const struct dns_key *key,
                           const struct dns_watch *copy)
{
    const struct dns_name *node = dns_store_find(&dns->store, key);

    for (const struct dns_watch *w = node ? node->watches : NULL; w; w = w->next) {
        if (w->fn == copy->fn && w->arg == copy->arg)
            return true;
    }
    return false;
}

static void tell(struct dna_dns *dns, const struct dns_key *asked,
                 const struct dna_dns_event *event)
{
    struct dns_key at = *asked;

    do {
        const struct dns_name *node = dns_store_find(&dns->store, &at);
        size_t num = 0, i = 0;
        struct dns_watch *copies;

        for (const struct dns_watch *w = node ? node->watches : NULL; w; w = w->next)
            num++;
        copies = num ? calloc(num, sizeof *copies) : NULL;
        if (!copies)
            continue;
        for (const struct dns_watch *w = node->watches; w; w = w->next)
            copies[i++] = *w;
        for (i = 0; i < num; i++) {
            if (still_watching(dns, &at, &copies[i]))
                copies[i].fn(event, copies[i].arg);
        }
        free(copies);
    } while (dns_key_up(&at));
}

static unsigned num_records(const ldns_pkt *packet)
{
    const ldns_rr_list *answer = packet ? ldns_pkt_answer(packet) : NULL;
    unsigned num = 0;

    for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++)
        num += ldns_rr_get_type(ldns_rr_list_rr(answer, i)) != LDNS_RR_TYPE_RRSIG;
    return num;
}

void dns_report(struct dna_dns *dns, const ldns_pkt *query, const struct dns_reply *reply,
                const struct sockaddr_in *client, bool tcp)
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    struct dna_dns_event event = { .tcp = tcp, .client = *client, .answer = reply->answer,
                                   .dnssec_ok = reply->dnssec_ok,
                                   .authentic_data = ldns_pkt_ad(query),
                                   .checking_disabled = ldns_pkt_cd(query) };
    struct timespec now;
    struct dns_key key;
    ldns_rdf *name;
    char *text, *type;
    size_t len;

    if (!question || !(name = ldns_rdf_clone(ldns_rr_owner(question))))
        return;
    ldns_dname2canonical(name);
    dns_key_of(name, &key);
    text = ldns_rdf2str(name);
    type = ldns_rr_type2str(ldns_rr_get_type(question));
    ldns_rdf_deep_free(name);
    if (text && type) {
        len = strlen(text);
        if (len > 1 && text[len - 1] == '.')
            text[len - 1] = '\0';
        clock_gettime(CLOCK_MONOTONIC, &now);
        event.time_us = (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
        event.name = text;
        event.type_name = type;
        event.type = (uint16_t)ldns_rr_get_type(question);
        event.num_records = num_records(reply->packet);
        tell(dns, &key, &event);
    }
    free(text);
    free(type);
}

struct dna_dns *dna_dns_new(struct event_base *base, const char *address, uint16_t port,
                            struct dna_diag *diag)
{
    struct dna_dns *dns = calloc(1, sizeof *dns);

    if (!dns || dns_store_init(&dns->store)) {
        dna_diag_set(diag, DNA_CLASS_HARD, "DNS: out of memory");
        free(dns);
        return NULL;
    }
    dns->base = base;
    dns->udp = -1;
    if (dna_dns_zone(dns, ".", diag) || dna_dns_zone(dns, "example", diag) ||
        dna_dns_add(dns, "ns.lab.example", "A 127.0.0.53", diag) || make_anchor(dns, diag) ||
        dns_listen(dns, address, port, diag)) {
        dna_dns_free(dns);
        return NULL;
    }
    return dns;
}

void dna_dns_free(struct dna_dns *dns)
{
    if (!dns)
        return;
    dns_hang_up(dns);
    dns_store_cleanup(&dns->store);
    free(dns->anchor);
    free(dns);
}

uint16_t dna_dns_port(const struct dna_dns *dns)
{
    return dns->port;
}

uint16_t dna_dns_type(const char *name)
{
    return (uint16_t)ldns_get_rr_type_by_name(name);
}

const char *dna_dns_answer_name(enum dna_dns_answer answer)
{
    static const char *const names[] = { "records", "nodata",    "nxdomain", "servfail",
                                         "refused", "truncated", "nothing" };

    return (size_t)answer < sizeof names / sizeof names[0] ? names[answer] : "?";
}

size_t dna_dns_num_names(const struct dna_dns *dns)
{
    return dns->store.names->count;
}
