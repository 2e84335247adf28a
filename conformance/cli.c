/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. Flags of the command line. What is not understood is refused with the
 * reason, never guessed.
 */
#include "conformance/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum flag {
    FLAG_PROFILE = 256, FLAG_KNOWN, FLAG_FLAKY, FLAG_WRITE_KNOWN, FLAG_LEVEL, FLAG_FAIL_ON,
    FLAG_ROLE, FLAG_REQUIRE, FLAG_TIMEOUT, FLAG_DEADLINE, FLAG_SEED, FLAG_ORDER, FLAG_REPEAT,
    FLAG_UNTIL_FAILURE, FLAG_FAIL_FAST, FLAG_SKIP, FLAG_JUNIT, FLAG_JSON, FLAG_TRANSCRIPTS,
    FLAG_KEEP,
    FLAG_COLOR, FLAG_PROGRESS, FLAG_SERVER, FLAG_MUTATE, FLAG_FAULT, FLAG_BUG, FLAG_STRICT_FEATURES,
    FLAG_STRICT_WAIVERS, FLAG_TEXTS, FLAG_NO_HONESTY, FLAG_NO_ORACLE, FLAG_HELP, FLAG_LATER,
};

static const struct option long_options[] = {
    { "profile", required_argument, NULL, FLAG_PROFILE },
    { "known-failures", required_argument, NULL, FLAG_KNOWN },
    { "known-flaky", required_argument, NULL, FLAG_FLAKY },
    { "write-known-failures", required_argument, NULL, FLAG_WRITE_KNOWN },
    { "level", required_argument, NULL, FLAG_LEVEL },
    { "fail-on", required_argument, NULL, FLAG_FAIL_ON },
    { "role", required_argument, NULL, FLAG_ROLE },
    { "require", required_argument, NULL, FLAG_REQUIRE },
    { "timeout", required_argument, NULL, FLAG_TIMEOUT },
    { "deadline", required_argument, NULL, FLAG_DEADLINE },
    { "seed", required_argument, NULL, FLAG_SEED },
    { "order", required_argument, NULL, FLAG_ORDER },
    { "repeat", required_argument, NULL, FLAG_REPEAT },
    { "repeat-until-failure", no_argument, NULL, FLAG_UNTIL_FAILURE },
    { "fail-fast", no_argument, NULL, FLAG_FAIL_FAST },
    { "skip", required_argument, NULL, FLAG_SKIP },
    { "junit", required_argument, NULL, FLAG_JUNIT },
    { "json", optional_argument, NULL, FLAG_JSON },
    { "transcripts", required_argument, NULL, FLAG_TRANSCRIPTS },
    { "keep", required_argument, NULL, FLAG_KEEP },
    { "color", required_argument, NULL, FLAG_COLOR },
    { "progress", required_argument, NULL, FLAG_PROGRESS },
    { "server", required_argument, NULL, FLAG_SERVER },
    { "mutate", required_argument, NULL, FLAG_MUTATE },
    { "fault", required_argument, NULL, FLAG_FAULT },
    { "bug", required_argument, NULL, FLAG_BUG },
    { "strict-features", no_argument, NULL, FLAG_STRICT_FEATURES },
    { "strict-waivers", no_argument, NULL, FLAG_STRICT_WAIVERS },
    { "texts", required_argument, NULL, FLAG_TEXTS },
    { "no-honesty-check", no_argument, NULL, FLAG_NO_HONESTY },
    { "no-oracle", no_argument, NULL, FLAG_NO_ORACLE },
    { "help", no_argument, NULL, FLAG_HELP },
    { "connect", optional_argument, NULL, FLAG_LATER },
    { "iut-domain", optional_argument, NULL, FLAG_LATER },
    { "tap", optional_argument, NULL, FLAG_LATER },
    { "events", optional_argument, NULL, FLAG_LATER },
    { "html", optional_argument, NULL, FLAG_LATER },
    { "pcap", optional_argument, NULL, FLAG_LATER },
    { "shard", optional_argument, NULL, FLAG_LATER },
    { "features", optional_argument, NULL, FLAG_LATER },
    { NULL, 0, NULL, 0 },
};

static bool refuse(const char *format, const char *a, const char *b)
{
    fputs("xdna: ", stderr);
    fprintf(stderr, format, a, b);
    fputs("\n(xdna run --help shows the flags)\n", stderr);
    return false;
}

static bool number(const char *flag, const char *text, unsigned min, unsigned max, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*end || end == text || n < min || n > max || *text == '-')
        return refuse("%s wants a number, not '%s'", flag, text);
    *out = (unsigned)n;
    return true;
}

static bool choice(const char *flag, const char *text, const char *const *words, int *out)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    return refuse("%s does not take '%s'", flag, text);
}

static bool seconds(const char *flag, const char *text, unsigned *out_ms)
{
    char *end;
    double s = strtod(text, &end);

    if (*end || end == text || !(s > 0 && s <= 600))
        return refuse("%s wants seconds, not '%s'", flag, text);
    *out_ms = (unsigned)(s * 1000);
    return true;
}

