/*
 * test_text.c - buffer, arena, conversions, folding and comparing.
 */
#include "harness.h"
#include "../regstore/text.h"

#include <stdlib.h>
#include <string.h>

#define UNITS 0x10000u

/* ---- Buffer ---- */

static void test_buffer_grows(void)
{
    struct buffer buffer = BUFFER_INIT;

    for (unsigned i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL_FATAL(buffer_append_byte(&buffer, (unsigned char)i), RS_OK);
    }
    CU_ASSERT_EQUAL(buffer.size, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL((unsigned char)buffer.data[i], i & 0xff);
    }
    buffer_free(&buffer);
    CU_ASSERT_PTR_NULL(buffer.data);
    CU_ASSERT_EQUAL(buffer.size, 0);
}

static void test_buffer_texts(void)
{
    struct buffer buffer = BUFFER_INIT;

    CU_ASSERT_EQUAL(buffer_append_text(&buffer, "a"), RS_OK);
    CU_ASSERT_EQUAL(buffer_printf(&buffer, "%d-%s", 42, "b"), RS_OK);
    CU_ASSERT_EQUAL(buffer_append(&buffer, NULL, 0), RS_OK);
    CU_ASSERT_EQUAL(buffer_terminate(&buffer), RS_OK);
    CU_ASSERT_STRING_EQUAL(buffer.data, "a42-b");
    CU_ASSERT_EQUAL(buffer.size, 5);
    buffer_free(&buffer);
    buffer_free(NULL);
}

static void test_buffer_refuses_what_cannot_be(void)
{
    struct buffer buffer = BUFFER_INIT;

    CU_ASSERT_EQUAL(buffer_append_text(&buffer, "kept"), RS_OK);
    CU_ASSERT_EQUAL(buffer_reserve(&buffer, SIZE_MAX), RS_ENOMEM);
    CU_ASSERT_EQUAL(buffer_reserve(&buffer, SIZE_MAX / 2), RS_ENOMEM);
    CU_ASSERT_EQUAL(buffer.size, 4);
    CU_ASSERT_EQUAL(memcmp(buffer.data, "kept", 4), 0);
    buffer_free(&buffer);
}

static void test_buffer_reserve_keeps_content(void)
{
    struct buffer buffer = BUFFER_INIT;

    CU_ASSERT_EQUAL(buffer_reserve(&buffer, 0), RS_OK);
    CU_ASSERT_PTR_NOT_NULL(buffer.data);
    CU_ASSERT_EQUAL(buffer_append_text(&buffer, "kept"), RS_OK);
    CU_ASSERT_EQUAL(buffer_reserve(&buffer, 100000), RS_OK);
    CU_ASSERT_TRUE(buffer.capacity - buffer.size >= 100000);
    CU_ASSERT_EQUAL(memcmp(buffer.data, "kept", 4), 0);
    buffer_free(&buffer);
}

/* ---- Arena ---- */

static void test_arena_aligns_and_separates(void)
{
    struct arena arena = ARENA_INIT;
    unsigned char *pieces[300];

    for (size_t i = 0; i < 300; i++) {
        pieces[i] = arena_alloc(&arena, i * 7);
        CU_ASSERT_PTR_NOT_NULL_FATAL(pieces[i]);
        CU_ASSERT_EQUAL((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)(i & 0xff), i * 7);
    }
    for (size_t i = 0; i < 300; i++) {
        for (size_t j = 0; j < i * 7; j++) {
            CU_ASSERT_EQUAL_FATAL(pieces[i][j], i & 0xff);
        }
    }
    arena_free(&arena);
    CU_ASSERT_PTR_NULL(arena.blocks);
}

static void test_arena_copy_terminates(void)
{
    struct arena arena = ARENA_INIT;
    const char *copy = arena_copy(&arena, "abcd", 3);
    const char *empty = arena_copy(&arena, NULL, 0);

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    CU_ASSERT_STRING_EQUAL(copy, "abc");
    CU_ASSERT_PTR_NOT_NULL_FATAL(empty);
    CU_ASSERT_STRING_EQUAL(empty, "");
    arena_free(&arena);
}

static void test_arena_reset_reuses_one_block(void)
{
    struct arena arena = ARENA_INIT;
    void *first = arena_alloc(&arena, 10);

    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 1000000));
    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 20));
    arena_reset(&arena);
    CU_ASSERT_PTR_EQUAL(arena_alloc(&arena, 10), first);
    arena_reset(&arena);
    CU_ASSERT_PTR_EQUAL(arena_alloc(&arena, 10), first);
    arena_free(&arena);
    arena_reset(&arena); /* with nothing in it */
    CU_ASSERT_PTR_NULL(arena.blocks);
    arena_free(NULL);
}

