/* Copies of whole stores: made, put in place of a store, and made small. */
#include "stage.h"
#include "stores.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "HKLM\\Backup"

/* ---- Pieces ---- */

static const char *store_dir(void)
{
    return scratch_path("store");
}

static uint64_t back_up(rs_store *store, const char *name)
{
    rs_backup_report report = {0};
    rs_error error = RS_ERROR_INIT;
    int status = rs_backup(store, scratch_path(name), NULL, &report, &error);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    SUCCEEDS(status);
    return report.revision;
}

static uint64_t restore(const char *name)
{
    rs_backup_report report = {0};
    rs_error error = RS_ERROR_INIT;
    int status = rs_restore(store_dir(), scratch_path(name), NULL, &report, &error);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    SUCCEEDS(status);
    return report.revision;
}

static uint64_t damages_of(rs_store *store)
{
    rs_check_report report = {0};
    rs_txn *txn = start_reading(store);
    SUCCEEDS(rs_check(txn, NULL, &report));
    rs_abort(txn);
    return report.damages;
}

static uint64_t revision_of(rs_store *store)
{
    rs_txn *txn = start_reading(store);
    uint64_t revision = rs_revision(txn);
    rs_abort(txn);
    return revision;
}

/* Many pages, most of which are free in the end. */
static void fill_and_empty(rs_store *store)
{
    char data[5000] = {1};
    for (unsigned i = 0; i < 400; i++) {
        char name[16];
        rs_txn *txn = start_writing(store);
        snprintf(name, sizeof name, "v%u", i % 200);
        rs_key key = add_key(txn, KEY "\\Large");
        if (i < 200) {
            SUCCEEDS(rs_set_binary(txn, key, name, data, sizeof data));
        } else {
            SUCCEEDS(rs_value_delete(txn, key, name));
        }
        end_writing(txn);
    }
}

static void expect_no_leftovers(void)
{
    CU_ASSERT_EQUAL(access(scratch_path("store/restore"), F_OK), -1);
}

/* ---- Backup ---- */

