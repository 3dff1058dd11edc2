/*
 * record.h - numbers and texts in stored records.
 *
 * Gives a writer that appends to a buffer and a reader that checks every length: a corrupt record
 * is RS_EDAMAGED, never a read beyond it. Numbers are little-endian, lengths are 32 bits, texts
 * carry a NUL after them so that they can be handed out in place. Needs text.
 */
#ifndef REGSTORE_RECORD_H
#define REGSTORE_RECORD_H

#include "text.h"

int record_put_u8(struct buffer *buffer, uint8_t number);
int record_put_u32(struct buffer *buffer, uint32_t number);
int record_put_u64(struct buffer *buffer, uint64_t number);
int record_put_bytes(struct buffer *buffer, const void *data, size_t size); /* length, bytes, NUL */

struct record {
    const unsigned char *at;
    const unsigned char *end;
    bool damaged; /* set once anything did not fit; numbers are 0 and texts empty from then on */
};
void record_begin(struct record *record, const void *data, size_t size);
uint8_t record_u8(struct record *record);
uint32_t record_u32(struct record *record);
uint64_t record_u64(struct record *record);
const char *record_bytes(struct record *record, size_t *size);
/* RS_EDAMAGED if anything did not fit, or something is left over. */
int record_end(const struct record *record);

#endif
