/*
 * harness.h - what every test suite shares.
 *
 * A suite is one file tests/test_NAME.c that ends with a table of its tests and exports
 *
 *     const struct test_suite suite_NAME = {"NAME", cases};
 *
 * To add one, name the file in SConstruct and the suite in tests/main.c. Assertions are CUnit's
 * (CU_ASSERT_... goes on after a failure, ..._FATAL ends the test). Needs CUnit.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <CUnit/CUnit.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

struct test_suite {
    const char *name;
    const struct test_case *cases; /* ends with {NULL, NULL} */
};

/* An empty directory of the running test's own; the same one each time a test asks. It is removed
 * after the test, with all that is in it. Lives until then. */
const char *scratch_dir(void);
/* The path of a file in scratch_dir(). Lives until the fourth call after this one. */
const char *scratch_path(const char *name);

/* Says that the running test cannot be made here and why; the test then returns. It counts as
 * skipped unless an assertion has failed. */
void test_skip(const char *why);

/* The top of the checkout: $REGSTORE_TOP, else ".". */
const char *top_dir(void);
/* The directory "shared" beside the checkout, which holds real dumps for tests to run against; NULL
 * if it is not there. Tests that need it skip. */
const char *shared_dir(void);

#endif
