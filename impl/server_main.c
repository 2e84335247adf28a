/* SPDX-License-Identifier: MIT */
/* server_main: the program xdna-server: reads its one file, runs until SIGTERM or SIGINT, closes
 * its streams and ends. The test build (DNA_TEST_BUILD) runs the tables themselves and can damage
 * them. */
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <libxml/parser.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "spec/version.h"
#include "impl/buf.h"
#include "impl/config.h"
#include "impl/fault.h"
#include "impl/log.h"
#include "impl/publish.h"
#include "impl/server.h"
#ifdef DNA_TEST_BUILD
#include "impl/peer_knobs.h"
#include "model/interp.h"
#endif

enum { EXIT_BAD_USAGE = 2, STOP_SECONDS = 5 };

static const char usage[] =
    "Usage: xdna-server --config FILE [--check]\n"
    "       xdna-server --print-config [--config FILE]\n"
    "       xdna-server posh|tlsa --config FILE [DOMAIN] [options]\n"
    "A server that shows RFC 7712: S2S and C2S streams, and how each domain is proved on them.\n"
    "  --config FILE    read the configuration from FILE\n"
    "  --check          read it, load what it names, and end\n"
    "  --print-config   print every setting (of FILE, else the defaults) and end\n"
    "  posh, tlsa       print what a domain publishes to be proved by POSH or DANE; with --help: "
    "how\n"
#ifdef DNA_TEST_BUILD
    "  --mutate ROW:OP  damage a row of the tables; may be repeated\n"
    "  --fault NAME     plant a fault that no row decides (model/faults.def); may be repeated\n"
    "  --fired FILE     write NUMBER ROW when a row first fires for peers of that number\n"
    "  --mutants FILE   its line N, one or more ROW:OP, counts for peers numbered N alone "
    "(peer_knobs.h)\n"
#endif
    "Ends with 0 after SIGTERM or SIGINT, with 1 if it cannot run, with 2 if it was called wrongly "
    "or\n"
    "the configuration is refused.\n";

struct options {
    const char *config;
    bool check, print;
};

struct running {
    struct event_base *base;
    struct dna_server *server;
    struct event *term, *interrupt, *deadline;
    bool given_up;
};

static int mutate(const char *what)
{
#ifdef DNA_TEST_BUILD
    char why[300] = "";
    if (dna_interp_mutate(what, why, sizeof why) == 0)
        return 0;
    (void)fprintf(stderr, "xdna-server: --mutate %s\n", why); /* it names the mutant */
#else
    (void)fprintf(stderr, "xdna-server: --mutate %s: only the test build has it\n", what);
#endif
    return -1;
}

#ifdef DNA_TEST_BUILD
/* A copy of the configuration's knobs for each mutant, with its number in it. */
static const struct dna_knobs *knobs_of_peer(const struct dna_knobs *plain, const char *peer)
{
    static struct dna_knobs *copies[DNA_MAX_NUMBERED + 1];
    unsigned number = dna_peer_mutant(peer);

    if (number == 0 || number > DNA_MAX_NUMBERED)
        return plain;
    if (!copies[number]) {
        copies[number] = dna_calloc(1, sizeof **copies);
        *copies[number] = *plain;
        copies[number]->mutant = number;
    }
    return copies[number];
}

/* Damaged tables may lead where no code was written for; the last words say whose damage it was. */
static void on_crash(int number)
{
    char text[60];
    int len = snprintf(text, sizeof text, "died of mutant %u\n", dna_interp_number());

    if (write(STDERR_FILENO, text, (size_t)len) < 0)
        _exit(EXIT_FAILURE);
    (void)raise(number); /* its handler is gone: this is the end */
}

static void leave_last_words(void)
{
    static char stack[1 << 16];
    const stack_t other = { .ss_sp = stack, .ss_size = sizeof stack };
    const struct sigaction act = { .sa_handler = on_crash,
                                   .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND | SA_NODEFER) };

    (void)sigaltstack(&other, NULL);
    (void)sigaction(SIGSEGV, &act, NULL);
    (void)sigaction(SIGABRT, &act, NULL);
}

/* Those that recurse without end die alone; the file beside the list says which (interp.h). */
static void bury_alone(const char *file)
{
    struct dna_buf name = DNA_BUF_INIT;
    FILE *out;

    dna_buf_printf(&name, "%s.dead", file);
    out = fopen(name.at, "a");
    if (out)
        (void)setvbuf(out, NULL, _IOLBF, BUFSIZ);
    dna_interp_tell_dead(out);
    dna_buf_cleanup(&name);
}

static int mutants(const char *file)
{
    char *line = NULL, *rest, why[300] = "";
    size_t room = 0;
    uint32_t number = 0;
    int status = 0;
    FILE *in = fopen(file, "r");

    while (in && status == 0 && getline(&line, &room, in) >= 0) {
        number++;
        for (char *at = strtok_r(line, " \n", &rest); at && status == 0;
             at = strtok_r(NULL, " \n", &rest))
            status = dna_interp_mutate_numbered(number, at, why, sizeof why);
    }
    if (!in || status)
        (void)fprintf(stderr, "xdna-server: --mutants %s:%u: %s\n", file, number,
                      in ? why : strerror(errno));
    if (in)
        (void)fclose(in);
    free(line);
    leave_last_words();
    bury_alone(file);
    dna_dead_ends_ask(dna_interp_die);
    dna_knobs_ask(knobs_of_peer);
    return in ? status : -1;
}
static int fault(const char *name)
{
    if (dna_fault_plant(name))
        return 0;
    (void)fprintf(stderr, "xdna-server: --fault %s: there is none of that name (model/faults.def)\n", name);
    return -1;
}

