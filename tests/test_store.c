/*
 * test_store.c - stores opened and closed, snapshots, commits and aborts, read-only stores, forks.
 */
#include "stores.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOBODY 65534

/* ---- Opening ---- */

static void a_store_is_kept_when_closed(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    set_number(txn, key, "Size", 3);
    CU_ASSERT_EQUAL(end_writing(txn), 1);
    rs_close(store);
    SUCCEEDS(rs_open(scratch_path("store"), 0, &store, NULL));
    EQUAL_TEXT(rs_store_dir(store), scratch_path("store"));
    txn = start_reading(store);
    CU_ASSERT_EQUAL(number_of(txn, find_key(txn, "HKLM\\A"), "Size"), 3);
    CU_ASSERT_EQUAL(rs_revision(txn), 1);
    rs_abort(txn);
    rs_close(store);
    rs_close(NULL);
}

static void arguments_of_opening_are_checked(void)
{
    rs_error error = RS_ERROR_INIT;
    rs_store *store = NULL;
    rs_txn *txn = NULL;
    GIVES(RS_EINVAL, rs_open(scratch_path("x"), 0, NULL, &error));
    CU_ASSERT_EQUAL(error.status, RS_EINVAL);
    GIVES(RS_EINVAL, rs_open(scratch_path("x"), 64, &store, NULL));
    GIVES(RS_EINVAL, rs_open(scratch_path("x"), RS_NEW, &store, NULL));
    GIVES(RS_EINVAL, rs_open(scratch_path("x"), RS_NEW | RS_READONLY, &store, NULL));
    CU_ASSERT_PTR_NULL(store);
    GIVES(RS_EINVAL, rs_begin(NULL, RS_READ, &txn));
    store = open_store();
    GIVES(RS_EINVAL, rs_begin(store, 2, &txn));
    GIVES(RS_EINVAL, rs_begin(store, RS_READ, NULL));
    CU_ASSERT_PTR_NULL(txn);
    GIVES(RS_EINVAL, rs_commit(NULL, NULL));
    rs_abort(NULL);
    rs_close(store);
}

static void only_a_new_one_is_made(void)
{
    const char *dir = scratch_path("store");
    rs_store *store = NULL, *other = NULL;
    rs_error error = RS_ERROR_INIT;
    SUCCEEDS(rs_open(dir, RS_CREATE | RS_NEW, &store, NULL));
    GIVES(RS_EEXIST, rs_open(dir, RS_CREATE | RS_NEW, &other, &error));
    CU_ASSERT(strstr(error.text, "store: a store exists") != NULL);
    rs_close(store);
    GIVES(RS_EEXIST, rs_open(dir, RS_CREATE | RS_NEW, &other, NULL));
    CU_ASSERT_PTR_NULL(other);
    SUCCEEDS(rs_open(dir, RS_CREATE, &store, NULL));
    rs_close(store);
}

/* The caller's place may change between opening and the first commit. */
static int change_directory(void *context)
{
    rs_store *store = NULL;
    rs_txn *txn = NULL;
    rs_key key;
    (void)context;
    if (chdir(scratch_dir()) != 0 || rs_open("here", RS_CREATE, &store, NULL) != RS_OK ||
        chdir("/") != 0 || unlink(scratch_path("here/bell")) != 0 ||
        rs_begin(store, RS_WRITE, &txn) != RS_OK ||
        rs_key_create(txn, RS_HKLM, "A", &key) != RS_OK || rs_commit(txn, NULL) != RS_OK) {
        return 1;
    }
    rs_close(store);
    struct stat st;
    return stat(scratch_path("here/bell"), &st) == 0 ? 0 : 2; /* ringing made it again */
}

static void a_relative_directory_stays_the_same(void)
{
    scratch_dir();
    GIVES(0, in_child(change_directory, NULL));
}

static int default_is(const char *wanted)
{
    char *dir = NULL;
    int status = rs_default_dir(&dir);
    bool same = wanted == NULL ? status == RS_ENOTFOUND && dir == NULL
                               : status == RS_OK && strcmp(dir, wanted) == 0;
    rs_free(dir);
    return same;
}

