/* listing - printers in the form in which EnumPrinters gives them; see listing.h. */
#include "listing.h"

#include "../rpc/ndr.h"

#include <stdlib.h>
#include <string.h>

#define FIELD_SIZE 4
#define MOST_BYTES ((size_t)64 << 20)

/* A structure's fields: 't' the offset of the next text, 'n' the next number, '0' nothing. */
static const char *layout(unsigned level)
{
    switch (level) {
    case 1:
        return "nttt";
    case 2:
        return "ttttttt0tttt0nnnnnnnn";
    default:
        return NULL;
    }
}

bool listing_has_level(unsigned level)
{
    return layout(level) != NULL;
}

static size_t stride_of(unsigned level)
{
    return strlen(layout(level)) * FIELD_SIZE;
}

static void put_u32(uint8_t *at, uint32_t number)
{
    for (size_t i = 0; i < FIELD_SIZE; i++) {
        at[i] = (uint8_t)(number >> (8 * i));
    }
}

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t number = 0;
    for (size_t i = 0; i < FIELD_SIZE; i++) {
        number |= (uint32_t)at[i] << (8 * i);
    }
    return number;
}

static bool add_text(size_t *size, const char *text)
{
    size_t units = text != NULL ? ndr_utf16_units(text) : 0;
    if (units >= MOST_BYTES) {
        return false;
    }
    *size += text != NULL ? 2 * (units + 1) : 0;
    return *size <= MOST_BYTES;
}

/* How much all rows take. */
static bool measure(struct listing *listing, listing_source *source, const void *context)
{
    for (size_t i = 0; i < listing->count; i++) {
        struct listing_row row = {0};
        source(context, i, &row);
        for (size_t t = 0; t < LISTING_TEXTS; t++) {
            if (!add_text(&listing->size, row.texts[t])) {
                return false;
            }
        }
    }
    return true;
}

/* Writes a text below end and gives where it begins. */
static size_t put_text(const struct listing *listing, size_t end, const char *text)
{
    size_t at = end - 2 * (ndr_utf16_units(text) + 1);
    ndr_utf16_write(listing->bytes + at, text);
    return at;
}

static size_t put_row(const struct listing *listing, size_t start, size_t end,
                      const struct listing_row *row)
{
    const char *const *text = row->texts;
    const uint32_t *number = row->numbers;
    uint8_t *field = listing->bytes + start;
    for (const char *kind = layout(listing->level); *kind != '\0'; kind++) {
        if (*kind == 'n') {
            put_u32(field, *number++);
        } else if (*kind == 't' && *text != NULL) {
            end = put_text(listing, end, *text);
            put_u32(field, (uint32_t)(end - start));
        }
        text += *kind == 't';
        field += FIELD_SIZE;
    }
    return end;
}

bool listing_make(struct listing *listing, unsigned level, size_t count, listing_source *source,
                  const void *context)
{
    size_t stride = stride_of(level);
    struct listing made = {.level = level, .count = (uint32_t)count};
    made.fixed = count * stride;
    made.size = made.fixed;
    if (count > MOST_BYTES / stride || !measure(&made, source, context)) {
        return false;
    }
    made.bytes = calloc(1, made.size > 0 ? made.size : 1);
    if (made.bytes == NULL) {
        return false;
    }
    size_t end = made.size;
    for (size_t i = 0; i < count; i++) {
        struct listing_row row = {0};
        source(context, i, &row);
        end = put_row(&made, i * stride, end, &row);
    }
    *listing = made;
    return true;
}

/* Texts are units of two bytes, so in a buffer of an odd size they end before its last byte. */
void listing_place(const struct listing *listing, uint8_t *buffer, size_t capacity)
{
    size_t texts = listing->size - listing->fixed;
    size_t end = capacity - (capacity - listing->size) % 2;
    size_t move = end - listing->size;
    const char *kinds = layout(listing->level);
    memcpy(buffer, listing->bytes, listing->fixed);
    memcpy(buffer + end - texts, listing->bytes + listing->fixed, texts);
    if (move == 0) {
        return;
    }
    const char *kind = kinds;
    for (uint8_t *field = buffer; field < buffer + listing->fixed; field += FIELD_SIZE) {
        uint32_t offset = get_u32(field);
        if (*kind == 't' && offset != 0) {
            put_u32(field, offset + (uint32_t)move);
        }
        kind = kind[1] != '\0' ? kind + 1 : kinds;
    }
}

void listing_free(struct listing *listing)
{
    free(listing->bytes);
    *listing = (struct listing){0};
}