static void test_arena_reset_drops_large_blocks(void)
{
    struct arena arena = ARENA_INIT;

    CU_ASSERT_PTR_NOT_NULL(arena_alloc(&arena, 1000000));
    arena_reset(&arena);
    CU_ASSERT_PTR_NULL(arena.blocks);
    CU_ASSERT_PTR_NULL(arena_alloc(&arena, SIZE_MAX));
    CU_ASSERT_PTR_NULL(arena_alloc(&arena, SIZE_MAX / 2 + 1));
    CU_ASSERT_PTR_NULL(arena_copy(&arena, "", SIZE_MAX));
    arena_free(&arena);
}

/* ---- Conversions ---- */

/* UTF-16LE of one or two units to WTF-8 and back; the WTF-8's length, or 0 if it does not come
 * back. */
static size_t round_trip(const unsigned char *data, size_t size)
{
    struct buffer text = BUFFER_INIT, back = BUFFER_INIT;
    size_t units = 0, length = 0;

    CU_ASSERT_EQUAL(text_from_utf16(&text, data, size), RS_OK);
    CU_ASSERT_EQUAL(text_units(text.data, text.size, &units), RS_OK);
    CU_ASSERT_EQUAL(text_to_utf16(&back, text.data, text.size), RS_OK);
    if (units * 2 == size && back.size == size && memcmp(back.data, data, size) == 0) {
        length = text.size;
    }
    buffer_free(&text);
    buffer_free(&back);
    return length;
}

static void test_every_unit_comes_back(void)
{
    for (unsigned unit = 0; unit < UNITS; unit++) {
        const unsigned char data[2] = {(unsigned char)(unit & 0xff), (unsigned char)(unit >> 8)};
        const size_t expected = unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;

        CU_ASSERT_EQUAL_FATAL(round_trip(data, 2), expected);
    }
}

static void test_every_plane_comes_back(void)
{
    for (unsigned plane = 1; plane <= 16; plane++) {
        for (unsigned low = 0; low < UNITS; low += 0x3ff) {
            const unsigned code = (plane << 16 | low) - 0x10000;
            const unsigned high = 0xd800 + (code >> 10), trail = 0xdc00 + (code & 0x3ff);
            const unsigned char data[4] = {(unsigned char)(high & 0xff), (unsigned char)(high >> 8),
                                           (unsigned char)(trail & 0xff),
                                           (unsigned char)(trail >> 8)};

            CU_ASSERT_EQUAL_FATAL(round_trip(data, 4), 4);
        }
    }
}

static void test_known_conversions(void)
{
    static const struct {
        const char *text;
        size_t len;
        const char *utf16;
        size_t size;
    } rows[] = {
        {"", 0, "", 0},
        {"aB", 2, "a\0B\0", 4},
        {"a\0b", 3, "a\0\0\0b\0", 6},
        {"\xc3\xa9", 2, "\xe9\0", 2},
        {"\xe2\x82\xac", 3, "\xac\x20", 2},
        {"\xf0\x9f\x98\x80", 4, "\x3d\xd8\x00\xde", 4},
        {"\xed\xa0\xbd", 3, "\x3d\xd8", 2},
        {"\xed\xb8\x80\xed\xa0\xbd", 6, "\x00\xde\x3d\xd8", 4}, /* low before high: no pair */
        {"\xed\xa0\xbd\xed\xa0\xbd", 6, "\x3d\xd8\x3d\xd8", 4},
        {"\xed\xa0\x80\xf0\x90\x80\x80", 7, "\x00\xd8\x00\xd8\x00\xdc", 6},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer to = BUFFER_INIT, from = BUFFER_INIT;

        CU_ASSERT_EQUAL(text_to_utf16(&to, rows[i].text, rows[i].len), RS_OK);
        CU_ASSERT_EQUAL(text_from_utf16(&from, rows[i].utf16, rows[i].size), RS_OK);
        CU_ASSERT_EQUAL_FATAL(to.size, rows[i].size);
        CU_ASSERT_EQUAL_FATAL(from.size, rows[i].len);
        CU_ASSERT_EQUAL(memcmp(to.data, rows[i].utf16, to.size), 0);
        CU_ASSERT_EQUAL(memcmp(from.data, rows[i].text, from.size), 0);
        buffer_free(&to);
        buffer_free(&from);
    }
}

