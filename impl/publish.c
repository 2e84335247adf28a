/* SPDX-License-Identifier: MIT */
/* publish: see publish.h. */
#include "impl/publish.h"

#include <event2/event.h>
#include <getopt.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "impl/buf.h"
#include "impl/config.h"
#include "impl/dns.h"
#include "impl/log.h"
#include "impl/posh_doc.h"
#include "impl/posh_print.h"
#include "impl/posh_serve.h"
#include "impl/tls.h"

enum { EXIT_BAD_USAGE = 2, MAX_ALSO = 15, DEFAULT_EXPIRES = 86400, HTTPS_PORT = 443 };

static const char posh_usage[] =
    "Usage: xdna-server posh --config FILE [DOMAIN] [options]\n"
    "Prints the POSH document (RFC 7711 3.1) of a configured domain's certificate, which belongs "
    "at\n"
    "  https://DOMAIN/.well-known/posh/xmpp-server.json   for other servers, and\n"
    "  https://DOMAIN/.well-known/posh/xmpp-client.json   for clients,\n"
    "served with `Cache-Control: no-cache' by a web server that a CA vouches for.\n"
    "  --config FILE     the configuration of xdna-server; DOMAIN may be left out if it has only "
    "one\n"
    "  --also FILE       name this certificate (PEM) too, before it takes over; may be repeated\n"
    "  --expires N       how many seconds others may rely on it, 1 to 4294967295 (default 86400)\n"
    "  --reference URL   print a document (RFC 7711 3.2) that refers to https URL instead;\n"
    "                    needs no --config\n"
    "  --serve ADDRESS[:PORT]  serve it over HTTPS until SIGTERM or SIGINT (default port 443):\n"
    "                    every configured domain, or DOMAIN alone\n"
    "  --cert FILE --key FILE  what the web server shows (PEM), instead of each domain's "
    "certificate\n";

static const char tlsa_usage[] =
    "Usage: xdna-server tlsa --config FILE [DOMAIN] [--target HOST]\n"
    "Prints the TLSA records (RFC 6698, RFC 7673) of a configured domain's certificate, one for "
    "each\n"
    "port that the configuration listens on. Others use them only if their zone is signed.\n"
    "  --config FILE   the configuration of xdna-server; DOMAIN may be left out if it has only "
    "one\n"
    "  --target HOST   the target of the domain's SRV records (default: the domain itself)\n";

struct options {
    bool posh;
    const char *config, *domain, *reference, *serve, *cert, *key, *target;
    const char *also[MAX_ALSO];
    size_t num_also;
    uint32_t expires;
};

static int complain(const char *what, const char *reason)
{
    (void)fprintf(stderr, "xdna-server: %s%s%s\n", what, reason ? ": " : "", reason ? reason : "");
    return EXIT_BAD_USAGE;
}

static bool read_expires(const char *text, uint32_t *out)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || n < 1 || n > UINT32_MAX)
        return complain("--expires", "expected a number of seconds from 1 to 4294967295"), false;
    *out = (uint32_t)n;
    return true;
}

static bool misplaced(const struct options *o, int c, const char *name)
{
    bool is = o->posh ? c == 't' : strchr("aersCK", c) != NULL;
    if (is)
        (void)fprintf(stderr, "xdna-server: --%s is for `xdna-server %s'\n", name,
                      o->posh ? "tlsa" : "posh");
    return is;
}

static bool apply_option(struct options *o, int c, const char *value)
{
    switch (c) {
    case 'a':
        if (o->num_also == MAX_ALSO)
            return complain("--also", "too many of them"), false;
        o->also[o->num_also++] = value;
        return true;
    case 'e':
        return read_expires(value, &o->expires);
    case 'c':
        return o->config = value, true;
    case 'r':
        return o->reference = value, true;
    case 's':
        return o->serve = value, true;
    case 'C':
        return o->cert = value, true;
    case 'K':
        return o->key = value, true;
    case 't':
        return o->target = value, true;
    default:
        return false; /* getopt has said what is wrong */
    }
}

static int check_options(const struct options *o)
{
    if ((o->cert != NULL) != (o->key != NULL))
        return complain("--cert and --key go together", NULL);
    if (o->cert && !o->serve)
        return complain("--cert and --key are for --serve", NULL);
    if (o->reference && (o->num_also || (o->serve && !o->config)))
        return complain(o->num_also ? "--reference names a URL, --also a certificate: not both"
                                    : "--serve needs --config for the domains",
                        NULL);
    if (!o->config && !o->reference)
        return complain("--config is missing; see --help", NULL);
    return 0;
}

