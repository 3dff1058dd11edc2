/*
 * test_format_pol.c - Registry.pol: records and directives as events, malformed files, and what
 * comes of them in a store.
 */
#include "harness.h"
#include "recorder.h"
#include "transfer_helpers.h"
#include "../regstore/format_pol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define MOST_RECORDS 6

/* ---- Files from text ---- */

static void put_number(struct buffer *file, uint32_t number)
{
    number = htole32(number);
    buffer_append(file, &number, sizeof number);
}

static void put_text(struct buffer *file, const char *text, size_t len)
{
    CU_ASSERT_EQUAL_FATAL(text_to_utf16(file, text, len), RS_OK);
}

static void put_name(struct buffer *file, const char *text, size_t len)
{
    put_text(file, text, len);
    buffer_append(file, "\0\0", 2);
}

/* A record from "key;name;type;data", where data are hexadecimal digits, or a text after "'". */
static void put_record(struct buffer *file, const char *text)
{
    const char *name = strchr(text, ';') + 1;
    const char *type = strchr(name, ';') + 1;
    const char *data = strchr(type, ';') + 1;
    struct buffer bytes = BUFFER_INIT;
    unsigned byte;

    if (*data == '\'') {
        put_name(&bytes, data + 1, strlen(data + 1));
    }
    for (; sscanf(data, "%2x", &byte) == 1; data += 2) {
        buffer_append_byte(&bytes, (unsigned char)byte);
    }
    put_text(file, "[", 1);
    put_name(file, text, (size_t)(name - 1 - text));
    put_text(file, ";", 1);
    put_name(file, name, (size_t)(type - 1 - name));
    put_text(file, ";", 1);
    put_number(file, (uint32_t)strtoul(type, NULL, 10));
    put_text(file, ";", 1);
    put_number(file, (uint32_t)bytes.size);
    put_text(file, ";", 1);
    buffer_append(file, bytes.data, bytes.size);
    put_text(file, "]", 1);
    buffer_free(&bytes);
}

static struct buffer pol_of(const char *const *records)
{
    struct buffer file = BUFFER_INIT;

    buffer_append_text(&file, POL_SIGNATURE);
    put_number(&file, 1);
    for (size_t i = 0; i < MOST_RECORDS && records[i]; i++) {
        put_record(&file, records[i]);
    }
    return file;
}

/* ---- Events ---- */

static const struct {
    const char *records[MOST_RECORDS];
    const char *events;
} meanings[] = {
    {{NULL}, ""},
    {{"A\\B;v;4;01000000"}, "key A\\B\nvalue v type=4 size=4 01000000\nend\n"},
    {{"A;v;4;01000000", "A;w;1;'x", "a;w;3;00"},
     "key A\nvalue v type=4 size=4 01000000\nvalue w type=1 size=4 78000000\nend\n"
     "key a\nvalue w type=3 size=1 00\nend\n"},
    {{"A;;1;'d"}, "key A\nvalue  type=1 size=4 64000000\nend\n"},
    {{"A;;0;"}, "key A\nend\n"},
    {{"A;v;1;"}, "key A\nloss 6 v\nend\n"},
    {{"A;v;4294967295;aa"}, "key A\nvalue v type=4294967295 size=1 aa\nend\n"},
    {{"A;**del.v;1;' "}, "key A if-there\ndelete-value v\nend\n"},
    {{"A;**Del.;1;' "}, "key A if-there\ndelete-value \nend\n"},
    {{"A;**DelVals.;1;' ", "A;**Del.v;1;' ", "A;v;4;00000000", "A;**delvals;1;' "},
     "key A if-there\ndelete-values\ndelete-value v\nend\n"
     "key A\nvalue v type=4 size=4 00000000\ndelete-values\nend\n"},
    {{"A;**DeleteValues;1;'a; b c ;;d;"},
     "key A if-there\ndelete-value a\ndelete-value b%20c\ndelete-value d\nend\n"},
    {{"A;v;3;00", "A;**DeleteKeys;1;'k;l\\m"},
     "key A\nvalue v type=3 size=1 00\nend\ndelete-key A\\k\ndelete-key A\\l\\m\n"},
    {{"A;**DeleteKeys ;1;'k"}, "delete-key A\\k\n"},
    {{"A;**DeleteKeys;1;"}, ""},
    {{"A;**soft.v;4;02000000"}, "key A\nadd-value v type=4 size=4 02000000\nend\n"},
    {{"A;**soft.v;4;"}, "left-out 6 A value **soft.v\n"},
    {{"A;v;3;00", "A;**SecureKey;4;01000000", "A;w;3;00"},
     "key A\nvalue v type=3 size=1 00\nend\nleft-out 9 A\nkey A\nvalue w type=3 size=1 00\nend\n"},
    {{"A;**DelValsX;1;' ", "A;**Command;1;'x"},
     "left-out 6 A value **DelValsX\nleft-out 6 A value **Command\n"},
    {{"A;**;3;00", "A;*v;3;01"},
     "key A\nvalue ** type=3 size=1 00\nvalue *v type=3 size=1 01\nend\n"},
    {{"\xed\xa0\x80;\xe4\xbd\xa0;3;00"}, "key %ED%A0%80\nvalue %E4%BD%A0 type=3 size=1 00\nend\n"},
};

