/*
 * test_format_regf.c - hives that we write, read through libhivex: nothing is lost, and what could
 * not be read again is refused; damaged hives are refused with the place.
 */
#include "harness.h"
#include "recorder.h"
#include "transfer_helpers.h"
#include "../regstore/format_regf.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct format format_regf;

/* ---- Hives from events ---- */

struct made {
    struct memory_output output;
    struct format_sink *sink;
    rs_error error;
};

static struct made begin_hive(void)
{
    struct made made = {.error = RS_ERROR_INIT};

    memory_output_begin(&made.output);
    return made;
}

static void open_key(struct made *made, const char *name, size_t len, const char *class_name)
{
    struct format_key key = {.name = name,
                             .name_len = len,
                             .class_name = class_name,
                             .class_len = strlen(class_name),
                             .written = 129000000000000001u};

    if (!made->sink) {
        made->output.output.error = &made->error;
        CU_ASSERT_EQUAL_FATAL(format_regf.write_begin(&made->output.output, &made->sink), RS_OK);
        key.absolute = key.root = true;
    }
    CU_ASSERT_EQUAL_FATAL(made->sink->key_begin(made->sink, &key), RS_OK);
}

static void open_named(struct made *made, const char *name)
{
    open_key(made, name, strlen(name), "");
}

static int put_value(struct made *made, const char *name, size_t len, uint32_t type,
                     const void *data, size_t size)
{
    rs_value value = {.name = name, .name_len = len, .type = type, .data = data, .size = size};

    return made->sink->value(made->sink, &value);
}

static void close_keys(struct made *made, size_t count)
{
    while (count-- > 0) {
        CU_ASSERT_EQUAL_FATAL(made->sink->key_end(made->sink), RS_OK);
    }
}

/* What the hive reads back as; the caller frees it and the hive's bytes. */
static char *finish(struct made *made, rs_error *error)
{
    CU_ASSERT_EQUAL_FATAL(format_regf.write_end(made->sink, true), RS_OK);
    return events_as(&format_regf, made->output.bytes.data, made->output.bytes.size, error);
}

static void expect_events(struct made *made, const char *expected)
{
    rs_error error = RS_ERROR_INIT;
    char *events = finish(made, &error);

    CU_ASSERT_STRING_EQUAL(error.text, "");
    CU_ASSERT_STRING_EQUAL(events, expected);
    free(events);
    buffer_free(&made->output.bytes);
}

/* ---- What a hive holds ---- */

#define TIME " written=129000000000000001\n"

static void test_round_trip(void)
{
    struct made made = begin_hive();

    open_key(&made, "HKEY_LOCAL_MACHINE\\Top", 22, "");
    put_value(&made, "", 0, REG_SZ, "a\0\0\0", 4);
    put_value(&made, "gr\xc3\xbcn", 5, 0xffffffffu, "12345", 5);
    put_value(&made, "\xe2\x82\xac", 3, REG_NONE, "", 0);
    put_value(&made, "odd", 3, REG_DWORD, "abc", 3);
    open_key(&made, "\xc3\xa4", 2, "Cl\xc3\xa4ss");
    open_named(&made, "\xf0\x9f\x98\x80");
    close_keys(&made, 3);
    expect_events(&made,
                  "key Top root" TIME "value  type=1 size=4 61000000\n"
                  "value gr%C3%BCn type=4294967295 size=5 3132333435\n"
                  "value %E2%82%AC type=0 size=0 \n"
                  "value odd type=4 size=3 616263\n"
                  "key %C3%A4 class=Cl%C3%A4ss" TIME "key %F0%9F%98%80" TIME "end\nend\nend\n");
}

/* Data at the borders of cells and of pieces comes back, byte for byte. */
static void test_sizes(void)
{
    static const size_t sizes[] = {3,     4,     5,     4056,  4060,  4061,    16343,
                                   16344, 16345, 32688, 32689, 81725, 1000000, 8000000};
    unsigned char *data = malloc(8000000);

    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    for (size_t i = 0; i < 8000000; i++) {
        data[i] = (unsigned char)(i * 7 + i / 251);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct made made = begin_hive();
        struct recorder recorder;
        rs_value value = {.name = "v", .name_len = 1, .data = data, .size = sizes[i]};
        open_named(&made, "t");
        CU_ASSERT_EQUAL(put_value(&made, "v", 1, 0, data, sizes[i]), RS_OK);
        close_keys(&made, 1);
        char *events = finish(&made, NULL);
        recorder_begin(&recorder);
        recorder.sink.value(&recorder.sink, &value);
        buffer_terminate(&recorder.lines);
        CU_ASSERT_PTR_NOT_NULL(strstr(events, recorder.lines.data));
        recorder_free(&recorder);
        free(events);
        buffer_free(&made.output.bytes);
    }
    free(data);
}

