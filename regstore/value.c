/*
 * value.c - the type table, and typed data encoded and decoded.
 *
 * Needs text. Two kinds of decoding: the value_to_ calls are for programs that want a setting and
 * are as tolerant as Windows programs are (a missing terminator, an odd last byte, data behind a
 * string's end); rs_decode() is for printing and comparing and tells only what is exact. Numbers
 * are little-endian but for REG_DWORD_BIG_ENDIAN.
 */
#include "value.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- Types ---- */

static const char *const type_names[] = {
#define TYPE_NAME(name, number) [number] = #name,
    RS_TYPE_LIST(TYPE_NAME)
#undef TYPE_NAME
};
#define TYPE_COUNT (sizeof type_names / sizeof type_names[0])

const char *rs_type_name(uint32_t type)
{
    return type < TYPE_COUNT ? type_names[type] : NULL;
}

bool value_is_string(uint32_t type)
{
    return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_LINK;
}

/* Only digits, unlike strtoul(): no blanks, no sign. */
static bool parse_type_number(const char *text, uint32_t *type)
{
    const bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    const char *end = digits + strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");
    unsigned long long number;

    if (end == digits || *end) {
        return false;
    }
    number = strtoull(digits, NULL, hex ? 16 : 10); /* ULLONG_MAX when it is more */
    if (number > UINT32_MAX) {
        return false;
    }
    *type = (uint32_t)number;
    return true;
}

int rs_type_parse(const char *text, uint32_t *type)
{
    static const char nameless[] = "REG_0x"; /* how a type without a name is printed */

    if (!text || !type) {
        return RS_EINVAL;
    }
    for (uint32_t i = 0; i < TYPE_COUNT; i++) {
        if (strcasecmp(text, type_names[i]) == 0) {
            *type = i;
            return RS_OK;
        }
    }
    if (strcasecmp(text, "REG_DWORD_LITTLE_ENDIAN") == 0) {
        *type = REG_DWORD;
        return RS_OK;
    }
    if (strncasecmp(text, nameless, sizeof nameless - 1) == 0) {
        text += strlen("REG_");
    }
    return parse_type_number(text, type) ? RS_OK : RS_EINVAL;
}

/* ---- Numbers ---- */

static int append_number(struct buffer *buffer, uint64_t number, size_t size)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(number >> (8 * i) & 0xff);
    }
    return buffer_append(buffer, bytes, size);
}

int value_to_dword(uint32_t type, const void *data, size_t size, uint32_t *number)
{
    uint32_t stored;

    if (type != REG_DWORD && type != REG_DWORD_BIG_ENDIAN) {
        return RS_ETYPE;
    }
    if (size != sizeof stored) {
        return RS_EDATA;
    }
    memcpy(&stored, data, sizeof stored);
    *number = type == REG_DWORD ? le32toh(stored) : be32toh(stored);
    return RS_OK;
}

int value_to_qword(uint32_t type, const void *data, size_t size, uint64_t *number)
{
    uint64_t stored;

    if (type != REG_QWORD) {
        return RS_ETYPE;
    }
    if (size != sizeof stored) {
        return RS_EDATA;
    }
    memcpy(&stored, data, sizeof stored);
    *number = le64toh(stored);
    return RS_OK;
}

int value_from_dword(struct buffer *buffer, uint32_t number)
{
    return append_number(buffer, number, 4);
}

int value_from_qword(struct buffer *buffer, uint64_t number)
{
    return append_number(buffer, number, 8);
}

/* ---- Texts ---- */

/* The content of a buffer as a text in the arena; the buffer is freed. */
static int move_to_arena(struct arena *arena, struct buffer *buffer, const char **text, size_t *len)
{
    char *copy = arena_copy(arena, buffer->data, buffer->size);

    if (copy) {
        *text = copy;
        *len = buffer->size;
    }
    buffer_free(buffer);
    return copy ? RS_OK : RS_ENOMEM;
}

int value_to_text(struct arena *arena, uint32_t type, const void *data, size_t size,
                  const char **text, size_t *len)
{
    struct buffer buffer = BUFFER_INIT;

    if (type != REG_SZ && type != REG_EXPAND_SZ) {
        return RS_ETYPE;
    }
    if (text_from_utf16(&buffer, data, text_utf16_end(data, size)) != RS_OK) {
        buffer_free(&buffer);
        return RS_ENOMEM;
    }
    return move_to_arena(arena, &buffer, text, len);
}

