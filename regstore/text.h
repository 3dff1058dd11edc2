/*
 * text.h - memory for texts, and conversions between WTF-8 and UTF-16LE.
 *
 * Gives a growing buffer, an arena whose memory ends all at once, the conversions, and folding:
 * what makes names compare regardless of case. Needs status. Names outside are WTF-8: UTF-8 in
 * which a lone surrogate is its three-byte sequence (a pair written as two such sequences is not
 * valid). Inside values they are UTF-16LE.
 */
#ifndef REGSTORE_TEXT_H
#define REGSTORE_TEXT_H

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "status.h"

/* ---- Buffer: grows, owned by whoever declared it; start with BUFFER_INIT, end with buffer_free().
 * ---- */

struct buffer {
    char *data; /* NULL while nothing was ever reserved */
    size_t size;
    size_t capacity;
};
#define BUFFER_INIT                                                                                \
    {                                                                                              \
        NULL, 0, 0                                                                                 \
    }

/* Room for more bytes after size; RS_ENOMEM. */
int buffer_reserve(struct buffer *buffer, size_t more);
/* Inline, like the next one: records are put together from many small pieces. */
static inline int buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0) { /* data may be NULL then */
        return RS_OK;
    }
    if (size > buffer->capacity - buffer->size && buffer_reserve(buffer, size) != RS_OK) {
        return RS_ENOMEM;
    }
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    return RS_OK;
}
static inline int buffer_append_byte(struct buffer *buffer, unsigned char byte)
{
    return buffer_append(buffer, &byte, 1);
}
int buffer_append_text(struct buffer *buffer, const char *text);
int buffer_printf(struct buffer *buffer, const char *format, ...) RS_PRINTF(2, 3);
/* A NUL after the content that size does not count. */
int buffer_terminate(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

/* ---- Arena: memory that lives until arena_reset() or arena_free(); start with ARENA_INIT. ---- */

struct arena_block;
struct arena {
    struct arena_block *blocks;
};
#define ARENA_INIT                                                                                 \
    {                                                                                              \
        NULL                                                                                       \
    }

/* Aligned for any object; NULL when memory is out. */
void *arena_alloc(struct arena *arena, size_t size);
/* A copy of size bytes with a NUL after them; NULL when memory is out. */
char *arena_copy(struct arena *arena, const void *data, size_t size);
/* Forgets all content; keeps one block of ordinary size, so that a reused arena does not allocate
 * again. */
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

/* ---- Words: texts a machine word at a time ---- */

/* Up to seven bytes as they lie in a word whose other bytes are 0. Put together in a register from
 * loads that overlap: most names end in such a piece, and bytes that have just been stored one by
 * one would be waited for when they are loaded as a word. */
static inline uint64_t text_word(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t first;
    uint32_t last;

    if (len >= sizeof first) {
        memcpy(&first, text, sizeof first);
        memcpy(&last, text + len - sizeof last, sizeof last);
        return htole64(le32toh(first) | (uint64_t)le32toh(last) << 8 * (len - sizeof last));
    }
    if (len == 0) {
        return 0;
    }
    return htole64(bytes[0] | (uint64_t)bytes[len / 2] << 8 * (len / 2) |
                   (uint64_t)bytes[len - 1] << 8 * (len - 1));
}

/* ---- Conversions ---- */

/* The length that a name argument means: len itself, or up to the first NUL for RS_NTS. NULL text
 * has length 0. */
size_t text_length(const char *text, size_t len);

/* UTF-16 units that WTF-8 text has; RS_ETEXT if it is not valid. */
int text_units(const char *text, size_t len, size_t *units);

/* Appends text as UTF-16LE, without a terminator. RS_ETEXT if it is not valid WTF-8. */
int text_to_utf16(struct buffer *buffer, const char *text, size_t len);
/* Appends size bytes (an odd last one is left out) of UTF-16LE as WTF-8. Anything is valid. */
int text_from_utf16(struct buffer *buffer, const void *data, size_t size);
/* Bytes before the first NUL unit of UTF-16LE data; size rounded down to even if there is none. */
size_t text_utf16_end(const void *data, size_t size);

/*
 * Folds a name: each UTF-16 unit is replaced by its simple upper case, only where the lower case of
 * that maps back, and the units are written one by one in UTF-8's scheme (CESU-8), so that memcmp()
 * orders names as UTF-16 units order. Three bytes a unit at most. *folded_len is the length, *units
 * the number of UTF-16 units. RS_ETEXT if not valid WTF-8, RS_ETOOLONG if capacity does not hold
 * it.
 */
int text_fold(const char *text, size_t len, char *folded, size_t capacity, size_t *folded_len,
              size_t *units);
/* The same, appended to a buffer. */
int text_fold_append(struct buffer *folded, const char *text, size_t len);
/* The version of the folding table; a store that was made with another one must not be used. */
extern const unsigned text_fold_version;

/* rs_name_compare() of regstore.h. */
int text_compare(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
