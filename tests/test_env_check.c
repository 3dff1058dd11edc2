/*
 * test_env_check.c - directories and files that are not safe or not whole are refused before
 * anything in them is believed.
 */
#include "stores.h"
#include "../regstore/env_check.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes a store with something in it and closes it. */
static void make_store(void)
{
    rs_store *store = open_store();
    rs_txn *txn = start_writing(store);
    set_number(txn, add_key(txn, "HKLM\\SOFTWARE\\Sample"), "Size", 3);
    CU_ASSERT_EQUAL(end_writing(txn), 1);
    rs_close(store);
}

/* What opening the store in the scratch directory gives; closes it again. */
static int opened(unsigned flags, rs_error *error)
{
    rs_store *store = NULL;
    int status = rs_open(scratch_path("store"), flags, &store, error);
    rs_close(store);
    return status;
}

/* Refused in each way of opening, with a line that names the place. */
static void refused(int wanted, const char *place)
{
    static const unsigned ways[] = {0, RS_CREATE, RS_READONLY};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        rs_error error = RS_ERROR_INIT;
        CU_ASSERT_EQUAL(opened(ways[i], &error), wanted);
        CU_ASSERT_EQUAL(error.status, wanted);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, place));
        CU_ASSERT_PTR_NULL(strchr(error.text, '\n'));
    }
}

/* ---- Others ---- */

static void a_directory_that_others_may_write_is_refused(void)
{
    make_store();
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_path("store"), 0757), 0);
    refused(RS_EUNSAFE, scratch_path("store"));
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_path("store"), 01777), 0);
    refused(RS_EUNSAFE, scratch_path("store"));
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_path("store"), 0775), 0);
    GIVES(RS_OK, opened(0, NULL));
}

static void a_new_store_in_such_a_directory_is_refused(void)
{
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path("store"), 0755), 0);
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_path("store"), 0777), 0);
    GIVES(RS_EUNSAFE, opened(RS_CREATE, NULL));
    CU_ASSERT_EQUAL(access(scratch_path("store/data.mdb"), F_OK), -1);
}

static void a_file_that_others_may_write_is_refused(void)
{
    static const char *const files[] = {"store/data.mdb", "store/lock.mdb"};
    make_store();
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(chmod(scratch_path(files[i]), 0662), 0);
        refused(RS_EUNSAFE, scratch_path(files[i]));
        CU_ASSERT_EQUAL_FATAL(chmod(scratch_path(files[i]), 0660), 0);
        GIVES(RS_OK, opened(0, NULL));
    }
}

static void a_symlink_in_place_of_a_file_is_refused(void)
{
    static const char *const files[] = {"store/data.mdb", "store/lock.mdb"};
    make_store();
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(rename(scratch_path(files[i]), scratch_path("moved")), 0);
        CU_ASSERT_EQUAL_FATAL(symlink(scratch_path("moved"), scratch_path(files[i])), 0);
        refused(RS_EUNSAFE, scratch_path(files[i]));
        CU_ASSERT_EQUAL_FATAL(rename(scratch_path("moved"), scratch_path(files[i])), 0);
        GIVES(RS_OK, opened(0, NULL));
    }
}

static void a_fifo_in_place_of_a_file_is_refused(void)
{
    make_store();
    CU_ASSERT_EQUAL_FATAL(unlink(scratch_path("store/data.mdb")), 0);
    CU_ASSERT_EQUAL_FATAL(mkfifo(scratch_path("store/data.mdb"), 0600), 0);
    refused(RS_EUNSAFE, scratch_path("store/data.mdb"));
}

/* ---- Not a store ---- */

static void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(data, 1, size, file), size);
    CU_ASSERT_EQUAL(fclose(file), 0);
    CU_ASSERT_EQUAL_FATAL(chmod(path, 0640), 0);
}

static void a_file_is_no_store(void)
{
    write_file(scratch_path("store"), "x", 1);
    GIVES(RS_ENOSTORE, opened(0, NULL));
}

static void other_data_is_no_store(void)
{
    static char text[20000];
    memset(text, 'x', sizeof text);
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path("store"), 0750), 0);
    write_file(scratch_path("store/data.mdb"), text, sizeof text);
    refused(RS_EDAMAGED, scratch_path("store/data.mdb"));
    write_file(scratch_path("store/data.mdb"), text, 1);
    refused(RS_EDAMAGED, scratch_path("store/data.mdb"));
    memset(text, 0, sizeof text);
    write_file(scratch_path("store/data.mdb"), text, sizeof text);
    refused(RS_EDAMAGED, scratch_path("store/data.mdb"));
}

