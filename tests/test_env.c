/*
 * test_env.c - environments: made, shared, forked, refused for their version; tables and cursors.
 */
#include "stores.h"
#include "../regstore/env_check.h"
#include "../regstore/env_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct slice bytes(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static bool same(struct slice slice, const char *text)
{
    return slice.size == strlen(text) && memcmp(slice.data, text, slice.size) == 0;
}

/* An init that marks what it made. */
static int mark(struct env_txn *txn)
{
    return env_put(txn, TABLE_TREE, bytes("made"), bytes("once"));
}

static int refuse(struct env_txn *txn)
{
    int status = mark(txn);
    return status == RS_OK ? RS_EDISK : status;
}

static struct env *open_env(const char *dir, unsigned flags)
{
    struct env *env = NULL;
    SUCCEEDS(env_open(dir, flags, mark, &env, NULL));
    return env;
}

static struct env_txn begin(struct env *env, bool write)
{
    struct env_txn txn = {0};
    SUCCEEDS(env_begin(env, write, &txn, NULL));
    return txn;
}

static void put(struct env *env, enum env_table table, const char *key, struct slice value)
{
    struct env_txn txn = begin(env, true);
    SUCCEEDS(env_put(&txn, table, bytes(key), value));
    SUCCEEDS(env_commit(&txn, NULL));
}

static bool has(struct env *env, const char *key)
{
    struct slice value;
    struct env_txn txn = begin(env, false);
    int status = env_get(&txn, TABLE_TREE, bytes(key), &value);
    env_abort(&txn);
    return status == RS_OK;
}

/* ---- Making and opening ---- */

static void is_made_once(void)
{
    const char *dir = scratch_path("store");
    struct env *env = open_env(dir, RS_CREATE);
    CU_ASSERT(has(env, "made"));
    put(env, TABLE_TREE, "made", bytes("changed"));
    env_close(env);
    env = open_env(dir, RS_CREATE);
    struct env_txn txn = begin(env, false);
    struct slice value;
    SUCCEEDS(env_get(&txn, TABLE_TREE, bytes("made"), &value));
    CU_ASSERT(same(value, "changed"));
    env_abort(&txn);
    env_close(env);
}

static void is_not_made_unasked(void)
{
    rs_error error = RS_ERROR_INIT;
    struct env *env = NULL;
    const char *dir = scratch_path("none");
    GIVES(RS_ENOSTORE, env_open(dir, 0, mark, &env, &error));
    CU_ASSERT_PTR_NULL(env);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, dir));
    CU_ASSERT_EQUAL(access(dir, F_OK), -1);
}

static void an_empty_directory_is_no_store(void)
{
    struct env *env = NULL;
    GIVES(RS_ENOSTORE, env_open(scratch_dir(), 0, mark, &env, NULL));
    CU_ASSERT_EQUAL(access(scratch_path(ENV_DATA_FILE), F_OK), -1);
}

/* What init refused is not half made: it can be made again. */
static void a_refused_init_leaves_no_store(void)
{
    struct env *env = NULL;
    const char *dir = scratch_path("store");
    GIVES(RS_EDISK, env_open(dir, RS_CREATE, refuse, &env, NULL));
    GIVES(RS_ENOSTORE, env_open(dir, 0, mark, &env, NULL));
    env = open_env(dir, RS_CREATE);
    CU_ASSERT(has(env, "made"));
    env_close(env);
}

