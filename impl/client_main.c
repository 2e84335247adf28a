/* SPDX-License-Identifier: MIT */
/* client_main.c -- the command line of xdna-client. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "impl/buf.h"
#include "impl/client.h"
#include "impl/client_command.h"
#include "impl/log.h"
#include "impl/look.h"
#ifdef DNA_TEST_BUILD
#include "model/interp.h"
#endif

static const char help[] =
    "Usage: xdna-client --jid USER@DOMAIN[/RESOURCE] [OPTION...]\n"
    "       xdna-client --jid DOMAIN [OPTION...]       the association only, no login\n"
    "       xdna-client check DOMAIN [OPTION...]       the domain as seen from outside; --help\n"
    "\n"
    "Shows step by step how a client establishes the domain name association of a server\n"
    "(RFC 7712 section 3.2), naming the requirements behind each step; then logs in.\n"
    "No password is sent before the association is there.\n"
    "\n"
    "Account and message\n"
    "  --jid JID                 whose association; with USER, whom to log in as\n"
    "  --password P              the password (other users of the machine may see it)\n"
    "  --password-file F         first line of F; - is standard input\n"
    "  --to JID --message TEXT   send one message\n"
    "  --to JID --messages FILE  send each line of FILE as a message as soon as it is there, - is\n"
    "                            standard input; ends with FILE, when the server has it all\n"
    "  --message-id ID           its id (default: random); those of lines are ID-1, ID-2 ...\n"
    "  --expect-message ID       wait for a message of that id; '*' is any; lines are sent all the\n"
    "                            same\n"
    "  --wait S                  seconds to wait for it, or for an error to ours (default 10 with\n"
    "                            --expect-message, else 0); with --messages from their end on\n"
    "Finding the server\n"
    "  --resolver ADDR[:PORT]    DNS server (default: the first of /etc/resolv.conf)\n"
    "  --trust-anchor RECORD     DS or DNSKEY record: validate DNSSEC (else DANE proves nothing)\n"
    "  --connect HOST[:PORT]     go there instead of asking DNS; the domain to prove stays\n"
    "Deciding on the certificate\n"
    "  --ca-file F, --ca-dir D   trusted roots (default: the system's)\n"
    "  --crl-file F              revocation lists (PEM) of the roots; those revoked are refused\n"
    "  --pin SHA256              accept this certificate where nothing proves it\n"
    "  --pins FILE               remembered pins (default ~/.config/xdna/pins); none = no file.\n"
    "                            A pin holds for its domain, host, port and chain only.\n"
    "  --accept-unauthenticated  go on even if nothing proves the domain: your consent\n"
    "  --posh, --no-posh         whether POSH documents are sought (default: they are)\n"
    "  --knob NAME=VALUE         a choice of spec/decisions.def\n"
    "A self-signed certificate that is not pinned is shown and asked about when standard input\n"
    "is a terminal; any other one that fails is refused (RFC 6125 6.6.4, RFC 7590 3.4).\n"
    "Output\n"
    "  --explain                 what each requirement says\n"
    "  --json                    one JSON object a line\n"
    "  -v, --verbose             every step through the tables, on standard error\n"
    "  --timeout S               seconds for connecting, and for negotiating (default 10, 30)\n"
    "  --close-timeout S         seconds for the server to close its stream, too (default 2)\n"
    "  --limit-stanza BYTES      of one element that is taken (default 1048576, at least 10000)\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 associated (strongly, by a pin, or unauthenticated with consent: see the\n"
    "RESULT line) and all done; 1 refused: no association or one that the domain's owner refutes,\n"
    "which neither a pin nor consent overrides, no TLS, no login, message bounced or\n"
    "not received; 2 usage; 99 no server found or reached, connection lost, out of time.\n";

enum option_id {
    OPT_JID = 256,
    OPT_PASSWORD,
    OPT_PASSWORD_FILE,
    OPT_TO,
    OPT_MESSAGE,
    OPT_MESSAGES,
    OPT_MESSAGE_ID,
    OPT_EXPECT,
    OPT_WAIT,
    OPT_RESOLVER,
    OPT_TRUST_ANCHOR,
    OPT_CONNECT,
    OPT_CA_FILE,
    OPT_CA_DIR,
    OPT_CRL_FILE,
    OPT_PIN,
    OPT_PINS,
    OPT_ACCEPT,
    OPT_POSH,
    OPT_NO_POSH,
    OPT_KNOB,
    OPT_EXPLAIN,
    OPT_JSON,
    OPT_TIMEOUT,
    OPT_CLOSE_TIMEOUT,
    OPT_LIMIT_STANZA,
    OPT_HELP,
    OPT_VERSION
};

static const struct option long_options[] = {
    { "jid", required_argument, NULL, OPT_JID },
    { "password", required_argument, NULL, OPT_PASSWORD },
    { "password-file", required_argument, NULL, OPT_PASSWORD_FILE },
    { "to", required_argument, NULL, OPT_TO },
    { "message", required_argument, NULL, OPT_MESSAGE },
    { "messages", required_argument, NULL, OPT_MESSAGES },
    { "message-id", required_argument, NULL, OPT_MESSAGE_ID },
    { "expect-message", required_argument, NULL, OPT_EXPECT },
    { "wait", required_argument, NULL, OPT_WAIT },
    { "resolver", required_argument, NULL, OPT_RESOLVER },
    { "trust-anchor", required_argument, NULL, OPT_TRUST_ANCHOR },
    { "connect", required_argument, NULL, OPT_CONNECT },
    { "ca-file", required_argument, NULL, OPT_CA_FILE },
    { "ca-dir", required_argument, NULL, OPT_CA_DIR },
    { "crl-file", required_argument, NULL, OPT_CRL_FILE },
    { "pin", required_argument, NULL, OPT_PIN },
    { "pins", required_argument, NULL, OPT_PINS },
    { "accept-unauthenticated", no_argument, NULL, OPT_ACCEPT },
    { "posh", no_argument, NULL, OPT_POSH },
    { "no-posh", no_argument, NULL, OPT_NO_POSH },
    { "knob", required_argument, NULL, OPT_KNOB },
    { "explain", no_argument, NULL, OPT_EXPLAIN },
    { "json", no_argument, NULL, OPT_JSON },
    { "verbose", no_argument, NULL, 'v' },
    { "timeout", required_argument, NULL, OPT_TIMEOUT },
    { "close-timeout", required_argument, NULL, OPT_CLOSE_TIMEOUT },
    { "limit-stanza", required_argument, NULL, OPT_LIMIT_STANZA },
    { "help", no_argument, NULL, OPT_HELP },
    { "version", no_argument, NULL, OPT_VERSION },
    { NULL, 0, NULL, 0 }
};

/* What the command line said, and the memory behind it. */
struct command {
    struct dna_client_options options;
    struct dna_jid jid;
    char ascii[256], pin[DNA_PIN_HEX + 1], pins[4096], resolver[128], host[256];
    char password[DNA_JID_PART_MAX + 1];
    const char *messages; /* the file's name */
    struct stat password_file; /* that it was read from, if password_read */
    bool have_jid, have_wait, have_message, password_read, verbose;
};