static int look_for_defaults(void *context)
{
    (void)context;
    setenv("REGSTORE", "/named", 1);
    setenv("XDG_STATE_HOME", "/state", 1);
    setenv("HOME", "/home/me", 1);
    if (!default_is("/named")) {
        return 1;
    }
    setenv("REGSTORE", "", 1);
    if (geteuid() == 0 && (!default_is("/var/lib/regstore") || setuid(NOBODY) != 0)) {
        return 2;
    }
    if (!default_is("/state/regstore")) {
        return 3;
    }
    unsetenv("XDG_STATE_HOME");
    if (!default_is("/home/me/.local/state/regstore")) {
        return 4;
    }
    unsetenv("HOME");
    rs_error error = RS_ERROR_INIT;
    rs_store *store = NULL;
    return default_is(NULL) && rs_open(NULL, 0, &store, &error) == RS_ENOTFOUND &&
                   error.status == RS_ENOTFOUND
               ? 0
               : 5;
}

static void the_default_directory_comes_from_the_environment(void)
{
    GIVES(0, in_child(look_for_defaults, NULL));
}

static void a_directory_opened_twice_is_one_store(void)
{
    rs_store *one = open_store();
    rs_store *two = open_store();
    rs_txn *txn = start_writing(one);
    rs_key key = add_key(txn, "HKLM\\A");
    end_writing(txn);
    rs_close(one);
    txn = start_reading(two);
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\A"), key);
    rs_abort(txn);
    txn = start_writing(two);
    CU_ASSERT_EQUAL(end_writing(txn), 1);
    rs_close(two);
}

/* ---- Transactions ---- */

static void a_snapshot_does_not_change(void)
{
    rs_store *store = open_store();
    rs_txn *before = start_reading(store);
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    set_number(txn, key, "Size", 1);
    rs_key found;
    GIVES(RS_ENOTFOUND, rs_key_open(before, RS_HKLM, "A", &found));
    end_writing(txn);
    rs_txn *between = start_reading(store);
    txn = start_writing(store);
    set_number(txn, key, "Size", 2);
    CU_ASSERT_EQUAL(rs_revision(txn), 1);
    CU_ASSERT_EQUAL(end_writing(txn), 2);
    GIVES(RS_ENOTFOUND, rs_key_open(before, RS_HKLM, "A", &found));
    CU_ASSERT_EQUAL(rs_revision(before), 0);
    CU_ASSERT_EQUAL(number_of(between, key, "Size"), 1);
    CU_ASSERT_EQUAL(rs_revision(between), 1);
    rs_abort(before);
    rs_abort(between);
    txn = start_reading(store);
    CU_ASSERT_EQUAL(number_of(txn, key, "Size"), 2);
    rs_abort(txn);
    rs_close(store);
}

static void an_abort_leaves_nothing(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key kept = add_key(txn, "HKLM\\Kept");
    set_number(txn, kept, "Size", 1);
    end_writing(txn);
    txn = start_reading(store);
    rs_stat before = stat_of(txn);
    uint64_t written = info_of(txn, kept).written;
    rs_abort(txn);
    txn = start_writing(store);
    add_key(txn, "HKLM\\New\\Deeper");
    set_number(txn, kept, "Size", 2);
    SUCCEEDS(rs_key_rename(txn, kept, "Renamed"));
    rs_abort(txn);
    txn = start_reading(store);
    rs_stat after = stat_of(txn);
    CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof before), 0);
    EQUAL_TEXT(subkeys_of(txn, RS_HKLM), "Kept");
    CU_ASSERT_EQUAL(number_of(txn, kept, "Size"), 1);
    CU_ASSERT_EQUAL(info_of(txn, kept).written, written);
    rs_abort(txn);
    rs_close(store);
}

static void nothing_changed_is_no_revision(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    CU_ASSERT_EQUAL(end_writing(txn), 0);
    txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    SUCCEEDS(rs_commit(txn, NULL));
    txn = start_writing(store);
    CU_ASSERT_EQUAL(add_key(txn, "HKLM\\a"), key);
    SUCCEEDS(rs_key_set_class(txn, key, ""));
    SUCCEEDS(rs_key_rename(txn, key, "A"));
    CU_ASSERT_EQUAL(end_writing(txn), 1);
    txn = start_reading(store);
    rs_stat stat = stat_of(txn);
    CU_ASSERT(stat.revision == 1 && stat.first_revision == 1 && stat.written > 0);
    CU_ASSERT(stat.format == ENV_FORMAT && stat.max_readers == 1024);
    GIVES(RS_EINVAL, rs_commit(txn, NULL));
    rs_abort(txn);
    rs_close(store);
}