/* What is left of it must not be covered by a new one. */
static void a_store_without_one_of_its_tables_is_damaged(void)
{
    const char *dir = scratch_path("store");
    struct env *env = open_env(dir, RS_CREATE);
    put(env, TABLE_TREE, "made", bytes("changed"));
    struct env_txn txn = begin(env, true);
    CU_ASSERT_EQUAL(mdb_drop(txn.mdb, env->tables[TABLE_META], 1), 0);
    SUCCEEDS(env_commit(&txn, NULL));
    env_close(env);
    env = NULL;
    GIVES(RS_EDAMAGED, env_open(dir, 0, mark, &env, NULL));
    GIVES(RS_EDAMAGED, env_open(dir, RS_CREATE, mark, &env, NULL));
    CU_ASSERT_PTR_NULL(env);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void modes_do_not_depend_on_umask(void)
{
    mode_t before = umask(0077);
    struct env *env = open_env(scratch_path("store"), RS_CREATE);
    umask(0);
    struct env *open_to_all = open_env(scratch_path("deep/er/store"), RS_CREATE);
    umask(before);
    CU_ASSERT_EQUAL(mode_of(scratch_path("store/data.mdb")), 0640);
    CU_ASSERT_EQUAL(mode_of(scratch_path("store/lock.mdb")), 0660);
    CU_ASSERT_EQUAL(mode_of(scratch_path("deep/er/store")), 0750);
    CU_ASSERT_EQUAL(mode_of(scratch_path("deep/er")), 0755);
    CU_ASSERT_EQUAL(mode_of(scratch_path("deep/er/store/data.mdb")), 0640);
    CU_ASSERT_EQUAL(mode_of(scratch_path("deep/er/store/lock.mdb")), 0660);
    env_close(env);
    env_close(open_to_all);
}

static void an_empty_name_is_no_directory(void)
{
    rs_error error = RS_ERROR_INIT;
    struct env *env = NULL;
    GIVES(RS_ENOSTORE, env_open("", 0, mark, &env, NULL));
    GIVES(RS_ENOSTORE, env_open("", RS_CREATE, mark, &env, &error));
    CU_ASSERT_PTR_NULL(strstr(error.text, "too long"));
}

/* Programs that a program starts must not inherit what the store may be written through. */
static void files_are_closed_on_exec(void)
{
    struct env *env = open_env(scratch_path("store"), RS_CREATE);
    struct stat wanted;
    struct stat st;
    CU_ASSERT_EQUAL_FATAL(stat(scratch_path("store/data.mdb"), &wanted), 0);
    for (int fd = 3; fd < 64; fd++) {
        if (fstat(fd, &st) == 0 && st.st_dev == wanted.st_dev) {
            CU_ASSERT_EQUAL(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        }
    }
    env_close(env);
}

/* ---- Versions ---- */

static int reopened(const char *name, struct slice record, rs_error *error)
{
    const char *dir = scratch_path(name);
    struct env *env = open_env(dir, RS_CREATE);
    put(env, TABLE_META, "format", record);
    env_close(env);
    int status = env_open(dir, 0, mark, &env, error);
    /* Asking for a store to be made must not get past the refusal. */
    GIVES(status, env_open(dir, RS_CREATE, mark, &env, NULL));
    return status;
}

static void another_version_is_refused(void)
{
    static const char *const makers[] = {"made by an older regstore", "made by a newer regstore"};
    static const char *const names[] = {"older", "newer"};
    for (int newer = 0; newer < 2; newer++) {
        rs_error error = RS_ERROR_INIT;
        uint32_t record[2] = {newer ? ENV_FORMAT + 1 : ENV_FORMAT - 1, text_fold_version};
        GIVES(RS_EVERSION, reopened(names[newer], (struct slice){record, sizeof record}, &error));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, makers[newer]));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "export it with that one"));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, scratch_path(names[newer])));
    }
}

static void another_folding_is_refused(void)
{
    uint32_t record[2] = {ENV_FORMAT, text_fold_version + 1};
    GIVES(RS_EVERSION, reopened("store", (struct slice){record, sizeof record}, NULL));
}

static void a_damaged_version_is_refused(void)
{
    uint32_t none[2] = {0, text_fold_version};
    uint32_t cut[2] = {ENV_FORMAT, text_fold_version};
    GIVES(RS_EDAMAGED, reopened("none", (struct slice){none, sizeof none}, NULL));
    GIVES(RS_EDAMAGED, reopened("cut", (struct slice){cut, sizeof cut - 1}, NULL));
}

