/*
 * test_api.c - the public calls' arguments: what is refused, what is described, what is left alone.
 */
#include "stores.h"

#include <stdio.h>

struct bench {
    rs_store *store;
    rs_txn *txn;
    rs_key key; /* with the REG_SZ "Text" */
};

static struct bench open_bench(void)
{
    struct bench bench = {.store = open_store()};
    bench.txn = start_writing(bench.store);
    bench.key = add_key(bench.txn, "HKLM\\Key");
    SUCCEEDS(rs_set_string(bench.txn, bench.key, "Text", "text"));
    return bench;
}

static void close_bench(struct bench *bench)
{
    rs_abort(bench->txn);
    rs_close(bench->store);
}

/* ---- Every failure is described ---- */

static int open_missing(rs_txn *txn, rs_key key)
{
    rs_key found;
    return rs_key_open(txn, key, "Missing", &found);
}

static int open_nowhere(rs_txn *txn, rs_key key)
{
    return rs_key_open(txn, key, "", NULL);
}

static int open_with_odd_flags(rs_txn *txn, rs_key key)
{
    rs_key found;
    return rs_key_open_n(txn, key, "", 0, RS_RECURSIVE, &found);
}

static int create_with_odd_flags(rs_txn *txn, rs_key key)
{
    rs_key found;
    return rs_key_create_n(txn, key, "A", 1, RS_RECURSIVE, &found, NULL);
}

static int rename_nothing(rs_txn *txn, rs_key key)
{
    (void)key;
    return rs_key_rename(txn, RS_NO_KEY, "A");
}

static int rename_root(rs_txn *txn, rs_key key)
{
    (void)key;
    return rs_key_rename(txn, RS_HKCC, "A");
}

static int rename_to_nothing(rs_txn *txn, rs_key key)
{
    return rs_key_rename(txn, key, NULL);
}

static int info_of_deleted(rs_txn *txn, rs_key key)
{
    rs_key_info info;
    return rs_key_info_get(txn, key + 1000, &info);
}

static int info_nowhere(rs_txn *txn, rs_key key)
{
    return rs_key_info_get(txn, key, NULL);
}

static int path_of_deleted(rs_txn *txn, rs_key key)
{
    const char *path;
    return rs_key_path(txn, key + 1000, &path, NULL);
}

static int link_to_nothing(rs_txn *txn, rs_key key)
{
    rs_key link;
    return rs_link_create(txn, key, "Link", NULL, 0, &link);
}

static int target_of_no_link(rs_txn *txn, rs_key key)
{
    const char *target;
    return rs_link_target(txn, key, &target, NULL);
}

static int list_deleted(rs_txn *txn, rs_key key)
{
    rs_cursor *cursor;
    return rs_values(txn, key + 1000, &cursor);
}

static int get_missing(rs_txn *txn, rs_key key)
{
    rs_value value;
    return rs_value_get(txn, key, "Missing", &value);
}

static int get_of_no_key(rs_txn *txn, rs_key key)
{
    rs_value value;
    (void)key;
    return rs_value_get(txn, RS_NO_KEY, "Text", &value);
}

static int get_dword_missing(rs_txn *txn, rs_key key)
{
    uint32_t number;
    return rs_get_dword(txn, key, "Missing", &number);
}

static int get_dword_of_text(rs_txn *txn, rs_key key)
{
    uint32_t number;
    return rs_get_dword(txn, key, "Text", &number);
}

static int get_bool_nowhere(rs_txn *txn, rs_key key)
{
    return rs_get_bool(txn, key, "Text", NULL);
}

static int set_nothing(rs_txn *txn, rs_key key)
{
    return rs_value_set(txn, key, "Text", REG_SZ, NULL, 2);
}

static int set_null_string(rs_txn *txn, rs_key key)
{
    return rs_set_string(txn, key, "Text", NULL);
}

static int set_odd_string(rs_txn *txn, rs_key key)
{
    return rs_set_string(txn, key, "Text", "\xff");
}

static int set_null_list(rs_txn *txn, rs_key key)
{
    return rs_set_multi(txn, key, "Text", NULL, 1);
}

static int append_to_text(rs_txn *txn, rs_key key)
{
    return rs_multi_append(txn, key, "Text", "x");
}

static int append_nothing(rs_txn *txn, rs_key key)
{
    return rs_multi_append(txn, key, "List", NULL);
}

static int remove_from_missing(rs_txn *txn, rs_key key)
{
    return rs_multi_remove(txn, key, "Missing", "x");
}

