/*
 * fuzz_value.c - fuzz target: data of every type, as text and as bytes.
 *
 * The input is a byte for the type, one for the separator, and what is parsed as text and taken as
 * stored bytes. Text that was parsed and printed parses to the same data; what decodes exactly is
 * encoded to the same bytes. Needs value.
 */
#include "fuzz.h"
#include "../../regstore/value.h"

#include <stdlib.h>
#include <string.h>

static const char *const separators[] = {NULL, ",", "#", "\xe2\x82\xac", "ab", ""};

struct bytes {
    void *data;
    size_t size;
};

static bool same(const struct bytes *a, const struct bytes *b)
{
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* reg.exe's notation does not tell a NUL within a text, the type of a REG_NONE that was given as
 * text, and a list of one empty string. */
static bool has_way_back(uint32_t type, const char *text, size_t len, const struct bytes *parsed)
{
    if (memchr(text, '\0', len) != NULL || type == REG_NONE) {
        return false;
    }
    return type != REG_MULTI_SZ || parsed->size != 4;
}

static void check_text(uint32_t type, const char *text, size_t len, const char *separator)
{
    struct bytes parsed, again;
    char *printed;
    size_t printed_len;
    rs_error error = RS_ERROR_INIT;
    int status = rs_data_parse(type, text, len, separator, &parsed.data, &parsed.size, &error);

    FUZZ_CHECK(status == error.status && rs_status_name(status) != NULL);
    if (status != RS_OK) {
        return;
    }
    FUZZ_CHECK(rs_data_print(type, parsed.data, parsed.size, separator, &printed, &printed_len) ==
               RS_OK);
    FUZZ_CHECK(printed[printed_len] == '\0');
    if (has_way_back(type, text, len, &parsed)) {
        FUZZ_CHECK(rs_data_parse(type, printed, printed_len, separator, &again.data, &again.size,
                                 NULL) == RS_OK);
        FUZZ_CHECK(same(&parsed, &again));
        rs_free(again.data);
    }
    rs_free(parsed.data);
    rs_free(printed);
}

static void encode_number(uint32_t type, uint64_t number, struct buffer *encoded)
{
    unsigned char swapped[4];

    if (type == REG_QWORD) {
        FUZZ_CHECK(value_from_qword(encoded, number) == RS_OK);
        return;
    }
    FUZZ_CHECK(number <= UINT32_MAX);
    FUZZ_CHECK(value_from_dword(encoded, (uint32_t)number) == RS_OK);
    if (type == REG_DWORD_BIG_ENDIAN) {
        for (size_t i = 0; i < 4; i++) {
            swapped[i] = (unsigned char)encoded->data[3 - i];
        }
        memcpy(encoded->data, swapped, 4);
    }
}

static void encode(uint32_t type, const rs_decoded *decoded, struct buffer *encoded)
{
    switch (decoded->kind) {
    case RS_DECODED_NUMBER:
        encode_number(type, decoded->number, encoded);
        break;
    case RS_DECODED_TEXT:
        FUZZ_CHECK(text_to_utf16(encoded, decoded->text.text, decoded->text.len) == RS_OK);
        if (type != REG_LINK) {
            FUZZ_CHECK(buffer_append(encoded, "\0", 2) == RS_OK);
        }
        break;
    case RS_DECODED_LIST:
        for (size_t i = 0; i < decoded->count; i++) {
            FUZZ_CHECK(value_from_text(encoded, decoded->list[i].text, decoded->list[i].len) ==
                       RS_OK);
        }
        FUZZ_CHECK(buffer_append(encoded, "\0", 2) == RS_OK);
        break;
    default:
        FUZZ_CHECK(decoded->kind == RS_DECODED_NONE);
    }
}

static void check_decoding(uint32_t type, const void *data, size_t size)
{
    struct buffer encoded = BUFFER_INIT;
    rs_decoded *decoded;

    FUZZ_CHECK(rs_decode(type, data, size, &decoded) == RS_OK);
    encode(type, decoded, &encoded);
    if (decoded->kind != RS_DECODED_NONE) {
        FUZZ_CHECK(encoded.size == size && memcmp(encoded.data, data, size) == 0);
    }
    rs_free(decoded);
    buffer_free(&encoded);
}

static void check_bytes(uint32_t type, const void *data, size_t size, const char *separator)
{
    struct arena arena = ARENA_INIT;
    const char *const *list;
    const char *text;
    char *printed;
    size_t len;
    uint32_t dword;
    uint64_t qword;

    FUZZ_CHECK(rs_data_print(type, data, size, separator, &printed, &len) == RS_OK);
    rs_free(printed);
    FUZZ_CHECK(rs_status_name(value_to_dword(type, data, size, &dword)) != NULL);
    FUZZ_CHECK(rs_status_name(value_to_qword(type, data, size, &qword)) != NULL);
    if (value_to_text(&arena, type, data, size, &text, &len) == RS_OK) {
        FUZZ_CHECK(text[len] == '\0');
    }
    if (value_to_expanded(&arena, type, data, size, &text, &len) == RS_OK) {
        FUZZ_CHECK(text[len] == '\0');
    }
    if (value_to_list(&arena, type, data, size, &list, &len) == RS_OK) {
        FUZZ_CHECK(list[len] == NULL && len <= size);
    }
    arena_free(&arena);
    check_decoding(type, data, size);
}

static void check_type(const char *name)
{
    uint32_t type, again;

    if (rs_type_parse(name, &type) == RS_OK && rs_type_name(type) != NULL) {
        FUZZ_CHECK(rs_type_parse(rs_type_name(type), &again) == RS_OK && again == type);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint32_t type = fuzz_u8(&input) % 14;
    const char *separator = separators[fuzz_u8(&input) % (sizeof separators / sizeof *separators)];
    struct fuzz_input same_input = input;
    size_t len;
    char *text = fuzz_bytes(&input, size, &len);
    char *name = fuzz_text(&same_input);

    check_text(type, text, len, separator);
    check_bytes(type, text, len, separator);
    check_type(name);
    free(text);
    free(name);
    return 0;
}
