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