/* Counts in a write transaction include what it changed. */
static void counts_follow_the_transaction(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    set_number(txn, add_key(txn, "HKLM\\A\\B"), "Size", 3);
    rs_stat stat = stat_of(txn);
    CU_ASSERT(stat.keys == 2 && stat.values == 1 && stat.revision == 0);
    rs_abort(txn);
    rs_close(store);
}

static int refuse_change(struct change_sink *sink, const struct change *change)
{
    (void)sink;
    (void)change;
    return RS_ENOMEM;
}

/* A change that was cut off in the middle must not reach the disk with what came before it. */
static void a_failed_transaction_cannot_commit(void)
{
    rs_error error = RS_ERROR_INIT;
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    end_writing(txn);
    txn = start_writing(store);
    set_number(txn, key, "Before", 1);
    txn->journal.sink.change = refuse_change;
    GIVES(RS_ENOMEM, rs_set_dword(txn, key, "Size", 1));
    rs_txn_errors(txn, &error);
    GIVES(RS_ENOMEM, rs_set_dword(txn, key, "Size", 1));
    CU_ASSERT_EQUAL(error.status, RS_ENOMEM);
    GIVES(RS_ENOMEM, rs_key_delete(txn, key, 0));
    GIVES(RS_ENOMEM, rs_key_rename(txn, key, "B"));
    rs_key other;
    GIVES(RS_ENOMEM, rs_key_create(txn, RS_HKLM, "B", &other));
    uint64_t revision = 77;
    GIVES(RS_ENOMEM, rs_commit(txn, &revision));
    CU_ASSERT_EQUAL(revision, 77);
    txn = start_writing(store);
    EQUAL_TEXT(values_of(txn, key), "");
    set_number(txn, key, "After", 1);
    CU_ASSERT_EQUAL(end_writing(txn), 2);
    rs_close(store);
}

/* ---- Reading only ---- */

static void check_refused(rs_txn *txn, rs_key key)
{
    rs_key other;
    GIVES(RS_EREADONLY, rs_key_create(txn, RS_HKLM, "A", &other));
    GIVES(RS_EREADONLY, rs_key_delete(txn, key, 0));
    GIVES(RS_EREADONLY, rs_key_rename(txn, key, "B"));
    GIVES(RS_EREADONLY, rs_key_set_class(txn, key, "c"));
    GIVES(RS_EREADONLY, rs_link_create(txn, RS_HKLM, "L", "HKU", 0, &other));
    GIVES(RS_EREADONLY, rs_set_dword(txn, key, "Size", 1));
    GIVES(RS_EREADONLY, rs_value_delete(txn, key, "Size"));
    GIVES(RS_EREADONLY, rs_multi_append(txn, key, "List", "x"));
    GIVES(RS_EREADONLY, rs_multi_remove(txn, key, "List", "x"));
    GIVES(RS_EINVAL, rs_txn_message(txn, "why"));
}

static void a_read_transaction_changes_nothing(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    set_number(txn, key, "Size", 1);
    end_writing(txn);
    txn = start_reading(store);
    check_refused(txn, key);
    rs_abort(txn);
    rs_close(store);
}

static void a_store_may_be_opened_for_reading_only(void)
{
    rs_store *store = open_store();
    rs_store *reading = NULL;
    rs_txn *txn = start_writing(store);
    rs_key key = add_key(txn, "HKLM\\A");
    end_writing(txn);
    SUCCEEDS(rs_open(scratch_path("store"), RS_READONLY, &reading, NULL));
    GIVES(RS_EREADONLY, rs_begin(reading, RS_WRITE, &txn));
    txn = start_reading(reading);
    CU_ASSERT_EQUAL(find_key(txn, "HKLM\\A"), key);
    rs_abort(txn);
    /* The same directory's other handle still writes. */
    txn = start_writing(store);
    add_key(txn, "HKLM\\B");
    end_writing(txn);
    rs_close(store);
    txn = start_reading(reading);
    EQUAL_TEXT(subkeys_of(txn, RS_HKLM), "A,B");
    rs_abort(txn);
    rs_close(reading);
}

