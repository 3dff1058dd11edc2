/*
 * format_reg.c - the .reg format: its two rows, and how a file is recognised.
 *
 * A file is in UTF-16LE with a byte order mark, in UTF-8 with one or without, or in windows-1252,
 * and its first line says by which rules it is read. One format struct writes regedit's own form,
 * the other UTF-8 that loses nothing. Both read all. Needs format.
 */
#include "format_reg.h"

/* What a file begins with, and how its characters are stored. */
struct beginning {
    const char *mark;
    size_t mark_len;
    size_t unit; /* bytes of a character */
    size_t low;  /* which of them an ASCII character is */
};

/* Does the head begin with a word, blanks before it? */
static bool begins_with(const unsigned char *head, size_t size, const struct beginning *as,
                        const char *word)
{
    bool blanks = true;

    for (size_t at = 0; *word; at += as->unit) {
        if (at + as->unit > size || (as->unit == 2 && head[at + 1 - as->low] != 0)) {
            return false;
        }
        unsigned char c = head[at + as->low];
        blanks = blanks && (c == ' ' || c == '\t');
        if (!blanks && c != (unsigned char)*word++) {
            return false;
        }
    }
    return true;
}

bool reg_sniff(const unsigned char *head, size_t size)
{
    static const struct beginning known[] = {
        {"\xef\xbb\xbf", 3, 1, 0},
        {"\xff\xfe", 2, 2, 0},
        {"\xfe\xff", 2, 2, 1},
        {"", 0, 1, 0},
        {"", 0, 2, 0},
        {"", 0, 2, 1},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const struct beginning *as = &known[i];
        size_t mark = as->mark_len;
        if (size >= mark && memcmp(head, as->mark, mark) == 0 &&
            (begins_with(head + mark, size - mark, as, "REGEDIT") ||
             begins_with(head + mark, size - mark, as, "Windows Registry Editor"))) {
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
