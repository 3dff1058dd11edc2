/*
 * test_transfer_export.c - export: what is in the file, and how the file appears.
 */
#include "harness.h"
#include "transfer_helpers.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK(call) CU_ASSERT_EQUAL((call), RS_OK)

/* Exports a key of a store; the status. */
static int export_key(rs_store *store, const char *path, const char *file,
                      const rs_export_options *options, rs_error *error)
{
    rs_txn *txn = start_reading(store);
    rs_key key;

    CU_ASSERT_EQUAL_FATAL(rs_key_open_n(txn, RS_NO_KEY, path, RS_NTS, RS_NOFOLLOW, &key), RS_OK);
    int status = rs_export(txn, key, file, options, error);
    rs_abort(txn);
    return status;
}

/* Files in scratch_dir() whose names begin like a temporary one's. */
static unsigned left_behind(void)
{
    DIR *list = opendir(scratch_dir());
    unsigned count = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(list);
    for (struct dirent *entry; (entry = readdir(list));) {
        count += strncmp(entry->d_name, ".regstore-", 10) == 0;
    }
    closedir(list);
    return count;
}

/* ---- What is in it ---- */

/* A key with what names, classes and data can hold at worst. */
static void make_hostile_key(rs_store *store)
{
    rs_txn *txn = start_writing(store);
    rs_key key;
    rs_key sub;

    OK(rs_key_create(txn, RS_NO_KEY, "HKLM\\T", &key));
    OK(rs_value_set(txn, key, "", REG_SZ, "a\0\0", 3));
    OK(rs_value_set(txn, key, "list", REG_MULTI_SZ, "a\0\0\0\0\xd8", 6));
    OK(rs_value_set_n(txn, key, "n\0m", 3, 0x20000, "\1\2\3", 3));
    OK(rs_value_set_n(txn, key, "\xed\xa0\x80", 3, REG_DWORD_BIG_ENDIAN, "\0\0\0\7", 4));
    OK(rs_value_set(txn, key, "int", REG_DWORD, "\1", 1));
    OK(rs_key_set_class_n(txn, key, "c\0d\xed\xb0\x80", 6));
    OK(rs_key_create_n(txn, key, "x\0y\x01", 4, 0, &sub, NULL));
    OK(rs_value_set(txn, sub, "\x02", REG_NONE, "", 0));
    OK(rs_key_create(txn, key, "Zebra", &sub));
    OK(rs_key_create(txn, key, "apple", &sub));
    OK(rs_link_create(txn, key, "link", "HKLM\\T\\apple", 0, &sub));
    OK(rs_key_create_n(txn, key, "gone", 4, RS_VOLATILE, &sub, NULL));
    OK(rs_key_create(txn, sub, "with", &sub));
    end_writing(txn);
}

