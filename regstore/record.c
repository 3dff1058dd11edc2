#include <endian.h>
#include <string.h>

#include "record.h"

int record_put_u8(struct buffer *buffer, uint8_t number)
{
    return buffer_append_byte(buffer, number);
}

int record_put_u32(struct buffer *buffer, uint32_t number)
{
    number = htole32(number);
    return buffer_append(buffer, &number, sizeof number);
}

int record_put_u64(struct buffer *buffer, uint64_t number)
{
    number = htole64(number);
    return buffer_append(buffer, &number, sizeof number);
}

int record_put_bytes(struct buffer *buffer, const void *data, size_t size)
{
    int status = record_put_u32(buffer, (uint32_t)size);
    if (status == RS_OK) {
        status = buffer_append(buffer, data, size);
    }
    return status == RS_OK ? buffer_append_byte(buffer, 0) : status;
}

void record_begin(struct record *record, const void *data, size_t size)
{
    *record = (struct record){data, (const unsigned char *)data + size, false};
}

static const unsigned char *take(struct record *record, size_t size)
{
    if (record->damaged || (size_t)(record->end - record->at) < size) {
        record->damaged = true;
        return NULL;
    }
    const unsigned char *at = record->at;
    record->at += size;
    return at;
}

uint8_t record_u8(struct record *record)
{
    const unsigned char *at = take(record, 1);
    return at != NULL ? *at : 0;
}

uint32_t record_u32(struct record *record)
{
    uint32_t number = 0;
    const unsigned char *at = take(record, sizeof number);
    if (at != NULL) {
        memcpy(&number, at, sizeof number);
    }
    return le32toh(number);
}

uint64_t record_u64(struct record *record)
{
    uint64_t number = 0;
    const unsigned char *at = take(record, sizeof number);
    if (at != NULL) {
        memcpy(&number, at, sizeof number);
    }
    return le64toh(number);
}

const char *record_bytes(struct record *record, size_t *size)
{
    size_t len = record_u32(record);
    const unsigned char *at = take(record, len + 1);
    if (at == NULL || at[len] != 0) {
        record->damaged = true;
        *size = 0;
        return "";
    }
    *size = len;
    return (const char *)at;
}

int record_end(const struct record *record)
{
    return record->damaged || record->at != record->end ? RS_EDAMAGED : RS_OK;
}