/* The environment's value for a name; NULL if it has none that is text. */
static int find_variable(const char *name, size_t len, const char **value)
{
    char *copy = strndup(name, len);
    const char *found;
    size_t units;

    if (!copy) {
        return RS_ENOMEM;
    }
    found = getenv(copy);
    free(copy);
    *value = found && text_units(found, strlen(found), &units) == RS_OK ? found : NULL;
    return RS_OK;
}

/* Appends what stands before the first percent sign of *text, and the variable that begins there if
 * it is set; moves *text behind that. The percent sign behind a name that is not set may begin the
 * next one, so that "100% of %HOME%" does what it says. */
static int expand_one(struct buffer *buffer, const char **text, const char *percent,
                      const char *closing)
{
    const char *value;
    int status = find_variable(percent + 1, (size_t)(closing - percent) - 1, &value);

    if (status == RS_OK) {
        status = buffer_append(buffer, *text, (size_t)((value ? percent : closing) - *text));
    }
    if (status == RS_OK && value) {
        status = buffer_append_text(buffer, value);
    }
    if (status == RS_OK) {
        *text = value ? closing + 1 : closing;
    }
    return status;
}

/* Appends text with its variables replaced. */
static int expand(struct buffer *buffer, const char *text)
{
    const char *percent, *closing;

    while ((percent = strchr(text, '%')) != NULL && (closing = strchr(percent + 1, '%')) != NULL) {
        int status = expand_one(buffer, &text, percent, closing);

        if (status != RS_OK) {
            return status;
        }
        if (buffer->size > RS_MAX_DATA) {
            return RS_EDATA; /* a short value must not make a program run out of memory */
        }
    }
    return buffer_append_text(buffer, text);
}

int value_to_expanded(struct arena *arena, uint32_t type, const void *data, size_t size,
                      const char **text, size_t *len)
{
    struct buffer buffer = BUFFER_INIT;
    const char *stored;
    size_t stored_len;
    int status = value_to_text(arena, type, data, size, &stored, &stored_len);

    if (status != RS_OK) {
        return status;
    }
    if (type != REG_EXPAND_SZ || !memchr(stored, '%', stored_len)) {
        *text = stored;
        *len = stored_len;
        return RS_OK;
    }
    status = expand(&buffer, stored);
    if (status != RS_OK) {
        buffer_free(&buffer);
        return status;
    }
    return move_to_arena(arena, &buffer, text, len);
}

int value_from_text(struct buffer *buffer, const char *text, size_t len)
{
    const size_t before = buffer->size;
    int status = text_to_utf16(buffer, text, len);

    if (status == RS_OK) {
        status = buffer_append(buffer, "\0", 2);
    }
    if (status != RS_OK) {
        buffer->size = before;
    }
    return status;
}

/* ---- Lists ---- */

/* The strings that text, len bytes with NULs between them, holds. What stands behind the last NUL
 * is a string unless it is empty; the empty string at the very end is the list's own end. */
static size_t count_strings(const char *text, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        count += text[i] == '\0';
    }
    if (len && text[len - 1] != '\0') {
        return count + 1;
    }
    if (count && (len == 1 || text[len - 2] == '\0')) {
        return count - 1;
    }
    return count;
}

int value_to_list(struct arena *arena, uint32_t type, const void *data, size_t size,
                  const char *const **strings, size_t *count)
{
    struct buffer buffer = BUFFER_INIT;
    const char *text;
    const char **found;
    size_t len, number;
    int status;

    if (type != REG_MULTI_SZ) {
        return RS_ETYPE;
    }
    if (text_from_utf16(&buffer, data, size) != RS_OK) {
        buffer_free(&buffer);
        return RS_ENOMEM;
    }
    status = move_to_arena(arena, &buffer, &text, &len);
    if (status != RS_OK) {
        return status;
    }
    number = count_strings(text, len);
    found = arena_alloc(arena, (number + 1) * sizeof *found);
    if (!found) {
        return RS_ENOMEM;
    }
    for (size_t i = 0; i < number; i++) {
        found[i] = text;
        text += strlen(text) + 1;
    }
    found[number] = NULL;
    *strings = found;
    *count = number;
    return RS_OK;
}

int value_from_list(struct buffer *buffer, const char *const *strings, size_t count)
{
    const size_t before = buffer->size;
    int status = RS_OK;

    for (size_t i = 0; i < count && status == RS_OK; i++) {
        status = value_from_text(buffer, strings[i], strlen(strings[i]));
    }
    if (status == RS_OK) {
        status = buffer_append(buffer, "\0", 2);
    }
    if (status != RS_OK) {
        buffer->size = before;
    }
    return status;
}

