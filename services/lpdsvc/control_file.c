/* control_file - see control_file.h. */
#include "control_file.h"

#include "../common/character.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* ---- Text ------------------------------------------------------------------------------------ */

void control_file_clean(const uint8_t *bytes, size_t count, char *text, size_t size)
{
    size_t length = 0;
    for (size_t at = 0; at < count;) {
        size_t valid = character_size(bytes + at, count - at);
        size_t taken = valid > 0 ? valid : 1;
        const void *added = valid > 0 ? (const void *)(bytes + at) : REPLACEMENT;
        size_t needed = valid > 0 ? valid : sizeof(REPLACEMENT) - 1;
        if (!character_is_unseen(bytes + at, valid)) {
            if (needed >= size - length) {
                break;
            }
            memcpy(text + length, added, needed);
            length += needed;
        }
        at += taken;
    }
    text[length] = '\0';
}

/* ---- Lines ----------------------------------------------------------------------------------- */

struct reading {
    struct control_file *control;
    char title[JOB_TEXT]; /* of a file that is not named yet */
    struct line *problem;
};

/* One line, without what ends it. */
struct control_line {
    char letter;
    const uint8_t *text;
    size_t size;
};

static bool refuse(struct reading *reading, const char *why)
{
    line_add(reading->problem, "%s", why);
    return false;
}

/* Whoever says a thing twice is believed the first time. */
static void take_text(const struct control_line *line, char text[JOB_TEXT])
{
    if (text[0] == '\0') {
        control_file_clean(line->text, line->size, text, JOB_TEXT);
    }
}

/* The name of a data file, which is one that can have been sent. */
static bool read_name(struct reading *reading, const struct control_line *line, char *name)
{
    if (line->size >= LPD_FILE_NAME) {
        return refuse(reading, "it names a file whose name is too long");
    }
    memcpy(name, line->text, line->size);
    name[line->size] = '\0';
    const char *problem = lpd_name_problem(name);
    if (problem != NULL) {
        line_add(reading->problem, "it names ");
        line_add_quoted(reading->problem, name);
        line_add(reading->problem, ", %s", problem);
    }
    return problem == NULL;
}

static bool take_copy(struct reading *reading, struct control_print *print, char format)
{
    if (print->format != format) {
        return refuse(reading, "it prints a file in two formats");
    }
    if (print->copies == JOB_COPIES) {
        return refuse(reading, "it asks for too many copies");
    }
    print->copies++;
    return true;
}

static bool take_print(struct reading *reading, const struct control_line *line)
{
    struct control_file *control = reading->control;
    char name[LPD_FILE_NAME];
    if (!read_name(reading, line, name)) {
        return false;
    }
    if (name[0] != 'd') {
        return refuse(reading, "it prints a control file");
    }
    int known = control_file_find(control, name);
    if (known >= 0) {
        return take_copy(reading, &control->prints[known], line->letter);
    }
    if (control->count == JOB_DOCUMENTS) {
        return refuse(reading, "it names too many files");
    }
    struct control_print *print = &control->prints[control->count++];
    memcpy(print->file, name, sizeof(name));
    memcpy(print->title, reading->title, sizeof(print->title));
    print->format = line->letter;
    print->copies = 1;
    reading->title[0] = '\0';
    return true;
}

/* A file's title follows the line that prints it, as lpr has it, or goes before. */
static void take_title(struct reading *reading, const struct control_line *line)
{
    struct control_file *control = reading->control;
    struct control_print *latest = control->count > 0 ? &control->prints[control->count - 1] : NULL;
    if (latest != NULL && latest->title[0] == '\0') {
        take_text(line, latest->title);
    } else {
        reading->title[0] = '\0';
        take_text(line, reading->title);
    }
}

static bool take_line(struct reading *reading, const struct control_line *line)
{
    char name[LPD_FILE_NAME];
    switch (line->letter) {
    case 'H':
        take_text(line, reading->control->host);
        return true;
    case 'P':
        take_text(line, reading->control->user);
        return true;
    case 'J':
        take_text(line, reading->control->title);
        return true;
    case 'N':
        take_title(reading, line);
        return true;
    case 'U': /* "remove it when it is printed" is what happens to all, and to nothing else */
        return read_name(reading, line, name);
    default:
        break;
    }
    if (strchr("cdfgklnoprtv", line->letter) != NULL) {
        return take_print(reading, line);
    }
    if (line->letter >= 'a' && line->letter <= 'z') {
        return refuse(reading, "it asks for a format that RFC 1179 does not know");
    }
    return true;
}

static bool split_line(struct reading *reading, const uint8_t *bytes, size_t size)
{
    if (size > CONTROL_LINE_MAX) {
        return refuse(reading, "a line in it is too long");
    }
    if (memchr(bytes, '\0', size) != NULL) {
        return refuse(reading, "it holds a byte of zero");
    }
    while (size > 0 && bytes[size - 1] == '\r') {
        size--;
    }
    struct control_line line = {size > 0 ? (char)bytes[0] : '\0', bytes + 1,
                                size > 0 ? size - 1 : 0};
    return size == 0 || take_line(reading, &line);
}

static bool read_lines(struct reading *reading, const uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(bytes + at, '\n', size - at);
        size_t length = end != NULL ? (size_t)(end - bytes) - at : size - at;
        if (!split_line(reading, bytes + at, length)) {
            return false;
        }
        at += length + 1;
    }
    return true;
}

/* ---- All of it ------------------------------------------------------------------------------- */

bool control_file_read(const uint8_t *bytes, size_t size, struct control_file *control,
                       struct line *problem)
{
    struct reading reading = {.control = control, .problem = problem};
    *control = (struct control_file){.count = 0};
    if (!read_lines(&reading, bytes, size)) {
        return false;
    }
    if (control->count == 0) {
        return refuse(&reading, "it names no file to print");
    }
    if (control->title[0] == '\0') {
        memcpy(control->title, control->prints[0].title, sizeof(control->title));
    }
    return true;
}

int control_file_find(const struct control_file *control, const char *file)
{
    for (size_t i = 0; i < control->count; i++) {
        if (strcmp(control->prints[i].file, file) == 0) {
            return (int)i;
        }
    }
    return -1;
}