/* Returns -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' },  { "also", required_argument, NULL, 'a' },
        { "expires", required_argument, NULL, 'e' }, { "reference", required_argument, NULL, 'r' },
        { "serve", required_argument, NULL, 's' },   { "cert", required_argument, NULL, 'C' },
        { "key", required_argument, NULL, 'K' },     { "target", required_argument, NULL, 't' },
        { "help", no_argument, NULL, 'h' },          { NULL, 0, NULL, 0 }
    };
    int c, at = 0;
    *o = (struct options){ .posh = strcmp(argv[0], "posh") == 0, .expires = DEFAULT_EXPIRES };
    while ((c = getopt_long(argc, argv, "", longs, &at)) != -1) {
        if (c == 'h')
            return (void)fputs(o->posh ? posh_usage : tlsa_usage, stdout), EXIT_SUCCESS;
        if (misplaced(o, c, longs[at].name) || !apply_option(o, c, optarg))
            return EXIT_BAD_USAGE;
    }
    if (optind < argc)
        o->domain = argv[optind++];
    if (optind < argc)
        return complain(argv[optind], "one domain at a time");
    int status = check_options(o);
    return status ? status : -1;
}

/* --- reading --- */

static const struct dna_config_domain *find_domain(const struct dna_config *config,
                                                   const char *name)
{
    char ascii[256];
    if (!name && config->num_domains == 1)
        return &config->domains[0];
    if (!name) {
        (void)complain(config->path, "it has several domains, name one");
        return NULL;
    }
    for (size_t i = 0; i < config->num_domains; i++)
        if (dna_dns_to_ascii(name, ascii, sizeof ascii) == 0 &&
            strcmp(config->domains[i].ascii, ascii) == 0)
            return &config->domains[i];
    (void)fprintf(stderr, "xdna-server: %s: there is no [domain %s]\n", config->path, name);
    return NULL;
}

static X509 *read_certificate(const char *path)
{
    FILE *f = fopen(path, "r");
    X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
    if (!x)
        (void)complain(path, f ? "no PEM certificate in it" : "cannot be opened");
    if (f)
        (void)fclose(f);
    return x;
}

static bool has_certificate(const struct dna_config_domain *d)
{
    if (!d->certificate)
        (void)fprintf(stderr, "xdna-server: [domain %s] has no certificate\n", d->name);
    return d->certificate != NULL;
}

/* The domain's own certificate comes last: the ones to come are the more relevant (RFC 7711 3.1).
 */
