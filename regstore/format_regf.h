/*
 * format_regf.h - regf hives: what the parts of the module share.
 *
 * Gives the places of the fields in a hive's records, and the calls that format_regf_open.c,
 * format_regf_log.c, format_regf_read.c, format_regf_image.c and format_regf_write.c have for each
 * other. Needs format and libhivex (open and read only).
 *
 * A hive is a base block of 4,096 bytes and bins ("hbin") of whole pages, which are full of cells.
 * A cell begins with its length, negative as long as it is in use; offsets in records count from
 * the first bin. A key is a cell "nk", a value a cell "vk"; the cells that they point to are lists,
 * names of classes, data and security descriptors.
 */
#ifndef REGSTORE_FORMAT_REGF_H
#define REGSTORE_FORMAT_REGF_H

#include "format.h"

#include <hivex.h>

#define REGF_BASE ((size_t)4096) /* bytes of the base block */
#define REGF_NONE 0xffffffffu    /* an offset that leads nowhere */

/* libhivex's limits: what is beyond them it does not read. */
#define REGF_MAX_SUBKEYS 70000u
#define REGF_MAX_VALUES 110000u
#define REGF_MAX_DATA ((size_t)8000000)

/* Fields of the base block. */
enum {
    BASE_FIRST_SEQUENCE = 4, /* counted up before a write ... */
    BASE_LAST_SEQUENCE = 8,  /* ... and after it: not equal in a hive that was not written whole */
    BASE_WRITTEN = 12,
    BASE_MAJOR = 20,
    BASE_MINOR = 24,
    BASE_TYPE = 28, /* 0: a hive, else one of its logs */
    BASE_FORMAT = 32,
    BASE_ROOT = 36,
    BASE_BINS = 40, /* bytes of all bins */
    BASE_CLUSTER = 44,
    BASE_SUM = 508
};

/* Fields of a key's record, of a value's, and their flags. */
enum {
    NK_FLAGS = 2,
    NK_WRITTEN = 4,
    NK_PARENT = 16,
    NK_SUBKEYS = 20,
    NK_SUBKEY_LIST = 28,
    NK_VOLATILE_LIST = 32,
    NK_VALUES = 36,
    NK_VALUE_LIST = 40,
    NK_SECURITY = 44,
    NK_CLASS = 48,
    NK_LONGEST_NAME = 52,
    NK_LONGEST_CLASS = 56,
    NK_LONGEST_VALUE_NAME = 60,
    NK_LARGEST_DATA = 64,
    NK_NAME_SIZE = 72,
    NK_CLASS_SIZE = 74,
    NK_NAME = 76,

    VK_NAME_SIZE = 2,
    VK_DATA_SIZE = 4,
    VK_DATA = 8,
    VK_TYPE = 12,
    VK_FLAGS = 16,
    VK_NAME = 20,

    NK_IS_ROOT = 0x0c, /* the outermost key, which cannot be deleted */
    NK_IS_LINK = 0x10,
    NK_IS_LATIN = 0x20, /* the name has a byte a character */
    VK_IS_LATIN = 0x01
};

static inline unsigned regf_get16(const unsigned char *at)
{
    return at[0] | (unsigned)at[1] << 8;
}

static inline uint32_t regf_get32(const unsigned char *at)
{
    uint32_t number;

    memcpy(&number, at, sizeof number);
    return le32toh(number);
}

static inline uint64_t regf_get64(const unsigned char *at)
{
    uint64_t number;

    memcpy(&number, at, sizeof number);
    return le64toh(number);
}

/* The checksum of a base block. */
uint32_t regf_sum(const unsigned char *base);

/* ---- Reading ---- */

/* A hive in memory that nobody else can change, and libhivex's view of it. */
struct regf_hive {
    const char *name; /* of the file, for errors */
    int descriptor;
    const unsigned char *bytes; /* NULL as long as there are none */
    size_t size;
    hive_h *handle;
    bool stale; /* dirty, and not all of its newest changes could be taken from its logs */
    rs_error *error;
};

/* Takes the input into memory, looks at its base block and its logs, and opens it. */
int regf_open(struct regf_hive *hive, struct format_input *input, rs_error *error);
void regf_close(struct regf_hive *hive);
/* Describes what is wrong at an offset; RS_EFORMAT. */
int regf_bad(const struct regf_hive *hive, size_t offset, const char *format, ...) RS_PRINTF(3, 4);
/* Why something is not to be found: RS_EFORMAT, described, if the hive is shorter than it says. */
int regf_check_length(const struct regf_hive *hive);

/* Cuts the hive, or lets zeros follow it; its bytes are elsewhere afterwards. */
int regf_resize(struct regf_hive *hive, size_t size);
/* Brings a dirty hive, in memory, to what the logs beside its file hold, and says in hive->stale
 * whether anything is missing. The file must be the one that hive->name leads to. RS_OK also where
 * there is no log that can be used. (format_regf_log.c) */
int regf_replay(struct regf_hive *hive);
/* The hash of a log's entries; the size may be any. */
uint64_t regf_hash(const unsigned char *data, size_t size);

int regf_read(struct format_input *input, struct format_sink *sink, rs_error *error);

/* ---- Writing ---- */

/* The bins of a hive that is made. */
struct regf_image {
    struct buffer bins;
    size_t used; /* up to here there are cells */
    int status;  /* of the first failure; it makes all that follows do nothing */
};
/* A new cell with room for size bytes, which are 0; its offset. */
uint32_t regf_cell(struct regf_image *image, size_t size);
/* Puts bytes or a number into a cell, at a place behind its length. */
void regf_put(struct regf_image *image, uint32_t cell, size_t at, const void *data, size_t size);
void regf_put16(struct regf_image *image, uint32_t cell, size_t at, unsigned number);
void regf_put32(struct regf_image *image, uint32_t cell, size_t at, uint32_t number);
void regf_put64(struct regf_image *image, uint32_t cell, size_t at, uint64_t number);
/* A cell with these bytes. */
uint32_t regf_cell_of(struct regf_image *image, const void *data, size_t size);
/* The cell of a value's data, in pieces where it is large. */
uint32_t regf_data(struct regf_image *image, const void *data, size_t size);
/* The list of a key's subkeys: pairs of a key's offset and its name's hash. */
uint32_t regf_subkey_list(struct regf_image *image, const uint32_t *pairs, size_t count);
/* Ends the last bin and writes the hive. */
int regf_image_write(struct regf_image *image, struct format_output *output, uint32_t root,
                     uint64_t written);

int regf_write_begin(struct format_output *output, struct format_sink **sink);
int regf_write_end(struct format_sink *sink, bool ok);

#endif
