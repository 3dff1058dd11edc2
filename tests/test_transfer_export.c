/*
 * test_transfer_export.c - export: what is in the file, and how the file appears.
 */
#include "harness.h"
#include "transfer_helpers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    rs_export_options options = {.flags = RS_OVERWRITE};
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
        {"cancelling", test_cancel},
        {"a volatile key", test_volatile_key},
        {"in a write transaction", test_in_write_transaction},
        {NULL, NULL},
    },
};
