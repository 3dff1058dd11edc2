/* What regtool query prints. */
#include "query_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "query_walk.h"
#include "show.h"

#define MARK "\033[1;31m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static void begin(struct query_print *print)
{
    if (!print->begun) {
        putchar('\n');
    }
    print->begun = true;
}

/* Text with what was found in it marked; after is what the text around it looks like. */
static void put_marked(const struct query_print *print, const char *text, size_t len,
                       const char *after)
{
    struct search_span span;

    while (len > 0 && search_text(print->text, text, len, &span) && span.end > 0) {
        show_text(stdout, text, span.start, true);
        fputs(MARK, stdout);
        show_text(stdout, text + span.start, span.end - span.start, true);
        printf(PLAIN "%s", after);
        text += span.end;
        len -= span.end;
    }
    show_text(stdout, text, len, true);
}

static bool is_marked(const struct query_print *print, unsigned place)
{
    return print->tool->colours && print->text != NULL && (print->in & place);
}

static void put_key_text(const struct query_print *print, const struct keypath *path)
{
    const char *last = memrchr(path->text, '\\', path->len);
    size_t start = last != NULL && is_marked(print, IN_KEYS) ? (size_t)(last + 1 - path->text) : 0;

    fputs(print->tool->colours ? BOLD : "", stdout);
    show_in_line(stdout, path->text, start > 0 ? start : path->len, print->tool->terminal);
    if (start > 0) {
        put_marked(print, path->text + start, path->len - start, BOLD);
    }
    fputs(print->tool->colours ? PLAIN "\n" : "\n", stdout);
}

static void put_key_json(const struct keypath *path, uint64_t written)
{
    struct json json = {.out = stdout};

    json_open(&json, '{');
    json_member(&json, "key");
    json_text(&json, path->text, path->len);
    show_json_time(&json, "written", written);
    json_close(&json, '}');
    json_line(&json);
}

void query_print_key(struct query_print *print, const struct keypath *path, uint64_t written)
{
    if (print->alone && !print->tool->json) {
        putchar('\n');
    }
    query_print_subkey(print, path, written);
    print->alone = false;
    print->in_block = true;
}

static void put_value_start(const struct query_print *print, const rs_value *value)
{
    char type[SHOW_TYPE_SIZE];

    show_type(value->type, type);
    fputs("    ", stdout);
    if (value->name_len > 0 && is_marked(print, IN_NAMES)) {
        put_marked(print, value->name, value->name_len, "");
    } else {
        show_value_name(stdout, value->name, value->name_len, print->tool->terminal);
    }
    printf("    %s", type);
    if (print->numbers) {
        printf(" (%" PRIu32 ")", value->type);
    }
    fputs("    ", stdout);
}

static int put_value_json(const struct keypath *path, const rs_value *value)
{
    struct json json = {.out = stdout};
    int status;

    json_open(&json, '{');
    json_member(&json, "key");
    json_text(&json, path->text, path->len);
    json_member(&json, "name");
    json_text(&json, value->name, value->name_len);
    status = show_json_data(&json, value);
    json_close(&json, '}');
    json_line(&json);
    return status;
}

static int put_marked_data(const struct query_print *print, const rs_value *value)
{
    char *text;
    size_t len;
    int status =
        rs_data_print(value->type, value->data, value->size, print->separator, &text, &len);

    if (status == RS_OK) {
        put_marked(print, text, len, "");
        rs_free(text);
    }
    return status;
}

int query_print_value(struct query_print *print, const struct keypath *path, const rs_value *value)
{
    int status;

    if (print->tool->json) {
        return put_value_json(path, value);
    }
    put_value_start(print, value);
    status = is_marked(print, IN_DATA)
                 ? put_marked_data(print, value)
                 : show_data(stdout, value, print->separator, print->tool->terminal);
    putchar('\n');
    return status;
}

void query_print_unset(struct query_print *print)
{
    if (!print->tool->json) {
        puts("    (Default)    REG_SZ    (value not set)");
    }
}

void query_print_end_key(struct query_print *print)
{
    if (print->in_block && !print->tool->json) {
        putchar('\n');
    }
    print->in_block = false;
}

void query_print_subkey(struct query_print *print, const struct keypath *path, uint64_t written)
{
    if (print->tool->json) {
        put_key_json(path, written);
        return;
    }
    begin(print);
    put_key_text(print, path);
    print->alone = print->search;
}

void query_print_matches(struct query_print *print, uint64_t matches)
{
    if (print->tool->json) {
        return;
    }
    begin(print);
    printf("End of search: %" PRIu64 " match(es) found.\n", matches);
}
