/* SPDX-License-Identifier: MIT */
/*
 * Room: conformance. One suite of CUnit tests as a program: closing lines that a CI can read,
 * status 1 when anything failed.
 */
#ifndef CONFORMANCE_TEST_CU_MAIN_H
#define CONFORMANCE_TEST_CU_MAIN_H

#include <stdio.h>

#include <CUnit/Basic.h>

static inline int cu_main(const char *name, CU_TestInfo *tests)
{
    CU_SuiteInfo suites[] = { { name, NULL, NULL, NULL, NULL, tests }, CU_SUITE_INFO_NULL };
    unsigned failed;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS || CU_register_suites(suites) != CUE_SUCCESS)
        return 1;
    CU_basic_set_mode(CU_BRM_NORMAL);
    CU_basic_run_tests();
    failed = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failed ? 1 : 0;
}

#endif
