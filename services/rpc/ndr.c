/* ndr - arguments in bytes; see ndr.h. */
#include "ndr.h"

#include <string.h>

/* ---- Numbers --------------------------------------------------------------------------------- */

struct ndr_pull ndr_pull_of(const void *data, size_t size)
{
    return (struct ndr_pull){.data = data, .size = size};
}

bool ndr_pull_ok(const struct ndr_pull *pull)
{
    return !pull->failed;
}

const uint8_t *ndr_pull_raw(struct ndr_pull *pull, size_t size)
{
    if (pull->failed || size > pull->size - pull->position) {
        pull->failed = true;
        return NULL;
    }
    const uint8_t *at = pull->data + pull->position;
    pull->position += size;
    return at;
}

/* C706 does not say what padding holds, so it may hold anything. */
void ndr_pull_align(struct ndr_pull *pull, size_t to)
{
    size_t beyond = pull->position % to;
    if (beyond != 0) {
        (void)ndr_pull_raw(pull, to - beyond);
    }
}

static uint64_t pull_number(struct ndr_pull *pull, size_t size)
{
    uint64_t value = 0;
    ndr_pull_align(pull, size);
    const uint8_t *bytes = ndr_pull_raw(pull, size);
    for (size_t i = size; bytes != NULL && i > 0; i--) {
        value = value << 8 | bytes[i - 1];
    }
    return value;
}

uint8_t ndr_pull_u8(struct ndr_pull *pull)
{
    return (uint8_t)pull_number(pull, 1);
}

uint16_t ndr_pull_u16(struct ndr_pull *pull)
{
    return (uint16_t)pull_number(pull, 2);
}

uint32_t ndr_pull_u32(struct ndr_pull *pull)
{
    return (uint32_t)pull_number(pull, 4);
}

uint64_t ndr_pull_u64(struct ndr_pull *pull)
{
    return pull_number(pull, 8);
}

bool ndr_pull_pointer(struct ndr_pull *pull)
{
    return ndr_pull_u32(pull) != 0;
}

/* ---- Arrays and strings ---------------------------------------------------------------------- */

static struct ndr_bytes pull_some(struct ndr_pull *pull, size_t count, size_t each, size_t most)
{
    if (count > most) {
        pull->failed = true;
    }
    const uint8_t *data = pull->failed ? NULL : ndr_pull_raw(pull, count * each);
    return (struct ndr_bytes){data, data != NULL ? count * each : 0};
}

struct ndr_bytes ndr_pull_bytes(struct ndr_pull *pull, size_t most)
{
    size_t count = ndr_pull_u32(pull);
    return pull_some(pull, count, 1, most);
}

static bool is_nul(const uint8_t *at, size_t size)
{
    return at[0] == 0 && at[size - 1] == 0;
}

/* The units of a string of such units, without its terminator. */
static struct ndr_bytes pull_string(struct ndr_pull *pull, size_t each, size_t most)
{
    size_t room = ndr_pull_u32(pull);
    size_t offset = ndr_pull_u32(pull);
    size_t count = ndr_pull_u32(pull);
    if (offset != 0 || count > room || count == 0) {
        pull->failed = true;
    }
    struct ndr_bytes text = pull_some(pull, count, each, most < SIZE_MAX ? most + 1 : most);
    for (size_t i = 0; i < text.size; i += each) {
        bool last = i + each == text.size;
        if (is_nul(text.data + i, each) != last) {
            pull->failed = true;
        }
    }
    if (pull->failed) {
        return (struct ndr_bytes){NULL, 0};
    }
    return (struct ndr_bytes){text.data, text.size - each};
}

struct ndr_text ndr_pull_text(struct ndr_pull *pull, size_t most)
{
    struct ndr_bytes text = pull_string(pull, 2, most);
    return (struct ndr_text){text.data, text.size / 2};
}

struct ndr_bytes ndr_pull_text8(struct ndr_pull *pull, size_t most)
{
    return pull_string(pull, 1, most);
}

struct ndr_handle ndr_pull_handle(struct ndr_pull *pull)
{
    struct ndr_handle handle = {{0}};
    ndr_pull_align(pull, 4);
    const uint8_t *bytes = ndr_pull_raw(pull, NDR_HANDLE_SIZE);
    if (bytes != NULL) {
        memcpy(handle.bytes, bytes, NDR_HANDLE_SIZE);
    }
    return handle;
}

bool ndr_handle_is_null(const struct ndr_handle *handle)
{
    static const struct ndr_handle null;
    return memcmp(handle, &null, sizeof(null)) == 0;
}
