/*
 * format_regf_image.c - the bins of a hive that is made, in memory.
 *
 * Cells are handed out one behind the other. A cell does not cross the end of a bin: one that does
 * not fit begins a new bin of as many pages as it needs, and what is left of the old one is a free
 * cell. Knows nothing of keys. Needs format_regf.h.
 */
#include "format_regf.h"

#define PAGE ((size_t)4096)
#define BIN_HEAD ((size_t)32)
#define LARGEST ((size_t)0x7ffff000) /* bytes of all bins; offsets have 31 bits */
#define PIECE ((size_t)16344)        /* bytes of data in one cell */
#define LEAF ((size_t)500)           /* subkeys in one list */
#define WRITE_SIZE ((size_t)1 << 20)
#define HANDED_OUT(need) ((uint32_t)(-(int32_t)(need)))

/* ---- Cells ---- */

static void store(struct regf_image *image, size_t at, uint32_t number)
{
    number = htole32(number);
    memcpy(image->bins.data + at, &number, sizeof number);
}

/* What is left of the last bin becomes a free cell. */
static void end_bin(struct regf_image *image)
{
    if (image->used < image->bins.size) {
        store(image, image->used, (uint32_t)(image->bins.size - image->used));
    }
    image->used = image->bins.size;
}

static void begin_bin(struct regf_image *image, size_t need)
{
    size_t size = (need + BIN_HEAD + PAGE - 1) / PAGE * PAGE;

    if (image->bins.size + size > LARGEST) {
        image->status = RS_ETOOBIG;
        return;
    }
    image->status = buffer_reserve(&image->bins, size);
    if (image->status != RS_OK) {
        return;
    }
    end_bin(image);
    size_t at = image->bins.size;
    memset(image->bins.data + at, 0, size);
    memcpy(image->bins.data + at, "hbin", 4);
    store(image, at + 4, (uint32_t)at);
    store(image, at + 8, (uint32_t)size);
    image->bins.size += size;
    image->used = at + BIN_HEAD;
}

uint32_t regf_cell(struct regf_image *image, size_t size)
{
    size_t need = (size + 4 + 7) / 8 * 8;

    if (image->status == RS_OK && image->bins.size - image->used < need) {
        begin_bin(image, need);
    }
    if (image->status != RS_OK) {
        return REGF_NONE;
    }
    uint32_t cell = (uint32_t)image->used;
    store(image, cell, HANDED_OUT(need));
    image->used += need;
    return cell;
}

void regf_put(struct regf_image *image, uint32_t cell, size_t at, const void *data, size_t size)
{
    if (image->status == RS_OK && size > 0) {
        memcpy(image->bins.data + cell + 4 + at, data, size);
    }
}

void regf_put16(struct regf_image *image, uint32_t cell, size_t at, unsigned number)
{
    uint16_t stored = htole16((uint16_t)number);

    regf_put(image, cell, at, &stored, sizeof stored);
}

void regf_put32(struct regf_image *image, uint32_t cell, size_t at, uint32_t number)
{
    number = htole32(number);
    regf_put(image, cell, at, &number, sizeof number);
}

void regf_put64(struct regf_image *image, uint32_t cell, size_t at, uint64_t number)
{
    number = htole64(number);
    regf_put(image, cell, at, &number, sizeof number);
}

uint32_t regf_cell_of(struct regf_image *image, const void *data, size_t size)
{
    uint32_t cell = regf_cell(image, size);

    regf_put(image, cell, 0, data, size);
    return cell;
}

/* ---- What consists of several cells ---- */

uint32_t regf_data(struct regf_image *image, const void *data, size_t size)
{
    size_t pieces = (size + PIECE - 1) / PIECE;

    if (pieces <= 1) {
        return regf_cell_of(image, data, size);
    }
    uint32_t head = regf_cell(image, 12);
    uint32_t list = regf_cell(image, 4 * pieces);
    regf_put(image, head, 0, "db", 2);
    regf_put16(image, head, 2, (unsigned)pieces);
    regf_put32(image, head, 4, list);
    for (size_t i = 0; i < pieces; i++) {
        size_t rest = size - i * PIECE;
        /* Windows gives the last piece a cell of full size, too, and libhivex counts on that. */
        uint32_t piece = regf_cell(image, PIECE);
        regf_put(image, piece, 0, (const char *)data + i * PIECE, rest < PIECE ? rest : PIECE);
        regf_put32(image, list, 4 * i, piece);
    }
    return head;
}

static uint32_t leaf(struct regf_image *image, const uint32_t *pairs, size_t count)
{
    uint32_t cell = regf_cell(image, 4 + 8 * count);

    regf_put(image, cell, 0, "lh", 2);
    regf_put16(image, cell, 2, (unsigned)count);
    for (size_t i = 0; i < 2 * count; i++) {
        regf_put32(image, cell, 4 + 4 * i, pairs[i]);
    }
    return cell;
}

uint32_t regf_subkey_list(struct regf_image *image, const uint32_t *pairs, size_t count)
{
    size_t leaves = (count + LEAF - 1) / LEAF;

    if (leaves <= 1) {
        return leaf(image, pairs, count);
    }
    uint32_t index = regf_cell(image, 4 + 4 * leaves);
    regf_put(image, index, 0, "ri", 2);
    regf_put16(image, index, 2, (unsigned)leaves);
    for (size_t i = 0; i < leaves; i++) {
        size_t rest = count - i * LEAF;
        uint32_t cell = leaf(image, pairs + 2 * LEAF * i, rest < LEAF ? rest : LEAF);
        regf_put32(image, index, 4 + 4 * i, cell);
    }
    return index;
}

/* ---- The file ---- */

static void put_base(unsigned char *base, size_t at, uint32_t number)
{
    number = htole32(number);
    memcpy(base + at, &number, sizeof number);
}

static void fill_base(unsigned char *base, uint32_t root, uint64_t written, size_t bins)
{
    memset(base, 0, REGF_BASE);
    memcpy(base, "regf", 4);
    put_base(base, BASE_FIRST_SEQUENCE, 1);
    put_base(base, BASE_LAST_SEQUENCE, 1);
    put_base(base, BASE_WRITTEN, (uint32_t)written);
    put_base(base, BASE_WRITTEN + 4, (uint32_t)(written >> 32));
    put_base(base, BASE_MAJOR, 1);
    put_base(base, BASE_MINOR, 5);
    put_base(base, BASE_FORMAT, 1);
    put_base(base, BASE_ROOT, root);
    put_base(base, BASE_BINS, (uint32_t)bins);
    put_base(base, BASE_CLUSTER, 1);
    put_base(base, BASE_SUM, regf_sum(base));
}

int regf_image_write(struct regf_image *image, struct format_output *output, uint32_t root,
                     uint64_t written)
{
    unsigned char base[REGF_BASE];

    if (image->status != RS_OK) {
        return image->status;
    }
    end_bin(image);
    fill_base(base, root, written, image->bins.size);
    int status = output->write(output, base, sizeof base);
    for (size_t at = 0; status == RS_OK && at < image->bins.size; at += WRITE_SIZE) {
        size_t rest = image->bins.size - at;
        status =
            output->write(output, image->bins.data + at, rest < WRITE_SIZE ? rest : WRITE_SIZE);
    }
    return status;
}
