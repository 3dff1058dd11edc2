/*
 * test_format_reg_write.c - .reg files that are written: regedit's form, the exact one, patches,
 * and what is told that the file does not hold.
 */
#include "harness.h"
#include "recorder.h"
#include "transfer_helpers.h"
#include "../regstore/format_reg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define HEADER REG_HEADER "\n\n[HKEY_USERS\\k]\n"
#define BOM "\xef\xbb\xbf"

/* An output that also counts what it is told. */
struct counting_output {
    struct memory_output memory; /* the first member */
    unsigned losses;
    char value[64]; /* the last one that was told */
};

static void count_loss(struct format_output *output, enum rs_loss_kind kind, const char *path,
                       size_t path_len, const char *value, size_t value_len)
{
    struct counting_output *counting = (struct counting_output *)output;

    CU_ASSERT_EQUAL(kind, RS_LOSS_CUT);
    counting->losses++;
    snprintf(counting->value, sizeof counting->value, "%.*s:%.*s", (int)path_len, path,
             (int)value_len, value);
}

static struct format_sink *begin(const struct format *format, bool exact,
                                 struct counting_output *output)
{
    struct format_sink *sink;

    memory_output_begin(&output->memory);
    output->losses = 0;
    output->memory.output.loss = count_loss;
    output->memory.output.exact = exact;
    CU_ASSERT_EQUAL_FATAL(format->write_begin(&output->memory.output, &sink), RS_OK);
    return sink;
}

/* Ends the file; its text as UTF-8 with LF, which the caller frees. */
static char *end(const struct format *format, struct format_sink *sink,
                 struct counting_output *output)
{
    struct buffer text = BUFFER_INIT;
    struct buffer *bytes = &output->memory.bytes;
    char *out;

    CU_ASSERT_EQUAL_FATAL(format->write_end(sink, true), RS_OK);
    if (format == &format_reg) {
        CU_ASSERT_EQUAL_FATAL(text_from_utf16(&text, bytes->data, bytes->size), RS_OK);
    } else {
        buffer_append(&text, bytes->data, bytes->size);
    }
    buffer_terminate(&text);
    out = text.data;
    for (char *at = text.data; *at; at++) {
        if (*at != '\r') {
            *out++ = *at;
        }
    }
    *out = '\0';
    buffer_free(bytes);
    return text.data;
}

static char *one_value(const struct format *format, const rs_value *value,
                       struct counting_output *output)
{
    const struct format_key key = {.name = "HKEY_USERS\\k", .name_len = 12, .absolute = true};
    struct format_sink *sink = begin(format, false, output);

    sink->key_begin(sink, &key);
    sink->value(sink, value);
    sink->key_end(sink);
    return end(format, sink, output);
}

/* ---- Values ---- */

#define TEXT(bytes) bytes, sizeof bytes - 1