static int long_message(rs_txn *txn, rs_key key)
{
    (void)key;
    return rs_txn_message(txn, repeated("m", 5000));
}

static int stat_nowhere(rs_txn *txn, rs_key key)
{
    (void)key;
    return rs_stat_get(txn, NULL);
}

static void every_failure_is_described(void)
{
    static const struct {
        int (*call)(rs_txn *txn, rs_key key);
        int status;
    } rows[] = {
        {open_missing, RS_ENOTFOUND},
        {open_nowhere, RS_EINVAL},
        {open_with_odd_flags, RS_EINVAL},
        {create_with_odd_flags, RS_EINVAL},
        {rename_nothing, RS_EINVAL},
        {rename_root, RS_EROOT},
        {rename_to_nothing, RS_ENAME},
        {info_of_deleted, RS_EDELETED},
        {info_nowhere, RS_EINVAL},
        {path_of_deleted, RS_EDELETED},
        {link_to_nothing, RS_EINVAL},
        {target_of_no_link, RS_ENOTFOUND},
        {list_deleted, RS_EDELETED},
        {get_missing, RS_ENOTFOUND},
        {get_of_no_key, RS_EINVAL},
        {get_dword_missing, RS_ENOTFOUND},
        {get_dword_of_text, RS_ETYPE},
        {get_bool_nowhere, RS_EINVAL},
        {set_nothing, RS_EINVAL},
        {set_null_string, RS_EINVAL},
        {set_odd_string, RS_ETEXT},
        {set_null_list, RS_EINVAL},
        {append_to_text, RS_ETYPE},
        {append_nothing, RS_EINVAL},
        {remove_from_missing, RS_ENOTFOUND},
        {long_message, RS_ETOOLONG},
        {stat_nowhere, RS_EINVAL},
    };
    struct bench bench = open_bench();
    uint64_t changes = bench.txn->journal.changes;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rs_error error = RS_ERROR_INIT;
        rs_txn_errors(bench.txn, &error);
        int status = rows[i].call(bench.txn, bench.key);
        if (status != rows[i].status || error.status != status || error.text[0] == '\0') {
            printf("  row %zu: %s, described as %s\n", i, rs_status_name(status),
                   rs_status_name(error.status));
            CU_FAIL("a failure has another status, or is not described");
        }
    }
    rs_txn_errors(bench.txn, NULL);
    CU_ASSERT_EQUAL(bench.txn->journal.changes, changes);
    close_bench(&bench);
}

static void the_first_error_wins(void)
{
    rs_error error = RS_ERROR_INIT;
    struct bench bench = open_bench();
    rs_txn_errors(bench.txn, &error);
    GIVES(RS_ENOTFOUND, get_missing(bench.txn, bench.key));
    GIVES(RS_ETYPE, get_dword_of_text(bench.txn, bench.key));
    CU_ASSERT_EQUAL(error.status, RS_ENOTFOUND);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "Missing"));
    rs_txn_errors(bench.txn, NULL);
    close_bench(&bench);
}

/* That nothing is set is an answer, no failure. */
static void no_effective_value_is_no_error(void)
{
    rs_error error = RS_ERROR_INIT;
    enum rs_origin origin = RS_ORIGIN_SET;
    struct bench bench = open_bench();
    rs_txn_errors(bench.txn, &error);
    SUCCEEDS(rs_effective(bench.txn, bench.key, "Missing", NULL, &origin));
    CU_ASSERT_EQUAL(origin, RS_ORIGIN_NONE);
    CU_ASSERT_EQUAL(error.status, RS_OK);
    rs_txn_errors(bench.txn, NULL);
    close_bench(&bench);
}

static void no_transaction_is_refused(void)
{
    rs_key key = RS_HKLM;
    rs_key_info info;
    rs_value value;
    rs_cursor *cursor;
    uint32_t number;
    rs_stat stat;
    GIVES(RS_EINVAL, rs_key_open(NULL, RS_NO_KEY, "HKLM", &key));
    GIVES(RS_EINVAL, rs_key_create(NULL, RS_NO_KEY, "HKLM", &key));
    GIVES(RS_EINVAL, rs_key_delete(NULL, key, 0));
    GIVES(RS_EINVAL, rs_key_rename(NULL, key, "A"));
    GIVES(RS_EINVAL, rs_key_set_class(NULL, key, "A"));
    GIVES(RS_EINVAL, rs_key_info_get(NULL, key, &info));
    GIVES(RS_EINVAL, rs_subkeys(NULL, key, &cursor));
    GIVES(RS_EINVAL, rs_value_get(NULL, key, "A", &value));
    GIVES(RS_EINVAL, rs_get_dword(NULL, key, "A", &number));
    GIVES(RS_EINVAL, rs_set_dword(NULL, key, "A", 1));
    GIVES(RS_EINVAL, rs_set_string(NULL, key, "A", NULL));
    GIVES(RS_EINVAL, rs_multi_append(NULL, key, "A", "x"));
    GIVES(RS_EINVAL, rs_stat_get(NULL, &stat));
    GIVES(RS_EINVAL, rs_txn_message(NULL, "why"));
}