static void test_meanings(void)
{
    for (size_t i = 0; i < ROWS(meanings); i++) {
        struct buffer file = pol_of(meanings[i].records);
        rs_error error = RS_ERROR_INIT;
        char *events = events_as(&format_pol, file.data, file.size, &error);

        CU_ASSERT_STRING_EQUAL(error.text, "");
        CU_ASSERT_STRING_EQUAL(events, meanings[i].events);
        if (strcmp(events, meanings[i].events) != 0) {
            printf("\nrow %zu:\n%s", i, events);
        }
        free(events);
        buffer_free(&file);
    }
}

/* Bytes may come one at a time, and data may be longer than what is read at once. */
static void test_steps(void)
{
    static const char *const records[MOST_RECORDS] = {"A;v;4;01000000", "B;**DelVals.;1;' "};
    struct buffer file = pol_of(records);
    struct recorder recorder;
    size_t long_data = 200000;

    put_record(&file, "A;long;3;");
    file.size -= 8; /* size, ";" and "]" again */
    put_number(&file, (uint32_t)long_data);
    put_text(&file, ";", 1);
    for (size_t i = 0; i < long_data; i++) {
        buffer_append_byte(&file, (unsigned char)i);
    }
    put_text(&file, "]", 1);
    char *whole = events_as(&format_pol, file.data, file.size, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(whole, "value long type=3 size=200000 #"));
    for (size_t step = 1; step < 8; step++) {
        recorder_begin(&recorder);
        CU_ASSERT_EQUAL(
            read_memory_as(&format_pol, file.data, file.size, step, &recorder.sink, NULL), RS_OK);
        buffer_terminate(&recorder.lines);
        CU_ASSERT_STRING_EQUAL(recorder.lines.data, whole);
        recorder_free(&recorder);
    }
    free(whole);
    buffer_free(&file);
}

/* ---- Malformed files ---- */

/* Cut anywhere but between two records, a file is refused, and nothing past the cut is told. */
static void test_cuts(void)
{
    static const char *const records[MOST_RECORDS] = {"A\\B;v;4;01000000", "A;**Del.w;1;' "};
    struct buffer file = pol_of(records);
    size_t first_end = 8;

    for (size_t size = 8; size < file.size; size++) {
        if (memcmp(file.data + size - 2, "]", 2) == 0) {
            first_end = size;
        }
    }
    for (size_t size = 0; size < file.size; size++) {
        rs_error error = RS_ERROR_INIT;
        char *events = events_as(&format_pol, file.data, size, &error);
        bool between = size == 8 || size == first_end;

        CU_ASSERT_EQUAL(error.status, between ? RS_OK : RS_EFORMAT);
        CU_ASSERT_EQUAL(error.offset, between ? 0 : size);
        CU_ASSERT(between || strstr(error.text, "the file ends in the middle") != NULL);
        free(events);
    }
    buffer_free(&file);
}