/* A value's line in both forms; NULL: the same. */
static const struct {
    const char *name;
    size_t name_len;
    uint32_t type;
    const char *data;
    size_t size;
    const char *regedit;
    const char *exact;
    unsigned losses;
} rows[] = {
    {TEXT(""), REG_SZ, TEXT("a\0\0\0"), "@=\"a\"", NULL, 0},
    {TEXT("a\"\\\n\r"), REG_SZ, TEXT("\"\0\\\0\0\0"), "\"a\\\"\\\\\\n\\r\"=\"\\\"\\\\\"", NULL, 0},
    {TEXT("a\0b"), REG_DWORD, TEXT("\1\0\0\0"), "\"a\\0b\"=dword:00000001;exact", NULL, 0},
    {TEXT("v"), REG_SZ, TEXT(""), "\"v\"=\"\"", "\"v\"=\"\";exact", 0},
    {TEXT("v"), REG_SZ, TEXT("a\0"), "\"v\"=\"a\"", "\"v\"=\"a\";exact", 0},
    {TEXT("v"), REG_SZ, TEXT("a\0b"), "\"v\"=\"a\"", "\"v\"=hex(1):61,00,62;exact", 1},
    {TEXT("v"), REG_SZ, TEXT("a\0\0\0\0\0"), "\"v\"=\"a\"", "\"v\"=hex(1):61,00,00,00,00,00", 0},
    {TEXT("v"), REG_SZ, TEXT("a\0\0\0b\0\0\0"), "\"v\"=\"a\"",
     "\"v\"=hex(1):61,00,00,00,62,00,00,00", 1},
    {TEXT("v"), REG_SZ, TEXT("\0\0b\0"), "\"v\"=\"\"", "\"v\"=hex(1):00,00,62,00;exact", 1},
    {TEXT("v"), REG_SZ, TEXT("a\0\n\0\0\0"), "\"v\"=hex(1):61,00,0a,00,00,00", NULL, 0},
    {TEXT("v"), REG_SZ, TEXT("\0\xd8\0\0"), "\"v\"=\"\xed\xa0\x80\"", "\"v\"=hex(1):00,d8,00,00",
     0},
    {TEXT("v"), REG_SZ, TEXT("\0\xd7\0\0"), "\"v\"=\"\xed\x9c\x80\"", NULL, 0},
    {TEXT("v"), REG_EXPAND_SZ, TEXT("%\0"), "\"v\"=hex(2):25,00", "\"v\"=hex(2):25,00;exact", 0},
    {TEXT("v"), REG_MULTI_SZ, TEXT(""), "\"v\"=hex(7):", NULL, 0},
    {TEXT("v"), REG_BINARY, TEXT("\xff"), "\"v\"=hex:ff", NULL, 0},
    {TEXT("v"), REG_NONE, TEXT("\1\2"), "\"v\"=hex(0):01,02", NULL, 0},
    {TEXT("v"), REG_DWORD, TEXT("\1\2"), "\"v\"=hex(4):01,02", NULL, 0},
    {TEXT("v"), REG_LINK, TEXT("a\0"), "\"v\"=hex(6):61,00", NULL, 0},
    {TEXT("v"), 0xffffffff, TEXT("\1"), "\"v\"=hex(ffffffff):01", NULL, 0},
};

static void check_row(size_t i, const struct format *format, bool exact)
{
    const rs_value value = {.name = rows[i].name,
                            .name_len = rows[i].name_len,
                            .type = rows[i].type,
                            .data = rows[i].data,
                            .size = rows[i].size};
    struct counting_output output;
    char expected[300];
    char *text = one_value(format, &value, &output);
    const char *line = exact && rows[i].exact ? rows[i].exact : rows[i].regedit;

    snprintf(expected, sizeof expected, "%s" HEADER "%s\n%s", exact ? "" : BOM, line,
             exact ? "" : "\n");
    CU_ASSERT_STRING_EQUAL(text, expected);
    if (strcmp(text, expected) != 0) {
        printf("\n%s\nnot\n%s\n", text, expected);
    }
    CU_ASSERT_EQUAL(output.losses, exact ? 0 : rows[i].losses);
    free(text);
}

static void test_values(void)
{
    for (size_t i = 0; i < ROWS(rows); i++) {
        check_row(i, &format_reg, false);
        check_row(i, &format_reg_utf8, true);
    }
}

/* Lines of bytes end after the column that regedit ends them after, however long the name is. */
static void test_columns(void)
{
    static const char zeros[90];
    char name[100];

    memset(name, 'n', sizeof name);
    for (size_t len = 1; len < sizeof name; len++) {
        const rs_value value = {
            .name = name, .name_len = len, .type = REG_BINARY, .data = zeros, .size = sizeof zeros};
        struct counting_output output;
        char *text = one_value(&format_reg_utf8, &value, &output);
        const char *line = strstr(text, "\"n");
        size_t first = strcspn(line, "\n");
        size_t head = len + 7; /* "":= and hex */
        size_t count = head + 3 >= 77 ? 1 : (77 - head + 2) / 3;

        CU_ASSERT_EQUAL(first, head + 3 * count + 1);
        line += first + 1;
        CU_ASSERT_EQUAL(strcspn(line, "\n"), 2 + 25 * 3 + 1);
        free(text);
    }
}

/* ---- Keys and patches ---- */

static int begin_key(struct format_sink *sink, const char *name, size_t len, bool absolute)
{
    const struct format_key key = {.name = name, .name_len = len, .absolute = absolute};

    return sink->key_begin(sink, &key);
}

