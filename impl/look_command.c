/* SPDX-License-Identifier: MIT */
/* look_command.c -- the command line of `xdna-client check`. */
#include <getopt.h>
#include <string.h>

#include "impl/client_command.h"
#include "impl/jid.h"
#include "impl/log.h"
#include "impl/look.h"

static const char help[] =
    "Usage: xdna-client check DOMAIN [OPTION...]\n"
    "\n"
    "Looks at a domain from outside, without an account there: how clients and servers find it,\n"
    "whom they reach, what is offered, and what DANE, PKIX and POSH make of the certificate.\n"
    "\n"
    "  --c2s, --s2s              only as a client, only as a server (default: both)\n"
    "  --from DOMAIN             name ourselves so in the header between servers\n"
    "  --cert FILE --key FILE    a certificate (PEM) for servers that ask for one\n"
    "  --resolver ADDR[:PORT]    DNS server (default: the first of /etc/resolv.conf)\n"
    "  --trust-anchor RECORD     DS or DNSKEY record: validate DNSSEC; without it DANE proves "
    "nothing\n"
    "  --ca-file F, --ca-dir D   trusted roots, for servers and for POSH (default: the system's)\n"
    "  --crl-file F              revocation lists (PEM) of the roots; those revoked are refused\n"
    "  --no-posh                 seek no POSH document\n"
    "  --knob NAME=VALUE         a choice of spec/decisions.def\n"
    "  --timeout S               seconds for each question, connection and negotiation\n"
    "  --json                    one JSON document, for both services\n"
    "  -v, --verbose             every step through the tables, on standard error\n"
    "  --help\n"
    "\n"
    "Targets are tried in the order of their SRV records until one is reached. The connection is\n"
    "then looked at also where nothing proves the domain, unless it is refuted.\n"
    "\n"
    "Exit status: 0 there is a strong association for every service looked at; 1 there is none "
    "for\n"
    "one that can be reached, it is refuted, or DNSSEC forbids to go there; 2 usage; 99 one could\n"
    "not be reached or looked at.\n";

enum option_id {
    OPT_C2S = 256,
    OPT_S2S,
    OPT_FROM,
    OPT_CERT,
    OPT_KEY,
    OPT_RESOLVER,
    OPT_TRUST_ANCHOR,
    OPT_CA_FILE,
    OPT_CA_DIR,
    OPT_CRL_FILE,
    OPT_POSH,
    OPT_NO_POSH,
    OPT_KNOB,
    OPT_TIMEOUT,
    OPT_JSON,
    OPT_HELP
};

static const struct option long_options[] = {
    { "c2s", no_argument, NULL, OPT_C2S },
    { "s2s", no_argument, NULL, OPT_S2S },
    { "from", required_argument, NULL, OPT_FROM },
    { "cert", required_argument, NULL, OPT_CERT },
    { "key", required_argument, NULL, OPT_KEY },
    { "resolver", required_argument, NULL, OPT_RESOLVER },
    { "trust-anchor", required_argument, NULL, OPT_TRUST_ANCHOR },
    { "ca-file", required_argument, NULL, OPT_CA_FILE },
    { "ca-dir", required_argument, NULL, OPT_CA_DIR },
    { "crl-file", required_argument, NULL, OPT_CRL_FILE },
    { "posh", no_argument, NULL, OPT_POSH },
    { "no-posh", no_argument, NULL, OPT_NO_POSH },
    { "knob", required_argument, NULL, OPT_KNOB },
    { "timeout", required_argument, NULL, OPT_TIMEOUT },
    { "json", no_argument, NULL, OPT_JSON },
    { "verbose", no_argument, NULL, 'v' },
    { "help", no_argument, NULL, OPT_HELP },
    { NULL, 0, NULL, 0 }
};

/* What the command line said, and the memory behind it. */
struct command {
    struct dna_look_options options;
    char name[256], ascii[256], from[256], resolver[128];
    bool c2s, s2s, verbose;
};

static bool read_from(struct command *c, const char *value)
{
    c->options.from = c->from;
    return dna_domain_prepare(value, c->from, sizeof c->from, NULL, 0) ||
           dna_command_usage("--from: `%s' is no domain", value);
}

static bool read_text(struct dna_client_env_options *o, int option, const char *value)
{
    const char **at = option == OPT_CERT           ? &o->certificate
                      : option == OPT_KEY          ? &o->key
                      : option == OPT_TRUST_ANCHOR ? &o->trust_anchor
                      : option == OPT_CA_FILE      ? &o->ca_file
                      : option == OPT_CA_DIR       ? &o->ca_dir
                                                   : NULL;

    if (!at)
        return dna_command_usage("%s", "what was that?"); /* getopt has said what is wrong */
    *at = value;
    return true;
}

static bool read_option(struct command *c, int option, const char *value)
{
    struct dna_look_options *o = &c->options;

    switch (option) {
    case OPT_C2S:
        return c->c2s = true;
    case OPT_S2S:
        return c->s2s = true;
    case OPT_FROM:
        return read_from(c, value);
    case OPT_RESOLVER:
        o->env.resolver = c->resolver;
        return dna_command_resolver(value, c->resolver, sizeof c->resolver);
    case OPT_POSH:
    case OPT_NO_POSH:
        o->knobs.posh = option == OPT_POSH;
        return true;
    case OPT_CRL_FILE:
        return dna_command_crl_file(value, &o->env.crl_file, &o->knobs);
    case OPT_KNOB:
        return dna_command_knob(value, &o->knobs);
    case OPT_TIMEOUT:
        if (!dna_command_seconds(value, &o->negotiation_ms))
            return false;
        o->connect_ms = o->env.resolve_ms = o->negotiation_ms;
        return true;
    case OPT_JSON:
        return o->json = true;
    case 'v':
        return c->verbose = true;
    default:
        return read_text(&o->env, option, value);
    }
}

static bool complete(struct command *c, int argc, char **argv)
{
    struct dna_look_options *o = &c->options;

    if (optind + 1 != argc)
        return dna_command_usage("%s", "check wants one domain");
    if (!dna_domain_prepare(argv[optind], c->name, sizeof c->name, c->ascii, sizeof c->ascii))
        return dna_command_usage("check: `%s' is no domain", argv[optind]);
    if (!o->env.certificate != !o->env.key)
        return dna_command_usage("%s", "--cert and --key belong together");
    o->domain = c->name;
    o->ascii = c->ascii;
    o->c2s = c->c2s || !c->s2s;
    o->s2s = c->s2s || !c->c2s;
    return true;
}

int dna_look_command(int argc, char **argv)
{
    static struct command c;
    int option;

    argv[0] = "xdna-client check"; /* getopt's messages begin with it */
    dna_look_options_default(&c.options);
    while ((option = getopt_long(argc, argv, "v", long_options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(help, stdout);
            return 0;
        }
        if (!read_option(&c, option, optarg))
            return DNA_CLIENT_USAGE;
    }
    if (!complete(&c, argc, argv))
        return DNA_CLIENT_USAGE;
    dna_log_open(NULL, c.verbose ? DNA_LOG_STEP : DNA_LOG_ERROR);
    return (int)dna_look_run(&c.options, stdout);
}