static void a_copy_is_a_store_of_its_own(void)
{
    struct stat st;
    rs_store *store = open_store();
    stage_set(store, KEY, "Number", 1);
    fill_and_empty(store);
    uint64_t revision = stage_set(store, KEY, "Number", 2);
    CU_ASSERT_EQUAL(back_up(store, "copy"), revision);
    stage_set(store, KEY, "Number", 3);
    rs_close(store);
    CU_ASSERT_EQUAL(stat(scratch_path("copy"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
    CU_ASSERT_EQUAL_FATAL(rename(scratch_path("copy"), scratch_path("store/data.mdb")), 0);
    store = open_store();
    CU_ASSERT_EQUAL(revision_of(store), revision);
    CU_ASSERT_EQUAL(stage_get(store, KEY, "Number"), 2);
    CU_ASSERT_EQUAL(damages_of(store), 0);
    CU_ASSERT_EQUAL(stage_set(store, KEY, "Number", 4), revision + 1);
    CU_ASSERT_EQUAL(damages_of(store), 0);
    rs_close(store);
}

static void a_file_that_exists_is_kept(void)
{
    rs_backup_options over = {.flags = RS_OVERWRITE};
    rs_error error = RS_ERROR_INIT;
    struct stat st;
    rs_store *store = open_store();
    back_up(store, "copy");
    GIVES(RS_EEXIST, rs_backup(store, scratch_path("copy"), NULL, NULL, &error));
    CU_ASSERT_EQUAL(chmod(scratch_path("copy"), 0644), 0);
    GIVES(RS_OK, rs_backup(store, scratch_path("copy"), &over, NULL, NULL));
    CU_ASSERT_EQUAL(stat(scratch_path("copy"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0644);
    GIVES(RS_EINVAL, rs_backup(store, scratch_path("store/data.mdb"), &over, NULL, NULL));
    GIVES(RS_EIO, rs_backup(store, scratch_path("store"), &over, NULL, NULL));
    GIVES(RS_EDISK, rs_backup(store, "/dev/full", &over, NULL, NULL));
    rs_close(store);
}

static void arguments_are_checked(void)
{
    rs_store *store = open_store();
    rs_backup_options unknown = {.flags = 2};
    rs_restore_options strange = {.flags = RS_UNREAD | RS_ANEW};
    GIVES(RS_EINVAL, rs_backup(NULL, "copy", NULL, NULL, NULL));
    GIVES(RS_EINVAL, rs_backup(store, NULL, NULL, NULL, NULL));
    GIVES(RS_EINVAL, rs_backup(store, "copy", &unknown, NULL, NULL));
    GIVES(RS_EINVAL, rs_restore(NULL, "copy", NULL, NULL, NULL));
    GIVES(RS_EINVAL, rs_restore(store_dir(), NULL, NULL, NULL, NULL));
    GIVES(RS_EINVAL, rs_restore(store_dir(), "copy", &strange, NULL, NULL));
    GIVES(RS_EINVAL, rs_compact(NULL, NULL, NULL));
    GIVES(RS_ENOSTORE, rs_restore(scratch_path("none"), "copy", NULL, NULL, NULL));
    rs_close(store);
}

static void a_lost_store_comes_back(void)
{
    rs_store *store = open_store();
    rs_restore_options anew = {.flags = RS_ANEW};
    struct stat st;
    GIVES(RS_OK, rs_backup(store, scratch_path("copy"), NULL, NULL, NULL));
    rs_close(store);
    GIVES(RS_EEXIST, rs_restore(store_dir(), scratch_path("copy"), &anew, NULL, NULL));
    GIVES(RS_EIO, rs_restore(scratch_path("a/new"), scratch_path("none"), &anew, NULL, NULL));
    CU_ASSERT_EQUAL(access(scratch_path("a/new"), F_OK), -1);
    GIVES(RS_OK, rs_restore(scratch_path("a/new"), scratch_path("copy"), &anew, NULL, NULL));
    CU_ASSERT_EQUAL(stat(scratch_path("a/new/data.mdb"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0640);
    CU_ASSERT_EQUAL(access(scratch_path("a/new/watches"), W_OK), 0);
    CU_ASSERT_EQUAL(access(scratch_path("a/new/restore"), F_OK), -1);
}

static int calls_in_child(void *context)
{
    rs_store *store = context;
    return rs_backup(store, "copy", NULL, NULL, NULL) == RS_EFORK &&
                   rs_compact(store, NULL, NULL) == RS_EFORK
               ? 0
               : 1;
}

static void nothing_crosses_a_fork(void)
{
    rs_store *store = open_store();
    GIVES(0, in_child(calls_in_child, store));
    rs_close(store);
}

/* ---- Restoring ---- */

static void revisions_go_on(void)
{
    rs_store *store = open_store();
    stage_set(store, KEY, "Number", 1);
    back_up(store, "copy");
    for (uint32_t i = 2; i <= 5; i++) {
        stage_set(store, KEY, "Number", i);
    }
    rs_close(store);
    CU_ASSERT_EQUAL(restore("copy"), 6);
    expect_no_leftovers();
    store = open_store();
    CU_ASSERT_EQUAL(revision_of(store), 6);
    CU_ASSERT_EQUAL(stage_get(store, KEY, "Number"), 1);
    CU_ASSERT_EQUAL(damages_of(store), 0);
    for (uint64_t since = 0; since <= 5; since++) {
        rs_watch *watch = stage_watch(store, KEY, 0, since);
        EXPECT(watch, "behind");
        rs_watch_close(watch);
    }
    CU_ASSERT_EQUAL(stage_set(store, KEY, "Number", 7), 7);
    CU_ASSERT_EQUAL(damages_of(store), 0);
    rs_close(store);
}

static void a_new_store_gets_the_journal(void)
{
    rs_store *store = open_store();
    stage_set(store, KEY, "Number", 1);
    stage_set(store, KEY, "Number", 2);
    back_up(store, "copy");
    rs_close(store);
    CU_ASSERT_EQUAL_FATAL(rename(scratch_path("store"), scratch_path("old")), 0);
    rs_close(open_store());
    CU_ASSERT_EQUAL(restore("copy"), 2);
    store = open_store();
    rs_watch *watch = stage_watch(store, KEY, 0, 1);
    EXPECT(watch, "set .:Number 1>2");
    CU_ASSERT_EQUAL(damages_of(store), 0);
    rs_watch_close(watch);
    rs_close(store);
}

static void who_has_it_open_keeps_the_old_one(void)
{
    rs_store *again;
    rs_txn *txn;
    rs_store *store = open_store();
    rs_watch *watch = stage_watch(store, KEY, RS_SUBTREE, RS_NOW);
    stage_set(store, KEY, "Number", 1);
    back_up(store, "copy");
    stage_set(store, KEY, "Number", 2);
    rs_txn *held = start_reading(store);
    restore("copy");
    CU_ASSERT_EQUAL(number_of(held, find_key(held, KEY), "Number"), 2);
    rs_abort(held);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(stage_get(store, KEY, "Number"), 2);
    }
    GIVES(RS_EREPLACED, rs_begin(store, RS_WRITE, &txn));
    GIVES(RS_EREPLACED, rs_compact(store, NULL, NULL));
    GIVES(RS_EREPLACED, rs_open(store_dir(), 0, &again, NULL));
    MUST(stage_readable(rs_watch_fd(watch), STAGE_PATIENCE));
    EXPECT(watch, "created .");
    EXPECT(watch, "set .:Number 1>2");
    while (strcmp(stage_next(watch), "end") == 0) {
        MUST(stage_readable(rs_watch_fd(watch), STAGE_PATIENCE));
    }
    EXPECT(watch, "RS_EREPLACED");
    rs_watch_close(watch);
    rs_close(store);
    store = open_store();
    CU_ASSERT_EQUAL(stage_get(store, KEY, "Number"), 1);
    rs_close(store);
}

static int write_beside(void *context)
{
    rs_store *store = NULL;
    (void)context;
    for (uint32_t i = 0; i < 8; i++) {
        if (rs_open(store_dir(), 0, &store, NULL) != RS_OK) {
            return 1;
        }
        stage_set(store, KEY, "Number", 100 + i);
        rs_close(store);
    }
    return 0;
}

/* The count of commits is shared by those who have the old file and those who have the new one. */
static void the_old_one_stays_as_it_was(void)
{
    rs_store *store = open_store();
    stage_set(store, KEY, "Number", 1);
    back_up(store, "copy");
    uint64_t revision = stage_set(store, KEY, "Number", 2);
    GIVES(0, in_child(write_beside, NULL));
    revision += 8;
    restore("copy");
    for (int i = 0; i < 3; i++) {
        GIVES(0, in_child(write_beside, NULL));
        CU_ASSERT_EQUAL(stage_get(store, KEY, "Number"), 107);
        CU_ASSERT_EQUAL(revision_of(store), revision);
        CU_ASSERT_EQUAL(damages_of(store), 0);
    }
    rs_close(store);
    store = open_store();
    CU_ASSERT_EQUAL(revision_of(store), revision + 1 + 24);
    CU_ASSERT_EQUAL(damages_of(store), 0);
    rs_close(store);
}

static void owner_and_mode_stay(void)
{
    struct stat st;
    rs_store *store = open_store();
    back_up(store, "copy");
    rs_close(store);
    CU_ASSERT_EQUAL(chmod(scratch_path("store/data.mdb"), 0660), 0);
    bool root = geteuid() == 0;
    if (root) {
        CU_ASSERT_EQUAL(chown(scratch_path("store/data.mdb"), (uid_t)-1, 65534), 0);
    }
    restore("copy");
    CU_ASSERT_EQUAL(stat(scratch_path("store/data.mdb"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 0777, 0660);
    CU_ASSERT(!root || st.st_gid == 65534);
    CU_ASSERT_EQUAL(st.st_uid, geteuid());
}

/* ---- What is refused ---- */

static void expect_refused(int status, const char *name, const char *text)
{
    rs_error error = RS_ERROR_INIT;
    GIVES(status, rs_restore(store_dir(), scratch_path(name), NULL, NULL, &error));
    if (strstr(error.text, text) == NULL || strstr(error.text, scratch_path(name)) == NULL) {
        CU_FAIL(error.text);
        printf("%s\n", error.text);
    }
    expect_no_leftovers();
}

static void change_bytes(const char *name, long at, const void *bytes, size_t size)
{
    FILE *file = fopen(scratch_path(name), "r+e");
    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT_EQUAL(fseek(file, at, SEEK_SET), 0);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, size, file), size);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void what_is_no_backup_is_refused(void)
{
    rs_store *store = open_store();
    stage_set(store, KEY, "Number", 1);
    back_up(store, "copy");
    CU_ASSERT_EQUAL(mkfifo(scratch_path("pipe"), 0600), 0);
    CU_ASSERT_EQUAL(close(creat(scratch_path("empty"), 0600)), 0);
    CU_ASSERT_EQUAL(symlink("nowhere", scratch_path("link")), 0);
    expect_refused(RS_EIO, "missing", "No such file");
    expect_refused(RS_EIO, "link", "No such file");
    expect_refused(RS_EINVAL, "store", "not a regular file");
    expect_refused(RS_EINVAL, "pipe", "not a regular file");
    expect_refused(RS_ENOSTORE, "empty", "no store there");
    expect_refused(RS_EINVAL, "store/data.mdb", "a file of the store itself");
    change_bytes("empty", 0, "no store", 8);
    expect_refused(RS_EDAMAGED, "empty", "its header is damaged or it is no store");
    CU_ASSERT_EQUAL(truncate(scratch_path("copy"), 3 * 4096), 0);
    expect_refused(RS_EDAMAGED, "copy", "cut short");
    CU_ASSERT_EQUAL(stage_get(store, KEY, "Number"), 1);
    stage_set(store, KEY, "Number", 2);
    rs_close(store);
}

static void a_newer_format_is_refused(void)
{
    static const char format[] = "format";
    unsigned char newer[] = {99, 0, 0, 0};
    rs_store *store = open_store();
    back_up(store, "copy");
    FILE *file = fopen(scratch_path("copy"), "re");
    char bytes[1 << 16];
    CU_ASSERT_FATAL(file != NULL);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    CU_ASSERT_EQUAL(fclose(file), 0);
    char *found = memmem(bytes, size, format, strlen(format));
    CU_ASSERT_FATAL(found != NULL);
    change_bytes("copy", found - bytes + (long)strlen(format), newer, sizeof newer);
    expect_refused(RS_EVERSION, "copy", "made by a newer regstore (format 99");
    rs_close(store);
}

static int refuse(void *context, const char *dir, rs_error *error)
{
    *(bool *)context = access(dir, R_OK) == 0;
    error->status = RS_EDAMAGED;
    strcpy(error->text, "not to my taste");
    return RS_EDAMAGED;
}

static void the_caller_may_check(void)
{
    bool called = false;
    rs_error error = RS_ERROR_INIT;
    rs_restore_options options = {.check = refuse, .context = &called};
    rs_store *store = open_store();
    back_up(store, "copy");
    GIVES(RS_EDAMAGED, rs_restore(store_dir(), scratch_path("copy"), &options, NULL, &error));
    CU_ASSERT(called);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "copy: not to my taste"));
    expect_no_leftovers();
    rs_close(store);
}

/* ---- A damaged store ---- */

static int hold_open(void *context)
{
    rs_restore_options options = {.flags = RS_UNREAD};
    rs_store *store = context;
    int status = rs_restore(store_dir(), scratch_path("copy"), &options, NULL, NULL);
    (void)store;
    return status == RS_EBUSY ? 0 : 1;
}

static void a_damaged_store_is_replaced(void)
{
    static const char noise[4096] = "noise";
    rs_restore_options options = {.flags = RS_UNREAD};
    rs_backup_report report = {0};
    rs_store *store = open_store();
    stage_set(store, KEY, "Number", 1);
    uint64_t revision = back_up(store, "copy");
    GIVES(RS_EBUSY, rs_restore(store_dir(), scratch_path("copy"), &options, NULL, NULL));
    GIVES(0, in_child(hold_open, store));
    rs_close(store);
    change_bytes("store/data.mdb", 0, noise, sizeof noise);
    GIVES(RS_EDAMAGED, rs_restore(store_dir(), scratch_path("copy"), NULL, NULL, NULL));
    GIVES(RS_OK, rs_restore(store_dir(), scratch_path("copy"), &options, &report, NULL));
    CU_ASSERT_EQUAL(report.revision, revision);
    expect_no_leftovers();
    store = open_store();
    CU_ASSERT_EQUAL(damages_of(store), 0);
    CU_ASSERT_EQUAL(stage_set(store, KEY, "Number", 2), revision + 1);
    rs_close(store);
}

/* ---- Killed, and in each other's way ---- */

static int die(void *context, const char *dir, rs_error *error)
{
    (void)context;
    (void)dir;
    (void)error;
    return raise(SIGKILL);
}

static int restore_and_die(void *context)
{
    rs_restore_options options = {.check = die};
    (void)context;
    return rs_restore(store_dir(), scratch_path("copy"), &options, NULL, NULL);
}

static int restore_beside(void *context, const char *dir, rs_error *error)
{
    (void)context;
    (void)dir;
    int status = rs_restore(store_dir(), scratch_path("copy"), NULL, NULL, error);
    return status == RS_EBUSY ? RS_OK : RS_EINVAL;
}

static void a_killed_one_leaves_the_store(void)
{
    rs_restore_options options = {.check = restore_beside};
    rs_store *store = open_store();
    stage_set(store, KEY, "Number", 1);
    back_up(store, "copy");
    stage_set(store, KEY, "Number", 2);
    rs_close(store);
    GIVES(1000 + SIGKILL, in_child(restore_and_die, NULL));
    CU_ASSERT_EQUAL(access(scratch_path("store/restore/data.mdb"), F_OK), 0);
    store = open_store();
    CU_ASSERT_EQUAL(stage_get(store, KEY, "Number"), 2);
    CU_ASSERT_EQUAL(damages_of(store), 0);
    rs_close(store);
    GIVES(RS_OK, rs_restore(store_dir(), scratch_path("copy"), &options, NULL, NULL));
    expect_no_leftovers();
    store = open_store();
    CU_ASSERT_EQUAL(stage_get(store, KEY, "Number"), 1);
    rs_close(store);
}

/* ---- Compacting ---- */

static void compacting_changes_nothing_else(void)
{
    rs_backup_report report = {0};
    rs_store *store = open_store();
    stage_set(store, KEY, "Number", 1);
    fill_and_empty(store);
    uint64_t revision = revision_of(store);
    SUCCEEDS(rs_compact(store, &report, NULL));
    CU_ASSERT_EQUAL(report.revision, revision);
    CU_ASSERT(report.bytes < report.bytes_before);
    expect_no_leftovers();
    rs_close(store);
    store = open_store();
    CU_ASSERT_EQUAL(revision_of(store), revision);
    CU_ASSERT_EQUAL(damages_of(store), 0);
    rs_watch *watch = stage_watch(store, KEY, 0, 0);
    EXPECT(watch, "created .");
    rs_watch_close(watch);
    fill_and_empty(store);
    CU_ASSERT_EQUAL(damages_of(store), 0);
    rs_close(store);
}

static void a_read_only_store_is_not_compacted(void)
{
    rs_store *store = NULL;
    rs_close(open_store());
    SUCCEEDS(rs_open(store_dir(), RS_READONLY, &store, NULL));
    GIVES(RS_EREADONLY, rs_compact(store, NULL, NULL));
    rs_close(store);
}

/* ---- With writers at work ---- */

#define WRITES 300u

/* One more in each commit; a commit that is said to have succeeded is never lost. */
static int add_one(rs_store *store)
{
    rs_txn *txn;
    rs_key key;
    uint32_t number = 0;
    int status = rs_begin(store, RS_WRITE, &txn);
    if (status != RS_OK) {
        return status;
    }
    status = rs_key_create(txn, RS_NO_KEY, KEY, &key);
    if (status == RS_OK && rs_get_dword(txn, key, "Count", &number) == RS_ENOTFOUND) {
        number = 0;
    }
    status = status != RS_OK ? status : rs_set_dword(txn, key, "Count", number + 1);
    if (status != RS_OK) {
        rs_abort(txn);
        return status;
    }
    return rs_commit(txn, NULL);
}

static void write_on(int from_parent, int to_parent)
{
    rs_store *store = stage_store();
    (void)from_parent;
    stage_tell(to_parent, 'r');
    for (unsigned done = 0; done < WRITES;) {
        int status = add_one(store);
        MUST(status == RS_OK || status == RS_EREPLACED);
        done += status == RS_OK;
        if (status == RS_EREPLACED) {
            rs_close(store);
            store = stage_store();
        }
    }
    rs_close(store);
}

static void compact_now(void)
{
    rs_store *store = stage_store();
    MUST(rs_compact(store, NULL, NULL) == RS_OK);
    rs_close(store);
}

static void no_commit_is_lost(void)
{
    rs_close(stage_store());
    struct child writers[] = {child_start(write_on), child_start(write_on)};
    for (size_t i = 0; i < 2; i++) {
        stage_hear(writers[i].from, 'r');
    }
    for (int i = 0; i < 15; i++) {
        compact_now();
    }
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT(child_end(&writers[i]));
    }
    rs_store *store = stage_store();
    CU_ASSERT_EQUAL(stage_get(store, KEY, "Count"), 2 * WRITES);
    CU_ASSERT_EQUAL(revision_of(store), 2 * WRITES);
    CU_ASSERT_EQUAL(damages_of(store), 0);
    rs_close(store);
}

static const struct test_case cases[] = {
    {"a copy is a store of its own", a_copy_is_a_store_of_its_own},
    {"a file that exists is kept", a_file_that_exists_is_kept},
    {"arguments are checked", arguments_are_checked},
    {"a lost store comes back", a_lost_store_comes_back},
    {"nothing crosses a fork", nothing_crosses_a_fork},
    {"revisions go on", revisions_go_on},
    {"a new store gets the journal", a_new_store_gets_the_journal},
    {"who has it open keeps the old one", who_has_it_open_keeps_the_old_one},
    {"the old one stays as it was", the_old_one_stays_as_it_was},
    {"owner and mode stay", owner_and_mode_stay},
    {"what is no backup is refused", what_is_no_backup_is_refused},
    {"a newer format is refused", a_newer_format_is_refused},
    {"the caller may check", the_caller_may_check},
    {"a damaged store is replaced", a_damaged_store_is_replaced},
    {"a killed one leaves the store", a_killed_one_leaves_the_store},
    {"compacting changes nothing else", compacting_changes_nothing_else},
    {"a read-only store is not compacted", a_read_only_store_is_not_compacted},
    {"no commit is lost", no_commit_is_lost},
    {NULL, NULL},
};
const struct test_suite suite_backup = {"backup", cases};