/* ---- Exact decoding ---- */

/* An rs_decoded with room behind it for a list of count texts and for len bytes of text. */
static rs_decoded *new_decoded(enum rs_decoded_kind kind, size_t count, size_t len, char **text)
{
    rs_decoded *decoded = malloc(sizeof *decoded + count * sizeof(rs_text) + len);
    rs_text *list;

    if (!decoded) {
        return NULL;
    }
    list = (rs_text *)(decoded + 1);
    memset(decoded, 0, sizeof *decoded);
    decoded->kind = kind;
    decoded->list = kind == RS_DECODED_LIST ? list : NULL;
    decoded->count = count;
    *text = (char *)(list + count);
    return decoded;
}

static rs_decoded *decode_number(uint64_t number)
{
    char *unused;
    rs_decoded *decoded = new_decoded(RS_DECODED_NUMBER, 0, 0, &unused);

    if (decoded) {
        decoded->number = number;
    }
    return decoded;
}

static rs_decoded *decode_text(const struct buffer *text)
{
    char *copy;
    rs_decoded *decoded = new_decoded(RS_DECODED_TEXT, 0, text->size + 1, &copy);

    if (!decoded) {
        return NULL;
    }
    memcpy(copy, text->data, text->size);
    copy[text->size] = '\0';
    decoded->text = (rs_text){copy, text->size};
    return decoded;
}

/* text is each string with its NUL. */
static rs_decoded *decode_list(const struct buffer *text)
{
    size_t count = 0;
    char *at;
    rs_decoded *decoded;
    rs_text *list;

    for (size_t i = 0; i < text->size; i++) {
        count += text->data[i] == '\0';
    }
    decoded = new_decoded(RS_DECODED_LIST, count, text->size, &at);
    if (!decoded) {
        return NULL;
    }
    list = (rs_text *)(decoded + 1);
    memcpy(at, text->data, text->size);
    for (size_t i = 0; i < count; i++) {
        list[i] = (rs_text){at, strlen(at)};
        at += list[i].len + 1;
    }
    return decoded;
}

static bool ends_in_nul(const unsigned char *data, size_t size)
{
    return size >= 2 && data[size - 1] == 0 && data[size - 2] == 0;
}

/* The bytes of text in data that encoding would complete to exactly data: without the terminator,
 * which a link does not have; RS_NTS if there are none such. An empty list is one NUL. */
static size_t exact_text(uint32_t type, const unsigned char *data, size_t size)
{
    if (size % 2) {
        return RS_NTS;
    }
    if (type == REG_LINK) {
        return ends_in_nul(data, size) ? RS_NTS : size;
    }
    if (!ends_in_nul(data, size)) {
        return RS_NTS;
    }
    if (type == REG_MULTI_SZ && size > 2 && !ends_in_nul(data, size - 2)) {
        return RS_NTS;
    }
    return size - 2;
}

static rs_decoded *decode_strings(uint32_t type, const void *data, size_t size)
{
    struct buffer buffer = BUFFER_INIT;
    rs_decoded *decoded = NULL;

    if (text_from_utf16(&buffer, data, size) == RS_OK) {
        decoded = type == REG_MULTI_SZ ? decode_list(&buffer) : decode_text(&buffer);
    }
    buffer_free(&buffer);
    return decoded;
}

static rs_decoded *decode(uint32_t type, const void *data, size_t size)
{
    char *unused;
    uint32_t dword;
    uint64_t qword;

    if (value_to_dword(type, data, size, &dword) == RS_OK) {
        return decode_number(dword);
    }
    if (value_to_qword(type, data, size, &qword) == RS_OK) {
        return decode_number(qword);
    }
    if (value_is_string(type) || type == REG_MULTI_SZ) {
        const size_t exact = exact_text(type, data, size);

        if (exact != RS_NTS) {
            return decode_strings(type, data, exact);
        }
    }
    return new_decoded(RS_DECODED_NONE, 0, 0, &unused);
}

int rs_decode(uint32_t type, const void *data, size_t size, rs_decoded **decoded)
{
    rs_decoded *result;

    if (!decoded || (!data && size)) {
        return RS_EINVAL;
    }
    result = decode(type, data, size);
    if (!result) {
        return RS_ENOMEM;
    }
    *decoded = result;
    return RS_OK;
}