/* ---- Sharing ---- */

static void a_directory_has_one_environment(void)
{
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", scratch_path("store"));
    struct env *env = open_env(dir, RS_CREATE);
    CU_ASSERT_EQUAL_FATAL(symlink(dir, scratch_path("other")), 0);
    struct env *again = open_env(dir, 0);
    struct env *by_link = open_env(scratch_path("other"), 0);
    struct env *by_dots = open_env(scratch_path("store/../store/."), RS_CREATE);
    CU_ASSERT_PTR_EQUAL(env, again);
    CU_ASSERT_PTR_EQUAL(env, by_link);
    CU_ASSERT_PTR_EQUAL(env, by_dots);
    env_close(env);
    env_close(again);
    env_close(by_link);
    CU_ASSERT(has(by_dots, "made"));
    env_close(by_dots);
}

static void two_directories_have_two(void)
{
    struct env *one = open_env(scratch_path("one"), RS_CREATE);
    struct env *two = open_env(scratch_path("two"), RS_CREATE);
    CU_ASSERT_PTR_NOT_EQUAL(one, two);
    put(one, TABLE_TREE, "only here", bytes("x"));
    CU_ASSERT_FALSE(has(two, "only here"));
    env_close(one);
    env_close(two);
}

static void remove_files(const char *dir)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", dir, ENV_DATA_FILE);
    CU_ASSERT_EQUAL_FATAL(unlink(path), 0);
    snprintf(path, sizeof path, "%s/%s", dir, ENV_LOCK_FILE);
    CU_ASSERT_EQUAL_FATAL(unlink(path), 0);
    CU_ASSERT_EQUAL_FATAL(rmdir(dir), 0);
}

/* A file system gives the numbers of removed directories to new ones. */
static void a_directory_made_anew_is_another(void)
{
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", scratch_path("store"));
    struct env *old[8];
    for (size_t i = 0; i < 8; i++) {
        old[i] = open_env(dir, RS_CREATE);
        CU_ASSERT_FALSE(has(old[i], "old"));
        put(old[i], TABLE_TREE, "old", bytes("x"));
        remove_files(dir);
    }
    for (size_t i = 0; i < 8; i++) {
        env_close(old[i]);
    }
}

/* ---- Forks ---- */

static int child_uses_own(void *context)
{
    struct env *inherited = context;
    struct env *own = NULL;
    if (!env_forked(inherited)) {
        return 1;
    }
    if (env_open(env_dir(inherited), 0, mark, &own, NULL) != RS_OK) {
        return 2;
    }
    if (own == inherited || env_forked(own)) {
        return 3;
    }
    struct env_txn txn;
    struct slice value;
    if (env_begin(own, true, &txn, NULL) != RS_OK ||
        env_get(&txn, TABLE_TREE, bytes("made"), &value) != RS_OK ||
        env_put(&txn, TABLE_TREE, bytes("by child"), bytes("x")) != RS_OK ||
        env_commit(&txn, NULL) != RS_OK) {
        return 4;
    }
    env_close(own);
    env_close(inherited);
    return 0;
}

static void a_child_opens_its_own(void)
{
    struct env *env = open_env(scratch_path("store"), RS_CREATE);
    GIVES(0, in_child(child_uses_own, env));
    CU_ASSERT_FALSE(env_forked(env));
    CU_ASSERT(has(env, "by child"));
    put(env, TABLE_TREE, "parent goes on", bytes("x"));
    env_close(env);
}

static int child_dies_writing(void *context)
{
    const char *dir = context;
    struct env *env = NULL;
    struct env_txn txn;
    if (env_open(dir, 0, mark, &env, NULL) == RS_OK && env_begin(env, true, &txn, NULL) == RS_OK &&
        env_put(&txn, TABLE_TREE, bytes("half done"), bytes("x")) == RS_OK) {
        raise(SIGKILL);
    }
    return 1;
}

