/*
 * test_transfer.c - import: where a dump goes, how it merges, links, doubles, losses, failures.
 */
#include "harness.h"
#include "transfer_helpers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define TIME "<mtime>2010-02-02T13:42:44Z</mtime>"
#define TIME_NUMBER 129095917640000000u
#define ROOT_TIME_NUMBER 126227808000000000u /* 2001-01-01T00:00:00Z, in the helpers' dumps */
#define DWORD(name, number) "<value type=\"int32\" key=\"" name "\" value=\"" number "\"/>"
#define KEY(name, content) "<node name=\"" name "\">" TIME content "</node>"
#define LINK_TO_T                                                                                  \
    "<value type=\"link\" key=\"SymbolicLinkValue\" value=\"\\Registry\\Machine\\T\"/>"

/* ---- Where a dump goes ---- */

static void test_mounts(void)
{
    rs_store *store = new_store("s");
    rs_import_options options = {.key = "HKLM\\A\\B"};
    rs_error error = RS_ERROR_INIT;

    CU_ASSERT_EQUAL(import_text(store, foreign_dump(DWORD("v", "1")), NULL, NULL, &error),
                    RS_EPATH);
    CU_ASSERT(strstr(error.text, "this dump does not say where it belongs: name a key") != NULL);
    CU_ASSERT_EQUAL(import_text(store, foreign_dump(DWORD("v", "1")), &options, NULL, NULL), RS_OK);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\A\\B", "v"), 1);
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\A\\B\\ROOT"));

    must_import(store, own_dump("HKEY_LOCAL_MACHINE\\C", DWORD("v", "2")), NULL);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\C", "v"), 2);
    must_import(store, own_dump("HKLM\\D", DWORD("v", "3")), "/HKU/E");
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\D"));
    CU_ASSERT_EQUAL(dword_of(store, "HKU\\E", "v"), 3);
    must_import(store, own_dump("HKEY_CURRENT_USER\\F", DWORD("v", "4")), NULL);
    CU_ASSERT_EQUAL(dword_of(store, "HKCU\\F", "v"), 4);

    CU_ASSERT_EQUAL(import_text(store, own_dump("HKEY_NOWHERE\\x", ""), NULL, NULL, NULL),
                    RS_EPATH);
    options.key = "HKLM\\\\x";
    CU_ASSERT_EQUAL(import_text(store, foreign_dump(""), &options, NULL, NULL), RS_EPATH);
    rs_close(store);
}

static void test_report(void)
{
    rs_store *store = new_store("s");
    rs_import_options options = {.key = "hklm\\a"};
    rs_import_report report;
    rs_txn *txn;

    make_key(store, "HKLM\\A");
    write_text("dump.xml", foreign_dump(DWORD("v", "1") KEY("k", DWORD("w", "2"))));
    txn = start_writing(store);
    CU_ASSERT_EQUAL(rs_import(txn, scratch_path("dump.xml"), &options, &report, NULL), RS_OK);
    CU_ASSERT_STRING_EQUAL(report.format, "xml");
    CU_ASSERT_STRING_EQUAL(report.key, "HKEY_LOCAL_MACHINE\\A");
    CU_ASSERT_EQUAL(report.keys_added, 1);
    CU_ASSERT_EQUAL(report.keys_found, 1);
    CU_ASSERT_EQUAL(report.values_added, 2);
    CU_ASSERT_EQUAL(report.foreign, 1);
    CU_ASSERT_EQUAL(report.losses, 0);
    end_writing(txn);
    rs_close(store);
}

/* ---- Merging ---- */

#define BEFORE DWORD("same", "1") DWORD("Other", "1") KEY("k", DWORD("x", "1"))
#define AFTER DWORD("same", "1") DWORD("other", "2") DWORD("new", "2") KEY("K", "") KEY("l", "")

static void test_merge(void)
{
    rs_store *store = new_store("s");
    rs_import_report report;

    must_import(store, own_dump("HKLM\\T", BEFORE), NULL);
    CU_ASSERT_EQUAL(import_text(store, own_dump("HKLM\\T", AFTER), NULL, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(report.keys_added, 1);
    CU_ASSERT_EQUAL(report.keys_found, 2);
    CU_ASSERT_EQUAL(report.values_same, 1);
    CU_ASSERT_EQUAL(report.values_changed, 1);
    CU_ASSERT_EQUAL(report.values_added, 1);
    CU_ASSERT_EQUAL(report.foreign, 0);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "Other"), 2);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\k", "x"), 1);
    rs_close(store);
}