static void test_keys(void)
{
    struct counting_output output;
    struct format_sink *sink = begin(&format_reg, false, &output);

    begin_key(sink, "HKEY_USERS\\a", 12, true);
    begin_key(sink, "b]", 2, false);
    begin_key(sink, "c\0%\n", 4, false);
    sink->key_end(sink);
    sink->key_end(sink);
    begin_key(sink, "d", 1, false);
    sink->key_end(sink);
    sink->key_end(sink);
    char *text = end(&format_reg, sink, &output);
    CU_ASSERT_STRING_EQUAL(text, BOM REG_HEADER "\n\n[HKEY_USERS\\a]\n\n[HKEY_USERS\\a\\b]]\n\n"
                                                "[*HKEY_USERS\\a\\b]\\c%00%25%0A]\n\n"
                                                "[HKEY_USERS\\a\\d]\n\n");
    free(text);
}

static void test_patch(void)
{
    const struct format_key gone = {.name = "HKEY_USERS\\g", .name_len = 12, .absolute = true};
    const rs_value value = {.name = "v", .name_len = 1, .type = REG_SZ, .data = "a\0", .size = 2};
    struct counting_output output;
    struct format_sink *sink = begin(&format_reg, true, &output);

    sink->key_delete(sink, &gone);
    begin_key(sink, "HKEY_USERS\\a", 12, true);
    sink->value_delete(sink, "x", 1);
    sink->value_delete(sink, "", 0);
    sink->value_delete(sink, "y\0", 2);
    sink->value(sink, &value);
    sink->key_end(sink);
    char *text = end(&format_reg, sink, &output);
    CU_ASSERT_STRING_EQUAL(text, BOM REG_HEADER "\n\n[-HKEY_USERS\\g]\n\n[HKEY_USERS\\a]\n\"x\"=-\n"
                                                "@=-\n\"y\\0\"=-;exact\n\"v\"=\"a\";exact\n\n");
    free(text);
}

/* ---- From a store ---- */

static void on_loss(void *context, enum rs_loss_kind kind, const char *path, const char *value)
{
    CU_ASSERT_EQUAL(kind, RS_LOSS_CUT);
    CU_ASSERT_STRING_EQUAL(path, "HKEY_CURRENT_USER\\T");
    CU_ASSERT_STRING_EQUAL(value, "cut");
    ++*(unsigned *)context;
}

/* The key has the name that the caller gives it, what is cut is told, and the exact form brings the
 * same back. */
static void test_export(void)
{
    rs_store *store = new_store("s");
    unsigned losses = 0;
    rs_export_options options = {.flags = RS_OVERWRITE,
                                 .loss = on_loss,
                                 .context = &losses,
                                 .name = "HKEY_CURRENT_USER\\T",
                                 .name_len = RS_NTS};
    rs_txn *txn;
    rs_key key;
    rs_import_report report;

    CU_ASSERT_EQUAL_FATAL(rs_begin(store, RS_WRITE, &txn), RS_OK);
    CU_ASSERT_EQUAL(rs_key_create(txn, RS_NO_KEY, "HKCU\\T", &key), RS_OK);
    CU_ASSERT_EQUAL(rs_value_set(txn, key, "cut", REG_SZ, "a\0\0\0b", 6), RS_OK);
    CU_ASSERT_EQUAL(rs_value_set(txn, key, "open", REG_SZ, "a", 2), RS_OK);
    CU_ASSERT_EQUAL(rs_export(txn, key, scratch_path("a.reg"), &options, NULL), RS_OK);
    CU_ASSERT_EQUAL(losses, 1);
    options.format = "reg-utf8";
    CU_ASSERT_EQUAL(rs_export(txn, key, scratch_path("b.reg"), &options, NULL), RS_OK);
    CU_ASSERT_EQUAL(losses, 1);
    CU_ASSERT_EQUAL(rs_commit(txn, NULL), RS_OK);
    CU_ASSERT_EQUAL(import_file(store, scratch_path("b.reg"), NULL, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(report.values_same, 2);
    CU_ASSERT_PTR_NULL(report.key);
    CU_ASSERT_EQUAL(import_file(store, scratch_path("a.reg"), NULL, &report, NULL), RS_OK);
    CU_ASSERT_EQUAL(report.values_changed, 2);
    rs_close(store);
}

const struct test_suite suite_format_reg_write = {
    "format_reg_write",
    (const struct test_case[]){
        {"values", test_values},
        {"columns", test_columns},
        {"keys", test_keys},
        {"a patch", test_patch},
        {"an export", test_export},
        {NULL, NULL},
    },
};
