/* SPDX-License-Identifier: MIT */
/* test_client_lines.c -- room impl: messages that are written while xdna-client is connected, a
   line each: from a pipe and from a file, what can't be one, and when it ends.  Run from the
   repository's root. */
#include <fcntl.h>

#include "impl/log.h"
#include "impl/test/client_lab.h"

#define PONG "<iq type='result' id='%s'/>"
#define BOUND_AS "<iq type='result' id='%s'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" \
                 "<jid>romeo@a.example/r</jid></bind></iq>"
#define LOGIN                                                                                     \
    { "<stream:stream", HEADER OFFER("PLAIN"), false },                                           \
    { "</auth>", "<success " SASL_NS "/>", false },                                               \
    { "<stream:stream", HEADER OFFER_BIND, false },                                               \
    { "</bind>", BOUND_AS, false }
#define END { "</stream:stream>", "</stream:stream>", false }, { NULL, NULL, false }

static void ready_to_write(struct dna_client_options *o, int fd)
{
    defaults(o, "romeo@a.example");
    o->to = "juliet@b.example";
    o->message_id = "m";
    o->lines_fd = fd;
}

/* A pipe that holds the text; its other end is closed, so that it ends. */
static int pipe_with(const char *text, size_t len)
{
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    CU_ASSERT_EQUAL_FATAL(write(ends[1], text, len), (ssize_t)len);
    close(ends[1]);
    return ends[0];
}

/* What was written before there is a stream waits until it may be sent, in order. */
static void test_all_before_the_stream(void)
{
    static const char text[] = "one & only\n\ntwo\r\nthree"; /* empty lines are none */
    static const struct step then[] = {
        LOGIN,
        { "id='m-1'><body>one &amp; only</body></message><message type='chat' "
          "to='juliet@b.example' id='m-2'><body>two</body></message><message type='chat' "
          "to='juliet@b.example' id='m-3'><body>three</body></message><iq ", NULL, false },
        { "<ping", PONG, false },
        END
    };
    int fd = pipe_with(text, sizeof text - 1);
    struct dna_client_options o;

    ready_to_write(&o, fd);
    check(run(&o, to_tls, then), DNA_CLIENT_OK, true, "sent to juliet@b.example, id m-3");
    close(fd);
}

/* Runs the client on the pipe in, with somebody at its other end who sees what is shown: user, in a
   process of its own, which tells by 0 that he saw what he waited for. */
