/*
 * main.c - the unit test program: the table of suites, their run and what harness.h offers.
 *
 *     unit [-v] [SUITE...]       runs the suites named, or all; -v names each test before it runs
 *     unit --list                names the suites
 *
 * Exit status: 0 if at least one test ran and none failed, 1 if not, 2 for wrong arguments. It does
 * its own counting, because CU_basic_run_tests() returns 0 even when assertions failed.
 */
#include "harness.h"
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The one list of suites, in the order of the layers. */
#define SUITE_LIST(X)                                                                              \
    X(status)                                                                                      \
    X(text)                                                                                        \
    X(value)                                                                                       \
    X(value_text)                                                                                  \
    X(path)                                                                                        \
    X(record)                                                                                      \
    X(env)                                                                                         \
    X(env_check)                                                                                   \
    X(env_length)                                                                                  \
    X(env_order)                                                                                   \
    X(journal)                                                                                     \
    X(tree)                                                                                        \
    X(tree_values)                                                                                 \
    X(tree_batch)                                                                                  \
    X(tree_links)                                                                                  \
    X(tree_damage)                                                                                 \
    X(tree_delete)                                                                                 \
    X(tree_names)                                                                                  \
    X(tree_paths)                                                                                  \
    X(tree_model)                                                                                  \
    X(schema)                                                                                      \
    X(schema_find)                                                                                 \
    X(schema_check)                                                                                \
    X(schema_walk)                                                                                 \
    X(store)                                                                                       \
    X(store_limits)                                                                                \
    X(bell)                                                                                        \
    X(check)                                                                                       \
    X(check_pages)                                                                                 \
    X(undo)                                                                                        \
    X(undo_conflicts)                                                                              \
    X(undo_kinds)                                                                                  \
    X(undo_beside)                                                                                 \
    X(undo_random)                                                                                 \
    X(confirm)                                                                                     \
    X(past)                                                                                        \
    X(retention)                                                                                   \
    X(history)                                                                                     \
    X(digest)                                                                                      \
    X(digest_random)                                                                               \
    X(watch)                                                                                       \
    X(watch_match)                                                                                 \
    X(watch_named)                                                                                 \
    X(watch_files)                                                                                 \
    X(answers)                                                                                     \
    X(answer_for)                                                                                  \
    X(watch_list)                                                                                  \
    X(formats)                                                                                     \
    X(format_xml)                                                                                  \
    X(format_xml_filter)                                                                           \
    X(format_xml_tags)                                                                             \
    X(format_xml_write)                                                                            \
    X(format_xml_limits)                                                                           \
    X(format_xml_real)                                                                             \
    X(format_xml_gpp)                                                                              \
    X(format_pol)                                                                                  \
    X(format_reg)                                                                                  \
    X(format_reg_write)                                                                            \
    X(format_regf)                                                                                 \
    X(format_regf_log)                                                                             \
    X(transfer)                                                                                    \
    X(api)                                                                                         \
    X(api_values)                                                                                  \
    X(transfer_current)                                                                            \
    X(transfer_patch)                                                                              \
    X(transfer_replace)                                                                            \
    X(transfer_compare)                                                                            \
    X(transfer_export)                                                                             \
    X(backup)                                                                                      \
    X(threads)                                                                                     \
    X(process)                                                                                     \
    X(process_fork)                                                                                \
    X(process_locks)                                                                               \
    X(access)                                                                                      \
    X(shares)                                                                                      \
    X(render)                                                                                      \
    X(program)                                                                                     \
    X(worker)                                                                                      \
    X(samba)                                                                                       \
    X(settings)                                                                                    \
    X(service)                                                                                     \
    X(live)                                                                                        \
    X(live_command)                                                                                \
    X(vet)                                                                                         \
    X(handover)                                                                                    \
    X(control)                                                                                     \
    X(activation)                                                                                  \
    X(work)                                                                                        \
    X(loop)                                                                                        \
    X(browse)                                                                                      \
    X(printers)                                                                                    \
    X(queues)                                                                                      \
    X(deliverer)                                                                                   \
    X(report)                                                                                      \
    X(ports)                                                                                       \
    X(target)                                                                                      \
    X(job)                                                                                         \
    X(job_state)                                                                                   \
    X(background)                                                                                  \
    X(spool)                                                                                       \
    X(spool_disk)                                                                                  \
    X(spool_faults)                                                                                \
    X(printer_cache)                                                                               \
    X(spoolss)                                                                                     \
    X(spoolss_enum)                                                                                \
    X(control_file)                                                                                \
    X(lpd_request)                                                                                 \
    X(lpd_server)                                                                                  \
    X(lpd_clients)                                                                                 \
    X(rpc_ndr)                                                                                     \
    X(rpc_pdu)                                                                                     \
    X(rpc_npam)                                                                                    \
    X(rpc_bind)                                                                                    \
    X(rpc_association)                                                                             \
    X(rpc_pipe)                                                                                    \
    X(rpc_client)                                                                                  \
    X(rpc_server)

#define SUITE_DECLARE(name) extern const struct test_suite suite_##name;
SUITE_LIST(SUITE_DECLARE)

static const struct test_suite *const suites[] = {
#define SUITE_ROW(name) &suite_##name,
    SUITE_LIST(SUITE_ROW)};
#define SUITES (sizeof(suites) / sizeof(suites[0]))