/* What is exported from one store and imported into another is exported from there the same. */
static void test_round_trip(void)
{
    rs_store *first = new_store("s1");
    rs_store *second = new_store("s2");
    rs_txn *txn;

    make_hostile_key(first);
    OK(export_key(first, "HKLM\\T", scratch_path("1.xml"), NULL, NULL));
    txn = start_writing(second);
    OK(rs_import(txn, scratch_path("1.xml"), NULL, NULL, NULL));
    end_writing(txn);
    OK(export_key(second, "HKLM\\T", scratch_path("2.xml"), NULL, NULL));
    char *a = read_text(scratch_path("1.xml"));
    char *b = read_text(scratch_path("2.xml"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(a);
    CU_ASSERT_PTR_NOT_NULL_FATAL(b);
    CU_ASSERT_STRING_EQUAL(a, b);
    CU_ASSERT_PTR_NULL(strstr(a, "gone"));
    CU_ASSERT_PTR_NOT_NULL(strstr(a, "class64="));
    CU_ASSERT_STRING_EQUAL(target_of(second, "HKLM\\T\\link"), "HKEY_LOCAL_MACHINE\\T\\apple");
    CU_ASSERT_FALSE(key_exists(second, "HKLM\\T\\gone"));
    free(a);
    free(b);
    rs_close(first);
    rs_close(second);
}

/* The data that the files stand for is the same, too. */
static void test_data_comes_back(void)
{
    rs_store *first = new_store("s1");
    rs_store *second = new_store("s2");
    rs_txn *txn;
    rs_value value;
    rs_key key;
    rs_key_info info;

    make_hostile_key(first);
    OK(export_key(first, "HKLM\\T", scratch_path("1.xml"), NULL, NULL));
    txn = start_writing(second);
    OK(rs_import(txn, scratch_path("1.xml"), NULL, NULL, NULL));
    OK(rs_key_open(txn, RS_NO_KEY, "HKLM\\T", &key));
    OK(rs_value_get_n(txn, key, "n\0m", 3, &value));
    CU_ASSERT(value.type == 0x20000 && value.size == 3 && memcmp(value.data, "\1\2\3", 3) == 0);
    OK(rs_value_get(txn, key, "", &value));
    CU_ASSERT(value.type == REG_SZ && value.size == 3 && memcmp(value.data, "a\0\0", 3) == 0);
    OK(rs_value_get(txn, key, "int", &value));
    CU_ASSERT(value.type == REG_DWORD && value.size == 1);
    OK(rs_key_info_get(txn, key, &info));
    CU_ASSERT(info.class_len == 6 && memcmp(info.class_name, "c\0d\xed\xb0\x80", 6) == 0);
    CU_ASSERT_EQUAL(info.written, key_time(first, "HKLM\\T"));
    end_writing(txn);
    rs_close(first);
    rs_close(second);
}

static void test_views_and_roots(void)
{
    rs_store *store = new_store("s");
    char *text;

    set_dword(store, "HKCR\\.txt", "v", 1);
    OK(export_key(store, "HKCR\\.txt", scratch_path("1.xml"), NULL, NULL));
    text = read_text(scratch_path("1.xml"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "<node name=\"HKEY_LOCAL_MACHINE\\SOFTWARE\\Classes\\.txt\" root=\"1\""));
    free(text);
    OK(export_key(store, "HKLM", scratch_path("2.xml"), NULL, NULL));
    text = read_text(scratch_path("2.xml"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "<node name=\"HKEY_LOCAL_MACHINE\" root=\"1\""));
    rs_store *other = new_store("other");
    must_import(other, text, NULL);
    CU_ASSERT_EQUAL(dword_of(other, "HKLM\\SOFTWARE\\Classes\\.txt", "v"), 1);
    free(text);
    rs_close(other);
    rs_close(store);
}

/* As deep as keys go: the walk does not recurse. */
static void test_depth(void)
{
    rs_store *store = new_store("s");
    char path[2 * RS_MAX_DEPTH + 5] = "HKLM";

    for (int i = 0; i < RS_MAX_DEPTH; i++) {
        strcat(path, "\\k");
    }
    set_dword(store, path, "v", 1);
    OK(export_key(store, "HKLM\\k", scratch_path("1.xml"), NULL, NULL));
    rs_store *other = new_store("other");
    rs_txn *txn = start_writing(other);
    OK(rs_import(txn, scratch_path("1.xml"), NULL, NULL, NULL));
    end_writing(txn);
    CU_ASSERT_EQUAL(dword_of(other, path, "v"), 1);
    rs_close(other);
    rs_close(store);
}

/* ---- How it appears ---- */

static void test_overwriting(void)
{
    rs_store *store = new_store("s");
    const char *file = write_text("f.xml", "precious");
    rs_export_options options = {.flags = RS_OVERWRITE};
    rs_error error = RS_ERROR_INIT;
    struct stat about;

    set_dword(store, "HKLM\\T", "v", 1);
    chmod(file, 0600);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", file, NULL, &error), RS_EEXIST);
    CU_ASSERT(strstr(error.text, "f.xml: the file exists") != NULL);
    char *text = read_text(file);
    CU_ASSERT_STRING_EQUAL(text, "precious");
    free(text);
    OK(export_key(store, "HKLM\\T", file, &options, NULL));
    text = read_text(file);
    CU_ASSERT_EQUAL(strncmp(text, "<?xml", 5), 0);
    free(text);
    CU_ASSERT_EQUAL(stat(file, &about), 0);
    CU_ASSERT_EQUAL(about.st_mode & 0777, 0600); /* what was kept from others stays so */
    CU_ASSERT_EQUAL(left_behind(), 0);
    rs_close(store);
}

/* What a symbolic link names is replaced; the link stays. */
static void test_through_symlink(void)
{
    rs_store *store = new_store("s");
    rs_export_options options = {.flags = RS_OVERWRITE};
    struct stat about;

    set_dword(store, "HKLM\\T", "v", 1);
    write_text("real.xml", "old");
    CU_ASSERT_EQUAL(symlink("real.xml", scratch_path("link.xml")), 0);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", scratch_path("link.xml"), NULL, NULL), RS_EEXIST);
    OK(export_key(store, "HKLM\\T", scratch_path("link.xml"), &options, NULL));
    CU_ASSERT_EQUAL(lstat(scratch_path("link.xml"), &about), 0);
    CU_ASSERT(S_ISLNK(about.st_mode));
    char *text = read_text(scratch_path("real.xml"));
    CU_ASSERT_EQUAL(strncmp(text, "<?xml", 5), 0);
    free(text);
    rs_close(store);
}

/* A pipe is written, not replaced; a device that is full says so. No device of the machine is named
 * with RS_OVERWRITE here: a mistake would replace it. */
static void test_pipes_and_devices(void)
{
    rs_store *store = new_store("s");
    rs_export_options options = {.format = "xml", .flags = RS_OVERWRITE};
    const char *pipe_name = scratch_path("pipe");
    char text[1024] = "";
    struct stat about;

    set_dword(store, "HKLM\\T", "v", 1);
    CU_ASSERT_EQUAL_FATAL(mkfifo(pipe_name, 0600), 0);
    int reader = open(pipe_name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    CU_ASSERT_FATAL(reader >= 0);
    OK(export_key(store, "HKLM\\T", pipe_name, &options, NULL));
    CU_ASSERT_EQUAL(stat(pipe_name, &about), 0);
    CU_ASSERT(S_ISFIFO(about.st_mode));
    CU_ASSERT(read(reader, text, sizeof text - 1) > 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "</hive>"));
    close(reader);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", "/dev/full", NULL, NULL), RS_EDISK);
    rs_close(store);
}

static void test_bad_targets(void)
{
    rs_store *store = new_store("s");
    rs_error error = RS_ERROR_INIT;
    rs_export_options options = {.format = "pdf"};

    set_dword(store, "HKLM\\T", "v", 1);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", scratch_path("no/where.xml"), NULL, &error),
                    RS_EIO);
    CU_ASSERT(strstr(error.text, "no/where.xml") != NULL);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", scratch_dir(), NULL, NULL), RS_EIO);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", scratch_path("f"), &options, NULL), RS_ENOFORMAT);
    CU_ASSERT_NOT_EQUAL(access(scratch_path("f"), F_OK), 0);
    rs_close(store);
}

