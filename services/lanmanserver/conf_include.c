/* conf_include - smb.conf with another file in the place of the one that it includes; see
 * conf_include.h. */
#include "conf_include.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The name of an option has no case, and blanks in it do not count. Gives where its value begins,
 * NULL if it is another option. */
static const char *include_value(const char *line, size_t size)
{
    static const char name[] = "include";
    size_t matched = 0;
    for (size_t i = 0; i < size; i++) {
        if (line[i] == '=') {
            return matched == strlen(name) ? line + i + 1 : NULL;
        }
        if (is_blank(line[i])) {
            continue;
        }
        if (matched == strlen(name) || (line[i] | 0x20) != name[matched]) {
            return NULL;
        }
        matched++;
    }
    return NULL;
}

static bool includes(const char *line, size_t size, const char *file)
{
    const char *value = include_value(line, size);
    const char *end = line + size;
    if (value == NULL) {
        return false;
    }
    while (value < end && is_blank(*value)) {
        value++;
    }
    while (end > value && is_blank(end[-1])) {
        end--;
    }
    return (size_t)(end - value) == strlen(file) && memcmp(value, file, strlen(file)) == 0;
}

/* A line goes on in the next one when a backslash is its last character but for blanks. */
static bool goes_on(const char *line, size_t size)
{
    while (size > 0 && is_blank(line[size - 1])) {
        size--;
    }
    return size > 0 && line[size - 1] == '\\';
}

static size_t copy_lines(const char *conf, const char *file, const char *other, FILE *out)
{
    size_t count = 0;
    bool inside = false; /* of a line that began before */
    while (*conf != '\0') {
        size_t size = strcspn(conf, "\n");
        if (!inside && includes(conf, size, file)) {
            fprintf(out, "include = %s\n", other);
            count++;
        } else {
            fprintf(out, "%.*s\n", (int)size, conf);
        }
        inside = goes_on(conf, size);
        conf += size + (conf[size] == '\n');
    }
    return count;
}

char *conf_replace_include(const char *conf, const char *file, const char *other, size_t *count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    size_t found = copy_lines(conf, file, other, out);
    bool whole = ferror(out) == 0;
    whole = fclose(out) == 0 && whole;
    if (!whole) {
        free(text);
        return NULL;
    }
    *count = found;
    return text;
}
