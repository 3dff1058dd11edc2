/*
 * status.c - statuses and errors.
 *
 * The texts of the statuses come from the one list in regstore.h. A failure's text may quote bytes
 * from anywhere (file names, key names, dumps), so it is made harmless for a terminal and a log
 * before it reaches the caller: one line of valid UTF-8 without control characters. Needs nothing
 * of the library.
 */
#include "status.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct status_row {
    const char *name;
    const char *text;
};

/* Statuses are 0 and below without gaps, so their negation is the index. */
static const struct status_row status_rows[] = {
#define STATUS_ROW(name, number, text) [-(number)] = {#name, text},
    RS_STATUS_LIST(STATUS_ROW)
#undef STATUS_ROW
};

static const struct status_row *find_row(int status)
{
    const int count = (int)(sizeof status_rows / sizeof status_rows[0]);

    return status <= 0 && status > -count ? &status_rows[-status] : NULL;
}

const char *rs_strerror(int status)
{
    const struct status_row *row = find_row(status);

    return row ? row->text : "unknown status";
}

const char *rs_status_name(int status)
{
    const struct status_row *row = find_row(status);

    return row ? row->name : NULL;
}

int status_of_errno(int number)
{
    switch (number) {
    case EACCES:
    case EPERM:
        return RS_EACCESS;
    case ENOSPC:
    case EDQUOT:
        return RS_EDISK;
    case ENOMEM:
        return RS_ENOMEM;
    case EROFS:
        return RS_EREADONLY;
    default:
        return RS_EIO;
    }
}

/* The lowest and highest second byte that may follow a first byte of UTF-8 (RFC 3629); this is what
 * keeps out overlong forms, surrogates and what lies above U+10FFFF. C1 controls count as bad too:
 * they are the two-byte sequences C2 80 to C2 9F. */
static bool second_byte_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xc2:
        return second >= 0xa0 && second <= 0xbf;
    case 0xe0:
        return second >= 0xa0 && second <= 0xbf;
    case 0xed:
        return second >= 0x80 && second <= 0x9f;
    case 0xf0:
        return second >= 0x90 && second <= 0xbf;
    case 0xf4:
        return second >= 0x80 && second <= 0x8f;
    default:
        return second >= 0x80 && second <= 0xbf;
    }
}

/* Bytes of the printable character that text begins with; 0 if it begins with anything else. The
 * terminating NUL ends each sequence early, so nothing is read behind it. */
static size_t printable_length(const unsigned char *text)
{
    size_t length;

    if (text[0] < 0x80) {
        return text[0] >= 0x20 && text[0] != 0x7f ? 1 : 0;
    }
    if (text[0] < 0xc2 || text[0] > 0xf4 || !second_byte_fits(text[0], text[1])) {
        return 0;
    }
    length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/* Copies raw with all that is not printable as \xNN; what does not fit ends in "...". */
static void copy_printable(char out[RS_ERROR_TEXT_MAX], const char *raw)
{
    static const char ellipsis[] = "...";
    size_t size = 0;
    size_t cut = 0; /* the last border between characters with room for the ellipsis behind it */

    while (*raw) {
        char piece[5];
        size_t taken = printable_length((const unsigned char *)raw);
        size_t length = taken;

        if (taken) {
            memcpy(piece, raw, taken);
        } else {
            length = 4;
            taken = 1;
            snprintf(piece, sizeof piece, "\\x%02x", (unsigned)(unsigned char)*raw);
        }
        if (size + length >= RS_ERROR_TEXT_MAX) {
            memcpy(out + cut, ellipsis, sizeof ellipsis);
            return;
        }
        memcpy(out + size, piece, length);
        size += length;
        raw += taken;
        if (size + sizeof ellipsis <= RS_ERROR_TEXT_MAX) {
            cut = size;
        }
    }
    out[size] = '\0';
}

/* suffix is appended after ": "; NULL for none. */
static void RS_PRINTF(3, 0)
    describe(rs_error *error, int status, const char *format, va_list args, const char *suffix)
{
    /* Longer than the text can be, so that what is cut off here is cut off again. */
    char raw[RS_ERROR_TEXT_MAX + 8];
    size_t size;

    if (vsnprintf(raw, sizeof raw, format, args) < 0) {
        raw[0] = '\0';
    }
    size = strlen(raw);
    if (suffix) {
        snprintf(raw + size, sizeof raw - size, "%s%s", size ? ": " : "", suffix);
    }
    copy_printable(error->text, raw);
    error->status = status;
}

int fail(rs_error *error, int status, const char *format, ...)
{
    va_list args;

    if (!error || error->status != RS_OK) {
        return status;
    }
    va_start(args, format);
    describe(error, status, format, args, NULL);
    va_end(args);
    return status;
}

int fail_errno(rs_error *error, const char *format, ...)
{
    const int number = errno;
    const int status = status_of_errno(number);
    char reason[128];
    va_list args;

    if (!error || error->status != RS_OK) {
        return status;
    }
    va_start(args, format);
    describe(error, status, format, args, strerror_r(number, reason, sizeof reason));
    va_end(args);
    return status;
}