static void test_malformed_text_is_refused(void)
{
    static const char *const malformed[] = {
        "\x80",   /* a following byte alone */
        "z\xbfz", /* the same inside */
        "\xc0\x80",
        "\xc1\xbf", /* overlong in two bytes */
        "\xe0\x80\x80",
        "\xe0\x9f\xbf", /* in three */
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf", /* in four */
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", /* above U+10FFFF */
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff", /* bytes that never occur */
        "\xc3",
        "\xe2\x82",
        "\xf0\x9f\x98", /* cut short at the end */
        "\xc3(",
        "\xe2\x82(",
        "\xf0\x9f\x98(",
        "\xe2(\xac", /* cut short inside */
        "\xc3\xc3\xa9",
        "\xed\xa0\xbd\xed\xb8\x80", /* a pair as two sequences */
        "\xed\xaf\xbf\xed\xbf\xbf",
    };

    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        const size_t len = strlen(malformed[i]);
        struct buffer buffer = BUFFER_INIT;
        char folded[64];
        size_t units = 77, folded_len = 77;

        CU_ASSERT_EQUAL(text_units(malformed[i], len, &units), RS_ETEXT);
        CU_ASSERT_EQUAL(buffer_append_text(&buffer, "xy"), RS_OK);
        CU_ASSERT_EQUAL(text_to_utf16(&buffer, malformed[i], len), RS_ETEXT);
        CU_ASSERT_EQUAL(buffer.size, 2);
        CU_ASSERT_EQUAL(text_fold(malformed[i], len, folded, sizeof folded, &folded_len, &units),
                        RS_ETEXT);
        CU_ASSERT_EQUAL(text_fold(malformed[i], len, folded, 0, &folded_len, &units), RS_ETEXT);
        CU_ASSERT_EQUAL(units, 77);
        CU_ASSERT_EQUAL(folded_len, 77);
        buffer_free(&buffer);
    }
}

static void test_text_does_not_reach_behind_its_length(void)
{
    /* exactly as long as its bytes, so that a sanitizer sees a read behind them */
    char *cut = malloc(2);
    size_t units;

    CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
    memcpy(cut, "\xe2\x82", 2);
    CU_ASSERT_EQUAL(text_units(cut, 2, &units), RS_ETEXT);
    memcpy(cut, "\xc3\xa9", 2);
    CU_ASSERT_EQUAL(text_units(cut, 2, &units), RS_OK);
    CU_ASSERT_EQUAL(units, 1);
    free(cut);
}

static void test_odd_byte_and_end(void)
{
    struct buffer buffer = BUFFER_INIT;

    CU_ASSERT_EQUAL(text_from_utf16(&buffer, "a\0b\0c", 5), RS_OK);
    CU_ASSERT_EQUAL(buffer.size, 2);
    CU_ASSERT_EQUAL(memcmp(buffer.data, "ab", 2), 0);
    buffer_free(&buffer);
    CU_ASSERT_EQUAL(text_utf16_end("a\0b\0\0\0c\0", 8), 4);
    CU_ASSERT_EQUAL(text_utf16_end("a\0b\0c", 5), 4);
    CU_ASSERT_EQUAL(text_utf16_end("\0a\0\0", 4), 2); /* U+6100 has a zero byte, is no NUL */
    CU_ASSERT_EQUAL(text_utf16_end("a\0\0", 3), 2);
    CU_ASSERT_EQUAL(text_utf16_end(NULL, 0), 0);
}

static void test_text_length(void)
{
    CU_ASSERT_EQUAL(text_length("abc", RS_NTS), 3);
    CU_ASSERT_EQUAL(text_length("a\0c", 3), 3);
    CU_ASSERT_EQUAL(text_length("abc", 0), 0);
    CU_ASSERT_EQUAL(text_length(NULL, RS_NTS), 0);
    CU_ASSERT_EQUAL(text_length(NULL, 0), 0);
}

