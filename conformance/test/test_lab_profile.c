/* SPDX-License-Identifier: MIT */
/* Tests of profiles and of processes, with made-up products: mostly what must go wrong, and how. */
#include "conformance/test/lab_test_iut.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/x509v3.h>

static void write_text(const char *dir, const char *name, const char *text)
{
    char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    file = fopen(path, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

/* made_up writes a profile and loads it. */
static struct dna_profile *made_up(const char *text)
{
    static unsigned number;
    char dir[400];

    snprintf(dir, sizeof dir, "%s/profile%u", lab.place.dir, ++number);
    CU_ASSERT_EQUAL_FATAL(mkdir(dir, 0755), 0);
    write_text(dir, "profile", text);
    write_text(dir, "template", "on @address@:@s2s_port@ as a@@b@@@iut@, x@y\n"
                                "@each domain@\n@domain@\n"
                                "@each account@\n @user@ @password@\n@end@\n@end@\n"
                                "@each knob@\n@knob@=@value@\n@end@\n");
    write_text(dir, "bad", "one\n@nonsense@\n");
    write_text(dir, "open", "@each domain@\n");
    return dna_profile_load(dir, &diag);
}

static void bad_profile(const char *text, const char *why)
{
    struct dna_profile *p;

    diag.text[0] = '\0';
    p = made_up(text);
    CU_ASSERT_PTR_NULL(p);
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, why));
    if (!strstr(diag.text, why))
        printf("%s -> %s\n", text, diag.text);
    dna_profile_free(p);
}

static void bad_profiles_are_refused(void)
{
    bad_profile("colour red\nstart x\nvariant default\n", "profile:1: unknown setting: colour");
    bad_profile("start x\n\nstart y\nvariant default\n", "profile:3: start stands twice");
    bad_profile("start\nvariant default\n", "profile:1: start: no value");
    bad_profile("variant default\n", "no start command");
    bad_profile("start x\nvariant other\n", "the first variant must be default");
    bad_profile("start x\nvariant default\nvariant default\n", "profile:3: the variant default");
    bad_profile("start x\nvariant Default\n", "small letters and digits");
    bad_profile("start x\nvariant default\nstart y\n", "profile:3: start: no setting of a variant");
    bad_profile("start x\ncannot do\nvariant default\n", "belongs below a variant");
    bad_profile("start x\nknob tls\nvariant default\n", "\"tls\" is not of the form name=value");
    bad_profile("start x\nready soon\nvariant default\n", "\"soon\" is no time");
    bad_profile("start x\nlimit stanza=9999\nvariant default\n", "limit stanza=9999: expected");
    bad_profile("start x\nlimit stanza=1048577\nvariant default\n", "10000 to 1048576");
    bad_profile("start x\nlimit stanza=20000k\nvariant default\n", "limit stanza=20000k");
    bad_profile("start x\nlimit iq=20000\nvariant default\n", "limit iq=20000: expected");
    bad_profile("start x\nports c2s=99999\nvariant default\n", "99999 is no port");
    CU_ASSERT_PTR_NULL(dna_profile_load("nonesuch", &diag));
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "no profile named nonesuch; there are:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "prosody"));
    CU_ASSERT_PTR_NULL(dna_profile_load("/nonesuch/profile", &diag));
}

static const char sample[] = "# comment\n"
                             "start /bin/true  # another\n"
                             "feature a b c\nknob x=1 y=2\nset who everyone else\n"
                             "account juliet secret one\naccount romeo two\n"
                             "file sub/@variant@.conf template\n"
                             "deadline verify=2s close=500ms\nlimit stanza=10000\n"
                             "variant default\n"
                             "variant less who=nobody\n feature -b d\n knob y=3\n"
                             "variant never\n cannot it has no such switch\n";

static void variants_inherit(void)
{
    struct dna_profile *p = made_up(sample);
    const struct dna_variant *v;

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    v = dna_profile_variant(p, "default");
    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    CU_ASSERT_TRUE(dna_variant_has(v, "b") && !dna_variant_has(v, "d"));
    CU_ASSERT_STRING_EQUAL(dna_pairs_get(&v->settings, "who"), "everyone else");
    CU_ASSERT_STRING_EQUAL(v->address, "127.0.1.1");
    CU_ASSERT_STRING_EQUAL(v->hosted[1], "second.default.iut.example");
    v = dna_profile_variant(p, "less");
    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    CU_ASSERT_TRUE(!dna_variant_has(v, "b") && dna_variant_has(v, "c") && dna_variant_has(v, "d"));
    CU_ASSERT_STRING_EQUAL(dna_pairs_get(&v->settings, "who"), "nobody");
    CU_ASSERT_STRING_EQUAL(dna_pairs_get(&v->knobs, "x"), "1");
    CU_ASSERT_STRING_EQUAL(dna_pairs_get(&v->knobs, "y"), "3");
    CU_ASSERT_STRING_EQUAL(v->address, "127.0.1.2");
    CU_ASSERT_STRING_EQUAL(dna_profile_variant(p, "never")->cannot, "it has no such switch");
    CU_ASSERT_PTR_NULL(dna_profile_variant(p, "other"));
    CU_ASSERT_EQUAL(dna_profile_deadline(p, "verify"), 2000);
    CU_ASSERT_EQUAL(dna_profile_deadline(p, "close"), 500);
    CU_ASSERT_EQUAL(dna_profile_deadline(p, "other"), 0);
    CU_ASSERT_EQUAL(p->stanza_limit, 10000);
    CU_ASSERT_STRING_EQUAL(dna_pairs_get(&p->accounts, "juliet"), "secret one");
    dna_profile_free(p);
}

