/* ndr - putting bytes together; see ndr.h. */
#include "ndr.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256
#define FIRST_REFERENT 0x00020000u /* what other implementations begin with, too */

struct ndr_push ndr_push_up_to(size_t limit)
{
    return (struct ndr_push){.limit = limit};
}

void ndr_push_free(struct ndr_push *push)
{
    free(push->data);
    *push = ndr_push_up_to(push->limit);
}

void ndr_push_clear(struct ndr_push *push)
{
    push->size = 0;
    push->referents = 0;
    push->failed = false;
}

bool ndr_push_ok(const struct ndr_push *push)
{
    return !push->failed;
}

/* Room for so many bytes more. */
static bool make_room(struct ndr_push *push, size_t size)
{
    if (push->failed || size > push->limit - push->size) {
        push->failed = true;
        return false;
    }
    if (size <= push->capacity - push->size) {
        return true;
    }
    size_t wanted = push->capacity > 0 ? push->capacity : FIRST_CAPACITY;
    while (wanted < push->size + size) {
        wanted *= 2;
    }
    wanted = wanted < push->limit ? wanted : push->limit;
    uint8_t *data = realloc(push->data, wanted);
    if (data == NULL) {
        push->failed = true;
        return false;
    }
    push->data = data;
    push->capacity = wanted;
    return true;
}

uint8_t *ndr_push_space(struct ndr_push *push, size_t size)
{
    if (!make_room(push, size) || push->data == NULL) {
        return NULL;
    }
    uint8_t *space = push->data + push->size;
    memset(space, 0, size);
    push->size += size;
    return space;
}

void ndr_push_raw(struct ndr_push *push, const void *data, size_t size)
{
    if (size > 0 && make_room(push, size)) {
        memcpy(push->data + push->size, data, size);
        push->size += size;
    }
}

size_t ndr_push_fill(struct ndr_push *push, size_t wanted, const uint8_t *bytes, size_t size)
{
    size_t missing = wanted > push->size ? wanted - push->size : 0;
    size_t taken = missing < size ? missing : size;
    ndr_push_raw(push, bytes, taken);
    return taken;
}

void ndr_push_align(struct ndr_push *push, size_t to)
{
    size_t beyond = push->size % to;
    if (beyond != 0) {
        (void)ndr_push_space(push, to - beyond);
    }
}

static void push_number(struct ndr_push *push, uint64_t value, size_t size)
{
    ndr_push_align(push, size);
    if (!make_room(push, size)) {
        return;
    }
    for (size_t i = 0; i < size; i++) {
        push->data[push->size++] = (uint8_t)(value >> 8 * i);
    }
}

void ndr_push_u8(struct ndr_push *push, uint8_t value)
{
    push_number(push, value, 1);
}

void ndr_push_u16(struct ndr_push *push, uint16_t value)
{
    push_number(push, value, 2);
}

void ndr_push_u32(struct ndr_push *push, uint32_t value)
{
    push_number(push, value, 4);
}

void ndr_push_u64(struct ndr_push *push, uint64_t value)
{
    push_number(push, value, 8);
}

void ndr_push_pointer(struct ndr_push *push, bool present)
{
    ndr_push_u32(push, present ? FIRST_REFERENT + 4 * push->referents++ : 0);
}

static void push_count(struct ndr_push *push, size_t count)
{
    if (count > UINT32_MAX) {
        push->failed = true;
    }
    ndr_push_u32(push, (uint32_t)count);
}

void ndr_push_bytes(struct ndr_push *push, const void *data, size_t size)
{
    push_count(push, size);
    ndr_push_raw(push, data, size);
}

void ndr_push_text(struct ndr_push *push, const char *text)
{
    size_t units = ndr_utf16_units(text);
    if (units == SIZE_MAX) {
        push->failed = true;
        return;
    }
    push_count(push, units + 1);
    ndr_push_u32(push, 0);
    push_count(push, units + 1);
    uint8_t *space = ndr_push_space(push, 2 * (units + 1));
    if (space != NULL) {
        ndr_utf16_write(space, text);
    }
}

void ndr_push_handle(struct ndr_push *push, const struct ndr_handle *handle)
{
    ndr_push_align(push, 4);
    ndr_push_raw(push, handle->bytes, NDR_HANDLE_SIZE);
}