static void test_null_text_is_empty(void)
{
    struct buffer buffer = BUFFER_INIT;
    char folded[1];
    size_t units = 1, len = 1;

    CU_ASSERT_EQUAL(text_units(NULL, 0, &units), RS_OK);
    CU_ASSERT_EQUAL(units, 0);
    CU_ASSERT_EQUAL(text_to_utf16(&buffer, NULL, 0), RS_OK);
    CU_ASSERT_EQUAL(text_from_utf16(&buffer, NULL, 0), RS_OK);
    CU_ASSERT_EQUAL(buffer.size, 0);
    CU_ASSERT_EQUAL(text_fold(NULL, 0, folded, sizeof folded, &len, &units), RS_OK);
    CU_ASSERT_EQUAL(len, 0);
    buffer_free(&buffer);
}

/* ---- Folding ---- */

/* One unit folded; read back from the one to three bytes that it is written in. */
static unsigned folded_unit(unsigned unit)
{
    const unsigned char data[2] = {(unsigned char)(unit & 0xff), (unsigned char)(unit >> 8)};
    struct buffer text = BUFFER_INIT;
    unsigned char out[3];
    size_t len = 0, units = 0;

    CU_ASSERT_EQUAL(text_from_utf16(&text, data, 2), RS_OK);
    CU_ASSERT_EQUAL(text_fold(text.data, text.size, (char *)out, sizeof out, &len, &units), RS_OK);
    CU_ASSERT_EQUAL(units, 1);
    buffer_free(&text);
    if (len == 1) {
        return out[0];
    }
    if (len == 2) {
        return (out[0] & 0x1fu) << 6 | (out[1] & 0x3fu);
    }
    return (out[0] & 0x0fu) << 12 | (out[1] & 0x3fu) << 6 | (out[2] & 0x3fu);
}

static void test_known_foldings(void)
{
    static const struct {
        unsigned unit, folded;
    } rows[] = {
        {0, 0},           {'@', '@'},       {'[', '['},       {'`', '`'},
        {'{', '{'},       {0x7f, 0x7f},     {0xe9, 0xc9}, /* e acute */
        {0xdf, 0xdf},     {0x1e9e, 0x1e9e},               /* sharp s, small and capital */
        {0x17f, 0x17f},   {0x131, 0x131}, /* long s, dotless i: upper is ASCII, does not map back */
        {0x130, 0x130},   {0xb5, 0xb5},   /* I with dot; micro sign: mu maps to another */
        {0xff, 0x178},    {0x3bc, 0x39c}, /* y diaeresis; mu */
        {0x3c2, 0x3c2},   {0x3c3, 0x3a3}, /* final sigma stays, sigma folds */
        {0x1c6, 0x1c4},   {0x1c5, 0x1c5}, /* the digraph dz: small folds, titlecase stays */
        {0x212a, 0x212a}, {0x2126, 0x2126}, /* Kelvin and Ohm signs are capitals */
        {0x430, 0x410},   {0x561, 0x531},   /* Cyrillic, Armenian */
        {0x10d0, 0x1c90}, {0x2d00, 0x10a0}, /* Georgian, two alphabets */
        {0xab70, 0x13a0}, {0x13f8, 0x13f0}, /* Cherokee */
        {0x250, 0x2c6f},  {0x2170, 0x2160}, /* two bytes to three; Roman numeral */
        {0x24d0, 0x24b6}, {0xff41, 0xff21}, /* circled and full-width letters */
        {0x1fb3, 0x1fbc}, {0xfb00, 0xfb00}, /* alpha with iota; a ligature without simple upper */
        {0xd800, 0xd800}, {0xdfff, 0xdfff}, {0xffff, 0xffff},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CU_ASSERT_EQUAL(folded_unit(rows[i].unit), rows[i].folded);
    }
    for (unsigned c = 'a'; c <= 'z'; c++) {
        CU_ASSERT_EQUAL(folded_unit(c), c - 'a' + 'A');
    }
}