static int put_a_file_there(void *context, const rs_progress *progress)
{
    (void)progress;
    write_text(context, "theirs");
    return 0;
}

static int put_a_directory_there(void *context, const rs_progress *progress)
{
    (void)progress;
    mkdir(scratch_path(context), 0700);
    return 0;
}

/* Something comes to the place while the dump is written. */
static void test_taken_meanwhile(void)
{
    rs_store *store = new_store("s");
    char name[] = "f.xml";
    rs_export_options options = {.progress = put_a_file_there, .context = name};
    rs_error error = RS_ERROR_INIT;

    set_dword(store, "HKLM\\T", "v", 1);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", scratch_path(name), &options, &error), RS_EEXIST);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "the file exists"));
    char *text = read_text(scratch_path(name));
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_STRING_EQUAL(text, "theirs");
    free(text);
    CU_ASSERT_EQUAL_FATAL(unlink(scratch_path(name)), 0);
    options = (rs_export_options){
        .flags = RS_OVERWRITE, .progress = put_a_directory_there, .context = name};
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", scratch_path(name), &options, NULL), RS_EIO);
    CU_ASSERT_EQUAL(left_behind(), 0);
    rs_close(store);
}

static void test_symlink_to_nowhere(void)
{
    rs_store *store = new_store("s");
    rs_export_options options = {.flags = RS_OVERWRITE};
    rs_error error = RS_ERROR_INIT;

    set_dword(store, "HKLM\\T", "v", 1);
    CU_ASSERT_EQUAL_FATAL(symlink("no/where", scratch_path("l.xml")), 0);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", scratch_path("l.xml"), NULL, NULL), RS_EEXIST);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", scratch_path("l.xml"), &options, &error), RS_EIO);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "l.xml"));
    CU_ASSERT_EQUAL(left_behind(), 0);
    rs_close(store);
}

