/*
 * record.h - numbers and texts in stored records.
 *
 * Gives a writer that appends to a buffer and a reader that checks every length: a corrupt record
 * is RS_EDAMAGED, never a read beyond it. Numbers are little-endian, lengths are 32 bits, texts
 * carry a NUL after them so that they can be handed out in place. Needs text.
 */
#ifndef REGSTORE_RECORD_H
#define REGSTORE_RECORD_H

#include <endian.h>
#include <string.h>

#include "text.h"

static inline int record_put_u8(struct buffer *buffer, uint8_t number)
{
    return buffer_append_byte(buffer, number);
}

static inline int record_put_u32(struct buffer *buffer, uint32_t number)
{
    number = htole32(number);
    return buffer_append(buffer, &number, sizeof number);
}

static inline int record_put_u64(struct buffer *buffer, uint64_t number)
{
    number = htole64(number);
    return buffer_append(buffer, &number, sizeof number);
}

int record_put_bytes(struct buffer *buffer, const void *data, size_t size); /* length, bytes, NUL */

struct record {
    const unsigned char *at;
    const unsigned char *end;
    bool damaged; /* set once anything did not fit; numbers are 0 and texts empty from then on */
};

/* Reading is inline, too: each value that is read or listed takes several of these. */

static inline void record_begin(struct record *record, const void *data, size_t size)
{
    *record = (struct record){data, (const unsigned char *)data + size, false};
}

static inline const unsigned char *record_take(struct record *record, size_t size)
{
    if (record->damaged || (size_t)(record->end - record->at) < size) {
        record->damaged = true;
        return NULL;
    }
    const unsigned char *at = record->at;
    record->at += size;
    return at;
}

static inline uint8_t record_u8(struct record *record)
{
    const unsigned char *at = record_take(record, 1);
    return at != NULL ? *at : 0;
}

/* The number that lies there. */
static inline uint32_t record_load_u32(const unsigned char *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return le32toh(number);
}

static inline uint32_t record_u32(struct record *record)
{
    const unsigned char *at = record_take(record, sizeof(uint32_t));
    return at != NULL ? record_load_u32(at) : 0;
}

static inline uint64_t record_u64(struct record *record)
{
    uint64_t number = 0;
    const unsigned char *at = record_take(record, sizeof number);
    if (at != NULL) {
        memcpy(&number, at, sizeof number);
    }
    return le64toh(number);
}

static inline const char *record_bytes(struct record *record, size_t *size)
{
    size_t len = record_u32(record);
    const unsigned char *at = record_take(record, len + 1);
    if (at == NULL || at[len] != 0) {
        record->damaged = true;
        *size = 0;
        return "";
    }
    *size = len;
    return (const char *)at;
}

/* RS_EDAMAGED if anything did not fit, or something is left over. */
static inline int record_end(const struct record *record)
{
    return record->damaged || record->at != record->end ? RS_EDAMAGED : RS_OK;
}

#endif
