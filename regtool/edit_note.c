/* Comments in a text that was not taken. */
#include "edit_note.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Behind the comment's character: no other comment begins so. */
static const char mark[] = "!! ";

static void put_lines(FILE *out, char comment, const char *lines)
{
    while (*lines != '\0') {
        int len = (int)strcspn(lines, "\n");
        fprintf(out, "%c%s%.*s\n", comment, mark, len, lines);
        lines += len + (lines[len] == '\n');
    }
}

static bool is_note(const char *line, size_t len, char comment)
{
    return len > sizeof(mark) - 1 && line[0] == comment &&
           memcmp(line + 1, mark, sizeof(mark) - 1) == 0;
}

static void put_text(FILE *out, const struct edited *edited, char comment, const char *lines)
{
    const char *at = edited->text, *end = edited->text + edited->len;
    bool noted = comment == '#';

    if (noted) {
        put_lines(out, comment, lines);
    }
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = stop != NULL ? (size_t)(stop + 1 - at) : (size_t)(end - at);
        if (!is_note(at, len, comment)) {
            fwrite(at, 1, len, out);
        }
        at += len;
        if (!noted) {
            fputs(stop == NULL ? "\n" : "", out);
            put_lines(out, comment, lines);
            noted = true;
        }
    }
}

void edit_note(const struct edited *edited, char comment, const char *lines)
{
    FILE *out;

    if (edited->len == 0 || (comment == '#' && edited->text[0] != '#')) {
        return;
    }
    out = fopen(edited->path, "we");
    if (out != NULL) {
        put_text(out, edited, comment, lines);
        fclose(out);
    }
}