/* The reversed CRC-32 of one more byte, as zlib computes it. */
static uint32_t crc_byte(uint32_t crc, unsigned byte)
{
    crc ^= byte & 0xff;
    for (int bit = 0; bit < 8; bit++) {
        crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return crc;
}

static uint32_t crc_unit(uint32_t crc, unsigned unit)
{
    return crc_byte(crc_byte(crc, unit), unit >> 8);
}

static void test_folding_properties_and_version(void)
{
    uint32_t crc = 0xffffffff;

    for (unsigned unit = 0; unit < UNITS; unit++) {
        const unsigned folded = folded_unit(unit);

        CU_ASSERT_EQUAL_FATAL(folded_unit(folded), folded);
        if (folded != unit) {
            CU_ASSERT_FALSE(unit >= 0xd800 && unit <= 0xdfff);
            CU_ASSERT_FALSE(folded >= 0xd800 && folded <= 0xdfff);
            crc = crc_unit(crc_unit(crc, unit), folded);
        }
    }
    /* the version is that of the table that is in use */
    CU_ASSERT_EQUAL(crc ^ 0xffffffff, text_fold_version);
}

/* Every byte value below 0x80 at every place of a word, and behind it. */
static void test_ascii_folds_at_every_place(void)
{
    for (size_t len = 1; len <= 20; len++) {
        for (int c = 0; c < 0x80; c++) {
            char text[20], folded[20], expected[20];
            size_t folded_len, units;

            memset(text, c, len);
            text[len / 2] = 'q';
            memset(expected, c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c, len);
            expected[len / 2] = 'Q';
            CU_ASSERT_EQUAL(text_fold(text, len, folded, len, &folded_len, &units), RS_OK);
            CU_ASSERT_EQUAL(folded_len, len);
            CU_ASSERT_EQUAL(units, len);
            CU_ASSERT_EQUAL_FATAL(memcmp(folded, expected, len), 0);
        }
    }
}

static void test_fold_mixes_and_counts(void)
{
    /* ASCII across a word, two and three bytes, a character beyond the basic plane */
    static const char text[] = "abcdefgh\xc3\xa9ijklmnopq\xe2\x82\xac\xf0\x90\x90\xa8z";
    static const char expected[] = "ABCDEFGH\xc3\x89IJKLMNOPQ\xe2\x82\xac"
                                   "\xed\xa0\x81\xed\xb0\xa8Z";
    char folded[sizeof expected];
    size_t len = 0, units = 0;

    CU_ASSERT_EQUAL(text_fold(text, sizeof text - 1, folded, sizeof folded, &len, &units), RS_OK);
    CU_ASSERT_EQUAL_FATAL(len, sizeof expected - 1);
    CU_ASSERT_EQUAL(memcmp(folded, expected, len), 0);
    CU_ASSERT_EQUAL(units, 22);
}

static void test_fold_capacity(void)
{
    static const char text[] = "abcdefghij\xc9\x90"; /* folds to ten bytes and three */
    char folded[14];
    size_t len = 99, units = 99;

    memset(folded, '#', sizeof folded);
    for (size_t capacity = 0; capacity < 13; capacity++) {
        CU_ASSERT_EQUAL(text_fold(text, 12, folded, capacity, &len, &units), RS_ETOOLONG);
        CU_ASSERT_EQUAL(folded[capacity], '#');
    }
    CU_ASSERT_EQUAL(len, 99);
    CU_ASSERT_EQUAL(text_fold(text, 12, folded, 13, &len, &units), RS_OK);
    CU_ASSERT_EQUAL(len, 13);
    CU_ASSERT_EQUAL(units, 11);
}

/* ---- Order ---- */

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#define NAME_UNITS 6

/* A name, its units folded and the folded form. */
struct sample {
    struct buffer text;
    unsigned folded[NAME_UNITS];
    size_t count;
    char key[NAME_UNITS * 3];
    size_t key_len;
};

/* Few different units, so that names often begin alike, and from all the ranges that matter. */
static void make_sample(struct sample *sample, uint32_t *random)
{
    static const unsigned pool[] = {0,      'a',    'A',    'z',    '_',    0xe9,   0xff,  0x250,
                                    0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff, 0x10d0};
    unsigned char data[NAME_UNITS * 2];
    size_t units;

    sample->text = (struct buffer)BUFFER_INIT;
    sample->count = next_random(random) % (NAME_UNITS + 1);
    for (size_t i = 0; i < sample->count; i++) {
        const unsigned unit = pool[next_random(random) % (sizeof pool / sizeof pool[0])];

        data[2 * i] = (unsigned char)(unit & 0xff);
        data[2 * i + 1] = (unsigned char)(unit >> 8);
        sample->folded[i] = folded_unit(unit);
    }
    CU_ASSERT_EQUAL(text_from_utf16(&sample->text, data, sample->count * 2), RS_OK);
    CU_ASSERT_EQUAL(text_fold(sample->text.data, sample->text.size, sample->key, sizeof sample->key,
                              &sample->key_len, &units),
                    RS_OK);
    CU_ASSERT_EQUAL(units, sample->count);
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static int order_of_units(const struct sample *a, const struct sample *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (a->folded[i] != b->folded[i]) {
            return a->folded[i] < b->folded[i] ? -1 : 1;
        }
    }
    return (a->count > b->count) - (a->count < b->count);
}

static int order_of_keys(const struct sample *a, const struct sample *b)
{
    const size_t shorter = a->key_len < b->key_len ? a->key_len : b->key_len;
    const int order = memcmp(a->key, b->key, shorter);

    return order ? sign(order) : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static void test_byte_order_is_unit_order(void)
{
    uint32_t random = 20260101;
    int equal = 0;

    for (int round = 0; round < 20000; round++) {
        struct sample a, b;
        int expected;

        make_sample(&a, &random);
        make_sample(&b, &random);
        expected = order_of_units(&a, &b);
        CU_ASSERT_EQUAL_FATAL(order_of_keys(&a, &b), expected);
        CU_ASSERT_EQUAL_FATAL(
            sign(text_compare(a.text.data, a.text.size, b.text.data, b.text.size)), expected);
        equal += expected == 0;
        buffer_free(&a.text);
        buffer_free(&b.text);
    }
    CU_ASSERT_TRUE(equal > 0);
}

static void test_compare(void)
{
    CU_ASSERT_EQUAL(text_compare("System", RS_NTS, "SYSTEM", RS_NTS), 0);
    CU_ASSERT_EQUAL(text_compare("\xc3\xa9t\xc3\xa9", RS_NTS, "\xc3\x89T\xc3\x89", RS_NTS), 0);
    CU_ASSERT_TRUE(text_compare("a", 1, "a\0", 2) < 0);
    CU_ASSERT_TRUE(text_compare("_", 1, "a", 1) > 0); /* '_' stands behind 'A' */
    CU_ASSERT_TRUE(text_compare("", 0, "a", 1) < 0);
    CU_ASSERT_EQUAL(text_compare(NULL, 0, "", RS_NTS), 0);
    /* beyond the basic plane stands before U+E000, as its units do */
    CU_ASSERT_TRUE(text_compare("\xf0\x90\x80\x80", RS_NTS, "\xee\x80\x80", RS_NTS) < 0);
}

static void test_compare_puts_invalid_text_last(void)
{
    CU_ASSERT_TRUE(text_compare("\xff", 1, "\xef\xbf\xbf", 3) > 0);
    CU_ASSERT_TRUE(text_compare("zzz", 3, "a\xff", 2) < 0);
    CU_ASSERT_TRUE(text_compare("a\xff", 2, "A\xff", 2) > 0); /* as bytes: case counts */
    CU_ASSERT_EQUAL(text_compare("a\xff", 2, "a\xff", 2), 0);
    CU_ASSERT_TRUE(text_compare("a\xff", 2, "a\xff\x01", 3) < 0);
}

static const struct test_case cases[] = {
    {"a buffer grows", test_buffer_grows},
    {"a buffer takes texts", test_buffer_texts},
    {"a buffer refuses sizes that cannot be", test_buffer_refuses_what_cannot_be},
    {"reserving keeps the content", test_buffer_reserve_keeps_content},
    {"an arena aligns and separates", test_arena_aligns_and_separates},
    {"an arena's copy is terminated", test_arena_copy_terminates},
    {"a reset arena uses its block again", test_arena_reset_reuses_one_block},
    {"a reset arena drops large blocks", test_arena_reset_drops_large_blocks},
    {"every UTF-16 unit comes back", test_every_unit_comes_back},
    {"characters of every plane come back", test_every_plane_comes_back},
    {"known conversions", test_known_conversions},
    {"malformed text is refused", test_malformed_text_is_refused},
    {"nothing is read behind a text", test_text_does_not_reach_behind_its_length},
    {"odd bytes and the end of UTF-16", test_odd_byte_and_end},
    {"lengths of name arguments", test_text_length},
    {"NULL of length 0 is an empty text", test_null_text_is_empty},
    {"known foldings", test_known_foldings},
    {"properties of folding, and its version", test_folding_properties_and_version},
    {"ASCII folds at every place", test_ascii_folds_at_every_place},
    {"folding mixes and counts", test_fold_mixes_and_counts},
    {"folding keeps to its capacity", test_fold_capacity},
    {"byte order of folded names is unit order", test_byte_order_is_unit_order},
    {"comparing", test_compare},
    {"invalid text stands last", test_compare_puts_invalid_text_last},
    {NULL, NULL},
};

const struct test_suite suite_text = {"text", cases};