/* One byte of a record changed: where, to what, and what is said. */
static const struct {
    size_t at;
    unsigned char byte;
    int status;
    uint64_t offset;
    const char *text;
} changes[] = {
    {0, 'R', RS_EFORMAT, 0, "dump: offset 0: not a Registry.pol file"},
    {4, 2, RS_EFORMAT, 4, "dump: offset 4: a version other than 1"},
    {7, 1, RS_EFORMAT, 4, "dump: offset 4: a version other than 1"},
    {8, '(', RS_EFORMAT, 8, "dump: offset 8: no '[' where a record begins"},
    {9, 1, RS_EFORMAT, 8, "dump: offset 8: no '[' where a record begins"},
    {14, ',', RS_EFORMAT, 14, "dump: offset 14: no ';' after the key"},
    {20, ',', RS_EFORMAT, 20, "dump: offset 20: no ';' after the value's name"},
    {26, ',', RS_EFORMAT, 26, "dump: offset 26: no ';' after the type"},
    {28, 5, RS_EFORMAT, 38, "dump: offset 38: the file ends in the middle"},
    {28, 1, RS_EFORMAT, 35, "dump: offset 35: no ']' where a record ends"},
    {31, 1, RS_ETOOBIG, 28, "dump: offset 28: more data than a value may have"},
    {32, ':', RS_EFORMAT, 32, "dump: offset 32: no ';' after the size"},
    {37, '[', RS_EFORMAT, 36, "dump: offset 36: no ']' where a record ends"},
    {10, 0, RS_EFORMAT, 12, "dump: offset 12: no ';' after the key"},
};

static void test_changes(void)
{
    static const char *const records[MOST_RECORDS] = {"A;v;3;0102"};

    for (size_t i = 0; i < ROWS(changes); i++) {
        struct buffer file = pol_of(records);
        rs_error error = RS_ERROR_INIT;

        CU_ASSERT_FATAL(changes[i].at < file.size);
        file.data[changes[i].at] = (char)changes[i].byte;
        free(events_as(&format_pol, file.data, file.size, &error));
        CU_ASSERT_EQUAL(error.status, changes[i].status);
        CU_ASSERT_EQUAL(error.offset, changes[i].offset);
        CU_ASSERT_STRING_EQUAL(error.text, changes[i].text);
        buffer_free(&file);
    }
}

static void expect_refusal(struct buffer *file, int status, const char *text)
{
    rs_error error = RS_ERROR_INIT;

    free(events_as(&format_pol, file->data, file->size, &error));
    CU_ASSERT_EQUAL(error.status, status);
    CU_ASSERT_STRING_EQUAL(error.text, text);
    buffer_free(file);
}

static void test_limits(void)
{
    static const char *const none[MOST_RECORDS];
    static const char *const nameless[MOST_RECORDS] = {";v;3;00"};
    struct buffer file = pol_of(none);
    size_t key = (size_t)(RS_MAX_KEY_NAME + 1) * (RS_MAX_DEPTH + 1);

    put_text(&file, "[", 1);
    for (size_t i = 0; i <= key; i++) {
        put_text(&file, "k", 1);
    }
    expect_refusal(&file, RS_ETOOLONG, "dump: offset 10: the key's path is too long");

    file = pol_of(none);
    put_text(&file, "[", 1);
    put_name(&file, "k", 1);
    put_text(&file, ";", 1);
    for (size_t i = 0; i <= RS_MAX_VALUE_NAME + 32; i++) {
        put_text(&file, "v", 1);
    }
    expect_refusal(&file, RS_ETOOLONG, "dump: offset 16: the value's name is too long");

    file = pol_of(nameless);
    expect_refusal(&file, RS_EFORMAT, "dump: offset 8: a record without a key");
}

/* ---- In a store ---- */

static int import_records(rs_store *store, const char *const *records,
                          const rs_import_options *options, rs_import_report *report,
                          rs_error *error)
{
    struct buffer file = pol_of(records);
    const char *path = write_bytes("Registry.pol", file.data, file.size);

    buffer_free(&file);
    return import_file(store, path, options, report, error);
}

