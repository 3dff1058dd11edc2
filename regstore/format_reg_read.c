/*
 * format_reg_read.c - a .reg file's lines become a patch's events.
 *
 * One pass, a line at a time; only a value's data may span several. What the lines mean is what
 * the recorded behaviour of Windows tells, malformed ones included: a line that means nothing is
 * left out, and told with its number and its beginning. Only where Windows is not known to do
 * otherwise, a line is rather left out than guessed: after a key's line that cannot be read no key
 * is open, so that its values do not land in the key before. Needs format.
 */
#include "format_reg.h"

#include <stdio.h>
#include <strings.h>

#define SHOWN 60u /* bytes of a line that is told */

enum dialect {
    DIALECT_5,      /* Windows Registry Editor Version 5.00 */
    DIALECT_4,      /* REGEDIT4 */
    DIALECT_3,      /* REGEDIT, of Windows 3.1 */
    DIALECT_NOTHING /* REGEDIT and something else: accepted, and all that follows passed over */
};

/* A value as far as it is read. */
struct reading {
    const char *name;
    size_t name_len;
    uint32_t type;
    bool bytes;       /* its data is in hexadecimal digits */
    bool needs_exact; /* its name is one that only our own files have */
};

struct reader {
    struct reg_lines lines;
    struct format_sink *sink;
    enum dialect dialect;
    bool open;          /* a key is */
    struct buffer path; /* of the key that a line names */
    struct buffer name; /* of a value that goes on in the next line */
    struct buffer data;
    /* The line that is read, as far as it may be told: reading changes it. */
    struct {
        uint64_t number;
        size_t len;
        bool all;
        bool told;
        char text[SHOWN];
    } shown;
};

static bool is_blank_or_comment(const char *line)
{
    return *line == '\0' || *line == ';' || *line == '#';
}

/* ---- What is left out ---- */

/* Keeps a line's beginning. */
static void note_line(struct reader *reader, const char *line, size_t len)
{
    size_t shown = len < SHOWN ? len : SHOWN;

    reader->shown.number = reader->lines.number;
    reader->shown.len = shown;
    reader->shown.all = shown == len;
    reader->shown.told = false;
    memcpy(reader->shown.text, line, shown);
}

/* The length without a character that the end has cut. */
static size_t whole_characters(const char *text, size_t len)
{
    size_t end = len;

    while (end > 0 && ((unsigned char)text[end - 1] & 0xc0) == 0x80) {
        end--;
    }
    return end > 0 && (unsigned char)text[end - 1] >= 0xc0 ? end - 1 : len;
}