/* CUnit calls back without a context, so what happens during a run is kept here. */
static struct {
    bool verbose;
    bool skipped; /* the running test called test_skip() */
    unsigned passed, failed, skips;
    char scratch[PATH_MAX]; /* of the running test; "" until it asks */
} run;

/* ---- What tests use */

static void die(const char *what)
{
    fprintf(stderr, "unit: %s: %s\n", what, strerror(errno));
    exit(1);
}

const char *scratch_dir(void)
{
    if (run.scratch[0] != '\0') {
        return run.scratch;
    }
    const char *parent = getenv("TMPDIR");
    snprintf(run.scratch, sizeof(run.scratch), "%s/regstore-unit.XXXXXX",
             parent != NULL && parent[0] != '\0' ? parent : "/tmp");
    if (mkdtemp(run.scratch) == NULL) {
        die(run.scratch);
    }
    return run.scratch;
}

const char *scratch_path(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    if (snprintf(path, PATH_MAX, "%s/%s", scratch_dir(), name) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        die(name);
    }
    return path;
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *place)
{
    (void)stat;
    (void)type;
    (void)place;
    return remove(path);
}

static void remove_scratch(void)
{
    if (run.scratch[0] != '\0') {
        (void)nftw(run.scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    }
    run.scratch[0] = '\0';
}

void test_skip(const char *why)
{
    run.skipped = true;
    printf("  skipped: %s/%s: %s\n", CU_get_current_suite()->pName, CU_get_current_test()->pName,
           why);
}

const char *top_dir(void)
{
    const char *top = getenv("REGSTORE_TOP");
    return top != NULL && top[0] != '\0' ? top : ".";
}

const char *shared_dir(void)
{
    static char path[PATH_MAX];
    struct stat found;
    int length = snprintf(path, sizeof(path), "%s/../shared", top_dir());
    if (length >= (int)sizeof(path) || stat(path, &found) != 0 || !S_ISDIR(found.st_mode)) {
        return NULL;
    }
    return path;
}

/* ---- The run */

static void test_started(CU_pTest test, CU_pSuite suite)
{
    run.skipped = false;
    if (run.verbose) {
        printf("%s/%s\n", suite->pName, test->pName);
    }
}

static void test_completed(CU_pTest test, CU_pSuite suite, CU_pFailureRecord failures)
{
    for (CU_pFailureRecord failure = failures; failure != NULL; failure = failure->pNext) {
        printf("  FAILED: %s/%s: %s:%u: %s\n", suite->pName, test->pName, failure->strFileName,
               failure->uiLineNumber, failure->strCondition);
    }
    if (failures != NULL) {
        run.failed++;
    } else if (run.skipped) {
        run.skips++;
    } else {
        run.passed++;
    }
    remove_scratch();
}

static void print_counts(unsigned passed, unsigned failed, unsigned skips)
{
    printf("%u passed, %u failed, %u skipped\n", passed, failed, skips);
}

/* Hands a suite to CUnit. */
static CU_pSuite add_suite(const struct test_suite *suite)
{
    CU_pSuite added = CU_add_suite(suite->name, NULL, NULL);
    if (added == NULL) {
        return NULL;
    }
    for (const struct test_case *test = suite->cases; test->name != NULL; test++) {
        if (CU_add_test(added, test->name, test->run) == NULL) {
            return NULL;
        }
    }
    return added;
}

static bool run_suite(const struct test_suite *suite)
{
    unsigned passed = run.passed, failed = run.failed, skips = run.skips;
    CU_pSuite added = add_suite(suite);
    if (added == NULL || CU_run_suite(added) != CUE_SUCCESS) {
        fprintf(stderr, "unit: suite %s: %s\n", suite->name, CU_get_error_msg());
        return false;
    }
    printf("%-12s ", suite->name);
    print_counts(run.passed - passed, run.failed - failed, run.skips - skips);
    return true;
}

static const struct test_suite *find_suite(const char *name)
{
    for (size_t i = 0; i < SUITES; i++) {
        if (strcmp(suites[i]->name, name) == 0) {
            return suites[i];
        }
    }
    return NULL;
}

static bool run_named(char *const *names)
{
    for (; *names != NULL; names++) {
        if (!run_suite(find_suite(*names))) {
            return false;
        }
    }
    return true;
}

static bool run_all(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        if (!run_suite(suites[i])) {
            return false;
        }
    }
    return true;
}

static int list_suites(void)
{
    for (size_t i = 0; i < SUITES; i++) {
        puts(suites[i]->name);
    }
    return 0;
}

int main(int argc, char **argv)
{
    char **names = argv + (argc > 0);
    if (*names != NULL && strcmp(*names, "--list") == 0) {
        return list_suites();
    }
    if (*names != NULL && strcmp(*names, "-v") == 0) {
        run.verbose = true;
        names++;
    }
    for (char **name = names; *name != NULL; name++) {
        if (find_suite(*name) == NULL) {
            fprintf(stderr, "unit: no suite \"%s\"\n", *name);
            return 2;
        }
    }
    /* Line by line, so that a child that a test forks has nothing left to print a second time. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (CU_initialize_registry() != CUE_SUCCESS) {
        die("CUnit");
    }
    CU_set_test_start_handler(test_started);
    CU_set_test_complete_handler(test_completed);
    bool ran = *names != NULL ? run_named(names) : run_all();
    CU_cleanup_registry();
    print_counts(run.passed, run.failed, run.skips);
    return ran && run.failed == 0 && run.passed > 0 ? 0 : 1;
}