static bool read_password_file(struct command *c, const char *path)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    char *line;

    if (!in) {
        fprintf(stderr, "xdna-client: %s: %s\n", path, strerror(errno));
        return false;
    }
    line = fgets(c->password, sizeof c->password, in);
    c->password_read = fstat(fileno(in), &c->password_file) == 0;
    if (in != stdin)
        fclose(in);
    if (!line)
        return dna_command_usage("%s: no password in its first line", path);
    c->password[strcspn(c->password, "\r\n")] = '\0';
    c->options.password = c->password;
    return true;
}

/* HOST, HOST:PORT, [IPV6] or [IPV6]:PORT; unlike a listener's address HOST may be a name. */
static bool read_connect(struct command *c, const char *text)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : text + strcspn(text, ":");
    unsigned long port = 5222;
    char *rest = "";

    if (end && text[0] == '[')
        end++;
    if (!end || end == text || (size_t)(end - text) >= sizeof c->host || (*end && *end != ':'))
        return dna_command_usage("--connect: `%s' is not HOST[:PORT]", text);
    if (*end == ':')
        port = end[1] >= '0' && end[1] <= '9' ? strtoul(end + 1, &rest, 10) : 0;
    if (*rest || port == 0 || port > UINT16_MAX)
        return dna_command_usage("--connect: `%s' has no port from 1 to 65535", text);
    memcpy(c->host, text, (size_t)(end - text));
    c->host[end - text] = '\0';
    c->options.connect_host = c->host;
    c->options.connect_port = (uint16_t)port;
    return true;
}

