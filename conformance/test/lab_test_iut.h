/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the process under test share: a lab that they run in, options for a dna_iut,
 * and a record of what its callbacks told.
 */
#ifndef DNA_LAB_TEST_IUT_H
#define DNA_LAB_TEST_IUT_H

#include "conformance/test/lab_test.h"

#include <string.h>

#include "conformance/lab/iut.h"
#include "conformance/lab/lab.h"

static struct dna_lab lab;
static struct event_base *base;
static struct dna_diag diag;

/* seen is what the callbacks told. */
static struct seen {
    bool any;
    unsigned ready, failed, died, stopped;
    int status;
    bool killed;
    struct dna_diag diag;
} seen;

static void on_ready(struct dna_iut *iut, void *arg)
{
    (void)iut;
    (void)arg;
    seen.any = true;
    seen.ready++;
}

static void on_failed(struct dna_iut *iut, const struct dna_diag *why, void *arg)
{
    (void)iut;
    (void)arg;
    seen.any = true;
    seen.failed++;
    seen.diag = *why;
}

static void on_death(struct dna_iut *iut, int status, void *arg)
{
    (void)iut;
    (void)arg;
    seen.any = true;
    seen.died++;
    seen.status = status;
}

static void on_stopped(struct dna_iut *iut, int status, bool killed, void *arg)
{
    (void)iut;
    (void)arg;
    seen.any = true;
    seen.stopped++;
    seen.status = status;
    seen.killed = killed;
}

static inline struct dna_iut_options options(void)
{
    struct dna_iut_options o = {
        .base = base,
        .dns = lab.dns,
        .ca = lab.ca,
        .dir = lab.place.dir,
        .store_dir = lab.store_dir,
        .calls = { on_ready, on_failed, on_death, on_stopped, NULL },
    };

    return o;
}

/* wait_seen turns the loop until a callback has told something new. */
static inline bool wait_seen(void)
{
    bool told;

    seen.any = false;
    told = lab_run_until(base, &seen.any, 20);
    CU_ASSERT_TRUE(told);
    return told;
}

static inline struct dna_iut *iut_of(struct dna_profile *p, const char *variant)
{
    struct dna_iut_options o = options();
    struct dna_iut *iut = dna_iut_new(dna_profile_variant(p, variant), &o, &diag);

    memset(&seen, 0, sizeof seen);
    return iut;
}

/* lab_test_enter moves the test into a lab, unless refused; returns 0, or main's status. */
static inline int lab_test_enter(const char *refused)
{
    if (!refused && dna_lab_enter(NULL, &lab.place, &diag)) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    if (!lab_test_begin())
        return 1;
    base = event_base_new();
    if (!refused && dna_lab_open(&lab, base, &diag)) {
        fprintf(stderr, "%s\n", diag.text);
        return 1;
    }
    return 0;
}

static inline void lab_test_leave(void)
{
    dna_lab_close(&lab);
    event_base_free(base);
}

#endif