static int add_document(struct dna_buf *out, const struct options *o,
                        const struct dna_config_domain *d)
{
    X509 *all[MAX_ALSO + 1];
    size_t num = 0, wanted = o->num_also + 1;
    char why[100];
    if (o->reference) {
        if (dna_posh_print_reference(out, o->reference, o->expires, why, sizeof why) == 0)
            return EXIT_SUCCESS;
        (void)fprintf(stderr, "xdna-server: --reference %s %s\n", o->reference, why);
        return EXIT_BAD_USAGE;
    }
    if (!has_certificate(d))
        return EXIT_FAILURE;
    while (num < wanted &&
           (all[num] = read_certificate(num < o->num_also ? o->also[num] : d->certificate)))
        num++;
    if (num == wanted)
        dna_posh_print(out, all, num, o->expires);
    for (size_t i = 0; i < num; i++)
        X509_free(all[i]);
    return num == wanted ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- serving --- */

static void on_signal(int number, short what, void *arg)
{
    (void)number;
    (void)what;
    event_base_loopbreak(arg);
}

static int run(struct event_base *base, const struct dna_endpoint *at,
               const struct dna_posh_site *sites, size_t num)
{
    char why[300];
    struct event *term = evsignal_new(base, SIGTERM, on_signal, base);
    struct event *interrupt = evsignal_new(base, SIGINT, on_signal, base);
    struct dna_posh_server *server =
        dna_posh_server_new(base, at->host, at->port, sites, num, why, sizeof why);
    event_add(term, NULL);
    event_add(interrupt, NULL);
    if (server) {
        dna_log(DNA_LOG_INFO, "ready", "domains=%zu address=%s port=%u", num, at->host,
                dna_posh_server_port(server));
        (void)event_base_dispatch(base);
    } else {
        (void)complain(why, NULL);
    }
    dna_posh_server_free(server);
    event_free(term);
    event_free(interrupt);
    return server ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Fills one site; what is already there for --cert is shared. */
static int make_site(struct dna_posh_site *site, const struct options *o,
                     const struct dna_config_domain *d)
{
    struct dna_buf text = DNA_BUF_INIT;
    char why[400];
    int status = add_document(&text, o, d);
    site->host = d->ascii;
    site->document = text.at;
    if (status != EXIT_SUCCESS)
        return status;
    if (!o->cert && !has_certificate(d))
        return EXIT_FAILURE;
    site->ctx = dna_tls_context_new(o->cert ? o->cert : d->certificate, o->cert ? o->key : d->key,
                                    why, sizeof why);
    return site->ctx ? EXIT_SUCCESS : (complain(why, NULL), EXIT_FAILURE);
}

static int serve(const struct options *o, const struct dna_config *config,
                 const struct dna_config_domain *only)
{
    struct dna_endpoint at = { NULL, 0 };
    const char *refused = dna_endpoint_parse(o->serve, HTTPS_PORT, &at);
    if (refused) {
        (void)fprintf(stderr, "xdna-server: --serve: `%s' %s\n", o->serve, refused);
        return EXIT_BAD_USAGE;
    }
    size_t num = only ? 1 : config->num_domains, made = 0;
    struct dna_posh_site *sites = dna_calloc(num, sizeof *sites);
    struct event_base *base = event_base_new();
    int status = EXIT_SUCCESS;
    if (!base)
        abort();
    while (made < num && status == EXIT_SUCCESS) {
        status = make_site(&sites[made], o, only ? only : &config->domains[made]);
        made++;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    if (status == EXIT_SUCCESS)
        status = run(base, &at, sites, num);
    for (size_t i = 0; i < made; i++) {
        free((void *)(uintptr_t)sites[i].document);
        SSL_CTX_free(sites[i].ctx);
    }
    free(sites);
    free(at.host);
    event_base_free(base);
    return status;
}

/* --- the two words --- */

static int posh(const struct options *o, const struct dna_config *config)
{
    struct dna_buf text = DNA_BUF_INIT;
    const struct dna_config_domain *d = NULL;
    if (config && (o->domain || !o->serve) && !(o->reference && !o->serve) &&
        !(d = find_domain(config, o->domain)))
        return EXIT_BAD_USAGE;
    if (o->serve)
        return serve(o, config, d);
    int status = add_document(&text, o, d);
    if (status == EXIT_SUCCESS)
        (void)fputs(text.at, stdout);
    dna_buf_cleanup(&text);
    return status;
}

static void add_records(struct dna_buf *out, X509 *x, const char *host,
                        const struct dna_endpoints *listen)
{
    for (size_t i = 0; i < listen->num; i++) {
        bool said = false;
        for (size_t k = 0; k < i; k++)
            said |= listen->at[k].port == listen->at[i].port;
        if (!said)
            dna_tlsa_print(out, x, host, listen->at[i].port);
    }
}

static int tlsa(const struct options *o, const struct dna_config *config)
{
    char host[256];
    struct dna_buf text = DNA_BUF_INIT;
    const struct dna_config_domain *d = find_domain(config, o->domain);
    if (!d)
        return EXIT_BAD_USAGE;
    if (dna_dns_to_ascii(o->target ? o->target : d->ascii, host, sizeof host) != 0)
        return complain("--target", "it is no host name");
    if (config->listen_s2s.num + config->listen_c2s.num == 0)
        return complain(config->path, "it listens nowhere");
    X509 *x = has_certificate(d) ? read_certificate(d->certificate) : NULL;
    if (!x)
        return EXIT_FAILURE;
    add_records(&text, x, host, &config->listen_s2s);
    add_records(&text, x, host, &config->listen_c2s);
    (void)fputs(text.at, stdout);
    dna_buf_cleanup(&text);
    X509_free(x);
    return EXIT_SUCCESS;
}

int dna_publish_is(const char *word)
{
    return strcmp(word, "posh") == 0 || strcmp(word, "tlsa") == 0;
}

int dna_publish(int argc, char **argv)
{
    struct options o;
    char why[500];
    struct dna_config *config = NULL;
    int status = parse_options(argc, argv, &o);
    if (status >= 0)
        return status;
    if (o.config && !(config = dna_config_load(o.config, why, sizeof why))) {
        (void)fprintf(stderr, "%s\n", why);
        return EXIT_BAD_USAGE;
    }
    status = o.posh ? posh(&o, config) : tlsa(&o, config);
    dna_config_free(config);
    return status;
}