static void test_keep(void)
{
    rs_store *store = new_store("s");
    rs_import_options options = {.flags = RS_KEEP};
    rs_import_report report;

    must_import(store, own_dump("HKLM\\T", BEFORE), NULL);
    CU_ASSERT_EQUAL(import_text(store, own_dump("HKLM\\T", AFTER), &options, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(report.values_same, 1);
    CU_ASSERT_EQUAL(report.values_kept, 1);
    CU_ASSERT_EQUAL(report.values_changed, 0);
    CU_ASSERT_EQUAL(report.values_added, 1);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "other"), 1);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "new"), 2);
    rs_close(store);
}

/* The same dump again makes no revision. */
static void test_again(void)
{
    rs_store *store = new_store("s");
    rs_import_report report;
    uint64_t first;
    rs_txn *txn;

    must_import(store, own_dump("HKLM\\T", BEFORE), NULL);
    txn = start_reading(store);
    first = rs_revision(txn);
    rs_abort(txn);
    txn = start_writing(store);
    CU_ASSERT_EQUAL(rs_import(txn, scratch_path("dump.xml"), NULL, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(report.values_same, 3);
    CU_ASSERT_EQUAL(end_writing(txn), first);
    rs_close(store);
}

static void test_times(void)
{
    rs_store *store = new_store("s");

    set_dword(store, "HKLM\\T\\full", "v", 1);
    make_key(store, "HKLM\\T\\empty");
    uint64_t full = key_time(store, "HKLM\\T\\full");
    must_import(store,
                own_dump("HKLM\\T", KEY("full", DWORD("v", "1")) KEY("empty", DWORD("v", "1"))
                                        KEY("new", KEY("inner", DWORD("v", "1"))) "<node "
                                                                                  "name=\"x\"/>"),
                NULL);
    CU_ASSERT_EQUAL(key_time(store, "HKLM\\T\\full"), full);
    CU_ASSERT_EQUAL(key_time(store, "HKLM\\T\\empty"), TIME_NUMBER);
    CU_ASSERT_EQUAL(key_time(store, "HKLM\\T\\new"), TIME_NUMBER);
    CU_ASSERT_EQUAL(key_time(store, "HKLM\\T\\new\\inner"), TIME_NUMBER);
    CU_ASSERT(key_time(store, "HKLM\\T\\x") > full - 10000000); /* the present */
    CU_ASSERT(key_time(store, "HKLM\\T") != ROOT_TIME_NUMBER);  /* it had subkeys */
    rs_close(store);
}

static void check_class(rs_store *store, const char *path, const char *expected)
{
    rs_txn *txn = start_reading(store);
    rs_key_info info;
    rs_key key;

    CU_ASSERT_EQUAL_FATAL(rs_key_open(txn, RS_NO_KEY, path, &key), RS_OK);
    CU_ASSERT_EQUAL_FATAL(rs_key_info_get(txn, key, &info), RS_OK);
    CU_ASSERT_STRING_EQUAL(info.class_name, expected);
    rs_abort(txn);
}

/* A key without content takes the dump's class, if the dump tells classes at all. */
static void test_classes(void)
{
    rs_store *store = new_store("s");
    rs_txn *txn = start_writing(store);
    rs_key key;

    CU_ASSERT_EQUAL(rs_key_create(txn, RS_NO_KEY, "HKLM\\T", &key), RS_OK);
    CU_ASSERT_EQUAL(rs_key_set_class(txn, key, "before"), RS_OK);
    end_writing(txn);
    must_import(store, foreign_dump(""), "HKLM\\T");
    check_class(store, "HKLM\\T", "before");
    must_import(store, own_dump("HKLM\\T", ""), NULL);
    check_class(store, "HKLM\\T", "");
    must_import(store, own_dump("HKLM\\T", "<node name=\"k\" class=\"C\"/>"), NULL);
    check_class(store, "HKLM\\T\\k", "C");
    rs_close(store);
}

/* ---- Doubles and losses ---- */

struct told {
    unsigned count;
    char lines[1024];
};

static void on_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    struct told *told = context;
    size_t at = strlen(told->lines);

    told->count++;
    snprintf(told->lines + at, sizeof told->lines - at, "%d %s %s\n", (int)kind, path,
             value ? value : "-");
}

#define DOUBLES                                                                                    \
    DWORD("a", "1")                                                                                \
    DWORD("A", "2")                                                                                \
    DWORD("b", "3")                                                                                \
    KEY("k", DWORD("x", "1") DWORD("b", "6") KEY("m", ""))                                         \
    KEY("l", DWORD("x", "2"))                                                                      \
    KEY("K", DWORD("x", "4") DWORD("y", "4") KEY("m", DWORD("x", "4")) KEY("n", ""))               \
    KEY("o", KEY("k", ""))

static void check_doubles(rs_store *store)
{
    struct told told = {0};
    rs_import_options options = {.loss = on_loss, .context = &told};
    rs_import_report report;

    CU_ASSERT_EQUAL(import_text(store, own_dump("HKLM\\T", DOUBLES), &options, &report, NULL),
                    RS_OK);
    CU_ASSERT_EQUAL(report.losses, 2);
    CU_ASSERT_STRING_EQUAL(told.lines, "3 HKEY_LOCAL_MACHINE\\T A\n3 HKEY_LOCAL_MACHINE\\T\\K -\n");
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "a"), 1);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "b"), 3);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\k", "x"), 1);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\k", "y"), 0xdeadbeef);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\k\\m", "x"), 0xdeadbeef);
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\T\\k\\n"));
    CU_ASSERT(key_exists(store, "HKLM\\T\\o\\k"));
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\k", "b"), 6); /* as in the key around it */
}