static int read_as_nobody(void *context)
{
    rs_store *store = NULL;
    rs_txn *txn = NULL;
    rs_key key;
    if (setresuid(NOBODY, NOBODY, NOBODY) != 0) {
        return 1;
    }
    if (rs_open(context, 0, &store, NULL) != RS_OK) {
        return 2;
    }
    if (rs_begin(store, RS_WRITE, &txn) != RS_EREADONLY || txn != NULL) {
        return 3;
    }
    if (rs_begin(store, RS_READ, &txn) != RS_OK || rs_key_open(txn, RS_HKLM, "A", &key) != RS_OK) {
        return 4;
    }
    rs_abort(txn);
    rs_close(store);
    /* To ask for the store to be made is no failure where it is there. */
    return rs_open(context, RS_CREATE, &store, NULL) == RS_OK ? 0 : 5;
}

static int open_as_stranger(void *context)
{
    rs_store *store = NULL;
    rs_error error = RS_ERROR_INIT;
    if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0) {
        return 1;
    }
    return rs_open(context, 0, &store, &error) == RS_EACCESS && error.status == RS_EACCESS ? 0 : 2;
}

/* The group may read: data.mdb is 0640. Others may not enter. */
static void the_group_reads_and_others_do_not(void)
{
    char dir[4096];
    if (geteuid() != 0) {
        test_skip("only root can become another user");
        return;
    }
    snprintf(dir, sizeof dir, "%s", scratch_path("store"));
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_dir(), 0755), 0);
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    add_key(txn, "HKLM\\A");
    end_writing(txn);
    rs_close(store);
    GIVES(0, in_child(read_as_nobody, dir));
    GIVES(0, in_child(open_as_stranger, dir));
}

/* ---- Forks ---- */

struct family {
    rs_store *store;
    rs_txn *reading;
    rs_txn *writing;
    rs_key key;
};

static int use_parents_reading(struct family *family)
{
    rs_txn *txn = family->reading;
    rs_key key;
    rs_key_info info;
    rs_value value;
    rs_cursor *cursor;
    rs_stat stat;
    return rs_key_open(txn, RS_HKLM, "A", &key) == RS_EFORK &&
           rs_key_info_get(txn, family->key, &info) == RS_EFORK &&
           rs_value_get(txn, family->key, "Size", &value) == RS_EFORK &&
           rs_subkeys(txn, RS_HKLM, &cursor) == RS_EFORK && rs_stat_get(txn, &stat) == RS_EFORK;
}

static int use_parents_writing(struct family *family)
{
    rs_txn *txn = family->writing;
    rs_key key;
    return rs_key_create(txn, RS_HKLM, "Child", &key) == RS_EFORK &&
           rs_set_dword(txn, family->key, "Size", 9) == RS_EFORK &&
           rs_key_delete(txn, family->key, 0) == RS_EFORK &&
           rs_key_rename(txn, family->key, "Child") == RS_EFORK &&
           rs_multi_append(txn, family->key, "List", "x") == RS_EFORK &&
           rs_commit(txn, NULL) == RS_EFORK;
}

static int be_a_child(void *context)
{
    struct family *family = context;
    rs_txn *txn = NULL;
    if (rs_begin(family->store, RS_READ, &txn) != RS_EFORK) {
        return 1;
    }
    if (!use_parents_reading(family) || !use_parents_writing(family)) {
        return 2;
    }
    rs_abort(family->reading);
    rs_close(family->store);
    return 0;
}

static int open_own(void *context)
{
    struct family *family = context;
    rs_txn *txn = NULL;
    rs_store *own = NULL;
    rs_key key;
    if (rs_open(rs_store_dir(family->store), 0, &own, NULL) != RS_OK ||
        rs_begin(own, RS_READ, &txn) != RS_OK || rs_key_open(txn, RS_HKLM, "A", &key) != RS_OK ||
        key != family->key) {
        return 1;
    }
    rs_abort(txn);
    rs_close(own);
    rs_abort(family->reading);
    rs_close(family->store);
    return 0;
}