static void a_writer_that_dies_leaves_nothing(void)
{
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", scratch_path("store"));
    env_close(open_env(dir, RS_CREATE));
    GIVES(1000 + SIGKILL, in_child(child_dies_writing, dir));
    struct env *env = open_env(dir, 0);
    put(env, TABLE_TREE, "next", bytes("x"));
    CU_ASSERT_FALSE(has(env, "half done"));
    env_close(env);
}

/* Opens while the parent is writing; a wait for the parent would last until the alarm. */
static int child_opens_to_create(void *context)
{
    struct env *env = NULL;
    int status = env_open(context, RS_CREATE, mark, &env, NULL);
    return status == RS_OK && has(env, "made") ? 0 : 1;
}

static void opening_does_not_wait_for_a_writer(void)
{
    char dir[4096];
#ifdef __SANITIZE_THREAD__
    test_skip("a thread sanitizer takes the parent's write lock for the child's");
    return;
#endif
    snprintf(dir, sizeof dir, "%s", scratch_path("store"));
    struct env *env = open_env(dir, RS_CREATE);
    struct env_txn txn = begin(env, true);
    GIVES(0, in_child(child_opens_to_create, dir));
    env_abort(&txn);
    env_close(env);
}

/* ---- Readers ---- */

static int count_reader(void *context, uint32_t pid, uint64_t number)
{
    unsigned *count = context;
    CU_ASSERT(pid > 0);
    CU_ASSERT(number > 0);
    ++*count;
    return 0;
}

static unsigned readers_of(struct env *env)
{
    unsigned count = 0;
    GIVES(0, env_readers(env, count_reader, &count));
    return count;
}

static int child_dies_reading(void *context)
{
    const char *dir = context;
    struct env *env = NULL;
    struct env_txn txn;
    if (env_open(dir, 0, mark, &env, NULL) == RS_OK && env_begin(env, false, &txn, NULL) == RS_OK) {
        raise(SIGKILL);
    }
    return 1;
}

static int child_opens(void *context)
{
    struct env *env = NULL;
    int status = env_open(context, 0, mark, &env, NULL);
    if (status == RS_OK) {
        env_close(env);
    }
    return status;
}

/* By another process, while one has it open: who finds himself alone begins anew in any case. */
static void a_dead_reader_is_cleared_at_the_next_open(void)
{
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", scratch_path("store"));
    struct env *env = open_env(dir, RS_CREATE);
    GIVES(1000 + SIGKILL, in_child(child_dies_reading, dir));
    CU_ASSERT_EQUAL(readers_of(env), 1);
    GIVES(RS_OK, in_child(child_opens, dir));
    CU_ASSERT_EQUAL(readers_of(env), 0);
    env_close(env);
}

static void a_snapshot_can_be_given_up_and_renewed(void)
{
    struct slice value;
    struct env *env = open_env(scratch_path("store"), RS_CREATE);
    struct env_txn txn = begin(env, false);
    uint64_t number = env_txn_number(&txn);
    CU_ASSERT_EQUAL(readers_of(env), 1);
    put(env, TABLE_TREE, "later", bytes("x"));
    GIVES(RS_ENOTFOUND, env_get(&txn, TABLE_TREE, bytes("later"), &value));
    env_reset(&txn);
    CU_ASSERT_EQUAL(readers_of(env), 0);
    SUCCEEDS(env_renew(&txn, NULL));
    SUCCEEDS(env_get(&txn, TABLE_TREE, bytes("later"), &value));
    CU_ASSERT_EQUAL(env_txn_number(&txn), number + 1);
    env_abort(&txn);
    env_abort(&txn);
    CU_ASSERT_EQUAL(readers_of(env), 0);
    env_close(env);
}

/* ---- Tables and cursors ---- */