static int leave_out(struct reader *reader)
{
    char *text = reader->shown.text;
    char told[SHOWN + 40];
    size_t len = reader->shown.all ? reader->shown.len : whole_characters(text, reader->shown.len);
    size_t units;

    if (reader->shown.told) {
        return RS_OK;
    }
    reader->shown.told = true;
    if (text_units(text, len, &units) != RS_OK) { /* a UTF-8 mark, and bytes that are none */
        for (size_t i = 0; i < len; i++) {
            text[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
        }
    }
    int size =
        snprintf(told, sizeof told, "line %llu: %.*s%s", (unsigned long long)reader->shown.number,
                 (int)len, text, reader->shown.all ? "" : "...");
    return format_tell_loss(reader->sink, RS_LOSS_LINE, told, (size_t)size);
}

/* ---- Keys ---- */

static int close_key(struct reader *reader)
{
    bool open = reader->open;

    reader->open = false;
    return open ? reader->sink->key_end(reader->sink) : RS_OK;
}

/* A root's long name; false if it is none. */
static bool is_root(const char *name, size_t len)
{
    static const char *const roots[] = {
#define ROW(alias, root_name) root_name,
        RS_ROOT_LIST(ROW)
#undef ROW
    };

    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        if (strlen(roots[i]) == len && strncasecmp(roots[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

/* %XX in a path becomes the byte. False if two digits are missing. */
static bool decode_path(char *path, size_t *len)
{
    char *out = path;

    for (char *at = path; at < path + *len; at++) {
        char pair[3] = {0};
        uint32_t byte;
        if (*at == '%') {
            memcpy(pair, at + 1, path + *len - at > 2 ? 2 : 0);
            const char *end = reg_number(pair, &byte);
            if (!end || end != pair + 2) {
                return false;
            }
            *out++ = (char)byte;
            at += 2;
        } else {
            *out++ = *at;
        }
    }
    *len = (size_t)(out - path);
    return true;
}

/* Copies a path with single backslashes between its names and none after the last. */
static int copy_path(struct buffer *path, const char *text, size_t len)
{
    int status = RS_OK;

    path->size = 0;
    for (size_t at = 0; at < len && status == RS_OK;) {
        const char *end = memchr(text + at, '\\', len - at);
        size_t name = end ? (size_t)(end - text) - at : len - at;
        if (name > 0 && path->size > 0) {
            status = buffer_append_byte(path, '\\');
        }
        if (status == RS_OK) {
            status = buffer_append(path, text + at, name);
        }
        at += name + 1;
    }
    return status;
}

/* The key that a line's path means. *found false: it means none. */
static int find_path(struct reader *reader, char *text, size_t len, bool *found)
{
    size_t units;
    bool coded = len > 0 && text[0] == '*';

    *found = false;
    if (coded) {
        text++;
        len--;
        if (!decode_path(text, &len)) {
            return RS_OK;
        }
    }
    const char *end = memchr(text, '\\', len);
    if (!is_root(text, end ? (size_t)(end - text) : len) ||
        text_units(text, len, &units) != RS_OK) {
        return RS_OK;
    }
    *found = true;
    return copy_path(&reader->path, text, len);
}

static struct format_key told_key(const struct reader *reader)
{
    return (struct format_key){
        .name = reader->path.data, .name_len = reader->path.size, .absolute = true};
}

/* "[PATH]", "[-PATH]": text begins after the bracket. */
static int read_key(struct reader *reader, char *text)
{
    char *end = strrchr(text, ']');
    bool deletes = text[0] == '-';
    bool found = false;
    int status = close_key(reader);

    if (status != RS_OK) {
        return status;
    }
    if (end) {
        text += deletes;
        status = find_path(reader, text, (size_t)(end - text), &found);
    }
    bool root = found && !memchr(reader->path.data, '\\', reader->path.size);
    if (status != RS_OK || !found || (deletes && root)) {
        return status == RS_OK ? leave_out(reader) : status;
    }
    struct format_key key = told_key(reader);
    if (deletes) {
        return reader->sink->key_delete(reader->sink, &key);
    }
    status = reader->sink->key_begin(reader->sink, &key);
    reader->open = status == RS_OK;
    return status;
}

/* ---- Values ---- */

/* Whether a comment, or the end of a line, is the one that says that the value is exact. */
static bool says_exact(char *end)
{
    size_t len = sizeof REG_EXACT - 1;

    return *end == ';' && strncmp(end + 1, REG_EXACT, len) == 0 &&
           *reg_skip_blanks(end + 1 + len) == '\0';
}

/* All of a value is read; end is where its line's content ends. */
static int put_value(struct reader *reader, const struct reading *reading, char *end)
{
    bool exact = says_exact(end);
    int status = RS_OK;

    if (reading->needs_exact && !exact) {
        return leave_out(reader);
    }
    if (reading->type == REG_SZ || reading->type == REG_EXPAND_SZ ||
        reading->type == REG_MULTI_SZ) {
        bool ansi = reading->bytes && reader->dialect == DIALECT_4 &&
                    reader->lines.encoding != REG_ENCODING_UTF16;
        if (ansi && !exact && reader->data.size > 0 &&
            reader->data.data[reader->data.size - 1] != '\0') {
            status = buffer_append_byte(&reader->data, 0);
        }
        if (status == RS_OK && ansi) {
            status = reg_from_ansi(&reader->data);
        } else if (status == RS_OK && reading->bytes && !exact) {
            status = reg_terminate(&reader->data);
        } else if (status == RS_OK && !reading->bytes && !exact) {
            status = buffer_append(&reader->data, "\0", 2);
        }
    }
    if (status != RS_OK) {
        return status;
    }
    rs_value value = {.name = reading->name,
                      .name_len = reading->name_len,
                      .type = reading->type,
                      .data = reader->data.data,
                      .size = reader->data.size};
    if (value.size > RS_MAX_DATA) {
        return reg_fail(&reader->lines, RS_ETOOBIG,
                        "value \"%.*s\" has more data than the limit of %zu bytes",
                        (int)(value.name_len < 80 ? value.name_len : 80), value.name, RS_MAX_DATA);
    }
    return reader->sink->value(reader->sink, &value);
}

static int read_text(struct reader *reader, struct reading *reading, char *at)
{
    size_t len;
    bool nul;
    char *end = reg_unescape(at, &len, &nul);

    end = end ? reg_skip_blanks(end) : NULL;
    if (!end || nul || (*end != '\0' && *end != ';')) {
        return leave_out(reader);
    }
    int status = text_to_utf16(&reader->data, at, len);
    if (status == RS_ETEXT) {
        return leave_out(reader);
    }
    reading->type = REG_SZ;
    return status == RS_OK ? put_value(reader, reading, end) : status;
}

static int read_dword(struct reader *reader, struct reading *reading, char *at)
{
    uint32_t number;
    char *end = reg_number(reg_skip_blanks(at), &number);

    end = end ? reg_skip_blanks(end) : NULL;
    if (!end || (*end != '\0' && *end != ';')) {
        return leave_out(reader);
    }
    number = htole32(number);
    reading->type = REG_DWORD;
    int status = buffer_append(&reader->data, &number, sizeof number);
    return status == RS_OK ? put_value(reader, reading, end) : status;
}

/* The next line that has digits; RS_ENOTFOUND: there is none, as the file ends or another line has
 * something else. */
static int next_digits(struct reader *reader, char **at, size_t *len, bool *ended)
{
    char *line;
    int status;

    *ended = false;
    do {
        status = reg_lines_next(&reader->lines, &line, len);
        if (status != RS_OK) {
            *ended = status == RS_END;
            return status;
        }
        *at = reg_skip_blanks(line);
    } while (**at == '\0' || **at == ';');
    *len -= (size_t)(*at - line);
    return RS_OK;
}

/* The line that should have gone on with a value, and does not, is lost with it. */
static int leave_both_out(struct reader *reader, const char *at, size_t len)
{
    int status = leave_out(reader);

    if (status != RS_OK || is_blank_or_comment(at)) {
        return status;
    }
    note_line(reader, at, len);
    return leave_out(reader);
}

/* A value's bytes, in one line or more. */
static int read_hex(struct reader *reader, struct reading *reading, char *at, size_t len)
{
    enum reg_hex ending;
    char *end;
    bool ended = false;
    int status = reg_hex_line(&reader->data, at, len, &ending, &end);

    reading->bytes = true;
    if (status == RS_OK && ending == REG_HEX_GOES_ON) {
        reader->name.size = 0;
        status = buffer_append(&reader->name, reading->name, reading->name_len);
        if (status == RS_OK) {
            status = buffer_terminate(&reader->name); /* there is a name, also if it is empty */
        }
        reading->name = reader->name.data;
    }
    while (status == RS_OK && ending == REG_HEX_GOES_ON) {
        status = next_digits(reader, &at, &len, &ended);
        if (status != RS_OK) {
            break;
        }
        if (!strchr("0123456789abcdefABCDEF", *at)) {
            return leave_both_out(reader, at, len);
        }
        status = reg_hex_line(&reader->data, at, len, &ending, &end);
        if (status == RS_OK && reader->data.size > RS_MAX_DATA) {
            ending = REG_HEX_ENDS;
        }
    }
    if (ended) {
        return put_value(reader, reading, "");
    }
    if (status != RS_OK) {
        return status;
    }
    return ending == REG_HEX_BAD ? leave_out(reader) : put_value(reader, reading, end);
}

static int delete_value(struct reader *reader, const struct reading *reading, char *at)
{
    char *end = reg_skip_blanks(at);

    if ((*end != '\0' && *end != ';') || (reading->needs_exact && !says_exact(end))) {
        return leave_out(reader);
    }
    return reader->sink->value_delete(reader->sink, reading->name, reading->name_len);
}

/* What stands after a value's name: len bytes with the NUL at the end. */
static int read_data(struct reader *reader, struct reading *reading, char *at, const char *line_end)
{
    at = reg_skip_blanks(at);
    if (*at != '=') {
        return leave_out(reader);
    }
    at = reg_skip_blanks(at + 1);
    reader->data.size = 0;
    if (*at == '-') {
        return delete_value(reader, reading, at + 1);
    }
    if (*at == '"') {
        return read_text(reader, reading, at + 1);
    }
    if (strncmp(at, "dword:", 6) == 0) {
        return read_dword(reader, reading, at + 6);
    }
    if (strncmp(at, "hex:", 4) == 0) {
        reading->type = REG_BINARY;
        return read_hex(reader, reading, at + 4, (size_t)(line_end - at) - 4);
    }
    char *digits = strncmp(at, "hex(", 4) == 0 ? reg_hex_type(at + 4, &reading->type) : NULL;
    return digits ? read_hex(reader, reading, digits, (size_t)(line_end - digits))
                  : leave_out(reader);
}

static int read_named(struct reader *reader, char *at, const char *line_end)
{
    struct reading reading = {.name = at};
    size_t units;
    char *end = reg_unescape(at, &reading.name_len, &reading.needs_exact);

    if (!end || !reader->open || text_units(at, reading.name_len, &units) != RS_OK) {
        return leave_out(reader);
    }
    return read_data(reader, &reading, end, line_end);
}

static int read_default(struct reader *reader, char *at, const char *line_end)
{
    struct reading reading = {.name = ""};

    return reader->open ? read_data(reader, &reading, at, line_end) : leave_out(reader);
}

/* ---- Lines ---- */

/* Windows 3.1: a key below HKEY_CLASSES_ROOT, blanks, perhaps "=" and a blank, a text. */
static int read_old_line(struct reader *reader, char *line, size_t len)
{
    static const char root[] = "HKEY_CLASSES_ROOT";
    struct reading reading = {.name = "", .type = REG_SZ};
    size_t key = strcspn(line, " \t");
    bool found = false;
    int status;

    if (is_blank_or_comment(reg_skip_blanks(line))) {
        return RS_OK;
    }
    if (strncmp(line, root, sizeof root - 1) != 0) {
        return leave_out(reader);
    }
    status = find_path(reader, line, key, &found);
    if (status != RS_OK || !found) {
        return status == RS_OK ? leave_out(reader) : status;
    }
    char *text = reg_skip_blanks(line + key);
    if (*text == '=') {
        text++;
        text += *text == ' ';
    }
    reader->data.size = 0;
    status = text_to_utf16(&reader->data, text, len - (size_t)(text - line));
    if (status != RS_OK) {
        return status == RS_ETEXT ? leave_out(reader) : status;
    }
    struct format_key told = told_key(reader);
    status = reader->sink->key_begin(reader->sink, &told);
    reader->open = status == RS_OK;
    if (status == RS_OK) {
        status = put_value(reader, &reading, "");
    }
    return status == RS_OK ? close_key(reader) : status;
}

static int read_line(struct reader *reader, char *line, size_t len)
{
    char *at = reg_skip_blanks(line);
    int status = RS_OK;

    note_line(reader, line, len);
    if (reader->lines.cut) {
        status = leave_out(reader);
    }
    if (status != RS_OK) {
        return status;
    }
    if (reader->dialect == DIALECT_3) {
        return read_old_line(reader, line, len);
    }
    if (is_blank_or_comment(at)) {
        return RS_OK;
    }
    if (reader->dialect == DIALECT_NOTHING) {
        return leave_out(reader);
    }
    switch (*at) {
    case '[':
        return read_key(reader, at + 1);
    case '"':
        return read_named(reader, at + 1, line + len);
    case '@':
        return read_default(reader, at + 1, line + len);
    default:
        return leave_out(reader);
    }
}

/* ---- The whole ---- */

static int read_header(struct reader *reader)
{
    char *line;
    size_t len;
    int status = reg_lines_next(&reader->lines, &line, &len);

    if (status != RS_OK) {
        return status == RS_END ? reg_fail(&reader->lines, RS_EFORMAT, "the file is empty")
                                : status;
    }
    note_line(reader, line, len);
    char *header = reg_skip_blanks(line);
    for (char *end = line + len; end > header && (end[-1] == ' ' || end[-1] == '\t'); end--) {
        end[-1] = '\0'; /* a sample of Microsoft's own has such a header */
    }
    if (strcmp(header, REG_HEADER) == 0) {
        reader->dialect = DIALECT_5;
    } else if (strcmp(header, "REGEDIT4") == 0) {
        reader->dialect = DIALECT_4;
    } else if (strcmp(header, "REGEDIT") == 0) {
        reader->dialect = DIALECT_3;
    } else if (strncmp(header, "REGEDIT", 7) == 0) {
        reader->dialect = DIALECT_NOTHING;
        return leave_out(reader);
    } else {
        return reg_fail(&reader->lines, RS_EFORMAT,
                        "the header is neither \"" REG_HEADER "\" nor \"REGEDIT4\"");
    }
    return RS_OK;
}

static int read_all(struct reader *reader)
{
    char *line;
    size_t len;
    int status = read_header(reader);

    while (status == RS_OK) {
        status = reg_lines_next(&reader->lines, &line, &len);
        if (status == RS_OK) {
            status = read_line(reader, line, len);
        }
    }
    return status == RS_END ? close_key(reader) : status;
}

int reg_read(struct format_input *input, struct format_sink *sink, rs_error *error)
{
    struct reader reader = {.sink = sink};
    int status = reg_lines_begin(&reader.lines, input, error);

    if (status == RS_OK) {
        status = read_all(&reader);
    }
    if (status != RS_OK) {
        reg_fail(&reader.lines, status, "%s", rs_strerror(status));
    }
    reg_lines_free(&reader.lines);
    buffer_free(&reader.path);
    buffer_free(&reader.name);
    buffer_free(&reader.data);
    return status;
}