/* The same in keys that the import makes and in keys that it finds. */
static void test_doubles(void)
{
    rs_store *store = new_store("s");

    check_doubles(store);
    check_doubles(store);
    rs_close(store);
}

/* More values and keys than the sets of what was seen begin with. */
static void test_many_names(void)
{
    rs_store *store = new_store("s");
    char *dump = malloc(400000);
    size_t at = 0;
    rs_import_report report;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dump);
    at += (size_t)sprintf(dump, "<hive regstore=\"1\"><node name=\"HKLM\\T\" root=\"1\">");
    for (int i = 0; i < 3000; i++) {
        at += (size_t)sprintf(dump + at, DWORD("v%d", "%d"), i % 2000, i);
    }
    for (int i = 0; i < 3000; i++) {
        at += (size_t)sprintf(dump + at, "<node name=\"k%d\"/>", i % 2000);
    }
    sprintf(dump + at, "</node></hive>");
    for (int round = 0; round < 2; round++) {
        CU_ASSERT_EQUAL(import_text(store, dump, NULL, &report, NULL), RS_OK);
        CU_ASSERT_EQUAL(report.losses, 2000);
        CU_ASSERT_EQUAL(report.keys_added, round ? 0 : 2001);
        CU_ASSERT_EQUAL(report.keys_found, round ? 2001 : 0);
        CU_ASSERT_EQUAL(report.values_added, round ? 0 : 2000);
        CU_ASSERT_EQUAL(report.values_same, round ? 2000 : 0);
    }
    free(dump);
    rs_close(store);
}

static void test_losses(void)
{
    rs_store *store = new_store("s");
    struct told told = {0};
    rs_import_options options = {.key = "HKLM\\T", .loss = on_loss, .context = &told};
    rs_import_report report;

    CU_ASSERT_EQUAL(
        import_text(store,
                    foreign_dump("<value type=\"unknown\" encoding=\"base64\" default=\"1\"/>"
                                 "<value type=\"string-list\" key=\"l\"><string>x</string></value>"
                                 "<node name=\"k\"/>"),
                    &options, &report, NULL),
        RS_OK);
    CU_ASSERT_EQUAL(report.losses, 3);
    CU_ASSERT_STRING_EQUAL(told.lines, "1 HKEY_LOCAL_MACHINE\\T \n2 HKEY_LOCAL_MACHINE\\T l\n"
                                       "4 HKEY_LOCAL_MACHINE\\T\\k -\n");
    for (int kind = RS_LOSS_TYPE; kind <= RS_LOSS_CURRENT; kind++) {
        CU_ASSERT_PTR_NOT_NULL(rs_loss_text((enum rs_loss_kind)kind));
    }
    CU_ASSERT_PTR_NULL(rs_loss_text((enum rs_loss_kind)99));
    rs_close(store);
}