static void tables_are_apart(void)
{
    struct slice value;
    struct env *env = open_env(scratch_path("store"), RS_CREATE);
    struct env_txn txn = begin(env, true);
    SUCCEEDS(env_put(&txn, TABLE_JOURNAL, bytes("k"), bytes("journal")));
    SUCCEEDS(env_put(&txn, TABLE_TREE, bytes("k"), bytes("tree")));
    SUCCEEDS(env_put(&txn, TABLE_TREE, bytes("k"), bytes("")));
    SUCCEEDS(env_get(&txn, TABLE_TREE, bytes("k"), &value));
    CU_ASSERT_EQUAL(value.size, 0);
    SUCCEEDS(env_get(&txn, TABLE_JOURNAL, bytes("k"), &value));
    CU_ASSERT(same(value, "journal"));
    SUCCEEDS(env_delete(&txn, TABLE_TREE, bytes("k")));
    GIVES(RS_ENOTFOUND, env_delete(&txn, TABLE_TREE, bytes("k")));
    GIVES(RS_ENOTFOUND, env_get(&txn, TABLE_TREE, bytes("k"), &value));
    SUCCEEDS(env_commit(&txn, NULL));
    env_close(env);
}

static void put_letters(struct env_txn *txn)
{
    static const char *const letters[] = {"d", "b", "f"};
    for (size_t i = 0; i < 3; i++) {
        SUCCEEDS(env_put(txn, TABLE_JOURNAL, bytes(letters[i]), bytes(letters[i])));
    }
}

static void cursors_walk_in_order(void)
{
    struct slice key;
    struct slice value;
    struct env_cursor cursor = {NULL};
    struct env *env = open_env(scratch_path("store"), RS_CREATE);
    struct env_txn txn = begin(env, true);
    SUCCEEDS(env_cursor_open(&txn, TABLE_JOURNAL, &cursor));
    GIVES(RS_END, env_cursor_first(&cursor, &key, &value));
    GIVES(RS_END, env_cursor_last(&cursor, &key, &value));
    GIVES(RS_END, env_cursor_seek(&cursor, bytes("a"), &key, &value));
    put_letters(&txn);
    SUCCEEDS(env_cursor_seek(&cursor, bytes("c"), &key, &value));
    CU_ASSERT(same(key, "d") && same(value, "d"));
    SUCCEEDS(env_cursor_next(&cursor, &key, &value));
    CU_ASSERT(same(key, "f"));
    GIVES(RS_END, env_cursor_next(&cursor, &key, &value));
    GIVES(RS_END, env_cursor_seek(&cursor, bytes("g"), &key, &value));
    SUCCEEDS(env_cursor_first(&cursor, &key, &value));
    CU_ASSERT(same(key, "b"));
    SUCCEEDS(env_cursor_delete(&cursor));
    SUCCEEDS(env_cursor_first(&cursor, &key, &value));
    CU_ASSERT(same(key, "d"));
    SUCCEEDS(env_cursor_last(&cursor, &key, &value));
    CU_ASSERT(same(key, "f"));
    env_cursor_close(&cursor);
    env_cursor_close(&cursor);
    env_abort(&txn);
    env_close(env);
}

/* Entries of a table by number: the model of what a write transaction sees. */
#define ENTRIES 400u

static struct slice entry_key(char *key, unsigned number)
{
    /* Long enough for many pages of few entries, so that pages are split and joined. */
    memset(key, 'k', 200);
    snprintf(key + 200, 16, "%06u", number);
    return (struct slice){key, 206};
}

/* A write transaction keeps its place in a table. Whatever is put, deleted and walked over in
 * between, it finds what is there and nothing else. */