static enum dna_client_status run_with_user(struct dna_client_options *o, const int in[2],
                                            int (*user)(FILE *shown, int to),
                                            const struct step *then)
{
    enum dna_client_status result;
    int gate[2], listener = listen_somewhere(&o->connect_port), status = -1;
    pid_t writer, server;
    FILE *out;

    CU_ASSERT_EQUAL_FATAL(pipe(gate), 0); /* what the client shows */
    fflush(stdout);
    if ((writer = fork()) == 0) {
        alarm(PATIENCE_S);
        close(gate[1]);
        _exit(user(fdopen(gate[0], "r"), in[1]));
    }
    close(in[1]);
    close(gate[0]);
    if ((server = fork()) == 0) {
        alarm(PATIENCE_S);
        _exit(serve(listener, to_tls, then));
    }
    close(listener);
    o->knobs.posh = 0;
    out = fdopen(gate[1], "w");
    result = dna_client_run(o, out);
    fclose(out);
    waitpid(writer, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    waitpid(server, NULL, 0);
    close(in[0]);
    return result;
}

static bool sees(FILE *shown, const char *text)
{
    char line[4096];

    while (fgets(line, sizeof line, shown))
        if (strstr(line, text))
            return true;
    return false;
}

static bool types(int to, const char *text)
{
    return write(to, text, strlen(text)) == (ssize_t)strlen(text);
}

static int answer_what_is_heard(FILE *shown, int to)
{
    bool answered = types(to, "hear\n") && sees(shown, "from x@b.example, id (none): more") &&
                    types(to, "you");

    close(to);
    return !(answered && sees(shown, "sent to juliet@b.example, id m-2") &&
             sees(shown, "taken over everything"));
}

/* What is expected does not end it before the end of what it reads; what is written behind an
   answer is sent behind it. */
static void test_while_connected(void)
{
    static const struct step then[] = {
        LOGIN,
        { "id='m-1'><body>hear</body>", "<message from='x@b.example'><body>more</body></message>",
          false },
        { "id='m-2'><body>you</body>", NULL, false },
        { "<ping", PONG, false },
        END
    };
    struct dna_client_options o;
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    ready_to_write(&o, ends[0]);
    o.expect_id = "*";
    o.wait_ms = 10000;
    CU_ASSERT_EQUAL(run_with_user(&o, ends, answer_what_is_heard, then), DNA_CLIENT_OK);
}

/* The time to wait begins with the end of what it reads, whether or not the server answers. */
static void test_no_answer(void)
{
    static const struct step then[] = { LOGIN, { "<ping", NULL, false }, END };
    int fd = pipe_with("one\n", 4);
    struct dna_client_options o;
    struct result r;

    ready_to_write(&o, fd);
    o.wait_ms = 100;
    r = run(&o, to_tls, then);
    CU_ASSERT_EQUAL(r.status, DNA_CLIENT_NETWORK);
    CU_ASSERT_PTR_NOT_NULL(strstr(r.text, "has not taken over everything in time"));
    free(r.text);
    close(fd);
}

static int write_too_late(FILE *shown, int to)
{
    return !(types(to, "hear\n") && sees(shown, "nothing is read from line 2 on") &&
             types(to, "you\n") && !sees(shown, "m-2"));
}

/* Where the server ends the stream, what is behind the last line that was read stays unread. */
static void test_closed_by_the_server(void)
{
    static const struct step then[] = { LOGIN, { "id='m-1'", "</stream:stream>", false },
                                        { NULL, NULL, false } };
    struct dna_client_options o;
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    ready_to_write(&o, ends[0]);
    CU_ASSERT_EQUAL(run_with_user(&o, ends, write_too_late, then), DNA_CLIENT_REFUSED);
}

/* A file is always readable, and larger than what is read at once. */
static void test_file(void)
{
    static const struct step then[] = { LOGIN,
                                        { "id='m-3000'", NULL, false },
                                        { "<ping", PONG, false },
                                        END };
    char name[] = "/tmp/test_client_lines_XXXXXX";
    int fd = mkstemp(name);
    struct dna_client_options o;

    for (int i = 0; i < 3000; i++)
        dprintf(fd, "line %d\n", i + 1);
    unlink(name);
    lseek(fd, 0, SEEK_SET);
    ready_to_write(&o, fd);
    check(run(&o, to_tls, then), DNA_CLIENT_OK, true, "sent to juliet@b.example, id m-3000");
    close(fd);
}

/* What can't be a message is told by its number, and the next line is one all the same. */
static void refused(const char *line, size_t len, const char *says)
{
    static const struct step then[] = { LOGIN,
                                        { "id='m-1'><body>good</body>", NULL, false },
                                        { "<ping", PONG, false },
                                        END };
    struct dna_buf b = DNA_BUF_INIT;
    struct dna_client_options o;
    int ends[2];
    pid_t writer;

    dna_buf_puts(&b, "\n");
    dna_buf_add(&b, line, len);
    dna_buf_puts(&b, "\ngood\n");
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fflush(stdout);
    writer = fork(); /* a pipe holds less than the longest line */
    if (writer == 0) {
        size_t done = 0;
        alarm(PATIENCE_S);
        close(ends[0]);
        for (ssize_t n; done < b.len && (n = write(ends[1], b.at + done, b.len - done)) > 0;)
            done += (size_t)n;
        _exit(0);
    }
    close(ends[1]);
    ready_to_write(&o, ends[0]);
    check(run(&o, to_tls, then), DNA_CLIENT_REFUSED, true, says);
    close(ends[0]);
    waitpid(writer, NULL, 0);
    dna_buf_cleanup(&b);
}

static void test_bad_lines(void)
{
    static char longer[65537], longest[65536];

    memset(longer, 'x', sizeof longer);
    memset(longest, 'y', sizeof longest);
    refused("caf\xe9", 4, "line 2 is not sent: not UTF-8");
    refused("a\0b", 3, "line 2 is not sent: a control character");
    refused("a\033[2J", 5, "line 2 is not sent: a control character");
    refused("a\xef\xbf\xbe", 4, "line 2 is not sent: U+FFFE or U+FFFF");
    refused("\xef\xbf\xbfz", 4, "line 2 is not sent: U+FFFE or U+FFFF");
    refused(longer, sizeof longer, "line 2 is not sent: longer than 65536 bytes");
    longest[100] = '\x01'; /* so it is not too long, and refused all the same */
    refused(longest, sizeof longest, "line 2 is not sent: a control character");
}

/* An answer that is an error is told, and counts; there may be more to say. */
static void test_bounce(void)
{
    static const struct step then[] = {
        LOGIN,
        { "id='m-1'", "<message type='error' id='m-1'><error type='cancel'><item-not-found "
                      "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>", false },
        { "<ping", PONG, false },
        END
    };
    int fd = pipe_with("one\n", 4);
    struct dna_client_options o;

    ready_to_write(&o, fd);
    check(run(&o, to_tls, then), DNA_CLIENT_REFUSED, true, "taken over everything");
    close(fd);
}

/* 0: what he wrote behind his answer was taken for a message. */
static int answer_and_write(FILE *shown, int to)
{
    return !(sees(shown, "Better stop") && types(to, "yes\n") &&
             sees(shown, "the answer is yes") && types(to, "hear\n") &&
             sees(shown, "m-1 is to go to juliet@b.example"));
}

/* A question on the same descriptor, or another one for the same, has its line for an answer; what
   comes behind it is a message again.  The server is silent from then on, so that there is time. */
static void question(bool other_descriptor)
{
    static const struct step silent[] = { { "nothing that ever comes", NULL, false },
                                          { NULL, NULL, false } };
    struct dna_client_options o;
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    ready_to_write(&o, ends[0]);
    o.ca_file = "fixtures/config/ca.crt";
    o.may_ask = true;
    o.ask_fd = other_descriptor ? dup(ends[0]) : ends[0];
    o.negotiation_ms = 1000;
    o.close_ms = 100;
    CU_ASSERT_EQUAL(run_with_user(&o, ends, answer_and_write, silent), DNA_CLIENT_NETWORK);
    if (other_descriptor)
        close(o.ask_fd);
}

static void test_question(void)
{
    question(false);
    question(true);
}

/* A folder can be opened, and not read. */
static void test_unreadable(void)
{
    static const struct step then[] = { LOGIN, { "<ping", PONG, false }, END };
    int fd = open("/tmp", O_RDONLY | O_DIRECTORY);
    struct dna_client_options o;

    ready_to_write(&o, fd);
    check(run(&o, to_tls, then), DNA_CLIENT_USAGE, true, "no more can be read: Is a directory");
    close(fd);
}

/* No event tells that a device is ready which always is. */
static void test_device(void)
{
    static const struct step then[] = { LOGIN, { "<ping", PONG, false }, END };
    int fd = open("/dev/null", O_RDONLY);
    struct dna_client_options o;

    ready_to_write(&o, fd);
    check(run(&o, to_tls, then), DNA_CLIENT_OK, true, "taken over everything");
    close(fd);
}

/* The time for becoming ready runs on when we are, and says nothing then. */
static void test_ready_in_time(void)
{
    static const struct step then[] = { LOGIN, END };
    struct dna_client_options o;
    struct result r;

    ready_to_write(&o, -1);
    o.negotiation_ms = 1000;
    o.expect_id = "never";
    o.wait_ms = o.negotiation_ms + 100; /* from later on */
    r = run(&o, to_tls, then);
    CU_ASSERT_PTR_NULL(strstr(r.text, "no progress"));
    check(r, DNA_CLIENT_REFUSED, true, "never did not come in time");
}

static const struct {
    const char *name;
    CU_TestFunc run;
} tests[] = {
    { "all before the stream", test_all_before_the_stream },
    { "while connected", test_while_connected },
    { "no answer", test_no_answer },
    { "closed by the server", test_closed_by_the_server },
    { "file", test_file },
    { "bad lines", test_bad_lines },
    { "bounce", test_bounce },
    { "question", test_question },
    { "unreadable", test_unreadable },
    { "device", test_device },
    { "ready in time", test_ready_in_time },
};

int main(void)
{
    CU_pSuite suite;
    unsigned failures;

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    dna_log_open(NULL, DNA_LOG_ERROR);
    CU_initialize_registry();
    suite = CU_add_suite("client lines", NULL, NULL);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        CU_add_test(suite, tests[i].name, tests[i].run);
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}
