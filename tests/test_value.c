/*
 * test_value.c - the type table, and typed data decoded and encoded.
 */
#include "harness.h"
#include "../regstore/value.h"

#include <stdlib.h>
#include <string.h>

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
/* Bytes and their number, of a string literal. */
#define BYTES(literal) literal, sizeof(literal) - 1

/* ---- Types ---- */

static void test_type_names(void)
{
#define CHECK_TYPE(name, number)                                                                   \
    do {                                                                                           \
        uint32_t parsed = 999;                                                                     \
        CU_ASSERT_PTR_NOT_NULL_FATAL(rs_type_name(number));                                        \
        CU_ASSERT_STRING_EQUAL(rs_type_name(number), #name);                                       \
        CU_ASSERT_EQUAL(rs_type_parse(#name, &parsed), RS_OK);                                     \
        CU_ASSERT_EQUAL(parsed, number);                                                           \
    } while (0);
    RS_TYPE_LIST(CHECK_TYPE)
#undef CHECK_TYPE
    CU_ASSERT_PTR_NULL(rs_type_name(12));
    CU_ASSERT_PTR_NULL(rs_type_name(0xffffffff));
}

static void test_type_spellings(void)
{
    static const struct {
        const char *text;
        uint32_t type;
    } rows[] = {{"reg_EXpand_sz", REG_EXPAND_SZ},
                {"REG_DWORD_LITTLE_ENDIAN", REG_DWORD},
                {"0", 0},
                {"11", 11},
                {"0012", 12},
                {"0x20000", 0x20000},
                {"0XfF", 0xff},
                {"REG_0x20000", 0x20000},
                {"reg_0X7f", 0x7f},
                {"4294967295", 0xffffffff},
                {"0x00000000ffffffff", 0xffffffff}};

    for (size_t i = 0; i < ROWS(rows); i++) {
        uint32_t type = 999;

        CU_ASSERT_EQUAL(rs_type_parse(rows[i].text, &type), RS_OK);
        CU_ASSERT_EQUAL(type, rows[i].type);
    }
}

static void test_type_refusals(void)
{
    static const char *const refused[] = {
        "",       "REG",     "REG_", "DWORD",  "REG_DWORD ", " REG_DWORD",
        "REG_12", "-1",      "+1",   " 1",     "1 ",         "0x",
        "REG_0x", "0x12g",   "12ab", "REG_0y", "4294967296", "0x100000000",
        "1e3",    "REG_0x ", "0x-1", "0x+1",   "0x0x1",      "99999999999999999999999999",
    };

    for (size_t i = 0; i < ROWS(refused); i++) {
        uint32_t type = 999;

        CU_ASSERT_EQUAL(rs_type_parse(refused[i], &type), RS_EINVAL);
        CU_ASSERT_EQUAL(type, 999);
    }
    CU_ASSERT_EQUAL(rs_type_parse(NULL, NULL), RS_EINVAL);
    CU_ASSERT_TRUE(value_is_string(REG_SZ) && value_is_string(REG_EXPAND_SZ) &&
                   value_is_string(REG_LINK));
    CU_ASSERT_FALSE(value_is_string(REG_MULTI_SZ) || value_is_string(REG_NONE) ||
                    value_is_string(0xffffffff));
}

/* ---- Decoding ---- */

static void test_numbers(void)
{
    uint32_t dword = 5;
    uint64_t qword = 5;

    CU_ASSERT_EQUAL(value_to_dword(REG_DWORD, "\x01\x02\x03\xff", 4, &dword), RS_OK);
    CU_ASSERT_EQUAL(dword, 0xff030201);
    CU_ASSERT_EQUAL(value_to_dword(REG_DWORD_BIG_ENDIAN, "\x01\x02\x03\xff", 4, &dword), RS_OK);
    CU_ASSERT_EQUAL(dword, 0x010203ff);
    CU_ASSERT_EQUAL(value_to_dword(REG_DWORD, "\x01\x02\x03", 3, &dword), RS_EDATA);
    CU_ASSERT_EQUAL(value_to_dword(REG_DWORD, "\x01\x02\x03\x04\x05", 5, &dword), RS_EDATA);
    CU_ASSERT_EQUAL(value_to_dword(REG_BINARY, "\x01\x02\x03\x04", 4, &dword), RS_ETYPE);
    CU_ASSERT_EQUAL(dword, 0x010203ff);
    CU_ASSERT_EQUAL(value_to_qword(REG_QWORD, "\x01\0\0\0\0\0\0\x80", 8, &qword), RS_OK);
    CU_ASSERT_EQUAL(qword, UINT64_C(0x8000000000000001));
    CU_ASSERT_EQUAL(value_to_qword(REG_QWORD, "\x01\0\0\0", 4, &qword), RS_EDATA);
    CU_ASSERT_EQUAL(value_to_qword(REG_DWORD, "\x01\0\0\0", 4, &qword), RS_ETYPE);
    CU_ASSERT_EQUAL(qword, UINT64_C(0x8000000000000001));
}

static void test_encoded_numbers(void)
{
    struct buffer buffer = BUFFER_INIT;

    CU_ASSERT_EQUAL(value_from_dword(&buffer, 0xff030201), RS_OK);
    CU_ASSERT_EQUAL(value_from_qword(&buffer, UINT64_C(0x8000000000000001)), RS_OK);
    CU_ASSERT_EQUAL_FATAL(buffer.size, 12);
    CU_ASSERT_EQUAL(memcmp(buffer.data, "\x01\x02\x03\xff\x01\0\0\0\0\0\0\x80", 12), 0);
    buffer_free(&buffer);
}

static void test_texts_are_read_tolerantly(void)
{
    static const struct {
        const char *data;
        size_t size;
        const char *text;
    } rows[] = {
        {BYTES("a\0b\0\0\0"), "ab"},         {BYTES("a\0b\0"), "ab"}, {BYTES("a\0b"), "a"},
        {BYTES("a\0\0\0b\0\0\0"), "a"},      {BYTES(""), ""},         {BYTES("a"), ""},
        {BYTES("\x3d\xd8"), "\xed\xa0\xbd"},
    };
    struct arena arena = ARENA_INIT;
    const char *text = "kept";
    size_t len = 4;

    for (size_t i = 0; i < ROWS(rows); i++) {
        CU_ASSERT_EQUAL_FATAL(
            value_to_text(&arena, REG_SZ, rows[i].data, rows[i].size, &text, &len), RS_OK);
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
        CU_ASSERT_EQUAL(len, strlen(rows[i].text));
    }
    CU_ASSERT_EQUAL(value_to_text(&arena, REG_EXPAND_SZ, "%\0P\0%\0", 6, &text, &len), RS_OK);
    CU_ASSERT_STRING_EQUAL(text, "%P%");
    CU_ASSERT_EQUAL(value_to_text(&arena, REG_MULTI_SZ, "", 0, &text, &len), RS_ETYPE);
    CU_ASSERT_EQUAL(value_to_text(&arena, REG_LINK, "", 0, &text, &len), RS_ETYPE);
    CU_ASSERT_STRING_EQUAL(text, "%P%");
    arena_free(&arena);
}

static void check_expanded(uint32_t type, const char *raw, const char *expected)
{
    struct buffer data = BUFFER_INIT;
    struct arena arena = ARENA_INIT;
    const char *text = NULL;
    size_t len = 0;

    CU_ASSERT_EQUAL(value_from_text(&data, raw, strlen(raw)), RS_OK);
    CU_ASSERT_EQUAL_FATAL(value_to_expanded(&arena, type, data.data, data.size, &text, &len),
                          RS_OK);
    CU_ASSERT_STRING_EQUAL(text, expected);
    CU_ASSERT_EQUAL(len, strlen(expected));
    arena_free(&arena);
    buffer_free(&data);
}

static void test_variables_are_replaced(void)
{
    setenv("RS_T", "value", 1);
    setenv("RS_EMPTY", "", 1);
    setenv("RS_BAD", "\xff", 1);
    unsetenv("RS_NO");
    check_expanded(REG_EXPAND_SZ, "", "");
    check_expanded(REG_EXPAND_SZ, "none", "none");
    check_expanded(REG_EXPAND_SZ, "%RS_T%", "value");
    check_expanded(REG_EXPAND_SZ, "a%RS_T%b%RS_T%c", "avaluebvaluec");
    check_expanded(REG_EXPAND_SZ, "%RS_EMPTY%|", "|");
    check_expanded(REG_EXPAND_SZ, "%RS_NO%", "%RS_NO%");
    check_expanded(REG_EXPAND_SZ, "%RS_BAD%", "%RS_BAD%");
    check_expanded(REG_EXPAND_SZ, "100% of %RS_T%", "100% of value");
    check_expanded(REG_EXPAND_SZ, "%RS_T", "%RS_T");
    check_expanded(REG_EXPAND_SZ, "%%", "%%");
    check_expanded(REG_EXPAND_SZ, "%", "%");
    check_expanded(REG_EXPAND_SZ, "%=%RS_T%", "%=value");
    check_expanded(REG_SZ, "%RS_T%", "%RS_T%");
}

static void test_expansion_refusals(void)
{
    struct arena arena = ARENA_INIT;
    struct buffer raw = BUFFER_INIT, data = BUFFER_INIT;
    char *large = malloc(100001);
    const char *text = NULL;
    size_t len = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, 'x', 100000);
    large[100000] = '\0';
    setenv("RS_L", large, 1);
    free(large);
    for (int i = 0; i < 200; i++) {
        CU_ASSERT_EQUAL(buffer_append_text(&raw, "%RS_L%"), RS_OK);
    }
    CU_ASSERT_EQUAL(value_from_text(&data, raw.data, raw.size), RS_OK);
    CU_ASSERT_EQUAL(value_to_expanded(&arena, REG_EXPAND_SZ, data.data, data.size, &text, &len),
                    RS_EDATA);
    CU_ASSERT_EQUAL(value_to_expanded(&arena, REG_BINARY, "", 0, &text, &len), RS_ETYPE);
    CU_ASSERT_PTR_NULL(text);
    unsetenv("RS_L");
    buffer_free(&raw);
    buffer_free(&data);
    arena_free(&arena);
}

/* ---- Lists ---- */

/* Lists as data, as strings (each followed by a '|'), and whether the data is their canonical
 * form. */
static const struct {
    const char *data;
    size_t size;
    const char *strings;
    bool exact;
} lists[] = {
    {BYTES("\0\0"), "", true},
    {BYTES(""), "", false},
    {BYTES("\0"), "", false},
    {BYTES("\0\0\0"), "", false},
    {BYTES("a\0\0\0b\0c\0\0\0\0\0"), "a|bc|", true},
    {BYTES("a\0\0\0b\0c\0\0\0"), "a|bc|", false},
    {BYTES("a\0\0\0b\0c\0"), "a|bc|", false},
    {BYTES("a\0\0\0b\0c\0\0\0\0\0\x07"), "a|bc|", false},
    {BYTES("a\0\0\0\0\0"), "a|", true},
    {BYTES("a\0"), "a|", false},
    {BYTES("\0\0\0\0"), "|", true},
    {BYTES("a\0\0\0\0\0b\0\0\0\0\0"), "a||b|", true}, /* as in KB Q307765 */
    {BYTES("\0\0a\0\0\0\0\0"), "|a|", true},
    {BYTES("a\0\0\0\0\0\0\0"), "a||", true},
    {BYTES("\xe9\0\0\0\0\xd8\0\0\0\0"), "\xc3\xa9|\xed\xa0\x80|", true},
};

static void test_lists_are_read(void)
{
    for (size_t i = 0; i < ROWS(lists); i++) {
        struct arena arena = ARENA_INIT;
        struct buffer joined = BUFFER_INIT;
        const char *const *strings = NULL;
        size_t count = 0;

        CU_ASSERT_EQUAL_FATAL(
            value_to_list(&arena, REG_MULTI_SZ, lists[i].data, lists[i].size, &strings, &count),
            RS_OK);
        for (size_t j = 0; j < count; j++) {
            CU_ASSERT_EQUAL(buffer_printf(&joined, "%s|", strings[j]), RS_OK);
        }
        CU_ASSERT_PTR_NULL(strings[count]);
        CU_ASSERT_EQUAL(buffer_terminate(&joined), RS_OK);
        CU_ASSERT_STRING_EQUAL(joined.data, lists[i].strings);
        buffer_free(&joined);

        CU_ASSERT_EQUAL(value_from_list(&joined, strings, count), RS_OK);
        CU_ASSERT_EQUAL(joined.size == lists[i].size &&
                            memcmp(joined.data, lists[i].data, joined.size) == 0,
                        lists[i].exact);
        buffer_free(&joined);
        arena_free(&arena);
    }
}

static void test_list_refusals(void)
{
    static const char *const bad[] = {"good", "\xff"};
    struct arena arena = ARENA_INIT;
    struct buffer buffer = BUFFER_INIT;
    const char *const *strings = NULL;
    size_t count = 99;

    CU_ASSERT_EQUAL(value_to_list(&arena, REG_SZ, "", 0, &strings, &count), RS_ETYPE);
    CU_ASSERT_PTR_NULL(strings);
    CU_ASSERT_EQUAL(count, 99);
    CU_ASSERT_EQUAL(buffer_append_text(&buffer, "xy"), RS_OK);
    CU_ASSERT_EQUAL(value_from_list(&buffer, bad, 2), RS_ETEXT);
    CU_ASSERT_EQUAL(value_from_text(&buffer, "\xff", 1), RS_ETEXT);
    CU_ASSERT_EQUAL(buffer.size, 2);
    buffer_free(&buffer);
    arena_free(&arena);
}

/* ---- Exact decoding ---- */

static void encode_number(struct buffer *buffer, uint32_t type, uint64_t number)
{
    int status = RS_OK;

    if (type == REG_DWORD) {
        status = value_from_dword(buffer, (uint32_t)number);
    } else if (type == REG_QWORD) {
        status = value_from_qword(buffer, number);
    } else {
        status = value_from_dword(buffer, __builtin_bswap32((uint32_t)number));
    }
    CU_ASSERT_EQUAL(status, RS_OK);
}

static void encode_text(struct buffer *buffer, bool terminated, rs_text text)
{
    CU_ASSERT_EQUAL(text.text[text.len], '\0');
    CU_ASSERT_EQUAL(text_to_utf16(buffer, text.text, text.len), RS_OK);
    if (terminated) {
        CU_ASSERT_EQUAL(buffer_append(buffer, "\0", 2), RS_OK);
    }
}

/* The bytes that a decoding stands for. */
static void encode(struct buffer *buffer, uint32_t type, const rs_decoded *decoded)
{
    if (decoded->kind == RS_DECODED_NUMBER) {
        encode_number(buffer, type, decoded->number);
    }
    if (decoded->kind == RS_DECODED_TEXT) {
        encode_text(buffer, type != REG_LINK, decoded->text);
    }
    if (decoded->kind == RS_DECODED_LIST) {
        for (size_t i = 0; i < decoded->count; i++) {
            encode_text(buffer, true, decoded->list[i]);
        }
        CU_ASSERT_EQUAL(buffer_append(buffer, "\0", 2), RS_OK);
    }
}

static enum rs_decoded_kind check_decode(uint32_t type, const char *data, size_t size)
{
    rs_decoded *decoded = NULL;
    struct buffer buffer = BUFFER_INIT;
    enum rs_decoded_kind kind;

    CU_ASSERT_EQUAL_FATAL(rs_decode(type, data, size, &decoded), RS_OK);
    kind = decoded->kind;
    if (kind != RS_DECODED_NONE) {
        encode(&buffer, type, decoded);
        CU_ASSERT_TRUE(buffer.size == size && (size == 0 || memcmp(buffer.data, data, size) == 0));
    }
    buffer_free(&buffer);
    free(decoded);
    return kind;
}

static void test_decode(void)
{
    static const struct {
        uint32_t type;
        const char *data;
        size_t size;
        enum rs_decoded_kind kind;
    } rows[] = {
        {REG_DWORD, BYTES("\x01\x02\x03\x04"), RS_DECODED_NUMBER},
        {REG_DWORD_BIG_ENDIAN, BYTES("\x01\x02\x03\x04"), RS_DECODED_NUMBER},
        {REG_QWORD, BYTES("\x01\x02\x03\x04\x05\x06\x07\xff"), RS_DECODED_NUMBER},
        {REG_DWORD, BYTES("\x01\x02\x03"), RS_DECODED_NONE},
        {REG_QWORD, BYTES("\x01\x02\x03\x04"), RS_DECODED_NONE},
        {REG_DWORD, BYTES(""), RS_DECODED_NONE},
        {REG_SZ, BYTES("a\0\0\0"), RS_DECODED_TEXT},
        {REG_EXPAND_SZ, BYTES("\0\0"), RS_DECODED_TEXT},
        {REG_SZ, BYTES("a\0\0\0b\0\0\0"), RS_DECODED_TEXT}, /* with a NUL inside */
        {REG_SZ, BYTES("\x3d\xd8\0\0"), RS_DECODED_TEXT},   /* a lone surrogate */
        {REG_SZ, BYTES("a\0"), RS_DECODED_NONE},
        {REG_SZ, BYTES("a\0\0"), RS_DECODED_NONE},
        {REG_SZ, BYTES(""), RS_DECODED_NONE},
        {REG_LINK, BYTES("a\0"), RS_DECODED_TEXT},
        {REG_LINK, BYTES(""), RS_DECODED_TEXT},
        {REG_LINK, BYTES("a\0\0\0"), RS_DECODED_NONE},
        {REG_LINK, BYTES("a"), RS_DECODED_NONE},
        {REG_NONE, BYTES("a\0\0\0"), RS_DECODED_NONE},
        {REG_BINARY, BYTES("abcd"), RS_DECODED_NONE},
        {0xffffffff, BYTES("abcd"), RS_DECODED_NONE},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        CU_ASSERT_EQUAL(check_decode(rows[i].type, rows[i].data, rows[i].size), rows[i].kind);
    }
    for (size_t i = 0; i < ROWS(lists); i++) {
        CU_ASSERT_EQUAL(check_decode(REG_MULTI_SZ, lists[i].data, lists[i].size),
                        lists[i].exact ? RS_DECODED_LIST : RS_DECODED_NONE);
    }
    CU_ASSERT_EQUAL(rs_decode(REG_SZ, NULL, 2, NULL), RS_EINVAL);
    CU_ASSERT_EQUAL(check_decode(REG_BINARY, NULL, 0), RS_DECODED_NONE);
}

/* All data of up to three units of {NUL, 'a'} and an odd byte, of every string type. */
static void test_decoding_is_exact_or_none(void)
{
    static const uint32_t types[] = {REG_SZ, REG_EXPAND_SZ, REG_LINK, REG_MULTI_SZ};

    for (size_t i = 0; i < ROWS(types); i++) {
        for (size_t size = 0; size <= 9; size++) {
            for (unsigned bits = 0; bits < 16; bits++) {
                char data[10] = {0};

                for (size_t unit = 0; unit < 4; unit++) {
                    data[unit * 2] = bits >> unit & 1 ? 'a' : '\0';
                }
                (void)check_decode(types[i], data, size);
            }
        }
    }
}

static void test_decoded_fields(void)
{
    rs_decoded *decoded = NULL;

    CU_ASSERT_EQUAL_FATAL(rs_decode(REG_DWORD_BIG_ENDIAN, "\0\0\x01\x02", 4, &decoded), RS_OK);
    CU_ASSERT_EQUAL(decoded->number, 0x102);
    free(decoded);
    CU_ASSERT_EQUAL_FATAL(rs_decode(REG_SZ, "a\0\0\0b\0\0\0", 8, &decoded), RS_OK);
    CU_ASSERT_EQUAL(decoded->text.len, 3);
    CU_ASSERT_EQUAL(memcmp(decoded->text.text, "a\0b", 4), 0);
    free(decoded);
    CU_ASSERT_EQUAL_FATAL(rs_decode(REG_MULTI_SZ, "a\0\0\0\0\0b\0\0\0\0", 12, &decoded), RS_OK);
    CU_ASSERT_EQUAL_FATAL(decoded->count, 3);
    CU_ASSERT_STRING_EQUAL(decoded->list[0].text, "a");
    CU_ASSERT_EQUAL(decoded->list[1].len, 0);
    CU_ASSERT_STRING_EQUAL(decoded->list[2].text, "b");
    free(decoded);
}

static const struct test_case cases[] = {
    {"names of types", test_type_names},
    {"spellings of types", test_type_spellings},
    {"what is no type", test_type_refusals},
    {"numbers", test_numbers},
    {"numbers encoded", test_encoded_numbers},
    {"texts are read tolerantly", test_texts_are_read_tolerantly},
    {"variables are replaced", test_variables_are_replaced},
    {"what is not expanded", test_expansion_refusals},
    {"lists", test_lists_are_read},
    {"lists that are refused", test_list_refusals},
    {"exact decoding", test_decode},
    {"decoding is exact or none", test_decoding_is_exact_or_none},
    {"what a decoding holds", test_decoded_fields},
    {NULL, NULL},
};

const struct test_suite suite_value = {"value", cases};
