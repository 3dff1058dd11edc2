/*
 * test_record.c - records written and read back, and records that are not what they claim to be.
 */
#include "harness.h"
#include "../regstore/tree_node.h"

#include <stdlib.h>
#include <string.h>

#define WRITES(call) CU_ASSERT_EQUAL_FATAL((call), RS_OK)

/* One record with everything in it. */
static void write_sample(struct buffer *buffer)
{
    WRITES(record_put_u8(buffer, 0xfe));
    WRITES(record_put_u32(buffer, 0xfedcba98));
    WRITES(record_put_u64(buffer, UINT64_C(0xfedcba9876543210)));
    WRITES(record_put_bytes(buffer, "a\0b", 3));
    WRITES(record_put_bytes(buffer, NULL, 0));
}

/* Reads it; gives record_end(). */
static int read_sample(const void *data, size_t size)
{
    struct record record;
    size_t len;
    record_begin(&record, data, size);
    record_u8(&record);
    record_u32(&record);
    record_u64(&record);
    record_bytes(&record, &len);
    record_bytes(&record, &len);
    return record_end(&record);
}

static void reads_what_was_written(void)
{
    struct buffer buffer = BUFFER_INIT;
    struct record record;
    size_t len;
    write_sample(&buffer);
    record_begin(&record, buffer.data, buffer.size);
    CU_ASSERT_EQUAL(record_u8(&record), 0xfe);
    CU_ASSERT_EQUAL(record_u32(&record), 0xfedcba98);
    CU_ASSERT_EQUAL(record_u64(&record), UINT64_C(0xfedcba9876543210));
    const char *text = record_bytes(&record, &len);
    CU_ASSERT_EQUAL_FATAL(len, 3);
    CU_ASSERT_EQUAL(memcmp(text, "a\0b", len), 0);
    CU_ASSERT_EQUAL(text[len], '\0');
    text = record_bytes(&record, &len);
    CU_ASSERT_EQUAL(len, 0);
    CU_ASSERT_STRING_EQUAL(text, "");
    CU_ASSERT_EQUAL(record_end(&record), RS_OK);
    buffer_free(&buffer);
}

/* The files of a store are read on machines of either byte order. */
static void numbers_are_little_endian(void)
{
    struct buffer buffer = BUFFER_INIT;
    WRITES(record_put_u32(&buffer, 0x04030201));
    WRITES(record_put_u64(&buffer, UINT64_C(0x0807060504030201)));
    CU_ASSERT_EQUAL(buffer.size, 12);
    CU_ASSERT_EQUAL(memcmp(buffer.data, "\1\2\3\4\1\2\3\4\5\6\7\10", 12), 0);
    buffer_free(&buffer);
}

/* Each copy has exactly its bytes in a block of its own, so that a sanitizer sees a byte too many.
 */
static void every_shorter_record_is_damaged(void)
{
    struct buffer whole = BUFFER_INIT;
    write_sample(&whole);
    CU_ASSERT_EQUAL(read_sample(whole.data, whole.size), RS_OK);
    for (size_t size = 0; size < whole.size; size++) {
        struct buffer part = BUFFER_INIT;
        WRITES(buffer_append(&part, whole.data, size));
        CU_ASSERT_EQUAL(read_sample(part.data, size), RS_EDAMAGED);
        buffer_free(&part);
    }
    buffer_free(&whole);
}

static void a_byte_left_over_is_damage(void)
{
    struct buffer buffer = BUFFER_INIT;
    write_sample(&buffer);
    WRITES(record_put_u8(&buffer, 0));
    CU_ASSERT_EQUAL(read_sample(buffer.data, buffer.size), RS_EDAMAGED);
    buffer_free(&buffer);
}

static void lengths_beyond_the_end_are_damage(void)
{
    static const uint32_t lengths[] = {2, 3, 100, 0x7fffffff, 0xfffffffe, 0xffffffff};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct buffer buffer = BUFFER_INIT;
        struct record record;
        size_t len = 7;
        WRITES(record_put_u32(&buffer, lengths[i]));
        WRITES(buffer_append(&buffer, "x", 2));
        record_begin(&record, buffer.data, buffer.size);
        CU_ASSERT_STRING_EQUAL(record_bytes(&record, &len), "");
        CU_ASSERT_EQUAL(len, 0);
        CU_ASSERT_EQUAL(record_end(&record), RS_EDAMAGED);
        buffer_free(&buffer);
    }
}

static void a_text_without_its_nul_is_damage(void)
{
    struct record record;
    size_t len;
    record_begin(&record, "\1\0\0\0xy", 6);
    CU_ASSERT_STRING_EQUAL(record_bytes(&record, &len), "");
    CU_ASSERT_EQUAL(record_end(&record), RS_EDAMAGED);
}