/* Nobody declares it but by the deadline itself. */
static void negotiation_is_brief_below_three_seconds(void)
{
    static const struct {
        const char *lines;
        bool brief;
    } cases[] = {
        { "", false },
        { "deadline verify=1s\n", false },
        { "deadline negotiation=2999ms\n", true },
        { "deadline negotiation=3s\n", false },
        { "feature brief-negotiation\ndeadline negotiation=10s\n", false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[200];
        struct dna_profile *p;

        snprintf(text, sizeof(text), "start x\n%svariant default\n", cases[i].lines);
        p = made_up(text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL(dna_variant_has(&p->variants[0], "brief-negotiation"), cases[i].brief);
        dna_profile_free(p);
    }
}

static void read_all(const char *path, char *out, size_t out_len)
{
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(out, 1, out_len - 1, file) : 0;

    out[len] = '\0';
    if (file)
        fclose(file);
}

static void templates_are_rendered(void)
{
    struct dna_profile *p = made_up(sample);
    struct dna_iut *iut;
    char path[512], text[2048];

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    iut = iut_of(p, "less");
    CU_ASSERT_PTR_NOT_NULL_FATAL(iut);
    snprintf(path, sizeof path, "%s/sub/less.conf", dna_iut_run_dir(iut));
    read_all(path, text, sizeof text);
    CU_ASSERT_STRING_EQUAL(text, "on 127.0.1.2:5269 as a@b@less.iut.example, x@y\n"
                                 "less.iut.example\n juliet secret one\n romeo two\n"
                                 "second.less.iut.example\n juliet secret one\n romeo two\n"
                                 "third.less.iut.example\n juliet secret one\n romeo two\n"
                                 "x=1\ny=3\n");
    CU_ASSERT_EQUAL(X509_check_host(dna_iut_cert(iut, 0)->x509, "third.less.iut.example", 0, 0,
                                    NULL), 1);
    CU_ASSERT_EQUAL(X509_check_host(dna_iut_cert(iut, 0)->x509, "second.less.iut.example", 0, 0,
                                    NULL), 0);
    CU_ASSERT_EQUAL(X509_check_host(dna_iut_cert(iut, 1)->x509, "second.less.iut.example", 0, 0,
                                    NULL), 1);
    CU_ASSERT_PTR_EQUAL(dna_iut_cert(iut, 0), dna_iut_cert(iut, 2));
    dna_iut_free(iut);
    CU_ASSERT_PTR_NULL(iut_of(p, "never"));
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_SKIP);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "it has no such switch"));
    dna_profile_free(p);
    p = made_up("start x\nfile a bad\nvariant default\n");
    CU_ASSERT_PTR_NULL(iut_of(p, "default"));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "/bad:2: nothing is known as @nonsense@"));
    dna_profile_free(p);
    p = made_up("start x\nfile a open\nvariant default\n");
    CU_ASSERT_PTR_NULL(iut_of(p, "default"));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "/open:1: @each without @end@"));
    dna_profile_free(p);
}

static void missing_package_is_said(void)
{
    struct dna_profile *p = made_up("requires /bin/sh dash\nrequires /nonesuch/x package-one\n"
                                    "requires /nonesuch/* package-two\nstart x\n"
                                    "variant default\n");

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_EQUAL(dna_profile_check(p, NULL, &diag), -1);
    CU_ASSERT_EQUAL(diag.class, DNA_CLASS_HARD);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "/nonesuch/x is missing"));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "apt-get install --no-install-recommends "
                                             "package-one package-two"));
    dna_profile_free(p);
    p = made_up("server nonesuch/server\nstart @server@\nvariant default\n");
    CU_ASSERT_EQUAL(dna_profile_check(p, NULL, &diag), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "build it with: make"));
    CU_ASSERT_EQUAL(dna_profile_check(p, "/nonesuch/other", &diag), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "/nonesuch/other can't be run"));
    dna_profile_free(p);
    p = made_up("server /bin/echo\nversion @server@ 'version 7'\nstart @server@\n"
                "variant default\n");
    CU_ASSERT_EQUAL(dna_profile_check(p, NULL, &diag), 0);
    CU_ASSERT_STRING_EQUAL(p->version, "version 7");
    dna_profile_free(p);
    p = made_up("version /bin/false\nstart x\nvariant default\n");
    CU_ASSERT_EQUAL(dna_profile_check(p, NULL, &diag), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "the version command failed: /bin/false"));
    dna_profile_free(p);
}