static void a_kept_place_is_never_wrong(void)
{
    struct env *env = open_env(scratch_path("store"), RS_CREATE);
    struct env_txn txn = begin(env, true);
    unsigned char model[ENTRIES] = {0};
    uint32_t seed = 1;
    char key[256];
    for (unsigned i = 0; i < 20000; i++) {
        seed = seed * 1664525u + 1013904223u;
        unsigned number = (seed >> 8) % ENTRIES;
        struct slice found = {NULL, 0};
        unsigned char byte = (unsigned char)(i % 250 + 1);
        switch (seed >> 28 & 7) {
        case 0:
        case 1:
            SUCCEEDS(env_put(&txn, TABLE_TREE, entry_key(key, number), (struct slice){&byte, 1}));
            model[number] = byte;
            break;
        case 2:
            CU_ASSERT_EQUAL(env_delete(&txn, TABLE_TREE, entry_key(key, number)),
                            model[number] ? RS_OK : RS_ENOTFOUND);
            model[number] = 0;
            break;
        default:
            CU_ASSERT_EQUAL_FATAL(env_get(&txn, TABLE_TREE, entry_key(key, number), &found),
                                  model[number] ? RS_OK : RS_ENOTFOUND);
            CU_ASSERT_TRUE(!model[number] || *(const unsigned char *)found.data == model[number]);
        }
    }
    SUCCEEDS(env_commit(&txn, NULL));
    env_close(env);
}

static void numbers_in_keys_sort(void)
{
    unsigned char a[8];
    unsigned char b[8];
    env_put_be64(a, 255);
    env_put_be64(b, 256);
    CU_ASSERT(memcmp(a, b, 8) < 0);
    CU_ASSERT_EQUAL(env_get_be64(a), 255);
    CU_ASSERT_EQUAL(env_get_be64(b), 256);
}

static void sizes_are_told(void)
{
    struct env_size size;
    struct stat st;
    struct env *env = open_env(scratch_path("store"), RS_CREATE);
    struct env_txn txn = begin(env, false);
    SUCCEEDS(env_size(&txn, &size));
    CU_ASSERT_EQUAL_FATAL(stat(scratch_path("store/data.mdb"), &st), 0);
    CU_ASSERT_EQUAL(size.file, (uint64_t)st.st_size);
    CU_ASSERT(size.used > 0 && size.used <= size.file);
    CU_ASSERT(size.map >= (uint64_t)1 << 26);
    CU_ASSERT_EQUAL(size.max_readers, 1024);
    env_abort(&txn);
    env_close(env);
}

static const struct test_case cases[] = {
    {"is made once", is_made_once},
    {"is not made unasked", is_not_made_unasked},
    {"an empty directory is no store", an_empty_directory_is_no_store},
    {"a refused init leaves no store", a_refused_init_leaves_no_store},
    {"a store without one of its tables is damaged", a_store_without_one_of_its_tables_is_damaged},
    {"modes do not depend on umask", modes_do_not_depend_on_umask},
    {"an empty name is no directory", an_empty_name_is_no_directory},
    {"files are closed on exec", files_are_closed_on_exec},
    {"another version is refused", another_version_is_refused},
    {"another folding is refused", another_folding_is_refused},
    {"a damaged version is refused", a_damaged_version_is_refused},
    {"a directory has one environment", a_directory_has_one_environment},
    {"two directories have two", two_directories_have_two},
    {"a directory made anew is another", a_directory_made_anew_is_another},
    {"a child opens its own", a_child_opens_its_own},
    {"a writer that dies leaves nothing", a_writer_that_dies_leaves_nothing},
    {"opening does not wait for a writer", opening_does_not_wait_for_a_writer},
    {"a dead reader is cleared at the next open", a_dead_reader_is_cleared_at_the_next_open},
    {"a snapshot can be given up and renewed", a_snapshot_can_be_given_up_and_renewed},
    {"tables are apart", tables_are_apart},
    {"cursors walk in order", cursors_walk_in_order},
    {"a kept place is never wrong", a_kept_place_is_never_wrong},
    {"numbers in keys sort", numbers_in_keys_sort},
    {"sizes are told", sizes_are_told},
    {NULL, NULL},
};
const struct test_suite suite_env = {"env", cases};