static void created_tells_who_made_it(void)
{
    int created = -1;
    rs_key key;
    struct bench bench = open_bench();
    SUCCEEDS(rs_key_create_n(bench.txn, RS_HKLM, "A\\B", RS_NTS, 0, &key, &created));
    CU_ASSERT_EQUAL(created, 1);
    SUCCEEDS(rs_key_create_n(bench.txn, RS_HKLM, "a\\b\\", RS_NTS, 0, &key, &created));
    CU_ASSERT_EQUAL(created, 0);
    SUCCEEDS(rs_key_create_n(bench.txn, key, "", 0, 0, &key, &created));
    CU_ASSERT_EQUAL(created, 0);
    SUCCEEDS(rs_key_create_n(bench.txn, RS_NO_KEY, "HKCR", RS_NTS, 0, &key, &created));
    CU_ASSERT_EQUAL(created, 1);
    close_bench(&bench);
}

/* Asked for again and again, as what was found is remembered. */
static void no_text_is_empty_text(void)
{
    rs_key key = RS_NO_KEY;
    rs_value value;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    SUCCEEDS(rs_key_create(txn, RS_HKLM, NULL, &key));
    SUCCEEDS(rs_value_set(txn, key, NULL, REG_NONE, NULL, 0));
    SUCCEEDS(rs_key_set_class(txn, key, NULL));
    end_writing(txn);
    txn = start_reading(store);
    for (int i = 0; i < 4; i++) {
        SUCCEEDS(rs_key_open(txn, RS_HKLM, NULL, &key));
        CU_ASSERT_EQUAL(key, RS_HKLM);
        SUCCEEDS(rs_value_get(txn, key, NULL, &value));
    }
    rs_abort(txn);
    rs_close(store);
}

/* A length counts, whatever stands behind it. */
static void lengths_end_names(void)
{
    rs_key key;
    rs_value value;
    struct bench bench = open_bench();
    SUCCEEDS(rs_key_open_n(bench.txn, RS_NO_KEY, "HKLM\\KeyXXX", 8, 0, &key));
    CU_ASSERT_EQUAL(key, bench.key);
    SUCCEEDS(rs_value_get_n(bench.txn, key, "TextXXX", 4, &value));
    SUCCEEDS(rs_key_rename_n(bench.txn, key, "LongName", 4));
    EQUAL_TEXT(info_of(bench.txn, key).name, "Long");
    SUCCEEDS(rs_key_set_class_n(bench.txn, key, "ClassXXX", 5));
    EQUAL_TEXT(info_of(bench.txn, key).class_name, "Class");
    close_bench(&bench);
}

static void cursors_are_of_one_kind(void)
{
    rs_cursor *keys = NULL;
    rs_cursor *values = NULL;
    rs_key_info info;
    rs_value value;
    struct bench bench = open_bench();
    SUCCEEDS(rs_subkeys(bench.txn, RS_HKLM, &keys));
    SUCCEEDS(rs_values(bench.txn, bench.key, &values));
    GIVES(RS_EINVAL, rs_next_value(keys, &value));
    GIVES(RS_EINVAL, rs_next_key(values, &info));
    GIVES(RS_EINVAL, rs_next_key(keys, NULL));
    GIVES(RS_EINVAL, rs_next_key(NULL, &info));
    SUCCEEDS(rs_next_key(keys, &info));
    SUCCEEDS(rs_next_value(values, &value));
    CU_ASSERT_EQUAL(info.key, bench.key);
    EQUAL_TEXT(value.name, "Text");
    rs_cursor_close(keys);
    rs_cursor_close(values);
    rs_cursor_close(NULL);
    close_bench(&bench);
}

