/*
 * listing - printers in the form in which EnumPrinters gives them: custom-marshalled structures,
 * [MS-RPRN] 2.2.2.9.
 *
 * A row is a structure of a fixed size. Its texts stand at the other end of the caller's buffer,
 * packed downwards in the order of the fields, and the structure has their offsets, counted from
 * its own begin. So the offsets depend on how large the buffer is; a listing is made once for a
 * buffer that is just large enough, and moved into each caller's. Pure. Needs ndr, for UTF-16.
 */
#ifndef SPOOLER_LISTING_H
#define SPOOLER_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LISTING_TEXTS 11
#define LISTING_NUMBERS 10

/* What stands in a structure's fields, in their order. */
struct listing_row {
    const char *texts[LISTING_TEXTS]; /* UTF-8; NULL: no text, offset 0 */
    uint32_t numbers[LISTING_NUMBERS];
};

/* Level 1: Flags; description, name, comment. */
enum { ROW1_FLAGS };
enum { ROW1_DESCRIPTION, ROW1_NAME, ROW1_COMMENT };
/* Level 2. Neither a DEVMODE nor a security descriptor is ever there. */
enum {
    ROW2_ATTRIBUTES,
    ROW2_PRIORITY,
    ROW2_DEFAULT_PRIORITY,
    ROW2_START_TIME,
    ROW2_UNTIL_TIME,
    ROW2_STATUS,
    ROW2_JOBS,
    ROW2_PAGES_PER_MINUTE
};
enum {
    ROW2_SERVER,
    ROW2_NAME,
    ROW2_SHARE,
    ROW2_PORT,
    ROW2_DRIVER,
    ROW2_COMMENT,
    ROW2_LOCATION,
    ROW2_SEPARATOR,
    ROW2_PROCESSOR,
    ROW2_DATATYPE,
    ROW2_PARAMETERS
};

struct listing {
    unsigned level;
    uint32_t count;
    uint8_t *bytes;
    size_t size;  /* what a caller's buffer needs */
    size_t fixed; /* of that, what the structures take */
};

/* Where the rows come from: fills in a row, which is all zero before. Asked for each twice. */
typedef void listing_source(const void *context, size_t index, struct listing_row *row);

bool listing_has_level(unsigned level);
/* *listing is released with listing_free(). false: no memory, or a text is no UTF-8. */
bool listing_make(struct listing *listing, unsigned level, size_t count, listing_source *source,
                  const void *context);
/* Moves it to a buffer of capacity bytes, which are zero and no fewer than its size. */
void listing_place(const struct listing *listing, uint8_t *buffer, size_t capacity);
/* Also of one that is all zero, which it is then again. */
void listing_free(struct listing *listing);

#endif