/* ---- Links ---- */

static void make_link(rs_store *store, const char *path, const char *target)
{
    rs_txn *txn = start_writing(store);
    rs_key key;

    CU_ASSERT_EQUAL(rs_link_create(txn, RS_NO_KEY, path, target, 0, &key), RS_OK);
    end_writing(txn);
}

static void test_links_are_not_followed(void)
{
    rs_store *store = new_store("s");
    rs_import_options options = {.key = "HKLM\\L"};
    rs_error error = RS_ERROR_INIT;

    make_key(store, "HKLM\\T");
    make_link(store, "HKLM\\L", "HKLM\\T");
    CU_ASSERT_EQUAL(import_text(store, foreign_dump(DWORD("v", "1")), &options, NULL, &error),
                    RS_ELINK);
    CU_ASSERT(strstr(error.text, "HKEY_LOCAL_MACHINE\\L is a symbolic link") != NULL);
    CU_ASSERT_EQUAL(import_text(store, foreign_dump(""), &options, NULL, NULL), RS_ELINK);
    options.key = "HKLM";
    CU_ASSERT_EQUAL(import_text(store, foreign_dump(KEY("L", KEY("x", ""))), &options, NULL, NULL),
                    RS_ELINK);
    CU_ASSERT_EQUAL(
        import_text(store, foreign_dump(KEY("L", DWORD("v", "1") LINK_TO_T)), &options, NULL, NULL),
        RS_ELINK);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "v"), 0xdeadbeef);
    /* naming a path goes through links; only its end must be none */
    options.key = "HKLM\\L\\below";
    CU_ASSERT_EQUAL(import_text(store, foreign_dump(DWORD("v", "1")), &options, NULL, NULL), RS_OK);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T\\below", "v"), 1);
    rs_close(store);
}

static void test_links_come_and_change(void)
{
    rs_store *store = new_store("s");

    must_import(store, own_dump("HKLM\\X", KEY("L", LINK_TO_T)), NULL);
    CU_ASSERT_STRING_EQUAL(target_of(store, "HKLM\\X\\L"), "HKEY_LOCAL_MACHINE\\T");
    CU_ASSERT_EQUAL(key_time(store, "HKLM\\X\\L"), TIME_NUMBER);
    make_link(store, "HKLM\\X\\L", "HKLM\\U");
    must_import(store, own_dump("HKLM\\X", KEY("L", LINK_TO_T)), NULL);
    CU_ASSERT_STRING_EQUAL(target_of(store, "HKLM\\X\\L"), "HKEY_LOCAL_MACHINE\\T");
    must_import(store, own_dump("HKLM\\X\\L", LINK_TO_T), NULL);
    CU_ASSERT_STRING_EQUAL(target_of(store, "HKLM\\X\\L"), "HKEY_LOCAL_MACHINE\\T");
    rs_close(store);
}

/* ---- Failures ---- */

/* The transaction cannot be committed, and nothing of the dump comes into the store. */
static void test_failure_changes_nothing(void)
{
    rs_store *store = new_store("s");
    rs_error error = RS_ERROR_INIT;
    uint64_t revision = 99;

    write_text("dump.xml", own_dump("HKLM\\T", DWORD("v", "1") DWORD("w", "x")));
    rs_txn *txn = start_writing(store);
    CU_ASSERT_EQUAL(rs_import(txn, scratch_path("dump.xml"), NULL, NULL, &error), RS_EFORMAT);
    CU_ASSERT_EQUAL(error.line, 1);
    CU_ASSERT(error.offset > 0);
    CU_ASSERT_EQUAL(rs_commit(txn, &revision), RS_EFORMAT);
    CU_ASSERT_EQUAL(revision, 99);
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\T"));
    rs_close(store);
}

static int file_status(const char *path, rs_error *error)
{
    rs_store *store = new_store("s");
    rs_txn *txn = start_writing(store);
    rs_import_options options = {.key = "HKLM\\T"};
    int status = rs_import(txn, path, &options, NULL, error);

    CU_ASSERT_EQUAL(rs_commit(txn, NULL), RS_OK); /* it failed before anything was changed */
    rs_close(store);
    return status;
}