static void nothing_crosses_a_fork(void)
{
    struct family family = {.store = open_store()};
    rs_txn *txn = start_writing(family.store);
    family.key = add_key(txn, "HKLM\\A");
    end_writing(txn);
    rs_abort(start_reading(family.store)); /* one more in the pool */
    family.reading = start_reading(family.store);
    GIVES(0, in_child(open_own, &family));
    family.writing = start_writing(family.store);
    set_number(family.writing, family.key, "Size", 1);
    GIVES(0, in_child(be_a_child, &family));
    CU_ASSERT_EQUAL(end_writing(family.writing), 2);
    EQUAL_TEXT(values_of(family.reading, family.key), "");
    rs_abort(family.reading);
    txn = start_reading(family.store);
    CU_ASSERT_EQUAL(number_of(txn, family.key, "Size"), 1);
    EQUAL_TEXT(subkeys_of(txn, RS_HKLM), "A");
    rs_abort(txn);
    rs_close(family.store);
}

/* Two directories with one data file would have two locks for it. */
static void a_file_with_two_names_is_refused(void)
{
    static const char *const files[] = {"store/data.mdb", "store/lock.mdb"};
    rs_close(open_store());
    for (size_t i = 0; i < 2; i++) {
        rs_store *store;
        rs_error error = RS_ERROR_INIT;
        CU_ASSERT_EQUAL_FATAL(link(scratch_path(files[i]), scratch_path("other")), 0);
        GIVES(RS_EUNSAFE, rs_open(scratch_path("store"), 0, &store, &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, files[i]));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "another name"));
        CU_ASSERT_EQUAL(unlink(scratch_path("other")), 0);
    }
    rs_close(open_store());
}

/* A commit that nobody could find again is none. */
static void a_removed_store_takes_no_commit(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    uint64_t revision = 0;
    set_number(txn, RS_HKLM, "Size", 1);
    CU_ASSERT_EQUAL_FATAL(rename(scratch_path("store/data.mdb"), scratch_path("kept")), 0);
    GIVES(RS_OK, rs_commit(txn, &revision)); /* it only has another name */
    CU_ASSERT_EQUAL(revision, 1);
    txn = start_writing(store);
    set_number(txn, RS_HKLM, "Size", 2);
    CU_ASSERT_EQUAL_FATAL(unlink(scratch_path("kept")), 0);
    GIVES(RS_EREPLACED, rs_commit(txn, &revision));
    CU_ASSERT_EQUAL(revision, 1);
    GIVES(RS_EREPLACED, rs_begin(store, RS_WRITE, &txn));
    rs_close(store);
}

static const struct test_case cases[] = {
    {"a file with two names is refused", a_file_with_two_names_is_refused},
    {"a removed store takes no commit", a_removed_store_takes_no_commit},
    {"a store is kept when closed", a_store_is_kept_when_closed},
    {"arguments of opening are checked", arguments_of_opening_are_checked},
    {"only a new one is made", only_a_new_one_is_made},
    {"a relative directory stays the same", a_relative_directory_stays_the_same},
    {"the default directory comes from the environment",
     the_default_directory_comes_from_the_environment},
    {"a directory opened twice is one store", a_directory_opened_twice_is_one_store},
    {"a snapshot does not change", a_snapshot_does_not_change},
    {"an abort leaves nothing", an_abort_leaves_nothing},
    {"nothing changed is no revision", nothing_changed_is_no_revision},
    {"counts follow the transaction", counts_follow_the_transaction},
    {"a failed transaction cannot commit", a_failed_transaction_cannot_commit},
    {"a read transaction changes nothing", a_read_transaction_changes_nothing},
    {"a store may be opened for reading only", a_store_may_be_opened_for_reading_only},
    {"the group reads and others do not", the_group_reads_and_others_do_not},
    {"nothing crosses a fork", nothing_crosses_a_fork},
    {NULL, NULL},
};
const struct test_suite suite_store = {"store", cases};