/* Appends, for a server that is started again goes on with the same file. */
static int fired(const char *file)
{
    FILE *out = fopen(file, "a");

    if (!out) {
        (void)fprintf(stderr, "xdna-server: --fired %s: %s\n", file, strerror(errno));
        return -1;
    }
    (void)setvbuf(out, NULL, _IOLBF, BUFSIZ);
    dna_interp_tell_fired(out, 0);
    dna_knobs_ask(knobs_of_peer);
    return 0;
}
#else
static int fault(const char *name)
{
    (void)fprintf(stderr, "xdna-server: --fault %s: only the test build has it\n", name);
    return -1;
}

static int fired(const char *file)
{
    (void)fprintf(stderr, "xdna-server: --fired %s: only the test build has it\n", file);
    return -1;
}

static int mutants(const char *file)
{
    (void)fprintf(stderr, "xdna-server: --mutants %s: only the test build has it\n", file);
    return -1;
}
#endif

static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' }, { "check", no_argument, NULL, 'k' },
        { "print-config", no_argument, NULL, 'p' }, { "mutate", required_argument, NULL, 'm' },
        { "mutants", required_argument, NULL, 'M' },
        { "fired", required_argument, NULL, 'F' },
        { "fault", required_argument, NULL, 'X' },
        { "help", no_argument, NULL, 'h' },         { "version", no_argument, NULL, 'v' },
        { NULL, 0, NULL, 0 }
    };
    int c;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'c')
            o->config = optarg;
        else if (c == 'k')
            o->check = true;
        else if (c == 'p')
            o->print = true;
        else if ((c == 'm' && mutate(optarg) == 0) || (c == 'M' && mutants(optarg) == 0) ||
                 (c == 'F' && fired(optarg) == 0) || (c == 'X' && fault(optarg) == 0))
            continue;
        else if (c == 'v')
            return (void)puts("xdna-server " DNA_VERSION), 1;
        else if (c == 'h')
            return (void)fputs(usage, stdout), 1;
        else
            return -1;
    }
    if (optind < argc || (!o->config && !o->print)) {
        (void)fputs(usage, stderr);
        return -1;
    }
    return 0;
}

static void on_signal(int number, short what, void *arg)
{
    struct running *r = arg;
    struct timeval tv = { STOP_SECONDS, 0 };
    (void)what;
    dna_log(DNA_LOG_INFO, "stopping", "signal=%d", number);
    dna_server_stop(r->server);
    event_add(r->deadline, &tv);
}

static void on_deadline(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ((struct running *)arg)->given_up = true;
}

static void run(struct running *r)
{
    r->term = evsignal_new(r->base, SIGTERM, on_signal, r);
    r->interrupt = evsignal_new(r->base, SIGINT, on_signal, r);
    r->deadline = event_new(r->base, -1, 0, on_deadline, r);
    event_add(r->term, NULL);
    event_add(r->interrupt, NULL);
    while (!r->given_up && !dna_server_stopped(r->server))
        if (event_base_loop(r->base, EVLOOP_ONCE) != 0)
            break;
    event_free(r->term);
    event_free(r->interrupt);
    event_free(r->deadline);
}

/* Thousands of streams need as many descriptors as the system grants. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int serve(const struct dna_config *config, bool check)
{
    char why[400] = "";
    struct running r = { .base = event_base_new() };
    int status = EXIT_FAILURE;
    if (!r.base)
        abort();
    raise_descriptor_limit();
    r.server = dna_server_new(r.base, config, why, sizeof why);
    if (r.server && check) {
        status = EXIT_SUCCESS;
    } else if (r.server && dna_server_listen(r.server, why, sizeof why) == 0) {
        dna_log(DNA_LOG_INFO, "ready", "domains=%zu", config->num_domains);
        run(&r);
        status = EXIT_SUCCESS;
    } else {
        (void)fprintf(stderr, "xdna-server: %s\n", why);
    }
    dna_server_free(r.server);
    event_base_free(r.base);
    return status;
}

static struct dna_config *configure(const struct options *o)
{
    char why[500];
    struct dna_config *c =
        o->config ? dna_config_load(o->config, why, sizeof why) : dna_config_new();
    if (!c)
        (void)fprintf(stderr, "%s\n", why);
    return c;
}

int main(int argc, char **argv)
{
    struct options o = { NULL, false, false };
    if (argc > 1 && dna_publish_is(argv[1]))
        return dna_publish(argc - 1, argv + 1);
    int parsed = parse_options(argc, argv, &o);
    if (parsed != 0)
        return parsed > 0 ? EXIT_SUCCESS : EXIT_BAD_USAGE;
    struct dna_config *config = configure(&o);
    if (!config)
        return EXIT_BAD_USAGE;
    int status = EXIT_SUCCESS;
    if (o.print) {
        dna_config_print(stdout, config);
    } else if (dna_log_open(config->log, config->log_level) != 0) {
        (void)fprintf(stderr, "xdna-server: cannot write the log %s\n", config->log);
        status = EXIT_FAILURE;
    } else {
        (void)signal(SIGPIPE, SIG_IGN);
        xmlInitParser();
        status = serve(config, o.check);
        dna_log_close();
        xmlCleanupParser();
    }
    dna_config_free(config);
    return status;
}