static void an_empty_file_becomes_a_store(void)
{
    CU_ASSERT_EQUAL_FATAL(mkdir(scratch_path("store"), 0750), 0);
    write_file(scratch_path("store/data.mdb"), "", 0);
    GIVES(RS_ENOSTORE, opened(0, NULL));
    GIVES(RS_OK, opened(RS_CREATE, NULL));
    GIVES(RS_OK, opened(0, NULL));
}

/* As in a copy of the data file alone. */
static void a_lost_lock_file_is_made_for_the_group(void)
{
    struct stat st;
    make_store();
    CU_ASSERT_EQUAL_FATAL(unlink(scratch_path("store/lock.mdb")), 0);
    mode_t mask = umask(077);
    GIVES(RS_OK, opened(0, NULL));
    umask(mask);
    CU_ASSERT_EQUAL_FATAL(stat(scratch_path("store/lock.mdb"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0660);
}

static int open_with_foreign_lock(void *context)
{
    rs_store *store = NULL;
    rs_error error = RS_ERROR_INIT;
    if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) {
        return 1;
    }
    return rs_open(context, 0, &store, &error) == RS_EACCESS && error.text[0] != '\0' ? 0 : 2;
}

/* A store of one's own with a lock file of somebody else's cannot be used, and says so. */
static void a_lock_file_that_cannot_be_opened_is_told(void)
{
    static const char *const files[] = {"store", "store/data.mdb", "store/bell", "store/watches"};
    char dir[4096];
    if (geteuid() != 0) {
        test_skip("only root can become another user");
        return;
    }
    make_store();
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_dir(), 0755), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        CU_ASSERT_EQUAL_FATAL(chown(scratch_path(files[i]), 65534, 65534), 0);
    }
    CU_ASSERT_EQUAL_FATAL(chmod(scratch_path("store/lock.mdb"), 0600), 0);
    snprintf(dir, sizeof dir, "%s", scratch_path("store"));
    GIVES(0, in_child(open_with_foreign_lock, dir));
}

/* ---- Making directories ---- */

