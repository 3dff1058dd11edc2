/*
 * A value as text that a person edits. It needs a value as it is stored; it gives the lines for the
 * editor, and the bytes that the edited lines mean, or the line that means nothing.
 *
 * The text begins with an explanation, lines with a '#' that end with EDIT_TEXT_MARK. What follows
 * is the value: a string in one line, the strings of a list one a line, a number, or bytes in
 * hexadecimal digits. Strings that lines cannot hold exactly (line ends, NUL, lone surrogates, an
 * unusual terminator) are shown as bytes, too. A text that does not begin with a '#' is the value
 * alone, so that a script can be the editor.
 */
#ifndef REGTOOL_EDIT_TEXT_H
#define REGTOOL_EDIT_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include <regstore.h>

#define EDIT_TEXT_MARK "# ---- the value begins below this line ----"

struct edit_subject {
    const char *path; /* of the key, as it is printed */
    size_t path_len;
    rs_value value; /* as it is stored; without data if it is not set */
    bool is_set;
    uint64_t written;  /* the key's write time */
    const char *about; /* lines that begin with "# ", what its rule says; NULL: none */
};

/* Writes the text. RS_OK or RS_ENOMEM; failures of the stream stay in the stream. */
int edit_text_write(FILE *out, const struct edit_subject *subject);
/* Reads an edited text. RS_OK: *data (free()) holds the bytes. RS_END: no value is left in the
 * text. RS_EDATA: *error names the line. */
int edit_text_read(const struct edit_subject *subject, const char *text, size_t len, void **data,
                   size_t *size, rs_error *error);

#endif