static size_t count_lines(const char *events, const char *begin)
{
    size_t count = 0;

    for (const char *line = events; line; line = strchr(line, '\n'), line += line != NULL) {
        count += strncmp(line, begin, strlen(begin)) == 0;
    }
    return count;
}

/* More siblings than one list holds, and a value that is larger than a page of them. */
static void test_many_siblings(void)
{
    static const size_t counts[] = {499, 500, 501, 1001, 20000};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct made made = begin_hive();
        rs_error error = RS_ERROR_INIT;
        char name[32];
        open_named(&made, "t");
        for (size_t number = 0; number < counts[i]; number++) {
            snprintf(name, sizeof name, "KEY%06zu", number);
            open_named(&made, name);
            close_keys(&made, 1);
        }
        close_keys(&made, 1);
        char *events = finish(&made, &error);
        CU_ASSERT_STRING_EQUAL(error.text, "");
        CU_ASSERT_EQUAL(count_lines(events, "key KEY"), counts[i]);
        CU_ASSERT_EQUAL(count_lines(events, "end"), counts[i] + 1);
        free(events);
        buffer_free(&made.output.bytes);
    }
}

static void test_depth(void)
{
    struct made made = begin_hive();

    open_named(&made, "t");
    for (int i = 0; i < RS_MAX_DEPTH; i++) {
        open_named(&made, "n");
    }
    close_keys(&made, RS_MAX_DEPTH + 1);
    char *events = finish(&made, NULL);
    CU_ASSERT_EQUAL(count_lines(events, "key n"), RS_MAX_DEPTH);
    free(events);
    buffer_free(&made.output.bytes);
}

/* A reader of another format can feed the writer. */
static void test_from_xml(void)
{
    const char *dump = foreign_dump("<value type=\"unknown\" encoding=\"base64\" key=\"u\" "
                                    "value=\"AAE=\"/><node name=\"n\"/>");
    struct made made = begin_hive();

    CU_ASSERT_EQUAL_FATAL(format_regf.write_begin(&made.output.output, &made.sink), RS_OK);
    CU_ASSERT_EQUAL(read_memory(dump, strlen(dump), 4096, 4096, made.sink, NULL), RS_OK);
    char *events = finish(&made, NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(events, "value u type=4294967295 size=2 0001\nkey n\n"));
    free(events);
    buffer_free(&made.output.bytes);
}

/* ---- What is refused ---- */

/* Ends a hive that must be refused and gives why; no bytes may have been written. */
static const char *refusal(struct made *made, int expected)
{
    CU_ASSERT_EQUAL(format_regf.write_end(made->sink, true), expected);
    CU_ASSERT_EQUAL(made->output.bytes.size, 0);
    return made->error.text;
}

static void test_unfit_names(void)
{
    struct made made = begin_hive();

    open_named(&made, "HKLM\\T");
    put_value(&made, "x\0y", 3, REG_SZ, "", 0);
    open_key(&made, "a\0", 2, "");
    open_named(&made, "\xed\xa0\x80");
    close_keys(&made, 3);
    CU_ASSERT_STRING_EQUAL(refusal(&made, RS_ENAME),
                           "names with a NUL or a lone surrogate, which a hive cannot hold: "
                           "HKLM\\T: value x\\x00y, HKLM\\T\\a\\x00, "
                           "HKLM\\T\\a\\x00\\\\xed\\xa0\\x80");
}

static void test_many_unfit_names(void)
{
    struct made made = begin_hive();
    char name[3] = "x";

    open_named(&made, "T");
    for (char letter = 'a'; letter < 'a' + 12; letter++) {
        name[0] = letter;
        put_value(&made, name, 2, REG_SZ, "", 0);
    }
    close_keys(&made, 1);
    const char *text = refusal(&made, RS_ENAME);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "12 names have"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "T: value j\\x00 and 2 more"));
    CU_ASSERT_PTR_NULL(strstr(text, "value k"));
}

