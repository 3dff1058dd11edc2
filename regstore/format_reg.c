/*
 * format_reg.c - the .reg format: its two rows, and how a file is recognised.
 *
 * A file is in UTF-16LE with a byte order mark, in UTF-8 with one or without, or in windows-1252,
 * and its first line says by which rules it is read. One format struct writes regedit's own form,
 * the other UTF-8 that loses nothing. Both read all. Needs format.
 */
#include "format_reg.h"

/* Does the head begin with a word, blanks before it, in units of one or two bytes? */
static bool begins_with(const unsigned char *head, size_t size, size_t unit, const char *word)
{
    size_t at = 0;

    while (at + unit <= size && (head[at] == ' ' || head[at] == '\t') &&
           (unit == 1 || head[at + 1] == 0)) {
        at += unit;
    }
    for (; *word; word++, at += unit) {
        if (at + unit > size || head[at] != (unsigned char)*word ||
            (unit == 2 && head[at + 1] != 0)) {
            return false;
        }
    }
    return true;
}

bool reg_sniff(const unsigned char *head, size_t size)
{
    size_t mark = size >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3
                  : size >= 2 && memcmp(head, "\xff\xfe", 2) == 0   ? 2
                                                                    : 0;

    for (size_t unit = 1; unit <= 2; unit++) {
        if (begins_with(head + mark, size - mark, unit, "REGEDIT") ||
            begins_with(head + mark, size - mark, unit, "Windows Registry Editor")) {
            return true;
        }
    }
    return false;
}

const struct format format_reg = {
    .name = "reg",
    .suffix = ".reg",
    .patch = true,
    .read = reg_read,
    .write_begin = reg_write_begin,
    .write_end = reg_write_end,
};

const struct format format_reg_utf8 = {
    .name = "reg-utf8",
    .suffix = ".reg",
    .patch = true,
    .read = reg_read,
    .write_begin = reg_write_utf8_begin,
    .write_end = reg_write_end,
};