/* ---- Standard input and output that do not wait ---- */

#define LITTLE 4096 /* of what is in between, so that it is full at once */

/* A pipe whose end to be used here does not wait; the other belongs to a child. */
static pid_t start_other_end(int own, void (*run)(int end))
{
    int ends[2];
    if (pipe(ends) != 0 || fcntl(ends[own], F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(ends[own], F_SETPIPE_SZ, LITTLE) < 0) {
        _exit(10);
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[own]);
        run(ends[!own]);
        _exit(0);
    }
    dup2(ends[own], own == 0 ? STDIN_FILENO : STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    return child;
}

static void feed_bit_by_bit(int end)
{
    const char *dump =
        own_dump("HKEY_LOCAL_MACHINE\\T", "<value type=\"int32\" key=\"v\" value=\"7\"/>");
    for (; *dump != '\0'; dump++) {
        if (write(end, dump, 1) != 1) {
            _exit(1);
        }
    }
}

static int import_from_pipe(void *context)
{
    rs_store *store;
    rs_txn *txn;
    start_other_end(0, feed_bit_by_bit);
    if (rs_open(context, 0, &store, NULL) != RS_OK || rs_begin(store, RS_WRITE, &txn) != RS_OK) {
        return 1;
    }
    return rs_import(txn, "-", NULL, NULL, NULL) == RS_OK && rs_commit(txn, NULL) == RS_OK ? 0 : 2;
}

#define BIG_VALUE 200000

/* Ends with 0 if all came. */
static void drain_bit_by_bit(int end)
{
    char text[64];
    char last[8] = "";
    size_t size = 0;
    ssize_t got;
    while ((got = read(end, text, sizeof text)) > 0) {
        size += (size_t)got;
        size_t kept = (size_t)got < sizeof last ? (size_t)got : sizeof last;
        memmove(last, last + kept, sizeof last - kept);
        memcpy(last + sizeof last - kept, text + got - kept, kept);
    }
    _exit(got == 0 && size > BIG_VALUE && memcmp(last, "</hive>\n", sizeof last) == 0 ? 0 : 1);
}

static int export_to_pipe(void *context)
{
    rs_store *store;
    rs_txn *txn;
    rs_key key;
    int ended = 0;
    pid_t reader = start_other_end(1, drain_bit_by_bit);
    if (rs_open(context, 0, &store, NULL) != RS_OK || rs_begin(store, RS_READ, &txn) != RS_OK ||
        rs_key_open(txn, RS_HKLM, "T", &key) != RS_OK) {
        return 1;
    }
    int status = rs_export(txn, key, "-", NULL, NULL);
    close(STDOUT_FILENO);
    if (status != RS_OK || waitpid(reader, &ended, 0) != reader) {
        return 2;
    }
    return ended == 0 ? 0 : 3;
}

static void test_pipes_that_do_not_wait(void)
{
    static char data[BIG_VALUE];
    char dir[4096];
    rs_store *store = new_store("s");
    rs_close(store);
    snprintf(dir, sizeof dir, "%s", scratch_path("s"));
    CU_ASSERT_EQUAL(in_child(import_from_pipe, dir), 0);
    store = new_store("s");
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "v"), 7);
    rs_txn *txn = start_writing(store);
    OK(rs_set_binary(txn, find_key(txn, "HKLM\\T"), "big", data, sizeof data));
    end_writing(txn);
    rs_close(store);
    CU_ASSERT_EQUAL(in_child(export_to_pipe, dir), 0);
}