static void directories_above_are_made(void)
{
    rs_store *store = NULL;
    rs_error error = RS_ERROR_INIT;
    struct stat st;
    SUCCEEDS(rs_open(scratch_path("a//b/store///"), RS_CREATE, &store, NULL));
    rs_close(store);
    CU_ASSERT(stat(scratch_path("a/b/store/data.mdb"), &st) == 0);
    GIVES(RS_EIO, rs_open(scratch_path("a/b/store/data.mdb/x/y"), RS_CREATE, &store, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot make the store's directory"));
}

/* ---- Cut short ---- */

static off_t size_of(const char *path)
{
    struct stat st;
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    return st.st_size;
}

/* Up to the last page that is in use; behind it the file may have some room. */
static void a_file_cut_short_is_refused(void)
{
    make_store();
    char data[4096];
    snprintf(data, sizeof data, "%s", scratch_path("store/data.mdb"));
    off_t page = sysconf(_SC_PAGESIZE);
    off_t size = size_of(data);
    CU_ASSERT_FATAL(size > 4 * page);
    bool refusing = false;
    for (off_t cut = size - page; cut > 0; cut -= page) {
        CU_ASSERT_EQUAL_FATAL(truncate(data, cut), 0);
        int status = opened(0, NULL);
        CU_ASSERT(status == RS_EDAMAGED || (status == RS_OK && !refusing));
        refusing = status != RS_OK;
    }
    CU_ASSERT(refusing);
    CU_ASSERT_EQUAL_FATAL(truncate(data, 1), 0);
    refused(RS_EDAMAGED, data);
}

/* ---- Damaged headers ---- */

/* Where the fields of a meta page of LMDB 0.9 lie on a 64-bit machine. */
enum { PAGE_NUMBER = 0, PAGE_FLAGS = 10, MAGIC = 16, VERSION = 20, FREE_DB = 40, MAIN_DB = 88 };
enum { LAST_PAGE = 136, TXN_NUMBER = 144 };
enum { DB_PAD = 0, DB_FLAGS = 4, DB_DEPTH = 6, DB_ROOT = 40 };

/* A field of a meta page, and what it is damaged to. */
static const struct {
    const char *name;
    size_t offset;
    size_t size;
    uint64_t value;
    int status;
} damages[] = {
    {"page number", PAGE_NUMBER, 8, 7, RS_EDAMAGED},
    {"page flags", PAGE_FLAGS, 2, 0x01, RS_EDAMAGED},
    {"magic", MAGIC, 4, 0xBEEFC0DF, RS_EDAMAGED},
    {"version", VERSION, 4, 999, RS_EVERSION},
    {"page size 0", FREE_DB + DB_PAD, 4, 0, RS_EDAMAGED},
    {"page size odd", FREE_DB + DB_PAD, 4, 4095, RS_EDAMAGED},
    {"page size small", FREE_DB + DB_PAD, 4, 256, RS_EDAMAGED},
    {"page size large", FREE_DB + DB_PAD, 4, 1 << 20, RS_EDAMAGED},
    {"page size other", FREE_DB + DB_PAD, 4, 8192, RS_EDAMAGED},
    {"flags of the free pages", FREE_DB + DB_FLAGS, 2, 0xffff, RS_EDAMAGED},
    {"fixed map", FREE_DB + DB_FLAGS, 2, 0x09, RS_EDAMAGED},
    {"depth of the free pages", FREE_DB + DB_DEPTH, 2, 33, RS_EDAMAGED},
    {"root of the free pages", FREE_DB + DB_ROOT, 8, 1 << 30, RS_EDAMAGED},
    {"flags of the tables", MAIN_DB + DB_FLAGS, 2, 0x04, RS_EDAMAGED},
    {"depth of the tables", MAIN_DB + DB_DEPTH, 2, 0xffff, RS_EDAMAGED},
    {"root of the tables", MAIN_DB + DB_ROOT, 8, 1 << 30, RS_EDAMAGED},
    {"root in the header", MAIN_DB + DB_ROOT, 8, 1, RS_EDAMAGED},
    {"no root at all", MAIN_DB + DB_ROOT, 8, UINT64_MAX, RS_EDAMAGED},
    {"last page 0", LAST_PAGE, 8, 0, RS_EDAMAGED},
    {"last page far", LAST_PAGE, 8, UINT64_MAX - 1, RS_EDAMAGED},
    {"transaction of the other page", TXN_NUMBER, 8, 1 << 20, RS_EDAMAGED},
};

static void patch(int fd, off_t page, size_t row)
{
    off_t at = page + (off_t)damages[row].offset;
    uint64_t value = damages[row].value;
    /* One that has the other page's parity. */
    if (damages[row].offset == TXN_NUMBER && page == 0) {
        value++;
    }
    CU_ASSERT_EQUAL_FATAL(pwrite(fd, &value, damages[row].size, at), (ssize_t)damages[row].size);
}

static void try_damage(int fd, off_t page, size_t row)
{
    unsigned char saved[512];
    CU_ASSERT_EQUAL_FATAL(pread(fd, saved, sizeof saved, page), (ssize_t)sizeof saved);
    patch(fd, page, row);
    int status = opened(0, NULL);
    if (status != damages[row].status) {
        printf("  %s, page %d: %s\n", damages[row].name, page > 0, rs_strerror(status));
        CU_FAIL("a damaged header was not refused as it should be");
    }
    CU_ASSERT_EQUAL_FATAL(pwrite(fd, saved, sizeof saved, page), (ssize_t)sizeof saved);
    CU_ASSERT_EQUAL(opened(0, NULL), RS_OK);
}

static void every_damaged_field_is_refused(void)
{
    if (sizeof(void *) != 8) {
        test_skip("the fields' places are those of a 64-bit machine");
        return;
    }
    make_store();
    int fd = open(scratch_path("store/data.mdb"), O_RDWR | O_CLOEXEC);
    off_t page = sysconf(_SC_PAGESIZE);
    for (size_t row = 0; row < sizeof damages / sizeof *damages; row++) {
        try_damage(fd, 0, row);
        try_damage(fd, page, row);
    }
    close(fd);
}

static const struct test_case cases[] = {
    {"a directory that others may write is refused", a_directory_that_others_may_write_is_refused},
    {"a new store in such a directory is refused", a_new_store_in_such_a_directory_is_refused},
    {"a file that others may write is refused", a_file_that_others_may_write_is_refused},
    {"a symlink in place of a file is refused", a_symlink_in_place_of_a_file_is_refused},
    {"a FIFO in place of a file is refused", a_fifo_in_place_of_a_file_is_refused},
    {"a file is no store", a_file_is_no_store},
    {"other data is no store", other_data_is_no_store},
    {"an empty file becomes a store", an_empty_file_becomes_a_store},
    {"a lost lock file is made for the group", a_lost_lock_file_is_made_for_the_group},
    {"a lock file that cannot be opened is told", a_lock_file_that_cannot_be_opened_is_told},
    {"directories above are made", directories_above_are_made},
    {"a file cut short is refused", a_file_cut_short_is_refused},
    {"every damaged field is refused", every_damaged_field_is_refused},
    {NULL, NULL},
};
const struct test_suite suite_env_check = {"env_check", cases};
