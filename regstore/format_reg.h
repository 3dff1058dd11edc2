/*
 * format_reg.h - what the parts of the .reg format share.
 *
 * Gives the lines of a file whatever its encoding (format_reg_lines.c), what stands for a value's
 * data (format_reg_data.c), the reader (format_reg_read.c) and the writer (format_reg_write.c).
 * format_reg.c puts them together. Needs format.
 *
 * What the tested programs of Windows do with a line, this reader does, too; lines that mean
 * nothing are left out and told. Three things are our own, and other readers pass over them or
 * leave them out; a file in regedit's form has the last two only where a name needs them:
 *
 *     "Name"="text";exact       no terminator is added to string data that has none
 *     "Na\0me"=dword:1;exact    a NUL in a value's name; "\n" and "\r" need no comment
 *     [*HKEY_USERS\a%0Ab]       a key whose names have NUL, CR or LF: %XX stands for a byte
 */
#ifndef REGSTORE_FORMAT_REG_H
#define REGSTORE_FORMAT_REG_H

#include "format.h"

extern const struct format format_reg;      /* in regedit's form: UTF-16LE */
extern const struct format format_reg_utf8; /* UTF-8, and exact */

/* Whether a file's first bytes are those of a .reg file, also of one that is refused. */
bool reg_sniff(const unsigned char *head, size_t size);

#define REG_HEADER "Windows Registry Editor Version 5.00"
#define REG_EXACT "exact" /* the comment that is none */

/* ---- Lines ---- */

#define REG_LINE_MAX ((size_t)64 << 20) /* bytes of UTF-8; more than a value's data can need */

enum reg_encoding {
    REG_ENCODING_UTF8,
    REG_ENCODING_UTF16,
    REG_ENCODING_ANSI /* windows-1252 */
};

/* Start with reg_lines_begin(), end with reg_lines_free() in any case. */
struct reg_lines {
    struct format_input *input;
    rs_error *error;
    enum reg_encoding encoding;
    uint64_t number;    /* of the line given last */
    bool cut;           /* it had a NUL, and something after that, which is not given */
    struct buffer raw;  /* bytes that are not decoded yet */
    struct buffer text; /* UTF-8 (WTF-8) of lines to come */
    struct buffer line; /* one that was decoded by itself */
    bool marked;        /* a byte order mark says what the encoding is */
    size_t at;          /* what comes next in it */
    bool after_cr;      /* a CR ended the line given last: an LF that follows belongs to it */
    bool ended;         /* the file has no more bytes */
};
/* Finds out the encoding. RS_EFORMAT for one that is not read. */
int reg_lines_begin(struct reg_lines *lines, struct format_input *input, rs_error *error);
/* The next line without its end, with a NUL after it. The caller may change it; it lives until the
 * next call. RS_END after the last. */
int reg_lines_next(struct reg_lines *lines, char **line, size_t *len);
/* Describes a failure at the line given last; gives status. */
int reg_fail(struct reg_lines *lines, int status, const char *format, ...) RS_PRINTF(3, 4);
void reg_lines_free(struct reg_lines *lines);

/* ---- Data ---- */

static inline char *reg_skip_blanks(char *at)
{
    while (*at == ' ' || *at == '\t') {
        at++;
    }
    return at;
}

/* How a line with hexadecimal data ended. */
enum reg_hex {
    REG_HEX_BAD,
    REG_HEX_ENDS,
    REG_HEX_GOES_ON /* in the next line */
};
/* Appends the bytes of a line to data. *end: where the line's content ends, a NUL or a comment.
 * RS_ENOMEM. */
int reg_hex_line(struct buffer *data, char *at, size_t len, enum reg_hex *ending, char **end);
/* The type's number after "hex(", up to eight digits and "):"; what follows, or NULL. */
char *reg_hex_type(char *at, uint32_t *type);
/* One to eight hexadecimal digits; what follows, or NULL. */
char *reg_number(char *at, uint32_t *number);
/* Replaces the escapes of a text in quotes, which begins after the first. What follows the second
 * one, or NULL if there is none. *nul: it has an escaped NUL, which only a name may have. */
char *reg_unescape(char *text, size_t *len, bool *nul);
/* String data of one byte a character becomes UTF-16LE. */
int reg_from_ansi(struct buffer *data);
/* String data gets the terminator that it lacks; empty data stays so. */
int reg_terminate(struct buffer *data);
/* The UTF-16 unit of a byte in windows-1252; the five that it lacks are what Windows takes them
 * for. */
uint16_t reg_ansi_unit(unsigned char byte);

/* ---- Reading and writing ---- */

int reg_read(struct format_input *input, struct format_sink *sink, rs_error *error);
int reg_write_begin(struct format_output *output, struct format_sink **sink);
int reg_write_utf8_begin(struct format_output *output, struct format_sink **sink);
int reg_write_end(struct format_sink *sink, bool ok);

#endif