static bool read_jid(struct command *c, const char *text)
{
    if (!dna_jid_parse(text, &c->jid) ||
        !dna_domain_prepare(c->jid.domain, NULL, 0, c->ascii, sizeof c->ascii))
        return dna_command_usage("--jid: `%s' is no address", text);
    c->options.jid = &c->jid;
    c->options.domain_ascii = c->ascii;
    c->have_jid = true;
    return true;
}

static bool read_text_option(struct command *c, int option, const char *value)
{
    struct dna_client_options *o = &c->options;
    const char **at = option == OPT_PASSWORD       ? &o->password
                      : option == OPT_TO           ? &o->to
                      : option == OPT_MESSAGE      ? &o->message
                      : option == OPT_MESSAGES     ? &c->messages
                      : option == OPT_MESSAGE_ID   ? &o->message_id
                      : option == OPT_EXPECT       ? &o->expect_id
                      : option == OPT_TRUST_ANCHOR ? &o->trust_anchor
                      : option == OPT_CA_FILE      ? &o->ca_file
                      : option == OPT_CA_DIR       ? &o->ca_dir
                                                   : NULL;

    if (!at)
        return dna_command_usage("%s", "what was that?"); /* getopt has said what is wrong */
    *at = value;
    c->have_message |= option == OPT_MESSAGE;
    return dna_utf8_valid(value, strlen(value)) || dna_command_usage("`%s' is not UTF-8", value);
}

#ifdef DNA_TEST_BUILD
static bool test_option(const char *name, const char *value)
{
    char why[256];
    unsigned number;
    int at = 0;
    FILE *out;

    if (strcmp(name, "--mutate") == 0)
        return dna_interp_mutate(value, why, sizeof why) == 0 ||
               dna_command_usage("--mutate: %s", why);
    out = sscanf(value, "%u:%n", &number, &at) == 1 && at ? fopen(value + at, "a") : NULL;
    if (!out)
        return dna_command_usage("--fired %s: not NUMBER:FILE, or cannot be written", value);
    (void)setvbuf(out, NULL, _IOLBF, BUFSIZ);
    dna_interp_tell_fired(out, number);
    return true;
}

/* What only the test build has comes first: --mutate ROW:OP damages a row, --fired NUMBER:FILE
 * writes NUMBER ROW for each row that fires (model/interp.h). True: these were taken off, if there
 * were any. */
static bool test_options(int *argc, char ***argv)
{
    while (*argc > 2 &&
           (strcmp((*argv)[1], "--mutate") == 0 || strcmp((*argv)[1], "--fired") == 0)) {
        if (!test_option((*argv)[1], (*argv)[2]))
            return false;
        (*argv)[2] = (*argv)[0];
        *argc -= 2;
        *argv += 2;
    }
    return true;
}
#endif

/* False: it is none of those without a value. */
static bool read_flag(struct command *c, int option)
{
    struct dna_client_options *o = &c->options;

    switch (option) {
    case OPT_ACCEPT:
        return o->accept_unauthenticated = true;
    case OPT_POSH:
    case OPT_NO_POSH:
        o->knobs.posh = option == OPT_POSH;
        return true;
    case OPT_EXPLAIN:
        return o->explain = true;
    case OPT_JSON:
        return o->json = true;
    case 'v':
        return c->verbose = true;
    default:
        return false;
    }
}

