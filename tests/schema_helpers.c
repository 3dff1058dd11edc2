/*
 * schema_helpers.c - see schema_helpers.h.
 */
#include "schema_helpers.h"

#include <stdio.h>

rs_store *open_app_rules(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key unused;
    set_rule(txn, APP, "Size", "type=REG_DWORD|min=1|max=5");
    set_rule(txn, APP, "Limit", "type=REG_DWORD|default=10");
    set_rule(txn, APP, "Period", "type=REG_DWORD|warn-above=Limit|warning=never shown");
    set_rule(txn, APP "\\Ports\\*", "Needed", "type=REG_SZ|required=yes|enum=l|enum=o");
    add_key(txn, "HKLM\\SYSTEM\\ControlSet001\\Services\\App");
    SUCCEEDS(rs_link_create(txn, RS_NO_KEY, "HKLM\\SYSTEM\\CurrentControlSet",
                            "HKLM\\SYSTEM\\ControlSet001", RS_VOLATILE, &unused));
    end_writing(txn);
    return store;
}

/* ---- What is told ---- */

static int add_violation(void *context, const rs_violation *violation)
{
    struct buffer *told = context;
    const char *last = strrchr(violation->path, '\\');
    CU_ASSERT_EQUAL(strlen(violation->path), violation->path_len);
    CU_ASSERT_EQUAL(strlen(violation->name), violation->name_len);
    if (violation->rule != NULL) {
        CU_ASSERT(strncmp(violation->rule->key, "HKEY_REGSTORE\\Rules\\", 20) == 0);
        CU_ASSERT(rs_name_compare(violation->rule->name, RS_NTS, violation->name, RS_NTS) == 0);
    }
    return buffer_printf(told, "%s%s:%s%s %s\n", violation->warning ? "(" : "",
                         last != NULL ? last + 1 : violation->path, violation->name,
                         violation->value == NULL ? "-" : "", violation->text);
}

static void expect_told(int status, uint64_t count, struct buffer *told, uint64_t expected_count,
                        const char *expected)
{
    SUCCEEDS(status);
    SUCCEEDS(buffer_terminate(told));
    EQUAL_TEXT(told->data, expected);
    CU_ASSERT_EQUAL(count, expected_count);
    buffer_free(told);
}

void expect_changes(rs_txn *txn, uint64_t violations, const char *expected)
{
    struct buffer told = BUFFER_INIT;
    uint64_t count = 77;
    int status = rs_txn_check(txn, add_violation, &told, &count);
    expect_told(status, count, &told, violations, expected);
    SUCCEEDS(rs_txn_check(txn, NULL, NULL, NULL));
}

void expect_stored(rs_txn *txn, rs_key key, unsigned flags, uint64_t violations,
                   const char *expected)
{
    struct buffer told = BUFFER_INIT;
    uint64_t count = 77;
    int status = rs_key_check(txn, key, flags, add_violation, &told, &count);
    expect_told(status, count, &told, violations, expected);
}

void refused(rs_txn *txn, int expected, const char *ending)
{
    rs_error error = RS_ERROR_INIT;
    uint64_t revision = 77;
    uint64_t before = rs_revision(txn);
    rs_store *store = txn->store;
    rs_txn_errors(txn, &error);
    GIVES(expected, rs_commit(txn, &revision));
    CU_ASSERT_EQUAL(error.status, expected);
    CU_ASSERT_EQUAL(revision, 77);
    size_t len = strlen(error.text);
    if (len < strlen(ending) || strcmp(error.text + len - strlen(ending), ending) != 0) {
        printf("\"%s\" instead of \"%s\"\n", error.text, ending);
        CU_FAIL("told otherwise");
    }
    txn = start_reading(store);
    CU_ASSERT_EQUAL(rs_revision(txn), before);
    rs_abort(txn);
}