static void check_file(const char *path, int status, const char *text)
{
    rs_error error = RS_ERROR_INIT;

    CU_ASSERT_EQUAL(file_status(path, &error), status);
    CU_ASSERT_EQUAL(error.status, status);
    CU_ASSERT(strstr(error.text, text) != NULL);
    if (!strstr(error.text, text)) {
        printf("\n%s\n", error.text);
    }
}

static void test_files(void)
{
    check_file(scratch_path("absent"), RS_EIO, "No such file");
    check_file(scratch_dir(), RS_EIO, "Is a directory");
    check_file(write_text("f", ""), RS_ENOFORMAT, "the file is empty");
    check_file(write_text("f", "hello"), RS_ENOFORMAT, "not a dump of a format that is known");
    check_file(write_text("f", "regf\1"), RS_EFORMAT, "the hive is cut short");
    check_file(write_text("f", "\xfd"
                               "7zXZ"),
               RS_ENOFORMAT, "unpack it first");
}

/* A pipe is read to its end, whatever comes at a time. */
static void test_pipe(void)
{
    const char *dump = own_dump("HKLM\\T", DWORD("v", "7"));
    rs_store *store = new_store("s");
    char name[32];
    int ends[2];

    CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
    CU_ASSERT_EQUAL(write(ends[1], dump, strlen(dump)), (ssize_t)strlen(dump));
    close(ends[1]);
    snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
    rs_txn *txn = start_writing(store);
    CU_ASSERT_EQUAL(rs_import(txn, name, NULL, NULL, NULL), RS_OK);
    end_writing(txn);
    close(ends[0]);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\T", "v"), 7);
    rs_close(store);
}

static void test_read_only(void)
{
    rs_store *store = new_store("s");
    rs_txn *txn = start_reading(store);
    const char *path = write_text("dump.xml", own_dump("HKLM\\T", ""));

    CU_ASSERT_EQUAL(rs_import(txn, path, NULL, NULL, NULL), RS_EREADONLY);
    rs_abort(txn);
    rs_close(store);
}

static void test_cancel(void)
{
    rs_store *store = new_store("s");
    rs_progress seen = {0};
    rs_import_options options = {.progress = stop_at_once, .context = &seen};
    rs_error error = RS_ERROR_INIT;
    const char *dump = own_dump("HKLM\\T", "");

    CU_ASSERT_EQUAL(import_text(store, dump, &options, NULL, &error), RS_ECANCELLED);
    CU_ASSERT_EQUAL(error.status, RS_ECANCELLED);
    CU_ASSERT_EQUAL(seen.total, strlen(dump));
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\T"));
    rs_close(store);
}

/* Keys below the mount point are as deep as the store allows. */
static void test_depth(void)
{
    rs_store *store = new_store("s");
    char *dump = malloc(40000);
    size_t at = 0;
    rs_error error = RS_ERROR_INIT;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dump);
    at += (size_t)sprintf(dump, "<hive regstore=\"1\"><node name=\"HKLM\\T\" root=\"1\">");
    for (int i = 0; i < RS_MAX_DEPTH; i++) {
        at += (size_t)sprintf(dump + at, "<node name=\"k\">");
    }
    for (int i = 0; i <= RS_MAX_DEPTH; i++) {
        at += (size_t)sprintf(dump + at, "</node>");
    }
    sprintf(dump + at, "</hive>");
    CU_ASSERT_EQUAL(import_text(store, dump, NULL, NULL, &error), RS_EDEPTH);
    CU_ASSERT_EQUAL(error.line, 1);
    rs_import_options options = {.key = "HKLM"};
    CU_ASSERT_EQUAL(import_text(store, dump, &options, NULL, NULL), RS_OK);
    free(dump);
    rs_close(store);
}

const struct test_suite suite_transfer = {
    "transfer",
    (const struct test_case[]){
        {"where a dump goes", test_mounts},
        {"the report", test_report},
        {"merging", test_merge},
        {"keeping what is set", test_keep},
        {"the same again", test_again},
        {"write times", test_times},
        {"class names", test_classes},
        {"doubles", test_doubles},
        {"many names", test_many_names},
        {"losses", test_losses},
        {"links are not followed", test_links_are_not_followed},
        {"links come and change", test_links_come_and_change},
        {"a failure changes nothing", test_failure_changes_nothing},
        {"files", test_files},
        {"a pipe", test_pipe},
        {"a read transaction", test_read_only},
        {"cancelling", test_cancel},
        {"depth", test_depth},
        {NULL, NULL},
    },
};