static void add_skip(struct dna_cli *cli, char *pattern)
{
    cli->run.skips = dna_xrealloc(cli->run.skips,
                                  (cli->run.num_skips + 1) * sizeof(*cli->run.skips));
    cli->run.skips[cli->run.num_skips++] = pattern;
}

static bool skip(struct dna_cli *cli, char *text)
{
    char line[512];
    FILE *f;

    if (*text != '@') {
        add_skip(cli, text);
        return true;
    }
    f = fopen(text + 1, "re");
    if (!f)
        return refuse("--skip: %s cannot be read%s", text + 1, "");
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, " \t\r\n#")] = '\0';
        if (*line)
            add_skip(cli, dna_pool_strdup(cli->pool, line));
    }
    fclose(f);
    return true;
}

static bool list_flag(int flag, struct dna_cli *cli, char *arg)
{
    const char **list = flag == FLAG_KNOWN ? cli->known : cli->flaky;
    unsigned *num = flag == FLAG_KNOWN ? &cli->num_known : &cli->num_flaky;

    if (*num == 16)
        return refuse("too many files%s%s", "", "");
    list[(*num)++] = arg;
    return true;
}

static bool number_flag(int flag, struct dna_cli *cli, const char *arg)
{
    switch (flag) {
    case 'j': return number("-j", arg, 1, 1000, &cli->run.jobs);
    case FLAG_REQUIRE: return number("--require", arg, 1, 1000000, &cli->required);
    case FLAG_REPEAT: return number("--repeat", arg, 1, 100000, &cli->run.repeat);
    case FLAG_DEADLINE: return number("--deadline", arg, 1, 86400, &cli->run.deadline_s);
    case FLAG_TIMEOUT: return seconds("--timeout", arg, &cli->run.timeout_ms);
    default: {
        char *end;

        cli->run.seed = strtoul(arg, &end, 10);
        return !*end && end != arg ? true : refuse("--seed wants a number, not '%s'%s", arg, "");
    }
    }
}

static bool choice_flag(int flag, struct dna_cli *cli, const char *arg)
{
    static const char *const levels[] = { "must", "should", "may", NULL };
    static const char *const fail_ons[] = { "invariant", "must", "should", NULL };
    static const char *const orders[] = { "fixed", "shuffle", NULL };
    static const char *const colors[] = { "auto", "always", "never", NULL };
    static const char *const progresses[] = { "auto", "line", "none", NULL };
    int n = 0;
    bool ok = true;

    switch (flag) {
    case FLAG_LEVEL:
        ok = choice("--level", arg, levels, &n);
        cli->run.level = (enum dna_case_level)n;
        cli->level_given = true;
        break;
    case FLAG_FAIL_ON:
        ok = choice("--fail-on", arg, fail_ons, &n);
        cli->fail_on = (enum dna_fail_on)n;
        break;
    case FLAG_ORDER:
        ok = choice("--order", arg, orders, &n);
        cli->run.shuffle = n == 1;
        break;
    case FLAG_COLOR:
        ok = choice("--color", arg, colors, &n);
        cli->color = arg;
        break;
    case FLAG_PROGRESS:
        ok = choice("--progress", arg, progresses, &n);
        cli->progress = (enum dna_progress)n;
        break;
    default:
        for (n = 0; dna_role_words[n] && strcmp(dna_role_words[n], arg) != 0;)
            n += 2;
        ok = dna_role_words[n] ? true : refuse("--role does not take '%s'%s", arg, "");
        cli->run.role = arg;
    }
    return ok;
}

static bool one_flag(int flag, struct dna_cli *cli, char *arg, const char *name)
{
    switch (flag) {
    case FLAG_PROFILE: cli->profile = arg; return true;
    case FLAG_KNOWN: case FLAG_FLAKY: return list_flag(flag, cli, arg);
    case FLAG_WRITE_KNOWN: cli->write_known = arg; return true;
    case FLAG_LEVEL: case FLAG_FAIL_ON: case FLAG_ORDER: case FLAG_COLOR: case FLAG_PROGRESS:
    case FLAG_ROLE: return choice_flag(flag, cli, arg);
    case 'j': case FLAG_REQUIRE: case FLAG_REPEAT: case FLAG_DEADLINE: case FLAG_SEED:
    case FLAG_TIMEOUT: return number_flag(flag, cli, arg);
    case FLAG_UNTIL_FAILURE: cli->run.until_failure = true; return true;
    case FLAG_FAIL_FAST: cli->run.fail_fast = true; return true;
    case FLAG_SKIP: return skip(cli, arg);
    case FLAG_JUNIT: cli->junit = arg; return true;
    case FLAG_JSON: cli->json = arg; cli->as_json = true; return true;
    case FLAG_TRANSCRIPTS: cli->transcripts = arg; return true;
    case FLAG_KEEP: cli->keep = arg; return true;
    case FLAG_SERVER: cli->run.server = arg; return true;
    case FLAG_MUTATE: cli->mutate = arg; return true;
    case FLAG_FAULT: cli->fault = arg; return true;
    case FLAG_BUG: cli->bug = arg; return true;
    case FLAG_STRICT_FEATURES: cli->strict_features = true; return true;
    case FLAG_STRICT_WAIVERS: cli->strict_waivers = true; return true;
    case FLAG_TEXTS: cli->texts = arg; return true;
    case FLAG_NO_HONESTY: cli->run.honesty = false; return true;
    case FLAG_NO_ORACLE: cli->run.oracle = false; return true;
    case FLAG_HELP: cli->help = true; return true;
    case 'q': cli->verbosity = -1; return true;
    case 'v': cli->verbosity++; return true;
    case FLAG_LATER: return refuse("--%s is planned and not there yet%s", name, "");
    default: return refuse("unknown flag, or one without its value%s%s", "", "");
    }
}