static bool read_option(struct command *c, int option, const char *value)
{
    struct dna_client_options *o = &c->options;

    switch (option) {
    case OPT_JID:
        return read_jid(c, value);
    case OPT_PASSWORD_FILE:
        return read_password_file(c, value);
    case OPT_WAIT:
        c->have_wait = true;
        return dna_command_seconds(value, &o->wait_ms);
    case OPT_CLOSE_TIMEOUT:
        return dna_command_seconds(value, &o->close_ms);
    case OPT_LIMIT_STANZA:
        return dna_command_limit(value, &o->limit_stanza);
    case OPT_TIMEOUT:
        if (!dna_command_seconds(value, &o->negotiation_ms))
            return false;
        o->connect_ms = o->resolve_ms = o->negotiation_ms;
        return true;
    case OPT_RESOLVER:
        o->resolver = c->resolver;
        return dna_command_resolver(value, c->resolver, sizeof c->resolver);
    case OPT_CONNECT:
        return read_connect(c, value);
    case OPT_PIN:
        o->pin = c->pin;
        return dna_pin_fingerprint(value, c->pin) ||
               dna_command_usage("--pin: `%s' is no SHA-256", value);
    case OPT_PINS:
        o->pins_path = strcmp(value, "none") == 0 ? NULL : value;
        return true;
    case OPT_CRL_FILE:
        return dna_command_crl_file(value, &o->crl_file, &o->knobs);
    case OPT_KNOB:
        return dna_command_knob(value, &o->knobs);
    default:
        return read_flag(c, option) || read_text_option(c, option, value);
    }
}

static bool open_messages(struct command *c)
{
    struct dna_client_options *o = &c->options;
    bool on_stdin = strcmp(c->messages, "-") == 0;
    struct stat st;

    if (!o->to || c->have_message)
        return dna_command_usage("--messages %s: needs --to, and no --message", c->messages);
    o->lines_fd = on_stdin ? STDIN_FILENO : open(c->messages, O_RDONLY | O_CLOEXEC);
    if (o->lines_fd < 0 || fstat(o->lines_fd, &st) != 0) {
        fprintf(stderr, "xdna-client: --messages: %s: %s\n", c->messages, strerror(errno));
        return false;
    }
    if (c->password_read && st.st_dev == c->password_file.st_dev &&
        st.st_ino == c->password_file.st_ino)
        return dna_command_usage("--messages %s: holds the password", c->messages);
    return true;
}

static bool complete(struct command *c, int argc)
{
    struct dna_client_options *o = &c->options;
    struct dna_jid *to = dna_calloc(1, sizeof *to);
    bool to_ok = !o->to || dna_jid_parse(o->to, to);

    free(to);
    if (optind < argc)
        return dna_command_usage("%s", "there are only options, no arguments");
    if (!c->have_jid)
        return dna_command_usage("%s", "--jid is missing");
    if (c->jid.local[0] && !o->password)
        return dna_command_usage("%s",
                                 "--password-file (or --password) is missing; to see the "
                                 "association without logging in, give --jid DOMAIN");
    if (!c->jid.local[0] && (o->to || o->expect_id))
        return dna_command_usage("%s", "messages need an account: --jid USER@DOMAIN");
    if (!to_ok)
        return dna_command_usage("--to: `%s' is no address", o->to);
    if (o->expect_id && !c->have_wait)
        o->wait_ms = 10000;
    if (o->message_id && strlen(o->message_id) > 100)
        return dna_command_usage("%s", "--message-id: longer than 100 bytes");
    return !c->messages || open_messages(c);
}

int main(int argc, char **argv)
{
    static struct command c; /* some kilobytes of text, once */
    int option;

    signal(SIGPIPE, SIG_IGN);
#ifdef DNA_TEST_BUILD
    if (!test_options(&argc, &argv))
        return DNA_CLIENT_USAGE;
#endif
    if (argc > 1 && strcmp(argv[1], "check") == 0)
        return dna_look_command(argc - 1, argv + 1);
    dna_client_options_default(&c.options);
    if (dna_pins_default_path(c.pins, sizeof c.pins))
        c.options.pins_path = c.pins;
    while ((option = getopt_long(argc, argv, "v", long_options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(help, stdout);
            return 0;
        }
        if (option == OPT_VERSION) {
            puts("xdna-client 0.1");
            return 0;
        }
        if (!read_option(&c, option, optarg))
            return DNA_CLIENT_USAGE;
    }
    if (!complete(&c, argc))
        return DNA_CLIENT_USAGE;
    dna_log_open(NULL, c.verbose ? DNA_LOG_STEP : DNA_LOG_ERROR);
    c.options.may_ask = isatty(STDIN_FILENO) && !c.options.json;
    c.options.ask_fd = c.options.may_ask ? STDIN_FILENO : -1;
    return (int)dna_client_run(&c.options, stdout);
}