static void test_cancel(void)
{
    rs_store *store = new_store("s");
    rs_progress seen = {0};
    rs_export_options options = {.progress = stop_at_once, .context = &seen};
    rs_error error = RS_ERROR_INIT;

    set_dword(store, "HKLM\\T\\k", "v", 1);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", scratch_path("f.xml"), &options, &error),
                    RS_ECANCELLED);
    CU_ASSERT_EQUAL(seen.keys, 2);
    CU_ASSERT_EQUAL(seen.values, 1);
    CU_ASSERT_NOT_EQUAL(access(scratch_path("f.xml"), F_OK), 0);
    CU_ASSERT_EQUAL(left_behind(), 0);
    rs_close(store);
}

static void test_volatile_key(void)
{
    rs_store *store = new_store("s");
    rs_txn *txn = start_writing(store);
    rs_key key;

    OK(rs_key_create_n(txn, RS_NO_KEY, "HKLM\\V", RS_NTS, RS_VOLATILE, &key, NULL));
    end_writing(txn);
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\V", scratch_path("f.xml"), NULL, NULL), RS_EINVAL);
    CU_ASSERT_NOT_EQUAL(access(scratch_path("f.xml"), F_OK), 0);
    rs_close(store);
}

/* What a write transaction has changed is in its own export. */
static void test_in_write_transaction(void)
{
    rs_store *store = new_store("s");
    rs_txn *txn = start_writing(store);
    rs_key key;

    OK(rs_key_create(txn, RS_NO_KEY, "HKLM\\T", &key));
    OK(rs_set_string(txn, key, "v", "fresh"));
    OK(rs_export(txn, key, scratch_path("f.xml"), NULL, NULL));
    rs_abort(txn);
    char *text = read_text(scratch_path("f.xml"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "value=\"fresh\""));
    free(text);
    rs_close(store);
}

static int kill_self(void *context, const rs_progress *progress)
{
    (void)context;
    (void)progress;
    return raise(SIGKILL);
}

/* In a child, which must not come back. */
static _Noreturn void be_killed(const char *dir, const char *file)
{
    const rs_export_options options = {.progress = kill_self};
    rs_store *store;
    rs_txn *txn;

    if (rs_open(dir, 0, &store, NULL) == RS_OK && rs_begin(store, RS_READ, &txn) == RS_OK) {
        _exit(rs_export(txn, RS_HKLM, file, &options, NULL) == RS_OK);
    }
    _exit(EXIT_FAILURE);
}