/* fails starts a made-up product and expects on_failed with certain words. */
static void fails(const char *text, const char *const *words)
{
    struct dna_profile *p = made_up(text);
    struct dna_iut *iut;

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    iut = iut_of(p, "default");
    CU_ASSERT_PTR_NOT_NULL_FATAL(iut);
    CU_ASSERT_EQUAL(dna_iut_start(iut, &diag), 0);
    if (wait_seen()) {
        CU_ASSERT_EQUAL(seen.failed, 1);
        CU_ASSERT_EQUAL(seen.diag.class, DNA_CLASS_HARD);
        CU_ASSERT_EQUAL(dna_iut_state(iut), DNA_IUT_DOWN);
        CU_ASSERT_EQUAL(dna_iut_pid(iut), 0);
        for (; *words; words++) {
            CU_ASSERT_PTR_NOT_NULL(strstr(seen.diag.text, *words));
            if (!strstr(seen.diag.text, *words))
                printf("missing \"%s\" in: %s\n", *words, seen.diag.text);
        }
    }
    dna_iut_free(iut);
    dna_profile_free(p);
}

static void failed_starts_say_why(void)
{
    static const char *const early[] = { "died before it was ready: exit status 3", "/bin/sh -c",
                                         "no good", NULL };
    static const char *const crash[] = { "killed by signal 11 (Segmentation fault)", "is empty",
                                         NULL };
    static const char *const never[] = { "not ready within 300 ms",
                                         "on the S2S port 127.0.1.1:5269 (Connection refused)",
                                         "on the C2S port 127.0.1.1:5222", "still here", NULL };
    static const char *const prepare[] = { "preparing failed: exit status 4", "first step",
                                           "command: /bin/sh -c 'echo first step; exit 4'", NULL };
    static const char *const hanging[] = { "not ready within 200 ms; still running: /bin/sleep",
                                           NULL };

    fails("start /bin/sh -c 'echo no good >&2; exit 3'\nvariant default\n", early);
    fails("start /bin/sh -c 'kill -SEGV $$'\nvariant default\n", crash);
    fails("ready 300ms\nstart /bin/sh -c 'echo still here; exec sleep 1000'\nvariant default\n",
          never);
    fails("prepare /bin/sh -c 'echo first step; exit 4'\nstart /bin/true\nvariant default\n",
          prepare);
    fails("ready 200ms\nprepare /bin/sleep 1000\nstart /bin/true\nvariant default\n", hanging);
}

static void start_of_nothing_is_an_error(void)
{
    struct dna_profile *p = made_up("start /nonesuch/server\nvariant default\n");
    struct dna_iut *iut = iut_of(p, "default");

    CU_ASSERT_PTR_NOT_NULL_FATAL(iut);
    CU_ASSERT_EQUAL(dna_iut_start(iut, &diag), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "cannot start /nonesuch/server: No such file"));
    CU_ASSERT_EQUAL(dna_iut_state(iut), DNA_IUT_DOWN);
    dna_iut_stop(iut); /* also of what is down */
    wait_seen();
    CU_ASSERT_EQUAL(seen.stopped, 1);
    dna_iut_free(iut);
    dna_profile_free(p);
}

static void arguments_and_environment(void)
{
    static const char *const extra[] = { "--mutate", "DR07:skip" };
    struct dna_profile *p = made_up("server nonesuch\nenv GREETING=@variant@-@iut@\n"
                                    "account romeo x\n"
                                    "prepare-account /bin/echo has @user@@@@domain@\n"
                                    "start @server@ -c 'echo $GREETING $HOME $0 $1 $PWD' \n"
                                    "variant default\n");
    struct dna_iut_options o = options();
    struct dna_iut *iut;
    char text[2048], expected[1024];

    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    o.server = "/bin/sh";
    o.extra_args = extra;
    o.num_extra_args = 2;
    memset(&seen, 0, sizeof seen);
    iut = dna_iut_new(dna_profile_variant(p, "default"), &o, &diag);
    CU_ASSERT_PTR_NOT_NULL_FATAL(iut);
    CU_ASSERT_EQUAL(dna_iut_start(iut, &diag), 0);
    wait_seen();
    read_all(dna_iut_log_path(iut), text, sizeof text);
    snprintf(expected, sizeof expected, "default-default.iut.example %s --mutate DR07:skip %s\n",
             dna_iut_run_dir(iut), dna_iut_run_dir(iut));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, expected));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "has romeo@third.default.iut.example\n"));
    dna_iut_free(iut);
    dna_profile_free(p);
}

