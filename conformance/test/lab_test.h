/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the lab share: a table of tests, tests that can't run here reported as
 * inactive with their reason, and waiting for a condition on an event loop, bounded.
 */
#ifndef DNA_LAB_TEST_H
#define DNA_LAB_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CUnit/Basic.h>
#include <event2/event.h>

#include "conformance/lab/ns.h"

#define LAB_REFUSES "refuses a private network" /* in what dna_lab_refusal says */

struct lab_test {
    const char *name;
    CU_TestFunc run;
};

/* lab_test_suite adds a suite; inactive, if not NULL, is why none of its tests can run here. */
static inline void lab_test_suite(const char *name, const struct lab_test *tests, size_t num,
                                  const char *inactive)
{
    CU_pSuite suite = CU_add_suite(name, NULL, NULL);

    for (size_t i = 0; suite && i < num; i++) {
        CU_pTest test = CU_add_test(suite, tests[i].name, tests[i].run);

        if (test && inactive)
            CU_set_test_active(test, CU_FALSE);
    }
    if (inactive)
        printf("INACTIVE %s: %s\n", name, inactive);
}

static inline bool lab_test_begin(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    CU_set_fail_on_inactive(CU_FALSE);
    return CU_initialize_registry() == CUE_SUCCESS;
}

/* lab_test_end runs what was added and returns main's status. */
static inline int lab_test_end(void)
{
    unsigned failures;

    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}

static inline int lab_test_main(const char *name, const struct lab_test *tests, size_t num,
                                const char *inactive)
{
    if (!lab_test_begin())
        return 1;
    lab_test_suite(name, tests, num, inactive);
    return lab_test_end();
}

/* lab_inside runs body in a lab of its own and returns the wait status of the original process. */
static inline int lab_inside(int (*body)(const struct dna_lab_place *place, void *arg), void *arg)
{
    int status = 0;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct dna_lab_place place;
        struct dna_diag diag;

        if (dna_lab_enter(NULL, &place, &diag)) {
            fprintf(stderr, "%s\n", diag.text);
            _exit(strstr(diag.text, LAB_REFUSES) ? DNA_CLASS_SKIP : diag.class);
        }
        status = body(&place, arg);
        fflush(NULL);
        _exit(status);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

static inline int lab_nothing(const struct dna_lab_place *place, void *arg)
{
    (void)place;
    (void)arg;
    return 0;
}

/*
 * lab_refused is why there can be no lab on this machine, or NULL. A lab that fails for another
 * reason than being refused is for the tests to fail of.
 */
static inline const char *lab_refused(void)
{
    int status = lab_inside(lab_nothing, NULL);

    return WIFEXITED(status) && WEXITSTATUS(status) == DNA_CLASS_SKIP
               ? "this system refuses a private network"
               : NULL;
}

static inline void lab_timed_out(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

/* lab_run_until turns the loop until *done, at most for a number of seconds; says whether done. */
static inline bool lab_run_until(struct event_base *base, const bool *done, int seconds)
{
    struct timeval deadline = { .tv_sec = seconds };
    bool late = false;
    struct event *timer = evtimer_new(base, lab_timed_out, &late);

    evtimer_add(timer, &deadline);
    while (!*done && !late)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(timer);
    return *done;
}

#endif