/* Nothing that comes after the damage is believed. */
static void damage_stays(void)
{
    struct record record;
    record_begin(&record, "\1\2", 2);
    CU_ASSERT_EQUAL(record_u32(&record), 0);
    CU_ASSERT_EQUAL(record_u8(&record), 0);
    CU_ASSERT_EQUAL(record_u64(&record), 0);
    CU_ASSERT_EQUAL(record_end(&record), RS_EDAMAGED);
}

/* ---- The record of a value, which is read at one go ---- */

#define NAME_LENGTH_AT 8
#define NAME_NUL_AT 16
#define DATA_LENGTH_AT 17
#define VALUE_SIZE 25 /* "Name", three bytes */

static void write_value(struct buffer *buffer)
{
    WRITES(record_put_u32(buffer, 7));
    WRITES(record_put_u32(buffer, REG_BINARY));
    WRITES(record_put_bytes(buffer, "Name", 4));
    WRITES(record_put_bytes(buffer, "\1\2\3", 3));
    CU_ASSERT_EQUAL_FATAL(buffer->size, VALUE_SIZE);
}

/* Of a copy in a block of its size, so that a sanitizer sees a byte too many. */
static int decode_copy(const char *data, size_t size)
{
    struct value_record value;
    char *copy = malloc(size > 0 ? size : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, data, size);
    int status = value_decode((struct slice){copy, size}, &value);
    free(copy);
    return status;
}

static void a_value_is_read_as_it_was_written(void)
{
    struct buffer buffer = BUFFER_INIT;
    struct value_record value = {0};
    write_value(&buffer);
    CU_ASSERT_EQUAL_FATAL(value_decode((struct slice){buffer.data, buffer.size}, &value), RS_OK);
    CU_ASSERT_EQUAL(value.position, 7);
    CU_ASSERT_EQUAL(value.value.type, REG_BINARY);
    CU_ASSERT_EQUAL(value.value.name_len, 4);
    CU_ASSERT_STRING_EQUAL(value.value.name, "Name");
    CU_ASSERT_EQUAL(value.value.size, 3);
    CU_ASSERT_EQUAL(memcmp(value.value.data, "\1\2\3", 3), 0);
    buffer_free(&buffer);
}

static void a_value_fills_its_record(void)
{
    struct buffer buffer = BUFFER_INIT;
    write_value(&buffer);
    CU_ASSERT_EQUAL(decode_copy(buffer.data, VALUE_SIZE), RS_OK);
    for (size_t size = 0; size < VALUE_SIZE; size++) {
        CU_ASSERT_EQUAL(decode_copy(buffer.data, size), RS_EDAMAGED);
    }
    WRITES(record_put_u8(&buffer, 0));
    CU_ASSERT_EQUAL(decode_copy(buffer.data, VALUE_SIZE + 1), RS_EDAMAGED);
    buffer_free(&buffer);
}

static void wrong_lengths_of_a_value_are_damage(void)
{
    static const uint32_t lengths[] = {0, 1, 2, 5, 7, 8, 100, 0x7fffffff, 0xfffffffe, 0xffffffff};
    static const size_t places[] = {NAME_LENGTH_AT, DATA_LENGTH_AT};
    for (size_t i = 0; i < 2 * sizeof lengths / sizeof *lengths; i++) {
        struct buffer buffer = BUFFER_INIT;
        uint32_t length = htole32(lengths[i / 2]);
        write_value(&buffer);
        memcpy(buffer.data + places[i % 2], &length, sizeof length);
        CU_ASSERT_EQUAL(decode_copy(buffer.data, VALUE_SIZE), RS_EDAMAGED);
        buffer_free(&buffer);
    }
}

static void a_value_without_a_nul_is_damage(void)
{
    static const size_t places[] = {NAME_NUL_AT, VALUE_SIZE - 1};
    for (size_t i = 0; i < 2; i++) {
        struct buffer buffer = BUFFER_INIT;
        write_value(&buffer);
        buffer.data[places[i]] = 'x';
        CU_ASSERT_EQUAL(decode_copy(buffer.data, VALUE_SIZE), RS_EDAMAGED);
        buffer_free(&buffer);
    }
}

static const struct test_case cases[] = {
    {"reads what was written", reads_what_was_written},
    {"numbers are little-endian", numbers_are_little_endian},
    {"every shorter record is damaged", every_shorter_record_is_damaged},
    {"a byte left over is damage", a_byte_left_over_is_damage},
    {"lengths beyond the end are damage", lengths_beyond_the_end_are_damage},
    {"a text without its NUL is damage", a_text_without_its_nul_is_damage},
    {"damage stays", damage_stays},
    {"a value is read as it was written", a_value_is_read_as_it_was_written},
    {"a value fills its record", a_value_fills_its_record},
    {"wrong lengths of a value are damage", wrong_lengths_of_a_value_are_damage},
    {"a value without a NUL is damage", a_value_without_a_nul_is_damage},
    {NULL, NULL},
};
const struct test_suite suite_record = {"record", cases};
