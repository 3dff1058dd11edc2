/*
 * text_fold.c - folding names, and comparing them.
 *
 * Needs text and the generated table. Every lookup of a key folds each name of its path, and nearly
 * all names are ASCII, so ASCII goes eight bytes at a time without a branch on their content; the
 * table serves the rest.
 */
#include "text_wtf8.h"
#include "fold_table.h"

#include <string.h>

#define WORD sizeof(uint64_t)
#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS (EACH_BYTE * 0x80)

const unsigned text_fold_version = FOLD_VERSION;

static inline uint32_t fold_unit(uint32_t unit)
{
    const uint32_t block = fold_index[unit >> FOLD_BLOCK_BITS];

    return (unit + fold_delta[block][unit & ((1u << FOLD_BLOCK_BITS) - 1)]) & 0xffffu;
}

/* Folds eight ASCII bytes at once. With the high bits free, adding to a byte cannot carry into the
 * next: the first sum has the high bit where a byte is 'a' or above, the second where it is above
 * 'z'; their difference, shifted from 0x80 to 0x20, is the bit that makes lower case. */
static inline uint64_t fold_word(uint64_t word)
{
    const uint64_t from_a = word + EACH_BYTE * (0x80 - 'a');
    const uint64_t above_z = word + EACH_BYTE * (0x7f - 'z');

    return word ^ (((from_a ^ above_z) & HIGH_BITS) >> 2);
}

/* Folds the ASCII that text begins with, by words and the last of it by bytes; the number of bytes.
 * Beyond them folded, which has room for capacity bytes, may be written too. The piece that is left
 * after words is the end of a last word, which overlaps the one before. */
static inline size_t fold_ascii(const char *text, size_t len, char *folded, size_t capacity)
{
    size_t done = 0;
    uint64_t word;

    for (; len - done >= WORD && capacity - done >= WORD; done += WORD) {
        memcpy(&word, text + done, WORD);
        if (word & HIGH_BITS) {
            break;
        }
        word = fold_word(word);
        memcpy(folded + done, &word, WORD);
    }
    if (len - done < WORD && capacity - done >= WORD) {
        const size_t at = done > 0 ? len - WORD : 0;

        if (done > 0) {
            memcpy(&word, text + at, WORD);
        } else {
            word = text_word(text, len);
        }
        if (!(word & HIGH_BITS)) {
            word = fold_word(word);
            memcpy(folded + at, &word, WORD);
            return len;
        }
    }
    for (; done < len && done < capacity && (unsigned char)text[done] < 0x80; done++) {
        const unsigned byte = (unsigned char)text[done];

        folded[done] = (char)(byte ^ (unsigned)(byte - 'a' < 26u) << 5);
    }
    return done;
}

/* Where folded units go. */
struct fold_output {
    unsigned char *at;
    const unsigned char *end;
    size_t units;
};

static int put_folded(struct fold_output *output, uint32_t unit)
{
    unsigned char bytes[4];
    const size_t size = wtf8_put(bytes, fold_unit(unit));

    if ((size_t)(output->end - output->at) < size) {
        return RS_ETOOLONG;
    }
    memcpy(output->at, bytes, size);
    output->at += size;
    output->units++;
    return RS_OK;
}

static int put_character(struct fold_output *output, uint32_t code)
{
    int status;

    if (code < SUPPLEMENTARY_FIRST) {
        return put_folded(output, code);
    }
    status = put_folded(output, high_surrogate(code));
    return status == RS_OK ? put_folded(output, low_surrogate(code)) : status;
}

/* Text that does not fit and is not valid either is reported as not valid. */
static int too_long_or_invalid(const char *text, size_t len)
{
    size_t units;

    return text_units(text, len, &units) == RS_OK ? RS_ETOOLONG : RS_ETEXT;
}

/* What comes after the ASCII that a text begins with. */
static RS_APART int fold_others(const char *text, size_t len, size_t ascii, char *folded,
                                size_t capacity, size_t *folded_len, size_t *units)
{
    const unsigned char *at = wtf8_bytes(text) + ascii;
    const unsigned char *end = at + (len - ascii);
    struct fold_output output = {(unsigned char *)folded + ascii,
                                 (const unsigned char *)folded + capacity, ascii};
    uint32_t code;

    while (at < end) {
        if (wtf8_next(&at, end, &code) != RS_OK) {
            return RS_ETEXT;
        }
        if (put_character(&output, code) != RS_OK) {
            return too_long_or_invalid(text, len);
        }
    }
    *folded_len = (size_t)(output.at - (unsigned char *)folded);
    *units = output.units;
    return RS_OK;
}

int text_fold(const char *text, size_t len, char *folded, size_t capacity, size_t *folded_len,
              size_t *units)
{
    const size_t ascii = fold_ascii(text, len, folded, capacity);

    if (ascii < len) {
        return fold_others(text, len, ascii, folded, capacity, folded_len, units);
    }
    *folded_len = len;
    *units = len;
    return RS_OK;
}

int text_fold_append(struct buffer *folded, const char *text, size_t len)
{
    size_t size;
    size_t units;
    int status = buffer_reserve(folded, len / 2 * 3 + 3);

    if (status == RS_OK) {
        status = text_fold(text, len, folded->data + folded->size, folded->capacity - folded->size,
                           &size, &units);
    }
    if (status == RS_OK) {
        folded->size += size;
    }
    return status;
}

/* ---- Comparing ---- */

/* The units of a valid text, one after the other. */
struct unit_reader {
    const unsigned char *at;
    const unsigned char *end;
    uint32_t pending; /* the low surrogate that comes next; 0 if there is none */
};

static struct unit_reader read_units(const char *text, size_t len)
{
    const unsigned char *at = wtf8_bytes(text);

    return (struct unit_reader){at, at + len, 0};
}

/* The next unit folded; -1 at the end. */
static int32_t next_folded(struct unit_reader *reader)
{
    uint32_t code;

    if (reader->pending) {
        code = reader->pending;
        reader->pending = 0;
        return (int32_t)code;
    }
    if (reader->at == reader->end || wtf8_next(&reader->at, reader->end, &code) != RS_OK) {
        return -1;
    }
    if (code >= SUPPLEMENTARY_FIRST) {
        reader->pending = low_surrogate(code);
        code = high_surrogate(code);
    }
    return (int32_t)fold_unit(code);
}

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    const size_t shorter = a_len < b_len ? a_len : b_len;
    const int order = shorter ? memcmp(a, b, shorter) : 0;

    return order ? order : (a_len > b_len) - (a_len < b_len);
}

static int compare_units(struct unit_reader a, struct unit_reader b)
{
    int32_t left, right;

    do {
        left = next_folded(&a);
        right = next_folded(&b);
    } while (left == right && left >= 0);
    return (left > right) - (left < right);
}

int text_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t units;
    bool a_valid, b_valid;

    a_len = text_length(a, a_len);
    b_len = text_length(b, b_len);
    a_valid = text_units(a, a_len, &units) == RS_OK;
    b_valid = text_units(b, b_len, &units) == RS_OK;
    if (a_valid != b_valid) {
        return a_valid ? -1 : 1;
    }
    if (!a_valid) {
        return compare_bytes(a, a_len, b, b_len);
    }
    return compare_units(read_units(a, a_len), read_units(b, b_len));
}