/* Where the file system can make a file without a name, nothing stays behind. */
static void test_killed(void)
{
    char dir[4200];
    int status = 0;
    rs_store *store = new_store("s");
    int nameless = open(scratch_dir(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

    make_key(store, "HKLM\\T");
    snprintf(dir, sizeof dir, "%s", rs_store_dir(store));
    rs_close(store);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        be_killed(dir, scratch_path("f.xml"));
    }
    CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CU_ASSERT_NOT_EQUAL(access(scratch_path("f.xml"), F_OK), 0);
    if (nameless >= 0) {
        CU_ASSERT_EQUAL(left_behind(), 0);
        close(nameless);
    }
}

/* A file that replaces the store's would be the end of all settings. */
static void test_into_the_store(void)
{
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    rs_store *store = new_store("s");
    const rs_export_options options = {.flags = RS_OVERWRITE};

    make_key(store, "HKLM\\T");
    for (size_t i = 0; i < 2; i++) {
        char path[4200];
        rs_error error = RS_ERROR_INIT;
        snprintf(path, sizeof path, "%s/%s", rs_store_dir(store), files[i]);
        CU_ASSERT_EQUAL_FATAL(symlink(path, scratch_path("way")), 0);
        CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", path, &options, &error), RS_EINVAL);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "of the store itself"));
        CU_ASSERT_EQUAL(export_key(store, "HKLM\\T", scratch_path("way"), &options, NULL),
                        RS_EINVAL);
        unlink(scratch_path("way"));
    }
    rs_close(store);
}

static void test_cannot_hold(void)
{
    rs_store *store = new_store("s");
    rs_export_options options = {.format = "pol"};
    rs_error error = RS_ERROR_INIT;
    make_key(store, "HKLM\\A");
    make_key(store, "HKLM\\B");
    CU_ASSERT_EQUAL(export_key(store, "HKLM\\A", scratch_path("out"), &options, &error),
                    RS_ENOFORMAT);
    CU_ASSERT_STRING_EQUAL(error.text, "the format pol cannot be written");
    rs_txn *txn = start_reading(store);
    options.format = "xml";
    error = (rs_error)RS_ERROR_INIT;
    CU_ASSERT_EQUAL(rs_export_patch(txn, find_key(txn, "HKLM\\A"), txn, find_key(txn, "HKLM\\B"),
                                    scratch_path("out"), &options, &error),
                    RS_ENOFORMAT);
    CU_ASSERT_STRING_EQUAL(error.text, "the format xml cannot hold a patch");
    rs_abort(txn);
    CU_ASSERT_EQUAL(access(scratch_path("out"), F_OK), -1);
    rs_close(store);
}

/* Who does not ask for losses gets the file all the same. */
static void test_loss_untold(void)
{
    rs_store *store = new_store("s");
    rs_key key;
    rs_txn *txn = start_writing(store);
    OK(rs_key_create(txn, RS_NO_KEY, "HKLM\\A", &key));
    OK(rs_value_set(txn, key, "cut", REG_SZ, "x\0\0\0y\0\0\0", 8));
    end_writing(txn);
    OK(export_key(store, "HKLM\\A", scratch_path("out.reg"), NULL, NULL));
    CU_ASSERT_EQUAL(access(scratch_path("out.reg"), F_OK), 0);
    rs_close(store);
}

const struct test_suite suite_transfer_export = {
    "transfer_export",
    (const struct test_case[]){
        {"round trip", test_round_trip},
        {"data comes back", test_data_comes_back},
        {"views and roots", test_views_and_roots},
        {"depth", test_depth},
        {"overwriting", test_overwriting},
        {"through a symbolic link", test_through_symlink},
        {"pipes and devices", test_pipes_and_devices},
        {"bad targets", test_bad_targets},
        {"taken meanwhile", test_taken_meanwhile},
        {"a symbolic link to nowhere", test_symlink_to_nowhere},
        {"pipes that do not wait", test_pipes_that_do_not_wait},
        {"into the store", test_into_the_store},
        {"killed", test_killed},
        {"cancelling", test_cancel},
        {"a volatile key", test_volatile_key},
        {"what a format cannot hold", test_cannot_hold},
        {"a loss that nobody is told", test_loss_untold},
        {"in a write transaction", test_in_write_transaction},
        {NULL, NULL},
    },
};