/* Who names scenarios in full wants them, whatever their level. */
static bool all_named(const struct dna_cli *cli)
{
    for (int i = 0; i < cli->num_selectors; i++) {
        const char *first = strchr(cli->selectors[i], '/');
        if (strchr(cli->selectors[i], '*') || !first || !strchr(first + 1, '/'))
            return false;
    }
    return cli->num_selectors > 0;
}

bool dna_cli_parse(struct dna_cli *cli, int argc, char **argv)
{
    int flag, index = -1;

    *cli = (struct dna_cli){ .fail_on = DNA_FAIL_ON_MUST, .color = "auto" };
    cli->pool = dna_pool_new();
    cli->run = (struct dna_run_options){ .jobs = 16, .timeout_ms = 5000, .repeat = 1,
                                         .honesty = true, .oracle = true,
                                         .level = DNA_CASE_SHOULD };
    cli->run.seed = (unsigned long)time(NULL);
    optind = 0; /* GNU: begin anew, also for a second parse in a test */
    while ((flag = getopt_long(argc, argv, "j:qv", long_options, &index)) != -1) {
        /* 'run --json FILE': an optional value must be attached, a file's name rarely is */
        if (flag == FLAG_JSON && !optarg && strcmp(argv[0], "run") == 0) {
            if (optind >= argc)
                return refuse("--json wants a file%s%s", "", "");
            optarg = argv[optind++];
        }
        if (!one_flag(flag, cli, optarg, index >= 0 ? long_options[index].name : ""))
            return false;
        index = -1;
    }
    cli->selectors = argv + optind;
    cli->num_selectors = argc - optind;
    if (!cli->level_given && all_named(cli))
        cli->run.level = DNA_CASE_MAY;
    for (int i = 1; i < argc && !cli->help; i++)
        if (strcmp(argv[i], "--") == 0)
            return refuse("an IUT given as a command is planned and not there yet%s%s", "", "");
    return true;
}

void dna_cli_cleanup(struct dna_cli *cli)
{
    free(cli->run.skips);
    dna_pool_free(cli->pool);
}

const char *dna_scenarios_dir(void)
{
    const char *dir = getenv("XDNA_SCENARIOS");

    return dir && *dir ? dir : "conformance/scenarios";
}

const char *dna_beside(struct dna_pool *pool, const char *program)
{
    char self[1024];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len <= 0)
        return dna_pool_printf(pool, "build/%s", program);
    self[len] = '\0';
    return dna_pool_printf(pool, "%.*s/%s", (int)(strrchr(self, '/') - self), self, program);
}

struct dna_suite *dna_cli_suite(const struct dna_cli *cli, int *out_status)
{
    struct dna_scn_diags diags = { { 0 }, 0 };
    struct dna_suite *suite = dna_suite_load(dna_scenarios_dir(), &diags);
    const char *missed;

    *out_status = 0;
    if (access(dna_scenarios_dir(), R_OK) != 0) {
        fprintf(stderr,
                "xdna: %s: %s: run it in the project's folder, or set XDNA_SCENARIOS and "
                "XDNA_PROFILES\n",
                dna_scenarios_dir(), strerror(errno));
        *out_status = 2;
    } else if (diags.num) {
        fprintf(stderr, "%sxdna: %u errors in scenarios (xdna lint)\n", diags.text.at, diags.num);
        *out_status = 2;
    } else if (!suite->num_cases) {
        fprintf(stderr, "xdna: no scenarios below %s (run it in the project's folder, or set "
                "XDNA_SCENARIOS)\n", dna_scenarios_dir());
        *out_status = 2;
    } else if ((missed = dna_suite_select(suite, cli->selectors, (size_t)cli->num_selectors))) {
        fprintf(stderr, "xdna: '%s' selects no case (xdna list shows them)\n", missed);
        *out_status = 2;
    }
    dna_buf_free(&diags.text);
    if (!*out_status)
        return suite;
    dna_suite_free(suite);
    return NULL;
}