static void test_store(void)
{
    static const char *const records[MOST_RECORDS] = {"Policies\\P;new;4;07000000",
                                                      "Policies\\P;**soft.old;4;09000000",
                                                      "Policies\\P;**DeleteKeys;1;'gone;never",
                                                      "Nothing\\here;**Del.v;1;' ",
                                                      "Nothing\\here;**DelVals.;1;' ",
                                                      "Policies\\P;**SecureKey;4;01000000"};
    rs_store *store = new_store("s");
    rs_import_options options = {.key = "HKLM\\SOFTWARE"};
    rs_import_report report;

    set_dword(store, "HKLM\\SOFTWARE\\Policies\\P", "old", 1);
    set_dword(store, "HKLM\\SOFTWARE\\Policies\\P\\gone\\deep", "v", 1);
    CU_ASSERT_EQUAL(import_records(store, records, &options, &report, NULL), RS_OK);
    CU_ASSERT_STRING_EQUAL(report.format, "pol");
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\SOFTWARE\\Policies\\P", "new"), 7);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\SOFTWARE\\Policies\\P", "old"), 1);
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\SOFTWARE\\Policies\\P\\gone"));
    CU_ASSERT_FALSE(key_exists(store, "HKLM\\SOFTWARE\\Nothing"));
    CU_ASSERT_EQUAL(report.keys_deleted, 2);
    CU_ASSERT_EQUAL(report.values_deleted, 1);
    CU_ASSERT_EQUAL(report.values_added, 1);
    CU_ASSERT_EQUAL(report.values_kept, 1);
    CU_ASSERT_EQUAL(report.losses, 1);
    CU_ASSERT_EQUAL(report.foreign, 0);
    rs_close(store);
}

/* Who keeps what is there keeps it from deletions, too. */
static void test_keeping(void)
{
    static const char *const records[MOST_RECORDS] = {"P;**DelVals.;1;' ", "P;**Del.old;1;' ",
                                                      "P;new;4;07000000"};
    rs_store *store = new_store("s");
    rs_import_options options = {.key = "HKLM", .flags = RS_KEEP};
    rs_import_report report;

    set_dword(store, "HKLM\\P", "old", 1);
    CU_ASSERT_EQUAL(import_records(store, records, &options, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\P", "old"), 1);
    CU_ASSERT_EQUAL(dword_of(store, "HKLM\\P", "new"), 7);
    CU_ASSERT_EQUAL(report.values_deleted, 0);
    rs_close(store);
}

/* What is left out is told with the path that it would have had. */
static void keep_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    char *text = context;
    snprintf(text, 200, "%d %s %s", (int)kind, path, value ? value : "-");
}

static void test_places(void)
{
    static const char *const secure[MOST_RECORDS] = {"A;**SecureKey;4;01000000"};
    static const char *const two[MOST_RECORDS] = {"A;v;3;00", "B\\\\C;v;3;00"};
    rs_store *store = new_store("s");
    char told[200] = "";
    rs_import_options options = {.key = "HKCU", .loss = keep_loss, .context = told};
    rs_import_report report;
    rs_error error = RS_ERROR_INIT;

    CU_ASSERT_EQUAL(import_records(store, two, NULL, NULL, &error), RS_EPATH);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "does not say where it belongs: name a key"));
    CU_ASSERT_EQUAL(import_records(store, secure, &options, &report, NULL), RS_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "9 HKEY_USERS\\"));
    CU_ASSERT_PTR_NOT_NULL(strstr(told, "\\A -"));
    CU_ASSERT_FALSE(key_exists(store, "HKCU\\A"));
    error = (rs_error)RS_ERROR_INIT;
    CU_ASSERT_NOT_EQUAL(import_records(store, two, &options, NULL, &error), RS_OK);
    CU_ASSERT_EQUAL(error.offset, 37);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "Registry.pol: offset 37: "));
    CU_ASSERT_FALSE(key_exists(store, "HKCU\\A"));
    options.flags = RS_REPLACE;
    CU_ASSERT_EQUAL(import_records(store, secure, &options, NULL, NULL), RS_EINVAL);
    rs_close(store);
}

const struct test_suite suite_format_pol = {
    "format_pol",
    (const struct test_case[]){
        {"what records mean", test_meanings},
        {"bytes come in steps", test_steps},
        {"cut at each byte", test_cuts},
        {"a byte changed", test_changes},
        {"limits", test_limits},
        {"in a store", test_store},
        {"what is kept", test_keeping},
        {"places of failures and losses", test_places},
        {NULL, NULL},
    },
};