/* Cursors that were closed are used again, in nested loops too. */
static void cursors_may_be_nested(void)
{
    unsigned count = 0;
    struct bench bench = open_bench();
    for (char name = 'a'; name < 'e'; name++) {
        char path[] = {'A', '\\', name, '\\', 'x', 0};
        rs_key key;
        SUCCEEDS(rs_key_create(bench.txn, RS_HKLM, path, &key));
    }
    rs_cursor *outer;
    rs_cursor *inner;
    rs_key_info info;
    rs_key_info deeper;
    SUCCEEDS(rs_subkeys(bench.txn, find_key(bench.txn, "HKLM\\A"), &outer));
    while (rs_next_key(outer, &info) == RS_OK) {
        SUCCEEDS(rs_subkeys(bench.txn, info.key, &inner));
        while (rs_next_key(inner, &deeper) == RS_OK) {
            CU_ASSERT_EQUAL(deeper.parent, info.key);
            CU_ASSERT_EQUAL(*info.name, (char)('a' + count));
            count++;
        }
        rs_cursor_close(inner);
    }
    rs_cursor_close(outer);
    CU_ASSERT_EQUAL(count, 4);
    close_bench(&bench);
}

static void views_are_keys_like_others(void)
{
    rs_key_info info;
    rs_cursor *cursor;
    struct bench bench = open_bench();
    GIVES(RS_ENOTFOUND, rs_key_info_get(bench.txn, RS_HKCR, &info));
    GIVES(RS_ENOTFOUND, rs_set_dword(bench.txn, RS_HKCR, "Size", 1));
    GIVES(RS_ENOTFOUND, rs_subkeys(bench.txn, RS_HKCR, &cursor));
    rs_key key;
    SUCCEEDS(rs_key_create(bench.txn, RS_HKCR, ".txt", &key));
    SUCCEEDS(rs_set_dword(bench.txn, RS_HKCR, "Size", 1));
    SUCCEEDS(rs_key_set_class(bench.txn, RS_HKCR, "Class"));
    info = info_of(bench.txn, RS_HKCR);
    EQUAL_TEXT(info.name, "Classes");
    EQUAL_TEXT(info.class_name, "Class");
    CU_ASSERT(info.values == 1 && info.subkeys == 1);
    EQUAL_TEXT(path_of(bench.txn, RS_HKCR), "HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes");
    EQUAL_TEXT(subkeys_of(bench.txn, RS_HKCR), ".txt");
    CU_ASSERT_EQUAL(number_of(bench.txn, RS_HKCR, "size"), 1);
    close_bench(&bench);
}

static void a_wrong_type_is_named(void)
{
    static const struct {
        uint32_t type;
        const char *text;
    } rows[] = {
        {REG_SZ, "value \"v\" (REG_SZ, 1 bytes): the value has another type"},
        {0x20000, "value \"v\" (a type without a name, 1 bytes): the value has another type"},
    };
    struct bench bench = open_bench();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t number;
        rs_error error = RS_ERROR_INIT;
        SUCCEEDS(rs_value_set(bench.txn, bench.key, "v", rows[i].type, "x", 1));
        rs_txn_errors(bench.txn, &error);
        GIVES(RS_ETYPE, rs_get_qword(bench.txn, bench.key, "v", &number));
        EQUAL_TEXT(error.text, rows[i].text);
    }
    close_bench(&bench);
}

static void dumps_need_a_file(void)
{
    rs_error error = RS_ERROR_INIT;
    struct bench bench = open_bench();
    GIVES(RS_EINVAL, rs_import(bench.txn, NULL, NULL, NULL, &error));
    CU_ASSERT_EQUAL(error.status, RS_EINVAL);
    error = (rs_error)RS_ERROR_INIT;
    GIVES(RS_EINVAL, rs_export(bench.txn, RS_HKLM, NULL, NULL, &error));
    CU_ASSERT_EQUAL(error.status, RS_EINVAL);
    GIVES(RS_EDELETED, rs_export(bench.txn, 12345, scratch_path("f.xml"), NULL, NULL));
    close_bench(&bench);
}

static const struct test_case cases[] = {
    {"every failure is described", every_failure_is_described},
    {"the first error wins", the_first_error_wins},
    {"no effective value is no error", no_effective_value_is_no_error},
    {"no transaction is refused", no_transaction_is_refused},
    {"created tells who made it", created_tells_who_made_it},
    {"no text is empty text", no_text_is_empty_text},
    {"lengths end names", lengths_end_names},
    {"cursors are of one kind", cursors_are_of_one_kind},
    {"cursors may be nested", cursors_may_be_nested},
    {"views are keys like others", views_are_keys_like_others},
    {"a wrong type is named", a_wrong_type_is_named},
    {"dumps need a file", dumps_need_a_file},
    {NULL, NULL},
};
const struct test_suite suite_api = {"api", cases};
