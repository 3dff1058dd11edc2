#include "record.h"

int record_put_bytes(struct buffer *buffer, const void *data, size_t size)
{
    int status = buffer_reserve(buffer, sizeof(uint32_t) + size + 1);
    if (status == RS_OK) {
        status = record_put_u32(buffer, (uint32_t)size);
    }
    if (status == RS_OK) {
        status = buffer_append(buffer, data, size);
    }
    return status == RS_OK ? buffer_append_byte(buffer, 0) : status;
}
