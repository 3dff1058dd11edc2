/*
 * ndr - how a call's arguments stand in bytes: NDR32, little endian, of C706 chapter 14.
 *
 * A puller takes arguments apart that a stranger sent. It never reads beyond its bytes, allocates
 * nothing, and what it gives points into them. A failure sticks: from then on everything is 0 or
 * empty, so a caller pulls all and asks once at the end. How large something may be, every call
 * says itself. A pusher puts an answer together in a buffer that grows up to its limit, and a
 * failure sticks too. Alignment counts from the first byte of either. Needs nothing.
 */
#ifndef RPC_NDR_H
#define RPC_NDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Taking apart ---------------------------------------------------------------------------- */

struct ndr_pull {
    const uint8_t *data;
    size_t size;
    size_t position;
    bool failed;
};

/* Starts one over these bytes, which must outlive all that it gives. */
struct ndr_pull ndr_pull_of(const void *data, size_t size);

void ndr_pull_align(struct ndr_pull *pull, size_t to);
uint8_t ndr_pull_u8(struct ndr_pull *pull);
uint16_t ndr_pull_u16(struct ndr_pull *pull);
uint32_t ndr_pull_u32(struct ndr_pull *pull);
uint64_t ndr_pull_u64(struct ndr_pull *pull);
/* A pointer that may be NULL: whether there is something that it points to. What that is stands
 * behind it, at once for an argument, else behind the struct that the pointer is in. */
bool ndr_pull_pointer(struct ndr_pull *pull);
/* So many bytes as they are; NULL if they are not there. */
const uint8_t *ndr_pull_raw(struct ndr_pull *pull, size_t size);

struct ndr_bytes {
    const uint8_t *data; /* NULL without any */
    size_t size;
};
/* A conformant array of bytes, of at most so many. */
struct ndr_bytes ndr_pull_bytes(struct ndr_pull *pull, size_t most);

/* UTF-16LE without its terminator, and not aligned. */
struct ndr_text {
    const uint8_t *data; /* NULL without any */
    size_t units;
};
/* A conformant varying string of at most so many units, its terminator not counted. It must begin
 * at its array's begin and end with the one NUL that it has. */
struct ndr_text ndr_pull_text(struct ndr_pull *pull, size_t most);
/* The same of 8-bit characters; the answer's size is without the terminator. */
struct ndr_bytes ndr_pull_text8(struct ndr_pull *pull, size_t most);

/* A context handle as it crosses the wire. All zeros is none. */
#define NDR_HANDLE_SIZE 20
struct ndr_handle {
    uint8_t bytes[NDR_HANDLE_SIZE];
};
struct ndr_handle ndr_pull_handle(struct ndr_pull *pull);
bool ndr_handle_is_null(const struct ndr_handle *handle);

/* Whether all was there, so far. Bytes that are left over are no failure: C706 pads. */
bool ndr_pull_ok(const struct ndr_pull *pull);

/* Writes a text as UTF-8 with a NUL; a lone surrogate becomes three bytes, as everywhere in
 * regstore. false, and "", if the buffer is too small; 3 bytes a unit and 1 are always enough. */
bool ndr_text_utf8(struct ndr_text text, char *buffer, size_t size);

/* ---- Putting together ------------------------------------------------------------------------ */

struct ndr_push {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t limit; /* the size's */
    uint32_t referents;
    bool failed; /* limit or memory was too small */
};

/* An empty one, without memory yet. */
struct ndr_push ndr_push_up_to(size_t limit);
void ndr_push_free(struct ndr_push *push);
/* Makes it empty again and keeps its memory. */
void ndr_push_clear(struct ndr_push *push);

/* Pads with zeros. */
void ndr_push_align(struct ndr_push *push, size_t to);
void ndr_push_u8(struct ndr_push *push, uint8_t value);
void ndr_push_u16(struct ndr_push *push, uint16_t value);
void ndr_push_u32(struct ndr_push *push, uint32_t value);
void ndr_push_u64(struct ndr_push *push, uint64_t value);
/* A referent of its own, or NULL. */
void ndr_push_pointer(struct ndr_push *push, bool present);
void ndr_push_raw(struct ndr_push *push, const void *data, size_t size);
/* Of these bytes as many as make it so large; gives how many. */
size_t ndr_push_fill(struct ndr_push *push, size_t wanted, const uint8_t *bytes, size_t size);
/* A conformant array of bytes. */
void ndr_push_bytes(struct ndr_push *push, const void *data, size_t size);
/* So many zeros, which the caller may fill until it pushes more; NULL if they do not fit. */
uint8_t *ndr_push_space(struct ndr_push *push, size_t size);
/* A conformant varying string of UTF-16 made from UTF-8, and its terminator. Bytes that are no
 * UTF-8 are a failure. */
void ndr_push_text(struct ndr_push *push, const char *text);
void ndr_push_handle(struct ndr_push *push, const struct ndr_handle *handle);

bool ndr_push_ok(const struct ndr_push *push);

/* ---- Text, for those who pack it themselves -------------------------------------------------- */

/* How many units of UTF-16 a text of UTF-8 (lone surrogates allowed) makes, without a terminator;
 * SIZE_MAX if it is none. */
size_t ndr_utf16_units(const char *text);
/* Writes them, little endian, with a terminator: 2 * (units + 1) bytes, which the caller has. */
void ndr_utf16_write(uint8_t *to, const char *text);

#endif