static void test_large_data(void)
{
    struct made made = begin_hive();
    char *data = calloc(1, REGF_MAX_DATA + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(data);
    open_named(&made, "T");
    CU_ASSERT_EQUAL(put_value(&made, "v", 1, 0, data, REGF_MAX_DATA + 1), RS_ETOOBIG);
    free(data);
    CU_ASSERT_PTR_NOT_NULL(strstr(refusal(&made, RS_ETOOBIG), "T has a value with more bytes"));
}

/* ---- Damaged hives ---- */

/* A hive of a key with a subkey and two values. */
static struct buffer small_hive(void)
{
    struct made made = begin_hive();

    open_named(&made, "top");
    put_value(&made, "one", 3, REG_BINARY, "12345678", 8);
    put_value(&made, "two", 3, REG_BINARY, "12345678", 8);
    open_named(&made, "sub");
    close_keys(&made, 2);
    CU_ASSERT_EQUAL_FATAL(format_regf.write_end(made.sink, true), RS_OK);
    return made.output.bytes;
}

/* The place of a record's mark, the count-th of its kind. */
static unsigned char *find_mark(struct buffer *hive, const char *mark, size_t count)
{
    unsigned char *at = (unsigned char *)hive->data + REGF_BASE;
    unsigned char *end = (unsigned char *)hive->data + hive->size;

    while (at && count-- > 0) {
        at = memmem(at + 1, (size_t)(end - at - 1), mark, 2);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    return at;
}

static void expect_refused(struct buffer *hive, size_t size, const char *text)
{
    rs_error error = RS_ERROR_INIT;
    char *events = events_as(&format_regf, hive->data, size, &error);

    CU_ASSERT_EQUAL(error.status, RS_EFORMAT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, text));
    if (!strstr(error.text, text)) {
        printf("    \"%s\" lacks \"%s\"\n", error.text, text);
    }
    free(events);
    buffer_free(hive);
}

static void test_base_block(void)
{
    struct buffer hive = small_hive();
    expect_refused(&hive, 100, "offset 100: the hive is cut short");
    hive = small_hive();
    hive.data[100] = 1;
    expect_refused(&hive, hive.size, "the base block's checksum is wrong");
    hive = small_hive();
    expect_refused(&hive, hive.size - 4000, "the hive is cut short: it should have 8192 bytes");
    hive = small_hive();
    hive.data[BASE_TYPE] = 6;
    hive.data[BASE_SUM] ^= 6;
    expect_refused(&hive, hive.size, "a transaction log, not a hive");
    hive = small_hive();
    hive.data[BASE_MAJOR] = 2;
    hive.data[BASE_SUM] ^= 1 ^ 2;
    expect_refused(&hive, hive.size, "version 2.5 is not known");
}

/* A hive that leads back to an open key, or to one value by two names. */
static void test_met_twice(void)
{
    struct buffer hive = small_hive();
    unsigned char *list = find_mark(&hive, "lh", 1);
    uint32_t root = regf_get32((unsigned char *)hive.data + BASE_ROOT);

    root = htole32(root);
    memcpy(list + 4, &root, sizeof root);
    expect_refused(&hive, hive.size, "the hive leads here twice");

    hive = small_hive();
    uint32_t values = regf_get32(find_mark(&hive, "nk", 1) + NK_VALUE_LIST);
    char *pair = hive.data + REGF_BASE + values + 4;
    memcpy(pair + 4, pair, 4);
    expect_refused(&hive, hive.size, "the hive leads here twice");
}

static void test_records(void)
{
    struct buffer hive = small_hive();
    find_mark(&hive, "vk", 1)[VK_NAME_SIZE + 1] = 0x40;
    expect_refused(&hive, hive.size, "a name of 16387 bytes in a cell with room for 8");
}

/* It is longer than its cell, or beyond the end. Nothing else depends on it. */
static void test_class_is_damaged(void)
{
    static const unsigned char places[] = {0, 0x7f, 0xfe};
    struct buffer hive = small_hive();
    unsigned char *key = find_mark(&hive, "nk", 2);
    char line[20];

    snprintf(line, sizeof line, "loss %d", RS_LOSS_CLASS);
    key[NK_CLASS_SIZE] = 200;
    for (size_t i = 0; i < sizeof places; i++) {
        memset(key + NK_CLASS, places[i], 4);
        char *events = events_as(&format_regf, hive.data, hive.size, NULL);
        CU_ASSERT_EQUAL(count_lines(events, line), 1);
        CU_ASSERT_EQUAL(count_lines(events, "key sub"), 1);
        free(events);
    }
    buffer_free(&hive);
}

static void test_dirty(void)
{
    struct buffer hive = small_hive();
    char line[20];

    snprintf(line, sizeof line, "loss %d", RS_LOSS_STALE);
    hive.data[BASE_FIRST_SEQUENCE] = 2;
    hive.data[BASE_SUM] ^= 1 ^ 2;
    char *events = events_as(&format_regf, hive.data, hive.size, NULL);
    CU_ASSERT_EQUAL(count_lines(events, line), 1);
    free(events);
    buffer_free(&hive);
}

const struct test_suite suite_format_regf = {
    "format_regf",
    (const struct test_case[]){
        {"what is written is read", test_round_trip},
        {"sizes of data", test_sizes},
        {"many siblings", test_many_siblings},
        {"depth", test_depth},
        {"from XML", test_from_xml},
        {"names that do not fit", test_unfit_names},
        {"many names that do not fit", test_many_unfit_names},
        {"data that is too large", test_large_data},
        {"base block", test_base_block},
        {"met twice", test_met_twice},
        {"records", test_records},
        {"damaged class name", test_class_is_damaged},
        {"dirty", test_dirty},
        {NULL, NULL},
    },
};