static void log_look(evutil_socket_t fd, short what, void *arg)
{
    const struct dna_iut *iut = arg;

    (void)fd;
    (void)what;
    if (dna_iut_log_mark(iut) > 0)
        seen.any = true;
}

static void stubborn_process_is_killed(void)
{
    struct dna_profile *p = made_up("stop 100ms\nready 60s\nstart /bin/sh -c 'trap \"\" TERM; "
                                    "echo up; while :; do sleep 1000; done'\nvariant default\n");
    struct dna_iut *iut = iut_of(p, "default");
    struct timeval often = { .tv_usec = 2000 };
    struct event *look;

    CU_ASSERT_PTR_NOT_NULL_FATAL(iut);
    look = event_new(base, -1, EV_PERSIST, log_look, iut);
    event_add(look, &often);
    CU_ASSERT_EQUAL(dna_iut_start(iut, &diag), 0);
    wait_seen(); /* the trap is set when the log has its first line */
    event_free(look);
    dna_iut_stop(iut);
    wait_seen();
    CU_ASSERT_EQUAL(seen.stopped, 1);
    CU_ASSERT_TRUE(seen.killed);
    CU_ASSERT_TRUE(WIFSIGNALED(seen.status) && WTERMSIG(seen.status) == SIGKILL);
    dna_iut_free(iut);
    dna_profile_free(p);
}

static void log_tail_follows_sessions(void)
{
    static const char lines[] = "t=1 conn=1 hello from a.c0041.example\n"
                                "t=2 conn=17 hello from a.c0042.example\n"
                                "t=3 conn=1 something\n"
                                "t=4 conn=17 something else\n"
                                "t=5 conn=170 not it\n"
                                "t=6 (conn=17) third\n";
    struct dna_profile *p = made_up("session conn=\nstart x\nvariant default\n");
    struct dna_iut *iut = iut_of(p, "default");
    char *tail;

    CU_ASSERT_PTR_NOT_NULL_FATAL(iut);
    CU_ASSERT_EQUAL(dna_iut_log_mark(iut), 0);
    tail = dna_iut_log_tail(iut, NULL, 0, 5); /* no log yet */
    CU_ASSERT_STRING_EQUAL(tail, "");
    free(tail);
    write_text(dna_iut_run_dir(iut), "log", lines);
    tail = dna_iut_log_tail(iut, "c0042", 0, 10);
    CU_ASSERT_STRING_EQUAL(tail, "t=2 conn=17 hello from a.c0042.example\n"
                                 "t=4 conn=17 something else\nt=6 (conn=17) third\n");
    free(tail);
    tail = dna_iut_log_tail(iut, "c0042", 0, 1);
    CU_ASSERT_STRING_EQUAL(tail, "t=6 (conn=17) third\n");
    free(tail);
    tail = dna_iut_log_tail(iut, NULL, 0, 2);
    CU_ASSERT_STRING_EQUAL(tail, "t=5 conn=170 not it\nt=6 (conn=17) third\n");
    free(tail);
    tail = dna_iut_log_tail(iut, "c0042", dna_iut_log_mark(iut), 10);
    CU_ASSERT_STRING_EQUAL(tail, "");
    free(tail);
    dna_iut_free(iut);
    dna_profile_free(p);
}

int main(void)
{
    static const struct lab_test tests[] = {
        { "bad profiles are refused", bad_profiles_are_refused },
        { "variants inherit", variants_inherit },
        { "negotiation is brief below three seconds", negotiation_is_brief_below_three_seconds },
        { "templates are rendered", templates_are_rendered },
        { "a missing package is said", missing_package_is_said },
        { "failed starts say why", failed_starts_say_why },
        { "start of nothing is an error", start_of_nothing_is_an_error },
        { "arguments and environment", arguments_and_environment },
        { "a stubborn process is killed", stubborn_process_is_killed },
        { "log tail follows sessions", log_tail_follows_sessions },
    };
    const char *refused = lab_refused();
    int result = lab_test_enter(refused);

    if (result)
        return result;
    lab_test_suite("lab.profile", tests, sizeof tests / sizeof tests[0], refused);
    result = lab_test_end();
    lab_test_leave();
    return result;
}
